"""The people in a log: who worked when, at which stages, for how many hours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from simulator.fit.level import Level, fit_level
from simulator.fit.logs.demand import year_end
from simulator.fit.logs.measure import active_people, whole_weeks
from simulator.fit.logs.paths import Paths
from simulator.spec.book import Assumption

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
RECENT_WEEKS = 8
AWAY = Assumption(0.9, 0.7, 1.0, "D", "some are on leave in the two weeks up to New Year")
AWAY_SD = float(np.log(1.0 / 0.7) / (2 * 1.645))  # of the log of that factor: its range holds 90%
AWAY_WEEKS = 1.0  # how many weeks of data the book's value weighs as much as
ROUND = 0.5  # share of a session's clock that is work, from which nights are no part of it
FEWEST_PACED = 30  # sessions that tell at which pace a team works
CLOCK_HOURS = 168.0
SHARED = 0.5  # share of a stage's sessions done by people of another's, from which they are a team


@dataclass(frozen=True)
class Crew:
    """Who works at which stages: teams, heads, presence and hours on cases.

    team: by stage of the paths, -1 where nobody works, or nobody is named.
    heads: people of each team seen in the last eight weeks who did most of their work in it.
    presence: hours a person of the team is there in a week, from the first to the last event of
    each day, averaged over those active; busy: hours of sessions a person a week.
    weekly: people active in each whole week of the log, all teams; active: their level now, of
    a usual week. away: share of them that a week in the two up to New Year has, and the standard
    deviation of its log.
    paced: teams whose presence is told by their sessions, which go on over nights and free days:
    the hours of work in them over those by the clock.
    """

    team: Ints
    heads: Array
    presence: Array
    presence_se: Array
    busy: Array
    weeks: tuple[float, ...]
    weekly: Array
    active: Level | None
    away: tuple[float, float]
    hours: Array
    weekdays: Array
    paced: NDArray[np.bool_]

    @property
    def teams(self) -> int:
        """How many teams."""
        return len(self.heads)


def estimate_crew(paths: Paths) -> Crew:
    """Estimate from the sessions."""
    who = paths.session_who
    stage = paths.stage[paths.session_stay]
    stages, people = len(paths.stages), max(len(paths.people), 1)
    did = np.zeros((stages, people))
    np.add.at(did, (stage[who >= 0], who[who >= 0]), 1.0)
    worked = np.bincount(stage, minlength=stages) > 0
    team = teams_by_stage(did, worked)
    teams = int(team.max(initial=-1)) + 1
    recent = paths.session_started >= paths.end - 7 * RECENT_WEEKS
    weeks = min(RECENT_WEEKS, paths.end / 7)
    by_team = np.zeros((max(teams, 1), people))
    use = recent & (who >= 0) & (team[stage] >= 0)
    np.add.at(by_team, (team[stage[use]], who[use]), 1.0)
    home = np.where(by_team.sum(axis=0) > 0, by_team.argmax(axis=0), -1)
    heads, presence, presence_se, busy = (np.zeros(teams) for _ in range(4))
    paced = np.zeros(teams, dtype=bool)
    dow, hours_of_day = np.zeros(7), np.zeros(24)
    if (who >= 0).any():
        at = paths.session_started[who >= 0]
        dow = np.bincount((at.astype(int) + paths.start.day_of_week) % 7, minlength=7) / len(at)
        hours_of_day = np.bincount(((at % 1) * 24).astype(int), minlength=24) / len(at)
    for k in range(teams):
        mine = np.flatnonzero(home == k)
        there = _presence(paths, who, mine, paths.end - 7 * weeks)
        # heads are those active in a week: part-timers count as the part they work
        active = [len(x) for x in there]
        heads[k] = float(np.mean(active)) if active else 0.0
        each = np.array([h for week in there for h in week])
        if len(each):
            presence[k] = each.mean()
            presence_se[k] = each.std() / np.sqrt(len(each))
        pace, pace_se = _pace(paths, team[stage] == k)
        if paths.a_week is not None:
            pace, pace_se = paths.a_week, 0.0
        if pace < ROUND * CLOCK_HOURS:
            paced[k], presence[k], presence_se[k] = True, pace, pace_se
            # who had no work in a week was there all the same
            heads[k] = _employed(paths, mine, weeks)
        here = recent & (team[stage] == k)
        known = paths.session_hours[here]
        if np.isfinite(known).any() and heads[k] > 0:
            total = np.nanmean(known) * here.sum()
            busy[k] = total / weeks / heads[k]
    # Where nobody is named, or nobody was there of late, there is no team to speak of: what its
    # stages take, work and all, is time from entering to leaving.
    kept = np.flatnonzero(heads > 0)
    number = np.full(teams + 1, -1, dtype=np.int64)  # the last is for -1
    number[kept] = np.arange(len(kept))
    seen = whole_weeks(paths.start, 0.0, paths.end)
    weekly = active_people(paths, seen)
    quiet = quiet_share(paths.start, seen)
    away = _away(weekly, quiet)
    return Crew(
        team=number[team],
        heads=heads[kept],
        presence=presence[kept],
        presence_se=presence_se[kept],
        busy=busy[kept],
        weeks=tuple(seen),
        weekly=weekly,
        active=fit_level(weekly, 1 - quiet * (1 - away[0]), chance=False)
        if len(weekly) >= 3 and weekly.any()
        else None,
        away=away,
        hours=hours_of_day,
        weekdays=dow,
        paced=paced[kept],
    )


def quiet_share(start: pd.Timestamp, weeks: list[float]) -> Array:
    """Share of the days of each week that are in the two weeks up to New Year."""
    days = np.asarray(weeks)[:, None] + np.arange(7.0)
    dates = start + pd.to_timedelta(days.ravel(), unit="D")
    return np.asarray(year_end(dates).reshape(-1, 7).mean(axis=1))


def _away(weekly: Array, quiet: Array) -> tuple[float, float]:
    """Who was there in those weeks over who usually is, with the book's value as prior."""
    usual = np.flatnonzero((quiet == 0) & (weekly > 0))
    found, weight = AWAY_WEEKS * float(AWAY.value), AWAY_WEEKS
    for k in np.flatnonzero(quiet > 0.5):
        near = usual[np.argsort(np.abs(usual - k), kind="stable")[:RECENT_WEEKS]]
        if len(near):
            # the rest of the week is as usual
            found += weekly[k] / weekly[near].mean() - (1 - quiet[k])
            weight += quiet[k]
    share = float(np.clip(found / weight, 0.2, 1.0))
    return share, AWAY_SD * float(np.sqrt(AWAY_WEEKS / weight))


def _employed(paths: Paths, mine: Ints, weeks: float) -> float:
    """People from the first thing they did to the last, averaged over the weeks up to the end.

    Who did something in the last half of them is still there.
    """
    at, who = paths.acts
    since = paths.end - 7 * weeks
    total = 0.0
    for person in mine:
        own = at[who == person]
        last = paths.end if own.max() >= paths.end - 3.5 * weeks else own.max()
        total += max(last - max(own.min(), since), 0.0) / (7 * weeks)
    return total


def _pace(paths: Paths, mine: NDArray[np.bool_]) -> tuple[float, float]:
    """Hours a week that people work while they have work in hand, and their standard error.

    Of sessions whose hours the log states: their sum over the hours by the clock in which a person
    had one or more of them in hand; inf where unknown.
    """
    use = mine & (paths.session_who >= 0) & (paths.session_done > paths.session_started)
    use &= np.isfinite(paths.session_hours)
    n = int(use.sum())
    if n < FEWEST_PACED:
        return float("inf"), 0.0
    # everybody's time on a line of their own
    apart = paths.session_who[use] * (paths.end + float(paths.session_done[use].max()) + 1.0)
    begun, done = apart + paths.session_started[use], apart + paths.session_done[use]
    order = np.argsort(begun, kind="stable")
    begun, done, hours = begun[order], done[order], paths.session_hours[use][order]
    until = np.concatenate([[-1.0], np.maximum.accumulate(done)[:-1]])
    clock = 24 * np.maximum(done - np.maximum(begun, until), 0.0)
    ratio = float(hours.sum() / clock.sum())
    rest = hours - ratio * clock
    se = float(np.sqrt((rest**2).sum() * n / (n - 1)) / clock.sum())
    return CLOCK_HOURS * ratio, CLOCK_HOURS * se


def teams_by_stage(did: Array, worked: NDArray[np.bool_]) -> Ints:
    """Stages whose people are largely the same share a team; -1 where nobody works."""
    stages = len(did)
    total = did.sum(axis=1, keepdims=True)
    share = np.divide(did, total, out=np.zeros_like(did), where=total > 0)
    pairs = [
        (a, b)
        for a in range(stages)
        for b in range(a)
        if np.minimum(share[a], share[b]).sum() > SHARED
    ]
    row = [a for a, _ in pairs]
    col = [b for _, b in pairs]
    graph = coo_array((np.ones(len(pairs)), (row, col)), shape=(stages, stages))
    label = connected_components(graph, directed=False)[1]
    out = np.full(stages, -1, dtype=np.int64)
    number: dict[int, int] = {}
    for s in range(stages):
        if worked[s]:
            out[s] = number.setdefault(int(label[s]), len(number))
    return out


def _presence(paths: Paths, who: Ints, mine: Ints, since: float) -> list[list[float]]:
    """Hours there, by week and person: first to last moment of each day."""
    ends = np.where(np.isnan(paths.session_left), paths.session_started, paths.session_left)
    day = np.floor(paths.session_started)
    # an end on a later day is not that day's
    ends = np.where(np.floor(ends) == day, ends, paths.session_started)
    use = np.isin(who, mine) & (paths.session_started >= since)
    spans: dict[tuple[int, int], tuple[float, float]] = {}
    for p, d, a, b in zip(who[use], day[use], paths.session_started[use], ends[use], strict=True):
        low, high = spans.get((int(p), int(d)), (a, b))
        spans[int(p), int(d)] = (min(low, a), max(high, b))
    weeks: dict[int, dict[int, float]] = {}
    for (p, d), (low, high) in spans.items():
        week = weeks.setdefault(int((d - since) // 7), {})
        week[p] = week.get(p, 0.0) + 24 * (high - low)
    return [list(week.values()) for week in weeks.values()]
