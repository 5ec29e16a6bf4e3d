"""Where the constraint is, three ways: by relief, by active periods, and by what is busy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.active import Bottleneck, bottleneck
from simulator.analysis.estimate import number
from simulator.analysis.hours import TeamHours, paid_hours, team_hours
from simulator.analysis.lead import leader
from simulator.analysis.panel import Panel
from simulator.analysis.path import Path, walk
from simulator.analysis.ranking import Candidate, rank
from simulator.analysis.reliefs import Relief, reliefs
from simulator.analysis.runs import DEFAULT_ENGINE
from simulator.analysis.shown import Judged, Shown
from simulator.analysis.targets import check_metric
from simulator.errors import AnalysisError
from simulator.spec.schema import Scenario
from simulator.system import System
from simulator.vocabulary import YEAR

Floats = NDArray[np.float64]
WATCHED = 5  # replications with every visit kept, for the active periods

__all__ = ["Candidate", "Constraint", "Relief", "constraint", "reliefs", "yearly"]


@dataclass(frozen=True)
class Constraint(Judged, Shown):
    """Candidates, best first, and how busy everything was.

    utilisation: (T - 1, M) by week; waiting: (T, S) leads in queues.
    """

    currency: str
    candidates: tuple[Candidate, ...]
    system: System
    utilisation: Floats
    waiting: Floats
    weeks: float
    skipped: tuple[str, ...]
    bottleneck: Bottleneck | None = None
    path: Path | None = None
    hours: TeamHours | None = None

    def by_quarter(self) -> TeamHours:
        """Teams' hours by quarter."""
        if self.hours is not None:
            return self.hours
        paid = np.diff(paid_hours(self.system, self.system.grid), axis=0)
        used = np.vstack([np.zeros(paid.shape[1]), np.cumsum(self.utilisation * paid, axis=0)])
        return team_hours(self.system, used, self.waiting)

    @property
    def best(self) -> Candidate | None:
        """The constraint: the relief that brings most per dollar, if any brings anything."""
        return leader(self.candidates)

    @property
    def tied(self) -> list[Candidate]:
        """The reliefs that cannot be told from the best."""
        return [c for c in self.candidates if c.tied and c is not self.best and c.per_dollar > 0]

    @property
    def busiest(self) -> dict[str, Any] | None:
        """The team with the highest utilisation; where two are full, the longer queue."""
        return max(
            self.teams(), key=lambda t: (round(t["utilisation"], 2), t["queue"]), default=None
        )

    @property
    def sentences(self) -> list[str]:
        """The answer in words, made from the numbers."""
        from simulator.analysis.words_constraint import constraint_sentences

        return constraint_sentences(self)

    def teams(self) -> list[dict[str, Any]]:
        """Each team's utilisation over the run and by quarter, and its queue's mean and growth."""
        found = []
        stage_team = self.system.stages.team
        for m, name in enumerate(self.system.team_names):
            queue = self.waiting[:, stage_team == m].sum(axis=1)
            used = self.utilisation[:, m]
            quarters = [float(np.mean(used[k : k + 13])) for k in range(0, len(used), 13)]
            weeks = np.arange(len(queue))
            growth = float(np.polyfit(weeks, queue, 1)[0]) if len(queue) > 1 else 0.0
            found.append(
                {
                    "team": name,
                    "utilisation": float(np.mean(used)) if len(used) else 0.0,
                    "by_quarter": quarters,
                    "queue": float(queue.mean()),
                    "queue_growth_a_week": growth,
                    "queue_by_week": [float(x) for x in queue],
                }
            )
        return found

    def to_json(self) -> dict[str, Any]:
        """Everything; every number of the sentences is in it."""
        return {
            "kind": "constraint",
            "scenario": self.name,
            "outcome": self.outcome,
            **self.found_by(),
            "currency": self.currency,
            "weeks": self.weeks,
            "constraint": None if self.best is None else self.best.relief.name,
            "ranking": [
                c.to_json() | {"extra_cost_a_year": yearly(c.extra_cost, self.weeks)}
                for c in self.candidates
            ],
            "kind_of_constraint": None if self.best is None else self.best.relief.kind,
            "tied_with_constraint": [c.relief.name for c in self.tied] if self.best else [],
            "readings": readings(self),
            "active_periods": None if self.bottleneck is None else self.bottleneck.to_json(),
            "path": None if self.path is None else self.path.to_json(),
            "teams": self.teams(),
            "hours": self.by_quarter().to_json(),
            "queues": {
                "week": [float(t) for t in self.system.grid],
                "stages": {
                    s: [number(float(x)) for x in self.waiting[:, i]]
                    for i, s in enumerate(self.system.stage_names)
                },
            },
            "skipped": list(self.skipped),
            "sentences": self.sentences,
        }

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Rows for CSV and Parquet."""
        ranking = []
        for c in self.candidates:
            row = c.to_json()
            gain = row.pop("gain")
            row |= {f"gain_{k}": v for k, v in gain.items() if k != "relative"}
            ranking.append(row)
        weekly = []
        for k in range(len(self.utilisation)):
            for m, name in enumerate(self.system.team_names):
                weekly.append(
                    {"week": k + 1, "team": name, "utilisation": float(self.utilisation[k, m])}
                )
        queues = [
            {"week": float(t), "stage": s, "waiting": float(self.waiting[k, i])}
            for k, t in enumerate(self.system.grid)
            for i, s in enumerate(self.system.stage_names)
        ]
        found = {"ranking": ranking, "utilisation": weekly, "queues": queues}
        if self.bottleneck is not None:
            b = self.bottleneck
            found["active_periods"] = [
                {"team": t}
                | {f"sole_{k}": v for k, v in sole.to_json().items()}
                | {f"shifting_{k}": v for k, v in moving.to_json().items()}
                for t, sole, moving in zip(b.teams, b.sole, b.shifting, strict=True)
            ]
        if self.path is not None:
            found["path"] = self.path.rows()
        return found


def readings(result: Constraint) -> dict[str, Any]:
    """What each of the three methods points at, whether they agree, and why not."""
    from simulator.analysis.words_constraint import disagreement

    best, b, busy = result.best, result.bottleneck, result.busiest
    return {
        "relief": None if best is None else best.relief.name,
        "active_periods": None if b is None or b.worst is None else f"teams.{b.worst}",
        "utilisation": None if busy is None else f"teams.{busy['team']}",
        "growing_queues": [t["team"] for t in result.teams() if grows(t, result.weeks)],
        "why": disagreement(result),
    }


def grows(team: dict[str, Any], weeks: float) -> bool:
    """Whether a team's queue grows: over the run by more than half of its mean, and by a lead."""
    rise = float(team["queue_growth_a_week"]) * weeks
    return rise > 1.0 and rise > 0.5 * float(team["queue"])


def budget_of(text: str | float, scenario: Scenario) -> float:
    """A budget in currency over the run, from "600 kUSD", "300 kUSD/year" or a number.

    Raises AnalysisError.
    """
    from simulator.spec.units import MoneyOrRate

    try:
        money = MoneyOrRate.parse(text, scenario.currency)
    except ValueError as error:
        raise AnalysisError(f"budget: {error}") from None
    amount = money.amount * (scenario.horizon if money.per_week else 1.0)
    if not amount > 0:
        raise AnalysisError(f"budget: {text} is nothing to spend")
    return amount


def constraint(
    scenario: Scenario,
    *,
    outcome: str | None = None,
    week: float | None = None,
    engine: str = DEFAULT_ENGINE,
    seed: int | None = None,
    precision: float = 0.003,
    replications: int | None = None,
    most: int = 120,
    jobs: int | None = None,
    path: str | float | None = None,
    progress: Callable[[int], None] | None = None,
) -> Constraint:
    """Rank small reliefs by what they bring per dollar, under common random numbers.

    path: a budget ("600 kUSD", "300 kUSD/year", or currency over the run) to spend on reliefs
    one after the other. Raises AnalysisError, SpecError.
    """
    outcome = outcome or scenario.outcome
    check_metric(outcome, scenario, week)
    seed = scenario.seed if seed is None else seed
    budget = None if path is None else budget_of(path, scenario)
    how: dict[str, Any] = {
        "engine": engine,
        "seed": seed,
        "week": week,
        "precision": precision,
        "replications": replications,
        "most": most,
        "jobs": jobs,
        "progress": progress,
    }
    found = rank(scenario, outcome, **how)
    watched = min(WATCHED, found.panel.count(0))
    base = found.base
    return Constraint(
        name=scenario.name,
        outcome=outcome,
        currency=scenario.currency,
        engine=engine,
        seed=seed,
        replications=found.panel.count(0),
        reason=found.reason,
        candidates=found.candidates,
        system=base,
        utilisation=_weekly(found.panel),
        waiting=np.mean([d.waiting for d in found.panel.runs[0]], axis=0),
        weeks=scenario.horizon,
        skipped=found.skipped,
        bottleneck=bottleneck(base, engine, seed, watched),
        path=None if budget is None else walk(scenario, outcome, budget, found, **how),
    )


def _weekly(panel: Panel) -> Floats:
    used = np.mean([np.diff(d.used, axis=0) for d in panel.runs[0]], axis=0)
    paid = np.mean([np.diff(d.paid, axis=0) for d in panel.runs[0]], axis=0)
    weekly: Floats = np.divide(used, paid, out=np.zeros_like(used), where=paid > 0)
    return weekly


def yearly(amount: float, weeks: float) -> float:
    """An amount over the run as an amount a year."""
    return amount / weeks * YEAR
