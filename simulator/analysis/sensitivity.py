"""What the answer rests on: which assumptions move the outcome, and how much is mere chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.estimate import Estimate, number
from simulator.analysis.paired import Difference, difference, estimate
from simulator.analysis.panel import Panel, cores
from simulator.analysis.parts import Ends, Range
from simulator.analysis.ranges import hypercube, ranges, world
from simulator.analysis.runs import DEFAULT_ENGINE, FIRST, interval, one_run
from simulator.analysis.shown import Judged
from simulator.analysis.sobol import Morris, Sobol, Split, morris, sobol, split
from simulator.analysis.targets import check_metric
from simulator.errors import AnalysisError, SpecError
from simulator.metrics import measure
from simulator.spec.load import Loaded
from simulator.spec.schema import Scenario
from simulator.system import build

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
METHODS: Final = ("tornado", "morris", "sobol", "all")
LOOK, STRIDE = 4, 4
TOP = 8  # assumptions that Sobol indices are found for
POWER = 128  # rows of a Saltelli sample
SHOWN = 20  # assumptions in a terminal
PATHS = 6  # of Morris' design
WORLDS = 128  # for chance against ignorance


@dataclass(frozen=True)
class Bar(Ends[Difference]):
    """The outcome at both ends of an assumption's range, against stated."""

    @property
    def told(self) -> bool:
        """Whether either end differs from what is stated beyond chance."""
        return any(abs(d.gain.mean) > d.gain.half for d in (self.low, self.high))

    def to_json(self) -> dict[str, Any]:
        """Numbers by name."""
        return self.range.to_json() | {
            "at_low": self.low.to_json(),
            "at_high": self.high.to_json(),
            "swing": self.swing,
            "beyond_chance": self.told,
        }


@dataclass(frozen=True)
class Sensitivity(Judged):
    """Bars, the widest first; variance by cause; Morris and Sobol where asked for."""

    currency: str
    base: Estimate
    bars: tuple[Bar, ...]
    split: Split | None
    morris: Morris | None
    sobol: Sobol | None
    left_out: tuple[str, ...]
    runs: int
    scenario: Scenario

    @property
    def sentences(self) -> list[str]:
        """The answer in words, made from the numbers."""
        from simulator.analysis.words_worlds import sensitivity_sentences

        return sensitivity_sentences(self)

    def to_json(self) -> dict[str, Any]:
        """Everything; every number of the sentences is in it."""
        return {
            "kind": "sensitivity",
            "scenario": self.name,
            "outcome": self.outcome,
            "currency": self.currency,
            "weeks": self.scenario.horizon,
            "base": self.base.to_json(),
            **self.found_by(),
            "tornado": [b.to_json() for b in self.bars],
            "variance": None if self.split is None else self.split.to_json(),
            "morris": None if self.morris is None else self.morris.to_json(),
            "sobol": None if self.sobol is None else self.sobol.to_json(),
            "left_out": list(self.left_out),
            "runs": self.runs,
            "sentences": self.sentences,
        }

    @property
    def shown(self) -> dict[str, list[dict[str, Any]]]:
        """The tables that people read."""
        found = self.tables
        keys = ("path", "low", "value", "high", "grade", "outcome_at_low", "outcome_at_high")
        tornado = [{k: row[k] for k in keys} for row in found["tornado"][:SHOWN]]
        return {**found, "tornado": tornado}

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Rows for CSV and Parquet."""
        bars = [
            b.range.to_json()
            | {
                "outcome_at_low": b.low.gain.mean,
                "outcome_at_low_half": number(b.low.gain.half),
                "outcome_at_high": b.high.gain.mean,
                "outcome_at_high_half": number(b.high.gain.half),
                "swing": b.swing,
                "beyond_chance": b.told,
            }
            for b in self.bars
        ]
        found = {"tornado": bars}
        if self.morris is not None:
            found["morris"] = [{"path": n} | v for n, v in self.morris.to_json()["effects"].items()]
        if self.sobol is not None:
            found["sobol"] = [{"path": n} | v for n, v in self.sobol.to_json()["indices"].items()]
        return found


@dataclass
class _Worlds:
    """The outcome as a function of where assumptions lie in their ranges, and of luck."""

    scenario: Scenario
    over: Sequence[Range]
    outcome: str
    engine: str
    seed: int
    week: float | None
    jobs: int
    runs: int = 0

    def __call__(self, points: Floats, luck: Ints) -> Floats:
        def one(task: tuple[Floats, int]) -> float:
            u, r = task
            values = [float(x.at(p)) for x, p in zip(self.over, u, strict=True)]
            try:
                system = build(world(self.scenario, self.over, values))
            except SpecError:
                return math.nan
            record = one_run(system, self.engine, self.seed, r)
            return measure(record, self.week)[self.outcome]

        tasks = list(zip(points, (int(r) for r in luck), strict=True))
        with ThreadPoolExecutor(self.jobs) as pool:
            values = np.array(list(pool.map(one, tasks)))
        self.runs += len(tasks)
        bad = ~np.isfinite(values)
        if bad.all():
            raise AnalysisError(f"{self.outcome} has no value in any world: ask for another")
        # A world that has no value says nothing: it stands at the mean.
        values[bad] = values[~bad].mean()
        return values


def sensitivity(
    loaded: Loaded,
    *,
    method: str = "tornado",
    outcome: str | None = None,
    week: float | None = None,
    engine: str = DEFAULT_ENGINE,
    seed: int | None = None,
    precision: float = 0.003,
    replications: int | None = None,
    most: int = 24,
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Sensitivity:
    """Which assumptions move the outcome, over their ranges; and chance against ignorance.

    method: tornado (one at a time, always done), morris, sobol (of those with the widest bars), or
    all. precision: of each bar's end, as a share of the outcome. Raises AnalysisError, SpecError.
    """
    if method not in METHODS:
        raise AnalysisError(f"no method named '{method}'. There are: {', '.join(METHODS)}")
    scenario = loaded.scenario
    outcome = outcome or scenario.outcome
    check_metric(outcome, scenario, week)
    seed = scenario.seed if seed is None else seed
    over, left = ranges(loaded)
    workers = jobs or cores()
    panel, reason = _tornado(
        scenario, over, outcome, engine, seed, week, precision, replications, most, workers,
        progress,
    )  # fmt: skip
    base = panel.values(outcome, 0)
    if not np.isfinite(base).all():
        raise AnalysisError(f"{outcome} has no value in {scenario.name}: ask for another")
    bars = []
    for i, one in enumerate(over):
        ends = []
        for j in (2 * i + 1, 2 * i + 2):
            n = panel.count(j)
            ends.append(difference(base[:n], panel.values(outcome, j)))
        if all(math.isfinite(e.gain.mean) for e in ends):
            bars.append(Bar(one, *ends))
        else:
            left.append(f"{one.path}: {outcome} has no value at an end of its range")
    bars.sort(key=lambda b: -b.swing)
    function = _Worlds(scenario, over, outcome, engine, seed, week, workers)
    variance = None
    if engine != "flow":
        points = np.repeat(hypercube(WORLDS, len(over), seed), 2, axis=0)
        luck = np.arange(2 * WORLDS)
        variance = split(function(points, luck).reshape(WORLDS, 2))
    effects = indices = None
    if method in ("morris", "all"):
        effects = morris([r.path for r in over], function, PATHS, seed)
    if method in ("sobol", "all"):
        top = [b.range for b in bars[:TOP]]
        few = _Worlds(scenario, top, outcome, engine, seed, week, workers)
        indices = sobol([r.path for r in top], few, POWER, seed)
        function.runs += few.runs
    return Sensitivity(
        name=scenario.name, outcome=outcome, currency=scenario.currency, engine=engine, seed=seed,
        replications=panel.count(0), reason=reason, base=estimate(base), bars=tuple(bars),
        split=variance, morris=effects, sobol=indices, left_out=tuple(left),
        runs=panel.made + function.runs, scenario=scenario,
    )  # fmt: skip


def _tornado(
    scenario: Scenario, over: Sequence[Range], outcome: str, engine: str, seed: int,
    week: float | None, precision: float, replications: int | None, most: int, jobs: int,
    progress: Callable[[int], None] | None,
) -> tuple[Panel, str]:  # fmt: skip
    """Every assumption at its ends; more runs for those whose bars are wide and not yet known."""
    if replications == 1 and engine != "flow":
        raise AnalysisError("one replication has no interval: take 2 replications or more")
    systems = [build(scenario)]
    for one in over:
        systems += [build(world(scenario, [one], [v])) for v in (one.low, one.high)]
    panel = Panel(systems, engine, seed, week=week, jobs=jobs, progress=progress)
    everyone = range(len(systems))
    if replications is not None or engine == "flow":
        panel.run(everyone, replications or 1)
        return panel, "number given"
    try:
        panel.run(everyone, min(LOOK, most))
        wanted = precision * abs(float(panel.values(outcome, 0).mean()))
        while True:
            wide = []
            for i in range(1, len(systems)):
                n = panel.count(i)
                d = panel.values(outcome, i) - panel.values(outcome, 0, n)
                half = interval(d)
                # Known well enough, or surely too small to matter.
                if half > wanted and half > 0.1 * abs(float(d.mean())):
                    big = abs(float(d.mean())) + half > 2 * wanted
                    if big and n == panel.count(0):
                        wide.append(i)
            if not wide:
                return panel, "precision reached"
            if panel.count(0) >= most:
                return panel, f"maximum of {most} reached before the precision"
            panel.run([0, *wide], min(panel.count(0) + STRIDE, most))
    except KeyboardInterrupt:
        done = min(panel.count(i) for i in everyone)
        if done < FIRST:
            raise
        return panel, f"interrupted after {done} replications"
