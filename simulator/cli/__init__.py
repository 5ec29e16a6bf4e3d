"""The growthsim command. `base` says what all commands have in common."""

from simulator.cli import answers, board, data, past, study, sweep
from simulator.cli.base import ENGINES, main

__all__ = ["ENGINES", "answers", "board", "data", "main", "past", "study", "sweep"]
