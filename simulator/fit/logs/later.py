"""The back-test of a fitted folder, on its own data or on what came later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from simulator.errors import DataError
from simulator.fit.logs.log import OPEN, Log
from simulator.fit.logs.say import TrialResult
from simulator.fit.logs.store import Provenance, read_provenance
from simulator.fit.logs.trial import DRAWS, backtest_log
from simulator.fit.logs.write import KIND, read


def backtest_of(
    folder: str | Path,
    *,
    data: Sequence[str | Path],
    origins: Sequence[dt.date],
    days: int | None,
    draws: int | None,
    seed: int,
) -> TrialResult:
    """Score the fit of a folder.

    Without ``data``: rolling origins inside the fitted data. With it: one origin, where the fitted
    data end, scored on what the data show after it.
    """
    source = read_provenance(folder)
    if source.kind != KIND:
        raise DataError(f"{folder}: was fitted to a {source.kind}, not to a {KIND}")
    notes: list[str] = []
    starts = [pd.Timestamp(o) for o in origins] or None
    if data:
        log = _later(source, data, notes)
        starts = starts or [pd.Timestamp(source.until)]
        if starts[0] + pd.Timedelta(days=1) > log.until:
            raise DataError(
                f"{', '.join(map(str, data))}: end on {log.until.date()}, and the fitted data end "
                f"on {pd.Timestamp(source.until).date()}: nothing later to score. "
                "Leave --data out to score inside the fitted data"
            )
        files = [str(f) for f in data]
    else:
        found = source.paths()
        log, files = read(found, source.options), [str(f) for f in found]
    trial = backtest_log(log, starts, days=days, draws=draws or DRAWS, seed=seed)
    return TrialResult(trial, str(folder), tuple(files), tuple(notes))


def _later(source: Provenance, data: Sequence[str | Path], notes: list[str]) -> Log:
    """The fitted log with what the later data add; the later data alone where the old are gone."""
    options = {**source.options, "until": None}
    new = read(data, options)
    try:
        old = read(source.paths(), source.options)
    except DataError as error:
        before = int((new.cases["created"] < pd.Timestamp(source.until)).sum())
        if before < 50:
            raise DataError(
                f"{error}. What is in {', '.join(map(str, data))} begins too late to do without it"
            ) from None
        notes.append(f"{error}: what --data has of the time before was used instead.")
        return new
    return join(old, new)


def join(old: Log, new: Log) -> Log:
    """One log of two that overlap or follow on: each case once, by what the later one knows."""
    both = old.cases.index.intersection(new.cases.index)
    cases = pd.concat([old.cases.drop(index=both), new.cases])
    cases.loc[both, "created"] = (
        pd.concat([old.cases.loc[both, "created"], new.cases.loc[both, "created"]], axis=1)
        .min(axis=1)
        .astype(cases["created"].dtype)
    )
    # a file of later events alone need not say how a case ended before
    known = both[
        (new.cases.loc[both, "closed"].isna() & old.cases.loc[both, "closed"].notna()).to_numpy()
    ]
    for column in ("closed", "outcome"):
        cases.loc[known, column] = old.cases.loc[known, column]
    for column in ("channel", "owner", "amount"):
        gap = cases.loc[both, column].isna()
        cases.loc[both[gap], column] = old.cases.loc[both[gap], column]
    cases["outcome"] = cases["outcome"].fillna(OPEN)
    # of visits begun in both, the later file knows the end
    visits = pd.concat([new.visits, old.visits])
    visits = visits.drop_duplicates(["case", "stage", "entered", "started"])
    visits = visits.sort_values(["case", "entered"], kind="stable", ignore_index=True)
    return Log(
        cases,
        visits,
        min(old.since, new.since),
        max(old.until, new.until),
        (*old.files, *new.files),
        (*old.findings, *new.findings),
    )
