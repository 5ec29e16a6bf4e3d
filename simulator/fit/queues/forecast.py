"""Days to come of a queue: calls, who gives up and how long they wait, with intervals."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from simulator.fit.queues.agents import SLOTS
from simulator.fit.queues.arrive import gamma_about_one
from simulator.fit.queues.calls import Floats, Ints
from simulator.fit.queues.erlang import erlang_a
from simulator.fit.queues.estimate import STAFFED, QueueEstimates, draw
from simulator.fit.queues.model import run

Known = Literal["nothing", "shifts", "shifts and calls"]
KNOWN: Final[tuple[Known, ...]] = ("nothing", "shifts", "shifts and calls")
LEVEL: Final = 0.90
DRAWS: Final = 200


@dataclass(frozen=True)
class QueueForecast:
    """Draws of days to come: calls, gave_up, waited (seconds in all), each (draws, days).

    known: what was given beside the log: nothing, the shifts, or the shifts and the calls.
    """

    start: dt.date
    known: Known
    calls: Floats
    gave_up: Floats
    waited: Floats

    @property
    def days(self) -> int:
        """Days foretold."""
        return int(self.calls.shape[1])

    @property
    def share(self) -> float:
        """Share that is expected to give up: of all callers, those of busy draws count for more."""
        return float(self.gave_up.sum() / max(float(self.calls.sum()), 1.0))

    def shares(self) -> Floats:
        """Share that gives up over all days, by draw."""
        total: Floats = self.gave_up.sum(axis=1) / np.maximum(self.calls.sum(axis=1), 1)
        return total

    def waits(self) -> Floats:
        """Mean wait over all days in seconds, by draw."""
        total: Floats = self.waited.sum(axis=1) / np.maximum(self.calls.sum(axis=1), 1)
        return total


def centre(draws: Floats) -> float:
    """The median: waits and counts are skew, and forecasts are scored by absolute errors."""
    return float(np.median(draws))


def interval(draws: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Bounds that hold so much of the draws (first axis)."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def forecast_queue(
    e: QueueEstimates,
    start: dt.date,
    days: int,
    *,
    heads: Floats | None = None,
    rates: Floats | None = None,
    draws: int = DRAWS,
    seed: int = 1,
) -> QueueForecast:
    """Run queues that are consistent with the log over days to come.

    heads: (days, 96) on duty, where the shifts are known; rates: (days, 24) calls an hour, where
    these are. Else both come round as in the log, with its variation from day to day.
    """
    rng = np.random.default_rng(seed)
    weekdays = (start.weekday() + np.arange(days)) % 7
    out = np.zeros((3, draws, days))
    for i in range(draws):
        people = heads if heads is not None else _shifts(e, weekdays, rng)
        calls = rates if rates is not None else e.rates.draw(rng, weekdays)
        if heads is not None and rates is None:
            calls = _where_open(calls, heads, e.rates.weeks[weekdays] == 0)
        got = run(draw(e, start, calls, people, rng, (i + 0.5) / draws), seed, i)
        out[:, i] = got.by_day(days)
    known: Known = "nothing" if heads is None else "shifts" if rates is None else "shifts and calls"
    return QueueForecast(start, known, out[0], out[1], out[2])


def _shifts(e: QueueEstimates, weekdays: Ints, rng: np.random.Generator) -> Floats:
    about = gamma_about_one(rng, e.shift_cv, (len(weekdays), 1))
    found: Floats = e.shifts[weekdays] * about
    return found


def _where_open(rates: Floats, heads: Floats, unseen: np.ndarray) -> Floats:
    """On weekdays that the log has not seen, calls come where somebody is on duty."""
    is_open = heads.reshape(len(heads), 24, SLOTS // 24).mean(axis=2) >= STAFFED
    return np.where(unseen[:, None] & ~is_open, 0.0, rates)


def spreadsheet(
    e: QueueEstimates, start: dt.date, days: int, heads: Floats | None, rates: Floats | None
) -> tuple[Floats, Floats, Floats]:
    """Calls, gave up and seconds waited by day, by Erlang-A hour by hour with whole people."""
    weekdays = (start.weekday() + np.arange(days)) % 7
    people = heads if heads is not None else e.shifts[weekdays]
    by_hour = np.rint(people.reshape(days, 24, SLOTS // 24).mean(axis=2)).astype(int)
    calls = rates if rates is not None else e.rates.mean[weekdays]
    if heads is not None and rates is None:
        calls = _where_open(calls, heads, e.rates.weeks[weekdays] == 0)
    talk = sum(k.share * k.talk.value for k in e.kinds)
    out = np.zeros((2, days))
    for d in range(days):
        for h in range(24):
            rate = float(calls[d, h]) / 3600.0
            share, wait = erlang_a(rate, int(by_hour[d, h]), talk, e.plain_patience)
            out[:, d] += rate * 3600.0 * share, rate * 3600.0 * wait
    return calls.sum(axis=1), out[0], out[1]
