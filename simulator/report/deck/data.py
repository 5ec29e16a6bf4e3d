"""A chart's numbers as the series of a native chart: what its embedded workbook holds."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pptx.chart.data import CategoryChartData
from pptx.chart.xlsx import CategoryWorkbookWriter, Workbook

from simulator.report.story.say import Datum
from simulator.report.story.spec import Bars, Fall, Lines, Series, Stack
from simulator.report.tables import cell

Chartable = Lines | Bars | Stack | Fall
_EPOCH = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - the same in every file


@dataclass(frozen=True)
class Column:
    """One series: its name, values, colour, and what it is for.

    kind: line, bar, or hidden (what carries others, and shows nothing), band (an interval).
    minus, plus: half-widths of error bars, where it has any.
    """

    name: str
    values: tuple[float | None, ...]
    colour: str
    kind: str
    dashed: bool = False
    minus: tuple[float | None, ...] = ()
    plus: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Grid:
    """Categories and columns of a chart."""

    categories: tuple[str, ...]
    columns: tuple[Column, ...]

    def chart_data(self, number_format: str) -> CategoryChartData:
        """As python-pptx takes it, with a workbook in which no cell is a formula."""
        data = _Data(number_format=number_format)
        data.categories = [str(cell(c)) for c in self.categories]
        for column in self.columns:
            data.add_series(str(cell(column.name)), column.values)
        return data


class _Writer(CategoryWorkbookWriter):  # type: ignore[misc]
    """A workbook of text and numbers only, the same every time."""

    @contextmanager
    def _open_worksheet(self, xlsx_file: Any) -> Iterator[Any]:
        options = {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        workbook = Workbook(xlsx_file, options)
        workbook.set_properties({"created": _EPOCH})
        yield workbook, workbook.add_worksheet()
        workbook.close()


class _Data(CategoryChartData):  # type: ignore[misc]
    @property
    def _workbook_writer(self) -> _Writer:
        return _Writer(self)


def grid(show: Chartable) -> Grid:
    """The columns of a chart, in the order in which its series are written."""
    if isinstance(show, Lines):
        return _lines(show)
    if isinstance(show, Bars):
        return _bars(show)
    if isinstance(show, Stack):
        columns = (Column(s.name, _values(s.values), s.colour, "bar") for s in show.series)
        return Grid(show.periods, tuple(columns))
    return _fall(show)


def _values(data: tuple[Datum | None, ...]) -> tuple[float | None, ...]:
    return tuple(None if d is None or not math.isfinite(d.value) else d.value for d in data)


def _lines(show: Lines) -> Grid:
    """Bands first: areas stacked on what carries them; each begins where the one before ended.

    Stacked areas add up with their signs, so that bands may overlap and lie below zero.
    """
    columns: list[Column] = []
    before: list[float] = [0.0] * len(show.steps)
    for s in show.series:
        if not s.low:
            continue
        low, high = _values(s.low), _values(s.high)
        carry, band = [], []
        for k, (a, b) in enumerate(zip(low, high, strict=True)):
            known = a is not None and b is not None
            carry.append(a - before[k] if known and a is not None else None)
            band.append(b - a if a is not None and b is not None else None)
            if b is not None and known:
                before[k] = b
        columns.append(Column(f"{s.name}: to the lower end", tuple(carry), s.colour, "hidden"))
        columns.append(Column(f"{s.name}: width of the interval", tuple(band), s.colour, "band"))
    columns += [Column(s.name, _values(s.values), s.colour, "line", s.dashed) for s in show.series]
    return Grid(show.steps, tuple(columns))


def _bars(show: Bars) -> Grid:
    """From the bottom up, as a lying bar chart has them."""

    def column(s: Series) -> Column:
        mean, low, high = _values(s.values), _values(s.low), _values(s.high)
        return Column(
            s.name,
            mean[::-1],
            s.colour,
            "bar",
            minus=tuple(_apart(m, a) for m, a in zip(mean, low, strict=True))[::-1] if low else (),
            plus=tuple(_apart(b, m) for b, m in zip(high, mean, strict=True))[::-1] if high else (),
        )

    return Grid(tuple(n.text for n in show.names[::-1]), tuple(column(s) for s in show.series))


def _apart(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else max(0.0, a - b)


def _fall(show: Fall) -> Grid:
    """Bars on hidden ones; a bar across zero is a part above it and a part below."""
    steps, spans = show.steps[::-1], show.spans()[::-1]
    colours = [s.colour or ("up" if s.change.value >= 0 else "down") for s in steps]
    n = len(steps)
    base: list[float | None] = [None] * n
    above = {c: [None] * n for c in dict.fromkeys(colours[::-1])}  # type: dict[str, list[Any]]
    below = {c: [None] * n for c in above}  # type: dict[str, list[Any]]
    for k, (step, (start, end), c) in enumerate(zip(steps, spans, colours, strict=True)):
        low, high = min(start, end), max(start, end)
        size = abs(step.change.value)
        if low >= 0:
            base[k], above[c][k] = low, size
        elif high <= 0:
            base[k], below[c][k] = high, -size
        else:
            above[c][k], below[c][k] = high, low
    named = {"up": "Adds", "down": "Takes", "grey": "Reference"}
    columns = [Column("Carries", tuple(base), "grey", "hidden")]
    for c, values in above.items():
        columns.append(Column(named.get(c, "Result"), tuple(values), c, "bar"))
    for c, values in below.items():
        columns.append(Column(f"{named.get(c, 'Result')}, below zero", tuple(values), c, "bar"))
    return Grid(tuple(s.name.text for s in steps), tuple(columns))


def number_format(show: Chartable) -> str:
    """How a chart's numbers are said: money in its own thousands, shares in percent."""
    if show.unit == "share":
        step = _reach(show) / 5
        return "0%" if step >= 0.01 else "0.0%" if step >= 0.001 else "0.00%"
    if show.unit.startswith("money"):
        top, step = _reach(show), 0.0
        if isinstance(show, Lines | Bars):
            low, high, step = bounds(show)
            top = max(top, abs(low), abs(high))
        for scale, mark, letter in ((1e9, ",,,", "B"), (1e6, ",,", "M"), (1e3, ",", "k")):
            if top >= scale:
                digits = "0.0" if top < 10 * scale or (scale > 1e3 and top < 100 * scale) else "0"
                if step and abs(step / scale * 10 - round(step / scale * 10)) > 1e-6:
                    digits = "0.00"
                said = f'{digits}{mark}"{letter}"'
                return f"{said};-{said};0"
        return "0"
    return "#,##0" if _reach(show) >= 10 else "0.0"


def _reach(show: Chartable) -> float:
    values = [abs(v) for c in grid(show).columns if c.kind != "hidden" for v in c.values if v]
    return max(values, default=1.0)


def bounds(show: Lines | Bars) -> tuple[float, float, float]:
    """Lower end, upper end and step of a value axis that holds every interval.

    Zero is on it, but for lines of levels that are far from zero.
    """
    ends = [
        v
        for s in show.series
        for v in (*_values(s.values), *_values(s.low), *_values(s.high))
        if v is not None
    ]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    if isinstance(show, Bars) or not (low > 0 and high - low < 0.5 * high):
        low, high = min(low, 0.0), max(high, 0.0)
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next((k * power for k in (1, 2, 2.5, 5, 10) if k * power >= rough), power)
    return math.floor(low / step) * step, math.ceil(high / step) * step, step
