"""The weekly step in the batch engine, compiled: what it shows, what then holds; who quits or comes.

The order of things is that of the events engine. `floor`, `tables` and `slow` are the groups of
layout.py.
"""

from __future__ import annotations

import math
from typing import Final

from simulator import draws
from simulator.engines.batch.books import growth, settle, skill_of, touch
from simulator.engines.batch.compile import compiled
from simulator.engines.batch.owned import join, leave
from simulator.engines.slow import HOLD, KEEP, LOOK, STEP
from simulator.engines.slow import turn as step

WEEK: Final = 1e-9  # how near to a whole week an edge is one


@compiled
def _show(run, floor, channels, to, now):  # type: ignore[no-untyped-def]
    """Everything the step may see, now."""
    settle(run, now)
    for m in range(len(floor.teams)):
        team, seen = floor.teams[m], to.teams[m]
        touch(team, now)
        skilled = rookies = 0.0
        for q in range(team.first_person, team.last_person):
            person = floor.people[q]
            if not floor.seats[q].there:
                continue
            skilled += person.share * skill_of(team, person, now)
            if person.ramp_from != -math.inf and now - person.ramp_from < team.ramp:
                rookies += person.share
        seen.paid, seen.busy, seen.heads = team.paid_hours, team.busy_hours, team.present
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
def _adopt(run, floor, tables, holds):  # type: ignore[no-untyped-def]
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
def week(run, floor, tables, channels, slow, ended, now):  # type: ignore[no-untyped-def]
    """Take a step at an edge of the calendar; then what holds from here on.

    ended: the segment that is over; -1 at the start of a run.
    """
    k = run.segment
    edge = tables.segments[k].edge
    mode = HOLD
    if ended < 0:
        mode = LOOK
    elif abs(edge - math.floor(edge + 0.5)) < WEEK:
        mode = STEP
    if mode != HOLD:
        _show(run, floor, channels, slow.shown, now)
    step(slow.rules, slow.state, slow.shown, slow.last, slow.holds, ended, k, mode, edge)
    _adopt(run, floor, tables, slow.holds)


@compiled
def rebase(run, floor, channels, slow, now):  # type: ignore[no-untyped-def]
    """Week 0: sums begin anew."""
    _show(run, floor, channels, slow.shown, now)
    k = run.segment
    step(slow.rules, slow.state, slow.shown, slow.last, slow.holds, k, k, KEEP, now)


@compiled
def move_people(run, floor, slow, now):  # type: ignore[no-untyped-def]
    """Who quits, whose seat is filled again, whom policies hire or let go, team by team.

    False where policies want more people than there are seats: RUN.failed and wanted say whom.
    """
    for m in range(len(floor.teams)):
        team, rule = floor.teams[m], slow.rules.teams[m]
        hazard = slow.holds.teams[m].hazard
        if rule.quit > 0.0:
            for q in range(team.first_person, team.last_person):
                seat = floor.seats[q]
                if not seat.there or floor.people[q].leaving:
                    continue
                key = draws.subkey(run.people_stream, q)
                patience = -math.log(draws.uniform(key, seat.times))
                if hazard - seat.since >= patience:
                    leave(run, floor, q, now)
                    if rule.replaced:
                        seat.due = now + rule.lead
            for q in range(team.first_person, team.last_person):
                if floor.seats[q].due <= now + WEEK and not floor.seats[q].there:
                    floor.seats[q].due = math.inf
                    _arrive_at(run, floor, q, hazard, now)
        wanted = math.floor(slow.holds.teams[m].heads + WEEK)
        if wanted > team.spare:
            run.failed, run.wanted = m, wanted
            return False
        _fit(run, floor, m, wanted, hazard, now)
    return True


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
    join(run, floor, q, now)
