"""Small reliefs: a little help for everything that could be the constraint, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from simulator.analysis.hours import paid_hours
from simulator.mechanisms import in_force
from simulator.spec.book import BOOK
from simulator.spec.schema import Lever, Scenario
from simulator.spec.units import MoneyOrRate
from simulator.spec.values import in_the_end, with_values
from simulator.system import System, handoff_path

STEP = 0.10  # a small relief: a tenth more of what there is
CONDITION = 0.05  # a twentieth of the scale of a buyer's condition


@dataclass(frozen=True)
class Relief:
    """A little help for one thing: what it is, and its levers.

    kind: capacity, handoff, buyer or market. stated: whether its cost is the book's (grade D)
    rather than implied by heads or spend. values: numbers of the scenario that it changes where
    no lever can.
    """

    name: str
    kind: str
    what: str
    levers: tuple[Lever, ...]
    stated: bool
    values: Mapping[str, float] = field(default_factory=dict)

    def on(self, scenario: Scenario) -> Scenario:
        """The scenario with this relief, beside the levers that it has."""
        changed = with_values(scenario, self.values) if self.values else scenario
        return changed.model_copy(update={"levers": [*changed.levers, *self.levers]})


def _book_cost(kind: str, currency: str) -> MoneyOrRate:
    return MoneyOrRate.parse(BOOK[f"reliefs.{kind}"].value, currency)


def reliefs(scenario: Scenario) -> list[Relief]:
    """A small relief of everything that could be the constraint, from where the levers lead."""
    found: list[Relief] = []
    scenario = in_the_end(in_force(scenario))
    currency = scenario.currency

    def add(name: str, kind: str, what: str, *levers: Lever) -> None:
        stated = any(lever.cost is not None for lever in levers)
        found.append(Relief(name, kind, what, levers, stated))

    used = {s.team for s in scenario.stages.values() if s.team}
    for name, team in scenario.teams.items():
        if name in used and team.headcount > 0:
            path = f"teams.{name}"
            more = (Lever(scale=f"{path}.{what}", by=1 + STEP) for what in ("hours", "cost"))
            add(path, "capacity", f"{STEP:.0%} more hours", *more)
    for h in scenario.handoffs:
        key = f"handoffs.{handoff_path(h)}"
        cost = _book_cost("handoffs", currency)
        if h.accepted < 1.0:
            by = min(CONDITION, 1.0 - h.accepted)
            levers = [Lever(add=f"{key}.accepted", by=by, cost=cost)]
            if h.accepted + h.returned + by > 1.0:
                levers.append(Lever(set=f"{key}.returned", to=max(0.0, 1.0 - h.accepted - by)))
            add(f"{key}.accepted", "handoff", f"{by:.0%} more accepted", *levers)
        if h.delay is not None and h.delay.mean > 0:
            half = Lever(scale=f"{key}.delay", by=0.5, cost=cost)
            add(f"{key}.delay", "handoff", "half the delay", half)
    for name, c in scenario.channels.items():
        if c.leads is not None and c.leads.now > 0 and (c.spend or 0) > 0:
            more_spend = Lever(scale=f"channels.{name}.spend", by=1 + STEP)
            add(f"channels.{name}", "market", f"{STEP:.0%} more spend", more_spend)
    if any(s.decision for s in scenario.stages.values()):
        cost = _book_cost("buyer", currency)
        for name in ("alignment", "proof", "risk_removed"):
            if getattr(scenario.buyer, name) + CONDITION <= 1.0:
                lever = Lever(add=f"buyer.{name}", by=CONDITION, cost=cost)
                add(f"buyer.{name}", "buyer", f"{CONDITION:g} more {name.replace('_', ' ')}", lever)
        if scenario.buyer.friction >= CONDITION:
            less = Lever(add="buyer.friction", by=-CONDITION, cost=cost)
            add("buyer.friction", "buyer", f"{CONDITION:g} less friction", less)
        if scenario.buyer.approvers >= 2:
            fewer = Lever(add="buyer.approvers", by=-1, cost=cost)
            add("buyer.approvers", "buyer", "one approver fewer", fewer)
    if scenario.market is not None and scenario.market.accounts is not None:
        found.append(_wider(scenario, scenario.market.accounts))
    return found


def _wider(scenario: Scenario, accounts: float) -> Relief:
    """More accounts to sell to. No lever moves them: the cost stands on one that moves nothing."""
    accounts *= 1 + STEP
    pays = Lever(scale="money.overhead", by=1.0, cost=_book_cost("market", scenario.currency))
    return Relief(
        "market.accounts",
        "market",
        f"{STEP:.0%} more accounts",
        (pays,),
        stated=True,
        values={"market.accounts": accounts},
    )


def extra_hours(relief: Relief, base: System, helped: System) -> float:
    """Hours of work that a relief of a team adds over the run; 0 for any other."""
    if relief.kind != "capacity":
        return 0.0
    before, after = (float(paid_hours(s, np.array([s.horizon])).sum()) for s in (base, helped))
    return after - before
