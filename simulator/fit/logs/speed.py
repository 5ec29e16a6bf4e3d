"""How the odds of moving on fall with the wait for a person, where the wait is a queue's.

The spec's law, floor + (1 - floor) exp(-wait/scale) times the odds of who is met at once, by
maximum likelihood over stays that somebody began and whose end was seen. Waits are counted as
`patience` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from simulator.fit.logs.contention import working_time
from simulator.fit.logs.covariates import Effect
from simulator.fit.logs.crew import Crew
from simulator.fit.logs.paths import CENSORED, Paths
from simulator.fit.logs.segments import SURE

Array = NDArray[np.float64]
LOWEST = 1e-4  # share of the odds that is no floor
MOST = 100_000  # stays that the law is told from
SMALL = 1e-9
EXACT = 1e-6


@dataclass(frozen=True)
class Speed:
    """Of one stage: the law, its covariance as (logit at_once, log scale[, logit floor]).

    waits: weeks, of the stays that somebody began, for the mean of the law over them. p: of a
    likelihood ratio test against odds that are the same after every wait.
    """

    stage: int
    at_once: float
    floor: float
    scale: float
    covariance: Array
    waits: Array
    stays: int
    p: float

    def mean(self, floor: float, scale: float) -> float:
        """Of the law over the waits that there were."""
        return float((floor + (1 - floor) * np.exp(-self.waits / scale)).mean())

    def draw(self, rng: np.random.Generator) -> tuple[float, float]:
        """A floor and a scale that the data allow."""
        middle = [special.logit(self.at_once), np.log(self.scale), special.logit(self.floor)]
        k = len(self.covariance)
        drawn = rng.multivariate_normal(np.zeros(k), self.covariance)
        floor = float(special.expit(middle[2] + drawn[2])) if k > 2 else self.floor
        return floor, float(np.exp(np.clip(middle[1] + drawn[1], -20, 10)))

    @property
    def se(self) -> tuple[float, float]:
        """Standard errors of the floor and of the scale."""
        spread = np.sqrt(np.diag(self.covariance))
        floor = self.floor * (1 - self.floor) * spread[2] if len(spread) > 2 else 0.0
        return float(floor), float(self.scale * spread[1])


def estimate_speed(
    paths: Paths,
    crew: Crew,
    begun: Array,
    stages: frozenset[int],
    effects: Sequence[Effect],
) -> dict[int, Speed]:
    """Of these stages, where longer waits evidently go with lower odds."""
    out = {}
    wanted = {e.stage for e in effects if e.covariate == "wait" and e.evident and e.high < 1}
    tests = len({(e.stage, e.covariate) for e in effects})
    lost = np.array([o != "won" for o in paths.outcomes] or [False])
    for stage in sorted(stages):
        if paths.stages[stage] not in wanted or crew.team[stage] < 0:
            continue
        working, hours = working_time(paths, crew, int(crew.team[stage]))
        met = (paths.stage == stage) & (begun <= paths.left)
        waits = np.maximum(working(begun[met]) - working(paths.entered[met]), 0.0) / hours
        after = paths.after[met]
        seen = np.flatnonzero(after != CENSORED)
        seen = np.random.default_rng(2).permutation(seen)[:MOST]
        ends = after[seen] - len(paths.stages)
        moved = ~((ends >= 0) & lost[np.maximum(ends, 0)])
        law = _law(waits[seen], moved)
        if law is not None and law[2] * tests <= SURE:
            x, covariance, p = law
            out[stage] = Speed(
                stage,
                float(special.expit(x[0])),
                float(special.expit(x[2])) if len(x) > 2 else 0.0,
                float(np.exp(x[1])),
                covariance,
                waits,
                len(seen),
                p,
            )
    return out


def _law(wait: Array, moved: NDArray[np.bool_]) -> tuple[Array, Array, float] | None:
    """Numbers, covariance and p of the law, with a floor where that is the more likely (BIC)."""

    def less_likely(x: Array) -> float:
        floor = special.expit(x[2]) if len(x) > 2 else 0.0
        odds = special.expit(x[0]) * (floor + (1 - floor) * np.exp(-wait / np.exp(x[1])))
        odds = np.clip(odds, SMALL, 1 - SMALL)
        return -float(np.where(moved, np.log(odds), np.log1p(-odds)).sum())

    rate = float(np.clip(moved.mean(), 0.01, 0.99))
    flat = -len(moved) * (rate * np.log(rate) + (1 - rate) * np.log1p(-rate))
    start = [special.logit(min(1.2 * rate, 0.95)), np.log(max(2 * wait.mean(), 1e-6))]
    found: list[tuple[float, Array]] = []
    for more in ([], [-2.0], [0.0]):
        fit = optimize.minimize(
            less_likely, np.array(start + more), method="Nelder-Mead", tol=EXACT
        )
        found.append((2 * fit.fun + len(fit.x) * np.log(len(wait)), fit.x))
    x = min(found, key=lambda f: f[0])[1]
    p = float(stats.chi2.sf(max(2 * (flat - less_likely(x)), 0.0), len(x) - 1))
    covariance = _covariance(less_likely, x)
    if covariance is None:
        return None
    return x, covariance, p


def _covariance(less_likely: object, x: Array, step: float = 1e-3) -> Array | None:
    """Inverse of the second differences; None where the data do not pin the numbers down."""
    assert callable(less_likely)
    n = len(x)
    second = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            a, b = np.zeros(n), np.zeros(n)
            a[i], b[j] = step, step
            second[i, j] = (
                less_likely(x + a + b) - less_likely(x + a - b)
                - less_likely(x - a + b) + less_likely(x - a - b)
            ) / (4 * step**2)  # fmt: skip
    if not np.isfinite(second).all() or np.linalg.eigvalsh(second).min() <= 0:
        return None
    covariance = np.linalg.inv(second)
    # a number known to no better than a factor of ten is not known
    return np.asarray(covariance) if np.sqrt(np.diag(covariance)).max() < np.log(10) else None
