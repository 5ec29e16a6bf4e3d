"""Sparse linear algebra for runs side by side; see linear, whose equations these are."""

from __future__ import annotations

from simulator.engines.flow.compile import compiled
from simulator.engines.flow.lane_kernel import add_sums, add_weeks
from simulator.engines.flow.lanes import (
    BY_QUEUE,
    COLD,
    DONE,
    LEADS,
    MORE,
    OUT,
    PRESS,
    PROMPT,
    SERVICE,
    SHIFT,
    SPARE,
    WORTH,
)
from simulator.engines.flow.rows import (
    WIDTH,
    add,
    copy,
    fill_row,
    invert,
    minus,
    plus,
    scale,
    take,
    times,
)


@compiled
def factor(B, shape, at):  # type: ignore[no-untyped-def]
    """Factors of shift I - A, A the matrix of the flows at the step's start."""
    flow = at.room + BY_QUEUE * len(shape.team)
    for p in range(len(shape.column)):
        fill_row(B, at.lu + p, 0.0)
    for i in range(shape.size):
        own = at.lu + shape.diagonal[i]
        add(B, own, at.lone + SHIFT)
        for e in range(shape.first[i], shape.first[i + 1]):
            add(B, own, flow + e)
            take(B, at.lu + shape.edge[e], flow + e)
    for i in range(shape.size):
        for p in range(shape.row_first[i], shape.diagonal[i]):
            scale(B, at.lu + p, at.lu + shape.diagonal[shape.column[p]])
            for j in range(shape.elim_first[p], shape.elim_first[p + 1]):
                minus(B, at.lu + shape.elim_to[j], at.lu + p, at.lu + shape.elim_by[j])
        invert(B, at.lu + shape.diagonal[i], at.lu + shape.diagonal[i])


@compiled
def _solve(B, shape, at, x, step, count):  # type: ignore[no-untyped-def]
    """Solve in place: of each stock `count` rows, from x + i x step."""
    for i in range(shape.size):
        for p in range(shape.row_first[i], shape.diagonal[i]):
            other = x + shape.column[p] * step
            for c in range(count):
                minus(B, x + i * step + c, at.lu + p, other + c)
    for i in range(shape.size - 1, -1, -1):
        for p in range(shape.diagonal[i] + 1, shape.row_first[i + 1]):
            other = x + shape.column[p] * step
            for c in range(count):
                minus(B, x + i * step + c, at.lu + p, other + c)
        for c in range(count):
            scale(B, x + i * step + c, at.lu + shape.diagonal[i])


@compiled
def sensitivity(B, shape, at):  # type: ignore[no-untyped-def]
    """How the rate of each queue moves with the leads in each of its team's; see linear."""
    queues, room = len(shape.team), at.room
    for q in range(queues):
        for other in range(queues):
            row = at.answer + q * queues + other
            fill_row(B, row, 0.0)
            if shape.team[q] != shape.team[other] or shape.level[q] < shape.level[other]:
                continue
            press, grows = room + PRESS * queues + q, room + MORE * queues + other
            if shape.level[q] == shape.level[other]:
                times(B, row, room + SERVICE * queues + other, room + DONE * queues + other)
                take(B, row, grows)
                scale(B, row, press)
                fill_row(B, at.lone + SPARE, -1.0)
                scale(B, row, at.lone + SPARE)
            else:
                for lane in range(WIDTH):
                    if B[(room + MORE * queues + q) * WIDTH + lane] == 0.0:
                        B[row * WIDTH + lane] = -B[press * WIDTH + lane] * B[grows * WIDTH + lane]


@compiled
def _crowd(B, shape, given, at, done):  # type: ignore[no-untyped-def]
    """Into delta, what a change of the queues' rates, rows from `done` on, does to the flows."""
    queues, room = len(shape.team), at.room
    spare = at.lone + SPARE
    cold = at.delta + len(shape.target) + queues
    for q in range(queues):
        times(B, spare, given.theta + q, room + SERVICE * queues + q)
        fill_row(B, cold + q, 0.0)
        minus(B, cold + q, spare, done + q)
    for i in shape.workers:
        q = shape.queue[i]
        for e in range(shape.first[i], shape.first[i + 1]):
            takes, row = shape.takes[e], at.delta + e
            times(B, row, cold + q if takes == 3 else done + q, given.share + e)
            if takes == 1:
                scale(B, row, room + PROMPT * queues + q)
            elif takes == 2:
                times(B, spare, row, room + PROMPT * queues + q)
                take(B, row, spare)


@compiled
def answer(B, shape, given, at):  # type: ignore[no-untyped-def]
    """Factors of I - D n(Z); see linear.answer: D how rates answer, Z what each rate moves."""
    queues, n, parts = len(shape.team), shape.size, shape.parts
    spare = at.lone + SPARE
    for q in range(queues):
        fill_row(B, at.rho + q, 1.0)
    _crowd(B, shape, given, at, at.rho)
    for i in range(n * queues):
        fill_row(B, at.spread + i, 0.0)
    for i in shape.workers:
        q = shape.queue[i]
        for e in range(shape.first[i], shape.first[i + 1]):
            times(B, spare, at.delta + e, at.z + i * parts)
            take(B, at.spread + i * queues + q, spare)
            add(B, at.spread + shape.target[e] * queues + q, spare)
    _solve(B, shape, at, at.spread, queues, queues)
    for a in range(queues):
        for b in range(queues):
            fill_row(B, at.mixed + a * queues + b, 1.0 if a == b else 0.0)
    for i in shape.workers:
        k = shape.queue[i]
        m = shape.team[k]
        for a in range(shape.team_first[m], shape.team_first[m + 1]):
            for b in range(queues):
                minus(
                    B, at.mixed + a * queues + b, at.answer + a * queues + k,
                    at.spread + i * queues + b,
                )  # fmt: skip
    for k in range(queues):
        pivot = at.mixed + k * queues + k
        invert(B, pivot, pivot)
        for a in range(k + 1, queues):
            f = at.mixed + a * queues + k
            scale(B, f, pivot)
            for b in range(k + 1, queues):
                minus(B, at.mixed + a * queues + b, f, at.mixed + k * queues + b)


@compiled
def _respond(B, shape, given, at, stocks):  # type: ignore[no-untyped-def]
    """Add to a stage's right-hand side what the rates' own change moves."""
    n, parts, queues = shape.size, shape.parts, len(shape.team)
    spare = at.lone + SPARE
    for i in range(n):
        copy(B, at.single + i, stocks + i * parts + LEADS)
    _solve(B, shape, at, at.single, 1, 1)
    rho, leads = at.rho, at.rho + queues
    for q in range(queues):
        fill_row(B, rho + q, 0.0)
        fill_row(B, leads + q, 0.0)
    for i in shape.workers:
        add(B, leads + shape.queue[i], at.single + i)
    for a in range(queues):
        m = shape.team[a]
        for k in range(shape.team_first[m], shape.team_first[m + 1]):
            plus(B, rho + a, at.answer + a * queues + k, leads + k)
    for a in range(queues):
        for b in range(a):
            minus(B, rho + a, at.mixed + a * queues + b, rho + b)
    for a in range(queues - 1, -1, -1):
        for b in range(a + 1, queues):
            minus(B, rho + a, at.mixed + a * queues + b, rho + b)
        scale(B, rho + a, at.mixed + a * queues + a)
    _crowd(B, shape, given, at, rho)
    for i in shape.workers:
        for e in range(shape.first[i], shape.first[i + 1]):
            to = stocks + shape.target[e] * parts
            for c in range(parts):
                times(B, spare, at.delta + e, at.z + i * parts + c)
                take(B, stocks + i * parts + c, spare)
                add(B, to + c, spare)


@compiled
def solve_stage(B, shape, given, at, stocks):  # type: ignore[no-untyped-def]
    """Solve for a stage in place: first the leads, then what grows with them."""
    n, parts, queues = shape.size, shape.parts, len(shape.team)
    y = stocks + n * parts
    done, cold = at.room + DONE * queues, at.room + COLD * queues
    flow = at.room + BY_QUEUE * queues
    _respond(B, shape, given, at, stocks)
    _solve(B, shape, at, stocks, parts, 1)
    add_weeks(B, shape, stocks, parts, stocks)
    _solve(B, shape, at, stocks + WORTH, parts, parts - 1)
    add_sums(B, shape, given, at, done, cold, flow, at.room, stocks, parts, True, y)
    turned = at.delta + len(shape.target) + queues
    add_sums(B, shape, given, at, at.rho, turned, at.delta, at.room, at.z, parts, False, y)
    invert(B, at.lone + OUT, at.lone + SHIFT)
    for i in range(shape.sums.size):
        scale(B, y + i, at.lone + OUT)
