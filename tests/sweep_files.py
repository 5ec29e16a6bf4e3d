"""A tiny scenario and sweep for tests of sweeps, and what two stores must have in common."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

TINY = """\
name: Tiny
horizon: 6 weeks
value: {mean: 10 kUSD, cv: 0.5}
channels:
  web: {leads: 3/week, spend: 1 kUSD/week, good_fit: 50%}
teams:
  ae: {headcount: 2, hours: 10 h/week, cost: 100 kUSD/year}
stages:
  sell:
    {team: ae, effort: 5 h, patience: 4 weeks, advance: {good_fit: 60%, poor_fit: 20%}}
  live: {after_sale: true, buyer_time: 1 week}
handoffs:
  - {from: sell, to: live, accepted: 80%, returned: 10%}
customers: {start: 20}
"""
SWEEP = """\
scenario: today.yaml
name: Tiny sweep
engine: events
replications: 3
outcomes: [arr, wins]
weeks: [week 3, week 6]
levers:
  axes:
    teams.ae.headcount: [1, 2]
uncertainties:
  design: sobol
  points: 4
  axes:
    channels.web.leads.now: {from: 2/week, to: 6/week}
    stages.sell.advance: {scale: {from: 50%, to: 120%}}
"""


def write(folder: Path, sweep: str = SWEEP, scenario: str = TINY) -> Path:
    """The files in a folder; the sweep's."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "today.yaml").write_text(scenario)
    (folder / "sweep.yaml").write_text(sweep)
    return folder / "sweep.yaml"


def tables(store: Path) -> dict[str, bytes]:
    """The finished tables of a store, byte for byte."""
    names = ["points.parquet", "summary.parquet", "summary.csv", "scenario.yaml", "sweep.yaml"]
    found = {name: (store / name).read_bytes() for name in names}
    return found | {f"runs/{p.name}": p.read_bytes() for p in (store / "runs").iterdir()}


def command(*args: object) -> list[str]:
    """The command line of a sweep in a process of its own."""
    return [sys.executable, "-m", "simulator", "sweep", *map(str, args)]


def started(*args: object, root: Path, **options: object) -> subprocess.Popen[str]:
    """A sweep begun in a process of its own, which hears Ctrl-C even where tests run behind."""
    # A shell has what it starts behind ignore SIGINT, and children inherit that.
    return subprocess.Popen(
        command(*args),
        env={**os.environ, "PYTHONPATH": str(root)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **options,
    )
