"""Queues made up for tests, call by call, by a loop that shares nothing with the program."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulator.fit.logs.log import Log

DAY = 86_400.0


@dataclass(frozen=True)
class World:
    """A queue open from 8 to 20: calls an hour, people, seconds of talk, wrap-up, patience."""

    rate: float = 90.0
    people: int = 6
    talk: float = 170.0
    wrap: float = 25.0
    patience: float = 240.0
    day_cv: float = 0.0
    days: int = 7


def calls(world: World, seed: int) -> pd.DataFrame:
    """One row a call: joined, started (nan: gave up), left, who; first come, first served."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[float, float, float, str | None]] = []
    for day in range(world.days):
        opens, closes = day * DAY + 8 * 3600, day * DAY + 20 * 3600
        level = rng.gamma(1 / world.day_cv**2, world.day_cv**2) if world.day_cv else 1.0
        n = rng.poisson(world.rate * level * 12)
        free = [(opens, k) for k in range(world.people)]
        heapq.heapify(free)
        for t in np.sort(rng.uniform(opens, closes, n)).tolist():
            patience = rng.exponential(world.patience)
            at = max(free[0][0], t)
            if at - t > patience or at > closes + 3600:
                rows.append((t, np.nan, t + patience, None))
                continue
            _, k = heapq.heappop(free)
            end = at + rng.gamma(0.8, world.talk / 0.8)
            rows.append((t, at, end, f"agent {k}"))
            heapq.heappush(free, (end + rng.exponential(world.wrap), k))
    return pd.DataFrame(rows, columns=["joined", "started", "left", "who"])


def log(world: World, seed: int, start: str = "2026-01-05") -> Log:
    """The same as a log of a queue."""
    table = calls(world, seed)
    origin = pd.Timestamp(start)
    times = {c: origin + pd.to_timedelta(table[c], unit="s") for c in ("joined", "started", "left")}
    case = pd.Series([f"c{i}" for i in range(len(table))], dtype="string")
    served = table["started"].notna()
    cases = pd.DataFrame(
        {
            "created": times["joined"],
            "closed": times["left"],
            "outcome": np.where(served, "served", "abandoned"),
            "channel": pd.Series(pd.NA, index=table.index, dtype="string"),
            "owner": pd.Series(pd.NA, index=table.index, dtype="string"),
            "amount": np.nan,
        }
    )
    cases.index = pd.Index(case, name="case")
    visits = pd.DataFrame(
        {
            "case": case,
            "stage": pd.Series("queue", index=table.index, dtype="string"),
            "entered": times["joined"],
            "started": times["started"],
            "left": times["left"],
            "who": table["who"].astype("string"),
            "worked": ((table["left"] - table["started"]) / 3600.0),
        }
    )
    until = origin + pd.Timedelta(days=world.days)
    return Log(cases, visits, origin, until, ("made up",))
