"""Output against effort: the straight line, the knee, and what absorbed the gap."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from simulator.analysis.words import label
from simulator.report.figures import style
from simulator.report.figures.facts import part_name
from simulator.report.figures.titles import effort_name
from simulator.vocabulary import YEAR, describe

if TYPE_CHECKING:
    from simulator.analysis.curve import Curve

Floats = NDArray[np.float64]
FILLS = (style.ORANGE, style.SKY, style.GREEN, style.PURPLE)


def absorption_curve(result: Curve, axes: Axes) -> Axes:
    """The outcome with its band, the first step's yield kept up, and the gap by its parts."""
    x = np.array([p.effort for p in result.points])
    mean = np.array([p.output.mean for p in result.points])
    straight = np.array([p.straight for p in result.points])
    if not np.isfinite(np.concatenate([mean, straight])).all():
        return style.empty(axes, f"{label(result.outcome)} is not known")
    # Paired: how sure the change against today is, not how far runs lie apart.
    half = np.array([0.0 if p.gain is None else p.gain.gain.half for p in result.points])
    half = np.where(np.isfinite(half), half, 0.0)
    style.tidy(axes, keep=("left", "bottom"))
    labels: list[tuple[float, str, str]] = []
    below = mean.copy()
    areas = gap_areas(result)
    for (name, height), colour in zip(areas, FILLS, strict=False):
        axes.fill_between(x, below, below + height, color=colour, alpha=0.75, linewidth=0, zorder=2)
        at = float(below[-1] + height[-1] / 2)
        share = height[-1] / max(float(sum(h[-1] for _, h in areas)), 1e-300)
        labels.append((at, f"{style.lines(name, 23)} ({share:.0%})", style.ink(colour)))
        below = below + height
    axes.fill_between(x, mean - half, mean + half, color=style.BLUE, alpha=0.22, linewidth=0)
    axes.plot(x, straight, color=style.GREY, linewidth=2.4, linestyle=(0, (4, 2)), zorder=3)
    axes.plot(x, mean, "o-", color=style.BLUE, linewidth=3.6, markersize=9, zorder=4)
    low = float(min((mean - half).min(), straight.min()))
    high = float(max((mean + half).max(), straight.max()))
    room = 0.06 * ((high - low) or abs(high) or 1.0)
    axes.set_ylim(low - room, high + 2.2 * room)
    side = 0.012 * float(x[-1] - x[0])
    axes.set_xlim(float(x[0]) - side, float(x[-1]) + side)
    _knee(result, axes)
    what = label(result.outcome)
    labels.append((float(mean[-1]), style.lines(what, 23), style.BLUE))
    labels.append((float(straight[-1]), "the first step's yield", style.GREY))
    style.end_labels(axes, labels)
    steps = range(len(x)) if len(x) <= 9 else range(0, len(x), -(-len(x) // 8))
    axes.set_xticks([float(x[i]) for i in steps], [_effort(result, i) for i in steps])
    effort = style.lines(effort_name(result.path), 30, 1)
    band = "; band: 95% interval of the change" if result.replications > 1 else ""
    axes.set_xlabel(f"{effort}, and {result.currency} a year more{band}", labelpad=8)
    if describe(result.outcome).unit.startswith("money"):
        style.money_axis(axes.yaxis, result.currency)
    return axes


def gap_areas(result: Curve, most: int = 3) -> list[tuple[str, Floats]]:
    """The gap below the straight line shared out by what absorbed it: (name, (n,) heights).

    Heights are in the outcome's unit and add up to the gap at every level where there is one.
    """
    gap = np.array([max(0.0, p.straight - p.output.mean) for p in result.points])
    parts = [
        {} if p.absorption is None else {k: v for k, v in p.absorption.parts.items() if v > 0}
        for p in result.points
    ]
    total = np.array([sum(p.values()) for p in parts])
    gap = np.where(total > 0, gap, 0.0)
    if not (gap > 0).any():
        return []
    taken = {
        k: gap * np.array([p.get(k, 0.0) for p in parts]) / np.where(total > 0, total, 1.0)
        for k in dict.fromkeys(k for p in parts for k in p)
    }
    order = sorted(taken, key=lambda k: -float(taken[k][-1]))
    found = [(part_name(k), taken[k]) for k in order[:most]]
    rest = [taken[k] for k in order[most:]]
    if rest:
        found.append(("all else", np.sum(rest, axis=0)))
    return found


def _effort(result: Curve, i: int) -> str:
    point = result.points[i]
    cost = point.extra_cost / result.weeks * YEAR
    if i == 0 or abs(cost) < 1.0:
        return f"{point.effort:.3g}×\ntoday" if i == 0 else f"{point.effort:.3g}×"
    said = style.amount(cost, result.currency, signed=True)
    return f"{point.effort:.3g}×\n{said.removesuffix(result.currency).strip()}"


def _knee(result: Curve, axes: Axes) -> None:
    knee = result.knee
    low, high = axes.get_xlim()
    if knee.where != "inside" or not low <= knee.effort <= high:
        return
    if math.isfinite(knee.low) and math.isfinite(knee.high) and knee.high > knee.low:
        axes.axvspan(knee.low, knee.high, color=style.BLACK, alpha=0.09, linewidth=0, zorder=0)
    axes.axvline(knee.effort, color=style.BLACK, linewidth=2.2)
    right = knee.effort < low + 0.6 * (high - low)
    said = f"stops paying at {knee.effort:.2f}×"
    if math.isfinite(knee.low) and knee.high > knee.low:
        said += f"\n(95%: {knee.low:.2f} to {knee.high:.2f})"
    axes.annotate(
        said, (knee.effort, 0.985), xycoords=("data", "axes fraction"),
        xytext=(10 if right else -10, 0), textcoords="offset points", va="top",
        ha="left" if right else "right", fontsize=style.BODY, weight="bold",
    )  # fmt: skip
