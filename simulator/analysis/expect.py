"""Does a study show what it expects? Each statement against paired runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.compare import compare_study
from simulator.analysis.paired import estimate
from simulator.analysis.runs import DEFAULT_ENGINE
from simulator.analysis.spend import cost_of, equal_spend
from simulator.engines import simulate
from simulator.errors import AnalysisError, Problem, SpecError
from simulator.metrics import measure, stages_between
from simulator.record import Record
from simulator.spec.expectations import FILE, Expectations, Statement, bound, read_expectations
from simulator.spec.load import find_study, load, shipped, shipped_studies
from simulator.spec.schema import Scenario
from simulator.system import System, build
from simulator.vocabulary import BY_STAGE, unknown

Floats = NDArray[np.float64]
ANY_SUM = (
    "wins", "leads", "new_arr", "revenue", "spend", "people_cost", "total_cost",
    "sales_marketing_cost", "burn", "throughput", "net_profit",
)  # fmt: skip
"""Metrics that add up over time, of which a stretch of weeks can be asked, as of stages."""


@dataclass(frozen=True)
class Finding:
    """A statement and what was seen: mean and half-width of its 95% interval, or the verdict."""

    study: str
    says: str
    holds: bool
    seen: str
    wanted: str
    mean: float | None = None
    half: float | None = None


@dataclass(frozen=True)
class Expected:
    """All statements of some studies."""

    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether all of them hold."""
        return all(f.holds for f in self.findings)

    @property
    def sentences(self) -> list[str]:
        """How many hold, then those that do not."""
        good = sum(f.holds for f in self.findings)
        studies = len({f.study for f in self.findings})
        where = "1 study" if studies == 1 else f"{studies} studies"
        head = f"{good} of {len(self.findings)} statements hold, in {where}."
        return [head] + [
            f"{f.study}: '{f.says}' does not hold: wanted {f.wanted}, seen {f.seen}."
            for f in self.findings
            if not f.holds
        ]

    @property
    def tables(self) -> dict[str, list[dict[str, object]]]:
        """A row a statement."""
        return {"expectations": [asdict(f) for f in self.findings]}

    def to_json(self) -> dict[str, Any]:
        """Everything, in types that JSON has."""
        return {
            "kind": "expectations",
            "holds": self.holds,
            "findings": [asdict(f) for f in self.findings],
        }


def _of_stage(metric: str) -> bool:
    return metric.startswith(tuple(BY_STAGE))


def _value(
    record: Record, at: Callable[[float | None], dict[str, float]], statement: Statement
) -> float:
    """What a statement asks of a run. at: the run's metrics at a week."""
    metric = statement.metric
    assert metric is not None
    if statement.since and _of_stage(metric):
        week = record.system.horizon if statement.week is None else statement.week
        between = stages_between(record, statement.since, week)
        if metric in between:
            return between[metric]
    values = at(statement.week)
    if metric not in values:
        raise AnalysisError(f"'{statement.says}': {record.system.name} has no metric '{metric}'")
    found = values[metric]
    if statement.since:
        found -= at(statement.since)[metric]
    return found


def _named(folder: Path, scenarios: dict[str, Scenario], statement: Statement) -> None:
    known = list(scenarios)
    for key in ("variant", "than"):
        name = getattr(statement, key)
        if name is not None and name not in known:
            message = f"'{statement.says}': no scenario named '{name}'."
            problem = Problem(
                str(folder / FILE), None, key, message, f"There are: {', '.join(known)}."
            )
            raise SpecError([problem])
    scenario = scenarios["today"]
    if statement.metric is not None:
        strange = unknown(statement.metric, list(scenario.teams), list(scenario.stages))
        if strange:
            raise SpecError([Problem(str(folder / FILE), None, "metric", strange)])
        over_time = statement.metric in ANY_SUM or _of_stage(statement.metric)
        if statement.since is not None and not over_time:
            message = f"{statement.metric} is no sum over time, so `since` says nothing."
            hint = f"Sums are: {', '.join(ANY_SUM)}; and all metrics of stages."
            raise SpecError([Problem(str(folder / FILE), None, "since", message, hint)])
    for key in ("week", "since"):
        week = getattr(statement, key)
        if week is not None and week > scenario.horizon:
            message = f"week {week:g} is after the run's end, week {scenario.horizon:g}"
            raise SpecError([Problem(str(folder / FILE), None, key, message)])


def _systems(
    needed: set[tuple[str, str]], scenarios: dict[str, Scenario], engine: str
) -> dict[tuple[str, str], System]:
    """By name and spend: every system that statements speak of."""
    systems = {("today", "written"): build(scenarios["today"])}
    others = {k: v for k, v in scenarios.items() if k != "today"}
    if any(spend == "equal" for _, spend in needed):
        written = [build(v) for v in others.values()]
        cost = cost_of(list(scenarios.values()), engine)
        base = systems["today", "written"]
        _, scaled = equal_spend(base, list(others.values()), written, cost)
        for name, own, chosen in zip(others, written, scaled, strict=True):
            systems[name, "equal"] = chosen.system if chosen is not None else own
    for name, spend in needed:
        if spend == "written" or name == "today":
            systems[name, spend] = build(scenarios[name])
    return {key: systems[key] for key in [("today", "written"), *sorted(needed)]}


def _judge(study: str, s: Statement, runs: dict[tuple[str, str], Floats]) -> Finding:
    assert s.variant is not None
    mine = runs[s.variant, s.spend]
    shares = [bound(b)[1] for b in (s.above, s.below) if b is not None]
    if s.than is not None:
        other = runs[s.than, s.spend]
        values, scale = mine - other, abs(float(np.mean(other)))
    else:
        values, scale = mine, 1.0
    # Per cent of the other's mean; of a level, per cent is the share itself.
    unit = scale if all(shares) and s.than is not None else 1.0
    if not np.isfinite(values).all() or unit == 0.0:
        return Finding(study, s.says, False, "undefined", _wanted(s))
    found = estimate(values / unit)
    low = -math.inf if s.above is None else bound(s.above)[0]
    high = math.inf if s.below is None else bound(s.below)[0]
    holds = low < found.mean - found.half and found.mean + found.half < high
    shown = (
        f"{found.mean:.2%} ± {found.half:.2%}"
        if all(shares)
        else f"{found.mean:.4g} ± {found.half:.2g}"
    )
    return Finding(study, s.says, holds, shown, _wanted(s), found.mean, found.half)


def _wanted(s: Statement) -> str:
    bounds = (("above", s.above), ("below", s.below))
    return " and ".join(f"{word} {value}" for word, value in bounds if value is not None)


def _study(
    folder: Path, engine: str, replications: int | None, progress: Callable[[int], None] | None
) -> list[Finding]:
    today, variants = find_study(folder)
    place = today.parent
    wanted: Expectations = read_expectations(place / FILE)
    scenarios = {"today": load(today).scenario} | {p.stem: load(p).scenario for p in variants}
    for statement in wanted.expect:
        _named(place, scenarios, statement)
    count = replications or wanted.replications
    needed: set[tuple[str, str]] = {
        (name, s.spend)
        for s in wanted.expect
        for name in (s.variant, s.than)
        if name is not None and s.metric is not None
    }
    systems = _systems(needed, scenarios, engine) if needed else {}
    # By statement and system: the value in every replication.
    values: dict[int, dict[tuple[str, str], list[float]]] = {
        i: {} for i in range(len(wanted.expect))
    }
    for r in range(count):
        for key, system in systems.items():
            record = simulate(system, engine, seed=scenarios["today"].seed, replication=r)
            at = cache(partial(measure, record))
            for i, s in enumerate(wanted.expect):
                if s.metric is not None and key[0] in (s.variant, s.than) and key[1] == s.spend:
                    values[i].setdefault(key, []).append(_value(record, at, s))
        if progress is not None:
            progress(r + 1)
    found = []
    for i, s in enumerate(wanted.expect):
        if s.verdict is not None:
            code = compare_study(place, engine=engine, replications=count).verdict.code
            found.append(Finding(place.name, s.says, code == s.verdict, code, s.verdict))
        else:
            runs = {key: np.array(v) for key, v in values[i].items()}
            found.append(_judge(place.name, s, runs))
    return found


def expect(
    studies: Sequence[Path] = (),
    *,
    engine: str = DEFAULT_ENGINE,
    replications: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Expected:
    """Check what studies expect; default: all that are shipped.

    Raises SpecError for what cannot be read, AnalysisError for an engine without chance.
    """
    if engine == "flow":
        raise AnalysisError("expectations are about runs with chance: use batch or events")
    places = list(studies) or [shipped(name) for name in shipped_studies()]
    findings: list[Finding] = []
    for place in places:
        findings += _study(Path(place), engine, replications, progress)
    return Expected(tuple(findings))
