"""Where the constraint is: by relief (what a little help would bring), and by what is busy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.compare import DEFAULT_ENGINE
from simulator.analysis.estimate import number
from simulator.analysis.hours import TeamHours, paid_hours, team_hours
from simulator.analysis.paired import ALPHA, Difference, difference, holm
from simulator.analysis.runs import Job, Replications, interval, narrow, replicate
from simulator.analysis.shown import Shown
from simulator.analysis.spend import planned_cost
from simulator.errors import AnalysisError, SpecError
from simulator.spec.book import BOOK
from simulator.spec.schema import Lever, Scenario
from simulator.spec.units import MoneyOrRate
from simulator.system import YEAR, System, build, handoff_path
from simulator.vocabulary import describe

Floats = NDArray[np.float64]
STEP = 0.10  # a small relief: a tenth more of what there is
CONDITION = 0.05  # a twentieth of the scale of a buyer's condition


@dataclass(frozen=True)
class Relief:
    """A little help for one thing: what it is, and its lever.

    kind: capacity, handoff, buyer or market. stated: whether its cost is the book's (grade D)
    rather than implied by heads or spend.
    """

    name: str
    kind: str
    what: str
    levers: tuple[Lever, ...]
    stated: bool


@dataclass(frozen=True)
class Candidate:
    """A relief and what it brought: gain of the outcome, per currency spent.

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

    def to_json(self) -> dict[str, Any]:
        """Numbers by name; null where undefined."""
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
            "tied_with_best": self.tied,
        }


@dataclass(frozen=True)
class Constraint(Shown):
    """Candidates, best first, and how busy everything was.

    utilisation: (T - 1, M) by week; waiting: (T, S) leads in queues.
    """

    name: str
    outcome: str
    currency: str
    engine: str
    seed: int
    replications: int
    reason: str
    candidates: tuple[Candidate, ...]
    system: System
    utilisation: Floats
    waiting: Floats
    weeks: float
    skipped: tuple[str, ...]
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
        first = self.candidates[0] if self.candidates else None
        return first if first is not None and first.p < ALPHA and first.per_dollar > 0 else None

    @property
    def sentences(self) -> list[str]:
        """The answer in words, made from the numbers."""
        from simulator.analysis.words import constraint_sentences

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
            "engine": self.engine,
            "seed": self.seed,
            "replications": self.replications,
            "stopped": self.reason,
            "confidence": 0.95,
            "currency": self.currency,
            "weeks": self.weeks,
            "constraint": None if self.best is None else self.best.relief.name,
            "ranking": [
                c.to_json() | {"extra_cost_a_year": yearly(c.extra_cost, self.weeks)}
                for c in self.candidates
            ],
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
        return {"ranking": ranking, "utilisation": weekly, "queues": queues}


def _book_cost(kind: str, currency: str) -> MoneyOrRate:
    return MoneyOrRate.parse(BOOK[f"reliefs.{kind}"].value, currency)


def reliefs(scenario: Scenario) -> list[Relief]:
    """A small relief of everything that could be the constraint."""
    found: list[Relief] = []

    def add(name: str, kind: str, what: str, *levers: Lever) -> None:
        stated = any(lever.cost is not None for lever in levers)
        found.append(Relief(name, kind, what, levers, stated))

    used = {s.team for s in scenario.stages.values() if s.team}
    for name, team in scenario.teams.items():
        if name in used and team.headcount > 0:
            path = f"teams.{name}"
            more = (Lever(scale=f"{path}.{what}", by=1 + STEP) for what in ("hours", "cost"))
            add(path, "capacity", f"{STEP:.0%} more hours", *more)
    for h in scenario.handoffs:
        key = f"handoffs.{handoff_path(h)}"
        cost = _book_cost("handoffs", scenario.currency)
        if h.accepted < 1.0:
            by = min(CONDITION, 1.0 - h.accepted)
            levers = [Lever(add=f"{key}.accepted", by=by, cost=cost)]
            if h.accepted + h.returned + by > 1.0:
                levers.append(Lever(set=f"{key}.returned", to=max(0.0, 1.0 - h.accepted - by)))
            add(f"{key}.accepted", "handoff", f"{by:.0%} more accepted", *levers)
        if h.delay is not None and h.delay.mean > 0:
            half = Lever(scale=f"{key}.delay", by=0.5, cost=cost)
            add(f"{key}.delay", "handoff", "half the delay", half)
    for name, c in scenario.channels.items():
        if c.leads is not None and c.leads.now > 0 and (c.spend or 0) > 0:
            more_spend = Lever(scale=f"channels.{name}.spend", by=1 + STEP)
            add(f"channels.{name}", "market", f"{STEP:.0%} more spend", more_spend)
    if any(s.decision for s in scenario.stages.values()):
        cost = _book_cost("buyer", scenario.currency)
        for name in ("alignment", "proof", "risk_removed"):
            if getattr(scenario.buyer, name) + CONDITION <= 1.0:
                lever = Lever(add=f"buyer.{name}", by=CONDITION, cost=cost)
                add(f"buyer.{name}", "buyer", f"{CONDITION:g} more {name.replace('_', ' ')}", lever)
        if scenario.buyer.friction >= CONDITION:
            less = Lever(add="buyer.friction", by=-CONDITION, cost=cost)
            add("buyer.friction", "buyer", f"{CONDITION:g} less friction", less)
        if scenario.buyer.approvers >= 2:
            fewer = Lever(add="buyer.approvers", by=-1, cost=cost)
            add("buyer.approvers", "buyer", "one approver fewer", fewer)
    return found


def constraint(
    scenario: Scenario,
    *,
    outcome: str | None = None,
    week: float | None = None,
    engine: str = DEFAULT_ENGINE,
    seed: int | None = None,
    precision: float = 0.003,
    replications: int | None = None,
    most: int = 40,
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Constraint:
    """Rank small reliefs by what they bring per dollar, under common random numbers.

    Raises AnalysisError, SpecError.
    """
    outcome = outcome or scenario.outcome
    describe(outcome)
    base = build(scenario)
    tried: list[tuple[Relief, System]] = []
    skipped: list[str] = []
    for relief in reliefs(scenario):
        helped = scenario.model_copy(update={"levers": [*scenario.levers, *relief.levers]})
        try:
            tried.append((relief, build(helped)))
        except SpecError as error:
            skipped.append(f"{relief.name}: {error.problems[0].message}")
    if not tried:
        raise AnalysisError(f"{scenario.name}: nothing in it could be relieved")
    seed = scenario.seed if seed is None else seed
    systems = (base, *(s for _, s in tried))

    runs = replicate(
        Job(systems, engine, seed, week, ledgers=False),
        narrow(outcome, precision),
        fixed=1 if engine == "flow" else replications,
        most=most,
        jobs=jobs,
        progress=progress,
    )
    return Constraint(
        name=scenario.name,
        outcome=outcome,
        currency=scenario.currency,
        engine=engine,
        seed=seed,
        replications=len(runs.runs),
        reason=runs.reason,
        candidates=_rank(tried, base, runs, outcome),
        system=base,
        utilisation=_weekly(runs),
        waiting=np.mean([run[0].waiting for run in runs.runs], axis=0),
        weeks=scenario.horizon,
        skipped=tuple(skipped),
    )


def _weekly(runs: Replications) -> Floats:
    used = np.mean([np.diff(run[0].used, axis=0) for run in runs.runs], axis=0)
    paid = np.mean([np.diff(run[0].paid, axis=0) for run in runs.runs], axis=0)
    weekly: Floats = np.divide(used, paid, out=np.zeros_like(used), where=paid > 0)
    return weekly


def _rank(
    tried: list[tuple[Relief, System]], base: System, runs: Replications, outcome: str
) -> tuple[Candidate, ...]:
    better = describe(outcome).better or 1
    cost = planned_cost(base)
    a = runs.metric(outcome, 0)
    gains = [difference(a, runs.metric(outcome, i + 1)) for i in range(len(tried))]
    adjusted = holm([g.p for g in gains])
    extra = [planned_cost(s) - cost for _, s in tried]
    per = [
        better * (runs.metric(outcome, i + 1) - a) / x if x > 0 else np.full(len(a), math.nan)
        for i, x in enumerate(extra)
    ]
    means = [float(np.mean(y)) if np.isfinite(y).all() else -math.inf for y in per]
    order = sorted(range(len(tried)), key=lambda i: -means[i])
    top = order[0]
    ranked = []
    for i in order:
        half = interval(per[i]) if len(a) > 1 and np.isfinite(per[i]).all() else 0.0
        # What brings nothing beyond chance is no rival, however wide its interval.
        tied = i == top or (
            adjusted[i] < ALPHA
            and bool(np.isfinite(per[i]).all())
            and difference(per[i], per[top]).p >= ALPHA
        )
        ranked.append(
            Candidate(
                relief=tried[i][0],
                extra_cost=extra[i],
                gain=gains[i],
                p=adjusted[i],
                per_dollar=means[i],
                low=means[i] - half,
                high=means[i] + half,
                tied=tied,
            )
        )
    return tuple(ranked)


def yearly(amount: float, weeks: float) -> float:
    """An amount over the run as an amount a year."""
    return amount / weeks * YEAR
