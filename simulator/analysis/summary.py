"""The few tables that people read after the sentences; all of them are in `result.tables`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from simulator.analysis.estimate import number
from simulator.analysis.words import label, money, plus_minus, spoken

if TYPE_CHECKING:
    from simulator.analysis.comparison import Arm, Comparison
    from simulator.analysis.constraint import Constraint
    from simulator.analysis.curve import Curve
    from simulator.analysis.estimate import Estimate
    from simulator.analysis.explanation import Explanation

Tables = dict[str, list[dict[str, object]]]


def summary(result: Any) -> Tables:
    """Tables by title, small enough for a terminal; a result of another kind gives all of its."""
    parts = getattr(result, "parts", None)
    if isinstance(parts, dict):
        return {title: rows for part in parts.values() for title, rows in summary(part).items()}
    shown = getattr(result, "shown", None)
    if shown is not None:
        found: Tables = shown
        return found
    if hasattr(result, "arms"):
        return _variants(result)
    if hasattr(result, "points"):
        return _levels(result)
    if hasattr(result, "candidates"):
        return _reliefs(result)
    if hasattr(result, "mechanisms"):
        return _explained(result)
    tables: Tables = result.tables
    return tables


def _variants(result: Comparison) -> Tables:
    currency = result.today.system.scenario.currency
    return {"variants": [_variant(a, result, currency) for a in result.arms]}


def _variant(arm: Arm, result: Comparison, currency: str) -> dict[str, object]:
    name = arm.name if arm.written else f"{arm.name}, at equal spend ({arm.intensity:.2g}x)"
    base = result.today.metrics.get(result.outcome)
    level = arm.metrics.get(result.outcome)
    cost = f"{money(arm.cost_a_year, currency)}" if abs(arm.extra_cost) >= 1.0 else None
    gain: str | None = None
    if arm.gain is not None and math.isfinite(arm.gain.relative.mean):
        gain = plus_minus(arm.gain.relative)
    elif arm.gain is not None and base is not None and level is not None:
        gain = f"{level.mean - base.mean:.4g}"
    cac = arm.metrics.get("cac")
    return {
        "variant": name,
        "extra_cost_a_year": cost,
        f"gain_of_{label(result.outcome)}": gain,
        "p": None if arm.p is None else f"{arm.p:.2g}",
        "leads": _whole(arm, "leads"),
        "wins": _whole(arm, "wins"),
        "CAC": None if cac is None else money(cac.mean, currency),
        "busiest_team": _busiest(arm),
    }


def _whole(arm: Arm, metric: str) -> int | None:
    found = arm.metrics.get(metric)
    return None if found is None or not math.isfinite(found.mean) else round(found.mean)


def _busiest(arm: Arm) -> str | None:
    used = {
        k.split(".", 1)[1]: v.mean
        for k, v in arm.metrics.items()
        if k.startswith("utilisation.") and math.isfinite(v.mean)
    }
    if not used:
        return None
    team = max(used, key=lambda t: used[t])
    return f"{spoken(team)} {100 * used[team]:.0f}%"


def _yearly(cost: float, weeks: float, currency: str) -> str | None:
    return money(cost / weeks * 365.25 / 7, currency) if abs(cost) >= 1.0 else None


def _levels(result: Curve) -> Tables:
    rows: list[dict[str, object]] = [
        {
            "effort": f"{p.effort:.3g}x",
            "extra_cost_a_year": _yearly(p.extra_cost, result.weeks, result.currency),
            label(result.outcome): p.output.mean,
            "change": None if p.gain is None else plus_minus(p.gain.relative),
            "straight_line": p.straight,
            "return_on_the_last_dollar": p.marginal if math.isfinite(p.marginal) else None,
        }
        for p in result.points
    ]
    return {"effort": rows}


def _reliefs(result: Constraint) -> Tables:
    rows: list[dict[str, object]] = [
        {
            "relief": f"{spoken(c.relief.name)}: {c.relief.what}",
            "extra_cost_a_year": _yearly(c.extra_cost, result.weeks, result.currency),
            f"gain_of_{label(result.outcome)}": plus_minus(c.gain.relative),
            "p": f"{c.p:.2g}",
            f"per_{result.currency}": _ratio(c.per_dollar, c.high - c.per_dollar),
            "place": "best" if c is result.best else "tied" if c.tied else None,
        }
        for c in result.candidates
    ]
    teams: list[dict[str, object]] = [
        {
            "team": spoken(str(t["team"])),
            "busy": f"{100 * t['utilisation']:.0f}%",
            "waiting": float(t["queue"]),
            "growth_a_week": float(t["queue_growth_a_week"]),
        }
        for t in sorted(result.teams(), key=lambda t: -t["utilisation"])
    ]
    found: Tables = {"reliefs": rows, "teams": teams}
    if result.path is not None:
        found["path"] = [
            {
                "step": i + 1,
                "constraint": spoken(s.name),
                "relief": s.candidate.relief.what,
                "spent": money(s.spent, result.currency),
                f"gain_of_{label(result.outcome)}_so_far": plus_minus(s.total.relative),
                f"per_{result.currency}": f"{s.candidate.per_dollar:.2f}",
            }
            for i, s in enumerate(result.path.steps)
        ]
    return found


def _explained(result: Explanation) -> Tables:
    from simulator.analysis.growth import GROUPS

    def row(name: str, adds: Estimate) -> dict[str, object]:
        return {"part": spoken(name), "adds": adds.mean, "±": adds.half}

    mechanisms = [row("with no mechanism", result.baseline)]
    mechanisms += [row(p.name, p.adds) for p in result.mechanisms]
    if result.together is not None:
        mechanisms.append(row("together", result.together))
    mechanisms.append(row("difference", result.difference.gain))
    shown = ("from_week", "growth", "effort_led", "alignment_led")
    bookings = [{k: q[k] for k in (*shown, *GROUPS)} for q in result.growth.quarters()]
    gauges: list[dict[str, object]] = []
    for q, row_ in enumerate(bookings):
        gauge: dict[str, object] = {"from_week": row_["from_week"]}
        for side, g in zip(("today", "variant"), result.gauges, strict=True):
            for name in ("internal", "market"):
                gauge[f"{name}_{side}"] = number(float(getattr(g, name)[:, q].mean()))
        gauges.append(gauge)
    return {
        f"{result.variant}: {label(result.outcome)} by mechanism": mechanisms,
        f"{result.variant}: growth of bookings by quarter": bookings,
        f"{result.variant}: alignment, of 100": gauges,
    }


def _ratio(mean: float, half: float) -> str | None:
    if not math.isfinite(mean):
        return None
    return f"{mean:.2f} ± {half:.2f}" if math.isfinite(half) and half > 0 else f"{mean:.2f}"
