"""Those who are hired: which kind they are, and how long each of them ramps; and the kinds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator import draws, laws
from simulator.compiled import compiled
from simulator.spec.schema import Scenario
from simulator.spec.teams import Team
from simulator.weekly.records import HIRE, Array, filled

SPANS, KINDS = -1, -2  # streams of draws beside those of who quits, one a seat


def rate_of(team: Team) -> float:
    """The rate of quitting that those of a team's people are multiples of."""
    ramped, ramping = team.quits
    stays = [1.0 / hire.tenure for hire in team.hires.values() if hire.tenure]
    return ramped or max([ramping, *stays])


def watched(s: Scenario) -> NDArray[np.bool_]:
    """Teams where how long each has been there matters to the day, (M,)."""
    return np.array(
        [
            bool(t.hiring is not None or t.hires or t.quits[0] != t.quits[1]) or t.ramps_by_chance
            for t in s.teams.values()
        ],
        dtype=np.bool_,
    )


def kinds_of(s: Scenario) -> Array:
    """Kinds of hires, (M, K); the share of none is the team's as stated."""
    teams = list(s.teams.values())
    most = 1 + max((len(t.hires) for t in teams), default=0)
    made = filled(HIRE, (len(teams), most), upto=1.0, gift=1.0, early=1.0, later=1.0)
    for row, team in zip(made, teams, strict=True):
        rate, (ramped, ramping) = rate_of(team), team.quits
        own = team.attrition_ramping is not None or team.washout is not None
        if rate > 0.0:
            row["early"], row["later"] = ramping / rate, ramped / rate
        if not team.hires:
            continue
        upto, total = 0.0, sum(hire.share for hire in team.hires.values())
        row["upto"][0] = 0.0
        for kind, hire in zip(row[1:], team.hires.values(), strict=False):
            upto += hire.share / total  # in a study of ranges one may be moved without the others
            kind["upto"], kind["gift"] = upto, hire.productivity
            if hire.tenure is not None:
                kind["later"] = 1.0 / hire.tenure / rate
                if not own:
                    kind["early"] = kind["later"]
        row["upto"][len(team.hires) :] = 1.0
    return made


@compiled
def span_of(stream: Any, person: int, times: int, law: int, ramp: float) -> float:
    """How many weeks the `times`-th person in a seat ramps."""
    if law == laws.LINE:
        return ramp
    key = draws.subkey(draws.subkey(stream, SPANS), person)
    return ramp * draws.exponential(key, times)


@compiled
def luck_of(stream: Any, person: int, times: int) -> float:
    """What decides the kind of the `times`-th person in a seat: the first whose `upto` is more."""
    return draws.uniform(draws.subkey(draws.subkey(stream, KINDS), person), times)


__all__ = ["kinds_of", "luck_of", "rate_of", "span_of", "watched"]
