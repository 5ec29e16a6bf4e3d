"""A Rosenbrock-W method with error control for the flow engine's equations.

ROS34PW2 (Rang & Angermann 2005, BIT 45): order 3, L-stable, stiffly accurate, and of that order for
any matrix in place of the Jacobian. The matrix taken is that of the stocks' flows at the step's
start, at rates held fixed: sparse, the same for every lane, and with columns that add up to zero,
so that a step moves leads, hours and dollars but makes or loses none. It is factored without
pivots, in an order that keeps it sparse (Markowitz 1957).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.engines.flow.compile import compiled
from simulator.engines.flow.kernel import add_burden, add_sums, count, hold, serve, slope
from simulator.engines.flow.layout import Net, Sums
from simulator.engines.flow.linear import Pattern, answer, factor, respond, sensitivity, solve
from simulator.engines.flow.shares import branch

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GAMMA: Final = 4.3586652150845900e-01
_ALPHA = np.array(
    [
        [0.0, 0.0, 0.0, 0.0],
        [8.7173304301691801e-01, 0.0, 0.0, 0.0],
        [8.4457060015369423e-01, -1.1299064236484185e-01, 0.0, 0.0],
        [0.0, 0.0, 1.0, 0.0],
    ]
)
_GAMMA = np.array(
    [
        [GAMMA, 0.0, 0.0, 0.0],
        [-8.7173304301691801e-01, GAMMA, 0.0, 0.0],
        [-9.0338057013044082e-01, 5.4180672388095326e-02, GAMMA, 0.0],
        [2.4212380706095346e-01, -1.2232505839045147e00, 5.4526025533510214e-01, GAMMA],
    ]
)
_B = np.array([2.4212380706095346e-01, -1.2232505839045147e00, 1.5452602553351020e00, GAMMA])
_B_HAT = np.array(
    [3.7810903145819369e-01, -9.6042292212423178e-02, 5.0e-01, 2.1793326075422950e-01]
)
_INVERSE = np.linalg.inv(_GAMMA)
TABLEAU: Final = np.concatenate(
    [
        _ALPHA @ _INVERSE,  # rows 0-3: the points of the stages
        np.diag(np.diag(_INVERSE)) - _INVERSE,  # rows 4-7: what earlier stages add
        (_B @ _INVERSE)[None, :],  # row 8: the step
        ((_B - _B_HAT) @ _INVERSE)[None, :],  # row 9: its error
        _ALPHA.sum(axis=1)[None, :],  # row 10: the times
    ]
)

# What stages add up to at a share x of a step: rows of x, x^2, x^3. Of order 3 with the conditions
# of a W-method in between too: sum b = x, sum b alpha = x^2 / 2, sum b gamma = 0, sum b alpha^2 =
# x^3 / 3.
_A = _ALPHA.sum(axis=1)
_CONDITIONS = np.array([np.ones(4), _A, _GAMMA.sum(axis=1), _A**2])
DENSE: Final = np.array(
    [
        np.linalg.solve(_CONDITIONS, np.array(right)) @ _INVERSE
        for right in ([1.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0 / 3.0])
    ]
)


@compiled
def _combine(base, tableau, row, divide, U, count, out):  # type: ignore[no-untyped-def]
    """Out = base + sum of tableau[row, j] / divide U[j] over the first `count` stages."""
    for i in range(len(out)):
        out[i] = base[i]
    for j in range(count):
        a = tableau[row, j] / divide
        if a != 0.0:
            u = U[j]
            for i in range(len(out)):
                out[i] += a * u[i]


@compiled
def _error(old, new, U, tableau, atol, rtol):  # type: ignore[no-untyped-def]
    """Root mean square of the step's error over its tolerance."""
    total = 0.0
    for i in range(len(old)):
        e = 0.0
        for j in range(4):
            e += tableau[9, j] * U[j, i]
        e /= atol[i] + rtol * max(abs(old[i]), abs(new[i]))
        total += e * e
    return math.sqrt(total / len(old))


class Space(NamedTuple):
    """State and working memory: flat, X and Y in one; and the same memory as X and as Y."""

    z: Floats
    zx: Floats  # (n, lanes)
    zy: Floats
    point: Floats
    px: Floats
    py: Floats
    slope: Floats  # (2, .) at the step's start, and at a stage
    sx: Floats  # (2, n, lanes)
    sy: Floats
    stages: Floats  # (4, .)
    ux: Floats  # (4, n, lanes)
    uy: Floats
    lu: Floats
    where: Ints
    leads: Floats  # (n,)
    single: Floats  # (n, 1)
    spread: Floats  # (n, Q)
    rho: Floats  # (Q,)
    matrices: Floats  # (4, Q, Q)


def space_of(net: Net, sums: Sums, pattern: Pattern) -> Space:
    """Working memory of the right size, the state 0."""
    n, lanes, queues = len(net.links.kind), net.links.lanes, len(net.queues.stage)
    cut = n * lanes

    def views(*shape: int) -> tuple[Floats, Floats, Floats]:
        flat = np.zeros((*shape, cut + sums.size))
        return flat, flat[..., :cut].reshape(*shape, n, lanes), flat[..., cut:]

    return Space(
        *views(), *views(), *views(2), *views(4), np.zeros(len(pattern.column)),
        np.zeros(n, dtype=np.int64), np.zeros(n), np.zeros((n, 1)), np.zeros((n, queues)),
        np.zeros(queues), np.zeros((4, queues, queues)),
    )  # fmt: skip


@compiled
def solve_stage(  # type: ignore[no-untyped-def]
    s, shift, k, links, queues, sums, start, line, delta, pattern, P, space
):
    """Solve for a stage in place: first the leads, then the lanes that grow with them."""
    stocks, y = space.ux[s], space.uy[s]
    channels = links.channels
    lanes = links.lanes
    respond(links, start, line, k, P, pattern, delta, stocks, space)
    solve(pattern, space.lu, stocks, 0, channels)
    for i in range(len(links.kind)):
        total = 0.0
        for c in range(channels):
            total += stocks[i, c]
        space.leads[i] = total
    add_burden(links, start, space.leads, stocks)
    solve(pattern, space.lu, stocks, channels, lanes)
    add_sums(k, links, queues, sums, start, space.leads, True, y)
    add_sums(k, links, queues, sums, delta, start.leads, False, y)
    for i in range(len(y)):
        y[i] /= shift


@compiled
def integrate(  # type: ignore[no-untyped-def]
    ends, keep, first_piece, last_piece, h, space, net, staff, sums, start_room, stage_room, delta,
    pattern, tableau, opened, rtol, atol, kept, kept_w, limit,
):  # fmt: skip
    """Go from piece to piece. ends: (P,) times; keep: (P,) row of kept to fill at the end, or -1.

    Changes space.z. Returns (right-hand sides, steps, rejected, next step size, that after the
    first step, time reached): short of the end where the step size vanishes or the limit of calls
    is passed.
    """
    links, queues, demand, life = net.links, net.queues, net.demand, net.life
    start, line = start_room.moves, start_room.line
    size = len(space.z)
    D, P = space.matrices[0], space.matrices[1]
    calls = steps = rejected = 0
    opening = h
    t = staff.begin[first_piece]
    for piece in range(first_piece, last_piece):
        k = staff.segment[piece]
        t, end = staff.begin[piece], ends[piece]
        if len(net.odds.code) > 0:
            branch(k, links, demand.src_share, net.odds, space.zx)
        hold(k, links, start)
        hold(k, links, stage_room.moves)
        fresh = True
        while t < end:
            left = end - t
            step = h
            if step >= left * (1.0 - 1e-12):
                step = left
            if fresh:
                slope(
                    t, piece, space.zx, space.zy, links, queues, demand, life, staff, sums,
                    start, line, opened, space.sx[0], space.sy[0],
                )  # fmt: skip
                sensitivity(queues, start, line, D)
                calls += 1
                fresh = False
            shift = 1.0 / (step * GAMMA)
            factor(shift, links, start.flow, pattern, space.lu, space.where)
            answer(links, start, line, k, pattern, delta, space)
            for s in range(4):
                if s > 0:
                    _combine(space.z, tableau, s, 1.0, space.stages, s, space.point)
                    now = t + tableau[10, s] * step
                    slope(
                        now, piece, space.px, space.py, links, queues, demand, life, staff, sums,
                        stage_room.moves, stage_room.line, opened, space.sx[1], space.sy[1],
                    )  # fmt: skip
                    calls += 1
                _combine(
                    space.slope[min(s, 1)], tableau, 4 + s, step, space.stages, s, space.stages[s]
                )
                solve_stage(s, shift, k, links, queues, sums, start, line, delta, pattern, P, space)
            _combine(space.z, tableau, 8, 1.0, space.stages, 4, space.point)
            error = _error(space.z, space.point, space.stages, tableau, atol, rtol)
            grow = 5.0 if error < 1e-9 else min(5.0, max(0.2, 0.9 * error ** (-1.0 / 3.0)))
            if error <= 1.0:
                steps += 1
                for i in range(size):
                    space.z[i] = space.point[i]
                t = end if step == left else t + step
                h = max(h, step * grow) if step < h else step * grow
                if steps == 1:
                    opening = h
                fresh = True
            else:
                rejected += 1
                h = 0.1 * step if math.isnan(error) else step * min(grow, 0.9)
            if h < 1e-12 * max(1.0, abs(t)) or calls > limit:
                return calls, steps, rejected, h, opening, t
        if keep[piece] >= 0:
            for i in range(size):
                kept[keep[piece], i] = space.z[i]
            count(links, space.zx, start, line)
            serve(end, piece, queues, staff, start, line)
            for q in range(len(line.waiting)):
                kept_w[keep[piece], q] = line.waiting[q]
    return calls, steps, rejected, h, opening, t
