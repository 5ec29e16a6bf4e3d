"""Deals that say of themselves that they are open, won or lost, beside the stage they are in."""

from __future__ import annotations

import pandas as pd

from simulator.fit.logs.times import NS, as_times
from simulator.fit.tables import Finding, Table

_STATES = ["open", "won", "lost", "deleted"]
STATES = 0.9  # share of a column that says open, won or lost for it to be one of states


def by_state(frame: pd.DataFrame, columns: dict[str, str]) -> bool:
    """Whether a column says of each deal that it is open, won or lost, beside its stage."""
    if "state" not in columns:
        return False
    state = frame[columns["state"]].str.lower()
    return bool(state.isin(_STATES).sum() >= STATES * max(state.ne("").sum(), 1))


def ended_by_state(
    cases: pd.DataFrame,
    table: Table,
    columns: dict[str, str],
    found: list[Finding],
    day_first: bool | None,
) -> dict[str, str]:
    """Ends that a column of open, won and lost tells, beside a stage that stays what it was.

    Returns the columns, without that one where it says something else.
    """
    if "state" not in columns:
        return columns
    state = table.frame[columns["state"]].str.lower()
    known = state.isin(_STATES)
    if not by_state(table.frame, columns):
        return {role: c for role, c in columns.items() if role != "state"}
    told = known & cases["closed_"].isna()
    cases.loc[told, "closed_"] = state[told].isin(["won", "lost"]).astype(float)
    cases.loc[told, "won_"] = state[told].eq("won").astype(float)
    for role, end in (("won_at", "won"), ("lost_at", "lost")):
        if role in columns:
            at, bad = as_times(table, columns[role], f"the day it was {end}", day_first)
            found += bad
            cases["close"] = cases["close"].where(~(state.eq(end) & at.notna()), at).astype(NS)
    return columns
