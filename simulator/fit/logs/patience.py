"""How long cases wait for a person before they go cold, where their waits are a queue's.

Cases that ended otherwise than won before anybody began are ends of patience; all other waits are
censored there. Time is counted in the hours in which the team works, a week being all of these, as
the scenario's queues go by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from simulator.engines import simulate
from simulator.fit.logs.contention import cold_stays, working_time
from simulator.fit.logs.crew import Crew
from simulator.fit.logs.paths import Paths
from simulator.record import Series
from simulator.spec.schema import Scenario
from simulator.system import WENT_COLD, build, lost

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
FEWEST = 20  # that went cold
MOST = 20_000  # waits that the law's shape is told from
BETTER = 10.0  # of the Bayesian information criterion, from which it is not exponential
MOST_CV = 5.0
SHORTEST = 1e-6  # weeks
NEAR = 3.0  # standard errors, or
CLOSE = 0.25  # this share of it, that those who go cold in the scenario may be off the log's
RUNS = 6


@dataclass(frozen=True)
class Patience:
    """Of one stage: weeks until a case goes cold, on average, by a law of this cv.

    cold: cases that did, as outcome ``outcome`` of the paths; begun: that somebody began.
    """

    stage: int
    outcome: int
    cold: int
    begun: int
    weeks: float
    cv: float
    law: str

    @property
    def se(self) -> float:
        """Standard error of the mean."""
        return self.weeks / float(np.sqrt(self.cold))

    @property
    def share(self) -> float:
        """Share of those whose wait ended that went cold."""
        return self.cold / (self.cold + self.begun)


def estimate_patience(
    paths: Paths, crew: Crew, begun: Array, stages: frozenset[int]
) -> dict[int, Patience]:
    """Of these stages, where enough went cold: by maximum likelihood, the rest censored."""
    out = {}
    cold = cold_stays(paths, begun)
    for stage in sorted(stages):
        here = paths.stage == stage
        n = int((here & cold).sum())
        if n < FEWEST or crew.team[stage] < 0:
            continue
        working, hours = working_time(paths, crew, int(crew.team[stage]))
        ends = np.where(begun <= paths.left, begun, paths.left)
        waited = np.maximum(working(ends[here]) - working(paths.entered[here]), 0.0) / hours
        gone = cold[here]
        outcome = np.bincount(paths.after[here & cold] - len(paths.stages)).argmax()
        mean, cv, law = _law(np.maximum(waited, SHORTEST), gone)
        started = int((here & (begun <= paths.left)).sum())
        out[stage] = Patience(stage, int(outcome), n, started, mean, cv, law)
    return out


def _law(waited: Array, gone: Bools) -> tuple[float, float, str]:
    """Exponential, by exposure over events; lognormal where that is much the more likely."""
    mean = float(waited.sum() / gone.sum())
    pick = np.random.default_rng(1).permutation(len(waited))[:MOST]
    x, event = waited[pick], gone[pick]
    if event.sum() < FEWEST:
        return mean, 1.0, "exponential"
    data = stats.CensoredData(uncensored=x[event], right=x[~event])
    sigma, _, scale = stats.lognorm.fit(data, floc=0)
    rate = event.sum() / x.sum()
    exponential = event.sum() * np.log(rate) - rate * x.sum()
    law = stats.lognorm(sigma, scale=scale)
    other = law.logpdf(x[event]).sum() + law.logsf(x[~event]).sum()
    cv = float(np.sqrt(np.expm1(min(sigma**2, 50.0))))
    if 2 * (other - exponential) - np.log(len(x)) < BETTER or cv > MOST_CV:
        return mean, 1.0, "exponential"
    return float(law.mean()), cv, "lognormal"


def runs_of(scenario: Scenario) -> tuple[dict[str, int], list[Series]]:
    """Indices of a scenario's stages, and what some runs of it show."""
    system = build(scenario)
    index = {name: i for i, name in enumerate(system.stage_names)}
    return index, [simulate(system, "batch", replication=r).series for r in range(RUNS)]


def held(
    scenario: Scenario, patience: Mapping[int, Patience], names: Mapping[int, list[str]]
) -> dict[int, float]:
    """Of stages where as many go cold in the scenario as in the log: the share that does."""
    index, runs = runs_of(scenario)
    found: dict[int, float] = {}
    shares = np.zeros((RUNS, len(patience)))
    for r, series in enumerate(runs):
        for k, stage in enumerate(patience):
            at = [index[n] for n in names[stage]]
            fates = [lost(i, WENT_COLD) for i in at]
            cold = float((series.fates[-1, fates] - series.fates[0, fates]).sum())
            shares[r, k] = cold / max(cold + float(series.started[-1, at].sum()), 1.0)
    for k, (stage, p) in enumerate(patience.items()):
        mean = float(shares[:, k].mean())
        chance = float(shares[:, k].std(ddof=1)) * np.sqrt(1 + 1 / RUNS)
        off = NEAR * float(np.hypot(chance, p.share / np.sqrt(p.cold)))
        if abs(mean - p.share) <= max(off, CLOSE * p.share):
            found[stage] = mean
    return found
