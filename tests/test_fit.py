"""Estimation, forecast and back-test against worlds whose truth is known."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from fit_worlds import MEDIAN, RATES, SHARES, SIGMA, START, world
from scipy import optimize, special, stats

from simulator.errors import DataError
from simulator.fit import backtest, estimate, forecast
from simulator.fit.arrivals import estimate_arrivals, weekly
from simulator.fit.backtest import kaplan_meier_curve
from simulator.fit.cure import _Target, clock, count, fit_one, weekday_factors
from simulator.fit.delay import LAWS, DelayLaw
from simulator.fit.forecast import wins_level


@pytest.fixture(scope="module")
def fitted():  # type: ignore[no-untyped-def]
    """Eight worlds with their estimates from the first 100 days."""
    out = []
    for seed in range(8):
        w = world(seed)
        history = w.history(100)
        out.append((w, history, estimate(history)))
    return out


def test_intervals_hold_the_truth(fitted) -> None:  # type: ignore[no-untyped-def]
    """24 shares at 90%: 8 or more misses happen once in 1,000 runs; 8 medians: 5 once in 2,000."""
    misses = sum(
        not c.conversion.low <= SHARES[c.name] <= c.conversion.high
        for _, _, e in fitted
        for c in e.channels
    )
    assert misses < 8
    medians = [e.delay.median for _, _, e in fitted]
    assert sum(not m.low <= MEDIAN <= m.high for m in medians) < 5
    rates = [
        (c.per_week - 7 * RATES[c.name]) / c.per_week_se for *_, e in fitted for c in e.channels
    ]
    # 24 standard normals, their sum of squares; one-sided 0.1%
    assert float(np.square(rates).sum()) < stats.chi2.ppf(0.999, 24)


def test_the_closed_alone_would_mislead(fitted) -> None:  # type: ignore[no-untyped-def]
    """Mean of the closed and share won so far are biased by many standard errors; ours are not."""
    true_mean = MEDIAN * np.exp(SIGMA**2 / 2)
    closed = [e.delay.closed_mean for *_, e in fitted]
    assert stats.ttest_1samp(closed, true_mean, alternative="less").pvalue < 1e-4
    for w, history, _ in fitted:
        late = history.arrived >= 70  # those that have had least time
        so_far = (history.won[late] >= 0).mean()
        assert (
            so_far
            < 0.75 * ((w.won < 1e8) & (w.arrived >= 70) & (w.arrived < 100)).sum() / late.sum()
        )
    z = np.mean([(e.delay.median.value - MEDIAN) / e.delay.median.se for *_, e in fitted])
    assert abs(z) * np.sqrt(len(fitted)) < 3.3  # 0.1%


def test_right_law_is_preferred(fitted) -> None:  # type: ignore[no-untyped-def]
    """Lognormal worlds: the weights of lognormal laws, added up, win in most of eight."""
    assert sum(e.delay.scenario.name == "lognormal" for *_, e in fitted) >= 5


def test_forecast_intervals_hold_what_came(fitted) -> None:  # type: ignore[no-untyped-def]
    """8 totals at 90%: 4 or more misses happen once in 200 runs, at exact coverage."""
    misses = 0
    for w, history, e in fitted:
        cast = forecast(history, e.counts, e.ensemble, e.arrivals, 28)
        mean, low, high = cast.total()
        misses += not low <= w.wins(100, 128) <= high
        assert cast.from_open.sum() + cast.from_new.sum() == pytest.approx(mean, rel=0.05)
        assert low < mean < high
    assert misses < 4


def test_calendar_drift_is_seen() -> None:
    e = estimate(world(3, pace=0.5).history(100))
    weight = sum(w for _, drift, w in e.delay.weights if drift != "none")
    assert weight > 0.8
    assert e.drift_pace.value + e.drift_odds.value > 0.1


def test_pooling_steadies_small_channels() -> None:
    """A channel with three leads and no win is drawn to the others, not to nothing."""
    history = world(1).history(100)
    extra = replace(
        history,
        channels=(*history.channels, "tiny"),
        arrived=np.r_[history.arrived, [10, 20, 30]],
        channel=np.r_[history.channel, [3, 3, 3]],
        won=np.r_[history.won, [-1, -1, -1]],
        value=np.r_[history.value, [np.nan] * 3],
        people={r: np.r_[p, [-1] * 3] for r, p in history.people.items()},
    )
    tiny = estimate(extra).channels[3].conversion
    assert 0.02 < tiny.value < 0.25
    assert tiny.high - tiny.low > 0.1


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("drift", ["none", "pace", "odds"])
def test_gradient(law: DelayLaw, drift: str) -> None:
    target = _Target(count(world(0, days=60).history(60)), law, drift, 0.5)  # type: ignore[arg-type]
    x = target.start() + np.random.default_rng(0).normal(0, 0.1, target.n)
    numeric = optimize.approx_fprime(x, lambda v: target(v)[0], 1e-6)
    np.testing.assert_allclose(target(x)[1], numeric, rtol=2e-3, atol=2e-2)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_laws_agree_with_scipy(law: DelayLaw) -> None:
    theta = np.array([0.2, 1.7, -1.0][: law.size])
    if law.name == "lognormal":
        main = stats.lognorm(np.exp(0.2), scale=np.exp(1.7))
    else:
        main = stats.gamma(np.exp(0.2), scale=np.exp(1.7))
    x = np.array([0.0, 0.3, 2.0, 9.0, 40.0])
    share = special.expit(-1.0) if law.fast else 0.0
    fast = stats.expon(scale=0.5).cdf(x)
    np.testing.assert_allclose(
        law.cdf(x, theta), share * fast + (1 - share) * main.cdf(x), atol=1e-12
    )
    mean, cv = law.mean_cv(theta)
    np.testing.assert_allclose([mean, cv], [main.mean(), main.std() / main.mean()])
    q = law.quantile(0.7, theta)
    assert law.cdf(q, theta) == pytest.approx(0.7)


def test_share_on_the_spot() -> None:
    """Where a third of wins come the same day, the law with such a share is preferred."""
    history = world(5).history(100)
    won = np.flatnonzero(history.won >= 0)
    chosen = np.random.default_rng(0).choice(won, len(won) // 3, replace=False)
    moved = history.won.copy()
    moved[chosen] = history.arrived[chosen]
    e = estimate(replace(history, won=moved))
    assert "on the spot" in e.delay.law


def test_weekday_clock() -> None:
    """No wins at weekends: two days that count for nothing, weeks that count for seven."""
    days = np.array([d for d in range(140) if d % 7 < 5] * 3)
    factors = weekday_factors(days, 0, 140)
    assert factors[:5] == pytest.approx(1.4, rel=0.02)
    assert factors[5:].max() < 0.02
    counts = replace(count(world(0, days=60).history(60)), pace=factors)
    at = clock(counts, 60)
    np.testing.assert_allclose(at[7::7], np.arange(7, 60, 7))
    assert weekday_factors(np.arange(140), 0, 140).tolist() == [1.0] * 7


def test_arrivals_trend_and_dispersion() -> None:
    history = world(0).history(100)
    flat = estimate_arrivals(history)
    assert not flat.trend_evident
    assert flat.dispersion < 3
    assert flat.rate.sum() == pytest.approx(flat.total)
    rng = np.random.default_rng(1)
    days = np.repeat(np.arange(100), rng.poisson(5 * np.exp(0.02 * np.arange(100))))
    none = np.full(len(days), -1)
    grows = replace(history, arrived=days, channel=np.zeros_like(days), won=none, people={})
    a = estimate_arrivals(grows)
    assert a.trend_evident
    assert a.trend == pytest.approx(0.14, abs=4 * a.trend_se)


def test_weekly_counts_from_the_end() -> None:
    assert weekly(np.array([0, 1, 2, 8, 9, 14]), 15).tolist() == [2, 3]


def test_weeks_of_the_history_say_how_weeks_vary(fitted) -> None:  # type: ignore[no-untyped-def]
    """Steady weeks beside wins that come every second week: around the model in both, but wider."""
    _, history, e = fitted[0]
    steady = wins_level(history, e.counts, e.ensemble.best)
    day = np.where(history.won >= 0, history.won - history.won // 7 % 2 * 7, -1)
    uneven = replace(history, won=np.where(day >= history.arrived, day, history.won))
    jumps = wins_level(uneven, e.counts, e.ensemble.best)
    rng = np.random.default_rng(1)
    one, two = (x.draw(rng, 4000, 4, noisy=1.0) for x in (steady, jumps))
    np.testing.assert_allclose([one.mean(), two.mean()], 1, atol=0.05)
    assert two.std() > 1.3 * one.std()


def test_kaplan_meier_checks_the_cure_model(fitted) -> None:  # type: ignore[no-untyped-def]
    """The parametric curve stays within 3 points of Kaplan-Meier where that has data."""
    for _, history, e in fitted[:3]:
        curve = kaplan_meier_curve(history)
        fit = fit_one(e.counts, DelayLaw("lognormal"), "none", 0.5)
        logits, theta, _ = fit.split(fit.mode)
        p = special.expit(logits) @ np.bincount(history.channel) / len(history.channel)
        ages = np.arange(60)
        ours = p * fit.law.cdf(ages + 1.0, theta)
        assert np.abs(ours - curve[:60]).max() < 0.03


def test_backtest_uses_only_the_past() -> None:
    """What comes after the origin changes scores, never the forecast."""
    history = world(2).history(110)
    later = replace(history, won=np.where(history.won >= 90, -1, history.won))
    origin = [START + dt.timedelta(days=90)]
    a, b = backtest(history, origin).origins[0], backtest(later, origin).origins[0]
    assert a.week == b.week
    assert a.low == b.low
    assert b.actual_total == 0 < a.actual_total
    assert a.days == 20


def test_backtest_scores() -> None:
    test = backtest(world(4).history(120), days=21)
    assert len(test.origins) >= 2
    assert 0 <= test.coverage <= 1
    o = test.origins[0]
    errors = [abs(x - y) for x, y in zip(o.actual, o.week["model"], strict=True)]
    assert o.wape() == pytest.approx(sum(errors) / o.actual_total)
    assert len(test.sentences) == len(test.origins) + 1
    assert test.to_json()["beaten_by"] == list(test.beaten_by)


def test_backtest_refuses_what_cannot_be_scored() -> None:
    history = world(0, days=40).history(40)
    with pytest.raises(DataError, match="four weeks to fit"):
        backtest(history)
    for day, text in ((40, "the data end on"), (3, "only 3 days"), (-5, "only 0 days")):
        with pytest.raises(DataError, match=text):
            backtest(history, [START + dt.timedelta(days=day)])


def test_same_seed_same_numbers() -> None:
    history = world(6, days=60).history(60)
    a, b = estimate(history), estimate(history)
    assert a.overall == b.overall
    assert np.array_equal(
        forecast(history, a.counts, a.ensemble, a.arrivals, 14).draws,
        forecast(history, b.counts, b.ensemble, b.arrivals, 14).draws,
    )
