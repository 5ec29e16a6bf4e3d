"""The growthsim command. `base` says what all commands have in common."""

from simulator.cli import answers, data, study, sweep
from simulator.cli.base import ENGINES, main

__all__ = ["ENGINES", "answers", "data", "main", "study", "sweep"]
