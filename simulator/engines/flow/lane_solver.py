"""The Rosenbrock method of `solver` for runs side by side, each lane with steps of its own.

Lanes go from break to break together and step by step in between; one that is there waits for the
others, and keeps nothing of what is worked out meanwhile. What a lane does depends on nothing but
its own numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.compiled import announcing, keyed
from simulator.engines.flow.compile import OPTIONS, compiled
from simulator.engines.flow.lane_kernel import Kernel
from simulator.engines.flow.lane_linear import Step
from simulator.engines.flow.lanes import LEADS, TO_SIGN, Given, Shape
from simulator.engines.flow.tape import Words, play
from simulator.engines.flow.vectors import (
    WIDTH,
    if_more,
    load,
    most,
    of,
    size,
    store,
    word,
)

Floats = NDArray[np.float64]
LONGEST: Final = 8.0  # weeks of a step


class Rows(NamedTuple):
    """Rows and places that stepping needs. From `cooling` on places of the state."""

    z: int
    point: int
    seen: int
    stages: int
    size: int
    time: int
    piece: int
    begin: int
    step: int
    now: int
    accepted: int
    error: int
    rho: int
    given: int
    given_end: int
    crew: int
    atol: int
    customers: int
    arr: int
    waiting: int
    queues: int
    base: int
    sums: int
    cooling: int


class Program(NamedTuple):
    """What a shape's runs are played from."""

    words: Words
    marks: NDArray[np.int64]  # begin and end: a step before week 0, one after it, a look
    rows: Rows
    live: Words  # (L,) places of the state that are worked out
    kept: Words  # those of them that are written down
    scale: Words  # (L,) their tolerances
    emptied: Words  # places that week 0 forgets
    sold: Words  # (S, 2) places of leads and value of those sold that are still there
    buffer: Floats  # (rows x WIDTH,) to start from: the constants


def program_of(shape: Shape, given: Given, zero: set[int], *, still: bool) -> Program:
    """Write the program of a shape; zero, still: see Kernel."""
    kernel = Kernel(shape, given, zero, still=still)
    step = Step(kernel)
    tapes = [step.write(opened=False), step.write(opened=True), step.look()]
    words = [t.words() for t in tapes]
    ends = np.cumsum([0, *(len(w) for w in words)])
    take, sums, g = kernel.rows.take, shape.sums, kernel.given
    rows = Rows(
        z=step.z, point=step.point, seen=step.seen, stages=step.stages, size=kernel.size,
        time=kernel.time, piece=kernel.piece, begin=kernel.begin, step=step.step, now=step.now,
        accepted=take(1), error=take(1), rho=take(4), given=g.share, given_end=given.end,
        crew=kernel.crew, atol=g.atol, customers=g.customers, arr=g.arr,
        waiting=kernel.rooms[1].waiting, queues=len(shape.team), base=kernel.stocks + sums.base,
        sums=kernel.stocks, cooling=kernel.stocks + sums.cooling,
    )  # fmt: skip
    buffer = np.zeros((kernel.rows.top, WIDTH))
    for number, row in kernel.rows.constants.items():
        buffer[row] = number
    buffer[step.step] = 1.0
    live, parts = step.live(), shape.parts
    stocks = range(shape.size)
    emptied = [i * parts + c for i in stocks if shape.kind[i] >= 2 for c in range(parts)]
    sold = [(i * parts, i * parts + 1) for i in stocks if shape.kind[i] < 2 and shape.sold[i]]
    return Program(
        np.concatenate(words), np.array([ends[:-1], ends[1:]]).T.reshape(-1).astype(np.int64), rows,
        np.array(live, dtype=np.int32), np.array([i for i in live if _read(shape, i)], np.int32),
        shape.scale[live].astype(np.int32),
        np.array([*emptied, *range(kernel.stocks, rows.cooling)], dtype=np.int32),
        np.array(sold, dtype=np.int32).reshape(-1), buffer.reshape(-1),
    )  # fmt: skip


def _read(shape: Shape, place: int) -> bool:
    """Whether time series are read from a place of the state."""
    stock, part = divmod(place, shape.parts)
    return stock >= shape.size or part == LEADS or (bool(shape.sold[stock]) and part <= TO_SIGN)


@compiled
def _end(B, at, live, scale, tableau, rtol):  # type: ignore[no-untyped-def]
    """The step's end into `point`, and its error over the tolerance, squared and added up."""
    b0, b1, b2, b3 = tableau[8, 0], tableau[8, 1], tableau[8, 2], tableau[8, 3]
    e0, e1, e2, e3 = (
        tableau[9, 0] / rtol, tableau[9, 1] / rtol, tableau[9, 2] / rtol, tableau[9, 3] / rtol
    )  # fmt: skip
    total = of(0.0)
    for k in range(len(live)):
        i = word(live, k)
        x0 = load(B, at.stages + i)
        x1 = load(B, at.stages + at.size + i)
        x2 = load(B, at.stages + 2 * at.size + i)
        x3 = load(B, at.stages + 3 * at.size + i)
        old = load(B, at.z + i)
        new = old + b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
        store(B, at.point + i, new)
        error = e0 * x0 + e1 * x1 + e2 * x2 + e3 * x3
        part = error / (load(B, at.atol + word(scale, k)) + most(size(old), size(new)))
        total = total + part * part
    store(B, at.error, total)


@compiled
def _save(  # type: ignore[no-untyped-def]
    B, W, at, live, keep, end, dense, marks, table, grid, kept, waiting, following, ready
):
    """Write down what lies within the step that each lane has just made, if anything does.

    following: (lanes,) the next of the grid. Needs z to be the step's start still.
    """
    while True:
        more = False
        for lane in range(WIDTH):
            ready[lane] = -1
            if not B[at.accepted * WIDTH + lane] > 0.0 or following[lane] >= len(grid):
                continue
            step, t = B[at.step * WIDTH + lane], B[at.time * WIDTH + lane]
            reached = end if step == end - t else t + step
            now = grid[following[lane]]
            if now <= reached:
                more = True
                ready[lane] = following[lane]
                following[lane] += 1
                B[at.now * WIDTH + lane] = now
                x = min(1.0, (now - t) / step)
                for j in range(4):
                    B[(at.rho + j) * WIDTH + lane] = x * (
                        dense[0, j] + x * (dense[1, j] + x * dense[2, j])
                    )
        if not more:
            return
        r0 = load(B, at.rho)
        r1 = load(B, at.rho + 1)
        r2 = load(B, at.rho + 2)
        r3 = load(B, at.rho + 3)
        for k in range(len(live)):
            i = word(live, k)
            found = load(B, at.z + i) + r0 * load(B, at.stages + i)
            found = found + r1 * load(B, at.stages + at.size + i)
            found = found + r2 * load(B, at.stages + 2 * at.size + i)
            found = found + r3 * load(B, at.stages + 3 * at.size + i)
            store(B, at.seen + i, found)
        play(B, W, marks[4], marks[5], table)
        _keep(B, at, keep, kept, waiting, ready)


@compiled
def _keep(B, at, keep, kept, waiting, ready):  # type: ignore[no-untyped-def]
    """Write down places `keep` of the state `seen`, of each lane where it is ready for; or -1."""
    for lane in range(WIDTH):
        row = ready[lane]
        if row >= 0:
            for k in range(len(keep)):
                i = word(keep, k)
                kept[lane, row, k] = B[(at.seen + i) * WIDTH + lane]
            for q in range(at.queues):
                waiting[lane, row, q] = B[(at.waiting + q) * WIDTH + lane]


@compiled
def _piece(  # type: ignore[no-untyped-def]
    B, W, at, live, keep, scale, begin, end, tableau, dense, opened, rtol, marks, table, h, limit,
    grid, kept, waiting, following, going, tries, ready
):  # fmt: skip
    """Take every lane from a break to the next. going: (lanes,) 1 on the way, 0 there, -1 lost."""
    for lane in range(WIDTH):
        B[at.time * WIDTH + lane] = begin
    first, last = (marks[2], marks[3]) if opened else (marks[0], marks[1])
    while True:
        active = False
        for lane in range(WIDTH):
            step = 1.0
            if going[lane] > 0:
                active = True
                left = end - B[at.time * WIDTH + lane]
                step = min(h[lane], LONGEST)
                if step >= left * (1.0 - 1e-12):
                    step = left
            B[at.step * WIDTH + lane] = step
        if not active:
            return
        play(B, W, first, last, table)
        _end(B, at, live, scale, tableau, rtol)
        for lane in range(WIDTH):
            B[at.accepted * WIDTH + lane] = 0.0
            if going[lane] <= 0:
                continue
            step, t = B[at.step * WIDTH + lane], B[at.time * WIDTH + lane]
            tries[lane] += 1
            error = math.sqrt(B[at.error * WIDTH + lane] / at.size)
            grow = 5.0 if error < 1e-9 else min(5.0, max(0.2, 0.9 * error ** (-1.0 / 3.0)))
            if error <= 1.0:
                B[at.accepted * WIDTH + lane] = 1.0
                h[lane] = max(h[lane], step * grow) if step < h[lane] else step * grow
            else:
                h[lane] = 0.1 * step if math.isnan(error) else step * min(grow, 0.9)
            if h[lane] < 1e-12 * max(1.0, abs(t)) or tries[lane] > limit:
                going[lane] = -1
        if opened:
            _save(
                B, W, at, live, keep, end, dense, marks, table, grid, kept, waiting, following,
                ready,
            )  # fmt: skip
        for lane in range(WIDTH):
            if B[at.accepted * WIDTH + lane] > 0.0:
                step, t = B[at.step * WIDTH + lane], B[at.time * WIDTH + lane]
                if step == end - t and going[lane] > 0:
                    going[lane] = 0
                B[at.time * WIDTH + lane] = t + step
        accepted = load(B, at.accepted)
        for k in range(len(live)):
            i = word(live, k)
            here = load(B, at.z + i)
            store(B, at.z + i, if_more(accepted, of(0.0), load(B, at.point + i), here))


@compiled
def _open(B, at, emptied, sold):  # type: ignore[no-untyped-def]
    """Week 0: forget what is over, keep the pipeline, bring in the customers there are."""
    won = of(0.0)
    worth = of(0.0)
    for i in range(0, len(sold), 2):
        won = won + load(B, at.z + word(sold, i))
        worth = worth + load(B, at.z + word(sold, i + 1))
    for i in range(len(emptied)):
        store(B, at.z + word(emptied, i), of(0.0))
    # Someone holds the ARR there is.
    here = load(B, at.customers)
    least = if_more(here, of(1.0), of(1.0), here)
    store(B, at.z + at.base, most(least, here - won))
    store(B, at.z + at.base + 2, most(of(0.0), load(B, at.arr) - worth))


def travel(arguments):  # type: ignore[no-untyped-def]
    """Take a block of lanes through a run, and write down where they are on the grid.

    clock: (P + 1,) breaks; opening: which of them is week 0. kept, waiting: (lanes, T, .).
    """
    (
        B, W, marks, at, live, keep, scale, emptied, sold, segment, clock, edges, opening,
        parameters, staff, table, tableau, dense, rtol, grid, kept, waiting, h, following, going,
        tries, ready, limit,
    ) = arguments  # fmt: skip
    for piece in range(len(segment)):
        begin, k = clock[piece], segment[piece]
        if piece == opening:
            for i in range(at.size):
                store(B, at.seen + i, load(B, at.z + i))
            if piece > 0:  # who waits is not changed by week 0
                for lane in range(WIDTH):
                    B[at.now * WIDTH + lane] = begin
                play(B, W, marks[4], marks[5], table)
        for r in range(staff.shape[1]):
            for lane in range(WIDTH):
                B[(at.crew + r) * WIDTH + lane] = staff[piece, r, lane]
        if piece == 0 or k != segment[piece - 1]:
            for r in range(at.given_end):
                for lane in range(WIDTH):
                    B[(at.given + r) * WIDTH + lane] = parameters[k, r, lane]
            for lane in range(WIDTH):
                B[at.begin * WIDTH + lane] = edges[k]
            if piece == 0:
                store(B, at.z + at.base, load(B, at.customers))
        if piece == opening:
            _open(B, at, emptied, sold)
            for i in range(at.size):
                store(B, at.seen + i, load(B, at.z + i))
            for lane in range(WIDTH):
                ready[lane] = 0
            _keep(B, at, keep, kept, waiting, ready)
        for lane in range(WIDTH):
            B[at.piece * WIDTH + lane] = begin
            if going[lane] >= 0:
                going[lane] = 1
        _piece(
            B, W, at, live, keep, scale, begin, clock[piece + 1], tableau, dense, piece >= opening,
            rtol, marks, table, h, limit, grid, kept, waiting, following, going, tries, ready,
        )  # fmt: skip


@cache
def program(key: int) -> Callable[..., Any]:
    """Travel, from numba's cache if it is there under the key."""
    what = "the flow engine for many points: half a minute"
    return announcing(keyed(travel, key, nogil=True, **OPTIONS), what)


__all__ = ["Program", "program", "program_of", "travel"]
