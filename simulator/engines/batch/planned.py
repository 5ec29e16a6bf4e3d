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
    crew,
    growth,
    hazard,
    live_push,
    settle,
    sign,
    touch,
)
from simulator.engines.batch.compile import compiled
from simulator.engines.batch.layout import WORK
from simulator.engines.batch.leads import fate_of, write_down
from simulator.engines.batch.limits import let_in
from simulator.system import IN_PROCESS


@compiled
def turn(run, tables, channels, teams, stages, now):  # type: ignore[no-untyped-def]
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
    for s in range(len(stages)):
        by = tables.stages_by[k, s]
        stages[s].sla, stages[s].overdue = by.sla, by.overdue
    settle(run, now)
    grown, ended = growth(run, now), hazard(run, now)
    run.edge_growth, run.edge_hazard, run.edge = grown, ended, now
    run.churn, run.expansion = tables.segments[k].churn, tables.segments[k].expansion


@compiled
def go_on(run, floor, tables, demand, limits, lives, now):  # type: ignore[no-untyped-def]
    """What follows from new numbers: who comes in, when the next customer leaves, what arrives."""
    renew(run, demand.channels, tables, now)
    for which in range(len(limits)):
        let_in(run, limits, tables.caps, floor, which, now)
    arm_churn(run, floor, lives, now)
    for c in range(len(demand.channels)):
        wake(run, demand, tables, c, now)


@compiled
def open_books(run, floor, ends, channels, now):  # type: ignore[no-untyped-def]
    """Week 0: forget what is over, keep the pipeline, bring in the customers we have."""
    stages, teams, fated, fates = floor.stages, floor.teams, ends.fated, ends.fates
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
        stage.entered = stage.started = stage.advanced = stage.sla_met = stage.sla_due = 0
        stage.wait = 0.0
    settle(run, now)
    for row in range(run.leads):
        i = fated[row].place
        if i == 0:  # has its fate
            continue
        lead = floor.leads[i]
        fated[kept].place = i
        lead.row = kept
        kept += 1
        channels[lead.channel].opening += 1
        lead.cost = 0.0
        floor.tally[i, : len(teams)] = 0.0
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
    run.leads = kept
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
        patience = draws.exponential(run.seed_base, i)
        key = draws.subkey(run.seed_base, -1 - i)
        live_push(run, ends.lives, hazard(run, now) + patience, -1 - i, -1, key)
    cooling_until(run, ends.cooling, now)
    run.taken = n + kept + run.cooling
    run.cycle = 0.0
    run.visits = 0


@compiled
def snapshot(run, channels, floor, fates, books, now):  # type: ignore[no-untyped-def]
    """Record the state on the save grid."""
    stages, teams = floor.stages, floor.teams
    settle(run, now)
    row = run.row
    run.row += 1
    for m in range(len(teams)):
        team = teams[m]
        touch(team, now)
        at = books.by_team[row]
        at[0, m] = team.present
        at[1, m], at[2, m] = crew(floor, team, now)
        at[3, m], at[4, m] = team.paid_hours, team.busy_hours
        at[5, m], at[6, m] = team.support_hours, team.people_cost
    for s in range(len(stages)):
        stage, at = stages[s], books.by_stage[row]
        at[0, s], at[1, s], at[2, s] = stage.waiting, stage.working, stage.buyer
        at[3, s], at[4, s] = stage.transit, stage.nurture
        at[5, s], at[6, s], at[7, s] = stage.entered, stage.started, stage.advanced
        at[8, s], at[9, s], at[10, s] = stage.wait, stage.sla_met, stage.sla_due
    for f in range(len(fates)):
        books.by_fate[row, f] = fates[f]
    for c in range(len(channels)):
        books.by_channel[row, c] = channels[c].arrived
    line = books.by_time[row]
    line[0], line[1], line[2], line[3] = run.customers, run.arr, run.won, run.won_arr
    line[4], line[5], line[6] = run.live, run.churned, run.churned_arr
    line[7], line[8], line[9] = run.expanded, run.cycle, run.revenue


@compiled
def close(run, floor, ended, books):  # type: ignore[no-untyped-def]
    """Close the books at the horizon: every lead's fate, and what it took."""
    ends, totals, teams = books.ends, books.totals, floor.teams
    ends[:] = 0.0
    totals[:] = 0.0
    grown = math.exp(growth(run, run.horizon))
    for at in range(run.leads):
        row = ended.fated[at]
        i = row.place
        if i > 0:
            lead = floor.leads[i]
            if lead.doing == WORK:
                m = floor.stages[lead.stage].team
                book(teams[m], m, floor.people[lead.person].share, lead, floor.tally, i)
            if lead.fate < 0:
                lead.fate = fate_of(lead.stage, IN_PROCESS)
            write_down(run, floor, ended, i, math.nan)
        ends[row.channel, row.fate] += 1.0
        totals[0, row.fate] += row.hours
        totals[1, row.fate] += row.cost
        totals[2, row.fate] += row.weight * grown
