"""Capacity against demand: how busy each team is, quarter by quarter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from simulator.report.figures import style
from simulator.report.figures.facts import Heat, heat, heats

if TYPE_CHECKING:
    from simulator.analysis.comparison import Comparison
    from simulator.analysis.constraint import Constraint

ROWS = 12
# Its end is a shade beside vermillion: a brand's colour of the push is not that of being busy.
HEAT = LinearSegmentedColormap.from_list(
    "busy", [(0.0, "#FFFFFF"), (0.5, "#FDF0E1"), (0.8, "#F5B374"), (1.0, "#D55E01")]
)
MARK = "framed: more work waits, on average, than the team does in a week"


def capacity_heat(result: Comparison, axes: Axes) -> Axes:
    """Today and the main variants side by side."""
    return draw(heats(result), axes)


def constraint_heat(result: Constraint, axes: Axes) -> Axes:
    """One system, by quarter."""
    return draw([constraint_panel(result)], axes)


def constraint_panel(result: Constraint) -> Heat:
    """The one panel of a constraint's analysis."""
    return heat(result.by_quarter(), result.name, "today", 13)


def draw(panels: Sequence[Heat], axes: Axes) -> Axes:
    """Panels on one axis: rows are teams, the busiest on top; numbers are % of paid hours."""
    if not panels or not panels[0].teams:
        return style.empty(axes, "No team works in this system")
    order = _order(panels)
    shown = order[:ROWS]
    style.tidy(axes, keep=())
    left, ticks, names = 0.0, [], []
    gap = 0.45
    for panel in panels:
        columns = len(panel.periods)
        for row, m in enumerate(shown):
            for q in range(columns):
                _cell(axes, left + q, row, float(panel.used[m, q]), bool(panel.over[m, q]))
        ticks += [left + q + 0.5 for q in range(columns)]
        names += list(panel.periods)
        if len(panels) > 1:
            axes.text(
                left, -0.12, style.lines(panel.name, max(12, int(2.9 * columns))), va="bottom",
                ha="left", weight="bold", fontsize=style.BODY,
                color=style.ink(style.ROLES.get(panel.role, style.GREEN)),
            )  # fmt: skip
        left += columns + gap
    axes.set_xlim(0.0, left - gap)
    axes.set_ylim(len(shown) + 0.02, -0.02)
    axes.set_xticks(ticks, names)
    axes.tick_params(axis="x", labelsize=style.SMALL)
    teams = panels[0].teams
    axes.set_yticks(
        [row + 0.5 for row in range(len(shown))], [style.lines(teams[m], 20) for m in shown]
    )
    axes.tick_params(axis="y", labelsize=style.BODY if len(shown) < 9 else style.SMALL)
    over = any(bool(p.over[m].any()) for p in panels for m in shown)
    notes = ["% of paid hours worked"]
    notes += [MARK] if over else []
    notes += [f"{len(order) - ROWS} less busy teams left out"] if len(order) > ROWS else []
    note = "; ".join(notes)
    wide = axes.get_window_extent().width / axes.figure.dpi * 72.0
    rows = math.ceil(len(note) / max(30.0, wide / (0.5 * style.BODY)))
    width = len(note) if rows == 1 else len(note) // rows + 8  # lines of about the same length
    axes.set_xlabel(style.lines(note, width, 4), labelpad=10)
    return axes


def _order(panels: Sequence[Heat]) -> list[int]:
    used = panels[0].used
    mean = [float(np.nanmean(row)) if np.isfinite(row).any() else -1.0 for row in used]
    return sorted(range(len(mean)), key=lambda m: -mean[m])


def _cell(axes: Axes, x: float, y: float, used: float, over: bool) -> None:
    known = bool(np.isfinite(used))
    colour = HEAT(min(max(used, 0.0), 1.0)) if known else style.PALE
    axes.add_patch(Rectangle((x, y), 1.0, 1.0, facecolor=colour, edgecolor="white", linewidth=1.5))
    if over:
        axes.add_patch(
            Rectangle(
                (x + 0.04, y + 0.04), 0.92, 0.92, fill=False, edgecolor=style.INK, linewidth=2.6,
                zorder=3, label=style.STAYS,
            )
        )  # fmt: skip
    axes.text(
        x + 0.5, y + 0.5, f"{100 * used:.0f}" if known else "–", ha="center", va="center",
        fontsize=style.SMALL, color="white" if known and used >= 0.93 else style.INK,
        label=style.STAYS,
    )  # fmt: skip
