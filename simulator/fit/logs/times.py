"""Columns of text as moments, durations and clean ids."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from simulator.fit.logs.files import TEXT
from simulator.fit.tables import (
    DMY,
    Finding,
    Table,
    bad_rows,
    day_order,
    excel_days,
    in_english,
    refuse_swapped,
)

NS: Final = "datetime64[ns]"
FAR = pd.Timestamp("2261-01-01")  # stands for all that is later: 9999-12-31 means never
EARLY = pd.Timestamp("1980-01-01")  # before it: what programs write where there is no date
# hours that clocks with a name are ahead of UTC
_CLOCKS = {
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
    "SGT": 8, "HKT": 8, "JST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
_OF_UTC = rf"Z|{'|'.join(_CLOCKS)}|(?:UTC|GMT)?[+-]\d{{2}}(?::?\d{{2}})?|UTC|GMT"
_ZONE = rf"(:\d{{2}}(?:[.,]\d+)?(?:\s*[AaPp]\.?[Mm]\.?)?)\s*(?:{_OF_UTC})(?:\s*\([^()]*\))?$"
_ZONED = _ZONE.replace("(:", "(?::", 1).replace("(?:Z", "(?P<zone>Z", 1)
_HALVES = r"\s*[AaPp]\.?[Mm]\.?$"
MOST_ASKED = 10_000  # values that tell by which clock a column goes
SUMMER = 60  # minutes that the clock on one wall moves by in a year
_CLOCK = r"^(\d{1,2})[:.h](\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?\s*([AaPp])?"


def as_times(
    table: Table, column: str, what: str, day_first: bool | None = None
) -> tuple[pd.Series, list[Finding]]:
    """The column as moments on the clock on the wall, datetime64[ns]; NaT: empty or unreadable.

    An offset from UTC is dropped, not applied: people work by their own clock. Where offsets are
    further apart than summer and winter, all are set to the clock that most rows go by. Raises
    DataError as `as_days` does.
    """
    text = table.frame[column]
    numbers = excel_days(table, column, what)
    if numbers is not None:
        return numbers[0].astype(NS), numbers[1]
    stated = text.ne("")
    found: list[Finding] = []
    out = pd.Series(pd.NaT, index=text.index, dtype=NS)
    iso = text.str.match(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}")
    if iso.any():
        out[iso] = _iso(text[iso])
        _one_clock(out, text[iso], table, column, found)
    for pattern, scale in ((r"\d{10}(?:\.0+)?$", 10**9), (r"\d{13}(?:\.0+)?$", 10**6)):
        digits = ~iso & text.str.match(pattern)
        if digits.any():
            since = _sub(text[digits], r"\.0+$", "").astype("int64")
            since = since.clip(upper=9_000_000_000_000_000_000 // scale)
            out[digits] = (since * scale).to_numpy().view(NS)
            iso |= digits
    solid = ~iso & text.str.match(r"(?:19|20)\d{6}(?:\d{6})?$")
    if solid.any():
        whole = text[solid].str.ljust(14, "0")
        out[solid] = pd.to_datetime(whole, format="%Y%m%d%H%M%S", errors="coerce").astype(NS)
    short = ~iso & text.str.match(r"\d{6}$")
    if short.any():
        days = pd.to_datetime(text[short], format="%y%m%d", errors="coerce")
        out[short] = days.astype(NS)
    rest = stated & ~iso & ~solid & ~short
    if rest.any():
        parts = text[rest].str.extract(DMY)
        fits = parts[0].notna()
        if fits.any():
            parts = parts[fits]
            refuse_swapped(table, column, what, text[iso], parts)
            first = day_order(table, column, what, parts, day_first)
            out[parts.index] = _parts(parts, first)
        others = fits.index[~fits]
        if len(others):
            out[others] = _named(text[others])
    early = out < EARLY
    if early.any():
        what_of = f"rows where {what} is before 1980"
        example = f"line {table.line(int(early.to_numpy().argmax()))}, column {column!r}"
        found.append(Finding(table.file, int(early.sum()), what_of, "taken as empty", example))
        out[early] = pd.NaT
    bad = out.isna() & stated & ~early
    return out, found + bad_rows(table, column, what, "a date", bad, int(stated.sum()))


def _iso(text: pd.Series) -> pd.Series:
    text = _sub(text, _ZONE, r"\1") if text.str.len().max() > 10 else text
    halved = text.str.contains(_HALVES, regex=True)
    if halved.any():  # 2024-01-05 09:05 PM
        out = pd.Series(pd.NaT, index=text.index, dtype=NS)
        out[~halved] = _iso(text[~halved])
        parts = text[halved].str.extract(r"^(\S+?)[ T]+(.*)$")
        out[halved] = _iso(parts[0].fillna("")) + _clock(parts[1].fillna(""))
        return out
    if text.str.contains("/", regex=False).any():
        text = text.str.replace("/", "-", regex=False)
    far = text.str.match(r"(?:22[6-9]\d|2[3-9]\d\d|[3-9]\d{3})-")
    lost = text.str.match(r"(?:0\d{3}|1[0-8]\d\d)-")
    if far.any() or lost.any():
        text = text.mask(far, "2261-01-01").mask(lost, "1900-01-01")
    out = pd.to_datetime(text, format="ISO8601", errors="coerce")
    short = out.isna()
    if short.any():  # 2024-1-5 9:05
        padded = _sub(text[short], r"\b(\d)\b", r"0\1")
        out[short] = pd.to_datetime(padded, format="ISO8601", errors="coerce")
    return out.astype(NS)


def _one_clock(
    out: pd.Series, text: pd.Series, table: Table, column: str, found: list[Finding]
) -> None:
    """Set moments stated by clocks hours apart to the one that most go by, in place."""
    zone = pc.struct_field(pc.extract_regex(pa.array(text, pa.string()), _ZONED), "zone")
    codes, names = pd.factorize(zone.to_pandas())
    each = np.array([_minutes(name) for name in names], dtype=np.int64)
    if len(each) < 2 or each.max() - each.min() <= SUMMER:
        return
    offset = pd.Series(each[codes[codes >= 0]])
    usual = int(offset.mode().iloc[0])
    behind = np.where(codes >= 0, usual - each[codes], 0)
    other = text.index[behind != 0]
    out[other] = out[other] + pd.to_timedelta(behind[behind != 0], unit="min")
    clock = names[list(each).index(usual)]
    what = f"rows of {column!r} by another clock than {clock}"
    example = f"line {int(other[0]) + 2}, column {column!r}, value {text[other[0]]!r}"
    found.append(Finding(table.file, len(other), what, "set to that one", example))


def usual_clock(table: Table, column: str) -> tuple[int, str] | None:
    """How many minutes the clock is ahead of UTC by which most of a column goes; and its name."""
    text = table.frame[column]
    some = text[text.str.match(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}.*:")].head(MOST_ASKED)
    if some.empty:
        return None
    zone = pc.struct_field(pc.extract_regex(pa.array(some, pa.string()), _ZONED), "zone")
    known = zone.to_pandas().dropna()
    if len(known) < len(some) / 2:
        return None
    name = str(known.mode().iloc[0])
    return _minutes(name), name


def _minutes(zone: str) -> int:
    """Minutes that a clock is ahead of UTC: of Z, +02:00, -0530."""
    if zone in _CLOCKS:
        return 60 * _CLOCKS[zone]
    zone = zone.removeprefix("UTC").removeprefix("GMT")
    if zone[:1] not in {"+", "-"}:
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (60 * int(digits[:2]) + int(digits[2:])) * (-1 if zone[0] == "-" else 1)


def _sub(text: pd.Series, pattern: str, by: str) -> pd.Series:
    """A pattern replaced, with groups; pandas would go row by row."""
    done = pc.replace_substring_regex(pa.array(text, pa.string()), pattern, by)
    return pd.Series(done.to_pandas(types_mapper={pa.string(): TEXT}.get).array, index=text.index)


def _parts(parts: pd.DataFrame, day_first: bool) -> pd.Series:
    day, month = (parts[0], parts[2]) if day_first else (parts[2], parts[0])
    year = parts[3].where(parts[3].str.len() == 4, "20" + parts[3])
    year = year.mask(year.astype(int) > 2260, "2261").mask(year.astype(int) < 1900, "1900")
    text = year + "-" + month.str.zfill(2) + "-" + day.str.zfill(2)
    days = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce").astype(NS)
    if parts[4].notna().any():
        days = days + _clock(parts[4].fillna(""))
    return days


def _clock(text: pd.Series) -> pd.Series:
    """Time of the day; 0 where there is none."""
    found = text.str.extract(_CLOCK)
    hour, minute, second = (
        np.nan_to_num(pd.to_numeric(found[k], errors="coerce").to_numpy(dtype=float))
        for k in range(3)
    )
    half = found[3].fillna("").str.lower()
    hour = np.where(half.eq(""), hour, hour % 12) + 12.0 * half.eq("p").to_numpy()
    seconds = pd.Series(hour * 3600.0 + minute * 60.0 + second, index=text.index)
    out: pd.Series = pd.to_timedelta(seconds, unit="s")
    return out


def _named(text: pd.Series) -> pd.Series:
    """Dates with a month's name, by distinct value."""
    text = _sub(text, _ZONE, r"\1").str.replace(r"\s*\b(?:UTC|GMT)$", "", regex=True)
    text = in_english(text)
    text = text.where(text.str.contains("[A-Za-z]{3}", regex=True))
    seen = pd.Series(text.dropna().unique())
    if seen.empty:
        return pd.Series(pd.NaT, index=text.index, dtype=NS)
    read = pd.to_datetime(seen, format="mixed", errors="coerce")
    near = (read >= pd.Timestamp("1700-01-01")) & (read <= FAR)
    moments = pd.Series(read.to_numpy(), index=seen.to_numpy()).where(near.to_numpy())
    out: pd.Series = text.map(moments.astype(NS)).astype(NS)
    return out


def as_seconds(
    table: Table, column: str, what: str, unit: float = 1.0
) -> tuple[pd.Series, list[Finding]]:
    """Durations as seconds: plain numbers (times unit), or h:mm:ss and m:ss; NaN where empty."""
    text = table.frame[column]
    stated = text.ne("")
    plain = text.str.replace(",", ".", regex=False)
    numbers = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=float)
    out = pd.Series(numbers * unit, index=text.index)
    colon = text.str.contains(":", regex=False)
    if colon.any():
        parts = text[colon].str.extract(r"^(?:(\d+):)?(\d+):(\d{2}(?:\.\d+)?)$")
        hour, minute, second = (
            pd.to_numeric(parts[k], errors="coerce").to_numpy(dtype=float) for k in range(3)
        )
        out[colon] = np.nan_to_num(hour) * 3600.0 + minute * 60.0 + second
    out = out.where(np.isfinite(out))
    bad = (out.isna() | (out < 0)) & stated
    return out.mask(bad), bad_rows(table, column, what, "a duration", bad, int(stated.sum()))


def as_ids(text: pd.Series) -> pd.Series:
    """Names or ids; NaN where empty, and ``10862.0`` is ``10862`` where all are like that."""
    text = text.mask(text.eq(""))
    known = text.dropna()
    if len(known) and bool(known.str.match(r"\d+\.0$").all()):
        text = text.str.slice(stop=-2)
    return text.astype(TEXT)
