"""Days and times of the day that stand in columns apart, put together."""

from __future__ import annotations

import re
from dataclasses import replace

from simulator.fit.logs.files import TEXT
from simulator.fit.tables import MAX_BAD, Finding, Table, key_of

_CLOCK = r"\d{1,2}[:.h]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?"
_WORDS = (("time", "date"), ("time", "day"), ("uhrzeit", "datum"), ("zeit", "datum"),
          ("heure", "date"), ("hora", "fecha"), ("hora", "data"), ("ora", "data"),
          ("tijd", "datum"))  # fmt: skip


def put_together(
    table: Table, columns: dict[str, str], roles: tuple[str, ...], found: list[Finding]
) -> Table:
    """The table with whole moments in those columns that have the time of the day only.

    The day is of the column called likewise (Start Time, Start Date), or of the one called Date.
    """
    names = {key_of(str(c)): str(c) for c in table.frame.columns}
    frame = table.frame
    for role in roles:
        column = columns.get(role)
        if column is None:
            continue
        text = frame[column]
        stated = text.ne("")
        if not stated.any() or text[stated].str.fullmatch(_CLOCK).mean() < 1 - MAX_BAD:
            continue
        key = key_of(column)
        there = [
            names[k]
            for time, date in _WORDS
            for k in (re.sub(f"{time}$", date, key), date)
            if key.endswith(time) and k != key and k in names
        ]
        if not there:
            continue
        day = frame[there[0]]
        whole = (day.str.slice(0, 10).str.strip() + " " + text).where(stated & day.ne(""), "")
        frame = frame.assign(**{column: whole.astype(TEXT)})
        what, action = f"times of the day in {column!r}", f"with the day of {there[0]!r}"
        found.append(Finding(table.file, int(stated.sum()), what, action))
    return replace(table, frame=frame)
