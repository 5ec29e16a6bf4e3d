"""What a scenario does not know: its assumptions with their ranges, and worlds drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.parts import Range
from simulator.errors import AnalysisError, SpecError
from simulator.spec.check import assumptions
from simulator.spec.load import Loaded
from simulator.spec.paths import Leaf, leaves
from simulator.spec.schema import Scenario
from simulator.spec.units import Quantity
from simulator.spec.values import with_values
from simulator.system import build

Floats = NDArray[np.float64]


def ranges(loaded: Loaded) -> tuple[list[Range], list[str]]:
    """Every assumption that has a range and can matter; and what was left out, and why.

    Raises AnalysisError where none has a range.
    """
    scenario = loaded.scenario
    table = leaves(scenario)
    written: dict[str, tuple[Any, Any, str]] = {}
    spreads: dict[str, float] = {}
    for row in assumptions(loaded):
        if row.low and row.high:
            written[row.path] = (row.low, row.high, row.grade)
            if row.path.endswith(".cv") and row.path not in table:
                spreads[row.path] = float(row.value.split(",")[0])
    for path, item in loaded.graded.items():
        if item.low is not None and item.high is not None:
            written[path] = (item.low, item.high, item.grade)
    found: list[Range] = []
    left: list[str] = []
    for path, (low, high, grade) in written.items():
        if path.endswith(".quality_loss") and path not in table:
            left.append(f"{path}: is off, as nobody stated it; state it to have it varied")
        for leaf in _numbers(path, table):
            kind = table[leaf].quantity if leaf in table else Quantity("number")
            kind = kind or Quantity("number")
            value = table[leaf].value if leaf in table else spreads.get(leaf)
            if value is None:
                continue
            try:
                bounds = [kind.parse(b, scenario.currency) for b in (low, high)]
            except ValueError:
                bounds = [float(b) for b in (low, high)]
            a, b = min(*bounds, value), max(*bounds, value)
            if b - a <= 0:
                continue
            one = Range(leaf, value, a, b, grade, kind.kind)
            why = _impossible(scenario, one)
            if why:
                left.append(f"{leaf}: {why}")
            else:
                found.append(one)
    if not found:
        raise AnalysisError(
            f"{scenario.name}: no assumption has a range. Write one as "
            "{value: 30%, low: 20%, high: 40%}"
        )
    return found, left


def _numbers(path: str, table: dict[str, Leaf]) -> list[str]:
    """The numbers that a written path stands for: a mean, both fits, or itself."""
    if path in table:
        return [path]
    below = [f"{path}.{end}" for end in ("mean", "now", "good_fit", "poor_fit")]
    here = [p for p in below if p in table]
    return here or ([path] if path.endswith(".cv") else [])


def _impossible(scenario: Scenario, one: Range) -> str:
    """Why a scenario cannot be built at an end of a range; empty if it can."""
    for value in (one.low, one.high):
        try:
            build(world(scenario, [one], [value]))
        except (SpecError, KeyError, ValueError) as error:
            return str(error).splitlines()[0]
    return ""


def world(scenario: Scenario, over: Sequence[Range], values: Sequence[float]) -> Scenario:
    """The scenario with its assumptions at other values; what must add up still does.

    Shares of a handoff, and odds of the buyer, that came to more than 1 are scaled back to it.
    """
    changed = {r.path: float(v) for r, v in zip(over, values, strict=True)}
    moved = with_values(scenario, changed)
    fixes: dict[str, float] = {}
    for h in moved.handoffs:
        total = h.accepted + h.returned
        if total > 1.0:
            fixes[f"handoffs.{h.from_}>{h.to}.accepted"] = h.accepted / total
            fixes[f"handoffs.{h.from_}>{h.to}.returned"] = h.returned / total
    odds = moved.buyer.odds
    for fit in ("good_fit", "poor_fit"):
        us = getattr(odds.us, fit)
        if us + odds.competitor >= 0.99:
            fixes[f"buyer.odds.us.{fit}"] = max(0.01, 0.99 - odds.competitor)
    return with_values(moved, fixes) if fixes else moved


def shared(variant: Scenario, over: Sequence[Range]) -> list[int]:
    """Which assumptions a variant has of today; what it states otherwise stays as it is."""
    table = leaves(variant)
    return [
        i
        for i, r in enumerate(over)
        if (r.path in table and table[r.path].value == r.value) or r.path.endswith(".cv")
    ]


def hypercube(n: int, d: int, seed: int) -> Floats:
    """Points in the unit cube, (n, d) (Latin hypercube), the same for a seed."""
    rng = np.random.default_rng(seed)
    rows = np.column_stack([rng.permutation(n) for _ in range(d)])
    found: Floats = (rows + rng.random((n, d))) / n
    return found
