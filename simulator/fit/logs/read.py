"""Files of any known kind into one Log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from simulator.errors import DataError
from simulator.fit.logs.calls import call_log
from simulator.fit.logs.columns import (
    CALLS,
    DEALS,
    EVENTS,
    FIELD_HISTORY,
    HUBSPOT,
    KINDS,
    LEADS,
    LEADS_SALESFORCE,
    OPPORTUNITIES,
    STAGE_HISTORY,
    STAGE_REPORT,
)
from simulator.fit.logs.deals import assemble
from simulator.fit.logs.eventlog import event_log
from simulator.fit.logs.files import TEXT, read_tables
from simulator.fit.logs.hubspot import hubspot
from simulator.fit.logs.kinds import LOOKUP, Source, recognise
from simulator.fit.logs.leads import leads_and_deals
from simulator.fit.logs.log import Log
from simulator.fit.logs.lookup import explained
from simulator.fit.logs.salesforce import salesforce
from simulator.fit.logs.sheets import asked_for, of_workbook
from simulator.fit.tables import Finding, key_of, pick, silence

_SALESFORCE = {
    k.name for k in (FIELD_HISTORY, STAGE_REPORT, STAGE_HISTORY, LEADS_SALESFORCE, OPPORTUNITIES)
}
_BY_FILE = {LOOKUP}  # kinds that are read file by file
Moment = dt.date | pd.Timestamp | None


def sources(
    paths: Sequence[str | Path],
    columns: Mapping[str, str] | None = None,
    sheets: Sequence[str] = (),
) -> tuple[Source, ...]:
    """The files, each read and recognised; those of one kind that use the same columns as one.

    columns: role -> column, where names do not tell. sheets: of workbooks, where not all.
    """
    out = []
    read = [(path, read_tables(path, sheets)) for path in paths]
    asked_for(sheets, read)
    for _, tables in read:
        if len(tables) > 1:
            out += of_workbook(tables, columns, asked=bool(sheets))
            continue
        table, found = tables[0]
        one = recognise(table, columns, others=len(paths) > 1)
        out.append(replace(one, findings=(*found, *one.findings)))
    _all_used(out, columns or {})
    alike: dict[tuple[str, ...], list[Source]] = {}
    for source in out:
        used = sorted(source.columns.values()) if source.columns else [source.table.file]
        alike.setdefault((source.kind, *used), []).append(source)
    return tuple(
        source
        for group in alike.values()
        for source in (group if group[0].kind in _BY_FILE else [_as_one(group)])
    )


def _all_used(read: Sequence[Source], columns: Mapping[str, str]) -> None:
    """Raise DataError where a column that was named is in no file, or of no use in any."""
    for role, column in columns.items():
        key = key_of(column)
        if any(key_of(s.columns.get(role, "")) == key for s in read):
            continue
        with_it = [s for s in read if key in map(key_of, map(str, s.table.frame.columns))]
        if not with_it:
            pick(read[0].table, column, (), role, flag="--column")
        kind, file = with_it[0].kind, with_it[0].table.file
        has = ", ".join(r for k in KINDS if k.name == kind for r in k.columns)
        raise DataError(
            f"{file}:1: column {column!r} was named as {role}, which {kind} have not; they have "
            f"{has}"
        )


def _as_one(group: list[Source]) -> Source:
    """Exports of the same thing, month by month or page by page, one after the other."""
    if len(group) == 1:
        return group[0]
    first = group[0].table
    more = f"{len(group) - 1} more" if len(group) > 2 else Path(group[1].table.file).name
    name = f"{first.file} and {more}"
    frames, begin = [], 0
    columns = list(dict.fromkeys(str(c) for s in group for c in s.table.frame))
    some = [c for c in columns if any(c not in s.table.frame for s in group)]
    for source in group:
        frame = source.table.frame
        frame = frame.assign(**{c: _empty(frame) for c in some if c not in frame})[columns]
        frames.append(frame.set_axis(frame.index + begin))
        begin = int(frames[-1].index[-1]) + 1
    whole = pd.concat(frames)
    # a row that is in an earlier file too; within one file it may well be meant
    of = np.repeat(np.arange(len(frames)), [len(f) for f in frames])
    text = pd.util.hash_pandas_object(whole, index=False)
    earliest = pd.Series(of, index=whole.index).groupby(text.to_numpy()).transform("min")
    again = earliest.to_numpy() < of
    what = f"files of {group[0].kind} with the same columns"
    if some:
        names = ", ".join(f"`{c}`" for c in some)
        what = f"files of {group[0].kind}, of which not all have {names}"
    action = "read as one; lines are counted on from file to file"
    found = [f for s in group for f in s.findings]
    found.append(Finding(name, len(group), what, action))
    if again.any():
        what = "rows that an earlier of these files has too"
        found.append(Finding(name, int(again.sum()), what, "taken once"))
    table = replace(first, file=name, frame=whole[~again])
    return Source(group[0].kind, table, group[0].columns, tuple(found))


def _empty(frame: pd.DataFrame) -> pd.Series:
    out: pd.Series = pd.Series("", index=frame.index, dtype=TEXT)
    return out


def read_log(
    paths: str | Path | Sequence[str | Path],
    *,
    columns: Mapping[str, str] | None = None,
    sheets: Sequence[str] = (),
    day_first: bool | None = None,
    won: Sequence[str] = (),
    lost: Sequence[str] = (),
    until: Moment = None,
    since: Moment = None,
    today: Moment = None,
) -> Log:
    """Read one file or several that belong together; see docs/data.md for the kinds.

    columns: role -> column, for what is not recognised. sheets: those of workbooks to read; none:
    all that are exports. won, lost: activities or stages that end a case. until: the last moment
    that the files cover (default: the last they have; a date means the whole of that day). since:
    the first.
    Raises DataError, with file, line, column and value, for what cannot be read.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    if not given:
        raise DataError("no file given")
    return log_of(
        sources(given, columns, sheets), day_first=day_first, won=won, lost=lost,
        until=moment(until, end=True), since=moment(since), today=moment(today, end=True),
    )  # fmt: skip


def log_of(
    read: Sequence[Source],
    *,
    day_first: bool | None = None,
    won: Sequence[str] = (),
    lost: Sequence[str] = (),
    until: pd.Timestamp | None = None,
    since: pd.Timestamp | None = None,
    today: pd.Timestamp | None = None,
) -> Log:
    """The Log of files that were read."""
    if today is None:
        today = pd.Timestamp(dt.datetime.now(tz=dt.UTC).replace(tzinfo=None)) + pd.Timedelta("1D")
    explain = [s for s in read if s.kind == LOOKUP]
    read = [s for s in read if s.kind != LOOKUP]
    kinds = {s.kind for s in read}
    found = [f for s in (*read, *explain) for f in s.findings]
    files = tuple(s.table.file for s in (*read, *explain))
    if kinds in ({EVENTS.name}, {CALLS.name}) and len(read) == 1:
        source = read[0]
        if EVENTS.name in kinds:
            log = event_log(
                source.table, source.columns, day_first=day_first, won=won, lost=lost, today=today,
                until=until, since=since,
            )  # fmt: skip
        else:
            log = call_log(
                source.table, source.columns, day_first=day_first, today=today, until=until,
                since=since,
            )  # fmt: skip
    elif LEADS.name in kinds and kinds <= {LEADS.name, DEALS.name} and len(read) == len(kinds):
        one = {s.kind: s for s in read}
        log = leads_and_deals(
            (one[LEADS.name], one.get(DEALS.name)), found, day_first=day_first, today=today,
            until=until, since=since,
        )  # fmt: skip
    elif (kinds == {HUBSPOT.name} and len(read) == 1) or (kinds and kinds <= _SALESFORCE):
        # Nothing holds on to the parts, so that they go as the log is made of them.
        log = assemble(
            hubspot(read[0], found, day_first) if HUBSPOT.name in kinds
            else salesforce(read, found, day_first),
            files, won=won, lost=lost, today=today, until=until, since=since, found=found,
        )  # fmt: skip
    else:
        if explain and not read:
            recognise(explain[0].table)  # says what it lacks
        twice = [k for k in kinds if sum(s.kind == k for s in read) > 1]
        if twice:
            both = [s.table for s in read if s.kind == twice[0]]
            mine = " and ".join(Path(t.file).name for t in both)
            how = "Give one of them"
            if any(t.sheet for t in both):
                how += " (--sheet NAME for a workbook's)"
            raise DataError(
                f"{read[0].table.file}: {mine} are both {twice[0]}, with other columns, and "
                f"nothing joins them. {how}, or export both with the same columns"
            )
        names = ", ".join(f"{s.table.file} ({s.kind})" for s in (*read, *explain))
        raise DataError(
            f"files that do not make one log: {names}. Give one event log, one file of queue "
            "records, leads and deals, HubSpot's deals, or opportunities with their histories and "
            "leads"
        )
    if until is not None:
        found += silence(files[0], *_seen(log), until.date())
    for source in explain:
        log = replace(log, cases=explained(log.cases, source, found))
    return replace(log, files=files, findings=(*found, *log.findings))


def _seen(log: Log) -> tuple[dt.date, dt.date]:
    """The first and the last day on which anything happened."""
    times = pd.concat([
        *(log.cases[c] for c in ("created", "closed")),
        *(log.visits[c] for c in ("entered", "started", "left")),
    ]).dropna()  # fmt: skip
    times = times[times <= log.until]
    if times.empty:
        return log.until.date(), log.until.date()
    return times.min().date(), times.max().date()


def moment(value: Moment, *, end: bool = False) -> pd.Timestamp | None:
    """A moment of a date (end: the whole of that day) or of a time."""
    if value is None:
        return None
    at = pd.Timestamp(value)
    whole = not isinstance(value, dt.datetime)
    return at + pd.Timedelta(days=1) - pd.Timedelta(1, "ns") if end and whole else at
