"""What each method foretells of a window: the model, and what a spreadsheet would do."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulator.fit.logs.cast import Arrivals, Future, Model, make_model
from simulator.fit.logs.crew import Crew, estimate_crew, quiet_share
from simulator.fit.logs.log import WON
from simulator.fit.logs.measure import (
    Cases,
    Events,
    Measures,
    Window,
    active_people,
    events_of,
    measure,
    path_events,
    whole_weeks,
)
from simulator.fit.logs.paths import CENSORED, Paths

Array = NDArray[np.float64]
DISTANCES = 20  # draws of which the distance from what came is taken
BASE_DRAWS = 40  # draws behind the expectation of Kaplan-Meier's curve
PEOPLE_DRAWS = 2000  # of people, which cost little
BACK = 28.0  # days that a run rate is taken over


@dataclass(frozen=True)
class Outlook:
    """Draws of what a window will show; a method without chance has one.

    measures: by draw. active: (.., W) draws of people active in each whole week, or None.
    events: of some of the draws, () where the method says nothing of single cases.
    timed: whether the method says how long cases take, and how many stay open.
    """

    measures: tuple[Measures, ...]
    active: Array | None
    events: tuple[Events, ...] = ()
    timed: bool = True

    def drawn(self, name: str) -> Array:
        """One measure by draw, (D, ...)."""
        return np.array([getattr(m, name) for m in self.measures], dtype=float)


def actual(full: Paths, window: Window) -> Outlook:
    """What came."""
    case, time = path_events(full)
    weeks = whole_weeks(full.start, window.start, window.end)
    return Outlook(
        (measure(cases_of(full), window, len(full.outcomes), won_of(full)),),
        active_people(full, weeks)[None, :],
        (events_of(full.created, full.closed, case, time, window),),
    )


def cases_of(paths: Paths) -> Cases:
    """The cases of a log's paths."""
    return Cases(paths.created, paths.closed, paths.outcome, paths.amount)


def won_of(paths: Paths) -> int:
    """The outcome that is a win, -1 where there is none."""
    return paths.outcomes.index(WON) if WON in paths.outcomes else -1


def foretell(
    known: Paths,
    window: Window,
    *,
    draws: int,
    seed: int,
    model: Model | None = None,
    arrivals: Arrivals | None = None,
) -> Outlook:
    """The model's outlook; with ``arrivals``, given those."""
    model = model or make_model(known)
    case, time = path_events(known)
    found: list[Measures] = []
    events: list[Events] = []
    for future in model.futures(window.end, draws, seed, arrivals):
        cases = Cases(future.created, future.closed, future.outcome, future.amount)
        found.append(measure(cases, window, len(known.outcomes), won_of(known)))
        if len(events) < DISTANCES:
            events.append(_future_events(known, future, case, time, window))
    rng = np.random.default_rng([seed, 2])
    active = people_ahead(estimate_crew(known), known, window, PEOPLE_DRAWS, rng)
    return Outlook(tuple(found), active, tuple(events))


def people_ahead(
    crew: Crew, known: Paths, window: Window, draws: int, rng: np.random.Generator
) -> Array | None:
    """People active in each whole week of the window, (draws, weeks)."""
    weeks = whole_weeks(known.start, window.start, window.end)
    if crew.active is None:
        return None
    if not weeks:
        return np.zeros((draws, 0))
    ahead = int(max((weeks[-1] - known.end) // 7, 0)) + 1
    usual = crew.active.draw(rng, draws, ahead, noisy=1.0)[:, -len(weeks) :]
    # who is away at the year's end is hardly known
    share, sd = crew.away
    away = share * np.exp(sd * rng.standard_normal(draws) - sd**2 / 2)
    return usual * (1 - quiet_share(known.start, weeks) * (1 - away[:, None]))


def _future_events(
    known: Paths, future: Future, case: NDArray[np.int64], time: Array, window: Window
) -> Events:
    """Events of the cases that end in the window; of those of the log, their past ones, too."""
    place = np.full(len(known.created), -1)
    old = np.flatnonzero(future.origin >= 0)
    place[future.origin[old]] = old
    mine = place[case] >= 0
    return events_of(
        future.created,
        future.closed,
        np.concatenate([place[case[mine]], future.event_case]),
        np.concatenate([time[mine], future.event_time]),
        window,
    )


def run_rate(known: Paths, window: Window) -> Outlook:
    """The last four weeks go on: ends, times and people as then, as many open as now."""
    back = min(BACK, known.end)
    past = Window(known.end - back, known.end, (known.end,), ("",))
    seen = measure(cases_of(known), past, len(known.outcomes), won_of(known))
    days = np.diff(window.weeks)
    spread = days / back
    m = Measures(
        arrived=seen.arrived * float(spread.sum()),
        ends=seen.ends.sum(axis=1, keepdims=True) * spread,
        bookings=seen.bookings.sum() * spread,
        median=seen.median,
        p90=seen.p90,
        wip=np.full(len(window.month_ends), seen.wip[0]),
        open=np.full(len(days) + 1, seen.wip[0]),
    )
    weeks = whole_weeks(known.start, known.end - back, known.end)
    active = active_people(known, weeks).mean() if weeks else np.nan
    ahead = len(whole_weeks(known.start, window.start, window.end))
    return Outlook((m,), np.full((1, ahead), active))


def stage_weighted(known: Paths, window: Window) -> Outlook:
    """The weighted pipeline: open cases by stage, at the odds of the cases closed so far.

    Half of the open ones are taken to end in the window for each mean time to close that it
    spans, at most all; new ones come at the last four weeks' rate, at the odds of all closed.
    """
    outcomes = len(known.outcomes)
    closed = known.outcome >= 0
    through = np.zeros((len(known.stages), outcomes))
    pairs = np.unique(np.column_stack([known.case, known.stage]), axis=0)
    pairs = pairs[closed[pairs[:, 0]]]
    np.add.at(through, (pairs[:, 1], known.outcome[pairs[:, 0]]), 1.0)
    odds = through / np.maximum(through.sum(axis=1, keepdims=True), 1.0)
    open_ = np.bincount(known.stage[known.after == CENSORED], minlength=len(known.stages))
    taken = (known.closed - known.created)[closed]
    mean = float(taken.mean()) if len(taken) else 1.0
    length = window.end - window.start
    share = min(1.0, 0.5 * length / max(mean, 1e-9))
    rate = (known.created >= known.end - BACK).sum() / min(BACK, known.end)
    all_odds = np.bincount(known.outcome[closed], minlength=outcomes) / max(closed.sum(), 1)
    total = open_ @ odds * share + rate * max(length - mean, 0.0) * all_odds
    spread = np.diff(window.weeks) / length
    value = known.amount[closed & (known.outcome == won_of(known))]
    each = float(np.nanmean(value)) if np.isfinite(value).any() else np.nan
    none = np.full(outcomes, np.nan)
    m = Measures(
        arrived=rate * length,
        ends=total[:, None] * spread,
        bookings=(total[won_of(known)] if won_of(known) >= 0 else np.nan) * each * spread,
        median=none,
        p90=none,
        wip=np.full(len(window.month_ends), np.nan),
        open=np.full(len(spread) + 1, np.nan),
    )
    return Outlook((m,), None, timed=False)


def kaplan_meier(known: Paths, window: Window, seed: int) -> Outlook:
    """Age alone: Aalen-Johansen curves of all cases by age, on open and on new ones.

    New ones come evenly at the last four weeks' rate. The expectation, of draws from it.
    """
    whole = _without_stages(known)
    model = make_model(whole, 1.0)
    rng = np.random.default_rng([seed, 3])
    length = window.end - known.end
    rate = (known.created >= known.end - BACK).sum() / min(BACK, known.end)
    found = []
    for child in np.random.SeedSequence([seed, 4]).spawn(BASE_DRAWS):
        n = rng.poisson(rate * length)
        at = np.sort(known.end + length * rng.random(n))
        donor = rng.integers(0, len(known.created), n)
        new = Arrivals(at, np.zeros(n, dtype=np.int64), known.channel[donor], known.amount[donor])
        future = model.future(window.end, np.random.default_rng(child), new, weighted=False)
        cases = Cases(future.created, future.closed, future.outcome, future.amount)
        found.append(measure(cases, window, len(known.outcomes), won_of(known)))
    mean = Measures(
        **{
            name: np.mean([getattr(m, name) for m in found], axis=0)
            for name in ("arrived", "ends", "bookings", "median", "p90", "wip", "open")
        }
    )
    return Outlook((mean,), None)


def _without_stages(p: Paths) -> Paths:
    """The same cases, each in one stay from its creation to its end."""
    n = len(p.created)
    none = np.zeros(0)
    last = p.last()
    return replace(
        p,
        stages=p.stages[:1],
        channels=(),
        channel=np.full(n, -1, dtype=np.int64),
        first=np.arange(n),
        case=np.arange(n),
        stage=np.zeros(n, dtype=np.int64),
        entered=p.created,
        left=p.left[last],
        after=np.where(p.outcome >= 0, 1 + p.outcome, CENSORED),
        session_stay=none.astype(np.int64),
        session_started=none,
        session_left=none,
        session_hours=none,
        session_done=none,
        stay_who=np.full(n, -1, dtype=np.int64),
        session_who=none.astype(np.int64),
        session_first=np.zeros(n + 1, dtype=np.int64),
    )


def replay(known: Paths, window: Window) -> Outlook:
    """The last stretch of the same length, once more."""
    length = min(window.end - window.start, known.end)
    shift = window.start - (known.end - length)
    back = tuple(max(t - shift, 0.0) for t in window.month_ends)
    past = Window(known.end - length, known.end, back, window.dates)
    seen = measure(cases_of(known), past, len(known.outcomes), won_of(known))
    case, time = path_events(known)
    events = events_of(known.created, known.closed, case, time, past)
    weeks = [w - shift for w in whole_weeks(known.start, window.start, window.end)]
    # whole weeks of the past begin on Mondays, too
    aligned = [w - (w + known.start.day_of_week) % 7 for w in weeks]
    return Outlook((_fit(seen, window),), active_people(known, aligned)[None, :], (events,))


def _fit(m: Measures, window: Window) -> Measures:
    """The past's weeks cut or filled to those of the window."""
    n = len(window.weeks) - 1
    take = np.minimum(np.arange(n), m.ends.shape[1] - 1)
    points = np.minimum(np.arange(n + 1), len(m.open) - 1)
    return replace(m, ends=m.ends[:, take], bookings=m.bookings[take], open=m.open[points])
