"""Whether cases wait for people: does a wait grow with how many wait already?

Where it does, the wait is a queue's, and its length tells how much time people really have for
these cases. Where it does not, the wait is a choice (a call back next week) or the other side's.
Waits are counted in the hours in which a team works, so that nights are no queue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from simulator.fit.logs.crew import Crew
from simulator.fit.logs.log import WON
from simulator.fit.logs.paths import Paths

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
OPEN = 0.1  # an hour of the week with this share of the busiest hours' sessions is a working hour
BUSIEST_HOURS = 40
MEMORY = 3.0  # days that one day's queue is felt: so many days tell as much as one
EVIDENT = 2.5  # standard errors from no relation
FEWEST = 100  # waits that a relation needs
HOURS_A_WEEK = 168


@dataclass(frozen=True)
class Wait:
    """Waits for a person at one stage, in working hours of its team.

    relation: rank correlation of the mean wait of a day with how many waited; evident: more than
    2.5 standard errors (z) above none. mean_weeks: the mean wait, a week being the team's hours.
    cold: cases that ended otherwise than won before anybody began; patience_days: the mean time
    until one does, of an exponential law with all other waits as censored (exposure over events).
    """

    stage: int
    team: int
    seen: int
    mean_hours: float
    mean_weeks: float
    se_weeks: float
    relation: float
    z: float
    cold: int = 0
    patience_days: float = float("nan")
    patience_se: float = float("nan")

    @property
    def evident(self) -> bool:
        """Whether waits grow with the queue."""
        return self.z > EVIDENT


def estimate_waits(paths: Paths, crew: Crew, begun: Array) -> tuple[Wait, ...]:
    """Waits of every stage that people work at; ``begun``: by stay, when somebody began."""
    out = []
    for stage in np.flatnonzero(crew.team >= 0):
        mine = np.flatnonzero((paths.stage == stage) & (begun >= paths.entered))
        if len(mine) < FEWEST:
            continue
        working, hours = working_time(paths, crew, int(crew.team[stage]))
        entered, began = paths.entered[mine], begun[mine]
        wait = working(began) - working(entered)
        ahead = np.searchsorted(np.sort(entered), entered) - np.searchsorted(
            np.sort(began), entered, side="right"
        )
        by = pd.DataFrame({"day": np.floor(entered), "wait": wait, "ahead": ahead})
        daily = by.groupby("day").mean()
        rho, z = 0.0, 0.0
        if len(daily) > 6 and daily["wait"].nunique() > 2 and daily["ahead"].nunique() > 2:
            rho = float(stats.spearmanr(daily["wait"], daily["ahead"])[0])
            z = float(np.arctanh(np.clip(rho, -0.999, 0.999)) * np.sqrt(len(daily) / MEMORY))
        n = len(daily) / MEMORY
        cold, patience = _patience(paths, int(stage), begun)
        out.append(
            Wait(
                stage=int(stage),
                team=int(crew.team[stage]),
                seen=len(mine),
                mean_hours=float(wait.mean()),
                mean_weeks=float(wait.mean()) / hours,
                se_weeks=float(daily["wait"].std() / np.sqrt(max(n, 1.0))) / hours,
                relation=rho,
                z=z,
                cold=cold,
                patience_days=patience,
                patience_se=patience / np.sqrt(cold) if cold else float("nan"),
            )
        )
    return tuple(out)


def cold_stays(paths: Paths, begun: Array) -> NDArray[np.bool_]:
    """Stays that ended a case otherwise than won, and that nobody began."""
    over = paths.after >= len(paths.stages)
    if WON in paths.outcomes:
        over &= paths.after != len(paths.stages) + paths.outcomes.index(WON)
    return np.asarray(over & ~(begun <= paths.left))


def _patience(paths: Paths, stage: int, begun: Array) -> tuple[int, float]:
    """Cases that ended unbegun and not won, and days waited by all for each of them."""
    here = paths.stage == stage
    cold = int((here & cold_stays(paths, begun)).sum())
    waited = np.where(begun <= paths.left, begun, paths.left) - paths.entered
    exposure = float(np.maximum(waited[here], 0.0).sum())
    return cold, exposure / cold if cold else float("nan")


class Working:
    """Working hours of a team gone by since the log's start."""

    def __init__(self, sums: Array) -> None:
        self.sums = sums

    def __call__(self, day: Array) -> Array:
        """Hours up to these days."""
        return np.asarray(np.interp(24 * day, np.arange(len(self.sums)), self.sums))


def working_time(paths: Paths, crew: Crew, team: int) -> tuple[Working, float]:
    """The hours of the week in which a team works, gone by; and how many they are a week."""
    mine = crew.team[paths.stage[paths.session_stay]] == team
    hour = np.floor(24 * paths.session_started[mine]).astype(np.int64)
    first = 24 * paths.start.day_of_week
    count = np.bincount((hour + first) % HOURS_A_WEEK, minlength=HOURS_A_WEEK)
    busiest = np.sort(count)[-BUSIEST_HOURS:].mean()
    working = np.roll(count >= max(OPEN * busiest, 1.0), -first)
    weeks = int(np.ceil(paths.end / 7)) + 9
    sums = np.concatenate([[0.0], np.cumsum(np.tile(working, weeks).astype(float))])
    return Working(sums), float(max(working.sum(), 1))
