"""Decisions as figures read them, of a saved answer: what must be true, what it rests on, where
it flips, how a forecast did.

As in `simulator.report.kept`, the names are those of the results, and no engine is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator.analysis.estimate import Estimate
from simulator.analysis.information import Worth
from simulator.analysis.parts import Ends, Needed, Range, RidgePoint, Standing, Target
from simulator.analysis.shown import Asked, Judged
from simulator.report.kept import Curve, Difference, Floats


@dataclass(frozen=True)
class Knob:
    """A lever's name."""

    name: str


@dataclass(frozen=True)
class Lone:
    """One lever alone."""

    knob: Knob
    reaches: bool
    at: float
    best: tuple[float, ...]
    cost: float | None


@dataclass(frozen=True)
class Confirmed:
    """A set of levers by runs. moved: its levers and where they go, as its JSON has them."""

    names: tuple[str, ...]
    cost: float
    reached: tuple[Estimate, ...]
    status: str
    moved: tuple[dict[str, Any], ...]

    def moves(self) -> list[dict[str, Any]]:
        """How far each lever is pulled."""
        return list(self.moved)


class Condition(Needed[Difference]):
    """What must hold."""


@dataclass(frozen=True)
class Sought(Asked):
    """The sets that reach targets, and what must hold."""

    currency: str
    weeks: float
    targets: tuple[Target, ...]
    today: tuple[Estimate, ...]
    most_levers: int
    lone: tuple[Lone, ...]
    sets: tuple[Confirmed, ...]
    answer: Confirmed | None
    nearest: Confirmed | None
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Bar(Ends[Difference]):
    """The outcome at both ends of an assumption's range; told: whether either is beyond chance."""

    told: bool


@dataclass(frozen=True)
class Split:
    """Chance's share of the variance."""

    share: float


@dataclass(frozen=True)
class Sensitivity(Judged):
    """Bars, the widest first."""

    currency: str
    base: Estimate
    bars: tuple[Bar, ...]
    split: Split | None


class Stand(Standing[Difference]):
    """The verdict at both ends of an assumption's range."""


@dataclass(frozen=True)
class Robustness(Judged):
    """A study's verdict over every assumption's range."""

    currency: str
    sides: tuple[str, str]
    verdict: str
    base: Difference
    spend: float | None
    bars: tuple[Stand, ...]
    weeks: float

    def of(self, said: str) -> list[Stand]:
        """The bars at whose worse end the verdict stands, is untold, or flips."""
        return [b for b in self.bars if b.worst == said]


@dataclass(frozen=True)
class Limit:
    """One side or both of a box."""

    index: int
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Box:
    """Where cases of interest are; sound: whether it also holds on halves it is not from."""

    limits: tuple[Limit, ...]
    sound: bool


@dataclass(frozen=True)
class Named:
    """One of the two choices."""

    name: str


@dataclass(frozen=True)
class Worlds(Judged):
    """Push against fix in sampled worlds, of which the histogram is kept."""

    currency: str
    sides: tuple[Named, Named]
    over: tuple[Range, ...]
    count: int
    share: Estimate
    bins: dict[str, list[float]]
    boxes: tuple[Box, ...]
    of: str
    information: tuple[Worth, ...]

    def histogram(self) -> dict[str, list[float]]:
        """How many worlds there are by what the fix brings more than the push."""
        return self.bins

    def holds_up(self, box: Box) -> bool:
        """Whether a box also holds on halves it is not from."""
        return box.sound


@dataclass(frozen=True)
class Curves(Judged):
    """One curve an effort, the best first step per dollar first."""

    currency: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class Isoquant(Judged):
    """Outcomes over a grid of two efforts, smoothed; levels, heights: as they are drawn."""

    efforts: tuple[str, str]
    currency: str
    today: float
    levels: Floats
    heights: Floats
    ridge: tuple[RidgePoint, ...]
    best: RidgePoint | None
    weeks: float

    @property
    def hills(self) -> tuple[Floats, Floats]:
        """Levels of both efforts (k,) and the smoothed outcome over them (k, k)."""
        return self.levels, self.heights


@dataclass(frozen=True)
class Weekly:
    """Ends by week: what came, and what each method foretold."""

    actual: tuple[float, ...]
    forecast: dict[str, tuple[float, ...]]
    low: tuple[float, ...]
    high: tuple[float, ...]
    wape: dict[str, float]


@dataclass(frozen=True)
class Origin:
    """One origin of a back-test."""

    date: str
    days: float
    weekly: tuple[Weekly, ...]
    open_: dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class Trial:
    """Forecasts from several origins."""

    origins: tuple[Origin, ...]


@dataclass(frozen=True)
class TrialResult:
    """A back-test, and of what."""

    trial: Trial
    source: str
