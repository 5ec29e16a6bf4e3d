"""Every effort that can be pushed: its curve, and all of them at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.analysis.curve import Curve, curve
from simulator.analysis.estimate import number
from simulator.analysis.names import TOGETHER
from simulator.analysis.shown import Judged
from simulator.analysis.targets import check_metric
from simulator.errors import AnalysisError, SpecError
from simulator.spec.schema import Lever, Scenario


@dataclass(frozen=True)
class Effort:
    """Something to do more of. push: the levers that take it to a multiple of today's."""

    name: str
    push: Callable[[float], list[Lever]]


def _spend(path: str, at: str) -> Callable[[float], list[Lever]]:
    return lambda x: [Lever(at=at, scale=path, by=x)]


def _hours(path: str, at: str) -> Callable[[float], list[Lever]]:
    # Hours are paid for: without their cost they would be a free lunch.
    return lambda x: [Lever(at=at, scale=f"{path}.{what}", by=x) for what in ("hours", "cost")]


def efforts(scenario: Scenario, at: str = "week 0") -> list[Effort]:
    """The spend of every channel, the paid hours of every team, and all at once."""
    spends = [
        f"channels.{n}.spend"
        for n, c in scenario.channels.items()
        if (c.spend or 0) > 0 and c.leads is not None
    ]
    found = [Effort(path, _spend(path, at)) for path in spends]
    used = {s.team for s in scenario.stages.values() if s.team}
    found += [
        Effort(f"teams.{n}.hours", _hours(f"teams.{n}", at))
        for n, t in scenario.teams.items()
        if n in used and t.headcount > 0
    ]
    parts = list(found)
    if len(spends) > 1:
        found.append(Effort("channels.*.spend", _spend("channels.*.spend", at)))
    if len(parts) > 1:
        found.append(Effort(TOGETHER, lambda x: [v for e in parts for v in e.push(x)]))
    return found


def effort_of(scenario: Scenario, path: str, at: str = "week 0") -> Effort:
    """The effort of a path: paid hours for a team's, else the path scaled. Raises AnalysisError."""
    from simulator.analysis.curve import effort_path

    if path == TOGETHER:
        return next(e for e in efforts(scenario, at) if e.name == path)
    found = effort_path(scenario, path)
    if found.startswith("teams.") and found.endswith(".hours"):
        return Effort(found, _hours(found.removesuffix(".hours"), at))
    return Effort(found, _spend(found, at))


@dataclass(frozen=True)
class Curves(Judged):
    """One curve an effort, the best first step per dollar first; those that cannot be pushed."""

    currency: str
    curves: tuple[Curve, ...]
    skipped: tuple[str, ...]
    scenario: Scenario

    @property
    def sentences(self) -> list[str]:
        """The answer in words, made from the numbers."""
        from simulator.analysis.words_curves import curves_sentences

        return curves_sentences(self)

    def rows(self) -> list[dict[str, Any]]:
        """A row an effort: what its first step and its last return, where it stops paying."""
        found = []
        for c in self.curves:
            first, last = c.points[1], c.points[-1]
            assert first.gain is not None
            assert last.gain is not None
            found.append(
                {
                    "effort": c.path,
                    "first_return": number(first.marginal),
                    "first_gain": first.gain.gain.mean,
                    "first_gain_half": number(first.gain.gain.half),
                    "last_effort": last.effort,
                    "last_extra_cost": last.extra_cost,
                    "last_gain": last.gain.gain.mean,
                    "last_gain_half": number(last.gain.gain.half),
                    "knee": c.knee.where,
                    "knee_effort": number(c.knee.effort),
                }
            )
        return found

    def to_json(self) -> dict[str, Any]:
        """Everything; every number of the sentences is in it."""
        return {
            "kind": "curves",
            "scenario": self.name,
            "outcome": self.outcome,
            "currency": self.currency,
            **self.found_by(),
            "efforts": self.rows(),
            "curves": [c.to_json() for c in self.curves],
            "skipped": list(self.skipped),
            "sentences": self.sentences,
        }

    @property
    def shown(self) -> dict[str, list[dict[str, Any]]]:
        """The tables that people read."""
        return {"efforts": self.rows()}

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Rows for CSV and Parquet."""
        points = [{"lever": c.path} | row for c in self.curves for row in c.tables["curve"]]
        return {"efforts": self.rows(), "curves": points}


def every_curve(
    scenario: Scenario,
    *,
    to: float = 2.5,
    steps: int = 4,
    at: str = "week 0",
    outcome: str | None = None,
    most: int = 20,
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> Curves:
    """The curve of every effort of a scenario, and of all at once. Options are those of `curve`.

    Raises AnalysisError, SpecError.
    """
    outcome = outcome or scenario.outcome
    check_metric(outcome, scenario, options.get("week"))
    found: list[Curve] = []
    skipped: list[str] = []
    for effort in efforts(scenario, at):
        try:
            found.append(
                curve(
                    scenario,
                    effort.name,
                    to=to,
                    steps=steps,
                    at=at,
                    outcome=outcome,
                    most=most,
                    levers=effort.push,
                    progress=progress,
                    **options,
                )
            )
        except SpecError as error:
            skipped.append(f"{effort.name}: {error.problems[0].message}")
        except KeyboardInterrupt:
            if not found:
                raise
            skipped.append("interrupted: the other efforts were not run")
            break
    if not found:
        why = f": {skipped[0]}" if skipped else ""
        raise AnalysisError(f"{scenario.name}: no effort of it can be pushed{why}")

    def worth(c: Curve) -> float:
        return c.points[1].marginal if c.points[1].marginal == c.points[1].marginal else -1e300

    found.sort(key=lambda c: -worth(c))
    first = found[0]
    return Curves(
        name=scenario.name, outcome=outcome, currency=scenario.currency, engine=first.engine,
        seed=first.seed, replications=max(c.replications for c in found),
        reason=first.reason, curves=tuple(found), skipped=tuple(skipped), scenario=scenario,
    )  # fmt: skip
