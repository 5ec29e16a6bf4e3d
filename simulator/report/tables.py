"""Tables on disk: CSV that a spreadsheet opens without running it, and Parquet."""

from __future__ import annotations

import csv
import json
import math
import numbers
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Columns = dict[str, list[Any]]
Rows = Sequence[Mapping[str, Any]]

# What makes a spreadsheet take a cell for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def columns(table: Rows | Mapping[str, Sequence[Any]]) -> Columns:
    """Rows, or columns, as columns of plain values: text, numbers, truth, None.

    What is not finite is None; a list or a mapping is its JSON text.
    """
    if isinstance(table, Mapping):
        return {str(key): [_plain(v) for v in values] for key, values in table.items()}
    keys = dict.fromkeys(key for row in table for key in row)
    return {str(key): [_plain(row.get(key)) for row in table] for key in keys}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    if hasattr(value, "item"):  # a number of numpy's
        value = value.item()
    if isinstance(value, bool | int):
        return value
    if isinstance(value, numbers.Real):
        number = float(value)
        return number if math.isfinite(number) else None
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return str(value)


def cell(value: Any) -> Any:
    """A value as a CSV has it: what would be a formula is made text by a leading quote."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = value.replace("\r\n", "\n").replace("\r", "\n")  # else it would end the row
        return f"'{text}" if value.lstrip(" \n").startswith(_FORMULA) else text
    return "" if value is None else value


def write_csv(table: Columns, path: Path) -> None:
    """Write columns as CSV: UTF-8, a header, the shortest digits that read back exactly."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerow([cell(key) for key in table])
        for row in zip(*table.values(), strict=True):
            out.writerow([cell(value) for value in row])


def write_parquet(table: Columns, path: Path) -> None:
    """Write columns as Parquet; a column of mixed kinds becomes text."""
    import pyarrow as pa
    from pyarrow import parquet

    arrays = {key: pa.array(*_typed(values)) for key, values in table.items()}
    parquet.write_table(pa.table(arrays), path)


def _typed(values: list[Any]) -> tuple[list[Any], Any]:
    """Values of one kind, and which: booleans, integers, numbers or text."""
    import pyarrow as pa

    known = [v for v in values if v is not None]
    if known and all(isinstance(v, bool) for v in known):
        return values, pa.bool_()
    whole = all(isinstance(v, int) and not isinstance(v, bool) for v in known)
    if known and whole and all(-(2**63) <= v < 2**63 for v in known):
        return values, pa.int64()
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in known):
        return [None if v is None else float(v) for v in values], pa.float64()
    return [None if v is None else str(v) for v in values], pa.string()
