"""What people see in a terminal: sentences and tables on stdout, progress and notes on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

Row = Mapping[str, object]
Advance = Callable[[int], None]
"""Progress told by an analysis: how many replications are done."""

# Wide enough for any table: what is piped is cut by the reader, not by us.
PIPED_WIDTH = 400


class Result(Protocol):
    """What every analysis returns."""

    @property
    def sentences(self) -> list[str]:
        """The answer in words, the verdict first."""

    @property
    def tables(self) -> dict[str, list[dict[str, object]]]:
        """Tables by title, each a list of rows."""

    def to_json(self) -> dict[str, object]:
        """Everything, in types that JSON has."""


def console(stream: TextIO) -> Console:
    """A rich console on a stream; colours only where the stream is a terminal without NO_COLOR."""
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def show(result: Result) -> None:
    """Print a result's sentences, then the tables that people read, on stdout."""
    from simulator.analysis.summary import summary

    out = console(sys.stdout)
    for sentence in result.sentences:
        out.print(Text(sentence))
    for title, rows in summary(result).items():
        if rows:
            out.print()
            out.print(table(title, rows))


def table(title: str, rows: Sequence[Row]) -> Table:
    """A rich table of rows; numbers to the right, a dash where a row lacks a column."""
    drawn = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    keys = list(dict.fromkeys(key for row in rows for key in row))
    for key in keys:
        numbers = all(isinstance(row.get(key), int | float | None) for row in rows)
        drawn.add_column(key.replace("_", " "), justify="right" if numbers else "left")
    for row in rows:
        drawn.add_row(*(cell(row.get(key)) for key in keys))
    return drawn


def cell(value: object) -> str:
    """A value as people read it: four significant digits, thousands apart."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if abs(value) >= 1000:
            return f"{value:,.0f}"
        return f"{value:.4g}"
    return str(value)


def note(text: str) -> None:
    """One message on stderr."""
    console(sys.stderr).print(Text(text))


@contextmanager
def progress(total: int | None = None, *, quiet: bool = False) -> Iterator[Advance]:
    """A progress bar on stderr while the block runs; silent where stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, TimeElapsedColumn(), console=console(sys.stderr), transient=True)
    with bar:
        task = bar.add_task("replications", total=total)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def tally(*, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Progress of many runs on stderr, with rate and time left: a bar, or a line now and then."""
    if quiet:
        yield lambda _done, _total: None
        return
    if sys.stderr.isatty():
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[pace]}"))
        with Progress(*columns, console=console(sys.stderr), transient=True) as bar:
            task = bar.add_task("runs", total=None, pace="")
            pace = _Pace()

            def move(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total, pace=pace.words(done, total))

            yield move
        return
    pace = _Pace()

    def say(done: int, total: int) -> None:
        words = pace.words(done, total)
        if pace.due():
            note(f"{done:,} of {total:,} runs, {words}")

    yield say


class _Pace:
    """How fast runs go, and how long the rest takes."""

    EVERY = 30.0  # seconds between lines

    def __init__(self) -> None:
        self.began = self.said = time.monotonic()
        self.first: int | None = None

    def words(self, done: int, total: int) -> str:
        """Rate and time left, as far as they are known."""
        if self.first is None:
            self.first, self.began = done, time.monotonic()
            return ""
        rate = (done - self.first) / max(1e-9, time.monotonic() - self.began)
        if rate <= 0:
            return ""
        left = round((total - done) / rate)
        hours, minutes = divmod(left // 60, 60)
        return f"{rate:,.3g} a second, {hours}:{minutes:02d}:{left % 60:02d} left"

    def due(self) -> bool:
        """Whether it is time for another line."""
        if time.monotonic() - self.said < self.EVERY:
            return False
        self.said = time.monotonic()
        return True
