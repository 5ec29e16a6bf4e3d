"""How soon the command answers: whole processes, in turn, in one run.

Usage: python -m benchmarks.bench_start [rounds]. The least of the rounds, so that a busy machine
counts for little.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from simulator.report import write

ROOT = Path(__file__).parent.parent
FLOOD = ROOT / "scenarios" / "the-flood" / "fix-the-constraint.yaml"
COMMANDS = {
    "import click": ["-c", "import click"],
    "growthsim --help": ["-m", "simulator", "--help"],
    "growthsim check": ["-m", "simulator", "check", str(FLOOD)],
}


def board(folder: Path) -> dict[str, list[str]]:
    """Commands that draw what was saved: a figure, and a deck of three answers."""
    sys.path.insert(0, str(ROOT / "tests"))
    from made_results import comparison, constraint, curve

    results = []
    for result in (comparison(), curve(), constraint()):
        results.append(str(folder / result.__class__.__name__))
        write(result, results[-1], figures=False)
    figure = ["figure", "equal_spend", results[0], "--out"]
    return {
        "growthsim figure png": ["-m", "simulator", *figure, str(folder / "a.png")],
        "growthsim figure svg": ["-m", "simulator", *figure, str(folder / "a.svg")],
        "growthsim deck": ["-m", "simulator", "deck", *results, "--out", str(folder / "b.pptx")],
    }


def main(rounds: int = 7) -> dict[str, float]:
    """Print and return seconds of each command."""
    with tempfile.TemporaryDirectory() as made:
        return timed({**COMMANDS, **board(Path(made))}, rounds, Path(made))


def timed(commands: dict[str, list[str]], rounds: int, folder: Path) -> dict[str, float]:
    """As main, of any commands; a deck in the folder is made anew each time."""
    took: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, arguments in commands.items():
            (folder / "b.pptx").unlink(missing_ok=True)
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
