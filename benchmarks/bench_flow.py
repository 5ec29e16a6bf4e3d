"""How much faster the flow engine is than PySD on a model of like size: a ratio within one run.

Usage: python -m benchmarks.bench_flow [rounds] [scenario]. The base case at relative tolerance
1e-6 against 35 stocks of PySD (`peers/pysd_model.py`), both 156 weeks (the base case has a year of
warm-up). Times are of the processor, the least of the rounds, the two in turn; both are run once
before, so that neither pays for compiling or reading its model. The flow engine's time is that of
all of `simulate`: from a built System to a Record.
"""

from __future__ import annotations

import platform
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from benchmarks.peers import pysd_model
from simulator.engines import simulate
from simulator.spec.load import load
from simulator.system import build

BASE = Path(__file__).parent.parent / "scenarios" / "archetypes" / "mid-market-saas.yaml"
AT_LEAST = 5.0


def seconds(task: Callable[[], object]) -> float:
    """Processor time of a task."""
    start = time.process_time()
    task()
    return time.process_time() - start


def main(rounds: int = 7, scenario: Path = BASE) -> int:
    """Print the ratio; 1 if it is below what is asked."""
    import pysd

    loaded = load(scenario)
    system = build(getattr(loaded, "scenario", loaded))
    with tempfile.TemporaryDirectory() as folder:
        model = pysd.read_vensim(str(pysd_model.write(Path(folder))))
        tasks = {
            "flow": lambda: simulate(system, "flow", rtol=1e-6),
            "pysd": lambda: model.run(return_columns=["won"]),
        }
        record = tasks["flow"]()
        tasks["pysd"]()
        least = dict.fromkeys(tasks, float("inf"))
        for _ in range(rounds):
            for name, task in tasks.items():
                least[name] = min(least[name], seconds(task))
    ratio = least["pysd"] / least["flow"]
    names = ("numba", "numpy", "pysd", "scipy")
    print(f"{platform.machine()}, Python {platform.python_version()}, ", end="")
    print(", ".join(f"{name} {version(name)}" for name in names))
    print(f"flow, {system.name}: {least['flow'] * 1e3:.1f} ms, {record.events} right-hand sides")
    print(f"PySD, {pysd_model.STOCKS} stocks: {least['pysd'] * 1e3:.1f} ms")
    print(f"flow is {ratio:.1f} times as fast (at least {AT_LEAST:g} is asked)")
    return 0 if ratio >= AT_LEAST else 1


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(*(int(x) for x in given[:1]), *(Path(x) for x in given[1:2])))
