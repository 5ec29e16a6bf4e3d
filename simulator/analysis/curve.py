"""Output against effort: the straight line, the knee, and what took the gap."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from simulator.analysis.compare import absorption_of
from simulator.analysis.estimate import Estimate, number
from simulator.analysis.paired import Difference, difference, estimate
from simulator.analysis.parts import Absorption, Knee
from simulator.analysis.runs import DEFAULT_ENGINE, Job, narrow, replicate
from simulator.analysis.shown import Judged, Shown
from simulator.analysis.spend import planned_cost
from simulator.errors import AnalysisError
from simulator.spec.paths import leaves, match
from simulator.spec.schema import Lever, Scenario
from simulator.system import System, build
from simulator.vocabulary import YEAR, describe

Floats = NDArray[np.float64]
PAYBACK = 18.0  # months; domain book: CAC payback 15-20 months (B)


@dataclass(frozen=True)
class Point:
    """One level of effort: multiples of today's, what it costs, what came of it.

    straight: the outcome on the line of the first step's yield; marginal: outcome per extra
    currency from the level before (nan where cost does not rise).
    """

    effort: float
    extra_cost: float
    output: Estimate
    gain: Difference | None
    straight: float
    marginal: float
    absorption: Absorption | None

    def to_json(self) -> dict[str, Any]:
        """Numbers by name; null where undefined."""
        return {
            "effort": self.effort,
            "extra_cost": self.extra_cost,
            "output": self.output.to_json(),
            "gain": None if self.gain is None else self.gain.to_json(),
            "straight_line": self.straight,
            "gap": self.straight - self.output.mean,
            "marginal_return": number(self.marginal),
            "absorption": None if self.absorption is None else self.absorption.parts,
        }


@dataclass(frozen=True)
class Curve(Judged, Shown):
    """Output against one effort lever."""

    path: str
    currency: str
    points: tuple[Point, ...]
    knee: Knee
    weeks: float
    at: str
    scenario: Scenario | None = None

    @property
    def sentences(self) -> list[str]:
        """The answer in words, made from the numbers."""
        from simulator.analysis.words import curve_sentences

        return curve_sentences(self)

    def to_json(self) -> dict[str, Any]:
        """The whole curve; every number of the sentences is in it."""
        return {
            "kind": "curve",
            "scenario": self.name,
            "effort": self.path,
            "from": self.at,
            "outcome": self.outcome,
            **self.found_by(),
            "currency": self.currency,
            "weeks": self.weeks,
            "knee": self.knee.to_json(),
            "points": [
                p.to_json() | {"extra_cost_a_year": p.extra_cost / self.weeks * YEAR}
                for p in self.points
            ],
            "sentences": self.sentences,
        }

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Rows for CSV and Parquet."""
        points, absorbed = [], []
        for p in self.points:
            points.append(
                {"effort": p.effort, "extra_cost": p.extra_cost}
                | {f"output_{k}": v for k, v in p.output.to_json().items()}
                | {"straight_line": p.straight, "marginal_return": number(p.marginal)}
            )
            if p.absorption is not None:
                absorbed += [
                    {"effort": p.effort, "part": k, "wins": v}
                    for k, v in p.absorption.parts.items()
                ]
        return {"curve": points, "absorbed": absorbed}


def pushed(scenario: Scenario, path: str, by: float, at: str) -> Scenario:
    """The scenario with one lever scaled from a time on."""
    if abs(by - 1.0) < 1e-12:
        return scenario
    lever = Lever(at=at, scale=path, by=by)
    return scenario.model_copy(update={"levers": [*scenario.levers, lever]})


def _more(scenario: Scenario, levers: list[Lever]) -> Scenario:
    return scenario.model_copy(update={"levers": [*scenario.levers, *levers]})


def effort_path(scenario: Scenario, path: str) -> str:
    """The lever path of an effort; `marketing.spend` means the spend of all channels.

    Raises AnalysisError naming the nearest path.
    """
    table = leaves(scenario)
    short = {"marketing.spend": "channels.*.spend", "spend": "channels.*.spend"}
    wanted = short.get(path, path)
    if match(wanted, table):
        return wanted
    from simulator.spec.paths import no_match

    message, hint = no_match(wanted, table)
    raise AnalysisError(f"{message}. {hint}")


def curve(
    scenario: Scenario,
    effort: str,
    *,
    to: float = 2.5,
    steps: int = 7,
    at: str = "week 0",
    outcome: str | None = None,
    engine: str = DEFAULT_ENGINE,
    seed: int | None = None,
    precision: float = 0.005,
    replications: int | None = None,
    most: int = 40,
    jobs: int | None = None,
    worth: float | None = None,
    payback: float = PAYBACK,
    week: float | None = None,
    levers: Callable[[float], list[Lever]] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Curve:
    """Run a scenario at growing multiples of one effort, from 1 to `to`.

    levers: what pushes the effort to a multiple of today's; default, its path scaled.
    worth: currency that a unit of the outcome is worth; default for ARR: gross margin over
    `payback` months. Raises AnalysisError, SpecError.
    """
    if not 1.0 < to <= 1000.0 or steps < 2:
        raise AnalysisError(
            f"a curve goes from 1 to more than 1 (at most 1000) in 2 steps or more, not to {to:g}"
        )
    outcome = outcome or scenario.outcome
    describe(outcome)
    path = effort if levers is not None else effort_path(scenario, effort)
    levels = np.linspace(1.0, to, steps + 1)
    if levers is None:
        systems = [build(pushed(scenario, path, float(x), at)) for x in levels]
    else:
        systems = [build(_more(scenario, levers(float(x)))) for x in levels]
    costs = np.array([planned_cost(s) for s in systems])
    worth = worth_of(outcome, systems[0], payback) if worth is None else worth
    seed = scenario.seed if seed is None else seed

    runs = replicate(
        Job(tuple(systems), engine, seed, week, ledgers=False),
        narrow(outcome, precision, systems=slice(-1, None)),
        fixed=1 if engine == "flow" else replications,
        most=most,
        jobs=jobs,
        progress=progress,
    )
    values = np.column_stack([runs.metric(outcome, i) for i in range(len(systems))])
    mean = values.mean(axis=0)
    slope = (mean[1] - mean[0]) / (levels[1] - levels[0])
    points = []
    for i, x in enumerate(levels):
        step = costs[i] - costs[i - 1] if i else 0.0
        points.append(
            Point(
                effort=float(x),
                extra_cost=float(costs[i] - costs[0]),
                output=estimate(values[:, i]),
                gain=None if i == 0 else difference(values[:, 0], values[:, i]),
                straight=float(mean[0] + slope * (x - 1.0)),
                marginal=float((mean[i] - mean[i - 1]) / step) if i and step > 0 else math.nan,
                absorption=None if i == 0 else absorption_of(runs, 0, i, systems),
            )
        )
    return Curve(
        name=scenario.name,
        path=path,
        outcome=outcome,
        currency=scenario.currency,
        engine=engine,
        seed=seed,
        replications=len(runs.runs),
        reason=runs.reason,
        points=tuple(points),
        knee=knee(levels, costs, values, worth, seed),
        weeks=scenario.horizon,
        at=at,
        scenario=scenario,
    )


def worth_of(outcome: str, system: System, payback: float = PAYBACK) -> float:
    """What a unit of the outcome is worth in currency; AnalysisError where nobody can know."""
    metric = describe(outcome)
    if outcome in ("arr", "new_arr"):
        return float(system.money.gross_margin[-1]) * payback / 12.0
    if metric.unit == "money" and metric.better > 0:
        return 1.0
    raise AnalysisError(
        f"what is a unit of {outcome} worth? Say --worth (the knee is where one more "
        "dollar of effort brings less than a dollar's worth)"
    )


def knee(levels: Floats, costs: Floats, values: Floats, worth: float, seed: int) -> Knee:
    """Where the marginal return falls below what it costs. values: (R, n) outcomes.

    The mean output is made concave in cost (isotonic slopes), and the knee lies where its slope
    times `worth` passes 1. The interval is a percentile bootstrap over replications.
    """
    hurdle = 1.0 / worth
    if costs[-1] <= costs[0]:
        return Knee("free", math.nan, math.nan, math.nan, hurdle)
    found = _knee(levels, costs, values.mean(axis=0), hurdle)
    rng = np.random.default_rng(seed)
    n = len(values)
    samples = np.array(
        [
            _knee(levels, costs, values[rng.integers(0, n, n)].mean(axis=0), hurdle)
            for _ in range(400 if n > 1 else 1)
        ]
    )
    low, high = np.quantile(samples, [0.025, 0.975])
    where = "before" if found <= levels[0] else "beyond" if found >= levels[-1] else "inside"
    return Knee(where, float(found), float(low), float(high), hurdle)


def _knee(levels: Floats, costs: Floats, output: Floats, hurdle: float) -> float:
    step = np.diff(costs)
    keep = step > 0
    slope = np.diff(output)[keep] / step[keep]
    fitted = isotonic_regression(slope, weights=step[keep], increasing=False).x
    middle = 0.5 * (levels[:-1] + levels[1:])[keep]
    if fitted[0] < hurdle:
        return float(levels[0])
    if fitted[-1] >= hurdle:
        return float(levels[-1])
    k = int(np.argmax(fitted < hurdle))
    share = (fitted[k - 1] - hurdle) / (fitted[k - 1] - fitted[k])
    return float(middle[k - 1] + share * (middle[k] - middle[k - 1]))
