"""Where the constraint moves: over time by active periods, and through a budget by relief."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from simulator.analysis.names import NONE
from simulator.analysis.words import label, money, spoken
from simulator.report.figures import style

if TYPE_CHECKING:
    from simulator.analysis.constraint import Constraint

COLOURS = (
    style.BLUE, style.VERMILLION, style.GREEN, style.PURPLE, style.ORANGE, style.SKY, style.BLACK,
)  # fmt: skip
ROWS = 10


def strip(result: Constraint, axes: Axes) -> Axes:
    """Who was the bottleneck when, in one run: dark alone, light while it shifts."""
    b = result.bottleneck
    if b is None or not b.strip:
        return style.empty(axes, "No run was watched")
    order = [i for i in np.argsort(-b.share, kind="stable") if b.share[i] > 0][:ROWS]
    if not order:
        return style.empty(axes, "Nobody was ever without someone idle")
    style.tidy(axes)
    place = {int(i): row for row, i in enumerate(order)}
    for span in b.strip:
        for i in {span.owner, *span.shifting} - {NONE}:
            if i not in place:
                continue
            alone = span.owner == i and not span.shifting
            axes.broken_barh(
                [(span.start, span.end - span.start)], (place[i] - 0.36, 0.72),
                facecolor=COLOURS[place[i] % len(COLOURS)], alpha=1.0 if alone else 0.35,
                linewidth=0,
            )  # fmt: skip
    names = [style.lines(spoken(b.teams[i]), 22) for i in order]
    axes.set_yticks(range(len(order)), names)
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.set_xlim(0.0, result.weeks)
    transform = axes.get_yaxis_transform()
    for i in order:
        sole, moving = b.sole[i], b.shifting[i]
        text = f"{100 * sole.mean:.0f}% alone\n{100 * moving.mean:.0f}% shifting"
        axes.text(
            1.01, place[int(i)], text, transform=transform, va="center", ha="left",
            fontsize=style.SMALL, weight="bold",
            color=style.ink(COLOURS[place[int(i)] % len(COLOURS)]),
        )  # fmt: skip
    note = "dark: alone; light: shifting. One run; shares over all runs"
    axes.set_xlabel(f"week ({note})", labelpad=8)
    return axes


def migration(result: Constraint, axes: Axes) -> Axes:
    """What is gained as a budget is spent, coloured by what was the constraint at the time."""
    path = result.path
    if path is None or not path.steps:
        return style.empty(axes, "No budget was spent")
    style.tidy(axes, keep=("left", "bottom"))
    names = list(dict.fromkeys(s.name for s in path.steps))
    colours = {n: COLOURS[i % len(COLOURS)] for i, n in enumerate(names)}
    x = np.array([0.0, *(s.spent for s in path.steps)])
    y = np.array([0.0, *(s.total.gain.mean for s in path.steps)])
    half = np.array([0.0, *(s.total.gain.half for s in path.steps)])
    axes.fill_between(x, y - half, y + half, color=style.PALE, linewidth=0, zorder=1)
    for i, step in enumerate(path.steps):
        axes.plot(
            x[i : i + 2], y[i : i + 2], "-", color=colours[step.name], linewidth=7.0, zorder=3,
            solid_capstyle="butt",
        )  # fmt: skip
        axes.plot(x[i + 1], y[i + 1], "o", color=colours[step.name], markersize=10, zorder=4)
    low, high = float((y - half).min()), float((y + half).max())
    room = 0.12 * ((high - low) or 1.0)
    axes.set_ylim(low - 0.4 * room, high + 3.2 * room)
    right = max(path.budget, float(x[-1]))
    axes.set_xlim(0.0, right * 1.02)
    tall = high + 3.0 * room
    for k, (name, begins, ends) in enumerate(path.stretches):
        axes.axvspan(begins, ends, color=colours[name], alpha=0.10, linewidth=0, zorder=0)
        if k:
            axes.axvline(begins, color=style.GREY, linewidth=1.6, linestyle=(0, (4, 2)), zorder=1)
        wide = (ends - begins) / right
        text = style.lines(_short(name), max(8, int(62 * wide)), 3)
        if wide > 0.07:
            axes.text(
                0.5 * (begins + ends), tall, text, ha="center", va="top", fontsize=style.SMALL,
                weight="bold", color=style.ink(colours[name]),
            )  # fmt: skip
    if path.then is not None and right - x[-1] > 0.1 * right:
        after = style.lines(f"next: {_short(path.then.relief.name)}", 16, 3)
        axes.text(
            0.5 * (x[-1] + right), tall, after,
            ha="center", va="top", fontsize=style.SMALL, color=style.GREY, weight="bold",
        )  # fmt: skip
    style.money_axis(axes.xaxis, result.currency)
    style.money_axis(axes.yaxis, result.currency)
    axes.set_xlabel(
        f"spent over the run on reliefs, each the best per {result.currency} at its time"
    )
    axes.set_ylabel(f"{label(result.outcome)} gained (band: 95%)")
    return axes


def _short(name: str) -> str:
    from simulator.report.figures.titles import relief_name

    said = relief_name(name)
    return f"buyer's {said}" if name.startswith("buyer.") else said


def migration_title(result: Constraint) -> str:
    """The constraint's way through the budget."""
    path, what = result.path, label(result.outcome)
    if path is None or not path.steps:
        return "No relief pays"
    legs = []
    for name, begins, _ in path.stretches:
        at = f" at {money(begins, result.currency)}" if begins > 0 else ""
        legs.append(f"{_short(name)}{at}")
    last = path.steps[-1]
    if len(legs) > 1:
        shown = legs if len(legs) <= 3 else [*legs[:3], f"{len(legs) - 3} more"]
        return f"As a budget is spent the constraint moves: {', then '.join(shown)}"
    return (
        f"The constraint stays at {legs[0]}; {money(last.spent, result.currency)} adds "
        f"{money(last.total.gain.mean, result.currency)} of {what}"
    )


def strip_title(result: Constraint) -> str:
    """Who is the bottleneck most of the time, and whether it is the constraint."""
    b, best = result.bottleneck, result.best
    if b is None or b.worst is None:
        return "No team is ever the bottleneck"
    i = b.teams.index(b.worst)
    part = f"{100 * float(b.share[i]):.0f}%"
    said = f"{spoken(b.worst).capitalize()} is the bottleneck {part} of the time"
    if best is None:
        return f"{said}; no small relief was found to add anything"
    if best.relief.name == f"teams.{b.worst}":
        return f"{said}, and its relief brings the most per dollar"
    return f"{said}, but relief of {_short(best.relief.name)} brings more per dollar"
