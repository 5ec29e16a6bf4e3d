"""Levers on a clock: what every changeable number of a scenario is, at every time.

Between two breaks nothing that we control changes; a ramp is a staircase of weekly steps, each at
the ramp's value in the middle of the week. That makes a run's parameters a table, the same for
every engine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Problem, SpecError
from simulator.spec.paths import Leaf, leaves, match, operand, pattern_values, week_of
from simulator.spec.patterns import laid_out, week_edges
from simulator.spec.schema import Move, Scenario


@dataclass(frozen=True)
class Change:
    """One lever on one number: from `at` to `until`, growing over `over` weeks.

    intensity scales what it does: 0 nothing, 1 as written.
    """

    lever: int
    path: str
    verb: str
    amount: float
    at: float
    over: float
    until: float
    intensity: float = 1.0
    part: str = "levers"  # or shocks

    def progress(self, t: float) -> float:
        """How far the change has come at time t, 0 to its intensity."""
        if t < self.at or t >= self.until:
            return 0.0
        share = 1.0 if self.over <= 0 else min(1.0, (t - self.at) / self.over)
        return self.intensity * share

    def apply(self, value: float, t: float) -> float:
        """The number after this change, at time t."""
        f = self.progress(t)
        if self.verb == "set":
            return value + f * (self.amount - value)
        if self.verb == "scale":
            return value * (1.0 + f * (self.amount - 1.0))
        return value + f * self.amount


@dataclass(frozen=True)
class Calendar:
    """The changeable numbers of a scenario, by segment of time.

    edges: (B + 1,) weeks, from -warm_up to the horizon; values: path -> (B,).
    """

    edges: NDArray[np.float64]
    values: dict[str, NDArray[np.float64]]
    table: dict[str, Leaf]
    changes: tuple[Change, ...]

    @property
    def segments(self) -> int:
        """Number of segments B."""
        return len(self.edges) - 1

    def of(self, path: str) -> NDArray[np.float64]:
        """Values of a path by segment, (B,)."""
        found = self.values.get(path)
        if found is not None:
            return found
        return np.full(self.segments, self.table[path].value)


def changes_of(
    scenario: Scenario, table: dict[str, Leaf], intensity: float = 1.0
) -> tuple[Change, ...]:
    """Every shock and lever of a scenario, path by path; shocks come whole."""
    found: list[Change] = []
    parts: list[tuple[str, Sequence[Move], float]] = [
        ("shocks", scenario.shocks, 1.0),
        ("levers", scenario.levers, intensity),
    ]
    for part, moves, share in parts:
        for i, lever in enumerate(moves):
            at = week_of(lever.at, scenario.start)
            until = math.inf if lever.until is None else week_of(lever.until, scenario.start)
            for path in match(lever.path, table):
                by = operand(lever, table[path], scenario.currency)
                found.append(Change(i, path, lever.verb, by, at, lever.over, until, share, part))
    return tuple(found)


def calendar(scenario: Scenario, breaks: list[float], intensity: float = 1.0) -> Calendar:
    """Lay a scenario's patterns, shocks and levers out in time.

    Raises SpecError where one takes a number out of its bounds.
    """
    table = leaves(scenario)
    changes = changes_of(scenario, table, intensity)
    start, end = -scenario.warm_up, scenario.horizon
    edges = {start, end, 0.0, *breaks}
    for c in changes:
        edges.add(c.at)
        if c.until < end:
            edges.add(c.until)
        if c.over > 0:
            edges.update(c.at + k for k in range(1, math.ceil(c.over)))
            edges.add(c.at + c.over)
    for pattern in scenario.patterns:
        if match(pattern.path, table):
            edges.update(week_edges(pattern, scenario.start, start, end))
    ordered = np.array(sorted(e for e in edges if start <= e <= end))
    middle = 0.5 * (ordered[:-1] + ordered[1:])
    values = _weekly(scenario, table, ordered, middle)
    for path in dict.fromkeys(c.path for c in changes):
        leaf = table[path]
        column = values.get(path, np.full(len(middle), leaf.value))
        mine = [c for c in changes if c.path == path]
        for k, t in enumerate(middle):
            for c in mine:
                column[k] = c.apply(column[k], float(t))
        outside = _outside(leaf, column, ordered, mine)
        if outside is not None:
            place, message = outside
            raise SpecError([Problem(scenario.name, None, place, message)])
        values[path] = column
    return Calendar(ordered, values, table, changes)


def _weekly(
    scenario: Scenario,
    table: dict[str, Leaf],
    edges: NDArray[np.float64],
    middle: NDArray[np.float64],
) -> dict[str, NDArray[np.float64]]:
    """The numbers that patterns move, before shocks and levers: path -> (B,)."""
    values: dict[str, NDArray[np.float64]] = {}
    for i, pattern in enumerate(scenario.patterns):
        for path in match(pattern.path, table):
            leaf = table[path]
            steps = pattern_values(pattern, leaf, scenario.currency)
            said = laid_out(steps, scenario.start, middle)
            moved = said if pattern.verb == "set" else leaf.value * said
            column = np.where(np.isnan(said), leaf.value, moved)
            bad = np.flatnonzero((column < leaf.low - 1e-12) | (column > leaf.high + 1e-12))
            if len(bad):
                k = int(bad[0])
                bound = f"below {leaf.low:g}" if column[k] < leaf.low else f"above {leaf.high:g}"
                message = f"takes {path} to {column[k]:.4g} in week {abs(edges[k]):.4g}, {bound}"
                place = f"patterns.{i}"
                raise SpecError([Problem(scenario.name, None, place, message)])
            values[path] = column
    return values


def _outside(
    leaf: Leaf, column: NDArray[np.float64], edges: NDArray[np.float64], mine: list[Change]
) -> tuple[str, str] | None:
    """The lever that takes a number out of its bounds, and how; None if none does."""
    bad = np.flatnonzero((column < leaf.low - 1e-12) | (column > leaf.high + 1e-12))
    if len(bad) == 0:
        return None
    k = int(bad[0])
    bound = f"below {leaf.low:g}" if column[k] < leaf.low else f"above {leaf.high:g}"
    middle = 0.5 * (edges[k] + edges[k + 1])
    active = [c for c in mine if c.progress(middle) > 0] or [mine[-1]]
    place = f"{active[-1].part}.{active[-1].lever}"
    return place, f"takes {leaf.path} to {column[k]:.4g} in week {max(edges[k], 0):g}, {bound}"
