"""Customers: signing, going live, churn; and accounts that cool down."""

from __future__ import annotations

from heapq import heappop, heappush

from simulator import draws, laws
from simulator.draws import draw, exponential
from simulator.engines.events.demand import Demand
from simulator.engines.events.state import Lead
from simulator.system import CHURNED, RETAINED, lost


class Customers(Demand):
    """What becomes of leads in the end."""

    def win(self, lead: Lead) -> None:
        """The buyer signs, once: ARR from now on."""
        if lead.won == lead.won:
            return
        books = self.contracts
        lead.won = self.env.now
        self.disown(lead)
        if self.discount > 0.0:
            terms = self.system.scenario.buyer.discount
            assert terms is not None
            lead.value *= 1.0 - self.discount
            lead.lure = laws.discount_churn(self.discount, terms.churn_from, terms.churn)
        lead.weight = books.sign(lead.value, lead.won)
        books.won += 1
        books.won_arr += lead.value
        books.customers += 1
        self.won_by[lead.channel] += 1
        self.kept_by[lead.channel] += lead.weight
        self.cycle += lead.won - lead.arrived

    def go_live(self, lead: Lead) -> None:
        """Onboarding is over; going live late raises churn."""
        books, p, k, now = self.contracts, self.p, self.segment, self.env.now
        lead.live = now
        self.disown(lead)
        self.settle(lead, RETAINED)
        if not self.opened:
            # Those live before week 0 are among the customers that the scenario starts with.
            books.customers -= 1
            return
        books.live += 1
        books.customers_live += 1
        late = laws.lateness_factor(now - lead.won, p.target[k], p.late_churn[k])
        late *= lead.lure
        patience = exponential(lead.key, draws.CHURN) / late
        heappush(self.live, (books.hazard(now) + patience, lead.id, lead))
        self.arm_churn()
        for c in self.p.referring:
            self.wake(c)

    def lose(self, lead: Lead, stage: int, reason: int) -> None:
        """A lead's end, before or after the sale."""
        self.settle(lead, lost(stage, reason))
        self.disown(lead)
        if lead.won == lead.won:
            self.kept_by[lead.channel] -= lead.weight
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
            self.kept_by[lead.channel] -= lead.weight
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
