"""Value of information: which assumption to measure first (EVPPI, Strong, Oakley & Brennan 2014).

With D the outcome of one choice less that of the other in a world, knowing assumption j beforehand
is worth E[max(0, E[D | x_j])] - max(0, E[D]). The inner expectation is a regression of D on x_j.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DEGREE = 3
RESAMPLES = 200


@dataclass(frozen=True)
class Worth:
    """What knowing one assumption is worth, in the outcome's unit; its 95% bootstrap interval.

    flips: share of worlds in which the choice would be the other one.
    """

    path: str
    value: float
    low: float
    high: float
    flips: float

    def to_json(self) -> dict[str, Any]:
        """Numbers by name."""
        return {
            "path": self.path,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "share_of_worlds_that_flip": self.flips,
        }


def _fitted(u: Floats, d: Floats, degree: int) -> Floats:
    """A polynomial's values; where u has few values of its own, the smallest that fits them."""
    columns = legendre.legvander(u, degree)
    found: Floats = columns @ np.linalg.lstsq(columns, d, rcond=None)[0]
    return found


def _degree(u: Floats, d: Floats) -> int:
    """The degree of a polynomial that chance does not explain, by Schwarz's criterion."""
    n = len(d)
    best, least = 0, np.inf
    for degree in range(DEGREE + 1):
        fitted = _fitted(u, d, degree)
        rss = max(float(((d - fitted) ** 2).sum()), 1e-300)
        score = n * np.log(rss / n) + (degree + 1) * np.log(n)
        if score < least - 1e-9:
            best, least = degree, score
    return best


def _value(u: Floats, d: Floats, degree: int) -> tuple[float, float]:
    fitted = _fitted(u, d, degree) if degree else np.full(len(d), d.mean())
    mean = float(d.mean())
    worth = max(0.0, float(np.maximum(fitted, 0.0).mean()) - max(0.0, mean))
    # What is left of a sum whose parts cancel is no worth.
    worth = worth if worth > 1e-9 * float(np.abs(d).mean()) else 0.0
    return worth, float(((fitted > 0) != (mean > 0)).mean())


def worths(paths: Sequence[str], points: Floats, d: Floats, seed: int = 1) -> list[Worth]:
    """Every assumption's worth, the largest first. points: (n, d) in the unit cube; d: (n,)."""
    rng = np.random.default_rng(seed)
    n = len(d)
    picks = [rng.integers(0, n, n) for _ in range(RESAMPLES)]
    found = []
    for j, path in enumerate(paths):
        u = 2.0 * points[:, j] - 1.0
        degree = _degree(u, d)
        worth, flips = _value(u, d, degree)
        if degree == 0:
            found.append(Worth(path, 0.0, 0.0, 0.0, 0.0))
            continue
        sample = [_value(u[p], d[p], degree)[0] for p in picks]
        low, high = np.quantile(sample, [0.025, 0.975])
        found.append(Worth(path, worth, float(low), float(high), flips))
    return sorted(found, key=lambda w: -w.value)


def everything(d: Floats) -> float:
    """What knowing all assumptions is worth, at the least. d: (n, replications), 2 or more.

    The choice is made by half of the runs and judged by the others, so luck is not taken for
    knowledge.
    """
    if d.shape[1] < 2:
        return 0.0
    a, b = d[:, 0], d[:, 1:].mean(axis=1)
    gain = 0.5 * float((b * (a > 0)).mean() + (a * (b > 0)).mean())
    return max(0.0, gain - max(0.0, float(d.mean())))
