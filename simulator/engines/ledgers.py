"""Running books of the events engine: people's hours and pay, contracts, snapshots.

Sums are kept exact between events: what accrues is integrated up to the moment of each change.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simulator import laws
from simulator.record import Series
from simulator.system import System
from simulator.vocabulary import YEAR


class Team:
    """A team's queue, its idle people, and its hours and pay so far."""

    def __init__(self, system: System, index: int) -> None:
        self.index = index
        self.hours_by_segment = system.hours[:, index].tolist()
        self.cost_by_segment = system.team_cost[:, index].tolist()
        self.owned = bool(system.owned[index])
        self.seats = np.flatnonzero(system.people.team == index).tolist()
        self.ramp = float(system.ramp[index])
        self.law = int(system.ramp_law[index])
        self.watched = bool(system.watched[index])
        self.looked = -system.warm_up  # when it was last seen who quits
        self.ramp_start = float(system.ramp_start[index])
        self.hours: float = self.hours_by_segment[0]
        self.work: float = self.hours  # of them, on leads
        self.speed: float = self.hours  # hours that those are worth
        self.cost: float = self.cost_by_segment[0]
        self.hastens = bool(system.hastens[index])  # overdue leads go first
        self.queue: list[Any] = []  # heap of (priority, ticket, work)
        self.idle: list[int] = []  # heap of people, the longest in the team first
        self.present = 0.0  # full weeks of people here, and of those at work
        self.busy = 0.0
        self.edge = -system.warm_up
        # One full-time person's hours on leads, hours in all and pay at the edge, and lately.
        self.edge_hours = self.edge_all = self.edge_pay = 0.0
        self.last_hours = self.last_all = self.last_pay = 0.0
        self.paid_hours = self.busy_hours = self.support_hours = self.people_cost = 0.0

    def clock(self, now: float) -> float:
        """Hours that one full-time person has worked on leads since the start."""
        return self.edge_hours + self.work * (now - self.edge)

    def pay(self, now: float) -> float:
        """What one full-time person has been paid since the start."""
        return self.edge_pay + self.cost * (now - self.edge)

    def touch(self, now: float) -> None:
        """Settle hours and pay up to now, before who is here or busy changes."""
        hours, pay = self.clock(now), self.pay(now)
        everything = self.edge_all + self.hours * (now - self.edge)
        worked, paid = hours - self.last_hours, everything - self.last_all
        self.paid_hours += self.present * paid
        self.busy_hours += self.busy * worked
        self.support_hours += self.present * (paid - worked)
        self.people_cost += self.present * (pay - self.last_pay)
        self.last_hours, self.last_all, self.last_pay = hours, everything, pay

    def turn(self, now: float, segment: int) -> None:
        """Go on with the parameters of a new segment."""
        self.touch(now)
        self.edge, self.edge_pay = now, self.last_pay
        self.edge_hours, self.edge_all = self.last_hours, self.last_all
        self.hours = self.work = self.speed = self.hours_by_segment[segment]
        self.cost = self.cost_by_segment[segment]

    def paced(self, hours: float, work: float, speed: float) -> None:
        """Go on with the hours of the week that begins."""
        self.hours, self.work, self.speed = hours, work, speed

    def skill(self, age: float, span: float) -> float:
        """Productivity of a person `age` weeks after joining, who ramps `span` weeks."""
        return float(laws.hire_skill(self.law, age, span, self.ramp, self.ramp_start))


class Contracts:
    """ARR: all contracts grow at one rate, so the sum needs one number, not one each.

    A contract of value v signed when growth stood at G is worth v exp(growth - G).
    """

    def __init__(self, system: System) -> None:
        self.churn_by_segment = system.customers.churn.tolist()
        self.expansion_by_segment = system.customers.expansion.tolist()
        self.churn: float = self.churn_by_segment[0]
        self.expansion: float = self.expansion_by_segment[0]
        self.edge = -system.warm_up
        self.edge_growth = self.edge_hazard = 0.0
        self.base = 0.0  # sum of v exp(-G)
        self.last = -system.warm_up
        self.arr = 0.0
        self.expanded = self.revenue = self.won_arr = self.churned_arr = 0.0
        self.won = self.live = self.churned = 0
        self.customers = 0  # signed and not gone
        self.customers_live = round(system.customers.start)

    def growth(self, now: float) -> float:
        """Integrated expansion."""
        return self.edge_growth + self.expansion * (now - self.edge)

    def hazard(self, now: float) -> float:
        """Integrated churn: a live customer leaves when it passes the customer's own number."""
        return self.edge_hazard + self.churn * (now - self.edge)

    def settle(self, now: float) -> None:
        """Accrue expansion and revenue up to now."""
        grown = self.base * math.exp(self.growth(now))
        rate, weeks = self.expansion, now - self.last
        flow = self.arr * (math.expm1(rate * weeks) / rate if rate else weeks)
        self.revenue += flow / YEAR
        self.expanded += grown - self.arr
        self.arr, self.last = grown, now

    def sign(self, value: float, now: float) -> float:
        """Add a contract; returns its weight."""
        self.settle(now)
        weight = value * math.exp(-self.growth(now))
        self.base += weight
        self.arr += value
        return weight

    def cancel(self, weight: float, now: float) -> float:
        """Take a contract away; returns the ARR that is lost."""
        self.settle(now)
        worth = weight * math.exp(self.growth(now))
        self.base -= weight
        self.arr -= worth
        self.churned_arr += worth
        self.churned += 1
        return worth

    def turn(self, now: float, segment: int) -> None:
        """Go on with the parameters of a new segment."""
        self.settle(now)
        self.edge_growth, self.edge_hazard = self.growth(now), self.hazard(now)
        self.edge = now
        self.churn = self.churn_by_segment[segment]
        self.expansion = self.expansion_by_segment[segment]


class Planned:
    """What levers and calendars cost: integrals over the segments.

    spend (B, C) and lever (B,): as a run had them, where policies move them.
    """

    def __init__(self, system: System, spend: Any = None, lever: Any = None) -> None:
        self.edges = system.edges
        self.spend = system.channels.spend if spend is None else np.asarray(spend)
        self.lever = system.money.lever_rate if lever is None else np.asarray(lever)
        self.overhead = system.money.overhead
        self.once = system.money.lever_once

    def upto(self, grid: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, Any]:
        """Cumulative spend (T, C), lever_cost (T,) and overhead (T,) from week 0."""
        left = np.maximum(self.edges[:-1], 0.0)
        right = np.maximum(self.edges[1:], 0.0)
        span = np.clip(grid[:, None] - left[None, :], 0.0, (right - left)[None, :])
        lever = span @ self.lever
        for at, amount in self.once:
            lever = lever + np.where(grid >= at, amount, 0.0)
        return {"spend": span @ self.spend, "lever_cost": lever, "overhead": span @ self.overhead}


class Snapshots:
    """The series of a run, a row at a time."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.rows: dict[str, list[Any]] = {}

    def take(self, row: dict[str, Any]) -> None:
        """Keep one row."""
        for name, value in row.items():
            self.rows.setdefault(name, []).append(value)

    def series(self, spend: Any = None, lever: Any = None) -> Series:
        """All rows, as arrays; spend (B, C) and lever cost (B,) where the run moved them."""
        grid = self.system.grid
        columns = {k: np.array(v, dtype=np.float64) for k, v in self.rows.items()}
        for name in (
            "heads",
            "skilled",
            "ramping",
            "paid_hours",
            "busy_hours",
            "support_hours",
            "people_cost",
        ):
            columns[name] = columns[name].reshape(len(grid), len(self.system.team_names))
        return Series(t=grid, **columns, **Planned(self.system, spend, lever).upto(grid))
