"""The loop of the batch engine, compiled: what the events engine does, in the same order.

1. The next event is what the calendar has planned or what is pending, whichever comes first. At
   one instant: changes of the calendar, then pending events in the order they were set, then
   what is planned late (week 0, the save grid, the end).
2. A planned event changes the segment, brings or takes a person, opens the books, records the
   state, or ends the run.
3. The alarm takes a customer away; a point of a band may bring a lead.
4. Else it is a lead's: its work ends (booked, the person free), its patience runs out, or its
   buyer's time, its handoff or its nurture ends.
5. A team with someone idle serves its queue, by line of priority, first come first served.
6. The lead goes on, step by step, until it waits for something or has its fate: enter a stage,
   work done, review done, outcome, on to the next stage, lost.

A lead waits for one thing at a time (`doing`), so it needs one pending event: patience is taken
off the calendar when work begins. That and what is void in the events engine changes no result.
"""

from __future__ import annotations

import math

from simulator import draws, laws
from simulator.draws import draw, uniform
from simulator.engines.batch.arrivals import next_point, rate, renew, wake
from simulator.engines.batch.books import (
    arm_churn,
    book,
    cooling_until,
    hazard,
    idle_push,
    idle_remove,
    live_pop,
    live_push,
    touch,
    withdraw,
)
from simulator.engines.batch.compile import compiled
from simulator.engines.batch.layout import (
    ALARM,
    BUYER,
    COMPLETE,
    FINISH,
    GONE_COLD,
    IN_QUEUE,
    JOIN,
    LEAVE,
    NOTHING,
    NURTURE,
    PATIENCE,
    SNAPSHOT,
    TOO_MANY_LEADS,
    TOO_MANY_VISITS,
    TRANSIT,
    TURN,
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
    follow,
    line_up,
    new_lead,
    place,
    settle_fate,
    step_out,
    visits_to,
    win,
)
from simulator.engines.batch.planned import close, fate_of, open_books, snapshot, turn
from simulator.engines.batch.queue import cancel, peek, pop, push
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

REST, ENTER, WORKED, REVIEWED, OUTCOME, ADVANCE, LOSE, WON = range(8)  # steps of a lead


@compiled
def simulate(  # type: ignore[no-untyped-def]
    segments, channels_by, lift, stages_by, route, route_share, handoff,
    handoffs, handoffs_by, teams_by, agenda,
    runs, channels, bands, stages, teams, people, idle,
    lines, leads, tally, lives, cooling,
    buckets, due, fates, rows,
    by_stage, by_team, by_fate, by_channel, by_time, ends, totals,
):  # fmt: skip
    """One replication in a workspace that was reset; says how it ended."""
    run = runs[0]
    first, crew = run.first_lead, len(teams)
    run.cursor = -1
    leads[ALARM].time = math.inf
    start = run.origin_time
    planned = 0
    renew(run, segments, channels, channels_by, lift, start)
    for c in range(len(channels)):
        wake(run, segments, channels, channels_by, lift, bands, leads, buckets, due, c, start)

    while True:
        node = peek(run, leads, buckets, due)
        plan = agenda[planned]
        now = plan.time
        if node >= 0 and (leads[node].time < now or (plan.late and leads[node].time == now)):
            now = leads[node].time
            pop(run)
        else:
            node = -1
        step, i, s, serve, slot, reason = REST, -1, -1, -1, 0, 0

        if node < 0:
            planned += 1
            if plan.kind == SNAPSHOT:
                snapshot(run, channels, stages, teams, fates,
                         by_stage, by_team, by_fate, by_channel, by_time, now)  # fmt: skip
            elif plan.kind == JOIN:
                serve = people[plan.who].team
                touch(teams[serve], now)
                teams[serve].present += people[plan.who].share
                idle_push(teams[serve], idle, plan.who)
            elif plan.kind == LEAVE:
                m = people[plan.who].team
                if idle_remove(teams[m], idle, plan.who):
                    touch(teams[m], now)
                    teams[m].present -= people[plan.who].share
                else:
                    people[plan.who].leaving = 1
            elif plan.kind == FINISH:
                break
            else:
                if plan.kind == TURN:
                    turn(run, segments, channels, channels_by, lift, teams, teams_by, now)
                else:
                    open_books(
                        run, channels, stages, teams, leads, tally, lives, cooling, fates, now
                    )
                arm_churn(run, lives, leads, buckets, due, now)
                for c in range(len(channels)):
                    wake(run, segments, channels, channels_by, lift,
                         bands, leads, buckets, due, c, now)  # fmt: skip

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
                if i == len(leads):
                    return TOO_MANY_LEADS
                run.leads += 1
                by = channels_by[run.segment, c]
                new_lead(run, channel, by, band, leads[i], tally[i], now)
                s = channel.entry
                if not stages[s].always:
                    s = applying(run, stages, stages_by, route, route_share, leads[i], tally,
                                 i, crew, s)  # fmt: skip
                place(leads[i], fates, s)
                step = ENTER
            next_point(run, channel, band, leads, buckets, due, node - 1)

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
                else:
                    idle_push(team, idle, lead.person)
                    serve = m
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
            else:
                run.events += 1
                stages[s].nurture -= 1
                step = ENTER

        if serve >= 0:
            team = teams[serve]
            while team.idle > 0 and team.waiting > 0:
                at = team.first_line
                while lines[at].head < 0:
                    at += 1
                j = lines[at].head
                other = leads[j]
                step_out(lines[at], leads, j)
                if other.doing == PATIENCE:
                    cancel(run, leads, buckets, due, j)
                team.waiting -= 1
                stages[other.stage].waiting -= 1
                begin(run, team, stages[other.stage], people, idle, other, rows,
                      leads, buckets, due, j, now)  # fmt: skip

        while step != REST:
            lead = leads[i]
            key = lead.key
            k = run.segment
            if step == ENTER:
                if s == END:
                    step = WON
                    continue
                place(lead, fates, s)
                stage, by = stages[s], stages_by[k, s]
                if stage.after_sale:
                    win(run, lead, now)
                slot = stage.key + (visits_to(lead, tally, i, crew, s) << 6)
                count_visit(lead, tally, i, crew, s)
                lead.slot = slot
                lead.waited = 0.0
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
                if team.idle > 0:
                    begin(run, team, stage, people, idle, lead, rows,
                          leads, buckets, due, i, now)  # fmt: skip
                else:
                    stage.waiting += 1
                    team.waiting += 1
                    line_up(lines[stage.line], leads, i)
                    lead.doing = IN_QUEUE
                    if stage.patience_law and lead.review == ACCEPTED:
                        patience = draw(stage.patience_law, by.patience, stage.patience_cv,
                                        key, slot + draws.PATIENCE)  # fmt: skip
                        lead.doing = PATIENCE
                        push(run, leads, buckets, due, i, now + patience)
                step = REST

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
                    lead.review = ACCEPTED
                    step = ENTER
                else:
                    step, reason = LOSE, REJECTED

            elif step == OUTCOME:
                stage, by = stages[s], stages_by[k, s]
                if by.rework > 0.0 and uniform(key, slot + draws.REWORK) < by.rework:
                    s = stage.rework_to
                    step = ENTER
                    continue
                factor = 1.0
                if stage.speed_kind:
                    factor = laws.speed_factor(
                        stage.speed_kind, lead.waited, by.speed_floor, by.speed_scale
                    )
                if stage.decision:
                    us, them = segments[k].us_good, segments[k].them_good
                    if lead.fit:
                        us, them = segments[k].us_poor, segments[k].them_poor
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
                if after == END:
                    step = WON
                    continue
                if stages[after].after_sale:
                    win(run, lead, now)
                step = ENTER
                h = handoff[s, after]
                s = after
                lead.review = ACCEPTED
                if h >= 0:
                    lead.handoff = h
                    by_handoff = handoffs_by[k, h]
                    u = uniform(key, slot + draws.HANDOFF)
                    if u >= by_handoff.accepted:
                        returned = u < by_handoff.accepted + by_handoff.returned
                        lead.review = RETURNED if returned else REFUSED
                    delay = draw(handoffs[h].law, by_handoff.delay, handoffs[h].cv,
                                 key, slot + draws.HANDOFF_DELAY)  # fmt: skip
                    if by_handoff.every > 0.0:
                        delay += laws.until_meeting(now + delay, by_handoff.every)
                    if delay > 0.0:
                        place(lead, fates, after)
                        stages[after].transit += 1
                        lead.doing = TRANSIT
                        push(run, leads, buckets, due, i, now + delay)
                        step = REST

            elif step == LOSE:
                stage, by = stages[s], stages_by[k, s]
                step = REST
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
                    if lead.won == lead.won:
                        withdraw(run, lead.weight, now)
                        run.customers -= 1
                        lead.weight = 0.0
                    cool(run, segments, cooling, key, now)

            else:
                step = REST
                win(run, lead, now)
                lead.live = now
                settle_fate(lead, fates, RETAINED, now)
                if not run.opened:
                    run.customers -= 1
                    continue
                run.live += 1
                run.customers_live += 1
                segment = segments[k]
                late = laws.lateness_factor(now - lead.won, segment.target, segment.late_churn)
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
