"""Where the constraint is: relief by its worth, and queues over time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from simulator.analysis.words import label, spoken
from simulator.report.figures import style
from simulator.report.figures.comparison import dots
from simulator.report.figures.titles import relief_label

if TYPE_CHECKING:
    from simulator.analysis.constraint import Candidate, Constraint

ROWS = 10
KIND_NAMES = {
    "capacity": "a team's hours",
    "handoff": "a handoff",
    "buyer": "the buyer's conditions",
    "market": "more leads",
}


def relief(result: Constraint, axes: Axes) -> Axes:
    """Gain per unit of money of a small relief of each thing, the best on top."""
    ranked = [c for c in result.candidates if math.isfinite(c.per_dollar)]
    if not ranked:
        return style.empty(axes, "No relief has both a cost and an effect")
    shown = ranked[:ROWS]
    ties = len([c for c in ranked if c.tied])
    dots(
        axes,
        [_values(c) for c in shown],
        [style.lines(relief_label(c.relief.name, c.relief.kind, c.relief.what), 38) for c in shown],
        [_said(c, first=c is (result.best or ranked[0]), ties=ties) for c in shown],
        [style.KINDS.get(c.relief.kind, style.GREY) for c in shown],
        [c.tied for c in shown],
    )
    _kinds(axes, shown)
    what, unit = label(result.outcome), result.currency
    more = [f"{what} gained per {unit} spent (filled: the best, or tied with it)"]
    left_out = len(result.candidates) - len(shown)
    if left_out:
        more.append(f"{left_out} more in the tables")
    axes.set_xlabel("; ".join(more), labelpad=10)
    return axes


def _values(c: Candidate) -> tuple[float, float, float]:
    low = c.low if math.isfinite(c.low) else c.per_dollar
    high = c.high if math.isfinite(c.high) else c.per_dollar
    return c.per_dollar, low, high


def _said(c: Candidate, *, first: bool, ties: int) -> str:
    text = f"{c.per_dollar:.2f}".replace("-", "−")
    half = c.high - c.per_dollar
    if math.isfinite(half) and half > 0:
        text += f" ± {half:.2f}"
    return f"{text} tie" if c.tied and ties > 1 and not first else text


def _kinds(axes: Axes, shown: list[Candidate]) -> None:
    """What the colours mean, above the axis."""
    kinds = list(dict.fromkeys(c.relief.kind for c in shown))
    if len(kinds) < 2:
        return
    words = [f"● {KIND_NAMES.get(kind, style.plain(spoken(kind)))}" for kind in kinds]
    letters = sum(len(w) + 3 for w in words)
    begun = 0
    for kind, said in zip(kinds, words, strict=True):
        axes.text(
            -0.45 + 1.5 * begun / letters, 1.02, said, transform=axes.transAxes, va="bottom",
            ha="left", fontsize=style.BODY, weight="bold",
            color=style.ink(style.KINDS.get(kind, style.GREY)),
        )  # fmt: skip
        begun += len(said) + 3


def queues(result: Constraint, axes: Axes) -> Axes:
    """Leads that wait, by stage; the longest queues in colour and named."""
    waiting = result.waiting
    if not waiting.size or not np.isfinite(waiting).all() or waiting.max() <= 0:
        return style.empty(axes, "Nothing waits")
    weeks = result.system.grid
    order = np.argsort(-waiting.mean(axis=0), kind="stable")
    colours = [style.VERMILLION, style.BLUE, style.GREEN, style.PURPLE, style.ORANGE]
    labels = []
    style.tidy(axes, keep=("left", "bottom"))
    for rank, i in enumerate(order):
        mean = float(waiting[:, i].mean())
        if mean <= 0:
            continue
        named = rank < len(colours)
        colour = colours[rank] if named else style.PALE
        axes.plot(
            weeks, smooth(waiting[:, i]), color=colour, linewidth=3.2 if named else 1.5,
            zorder=3 if named else 1,
        )  # fmt: skip
        if named:
            axes.plot(weeks, waiting[:, i], color=colour, linewidth=0.8, alpha=0.25, zorder=2)
            name = style.lines(spoken(result.system.stage_names[i]), 24, 1)
            text = f"{name}\n{style.number(mean, signed=False)} on average"
            labels.append((float(smooth(waiting[:, i])[-1]), text, colour))
    axes.set_ylim(0.0, 1.06 * float(waiting.max()))
    style.week_axis(axes, float(weeks[-1]))
    axes.set_xlabel("week")
    axes.set_ylabel("leads waiting (bold: mean of 9 weeks)")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.grid(axis="y", color="#E8E8E8", linewidth=1.0, zorder=0)
    style.end_labels(axes, labels)
    return axes


def smooth(values: np.ndarray, weeks: int = 9) -> np.ndarray:
    """The centred mean of some weeks, of fewer at the ends."""
    n, side = len(values), weeks // 2
    total = np.concatenate([[0.0], np.cumsum(values)])
    low = np.maximum(np.arange(n) - side, 0)
    high = np.minimum(np.arange(n) + side + 1, n)
    mean: np.ndarray = (total[high] - total[low]) / (high - low)
    return mean
