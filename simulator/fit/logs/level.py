"""A level that wanders: what a series of counts is at now, and how sure that is.

Local level model on the log of counts (a random walk seen with noise), by the Kalman filter;
Harvey, Forecasting, Structural Time Series Models and the Kalman Filter (1989), section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Array = NDArray[np.float64]
WANDER = 0.15  # sd of a log level after four weeks, where the data say nothing: markets move
PRIOR_WEIGHT = 1.0  # how far the log of that sd may be off, in standard deviations of a normal law


@dataclass(frozen=True, slots=True)
class Level:
    """The log level after the last period, its variance, and the variance that a period adds.

    noise: variance of a period's log count around the level, over one period of weight 1.
    """

    log: float
    variance: float
    step: float
    noise: float

    @property
    def value(self) -> float:
        """The level."""
        return float(np.exp(self.log))

    @property
    def se(self) -> float:
        """Its standard error."""
        return self.value * float(np.sqrt(self.variance))

    def draw(self, rng: np.random.Generator, draws: int, periods: int) -> Array:
        """Levels of the periods to come, (draws, periods); each draw is a path."""
        start = self.log + np.sqrt(self.variance) * rng.standard_normal((draws, 1))
        steps = np.sqrt(self.step) * rng.standard_normal((draws, periods))
        path = start + np.cumsum(steps, axis=1)
        # the mean of the draws is the level, not above it
        drift = (self.variance + self.step * np.arange(1, periods + 1)) / 2
        return np.asarray(np.exp(path - drift))


def fit_level(counts: Array, weights: Array | None = None, *, chance: bool = True) -> Level:
    """Fit to counts, oldest first; ``weights`` is the share of a period that each stands for.

    A period of weight 0 is one that was not seen. chance: counts vary as a Poisson law's, too.
    """
    weights = np.ones(len(counts)) if weights is None else weights
    seen = weights > 0
    y = np.log(np.maximum(counts + 0.5 * chance, 0.5) / np.maximum(weights, 1e-9))
    own = 1 / np.maximum(counts, 0.5) if chance else np.zeros(len(counts))  # Poisson, in logs

    def run(theta: Array) -> tuple[float, float, float]:
        step, extra = np.exp(2 * theta)
        at = float(np.average(y[seen], weights=weights[seen])) if seen.any() else 0.0
        variance, score = 1.0, 0.0
        for k in range(len(y)):
            variance += step
            if not seen[k]:
                continue
            noise = own[k] + extra / weights[k]
            total = variance + noise
            error = y[k] - at
            score += 0.5 * (np.log(total) + error**2 / total)
            gain = variance / total
            at, variance = at + gain * error, variance * (1 - gain)
        centre = np.log(np.array([WANDER / 2, WANDER / 2]))
        score += 0.5 * float((((theta - centre) / PRIOR_WEIGHT) ** 2).sum())
        return score, at, variance

    def score_of(theta: Array) -> float:
        return run(theta)[0]

    start: Array = np.log(np.array([WANDER / 2, WANDER / 2]))
    found = optimize.minimize(score_of, start, method="Nelder-Mead")
    _, at, variance = run(found.x)
    step, extra = np.exp(2 * found.x)
    return Level(float(at), float(variance), float(step), float(extra))
