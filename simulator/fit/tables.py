"""CSV files as tables of text, and their columns as dates and money; every fault says where."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from simulator.errors import DataError

SILENT = 14  # days at the end without anything are told,
MOST_SILENT = 92  # and more than these, and than the data's own length, are taken for a slip
MAX_BAD = 0.05  # a larger share of unreadable values means the wrong column, not a few bad rows
ISO = re.compile(r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}(?:[ T].*)?$")
DMY = re.compile(r"^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?:[ T,]+(.*))?$")
# beginnings of months that English has not (de, fr, es, it, pt, nl), without accents
_MONTHS = {
    "janv": "Jan", "jann": "Jan", "jane": "Jan", "ene": "Jan", "genn": "Jan", "gen": "Jan",
    "janu": "Jan", "feb": "Feb", "fev": "Feb", "marz": "Mar", "mars": "Mar", "marc": "Mar",
    "maer": "Mar", "maar": "Mar", "mrt": "Mar", "mrz": "Mar", "mar": "Mar", "avr": "Apr",
    "abr": "Apr", "apr": "Apr", "mai": "May", "mei": "May", "mag": "May", "may": "May",
    "juin": "Jun", "juni": "Jun", "giu": "Jun", "juil": "Jul", "juli": "Jul", "lug": "Jul",
    "julh": "Jul", "junh": "Jun",
    "aou": "Aug", "ago": "Aug", "aug": "Aug", "set": "Sep", "sept": "Sep",
    "okt": "Oct", "out": "Oct", "ott": "Oct", "dez": "Dec", "dic": "Dec", "dec": "Dec",
    "nov": "Nov", "oct": "Oct",
}  # fmt: skip
_FILLERS = {"de", "del", "di", "den", "le", "of", "uhr"}
# in a group: old pandas anchors the last one only
YES = r"(?i:true|1|yes|y|wahr|ja|vrai|oui|verdadero|s[ií]|vero|verdadeiro|sim|waar)"
NO = r"(?i:false|0|no|n|falsch|nein|faux|non|falso|n[aã]o|onwaar|nee|open|-)"
EXCEL = r"[2-6]\d{4}(?:[.,]\d+)?$"  # 1954 to 2091
EXCEL_START = pd.Timestamp("1899-12-30")
MONTHS = 12
FEWEST_DAYS = 12  # of either sort: of so many the chance of no day after the 12th is 1 in 50,000
OFFSET = re.compile(r"\s*(?:(?<=\d)Z|\b(?:UTC|GMT)|(?<=:\d\d)\s*[+-]\d{2}:?\d{2})$")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something seen while reading: how many rows, what they are, what was done with them."""

    file: str
    count: int
    what: str
    action: str
    example: str = ""

    def __str__(self) -> str:
        what = (
            re.sub(r"^(row|deal|lead|day|case|visit|event|column|amount)s\b", r"\1", self.what)
            if self.count == 1
            else self.what
        )
        text = f"{self.file}: {self.count:,} {what}: {self.action}"
        return f"{text} (first: {self.example})" if self.example else text


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file read as text; ``frame`` has one string column per header, stripped.

    sheet: of a workbook, its name; else empty.
    """

    file: str
    frame: pd.DataFrame
    encoding: str
    sheet: str = ""

    def line(self, position: int) -> int:
        """The line of the file that row ``position`` (from 0) stands on."""
        return int(self.frame.index[position]) + 2


def pick(
    table: Table,
    given: str | None,
    candidates: Sequence[str],
    what: str,
    *,
    flag: str,
    needed: bool = True,
) -> str | None:
    """The column asked for by name, or the first candidate that the file has.

    Names are matched case-insensitively, with spaces, dashes and underscores alike.
    Raises DataError, with the nearest name, where the column is not there.
    """
    by_key = {key_of(name): str(name) for name in table.frame.columns}
    if given is not None:
        if key_of(given) in by_key:
            return by_key[key_of(given)]
        near = difflib.get_close_matches(key_of(given), by_key, n=1, cutoff=0.6)
        hint = f"Did you mean {by_key[near[0]]!r}?" if near else f"It has {names_of(table)}"
        raise DataError(f"{table.file}:1: no column named {given!r} for {what}. {hint}")
    for candidate in candidates:
        if key_of(candidate) in by_key:
            return by_key[key_of(candidate)]
    if not needed:
        return None
    raise DataError(
        f"{table.file}:1: no column recognised as {what}. "
        f"Name it with {flag}; the file has {names_of(table)}"
    )


def key_of(name: str) -> str:
    """A column's name as names are compared: small letters and digits only, without accents."""
    plain = unicodedata.normalize("NFKD", str(name).casefold())
    return re.sub(r"[^a-z0-9]", "", plain) or plain.strip()


def names_of(table: Table) -> str:
    """The columns of a file, for a message: the first dozen."""
    names = [repr(str(name)) for name in table.frame.columns]
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def excel_days(table: Table, column: str, what: str) -> tuple[pd.Series, list[Finding]] | None:
    """The column as moments, where nearly all of it are numbers of days as Excel counts them."""
    text = table.frame[column]
    serial = text.str.match(EXCEL)
    n, stated = int(serial.sum()), int(text.ne("").sum())
    if not n or n < (1 - MAX_BAD) * stated:
        return None
    days = pd.to_numeric(text[serial].str.replace(",", ".", regex=False)).astype(float)
    out = (EXCEL_START + pd.to_timedelta((days * 86_400).round(), unit="s")).reindex(text.index)
    where = f"line {table.line(int(serial.to_numpy().argmax()))}, column {column!r}"
    action = "read as days since 1899-12-30, as Excel counts them"
    found = [Finding(table.file, n, f"rows where {what} is a number", action, where)]
    bad = out.isna() & text.ne("")
    return out, found + bad_rows(table, column, what, "a date", bad, stated)


def as_days(
    table: Table, column: str, what: str, day_first: bool | None = None
) -> tuple[pd.Series, list[Finding]]:
    """The column as calendar days; NaT where empty or unreadable.

    Day-first or month-first is found from the values (a 25 can only be a day). A column that
    mixes both, or that never tells and is not settled by ``day_first``, is an error, and so is
    one where more than 5% cannot be read.
    """
    text = table.frame[column]
    numbers = excel_days(table, column, what)
    if numbers is not None:
        return numbers[0].dt.normalize().astype("datetime64[s]"), numbers[1]
    empty = text.eq("")
    out = pd.Series(pd.NaT, index=text.index, dtype="datetime64[s]")  # room for 9999
    iso = text.str.match(ISO.pattern) & ~empty
    # the clock on the wall decides the day: a UTC offset is dropped, not applied
    cleaned = text[iso].str.replace("/", "-", regex=False).str.slice(0, 10)
    cleaned = cleaned.str.split(r"[ T]", regex=True).str[0]
    out[iso] = pd.to_datetime(cleaned, format="%Y-%m-%d", errors="coerce")
    rest = ~iso & ~empty
    if rest.any():
        parts = text[rest].str.extract(DMY)
        fits = parts[0].notna()
        if fits.any():
            refuse_swapped(table, column, what, text[iso], parts[fits])
            first = day_order(table, column, what, parts[fits], day_first)
            out[parts.index[fits]] = _from_parts(parts[fits], first)
        others = parts.index[~fits]
        if len(others):
            named = in_english(text[others].str.replace(OFFSET, "", regex=True))
            named = named.where(named.str.contains("[A-Za-z]{3}", regex=True))
            read = pd.to_datetime(named, format="mixed", errors="coerce", utc=True)
            out[others] = read.dt.tz_localize(None).dt.normalize()
    return out, bad_rows(table, column, what, "a date", out.isna() & ~empty, int((~empty).sum()))


def day_order(
    table: Table, column: str, what: str, parts: pd.DataFrame, day_first: bool | None
) -> bool:
    """Whether dates are day-first, by the values. parts: the groups of DMY, one row a date.

    Raises DataError where they are both, or do not tell and ``day_first`` does not either.
    """
    a, b = parts[0].astype(int), parts[2].astype(int)
    day_then, month_then = (a > 12) & (b <= 12), (b > 12) & (a <= 12)
    n_day, n_month = int(day_then.sum()), int(month_then.sum())
    if day_first is not None:
        return day_first
    if n_day and n_month and min(n_day, n_month) > MAX_BAD * max(n_day, n_month):
        row = int((day_then if n_day < n_month else month_then).to_numpy().argmax())
        line = int(parts.index[row]) + 2
        raise DataError(
            f"{table.file}:{line}: column {column!r}, value "
            f"{table.frame[column].loc[parts.index[row]]!r}: {what} is day-first in {n_day:,} rows "
            f"and month-first in {n_month:,}. Export it as YYYY-MM-DD"
        )
    if n_day or n_month:
        return n_day > n_month
    if parts[1].eq(".").all():
        return True
    told = _order_elsewhere(table, column)
    if told is not None:
        return told
    value = table.frame[column].loc[parts.index[0]]
    raise DataError(
        f"{table.file}:{int(parts.index[0]) + 2}: column {column!r}, value {value!r}: "
        f"{what} may be day-first or month-first, and no row tells. "
        "Say which with --day-first or --month-first, or export it as YYYY-MM-DD"
    )


def refuse_swapped(
    table: Table, column: str, what: str, iso: pd.Series, parts: pd.DataFrame
) -> None:
    """Raise DataError where a spreadsheet has taken days for months in some of the dates.

    It makes dates of those it can read its own way (all up to the 12th), and leaves the others as
    text (all after it). iso, parts: the dates of either sort; parts as DMY has them.
    """
    day = pd.to_numeric(iso.str.extract(r"^\d{4}[-/]\d{1,2}[-/](\d{1,2})", expand=False))
    a, b = (pd.to_numeric(parts[k]) for k in (0, 2))
    late = (a > MONTHS) if (a > MONTHS).any() else (b > MONTHS)
    if len(day) < FEWEST_DAYS or len(a) < FEWEST_DAYS or day.gt(MONTHS).any() or not late.all():
        return
    raise DataError(
        f"{table.file}:{int(parts.index[0]) + 2}: column {column!r}, value "
        f"{table.frame[column].loc[parts.index[0]]!r}: {what} is left as text in {len(a):,} rows, "
        f"all after the 12th of a month, and the {len(day):,} others are dates up to the 12th: a "
        "spreadsheet has taken their days for months. Export the file again, and do not open it in "
        "a spreadsheet"
    )


def _order_elsewhere(table: Table, column: str) -> bool | None:
    """Whether the file's other dates are day-first, where those that tell agree."""
    day_then, month_then = 0, 0
    for name in table.frame.columns:
        if name == column:
            continue
        text = table.frame[name]
        text = text[text.str.extract(DMY)[0].notna()]
        if len(text) < (1 - MAX_BAD) * table.frame[name].ne("").sum():
            continue
        parts = text.str.extract(DMY)
        a, b = parts[0].astype(int), parts[2].astype(int)
        day_then += int(((a > 12) & (b <= 12)).sum())
        month_then += int(((b > 12) & (a <= 12)).sum())
    if min(day_then, month_then) > MAX_BAD * max(day_then, month_then):
        return None
    return day_then > month_then if day_then or month_then else None


def in_english(text: pd.Series) -> pd.Series:
    """Dates whose month has a name, with the name that English has for it: 3. März, 4 août."""
    known = {t: re.sub(r"[^\W\d_]+\.?", _month, t) for t in text.dropna().unique()}
    return text.map(known).astype(text.dtype)


def _month(found: re.Match[str]) -> str:
    word = unicodedata.normalize("NFKD", found.group().casefold().rstrip("."))
    word = "".join(c for c in word if c.isalpha())
    if word in _FILLERS:
        return " "
    return next(
        (en for start, en in _MONTHS.items() if word.startswith(start)), found.group().rstrip(".")
    )


def _from_parts(parts: pd.DataFrame, day_first: bool) -> pd.Series:
    day, month = (parts[0], parts[2]) if day_first else (parts[2], parts[0])
    year = parts[3].where(parts[3].str.len() == 4, "20" + parts[3])
    text = year + "-" + month.str.zfill(2) + "-" + day.str.zfill(2)
    return pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")


def bad_rows(
    table: Table, column: str, what: str, kind: str, bad: pd.Series, stated: int
) -> list[Finding]:
    """What to say of values that cannot be read; DataError where they are too many."""
    n = int(bad.sum())
    if n == 0:
        return []
    row = int(bad.to_numpy().argmax())
    where = f"line {table.line(row)}, column {column!r}, value {table.frame[column].iloc[row]!r}"
    if n > MAX_BAD * stated:
        raise DataError(
            f"{table.file}:{table.line(row)}: column {column!r}, value "
            f"{table.frame[column].iloc[row]!r}: {what} is not {kind}, here and in {n:,} of "
            f"{stated:,} rows in all. Is it the right column?"
        )
    return [Finding(table.file, n, f"rows where {what} is not {kind}", "left out", where)]


def left_out(
    frame: pd.DataFrame,
    rows: pd.Series,
    table: Table,
    what: str,
    found: list[Finding],
    action: str = "left out",
) -> pd.DataFrame:
    """The frame without some of its rows, and a finding that says so.

    Rows of the table are those of the index, or of a column ``row``.
    """
    n = int(rows.sum())
    if n == 0:
        return frame
    places = frame["row"] if "row" in frame else frame.index.to_series()
    first = int(places[rows].min()) + 2
    found.append(Finding(table.file, n, f"rows {what}", action, f"line {first}"))
    return frame[~rows]


def refuse_future(n: int, of: int, what: str, limit: pd.Timestamp, place: str) -> None:
    """Raise DataError where so many are dated in the future that the dates are misread."""
    if n > MAX_BAD * of:
        raise DataError(
            f"{place}: {n:,} of {of:,} {what} are dated after {limit.date()}, in the future. "
            "Are days and months mixed up? If the data are simulated, say up to when they go "
            "with --until"
        )


def silence(file: str, first: dt.date, last: dt.date, until: dt.date) -> list[Finding]:
    """What to say of days up to ``until`` in which nothing happened; DataError of too many.

    first, last: days on which something did. What was open then is taken to be open still.
    """
    days = (until - last).days
    if days > max(MOST_SILENT, (last - first).days):
        raise DataError(
            f"{file}: --until {until} is {days:,} days after the last date in it, {last}, and all "
            "that was open then would be taken to have stayed open since. Give the last day that "
            "the files cover, or leave --until out"
        )
    if days <= SILENT:
        return []
    what = f"days up to {until} in which nothing happened (last on {last})"
    return [Finding(file, days, what, "taken as true; say with --until where the files end")]
