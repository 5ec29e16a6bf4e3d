"""Designs: the points that a sweep takes along its axes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.sweep.points import Axis

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Layout:
    """Axes of one kind and how points are laid over them. rows: of a file, (n, axes)."""

    axes: tuple[Axis, ...] = ()
    design: str = "grid"
    points: int = 0
    seed: int = 1
    rows: tuple[tuple[float, ...], ...] = ()

    @property
    def size(self) -> int:
        """How many points there are, without making them."""
        if not self.axes:
            return 1
        if self.design == "csv":
            return len(self.rows)
        if self.design in ("latin-hypercube", "sobol"):
            return self.points
        if self.design == "grid":
            return math.prod(len(levels(axis)) for axis in self.axes)
        return len(one_at_a_time(self.axes))

    @property
    def sampled(self) -> bool:
        """Whether the points stand for a whole that they are drawn from."""
        return self.design in ("latin-hypercube", "sobol")


def levels(axis: Axis) -> tuple[float, ...]:
    """The values that a grid takes of an axis: those listed, the steps, or both ends."""
    if axis.levels is not None:
        return axis.levels
    steps = axis.steps or 2
    if axis.log:
        inner = np.geomspace(axis.low, axis.high, steps).tolist()
    else:
        inner = np.linspace(axis.low, axis.high, steps).tolist()
    return (axis.low, *inner[1:-1], axis.high)


def one_at_a_time(axes: Sequence[Axis]) -> list[tuple[float, ...]]:
    """The scenario as it is, then each axis at each of its values, the others as they are."""
    base = tuple(axis.neutral() for axis in axes)
    rows = [base]
    for i, axis in enumerate(axes):
        for value in levels(axis):
            row = (*base[:i], value, *base[i + 1 :])
            if row != base:
                rows.append(row)
    return rows


def lay(layout: Layout) -> Floats:
    """The points of a layout, (n, axes), in their order; (1, 0) without axes."""
    axes = layout.axes
    if not axes:
        return np.zeros((1, 0))
    if layout.design == "csv":
        return np.array(layout.rows, dtype=np.float64).reshape(-1, len(axes))
    if layout.design == "one-at-a-time":
        return np.array(one_at_a_time(axes))
    if layout.design == "grid":
        grid = np.meshgrid(*(np.array(levels(axis)) for axis in axes), indexing="ij")
        return np.stack([g.ravel() for g in grid], axis=1)
    shares = _cube(layout)
    return np.stack([_between(axis, shares[:, i]) for i, axis in enumerate(axes)], axis=1)


def _cube(layout: Layout) -> Floats:
    """Points of the unit cube. The first n of a Sobol sequence are the same for every length."""
    from scipy.stats import qmc

    engine: Any = qmc.Sobol if layout.design == "sobol" else qmc.LatinHypercube
    random = np.random.default_rng(layout.seed)
    try:
        sampler = engine(d=len(layout.axes), rng=random)
    except TypeError:  # scipy before 1.15
        sampler = engine(d=len(layout.axes), seed=random)
    with warnings.catch_warnings():
        # Balance at powers of two only: said by `notes`.
        warnings.filterwarnings("ignore", message="The balance properties", category=UserWarning)
        return np.asarray(sampler.random(layout.points), dtype=np.float64)


def _between(axis: Axis, share: Floats) -> Floats:
    """Values of an axis at shares of its range; of a list, each for as much of the range."""
    if axis.levels is not None:
        index = np.minimum((share * len(axis.levels)).astype(np.int64), len(axis.levels) - 1)
        return np.array(axis.levels)[index]
    if axis.log:
        return np.asarray(axis.low * (axis.high / axis.low) ** share)
    return np.asarray(axis.low + (axis.high - axis.low) * share)


def notes(layout: Layout) -> list[str]:
    """What a reader of the results should know of a layout."""
    n = layout.points
    if layout.design == "sobol" and n & (n - 1):
        near = 1 << round(math.log2(n))
        return [f"a Sobol design is balanced at powers of two: {near} points rather than {n}"]
    return []
