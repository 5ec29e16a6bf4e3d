"""Forecasts against what came: a fan by week, and the cases open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from simulator.report.figures import style

if TYPE_CHECKING:
    from simulator.fit.logs.scored import TrialResult
    from simulator.fit.logs.trial import Origin

LINES = {
    "run_rate": ("the last run rate", style.ORANGE),
    "kaplan_meier": ("Kaplan-Meier", style.GREEN),
}


def _last(result: TrialResult) -> Origin:
    return result.trial.origins[-1]


def whole_weeks(origin: Origin) -> int:
    """How many weeks to draw: the last, where it is short, is none to compare with."""
    return max(len(origin.weekly[0].actual) - bool(origin.days % 7), 1)


def fan(result: TrialResult, axes: Axes) -> Axes:
    """Cases that ended in each week after the last origin: came, foretold with its band."""
    origin = _last(result)
    week, n = origin.weekly[0], whole_weeks(origin)
    x = np.arange(1, n + 1)
    style.tidy(axes, keep=("left", "bottom"))
    axes.fill_between(x, week.low[:n], week.high[:n], color=style.BLUE, alpha=0.2, linewidth=0)
    axes.plot(x, week.forecast["model"][:n], color=style.BLUE, linewidth=3.2)
    labels = [(week.forecast["model"][n - 1], "forecast", style.BLUE)]
    for method, (name, colour) in LINES.items():
        axes.plot(x, week.forecast[method][:n], color=colour, linewidth=2.0, linestyle=(0, (4, 2)))
        labels.append((week.forecast[method][n - 1], name.removeprefix("the "), style.ink(colour)))
    axes.plot(x, week.actual[:n], "o-", color=style.BLACK, linewidth=2.8, markersize=8)
    labels.append((week.actual[n - 1], "what came", style.BLACK))
    top = max(*week.high, *week.actual, *(max(week.forecast[m]) for m in LINES))
    axes.set_ylim(0, 1.08 * top if top > 0 else 1.0)
    axes.set_xlim(0.9, len(x) + 0.1)
    style.end_labels(axes, labels)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlabel(f"whole week after {origin.date}; band: 90% interval", labelpad=8)
    axes.set_ylabel("cases ended in the week")
    return axes


def fan_title(result: TrialResult) -> str:
    """How far off it was, and who did better."""
    origin = _last(result)
    wape = origin.weekly[0].wape
    base = min(LINES, key=lambda m: wape[m])
    who = LINES[base][0]
    week, n = origin.weekly[0], whole_weeks(origin)
    inside = sum(
        low <= came <= high
        for low, came, high in zip(week.low[:n], week.actual[:n], week.high[:n], strict=True)
    )
    verb = "beats" if wape["model"] < wape[base] else "is beaten by"
    return (
        f"The forecast {verb} {who}: "
        f"off by {wape['model']:.0%} a week against {wape[base]:.0%}, "
        f"{inside} of {n} weeks inside its band"
    )


def open_cases(result: TrialResult, axes: Axes) -> Axes:
    """Cases open at the edges of the weeks after the last origin."""
    origin = _last(result)
    rows = origin.open_
    x = np.arange(len(rows["actual"]))
    style.tidy(axes, keep=("left", "bottom"))
    axes.fill_between(x, rows["low"], rows["high"], color=style.BLUE, alpha=0.2, linewidth=0)
    axes.plot(x, rows["forecast"], color=style.BLUE, linewidth=3.2)
    axes.plot(x, rows["actual"], "o-", color=style.BLACK, linewidth=2.8, markersize=8)
    top = max(*rows["high"], *rows["actual"])
    axes.set_ylim(0, 1.08 * top if top > 0 else 1.0)
    axes.set_xlim(-0.1, len(x) - 0.9)
    style.end_labels(
        axes,
        [
            (rows["forecast"][-1], "forecast", style.BLUE),
            (rows["actual"][-1], "what came", style.BLACK),
        ],
    )
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlabel(f"weeks after {origin.date}; band: 90% interval", labelpad=8)
    axes.set_ylabel("cases open")
    return axes


def open_title(result: TrialResult) -> str:
    """Cases open at the end: came and foretold."""
    rows = _last(result).open_
    came, told = rows["actual"][-1], rows["forecast"][-1]
    off = f"{told / came - 1:+.0%}" if came else f"{told - came:+.0f}"
    return (
        f"{came:,.0f} cases were open at the end; {told:,.0f} were foretold ({off}), "
        f"between {rows['low'][-1]:,.0f} and {rows['high'][-1]:,.0f}"
    )
