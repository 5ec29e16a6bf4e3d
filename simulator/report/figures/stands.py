"""Whether a verdict stands: push against fix at both ends of each assumption's range."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from simulator.analysis.names import FLIPS, UNTOLD
from simulator.analysis.words import label
from simulator.analysis.words_robust import headline
from simulator.analysis.words_worlds import assumption, ranged
from simulator.report.figures import style
from simulator.vocabulary import describe

if TYPE_CHECKING:
    from simulator.analysis.robust import Robustness, Stand

ROWS = 10
MARKS = {FLIPS: "flips", UNTOLD: "not told"}


def shown(result: Robustness) -> list[Stand]:
    """The widest bars, and those that turn the verdict, however narrow."""
    turned = [b for b in result.bars if b.worst == FLIPS][:ROWS]
    rest = [b for b in result.bars if b.worst != FLIPS and b.swing > 0][: ROWS - len(turned)]
    return sorted([*turned, *rest], key=lambda b: -b.swing)


def tornado(result: Robustness, axes: Axes) -> Axes:
    """The difference between the sides at both ends of each range; across 0 the other wins."""
    bars = shown(result)
    if not bars:
        return style.empty(axes, "No assumption moves the verdict")
    style.tidy(axes)
    base = result.base.gain.mean
    sides = [(i, d, said, colour) for i, b in enumerate(bars) for d, said, colour in (
        (b.low, b.said[0], style.ORANGE), (b.high, b.said[1], style.BLUE))]  # fmt: skip
    # Intervals where they matter: at the ends in doubt.
    half = {(i, said): d.gain.half for i, d, said, _ in sides if math.isfinite(d.gain.half)}
    reach = [d.gain.mean for _, d, _, _ in sides]
    for i, d, said, _ in sides:
        if said in MARKS:
            reach += [
                d.gain.mean - half.get((i, said), 0.0),
                d.gain.mean + half.get((i, said), 0.0),
            ]
    low, high = min([0.0, base, *reach]), max([0.0, base, *reach])
    room = 0.18 * ((high - low) or 1.0)
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(len(bars) - 0.4, -2.0)
    for i, d, said, colour in sides:
        at = d.gain.mean
        axes.barh(i, at - base, left=base, height=0.62, color=colour, zorder=2)
        if said not in MARKS:
            continue
        wide, left = half.get((i, said), 0.0), at < base
        axes.plot([at - wide, at + wide], [i, i], color=style.INK, linewidth=2.0, zorder=3)
        axes.annotate(
            MARKS[said], (at - wide if left else at + wide, i),
            xytext=(-6 if left else 6, 0), textcoords="offset points",
            ha="right" if left else "left", va="center", fontsize=style.SMALL,
            weight="bold" if said == FLIPS else "normal",
            color=style.ink(style.VERMILLION) if said == FLIPS else style.INK,
        )  # fmt: skip
    axes.axvline(base, ymax=0.9, color=style.GREY, linewidth=1.8, zorder=4)
    axes.axvline(0.0, ymax=0.9, color=style.INK, linewidth=2.6, zorder=4)
    first, second = (style.short(n, 30) for n in result.sides)
    better = describe(result.outcome).better or 1
    names = (first, second) if better > 0 else (second, first)
    for text, at, side in (
        (f"← {names[0]} is better", 0.0, "left"), (f"{names[1]} is better →", 1.0, "right"),
    ):  # fmt: skip
        axes.text(at, 0.985, style.lines(text, 30, 2), transform=axes.transAxes, ha=side,
                  va="top", fontsize=style.SMALL, weight="bold", color=style.INK)  # fmt: skip
    labels = [f"{assumption(b.range.path)}: {ranged(b.range, result.currency)}" for b in bars]
    axes.set_yticks(range(len(bars)), [style.lines(n, 46) for n in labels])
    axes.tick_params(axis="y", labelsize=style.SMALL)
    if describe(result.outcome).unit.startswith("money"):
        style.money_axis(axes.xaxis, result.currency, signed=True, ticks=3)
    spend = " at equal spend" if result.spend is not None else ""
    axes.set_xlabel(
        f"{label(result.outcome)} of {second} less that of {first}{spend}\n"
        "(orange: low end, blue: high end, grey: as stated; thin: 95% where in doubt)", labelpad=8,
        fontsize=style.SMALL,
    )  # fmt: skip
    return axes


def title(result: Robustness) -> str:
    """The verdict, and whether any assumption turns it inside its range."""
    return headline(result)
