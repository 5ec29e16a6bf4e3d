"""Scenario -> System: integer-indexed arrays that every engine reads.

A System says everything about one run but its random numbers. Structure (who follows whom) is
fixed; parameters are tables by segment of the calendar, first axis B; people are a list with
times of joining and leaving. Axes: C channels, S stages, H handoffs, M teams, F fates,
2 fits (good, poor), N people.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator import draws
from simulator.errors import Problem, SpecError
from simulator.mechanisms import in_force
from simulator.people import People, roster
from simulator.spec.book import spread
from simulator.spec.calendar import Calendar, calendar
from simulator.spec.paths import CONDITIONS, week_of
from simulator.spec.policies import Policy
from simulator.spec.quantities import Delay, Effort
from simulator.spec.schema import Channel, Handoff, Scenario, Stage
from simulator.weekly.hires import kinds_of, watched
from simulator.weekly.records import Array
from simulator.weekly.rules import Rules, dynamic, rules_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FITS: Final = ("good", "poor")
END: Final = -1  # route: out of the funnel, as a live customer
NO_TEAM: Final = -1


@dataclass(frozen=True)
class Fate:
    """Where a lead ends: kind is retained, churned, lost or in_process; stage and reason if any."""

    kind: str
    stage: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return ":".join(part for part in (self.kind, self.stage, self.reason) if part)


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


def lost(stage: int, reason: int) -> int:
    """Index of a fate: lost at a stage to reason 0 (its own), 1 cold, 2 rejected, 3, 4 (buyer)."""
    return 2 + stage * len(REASONS) + reason


REASONS: Final = (
    "not_advanced",
    "went_cold",
    "rejected",
    "competitor",
    "no_decision",
    "in_process",
)
RETAINED: Final = 0
CHURNED: Final = 1
NOT_ADVANCED, WENT_COLD, REJECTED, COMPETITOR, NO_DECISION, IN_PROCESS = range(6)


def fates_of(stages: dict[str, Stage]) -> tuple[Fate, ...]:
    """All fates: retained, churned, then by stage the reasons of REASONS, in that order."""
    found = [Fate("retained"), Fate("churned")]
    for name, stage in stages.items():
        for reason in REASONS:
            if reason == "in_process":
                found.append(Fate("in_process", name))
            else:
                own = stage.lost_to if reason == "not_advanced" else reason
                found.append(Fate("lost", name, own))
    return tuple(found)


def won_fates(system: System) -> NDArray[np.bool_]:
    """Which fates are those of leads that were won: (F,)."""
    after = dict(zip(system.stage_names, system.stages.after_sale.tolist(), strict=True))
    return np.array([f.stage == "" or after[f.stage] for f in system.fates])


def resolve_spread(item: Effort | Delay | None, use: str) -> tuple[int, float]:
    """Law code and cv of a quantity, with the defaults of its use filled in."""
    if item is None:
        return draws.NONE, 0.0
    law, cv = spread(use, item.law, item.cv, item.order)
    return draws.LAW_CODES[law], cv


class _Reader:
    """Reads tables by segment out of a calendar."""

    def __init__(self, cal: Calendar) -> None:
        self.cal = cal

    def column(self, path: str, absent: float = 0.0) -> Floats:
        found: Floats = np.empty(self.cal.segments)
        found[:] = self._values(path, absent)
        return found

    def _values(self, path: str, absent: float) -> Floats | float:
        moving = self.cal.values.get(path)
        if moving is not None:
            return moving
        leaf = self.cal.table.get(path)
        return absent if leaf is None else leaf.value

    def columns(self, paths: list[str], absent: float | list[float] = 0.0) -> Floats:
        moving, table = self.cal.values, self.cal.table
        leaves = [table.get(path) for path in paths]
        others = absent if isinstance(absent, list) else [absent] * len(paths)
        found: Floats = np.empty((self.cal.segments, len(paths)))
        found[:] = [
            x if leaf is None else leaf.value for leaf, x in zip(leaves, others, strict=True)
        ]
        if moving:
            for i, path in enumerate(paths):
                if path in moving:
                    found[:, i] = moving[path]
        return found

    def spread(self, items: list[Any], paths: list[str], use: str) -> Spread:
        resolved = [resolve_spread(item, use) for item in items]
        return Spread(
            np.array([r[0] for r in resolved], dtype=np.int64),
            np.array([r[1] for r in resolved]),
            self.columns([f"{p}.mean" for p in paths]),
        )


def _season(scenario: Scenario, cal_edges: Floats, channel: Channel) -> Floats:
    middle = 0.5 * (cal_edges[:-1] + cal_edges[1:])
    if channel.seasonality is None:
        return np.ones(len(middle))
    n = len(channel.seasonality)
    offset = scenario.start.timetuple().tm_yday - 1
    share = ((offset + middle * 7.0) / 365.25) % 1.0
    factors = np.array(channel.seasonality, dtype=np.float64)
    chosen: Floats = factors[np.minimum((share * n).astype(int), n - 1)]
    return chosen


def _seasonal_breaks(scenario: Scenario) -> list[float]:
    counts = {len(c.seasonality) for c in scenario.channels.values() if c.seasonality is not None}
    offset = scenario.start.timetuple().tm_yday - 1
    found: set[float] = set()
    for n in counts:
        step = 365.25 / n
        k = math.floor((offset - scenario.warm_up * 7) / step)
        while (week := (k * step - offset) / 7.0) <= scenario.horizon:
            found.add(week)
            k += 1
    return sorted(found)


def _channels(s: Scenario, r: _Reader, stage_index: dict[str, int]) -> Channels:
    names = list(s.channels)
    items = list(s.channels.values())
    first = [c.enters if c.enters is not None else next(iter(s.stages)) for c in items]
    spend0: list[float] = []
    at, half, sat, kind = [], [], [], []
    for c in items:
        today = c.spend
        if today is None and c.cost_per_lead is not None and c.leads is not None:
            today = c.cost_per_lead * c.leads.now
        spend0.append(today or 0.0)
        reference = (c.leads.at if c.leads is not None else None) or today or 0.0
        if c.leads is None or reference <= 0.0 or c.outbound is not None:
            kind.append(0)
        else:
            kind.append(1 if c.leads.saturation == "none" else 2)
        at.append(reference if reference > 0 else 1.0)
        half.append((c.leads.half if c.leads is not None else None) or at[-1])
        hill = c.leads.saturation if c.leads is not None else "none"
        sat.append(1.0 if hill == "none" else float(hill))
    lift = np.zeros((len(names), len(names)))
    for i, c in enumerate(items):
        for target, share in c.lift.items():
            lift[i, names.index(target)] = share
    spend = r.columns([f"channels.{n}.spend" for n in names], absent=spend0)
    own = [c.value is not None for c in items]
    value = r.columns(
        [
            f"channels.{n}.value.mean" if mine else "value.mean"
            for n, mine in zip(names, own, strict=True)
        ]
    )
    return Channels(
        key=np.array([draws.name_key("channel:" + n) for n in names], dtype=np.int64),
        entry=np.array([stage_index[f] for f in first], dtype=np.int64),
        kind=np.array(kind, dtype=np.int64),
        at=np.array(at),
        half=np.array(half),
        saturation=np.array(sat),
        adstock=np.array([c.adstock for c in items]),
        lift=lift,
        value_cv=np.array([(c.value or s.value).cv for c in items]),
        carried=np.array(spend0),
        spend=spend,
        now=r.columns([f"channels.{n}.leads.now" for n in names]),
        season=np.column_stack([_season(s, r.cal.edges, c) for c in items]),
        per_customer=r.columns([f"channels.{n}.per_customer" for n in names]),
        good_fit=r.columns([f"channels.{n}.good_fit" for n in names]),
        value=value,
    )


def _worked(effort: Spread, tooling: Floats) -> Spread:
    """Effort with tools that multiply the touch rate (domain book 15)."""
    return Spread(effort.law, effort.cv, effort.mean / tooling)


def _in_force(s: Scenario, r: _Reader, policy: Policy) -> NDArray[np.bool_]:
    """In which segments a policy stands, (B,)."""
    until = math.inf if policy.until is None else week_of(policy.until, s.start)
    middle = 0.5 * (r.cal.edges[:-1] + r.cal.edges[1:])
    found: NDArray[np.bool_] = (middle >= week_of(policy.at, s.start)) & (middle < until)
    return found


def _gates(s: Scenario, r: _Reader, index: dict[str, int]) -> Floats:
    gate = np.ones((r.cal.segments, len(index), 2))
    for policy in s.policies:
        if policy.gate is not None:
            here, at = _in_force(s, r, policy), index[policy.gate.stage]
            for fit, share in enumerate((policy.gate.good_fit, policy.gate.poor_fit)):
                gate[here, at, fit] *= share
    return gate


def _slas(s: Scenario, r: _Reader, index: dict[str, int]) -> tuple[Floats, Floats]:
    """How soon work is to begin, and from when on a lead goes first."""
    sla = r.columns([f"stages.{n}.sla" for n in index], absent=math.inf)
    overdue = np.full(sla.shape, math.inf)
    for policy in s.policies:
        if policy.sla is not None and policy.sla.stage is not None:
            here, at = _in_force(s, r, policy), index[policy.sla.stage]
            within = sla[here, at] if policy.sla.within is None else policy.sla.within
            overdue[here, at] = np.minimum(overdue[here, at], within)
            if s.stages[policy.sla.stage].sla is None:
                sla[here, at] = np.minimum(sla[here, at], within)
    return sla, overdue


def _limits(s: Scenario, r: _Reader, index: dict[str, int]) -> Limits:
    chosen = [p for p in s.policies if p.limit is not None]
    inside = np.zeros((len(chosen), len(index)), dtype=np.bool_)
    cap = np.full((r.cal.segments, len(chosen)), math.inf)
    for i, policy in enumerate(chosen):
        assert policy.limit is not None
        inside[i, [index[n] for n in policy.limit.stages]] = True
        cap[_in_force(s, r, policy), i] = policy.limit.at_most
    return Limits(inside, cap)


def _stages(s: Scenario, r: _Reader, index: dict[str, int], teams: dict[str, int]) -> Stages:
    names = list(s.stages)
    items = list(s.stages.values())
    base = [f"stages.{n}" for n in names]
    targets: list[dict[int, float]] = []
    for i, stage in enumerate(items):
        if stage.next is None:
            targets.append({i + 1 if i + 1 < len(items) else END: 1.0})
        else:
            shares = stage.next if isinstance(stage.next, dict) else {stage.next: 1.0}
            targets.append({END if n == "won" else index[n]: p for n, p in shares.items()})
    width = max(len(t) for t in targets)
    route = np.full((len(items), width), END, dtype=np.int64)
    share = np.ones((len(items), width))
    for i, t in enumerate(targets):
        route[i, : len(t)] = list(t)
        share[i, : len(t)] = np.cumsum(list(t.values()))
        share[i, len(t) - 1 :] = 1.0
        route[i, len(t) :] = route[i, len(t) - 1]
    kinds = [0 if x.speed is None else 2 if x.speed == "oldroyd" else 1 for x in items]
    sla, overdue = _slas(s, r, index)
    rework_to = [index[x.rework.to] if x.rework and x.rework.to else i for i, x in enumerate(items)]
    recycle_to = [
        index[x.recycle.to] if x.recycle and x.recycle.to else i for i, x in enumerate(items)
    ]
    return Stages(
        key=np.array([draws.name_key("stage:" + n) for n in names], dtype=np.int64),
        team=np.array([teams[x.team] if x.team else NO_TEAM for x in items], dtype=np.int64),
        priority=np.array([x.priority for x in items], dtype=np.int64),
        decision=np.array([x.decision for x in items]),
        buyer=np.cumsum([x.buyer is not None for x in items])
        * np.array([x.buyer is not None for x in items]),
        gate=_gates(s, r, index),
        sla=sla,
        overdue=overdue,
        after_sale=np.array([x.after_sale for x in items]),
        effort=_worked(
            r.spread([x.effort for x in items], [f"{b}.effort" for b in base], "effort"),
            r.columns([f"{b}.tooling" for b in base], absent=1.0),
        ),
        patience=r.spread([x.patience for x in items], [f"{b}.patience" for b in base], "patience"),
        buyer_time=r.spread(
            [x.buyer_time for x in items], [f"{b}.buyer_time" for b in base], "buyer_time"
        ),
        speed_kind=np.array(kinds, dtype=np.int64),
        speed_floor=r.columns([f"{b}.speed.floor" for b in base], absent=1.0),
        speed_scale=r.columns([f"{b}.speed.scale" for b in base], absent=1.0),
        applies=r.columns([f"{b}.applies_to" for b in base]),
        advance=np.stack(
            [
                r.columns([f"{b}.advance.good_fit" for b in base]),
                r.columns([f"{b}.advance.poor_fit" for b in base]),
            ],
            axis=2,
        ),
        rework=r.columns([f"{b}.rework.share" for b in base]),
        rework_to=np.array(rework_to, dtype=np.int64),
        recycle=r.columns([f"{b}.recycle.share" for b in base]),
        recycle_to=np.array(recycle_to, dtype=np.int64),
        recycle_limit=np.array(
            [x.recycle.at_most if x.recycle else 0 for x in items], dtype=np.int64
        ),
        recycle_delay=r.spread(
            [x.recycle.delay if x.recycle else None for x in items],
            [f"{b}.recycle.delay" for b in base],
            "recycle_delay",
        ),
        route=route,
        route_share=share,
    )


def handoff_path(handoff: Handoff) -> str:
    """The key of a handoff in lever paths: from>to."""
    return f"{handoff.from_}>{handoff.to}"


def _handoffs(s: Scenario, r: _Reader, index: dict[str, int]) -> Handoffs:
    from simulator import laws

    table = np.full((len(index), len(index)), -1, dtype=np.int64)
    base = [f"handoffs.{handoff_path(h)}" for h in s.handoffs]
    for i, h in enumerate(s.handoffs):
        table[index[h.from_], index[h.to]] = i
    stated = np.array([h.mismatch for h in s.handoffs])
    mismatch = r.columns([f"{b}.mismatch" for b in base])
    good = r.columns([f"{b}.accepted" for b in base])
    told = [h.accepted_poor_fit is not None for h in s.handoffs]
    poor = np.where(told, r.columns([f"{b}.accepted_poor_fit" for b in base]), good)
    agreed = np.vectorize(laws.agreed, otypes=[np.float64])
    accepted = agreed(np.stack([good, poor], axis=2), mismatch[:, :, None], stated[None, :, None])
    returned = r.columns([f"{b}.returned" for b in base])
    # Better agreement leaves less to return.
    least = np.minimum(returned, 1.0 - accepted.max(axis=2))
    returned = np.where(mismatch < stated, least, returned)
    over = np.argwhere(accepted.max(axis=2) + returned > 1 + 1e-9)
    if len(over):
        k, i = over[0]
        total = accepted[k, i].max() + returned[k, i]
        message = f"levers take accepted plus returned to {total:.4g}, above 1"
        raise SpecError([Problem(s.name, None, base[i], message)])
    within = np.full(returned.shape, math.inf)
    for policy in s.policies:
        if policy.sla is not None and policy.sla.handoff is not None:
            column = base.index(f"handoffs.{policy.sla.handoff}")
            here = _in_force(s, r, policy)
            within[here, column] = np.minimum(within[here, column], policy.sla.within or math.inf)
    return Handoffs(
        index=table,
        source=np.array([index[h.from_] for h in s.handoffs], dtype=np.int64),
        target=np.array([index[h.to] for h in s.handoffs], dtype=np.int64),
        accepted=accepted,
        returned=returned,
        rework=r.columns([f"{b}.rework" for b in base]),
        delay=r.spread(
            [h.delay for h in s.handoffs], [f"{b}.delay" for b in base], "handoff_delay"
        ),
        every=r.columns([f"{b}.every" for b in base]),
        within=within,
    )


_LEVELS: Final = {
    "alignment": lambda level: level,
    "proof": lambda level: level,
    "risk_removed": lambda level: level,
    "less_friction": lambda level: 1.0 - level,
}


def _buyer(s: Scenario, r: _Reader) -> Buyer:
    from simulator import laws

    buyers = [("buyer", s.buyer)]
    buyers += [(f"stages.{n}.buyer", x.buyer) for n, x in s.stages.items() if x.buyer is not None]
    base_us, base_them, blocked = [], [], []
    for path, buyer in buyers:
        ref = buyer.reference
        given = laws.conditions_value(
            ref.alignment, ref.proof, ref.risk_removed, ref.friction, buyer.kappa, ref.effort
        )
        us = np.array([buyer.odds.us.good_fit, buyer.odds.us.poor_fit])
        nothing = 1.0 - us - buyer.odds.competitor
        base_us.append(np.log(us / nothing) - given)
        base_them.append(np.log(buyer.odds.competitor / nothing))
        free = np.ones(r.cal.segments)
        for blocker in buyer.blockers.values():
            key = "friction" if blocker.needs == "less_friction" else blocker.needs
            level = _LEVELS[blocker.needs](r.column(f"{path}.{key}"))
            free = free * np.where(level < blocker.at_least - 1e-12, 1.0 - blocker.share, 1.0)
        blocked.append(1.0 - free)
    aging = [b.aging for _, b in buyers]
    return Buyer(
        base_us=np.array(base_us),
        base_competitor=np.array(base_them),
        reference_approvers=np.array([float(b.reference.approvers) for _, b in buyers]),
        blocked=np.column_stack(blocked),
        decay=np.array([a.decay if a else 0.0 for a in aging]),
        after=np.array([a.after if a else 0.0 for a in aging]),
        **{
            key: np.column_stack([r.column(f"{path}.{key}") for path, _ in buyers])
            for key in CONDITIONS
        },
    )


def _lever_costs(
    s: Scenario, edges: Floats, intensity: float
) -> tuple[Floats, tuple[tuple[float, float], ...]]:
    rate = np.zeros(len(edges) - 1)
    once: list[tuple[float, float]] = []
    middle = 0.5 * (edges[:-1] + edges[1:])
    for lever in s.levers:
        if lever.cost is None:
            continue
        at = week_of(lever.at, s.start)
        until = math.inf if lever.until is None else week_of(lever.until, s.start)
        if lever.cost.per_week:
            rate += np.where((middle >= at) & (middle < until), intensity * lever.cost.amount, 0.0)
        else:
            once.append((at, intensity * lever.cost.amount))
    return rate, tuple(once)


def _rule_costs(s: Scenario, r: _Reader) -> Floats:
    """What policies cost that stand whatever happens, a week (B,)."""
    rate = np.zeros(r.cal.segments)
    for policy in s.policies:
        if policy.cost > 0.0 and policy.do is None:
            rate += np.where(_in_force(s, r, policy), policy.cost, 0.0)
    return rate


def _breaks(s: Scenario) -> list[float]:
    """Edges of the calendar beside those of levers: seasons, policies, and weeks if they count."""
    found = _seasonal_breaks(s)
    for policy in s.policies:
        for when in (policy.at, policy.until):
            if when is not None:
                found.append(week_of(when, s.start))
    if dynamic(s):
        found += [float(k) for k in range(math.ceil(-s.warm_up), math.floor(s.horizon) + 1)]
    return found


def build(scenario: Scenario, intensity: float = 1.0) -> System:
    """Lay a scenario out for the engines.

    intensity scales what every lever does and costs: 0 is the scenario without them, 1 as written.
    Mechanisms that the scenario switches off are taken out of it first.

    Raises SpecError where levers take a number out of bounds.
    """
    s = in_force(scenario)
    cal = calendar(s, _breaks(s), intensity)
    r = _Reader(cal)
    stage_index = {n: i for i, n in enumerate(s.stages)}
    team_index = {n: i for i, n in enumerate(s.teams)}
    teams = list(s.teams)
    lever_rate, lever_once = _lever_costs(s, cal.edges, intensity)
    start_arr = s.customers.arr
    limited = s.market is not None and s.market.accounts is not None
    cool = [s.market.cool_down] if s.market is not None and limited else []
    hours = r.columns([f"teams.{n}.hours" for n in teams])
    channels = _channels(s, r, stage_index)
    stages = _stages(s, r, stage_index, team_index)
    handoffs = _handoffs(s, r, stage_index)
    buyer = _buyer(s, r)
    customers = Customers(
        start=float(s.customers.start),
        arr=float(s.customers.start * s.value.mean if start_arr is None else start_arr),
        churn=r.column("customers.churn"),
        expansion=r.column("customers.expansion"),
        target=r.column("customers.onboarding_target"),
        late_churn=r.column("customers.late_churn"),
    )
    rules = None
    if dynamic(s):
        rules = rules_of(s, cal, hours, channels, stages, handoffs, buyer, customers)
    return System(
        name=s.name,
        scenario=scenario,
        calendar=cal,
        horizon=s.horizon,
        warm_up=s.warm_up,
        seed=s.seed,
        edges=cal.edges,
        channel_names=tuple(s.channels),
        stage_names=tuple(s.stages),
        team_names=tuple(teams),
        handoff_names=tuple(handoff_path(h) for h in s.handoffs),
        fates=fates_of(s.stages),
        channels=channels,
        stages=stages,
        handoffs=handoffs,
        hours=hours,
        team_cost=r.columns([f"teams.{n}.cost" for n in teams]),
        ramp=np.array([t.ramp for t in s.teams.values()]),
        ramp_start=np.array([t.ramp_start for t in s.teams.values()]),
        ramp_law=np.array([t.ramps_by_chance for t in s.teams.values()], dtype=np.int64),
        hires=kinds_of(s),
        watched=watched(s),
        owned=np.array([t.owned for t in s.teams.values()], dtype=np.bool_),
        takeover=np.array([t.takeover for t in s.teams.values()]),
        takeover_odds=np.array([1.0 - t.takeover_loss for t in s.teams.values()]),
        people=roster(s, cal),
        buyer=buyer,
        customers=customers,
        accounts=float(s.market.accounts or 0.0) if s.market else 0.0,
        cool_down=r.spread(cool, ["market.cool_down"] if cool else [], "cool_down"),
        money=Money(
            gross_margin=r.column("money.gross_margin"),
            overhead=r.column("money.overhead"),
            other_heads=float(s.money.other_heads),
            lever_rate=lever_rate + _rule_costs(s, r),
            lever_once=lever_once,
        ),
        limits=_limits(s, r, stage_index),
        rules=rules,
    )
