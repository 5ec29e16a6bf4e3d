"""The loop of the batch engine, compiled: what the events engine does, in the same order.

1. The next event is what the calendar has planned, what is pending or the next point of a band,
   whichever comes first. At one instant: changes of the calendar, then pending events in the
   order they were set, then points, then what is planned late (week 0, the save grid, the end).
2. A planned event changes the segment (and takes the weekly step), brings or takes a person,
   opens the books, records the state, or ends the run.
3. A point of a band may bring a lead; the alarm takes a customer away.
4. Else it is a lead's: its work ends (booked, the person free), its patience runs out, or its
   buyer's time, its handoff or its nurture ends.
5. A team with someone idle serves its queue, by line of priority, first come first served.
6. The lead goes on, step by step (journey.py), until it waits for something or has its fate.

A lead waits for one thing at a time (`doing`), so it needs one pending event: patience is taken
off the calendar when work begins. That and what is void in the events engine changes no result.
"""

from __future__ import annotations

import math

from simulator.engines.batch.arrivals import below, go_back, rate
from simulator.engines.batch.books import (
    arm_churn,
    book,
    cooling_until,
    idle_push,
    live_pop,
    touch,
    withdraw,
)
from simulator.engines.batch.compile import at, merged, seldom
from simulator.engines.batch.journey import (
    ADVANCE,
    ENTER,
    FULL,
    INSIDE,
    LOSE,
    OUTCOME,
    REST,
    REVIEWED,
    WON,
    WORKED,
    advance,
    enter,
    lose,
    outcome,
    reviewed,
    won,
    worked,
)
from simulator.engines.batch.layout import (
    ADMITTED,
    ALARM,
    BUYER,
    COMPLETE,
    FINISH,
    GONE_COLD,
    JOIN,
    LEAVE,
    LOOKED,
    NOTHING,
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
    Books,
    Demand,
    Ends,
    Floor,
    Tables,
    Ways,
)
from simulator.engines.batch.leads import (
    ACCEPTED,
    applying,
    cool,
    new_lead,
    new_place,
    place,
    promised,
    serve,
    step_out,
)
from simulator.engines.batch.owned import arrive, join, leave, lose_patience, serve_own
from simulator.engines.batch.planned import close, go_on, open_books, snapshot, turn
from simulator.engines.batch.queue import peek, pop, push
from simulator.engines.batch.weekly import adopt, ask, move_people, settle_in
from simulator.system import CHURNED, END, WENT_COLD
from simulator.weekly.state import Holds, Shown

PLAN, POINT = -1, -2  # what is next, where it is no node


def simulate(arguments):  # type: ignore[no-untyped-def]
    """One replication in a workspace that was reset; says how it ended.

    WEEKLY: it asks for the weekly step, and is to be called again after it.
    """
    of, agenda, runs, limits = arguments
    tables, floor, ends, demand = Tables(*of[0]), Floor(*of[1]), Ends(*of[2]), Demand(*of[3])
    ways, books, shown, holds = Ways(*of[4]), Books(*of[5]), Shown(*of[6]), Holds(*of[7])
    stages, teams, leads, nodes = floor.stages, floor.teams, floor.leads, floor.nodes
    channels = demand.channels
    run = runs[0]
    planned, now = run.planned, run.origin_time
    if run.resume == START:
        nodes[ALARM].time = math.inf
        if run.ruled:
            ask(run, floor, tables, channels, shown, LOOKED, now)
            return WEEKLY
    if run.resume > LOOKED:
        now = agenda[planned - 1].time
    if run.resume in (LOOKED, TURNED):
        adopt(run, floor, tables, holds)
    if run.resume == TURNED and not move_people(run, floor, holds, now):
        return TOO_MANY_PEOPLE
    go_on(run, floor, tables, demand, limits, ends.lives, now)

    while True:
        plan = at(agenda, planned)
        until = plan.time if plan.time < run.arrival else run.arrival  # noqa: FURB136 (min is slower)
        node = peek(run, floor, until)
        now = at(nodes, node).time if node >= 0 else math.inf
        if run.arrival < now:
            node, now = POINT, run.arrival
        if not (now < plan.time or (plan.late and now == plan.time)):
            node, now = PLAN, plan.time
        step, i, s, reason = REST, 0, 0, 0

        if node > ALARM:
            pop(run)
            if seldom(node >= len(leads)):
                run.events += 1
                i = node - run.shadow
                lose_patience(run, floor, i)
                if run.keep_visits and at(leads, i).trace >= 0:
                    floor.visits[at(leads, i).trace].ended = now
                at(leads, i).doing = GONE_COLD
                push(run, floor, i, now)
                continue
            i = node
            lead = at(leads, i)
            s = int(lead.stage)
            doing = lead.doing
            lead.doing = NOTHING
            run.events += doing != GONE_COLD
            if doing == WORK:
                end_work(run, floor, lead, i, s, now)
                step = WORKED if lead.review == ACCEPTED else REVIEWED
            elif doing == PATIENCE:
                at(stages, s).waiting -= 1
                teams[at(stages, s).team].waiting -= 1
                step_out(floor.lines[at(stages, s).line], leads, i)
                promised(at(stages, s), math.inf)
                if seldom(run.keep_visits) and lead.trace >= 0:
                    floor.visits[lead.trace].ended = now
                lead.doing = GONE_COLD
                push(run, floor, i, now)
            elif doing == GONE_COLD:
                step, reason = LOSE, WENT_COLD
            elif doing == BUYER:
                at(stages, s).buyer -= 1
                step = OUTCOME
            elif doing == TRANSIT:
                at(stages, s).transit -= 1
                step = ENTER
            elif doing == ADMITTED:
                at(stages, s).transit -= 1
                step = INSIDE
            elif doing == PASSING:
                arrive(run, floor, i, now)
            else:
                at(stages, s).nurture -= 1
                step = ENTER

        elif node == POINT:
            band = at(demand.bands, at(demand.coming, 0).node)
            c = band.channel
            if seldom(run.accounts > 0.0):
                cooling_until(run, ends.cooling, now)
            if below(band, rate(run, channels, tables, c, now, False)):
                if seldom(run.leads == len(ends.fated)):
                    return TOO_MANY_LEADS
                i = new_place(run, floor)
                by = tables.channels_by[run.segment, c]
                new_lead(run, floor, ends, at(channels, c), by, band, i, now)
                s = at(channels, c).entry
                if seldom(not at(stages, s).always):
                    s = applying(run, stages, tables.stages_by, ways, leads[i], floor.tally,
                                 i, len(teams), s)  # fmt: skip
                place(leads[i], ends.fates, s)
                step = ENTER if s != END else WON
            go_back(run, demand)

        elif seldom(node == PLAN):
            planned += 1
            if plan.kind == SNAPSHOT:
                snapshot(run, channels, floor, ends.fates, books, now)
            elif plan.kind == JOIN:
                if run.ruled:
                    settle_in(run, floor, plan.who)
                join(run, floor, plan.who, now)
                # Who joins by plan can only quit from now on.
                floor.seats[plan.who].since = teams[floor.people[plan.who].team].hazard
            elif plan.kind == LEAVE:
                leave(run, floor, plan.who, now)
            elif plan.kind == FINISH:
                break
            else:
                resume = TURNED
                if plan.kind == TURN:
                    turn(run, tables, channels, teams, stages, now)
                else:
                    resume = OPENED
                    open_books(run, floor, ends, channels, now)
                if run.ruled:
                    run.planned = planned
                    ask(run, floor, tables, channels, shown, resume, now)
                    return WEEKLY
                go_on(run, floor, tables, demand, limits, ends.lives, now)

        else:
            pop(run)
            nodes[ALARM].time = math.inf
            run.events += 1
            run.customers -= 1
            run.customers_live -= 1
            row, key = live_pop(run, ends.lives)
            if row < 0:
                withdraw(run, run.base_weight, now)
                run.base_gone += 1
            else:
                churn(run, ends, channels, row, now)
            cool(run, tables.segments, ends.cooling, key, now)
            arm_churn(run, floor, ends.lives, now)

        # In the order in which steps mostly follow each other, so that one goes straight on.
        while step != REST:
            if step == WORKED:
                step, s, reason = worked(run, floor, tables, i, s, now)
            if step == OUTCOME:
                step, s, reason = outcome(run, floor, limits, tables, i, s, now)
            if step == ADVANCE:
                step, s, reason = advance(
                    run, floor, ends, channels, limits, tables, ways, i, s, now
                )
            if step == LOSE:
                step, s, reason = lose(
                    run, floor, ends, channels, limits, tables, i, s, reason, now
                )
            if seldom(step == WON):
                step, s, reason = won(run, floor, ends, demand, tables, i, s, now)
            if REST < step <= INSIDE:
                step, s, reason = enter(run, floor, ends, channels, limits, tables, i, s, step, now)
            if seldom(step == REVIEWED):
                step, s, reason = reviewed(run, floor, limits, tables, ways, i, s, now)
            if seldom(step == FULL):
                return TOO_MANY_VISITS

    close(run, floor, ends, books)
    return COMPLETE


@merged
def end_work(run, floor, lead, i, s, now):  # type: ignore[no-untyped-def]
    """Work is done: book it; the person takes the next lead, or leaves."""
    stage, person = at(floor.stages, s), at(floor.people, lead.person)
    m = stage.team
    team = at(floor.teams, m)
    touch(team, now)
    book(team, m, person.share, lead, floor.tally, i)
    stage.working -= 1
    team.busy -= person.share
    if seldom(run.keep_visits) and lead.trace >= 0:
        floor.visits[lead.trace].ended = now
    if seldom(person.leaving):
        person.leaving = 0
        team.present -= person.share
        floor.seats[lead.person].there = 0
    elif seldom(team.owned):
        floor.seats[lead.person].free = 1
        serve_own(run, floor, m, lead.person, now)
    else:
        idle_push(team, floor.idle, lead.person)
        serve(run, floor, team, now)


@merged
def churn(run, ends, channels, row, now):  # type: ignore[no-untyped-def]
    """A customer that was a lead leaves."""
    gone = ends.fated[row]
    channels[gone.channel].kept -= gone.weight
    withdraw(run, gone.weight, now)
    gone.weight = 0.0
    ends.fates[gone.fate] -= 1
    ends.fates[CHURNED] += 1
    gone.fate = CHURNED
    if run.keep_leads:
        ends.told[row].ended = now
