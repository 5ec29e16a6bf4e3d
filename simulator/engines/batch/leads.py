"""What happens to a lead in the batch engine, compiled: the parts of the loop's steps."""

from __future__ import annotations

import math

from simulator import draws, laws
from simulator.draws import drawn_apart, uniform
from simulator.engines.batch.books import cooling_push, idle_pop, keep, sign, skill_of, touch
from simulator.engines.batch.compile import at, compiled, inlined, seldom, soon
from simulator.engines.batch.layout import NOTHING, PATIENCE, WORK
from simulator.engines.batch.queue import cancel, push
from simulator.system import END, IN_PROCESS, lost

fate_of = compiled(lost)

ACCEPTED, RETURNED, REFUSED = 0, 1, 2  # outcomes of a handoff
NAN = math.nan
BITS = 62  # stages whose first visit is a bit


@inlined
def place(lead, fates, stage):  # type: ignore[no-untyped-def]
    """Count a lead in process at a stage."""
    if lead.stage == stage:
        return
    if stage == END:
        return
    if lead.stage >= 0:
        fates[fate_of(lead.stage, IN_PROCESS)] -= 1
    fates[fate_of(stage, IN_PROCESS)] += 1
    lead.stage = stage


@inlined
def settle_fate(lead, fates, fate):  # type: ignore[no-untyped-def]
    """Give a lead its fate."""
    if lead.fate >= 0:
        fates[lead.fate] -= 1
    elif lead.stage >= 0:
        fates[fate_of(lead.stage, IN_PROCESS)] -= 1
    fates[fate] += 1
    lead.fate = fate


@inlined
def cool(run, segments, cooling, key, now):  # type: ignore[no-untyped-def]
    """An account that is lost can be a lead again after a while."""
    if seldom(run.accounts > 0.0):
        _cool(run, segments, cooling, key, now)


@compiled
def _cool(run, segments, cooling, key, now):  # type: ignore[no-untyped-def]
    mean = segments[run.segment].cool_down
    wait = drawn_apart(run.cool_law, mean, run.cool_spread, key, draws.COOL_DOWN)
    cooling_push(run, cooling, now + ((now + wait) - now))


@inlined
def follow(stage, ways, s, key, slot):  # type: ignore[no-untyped-def]
    """The stage that a stage's routes lead to."""
    route, route_share = ways.route, ways.route_share
    if stage.one_route:
        return route[s, 0]
    u = uniform(key, slot + draws.ROUTE)
    last = route.shape[1] - 1
    for j in range(last):
        if u < route_share[s, j]:
            return route[s, j]
    return route[s, last]


@inlined
def visits_to(lead, tally, i, crew, s):  # type: ignore[no-untyped-def]
    """How often a lead has come to a stage. The first visit is a bit of the lead, where it fits."""
    if s < BITS:
        if not (lead.seen >> s) & 1:
            return 0
        return int(tally[i, crew + s]) + 1 if lead.kept else 1
    return int(tally[i, crew + s]) if lead.kept else 0


@inlined
def count_visit(lead, tally, i, crew, s):  # type: ignore[no-untyped-def]
    """Count a visit."""
    if s < BITS and not (lead.seen >> s) & 1:
        lead.seen |= 1 << s
    else:
        keep(lead, tally, i)
        tally[i, crew + s] += 1.0


@compiled
def applying(  # type: ignore[no-untyped-def]
    run, stages, stages_by, ways, lead, tally, i, crew, s
):
    """The first stage from here on that applies to the lead."""
    while s != END and not stages[s].always:
        slot = stages[s].key + (visits_to(lead, tally, i, crew, s) << 6)
        if uniform(lead.key, slot + draws.APPLIES) < stages_by[run.segment, s].applies:
            return s
        count_visit(lead, tally, i, crew, s)
        s = follow(stages[s], ways, s, lead.key, slot)
    return s


@inlined
def promised(stage, waited):  # type: ignore[no-untyped-def]
    """Count a wait against what was promised, if anything was."""
    if seldom(stage.sla < math.inf):
        stage.sla_due += 1
        stage.sla_met += waited <= stage.sla


@inlined
def begin(run, floor, team, stage, who, i, now):  # type: ignore[no-untyped-def]
    """A person starts on a lead."""
    person, lead = at(floor.people, who), at(floor.leads, i)
    skilled = skill_of(team, person, now)
    touch(team, now)
    team.busy += person.share
    lead.person = who
    lead.doing = WORK
    lead.clock = team.last_hours
    lead.pay = team.last_pay
    lead.waited = now - lead.entered
    stage.started += 1
    stage.wait += lead.waited
    promised(stage, lead.waited)
    stage.working += 1
    if seldom(run.keep_visits) and lead.trace >= 0:
        floor.visits[lead.trace].started = now
    weeks = laws.service_weeks(lead.effort, team.speed, person.share, skilled)
    push(run, floor, i, now + weeks)


@inlined
def line_up(line, leads, i):  # type: ignore[no-untyped-def]
    """Stand at the end of a line."""
    at(leads, i).before, at(leads, i).next = line.tail, -1
    if line.tail >= 0:
        at(leads, line.tail).next = i
    else:
        line.head = i
    line.tail = i


@inlined
def step_out(line, leads, i):  # type: ignore[no-untyped-def]
    """Leave a line."""
    before, after = at(leads, i).before, at(leads, i).next
    if before >= 0:
        at(leads, before).next = after
    else:
        line.head = after
    if after >= 0:
        at(leads, after).before = before
    else:
        line.tail = before


@compiled
def first_served(floor, team, j, now):  # type: ignore[no-untyped-def]
    """Of those who wait longer than they are to, who does so longest; lead j where none does."""
    least = now
    for at_line in range(team.first_line, team.last_line):
        i = floor.lines[at_line].head
        while i >= 0:
            due = floor.leads[i].entered + floor.stages[floor.leads[i].stage].overdue
            if due < least:
                least, j = due, i
            i = floor.leads[i].next
    return j


@inlined
def serve(run, floor, team, now):  # type: ignore[no-untyped-def]
    """While someone is idle, the one longest in the team takes the first of the first line."""
    lines, leads = floor.lines, floor.leads
    while team.idle > 0 and team.waiting > 0:
        first = team.first_line
        while at(lines, first).head < 0:
            first += 1
        j = at(lines, first).head
        if seldom(team.hastens):
            j = first_served(floor, team, j, now)
            first = at(floor.stages, at(leads, j).stage).line
        line = at(lines, first)
        other = at(leads, j)
        step_out(line, leads, j)
        soon(leads, line.head)
        if other.doing == PATIENCE:
            silence(run, floor, j)
        team.waiting -= 1
        stage = at(floor.stages, other.stage)
        stage.waiting -= 1
        begin(run, floor, team, stage, idle_pop(team, floor.idle), j, now)


@inlined
def silence(run, floor, i):  # type: ignore[no-untyped-def]
    """Let a lead's patience not run out."""
    alarm = i + run.shadow
    cancel(run, floor, alarm)
    floor.nodes[alarm].time = math.inf


@inlined
def new_place(run, floor):  # type: ignore[no-untyped-def]
    """A place that no lead has: the one that was left last, or the next that none ever had."""
    i = run.free
    if i > 0:
        run.free = at(floor.leads, i).next
        return i
    run.places += 1
    return run.places


@inlined
def new_lead(run, floor, ends, channel, by, band, i, now):  # type: ignore[no-untyped-def]
    """A new lead: its own key, and from it its fit and its value."""
    key = draws.subkey(band.cell, -1 - band.index)
    lead = at(floor.leads, i)
    lead.id = draws.lead_id(band.channel, band.band, band.week + run.origin, band.index)
    lead.key, lead.channel = key, band.channel
    lead.fit = 0 if by.good_fit >= 1.0 or uniform(key, draws.FIT) < by.good_fit else 1
    lead.value = by.value
    if seldom(channel.value_law != draws.DETERMINISTIC):
        lead.value = drawn_apart(
            channel.value_law, by.value, channel.value_spread, key, draws.VALUE
        )
    lead.arrived = now
    lead.won = lead.live = NAN
    lead.cost = lead.weight = lead.waited = lead.spent = 0.0
    lead.odds = lead.lure = 1.0
    lead.stage = lead.fate = lead.handoff = lead.crew = lead.limit = -1
    lead.seen = 0
    lead.recycled, lead.kept, lead.doing, lead.review = 0, 0, NOTHING, ACCEPTED
    lead.trace = -1
    lead.row = run.leads
    at(ends.fated, run.leads).place = i
    run.leads += 1
    if seldom(run.shadow > 0):
        keep(lead, floor.tally, i)
        floor.nodes[i + run.shadow].time = math.inf
    run.events += 1
    run.taken += 1
    channel.arrived += 1


@inlined
def write_down(run, floor, ends, i, ended):  # type: ignore[no-untyped-def]
    """Keep what counts of a lead, and what its table tells."""
    lead, tally = at(floor.leads, i), floor.tally
    row = at(ends.fated, lead.row)
    row.cost, row.weight, row.hours = lead.cost, lead.weight, lead.spent
    row.fate, row.channel = lead.fate, lead.channel
    if seldom(lead.kept):
        if lead.crew >= 0:
            tally[i, lead.crew] = lead.spent
        row.hours = 0.0
        for m in range(len(floor.teams)):
            row.hours += tally[i, m]
    if seldom(run.keep_leads):
        told = at(ends.told, lead.row)
        told.id, told.fit, told.value, told.arrived = lead.id, lead.fit, lead.value, lead.arrived
        told.ended, told.won, told.live = ended, lead.won, lead.live
        for m in range(len(floor.teams)):
            ends.hours[lead.row, m] = tally[i, m] if lead.kept else 0.0
        if lead.crew >= 0:
            ends.hours[lead.row, lead.crew] = lead.spent


@inlined
def go(run, floor, ends, i, now):  # type: ignore[no-untyped-def]
    """Leave the place to another."""
    write_down(run, floor, ends, i, now)
    at(ends.fated, at(floor.leads, i).row).place = 0
    at(floor.leads, i).next = run.free
    run.free = i


@compiled
def win(run, channels, seats, lead, tally, teams, now):  # type: ignore[no-untyped-def]
    """The buyer signs: ARR from now on. tally: the lead's own row."""
    lead.won = now
    if run.owners > 0:
        disown(run, seats, tally, teams)
    if run.discount > 0.0:
        lead.value *= 1.0 - run.discount
        lead.lure = laws.discount_churn(run.discount, run.lure_from, run.lure_slope)
    lead.weight = sign(run, lead.value, now)
    run.won += 1
    run.won_arr += lead.value
    run.customers += 1
    channels[lead.channel].won += 1
    channels[lead.channel].kept += lead.weight
    run.cycle += now - lead.arrived


@compiled
def disown(run, seats, tally, teams):  # type: ignore[no-untyped-def]
    """A lead is nobody's any more. tally: its own row."""
    for own in range(run.owners, run.owners + teams):
        person = int(tally[own]) - 1
        if person >= 0 and seats[person].manieth == tally[own + teams]:
            seats[person].owned -= 1
        tally[own] = 0.0
