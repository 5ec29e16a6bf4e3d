"""The loan log, where the data folder is at hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from simulator.fit.logs.log import Log
from simulator.fit.logs.read import read_log

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "bpic12"


@cache
def log() -> Log:
    """All of it, read once."""
    return read_log(FOLDER / "loan_applications_2011Q4.csv.gz")
