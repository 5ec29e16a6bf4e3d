"""A queue as a scenario: calls by the hour, people by the quarter of an hour; and runs of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.engines import simulate
from simulator.fit.queues.calls import DAY, Floats
from simulator.fit.queues.laws import Name
from simulator.spec.patterns import DAYS
from simulator.spec.schema import Scenario
from simulator.system import System, build

WEEK: Final = 7 * DAY
HOURS_A_WEEK: Final = 168.0
MOST_CV: Final = 20.0


@dataclass(frozen=True)
class Work:
    """Calls of one kind: share of all, seconds of talk, its coefficient of variation and law."""

    name: str
    share: float
    talk: float
    cv: float
    law: Name


@dataclass(frozen=True)
class Queue:
    """All that a run needs. rates: (days, 24) calls an hour; heads: (days, SLOTS) on duty.

    wrap, wrap_sd: seconds after each call until free; away: share of the time on duty, beyond
    that, in which nobody is to be had; patience: (mean seconds, cv, law), None: nobody gives up.
    """

    start: dt.date
    rates: Floats
    heads: Floats
    work: tuple[Work, ...]
    wrap: float
    wrap_sd: float
    away: float
    patience: tuple[float, float, Name] | None

    @property
    def days(self) -> int:
        """Days covered."""
        return len(self.rates)

    def weeks(self) -> list[Queue]:
        """The same, a week at a time."""
        return [
            replace(
                self,
                start=self.start + dt.timedelta(days=d),
                rates=self.rates[d : d + 7],
                heads=self.heads[d : d + 7],
            )
            for d in range(0, self.days, 7)
        ]

    def handle(self, work: Work) -> tuple[float, float]:
        """Seconds that a call keeps a person, and its coefficient of variation."""
        mean = work.talk + self.wrap
        sd = float(np.hypot(work.talk * work.cv, self.wrap_sd))
        return mean / (1.0 - self.away), min(sd / mean, MOST_CV) if mean > 0 else 0.0


@dataclass(frozen=True)
class Outcome:
    """Calls of a run: day and hour of joining (hours from the start), seconds waited, gave up."""

    joined: Floats
    wait: Floats
    left: NDArray[np.bool_]

    def by_day(self, days: int) -> tuple[Floats, Floats, Floats]:
        """Calls, how many gave up, and seconds waited in all, by day."""
        day = np.clip((self.joined // 24).astype(np.int64), 0, days - 1)
        return (
            np.bincount(day, minlength=days).astype(np.float64),
            np.bincount(day[self.left], minlength=days).astype(np.float64),
            np.bincount(day, weights=self.wait, minlength=days).astype(np.float64),
        )


def whole(heads: Floats, rng: np.random.Generator | None = None) -> Floats:
    """Whole people by slot whose running total follows the fractions; offset drawn, or a half."""
    flat = heads.ravel()
    total = np.cumsum(flat) + (0.5 if rng is None else rng.random())
    before = np.concatenate([total[:1] - flat[:1], total[:-1]])
    found: Floats = (np.floor(total + 1e-9) - np.floor(before + 1e-9)).reshape(heads.shape)
    return found


def scenario_of(queue: Queue, name: str = "queue") -> dict[str, Any]:
    """A week at most, as the plain form of a scenario file; heads must be whole."""
    if queue.days > 7:
        raise ValueError(f"a pattern holds a week, and these are {queue.days} days")
    day = [(queue.start + dt.timedelta(days=d)).weekday() for d in range(queue.days)]
    rates = {DAYS[w]: queue.rates[d].tolist() for d, w in enumerate(day)}
    heads = {DAYS[w]: queue.heads[d].tolist() for d, w in enumerate(day)}
    stages: dict[str, Any] = {}
    if len(queue.work) > 1:
        shares = {w.name: w.share for w in queue.work}
        stages["answer"] = {"next": {k: v / sum(shares.values()) for k, v in shares.items()}}
    for work in queue.work:
        mean, cv = queue.handle(work)
        stage: dict[str, Any] = {
            "team": "agents",
            "effort": {"mean": f"{mean / 3600.0!r} h", "cv": cv, "law": work.law},
            "lost_to": "abandoned",
            "next": "won",
        }
        if queue.patience is not None:
            weeks, cv, law = queue.patience
            delay: dict[str, Any] = {"mean": f"{weeks / WEEK!r} weeks", "law": law}
            if law != "exponential":
                delay["cv"] = min(cv, MOST_CV)
            stage["patience"] = delay
        stages[work.name] = stage
    return {
        "name": name,
        "start": queue.start,
        "horizon": f"{queue.days / 7!r} weeks",
        "channels": {"calls": {"leads": f"{HOURS_A_WEEK}/week"}},
        "teams": {
            "agents": {
                "headcount": 1,
                "hours": f"{HOURS_A_WEEK} h/week",
                "ramp": "0 weeks",
                "hiring_lead": "0 weeks",
                "function": "customer",
            }
        },
        "stages": stages,
        "patterns": [
            {"scale": "channels.calls.leads.now", **rates},
            {"set": "teams.agents.headcount", **heads},
        ],
    }


def system_of(queue: Queue) -> System:
    """The system of a week at most."""
    return build(Scenario.model_validate(scenario_of(queue), context={"currency": "USD"}))


def run(queue: Queue, seed: int, replication: int = 0) -> Outcome:
    """Run a queue in the batch engine, a week at a time: nobody waits over a week's end."""
    parts = []
    for k, week in enumerate(queue.weeks()):
        record = simulate(
            system_of(week), "batch", seed=seed, replication=replication * 1000 + k, visits=True
        )
        visits = record.visits
        assert visits is not None
        hours = visits.entered * HOURS_A_WEEK
        served = ~np.isnan(visits.started)
        end = np.where(served, visits.started, visits.ended)
        left = ~served & ~np.isnan(visits.ended)
        wait = np.where(np.isnan(end), week.days / 7.0, end) - visits.entered
        parts.append((hours + 24.0 * 7 * k, wait * WEEK, left))
    joined, wait, left = (np.concatenate([p[i] for p in parts]) for i in range(3))
    return Outcome(joined, wait, left.astype(np.bool_))
