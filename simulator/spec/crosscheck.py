"""What can be wrong between the parts of a scenario that each read well."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from simulator.errors import SpecError
from simulator.spec.calendar import calendar
from simulator.spec.paths import (
    Leaf,
    check_levers,
    check_patterns,
    leaves,
    match,
    operand,
    pattern_values,
)
from simulator.spec.patterns import Pattern
from simulator.spec.problems import nearest
from simulator.spec.quantities import ByFit
from simulator.spec.rulecheck import rules
from simulator.spec.schema import Scenario, Stage
from simulator.spec.shape import Path
from simulator.vocabulary import unknown

MAX_WEEKS: Final = 5_200
MAX_LEADS: Final = 20_000_000
MAX_STEPS: Final = 200_000
MAX_BYTES: Final = 4 << 30
LEAD_BYTES: Final = 160
VISIT_BYTES: Final = 24
WON: Final = "won"

Finding = tuple[Path, str, str]


def findings(scenario: Scenario) -> Iterator[Finding]:
    """Path, message and hint of everything that does not fit together."""
    nobody = list(references(scenario.model_dump(by_alias=True)))
    yield from nobody
    yield from _sources(scenario)
    yield from _handoffs(scenario, bool(nobody))
    if not nobody:
        yield from _graph(scenario)
    yield from _size(scenario)
    wrong = False
    for part in ("shocks", "levers"):
        for index, message, hint in check_levers(scenario, getattr(scenario, part)):
            wrong = True
            yield (part, index), message, hint
    for index, message, hint in check_patterns(scenario):
        wrong = True
        yield ("patterns", index), message, hint
    if not wrong:
        yield from _bounds(scenario)
    yield from rules(scenario)
    strange = unknown(scenario.outcome, list(scenario.teams), list(scenario.stages))
    if strange:
        yield ("outcome",), strange, ""


def _bounds(scenario: Scenario) -> Iterator[Finding]:
    try:
        calendar(scenario, [])
    except SpecError as error:
        for p in error.problems:
            part, _, index = p.path.partition(".")
            yield (part, int(index)), p.message, p.hint


def references(scenario: Mapping[str, Any]) -> Iterator[Finding]:
    """Names of teams, stages and channels that no one defined, in a scenario's plain form.

    The form need not be valid otherwise, so that these are told together with everything else.
    """
    teams, stages, channels = (_map(scenario.get(k)) for k in ("teams", "stages", "channels"))
    if WON in stages:
        yield ("stages", WON), "no stage can be called 'won', which is where `next` may lead", ""
    for name, stage in stages.items():
        here: Path = ("stages", name)
        team = _map(stage).get("team")
        if isinstance(team, str) and team not in teams:
            yield (*here, "team"), f"no team named '{team}'", _near(team, teams)
        onward = _map(stage).get("next")
        goals = list(onward) if isinstance(onward, dict) else [onward]
        for goal in goals:
            path: Path = (*here, "next")
            if isinstance(onward, dict):
                path = (*path, str(goal))
            if goal == name:
                yield path, "names the stage itself", "Work that is done again is `rework`."
            elif isinstance(goal, str) and goal not in stages and goal != WON:
                yield path, f"no stage named '{goal}'", _near(goal, [*stages, WON])
        for key in ("rework", "recycle"):
            yield from _stage((*here, key, "to"), _map(_map(stage).get(key)).get("to"), stages)
    for name, channel in channels.items():
        yield from _stage(("channels", name, "enters"), _map(channel).get("enters"), stages)
        for other in _map(_map(channel).get("lift")):
            path = ("channels", name, "lift", other)
            if other == name:
                yield path, "a channel cannot lift itself", ""
            elif other not in channels:
                yield path, f"no channel named '{other}'", _near(other, channels)
    chosen = scenario.get("opportunity")
    for first in chosen if isinstance(chosen, list) else [chosen]:
        yield from _stage(("opportunity",), first, stages)
    handoffs = scenario.get("handoffs")
    for index, handoff in enumerate(handoffs if isinstance(handoffs, list) else []):
        for key in ("from", "to"):
            yield from _stage(("handoffs", index, key), _map(handoff).get(key), stages)


def _map(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _stage(path: Path, name: object, stages: dict[str, Any]) -> Iterator[Finding]:
    if isinstance(name, str) and name not in stages:
        yield path, f"no stage named '{name}'", _near(name, stages)


def _near(word: str, known: Iterable[str]) -> str:
    return nearest(word, known) or "Define it, or name one that is."


def _sources(scenario: Scenario) -> Iterator[Finding]:
    for name, channel in scenario.channels.items():
        here: Path = ("channels", name)
        if channel.lift and channel.role != "accelerate":
            yield (*here, "lift"), f"lift belongs to role accelerate, not {channel.role}", ""
        if channel.lift and not channel.spend:
            yield here, "has a lift but no spend that could lift", "Give spend, e.g. 5 k/month."
        if channel.role == "accelerate" and not channel.lift and channel.leads is None:
            yield here, "accelerates nothing: give lift, e.g. lift: {paid_search: 10%}", ""
        leads = channel.leads
        if leads is not None and channel.spend and leads.now > 0:
            if leads.at == 0:
                hint = "Give the spend that `now` belongs to, e.g. at: 5 k/month."
                yield (*here, "leads"), "leads of a spend of 0 say nothing about more spend", hint
            if leads.saturation == "none" and leads.half is not None:
                yield (*here, "leads", "half"), "half has no meaning with saturation: none", ""
    made = any(c.leads is not None for c in scenario.channels.values())
    referred = any(c.per_customer is not None for c in scenario.channels.values())
    if not made and not (referred and scenario.customers.start > 0):
        hint = "Give a channel leads, e.g. leads: 35/week"
        yield (
            ("channels",),
            "no lead ever arrives",
            hint + (", or customers.start above 0." if referred else "."),
        )


def _successors(scenario: Scenario) -> dict[str, list[str]]:
    """Where what advances can go, by stage, the end being WON."""
    names = list(scenario.stages)
    following = dict(zip(names, [*names[1:], WON], strict=True))
    found: dict[str, list[str]] = {}
    for name, stage in scenario.stages.items():
        if isinstance(stage.next, dict):
            found[name] = [goal for goal, share in stage.next.items() if share > 0]
        else:
            found[name] = [stage.next or following[name]]
    return found


def _handoffs(scenario: Scenario, broken: bool) -> Iterator[Finding]:
    following = {} if broken else _successors(scenario)
    seen: set[tuple[str, str]] = set()
    for index, handoff in enumerate(scenario.handoffs):
        here: Path = ("handoffs", index)
        ends = (handoff.from_, handoff.to)
        if ends in seen:
            yield here, f"a second handoff from {ends[0]} to {ends[1]}", "Keep one of them."
        seen.add(ends)
        if following and handoff.to not in _passable(handoff.from_, following, scenario):
            goals = ", ".join(following[handoff.from_])
            message = f"{handoff.from_} does not lead to {handoff.to}"
            yield here, message, f"It leads to {goals}."


def _passable(name: str, following: dict[str, list[str]], scenario: Scenario) -> set[str]:
    """Stages that can come next, those included that follow on a stage that is skipped."""
    found: set[str] = set()
    todo = list(following[name])
    while todo:
        goal = todo.pop()
        if goal not in found:
            found.add(goal)
            if goal != WON and scenario.stages[goal].applies_to < 1:
                todo.extend(following[goal])
    return found


def _loses(stage: Stage) -> bool:
    """Whether some of the leads that come here surely end here."""
    shares = stage.advance if not stage.decision else ByFit(good_fit=0.5, poor_fit=0.5)
    return (
        min(shares.good_fit, shares.poor_fit) < 1
        or stage.patience is not None
        or stage.speed is not None
    )


def _graph(scenario: Scenario) -> Iterator[Finding]:
    stages = scenario.stages
    following = _successors(scenario)
    lossy = {h.from_ for h in scenario.handoffs if h.accepted + h.returned < 1 - 1e-9}
    edges = {name: [g for g in goals if g != WON] for name, goals in following.items()}
    for name, stage in stages.items():
        for back in (stage.rework, stage.recycle):
            if back is not None and back.share > 0:
                edges[name].append(back.to or name)
        for goal in edges[name]:
            if stage.after_sale and not stages[goal].after_sale:
                message = f"comes after the sale but leads to {goal}, which does not"
                yield ("stages", name), message, f"Give {goal} after_sale: true, or name a next."
    entries = {c.enters or next(iter(stages)) for c in scenario.channels.values()}
    reached = _closure(entries, edges)
    for name in stages:
        if name not in reached:
            message = "no lead ever reaches this stage"
            yield ("stages", name), message, "Lead to it by `next` or a channel's `enters`."
    ends = {name for name, stage in stages.items() if WON in following[name] or _loses(stage)}
    reverse: dict[str, list[str]] = {name: [] for name in stages}
    for name, goals in following.items():
        for goal in goals:
            if goal != WON:
                reverse[goal].append(name)
    out = _closure(ends | lossy, reverse)
    for name in stages:
        if name not in out:
            message = "no way out: from here no lead is ever won or lost"
            hint = f"It leads to {', '.join(following[name])}; let one of these lead to `won`."
            yield ("stages", name), message, hint
    for one, two in itertools.permutations([n for n, s in stages.items() if s.decision], 2):
        if two in _closure(set(edges[one]), edges):
            message = f"the buyer decides here, though already at {one}"
            yield ("stages", two, "decision"), message, "Make one of them an ordinary stage."


def _closure(start: set[str], edges: dict[str, list[str]]) -> set[str]:
    reached: set[str] = set()
    todo = list(start)
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo.extend(edges[name])
    return reached


def _size(scenario: Scenario) -> Iterator[Finding]:
    for key in ("horizon", "warm_up"):
        weeks = getattr(scenario, key)
        if weeks > MAX_WEEKS:
            yield (key,), f"{weeks:,.0f} weeks are more than the {MAX_WEEKS:,} that a run may", ""
    weeks = scenario.horizon + scenario.warm_up
    steps = sum(p.steps() for p in scenario.patterns) * weeks
    if steps > MAX_STEPS:
        message = (
            f"about {steps:,.0f} steps of patterns in {weeks:,.0f} weeks, at most {MAX_STEPS:,}"
        )
        yield ("patterns",), message, "Shorten the horizon, or give fewer steps a day."
    leads = _highest_rate(scenario) * weeks
    if leads > MAX_LEADS:
        message = f"about {leads:,.0f} leads in {weeks:,.0f} weeks are more than {MAX_LEADS:,}"
        yield ("channels",), message, "Shorten the horizon, or count in larger units."
        return
    size = leads * (LEAD_BYTES + VISIT_BYTES * len(scenario.stages))
    if size > MAX_BYTES:
        message = f"a run would need about {size / 2**30:.1f} GiB of the {MAX_BYTES >> 30} allowed"
        yield ("channels",), message, "Shorten the horizon, or merge stages."


def _highest_rate(scenario: Scenario) -> float:
    """Leads a week of all channels at the highest that levers bring them to."""
    table = leaves(scenario)
    now = {path: leaf.value for path, leaf in table.items() if path.startswith("channels.")}
    for pattern in scenario.patterns:
        for path in (p for p in match(pattern.path, table) if p in now):
            with contextlib.suppress(ValueError):  # told by check_patterns
                now[path] = _weekly_mean(pattern, table[path], scenario.currency)
    top = dict(now)
    for lever in (*scenario.shocks, *scenario.levers):
        for path in match(lever.path, table):
            if path not in now:
                continue
            try:
                by = operand(lever, table[path], scenario.currency)
            except ValueError:
                continue  # told by check_levers
            now[path] = {"set": by, "scale": now[path] * by, "add": now[path] + by}[lever.verb]
            top[path] = max(top[path], now[path])
    rate = 0.0
    for name, channel in scenario.channels.items():
        base = f"channels.{name}"
        if channel.leads is not None:
            at, spend = channel.leads.at or 0.0, top.get(f"{base}.spend", 0.0)
            factor = 1.0
            if at > 0 and channel.leads.saturation == "none":
                factor = max(1.0, spend / at)
            elif at > 0 and spend > 0:
                exponent, half = float(channel.leads.saturation), channel.leads.half or at
                factor = _hill(spend, half, exponent) / _hill(at, half, exponent)
            rate += top.get(f"{base}.leads.now", 0.0) * max(1.0, factor)
        rate += top.get(f"{base}.per_customer", 0.0) * scenario.customers.start
    return rate


def _weekly_mean(pattern: Pattern, leaf: Leaf, currency: str) -> float:
    days = pattern_values(pattern, leaf, currency)
    unmoved = leaf.value if pattern.verb == "set" else 1.0
    mean = sum(unmoved if d is None else float(d.mean()) for d in days) / len(days)
    return mean if pattern.verb == "set" else mean * leaf.value


def _hill(spend: float, half: float, exponent: float) -> float:
    # In logs, as ratios of extreme spends to a high power overflow.
    return 1.0 / (1.0 + math.exp(min(700.0, exponent * (math.log(half) - math.log(spend)))))
