"""Slow mechanisms and policies as records. Axes: B segments, C channels, S stages, H handoffs,
M teams, P policies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.spec.calendar import Calendar
from simulator.spec.quantities import MOST_POINTS
from simulator.spec.schema import Scenario
from simulator.weekly.hires import rate_of
from simulator.weekly.policies import WEEKLY, lay
from simulator.weekly.records import (
    CHANNEL,
    CHANNEL_BY,
    HANDOFF,
    HANDOFF_BY,
    MARKET,
    MARKET_BY,
    STAGE,
    STAGE_BY,
    TEAM,
    TEAM_BY,
    Array,
    filled,
)
from simulator.weekly.shares import stage_shares

Floats = NDArray[np.float64]
Points = Sequence[tuple[float, float]]

OVERTIME: Final = (
    (0.0, 0.75), (0.2, 0.754), (0.4, 0.763), (0.6, 0.807), (0.8, 0.886), (1.0, 1.0),
    (1.2, 1.123), (1.4, 1.246), (1.6, 1.351), (1.8, 1.4), (2.0, 1.4),
)  # fmt: skip
"""Output over normal against desired over normal (domain book, mechanism 4)."""
URGE: Final = ((0.0, 0.0), (0.5, 0.0), (0.75, 0.5), (1.0, 1.0), (2.0, 1.5), (5.0, 1.5))
"""Improvement time over the usual against pressure to improve (Repenning & Sterman)."""
WEINBERG: Final = ((1.0, 1.0), (2.0, 0.8), (3.0, 0.6), (4.0, 0.4), (5.0, 0.25))
"""Pace against projects at a time (Weinberg 1992)."""
NO_FATIGUE, ROUNDTABLE, PENCAVEL = range(3)


class Rules(NamedTuple):
    """All of it, by thing and by segment; tables: (T, 2, N) points x and y, nan beyond the last."""

    teams: Array  # (M,) TEAM
    teams_by: Array  # (B, M)
    channels: Array  # (C,) CHANNEL
    channels_by: Array
    stages: Array  # (S,) STAGE
    stages_by: Array
    handoffs: Array  # (H,) HANDOFF
    handoffs_by: Array
    market: Array  # (1,) MARKET
    market_by: Array  # (B,)
    policies: Array  # (P,) POLICY
    moves: Array  # (A,) MOVE, those of a policy from its first to before its last
    tables: Floats


class Tables:
    """Functions given by points, kept in rows."""

    def __init__(self) -> None:
        self.rows: list[Points] = []

    def add(self, points: Points | None) -> int:
        """The row of a function; -1 for none."""
        if points is None:
            return -1
        self.rows.append(points)
        return len(self.rows) - 1

    def laid(self) -> Floats:
        """All of them, (T, 2, N)."""
        found = np.full((len(self.rows), 2, MOST_POINTS), math.nan)
        for i, points in enumerate(self.rows):
            for j, (x, y) in enumerate(points):
                found[i, :, j] = x, y
        return found


def dynamic(s: Scenario) -> bool:
    """Whether anything in a scenario moves week by week by what the run shows."""
    market, customers, buyer = s.market, s.customers, s.buyer
    return (
        any(
            t.quitting
            or t.hires
            or t.ramps_by_chance
            or t.wip
            or t.pressure
            or t.fatigue
            or t.supervision
            or t.capability
            for t in s.teams.values()
        )
        or any(c.quality_loss or c.outbound for c in s.channels.values())
        or (market is not None and bool(market.reputation or market.delivery))
        or customers.care is not None
        or buyer.discount is not None
        or buyer.attention is not None
        or any(p.kind in WEEKLY for p in s.policies)
    )


def _part(items: Sequence[Any], name: str, absent: float = 0.0) -> Floats:
    return np.array([absent if x is None else float(getattr(x, name)) for x in items])


def _teams(s: Scenario, tables: Tables) -> Array:
    items = list(s.teams.values())
    wip = [t.wip for t in items]
    pressure, burnout = [t.pressure for t in items], [t.burnout for t in items]
    capability, supervision = [t.capability for t in items], [t.supervision for t in items]
    urge = [None if c is None else c.to_improve for c in capability]
    drive = [None if u is None else u.table or URGE for u in urge]
    cut = [None if c is None else c.under_pressure for c in capability]
    points = [None if w is None else WEINBERG if w.table == "weinberg" else w.table for w in wip]
    output = [None if p is None else p.output or OVERTIME for p in pressure]
    laws = {"roundtable": ROUNDTABLE, "pencavel": PENCAVEL}
    return filled(
        TEAM,
        len(items),
        stated=[t.hours for t in items],
        week=[t.week for t in items],
        lead=[t.hiring_lead for t in items],
        replaced=[t.replaced for t in items],
        wip_table=[tables.add(p) for p in points],
        wip_normal=_part(wip, "normal", 1.0),
        wip_loss=_part(wip, "loss"),
        wip_power=_part(wip, "power", 1.0),
        pressed=[p is not None for p in pressure],
        output_table=[tables.add(p) for p in output],
        target=_part(pressure, "target", 1.0),
        aimed=[p is not None and p.goal is not None for p in pressure],
        normal=[t.headcount * t.hours for t in items],
        longest=[0.0 if p is None else (p.longest or 0.0) for p in pressure],
        urge_table=[tables.add(p) for p in drive],
        urge_smooth=_part(urge, "smooth"),
        cut_table=[tables.add(p) for p in cut],
        press_smooth=_part(pressure, "smooth"),
        errors=_part(pressure, "errors"),
        tired=[NO_FATIGUE if t.fatigue is None else laws[t.fatigue.law] for t in items],
        tired_smooth=_part([t.fatigue for t in items], "smooth"),
        quit=[rate_of(t) for t in items],
        strength=_part(burnout, "strength"),
        threshold=_part(burnout, "threshold"),
        depletion=_part(burnout, "depletion", 1.0),
        recovery=_part(burnout, "recovery", 1.0),
        sup_hours=_part(supervision, "hours"),
        span=_part(supervision, "span", 1.0),
        improve_stated=[0.0 if c is None else c.reference or c.improvement for c in capability],
        erosion=_part(capability, "erosion", 1.0),
    )


def _teams_by(s: Scenario, cal: Calendar, hours: Floats) -> Array:
    made = filled(TEAM_BY, hours.shape, hours=hours)
    for m, (name, team) in enumerate(s.teams.items()):
        if team.capability is not None:
            made["improve"][:, m] = cal.of(f"teams.{name}.capability.improvement")
        if team.pressure is not None and team.pressure.goal is not None:
            made["goal"][:, m] = cal.of(f"teams.{name}.pressure.goal")
    return made


def _channels(s: Scenario, channels: Any) -> Array:
    items = list(s.channels.values())
    made = filled(
        CHANNEL,
        len(items),
        first=[0.0 if x.leads is None else x.leads.now for x in items],
        loss=[x.quality_loss or 0.0 for x in items],
        team=-1,
        out_at=1.0,
        **{n: getattr(channels, n) for n in "kind at half saturation adstock carried".split()},
    )
    for c, item in enumerate(items):
        out = item.outbound
        if out is None or item.leads is None:
            continue
        bend = item.leads.saturation
        made[c]["team"] = list(s.teams).index(out.team)
        made[c]["out_at"] = s.teams[out.team].headcount * out.hours * out.tooling
        made[c]["out_saturation"] = 0.0 if bend == "none" else float(bend)
    return made


def _channels_by(s: Scenario, cal: Calendar, channels: Any) -> Array:
    made = filled(
        CHANNEL_BY,
        channels.spend.shape,
        spend=channels.spend,
        now=channels.now,
        per_customer=channels.per_customer,
        good=channels.good_fit,
        tooling=1.0,
    )
    for c, (name, item) in enumerate(s.channels.items()):
        if item.outbound is not None:
            made["out_hours"][:, c] = cal.of(f"channels.{name}.outbound.hours")
            made["tooling"][:, c] = cal.of(f"channels.{name}.outbound.tooling")
    return made


def _market(s: Scenario, start: float, tables: Tables) -> Array:
    market, care, discount = s.market, s.customers.care, s.buyer.discount
    reputation = market.reputation if market else None
    delivery = market.delivery if market else None
    stages, teams = list(s.stages), list(s.teams)
    return filled(
        MARKET,
        1,
        start=start,
        usual=(reputation.usual if reputation else None) or s.customers.churn,
        reputation=reputation.smooth if reputation else 0.0,
        reputation_odds=reputation.odds if reputation else 0.0,
        late_stage=stages.index(delivery.stage) if delivery else -1,
        throughput=delivery.throughput if delivery else 0.0,
        company=delivery.company if delivery else 0.0,
        market=delivery.market if delivery else 0.0,
        leads_table=tables.add(delivery.leads if delivery else None),
        care_team=teams.index(care.team) if care else -1,
        care_hours=care.hours if care else 0.0,
        overload=care.overload if care else 0.0,
        lift=discount.lift if discount else 0.0,
        pull=discount.pull_forward if discount else 0.0,
        reference=discount.reference if discount else math.inf,
        attention=teams.index(s.buyer.attention) if s.buyer.attention else -1,
    )


def rules_of(
    s: Scenario,
    cal: Calendar,
    hours: Floats,
    channels: Any,
    stages: Any,
    handoffs: Any,
    buyer: Any,
    customers: Any,
) -> Rules:
    """The rules of a scenario; hours (B, M) and the rest are parts of its System."""
    tables = Tables()
    shares = stage_shares(buyer, stages)
    senders = [stages.team[i] for i in handoffs.source]
    market = _market(s, float(cal.edges[0]), tables)
    policies, moves = lay(s, cal, tables.add)
    return Rules(
        teams=_teams(s, tables),
        teams_by=_teams_by(s, cal, hours),
        channels=_channels(s, channels),
        channels_by=_channels_by(s, cal, channels),
        stages=filled(STAGE, len(stages.team), team=stages.team, decision=stages.decision),
        stages_by=filled(
            STAGE_BY,
            stages.rework.shape,
            effort=stages.effort.mean,
            rework=stages.rework,
            buyer_time=stages.buyer_time.mean,
            us_good=shares[:, :, 0, 0],
            them_good=shares[:, :, 0, 1],
            us_poor=shares[:, :, 1, 0],
            them_poor=shares[:, :, 1, 1],
        ),
        handoffs=filled(HANDOFF, len(senders), sender=senders),
        handoffs_by=filled(
            HANDOFF_BY,
            handoffs.returned.shape,
            good=handoffs.accepted[:, :, 0],
            poor=handoffs.accepted[:, :, 1],
            returned=handoffs.returned,
        ),
        market=market,
        market_by=filled(
            MARKET_BY,
            cal.segments,
            churn=customers.churn,
            discount=cal.of("buyer.discount.level") if s.buyer.discount else 0.0,
            kappa=buyer.kappa[:, 0],
            effort=buyer.effort[:, 0],
        ),
        policies=policies,
        moves=moves,
        tables=tables.laid(),
    )
