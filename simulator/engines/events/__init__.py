"""The events engine: leads as SimPy processes. Readable, and the definition of the model.

What happens to a lead at a stage, in this order:

1. A stage that does not apply to it is not visited. It waits outside a WIP cap that is full, and
   a gate may turn it away.
2. It queues for the stage's team: lower priority number first, then first come first served;
   where a policy says so, before all others once it has waited too long.
   If its patience runs out before it is served it goes cold.
3. One person works on it for effort / (hours a week x share of a week x skill) weeks. A lead
   that a handoff did not accept takes the review's hours instead and goes back, or is lost.
4. It takes the buyer's time, which uses nobody's capacity.
5. It goes back for rework; or advances, with odds by fit and by how long it waited (at a
   decision: the buyer's); or is lost. What is lost or cold may be recycled after nurture.
6. What advances past the sale is won; what leaves the last stage is a live customer.

Parameters are those of the segment of the calendar in which each step happens; where slow
mechanisms or policies are at work, the weekly step writes them (`simulator.weekly`).
"""

from __future__ import annotations

import math
from heapq import heapify
from typing import Final

import simpy

from simulator.draws import exponential
from simulator.engines.events.closing import close
from simulator.engines.events.journey import Journey
from simulator.engines.events.state import LAST, LATE, URGENT, total
from simulator.record import Record
from simulator.system import IN_PROCESS, System, lost

SUPPORTS: Final = {
    "priority", "market", "referral", "recycling", "meetings", "weekly feedback", "owned leads",
    "WIP caps", "gates", "acceptance by fit", "SLAs", "aging", "several buyers",
    "overdue leads that go first",
}  # fmt: skip


class Run(Journey):
    """One replication, from the warm-up to the horizon."""

    def go(self) -> None:
        """Run to the horizon."""
        s = self.system
        for k in range(1, len(s.edges) - 1):
            self.at(float(s.edges[k]), self.turn, URGENT)
        for person in range(len(s.people.team)):
            join, leave = float(s.people.join[person]), float(s.people.leave[person])
            if join == -math.inf:
                self.join(person)
            elif join < s.horizon:
                self.at(join, lambda p=person: self.join(p), URGENT)  # type: ignore[misc]
            if leave < s.horizon:
                self.at(leave, lambda p=person: self.leave(p), URGENT)  # type: ignore[misc]
        self.at(0.0, self.open, LATE)
        for t in s.grid:
            self.at(float(t), self.snapshot, LATE)
        self.week(float(s.edges[0]), -1)
        for c in range(len(s.channel_names)):
            self.wake(c)
        self.env.run(until=self.finished())

    def finished(self) -> simpy.Event:
        """An event after all others at the horizon."""
        event = self.env.event()
        event._ok, event._value = True, None
        self.env.schedule(event, LAST, self.system.horizon - self.env.now)
        return event

    def turn(self) -> None:
        """Pass into the next segment of the calendar."""
        now = self.env.now
        for c in range(len(self.carried)):
            self.carried[c] = self.spend_at_work(c)
        self.segment += 1
        for team in self.teams:
            team.turn(now, self.segment)
        self.contracts.turn(now, self.segment)
        self.week(float(self.system.edges[self.segment]), self.segment - 1)
        self.people()
        for limit in range(len(self.counts)):
            self.let_in(limit)
        self.arm_churn()
        for c in range(len(self.carried)):
            self.wake(c)

    def open(self) -> None:
        """Week 0: forget what is over, keep the pipeline, bring in the customers we have."""
        now = self.env.now
        self.leads = [
            lead for lead in self.leads if not lead.ended <= now and lead.live != lead.live
        ]
        for lead in self.leads:
            self.opening[lead.channel] += 1
            lead.hours, lead.cost = {}, 0.0
        for team in self.teams:
            team.touch(now)
            team.paid_hours = team.busy_hours = team.support_hours = team.people_cost = 0.0
        for work in self.in_work:
            team = self.teams[self.p.team[work.stage]]
            work.clock, work.pay = team.clock(now), team.pay(now)
        books = self.contracts
        books.settle(now)
        onboarding = [lead for lead in self.leads if lead.won == lead.won]
        books.base = total(lead.weight for lead in onboarding)
        signed = books.base * math.exp(books.growth(now))
        start = round(self.system.customers.start)
        n = max(min(start, 1), start - len(onboarding))  # someone holds the ARR there is
        books.arr = signed
        books.revenue = books.expanded = books.won_arr = books.churned_arr = 0.0
        books.won = books.live = books.churned = 0
        books.customers, books.customers_live = n + len(onboarding), n
        self.opened = True
        self.live = []
        weight = books.sign(max(0.0, self.system.customers.arr - signed), now) / n if n else 0.0
        stream = self.base_stream
        for i in range(n):
            patience = exponential(stream, i)
            self.base.append((weight, True))
            self.live.append((books.hazard(now) + patience, -1 - i, None))
        heapify(self.live)
        self.taken = n + len(self.leads) + self.cooling
        for k in self.flow.values():
            k[:] = [0] * len(k)
        self.wait = [0.0] * len(self.wait)
        self.sla_met, self.sla_due = [0] * len(self.wait), [0] * len(self.wait)
        self.cycle = 0.0
        self.arrived = [0] * len(self.arrived)
        self.won_by = [0] * len(self.arrived)
        self.kept_by = [0.0] * len(self.arrived)
        for lead in onboarding:
            self.kept_by[lead.channel] += lead.weight
        self.fates = [0] * len(self.fates)
        for lead in self.leads:
            self.fates[lost(lead.stage, IN_PROCESS)] += 1
        if self.visits is not None:
            self.visits_from = len(self.visits)
        self.rebase()
        self.arm_churn()
        for c in range(len(self.arrived)):
            self.wake(c)

    def snapshot(self) -> None:
        """Record the state on the save grid."""
        now = self.env.now
        self.contracts.settle(now)
        for team in self.teams:
            team.touch(now)
        crews = [self.crew(t) for t in self.teams]
        books = self.contracts
        self.snapshots.take(
            {
                **{k: list(v) for k, v in self.stock.items()},
                **{k: list(v) for k, v in self.flow.items()},
                "wait": list(self.wait),
                "sla_met": list(self.sla_met),
                "sla_due": list(self.sla_due),
                "heads": [t.present for t in self.teams],
                "skilled": [skilled for skilled, _ in crews],
                "ramping": [ramping for _, ramping in crews],
                "customers": books.customers,
                "arr": books.arr,
                "fates": list(self.fates),
                "arrived": list(self.arrived),
                "won": books.won,
                "won_arr": books.won_arr,
                "live": books.live,
                "churned": books.churned,
                "churned_arr": books.churned_arr,
                "expansion_arr": books.expanded,
                "cycle": self.cycle,
                "paid_hours": [t.paid_hours for t in self.teams],
                "busy_hours": [t.busy_hours for t in self.teams],
                "support_hours": [t.support_hours for t in self.teams],
                "people_cost": [t.people_cost for t in self.teams],
                "revenue": books.revenue,
            }
        )


def run(system: System, seed: int, replication: int, *, visits: bool = False) -> Record:
    """Run one replication. visits: keep one row for every visit to a team."""
    going = Run(system, seed, replication, visits)
    going.go()
    return close(going)
