"""Leads and deals drawn from a known truth, as files and as histories."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from simulator.fit.read import History

START = dt.date(2024, 1, 1)  # a Monday
RATES = {"search": 9.0, "social": 6.0, "partner": 3.0}  # a day
SHARES = {"search": 0.14, "social": 0.05, "partner": 0.25}
MEDIAN, SIGMA = 12.0, 0.9


@dataclass(frozen=True)
class World:
    """Everything that happens: leads of ``days`` days, and when (if ever) each is won."""

    names: tuple[str, ...]
    arrived: np.ndarray
    channel: np.ndarray
    won: np.ndarray  # a large number: never

    def history(self, days: int) -> History:
        """What is known when day ``days`` begins."""
        keep = self.arrived < days
        won = np.where(self.won < days, self.won, -1)[keep]
        return History(
            start=START,
            days=days,
            lead_days=days,
            channels=self.names,
            arrived=self.arrived[keep],
            channel=self.channel[keep],
            won=won,
            value=np.full(int(keep.sum()), np.nan),
            people={"sdr": np.where(won >= 0, np.arange(len(won)) % 4, -1)},
        )

    def wins(self, first: int, last: int) -> int:
        """How many were won on days ``first`` .. ``last`` - 1."""
        return int(((self.won >= first) & (self.won < last)).sum())


def world(
    seed: int,
    days: int = 150,
    shares: dict[str, float] | None = None,
    pace: float = 0.0,
    until: int = 100,
) -> World:
    """A world with a lognormal delay; ``pace``: log speed-up in 28 days, 0 at day ``until``."""
    rng = np.random.default_rng(seed)
    shares = shares or SHARES
    names = tuple(sorted(RATES, key=lambda n: -RATES[n]))
    counts = rng.poisson([[RATES[n]] * days for n in names])
    channel = np.repeat(np.arange(len(names)), counts.sum(axis=1))
    arrived = np.concatenate([np.repeat(np.arange(days), c) for c in counts])
    ever = rng.random(len(channel)) < np.array([shares[n] for n in names])[channel]
    work = MEDIAN * np.exp(SIGMA * rng.standard_normal(len(channel)))
    rate = np.exp(pace * (np.arange(3 * days) + 0.5 - until) / 28)
    clock = np.concatenate([[0], np.cumsum(rate)])
    at = np.interp(clock[arrived] + work, clock, np.arange(len(clock)), right=1e9)
    won = np.where(ever, np.floor(at), 1e9).astype(np.int64)
    return World(names, arrived, channel, won)


def write_files(folder: Path, history: History) -> tuple[Path, Path]:
    """The history as two CSV files in the manner of a CRM export."""
    day = pd.Timestamp(history.start)
    ids = [f"L{i:05d}" for i in range(len(history.arrived))]
    names = np.array(history.channels)[history.channel]
    leads = pd.DataFrame(
        {
            "mql_id": ids,
            "first_contact_date": (day + pd.to_timedelta(history.arrived, "D")).strftime(
                "%Y-%m-%d"
            ),
            "origin": names,
        }
    )
    won = history.won >= 0
    deals = pd.DataFrame(
        {
            "mql_id": np.array(ids)[won],
            "won_date": (day + pd.to_timedelta(history.won[won], "D")).strftime(
                "%Y-%m-%d 15:04:05"
            ),
            "sdr_id": [f"s{i}" for i in history.people["sdr"][won]],
            "sr_id": [f"r{i % 3}" for i in range(int(won.sum()))],
            "amount": [f"{1000 + 10 * (i % 50)}" for i in range(int(won.sum()))],
        }
    )
    paths = folder / "leads.csv", folder / "deals.csv"
    leads.to_csv(paths[0], index=False)
    deals.to_csv(paths[1], index=False)
    return paths
