"""From the log of a queue to a scenario of it: arrivals, service, patience, people, back-test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from simulator.errors import DataError
from simulator.fit.logs.log import Log
from simulator.fit.queues.backtest import backtest
from simulator.fit.queues.calibrate import RUNS
from simulator.fit.queues.calls import QUEUE, Calls, calls_of
from simulator.fit.queues.estimate import QueueEstimates, estimate_queue
from simulator.fit.queues.forecast import DRAWS, QueueForecast, forecast_queue
from simulator.fit.queues.result import QueueBackTest, QueueFit
from simulator.fit.queues.write import write_queue

__all__ = [
    "Calls",
    "QueueBackTest",
    "QueueEstimates",
    "QueueFit",
    "QueueForecast",
    "backtest_queue",
    "calls_of",
    "estimate_queue",
    "fit_queue",
    "forecast_queue",
    "is_queue",
]


def is_queue(log: Log) -> bool:
    """Whether a log is one of a queue's calls."""
    return bool((log.visits["stage"] == QUEUE).any())


def fit_queue(
    log: Log | Calls,
    *,
    out: str | Path | None = None,
    name: str = "Today",
    forecast_days: int = 7,
    back_test: bool | Sequence[dt.date] = False,
    draws: int = DRAWS,
    runs: int = RUNS,
    seed: int = 1,
) -> QueueFit:
    """Fit the calls of a queue, run the days after them, and write a scenario, a push and a fix.

    ``out``: a folder, or the .yaml file to write; None writes nothing. ``back_test``: dates of
    origins, or True for one a week. ``draws``: runs behind a forecast; ``runs``: at each point of
    the calibration. Raises DataError for what cannot be used.
    """
    calls = log if isinstance(log, Calls) else calls_of(log)
    e = estimate_queue(calls, seed=seed, runs=runs)
    start = calls.origin.date() + dt.timedelta(days=calls.days)
    cast = forecast_queue(e, start, forecast_days, draws=draws, seed=seed)
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    if out is not None:
        files, notes = write_queue(out, calls, e, name=name)
    scored = None
    if back_test is not False:
        origins = None if back_test is True else back_test
        scored = backtest_queue(
            calls, origins, days=forecast_days, draws=draws, runs=runs, seed=seed
        )
    return QueueFit(calls, e, cast, scored, tuple(map(str, files)), notes)


def backtest_queue(
    log: Log | Calls,
    origins: Sequence[dt.date] | None = None,
    *,
    days: int = 7,
    draws: int = DRAWS,
    runs: int = RUNS,
    seed: int = 1,
) -> QueueBackTest:
    """Score forecasts of so many days after each origin (a date; default: one a week).

    Each is made knowing nothing but the log before it; with the shifts of those days; and with
    their shifts and calls. Raises DataError where there is nothing to fit or to score.
    """
    calls = log if isinstance(log, Calls) else calls_of(log)
    if days < 1:
        raise DataError(f"days: {days} days ahead, and at least 1 is needed")
    first = calls.origin.date()
    at = None if origins is None else [(o - first).days for o in origins]
    return QueueBackTest(backtest(calls, at, ahead=days, draws=draws, runs=runs, seed=seed))
