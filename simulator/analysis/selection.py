"""Ranking and selection by KN (Kim & Nelson 2001): the best of several, with a stated guarantee.

With normal outcomes, and also under common random numbers, the system chosen is the best with
probability 1 - alpha wherever the best is ahead of the next by the indifference zone or more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.estimate import number

Floats = NDArray[np.float64]
Draw = Callable[[int, tuple[int, ...]], Floats]
"""Replication r of the systems named, in their order."""


def constants(k: int, first: int, alpha: float) -> tuple[float, float]:
    """The eta and h squared of KN for k systems and a first stage of `first` replications."""
    eta = 0.5 * ((2.0 * alpha / (k - 1)) ** (-2.0 / (first - 1)) - 1.0)
    return eta, 2.0 * eta * (first - 1)


@dataclass(frozen=True)
class Selected:
    """Who is left, best first, and after how many replications.

    sure: one is left, so the guarantee holds; runs: replications of all systems together.
    """

    left: tuple[int, ...]
    means: tuple[float, ...]
    replications: int
    runs: int
    sure: bool
    alpha: float
    zone: float

    @property
    def best(self) -> int:
        """The one with the best mean of those left."""
        return self.left[0]

    def to_json(self) -> dict[str, Any]:
        """The guarantee and what it took."""
        return {
            "method": "KN under common random numbers",
            "probability": 1.0 - self.alpha,
            "indifference_zone": number(self.zone),
            "guaranteed": self.sure,
            "left": len(self.left),
            "replications": self.replications,
            "runs": self.runs,
        }


def select(
    draw: Draw, k: int, zone: float, *, alpha: float = 0.05, first: int = 10, most: int = 10_000
) -> Selected:
    """The system with the largest mean of k.

    zone: the least difference worth detecting. Stops at `most` replications with those left.
    """
    if k == 1:
        one = draw(0, (0,))
        return Selected((0,), (float(one[0]),), 1, 1, True, alpha, zone)
    _, h2 = constants(k, first, alpha)
    left = tuple(range(k))
    rows = np.array([draw(r, left) for r in range(first)])
    runs = first * k
    apart = rows[:, :, None] - rows[:, None, :]
    variance = apart.var(axis=0, ddof=1)
    total = rows.sum(axis=0)
    r = first
    while True:
        kept = []
        for i in left:
            width = [
                max(0.0, zone / (2.0 * r) * (h2 * variance[i, j] / zone**2 - r))
                for j in left
                if j != i
            ]
            others = [total[j] / r for j in left if j != i]
            if all(total[i] / r >= o - w for o, w in zip(others, width, strict=True)):
                kept.append(i)
        # Exact ties stay together for ever; the first of them is as good as any.
        left = tuple(kept) or (max(left, key=lambda i: total[i]),)
        if len(left) == 1 or r >= most:
            break
        fresh = draw(r, left)
        for i, value in zip(left, fresh, strict=True):
            total[i] += value
        runs += len(left)
        r += 1
    ranked = tuple(sorted(left, key=lambda i: -total[i]))
    means = tuple(float(total[i] / r) for i in ranked)
    return Selected(ranked, means, r, runs, len(left) == 1, alpha, zone)
