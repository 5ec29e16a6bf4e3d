"""Scenario discovery by PRIM, the patient rule induction method (Friedman & Fisher 1999).

A box is peeled off the sides of all that was seen, a little at a time, where that leaves the most
cases of interest per point; then sides are pasted back where that helps. Restrictions that chance
may have made (quasi-p-value, Bryant & Lempert 2010) are dropped, and what is left is held against
halves of the sample that it was not made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
PEEL = 0.05
LEAST = 0.05  # of all points: a box holds no fewer
SIGNIFICANT = 0.05
HALVES = 20
REPRODUCED = 0.5  # of the halves: a restriction seen in fewer is doubtful


@dataclass(frozen=True)
class Limit:
    """One side or both of a box. p: quasi-p-value; again: share of halves that restrict it too."""

    index: int
    low: float | None
    high: float | None
    p: float
    again: float


@dataclass(frozen=True)
class Box:
    """Where cases of interest are. coverage: of all cases; density: of the points inside.

    mass: share of all points inside; tested: (coverage, density) on the halves not used.
    """

    limits: tuple[Limit, ...]
    coverage: float
    density: float
    mass: float
    tested: tuple[float, float]

    def inside(self, x: Floats) -> Flags:
        """Which points lie in it."""
        found = np.ones(len(x), dtype=bool)
        for one in self.limits:
            if one.low is not None:
                found &= x[:, one.index] >= one.low
            if one.high is not None:
                found &= x[:, one.index] <= one.high
        return found

    def to_json(self, names: Sequence[str]) -> dict[str, Any]:
        """Limits by name, coverage, density."""
        return {
            "limits": [
                {
                    "path": names[one.index],
                    "low": one.low,
                    "high": one.high,
                    "quasi_p": one.p,
                    "reproduced_in_halves": one.again,
                }
                for one in self.limits
            ],
            "coverage": self.coverage,
            "density": self.density,
            "mass": self.mass,
            "coverage_on_other_halves": self.tested[0],
            "density_on_other_halves": self.tested[1],
        }


Sides = tuple[Floats, Floats]  # low and high by dimension, infinite where free


def _inside(x: Floats, sides: Sides) -> Flags:
    return np.asarray(((x >= sides[0]) & (x <= sides[1])).all(axis=1), dtype=np.bool_)


def trajectory(x: Floats, y: Flags, peel: float = PEEL, least: float = LEAST) -> list[Sides]:
    """Boxes from all points to the smallest, each a peel smaller; the last pasted."""
    n, d = x.shape
    sides: Sides = (np.full(d, -np.inf), np.full(d, np.inf))
    found = [sides]
    inside = np.ones(n, dtype=bool)
    while True:
        here, hits = x[inside], y[inside]
        if hits.all() or not hits.any():
            break
        best = _peel(here, hits.astype(np.float64), peel, least * n)
        if best is None:
            break
        low, high = sides[0].copy(), sides[1].copy()
        (low if best[1] else high)[best[0]] = best[2]
        sides = (low, high)
        inside = _inside(x, sides)
        found.append(sides)
    found.append(_paste(x, y, sides, peel))
    return found


def _peel(here: Floats, hits: Floats, peel: float, least: float) -> tuple[int, bool, float] | None:
    """The peel that leaves the highest share of cases: (dimension, whether below, new limit)."""
    count = len(here)
    edges = np.quantile(here, [peel, 1 - peel], axis=0)
    best: tuple[float, float] | None = None
    found: tuple[int, bool, float] | None = None
    for lower in (True, False):
        edge = edges[0] if lower else edges[1]
        kept: Flags = np.asarray(here > edge if lower else here < edge, dtype=np.bool_)
        left = kept.sum(axis=0)
        # Of values that repeat a peel takes no more than there are.
        stuck = (left == 0) | (left == count)
        if stuck.any():
            loose = np.greater_equal(here, edge) if lower else np.less_equal(here, edge)
            kept = np.asarray(np.where(stuck, loose, kept), dtype=np.bool_)
            left = kept.sum(axis=0)
        good = (left < count) & (left >= least)
        if not good.any():
            continue
        mean = np.where(good, (hits @ kept) / np.maximum(left, 1), -1.0)
        top = np.flatnonzero(mean == mean.max())
        k = int(top[np.argmax(left[top])])
        score = (float(mean[k]), float(left[k]))
        if best is None or score > best:
            column = here[kept[:, k], k]
            best = score
            found = k, lower, float(column.min() if lower else column.max())
    return found


def _paste(x: Floats, y: Flags, sides: Sides, peel: float) -> Sides:
    """Sides moved back out while that leaves a higher share of cases inside."""
    low, high = sides[0].copy(), sides[1].copy()
    while True:
        inside = _inside(x, (low, high))
        if not inside.any():
            return low, high
        mean, size = float(y[inside].mean()), int(inside.sum())
        step = max(1, round(peel * size))
        best: tuple[float, int, bool, float] | None = None
        for k in np.flatnonzero(np.isfinite(low) | np.isfinite(high)):
            for lower in (True, False):
                edge = low[k] if lower else high[k]
                if not np.isfinite(edge):
                    continue
                free = (low.copy(), high.copy())
                free[0 if lower else 1][k] = -np.inf if lower else np.inf
                outside = _inside(x, free) & ~inside
                values = np.sort(x[outside, k])
                if not len(values):
                    continue
                limit = float(values[-min(step, len(values))] if lower
                              else values[min(step, len(values)) - 1])  # fmt: skip
                trial = (low.copy(), high.copy())
                trial[0 if lower else 1][k] = limit
                after = float(y[_inside(x, trial)].mean())
                if after > mean and (best is None or after > best[0]):
                    best = (after, int(k), lower, limit)
        if best is None:
            return low, high
        (low if best[2] else high)[best[1]] = best[3]


def scores(x: Floats, y: Flags, sides: Sides) -> tuple[float, float]:
    """Coverage and density of a box."""
    inside = _inside(x, sides)
    hits = float(y[inside].sum())
    return hits / max(1.0, float(y.sum())), hits / max(1.0, float(inside.sum()))


def _best(x: Floats, y: Flags) -> Sides:
    """The box of the trajectory with the best balance of coverage and density."""
    path = trajectory(x, y)

    def balance(sides: Sides) -> float:
        coverage, density = scores(x, y, sides)
        # F of beta one half: density counts twice as much, as a box is read as a rule.
        both = 0.25 * density + coverage
        return 1.25 * coverage * density / both if both > 0 else 0.0

    # A little balance is given up for a box that is denser still.
    top = max(balance(s) for s in path)
    good = [s for s in path if balance(s) >= top - 0.02]
    return _significant(x, y, max(good, key=lambda s: scores(x, y, s)[1]))


def quasi_p(x: Floats, y: Flags, sides: Sides, k: int, lower: bool) -> float:
    """How likely chance alone makes a side this good: binomial, against the box without it."""
    low, high = sides[0].copy(), sides[1].copy()
    (low if lower else high)[k] = -np.inf if lower else np.inf
    wide, tight = _inside(x, (low, high)), _inside(x, sides)
    if wide.sum() == tight.sum():
        return 1.0
    hits, count = int(y[tight].sum()), int(tight.sum())
    return float(bdtrc(hits - 1, count, float(y[wide].mean()))) if hits > 0 else 1.0


def _significant(x: Floats, y: Flags, sides: Sides) -> Sides:
    """The box without the sides that chance may have made, the worst first."""
    low, high = sides[0].copy(), sides[1].copy()
    while True:
        worst: tuple[float, int, bool] | None = None
        for k in range(x.shape[1]):
            for lower in (True, False):
                if np.isfinite(low[k] if lower else high[k]):
                    p = quasi_p(x, y, (low, high), k, lower)
                    if p > SIGNIFICANT and (worst is None or p > worst[0]):
                        worst = (p, k, lower)
        if worst is None:
            return low, high
        (low if worst[2] else high)[worst[1]] = -np.inf if worst[2] else np.inf


def _box(x: Floats, y: Flags, seed: int) -> Box | None:
    sides = _best(x, y)
    low, high = sides
    restricted = [int(k) for k in np.flatnonzero(np.isfinite(low) | np.isfinite(high))]
    if not restricted:
        return None
    rng = np.random.default_rng(seed)
    again = dict.fromkeys(restricted, 0)
    tested = []
    for _ in range(HALVES):
        order = rng.permutation(len(x))
        half, other = order[: len(x) // 2], order[len(x) // 2 :]
        if not y[half].any() or not y[other].any():
            continue
        found = _best(x[half], y[half])
        for k in restricted:
            again[k] += bool(np.isfinite(found[0][k]) or np.isfinite(found[1][k]))
        if np.isfinite(found[0]).any() or np.isfinite(found[1]).any():
            tested.append(scores(x[other], y[other], found))
    coverage, density = scores(x, y, sides)
    limits = []
    for k in restricted:
        ps = [
            quasi_p(x, y, sides, k, lower)
            for lower in (True, False)
            if np.isfinite(low[k] if lower else high[k])
        ]
        limits.append(
            Limit(
                k,
                float(low[k]) if np.isfinite(low[k]) else None,
                float(high[k]) if np.isfinite(high[k]) else None,
                max(ps),
                again[k] / HALVES,
            )
        )
    # What matters most is said first.
    limits.sort(key=lambda one: (one.p, one.index))
    check = tuple(np.mean(tested, axis=0)) if tested else (0.0, 0.0)
    return Box(
        tuple(limits), coverage, density, float(_inside(x, sides).mean()),
        (float(check[0]), float(check[1])),
    )  # fmt: skip


def discover(x: Floats, y: Flags, *, most: int = 3, seed: int = 1) -> list[Box]:
    """Boxes that hold the cases of interest, the first the best; each next from what is left.

    x: (n, d); y: (n,), true for cases of interest. Coverage is of all cases; density within.
    """
    y = np.asarray(y, dtype=bool)
    found: list[Box] = []
    left = np.ones(len(y), dtype=bool)
    for turn in range(most):
        if y[left].sum() < max(10.0, 0.1 * float(y.sum())) or y[left].all():
            break
        box = _box(x[left], y[left], seed + turn)
        if box is None:
            break
        inside = box.inside(x) & left
        hits = float(y[inside].sum())
        # A box no denser than what there is anyway says nothing.
        if hits / max(1.0, float(inside.sum())) < 1.2 * float(y.mean()) and turn > 0:
            break
        found.append(
            Box(box.limits, hits / float(y.sum()), hits / max(1.0, float(inside.sum())),
                float(inside.mean()), box.tested)
        )  # fmt: skip
        left &= ~inside
    return found
