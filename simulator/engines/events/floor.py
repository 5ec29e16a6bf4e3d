"""Teams at work: queues, who serves whom, who joins and leaves."""

from __future__ import annotations

import math
from heapq import heapify, heappop, heappush

from simulator import laws
from simulator.engines.events.state import Lead, Work
from simulator.engines.events.weekly import Weekly
from simulator.engines.ledgers import Team


class Floor(Weekly):
    """Where work is done."""

    def enqueue(self, team: Team, work: Work, patience: float) -> None:
        """Wait for a team; whoever is idle starts at once."""
        stage = work.stage
        self.flow["entered"][stage] += 1
        if self.visits is not None:
            work.trace = len(self.visits)
            self.visits.append([work.lead.id, stage, self.env.now, math.nan, math.nan])
        if team.owned and self.orphan(team, work.lead):
            self.pass_on(team, work)
        elif self.stand(team, work):
            return
        if patience < math.inf:
            alarm = self.env.timeout(patience)
            alarm.callbacks.append(lambda _: self.give_up(work))

    def stand(self, team: Team, work: Work) -> bool:
        """Be served if someone is free, or stand in the queue; says whether it was served."""
        owner = self.owner(team, work.lead) if team.owned else -1
        if (owner in team.idle) if team.owned else team.idle:
            self.begin(team, work, owner)
            return True
        queue = self.desks[owner] if owner >= 0 else team.queue
        self.stock["waiting"][work.stage] += 1
        self.tickets += 1
        heappush(queue, (self.p.priority[work.stage], self.tickets, work))
        return False

    def give_up(self, work: Work) -> None:
        """Patience has run out; the lead leaves the queue if it is still in it."""
        if work.started == work.started:
            return
        work.started = math.inf  # its place in the queue is void
        self.events += 1
        self.stock["transit" if work.passing else "waiting"][work.stage] -= 1
        self.promised(work.stage, math.inf)
        if work.trace >= 0 and self.visits is not None:
            self.visits[work.trace][4] = self.env.now
        work.succeed(False)

    def promised(self, stage: int, waited: float) -> None:
        """Count a wait against what was promised, if anything was."""
        sla = self.p.sla[self.segment][stage]
        if sla < math.inf:
            self.sla_due[stage] += 1
            self.sla_met[stage] += waited <= sla

    def begin(self, team: Team, work: Work, owner: int = -1) -> None:
        """The idle person longest in the team, or the lead's owner, starts on it."""
        now = self.env.now
        if owner < 0:
            person = heappop(team.idle)
        else:
            person = owner
            team.idle.remove(owner)
            heapify(team.idle)
        share, skilled = self.seat_share[person], self.worth(team, person)
        team.touch(now)
        team.busy += share
        work.started, work.person = now, person
        work.clock, work.pay = team.last_hours, team.last_pay
        self.in_work.add(work)
        self.flow["started"][work.stage] += 1
        self.wait[work.stage] += now - work.entered
        self.promised(work.stage, now - work.entered)
        self.stock["working"][work.stage] += 1
        if work.trace >= 0 and self.visits is not None:
            self.visits[work.trace][3] = now
        work._ok, work._value = True, True
        work.callbacks.insert(0, lambda _: self.end(team, work))
        self.env.schedule(work, delay=laws.service_weeks(work.effort, team.speed, share, skilled))

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
            self.there[work.person] = False
            return
        heappush(team.idle, work.person)
        self.next_up(team, work.person)

    def book(self, team: Team, work: Work) -> None:
        """Charge the hours worked so far to the lead."""
        share = self.seat_share[work.person]
        hours = share * (team.last_hours - work.clock)
        work.lead.hours[team.index] = work.lead.hours.get(team.index, 0.0) + hours
        work.lead.cost += share * (team.last_pay - work.pay)

    def next_up(self, team: Team, person: int) -> None:
        """Serve the queue while people are idle; of owned leads, nobody's and then the person's."""
        for queue in (team.queue, self.desks[person]) if team.owned else (team.queue,):
            while queue and (person in team.idle if team.owned else team.idle):
                late = self.longest_overdue(team) if team.hastens else None
                work = late if late is not None else heappop(queue)[2]
                if work.started == work.started:  # gone cold, or begun because it was overdue
                    continue
                self.stock["waiting"][work.stage] -= 1
                if team.owned and self.nobodys(team, work.lead):
                    self.give(team, work.lead, person)
                self.begin(team, work, person if team.owned else -1)

    def longest_overdue(self, team: Team) -> Work | None:
        """Of the leads that wait longer than they are to, the one that does so longest."""
        overdue, now = self.p.overdue[self.segment], self.env.now
        late = [
            (work.entered + overdue[work.stage], priority, ticket, work)
            for priority, ticket, work in team.queue
            if work.started != work.started and work.entered + overdue[work.stage] < now
        ]
        return min(late)[3] if late else None

    def join(self, person: int) -> None:
        """Someone starts."""
        team = self.teams[int(self.system.people.team[person])]
        team.touch(self.env.now)
        team.present += self.seat_share[person]
        self.there[person] = True
        if self.slow is not None:
            # Someone who joins by plan can only quit from now on.
            self.enter(person)
            self.slow.since[person] = float(self.slow.holds.teams[team.index]["hazard"])
        heappush(team.idle, person)
        self.next_up(team, person)

    def leave(self, person: int) -> None:
        """Someone leaves, when the work in hand is done; owned leads go to others."""
        if not self.there[person] or person in self.leaving:
            if self.slow is not None:
                self.slow.due[person] = math.inf  # has quit before, and is not replaced
            return
        team = self.teams[int(self.system.people.team[person])]
        if person in team.idle:
            team.touch(self.env.now)
            team.idle.remove(person)
            heapify(team.idle)
            team.present -= self.seat_share[person]
            self.there[person] = False
        else:
            self.leaving.add(person)
        if team.owned:
            self.manieth[person] += 1
            self.owned[person] = 0
            waiting = sorted(self.desks[person], key=lambda item: item[:2])
            self.desks[person] = []
            for _, _, work in waiting:
                if work.started != math.inf:
                    self.stock["waiting"][work.stage] -= 1
                    self.pass_on(team, work)

    # -- leads that belong to a person -----------------------------------------------------------

    def orphan(self, team: Team, lead: Lead) -> bool:
        """Whether a lead's owner has left."""
        person, manieth = lead.owners.get(team.index, (-1, 0))
        return person >= 0 and self.manieth[person] != manieth

    def nobodys(self, team: Team, lead: Lead) -> bool:
        """Whether nobody here owns a lead."""
        person, manieth = lead.owners.get(team.index, (-1, 0))
        return person < 0 or self.manieth[person] != manieth

    def give(self, team: Team, lead: Lead, person: int) -> None:
        """Let a person own a lead."""
        lead.owners[team.index] = (person, self.manieth[person])
        self.owned[person] += 1

    def owner(self, team: Team, lead: Lead) -> int:
        """Whose lead it is: its owner, or who now takes it: of those here, who owns the fewest.

        -1 where nobody is here: whoever comes first will take it.
        """
        if self.nobodys(team, lead):
            here = [q for q in team.seats if self.there[q] and q not in self.leaving]
            if not here:
                return -1
            self.give(team, lead, min(here, key=lambda q: (self.owned[q], q)))
        return lead.owners[team.index][0]

    def pass_on(self, team: Team, work: Work) -> None:
        """Let a lead whose owner left wait for its next one; it loses odds on the way."""
        stage = work.stage
        work.lead.odds *= float(self.system.takeover_odds[team.index])
        work.lead.owners.pop(team.index, None)
        work.passing = True
        self.stock["transit"][stage] += 1

        def arrive() -> None:
            if work.started == math.inf:
                return
            self.events += 1
            work.passing = False
            self.stock["transit"][stage] -= 1
            self.stand(team, work)

        self.at(self.env.now + float(self.system.takeover[team.index]), arrive)

    def disown(self, lead: Lead) -> None:
        """A lead is nobody's any more."""
        for person, manieth in lead.owners.values():
            if self.manieth[person] == manieth:
                self.owned[person] -= 1
        lead.owners.clear()
