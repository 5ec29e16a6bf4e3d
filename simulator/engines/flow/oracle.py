"""The same equations by scipy's integrators: the oracle of the compiled method, and slower."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from simulator.engines.flow import kernel, shares
from simulator.engines.flow.layout import Net, Room, Staff, Sums
from simulator.engines.flow.solver import Space
from simulator.errors import EngineError

Floats = NDArray[np.float64]


def _entry(function: Any) -> Any:
    """A way in from Python to a function that compiled code calls."""

    @njit(error_model="numpy")
    def call(*arguments: Any) -> Any:
        return function(*arguments)

    return call


count, hold, serve, slope = map(_entry, (kernel.count, kernel.hold, kernel.serve, kernel.slope))
branch = _entry(shares.branch)
METHODS: Final = ("Radau", "BDF", "LSODA", "RK45", "DOP853")


def integrate_by_scipy(
    method: Any,
    ends: Floats,
    keep: NDArray[np.int64],
    first_piece: int,
    space: Space,
    net: Net,
    staff: Staff,
    sums: Sums,
    room: Room,
    opened: bool,
    rtol: float,
    atol: Floats,
    kept: Floats,
    kept_waiting: Floats,
) -> int:
    """Go from piece to piece, as solver.integrate does; returns calls of the right-hand side."""
    links, queues = net.links, net.queues
    moves, line = room.moves, room.line
    cut, shape, calls = space.zx.size, space.zx.shape, 0
    dx, dy = np.zeros_like(space.zx), np.zeros(len(space.z) - space.zx.size)
    for piece in range(first_piece, len(ends)):
        t, end = float(staff.begin[piece]), float(ends[piece])
        if len(net.odds.code) > 0:
            branch(staff.segment[piece], links, net.demand.src_share, net.odds, space.zx)
        hold(staff.segment[piece], links, moves)

        def right(now: float, z: Floats, piece: int = piece) -> Floats:
            stocks = np.ascontiguousarray(z[:cut]).reshape(shape)
            slope(
                now, piece, stocks, z[cut:].copy(), links, queues, net.demand, net.life, staff,
                sums, moves, line, opened, dx, dy,
            )  # fmt: skip
            return np.concatenate([dx.ravel(), dy])

        if end > t:
            solved = solve_ivp(
                right, (t, end), space.z.copy(), method=method, rtol=rtol, atol=atol, t_eval=[end]
            )
            calls += int(solved.nfev)
            if not solved.success:
                raise EngineError(
                    f"scipy's {method} cannot get past week {t:.4g}: {solved.message}"
                )
            space.z[:] = solved.y[:, -1]
        if keep[piece] >= 0:
            kept[keep[piece]] = space.z
            count(links, space.zx, moves, line)
            serve(end, piece, queues, staff, moves, line)
            kept_waiting[keep[piece]] = line.waiting
    return calls
