"""Queues as the flow engine sees them: how many of a team are busy when so many leads are there.

A team under load is closed in one of two ways. `fluid`: everyone works while there is work.
`psffa`: the steady state of the queue, read backwards: a number X in the system stands for the
offered load that would keep it there, and so many are busy (Wang, Tipper & Banerjee 1996). The
steady state is that of M/M/c with exponential patience (Palm; Garnett, Mandelbaum & Reiman 2002),
its queue multiplied by (1 + cv2) / 2 for other laws of service: exact for M/M/c, for M/M/c with
patience and for M/G/1, the usual approximation between them.

Both closures say b, the busy. Who is busy with what follows from first come first served: all wait
the same virtual time V, so those of class k in the system number phi_k (W_k + m_k), with phi_k
their starts a week, m_k weeks of service and W_k = expm1(theta_k V) / theta_k, and the busy are
the sum of phi_k m_k.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulator.engines.flow.compile import entered as compiled

Floats = NDArray[np.float64]

NODES: Final = 257  # of a table, evenly over s = X / (X + c) in [0, 1]
LOG_STEP: Final = 0.5  # between rows, in ln(patience rate x service)
LOWEST: Final = -9.0  # of those, on the shelf
SHELF: Final = 32  # rows for each number of people there


@compiled
def steady(offered, servers, eta):  # type: ignore[no-untyped-def]
    """Busy, waiting and P(wait) of M/M/c+M at an offered load; eta: service over patience.

    Sums of the birth-death chain from p_c = 1 outwards; with eta = 0 the load must be below c.
    """
    if offered <= 0.0:
        return 0.0, 0.0, 0.0
    c = float(servers)
    over = offered - c
    if eta > 0.0 and over * over > 64.0 * offered * eta and over > 64.0 * eta:
        return c, over / eta, 1.0  # the chance of an idle person is below 1e-14
    below = 0.0
    busy = 0.0
    p = 1.0
    start = 1.0  # p_c in the units of `below`
    for j in range(servers, 0, -1):
        p *= j / offered
        below += p
        busy += p * (j - 1)
        if p < 1e-18 * below:
            break
        if p > 1e250:
            p, below, busy, start = p * 1e-250, below * 1e-250, busy * 1e-250, start * 1e-250
    if eta <= 0.0:
        rho = offered / c
        tail = 1.0 / (1.0 - rho)
        queue = rho * tail * tail
    else:
        tail = 0.0
        queue = 0.0
        p = 1.0
        j = 0
        while True:
            tail += p
            queue += p * j
            ratio = offered / (c + (j + 1) * eta)
            if ratio < 1.0 and p * (j + 1) < 1e-16 * (tail + queue) * (1.0 - ratio):
                break
            j += 1
            p *= ratio
            if p > 1e250:
                p, tail, queue = p * 1e-250, tail * 1e-250, queue * 1e-250
                below, busy = below * 1e-250, busy * 1e-250
    tail, queue = tail * start, queue * start
    total = below + tail
    return (busy + c * tail) / total, queue / total, tail / total


@compiled
def load_of(number, servers, eta):  # type: ignore[no-untyped-def]
    """The offered load whose mean number in system is `number`: L(a) read backwards."""
    lo, flo = 0.0, -number
    hi = number * max(1.0, eta)
    if eta <= 0.0:
        hi = min(hi, servers * number / (number + 1.0))
    busy, queue, _ = steady(hi, servers, eta)
    fhi = busy + queue - number
    side = 0
    a = hi
    for _ in range(200):
        if fhi == flo or hi - lo < 1e-14 * hi:
            break
        a = (lo * fhi - hi * flo) / (fhi - flo)
        if not lo < a < hi:
            a = 0.5 * (lo + hi)
        busy, queue, _ = steady(a, servers, eta)
        f = busy + queue - number
        if abs(f) < 1e-12 * number:
            break
        # Illinois: halve the end that stays.
        if f > 0.0:
            hi, fhi = a, f
            flo = 0.5 * flo if side == 1 else flo
            side = 1
        else:
            lo, flo = a, f
            fhi = 0.5 * fhi if side == -1 else fhi
            side = -1
    return a


@compiled
def _write(servers, eta, found):  # type: ignore[no-untyped-def]
    last = found.shape[1] - 1
    for i in range(1, last):
        number = servers * i / (last - i)
        busy, _, waits = steady(load_of(number, servers, eta), servers, eta)
        found[0, i] = busy / servers
        found[1, i] = waits
    found[0, last] = found[1, last] = 1.0


@compiled
def fill(rows, there, first, count, low, eta, servers):  # type: ignore[no-untyped-def]
    """Fill those of a team's tables that psffa_busy will read, where they are not there yet."""
    begin, end = first, first + 1
    if count > 1:
        place = (math.log(max(eta, 1e-300)) - low) / LOG_STEP
        begin += int(min(max(place, 1.0), count - 2.000001)) - 1
        end = begin + 4
    for r in range(begin, end):
        if not there[r]:
            at = 0.0 if count == 1 else math.exp(low + LOG_STEP * (r - first))
            _write(servers, at, rows[r])
            there[r] = True


@lru_cache(maxsize=4)
def shelf(people: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Tables of teams of 1 to `people`, and which are there: those read are filled, and stay.

    For c people rows (c - 1) SHELF to c SHELF: no patience, then ln eta from LOWEST on.
    """
    rows = people * SHELF
    return np.zeros((rows, 2, NODES)), np.zeros(rows, dtype=np.bool_)


@njit(cache=True)
def _row(servers, eta, nodes):  # type: ignore[no-untyped-def]
    found = np.zeros((2, nodes))
    _write(servers, eta, found)
    return found


@lru_cache(maxsize=4096)
def row(servers: int, eta: float) -> Floats:
    """The steady states of a team: (2, NODES) busy/c and P(wait) by the number in the system."""
    table: Floats = _row(servers, eta, NODES)
    table.setflags(write=False)
    return table


@compiled
def _weights(u):  # type: ignore[no-untyped-def]
    """Weights of four even knots for a value at u in [0, 1] between the middle two."""
    a = -0.5 * u + u * u - 0.5 * u * u * u
    b = 1.0 - 2.5 * u * u + 1.5 * u * u * u
    c = 0.5 * u + 2.0 * u * u - 1.5 * u * u * u
    return a, b, c, 1.0 - a - b - c


@compiled
def _mixed(rows, first, count, which, i, w):  # type: ignore[no-untyped-def]
    """A table's entry at node i, between rows."""
    if count == 1:
        return rows[first, which, i]
    return (
        w[0] * rows[first, which, i]
        + w[1] * rows[first + 1, which, i]
        + w[2] * rows[first + 2, which, i]
        + w[3] * rows[first + 3, which, i]
    )


@compiled
def _cubic(rows, first, count, which, cell, w):  # type: ignore[no-untyped-def]
    """A table between nodes, as a cubic in u with the slopes of the nodes on either side."""
    last = rows.shape[2] - 1
    y1 = _mixed(rows, first, count, which, cell, w)
    y2 = _mixed(rows, first, count, which, cell + 1, w)
    y0 = _mixed(rows, first, count, which, cell - 1, w) if cell > 0 else 2.0 * y1 - y2
    y3 = _mixed(rows, first, count, which, cell + 2, w) if cell + 2 <= last else 2.0 * y2 - y1
    d1, d2 = 0.5 * (y2 - y0), 0.5 * (y3 - y1)
    return y1, d1, 3.0 * (y2 - y1) - 2.0 * d1 - d2, 2.0 * (y1 - y2) + d1 + d2


@compiled
def psffa_busy(  # type: ignore[no-untyped-def]
    number, servers, spread, eta, rows, first, count, low
):
    """Busy of a team with a number of leads in it, P(wait), and how busy grows with the number.

    spread: (1 + cv2) / 2 of the service; rows[first : first + count]: the team's tables, at
    ln eta = low + LOG_STEP i.
    """
    w = (0.0, 1.0, 0.0, 0.0)
    base = first
    if count > 1:
        place = (math.log(max(eta, 1e-300)) - low) / LOG_STEP
        place = min(max(place, 1.0), count - 2.000001)
        cell = int(place)
        base = first + cell - 1
        w = _weights(place - cell)
    # b + spread q0(b) = X, with q0 the queue of M/M/c: X0 = b + q0 is its number, and
    # (1 - spread) b(X0) + spread X0 = X, which rises with X0 at between 1 and spread.
    x = number / servers
    last = rows.shape[2] - 1
    x0, rise, step = x, 1.0, 0.0
    if spread != 1.0:
        x0 = max(0.0, (x - (1.0 - spread) * min(x, 1.0)) / spread)
    for _ in range(60):
        turn = 1.0 / (1.0 + x0)
        at = x0 * turn * last
        cell = min(int(at), last - 1)
        u = at - cell
        b0, b1, b2, b3 = _cubic(rows, base, count, 0, cell, w)
        more = (b1 + u * (2.0 * b2 + u * 3.0 * b3)) * last * turn * turn  # d busy / d X0
        if spread == 1.0:
            break
        more = min(max(more, 0.0), 1.0)
        rise = spread + (1.0 - spread) * more
        busy = b0 + u * (b1 + u * (b2 + u * b3))
        step = (x - spread * x0 - (1.0 - spread) * busy) / rise
        if abs(step) <= 1e-6 * (1.0 + x0):
            break  # what is left is a matter of squares
        x0 = max(0.0, x0 + step)
    u += step * turn * turn * last
    busy = servers * (b0 + u * (b1 + u * (b2 + u * b3)))
    p0, p1, p2, p3 = _cubic(rows, base, count, 1, cell, w)
    waits = p0 + u * (p1 + u * (p2 + u * p3))
    return (
        min(busy, number, float(servers)), min(max(waits, 0.0), 1.0),
        min(max(more / rise, 0.0), 1.0),
    )  # fmt: skip


@compiled
def sojourn_wait(theta, virtual):  # type: ignore[no-untyped-def]
    """Waiting leads per start, where patience has rate theta and those served wait `virtual`."""
    if theta <= 0.0:
        return virtual
    return math.expm1(theta * virtual) / theta


@compiled
def virtual_wait(number, service, theta, first, last, busy, guess):  # type: ignore[no-untyped-def]
    """The wait V at which `busy` people serve classes first..last - 1 first come first served.

    number, service, theta: (classes,) leads in the system, weeks of service, patience rates;
    guess: where to look first.
    """
    total = 0.0
    for k in range(first, last):
        total += number[k]
    if total <= busy * (1.0 + 1e-15):
        return 0.0
    if busy <= 0.0:
        return math.inf
    if last - first == 1:
        wait = service[first] * (total / busy - 1.0)
        return math.log1p(theta[first] * wait) / theta[first] if theta[first] > 0.0 else wait
    if last - first == 2 and theta[first] == theta[first + 1] == 0.0:
        # busy = a m / (V + m) + b k / (V + k) is a quadratic in V with one root above 0.
        m, k = service[first], service[first + 1]
        idle = (total - busy) * m * k
        slope = busy * (m + k) - number[first] * m - number[first + 1] * k
        root = math.sqrt(slope * slope + 4.0 * busy * idle)
        return 2.0 * idle / (slope + root) if slope > 0.0 else 0.5 * (root - slope) / busy
    # Newton on 1 / served, nearly a line in the waiting per start of the least patient class.
    least = 0.0
    mean = 0.0
    for k in range(first, last):
        least = max(least, theta[k])
        mean += number[k] * service[k] / total
    v = guess
    u = math.expm1(least * v) / least if least > 0.0 else v
    for _ in range(100):
        served = 0.0
        slope = 0.0
        for k in range(first, last):
            wait = sojourn_wait(theta[k], v)
            here = number[k] * service[k] / (wait + service[k])
            served += here
            slope += here / (wait + service[k]) * (1.0 + theta[k] * wait)
        step = (served / busy - 1.0) * served * (1.0 + least * u) / slope
        u = max(0.0, u + step)
        v = math.log1p(least * u) / least if least > 0.0 else u
        if abs(step) <= 1e-13 * (u + mean):
            break
    return v
