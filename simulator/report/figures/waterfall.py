"""Waterfalls: where the extra effort went, and what a variant's ARR is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from simulator.analysis.words import spoken
from simulator.report.figures import style
from simulator.report.figures.facts import (
    ARR_PARTS,
    largest,
    main_arms,
    pushed_arm,
    waterfall_of,
)

if TYPE_CHECKING:
    from simulator.analysis.comparison import Arm, Comparison


@dataclass(frozen=True)
class Step:
    """One row: a bar from start to end, with its label and what is said beside it."""

    label: str
    start: float
    end: float
    said: str
    colour: str
    strong: bool = False


def absorption_waterfall(result: Comparison, axes: Axes) -> Axes:
    """From the wins that a straight line promises, part by part, to those that came."""
    arm = pushed_arm(result)
    if arm is None or arm.absorption is None:
        return style.empty(axes, "No variant pushes")
    a = arm.absorption
    if not np.isfinite([a.straight_line, a.actual, *a.parts.values()]).all():
        return style.empty(axes, "The effect on wins is not known")
    steps = [
        Step(
            "A straight line promises", 0.0, a.straight_line, style.number(a.straight_line),
            style.GREY, True,
        )
    ]  # fmt: skip
    level = a.straight_line
    for name, change in waterfall_of(a):
        colour = style.ORANGE if change < 0 else style.SKY
        label = name[0].upper() + name[1:]
        steps.append(Step(label, level, level + change, style.number(change), colour))
        level += change
    colour = style.ROLES.get(arm.role, style.GREEN)
    steps.append(Step("What came", 0.0, a.actual, style.number(a.actual), colour, True))
    fall(axes, [steps])
    weeks = arm.system.horizon
    axes.set_xlabel(f"extra wins in {weeks:g} weeks, against today", labelpad=10)
    return axes


def ledger(result: Comparison, axes: Axes) -> Axes:
    """ARR that extra leads bring and displaced wins take, variant by variant."""
    arms = [a for a in main_arms(result) if a.ledger is not None and "arr" in a.ledger]
    groups = [_book(a, result) for a in arms]
    if not groups or not all(np.isfinite([s.end for s in g]).all() for g in groups):
        return style.empty(axes, "No ledger")
    fall(axes, groups, [a.name for a in arms])
    axes.set_xlabel(f"ARR at week {arms[0].system.horizon:g}, against today", labelpad=10)
    return axes


def _book(arm: Arm, result: Comparison) -> list[Step]:
    assert arm.ledger is not None
    currency = arm.system.scenario.currency
    book = arm.ledger["arr"]
    size = sum(abs(v) for v in book.parts.values())
    order = {k: i for i, k in enumerate(ARR_PARTS)}
    # What is too small to be seen is shown together.
    small = {k: v for k, v in book.parts.items() if abs(v) < 0.02 * size}
    parts = {k: v for k, v in book.parts.items() if k not in small}
    if len(parts) > 6:
        shown = largest(parts, 6)
    else:
        shown = sorted(parts.items(), key=lambda p: order.get(p[0], len(order)))
    rest = sum(small.values()) + book.gap()
    if abs(rest) > 1e-9 * max(1.0, size):
        shown.append(("all else", rest))
    steps, level = [], 0.0
    for name, value in shown:
        label = ARR_PARTS.get(name, spoken(name.replace(":", " ")))
        colour = style.ORANGE if value < 0 else style.SKY
        said = style.amount(value, currency, signed=True)
        steps.append(Step(label[0].upper() + label[1:], level, level + value, said, colour))
        level += value
    said = style.amount(book.total, currency, signed=True)
    exact = result.replications < 2
    if result.outcome == "arr" and arm.gain is not None and not exact:
        said += f" ± {style.amount(arm.gain.gain.half, currency)}"
    colour = style.ROLES.get(arm.role, style.GREEN)
    return [*steps, Step("In all", 0.0, book.total, said, colour, True)]


def fall(axes: Axes, groups: Sequence[Sequence[Step]], heads: Sequence[str] = ()) -> None:
    """Draw groups of steps from the top down; with heads, each group has a headline."""
    rows: list[tuple[float, Step]] = []
    y = 0.0
    titles: list[tuple[float, str, str]] = []
    for g, steps in enumerate(groups):
        if heads:
            y += 0.35 if g else 0.0
            titles.append((y, heads[g], steps[-1].colour))
            y += 0.95
        for step in steps:
            rows.append((y, step))
            y += 1.0
        spine = [y - len(steps) - 0.5, y - 0.5]
        axes.plot([0.0, 0.0], spine, color=style.GREY, linewidth=1.2, zorder=1, gid="zero")
    ends = [v for _, s in rows for v in (s.start, s.end)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    reach = (high - low) or 1.0
    style.tidy(axes, keep=())
    axes.set_xlim(low - 0.02 * reach, high + 0.24 * reach)
    axes.set_ylim(y - 0.4, -0.65)
    for i, (at, step) in enumerate(rows):
        axes.barh(
            at, step.end - step.start, left=step.start, height=0.66, color=step.colour, zorder=2
        )
        following = rows[i + 1] if i + 1 < len(rows) else None
        if following is not None and following[0] - at == 1.0:
            axes.plot(
                [step.end, step.end], [at + 0.33, following[0] - 0.33],
                color=style.GREY, linewidth=1.2, zorder=1,
            )  # fmt: skip
        axes.text(
            max(step.start, step.end, 0.0) + 0.012 * reach, at, style.plain(step.said),
            va="center", ha="left", fontsize=style.BODY + (2 if step.strong else 0),
            weight="bold" if step.strong else "normal",
        )  # fmt: skip
    axes.set_xticks([])
    size = style.room_for(axes, len(rows) + len(titles))
    axes.set_yticks([at for at, _ in rows], [style.lines(s.label, 36, 1) for _, s in rows])
    axes.tick_params(axis="y", labelsize=size)
    for tick, (_, step) in zip(axes.get_yticklabels(), rows, strict=True):
        tick.set_fontweight("bold" if step.strong else "normal")
    for at, name, colour in titles:
        axes.text(
            low - 0.02 * reach, at, style.lines(name, 60, 1), va="center", ha="left",
            fontsize=style.BODY + 2, weight="bold", color=style.ink(colour),
        )  # fmt: skip
