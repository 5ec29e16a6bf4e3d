"""A lead's way from stage to stage."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

import simpy

from simulator import draws, laws
from simulator.draws import draw, uniform
from simulator.engines.events.customers import Customers
from simulator.engines.events.state import Lead, Process, Work
from simulator.system import (
    COMPETITOR,
    END,
    NO_DECISION,
    NO_TEAM,
    NOT_ADVANCED,
    REJECTED,
    WENT_COLD,
)

ACCEPTED, RETURNED, REFUSED = 0, 1, 2  # outcomes of a handoff
ADVANCED, BACK = -1, -2  # outcomes of a visit, beside the reasons for losing a lead


class Journey(Customers):
    """The steps that the package says, in their order."""

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
            if self.counts:
                yield from self.admit(lead, stage)
            if review == ACCEPTED and self.turned_away(lead, stage, slot):
                outcome, after = REJECTED, stage
            elif review == ACCEPTED:
                outcome, after = yield from self.visit(lead, stage, slot)
            else:
                outcome, after = yield from self.review(lead, stage, review)
            if outcome == ADVANCED:
                self.flow["advanced"][stage] += 1
                after = self.next_stage(lead, stage, slot)
                self.release(lead, after)
                if after == END:
                    break
                if self.p.after_sale[after]:
                    self.win(lead)
                review = yield from self.hand_over(lead, stage, after, slot)
            elif outcome == BACK:
                self.release(lead, after)
                review = ACCEPTED
            else:
                self.release(lead, END)
                again = yield from self.recycle(lead, stage, slot)
                if not again:
                    self.lose(lead, stage, outcome)
                    return
                after, review = self.p.recycle_to[stage], ACCEPTED
            stage = after
        self.win(lead)
        self.go_live(lead)

    def turned_away(self, lead: Lead, stage: int, slot: int) -> bool:
        """Whether a gate at the stage does not let the lead in."""
        p = self.p
        if not p.gated[stage]:
            return False
        return bool(uniform(lead.key, slot + draws.GATE) >= p.gate[self.segment][stage][lead.fit])

    def admit(self, lead: Lead, stage: int) -> Process:
        """Wait outside a WIP cap until there is room."""
        limit = self.p.limit[stage]
        if limit < 0 or lead.limit == limit:
            return
        lead.limit = limit
        if self.counts[limit] < self.p.cap[self.segment][limit]:
            self.counts[limit] += 1
            return
        room = self.env.event()
        self.outside[limit].append(room)
        self.stock["transit"][stage] += 1
        yield room
        self.events += 1
        self.stock["transit"][stage] -= 1

    def release(self, lead: Lead, after: int) -> None:
        """Leave a WIP cap, unless the next stage is in it too; who waits longest may come in."""
        limit = lead.limit
        if limit < 0 or (after != END and self.p.limit[after] == limit):
            return
        lead.limit = -1
        self.counts[limit] -= 1
        self.let_in(limit)

    def let_in(self, limit: int) -> None:
        """Fill a WIP cap from outside."""
        while self.outside[limit] and self.counts[limit] < self.p.cap[self.segment][limit]:
            self.counts[limit] += 1
            self.outside[limit].popleft().succeed()

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
            us, them = p.shares[k][stage][lead.fit]
            if p.decay[stage] > 0.0:
                age = laws.aging(p.decay[stage], p.after[stage], self.env.now - lead.arrived)
                us, them = laws.moved_us(us, age), laws.moved_them(us, them, age)
            factor *= lead.odds
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
        accepted = p.accepted[k][h][lead.fit]
        if u < accepted:
            review = ACCEPTED
        else:
            review = RETURNED if u < accepted + p.returned[k][h] else REFUSED
        delay = draw(
            p.handoff_law[h], p.handoff_delay[k][h], p.handoff_cv[h],
            lead.key, slot + draws.HANDOFF_DELAY,
        )  # fmt: skip
        if p.every[k][h] > 0.0:
            delay += laws.until_meeting(env.now + delay, p.every[k][h])
        delay = min(delay, p.within[k][h])
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
