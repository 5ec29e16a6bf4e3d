"""Engines: how time is moved. Each offers `run(system, seed, replication, ...) -> Record`.

An engine module defines SUPPORTS, the features it can do, and `run`. What a system uses and an
engine lacks is named in one error, never worked around.
"""

from __future__ import annotations

import importlib
import math
from types import ModuleType
from typing import Any, Final

from simulator.errors import EngineError
from simulator.record import Record
from simulator.system import System

ENGINES: Final = {
    "events": "simulator.engines.events",
    "batch": "simulator.engines.batch",
    "flow": "simulator.engines.flow",
}


def engine(name: str) -> ModuleType:
    """The engine of that name; EngineError names the ones there are."""
    if name not in ENGINES:
        raise EngineError(f"no engine named '{name}'. There are: {', '.join(ENGINES)}")
    return importlib.import_module(ENGINES[name])


def simulate(
    system: System,
    engine_name: str = "events",
    *,
    seed: int | None = None,
    replication: int = 0,
    **options: Any,
) -> Record:
    """Run one replication.

    seed: default, the scenario's. Options are the engine's own (events: visits=True keeps every
    visit; flow: closure, rtol, atol). Raises EngineError where the engine cannot do the system.
    """
    record: Record = able(system, engine_name).run(
        system, seed=system.seed if seed is None else seed, replication=replication, **options
    )
    return record


def able(system: System, engine_name: str) -> Any:
    """The module of an engine. Raises EngineError, naming what of the system it cannot do."""
    module = engine(engine_name)
    missing = lacking(system, engine_name)
    if missing:
        raise EngineError(f"{system.name}: the {engine_name} engine cannot do {', '.join(missing)}")
    return module


def lacking(system: System, engine_name: str) -> list[str]:
    """What a system uses that an engine cannot do, in the order of its names."""
    return sorted(features(system) - engine(engine_name).SUPPORTS)


def features(system: System) -> set[str]:
    """What a system uses that not every engine need have."""
    used: set[str] = set()
    st = system.stages
    for m, name in enumerate(system.team_names):
        mine = st.priority[st.team == m]
        if len(set(mine.tolist())) > 1:
            used.add("priority")
        del name
    if system.accounts > 0:
        used.add("market")
    if (system.channels.per_customer > 0).any():
        used.add("referral")
    if (st.recycle > 0).any():
        used.add("recycling")
    if (system.handoffs.every > 0).any():
        used.add("meetings")
    if system.rules is not None:
        used.add("weekly feedback")
    if system.owned.any():
        used.add("owned leads")
    if (st.gate < 1).any():
        used.add("gates")
    if (system.handoffs.accepted[:, :, 0] != system.handoffs.accepted[:, :, 1]).any():
        used.add("acceptance by fit")
    if (system.handoffs.within < math.inf).any():
        used.add("SLAs")
    if (st.overdue < math.inf).any():
        used.add("overdue leads that go first")
    if (system.buyer.decay > 0).any():
        used.add("aging")
    if len(system.buyer.decay) > 1:
        used.add("several buyers")
    if len(system.limits.inside):
        used.add("WIP caps")
    return used
