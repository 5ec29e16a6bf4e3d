"""A saved answer as the object that figures are drawn of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.absorption import Absorption
from simulator.analysis.compare import Arm, Comparison, Verdict
from simulator.analysis.constraint import Candidate, Constraint, Relief
from simulator.analysis.curve import Curve, Knee, Point
from simulator.analysis.estimate import Estimate
from simulator.analysis.hours import TeamHours
from simulator.analysis.ledger import Section
from simulator.analysis.paired import Difference
from simulator.errors import DataError
from simulator.report.saved import Saved
from simulator.system import System

Floats = NDArray[np.float64]
KINDS = ("comparison", "curve", "constraint")


@dataclass(frozen=True)
class Named:
    """What figures ask of a scenario."""

    name: str
    currency: str


@dataclass(frozen=True)
class Frame:
    """What figures ask of a System: the names and the grid, none of the physics."""

    scenario: Named
    grid: Floats
    horizon: float
    team_names: tuple[str, ...]
    stage_names: tuple[str, ...]

    @property
    def name(self) -> str:
        """The scenario's."""
        return self.scenario.name


def revive(saved: Saved) -> Comparison | Curve | Constraint:
    """The object of a saved answer, with what figures read of it.

    Raises DataError for another kind, or where something is missing.
    """
    if saved.kind not in KINDS:
        raise DataError(f"{saved.file}: there are no figures of a {saved.kind}")
    try:
        if saved.kind == "comparison":
            return _comparison(saved)
        return _curve(saved) if saved.kind == "curve" else _constraint(saved)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{saved.file}: the {saved.kind} is not whole ({type(error).__name__}: {error}). "
            f"{saved.again()}"
        ) from None


def _float(value: Any) -> float:
    return math.nan if value is None else float(value)


def _floats(values: list[Any]) -> Floats:
    return np.array([_float(v) for v in values])


def _estimate(said: dict[str, Any]) -> Estimate:
    mean, low, high = (_float(said[k]) for k in ("mean", "low", "high"))
    return Estimate(mean, 0.5 * (high - low))


def _difference(said: dict[str, Any] | None) -> Difference | None:
    if said is None:
        return None
    gain, share = _estimate(said), _float(said["relative"]["mean"])
    base = gain.mean / share if share and math.isfinite(share) else 0.0
    if not base and math.isfinite(share) and _float(said["relative"]["high"]):
        base = gain.high / _float(said["relative"]["high"])
    return Difference(gain, base, _float(said["variance_ratio"]), _float(said["p"]))


def _hours(said: dict[str, Any]) -> TeamHours:
    teams = said["teams"]
    edges = _floats(said["weeks"])

    def table(key: str) -> Floats:
        found = np.empty((len(edges) - 1, len(teams)))
        for m, name in enumerate(teams):
            found[:, m] = _floats(teams[name][key])
        return found

    return TeamHours(tuple(teams), edges, *(table(key) for key in ("paid", "used", "queued")))


def _band(said: dict[str, Any] | None) -> Floats | None:
    if said is None:
        return None
    return np.column_stack([_floats(said[k]) for k in ("mean", "low", "high")])


def _frame(saved: Saved, name: str, week: list[Any], teams: tuple[str, ...]) -> Frame:
    data = saved.data
    stages = tuple(data["queues"]["stages"]) if saved.kind == "constraint" else ()
    scenario = Named(str(name), str(data["currency"]))
    return Frame(scenario, _floats(week), float(data["weeks"]), teams, stages)


def _comparison(saved: Saved) -> Comparison:
    data, v = saved.data, saved.data["verdict"]
    return Comparison(
        name=str(data["study"]),
        outcome=str(data["outcome"]),
        week=float(data["week"]),
        engine=str(data["engine"]),
        seed=int(data["seed"]),
        replications=int(data["replications"]),
        reason=str(data["stopped"]),
        spend=data["equal_spend"],
        arms=tuple(_arm(saved, a) for a in data["arms"]),
        verdict=Verdict(
            str(v["code"]), v["best"], _difference(v["fix_minus_push"]), v["push"], v["fix"]
        ),
        notes=tuple(data["notes"]),
        assumptions=tuple(data["assumptions"]),
    )


def _arm(saved: Saved, a: dict[str, Any]) -> Arm:
    hours, series, absorbed = _hours(a["hours"]), a["series"], a["absorption"]
    bands, weeks = _band(series["arr"]), len(series["week"])
    assert bands is not None
    return Arm(
        name=str(a["name"]),
        role=str(a["role"]),
        written=bool(a["as_written"]),
        equal=bool(a["equal_spend"]),
        intensity=float(a["intensity"]),
        extra_cost=float(a["extra_cost"]),
        metrics={k: _estimate(m) for k, m in a["metrics"].items()},
        gain=_difference(a["gain"]),
        p=a["p_adjusted"],
        ledger=None
        if a["ledger"] is None
        else {k: Section(s["total"], dict(s["parts"])) for k, s in a["ledger"].items()},
        absorption=None
        if absorbed is None
        else Absorption(
            absorbed["straight_line_wins"], absorbed["actual_wins"], dict(absorbed["parts"])
        ),
        system=cast(System, _frame(saved, a["name"], series["week"], hours.teams)),
        bands=bands,
        used=np.zeros((weeks, len(hours.teams))),
        waiting=np.zeros((weeks, 0)),
        leads=_floats(series["leads"]),
        wins=_floats(series["wins"]),
        gain_bands=_band(series.get("gain")),
        hours=hours,
    )


def _curve(saved: Saved) -> Curve:
    data, k = saved.data, saved.data["knee"]
    return Curve(
        name=str(data["scenario"]),
        path=str(data["effort"]),
        outcome=str(data["outcome"]),
        currency=str(data["currency"]),
        engine=str(data["engine"]),
        seed=int(data["seed"]),
        replications=int(data["replications"]),
        reason=str(data["stopped"]),
        points=tuple(_point(p) for p in data["points"]),
        knee=Knee(
            str(k["where"]), *(_float(k[key]) for key in ("effort", "low", "high", "hurdle"))
        ),
        weeks=float(data["weeks"]),
        at=str(data["from"]),
    )


def _point(p: dict[str, Any]) -> Point:
    parts = p["absorption"]
    return Point(
        effort=float(p["effort"]),
        extra_cost=float(p["extra_cost"]),
        output=_estimate(p["output"]),
        gain=_difference(p["gain"]),
        straight=_float(p["straight_line"]),
        marginal=_float(p["marginal_return"]),
        absorption=None if parts is None else Absorption(math.nan, math.nan, dict(parts)),
    )


def _constraint(saved: Saved) -> Constraint:
    data, hours = saved.data, _hours(saved.data["hours"])
    queues = data["queues"]
    waiting = np.column_stack(
        [_floats(queues["stages"][s]) for s in queues["stages"]]
        or [np.empty((len(queues["week"]), 0))]
    )
    used = {t["team"]: float(t["utilisation"]) for t in data["teams"]}
    weeks = max(1, len(queues["week"]) - 1)
    return Constraint(
        name=str(data["scenario"]),
        outcome=str(data["outcome"]),
        currency=str(data["currency"]),
        engine=str(data["engine"]),
        seed=int(data["seed"]),
        replications=int(data["replications"]),
        reason=str(data["stopped"]),
        candidates=tuple(_candidate(c) for c in data["ranking"]),
        system=cast(System, _Stages(_frame(saved, data["scenario"], queues["week"], hours.teams))),
        utilisation=np.tile([used[t] for t in hours.teams], (weeks, 1)),
        waiting=waiting,
        weeks=float(data["weeks"]),
        skipped=tuple(data["skipped"]),
        hours=hours,
    )


class _Stages:
    """A Frame on which a constraint's teams can be told: no stage is any team's."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.stages = _NoTeam(np.full(len(frame.stage_names), -1))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._frame, name)


@dataclass(frozen=True)
class _NoTeam:
    team: NDArray[np.int64]


def _candidate(c: dict[str, Any]) -> Candidate:
    gain = _difference(c["gain"])
    assert gain is not None
    relief = Relief(str(c["name"]), str(c["kind"]), str(c["relief"]), (), c["cost_is"] == "book")
    per, low, high = (_float(c[f"gain_per_dollar{k}"]) for k in ("", "_low", "_high"))
    return Candidate(
        relief, float(c["extra_cost"]), gain, float(c["p_adjusted"]), per, low, high,
        bool(c["tied_with_best"]),
    )  # fmt: skip
