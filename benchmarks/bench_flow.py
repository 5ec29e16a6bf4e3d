"""How much faster the flow engine is than PySD and C on a model of like size: ratios in one run.

Usage: python -m benchmarks.bench_flow [rounds] [scenario]. One run: the base case at relative
tolerance 1e-6 against 35 stocks of PySD (`peers/pysd_model.py`), both 156 weeks (the base case has
a year of warm-up); the time is that of all of `simulate`, from a built System to a Record.

Many runs: points of `reference_flow.yaml` with other numbers each, at the tolerance of sweeps,
against PySD (Euler: it has no Runge-Kutta) and the same 35 stocks in C (RK4, sixteen runs side by
side, `peers/flow_c.py`). Closed as a fluid it is the kind of model that the peers solve; psffa is
what sweeps use. The time is that of the solver; beside it stands that of all of run_many, from
built Systems to time series.

Times are of the processor, the least of the rounds, all in turn; all are run once before, so that
none pays for compiling or reading its model.
"""

from __future__ import annotations

import platform
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.peers import flow_c, pysd_model
from simulator.engines import simulate
from simulator.engines.flow import many
from simulator.spec.load import load
from simulator.spec.schema import Scenario
from simulator.sweep.points import change
from simulator.system import System, build

BASE = Path(__file__).parent.parent / "scenarios" / "archetypes" / "mid-market-saas.yaml"
LIKE = Path(__file__).parent / "reference_flow.yaml"
AT_LEAST = 5.0
TIMES_PYSD = 700.0
TIMES_C = 0.6
POINTS = 256


def seconds(task: Callable[[], object]) -> float:
    """Processor time of a task."""
    start = time.process_time()
    task()
    return time.process_time() - start


def points(scenario: Scenario) -> list[System]:
    """The same model with other numbers, 10% up or down."""
    rng = np.random.default_rng(1)
    paths = {
        "stages.qualify.effort.mean": 0.8, "stages.discovery.effort.mean": 3.6,
        "stages.discovery.buyer_time.mean": 3.0, "stages.legal.effort.mean": 2.2,
        "stages.discovery.advance.good_fit": 0.55, "channels.c9.leads.now": 38.0,
        "customers.churn": 0.004,
    }  # fmt: skip
    return [
        build(change(scenario, {p: v * rng.uniform(0.9, 1.1) for p, v in paths.items()}))
        for _ in range(POINTS)
    ]


class Solver:
    """The compiled program of many runs, with a clock."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.program = many.program

    def __call__(self, key: int) -> Callable[..., None]:
        made = self.program(key)

        def timed(arguments: object) -> None:
            self.seconds += seconds(lambda: made(arguments))

        return timed


def main(rounds: int = 7, scenario: Path = BASE) -> int:
    """Print the ratios; 1 if one is below what is asked."""
    import pysd

    loaded = load(scenario)
    system = build(getattr(loaded, "scenario", loaded))
    made = points(load(LIKE).scenario)
    solver = many.program = Solver()

    def solve(closure: str) -> tuple[float, float]:
        solver.seconds = 0.0
        whole = seconds(lambda: many.run_many(made, closure=closure))
        return solver.seconds / POINTS, whole / POINTS

    with tempfile.TemporaryDirectory() as folder:
        model = pysd.read_vensim(str(pysd_model.write(Path(folder))))
        program = flow_c.build(Path(folder))
        tasks: dict[str, Callable[[], tuple[float, ...]]] = {
            "flow": lambda: (seconds(lambda: simulate(system, "flow", rtol=1e-6)),),
            "many, fluid": lambda: solve("fluid"),
            "many, psffa": lambda: solve("psffa"),
            "pysd": lambda: (seconds(lambda: model.run(return_columns=["won"])),),
        }
        if program is not None:
            tasks["c"] = lambda: flow_c.run(program)[:1]
        record = simulate(system, "flow", rtol=1e-6)
        least: dict[str, list[float]] = {}
        for turn in range(rounds + 1):
            for name, task in tasks.items():
                took = task()
                if turn:
                    best = least.get(name, [float("inf")] * len(took))
                    least[name] = [min(a, b) for a, b in zip(best, took, strict=True)]
    names = ("numba", "numpy", "pysd", "scipy")
    print(f"{platform.machine()}, Python {platform.python_version()}, ", end="")
    print(", ".join(f"{name} {version(name)}" for name in names))
    pysd_took, one = least["pysd"][0], least["flow"][0]
    print(f"flow, {system.name}: {one * 1e3:.1f} ms, {record.events} right-hand sides")
    print(f"PySD, {pysd_model.STOCKS} stocks: {pysd_took * 1e3:.1f} ms")
    print(f"flow is {pysd_took / one:.1f} times as fast (at least {AT_LEAST:g} is asked)")
    c_took = least["c"][0] if "c" in least else None
    if c_took is not None:
        print(f"C, RK4: {c_took * 1e3:.3f} ms a run, {1 / c_took:,.0f} runs/s")
    fine = pysd_took / one >= AT_LEAST
    for name in ("many, fluid", "many, psffa"):
        took, whole = least[name]
        print(
            f"flow, {name}: {took * 1e3:.3f} ms a run, {1 / took:,.0f} runs/s a core, "
            f"{pysd_took / took:,.0f} x PySD (at least {TIMES_PYSD:g} is asked)",
            end="",
        )
        print("" if c_took is None else f", {c_took / took:.2f} x C (at least {TIMES_C:g})", end="")
        print(f"; with laying out and time series {whole * 1e3:.3f} ms")
        fine = fine and pysd_took / took >= TIMES_PYSD
        fine = fine and (c_took is None or c_took / took >= TIMES_C)
    return 0 if fine else 1


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(*(int(x) for x in given[:1]), *(Path(x) for x in given[1:2])))
