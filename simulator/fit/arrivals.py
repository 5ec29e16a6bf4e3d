"""Leads a week by channel: rate, standard error, overdispersion, weekday and trend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from simulator.fit.cure import weekday_factors
from simulator.fit.read import History

Array = NDArray[np.float64]
RECENT_WEEKS = 8  # what "now" means, where the history is longer


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Leads a week over the last ``weeks`` whole weeks, counted backward from the end.

    ``rate`` and ``se`` by channel (the standard error carries the overdispersion);
    ``dispersion``: variance of the weekly total over its mean, at least 1; ``trend``: growth a
    week with ``trend_se``, over the whole history; ``weekday``: factors from Monday on.
    """

    weeks: int
    rate: Array
    se: Array
    total: float
    total_se: float
    dispersion: float
    trend: float
    trend_se: float
    weekday: Array

    @property
    def trend_evident(self) -> bool:
        """Whether the trend is more than two and a half standard errors from none."""
        return bool(abs(self.trend) > 2.5 * self.trend_se > 0)


def weekly(days: NDArray[np.int64], until: int) -> Array:
    """Counts by whole week, oldest first; the last week ends with day ``until`` - 1."""
    weeks = until // 7
    age = (until - 1 - days) // 7
    keep = (age >= 0) & (age < weeks)
    return np.bincount(age[keep], minlength=weeks)[::-1].astype(float)


def estimate_arrivals(history: History) -> Arrivals:
    """Rates over the last eight weeks (all, where there are fewer)."""
    totals = weekly(history.arrived, history.lead_days)
    n = len(totals)
    time = np.arange(n, dtype=np.float64) - (n - 1) / 2
    trend, trend_se, fitted = _trend(totals, time)
    chi2 = float(((totals - fitted) ** 2 / np.maximum(fitted, 1e-9)).sum())
    dispersion = max(1.0, chi2 / max(n - 2, 1)) if n > 3 else 1.0
    recent = min(RECENT_WEEKS, n)
    since = history.lead_days - 7 * recent
    late = (history.arrived >= since) & (history.arrived < history.lead_days)
    by_channel = np.bincount(history.channel[late], minlength=len(history.channels)).astype(float)
    return Arrivals(
        weeks=recent,
        rate=by_channel / recent,
        # half a lead keeps an empty channel from a standard error of 0
        se=np.sqrt(np.maximum(by_channel, 0.5) * dispersion) / recent,
        total=float(by_channel.sum()) / recent,
        total_se=float(np.sqrt(max(by_channel.sum(), 0.5) * dispersion)) / recent,
        dispersion=dispersion,
        trend=trend,
        trend_se=trend_se * float(np.sqrt(dispersion)),
        weekday=weekday_factors(history.arrived, history.start.weekday(), history.lead_days),
    )


def _trend(totals: Array, time: Array) -> tuple[float, float, Array]:
    """Slope, its Poisson standard error and the fit of a log-linear Poisson regression."""
    n = len(totals)
    level, slope = float(np.log(max(totals.mean(), 0.5))), 0.0
    if n < 4:
        return 0.0, 0.0, np.full(n, max(totals.mean(), 0.5))
    x = np.column_stack([np.ones(n), time])
    fitted = np.exp(level + slope * time)
    information = np.eye(2)
    for _ in range(25):
        information = x.T @ (fitted[:, None] * x)
        move = np.linalg.solve(information, x.T @ (totals - fitted))
        level, slope = level + float(move[0]), slope + float(move[1])
        fitted = np.exp(np.clip(level + slope * time, -20, 20))
        if np.abs(move).max() < 1e-9:
            break
    return slope, float(np.sqrt(np.linalg.inv(information)[1, 1])), fitted


def poisson_interval(n: float, level: float = 0.9) -> tuple[float, float]:
    """Exact interval of a Poisson mean from one count (Garwood 1936)."""
    tail = (1 - level) / 2
    low = 0.0 if n == 0 else float(stats.gamma.ppf(tail, n))
    return low, float(stats.gamma.ppf(1 - tail, n + 1))
