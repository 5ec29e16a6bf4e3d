"""Tables by segment out of a calendar."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator import draws
from simulator.spec.book import spread
from simulator.spec.calendar import Calendar
from simulator.spec.paths import week_of
from simulator.spec.policies import Policy
from simulator.spec.quantities import Delay, Effort
from simulator.spec.schema import Scenario
from simulator.system.parts import Floats, Spread


def resolve_spread(item: Effort | Delay | None, use: str) -> tuple[int, float]:
    """Law code and cv of a quantity, with the defaults of its use filled in."""
    if item is None:
        return draws.NONE, 0.0
    law, cv = spread(use, item.law, item.cv, item.order)
    return draws.LAW_CODES[law], cv


class Reader:
    """Reads tables by segment out of a calendar."""

    def __init__(self, cal: Calendar) -> None:
        self.cal = cal

    def column(self, path: str, absent: float = 0.0) -> Floats:
        """What a number is in each segment, (B,)."""
        found: Floats = np.empty(self.cal.segments)
        found[:] = self._values(path, absent)
        return found

    def _values(self, path: str, absent: float) -> Floats | float:
        moving = self.cal.values.get(path)
        if moving is not None:
            return moving
        leaf = self.cal.table.get(path)
        return absent if leaf is None else leaf.value

    def columns(self, paths: list[str], absent: float | list[float] = 0.0) -> Floats:
        """What numbers are in each segment, (B, n). absent: where the scenario has none."""
        moving, table = self.cal.values, self.cal.table
        leaves = [table.get(path) for path in paths]
        others = absent if isinstance(absent, list) else [absent] * len(paths)
        found: Floats = np.empty((self.cal.segments, len(paths)))
        found[:] = [
            x if leaf is None else leaf.value for leaf, x in zip(leaves, others, strict=True)
        ]
        if moving:
            for i, path in enumerate(paths):
                if path in moving:
                    found[:, i] = moving[path]
        return found

    def spread(self, items: list[Any], paths: list[str], use: str) -> Spread:
        """Random quantities of one use; None among the items is none."""
        resolved = [resolve_spread(item, use) for item in items]
        return Spread(
            np.array([r[0] for r in resolved], dtype=np.int64),
            np.array([r[1] for r in resolved]),
            self.columns([f"{p}.mean" for p in paths]),
        )


def in_segments(s: Scenario, r: Reader, policy: Policy) -> NDArray[np.bool_]:
    """In which segments a policy stands, (B,)."""
    until = math.inf if policy.until is None else week_of(policy.until, s.start)
    middle = 0.5 * (r.cal.edges[:-1] + r.cal.edges[1:])
    found: NDArray[np.bool_] = (middle >= week_of(policy.at, s.start)) & (middle < until)
    return found
