"""Runs with everything kept that a company's own systems would have kept."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from simulator.engines import simulate
from simulator.engines.events import Run
from simulator.engines.events.closing import close
from simulator.engines.events.state import Lead, Work
from simulator.engines.ledgers import Team
from simulator.errors import EngineError
from simulator.record import Record
from simulator.system import NO_TEAM, System

ENGINES = ("events", "batch")


@dataclass(frozen=True)
class Journal:
    """A run, lead by lead and visit by visit.

    visits: lead (id), stage (index), entered, started and ended (weeks; NaN: not, or not yet),
    who (text or NA) and hours (NaN: not worked on). By `events` it has all visits, by `batch`
    those to teams since week 0, without names.
    """

    record: Record
    visits: pd.DataFrame
    start: pd.Timestamp

    @property
    def system(self) -> System:
        """What was run."""
        return self.record.system

    @property
    def end(self) -> pd.Timestamp:
        """When the run ended."""
        return self.at(self.system.horizon)

    def at(self, weeks: float) -> pd.Timestamp:
        """A time of the run on the calendar, to the microsecond."""
        return self.start + pd.Timedelta(round(weeks * 604_800e6), "us")

    def times(self, weeks: np.ndarray) -> pd.Series:
        """Times of the run on the calendar; NaT where there is none."""
        known = np.isfinite(weeks)
        micros = np.round(np.where(known, weeks, 0.0) * 604_800e6).astype("int64")
        out = pd.Series(self.start.to_datetime64().astype("datetime64[us]") + micros)
        return out.where(known)


def journal(
    system: System,
    engine: str = "events",
    *,
    seed: int | None = None,
    replication: int = 0,
    start: dt.date | None = None,
) -> Journal:
    """Run one replication and keep its visits. Raises EngineError where there are no leads."""
    day = pd.Timestamp(start if start is not None else system.scenario.start)
    if engine not in ENGINES:
        raise EngineError(f"the {engine} engine has no leads to export. Take {ENGINES[0]}")
    seed = system.seed if seed is None else seed
    if engine == "events":
        run = Watched(system, seed, replication)
        run.go()
        record = close(run)
        return Journal(record, _with_hours(system, run.rows()), day)
    record = simulate(system, engine, seed=seed, replication=replication, visits=True)
    kept = record.visits
    assert kept is not None
    columns = {n: getattr(kept, n) for n in ("lead", "stage", "entered", "started", "ended")}
    visits = pd.DataFrame(columns).assign(person=-1)
    visits["started"] = visits.started.where(np.isfinite(visits.started))
    return Journal(record, _with_hours(system, visits), day)


class Watched(Run):
    """A run that also notes who served a visit, and visits to stages without a team."""

    def __init__(self, system: System, seed: int, replication: int) -> None:
        super().__init__(system, seed, replication, True)
        self.served: dict[int, int] = {}
        self.passed: list[list[float]] = []
        self.order: list[int] = []  # of visits, as entered: i to a team, -1 - i past none

    def enqueue(self, team: Team, work: Work, patience: float) -> None:
        """Queue, and note when in the order of things."""
        assert self.visits is not None
        self.order.append(len(self.visits))
        super().enqueue(team, work, patience)

    def begin(self, team: Team, work: Work, owner: int = -1) -> None:
        """Begin, and note who."""
        super().begin(team, work, owner)
        self.served[work.trace] = work.person

    def visit(self, lead: Lead, stage: int, slot: int) -> Generator[Any, Any, tuple[int, int]]:
        """Visit; where there is no team nobody else notes it."""
        if self.p.team[stage] != NO_TEAM:
            return (yield from super().visit(lead, stage, slot))
        row = [lead.id, stage, self.env.now, math.nan, math.nan]
        self.order.append(-1 - len(self.passed))
        self.passed.append(row)
        outcome = yield from super().visit(lead, stage, slot)
        row[4] = self.env.now
        return outcome

    def rows(self) -> pd.DataFrame:
        """Visits of the leads that count, in order of entering."""
        assert self.visits is not None
        names = ["lead", "stage", "entered", "started", "ended"]
        rows = [
            [*self.visits[i], self.served.get(i, -1)] if i >= 0 else [*self.passed[-1 - i], -1]
            for i in self.order
        ]
        frame = pd.DataFrame(rows, columns=[*names, "person"])
        frame["lead"] = pd.Series([row[0] for row in rows], dtype="int64")
        frame = frame.astype({"stage": "int64", "person": "int64"})
        frame = frame[frame.lead.isin([lead.id for lead in self.leads])]
        return frame.reset_index(drop=True)


def _with_hours(system: System, visits: pd.DataFrame) -> pd.DataFrame:
    """Who, by name, and the hours of work: at the hours a week of the week in which it began."""
    team = system.stages.team[visits.stage.to_numpy()]
    seats = system.people.team
    number = np.zeros(len(seats), dtype=np.int64)
    for m in np.unique(seats):
        number[seats == m] = np.arange(1, int((seats == m).sum()) + 1)
    person = visits.person.to_numpy()
    names = [f"{system.team_names[int(seats[p])]}-{number[p]}" if p >= 0 else None for p in person]
    segment = np.searchsorted(system.edges, visits.started.fillna(0.0), side="right") - 1
    segment = np.clip(segment, 0, len(system.edges) - 2)
    a_week = system.hours[segment, np.maximum(team, 0)]
    share = np.where(person >= 0, system.people.share[np.maximum(person, 0)], 1.0)
    hours = (visits.ended - visits.started) * a_week * share
    return visits.assign(who=pd.Series(names, dtype=object), hours=hours).drop(columns="person")
