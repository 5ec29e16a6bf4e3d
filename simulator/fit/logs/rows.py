"""Single numbers of a back-test: what came, what was foretold, and whether that is near enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.fit.logs.measure import Window
from simulator.fit.logs.outlook import Outlook

Array = NDArray[np.float64]
MODEL, GIVEN = "model", "model_given_arrivals"
SHARE, TIMES, WIP, PEOPLE = 0.02, 0.15, 0.10, 0.10
"""How near is near enough: shares in points, the others relative to what came."""


@dataclass(frozen=True)
class Measured:
    """One number: what came, and by method what was foretold (None: it cannot say).

    of: an outcome, the end of a month, or what is in the window. low, high: the model's interval.
    target: None where there is none; relative: errors are relative to what came.
    """

    measure: str
    of: str
    actual: float
    forecast: dict[str, float | None]
    low: float
    high: float
    target: float | None = None
    relative: bool = True

    def error(self, method: str = MODEL) -> float | None:
        """How far off, in points or as a share of what came."""
        value = self.forecast.get(method)
        if value is None:
            return None
        if not self.relative:
            return value - self.actual
        return (value - self.actual) / self.actual if self.actual else None

    def met(self, method: str = MODEL) -> bool | None:
        """Whether the error is within the target."""
        error = self.error(method)
        return None if error is None or self.target is None else abs(error) <= self.target

    @property
    def inside(self) -> bool:
        """Whether it came to lie inside the model's interval."""
        return self.low <= self.actual <= self.high


def number(value: float | np.floating) -> float | None:
    """A plain number, None where there is none."""
    return float(value) if np.isfinite(value) else None


def compare_measures(
    outcomes: tuple[str, ...],
    window: Window,
    came: Outlook,
    methods: Mapping[str, Outlook],
    level: float,
) -> tuple[Measured, ...]:
    """Every number that came and can be foretold; a forecast is the median of its draws.

    Those of the shares are scaled, so that they add up to 1.
    """
    out: list[Measured] = []

    def add(
        measure: str,
        of: str,
        truth: float,
        draws: dict[str, Array],
        target: float | None = None,
        *,
        relative: bool = True,
        whole: Mapping[str, float] | None = None,
    ) -> None:
        own = draws[MODEL][np.isfinite(draws[MODEL])]
        if not np.isfinite(truth) or not len(own):
            return
        low, high = np.quantile(own, [(1 - level) / 2, (1 + level) / 2])
        forecast = {}
        for name, d in draws.items():
            seen = d[np.isfinite(d)]
            part = whole[name] if whole else 1.0
            forecast[name] = number(np.median(seen) / part) if len(seen) else None
        out.append(
            Measured(measure, of, float(truth), forecast, float(low), float(high), target, relative)
        )

    def by(name: str) -> dict[str, Array]:
        return {m: look.drawn(name) for m, look in methods.items()}

    truth = came.measures[0]
    shares = by("shares")
    whole = {m: float(np.median(d, axis=0).sum()) or 1.0 for m, d in shares.items()}
    for o, name in enumerate(outcomes):
        if truth.ends[o].any() or shares[MODEL][:, o].any():
            mine = {m: d[:, o] for m, d in shares.items()}
            add("outcome_share", name, truth.shares[o], mine, SHARE, relative=False, whole=whole)
    for measure in ("median", "p90"):
        drawn = by(measure)
        for o, name in enumerate(outcomes):
            mine = {m: d[:, o] for m, d in drawn.items()}
            add(f"cycle_days_{measure}", name, getattr(truth, measure)[o], mine, TIMES)
    wip = by("wip")
    for k, date in enumerate(window.dates):
        add("open_cases", date, truth.wip[k], {m: d[:, k] for m, d in wip.items()}, WIP)
    people = {
        m: look.active.mean(axis=1)
        for m, look in methods.items()
        if look.active is not None and look.active.shape[1]
    }
    if MODEL in people and came.active is not None and came.active.any():
        add("people_active_a_week", "window", came.active.mean(), people, PEOPLE)
    add("cases_created", "window", truth.arrived, by("arrived"))
    ends = by("ends")
    for o, name in enumerate(outcomes):
        if truth.ends[o].any():
            add(
                "cases_ended",
                name,
                truth.ends[o].sum(),
                {m: d[:, o].sum(axis=1) for m, d in ends.items()},
            )
    money = {m: d.sum(axis=1) for m, d in by("bookings").items()}
    add("bookings", "window", truth.bookings.sum(), money)
    return tuple(out)
