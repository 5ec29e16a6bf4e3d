"""What must be true: the least-cost sets of levers that reach a target, and what must then hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.confirm import Condition, Confirmed, Hall, conditions
from simulator.analysis.constraint import budget_of
from simulator.analysis.ensemble import Ensemble, told
from simulator.analysis.estimate import Estimate, number
from simulator.analysis.knobs import Knob, knobs_of, pulled
from simulator.analysis.panel import cores
from simulator.analysis.parts import Target
from simulator.analysis.runs import DEFAULT_ENGINE, FIRST, one_run
from simulator.analysis.search import Found, Point, Space, sets, solve
from simulator.analysis.selection import Selected, select
from simulator.analysis.shown import Asked
from simulator.analysis.spend import planned_cost
from simulator.analysis.targets import parse_targets
from simulator.engines import lacking
from simulator.errors import AnalysisError, SpecError
from simulator.metrics import measure
from simulator.spec.load import Loaded
from simulator.spec.schema import Scenario
from simulator.spec.values import in_the_end
from simulator.system import build

Floats = NDArray[np.float64]
MOST_LEVERS = 24
SHOWN = 5  # sets that are confirmed
ALIKE = 0.10  # sets that cost this much more than the least are held to cost the same
ZONE = 0.01  # of the first target's level: a difference not worth more runs
SEARCHED = 8  # replications of each position where the search is not in flow


@dataclass(frozen=True)
class Lone:
    """One lever alone. best: the most it can do for each target, at `at`; cost: if it reaches."""

    knob: Knob
    reaches: bool
    at: float
    best: tuple[float, ...]
    cost: float | None

    def to_json(self, targets: Sequence[Target]) -> dict[str, Any]:
        """Numbers by name."""
        return {
            "lever": self.knob.name,
            "from": self.knob.origin,
            "reaches_every_target": self.reaches,
            "extent": self.at,
            "extra_cost": self.cost,
            "best_it_can_do": {t.text: number(v) for t, v in zip(targets, self.best, strict=True)},
        }


@dataclass(frozen=True)
class Sought(Asked):
    """The answer. sets: cheapest first, confirmed by runs; lone: every lever alone.

    chosen: index into sets, or None. nearest: where no set reaches the targets, the one that comes
    nearest.
    """

    currency: str
    search: str
    weeks: float
    targets: tuple[Target, ...]
    today: tuple[Estimate, ...]
    budget: float | None
    most_levers: int
    knobs: tuple[Knob, ...]
    lone: tuple[Lone, ...]
    sets: tuple[Confirmed, ...]
    chosen: int | None
    nearest: Confirmed | None
    conditions: tuple[Condition, ...]
    selection: Selected | None
    runs: dict[str, int]
    notes: tuple[str, ...]
    scenario: Scenario

    @property
    def answer(self) -> Confirmed | None:
        """The set to choose."""
        return None if self.chosen is None else self.sets[self.chosen]

    @property
    def sentences(self) -> list[str]:
        """The answer in words, made from the numbers."""
        from simulator.analysis.words_seek import seek_sentences

        return seek_sentences(self)

    def to_json(self) -> dict[str, Any]:
        """Everything; every number of the sentences is in it."""
        return {
            "kind": "seek",
            "scenario": self.name,
            "currency": self.currency,
            "weeks": self.weeks,
            "targets": [
                t.to_json() | {"today": e.to_json()}
                for t, e in zip(self.targets, self.today, strict=True)
            ],
            "budget": self.budget,
            "max_levers": self.most_levers,
            **self.found_by(),
            "search_engine": self.search,
            "reached": self.answer is not None,
            "answer": None if self.answer is None else self.answer.to_json(self.targets),
            "nearest": None if self.nearest is None else self.nearest.to_json(self.targets),
            "sets": [s.to_json(self.targets) for s in self.sets],
            "single_levers": [x.to_json(self.targets) for x in self.lone],
            "conditions": [c.to_json() for c in self.conditions],
            "selection": None if self.selection is None else self.selection.to_json(),
            "runs": self.runs,
            "notes": list(self.notes),
            "sentences": self.sentences,
        }

    @property
    def shown(self) -> dict[str, list[dict[str, Any]]]:
        """The tables that people read."""
        conditions = [
            {k: v for k, v in row.items() if k not in ("worth_low", "worth_high", "unit")}
            for row in self.tables["conditions"]
        ]
        return {**self.tables, "conditions": conditions}

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Rows for CSV and Parquet."""
        rows = []
        shown = self.sets if self.nearest is None else (*self.sets, self.nearest)
        for i, s in enumerate(shown):
            row: dict[str, Any] = {
                "levers": " + ".join(s.names),
                "extra_cost": s.cost,
                "status": s.status,
                "chosen": i == self.chosen,
            }
            for t, e in zip(self.targets, s.reached, strict=True):
                row |= {f"{t.metric}_{k}": v for k, v in e.to_json().items()}
            rows.append(row)
        lone = []
        for x in self.lone:
            row = {"lever": x.knob.name, "reaches": x.reaches, "extra_cost": x.cost}
            row |= {t.text: number(v) for t, v in zip(self.targets, x.best, strict=True)}
            lone.append(row)
        return {
            "sets": rows,
            "single_levers": lone,
            "conditions": [c.row() for c in self.conditions],
        }


class _Runner:
    """Margins of positions by the engine of the search."""

    def __init__(
        self,
        scenario: Scenario,
        knobs: Sequence[Knob],
        targets: Sequence[Target],
        search: str,
        seed: int,
        jobs: int,
    ) -> None:
        self.scenario, self.knobs, self.targets = scenario, knobs, targets
        self.search, self.seed, self.jobs = search, seed, jobs
        self.base = planned_cost(build(scenario))
        self.shift = np.zeros(len(targets))  # batch less flow, in the metrics' units

    def system_at(self, point: Point) -> Any:
        """The system with knobs at a position. Raises SpecError where they clash."""
        return build(pulled(self.scenario, zip(self.knobs, point, strict=True)))

    def cost(self, point: Point) -> float:
        """Extra cost over the run; infinite where levers clash."""
        try:
            return planned_cost(self.system_at(point)) - self.base
        except SpecError:
            return math.inf

    def metrics(self, point: Point) -> Floats:
        """The targets' metrics, (T,); nan where undefined or impossible."""
        try:
            system = self.system_at(point)
        except SpecError:
            return np.full(len(self.targets), math.nan)
        rows = []
        for r in range(1 if self.search == "flow" else SEARCHED):
            record = one_run(system, self.search, self.seed, r)
            rows.append([measure(record, t.week)[t.metric] for t in self.targets])
        found: Floats = np.mean(rows, axis=0)
        return found

    def margins(self, points: Sequence[Point]) -> Floats:
        """(n, T)."""
        with ThreadPoolExecutor(self.jobs) as pool:
            values = np.array(list(pool.map(self.metrics, points)))
        sign = np.array([t.sign for t in self.targets])
        level = np.array([t.level for t in self.targets])
        found: Floats = sign * (values + self.shift - level)
        return np.where(np.isfinite(found), found, -1e30)


def seek(
    loaded: Loaded,
    target: Sequence[str],
    *,
    max_levers: int = 2,
    budget: str | float | None = None,
    levers: str | Path | None = None,
    search: str | None = None,
    engine: str = DEFAULT_ENGINE,
    seed: int | None = None,
    precision: float = 0.01,
    replications: int | None = None,
    most: int = 100,
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
    ensemble: Ensemble | None = None,
) -> Sought:
    """The least-cost sets of at most `max_levers` levers that reach every target.

    target: like "arr_per_head >= 210 kUSD at week 104". levers: a scenario file whose levers, as
    written, bound the search. search: the engine to search with (default flow, or batch where flow
    cannot do the scenario). precision: of the confirmation, as a share of each target's level.
    ensemble: sets of numbers that the data allow; the search is over the scenario as written, and
    each replication of a confirmation takes one of the sets.
    Raises AnalysisError, SpecError.
    """
    scenario = loaded.scenario
    targets = parse_targets(list(target), scenario)
    if max_levers < 1:
        raise AnalysisError(f"at most {max_levers} levers: take 1 or more")
    limit = None if budget is None else budget_of(budget, scenario)
    knobs = knobs_of(loaded, levers)
    if len(knobs) > MOST_LEVERS:
        raise AnalysisError(
            f"{len(knobs)} levers are more than the {MOST_LEVERS} that can be searched: "
            "give fewer with --levers FILE"
        )
    seed = scenario.seed if seed is None else seed
    notes: list[str] = []
    search = search or _engine_for(scenario, notes)
    workers = jobs or cores()
    runner = _Runner(scenario, knobs, targets, search, seed, workers)
    if ensemble is not None:
        notes.append(told(engine, min(replications or max(most, FIRST), len(ensemble))))
    hall = Hall(
        scenario, targets, engine, seed, precision=precision, fixed=replications, most=most,
        jobs=workers, progress=progress, ensemble=ensemble,
    )  # fmt: skip
    today = hall.reached(hall.run(scenario, "today"))
    if all(t.margin(e.mean) >= e.half for t, e in zip(targets, today, strict=True)):
        notes.append("every target is met today")
    scales = np.array([t.scale for t in targets])
    steps = tuple(k.steps(scenario) for k in knobs)
    space = Space(len(knobs), runner.margins, runner.cost, scales, steps)
    # Flow is a little off; what it is off by today is taken out of every position.
    flow_today = runner.metrics((0.0,) * len(knobs))
    runner.shift = np.nan_to_num(np.array([e.mean for e in today]) - flow_today)
    space.tabulate()
    need = np.zeros(len(targets))
    most_cost = math.inf if limit is None else limit
    lone = [_alone(space, i, knob, need, targets) for i, knob in enumerate(knobs)]
    found = sets(space, need, max_levers, most=most_cost)
    confirmed = [hall.confirm(space, knobs, f, most_cost) for f in found[:SHOWN]]
    # Corrected by runs, two sets may have become the same.
    confirmed = list({(c.names, c.x): c for c in reversed(confirmed)}.values())
    confirmed.sort(key=lambda c: (c.status != "confirmed", c.cost))
    good = [c for c in confirmed if c.status == "confirmed"] or [
        c for c in confirmed if c.status == "not told apart"
    ]
    chosen, selection = None, None
    if good:
        best, selection = _choose(good, targets, hall)
        chosen = confirmed.index(best)
    nearest = None
    if chosen is None:
        nearest = _nearest(space, knobs, hall, need, max_levers, most_cost)
    held: tuple[Condition, ...] = ()
    target_set = confirmed[chosen] if chosen is not None else nearest
    if target_set is not None:
        held = conditions(target_set, scenario, in_the_end(scenario), hall)
    if hall.short:
        notes.append(hall.short)
    return Sought(
        name=scenario.name, currency=scenario.currency, engine=engine, search=search, seed=seed,
        weeks=scenario.horizon, replications=hall.count, reason=hall.reason,
        targets=tuple(targets), today=tuple(today), budget=limit, most_levers=max_levers,
        knobs=tuple(knobs), lone=tuple(lone), sets=tuple(confirmed), chosen=chosen,
        nearest=nearest, conditions=held, selection=selection,
        runs={search: space.runs * (1 if search == "flow" else SEARCHED), engine: hall.made}
        if search != engine else {engine: space.runs * SEARCHED + hall.made},
        notes=tuple(notes), scenario=scenario,
    )  # fmt: skip


def _engine_for(scenario: Scenario, notes: list[str]) -> str:
    missing = lacking(build(scenario), "flow")
    if not missing:
        return "flow"
    notes.append(f"searched in batch: the flow engine cannot do {', '.join(missing)}")
    return "batch"


def _alone(space: Space, i: int, knob: Knob, need: Floats, targets: Sequence[Target]) -> Lone:
    """What one lever can do: if it reaches the targets, at what cost."""
    found = solve(space, (i,), need)
    signs = np.array([t.sign for t in targets])
    levels = np.array([t.level for t in targets])
    if found.met:
        margins, at, cost = found.margins, found.x[0], found.cost
    else:
        # Where the target that is missed most is missed least.
        tried = [(p, m) for p, m in space.known.items() if all(x == 0 or k == i for k, x in
                 enumerate(p)) and np.isfinite(m).all()]  # fmt: skip
        point, margins = max(tried, key=lambda pm: float((pm[1] - need).min()))
        at, cost = point[i], None
    best = levels + signs * margins * space.scales
    return Lone(knob, found.met, at, tuple(float(b) for b in best), cost)


def _choose(
    good: list[Confirmed], targets: Sequence[Target], hall: Hall
) -> tuple[Confirmed, Selected | None]:
    """Of the sets that cost about the least, the one that does best for the first target."""
    least = min(c.cost for c in good)
    alike = [c for c in good if c.cost <= least + ALIKE * abs(least)]
    if len(alike) == 1 or hall.engine == "flow":
        return min(good, key=lambda c: c.cost), None
    first = targets[0]

    def draw(r: int, left: tuple[int, ...]) -> Floats:
        return np.array([first.sign * hall.value(alike[i].index, 0, r) for i in left])

    chosen = select(draw, len(alike), ZONE * first.scale, most=hall.most)
    return alike[chosen.best], chosen


def _nearest(
    space: Space, knobs: Sequence[Knob], hall: Hall, need: Floats, k: int,
    most: float,
) -> Confirmed:  # fmt: skip
    """The set that comes nearest to the targets."""
    from itertools import combinations

    useful = range(space.knobs)
    reach = {i: float(np.max((space.alone[i] - need).min(axis=1))) for i in useful}
    strong = sorted(useful, key=lambda i: -reach[i])[:6]
    space.pairs(strong)
    best: Found | None = None
    for m in range(1, min(k, len(strong)) + 1):
        for which in combinations(strong, m):
            found = solve(space, tuple(sorted(which)), need, most)
            if best is None or (found.margins - need).min() > (best.margins - need).min():
                best = found
    assert best is not None
    return hall.confirm(space, knobs, best, most, again=0)
