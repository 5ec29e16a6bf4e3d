"""Pipelines as they were week by week, a row a deal and a snapshot: deals and their changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from simulator.fit.logs.deal_rows import keys_of
from simulator.fit.logs.files import TEXT
from simulator.fit.logs.kinds import Source
from simulator.fit.logs.times import NS, as_times
from simulator.fit.tables import Finding


def of_snapshots(
    source: Source, found: list[Finding], day_first: bool | None
) -> tuple[Source, pd.DataFrame | None]:
    """The last row of each deal, and its changes of stage; itself, and None, of one snapshot.

    changes: case, time, stage, who, and ``before``, the snapshot before the one that shows it.
    """
    table, columns = source.table, source.columns
    if "snapshot" not in columns or "stage" not in columns:
        return source, None
    key = keys_of(table.frame, columns, table, [])
    if not key.duplicated().any():
        return source, None
    at, bad = as_times(table, columns["snapshot"], "the day of the snapshot", day_first)
    found += bad
    rows = pd.DataFrame({"case": key, "time": at, "stage": table.frame[columns["stage"]]})
    rows = rows[rows.time.notna() & rows.case.ne("") & rows.stage.ne("")]
    rows = rows.sort_values(["case", "time"], kind="stable")
    days = np.sort(rows.time.unique())
    last = rows.index[~rows.case.duplicated(keep="last")]
    moved = rows.case.ne(rows.case.shift()) | rows.stage.ne(rows.stage.shift())
    moves = rows[moved]
    place = np.searchsorted(days, moves.time.to_numpy())
    before = np.where(place > 0, days[np.maximum(place - 1, 0)], np.datetime64("NaT"))
    moves = moves.assign(
        before=pd.Series(before, index=moves.index).astype(NS),
        who=pd.Series(pd.NA, index=moves.index, dtype=TEXT),
    )
    what = f"rows of {len(days):,} snapshots"
    action = (
        "stages as seen in them, from the day a deal was made; when one changed is known to a "
        "snapshot, and for its end by the close date"
    )
    found.append(Finding(table.file, len(rows), what, action))
    kept = replace(table, frame=table.frame.loc[np.sort(last)])
    return replace(source, table=kept), moves


def timed(moves: pd.DataFrame, cases: pd.DataFrame) -> pd.DataFrame:
    """The changes with the times that cases tell: the first when it was made, the last its end."""
    made, close = (
        pd.Series(moves.case.map(cases[name]).to_numpy(), index=moves.index).astype(NS)
        for name in ("created", "close")
    )
    first, last = ~moves.case.duplicated(), ~moves.case.duplicated(keep="last")
    time = moves.time.mask(first & (made < moves.time), made)
    ended = last & (close <= moves.time) & ~(close < moves.before)
    # made and ended between two snapshots: through which stages is not known
    timed = moves.assign(time=time.mask(ended & ~first, close))[~(ended & first)]
    out: pd.DataFrame = timed.drop(columns="before").reset_index(drop=True)
    return out
