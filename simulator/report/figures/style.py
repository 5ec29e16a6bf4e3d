"""The look of every figure: one board slide, its palette, its words, and how it is saved."""

from __future__ import annotations

import math
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure, SubFigure
from matplotlib.font_manager import fontManager
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from simulator.analysis.words import money

SIZE: Final = (13.33, 7.5)  # inches, 16:9
_size: ContextVar[tuple[float, float]] = ContextVar("size", default=SIZE)
_fonts: ContextVar[tuple[str, ...]] = ContextVar("fonts", default=())
_settings: ContextVar[Mapping[str, Any]] = ContextVar("settings", default=MappingProxyType({}))
DPI: Final = 150
BODY: Final = 16.0
SMALL: Final = 14.0  # nothing is smaller
TITLE: Final = 25.0
LEAST_TITLE: Final = 20.0

# Okabe and Ito: told apart by people with any kind of colour vision, and in print.
BLACK: Final = "#000000"
ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
YELLOW: Final = "#F0E442"
BLUE: Final = "#0072B2"
VERMILLION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#767676"
PALE: Final = "#D9D9D9"
INK: Final = "#222222"
STAYS: Final = "on a colour of its own"  # the label of what keeps its colour on a dark slide
ROLES: Final = {"today": GREY, "push": VERMILLION, "fix": BLUE, "other": GREEN}
KINDS: Final = {"capacity": BLUE, "handoff": GREEN, "buyer": PURPLE, "market": VERMILLION}

# What the letters of other scripts are drawn with, where the first lacks them.
_SCRIPTS: Final = (
    "Noto Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "Hiragino Sans",
    "PingFang SC",
    "Microsoft YaHei",
    "Yu Gothic",
    "MS Gothic",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "Noto Sans Devanagari",
    "Nirmala UI",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Thai",
    "Arial Unicode MS",
)


def families() -> list[str]:
    """Fonts to look for a letter in, in this order; only those that are installed."""
    there = {font.name for font in fontManager.ttflist}
    wanted = [name for name in _fonts.get() if name in there]
    return [*wanted, "DejaVu Sans", *(name for name in _SCRIPTS if name in there)]


_INKS: Final = {
    ORANGE: "#8A5F00",
    SKY: "#1F6E9C",
    GREEN: "#006B4E",
    PURPLE: "#8C4A6E",
    VERMILLION: "#B84F00",
}


def ink(colour: str) -> str:
    """The shade of a colour that is dark enough for letters on white."""
    return _INKS.get(colour, colour)


def on(colour: str) -> str:
    """Letters that can be read on a colour: white, or ink."""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return "#FFFFFF" if 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.25 else INK


# Settings of a machine, not of a look.
_MACHINE: Final = (
    "backend", "date.epoch", "docstring.", "figure.max_open_warning", "figure.raise_window",
    "interactive", "savefig.directory", "timezone", "tk.", "toolbar", "webagg.",
)  # fmt: skip


@contextmanager
def look(
    size: tuple[float, float] | None = None,
    fonts: tuple[str, ...] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[None]:
    """Settings of matplotlib while a figure is drawn or saved; the user's come back after it.

    size: of slides, in inches; fonts: to look for first; settings: of matplotlib, on top of ours.
    What is not given stays as the look around this one has it.
    """
    given = ((_size, size), (_fonts, fonts), (_settings, settings))
    tokens = [(variable, variable.set(v)) for variable, v in given if v is not None]  # type: ignore[arg-type]
    try:
        with _look():
            yield
    finally:
        for variable, token in tokens:
            variable.reset(token)  # type: ignore[arg-type]


@contextmanager
def _look() -> Iterator[None]:
    settings: dict[str, Any] = {
        "font.family": families(),
        "font.size": BODY,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.unicode_minus": True,
        "xtick.color": INK,
        "ytick.color": INK,
        "path.sketch": None,
        "svg.fonttype": "path",
        "svg.hashsalt": "growthsim",
        "savefig.bbox": "standard",
        **_settings.get(),
    }
    # As mpl.rcdefaults, which reads the whole library of styles for the list of what is kept.
    default: dict[str, Any] = dict(mpl.rcParamsDefault)  # type: ignore[arg-type,unused-ignore]
    usual = {k: v for k, v in default.items() if not k.startswith(_MACHINE)}
    with mpl.rc_context(), warnings.catch_warnings():
        for key, value in {**usual, **settings}.items():
            if mpl.rcParams[key] != value:  # type: ignore[index,unused-ignore]
                mpl.rcParams[key] = value  # type: ignore[index,unused-ignore]
        # A letter that no installed font has is drawn as a box; that is no reason to stop.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        yield


def plain(text: str) -> str:
    """Text of strangers as matplotlib takes it literally: one line, no formulas."""
    visible = "".join(c if c.isprintable() else " " for c in str(text))
    return " ".join(visible.split()).replace("$", r"\$")


def short(text: str, most: int = 40) -> str:
    """A name cut to a number of letters, with an ellipsis, at a word where there is one."""
    text = " ".join(str(text).split())
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > most // 2 else cut).rstrip(" ,;:") + "…"


def lines(text: str, width: int = 26, most: int = 2) -> str:
    """A label in a few lines of at most so many letters, made safe for drawing."""
    wrapped = textwrap.wrap(" ".join(str(text).split()), width)
    if len(wrapped) > most:
        last = wrapped[most - 1][: width - 1].rstrip(" ,;:…")
        wrapped = [*wrapped[: most - 1], f"{last}…"]
    return "\n".join(plain(line) for line in wrapped)


def slide(title: str, source: str) -> tuple[Figure, Axes]:
    """An empty slide with its message above, its source below, and one axis between."""
    tall = _size.get()[1]
    figure = Figure(figsize=_size.get(), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    head = figure.text(0.028, 0.962, "", weight="bold", va="top", ha="left", linespacing=1.15)
    _fit(head, title, TITLE, LEAST_TITLE if _size.get()[0] > 13 else SMALL)
    foot = figure.text(0.028, 0.022, "", color="#555555", va="bottom", ha="left")
    _fit(foot, source, SMALL, SMALL)
    top = head.get_window_extent().y0 / (tall * DPI)
    bottom = foot.get_window_extent().y1 / (tall * DPI)
    room = (0.02, bottom + 0.02, 0.96, top - bottom - 0.055)
    figure.set_layout_engine(ConstrainedLayoutEngine(rect=room, w_pad=0.06, h_pad=0.06))
    axes = figure.add_subplot()
    return figure, axes


def _fit(text: Text, words: str, largest: float, least: float) -> None:
    """Write words in two lines at most, smaller if they must be, cut if even that is too long."""
    text.set_fontsize(largest)
    parts = words.split() or [""]
    widths = dict.fromkeys([*parts, "…"], 0.0)
    for word in widths:
        text.set_text(plain(word))
        widths[word] = text.get_window_extent().width
    # A hundredth to spare: letters do not scale quite with their size.
    room = 0.944 * _size.get()[0] * DPI / 1.01
    space = 0.35 * largest * DPI / 72.0
    size = largest
    while size > least and not _in_two(parts, widths, space, room * largest / size):
        size = max(least, size - 1.0)
    room *= largest / size
    cut = False
    while len(parts) > 1 and not _in_two(parts, widths, space, room - widths["…"] * cut):
        parts, cut = parts[:-1], True
    if widths[parts[0]] > room:
        parts, cut = [parts[0][: int(len(parts[0]) * room / widths[parts[0]]) - 2]], True
    if cut:
        parts = [*parts[:-1], parts[-1].rstrip(",;:…") + "…"]
    alone = sum(widths.get(p, room) + space for p in parts) <= room
    found = [" ".join(parts)] if alone or len(parts) == 1 else _balanced(parts)
    text.set_fontsize(size)
    text.set_text("\n".join(plain(line) for line in found))


def _in_two(words: list[str], widths: dict[str, float], space: float, room: float) -> bool:
    """Whether words fit in two lines, as they are broken here."""
    if sum(widths[w] + space for w in words) <= room:
        return True
    if len(words) == 1:
        return False
    broken = [line.split(" ") for line in _balanced(words)]
    return all(sum(widths[w] + space for w in line) <= room for line in broken)


def _balanced(words: list[str]) -> list[str]:
    """Two lines of about the same length, so that no word stands alone; the first is longer."""
    breaks = [(" ".join(words[:i]), " ".join(words[i:])) for i in range(1, len(words))]
    whole = [b for b in breaks if len(b[0]) >= len(b[1])] or breaks[-1:]
    first, second = min(whole, key=lambda b: len(b[0]))
    return [first, second]


def tidy(axes: Axes, *, keep: Sequence[str] = ("bottom",)) -> None:
    """Only the lines that carry something; labels of a size to be read from afar."""
    for side, spine in axes.spines.items():
        spine.set_visible(side in keep)
        spine.set_color(GREY)
    axes.tick_params(labelsize=BODY, length=0, pad=6, labelfontfamily=families())
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set_fontsize(BODY)
        axis.get_offset_text().set_fontsize(SMALL)


def money_axis(axis: Axis, currency: str, signed: bool = False, ticks: int = 5) -> None:
    """Ticks as people say money; with more digits where two would read the same."""

    def say(value: float, _position: int | None = None) -> str:
        text = amount(value, currency, signed)
        seen = [money(float(t), currency) for t in axis.get_majorticklocs()]
        if len(set(seen)) < len(seen):
            scale, unit = _scale(max(abs(float(t)) for t in axis.get_majorticklocs()))
            text = f"{value / scale:.6g} {unit}{currency}"
        return plain(text)

    axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(say))


def week_axis(axes: Axes, horizon: float) -> None:
    """Weeks from 0 to the horizon across, at most ten of them named."""
    step = next((s for s in (1, 2, 4, 13, 26, 52, 104) if horizon / s <= 10), 208)
    axes.set_xlim(0.0, horizon)
    axes.set_xticks(np.arange(0.0, horizon + 1e-9, step))


def _scale(size: float) -> tuple[float, str]:
    for scale, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size >= scale:
            return scale, unit
    return 1.0, ""


def amount(value: float, currency: str, signed: bool = False) -> str:
    """An amount of money, with a true minus, and a plus if asked for."""
    if not math.isfinite(value):
        return "not known"
    text = money(abs(value), currency)
    if text.startswith("0 ") or value == 0:
        return text
    return f"−{text}" if value < 0 else f"+{text}" if signed else text


def percent(share: float, signed: bool = True, digits: int = 1) -> str:
    """A share as a percentage, with a true minus."""
    if not math.isfinite(share):
        return "not known"
    text = f"{100 * abs(share):.{digits}f}%"
    if not float(text[:-1]):
        return text
    return f"−{text}" if share < 0 else f"+{text}" if signed else text


def number(value: float, signed: bool = True) -> str:
    """A count, with a digit after the point where it is small, and a true minus."""
    if not math.isfinite(value):
        return "not known"
    text = f"{abs(value):,.0f}" if abs(value) >= 10 else f"{abs(value):.1f}"
    if not float(text.replace(",", "")):
        return "0"
    return f"−{text}" if value < 0 else f"+{text}" if signed else text


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places as near as possible to those wanted, at least a gap apart, within low and high."""
    n = len(wanted)
    if not n:
        return []
    gap = min(gap, (high - low) / max(1, n - 1)) if n > 1 else gap
    order = sorted(range(n), key=lambda i: wanted[i])
    # Least squares under order: pool neighbours that would collide, as isotonic regression does.
    blocks: list[list[float]] = []
    for rank, i in enumerate(order):
        blocks.append([wanted[i] - rank * gap, 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            value, weight = blocks.pop()
            before = blocks[-1]
            before[0] = (before[0] * before[1] + value * weight) / (before[1] + weight)
            before[1] += weight
    flat = [min(max(b[0], low), high - (n - 1) * gap) for b in blocks for _ in range(int(b[1]))]
    places = [0.0] * n
    for rank, i in enumerate(order):
        places[i] = flat[rank] + rank * gap
    return places


def end_labels(
    axes: Axes, labels: Sequence[tuple[float, str, str]], size: float = BODY
) -> list[Text]:
    """Labels beyond the right end of lines: (height, text, colour), moved apart where they meet."""
    if not labels:
        return []
    low, high = axes.get_ylim()
    tall = axes.get_window_extent().height / _dpi(axes) * 72.0
    deep = max(text.count("\n") + 1 for _, text, _ in labels) + 0.25
    gap = 1.25 * size * deep / max(tall * 0.9, 1.0) * (high - low)
    places = spread([y for y, _, _ in labels], gap, low + gap / 3, high - gap / 3)
    transform = axes.get_yaxis_transform()
    found = []
    for place, (y, text, colour) in zip(places, labels, strict=True):
        leader = Line2D(
            [1.003, 1.026], [y, place], color=colour, linewidth=1.4, transform=transform,
            clip_on=False, gid="leader",
        )  # fmt: skip
        axes.add_artist(leader)
        found.append(
            axes.text(
                1.034, place, text, color=ink(colour), fontsize=size, va="center", ha="left",
                transform=transform, weight="bold", linespacing=1.1,
            )
        )  # fmt: skip
    return found


def _dpi(axes: Axes) -> float:
    figure: Figure | SubFigure | None = axes.figure
    return float(figure.dpi) if figure is not None else DPI


def room_for(axes: Axes, rows: int, most: float = BODY) -> float:
    """A size of letters at which so many rows do not touch; SMALL at the least."""
    tall = axes.get_window_extent().height / _dpi(axes) * 72.0
    return float(min(most, max(SMALL, tall / max(1, rows) / 1.25)))


def empty(axes: Axes, why: str) -> Axes:
    """An axis that says why there is nothing on it."""
    axes.set_axis_off()
    axes.text(
        0.5, 0.5, lines(why, 60, 3), ha="center", va="center", fontsize=20, color=GREY,
        transform=axes.transAxes,
    )  # fmt: skip
    return axes
