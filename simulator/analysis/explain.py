"""Why two scenarios differ: by mechanism, by what makes bookings, and by alignment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from simulator.analysis.compare import check_pair
from simulator.analysis.counterfactual import (
    ALONE,
    METHODS,
    QUEUEING,
    SHAPLEY,
    Off,
    Seen,
    Worlds,
    at_work,
    queues,
)
from simulator.analysis.decomposition import one_at_a_time, shapley, shapley_of
from simulator.analysis.explanation import Explanation, Gauge, Growth, Part, StudyExplanation
from simulator.analysis.growth import Flows, factors_of, grown
from simulator.analysis.paired import difference, estimate
from simulator.analysis.runs import DEFAULT_ENGINE, Digest, Replications, interval, replicate
from simulator.errors import AnalysisError
from simulator.mechanisms import SWITCHES
from simulator.spec.schema import Scenario
from simulator.system import build
from simulator.vocabulary import QUARTER, describe

WAITED = 0.01  # weeks: a mean wait beyond this is a queue


def explain(
    today: Scenario,
    variant: Scenario,
    *,
    method: str = SHAPLEY,
    outcome: str | None = None,
    week: float | None = None,
    engine: str = DEFAULT_ENGINE,
    seed: int | None = None,
    precision: float = 0.01,
    replications: int | None = None,
    most: int = 20,
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Explanation:
    """Take the difference between a variant and today apart.

    method: "shapley", from all groups of up to six mechanisms, of more from two drawn orders in
    each replication; or "one-at-a-time", with what several do together as a rest. precision:
    half-width of every part's interval, as a share of today's outcome. Raises AnalysisError,
    SpecError.
    """
    if method not in METHODS:
        raise AnalysisError(f"no method named '{method}'. There are: {', '.join(METHODS)}")
    check_pair(today, [variant])
    outcome = outcome or today.outcome
    describe(outcome)
    work = [at_work(s) for s in (today, variant)]
    names = tuple(sorted({*work[0], *work[1]}, key=(QUEUEING, *SWITCHES).index))
    there = [frozenset((*w, *queues(s))) for w, s in zip(work, (today, variant), strict=True)]
    worlds = Worlds(
        systems=(build(today), build(variant)),
        engine=engine,
        seed=today.seed if seed is None else seed,
        week=week,
        ledgers=False,
        pair=(today, variant),
        names=names,
        method=method,
        there=(there[0], there[1]),
    )
    ready: list[dict[str, float]] = []

    def settled(runs: list[list[Digest]]) -> bool:
        new = range(len(ready), len(runs))
        ready.extend([_split(worlds, runs[r], outcome, r) for r in new])
        base = abs(float(np.mean([run[0].metrics[outcome] for run in runs])))
        keys = ready[0]
        return all(interval([one[k] for one in ready]) <= precision * base for k in keys)

    exact = engine == "flow" and not worlds.sampled
    runs = replicate(
        worlds,
        settled,
        fixed=1 if exact else replications,
        most=most,
        jobs=jobs,
        progress=progress,
    )
    return _explanation(worlds, runs, outcome)


def _split(worlds: Worlds, run: list[Digest], outcome: str, replication: int) -> dict[str, float]:
    """One replication's parts by name, with "all" and "none": the difference with none at work."""
    found = worlds.differences(run, outcome, replication)
    everything = frozenset(worlds.names)

    def worth(on: Off) -> float:
        return found[everything - on]

    parts: dict[str, float] = {"all": worth(everything), "none": worth(frozenset())}
    if worlds.method == ALONE:
        alone, rest = one_at_a_time(worlds.names, worth)
        parts |= alone | {"together": rest}
    elif worlds.sampled:
        parts |= shapley_of(worlds.ways(replication), worth)
    else:
        parts |= shapley(worlds.names, worth)
    return parts | {q: found[frozenset()] - found[frozenset([q])] for q in worlds.teams}


def _explanation(worlds: Worlds, runs: Replications, outcome: str) -> Explanation:
    today, variant = worlds.pair
    split = [_split(worlds, run, outcome, r) for r, run in enumerate(runs.runs)]
    estimates = {k: estimate(np.array([one[k] for one in split])) for k in split[0]}
    seen = [_seen(runs, side) for side in range(2)]
    factors = factors_of(worlds.systems[0])
    weeks = seen[0][0].weeks
    return Explanation(
        name=today.name,
        variant=variant.name,
        outcome=outcome,
        currency=today.currency,
        week=float(weeks[-1]),
        engine=worlds.engine,
        seed=worlds.seed,
        replications=len(runs.runs),
        reason=runs.reason,
        method=f"{worlds.method}, drawn" if worlds.sampled else worlds.method,
        difference=difference(runs.metric(outcome, 0), runs.metric(outcome, 1)),
        baseline=estimates["none"],
        mechanisms=tuple(Part(n, estimates[n]) for n in worlds.names),
        together=estimates.get("together"),
        queues=tuple(Part(q, estimates[q]) for q in worlds.teams),
        growth=Growth(
            weeks=weeks,
            factors=factors,
            before=np.array([f.bookings for f in seen[0]]),
            after=np.array([f.bookings for f in seen[1]]),
            parts=np.array([_against(a, b) for a, b in zip(*seen, strict=True)]),
        ),
        trends=tuple(_trend(side, factors) for side in seen),
        gauges=tuple(_gauge(side) for side in seen),
        notes=_notes(worlds, runs, seen),
        scenario=today,
        changed=variant,
    )


def _seen(runs: Replications, side: int) -> list[Flows]:
    found = []
    for run in runs.runs:
        digest = run[side]
        assert isinstance(digest, Seen)
        found.append(digest.flows)
    return found


def _against(a: Flows, b: Flows) -> Any:
    return [grown(x, y) for x, y in zip(a.factors, b.factors, strict=True)]


def _trend(side: list[Flows], factors: Any) -> Growth:
    """Each quarter against the one before; a short last quarter is left out."""
    weeks = side[0].weeks
    whole = int(np.sum(np.diff(weeks) >= QUARTER - 1e-9))
    return Growth(
        weeks=weeks[1 : whole + 1],
        factors=factors,
        before=np.array([f.bookings[: max(0, whole - 1)] for f in side]),
        after=np.array([f.bookings[1:whole] for f in side]),
        parts=np.array(
            [[grown(f.factors[q - 1], f.factors[q]) for q in range(1, whole)] for f in side]
        ).reshape(len(side), max(0, whole - 1), len(factors)),
    )


def _gauge(side: list[Flows]) -> Gauge:
    return Gauge(
        weeks=side[0].weeks,
        internal=np.array([f.internal for f in side]),
        market=np.array([f.market for f in side]),
    )


def _notes(worlds: Worlds, runs: Replications, seen: list[list[Flows]]) -> tuple[str, ...]:
    notes = []
    longest = max(worlds.longest_wait(run, r) for r, run in enumerate(runs.runs))
    if longest > WAITED:
        notes.append(
            f"without queueing some leads still wait {longest:.2g} weeks on average, "
            "as a team has next to nobody; queueing does more than is shown"
        )
    if not seen[0][0].on_time and worlds.systems[0].stages.after_sale.any():
        notes.append(
            f"the {worlds.engine} engine has no single leads, so going live in time is not in "
            "internal alignment"
        )
    return tuple(notes)


def explain_study(
    folder: str | Path, *, variant: str | None = None, **options: Any
) -> StudyExplanation:
    """Explain every variant of a study's folder, or the one of a name or file, against today.

    options: those of `explain`. Raises AnalysisError for a variant that is not there.
    """
    from simulator.spec.load import find_study, load

    today_path, paths = find_study(folder)
    today = load(today_path).scenario
    variants = {p.stem: load(p).scenario for p in paths}
    if variant is not None:
        chosen = {k: v for k, v in variants.items() if variant in (k, f"{k}.yaml", v.name)}
        if not chosen:
            from simulator.spec.problems import nearest

            hint = nearest(variant, variants)
            raise AnalysisError(f"{folder}: no variant named '{variant}'. {hint}".strip())
        variants = chosen
    if not variants:
        raise AnalysisError(f"{today.name}: no variants to explain")
    order = ("push", "fix", "other", "today")
    stems = sorted(variants, key=lambda k: order.index(variants[k].role))
    parts: dict[str, Explanation] = {}
    stopped = ""
    for stem in stems:
        try:
            parts[stem] = explain(today, variants[stem], **options)
        except KeyboardInterrupt:
            if not parts:
                raise
            stopped = f"interrupted in {stem}, with the answers before it whole"
            break
        if parts[stem].reason.startswith("interrupted"):
            break
    return StudyExplanation(Path(today_path).parent.name, parts, stopped)
