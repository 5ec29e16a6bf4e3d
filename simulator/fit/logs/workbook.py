"""Workbooks of Excel and its like: each sheet a table of text, its cells as a CSV has them.

The only module that knows such files. They come from strangers: how much they unpack to, and how
far their sheets reach, is found before anything is read.
"""

from __future__ import annotations

import datetime as dt
import difflib
import io
import itertools
import re
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc

from simulator.errors import DataError
from simulator.fit.logs.heading import MOST_ABOVE, told_apart
from simulator.fit.tables import Finding

NEEDS = "reading it needs python-calamine: pip install 'growthsim[excel]'; or save it as CSV"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and whatever has a password
MOST_BYTES = 1 << 30  # that a workbook may unpack to
MOST_CELLS = 20_000_000  # that a sheet may reach over: empty ones take memory, too
MOST_MERGED = 2_000_000  # cells
_PIECE = 1 << 20  # bytes
_USUAL = re.compile(rb' r="([A-Z]+\d+)')
_FAR = 8  # letters of a place that may be far down: A1000000
_ROW = re.compile(rb"""<(?:\w+:)?row [^>]{0,200}?r=["'](\d{1,9})["']""")
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_PLACE = re.compile(rb"""\sr=["']([A-Z]{1,4})(\d{1,9})["']""")
_REPEAT = re.compile(rb"""number-(columns|rows)-repeated=["'](\d{1,9})["']""")
_BATCH = 20_000  # rows
_LAST_CELL = 11  # kinds of records of .xlsb: 0 a row, up to this a cell
_DIGITS = 1e15  # Excel keeps no more of a number


@dataclass(frozen=True)
class Sheet:
    """A sheet that holds a table. first: the row, from 1, that the header stands on.

    twice: the later of two columns alike -> the earlier. merged: cells that were filled by a
    merged one. rows: which row of the sheet, from 1, each of the table's was.
    """

    name: str
    first: int
    table: pa.Table
    rows: list[int]
    twice: dict[int, int]
    merged: int


def is_workbook(raw: bytes) -> bool:
    """Whether bytes are a workbook, by what is in them, whatever the file is called."""
    if raw[:8] == OLE:
        return True
    if raw[:4] != b"PK\x03\x04":
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as zipped:
            names = set(zipped.namelist())
    except (zipfile.BadZipFile, ValueError):
        return False
    return "[Content_Types].xml" in names or {"mimetype", "content.xml"} <= names


def read_sheets(raw: bytes, path: Path, chosen: Sequence[str], found: list[Finding]) -> list[Sheet]:
    """The sheets that hold a table; what is left out is said.

    chosen: names of sheets; none: all that can be seen. Raises DataError where the file cannot be
    read or is too large, or where no sheet has a table.
    """
    try:
        import python_calamine as calamine
    except ImportError:
        raise DataError(f"{path}: an Excel workbook; {NEEDS}") from None
    if raw[:8] != OLE:
        _refuse_bombs(raw, path)
    try:
        book = calamine.load_workbook(io.BytesIO(raw))
        about = list(book.sheets_metadata)
        names = [str(sheet.name) for sheet in about]
        if chosen and not set(chosen) & set(names):
            raise DataError(no_sheet(path, chosen[0], names))
        out = []
        for sheet in about:
            name = str(sheet.name)
            why = ""
            if chosen and name not in chosen:
                why = "not asked for"
            elif sheet.typ != calamine.SheetTypeEnum.WorkSheet:
                why = "a chart or a macro"
            elif sheet.visible != calamine.SheetVisibleEnum.Visible and not chosen:
                why = f"hidden; to read it, --sheet {name!r}"
            else:
                read = _sheet(book.get_sheet_by_name(name), name)
                if read is not None:
                    out.append(read)
                    continue
                why = "no table in it"
            found.append(Finding(str(path), 1, f"sheet {name!r}", f"left out: {why}"))
    except calamine.PasswordError:
        raise DataError(f"{path}: has a password. Save it without one, or as CSV") from None
    except (calamine.CalamineError, OSError, ValueError, OverflowError) as err:
        raise DataError(_damaged(raw, path, str(err))) from None
    if not out:
        raise DataError(
            f"{path}: no sheet holds a table, which is a header and rows below it. It has "
            f"{', '.join(map(repr, names)) or 'none'}"
        )
    return out


def no_sheet(path: str | Path, name: str, names: Sequence[str]) -> str:
    """What to say of a sheet that is not there."""
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(map(repr, names))}"
    return f"{path}: no sheet named {name!r}. {hint}"


def _damaged(raw: bytes, path: Path, why: str) -> str:
    if raw[:8] == OLE and "EncryptedPackage".encode("utf-16-le") in raw:
        return f"{path}: has a password. Save it without one, or as CSV"
    why = " ".join(why.split())[:120]
    return f"{path}: not a workbook that can be read ({why}). Is it whole? Save it again, or as CSV"


def _refuse_bombs(raw: bytes, path: Path) -> None:
    """Raise DataError where a workbook is damaged, unpacks to too much, or reaches too far."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as zipped:
            size = sum(info.file_size for info in zipped.infolist())
            if size > MOST_BYTES:
                raise DataError(
                    f"{path}: unpacks to {size / 2**20:,.0f} MiB, more than the "
                    f"{MOST_BYTES / 2**20:,.0f} that a workbook may. Save its sheets as CSV"
                )
            for info in zipped.infolist():
                # read to the end, which holds it to its size and its checksum
                with zipped.open(info) as stream:
                    if re.fullmatch(r"(?i).*sheets/[^/]+\.xml", info.filename):
                        cells = _reach(stream)
                    elif re.fullmatch(r"(?i).*sheets/[^/]+\.bin", info.filename):
                        cells = reach_of_xlsb(stream.read())
                    elif info.filename == "content.xml":
                        cells = _reach_of_ods(stream)
                    else:
                        cells = 0
                        while stream.read(_PIECE):
                            pass
                if cells > MOST_CELLS:
                    raise DataError(
                        f"{path}: a sheet ({info.filename}) reaches over {cells:,} cells, more "
                        f"than the {MOST_CELLS:,} that can be read. Delete the rows and columns "
                        "beyond the table, or save it as CSV"
                    )
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, IndexError) as err:
        raise DataError(_damaged(raw, path, str(err))) from None
    except (NotImplementedError, RuntimeError) as err:  # an unknown packing, or a password
        raise DataError(f"{path}: cannot be unpacked: {err}. Save it again, or as CSV") from None


def _pieces(stream: IO[bytes], end: bytes) -> Iterator[bytes]:
    """What is in a stream, cut behind an end of something."""
    left = b""
    while piece := stream.read(_PIECE):
        left += piece
        cut = left.rfind(end) + len(end)
        if cut >= len(end):
            yield left[:cut]
            left = left[cut:]
        elif len(left) > 64 * _PIECE:
            yield left
            left = b""
    yield left


def _reach(stream: IO[bytes]) -> int:
    """How many cells a sheet of .xlsx reaches over, the empty ones among them."""
    width = rows = last = 0
    columns: set[bytes] = set()
    for piece in _pieces(stream, b"</row>"):
        rows += piece.count(b"</row>") + 1
        usual = _USUAL.findall(piece)
        if len(usual) < piece.count(b"<c ") or max(map(len, usual), default=0) >= _FAR:
            places = _PLACE.findall(piece)
            usual = [column for column, _ in places]
            last = max([last, *(int(row) for _, row in places)])
            each = map(len, map(_CELL.findall, piece.split(b"</row>")))
            width = max(width, *each)  # cells need not say where they are
        columns.update(place.rstrip(b"0123456789") for place in usual)
        last = max([last, *map(int, _ROW.findall(piece))])
    return max(width, max(map(_number, columns), default=0)) * max(rows, last)


def _number(column: bytes) -> int:
    """The number of a column: A is 1, AA is 27."""
    n = 0
    for letter in column:
        n = 26 * n + letter - 64
    return n


def reach_of_xlsb(data: bytes) -> int:
    """How many cells a sheet of .xlsb reaches over: records of a kind, a size and so many bytes.

    Raises IndexError where a record is cut.
    """
    at = width = last = 0
    while at < len(data):
        kind, at = data[at], at + 1
        if kind & 0x80:
            kind, at = kind & 0x7F | (data[at] & 0x7F) << 7, at + 1
        size = 0
        for shift in (0, 7, 14, 21):
            byte, at = data[at], at + 1
            size |= (byte & 0x7F) << shift
            if not byte & 0x80:
                break
        if kind <= _LAST_CELL:
            place = int.from_bytes(data[at : at + 4], "little") + 1
            if kind:  # a cell, by its column
                width = max(width, place)
            else:  # a row
                last = max(last, place)
        at += size
    return width * last


def _reach_of_ods(stream: IO[bytes]) -> int:
    """How many cells the repeats of a sheet of .ods that say something come to."""
    most = 0
    for piece in _pieces(stream, b"table-row>"):
        for row in piece.split(b"table-row>"):
            if b"office:value-type" not in row:
                continue
            wide = high = 1
            for what, times in _REPEAT.findall(row):
                if what == b"rows":
                    high = int(times)
                else:
                    wide += int(times)
            # an empty rest of a row, and empty rows, are no cells to those who read them
            most = max(most, wide * high if high > 1 or wide > 20_000 else 0)
    return most


def _sheet(sheet: Any, name: str) -> Sheet | None:
    """A sheet's table; None where it has no header with rows below it."""
    if sheet.end is None:
        return None
    left = sheet.start[1]
    columns = sheet.end[1] - left + 1
    merged = _merged(sheet, left)
    return of_rows(name, columns, _filled(enumerate(sheet.iter_rows(), start=1), merged), merged)


def of_rows(
    name: str,
    columns: int,
    rows: Iterator[tuple[int, list[Any]]],
    merged: Collection[tuple[int, int]] = (),
) -> Sheet | None:
    """The table in numbered rows of so many cells each; None where there is no header with rows."""
    head = list(itertools.islice(rows, 2 * MOST_ABOVE))
    at = _header([row for _, row in head])
    if at is None:
        return None
    first, header = head[at]
    below = itertools.chain(head[at + 1 :], rows)
    numbers, parts = [], []
    while batch := list(itertools.islice(below, _BATCH)):
        batch = [(n, row) for n, row in batch if any(cell != "" for cell in row)]
        if batch:
            numbers += [n for n, _ in batch]
            cells = zip(*(row for _, row in batch), strict=True)
            parts.append([pa.array(_texts(column), pa.string()) for column in cells])
    if not numbers:
        return None
    made = [pa.chunked_array([part[k] for part in parts]) for k in range(columns)]
    titles = [_text(cell).strip() for cell in header]
    # a column without a name or anything in it is the sheet's margin
    kept = [k for k in range(columns) if titles[k] or any(_some(part[k]) for part in parts)]
    names, twice = told_apart([titles[k] for k in kept])
    table = pa.table([made[k] for k in kept], names=names)
    return Sheet(name, first, table, numbers, twice, sum(n - first > 0 for n, _ in merged))


def _some(text: pa.Array) -> bool:
    return bool(pc.any(pc.not_equal(text, "")).as_py())


def _merged(sheet: Any, left: int) -> dict[tuple[int, int], tuple[int, int]]:
    """Cells, by row from 1 and column from the sheet's first, that a merged one above fills."""
    out: dict[tuple[int, int], tuple[int, int]] = {}
    for (top, side), (bottom, _) in sheet.merged_cell_ranges or ():
        for row in range(top + 1, min(bottom, sheet.end[0]) + 1):
            if len(out) > MOST_MERGED:
                return {}  # no report has as many
            out[row + 1, side - left] = (top + 1, side - left)
    return out


def _filled(
    rows: Iterable[tuple[int, list[Any]]], merged: dict[tuple[int, int], tuple[int, int]]
) -> Iterator[tuple[int, list[Any]]]:
    """Rows in which a cell that is merged over several says the same in each of them."""
    if not merged:
        yield from rows
        return
    sides = {side for _, side in merged}
    above: dict[int, Any] = {}
    for n, row in rows:
        for side in sides:
            if (n, side) in merged:
                row[side] = above.get(side, "")
            else:
                above[side] = row[side]
        yield n, row


def _header(rows: list[list[Any]]) -> int | None:
    """Which row names the columns: the first that is half as full as the fullest, and of text."""
    full = [sum(cell != "" for cell in row) for row in rows]
    for k, row in enumerate(rows[: MOST_ABOVE + 1]):
        words = sum(isinstance(cell, str) and cell != "" for cell in row)
        if full[k] and 2 * full[k] > max(full) and 2 * words > full[k]:
            return k
    return next((k for k, n in enumerate(full) if n), None)


def _texts(column: Sequence[Any]) -> Sequence[str]:
    return column if set(map(type, column)) == {str} else [_text(cell) for cell in column]


def _text(cell: Any) -> str:
    """A cell as a CSV has it: days and moments by ISO 8601, numbers in full."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float | int):
        return _digits(float(cell))
    if isinstance(cell, dt.datetime):
        if cell.microsecond % 1000:  # days are kept as numbers, to a millisecond or so
            whole = dt.timedelta(milliseconds=round(cell.microsecond / 1000))
            cell = cell.replace(microsecond=0) + whole
        return str(cell.isoformat(" ", "milliseconds" if cell.microsecond else "seconds"))
    if isinstance(cell, dt.timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return str(cell)  # of days and times of the day, too


def _digits(number: float) -> str:
    """A number's digits; beyond those that Excel keeps they are shown as cut, as it shows them."""
    if number.is_integer():
        return f"{number:.0f}" if abs(number) < _DIGITS else f"{number:.14e}"
    text = repr(number)
    # of a number's three digits behind the point nobody should have to ask if they are thousands
    return text + "0" if re.fullmatch(r"-?\d+\.\d{3}", text) else text
