"""The batch engine: the events engine compiled, for sweeps. The same fates at the same times.

Given the same system, seed and replication it does what the events engine does, lead by lead and
to the bit, but for the order in which a lead's hours are summed over teams (fate_hours: to 1e-12).
Replications run on threads; what one gives does not depend on the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, Final

from simulator import compiled, draws, elementary, laws
from simulator.compiled import stamp as stamp_of
from simulator.engines import slow as slow_module
from simulator.engines.batch import loop as batch_loop
from simulator.engines.batch.compile import OPTIONS
from simulator.engines.batch.layout import (
    COMPLETE,
    TOO_MANY_LEADS,
    TOO_MANY_PEOPLE,
    WEEKLY,
)
from simulator.engines.batch.plan import Plan, plan
from simulator.engines.batch.record import record_of
from simulator.engines.batch.workspace import Workspace
from simulator.errors import EngineError
from simulator.record import Record
from simulator.system import System, codes
from simulator.weekly import hires
from simulator.weekly import state as state_module

SUPPORTS: Final = {
    "priority", "market", "referral", "recycling", "meetings", "weekly feedback", "owned leads",
    "WIP caps", "gates", "acceptance by fit", "SLAs", "aging", "several buyers",
    "overdue leads that go first",
}  # fmt: skip
MOST_LEADS: Final = 50_000_000


@cache
def program() -> Callable[[tuple[Any, ...]], Any]:
    """The loop in machine code: from the cache, or compiled when it is first asked for."""
    loop = compiled.keyed(batch_loop.simulate, stamp(), nogil=True, **OPTIONS)
    return compiled.announcing(loop, "the batch engine: half a minute")


def stamp() -> int:
    """A number that changes with the sources that the loop is made of."""
    modules = (compiled, elementary, draws, laws, codes, slow_module, state_module, hires)
    folder = sorted(Path(batch_loop.__file__).parent.glob("*.py"))
    return stamp_of(*(str(m.__file__) for m in modules), *map(str, folder))


def _to_the_end(work: Workspace, arguments: tuple[Any, ...]) -> int:
    """Run the loop, with the weekly step wherever it asks for one; says how it ended."""
    loop, run, question = program(), work.run[0], work.question()
    ended = int(loop(arguments))
    while ended == WEEKLY:
        when = (int(run["ended"]), int(run["segment"]), int(run["mode"]), float(run["week"]))
        slow_module.program()((*question, *when))
        ended = int(loop(arguments))
    return ended


def _replicate(work: Workspace, seed: int, replication: int, visits: bool) -> Workspace:
    """Run one replication, in a larger workspace if this one is too small; gives the one used."""
    while True:
        work.reset(seed, replication, visits=visits)
        arguments = work.arguments()
        ended = _to_the_end(work, arguments)
        if ended == COMPLETE:
            return work
        if ended == TOO_MANY_PEOPLE:
            raise too_many_people(work)
        leads, rows = work.capacity, len(work.visits)
        if ended == TOO_MANY_LEADS:
            leads *= 2
            if leads > MOST_LEADS:
                raise EngineError(
                    f"{work.system.name}: more than {MOST_LEADS // 2:,} leads in one replication"
                )
        else:
            rows *= 2
        work = Workspace(work.system, work.plan, leads, rows, table=work.table)


def too_many_people(work: Workspace) -> EngineError:
    """Policies want more people in a team than there are seats for."""
    run, system = work.run[0], work.system
    team = int(run["failed"])
    return EngineError(
        f"{system.name}: policies want {int(run['wanted'])} more people in "
        f"{system.team_names[team]} than planned; at most {int(work.teams[team]['spare'])} fit"
    )


def _workspace(system: System, laid: Plan, *, visits: bool, table: bool) -> Workspace:
    leads = int(laid.leads * 1.05 + 6.0 * laid.leads**0.5) + 256
    if leads > MOST_LEADS:
        raise EngineError(f"{system.name}: about {laid.leads:,} leads in one replication, too many")
    return Workspace(system, laid, leads, 4 * leads if visits else 1, table=table)


def run(system: System, seed: int, replication: int, *, visits: bool = False) -> Record:
    """Run one replication. visits: keep one row for every visit to a team."""
    work = _workspace(system, plan(system), visits=visits, table=True)
    work = _replicate(work, seed, replication, visits)
    return record_of(work, seed, replication, leads=True, visits=visits)


def run_many(
    system: System,
    seed: int,
    replications: Sequence[int],
    *,
    threads: int | None = None,
    leads: bool = True,
) -> list[Record]:
    """Run replications, in their order. leads: keep the table of leads of each.

    threads: default, one; what comes out does not depend on it.
    """
    laid = plan(system)
    spare = threading.local()

    def one(replication: int) -> Record:
        work = getattr(spare, "work", None) or _workspace(system, laid, visits=False, table=leads)
        spare.work = _replicate(work, seed, replication, visits=False)
        return record_of(spare.work, seed, replication, leads=leads, visits=False)

    if threads is None or threads <= 1 or len(replications) <= 1:
        return [one(r) for r in replications]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, replications))
