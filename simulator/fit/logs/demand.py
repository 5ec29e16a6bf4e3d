"""Arrivals of cases: level, weekday, days of campaigns, and who comes through which channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from simulator.fit.level import Level, fit_level
from simulator.fit.logs.paths import Paths
from simulator.spec.book import Assumption

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
YEAR_END = Assumption(0.75, 0.4, 1.0, "D", "business is quiet in the two weeks up to New Year")
QUIET_SD = float(np.log(1.0 / 0.4) / (2 * 1.645))  # of the log of that factor: its range holds 90%
YEAR_END_DAYS = 5.0  # how many days of data the book's value weighs as much as
RECENT_DAYS = 56  # what arrives now is like what arrived in these
BURST = 1.5  # a campaign's day has at least this times what is usual, and
FEWEST = 1.0  # cases a day below which nothing is usual
SILENT_DAYS = 7  # days without a new case after which the data are taken to hold no more
BURST_CHANCE = 0.01  # is one that a log without campaigns has with at most this probability;
ECHO_SDS = 2.0  # the days that it lasts longer lie this many robust deviations above usual
SAME_DAYS = 7  # days of campaigns this far apart or less are of one: mailed twice, weekly adverts


@dataclass(frozen=True)
class Demand:
    """Cases a day: what to expect, by day of the log, and what it varies by.

    counts, usual: (D,) cases that came, and the level that day; burst: (D,) days of campaigns.
    moved: first days, with all that was there before, as after a move from another program: they
    tell nothing of arrivals.
    weekday: factors from Monday on, averaging 1; quiet: factor of the days at the year's end,
    and the standard deviation of its log.
    level: of a week's cases on usual days; noise: variance of a day's factor beyond chance.
    trend, trend_se: growth a week over the whole log, not carried on.
    """

    start: pd.Timestamp
    counts: Array
    usual: Array
    burst: NDArray[np.bool_]
    weekday: Array
    quiet: float
    quiet_sd: float
    level: Level
    noise: float
    trend: float
    trend_se: float
    moved: int = 0

    @property
    def per_week(self) -> float:
        """Cases a week now, campaigns left out."""
        return self.level.value

    @property
    def burst_rate(self) -> float:
        """Days of campaigns a week."""
        return float(7 * self.burst.mean())

    @property
    def burst_ratios(self) -> Array:
        """Cases on days of campaigns over what is usual."""
        return np.asarray(self.counts[self.burst] / np.maximum(self.usual[self.burst], FEWEST))

    @property
    def campaigns(self) -> tuple[tuple[int, Array], ...]:
        """Each campaign: its first day, and day by day its cases over what is usual, 0 between."""
        days = np.flatnonzero(self.burst)
        if not len(days):
            return ()
        ratio = np.zeros(len(self.burst))
        ratio[days] = self.burst_ratios
        apart = np.flatnonzero(np.diff(days) > SAME_DAYS)
        first, last = days[np.append(0, apart + 1)], days[np.append(apart, len(days) - 1)]
        return tuple((int(a), ratio[a : b + 1]) for a, b in zip(first, last, strict=True))

    def factor(self, first: int, days: int, quiet: float = 1.0) -> Array:
        """Expected cases of each day over a seventh of the level, from day ``first`` on.

        quiet: how much quieter the year's end is than expected.
        """
        dates = self.start + pd.to_timedelta(np.arange(first, first + days), unit="D")
        return self.weekday[dates.day_of_week] * np.where(year_end(dates), self.quiet * quiet, 1.0)

    def draw(
        self, rng: np.random.Generator, first: int, days: int
    ) -> tuple[Ints, NDArray[np.bool_]]:
        """Cases on each of so many days from day ``first`` on, and which days are campaigns'."""
        weeks = -(-days // 7)
        level = np.repeat(self.level.draw(rng, 1, weeks, noisy=1.0)[0], 7)[:days]
        # how quiet the year's end will be is hardly known
        quiet = np.exp(self.quiet_sd * rng.standard_normal() - self.quiet_sd**2 / 2)
        rate = level / 7 * self.factor(first, days, quiet)
        if self.noise > 0:
            rate = rate * rng.gamma(1 / self.noise, self.noise, size=days)
        ratio = self._campaigns_ahead(rng, first, days)
        burst = ratio > 0
        return rng.poisson(np.where(burst, rate * ratio, rate)), burst

    def _campaigns_ahead(self, rng: np.random.Generator, first: int, days: int) -> Array:
        """Cases over what is usual, on days of campaigns to come; 0 on others.

        They come as whole campaigns like those seen, on the same weekdays, at a rate that is as
        uncertain as their number says: one in a quarter says little.
        """
        ratio, seen = np.zeros(days), self.campaigns
        if not seen:
            return ratio
        rate = rng.gamma(len(seen)) / len(self.burst)
        for _ in range(rng.poisson(rate * days)):
            was, each = seen[int(rng.integers(len(seen)))]
            at = int(rng.integers(days))
            at += (was - first - at + 3) % 7 - 3
            inside = (at + np.arange(len(each)) >= 0) & (at + np.arange(len(each)) < days)
            here = at + np.flatnonzero(inside)
            ratio[here] = np.maximum(ratio[here], each[inside])
        return ratio


def year_end(dates: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Which days lie in the two weeks up to New Year: 18 December to 1 January."""
    return np.asarray(
        ((dates.month == 12) & (dates.day >= 18)) | ((dates.month == 1) & (dates.day == 1))
    )


def estimate_demand(paths: Paths) -> Demand:
    """Estimate from the cases created on each whole day."""
    day = np.floor(paths.created).astype(int)
    n = max(int(paths.end), 1)
    if len(day) and n - 1 - day.max() > SILENT_DAYS:
        n = int(day.max()) + 1  # an export of what ended after the last new case that it holds
    counts = np.bincount(day[(day >= 0) & (day < n)], minlength=n).astype(float)
    dates = paths.start + pd.to_timedelta(np.arange(n), unit="D")
    dow = np.asarray(dates.day_of_week)
    holiday = year_end(dates)
    burst, moved = np.zeros(n, dtype=bool), 0
    weekday, usual, noise = np.ones(7), np.full(n, max(counts.mean(), 1e-9)), 0.0
    for _ in range(5):
        plain = ~burst & ~holiday
        weekday = _weekday(counts, dow, plain)
        usual = weekday[dow] * _around(counts / np.maximum(weekday[dow], 0.02), plain)
        noise = _noise(counts[plain], usual[plain])
        base = np.maximum(usual, FEWEST)
        found = (counts > BURST * base) & _unlikely(counts, base, noise)
        sd = np.sqrt(base + noise * base**2)
        found = _echoes(found, counts > base + ECHO_SDS * sd)
        moved = 0 if found.all() else int(np.flatnonzero(~found)[0])
        found &= ~holiday
        if (found == burst).all():
            break
        burst = found
    weight = YEAR_END_DAYS * float(usual.mean())
    seen = holiday & (np.arange(n) >= moved)
    quiet = (weight * float(YEAR_END.value) + counts[seen].sum()) / (weight + usual[seen].sum())
    level, trend, trend_se = _weeks(counts, weekday[dow], ~burst & ~holiday)
    burst[:moved] = False
    return Demand(
        start=paths.start,
        counts=counts,
        usual=np.where(holiday, usual * quiet, usual),
        burst=burst,
        weekday=weekday,
        quiet=float(quiet),
        # the prior's bounds are 90% apart, and weigh as so many days
        quiet_sd=QUIET_SD * float(np.sqrt(weight / (weight + usual[seen].sum()))),
        level=level,
        noise=noise,
        trend=trend,
        trend_se=trend_se,
        moved=moved,
    )


def _unlikely(counts: Array, usual: Array, noise: float) -> NDArray[np.bool_]:
    """Days with more cases than chance brings on any of so many: Poisson, with noise a gamma's."""
    if noise > 0:
        tail = stats.nbinom.sf(counts - 1, 1 / noise, 1 / (1 + noise * usual))
    else:
        tail = stats.poisson.sf(counts - 1, usual)
    return np.asarray(tail < BURST_CHANCE / len(counts))


def _echoes(burst: NDArray[np.bool_], high: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Days of campaigns with the high days that follow on from them without a gap."""
    out = burst.copy()
    for k in range(1, len(out)):
        out[k] |= out[k - 1] and high[k]
    return out


def _weekday(counts: Array, dow: NDArray[np.int64], plain: NDArray[np.bool_]) -> Array:
    """Factors by weekday, with a week's worth of an even spread as prior."""
    mean = float(counts[plain].mean()) if plain.any() else 1.0
    out = np.empty(7)
    for k in range(7):
        mine = counts[plain & (dow == k)]
        out[k] = (mine.sum() + max(mean, 1e-9)) / (len(mine) + 1)
    return np.asarray(out / out.mean())


def _around(values: Array, plain: NDArray[np.bool_]) -> Array:
    """Median over the four weeks around each day, of plain days."""
    masked = pd.Series(np.where(plain, values, np.nan))
    middle = masked.rolling(29, center=True, min_periods=7).median()
    return np.asarray(middle.ffill().bfill().fillna(max(values.mean(), 1e-9)).clip(lower=1e-9))


def _noise(counts: Array, usual: Array) -> float:
    """Variance of a day's factor beyond chance, from the middle half of the residuals."""
    if len(counts) < 7:
        return 0.0
    z = (counts - usual) / np.sqrt(usual)
    spread = float(np.subtract(*np.quantile(z, [0.75, 0.25]))) / 1.349
    return max(spread**2 - 1.0, 0.0) / float(usual.mean())


def _weeks(counts: Array, factor: Array, plain: NDArray[np.bool_]) -> tuple[Level, float, float]:
    """The level of a week, counted backward from the end, and the trend over all weeks."""
    weeks = max(len(counts) // 7, 1)
    skip = max(len(counts) - 7 * weeks, 0)
    use = plain[skip:]
    of = np.arange(len(use)) // 7
    total = np.bincount(of, weights=np.where(use, counts[skip:], 0.0), minlength=weeks)
    weight = np.bincount(of, weights=np.where(use, factor[skip:], 0.0) / 7, minlength=weeks)
    level = fit_level(np.asarray(total, dtype=float), np.asarray(weight, dtype=float))
    seen = weight > 0.2
    if seen.sum() < 4:
        return level, 0.0, 0.0
    y = np.log((total[seen] + 0.5) / weight[seen])
    x = np.arange(weeks, dtype=float)[seen]
    x = x - x.mean()
    slope = float((x * y).sum() / (x**2).sum())
    rest = y - y.mean() - slope * x
    return level, slope, float(np.sqrt((rest**2).sum() / (len(y) - 2) / (x**2).sum()))
