"""What a sweep costs over the runs themselves, its memory, and how its cost grows.

Usage: python -m benchmarks.bench_sweep [rounds] [--slope] [--slope-flow] [--memory].
Overhead: processor time of a whole `sweep` with the serial executor over that of the batch engine
(`run_many`) within it, so that a machine that changes its pace changes both; the same for a bare
loop of build, runs and metrics; the medians of the rounds. Runs are of the reference funnel, 20 ms
or more each. --memory: peak of a sweep of 10,000 runs, in a process of
its own. --slope: log-log slope of processor time from 10^3 to 10^5 points of a tiny scenario, one
run each; --slope-flow: the same with the flow engine.
"""

from __future__ import annotations

import math
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from simulator.engines import batch
from simulator.metrics import measure
from simulator.record import Record
from simulator.spec.load import load
from simulator.sweep import run as run_module
from simulator.sweep.design import lay
from simulator.sweep.points import apply
from simulator.sweep.read import load_sweep
from simulator.system import build

HERE = Path(__file__).parent
POINTS, REPLICATIONS = 8, 20
AT_MOST, MOST_MEMORY, SLOPE = 0.05, 1.0, 0.05
SWEEP = """\
scenario: today.yaml
engine: {engine}
replications: {replications}
outcomes: [wins]
uncertainties:
  design: sobol
  points: {points}
  axes:
    {path}: {{scale: {{from: 90%, to: 110%}}}}
"""
TINY = """\
horizon: 4 weeks
channels: {web: {leads: 2/week}}
teams: {ae: {headcount: 1, hours: 20 h/week}}
stages: {sell: {team: ae, effort: 4 h, advance: 30%}}
"""


def files(
    folder: Path, scenario: str, path: str, points: int, replications: int, engine: str = "batch"
) -> Path:
    """The sweep file of a folder."""
    (folder / "today.yaml").write_text(scenario)
    file = folder / "sweep.yaml"
    file.write_text(
        SWEEP.format(points=points, replications=replications, path=path, engine=engine)
    )
    return file


def seconds(task: Callable[[], object]) -> float:
    """Processor time of a task."""
    began = time.process_time()
    task()
    return time.process_time() - began


def overhead(rounds: int) -> float:
    """Print and return what a sweep costs over the engine alone."""
    funnel = (HERE / "reference_funnel.yaml").read_text()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = load_sweep(files(folder, funnel, "stages.qualify.effort", POINTS, REPLICATIONS))
        axes, rows = spec.uncertainties.axes, lay(spec.uncertainties).tolist()
        count = iter(range(10**6))
        inside: list[float] = []
        engine = batch.run_many

        def timed(*args: Any, **options: Any) -> list[Record]:
            began = time.process_time()
            try:
                return engine(*args, **options)
            finally:
                inside.append(time.process_time() - began)

        def bare() -> None:
            for row in rows:
                system = build(apply(spec.scenario, axes, row))
                for i in range(0, REPLICATIONS, 16):
                    some = range(i, min(i + 16, REPLICATIONS))
                    for record in batch.run_many(system, 1, some, leads=False):
                        measure(record)["wins"]

        def whole() -> None:
            run_module.sweep(spec, folder / f"store-{next(count)}", executor="serial")

        tasks = {"bare loop": bare, "sweep": whole}
        over: dict[str, list[float]] = {task: [] for task in tasks}
        each: dict[str, list[float]] = {task: [] for task in tasks}
        with patch.object(batch, "run_many", timed):
            whole()
            for _ in range(rounds):
                for task, run in tasks.items():
                    inside.clear()
                    took = seconds(run)
                    over[task].append(took / sum(inside) - 1)
                    each[task].append(sum(inside) / (POINTS * REPLICATIONS) * 1e3)
        for task in tasks:
            print(
                f"{task:10s} {min(each[task]):8.2f} ms a run in the kernel, "
                f"{statistics.median(over[task]):+8.1%} beside it"
            )
        return statistics.median(over["sweep"])


def memory() -> float:
    """Peak GiB of a process that sweeps 10,000 runs of the flood."""
    script = (
        "import sys, resource\n"
        "from simulator.sweep.run import sweep\n"
        "sweep(sys.argv[1], sys.argv[2], executor='serial')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = load("mid-market-saas").resolved_text()
        file = files(folder, text, "stages.demo.effort", 500, 20)
        done = subprocess.run(
            [sys.executable, "-c", script, str(file), str(folder / "store")],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    scale = 1 if platform.system() == "Darwin" else 1024
    peak = float(int(done.stdout.split()[-1]) * scale / 2**30)
    print(f"peak memory of 10,000 runs: {peak:.2f} GiB")
    return peak


def slope(engine: str) -> float:
    """Log-log slope of a sweep's cost in its points."""
    sizes, costs = (1_000, 10_000, 100_000), []
    for points in (16, *sizes):  # the first is for the compiler and the imports
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            file = files(folder, TINY, "stages.sell.effort", points, 1, engine)
            took = seconds(partial(run_module.sweep, file, folder / "store", executor="serial"))
        if points not in sizes:
            continue
        costs.append(took)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        each = took / points * 1e3
        print(f"{points:8,} points: {took:8.2f} s, {each:.3f} ms a point, peak {peak:.2f} GiB")
    x, y = [math.log(s) for s in sizes], [math.log(c) for c in costs]
    mx, my = sum(x) / len(x), sum(y) / len(y)
    found = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    return found / sum((a - mx) ** 2 for a in x)


def main(rounds: int, *, with_memory: bool, slopes: list[str]) -> int:
    """Print all; 1 if a bound is broken."""
    print(f"{platform.machine()}, Python {platform.python_version()}, {rounds} rounds, one core")
    over = overhead(rounds)
    print(f"overhead of a sweep over the kernel: {over:+.1%} (at most {AT_MOST:.0%} is asked)")
    broken = over > AT_MOST
    if with_memory:
        broken |= memory() > MOST_MEMORY
    for engine in slopes:
        found = slope(engine)
        print(f"log-log slope of the cost, {engine}: {found:.3f} (1.0 +- {SLOPE} is asked)")
        broken |= abs(found - 1.0) > SLOPE
    return int(broken)


if __name__ == "__main__":
    given = [int(a) for a in sys.argv[1:] if a.isdigit()]
    sys.exit(
        main(
            given[0] if given else 3,
            with_memory="--memory" in sys.argv,
            slopes=["batch"] * ("--slope" in sys.argv) + ["flow"] * ("--slope-flow" in sys.argv),
        )
    )
