"""Mechanisms switched off: the scenario as it would be written without them.

A switch is a pure transform of the scenario, so every engine has it, and off is bit-identical to
a file that never had the mechanism. Levers go with what they move; what they cost stays.

Queueing is no switch here: a team without a limit would have hours that nobody pays. What it
does is shown by `simulator.analysis.counterfactual.crowd`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from simulator.errors import AnalysisError
from simulator.spec.paths import leaves, match
from simulator.spec.schema import Channel, Leads, Lever, Mechanisms, Scenario

SWITCHES: Final[tuple[str, ...]] = tuple(Mechanisms.model_fields)
"""Mechanisms that a scenario can switch off, in the order of the file."""

_HELD: Final[dict[str, tuple[str, ...]]] = {
    "onboarding_lateness": ("customers.late_churn",),
    "buyer_effort": ("buyer.kappa",),
    "approvers": ("buyer.approvers",),
}
"""Numbers that stay in a scenario without the mechanism, but that no lever may move then."""


def _each_stage(s: Scenario, change: dict[str, object]) -> Scenario:
    stages = {name: stage.model_copy(update=change) for name, stage in s.stages.items()}
    return s.model_copy(update={"stages": stages})


def _each_team(s: Scenario, change: dict[str, object]) -> Scenario:
    teams = {name: team.model_copy(update=change) for name, team in s.teams.items()}
    return s.model_copy(update={"teams": teams})


def _each_channel(s: Scenario, change: Callable[[Channel], Channel]) -> Scenario:
    return s.model_copy(update={"channels": {n: change(c) for n, c in s.channels.items()}})


def _proportional(channel: Channel) -> Channel:
    if channel.leads is None:
        return channel
    leads = channel.leads.model_copy(update={"saturation": "none", "half": None})
    return channel.model_copy(update={"leads": leads})


def _unreferred(channel: Channel) -> Channel:
    if channel.per_customer is None:
        return channel
    # A channel must bring something, be it nothing.
    leads = channel.leads or Leads(now=0.0)
    return channel.model_copy(update={"per_customer": None, "leads": leads})


def _onboarding(s: Scenario) -> Scenario:
    customers = s.customers.model_copy(update={"late_churn": 0.0})
    return s.model_copy(update={"customers": customers})


def _approvers(s: Scenario) -> Scenario:
    buyer = s.buyer.model_copy(update={"approvers": s.buyer.reference.approvers})
    return s.model_copy(update={"buyer": buyer})


_WITHOUT: Final[dict[str, Callable[[Scenario], Scenario]]] = {
    "patience": lambda s: _each_stage(s, {"patience": None}),
    "speed_to_lead": lambda s: _each_stage(s, {"speed": None}),
    "ramp": lambda s: _each_team(s, {"ramp": 0.0}),
    "hiring_lead": lambda s: _each_team(s, {"hiring_lead": 0.0}),
    "handoffs": lambda s: s.model_copy(update={"handoffs": []}),
    "rework": lambda s: _each_stage(s, {"rework": None}),
    "recycling": lambda s: _each_stage(s, {"recycle": None}),
    "saturation": lambda s: _each_channel(s, _proportional),
    "adstock": lambda s: _each_channel(s, lambda c: c.model_copy(update={"adstock": 0.0})),
    "market": lambda s: s.model_copy(update={"market": None}),
    "referral": lambda s: _each_channel(s, _unreferred),
    "onboarding_lateness": _onboarding,
    "buyer_effort": lambda s: s.model_copy(
        update={"buyer": s.buyer.model_copy(update={"kappa": 0.0})}
    ),
    "approvers": _approvers,
}


def switched(scenario: Scenario, off: Iterable[str]) -> Scenario:
    """The scenario without the mechanisms named, as if it had been written so.

    Raises AnalysisError for a name that is no mechanism.
    """
    names = set(off)
    for name in sorted(names - set(SWITCHES)):
        from simulator.spec.problems import nearest

        hint = nearest(name, SWITCHES)
        raise AnalysisError(f"no mechanism named '{name}'. {hint}".strip())
    after = scenario
    for name in SWITCHES:
        if name in names:
            after = _WITHOUT[name](after)
    if after is scenario or not scenario.levers:
        return after
    held = {path for name in names for path in _HELD.get(name, ())}
    return after.model_copy(update={"levers": _levers(scenario, after, held)})


def in_force(scenario: Scenario) -> Scenario:
    """The scenario without the mechanisms that it switches off itself."""
    off = [name for name in SWITCHES if not getattr(scenario.mechanisms, name)]
    return switched(scenario, off)


def without(scenario: Scenario, off: Iterable[str]) -> Scenario:
    """The scenario with its own switches put off; `build` takes the mechanisms out."""
    update = dict.fromkeys(off, False)
    if not update:
        return scenario
    mechanisms = scenario.mechanisms.model_copy(update=update)
    return scenario.model_copy(update={"mechanisms": mechanisms})


def _levers(before: Scenario, after: Scenario, held: set[str]) -> list[Lever]:
    """The levers on what is left; one that moves nothing any more keeps its cost."""
    there, left = leaves(before), leaves(after)
    kept: list[Lever] = []
    for lever in before.levers:
        paths = match(lever.path, there)
        live = [p for p in paths if p in left and p not in held]
        if paths == live == match(lever.path, left):
            kept.append(lever)
            continue
        for i, path in enumerate(live):
            change = {lever.verb: path} | ({} if i == 0 else {"cost": None})
            kept.append(lever.model_copy(update=change))
        if not live and lever.cost is not None:
            idle = {"set": None, "to": None, "add": None, "scale": "money.overhead", "by": 1.0}
            kept.append(lever.model_copy(update={**idle, "over": 0.0}))
    return kept


def used(scenario: Scenario) -> tuple[str, ...]:
    """The mechanisms that are on and have something to work on in a scenario, in order."""
    s = in_force(scenario)
    table = leaves(s)
    moved = {path for lever in s.levers for path in match(lever.path, table)}
    hires = {name for name in s.teams if f"teams.{name}.headcount" in moved}
    stages, channels = list(s.stages.values()), s.channels
    decides = any(stage.decision for stage in stages)
    buyer, reference = s.buyer, s.buyer.reference
    works: dict[str, bool] = {
        "patience": any(stage.patience is not None for stage in stages),
        "speed_to_lead": any(x.team is not None and x.speed is not None for x in stages),
        "ramp": any(t.ramp > 0 for n, t in s.teams.items() if n in hires),
        "hiring_lead": any(t.hiring_lead > 0 for n, t in s.teams.items() if n in hires),
        "handoffs": bool(s.handoffs),
        "rework": any(x.rework is not None and x.rework.share > 0 for x in stages)
        or any(path.endswith(".rework.share") for path in moved),
        "recycling": any(x.recycle is not None for x in stages),
        "saturation": any(_bends(s, n, moved) for n in channels),
        "adstock": any(c.adstock > 0 and f"channels.{n}.spend" in moved
                       for n, c in channels.items()),
        "market": s.market is not None,
        "referral": any(c.per_customer is not None for c in channels.values()),
        "onboarding_lateness": any(x.after_sale for x in stages)
        and (s.customers.late_churn > 0 or "customers.late_churn" in moved),
        "buyer_effort": decides
        and (buyer.kappa > 0 or "buyer.kappa" in moved)
        and (buyer.effort != reference.effort or bool(moved & {"buyer.effort", "buyer.kappa"})),
        "approvers": decides
        and (buyer.approvers != reference.approvers or "buyer.approvers" in moved),
    }  # fmt: skip
    return tuple(name for name in SWITCHES if getattr(s.mechanisms, name) and works[name])


def _bends(s: Scenario, name: str, moved: set[str]) -> bool:
    """Whether a channel's spend ever leaves the one that its leads belong to."""
    channel = s.channels[name]
    if channel.leads is None or channel.leads.saturation == "none":
        return False
    spend = _spend(channel)
    at = channel.leads.at if channel.leads.at is not None else spend
    return at > 0 and (spend != at or f"channels.{name}.spend" in moved)


def _spend(channel: Channel) -> float:
    if channel.spend is None and channel.cost_per_lead is not None and channel.leads is not None:
        return channel.cost_per_lead * channel.leads.now
    return channel.spend or 0.0
