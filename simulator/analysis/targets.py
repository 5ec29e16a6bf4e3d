"""What is asked for: a metric, a level, a week, as people write it."""

from __future__ import annotations

import re

from simulator.analysis.parts import Target
from simulator.errors import AnalysisError
from simulator.spec.measures import Kind
from simulator.spec.paths import week_of
from simulator.spec.schema import Scenario
from simulator.spec.units import Quantity
from simulator.vocabulary import describe, unknown

_FORM = re.compile(
    r"^\s*(?P<metric>[\w.]+)\s*(?P<sign>>=|<=|≥|≤|=>|=<|==|=|<|>)\s*(?P<level>.+?)"
    r"(?:\s+(?:at|by|in)\s+(?P<when>\S.*?))?\s*$"
)
_EXAMPLE = '"arr_per_head >= 210 kUSD at week 104"'
_KINDS: dict[str, Kind] = {
    "money": "money",
    "share": "share",
    "weeks": "weeks",
    "count": "count",
    "rate": "rate",
}


def check_metric(name: str, scenario: Scenario, week: float | None = None) -> None:
    """Raise AnalysisError for a metric or a week that the scenario does not have."""
    why = unknown(name, list(scenario.teams), list(scenario.stages))
    if why:
        raise AnalysisError(why)
    if week is not None and not 0 < week <= scenario.horizon:
        raise AnalysisError(f"week {week:g} is outside the run (0 to {scenario.horizon:g} weeks)")


def parse_target(text: str, scenario: Scenario) -> Target:
    """Read a target; raises AnalysisError, saying what is wrong and how one is written."""
    found = _FORM.match(text)
    if found is None:
        raise AnalysisError(f"target '{text}': write it like {_EXAMPLE}")
    metric, sign = found["metric"], found["sign"]
    try:
        check_metric(metric, scenario)
    except AnalysisError as error:
        raise AnalysisError(f"target '{text}': {error}") from None
    if sign in ("=", "=="):
        raise AnalysisError(
            f"target '{text}': a level is reached from one side; write {metric} >= or <= it"
        )
    week = scenario.horizon
    if found["when"]:
        try:
            week = week_of(found["when"], scenario.start)
        except ValueError as error:
            raise AnalysisError(f"target '{text}': {error}") from None
    if not 0 < week <= scenario.horizon:
        raise AnalysisError(
            f"target '{text}': week {week:g} is outside the run (0 to {scenario.horizon:g} weeks)"
        )
    return Target(metric, 1 if ">" in sign or sign == "≥" else -1,
                  _level(text, metric, found["level"], scenario), week, text.strip())  # fmt: skip


def _level(text: str, metric: str, level: str, scenario: Scenario) -> float:
    unit = describe(metric).unit
    kind = _KINDS.get(unit, "number")
    negative = level.startswith(("-", "−"))
    bare = level[1:].strip() if negative else level
    # A metric's share may pass 1 (retention), so it is read as a number.
    try:
        if unit == "share" and bare.endswith("%"):
            value = float(bare[:-1]) / 100.0
        elif unit == "share":
            value = Quantity("number").parse(bare, scenario.currency)
        elif unit in ("weeks", "rate") and re.fullmatch(r"[\d.]+", bare):
            value = float(bare)
        else:
            if unit not in _KINDS:
                bare = re.sub(r"\s*(months?|/day|x)$", "", bare)
            if unit == "money/day":
                kind = "money"
            value = Quantity(kind).parse(bare, scenario.currency)
    except ValueError as error:
        raise AnalysisError(f"target '{text}': {error}") from None
    return -value if negative else value


def parse_targets(texts: list[str], scenario: Scenario) -> list[Target]:
    """Read targets; raises AnalysisError, also for two that cannot both hold."""
    if not texts:
        raise AnalysisError(f"no target: give --target {_EXAMPLE}")
    found = [parse_target(text, scenario) for text in texts]
    for i, a in enumerate(found):
        for b in found[:i]:
            if (a.metric, a.week) != (b.metric, b.week) or a.sign == b.sign:
                continue
            least, most = (a, b) if a.sign > 0 else (b, a)
            if least.level > most.level:
                raise AnalysisError(
                    f"targets '{b.text}' and '{a.text}' contradict each other: no {a.metric} is "
                    "both"
                )
    return found
