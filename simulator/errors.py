"""Everything that can go wrong, as one tree.

GrowthError                 the model or the data is wrong; the command line exits with 1
├── SpecError               a scenario file is wrong: `Problem`s, each with file and line
├── EngineError             an engine cannot do what the system asks, or the run would not fit
├── AnalysisError           a question that the runs cannot answer (no such metric)
└── DataError               an input table is wrong: file, row, column, value
"""

from __future__ import annotations

from dataclasses import dataclass


class GrowthError(Exception):
    """Base of all errors that a user can mend."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a scenario file.

    Prints as ``file:line: path: message. Hint``.
    """

    file: str
    line: int | None
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        path = f"{self.path}: " if self.path else ""
        text = f"{where}: {path}{self.message}"
        return f"{text} {self.hint}" if self.hint else text


class SpecError(GrowthError):
    """A scenario that cannot be used, with every problem found in it."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(p) for p in problems))


class EngineError(GrowthError):
    """An engine that cannot run the system it was given."""


class AnalysisError(GrowthError):
    """A question that the runs cannot answer."""


class DataError(GrowthError):
    """An input table that cannot be read or used."""
