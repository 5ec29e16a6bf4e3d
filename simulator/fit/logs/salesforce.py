"""Salesforce's leads, opportunities and their histories, as records or reports, into deals."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from simulator.errors import DataError
from simulator.fit.logs.columns import (
    FIELD_HISTORY,
    HUBSPOT,
    LEADS_SALESFORCE,
    OPPORTUNITIES,
    STAGE_HISTORY,
    STAGE_REPORT,
)
from simulator.fit.logs.deals import WHOLE, Parts, no_moves
from simulator.fit.logs.files import TEXT, within
from simulator.fit.logs.kinds import Source
from simulator.fit.logs.log import OPEN, WON
from simulator.fit.logs.states import by_state, ended_by_state
from simulator.fit.logs.times import NS, as_ids, as_times
from simulator.fit.tables import Finding, Table, as_money, key_of

LEAD_STAGE = "lead"
AGREED = 0.6  # share of closed deals that tell the day of a report
CONVERTED = "converted"
DEAD_STATUS = re.compile(
    r"(?i)dis.?qualified|un.?qualified|not converted|junk|dead|rejected|bad (?:fit|data)"
)
# in a group: old pandas anchors the last one only
_TRUE = r"(?i:true|1|yes|y|wahr|ja|vrai|oui|verdadero|s[ií]|vero|verdadeiro|sim|waar)"
# Of no use to a fit, or known only after the end.
_TECHNICAL = {
    "systemmodstamp", "lastmodifieddate", "lastmodifiedbyid", "lastactivitydate", "lastvieweddate",
    "lastreferenceddate", "createdbyid", "createdby", "isdeleted", "name", "nextstep",
    "description", "expectedrevenue", "pushcount", "fiscal", "fiscalquarter", "fiscalyear",
    "hasopportunitylineitem", "age", "lastmodifieddatetime", "lastactivity", "expectedrevenues",
    "opportunityname", "dealname", "url",
}  # fmt: skip
_ID18 = r"[A-Za-z0-9]{15}[A-Z0-5]{3}"


def short_ids(text: pd.Series) -> pd.Series:
    """Ids as Salesforce compares them: 15 letters, the 3 more of its long form left off."""
    long = text.str.fullmatch(_ID18) & text.str.slice(0, 3).str.contains("0", regex=False)
    return text.mask(long, text.str.slice(0, 15)) if long.any() else text


def yes(text: pd.Series) -> pd.Series:
    """1.0 where a box is ticked, 0.0 where not, NaN where nothing is said."""
    ticked = text.str.fullmatch(_TRUE).astype(float)
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
        data = _less(table, data, gone, "rows that are deleted", found)
    key = _keys(data, columns, table, found, source.kind)
    data = _less(table, data, key.eq(""), "rows without an id", found)
    key = key.reindex(data.index)
    table = Table(table.file, data, table.encoding)
    cases = pd.DataFrame(index=data.index)
    for role, name in (("created", "created"), ("close", "close"), ("changed", "changed")):
        cases[name] = pd.Series(pd.NaT, index=data.index, dtype=NS)
        if role in columns:
            cases[name], bad = as_times(table, columns[role], f"the {role} date", day_first)
            found += bad
    for role, name in (("closed", "closed_"), ("won", "won_")):
        cases[name] = yes(data[columns[role]]) if role in columns else np.nan
    columns = ended_by_state(cases, table, columns, found, day_first)
    for role in ("stage", "owner", "channel", "reason"):
        text = as_ids(data[columns[role]]) if role in columns else pd.NA
        cases[role] = pd.Series(text, index=data.index, dtype=TEXT)
    cases["amount"] = np.nan
    if "amount" in columns:
        cases["amount"], bad = as_money(table, columns["amount"], "the amount")
        found += [Finding(f.file, f.count, f.what, "taken as not stated", f.example) for f in bad]
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


def _keys(
    data: pd.DataFrame,
    columns: dict[str, str],
    table: Table,
    found: list[Finding],
    source: str = "",
) -> pd.Series:
    if "case" in columns:
        return short_ids(data[columns["case"]])
    key = data[columns["name"]]
    if "account" in columns:
        key = key + " (" + data[columns["account"]] + ")"
    what = "rows known by name, not by id"
    column = "Record ID" if source == HUBSPOT.name else "Opportunity ID"
    action = f"one name taken as one deal; add the column {column} to the export"
    found.append(Finding(table.file, len(data), what, action))
    return key


def _less(
    table: Table, data: pd.DataFrame, rows: pd.Series, what: str, found: list[Finding]
) -> pd.DataFrame:
    n = int(rows.sum())
    if not n:
        return data
    line = int(data.index[rows][0]) + 2
    found.append(Finding(table.file, n, what, "left out", f"line {line}"))
    return data[~rows]


def _moves(
    source: Source, role: str, found: list[Finding], day_first: bool | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Stage changes of a file, oldest first where times are alike; and its rows, as kept."""
    table, columns = source.table, source.columns
    data = table.frame
    if "deleted" in columns and source.kind != STAGE_REPORT.name:
        data = _less(
            table, data, yes(data[columns["deleted"]]).eq(1.0), "rows that are deleted", found
        )
    table = Table(table.file, data, table.encoding)
    time, bad = as_times(table, columns["time"], "the time of the change", day_first)
    found += bad
    key = _keys(data, {k: columns[k] for k in ("case", "name", "account") if k in columns},
                table, []) if role == "case" else short_ids(data[columns[role]])  # fmt: skip
    stage = data[columns["to" if "to" in columns else "stage"]]
    empty = time.isna() | key.eq("") | stage.eq("")
    data = _less(table, data, empty, "rows without a time, a deal or a stage", found)
    known = time.reindex(data.index)
    step = np.diff(known.to_numpy())
    if len(step) and (step < np.timedelta64(0)).sum() > (step > np.timedelta64(0)).sum():
        data = data[::-1]  # newest first
    who = as_ids(data[columns["who"]]) if "who" in columns else pd.NA
    moves = pd.DataFrame(
        {
            "case": key.reindex(data.index),
            "time": time.reindex(data.index),
            "stage": stage.reindex(data.index),
            "who": pd.Series(who, index=data.index, dtype=TEXT),
        }
    )
    return moves, data


def ends_of_cases(cases: pd.DataFrame, source: Source) -> dict[str, str]:
    """Stage -> outcome, as ticks say: IsClosed, IsWon. OPEN where they say it is no end."""
    out: dict[str, str] = {}
    if by_state(source.table.frame, source.columns):
        return {str(s): OPEN for s in cases.stage.dropna().unique()}  # the state tells, not these
    told = cases[cases.closed_.notna() | cases.won_.notna()]
    for stage, mine in told.groupby("stage"):
        if mine.won_.mean() > 0.5:
            out[str(stage)] = WON
        elif mine.closed_.mean() > 0.5:
            out[str(stage)] = "lost"
        elif mine.closed_.notna().any():
            out[str(stage)] = OPEN
    return out


def _ends_of_history(rows: pd.DataFrame, columns: dict[str, str]) -> dict[str, str]:
    """Stage -> outcome, as forecasts say: Closed is won, Omitted at 0% is lost."""
    out: dict[str, str] = {}
    if "forecast" not in columns:
        return out
    category = rows[columns["forecast"]].str.lower()
    stage = rows[columns["stage"]]
    for name in stage[category.isin(["closed", "omitted"])].unique():
        mine = category[stage == name]
        if mine.eq("closed").mean() > 0.5:
            out[str(name)] = WON
        elif mine.eq("omitted").mean() > 0.5 and "probability" in columns:
            chance = pd.to_numeric(
                rows[columns["probability"]][stage == name].str.rstrip("%"), errors="coerce"
            )
            if chance.max() == 0:
                out[str(name)] = "lost"
    return out


def salesforce(read: Sequence[Source], found: list[Finding], day_first: bool | None) -> Parts:
    """Deals of all these files together. Raises DataError where they do not fit together."""
    by_kind: dict[str, list[Source]] = {}
    for source in read:
        by_kind.setdefault(source.kind, []).append(source)
        say_read(source, found)
    for kind in (OPPORTUNITIES, LEADS_SALESFORCE):
        if len(by_kind.get(kind.name, ())) > 1:
            names = " and ".join(s.table.file for s in by_kind[kind.name])
            raise DataError(f"{names}: both are {kind.name}. Put them into one file")
    cases: pd.DataFrame | None = None
    moves: list[pd.DataFrame] = []
    ends: dict[str, str] = {}
    starts: list[pd.DataFrame] = []
    for source in by_kind.get(STAGE_REPORT.name, []):
        rows, _ = case_rows(source, found, day_first)
        cases = rows if cases is None else cases
        made, data = _moves(source, "case", found, day_first)
        moves.append(made)
        if "from" in source.columns:
            starts.append(made.assign(stage=data[source.columns["from"]]))
    for source in by_kind.get(OPPORTUNITIES.name, []):
        cases, key = case_rows(source, found, day_first)
        ends |= ends_of_cases(cases, source)
        if "lasted" in source.columns and "changed" not in source.columns:
            _by_duration(source, cases, key, found)
    for source in by_kind.get(STAGE_HISTORY.name, []):
        made, data = _moves(source, "case", found, day_first)
        moves.append(made)
        ends = {**_ends_of_history(data, source.columns), **ends}
    lead_moves: list[pd.DataFrame] = []
    lead_starts: list[pd.DataFrame] = []
    for source in by_kind.get(FIELD_HISTORY.name, []):
        role = "lead" if "lead" in source.columns else "case"
        kept = _of_stages(source, role, found)
        made, data = _moves(kept, role, found, day_first)
        (lead_moves if role == "lead" else moves).append(made)
        if "old" in source.columns:
            before = made.assign(stage=data[source.columns["old"]])
            (lead_starts if role == "lead" else starts).append(before)
    first_file = read[0].table.file
    histories = bool(moves)
    every = pd.concat(moves, ignore_index=True) if moves else no_moves()
    if cases is None and moves:
        cases = _bare(every)
    if starts and cases is not None:
        every = _first_stage(every, starts, cases)
    leads = by_kind.get(LEADS_SALESFORCE.name, [])
    if cases is not None:
        every = _known(every, cases, found, first_file)
        if not histories:
            what = "deals without a history of stages"
            action = (
                f"one stage, `{WHOLE}`, from creation to end; export OpportunityHistory "
                "(or a report of type Opportunity History) to see the stages"
            )
            found.append(Finding(first_file, len(cases), what, action))
    if leads:
        from simulator.fit.logs.leads import with_leads

        return with_leads(
            leads[0], cases, every, lead_moves, lead_starts, ends, histories, found, day_first
        )
    if cases is None:
        raise DataError(f"{first_file}: a history of leads without the leads. Add Lead.csv")
    return Parts(first_file, cases, every, ends, histories)


def _by_duration(source: Source, cases: pd.DataFrame, key: pd.Series, found: list[Finding]) -> None:
    """When each deal moved last, by a report's days in the stage of now.

    The day of the report is the one that most closed deals agree on: their close date and as many
    days more.
    """
    table, column = source.table, source.columns["lasted"]
    days = pd.to_numeric(
        table.frame.loc[key.index, column].str.replace(",", "", regex=False), errors="coerce"
    )
    lasted = pd.Series(days.to_numpy(dtype=float), index=key.to_numpy())
    lasted = lasted[~lasted.index.duplicated()].reindex(cases.index)
    said = cases.close.dt.normalize() + pd.to_timedelta(lasted.round(), unit="D")
    of_ends = said[cases.closed_.eq(1.0) & said.notna()]
    what = f"rows with a {column}"
    if of_ends.empty or of_ends.eq(of_ends.mode()[0]).mean() < AGREED:
        action = "not used: no day of the report makes it agree with close dates; add Last Stage "
        action += "Change Date to the report"
        found.append(Finding(table.file, int(lasted.notna().sum()), what, action))
        return
    day = of_ends.mode()[0]
    when = (day - pd.to_timedelta(lasted, unit="D")).astype(NS)
    cases["changed"] = when.where(when >= cases.created.dt.normalize())
    action = f"days in the stage up to {day.date()}, the day that closed deals agree on"
    found.append(Finding(table.file, int(cases.changed.notna().sum()), what, action))


def _of_stages(source: Source, role: str, found: list[Finding]) -> Source:
    """The rows of a field history that are of the stage (of leads: of the status)."""
    table, columns = source.table, source.columns
    names = ("stagename", "stage") if role == "case" else ("status", "leadstatus")
    fields = table.frame[columns["field"]]
    mine = fields.map({f: key_of(re.sub(r".*\.", "", f)) in names for f in fields.unique()})
    mine = mine.astype(bool)
    if not mine.any():
        raise DataError(
            f"{table.file}: no row is of the field {names[0]!r}; its fields are "
            f"{', '.join(repr(f) for f in fields.unique()[:6])}. Track the field, and export it"
        )
    if not mine.all():
        what = f"rows of other fields than {names[0]}"
        found.append(Finding(table.file, int((~mine).sum()), what, "not used"))
    return Source(source.kind, Table(table.file, table.frame[mine], table.encoding), columns)


def _bare(moves: pd.DataFrame) -> pd.DataFrame:
    """Cases of which only a history is known."""
    index = pd.Index(moves.case.unique(), name="case", dtype=TEXT)
    cases = pd.DataFrame(index=index)
    for name in ("created", "close", "changed"):
        cases[name] = pd.Series(pd.NaT, index=index, dtype=NS)
    for name in ("closed_", "won_", "amount"):
        cases[name] = np.nan
    for name in ("stage", "owner", "channel", "reason"):
        cases[name] = pd.Series(pd.NA, index=index, dtype=TEXT)
    return cases


def _first_stage(
    moves: pd.DataFrame, starts: list[pd.DataFrame], cases: pd.DataFrame
) -> pd.DataFrame:
    """Where deals were made: the old stage of their first change, from their creation."""
    begun = pd.concat(starts).sort_values("time", kind="stable").drop_duplicates("case")
    begun = begun[begun.stage.ne("")]
    created = begun.case.map(cases.created)
    begun = begun.assign(time=created.astype(NS), who=pd.Series(pd.NA, begun.index, dtype=TEXT))
    begun = begun[begun.time.notna()]
    earliest = moves.groupby("case").time.min()
    begun = begun[begun.time.to_numpy() < begun.case.map(earliest).to_numpy()]
    return pd.concat([begun, moves], ignore_index=True)


def _known(
    moves: pd.DataFrame, cases: pd.DataFrame, found: list[Finding], file: str
) -> pd.DataFrame:
    unknown = pd.Series(~within(moves.case, cases.index), index=moves.index)
    if unknown.any():
        what = "changes of deals that are not among those read"
        example = str(moves.case[unknown].iloc[0])
        found.append(Finding(file, int(unknown.sum()), what, "left out", example))
        moves = moves[~unknown]
    return moves
