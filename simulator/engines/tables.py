"""A System as nested lists: what a Python loop reads fastest. Names as in simulator.system."""

from __future__ import annotations

from typing import Any

from simulator import draws
from simulator.system import System
from simulator.weekly.shares import stage_shares


class Tables:
    """Parameters by segment [k] and then by channel, stage, handoff."""

    def __init__(self, system: System) -> None:
        c, s, h = system.channels, system.stages, system.handoffs

        def rows(array: Any) -> Any:
            return array.tolist()

        self.kind, self.at, self.half = rows(c.kind), rows(c.at), rows(c.half)
        self.saturation, self.adstock = rows(c.saturation), rows(c.adstock)
        self.entry = rows(c.entry)
        self.lifts = [
            [(i, float(c.lift[i, j])) for i in range(len(c.lift)) if c.lift[i, j] > 0]
            for j in range(len(c.lift))
        ]
        self.spend, self.now, self.season = rows(c.spend), rows(c.now), rows(c.season)
        self.per_customer, self.good_fit = rows(c.per_customer), rows(c.good_fit)
        self.value, self.value_cv = rows(c.value), rows(c.value_cv)
        self.value_law = [
            draws.LOGNORMAL if cv > 0 else draws.DETERMINISTIC for cv in self.value_cv
        ]
        self.key, self.team, self.priority = rows(s.key), rows(s.team), rows(s.priority)
        self.decision, self.after_sale = rows(s.decision), rows(s.after_sale)
        for name in ("effort", "patience", "buyer_time", "recycle_delay"):
            spread = getattr(s, name)
            short = {"buyer_time": "buyer"}.get(name, name)
            setattr(self, f"{short}_law", rows(spread.law))
            setattr(self, f"{short}_cv", rows(spread.cv))
            setattr(self, name, rows(spread.mean))
        self.speed_kind = rows(s.speed_kind)
        self.speed_floor, self.speed_scale = rows(s.speed_floor), rows(s.speed_scale)
        self.applies, self.advance = rows(s.applies), rows(s.advance)
        self.always = [bool((s.applies[:, i] >= 1.0).all()) for i in range(len(s.key))]
        self.rework, self.rework_to = rows(s.rework), rows(s.rework_to)
        self.recycle, self.recycle_to = rows(s.recycle), rows(s.recycle_to)
        self.recycle_limit = rows(s.recycle_limit)
        self.route, self.route_share = rows(s.route), rows(s.route_share)
        self.handoff = rows(h.index)
        self.handoff_source = rows(h.source)
        self.accepted, self.returned = rows(h.accepted), rows(h.returned)
        self.handoff_rework, self.every = rows(h.rework), rows(h.every)
        self.handoff_law, self.handoff_cv = rows(h.delay.law), rows(h.delay.cv)
        self.handoff_delay = rows(h.delay.mean)
        self.accounts = system.accounts
        self.cool_law, self.cool_cv = rows(system.cool_down.law), rows(system.cool_down.cv)
        self.cool_down = rows(system.cool_down.mean)
        self.late_churn, self.target = (
            rows(system.customers.late_churn),
            rows(system.customers.target),
        )
        self.shares = rows(stage_shares(system.buyer, s))
        self.decay = rows(system.buyer.decay[s.buyer] * s.decision)
        self.after = rows(system.buyer.after[s.buyer])
        self.gate, self.gated = rows(s.gate), rows((s.gate < 1.0).any(axis=(0, 2)))
        self.within = rows(h.within)
        self.sla, self.overdue = rows(s.sla), rows(s.overdue)
        self.lever_rate = rows(system.money.lever_rate)
        self.limit = [
            next((i for i in range(len(system.limits.inside)) if row[i]), -1)
            for row in system.limits.inside.T.tolist()
        ]
        self.cap = rows(system.limits.cap)
        self.referring = [i for i in range(len(c.key)) if (c.per_customer[:, i] > 0).any()]
        # Week 0 of the arrival measure, so that cells have positive numbers.
        self.origin = 8192

    effort_law: list[int]
    effort_cv: list[float]
    effort: list[list[float]]
    patience_law: list[int]
    patience_cv: list[float]
    patience: list[list[float]]
    buyer_law: list[int]
    buyer_cv: list[float]
    buyer_time: list[list[float]]
    recycle_delay_law: list[int]
    recycle_delay_cv: list[float]
    recycle_delay: list[list[float]]
