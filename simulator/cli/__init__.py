"""The growthsim command. `base` says what all commands have in common."""

from simulator.cli import board, data, study
from simulator.cli.base import ENGINES, main

__all__ = ["ENGINES", "board", "data", "main", "study"]
