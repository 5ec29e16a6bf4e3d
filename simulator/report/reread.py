"""Saved runs as what figures are drawn of: comparisons, curves, constraints."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.analysis.course import reread
from simulator.analysis.estimate import Estimate
from simulator.analysis.factorial import Crossed
from simulator.analysis.flows import revived
from simulator.analysis.hours import TeamHours
from simulator.analysis.names import NONE
from simulator.analysis.parts import Absorption, Knee, Section, Span
from simulator.report import kept
from simulator.report.kept import Floats, number, numbers
from simulator.report.saved import Saved


def estimate_of(said: dict[str, Any]) -> Estimate:
    """A mean with its interval."""
    mean, low, high = (number(said[k]) for k in ("mean", "low", "high"))
    return Estimate(mean, 0.5 * (high - low))


def difference_of(said: dict[str, Any]) -> kept.Difference:
    """Second minus first."""
    return kept.Difference(
        estimate_of(said), estimate_of(said["relative"]), number(said["variance_ratio"]),
        number(said["p"]),
    )  # fmt: skip


def _maybe(said: dict[str, Any] | None) -> kept.Difference | None:
    return None if said is None else difference_of(said)


def _hours(said: dict[str, Any]) -> TeamHours:
    teams, edges = said["teams"], numbers(said["weeks"])

    def table(key: str) -> Floats:
        found = np.empty((len(edges) - 1, len(teams)))
        for m, name in enumerate(teams):
            found[:, m] = numbers(teams[name][key])
        return found

    return TeamHours(tuple(teams), edges, *(table(key) for key in ("paid", "used", "queued")))


def _band(said: dict[str, Any]) -> Floats:
    return np.column_stack([numbers(said[k]) for k in ("mean", "low", "high")])


def _frame(
    saved: Saved, name: Any, week: list[Any], teams: tuple[str, ...], stages: tuple[str, ...] = ()
) -> kept.Frame:
    data = saved.data
    scenario = kept.Named(str(name), str(data["currency"]))
    return kept.Frame(scenario, numbers(week), float(data["weeks"]), teams, stages)


def asked(data: dict[str, Any], name: str) -> dict[str, Any]:
    """What all kinds have."""
    return {
        "name": str(data[name]),
        "engine": str(data["engine"]),
        "seed": int(data["seed"]),
        "replications": int(data["replications"]),
        "reason": str(data["stopped"]),
    }


def shared(data: dict[str, Any], name: str) -> dict[str, Any]:
    """What all kinds have that are judged by one outcome."""
    return asked(data, name) | {"outcome": str(data["outcome"])}


def comparison(saved: Saved) -> kept.Comparison:
    """Today and its variants."""
    data, v = saved.data, saved.data["verdict"]
    return kept.Comparison(
        **shared(data, "study"),
        week=float(data["week"]),
        spend=data["equal_spend"],
        arms=tuple(_arm(saved, a) for a in data["arms"]),
        verdict=kept.Verdict(
            str(v["code"]), v["best"], _maybe(v["fix_minus_push"]), v["push"], v["fix"]
        ),
        notes=tuple(data["notes"]),
        crossed=_crossed(data.get("two_by_two")),
    )


def _arm(saved: Saved, a: dict[str, Any]) -> kept.Arm:
    hours, series, lost, book = _hours(a["hours"]), a["series"], a["absorption"], a["ledger"]
    return kept.Arm(
        name=str(a["name"]),
        role=str(a["role"]),
        written=bool(a["as_written"]),
        equal=bool(a["equal_spend"]),
        intensity=float(a["intensity"]),
        extra_cost=float(a["extra_cost"]),
        metrics={k: estimate_of(m) for k, m in a["metrics"].items()},
        gain=_maybe(a["gain"]),
        p=a["p_adjusted"],
        ledger=None
        if book is None
        else {k: Section(s["total"], dict(s["parts"])) for k, s in book.items()},
        absorption=None
        if lost is None
        else Absorption(lost["straight_line_wins"], lost["actual_wins"], dict(lost["parts"])),
        system=_frame(saved, a["name"], series["week"], hours.teams),
        bands=_band(series["arr"]),
        gain_bands=_band(series["gain"]) if series.get("gain") else None,
        pace=_band(series["quarter_wins"]),
        flows=revived(a["flows"]),
        leads=numbers(series["leads"]),
        wins=numbers(series["wins"]),
        hours=hours,
        course=reread(a.get("course")),
    )


def _crossed(said: dict[str, Any] | None) -> Crossed | None:
    if said is None:
        return None
    first, second, both = (str(said[k]) for k in ("first", "second", "both"))
    return Crossed(first, second, both, estimate_of(said["beyond_their_sum"]))


def curve(saved: Saved) -> kept.Curve:
    """Output against one effort."""
    return curve_of(saved.data)


def curve_of(data: dict[str, Any]) -> kept.Curve:
    """A curve of its JSON, alone or of several."""
    k = data["knee"]
    return kept.Curve(
        **shared(data, "scenario"),
        path=str(data["effort"]),
        currency=str(data["currency"]),
        points=tuple(_point(p) for p in data["points"]),
        knee=Knee(
            str(k["where"]), *(number(k[key]) for key in ("effort", "low", "high", "hurdle"))
        ),
        weeks=float(data["weeks"]),
        at=str(data["from"]),
    )


def _point(p: dict[str, Any]) -> kept.Point:
    parts = p["absorption"]
    return kept.Point(
        effort=float(p["effort"]),
        extra_cost=float(p["extra_cost"]),
        output=estimate_of(p["output"]),
        gain=_maybe(p["gain"]),
        straight=number(p["straight_line"]),
        marginal=number(p["marginal_return"]),
        absorption=None if parts is None else Absorption(number(None), number(None), dict(parts)),
    )


def constraint(saved: Saved) -> kept.Constraint:
    """Reliefs by their worth, who was the bottleneck when, and where it moves."""
    data, hours, queues = saved.data, _hours(saved.data["hours"]), saved.data["queues"]
    stages = tuple(queues["stages"])
    waiting = np.empty((len(queues["week"]), len(stages)))
    for i, stage in enumerate(stages):
        waiting[:, i] = numbers(queues["stages"][stage])
    return kept.Constraint(
        **shared(data, "scenario"),
        currency=str(data["currency"]),
        candidates=tuple(_candidate(c) for c in data["ranking"]),
        system=_frame(saved, data["scenario"], queues["week"], hours.teams, stages),
        waiting=waiting,
        weeks=float(data["weeks"]),
        skipped=tuple(data["skipped"]),
        hours=hours,
        told=tuple(data["teams"]),
        bottleneck=_bottleneck(data.get("active_periods")),
        path=_path(data.get("path")),
    )


def _bottleneck(said: dict[str, Any] | None) -> kept.Bottleneck | None:
    if said is None:
        return None
    teams = tuple(said["teams"])
    place = {team: i for i, team in enumerate(teams)} | {None: NONE}
    return kept.Bottleneck(
        teams=teams,
        sole=tuple(estimate_of(said["teams"][t]["sole"]) for t in teams),
        shifting=tuple(estimate_of(said["teams"][t]["shifting"]) for t in teams),
        strip=tuple(
            Span(
                float(s["from_week"]), float(s["to_week"]), place[s["team"]],
                tuple(place[t] for t in s["shifting"]),
            )
            for s in said["strip"]
        ),
        worst=said["bottleneck"],
    )  # fmt: skip


def _path(said: dict[str, Any] | None) -> kept.Path | None:
    if said is None:
        return None

    def step(s: dict[str, Any]) -> kept.Step:
        mean, low, high = (number(s[f"gain_so_far{k}"]) for k in ("", "_low", "_high"))
        total = kept.Sum(Estimate(mean, 0.5 * (high - low)))
        return kept.Step(str(s["constraint"]), float(s["spent"]), total)

    then = said["then"]
    return kept.Path(
        budget=float(said["budget"]),
        steps=tuple(step(s) for s in said["steps"]),
        stretches=tuple(
            (str(c["constraint"]), float(c["from_budget"]), float(c["to_budget"]))
            for c in said["constraints"]
        ),
        then=None if then is None else kept.Next(kept.Relief(str(then), "", "", False)),
    )


def _candidate(c: dict[str, Any]) -> kept.Candidate:
    relief = kept.Relief(str(c["name"]), str(c["kind"]), str(c["relief"]), c["cost_is"] == "book")
    per, low, high = (number(c[f"gain_per_dollar{k}"]) for k in ("", "_low", "_high"))
    return kept.Candidate(
        relief, float(c["extra_cost"]), difference_of(c["gain"]), float(c["p_adjusted"]), per, low,
        high, bool(c["tied_with_best"]),
    )  # fmt: skip
