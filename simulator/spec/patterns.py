"""What comes round every week: a number by the time of the week, as opening hours and shifts do."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from simulator.spec.quantities import Model

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOST_STEPS: Final = 288  # a day: five minutes each
Steps = Annotated[list[Any], Field(min_length=1, max_length=MOST_STEPS)]


class Pattern(Model):
    """A number by the time of the week: each day's list splits that day into equal parts.

    Exactly one of scale (factors) and set (values). `weekdays` and `weekend` stand for the days
    that are not named; a day without a list leaves the number as it is.
    """

    scale: str | None = None
    set: str | None = None
    weekdays: Steps | None = None
    weekend: Steps | None = None
    monday: Steps | None = None
    tuesday: Steps | None = None
    wednesday: Steps | None = None
    thursday: Steps | None = None
    friday: Steps | None = None
    saturday: Steps | None = None
    sunday: Steps | None = None
    note: str = ""

    @model_validator(mode="after")
    def _one_verb(self) -> Self:
        if (self.scale is None) == (self.set is None):
            given = "none" if self.scale is None else "both"
            raise ValueError(f"needs exactly one of set and scale; it has {given}")
        if not any(self.day(d) for d in range(7)):
            raise ValueError("names no day: give a list for monday, or for weekdays")
        return self

    @property
    def verb(self) -> str:
        """Which of set and scale it is."""
        return "set" if self.set is not None else "scale"

    @property
    def path(self) -> str:
        """The dotted path, wildcards and all."""
        path = self.set or self.scale
        assert path is not None
        return path

    def day(self, day: int) -> list[Any] | None:
        """The list of a day, 0 for Monday; None: the number stays as it is."""
        own: list[Any] | None = getattr(self, DAYS[day])
        return own if own is not None else self.weekdays if day < 5 else self.weekend

    def steps(self) -> int:
        """Parts of the week at most: what a week of it costs in segments."""
        return sum(len(self.day(d) or [None]) for d in range(7))


def week_edges(pattern: Pattern, start: dt.date, first: float, last: float) -> list[float]:
    """Weeks between first and last at which a pattern's number may change."""
    found: list[float] = []
    for week in range(int(np.floor(first)) - 1, int(np.ceil(last)) + 1):
        for d in range(7):
            n = len(pattern.day(d) or [None])
            # whole steps of the week in one division, so that equal times are equal numbers
            found += [((week * 7 + d - start.weekday()) * n + k) / (7.0 * n) for k in range(n)]
    return [w for w in found if first < w < last]


def laid_out(
    values: list[NDArray[np.float64] | None], start: dt.date, weeks: NDArray[np.float64]
) -> NDArray[np.float64]:
    """A pattern's numbers (one array a day, None: nan) at times; nan: as it is."""
    days = weeks * 7.0 + start.weekday()
    which = np.floor(days).astype(np.int64) % 7
    share = days - np.floor(days)
    out = np.full(len(weeks), np.nan)
    for d, steps in enumerate(values):
        if steps is not None:
            mine = which == d
            at = np.minimum((share[mine] * len(steps)).astype(np.int64), len(steps) - 1)
            out[mine] = steps[at]
    return out
