"""Sparse linear algebra of the flow engine: the flows' matrix, and how queues answer to leads.

The matrix of the flows at fixed rates is sparse, the same for every lane, and has columns that add
up to zero. It is factored without pivots, in an order that keeps it sparse (Markowitz 1957). What
leads do to the rates themselves is a change of low rank, one for each queue (Woodbury).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulator.engines.flow.compile import compiled
from simulator.engines.flow.kernel import add_work

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Pattern(NamedTuple):
    """Where a factored matrix has entries, by rows; and where edges and the diagonal go."""

    first: Ints  # (n + 1,)
    column: Ints
    diagonal: Ints  # (n,)
    edge: Ints  # (E,)


@njit(cache=True)
def elimination_order(size, source, target):  # type: ignore[no-untyped-def]
    """An order of the stocks in which eliminating them joins few others."""
    joined = np.zeros((size, size), dtype=np.bool_)
    for e in range(len(source)):
        if source[e] != target[e]:
            joined[source[e], target[e]] = True
    ins = np.zeros(size, dtype=np.int64)
    outs = np.zeros(size, dtype=np.int64)
    for i in range(size):
        for j in range(size):
            if joined[i, j]:
                outs[i] += 1
                ins[j] += 1
    left = np.ones(size, dtype=np.bool_)
    order = np.zeros(size, dtype=np.int64)
    for turn in range(size):
        best, cost = -1, 1 << 60
        for i in range(size):
            if left[i] and ins[i] * outs[i] < cost:
                best, cost = i, ins[i] * outs[i]
        order[turn] = best
        left[best] = False
        for j in range(size):
            if left[j] and joined[best, j]:
                ins[j] -= 1
        for i in range(size):
            if left[i] and joined[i, best]:
                outs[i] -= 1
                for j in range(size):
                    if left[j] and joined[best, j] and i != j and not joined[i, j]:
                        joined[i, j] = True
                        outs[i] += 1
                        ins[j] += 1
    return order


@njit(cache=True)
def _fill(size, source, target):  # type: ignore[no-untyped-def]
    there = np.zeros((size, size), dtype=np.bool_)
    for i in range(size):
        there[i, i] = True
    for e in range(len(source)):
        there[target[e], source[e]] = True
    for k in range(size):
        for i in range(k + 1, size):
            if there[i, k]:
                for j in range(k + 1, size):
                    there[i, j] = there[i, j] or there[k, j]
    return there


def pattern_of(size: int, source: Ints, target: Ints) -> Pattern:
    """The entries of the factors, stocks being numbered in order of elimination."""
    there = _fill(size, source, target)
    rows, columns = np.nonzero(there)
    first = np.searchsorted(rows, np.arange(size + 1))
    place = np.zeros((size, size), dtype=np.int64)
    place[rows, columns] = np.arange(len(rows))
    return Pattern(
        first.astype(np.int64),
        columns.astype(np.int64),
        np.ascontiguousarray(np.diagonal(place)),
        place[target, source],
    )


@compiled
def factor(shift, links, flow, pattern, lu, where):  # type: ignore[no-untyped-def]
    """Factors of shift I - A, A the matrix of the flows."""
    n = len(pattern.diagonal)
    for p in range(len(lu)):
        lu[p] = 0.0
    for i in range(n):
        out = shift
        for e in range(links.first[i], links.first[i + 1]):
            out += flow[e]
        lu[pattern.diagonal[i]] += out
    for e in range(len(flow)):
        lu[pattern.edge[e]] -= flow[e]
    for i in range(n):
        for p in range(pattern.first[i], pattern.first[i + 1]):
            where[pattern.column[p]] = p
        for p in range(pattern.first[i], pattern.diagonal[i]):
            k = pattern.column[p]
            lu[p] *= lu[pattern.diagonal[k]]
            f = lu[p]
            if f != 0.0:
                for q in range(pattern.diagonal[k] + 1, pattern.first[k + 1]):
                    lu[where[pattern.column[q]]] -= f * lu[q]
        lu[pattern.diagonal[i]] = 1.0 / lu[pattern.diagonal[i]]  # kept inverted


@compiled
def solve(pattern, lu, X, begin, lanes):  # type: ignore[no-untyped-def]
    """Solve in place, lanes begin..lanes - 1."""
    n = len(X)
    for i in range(n):
        for p in range(pattern.first[i], pattern.diagonal[i]):
            f, k = lu[p], pattern.column[p]
            for c in range(begin, lanes):
                X[i, c] -= f * X[k, c]
    for i in range(n - 1, -1, -1):
        for p in range(pattern.diagonal[i] + 1, pattern.first[i + 1]):
            f, k = lu[p], pattern.column[p]
            for c in range(begin, lanes):
                X[i, c] -= f * X[k, c]
        f = lu[pattern.diagonal[i]]
        for c in range(begin, lanes):
            X[i, c] *= f


@compiled
def sensitivity(queues, start, line, D):  # type: ignore[no-untyped-def]
    """How the rate of each queue moves with the leads in each of its level's: (Q, Q).

    From sum n_k m_k / (W_k(V) + m_k) = b(sum n_k), differentiated.
    """
    for q in range(len(line.number)):
        for other in range(len(line.number)):
            D[q, other] = 0.0
            if queues.team[q] != queues.team[other]:
                continue
            if line.level[q] == line.level[other]:
                idle = line.service[other] * start.done[other] - line.more[other]
                D[q, other] = -line.press[q] * idle
            elif line.level[q] > line.level[other] and line.more[q] == 0.0:
                D[q, other] = -line.press[q] * line.more[other]


@compiled
def crowd(links, start, line, rho, k, delta):  # type: ignore[no-untyped-def]
    """Put into delta what a change rho of the queues' rates does to every flow."""
    for q in range(len(rho)):
        delta.done[q] = rho[q]
        delta.cold[q] = -line.theta[q] * line.service[q] * rho[q]
    for i in links.workers:
        q = links.queue[i]
        for e in range(links.first[i], links.first[i + 1]):
            takes = links.takes[e]
            rate = delta.cold[q] if takes == 3 else rho[q]
            if takes == 1:
                rate *= start.prompt[q]
            elif takes == 2:
                rate *= 1.0 - start.prompt[q]
            delta.flow[e] = rate * links.share[k, e]


@compiled
def answer(links, start, line, k, pattern, delta, space):  # type: ignore[no-untyped-def]
    """P: what a change of the leads at fixed rates does to the rates, all told (Woodbury).

    With U0 the change at fixed rates, the rates change by rho = D (n(U0) + n(Z) rho), n counting
    leads by queue and Z the change that each rate makes: rho = (I - D n(Z))^-1 D n(U0).
    """
    D, P, work, M = space.matrices[0], space.matrices[1], space.matrices[2], space.matrices[3]
    rho, G = space.rho, space.spread
    queues = len(rho)
    for q in range(queues):
        rho[q] = 1.0
    crowd(links, start, line, rho, k, delta)
    for i in range(len(links.kind)):
        for q in range(queues):
            G[i, q] = 0.0
    for i in range(len(links.kind)):
        q = links.queue[i]
        if q >= 0:
            for e in range(links.first[i], links.first[i + 1]):
                moved = delta.flow[e] * start.leads[i]
                G[i, q] -= moved
                G[links.target[e], q] += moved
    solve(pattern, space.lu, G, 0, queues)
    for q in range(queues):
        for other in range(queues):
            work[q, other] = 0.0
            P[q, other] = D[q, other]
    for i in range(len(links.kind)):
        q = links.queue[i]
        if q >= 0:
            for other in range(queues):
                work[q, other] += G[i, other]
    for a in range(queues):
        for b in range(queues):
            M[a, b] = 1.0 if a == b else 0.0
        for c in range(queues):
            if D[a, c] != 0.0:
                for b in range(queues):
                    M[a, b] -= D[a, c] * work[c, b]
    for a in range(queues):
        best = a
        for b in range(a + 1, queues):
            if abs(M[b, a]) > abs(M[best, a]):
                best = b
        for c in range(queues):
            M[a, c], M[best, c] = M[best, c], M[a, c]
            P[a, c], P[best, c] = P[best, c], P[a, c]
        scale = 1.0 / M[a, a]
        for c in range(queues):
            M[a, c] *= scale
            P[a, c] *= scale
        for b in range(queues):
            f = M[b, a]
            if b != a and f != 0.0:
                for c in range(queues):
                    M[b, c] -= f * M[a, c]
                    P[b, c] -= f * P[a, c]


@compiled
def respond(  # type: ignore[no-untyped-def]
    links, start, line, k, P, pattern, delta, stocks, space
):
    """Add to a stage's right-hand side what the rates' own change moves."""
    n, queues, channels = len(links.kind), len(space.rho), links.channels
    rho, single, X = space.rho, space.single, space.zx
    for i in range(n):
        total = 0.0
        for c in range(channels):
            total += stocks[i, c]
        single[i, 0] = total
    solve(pattern, space.lu, single, 0, 1)
    for q in range(queues):
        rho[q] = 0.0
    for i in range(n):
        if links.queue[i] >= 0:
            for q in range(queues):
                rho[q] += P[q, links.queue[i]] * single[i, 0]
    crowd(links, start, line, rho, k, delta)
    for i in range(n):
        if links.queue[i] >= 0:
            for e in range(links.first[i], links.first[i + 1]):
                flow, j = delta.flow[e], links.target[e]
                for c in range(links.lanes):
                    moved = flow * X[i, c]
                    stocks[i, c] -= moved
                    stocks[j, c] += moved
    add_work(links, delta, start.leads, stocks)
