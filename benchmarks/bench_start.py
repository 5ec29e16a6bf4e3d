"""How soon the command answers: whole processes, in turn, in one run.

Usage: python -m benchmarks.bench_start [rounds]. The least of the rounds, so that a busy machine
counts for little.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLOOD = ROOT / "scenarios" / "the-flood" / "fix-the-constraint.yaml"
COMMANDS = {
    "import click": ["-c", "import click"],
    "growthsim --help": ["-m", "simulator", "--help"],
    "growthsim check": ["-m", "simulator", "check", str(FLOOD)],
}


def main(rounds: int = 7) -> dict[str, float]:
    """Print and return seconds of each command."""
    took: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, arguments in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=ROOT)
            took[name].append(time.perf_counter() - start)
    best = {name: min(t) for name, t in took.items()}
    print(f"{platform.machine()}, Python {platform.python_version()}, {rounds} rounds")
    for name, seconds in best.items():
        ratio = seconds / best["import click"]
        print(f"{name:20s} {seconds * 1e3:8.0f} ms {ratio:6.2f} x import click")
    return best


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:2]))
