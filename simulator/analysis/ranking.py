"""Reliefs ranked by what they bring per dollar, with runs spent where the ranking is in doubt."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from simulator.analysis.estimate import number
from simulator.analysis.lead import leader
from simulator.analysis.paired import Difference, difference, holm
from simulator.analysis.panel import Panel
from simulator.analysis.reliefs import Relief, extra_hours, reliefs
from simulator.analysis.runs import FIRST, interval
from simulator.analysis.shown import ALPHA
from simulator.analysis.spend import planned_cost
from simulator.errors import AnalysisError, SpecError
from simulator.spec.schema import Scenario
from simulator.system import System, build
from simulator.vocabulary import describe

Floats = NDArray[np.float64]
LOOK = 10  # replications of every relief before any is given up
STRIDE = 5
CLEAR = 0.005  # one-sided: a relief this surely behind the first is run no more


@dataclass(frozen=True)
class Candidate:
    """A relief and what it brought: gain of the outcome, per currency spent and per hour added.

    tied: cannot be told from the best by gain per dollar. p: adjusted for the number of reliefs.
    """

    relief: Relief
    extra_cost: float
    gain: Difference
    p: float
    per_dollar: float
    low: float
    high: float
    tied: bool
    extra_hours: float = 0.0
    replications: int = 0

    @property
    def per_hour(self) -> float:
        """Gain of the outcome per hour of work added; nan where none is."""
        return self.gain.gain.mean / self.extra_hours if self.extra_hours > 0 else math.nan

    def to_json(self) -> dict[str, Any]:
        """Numbers by name; null where undefined."""
        half = self.gain.gain.half / self.extra_hours if self.extra_hours > 0 else math.nan
        return {
            "name": self.relief.name,
            "kind": self.relief.kind,
            "relief": self.relief.what,
            "cost_is": "book" if self.relief.stated else "implied",
            "extra_cost": self.extra_cost,
            "gain": self.gain.to_json(),
            "p_adjusted": self.p,
            "gain_per_dollar": number(self.per_dollar),
            "gain_per_dollar_low": number(self.low),
            "gain_per_dollar_high": number(self.high),
            "extra_hours": self.extra_hours,
            "gain_per_hour": number(self.per_hour),
            "gain_per_hour_low": number(self.per_hour - half),
            "gain_per_hour_high": number(self.per_hour + half),
            "tied_with_best": self.tied,
            "replications": self.replications,
        }


@dataclass(frozen=True)
class Ranking:
    """Candidates, best first; what could not be tried; the runs, of which 0 is the scenario's."""

    candidates: tuple[Candidate, ...]
    skipped: tuple[str, ...]
    base: System
    panel: Panel
    reason: str

    @property
    def best(self) -> Candidate | None:
        """The relief that brings most per dollar, if any brings anything beyond chance."""
        return leader(self.candidates)


@dataclass
class _Race:
    """Who is ahead so far. costs: extra, by relief; panel: 0 is the base, i + 1 relief i."""

    panel: Panel
    outcome: str
    costs: list[float]
    better: int

    def per_dollar(self, i: int, upto: int | None = None) -> Floats:
        """By replication; nan where it costs nothing or the outcome has no value."""
        n = self.panel.count(i + 1) if upto is None else upto
        a = self.panel.values(self.outcome, 0, n)
        b = self.panel.values(self.outcome, i + 1, n)
        cost = self.costs[i]
        return self.better * (b - a) / cost if cost > 0 else np.full(n, math.nan)

    def mean(self, i: int) -> float:
        y = self.per_dollar(i)
        return float(y.mean()) if len(y) and np.isfinite(y).all() else -math.inf

    def order(self) -> list[int]:
        """Best first; the same order whatever the workers."""
        means = [self.mean(i) for i in range(len(self.costs))]
        return sorted(range(len(means)), key=lambda i: -means[i])

    def behind(self, i: int, top: int) -> float:
        """How likely so large a lead of `top` over i would be by chance (one-sided, paired)."""
        n = min(self.panel.count(i + 1), self.panel.count(top + 1))
        d = self.per_dollar(top, n) - self.per_dollar(i, n)
        if not np.isfinite(d).all():
            return 0.0
        if n < 2:
            return 0.0 if d[0] > 0 else 1.0
        spread = float(d.std(ddof=1))
        if spread == 0.0:
            return 0.0 if d[0] > 0 else 1.0
        return float(stdtr(n - 1, -float(d.mean()) / (spread / math.sqrt(n))))

    def sure(self, i: int) -> bool:
        """Whether a relief brings something beyond chance, one of as many as there are."""
        n = self.panel.count(i + 1)
        gain = difference(
            self.panel.values(self.outcome, 0, n), self.panel.values(self.outcome, i + 1)
        )
        return gain.p < ALPHA / len(self.costs) and self.mean(i) > 0

    def same(self, i: int, top: int) -> bool:
        """Whether two reliefs do exactly the same, so that no number of runs tells them apart."""
        n = min(self.panel.count(i + 1), self.panel.count(top + 1))
        a, b = self.per_dollar(top, n), self.per_dollar(i, n)
        return bool(np.allclose(a, b, rtol=1e-9, atol=0.0))

    def doubtful(self, precision: float) -> list[int]:
        """Reliefs that more runs could say more of: not clearly behind, not yet precise."""
        order = self.order()
        top = order[0]
        if self.mean(top) == -math.inf:
            return []
        wanted = precision * abs(float(self.panel.values(self.outcome, 0).mean()))
        found = []
        sure = self.sure(top)
        for i in order:
            if self.mean(i) == -math.inf:
                continue
            n = self.panel.count(i + 1)
            gain = self.panel.values(self.outcome, i + 1) - self.panel.values(self.outcome, 0, n)
            # Where not even the first is beyond chance, precision alone is no reason to stop.
            precise = sure and interval(gain) <= wanted
            if (
                i != top and not precise and not self.same(i, top) and self.behind(i, top) >= CLEAR
            ) or (
                i == top
                and not precise
                and (not sure or interval(gain) > 0.1 * abs(float(gain.mean())))
            ):
                found.append(i)
        return [*([top] if top not in found and found else []), *found]


def tried(scenario: Scenario) -> tuple[list[tuple[Relief, System]], list[str]]:
    """Every relief of a scenario with its system, and why those left out are."""
    made: list[tuple[Relief, System]] = []
    skipped: list[str] = []
    for relief in reliefs(scenario):
        try:
            made.append((relief, build(relief.on(scenario))))
        except SpecError as error:
            skipped.append(f"{relief.name}: {error.problems[0].message}")
    return made, skipped


def rank(
    scenario: Scenario,
    outcome: str,
    *,
    engine: str,
    seed: int,
    week: float | None = None,
    precision: float = 0.003,
    replications: int | None = None,
    most: int = 40,
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Ranking:
    """Rank the reliefs of a scenario by gain per dollar, under common random numbers.

    All are run ten times; then those that may still be the best, five at a time, until they are
    told apart, or known to the precision, or `most`. Raises AnalysisError, SpecError.
    """
    if replications == 1 and engine != "flow":
        raise AnalysisError("one replication has no interval: take 2 replications or more")
    if most < FIRST and replications is None:
        raise AnalysisError(f"a maximum of {most} replications is below the least, {FIRST}")
    better = describe(outcome).better or 1
    base = build(scenario)
    made, skipped = tried(scenario)
    if not made:
        raise AnalysisError(f"{scenario.name}: nothing in it could be relieved")
    systems = [base, *(s for _, s in made)]
    panel = Panel(systems, engine, seed, week=week, jobs=jobs, progress=progress)
    today = planned_cost(base)
    costs = [planned_cost(s) - today for _, s in made]
    race = _Race(panel, outcome, costs, better)
    everyone = range(len(systems))
    reason = "number given"
    try:
        if replications is not None or engine == "flow":
            panel.run(everyone, replications or 1)
        else:
            panel.run(everyone, min(LOOK, most))
            reason = "precision reached"
            while doubtful := race.doubtful(precision):
                n = panel.count(0)
                if n >= most:
                    reason = f"maximum of {most} reached before the precision"
                    break
                panel.run([0, *(i + 1 for i in sorted(doubtful))], min(n + STRIDE, most))
    except KeyboardInterrupt:
        done = min(panel.count(i) for i in everyone)
        if done < FIRST:
            raise
        reason = f"interrupted after {done} replications"
        for i in everyone:
            del panel.runs[i][max(panel.count(0), done) :]
    return Ranking(_ranked(made, race, base), tuple(skipped), base, panel, reason)


def _ranked(made: list[tuple[Relief, System]], race: _Race, base: System) -> tuple[Candidate, ...]:
    panel, outcome = race.panel, race.outcome
    gains = []
    for i in range(len(made)):
        n = panel.count(i + 1)
        gains.append(difference(panel.values(outcome, 0, n), panel.values(outcome, i + 1)))
    adjusted = holm([g.p for g in gains])
    order = race.order()
    top = order[0]
    # What brings nothing beyond chance is no rival, however wide its interval.
    rivals = [i for i in order if i != top and adjusted[i] < ALPHA and math.isfinite(race.mean(i))]
    ranked = []
    for i in order:
        y = race.per_dollar(i)
        half = interval(y) if len(y) > 1 and np.isfinite(y).all() else 0.0
        # One-sided and shared among the rivals, so that the best is rarely told off by chance.
        tied = i == top or (i in rivals and race.behind(i, top) >= ALPHA / len(rivals))
        mean = race.mean(i)
        ranked.append(
            Candidate(
                relief=made[i][0],
                extra_cost=race.costs[i],
                gain=gains[i],
                p=adjusted[i],
                per_dollar=mean,
                low=mean - half,
                high=mean + half,
                tied=tied,
                extra_hours=extra_hours(made[i][0], base, made[i][1]),
                replications=panel.count(i + 1),
            )
        )
    return tuple(ranked)
