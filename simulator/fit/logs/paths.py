"""A log as paths: which stage each case was in, from when to when, and what came next.

A stay is a run of visits to one stage; the visits inside it that a person began are its sessions.
A case is in the stage that it entered last. What is still going on at the end is censored there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
    sessions are made up; else None.
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
    names = cases["outcome"].astype(str)
    names = names.where(~np.isnan(closed), OPEN)
    more = sorted(set(names) - {OPEN, *outcomes}, key=lambda o: (o != WON, o))
    outcomes = (*outcomes, *more)
    outcome = np.array([outcomes.index(o) if o != OPEN else -1 for o in names], dtype=np.int64)
    channel, channels = _codes(cases["channel"])
    visits = _without_marks(log.visits)
    visits = visits[~visits["stage"].isin(never_left(visits, cases))]
    at = pd.Series(np.arange(len(cases)), index=cases.index)
    visits = visits.assign(
        at=at.reindex(visits["case"]).to_numpy(dtype=float), day=_days(start, visits["entered"])
    )
    visits = visits[visits["at"].notna()].sort_values(["at", "day"], kind="stable")
    of = visits["at"].to_numpy(dtype=np.int64)
    day = np.maximum(visits["day"].to_numpy(dtype=float), created[of])
    # what is entered after the case has ended belongs to no path
    keep = ~(day >= closed[of]) & (day < end)
    visits, of, day = visits[keep], of[keep], day[keep]
    stages = (NEW, *sorted({str(s) for s in visits["stage"]} - {NEW}))
    number = {s: i for i, s in enumerate(stages)}
    stage = np.array([number[str(s)] for s in visits["stage"]], dtype=np.int64)
    acts, people = _acts(log.visits, start, end)
    who = _in(people, visits["who"])
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
        log=log,
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


def never_left(visits: pd.DataFrame, cases: pd.DataFrame) -> list[str]:
    """Stages that no case was seen to leave: nothing says where they lead, or when.

    A case there is taken to be still in the stage before. cases: indexed by case.
    """
    closed = cases.index[cases["closed"].notna() & cases["outcome"].ne(OPEN)]
    kept = visits[["case", "stage", "entered"]].sort_values(["case", "entered"], kind="stable")
    ended = kept["case"].isin(closed)
    out: list[str] = []
    while True:
        on = kept["case"].eq(kept["case"].shift(-1)) & kept["stage"].ne(kept["stage"].shift(-1))
        found = set(kept["stage"].unique()) - set(kept["stage"][on | ended].unique())
        if not found:
            return sorted(out)
        out += [str(s) for s in found]
        stay = ~kept["stage"].isin(found)
        kept, ended = kept[stay], ended[stay]


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


def _in(names: tuple[str, ...], values: pd.Series) -> Ints:
    """Positions in these names, -1 where it is none of them."""
    number = {name: i for i, name in enumerate(names)}
    return np.array([number.get(v, -1) if isinstance(v, str) else -1 for v in values], np.int64)


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
    text = values.astype("string")
    names = tuple(sorted(text.dropna().unique()))
    codes = pd.Categorical(text, categories=list(names)).codes
    return np.asarray(codes, dtype=np.int64), names
