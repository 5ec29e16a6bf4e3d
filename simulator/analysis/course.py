"""How a scenario went, week by week: deals in process by stage, people, capability, deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simulator.analysis.runs import Digest
    from simulator.record import Record
    from simulator.system import System

Floats = NDArray[np.float64]
DIGITS = 3  # that are kept


@dataclass(frozen=True)
class Course:
    """Means over runs on the save grid, (T,) each. held: opportunities in process by stage; left:
    those won or lost so far; heads: by team; capability: by team that has one, where neither
    pressure nor a policy moves it; delivered: so far, by the stage whose delay the market comes
    to know (delivery; "" where there is none); sellers: teams whose hours bring leads.
    """

    held: dict[str, Floats] = field(default_factory=dict)
    left: Floats = field(default_factory=lambda: np.zeros(0))
    heads: dict[str, Floats] = field(default_factory=dict)
    capability: dict[str, Floats] = field(default_factory=dict)
    delivery: str = ""
    delivered: Floats = field(default_factory=lambda: np.zeros(0))
    sellers: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Numbers by name."""
        return {
            "in_process": {k: v.tolist() for k, v in self.held.items()},
            "left": self.left.tolist(),
            "heads": {k: v.tolist() for k, v in self.heads.items()},
            "capability": {k: v.tolist() for k, v in self.capability.items()},
            "delivery": self.delivery,
            "delivered": self.delivered.tolist(),
            "sellers": list(self.sellers),
        }


def reread(said: dict[str, Any] | None) -> Course:
    """What to_json said; of an older result, nothing."""
    if said is None:
        return Course()

    def by_name(key: str) -> dict[str, Floats]:
        return {k: np.array(v, dtype=np.float64) for k, v in said[key].items()}

    return Course(
        by_name("in_process"), np.array(said["left"], dtype=np.float64), by_name("heads"),
        by_name("capability"), str(said["delivery"]),
        np.array(said["delivered"], dtype=np.float64), tuple(said["sellers"]),
    )  # fmt: skip


def deals(record: Record) -> tuple[Floats, Floats]:
    """Opportunities in process by stage, (T, S), 0 elsewhere; those won or lost so far, (T,)."""
    from simulator.metrics import opportunity_stages
    from simulator.system import IN_PROCESS, REASONS, lost, won_fates

    fates, system = record.series.fates, record.system
    held = np.zeros((len(fates), len(system.stage_names)))
    left = fates[:, won_fates(system)].sum(axis=1)
    for i in opportunity_stages(record):
        held[:, i] = fates[:, lost(i, IN_PROCESS)]
        left = left + fates[:, [lost(i, r) for r in range(len(REASONS)) if r != IN_PROCESS]].sum(
            axis=1
        )
    return held, left


def delivered(record: Record) -> Floats:
    """What has left the stage whose delay the market knows, so far; empty where there is none."""
    found = record.system.scenario.market
    if found is None or found.delivery is None:
        return np.zeros(0)
    stage = record.system.stage_names.index(found.delivery.stage)
    return record.series.advanced[:, stage]


def course_of(system: System, runs: Sequence[Digest]) -> Course:
    """The means over runs of a system."""
    held = np.mean([d.held for d in runs], axis=0).round(DIGITS)
    heads = np.mean([d.heads for d in runs], axis=0).round(DIGITS)
    market, channels = system.scenario.market, system.scenario.channels.values()
    stage = market.delivery.stage if market is not None and market.delivery is not None else ""
    return Course(
        held={s: held[:, i] for i, s in enumerate(system.stage_names) if held[:, i].any()},
        left=np.mean([d.left for d in runs], axis=0).round(DIGITS),
        heads={t: heads[:, m] for m, t in enumerate(system.team_names)},
        capability=capability(system),
        delivery=stage,
        delivered=np.mean([d.delivered for d in runs], axis=0).round(DIGITS),
        sellers=tuple(dict.fromkeys(c.outbound.team for c in channels if c.outbound is not None)),
    )


def capability(system: System) -> dict[str, Floats]:
    """Capability by team, (T,): as the weekly step has it where only levers move it."""
    from simulator import laws
    from simulator.spec.signals import MOVE_IMPROVE

    rules = system.rules
    if rules is None:
        return {}
    found = {}
    moves = {int(m["which"]) for m in rules.moves if m["code"] == MOVE_IMPROVE}
    for m, name in enumerate(system.team_names):
        team = rules.teams[m]
        stated = float(team["improve_stated"])
        if not stated > 0.0 or team["pressed"] or team["aimed"] or m in moves:
            continue
        level, known = 1.0, [1.0]
        begin = float(system.calendar.edges[0])
        for week in np.arange(begin + 1.0, float(system.grid[-1]) + 0.5):
            share = float(rules.teams_by["improve"][system.segment(float(week) - 0.5), m])
            target = min(0.99, max(0.0, share)) / stated
            level = float(laws.approach(level, target, 1.0, float(team["erosion"])))
            known.append(level)
        weeks = np.arange(begin, begin + len(known))
        found[name] = np.interp(system.grid, weeks, known).round(DIGITS + 3)
    return found
