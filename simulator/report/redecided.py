"""Saved decisions as what figures are drawn of."""

from __future__ import annotations

from typing import Any

from simulator.analysis.estimate import Estimate
from simulator.analysis.information import Worth
from simulator.analysis.parts import Range, RidgePoint, Target
from simulator.report import decided
from simulator.report.kept import number, numbers
from simulator.report.reread import asked, curve_of, difference_of, estimate_of, shared
from simulator.report.saved import Saved


def seek(saved: Saved) -> decided.Sought:
    """What must be true."""
    data = saved.data
    targets = tuple(_target(t) for t in data["targets"])
    answer, nearest = data["answer"], data["nearest"]
    return decided.Sought(
        **asked(data, "scenario"),
        currency=str(data["currency"]),
        weeks=float(data["weeks"]),
        targets=targets,
        today=tuple(estimate_of(t["today"]) for t in data["targets"]),
        most_levers=int(data["max_levers"]),
        lone=tuple(_lone(x, targets) for x in data["single_levers"]),
        sets=tuple(_set(s) for s in data["sets"]),
        answer=None if answer is None else _set(answer),
        nearest=None if nearest is None else _set(nearest),
        conditions=tuple(_condition(c) for c in data["conditions"]),
    )


def _sign(said: dict[str, Any]) -> int:
    return {">=": 1, "<=": -1}[said["sign"]]


def _target(said: dict[str, Any]) -> Target:
    return Target(
        str(said["metric"]), _sign(said), float(said["level"]), float(said["week"]),
        str(said["text"]),
    )  # fmt: skip


def _lone(said: dict[str, Any], targets: tuple[Target, ...]) -> decided.Lone:
    best = said["best_it_can_do"]
    return decided.Lone(
        decided.Knob(str(said["lever"])), bool(said["reaches_every_target"]),
        float(said["extent"]), tuple(number(best[t.text]) for t in targets), said["extra_cost"],
    )  # fmt: skip


def _set(said: dict[str, Any]) -> decided.Confirmed:
    return decided.Confirmed(
        names=tuple(str(x["lever"]) for x in said["levers"]),
        cost=float(said["extra_cost"]),
        reached=tuple(estimate_of(t) for t in said["targets"]),
        status=str(said["status"]),
        moved=tuple(said["levers"]),
    )


def _condition(said: dict[str, Any]) -> decided.Condition:
    worth = said["worth"]
    return decided.Condition(
        name=str(said["condition"]),
        kind=str(said["kind"]),
        sign=_sign(said),
        today=number(said["today"]),
        needed=number(said["needed"]),
        unit=str(said["unit"]),
        confidence=number(said["confidence"]),
        worth=None if worth is None else difference_of(worth),
    )


def _range(said: dict[str, Any]) -> Range:
    value, low, high = (float(said[k]) for k in ("value", "low", "high"))
    return Range(str(said["path"]), value, low, high, str(said["grade"]), str(said["unit"]))


def sensitivity(saved: Saved) -> decided.Sensitivity:
    """Which assumptions the answer rests on."""
    data, split = saved.data, saved.data["variance"]
    return decided.Sensitivity(
        **shared(data, "scenario"),
        currency=str(data["currency"]),
        base=estimate_of(data["base"]),
        bars=tuple(
            decided.Bar(
                _range(b), difference_of(b["at_low"]), difference_of(b["at_high"]),
                bool(b["beyond_chance"]),
            )
            for b in data["tornado"]
        ),
        split=None if split is None else decided.Split(number(split["share_from_chance"])),
    )  # fmt: skip


def robustness(saved: Saved) -> decided.Robustness:
    """Whether a verdict stands."""
    data = saved.data
    first, second = (str(x) for x in data["sides"])
    return decided.Robustness(
        **shared(data, "study"),
        currency=str(data["currency"]),
        sides=(first, second),
        verdict=str(data["verdict"]),
        base=difference_of(data["difference"]),
        spend=data["equal_spend"],
        bars=tuple(_stand(b) for b in data["tornado"]),
        weeks=float(data["weeks"]),
    )


def _stand(said: dict[str, Any]) -> decided.Stand:
    low, high = said["at_low"], said["at_high"]
    ends = (str(low["verdict"]), str(high["verdict"]))
    return decided.Stand(
        _range(said), difference_of(low), difference_of(high), ends, said["turns_at"],
    )  # fmt: skip


def worlds(saved: Saved) -> decided.Worlds:
    """In which worlds which side wins."""
    data, share = saved.data, saved.data["push_beats_fix"]
    over = tuple(_range(r) for r in data["assumptions"])
    place = {r.path: i for i, r in enumerate(over)}
    mean, low, high = (float(share[k]) for k in ("share", "low", "high"))
    return decided.Worlds(
        **shared(data, "scenario"),
        currency=str(data["currency"]),
        sides=(decided.Named(str(data["push"]["name"])), decided.Named(str(data["fix"]["name"]))),
        over=over,
        count=int(data["worlds"]),
        share=Estimate(mean, max(high - mean, mean - low)),
        bins={key: [float(x) for x in data["histogram"][key]] for key in ("edges", "worlds")},
        boxes=tuple(
            decided.Box(
                tuple(decided.Limit(place[x["path"]], x["low"], x["high"]) for x in b["limits"]),
                bool(b["holds_up"]),
            )
            for b in data["boxes"]
        ),
        of=str(data["boxes_of"]),
        information=tuple(
            Worth(
                str(w["path"]),
                *(float(w[k]) for k in ("value", "low", "high", "share_of_worlds_that_flip")),
            )
            for w in data["value_of_information"]
        ),
    )


def curves(saved: Saved) -> decided.Curves:
    """Every effort side by side."""
    found = tuple(curve_of(c) for c in saved.data["curves"])
    return decided.Curves(
        **shared(saved.data, "scenario"), currency=found[0].currency, curves=found
    )


def isoquant(saved: Saved) -> decided.Isoquant:
    """Two efforts at once."""
    data, hills, best = saved.data, saved.data["surface"], saved.data["stops_paying"]
    first, second = (str(x) for x in data["efforts"])
    return decided.Isoquant(
        **shared(data, "scenario"),
        efforts=(first, second),
        currency=str(data["currency"]),
        today=float(data["outcome_mean"][0][0]),
        levels=numbers(hills["levels"]),
        heights=numbers([x for row in hills["outcome"] for x in row]).reshape(
            len(hills["levels"]), len(hills["levels"])
        ),
        ridge=tuple(_ridge(p) for p in data["ridge"]),
        best=None if best is None else _ridge(best),
        weeks=float(data["weeks"]),
    )


def _ridge(said: dict[str, Any]) -> RidgePoint:
    return RidgePoint(
        *(float(said[k]) for k in ("budget", "first", "second", "extra_cost", "gain"))
    )


def backtest(saved: Saved) -> decided.TrialResult:
    """Forecasts against what came."""
    data = saved.data

    def weekly(w: dict[str, Any]) -> decided.Weekly:
        return decided.Weekly(
            tuple(w["actual"]), {m: tuple(v) for m, v in w["forecast"].items()}, tuple(w["low"]),
            tuple(w["high"]), dict(w["wape"]),
        )  # fmt: skip

    origins = tuple(
        decided.Origin(
            str(o["date"]), float(o["days"]), tuple(weekly(w) for w in o["weekly"]),
            {k: tuple(v) for k, v in o["open_cases"].items()},
        )
        for o in data["origins"]
    )  # fmt: skip
    return decided.TrialResult(decided.Trial(origins), str(data["source"]))
