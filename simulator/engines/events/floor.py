"""Teams at work: queues, who serves whom, who joins and leaves."""

from __future__ import annotations

import math
from heapq import heapify, heappop, heappush

from simulator import laws
from simulator.engines.events.state import State, Work
from simulator.engines.ledgers import Team


class Floor(State):
    """Where work is done."""

    def enqueue(self, team: Team, work: Work, patience: float) -> None:
        """Wait for a team; whoever is idle starts at once."""
        stage = work.stage
        self.flow["entered"][stage] += 1
        if self.visits is not None:
            work.trace = len(self.visits)
            self.visits.append([work.lead.id, stage, self.env.now, math.nan, math.nan])
        if team.idle:
            self.begin(team, work)
            return
        self.stock["waiting"][stage] += 1
        self.tickets += 1
        heappush(team.queue, (self.p.priority[stage], self.tickets, work))
        if patience < math.inf:
            alarm = self.env.timeout(patience)
            alarm.callbacks.append(lambda _: self.give_up(work))

    def give_up(self, work: Work) -> None:
        """Patience has run out; the lead leaves the queue if it is still in it."""
        if work.started == work.started:
            return
        work.started = math.inf  # its place in the queue is void
        self.events += 1
        self.stock["waiting"][work.stage] -= 1
        if work.trace >= 0 and self.visits is not None:
            self.visits[work.trace][4] = self.env.now
        work.succeed(False)

    def begin(self, team: Team, work: Work) -> None:
        """The idle person longest in the team starts on a lead."""
        now = self.env.now
        person = heappop(team.idle)
        share, since = self.seat_share[person], self.seat_ramp_from[person]
        skilled = 1.0 if since == -math.inf else team.skill(now - since)
        team.touch(now)
        team.busy += share
        work.started, work.person = now, person
        work.clock, work.pay = team.last_hours, team.last_pay
        self.in_work.add(work)
        self.flow["started"][work.stage] += 1
        self.wait[work.stage] += now - work.entered
        self.stock["working"][work.stage] += 1
        if work.trace >= 0 and self.visits is not None:
            self.visits[work.trace][3] = now
        work._ok, work._value = True, True
        work.callbacks.insert(0, lambda _: self.end(team, work))
        self.env.schedule(work, delay=laws.service_weeks(work.effort, team.hours, share, skilled))

    def end(self, team: Team, work: Work) -> None:
        """Work is done: book it, and take the next lead."""
        now = self.env.now
        team.touch(now)
        self.events += 1
        self.book(team, work)
        self.in_work.discard(work)
        self.stock["working"][work.stage] -= 1
        share = self.seat_share[work.person]
        team.busy -= share
        if work.trace >= 0 and self.visits is not None:
            self.visits[work.trace][4] = now
        if work.person in self.leaving:
            self.leaving.discard(work.person)
            team.present -= share
            return
        heappush(team.idle, work.person)
        self.next_up(team)

    def book(self, team: Team, work: Work) -> None:
        """Charge the hours worked so far to the lead."""
        share = self.seat_share[work.person]
        hours = share * (team.last_hours - work.clock)
        work.lead.hours[team.index] = work.lead.hours.get(team.index, 0.0) + hours
        work.lead.cost += share * (team.last_pay - work.pay)

    def next_up(self, team: Team) -> None:
        """Serve the queue while people are idle."""
        while team.idle and team.queue:
            _, _, work = heappop(team.queue)
            if work.started == math.inf:
                continue
            self.stock["waiting"][work.stage] -= 1
            self.begin(team, work)

    def join(self, person: int) -> None:
        """Someone starts."""
        team = self.teams[int(self.system.people.team[person])]
        team.touch(self.env.now)
        team.present += self.seat_share[person]
        heappush(team.idle, person)
        self.next_up(team)

    def leave(self, person: int) -> None:
        """Someone leaves, when the work in hand is done."""
        team = self.teams[int(self.system.people.team[person])]
        if person in team.idle:
            team.touch(self.env.now)
            team.idle.remove(person)
            heapify(team.idle)
            team.present -= self.seat_share[person]
        else:
            self.leaving.add(person)
