"""Small results made by hand, for the tests of what is drawn and written of them."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from simulator.analysis.absorption import Absorption
from simulator.analysis.compare import Arm, Comparison, Verdict
from simulator.analysis.constraint import Candidate, Constraint, Relief
from simulator.analysis.curve import Curve, Knee, Point
from simulator.analysis.estimate import Estimate
from simulator.analysis.ledger import Section
from simulator.analysis.paired import Difference
from simulator.spec.load import load_text
from simulator.spec.schema import Lever
from simulator.system import System, build

PARTS = {"saturation": 60.0, "talk0: went_cold": 25.0, "talk1: not_advanced": 5.0}
LEDGER = {
    "leads": Section(90.0, {"lost:talk0:went_cold": 90.0}),
    "wins": Section(5.0, {"extra_leads": 9.0, "displaced_wins": -4.0}),
}
ARR_PARTS = {"extra_leads": 9e5, "displaced_wins": -5e5, "gained_wins": 1e5, "same_wins": 0.0}


@cache
def system(teams: int = 2, name: str = "Today", horizon: float = 52, levers: str = "") -> System:
    """Stages in a row, each with a team of two people who work 30 hours a week."""
    people = ", ".join(
        f"desk{i}: {{headcount: 2, hours: 30/week, ramp: 0 weeks, cost: 52 kUSD/year}}"
        for i in range(teams)
    )
    stages = ", ".join(
        f"talk{i}: {{team: desk{i}, effort: 2 h, advance: 50%}}" for i in range(teams)
    )
    if not teams:
        stages = "talk0: {advance: 50%}"
    text = f"""
horizon: {horizon} weeks
channels: {{web: {{leads: 10/week, spend: 1 kUSD/week}}}}
teams: {{{people}}}
stages: {{{stages}}}
levers: [{levers}]
"""
    scenario = load_text(text).scenario
    return build(scenario.model_copy(update={"name": name}))


def gain(mean: float, half: float, base: float = 2e7) -> Difference:
    return Difference(Estimate(mean, half), base, 4.0, 0.01)


def arm(
    name: str = "Today",
    role: str = "today",
    *,
    of: System | None = None,
    written: bool = True,
    equal: bool = True,
    mean: float = 0.0,
    half: float = 1e5,
    absorption: Absorption | None = None,
    parts: dict[str, float] | None = None,
    busy: float = 0.5,
) -> Arm:
    """An arm whose ARR climbs to 20 million and `mean`, and whose teams are busy by a share."""
    found = of or system(name=name)
    weeks = found.grid
    level = 1.9e7 + (1e6 + mean) * weeks / weeks[-1]
    rise = mean * weeks / weeks[-1]
    teams, stages = len(found.team_names), len(found.stage_names)
    parts = ARR_PARTS if parts is None else parts
    today = role == "today"
    metrics = {"arr": Estimate(2e7 + mean, 1e5), "cac": Estimate(3e4, 1e3), "leads": Estimate(9, 1)}
    metrics |= {f"utilisation.{t}": Estimate(busy, 0.01) for t in found.team_names}
    return Arm(
        name=name,
        role=role,
        written=written,
        equal=equal,
        intensity=1.0 if written else 0.4,
        extra_cost=0.0 if today else 3e5,
        metrics=metrics,
        gain=None if today else gain(mean, half),
        p=None if today else 0.01,
        ledger=None if today else LEDGER | {"arr": Section(sum(parts.values()), parts)},
        absorption=None if today else absorption or Absorption(100.0, 10.0, PARTS),
        system=found,
        bands=np.column_stack([level, level - 1e5, level + 1e5]),
        gain_bands=None if today else rise[:, None] + rise[:, None] * [0.0, -0.2, 0.2],
        used=busy * 60.0 * np.outer(weeks, np.ones(teams)),
        waiting=np.ones((len(weeks), stages)),
        leads=10.0 * weeks,
        wins=weeks,
    )


def comparison(arms: list[Arm] | None = None, **changes: object) -> Comparison:
    """Today, a push (also at equal spend) and a fix that wins."""
    if arms is None:
        arms = [
            arm(),
            arm("Push harder", "push", equal=False, mean=5e5, half=2e5, busy=0.9),
            arm("Fix", "fix", mean=8e5, parts={"gained_wins": 8e5}, busy=0.4),
            arm("Push harder", "push", written=False, mean=1e5, half=2e5),
        ]
    named = {a.role: a.name for a in arms}
    verdict = Verdict(
        "fix_wins", named.get("fix"), gain(7e5, 3e5), named.get("push"), named.get("fix")
    )
    values: dict[str, object] = {
        "name": "a-study",
        "outcome": "arr",
        "week": 52.0,
        "engine": "events",
        "seed": 7,
        "replications": 5,
        "reason": "number given",
        "spend": 3e5,
        "arms": tuple(arms),
        "verdict": verdict,
        "notes": (),
    }
    return Comparison(**{**values, **changes})  # type: ignore[arg-type]


def absorbed(i: int) -> Absorption:
    parts = {"saturation": 30.0 * i, "talk0: went_cold": 10.0 * i}
    return Absorption(100.0 * i, 60.0 * i, parts)


def curve(
    outputs: tuple[float, ...] = (20e6, 21e6, 21.6e6, 21.9e6, 22e6), **changes: object
) -> Curve:
    """Five levels of effort with a knee at 1.6."""
    slope = outputs[1] - outputs[0]
    points = tuple(
        Point(
            effort=1.0 + 0.25 * i,
            extra_cost=2e5 * i,
            output=Estimate(y, 3e5),
            gain=gain(y - outputs[0], 1e5 * i, outputs[0]) if i else None,
            straight=outputs[0] + slope * i,
            marginal=math.nan if not i else (y - outputs[i - 1]) / 2e5,
            absorption=absorbed(i) if i else None,
        )
        for i, y in enumerate(outputs)
    )  # fmt: skip
    values: dict[str, object] = {
        "name": "Today",
        "path": "channels.*.spend",
        "outcome": "arr",
        "currency": "USD",
        "engine": "events",
        "seed": 7,
        "replications": 5,
        "reason": "number given",
        "points": points,
        "knee": Knee("inside", 1.6, 1.45, 1.8, 0.9),
        "weeks": 52.0,
        "at": "week 0",
        "scenario": system().scenario,
    }
    return Curve(**{**values, **changes})  # type: ignore[arg-type]


def candidate(
    name: str, kind: str, per: float, half: float = 0.5, tied: bool = False, what: str = "more"
) -> Candidate:
    lever = Lever(scale="teams.desk0.hours", by=1.1)
    relief = Relief(name, kind, what, (lever,), kind == "buyer")
    return Candidate(
        relief, 5e4, gain(per * 5e4, half * 5e4), 0.001, per, per - half, per + half, tied
    )


def constraint(
    candidates: list[Candidate] | None = None, of: System | None = None, **changes: object
) -> Constraint:
    """Four reliefs, the first two tied; half of the hours used; queues that differ by stage."""
    found = of or system()
    if candidates is None:
        candidates = [
            candidate("teams.desk0", "capacity", 4.0, tied=True, what="10% more hours"),
            candidate("buyer.proof", "buyer", 3.8, tied=True, what="0.05 more proof"),
            candidate("channels.web", "market", 1.0, what="10% more spend"),
            candidate("handoffs.talk0>talk1.delay", "handoff", -0.5, what="half the delay"),
        ]
    weeks, teams, stages = len(found.grid), len(found.team_names), len(found.stage_names)
    values: dict[str, object] = {
        "name": "Today",
        "outcome": "arr",
        "currency": "USD",
        "engine": "events",
        "seed": 7,
        "replications": 5,
        "reason": "number given",
        "candidates": tuple(candidates),
        "system": found,
        "utilisation": np.full((weeks - 1, teams), 0.5),
        "waiting": np.outer(np.ones(weeks), 10.0 / (1.0 + np.arange(stages))),
        "weeks": found.horizon,
        "skipped": (),
    }
    return Constraint(**{**values, **changes})  # type: ignore[arg-type]
