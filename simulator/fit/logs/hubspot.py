"""HubSpot's deals, whose stages are columns, into deals."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd

from simulator.fit.logs.deal_rows import case_rows, ends_of_cases, say_read
from simulator.fit.logs.deals import WHOLE, Parts, end_of, no_moves
from simulator.fit.logs.files import TEXT
from simulator.fit.logs.kinds import EXITED, Source, entered_columns, stage_columns
from simulator.fit.logs.log import OPEN, WON
from simulator.fit.logs.salesforce import DEAD_STATUS
from simulator.fit.logs.times import as_times
from simulator.fit.tables import Finding, Table, key_of

GIVEN_UP = "given up"
FEWEST, MOST = 5, 0.9  # deals of a stage, and the share of them, that tell what it is
_AFTER_WON = {"evangelist"}
_PIPELINE = re.compile(r"\s*\(([^()]*)\)$")


def hubspot(source: Source, found: list[Finding], day_first: bool | None) -> Parts:
    """Deals of one file. A stage has its last entry only, so going back is not seen."""
    table, columns = source.table, source.columns
    entered = entered_columns(table, columns)
    exited = stage_columns(table, EXITED)
    labels = _labels(entered)
    for stage in [s for s in entered if key_of(s) in _AFTER_WON]:
        what, action = f"column of dates of {stage}", "not used: it comes after a customer is won"
        found.append(Finding(table.file, 1, what, action))
        del entered[stage]
    stage_dates = {*entered.values(), *exited.values()}
    kept = [c for c in table.frame.columns if str(c) not in stage_dates]
    plain = replace(table, frame=table.frame[kept])
    roles = {role: c for role, c in columns.items() if role != "entered"}
    say_read(Source(source.kind, table, roles), found)
    what = "columns of dates by stage"
    stages = ", ".join(f"`{s}`" for s in entered)
    found.append(Finding(table.file, len(entered), what, "stages as visited", stages))
    cases, key = case_rows(Source(source.kind, plain, roles), found, day_first)
    names = _names(entered)
    said: dict[str, str] = {}
    for stage in cases.stage.dropna().unique():
        named = names.get(key_of(str(stage)), str(stage))
        said[str(stage)] = labels.get(named, named)
    cases["stage"] = cases.stage.map(said).astype(TEXT)
    moves = []
    first = key.index[~key.duplicated()]
    dates = table.frame[list(dict.fromkeys(entered.values()))]
    rows = replace(table, frame=dates if len(first) == len(dates) else dates.loc[first])
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
                        "stage": pd.Series(labels[name], index=range(int(some.sum())), dtype=TEXT),
                    }
                )
            )
    ends = ends_of_cases(cases, source)
    if "status" in columns:
        ends |= _given_up(table, columns["status"], cases, key, found)
    # a column a stage is most of a large file, and of no more use
    for column in stage_dates:
        del table.frame[column]
    if not moves:
        what = "deals without a date for any stage"
        action = f"one stage, `{WHOLE}`; add the properties 'Date entered ...' to the export"
        found.append(Finding(table.file, len(cases), what, action))
        return Parts(table.file, cases, no_moves(), ends, histories=False)
    every = pd.concat(moves, ignore_index=True)
    _closed_on_entry(every, cases, ends, table.file, found)
    every["who"] = pd.Series(pd.NA, index=every.index, dtype=TEXT)
    action = "one visit a stage; who went back to a stage is seen there only once"
    found.append(Finding(table.file, len(every), "entries of stages", action))
    return Parts(table.file, cases, every, ends, histories=True)


def _closed_on_entry(
    every: pd.DataFrame,
    cases: pd.DataFrame,
    ends: dict[str, str],
    file: str,
    found: list[Finding],
) -> None:
    """Add the ends in which deals are lost, where only the won ones are said, in place.

    HubSpot sets the close date when a deal comes to its end; while it is open it is a guess.
    """
    stages = [str(s) for s in cases.stage.dropna().unique()]
    if all(ends.get(s, end_of(s)) != WON for s in stages):
        return
    after = every.sort_values(["case", "time"], kind="stable")
    last = after.drop_duplicates("case", keep="last").set_index("case")
    on = after.stage[after.duplicated("case", keep="last")].value_counts()
    gap = (cases.close - last.time.reindex(cases.index)).abs() <= pd.Timedelta(days=1)
    gap &= last.stage.reindex(cases.index).eq(cases.stage)
    for stage in stages:
        if ends.get(stage, OPEN) != OPEN or end_of(stage) is not None:
            continue
        mine = cases.stage.eq(stage)
        n = int(mine.sum())
        if n < FEWEST or gap[mine].mean() < MOST or on.get(stage, 0) > (1 - MOST) * n:
            continue
        if cases.closed_[mine].notna().any():
            continue  # ticks say that it is open
        ends[stage] = "lost"
        what = f"deals in stage `{stage}`, closed on the day they came to it"
        found.append(Finding(file, n, what, "taken as lost; say with --won or --lost if not"))


def _given_up(
    table: Table, column: str, cases: pd.DataFrame, key: pd.Series, found: list[Finding]
) -> dict[str, str]:
    """Contacts whose status says that they were given up, on a day that no column tells."""
    status = pd.Series(table.frame.loc[key.index, column].to_numpy(), index=key.to_numpy())
    status = status[~status.index.duplicated()].reindex(cases.index).fillna("")
    won = {s for s in cases.stage.dropna().unique() if end_of(str(s)) == WON}
    dead = status.map({s: bool(DEAD_STATUS.search(s)) for s in status.unique()}).astype(bool)
    dead &= ~cases.stage.isin(list(won)).to_numpy()
    if not dead.any():
        return {}
    cases.loc[dead, "stage"] = GIVEN_UP
    cases.loc[dead, "close"] = pd.NaT
    what = f"contacts whose {column} says that they were given up"
    found.append(Finding(table.file, int(dead.sum()), what, "lost on a day not known"))
    return {GIVEN_UP: "lost"}


def _labels(entered: dict[str, str]) -> dict[str, str]:
    """What stages are called: without the name of the pipeline, where there is one only."""
    pipelines = {m.group(1) if (m := _PIPELINE.search(s)) else "" for s in entered}
    if len(pipelines) == 1 and "" not in pipelines:
        return {s: _PIPELINE.sub("", s) for s in entered}
    return {s: s for s in entered}


def _names(entered: dict[str, str]) -> dict[str, str]:
    """What a deal's stage is called among the columns: ``Demo`` is ``Demo (Sales)``."""
    out = {key_of(stage): stage for stage in entered}
    for stage in entered:
        bare = _PIPELINE.sub("", stage)
        out.setdefault(key_of(bare), stage)
    return out
