"""People who own their leads, and people who come and go, in the batch engine, compiled.

The order of things is that of the events engine. `floor` is a Floor, `m` a team, `i` a lead.
Runs with owned leads keep the patience of leads in nodes of their own, RUN.shadow further on: a
lead may lose patience while it waits to be taken over.
"""

from __future__ import annotations

import math

from simulator.engines.batch.books import idle_push, idle_remove, touch
from simulator.engines.batch.compile import compiled
from simulator.engines.batch.layout import IN_QUEUE, PASSING, PATIENCE
from simulator.engines.batch.leads import begin, line_up, promised, serve, silence, step_out
from simulator.engines.batch.queue import cancel, push


@compiled
def _owner(run, floor, m, i):  # type: ignore[no-untyped-def]
    """Who owns a lead: a person; -1 where they have left, -2 where nobody ever did."""
    at = run.owners + m
    person = int(floor.tally[i, at]) - 1
    if person < 0:
        return -2
    if floor.seats[person].manieth != floor.tally[i, at + len(floor.teams)]:
        return -1
    return person


@compiled
def _give(run, floor, m, i, person):  # type: ignore[no-untyped-def]
    """Let a person own a lead."""
    at = run.owners + m
    floor.tally[i, at] = person + 1
    floor.tally[i, at + len(floor.teams)] = floor.seats[person].manieth
    floor.seats[person].owned += 1


@compiled
def _taker(run, floor, m, i):  # type: ignore[no-untyped-def]
    """Whose lead it is: its owner, or who now takes it: of those here, who owns the fewest."""
    person = _owner(run, floor, m, i)
    if person >= 0:
        return person
    team = floor.teams[m]
    best = -1
    for q in range(team.first_person, team.last_person):
        seat = floor.seats[q]
        if not seat.there or floor.people[q].leaving:
            continue
        if best < 0 or seat.owned < floor.seats[best].owned:
            best = q
    if best >= 0:
        _give(run, floor, m, i, best)
    return best


@compiled
def _start(run, floor, m, who, i, now):  # type: ignore[no-untyped-def]
    """A person starts on a lead of theirs."""
    floor.seats[who].free = 0
    begin(run, floor, floor.teams[m], floor.stages[floor.leads[i].stage], who, i, now)


@compiled
def _line_of(run, floor, m, i):  # type: ignore[no-untyped-def]
    """The line that a lead waits in: its owner's, or that of leads nobody owns."""
    stage = floor.stages[floor.leads[i].stage]
    person = int(floor.tally[i, run.owners + m]) - 1
    if person < 0:
        return stage.line
    return floor.seats[person].line + stage.line - floor.teams[m].first_line


@compiled
def _pass_on(run, floor, m, i, now):  # type: ignore[no-untyped-def]
    """Let a lead whose owner left wait for its next one; it loses odds on the way."""
    team, lead = floor.teams[m], floor.leads[i]
    lead.odds *= team.takeover_odds
    floor.tally[i, run.owners + m] = 0.0
    lead.doing = PASSING
    floor.stages[lead.stage].transit += 1
    at = now + team.takeover
    push(run, floor, i, now + (at - now))


@compiled
def stand(run, floor, m, i, now):  # type: ignore[no-untyped-def]
    """Be served if the owner is free, or stand in line; says whether it was served."""
    who = _taker(run, floor, m, i)
    lead = floor.leads[i]
    patient = floor.nodes[i + run.shadow].time == math.inf
    if who >= 0 and floor.seats[who].free:
        if not patient:
            silence(run, floor, i)
        _start(run, floor, m, who, i, now)
        return True
    floor.stages[lead.stage].waiting += 1
    line_up(floor.lines[_line_of(run, floor, m, i)], floor.leads, i)
    lead.doing = IN_QUEUE if patient else PATIENCE
    return False


@compiled
def come_in(run, floor, m, i, now):  # type: ignore[no-untyped-def]
    """Come to a team whose people own their leads; says whether it was served."""
    if _owner(run, floor, m, i) == -1:
        _pass_on(run, floor, m, i, now)
        return False
    return stand(run, floor, m, i, now)


@compiled
def arrive(run, floor, i, now):  # type: ignore[no-untyped-def]
    """A lead comes to its next owner."""
    stage = floor.stages[floor.leads[i].stage]
    stage.transit -= 1
    stand(run, floor, stage.team, i, now)


@compiled
def lose_patience(run, floor, i):  # type: ignore[no-untyped-def]
    """Take a lead out of its line, or off its way to the next owner."""
    lead = floor.leads[i]
    stage = floor.stages[lead.stage]
    floor.nodes[i + run.shadow].time = math.inf
    promised(stage, math.inf)
    if lead.doing == PASSING:
        stage.transit -= 1
        cancel(run, floor, i)
        return
    stage.waiting -= 1
    team = floor.teams[stage.team]
    if team.owned:
        step_out(floor.lines[_line_of(run, floor, stage.team, i)], floor.leads, i)
    else:
        team.waiting -= 1
        step_out(floor.lines[stage.line], floor.leads, i)


@compiled
def serve_own(run, floor, m, person, now):  # type: ignore[no-untyped-def]
    """Who is free takes a lead that nobody owns, or else one of their own."""
    team, seat = floor.teams[m], floor.seats[person]
    ranks = team.last_line - team.first_line
    for at in range(2 * ranks):
        line = team.first_line + at if at < ranks else seat.line + at - ranks
        j = floor.lines[line].head
        if j >= 0:
            step_out(floor.lines[line], floor.leads, j)
            if floor.leads[j].doing == PATIENCE:
                silence(run, floor, j)
            floor.stages[floor.leads[j].stage].waiting -= 1
            if _owner(run, floor, m, j) < 0:
                _give(run, floor, m, j, person)
            _start(run, floor, m, person, j, now)
            return


@compiled
def join(run, floor, who, now):  # type: ignore[no-untyped-def]
    """Someone starts."""
    person, seat = floor.people[who], floor.seats[who]
    team = floor.teams[person.team]
    touch(team, now)
    team.present += person.share
    seat.there = seat.free = 1
    if team.owned:
        serve_own(run, floor, person.team, who, now)
    else:
        idle_push(team, floor.idle, who)
        serve(run, floor, team, now)


@compiled
def leave(run, floor, who, now):  # type: ignore[no-untyped-def]
    """Someone leaves, when the work in hand is done; owned leads go to others."""
    person, seat = floor.people[who], floor.seats[who]
    if not seat.there or person.leaving:
        seat.due = math.inf  # has quit before, and is not replaced
        return
    m = person.team
    team = floor.teams[m]
    if seat.free if team.owned else idle_remove(team, floor.idle, who):
        touch(team, now)
        team.present -= person.share
        seat.there = seat.free = 0
    else:
        person.leaving = 1
    if team.owned:
        seat.manieth += 1
        seat.owned = 0
        for at in range(seat.line, seat.line + team.last_line - team.first_line):
            while floor.lines[at].head >= 0:
                j = floor.lines[at].head
                step_out(floor.lines[at], floor.leads, j)
                floor.stages[floor.leads[j].stage].waiting -= 1
                _pass_on(run, floor, m, j, now)
