"""Teams' hours by quarter: paid, worked, and the work that waits. What heat maps show."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.estimate import number

if TYPE_CHECKING:
    from simulator.system import System

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TeamHours:
    """Hours by quarter and team, (Q, M). queued: work that waits, the quarter's mean.

    edges: (Q + 1,) weeks at which quarters begin and end.
    """

    teams: tuple[str, ...]
    edges: Floats
    paid: Floats
    used: Floats
    queued: Floats

    def to_json(self) -> dict[str, Any]:
        """Edges in weeks, and each team's numbers by quarter."""
        return {
            "weeks": [float(w) for w in self.edges],
            "teams": {
                name: {
                    key: [number(float(x)) for x in getattr(self, key)[:, m]]
                    for key in ("paid", "used", "queued")
                }
                for m, name in enumerate(self.teams)
            },
        }


def paid_hours(system: System, grid: Floats) -> Floats:
    """Hours paid by team up to each time, (T, M): planned, so the same in every replication."""
    people, edges = system.people, system.edges
    left, right = np.maximum(edges[:-1], 0.0), np.maximum(edges[1:], 0.0)
    paid = np.zeros((len(grid), len(system.team_names)))
    for m, share, join, leave in zip(
        people.team, people.share, people.join, people.leave, strict=True
    ):
        start, end = np.maximum(left, join), np.minimum(right, leave)
        here = np.clip(np.minimum(grid[:, None], end) - start, 0.0, None)
        paid[:, m] += share * (here @ system.hours[:, m])
    return paid


def team_hours(system: System, used: Floats, waiting: Floats) -> TeamHours:
    """Hours by quarter. used: (T, M) hours so far; waiting: (T, S) leads in queues."""
    from simulator.vocabulary import QUARTER

    grid = system.grid
    teams = len(system.team_names)
    marks = [*range(0, max(1, len(grid) - 1), QUARTER), len(grid) - 1]
    paid = paid_hours(system, grid)
    queued = np.zeros((len(marks) - 1, teams))
    for q, (a, b) in enumerate(pairwise(marks)):
        segment = system.segment(0.5 * (float(grid[a]) + float(grid[b])))
        work = waiting[a + 1 : b + 1].mean(axis=0) * system.stages.effort.mean[segment]
        for m in range(teams):
            queued[q, m] = float(work[system.stages.team == m].sum())
    return TeamHours(
        teams=tuple(system.team_names),
        edges=grid[marks],
        paid=np.diff(paid[marks], axis=0),
        used=np.diff(used[marks], axis=0),
        queued=queued,
    )
