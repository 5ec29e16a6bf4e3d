"""Many runs of the flow engine at once: points that differ in numbers and share their structure.

The same right-hand side and method as one run by itself, compiled for runs side by side
(lane_kernel, lane_solver); what each does depends on itself alone, so that no result depends on
what it was run with. Systems that something moves week by week, or whose odds age, are run one by
one by `run`.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.engines.flow import CLOSURES, run
from simulator.engines.flow.compile import stamp
from simulator.engines.flow.lane_solver import Program, program, program_of
from simulator.engines.flow.lanes import (
    LEADS,
    TO_SIGN,
    WORTH,
    Given,
    Shape,
    parameters_of,
    shape_of,
    side_by_side,
    staff_rows,
)
from simulator.engines.flow.layout import Net, Staff
from simulator.engines.flow.record import Whole, series_of
from simulator.engines.flow.setout import SOURCES
from simulator.engines.flow.setup import Tables, people_in, staff_of
from simulator.engines.flow.solver import DENSE, TABLEAU
from simulator.engines.flow.stack import MOST, Laid, lay_out
from simulator.engines.flow.vectors import WIDTH
from simulator.errors import EngineError, GrowthError
from simulator.record import Series
from simulator.system import System

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TOLERANCE: Final = 1e-4
MOST_STEPS: Final = 1_000_000
MOST_PROGRAMS: Final = 32  # kept

_programs: dict[tuple[bytes, ...], Program] = {}


@dataclass(frozen=True)
class Point:
    """What came of a run, as far as metrics are read from it."""

    system: System
    series: Series


def alone(system: System) -> str:
    """Why a system is run by itself; empty if it can lie beside others."""
    if system.rules is not None:
        return "something moves it week by week"
    if (system.buyer.decay > 0).any():
        return "its odds age"
    if (system.stages.sla < math.inf).any():
        return "its service levels are counted"
    return ""


def run_many(
    systems: Sequence[System],
    *,
    closure: str = "auto",
    rtol: float = TOLERANCE,
    atol: float = TOLERANCE,
    threads: int = 1,
) -> list[Point | GrowthError]:
    """Solve the equations of many systems; in place of a point that cannot be, its error.

    closure, rtol, atol: as of `run`. threads: how many to use at once.
    """
    if closure not in CLOSURES or not (rtol > 0.0 and atol > 0.0):
        raise EngineError(
            f"closure {closure}, rtol {rtol:g}, atol {atol:g}: a closure is one of "
            f"{', '.join(CLOSURES)}, tolerances are above 0"
        )
    found: list[Point | GrowthError | None] = [None] * len(systems)
    beside: list[int] = []
    for place, system in enumerate(systems):
        if alone(system):
            found[place] = _by_itself(system, closure, rtol, atol)
        else:
            beside.append(place)
    tables = Tables()
    known: dict[Any, Any] = {}
    for laid in lay_out([systems[i] for i in beside], beside):
        for place, system, series in _solve(laid, tables, known, closure, rtol, atol, threads):
            if series is None:
                found[place] = _by_itself(system, closure, rtol, atol)
            else:
                found[place] = Point(system, series)
    return [x for x in found if x is not None]


def _by_itself(system: System, closure: str, rtol: float, atol: float) -> Point | GrowthError:
    try:
        return Point(system, run(system, closure=closure, rtol=rtol, atol=atol).series)
    except GrowthError as error:
        return error


def _staff(
    system: System, net: Net, times: Floats, closure: str, tables: Tables, known: dict[Any, Any]
) -> Staff:
    """Who works when; the same object for points that differ in other things."""
    queues, p = net.queues, system.people
    parts = [
        p.team,
        p.share,
        p.join,
        p.leave,
        p.ramp_from,
        system.ramp,
        system.ramp_start,
        times,
        system.edges,
    ]
    for m in range(len(system.team_names)):
        mine = slice(queues.first[m], queues.first[m + 1])
        parts.append(queues.priority[mine])
        if (queues.theta[:, mine] > 0.0).any():
            parts += [queues.theta[:, mine], queues.effort[:, mine], queues.hours[:, m]]
    key = tuple(part.tobytes() for part in parts)
    if key not in known:
        here = key[:8]
        if here not in known:
            known[here] = people_in(system, times)
        known[key] = staff_of(system, net, times, closure, tables, known[here])[0]
    found: Staff = known[key]
    return found


def _solve(
    laid: Laid, tables: Tables, known: dict[Any, Any], closure: str, rtol: float, atol: float,
    threads: int,
) -> Iterator[tuple[int, System, Series | None]]:  # fmt: skip
    """Each system with its series; None where it could not be solved."""
    first, times, count = laid.systems[0], laid.times, len(laid.systems)
    shape, given = shape_of(
        laid.net, laid.pattern, first.channels.lift, len(first.stage_names), len(first.team_names)
    )
    nets = [laid.of(i) for i in range(count)]
    staffs = [
        _staff(system, net, times, closure, tables, known)
        for system, net in zip(laid.systems, nets, strict=True)
    ]
    customers = np.array([float(round(s.customers.start)) for s in laid.systems])
    arr = np.array([s.customers.arr for s in laid.systems])
    numbers = parameters_of(laid.net, customers, arr, atol / rtol)
    written = _written(shape, given, numbers)
    parameters = side_by_side(numbers)
    staff = side_by_side(np.array([staff_rows(x) for x in staffs]))
    steady = np.array(tables.rows).reshape(-1)
    grid, queues = first.grid, len(shape.team)
    opening = int(np.searchsorted(times, 0.0))
    size, cut = shape.size * shape.parts + shape.sums.size, shape.size * shape.parts
    compiled = program(stamp(SOURCES))

    spare = threading.local()

    def block(i: int) -> list[Series | None]:
        if not hasattr(spare, "kept"):  # memory that is touched for the first time is slow
            spare.kept = np.zeros((WIDTH, len(grid), len(written.kept)))
            spare.waiting = np.zeros((WIDTH, len(grid), queues))
        kept, waiting = spare.kept, spare.waiting
        kept[:] = np.nan
        waiting[:, 0] = 0.0
        going, tries, ready = np.zeros((3, WIDTH), dtype=np.int64)
        compiled(
            (
                written.buffer.copy(), written.words, written.marks, written.rows, written.live,
                written.kept, written.scale, written.emptied, written.sold, staffs[0].segment,
                times, first.edges, opening, parameters[i], staff[i], steady, TABLEAU, DENSE, rtol,
                grid, kept, waiting, np.full(WIDTH, 1e-3), np.ones(WIDTH, dtype=np.int64),
                going, tries, ready, MOST_STEPS,
            )
        )  # fmt: skip
        found: list[Series | None] = []
        for lane in range(min(WIDTH, count - i * WIDTH)):
            if going[lane] < 0 or not np.isfinite(kept[lane]).all():
                found.append(None)
                continue
            p, state = i * WIDTH + lane, np.zeros((len(grid), size))
            state[:, written.kept] = kept[lane]
            x = state[:, :cut].reshape(len(grid), shape.size, shape.parts)
            whole = Whole(
                x[:, :, LEADS], x[:, :, WORTH], x[:, :, TO_SIGN], state[:, cut:], waiting[lane]
            )
            found.append(
                series_of(
                    laid.systems[p], laid.nodes, nets[p], shape.sums, times, staffs[p], None, whole
                )
            )
        return found

    with ThreadPoolExecutor(max(1, threads)) as pool:
        for i, found in enumerate(pool.map(block, range(len(parameters)))):
            for lane, series in enumerate(found):
                yield laid.places[i * WIDTH + lane], laid.systems[i * WIDTH + lane], series


def _written(shape: Shape, given: Given, numbers: Floats) -> Program:
    """The program of a shape; what is zero in all segments of all points is left out of it."""
    zero = np.flatnonzero(~(numbers != 0.0).any(axis=(0, 1)))
    felt = numbers[:, :, given.response : given.response + len(shape.response)]
    still = bool((felt >= 0.0).all())
    parts = [np.asarray(x).tobytes() for x in (*shape, *shape.sums, *given, zero, still)]
    key = tuple(parts)
    if key not in _programs:
        if len(_programs) >= MOST_PROGRAMS:
            _programs.clear()
        _programs[key] = program_of(shape, given, set(zero.tolist()), still=still)
    return _programs[key]


__all__ = ["MOST", "TOLERANCE", "Point", "alone", "run_many"]
