"""Deals that say of themselves that they are open, won or lost, beside the stage they are in."""

from __future__ import annotations

import pandas as pd

from simulator.fit.logs.deals import end_of
from simulator.fit.logs.files import TEXT
from simulator.fit.logs.log import WON
from simulator.fit.logs.times import NS, as_times
from simulator.fit.tables import Finding, Table, key_of

_OPEN = {
    "open",
    "active",
    "in progress",
    "ongoing",
    "on hold",
    "suspended",
    "offen",
    "laufend",
    "in bearbeitung",
    "ouvert",
    "ouverte",
    "en cours",
    "abierto",
    "abierta",
    "en curso",
    "aperto",
    "aperta",
    "in corso",
    "aberto",
    "aberta",
    "em andamento",
    "lopend",
}
_CODES = {"0": "open", "1": "won", "2": "lost"}  # Dynamics' statecode
STATES = 0.9  # share of a column that says open, won or lost for it to be one of states


def _states(frame: pd.DataFrame, column: str) -> pd.Series:
    """By row open, won, lost or deleted; NA where a column says something else."""
    codes = _CODES if key_of(column) == "statecode" else {}
    words = frame[column].str.lower()
    return words.map({w: codes.get(w, state_of(w)) for w in words.unique()}).astype(TEXT)


def state_of(word: str) -> str | None:
    """Open, won, lost or deleted, as a word in small letters says; nothing where it does not."""
    if word in _OPEN:
        return "open"
    if word == "deleted":
        return word
    end = end_of(word) if word else None
    return end if end in {None, WON} else "lost"


def by_state(frame: pd.DataFrame, columns: dict[str, str]) -> bool:
    """Whether a column says of each deal that it is open, won or lost, beside its stage."""
    if "state" not in columns:
        return False
    stated = int(frame[columns["state"]].ne("").sum())
    return bool(_states(frame, columns["state"]).notna().sum() >= STATES * max(stated, 1))


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
    state = _states(table.frame, columns["state"])
    known = state.notna()
    if not by_state(table.frame, columns):
        return {role: c for role, c in columns.items() if role != "state"}
    told = known & cases["closed_"].isna()
    cases.loc[told, "closed_"] = state[told].isin(["won", "lost"]).astype(float)
    cases.loc[told, "won_"] = state[told].eq(WON).astype(float)
    for role, end in (("won_at", WON), ("lost_at", "lost")):
        if role in columns:
            at, bad = as_times(table, columns[role], f"the day it was {end}", day_first)
            found += bad
            cases["close"] = cases["close"].where(~(state.eq(end) & at.notna()), at).astype(NS)
    return columns
