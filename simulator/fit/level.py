"""A level that wanders: what a series of counts is at now, and how sure that is.

The log of counts is a mean plus an autoregression of order one, or a random walk, seen with noise
(Harvey, Forecasting, Structural Time Series Models and the Kalman Filter, 1989, sections 2 and 3),
by the Kalman filter. How much it wanders, for how long, and the noise are not estimated as points:
a few weeks tell little of them. They are drawn from their posterior on a grid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
WANDER = 0.15  # sd of a log level after four weeks, where the data say nothing: markets move
PRIOR_WEIGHT = 1.0  # how far the log of that sd may be off, in standard deviations of a normal law
PERSISTENCE = np.array([0.5, 0.8, 0.95, 1.0])  # of what it wandered by, a week; 1: it never returns
MEAN_SD = 0.05  # how far a fitted model's mean log factor may be off
FACTORS = np.exp(np.linspace(-2.0, 2.0, 9))  # of the grids of wander and noise
ODD = 0.02  # chance beforehand that a period is odd: a holiday, an outage, a fair
ODD_NOISE = 100.0  # times the variance of the noise that an odd period has
SUSPECT = 1.5  # standard deviations off what was foretold, from which a period may be odd


@dataclass(frozen=True, slots=True)
class Level:
    """A log level after the last period, by cell of the grid (C,), with the cells' weights.

    The level is a mean plus what it has wandered by: mean, off: their estimates; var_mean, var_off
    and cov: of their errors. persistence; step: variance that a period adds; noise: variance of a
    period's log count around the level, over one period of weight 1.
    """

    weight: Array
    persistence: Array
    step: Array
    noise: Array
    mean: Array
    off: Array
    var_mean: Array
    var_off: Array
    cov: Array

    @property
    def log(self) -> float:
        """The log level now."""
        return float(self.weight @ (self.mean + self.off))

    @property
    def variance(self) -> float:
        """Of the log level now, between the cells as well as inside them."""
        inside = self.var_mean + self.var_off + 2 * self.cov
        between = (self.mean + self.off - self.log) ** 2
        return float(self.weight @ (inside + between))

    @property
    def value(self) -> float:
        """The level."""
        return float(np.exp(self.log))

    @property
    def se(self) -> float:
        """Its standard error."""
        return self.value * float(np.sqrt(self.variance))

    @property
    def around_one(self) -> Level:
        """As unsure and as noisy, around a factor of 1 now."""
        none = np.zeros(len(self.weight))
        return replace(self, mean=none, off=none)

    def draw(
        self, rng: np.random.Generator, draws: int, periods: int, *, noisy: float | Array = 0.0
    ) -> Array:
        """Levels of the periods to come, (draws, periods); each draw is a path.

        noisy: 1: times what each period varies by around the level, chance left out; a part of a
        period varies by more, its inverse.
        """
        c = rng.choice(len(self.weight), size=draws, p=self.weight)
        keep = self.persistence[c]
        mean = self.mean[c] + np.sqrt(self.var_mean[c]) * rng.standard_normal(draws)
        slope = self.cov[c] / self.var_mean[c]
        left = np.maximum(self.var_off[c] - slope * self.cov[c], 0.0)
        off = self.off[c] + slope * (mean - self.mean[c])
        off = off + np.sqrt(left) * rng.standard_normal(draws)
        # the mean of the draws is the level, not above it
        variances = self.var_mean[c], self.var_off[c], self.cov[c]
        part = np.broadcast_to(np.asarray(noisy, dtype=float), (periods,))
        out = np.empty((draws, periods))
        for k in range(periods):
            off = keep * off + np.sqrt(self.step[c]) * rng.standard_normal(draws)
            variances = variances[0], keep**2 * variances[1] + self.step[c], keep * variances[2]
            noise = self.noise[c] * part[k]
            own = np.sqrt(noise) * rng.standard_normal(draws)
            total = variances[0] + variances[1] + 2 * variances[2] + noise
            out[:, k] = mean + off + own - total / 2
        return np.asarray(np.exp(out))


def fit_level(
    counts: Array,
    weights: Array | None = None,
    *,
    chance: bool = True,
    noise_sd: float = WANDER / 2,
) -> Level:
    """Estimate from counts of periods, oldest first.

    weights: how much of each period was seen, 0 to about 1; counts are those seen. chance: counts
    vary as a Poisson law's, too. noise_sd: of a period's log count around the level, beforehand.
    A period that is more likely odd than not counts for less (West & Harrison, Bayesian Forecasting
    and Dynamic Models, 1997, section 12: mixtures of models).
    """
    weights = np.ones(len(counts)) if weights is None else weights
    y = np.log(np.maximum(counts + 0.5 * chance, 0.5) / np.maximum(weights, 1e-9))
    chances = None if chance else np.zeros(len(counts))
    seen = weights > 0
    start = float(np.average(y[seen], weights=weights[seen])) if seen.any() else 0.0
    times = np.ones(len(y))
    found, score, off = _filter(y, chances, weights, (start, 1.0), noise_sd, times)
    for k in np.flatnonzero(np.abs(off) > SUSPECT):
        odd = times.copy()
        odd[k] = ODD_NOISE
        other, likely, _ = _filter(y, chances, weights, (start, 1.0), noise_sd, odd)
        if likely - score > np.log((1 - ODD) / ODD):
            found, score, times = other, likely, odd
    return found


def fit_factor(counts: Array, expected: Array, *, noise_sd: float = WANDER / 2) -> Level:
    """The level of counts over what was expected of periods, oldest first.

    Over all periods it averages about 1, as a model fitted to the same counts makes it.
    """
    y = np.log((counts + 0.5) / (expected + 0.5))
    one = np.ones(len(y))
    return _filter(y, 1 / (expected + 0.5), one, (0.0, MEAN_SD**2), noise_sd, one)[0]


def _filter(
    y: Array,
    chances: Array | None,
    weights: Array,
    start: tuple[float, float],
    noise_sd: float,
    times: Array,
) -> tuple[Level, float, Array]:
    """Log counts with the variances of their chance, through the filters of all cells.

    chances: None: a Poisson law's at the level foretold. By the count itself a week that has few
    by chance would weigh less, and the level come out too high by one a week. times: of each
    period's noise variance. Also returns the log likelihood of all, and how many standard
    deviations each period is off what was foretold of it by the likeliest cell.
    """
    seen = weights > 0
    keep, wander, extra = (
        x.ravel()
        for x in np.meshgrid(PERSISTENCE, WANDER / 2 * FACTORS, noise_sd * FACTORS, indexing="ij")
    )
    step, noise = wander**2, extra**2
    score, off_by = np.zeros(len(keep)), np.zeros((len(y), len(keep)))
    for sd, usual in ((wander, WANDER / 2), (extra, noise_sd)):
        score -= 0.5 * (np.log(sd / usual) / PRIOR_WEIGHT) ** 2
    mean, off = np.full(len(keep), start[0]), np.zeros(len(keep))
    # a random walk begins at its mean, what returns to it anywhere that it may be
    var_mean, cov = np.full(len(keep), start[1]), np.zeros(len(keep))
    var_off = np.where(keep < 1, step / np.maximum(1 - keep**2, 1e-9), 0.0)
    for k in range(len(y)):
        if k:
            off, cov, var_off = keep * off, keep * cov, keep**2 * var_off + step
        if not seen[k]:
            continue
        foretold = 1 / np.maximum(np.exp(mean + off) * weights[k], 0.5)
        luck = foretold if chances is None else chances[k]
        total = var_mean + var_off + 2 * cov + luck + noise * times[k] / weights[k]
        error = y[k] - mean - off
        score -= 0.5 * (np.log(total) + error**2 / total)
        off_by[k] = error / np.sqrt(total)
        of_mean, of_off = var_mean + cov, var_off + cov
        mean, off = mean + of_mean / total * error, off + of_off / total * error
        var_mean, var_off, cov = (
            var_mean - of_mean**2 / total,
            var_off - of_off**2 / total,
            cov - of_mean * of_off / total,
        )
    weight = np.exp(score - score.max())
    found = Level(weight / weight.sum(), keep, step, noise, mean, off, var_mean, var_off, cov)
    return found, float(score.max() + np.log(weight.sum())), off_by[:, int(score.argmax())]
