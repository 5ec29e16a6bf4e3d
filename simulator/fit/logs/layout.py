"""Tables as reports lay them out: headers repeated, totals among the rows, groups named once."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from simulator.fit.logs.columns import KINDS
from simulator.fit.logs.labels import FOREIGN
from simulator.fit.tables import Finding, key_of

LEADING = 3  # columns that groups are named in, and that say that a row is a total
FULL = 0.5  # a total fills no more than this share of what rows usually do, and
FEW = 3  # cells more than the word
SPARSE = 0.5  # a column of groups is empty in at least this share of the rows
_TOTAL = re.compile(
    r"(?i)(?:(?:grand|sub|running)[\s-]*)?(?:totals?|sum|count|average|avg|records?)"
    r"(?:\s*[(:].*|\s+[\d.,]+.*)?|(?:gesamt|zwischen|end)?(?:summe|ergebnis|gesamt|anzahl)\s*:?|"
    r"(?:sous-|sub)?(?:total|totaux|totales|totale|totali|totaal|somme|suma|somma|totaal)"
    r"(?:\s+(?:g[eé]n[eé]ral|general|generale|gesamt))?\s*:?|gesamtsumme|gesamtergebnis|"
    r"total[- ]general|subtotaal|eindtotaal|subtotale|totale complessivo|total geral"
)
_HINT = "^[A-Za-z- ]{0,12}(?i:tota|sum|som|count|average|avg|record|ergebnis|gesamt|anzahl)"
_KNOWN = {key_of(name) for kind in KINDS for names in kind.columns.values() for name in names}
_KNOWN |= {other for labels in FOREIGN.values() for other in labels}


def laid_out(frame: pd.DataFrame, path: Path, found: list[Finding]) -> pd.DataFrame:
    """The rows that are records, each with the group that it stands in; what was done is said."""
    if frame.shape[1] < 2 or frame.empty:
        return frame
    first = frame.iloc[:, 0]
    names = [str(c) for c in frame.columns]
    again = first.eq(names[0])
    if again.any():
        mine = frame[again]
        again = again & mine.eq(names).mean(axis=1).gt(FULL).reindex(frame.index, fill_value=False)
        frame = _less(frame, again, "rows that repeat the header", path, found)
    frame = _less(frame, _totals(frame), "rows of totals", path, found)
    return _grouped(frame, path, found)


def _less(
    frame: pd.DataFrame, rows: pd.Series, what: str, path: Path, found: list[Finding]
) -> pd.DataFrame:
    n = int(rows.sum())
    if not n or n == len(frame):
        return frame
    line = int(frame.index[rows][0]) + 2
    found.append(Finding(str(path), n, what, "left out", f"line {line}"))
    return frame[~rows]


def _totals(frame: pd.DataFrame) -> pd.Series:
    """Rows that begin with a word for a total, or have none but numbers, and are mostly empty."""
    called = pd.Series(data=False, index=frame.index)
    for k in range(min(LEADING, frame.shape[1])):
        text = frame.iloc[:, k]
        maybe = text.str.contains(_HINT, regex=True)  # of a million rows few are looked at twice
        if maybe.any():
            hits = text[maybe].str.fullmatch(_TOTAL.pattern)
            called |= hits.reindex(frame.index, fill_value=False)
    # after the last record, or between groups, a sum may stand without a word
    bare = frame.iloc[:, 0].eq("") & frame.iloc[:, 1].eq("")
    if frame.shape[1] >= 4:
        bare &= frame.iloc[:, 2].eq("")
        rest = frame[bare]
        numbers = rest.apply(lambda column: column.str.fullmatch(r"[^A-Za-z]*\d[^A-Za-z]*|"))
        called |= numbers.all(axis=1).reindex(frame.index, fill_value=False) & bare
    if not called.any():
        return called
    usual = float((frame.head(1000) != "").sum(axis=1).median())
    filled = (frame[called] != "").sum(axis=1)
    few = filled.le(max(FULL * usual, 1)) & filled.le(FEW + 1)
    return called & few.reindex(frame.index, fill_value=False)


def _grouped(frame: pd.DataFrame, path: Path, found: list[Finding]) -> pd.DataFrame:
    """Leading columns that name a group in its first row only, filled down.

    Such a column is known, begins with a name, is mostly empty, and names each group once.
    """
    inside = pd.Series("", index=frame.index, dtype=object)
    for k in range(min(LEADING, frame.shape[1] - 1)):
        column = str(frame.columns[k])
        text = frame.iloc[:, k]
        empty = text.eq("")
        named = text[~empty]
        if (
            empty.mean() < SPARSE
            or named.empty
            or empty.iloc[0]
            or key_of(column) not in _KNOWN
            or pd.MultiIndex.from_arrays([inside[~empty], named]).duplicated().any()
            or (frame.iloc[:, k + 1 :][empty] == "").all(axis=1).any()
        ):
            break
        filled = text.mask(empty).ffill()
        what = f"rows in which {column!r} is empty, and named above for its group"
        line = int(frame.index[empty][0]) + 2
        found.append(Finding(str(path), int(empty.sum()), what, "as above", f"line {line}"))
        frame = frame.assign(**{column: filled.astype(text.dtype)})
        inside = inside + "\n" + filled.astype(object)
    return frame
