"""Branchings of leads: numbers by segment, and variables where something can move them in a run."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.engines.flow.shares import (
    AGAIN,
    BACK,
    DECLINED,
    DROPPED,
    GOOD,
    NEITHER,
    NOT_THEM,
    NOTHING,
    ONWARD,
    POOR,
    TAKEN,
    THEM,
    US,
    Share,
    Variable,
)
from simulator.spec.signals import MOVE_EFFORT
from simulator.system import System
from simulator.weekly.shares import stage_shares

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


class Branchings:
    """Shares by segment (B,), or a Share of variables. shares: of buyers, (B, S, 2, 2)."""

    def __init__(self, system: System, shares: Any = None) -> None:
        self.system = system
        self.moving = moving(system)
        self.shares = stage_shares(system.buyer, system.stages) if shares is None else shares
        self.variables: list[Variable] = []
        self._one = np.ones(len(system.edges) - 1)

    def _variable(self, kind: int, place: int, fit: int = 0, node: int = -1) -> Share:
        wanted = Variable(kind, place, fit, node)
        if wanted not in self.variables:
            self.variables.append(wanted)
        return Share({(self.variables.index(wanted),): self._one})

    def fit(self, c: int, fit: int) -> Any:
        """Share of a channel's leads of a fit."""
        good = self.system.channels.good_fit[:, c]
        if self.moving.channels[c] and (good > 0).any():
            return self._variable(GOOD if fit == 0 else POOR, c)
        return good if fit == 0 else 1.0 - good

    def again(self, stage: int) -> tuple[Any, Any]:
        """Shares of work that come back, and that do not."""
        again = self.system.stages.rework[:, stage]
        if self.moving.stages[stage] and (again > 0).any():
            return self._variable(AGAIN, stage), self._variable(ONWARD, stage)
        return again, 1.0 - again

    def decided(self, stage: int, fit: int, whole: bool, node: int) -> tuple[Any, Any, Any]:
        """Shares of a decision: us, the competitor, nobody. whole: odds; node: of the deciding."""
        s = self.system
        us, them = self.shares[:, stage, fit, 0], self.shares[:, stage, fit, 1]
        aged = node if s.buyer.decay[s.stages.buyer[stage]] > 0.0 else -1
        if aged < 0 and not self.moving.buyers:
            us = us if whole else 0.0 * us
            return us, them, 1.0 - us - them
        theirs = self._variable(THEM, stage, fit, aged) if (them > 0).any() else them
        if not whole or not (us > 0).any():
            return 0.0 * us, theirs, self._variable(NOT_THEM, stage, fit, aged)
        ours = self._variable(US, stage, fit, aged)
        return ours, theirs, self._variable(NEITHER, stage, fit, aged)

    def handed(self, h: int, fit: int) -> tuple[Any, Any, Any, Any]:
        """Shares that a handoff takes on and declines; of these, those given back and dropped."""
        s = self.system
        accepted, returned = s.handoffs.accepted[:, h, fit], s.handoffs.returned[:, h]
        refused = np.maximum(0.0, 1.0 - accepted - returned)
        refused = np.where(refused < NOTHING, 0.0, refused)
        declined = returned + refused
        if self.moving.handoffs[h] and (declined > 0).any():
            back: Any = 0.0 * returned
            if (returned > 0).any():
                back = self._variable(BACK, h, fit)
            taken, away = self._variable(TAKEN, h, fit), self._variable(DECLINED, h, fit)
            return taken, away, back, self._variable(DROPPED, h, fit)
        back = np.where(declined > 0, returned / np.where(declined > 0, declined, 1.0), 0.0)
        return 1.0 - returned - refused, declined, back, 1.0 - back
