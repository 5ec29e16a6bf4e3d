"""Books of the batch engine, compiled: hours and pay, contracts, churn, who is idle.

The arithmetic and its order are those of the events engine, so that sums agree to the bit.
`run` is a RUN record, `team` a TEAM record.
"""

from __future__ import annotations

import math

from simulator import laws
from simulator.engines.batch.compile import compiled, inlined, seldom
from simulator.engines.batch.layout import ALARM
from simulator.engines.batch.queue import cancel, push
from simulator.vocabulary import YEAR


@inlined
def book(team, m, share, lead, tally, i):  # type: ignore[no-untyped-def]
    """Charge the hours worked so far to the lead; those of its last team stay with it."""
    if lead.crew != m:
        if lead.crew >= 0:
            keep(lead, tally, i)
            tally[i, lead.crew] = lead.spent
            lead.spent = tally[i, m]
        lead.crew = m
    lead.spent += share * (team.last_hours - lead.clock)
    lead.cost += share * (team.last_pay - lead.pay)


@inlined
def keep(lead, tally, i):  # type: ignore[no-untyped-def]
    """Let a lead have a row of its own. One team, and each stage once, need none."""
    if seldom(not lead.kept):
        lead.kept = 1
        tally[i, :] = 0.0


@inlined
def touch(team, now):  # type: ignore[no-untyped-def]
    """Settle hours and pay up to now, before who is here or busy changes."""
    if now == team.touched:
        return
    team.touched = now
    weeks = now - team.edge
    hours = team.edge_hours + team.work * weeks
    pay = team.edge_pay + team.cost * weeks
    paid = worked = hours - team.last_hours
    if seldom(team.apart):
        everything = team.edge_all + team.hours * weeks
        paid = everything - team.last_all
        team.support_hours += team.present * (paid - worked)
        team.last_all = everything
    team.paid_hours += team.present * paid
    team.busy_hours += team.busy * worked
    team.people_cost += team.present * (pay - team.last_pay)
    team.last_hours = hours
    team.last_pay = pay


@compiled
def growth(run, now):  # type: ignore[no-untyped-def]
    """Integrated expansion."""
    return run.edge_growth + run.expansion * (now - run.edge)


@compiled
def hazard(run, now):  # type: ignore[no-untyped-def]
    """Integrated churn."""
    return run.edge_hazard + run.churn * (now - run.edge)


@compiled
def settle(run, now):  # type: ignore[no-untyped-def]
    """Accrue expansion and revenue up to now."""
    grown = run.base * math.exp(growth(run, now))
    rate = run.expansion
    weeks = now - run.last
    flow = run.arr * (math.expm1(rate * weeks) / rate if rate != 0.0 else weeks)
    run.revenue += flow / YEAR
    run.expanded += grown - run.arr
    run.arr = grown
    run.last = now


@compiled
def sign(run, value, now):  # type: ignore[no-untyped-def]
    """Add a contract; returns its weight."""
    settle(run, now)
    weight = value * math.exp(-growth(run, now))
    run.base += weight
    run.arr += value
    return weight


@compiled
def withdraw(run, weight, now):  # type: ignore[no-untyped-def]
    """Take a contract away."""
    settle(run, now)
    worth = weight * math.exp(growth(run, now))
    run.base -= weight
    run.arr -= worth
    run.churned_arr += worth
    run.churned += 1


@compiled
def arm_churn(run, floor, lives, now):  # type: ignore[no-untyped-def]
    """Set the alarm for the next customer to leave."""
    cancel(run, floor, ALARM)
    floor.nodes[ALARM].time = math.inf
    if run.lives == 0 or run.churn <= 0.0:
        return
    wait = max(0.0, (lives[0].number - hazard(run, now)) / run.churn)
    if now + wait > run.horizon:
        return
    push(run, floor, ALARM, now + ((now + wait) - now))


@compiled
def live_push(run, lives, number, name, lead, key):  # type: ignore[no-untyped-def]
    """Add a customer to the heap by the hazard that ends them, then by name."""
    i = run.lives
    run.lives += 1
    while i > 0:
        above = (i - 1) >> 1
        if lives[above].number < number or (
            lives[above].number == number and lives[above].name < name
        ):
            break
        lives[i] = lives[above]
        i = above
    lives[i].number = number
    lives[i].name = name
    lives[i].lead = lead
    lives[i].key = key


@compiled
def live_pop(run, lives):  # type: ignore[no-untyped-def]
    """Take the first customer off the heap: (lead, key)."""
    lead, key = lives[0].lead, lives[0].key
    run.lives -= 1
    n = run.lives
    number, last, who, whose = lives[n].number, lives[n].name, lives[n].lead, lives[n].key
    i = 0
    while 2 * i + 1 < n:
        k = 2 * i + 1
        if k + 1 < n and (
            lives[k + 1].number < lives[k].number
            or (lives[k + 1].number == lives[k].number and lives[k + 1].name < lives[k].name)
        ):
            k += 1
        if number < lives[k].number or (number == lives[k].number and last < lives[k].name):
            break
        lives[i] = lives[k]
        i = k
    lives[i].number = number
    lives[i].name = last
    lives[i].lead = who
    lives[i].key = whose
    return lead, key


@compiled
def cooling_push(run, cooling, time):  # type: ignore[no-untyped-def]
    """An account becomes free at a time: a heap of times."""
    i = run.cooling
    run.cooling += 1
    while i > 0:
        above = (i - 1) >> 1
        if cooling[above] <= time:
            break
        cooling[i] = cooling[above]
        i = above
    cooling[i] = time


@compiled
def cooling_until(run, cooling, now):  # type: ignore[no-untyped-def]
    """Free the accounts whose time has come. Nothing but arrivals asks for them in between."""
    while run.cooling > 0 and cooling[0] <= now:
        run.taken -= 1
        run.cooling -= 1
        n = run.cooling
        time = cooling[n]
        i = 0
        while 2 * i + 1 < n:
            k = 2 * i + 1
            if k + 1 < n and cooling[k + 1] < cooling[k]:
                k += 1
            if time <= cooling[k]:
                break
            cooling[i] = cooling[k]
            i = k
        cooling[i] = time


@inlined
def idle_push(team, idle, person):  # type: ignore[no-untyped-def]
    """Someone is free; where all are alike it does not matter who."""
    i = team.idle
    team.idle += 1
    if not seldom(not team.alike):
        return
    first = team.first_person
    while i > 0:
        above = (i - 1) >> 1
        if idle[first + above] <= person:
            break
        idle[first + i] = idle[first + above]
        i = above
    idle[first + i] = person


@inlined
def idle_pop(team, idle):  # type: ignore[no-untyped-def]
    """The idle person longest in the team."""
    team.idle -= 1
    first = team.first_person
    if not seldom(not team.alike):
        return first
    person = idle[first]
    n = team.idle
    last = idle[first + n]
    i = 0
    while 2 * i + 1 < n:
        k = 2 * i + 1
        if k + 1 < n and idle[first + k + 1] < idle[first + k]:
            k += 1
        if last <= idle[first + k]:
            break
        idle[first + i] = idle[first + k]
        i = k
    idle[first + i] = last
    return person


@compiled
def idle_remove(team, idle, person):  # type: ignore[no-untyped-def]
    """Take someone out of the idle, if they are; says whether they were."""
    first, n = team.first_person, team.idle
    for i in range(n):
        if idle[first + i] == person:
            idle[first + i] = idle[first + n - 1]
            team.idle = 0
            for j in range(n - 1):
                idle_push(team, idle, idle[first + j])
            return True
    return False


@inlined
def skill_of(team, person, now):  # type: ignore[no-untyped-def]
    """Productivity of a person now."""
    if not seldom(person.ramp_from != -math.inf):
        return 1.0
    age = now - person.ramp_from
    skilled = laws.hire_skill(team.law, age, person.span, team.ramp, team.ramp_start)
    return skilled * person.gift


@compiled
def crew(floor, team, now):  # type: ignore[no-untyped-def]
    """Heads by their worth, and those who ramp, of a team now."""
    skilled = rookies = 0.0
    for q in range(team.first_person, team.last_person):
        person = floor.people[q]
        if not floor.seats[q].there:
            continue
        skilled += person.share * skill_of(team, person, now)
        if person.ramp_from != -math.inf and now - person.ramp_from < person.span:
            rookies += person.share
    return skilled, rookies
