"""Charts of a story as SVG: shapes with their numbers as tooltips, in the colours of the page."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from html import escape

from simulator.report.story.say import Datum, amount, count, percent
from simulator.report.story.spec import Bars, Fall, Lines, Series, Stack

WIDE = 960
LETTER = 7.4  # mean width of a letter at 14 px


def chart(show: Lines | Bars | Stack | Fall, named: str) -> str:
    """A chart as SVG that says its name to those who do not see it."""
    if isinstance(show, Lines):
        inner, tall = _lines(show)
    elif isinstance(show, Stack):
        inner, tall = _stack(show)
    elif isinstance(show, Bars):
        inner, tall = _bars(show)
    else:
        inner, tall = _fall(show)
    return (
        f'<svg viewBox="0 0 {WIDE} {tall:.0f}" role="img" aria-label="{escape(named)}" '
        f'class="chart">{inner}</svg>'
    )


def said(value: float, unit: str) -> str:
    """A number on an axis or in a tooltip."""
    if unit == "share":
        return percent(value)
    if unit.startswith("money"):
        return amount(value, "").strip()
    return count(value) if unit == "count" else f"{value:,.2f}".replace("-", "−")


def _known(series: Sequence[Series]) -> list[float]:
    data = [d for s in series for d in (*s.values, *s.low, *s.high)]
    return [d.value for d in data if d is not None and d.known]


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from at or below low to at or above high."""
    if not high > low:
        high = low + (abs(low) or 1.0)
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(k * power for k in (1, 2, 2.5, 5, 10) if k * power >= rough * 0.999999)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [k * step for k in range(first, last + 1)]


def _text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    of = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{of}>{escape(words)}</text>'


def _tip(words: str) -> str:
    return f"<title>{escape(words)}</title>"


def _legend(names: Sequence[tuple[str, str]], y: float) -> str:
    x, found = 0.0, []
    for name, colour in names:
        found.append(
            f'<rect x="{x:.1f}" y="{y - 11:.1f}" width="14" height="14" class="{colour}"/>'
        )
        found.append(_text(x + 20, y, name))
        x += 40 + LETTER * len(name)
    return "".join(found)


def _value(d: Datum | None) -> float | None:
    return d.value if d is not None and d.known else None


def _lines(show: Lines) -> tuple[str, float]:
    top, tall, left, right = 40.0, 330.0, 74.0, 20.0
    low, high = min(_known(show.series), default=0.0), max(_known(show.series), default=1.0)
    if not (low > 0 and high - low < 0.5 * high):
        low, high = min(0.0, low), max(0.0, high)
    marks = ticks(low, high)
    n = len(show.steps)

    def x(k: int) -> float:
        return left + (WIDE - left - right) * k / max(1, n - 1)

    def y(value: float) -> float:
        return top + tall * (marks[-1] - value) / (marks[-1] - marks[0])

    out = [_legend([(s.name, f"fill-{s.colour}") for s in show.series], 16)]
    for mark in marks:
        kind = "zero" if mark == 0 else "grid"
        out.append(f'<path d="M{left} {y(mark):.1f}H{WIDE - right}" class="{kind}"/>')
        out.append(_text(left - 8, y(mark) + 5, said(mark, show.unit), "end", "tick"))
    every = show.every if show.every > 1 else max(1, n // 9)
    out += [
        _text(x(k), top + tall + 22, show.steps[k], "middle", "tick") for k in range(0, n, every)
    ]
    out.append(_text((left + WIDE - right) / 2, top + tall + 46, show.across, "middle", "tick"))
    for s in show.series:
        ends = [
            (k, _value(a), _value(b)) for k, (a, b) in enumerate(zip(s.low, s.high, strict=True))
        ]
        there = [(k, a, b) for k, a, b in ends if a is not None and b is not None]
        if there:
            path = [f"{x(k):.1f} {y(b):.1f}" for k, _, b in there]
            path += [f"{x(k):.1f} {y(a):.1f}" for k, a, _ in reversed(there)]
            out.append(f'<path d="M{"L".join(path)}Z" class="band fill-{s.colour}"/>')
    for s in show.series:
        means = [(k, v) for k, d in enumerate(s.values) if (v := _value(d)) is not None]
        drawn = "L".join(f"{x(k):.1f} {y(v):.1f}" for k, v in means)
        dash = " dashed" if s.dashed else ""
        out.append(f'<path d="M{drawn}" class="line{dash} stroke-{s.colour}"/>')
        for k, v in means:
            tip = f"{s.name}, {show.across} {show.steps[k]}: {said(v, show.unit)}"
            if (
                s.low
                and (a := _value(s.low[k])) is not None
                and (b := _value(s.high[k])) is not None
            ):
                tip += f" ({said(a, show.unit)} to {said(b, show.unit)})"
            out.append(
                f'<circle cx="{x(k):.1f}" cy="{y(v):.1f}" r="7" class="spot">{_tip(tip)}</circle>'
            )
    return "".join(out), top + tall + 56


def _label(words: str, y: float, left: float) -> str:
    rows = textwrap.wrap(words, int(left / LETTER) - 1)[:3] or [""]
    first = y + 5 - 8.5 * (len(rows) - 1)
    return "".join(_text(left - 10, first + 17 * k, row, "end") for k, row in enumerate(rows))


def _bars(show: Bars) -> tuple[str, float]:
    left, right, row, top = 330.0, 30.0, 48.0, 34.0
    ends = _known(show.series)
    marks = ticks(min(0.0, *ends), max(0.0, *ends)) if ends else [0.0, 1.0]

    def x(value: float) -> float:
        return left + (WIDE - left - right) * (value - marks[0]) / (marks[-1] - marks[0])

    bottom = top + row * len(show.names)
    out = []
    if len(show.series) > 1:
        out.append(_legend([(s.name, f"fill-{s.colour}") for s in show.series], 14))
    for mark in marks:
        kind = "zero" if mark == 0 else "grid"
        out.append(f'<path d="M{x(mark):.1f} {top}V{bottom}" class="{kind}"/>')
        out.append(_text(x(mark), bottom + 20, said(mark, show.unit), "middle", "tick"))
    for k, name in enumerate(show.names):
        middle = top + row * (k + 0.5)
        out.append(_label(name.text, middle, left))
        for s in show.series:
            v = _value(s.values[k])
            if v is None:
                continue
            a, b = sorted((x(0.0), x(v)))
            out.append(
                f'<rect x="{a:.1f}" y="{middle - 14:.1f}" width="{max(b - a, 1):.1f}" height="28" '
                f'class="fill-{s.colour}">{_tip(name.text)}</rect>'
            )
            low = _value(s.low[k]) if s.low else None
            high = _value(s.high[k]) if s.high else None
            if low is not None and high is not None:
                out.append(
                    f'<path d="M{x(low):.1f} {middle:.1f}H{x(high):.1f}M{x(low):.1f} '
                    f'{middle - 6:.1f}v12M{x(high):.1f} {middle - 6:.1f}v12" class="whisker">'
                    f"{_tip(f'{said(low, show.unit)} to {said(high, show.unit)}')}</path>"
                )
    return "".join(out), bottom + 30


def _fall(show: Fall) -> tuple[str, float]:
    left, right, row, top = 330.0, 30.0, 42.0, 8.0
    spans = show.spans()
    ends = [v for span in spans for v in span]
    low, high = min(0.0, *ends), max(0.0, *ends)
    reach = (high - low) or 1.0

    def x(value: float) -> float:
        return left + (WIDE - left - right) * (value - low) / reach

    out = [f'<path d="M{x(0):.1f} {top}V{top + row * len(spans)}" class="zero"/>']
    for k, (step, (start, end)) in enumerate(zip(show.steps, spans, strict=True)):
        middle = top + row * (k + 0.5)
        colour = step.colour or ("up" if step.change.value >= 0 else "down")
        a, b = sorted((x(start), x(end)))
        out.append(_label(step.name.text, middle, left))
        out.append(
            f'<rect x="{a:.1f}" y="{middle - 13:.1f}" width="{max(b - a, 1):.1f}" height="26" '
            f'class="fill-{colour}">{_tip(step.name.text)}</rect>'
        )
        if k + 1 < len(spans):
            out.append(f'<path d="M{x(end):.1f} {middle + 13:.1f}v{row - 26:.1f}" class="join"/>')
    return "".join(out), top + row * len(spans) + 8


def _stack(show: Stack) -> tuple[str, float]:
    top, tall, left, right = 40.0, 300.0, 74.0, 20.0
    n = len(show.periods)
    signs = (1, -1)
    sums = {
        sign: [
            sum(max(0.0, sign * (_value(s.values[k]) or 0.0)) for s in show.series)
            for k in range(n)
        ]
        for sign in signs
    }
    marks = ticks(-max(sums[-1], default=0.0), max(sums[1], default=1.0))

    def y(value: float) -> float:
        return top + tall * (marks[-1] - value) / (marks[-1] - marks[0])

    out = [_legend([(s.name, f"fill-{s.colour}") for s in show.series], 16)]
    for mark in marks:
        kind = "zero" if mark == 0 else "grid"
        out.append(f'<path d="M{left} {y(mark):.1f}H{WIDE - right}" class="{kind}"/>')
        out.append(_text(left - 8, y(mark) + 5, said(mark, show.unit), "end", "tick"))
    wide = (WIDE - left - right) / max(1, n)
    for k, period in enumerate(show.periods):
        out.append(_text(left + wide * (k + 0.5), top + tall + 22, period, "middle", "tick"))
        level = {1: 0.0, -1: 0.0}
        for s in show.series:
            v = _value(s.values[k])
            if not v:
                continue
            sign = 1 if v > 0 else -1
            a, b = sorted((y(level[sign]), y(level[sign] + v)))
            level[sign] += v
            tip = f"{s.name}, {period}: {said(v, show.unit)}"
            out.append(
                f'<rect x="{left + wide * (k + 0.2):.1f}" y="{a:.1f}" width="{wide * 0.6:.1f}" '
                f'height="{max(b - a, 0.5):.1f}" class="fill-{s.colour}">{_tip(tip)}</rect>'
            )
    return "".join(out), top + tall + 34
