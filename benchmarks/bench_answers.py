"""How long the answers take on a base case, as multiples of one `batch` replication.

python -m benchmarks.bench_answers [--worlds 1000]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from simulator.analysis.constraint import constraint
from simulator.analysis.runs import one_run
from simulator.analysis.seek import seek
from simulator.analysis.worlds import worlds
from simulator.spec.load import load, shipped
from simulator.system import build


def timed(ask: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    found = ask()
    return time.perf_counter() - began, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=1000)
    given = parser.parse_args()
    study = shipped("the-flood")
    today = load(study / "today.yaml")
    system = build(today.scenario)
    one_run(system, "batch", 1, 0)
    one_run(system, "flow", 1, 0)
    one = min(timed(lambda: one_run(system, "batch", 1, 0))[0] for _ in range(7))
    print(f"one batch replication: {1000 * one:.1f} ms")
    seconds, found = timed(lambda: constraint(today.scenario))
    runs = sum(c.replications for c in found.candidates) + found.replications
    print(f"constraint: {seconds:.1f} s, {seconds / one:,.0f} replications' time, {runs} runs")
    target = "arr_per_head >= 320 kUSD at week 104"
    seconds, sought = timed(lambda: seek(today, [target]))
    print(
        f"seek, {len(sought.knobs)} levers: {seconds:.1f} s, {seconds / one:,.0f} "
        f"replications' time, runs {sought.runs}"
    )
    seconds, many = timed(lambda: worlds(study, worlds=given.worlds))
    print(
        f"worlds, {given.worlds}: {seconds:.1f} s, {seconds / one:,.0f} replications' time, "
        f"{2 * many.push.size} runs"
    )


if __name__ == "__main__":
    main()
