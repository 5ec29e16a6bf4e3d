"""How long the flow engine's delays take, as phases, and where leads land that skip stages."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator import draws
from simulator.system import END, System

Floats = NDArray[np.float64]
MOST_PHASES: Final = 32


class Phases(NamedTuple):
    """A delay of mean 1 in exponential phases: rate and entries of each; chained or not."""

    rate: tuple[float, ...]
    enter: tuple[float, ...]
    chained: bool
    exact: bool


def phases(law: int, cv: float) -> Phases:
    """Phases with the mean and, up to MOST_PHASES of them, the variance of a law.

    cv below 1: Erlang of order k - 1 or k with one rate (Tijms 1994); above: two exponentials with
    balanced means. Exact for exponential and Erlang laws.
    """
    if law == draws.EXPONENTIAL or cv == 1.0:
        return Phases((1.0,), (1.0,), True, law in (draws.EXPONENTIAL, draws.GAMMA))
    if cv > 1.0:
        p = 0.5 * (1.0 + math.sqrt((cv * cv - 1.0) / (cv * cv + 1.0)))
        return Phases((2.0 * p, 2.0 * (1.0 - p)), (p, 1.0 - p), False, False)
    order = math.inf if cv == 0.0 else 1.0 / (cv * cv)
    if order > MOST_PHASES or abs(order - round(order)) < 1e-9:
        k = MOST_PHASES if order > MOST_PHASES else round(order)
        exact = law == draws.GAMMA and order <= MOST_PHASES
        return Phases((float(k),) * k, (1.0,) + (0.0,) * (k - 1), True, exact)
    k = math.ceil(order)
    p = (k * cv * cv - math.sqrt(k * (1.0 + cv * cv) - k * k * cv * cv)) / (1.0 + cv * cv)
    return Phases((k - p,) * k, (1.0 - p, p) + (0.0,) * (k - 2), True, False)


def landings(system: System) -> tuple[Floats, Floats]:
    """Where leads go, skipping stages that do not apply: (B, S, S + 1) after, and at, a stage."""
    st = system.stages
    stages = len(system.stage_names)
    go = np.zeros((stages, stages + 1))
    shares = np.diff(np.concatenate([np.zeros((stages, 1)), st.route_share], axis=1), axis=1)
    for s in range(stages):
        for target, share in zip(st.route[s], shares[s], strict=True):
            go[s, stages if target == END else target] += max(0.0, share)
    applies = st.applies
    segments = len(applies)
    ends = np.zeros((segments, stages + 1, stages + 1))
    skip = (1.0 - applies)[:, :, None] * go[None, :, :]
    lands = np.zeros((segments, stages + 1, stages + 1))
    for s in range(stages):
        lands[:, s, s] = applies[:, s]
    lands[:, stages, stages] = 1.0
    ends[:, :stages, :] = skip
    first = (
        np.linalg.solve(np.eye(stages + 1)[None] - ends, lands) if (applies < 1).any() else lands
    )
    after: Floats = np.einsum("st,btu->bsu", go, first)
    return after, np.asarray(first[:, :stages, :], dtype=np.float64)


def retried(system: System, after: Floats) -> NDArray[np.bool_]:
    """From which stages on a lead may yet be recycled, (S,); after: where leads land next."""
    st = system.stages
    stages = len(system.stage_names)
    again = np.asarray((st.recycle > 0).any(axis=0) & (st.recycle_limit > 0), dtype=np.bool_)
    goes = np.asarray((after[:, :, :stages] > 0).any(axis=0), dtype=np.bool_)
    for i in range(stages):
        goes[i, i] = True
        goes[i, st.rework_to[i]] = True
        if again[i]:
            goes[i, st.recycle_to[i]] = True
    for _ in range(stages):
        again = again | (goes & again[None, :]).any(axis=1)
    return again


def capped(law: int, cv: float, mean: Floats, every: Floats, most: Floats) -> Floats:
    """Means of a delay, and of a wait for a meeting, that take `most` weeks at most; all (B,).

    The survival function of the sum, integrated up to there.
    """
    from scipy import special

    def rest(x: Floats, m: float) -> Floats:
        """Integral of the delay's survival function from 0 to x."""
        if law in (draws.NONE, draws.DETERMINISTIC) or m <= 0.0 or cv == 0.0:
            return np.minimum(x, m)
        if law == draws.EXPONENTIAL:
            return np.asarray(-m * np.expm1(-x / m))
        x = np.maximum(x, 1e-300)
        if law == draws.LOGNORMAL:
            s = math.sqrt(math.log1p(cv * cv))
            z = (np.log(x / m) + 0.5 * s * s) / s
            return np.asarray(m * special.ndtr(z - s) + x * special.ndtr(-z))
        k = 1.0 / (cv * cv)
        y = x * k / m
        return np.asarray(m * special.gammainc(k + 1.0, y) + x * special.gammaincc(k, y))

    found = np.empty(len(mean))
    for i, (m, gap, top) in enumerate(zip(mean, every, most, strict=True)):
        if top == math.inf:
            found[i] = m + 0.5 * gap
        elif gap <= 0.0:
            found[i] = rest(np.array([top]), m)[0]
        else:
            # min(D + U, top), U even over the gap: the mean of U + min(D, top - U).
            nodes, weights = np.polynomial.legendre.leggauss(64)
            u = 0.5 * min(gap, top) * (nodes + 1.0)
            part = 0.5 * min(gap, top) * weights / gap
            late = max(0.0, gap - top) / gap
            found[i] = float(part @ (u + rest(top - u, m))) + late * top
    return found
