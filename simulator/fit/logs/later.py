"""The back-test of a fitted folder, on its own data or on what came later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.errors import DataError
from simulator.fit.backtest import BackTest, backtest
from simulator.fit.logs.cutday import without_cut_day
from simulator.fit.logs.fitted import FEWEST_CASES
from simulator.fit.logs.log import OPEN, Log
from simulator.fit.logs.scored import TrialResult
from simulator.fit.logs.store import FIT, Provenance, read_provenance
from simulator.fit.logs.trial import DRAWS, backtest_log
from simulator.fit.logs.undated import dated
from simulator.fit.logs.write import (
    CURE,
    PROCESS,
    QUEUES,
    date_of,
    leads_and_deals_of,
    read_log_of,
    read_sources,
)
from simulator.fit.queues import backtest_queue
from simulator.fit.read import read_history


def backtest_of(
    folder: str | Path,
    *,
    data: Sequence[str | Path],
    origins: Sequence[dt.date],
    days: int | None,
    draws: int | None,
    seed: int,
) -> Any:
    """Score the fit of a folder.

    Without ``data``: rolling origins inside the fitted data. With it: one origin, where the fitted
    data end, scored on what the data show after it.
    """
    source = read_provenance(folder)
    if source.kind == CURE:
        return _of_leads(source, data, origins, days, seed)
    if source.kind not in (PROCESS, QUEUES):
        raise DataError(f"{source.folder / FIT}: of a kind not known, {source.kind!r}. Fit anew")
    notes: list[str] = []
    if data:
        log, files = _later(source, data, notes), [str(f) for f in data]
        origins = list(origins) or [pd.Timestamp(source.until).date()]
        _after(source, log.until, data, origins)
    else:
        found = source.paths()
        log = read_log_of(read_sources(found, source.options), source.options)
        files = [str(f) for f in found]
    if source.kind == QUEUES:
        more: dict[str, Any] = {"days": days} if days else {}
        if draws:
            more["draws"] = draws
        return backtest_queue(log, list(origins) or None, seed=seed, **more)
    starts = [pd.Timestamp(o) for o in origins] or None
    unknown = int((log.cases["outcome"].ne(OPEN) & log.cases["closed"].isna()).sum())
    if unknown:
        log = dated(log)
        notes.append(
            f"{unknown:,} cases ended on a day nobody kept, and were given one: weeks and times of "
            "such ends are not held against anything that was seen."
        )
    log = without_cut_day(log)
    trial = backtest_log(log, starts, days=days, draws=draws or DRAWS, seed=seed)
    return TrialResult(trial, str(folder), tuple(files), tuple(notes))


def _after(
    source: Provenance, last: pd.Timestamp, data: Sequence[str | Path], origins: Sequence[dt.date]
) -> None:
    """Raise DataError where the data have nothing after the first origin."""
    if pd.Timestamp(min(origins)) + pd.Timedelta(days=1) > last:
        raise DataError(
            f"{', '.join(map(str, data))}: end on {last.date()}, and the fitted data go up to "
            f"{pd.Timestamp(source.until).date()}: nothing later to score. "
            "Leave --data out to score inside the fitted data"
        )


def _of_leads(
    source: Provenance,
    data: Sequence[str | Path],
    origins: Sequence[dt.date],
    days: int | None,
    seed: int,
) -> BackTest:
    """Of leads and deals: the later files hold the earlier ones, too."""
    options = dict(source.options)
    files: Sequence[str | Path] = data or source.paths()
    pair = leads_and_deals_of(read_sources(files, options))
    if pair is None:
        raise DataError(
            f"{', '.join(map(str, files))}: {source.folder} was fitted to leads and deals; "
            "give both files, each with all rows up to today"
        )
    if data:
        options["until"] = None
        origins = list(origins) or [date_of({"until": source.until}, "until") + dt.timedelta(1)]
    history = read_history(
        *pair,
        day_first=options.get("day_first"),
        from_=date_of(options, "since"),
        until=date_of(options, "until"),
    )
    if data:
        _after(source, pd.Timestamp(history.end) + pd.Timedelta(days=1), data, origins)
    return backtest(history, list(origins) or None, days=days, seed=seed)


def _later(source: Provenance, data: Sequence[str | Path], notes: list[str]) -> Log:
    """The fitted log with what the later data add; the later data alone where the old are gone."""
    options = {**source.options, "until": None}
    new = read_log_of(read_sources(data, options), options)
    try:
        old = read_log_of(read_sources(source.paths(), source.options), source.options)
    except DataError as error:
        before = int((new.cases["created"] < pd.Timestamp(source.until)).sum())
        if before < FEWEST_CASES:
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
