"""Stages, the gates before them and what is promised there, as tables."""

from __future__ import annotations

import math

import numpy as np

from simulator import draws
from simulator.spec.schema import Scenario
from simulator.system.codes import END, NO_TEAM
from simulator.system.parts import Floats, Limits, Spread, Stages
from simulator.system.read import Reader, in_segments


def stages_of(s: Scenario, r: Reader, index: dict[str, int], teams: dict[str, int]) -> Stages:
    """All stages. index, teams: stages and teams by name."""
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


def _worked(effort: Spread, tooling: Floats) -> Spread:
    """Effort with tools that multiply the touch rate (domain book 15)."""
    return Spread(effort.law, effort.cv, effort.mean / tooling)


def _gates(s: Scenario, r: Reader, index: dict[str, int]) -> Floats:
    gate = np.ones((r.cal.segments, len(index), 2))
    for policy in s.policies:
        if policy.gate is not None:
            here, at = in_segments(s, r, policy), index[policy.gate.stage]
            for fit, share in enumerate((policy.gate.good_fit, policy.gate.poor_fit)):
                gate[here, at, fit] *= share
    return gate


def _slas(s: Scenario, r: Reader, index: dict[str, int]) -> tuple[Floats, Floats]:
    """How soon work is to begin, and from when on a lead goes first."""
    sla = r.columns([f"stages.{n}.sla" for n in index], absent=math.inf)
    overdue = np.full(sla.shape, math.inf)
    for policy in s.policies:
        if policy.sla is not None and policy.sla.stage is not None:
            here, at = in_segments(s, r, policy), index[policy.sla.stage]
            within = sla[here, at] if policy.sla.within is None else policy.sla.within
            overdue[here, at] = np.minimum(overdue[here, at], within)
            if s.stages[policy.sla.stage].sla is None:
                sla[here, at] = np.minimum(sla[here, at], within)
    return sla, overdue


def limits_of(s: Scenario, r: Reader, index: dict[str, int]) -> Limits:
    """WIP caps, of the policies that set one."""
    chosen = [p for p in s.policies if p.limit is not None]
    inside = np.zeros((len(chosen), len(index)), dtype=np.bool_)
    cap = np.full((r.cal.segments, len(chosen)), math.inf)
    for i, policy in enumerate(chosen):
        assert policy.limit is not None
        inside[i, [index[n] for n in policy.limit.stages]] = True
        cap[in_segments(s, r, policy), i] = policy.limit.at_most
    return Limits(inside, cap)
