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
TINY = 1e-9  # weeks: no wait
SPREAD = 12  # replications that tell how far a mean wait of so many weeks is off by chance
NEAR = 2.0  # standard errors within which the hours seen explain the waits


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
    paced: NDArray[np.bool_] | None = None,
) -> tuple[Calibrated, ...]:
    """Find each team's share by bisection, all teams at once.

    The scenario is as long as the log, so that replications differ as much as the log's own mean
    wait is off by chance. stages: log's stage -> the scenario's stages of it. heads: full-time
    heads seen; load: share of their hours that the log's sessions take. paced: teams whose waits
    count even if they are not seen to grow with the queue.
    """
    paced = np.zeros(len(teams), dtype=bool) if paced is None else paced
    target, error, moments = _targets(len(teams), stages, waits, paced)
    known = np.isfinite(target)
    most = np.ones(len(teams))
    least = np.minimum(np.maximum(load / LOADED, 0.02), 1.0)

    def runs(share: Array, replications: int) -> Array:
        values = {f"teams.{t}.headcount": heads[k] * share[k] for k, t in enumerate(teams)}
        return _waits(with_numbers(scenario, values), moments, replications)

    def simulated(share: Array) -> Array:
        return _mean(runs(share, REPLICATIONS))

    if not known.any():
        return tuple(_unknown(k, waits, "no wait grows with the queue") for k in range(len(teams)))
    many = runs(most, SPREAD)
    at_most, at_least = _mean(many), simulated(least)
    # waits are skew: their means are compared in logs
    off = np.log(np.maximum(target, TINY)) - np.log(np.maximum(at_most, TINY))
    explained = np.abs(off) <= NEAR * np.maximum(_log_sd(many), error / np.maximum(target, TINY))
    low, high = least.copy(), most.copy()
    for _ in range(STEPS):
        middle = np.sqrt(low * high)
        longer = simulated(middle) > target
        low, high = np.where(longer, middle, low), np.where(longer, high, middle)
    share = np.where(known & explained, most, np.sqrt(low * high))
    last = runs(share, SPREAD)
    found, near = _mean(last), simulated(share * 1.05)
    at_share = _mean(last[:REPLICATIONS])  # by the luck of `near`
    error = np.maximum(error, found * _log_sd(last))
    out = []
    for k in range(len(teams)):
        if not known[k]:
            out.append(_unknown(k, waits, "no wait grows with the queue"))
        elif explained[k]:
            out.append(
                Calibrated(
                    k, True, 1.0, 0.0, float(target[k]), float(at_most[k]),
                    "the hours seen explain the waits",
                )
            )  # fmt: skip
        elif at_most[k] >= target[k]:
            out.append(_unknown(k, waits, "cases wait less than the hours seen would have it"))
        elif at_least[k] < target[k]:
            out.append(_unknown(k, waits, "no load of the hours seen explains waits so long"))
        else:
            slope = (near[k] - at_share[k]) / (0.05 * share[k])
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
    teams: int,
    stages: dict[int, list[str]],
    waits: tuple[Wait, ...],
    paced: NDArray[np.bool_],
) -> tuple[Array, Array, list[list[str]]]:
    """The mean wait of each team's stages with queues, its error, and those stages."""
    target, error = np.full(teams, np.nan), np.zeros(teams)
    moments: list[list[str]] = [[] for _ in range(teams)]
    for k in range(teams):
        mine = [w for w in waits if w.team == k and stages.get(w.stage)]
        mine = [w for w in mine if w.evident or paced[k]]
        seen = sum(w.seen for w in mine)
        if not seen:
            continue
        target[k] = sum(w.mean_weeks * w.seen for w in mine) / seen
        error[k] = float(np.sqrt(sum((w.se_weeks * w.seen / seen) ** 2 for w in mine)))
        moments[k] = [name for w in mine for name in stages[w.stage]]
    return target, error, moments


def _waits(scenario: Scenario, moments: list[list[str]], replications: int) -> Array:
    """Mean weeks waited at each team's stages, by replication."""
    system = build(scenario)
    out = np.zeros((replications, len(moments)))
    index = {name: i for i, name in enumerate(system.stage_names)}
    for r in range(replications):
        series = simulate(system, "batch", replication=r).series
        for k, names in enumerate(moments):
            at = [index[n] for n in names]
            out[r, k] = series.wait[-1, at].sum() / max(series.started[-1, at].sum(), 1.0)
    return out


def _mean(runs: Array) -> Array:
    return np.asarray(runs.mean(axis=0))


def _log_sd(runs: Array) -> Array:
    """Of the logs of means, between runs; one run more for the mean that is held against them."""
    logs = np.log(np.maximum(runs, TINY))
    return np.asarray(logs.std(axis=0, ddof=1) * np.sqrt(1 + 1 / len(runs)))
