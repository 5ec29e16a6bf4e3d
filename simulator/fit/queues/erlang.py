"""Erlang-A, hour by hour: what a workforce spreadsheet says of a queue with impatient callers."""

from __future__ import annotations

from typing import Final

import numpy as np

MOST: Final = 2000  # callers in the system that are counted


def erlang_a(rate: float, people: int, service: float, patience: float) -> tuple[float, float]:
    """(share that gives up, mean wait) of M/M/c+M in the steady state; times in one unit.

    rate: calls a unit of time; patience: mean, infinite where nobody gives up. With nobody there
    all who come give up, after their patience.
    Source: Palm 1957; Garnett, Mandelbaum & Reiman 2002.
    """
    if rate <= 0:
        return 0.0, 0.0
    if people <= 0:
        return 1.0, patience
    top = people + int(min(MOST, 50 + 4 * rate * min(patience, 50 * service)))
    n = np.arange(1, top + 1)
    out = np.minimum(n, people) / service + np.maximum(n - people, 0) / patience
    logs = np.concatenate([[0.0], np.cumsum(np.log(rate) - np.log(out))])
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    waiting = float((np.maximum(np.arange(top + 1) - people, 0) * weight).sum())
    return min(1.0, waiting / patience / rate), waiting / rate
