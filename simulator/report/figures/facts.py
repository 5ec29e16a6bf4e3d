"""What figures show, as numbers: which variants, which parts, how busy by quarter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.hours import TeamHours
from simulator.analysis.words import spoken

if TYPE_CHECKING:
    from simulator.analysis.comparison import Arm, Comparison
    from simulator.analysis.parts import Absorption

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SATURATION = "fewer leads for each further dollar"
ARR_PARTS = {
    "extra_leads": "ARR of extra leads",
    "gained_wins": "Gained among leads there were",
    "same_wins": "The same wins, worth more or less",
    "displaced_wins": "Wins displaced",
    "missing_leads": "Leads that no longer come",
    "opening_customers": "Customers of week 0",
}


def part_name(part: str) -> str:
    """A part of an absorption in words."""
    return SATURATION if part == "saturation" else spoken(part)


def largest(parts: dict[str, float], most: int) -> list[tuple[str, float]]:
    """The largest parts by size, and the rest in one; they add up to what the parts add up to."""
    ordered = sorted((p for p in parts.items() if p[1] != 0.0), key=lambda p: -abs(p[1]))
    if len(ordered) <= most:
        return ordered
    rest = ordered[most - 1 :]
    return [*ordered[: most - 1], (f"all else ({len(rest)} parts)", sum(v for _, v in rest))]


def main_arms(result: Comparison, most: int = 2) -> list[Arm]:
    """The variants as written that matter most: the contest's push and fix, then the others."""
    named = [result.verdict.push, result.verdict.fix]
    written = result.written()
    contest = [a for name in named for a in written if a.name == name][:2]
    others = sorted(
        (a for a in written if not any(a is c for c in contest)),
        key=lambda a: -abs(a.gain.gain.mean) if a.gain and np.isfinite(a.gain.gain.mean) else 0.0,
    )
    return [*contest, *others][:most]


def pushed_arm(result: Comparison) -> Arm | None:
    """The variant whose absorption is shown: the push as written; else what buys the most."""
    arms = [a for a in result.written() if a.absorption is not None]
    for arm in arms:
        if arm.name == result.verdict.push:
            return arm
    pushes = [a for a in arms if a.role == "push"] or arms
    return max(pushes, key=_promised, default=None)


def _promised(arm: Arm) -> float:
    return arm.absorption.straight_line if arm.absorption is not None else 0.0


def waterfall_of(absorption: Absorption, most: int = 7) -> list[tuple[str, float]]:
    """What takes the gap, the most first, as changes of wins (minus: absorbed).

    What is below a fiftieth of the largest bar is shown together.
    """
    least = 0.02 * max([abs(absorption.straight_line), *map(abs, absorption.parts.values())])
    seen = sum(1 for v in absorption.parts.values() if abs(v) >= least)
    return [
        (part_name(name), -value)
        for name, value in largest(absorption.parts, min(most, max(2, seen + 1)))
    ]


@dataclass(frozen=True)
class Heat:
    """How busy teams were. used: (M, Q) shares of paid hours; over: more waits than a week's work.

    teams: row names; periods: column names.
    """

    name: str
    role: str
    teams: tuple[str, ...]
    periods: tuple[str, ...]
    used: Floats
    over: Flags

    def busiest(self) -> int:
        """The row that is busiest over the run."""
        mean = [float(np.nanmean(row)) if np.isfinite(row).any() else -1.0 for row in self.used]
        return int(np.argmax(mean)) if mean else -1


def heat(hours: TeamHours, name: str, role: str, most: int) -> Heat:
    """Utilisation by team and quarter.

    most: columns at the most; longer runs are shown by several quarters at a time.
    """
    quarters, teams = hours.paid.shape
    together = 1
    while -(-quarters // together) > most:
        together *= 2
    spans = list(pairwise([*range(0, quarters, together), quarters]))
    busy, over = np.full((teams, len(spans)), np.nan), np.zeros((teams, len(spans)), dtype=bool)
    weeks = np.diff(hours.edges)
    for q, (a, b) in enumerate(spans):
        paid, used = hours.paid[a:b].sum(axis=0), hours.used[a:b].sum(axis=0)
        busy[:, q] = np.divide(used, paid, out=np.full(teams, np.nan), where=paid > 0)
        work = weeks[a:b] @ hours.queued[a:b] / weeks[a:b].sum()
        over[:, q] = work > paid / weeks[a:b].sum()
    return Heat(
        name=name,
        role=role,
        teams=tuple(spoken(t) for t in hours.teams),
        periods=tuple(_period(i, together, quarters) for i in range(len(spans))),
        used=busy,
        over=over,
    )


def _period(i: int, together: int, quarters: int) -> str:
    first, last = i * together + 1, min((i + 1) * together, quarters)
    if together == 1 or first == last:
        return f"Q{first}"
    if together % 4 == 0:
        years = (first + 3) // 4, (last + 3) // 4
        return f"Y{years[0]}" if years[0] == years[1] else f"Y{years[0]}–{years[1]}"
    return f"Q{first}–{last}"


def heats(result: Comparison, columns: int = 24) -> list[Heat]:
    """Today and the two variants that matter most."""
    arms = [result.today, *main_arms(result)]
    each = max(2, columns // len(arms))
    return [heat(a.by_quarter(), a.name, a.role, each) for a in arms]


def few(names: Sequence[str]) -> str:
    """A, B and C."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
