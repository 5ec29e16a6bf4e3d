"""Arrivals: channels' rates, and the points of a Poisson measure that lie below them."""

from __future__ import annotations

import math

from simulator import draws, laws
from simulator.engines.events.floor import Floor
from simulator.engines.events.state import Process


class Demand(Floor):
    """Where leads come from."""

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
        """A new lead; what becomes of it is the journey's."""
        raise NotImplementedError
