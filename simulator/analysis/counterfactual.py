"""Worlds without some mechanisms: today and a variant under the same luck."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from simulator.analysis.decomposition import all_groups, groups_of, orders
from simulator.analysis.growth import Floats, Flows, Yardstick, flows, yardstick
from simulator.analysis.runs import Digest, Job, digest
from simulator.engines import simulate
from simulator.errors import AnalysisError
from simulator.mechanisms import SWITCHES, used, without
from simulator.people import People
from simulator.record import Record
from simulator.spec.schema import Scenario
from simulator.system import NO_TEAM, System, build

QUEUEING: Final = "queueing"
CROWD: Final = 50
ALONE, SHAPLEY = "one-at-a-time", "shapley"
METHODS: Final = (ALONE, SHAPLEY)
EXACT: Final = 6  # mechanisms, up to which all groups are run: 2 ** 6 pairs

Off = frozenset[str]
"""Mechanisms that are away: of SWITCHES, `queueing`, or `queueing.TEAM` for one team's queue."""


def queues(scenario: Scenario) -> list[str]:
    """The queues of a scenario: `queueing.TEAM` for every team that has a stage."""
    busy = {stage.team for stage in scenario.stages.values()}
    return [f"{QUEUEING}.{team}" for team in scenario.teams if team in busy]


def at_work(scenario: Scenario) -> tuple[str, ...]:
    """The mechanisms that a scenario uses: queueing, then those that it can switch off."""
    return (QUEUEING,) * bool(queues(scenario)) + used(scenario)


def crowd(system: System, teams: Iterable[int], times: int = CROWD) -> System:
    """The system with everyone in some teams there many times over, at the same pay in all.

    So nobody waits for them, and work takes as long as it did. Its record is to be `restored`.
    """
    p, many = system.people, _many(system, teams, times)
    copies = many[p.team].astype(np.int64)
    people = People(*(np.repeat(getattr(p, f.name), copies) for f in fields(People)))
    return replace(system, people=people, team_cost=system.team_cost / many)


def restored(record: Record, system: System, teams: Iterable[int], times: int = CROWD) -> Record:
    """A crowd's record in the books of the system that it stands for: its heads and paid hours.

    Hours worked may then be more than those paid: what the work would have needed. Pay by fate
    and by lead has no meaning there, and is nan.
    """
    many, s = _many(system, teams, times), record.series
    series = replace(s, heads=s.heads / many, paid_hours=s.paid_hours / many)
    unknown = np.full_like(record.fate_cost, np.nan)
    return replace(record, system=system, series=series, leads=None, fate_cost=unknown)


def _many(system: System, teams: Iterable[int], times: int) -> Floats:
    many: Floats = np.ones(len(system.team_names))
    many[list(teams)] = times
    return many


def simulate_without(
    scenario: Scenario, off: Off, engine: str, *, seed: int, replication: int
) -> Record:
    """One run of a scenario without some mechanisms."""
    system = build(without(scenario, [name for name in off if name in SWITCHES]))
    names = system.team_names
    teams = [m for m, n in enumerate(names) if QUEUEING in off or f"{QUEUEING}.{n}" in off]
    if not teams:
        return simulate(system, engine, seed=seed, replication=replication)
    record = simulate(crowd(system, teams), engine, seed=seed, replication=replication)
    return restored(record, system, teams)


@dataclass(frozen=True)
class Seen(Digest):
    """A digest, and the run by quarter."""

    flows: Flows


@dataclass(frozen=True, kw_only=True)
class Worlds(Job):
    """Today and a variant without every set of mechanisms that a method asks for.

    there: what each can do without. A replication gives pairs of digests, today's and the
    variant's, in the order of `offs`.
    """

    pair: tuple[Scenario, Scenario]
    names: tuple[str, ...]
    method: str
    there: tuple[Off, Off]

    @property
    def sampled(self) -> bool:
        """Whether the method draws orders of mechanisms, other ones in each replication."""
        return self.method == SHAPLEY and len(self.names) > EXACT

    @property
    def teams(self) -> list[str]:
        """The queues that are looked at one by one."""
        return queues(self.pair[0])

    def ways(self, replication: int) -> list[list[str]]:
        """Orders in which mechanisms are switched on, where they are drawn."""
        return orders(self.names, self.seed, replication)

    def offs(self, replication: int) -> list[Off]:
        """Which mechanisms are away in each pair of a replication; none in the first."""
        everything = frozenset(self.names)
        found: list[Off] = [frozenset()]
        if self.method == ALONE:
            found += [frozenset([name]) for name in self.names]
        elif self.sampled:
            found += [everything - g for g in groups_of(self.ways(replication))]
        else:
            found += all_groups(self.names)
        found.append(everything)
        found += [frozenset([queue]) for queue in self.teams]
        return list(dict.fromkeys(found))

    def __call__(self, replication: int) -> list[Digest]:
        """Today and the variant by what is away; what cannot change a scenario is run once."""
        found: list[Digest] = []
        known: dict[tuple[int, Off], Digest] = {}
        by: Yardstick | None = None
        for off in self.offs(replication):
            for side, scenario in enumerate(self.pair):
                key = side, off & self.there[side]
                if key not in known:
                    record = simulate_without(
                        scenario, key[1], self.engine, seed=self.seed, replication=replication
                    )
                    known[key] = digest(record, None, self.week)
                    if not off:
                        by = by or yardstick(record)
                        known[key] = self._seen(record, known[key], by)
                found.append(known[key])
        return found

    def _seen(self, record: Record, done: Digest, by: Yardstick) -> Seen:
        kept = {f.name: getattr(done, f.name) for f in fields(Digest)}
        return Seen(**kept, flows=flows(record, by, self.week))

    def differences(self, run: list[Digest], outcome: str, replication: int) -> dict[Off, float]:
        """Variant less today in one replication, by what is away. Raises AnalysisError."""
        found: dict[Off, float] = {}
        for n, off in enumerate(self.offs(replication)):
            a, b = (run[2 * n + side].metrics[outcome] for side in range(2))
            if not np.isfinite(b - a):
                raise AnalysisError(
                    f"{outcome} has no value in replication {replication}"
                    f"{' without ' + ', '.join(sorted(off)) if off else ''}: explain another"
                )
            found[off] = b - a
        return found

    def longest_wait(self, run: list[Digest], replication: int) -> float:
        """The longest mean wait at a stage, in weeks, where there were to be no queues."""
        system = self.systems[0]
        stages = zip(system.stage_names, system.stages.team, strict=True)
        names = [f"wait.{name}" for name, team in stages if team != NO_TEAM]
        waits = [
            d.metrics[name]
            for n, off in enumerate(self.offs(replication))
            if QUEUEING in off
            for d in run[2 * n : 2 * n + 2]
            for name in names
        ]
        return float(np.nanmax([0.0, *waits]))
