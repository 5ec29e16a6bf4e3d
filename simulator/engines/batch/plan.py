"""A system laid out in records for the batch engine."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator import draws, laws
from simulator.engines.batch.layout import (
    CHANNEL,
    CHANNEL_BY,
    FINISH,
    HANDOFF,
    HANDOFF_BY,
    JOIN,
    LEAVE,
    LIMIT,
    OPEN,
    PERSON,
    PLANNED,
    RUN,
    SEAT,
    SEGMENT,
    SNAPSHOT,
    STAGE,
    STAGE_BY,
    TEAM,
    TEAM_BY,
    TURN,
)
from simulator.system import NO_TEAM, System
from simulator.weekly import records
from simulator.weekly.records import Array, filled
from simulator.weekly.rules import Rules
from simulator.weekly.shares import stage_shares


@dataclass(frozen=True)
class Plan:
    """A System as records: what does not change in a run, and the state that a run begins with."""

    segments: Array
    channels: Array
    channels_by: Array
    lift: Array
    stages: Array
    stages_by: Array
    route: Array
    route_share: Array
    handoff: Array
    handoffs: Array
    handoffs_by: Array
    teams: Array
    teams_by: Array
    people: Array
    idle: Array
    lines: int
    agenda: Array
    run: Array
    seats: Array
    limits: Array
    caps: Array
    rules: Rules  # of a system without, none of each
    leads: int  # that are expected
    customers: int


def plan(system: System) -> Plan:
    """Lay a system out in records."""
    teams, stages = _teams(system), _stages(system)
    people = filled(
        PERSON,
        len(system.people.team),
        share=system.people.share,
        ramp_from=system.people.ramp_from,
        span=system.ramp[system.people.team],
        gift=1.0,
        team=system.people.team,
    )
    idle = _first_people(system, teams)
    seats = _seats(system)
    lines = _lines(system, teams, stages, seats)
    h, c = system.handoffs, system.channels
    channels_by = filled(
        CHANNEL_BY,
        c.spend.shape,
        **{n: getattr(c, n) for n in CHANNEL_BY.names or ()},
    )
    customers = round(system.customers.start)
    return Plan(
        segments=_segments(system),
        channels=_channels(system),
        channels_by=channels_by,
        lift=np.ascontiguousarray(c.lift, dtype=np.float64),
        stages=stages,
        stages_by=_stages_by(system),
        route=np.ascontiguousarray(system.stages.route, dtype=np.int64),
        route_share=np.ascontiguousarray(system.stages.route_share, dtype=np.float64),
        handoff=np.ascontiguousarray(h.index, dtype=np.int64),
        handoffs=filled(
            HANDOFF,
            len(h.source),
            source=h.source,
            law=h.delay.law,
            spread=_spreads(h.delay.law, h.delay.cv),
        ),
        handoffs_by=filled(
            HANDOFF_BY,
            h.returned.shape,
            accepted_good=h.accepted[:, :, 0],
            accepted_poor=h.accepted[:, :, 1],
            returned=h.returned,
            rework=h.rework,
            delay=h.delay.mean,
            every=h.every,
            within=h.within,
        ),
        teams=teams,
        teams_by=filled(TEAM_BY, system.hours.shape, hours=system.hours, cost=system.team_cost),
        people=people,
        idle=idle,
        lines=lines,
        agenda=_agenda(system),
        run=_run(system, customers),
        seats=seats,
        limits=filled(LIMIT, len(system.limits.inside), head=-1, tail=-1),
        caps=np.ascontiguousarray(system.limits.cap, dtype=np.float64),
        rules=no_rules() if system.rules is None else system.rules,
        leads=_expected(system),
        customers=customers,
    )


def _lines(system: System, teams: Array, stages: Array, seats: Array) -> int:
    """Give every team a line for each priority, and those who own leads lines of their own."""
    lines = 0
    for m in range(len(teams)):
        mine = np.flatnonzero(system.stages.team == m)
        ranks = sorted(set(system.stages.priority[mine].tolist()))
        teams[m]["first_line"], teams[m]["last_line"] = lines, lines + len(ranks)
        for s in mine:
            stages[s]["line"] = lines + ranks.index(int(system.stages.priority[s]))
        lines += len(ranks)
        if system.owned[m]:
            for person in range(int(teams[m]["first_person"]), int(teams[m]["last_person"])):
                seats[person]["line"] = lines
                lines += len(ranks)
    return lines


def _seats(system: System) -> Array:
    there, here = system.people.join == -math.inf, system.hires[system.people.team, 0]
    quits = {name: here[name] for name in ("early", "later")}
    return filled(SEAT, len(there), due=math.inf, there=there, free=there, **quits)


def no_rules() -> Rules:
    """Rules of a system without: nothing of each."""
    none, none_by = 0, (1, 0)
    return Rules(
        teams=filled(records.TEAM, none),
        teams_by=filled(records.TEAM_BY, none_by),
        channels=filled(records.CHANNEL, none),
        channels_by=filled(records.CHANNEL_BY, none_by),
        stages=filled(records.STAGE, none),
        stages_by=filled(records.STAGE_BY, none_by),
        handoffs=filled(records.HANDOFF, none),
        handoffs_by=filled(records.HANDOFF_BY, none_by),
        market=filled(records.MARKET, 1),
        market_by=filled(records.MARKET_BY, 1),
        policies=filled(records.POLICY, none),
        moves=filled(records.MOVE, none),
        tables=np.zeros((0, 2, 1)),
    )


def _segments(system: System) -> Array:
    cu = system.customers
    made = filled(
        SEGMENT,
        len(system.edges) - 1,
        edge=system.edges[:-1],
        churn=cu.churn,
        expansion=cu.expansion,
        target=cu.target,
        late_churn=cu.late_churn,
        lever=system.money.lever_rate,
    )
    if system.accounts > 0:
        made["cool_down"] = system.cool_down.mean[:, 0]
    return made


def _spreads(laws: Array, cvs: Array) -> list[float]:
    """What draws need of coefficients of variation."""
    return [draws.spread_of(int(law), float(cv)) for law, cv in zip(laws, cvs, strict=True)]


def _channels(system: System) -> Array:
    c = system.channels
    slow = c.adstock > 0.0
    value_law = np.where(c.value_cv > 0, draws.LOGNORMAL, draws.DETERMINISTIC)
    return filled(
        CHANNEL,
        len(c.key),
        **{n: getattr(c, n) for n in "key entry kind at half saturation adstock".split()},
        value_law=value_law,
        value_spread=_spreads(value_law, c.value_cv),
        lifted=(c.lift > 0).any(axis=0),
        referring=(c.per_customer > 0).any(axis=0),
        steady=~(slow | ((c.lift > 0) & slow[:, None]).any(axis=0)),
        carried=c.carried,
    )


def _stages(system: System) -> Array:
    s = system.stages
    same = "key team decision after_sale speed_kind rework_to recycle_to recycle_limit".split()
    spreads = (("effort", "effort"), ("patience", "patience"), ("buyer", "buyer_time"),
               ("recycle_delay", "recycle_delay"))  # fmt: skip
    return filled(
        STAGE,
        len(s.key),
        **{n: getattr(s, n) for n in same},
        **{f"{short}_law": getattr(s, name).law for short, name in spreads},
        **{
            f"{short}_spread": _spreads(getattr(s, name).law, getattr(s, name).cv)
            for short, name in spreads
        },
        always=(s.applies >= 1.0).all(axis=0),
        one_route=s.route[:, 0] == s.route[:, -1],
        line=NO_TEAM,
        gated=(s.gate < 1.0).any(axis=(0, 2)),
        limit=_limit_of(system),
        sla=s.sla[0],
        overdue=s.overdue[0],
        decay=system.buyer.decay[s.buyer] * s.decision,
        after=system.buyer.after[s.buyer],
    )


def _limit_of(system: System) -> list[int]:
    """The WIP cap that each stage is in, -1 for none."""
    inside = system.limits.inside
    return [int(np.argmax(column)) if column.any() else -1 for column in inside.T]


def _stages_by(system: System) -> Array:
    s = system.stages
    shares = stage_shares(system.buyer, s)
    return filled(
        STAGE_BY,
        s.applies.shape,
        **{n: getattr(s, n).mean for n in "effort patience buyer_time recycle_delay".split()},
        **{n: getattr(s, n) for n in "speed_floor speed_scale applies rework recycle".split()},
        advance_good=s.advance[:, :, 0],
        advance_poor=s.advance[:, :, 1],
        us_good=shares[:, :, 0, 0],
        us_poor=shares[:, :, 1, 0],
        them_good=shares[:, :, 0, 1],
        them_poor=shares[:, :, 1, 1],
        gate_good=s.gate[:, :, 0],
        gate_poor=s.gate[:, :, 1],
        sla=s.sla,
        overdue=s.overdue,
    )


def _teams(system: System) -> Array:
    return filled(
        TEAM,
        len(system.team_names),
        hours=system.hours[0],
        work=system.hours[0],
        speed=system.hours[0],
        cost=system.team_cost[0],
        edge=-system.warm_up,
        touched=-system.warm_up,
        ramp=system.ramp,
        ramp_start=system.ramp_start,
        law=system.ramp_law,
        watched=system.watched,
        looked=-system.warm_up,
        owned=system.owned,
        apart=system.rules is not None,
        hastens=system.hastens,
        takeover=system.takeover,
        takeover_odds=system.takeover_odds,
        **_quits(system),
    )


def _quits(system: System) -> dict[str, Array]:
    if system.rules is None:
        return {}
    return {name: system.rules.teams[name] for name in ("quit", "lead", "replaced")}


def _first_people(system: System, teams: Array) -> Array:
    """Everyone who is there from the start, team by team; the people of a team stand together."""
    p = system.people
    idle = np.zeros(len(p.team), dtype=np.int64)
    for m in range(len(teams)):
        mine = np.flatnonzero(p.team == m)
        team = teams[m]
        team["first_person"] = mine[0] if len(mine) else 0
        team["last_person"] = team["first_person"] + len(mine)
        team["spare"] = (p.join[mine] == math.inf).sum()
        there = mine[p.join[mine] == -math.inf]
        idle[team["first_person"] : team["first_person"] + len(there)] = there
        team["idle"] = len(there)
        for share in p.share[there]:  # one by one, as they join
            team["present"] += share
        team["alike"] = bool(
            len(there) == len(mine)
            and not team["quit"] > 0.0
            and (p.share[mine] == p.share[mine[:1]]).all()
            and (p.ramp_from[mine] == -math.inf).all()
            and (p.leave[mine] >= system.horizon).all()
        )
    return idle


def _agenda(system: System) -> Array:
    """What is known beforehand, in order: first changes, then, after all else, records."""
    start = -system.warm_up
    rows: list[tuple[float, int, int, int, int]] = []

    def at(time: float, kind: int, who: int = 0, late: int = 0) -> None:
        rows.append((start + (time - start), late, len(rows), kind, who))

    for edge in system.edges[1:-1]:
        at(float(edge), TURN)
    for person in range(len(system.people.team)):
        join, leave = float(system.people.join[person]), float(system.people.leave[person])
        if -math.inf < join < system.horizon:
            at(join, JOIN, person)
        if leave < system.horizon:
            at(leave, LEAVE, person)
    at(0.0, OPEN, late=1)
    for t in system.grid:
        at(float(t), SNAPSHOT, late=1)
    at(system.horizon, FINISH, late=2)
    rows.sort()
    time, late, _, kind, who = zip(*rows, strict=True)
    return filled(PLANNED, len(rows), time=time, kind=kind, who=who, late=late)


def _run(system: System, customers: int) -> Array:
    start, market = -system.warm_up, system.accounts > 0
    terms = system.scenario.buyer.discount
    stages, teams = len(system.stage_names), len(system.team_names)
    return filled(
        RUN,
        1,
        horizon=system.horizon,
        finish=start + (system.horizon - start),
        accounts=system.accounts,
        start_customers=customers,
        start_arr=system.customers.arr,
        cool_law=system.cool_down.law[0] if market else 0,
        cool_spread=_spreads(system.cool_down.law, system.cool_down.cv)[0] if market else 0.0,
        origin=8192,
        referral=bool((system.channels.per_customer > 0).any()),
        taken=customers,
        churn=system.customers.churn[0],
        expansion=system.customers.expansion[0],
        edge=start,
        last=start,
        customers_live=customers,
        origin_time=start,
        ruled=system.rules is not None,
        limited=len(system.limits.inside) > 0,
        owners=teams + stages if system.owned.any() else 0,
        arrival=math.inf,
        lure_from=terms.churn_from if terms else 0.0,
        lure_slope=terms.churn if terms else 0.0,
        failed=-1,
    )


def _expected(system: System) -> int:
    """Leads that the rates bring, referrals by the customers of the start."""
    c, weeks = system.channels, np.diff(system.edges)
    total = 0.0
    for i in range(len(c.key)):
        peak = np.maximum.accumulate(c.spend[:, i]) if c.adstock[i] > 0 else c.spend[:, i]
        answer = [laws.response(c.kind[i], x, c.at[i], c.half[i], c.saturation[i]) for x in peak]
        bought = c.now[:, i] * np.array(answer) * c.season[:, i]
        total += float(weeks @ (bought + c.per_customer[:, i] * system.customers.start))
    return int(total)
