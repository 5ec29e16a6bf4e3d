"""Where the constraint moves: reliefs bought one after the other, each the best per dollar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.analysis.paired import Difference, difference
from simulator.analysis.panel import Panel
from simulator.analysis.ranking import Candidate, Ranking, rank
from simulator.analysis.spend import planned_cost
from simulator.errors import AnalysisError
from simulator.spec.schema import Scenario
from simulator.system import build

STEPS = 12  # at the most


@dataclass(frozen=True)
class Step:
    """One relief bought: what was spent before it, what it costs, what all so far gained.

    tied: others that it could not be told from when it was chosen.
    """

    candidate: Candidate
    spent_before: float
    cost: float
    total: Difference
    tied: tuple[str, ...]

    @property
    def name(self) -> str:
        """What was the constraint."""
        return self.candidate.relief.name

    @property
    def spent(self) -> float:
        """Spent, this step included."""
        return self.spent_before + self.cost


@dataclass(frozen=True)
class Path:
    """Steps in order; why there are no more; the constraint that is left after the last.

    scenario: as the steps leave it.
    """

    budget: float
    steps: tuple[Step, ...]
    stopped: str
    then: Candidate | None
    scenario: Scenario

    @property
    def stretches(self) -> list[tuple[str, float, float]]:
        """(constraint, spent when it took over, spent when it gave way), repeats as one."""
        found: list[tuple[str, float, float]] = []
        for step in self.steps:
            if found and found[-1][0] == step.name:
                found[-1] = (step.name, found[-1][1], step.spent)
            else:
                found.append((step.name, step.spent_before, step.spent))
        return found

    def rows(self) -> list[dict[str, Any]]:
        """A row a step."""
        return [
            {
                "step": i + 1,
                "constraint": s.name,
                "kind": s.candidate.relief.kind,
                "relief": s.candidate.relief.what,
                "cost": s.cost,
                "budget_at_which_it_takes_over": s.spent_before,
                "spent": s.spent,
                "gain": s.candidate.gain.gain.mean,
                "gain_low": s.candidate.gain.gain.low,
                "gain_high": s.candidate.gain.gain.high,
                "gain_per_dollar": s.candidate.per_dollar,
                "gain_so_far": s.total.gain.mean,
                "gain_so_far_low": s.total.gain.low,
                "gain_so_far_high": s.total.gain.high,
            }
            for i, s in enumerate(self.steps)
        ]

    def to_json(self) -> dict[str, Any]:
        """The steps, and the stretches of one constraint each."""
        return {
            "budget": self.budget,
            "steps": [
                row | {"tied_with": list(step.tied)}
                for row, step in zip(self.rows(), self.steps, strict=True)
            ],
            "constraints": [
                {"constraint": n, "from_budget": a, "to_budget": b} for n, a, b in self.stretches
            ],
            "stopped": self.stopped,
            "then": None if self.then is None else self.then.relief.name,
        }


def walk(
    scenario: Scenario,
    outcome: str,
    budget: float,
    first: Ranking | None = None,
    *,
    engine: str,
    seed: int,
    week: float | None = None,
    precision: float = 0.003,
    replications: int | None = None,
    most: int = 40,
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
    steps: int = STEPS,
) -> Path:
    """Spend a budget on reliefs, the best per dollar of those that it still pays for each time.

    first: the ranking of the scenario as it is, if it is known. Raises AnalysisError, SpecError.
    """
    how: dict[str, Any] = {
        "engine": engine, "seed": seed, "week": week, "precision": precision,
        "replications": replications, "most": most, "jobs": jobs, "progress": progress,
    }  # fmt: skip
    ranking = first or rank(scenario, outcome, **how)
    start = ranking.panel
    cost_today = planned_cost(ranking.base)
    spent = 0.0
    taken: list[Step] = []
    stopped = f"{steps} steps taken"
    then: Candidate | None = None
    try:
        while True:
            best = ranking.best
            then = best
            if best is None:
                stopped = "no relief adds anything beyond chance"
                break
            if len(taken) >= steps:
                break
            payable = [c for c in ranking.candidates if c.extra_cost <= budget - spent + 1e-6]
            if best not in payable:
                stopped = f"the budget does not pay for the next step, {best.relief.name}"
                break
            relieved = best.relief.on(scenario)
            system = build(relieved)
            # Levers compound, so what a step costs is what the whole now costs more.
            cost = planned_cost(system) - cost_today - spent
            n = min(best.replications, start.count(0))
            after = Panel([system], engine, seed, week=week, jobs=jobs)
            after.run([0], n)
            n = after.count(0)
            total = difference(start.values(outcome, 0, n), after.values(outcome, 0))
            tied = tuple(c.relief.name for c in ranking.candidates if c.tied and c is not best)
            taken.append(Step(best, spent, cost, total, tied))
            spent += cost
            scenario = relieved
            try:
                ranking = rank(scenario, outcome, **how)
            except AnalysisError as error:
                stopped, then = str(error), None
                break
    except KeyboardInterrupt:
        if not taken:
            raise
        stopped = f"interrupted after {len(taken)} steps"
    return Path(budget, tuple(taken), stopped, then, scenario)
