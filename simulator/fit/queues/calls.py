"""Calls of a queue as arrays: when each joined, how long it waited, who served it and how long."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.errors import DataError
from simulator.fit.logs.log import Log
from simulator.fit.tables import Finding

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DAY: Final = 86_400.0
QUEUE: Final = "queue"  # the stage, and the outcomes, of a log of calls
SAID_SERVED: Final = "served"
SAID_LEFT: Final = "abandoned"
NOBODY: Final = -1
SERVED, LEFT, OPEN = 0, 1, 2  # how waiting ended: by service, by giving up, or not yet


@dataclass(frozen=True)
class Calls:
    """Calls that asked for a person, in order of joining; times in seconds from ``origin``.

    origin: midnight of the first day; days: whole days covered. joined, wait, start, end: (n,)
    (start, end nan where there was no service, end nan where it goes on); fate: SERVED, LEFT or
    OPEN; who, kind: codes into names and kinds (NOBODY: not stated); priority: (n,) nan where
    not stated. before: times of those who gave up before they joined the queue.
    """

    origin: pd.Timestamp
    days: int
    joined: Floats
    wait: Floats
    start: Floats
    end: Floats
    talk: Floats
    fate: Ints
    who: Ints
    kind: Ints
    priority: Floats
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    before: Floats
    findings: tuple[Finding, ...] = ()
    files: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.joined)

    @property
    def day(self) -> Ints:
        """The day on which each joined, from 0."""
        return np.floor(self.joined / DAY).astype(np.int64)

    @property
    def weekdays(self) -> Ints:
        """The weekday of each day covered, 0 for Monday: (days,)."""
        return (self.origin.weekday() + np.arange(self.days)) % 7

    @property
    def left(self) -> NDArray[np.bool_]:
        """Who gave up."""
        gone: NDArray[np.bool_] = self.fate == LEFT
        return gone

    def between(self, first: int, last: int) -> Calls:
        """The calls of days first to last (not included), as they came out; times from then."""
        mine = (self.day >= first) & (self.day < last)
        shift = first * DAY
        before = self.before[(self.before >= shift) & (self.before < last * DAY)]
        cut = {
            name: getattr(self, name)[mine]
            for name in ("wait", "talk", "fate", "who", "kind", "priority")
        }
        return replace(
            self,
            origin=self.origin + pd.Timedelta(days=first),
            days=last - first,
            joined=self.joined[mine] - shift,
            start=self.start[mine] - shift,
            end=self.end[mine] - shift,
            before=before - shift,
            **cut,
        )

    def known_at(self, day: int) -> Calls:
        """What was known at midnight before a day: later calls gone, what went on still open."""
        calls = self.between(0, day)
        now = day * DAY
        served = (calls.fate == SERVED) & (calls.start < now)
        gone = (calls.fate == LEFT) & (calls.joined + calls.wait < now)
        done = served & (calls.end < now)
        return replace(
            calls,
            fate=np.where(served, SERVED, np.where(gone, LEFT, OPEN)),
            wait=np.minimum(calls.wait, now - calls.joined),
            start=np.where(served, calls.start, np.nan),
            end=np.where(done, calls.end, np.nan),
            talk=np.where(done, calls.talk, np.nan),
        )


def calls_of(log: Log, stage: str = QUEUE) -> Calls:
    """The calls of a log's queue.

    Raises DataError where the log has no queue, or nobody in it was ever served.
    """
    where = ", ".join(log.files) or "the log"
    mine = log.visits[log.visits["stage"] == stage].sort_values("entered", kind="stable")
    if mine.empty:
        raise DataError(
            f"{where}: no record of a queue. Export arrival, wait, outcome, service and agent of "
            "every call"
        )
    cases, origin = log.cases, log.since.normalize()
    rows = cases.reindex(mine["case"])
    found = list(log.findings)
    joined = _seconds(mine["entered"], origin)
    start, end = _seconds(mine["started"], origin), _seconds(mine["left"], origin)
    lacking = np.isnan(start) & (rows["outcome"] == SAID_SERVED).to_numpy()
    if lacking.any():
        what = "calls served without a time of service"
        found.append(Finding(where, int(lacking.sum()), what, "served at once, for a time unknown"))
    start = np.where(lacking, joined, start)
    served = ~np.isnan(start)
    if not served.any():
        raise DataError(f"{where}: nobody in the queue was ever served. Is the agent column empty?")
    gone = ~served & ~np.isnan(end)
    last = _seconds(pd.Series([log.until]), origin)[0]
    wait = np.where(served, start, np.where(gone, end, last)) - joined
    odd = wait < 0
    if odd.any():
        found.append(Finding(where, int(odd.sum()), "calls that left before they came", "waited 0"))
    worked = mine["worked"].to_numpy(dtype=np.float64) * 3600.0
    talk = np.where(served & ~lacking, np.where(np.isnan(worked), end - start, worked), np.nan)
    kind, kinds = _codes(rows["channel"])
    who, names = _codes(mine["who"])
    priority: Floats = np.full(len(mine), np.nan)
    if "priority" in rows:
        priority[:] = pd.to_numeric(rows["priority"], errors="coerce").to_numpy(dtype=np.float64)
    others = cases[(cases["outcome"] == SAID_LEFT) & ~cases.index.isin(mine["case"])]
    return Calls(
        origin=origin,
        days=max(1, int(_seconds(cases["created"], origin).max() // DAY) + 1),
        joined=joined,
        wait=np.maximum(wait, 0.0),
        start=start,
        end=np.where(served & ~lacking, np.where(np.isnan(end), start + talk, end), np.nan),
        talk=talk,
        fate=np.where(served, SERVED, np.where(gone, LEFT, OPEN)).astype(np.int64),
        who=np.where(served, who, NOBODY),
        kind=kind,
        priority=priority,
        names=names,
        kinds=kinds,
        before=np.sort(_seconds(others["created"], origin)),
        findings=tuple(found),
        files=log.files,
    )


def _seconds(times: pd.Series, origin: pd.Timestamp) -> Floats:
    found: Floats = np.asarray((times - origin).dt.total_seconds(), dtype=np.float64)
    return found


def _codes(column: pd.Series) -> tuple[Ints, tuple[str, ...]]:
    codes, names = pd.factorize(column.astype("object"), sort=True)
    return codes.astype(np.int64), tuple(map(str, names))
