"""Mechanisms switched off: the scenario as it would be written without them.

A switch is a pure transform of the scenario, so every engine has it, and off is bit-identical to
a file that never had the mechanism. Levers go with what they move; what they cost stays.

Queueing is no switch here: a team without a limit would have hours that nobody pays. What it
does is shown by `simulator.analysis.counterfactual.crowd`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from simulator.errors import AnalysisError
from simulator.spec.market import Buyer
from simulator.spec.paths import leaves, match, matches
from simulator.spec.policies import Policy
from simulator.spec.schema import Channel, Leads, Lever, Mechanisms, Move, Scenario
from simulator.spec.signals import pattern_of, reach
from simulator.spec.teams import Team

M = TypeVar("M", bound=Move)

SWITCHES: Final[tuple[str, ...]] = tuple(Mechanisms.model_fields)
"""Mechanisms that a scenario can switch off, in the order of the file."""

_HELD: Final[dict[str, tuple[str, ...]]] = {
    "onboarding_lateness": ("customers.late_churn",),
    "buyer_effort": ("buyer.kappa",),
    "approvers": ("buyer.approvers",),
    "mismatch": ("handoffs.*.mismatch",),
    "tooling": ("stages.*.tooling", "channels.*.outbound.tooling"),
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


def _untooled(s: Scenario) -> Scenario:
    s = _each_stage(s, {"tooling": 1.0})

    def plain(channel: Channel) -> Channel:
        if channel.outbound is None:
            return channel
        return channel.model_copy(
            update={"outbound": channel.outbound.model_copy(update={"tooling": 1.0})}
        )

    return _each_channel(s, plain)


def _market(s: Scenario, change: dict[str, object]) -> Scenario:
    if s.market is None:
        return s
    market = s.market.model_copy(update=change)
    says = market.accounts is not None or market.reputation or market.delivery
    return s.model_copy(update={"market": market if says else None})


def _each_buyer(s: Scenario, change: Callable[[Buyer], Buyer]) -> Scenario:
    stages = {
        name: stage
        if stage.buyer is None
        else stage.model_copy(update={"buyer": change(stage.buyer)})
        for name, stage in s.stages.items()
    }
    return s.model_copy(update={"buyer": change(s.buyer), "stages": stages})


def _agreed(s: Scenario) -> Scenario:
    handoffs = [h.model_copy(update={"mismatch": 0.0}) for h in s.handoffs]
    return s.model_copy(update={"handoffs": handoffs})


def _buyers(s: Scenario, **change: object) -> Scenario:
    return _each_buyer(s, lambda b: b.model_copy(update=change))


_EARLY: Final[dict[str, object]] = {"attrition_ramping": None, "washout": None}
_NO_QUITS: Final[dict[str, object]] = {"attrition": None, **_EARLY}


def _each_person(s: Scenario) -> Scenario:
    """Kinds of hires without a tenure of their own."""

    def stay(team: Team) -> Team:
        hires = {k: hire.model_copy(update={"tenure": None}) for k, hire in team.hires.items()}
        return team.model_copy(update={"hires": hires})

    return s.model_copy(update={"teams": {name: stay(team) for name, team in s.teams.items()}})


def _inside(s: Scenario, part: str, change: dict[str, object]) -> Scenario:
    """A section of the teams that have it, changed."""
    teams = {
        name: team
        if getattr(team, part) is None
        else team.model_copy(update={part: getattr(team, part).model_copy(update=change)})
        for name, team in s.teams.items()
    }
    return s.model_copy(update={"teams": teams})


def _unramped(s: Scenario) -> Scenario:
    """Hires who are fully productive at once: nobody ramps, and quits while ramping."""
    return _each_team(s, {"ramp": 0.0, **_EARLY})


_WITHOUT: Final[dict[str, Callable[[Scenario], Scenario]]] = {
    "patience": lambda s: _each_stage(s, {"patience": None}),
    "speed_to_lead": lambda s: _each_stage(s, {"speed": None}),
    "ramp": _unramped,
    "hiring_lead": lambda s: _each_team(s, {"hiring_lead": 0.0}),
    "handoffs": lambda s: s.model_copy(update={"handoffs": []}),
    "rework": lambda s: _each_stage(s, {"rework": None}),
    "recycling": lambda s: _each_stage(s, {"recycle": None}),
    "saturation": lambda s: _each_channel(s, _proportional),
    "adstock": lambda s: _each_channel(s, lambda c: c.model_copy(update={"adstock": 0.0})),
    "market": lambda s: _market(s, {"accounts": None}),
    "referral": lambda s: _each_channel(s, _unreferred),
    "onboarding_lateness": _onboarding,
    "buyer_effort": lambda s: _buyers(s, kappa=0.0),
    "approvers": lambda s: _each_buyer(
        s, lambda b: b.model_copy(update={"approvers": b.reference.approvers})
    ),
    "wip": lambda s: _each_team(s, {"wip": None}),
    # Attention falls by pressure alone.
    "work_pressure": lambda s: _buyers(
        _inside(_each_team(s, {"pressure": None}), "capability", {"to_improve": None}),
        attention=None,
    ),
    "performance_goal": lambda s: _inside(s, "pressure", {"goal": None}),
    "fatigue": lambda s: _each_team(s, {"fatigue": None}),
    "burnout": lambda s: _each_team(s, {"burnout": None}),
    "attrition": lambda s: _each_person(_each_team(s, {**_NO_QUITS, "burnout": None})),
    "early_quits": lambda s: _each_team(s, _EARLY),
    "quality_of_hire": lambda s: _each_team(s, {"hires": {}}),
    "supervision": lambda s: _each_team(s, {"supervision": None}),
    "capability": lambda s: _each_team(s, {"capability": None}),
    "urge_to_improve": lambda s: _inside(s, "capability", {"to_improve": None}),
    "mismatch": _agreed,
    "marginal_quality": lambda s: _each_channel(
        s, lambda c: c.model_copy(update={"quality_loss": None})
    ),
    "reputation": lambda s: _market(s, {"reputation": None}),
    "slow_delivery": lambda s: _market(s, {"delivery": None}),
    "customer_care": lambda s: s.model_copy(
        update={"customers": s.customers.model_copy(update={"care": None})}
    ),
    "blockers": lambda s: _buyers(s, blockers={}),
    "discount": lambda s: _buyers(s, discount=None),
    "aging": lambda s: _buyers(s, aging=None),
    "attention": lambda s: _buyers(s, attention=None),
    "tooling": _untooled,
    "policies": lambda s: s.model_copy(update={"policies": []}),
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
    if after is scenario or not (scenario.levers or scenario.shocks or scenario.policies):
        return after
    held = {path for name in names for path in _HELD.get(name, ())}
    held |= {f"stages.*.{path}" for path in held if path.startswith("buyer.")}
    update = {
        "levers": _moves(scenario, after, scenario.levers, held),
        "shocks": _moves(scenario, after, scenario.shocks, held),
        "policies": _policies(after),
    }
    return after.model_copy(update=update)


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


def _moves(before: Scenario, after: Scenario, moves: list[M], held: set[str]) -> list[M]:
    """Levers or shocks on what is left; a lever that moves nothing any more keeps its cost."""
    there, left = leaves(before), leaves(after)
    kept: list[M] = []
    for lever in moves:
        paths = match(lever.path, there)
        live = [p for p in paths if p in left and not any(matches(p, h) for h in held)]
        if paths == live == match(lever.path, left):
            kept.append(lever)
            continue
        for i, path in enumerate(live):
            change: dict[str, Any] = {lever.verb: path}
            if i > 0 and isinstance(lever, Lever):
                change["cost"] = None
            kept.append(lever.model_copy(update=change))
        if not live and getattr(lever, "cost", None) is not None:
            idle = {"set": None, "to": None, "add": None, "scale": "money.overhead", "by": 1.0}
            kept.append(lever.model_copy(update={**idle, "over": 0.0}))
    return kept


def _policies(after: Scenario) -> list[Policy]:
    """Policies that still have something to move."""
    left = leaves(after)
    handoffs = {f"{h.from_}>{h.to}" for h in after.handoffs}
    return [
        p
        for p in after.policies
        if ((pattern := pattern_of(p)) is None or reach(pattern, left))
        and (p.sla is None or p.sla.handoff is None or p.sla.handoff in handoffs)
    ]


def used(scenario: Scenario) -> tuple[str, ...]:
    """The mechanisms that are on and have something to work on in a scenario, in order."""
    s = in_force(scenario)
    table = leaves(s)
    moved = {path for lever in (*s.shocks, *s.levers) for path in match(lever.path, table)}
    for policy in s.policies:
        moved |= {path for path, _ in reach(pattern_of(policy) or "", table)}
        if policy.budget is not None:
            moved |= set(match("channels.*.spend", table))
    quits = {name for name, team in s.teams.items() if team.quitting}
    hires = quits | {
        name
        for name, team in s.teams.items()
        if team.hiring or moved & {f"teams.{name}.headcount", f"teams.{name}.hiring"}
    }
    stages, channels, teams = list(s.stages.values()), s.channels, list(s.teams.values())
    decides = any(stage.decision for stage in stages)
    buyer, reference = s.buyer, s.buyer.reference
    buyers = [buyer, *(x.buyer for x in stages if x.buyer is not None)]
    market = s.market
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
        "market": market is not None and market.accounts is not None,
        "referral": any(c.per_customer is not None for c in channels.values()),
        "onboarding_lateness": any(x.after_sale for x in stages)
        and (s.customers.late_churn > 0 or "customers.late_churn" in moved),
        "buyer_effort": decides
        and (buyer.kappa > 0 or "buyer.kappa" in moved)
        and (
            buyer.effort != reference.effort
            or bool(moved & {"buyer.effort", "buyer.kappa"})
            or buyer.attention is not None
        ),
        "approvers": decides
        and (
            any(b.approvers != b.reference.approvers for b in buyers)
            or any(path.endswith("buyer.approvers") for path in moved)
        ),
        "wip": any(t.wip for t in teams),
        "work_pressure": any(t.pressure for t in teams),
        "performance_goal": any(t.pressure and t.pressure.goal for t in teams),
        "fatigue": any(t.fatigue and (t.pressure or f"teams.{n}.hours" in moved)
                       for n, t in s.teams.items()),
        "burnout": any(t.burnout for t in teams),
        "attrition": bool(quits),
        "early_quits": any(t.quits[0] != t.quits[1] for n, t in s.teams.items() if n in hires),
        "quality_of_hire": any(t.hires for n, t in s.teams.items() if n in hires),
        "supervision": any(t.supervision for n, t in s.teams.items() if n in hires),
        "capability": any(t.capability for t in teams),
        "urge_to_improve": any(t.capability and t.capability.to_improve for t in teams),
        "mismatch": any(path.endswith(".mismatch") for path in moved),
        "marginal_quality": any(c.quality_loss for c in channels.values()),
        "reputation": market is not None and market.reputation is not None,
        "slow_delivery": market is not None and market.delivery is not None,
        "customer_care": s.customers.care is not None,
        "blockers": any(b.blockers for b in buyers),
        "discount": buyer.discount is not None
        and (buyer.discount.level > 0 or "buyer.discount.level" in moved),
        "aging": any(b.aging for b in buyers),
        "attention": buyer.attention is not None,
        "tooling": any(x.tooling != 1 for x in stages)
        or any(path.endswith(".tooling") for path in moved),
        "policies": bool(s.policies),
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
