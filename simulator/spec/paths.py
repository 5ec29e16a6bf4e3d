"""Dotted paths into a scenario: what a lever can reach, and what it does there.

A path names a number by its keys (``teams.se.headcount``), with ``*`` for any one key
(``channels.*.spend``). A handoff's key is ``from>to``. A path may stop at a quantity with a mean
(``stages.demo.effort``) or at a share by fit (``stages.demo.advance``): it then reaches the mean,
or both shares.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from simulator.spec.patterns import DAYS, Pattern
from simulator.spec.schema import Handoff, Move, Scenario
from simulator.spec.units import Quantity

FloatArray = NDArray[np.float64]

CONDITIONS: tuple[str, ...] = (
    "approvers",
    "alignment",
    "proof",
    "risk_removed",
    "friction",
    "effort",
    "competitor_strength",
    "kappa",
)
TIMED: tuple[str, ...] = (
    "value.mean",
    "channels.*.spend",
    "channels.*.leads.now",
    "channels.*.per_customer",
    "channels.*.good_fit",
    "channels.*.value.mean",
    "channels.*.outbound.hours",
    "channels.*.outbound.tooling",
    "teams.*.headcount",
    "teams.*.hiring",
    "teams.*.hours",
    "teams.*.cost",
    "teams.*.capability.improvement",
    "teams.*.pressure.goal",
    "stages.*.effort.mean",
    "stages.*.patience.mean",
    "stages.*.sla",
    "stages.*.buyer_time.mean",
    "stages.*.speed.floor",
    "stages.*.speed.scale",
    "stages.*.tooling",
    "stages.*.applies_to",
    "stages.*.advance.good_fit",
    "stages.*.advance.poor_fit",
    "stages.*.rework.share",
    "stages.*.recycle.share",
    *(f"stages.*.buyer.{key}" for key in CONDITIONS),
    "handoffs.*.accepted",
    "handoffs.*.accepted_poor_fit",
    "handoffs.*.mismatch",
    "handoffs.*.returned",
    "handoffs.*.rework",
    "handoffs.*.delay.mean",
    "handoffs.*.every",
    *(f"buyer.{key}" for key in CONDITIONS),
    "buyer.discount.level",
    "customers.churn",
    "customers.expansion",
    "customers.onboarding_target",
    "customers.late_churn",
    "money.gross_margin",
    "money.overhead",
)
"""What levers can change in the course of a run."""

_RULES = ("levers", "shocks", "policies", "patterns")
_SHORT = {"mean", "good_fit", "poor_fit"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A number of a scenario: its path, its value in internal units, and how it is written."""

    path: str
    value: float
    quantity: Quantity | None
    low: float
    high: float


def _quantity(annotation: Any, metadata: tuple[Any, ...] = ()) -> Quantity | None:
    for item in metadata:
        if isinstance(item, Quantity):
            return item
    if typing.get_origin(annotation) is typing.Annotated:
        base, *meta = typing.get_args(annotation)
        return _quantity(base, tuple(meta))
    for arg in typing.get_args(annotation):
        found = _quantity(arg)
        if found is not None:
            return found
    return None


def _bounds(annotation: Any, metadata: tuple[Any, ...] = ()) -> tuple[float, float]:
    low, high = float("-inf"), float("inf")
    for item in metadata:
        low = max(
            low, float(getattr(item, "ge", None) or low), float(getattr(item, "gt", None) or low)
        )
        if getattr(item, "ge", None) == 0 or getattr(item, "gt", None) == 0:
            low = max(low, 0.0)
        for name in ("le", "lt"):
            bound = getattr(item, name, None)
            if bound is not None:
                high = min(high, float(bound))
        nested = getattr(item, "metadata", None)
        if nested:
            lo, hi = _bounds(None, tuple(nested))
            low, high = max(low, lo), min(high, hi)
    if typing.get_origin(annotation) is typing.Annotated:
        base, *meta = typing.get_args(annotation)
        lo, hi = _bounds(base, tuple(meta))
        return max(low, lo), min(high, hi)
    for arg in typing.get_args(annotation):
        lo, hi = _bounds(arg)
        low, high = max(low, lo), min(high, hi)
    return low, high


@cache
def _kind(model: type[BaseModel], name: str) -> tuple[Quantity | None, float, float]:
    """Quantity and bounds of a field: the same for every scenario, and slow to find out."""
    info = model.model_fields[name]
    quantity = _quantity(info.annotation, tuple(info.metadata))
    low, high = _bounds(info.annotation, tuple(info.metadata))
    if quantity is not None and quantity.kind == "share":
        low, high = max(low, 0.0), min(high, 1.0)
    return quantity, low, high


def _walk(model: BaseModel, prefix: str) -> Iterator[Leaf]:
    for name in type(model).model_fields:
        yield from _of_field(model, name, getattr(model, name), prefix)


def _of_field(model: BaseModel, name: str, value: Any, prefix: str) -> Iterator[Leaf]:
    path = f"{prefix}{name}"
    if isinstance(value, BaseModel):
        yield from _walk(value, path + ".")
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, BaseModel):
                yield from _below(item, f"{path}.{key}.").values()
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, Handoff):
                yield from _below(item, f"{path}.{item.from_}>{item.to}.").values()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        quantity, low, high = _kind(type(model), name)
        yield Leaf(path, float(value), quantity, low, high)


_MOST_KNOWN: Final = 4096
_known: dict[tuple[int, str], tuple[BaseModel, dict[str, Leaf]]] = {}


def _below(model: BaseModel, prefix: str) -> dict[str, Leaf]:
    """Numbers of a part, kept: points of a sweep share most of their parts, which never change."""
    key = id(model), prefix
    found = _known.get(key)
    if found is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        found = _known[key] = model, {leaf.path: leaf for leaf in _walk(model, prefix)}
    return found[1]


def leaves(scenario: Scenario) -> dict[str, Leaf]:
    """Every number of a scenario by its path, in file order."""
    found: dict[str, Leaf] = {}
    for name in type(scenario).model_fields:
        if name in _RULES:
            continue
        value = getattr(scenario, name)
        if isinstance(value, BaseModel):
            found.update(_below(value, f"{name}."))
        elif isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, BaseModel):
                    found.update(_below(item, f"{name}.{key}."))
        else:
            for leaf in _of_field(scenario, name, value, ""):
                found[leaf.path] = leaf
    return found


def timed(path: str) -> bool:
    """Whether a lever can change this path."""
    return any(matches(path, pattern) for pattern in TIMED)


def matches(path: str, pattern: str) -> bool:
    """Whether a path fits a pattern with wildcards for keys."""
    keys, wanted = path.split("."), pattern.split(".")
    return len(keys) == len(wanted) and all(
        fnmatchcase(k, w) for k, w in zip(keys, wanted, strict=True)
    )


def match(pattern: str, table: dict[str, Leaf]) -> list[str]:
    """The paths that a lever's pattern reaches, in file order; empty if none can be changed."""
    return list(_matched(pattern, tuple(table)))


@lru_cache(maxsize=256)
def _matched(pattern: str, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Of paths, those that a pattern reaches: points of a sweep have the same ones."""
    exact = tuple(p for p in paths if matches(p, pattern) and timed(p))
    if exact:
        return exact
    return tuple(
        p
        for p in paths
        if p.rsplit(".", 1)[-1] in _SHORT and matches(p.rsplit(".", 1)[0], pattern) and timed(p)
    )


_WEEK = re.compile(r"^week\s+(-?\d+(\.\d+)?)$")


def week_of(value: Any, start: dt.date) -> float:
    """The week of "week 13", "13 weeks", or a date; ValueError with a hint otherwise."""
    if isinstance(value, dt.datetime):
        value = value.date()
    if isinstance(value, str):
        text = value.strip()
        found = _WEEK.match(text)
        if found:
            return float(found.group(1))
        try:
            value = dt.date.fromisoformat(text)
        except ValueError:
            return Quantity("weeks").parse(text)
    if isinstance(value, dt.date):
        return (value - start).days / 7.0
    if value == 0 and not isinstance(value, bool):
        return 0.0
    raise ValueError(f"{value!r} is not a time: write 'week 13', '3 months' or a date")


def operand(lever: Move, leaf: Leaf, currency: str) -> float:
    """The number that a lever applies to a leaf, in the leaf's units."""
    return operand_of(lever.verb, lever.operand, leaf, currency)


def operand_of(verb: str, raw: Any, leaf: Leaf, currency: str) -> float:
    """The number that set, scale or add applies to a leaf; ValueError if it is none."""
    if verb == "scale":
        if isinstance(raw, str) and raw.strip().endswith("%"):
            return float(Quantity("number").parse(raw.strip()[:-1])) / 100.0
        return float(Quantity("number").parse(raw))
    kind = leaf.quantity or Quantity("number")
    if verb == "add" and isinstance(raw, str) and raw.strip().startswith("-"):
        return -kind.parse(raw.strip()[1:].strip(), currency)
    if verb == "add" and isinstance(raw, int | float) and raw < 0:
        return -kind.parse(-raw, currency)
    return kind.parse(raw, currency)


def check_levers(scenario: Scenario, moves: Sequence[Move]) -> list[tuple[int, str, str]]:
    """What is wrong with levers or shocks: (index, message, hint) each."""
    table = leaves(scenario)
    found: list[tuple[int, str, str]] = []
    for i, lever in enumerate(moves):
        weeks: list[float] = []
        for label, when in (("at", lever.at), ("until", lever.until)):
            if label == "until" and when is None:
                continue
            try:
                week = week_of(when, scenario.start)
            except ValueError as error:
                found.append((i, f"{label}: {error}", ""))
                continue
            if not 0 <= week <= scenario.horizon:
                message = (
                    f"{label} is week {week:g}, outside the run (weeks 0 to {scenario.horizon:g})"
                )
                found.append((i, message, ""))
            weeks.append(week)
        if len(weeks) == 2 and weeks[1] < weeks[0]:
            message = f"until is week {weeks[1]:g}, before week {weeks[0]:g}, where it begins"
            found.append((i, message, ""))
        targets = match(lever.path, table)
        if not targets:
            found.append((i, *no_match(lever.path, table)))
            continue
        for path in targets:
            try:
                operand(lever, table[path], scenario.currency)
            except ValueError as error:
                key = "to" if lever.verb == "set" else "by"
                found.append((i, f"{key}, for {path}: {error}", ""))
                break
    return found


def no_match(pattern: str, table: dict[str, Leaf]) -> tuple[str, str]:
    """Why a path reaches nothing, and the nearest that would: (message, hint)."""
    fixed = [p for p in table if matches(p, pattern)]
    if fixed:
        return (
            f"{fixed[0]} cannot change in the course of a run",
            "State another value in the variant itself instead of a lever.",
        )
    candidates = [p for p in table if timed(p)]
    candidates += sorted({re.sub(r"^(\w+)\.[^.]+\.", r"\1.*.", p) for p in candidates})
    near = difflib.get_close_matches(pattern, candidates, n=1, cutoff=0.5)
    hint = (
        f"Did you mean '{near[0]}'?" if near else "See `growthsim check` for the paths there are."
    )
    return f"the path '{pattern}' matches nothing that a lever can change", hint


def pattern_values(pattern: Pattern, leaf: Leaf, currency: str) -> list[FloatArray | None]:
    """A pattern's numbers for a leaf, in its units, one array a day; ValueError if one is none."""
    found: list[FloatArray | None] = []
    for d, day in enumerate(DAYS):
        steps = pattern.day(d)
        if steps is None:
            found.append(None)
            continue
        try:
            numbers = [operand_of(pattern.verb, raw, leaf, currency) for raw in steps]
        except ValueError as error:
            raise ValueError(f"{day}, for {leaf.path}: {error}") from None
        found.append(np.array(numbers, dtype=np.float64))
    return found


def check_patterns(scenario: Scenario) -> list[tuple[int, str, str]]:
    """What is wrong with patterns: (index, message, hint) each."""
    table = leaves(scenario)
    found: list[tuple[int, str, str]] = []
    seen: dict[str, int] = {}
    for i, pattern in enumerate(scenario.patterns):
        targets = match(pattern.path, table)
        if not targets:
            found.append((i, *no_match(pattern.path, table)))
            continue
        for path in targets:
            if path in seen:
                message = f"{path} has a pattern already, patterns.{seen[path]}"
                found.append((i, message, "Give one pattern for each number."))
                break
            seen[path] = i
            try:
                pattern_values(pattern, table[path], scenario.currency)
            except ValueError as error:
                found.append((i, str(error), ""))
                break
            wrong = _not_a_shift(scenario, path)
            if wrong:
                found.append((i, *wrong))
                break
    return found


def _not_a_shift(scenario: Scenario, path: str) -> tuple[str, str] | None:
    """Why the people of a team cannot come and go by the hour, and what to write."""
    keys = path.split(".")
    if keys[0] != "teams" or keys[-1] != "headcount":
        return None
    name, team = keys[1], scenario.teams[keys[1]]
    if team.hiring_lead > 0 or team.ramp > 0:
        return (
            f"who comes on shift in {name} is not hired: hiring_lead and ramp must be 0",
            f"Give teams.{name} hiring_lead: 0 weeks and ramp: 0 weeks.",
        )
    for key in ("attrition", "owned", "hiring", "washout", "attrition_ramping"):
        if getattr(team, key):
            return (
                f"{name} has {key}, and people on shift are not known one by one",
                f"Leave {key} out, or set teams.{name}.hours by the week instead.",
            )
    return None
