"""What a run keeps from week to week, what it shows, and what then holds."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.weekly.records import (
    CHANNEL_HOLDS,
    CHANNEL_SHOWN,
    CHANNEL_STATE,
    HANDOFF_HOLDS,
    KPI,
    MARKET_STATE,
    POLICY_STATE,
    SLOT,
    STAGE_HOLDS,
    STAGE_SHOWN,
    TEAM_HOLDS,
    TEAM_SHOWN,
    TEAM_STATE,
    WHOLE_HOLDS,
    WHOLE_SHOWN,
    Array,
    filled,
)
from simulator.weekly.rules import Rules

QUARTER = 13


class Shown(NamedTuple):
    """What a run shows at an edge."""

    teams: Array  # (M,) TEAM_SHOWN
    stages: Array
    channels: Array
    whole: Array  # (1,)


class State(NamedTuple):
    """Slow state of a run."""

    teams: Array  # (M,) TEAM_STATE
    channels: Array
    market: Array  # (1,)
    policies: Array
    slots: Array  # (P, most) when what was done takes effect and ends
    kpis: Array  # (P, C)
    orders: NDArray[np.float64]  # (P, weeks) heads under way, a ring
    quarter: NDArray[np.float64]  # (13,) ARR won by week, a ring


class Holds(NamedTuple):
    """What holds until the next edge."""

    teams: Array  # (M,) TEAM_HOLDS
    channels: Array
    stages: Array
    handoffs: Array
    whole: Array  # (1,)


def shown(rules: Rules) -> Shown:
    """Nothing yet."""
    return Shown(
        filled(TEAM_SHOWN, len(rules.teams)),
        filled(STAGE_SHOWN, len(rules.stages)),
        filled(CHANNEL_SHOWN, len(rules.channels)),
        filled(WHOLE_SHOWN, 1),
    )


def beginning(rules: Rules) -> State:
    """The state in which a run begins."""
    t, p = rules.teams, rules.policies
    week = t["week"]
    spans = zip(p["first"], p["last"], strict=True)
    level = [rules.moves["stated"][first] if first < last else 0.0 for first, last in spans]
    weeks = math.ceil(float(p["lead"].max(initial=0.0))) + 2
    nothing = math.nan
    return State(
        teams=filled(
            TEAM_STATE, len(t), pressure=1.0, urge=1.0, short=week, long=week, capability=1.0
        ),
        channels=filled(
            CHANNEL_STATE,
            len(rules.channels),
            carried=rules.channels["carried"],
            share=1.0,
            spend=rules.channels_by["spend"][0],
        ),
        market=filled(
            MARKET_STATE,
            1,
            clock=rules.market["start"],
            reputation=1.0,
            heard=rules.market["usual"],
            throughput=nothing,
            company=nothing,
            known=nothing,
            price=rules.market_by["discount"][0],
        ),
        policies=filled(
            POLICY_STATE, len(p), signal=nothing, due=p["at"], rested=-math.inf, level=level
        ),
        slots=filled(SLOT, (len(p), int(p["most"].max(initial=1))), begin=math.inf, end=math.inf),
        kpis=filled(KPI, (len(p), len(rules.channels))),
        orders=np.zeros((len(p), weeks)),
        quarter=np.zeros(QUARTER),
    )


def holding(rules: Rules) -> Holds:
    """Room for what holds."""
    return Holds(
        filled(TEAM_HOLDS, len(rules.teams)),
        filled(CHANNEL_HOLDS, len(rules.channels)),
        filled(STAGE_HOLDS, len(rules.stages)),
        filled(HANDOFF_HOLDS, len(rules.handoffs)),
        filled(WHOLE_HOLDS, 1),
    )
