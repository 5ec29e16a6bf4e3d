"""Laws of the time from lead to win: distribution functions in free parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Array = NDArray[np.float64]
Name = Literal["lognormal", "gamma"]
FAST_MEAN = 0.5  # days: what "won on the spot" means


@dataclass(frozen=True, slots=True)
class DelayLaw:
    """A lognormal or gamma law of days, with or without a share won on the spot.

    Free parameters ``theta``: lognormal (ln sigma, ln median), gamma (ln shape, ln scale); with
    ``fast``, then also the logit of the share won on the spot (exponential, mean 0.5 days).
    """

    name: Name
    fast: bool = False

    @property
    def size(self) -> int:
        """How many free parameters."""
        return 3 if self.fast else 2

    def __str__(self) -> str:
        return f"{self.name} with a share on the spot" if self.fast else self.name

    def start(self, median: float) -> Array:
        """Where a search begins, from a rough median in days."""
        level = np.log(max(median, 0.5))
        theta = [-0.1, level] if self.name == "lognormal" else [0.3, level]
        return np.array([*theta, -3.0] if self.fast else theta)

    def prior(self, median: float) -> tuple[Array, Array]:
        """Centre and standard deviation of the weak normal prior on theta."""
        sd = [0.7, 1.5, 1.5] if self.fast else [0.7, 1.5]
        return self.start(median), np.array(sd)

    def cdf(self, days: Array, theta: Array) -> Array:
        """P(delay <= days); theta has shape (size,) or (size, draws, 1)."""
        x = np.maximum(days, 0.0)
        if self.name == "lognormal":
            with np.errstate(divide="ignore"):
                main = special.ndtr((np.log(x) - theta[1]) / np.exp(theta[0]))
        else:
            main = special.gammainc(np.exp(theta[0]), x / np.exp(theta[1]))
        if not self.fast:
            return np.asarray(main)
        share = special.expit(theta[2])
        return np.asarray(share * -np.expm1(-x / FAST_MEAN) + (1 - share) * main)

    def mean_cv(self, theta: Array) -> tuple[Array, Array]:
        """Mean in days and coefficient of variation of the slow part."""
        if self.name == "lognormal":
            variance = np.exp(2 * theta[0])
            return np.exp(theta[1] + variance / 2), np.sqrt(np.expm1(variance))
        return np.exp(theta[0] + theta[1]), np.exp(-theta[0] / 2)

    def quantile(self, q: float, theta: Array) -> Array:
        """The q-quantile in days, the share on the spot included."""
        if self.name == "lognormal":
            main = np.exp(theta[1] + np.exp(theta[0]) * stats.norm.ppf(q))
        else:
            main = np.exp(theta[1]) * special.gammaincinv(np.exp(theta[0]), q)
        if not self.fast:
            return np.asarray(main)
        low, high = np.zeros_like(main), np.maximum(main, 1.0) * 4
        for _ in range(60):
            mid = (low + high) / 2
            below = self.cdf(mid, theta) < q
            low, high = np.where(below, mid, low), np.where(below, high, mid)
        return np.asarray((low + high) / 2)


LAWS = tuple(DelayLaw(n, f) for f in (False, True) for n in ("lognormal", "gamma"))
