"""Two efforts at once, and every effort side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from simulator.analysis.names import TOGETHER
from simulator.analysis.words import label, money
from simulator.analysis.words_seek import name, value
from simulator.report.figures import style
from simulator.vocabulary import YEAR, describe

if TYPE_CHECKING:
    from simulator.analysis.curve import Curve
    from simulator.analysis.efforts import Curves
    from simulator.analysis.isoquant import Isoquant

HILLS = LinearSegmentedColormap.from_list("hills", ["#FFFFFF", "#D6E6F2", "#8FBBDD", style.BLUE])
COLOURS = (
    style.BLUE, style.VERMILLION, style.GREEN, style.PURPLE, style.ORANGE, style.SKY,
)  # fmt: skip


def isoquant_map(result: Isoquant, axes: Axes) -> Axes:
    """Mixes that bring the same, and the best mix for each budget."""
    style.tidy(axes, keep=("left", "bottom"))
    x, heights = result.hills
    y = x
    gain = heights - heights[0, 0]
    base = abs(result.today)
    shown = 100 * gain.T / base if base else gain.T
    if not float(np.ptp(shown)) > 0:
        return style.empty(axes, "No mix changes anything")
    axes.contourf(x, y, shown, levels=12, cmap=HILLS)
    lines = axes.contour(x, y, shown, levels=8, colors=style.INK, linewidths=1.2)
    unit = "%" if base else ""
    axes.clabel(lines, fmt=lambda v: f"{v:+.3g}{unit}".replace("-", "−"), fontsize=style.SMALL)
    rx, ry = [p.first for p in result.ridge], [p.second for p in result.ridge]
    axes.plot(rx, ry, "-", color=style.VERMILLION, linewidth=5.0, zorder=4)
    axes.plot(rx[::4], ry[::4], "o", color=style.VERMILLION, markersize=8, zorder=5)
    if result.best is not None:
        p = result.best
        axes.plot(
            p.first, p.second, "o", markersize=19, markerfacecolor="white",
            markeredgecolor=style.VERMILLION, markeredgewidth=4.0, zorder=6,
        )  # fmt: skip
        wide = p.first > 0.5 * (x[0] + x[-1])
        up = p.second > 0.75 * y[-1]
        axes.annotate(
            "stops paying here", (p.first, p.second),
            xytext=(18 if up else -18, -24) if up or wide else (18, -34),
            textcoords="offset points", ha="left" if up or not wide else "right",
            fontsize=style.BODY,
            weight="bold", color=style.ink(style.VERMILLION), zorder=7,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2.0},
        )  # fmt: skip
    axes.tick_params(pad=13)
    axes.set_xlabel(f"{name(result.efforts[0])}, times today's", labelpad=8)
    axes.set_ylabel(f"{name(result.efforts[1])}, times today's")
    axes.text(
        1.015, 1.0,
        f"lines: mixes with the\nsame change of {label(result.outcome)}\n\n"
        "orange: the best mix\nfor each budget",
        transform=axes.transAxes, va="top", ha="left", fontsize=style.SMALL,
    )  # fmt: skip
    return axes


def isoquant_title(result: Isoquant) -> str:
    """The best mix, and where it stops paying."""
    a, b = (name(e) for e in result.efforts)
    what = label(result.outcome)
    p = result.best
    if p is not None and p.cost > 0:
        cost = money(p.cost / result.weeks * YEAR, result.currency)
        return (
            f"Best spend: {a} at {p.first:.2f} and {b} at {p.second:.2f} times today's, for {cost} "
            f"a year, adds {value(p.gain, result.outcome, result.currency)} of {what}; "
            "beyond it no dollar pays"
        )
    if p is not None:
        return f"No further dollar on {a} or {b} pays"
    last = result.ridge[-1]
    size = value(last.gain, result.outcome, result.currency)
    return f"{a} and {b}: the best mix still adds {what} at the end, {size}"


def every_effort(result: Curves, axes: Axes) -> Axes:
    """Gain against what it costs, a line an effort."""
    style.tidy(axes, keep=("left", "bottom"))
    alone = [c for c in result.curves if c.path != TOGETHER]
    drawn = sorted(alone, key=lambda c: -_last(c))
    if not drawn:
        return style.empty(axes, "No effort can be pushed alone")
    labels = []
    far = 0.0
    for i, c in enumerate(drawn):
        x = np.array([p.extra_cost for p in c.points]) / c.weeks * YEAR
        y = np.array([p.output.mean - c.points[0].output.mean for p in c.points])
        half = np.array([0.0 if p.gain is None else p.gain.gain.half for p in c.points])
        half = np.where(np.isfinite(half), half, 0.0)
        named = i < len(COLOURS)
        colour = COLOURS[i] if named else style.PALE
        if named:
            axes.fill_between(x, y - half, y + half, color=colour, alpha=0.13, linewidth=0)
            labels.append((float(y[-1]), style.lines(name(c.path), 24), colour))
        axes.plot(x, y, "o-", color=colour, linewidth=3.2 if named else 1.6, markersize=7)
        far = max(far, float(x[-1]))
    axes.axhline(0.0, color=style.GREY, linewidth=1.4, zorder=0)
    axes.set_xlim(0.0, far * 1.01 if far > 0 else 1.0)
    style.money_axis(axes.xaxis, result.currency)
    if describe(result.outcome).unit.startswith("money"):
        style.money_axis(axes.yaxis, result.currency, signed=True)
    axes.set_xlabel("more spent a year")
    axes.set_ylabel(f"change of {label(result.outcome)} (bands: 95%)")
    style.end_labels(axes, labels, style.SMALL)
    return axes


def _last(c: Curve) -> float:
    gain = c.points[-1].output.mean - c.points[0].output.mean
    return gain if math.isfinite(gain) else -math.inf


def every_title(result: Curves) -> str:
    """Which effort's first dollar brings the most, and how many do not pay."""
    alone = [c for c in result.curves if c.path != TOGETHER]
    idle = sum(1 for c in alone if c.knee.where == "before")
    best = alone[0] if alone else None
    if best is None or not best.points[1].marginal > 0:
        return f"No effort adds to {label(result.outcome)} from the start"
    text = (
        f"The first {result.currency} is best spent on {name(best.path)}: "
        f"{best.points[1].marginal:.2f} of {label(result.outcome)}"
    )
    return f"{text}; more of {idle} of {len(alone)} efforts does not pay from the start"
