"""Which branchings the weekly step can move, so that only those are variables."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.spec.signals import MOVE_EFFORT
from simulator.system import System

Flags = NDArray[np.bool_]


class Moving(NamedTuple):
    """Channels whose fit, stages whose rework and handoffs whose acceptance move; decisions."""

    channels: Flags
    stages: Flags
    handoffs: Flags
    buyers: bool


def moving(system: System) -> Moving:
    """What may move in a run of a system."""
    rules = system.rules
    if rules is None:
        names = (system.channel_names, system.stage_names, system.handoff_names)
        channels, stages, handoffs = (np.zeros(len(n), dtype=np.bool_) for n in names)
        return Moving(channels, stages, handoffs, False)
    erring = (rules.teams["pressed"] > 0) & (rules.teams["errors"] > 0)
    erring = np.append(erring, False)  # NO_TEAM is the last
    market = rules.market[0]
    return Moving(
        channels=rules.channels["loss"] > 0,
        stages=erring[rules.stages["team"]],
        handoffs=erring[rules.handoffs["sender"]],
        buyers=bool(
            (market["reputation"] > 0 and market["reputation_odds"] > 0)
            or market["lift"] > 0
            or market["pull"] > 0
            or market["attention"] >= 0
            or (rules.moves["code"] == MOVE_EFFORT).any()
        ),
    )
