"""Where a table of text begins: its header line, its separator, and names that are there twice."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from simulator.errors import DataError
from simulator.fit.tables import Finding

SEPARATORS = ",;\t|"
LINES = 60  # that are looked at
MOST_ABOVE = 30  # lines of a title, a date, filters
FEW, WIDE = 1, 5  # cells of a title's line, two where the table is as wide as this
STATED = "sep="  # Excel's first line


def heading(text: bytes) -> tuple[int, str, list[str]]:
    """Lines above the header, the separator, and the header's names.

    The header is the first line, but for Excel's ``sep=;`` and the lines of a report's title: a
    cell or two each, before the first line that is as wide as most of those below it.
    """
    lines = text.decode("utf-8", "replace").split("\n")[:LINES]
    first = lines[0].rstrip("\r").strip('"')
    if first.lower().startswith(STATED) and len(first) == len(STATED) + 1:
        sep = first[-1]
        return 1, sep, cells(lines[1] if len(lines) > 1 else "", sep)
    best: tuple[int, int, str, list[str]] | None = None
    for sep in SEPARATORS:
        rows = [cells(line, sep) for line in lines]
        above = _above(rows)
        names = rows[above]
        if best is None or len(names) > best[0]:
            best = (len(names), above, sep, names)
    assert best is not None
    return best[1:]


def cells(line: str, sep: str) -> list[str]:
    """What stands between the separators of a line."""
    try:
        row = next(csv.reader([line.rstrip("\r")], delimiter=sep), [])
    except csv.Error:
        row = line.rstrip("\r").split(sep)
    return [cell.strip() for cell in row] or [""]


def _above(rows: list[list[str]]) -> int:
    """How many lines come before the header: 0 unless they are few cells and a table follows."""
    wide = [len(row) for row in rows if len(row) > 1]
    if not wide:
        return 0
    usual = max(set(wide), key=lambda n: (wide.count(n), n))
    few = FEW + (usual >= WIDE)
    for k, row in enumerate(rows[: MOST_ABOVE + 1]):
        filled = sum(map(bool, row))
        if len(row) == usual and 2 * filled > usual:
            return k
        if filled > few:
            return 0
    return 0


def told_apart(header: list[str]) -> tuple[list[str], dict[int, int]]:
    """Names for every column, no two alike; and the later of two alike -> the earlier."""
    first: dict[str, int] = {}
    names, twice = [], {}
    for i, name in enumerate(header):
        if name.lower() in first and name:
            twice[i] = first[name.lower()]
            name = f"{name} ({i + 1})"  # noqa: PLW2901
        first.setdefault(name.lower(), i)
        names.append(name or f"column {i + 1}")
    return names, twice


def without_twins(
    table: pa.Table, twice: dict[int, int], path: Path, line: int, found: list[Finding]
) -> pa.Table:
    """The table with one column a name: of two alike, or of which one is empty, the fuller.

    Raises DataError where both say something, and not the same.
    """
    gone = set()
    for later, earlier in twice.items():
        name = table.column_names[earlier]
        a, b = table.column(earlier), table.column(later)
        empty = [not pc.any(pc.not_equal(c, "")).as_py() for c in (a, b)]
        if not (any(empty) or pc.all(pc.equal(a, b)).as_py()):
            raise DataError(
                f"{path}:{line}: column {name!r} is there twice, and they differ. Rename or "
                "remove one"
            )
        if empty[0] and not empty[1]:
            table = table.set_column(earlier, name, b)
        gone.add(later)
        what = f"column that is there twice, {name!r}"
        action = "taken once" if not any(empty) else "the one that is not empty taken"
        found.append(Finding(str(path), 1, what, action))
    keep = [i for i in range(table.num_columns) if i not in gone]
    return table.select(keep) if gone else table
