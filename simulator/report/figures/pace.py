"""Better before worse: what a variant does to the wins of each quarter, over time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from simulator.report.figures import style
from simulator.report.figures.comparison import colours
from simulator.report.figures.facts import main_arms
from simulator.vocabulary import QUARTER

if TYPE_CHECKING:
    from simulator.analysis.comparison import Arm, Comparison

Floats = NDArray[np.float64]
NAME = 38
SHOWN = 3  # variants that can be told apart


@dataclass(frozen=True)
class Turn:
    """The best and the worst quarter of a variant that chance does not explain; 0: there is none.

    A quarter's change counts where its interval, widened for as many quarters as are looked at,
    leaves out 0. up, down: shares of today's wins; at_up, at_down: week in which the quarter ends.
    """

    up: float = 0.0
    at_up: float = math.nan
    down: float = 0.0
    at_down: float = math.nan


def relative(result: Comparison, arm: Arm) -> Floats:
    """Wins of the quarter before each week against today's, as a share, (T, 3)."""
    today = result.today.pace[:, :1]
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(today > 0, arm.pace / today, np.nan)
    return found


def turn_of(result: Comparison, arm: Arm) -> Turn:
    """What whole quarters, which do not overlap, say of a variant."""
    weeks, share = arm.system.grid, relative(result, arm)
    ends = np.flatnonzero((weeks % QUARTER == 0) & np.isfinite(share[:, 0]))
    if not len(ends):
        return Turn()
    wider = _wider(len(ends))
    mean, half = share[ends, 0], wider * (share[ends, 2] - share[ends, 0])
    sure = np.abs(mean) > np.maximum(half, 1e-9)
    up, down = np.where(sure, mean, 0.0).argmax(), np.where(sure, mean, 0.0).argmin()
    best, worst = (float(mean[i]) if sure[i] else 0.0 for i in (up, down))
    return Turn(max(best, 0.0), float(weeks[ends[up]]), min(worst, 0.0), float(weeks[ends[down]]))


def _wider(quarters: int) -> float:
    """How much wider a 95% interval is that holds for so many quarters at once (Bonferroni)."""
    z = NormalDist().inv_cdf
    return z(1.0 - 0.025 / quarters) / z(0.975)


def better_before_worse(result: Comparison, axes: Axes) -> Axes:
    """Wins of the quarter before each week, of the main variants as written, against today's."""
    arms = main_arms(result, SHOWN)
    drawn = [(a, relative(result, a)) for a in arms]
    drawn = [(a, r) for a, r in drawn if np.isfinite(r[:, 0]).any()]
    if not drawn:
        return style.empty(axes, "No quarter has wins to compare")
    style.tidy(axes, keep=("left", "bottom"))
    tints = colours([result.today, *arms])
    labels = []
    for arm, share in drawn:
        weeks, colour = arm.system.grid, tints[arm.name]
        axes.fill_between(weeks, share[:, 1], share[:, 2], color=colour, alpha=0.16, linewidth=0)
        axes.plot(weeks, share[:, 0], color=colour, linewidth=3.4, zorder=3)
        last = float(share[np.flatnonzero(np.isfinite(share[:, 0]))[-1], 0])
        text = f"{style.lines(arm.name, 21)}\n{style.percent(last, digits=0)}"
        labels.append((last, text, colour))
    # Early weeks of few wins must not flatten all the others.
    known = np.concatenate([r[np.isfinite(r[:, 0]), 0] for _, r in drawn])
    low, high = min(0.0, float(known.min())), max(0.0, float(known.max()))
    room = 0.18 * ((high - low) or 0.1)
    axes.set_ylim(low - room, high + room)
    axes.axhline(0.0, color=style.INK, linewidth=2.2, zorder=4)
    horizon = float(result.today.system.grid[-1])
    style.week_axis(axes, horizon)
    axes.set_xlabel("week in which the quarter ends; shaded: 95% of each week by itself")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: style.percent(v, digits=0)))
    axes.grid(axis="y", color="#E8E8E8", linewidth=1.0, zorder=0)
    axes.text(0.01, 0.99, "wins a quarter against today", transform=axes.transAxes, va="top",
              fontsize=style.SMALL, color=style.INK)  # fmt: skip
    style.end_labels(axes, labels)
    return axes


def pace_title(result: Comparison) -> str:
    """Which way each of the two main variants turns."""
    said = [_said(style.short(a.name, NAME), turn_of(result, a)) for a in main_arms(result)]
    return "; ".join(said) or "There is no variant to compare with today"


def _said(name: str, t: Turn) -> str:
    up, down = style.percent(t.up, digits=0), style.percent(t.down, digits=0)
    if t.up and t.down:
        first, then, word = (up, t.at_up), (down, t.at_down), "better before worse"
        if t.at_down < t.at_up:
            first, then, word = then, first, "worse before better"
        return (
            f"{name}, {word}: {first[0]} wins in the quarter to week {first[1]:g}, "
            f"{then[0]} to week {then[1]:g}"
        )
    if t.up:
        return f"{name}: {up} wins a quarter at best (week {t.at_up:g})"
    if t.down:
        return f"{name}: {down} wins a quarter at worst (week {t.at_down:g})"
    return f"{name}: no quarter's wins differ from today's beyond chance"
