"""Does the verdict stand? Push against fix with each assumption at the ends of its range."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.estimate import number
from simulator.analysis.names import FLIPS, STANDS, UNTOLD
from simulator.analysis.paired import Difference, difference
from simulator.analysis.panel import Panel
from simulator.analysis.parts import Range, Standing
from simulator.analysis.ranges import ranges, shared, world
from simulator.analysis.runs import DEFAULT_ENGINE
from simulator.analysis.shown import ALPHA, Judged, Shown
from simulator.analysis.spend import cost_of, equal_spend, level
from simulator.analysis.targets import check_metric
from simulator.errors import AnalysisError, SpecError
from simulator.spec.load import find_study, load
from simulator.spec.schema import Scenario
from simulator.system import System, build
from simulator.vocabulary import describe

Floats = NDArray[np.float64]
LOOK = 4  # replications of everything
STRIDE = 6
DOUBTS = 16  # ends that get more replications, those nearest to another verdict
SHOWN = 20  # assumptions in a terminal


@dataclass(frozen=True)
class Stand(Standing[Difference]):
    """The verdict at both ends of an assumption's range."""

    def to_json(self) -> dict[str, Any]:
        """Numbers by name."""
        return self.range.to_json() | {
            "at_low": self.low.to_json() | {"verdict": self.said[0]},
            "at_high": self.high.to_json() | {"verdict": self.said[1]},
            "swing": self.swing,
            "turns_at": self.turns,
        }


@dataclass(frozen=True)
class Robustness(Judged, Shown):
    """A study's verdict over every assumption's range, the widest first.

    sides: what is held against what (push and fix; or today and the only variant). verdict:
    the first, the second, or "" where no difference is found.
    """

    currency: str
    sides: tuple[str, str]
    roles: tuple[str, str]
    base: Difference
    spend: float | None
    bars: tuple[Stand, ...]
    left_out: tuple[str, ...]
    runs: int
    scenario: Scenario

    @property
    def verdict(self) -> str:
        """Which side is better as stated, beyond chance; "" where neither is told."""
        if self.base.p >= ALPHA:
            return ""
        return self.sides[_sign(self.base, self.outcome) > 0]

    @property
    def weeks(self) -> float:
        """Of the run."""
        return self.scenario.horizon

    def of(self, said: str) -> list[Stand]:
        """The bars at whose worse end the verdict stands, is untold, or flips."""
        return [b for b in self.bars if b.worst == said]

    @property
    def sentences(self) -> list[str]:
        """The answer in words, made from the numbers."""
        from simulator.analysis.words_robust import sentences

        return sentences(self)

    def to_json(self) -> dict[str, Any]:
        """Everything; every number of the sentences is in it."""
        from simulator.analysis.words_robust import headline

        return {
            "kind": "robustness",
            "study": self.name,
            "outcome": self.outcome,
            "currency": self.currency,
            "weeks": self.weeks,
            **self.found_by(),
            "sides": list(self.sides),
            "roles": list(self.roles),
            "verdict": self.verdict,
            "equal_spend": self.spend,
            "difference": self.base.to_json(),
            "counts": {said: len(self.of(said)) for said in (STANDS, UNTOLD, FLIPS)},
            "tornado": [b.to_json() for b in self.bars],
            "left_out": list(self.left_out),
            "runs": self.runs,
            "headline": headline(self),
            "sentences": self.sentences,
        }

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Rows for CSV and Parquet."""
        return {
            "tornado": [
                b.range.to_json()
                | {
                    "at_low": b.low.gain.mean,
                    "at_low_half": number(b.low.gain.half),
                    "verdict_at_low": b.said[0],
                    "at_high": b.high.gain.mean,
                    "at_high_half": number(b.high.gain.half),
                    "verdict_at_high": b.said[1],
                    "turns_at": b.turns,
                }
                for b in self.bars
            ]
        }

    @property
    def shown(self) -> dict[str, list[dict[str, Any]]]:
        """The tables that people read."""
        keys = ("path", "low", "value", "high", "grade", "at_low", "at_high", "turns_at")
        return {"tornado": [{k: r[k] for k in keys} for r in self.tables["tornado"][:SHOWN]]}


def _sign(d: Difference, outcome: str) -> int:
    """1 where the second side is better, -1 where the first is."""
    return int(np.sign(d.gain.mean)) * (describe(outcome).better or 1)


def sides_of_study(place: Path) -> tuple[Any, list[Scenario]]:
    """Today, and what is held against what: push and fix, or the only variant.

    Raises AnalysisError where there are several variants and not one push and one fix.
    """
    file, others = find_study(place)
    loaded = load(file)
    variants = [load(p).scenario for p in others]
    push = next((v for v in variants if v.role == "push"), None)
    fix = next((v for v in variants if v.role == "fix"), None)
    if push is not None and fix is not None:
        return loaded, [push, fix]
    if len(variants) == 1:
        return loaded, variants
    raise AnalysisError(
        f"{place}: a verdict is of a push against a fix, or of one variant against today; "
        "write role: push in one variant and role: fix in another"
    )


def robustness(
    study: str | Path,
    *,
    outcome: str | None = None,
    week: float | None = None,
    engine: str = DEFAULT_ENGINE,
    seed: int | None = None,
    replications: int | None = None,
    most: int = 16,
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Robustness:
    """Whether a study's verdict stands over the range of each assumption, one at a time.

    Spend is equal at every end. All ends are run a few times; those nearest to another verdict
    up to `most` times. A flip must be told from chance at 5% among all ends (Bonferroni).
    Raises AnalysisError, SpecError.
    """
    if replications == 1 and engine != "flow":
        raise AnalysisError("one replication has no interval: take 2 replications or more")
    loaded, variants = sides_of_study(Path(study))
    today = loaded.scenario
    outcome = outcome or today.outcome
    check_metric(outcome, today, week)
    seed = today.seed if seed is None else seed
    over, left = ranges(loaded)
    bench = _Bench(today, variants, over, engine)
    spend, first = bench.base()
    systems, ends = list(first), list[tuple[int, int]]()
    for k, one in enumerate(over):
        pair = [bench.at(k, value) for value in (one.low, one.high)]
        if any(p is None for p in pair):
            left.append(f"{one.path}: the two sides cannot be had at equal spend at an end")
            continue
        for two in pair:
            if two is first:
                ends.append((k, 0))
                continue
            ends.append((k, len(systems)))
            systems += two or []
    panel = Panel(systems, engine, seed, week=week, jobs=jobs, progress=progress)

    def contrast(i: int) -> Difference:
        return difference(panel.values(outcome, i), panel.values(outcome, i + 1))

    def moved(i: int) -> bool:
        """Whether the difference is another than that as stated, beyond chance."""
        n = panel.count(i)
        stated, here = (
            panel.values(outcome, j + 1, n) - panel.values(outcome, j, n) for j in (0, i)
        )
        return difference(stated, here).p < ALPHA

    reason = _replicate(
        panel, sorted({i for _, i in ends} - {0}), contrast, outcome, replications, most
    )
    base = contrast(0)
    if not np.isfinite(base.gain.mean):
        raise AnalysisError(f"{outcome} has no value in a side of {today.name}: ask for another")
    bars = []
    for (k, i), (_, j) in zip(ends[::2], ends[1::2], strict=True):
        low, high = contrast(i), contrast(j)
        if not (np.isfinite(low.gain.mean) and np.isfinite(high.gain.mean)):
            left.append(f"{over[k].path}: {outcome} has no value at an end of its range")
            continue
        said = tuple(_said(base, contrast(e), outcome, len(ends), moved(e)) for e in (i, j))
        bars.append(Stand(over[k], low, high, said, _turns(over[k], base, low, high, said)))  # type: ignore[arg-type]
    bars.sort(key=lambda b: -b.swing)
    names = [v.name for v in variants]
    return Robustness(
        name=Path(study).name if Path(study).is_dir() else today.name, outcome=outcome,
        currency=today.currency, engine=engine, seed=seed, replications=panel.count(0),
        reason=reason, sides=(today.name, names[0]) if len(names) == 1 else (names[0], names[1]),
        roles=("today", variants[0].role) if len(names) == 1 else ("push", "fix"), base=base,
        spend=spend, bars=tuple(bars), left_out=tuple(left), runs=panel.made, scenario=today,
    )  # fmt: skip


def alike(a: System, b: System) -> bool:
    """Whether runs of two systems are the same: what was assumed is not in use."""
    s, t = a.scenario, b.scenario
    # What engines and metrics read of the scenario itself.
    return (
        s.buyer.discount == t.buyer.discount
        and s.opportunity == t.opportunity
        and [(x.function, x.quota, x.attainment) for x in s.teams.values()]
        == [(x.function, x.quota, x.attainment) for x in t.teams.values()]
        and _same(a, b)
    )


def _same(a: Any, b: Any) -> bool:
    if is_dataclass(a) and type(a) is type(b):
        names = [f.name for f in fields(a) if f.name not in ("scenario", "name", "calendar")]
        return all(_same(getattr(a, n), getattr(b, n)) for n in names)
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and (
            a.tobytes() == b.tobytes()
        )  # fmt: skip
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, float):
        return isinstance(b, float) and (a == b or (math.isnan(a) and math.isnan(b)))
    return type(a) is type(b) and bool(a == b)


class _Bench:
    """Both sides at equal spend, as stated or with one assumption elsewhere."""

    def __init__(
        self, today: Scenario, variants: Sequence[Scenario], over: Sequence[Range], engine: str
    ) -> None:
        self.today, self.variants, self.over, self.engine = today, list(variants), over, engine
        self.mine = [set(shared(v, over)) for v in variants]
        self.intensities = [1.0] * len(self.variants)
        self.spend: float | None = None
        self.first: list[System] = []

    def base(self) -> tuple[float | None, list[System]]:
        """The common extra cost, and both sides as stated."""
        today = build(self.today)
        if len(self.variants) == 1:
            self.first = [today, build(self.variants[0])]
            return None, self.first
        cost = cost_of([self.today, *self.variants], self.engine)
        written = [build(v) for v in self.variants]
        self.spend, scaled = equal_spend(today, self.variants, written, cost)
        systems = [w if s is None else s.system for w, s in zip(written, scaled, strict=True)]
        self.intensities = [1.0 if s is None else s.intensity for s in scaled]
        self.first = systems
        return self.spend, systems

    def at(self, k: int, value: float) -> list[System] | None:
        """Both sides with assumption k at a value; None where that cannot be.

        Where what is assumed is not in use: those as stated, whose runs serve.
        """
        one = self.over[k]
        try:
            pair = [
                world(v, [one], [value]) if k in mine else v
                for v, mine in zip(self.variants, self.mine, strict=True)
            ]
            if len(pair) == 1:
                systems = [build(world(self.today, [one], [value])), build(pair[0])]
            else:
                systems = [build(v, x) for v, x in zip(pair, self.intensities, strict=True)]
            if all(alike(a, b) for a, b in zip(systems, self.first, strict=True)):
                return self.first
            if len(pair) == 1:
                return systems
            cost = cost_of([self.today, *pair], self.engine)
            a, b = (cost(s) for s in systems)
            # Few assumptions change what levers cost: most worlds need no search.
            if self.spend is None or abs(a - b) <= 1e-3 * self.spend:
                return systems
            spend, scaled = level(world(self.today, [one], [value]), pair, cost)
            return None if spend is None else [s.system for s in scaled]
        except SpecError:
            return None


def _replicate(
    panel: Panel, ends: Sequence[int], contrast: Callable[[int], Difference], outcome: str,
    replications: int | None, most: int,
) -> str:  # fmt: skip
    """Run every end, and on those that are near to another verdict, or widest, some more."""

    def run(which: Sequence[int], upto: int) -> None:
        panel.run([s for i in which for s in (i, i + 1)], upto)

    everyone = [0, *ends]
    if replications is not None or panel.engine == "flow":
        run(everyone, replications or 1)
        return "number given"
    try:
        run(everyone, min(LOOK, most))
        while panel.count(0) < most:
            sign = _sign(contrast(0), outcome) or 1

            def doubt(i: int, sign: int = sign) -> float:
                d = contrast(i)
                spread = d.gain.half or 1e-12
                return sign * _sign(d, outcome) * abs(d.gain.mean) / spread

            upto = min(panel.count(0) + STRIDE, most)
            near = sorted(ends, key=doubt)[:DOUBTS]
            wide = [i for i in near if doubt(i) < 2.0]
            run([0, *wide], upto)
    except KeyboardInterrupt:
        done = min(panel.count(s) for i in everyone for s in (i, i + 1))
        if done < 2:
            raise
        return f"interrupted after {panel.count(0)} replications"
    return f"all ends {min(LOOK, most)} times, those in doubt up to {most} times"


def _said(base: Difference, end: Difference, outcome: str, ends: int, moved: bool) -> str:
    """What becomes of the verdict at an end."""
    if not moved:
        return STANDS
    before = _sign(base, outcome) if base.p < ALPHA else 0
    now = _sign(end, outcome)
    if now != before and now and end.p * ends < ALPHA:
        return FLIPS
    if before and (now != before or end.p >= ALPHA):
        return UNTOLD
    return STANDS


def _turns(
    one: Range, base: Difference, low: Difference, high: Difference, said: Sequence[str]
) -> float | None:
    """Where the difference is 0 on the straight line from what is stated to the end."""
    b = base.gain.mean
    for value, d, s in ((one.low, low, said[0]), (one.high, high, said[1])):
        if s == FLIPS and b * d.gain.mean < 0:
            return one.value + (value - one.value) * b / (b - d.gain.mean)
    return None
