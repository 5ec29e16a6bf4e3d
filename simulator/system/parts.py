"""What a System is made of: tables by segment of the calendar, codes, people."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.people import People
from simulator.spec.calendar import Calendar
from simulator.spec.schema import Scenario
from simulator.system.codes import Fate
from simulator.weekly.records import Array
from simulator.weekly.rules import Rules

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Spread:
    """Random quantities of one use: law codes and coefficients of variation; means by segment."""

    law: Ints
    cv: Floats
    mean: Floats  # (B, n)


@dataclass(frozen=True)
class Channels:
    """Arrival processes, (C,) or (B, C)."""

    key: Ints
    entry: Ints  # stage
    kind: Ints  # laws.CONSTANT, LINEAR, HILL
    at: Floats
    half: Floats
    saturation: Floats
    adstock: Floats
    lift: Floats  # (C, C): row accelerates column
    value_cv: Floats
    carried: Floats  # spend before the run, that adstock still feels
    spend: Floats  # (B, C)
    now: Floats  # (B, C)
    season: Floats  # (B, C)
    per_customer: Floats  # (B, C)
    good_fit: Floats  # (B, C)
    value: Floats  # (B, C)


@dataclass(frozen=True)
class Stages:
    """Queues and what comes of them, (S,), (B, S) or (B, S, 2)."""

    key: Ints
    team: Ints  # NO_TEAM: no capacity
    priority: Ints
    decision: NDArray[np.bool_]
    after_sale: NDArray[np.bool_]
    effort: Spread
    patience: Spread
    buyer_time: Spread
    buyer: Ints  # who decides, where it is a decision
    gate: Floats  # (B, S, 2) share let in
    sla: Floats  # (B, S) how soon work is to begin, inf: whenever
    overdue: Floats  # (B, S) wait from which a lead goes first, inf: never
    speed_kind: Ints
    speed_floor: Floats  # (B, S)
    speed_scale: Floats
    applies: Floats  # (B, S)
    advance: Floats  # (B, S, 2)
    rework: Floats  # (B, S)
    rework_to: Ints
    recycle: Floats  # (B, S)
    recycle_to: Ints
    recycle_limit: Ints
    recycle_delay: Spread
    route: Ints  # (S, R) next stages, END for out
    route_share: Floats  # (S, R) cumulative shares, last is 1


@dataclass(frozen=True)
class Handoffs:
    """What happens between two stages. index: (S, S) -> handoff or -1."""

    index: Ints
    source: Ints
    target: Ints
    accepted: Floats  # (B, H, 2)
    returned: Floats  # (B, H)
    rework: Floats  # (B, H) hours
    delay: Spread
    every: Floats  # (B, H), 0: at once
    within: Floats  # (B, H) longest delay, inf: none


@dataclass(frozen=True)
class Buyer:
    """Decisions of K buyers. base_us: (K, 2) V of us at the reference less what it gives."""

    base_us: Floats
    base_competitor: Floats  # (K, 2)
    reference_approvers: Floats  # (K,)
    blocked: Floats  # (B, K) share of deals that an approver blocks
    decay: Floats  # (K,) of our V by a lead's age
    after: Floats
    approvers: Floats  # (B, K) and so on
    alignment: Floats
    proof: Floats
    risk_removed: Floats
    friction: Floats
    effort: Floats
    competitor_strength: Floats
    kappa: Floats


@dataclass(frozen=True)
class Limits:
    """WIP caps. inside: (L, S) the stages that each counts; cap: (B, L), inf: none."""

    inside: NDArray[np.bool_]
    cap: Floats


@dataclass(frozen=True)
class Customers:
    """The base we start with and what becomes of customers, (B,) by segment."""

    start: float
    arr: float
    churn: Floats
    expansion: Floats
    target: Floats
    late_churn: Floats


@dataclass(frozen=True)
class Money:
    """Costs. team_cost and hours: (B, M); lever costs once (time, amount) or running (B,)."""

    gross_margin: Floats
    overhead: Floats
    other_heads: float
    lever_rate: Floats
    lever_once: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class System:
    """A whole revenue system, ready to run."""

    name: str
    scenario: Scenario
    calendar: Calendar
    horizon: float
    warm_up: float
    seed: int
    edges: Floats  # (B + 1,)
    channel_names: tuple[str, ...]
    stage_names: tuple[str, ...]
    team_names: tuple[str, ...]
    handoff_names: tuple[str, ...]
    fates: tuple[Fate, ...]
    channels: Channels
    stages: Stages
    handoffs: Handoffs
    hours: Floats  # (B, M)
    team_cost: Floats  # (B, M) currency a week a head
    ramp: Floats  # (M,)
    ramp_start: Floats  # (M,)
    ramp_law: Ints  # (M,) laws.LINE or EXPONENTIAL
    hires: Array  # (M, K) HIRE, kinds of people
    watched: NDArray[np.bool_]  # (M,) when each came and ramps matters to who quits
    owned: NDArray[np.bool_]  # (M,) a lead stays with one person
    takeover: Floats  # (M,) weeks that deals of a leaver wait
    takeover_odds: Floats  # (M,) what is left of their odds
    people: People
    buyer: Buyer
    customers: Customers
    accounts: float  # 0: no limit
    cool_down: Spread
    money: Money
    limits: Limits
    rules: Rules | None  # slow mechanisms and policies; None: nothing moves by itself

    @property
    def grid(self) -> Floats:
        """Times at which a run is recorded: every week, and the horizon."""
        weeks = np.arange(0.0, math.floor(self.horizon) + 1)
        return weeks if weeks[-1] == self.horizon else np.append(weeks, self.horizon)

    @property
    def hastens(self) -> NDArray[np.bool_]:
        """(M,) Teams that take overdue leads first."""
        stages = self.stages
        return np.array(
            [
                bool((stages.overdue[:, stages.team == m] < math.inf).any())
                for m in range(len(self.team_names))
            ]
        )

    def segment(self, t: float) -> int:
        """The segment of the calendar that holds time t."""
        return int(self.segments(np.array([t]))[0])

    def segments(self, times: Floats) -> Ints:
        """The segments that hold times, of the shape of these."""
        return np.clip(np.searchsorted(self.edges, times, side="right") - 1, 0, len(self.edges) - 2)


def won_fates(system: System) -> NDArray[np.bool_]:
    """Which fates are those of leads that were won: (F,)."""
    after = dict(zip(system.stage_names, system.stages.after_sale.tolist(), strict=True))
    return np.array([f.stage == "" or after[f.stage] for f in system.fates])
