"""Planned events of the batch engine, compiled: segments, week 0, the save grid and the end.

They are few, so they take what they need as arguments and stay out of the loop's way. The
arithmetic and its order are those of the events engine.
"""

from __future__ import annotations

import math

from simulator import draws
from simulator.engines.batch.arrivals import renew, spend_at_work, wake
from simulator.engines.batch.books import (
    arm_churn,
    book,
    cooling_until,
    growth,
    hazard,
    live_push,
    settle,
    sign,
    touch,
)
from simulator.engines.batch.compile import compiled
from simulator.engines.batch.layout import WORK
from simulator.engines.batch.leads import fate_of
from simulator.engines.batch.limits import let_in
from simulator.system import IN_PROCESS


@compiled
def turn(run, tables, channels, teams, now):  # type: ignore[no-untyped-def]
    """Pass into the next segment of the calendar."""
    for c in range(len(channels)):
        by = tables.channels_by[run.segment, c]
        channels[c].carried = spend_at_work(run, tables.segments, channels[c], by, now)
    run.segment += 1
    k = run.segment
    for m in range(len(teams)):
        team = teams[m]
        touch(team, now)
        team.edge, team.edge_hours, team.edge_pay = now, team.last_hours, team.last_pay
        team.edge_all = team.last_all
        team.hours = team.work = team.speed = tables.teams_by[k, m].hours
        team.cost = tables.teams_by[k, m].cost
    settle(run, now)
    grown, ended = growth(run, now), hazard(run, now)
    run.edge_growth, run.edge_hazard, run.edge = grown, ended, now
    run.churn, run.expansion = tables.segments[k].churn, tables.segments[k].expansion


@compiled
def go_on(run, floor, tables, channels, limits, bands, lives, now):  # type: ignore[no-untyped-def]
    """What follows from new numbers: who comes in, when the next customer leaves, what arrives."""
    leads, buckets, due = floor.leads, floor.buckets, floor.due
    segments, channels_by, lift = tables.segments, tables.channels_by, tables.lift
    renew(run, segments, channels, channels_by, lift, now)
    for which in range(len(limits)):
        let_in(run, limits, tables.caps, leads, buckets, due, which, now)
    arm_churn(run, lives, leads, buckets, due, now)
    for c in range(len(channels)):
        wake(run, segments, channels, channels_by, lift, bands, leads, buckets, due, c, now)


@compiled
def open_books(  # type: ignore[no-untyped-def]
    run, channels, stages, teams, leads, tally, lives, cooling, fates, now
):
    """Week 0: forget what is over, keep the pipeline, bring in the customers we have."""
    fates[:] = 0
    kept, onboarding, signed, base = 0, 0, 0.0, 0.0
    for m in range(len(teams)):
        team = teams[m]
        touch(team, now)
        team.paid_hours = team.busy_hours = team.support_hours = team.people_cost = 0.0
    for c in range(len(channels)):
        channels[c].arrived = channels[c].won = 0
        channels[c].kept = 0.0
    for s in range(len(stages)):
        stage = stages[s]
        stage.entered = stage.started = stage.advanced = 0
        stage.wait = 0.0
    settle(run, now)
    for i in range(run.first_lead, run.leads):
        lead = leads[i]
        if lead.ended <= now or lead.live == lead.live:
            lead.kept = 0
            continue
        kept += 1
        channels[lead.channel].opening += 1
        lead.cost = 0.0
        tally[i, : len(teams)] = 0.0
        lead.crew, lead.spent = -1, 0.0
        lead.trace = -1
        fates[fate_of(lead.stage, IN_PROCESS)] += 1
        if lead.doing == WORK:
            team = teams[stages[lead.stage].team]
            lead.clock, lead.pay = team.last_hours, team.last_pay
        if lead.won == lead.won:
            onboarding += 1
            base += lead.weight
            channels[lead.channel].kept += lead.weight
    signed = base * math.exp(growth(run, now))
    start = int(run.start_customers)
    n = max(min(start, 1), start - onboarding)  # someone holds the ARR there is
    run.base, run.arr = base, signed
    run.revenue = run.expanded = run.won_arr = run.churned_arr = 0.0
    run.won = run.live = run.churned = 0
    run.customers, run.customers_live = n + onboarding, n
    run.opened = 1
    run.lives = 0
    if n > 0:
        run.base_weight = sign(run, max(0.0, run.start_arr - signed), now) / n
    run.base_count = n
    for i in range(n):
        patience = -math.log(draws.uniform(run.seed_base, i))
        live_push(run, lives, hazard(run, now) + patience, -1 - i, -1)
    cooling_until(run, cooling, now)
    run.taken = n + kept + run.cooling
    run.cycle = 0.0
    run.rows = 0


@compiled
def snapshot(  # type: ignore[no-untyped-def]
    run, channels, stages, teams, fates, by_stage, by_team, by_fate, by_channel, by_time, now
):  # fmt: skip
    """Record the state on the save grid."""
    settle(run, now)
    row = run.row
    run.row += 1
    for m in range(len(teams)):
        team = teams[m]
        touch(team, now)
        at = by_team[row]
        at[0, m], at[1, m] = team.present, team.paid_hours
        at[2, m], at[3, m] = team.busy_hours, team.support_hours
        at[4, m] = team.people_cost
    for s in range(len(stages)):
        stage, at = stages[s], by_stage[row]
        at[0, s], at[1, s], at[2, s] = stage.waiting, stage.working, stage.buyer
        at[3, s], at[4, s] = stage.transit, stage.nurture
        at[5, s], at[6, s], at[7, s] = stage.entered, stage.started, stage.advanced
        at[8, s] = stage.wait
    for f in range(len(fates)):
        by_fate[row, f] = fates[f]
    for c in range(len(channels)):
        by_channel[row, c] = channels[c].arrived
    line = by_time[row]
    line[0], line[1], line[2], line[3] = run.customers, run.arr, run.won, run.won_arr
    line[4], line[5], line[6] = run.live, run.churned, run.churned_arr
    line[7], line[8], line[9] = run.expanded, run.cycle, run.revenue


@compiled
def close(run, stages, teams, people, leads, tally, ends, totals):  # type: ignore[no-untyped-def]
    """Close the books at the horizon: every lead's fate, and what it took."""
    ends[:] = 0.0
    totals[:] = 0.0
    grown = math.exp(growth(run, run.horizon))
    for i in range(run.first_lead, run.leads):
        lead = leads[i]
        if not lead.kept:
            continue
        if lead.doing == WORK:
            m = stages[lead.stage].team
            book(teams[m], m, people[lead.person].share, lead, tally[i])
        if lead.crew >= 0:
            tally[i, lead.crew] = lead.spent
        if lead.fate < 0:
            lead.fate = fate_of(lead.stage, IN_PROCESS)
        ends[lead.channel, lead.fate] += 1.0
        spent = 0.0
        for m in range(len(teams)):
            spent += tally[i, m]
        totals[0, lead.fate] += spent
        totals[1, lead.fate] += lead.cost
        totals[2, lead.fate] += lead.weight * grown
