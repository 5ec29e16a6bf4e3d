"""What happens to a lead in the batch engine, compiled: the parts of the loop's steps."""

from __future__ import annotations

import math

from simulator import draws, laws
from simulator.draws import draw, uniform
from simulator.engines.batch.books import cooling_push, idle_pop, sign, skill_of, touch
from simulator.engines.batch.compile import compiled, inlined
from simulator.engines.batch.layout import LURE, NOTHING, ODDS, OWNERS, PATIENCE, WORK
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
def settle_fate(lead, fates, fate, now):  # type: ignore[no-untyped-def]
    """Give a lead its fate."""
    if lead.fate >= 0:
        fates[lead.fate] -= 1
    elif lead.stage >= 0:
        fates[fate_of(lead.stage, IN_PROCESS)] -= 1
    fates[fate] += 1
    lead.fate = fate
    lead.ended = now


@compiled
def cool(run, segments, cooling, key, now):  # type: ignore[no-untyped-def]
    """An account that is lost can be a lead again after a while."""
    if run.accounts > 0.0:
        mean = segments[run.segment].cool_down
        wait = draw(run.cool_law, mean, run.cool_cv, key, draws.COOL_DOWN)
        cooling_push(run, cooling, now + ((now + wait) - now))


@inlined
def follow(stage, route, route_share, s, key, slot):  # type: ignore[no-untyped-def]
    """The stage that a stage's routes lead to."""
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
        return int(tally[i, crew + s]) + 1 if (lead.seen >> s) & 1 else 0
    return int(tally[i, crew + s])


@inlined
def count_visit(lead, tally, i, crew, s):  # type: ignore[no-untyped-def]
    """Count a visit."""
    if s < BITS and not (lead.seen >> s) & 1:
        lead.seen |= 1 << s
    else:
        tally[i, crew + s] += 1.0


@compiled
def applying(  # type: ignore[no-untyped-def]
    run, stages, stages_by, route, route_share, lead, tally, i, crew, s
):
    """The first stage from here on that applies to the lead."""
    while s != END and not stages[s].always:
        slot = stages[s].key + (visits_to(lead, tally, i, crew, s) << 6)
        if uniform(lead.key, slot + draws.APPLIES) < stages_by[run.segment, s].applies:
            return s
        count_visit(lead, tally, i, crew, s)
        s = follow(stages[s], route, route_share, s, lead.key, slot)
    return s


@inlined
def begin(  # type: ignore[no-untyped-def]
    run, team, stage, people, who, lead, rows, leads, buckets, due, node, now
):
    """A person starts on a lead."""
    person = people[who]
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
    stage.working += 1
    if lead.trace >= 0:
        rows[lead.trace].started = now
    weeks = laws.service_weeks(lead.effort, team.speed, person.share, skilled)
    push(run, leads, buckets, due, node, now + weeks)


@inlined
def line_up(line, leads, i):  # type: ignore[no-untyped-def]
    """Stand at the end of a line."""
    leads[i].before, leads[i].next = line.tail, -1
    if line.tail >= 0:
        leads[line.tail].next = i
    else:
        line.head = i
    line.tail = i


@inlined
def step_out(line, leads, i):  # type: ignore[no-untyped-def]
    """Leave a line."""
    before, after = leads[i].before, leads[i].next
    if before >= 0:
        leads[before].next = after
    else:
        line.head = after
    if after >= 0:
        leads[after].before = before
    else:
        line.tail = before


@inlined
def serve(run, team, stages, people, idle, lines, leads, rows, buckets, due, now):  # type: ignore[no-untyped-def]
    """While someone is idle, the one longest in the team takes the first of the first line."""
    while team.idle > 0 and team.waiting > 0:
        at = team.first_line
        while lines[at].head < 0:
            at += 1
        j = lines[at].head
        other = leads[j]
        step_out(lines[at], leads, j)
        if other.doing == PATIENCE:
            silence(run, leads, buckets, due, j)
        team.waiting -= 1
        stage = stages[other.stage]
        stage.waiting -= 1
        who = idle_pop(team, idle)
        begin(run, team, stage, people, who, other, rows, leads, buckets, due, j, now)


@inlined
def silence(run, leads, buckets, due, i):  # type: ignore[no-untyped-def]
    """Let a lead's patience not run out."""
    alarm = i + run.shadow
    cancel(run, leads, buckets, due, alarm)
    leads[alarm].time = math.inf


@inlined
def new_lead(  # type: ignore[no-untyped-def]
    run, channel, by, band, leads, i, tally, now
):
    """A new lead: its own key, and from it its fit and its value."""
    key = draws.subkey(band.cell, -1 - band.index)
    lead = leads[i]
    lead.id = draws.lead_id(band.channel, band.band, band.week + run.origin, band.index)
    lead.key, lead.channel = key, band.channel
    lead.fit = 0 if uniform(key, draws.FIT) < by.good_fit else 1
    lead.value = draw(channel.value_law, by.value, channel.value_cv, key, draws.VALUE)
    lead.arrived = now
    lead.won = lead.live = lead.ended = NAN
    lead.cost = lead.weight = lead.waited = lead.spent = 0.0
    lead.stage = lead.fate = lead.handoff = lead.crew = lead.limit = -1
    lead.seen = 0
    lead.recycled, lead.doing, lead.kept, lead.review = 0, NOTHING, 1, ACCEPTED
    lead.trace = -1
    tally[:] = 0.0
    if run.extras >= 0:
        tally[run.extras + ODDS] = tally[run.extras + LURE] = 1.0
    if run.shadow > 0:
        leads[i + run.shadow].time = math.inf
    run.events += 1
    run.taken += 1
    channel.arrived += 1


@compiled
def win(run, channels, seats, lead, tally, teams, now):  # type: ignore[no-untyped-def]
    """The buyer signs: ARR from now on. tally: the lead's own row."""
    lead.won = now
    if run.shadow > 0:
        disown(run, seats, tally, teams)
    if run.discount > 0.0:
        lead.value *= 1.0 - run.discount
        tally[run.extras + LURE] = laws.discount_churn(run.discount, run.lure_from, run.lure_slope)
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
    for at in range(run.extras + OWNERS, run.extras + OWNERS + teams):
        person = int(tally[at]) - 1
        if person >= 0 and seats[person].manieth == tally[at + teams]:
            seats[person].owned -= 1
        tally[at] = 0.0
