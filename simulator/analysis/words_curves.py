"""Every effort, and two at once, in sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulator.analysis.words import how_known, label, money, plus_minus
from simulator.analysis.words_seek import name, value
from simulator.vocabulary import YEAR

if TYPE_CHECKING:
    from simulator.analysis.curve import Curve
    from simulator.analysis.efforts import Curves
    from simulator.analysis.isoquant import Isoquant


def curves_sentences(result: Curves) -> list[str]:
    """Which effort pays most at first, which do not pay, what all of them do together."""
    from simulator.analysis.names import TOGETHER

    what, alone = label(result.outcome), [c for c in result.curves if c.path != TOGETHER]
    found = []
    paying = [c for c in alone if c.points[1].marginal > 0 and _sure(c)]
    if paying:
        c = paying[0]
        found.append(
            f"The first {result.currency} is best spent on {name(c.path)}: it brings "
            f"{c.points[1].marginal:.2f} of {what}{_until(c)}."
        )
    else:
        found.append(f"No effort's first step adds to {what} beyond chance.")
    if len(paying) > 1:
        more = [f"{name(c.path)} ({c.points[1].marginal:.2f})" for c in paying[1:4]]
        found.append(f"Next come {', '.join(more)}.")
    idle = [c for c in alone if c.knee.where == "before"]
    if idle:
        names = ", ".join(name(c.path) for c in idle[:6])
        more_ = "" if len(idle) <= 6 else f" and {len(idle) - 6} more"
        found.append(f"More of these does not pay from the start: {names}{more_}.")
    together = next((c for c in result.curves if c.path == TOGETHER), None)
    if together is not None:
        last = together.points[-1]
        assert last.gain is not None
        cost = money(last.extra_cost / together.weeks * YEAR, result.currency)
        found.append(
            f"All efforts at {last.effort:.3g} times today's, which costs {cost} a year more, "
            f"change {what} by {plus_minus(last.gain.relative)}."
        )
    found.append(how_known(result.replications, result.engine, result.seed, result.reason))
    return found


def _sure(c: Curve) -> bool:
    """Whether the first or the last step differs from nothing."""
    return any(p.gain is not None and p.gain.gain.low > 0 for p in (c.points[1], c.points[-1]))


def _until(c: Curve) -> str:
    if c.knee.where == "inside":
        return f", and stops paying at {c.knee.effort:.2f} times today's"
    if c.knee.where == "beyond":
        return f", and still pays at {c.points[-1].effort:.3g} times today's"
    return ""


def isoquant_sentences(result: Isoquant) -> list[str]:
    """The farthest mix, the best mixes for small and large budgets, where spending stops paying."""
    what, currency = label(result.outcome), result.currency
    a, b = (name(e) for e in result.efforts)
    base = float(result.mean[0, 0])
    top, alone = float(result.mean[-1, -1]), (float(result.mean[-1, 0]), float(result.mean[0, -1]))
    far = float(result.levels[-1])

    def gain(x: float) -> str:
        share = 100 * (x - base) / abs(base) if base else math.nan
        return f"{share:+.1f}%" if math.isfinite(share) else f"{x - base:+.3g}"

    found = [
        f"At {far:.3g} times today's, {a} alone changes {what} by {gain(alone[0])}, {b} alone by "
        f"{gain(alone[1])}, both by {gain(top)}"
        + (
            f" ± {100 * float(result.half[-1, -1]) / abs(base):.1f}%."
            if base and result.half[-1, -1] > 0
            else "."
        )
    ]
    both = top - base
    apart = alone[0] + alone[1] - 2 * base
    if result.half[-1, -1] > 0 and abs(both - apart) > 2 * float(result.half[-1, -1]):
        word = "more" if both > apart else "less"
        found.append(
            f"Together they bring {word} than one by one: each changes what the other does."
        )
    middle = result.ridge[len(result.ridge) // 2]
    spent = money(middle.cost / result.weeks * YEAR, currency)
    found.append(
        f"Of {spent} a year the best mix is {a} at {middle.first:.2f} times and {b} at "
        f"{middle.second:.2f} times today's, {value(middle.gain, result.outcome, currency)} of "
        f"{what} more."
    )
    if result.best is not None:
        p = result.best
        if p.cost <= 0:
            found.append("No further dollar on either pays.")
        else:
            found.append(
                f"Along the ridge of best spend one more dollar stops paying at {p.first:.2f} and "
                f"{p.second:.2f} times, {money(p.cost / result.weeks * YEAR, currency)} a year."
            )
    elif result.hurdle is not None:
        found.append("Spending still pays at the end of the ridge.")
    found.append(how_known(result.replications, result.engine, result.seed, result.reason))
    return found
