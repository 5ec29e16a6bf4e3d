"""The flow engine: the model as ordinary differential equations, in milliseconds.

Leads are fluid: a stock for every place that they can be in (see graph), all of whose leads
leave at the same rate, and with them their hours, dollars and value (kernel). It is the limit
of the events engine as volumes and heads grow together, where times are exponential or Erlang and
patience is exponential. At the volumes of one company two things separate them: chance queues
before teams that could keep up on average, which closure `psffa` brings back, exact in the
steady state of one queue and some 15% high in numbers waiting on the way there; and laws that are
not made of exponential phases, matched by mean and variance. `Record.notes` says what was matched.

Where slow mechanisms or policies are at work, the weekly step is taken between two pieces of the
integration (feedback); people are masses that quit, ramp and are hired (crew); and what moves of
the branchings are variables that shares are made of (shares).
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator import draws
from simulator.engines.flow.compile import stamp
from simulator.engines.flow.crew import Crew
from simulator.engines.flow.feedback import program
from simulator.engines.flow.graph import Graph
from simulator.engines.flow.layout import COST, HOURS, VALUE, Net, Sums, sums_of
from simulator.engines.flow.oracle import METHODS, integrate_by_scipy
from simulator.engines.flow.record import Kept, record_of
from simulator.engines.flow.routes import MOST_PHASES
from simulator.engines.flow.setout import SOURCES, crew_and_staff, no_crew, records_of, weeks_of
from simulator.engines.flow.setup import breaks, net_of, room_of, staff_of
from simulator.engines.flow.solver import TABLEAU, space_of
from simulator.errors import EngineError
from simulator.record import Record
from simulator.system import System

SUPPORTS: Final = {
    "priority", "market", "referral", "recycling", "meetings", "weekly feedback", "owned leads",
    "gates", "acceptance by fit", "SLAs", "aging", "several buyers",
}  # fmt: skip
CLOSURES: Final = ("auto", "psffa", "fluid")
MOST_CALLS: Final = 5_000_000
Floats = NDArray[np.float64]


def run(
    system: System,
    seed: int = 0,
    replication: int = 0,
    *,
    closure: str = "auto",
    rtol: float | None = None,
    atol: float | None = None,
    solver: str = "compiled",
) -> Record:
    """Solve the equations. The record is the same for every seed and replication.

    closure: psffa, fluid, or auto: psffa but for teams with priorities or over 1000 people. rtol,
    atol (leads; hours and dollars in proportion): of each step; 1e-6, and 1e-4 with a weekly step,
    after which queues settle anew in minutes that nothing hangs on. solver: compiled, a Rosenbrock
    method, or one of scipy's by its name (Radau, BDF, LSODA, RK45, DOP853), slower. Raises
    EngineError for an unknown closure or solver, psffa with priorities, and equations that cannot
    be solved to the tolerance.
    """
    if closure not in CLOSURES:
        raise EngineError(f"no closure named '{closure}'. There are: {', '.join(CLOSURES)}")
    if solver != "compiled" and solver not in METHODS:
        raise EngineError(f"no solver named '{solver}'. There are: compiled, {', '.join(METHODS)}")
    turns = system.rules is not None
    rtol, atol = (usual(turns) if x is None else x for x in (rtol, atol))
    if not (rtol > 0.0 and atol > 0.0):
        raise EngineError(f"rtol and atol must be above 0, not {rtol:g} and {atol:g}")
    graph = Graph(system)
    net, pattern, order = net_of(graph)
    if closure == "psffa":
        _refuse_priorities(system, net)
    times = breaks(system)
    if turns and solver != "compiled":
        raise EngineError(
            f"{system.name}: solver {solver} cannot do the weekly step of slow mechanisms and "
            "policies. Use solver compiled"
        )
    crew = no_crew()
    if turns:
        crew, staff, notes = crew_and_staff(system, net, times, closure)
    else:
        staff, notes = staff_of(system, net, times, closure)
    room, start = room_of(net), room_of(net)
    other = room_of(net).moves
    delta = start.moves._replace(done=other.done, cold=other.cold, flow=other.flow)
    channels = len(system.channel_names)
    sums = sums_of(
        len(net.queues.stage), len(system.stage_names), len(system.team_names), channels,
        len(net.life.cool_enter), bool((system.stages.sla < math.inf).any()),
    )  # fmt: skip
    space = space_of(net, sums, pattern)
    customers = float(round(system.customers.start))
    space.zy[sums.base] = customers
    grid = system.grid
    states, waiting = (
        np.zeros((len(grid), len(space.z))),
        np.zeros((len(grid), len(net.queues.stage))),
    )
    ends = np.ascontiguousarray(times[1:])
    keep = np.full(len(ends), -1, dtype=np.int64)
    keep[np.searchsorted(ends, grid[1:])] = np.arange(1, len(grid))
    opening = int(np.searchsorted(times, 0.0))
    keep[:opening][-1:] = 0
    scales = atol * _scales(system, net, sums)
    calls, h, opened = 0, 1e-3, False
    advance = program(stamp(SOURCES)) if solver == "compiled" else None
    weeks, records = weeks_of(system, graph, order, ends), records_of(system)
    for lo, hi, opens in ((0, opening, False), (opening, len(ends), True)):
        if opens:
            _open(system, net, sums, space.zx, space.zy, customers)
            opened = True
            states[0] = space.z
        if hi == lo and not turns:
            continue
        if advance is None:
            calls += integrate_by_scipy(
                solver, ends[:hi], keep[:hi], lo, space, net, staff, sums, start, opened, rtol,
                scales, states, waiting,
            )  # fmt: skip
            continue
        arguments = (
            ends[:hi], keep[:hi], lo, h, space, net, staff, sums, start, room, delta, pattern,
            TABLEAU, opened, rtol, scales, states, waiting, MOST_CALLS, crew, weeks, records,
        )  # fmt: skip
        done, _, _, h, reached = advance(arguments)
        calls += done
        _refuse_crowds(system, crew)
        if (hi > 0 and reached < ends[hi - 1]) or not np.isfinite(space.z).all():
            raise EngineError(
                f"{system.name}: the flow engine cannot get past week {reached:.4g} at "
                f"rtol {rtol:g}. Raise rtol, or use the events engine"
            )
    notes = [*_closed(staff.psffa, net), *notes, *graph.notes, *_matched(system)]
    kept = Kept(
        states[:, : space.zx.size].reshape(-1, *space.zx.shape), states[:, space.zx.size :], waiting
    )
    return record_of(
        system, graph, net, order, sums, times, staff, weeks, kept, calls, notes, seed, replication,
        crew.fresh,
    )  # fmt: skip


def _refuse_crowds(system: System, crew: Crew) -> None:
    if len(crew.trouble) and crew.trouble[0] >= 0:
        m, wanted = int(crew.trouble[0]), int(crew.trouble[1])
        raise EngineError(
            f"{system.name}: policies want {wanted} more people in {system.team_names[m]} than "
            f"planned; at most {int(crew.spare[m])} fit"
        )


def usual(turns: bool) -> float:
    """Tolerance of a run, with a weekly step or without."""
    return 1e-4 if turns else 1e-6


def _refuse_priorities(system: System, net: Net) -> None:
    for m, name in enumerate(system.team_names):
        mine = slice(net.queues.first[m], net.queues.first[m + 1])
        if len(set(net.queues.priority[mine].tolist())) > 1:
            raise EngineError(
                f"{system.name}: teams.{name}: the psffa closure cannot do priorities. "
                "Use closure fluid, or the events engine"
            )


def _scales(system: System, net: Net, sums: Sums) -> Floats:
    """Absolute tolerances of the state, over that of leads."""
    hours = max(1.0, float(net.queues.effort.sum(axis=1).max(initial=0.0)))
    wage = system.team_cost / system.hours
    dollars = hours * max(1e-9, float(wage.max(initial=0.0)))
    value = float(system.channels.value.max())
    leads = np.ones(len(system.channel_names))
    lanes = np.concatenate([leads, (hours, dollars, value, 1.0, 1.0, 10.0, 1.0)])[: net.links.lanes]
    y = np.ones(sums.size)
    y[sums.busy : sums.arrived] *= hours
    y[sums.expansion : sums.late] *= value
    y[sums.base + 2 : sums.base + 4] *= value
    return np.concatenate([np.tile(lanes, len(net.links.kind)), y])


def _open(system: System, net: Net, sums: Sums, X: Floats, Y: Floats, customers: float) -> None:
    """Week 0: forget what is over, keep the pipeline, bring in the customers we have."""
    channels = len(system.channel_names)
    X[net.links.kind >= 2] = 0.0
    X[:, channels + HOURS] = X[:, channels + COST] = 0.0
    signed = X[net.links.sold]
    cooling = Y[sums.cooling :].copy()
    Y[:] = 0.0
    Y[sums.cooling :] = cooling
    # Someone holds the ARR there is.
    Y[sums.base] = max(min(customers, 1.0), customers - signed[:, :channels].sum())
    Y[sums.base + 2] = max(0.0, system.customers.arr - signed[:, channels + VALUE].sum())


def _closed(psffa: NDArray[np.bool_], net: Net) -> list[str]:
    """What the closures of the teams are known to miss."""
    used = np.diff(net.queues.first) > 0
    found = []
    if (psffa & used).any():
        found.append(
            "closure psffa: exact in the steady state of one queue; after a change, numbers in a "
            "queue up to 18% off (M/M/1 at 80%, M/M/5 through an overload)"
        )
    if (~psffa & used).any():
        found.append("closure fluid: no queue before a team that keeps up on average")
    return found


def _matched(system: System) -> list[str]:
    """Quantities of the teams and the market whose laws are matched, not followed."""
    st = system.stages
    found = []
    for i, name in enumerate(system.stage_names):
        if st.patience.law[i] not in (draws.NONE, draws.EXPONENTIAL):
            found.append(f"patience of {name}: as if exponential, with its mean")
    if (system.handoffs.every > 0).any():
        found.append("meetings: a delay of half their interval, with its variance")
    for m, name in enumerate(system.team_names):
        if system.owned[m]:
            found.append(
                f"team {name}: as many queues as people, leads to each alike; what leavers own "
                "changes hands at once and at no loss"
            )
    if system.rules is not None and (system.rules.policies["side"] != 0).any():
        found.append("policies with a level: they see means, not what swings about them by chance")
    for i, name in enumerate(system.stage_names):
        if st.decision[i] and system.buyer.decay[st.buyer[i]] > 0:
            found.append(f"aging at {name}: by the mean age of those there")
    if len(system.cool_down.law) and system.cool_down.law[0] != draws.EXPONENTIAL:
        found.append(f"market.cool_down: matched by up to {MOST_PHASES} exponential phases")
    return found


__all__: Any = ["CLOSURES", "SUPPORTS", "run"]
