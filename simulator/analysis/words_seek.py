"""What must be true, in sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulator.analysis.words import label, money, said, share, spoken
from simulator.vocabulary import YEAR, describe

if TYPE_CHECKING:
    from simulator.analysis.confirm import Condition, Confirmed
    from simulator.analysis.seek import Lone, Sought


def value(amount: float, metric: str, currency: str) -> str:
    """A metric's value with its unit."""
    if not math.isfinite(amount):
        return "nothing known"
    unit = describe(metric).unit
    if unit in ("money", "money/day"):
        return money(amount, currency)
    if unit == "share":
        return share(amount)
    return f"{amount:.3g} {unit}" if unit in ("weeks", "months") else f"{amount:,.4g}"


def _worth(amount: float, metric: str, currency: str) -> str:
    """So much of a metric: 3 MEUR of ARR, 95 wins."""
    said, what = value(amount, metric, currency), label(metric)
    return f"{said} {what}" if describe(metric).unit == "count" else f"{said} of {what}"


def price(found: Confirmed, result: Sought) -> str:
    """What it costs a year, or saves."""
    if abs(found.cost) < 1:
        return "at no cost"
    size = money(abs(found.cost) / result.weeks * YEAR, result.currency)
    return f"for {size} a year" if found.cost > 0 else f"and saves {size} a year"


def doing(found: Confirmed) -> str:
    """The levers and where they go: se headcount from 3 to 4.2."""
    said = []
    for levers in found.moves():
        moved = [s for s in levers["settings"] if s["today"] != s["becomes"]]
        if len(moved) == 1:
            s = moved[0]
            said.append(f"{name(s['path'])} from {s['was']} to {s['text']}")
        elif moved and len({round(s["becomes"] / s["today"], 6) for s in moved if s["today"]}) == 1:
            s = moved[0]
            said.append(f"{name(levers['lever'])} times {s['becomes'] / s['today']:.3g}")
        else:
            said.append(f"{name(levers['lever'])} at {levers['extent']:.0%}")
    return " and ".join(said)


def name(path: str) -> str:
    """A lever's path in words."""
    first, _, rest = path.partition(".")
    if first == "channels" and rest.endswith(".spend"):
        who = rest.removesuffix(".spend")
        return "spend on all channels" if who == "*" else f"spend on {spoken(who)}"
    if first == "stages" and rest.endswith(".applies_to"):
        return f"share that needs {spoken(rest.removesuffix('.applies_to'))}"
    words = rest if first in ("teams", "stages", "handoffs") and rest else path
    return spoken(words.replace(">", " to ").replace("*", "all")).replace(".", " ")


def seek_sentences(result: Sought) -> list[str]:
    """The least-cost set, how sure it is, what must hold, what cannot do it alone."""
    wanted = " and ".join(t.text for t in result.targets)
    now = ", ".join(
        f"{label(t.metric)} is {value(e.mean, t.metric, result.currency)} today"
        for t, e in zip(result.targets, result.today, strict=True)
    )
    answer = result.answer
    found = []
    if answer is not None:
        reached = ", ".join(
            f"{label(t.metric)} {value(e.mean, t.metric, result.currency)} "
            f"± {value(e.half, t.metric, result.currency)}"
            for t, e in zip(result.targets, answer.reached, strict=True)
        )
        least = "The least-cost way found"
        found.append(
            f"{least} to {wanted} ({now}) is {doing(answer)}, {price(answer, result)}: "
            f"{reached} on average, met in {100 * answer.chance:.0f}% of the runs."
        )
        if answer.status != "confirmed":
            found.append("That it reaches the target is not beyond chance: take more replications.")
    else:
        found.append(_unreached(result, wanted, now))
    if result.conditions:
        found.append(_conditions(result.conditions, result))
    alone = [x for x in result.lone if not x.reaches]
    if alone:
        found.append(_alone(alone, result))
    found.append(_how(result))
    return found


def _unreached(result: Sought, wanted: str, now: str) -> str:
    near = result.nearest
    within = "" if result.budget is None else f" within {money(result.budget, result.currency)}"
    text = f"No set of at most {result.most_levers} levers reaches {wanted}{within} ({now})"
    if near is None:
        return f"{text}."
    reached = ", ".join(
        f"{label(t.metric)} {value(e.mean, t.metric, result.currency)}"
        for t, e in zip(result.targets, near.reached, strict=True)
    )
    return f"{text}; {doing(near)} comes nearest, with {reached}, {price(near, result)}."


def condition_text(c: Condition, currency: str) -> str:
    """A condition: se utilisation <= 85% (today 97%)."""
    sign = "≥" if c.sign > 0 else "≤"
    return f"{name(c.name)} {sign} {_level(c.needed, c, currency)}"


def _level(x: float, c: Condition, currency: str) -> str:
    from simulator.spec.units import Quantity

    if c.kind == "state":
        return f"{100 * x:.0f}%"
    return said(x, None if c.unit == "number" else Quantity(c.unit), currency)  # type: ignore[arg-type]


def _conditions(held: tuple[Condition, ...], result: Sought) -> str:
    levers = [c for c in held if c.kind == "lever"]
    states = [c for c in held if c.kind == "state"]
    seen: list[str] = []
    for c in [*levers[:3], *states[:3]]:
        text = condition_text(c, result.currency)
        seen.append(f"{text} (today {_level(c.today, c, result.currency)})")
    text = f"What must hold: {', '.join(seen)}"
    best = next((c for c in levers if c.worth is not None), None)
    if best is not None and best.worth is not None and len({c.worth for c in levers}) > 1:
        t = result.targets[0]
        text += (
            f"; {name(best.name)} is worth the most, "
            f"{_worth(abs(best.worth.gain.mean), t.metric, result.currency)}"
        )
    return f"{text}."


def _alone(alone: list[Lone], result: Sought) -> str:
    t = result.targets[0]
    best = sorted(alone, key=lambda x: -t.margin(x.best[0]))
    shown = [
        f"{name(x.knob.name)} ({value(x.best[0], t.metric, result.currency)} at best)"
        for x in best[:3]
    ]
    many = "" if len(alone) <= 3 else f" and {len(alone) - 3} more"
    volume = [x for x in alone if x.knob.name.startswith("channels.")]
    text = f"Alone, none of these reaches it: {', '.join(shown)}{many}"
    if len(alone) == 1:
        text = f"Alone, {shown[0]} does not reach it"
    if volume:
        most = max(volume, key=lambda x: t.margin(x.best[0]))
        if most in best[:3]:
            text += "; no volume of leads does"
        else:
            text += (
                "; no volume of leads does "
                f"({value(most.best[0], t.metric, result.currency)} at best)"
            )
    return f"{text}."


def _how(result: Sought) -> str:
    runs = ", ".join(f"{n:,} runs in {engine}" for engine, n in result.runs.items())
    text = f"({runs}; seed {result.seed}; {result.reason}"
    s = result.selection
    if s is not None and s.sure:
        text += (
            f"; best of the sets that cost about the same with probability {1 - s.alpha:.0%}, "
            "if ahead by 1% or more (KN)"
        )
    return f"{text}.)"
