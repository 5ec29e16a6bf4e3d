"""What a run of the flow engine with a weekly step begins with."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator import compiled as compiled_module
from simulator import laws, weekly
from simulator.engines import slow as slow_module
from simulator.engines.flow import closure as closures
from simulator.engines.flow.crew import Crew, crew_of, no_crew
from simulator.engines.flow.feedback import Weeks
from simulator.engines.flow.graph import Graph
from simulator.engines.flow.layout import Net, Staff
from simulator.engines.flow.setup import LARGE
from simulator.spec import signals
from simulator.system import System
from simulator.weekly import records as kinds
from simulator.weekly.records import filled
from simulator.weekly.rules import Rules
from simulator.weekly.state import beginning, holding, shown

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SOURCES: Final = tuple(
    str(x)
    for x in (
        laws.__file__,
        compiled_module.__file__,
        slow_module.__file__,
        signals.__file__,
        *sorted(Path(str(weekly.__file__)).parent.glob("*.py")),
    )
)
"""Files beside its own that the compiled program is made of."""


def _no_rules() -> Rules:
    """Rules of nothing: what a system without a weekly step gives the program."""
    return Rules(
        filled(kinds.TEAM, 0), filled(kinds.TEAM_BY, (1, 0)),
        filled(kinds.CHANNEL, 0), filled(kinds.CHANNEL_BY, (1, 0)),
        filled(kinds.STAGE, 0), filled(kinds.STAGE_BY, (1, 0)),
        filled(kinds.HANDOFF, 0), filled(kinds.HANDOFF_BY, (1, 0)),
        filled(kinds.MARKET, 1), filled(kinds.MARKET_BY, 1),
        filled(kinds.POLICY, 0), filled(kinds.MOVE, 0), np.zeros((0, 2, 1)),
    )  # fmt: skip


def records_of(system: System) -> tuple[tuple[Any, ...], ...]:
    """Rules, state, shown, last shown and holds of a run, as plain tuples."""
    rules = system.rules if system.rules is not None else _no_rules()
    groups = (rules, beginning(rules), shown(rules), shown(rules), holding(rules))
    return tuple(tuple(group) for group in groups)


def weeks_of(system: System, graph: Graph, order: Ints, ends: Floats) -> Weeks:
    """What the step needs to see and move, in the stocks' order."""
    nodes = [graph.nodes[i] for i in order]
    moved = np.array([i for i, n in enumerate(nodes) if n.moved > 0.0], dtype=np.int64)
    terms = system.scenario.buyer.discount
    return Weeks(
        turns=system.rules is not None,
        ends=ends,
        thinking=np.array([n.stage if n.stock == 1 else -1 for n in nodes], dtype=np.int64),
        begun=np.zeros(len(system.stage_names), dtype=np.bool_),
        moved=moved,
        moved_rate=np.array([nodes[i].moved for i in moved], dtype=np.float64),
        hours=system.hours.copy(),
        cost=np.zeros(len(system.edges) - 1),
        carried=system.channels.carried,
        lure_from=float(terms.churn_from) if terms else 0.0,
        lure=float(terms.churn) if terms else 0.0,
    )


def crew_and_staff(
    system: System, net: Net, times: Floats, closure: str
) -> tuple[Crew, Staff, list[str]]:
    """Everyone at the start, and room for who works in each piece; notes."""
    teams, pieces = len(system.team_names), len(times) - 1
    p = system.people
    psffa, patient = np.zeros((2, teams), dtype=np.bool_)
    notes, most = [], 1
    for m, name in enumerate(system.team_names):
        mine = slice(net.queues.first[m], net.queues.first[m + 1])
        if mine.start == mine.stop or closure == "fluid":
            continue
        plan = p.share[(p.team == m) & (p.join < math.inf)].sum()
        spare = p.share[(p.team == m) & (p.join == math.inf)].sum()
        ranked = len(set(net.queues.priority[mine].tolist())) > 1
        if closure == "auto" and (ranked or plan > LARGE):
            why = "priorities" if ranked else f"more than {LARGE} people"
            notes.append(f"team {name}: closed as a fluid, for its {why}")
            continue
        if plan + spare > LARGE:
            notes.append(f"team {name}: closed as a fluid while it has over {LARGE} people")
        psffa[m] = True
        patient[m] = (net.queues.theta[:, mine] > 0).any()
        most = max(most, min(LARGE, math.ceil(plan + spare)))
    most = 1 << (most - 1).bit_length()
    rows, there = closures.shelf(most)
    heads = np.zeros((pieces, teams))
    segment = np.searchsorted(system.edges, 0.5 * (times[:-1] + times[1:]), side="right") - 1
    whole = np.zeros(heads.shape, dtype=np.int64)
    staff = Staff(
        segment=segment.astype(np.int64),
        begin=np.ascontiguousarray(times[:-1]),
        seats=whole,
        heads=heads,
        skilled=heads.copy(),
        skilled_rate=heads.copy(),
        psffa=psffa,
        rows=rows,
        there=there,
        shelved=True,
        row_first=whole.copy(),
        row_count=whole.copy(),
        row_low=heads.copy(),
    )
    return crew_of(system, patient, psffa, most, pieces), staff, notes


__all__ = ["SOURCES", "crew_and_staff", "no_crew", "records_of", "weeks_of"]
