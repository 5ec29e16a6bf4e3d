"""What answers are made of: numbers and what is said of them.

Light, so that a figure of a saved answer is drawn of the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.estimate import Estimate, number
from simulator.analysis.names import FLIPS, STANDS, UNTOLD

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Target:
    """A metric that is to be at least (sign 1) or at most (sign -1) a level at a week."""

    metric: str
    sign: int
    level: float
    week: float
    text: str

    def margin(self, value: float) -> float:
        """How far a value is beyond the level; negative where it misses."""
        return self.sign * (value - self.level)

    @property
    def scale(self) -> float:
        """The size that margins are measured by."""
        return abs(self.level) or 1.0

    def to_json(self) -> dict[str, Any]:
        """Metric, sign, level, week."""
        return {
            "text": self.text,
            "metric": self.metric,
            "sign": ">=" if self.sign > 0 else "<=",
            "level": self.level,
            "week": self.week,
        }


@dataclass(frozen=True)
class Range:
    """An assumption: where it is, what it is held to be, and within what it may lie.

    Half of the weight lies on each side of the value, evenly: the middle world is as stated.
    """

    path: str
    value: float
    low: float
    high: float
    grade: str
    unit: str

    def at(self, u: Floats | float) -> Any:
        """The number at a share u of the weight, 0 to 1."""
        u = np.asarray(u)
        below = self.low + 2.0 * u * (self.value - self.low)
        above = self.value + (2.0 * u - 1.0) * (self.high - self.value)
        return np.where(u <= 0.5, below, above)

    def to_json(self) -> dict[str, Any]:
        """Numbers by name."""
        return {
            "path": self.path,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "grade": self.grade,
            "unit": self.unit,
        }


@dataclass(frozen=True)
class Knee:
    """The effort at which one more dollar stops paying; low, high: 95% bootstrap interval.

    where: "inside", "before" (pushing does not pay from the start) or "beyond" the range. One
    that never costs anything has no knee ("free").
    """

    where: str
    effort: float
    low: float
    high: float
    hurdle: float

    def to_json(self) -> dict[str, Any]:
        """Numbers by name."""
        return {
            "where": self.where,
            "effort": number(self.effort),
            "low": number(self.low),
            "high": number(self.high),
            "hurdle": number(self.hurdle),
        }


@dataclass(frozen=True)
class RidgePoint:
    """The best mix for a budget: multiples of today's efforts, what they cost, what they bring."""

    budget: float
    first: float
    second: float
    cost: float
    gain: float

    def to_json(self) -> dict[str, float]:
        """Numbers by name."""
        return {
            "budget": self.budget,
            "first": self.first,
            "second": self.second,
            "extra_cost": self.cost,
            "gain": self.gain,
        }


@dataclass(frozen=True)
class Span:
    """A stretch of time with one momentary bottleneck; NONE where no one is active."""

    start: float
    end: float
    owner: int
    shifting: tuple[int, ...] = ()


@dataclass(frozen=True)
class Section:
    """A difference and the parts that add up to it."""

    total: float
    parts: dict[str, float]

    def gap(self) -> float:
        """What the parts miss of the total; zero but for rounding."""
        return self.total - sum(self.parts.values())


@dataclass(frozen=True)
class Absorption:
    """Wins: what a straight line promises, what came, and what took the difference.

    parts: by "saturation" or "stage: reason", in wins; straight_line = actual + sum of parts.
    """

    straight_line: float
    actual: float
    parts: dict[str, float]

    def largest(self, n: int = 2) -> list[tuple[str, float]]:
        """The largest parts and their shares of all that was absorbed; none if nothing was."""
        taken = {k: v for k, v in self.parts.items() if v > 0}
        total = sum(taken.values())
        names = sorted(taken, key=lambda k: -taken[k])[:n]
        return [(name, taken[name] / total) for name in names]

    def worst(self) -> tuple[str, float] | None:
        """The largest of them; None if nothing was absorbed."""
        return next(iter(self.largest(1)), None)


class Gained(Protocol):
    """A difference of two systems, of a run or read again."""

    @property
    def gain(self) -> Estimate:
        """Second minus first."""
        ...


D = TypeVar("D", bound=Gained)


@dataclass(frozen=True)
class Ends(Generic[D]):
    """What comes at both ends of an assumption's range, all others as stated."""

    range: Range
    low: D
    high: D

    @property
    def swing(self) -> float:
        """How far apart the ends are."""
        return abs(self.high.gain.mean - self.low.gain.mean)


@dataclass(frozen=True)
class Standing(Ends[D]):
    """The verdict with one assumption at both ends of its range, all others as stated.

    low, high: the second side less the first, of the outcome, at equal spend; said: what becomes
    of the verdict at each end; turns: the value at which it does, on a straight line; else None.
    """

    said: tuple[str, str]
    turns: float | None

    @property
    def worst(self) -> str:
        """What becomes of the verdict at the worse end."""
        return max(self.said, key=(STANDS, UNTOLD, FLIPS).index)


@dataclass(frozen=True)
class Needed(Generic[D]):
    """What must hold. kind: lever (we set it) or state (it follows).

    needed: at least (sign 1) or at most (-1); worth: what the first target's metric loses where it
    is taken back; confidence: share of runs in which all targets are met while it holds.
    """

    name: str
    kind: str
    sign: int
    today: float
    needed: float
    unit: str
    confidence: float
    worth: D | None

    @property
    def gap(self) -> float:
        """How far today is from it."""
        return max(0.0, self.sign * (self.needed - self.today))
