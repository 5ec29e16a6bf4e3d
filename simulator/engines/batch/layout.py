"""What the batch engine holds: record types, and the plan of a system.

One record is one thing of the model, so a lead's numbers lie side by side in memory and a compiled
function takes few arguments. No type depends on the size of a system: it is compiled once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator import draws, laws
from simulator.system import NO_TEAM, System
from simulator.weekly.records import Array, filled, layout
from simulator.weekly.shares import buyer_shares

BANDS: Final = 64  # of the rate axis, as many as a lead's id has room for
# Places in the array of leads, since all that has a pending event is in it: first the next
# customer to leave, then the bands, then the leads.
ALARM: Final = 0
# What a lead waits for.
NOTHING, IN_QUEUE, PATIENCE, GONE_COLD, WORK, BUYER, TRANSIT, NURTURE = range(8)
# What the calendar has planned.
TURN, JOIN, LEAVE, OPEN, SNAPSHOT, FINISH = range(6)
# How a run ended.
COMPLETE, TOO_MANY_LEADS, TOO_MANY_VISITS = range(3)


# Three lines of memory: what an event reads, what a step reads, what is only for the record.
LEAD: Final = layout(
    "f8 time; i8 key slot; f8 clock pay; i4 later sooner person; i2 stage handoff crew;"
    "i1 doing review fit kept recycled;"
    "f8 entered effort waited cost spent; i8 trace seen; i4 next before;"
    "i8 id; f8 value arrived won live ended weight; i2 fate channel"
)
TEAM: Final = layout(
    "f8 touched hours cost edge edge_hours edge_pay last_hours last_pay present busy;"
    "f8 paid_hours busy_hours people_cost ramp ramp_start;"
    "i8 idle waiting alike first_person first_line last_line"
)
TEAM_BY: Final = layout("f8 hours cost")
PERSON: Final = layout("f8 share ramp_from; i8 team leaving")
LINE: Final = layout("i8 head tail")
STAGE: Final = layout(
    "i8 key team line decision after_sale always one_route speed_kind effort_law patience_law;"
    "i8 buyer_law rework_to recycle_to recycle_limit recycle_delay_law;"
    "f8 effort_cv patience_cv buyer_cv recycle_delay_cv;"
    "i8 waiting working buyer transit nurture entered started advanced; f8 wait"
)
STAGE_BY: Final = layout(
    "f8 effort patience buyer_time speed_floor speed_scale applies advance_good advance_poor;"
    "f8 rework recycle recycle_delay"
)
HANDOFF: Final = layout("i8 source law; f8 cv")
HANDOFF_BY: Final = layout("f8 accepted returned rework delay every")
CHANNEL: Final = layout(
    "i8 key entry kind value_law lifted referring steady stream bands arrived opening;"
    "f8 at half saturation adstock value_cv carried response lift"
)
CHANNEL_BY: Final = layout("f8 spend now season per_customer good_fit value")
BAND: Final = layout("i8 channel band week index cell; f8 point now")
SEGMENT: Final = layout(
    "f8 edge churn expansion target late_churn cool_down us_good us_poor them_good them_poor"
)
PLANNED: Final = layout("f8 time; i8 kind who late")
LIVE: Final = layout("f8 number; i8 name; i8 lead")
RUN: Final = layout(
    "f8 horizon finish accounts start_customers start_arr cool_cv;"
    "i8 origin cool_law seed_base first_lead keep_visits referral;"
    "i8 segment leads events taken cooling lives opened rows row;"
    "f8 churn expansion edge edge_growth edge_hazard base last arr expanded revenue;"
    "f8 won_arr churned_arr cycle base_weight;"
    "i8 won live churned customers customers_live base_count base_gone;"
    "f8 origin_time per_week; i8 cursor buckets due_at due_end"
)
VISIT: Final = layout("i8 lead stage; f8 entered started ended")


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
    leads: int  # that are expected
    customers: int


def plan(system: System) -> Plan:
    """Lay a system out in records."""
    teams, stages, lines = _teams(system), _stages(system), 0
    for m in range(len(teams)):
        mine = np.flatnonzero(system.stages.team == m)
        ranks = sorted(set(system.stages.priority[mine].tolist()))
        teams[m]["first_line"], teams[m]["last_line"] = lines, lines + len(ranks)
        for s in mine:
            stages[s]["line"] = lines + ranks.index(int(system.stages.priority[s]))
        lines += len(ranks)
    people = filled(
        PERSON,
        len(system.people.team),
        share=system.people.share,
        ramp_from=system.people.ramp_from,
        team=system.people.team,
    )
    idle = _first_people(system, teams)
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
        handoffs=filled(HANDOFF, len(h.source), source=h.source, law=h.delay.law, cv=h.delay.cv),
        handoffs_by=filled(
            HANDOFF_BY,
            h.returned.shape,
            accepted=h.accepted[:, :, 0],
            returned=h.returned,
            rework=h.rework,
            delay=h.delay.mean,
            every=h.every,
        ),
        teams=teams,
        teams_by=filled(TEAM_BY, system.hours.shape, hours=system.hours, cost=system.team_cost),
        people=people,
        idle=idle,
        lines=lines,
        agenda=_agenda(system),
        run=_run(system, customers),
        leads=_expected(system),
        customers=customers,
    )


def _segments(system: System) -> Array:
    cu = system.customers
    shares = buyer_shares(system.buyer)[:, 0]  # (B, fit, us or competitor)
    made = filled(
        SEGMENT,
        len(system.edges) - 1,
        edge=system.edges[:-1],
        churn=cu.churn,
        expansion=cu.expansion,
        target=cu.target,
        late_churn=cu.late_churn,
        us_good=shares[:, 0, 0],
        us_poor=shares[:, 1, 0],
        them_good=shares[:, 0, 1],
        them_poor=shares[:, 1, 1],
    )
    if system.accounts > 0:
        made["cool_down"] = system.cool_down.mean[:, 0]
    return made


def _channels(system: System) -> Array:
    c = system.channels
    slow = c.adstock > 0.0
    return filled(
        CHANNEL,
        len(c.key),
        **{n: getattr(c, n) for n in "key entry kind at half saturation adstock value_cv".split()},
        value_law=np.where(c.value_cv > 0, draws.LOGNORMAL, draws.DETERMINISTIC),
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
        **{f"{short}_cv": getattr(s, name).cv for short, name in spreads},
        always=(s.applies >= 1.0).all(axis=0),
        one_route=s.route[:, 0] == s.route[:, -1],
        line=NO_TEAM,
    )


def _stages_by(system: System) -> Array:
    s = system.stages
    return filled(
        STAGE_BY,
        s.applies.shape,
        **{n: getattr(s, n).mean for n in "effort patience buyer_time recycle_delay".split()},
        **{n: getattr(s, n) for n in "speed_floor speed_scale applies rework recycle".split()},
        advance_good=s.advance[:, :, 0],
        advance_poor=s.advance[:, :, 1],
    )


def _teams(system: System) -> Array:
    return filled(
        TEAM,
        len(system.team_names),
        hours=system.hours[0],
        cost=system.team_cost[0],
        edge=-system.warm_up,
        touched=-system.warm_up,
        ramp=system.ramp,
        ramp_start=system.ramp_start,
    )


def _first_people(system: System, teams: Array) -> Array:
    """Everyone who is there from the start, team by team; the people of a team stand together."""
    p = system.people
    idle = np.zeros(len(p.team), dtype=np.int64)
    for m in range(len(teams)):
        mine = np.flatnonzero(p.team == m)
        team = teams[m]
        team["first_person"] = mine[0] if len(mine) else 0
        there = mine[p.join[mine] == -math.inf]
        idle[team["first_person"] : team["first_person"] + len(there)] = there
        team["idle"] = len(there)
        for share in p.share[there]:  # one by one, as they join
            team["present"] += share
        team["alike"] = bool(
            len(there) == len(mine)
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
    return filled(
        RUN,
        1,
        horizon=system.horizon,
        finish=start + (system.horizon - start),
        accounts=system.accounts,
        start_customers=customers,
        start_arr=system.customers.arr,
        cool_law=system.cool_down.law[0] if market else 0,
        cool_cv=system.cool_down.cv[0] if market else 0.0,
        origin=8192,
        first_lead=1 + BANDS * len(system.channel_names),
        leads=1 + BANDS * len(system.channel_names),
        referral=bool((system.channels.per_customer > 0).any()),
        taken=customers,
        churn=system.customers.churn[0],
        expansion=system.customers.expansion[0],
        edge=start,
        last=start,
        customers_live=customers,
        origin_time=start,
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
