"""Keyed random numbers: their laws, and that keys and slots do not know of each other.

All statistical tests have fixed keys; each fails with probability LEVEL were its numbers drawn
afresh, and there are fewer than 100 of them: 1e-4 in all.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import njit
from scipy import special, stats

from simulator import draws
from simulator.engines import simulate
from simulator.spec.load import load_text
from simulator.system import build

LEVEL = 1e-6
Z = float(stats.norm.isf(LEVEL / 2))
N = 100_000
KEY = draws.subkey(20260105, 7)


@njit
def uniforms(keys, slots):  # type: ignore[no-untyped-def]
    found = np.empty(len(keys))
    for i in range(len(keys)):
        found[i] = draws.uniform(keys[i], slots[i])
    return found


@njit
def quantities(law, mean, cv, keys, slot):  # type: ignore[no-untyped-def]
    found = np.empty(len(keys))
    for i in range(len(keys)):
        found[i] = draws.draw(law, mean, cv, keys[i], slot)
    return found


@njit
def quantiles_of_wholes(wholes):  # type: ignore[no-untyped-def]
    return np.array([draws.normal_quantile(x) for x in wholes])


def nearest(p: np.ndarray) -> np.ndarray:
    """The uniform numbers next to some, odd in units of 2**-53 as all are."""
    return (2 * np.floor(p * 2.0**52) + 1) * 2.0**-53


def quantiles(p: np.ndarray) -> np.ndarray:
    """Of uniform numbers."""
    return quantiles_of_wholes((p * 2.0**53).astype(np.int64))


@njit
def exact_quantiles(p):  # type: ignore[no-untyped-def]
    return np.array([draws.exact_normal_quantile(x) for x in p])


def keys_of(how: str) -> tuple[np.ndarray, np.ndarray]:
    """N pairs of key and slot that differ as little as they ever do in a run."""
    i = np.arange(N)
    if how == "neighbouring keys":
        return KEY + i, np.full(N, draws.FIT)
    if how == "neighbouring slots":
        return np.full(N, KEY), i
    if how == "visits":
        return np.full(N, KEY), draws.name_key("stage:demo") + (i << 6) % (1 << 20) + draws.ADVANCE
    if how == "leads of a cell":
        keys = np.array([draws.subkey(KEY, -1 - int(k)) for k in i[: N // 10]])
        return np.repeat(keys, 10), np.tile(np.arange(10), N // 10)
    cells = np.array([draws.cell_key(KEY, int(k) % 8, int(k) // 8) for k in i])
    return cells, np.zeros(N, dtype=np.int64)


PAIRS = ["neighbouring keys", "neighbouring slots", "leads of a cell", "cells"]


@pytest.mark.parametrize("how", PAIRS)
def test_uniform(how):
    u = uniforms(*keys_of(how))
    assert 0 < u.min() < u.max() < 1
    assert abs(u.mean() - 1 / 2) < Z * math.sqrt(1 / 12 / N)
    assert abs(u.var() - 1 / 12) < Z * math.sqrt(1 / 180 / N)
    assert stats.kstest(u, "uniform").pvalue > LEVEL
    counts = np.bincount((u * 256).astype(int), minlength=256)
    assert stats.chisquare(counts).pvalue > LEVEL


@pytest.mark.parametrize("how", PAIRS)
@pytest.mark.parametrize("lag", [1, 2, 10])
def test_neighbours_are_independent(how, lag):
    """No correlation, and pairs fill the square evenly (16 x 16, non-overlapping pairs)."""
    u = uniforms(*keys_of(how))
    one, two = u[:-lag], u[lag:]
    r = np.corrcoef(one, two)[0, 1]
    assert abs(r) < Z / math.sqrt(len(one))
    first = np.arange(0, N - lag, 2 * lag)[:, None] + np.arange(lag)
    first = first[first < N - lag]
    cell = (u[first] * 16).astype(int) * 16 + (u[first + lag] * 16).astype(int)
    assert stats.chisquare(np.bincount(cell, minlength=256)).pvalue > LEVEL


def test_decisions_of_a_lead_are_independent():
    """Fit, value, effort, advance and so on, over leads: all correlations at once."""
    slots = [draws.FIT, draws.VALUE, draws.CHURN, draws.COOL_DOWN]
    slots += [draws.name_key("stage:demo") + p for p in range(draws.APPLIES, 20)]
    slots += [draws.slot_of(draws.name_key("stage:demo"), 1, draws.EFFORT)]
    slots += [draws.name_key("stage:legal") + draws.EFFORT]
    n = 20_000
    keys = KEY + np.arange(n)
    u = np.array([uniforms(keys, np.full(n, s)) for s in slots])
    off = np.abs(np.corrcoef(u)[np.triu_indices(len(slots), 1)])
    assert off.max() < stats.norm.isf(LEVEL / 2 / len(off)) / math.sqrt(n)


def test_replications_seeds_and_channels_are_independent():
    streams = np.array(
        [
            draws.channel_stream(seed, replication, draws.name_key(name))
            for seed in range(10)
            for replication in range(100)
            for name in ("channel:a", "channel:b")
        ]
    )
    assert len(np.unique(streams)) == len(streams)
    u = uniforms(streams, np.zeros(len(streams), dtype=np.int64))
    assert stats.kstest(u, "uniform").pvalue > LEVEL
    assert abs(np.corrcoef(u[::2], u[1::2])[0, 1]) < Z / math.sqrt(len(u) / 2)


LAWS = {
    "exponential": (draws.EXPONENTIAL, 1.0, stats.expon()),
    **{
        f"lognormal {cv}": (
            draws.LOGNORMAL,
            cv,
            stats.lognorm(math.sqrt(math.log1p(cv**2)), scale=1 / math.sqrt(1 + cv**2)),
        )
        for cv in (0.2, 1.0, 2.0)
    },
    **{
        f"gamma {cv}": (draws.GAMMA, cv, stats.gamma(cv**-2, scale=cv**2))
        for cv in (0.1, 0.7, 1.0, 2.0)
    },
    "erlang 3": (draws.GAMMA, 3**-0.5, stats.gamma(3, scale=1 / 3)),
}


@pytest.mark.parametrize("name", LAWS)
def test_laws(name):
    """Whole distribution, mean and standard deviation against scipy."""
    law, cv, exact = LAWS[name]
    x = quantities(law, 2.5, cv, KEY + np.arange(N), draws.name_key("stage:demo") + draws.EFFORT)
    assert stats.kstest(x / 2.5, exact.cdf).pvalue > LEVEL
    assert exact.mean() == pytest.approx(1.0)
    assert exact.std() == pytest.approx(cv)
    assert abs(x.mean() / 2.5 - 1) < Z * cv / math.sqrt(N)
    second = (x / 2.5 - 1) ** 2
    # The kurtosis of wide laws is too large for a z-bound of the variance to mean anything.
    if cv <= 1:
        fourth = float(exact.stats("k")) + 2
        assert abs(second.mean() - cv**2) < 1.3 * Z * cv**2 * math.sqrt(fourth / N)


@pytest.mark.parametrize("name", LAWS)
def test_a_draw_grows_with_its_mean_and_nothing_else(name):
    law, cv, _ = LAWS[name]
    keys = KEY + np.arange(100)
    one, three = (quantities(law, mean, cv, keys, 9) for mean in (1.0, 3.0))
    np.testing.assert_allclose(three, 3 * one, rtol=1e-15)


def test_degenerate_laws():
    assert draws.draw(draws.NONE, 5.0, 1.0, 1, 1) == 0.0
    assert draws.draw(draws.DETERMINISTIC, 5.0, 0.0, 1, 1) == 5.0
    assert draws.draw(draws.GAMMA, 5.0, 0.0, 1, 1) == 5.0
    assert draws.draw(draws.LOGNORMAL, 0.0, 1.0, 1, 1) == 0.0


def test_exact_normal_quantile():
    """AS 241 against scipy, in the middle and in both tails, to 1e-14."""
    tail = np.geomspace(1e-300, 0.5, 2000)
    p = np.concatenate([tail, np.linspace(0.001, 0.999, 2001), 1 - np.geomspace(1e-15, 0.5, 500)])
    np.testing.assert_allclose(exact_quantiles(p), special.ndtri(p), rtol=1e-14, atol=1e-15)
    inner = (1 - np.linspace(0.01, 0.49, 100)) % 1
    np.testing.assert_allclose(exact_quantiles(inner), -exact_quantiles(1 - inner), rtol=1e-13)


def test_normal_quantile():
    """The table against scipy: a bound everywhere, exact in the tails, odd, and it only rises."""
    p = nearest(np.linspace(0, 1, 2_000_001)[1:-1])
    z, exact = quantiles(p), special.ndtri(p)
    assert np.abs(z - exact).max() < 2e-7
    tail = draws.TAIL / (2 * draws.CELLS)
    outer = nearest(np.array([*np.geomspace(2**-53, tail * 0.9999, 1000), 1 - 1e-15, 1 - 1e-5]))
    np.testing.assert_array_equal(quantiles(outer), exact_quantiles(outer))
    assert (np.diff(z) > 0).all()
    half = nearest(np.arange(0, 2**12) / 2**13)
    np.testing.assert_array_equal(quantiles(half), -quantiles(1 - half))


@pytest.mark.parametrize("cv", [0.2, 1.0, 2.0])
def test_what_the_table_does_to_a_lognormal_law(cv):
    """Bias by quadrature over the cells of the table: mean 1e-8, variance 1e-7 of itself."""
    s = math.sqrt(math.log1p(cv * cv))
    nodes, weights = np.polynomial.legendre.leggauss(12)
    edges = np.linspace(0, 1, 2 * draws.CELLS + 1)[draws.TAIL : -draws.TAIL or None]
    width = np.diff(edges)[:, None]
    p = nearest((edges[:-1, None] + width * (nodes + 1) / 2).ravel())
    weight = (width * weights / 2).ravel()
    got, exact = (np.exp(s * z - s * s / 2) for z in (quantiles(p), special.ndtri(p)))
    assert abs((weight * (got - exact)).sum()) < 1e-8
    assert abs((weight * (got**2 - exact**2)).sum()) / cv**2 < 1e-7


@pytest.mark.parametrize("steps", [1, 2, 3, 16])
def test_an_erlang_law_is_the_sum_of_its_steps(steps):
    """To the last bits, with the spread that its coefficient of variation is read as."""
    assert draws.spread_of(draws.GAMMA, steps**-0.5) == steps
    key, slot = 7, draws.name_key("stage:demo") + draws.BUYER_TIME
    stream = draws.subkey(key, slot)
    parts = [-math.log(draws.uniform(stream, i)) for i in range(steps)]
    drawn = draws.draw(draws.GAMMA, 3.0, steps**-0.5, key, slot)
    assert drawn == pytest.approx(3.0 * sum(parts) / steps, rel=1e-13)
    assert draws.spread_of(draws.GAMMA, 0.9) == pytest.approx(-1 / 0.81)


def test_the_ends_of_the_uniform_numbers_have_draws():
    """Of the odd numbers below 2**53 the first and the last, and those around the middle."""
    ends = np.array([1, 2**53 - 1, 2**52 - 1, 2**52 + 1])
    z = quantiles_of_wholes(ends)
    np.testing.assert_allclose(z, special.ndtri(ends * 2.0**-53), rtol=1e-9, atol=1e-15)
    assert z[0] == -z[1]


def test_names_have_room_for_slots():
    keys = [draws.name_key(f"stage:s{i}") for i in range(2000)]
    assert len(set(keys)) == 2000
    assert all(k % (1 << 20) == 0 and -(2**63) <= k < 2**63 for k in keys)
    assert draws.name_key("stage:demo") == draws.name_key("stage:demo")


def test_lead_ids_name_their_point():
    seen = {
        draws.lead_id(c, b, w, i)
        for c in (0, 1, 199)
        for b in (0, 1, 20, 63)
        for w in (0, 1, 65535)
        for i in (0, 1, 2**24 - 1)
    }
    assert len(seen) == 3 * 4 * 3 * 3
    assert min(seen) >= 0


def test_bands_tile_the_rate_axis():
    for b in range(30):
        assert draws.band_floor(b) + draws.band_height(b) == draws.band_floor(b + 1)
    assert draws.band_floor(0) == 0.0
    heights = [draws.arrival_height(KEY + i, 0, 4) for i in range(1000)]
    assert 8 <= min(heights) < max(heights) < 16


def arrivals(channel: str, weeks: int, more: str = "", replication: int = 0) -> np.ndarray:
    text = f"""
horizon: {weeks} weeks
channels: {{a: {channel}}}
stages: {{s: {{advance: 0%}}}}
{more}
"""
    system = build(load_text(text).scenario)
    return np.sort(simulate(system, replication=replication).leads.arrived)


@pytest.mark.parametrize("rate", [0.4, 1.0, 3.0, 11.7])
def test_arrivals_are_poisson(rate):
    """Counts a week are Poisson, gaps exponential, and weeks do not know of each other."""
    weeks = 1500
    t = arrivals(f"{{leads: {rate}/week}}", weeks)
    count = np.bincount(t.astype(int), minlength=weeks)
    assert abs(count.mean() - rate) < Z * math.sqrt(rate / weeks)
    dispersion = ((count - count.mean()) ** 2).sum() / count.mean()
    tail = stats.chi2.cdf(dispersion, weeks - 1)
    assert LEVEL / 2 < tail < 1 - LEVEL / 2
    assert stats.kstest(np.diff(t) * rate, "expon").pvalue > LEVEL
    assert stats.kstest(t % 1, "uniform").pvalue > LEVEL
    assert abs(np.corrcoef(count[:-1], count[1:])[0, 1]) < Z / math.sqrt(weeks)


def test_a_step_of_the_rate_only_adds():
    """Thinning is exact: before a step nothing changes, after it the old leads stay."""
    step = "levers: [{at: week 60, set: channels.a.leads.now, to: 9.3/week}]"
    low = arrivals("{leads: 3.1/week}", 120)
    high = arrivals("{leads: 9.3/week}", 120)
    both = arrivals("{leads: 3.1/week}", 120, step)
    np.testing.assert_array_equal(both[both < 60], low[low < 60])
    np.testing.assert_array_equal(both[both >= 60], high[high >= 60])
    assert np.isin(low, high).all()
    extra = (both >= 60).sum() - 60 * 9.3
    assert abs(extra) < Z * math.sqrt(60 * 9.3)


def test_a_rate_that_varies_has_its_integral():
    """Adstock after a step of spend: the expected count is the integral of a curve."""
    spend = "{leads: {now: 40/week, saturation: none}, spend: 10 k/week, adstock: 5 weeks}"
    step = "levers: [{at: week 2, scale: channels.a.spend, by: 3}, {at: week 10, scale: "
    step += "channels.a.spend, by: 0.2}]"
    t = np.concatenate([arrivals(spend, 20, step, i) for i in range(20)])

    def upto(x: np.ndarray) -> np.ndarray:
        """Integral of the rate, spend being 1, then 3, then .6 times today's."""
        soon, late = np.clip(x - 2, 0, 8), np.maximum(x - 10, 0)
        rising = 3 * soon - 2 * 5 * (1 - np.exp(-soon / 5))
        reached = 3 - 2 * np.exp(-8 / 5)
        falling = 0.6 * late + (reached - 0.6) * 5 * (1 - np.exp(-late / 5))
        return 40 * (np.minimum(x, 2) + rising + falling)

    total = float(upto(np.array(20.0))) * 20
    assert abs(len(t) - total) < Z * math.sqrt(total)
    assert stats.kstest(upto(t) / upto(np.array(20.0)), "uniform").pvalue > LEVEL


@pytest.mark.parametrize("warm_up", [0, 6])
def test_spend_of_week_0_takes_as_long_to_work_as_any(warm_up):
    """Adstock 20 weeks: leads of the first week after a lever in week 0 are those of the past."""
    channel = "{leads: {now: 400/week, saturation: none}, spend: 10 k/week, adstock: 20 weeks}"
    more = f"warm_up: {warm_up} weeks\n"
    more += "levers: [{at: week 0, scale: channels.a.spend, by: 3}]"
    t = arrivals(channel, 2, more)
    first = ((t >= 0) & (t < 1)).sum()
    exact = 400 * (3 - 2 * 20 * (1 - math.exp(-1 / 20)))
    assert abs(first - exact) < Z * math.sqrt(exact)
