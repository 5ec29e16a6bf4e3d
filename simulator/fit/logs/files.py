"""Files of any size as tables of text: any encoding, zipped or not, with broken rows counted."""

from __future__ import annotations

import gc
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow

from simulator.errors import DataError
from simulator.fit.logs.heading import LINES, cells, heading, told_apart, without_twins
from simulator.fit.logs.layout import laid_out
from simulator.fit.logs.markup import is_markup, tables_of
from simulator.fit.logs.workbook import Sheet, is_workbook, of_rows, read_sheets
from simulator.fit.tables import MAX_BAD, Finding, Table

# One kind of text in every pandas: arrow's memory, NaN where absent.
TEXT: Any
try:
    TEXT = pd.StringDtype("pyarrow", na_value=np.nan)
except TypeError:  # pandas before 2.3
    TEXT = pd.StringDtype("pyarrow_numpy")  # type: ignore[call-overload,unused-ignore]

NOTHING = (
    "NULL", "null", "Null", "<null>", "(null)", "\\N", "N/A", "n/a", "#N/A", "NaN", "nan", "NaT",
    "None", "--None--", "-", "--", "(blank)", "(empty)", "(No value)", "#REF!", "#VALUE!",
)  # fmt: skip
HEAD = 1 << 18  # bytes in which the header is
MOST_UNPACKED = 2 << 30  # bytes


def read_file(path: str | Path) -> tuple[Table, list[Finding]]:
    """A CSV file, or a workbook of one table, as a table of stripped text; and what was wrong.

    Raises DataError where it cannot be read, is empty, has a column twice, or is mostly broken.
    """
    tables = read_tables(path)
    if len(tables) > 1:
        names = ", ".join(repr(table.sheet) for table, _ in tables)
        raise DataError(f"{path}: {len(tables)} sheets hold a table: {names}. Give one of them")
    return tables[0]


def read_tables(path: str | Path, sheets: Sequence[str] = ()) -> list[tuple[Table, list[Finding]]]:
    """The tables of a file: one of a CSV, one a sheet of a workbook; with what was wrong.

    sheets: those of a workbook that are asked for; none: all that can be seen. Raises DataError as
    `read_file` does.
    """
    path = Path(path)
    raw = _bytes(path)
    if is_workbook(raw):
        return _of_sheets(raw, path, sheets)
    if is_markup(raw):
        return _of_markup(raw, path)
    return [_of_text(raw, path)]


def _of_sheets(raw: bytes, path: Path, chosen: Sequence[str]) -> list[tuple[Table, list[Finding]]]:
    """A table a sheet. What is said of the workbook is said with the first."""
    found: list[Finding] = []
    sheets = read_sheets(raw, path, chosen, found)
    return _as_tables(sheets, path, found)


def _of_markup(raw: bytes, path: Path) -> list[tuple[Table, list[Finding]]]:
    """The table with the most cells, of a page or an XML workbook that a program calls .xls."""
    found: list[Finding] = []
    text, _ = _utf8(raw, path, found)
    tables = sorted(tables_of(text.decode("utf-8", "replace")), key=lambda t: sum(map(len, t)))
    for rows in reversed(tables):
        wide = max(map(len, rows))
        padded = ((n, row + [""] * (wide - len(row))) for n, row in enumerate(rows, start=1))
        sheet = of_rows("", wide, padded)
        if sheet is not None:
            if len(tables) > 1:
                what, action = "tables in the file", "the one with the most cells read"
                found.append(Finding(str(path), len(tables), what, action))
            return _as_tables([sheet], path, found)
    raise DataError(f"{path}: a web page or XML, whatever its name says. Export it as CSV")


def _as_tables(
    sheets: Sequence[Sheet], path: Path, found: list[Finding]
) -> list[tuple[Table, list[Finding]]]:
    out = []
    for sheet in sheets:
        file = str(path) if len(sheets) == 1 else f"{path}!{sheet.name}"
        mine, found = found, []
        if sheet.first > 1:
            what = "rows above the header"
            mine.append(Finding(file, sheet.first - 1, what, "not read"))
        if sheet.merged:
            what, action = "cells merged with the one above", "say what that one says"
            mine.append(Finding(file, sheet.merged, what, action))
        table = sheet.table
        for i, name in enumerate(table.column_names):
            table = table.set_column(i, name, pc.utf8_trim_whitespace(table.column(i)))
        table = without_twins(table, sheet.twice, Path(file), sheet.first, mine)
        table = _without_nothing(table, Path(file), mine)
        frame = table.to_pandas(types_mapper={pa.string(): TEXT}.get)
        frame.index = pd.Index(np.array(sheet.rows, dtype=np.int64) - 2)
        frame = laid_out(frame, Path(file), mine)
        kind = f"sheet {sheet.name!r}" if sheet.name else "a page, not a CSV"
        out.append((Table(file, frame, kind, sheet.name), mine))
    return out


def _of_text(raw: bytes, path: Path) -> tuple[Table, list[Finding]]:
    found: list[Finding] = []
    text, encoding = _utf8(raw, path, found)
    del raw
    if b"\n" not in text:  # lines end as they did on old Macs
        text = text.replace(b"\r", b"\n")
    above, sep, header = heading(text[:HEAD])
    if not any(header):
        raise DataError(f"{path}:1: no header line. The first line must name the columns")
    if above:
        what = "lines above the header" if above > 1 else "line above the header"
        found.append(Finding(str(path), above, what, "not read"))
        text = text.split(b"\n", above)[above]
    newline = text.find(b"\n")
    if newline < 0 or not text[newline:].strip():
        raise DataError(f"{path}: it has a header and no rows")
    header = header + [""] * _beyond(text[:HEAD], sep, len(header))
    names, twice = told_apart(header)
    table, bad = _parse(text, names, sep, path)
    if any("\n" in row for _, row in bad) or _swallows(table, sep):
        text, stray = _without_stray_quotes(text, sep)
        if stray:
            what = "rows with a quote that is never closed"
            where = f"line {stray[0] + above}"
            found.append(Finding(str(path), len(stray), what, "read without", where))
            table, bad = _parse(text, names, sep, path)
    rows = table.num_rows + len(bad)
    if bad:
        line, row = bad[0][0] + above, bad[0][1]
        where = f"line {line}, {row[:60]!r}"
        if len(bad) > max(MAX_BAD * rows, 10):  # reports end with a few lines about themselves
            raise DataError(
                f"{path}:{line}: {len(bad):,} of {rows:,} rows do not have the header's "
                f"{len(header)} columns, first {row[:60]!r}. A text with {sep!r} in it needs quotes"
            )
        what = f"rows without the {len(header)} columns of the header"
        found.append(Finding(str(path), len(bad), what, "left out", where))
    if not table.num_rows:
        told = f": {bad[0][1][:60]!r} has not its {len(header)} columns" if bad else ""
        raise DataError(f"{path}: it has a header and no rows{told}")
    table = without_twins(table, twice, path, 1 + above, found)
    table = _without_nothing(table, path, found)
    frame = table.to_pandas(types_mapper={pa.string(): TEXT}.get)
    frame.index = pd.Index(_positions(rows, [line for line, _ in bad]) + above)
    return Table(str(path), laid_out(frame, path, found), encoding), found


def _beyond(text: bytes, sep: str, width: int) -> int:
    """How many columns more than the header all rows have that end with a separator."""
    lines = [line.rstrip(b"\r") for line in text.split(b"\n")[1:LINES]]
    lines = [line for line in lines if line]
    if not lines or not all(line.endswith(sep.encode()) for line in lines):
        return 0
    each = {len(cells(line.decode("utf-8", "replace"), sep)) for line in lines}
    return max(0, each.pop() - width) if len(each) == 1 else 0


def _without_nothing(table: pa.Table, path: Path, found: list[Finding]) -> pa.Table:
    """The table with nothing where programs write a word for nothing, such as NULL."""
    words = pa.array(NOTHING, pa.string())
    seen: dict[str, int] = {}
    for i, name in enumerate(table.column_names):
        column = table.column(i)
        mine = pc.is_in(column, value_set=words)
        if not pc.any(mine).as_py():
            continue
        for value in pc.value_counts(column.filter(mine)).to_pylist():
            seen[value["values"]] = seen.get(value["values"], 0) + value["counts"]
        table = table.set_column(i, name, pc.if_else(mine, "", column))
    if seen:
        what = f"values that stand for nothing: {', '.join(map(repr, sorted(seen)))}"
        found.append(Finding(str(path), sum(seen.values()), what, "taken as empty"))
    return table


def _bytes(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = _gunzipped(raw, path)
        if raw[:4] == b"PK\x03\x04" and not is_workbook(raw):
            raw = _unzipped(raw, path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except zipfile.BadZipFile:
        raise DataError(
            f"{path}: a broken zip or workbook. Is it whole? Export it again, or as CSV"
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile, RuntimeError) as err:
        raise DataError(f"{path}: cannot be unzipped: {err}. Is it whole?") from None
    except OSError as err:
        raise DataError(f"{path}: cannot be read: {err.strerror or err}") from None
    return raw


def _unzipped(raw: bytes, path: Path) -> bytes:
    """The one file in a zip."""
    with zipfile.ZipFile(io.BytesIO(raw)) as zipped:
        names = [n for n in zipped.namelist() if not n.endswith("/") and "__MACOSX" not in n]
        if len(names) != 1:
            some = ", ".join(names[:4]) or "none"
            raise DataError(f"{path}: a zip of {len(names)} files ({some}). Unzip it; give those")
        if zipped.getinfo(names[0]).file_size > MOST_UNPACKED:
            raise DataError(too_much(path))
        return zipped.read(names[0])  # no more than it says it has


def _gunzipped(raw: bytes, path: Path) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
        text = stream.read(MOST_UNPACKED + 1)
    if len(text) > MOST_UNPACKED:
        raise DataError(too_much(path))
    return text


def too_much(path: Path) -> str:
    """What to say of a file that unpacks to more than is read."""
    return (
        f"{path}: unpacks to more than {MOST_UNPACKED / 2**20:,.0f} MiB, which is too much to read "
        "at once. Is it what you meant? Export fewer columns, or a shorter period"
    )


def _utf8(raw: bytes, path: Path, found: list[Finding]) -> tuple[bytes, str]:
    """The text as UTF-8 without a mark, and the encoding it was in."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", "replace").encode("utf-8"), "utf-16"
    if re.match(rb"\s*(?:\{\s*[\"}]|\[\s*[\[{\]])", raw[:512]):
        raise DataError(f"{path}: JSON, not a table. Export it as CSV")
    if raw[:512].lstrip()[:1] == b"<" and not is_markup(raw):
        raise DataError(f"{path}: a web page or XML, whatever its name says. Export it as CSV")
    if b"\x00" in raw[:4096]:
        raise DataError(f"{path}: not a text file. Export it as CSV")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "replace")
        bad = text.count("\ufffd")
        # a few strange bytes among good UTF-8, or another encoding
        if bad <= sum(c > "\x7f" for c in text) - bad:
            what = "letters that are not UTF-8"
            found.append(Finding(str(path), bad, what, "read as \ufffd"))
            return text.encode("utf-8"), "utf-8-sig"
        try:
            return raw.decode("cp1252").encode("utf-8"), "cp1252"
        except UnicodeDecodeError:
            return raw.decode("latin-1").encode("utf-8"), "latin-1"
    return raw, "utf-8-sig"


def _parse(
    text: bytes, header: list[str], sep: str, path: Path
) -> tuple[pa.Table, list[tuple[int, str]]]:
    bad: list[tuple[int, str]] = []

    def keep(row: arrow.InvalidRow) -> str:
        bad.append((row.number or 0, row.text))
        return "skip"

    names = header
    try:
        table = arrow.read_csv(
            io.BytesIO(text),
            read_options=arrow.ReadOptions(
                use_threads=False, column_names=names, skip_rows=1, block_size=1 << 24
            ),
            parse_options=arrow.ParseOptions(
                delimiter=sep, newlines_in_values=True, invalid_row_handler=keep
            ),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as err:
        if "straddling" in str(err):  # a quote that swallows all that follows
            return table_of(names), [(2, "\n")]
        raise DataError(f"{path}: {' '.join(str(err).split())}") from None
    for i in range(table.num_columns):
        table = table.set_column(i, names[i], pc.utf8_trim_whitespace(table.column(i)))
    return table, bad


def _swallows(table: pa.Table, sep: str) -> bool:
    """Whether a value has whole rows in it, as after a quote that is never closed."""
    row = rf"\n(?:[^{sep}\n]*[{sep}]){{{max(1, table.num_columns - 1)}}}"
    for column in table.columns:
        long = column.filter(pc.match_substring(column, "\n"))
        if len(long) and pc.any(pc.match_substring_regex(long, row)).as_py():
            return True
    return False


def within(text: pd.Series | pd.Index, names: pd.Series | pd.Index) -> np.ndarray:
    """Which of the texts are among many names; pandas would make a list of the names first."""
    found = pc.is_in(_arrow(text), value_set=_arrow(names))
    out: np.ndarray = found.to_numpy(zero_copy_only=False).astype(bool)
    return out


def taken(names: Sequence[str], which: np.ndarray) -> pd.Series:
    """Names by their places, NA where it is -1: text of arrow's, with no object made of each."""
    texts = pa.array([*names, ""], pa.string()).take(pa.array(which, mask=which < 0))
    out: pd.Series = pa.chunked_array([texts]).to_pandas(types_mapper={pa.string(): TEXT}.get)
    return out


def places(text: pd.Series, names: pd.Index) -> np.ndarray:
    """Where each text stands among the names, -1 where it does not."""
    found = pc.index_in(_arrow(text), value_set=_arrow(names))
    out: np.ndarray = pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return out


def let_go() -> None:
    """Give back to the machine what arrow keeps of text that is gone."""
    gc.collect()
    pa.default_memory_pool().release_unused()


def _arrow(text: pd.Series | pd.Index) -> pa.Array:
    made = pa.array(text.astype(TEXT).array, pa.string())
    return made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made


def table_of(names: list[str]) -> pa.Table:
    """An empty table of text."""
    return pa.table({name: pa.array([], pa.string()) for name in names})


def _without_stray_quotes(text: bytes, sep: str) -> tuple[bytes, list[int]]:
    """The text without quotes that open a value and never close it; the lines they stood on.

    A value may have line breaks: its quote closes on a later line, before a separator or at the
    end of the line.
    """
    mark = re.escape(sep.encode())
    opens = re.compile(rb"(?:^|" + mark + rb')"(?:[^"]|"")*\r?$')
    closes = re.compile(rb'^(?:[^"]|"")*"(?:' + mark + rb"|\r?$)")
    lines = text.split(b"\n")
    odd = [i for i, line in enumerate(lines) if line.count(b'"') % 2]
    stray = []
    k = 0
    while k < len(odd):
        here = odd[k]
        k += 1
        if not opens.search(lines[here]):
            continue  # a quote within a value is a letter
        if k < len(odd) and closes.match(lines[odd[k]]):
            k += 1
            continue
        lines[here] = lines[here].replace(b'"', b"")
        stray.append(here + 1)
    return b"\n".join(lines), stray


def _positions(rows: int, bad: list[int]) -> np.ndarray:
    """Where good rows stand among all: line - 2."""
    keep = np.ones(rows, dtype=bool)
    gone = np.array(bad, dtype=np.int64) - 2
    keep[gone[(gone >= 0) & (gone < rows)]] = False
    places: np.ndarray = np.flatnonzero(keep)
    return places if len(places) == rows - len(bad) else np.arange(rows - len(bad))
