"""What a comparison found: an arm for each system, and a verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.course import Course
from simulator.analysis.estimate import Estimate, number
from simulator.analysis.factorial import Crossed
from simulator.analysis.flows import Flows
from simulator.analysis.hours import TeamHours, team_hours
from simulator.analysis.ledger import Ledger
from simulator.analysis.paired import Difference
from simulator.analysis.parts import Absorption
from simulator.analysis.shown import Judged, Shown
from simulator.system import System
from simulator.vocabulary import YEAR

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Arm:
    """One system of a comparison and what came of it.

    written: levers as in the file; equal: levers scaled to the common spend. gain: of the outcome
    against today; p: adjusted for the number of variants (Holm). bands: (T, 3) mean, low, high of
    ARR; used, waiting, leads, wins: means over replications, (T, M), (T, S), (T,), (T,).
    gain_bands: as bands, of ARR less today's, paired. pace: as bands, wins of the 13 weeks before
    each time (NaN before week 13): of today, or of others less today's. hours: computed if None.
    """

    name: str
    role: str
    written: bool
    equal: bool
    intensity: float
    extra_cost: float
    metrics: dict[str, Estimate]
    gain: Difference | None
    p: float | None
    ledger: Ledger | None
    absorption: Absorption | None
    system: System
    bands: Floats
    used: Floats
    waiting: Floats
    leads: Floats
    wins: Floats
    pace: Floats
    flows: Flows
    gain_bands: Floats | None = None
    hours: TeamHours | None = None
    course: Course = field(default_factory=Course)

    def by_quarter(self) -> TeamHours:
        """Teams' hours by quarter."""
        return self.hours or team_hours(self.system, self.used, self.waiting)

    def series(self) -> dict[str, Any]:
        """By week: ARR and its gain against today with their bands; leads and wins so far."""
        bands = {"arr": self.bands, "quarter_wins": self.pace}
        bands |= {} if self.gain_bands is None else {"gain": self.gain_bands}
        named = {
            key: {k: [number(float(x)) for x in band[:, j]] for j, k in enumerate(_BAND)}
            for key, band in bands.items()
        }
        sums = {"leads": self.leads, "wins": self.wins}
        return {
            "week": [float(t) for t in self.system.grid],
            **named,
            **{key: [number(float(x)) for x in values] for key, values in sums.items()},
        }

    @property
    def cost_a_year(self) -> float:
        """Extra cost as currency a year."""
        return self.extra_cost / self.system.horizon * YEAR

    def to_json(self) -> dict[str, Any]:
        """Numbers by name; null where undefined."""
        return {
            "name": self.name,
            "role": self.role,
            "as_written": self.written,
            "equal_spend": self.equal,
            "intensity": self.intensity,
            "extra_cost": self.extra_cost,
            "extra_cost_a_year": self.cost_a_year,
            "gain": None if self.gain is None else self.gain.to_json(),
            "p_adjusted": self.p,
            "metrics": {k: v.to_json() for k, v in self.metrics.items()},
            "ledger": None
            if self.ledger is None
            else {
                k: {"total": v.total, "parts": v.parts, "gap": v.gap()}
                for k, v in self.ledger.items()
            },
            "absorption": None
            if self.absorption is None
            else {
                "straight_line_wins": self.absorption.straight_line,
                "actual_wins": self.absorption.actual,
                "parts": self.absorption.parts,
            },
            "flows": self.flows.to_json(),
            "course": self.course.to_json(),
            "series": self.series(),
            "hours": self.by_quarter().to_json(),
        }


_BAND = ("mean", "low", "high")


@dataclass(frozen=True)
class Verdict:
    """push_wins, fix_wins, no_difference_found, or gain_found / loss_found for a lone variant."""

    code: str
    best: str | None
    contrast: Difference | None = None
    push: str | None = None
    fix: str | None = None


@dataclass(frozen=True)
class Comparison(Judged, Shown):
    """Today and its variants. arms[0] is today."""

    week: float
    spend: float | None
    arms: tuple[Arm, ...]
    verdict: Verdict
    notes: tuple[str, ...]
    assumptions: tuple[dict[str, Any], ...] = ()
    crossed: Crossed | None = None

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

    @property
    def sentences(self) -> list[str]:
        """The answer in words, made from the numbers."""
        from simulator.analysis.words import comparison_sentences

        return comparison_sentences(self)

    def to_json(self) -> dict[str, Any]:
        """The whole comparison; every number of the sentences is in it."""
        v = self.verdict
        return {
            "kind": "comparison",
            "study": self.name,
            "outcome": self.outcome,
            "week": self.week,
            **self.found_by(),
            "currency": self.today.system.scenario.currency,
            "weeks": self.today.system.horizon,
            "equal_spend": self.spend,
            "equal_spend_a_year": None
            if self.spend is None
            else self.spend / self.today.system.horizon * YEAR,
            "verdict": {
                "code": v.code,
                "best": v.best,
                "push": v.push,
                "fix": v.fix,
                "fix_minus_push": None if v.contrast is None else v.contrast.to_json(),
                "sentences": self.sentences,
            },
            "arms": [a.to_json() for a in self.arms],
            "two_by_two": None if self.crossed is None else self.crossed.to_json(),
            "notes": list(self.notes),
            "assumptions": list(self.assumptions),
        }

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Rows for CSV and Parquet: arms, metrics, ledger, series."""
        arms, metrics, books, series = [], [], [], []
        for a in self.arms:
            key = {"arm": a.name, "equal_spend": a.equal, "as_written": a.written}
            gain = {} if a.gain is None else a.gain.gain.to_json()
            arms.append(
                key
                | {"role": a.role, "intensity": a.intensity, "extra_cost": a.extra_cost}
                | {f"gain_{k}": v for k, v in gain.items()}
                | {"p_adjusted": a.p}
            )
            metrics += [key | {"metric": k} | v.to_json() for k, v in a.metrics.items()]
            for section, s in (a.ledger or {}).items():
                books += [
                    key | {"section": section, "part": k, "value": v} for k, v in s.parts.items()
                ]
            for k, t in enumerate(a.system.grid):
                series.append(
                    key
                    | {"week": float(t), "leads": float(a.leads[k]), "wins": float(a.wins[k])}
                    | dict(zip(("arr", "arr_low", "arr_high"), map(float, a.bands[k]), strict=True))
                )
        return {"arms": arms, "metrics": metrics, "ledger": books, "series": series}
