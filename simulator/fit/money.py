"""Columns of text as amounts of money, whatever marks and currencies they are written with."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from simulator.fit.tables import Finding, Table, bad_rows, key_of

# before (a currency, a sign), the digits with their marks, a unit, and after (a currency, a sign)
_AMOUNT = (
    r"^([^\d.,]*(?:\b[A-Za-z]{2,3}\.\s*)?)"
    r"((?:\d[\d.,\s'\u2019\u00a0\u202f]*|[.,]\d+)(?:[eE][+-]?\d+)?)"
    r"\s*(?i:(k|tsd|m|mm|mn|mio|bn|mrd)(?![a-z])\.?)?\s*"
    r"(?:([-])|[^\d]*)$"
)
_PLAIN = r"-?\d+(?:\.\d{1,2}|\.\d{4,})?$"
# at the end of a column's name: (kEUR), [T€], in M USD
_UNIT = r"(?:[(\[]\s*(?:in\s+)?|\sin\s+)([kKtTM]|Tsd\.?|Mio\.?|mn)\s?(?:[A-Z]{3}|[€$£])?\s*[)\]]?$"
_TIMES = {"k": 1e3, "tsd": 1e3, "m": 1e6, "mm": 1e6, "mn": 1e6, "mio": 1e6, "bn": 1e9, "mrd": 1e9}
CURRENCY = (
    "currencyisocode",
    "currency",
    "currencycode",
    "dealcurrency",
    "dealcurrencycode",
    "amountcurrency",
    "valuecurrency",
    "opportunitycurrency",
    "dealcurrencyofdeal",
    "moneda",
    "wahrung",
    "devise",
    "valuta",
    "moeda",
)
ONE_MONEY = r"converted|companycurrency|homecurrency|base$|(?:usd|eur|gbp)$"
SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY"}
FEWEST_POINTED = 3  # amounts that tell what a point means


def as_money(table: Table, column: str, what: str) -> tuple[np.ndarray, list[Finding]]:
    """The column as amounts (NaN where empty); currencies and thousands marks are dropped.

    12k, 1.2M and 3 Mio. are thousands and millions. Which mark is the decimal one is found from
    all values: a point that is only ever before three digits, in a column where a comma is not, is
    a mark of thousands where it is there more than once or commas are decimal elsewhere.
    """
    stated = table.frame[column].ne("")
    # most are plain numbers, whose mark can only be the decimal one
    plain = table.frame[column].str.match(_PLAIN)
    numbers = pd.Series(np.nan, index=plain.index)
    numbers[plain] = pd.to_numeric(table.frame[column][plain]).astype(float)
    decimal = bool(table.frame[column][plain].str.contains(".", regex=False).any())
    raw = table.frame[column][stated & ~plain].astype(object)
    parts = raw.str.extract(_AMOUNT)
    text = parts[1].fillna("").str.replace(r"[\s'\u2019\u00a0\u202f]", "", regex=True)
    text = text.str.rstrip(".,")
    comma = text.str.rfind(",")
    point = text.str.rfind(".")
    # 1.234,56 and 12,5: the last mark is the decimal one, save a comma before exactly three digits
    decimal_comma = (comma > point) & (
        ~text.str.contains(r",\d{3}$", regex=True) | ((point >= 0) & (text.str.count(",") == 1))
    )
    grouped = text.str.fullmatch(r"[1-9]\d{0,2}(?:\.\d{3})+")
    pointed = (point >= 0) & ~decimal_comma
    thousands = (text.str.count(r"\.") > 1) & ~decimal_comma
    found: list[Finding] = []
    if decimal_comma.any() or thousands.any():
        thousands |= grouped & (bool((grouped | ~pointed | thousands).all()) and not decimal)
    elif not decimal and bool(grouped[pointed].all()) and int(pointed.sum()) >= FEWEST_POINTED:
        thousands |= grouped
        row = int(pointed.to_numpy().argmax())
        where = f"line {int(raw.index[row]) + 2}, column {column!r}, value {raw.iloc[row]!r}"
        action = "read as thousands: all have three digits after it"
        found.append(Finding(table.file, int(pointed.sum()), "rows with a point", action, where))
    text = text.where(~decimal_comma, text.str.replace(".", "", regex=False))
    text = text.where(~decimal_comma, text.str.replace(",", ".", regex=False))
    text = text.where(~thousands, text.str.replace(".", "", regex=False))
    others = pd.to_numeric(text.str.replace(",", "", regex=False), errors="coerce")
    times = parts[2].fillna("").str.lower().map(_TIMES).fillna(1.0)
    below = parts[0].fillna("").str.contains(r"(?<![A-Za-z])[-(\u2212]", regex=True)
    below |= parts[3].eq("-") & ~parts[1].fillna("").str.contains(r"[.,]$", regex=True)  # 12.-
    numbers[raw.index] = others.astype(float) * times * np.where(below, -1.0, 1.0)
    numbers = numbers.where(np.isfinite(numbers))
    unit = re.search(_UNIT, column)
    if unit:
        word = unit.group(1).lower().rstrip(".")
        scale = 1e3 if word in {"k", "t", "tsd"} else 1e6
        numbers *= scale
        what = f"amounts in {column!r}"
        found.append(Finding(table.file, int(numbers.notna().sum()), what, f"times {scale:,.0f}"))
    found += _currencies(table, column, parts[0].fillna("") + " " + raw.astype(str).str[-4:])
    found += _below(table, column, numbers)
    bad = numbers.isna() & stated
    found += bad_rows(table, column, what, "an amount", bad, int(stated.sum()))
    return numbers.to_numpy(dtype=float), found


def _currencies(table: Table, column: str, around: pd.Series) -> list[Finding]:
    """What to say of amounts in several currencies: by their marks, or by a column of them."""
    own = next((c for c in table.frame.columns if key_of(str(c)) in CURRENCY), None)
    if own is not None and re.search(ONE_MONEY, key_of(column)):
        own = None  # the column is of all in one currency, whatever each was in
    named = table.frame[own] if own is not None else around.astype(object)
    marks = named.str.extract(r"(?<![A-Za-z])([A-Z]{3}|[€$£¥])(?![A-Za-z])", expand=False)
    counts = marks.map(lambda m: SIGNS.get(m, m), na_action="ignore").value_counts()
    if len(counts) < 2:
        return []
    told = ", ".join(f"{name} {n:,}" for name, n in counts.items())
    where = f"column {str(own if own is not None else column)!r}"
    action = "added up as if they were one; convert them before"
    return [Finding(table.file, int(counts.sum()), f"amounts in {told}", action, where)]


def _below(table: Table, column: str, numbers: pd.Series) -> list[Finding]:
    """What to say of amounts below 0."""
    below = (numbers < 0).to_numpy()
    if not below.any():
        return []
    row = int(below.argmax())
    value = table.frame[column].iloc[row]
    where = f"line {table.line(row)}, column {column!r}, value {value!r}"
    return [Finding(table.file, int(below.sum()), "amounts below 0", "taken as they are", where)]
