"""What happened in a run: fates, hours, money and time series, the same from every engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.system import System

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Series:
    """A run on the save grid; T times, flows cumulative from week 0.

    Stocks: waiting, working, buyer, transit (on its way by handoff), nurture: (T, S); heads:
    (T, M); skilled: heads by their productivity, ramping: those of them who still ramp, (T, M);
    customers, arr: (T,). fates: (T, F) leads by what has become of them so far: at every
    time they add up to the opening pipeline plus all arrivals.
    Flows: arrived (T, C); entered, started, advanced (T, S) visits; wait (T, S) weeks waited by
    those started; sla_met, sla_due (T, S) visits that began as soon as they were to, and all for
    which that was said: begun, or gone cold; won, won_arr, live, churned, churned_arr,
    expansion_arr (T,); cycle (T,) weeks from arrival to signature, summed over wins; paid_hours,
    busy_hours (on leads), support_hours (on new colleagues, or a channel of the team's own),
    people_cost (T, M); spend (T, C); lever_cost (of levers and policies), overhead, revenue (T,).
    churned counts customers (live or still onboarding) that left, with their ARR in churned_arr.
    """

    t: Floats
    waiting: Floats
    working: Floats
    buyer: Floats
    transit: Floats
    nurture: Floats
    heads: Floats
    skilled: Floats
    ramping: Floats
    customers: Floats
    arr: Floats
    fates: Floats
    arrived: Floats
    entered: Floats
    started: Floats
    advanced: Floats
    wait: Floats
    sla_met: Floats
    sla_due: Floats
    won: Floats
    won_arr: Floats
    live: Floats
    churned: Floats
    churned_arr: Floats
    expansion_arr: Floats
    cycle: Floats
    paid_hours: Floats
    busy_hours: Floats
    support_hours: Floats
    people_cost: Floats
    spend: Floats
    lever_cost: Floats
    overhead: Floats
    revenue: Floats


@dataclass(frozen=True)
class LeadTable:
    """One row a lead, sorted by id: the opening pipeline and all arrivals.

    id: names the arrival point, the same in every scenario that has the lead (see draws.lead_id);
    fit: 0 good, 1 poor; fate: index into System.fates; ended: nan while in process; won, live:
    nan if never; hours: by team (n, M); cost: currency paid for those hours; arr: ARR at the
    horizon.
    """

    id: Ints
    channel: Ints
    fit: Ints
    value: Floats
    arrived: Floats
    fate: Ints
    ended: Floats
    won: Floats
    live: Floats
    hours: Floats
    cost: Floats
    arr: Floats


@dataclass(frozen=True)
class Visits:
    """One row a visit of a lead to a stage with a team, in order of entering.

    entered, started (nan: went cold or still waiting), ended (nan: still there) in weeks.
    """

    lead: Ints
    stage: Ints
    entered: Floats
    started: Floats
    ended: Floats


@dataclass(frozen=True)
class Record:
    """One replication of one system.

    opening: (C,) leads in process at week 0; fates: (C, F) leads by channel and fate at the
    horizon; fate_hours, fate_cost, fate_arr: (F,) what those leads took and are worth;
    opening_customers: (retained, churned, ARR retained) of the customers of week 0.
    leads and visits are None where the engine has no individual leads or none were asked for.
    """

    system: System
    engine: str
    seed: int
    replication: int
    events: int
    series: Series
    opening: Floats
    fates: Floats
    fate_hours: Floats
    fate_cost: Floats
    fate_arr: Floats
    opening_customers: tuple[float, float, float]
    notes: tuple[str, ...] = ()
    leads: LeadTable | None = None
    visits: Visits | None = None

    def imbalance(self) -> dict[str, float]:
        """How far the books are from balancing; all zero but for rounding.

        leads: opening + arrivals - sum of fates; hours: busy - sum over fates; arr: start + won +
        expansion - churned - end; customers likewise.
        """
        s = self.series
        return {
            "leads": float(self.opening.sum() + s.arrived[-1].sum() - self.fates.sum()),
            "leads_over_time": float(
                np.abs(self.opening.sum() + s.arrived.sum(axis=1) - s.fates.sum(axis=1)).max()
            ),
            "hours": float(s.busy_hours[-1].sum() - self.fate_hours.sum()),
            "idle": float(
                min(0.0, (s.paid_hours[-1] - s.busy_hours[-1] - s.support_hours[-1]).min(initial=0))
            ),
            "arr": float(
                s.arr[0] + s.won_arr[-1] + s.expansion_arr[-1] - s.churned_arr[-1] - s.arr[-1]
            ),
            "customers": float(s.customers[0] + s.won[-1] - s.churned[-1] - s.customers[-1]),
            "arr_by_fate": float(self.fate_arr.sum() + self.opening_customers[2] - s.arr[-1]),
        }
