"""Calibration by simulation: how much time people really have for the cases.

The simulated method of moments (McFadden 1989) with one moment a team: the mean wait of the
stages whose waits grow with the queue. The scenario is run in `batch` with fewer full-time heads,
on the same random numbers, until its cases wait as long as those of the log did.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.engines import simulate
from simulator.fit.logs.contention import Wait
from simulator.fit.logs.store import with_numbers
from simulator.spec.schema import Scenario
from simulator.system import build

Array = NDArray[np.float64]
STEPS = 8
LOADED = 0.985  # a team is never taken to be busier than this
REPLICATIONS = 2


@dataclass(frozen=True)
class Calibrated:
    """What the waits say of a team: share of the hours seen that it has for these cases.

    identified: waits grow with the queue, and a load that the hours allow explains them. share is
    1 where they do not say. wait, simulated: weeks, in the log and in the scenario.
    """

    team: int
    identified: bool
    share: float
    se: float
    wait: float
    simulated: float
    why: str


def calibrate(
    scenario: Scenario,
    teams: tuple[str, ...],
    stages: dict[int, list[str]],
    waits: tuple[Wait, ...],
    heads: Array,
    load: Array,
) -> tuple[Calibrated, ...]:
    """Find each team's share by bisection, all teams at once.

    stages: log's stage -> the scenario's stages of it. heads: full-time heads seen; load: share
    of their hours that the log's sessions take.
    """
    target, error, moments = _targets(len(teams), stages, waits)
    known = np.isfinite(target)
    most = np.ones(len(teams))
    least = np.minimum(np.maximum(load / LOADED, 0.02), 1.0)

    def simulated(share: Array) -> Array:
        values = {f"teams.{t}.headcount": heads[k] * share[k] for k, t in enumerate(teams)}
        return _waits(with_numbers(scenario, values), moments)

    if not known.any():
        return tuple(_unknown(k, waits, "no wait grows with the queue") for k in range(len(teams)))
    at_most, at_least = simulated(most), simulated(least)
    low, high = least.copy(), most.copy()
    for _ in range(STEPS):
        middle = np.sqrt(low * high)
        longer = simulated(middle) > target
        low, high = np.where(longer, middle, low), np.where(longer, high, middle)
    share = np.sqrt(low * high)
    found, near = simulated(share), simulated(np.minimum(share * 1.05, 1.0))
    out = []
    for k in range(len(teams)):
        if not known[k]:
            out.append(_unknown(k, waits, "no wait grows with the queue"))
        elif at_most[k] >= target[k]:
            out.append(_unknown(k, waits, "the hours seen explain the waits"))
        elif at_least[k] < target[k]:
            out.append(_unknown(k, waits, "no load of the hours seen explains waits so long"))
        else:
            slope = (near[k] - found[k]) / max(min(0.05 * share[k], 1.0 - share[k]), 1e-9)
            se = error[k] / abs(slope) if slope else float("inf")
            out.append(
                Calibrated(
                    k, True, float(share[k]), min(float(se), 0.5 * float(share[k])),
                    float(target[k]), float(found[k]), "waits as long as in the log",
                )
            )  # fmt: skip
    return tuple(out)


def _unknown(team: int, waits: tuple[Wait, ...], why: str) -> Calibrated:
    mine = [w for w in waits if w.team == team]
    seen = sum(w.seen for w in mine)
    mean = sum(w.mean_weeks * w.seen for w in mine) / seen if seen else 0.0
    return Calibrated(team, False, 1.0, 0.0, mean, 0.0, why)


def _targets(
    teams: int, stages: dict[int, list[str]], waits: tuple[Wait, ...]
) -> tuple[Array, Array, list[list[str]]]:
    """The mean wait of each team's stages with evident queues, its error, and those stages."""
    target, error = np.full(teams, np.nan), np.zeros(teams)
    moments: list[list[str]] = [[] for _ in range(teams)]
    for k in range(teams):
        mine = [w for w in waits if w.team == k and w.evident and stages.get(w.stage)]
        seen = sum(w.seen for w in mine)
        if not seen:
            continue
        target[k] = sum(w.mean_weeks * w.seen for w in mine) / seen
        error[k] = float(np.sqrt(sum((w.se_weeks * w.seen / seen) ** 2 for w in mine)))
        moments[k] = [name for w in mine for name in stages[w.stage]]
    return target, error, moments


def _waits(scenario: Scenario, moments: list[list[str]]) -> Array:
    """Mean weeks waited at each team's stages, over the replications."""
    system = build(scenario)
    wait, started = np.zeros(len(moments)), np.zeros(len(moments))
    index = {name: i for i, name in enumerate(system.stage_names)}
    for r in range(REPLICATIONS):
        series = simulate(system, "batch", replication=r).series
        for k, names in enumerate(moments):
            at = [index[n] for n in names]
            wait[k] += series.wait[-1, at].sum()
            started[k] += series.started[-1, at].sum()
    return np.asarray(wait / np.maximum(started, 1.0))
