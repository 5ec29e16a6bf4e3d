"""Today against its variants: ARR over time, and gains at equal spend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from simulator.analysis.words import label
from simulator.report.figures import style
from simulator.report.figures.facts import main_arms
from simulator.vocabulary import describe

if TYPE_CHECKING:
    from simulator.analysis.comparison import Arm, Comparison

SERIES = 4  # variants with a label of their own
ROWS = 12  # rows of a dot plot that can be told apart from afar


def arr(result: Comparison, axes: Axes) -> Axes:
    """ARR over time of today and the variants, with bands; dashed: at equal spend."""
    currency = result.today.system.scenario.currency
    named = [result.today, *main_arms(result, SERIES)]
    scaled = {a.name: a for a in result.equal() if not a.written}
    twins = [scaled[a.name] for a in named if a.name in scaled]
    others = [a for a in result.written() if not any(a is n for n in named)]
    labels: list[tuple[float, str, str]] = []
    tints = colours(named)
    for arm in others:
        axes.plot(arm.system.grid, arm.bands[:, 0], color=style.PALE, linewidth=1.5, zorder=1)
    for arm in [*twins, *named]:
        weeks, colour = arm.system.grid, tints[arm.name if arm.role != "today" else ""]
        dashed = arm in twins
        if not dashed:
            axes.fill_between(
                weeks, arm.bands[:, 1], arm.bands[:, 2], color=colour, alpha=0.16, linewidth=0
            )
        width = 2.2 if dashed else 3.4
        axes.plot(
            weeks, arm.bands[:, 0], color=colour, linewidth=width, zorder=3,
            linestyle=(0, (4, 2)) if dashed else "-",
        )  # fmt: skip
        end = float(arm.bands[-1, 0])
        if not math.isfinite(end):
            continue
        name = f"{arm.name}, equal spend" if dashed else arm.name
        text = f"{style.lines(name, 21)}\n{style.plain(style.amount(end, currency))}"
        labels.append((end, text, colour))
    if not labels:
        return style.empty(axes, "ARR is not known")
    style.tidy(axes, keep=("left", "bottom"))
    horizon = float(result.today.system.grid[-1])
    style.week_axis(axes, horizon)
    axes.set_xlabel("week" + (f"; pale: {len(others)} more variants" if others else ""))
    style.money_axis(axes.yaxis, currency)
    axes.grid(axis="y", color="#E8E8E8", linewidth=1.0, zorder=0)
    style.end_labels(axes, labels)
    return axes


def colours(arms: Sequence[Arm]) -> dict[str, str]:
    """A colour for each arm: its role's, or one that no other has. Today's is under ""."""
    spare = [style.GREEN, style.PURPLE, style.ORANGE, style.SKY, style.BLACK]
    found: dict[str, str] = {}
    for arm in arms:
        key = arm.name if arm.role != "today" else ""
        colour = style.ROLES.get(arm.role, style.GREEN)
        found[key] = colour if colour not in found.values() else spare.pop(0)
        if found[key] in spare:
            spare.remove(found[key])
    return found


def equal_spend(result: Comparison, axes: Axes) -> Axes:
    """Gains at equal spend with their intervals, the largest on top."""
    better = describe(result.outcome).better or 1
    arms = [a for a in result.equal() if a.gain is not None and math.isfinite(a.gain.gain.mean)]
    arms.sort(key=lambda a: -better * (a.gain.gain.mean if a.gain else 0.0))
    if not arms:
        return style.empty(axes, "No gain is known")
    shown = arms[:ROWS]
    relative = all(a.gain is not None and math.isfinite(a.gain.relative.mean) for a in shown)
    currency = result.today.system.scenario.currency
    exact = result.replications < 2
    dots(
        axes,
        [_gain(a, relative, exact) for a in shown],
        [style.lines(_with_share(a), 30) for a in shown],
        [_said(a, relative, exact, result, currency) for a in shown],
        [style.ROLES.get(a.role, style.GREEN) for a in shown],
        [True] * len(shown),
    )
    what, week = label(result.outcome), f"week {result.week:g}"
    more = f"; {len(arms) - ROWS} more variants are in the tables" if len(arms) > ROWS else ""
    axes.set_xlabel(f"change of {what} at {week} against today{more}", labelpad=10)
    if relative:
        from matplotlib.ticker import FuncFormatter

        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda v, _: style.percent(v, digits=_digits(axes)))
        )
    elif describe(result.outcome).unit.startswith("money"):
        style.money_axis(axes.xaxis, currency, signed=True)
    return axes


def _digits(axes: Axes) -> int:
    """Digits after the point that tell the ticks of a percent axis apart."""
    ticks = axes.get_xticks()
    step = 100.0 * float(ticks[1] - ticks[0]) if len(ticks) > 1 else 1.0
    return next((d for d in range(6) if abs(step * 10**d - round(step * 10**d)) < 1e-6), 6)


def _with_share(arm: Arm) -> str:
    if arm.written:
        return arm.name
    return f"{style.short(arm.name, 44)} ({arm.intensity:.2g}× its levers)"


def _gain(arm: Arm, relative: bool, exact: bool) -> tuple[float, float, float]:
    assert arm.gain is not None
    e = arm.gain.relative if relative else arm.gain.gain
    half = 0.0 if exact or not math.isfinite(e.half) else e.half
    return e.mean, e.mean - half, e.mean + half


def _said(arm: Arm, relative: bool, exact: bool, result: Comparison, currency: str) -> str:
    assert arm.gain is not None
    if relative:
        mean, half = style.percent(arm.gain.relative.mean), arm.gain.relative.half
        size = f"{100 * half:.1f}%"
    else:
        half = arm.gain.gain.half
        money = describe(result.outcome).unit.startswith("money")
        mean = (
            style.amount(arm.gain.gain.mean, currency, signed=True)
            if money
            else f"{arm.gain.gain.mean:+.3g}"
        )
        size = style.amount(half, currency) if money else f"{half:.3g}"
    return mean if exact or not math.isfinite(half) else f"{mean} ± {size}"


def dots(
    axes: Axes,
    values: list[tuple[float, float, float]],
    names: list[str],
    said: list[str],
    colours: list[str],
    filled: list[bool],
) -> None:
    """Dots with whiskers (middle, low, high) from the top down, what they say to their right."""
    rows = len(values)
    style.tidy(axes)
    axes.axvline(0.0, color=style.GREY, linewidth=1.6, zorder=1)
    ends = [v for row in values for v in row if math.isfinite(v)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    reach = (high - low) or 1.0
    axes.set_xlim(low - 0.05 * reach, high + 0.05 * reach)
    axes.set_ylim(rows - 0.4, -0.6)
    for i, ((mean, left, right), colour, solid) in enumerate(
        zip(values, colours, filled, strict=True)
    ):
        axes.plot([left, right], [i, i], color=colour, linewidth=5.0, solid_capstyle="butt")
        axes.plot(
            [mean], [i], "o", markersize=15, markeredgecolor=colour, markeredgewidth=3.5,
            color=colour if solid else "white", zorder=3,
        )  # fmt: skip
    size = style.room_for(axes, rows * max(1 + n.count("\n") for n in names))
    axes.set_yticks(range(rows), names)
    axes.tick_params(axis="y", labelsize=size + (2 if rows <= 4 else 0))
    transform = axes.get_yaxis_transform()
    for i, text in enumerate(said):
        axes.text(
            1.01, i, style.plain(text), transform=transform, va="center", ha="left",
            fontsize=style.BODY + (4 if rows <= 4 else 0), weight="bold",
            color=style.ink(colours[i]),
        )  # fmt: skip
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
