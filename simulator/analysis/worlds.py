"""In which worlds does pushing win? Push against fix at equal spend, over what nobody knows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.ensemble import OF_DATA, Ensemble, drawn_worlds
from simulator.analysis.estimate import Estimate
from simulator.analysis.information import Worth, everything, worths
from simulator.analysis.paired import estimate
from simulator.analysis.panel import cores
from simulator.analysis.parts import Range
from simulator.analysis.prim import Box, discover
from simulator.analysis.ranges import shared, world
from simulator.analysis.runs import DEFAULT_ENGINE, one_run
from simulator.analysis.shown import Judged
from simulator.analysis.sides import Side, sides_of
from simulator.analysis.sobol import Split, split
from simulator.analysis.spend import cost_of, level
from simulator.analysis.targets import check_metric
from simulator.errors import AnalysisError, SpecError
from simulator.metrics import measure
from simulator.spec.load import Loaded
from simulator.spec.schema import Scenario
from simulator.vocabulary import YEAR, describe

Floats = NDArray[np.float64]
FEWEST = 20
CHUNK = 50


@dataclass(frozen=True)
class Worlds(Judged):
    """Push against fix in sampled worlds.

    points: (n, d) in the unit cube; values: (n, d) of assumptions; push, fix: (n, R) outcomes at
    equal spend, the higher the better (better: -1 where less is); spend: (n,) extra cost of each.
    """

    currency: str
    better: int
    weeks: float
    sides: tuple[Side, Side]
    over: tuple[Range, ...]
    points: Floats
    values: Floats
    push: Floats
    fix: Floats
    spend: Floats
    unequal: int
    skipped: int
    boxes: tuple[Box, ...]
    of: str
    information: tuple[Worth, ...]
    perfect: float
    split: Split | None
    left_out: tuple[str, ...]
    scenario: Scenario
    drawn: str = "what nobody knows"

    @property
    def difference(self) -> Floats:
        """Fix less push by world, the mean of its runs; above 0 the fix is better."""
        found: Floats = self.better * (self.fix - self.push).mean(axis=1)
        return found

    @property
    def count(self) -> int:
        """How many worlds there are."""
        return len(self.push)

    @property
    def share(self) -> Estimate:
        """Share of worlds in which the push beats the fix, with its interval (Wilson)."""
        d = self.difference
        n, p, z = len(d), float((d < 0).mean()), 1.959963984540054
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        # Reported as mean and half: the wider side.
        return Estimate(p, max(middle + half - p, p - (middle - half)))

    def histogram(self, bins: int = 24) -> dict[str, list[float]]:
        """How many worlds there are by what the fix brings more than the push; 0 is an edge.

        edges: n + 1; the first and last bin also hold what lies beyond. One bin where no world
        tells the two apart.
        """
        d = self.difference
        low, high = min(float(np.quantile(d, 0.005)), 0.0), max(float(np.quantile(d, 0.995)), 0.0)
        step = (high - low) / bins or 1.0
        first, last = (
            math.floor(low / step),
            max(math.ceil(high / step), math.floor(low / step) + 1),
        )
        edges = np.arange(first, last + 1) * step
        inside = np.clip(d, edges[0] + 1e-9 * step, edges[-1] - 1e-9 * step)
        counts, _ = np.histogram(inside, edges)
        return {"edges": edges.tolist(), "worlds": counts.tolist()}

    def holds_up(self, box: Box) -> bool:
        """Whether a box says more than the share of its side, also on halves it is not from."""
        usual = self.share.mean if self.of == "push" else 1.0 - self.share.mean
        return min(box.density, box.tested[1]) >= usual + 0.25 * (1.0 - usual)

    def regret(self) -> dict[str, dict[str, float | None]]:
        """What each choice gives up against the better one: mean with interval, 95th percentile."""
        d = self.difference
        found: dict[str, dict[str, float | None]] = {}
        for side, lost in (("push", np.maximum(d, 0)), ("fix", np.maximum(-d, 0))):
            e = estimate(lost)
            found[side] = e.to_json() | {"worst_in_20": float(np.quantile(lost, 0.95))}
        return found

    @property
    def sentences(self) -> list[str]:
        """The answer in words, made from the numbers."""
        from simulator.analysis.words_worlds import worlds_sentences

        return worlds_sentences(self)

    def to_json(self) -> dict[str, Any]:
        """Everything but the worlds themselves, which are in the tables."""
        from simulator.analysis.words_worlds import box_words

        paths = [r.path for r in self.over]
        share, d = self.share, self.difference
        return {
            "kind": "worlds",
            "scenario": self.name,
            "outcome": self.outcome,
            "currency": self.currency,
            "weeks": self.weeks,
            **self.found_by(),
            "worlds": len(d),
            "drawn_from": self.drawn,
            "push": {"name": self.sides[0].name, "made_here": self.sides[0].made},
            "fix": {"name": self.sides[1].name, "made_here": self.sides[1].made},
            "push_beats_fix": {
                "share": share.mean,
                "low": max(0.0, share.low),
                "high": min(1.0, share.high),
            },
            "fix_minus_push": estimate(d).to_json()
            | {f"p{q}": float(np.quantile(d, q / 100)) for q in (5, 25, 50, 75, 95)},
            "histogram": self.histogram(),
            "regret": self.regret(),
            "spend_a_year": float(self.spend.mean()) / self.weeks * YEAR,
            "worlds_with_unequal_spend": self.unequal,
            "worlds_skipped": self.skipped,
            "boxes_of": self.of,
            "boxes": [
                b.to_json(paths)
                | {
                    "in_words": box_words(b, self.over, self.currency),
                    "holds_up": self.holds_up(b),
                }
                for b in self.boxes
            ],
            "value_of_information": [w.to_json() for w in self.information],
            "value_of_knowing_everything_at_least": self.perfect,
            "variance": None if self.split is None else self.split.to_json(),
            "assumptions": [r.to_json() for r in self.over],
            "left_out": list(self.left_out),
            "runs": int(2 * self.push.size),
            "sentences": self.sentences,
        }

    @property
    def shown(self) -> dict[str, list[dict[str, Any]]]:
        """The tables that people read."""
        found = self.tables
        worth = [w.to_json() for w in self.information if w.value > 0]
        return {"information": worth[:10], "boxes": found["boxes"]}

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Rows for CSV and Parquet: one a world, one an assumption, one a limit of a box."""
        paths = [r.path for r in self.over]
        d = self.difference
        rows = [
            {
                "world": i,
                "push": float(self.push[i].mean()),
                "fix": float(self.fix[i].mean()),
                "fix_minus_push": float(d[i]),
            }
            | {p: float(v) for p, v in zip(paths, self.values[i], strict=True)}
            for i in range(len(d))
        ]
        limits = [
            {"box": i + 1, "coverage": b.coverage, "density": b.density} | limit
            for i, b in enumerate(self.boxes)
            for limit in b.to_json(paths)["limits"]
        ]
        return {
            "worlds": rows,
            "information": [w.to_json() for w in self.information],
            "boxes": limits,
        }


@dataclass(frozen=True)
class _Play:
    """One world: both sides at equal spend under the same luck."""

    today: Scenario
    push: Scenario
    fix: Scenario
    over: Sequence[Range]
    outcome: str
    engine: str
    seed: int
    week: float | None
    replications: int
    mine: tuple[list[int], list[int]]
    sets: tuple[Ensemble, Ensemble, Ensemble] | None = None

    def _scenarios(self, values: Floats, row: int) -> list[Scenario]:
        """Today, push and fix in a world: in one of the sets, and what is not in it as drawn."""
        every = [*range(len(self.over))]
        found = []
        for k, (s, mine) in enumerate(
            zip((self.today, self.push, self.fix), (every, *self.mine), strict=True)
        ):
            set_ = s if self.sets is None else self.sets[k].scenario(s, row)
            found.append(world(set_, [self.over[i] for i in mine], values[mine].tolist()))
        return found

    def __call__(self, task: tuple[int, Floats, int]) -> tuple[Floats, Floats, float, bool] | None:
        """Outcomes (R,) of push and fix, their extra cost, and whether it is equal."""
        index, values, row = task
        try:
            today, *pair = self._scenarios(values, row)
            spend, scaled = level(today, pair, cost_of([today, *pair], self.engine))
            if spend is None:
                return None
        except SpecError:
            return None
        found = []
        for side in scaled:
            rows = []
            for r in range(self.replications):
                luck = index * self.replications + r
                record = one_run(side.system, self.engine, self.seed, luck)
                rows.append(measure(record, self.week)[self.outcome])
            found.append(np.array(rows))
        if not all(np.isfinite(x).all() for x in found):
            return None
        alike = abs(scaled[0].extra_cost - scaled[1].extra_cost) <= 0.01 * abs(spend)
        return found[0], found[1], spend, alike


def worlds(
    study: str | Path,
    *,
    loaded: Loaded | None = None,
    worlds: int = 1000,
    outcome: str | None = None,
    week: float | None = None,
    engine: str = DEFAULT_ENGINE,
    seed: int | None = None,
    replications: int = 2,
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
    ensemble: Ensemble | None = None,
) -> Worlds:
    """Push against fix at equal spend, in worlds drawn from the ranges of today's assumptions.

    study: a folder, or today's file. replications: runs of each side in each world. ensemble: sets
    of numbers that the data allow; each world takes one, and the rest from the ranges. Raises
    AnalysisError, SpecError.
    """
    if worlds < FEWEST:
        raise AnalysisError(f"{worlds} worlds are too few to tell anything: take {FEWEST} or more")
    found, push, fix = sides_of(study, loaded, outcome or "arr", seed)
    today = found.scenario
    outcome = outcome or today.outcome
    check_metric(outcome, today, week)
    seed = today.seed if seed is None else seed
    over, left, sample = drawn_worlds(found, ensemble, worlds, seed)
    points, values, rows = sample
    runs = 1 if engine == "flow" else replications
    ranged = [r for r in over if r.grade != OF_DATA]
    play = _Play(
        today, push.scenario, fix.scenario, ranged, outcome, engine, seed, week, runs,
        (shared(push.scenario, ranged), shared(fix.scenario, ranged)),
        None if ensemble is None else (
            ensemble, ensemble.shared(push.scenario, today), ensemble.shared(fix.scenario, today)
        ),
    )  # fmt: skip
    results: list[tuple[Floats, Floats, float, bool] | None] = []
    reason = "number given"
    try:
        with ThreadPoolExecutor(jobs or cores()) as pool:
            for start in range(0, worlds, CHUNK):
                stop = min(start + CHUNK, worlds)
                results += pool.map(
                    play, [(i, values[i], int(rows[i])) for i in range(start, stop)]
                )
                if progress is not None:
                    progress(stop)
    except KeyboardInterrupt:
        if len(results) < FEWEST:
            raise
        reason = f"interrupted after {len(results)} worlds"
    good = [i for i, r in enumerate(results) if r is not None]
    if len(good) < FEWEST:
        raise AnalysisError(
            f"{today.name}: only {len(good)} of {len(results)} worlds could be simulated: "
            "the variants cost nothing in the others, or their numbers leave their bounds"
        )
    kept = [r for r in results if r is not None]
    a, b = np.array([r[0] for r in kept]), np.array([r[1] for r in kept])
    better = describe(outcome).better or 1
    d = better * (b - a)
    mean = d.mean(axis=1)
    wins = mean < 0
    # Boxes describe the side that wins less often: where it does is the news.
    of = "push" if wins.mean() <= 0.5 else "fix"
    cases = wins if of == "push" else ~wins
    held = values[good]
    boxes = discover(held, cases, seed=seed) if 0 < cases.sum() < len(cases) else []
    return Worlds(
        name=today.name, outcome=outcome, currency=today.currency, engine=engine, seed=seed,
        better=better, weeks=today.horizon, replications=runs, reason=reason, sides=(push, fix),
        over=tuple(over), points=points[good], values=held, push=a, fix=b,
        spend=np.array([r[2] for r in kept]), unequal=sum(not r[3] for r in kept),
        skipped=len(results) - len(good), boxes=tuple(boxes), of=of,
        information=tuple(worths([r.path for r in over], points[good], mean, seed)),
        perfect=everything(d), split=split(d, seed) if runs > 1 else None,
        left_out=tuple(left), scenario=today,
        drawn="what nobody knows" if ensemble is None else "what the data allow",
    )  # fmt: skip
