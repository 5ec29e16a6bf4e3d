"""What all mechanisms cost: the base case with them over the base case without, by engine; and what
the batch engine gains over the events engine with all of them.

Usage: python -m benchmarks.bench_mechanisms [rounds]. Times are of the processor, the least of the
rounds, both in turn, after a run of each that pays for compiling. `everything.yaml` has all
fifteen mechanisms, policies, shocks and an SLA; the base case is the archetype as shipped.
"""

from __future__ import annotations

import platform
import sys
import time
from pathlib import Path

from simulator.engines import batch, simulate
from simulator.spec.load import load
from simulator.system import System, build

HERE = Path(__file__).parent
BASE = HERE.parent / "scenarios" / "archetypes" / "mid-market-saas.yaml"
ALL = HERE / "everything.yaml"
AT_MOST = {"events": 2.5, "flow": 2.0}
TOGETHER = 10
AT_LEAST = 60.0  # batch over events, with all mechanisms


def seconds(system: System, engine: str, replication: int) -> float:
    """Processor time of a run, from a built System to a Record; batch does ten at a time."""
    start = time.process_time()
    if engine == "batch":
        first = replication * TOGETHER
        batch.run_many(system, 1, range(first, first + TOGETHER))
        return (time.process_time() - start) / TOGETHER
    simulate(system, engine, replication=replication)
    return time.process_time() - start


def main(rounds: int) -> int:
    """Measure and say; 1 where a limit does not hold."""
    systems = [build(load(str(file)).scenario) for file in (BASE, ALL)]
    print(f"{platform.machine()}, Python {platform.python_version()}; {rounds} rounds")
    good, took = True, {}
    for engine in ("events", "batch", "flow"):
        done = [simulate(system, engine, replication=0).events for system in systems]
        best = [float("inf")] * len(systems)
        for r in range(10 * rounds if engine == "flow" else rounds):
            for i, system in enumerate(systems):
                best[i] = min(best[i], seconds(system, engine, r))
        took[engine] = best[1]
        ratio, limit = best[1] / best[0], AT_MOST.get(engine)
        held = "" if limit is None else f", at most {limit:g}: {'held' if ratio <= limit else 'NO'}"
        good = good and (limit is None or ratio <= limit)
        what = "right-hand sides" if engine == "flow" else "events"
        print(
            f"{engine}: {1e3 * best[0]:.1f} ms without, {1e3 * best[1]:.1f} ms with: "
            f"{ratio:.2f} times{held} ({done[0]} and {done[1]} {what})"
        )
    gain = took["events"] / took["batch"]
    print(
        f"with all mechanisms: batch {gain:.0f} times as fast as events, "
        f"at least {AT_LEAST:g}: {'held' if gain >= AT_LEAST else 'NO'}"
    )
    return 0 if good and gain >= AT_LEAST else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
