"""A last day that the data show only a part of, as of an export made at noon: left out.

Counted as a whole day, it would make the last week a slow one, and all that is foretold from it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from simulator.fit.logs.log import Log
from simulator.fit.tables import Finding

BACK = 8  # such weekdays before it that tell what a whole one has
FEWEST_DAYS = 3
SURELY = 5.0  # cases that had something later on such a day: by chance none has in one day of 150
SHARE = 0.1  # of the cases of such a day, from which what is missing matters


def without_cut_day(log: Log) -> Log:
    """The log up to midnight before its last day, where that was cut; else itself."""
    day = log.until.normalize()
    hour = log.until - day
    if hour == pd.Timedelta(0):
        return log
    days = [day - pd.Timedelta(weeks=k) for k in range(1, BACK + 1)]
    days = [d for d in days if d >= log.since]
    if len(days) < FEWEST_DAYS or log.cases.empty:
        return log
    seen = _moments(log, days)
    later = seen[seen["hour"] > hour]
    whole, missing = (len(x[["case", "day"]].drop_duplicates()) for x in (seen, later))
    if missing < SURELY * len(days) or missing < SHARE * whole:
        return log
    here = _moments(log, [day])["case"].nunique()
    found = Finding(
        log.files[0] if log.files else "the log",
        here,
        f"cases with something on {day.date()}, which was cut at {log.until:%H:%M}",
        f"that day left out: on such days {missing / len(days):,.0f} cases have something later. "
        "Export up to a midnight to use it",
    )
    return replace(log.before(day), findings=(*log.findings, found))


def _moments(log: Log, days: list[pd.Timestamp]) -> pd.DataFrame:
    """Cases with something on these days: case, day and time since midnight."""
    found = []
    sources = (log.visits, ("entered", "started", "left")), (log.cases, ("created", "closed"))
    for frame, columns in sources:
        for column in columns if len(frame) else ():
            times = frame[column]
            day = times.dt.normalize()
            mine = np.flatnonzero(day.isin(days))
            case = frame["case"] if "case" in frame.columns else frame.index.to_series()
            at = times.iloc[mine].to_numpy()
            to = day.iloc[mine].to_numpy()
            found.append(
                pd.DataFrame({"case": case.iloc[mine].to_numpy(), "day": to, "hour": at - to})
            )
    return pd.concat(found, ignore_index=True)
