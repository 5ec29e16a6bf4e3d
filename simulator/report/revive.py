"""A saved answer as what figures are drawn of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from simulator.analysis.estimate import Estimate
from simulator.analysis.flows import revived
from simulator.analysis.hours import TeamHours
from simulator.errors import DataError
from simulator.report import kept
from simulator.report.kept import Floats, number, numbers
from simulator.report.saved import Saved

if TYPE_CHECKING:
    from simulator.analysis.compare import Comparison
    from simulator.analysis.constraint import Constraint
    from simulator.analysis.curve import Curve

KINDS = ("comparison", "curve", "constraint")


def revive(saved: Saved) -> Comparison | Curve | Constraint:
    """What figures are drawn of, of a saved answer.

    Raises DataError for another kind, or where something is missing.
    """
    if saved.kind not in KINDS:
        raise DataError(
            f"{saved.file}: figures of a {saved.kind} are not drawn again from what was saved; "
            "the folder that --out wrote holds those there are"
        )
    try:
        if saved.kind == "comparison":
            return cast("Comparison", _comparison(saved))
        if saved.kind == "curve":
            return cast("Curve", _curve(saved.data))
        return cast("Constraint", _constraint(saved))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{saved.file}: the {saved.kind} is not whole ({type(error).__name__}: {error}). "
            f"{saved.again()}"
        ) from None


def _estimate(said: dict[str, Any]) -> Estimate:
    mean, low, high = (number(said[k]) for k in ("mean", "low", "high"))
    return Estimate(mean, 0.5 * (high - low))


def _difference(said: dict[str, Any]) -> kept.Difference:
    return kept.Difference(
        _estimate(said), _estimate(said["relative"]), number(said["variance_ratio"]),
        number(said["p"]),
    )  # fmt: skip


def _maybe(said: dict[str, Any] | None) -> kept.Difference | None:
    return None if said is None else _difference(said)


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


def _shared(data: dict[str, Any], name: str) -> dict[str, Any]:
    """What all kinds have."""
    return {
        "name": str(data[name]),
        "outcome": str(data["outcome"]),
        "engine": str(data["engine"]),
        "seed": int(data["seed"]),
        "replications": int(data["replications"]),
        "reason": str(data["stopped"]),
    }


def _comparison(saved: Saved) -> kept.Comparison:
    data, v = saved.data, saved.data["verdict"]
    return kept.Comparison(
        **_shared(data, "study"),
        week=float(data["week"]),
        spend=data["equal_spend"],
        arms=tuple(_arm(saved, a) for a in data["arms"]),
        verdict=kept.Verdict(
            str(v["code"]), v["best"], _maybe(v["fix_minus_push"]), v["push"], v["fix"]
        ),
        notes=tuple(data["notes"]),
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
        metrics={k: _estimate(m) for k, m in a["metrics"].items()},
        gain=_maybe(a["gain"]),
        p=a["p_adjusted"],
        ledger=None
        if book is None
        else {k: kept.Section(s["total"], dict(s["parts"])) for k, s in book.items()},
        absorption=None
        if lost is None
        else kept.Absorption(lost["straight_line_wins"], lost["actual_wins"], dict(lost["parts"])),
        system=_frame(saved, a["name"], series["week"], hours.teams),
        bands=_band(series["arr"]),
        gain_bands=_band(series["gain"]) if series.get("gain") else None,
        pace=_band(series["quarter_wins"]),
        flows=revived(a["flows"]),
        leads=numbers(series["leads"]),
        wins=numbers(series["wins"]),
        hours=hours,
    )


def _curve(data: dict[str, Any]) -> kept.Curve:
    k = data["knee"]
    return kept.Curve(
        **_shared(data, "scenario"),
        path=str(data["effort"]),
        currency=str(data["currency"]),
        points=tuple(_point(p) for p in data["points"]),
        knee=kept.Knee(
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
        output=_estimate(p["output"]),
        gain=_maybe(p["gain"]),
        straight=number(p["straight_line"]),
        marginal=number(p["marginal_return"]),
        absorption=None
        if parts is None
        else kept.Absorption(number(None), number(None), dict(parts)),
    )


def _constraint(saved: Saved) -> kept.Constraint:
    data, hours, queues = saved.data, _hours(saved.data["hours"]), saved.data["queues"]
    stages = tuple(queues["stages"])
    waiting = np.empty((len(queues["week"]), len(stages)))
    for i, stage in enumerate(stages):
        waiting[:, i] = numbers(queues["stages"][stage])
    return kept.Constraint(
        **_shared(data, "scenario"),
        currency=str(data["currency"]),
        candidates=tuple(_candidate(c) for c in data["ranking"]),
        system=_frame(saved, data["scenario"], queues["week"], hours.teams, stages),
        waiting=waiting,
        weeks=float(data["weeks"]),
        skipped=tuple(data["skipped"]),
        hours=hours,
        told=tuple(data["teams"]),
    )


def _candidate(c: dict[str, Any]) -> kept.Candidate:
    relief = kept.Relief(str(c["name"]), str(c["kind"]), str(c["relief"]), c["cost_is"] == "book")
    per, low, high = (number(c[f"gain_per_dollar{k}"]) for k in ("", "_low", "_high"))
    return kept.Candidate(
        relief, float(c["extra_cost"]), _difference(c["gain"]), float(c["p_adjusted"]), per, low,
        high, bool(c["tied_with_best"]),
    )  # fmt: skip
