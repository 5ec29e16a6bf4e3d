"""A log as paths: which stage each case was in, from when to when, and what came next.

A stay is a run of visits to one stage; the visits inside it that a person began are its sessions.
A case is in the stage that it entered last. What is still going on at the end is censored there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.fit.logs.files import places
from simulator.fit.logs.log import OPEN, WON, Log

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
LONG = 10  # hours; a longer session has a night in it, and says nothing of hours
NIGHT = 6  # hours after midnight in which people are not at work
NEW = "new"  # the state of a case before its first visit
CENSORED = -1


@dataclass(frozen=True)
class Paths:
    """Cases (n), stays (m) and sessions (k) as arrays; times in days since ``start``.

    log: what they were made of, without its visits.

    start: midnight before the log's first moment; end: days to midnight after its last.

    stages: names, the first is ``new``. outcome: index into ``outcomes``, or -1 while open;
    closed is then nan. Stays are in order of case and time; ``after`` is the next stage, or
    len(stages) + outcome, or -1 where censored (``left`` is then the end of the log).
    Sessions are in order of stay; ``session_left`` is nan where it is not known.
    session_hours: of work, as the log states them, else from beginning to end; nan where unknown.
    session_done: when its visit was left, where the log states its hours; else nan.
    first: index of each case's first stay. session_first: of each stay's first session (m + 1).
    acts: when and who, of everything that a person is named with; programs left out.
    stay_who: who moved each case on from the stay (or holds it), -1 where nobody is named.
    a_week: hours of work that people are taken to have a week, where the log tells no work and its
    sessions are made up; else None. busy: the share of them that they then work on cases.
    """

    log: Log
    start: pd.Timestamp
    end: float
    stages: tuple[str, ...]
    outcomes: tuple[str, ...]
    channels: tuple[str, ...]
    people: tuple[str, ...]
    created: Array
    closed: Array
    outcome: Ints
    channel: Ints
    amount: Array
    first: Ints
    case: Ints
    stage: Ints
    entered: Array
    left: Array
    after: Ints
    session_stay: Ints
    session_started: Array
    session_left: Array
    session_hours: Array
    session_done: Array
    session_who: Ints
    session_first: Ints
    acts: tuple[Array, Ints]
    stay_who: Ints
    a_week: float | None = None
    busy: float | None = None

    @property
    def ended(self) -> NDArray[np.bool_]:
        """Stays whose end was seen, (m,)."""
        return np.asarray(self.after != CENSORED)

    @property
    def stayed(self) -> Array:
        """Days of each stay, up to the end of the log where censored."""
        return np.asarray(self.left - self.entered)

    def last(self) -> Ints:
        """Index of each case's last stay."""
        return np.asarray(np.append(self.first[1:], len(self.case)) - 1)

    def day(self, time: pd.Timestamp) -> float:
        """A time in days since the start."""
        return days(self.start, time)


def days(start: pd.Timestamp, time: pd.Timestamp) -> float:
    """From one time to another."""
    return float((time - start) / pd.Timedelta(days=1))


def _days(start: pd.Timestamp, times: pd.Series) -> Array:
    return np.asarray((times - start) / pd.Timedelta(days=1), dtype=float)


def make_paths(log: Log, outcomes: Sequence[str] = ()) -> Paths:
    """The paths of a log's cases; ``outcomes`` come first, whether a case has ended so or not."""
    cases = log.cases.sort_values("created", kind="stable")
    start, until = log.since.normalize(), log.until.ceil("D")
    end = days(start, until)
    created, closed = _days(start, cases["created"]), _days(start, cases["closed"])
    code, named = _codes(cases["outcome"])
    code = np.where(np.isnan(closed), -1, code)
    there = {named[i] for i in np.unique(code[code >= 0])}
    more = sorted(there - {OPEN, *outcomes}, key=lambda o: (o != WON, o))
    outcomes = (*outcomes, *more)
    outcome = _places(code, named, {o: i for i, o in enumerate(outcomes)})
    channel, channels = _codes(cases["channel"])
    visits = _without_marks(log.visits)
    stuck = never_left(visits, cases)
    if stuck:
        visits = visits[~visits["stage"].isin(stuck)]
    of = places(visits["case"], cases.index)
    day = _days(start, visits["entered"])
    order = np.lexsort((day, of))
    order = order[of[order] >= 0]
    of, day = of[order], day[order]
    day = np.maximum(day, created[of])
    # what is entered after the case has ended belongs to no path
    keep = ~(day >= closed[of]) & (day < end)
    order, of, day = order[keep], of[keep], day[keep]
    code, named = _codes(visits["stage"])
    code = code[order]
    stages = (NEW, *sorted({named[i] for i in np.unique(code)} - {NEW}))
    stage = _places(code, named, {s: i for i, s in enumerate(stages)})
    acts, people = _acts(log.visits, start, end)
    code, named = _codes(visits["who"])
    who = _places(code[order], named, {name: i for i, name in enumerate(people)})
    visits = visits[["started", "left", "worked"]].iloc[order]
    n = len(cases)
    # every case begins as new; a stay begins where case or stage changes
    case_all = np.concatenate([np.arange(n), of])
    stage_all = np.concatenate([np.zeros(n, dtype=np.int64), stage])
    day_all = np.concatenate([created, day])
    order = np.lexsort((np.arange(len(case_all)), day_all, case_all))
    # lexsort keeps the new state before a visit at the same moment, as its position is lower
    case_all, stage_all, day_all = case_all[order], stage_all[order], day_all[order]
    begins = np.ones(len(case_all), dtype=bool)
    begins[1:] = (case_all[1:] != case_all[:-1]) | (stage_all[1:] != stage_all[:-1])
    stay_all = np.cumsum(begins) - 1
    case, at_stage, entered = case_all[begins], stage_all[begins], day_all[begins]
    same = np.append(case[1:] == case[:-1], False)
    final = np.where(np.isnan(closed[case]), end, closed[case])
    left = np.where(same, np.append(entered[1:], 0.0), final)
    ends = np.where(outcome[case] >= 0, len(stages) + outcome[case], CENSORED)
    after = np.where(same, np.append(at_stage[1:], 0), ends)
    stay_of = np.empty(len(order), dtype=np.int64)
    stay_of[order] = stay_all
    stay_who = np.full(len(case), -1, dtype=np.int64)
    stay_who[stay_of[n:]] = who
    started = _days(start, visits["started"])
    began = ~np.isnan(started) & (started < end)
    session_stay = stay_of[n:][began]
    by = np.lexsort((started[began], session_stay))
    session_stay = session_stay[by]
    session_left = _session_ends(start, visits[began])
    stated = visits["worked"][began].notna().to_numpy()
    done = _days(start, visits["left"][began])
    return Paths(
        log=replace(log, visits=_none_of(log.visits)),
        start=start,
        end=end,
        stages=stages,
        outcomes=outcomes,
        channels=channels,
        people=people,
        created=created,
        closed=closed,
        outcome=outcome,
        channel=channel,
        amount=cases["amount"].to_numpy(dtype=float),
        first=np.flatnonzero(np.append(True, case[1:] != case[:-1])),
        case=case,
        stage=at_stage,
        entered=entered,
        left=left,
        after=after,
        session_stay=session_stay,
        session_started=started[began][by],
        session_left=session_left[by],
        session_hours=_hours(visits["worked"][began], session_left - started[began])[by],
        session_done=np.where(stated, done, np.nan)[by],
        session_who=who[began][by],
        session_first=np.searchsorted(session_stay, np.arange(len(case) + 1)),
        acts=acts,
        stay_who=stay_who,
    )


def _none_of(visits: pd.DataFrame) -> pd.DataFrame:
    """No visits: they are in the stays now, and an empty slice would hold on to millions."""
    return pd.DataFrame({name: pd.Series([], dtype=c.dtype) for name, c in visits.items()})


def never_left(visits: pd.DataFrame, cases: pd.DataFrame, *, itself: bool = False) -> list[str]:
    """Stages that no case was seen to leave: nothing says where they lead, or when.

    A case there is taken to be still in the stage before. cases: indexed by case. itself: without
    the stages that cases left for such ones only.
    """
    over = (cases["closed"].notna() & cases["outcome"].ne(OPEN)).to_numpy()
    case = places(visits["case"], cases.index)
    stage, names = _codes(visits["stage"])
    order = np.lexsort((visits["entered"].to_numpy(), case))
    case, stage = case[order], stage[order]
    ended = (case >= 0) & over[case]
    out: list[str] = []
    while True:
        on = np.append((case[1:] == case[:-1]) & (stage[1:] != stage[:-1]), False)
        found = np.setdiff1d(stage, stage[on | ended]) if len(stage) else stage
        if not len(found):
            return sorted(out)
        out += [names[s] for s in found]
        if itself:
            return sorted(out)
        stay = ~np.isin(stage, found)
        case, stage, ended = case[stay], stage[stay], ended[stay]


def _acts(
    visits: pd.DataFrame, start: pd.Timestamp, end: float
) -> tuple[tuple[Array, Ints], tuple[str, ...]]:
    """When people did something, and their names; who works at all hours is a program."""
    moment = visits["entered"].where(visits["entered"] == visits["left"])
    when = visits["started"].fillna(moment)
    if visits["started"].isna().all():  # no more is known than when cases moved
        when = visits["left"].fillna(visits["entered"])
    at = _days(start, when)
    who, names = _codes(visits["who"])
    known = (who >= 0) & (at >= 0) & (at < end)
    at, who = at[known], who[known]
    night = (at % 1.0) * 24 < NIGHT
    sunday = (np.floor(at).astype(np.int64) + start.day_of_week) % 7 == 6
    count = np.bincount(who, minlength=len(names))
    many = np.maximum(count, 1)
    by_night = np.bincount(who, weights=night, minlength=len(names)) / many
    by_sunday = np.bincount(who, weights=sunday, minlength=len(names)) / many
    busy = count >= 50
    program = busy & (by_night > 0.01) & (by_sunday > 0.05)
    if program.sum() > 0.5 * busy.sum():
        program[:] = False  # where most names are at it at all hours, the clock tells nothing
    people = tuple(n for n, p in zip(names, program, strict=True) if not p)
    place = np.where(program, -1, np.cumsum(~program) - 1)
    who = place[who]
    return (at[who >= 0], who[who >= 0]), people


def _places(code: Ints, names: tuple[str, ...], number: dict[str, int]) -> Ints:
    """The numbers of names that are given by their codes, -1 where there is none."""
    to = np.array([*(number.get(name, -1) for name in names), -1], dtype=np.int64)
    return np.asarray(to[code])


def _without_marks(visits: pd.DataFrame) -> pd.DataFrame:
    """The visits to stages that take time, where people's work is known.

    What is only ever a moment in such a log (an application state, an offer sent) happens in the
    course of the work of a stage, and is no stage of its own.
    """
    if visits["started"].isna().all():
        return visits
    moment = visits["started"].isna() & (visits["left"] == visits["entered"])
    mark = moment.groupby(visits["stage"]).transform("all")
    return visits[~mark]


def _session_ends(start: pd.Timestamp, visits: pd.DataFrame) -> Array:
    """When a person's work ended: the start and the hours worked, else when the visit was left."""
    worked = visits["worked"].to_numpy(dtype=float)
    left = _days(start, visits["left"])
    return np.where(np.isnan(worked), left, _days(start, visits["started"]) + worked / 24)


def _hours(stated: pd.Series, days: Array) -> Array:
    """Hours of work: stated, else a session's length where that can be all work; else nan."""
    hours = stated.to_numpy(dtype=float)
    length = 24 * days
    length = np.where((length >= 0) & (length <= LONG), length, np.nan)
    return np.where(np.isnan(hours), length, hours)


def _codes(values: pd.Series) -> tuple[Ints, tuple[str, ...]]:
    """Positions in the sorted names, -1 where there is none."""
    code, seen = pd.factorize(values)
    text = [str(s) for s in seen]
    names = tuple(sorted(set(text)))
    return _places(code, tuple(text), {name: i for i, name in enumerate(names)}), names
