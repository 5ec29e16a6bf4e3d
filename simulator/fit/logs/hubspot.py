"""HubSpot's deals, whose stages are columns, into deals."""

from __future__ import annotations

import re

import pandas as pd

from simulator.fit.logs.deals import WHOLE, Parts, no_moves
from simulator.fit.logs.files import TEXT
from simulator.fit.logs.kinds import ENTERED, EXITED, Source, stage_columns
from simulator.fit.logs.salesforce import case_rows, ends_of_cases, say_read
from simulator.fit.logs.times import as_times
from simulator.fit.tables import Finding, Table, key_of


def hubspot(source: Source, found: list[Finding], day_first: bool | None) -> Parts:
    """Deals of one file. A stage has its last entry only, so going back is not seen."""
    table, columns = source.table, source.columns
    entered, exited = stage_columns(table, ENTERED), stage_columns(table, EXITED)
    stage_dates = {*entered.values(), *exited.values()}
    kept = [c for c in table.frame.columns if str(c) not in stage_dates]
    plain = Table(table.file, table.frame[kept], table.encoding)
    roles = {role: c for role, c in columns.items() if role != "entered"}
    say_read(Source(source.kind, table, roles), found)
    what = "columns of dates by stage"
    stages = ", ".join(f"`{s}`" for s in entered)
    found.append(Finding(table.file, len(entered), what, "stages as visited", stages))
    cases, key = case_rows(Source(source.kind, plain, roles), found, day_first)
    names = _names(entered)
    cases["stage"] = cases.stage.map(lambda s: names.get(key_of(s), s), na_action="ignore")
    moves = []
    rows = Table(table.file, table.frame.loc[key.index[~key.duplicated()]], table.encoding)
    for name, column in entered.items():
        time, bad = as_times(rows, column, f"the date {name} was entered", day_first)
        found += bad
        some = time.notna().to_numpy()
        if some.any():
            moves.append(
                pd.DataFrame(
                    {
                        "case": cases.index[some],
                        "time": time[some].to_numpy(),
                        "stage": pd.Series(name, index=range(int(some.sum())), dtype=TEXT),
                    }
                )
            )
    ends = ends_of_cases(cases)
    if not moves:
        what = "deals without a date for any stage"
        action = f"one stage, `{WHOLE}`; add the properties 'Date entered ...' to the export"
        found.append(Finding(table.file, len(cases), what, action))
        return Parts(table.file, cases, no_moves(), ends, histories=False)
    every = pd.concat(moves, ignore_index=True)
    every["who"] = pd.Series(pd.NA, index=every.index, dtype=TEXT)
    action = "one visit a stage; who went back to a stage is seen there only once"
    found.append(Finding(table.file, len(every), "entries of stages", action))
    return Parts(table.file, cases, every, ends, histories=True)


def _names(entered: dict[str, str]) -> dict[str, str]:
    """What a deal's stage is called among the columns: ``Demo`` is ``Demo (Sales)``."""
    out = {key_of(stage): stage for stage in entered}
    for stage in entered:
        bare = re.sub(r"\s*\([^()]*\)$", "", stage)
        out.setdefault(key_of(bare), stage)
    return out
