"""What must be true, what it rests on, and in which worlds which choice wins."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from simulator.analysis.words import label, money, share
from simulator.analysis.words_seek import condition_text, doing, name, value
from simulator.analysis.words_worlds import assumption, box_words, ranged
from simulator.report.figures import style
from simulator.report.figures.comparison import dots
from simulator.vocabulary import YEAR, describe

if TYPE_CHECKING:
    from simulator.analysis.parts import Target
    from simulator.analysis.seek import Sought
    from simulator.analysis.sensitivity import Sensitivity
    from simulator.analysis.worlds import Worlds

ROWS = 12


def reach(result: Sought, axes: Axes) -> Axes:
    """How far each lever alone carries the first target's metric, and the sets that reach it."""
    t = result.targets[0]
    rows: list[tuple[str, float, float, str, str]] = []
    for s in [*result.sets, *([result.nearest] if result.nearest is not None else [])][:4]:
        e = s.reached[0]
        cost = money(s.cost / result.weeks * YEAR, result.currency)
        colour = style.BLUE if s.status == "confirmed" else style.GREY
        rows.append(
            (" + ".join(name(n) for n in s.names), e.mean, e.half, f"{cost} a year", colour)
        )
    single = {s.names[0] for s in result.sets if len(s.names) == 1}
    others = [x for x in result.lone if x.knob.name not in single]
    lone = sorted(others, key=lambda x: -t.margin(x.best[0]))
    for x in lone[: ROWS - len(rows)]:
        said = "reaches it alone" if x.reaches else "at best"
        rows.append((name(x.knob.name), x.best[0], 0.0, said,
                     style.GREEN if x.reaches else style.VERMILLION))  # fmt: skip
    today = result.today[0].mean
    ends = [v for r in rows for v in (r[1] - r[2], r[1] + r[2])] + [today, t.level]
    ends = [v for v in ends if math.isfinite(v)]
    low, high = min(ends), max(ends)
    room = 0.06 * ((high - low) or 1.0)
    style.tidy(axes)
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(len(rows) - 0.4, -0.9)
    transform = axes.get_yaxis_transform()
    for i, (_, mean, half, said, colour) in enumerate(rows):
        if not math.isfinite(mean):
            continue
        axes.plot([today, mean], [i, i], color=colour, linewidth=5.0, alpha=0.45, zorder=2)
        axes.plot([mean - half, mean + half], [i, i], color=colour, linewidth=9.0, zorder=3,
                  solid_capstyle="butt")  # fmt: skip
        axes.plot([mean], [i], "o", color=colour, markersize=13, zorder=4)
        axes.text(1.01, i, style.plain(said), transform=transform, va="center", ha="left",
                  fontsize=style.SMALL, weight="bold", color=style.ink(colour))  # fmt: skip
    axes.axvline(today, color=style.GREY, linewidth=2.0, zorder=1)
    axes.axvline(t.level, color=style.BLACK, linewidth=2.6, linestyle=(0, (4, 2)), zorder=1)
    blended = axes.get_xaxis_transform()
    near = abs(t.level - today) < 0.25 * (high - low)
    left = today <= t.level
    axes.text(today, 1.01, "today", transform=blended, va="bottom", fontsize=style.BODY,
              ha=("right" if left else "left") if near else "center", color=style.GREY,
              weight="bold")  # fmt: skip
    axes.text(t.level, 1.01, "target", transform=blended, va="bottom", fontsize=style.BODY,
              ha=("left" if left else "right") if near else "center", weight="bold")  # fmt: skip
    axes.set_yticks(range(len(rows)), [style.lines(r[0], 40) for r in rows])
    axes.tick_params(axis="y", labelsize=style.SMALL)
    if describe(t.metric).unit.startswith("money"):
        style.money_axis(axes.xaxis, result.currency)
    week = "" if t.week == result.weeks else f" at week {t.week:g}"
    note = "sets: thick line 95%" if result.sets or result.nearest else ""
    axes.set_xlabel(f"{label(t.metric)}{week} ({note})" if note else f"{label(t.metric)}{week}")
    return axes


def reach_title(result: Sought) -> str:
    """The least-cost way to the targets, or that there is none."""
    wanted = " and ".join(_wanted(t, result.currency) for t in result.targets)
    answer = result.answer
    if answer is None:
        best = result.nearest
        near = "" if best is None else f"; {doing(best)} comes nearest"
        return f"At most {result.most_levers} levers cannot reach {wanted}{near}"
    cost = money(answer.cost / result.weeks * YEAR, result.currency)
    return f"{wanted} takes {doing(answer)}, for {cost} a year"


def _wanted(t: Target, currency: str) -> str:
    sign = "≥" if t.sign > 0 else "≤"
    return f"{label(t.metric)} {sign} {value(t.level, t.metric, currency)}"


def must_hold(result: Sought, axes: Axes) -> Axes:
    """Each condition from today to what is needed, on a scale of its own."""
    held = [c for c in result.conditions if math.isfinite(c.needed) and c.needed != c.today][:10]
    if not held:
        return style.empty(axes, "Nothing has to change")
    style.tidy(axes, keep=())
    axes.set_xlim(-0.05, 1.05)
    axes.set_ylim(len(held) - 0.4, -0.6)
    axes.set_xticks([0.0, 1.0], ["today", "needed"])
    transform = axes.get_yaxis_transform()
    t = result.targets[0]
    for i, c in enumerate(held):
        met = c.gap <= 0
        colour = style.GREY if met else style.BLUE if c.kind == "lever" else style.GREEN
        axes.plot([0.0, 1.0], [i, i], color=colour, linewidth=4.0, alpha=0.5)
        axes.plot([0.0], [i], "o", markersize=13, markerfacecolor="white", markeredgecolor=colour,
                  markeredgewidth=3.0)  # fmt: skip
        axes.plot([1.0], [i], "o", markersize=13, color=colour)
        now = condition_text(type(c)(c.name, c.kind, c.sign, c.today, c.today, c.unit,
                                     c.confidence, None), result.currency)  # fmt: skip
        axes.text(0.03, i - 0.14, style.plain(now.split(" ≥ ")[-1].split(" ≤ ")[-1]), ha="left",
                  va="bottom", fontsize=style.SMALL, color=style.INK)  # fmt: skip
        text = condition_text(c, result.currency)
        sign = "≥" if c.sign > 0 else "≤"
        axes.text(
            0.97, i - 0.14, style.plain(f"{sign} {text.split(f' {sign} ')[-1]}"), ha="right",
            va="bottom", fontsize=style.BODY, weight="bold", color=style.ink(colour),
        )  # fmt: skip
        if c.worth is not None:
            worth = value(abs(c.worth.gain.mean), t.metric, result.currency)
            said = f"worth {worth}\nof {label(t.metric)}"
        else:
            said = "holds today" if met else "follows"
        axes.text(
            1.01, i, said, transform=transform, va="center", ha="left", fontsize=style.SMALL,
            color=style.ink(colour),
        )  # fmt: skip
    axes.set_yticks(range(len(held)), [style.lines(name(c.name), 30) for c in held])
    axes.tick_params(axis="y", labelsize=style.SMALL)
    axes.set_xlabel("blue: we set it; green: must follow; grey: holds already", labelpad=8)
    return axes


def hold_title(result: Sought) -> str:
    """What must hold, the condition worth most first."""
    if not result.conditions:
        return "Nothing has to change"
    levers = [c for c in result.conditions if c.kind == "lever"]
    said = ", ".join(condition_text(c, result.currency) for c in levers[:3])
    most = levers[0]
    text = f"What must be true: {said}"
    if len(levers) > 1:
        text += f"; {name(most.name)} is worth the most"
    return text


def tornado(result: Sensitivity, axes: Axes) -> Axes:
    """The outcome at both ends of each assumption's range, the widest on top."""
    bars = result.bars[:ROWS]
    if not bars:
        return style.empty(axes, "No assumption has a range")
    style.tidy(axes)
    base = result.base.mean
    ends = [base + d.gain.mean for b in bars for d in (b.low, b.high)]
    low, high = min([base, *ends]), max([base, *ends])
    room = 0.12 * ((high - low) or 1.0)
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(len(bars) - 0.4, -0.6)
    for i, b in enumerate(bars):
        for d, colour in ((b.low, style.ORANGE), (b.high, style.BLUE)):
            axes.barh(i, d.gain.mean, left=base, height=0.62, color=colour,
                      alpha=1.0 if b.told else 0.35, zorder=2)  # fmt: skip
            if math.isfinite(d.gain.half) and d.gain.half > 0:
                at = base + d.gain.mean
                axes.plot([at - d.gain.half, at + d.gain.half], [i, i], color=style.INK,
                          linewidth=2.0, zorder=3)  # fmt: skip
    axes.axvline(base, color=style.INK, linewidth=1.8, zorder=4)
    names = [f"{assumption(b.range.path)}: {ranged(b.range, result.currency)}" for b in bars]
    axes.set_yticks(range(len(bars)), [style.lines(n, 46) for n in names])
    axes.tick_params(axis="y", labelsize=style.SMALL)
    if describe(result.outcome).unit.startswith("money"):
        style.money_axis(axes.xaxis, result.currency)
    axes.set_xlabel(
        f"{label(result.outcome)} (orange: low end, blue: high end; thin line: 95%)", labelpad=8
    )
    return axes


def tornado_title(result: Sensitivity) -> str:
    """The assumption that matters most, and how much is mere chance."""
    told = [b for b in result.bars if b.told]
    what = label(result.outcome)
    if not told:
        return f"No assumption moves {what} beyond chance"
    b = told[0]
    text = (
        f"{what} rests most on {assumption(b.range.path)}: its range moves it by "
        f"{value(b.swing, result.outcome, result.currency)}"
    )
    if result.split is not None:
        text += f"; {share(result.split.share)} of all variance is mere chance"
    return text


def contest(result: Worlds, axes: Axes) -> Axes:
    """How often the fix is better than the push, and by how much, over the worlds."""
    style.tidy(axes)
    found = result.histogram()
    edges, counts = np.array(found["edges"]), np.array(found["worlds"])
    if len(counts) < 2:
        return style.empty(axes, "No world tells the two apart")
    middle = 0.5 * (edges[:-1] + edges[1:])
    colours = [style.VERMILLION if m < 0 else style.BLUE for m in middle]
    axes.bar(middle, counts, width=0.92 * (edges[1] - edges[0]), color=colours)
    axes.axvline(0.0, ymax=0.76, color=style.INK, linewidth=2.4)
    p = result.share.mean
    push, fix = (style.lines(s.name, 26, 2) for s in result.sides)
    top = 0.97
    axes.text(0.01, top, f"{push}\nis better in {share(p)}", transform=axes.transAxes, va="top",
              ha="left", fontsize=20, weight="bold", color=style.ink(style.VERMILLION))  # fmt: skip
    axes.text(0.99, top, f"{fix}\nis better in {share(1 - p)}", transform=axes.transAxes, va="top",
              ha="right", fontsize=20, weight="bold", color=style.ink(style.BLUE))  # fmt: skip
    axes.set_ylim(0, 1.35 * max(1, int(counts.max())))
    axes.set_yticks([])
    if describe(result.outcome).unit.startswith("money"):
        style.money_axis(axes.xaxis, result.currency, signed=True)
    axes.set_xlabel(
        f"{label(result.outcome)} of the fix less that of the push, at equal spend; "
        f"{result.count:,} worlds"
    )
    return axes


def contest_title(result: Worlds) -> str:
    """Who wins how often, and where the other does."""
    push, fix = (style.short(s.name, 34) for s in result.sides)
    p = result.share.mean
    first, second, often = (push, fix, p) if p > 0.5 else (fix, push, 1 - p)
    text = f"{first} beats {second} in {'all' if often == 1 else share(often)} of the worlds"
    good = [b for b in result.boxes if result.holds_up(b)]
    if good:
        winner = push if result.of == "push" else fix
        text += f"; {winner} wins where {box_words(good[0], result.over, result.currency)}"
    return text


def informs(result: Worlds) -> bool:
    """Whether some number, if it were known, would turn the decision."""
    return any(w.value > 0 for w in result.information)


def information(result: Worlds, axes: Axes) -> Axes:
    """What knowing each assumption beforehand is worth, the most on top."""
    worth = [w for w in result.information if w.value > 0][:10]
    if not worth:
        return style.empty(axes, "No single number, if known, would turn the decision")
    dots(
        axes,
        [(w.value, w.low, w.high) for w in worth],
        [style.lines(assumption(w.path), 40) for w in worth],
        [value(w.value, result.outcome, result.currency) for w in worth],
        [style.BLUE] * len(worth),
        [w.low > 0 for w in worth],
    )
    if describe(result.outcome).unit.startswith("money"):
        style.money_axis(axes.xaxis, result.currency)
    axes.set_xlabel(
        f"{label(result.outcome)} gained on average by knowing it before choosing (95% interval)",
        labelpad=8,
    )
    return axes


def information_title(result: Worlds) -> str:
    """Which number to get first."""
    worth = [w for w in result.information if w.value > 0]
    if not worth:
        return "No single number, if it were known, would turn the decision"
    w = worth[0]
    size = value(w.value, result.outcome, result.currency)
    return (
        f"Measure {assumption(w.path)} first: knowing it is worth {size} of "
        f"{label(result.outcome)}, as it turns the decision in {share(w.flips)} of the worlds"
    )
