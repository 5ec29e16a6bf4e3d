"""The Rosenbrock method of `solver` for runs side by side, each lane with steps of its own.

Lanes go from break to break together and step by step in between; one that is there waits for the
others, and keeps nothing of what is worked out meanwhile. What a lane does depends on nothing but
its own numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from numba import njit

from simulator.engines.flow.compile import OPTIONS, compiled
from simulator.engines.flow.lane_kernel import hold, slope
from simulator.engines.flow.lane_linear import answer, factor, sensitivity, solve_stage
from simulator.engines.flow.lane_queues import number, serve
from simulator.engines.flow.lanes import (
    ACCEPT,
    ACTIVE,
    BEGIN,
    ERROR,
    FAILED,
    GOING,
    LEADS,
    NEXT,
    OUT,
    SHIFT,
    SPARE,
    STEP,
    TIME,
    TRIES,
    WAITING,
    WORTH,
)
from simulator.engines.flow.rows import (
    WIDTH,
    add,
    copy,
    fill_row,
    more,
    over,
    pick,
    plus,
    weigh,
)
from simulator.engines.flow.solver import GAMMA

LONGEST: Final = 8.0  # weeks of a step


@compiled
def _judge(B, shape, given, at, size, tableau, rtol):  # type: ignore[no-untyped-def]
    """Root mean square of the step's error over its tolerance, into ERROR, squared."""
    error, spare = at.lone + ERROR, at.lone + SPARE
    fill_row(B, error, 0.0)
    for i in range(size):
        fill_row(B, spare, 0.0)
        for j in range(4):
            a = tableau[9, j] / rtol
            if a != 0.0:
                more(B, spare, a, at.stages + j * size + i)
        weigh(B, error, spare, at.z + i, at.point + i, given.atol + shape.scale[i])


@compiled
def _attempt(  # type: ignore[no-untyped-def]
    B, shape, given, at, size, begin, tableau, opened, tables, there, held
):
    """Try a step of every lane that is active, from TIME by STEP; leaves the end in `point`."""
    slope(
        B, shape, given, at, at.room, at.z, at.slope, begin, opened, tables, there,
        held,
    )  # fmt: skip
    sensitivity(B, shape, at)
    factor(B, shape, at)
    answer(B, shape, given, at)
    spare = at.lone + OUT
    for lane in range(WIDTH):
        B[(at.lone + NEXT) * WIDTH + lane] = B[(at.lone + TIME) * WIDTH + lane]
    for s in range(4):
        found, rise = at.stages + s * size, at.slope
        if s > 0:
            rise = at.slope + size
            for i in range(size):
                copy(B, at.point + i, at.z + i)
            for j in range(s):
                a = tableau[s, j]
                if a != 0.0:
                    for i in range(size):
                        more(B, at.point + i, a, at.stages + j * size + i)
            copy(B, at.lone + TIME, at.lone + NEXT)
            more(B, at.lone + TIME, tableau[10, s], at.lone + STEP)
            slope(
                B, shape, given, at, at.room + at.room_size, at.point, rise, begin,
                opened, tables, there, held,
            )  # fmt: skip
        for i in range(size):
            copy(B, found + i, rise + i)
        for j in range(s):
            a = tableau[4 + s, j]
            if a != 0.0:
                fill_row(B, spare, a)
                over(B, spare, spare, at.lone + STEP)
                for i in range(size):
                    plus(B, found + i, spare, at.stages + j * size + i)
        solve_stage(B, shape, given, at, found)
    copy(B, at.lone + TIME, at.lone + NEXT)
    for i in range(size):
        copy(B, at.point + i, at.z + i)
    for j in range(4):
        a = tableau[8, j]
        if a != 0.0:
            for i in range(size):
                more(B, at.point + i, a, at.stages + j * size + i)


@compiled
def _save(  # type: ignore[no-untyped-def]
    B, shape, given, at, size, begin, end, dense, tables, there, held, grid, kept,
    waiting, following,
):  # fmt: skip
    """Write down what lies within the step that each lane has just made, if anything does.

    following: (lanes,) the next of the grid. Needs z to be the step's start still.
    """
    lone, state, queues = at.lone, at.slope + size, len(shape.team)
    for lane in range(WIDTH):
        B[(lone + NEXT) * WIDTH + lane] = B[(lone + TIME) * WIDTH + lane]
    while True:
        some = False
        for lane in range(WIDTH):
            B[(lone + ACTIVE) * WIDTH + lane] = 0.0
            if not B[(lone + ACCEPT) * WIDTH + lane] > 0.0 or following[lane] >= len(grid):
                continue
            step, t = B[(lone + STEP) * WIDTH + lane], B[(lone + NEXT) * WIDTH + lane]
            reached = end if step == end - t else t + step
            now = grid[following[lane]]
            if now <= reached:
                some = True
                B[(lone + ACTIVE) * WIDTH + lane] = 1.0
                B[(lone + TIME) * WIDTH + lane] = now
                x = min(1.0, (now - t) / step)
                for j in range(4):
                    B[(at.rho + j) * WIDTH + lane] = x * (
                        dense[0, j] + x * (dense[1, j] + x * dense[2, j])
                    )
        if not some:
            break
        for i in range(size):
            copy(B, state + i, at.z + i)
            for j in range(4):
                plus(B, state + i, at.rho + j, at.stages + j * size + i)
        number(B, shape, at, state)
        serve(B, shape, given, at, at.room + at.room_size, begin, tables, there, held)
        for lane in range(WIDTH):
            if B[(lone + ACTIVE) * WIDTH + lane] > 0.0:
                row = following[lane]
                for i in range(size):
                    kept[row, i, lane] = B[(state + i) * WIDTH + lane]
                for q in range(queues):
                    place = at.room + at.room_size + WAITING * queues + q
                    waiting[row, q, lane] = B[place * WIDTH + lane]
                following[lane] += 1
    copy(B, lone + TIME, lone + NEXT)


@compiled
def _piece(  # type: ignore[no-untyped-def]
    B, shape, given, at, size, begin, end, tableau, dense, opened, rtol, tables,
    there, held, h, limit, grid, kept, waiting, following,
):  # fmt: skip
    """Take every lane from a break to the next."""
    lone = at.lone
    for lane in range(WIDTH):
        B[(lone + GOING) * WIDTH + lane] = 1.0 - B[(lone + FAILED) * WIDTH + lane]
        B[(lone + TIME) * WIDTH + lane] = begin
    while True:
        active = False
        for lane in range(WIDTH):
            step = 1.0
            if B[(lone + GOING) * WIDTH + lane] > 0.0:
                active = True
                left = end - B[(lone + TIME) * WIDTH + lane]
                step = min(h[lane], LONGEST)
                if step >= left * (1.0 - 1e-12):
                    step = left
            B[(lone + STEP) * WIDTH + lane] = step
            B[(lone + SHIFT) * WIDTH + lane] = 1.0 / (step * GAMMA)
        if not active:
            return
        copy(B, lone + ACTIVE, lone + GOING)
        _attempt(B, shape, given, at, size, begin, tableau, opened, tables, there, held)
        _judge(B, shape, given, at, size, tableau, rtol)
        for lane in range(WIDTH):
            B[(lone + ACCEPT) * WIDTH + lane] = 0.0
            if not B[(lone + GOING) * WIDTH + lane] > 0.0:
                continue
            step, t = B[(lone + STEP) * WIDTH + lane], B[(lone + TIME) * WIDTH + lane]
            B[(lone + TRIES) * WIDTH + lane] += 1.0
            error = math.sqrt(B[(lone + ERROR) * WIDTH + lane] / size)
            grow = 5.0 if error < 1e-9 else min(5.0, max(0.2, 0.9 * error ** (-1.0 / 3.0)))
            if error <= 1.0:
                B[(lone + ACCEPT) * WIDTH + lane] = 1.0
                h[lane] = max(h[lane], step * grow) if step < h[lane] else step * grow
            else:
                h[lane] = 0.1 * step if math.isnan(error) else step * min(grow, 0.9)
            tries = B[(lone + TRIES) * WIDTH + lane]
            if h[lane] < 1e-12 * max(1.0, abs(t)) or tries > limit:
                B[(lone + FAILED) * WIDTH + lane] = 1.0
                B[(lone + GOING) * WIDTH + lane] = 0.0
        if opened:
            _save(
                B, shape, given, at, size, begin, end, dense, tables, there, held,
                grid, kept, waiting, following,
            )  # fmt: skip
        for lane in range(WIDTH):
            if B[(lone + ACCEPT) * WIDTH + lane] > 0.0:
                step, t = B[(lone + STEP) * WIDTH + lane], B[(lone + TIME) * WIDTH + lane]
                if step == end - t:
                    B[(lone + GOING) * WIDTH + lane] = 0.0
                B[(lone + TIME) * WIDTH + lane] = t + step
        for i in range(size):
            pick(B, at.z + i, lone + ACCEPT, at.point + i)


@compiled
def _open(B, shape, given, at):  # type: ignore[no-untyped-def]
    """Week 0: forget what is over, keep the pipeline, bring in the customers there are."""
    n, parts, sums = shape.size, shape.parts, shape.sums
    y = at.z + n * parts
    won, worth = at.lone + OUT, at.lone + SPARE
    fill_row(B, won, 0.0)
    fill_row(B, worth, 0.0)
    for i in range(n):
        if shape.kind[i] >= 2:
            for c in range(parts):
                fill_row(B, at.z + i * parts + c, 0.0)
        elif shape.sold[i]:
            add(B, won, at.z + i * parts + LEADS)
            add(B, worth, at.z + i * parts + WORTH)
    for i in range(sums.cooling):
        fill_row(B, y + i, 0.0)
    for lane in range(WIDTH):
        # Someone holds the ARR there is.
        here = B[given.customers * WIDTH + lane]
        B[(y + sums.base) * WIDTH + lane] = max(min(here, 1.0), here - B[won * WIDTH + lane])
        arr = B[given.arr * WIDTH + lane] - B[worth * WIDTH + lane]
        B[(y + sums.base + 2) * WIDTH + lane] = max(0.0, arr)


@compiled
def travel(  # type: ignore[no-untyped-def]
    B, shape, given, at, segment, clock, edges, opening, parameters, staff, tables, there, tableau,
    dense, rtol, grid, kept, waiting, held, h, following, limit,
):  # fmt: skip
    """Take a block of lanes through a run, and write down where they are on the grid.

    clock: (P + 1,) breaks; opening: which of them is week 0.
    """
    size = shape.size * shape.parts + shape.sums.size
    y = at.z + shape.size * shape.parts
    for piece in range(len(segment)):
        begin, k = clock[piece], segment[piece]
        if piece == opening and piece > 0:
            _wait(
                B, shape, given, at, clock[piece - 1], begin, tables, there, held,
                waiting,
            )  # fmt: skip
        for r in range(staff.shape[1]):
            for lane in range(WIDTH):
                B[(at.crew + r) * WIDTH + lane] = staff[piece, r, lane]
        if piece == 0 or k != segment[piece - 1]:
            for r in range(given.end):
                for lane in range(WIDTH):
                    B[(at.given + r) * WIDTH + lane] = parameters[k, r, lane]
            hold(B, shape, given, at)
            fill_row(B, at.lone + BEGIN, edges[k])
            if piece == 0:
                copy(B, y + shape.sums.base, given.customers)
        if piece == opening:
            _open(B, shape, given, at)
            for i in range(size):
                for lane in range(WIDTH):
                    kept[0, i, lane] = B[(at.z + i) * WIDTH + lane]
        _piece(
            B, shape, given, at, size, begin, clock[piece + 1], tableau, dense,
            piece >= opening, rtol, tables, there, held, h, limit, grid, kept, waiting, following,
        )  # fmt: skip


@compiled
def _wait(  # type: ignore[no-untyped-def]
    B, shape, given, at, begin, now, tables, there, held, waiting
):
    """Write down the share of each queue that waits at week 0."""
    queues = len(shape.team)
    fill_row(B, at.lone + ACTIVE, 1.0)
    fill_row(B, at.lone + TIME, now)
    number(B, shape, at, at.z)
    serve(B, shape, given, at, at.room, begin, tables, there, held)
    for q in range(queues):
        for lane in range(WIDTH):
            waiting[0, q, lane] = B[(at.room + WAITING * queues + q) * WIDTH + lane]


@cache
def program(key: int) -> Callable[..., Any]:
    """Travel of one tuple of arguments, from numba's cache if it is there under the key."""

    @njit(cache=True, nogil=True, **OPTIONS)
    def run(arguments):  # type: ignore[no-untyped-def]
        """The program; the key is part of its name in the cache."""
        if key >= 0:
            travel(*arguments)

    made: Callable[..., Any] = run
    return made


__all__ = ["program", "travel"]
