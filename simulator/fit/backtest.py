"""Back-test: forecasts from rolling origins against what then happened, and against baselines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from simulator.errors import DataError
from simulator.fit.arrivals import RECENT_WEEKS, estimate_arrivals, weekly
from simulator.fit.cure import count, fit_cure
from simulator.fit.forecast import forecast
from simulator.fit.read import MIN_WINS, History

Array = NDArray[np.float64]
METHODS = ("model", "kaplan_meier", "run_rate")


@dataclass(frozen=True, slots=True)
class Origin:
    """One origin: wins that came against wins foretold, by week and in all.

    ``week`` and ``total`` have keys model, kaplan_meier and run_rate; ``low`` and ``high`` bound
    the model's weekly counts, ``total_low`` and ``total_high`` its total.
    """

    date: dt.date
    days: int
    actual: tuple[int, ...]
    week: dict[str, tuple[float, ...]]
    low: tuple[float, ...]
    high: tuple[float, ...]
    total_low: float
    total_high: float

    @property
    def actual_total(self) -> int:
        """Wins that came."""
        return sum(self.actual)

    @property
    def total(self) -> dict[str, float]:
        """Wins foretold, by method."""
        return {m: sum(w) for m, w in self.week.items()}

    @property
    def inside(self) -> bool:
        """Whether the total came to lie inside the interval."""
        return self.total_low <= self.actual_total <= self.total_high

    @property
    def weeks_inside(self) -> int:
        """How many weeks came to lie inside theirs."""
        pairs = zip(self.actual, self.low, self.high, strict=True)
        return sum(low <= a <= high for a, low, high in pairs)

    def wape(self, method: str = "model") -> float:
        """Weekly sum of absolute errors over the sum of wins."""
        pairs = zip(self.actual, self.week[method], strict=True)
        return sum(abs(a - f) for a, f in pairs) / max(self.actual_total, 1)


@dataclass(frozen=True, slots=True)
class BackTest:
    """Forecasts from several origins, with their scores."""

    origins: tuple[Origin, ...]
    level: float

    kind = "backtest"

    def wape(self, method: str = "model") -> float:
        """Weekly WAPE over all origins."""
        wins = sum(o.actual_total for o in self.origins)
        return sum(o.wape(method) * o.actual_total for o in self.origins) / max(wins, 1)

    @property
    def coverage(self) -> float:
        """Share of weeks inside their interval."""
        weeks = sum(len(o.actual) for o in self.origins)
        return sum(o.weeks_inside for o in self.origins) / weeks

    @property
    def beaten_by(self) -> tuple[str, ...]:
        """Baselines with a smaller weekly WAPE than the model."""
        return tuple(m for m in METHODS[1:] if self.wape(m) < self.wape())

    @property
    def sentences(self) -> list[str]:
        """What it says, in words."""
        out = []
        for o in self.origins:
            where = "inside" if o.inside else "OUTSIDE"
            out.append(
                f"From {o.date}, {o.days} days on: {o.actual_total} wins came; the forecast was "
                f"{o.total['model']:.0f}, {self.level:.0%} interval {o.total_low:.0f} to "
                f"{o.total_high:.0f}: {where}. Weekly WAPE {o.wape():.1%} (Kaplan-Meier "
                f"{o.wape('kaplan_meier'):.1%}, last run rate {o.wape('run_rate'):.1%})."
            )
        beaten = [m.replace("_", " ") for m in self.beaten_by]
        verdict = f"beaten by {' and '.join(beaten)}" if beaten else "no baseline does better"
        out.append(
            f"Over {len(self.origins)} origins: weekly WAPE {self.wape():.1%}, {verdict}; "
            f"{self.coverage:.0%} of weeks inside their {self.level:.0%} interval."
        )
        return out

    @property
    def tables(self) -> dict[str, list[dict[str, object]]]:
        """One row an origin."""
        rows: list[dict[str, object]] = [
            {
                "origin": o.date.isoformat(),
                "days": o.days,
                "wins": o.actual_total,
                "forecast": o.total["model"],
                "low": o.total_low,
                "high": o.total_high,
                "inside": o.inside,
                **{f"wape_{m}": o.wape(m) for m in METHODS},
            }
            for o in self.origins
        ]
        return {"Back-test": rows}

    def to_json(self) -> dict[str, object]:
        """Plain values, ready to print as JSON."""
        return {
            "kind": self.kind,
            "level": self.level,
            "coverage": self.coverage,
            "wape": {m: self.wape(m) for m in METHODS},
            "beaten_by": list(self.beaten_by),
            "origins": [
                {
                    "date": o.date.isoformat(),
                    "days": o.days,
                    "wins": o.actual_total,
                    "forecast": o.total,
                    "low": o.total_low,
                    "high": o.total_high,
                    "inside": o.inside,
                    "wape": {m: o.wape(m) for m in METHODS},
                    "weeks": {"wins": list(o.actual), **{m: list(w) for m, w in o.week.items()}},
                    "weeks_low": list(o.low),
                    "weeks_high": list(o.high),
                }
                for o in self.origins
            ],
            "sentences": self.sentences,
        }


def backtest(
    history: History,
    origins: Sequence[dt.date] | None = None,
    *,
    days: int | None = None,
    level: float = 0.9,
    seed: int = 1,
) -> BackTest:
    """Fit on what was known when each origin's day began; score the ``days`` that follow.

    Default: origins every two weeks from half of the history on, each to four weeks ahead. Given
    origins without ``days`` are scored to the end of the history.
    Raises DataError where an origin leaves too little on either side.
    """
    if origins is None:
        days = days or 28
        first = max(history.days // 2, 28)
        starts = list(range(history.days - days, first - 1, -14))[::-1]
        if not starts:
            raise DataError(
                f"a back-test needs four weeks to fit and {days} days to score; the history has "
                f"{history.days} days. Give a longer period"
            )
    else:
        starts = [history.day(date) for date in origins]
    return BackTest(tuple(_origin(history, s, days, level, seed) for s in starts), level)


def _origin(history: History, start: int, days: int | None, level: float, seed: int) -> Origin:
    date = history.start + dt.timedelta(days=start)
    ahead = min(days or history.days, history.days - start)
    if ahead < 1:
        raise DataError(
            f"back-test origin {date}: the data end on {history.end}. Give an earlier one"
        )
    known = history.before(start)
    if start < 14 or known.wins < MIN_WINS:
        raise DataError(
            f"back-test origin {date}: only {max(start, 0)} days and {known.wins} wins lie before "
            "it. Give a later one"
        )
    counts, arrivals = count(known), estimate_arrivals(known)
    cast = forecast(known, counts, fit_cure(counts), arrivals, ahead, seed=seed)
    edges = np.array(cast.edges)
    won = history.won - start
    actual = np.histogram(won[(won >= 0) & (won < ahead)], bins=edges)[0]
    low, high = cast.interval(level)
    _, total_low, total_high = cast.total(level)
    return Origin(
        date=date,
        days=ahead,
        actual=tuple(int(n) for n in actual),
        week={
            "model": tuple(map(float, cast.mean)),
            "kaplan_meier": tuple(map(float, kaplan_meier_forecast(known, edges))),
            "run_rate": tuple(map(float, run_rate_forecast(known, edges))),
        },
        low=tuple(map(float, low)),
        high=tuple(map(float, high)),
        total_low=total_low,
        total_high=total_high,
    )


def kaplan_meier_curve(history: History) -> Array:
    """Share of leads won by age in days (0, 1, ..), by Kaplan-Meier; flat after the last age."""
    won = history.won >= 0
    age = np.where(won, history.won - history.arrived, history.days - 1 - history.arrived)
    data = stats.CensoredData(uncensored=age[won].astype(float), right=age[~won].astype(float))
    curve = stats.ecdf(data).cdf.evaluate(np.arange(history.days, dtype=float))
    return np.asarray(curve)


def kaplan_meier_forecast(history: History, edges: NDArray[np.int64]) -> Array:
    """Wins by period from the pooled curve; new leads come at the recent rate."""
    curve = kaplan_meier_curve(history)
    end, days = history.days, int(edges[-1])

    def won_by(age: NDArray[np.int64]) -> Array:
        return np.where(age < 0, 0.0, curve[np.clip(age, 0, len(curve) - 1)])

    open_age = end - 1 - history.arrived[history.won < 0]
    rate = weekly(history.arrived, history.lead_days)[-RECENT_WEEKS:].mean() / 7
    came = np.arange(days)
    total = []
    for edge in edges:
        now, then = won_by(open_age), won_by(open_age + int(edge))
        new = rate * won_by(int(edge) - 1 - came).sum()
        total.append(((then - now) / np.maximum(1 - now, 1e-9)).sum() + new)
    return np.diff(np.array(total))


def run_rate_forecast(history: History, edges: NDArray[np.int64]) -> Array:
    """Wins by period at the mean of the last four weeks."""
    last = weekly(history.won[history.won >= 0], history.days)[-4:]
    return np.asarray(last.mean() * np.diff(edges) / 7)
