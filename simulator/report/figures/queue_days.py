"""The back-test of a queue, day by day: what was foretold, its interval, and what came."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes

from simulator.report.figures import style

if TYPE_CHECKING:
    from simulator.fit.queues.backtest import Scored

WORDS: Final = {
    "calls": ("calls a day", 1.0),
    "gave_up": ("callers who gave up, a day", 1.0),
    "waited": ("hours waited by all callers, a day", 3600.0),
}
KNOWN: Final = {
    "nothing": "knowing the past only",
    "shifts": "knowing who is on duty",
    "shifts and calls": "knowing who is on duty and how many call",
}


def queue_fan(result: Scored, axes: Axes, measure: str = "gave_up") -> Axes:
    """Median and 90% interval of each day, what came as dots, the week before as dashes."""
    words, unit = WORDS[measure]
    k = list(WORDS).index(measure)
    x = np.arange(result.days)
    style.tidy(axes, keep=("left", "bottom"))
    low, high = result.low[k] / unit, result.high[k] / unit
    replay, model = result.day["replay"][k] / unit, result.day["model"][k] / unit
    came = result.actual[k] / unit
    axes.fill_between(x, low, high, color=style.SKY, alpha=0.35, linewidth=0, zorder=1)
    axes.plot(x, model, color=style.BLUE, linewidth=3.2, zorder=3)
    axes.plot(x, replay, color=style.GREY, linewidth=2.2, linestyle=(0, (4, 2)), zorder=2)
    axes.plot(x, came, "o", color=style.VERMILLION, markersize=11, zorder=4)
    axes.set_ylim(0, 1.08 * float(max(high.max(), came.max(), replay.max(), 1e-9)))
    axes.set_xlim(-0.2, result.days - 0.8)
    days = np.datetime64(result.origin) + x
    named = [np.datetime_as_string(d, unit="D") for d in days]
    step = -(-result.days // 9)
    axes.set_xticks(x[::step].tolist(), [_short(n) for n in named[::step]])
    axes.set_ylabel(words)
    style.end_labels(
        axes,
        [
            (float(model[-1]), "the model; band: 90% interval", style.BLUE),
            (float(replay[-1]), "the week before once more", style.GREY),
            (float(came[-1]), "what came", style.VERMILLION),
        ],
    )
    return axes


def queue_slide(result: Scored, measure: str = "gave_up") -> Axes:
    """The same as a whole slide, its message above."""
    with style.look():
        known = KNOWN[result.known].capitalize()
        share, wait = result.total("actual")
        if measure == "waited":
            ours, theirs = (f"{abs(result.wait_off(m)):.0%}" for m in ("model", "replay"))
            came = f"The mean wait was {wait:.0f} s"
        elif measure == "gave_up":
            ours, theirs = (f"{100 * abs(result.points_off(m)):.1f}" for m in ("model", "replay"))
            ours += " points"
            came = f"{share:.1%} gave up"
        else:
            ours, theirs = (f"{result.wape(measure, m):.0%}" for m in ("model", "replay"))
            ours += " a day"
            came = f"{result.actual[0].sum():,.0f} called"
        title = (
            f"{came}. {known}, the model was off by {ours}; the week before once more, by {theirs}"
        )
        source = (
            f"Fitted to {result.fitted_days} days before {result.origin}; "
            f"{result.inside(measure):.0%} of the days lie in their interval"
        )
        _, axes = style.slide(title, source)
        return queue_fan(result, axes, measure)


def _short(day: str) -> str:
    """2026-01-05 as Mon, and 5 Jan below it."""
    date = dt.date.fromisoformat(day)
    return f"{date:%a}\n{date.day} {date:%b}"
