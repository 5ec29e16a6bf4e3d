"""The events engine: leads as SimPy processes. Readable, and the definition of the model.

What happens to a lead at a stage, in this order:

1. A stage that does not apply to it is not visited.
2. It queues for the stage's team: lower priority number first, then first come first served.
   If its patience runs out before it is served it goes cold.
3. One person works on it for effort / (hours a week x share of a week x skill) weeks. A lead
   that a handoff did not accept takes the review's hours instead and goes back, or is lost.
4. It takes the buyer's time, which uses nobody's capacity.
5. It goes back for rework; or advances, with odds by fit and by how long it waited (at a
   decision: the buyer's); or is lost. What is lost or cold may be recycled after nurture.
6. What advances past the sale is won; what leaves the last stage is a live customer.

Parameters are those of the segment of the calendar in which each step happens.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable
from heapq import heapify, heappop, heappush
from typing import Any, Final

import numpy as np
import simpy
from simpy.events import EventPriority

from simulator import draws, laws
from simulator.draws import draw, uniform
from simulator.engines.ledgers import Contracts, Snapshots, Team
from simulator.engines.tables import Tables
from simulator.record import LeadTable, Record, Visits
from simulator.system import (
    CHURNED,
    COMPETITOR,
    END,
    IN_PROCESS,
    NO_DECISION,
    NO_TEAM,
    NOT_ADVANCED,
    REJECTED,
    RETAINED,
    WENT_COLD,
    System,
    lost,
)

SUPPORTS: Final = {"priority", "market", "referral", "recycling", "meetings"}
URGENT, NORMAL, LATE, LAST = map(EventPriority, range(4))  # order within one instant
ACCEPTED, RETURNED, REFUSED = 0, 1, 2  # outcomes of a handoff
ADVANCED, BACK = -1, -2  # outcomes of a visit, beside the reasons for losing a lead
Process = Generator[simpy.Event, Any, None]


class Lead:
    """One lead on its way."""

    __slots__ = (
        "arr", "arrived", "channel", "cost", "ended", "fate", "fit", "handoff", "hours", "id",
        "key", "live", "recycled", "stage", "value", "visits", "weight", "won",
    )  # fmt: skip

    def __init__(
        self, name: int, key: int, channel: int, fit: int, value: float, now: float
    ) -> None:
        self.id, self.key, self.channel, self.fit, self.value = name, key, channel, fit, value
        self.arrived = now
        self.stage = -1
        self.fate = -1
        self.handoff = -1  # that brought it here
        self.recycled = 0
        self.visits: dict[int, int] = {}
        self.hours: dict[int, float] = {}
        self.cost = 0.0
        self.weight = 0.0  # of its contract
        self.arr = 0.0
        self.won = self.live = self.ended = math.nan


class Work(simpy.Event):
    """A lead's wait for a team and the work on it: happens when the work is done, or it is cold."""

    __slots__ = ("clock", "effort", "entered", "lead", "pay", "person", "stage", "started", "trace")

    def __init__(self, env: simpy.Environment, lead: Lead, stage: int, effort: float) -> None:
        super().__init__(env)
        self.lead, self.stage, self.effort = lead, stage, effort
        self.entered = env.now
        self.started = math.nan
        self.person = -1
        self.clock = self.pay = 0.0
        self.trace = -1


class Run:
    """One replication in progress."""

    def __init__(self, system: System, seed: int, replication: int, keep_visits: bool) -> None:
        self.system, self.seed, self.replication = system, seed, replication
        self.env = simpy.Environment(initial_time=-system.warm_up)
        self.p = Tables(system)
        self.segment = 0
        stages, channels = len(system.stage_names), len(system.channel_names)
        self.teams = [Team(system, m) for m in range(len(system.team_names))]
        self.contracts = Contracts(system)
        self.snapshots = Snapshots(system)
        self.leads: list[Lead] = []
        self.in_work: set[Work] = set()
        self.tickets = 0
        self.events = 0
        self.fates = [0] * len(system.fates)
        self.stock = {
            k: [0] * stages for k in ("waiting", "working", "buyer", "transit", "nurture")
        }
        self.flow = {k: [0] * stages for k in ("entered", "started", "advanced")}
        self.wait = [0.0] * stages
        self.cycle = 0.0
        self.arrived = [0] * channels
        self.opening = [0] * channels
        self.seat_share = system.people.share.tolist()
        self.seat_ramp_from = system.people.ramp_from.tolist()
        self.leaving: set[int] = set()
        self.taken = round(system.customers.start)  # accounts that cannot become leads now
        self.cooling = 0
        self.base: list[tuple[float, bool]] = []  # customers of week 0: weight, still here
        self.live: list[tuple[float, int, Lead | None]] = []  # heap by the hazard that ends them
        self.churn_alarm = 0  # only the latest alarm counts
        self.opened = False  # whether week 0 has come
        self.bands = [0] * channels  # bands of the rate axis that are awake
        self.carried = system.channels.carried.tolist()
        self.streams = [
            draws.channel_stream(seed, replication, int(k)) for k in system.channels.key
        ]
        self.base_stream = draws.channel_stream(seed, replication, draws.name_key("customers"))
        self.visits: list[list[float]] | None = [] if keep_visits else None

    # -- the clock ------------------------------------------------------------------------------

    def at(self, time: float, action: Callable[[], None], priority: EventPriority = NORMAL) -> None:
        """Do something at a time."""
        event = self.env.event()
        event.callbacks.append(lambda _: action())
        event._ok, event._value = True, None
        self.env.schedule(event, priority, time - self.env.now)

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
            team.paid_hours = team.busy_hours = team.people_cost = 0.0
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
            patience = -math.log(uniform(stream, i))
            self.base.append((weight, True))
            self.live.append((books.hazard(now) + patience, -1 - i, None))
        heapify(self.live)
        self.taken = n + len(self.leads) + self.cooling
        for k in self.flow.values():
            k[:] = [0] * len(k)
        self.wait = [0.0] * len(self.wait)
        self.cycle = 0.0
        self.arrived = [0] * len(self.arrived)
        self.fates = [0] * len(self.fates)
        for lead in self.leads:
            self.fates[lost(lead.stage, IN_PROCESS)] += 1
        if self.visits is not None:
            del self.visits[:]
            for work in [*self.in_work, *(w for team in self.teams for _, _, w in team.queue)]:
                work.trace = -1
        self.arm_churn()
        for c in range(len(self.arrived)):
            self.wake(c)

    def snapshot(self) -> None:
        """Record the state on the save grid."""
        now = self.env.now
        self.contracts.settle(now)
        for team in self.teams:
            team.touch(now)
        books = self.contracts
        self.snapshots.take(
            {
                **{k: list(v) for k, v in self.stock.items()},
                **{k: list(v) for k, v in self.flow.items()},
                "wait": list(self.wait),
                "heads": [t.present for t in self.teams],
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
                "people_cost": [t.people_cost for t in self.teams],
                "revenue": books.revenue,
            }
        )

    # -- arrivals -------------------------------------------------------------------------------

    def spend_at_work(self, c: int) -> float:
        """Spend of a channel as the market still feels it."""
        tau = self.p.adstock[c]
        if tau <= 0.0:
            return float(self.p.spend[self.segment][c])
        weeks = self.env.now - float(self.system.edges[self.segment])
        return float(laws.adstock(self.carried[c], self.p.spend[self.segment][c], weeks, tau))

    def relative_response(self, c: int, spend: float) -> float:
        """Leads of a channel at a spend over its leads at today's."""
        p = self.p
        return float(laws.response(p.kind[c], spend, p.at[c], p.half[c], p.saturation[c]))

    def rate(self, c: int, ceiling: bool = False) -> float:
        """Leads a week of a channel now; or a bound on it until something changes."""
        p, k = self.p, self.segment
        spend = self.spend_at_work(c)
        lifted = 1.0
        for other, share in p.lifts[c]:
            carried = self.spend_at_work(other)
            if ceiling:
                carried = max(carried, p.spend[k][other])
            lifted *= laws.lift(share, self.relative_response(other, carried))
        if ceiling:
            spend = max(spend, p.spend[k][c])
        free = 1.0
        if p.accounts > 0.0 and not ceiling:
            free = laws.market_share_free(p.accounts, float(self.taken))
        return float(
            laws.lead_rate(
                p.now[k][c], self.relative_response(c, spend), p.season[k][c], lifted,
                p.per_customer[k][c], float(self.contracts.customers_live), float(free),
            )
        )  # fmt: skip

    def wake(self, c: int) -> None:
        """Start the bands of the rate axis that the channel's rate now reaches."""
        ceiling = self.rate(c, ceiling=True)
        while draws.band_floor(self.bands[c]) < ceiling:
            self.env.process(self.band(c, self.bands[c]))
            self.bands[c] += 1

    def band(self, c: int, band: int) -> Process:
        """Arrivals of one band: points of a Poisson measure on time x rate, below the rate.

        Pushing harder raises the rate, so it only ever adds points (Poisson random measure).
        """
        env, stream = self.env, self.streams[c]
        origin = self.p.origin
        week = math.floor(env.now)
        while True:
            cell = draws.cell_key(stream, band, week)
            t, index = float(week), 0
            while True:
                t += draws.arrival_gap(cell, index, band)
                if t >= week + 1:
                    break
                if t > env.now:
                    yield env.timeout(t - env.now)
                    if draws.arrival_height(cell, index, band) < self.rate(c):
                        self.arrive(c, draws.lead_id(c, band, week + origin, index), cell, index)
                index += 1
            week += 1
            yield env.timeout(week - env.now)

    def arrive(self, c: int, name: int, cell: int, index: int) -> None:
        """A new lead: its own key, and from it its fit and its value."""
        p, k = self.p, self.segment
        key = draws.subkey(cell, -1 - index)
        fit = 0 if uniform(key, draws.FIT) < p.good_fit[k][c] else 1
        value = draw(p.value_law[c], p.value[k][c], p.value_cv[c], key, draws.VALUE)
        lead = Lead(name, key, c, fit, value, self.env.now)
        self.leads.append(lead)
        self.events += 1
        self.arrived[c] += 1
        self.taken += 1
        first = self.applying(lead, p.entry[c])
        self.place(lead, first)
        self.env.process(self.journey(lead, first))

    # -- a lead's way ---------------------------------------------------------------------------

    def journey(self, lead: Lead, stage: int) -> Process:
        """A lead from stage to stage until its fate."""
        review = ACCEPTED
        while stage != END:
            self.place(lead, stage)
            if self.p.after_sale[stage]:
                self.win(lead)
            visit = lead.visits.get(stage, 0)
            lead.visits[stage] = visit + 1
            slot = self.p.key[stage] + (visit << 6)
            if review == ACCEPTED:
                outcome, after = yield from self.visit(lead, stage, slot)
            else:
                outcome, after = yield from self.review(lead, stage, review)
            if outcome == ADVANCED:
                self.flow["advanced"][stage] += 1
                after = self.next_stage(lead, stage, slot)
                if after == END:
                    break
                if self.p.after_sale[after]:
                    self.win(lead)
                review = yield from self.hand_over(lead, stage, after, slot)
            elif outcome == BACK:
                review = ACCEPTED
            else:
                again = yield from self.recycle(lead, stage, slot)
                if not again:
                    self.lose(lead, stage, outcome)
                    return
                after, review = self.p.recycle_to[stage], ACCEPTED
            stage = after
        self.win(lead)
        self.go_live(lead)

    def visit(
        self, lead: Lead, stage: int, slot: int
    ) -> Generator[simpy.Event, Any, tuple[int, int]]:
        """Queue, work, buyer's time and outcome: (outcome, stage to go back to)."""
        p, env = self.p, self.env
        waited = 0.0
        team = p.team[stage]
        if team != NO_TEAM:
            effort = draw(
                p.effort_law[stage], p.effort[self.segment][stage], p.effort_cv[stage],
                lead.key, slot + draws.EFFORT,
            )  # fmt: skip
            work = Work(env, lead, stage, effort)
            if p.patience_law[stage]:
                patience = draw(
                    p.patience_law[stage], p.patience[self.segment][stage], p.patience_cv[stage],
                    lead.key, slot + draws.PATIENCE,
                )  # fmt: skip
                self.enqueue(self.teams[team], work, patience)
            else:
                self.enqueue(self.teams[team], work, math.inf)
            served = yield work
            if not served:
                return WENT_COLD, stage
            waited = work.started - work.entered
        else:
            self.flow["entered"][stage] += 1
        if p.buyer_law[stage]:
            self.stock["buyer"][stage] += 1
            yield env.timeout(
                draw(
                    p.buyer_law[stage], p.buyer_time[self.segment][stage], p.buyer_cv[stage],
                    lead.key, slot + draws.BUYER_TIME,
                )
            )  # fmt: skip
            self.events += 1
            self.stock["buyer"][stage] -= 1
        return self.outcome(lead, stage, slot, waited)

    def outcome(self, lead: Lead, stage: int, slot: int, waited: float) -> tuple[int, int]:
        """What comes of finished work."""
        p, k, key = self.p, self.segment, lead.key
        if p.rework[k][stage] > 0.0 and uniform(key, slot + draws.REWORK) < p.rework[k][stage]:
            return BACK, p.rework_to[stage]
        factor = 1.0
        if p.speed_kind[stage]:
            factor = laws.speed_factor(
                p.speed_kind[stage], waited, p.speed_floor[k][stage], p.speed_scale[k][stage]
            )
        if p.decision[stage]:
            us, them = p.buyer_shares[k][lead.fit]
            u = uniform(key, slot + draws.DECISION)
            if u < us * factor:
                return ADVANCED, stage
            # Read the same number from the other end: more of us takes from no decision and them.
            return (COMPETITOR, stage) if u >= 1.0 - them else (NO_DECISION, stage)
        if uniform(key, slot + draws.ADVANCE) < p.advance[k][stage][lead.fit] * factor:
            return ADVANCED, stage
        return NOT_ADVANCED, stage

    def review(
        self, lead: Lead, stage: int, review: int
    ) -> Generator[simpy.Event, Any, tuple[int, int]]:
        """The receiving team looks at a lead that it does not accept."""
        team = self.p.team[stage]
        hours = self.p.handoff_rework[self.segment][lead.handoff]
        if team != NO_TEAM and hours > 0.0:
            work = Work(self.env, lead, stage, hours)
            self.enqueue(self.teams[team], work, math.inf)
            yield work
        if review == RETURNED:
            return BACK, self.p.handoff_source[lead.handoff]
        return REJECTED, stage

    def next_stage(self, lead: Lead, stage: int, slot: int) -> int:
        """Where a lead that advances goes: the next stage that applies to it."""
        routes = self.p.route[stage]
        if len(routes) == 1 or routes[0] == routes[-1]:
            return self.applying(lead, routes[0])
        u = uniform(lead.key, slot + draws.ROUTE)
        for target, share in zip(routes, self.p.route_share[stage], strict=True):
            if u < share:
                return self.applying(lead, target)
        return self.applying(lead, routes[-1])

    def applying(self, lead: Lead, stage: int) -> int:
        """The first stage from here on that applies to the lead."""
        p = self.p
        while stage != END and not p.always[stage]:
            visit = lead.visits.get(stage, 0)
            slot = p.key[stage] + (visit << 6)
            if uniform(lead.key, slot + draws.APPLIES) < p.applies[self.segment][stage]:
                return stage
            lead.visits[stage] = visit + 1
            stage = self.next_stage(lead, stage, slot)
        return stage

    def hand_over(
        self, lead: Lead, stage: int, after: int, slot: int
    ) -> Generator[simpy.Event, Any, int]:
        """Pass a lead on: takes time, and may not be accepted."""
        h = self.p.handoff[stage][after]
        if h < 0:
            return ACCEPTED
        p, k, env = self.p, self.segment, self.env
        lead.handoff = h
        u = uniform(lead.key, slot + draws.HANDOFF)
        if u < p.accepted[k][h]:
            review = ACCEPTED
        else:
            review = RETURNED if u < p.accepted[k][h] + p.returned[k][h] else REFUSED
        delay = draw(
            p.handoff_law[h], p.handoff_delay[k][h], p.handoff_cv[h],
            lead.key, slot + draws.HANDOFF_DELAY,
        )  # fmt: skip
        if p.every[k][h] > 0.0:
            delay += laws.until_meeting(env.now + delay, p.every[k][h])
        if delay > 0.0:
            self.place(lead, after)
            self.stock["transit"][after] += 1
            yield env.timeout(delay)
            self.events += 1
            self.stock["transit"][after] -= 1
        return review

    def recycle(self, lead: Lead, stage: int, slot: int) -> Generator[simpy.Event, Any, bool]:
        """Nurture what was lost, if it is to come back; says whether it does."""
        p, k = self.p, self.segment
        if lead.recycled >= p.recycle_limit[stage]:
            return False
        if uniform(lead.key, slot + draws.RECYCLE) >= p.recycle[k][stage]:
            return False
        lead.recycled += 1
        self.place(lead, p.recycle_to[stage])
        self.stock["nurture"][lead.stage] += 1
        yield self.env.timeout(
            draw(
                p.recycle_delay_law[stage], p.recycle_delay[k][stage], p.recycle_delay_cv[stage],
                lead.key, slot + draws.RECYCLE_DELAY,
            )
        )  # fmt: skip
        self.events += 1
        self.stock["nurture"][lead.stage] -= 1
        return True

    def place(self, lead: Lead, stage: int) -> None:
        """Count a lead in process at a stage."""
        if stage in {lead.stage, END}:
            return
        if lead.stage >= 0:
            self.fates[lost(lead.stage, IN_PROCESS)] -= 1
        self.fates[lost(stage, IN_PROCESS)] += 1
        lead.stage = stage

    def settle(self, lead: Lead, fate: int) -> None:
        """Give a lead its fate."""
        if lead.fate >= 0:
            self.fates[lead.fate] -= 1
        elif lead.stage >= 0:
            self.fates[lost(lead.stage, IN_PROCESS)] -= 1
        self.fates[fate] += 1
        lead.fate, lead.ended = fate, self.env.now

    def win(self, lead: Lead) -> None:
        """The buyer signs, once: ARR from now on."""
        if lead.won == lead.won:
            return
        books = self.contracts
        lead.won = self.env.now
        lead.weight = books.sign(lead.value, lead.won)
        books.won += 1
        books.won_arr += lead.value
        books.customers += 1
        self.cycle += lead.won - lead.arrived

    def go_live(self, lead: Lead) -> None:
        """Onboarding is over; going live late raises churn."""
        books, p, k, now = self.contracts, self.p, self.segment, self.env.now
        lead.live = now
        self.settle(lead, RETAINED)
        if not self.opened:
            # Those live before week 0 are among the customers that the scenario starts with.
            books.customers -= 1
            return
        books.live += 1
        books.customers_live += 1
        late = laws.lateness_factor(now - lead.won, p.target[k], p.late_churn[k])
        patience = -math.log(uniform(lead.key, draws.CHURN)) / late
        heappush(self.live, (books.hazard(now) + patience, lead.id, lead))
        self.arm_churn()
        for c in self.p.referring:
            self.wake(c)

    def lose(self, lead: Lead, stage: int, reason: int) -> None:
        """A lead's end, before or after the sale."""
        self.settle(lead, lost(stage, reason))
        if lead.won == lead.won:
            self.contracts.cancel(lead.weight, self.env.now)
            self.contracts.customers -= 1
            lead.weight = 0.0
        self.cool(lead.key)

    def arm_churn(self) -> None:
        """Set the alarm for the next customer to leave."""
        self.churn_alarm += 1
        books = self.contracts
        if not self.live or books.churn <= 0.0:
            return
        wait = max(0.0, (self.live[0][0] - books.hazard(self.env.now)) / books.churn)
        if self.env.now + wait > self.system.horizon:
            return
        alarm = self.churn_alarm
        self.at(self.env.now + wait, lambda: self.churn(alarm))

    def churn(self, alarm: int) -> None:
        """A customer leaves."""
        if alarm != self.churn_alarm:
            return
        _, name, lead = heappop(self.live)
        books = self.contracts
        self.events += 1
        books.customers -= 1
        books.customers_live -= 1
        if lead is None:
            weight, _ = self.base[-1 - name]
            books.cancel(weight, self.env.now)
            self.base[-1 - name] = (weight, False)
            self.cool(draws.subkey(self.base_stream, name))
        else:
            books.cancel(lead.weight, self.env.now)
            lead.weight = 0.0
            self.settle(lead, CHURNED)
            self.cool(lead.key)
        self.arm_churn()

    def cool(self, key: int) -> None:
        """An account that is lost can be a lead again after a while."""
        p = self.p
        if p.accounts <= 0.0:
            return
        wait = draw(p.cool_law[0], p.cool_down[self.segment][0], p.cool_cv[0], key, draws.COOL_DOWN)
        self.cooling += 1

        def free() -> None:
            self.cooling -= 1
            self.taken -= 1

        self.at(self.env.now + wait, free)

    # -- teams ----------------------------------------------------------------------------------

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

    # -- the record -----------------------------------------------------------------------------

    def record(self) -> Record:
        """Close the books at the horizon."""
        s, books = self.system, self.contracts
        growth = math.exp(books.growth(s.horizon))
        for work in self.in_work:
            self.book(self.teams[self.p.team[work.stage]], work)
        fates = np.zeros((len(s.channel_names), len(s.fates)))
        by_fate = np.zeros((3, len(s.fates)))
        for lead in self.leads:
            if lead.fate < 0:
                lead.fate = lost(lead.stage, IN_PROCESS)
            lead.arr = lead.weight * growth
            fates[lead.channel, lead.fate] += 1
            by_fate[:, lead.fate] += (total(lead.hours.values()), lead.cost, lead.arr)
        kept = [weight for weight, here in self.base if here]
        return Record(
            system=s,
            engine="events",
            seed=self.seed,
            replication=self.replication,
            events=self.events,
            series=self.snapshots.series(),
            opening=np.array(self.opening, dtype=np.float64),
            fates=fates,
            fate_hours=by_fate[0],
            fate_cost=by_fate[1],
            fate_arr=by_fate[2],
            opening_customers=(len(kept), len(self.base) - len(kept), total(kept) * growth),
            leads=self.lead_table(),
            visits=None if self.visits is None else visit_table(self.visits),
        )

    def lead_table(self) -> LeadTable:
        """All leads, sorted by id."""
        leads = sorted(self.leads, key=lambda lead: lead.id)
        hours = np.zeros((len(leads), len(self.teams)))
        for i, lead in enumerate(leads):
            for m, spent in lead.hours.items():
                hours[i, m] = spent

        def column(name: str, kind: type = np.float64) -> Any:
            return np.array([getattr(lead, name) for lead in leads], dtype=kind)

        return LeadTable(
            **{n: column(n, np.int64) for n in ("id", "channel", "fit", "fate")},
            **{n: column(n) for n in ("value", "arrived", "ended", "won", "live", "cost", "arr")},
            hours=hours,
        )


def total(values: Iterable[float]) -> float:
    """A sum in order: `sum` compensates from Python 3.12 on, and compiled code does not."""
    found = 0.0
    for value in values:
        found += value
    return found


def visit_table(rows: list[list[float]]) -> Visits:
    """Visits as columns. Lead ids pass through floats only where they fit: kept as integers."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    return Visits(
        lead=np.array(columns[0], dtype=np.int64),
        stage=np.array(columns[1], dtype=np.int64),
        entered=np.array(columns[2], dtype=np.float64),
        started=np.array(columns[3], dtype=np.float64),
        ended=np.array(columns[4], dtype=np.float64),
    )


def run(system: System, seed: int, replication: int, *, visits: bool = False) -> Record:
    """Run one replication. visits: keep one row for every visit to a team."""
    going = Run(system, seed, replication, visits)
    going.go()
    return going.record()
