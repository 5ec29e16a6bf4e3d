"""Events paired into visits: from schedule, start and complete; from intervals; from stamps."""

from __future__ import annotations

import itertools
from collections import deque

import numpy as np
import pandas as pd

from simulator.fit.logs.files import TEXT
from simulator.fit.logs.times import NS
from simulator.fit.tables import Finding, Table

SCHEDULE, START, PAUSE, RESUME, COMPLETE = range(5)
STEPS = {
    "schedule": SCHEDULE, "scheduled": SCHEDULE, "enable": SCHEDULE, "enabled": SCHEDULE,
    "queued": SCHEDULE, "assign": SCHEDULE, "start": START, "started": START, "begin": START,
    "suspend": PAUSE, "pause": PAUSE, "resume": RESUME,
    "complete": COMPLETE, "completed": COMPLETE, "end": COMPLETE, "finish": COMPLETE,
    "done": COMPLETE, "withdraw": COMPLETE, "ateabort": COMPLETE, "piabort": COMPLETE,
    "manualskip": COMPLETE, "autoskip": COMPLETE,
}  # fmt: skip
NIGHT = 10.0  # hours: a longer session has a night in it, and says nothing of the work
NONE = np.iinfo(np.int64).min  # no time


def paired(frame: pd.DataFrame, table: Table, found: list[Finding]) -> pd.DataFrame:
    """Visits of events with one stamp each."""
    lived = "step" in frame and len(frame.step.unique()) > 1
    case = frame.case.to_numpy()
    if not lived:
        # A stamp alone is when the case moved there; "complete" alone is when it was done.
        first = np.r_[True, case[1:] != case[:-1]]
        last = np.r_[case[1:] != case[:-1], True]
        time = frame.time.to_numpy()
        if "step" in frame and int(frame.step.iloc[0]) == COMPLETE:
            entered, left = np.r_[time[:1], time[:-1]], time.copy()
            entered[first] = time[first]
            action = "each from the event before it until it was complete"
        else:
            entered, left = time, np.r_[time[1:], time[:1]]
            left[last] = np.datetime64("NaT")
            action = "each from its time until the next event of its case"
        found.append(Finding(table.file, len(frame), "events with one time", action))
        return visits_of(case, frame.activity, entered, None, left, frame.who, None)
    return _lives(frame, table, found)


def _lives(frame: pd.DataFrame, table: Table, found: list[Finding]) -> pd.DataFrame:
    """Visits of events with a lifecycle: what was scheduled, begun and completed."""
    case, case_names = pd.factorize(frame.case)
    act, act_names = pd.factorize(frame.activity)
    who, who_names = pd.factorize(frame.who)
    order = np.lexsort((np.arange(len(frame)), act, case))
    group = (case * len(act_names) + act)[order]
    edges = [*np.flatnonzero(np.r_[True, group[1:] != group[:-1]]).tolist(), len(order)]
    steps = frame.step.to_numpy()[order].tolist()
    times = frame.time.to_numpy().astype(NS).astype(np.int64)[order].tolist()
    people = who[order].tolist()
    rows: list[list[int]] = []  # entered, started, left, who, worked, group's first, since, done by
    loose = 0
    for begin, end in itertools.pairwise(edges):
        waiting: deque[list[int]] = deque()
        going: list[list[int]] = []
        for i in range(begin, end):
            step, t, p = steps[i], times[i], people[i]
            if step == SCHEDULE:
                row = [t, NONE, NONE, p, 0, begin, NONE, -1]
                rows.append(row)
                waiting.append(row)
            elif step in {START, RESUME}:
                paused = [r for r in going if r[6] == NONE]
                if step == RESUME and paused:
                    row = paused[-1]
                elif waiting:
                    row = waiting.popleft()
                    row[1] = t
                    going.append(row)
                else:
                    row = [t, t, NONE, p, 0, begin, NONE, -1]
                    rows.append(row)
                    going.append(row)
                row[6] = t
                if step == START or p >= 0:
                    row[3] = p
            elif going:
                mine = [r for r in going if r[3] == p] or going
                row = mine[-1]
                if row[6] != NONE:
                    row[4] += t - row[6]
                    row[6] = NONE
                if step == COMPLETE:
                    row[2], row[7] = t, i
                    if row[3] < 0:
                        row[3] = p
                    going.remove(row)
            elif step == COMPLETE and waiting:
                row = waiting.popleft()
                row[2], row[3], row[4], row[7] = t, p, -1, i
            elif step == COMPLETE:
                rows.append([t, NONE, t, p, -1, begin, NONE, i])
                loose += 1
    got = np.array(rows, dtype=np.int64).reshape(-1, 8)
    at = order[got[:, 5]]
    entered, started, left = (got[:, k].copy().view(NS) for k in range(3))  # NONE is NaT
    worked = np.where((got[:, 2] != NONE) & (got[:, 4] >= 0), got[:, 4] / 3.6e12, np.nan)
    names = pd.Series(who_names.astype(object), dtype=object).reindex(got[:, 3])
    if loose:
        pure = frame.groupby("activity").step.agg(lambda s: bool((s == COMPLETE).all()))
        marks = int(frame.activity.map(pure).sum())
        text = "complete events that nothing began"
        action = f"taken as moments; {marks:,} are of activities that only complete"
        found.append(Finding(table.file, loose, text, action))
    worked = _nights(worked, table, found, _stated(frame, order, got[:, 7]))
    cases, stages = case_names.to_numpy()[case[at]], act_names.to_numpy()[act[at]]
    out = visits_of(cases, stages, entered, started, left, names.to_numpy(), worked)
    return out.sort_values(["case", "entered"], kind="stable", ignore_index=True)


def _stated(frame: pd.DataFrame, order: np.ndarray, done: np.ndarray) -> np.ndarray | None:
    """Hours that the events which completed visits state; NaN where they state none."""
    if "hours" not in frame:
        return None
    hours = frame.hours.to_numpy(dtype=float)[order]
    return np.where(done >= 0, hours[done], np.nan)


def _nights(
    worked: np.ndarray, table: Table, found: list[Finding], stated: np.ndarray | None
) -> np.ndarray:
    """Hours worked: those stated; else those between start and end, where no night is in them."""
    known = np.isfinite(stated) if stated is not None else np.zeros(len(worked), dtype=bool)
    long = (worked > NIGHT) & ~known
    if long.any():
        text = f"visits worked on for more than {NIGHT:.0f} hours at a stretch"
        action = "hours worked taken as not known: nights are in them"
        found.append(Finding(table.file, int(long.sum()), text, action))
    seen = np.where(long, np.nan, worked)
    return seen if stated is None else np.where(known, stated, seen)


def intervals(frame: pd.DataFrame, table: Table, found: list[Finding]) -> pd.DataFrame:
    """Visits of events with a start and an end."""
    entered = frame.time
    if "sched" in frame:
        late = frame.sched > frame.time
        if late.any():
            text = "rows scheduled after they started"
            found.append(Finding(table.file, int(late.sum()), text, "entered when they started"))
        entered = frame.sched.where(frame.sched.notna() & ~late, frame.time)
    else:
        text = "visits without a time of scheduling"
        found.append(Finding(table.file, len(frame), text, "entered when they started"))
    end = frame.end if "end" in frame else pd.Series(pd.NaT, index=frame.index, dtype=NS)
    hours = (end - frame.time).dt.total_seconds().to_numpy() / 3600.0
    stated = frame.hours.to_numpy(dtype=float) if "hours" in frame else None
    worked = _nights(hours, table, found, stated)
    out = visits_of(frame.case, frame.activity, entered, frame.time, end, frame.who, worked)
    return out.sort_values(["case", "entered"], kind="stable", ignore_index=True)


def visits_of(
    case: object,
    stage: object,
    entered: object,
    started: object,
    left: object,
    who: object,
    worked: object,
) -> pd.DataFrame:
    """A Log's visits of columns alike in length; None: not known."""
    n = len(case)  # type: ignore[arg-type]
    nothing = np.full(n, np.datetime64("NaT"), dtype=NS)
    columns = {
        "case": pd.Series(np.asarray(case, dtype=object), dtype=TEXT),
        "stage": pd.Series(np.asarray(stage, dtype=object), dtype=TEXT),
        "entered": np.asarray(entered, dtype=NS),
        "started": nothing if started is None else np.asarray(started, dtype=NS),
        "left": np.asarray(left, dtype=NS),
        "who": pd.Series(np.asarray(who, dtype=object), dtype=TEXT),
        "worked": np.full(n, np.nan) if worked is None else np.asarray(worked, dtype=float),
    }
    return pd.DataFrame(columns)
