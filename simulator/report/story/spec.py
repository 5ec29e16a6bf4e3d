"""What a slide shows, apart from how it is drawn: a deck and a page draw the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.report.saved import Saved
from simulator.report.story.say import Datum, Fact, Line

# Colours by what they mean; a deck takes them from its theme, a page from its palette.
COLOURS = ("today", "push", "fix", "other", "up", "down", "grey", "more")


@dataclass(frozen=True)
class Series:
    """Numbers under a name. low, high: the ends of their intervals, where there are any."""

    name: str
    values: tuple[Datum | None, ...]
    colour: str
    low: tuple[Datum | None, ...] = ()
    high: tuple[Datum | None, ...] = ()
    dashed: bool = False


@dataclass(frozen=True)
class Lines:
    """Lines over steps, with bands. unit: money, share, count or ratio."""

    steps: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str
    across: str
    every: int = 1  # label each so many steps


@dataclass(frozen=True)
class Bars:
    """Lying bars with intervals, the first on top; a series a colour, None where it has none."""

    names: tuple[Line, ...]
    series: tuple[Series, ...]
    unit: str


@dataclass(frozen=True)
class Stack:
    """Standing bars on top of each other, by period."""

    periods: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str


@dataclass(frozen=True)
class Step:
    """One bar of a waterfall: a change, or a total from zero. name: with its number."""

    name: Line
    change: Datum
    total: bool = False
    colour: str = ""


@dataclass(frozen=True)
class Fall:
    """A waterfall: totals stand on zero, changes on where the one before ended."""

    steps: tuple[Step, ...]
    unit: str

    def spans(self) -> list[tuple[float, float]]:
        """Where each bar begins and ends."""
        found, at = [], 0.0
        for step in self.steps:
            start = 0.0 if step.total else at
            at = start + step.change.value
            found.append((start, at))
        return found


@dataclass(frozen=True)
class Table:
    """Rows of text and facts under a head. wide: share of the width by column."""

    head: tuple[str, ...]
    rows: tuple[tuple[Fact | Line, ...], ...]
    wide: tuple[float, ...] = ()
    strong: tuple[int, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A figure that no native chart can be: drawn when it is needed, as a name of FIGURES."""

    kind: str
    figure: str
    saved: Saved


@dataclass(frozen=True)
class Points:
    """Sentences, one below the other."""

    lines: tuple[Line, ...]


Show = Lines | Bars | Stack | Fall | Table | Picture | Points


@dataclass(frozen=True)
class Slide:
    """One message: its title, what is shown, where from, and what a speaker should know."""

    key: str
    title: Line
    heading: Line
    show: Show
    source: Line
    notes: tuple[Line, ...]
    alt: Line
    appendix: bool = False


@dataclass(frozen=True)
class Story:
    """Slides in their order, every fact by its name, and the questions nobody asked."""

    slides: tuple[Slide, ...]
    facts: dict[str, Fact]
    not_asked: tuple[str, ...]
    answers: tuple[Saved, ...]


Teller = Callable[[Saved], Slide | None]


@dataclass(frozen=True)
class Chapter:
    """A place in the order of slides, and who tells it of which kind of result."""

    order: int
    kind: str
    tell: Teller = field(compare=False)
