"""Scenario -> System."""

from __future__ import annotations

import math

import numpy as np

from simulator.mechanisms import in_force
from simulator.people import roster
from simulator.spec.calendar import calendar
from simulator.spec.paths import week_of
from simulator.spec.schema import Scenario
from simulator.system.buyers import buyer_of
from simulator.system.channels import channels_of, seasonal_breaks
from simulator.system.codes import fates_of
from simulator.system.handoffs import handoff_path, handoffs_of
from simulator.system.parts import Customers, Floats, Money, System
from simulator.system.read import Reader, in_segments
from simulator.system.stages import limits_of, stages_of
from simulator.weekly.hires import kinds_of, watched
from simulator.weekly.rules import dynamic, rules_of


def build(scenario: Scenario, intensity: float = 1.0) -> System:
    """Lay a scenario out for the engines.

    intensity scales what every lever does and costs: 0 is the scenario without them, 1 as written.
    Mechanisms that the scenario switches off are taken out of it first.

    Raises SpecError where levers take a number out of bounds.
    """
    s = in_force(scenario)
    cal = calendar(s, _breaks(s), intensity)
    r = Reader(cal)
    stage_index = {n: i for i, n in enumerate(s.stages)}
    team_index = {n: i for i, n in enumerate(s.teams)}
    teams = list(s.teams)
    lever_rate, lever_once = _lever_costs(s, cal.edges, intensity)
    start_arr = s.customers.arr
    limited = s.market is not None and s.market.accounts is not None
    cool = [s.market.cool_down] if s.market is not None and limited else []
    hours = r.columns([f"teams.{n}.hours" for n in teams])
    channels = channels_of(s, r, stage_index)
    stages = stages_of(s, r, stage_index, team_index)
    handoffs = handoffs_of(s, r, stage_index)
    buyer = buyer_of(s, r)
    customers = Customers(
        start=float(s.customers.start),
        arr=float(s.customers.start * s.value.mean if start_arr is None else start_arr),
        churn=r.column("customers.churn"),
        expansion=r.column("customers.expansion"),
        target=r.column("customers.onboarding_target"),
        late_churn=r.column("customers.late_churn"),
    )
    rules = None
    if dynamic(s):
        rules = rules_of(s, cal, hours, channels, stages, handoffs, buyer, customers)
    return System(
        name=s.name,
        scenario=scenario,
        calendar=cal,
        horizon=s.horizon,
        warm_up=s.warm_up,
        seed=s.seed,
        edges=cal.edges,
        channel_names=tuple(s.channels),
        stage_names=tuple(s.stages),
        team_names=tuple(teams),
        handoff_names=tuple(handoff_path(h) for h in s.handoffs),
        fates=fates_of(s.stages),
        channels=channels,
        stages=stages,
        handoffs=handoffs,
        hours=hours,
        team_cost=r.columns([f"teams.{n}.cost" for n in teams]),
        ramp=np.array([t.ramp for t in s.teams.values()]),
        ramp_start=np.array([t.ramp_start for t in s.teams.values()]),
        ramp_law=np.array([t.ramps_by_chance for t in s.teams.values()], dtype=np.int64),
        hires=kinds_of(s),
        watched=watched(s),
        owned=np.array([t.owned for t in s.teams.values()], dtype=np.bool_),
        takeover=np.array([t.takeover for t in s.teams.values()]),
        takeover_odds=np.array([1.0 - t.takeover_loss for t in s.teams.values()]),
        people=roster(s, cal),
        buyer=buyer,
        customers=customers,
        accounts=float(s.market.accounts or 0.0) if s.market else 0.0,
        cool_down=r.spread(cool, ["market.cool_down"] if cool else [], "cool_down"),
        money=Money(
            gross_margin=r.column("money.gross_margin"),
            overhead=r.column("money.overhead"),
            other_heads=float(s.money.other_heads),
            lever_rate=lever_rate + _rule_costs(s, r),
            lever_once=lever_once,
        ),
        limits=limits_of(s, r, stage_index),
        rules=rules,
    )


def _lever_costs(
    s: Scenario, edges: Floats, intensity: float
) -> tuple[Floats, tuple[tuple[float, float], ...]]:
    rate = np.zeros(len(edges) - 1)
    once: list[tuple[float, float]] = []
    middle = 0.5 * (edges[:-1] + edges[1:])
    for lever in s.levers:
        if lever.cost is None:
            continue
        at = week_of(lever.at, s.start)
        until = math.inf if lever.until is None else week_of(lever.until, s.start)
        if lever.cost.per_week:
            rate += np.where((middle >= at) & (middle < until), intensity * lever.cost.amount, 0.0)
        else:
            once.append((at, intensity * lever.cost.amount))
    return rate, tuple(once)


def _rule_costs(s: Scenario, r: Reader) -> Floats:
    """What policies cost that stand whatever happens, a week (B,)."""
    rate = np.zeros(r.cal.segments)
    for policy in s.policies:
        if policy.cost > 0.0 and policy.do is None:
            rate += np.where(in_segments(s, r, policy), policy.cost, 0.0)
    return rate


def _breaks(s: Scenario) -> list[float]:
    """Edges of the calendar beside those of levers: seasons, policies, and weeks if they count."""
    found = seasonal_breaks(s)
    for policy in s.policies:
        for when in (policy.at, policy.until):
            if when is not None:
                found.append(week_of(when, s.start))
    if dynamic(s):
        found += [float(k) for k in range(math.ceil(-s.warm_up), math.floor(s.horizon) + 1)]
    return found
