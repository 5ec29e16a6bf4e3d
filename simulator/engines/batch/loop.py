"""The loop of the batch engine, compiled: what the events engine does, in the same order.

1. The next event is what the calendar has planned or what is pending, whichever comes first. At
   one instant: changes of the calendar, then pending events in the order they were set, then
   what is planned late (week 0, the save grid, the end).
2. A planned event changes the segment (and takes the weekly step), brings or takes a person,
   opens the books, records the state, or ends the run.
3. The alarm takes a customer away; a point of a band may bring a lead.
4. Else it is a lead's: its work ends (booked, the person free), its patience runs out, or its
   buyer's time, its handoff or its nurture ends.
5. A team with someone idle serves its queue, by line of priority, first come first served.
6. The lead goes on, step by step, until it waits for something or has its fate: enter a stage,
   come inside its WIP cap and gate, work done, review done, outcome, on to the next stage, lost.

A lead waits for one thing at a time (`doing`), so it needs one pending event: patience is taken
off the calendar when work begins. That and what is void in the events engine changes no result.
"""

from __future__ import annotations

import math

from simulator import draws, laws
from simulator.draws import draw, uniform
from simulator.engines.batch.arrivals import next_point, rate, wake
from simulator.engines.batch.books import (
    arm_churn,
    book,
    cooling_until,
    hazard,
    idle_pop,
    idle_push,
    live_pop,
    live_push,
    touch,
    withdraw,
)
from simulator.engines.batch.compile import compiled
from simulator.engines.batch.layout import (
    ADMITTED,
    ALARM,
    BUYER,
    COMPLETE,
    FINISH,
    GONE_COLD,
    IN_QUEUE,
    JOIN,
    LEAVE,
    LOOKED,
    LURE,
    NOTHING,
    NURTURE,
    ODDS,
    OPENED,
    PASSING,
    PATIENCE,
    SNAPSHOT,
    START,
    TOO_MANY_LEADS,
    TOO_MANY_PEOPLE,
    TOO_MANY_VISITS,
    TRANSIT,
    TURN,
    TURNED,
    WEEKLY,
    WORK,
)
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
    line_up,
    new_lead,
    place,
    serve,
    settle_fate,
    step_out,
    visits_to,
    win,
)
from simulator.engines.batch.limits import admit, release
from simulator.engines.batch.owned import arrive, come_in, join, leave, lose_patience, serve_own
from simulator.engines.batch.planned import close, go_on, open_books, snapshot, turn
from simulator.engines.batch.queue import peek, pop, push
from simulator.engines.batch.weekly import adopt, ask, move_people
from simulator.system import (
    CHURNED,
    COMPETITOR,
    END,
    NO_DECISION,
    NO_TEAM,
    NOT_ADVANCED,
    REJECTED,
    RETAINED,
    WENT_COLD,
)

REST, ENTER, INSIDE, WORKED, REVIEWED, OUTCOME, ADVANCE, LOSE, WON = range(9)  # steps of a lead


@compiled
def simulate(  # type: ignore[no-untyped-def]
    tables, floor, shown, holds,
    route, route_share, handoff, handoffs, agenda,
    runs, channels, limits, bands, lives, cooling, fates,
    by_stage, by_team, by_fate, by_channel, by_time, ends, totals,
):  # fmt: skip
    """One replication in a workspace that was reset; says how it ended.

    WEEKLY: it asks for the weekly step, and is to be called again after it.
    """
    segments, channels_by, stages_by, handoffs_by, _, caps, lift = tables
    stages, teams, people, seats, idle, lines, leads, tally, rows, buckets, due = floor
    run = runs[0]
    first, end, crew = run.first_lead, len(tally), len(teams)
    ruled, limited, shadow, extras = run.ruled, run.limited, run.shadow, run.extras
    planned, resume, now = run.planned, run.resume, run.origin_time
    if resume == START:
        run.cursor = -1
        leads[ALARM].time = math.inf
        if ruled:
            ask(run, floor, tables, channels, shown, LOOKED, now)
            return WEEKLY
    if resume > LOOKED:
        now = agenda[planned - 1].time
    if resume in (LOOKED, TURNED):
        adopt(run, floor, tables, holds)
    if resume == TURNED and not move_people(run, floor, holds, now):
        return TOO_MANY_PEOPLE
    go_on(run, floor, tables, channels, limits, bands, lives, now)

    while True:
        node = peek(run, leads, buckets, due)
        plan = agenda[planned]
        now = plan.time
        if node >= 0 and (leads[node].time < now or (plan.late and leads[node].time == now)):
            now = leads[node].time
            pop(run)
        else:
            node = -1
        step, i, s, slot, reason = REST, -1, -1, 0, 0

        if node < 0:
            planned += 1
            if plan.kind == SNAPSHOT:
                snapshot(run, channels, stages, teams, fates,
                         by_stage, by_team, by_fate, by_channel, by_time, now)  # fmt: skip
            elif plan.kind == JOIN:
                join(run, floor, plan.who, now)
                # Who joins by plan can only quit from now on.
                floor.seats[plan.who].since = teams[people[plan.who].team].hazard
            elif plan.kind == LEAVE:
                leave(run, floor, plan.who, now)
            elif plan.kind == FINISH:
                break
            else:
                resume = TURNED
                if plan.kind == TURN:
                    turn(run, tables, channels, teams, now)
                else:
                    resume = OPENED
                    open_books(
                        run, channels, stages, teams, leads, tally, lives, cooling, fates, now
                    )
                if ruled:
                    run.planned = planned
                    ask(run, floor, tables, channels, shown, resume, now)
                    return WEEKLY
                go_on(run, floor, tables, channels, limits, bands, lives, now)

        elif node == ALARM:
            leads[ALARM].time = math.inf
            name, gone = live_pop(run, lives)
            run.events += 1
            run.customers -= 1
            run.customers_live -= 1
            if gone < 0:
                withdraw(run, run.base_weight, now)
                run.base_gone += 1
                cool(run, segments, cooling, draws.subkey(run.seed_base, name), now)
            else:
                channels[leads[gone].channel].kept -= leads[gone].weight
                withdraw(run, leads[gone].weight, now)
                leads[gone].weight = 0.0
                settle_fate(leads[gone], fates, CHURNED, now)
                cool(run, segments, cooling, leads[gone].key, now)
            arm_churn(run, lives, leads, buckets, due, now)

        elif node < first:
            band = bands[node - 1]
            c = band.channel
            channel = channels[c]
            if run.accounts > 0.0:
                cooling_until(run, cooling, now)
            height = draws.arrival_height(band.cell, band.index, band.band)
            if height < rate(run, segments, channels, channels_by, lift, c, now, False):
                i = run.leads
                if i == end:
                    return TOO_MANY_LEADS
                run.leads += 1
                by = channels_by[run.segment, c]
                new_lead(run, channel, by, band, leads, i, tally[i], now)
                s = channel.entry
                if not stages[s].always:
                    s = applying(run, stages, stages_by, route, route_share, leads[i], tally,
                                 i, crew, s)  # fmt: skip
                place(leads[i], fates, s)
                step = ENTER if s != END else WON
            next_point(run, channel, band, leads, buckets, due, node - 1)

        elif node >= end:
            run.events += 1
            i = node - shadow
            lose_patience(run, floor, i)
            if leads[i].trace >= 0:
                rows[leads[i].trace].ended = now
            leads[i].doing = GONE_COLD
            push(run, leads, buckets, due, i, now)

        else:
            i = node
            lead = leads[i]
            s = int(lead.stage)
            slot = lead.slot
            doing = lead.doing
            lead.doing = NOTHING
            if doing == WORK:
                stage = stages[s]
                m = stage.team
                team = teams[m]
                person = people[lead.person]
                touch(team, now)
                run.events += 1
                book(team, m, person.share, lead, tally[i])
                stage.working -= 1
                team.busy -= person.share
                if lead.trace >= 0:
                    rows[lead.trace].ended = now
                if person.leaving:
                    person.leaving = 0
                    team.present -= person.share
                    seats[lead.person].there = 0
                elif team.owned:
                    seats[lead.person].free = 1
                    serve_own(run, floor, m, lead.person, now)
                else:
                    idle_push(team, idle, lead.person)
                    serve(run, team, stages, people, idle, lines, leads, rows, buckets, due, now)
                step = WORKED if lead.review == ACCEPTED else REVIEWED
            elif doing == PATIENCE:
                run.events += 1
                stages[s].waiting -= 1
                teams[stages[s].team].waiting -= 1
                step_out(lines[stages[s].line], leads, i)
                if lead.trace >= 0:
                    rows[lead.trace].ended = now
                lead.doing = GONE_COLD
                push(run, leads, buckets, due, node, now)
            elif doing == GONE_COLD:
                step, reason = LOSE, WENT_COLD
            elif doing == BUYER:
                run.events += 1
                stages[s].buyer -= 1
                step = OUTCOME
            elif doing == TRANSIT:
                run.events += 1
                stages[s].transit -= 1
                step = ENTER
            elif doing == ADMITTED:
                run.events += 1
                stages[s].transit -= 1
                step = INSIDE
            elif doing == PASSING:
                run.events += 1
                arrive(run, floor, i, now)
            else:
                run.events += 1
                stages[s].nurture -= 1
                step = ENTER

        while step != REST:
            lead = leads[i]
            key = lead.key
            k = run.segment
            if step <= INSIDE:
                stage, by = stages[s], stages_by[k, s]
                if step == ENTER:
                    place(lead, fates, s)
                    if stage.after_sale and lead.won != lead.won:
                        win(run, channels, seats, lead, tally[i], crew, now)
                    slot = stage.key + (visits_to(lead, tally, i, crew, s) << 6)
                    count_visit(lead, tally, i, crew, s)
                    lead.slot = slot
                    lead.waited = 0.0
                    if limited and not admit(run, limits, caps, stage, leads, i):
                        step = REST
                        continue
                if stage.gated and lead.review == ACCEPTED:
                    let_through = by.gate_poor if lead.fit else by.gate_good
                    if uniform(key, slot + draws.GATE) >= let_through:
                        step, reason = LOSE, REJECTED
                        continue
                if lead.review == ACCEPTED:
                    if stage.team == NO_TEAM:
                        stage.entered += 1
                        step = WORKED
                        continue
                    effort = draw(
                        stage.effort_law, by.effort, stage.effort_cv, key, slot + draws.EFFORT
                    )
                else:
                    effort = handoffs_by[k, lead.handoff].rework
                    if stage.team == NO_TEAM or not effort > 0.0:
                        step = REVIEWED
                        continue
                lead.effort = effort
                lead.entered = now
                stage.entered += 1
                lead.trace = -1
                if run.keep_visits:
                    if run.rows == len(rows):
                        return TOO_MANY_VISITS
                    lead.trace = run.rows
                    run.rows += 1
                    row = rows[lead.trace]
                    row.lead, row.stage, row.entered = lead.id, s, now
                    row.started = row.ended = NAN
                team = teams[stage.team]
                step = REST
                if team.owned:
                    if come_in(run, floor, stage.team, i, now):
                        continue
                elif team.idle > 0:
                    begin(run, team, stage, people, idle_pop(team, idle), lead, rows,
                          leads, buckets, due, i, now)  # fmt: skip
                    continue
                else:
                    stage.waiting += 1
                    team.waiting += 1
                    line_up(lines[stage.line], leads, i)
                    lead.doing = IN_QUEUE
                if stage.patience_law and lead.review == ACCEPTED:
                    patience = draw(stage.patience_law, by.patience, stage.patience_cv,
                                    key, slot + draws.PATIENCE)  # fmt: skip
                    if lead.doing == IN_QUEUE:
                        lead.doing = PATIENCE
                    push(run, leads, buckets, due, i + shadow, now + patience)

            elif step == WORKED:
                stage = stages[s]
                step = OUTCOME
                if stage.buyer_law:
                    stage.buyer += 1
                    delay = draw(stage.buyer_law, stages_by[k, s].buyer_time, stage.buyer_cv,
                                 key, slot + draws.BUYER_TIME)  # fmt: skip
                    lead.doing = BUYER
                    push(run, leads, buckets, due, i, now + delay)
                    step = REST

            elif step == REVIEWED:
                if lead.review == RETURNED:
                    s = handoffs[lead.handoff].source
                    if limited:
                        release(run, limits, caps, stages, leads, buckets, due, i, s, now)
                    lead.review = ACCEPTED
                    step = ENTER
                else:
                    step, reason = LOSE, REJECTED

            elif step == OUTCOME:
                stage, by = stages[s], stages_by[k, s]
                if by.rework > 0.0 and uniform(key, slot + draws.REWORK) < by.rework:
                    s = stage.rework_to
                    if limited:
                        release(run, limits, caps, stages, leads, buckets, due, i, s, now)
                    step = ENTER
                    continue
                factor = 1.0
                if stage.speed_kind:
                    factor = laws.speed_factor(
                        stage.speed_kind, lead.waited, by.speed_floor, by.speed_scale
                    )
                if stage.decision:
                    us, them = by.us_good, by.them_good
                    if lead.fit:
                        us, them = by.us_poor, by.them_poor
                    if stage.decay > 0.0:
                        age = laws.aging(stage.decay, stage.after, now - lead.arrived)
                        us, them = laws.moved_us(us, age), laws.moved_them(us, them, age)
                    if extras >= 0:
                        factor *= tally[i, extras + ODDS]
                    u = uniform(key, slot + draws.DECISION)
                    if u < us * factor:
                        step = ADVANCE
                    else:
                        step, reason = LOSE, COMPETITOR if u >= 1.0 - them else NO_DECISION
                else:
                    odds = by.advance_poor if lead.fit else by.advance_good
                    if uniform(key, slot + draws.ADVANCE) < odds * factor:
                        step = ADVANCE
                    else:
                        step, reason = LOSE, NOT_ADVANCED

            elif step == ADVANCE:
                stages[s].advanced += 1
                after = follow(stages[s], route, route_share, s, key, slot)
                if after != END and not stages[after].always:
                    after = applying(run, stages, stages_by, route, route_share,
                                     lead, tally, i, crew, after)  # fmt: skip
                if limited:
                    release(run, limits, caps, stages, leads, buckets, due, i, after, now)
                if after == END:
                    step = WON
                    continue
                if stages[after].after_sale and lead.won != lead.won:
                    win(run, channels, seats, lead, tally[i], crew, now)
                step = ENTER
                h = handoff[s, after]
                s = after
                lead.review = ACCEPTED
                if h >= 0:
                    lead.handoff = h
                    by_handoff = handoffs_by[k, h]
                    u = uniform(key, slot + draws.HANDOFF)
                    accepted = by_handoff.accepted_poor if lead.fit else by_handoff.accepted_good
                    if u >= accepted:
                        returned = u < accepted + by_handoff.returned
                        lead.review = RETURNED if returned else REFUSED
                    delay = draw(handoffs[h].law, by_handoff.delay, handoffs[h].cv,
                                 key, slot + draws.HANDOFF_DELAY)  # fmt: skip
                    if by_handoff.every > 0.0:
                        delay += laws.until_meeting(now + delay, by_handoff.every)
                    delay = min(delay, by_handoff.within)
                    if delay > 0.0:
                        place(lead, fates, after)
                        stages[after].transit += 1
                        lead.doing = TRANSIT
                        push(run, leads, buckets, due, i, now + delay)
                        step = REST

            elif step == LOSE:
                stage, by = stages[s], stages_by[k, s]
                step = REST
                if limited:
                    release(run, limits, caps, stages, leads, buckets, due, i, END, now)
                if (
                    lead.recycled < stage.recycle_limit
                    and uniform(key, slot + draws.RECYCLE) < by.recycle
                ):
                    lead.recycled += 1
                    lead.review = ACCEPTED
                    place(lead, fates, stage.recycle_to)
                    stages[lead.stage].nurture += 1
                    delay = draw(
                        stage.recycle_delay_law,
                        by.recycle_delay,
                        stage.recycle_delay_cv,
                        key,
                        slot + draws.RECYCLE_DELAY,
                    )
                    lead.doing = NURTURE
                    push(run, leads, buckets, due, i, now + delay)
                else:
                    settle_fate(lead, fates, fate_of(s, reason), now)
                    if shadow > 0:
                        disown(run, seats, tally[i], crew)
                    if lead.won == lead.won:
                        channels[lead.channel].kept -= lead.weight
                        withdraw(run, lead.weight, now)
                        run.customers -= 1
                        lead.weight = 0.0
                    cool(run, segments, cooling, key, now)

            else:
                step = REST
                if lead.won != lead.won:
                    win(run, channels, seats, lead, tally[i], crew, now)
                lead.live = now
                if shadow > 0:
                    disown(run, seats, tally[i], crew)
                settle_fate(lead, fates, RETAINED, now)
                if not run.opened:
                    run.customers -= 1
                    continue
                run.live += 1
                run.customers_live += 1
                segment = segments[k]
                late = laws.lateness_factor(now - lead.won, segment.target, segment.late_churn)
                if extras >= 0:
                    late *= tally[i, extras + LURE]
                ends_at = hazard(run, now) + -math.log(uniform(key, draws.CHURN)) / late
                live_push(run, lives, ends_at, lead.id, i)
                arm_churn(run, lives, leads, buckets, due, now)
                if run.referral:
                    for c in range(len(channels)):
                        if channels[c].referring:
                            wake(run, segments, channels, channels_by, lift,
                                 bands, leads, buckets, due, c, now)  # fmt: skip

    close(run, stages, teams, people, leads, tally, ends, totals)
    return COMPLETE
