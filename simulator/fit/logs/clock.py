"""The clock that people's work goes by: slower in the two weeks up to New Year.

What a rule does after a fixed time goes by the calendar; such ends are told apart by their times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.fit.logs.demand import QUIET_SD, YEAR_END, YEAR_END_DAYS, year_end
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
    """Working time against days since the log's start, both rising; ``pace`` at the year's end.

    pace_sd: standard deviation of its log.
    """

    days: Array
    work: Array
    pace: float
    pace_sd: float = 0.0

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
    sd = 0.0
    if pace is None:
        pace, sd = _pace(paths, quiet[: int(paths.end)])
    work = np.concatenate([[0.0], np.cumsum(np.where(quiet, pace, 1.0))])
    return Clock(np.arange(n + 1, dtype=float), work, pace, sd)


def _pace(paths: Paths, quiet: Bools) -> tuple[float, float]:
    """What was done on those days over what is usual on such a weekday, with the book's prior.

    And the standard deviation of its log.
    """
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
        return float(YEAR_END.value), QUIET_SD
    found = (weight * float(YEAR_END.value) + did[quiet].sum()) / total
    return float(np.clip(found, 0.2, 1.0)), QUIET_SD * float(np.sqrt(weight / total))


def ruled(paths: Paths) -> Bools:
    """Stays that ended after a time at which many do, and hardly any around it: by a rule.

    Nor at the same hour of the days around it: who works by day leaves nights between the ends.
    """
    out = np.zeros(len(paths.case), dtype=bool)
    exits = paths.stage * (len(paths.stages) + len(paths.outcomes) + 1) + paths.after
    for code in np.unique(exits[paths.after != CENSORED]):
        mine = np.flatnonzero((exits == code) & (paths.after != CENSORED))
        stayed = paths.stayed[mine]
        at = _rule(stayed)
        if at is not None:
            out[mine[at]] = True
    return out


def _rule(stayed: Array) -> Bools | None:
    """Which of these ends are at the largest heap that stands alone; None where none does."""
    long = stayed > RULE_DAYS
    least = max(RULE_SEEN, RULE_SHARE * len(stayed))
    if long.sum() < least:
        return None
    log = np.log(np.maximum(stayed, 1e-9))
    edges = np.arange(log[long].min(), log[long].max() + 2 * RULE_WIDTH, RULE_WIDTH)
    count = np.histogram(log[long], bins=edges)[0]
    # a heap may lie across the edge of two
    for k in np.argsort(-count, kind="stable")[: int((2 * count >= least).sum())]:
        centre = float(edges[k]) + RULE_WIDTH / 2
        at = np.abs(log - centre) <= RULE_WIDTH
        near = np.abs(log - centre) <= 6 * RULE_WIDTH
        around = max((near & ~at).sum() / 5, _same_hour(stayed, centre))  # in as wide a stretch
        if at.sum() >= max(least, RULE_DENSE * around):
            return np.asarray(at)
    return None


def _same_hour(stayed: Array, centre: float) -> float:
    """Ends a day before or after that log time, in as wide a stretch; 0 where it holds days."""
    at, half = np.exp(centre), np.exp(centre) * RULE_WIDTH
    if half >= 0.5:
        return 0.0
    return float(max((np.abs(stayed - at - shift) <= half).sum() for shift in (-1.0, 1.0)))
