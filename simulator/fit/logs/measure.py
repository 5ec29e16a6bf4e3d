"""What is forecast and scored over a window of time: outcomes, cycle times, work in process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from simulator.fit.logs.paths import Paths

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
FEWEST = 10  # ends by an outcome in a window that a quantile of their times needs


@dataclass(frozen=True)
class Window:
    """From ``start`` until ``end`` (days since the log's start), in weeks from the start on.

    month_ends: midnights after the last day of a month inside the window, and their dates.
    """

    start: float
    end: float
    month_ends: tuple[float, ...]
    dates: tuple[str, ...]

    @property
    def weeks(self) -> Array:
        """Edges of the weeks, (W + 1,); the last week may be short."""
        whole = np.arange(self.start, self.end, 7.0)
        return np.asarray(np.append(whole, self.end))


def make_window(since: pd.Timestamp, start: float, end: float) -> Window:
    """The window, with the ends of months in it; its own end where there is none."""
    first = since + pd.Timedelta(days=start)
    last = since + pd.Timedelta(days=end)
    found = pd.date_range(first + pd.Timedelta(days=1), last, freq="MS").normalize()
    if not len(found):
        found = pd.DatetimeIndex([last])
    at = tuple(float((t - since) / pd.Timedelta(days=1)) for t in found)
    names = tuple((t - pd.Timedelta(seconds=1)).date().isoformat() for t in found)
    return Window(start, end, at, names)


@dataclass(frozen=True)
class Cases:
    """Cases as arrays: created, closed (nan: open), outcome (-1: open) and amount, (n,)."""

    created: Array
    closed: Array
    outcome: Ints
    amount: Array


@dataclass(frozen=True)
class Measures:
    """What a window shows, for O outcomes and W weeks.

    arrived: cases created. ends: (O, W) cases that ended; bookings: (W,) amounts of those won
    (outcome ``won``), nan where no amount is stated. median, p90: (O,) days from creation to the
    end, of cases that ended in the window; nan where fewer than ten did. wip: open at each end of
    a month. open: (W + 1,) open at the edges of the weeks.
    """

    arrived: float
    ends: Array
    bookings: Array
    median: Array
    p90: Array
    wip: Array
    open: Array

    @property
    def shares(self) -> Array:
        """Shares of the outcomes among the cases that ended, (O,)."""
        total = self.ends.sum()
        return np.asarray(self.ends.sum(axis=1) / total if total else np.full(len(self.ends), 0.0))


def measure(cases: Cases, window: Window, outcomes: int, won: int) -> Measures:
    """Measure a window; ``won`` is the outcome whose amounts are bookings, -1 for none."""
    edges = window.weeks
    in_window = (cases.closed >= window.start) & (cases.closed < window.end)
    ends = np.zeros((outcomes, len(edges) - 1))
    median, p90 = np.full(outcomes, np.nan), np.full(outcomes, np.nan)
    for o in range(outcomes):
        mine = in_window & (cases.outcome == o)
        ends[o] = np.histogram(cases.closed[mine], bins=edges)[0]
        if mine.sum() >= FEWEST:
            taken = cases.closed[mine] - cases.created[mine]
            median[o], p90[o] = np.quantile(taken, [0.5, 0.9])
    bookings = np.full(len(edges) - 1, np.nan)
    mine = in_window & (cases.outcome == won)
    if won >= 0 and np.isfinite(cases.amount[mine]).any():
        value = np.nan_to_num(cases.amount[mine])
        bookings = np.histogram(cases.closed[mine], bins=edges, weights=value)[0]

    def open_at(times: Array) -> Array:
        closed = np.where(np.isnan(cases.closed), np.inf, cases.closed)
        return np.array([((cases.created < t) & (closed >= t)).sum() for t in times], dtype=float)

    return Measures(
        arrived=float(((cases.created >= window.start) & (cases.created < window.end)).sum()),
        ends=ends,
        bookings=bookings,
        median=median,
        p90=p90,
        wip=open_at(np.array(window.month_ends)),
        open=open_at(edges),
    )


def active_people(paths: Paths, weeks: list[float]) -> Array:
    """People (no programs) who did something in each week that begins at these times."""
    at, who = paths.acts
    return np.array([len(np.unique(who[(at >= w) & (at < w + 7)])) for w in weeks], dtype=float)


def whole_weeks(since: pd.Timestamp, start: float, end: float) -> list[float]:
    """Mondays from which a whole week lies between two times."""
    first = since + pd.Timedelta(days=start)
    shift = (-first.day_of_week) % 7 if first == first.normalize() else (7 - first.day_of_week) % 7
    monday = np.floor(start) + shift
    return [float(w) for w in np.arange(monday, end - 7 + 1e-9, 7.0) if w >= start - 1e-9]


@dataclass(frozen=True)
class Events:
    """Cases that ended in a window: days each took, and hours from creation to their events."""

    cycle: Array
    relative: Array


def events_of(created: Array, closed: Array, case: Ints, time: Array, window: Window) -> Events:
    """Events of the cases that ended in the window; creation and end are events, too."""
    mine = (closed >= window.start) & (closed < window.end)
    inside = mine[case] & (time <= closed[case])
    cycle = closed[mine] - created[mine]
    relative = np.concatenate([time[inside] - created[case[inside]], cycle, np.zeros(len(cycle))])
    return Events(cycle, np.maximum(relative, 0.0) * 24)


def path_events(paths: Paths) -> tuple[Ints, Array]:
    """Case and time of everything in the paths: stays entered, sessions begun and ended."""
    of = paths.case[paths.session_stay]
    later = paths.stage > 0
    case = np.concatenate([paths.case[later], of, of])
    time = np.concatenate([paths.entered[later], paths.session_started, paths.session_left])
    known = ~np.isnan(time)
    return case[known], time[known]


@dataclass(frozen=True)
class Distance:
    """How far two logs are apart, in hours.

    relative: 1-Wasserstein distance of the hours since creation of all events, in whole hours;
    cycle: of the cycle times, in bins of an hour. As relative_event_distribution_distance and
    cycle_time_distribution_distance of the package log-distance-measures (Chapela-Campa et al.,
    Enhancing the assessment of the simulation models of processes, 2023).
    """

    relative: float
    cycle: float


def distance(a: Events, b: Events) -> Distance:
    """Distances of two logs; nan where one of them is empty."""
    if not len(a.cycle) or not len(b.cycle):
        return Distance(float("nan"), float("nan"))
    low = min(a.cycle.min(), b.cycle.min())
    cycles = [np.floor((x.cycle - low) * 24) for x in (a, b)]
    return Distance(
        float(stats.wasserstein_distance(np.floor(a.relative), np.floor(b.relative))),
        float(stats.wasserstein_distance(*cycles)),
    )


def crps(draws: Array, actual: Array) -> Array:
    """Continuous ranked probability score of draws (D, ...) against what came (...).

    E|X - y| - E|X - X'| / 2, with the fair estimate of the second term (Ferro 2014).
    """
    n = len(draws)
    if n == 1:
        return np.asarray(np.abs(draws[0] - actual))
    ordered = np.sort(draws, axis=0)
    rank = (2 * np.arange(1, n + 1) - n - 1).reshape(-1, *[1] * (draws.ndim - 1))
    spread = (rank * ordered).sum(axis=0) / (n * (n - 1))
    return np.asarray(np.abs(draws - actual).mean(axis=0) - spread)
