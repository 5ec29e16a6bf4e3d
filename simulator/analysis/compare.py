"""Today against its variants: paired replications, equal spend, the ledger, a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.absorption import Side, absorb
from simulator.analysis.comparison import Arm, Comparison, Verdict
from simulator.analysis.course import course_of
from simulator.analysis.ensemble import Ensemble, told
from simulator.analysis.estimate import Estimate
from simulator.analysis.factorial import Crossed, crossing
from simulator.analysis.flows import flows_of
from simulator.analysis.ledger import mean_ledger
from simulator.analysis.paired import Difference, difference, estimate, holm
from simulator.analysis.parts import Absorption
from simulator.analysis.runs import DEFAULT_ENGINE, Job, Replications, interval, narrow, replicate
from simulator.analysis.shown import ALPHA
from simulator.analysis.spend import Cost, Scaled, cost_of, equal_spend
from simulator.errors import AnalysisError
from simulator.spec.schema import Scenario
from simulator.system import System, build
from simulator.vocabulary import QUARTER, describe

Floats = NDArray[np.float64]


def _bands(columns: Floats) -> Floats:
    """(R, T) -> (T, 3): mean and 95% interval at each time."""
    mean = columns.mean(axis=0)
    if len(columns) < 2:
        return np.column_stack([mean, mean, mean])
    half = np.array([interval(columns[:, k]) for k in range(columns.shape[1])])
    return np.column_stack([mean, mean - half, mean + half])


def _pace(wins: Floats, grid: Floats) -> Floats:
    """Wins of the quarter before each time, from wins so far, both (R, T); NaN in the first."""
    before = np.array([np.interp(grid - QUARTER, grid, row) for row in wins])
    return np.where(grid >= QUARTER, wins - before, np.nan)


def _mean(runs: Replications, system: int, name: str) -> Floats:
    values: Floats = np.mean([getattr(run[system], name) for run in runs.runs], axis=0)
    return values


def metric_estimates(runs: Replications, system: int) -> dict[str, Estimate]:
    """Every metric's mean and interval over replications; replications without it left out."""
    found = {}
    for name in runs.runs[0][system].metrics:
        values = runs.metric(name, system)
        values = values[np.isfinite(values)]
        if len(values):
            found[name] = estimate(values)
    return found


def absorption_of(runs: Replications, a: int, b: int, systems: list[System]) -> Absorption:
    """Where the gap to a straight line went, from the means of two systems' runs."""

    def side(i: int) -> Side:
        return Side(*(_mean(runs, i, name) for name in ("fates", "spend", "entered")))

    return absorb(systems[a], systems[b], side(a), side(b))


def check_pair(today: Scenario, variants: list[Scenario]) -> None:
    """Raise AnalysisError where variants are not of a kind with today."""
    if not variants:
        raise AnalysisError(f"{today.name}: no variants to compare with")
    for v in variants:
        for part in ("horizon", "warm_up", "currency"):
            a, b = getattr(today, part), getattr(v, part)
            if a != b:
                raise AnalysisError(
                    f"{v.name}: {part} is {b} but {a} in {today.name}; "
                    "scenarios that are compared must share it"
                )
        if list(today.stages) != list(v.stages) or list(today.channels) != list(v.channels):
            raise AnalysisError(
                f"{v.name}: its stages and channels must be those of {today.name} "
                "(take one out with applies_to: 0% or a rate of 0)"
            )


def compare(
    today: Scenario,
    variants: list[Scenario],
    *,
    name: str | None = None,
    outcome: str | None = None,
    week: float | None = None,
    engine: str = DEFAULT_ENGINE,
    seed: int | None = None,
    precision: float = 0.005,
    replications: int | None = None,
    most: int = 40,
    jobs: int | None = None,
    spend: float | None = None,
    ensemble: Ensemble | None = None,
    progress: Callable[[int], None] | None = None,
) -> Comparison:
    """Compare variants with today, as written and at equal spend.

    outcome: metric (default: today's); precision: half-width of each difference's 95% interval,
    as a share of today's outcome; spend: common extra cost over the horizon, default the least of
    the variants'. ensemble: sets of numbers that today's data allow; each replication takes one,
    so that intervals are of chance and of the fit. Raises AnalysisError, SpecError.
    """
    check_pair(today, variants)
    outcome = outcome or today.outcome
    describe(outcome)
    base = build(today)
    cost = cost_of([today, *variants], engine)
    written = [build(v) for v in variants]
    target, scaled = equal_spend(base, variants, written, cost, spend)
    notes = [s.note for s in scaled if s is not None and s.note]
    systems = [base, *written]
    equal_at: list[int] = []
    for i, s in enumerate(scaled):
        if s is None or abs(s.intensity - 1.0) < 1e-9:
            equal_at.append(i + 1)
        else:
            equal_at.append(len(systems))
            systems.append(s.system)
    seed = today.seed if seed is None else seed
    if engine == "flow":
        replications = 1

    worlds: tuple[tuple[System, ...], ...] = ()
    if ensemble is not None:
        said = told(engine, min(replications or most, len(ensemble)))
        pulled = [(today, 1.0), *((v, 1.0) for v in variants)]
        pulled += [
            (variants[equal_at.index(i)], scaled[equal_at.index(i)].intensity)  # type: ignore[union-attr]
            for i in range(len(pulled), len(systems))
        ]
        worlds = _worlds(ensemble, today, pulled, replications or most)
        notes.append(f"{said}; equal spend is that of the scenario as written")
    runs = replicate(
        Job(tuple(systems), engine, seed, week, worlds=worlds),
        narrow(outcome, precision),
        fixed=replications,
        most=most,
        jobs=jobs,
        progress=progress,
    )
    arms = _arms(variants, systems, equal_at, scaled, cost(base), runs, outcome, today, cost)
    return Comparison(
        name=name or today.name,
        outcome=outcome,
        week=week if week is not None else today.horizon,
        engine=engine,
        seed=seed,
        replications=len(runs.runs),
        reason=runs.reason,
        spend=target,
        arms=arms,
        verdict=_judge(arms, runs, outcome, equal_at, variants),
        notes=tuple(notes),
        crossed=_crossed(today, variants, runs, outcome),
    )


def _crossed(
    today: Scenario, variants: list[Scenario], runs: Replications, outcome: str
) -> Crossed | None:
    found = crossing(today, variants)
    if found is None:
        return None
    base, first, second, both = (runs.metric(outcome, i) for i in (0, *(k + 1 for k in found)))
    a, b, c = (variants[k].name for k in found)
    return Crossed(a, b, c, estimate(both - first - second + base))


def _worlds(
    ensemble: Ensemble, today: Scenario, pulled: list[tuple[Scenario, float]], most: int
) -> tuple[tuple[System, ...], ...]:
    """All systems in as many sets as are needed, spread over the ensemble."""
    n = min(most, len(ensemble))
    rows = [i * len(ensemble) // n for i in range(n)]
    each = [ensemble if s is today else ensemble.shared(s, today) for s, _ in pulled]
    return tuple(
        tuple(build(e.scenario(s, row), x) for e, (s, x) in zip(each, pulled, strict=True))
        for row in rows
    )


def _arms(
    variants: list[Scenario],
    systems: list[System],
    equal_at: list[int],
    scaled: list[Scaled | None],
    base_cost: float,
    runs: Replications,
    outcome: str,
    today: Scenario,
    cost: Cost,
) -> tuple[Arm, ...]:
    a = runs.metric(outcome, 0)
    gains = [difference(a, runs.metric(outcome, i)) for i in range(1, len(systems))]
    levels = np.array([[one.arr for one in run] for run in runs.runs])
    grid = systems[0].grid
    pace = [_pace(np.array([run[i].wins for run in runs.runs]), grid) for i in range(len(systems))]
    # One family: what the verdict rests on, the variants at equal spend.
    adjusted = dict(zip(equal_at, holm([gains[i - 1].p for i in equal_at]), strict=True))
    arms = []
    for i, system in enumerate(systems):
        v = None if i == 0 else i - 1 if i <= len(variants) else equal_at.index(i)
        scenario = today if v is None else variants[v]
        is_written = 0 < i <= len(variants)
        is_equal = v is not None and equal_at[v] == i
        chosen = scaled[v] if v is not None else None
        intensity = chosen.intensity if is_equal and chosen is not None and not is_written else 1.0
        arms.append(
            Arm(
                name=scenario.name,
                role="today" if v is None else scenario.role,
                written=is_written or i == 0,
                equal=is_equal or i == 0,
                intensity=intensity,
                extra_cost=cost(system) - base_cost,
                metrics=metric_estimates(runs, i),
                gain=None if i == 0 else gains[i - 1],
                p=adjusted.get(i),
                ledger=None if i == 0 else mean_ledger([run[i].ledger for run in runs.runs]),  # type: ignore[misc]
                absorption=None if i == 0 else absorption_of(runs, 0, i, systems),
                system=system,
                bands=_bands(levels[:, i]),
                pace=_bands(pace[i] - pace[0] if i else pace[0]),
                gain_bands=_bands(levels[:, i] - levels[:, 0]) if i else None,
                flows=flows_of(system, [run[i] for run in runs.runs]),
                course=course_of(system, [run[i] for run in runs.runs]),
                used=_mean(runs, i, "used"),
                waiting=_mean(runs, i, "waiting"),
                leads=_mean(runs, i, "leads"),
                wins=_mean(runs, i, "wins"),
            )
        )
    return tuple(arms)


def _judge(
    arms: tuple[Arm, ...],
    runs: Replications,
    outcome: str,
    equal_at: list[int],
    variants: list[Scenario],
) -> Verdict:
    """Who wins, at equal spend. A gain must be told from chance at 5%, adjusted by Holm."""
    better = describe(outcome).better or 1
    found: dict[int, tuple[Difference, float]] = {}
    for v, i in enumerate(equal_at):
        arm = arms[i]
        assert arm.gain is not None
        assert arm.p is not None
        found[v] = (arm.gain, arm.p)

    def best(role: str) -> int | None:
        mine = [v for v in found if variants[v].role == role]
        return max(mine, key=lambda v: better * found[v][0].gain.mean) if mine else None

    push, fix = best("push"), best("fix")
    if push is not None and fix is not None:
        contrast = difference(
            runs.metric(outcome, equal_at[push]), runs.metric(outcome, equal_at[fix])
        )
        names = variants[push].name, variants[fix].name
        if contrast.p >= ALPHA:
            return Verdict("no_difference_found", None, contrast, *names)
        won = fix if better * contrast.gain.mean > 0 else push
        gain, p = found[won]
        if p >= ALPHA or better * gain.gain.mean <= 0:
            # The better of two that do nothing, or harm, is no advice.
            return Verdict("no_difference_found", None, contrast, *names)
        code = "fix_wins" if won == fix else "push_wins"
        return Verdict(code, variants[won].name, contrast, *names)
    v = max(found, key=lambda v: better * found[v][0].gain.mean)
    gain, p = found[v]
    names_of = {
        "push": variants[push].name if push is not None else None,
        "fix": variants[fix].name if fix is not None else None,
    }
    if p >= ALPHA:
        return Verdict("no_difference_found", None, None, **names_of)
    if better * gain.gain.mean <= 0:
        return Verdict("loss_found", None, None, **names_of)
    code = {"push": "push_wins", "fix": "fix_wins"}.get(variants[v].role, "gain_found")
    return Verdict(code, variants[v].name, None, **names_of)


def compare_study(folder: str | Path, **options: Any) -> Comparison:
    """Compare all variants of a study's folder with its today.yaml."""
    from simulator.spec.check import assumptions
    from simulator.spec.load import find_study, load

    today_path, variant_paths = find_study(folder)
    loaded = load(today_path)
    today, rests = loaded.scenario, tuple(asdict(row) for row in assumptions(loaded))
    variants = [load(p).scenario for p in variant_paths]
    variants.sort(key=lambda v: ("push", "fix", "other", "today").index(v.role))
    found = compare(today, variants, name=Path(today_path).parent.name, **options)
    return replace(found, assumptions=rests)
