"""Sentences made of facts: every number in them knows where in the result it stands.

A Fact is a number in words, with the pointers of the JSON values it says. A Line is text with the
facts in it; what is between them has no digit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from simulator.analysis.words import money, spoken
from simulator.errors import AnalysisError
from simulator.report.saved import Saved
from simulator.vocabulary import describe

NAME = 44  # letters of a name in a sentence
HARD: Final = "\u00a0"  # a space at which no line is broken
HOWS: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "value": lambda v: v[0],
    "minus": lambda v: v[0] - v[1],
    "negative": lambda v: -v[0],
    "half": lambda v: 0.5 * (v[1] - v[0]),
    "sum": math.fsum,
    "share": lambda v: v[0] / math.fsum(v[1:]) if math.fsum(v[1:]) else math.nan,
    "ratio": lambda v: v[0] / v[1] if v[1] else math.nan,
    "half_ratio": lambda v: 0.5 * (v[1] - v[0]) / abs(v[2]) if v[2] else math.nan,
    "size_ratio": lambda v: abs(v[0] / v[1]) if v[1] else math.nan,
    "gap_share": lambda v: (v[0] - v[1]) / v[0] if v[0] else math.nan,
    "count": lambda v: float(len(v)),
}


_SCALES: Final = {"": 1.0, "k": 1e3, "M": 1e6, "B": 1e9}
_UNIT = re.compile(
    rf"−?[\d.,]+(?:e[+−]?\d+)?{HARD}"
    r"(?P<unit>(?P<scale>[kMB]?)[A-Z]{3}(?:/day)?|months|weeks)"
)


@dataclass(frozen=True)
class Datum:
    """A number and how it is got from the result's JSON: HOWS[how] of the values at pointers."""

    value: float
    pointers: tuple[str, ...]
    how: str = "value"

    @property
    def known(self) -> bool:
        """Whether it is a finite number."""
        return math.isfinite(self.value)


@dataclass(frozen=True)
class Fact:
    """A name, a text that says numbers, and the numbers. Facts of names have no data."""

    name: str
    text: str
    data: tuple[Datum, ...] = ()

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Line:
    """A text and the facts in it, in their order."""

    text: str
    facts: tuple[Fact, ...] = ()

    def __str__(self) -> str:
        return self.text

    def __add__(self, other: Line) -> Line:
        return Line(self.text + other.text, self.facts + other.facts)


def line(template: str, *parts: Fact | Line) -> Line:
    """A template with a {} for each part; a digit in the template is a number of nobody's."""
    assert not re.search(r"\d", template), template
    facts = [f for p in parts for f in (p.facts if isinstance(p, Line) else (p,))]
    return Line(template.format(*(p.text for p in parts)), tuple(facts))


def joined(lines: Sequence[Line], between: str = "; ") -> Line:
    """Lines as one."""
    return Line(between.join(x.text for x in lines), tuple(f for x in lines for f in x.facts))


def upper(said: Line) -> Line:
    """With a capital letter, unless it begins with a fact."""
    if not said.text or (said.facts and said.text.startswith(said.facts[0].text)):
        return said
    return Line(said.text[0].upper() + said.text[1:], said.facts)


def datum(saved: Saved, how: str, *pointers: str) -> Datum:
    """A number of a result."""
    return Datum(HOWS[how]([saved.number(p) for p in pointers]), pointers, how)


def plain(text: str) -> str:
    """Text of strangers on one line, without what cannot be printed."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


def named(text: str, most: int = NAME) -> Fact:
    """A name of the study's, cut at a word where it is long."""
    text = plain(text)
    if len(text) > most:
        cut = text[: most - 1]
        space = cut.rfind(" ")
        text = (cut[:space] if space > most // 2 else cut).rstrip(" ,;:") + "…"
    return Fact("", text)


def words(key: str, most: int = NAME) -> Fact:
    """A key of the study's as words: `paid_search`, `talk: went_cold`."""
    return named(spoken(key), most)


def true_minus(text: str) -> str:
    """With the minus that is as wide as the plus, on one line."""
    return text.replace("-", "−").replace(" ", HARD)


def amount(value: float, currency: str, signed: bool = False) -> str:
    """Money in words, with a true minus, and a plus if asked for."""
    if not math.isfinite(value):
        return "not known"
    text = true_minus(money(value, currency))
    return f"+{text}" if signed and value > 0 else text


def percent(value: float, digits: int = 1, signed: bool = False) -> str:
    """A share as a percentage."""
    if not math.isfinite(value):
        return "not known"
    text = true_minus(f"{100 * value:.{digits}f}%")
    if not float(text.strip("−%") or 0):
        text = text.lstrip("−")
    return f"+{text}" if signed and value > 0 else text


def count(value: float, signed: bool = False) -> str:
    """A count: a digit after the point where it is small."""
    if not math.isfinite(value):
        return "not known"
    text = f"{value:,.0f}" if abs(value) >= 10 or value == round(value) else f"{value:.1f}"
    text = true_minus(text)
    if not float(text.strip("−").replace(",", "")):
        return "0"
    return f"+{text}" if signed and value > 0 else text


def unit_of(metric: str) -> str:
    """The unit of a metric; empty for one that is not in the vocabulary."""
    try:
        return describe(metric).unit
    except AnalysisError:
        return ""


def level(value: float, metric: str, currency: str) -> str:
    """A metric's value as people say it."""
    unit = unit_of(metric)
    if not math.isfinite(value):
        return "not known"
    if unit.startswith("money"):
        return amount(value, currency) + ("/day" if unit == "money/day" else "")
    if unit == "share":
        return percent(value)
    if unit == "count":
        return count(value)
    text = true_minus(f"{value:,.2f}" if abs(value) < 10 else f"{value:,.1f}")
    return f"{text}{HARD}{unit}" if unit in ("weeks", "months") else text


def plus_minus(mean: float, half: float, say: Callable[[float], str]) -> str:
    """32.84 ± 0.26 MUSD: in one unit, to the digit that the interval knows."""
    text, other = say(mean), say(half)
    units = [_UNIT.fullmatch(t) for t in (text, other)]
    if units[0] is None or units[1] is None:
        return f"{text}{HARD}±{HARD}{other}"
    larger = units[0] if abs(mean) >= half else units[1]
    scale = _SCALES[larger["scale"] or ""]
    digits = min(3, max(0, 1 - math.floor(math.log10(half / scale))))
    a, b = (true_minus(f"{v / scale:,.{digits}f}") for v in (mean, half))
    return f"{a}{HARD}±{HARD}{b}{HARD}{larger['unit']}"


def with_interval(
    saved: Saved, name: str, pointer: str, say: Callable[[float], str], *, size: bool = False
) -> Fact:
    """Mean ± half the interval's width of an estimate with mean, low and high; size: its size."""
    mean = datum(saved, "value", f"{pointer}/mean")
    half = datum(saved, "half", f"{pointer}/low", f"{pointer}/high")
    text = say(abs(mean.value) if size else mean.value)
    if mean.known and half.known and half.value > 0:
        shown = abs(mean.value) if size else mean.value
        return Fact(name, plus_minus(shown, half.value, say), (mean, half))
    return Fact(name, text, (mean,))
