"""Who is served before whom: what a queue log says of priorities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.fit.queues.calls import SERVED, Calls


@dataclass(frozen=True)
class Priority:
    """Those of one priority who queued: how many, their mean wait, share that gave up.

    at_once: calls of this priority that never queued (where it may not have been asked for).
    overtook: share of those served from the queue who went before somebody who had come earlier.
    """

    level: float
    queued: int
    at_once: int
    wait: float
    gave_up: float
    overtook: float


def priorities(calls: Calls) -> tuple[Priority, ...]:
    """By level; empty where the log has one level or none.

    Only those who queued compare: a level is often not asked for where nobody waits.
    """
    levels = np.unique(calls.priority[~np.isnan(calls.priority)])
    if len(levels) < 2:
        return ()
    queued = calls.wait > 0
    ahead = _overtaken(calls)
    found = []
    for level in levels:
        mine = calls.priority == level
        here = mine & queued
        served = here & (calls.fate == SERVED)
        if not here.any():
            continue
        found.append(
            Priority(
                level=float(level),
                queued=int(here.sum()),
                at_once=int((mine & ~queued).sum()),
                wait=float(calls.wait[here].mean()),
                gave_up=float(calls.left[here].mean()),
                overtook=float(ahead[served].mean()) if served.any() else float("nan"),
            )
        )
    return tuple(found)


def _overtaken(calls: Calls) -> np.ndarray:
    """Whether each served caller went before one who came earlier and was still waiting."""
    out = np.zeros(len(calls), dtype=bool)
    end = calls.joined + calls.wait
    for i in np.flatnonzero((calls.fate == SERVED) & (calls.wait > 0)):
        j = i - 1
        # callers stand in order of joining: look back as far as anybody ever waited
        while j >= 0 and calls.joined[i] - calls.joined[j] < 3600.0:
            if end[j] > end[i] + 1.0:
                out[i] = True
                break
            j -= 1
            if i - j > 200:
                break
    return out
