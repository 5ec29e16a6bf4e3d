"""Back-test of a queue: fitted up to an origin, run on, held against what then came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.errors import DataError
from simulator.fit.queues.agents import estimate_agents, on_duty
from simulator.fit.queues.arrive import estimate_rates
from simulator.fit.queues.calibrate import RUNS
from simulator.fit.queues.calls import Calls, Floats
from simulator.fit.queues.estimate import STAFFED, QueueEstimates, estimate_queue
from simulator.fit.queues.forecast import (
    DRAWS,
    LEVEL,
    Known,
    centre,
    forecast_queue,
    interval,
    spreadsheet,
)

POINTS: Final = (
    0.015  # of abandonment, and the share of the mean wait, that a forecast should be in
)
SHARE: Final = 0.15
METHODS: Final = ("model", "replay", "run_rate", "erlang_a")
MEASURES: Final = ("calls", "gave_up", "waited")
AHEAD: Final = 7
LEAST: Final = 5  # days before an origin


@dataclass(frozen=True)
class Scored:
    """One origin with one state of knowledge. day: method -> (3, days) of MEASURES.

    actual: (3, days). low, high: (3, days) the model's 90% intervals by day. share, wait: what the
    model expects of all callers, and the median of its mean waits, with bounds.
    """

    origin: dt.date
    fitted_days: int
    known: Known
    actual: Floats
    day: dict[str, Floats]
    low: Floats
    high: Floats
    share: tuple[float, float, float]
    wait: tuple[float, float, float]

    @property
    def days(self) -> int:
        """Days scored."""
        return int(self.actual.shape[1])

    def total(self, method: str) -> tuple[float, float]:
        """(share that gives up, mean wait) over all days, of a method or `actual`."""
        if method == "model":
            return self.share[0], self.wait[0]
        calls, gave_up, waited = (self.actual if method == "actual" else self.day[method]).sum(1)
        return float(gave_up / max(calls, 1)), float(waited / max(calls, 1))

    def points_off(self, method: str = "model") -> float:
        """Abandonment foretold less what came."""
        return self.total(method)[0] - self.total("actual")[0]

    def wait_off(self, method: str = "model") -> float:
        """Mean wait foretold over what came, less 1."""
        came = self.total("actual")[1]
        return self.total(method)[1] / came - 1 if came else float("nan")

    def within(self, method: str = "model") -> tuple[bool, bool]:
        """Whether abandonment is within 1.5 points and the mean wait within 15%."""
        return abs(self.points_off(method)) <= POINTS, abs(self.wait_off(method)) <= SHARE

    def wape(self, measure: str, method: str = "model") -> float:
        """Sum of absolute errors by day over the sum of what came."""
        k = MEASURES.index(measure)
        miss = np.abs(self.day[method][k] - self.actual[k]).sum()
        return float(miss / max(self.actual[k].sum(), 1e-9))

    def inside(self, measure: str) -> float:
        """Share of days that came to lie in their interval."""
        k = MEASURES.index(measure)
        return float(((self.low[k] <= self.actual[k]) & (self.actual[k] <= self.high[k])).mean())

    @property
    def totals_inside(self) -> tuple[bool, bool]:
        """Whether abandonment and mean wait came to lie in theirs."""
        share, wait = self.total("actual")
        return self.share[1] <= share <= self.share[2], self.wait[1] <= wait <= self.wait[2]


def backtest(
    calls: Calls,
    origins: Sequence[int] | None = None,
    *,
    ahead: int = AHEAD,
    draws: int = DRAWS,
    seed: int = 1,
    runs: int = RUNS,
) -> tuple[Scored, ...]:
    """Score forecasts of the days after each origin, with three states of knowledge each.

    origins: days from the first; default: every week that leaves a whole one behind and before
    it, or the middle of a shorter log. Raises DataError where there is nothing to hold it against.
    """
    chosen = list(origins) if origins is not None else _origins(calls.days, ahead)
    found: list[Scored] = []
    for day in chosen:
        if not LEAST <= day < calls.days:
            raise DataError(
                f"back-test from day {day} of {calls.days}: at least {LEAST} days before it and "
                "one after it are needed. Give another day, or export a longer time"
            )
        known, later = calls.known_at(day), calls.between(day, min(day + ahead, calls.days))
        e = estimate_queue(known, seed=seed, runs=runs)
        found += _score(e, known, later, draws, seed)
    return tuple(found)


def _origins(days: int, ahead: int) -> list[int]:
    whole = list(range(7, days - ahead + 1, 7))
    if whole:
        return whole
    if days // 2 >= LEAST:
        return [days // 2]
    raise DataError(
        f"the log has {days} days, too few for a back-test: {2 * LEAST} are needed at least"
    )


def _score(e: QueueEstimates, known: Calls, later: Calls, draws: int, seed: int) -> list[Scored]:
    start, days = later.origin.date(), later.days
    heads = on_duty(later)
    came = estimate_rates(later, estimate_agents(later, seed).open >= STAFFED).was
    actual = by_day(later)
    found = []
    for people, rates in ((None, None), (heads, None), (heads, came)):
        cast = forecast_queue(e, start, days, heads=people, rates=rates, draws=draws, seed=seed)
        drawn = np.stack([cast.calls, cast.gave_up, cast.waited])
        low, high = interval(np.moveaxis(drawn, 1, 0))
        sheet = np.stack(spreadsheet(e, start, days, people, rates))
        found.append(
            Scored(
                origin=start,
                fitted_days=known.days,
                known=cast.known,
                actual=actual,
                day={
                    "model": np.median(drawn, axis=1),
                    "replay": _replay(known, start, days),
                    "run_rate": np.repeat(by_day(known).mean(axis=1)[:, None], days, axis=1),
                    "erlang_a": sheet,
                },
                low=low,
                high=high,
                share=(cast.share, *_bounds(cast.shares())),
                wait=(centre(cast.waits()), *_bounds(cast.waits())),
            )
        )
    return found


def _bounds(draws: Floats) -> tuple[float, float]:
    low, high = interval(draws, LEVEL)
    return float(low), float(high)


def by_day(calls: Calls) -> Floats:
    """Calls, how many gave up, and seconds waited in all, by day: (3, days)."""
    day = np.clip(calls.day, 0, calls.days - 1)
    rows = [None, calls.left.astype(np.float64), calls.wait]
    return np.stack([np.bincount(day, w, minlength=calls.days).astype(np.float64) for w in rows])


def _replay(known: Calls, start: dt.date, days: int) -> Floats:
    """The last day seen of each weekday once more; a weekday never seen: the mean day."""
    past, weekdays = by_day(known), known.weekdays
    out = np.repeat(past.mean(axis=1)[:, None], days, axis=1)
    for d in range(days):
        own = np.flatnonzero(weekdays == (start.weekday() + d) % 7)
        if len(own):
            out[:, d] = past[:, own[-1]]
    return out
