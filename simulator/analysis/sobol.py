"""Global sensitivity by SALib: Sobol indices (Saltelli 2010), Morris' elementary effects.

Where the function has chance in it, one more input, the luck of a run, is told apart: the rows of
a Saltelli sample that differ in one assumption share their luck, so that total indices have none
of it, and the second half of the sample has luck of its own, so that first indices have none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.estimate import number

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Function = Callable[[Floats, Ints], Floats]
"""Points in the unit cube (n, d) and the replication of each (n,) -> outcomes (n,)."""


@dataclass(frozen=True)
class Sobol:
    """First and total indices with 95% half-widths, as shares of the variance of all causes."""

    names: tuple[str, ...]
    first: Floats
    first_half: Floats
    total: Floats
    total_half: Floats
    mean: float
    variance: float
    runs: int

    def to_json(self) -> dict[str, Any]:
        """By name."""
        return {
            "mean": number(self.mean),
            "variance": number(self.variance),
            "runs": self.runs,
            "indices": {
                n: {
                    "first": number(self.first[i]),
                    "first_half": number(self.first_half[i]),
                    "total": number(self.total[i]),
                    "total_half": number(self.total_half[i]),
                }
                for i, n in enumerate(self.names)
            },
        }


def _problem(names: Sequence[str]) -> dict[str, Any]:
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def sobol(names: Sequence[str], function: Function, n: int, seed: int = 1) -> Sobol:
    """Indices from n * (d + 2) runs. n: a power of 2."""
    from SALib.analyze import sobol as analysis
    from SALib.sample import sobol as sampling

    problem, d = _problem(names), len(names)
    points = sampling.sample(problem, n, calc_second_order=False, seed=seed)
    row = np.arange(len(points))
    group, place = row // (d + 2), row % (d + 2)
    # In a group: A, d times A with one column of B, B.
    luck = np.where(place == d + 1, group + n, group)
    values = np.asarray(function(points, luck), dtype=np.float64)
    mean, spread = float(values.mean()), float(values.std())
    if not spread > 0:
        zero = np.zeros(d)
        return Sobol(tuple(names), zero, zero, zero, zero, mean, 0.0, len(points))
    found = analysis.analyze(
        problem, values, calc_second_order=False, seed=seed, print_to_console=False
    )
    both = values[(place == 0) | (place == d + 1)]
    return Sobol(
        tuple(names),
        np.asarray(found["S1"]), np.asarray(found["S1_conf"]),
        np.asarray(found["ST"]), np.asarray(found["ST_conf"]),
        mean, float(both.var()), len(points),
    )  # fmt: skip


@dataclass(frozen=True)
class Morris:
    """Elementary effects over the whole range: mean size, its half-width, mean, spread."""

    names: tuple[str, ...]
    size: Floats
    half: Floats
    mean: Floats
    spread: Floats
    runs: int

    def to_json(self) -> dict[str, Any]:
        """By name."""
        return {
            "runs": self.runs,
            "effects": {
                n: {
                    "mu_star": number(self.size[i]),
                    "mu_star_half": number(self.half[i]),
                    "mu": number(self.mean[i]),
                    "sigma": number(self.spread[i]),
                }
                for i, n in enumerate(self.names)
            },
        }


def morris(names: Sequence[str], function: Function, paths: int, seed: int = 1) -> Morris:
    """Elementary effects from `paths` * (d + 1) runs; each path has its own luck."""
    from SALib.analyze import morris as analysis
    from SALib.sample import morris as sampling

    problem, d = _problem(names), len(names)
    points = sampling.sample(problem, paths, num_levels=4, seed=seed)
    luck = np.arange(len(points)) // (d + 1)
    values = np.asarray(function(points, luck), dtype=np.float64)
    found = analysis.analyze(problem, points, values, num_levels=4, seed=seed)
    return Morris(
        tuple(names),
        np.asarray(found["mu_star"], dtype=np.float64),
        np.nan_to_num(np.asarray(found["mu_star_conf"], dtype=np.float64)),
        np.asarray(found["mu"], dtype=np.float64),
        np.asarray(found["sigma"], dtype=np.float64),
        len(points),
    )


@dataclass(frozen=True)
class Split:
    """Variance of an outcome over worlds, by cause. chance: of runs within a world; ignorance: of
    worlds' means. share: chance's part, with its 95% interval (bootstrap over worlds).
    """

    chance: float
    ignorance: float
    share: float
    low: float
    high: float
    worlds: int

    def to_json(self) -> dict[str, Any]:
        """Numbers by name."""
        return {
            "variance_from_chance": self.chance,
            "variance_from_ignorance": self.ignorance,
            "share_from_chance": number(self.share),
            "share_from_chance_low": number(self.low),
            "share_from_chance_high": number(self.high),
            "share_from_ignorance": number(1.0 - self.share),
            "worlds": self.worlds,
        }


def split(values: Floats, seed: int = 1) -> Split:
    """Tell chance from ignorance. values: (worlds, replications), one-way analysis of variance."""

    def parts(x: Floats) -> tuple[float, float]:
        within = float(x.var(axis=1, ddof=1).mean())
        between = float(x.mean(axis=1).var(ddof=1)) - within / x.shape[1]
        return within, max(0.0, between)

    chance, ignorance = parts(values)
    rng = np.random.default_rng(seed)
    n = len(values)
    shares = []
    for _ in range(400):
        a, b = parts(values[rng.integers(0, n, n)])
        shares.append(a / (a + b) if a + b > 0 else 0.0)
    low, high = np.quantile(shares, [0.025, 0.975])
    total = chance + ignorance
    share = chance / total if total > 0 else 0.0
    return Split(chance, ignorance, share, float(low), float(high), n)
