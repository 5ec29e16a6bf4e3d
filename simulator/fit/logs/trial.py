"""Back-test of a log: forecasts from rolling origins against what came, and against baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.errors import DataError
from simulator.fit.logs.cast import make_model
from simulator.fit.logs.joint import fit_jointly
from simulator.fit.logs.log import Log
from simulator.fit.logs.measure import Window, crps, distance, make_window
from simulator.fit.logs.outlook import (
    Outlook,
    actual,
    foretell,
    kaplan_meier,
    replay,
    run_rate,
    stage_weighted,
)
from simulator.fit.logs.paths import Paths, make_paths
from simulator.fit.logs.rows import Measured, compare_measures, number
from simulator.fit.logs.steady import steady

Array = NDArray[np.float64]
MODEL, GIVEN, SCENARIO = "model", "model_given_arrivals", "scenario"
BASELINES = ("run_rate", "stage_weighted", "kaplan_meier", "replay")
LEVEL = 0.9
DAYS = 28
DRAWS = 100
FEWEST_DAYS = 28
FEWEST_ENDS = 30
MOST_ORIGINS = 3


@dataclass(frozen=True)
class Weekly:
    """Ends by week of one outcome (or of all): what came, and what each method foretold.

    low and high bound the model's counts. wape and crps by method; a method without chance has
    its absolute error as its crps.
    """

    outcome: str
    actual: tuple[float, ...]
    forecast: dict[str, tuple[float, ...]]
    low: tuple[float, ...]
    high: tuple[float, ...]
    wape: dict[str, float]
    crps: dict[str, float]

    @property
    def inside(self) -> int:
        """How many weeks came to lie inside their interval."""
        return sum(a <= b <= c for a, b, c in zip(self.low, self.actual, self.high, strict=True))


@dataclass(frozen=True)
class Origin:
    """One origin: what was foretold of the window after it, and what came.

    measures: single numbers with their intervals and the baselines'. weekly: the first is all
    outcomes together. distances: relative event distribution and cycle times, in hours.
    open_: cases open at the edges of the weeks: actual, forecast, low, high.
    """

    date: str
    days: float
    cases_known: int
    measures: tuple[Measured, ...]
    weekly: tuple[Weekly, ...]
    distances: dict[str, dict[str, float]]
    open_: dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class Trial:
    """Forecasts of a log from several origins, with their scores."""

    origins: tuple[Origin, ...]
    level: float
    draws: int
    notes: tuple[str, ...] = ()

    def mean_wape(self, method: str) -> float:
        """Weekly WAPE of all ends, over all origins, weighted by what came."""
        rows = [o.weekly[0] for o in self.origins]
        size = [sum(r.actual) for r in rows]
        total = sum(r.wape[method] * n for r, n in zip(rows, size, strict=True))
        return total / max(sum(size), 1.0)

    @property
    def coverage(self) -> float:
        """Share of weeks and outcomes inside their interval."""
        rows = [w for o in self.origins for w in o.weekly[1:]]
        return sum(w.inside for w in rows) / max(sum(len(w.actual) for w in rows), 1)


def backtest_log(
    log: Log,
    origins: Sequence[pd.Timestamp] | None = None,
    *,
    days: float | None = None,
    draws: int = DRAWS,
    seed: int = 1,
    scenario: bool = True,
) -> Trial:
    """Fit on what was known at each origin; score the ``days`` that follow.

    scenario: score what the written scenario shows when it is run, too.

    Default: origins every two weeks, the last so that four weeks follow, three at most.
    Raises DataError where an origin leaves too little on either side.
    """
    full = make_paths(log)
    given = origins is not None
    length = days or float(DAYS)
    if origins is None:
        starts = [full.end - length - 14 * k for k in range(MOST_ORIGINS)]
        first = max(FEWEST_DAYS, full.end / 3)
        starts = [s for s in starts[::-1] if s >= first]
        if not starts:
            raise DataError(
                f"a back-test needs four weeks to fit and {length:g} days to score; the log has "
                f"{full.end:.0f} days. Give a longer period, or --days"
            )
    else:
        starts = [full.day(o) for o in origins]
    found = [
        _origin(log, full, s, _length(full, s, days, given), draws, seed, scenario=scenario)
        for s in starts
    ]
    return Trial(tuple(found), LEVEL, draws)


def _length(full: Paths, start: float, days: float | None, given: bool) -> float:
    """To the end of the month where the origin begins one; four weeks; never past the log."""
    if days is not None:
        return min(days, full.end - start)
    date = full.start + pd.Timedelta(days=start)
    length = float(date.days_in_month) if given and date.day == 1 else float(DAYS)
    return min(length, full.end - start)


def _origin(
    log: Log,
    full: Paths,
    start: float,
    length: float,
    draws: int,
    seed: int,
    *,
    scenario: bool,
) -> Origin:
    date = full.start + pd.Timedelta(days=start)
    if length < 1:
        raise DataError(
            f"back-test origin {date.date()}: the data end on {log.until.date()}. "
            "Give an earlier one"
        )
    if start < FEWEST_DAYS:
        raise DataError(
            f"back-test origin {date.date()}: only {max(start, 0):.0f} days lie before it. "
            f"Give one {FEWEST_DAYS} days after {full.start.date()} or later"
        )
    past = log.before(date)
    known = make_paths(past, full.outcomes)
    ends = int((known.outcome >= 0).sum())
    if ends < FEWEST_ENDS:
        raise DataError(
            f"back-test origin {date.date()}: only {ends} cases ended before it, and "
            f"{FEWEST_ENDS} are needed. Give a later one"
        )
    window = make_window(full.start, start, start + length)
    model = make_model(known)
    came = actual(full, window)
    methods = {
        MODEL: foretell(known, window, draws=draws, seed=seed, model=model),
        GIVEN: foretell(
            known,
            window,
            draws=draws,
            seed=seed,
            model=model,
            arrivals=model.given(full, window.end),
        ),
        "run_rate": run_rate(known, window),
        "stage_weighted": stage_weighted(known, window),
        "kaplan_meier": kaplan_meier(known, window, seed),
        "replay": replay(known, window),
    }
    if scenario:
        methods[SCENARIO] = steady(fit_jointly(past, draws=0, outcomes=full.outcomes), window)
    return Origin(
        date=str(date.date()),
        days=length,
        cases_known=len(known.created),
        measures=compare_measures(known.outcomes, window, came, methods, LEVEL),
        weekly=_weekly(known.outcomes, window, came, methods),
        distances=_distances(came, methods),
        open_=_open(came, methods[MODEL]),
    )


def _weekly(
    outcomes: tuple[str, ...], window: Window, came: Outlook, methods: dict[str, Outlook]
) -> tuple[Weekly, ...]:
    del window
    out = []
    for o in range(-1, len(outcomes)):

        def series(look: Outlook, o: int = o) -> Array:
            ends = look.drawn("ends")
            return np.asarray(ends.sum(axis=1) if o < 0 else ends[:, o])

        truth = series(came)[0]
        if not truth.any() and o >= 0:
            continue
        draws = {name: series(look) for name, look in methods.items()}
        low, high = np.quantile(draws[MODEL], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        out.append(
            Weekly(
                outcome="all" if o < 0 else outcomes[o],
                actual=tuple(map(float, truth)),
                forecast={m: tuple(map(float, np.median(d, axis=0))) for m, d in draws.items()},
                low=tuple(map(float, low)),
                high=tuple(map(float, high)),
                wape={
                    m: float(np.abs(np.median(d, axis=0) - truth).sum() / max(truth.sum(), 1.0))
                    for m, d in draws.items()
                },
                crps={m: float(crps(d, truth).mean()) for m, d in draws.items()},
            )
        )
    return tuple(out)


def _distances(came: Outlook, methods: dict[str, Outlook]) -> dict[str, dict[str, float]]:
    """Mean distance of the draws' logs to what came, by method."""
    out = {}
    for name, look in methods.items():
        if not look.events:
            continue
        each = [distance(came.events[0], e) for e in look.events]
        found = {
            "relative_event_hours": number(np.mean([d.relative for d in each])),
            "cycle_time_hours": number(np.mean([d.cycle for d in each])),
        }
        out[name] = {k: v for k, v in found.items() if v is not None}
    return out


def _open(came: Outlook, model: Outlook) -> dict[str, tuple[float, ...]]:
    draws = model.drawn("open")
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    rows = {
        "actual": came.drawn("open")[0],
        "forecast": np.median(draws, axis=0),
        "low": low,
        "high": high,
    }
    return {name: tuple(map(float, values)) for name, values in rows.items()}
