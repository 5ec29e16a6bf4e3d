"""Work that no log tells: who moved a case on has worked on it, for hours that the book gives.

A CRM's history says when a deal moved and who moved it, and nothing of the hours. People are then
taken to be as busy as the book has them, and work as the last part of each stay. Whether deals
move on more slowly where people have more of them is estimated, and said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulator.fit.logs.crew import CLOCK_HOURS, RECENT_WEEKS, teams_by_stage
from simulator.fit.logs.paths import CENSORED, Paths
from simulator.spec.book import Assumption

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
HOURS = Assumption(28.0, 24.0, 36.0, "D", "27 to 29 hours a week on deals in the base case")
BUSY_RANGE = (0.5, 0.8, 0.9)  # least, usual, most
BUSY = Assumption(
    BUSY_RANGE[1],
    BUSY_RANGE[0],
    BUSY_RANGE[2],
    "D",
    "SDRs are busy 74%, AEs 81%, SEs 91% in the base case",
)
FLOW_WEEKS = 26  # of moves: as few weeks as people are counted in have more or fewer by chance
MOST_OF_A_STAY = 0.9  # that can be work
FEWEST_MOVES = 100  # that tell whether people with more deals are slower
STEPS = 40
MOST_DRAWN = 0.05  # of the cases, whose end was given a day
SLOWER = 0.15  # short of an elasticity of 1: less than that is no limit to speak of
HEAVY = 0.95  # of a person's weeks


def works_unseen(paths: Paths) -> bool:
    """Whether people are named, and nothing says when they worked."""
    return not len(paths.session_started) and bool((paths.stay_who >= 0).any())


def with_work(paths: Paths, contention: Contention | None = None) -> Paths:
    """The paths with a session at the end of each stay that somebody ended.

    As many hours in each of a team's, but in shorter stays: so many that its people are as busy as
    in the book, or less where the data show them to have kept up with more.
    """
    busy = usually_busy(contention)
    hours_a_week = float(HOURS.value)
    stays = np.flatnonzero((paths.after != CENSORED) & (paths.stay_who >= 0) & (paths.stage > 0))
    clock = CLOCK_HOURS / hours_a_week
    most = MOST_OF_A_STAY * 24 * paths.stayed[stays] / clock
    weeks = min(float(FLOW_WEEKS), paths.end / 7)
    counted = paths.left[stays] >= paths.end - 7 * weeks
    recent = paths.left[stays] >= paths.end - 7 * RECENT_WEEKS
    who, stage = paths.stay_who[stays], paths.stage[stays]
    did = np.zeros((len(paths.stages), len(paths.people)))
    np.add.at(did, (stage, who), 1.0)
    team = teams_by_stage(did, did.sum(axis=1) > 0)[stage]
    hours = np.zeros(len(stays))
    by_team = np.zeros((int(team.max(initial=0)) + 1, len(paths.people)))
    np.add.at(by_team, (team[recent], who[recent]), 1.0)
    home = np.where(by_team.sum(axis=0) > 0, by_team.argmax(axis=0), -1)
    for k in np.unique(team):
        mine = team == k
        total = float((home == k).sum()) * hours_a_week * busy * weeks
        hours[mine] = np.minimum(_level(most[mine & counted], total), most[mine])
    started = paths.left[stays] - hours * clock / 24
    return replace(
        paths,
        session_stay=stays,
        session_started=started,
        session_left=paths.left[stays],
        session_hours=hours,
        session_done=paths.left[stays],
        session_who=paths.stay_who[stays],
        session_first=np.searchsorted(stays, np.arange(len(paths.case) + 1)),
        a_week=hours_a_week,
        busy=busy,
    )


def _level(most: Array, total: float) -> float:
    """The hours h at which the sum of min(h, most) is the total; the largest, if it never is."""
    if not len(most) or most.sum() <= total:
        return float(most.max(initial=0.0))
    low, high = 0.0, float(most.max())
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(middle, most).sum() < total else (low, middle)
    return (low + high) / 2


@dataclass(frozen=True)
class Contention:
    """By how much a person's moves a week grow with the cases they have: 1, as much; 0, not at all.

    The elasticity, within people, with its standard error; moves: how many were seen. heavy: cases
    in a person's heavy weeks (one in twenty) over those of their usual one.
    """

    elasticity: float
    se: float
    moves: int
    heavy: float = 1.0

    @property
    def limits(self) -> bool | None:
        """Whether people's time is seen to be a limit; None where the data do not say."""
        if self.elasticity + 1.645 * self.se < 1 - SLOWER:
            return True
        return False if self.elasticity - 1.645 * self.se > 1 - SLOWER else None


def usually_busy(contention: Contention | None) -> float:
    """Share of their hours that people work on cases: the book's, or what the data allow of it.

    Who keeps up with so many times the usual cases is busy in a usual week for no more than that
    part of their hours.
    """
    if contention is None or contention.limits is not False:
        return BUSY_RANGE[1]
    return min(BUSY_RANGE[1], 1 / max(contention.heavy, 1.0))


def estimate_contention(paths: Paths) -> Contention | None:
    """From the weeks of each person; None where there are too few moves, or too alike weeks.

    Moves are Poisson with mean a_p n^g, n the cases that a person has as the week begins and a_p
    the person's own: g by maximum likelihood given each person's total (conditional Poisson), with
    errors that allow for weeks that vary by more than chance.
    """
    people, weeks = len(paths.people), int(paths.end // 7)
    if not people or weeks < 4:
        return None
    if len(paths.log.drawn) > MOST_DRAWN * max(len(paths.created), 1):
        return None  # days that were drawn say nothing of people
    who, begins = paths.stay_who, paths.end - 7.0 * np.arange(weeks, 0, -1)
    use = (who >= 0) & (paths.stage > 0)
    who, entered, left = who[use], paths.entered[use], paths.left[use]

    def count(which: Ints, week: Ints) -> Array:
        both = np.bincount(which * (weeks + 1) + week, minlength=people * (weeks + 1))
        return np.asarray(both.reshape(people, weeks + 1), dtype=float)

    # a case is had from the week that begins after it was entered to the last before it was left
    first, last = np.searchsorted(begins, entered), np.searchsorted(begins, left) - 1
    some = last >= first
    have = np.cumsum(count(who[some], first[some]) - count(who[some], last[some] + 1), axis=1)
    have = have[:, :weeks]
    out = some & (paths.after[use] != CENSORED) & (left < begins[last] + 7)
    moved = count(who[out], last[out])[:, :weeks]
    there = have > 0
    total = np.where(there, moved, 0.0).sum(axis=1, keepdims=True)
    if total.sum() < FEWEST_MOVES:
        return None
    x = np.log(np.maximum(have, 1.0))
    g = 1.0
    for _ in range(STEPS):
        part = np.where(there, np.exp(g * x), 0.0)
        part /= np.maximum(part.sum(axis=1, keepdims=True), 1e-300)
        mean = (part * x).sum(axis=1, keepdims=True)
        score = float(((moved - total * part) * (x - mean) * there).sum())
        information = float((total * part * (x - mean) ** 2).sum())
        if information < 1e-6:
            return None
        step = score / information
        g += float(np.clip(step, -1.0, 1.0))
        if abs(step) < 1e-8:
            break
    expected = total * part
    spread = ((moved - expected) ** 2 / np.maximum(expected, 1e-9))[there & (expected > 0)]
    over = max(1.0, float(spread.sum() / max(len(spread) - people - 1, 1)))
    return Contention(
        g, float(np.sqrt(over / information)), int(total.sum()), _heavy(have, total[:, 0])
    )


def _heavy(have: Array, moved: Array) -> float:
    """Cases in heavy weeks over those of usual ones, within people; the mean over their moves.

    have: by person and week; of the weeks in which work is counted.
    """
    late = have[:, -FLOW_WEEKS:]
    usual = np.array([row[row > 0].mean() if (row > 0).any() else np.nan for row in late])
    heavy = np.array([np.quantile(row[row > 0], HEAVY) if (row > 0).any() else 1.0 for row in late])
    known = np.isfinite(usual) & (moved > 0)
    if not known.any():
        return 1.0
    return max(1.0, float(np.average(heavy[known] / usual[known], weights=moved[known])))
