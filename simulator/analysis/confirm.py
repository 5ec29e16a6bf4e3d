"""What a search found, held against runs: are the targets reached, and what must hold for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.ensemble import Ensemble
from simulator.analysis.estimate import Estimate, number
from simulator.analysis.knobs import Knob, pulled
from simulator.analysis.paired import Difference, difference, estimate
from simulator.analysis.parts import Needed, Target
from simulator.analysis.runs import FIRST, one_run
from simulator.analysis.search import Found, Space, lean, solve
from simulator.analysis.spend import planned_cost
from simulator.analysis.words import said
from simulator.metrics import measure
from simulator.spec.paths import leaves
from simulator.spec.schema import Scenario
from simulator.spec.values import in_the_end
from simulator.system import System, build

Floats = NDArray[np.float64]
BEGIN, STRIDE = 20, 10
BUSY = 0.5  # teams below this share of their hours are no condition
MOVED = 0.02  # a state that changes by less is none


@dataclass(frozen=True)
class Confirmed:
    """A set of levers by runs. reached: each target's metric; chance: share of runs with all met.

    status: "confirmed" (every interval is beyond its level), "not told apart" (some interval has
    the level in it) or "missed". index: of the system in the hall.
    """

    names: tuple[str, ...]
    knobs: tuple[Knob, ...]
    x: tuple[float, ...]
    cost: float
    reached: tuple[Estimate, ...]
    predicted: tuple[float, ...]
    chance: float
    status: str
    index: int
    scenario: Scenario

    def moves(self) -> list[dict[str, Any]]:
        """How far each lever is pulled, and what its numbers become."""
        return [
            {"lever": n, "extent": x, "settings": _settings(k, x, self.scenario)}
            for n, k, x in zip(self.names, self.knobs, self.x, strict=True)
        ]

    def to_json(self, targets: Sequence[Target]) -> dict[str, Any]:
        """Numbers by name."""
        return {
            "levers": self.moves(),
            "extra_cost": self.cost,
            "targets": [
                {"target": t.text, "predicted": number(p), "level": t.level} | e.to_json()
                for t, e, p in zip(targets, self.reached, self.predicted, strict=True)
            ],
            "share_of_runs_that_reach": self.chance,
            "status": self.status,
        }


def _settings(knob: Knob, x: float, scenario: Scenario) -> list[dict[str, Any]]:
    """What a knob's numbers are and what they become."""
    before = leaves(in_the_end(scenario))
    after = leaves(in_the_end(pulled(scenario, [(knob, x)])))
    currency = scenario.currency
    found = []
    for path in knob.paths(scenario):
        a, b = before[path], after[path]
        kind = a.quantity
        found.append(
            {
                "path": path,
                "today": a.value,
                "becomes": b.value,
                "was": said(a.value, kind, currency),
                "text": said(b.value, kind, currency),
            }
        )
    return found


@dataclass(frozen=True)
class Condition(Needed[Difference]):
    """What must hold for a set of levers to reach the targets."""

    def to_json(self) -> dict[str, Any]:
        """Numbers by name."""
        return {
            "condition": self.name,
            "kind": self.kind,
            "sign": ">=" if self.sign > 0 else "<=",
            "needed": number(self.needed),
            "today": number(self.today),
            "gap": number(self.gap),
            "unit": self.unit,
            "confidence": self.confidence,
            "worth": None if self.worth is None else self.worth.to_json(),
        }

    def row(self) -> dict[str, Any]:
        """The same, flat."""
        found = self.to_json()
        found.pop("worth")
        if self.worth is not None:
            found |= {f"worth_{k}": v for k, v in self.worth.gain.to_json().items()}
        return found


class Hall:
    """Runs of a few systems, side by side on the same random numbers, kept for later questions."""

    def __init__(
        self,
        scenario: Scenario,
        targets: Sequence[Target],
        engine: str,
        seed: int,
        *,
        precision: float,
        fixed: int | None,
        most: int,
        jobs: int,
        progress: Callable[[int], None] | None,
        ensemble: Ensemble | None = None,
    ) -> None:
        self.scenario, self.targets, self.engine, self.seed = scenario, targets, engine, seed
        self.precision, self.fixed, self.most = precision, fixed, max(most, FIRST)
        self.jobs, self.progress = jobs, progress
        self.ensemble = ensemble
        self.scenarios: list[Scenario] = []
        self.rows: list[list[dict[str, float]]] = []
        self.short = ""
        self.base_cost = planned_cost(build(scenario))

    @property
    def made(self) -> int:
        """Runs there are."""
        return sum(len(r) for r in self.rows)

    @property
    def count(self) -> int:
        """Replications of today."""
        return len(self.rows[0])

    @property
    def reason(self) -> str:
        """Why there are no more."""
        if self.fixed is not None:
            return "number given"
        return "precision reached" if not self.short else self.short

    def add(self, scenario: Scenario) -> int:
        """One more scenario to run; its index."""
        self.scenarios.append(scenario)
        self.rows.append([])
        return len(self.scenarios) - 1

    def _systems(self, i: int) -> Callable[[int], System]:
        """What a replication of a scenario runs: of an ensemble, one of its sets in turn."""
        scenario, sets = self.scenarios[i], self.ensemble
        if sets is None:
            system = build(scenario)
            return lambda _: system
        n = min(self.fixed or self.most, len(sets))
        return lambda r: build(sets.scenario(scenario, (r % n) * len(sets) // n))

    def _extend(self, i: int, upto: int) -> None:
        from concurrent.futures import ThreadPoolExecutor

        system, have = self._systems(i), len(self.rows[i])
        upto = 1 if self.engine == "flow" else upto

        def one(r: int) -> dict[str, float]:
            record = one_run(system(r), self.engine, self.seed, r)
            found = measure(record)
            for k, t in enumerate(self.targets):
                found[f"target {k}"] = measure(record, t.week)[t.metric]
            return found

        with ThreadPoolExecutor(self.jobs) as pool:
            self.rows[i] += list(pool.map(one, range(have, upto)))
        if self.progress is not None:
            self.progress(max(len(r) for r in self.rows))

    def value(self, i: int, target: int, r: int) -> float:
        """A target's metric in a replication, run if it has not been."""
        if len(self.rows[i]) <= r:
            self._extend(i, r + STRIDE)
        return self.rows[i][r][f"target {target}"]

    def values(self, i: int, name: str) -> Floats:
        """A metric by replication."""
        return np.array([row[name] for row in self.rows[i]])

    def reached(self, i: int) -> list[Estimate]:
        """Every target's metric."""
        return [estimate(self.values(i, f"target {k}")) for k in range(len(self.targets))]

    def run(self, scenario: Scenario, name: str) -> int:
        """Run a scenario until its targets' metrics are known to the precision; its index."""
        i = self.add(scenario)
        self._extend(i, self.fixed or min(BEGIN, self.most))
        while self.fixed is None and self.engine != "flow":
            wide = [
                (t, e)
                for t, e in zip(self.targets, self.reached(i), strict=True)
                if not e.half <= self.precision * t.scale
            ]
            if not wide:
                break
            if len(self.rows[i]) >= self.most:
                t, e = wide[0]
                self.short = (
                    f"maximum of {self.most} reached before the precision "
                    f"({t.metric} of {name} is known to {e.half / t.scale:.1%}, "
                    f"not {self.precision:.1%})"
                )
                break
            self._extend(i, min(len(self.rows[i]) + STRIDE, self.most))
        return i

    def status(self, reached: Sequence[Estimate]) -> str:
        """Whether all targets are reached beyond chance."""
        worst = "confirmed"
        for t, e in zip(self.targets, reached, strict=True):
            margin = t.margin(e.mean)
            if not math.isfinite(margin) or margin < -e.half:
                return "missed"
            if margin < e.half:
                worst = "not told apart"
        return worst

    def chance(self, i: int) -> float:
        """Share of replications in which every target is met."""
        met = np.ones(len(self.rows[i]), dtype=bool)
        for k, t in enumerate(self.targets):
            met &= t.sign * (self.values(i, f"target {k}") - t.level) >= 0
        return float(met.mean())

    def confirm(
        self,
        space: Space,
        knobs: Sequence[Knob],
        found: Found,
        most: float,
        *,
        again: int = 3,
    ) -> Confirmed:
        """Run a set that a search found; where the search was off, search again with that known."""
        sign = np.array([t.sign for t in self.targets])
        level = np.array([t.level for t in self.targets])
        off = np.zeros(len(self.targets))
        best: Confirmed | None = None
        for turn in range(again + 1):
            chosen = [knobs[k] for k in found.which]
            scenario = pulled(self.scenario, zip(chosen, found.x, strict=True))
            i = self.run(scenario, " and ".join(k.name for k in chosen))
            reached = self.reached(i)
            predicted = level + sign * (found.margins * space.scales) + off
            status = self.status(reached)
            now = Confirmed(
                names=tuple(k.name for k in chosen), knobs=tuple(chosen), x=found.x,
                cost=planned_cost(build(scenario)) - self.base_cost, reached=tuple(reached),
                predicted=tuple(float(p) for p in predicted), chance=self.chance(i),
                status=status, index=i, scenario=self.scenario,
            )  # fmt: skip
            order = ("confirmed", "not told apart", "missed")
            if best is None or (order.index(status), now.cost) < (
                order.index(best.status), best.cost,
            ):  # fmt: skip
                best = now
            if turn == again:
                break
            mean = np.array([e.mean for e in reached])
            half = np.array([e.half for e in reached])
            margin = sign * (mean - level)
            # Near enough: beyond the level, by no more than the interval asks for.
            if (margin >= half).all() and (margin <= 2 * half + 0.005 * space.scales).any():
                break
            flow = level + sign * (found.margins * space.scales)
            off = mean - flow
            need = (1.15 * half - sign * off) / space.scales
            again_found = solve(space, found.which, need, most)
            if not again_found.met or again_found.x == found.x:
                break
            found = lean(space, again_found, need)
        assert best is not None
        return best


def conditions(
    found: Confirmed,
    scenario: Scenario,
    today: Scenario,
    hall: Hall,
) -> tuple[Condition, ...]:
    """What must hold for a set to reach the targets, what each is worth; the dearest first."""
    held: list[Condition] = []
    n = min(len(hall.rows[found.index]), BEGIN if hall.fixed is None else hall.fixed)
    with_all = hall.values(found.index, "target 0")[:n]
    after = leaves(in_the_end(pulled(scenario, zip(found.knobs, found.x, strict=True))))
    before = leaves(today)
    for k, knob in enumerate(found.knobs):
        rest = [(o, x) for j, (o, x) in enumerate(zip(found.knobs, found.x, strict=True)) if j != k]
        i = hall.add(pulled(scenario, rest))
        hall._extend(i, n)
        without = hall.values(i, "target 0")[:n]
        worth = difference(without, with_all)
        for path in knob.paths(scenario):
            a, b = before[path].value, after[path].value
            if a != b:
                kind = before[path].quantity
                unit = "number" if kind is None else kind.kind
                sign = 1 if b > a else -1
                held.append(Condition(path, "lever", sign, a, b, unit, found.chance, worth))
    held.sort(key=lambda c: -abs(c.worth.gain.mean) if c.worth is not None else 0.0)
    held += _states(found, hall)
    return tuple(held)


def _states(found: Confirmed, hall: Hall) -> list[Condition]:
    """What follows from the levers and must come out: how busy teams are, and what converts."""
    held = []
    n = min(len(hall.rows[0]), len(hall.rows[found.index]))
    met = np.ones(n, dtype=bool)
    for k, t in enumerate(hall.targets):
        met &= t.sign * (hall.values(found.index, f"target {k}")[:n] - t.level) >= 0
    asked = {t.metric for t in hall.targets}
    # After the sale nothing converts; at the decision the win rate says it.
    stages = {n: s.after_sale or s.decision for n, s in found.scenario.stages.items()}
    for name in hall.rows[0][0]:
        first = name.split(".")[0]
        if first not in ("utilisation", "conversion", "win_rate") or name in asked:
            continue
        if first == "conversion" and stages[name.partition(".")[2]]:
            continue
        today = hall.values(0, name)
        then = hall.values(found.index, name)
        if not (np.isfinite(today).all() and np.isfinite(then).all()):
            continue
        a, b = float(today.mean()), estimate(then)
        if first == "utilisation" and max(a, b.mean) < BUSY:
            continue
        if abs(b.mean - a) < MOVED + b.half:
            continue
        sign = 1 if b.mean > a else -1
        # A team may be busier than today, up to what it is then; it need not be.
        sign = -1 if first == "utilisation" else sign
        needed = b.high if sign < 0 else b.low
        holds = sign * (then[:n] - needed) >= 0
        confidence = float(met[holds].mean()) if holds.any() else math.nan
        held.append(
            Condition(name, "state", sign, a, needed, "share",
                      confidence if math.isfinite(confidence) else found.chance, None)
        )  # fmt: skip
    return held
