"""The growthsim command. `base` says what all commands have in common."""

from simulator.cli import answers, board, data, logs, past, study, sweep
from simulator.cli.base import ENGINES, main

__all__ = ["ENGINES", "answers", "board", "data", "logs", "main", "past", "study", "sweep"]
