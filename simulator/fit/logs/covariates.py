"""What goes with moving on from a stage: amount, wait, channel, and what else is said of cases.

Of the stays whose end was seen, by logistic regression of moving on (to another stage, or won)
against every other end, on all covariates at once. What goes with better odds need not bring them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from simulator.fit.logs.log import WON
from simulator.fit.logs.paths import CENSORED, Paths

Array = NDArray[np.float64]
FEWEST = 100  # stays seen to end, and
FEWEST_EACH = 25  # of each kind of end, that a regression needs
FEWEST_LEVEL = 20  # stays of a name (a channel, a segment) that is told apart
MOST_LEVELS = 12
MOST_AUC = 0.97  # what tells the end better was written down after it
SURE = 0.05  # chance of calling anything evident where nothing is, by Holm's method
LEVEL = 0.9
MOST_STAYS = 200_000
STEPS = 50
RIDGE = 1e-4
HOUR = 1 / 24
NOT_STATED = "not stated"
KNOWN = {"created", "closed", "outcome", "owner", "amount", "reason", "channel", "opportunity"}


@dataclass(frozen=True)
class Effect:
    """Factor of the odds of moving on from a stage: with ``per`` of a covariate, or for a name.

    low, high: 90% interval. p: of the covariate as a whole (likelihood ratio); evident: by Holm's
    method over all covariates of all stages, whose p is adjusted. stays: that the regression is of.
    """

    stage: str
    covariate: str
    per: str
    factor: float
    low: float
    high: float
    p: float
    evident: bool
    stays: int
    adjusted: float = 1.0


def estimate_effects(paths: Paths, begun: Array | None) -> tuple[tuple[Effect, ...], list[str]]:
    """Effects by stage, and covariates left out as they tell the end. begun: by stay, in days."""
    known, left_out = covariates_of(paths), list[str]()
    rows: list[tuple[Effect, ...]] = []
    tests: list[float] = []
    good = np.array([o == WON for o in paths.outcomes] or [False])
    for stage in range(1, len(paths.stages)):
        stays = np.flatnonzero((paths.stage == stage) & (paths.after != CENSORED))[:MOST_STAYS]
        after = paths.after[stays]
        ended = after >= len(paths.stages)
        moved = (~ended | good[np.where(ended, after - len(paths.stages), 0)]).astype(float)
        if len(stays) < FEWEST or min(moved.sum(), (1 - moved).sum()) < FEWEST_EACH:
            continue
        blocks = [b for b in (_block(c, paths.case[stays]) for c in known) if b is not None]
        if begun is not None:
            wait = (begun - paths.entered)[stays]
            if np.isfinite(wait).mean() > 0.5:
                log = np.log2(np.maximum(wait, 0.0) + HOUR)
                block = _numeric("wait", np.where(np.isfinite(wait), log, np.nan), "twice as long")
                blocks += [block] if block is not None else []
        blocks, told = _without_leaks(blocks, moved)
        left_out += [t for t in told if t not in left_out]
        for effects, p in _regress(paths.stages[stage], moved, blocks):
            rows.append(effects)
            tests.append(p)
    adjusted = _holm(np.array(tests))
    return tuple(
        replace(e, evident=bool(p <= SURE), adjusted=float(p))
        for effects, p in zip(rows, adjusted, strict=True)
        for e in effects
    ), left_out


@dataclass(frozen=True)
class _Block:
    """Columns of one covariate, and what a unit of each means."""

    name: str
    columns: Array
    per: tuple[str, ...]


def covariates_of(paths: Paths) -> list[tuple[str, pd.Series]]:
    """Amount, channel and the covariates of the cases, in the order of the paths' cases."""
    cases = paths.log.cases.sort_values("created", kind="stable")
    found: list[tuple[str, pd.Series]] = []
    for name in ("amount", "channel", *(c for c in cases if c not in KNOWN)):
        values = cases[name]
        many = int(values.nunique())
        numeric = pd.api.types.is_numeric_dtype(values)
        if many >= 2 and (numeric or many <= MOST_LEVELS):
            found.append((str(name), values))
    return found


def _block(covariate: tuple[str, pd.Series], case: NDArray[np.int64]) -> _Block | None:
    name, values = covariate
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > MOST_LEVELS:
        number = values.to_numpy(dtype=float)[case]
        if np.nanmin(number) > 0:
            return _numeric(name, np.log2(number), "twice as much")
        return _numeric(name, number / max(float(np.nanstd(number)), 1e-12), "a deviation more")
    text = values.astype(object).where(values.notna(), "(none)").astype(str).to_numpy()[case]
    names, count = np.unique(text, return_counts=True)
    order = np.argsort(-count, kind="stable")
    usual = names[order[0]]
    kept = [str(names[i]) for i in order[1:] if count[i] >= FEWEST_LEVEL]
    if not kept or count[order[0]] < FEWEST_LEVEL:
        return None
    columns = np.column_stack([(text == n).astype(float) for n in kept])
    return _Block(name, columns, tuple(f"{n}, not {usual}" for n in kept))


def _numeric(name: str, values: Array, per: str) -> _Block | None:
    """A number; where it is not stated, the mean, with a column that says so."""
    known = np.isfinite(values)
    if known.sum() < FEWEST or np.nanstd(values) < 1e-9:
        return None
    filled = np.where(known, values, values[known].mean())
    missing = int((~known).sum())
    if min(missing, int(known.sum())) < FEWEST_LEVEL:
        return _Block(name, filled[:, None], (per,))
    return _Block(name, np.column_stack([filled, ~known]), (per, NOT_STATED))


def _without_leaks(blocks: list[_Block], moved: Array) -> tuple[list[_Block], list[str]]:
    """Without covariates that tell the end by themselves: they were written down after it."""
    kept, told = [], []
    for block in blocks:
        beta, _, _ = _logistic(np.column_stack([np.ones(len(moved)), block.columns]), moved)
        score = block.columns @ beta[1:]
        rank = stats.rankdata(score)
        n1 = float(moved.sum())
        auc = (rank[moved > 0].sum() - n1 * (n1 + 1) / 2) / (n1 * (len(moved) - n1))
        if auc > MOST_AUC:
            told.append(block.name)
        else:
            kept.append(block)
    return kept, told


def _regress(
    stage: str, moved: Array, blocks: list[_Block]
) -> list[tuple[tuple[Effect, ...], float]]:
    one = np.ones((len(moved), 1))
    beta, cov, full = _logistic(np.hstack([one, *(b.columns for b in blocks)]), moved)
    z = float(stats.norm.ppf(0.5 + LEVEL / 2))
    out, at = [], 1
    for k, block in enumerate(blocks):
        rest = [b.columns for i, b in enumerate(blocks) if i != k]
        less = _logistic(np.hstack([one, *rest]), moved)[2]
        width = block.columns.shape[1]
        p = float(stats.chi2.sf(max(2 * (full - less), 0.0), width))
        errors = np.sqrt(np.diag(cov))[at : at + width]
        effects = tuple(
            Effect(
                stage, block.name, per, _factor(b), _factor(b - z * s), _factor(b + z * s), p,
                False, len(moved),
            )
            for per, b, s in zip(block.per, beta[at : at + width], errors, strict=True)
        )  # fmt: skip
        out.append((effects, p))
        at += width
    return out


def _factor(log: float) -> float:
    return float(np.exp(np.clip(log, -20.0, 20.0)))


def _logistic(x: Array, y: Array) -> tuple[Array, Array, float]:
    """Coefficients, covariance and log likelihood, by Newton's method with a slight ridge."""
    beta = np.zeros(x.shape[1])
    ridge = RIDGE * np.eye(x.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + ridge
        step = np.linalg.solve(hessian, x.T @ (y - p) - ridge @ beta)
        beta = beta + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-8:
            break
    p = np.clip(1 / (1 + np.exp(-np.clip(x @ beta, -30, 30))), 1e-12, 1 - 1e-12)
    score = float((y * np.log(p) + (1 - y) * np.log(1 - p)).sum())
    return beta, np.asarray(np.linalg.inv(hessian)), score


def _holm(p: Array) -> Array:
    """Adjusted p-values: below a, with a chance of a that any is where none is true."""
    order = np.argsort(p)
    times = np.minimum(p[order] * (len(p) - np.arange(len(p))), 1.0)
    out = np.ones(len(p))
    out[order] = np.maximum.accumulate(times)
    return out
