"""Tables that explain names (products, sales teams), joined to the cases that use them."""

from __future__ import annotations

import pandas as pd

from simulator.fit.logs.files import TEXT
from simulator.fit.logs.kinds import Source
from simulator.fit.tables import Finding, key_of

LEAST = 0.5  # of the names used, the share that a table must know to be joined


def explained(cases: pd.DataFrame, source: Source, found: list[Finding]) -> pd.DataFrame:
    """Cases with what a table says of the names in one of their columns.

    Names are compared by letters and digits only: ``GTXPro`` is ``GTX Pro``.
    """
    data = source.table.frame
    file = source.table.file
    best: tuple[float, str, str] = (0.0, "", "")
    for column in data.columns:
        keys = data[column].map(key_of)
        if keys.duplicated().any():
            continue
        there = set(keys)
        for name in cases.columns:
            if not isinstance(cases[name].dtype, pd.StringDtype) or name == "outcome":
                continue
            used = cases[name].dropna().unique()
            share = sum(key_of(u) in there for u in used) / max(1, len(used))
            if share > best[0]:
                best = (share, str(column), str(name))
    share, column, name = best
    if share < LEAST:
        what, action = "rows of names that no case uses", "not used"
        found.append(Finding(file, len(data), what, action))
        return cases
    keys = data[column].map(key_of)
    spelled = dict(zip(keys, data[column], strict=True))
    text = cases[name]
    mine = text.map({t: key_of(t) for t in text.dropna().unique()})
    proper = mine.map(spelled)
    other = proper.notna() & proper.ne(text)
    if other.any():
        example = f"{text[other].iloc[0]!r} as {proper[other].iloc[0]!r}"
        what = f"cases whose {name} is spelled in another way"
        found.append(Finding(file, int(other.sum()), what, "taken as one", example))
    cases = cases.assign(**{name: proper.where(proper.notna(), text).astype(TEXT)})
    added = []
    for extra in data.columns:
        if extra == column or extra in cases:
            continue
        values = data[extra].mask(data[extra].eq(""))
        number = pd.to_numeric(values, errors="coerce")
        known = number if number.notna().sum() == values.notna().sum() else values
        cases[str(extra)] = mine.map(dict(zip(keys, known, strict=True)))
        added.append(f"`{extra}`")
    n = int((text.notna() & proper.isna()).sum())
    if n:
        found.append(Finding(file, n, f"cases whose {name} the table does not know", "left as is"))
    action = f"joined by `{column}` to `{name}`: {', '.join(added)}"
    found.append(Finding(file, len(data), "rows read", action))
    return cases
