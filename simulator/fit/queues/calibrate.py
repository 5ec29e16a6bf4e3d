"""What a queue log does not show, found by simulation: moments of its own waits matched.

Two quantities: `away`, the share of the time on duty, beyond wrap-up, in which nobody is to be had
(negative: more is got done than those seen on duty explain); and `haste`, by how much sooner
callers give up than the law fitted to them says (log of the factor). Both are 0 where the data
cannot tell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from simulator.engines import simulate
from simulator.fit.estimate import Number
from simulator.fit.queues.calls import Calls, Floats
from simulator.fit.queues.model import WEEK, Queue, run, system_of, whole

PRIOR_AWAY: Final = 0.15
PRIOR_HASTE: Final = 0.25
TOLD: Final = 0.7  # of the prior's spread: a posterior wider than this says nothing new
SPAN: Final = (-0.16, -0.08, 0.0, 0.08, 0.16)
HASTES: Final = (-0.4, 0.0, 0.4)
GRID: Final = 81
RUNS: Final = 8
DAY_RUNS: Final = 12
DAY_CALLS: Final = 50  # a day with fewer says nothing of its own
DAY_MOST: Final = 0.2


@dataclass(frozen=True)
class Calibration:
    """away and haste: what was found, or neutral where not told; sample: (n, 2) of both.

    observed, neutral, fitted: (share that gave up, mean wait in seconds, share that waited) of the
    log, of the simulation before and after; the last is not matched, and shows how far the
    simulated queue is like the real one. noise: standard deviations of the first two, by chance.
    """

    away: Number
    haste: Number
    away_told: bool
    haste_told: bool
    sample: Floats
    observed: tuple[float, float, float]
    neutral: tuple[float, float, float]
    fitted: tuple[float, float, float]
    noise: tuple[float, float]
    day_away: float
    runs: int


def hastened(queue: Queue, away: float, haste: float) -> Queue:
    """A queue with other values of what is not seen."""
    patience = queue.patience
    if patience is not None:
        patience = (patience[0] * float(np.exp(-haste)), patience[1], patience[2])
    return replace(queue, away=away, patience=patience)


def _waits(queue: Queue, seed: int, runs: int) -> Floats:
    """Mean wait by day, of each run: (runs, days)."""
    found = []
    for i in range(runs):
        calls, _, waited = run(queue, seed, i).by_day(queue.days)
        found.append(waited / np.maximum(calls, 1.0))
    return np.array(found)


def moments(queue: Queue, seed: int, runs: int) -> Floats:
    """Share that gave up, mean wait, share that waited, of each run: (runs, 3)."""
    rows = np.zeros((runs, 4))
    for k, week in enumerate(queue.weeks()):
        system = system_of(week)
        for i in range(runs):
            visits = simulate(
                system, "batch", seed=seed, replication=i * 1000 + k, visits=True
            ).visits
            assert visits is not None
            served = ~np.isnan(visits.started)
            end = np.where(served, visits.started, visits.ended)
            wait = np.where(np.isnan(end), system.horizon, end) - visits.entered
            left = ~served & ~np.isnan(visits.ended)
            rows[i] += (left.sum(), wait.sum() * WEEK, (wait * WEEK > 1.0).sum(), len(wait))
    return rows[:, :3] / np.maximum(rows[:, 3:], 1.0)


def calibrate(
    calls: Calls, queue: Queue, errors: Floats, *, seed: int = 1, runs: int = RUNS, draws: int = 400
) -> Calibration:
    """Match the log's own abandonment and mean wait.

    queue: the calls and people of the log itself, heads in fractions. errors: (n, 3) moments of
    runs with other draws of all that was estimated: what the seen quantities leave open.
    """
    observed = _observed(calls)
    points = [(a, h) for a in SPAN for h in (HASTES if queue.patience else (0.0,))]
    rng = np.random.default_rng(seed)
    found = np.array(
        [
            moments(replace(hastened(queue, a, h), heads=whole(queue.heads)), seed, runs).mean(
                axis=0
            )
            for a, h in points
        ]
    )
    at = np.array(points)
    # in logs the surfaces are close to straight; a square in each takes up the rest
    surface: Floats = np.linalg.lstsq(_terms(at), _logs(found), rcond=None)[0].astype(np.float64)
    away = np.linspace(-0.3, 0.4, GRID)
    haste = np.linspace(-0.8, 0.8, GRID) if queue.patience else np.zeros(1)
    grid = np.array([(a, h) for a in away for h in haste])
    miss = _logs(observed[None, :]) - _terms(grid) @ surface
    covariance = np.cov(_logs(errors)[:, :2].T) + np.eye(2) * 1e-6
    used = [0, 1] if queue.patience is not None else [1]
    inverse = np.linalg.inv(covariance[np.ix_(used, used)])
    fit = -0.5 * np.einsum("gi,ij,gj->g", miss[:, used], inverse, miss[:, used])
    prior = -0.5 * ((grid[:, 0] / PRIOR_AWAY) ** 2 + (grid[:, 1] / PRIOR_HASTE) ** 2)
    weight = np.exp(fit + prior - (fit + prior).max())
    weight /= weight.sum()
    sample = grid[rng.choice(len(grid), size=draws, p=weight)]
    told_away = float(sample[:, 0].std()) < TOLD * PRIOR_AWAY
    told_haste = queue.patience is not None and float(sample[:, 1].std()) < TOLD * PRIOR_HASTE
    best = (
        float(sample[:, 0].mean()) if told_away else 0.0,
        float(sample[:, 1].mean()) if told_haste else 0.0,
    )
    sample = sample + (np.array(best) - sample.mean(axis=0))
    fitted = replace(hastened(queue, *best), heads=whole(queue.heads))
    after = moments(fitted, seed, runs)
    day_away = _by_day(calls, fitted, surface, best, seed)
    sample[:, 0] += rng.normal(0.0, day_away / np.sqrt(calls.days), draws)
    return Calibration(
        away=_number(sample[:, 0], best[0]),
        haste=_number(sample[:, 1], best[1]),
        away_told=told_away,
        haste_told=told_haste,
        sample=sample,
        observed=_three(observed),
        neutral=_three(found[points.index((0.0, 0.0))]),
        fitted=_three(after.mean(axis=0)),
        noise=(float(errors[:, 0].std()), float(errors[:, 1].std())),
        day_away=day_away,
        runs=runs * (len(points) + 1) + len(errors) + DAY_RUNS,
    )


def _by_day(
    calls: Calls, fitted: Queue, surface: Floats, best: tuple[float, float], seed: int
) -> float:
    """Spread of `away` over days that explains how far their waits lie from the runs'."""
    sizes = np.bincount(np.clip(calls.day, 0, calls.days - 1), minlength=calls.days)
    days = np.flatnonzero(sizes >= DAY_CALLS)
    if len(days) < 3:
        return 0.0
    waited = np.bincount(
        np.clip(calls.day, 0, calls.days - 1), weights=calls.wait, minlength=calls.days
    )
    came = np.log(waited[days] / sizes[days] + 1.0)
    drawn = np.log(_waits(fitted, seed + 7, DAY_RUNS)[:, days] + 1.0)
    miss = came - drawn.mean(axis=0)
    # weighted by size: a day of few calls says little
    weight = sizes[days] / sizes[days].sum()
    chance = drawn.var(axis=0, ddof=1) * (1 + 1 / DAY_RUNS)
    extra = float((weight * (miss**2 - chance)).sum())
    step = 0.01
    here = np.array([best, (best[0] + step, best[1])])
    slope = float(np.diff((_terms_like(here, surface) @ surface)[:, 1])[0]) / step
    if extra <= 0 or slope <= 0.5:
        return 0.0
    return float(min(np.sqrt(extra) / slope, DAY_MOST))


def _terms_like(at: Floats, surface: Floats) -> Floats:
    """The terms of a surface, which has those of haste or not."""
    a, h = at[:, 0], at[:, 1]
    columns = [np.ones(len(at)), a, a**2, h, h**2, a * h]
    return np.column_stack(columns[: len(surface)])


def _observed(calls: Calls) -> Floats:
    n = max(len(calls), 1)
    return np.array([calls.left.sum() / n, calls.wait.sum() / n, (calls.wait > 1.0).sum() / n])


def _logs(rows: Floats) -> Floats:
    """Logs of abandonment and wait, away from 0."""
    return np.log(np.maximum(rows[:, :2], [1e-4, 0.05]))


def _terms(at: Floats) -> Floats:
    a, h = at[:, 0], at[:, 1]
    columns = [np.ones(len(at)), a, a**2]
    if np.ptp(h) > 0:
        columns += [h, h**2, a * h]
    return np.column_stack(columns)


def _number(sample: Floats, value: float) -> Number:
    low, high = np.quantile(sample, [0.05, 0.95])
    return Number(value, float(sample.std()), float(low), float(high))


def _three(row: Floats) -> tuple[float, float, float]:
    return float(row[0]), float(row[1]), float(row[2])
