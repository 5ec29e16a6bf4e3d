"""Texts with units, taken apart strictly and converted to the model's own units.

The text of strangers never reaches a general parser: a strict pattern takes it apart, and pint
converts units known by name.
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

Kind = Literal[
    "weeks", "hours", "hours_per_week", "rate", "money", "money_rate", "share", "number", "count"
]

MAX_TEXT: Final = 64
WORKDAYS: Final = 5  # of a person's week, for "5.6 h/day"

_DEFINITIONS: Final = (
    "hour = [time] = h",
    "minute = hour / 60 = min",
    "day = 24 * hour = d",
    "week = 7 * day = wk",
    "year = 365.25 * day = yr",
    "month = year / 12 = mo",
    "quarter = year / 4 = qtr",
)
_SPELLINGS: Final = {
    "minute": ("minute", "minutes", "min", "mins"),
    "hour": ("hour", "hours", "h", "hr", "hrs"),
    "day": ("day", "days", "d"),
    "week": ("week", "weeks", "wk", "wks", "w"),
    "month": ("month", "months", "mo", "mos"),
    "quarter": ("quarter", "quarters", "qtr", "q"),
    "year": ("year", "years", "yr", "yrs", "y"),
    "person_hour": ("person-hour", "person-hours", "man-hour", "man-hours"),
}
_UNITS: Final = {word: unit for unit, words in _SPELLINGS.items() for word in words}
_NOUNS: Final = frozenset(
    "lead leads person people head heads fte account accounts customer customers deal deals "
    "rep reps approver approvers meeting meetings".split()
)
_SYMBOLS: Final = {"$": "USD", "€": "EUR", "£": "GBP"}
_MAGNITUDES: Final = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "bn": 1e9}

_TEXT = re.compile(
    r"""(?P<sign>[+-]?)\s*(?P<front>[$€£]|[A-Z]{3}(?=\s*[\d.+-]))?\s*(?P<sign2>[+-]?)
    (?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?P<power>[eE][+-]?\d{1,3}(?![\w.]))?
    \s*(?P<rest>[^\d\s.,].*)?""",
    re.VERBOSE | re.ASCII,
)
# A magnitude ends there or before a whole currency, so that BRL and MXN are no billions, millions.
_MONEY = re.compile(
    r"(?P<magnitude>(?:k|K|M|B|bn)(?![A-Za-z](?![A-Z]{2}(?![A-Za-z]))))?\s*"
    r"(?P<currency>[A-Z]{3}(?![A-Za-z])|[$€£])?",
    re.ASCII,
)
_TOKEN = re.compile(r"\s*(?:(?P<op>[*/])|(?P<name>[A-Za-z_-]+)(?:\s*\^\s*(?P<power>-?\d))?)\s*")

WANTED: Final[dict[str, tuple[str, str]]] = {
    "weeks": ("a duration", "'3 weeks' or '2 days'"),
    "hours": ("hours of work", "'3 h' or '20 min'"),
    "hours_per_week": ("hours a week", "'28 h/week'"),
    "rate": ("a rate", "'35/week' or '12%/year'"),
    "money": ("an amount of money", "'32 kUSD'"),
    "money_rate": ("money per time", "'27.3 kUSD/month'"),
    "share": ("a share", "'30%' or 0.3"),
    "number": ("a number", "0.5"),
    "count": ("a count", "4 or '4 people'"),
}


@lru_cache(maxsize=1)
def registry() -> Any:
    """Our own small pint registry: time and nothing else (fast to make, nothing to misread)."""
    import pint

    units: Any = pint.UnitRegistry(None)
    for definition in _DEFINITIONS:
        units.define(definition)
    return units


@lru_cache(maxsize=1024)
def _in_weeks(powers: tuple[tuple[str, int], ...]) -> tuple[float, int]:
    """Size of a product of time units in weeks ** power, and that power."""
    units = registry()
    product = units.Quantity(1.0, "")
    power = 0
    for name, exponent in powers:
        product = product * units.Quantity(1.0, name) ** exponent
        power += exponent
    return float(product.to(units.Unit("week") ** power).magnitude), power


@dataclass(frozen=True, slots=True)
class Reading:
    """A text taken apart: number, per cent sign, money and the units with their powers."""

    number: float
    percent: bool
    money: str | None  # currency code, "" when only a magnitude was given, None for no money
    magnitude: float
    units: tuple[tuple[str, int], ...]
    noun: str | None


def fail(given: object, kind: str, why: str) -> ValueError:
    """The error for a text that cannot be this kind of quantity."""
    wanted, example = WANTED[kind]
    return ValueError(f"{show(given)}: {why}; write {wanted} like {example}")


def show(given: object) -> str:
    """What was given, shortened, texts in quotes."""
    text = given if isinstance(given, str) else repr(given)
    text = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 3] + "..."
    return f"'{text}'" if isinstance(given, str) else text


def _units(text: str, given: str, kind: str) -> tuple[tuple[tuple[str, int], ...], str | None]:
    """Units of a product such as ``h/week``, and the noun that was counted, if any."""
    text = re.sub(r"\bper\b", "/", text)
    found: list[tuple[str, int]] = []
    noun: str | None = None
    at, divide, want_name = 0, False, True
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise fail(given, kind, f"cannot read {text[at:].strip()!r}")
        at = token.end()
        if token["op"]:
            if want_name and (found or noun or token["op"] == "*"):
                raise fail(given, kind, f"stray {token['op']!r}")
            if divide:
                raise fail(given, kind, "more than one '/'")
            divide, want_name = token["op"] == "/", True
            continue
        if not want_name:
            raise fail(given, kind, f"stray {token['name']!r}")
        want_name = False
        name = token["name"]
        power = int(token["power"] or 1) * (-1 if divide else 1)
        if name.lower() in _NOUNS and not found and not divide and noun is None:
            noun = name
        elif (unit := _UNITS.get(name) or _UNITS.get(name.lower())) is not None:
            found.append((unit, power))
        else:
            near = difflib.get_close_matches(name.lower(), _UNITS, n=1, cutoff=0.6)
            hint = f", did you mean '{near[0]}'" if near else ""
            raise fail(given, kind, f"unknown unit '{name}'{hint}")
    if want_name:
        raise fail(given, kind, "ends in the middle of a unit")
    return tuple(found), noun


def read(value: str, kind: str) -> Reading:
    """A text taken apart; raises ValueError."""
    if len(value) > MAX_TEXT:
        raise fail(value, kind, f"longer than {MAX_TEXT} characters")
    text = value.strip()
    if not text:
        raise fail(value, kind, "empty")
    if re.match(r"[+-]?\.?(nan|inf(inity)?)\b", text, re.IGNORECASE):
        raise fail(value, kind, "not a finite number")
    match = _TEXT.fullmatch(text)
    if match is None or (match["sign"] and match["sign2"]):
        if re.match(r"[^\d]*\d+,\d{1,2}(?!\d)", text):
            raise fail(value, kind, "write the decimals after a point, not a comma")
        raise fail(value, kind, "cannot be read as a number with a unit")
    number = float(match["number"].replace(",", "") + (match["power"] or ""))
    if not math.isfinite(number):
        raise fail(value, kind, "too large")
    if "-" in (match["sign"], match["sign2"]):
        number = -number
    rest = match["rest"] or ""
    percent = rest.startswith("%")
    rest = rest[1:].strip() if percent else rest
    money, magnitude = (_SYMBOLS.get(match["front"], match["front"]), 1.0)
    head = _MONEY.match(rest)
    if head is not None and head.end() and (rest[head.end() :].lstrip()[:1] or "/") in "/p":
        magnitude = _MAGNITUDES[head["magnitude"] or ""]
        if head["currency"] and money:
            raise fail(value, kind, "two currencies")
        money = _SYMBOLS.get(head["currency"], head["currency"]) or money or ""
        rest = rest[head.end() :].strip()
    elif head is not None and kind == "count" and head["magnitude"] and rest[1:2] == " ":
        magnitude, money, rest = _MAGNITUDES[head["magnitude"]], "", rest[1:].strip()
    units, noun = _units(rest, value, kind) if rest else ((), None)
    number *= magnitude
    if not math.isfinite(number):
        raise fail(value, kind, "too large")
    return Reading(number, percent, money, magnitude, units, noun)


def _what(read: Reading) -> str:
    """The dimension of what was given, in words."""
    power = sum(p for _, p in read.units)
    if read.money is not None:
        return "money" if not read.units else "money per time" if power == -1 else "money and time"
    if not read.units:
        return "a share" if read.percent else "a bare number"
    if power == 1:
        return "a duration" if read.units[0][0] != "person_hour" else "hours of work"
    return {-1: "a rate", 0: "hours per time"}.get(power, f"time to the power {power}")


def _currency(read: Reading, given: object, kind: str, currency: str) -> None:
    if read.money and read.money != currency:
        raise fail(given, kind, f"in {read.money}, but the scenario's currency is {currency}")


def convert(read: Reading, given: object, kind: str, currency: str) -> float:
    """The number in the model's own unit."""
    number = read.number / 100 if read.percent else read.number
    powers = tuple(sorted(p for _, p in read.units))
    if kind in ("number", "count", "share"):
        if read.units or (read.money is not None and (kind == "share" or read.money)):
            raise fail(given, kind, f"{_what(read)} is not {WANTED[kind][0]}")
        if read.noun and kind != "count":
            raise fail(given, kind, f"'{read.noun}' does not belong to {WANTED[kind][0]}")
        if read.percent and kind == "count":
            raise fail(given, kind, "a share is not a count")
        return number
    if kind in ("money", "money_rate"):
        wanted: tuple[int, ...] = () if kind == "money" else (-1,)
        if powers != wanted or read.percent or read.noun:
            missing = " without a time" if kind == "money_rate" and not powers else ""
            bare = "a bare number" if read.money is None and not powers else _what(read)
            raise fail(given, kind, f"{bare}{missing} is not {WANTED[kind][0]}")
        if powers and read.units[0][0] in ("minute", "hour", "person_hour"):
            raise fail(given, kind, "an hour of work or of the clock? Say it per week or year")
        _currency(read, given, kind, currency)
        return number * (_in_weeks(read.units)[0] if powers else 1.0)
    if read.money is not None:
        raise fail(given, kind, f"{_what(read)} is not {WANTED[kind][0]}")
    if not read.units and number == 0 and not read.percent:
        return 0.0
    if not read.units and not read.percent:
        raise fail(given, kind, f"{WANTED[kind][0]} needs a unit")
    mismatch = fail(given, kind, f"{_what(read)} is not {WANTED[kind][0]}")
    if read.percent and kind != "rate":
        raise mismatch
    if kind == "rate":
        if powers != (-1,) or read.units[0][0] == "person_hour":
            raise mismatch
        return number * _in_weeks(read.units)[0]
    if read.noun:
        raise mismatch
    if kind == "weeks":
        if powers != (1,) or read.units[0][0] == "person_hour":
            raise mismatch
        return number * _in_weeks(read.units)[0]
    if kind == "hours":
        if powers != (1,):
            raise mismatch
        return number * _work(read.units[0][0], given, kind)
    return number * _per_week(read, given, kind, mismatch)


def _work(unit: str, given: object, kind: str) -> float:
    """Hours of work in a unit; a "day of work" could mean anything, so it is refused."""
    hours = {"hour": 1.0, "person_hour": 1.0, "minute": 1 / 60}.get(unit)
    if hours is None:
        raise fail(given, kind, f"work is counted in hours, and a {unit} of work is not so many")
    return hours


def _per_week(read: Reading, given: object, kind: str, mismatch: ValueError) -> float:
    """Factor to hours of work a week; a person's day is one of five working days."""
    above = [u for u, p in read.units if p == 1]
    below = [u for u, p in read.units if p == -1]
    if len(below) != 1 or len(above) > 1 or len(above) + 1 != len(read.units):
        raise mismatch
    if below[0] in ("hour", "minute", "person_hour"):
        raise mismatch
    hours = _work(above[0], given, kind) if above else 1.0
    if below[0] == "day":
        if read.number * hours > 16:
            raise fail(
                given, kind, f"a working day ({WORKDAYS} a week) that long; round the clock is 168"
            )
        return hours * WORKDAYS
    return hours * _in_weeks(((below[0], -1),))[0]
