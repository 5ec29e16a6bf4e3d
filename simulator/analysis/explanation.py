"""What `explain` answers: parts that add up, their tables, and the answer in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.estimate import Estimate, number
from simulator.analysis.growth import ALIGNMENT_LED, EFFORT_LED, GROUPS, Factor
from simulator.analysis.paired import Difference, estimate
from simulator.analysis.shown import Judged, Shown
from simulator.analysis.words import change, money, spoken
from simulator.analysis.words import how_known as how
from simulator.spec.schema import Scenario
from simulator.vocabulary import describe

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """What a mechanism adds to the difference; negative: takes from it."""

    name: str
    adds: Estimate


@dataclass(frozen=True)
class Growth:
    """Growth of bookings by factor: R replications, Q quarters, F factors.

    weeks: (Q + 1,) edges; before, after: (R, Q) bookings; parts: (R, Q, F), adding up to
    after - before.
    """

    weeks: Floats
    factors: tuple[Factor, ...]
    before: Floats
    after: Floats
    parts: Floats

    @property
    def total(self) -> Estimate:
        """Of all quarters."""
        return estimate((self.after - self.before).sum(axis=1))

    def of(self, groups: tuple[str, ...], quarter: int | None = None) -> Estimate:
        """What some groups of factors add, in a quarter or in all."""
        mine = [f.group in groups for f in self.factors]
        chosen = self.parts[:, :, mine] if quarter is None else self.parts[:, [quarter]][:, :, mine]
        return estimate(chosen.sum(axis=(1, 2)))

    def by_factor(self) -> list[tuple[Factor, Estimate]]:
        """What each factor adds in all quarters; those that never add anything left out."""
        return [
            (f, estimate(self.parts[:, :, i].sum(axis=1)))
            for i, f in enumerate(self.factors)
            if self.parts[:, :, i].any()
        ]

    def gap(self) -> float:
        """The most by which parts miss a quarter's growth, over its bookings; rounding only."""
        miss = np.abs(self.parts.sum(axis=2) - (self.after - self.before))
        return float((miss / np.maximum(1.0, np.maximum(self.before, self.after))).max(initial=0.0))

    def quarters(self) -> list[dict[str, Any]]:
        """A row a quarter: bookings, growth, its groups, what effort led and what alignment."""
        rows: list[dict[str, Any]] = []
        for q in range(self.parts.shape[1]):
            groups = {g: self.of((g,), q).mean for g in GROUPS}
            effort, alignment = self.of(EFFORT_LED, q), self.of(ALIGNMENT_LED, q)
            rows.append(
                {
                    "from_week": float(self.weeks[q]),
                    "to_week": float(self.weeks[q + 1]),
                    "before": float(self.before[:, q].mean()),
                    "after": float(self.after[:, q].mean()),
                    "growth": float((self.after - self.before)[:, q].mean()),
                    "effort_led": effort.mean,
                    "effort_led_half": number(effort.half),
                    "alignment_led": alignment.mean,
                    "alignment_led_half": number(alignment.half),
                }
                | groups
            )
        return rows

    def to_json(self) -> dict[str, Any]:
        """All growth, by group, factor and quarter."""
        return {
            "growth": self.total.to_json(),
            "effort_led": self.of(EFFORT_LED).to_json(),
            "alignment_led": self.of(ALIGNMENT_LED).to_json(),
            "groups": {g: self.of((g,)).to_json() for g in GROUPS},
            "factors": [
                {"stage": f.stage or None, "step": f.step, "group": f.group} | e.to_json()
                for f, e in self.by_factor()
            ],
            "gap": self.gap(),
            "quarters": self.quarters(),
        }


@dataclass(frozen=True)
class Gauge:
    """Alignment of one scenario by quarter, 0 to 100; nan where undefined. Each (R, Q)."""

    weeks: Floats
    internal: Floats
    market: Floats

    def mean(self, name: str) -> Estimate:
        """Over the run."""
        values: Floats = getattr(self, name)
        return estimate(values.mean(axis=1))

    def to_json(self) -> dict[str, Any]:
        """Means over the run and by quarter; null where undefined."""
        return {
            name: self.mean(name).to_json()
            | {"quarters": [number(float(x)) for x in getattr(self, name).mean(axis=0)]}
            for name in ("internal", "market")
        }


@dataclass(frozen=True)
class Explanation(Judged, Shown):
    """A variant less today, taken apart.

    difference = baseline (no mechanism at work) + sum of mechanisms (+ together, where they are
    taken one at a time). queues: what one team's queue alone adds; they do not add up. trends,
    gauges: today's, then the variant's.
    """

    variant: str
    currency: str
    week: float
    method: str
    difference: Difference
    baseline: Estimate
    mechanisms: tuple[Part, ...]
    together: Estimate | None
    queues: tuple[Part, ...]
    growth: Growth
    trends: tuple[Growth, ...]
    gauges: tuple[Gauge, ...]
    notes: tuple[str, ...]
    scenario: Scenario
    changed: Scenario

    def gap(self) -> float:
        """What the parts miss of the difference; rounding only."""
        rest = self.together.mean if self.together is not None else 0.0
        parts = math.fsum(p.adds.mean for p in self.mechanisms)
        return self.difference.gain.mean - self.baseline.mean - parts - rest

    @property
    def sentences(self) -> list[str]:
        """The answer in words, made from the numbers."""
        found = [f"{self.variant} {change(self.difference, self.outcome, self.currency)}."]
        found += [*self._mechanisms(), self._growth(), *self._gauges(), *map(_said, self.notes)]
        return [*found, how(self.replications, self.engine, self.seed, self.reason)]

    def _amount(self, e: Estimate) -> str:
        if describe(self.outcome).unit == "money":
            return f"{money(e.mean, self.currency)} ± {money(e.half, self.currency)}"
        return f"{e.mean:.3g} ± {e.half:.2g}"

    def _change(self, e: Estimate) -> str:
        return ("+" if e.mean >= 0 else "") + self._amount(e)

    def _worth_saying(self, e: Estimate) -> bool:
        """Beyond chance, and at least a thousandth of today's outcome."""
        return abs(e.mean) > max(e.half, 1e-3 * abs(self.difference.base))

    def _mechanisms(self) -> list[str]:
        if not self.mechanisms:
            return ["No mechanism that could be switched off is at work."]
        sure = [p for p in self.mechanisms if self._worth_saying(p.adds)]
        sure.sort(key=lambda p: -abs(p.adds.mean))
        text = f"With none of its {len(self.mechanisms)} mechanisms at work the difference would "
        text += f"be {self._amount(self.baseline)}"
        if sure:
            most = [f"{spoken(p.name)} {self._change(p.adds)}" for p in sure[:3]]
            text += f"; what changes it most is {', '.join(most)}"
        else:
            text += "; no single mechanism's part can be told from nothing"
        found = [f"{text}."]
        if self.together is not None and self._worth_saying(self.together):
            found.append(
                f"That is each switched off alone; {self._amount(self.together)} is what several "
                "do only together (method shapley shares it out)."
            )
        worst = [p for p in self.queues if self._worth_saying(p.adds)]
        if worst:
            p = max(worst, key=lambda p: abs(p.adds.mean))
            team = spoken(p.name.split(".", 1)[1])
            size = self._change(p.adds)
            found.append(f"The queue that matters most is that of team {team}, alone {size}.")
        return found

    def _growth(self) -> str:
        g = self.growth
        effort, alignment = g.of(EFFORT_LED), g.of(ALIGNMENT_LED)
        volume, capacity = g.of(("volume",)), g.of(("capacity",))
        text = (
            f"Bookings change by {self._money(g.total)}: {self._money(effort)} is effort-led "
            f"(volume {_signed(volume, self.currency)}, capacity "
            f"{_signed(capacity, self.currency)}) and {self._money(alignment)} alignment-led"
        )
        groups = {k: g.of((k,)) for k in ALIGNMENT_LED}
        sure = {k: e for k, e in groups.items() if abs(e.mean) > e.half}
        if sure:
            top = max(sure, key=lambda k: abs(sure[k].mean))
            text += f", most by {_GROUP[top]} ({_signed(sure[top], self.currency)})"
        stuck = [(f, e) for f, e in g.by_factor() if f.group == "capacity" and e.mean < -e.half]
        if stuck:
            f, e = min(stuck, key=lambda item: item[1].mean)
            text += (
                f"; capacity is lost most at {spoken(f.stage)}, {_STEP[f.step]} "
                f"({_signed(e, self.currency)})"
            )
        return f"{text}."

    def _money(self, e: Estimate) -> str:
        return f"{money(e.mean, self.currency)} ± {money(e.half, self.currency)}"

    def _gauges(self) -> list[str]:
        clauses = []
        for name in ("internal", "market"):
            a, b = (gauge.mean(name) for gauge in self.gauges)
            if math.isfinite(a.mean) and math.isfinite(b.mean):
                clauses.append(f"{name} alignment {b.mean:.0f} ({a.mean:.0f} today)")
        if not clauses:
            return []
        return [f"Of 100, {' and '.join(clauses)}, over the run."]

    def to_json(self) -> dict[str, Any]:
        """Everything; every number of the sentences is in it."""
        return {
            "kind": "explanation",
            "scenario": self.name,
            "variant": self.variant,
            "outcome": self.outcome,
            "week": self.week,
            **self.found_by(),
            "currency": self.currency,
            "difference": self.difference.to_json(),
            "mechanisms": {
                "method": self.method,
                "baseline": self.baseline.to_json(),
                "parts": {p.name: p.adds.to_json() for p in self.mechanisms},
                "interaction": None if self.together is None else self.together.to_json(),
                "gap": self.gap(),
                "queues_alone": {p.name: p.adds.to_json() for p in self.queues},
            },
            "bookings": self.growth.to_json(),
            "trends": {k: g.to_json() for k, g in zip(_SIDES, self.trends, strict=True)},
            "gauges": {k: g.to_json() for k, g in zip(_SIDES, self.gauges, strict=True)},
            "notes": list(self.notes),
            "sentences": self.sentences,
        }

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Rows for CSV and Parquet: mechanisms, queues, bookings, factors, trends, gauges."""
        rows = [{"part": "baseline"} | self.baseline.to_json()]
        rows += [{"part": p.name} | p.adds.to_json() for p in self.mechanisms]
        if self.together is not None:
            rows.append({"part": "interaction"} | self.together.to_json())
        rows.append({"part": "difference"} | self.difference.gain.to_json())
        gauges = [
            {
                "scenario": side,
                "from_week": float(gauge.weeks[q]),
                "to_week": float(gauge.weeks[q + 1]),
                "internal": number(float(gauge.internal[:, q].mean())),
                "market": number(float(gauge.market[:, q].mean())),
            }
            for side, gauge in zip(_SIDES, self.gauges, strict=True)
            for q in range(gauge.internal.shape[1])
        ]
        return {
            "mechanisms": rows,
            "queues": [{"queue": p.name} | p.adds.to_json() for p in self.queues],
            "bookings": self.growth.quarters(),
            "factors": [
                {"stage": f.stage, "step": f.step, "group": f.group} | e.to_json()
                for f, e in self.growth.by_factor()
            ],
            "trends": [
                {"scenario": side} | row
                for side, g in zip(_SIDES, self.trends, strict=True)
                for row in g.quarters()
            ],
            "gauges": gauges,
        }


_SIDES = ("today", "variant")
_GROUP = {
    "handoffs": "what handoffs refuse",
    "odds": "the odds at the stages",
    "decision": "the buyer's decision",
    "cycle": "the cycle",
    "price": "the price",
}
_STEP = {"waiting": "still waiting", "cold": "gone cold"}


def _signed(e: Estimate, currency: str) -> str:
    return ("+" if e.mean >= 0 else "") + money(e.mean, currency)


def _said(note: str) -> str:
    return f"{note[0].upper()}{note[1:]}."


@dataclass(frozen=True)
class StudyExplanation(Shown):
    """Every variant of a study explained, by its file."""

    name: str
    parts: dict[str, Explanation]
    stopped: str = ""
    kind: str = "explanations"

    @property
    def sentences(self) -> list[str]:
        """Of each variant in turn."""
        return [s for part in self.parts.values() for s in part.sentences]

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Each variant's, in the same tables."""
        found: dict[str, list[dict[str, Any]]] = {}
        for part in self.parts.values():
            for title, rows in part.tables.items():
                found.setdefault(title, []).extend({"variant": part.variant} | r for r in rows)
        return found

    @property
    def reason(self) -> str:
        """Why it ended."""
        reasons = [part.reason for part in self.parts.values()]
        return self.stopped or next((r for r in reasons if r.startswith("interrupted")), reasons[0])

    def to_json(self) -> dict[str, Any]:
        """The explanations whole, and what they share."""
        first = next(iter(self.parts.values()))
        return {
            "kind": self.kind,
            "study": self.name,
            "engine": first.engine,
            "seed": first.seed,
            "replications": max(p.replications for p in self.parts.values()),
            "stopped": self.reason,
            "explanations": {stem: part.to_json() for stem, part in self.parts.items()},
            "sentences": self.sentences,
        }
