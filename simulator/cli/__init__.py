"""The growthsim command. `base` says what all commands have in common."""

from simulator.cli import answers, board, data, logs, study, sweep
from simulator.cli.base import ENGINES, main

__all__ = ["ENGINES", "answers", "board", "data", "logs", "main", "study", "sweep"]
