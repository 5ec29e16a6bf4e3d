"""Salesforce's leads, opportunities and their histories, as records or reports, into deals."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from simulator.errors import DataError
from simulator.fit.logs.changes import (
    bare,
    by_id,
    created_of,
    ends_of_history,
    first_stage,
    known,
    made_rows,
    moves_of,
    of_stages,
)
from simulator.fit.logs.columns import (
    FIELD_HISTORY,
    LEADS_SALESFORCE,
    OPPORTUNITIES,
    STAGE_HISTORY,
    STAGE_REPORT,
)
from simulator.fit.logs.deal_rows import case_rows, ends_of_cases, say_read
from simulator.fit.logs.deals import WHOLE, Parts, no_moves
from simulator.fit.logs.kinds import Source
from simulator.fit.logs.snapshots import of_snapshots, timed
from simulator.fit.logs.times import NS
from simulator.fit.tables import Finding

LEAD_STAGE = "lead"
AGREED = 0.6  # share of closed deals that tell the day of a report
CONVERTED = "converted"
DEAD_STATUS = re.compile(
    r"(?i)dis.?qualified|un.?qualified|not converted|junk|dead|rejected|bad (?:fit|data)"
)


def salesforce(read: Sequence[Source], found: list[Finding], day_first: bool | None) -> Parts:
    """Deals of all these files together. Raises DataError where they do not fit together."""
    by_kind: dict[str, list[Source]] = {}
    for source in read:
        by_kind.setdefault(source.kind, []).append(source)
        say_read(source, found)
    for kind in (OPPORTUNITIES, LEADS_SALESFORCE):
        if len(by_kind.get(kind.name, ())) > 1:
            names = " and ".join(s.table.file for s in by_kind[kind.name])
            how = "Put them into one file"
            if any(s.table.sheet for s in by_kind[kind.name]):
                how += ", or say with --sheet NAME which of a workbook's is meant"
            raise DataError(f"{names}: both are {kind.name}. {how}")
    cases: pd.DataFrame | None = None
    moves: list[pd.DataFrame] = []
    ends: dict[str, str] = {}
    starts: list[pd.DataFrame] = []
    begun: list[pd.Series] = []
    called: pd.Series | None = None
    for source in by_kind.get(STAGE_REPORT.name, []):
        rows, _ = case_rows(source, found, day_first)
        cases = rows if cases is None else cases
        made, data = moves_of(source, "case", found, day_first)
        moves.append(made)
        if "from" in source.columns:
            starts.append(made.assign(stage=data[source.columns["from"]]))
    for given in by_kind.get(OPPORTUNITIES.name, []):
        source, seen = of_snapshots(given, found, day_first)
        cases, key = case_rows(source, found, day_first)
        if seen is not None:
            moves.append(timed(seen, cases))
        ends |= ends_of_cases(cases, source)
        if "name" in source.columns:
            called = pd.Series(
                key.to_numpy(), source.table.frame[source.columns["name"]][key.index]
            )
        if "lasted" in source.columns and "changed" not in source.columns:
            _by_duration(source, cases, key, found)
    for source in by_kind.get(STAGE_HISTORY.name, []):
        made, data = moves_of(source, "case", found, day_first)
        moves.append(made)
        ends = {**ends_of_history(data, source.columns), **ends}
    lead_moves: list[pd.DataFrame] = []
    lead_starts: list[pd.DataFrame] = []
    for source in by_kind.get(FIELD_HISTORY.name, []):
        role = "lead" if "lead" in source.columns else "case"
        kept = of_stages(source, role, found)
        made, data = moves_of(kept, role, found, day_first)
        (lead_moves if role == "lead" else moves).append(made)
        if role == "case" and (told := made_rows(source, found, day_first)) is not None:
            begun.append(told)
        if "created" in source.columns:
            begun.append(created_of(made, data, source, found, day_first))
        if "old" in source.columns:
            before = made.assign(stage=data[source.columns["old"]])
            (lead_starts if role == "lead" else starts).append(before)
    first_file = read[0].table.file
    histories = bool(moves)
    every = pd.concat(moves, ignore_index=True) if moves else no_moves()
    if cases is None and moves:
        cases = bare(every, begun)
    elif called is not None and cases is not None:
        every, *starts = (by_id(m, called, cases.index) for m in (every, *starts))
    if starts and cases is not None:
        every = first_stage(every, starts, cases)
    leads = by_kind.get(LEADS_SALESFORCE.name, [])
    if cases is not None:
        every = known(every, cases, found, first_file)
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
