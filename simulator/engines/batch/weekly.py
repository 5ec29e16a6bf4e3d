"""What the batch engine shows the weekly step, what then holds, and who quits or comes; compiled.

The step itself (`simulator.engines.slow`) is a program of its own: the loop stops where it needs
it and goes on after it, which keeps the step out of the loop's compilation. The order of things
is that of the events engine. `floor` and `tables` are the groups of layout.py.
"""

from __future__ import annotations

import math
from typing import Final

from simulator import draws, laws
from simulator.engines.batch.books import crew, growth, settle, touch
from simulator.engines.batch.compile import compiled
from simulator.engines.batch.layout import LOOKED, OPENED
from simulator.engines.batch.owned import join, leave
from simulator.engines.slow import HOLD, KEEP, LOOK, STEP
from simulator.weekly.hires import luck_of, span_of

WEEK: Final = 1e-9  # how near to a whole week an edge is one


@compiled
def _show(run, floor, channels, to, now):  # type: ignore[no-untyped-def]
    """Everything the step may see, now."""
    settle(run, now)
    for m in range(len(floor.teams)):
        team, seen = floor.teams[m], to.teams[m]
        touch(team, now)
        skilled, rookies = crew(floor, team, now)
        seen.paid, seen.busy = team.paid_hours, team.busy_hours + team.support_hours
        seen.heads = team.present
        seen.skilled, seen.rookies = skilled, rookies
    for s in range(len(floor.stages)):
        stage, here = floor.stages[s], to.stages[s]
        here.waiting = stage.waiting
        here.inside = stage.waiting + stage.working + stage.buyer
        here.entered, here.started = stage.entered, stage.started
        here.wait, here.advanced = stage.wait, stage.advanced
    grown = math.exp(growth(run, now))
    for c in range(len(channels)):
        channel, came = channels[c], to.channels[c]
        came.arrived, came.won, came.kept = channel.arrived, channel.won, channel.kept * grown
    whole = to.whole[0]
    whole.won, whole.won_arr, whole.revenue = run.won, run.won_arr, run.revenue
    whole.churned, whole.customers, whole.arr = run.churned, run.customers_live, run.arr


@compiled
def adopt(run, floor, tables, holds):  # type: ignore[no-untyped-def]
    """Go on with what holds."""
    k = run.segment
    for c in range(len(holds.channels)):
        by, new = tables.channels_by[k, c], holds.channels[c]
        by.spend, by.now, by.per_customer, by.good_fit = (
            new.spend, new.now, new.per_customer, new.good
        )  # fmt: skip
    for s in range(len(holds.stages)):
        at, said = tables.stages_by[k, s], holds.stages[s]
        at.rework, at.buyer_time = said.rework, said.buyer_time
        at.us_good, at.them_good = said.us_good, said.them_good
        at.us_poor, at.them_poor = said.us_poor, said.them_poor
    for h in range(len(holds.handoffs)):
        way, agreed = tables.handoffs_by[k, h], holds.handoffs[h]
        way.accepted_good, way.accepted_poor = agreed.good, agreed.poor
        way.returned = agreed.returned
    for m in range(len(holds.teams)):
        team, pace = floor.teams[m], holds.teams[m]
        team.hours, team.work, team.speed = pace.hours, pace.work, pace.speed
    run.churn, run.discount = holds.whole[0].churn, holds.whole[0].discount
    tables.segments[k].lever += holds.whole[0].cost


@compiled
def ask(run, floor, tables, channels, shown, resume, now):  # type: ignore[no-untyped-def]
    """Say what the weekly step is to do, and show it what it needs.

    resume: where the run goes on after it: LOOKED, TURNED or OPENED.
    """
    k = run.segment
    edge = tables.segments[k].edge
    run.resume, run.ended, run.week = resume, k - 1, edge
    run.mode = HOLD
    if resume == LOOKED:
        run.mode = LOOK
    elif resume == OPENED:
        run.mode = KEEP
    elif abs(edge - math.floor(edge + 0.5)) < WEEK:
        run.mode = STEP
    if run.mode != HOLD:
        _show(run, floor, channels, shown, now)


@compiled
def move_people(run, floor, holds, now):  # type: ignore[no-untyped-def]
    """Who quits, whose seat is filled again, whom policies hire or let go, team by team.

    False where policies want more people than there are seats: RUN.failed and wanted say whom.
    """
    for m in range(len(floor.teams)):
        team = floor.teams[m]
        hazard = holds.teams[m].hazard
        if team.watched:
            _strain(floor, team, hazard, now)
        team.hazard = hazard
        if team.quit > 0.0:
            for q in range(team.first_person, team.last_person):
                seat = floor.seats[q]
                if not seat.there or floor.people[q].leaving:
                    continue
                key = draws.subkey(run.people_stream, q)
                patience = draws.exponential(key, seat.times)
                if hazard - seat.since + seat.extra >= patience:
                    leave(run, floor, q, now)
                    if team.replaced:
                        seat.due = now + team.lead
            for q in range(team.first_person, team.last_person):
                if floor.seats[q].due <= now + WEEK and not floor.seats[q].there:
                    floor.seats[q].due = math.inf
                    _arrive_at(run, floor, q, hazard, now)
        wanted = math.floor(holds.teams[m].heads + 0.5)
        if wanted > team.spare:
            run.failed, run.wanted = m, wanted
            return False
        _fit(run, floor, m, wanted, hazard, now)
    return True


@compiled
def _strain(floor, team, hazard, now):  # type: ignore[no-untyped-def]
    """What the time since the last look did to each beyond what it did to the team."""
    more = hazard - team.hazard
    if not more > 0.0:
        return
    for q in range(team.first_person, team.last_person):
        person, seat = floor.people[q], floor.seats[q]
        if seat.there:
            ripe = person.ramp_from + person.span
            felt = laws.exposure(team.looked, now, person.ramp_from, ripe, seat.early, seat.later)
            seat.extra += more * (felt - 1.0)
    team.looked = now


@compiled
def settle_in(run, floor, q):  # type: ignore[no-untyped-def]
    """Draw which kind a new person is, and how long they ramp."""
    person, seat = floor.people[q], floor.seats[q]
    seat.extra = 0.0
    if person.ramp_from == -math.inf:
        return
    m = person.team
    team = floor.teams[m]
    person.span = span_of(run.people_stream, q, seat.times, team.law, team.ramp)
    kind = 0
    if floor.hires[m, 0].upto <= 0.0:
        luck = luck_of(run.people_stream, q, seat.times)
        while not luck < floor.hires[m, kind].upto:
            kind += 1
    hire = floor.hires[m, kind]
    person.gift, seat.early, seat.later = hire.gift, hire.early, hire.later


@compiled
def _fit(run, floor, m, wanted, hazard, now):  # type: ignore[no-untyped-def]
    """As many of the spare seats filled as policies want; planned people go after them."""
    team = floor.teams[m]
    first = team.last_person - team.spare
    while team.hired < wanted:
        q = first + team.hired
        if floor.people[q].leaving:
            floor.people[q].leaving = 0  # who was to go after the work in hand stays
        else:
            _arrive_at(run, floor, q, hazard, now)
        team.hired += 1
    while team.hired > max(0, wanted):
        team.hired -= 1
        q = first + team.hired
        floor.seats[q].due = math.inf
        if floor.seats[q].there and not floor.people[q].leaving:
            leave(run, floor, q, now)


@compiled
def _arrive_at(run, floor, q, hazard, now):  # type: ignore[no-untyped-def]
    """A new person in a seat."""
    floor.people[q].ramp_from = now
    floor.seats[q].since = hazard
    floor.seats[q].times += 1
    settle_in(run, floor, q)
    join(run, floor, q, now)
