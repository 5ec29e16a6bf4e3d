"""Levers as knobs: from not pulled (0) to all the way (1), with what each position costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.analysis.spend import planned_cost
from simulator.errors import AnalysisError, SpecError
from simulator.mechanisms import in_force
from simulator.spec.book import BOOK
from simulator.spec.check import free_lunches
from simulator.spec.load import Loaded, find_study, load
from simulator.spec.paths import Leaf, leaves, match, operand
from simulator.spec.schema import Lever, Scenario
from simulator.spec.units import MoneyOrRate, Quantity
from simulator.spec.values import in_the_end
from simulator.system import build, handoff_path

FAR = 2.0  # as far as a variant's lever may be pulled, in multiples of what is written


@dataclass(frozen=True)
class Knob:
    """One thing that can be done, more or less of it. levers: all the way; origin: who says so."""

    name: str
    levers: tuple[Lever, ...]
    origin: str

    def at(self, x: float, scenario: Scenario) -> list[Lever]:
        """The levers pulled a part of the way."""
        table = leaves(scenario)
        return [part for lever in self.levers for part in partly(lever, x, scenario, table)]

    def paths(self, scenario: Scenario) -> list[str]:
        """The numbers that it moves."""
        table = leaves(scenario)
        return list(dict.fromkeys(p for lever in self.levers for p in match(lever.path, table)))

    def steps(self, scenario: Scenario) -> int:
        """How many positions there are beside 0: people come by halves, approvers whole; 0: any."""
        if len(self.levers) != 1 or self.levers[0].verb == "scale":
            return 0
        lever, table = self.levers[0], leaves(scenario)
        paths = match(lever.path, table)
        each = {"headcount": 0.5, "approvers": 1.0}.get(paths[0].rsplit(".", 1)[-1])
        if each is None:
            return 0
        size = operand(lever, table[paths[0]], scenario.currency)
        if lever.verb == "set":
            size -= table[paths[0]].value
        count = abs(size) / each
        return round(count) if abs(count - round(count)) < 1e-9 and 0 < count <= 60 else 0


def pulled(scenario: Scenario, knobs: Iterable[tuple[Knob, float]]) -> Scenario:
    """The scenario with knobs at positions, beside the levers that it has."""
    more = [lever for knob, x in knobs if x > 0 for lever in knob.at(x, scenario)]
    return scenario.model_copy(update={"levers": [*scenario.levers, *more]})


def partly(lever: Lever, x: float, scenario: Scenario, table: dict[str, Leaf]) -> list[Lever]:
    """A lever pulled a part of the way, at that part of its cost."""
    x = float(x)
    cost = None
    if lever.cost is not None:
        cost = MoneyOrRate(lever.cost.amount * x, lever.cost.per_week)
    paths = match(lever.path, table)
    if lever.verb == "scale":
        by = operand(lever, table[paths[0]], scenario.currency)
        return [lever.model_copy(update={"by": 1.0 + x * (by - 1.0), "cost": cost})]
    if lever.verb == "add":
        leaf = table[paths[0]]
        step = x * operand(lever, leaf, scenario.currency)
        return [lever.model_copy(update={"by": _text(step, leaf, scenario), "cost": cost})]
    found = []
    for i, path in enumerate(paths):
        leaf = table[path]
        to = leaf.value + x * (operand(lever, leaf, scenario.currency) - leaf.value)
        change = {"set": path, "to": _text(to, leaf, scenario), "cost": cost if i == 0 else None}
        found.append(lever.model_copy(update=change))
    return found


def _text(value: float, leaf: Leaf, scenario: Scenario) -> str | float:
    kind = leaf.quantity or Quantity("number")
    if value < 0:
        said = kind.format(-value, scenario.currency)
        return f"-{said}" if isinstance(said, str) else -said
    return kind.format(value, scenario.currency)


def knobs_of(loaded: Loaded, levers: str | Path | None = None) -> list[Knob]:
    """The knobs to seek with: those of a file; else of the study's variants, and the usual ones.

    A file of levers is a scenario that extends the same one. Raises AnalysisError for a lever
    without cost, SpecError for a file that cannot be read.
    """
    scenario = loaded.scenario
    if levers is not None:
        given = load(levers)
        found = _from_variant(given, scenario, str(levers), 1.0)
        if not found:
            raise AnalysisError(f"{levers}: has no levers beside those of {scenario.name}")
        for lunch in free_lunches(given):
            raise AnalysisError(f"{levers}: levers.{lunch.index} ({lunch.path}): {lunch.message}")
    else:
        found = []
        for path in _variants(loaded):
            variant = load(path)
            whole = bool(free_lunches(variant))
            found += _from_variant(variant, scenario, path.name, FAR, whole=whole)
        seen = {p for k in found for p in k.paths(scenario)}
        found += [k for k in usual(scenario) if not seen & set(k.paths(scenario))]
    return _distinct(_priced(found, scenario))


def _variants(loaded: Loaded) -> list[Path]:
    file = loaded.files[-1] if loaded.files else None
    for candidate in loaded.files:
        if candidate.name == "today.yaml":
            file = candidate
    if file is None or file.name != "today.yaml":
        return []
    _, variants = find_study(file.parent)
    return variants


def _from_variant(
    given: Loaded, scenario: Scenario, origin: str, far: float, *, whole: bool = False
) -> list[Knob]:
    """A knob a lever; the whole variant as one where a lever alone would cost nothing."""
    levers = [v for v in given.scenario.levers if v not in scenario.levers]
    table = leaves(scenario)
    for lever in levers:
        if not match(lever.path, table):
            raise AnalysisError(f"{origin}: the lever on {lever.path} reaches nothing here")
    groups = [levers] if whole and levers else [[lever] for lever in levers]
    found = []
    for group in groups:
        name = group[0].path if len(group) == 1 else given.scenario.name
        written = Knob(name, tuple(group), origin)
        found.append(_stretched(written, scenario, far) if far > 1.0 else written)
    return found


def _stretched(knob: Knob, scenario: Scenario, far: float) -> Knob:
    """A knob that goes further than written, as far as numbers stay within their bounds."""
    while far > 1.01:
        longer = Knob(knob.name, tuple(knob.at(far, scenario)), knob.origin)
        try:
            build(pulled(scenario, [(longer, 1.0)]))
        except (SpecError, ValueError):
            far = 1.0 + 0.5 * (far - 1.0)
        else:
            return longer
    return knob


def usual(scenario: Scenario) -> list[Knob]:
    """What can be done in any scenario: people, spend, handoffs, the buyer's conditions."""
    s = in_the_end(in_force(scenario))
    found: list[Knob] = []

    def add(name: str, *levers: Lever) -> None:
        found.append(Knob(name, levers, "usual"))

    def price(kind: str, steps: float) -> MoneyOrRate:
        one = MoneyOrRate.parse(BOOK[f"reliefs.{kind}"].value, s.currency)
        return MoneyOrRate(one.amount * steps, one.per_week)

    if any((c.spend or 0) > 0 and c.leads is not None for c in s.channels.values()):
        add("channels.*.spend", Lever(scale="channels.*.spend", by=2.5))
    used = {x.team for x in s.stages.values() if x.team}
    for name, team in s.teams.items():
        if name in used and team.headcount > 0:
            path = f"teams.{name}.headcount"
            add(path, Lever(add=path, by=max(1.0, round(0.5 * team.headcount))))
    for h in s.handoffs:
        key = f"handoffs.{handoff_path(h)}"
        room = min(0.25, 1.0 - h.accepted)
        if room > 0.005:
            levers = [Lever(add=f"{key}.accepted", by=room, cost=price("handoffs", room / 0.05))]
            rest = max(0.0, 1.0 - h.accepted - room)
            if h.returned > rest:
                levers.append(Lever(set=f"{key}.returned", to=rest))
            add(f"{key}.accepted", *levers)
        if h.delay is not None and h.delay.mean > 0:
            less = Lever(scale=f"{key}.delay", by=0.5, cost=price("handoffs", 1.0))
            add(f"{key}.delay", less)
    if any(x.decision for x in s.stages.values()):
        for name in ("alignment", "proof", "risk_removed"):
            room = min(0.25, 1.0 - getattr(s.buyer, name))
            if room > 0.005:
                cost = price("buyer", room / 0.05)
                add(f"buyer.{name}", Lever(add=f"buyer.{name}", by=room, cost=cost))
        room = min(0.25, s.buyer.friction)
        if room > 0.005:
            cost = price("buyer", room / 0.05)
            add("buyer.friction", Lever(add="buyer.friction", by=-room, cost=cost))
        if s.buyer.approvers >= 2:
            fewer = min(2.0, s.buyer.approvers - 1)
            cost = price("buyer", fewer)
            add("buyer.approvers", Lever(add="buyer.approvers", by=-fewer, cost=cost))
    return found


def _priced(knobs: Sequence[Knob], scenario: Scenario) -> list[Knob]:
    """The knobs, each of which must cost or save something."""
    if not knobs:
        raise AnalysisError(f"{scenario.name}: there is no lever to seek with; give --levers FILE")
    base = planned_cost(build(scenario))
    for knob in knobs:
        extra = planned_cost(build(pulled(scenario, [(knob, 1.0)]))) - base
        if abs(extra) < 1e-9 * max(1.0, base):
            raise AnalysisError(
                f"{knob.origin}: the lever on {knob.name} costs nothing: state its cost, "
                "e.g. cost: 60 kUSD/year"
            )
    return list(knobs)


def _distinct(knobs: Sequence[Knob]) -> list[Knob]:
    """Knobs with names of their own."""
    count: dict[str, int] = {}
    found = []
    for knob in knobs:
        count[knob.name] = count.get(knob.name, 0) + 1
        n = count[knob.name]
        name = knob.name if n == 1 else f"{knob.name} ({n})"
        found.append(Knob(name, knob.levers, knob.origin))
    return found
