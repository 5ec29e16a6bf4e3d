"""The clock that people's work goes by: slower in the two weeks up to New Year.

What a rule does after a fixed time goes by the calendar; such ends are told apart by their times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.fit.logs.demand import YEAR_END, YEAR_END_DAYS, year_end
from simulator.fit.logs.paths import CENSORED, Paths

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
AHEAD = 800  # days after the log that the clock is laid out for
USUAL_DAYS = 56  # days before that tell what is usual
RULE_DAYS = 2.0  # a fixed time shorter than this is a process at work, not a rule
RULE_WIDTH = 0.03  # ends within this share of a time are at that time
RULE_SEEN = 20  # ends at the same time that a rule needs,
RULE_SHARE = 0.1  # this share of the ends that way,
RULE_DENSE = 5.0  # and so many times what lies around them


@dataclass(frozen=True)
class Clock:
    """Working time against days since the log's start, both rising; ``pace`` at the year's end."""

    days: Array
    work: Array
    pace: float

    def read(self, day: Array) -> Array:
        """Working time at these days."""
        return np.asarray(np.interp(day, self.days, self.work))

    def day(self, work: Array) -> Array:
        """The day at which so much working time has gone by."""
        last = self.work[-1]
        inside = np.interp(work, self.work, self.days)
        return np.asarray(np.where(work > last, self.days[-1] + work - last, inside))


def make_clock(paths: Paths, pace: float | None = None) -> Clock:
    """The clock of a log; ``pace``: default, from what people did at the year's end."""
    n = int(np.ceil(paths.end)) + AHEAD
    dates = paths.start + pd.to_timedelta(np.arange(n), unit="D")
    quiet = year_end(dates)
    if pace is None:
        pace = _pace(paths, quiet[: int(paths.end)])
    work = np.concatenate([[0.0], np.cumsum(np.where(quiet, pace, 1.0))])
    return Clock(np.arange(n + 1, dtype=float), work, pace)


def _pace(paths: Paths, quiet: Bools) -> float:
    """What was done on those days over what is usual on such a weekday, with the book's prior."""
    n = len(quiet)
    did = np.bincount(paths.acts[0].astype(np.int64), minlength=n)[:n].astype(float)
    dow = (np.arange(n) + paths.start.day_of_week) % 7
    expected = np.zeros(n)
    first = int(np.flatnonzero(quiet)[0]) if quiet.any() else n
    base = np.arange(max(first - USUAL_DAYS, 0), first)
    for k in range(7):
        mine = base[dow[base] == k]
        expected[dow == k] = did[mine].mean() if len(mine) else did[base].mean() if first else 0.0
    weight = YEAR_END_DAYS * float(expected.mean())
    total = weight + expected[quiet].sum()
    if total <= 0:
        return float(YEAR_END.value)
    found = (weight * float(YEAR_END.value) + did[quiet].sum()) / total
    return float(np.clip(found, 0.2, 1.0))


def ruled(paths: Paths) -> Bools:
    """Stays that ended after a time at which many do, and hardly any around it: by a rule."""
    out = np.zeros(len(paths.case), dtype=bool)
    exits = paths.stage * (len(paths.stages) + len(paths.outcomes) + 1) + paths.after
    for code in np.unique(exits[paths.after != CENSORED]):
        mine = np.flatnonzero((exits == code) & (paths.after != CENSORED))
        stayed = paths.stayed[mine]
        long = stayed > RULE_DAYS
        if long.sum() < RULE_SEEN:
            continue
        x = np.log(stayed[long])
        edges = np.arange(x.min(), x.max() + 2 * RULE_WIDTH, RULE_WIDTH)
        count = np.histogram(x, bins=edges)[0]
        centre = edges[int(count.argmax())] + RULE_WIDTH / 2
        at = np.abs(np.log(np.maximum(stayed, 1e-9)) - centre) <= RULE_WIDTH
        near = np.abs(np.log(np.maximum(stayed, 1e-9)) - centre) <= 6 * RULE_WIDTH
        around = (near & ~at).sum() / 5  # in as wide a stretch
        enough = at.sum() >= max(RULE_SEEN, RULE_SHARE * len(mine))
        if enough and at.sum() >= RULE_DENSE * around:
            out[mine[at]] = True
    return out
