"""The steps of a lead in the batch engine, compiled into the loop.

A step is taken at a time and says what follows at once: (step, stage, reason for being lost);
REST where the lead now waits for something or has its fate. `i` is the lead's place.
"""

from __future__ import annotations

from typing import Final

from simulator import draws, laws
from simulator.draws import drawn, drawn_apart, exponential, uniform
from simulator.engines.batch.arrivals import wake
from simulator.engines.batch.books import arm_churn, hazard, idle_pop, live_push, withdraw
from simulator.engines.batch.compile import at, merged, seldom
from simulator.engines.batch.layout import BUYER, IN_QUEUE, NURTURE, PATIENCE, TRANSIT
from simulator.engines.batch.leads import (
    ACCEPTED,
    NAN,
    REFUSED,
    RETURNED,
    applying,
    begin,
    cool,
    count_visit,
    disown,
    fate_of,
    follow,
    go,
    line_up,
    place,
    settle_fate,
    visits_to,
    win,
)
from simulator.engines.batch.limits import admit, release
from simulator.engines.batch.owned import come_in
from simulator.engines.batch.queue import push
from simulator.system import (
    COMPETITOR,
    END,
    NO_DECISION,
    NO_TEAM,
    NOT_ADVANCED,
    REJECTED,
    RETAINED,
)

REST, ENTER, INSIDE, WORKED, REVIEWED, OUTCOME, ADVANCE, LOSE, WON, FULL = range(10)
GO_ON: Final = 0  # no reason for being lost


@merged
def enter(run, floor, ends, channels, limits, tables, i, s, step, now):  # type: ignore[no-untyped-def]
    """Come to a stage, or inside its WIP cap; FULL where there is no room to note the visit."""
    lead, stage, by = at(floor.leads, i), at(floor.stages, s), tables.stages_by[run.segment, s]
    key = lead.key
    if step == ENTER:
        crew = len(floor.teams)
        place(lead, ends.fates, s)
        if seldom(stage.after_sale) and lead.won != lead.won:
            win(run, channels, floor.seats, lead, floor.tally[i], crew, now)
        lead.slot = stage.key + (visits_to(lead, floor.tally, i, crew, s) << 6)
        count_visit(lead, floor.tally, i, crew, s)
        lead.waited = 0.0
        if seldom(run.limited) and not admit(run, limits, tables.caps, stage, floor.leads, i):
            return REST, s, GO_ON
    slot = lead.slot
    if lead.review == ACCEPTED:
        if seldom(stage.gated):
            let_through = by.gate_poor if lead.fit else by.gate_good
            if uniform(key, slot + draws.GATE) >= let_through:
                return LOSE, s, REJECTED
        if stage.team == NO_TEAM:
            stage.entered += 1
            return WORKED, s, GO_ON
        lead.effort = drawn(
            stage.effort_law, by.effort, stage.effort_spread, key, slot + draws.EFFORT
        )
    else:
        lead.effort = tables.handoffs_by[run.segment, lead.handoff].rework
        if stage.team == NO_TEAM or not lead.effort > 0.0:
            return REVIEWED, s, GO_ON
    lead.entered = now
    stage.entered += 1
    lead.trace = -1
    if seldom(run.keep_visits):
        if run.visits == len(floor.visits):
            return FULL, s, GO_ON
        lead.trace = run.visits
        run.visits += 1
        row = floor.visits[lead.trace]
        row.lead, row.stage, row.entered = lead.id, s, now
        row.started = row.ended = NAN
    team = at(floor.teams, stage.team)
    if seldom(team.owned):
        if come_in(run, floor, stage.team, i, now):
            return REST, s, GO_ON
    elif team.idle > 0:
        begin(run, floor, team, stage, idle_pop(team, floor.idle), i, now)
        return REST, s, GO_ON
    else:
        stage.waiting += 1
        team.waiting += 1
        line_up(at(floor.lines, stage.line), floor.leads, i)
        lead.doing = IN_QUEUE
    if stage.patience_law and lead.review == ACCEPTED:
        patience = drawn(
            stage.patience_law, by.patience, stage.patience_spread, key, slot + draws.PATIENCE
        )
        if lead.doing == IN_QUEUE:
            lead.doing = PATIENCE
        push(run, floor, i + run.shadow, now + patience)
    return REST, s, GO_ON


@merged
def worked(run, floor, tables, i, s, now):  # type: ignore[no-untyped-def]
    """Work is done: the buyer takes time, or the outcome follows."""
    stage, lead = at(floor.stages, s), at(floor.leads, i)
    if not stage.buyer_law:
        return OUTCOME, s, GO_ON
    stage.buyer += 1
    lead.doing = BUYER
    delay = drawn(
        stage.buyer_law, tables.stages_by[run.segment, s].buyer_time, stage.buyer_spread,
        lead.key, lead.slot + draws.BUYER_TIME,
    )  # fmt: skip
    push(run, floor, i, now + delay)
    return REST, s, GO_ON


@merged
def reviewed(run, floor, limits, tables, ways, i, s, now):  # type: ignore[no-untyped-def]
    """A team has looked at a lead that it does not accept."""
    lead = at(floor.leads, i)
    if lead.review != RETURNED:
        return LOSE, s, REJECTED
    s = ways.handoffs[lead.handoff].source
    if seldom(run.limited):
        release(run, limits, tables.caps, floor, i, s, now)
    lead.review = ACCEPTED
    return ENTER, s, GO_ON


@merged
def outcome(run, floor, limits, tables, i, s, now):  # type: ignore[no-untyped-def]
    """What comes of finished work: on, back, or lost."""
    lead, stage, by = at(floor.leads, i), at(floor.stages, s), tables.stages_by[run.segment, s]
    key, slot = lead.key, lead.slot
    if seldom(by.rework > 0.0) and uniform(key, slot + draws.REWORK) < by.rework:
        s = stage.rework_to
        if seldom(run.limited):
            release(run, limits, tables.caps, floor, i, s, now)
        return ENTER, s, GO_ON
    factor = 1.0
    if seldom(stage.speed_kind):
        factor = laws.speed_factor(stage.speed_kind, lead.waited, by.speed_floor, by.speed_scale)
    if not stage.decision:
        odds = by.advance_poor if lead.fit else by.advance_good
        if uniform(key, slot + draws.ADVANCE) < odds * factor:
            return ADVANCE, s, GO_ON
        return LOSE, s, NOT_ADVANCED
    us, them = by.us_good, by.them_good
    if lead.fit:
        us, them = by.us_poor, by.them_poor
    if seldom(stage.decay > 0.0):
        age = laws.aging(stage.decay, stage.after, now - lead.arrived)
        us, them = laws.moved_us(us, age), laws.moved_them(us, them, age)
    u = uniform(key, slot + draws.DECISION)
    if u < us * (factor * lead.odds):
        return ADVANCE, s, GO_ON
    return LOSE, s, COMPETITOR if u >= 1.0 - them else NO_DECISION


@merged
def advance(run, floor, ends, channels, limits, tables, ways, i, s, now):  # type: ignore[no-untyped-def]
    """On to the next stage that applies, by a handoff where there is one; WON after the last."""
    lead, stage, stages = at(floor.leads, i), at(floor.stages, s), floor.stages
    key, slot, crew = lead.key, lead.slot, len(floor.teams)
    stage.advanced += 1
    after = follow(stage, ways, s, key, slot)
    if seldom(after != END and not at(stages, after).always):
        after = applying(run, stages, tables.stages_by, ways, lead, floor.tally, i, crew, after)
    if seldom(run.limited):
        release(run, limits, tables.caps, floor, i, after, now)
    if after == END:
        return WON, s, GO_ON
    if seldom(at(stages, after).after_sale) and lead.won != lead.won:
        win(run, channels, floor.seats, lead, floor.tally[i], crew, now)
    h = ways.handoff[s, after]
    lead.review = ACCEPTED
    if h < 0:
        return ENTER, after, GO_ON
    lead.handoff = h
    way, by = ways.handoffs[h], tables.handoffs_by[run.segment, h]
    u = uniform(key, slot + draws.HANDOFF)
    accepted = by.accepted_poor if lead.fit else by.accepted_good
    if u >= accepted:
        lead.review = RETURNED if u < accepted + by.returned else REFUSED
    delay = drawn(way.law, by.delay, way.spread, key, slot + draws.HANDOFF_DELAY)
    if seldom(by.every > 0.0):
        delay += laws.until_meeting(now + delay, by.every)
    delay = min(delay, by.within)
    if not delay > 0.0:
        return ENTER, after, GO_ON
    place(lead, ends.fates, after)
    at(stages, after).transit += 1
    lead.doing = TRANSIT
    push(run, floor, i, now + delay)
    return REST, after, GO_ON


@merged
def lose(run, floor, ends, channels, limits, tables, i, s, reason, now):  # type: ignore[no-untyped-def]
    """Nurture what was lost, if it is to come back; else it has its fate."""
    lead, stage, by = at(floor.leads, i), at(floor.stages, s), tables.stages_by[run.segment, s]
    key, slot = lead.key, lead.slot
    if seldom(run.limited):
        release(run, limits, tables.caps, floor, i, END, now)
    if (
        seldom(lead.recycled < stage.recycle_limit)
        and uniform(key, slot + draws.RECYCLE) < by.recycle
    ):
        lead.recycled += 1
        lead.review = ACCEPTED
        place(lead, ends.fates, stage.recycle_to)
        floor.stages[lead.stage].nurture += 1
        lead.doing = NURTURE
        delay = drawn_apart(
            stage.recycle_delay_law, by.recycle_delay, stage.recycle_delay_spread,
            key, slot + draws.RECYCLE_DELAY,
        )  # fmt: skip
        push(run, floor, i, now + delay)
        return REST, s, GO_ON
    settle_fate(lead, ends.fates, fate_of(s, reason))
    if seldom(run.shadow > 0):
        disown(run, floor.seats, floor.tally[i], len(floor.teams))
    if seldom(lead.won == lead.won):
        channels[lead.channel].kept -= lead.weight
        withdraw(run, lead.weight, now)
        run.customers -= 1
        lead.weight = 0.0
    go(run, floor, ends, i, now)
    cool(run, tables.segments, ends.cooling, key, now)
    return REST, s, GO_ON


@merged
def won(run, floor, ends, demand, tables, i, s, now):  # type: ignore[no-untyped-def]
    """The end of the last stage: live, and a customer until the hazard that is drawn."""
    lead, crew = at(floor.leads, i), len(floor.teams)
    if lead.won != lead.won:
        win(run, demand.channels, floor.seats, lead, floor.tally[i], crew, now)
    lead.live = now
    if seldom(run.shadow > 0):
        disown(run, floor.seats, floor.tally[i], crew)
    settle_fate(lead, ends.fates, RETAINED)
    go(run, floor, ends, i, now)
    if not run.opened:
        run.customers -= 1
        return REST, s, GO_ON
    run.live += 1
    run.customers_live += 1
    by = tables.segments[run.segment]
    late = laws.lateness_factor(now - lead.won, by.target, by.late_churn) * lead.lure
    until = hazard(run, now) + exponential(lead.key, draws.CHURN) / late
    live_push(run, ends.lives, until, lead.id, lead.row, lead.key)
    arm_churn(run, floor, ends.lives, now)
    if seldom(run.referral):
        for c in range(len(demand.channels)):
            if at(demand.channels, c).referring:
                wake(run, demand, tables, c, now)
    return REST, s, GO_ON
