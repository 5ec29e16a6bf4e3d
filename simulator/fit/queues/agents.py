"""Who was on duty when, and what keeps people from the next caller, from who served when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import CensoredData, ecdf, t

from simulator.errors import DataError
from simulator.fit.estimate import Number
from simulator.fit.queues.calls import DAY, NOBODY, Calls, Floats, Ints

SLOTS: Final = 96  # quarters of an hour a day
BREAK: Final = 1800.0  # a longer time without a call is a break or the end of a shift
CLOCK: Final = 2.0  # seconds by which the clocks of queue and agents differ
BOOTSTRAP: Final = 100


@dataclass(frozen=True)
class Agents:
    """People on duty and what they are like between calls.

    heads: (days, SLOTS) mean number on duty; wrap: seconds from one call's end to being free for
    the next, seen while callers waited, with its standard deviation; occupancy: share of the time
    on duty spent on calls while callers waited; overall: the same at all times. people: how many
    served; hours: on duty; seen: gaps between calls that began while callers waited.
    """

    heads: Floats
    wrap: Number
    wrap_sd: float
    occupancy: float
    overall: float
    people: int
    hours: float
    seen: int

    @property
    def open(self) -> Floats:
        """Hours with somebody on duty, (days, 24) mean heads."""
        by_hour: Floats = self.heads.reshape(len(self.heads), 24, SLOTS // 24).mean(axis=2)
        return by_hour


def sessions(calls: Calls, pause: float = BREAK) -> tuple[Ints, Floats, Floats]:
    """Times on duty of each person: (who, from, until), a pause apart at least.

    Before the first call and after the last one a person was there for some time unseen: as long
    as between two calls on average. Raises DataError where nobody is named.
    """
    mine = (calls.who != NOBODY) & ~np.isnan(calls.end)
    if not mine.any():
        raise DataError(
            "nobody is named in these calls, so who was on duty cannot be told. "
            "Export the agent of every call"
        )
    order = np.lexsort((calls.start[mine], calls.who[mine]))
    who, start, end = (a[mine][order] for a in (calls.who, calls.start, calls.end))
    reach = end.copy()  # the latest end so far of the same person
    for i in range(1, len(reach)):
        if who[i] == who[i - 1]:
            reach[i] = max(reach[i], reach[i - 1])
    new = np.ones(len(who), dtype=bool)
    new[1:] = (who[1:] != who[:-1]) | (start[1:] - reach[:-1] >= pause)
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(who)) - 1
    free = (
        float(np.maximum(start[1:] - reach[:-1], 0.0)[~new[1:]].mean())
        if len(first) < len(who)
        else 0.0
    )
    return who[first], start[first] - free, reach[last] + free


def on_duty(calls: Calls, pause: float = BREAK) -> Floats:
    """Mean number of people on duty by quarter of an hour, (days, SLOTS)."""
    _, begin, until = sessions(calls, pause)
    width = DAY / SLOTS
    edges = np.arange(calls.days * SLOTS + 1) * width
    # people-seconds up to a time, less those before it: exact for every overlap
    upto = np.zeros(len(edges))
    for times, sign in ((begin, 1.0), (until, -1.0)):
        ordered = np.sort(times)
        total = np.concatenate([[0.0], np.cumsum(ordered)])
        n = np.searchsorted(ordered, edges)
        upto += sign * (n * edges - total[n])
    return (np.diff(upto) / width).reshape(calls.days, SLOTS)


def estimate_agents(calls: Calls, seed: int = 1, pause: float = BREAK) -> Agents:
    """People on duty, wrap-up and occupancy. Raises DataError where nobody is named."""
    who, begin, until = sessions(calls, pause)
    times, waiting, busy, there = _steps(calls, begin, until)
    length = np.diff(times)
    held = waiting[:-1] > 0
    hours = float((there[:-1] * length).sum())
    at_work = float((busy[:-1] * length).sum())
    crowded = float((there[:-1] * length)[held].sum())
    gaps, seen, cluster = _gaps(calls, times, waiting, pause)
    wrap, sd = _restricted(gaps, seen, pause)
    return Agents(
        heads=on_duty(calls, pause),
        wrap=_spread_of(wrap, gaps, seen, cluster, pause, seed),
        wrap_sd=sd,
        occupancy=float((busy[:-1] * length)[held].sum()) / crowded if crowded else float("nan"),
        overall=at_work / hours if hours else float("nan"),
        people=len(np.unique(who)),
        hours=hours / 3600.0,
        seen=int(seen.sum()),
    )


def _steps(calls: Calls, begin: Floats, until: Floats) -> tuple[Floats, Ints, Ints, Ints]:
    """Callers waiting, people on a call and people on duty, from each time on."""
    queued = calls.wait > 0
    talking = (calls.who != NOBODY) & ~np.isnan(calls.end)
    pairs = [
        (calls.joined[queued], (calls.joined + calls.wait)[queued], 0),
        (calls.start[talking], calls.end[talking], 1),
        (begin, until, 2),
    ]
    times = np.concatenate([t for a, b, _ in pairs for t in (a, b)])
    change = np.zeros((len(times), 3), dtype=np.int64)
    at = 0
    for a, b, column in pairs:
        change[at : at + len(a), column] = 1
        change[at + len(a) : at + len(a) + len(b), column] = -1
        at += len(a) + len(b)
    order = np.argsort(times, kind="stable")
    level = np.cumsum(change[order], axis=0)
    return times[order], level[:, 0], level[:, 1], level[:, 2]


def _gaps(
    calls: Calls, times: Floats, waiting: Ints, pause: float
) -> tuple[Floats, np.ndarray, Ints]:
    """From the end of a call, while callers waited, to the person's next: (seconds, seen, day).

    Censored where the queue empties first: being free can then not be told from being away.
    """
    mine = (calls.who != NOBODY) & ~np.isnan(calls.end)
    order = np.lexsort((calls.start[mine], calls.who[mine]))
    who, start, end = (a[mine][order] for a in (calls.who, calls.start, calls.end))
    gap = start[1:] - end[:-1]
    fits = (who[1:] == who[:-1]) & (gap >= 0) & (gap < pause)
    release, following = end[:-1][fits], start[1:][fits]
    empty = np.append(times[waiting <= 0], np.inf)
    emptied = empty[np.searchsorted(empty, release, side="right")]
    at = np.clip(np.searchsorted(times, release, side="right") - 1, 0, len(times) - 1)
    held = waiting[at] > 0
    release, following, emptied = release[held], following[held], emptied[held]
    seen = following <= emptied + CLOCK
    length = np.minimum(following, emptied) - release
    cluster = who[:-1][fits][held] * 100_000 + np.floor(release / DAY).astype(np.int64)
    return length, seen, cluster


def _restricted(gaps: Floats, seen: np.ndarray, limit: float) -> tuple[float, float]:
    """Mean and standard deviation up to a limit, by Kaplan-Meier; (0, 0) where none were seen."""
    if seen.sum() < 2:
        return 0.0, 0.0
    survival = ecdf(CensoredData(uncensored=gaps[seen], right=gaps[~seen])).sf
    inside = survival.quantiles < limit
    times = np.concatenate([[0.0], survival.quantiles[inside], [limit]])
    share = np.concatenate([[1.0], survival.probabilities[inside]])
    mean = float((np.diff(times) * share).sum())
    square = float((np.diff(times**2) * share).sum())
    return mean, float(np.sqrt(max(square - mean**2, 0.0)))


def _spread_of(
    value: float, gaps: Floats, seen: np.ndarray, cluster: Ints, limit: float, seed: int
) -> Number:
    """A mean with its error by resampling whole days of a person."""
    names, code = np.unique(cluster, return_inverse=True)
    if len(names) < 2:
        return Number(value, 0.0, value, value)
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(code == k) for k in range(len(names))]
    means = []
    for _ in range(BOOTSTRAP):
        chosen = np.concatenate([rows[k] for k in rng.integers(0, len(names), len(names))])
        means.append(_restricted(gaps[chosen], seen[chosen], limit)[0])
    # few clusters: their spread is too small by G / (G - 1), and its own error is Student's
    se = float(np.std(means) * np.sqrt(len(names) / (len(names) - 1)))
    wide = float(t.ppf(0.95, len(names) - 1)) * se
    return Number(value, se, max(value - wide, 0.0), value + wide)
