"""One scenario, simulated some times over: every metric's mean and its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from simulator.analysis.shown import CONFIDENCE, Shown
from simulator.engines import simulate
from simulator.metrics import measure
from simulator.record import Record
from simulator.spec.load import Loaded
from simulator.system import build


@dataclass(frozen=True)
class Estimate:
    """Mean of a metric over n replications, and half the width of its Student t interval.

    Only replications in which the metric is defined count (no deal decided: no win rate).
    ``mean`` is None where it is defined in none, ``half`` where fewer than two leave no interval.
    """

    mean: float | None
    half: float | None
    n: int


@dataclass(frozen=True)
class RunResult(Shown):
    """Metrics of one scenario, by replication and in the mean."""

    loaded: Loaded
    engine: str
    seed: int
    replications: tuple[dict[str, float], ...]
    reason: str = "number given"
    record: Record | None = None  # of the first replication

    @property
    def metrics(self) -> dict[str, Estimate]:
        """Every metric's estimate."""
        names = dict.fromkeys(name for metrics in self.replications for name in metrics)
        return {name: estimate([m[name] for m in self.replications]) for name in names}

    @property
    def sentences(self) -> list[str]:
        """What was run, and the metric that the scenario is judged by."""
        count = len(self.replications)
        runs = "one replication" if count == 1 else f"{count} replications"
        scenario = self.loaded.scenario
        weeks = f"{scenario.horizon:g} weeks"
        said = [f"{scenario.name}: {weeks}, {runs}, engine {self.engine}, seed {self.seed}."]
        outcome = self.metrics.get(scenario.outcome)
        if outcome is not None and outcome.mean is not None:
            interval = "" if outcome.half is None else f" ± {outcome.half:,.4g}"
            said.append(f"{scenario.outcome}: {outcome.mean:,.6g}{interval}.")
        return said

    @property
    def tables(self) -> dict[str, list[dict[str, object]]]:
        """One table: a row a metric."""
        rows: list[dict[str, object]] = [
            {"metric": name, "mean": e.mean, "±": e.half, "n": e.n}
            for name, e in self.metrics.items()
        ]
        return {"metrics": rows}

    def to_json(self) -> dict[str, object]:
        """Everything, in types that JSON has."""
        return {
            "kind": "run",
            "scenario": self.loaded.scenario.name,
            "engine": self.engine,
            "seed": self.seed,
            "confidence": CONFIDENCE,
            "metrics": {
                name: {"mean": e.mean, "half": e.half, "n": e.n} for name, e in self.metrics.items()
            },
            "replications": [
                {name: value if math.isfinite(value) else None for name, value in metrics.items()}
                for metrics in self.replications
            ],
            "stopped": self.reason,
        }


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and Student t interval of independent values; those not finite are undefined."""
    defined = [value for value in values if math.isfinite(value)]
    n = len(defined)
    if n == 0:
        return Estimate(None, None, 0)
    mean = math.fsum(defined) / n
    if n == 1:
        return Estimate(mean, None, 1)
    quantile = float(stdtrit(n - 1, 0.5 + CONFIDENCE / 2))
    return Estimate(mean, quantile * float(np.std(defined, ddof=1)) / math.sqrt(n), n)


def run(
    loaded: Loaded,
    *,
    engine: str = "batch",
    seed: int | None = None,
    replications: int = 1,
    progress: Callable[[int], None] | None = None,
) -> RunResult:
    """Simulate a scenario ``replications`` times; an interrupt keeps those that finished."""
    system = build(loaded.scenario)
    done: list[dict[str, float]] = []
    first: Record | None = None
    reason = "number given"
    try:
        for replication in range(replications):
            record = simulate(system, engine, seed=seed, replication=replication)
            done.append(measure(record))
            first = first or record
            if progress is not None:
                progress(len(done))
    except KeyboardInterrupt:
        if not done:
            raise
        reason = f"interrupted after {len(done)} replications"
    used = loaded.scenario.seed if seed is None else seed
    return RunResult(loaded, engine, used, tuple(done), reason, first)
