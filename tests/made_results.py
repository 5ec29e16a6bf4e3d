"""Small results made by hand, for the tests of what is drawn and written of them."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from simulator.analysis.active import Bottleneck
from simulator.analysis.comparison import Arm, Comparison, Verdict
from simulator.analysis.confirm import Condition, Confirmed
from simulator.analysis.constraint import Candidate, Constraint, Relief
from simulator.analysis.course import Course
from simulator.analysis.curve import Curve, Point
from simulator.analysis.efforts import TOGETHER, Curves
from simulator.analysis.estimate import Estimate
from simulator.analysis.factorial import Crossed
from simulator.analysis.flows import Flows
from simulator.analysis.information import Worth
from simulator.analysis.isoquant import Isoquant
from simulator.analysis.knobs import Knob
from simulator.analysis.paired import Difference
from simulator.analysis.parts import Absorption, Knee, Range, RidgePoint, Section, Span, Target
from simulator.analysis.path import Path, Step
from simulator.analysis.prim import Box, Limit
from simulator.analysis.robust import FLIPS, STANDS, UNTOLD, Robustness, Stand
from simulator.analysis.seek import Lone, Sought
from simulator.analysis.sensitivity import Bar, Sensitivity
from simulator.analysis.sides import Side
from simulator.analysis.sobol import Split
from simulator.analysis.worlds import Worlds
from simulator.fit.logs.scored import TrialResult
from simulator.fit.logs.trial import Origin, Trial, Weekly
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


def pace(weeks: np.ndarray, mean: float) -> np.ndarray:
    """Wins a quarter: 13 of today; of a variant 3 more in the second and 4 fewer by the end."""
    level = np.full(len(weeks), 13.0)
    if mean:
        level = np.interp(weeks, [0.0, 13.0, 26.0, weeks[-1]], [0.0, 0.0, 3.0, -4.0])
    level[weeks < 13.0] = np.nan
    return level[:, None] + np.array([0.0, -0.5, 0.5])


def moved(of: System, today: bool, mean: float) -> Flows:
    """Of today 100 decided, 20 won; a variant has 5 wins more, as many no decisions fewer."""
    more = 0.0 if today else 5.0
    weeks, teams = len(of.grid), of.team_names
    young = np.where((of.grid >= 8.0) & (of.grid < 20.0), 0.0 if today else 2.0, 0.0)
    entered = {s: 100.0 * (1 + 0.1 * more) / (i + 1) for i, s in enumerate(of.stage_names)}
    return Flows(
        {"won": 20.0 + more, "competitor": 30.0, "no_decision": 50.0 - more, "in_process": 4.0},
        entered,
        {of.stage_names[-1]: 7.0} if len(of.stage_names) > 1 else {},
        {"opening": 1.9e7, "won": 3e6 + mean, "expansion": 1e6, "churned": -3e6,
         "closing": 2e7 + mean},
        {t: np.full(weeks, 4.0) for t in teams},
        {t: young if k == 0 else np.zeros(weeks) for k, t in enumerate(teams)},
    )  # fmt: skip


def course(of: System, mean: float) -> Course:
    """The longer a variant's queue, the more it gains; its first team's capability halves."""
    weeks, teams = of.grid, of.team_names
    held = {s: np.full(len(weeks), 20.0 + 1e-5 * mean + 5 * i)
            for i, s in enumerate(of.stage_names)}  # fmt: skip
    worn = np.linspace(1.0, 0.5, len(weeks)) if mean else np.ones(len(weeks))
    return Course(
        held, 4.0 * weeks, {t: np.full(len(weeks), 2.0 + 1e-6 * mean) for t in teams},
        dict.fromkeys(teams[:1], worn), of.stage_names[-1], 3.0 * weeks, teams[:1],
    )  # fmt: skip


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
        flows=moved(found, today, mean),
        course=course(found, mean),
        pace=pace(weeks, 0.0 if today else mean),
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


def squared(beyond: float = 1e5) -> Comparison:
    """A push, a fix, and both."""
    arms = [
        arm(),
        arm("Push harder", "push", mean=5e5, half=2e5),
        arm("Fix", "fix", mean=8e5),
        arm("Both of them", "other", mean=1.3e6 + beyond),
    ]
    found = Crossed("Push harder", "Fix", "Both of them", Estimate(beyond, 3e4))
    return comparison(arms, crossed=found)


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


@cache
def watched() -> Constraint:
    """The same, with active periods and a path through a budget."""
    sole = (Estimate(0.5, 0.05), Estimate(0.1, 0.02))
    spans = (Span(0.0, 30.0, 0), Span(30.0, 34.0, 0, (0, 1)), Span(34.0, 52.0, 1))
    seen = Bottleneck(
        ("desk0", "desk1"), sole, (Estimate(0.08, 0.01),) * 2, Estimate(0.2, 0.1), spans, (), 5
    )
    first = candidate("teams.desk0", "capacity", 4.0, what="10% more hours")
    then = candidate("buyer.proof", "buyer", 2.0, what="0.05 more proof")
    steps = tuple(
        Step(c, 5e4 * i, 5e4, gain(2e5 * (i + 1), 3e4), ())
        for i, c in enumerate((first, first, then))
    )
    scenario = system().scenario
    return constraint(
        bottleneck=seen, path=Path(2e5, steps, "the budget does not pay", first, scenario)
    )


def curves(**changes: object) -> Curves:
    """Three efforts, one of which is all together."""
    each = [
        curve(path="channels.web.spend"),
        curve((20e6, 20.1e6, 20.1e6, 20.1e6, 20.1e6), path="teams.desk0.hours"),
        curve((20e6, 21.4e6, 22e6, 22.4e6, 22.6e6), path=TOGETHER),
    ]
    values: dict[str, object] = {
        "name": "Today", "outcome": "arr", "currency": "USD", "engine": "batch", "seed": 7,
        "replications": 5, "reason": "number given", "curves": tuple(each), "skipped": (),
        "scenario": system().scenario,
    }  # fmt: skip
    return Curves(**{**values, **changes})  # type: ignore[arg-type]


def isoquants(**changes: object) -> Isoquant:
    """Two efforts with decreasing returns that help each other."""
    levels, fine = np.linspace(1, 2.5, 6), np.linspace(1, 2.5, 31)

    def height(x: np.ndarray) -> np.ndarray:
        a, b = np.sqrt(x)[:, None], np.sqrt(x)[None, :]
        return 2e7 + 2e6 * (a + b + a * b)

    cost = 4e5 * ((levels - 1)[:, None] + (levels - 1)[None, :])
    ridge = tuple(
        RidgePoint(8e5 * (x - 1), x, x, 8e5 * (x - 1), 4e6 * (np.sqrt(x) - 1) + 2e6 * (x - 1))
        for x in np.linspace(1, 2.5, 25)
    )
    values: dict[str, object] = {
        "name": "Today", "efforts": ("channels.*.spend", "teams.desk0.hours"), "outcome": "arr",
        "currency": "USD", "engine": "batch", "seed": 7, "replications": 5,
        "reason": "number given", "levels": levels, "mean": height(levels),
        "half": np.full((6, 6), 1e5), "cost": cost, "fine": fine, "surface": height(fine),
        "ridge": ridge, "best": ridge[12], "hurdle": 0.9, "weeks": 52.0,
        "scenario": system().scenario,
    }  # fmt: skip
    return Isoquant(**{**values, **changes})  # type: ignore[arg-type]


def sought(**changes: object) -> Sought:
    """Two sets that reach a target, three levers alone of which one does."""
    scenario = system().scenario
    target = Target("arr", 1, 2.2e7, 52.0, "arr >= 22 MUSD")
    knobs = tuple(
        Knob(path, (Lever(scale=path, by=2.0),), "usual")
        for path in ("channels.*.spend", "teams.desk0.headcount", "teams.desk1.headcount")
    )
    sets = tuple(
        Confirmed(
            tuple(knobs[i].name for i in which), tuple(knobs[i] for i in which),
            (0.5,) * len(which), cost, (Estimate(2.25e7, 2e5),), (2.25e7,), 0.9, "confirmed",
            1, scenario,
        )
        for which, cost in (((1,), 1e5), ((0, 1), 2e5))
    )  # fmt: skip
    lone = tuple(
        Lone(k, best > 2.2e7, 1.0, (best,), 1e5 if best > 2.2e7 else None)
        for k, best in zip(knobs, (2.1e7, 2.3e7, 2e7), strict=True)
    )
    held = (
        Condition("teams.desk0.headcount", "lever", 1, 2.0, 3.0, "count", 0.9, gain(9e5, 1e5)),
        Condition("channels.web.spend", "lever", 1, 1e3, 1.5e3, "money_rate", 0.9, gain(2e5, 1e5)),
        Condition("utilisation.desk0", "state", -1, 0.95, 0.8, "share", 0.95, None),
    )
    values: dict[str, object] = {
        "name": "Today", "currency": "USD", "engine": "batch", "search": "flow", "seed": 7,
        "weeks": 52.0, "replications": 5, "reason": "number given", "targets": (target,),
        "today": (Estimate(2e7, 1e5),), "budget": None, "most_levers": 2, "knobs": knobs,
        "lone": lone, "sets": sets, "chosen": 0, "nearest": None, "conditions": held,
        "selection": None, "runs": {"flow": 40, "batch": 60}, "notes": (), "scenario": scenario,
    }  # fmt: skip
    return Sought(**{**values, **changes})  # type: ignore[arg-type]


RANGES = (
    Range("teams.desk0.hours", 30.0, 20.0, 35.0, "D", "hours_per_week"),
    Range("stages.talk0.advance.good_fit", 0.5, 0.3, 0.8, "B", "share"),
    Range("value.mean", 3e4, 1e4, 6e4, "D", "money"),
)


def tornado(**changes: object) -> Sensitivity:
    """Three assumptions, the last within chance."""
    bars = tuple(
        Bar(r, gain(-size, 1e5), gain(0.8 * size, 1e5))
        for r, size in zip(RANGES, (3e6, 1e6, 5e4), strict=True)
    )
    values: dict[str, object] = {
        "name": "Today", "outcome": "arr", "currency": "USD", "engine": "batch", "seed": 7,
        "replications": 5, "reason": "number given", "base": Estimate(2e7, 1e5), "bars": bars,
        "split": Split(1e10, 9e10, 0.1, 0.07, 0.15, 128), "morris": None, "sobol": None,
        "left_out": (), "runs": 100, "scenario": system().scenario,
    }  # fmt: skip
    return Sensitivity(**{**values, **changes})  # type: ignore[arg-type]


def standing(**changes: object) -> Robustness:
    """Three assumptions: one turns the verdict, one leaves it open, one does not matter."""
    bars = (
        Stand(RANGES[0], gain(-9e5, 2e5), gain(2e6, 2e5), (FLIPS, STANDS), 0.5 * RANGES[0].value),
        Stand(RANGES[1], gain(1e6, 2e5), gain(1e5, 2e5), (STANDS, UNTOLD), None),
        Stand(RANGES[2], gain(7e5, 2e5), gain(7e5, 2e5), (STANDS, STANDS), None),
    )
    values: dict[str, object] = {
        "name": "study", "outcome": "arr", "currency": "USD", "engine": "batch", "seed": 7,
        "replications": 5, "reason": "number given", "sides": ("Push harder", "Fix"),
        "roles": ("push", "fix"), "base": gain(7e5, 2e5), "spend": 3e5, "bars": bars,
        "left_out": (), "runs": 100, "scenario": system().scenario,
    }  # fmt: skip
    return Robustness(**{**values, **changes})  # type: ignore[arg-type]


def many_worlds(n: int = 200, **changes: object) -> Worlds:
    """Worlds in which the push wins where desk0 has many hours."""
    rng = np.random.default_rng(1)
    points = rng.random((n, 3))
    over = np.column_stack([r.at(points[:, k]) for k, r in enumerate(RANGES)])
    push = 2e7 + 4e6 * (points[:, :1] - 0.7) + rng.normal(0, 1e5, (n, 2))
    fix = np.full((n, 2), 2e7)
    limit = Limit(0, float(RANGES[0].at(0.7)), None, 1e-9, 1.0)
    scenario = system().scenario
    sides = tuple(
        Side(scenario.model_copy(update={"name": x}), False) for x in ("Push harder", "Fix")
    )
    values: dict[str, object] = {
        "name": "Today", "outcome": "arr", "currency": "USD", "engine": "batch", "seed": 7,
        "better": 1, "weeks": 52.0, "replications": 5, "reason": "number given", "sides": sides,
        "over": RANGES, "points": points, "values": over, "push": push, "fix": fix,
        "spend": np.full(n, 3e5), "unequal": 0, "skipped": 0,
        "boxes": (Box((limit,), 0.95, 0.97, 0.3, (0.9, 0.93)),), "of": "push",
        "information": (
            Worth("teams.desk0.hours", 2e5, 1e5, 3e5, 0.3), Worth("value.mean", 0, 0, 0, 0),
        ),
        "perfect": 2.1e5, "split": Split(1e10, 9e10, 0.1, 0.07, 0.15, n), "left_out": (),
        "scenario": scenario,
    }  # fmt: skip
    return Worlds(**{**values, **changes})  # type: ignore[arg-type]


def backtested(days: float = 31.0) -> TrialResult:
    """A back-test of one origin: four whole weeks, and a short one."""
    actual = (58.0, 52.0, 50.0, 39.0, 19.0)
    model = (62.0, 60.0, 57.0, 51.0, 21.0)
    flat = (68.0, 68.0, 68.0, 68.0, 29.0)
    week = Weekly(
        outcome="all",
        actual=actual,
        forecast={"model": model, "run_rate": flat, "kaplan_meier": flat[::-1]},
        low=tuple(x - 9 for x in model),
        high=tuple(x + 11 for x in model),
        wape={
            "model": 0.15,
            "model_given_arrivals": 0.12,
            "run_rate": 0.38,
            "stage_weighted": 0.4,
            "kaplan_meier": 0.33,
            "replay": 0.35,
        },
        crps={"model": 4.0, "run_rate": 14.0, "kaplan_meier": 13.0},
    )
    rows = {
        "actual": (70.0, 71.0, 69.0, 63.0, 63.0, 64.0),
        "forecast": (70.0, 72.0, 74.0, 70.0, 65.0, 62.0),
        "low": (70.0, 66.0, 65.0, 57.0, 52.0, 50.0),
        "high": (70.0, 80.0, 83.0, 83.0, 78.0, 74.0),
    }
    origin = Origin("2024-04-01", days, 900, (), (week,), {}, rows)
    return TrialResult(Trial((origin,), 0.9, 100), "scenarios/ours", ("exports/events.csv",))
