"""Wins to come: from the leads still open and from those that will arrive, with intervals.

Each draw takes one model of the ensemble by its weight, one parameter vector from its posterior,
arrivals and a level of its own, and then counts with chance. So an interval holds the uncertainty
of the model, of its numbers, and of the weeks themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simulator.fit.arrivals import Arrivals, weekly
from simulator.fit.cure import Counts, CureFit, Ensemble, clock
from simulator.fit.level import WANDER, Level, fit_factor
from simulator.fit.read import History

Array = NDArray[np.float64]
DRAWS = 4000
CELLS = 4_000_000  # of the arrays of one step: bounds the memory, not the result's size
WEEK_NOISE = 0.14  # prior of how weeks differ beyond chance, as the sd of their log factors


@dataclass(frozen=True, slots=True)
class Forecast:
    """Wins by period after day ``origin``: draws of shape (draws, periods), and what they are of.

    ``from_open`` and ``from_new`` are expected wins a period, averaged over the draws.
    """

    origin: int
    edges: tuple[int, ...]
    draws: Array
    from_open: Array
    from_new: Array

    @property
    def mean(self) -> Array:
        """Expected wins by period."""
        return np.asarray(self.draws.mean(axis=0))

    def interval(self, level: float = 0.9) -> tuple[Array, Array]:
        """Bounds by period."""
        tail = (1 - level) / 2
        low, high = np.quantile(self.draws, [tail, 1 - tail], axis=0)
        return low, high

    def total(self, level: float = 0.9) -> tuple[float, float, float]:
        """Mean and bounds of the wins over all periods."""
        total = self.draws.sum(axis=1)
        tail = (1 - level) / 2
        low, high = np.quantile(total, [tail, 1 - tail])
        return float(total.mean()), float(low), float(high)


def forecast(
    history: History,
    counts: Counts,
    ensemble: Ensemble,
    arrivals: Arrivals,
    days: int,
    *,
    seed: int = 1,
    draws: int = DRAWS,
) -> Forecast:
    """Forecast the wins of the next ``days`` days, week by week (the last may be short)."""
    rng = np.random.default_rng(seed)
    edges = [*range(0, days, 7), days]
    weeks = np.diff(edges) / 7
    level = wins_level(history, counts, ensemble.best)
    parts, opens, news = [], [], []
    size = max(1, CELLS // (history.days * len(edges)))
    steps = [
        (fit, all_[i : i + size])
        for fit, all_ in ensemble.draw(draws, rng)
        for i in range(0, len(all_), size)
    ]
    for fit, x in steps:
        n = len(x)
        open_, new = _expected(counts, fit, x, arrivals, edges, days, rng)
        opens.append(open_)
        news.append(new)
        factor = level.draw(rng, n, len(weeks), noisy=1 / weeks)
        parts.append(rng.poisson((open_ + new) * factor))
    return Forecast(
        origin=history.days,
        edges=tuple(edges),
        draws=np.concatenate(parts).astype(float),
        from_open=np.concatenate(opens).mean(axis=0),
        from_new=np.concatenate(news).mean(axis=0),
    )


def _expected(
    counts: Counts,
    fit: CureFit,
    x: Array,
    arrivals: Arrivals,
    edges: list[int],
    days: int,
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    """Expected wins of open and of new leads, each (draws, periods)."""
    n, end = len(x), counts.days
    logits, theta, drift = fit.split(x)
    # what drifted so far may go on, slow or stop: damped by a factor of its own in each draw
    beyond = drift * rng.uniform(0, 1, n)
    pace = drift if fit.drift == "pace" else 0.0 * drift
    work = clock(counts, end + days, pace, beyond if fit.drift == "pace" else pace)
    at = work[:, [end + e for e in edges]]
    born = np.arange(end)
    age = (born - end) / 28
    th = theta[:, :, None]
    late = np.stack(
        [fit.law.cdf(at[:, [k]] - work[:, :end], th) for k in range(len(edges))], axis=-1
    )
    open_n = np.zeros((counts.channels, end))
    open_n[counts.open_channel, counts.open_arrived] = counts.open_n
    lead = drift[:, None] * age if fit.drift == "odds" else np.zeros((n, end))
    open_wins = np.zeros((n, len(edges) - 1))
    for c in range(counts.channels):
        p = special.expit(logits[:, [c]] + lead)
        weight = open_n[c] * p / (1 - p * late[:, :, 0])
        open_wins += np.einsum("na,nak->nk", weight, np.diff(late, axis=-1))
    coming = np.arange(end, end + days)
    weekday = arrivals.weekday[(coming + counts.start_weekday) % 7] / 7
    size = np.maximum(arrivals.rate, 1e-9)
    rate = rng.gamma((size / arrivals.se) ** 2, arrivals.se**2 / size, size=(n, len(size)))
    level = np.exp(rng.standard_normal((n, 1)) * WANDER * np.sqrt(days / 56))
    ahead = (coming - end) / 28
    lead = beyond[:, None] * ahead if fit.drift == "odds" else np.zeros((n, days))
    quality = np.zeros((n, days))
    for c in range(counts.channels):
        quality += rate[:, [c]] * special.expit(logits[:, [c]] + lead)
    intake = quality * weekday * level
    new = np.stack(
        [
            np.einsum("na,na->n", intake, fit.law.cdf(at[:, [k]] - work[:, end : end + days], th))
            for k in range(len(edges))
        ],
        axis=-1,
    )
    return open_wins, np.diff(new, axis=-1)


def wins_level(history: History, counts: Counts, fit: CureFit) -> Level:
    """How weekly wins vary around what the model expects of them, as they did in the weeks seen."""
    expected = expected_by_day(counts, fit)
    weeks = counts.days // 7
    by_week = expected[counts.days - 7 * weeks :].reshape(weeks, 7).sum(axis=1)
    observed = weekly(history.won[history.won >= 0], counts.days)
    # the first two weeks have hardly any leads at risk; where the level is now, drift has told
    return fit_factor(observed[2:], by_week[2:], noise_sd=WEEK_NOISE).around_one


def expected_by_day(counts: Counts, fit: CureFit) -> Array:
    """Wins that the model expects on each day of the history."""
    logits, theta, drift = fit.split(fit.mode)
    end = counts.days
    work = clock(counts, end, drift if fit.drift == "pace" else 0.0)
    came = np.zeros((counts.channels, end))
    np.add.at(came, (counts.open_channel, counts.open_arrived), counts.open_n)
    np.add.at(came, (counts.win_channel, counts.win_arrived), 1.0)
    shift = drift * (np.arange(end) - end) / 28 if fit.drift == "odds" else np.zeros(end)
    ever = (came * special.expit(logits[:, None] + shift)).sum(axis=0)
    th = theta[:, None]
    total = np.array([ever @ fit.law.cdf(work[t] - work[:end], th) for t in range(end + 1)])
    return np.diff(total)
