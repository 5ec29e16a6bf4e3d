"""The mixture cure model: a share of each channel's leads is ever won, after a random delay.

A lead of channel c that came on day a is won by day t with probability p_c F(L(t) - L(a)): p_c the
share ever won, F the law of the delay, L the working clock (no work on days without wins, such as
weekends; it may speed up over the calendar). Leads still open count with 1 - p_c F, so nothing is
learnt from the closed ones alone. Channels are pooled partially: logit p_c ~ N(mu, s2). Source:
Farewell (1982), "The use of mixture models for the analysis of survival data"; Gaussian
approximation at the mode and evidences after Tierney & Kadane (1986).
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, special, stats

from simulator.errors import DataError
from simulator.fit.delay import LAWS, DelayLaw
from simulator.fit.read import History

Array = NDArray[np.float64]
Drift = Literal["none", "pace", "odds"]
DRIFTS: tuple[Drift, ...] = ("none", "pace", "odds")
PER = 28.0  # days that a drift is stated over
DRIFT_SD = 0.3  # prior: a factor of 1.35 in four weeks is a large drift
MU_PRIOR = (-2.2, 1.5)  # prior on the mean logit: 10% ever won, 1% to 65% all plausible
NEWTON = 12  # most steps from the search's end to the mode
STEPS = (1.0, 0.5, 0.2, 0.05, 0.01)
SPREADS = (0.1, 0.2, 0.35, 0.5, 0.7, 1.0)  # grid of s, under a half-normal(0.7) prior


@dataclass(frozen=True, slots=True)
class Counts:
    """A history as counts: wins by channel, arrival and day won; open leads by channel and arrival.

    ``pace`` holds the working clock's seven factors from Monday on, averaging 1.
    """

    days: int
    start_weekday: int
    channels: int
    win_channel: NDArray[np.int64]
    win_arrived: NDArray[np.int64]
    win_day: NDArray[np.int64]
    open_channel: NDArray[np.int64]
    open_arrived: NDArray[np.int64]
    open_n: Array
    pace: Array
    rough_median: float

    @property
    def wins(self) -> int:
        """How many wins."""
        return len(self.win_day)


def count(history: History) -> Counts:
    """The history as counts, with the working clock read off the weekdays of the wins."""
    won = history.won >= 0
    key = history.channel[~won] * history.days + history.arrived[~won]
    unique, n = np.unique(key, return_counts=True)
    delay = history.won[won] - history.arrived[won]
    weekday = history.start.weekday()
    return Counts(
        days=history.days,
        start_weekday=weekday,
        channels=len(history.channels),
        win_channel=history.channel[won],
        win_arrived=history.arrived[won],
        win_day=history.won[won],
        open_channel=unique // history.days,
        open_arrived=unique % history.days,
        open_n=n.astype(float),
        pace=weekday_factors(history.won[won], weekday, history.days),
        rough_median=float(np.median(delay)) + 0.5,
    )


def weekday_factors(events: NDArray[np.int64], start_weekday: int, days: int) -> Array:
    """Events by weekday over their mean, from Monday on; all 1 where no difference is evident.

    Evident: chi-square test below 1%. One pseudo-event a week's worth keeps factors above 0.
    """
    seen = np.bincount((np.arange(days) + start_weekday) % 7, minlength=7).astype(float)
    got = np.bincount((events + start_weekday) % 7, minlength=7).astype(float)
    expected = got.sum() * seen / seen.sum()
    if days < 14 or stats.chisquare(got, expected).pvalue > 0.01:
        return np.ones(7)
    rate = (got + 1 / 7) / seen
    return np.asarray(rate / rate.mean())


def clock(
    counts: Counts, until: int, slope: Array | float = 0.0, beyond: Array | float = 0.0
) -> Array:
    """The working clock L at the start of days 0 .. until; shape (..., until + 1).

    The pace is 1 (averaged over a week) at the end of the history, exp(slope (t - end)/28) before
    and exp(beyond (t - end)/28) after.
    """
    day = np.arange(until)
    base = counts.pace[(day + counts.start_weekday) % 7]
    gap = (day + 0.5 - counts.days) / PER
    slope, beyond = np.asarray(slope)[..., None], np.asarray(beyond)[..., None]
    rate = base * np.exp(np.where(gap < 0, slope, beyond) * gap)
    zero = np.zeros((*rate.shape[:-1], 1))
    return np.concatenate([zero, np.cumsum(rate, axis=-1)], axis=-1)


@dataclass(frozen=True, slots=True)
class CureFit:
    """One model at its posterior mode: parameters (logits by channel, mu, law, drift if any)."""

    law: DelayLaw
    drift: Drift
    spread: float
    mode: Array
    covariance: Array
    log_evidence: float
    log_likelihood: float
    channels: int

    def split(self, x: Array) -> tuple[Array, Array, Array]:
        """Parameter vectors (..., n) as logits (..., K), theta (size, ...), drift (...)."""
        k = self.channels
        theta = np.moveaxis(x[..., k + 1 : k + 1 + self.law.size], -1, 0)
        drift = x[..., -1] if self.drift != "none" else np.zeros(x.shape[:-1])
        return x[..., :k], theta, drift

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Draws (n, parameters) from the Gaussian approximation of the posterior."""
        root = linalg.cholesky(self.covariance, lower=True)
        return np.asarray(self.mode + rng.standard_normal((n, len(self.mode))) @ root.T)


class _Target:
    """Minus the log posterior of one model, with its gradient."""

    def __init__(self, counts: Counts, law: DelayLaw, drift: Drift, spread: float) -> None:
        self.c, self.law, self.drift, self.spread = counts, law, drift, spread
        self.k = counts.channels
        self.n = self.k + 1 + law.size + (drift != "none")
        pair = counts.win_arrived * (counts.days + 1) + counts.win_day
        unique, n = np.unique(pair, return_counts=True)
        self.pair_a, self.pair_w = unique // (counts.days + 1), unique % (counts.days + 1)
        self.pair_n = n.astype(float)
        self.fixed_clock = clock(counts, counts.days)
        if drift != "pace":  # many pairs are then alike: the same weekday, the same age
            ends = np.round(self._ends(self.fixed_clock), 9)
            _, at, to = np.unique(ends, axis=1, return_index=True, return_inverse=True)
            self.pair_n = np.bincount(to.ravel(), self.pair_n)
            self.pair_a, self.pair_w = self.pair_a[at], self.pair_w[at]
        cell = counts.win_channel * counts.days + counts.win_arrived
        cells, n = np.unique(cell, return_counts=True)
        self.win_channel, self.win_n = cells // counts.days, n.astype(float)
        self.arrivals, self.open_index = np.unique(counts.open_arrived, return_inverse=True)
        self.win_age = (cells % counts.days - counts.days) / PER
        self.open_age = (counts.open_arrived - counts.days) / PER
        self.centre, self.sd = law.prior(counts.rough_median)

    def _ends(self, at: Array) -> Array:
        """Working time from arrival to the end and to the start of the day won."""
        born = at[self.pair_a]
        return np.stack([at[self.pair_w + 1] - born, at[self.pair_w] - born])

    def start(self) -> Array:
        rate = np.clip(1.3 * self.c.wins / (self.c.wins + self.c.open_n.sum()), 0.01, 0.9)
        logit = float(special.logit(rate))
        return np.concatenate(
            [np.full(self.k + 1, logit), self.centre, np.zeros(int(self.drift != "none"))]
        )

    def _delays(self, x: Array) -> tuple[float, Array]:
        """Log likelihood of the delays won, and F at the end for each arrival day still open."""
        theta = np.clip(x[self.k + 1 : self.k + 1 + self.law.size], -20, 20)
        at = self.fixed_clock
        if self.drift == "pace":
            at = clock(self.c, self.c.days, float(x[-1]))
        n = len(self.pair_a)
        all_ = self.law.cdf(
            np.concatenate([*self._ends(at), at[self.c.days] - at[self.arrivals]]), theta
        )
        mass, seen = all_[:n] - all_[n : 2 * n], all_[2 * n :]
        return float(self.pair_n @ np.log(np.maximum(mass, 1e-300))), seen

    def likelihood(self, x: Array) -> float:
        lead = float(x[-1]) if self.drift == "odds" else 0.0
        delays, seen = self._delays(x)
        won = self.win_n @ special.log_expit(x[self.win_channel] + lead * self.win_age)
        p = special.expit(x[self.c.open_channel] + lead * self.open_age)
        return float(won + delays + self.c.open_n @ np.log1p(-p * seen[self.open_index]))

    def __call__(self, x: Array) -> tuple[float, Array]:
        k = self.k
        lead = float(x[-1]) if self.drift == "odds" else 0.0
        delays, seen = self._delays(x)
        won_logit = x[self.win_channel] + lead * self.win_age
        p = special.expit(x[self.c.open_channel] + lead * self.open_age)
        f = seen[self.open_index]
        gap = 1 - p * f
        open_d = -self.c.open_n * f * p * (1 - p) / gap
        won_d = self.win_n * special.expit(-won_logit)
        value = self.win_n @ special.log_expit(won_logit) + delays + self.c.open_n @ np.log(gap)
        grad = np.zeros(self.n)
        grad[:k] = np.bincount(self.win_channel, won_d, k)
        grad[:k] += np.bincount(self.c.open_channel, open_d, k)
        if self.drift == "odds":
            grad[-1] = won_d @ self.win_age + open_d @ self.open_age
        weight = -self.c.open_n * p / gap
        by_day = np.bincount(self.open_index, weight, len(seen))
        last = self.n if self.drift == "pace" else k + 1 + self.law.size
        for j in range(k + 1, last):
            step = np.zeros(self.n)
            step[j] = 1e-4
            up, seen_up = self._delays(x + step)
            down, seen_down = self._delays(x - step)
            grad[j] = (up - down + by_day @ (seen_up - seen_down)) / 2e-4
        # priors
        off = (x[:k] - x[k]) / self.spread
        mu = (x[k] - MU_PRIOR[0]) / MU_PRIOR[1]
        theta = (x[k + 1 : k + 1 + self.law.size] - self.centre) / self.sd
        value -= (off @ off + mu * mu + theta @ theta) / 2
        grad[:k] -= off / self.spread
        grad[k] += off.sum() / self.spread - mu / MU_PRIOR[1]
        grad[k + 1 : k + 1 + self.law.size] -= theta / self.sd
        if self.drift != "none":
            value -= (x[-1] / DRIFT_SD) ** 2 / 2
            grad[-1] -= x[-1] / DRIFT_SD**2
        return -float(value), -grad

    def log_prior_scale(self) -> float:
        """Log of the priors' normalising constants, which the evidence needs."""
        scales = [np.log(self.spread)] * self.k + [np.log(MU_PRIOR[1]), *np.log(self.sd)]
        if self.drift != "none":
            scales.append(np.log(DRIFT_SD))
        return -float(np.sum(scales)) - self.n / 2 * float(np.log(2 * np.pi))


def fit_one(
    counts: Counts, law: DelayLaw, drift: Drift, spread: float, start: Array | None = None
) -> CureFit:
    """One model at its posterior mode. Raises DataError where the search does not settle."""
    target = _Target(counts, law, drift, spread)
    x0 = target.start() if start is None or len(start) != target.n else start
    x = optimize.minimize(target, x0, jac=True, method="BFGS", options={"gtol": 1e-3}).x
    for _ in range(NEWTON):
        value, slope = target(x)
        values, vectors = linalg.eigh(_hessian(target, x))
        values = np.maximum(values, 1e-2)  # no direction vaguer than a standard deviation of 10
        move = -(vectors / values) @ (vectors.T @ slope)
        move = move * min(1.0, 1.0 / np.abs(move).max())  # no leaps into where exp overflows
        # settled: the mode is within a hundredth of a standard error
        if -slope @ move < 1e-4:
            break
        x = x + move * next((t for t in STEPS if target(x + t * move)[0] < value), 0.0)
    else:
        raise DataError(
            f"the {law} law of days to won could not be fitted to {counts.wins} wins. "
            "Give a longer period"
        )
    evidence = -value + target.log_prior_scale()
    evidence += target.n / 2 * float(np.log(2 * np.pi)) - float(np.log(values).sum()) / 2
    return CureFit(
        law=law,
        drift=drift,
        spread=spread,
        mode=x,
        covariance=(vectors / values) @ vectors.T,
        log_evidence=evidence,
        log_likelihood=target.likelihood(x),
        channels=counts.channels,
    )


def _hessian(target: _Target, x: Array) -> Array:
    rows = np.empty((target.n, target.n))
    for j in range(target.n):
        step = np.zeros(target.n)
        step[j] = 1e-3
        rows[j] = (target(x + step)[1] - target(x - step)[1]) / 2e-3
    return (rows + rows.T) / 2


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Models with their weights (evidence over the sum of evidences), best first."""

    fits: tuple[CureFit, ...]
    weights: Array

    @property
    def best(self) -> CureFit:
        """The model of the greatest weight."""
        return self.fits[0]

    def draw(self, n: int, rng: np.random.Generator) -> list[tuple[CureFit, Array]]:
        """Parameter draws, n in all, shared out over the models by weight."""
        shares = rng.multinomial(n, self.weights)
        return [(f, f.draw(int(m), rng)) for f, m in zip(self.fits, shares, strict=True) if m]


def fit_cure(
    counts: Counts, laws: Sequence[DelayLaw] = LAWS, drifts: Sequence[Drift] = DRIFTS
) -> Ensemble:
    """Fit the laws, the pooling and the kinds of drift; weigh them by their evidence."""
    first, reason = [], None
    for law in laws:
        try:
            first.append(fit_one(counts, law, "none", 0.5))
        except DataError as err:
            reason = err
    if not first:
        raise reason or DataError("no law of days to won to fit")
    best = max(first, key=lambda f: f.log_evidence)
    spread = 0.5 if counts.channels < 3 else _spread(counts, best)
    fits: list[CureFit] = []
    for seed in first:
        if seed.log_evidence < best.log_evidence - 6:
            continue
        for drift in drifts:
            extra = [] if drift == "none" else [0.0]
            # a model that does not settle is one that the data cannot tell: it gets no weight
            with contextlib.suppress(DataError):
                fits.append(fit_one(counts, seed.law, drift, spread, np.r_[seed.mode, extra]))
    fits = fits or [best]
    fits.sort(key=lambda f: -f.log_evidence)
    fits = [f for f in fits if f.log_evidence > fits[0].log_evidence - 5]
    weights = special.softmax(np.array([f.log_evidence for f in fits]))
    return Ensemble(tuple(fits), np.asarray(weights))


def _spread(counts: Counts, seed: CureFit) -> float:
    """How much channels differ: s of the greatest evidence on the grid."""
    scores = np.full(len(SPREADS), -np.inf)
    for i, s in enumerate(SPREADS):
        with contextlib.suppress(DataError):
            fit = fit_one(counts, seed.law, seed.drift, s, seed.mode)
            scores[i] = fit.log_evidence - (s / 0.7) ** 2 / 2
    return SPREADS[int(np.argmax(scores))]
