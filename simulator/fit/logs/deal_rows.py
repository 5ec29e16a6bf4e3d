"""Rows of which each is a deal or a lead: who, when, how much, and how it ended."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from simulator.errors import DataError
from simulator.fit.logs.columns import EXPECTED, HUBSPOT, STAGE_REPORT
from simulator.fit.logs.deals import BOTH, end_of
from simulator.fit.logs.files import TEXT
from simulator.fit.logs.hints import ends_by_hints, lost_by_reason, tick_by_reason
from simulator.fit.logs.kinds import Source
from simulator.fit.logs.labels import FOREIGN
from simulator.fit.logs.log import OPEN, WON
from simulator.fit.logs.states import by_state, ended_by_state, state_of
from simulator.fit.logs.times import NS, SUMMER, as_ids, as_times, usual_clock
from simulator.fit.money import as_money
from simulator.fit.tables import MAX_BAD, NO, YES, Finding, Table, key_of

MIXED = 0.1  # share of a stage's deals that are closed, or are not: it is no end, nor none
LEFT_OUT, NOT_STATED = "left out", "taken as not stated"
# Of no use to a fit, or known only after the end.
_TECHNICAL = {
    "systemmodstamp", "lastmodifieddate", "lastmodifiedbyid", "lastactivitydate", "lastvieweddate",
    "lastreferenceddate", "createdbyid", "createdby", "isdeleted", "name", "nextstep",
    "description", "expectedrevenue", "pushcount", "fiscal", "fiscalquarter", "fiscalyear",
    "hasopportunitylineitem", "age", "lastmodifieddatetime", "lastactivity", "expectedrevenues",
    "opportunityname", "dealname", "url", "amount", "value", "amountcurrency", "valuecurrency",
    "amountconvertedcurrency",
}  # fmt: skip
_EXPECTED = {key_of(name) for name in EXPECTED}
_EXPECTED |= {other for key in tuple(_EXPECTED) for other in FOREIGN.get(key, ())}
_TEST = r"(?i)(?:^|[^A-Za-z])tests?(?:$|[^A-Za-z])"
_ID18 = r"[A-Za-z0-9]{15}[A-Z0-5]{3}"


def short_ids(text: pd.Series) -> pd.Series:
    """Ids as Salesforce compares them: 15 letters, the 3 more of its long form left off."""
    long = text.str.fullmatch(_ID18) & text.str.slice(0, 3).str.contains("0", regex=False)
    return text.mask(long, text.str.slice(0, 15)) if long.any() else text


def yes(text: pd.Series) -> pd.Series:
    """1.0 where a box is ticked, 0.0 where not, NaN where nothing is said."""
    ticked = text.str.fullmatch(YES).astype(float)
    return ticked.where(text.ne(""))


def say_read(source: Source, found: list[Finding]) -> None:
    """How many rows a file had, as what, and which columns were used."""
    table = source.table
    names = ", ".join(f"`{c}`" for c in source.columns.values())
    note = "" if table.encoding == "utf-8-sig" else f" ({table.encoding})"
    what = f"rows read{note}"
    found.append(Finding(table.file, len(table.frame), what, f"{source.kind}: {names}"))


def case_rows(
    source: Source, found: list[Finding], day_first: bool | None
) -> tuple[pd.DataFrame, pd.Series]:
    """Opportunities by case: the columns of Parts.cases; and by row of the file, the case."""
    table, columns = source.table, source.columns
    data = table.frame
    if "deleted" in columns:
        gone = yes(data[columns["deleted"]]).eq(1.0)
        data = less(table, data, gone, "rows that are deleted", found)
    key = keys_of(data, columns, table, found, source.kind)
    data = less(table, data, key.eq(""), "rows without an id", found)
    key = key.reindex(data.index)
    table = replace(table, frame=data)
    cases = pd.DataFrame(index=data.index)
    for role, name in (("created", "created"), ("close", "close"), ("changed", "changed")):
        cases[name] = pd.Series(pd.NaT, index=data.index, dtype=NS)
        if role in columns:
            cases[name], bad = as_times(table, columns[role], f"the {role} date", day_first)
            found += bad
    _one_clock(cases, table, columns, found)
    for role, name in (("closed", "closed_"), ("won", "won_"), ("lost", "lost_")):
        cases[name] = np.nan
        if role in columns:
            columns = _ticked(cases, name, table, columns, role, found, day_first)
    lost = cases.pop("lost_")
    if lost.notna().any():
        cases["won_"] = cases.won_.where(cases.won_.notna(), lost.eq(1.0).map({True: 0.0}))
        closed = (lost.eq(1.0) | cases.won_.eq(1.0)).astype(float)
        told = closed.eq(1.0) | (lost.notna() & ("won" in columns))
        cases["closed_"] = cases.closed_.where(cases.closed_.notna(), closed.where(told))
    columns = ended_by_state(cases, table, columns, found, day_first)
    for role in ("stage", "owner", "channel", "reason"):
        text = as_ids(data[columns[role]]) if role in columns else pd.NA
        cases[role] = pd.Series(text, index=data.index, dtype=TEXT)
    if lost_by_reason(data, columns):
        tick_by_reason(cases, table, columns, found)
    else:
        ends_by_hints(cases, table, columns, found)
    _said_of_rows(table, columns, found)
    cases["amount"] = np.nan
    if "amount" in columns:
        cases["amount"], bad = as_money(table, columns["amount"], "the amount")
        found += [replace(f, action=NOT_STATED) if f.action == LEFT_OUT else f for f in bad]
    covariates(cases, data, columns)
    cases.index = pd.Index(key.to_numpy(), name="case", dtype=TEXT)
    twice = cases.index.duplicated()
    if twice.any():
        if source.kind != STAGE_REPORT.name:
            what, first = "rows that repeat a deal", int(data.index[twice][0]) + 2
            found.append(
                Finding(table.file, int(twice.sum()), what, "the first kept", f"line {first}")
            )
        cases = cases[~twice]
    return cases, key


def _one_clock(
    cases: pd.DataFrame, table: Table, columns: dict[str, str], found: list[Finding]
) -> None:
    """Set closings and changes that are hours apart by their clock to that of creations."""
    base = usual_clock(table, columns["created"]) if "created" in columns else None
    for role in ("close", "changed"):
        own = usual_clock(table, columns[role]) if role in columns and base is not None else None
        if own is None or base is None or abs(own[0] - base[0]) <= SUMMER:
            continue
        cases[role] = cases[role] + pd.Timedelta(minutes=base[0] - own[0])
        what = f"rows whose {columns[role]!r} goes by another clock ({own[1]}) than their creation"
        n = int(cases[role].notna().sum())
        found.append(Finding(table.file, n, what, f"set to that one ({base[1]})"))


def _said_of_rows(table: Table, columns: dict[str, str], found: list[Finding]) -> None:
    """Say what rows may not be, and what their dates may not be."""
    if "close" in columns and key_of(columns["close"]) in _EXPECTED:
        what = f"rows with no day of closing but {columns['close']!r}"
        action = "taken as the day of those that are closed; export when each was closed"
        found.append(Finding(table.file, len(table.frame), what, action))
    if "name" in columns:
        names = table.frame[columns["name"]]
        test = names.str.contains(_TEST, regex=True)
        if test.any():
            row = int(test.to_numpy().argmax())
            what, action = "deals called a test", "counted; leave them out before if they are none"
            where = f"line {table.line(row)}, {names.iloc[row]!r}"
            found.append(Finding(table.file, int(test.sum()), what, action, where))


def _ticked(
    cases: pd.DataFrame,
    name: str,
    table: Table,
    columns: dict[str, str],
    role: str,
    found: list[Finding],
    day_first: bool | None,
) -> dict[str, str]:
    """Take a column that says yes or no; one that has dates says when, and one of words neither.

    Returns the columns, without that one where it is no such column.
    """
    column = columns[role]
    text = table.frame[column]
    stated = text.ne("")
    strange = stated & ~text.str.fullmatch(YES) & ~text.str.fullmatch(NO)
    n = int(strange.sum())
    row = int(strange.to_numpy().argmax()) if n else 0
    where = f"line {table.line(row)}, column {column!r}, value {text.iloc[row]!r}" if n else ""
    if n <= MAX_BAD * int(stated.sum()):
        cases[name] = yes(text).mask(strange)
        if n:
            what = f"rows where {column} is neither yes nor no"
            found.append(Finding(table.file, n, what, NOT_STATED, where))
        return columns
    words = text.map({t: state_of(t.lower()) for t in text.unique()})
    if role == "won" and words.notna().sum() > (1 - MAX_BAD) * int(stated.sum()):
        cases["closed_"] = words.isin([WON, "lost"]).astype(float)
        cases[name] = words.eq(WON).astype(float)
        found.append(Finding(table.file, len(text), f"rows whose {column} names ends", "used"))
        return columns
    try:
        at, bad = as_times(table, column, f"the day it was {role}", day_first)
    except DataError as err:
        raise DataError(
            f"{table.file}:{table.line(row)}: column {column!r}, value {text.iloc[row]!r}: neither "
            f"yes nor no, nor a date, here and in {n:,} of {int(stated.sum()):,} rows in all. "
            "Rename the column, or say yes or no in it"
        ) from err
    found += bad
    what = f"rows with a date in {column}"
    found.append(Finding(table.file, int(at.notna().sum()), what, f"the day they were {role}"))
    cases[name] = at.notna().astype(float)
    if role == "won":
        cases["closed_"] = cases.closed_.mask(at.notna(), 1.0)
        cases["won_"] = cases.won_.where(at.notna())  # without a date it is open, or lost
    cases["close"] = cases.close.where(at.isna(), at).astype(NS)
    return {r: c for r, c in columns.items() if r != role} | {f"{role}_on": column}


def covariates(cases: pd.DataFrame, data: pd.DataFrame, columns: dict[str, str]) -> None:
    """Columns that say something of a case and have no role, under their own names."""
    used = {c for role, c in columns.items() if role != "account"}
    for column in data.columns:
        name = str(column)
        if name in used or key_of(name) in _TECHNICAL or name in cases:
            continue
        text = data[column].mask(data[column].eq(""))
        stated = int(text.notna().sum())
        if not stated:
            continue
        number = pd.to_numeric(text, errors="coerce")
        if int(number.notna().sum()) == stated:
            cases[name] = number
        elif text.nunique() <= max(50, stated // 4):  # names of things, not free text
            cases[name] = text


def keys_of(
    data: pd.DataFrame,
    columns: dict[str, str],
    table: Table,
    found: list[Finding],
    source: str = "",
) -> pd.Series:
    """By row, the deal it is of. Raises DataError where a spreadsheet has cut the ids."""
    if "case" in columns:
        ids = data[columns["case"]]
        cut = ids.str.fullmatch(r"\d(?:[.,]\d+)?[eE]\+?\d+")
        if cut.any() and ids[cut].duplicated().any():
            row = int(cut.to_numpy().argmax())
            raise DataError(
                f"{table.file}:{int(data.index[row]) + 2}: column {columns['case']!r}, value "
                f"{ids.iloc[row]!r}: a spreadsheet has cut this id, here and in "
                f"{int(cut.sum()):,} of {len(ids):,} rows, so that several are alike. Export the "
                "file again, and do not save it in a spreadsheet"
            )
        return short_ids(ids)
    key = data[columns["name"]]
    if "account" in columns:
        key = key + " (" + data[columns["account"]] + ")"
    what = "rows known by name, not by id"
    column = "Record ID" if source == HUBSPOT.name else "Opportunity ID"
    action = f"one name taken as one deal; add the column {column} to the export"
    found.append(Finding(table.file, len(data), what, action))
    return key


def less(
    table: Table, data: pd.DataFrame, rows: pd.Series, what: str, found: list[Finding]
) -> pd.DataFrame:
    """The rows without some of them, which is said."""
    n = int(rows.sum())
    if not n:
        return data
    line = int(data.index[rows][0]) + 2
    found.append(Finding(table.file, n, what, "left out", f"line {line}"))
    return data[~rows]


def ends_of_cases(cases: pd.DataFrame, source: Source) -> dict[str, str]:
    """Stage -> outcome, as ticks say: IsClosed, IsWon. OPEN where they say it is no end."""
    out: dict[str, str] = {}
    frame, columns = source.table.frame, source.columns
    if by_state(frame, columns) or lost_by_reason(frame, columns):
        return {str(s): OPEN for s in cases.stage.dropna().unique()}  # the state tells, not these
    told = cases[cases.closed_.notna() | cases.won_.notna()]
    for stage, mine in told.groupby("stage"):
        mixed = MIXED < mine.closed_.mean() < 1 - MIXED
        if mixed and end_of(str(stage)) is None:
            out[str(stage)] = OPEN  # deals end and go on in it: their ticks tell
        elif mine.closed_.mean() > 0.5 and MIXED < mine.won_.mean() < 1 - MIXED:
            out[str(stage)] = BOTH
        elif mine.won_.mean() > 0.5:
            out[str(stage)] = WON
        elif mine.closed_.mean() > 0.5:
            won = mine.won_.isna().all() and end_of(str(stage)) == WON  # nobody says which
            out[str(stage)] = WON if won else "lost"
        elif mine.closed_.notna().any():
            out[str(stage)] = OPEN
    return out
