"""How laws and levels sway from week to week: estimated, drawn, and in the forecasts' intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from log_worlds import START, made

from simulator.fit.level import fit_factor, fit_level
from simulator.fit.logs.cast import Model, make_model
from simulator.fit.logs.demand import QUIET_SD
from simulator.fit.logs.log import Log
from simulator.fit.logs.paths import make_paths
from simulator.fit.logs.risks import Laws, Pace, masses
from simulator.fit.logs.sway import (
    PERSISTENCE,
    SIZE,
    SIZE_WIDTH,
    USUAL_SIZE,
    fit_sway,
    fit_sways,
    weekly_ends,
)


@pytest.fixture(scope="module")
def model() -> Model:
    return make_model(make_paths(made()))


def series(rng: np.random.Generator, size: float, keep: float, weeks: int) -> np.ndarray:
    """A stationary autoregression."""
    out = np.empty(weeks)
    out[0] = size * rng.standard_normal()
    for k in range(1, weeks):
        out[k] = keep * out[k - 1] + size * np.sqrt(1 - keep**2) * rng.standard_normal()
    return out


def test_what_is_expected_adds_up_to_what_was_seen(model: Model) -> None:
    """Over all weeks the hazards give each stage as many ends as it had; ties at once and by a
    rule included."""
    p = model.paths
    edges = np.append(np.arange(0.0, p.end, 7.0), p.end)
    for stage in range(len(p.stages)):
        stays = np.flatnonzero(p.stage == stage)
        seen, expected, which = weekly_ends(model.laws, stays, edges)
        ends = [(model.laws.ended[stays] & (p.after[stays] == e)).sum() for e in which]
        np.testing.assert_array_equal(seen.sum(axis=1), ends)
        np.testing.assert_allclose(expected.sum(axis=1), ends, rtol=1e-9)


def test_steady_laws_do_not_sway(model: Model) -> None:
    """No factor drawn is off by a tenth on average, though each is unsure."""
    rng = np.random.default_rng(1)
    drawn = [model.sways.draw(rng, 4) for _ in range(400)]
    pace, odds = (np.array([d[k] for d in drawn]) for k in range(2))
    np.testing.assert_allclose(pace.mean(axis=0), 1, atol=0.1)
    np.testing.assert_allclose(odds.mean(axis=0), 1, atol=0.1)
    offer = model.paths.stages.index("offer")
    assert 0.02 < pace[:, offer].std() < 0.2


def test_a_pace_that_changed_is_seen_and_fades() -> None:
    seen = np.concatenate([np.full(8, 100.0), np.full(4, 160.0)])
    sway = fit_sway(seen, np.full(12, seen.mean()))
    assert 1.1 < sway.now < 160 / seen.mean() + 0.05
    rng = np.random.default_rng(1)
    path = np.log([sway.draw(rng, 12) for _ in range(2000)]).mean(axis=0)
    assert path[0] > 2 * path[-1] > 0


def desk(start: str, days: int, *, rush: float = 1.0) -> Laws:
    """Cases come at 15 a day to a desk, which takes three days (exponential), and are won.

    rush: how much quicker it is from 18 December on.
    """
    rng = np.random.default_rng(4)
    first = pd.Timestamp(start)
    turn = (pd.Timestamp(f"{first.year}-12-18") - first) / pd.Timedelta(days=1)
    at = np.sort(rng.uniform(0, days, 15 * days))
    work, slow = rng.exponential(3.0, len(at)), np.maximum(turn - at, 0.0)
    closed = at + np.where(work <= slow, work, slow + (work - slow) / rush)
    entered, left = (
        (first + pd.to_timedelta(x, unit="D")).astype("datetime64[ns]") for x in (at, closed)
    )
    names = [f"c{k}" for k in range(len(at))]
    none = pd.array([pd.NA] * len(at), dtype="string")
    cases = pd.DataFrame(
        {"created": entered, "closed": left, "outcome": "won", "channel": none, "owner": none,
         "amount": np.nan}, index=names,
    )  # fmt: skip
    visits = pd.DataFrame(
        {"case": names, "stage": "desk", "entered": entered, "started": pd.NaT, "left": left,
         "who": none, "worked": np.nan},
    )  # fmt: skip
    visits["started"] = visits["started"].astype("datetime64[ns]")
    end = first + pd.Timedelta(days=days)
    whole = Log(cases, visits, first, end + pd.Timedelta(days=1000))
    return make_model(make_paths(whole.before(end))).laws


def test_a_rush_at_the_years_end_does_not_go_on() -> None:
    """A desk that is three times as quick from 18 December on is the usual one in January."""
    laws = desk("2024-10-01", 92, rush=3.0)
    place = laws.paths.stages.index("desk")
    assert 0.85 < fit_sways(laws).pace[place].now < 1.15
    # in any other two weeks it is news
    other = desk("2024-10-01", 91, rush=3.0)
    edges = np.arange(0.0, 92.0, 7.0)
    seen, expected, _ = weekly_ends(other, np.flatnonzero(other.paths.stage == place), edges)
    assert fit_sway(seen.sum(axis=0), expected.sum(axis=0)).now > 1.3


def test_how_quiet_the_years_end_will_be_is_unsure() -> None:
    """Of 1,000 draws the spread is within a tenth of the book's (z-bound 4.5, false alarm 1e-5)
    in weeks up to New Year, by their share of it; other weeks are as they are."""
    model = make_model(desk("2024-10-01", 70).paths)
    end = model.paths.end
    edges = end + 7.0 * np.arange(1, 5)
    rng = np.random.default_rng(1)
    drawn = np.log([model._quiet(rng, edges, end + 35) for _ in range(1000)])
    share = np.array([0, 6, 7, 2, 0]) / 7  # from 10 December on
    np.testing.assert_allclose(drawn.std(axis=0), share * QUIET_SD, rtol=0.1)
    # weeks beyond the last edge are not all like its first
    assert not np.log(model._quiet(rng, edges[:1], end + 35))[1].any()


def test_factors_of_the_prior_are_held_as_often_as_is_said() -> None:
    """Worlds drawn from the prior: among 99 draws of the next month's mean factor, the truth has
    any rank alike (simulation-based calibration, Talts et al. 2018). 300 worlds: 270 of them have
    one of the middle 90 of 100 ranks, give or take 17 (z-bound 3.3, false alarm 1e-3)."""
    rng = np.random.default_rng(2)
    weight = np.exp(-0.5 * (np.log(SIZE / USUAL_SIZE) / np.log(SIZE_WIDTH)) ** 2)
    inside = 0
    for _ in range(300):
        size = rng.choice(SIZE, p=weight / weight.sum())
        truth = np.exp(series(rng, size, rng.choice(PERSISTENCE), 20))
        sway = fit_sway(rng.poisson(60 * truth[:16]).astype(float), np.full(16, 60.0))
        rank = sum(sway.draw(rng, 4).mean() < truth[16:].mean() for _ in range(99))
        inside += 5 <= rank < 95
    assert 253 <= inside <= 287


def test_levels_hold_the_next_month() -> None:
    """Random walks, returning levels and steady ones, with weeks' own noise: 90% intervals of four
    weeks' total; 300 series, at least 0.84 inside (z-bound 3.3, false alarm 5e-4)."""
    rng = np.random.default_rng(3)
    inside = 0
    for k in range(300):
        steps = 0.075 * rng.standard_normal(20)
        log = [np.cumsum(steps), series(rng, 0.15, 0.7, 20), np.zeros(20)][k % 3]
        rate = 200 * np.exp(log + 0.08 * rng.standard_normal(20))
        counts = rng.poisson(rate).astype(float)
        drawn = fit_level(counts[:16]).draw(rng, 400, 4, noisy=1.0)
        low, high = np.quantile(rng.poisson(drawn).sum(axis=1), [0.05, 0.95])
        inside += low <= counts[16:].sum() <= high
    assert inside >= 252


@pytest.mark.parametrize("at", [5, 12, 18, 19])
@pytest.mark.parametrize("seen", [0.0, 30.0])
def test_an_odd_week_is_not_the_level(at: int, seen: float) -> None:
    """A hundred a week (error of the mean 2.2%), in one week none, or a third: an outage."""
    counts = np.random.default_rng(1).poisson(np.full(20, 100.0)).astype(float)
    counts[at] = seen
    level = fit_level(counts)
    assert level.value == pytest.approx(100.0, rel=0.1)
    assert level.se < 12


def test_weeks_that_stay_low_are_a_lower_level() -> None:
    counts = np.random.default_rng(2).poisson([100.0] * 17 + [45.0] * 3).astype(float)
    for weeks, most in ((20, 60), (19, 75)):
        assert fit_level(counts[:weeks]).value < most


def test_a_factor_is_around_one_and_keeps_its_spread() -> None:
    seen = np.array([8.0, 14, 20, 35, 12, 30, 18, 41])
    level = fit_factor(seen, np.full(8, seen.mean()))
    around = level.around_one
    assert around.value == 1.0
    np.testing.assert_array_equal(around.var_off, level.var_off)
    rng = np.random.default_rng(4)
    whole = around.draw(rng, 20_000, 2, noisy=1.0)
    short = around.draw(rng, 20_000, 2, noisy=np.array([1.0, 7.0]))
    assert whole.mean() == pytest.approx(1.0, abs=0.01)
    # a day varies by more than a week
    assert short[:, 1].std() > 1.3 * short[:, 0].std()


def test_a_stay_goes_by_at_the_pace_of_each_week() -> None:
    """Exponential stays, three times as fast from time 1 on; z-bound 4 (false alarm 6e-5)."""
    n = 20_000
    sums = np.arange(1, n + 1) / n
    stayed = -np.log1p(-(np.arange(n) + 0.5) / n)
    rows = np.arange(8000)
    pace = Pace(np.ones((len(rows), 1)), np.tile([1.0, 3.0], (len(rows), 1)))
    for u in (0.0, 0.5):
        rng = np.random.default_rng(5)
        point, speed = pace.pick(rows, np.full(len(rows), u), stayed, sums, rng)
        time = stayed[np.minimum(np.searchsorted(sums, point, side="right"), n - 1)]
        assert time.min() >= u - 1e-3
        for at in (0.75, 1.0, 1.3):
            left = np.exp(-(min(at, 1.0) - u) - 3 * max(at - 1.0, 0.0))
            se = np.sqrt(left * (1 - left) / len(rows))
            assert abs((time > at).mean() - left) < 4 * se + 1e-3
        np.testing.assert_array_equal(speed, np.where(time >= 1.0, 3.0, 1.0))


def test_odds_are_factors_of_hazards() -> None:
    """Twice the hazard of every end: the survival of the law, squared."""
    rng = np.random.default_rng(6)
    ended = rng.random(60) < 0.7
    plain = 1 - np.cumsum(masses(np.ones(60), ended))
    twice = 1 - np.cumsum(masses(np.ones(60), ended, np.full(60, 2.0)))
    np.testing.assert_allclose(twice, plain**2, atol=1e-12)
    # of two kinds of ends, one twice as likely: its share among the first ends doubles in odds
    kind = rng.random(60) < 0.5
    mass = masses(np.ones(60), np.ones(60, dtype=bool), np.where(kind, 2.0, 1.0))
    assert (
        mass[:10][kind[:10]].sum()
        > masses(np.ones(60), np.ones(60, dtype=bool))[:10][kind[:10]].sum()
    )


def test_windows_of_a_day_and_of_years(model: Model) -> None:
    """Shorter than a week, and longer than weeks are told apart: all cases come to an end."""
    rng = np.random.default_rng(7)
    end = model.paths.end
    day = model.future(end + 1, rng)
    assert np.nanmax(day.closed) < end + 1
    years = model.future(end + 700, rng)
    old = years.created < end + 300
    assert (years.outcome[old] >= 0).mean() > 0.99


def test_a_log_that_sways_has_wider_intervals() -> None:
    """The same company, with odds and answers that sway from week to week, is foretold with more
    doubt of its outcomes: in the spread of the shares won."""
    origin = START + pd.Timedelta(days=92)
    spread = []
    for sway in (0.0, 0.5):
        known = make_paths(made(seed=3, sway=sway).before(origin))
        found = make_model(known)
        won = known.outcomes.index("won")
        shares = [
            (f.outcome[f.closed < known.end + 28] == won).mean()
            for f in found.futures(known.end + 28, 30, 1)
        ]
        spread.append(np.std(shares))
    assert spread[1] > 1.2 * spread[0]
