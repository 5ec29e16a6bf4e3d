"""The loan log as a canonical log, for the tests of the estimation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from simulator.fit.logs.log import Log

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "bpic12"
ENDS = {"A_APPROVED": "won", "A_DECLINED": "declined", "A_CANCELLED": "cancelled"}


def read(path: str | Path) -> Log:
    raw = pd.read_csv(path, dtype={"case_id": str, "resource": "Int64"})
    raw["time"] = (
        pd.to_datetime(raw["timestamp"], utc=True)
        .dt.tz_convert("Europe/Amsterdam")
        .dt.tz_localize(None)
        .astype("datetime64[ns]")
    )
    raw["who"] = raw["resource"].astype("string")
    raw = raw.reset_index().sort_values(["case_id", "time", "index"])
    by = raw.groupby("case_id")
    cases = pd.DataFrame({"created": by["time"].min(), "amount": by["amount_req"].first() * 1.0})
    end = raw[raw["activity"].isin(ENDS)].groupby("case_id").first()
    cases["closed"] = end["time"]
    cases["outcome"] = end["activity"].map(ENDS).reindex(cases.index).fillna("open")
    cases["channel"] = pd.Series(pd.NA, index=cases.index, dtype="string")
    cases["owner"] = pd.Series(pd.NA, index=cases.index, dtype="string")
    rows = []
    work = raw[raw["activity"].str.startswith("W_")]
    for (case, activity), group in work.groupby(["case_id", "activity"], sort=False):
        entered, started, who = None, None, None
        for life, time, person in zip(group["lifecycle"], group["time"], group["who"], strict=True):
            if life == "SCHEDULE":
                entered = entered or time
            elif life == "START":
                started, who = time, person
            else:
                begun = started or time
                hours = (time - begun) / pd.Timedelta(hours=1)
                person = who if who is not None and not pd.isna(who) else person
                rows.append((case, activity, entered or begun, begun, time, person, hours))
                entered, started, who = time, None, None
        if started is not None:
            rows.append((case, activity, entered or started, started, pd.NaT, who, np.nan))
        elif not rows or rows[-1][:2] != (case, activity):
            rows.append((case, activity, entered, pd.NaT, pd.NaT, pd.NA, np.nan))
    columns = ["case", "stage", "entered", "started", "left", "who", "worked"]
    visits = pd.DataFrame(rows, columns=columns).sort_values(["case", "entered"])
    for name in ("entered", "started", "left"):
        visits[name] = pd.to_datetime(visits[name]).astype("datetime64[ns]")
    visits["who"] = visits["who"].astype("string").where(visits["who"] != "112")
    return Log(
        cases,
        visits,
        raw["time"].min().normalize(),
        raw["time"].max().normalize() + pd.Timedelta(days=1),
        (str(path),),
    )
