"""Differences between two systems over paired replications."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from simulator.analysis.estimate import Estimate, number
from simulator.analysis.runs import interval

Floats = NDArray[np.float64]


def estimate(values: Floats) -> Estimate:
    """Mean and interval; exact values (an engine without chance) have a half-width of 0."""
    if len(values) == 1:
        return Estimate(float(values[0]), 0.0)
    return Estimate(float(np.mean(values)), interval(values))


@dataclass(frozen=True)
class Difference:
    """Second minus first, paired by replication.

    ratio: (var a + var b) / var(b - a), what common random numbers gained; p: two-sided, paired t.
    """

    gain: Estimate
    base: float
    ratio: float
    p: float

    @property
    def relative(self) -> Estimate:
        """The difference as a share of the first."""
        if not self.base:
            return Estimate(math.nan, math.nan)
        return Estimate(self.gain.mean / abs(self.base), self.gain.half / abs(self.base))

    def to_json(self) -> dict[str, Any]:
        """Everything, null where undefined."""
        return {
            **self.gain.to_json(),
            "relative": self.relative.to_json(),
            "variance_ratio": number(self.ratio),
            "p": number(self.p),
        }


def difference(a: Floats, b: Floats) -> Difference:
    """The paired difference b - a."""
    d = b - a
    n = len(d)
    base = float(np.mean(a))
    if n < 2:
        exact = float(d[0])
        return Difference(Estimate(exact, 0.0), base, math.nan, 0.0 if exact else 1.0)
    spread = float(d.var(ddof=1))
    apart = float(a.var(ddof=1) + b.var(ddof=1))
    if spread == 0.0:
        p = 1.0 if d[0] == 0.0 else 0.0
        return Difference(Estimate(float(d.mean()), 0.0), base, math.inf, p)
    t = float(d.mean()) / math.sqrt(spread / n)
    p = 2.0 * float(stdtr(n - 1, -abs(t)))
    return Difference(Estimate(float(d.mean()), interval(d)), base, apart / spread, p)


def holm(p: list[float]) -> list[float]:
    """p-values adjusted for several comparisons (Holm 1979)."""
    order = np.argsort(p)
    adjusted = [0.0] * len(p)
    worst = 0.0
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, (len(p) - rank) * p[i]))
        adjusted[int(i)] = worst
    return adjusted
