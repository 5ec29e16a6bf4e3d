"""Sets of numbers that leads and deals allow, by the paths of the scenario that is written."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simulator.fit.estimate import Estimates
from simulator.fit.plan import Plan

Array = NDArray[np.float64]
SETS = 100


def scenario_draws(
    estimates: Estimates, plan: Plan, *, sets: int = SETS, seed: int = 1
) -> tuple[dict[str, float], dict[str, float], Array]:
    """The numbers of the scenario by path, their standard errors, and (sets, n) draws of them.

    Odds and delays are drawn together from the cure models' posterior; levels of leads and the
    mean value by their standard errors.
    """
    rng = np.random.default_rng([seed, 11])
    shares, pace = [], []
    for fit, x in estimates.ensemble.draw(sets, rng):
        logits, theta, _ = fit.split(x)
        shares.append(special.expit(logits))
        pace.append(fit.law.quantile(0.5, theta))
    order = rng.permutation(sum(len(p) for p in pace))  # draws come model by model
    share, median = np.concatenate(shares)[order], np.concatenate(pace)[order]
    point: dict[str, float] = {}
    columns: list[Array] = []
    for i, (c, p) in enumerate(zip(estimates.channels, plan.channels, strict=True)):
        if c.per_week == 0:
            continue
        point[f"channels.{c.name}.leads.now"] = c.per_week
        shape = (c.per_week / c.per_week_se) ** 2
        columns.append(rng.gamma(shape, c.per_week / shape, size=len(share)))
        point[f"channels.{c.name}.good_fit"] = p.good_fit
        fit_share = (share[:, i] - plan.poor) / (plan.good - plan.poor)
        columns.append(np.clip(fit_share, 0.0, 1.0))
    point[f"stages.{plan.stages[-1].name}.buyer_time.mean"] = plan.buyer_mean / 7
    columns.append(plan.buyer_mean / 7 * median / estimates.delay.scenario_median)
    if estimates.value is not None:
        point["value.mean"] = estimates.value.value
        noise = estimates.value.se * rng.standard_normal(len(share))
        columns.append(np.maximum(estimates.value.value + noise, 1e-9))
    drawn = np.column_stack(columns)
    errors = dict(zip(point, map(float, drawn.std(axis=0, ddof=1)), strict=True))
    return point, errors, drawn
