"""Made logs whose truth is known: applications with an offer, a rule and two desks."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from simulator.fit.logs.log import Log

START = pd.Timestamp("2024-01-01")  # a Monday
ACCEPTED, WON, RULE = 0.6, 0.7, 20.0  # intake to offer; offer answered yes; closed after, days
STAGES = ("intake", "offer")
INTAKE_HOURS = 0.5


@cache
def made(
    days: int = 120,
    a_day: float = 20.0,
    seed: int = 0,
    *,
    people: bool = True,
    sway: float = 0.0,
) -> Log:
    """Cases at a Poisson rate; intake by five people in the day; half of offers never answered.

    Intake: begun the next morning, half an hour of work on average (exponential), then accepted
    with ACCEPTED, else declined at once. Offer: half of them are answered after a lognormal time
    of median 6 days (yes: WON), unless that is later than RULE days; the others run out then.
    sway: standard deviation, from week to week, of the log odds of being accepted, and of the log
    time to an answer; each lasts (autoregression of 0.7).
    """
    rng = np.random.default_rng(seed)
    cases, visits = [], []
    odds, pace = np.zeros((2, days // 7 + 3))
    if sway:
        for path in (odds, pace):
            path[0] = sway * rng.standard_normal()
            for k in range(1, len(path)):
                path[k] = 0.7 * path[k - 1] + sway * np.sqrt(1 - 0.7**2) * rng.standard_normal()
    end = START + pd.Timedelta(days=days)
    for n, at in enumerate(np.sort(rng.uniform(0, days, rng.poisson(a_day * days)))):
        created = START + pd.Timedelta(days=at)
        name = f"c{n:05d}"
        begun = created.normalize() + pd.Timedelta(days=1, hours=9 + 8 * rng.random())
        hours = rng.exponential(INTAKE_HOURS)
        done = begun + pd.Timedelta(hours=hours)
        who = f"p{rng.integers(5)}" if people else pd.NA
        visits.append((name, "intake", created, begun if people else pd.NaT, done, who, hours))
        week = int(at // 7)
        if rng.random() > 1 / (1 + (1 / ACCEPTED - 1) * np.exp(-odds[week])):
            cases.append((name, created, done, "declined"))
            continue
        answered = rng.random() < 0.5
        taken = float(rng.lognormal(np.log(6.0) - pace[week], 0.5)) if answered else np.inf
        yes = rng.random() < WON
        outcome = "expired" if taken >= RULE else "won" if yes else "declined"
        closed = done + pd.Timedelta(days=min(taken, RULE))
        visits.append((name, "offer", done, pd.NaT, closed, pd.NA, np.nan))
        cases.append((name, created, closed, outcome))
    frame = pd.DataFrame(cases, columns=["case", "created", "closed", "outcome"]).set_index("case")
    for column, value in (("channel", pd.NA), ("owner", pd.NA)):
        frame[column] = pd.Series(value, index=frame.index, dtype="string")
    frame["amount"] = 1000.0 * rng.lognormal(0, 0.5, len(frame))
    columns = ["case", "stage", "entered", "started", "left", "who", "worked"]
    table = pd.DataFrame(visits, columns=columns)
    for column in ("entered", "started", "left"):
        table[column] = pd.to_datetime(table[column]).astype("datetime64[ns]")
    table["who"] = table["who"].astype("string")
    for column in ("created", "closed"):
        frame[column] = frame[column].astype("datetime64[ns]")
    whole = Log(frame, table, START, end + pd.Timedelta(days=1000))
    return whole.before(end)


def csv_of(log: Log, path: Path) -> Path:
    """The log as an event log with lifecycles, as an export has it."""
    rows = []
    for v in log.visits.itertuples():
        if pd.isna(v.started):
            rows.append((v.case, v.stage, "schedule", v.entered, ""))
        else:
            rows += [
                (v.case, v.stage, "schedule", v.entered, ""),
                (v.case, v.stage, "start", v.started, v.who),
            ]
        if not pd.isna(v.left) and v.stage == "intake":
            rows.append((v.case, v.stage, "complete", v.left, v.who))
    names = {"won": "approved", "declined": "declined", "expired": "expired"}
    for case, row in log.cases.iterrows():
        if not pd.isna(row.closed):
            rows.append((case, names[row.outcome], "complete", row.closed, ""))
    frame = pd.DataFrame(rows, columns=["case", "activity", "lifecycle", "timestamp", "resource"])
    frame = frame.sort_values(["timestamp", "case"], kind="stable")
    frame["amount"] = log.cases["amount"].reindex(frame["case"]).round(2).to_numpy()
    frame.to_csv(path, index=False)
    return path
