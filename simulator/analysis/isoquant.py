"""Two efforts at once: what every mix brings, mixes that bring the same, and the best spend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline

from simulator.analysis.curve import worth_of
from simulator.analysis.efforts import effort_of
from simulator.analysis.estimate import number
from simulator.analysis.paired import difference
from simulator.analysis.panel import Panel
from simulator.analysis.parts import RidgePoint
from simulator.analysis.runs import DEFAULT_ENGINE, interval
from simulator.analysis.shown import Judged
from simulator.analysis.spend import planned_cost
from simulator.analysis.targets import check_metric
from simulator.errors import AnalysisError
from simulator.spec.schema import Scenario
from simulator.system import build
from simulator.vocabulary import describe

Floats = NDArray[np.float64]
FINE = 121
BUDGETS = 24
DRAWN = 40  # steps of the surface that is drawn and kept: no eye tells more


@dataclass(frozen=True)
class Isoquant(Judged):
    """Outcomes over a grid of two efforts.

    levels: (n,) multiples of both; mean, half, cost: (n, n), first effort by row; half: of the
    gain's 95% interval; fine, surface: the smoothed outcome on a finer grid; ridge: by budget.
    best: where one more dollar stops paying on the ridge, if it does.
    """

    efforts: tuple[str, str]
    currency: str
    levels: Floats
    mean: Floats
    half: Floats
    cost: Floats
    fine: Floats
    surface: Floats
    ridge: tuple[RidgePoint, ...]
    best: RidgePoint | None
    hurdle: float | None
    weeks: float
    scenario: Scenario

    @property
    def today(self) -> float:
        """The outcome with both efforts as they are."""
        return float(self.mean[0, 0])

    @property
    def hills(self) -> tuple[Floats, Floats]:
        """Levels of both efforts (k,) and the smoothed outcome over them (k, k), to be drawn."""
        every = max(1, (len(self.fine) - 1) // DRAWN)
        every = every if (len(self.fine) - 1) % every == 0 else 1
        return self.fine[::every], self.surface[::every, ::every]

    @property
    def sentences(self) -> list[str]:
        """The answer in words, made from the numbers."""
        from simulator.analysis.words_curves import isoquant_sentences

        return isoquant_sentences(self)

    def to_json(self) -> dict[str, Any]:
        """Everything; every number of the sentences is in it."""
        levels, heights = self.hills
        return {
            "kind": "isoquant",
            "scenario": self.name,
            "efforts": list(self.efforts),
            "outcome": self.outcome,
            "currency": self.currency,
            "weeks": self.weeks,
            **self.found_by(),
            "levels": [float(x) for x in self.levels],
            "outcome_mean": self.mean.tolist(),
            "gain_half": [[number(x) for x in row] for row in self.half.tolist()],
            "extra_cost": self.cost.tolist(),
            "surface": {"levels": levels.tolist(), "outcome": heights.tolist()},
            "ridge": [p.to_json() for p in self.ridge],
            "stops_paying": None if self.best is None else self.best.to_json(),
            "hurdle": self.hurdle,
            "sentences": self.sentences,
        }

    @property
    def shown(self) -> dict[str, list[dict[str, Any]]]:
        """The tables that people read."""
        return {"ridge": [p.to_json() for p in self.ridge[::4]]}

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Rows for CSV and Parquet."""
        a, b = self.efforts
        grid = [
            {
                a: float(x), b: float(y), "extra_cost": float(self.cost[i, j]),
                "outcome": float(self.mean[i, j]), "gain_half": number(float(self.half[i, j])),
            }
            for i, x in enumerate(self.levels)
            for j, y in enumerate(self.levels)
        ]  # fmt: skip
        return {"mixes": grid, "ridge": [p.to_json() for p in self.ridge]}


def isoquant(
    scenario: Scenario,
    first: str,
    second: str,
    *,
    to: float = 2.5,
    steps: int = 5,
    at: str = "week 0",
    outcome: str | None = None,
    week: float | None = None,
    engine: str = DEFAULT_ENGINE,
    seed: int | None = None,
    precision: float = 0.005,
    replications: int | None = None,
    most: int = 24,
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Isoquant:
    """Run every mix of two efforts from 1 to `to` times today's.

    precision: half-width of the farthest mix's gain, as a share of today's outcome. Raises
    AnalysisError, SpecError.
    """
    if not 1.0 < to <= 1000.0 or steps < 3:
        raise AnalysisError(f"mixes go from 1 to more than 1 in 3 steps or more, not to {to:g}")
    outcome = outcome or scenario.outcome
    check_metric(outcome, scenario, week)
    pair = effort_of(scenario, first, at), effort_of(scenario, second, at)
    if pair[0].name == pair[1].name:
        raise AnalysisError(f"{first} twice: name two efforts that differ")
    seed = scenario.seed if seed is None else seed
    levels = np.linspace(1.0, to, steps + 1)
    n = len(levels)
    systems = []
    for x in levels:
        for y in levels:
            levers = [*scenario.levers]
            levers += pair[0].push(float(x)) if x > 1 else []
            levers += pair[1].push(float(y)) if y > 1 else []
            systems.append(build(scenario.model_copy(update={"levers": levers})))
    cost = np.array([planned_cost(s) for s in systems]).reshape(n, n)
    cost = cost - cost[0, 0]
    panel = Panel(systems, engine, seed, week=week, jobs=jobs, progress=progress)
    reason, count = "number given", replications or 8
    try:
        panel.run(range(len(systems)), count)
        while replications is None and engine != "flow":
            base = panel.values(outcome, 0)
            gain = panel.values(outcome, len(systems) - 1) - base
            reason = "precision reached"
            if interval(gain) <= precision * abs(float(base.mean())):
                break
            if count >= most:
                reason = f"maximum of {most} reached before the precision"
                break
            count = min(count + 4, most)
            panel.run(range(len(systems)), count)
    except KeyboardInterrupt:
        count = min(panel.count(i) for i in range(len(systems)))
        if count < 3:
            raise
        reason = f"interrupted after {count} replications"
    count = min(panel.count(i) for i in range(len(systems)))
    values = np.array([panel.values(outcome, i, count) for i in range(len(systems))])
    if not np.isfinite(values).all():
        raise AnalysisError(f"{outcome} has no value in some of the mixes: ask for another")
    mean = values.mean(axis=1).reshape(n, n)
    half = np.array([difference(values[0], v).gain.half for v in values]).reshape(n, n)
    fine = np.linspace(1.0, to, FINE)
    surface = _smooth(levels, mean, half, fine)
    better = describe(outcome).better or 1
    costs = cost[:, 0], cost[0, :]
    ridge = _ridge(levels, costs, fine, better * (surface - surface[0, 0]))
    try:
        hurdle: float | None = 1.0 / worth_of(outcome, systems[0])
    except AnalysisError:
        hurdle = None
    return Isoquant(
        name=scenario.name, efforts=(pair[0].name, pair[1].name), outcome=outcome,
        currency=scenario.currency, engine=engine, seed=seed, replications=count, reason=reason,
        levels=levels, mean=mean, half=half, cost=cost, fine=fine, surface=surface,
        ridge=tuple(ridge), best=_stop(ridge, hurdle), hurdle=hurdle, weeks=scenario.horizon,
        scenario=scenario,
    )  # fmt: skip


def _smooth(levels: Floats, mean: Floats, half: Floats, fine: Floats) -> Floats:
    """The surface without what chance may have put there: a smoothing spline."""
    known = np.where(np.isfinite(half) & (half > 0), half / 2.0, 0.0)
    scale = float(known[known > 0].mean()) if (known > 0).any() else 0.0
    if scale == 0.0:
        return np.asarray(RectBivariateSpline(levels, levels, mean, kx=2, ky=2)(fine, fine))
    # Paired runs err together, so half of what independent errors would add up to is taken out.
    spline = RectBivariateSpline(levels, levels, mean / scale, kx=2, ky=2, s=0.5 * mean.size)
    return np.asarray(spline(fine, fine)) * scale


def _ridge(
    levels: Floats, costs: tuple[Floats, Floats], fine: Floats, gain: Floats
) -> list[RidgePoint]:
    """The best mix for each budget, from nothing to the dearest of the two efforts alone."""
    a, b = (np.interp(fine, levels, c) for c in costs)
    total = a[:, None] + b[None, :]
    found = []
    for budget in np.linspace(0.0, float(total.max()), BUDGETS + 1):
        allowed = np.where(total <= budget + 1e-9, gain, -np.inf)
        i, j = np.unravel_index(int(np.argmax(allowed)), allowed.shape)
        found.append(
            RidgePoint(
                float(budget), float(fine[i]), float(fine[j]), float(total[i, j]),
                float(gain[i, j]),
            )
        )  # fmt: skip
    return found


def _stop(ridge: list[RidgePoint], hurdle: float | None) -> RidgePoint | None:
    """The last point of the ridge up to which each further dollar pays; None where all do."""
    if hurdle is None:
        return None
    best = max(ridge, key=lambda p: p.gain - hurdle * p.cost)
    return best if best is not ridge[-1] else None
