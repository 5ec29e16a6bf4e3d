"""Results as figures read them, of a saved answer: the numbers, without what made them.

They have the names and the short methods of the results in `simulator.analysis`, and load none of
the engines; tests hold the two against each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.course import Course
from simulator.analysis.estimate import Estimate
from simulator.analysis.factorial import Crossed
from simulator.analysis.flows import Flows
from simulator.analysis.hours import TeamHours
from simulator.analysis.lead import leader
from simulator.analysis.parts import Absorption, Knee, Section, Span
from simulator.analysis.shown import Judged
from simulator.vocabulary import YEAR

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Named:
    """Of a scenario: its name and currency."""

    name: str
    currency: str


@dataclass(frozen=True)
class Frame:
    """Of a System: the names and the grid, none of the physics."""

    scenario: Named
    grid: Floats
    horizon: float
    team_names: tuple[str, ...]
    stage_names: tuple[str, ...]

    @property
    def name(self) -> str:
        """The scenario's."""
        return self.scenario.name


@dataclass(frozen=True)
class Difference:
    """Second minus first."""

    gain: Estimate
    relative: Estimate
    ratio: float
    p: float


@dataclass(frozen=True)
class Arm:
    """One system of a comparison."""

    name: str
    role: str
    written: bool
    equal: bool
    intensity: float
    extra_cost: float
    metrics: dict[str, Estimate]
    gain: Difference | None
    p: float | None
    ledger: dict[str, Section] | None
    absorption: Absorption | None
    system: Frame
    bands: Floats
    gain_bands: Floats | None
    pace: Floats
    flows: Flows
    leads: Floats
    wins: Floats
    hours: TeamHours
    course: Course

    @property
    def cost_a_year(self) -> float:
        """Extra cost as currency a year."""
        return self.extra_cost / self.system.horizon * YEAR

    def by_quarter(self) -> TeamHours:
        """Teams' hours by quarter."""
        return self.hours


@dataclass(frozen=True)
class Verdict:
    """Who wins."""

    code: str
    best: str | None
    contrast: Difference | None
    push: str | None
    fix: str | None


@dataclass(frozen=True)
class Comparison(Judged):
    """Today and its variants."""

    week: float
    spend: float | None
    arms: tuple[Arm, ...]
    verdict: Verdict
    notes: tuple[str, ...]
    crossed: Crossed | None

    @property
    def today(self) -> Arm:
        """The arm that the others are held against."""
        return self.arms[0]

    def written(self) -> list[Arm]:
        """The variants as they are in their files."""
        return [a for a in self.arms[1:] if a.written]

    def equal(self) -> list[Arm]:
        """The variants at equal spend."""
        return [a for a in self.arms[1:] if a.equal]


@dataclass(frozen=True)
class Point:
    """One level of effort."""

    effort: float
    extra_cost: float
    output: Estimate
    gain: Difference | None
    straight: float
    marginal: float
    absorption: Absorption | None


@dataclass(frozen=True)
class Curve(Judged):
    """Output against one effort."""

    path: str
    currency: str
    points: tuple[Point, ...]
    knee: Knee
    weeks: float
    at: str


@dataclass(frozen=True)
class Relief:
    """A little help for one thing."""

    name: str
    kind: str
    what: str
    stated: bool


@dataclass(frozen=True)
class Candidate:
    """A relief and what it brought."""

    relief: Relief
    extra_cost: float
    gain: Difference
    p: float
    per_dollar: float
    low: float
    high: float
    tied: bool


@dataclass(frozen=True)
class Bottleneck:
    """The active period method over replications."""

    teams: tuple[str, ...]
    sole: tuple[Estimate, ...]
    shifting: tuple[Estimate, ...]
    strip: tuple[Span, ...]
    worst: str | None

    @property
    def share(self) -> Floats:
        """Sole and shifting together, by team."""
        return np.array([a.mean + b.mean for a, b in zip(self.sole, self.shifting, strict=True)])


@dataclass(frozen=True)
class Sum:
    """What all steps so far gained."""

    gain: Estimate


@dataclass(frozen=True)
class Step:
    """One relief bought."""

    name: str
    spent: float
    total: Sum


@dataclass(frozen=True)
class Next:
    """The constraint that is left."""

    relief: Relief


@dataclass(frozen=True)
class Path:
    """Reliefs bought one after the other."""

    budget: float
    steps: tuple[Step, ...]
    stretches: tuple[tuple[str, float, float], ...]
    then: Next | None


@dataclass(frozen=True)
class Constraint(Judged):
    """Candidates, best first, and how busy everything was."""

    currency: str
    candidates: tuple[Candidate, ...]
    system: Frame
    waiting: Floats
    weeks: float
    skipped: tuple[str, ...]
    hours: TeamHours
    told: tuple[dict[str, Any], ...]
    bottleneck: Bottleneck | None
    path: Path | None

    @property
    def best(self) -> Candidate | None:
        """The constraint, if any relief brings anything."""
        return leader(self.candidates)

    def teams(self) -> list[dict[str, Any]]:
        """Each team's utilisation and queue."""
        return [dict(t) for t in self.told]

    def by_quarter(self) -> TeamHours:
        """Teams' hours by quarter."""
        return self.hours


def number(value: Any) -> float:
    """A number of JSON; nan for null."""
    return math.nan if value is None else float(value)


def numbers(values: list[Any]) -> Floats:
    """Numbers of JSON."""
    return np.array([number(v) for v in values])
