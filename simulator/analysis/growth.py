"""Bookings as a product, and how aligned a run was, by quarter.

Bookings of a quarter = leads x what crosses each stage x price. Leads are conserved, so the flow
across the cut before each stage, less what stays or ends there, is the flow across the next cut;
the last one is wins. Each of those steps is a factor, whatever the branches of the funnel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.decomposition import lmdi
from simulator.record import Record
from simulator.system import (
    COMPETITOR,
    IN_PROCESS,
    NO_DECISION,
    NOT_ADVANCED,
    REJECTED,
    WENT_COLD,
    Buyer,
    System,
    lost,
    won_fates,
)
from simulator.vocabulary import QUARTER
from simulator.weekly.shares import buyer_shares

Floats = NDArray[np.float64]

STEPS: Final = ("waiting", "cold", "in_process", "refused", "odds")
"""What holds leads back at a stage, in order: the first takes its share of all that come."""

EFFORT_LED: Final = ("volume", "capacity")
ALIGNMENT_LED: Final = ("handoffs", "odds", "decision", "cycle", "price")
GROUPS: Final = (*EFFORT_LED, *ALIGNMENT_LED)
"""volume: leads, and what mix of channels they are; capacity: cold or waiting for a team;
handoffs: refused; odds: of stages, less what the mix does to them; decision: the buyer's; cycle:
with the buyer, on the way or being worked on; price."""

LEAST: Final = 0.5  # leads: flows below half a lead count as that, so that factors are positive


@dataclass(frozen=True)
class Factor:
    """One factor of bookings: its stage ("" for leads and price), step and group."""

    stage: str
    step: str
    group: str

    def __str__(self) -> str:
        return f"{self.stage}: {self.step}" if self.stage else self.step


@dataclass(frozen=True)
class Flows:
    """A run by quarter. weeks: (Q + 1,) edges; factors: (Q, F); bookings, wins, leads: (Q,).

    internal, market: (Q,) gauges of 0 to 100, nan where undefined. on_time: whether going live
    in time is in `internal`.
    """

    weeks: Floats
    factors: Floats
    bookings: Floats
    wins: Floats
    leads: Floats
    internal: Floats
    market: Floats
    on_time: bool


def selling_stages(system: System) -> list[int]:
    """Stages before the sale, each after those that lead to it; of a loop in the file's order."""
    before = [i for i in range(len(system.stage_names)) if not system.stages.after_sale[i]]
    leads_to = {i: {int(j) for j in system.stages.route[i]} & set(before) for i in before}
    order: list[int] = []
    left = list(before)
    while left:
        free = [i for i in left if not any(i in leads_to[j] for j in left if j != i)]
        chosen = free[0] if free else left[0]
        order.append(chosen)
        left.remove(chosen)
    return order


def factors_of(system: System) -> tuple[Factor, ...]:
    """The factors of bookings: leads, mix, the steps of every selling stage, price.

    Mix is what a lead of these channels is worth; it is taken back out of the odds.
    """
    found = [
        Factor("", "leads", "volume"), Factor("", "mix", "volume"), Factor("", "less mix", "odds"),
    ]  # fmt: skip
    groups = {"waiting": "capacity", "cold": "capacity", "in_process": "cycle",
              "refused": "handoffs", "odds": "odds"}  # fmt: skip
    for i in selling_stages(system):
        for step in STEPS:
            decided = step == "odds" and system.stages.decision[i]
            group = "decision" if decided else groups[step]
            found.append(Factor(system.stage_names[i], step, group))
    return (*found, Factor("", "price", "price"))


@dataclass(frozen=True)
class Yardstick:
    """What runs that are to be compared are measured by, from the first of them.

    worth: (C,) wins of a channel's leads over those of all. good: share of good fits among those
    who decide.
    """

    worth: Floats
    good: float


def yardstick(record: Record) -> Yardstick:
    """The yardstick of a run."""
    return Yardstick(_worth(record), _good(record))


def _worth(record: Record) -> Floats:
    leads = record.fates.sum(axis=1)
    wins = record.fates[:, won_fates(record.system)].sum(axis=1)
    if not wins.sum() > 0:
        return np.ones(len(leads))
    usual = float(wins.sum() / leads.sum())
    # As if each had one more lead, of the usual worth: few leads say little, and none is worth 0.
    worth: Floats = (wins + usual) / (leads + 1.0) / usual
    return worth


def _good(record: Record) -> float:
    """The share of good fits that the run's own win share at the decision implies."""
    system, s = record.system, record.series
    decisions = np.flatnonzero(system.stages.decision)
    fates = s.fates[-1] - s.fates[0]
    away = sum(float(fates[lost(int(d), r)]) for d in decisions for r in (COMPETITOR, NO_DECISION))
    won = float(s.won[-1] - s.won[0])
    good, poor = _over(system, _wins(system.buyer, system), 0.0, system.horizon)
    if not won + away > 0 or good == poor:
        return 1.0
    return float(np.clip((won / (won + away) - poor) / (good - poor), 0.0, 1.0))


def flows(record: Record, by: Yardstick, week: float | None = None) -> Flows:
    """A record by quarter, up to a week; the last quarter may be short."""
    system, s = record.system, record.series
    end = system.horizon if week is None else week
    last = int(np.searchsorted(s.t, end, side="right") - 1)
    marks = [*range(0, last, QUARTER), last]
    order = selling_stages(system)
    rows, cuts, wins, leads, bookings = [], [], [], [], []
    for a, b in pairwise(marks):
        came = s.arrived[b] - s.arrived[a]
        arrived = float(came.sum())
        mix = float(came @ by.worth) / arrived if arrived > 0 else 1.0
        crossed = _crossed(record, order, arrived, a, b)
        won = max(0.0, crossed[-1])
        booked = float(s.won_arr[b] - s.won_arr[a])
        chain = np.maximum(crossed[:-1], LEAST)
        price = booked / won if won > 0 else math.nan
        rows.append([chain[0], mix, 1.0 / mix, *(chain[1:] / chain[:-1]), won / chain[-1], price])
        cuts.append(chain[:: len(STEPS)])
        wins.append(won)
        leads.append(arrived)
        bookings.append(booked)
    internal = [
        _internal(record, order, cut, a, b)
        for cut, (a, b) in zip(cuts, pairwise(marks), strict=True)
    ]
    return Flows(
        weeks=s.t[marks],
        factors=np.array(rows),
        bookings=np.array(bookings),
        wins=np.array(wins),
        leads=np.array(leads),
        internal=np.array(internal),
        market=_market(system, s.t[marks], by.good),
        on_time=record.leads is not None and bool(system.stages.after_sale.any()),
    )


def _crossed(record: Record, order: list[int], arrived: float, a: int, b: int) -> list[float]:
    """Leads that pass each step between two grid points: arrivals first, wins last."""
    s = record.series
    fates = s.fates[b] - s.fates[a]
    waiting = s.waiting[b] - s.waiting[a]
    found = [arrived]
    for i in order:
        held = (
            waiting[i],
            fates[lost(i, WENT_COLD)],
            fates[lost(i, IN_PROCESS)] - waiting[i],
            fates[lost(i, REJECTED)],
            sum(fates[lost(i, r)] for r in (NOT_ADVANCED, COMPETITOR, NO_DECISION)),
        )
        for gone in held:
            found.append(found[-1] - float(gone))
    # Rounding of an engine that counts in parts of leads.
    found[-1] = 0.0 if abs(found[-1]) < 1e-9 else found[-1]
    return found


def grown(before: Floats, after: Floats) -> Floats:
    """What each factor adds to bookings, (F,); exact. A quarter without wins has no price."""
    a, b = before.copy(), after.copy()
    if math.isnan(a[-1]):
        a[-1] = b[-1]
    if math.isnan(b[-1]):
        b[-1] = a[-1]
    if math.isnan(a[-1]):
        return np.zeros(len(a))
    return lmdi(a, b)


def _over(system: System, column: Floats, start: float, end: float) -> Floats:
    """The mean over a stretch of weeks of a table by segment, (B, ...) -> (...)."""
    edges = system.edges
    length = np.clip(np.minimum(edges[1:], end) - np.maximum(edges[:-1], start), 0.0, None)
    mean: Floats = np.tensordot(length / length.sum(), column, axes=1)
    return mean


def _internal(record: Record, order: list[int], cut: Floats, a: int, b: int) -> float:
    """Rolled throughput yield of what is in our own hands, 0 to 100.

    The product over stages of 1 - reach (1 - first-pass yield), where reach is the share of the
    leads on their way that come here, and the yield is accepted x (1 - rework) x (1 - cold).
    Then the share of those going live who do so in time.
    """
    system, s = record.system, record.series
    start, end = float(s.t[a]), float(s.t[b])
    accepted = _over(system, system.handoffs.accepted.mean(axis=2), start, end)
    rework = _over(system, system.stages.rework, start, end)
    entered, passed = s.entered[b] - s.entered[a], s.advanced[b] - s.advanced[a]
    fates = s.fates[b] - s.fates[a]
    product = 1.0
    for n, i in enumerate(order):
        came = float(entered[i])
        joined = np.flatnonzero(system.handoffs.target == i)
        weight = passed[system.handoffs.source[joined]]
        rest = max(0.0, came - float(weight.sum()))
        all_came = float(weight.sum()) + rest
        taken = (float(weight @ accepted[joined]) + rest) / all_came if all_came > 0 else 1.0
        cold = float(fates[lost(i, WENT_COLD)])
        kept = 1.0 - min(1.0, max(0.0, cold) / max(came, cold, LEAST))
        reach = min(1.0, came / float(cut[n]))
        product *= 1.0 - reach * (1.0 - taken * (1.0 - float(rework[i])) * kept)
    return 100.0 * product * _in_time(record, start, end)


def _in_time(record: Record, start: float, end: float) -> float:
    """Share of customers going live in some weeks who do so within the target."""
    leads, system = record.leads, record.system
    if leads is None or not system.stages.after_sale.any():
        return 1.0
    live = (leads.live > start) & (leads.live <= end)
    if not live.any():
        return 1.0
    target = float(_over(system, system.customers.target, start, end))
    return float(np.mean(leads.live[live] - leads.won[live] <= target + 1e-12))


def _wins(buyer: Buyer, system: System) -> Floats:
    """Our share at decisions by segment and fit, (B, 2); the mean over several decisions."""
    deciding = system.stages.buyer[system.stages.decision]
    found: Floats = buyer_shares(buyer)[..., 0][:, deciding].mean(axis=1)
    return found


def _market(system: System, weeks: Floats, good: float) -> Floats:
    """Win share at the decision over what full conditions would give, 0 to 100, by quarter.

    Full: alignment, proof and risk removed 1, friction 0; approvers, effort and competitor as
    they are. nan without a decision.
    """
    if not system.stages.decision.any():
        return np.full(len(weeks) - 1, math.nan)
    there = np.ones_like(system.buyer.proof)
    willing = replace(
        system.buyer,
        alignment=there,
        proof=there,
        risk_removed=there,
        friction=0.0 * there,
        blocked=0.0 * there,
    )
    now, full = (_wins(buyer, system) for buyer in (system.buyer, willing))
    weights = np.array([good, 1.0 - good])
    found = []
    for start, end in pairwise(weeks):
        a, b = (_over(system, table, float(start), float(end)) @ weights for table in (now, full))
        found.append(100.0 * float(a / b))
    return np.array(found)
