"""The shifting bottleneck by the active period method (Roser, Nakano & Tanaka, WSC 2002, 2003).

A team is active while nobody in it is idle. At each time the bottleneck is the team whose active
period, covering that time, is the longest in full length. Where the periods of two successive
bottlenecks overlap the bottleneck is shifting, else it is the sole one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.estimate import Estimate
from simulator.analysis.names import NONE
from simulator.analysis.paired import estimate
from simulator.analysis.parts import Span
from simulator.engines import engine as engine_of
from simulator.record import Record
from simulator.system import System

Floats = NDArray[np.float64]
Period = tuple[float, float]


@dataclass(frozen=True)
class Shifts:
    """Who was the bottleneck when: spans in order; sole and shifting time by owner; no one's."""

    spans: tuple[Span, ...]
    sole: Floats
    shifting: Floats
    none: float


def merge(periods: Sequence[Period]) -> list[Period]:
    """Periods in order, those that touch or overlap as one."""
    found: list[Period] = []
    for start, end in sorted(p for p in periods if p[1] > p[0]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def shifts(periods: Sequence[Sequence[Period]], begin: float, end: float) -> Shifts:
    """The bottleneck over time from the active periods of each resource.

    Of periods of the same length the one that began first is meant; a period is measured in full,
    also beyond begin and end.
    """
    merged = [merge(p) for p in periods]
    every = [(a, b, i) for i, own in enumerate(merged) for a, b in own if b > begin and a < end]
    cuts = sorted({begin, end, *(min(max(x, begin), end) for a, b, _ in every for x in (a, b))})
    pieces: list[tuple[float, float, tuple[float, float, int] | None]] = []
    order = sorted(every, key=lambda p: (-(p[1] - p[0]), p[0], p[2]))
    for left, right in pairwise(cuts):
        owner = next((p for p in order if p[0] <= left and p[1] >= right), None)
        if pieces and pieces[-1][2] == owner:
            pieces[-1] = (pieces[-1][0], right, owner)
        else:
            pieces.append((left, right, owner))
    overlaps: list[tuple[float, float, int, int]] = []
    for (_, _, a), (_, _, b) in pairwise(pieces):
        if a is not None and b is not None:
            left, right = max(a[0], b[0], begin), min(a[1], b[1], end)
            if right > left:
                overlaps.append((left, right, a[2], b[2]))
    sole, shifting, none = np.zeros(len(merged)), np.zeros(len(merged)), 0.0
    spans: list[Span] = []
    for left, right, owner in pieces:
        if owner is None:
            none += right - left
            spans.append(Span(left, right, NONE))
            continue
        inside = sorted({left, right, *(x for o in overlaps for x in o[:2] if left < x < right)})
        for x, y in pairwise(inside):
            who = sorted({i for o in overlaps if o[0] <= x and o[1] >= y for i in o[2:]})
            if not who:
                sole[owner[2]] += y - x
            spans.append(Span(x, y, owner[2], tuple(who)))
    for i in range(len(merged)):
        mine = merge([(a, b) for a, b, *who in overlaps if i in who])
        shifting[i] = sum(b - a for a, b in mine)
    return Shifts(tuple(spans), sole, shifting, none)


def active_periods(record: Record) -> list[list[Period]]:
    """When nobody in a team was idle, by team. The record must have its visits.

    Raises ValueError without them.
    """
    visits = record.visits
    if visits is None:
        raise ValueError("the record has no visits")
    system = record.system
    end = system.horizon
    people = system.people
    found: list[list[Period]] = []
    team_of = system.stages.team[visits.stage]
    for m in range(len(system.team_names)):
        mine = (team_of == m) & np.isfinite(visits.started)
        start = visits.started[mine]
        stop = np.where(np.isfinite(visits.ended[mine]), visits.ended[mine], np.inf)
        here = people.team == m
        join, leave = people.join[here], people.leave[here]
        # Visits begun before week 0 are not in the table: who works on them is known weekly.
        grid = record.series.t
        working = record.series.working[:, system.stages.team == m].sum(axis=1)
        seen = ((start <= grid[:, None]) & (stop > grid[:, None])).sum(axis=1)
        unseen = np.clip(working - seen, 0.0, None)
        # Busy goes up by work begun and down by work done; room by who joins and leaves.
        steps = np.diff(unseen, prepend=0.0)
        moved = steps != 0
        parts = (
            (start, 1.0, 0.0), (stop, -1.0, 0.0), (join, 0.0, 1.0), (leave, 0.0, -1.0),
            (grid[moved], steps[moved], 0.0),
        )  # fmt: skip
        times = np.concatenate([t for t, _, _ in parts])
        busy = np.concatenate([np.broadcast_to(b, t.shape) for t, b, _ in parts])
        room = np.concatenate([np.broadcast_to(r, t.shape) for t, _, r in parts])
        keep = times < end
        times, busy, room = times[keep], busy[keep], room[keep]
        order = np.argsort(times, kind="stable")
        times, busy, room = times[order], np.cumsum(busy[order]), np.cumsum(room[order])
        # At one time all that happens counts together.
        last = np.append(times[1:] > times[:-1], True) if len(times) else np.zeros(0, dtype=bool)
        times, busy, room = times[last], busy[last], room[last]
        until = np.append(times[1:], end)
        full = (room > 0) & (busy >= room)
        found.append(
            merge([(float(a), float(b)) for a, b in zip(times[full], until[full], strict=True)])
        )
    return found


@dataclass(frozen=True)
class Bottleneck:
    """The active period method over replications.

    sole, shifting: by team, shares of the run with intervals; strip: the spans of the first
    replication; cut: teams whose longest period the horizon cuts.
    """

    teams: tuple[str, ...]
    sole: tuple[Estimate, ...]
    shifting: tuple[Estimate, ...]
    none: Estimate
    strip: tuple[Span, ...]
    cut: tuple[str, ...]
    replications: int

    @property
    def share(self) -> Floats:
        """Sole and shifting together, by team."""
        return np.array([a.mean + b.mean for a, b in zip(self.sole, self.shifting, strict=True)])

    @property
    def worst(self) -> str | None:
        """The team that is most of the time the bottleneck; None if never anyone is."""
        share = self.share
        return self.teams[int(np.argmax(share))] if len(share) and share.max() > 0 else None

    def to_json(self) -> dict[str, Any]:
        """Shares by team, and the strip."""
        return {
            "teams": {
                t: {"sole": a.to_json(), "shifting": b.to_json()}
                for t, a, b in zip(self.teams, self.sole, self.shifting, strict=True)
            },
            "none": self.none.to_json(),
            "bottleneck": self.worst,
            "cut_by_horizon": list(self.cut),
            "replications": self.replications,
            "strip": [
                {
                    "from_week": s.start,
                    "to_week": s.end,
                    "team": None if s.owner == NONE else self.teams[s.owner],
                    "shifting": [self.teams[i] for i in s.shifting],
                }
                for s in self.strip
            ],
        }


def bottleneck(system: System, engine: str, seed: int, replications: int) -> Bottleneck | None:
    """Watch a system run; None where the engine has no individual leads, or nobody works."""
    if engine == "flow" or not system.team_names:
        return None
    runs: list[Shifts] = []
    cut: set[str] = set()
    for r in range(replications):
        record: Record = engine_of(engine).run(system, seed=seed, replication=r, visits=True)
        periods = active_periods(record)
        runs.append(shifts(periods, 0.0, system.horizon))
        for m, own in enumerate(periods):
            longest = max(own, key=lambda p: p[1] - p[0], default=None)
            if longest is not None and longest[1] >= system.horizon:
                cut.add(system.team_names[m])
    weeks = system.horizon
    sole = np.array([s.sole for s in runs]) / weeks
    moving = np.array([s.shifting for s in runs]) / weeks
    return Bottleneck(
        teams=system.team_names,
        sole=tuple(estimate(x) for x in sole.T),
        shifting=tuple(estimate(x) for x in moving.T),
        none=estimate(np.array([s.none for s in runs]) / weeks),
        strip=runs[0].spans,
        cut=tuple(t for t in system.team_names if t in cut),
        replications=replications,
    )


def by_name(periods: Mapping[str, Sequence[Period]], weeks: float) -> dict[str, dict[str, float]]:
    """Sole and shifting time by name, from stated periods."""
    found = shifts(list(periods.values()), 0.0, weeks)
    return {
        name: {"sole": float(found.sole[i]), "shifting": float(found.shifting[i])}
        for i, name in enumerate(periods)
    }
