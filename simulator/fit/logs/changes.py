"""Histories of deals: which stage, or field, was changed to what, when and by whom."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from simulator.errors import DataError
from simulator.fit.logs.columns import STAGE_REPORT
from simulator.fit.logs.deal_rows import keys_of, less, short_ids, yes
from simulator.fit.logs.files import TEXT, within
from simulator.fit.logs.kinds import Source
from simulator.fit.logs.log import WON
from simulator.fit.logs.times import NS, as_ids, as_times
from simulator.fit.tables import Finding, key_of

STAGES = ("stagename", "stage", "dealstage", "status", "state", "pipelinestage")


def moves_of(
    source: Source, role: str, found: list[Finding], day_first: bool | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Stage changes of a file, oldest first where times are alike; and its rows, as kept."""
    table, columns = source.table, source.columns
    data = table.frame
    if "deleted" in columns and source.kind != STAGE_REPORT.name:
        data = less(
            table, data, yes(data[columns["deleted"]]).eq(1.0), "rows that are deleted", found
        )
    table = replace(table, frame=data)
    time, bad = as_times(table, columns["time"], "the time of the change", day_first)
    found += bad
    key = keys_of(data, {k: columns[k] for k in ("case", "name", "account") if k in columns},
                table, []) if role == "case" else short_ids(data[columns[role]])  # fmt: skip
    stage = data[columns["to" if "to" in columns else "stage"]]
    empty = time.isna() | key.eq("") | stage.eq("")
    data = less(table, data, empty, "rows without a time, a deal or a stage", found)
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


def ends_of_history(rows: pd.DataFrame, columns: dict[str, str]) -> dict[str, str]:
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


def of_stages(source: Source, role: str, found: list[Finding]) -> Source:
    """The rows of a field history that are of the stage (of leads: of the status)."""
    table, columns = source.table, source.columns
    names = STAGES if role == "case" else ("status", "leadstatus")
    fields = table.frame[columns["field"]]
    mine = fields.map({f: key_of(re.sub(r".*\.", "", f)) in names for f in fields.unique()})
    mine = mine.astype(bool)
    if not mine.any():
        raise DataError(
            f"{table.file}: no row is of the field {names[0]!r}; its fields are "
            f"{', '.join(repr(f) for f in fields.unique()[:6])}. Track the field, and export it"
        )
    others = ~mine & ~_of_creation(fields) if role == "case" else ~mine
    if others.any():
        what = f"rows of other fields than {names[0]}"
        found.append(Finding(table.file, int(others.sum()), what, "not used"))
    return Source(source.kind, replace(table, frame=table.frame[mine]), columns)


def made_rows(source: Source, found: list[Finding], day_first: bool | None) -> pd.Series | None:
    """When each deal was made, by the rows that say so: Field is ``Created.``; None without any."""
    table, columns = source.table, source.columns
    mine = _of_creation(table.frame[columns["field"]])
    if not mine.any():
        return None
    rows = replace(table, frame=table.frame[mine])
    at, bad = as_times(rows, columns["time"], "the creation", day_first)
    found += bad
    by = {str(k): columns[k] for k in ("case", "name", "account") if k in columns}
    found.append(Finding(table.file, int(mine.sum()), "rows of creations", "the day it was made"))
    out: pd.Series = at.groupby(keys_of(rows.frame, by, rows, [])).min()
    return out


def _of_creation(fields: pd.Series) -> pd.Series:
    """Which rows of a field history are no change, but the making of a deal."""
    known = {f: key_of(f) == "created" for f in fields.unique()}
    out: pd.Series = fields.map(known).astype(bool)
    return out


def created_of(
    moves: pd.DataFrame,
    data: pd.DataFrame,
    source: Source,
    found: list[Finding],
    day_first: bool | None,
) -> pd.Series:
    """When each case was made, as the rows of its changes say."""
    table = replace(source.table, frame=data)
    made, bad = as_times(table, source.columns["created"], "the creation", day_first)
    found += bad
    out: pd.Series = made.groupby(moves.case).min()
    return out


def by_id(moves: pd.DataFrame, names: pd.Series, cases: pd.Index) -> pd.DataFrame:
    """Changes known by the names of their deals, as of the one deal that has the name.

    names: by name, the id of its deal.
    """
    other = ~within(moves.case, cases)
    if not other.any():
        return moves
    alone = names[~names.index.duplicated(keep=False)]
    mine = moves.case.map(dict(zip(alone.index, alone, strict=True))).astype(TEXT)
    return moves.assign(case=moves.case.where(~other | mine.isna(), mine))


def bare(moves: pd.DataFrame, begun: list[pd.Series]) -> pd.DataFrame:
    """Cases of which only a history is known. begun: by case, when it was made."""
    named = dict.fromkeys([*moves.case, *(case for made in begun for case in made.index)])
    index = pd.Index(list(named), name="case", dtype=TEXT)
    cases = pd.DataFrame(index=index)
    for name in ("created", "close", "changed"):
        cases[name] = pd.Series(pd.NaT, index=index, dtype=NS)
    for name in ("closed_", "won_", "amount"):
        cases[name] = np.nan
    for name in ("stage", "owner", "channel", "reason"):
        cases[name] = pd.Series(pd.NA, index=index, dtype=TEXT)
    for made in begun:
        first = made.reindex(index).astype(NS)
        cases["created"] = cases.created.where(cases.created.notna(), first)
    return cases


def first_stage(
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


def known(
    moves: pd.DataFrame, cases: pd.DataFrame, found: list[Finding], file: str
) -> pd.DataFrame:
    """The changes of these deals. Raises DataError where there is none."""
    unknown = pd.Series(~within(moves.case, cases.index), index=moves.index)
    if unknown.any():
        if unknown.all():
            raise DataError(
                f"{file}: none of the {len(moves):,} changes is of a deal among those read, such "
                f"as {moves.case.iloc[0]!r} where those are such as {cases.index[0]!r}. Export "
                "both of the same deals, with the same id"
            )
        what = "changes of deals that are not among those read"
        example = str(moves.case[unknown].iloc[0])
        found.append(Finding(file, int(unknown.sum()), what, "left out", example))
        moves = moves[~unknown]
    return moves
