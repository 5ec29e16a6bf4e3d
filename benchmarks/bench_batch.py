"""How much faster the batch engine is than its peers: ratios within one run, interleaved.

Usage: python -m benchmarks.bench_batch [rounds] [--ciw]. Times are of the processor, one core,
the least of the rounds; every round runs each peer once. Peers compute counts alone; the batch
engine also keeps every lead's hours, cost and times, and the weekly series. Then two threads
against one, by the clock on the wall, and two processes that share nothing, which is what two
cores can do: where others use them, or they are two halves of one, less than 2.
"""

from __future__ import annotations

import logging
import math
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.peers import funnel_simpy
from simulator.engines import batch, events
from simulator.spec.load import load
from simulator.system import System, build

HERE = Path(__file__).parent
REPLICATIONS = 100  # of the quick ones in a round: seconds, as one of SimPy takes


def seconds(task: Callable[[], object]) -> float:
    """Processor time of a task."""
    start = time.process_time()
    task()
    return time.process_time() - start


def c_program(folder: Path) -> Callable[[], float] | None:
    """The C peer, built; gives seconds a replication."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    program = folder / "funnel_c"
    source = HERE / "peers" / "funnel_c.c"
    subprocess.run(
        [compiler, "-O3", "-march=native", str(source), "-lm", "-o", str(program)], check=True
    )

    def run() -> float:
        said = subprocess.run(
            [program, str(REPLICATIONS)], check=True, capture_output=True, text=True
        )
        return float(said.stdout.split()[0]) / 1e3

    return run


def contestants(system: System, folder: Path, *, with_ciw: bool) -> dict[str, Callable[[], float]]:
    """Seconds a replication of each."""
    seeds = iter(range(1, 10**9))

    def many(leads: bool) -> float:
        first = next(seeds) * REPLICATIONS
        chosen = range(first, first + REPLICATIONS)
        return seconds(lambda: batch.run_many(system, 1, chosen, leads=leads)) / REPLICATIONS

    found: dict[str, Callable[[], float]] = {
        "batch": lambda: many(False),
        "batch, table of leads": lambda: many(True),
        "events": lambda: seconds(lambda: events.run(system, 1, next(seeds))),
        "SimPy": lambda: seconds(lambda: funnel_simpy.run(next(seeds))),
    }
    program = c_program(folder)
    if program is not None:
        found["C"] = program
    if with_ciw:
        from benchmarks.peers import funnel_ciw

        found["Ciw"] = lambda: seconds(lambda: funnel_ciw.run(next(seeds)))
    return found


def two_cores(system: System, rounds: int) -> tuple[float, float]:
    """How many times as much is done by two as by one, by the clock: our threads, and processes.

    The processes have nothing in common, so they show what the machine's two cores can do now.
    """

    def ours(count: int) -> None:
        batch.run_many(system, 1, range(REPLICATIONS), threads=count, leads=False)

    def limit(count: int) -> None:
        busy = [sys.executable, "-c", "sum(i * i % 7 for i in range(8_000_000))"]
        for process in [subprocess.Popen(busy) for _ in range(count)]:
            process.wait()

    best = dict.fromkeys(((task, n) for task in (ours, limit) for n in (1, 2)), math.inf)
    for _ in range(rounds):
        for task, count in best:
            start = time.perf_counter()
            task(count)
            best[task, count] = min(best[task, count], time.perf_counter() - start)
    return best[ours, 1] / best[ours, 2], 2 * best[limit, 1] / best[limit, 2]


def main(rounds: int = 3, *, with_ciw: bool = False) -> dict[str, float]:
    """Print and return seconds a replication of each contestant."""
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    system = build(load(HERE / "reference_funnel.yaml").scenario)
    batch.run(system, 1, 0)
    with tempfile.TemporaryDirectory() as folder:
        found = contestants(system, Path(folder), with_ciw=with_ciw)
        times: dict[str, list[float]] = {name: [] for name in found}
        for _ in range(rounds):
            for name, run in found.items():
                times[name].append(run())
    best = {name: min(t) for name, t in times.items()}
    print(f"{platform.machine()}, Python {platform.python_version()}, {rounds} rounds, one core")
    for name, took in best.items():
        ratio = took / best["batch"]
        print(f"{name:24s} {took * 1e3:10.2f} ms a replication {ratio:9.2f} x batch")
    both, limit = two_cores(system, max(3, rounds))
    print(f"two threads: {both:.2f} times one (1.9 is asked); two processes apart: {limit:.2f}")
    return best


if __name__ == "__main__":
    numbers = [int(a) for a in sys.argv[1:] if a.isdigit()]
    main(*numbers[:1], with_ciw="--ciw" in sys.argv)
