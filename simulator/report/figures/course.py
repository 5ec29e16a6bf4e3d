"""How variants went, week by week: deals that pile up, capability that wears away, reps whose
work waits for delivery.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from simulator.analysis.words import label, sentence, spoken
from simulator.report.figures import style
from simulator.report.figures.comparison import colours
from simulator.report.figures.facts import main_arms
from simulator.report.figures.titles import rise
from simulator.vocabulary import QUARTER

if TYPE_CHECKING:
    from simulator.analysis.comparison import Arm, Comparison

Floats = NDArray[np.float64]
SIDES = 2  # variants beside today
STAGES = 5  # that have a colour of their own
LAYERS = (style.BLUE, style.ORANGE, style.GREEN, style.PURPLE, style.SKY)
NAME = 34


def cumulative_flow(result: Comparison, axes: Axes) -> Axes:
    """Opportunities in the last half year: those that ended below, those in process on top, by
    stage. Across is how long one takes, up how many there are.
    """
    arms = _in_process(result)
    if not arms:
        return style.empty(axes, "No opportunity is in process")
    stages = _stages(arms)
    axes.set_axis_off()
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.0)
    top = max(float(_came(a)[-1]) for a in arms)
    wide = (1.0 - 0.03 * (len(arms) - 1)) / len(arms)
    for k, arm in enumerate(arms):
        inner = axes.inset_axes((k * (wide + 0.03), 0.0, wide, 0.84))
        _flow(inner, arm, stages, top, first=k == 0)
        colour = style.ink(style.ROLES.get(arm.role, style.GREEN))
        inner.set_title(style.lines(style.short(arm.name, 44), 24), loc="left", color=colour,
                        fontsize=style.BODY, weight="bold")  # fmt: skip
    names = [*stages, *(["other stages"] if _rest(arms, stages) else [])]
    handles = [Patch(color=_layer(i), label=sentence(spoken(s))) for i, s in enumerate(names)]
    handles.append(Patch(color=style.PALE, label="Won or lost"))
    axes.legend(handles=handles[::-1], loc="upper left", bbox_to_anchor=(0.0, 1.09), frameon=False,
                ncols=4, fontsize=style.SMALL, borderaxespad=0.0, handlelength=1.0)  # fmt: skip
    return axes


def _flow(inner: Axes, arm: Arm, stages: Sequence[str], top: float, *, first: bool) -> None:
    since = _since(arm)
    weeks, c = arm.system.grid[since:], arm.course
    style.tidy(inner, keep=("left", "bottom") if first else ("bottom",))
    below = c.left[since:] - c.left[since]
    inner.fill_between(weeks, 0.0, below, color=style.PALE, linewidth=0)
    inner.plot(weeks, below, color=style.INK, linewidth=2.0)
    heights = [c.held.get(s, np.zeros(len(c.left))) for s in stages]
    rest = [v for s, v in c.held.items() if s not in stages]
    for i, height in enumerate([*heights, *([np.sum(rest, axis=0)] if rest else [])]):
        above = below + height[since:]
        inner.fill_between(weeks, below, above, color=_layer(i), linewidth=0)
        below = above
    inner.plot(weeks, below, color=style.INK, linewidth=2.0)
    inner.set_ylim(0.0, 1.3 * (top or 1.0))
    inner.set_xlim(float(weeks[0]), float(weeks[-1]))
    inner.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    inner.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    inner.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))
    inner.tick_params(labelsize=style.SMALL, labelleft=first, left=first)
    inner.set_xlabel("week", fontsize=style.SMALL)
    if first:
        inner.set_ylabel("opportunities", fontsize=style.SMALL)
    now, old = _open(arm), _age(arm)
    said = f"{style.number(now, False)} open" + (f",\n{old:.1f} weeks each" if old else "")
    inner.text(0.05, 0.97, said, transform=inner.transAxes, ha="left", va="top",
               fontsize=style.BODY, weight="bold", color=style.INK)  # fmt: skip


def flow_title(result: Comparison) -> str:
    """How many are open at the end, and how long they take, by Little's law."""
    arms = _in_process(result)
    if not arms:
        return "No opportunity is in process"
    said = []
    for k, arm in enumerate(arms):
        old = _age(arm)
        took = f", {old:.1f} weeks each" if old else ""
        who = f"under {style.short(arm.name, NAME)}" if k else "today"
        said.append(f"{style.number(_open(arm), False)} {who}{took}")
    return f"Open at the end: {'; '.join(said)}"


def flows_known(result: Comparison) -> bool:
    """Whether the result says what was in process by week."""
    return bool(_in_process(result))


def _in_process(result: Comparison) -> list[Arm]:
    """Today and the main variants, where what was in process is known."""
    return [a for a in [result.today, *main_arms(result, SIDES)] if a.course.held]


def _since(arm: Arm) -> int:
    """Where the last half year begins on the grid."""
    weeks = arm.system.grid
    return int(np.searchsorted(weeks, max(0.0, float(weeks[-1]) - 2 * QUARTER)))


def _came(arm: Arm) -> Floats:
    """Opportunities in the last half year, those open at its start with them."""
    ended = arm.course.left - arm.course.left[_since(arm)]
    found: Floats = np.sum([ended, *arm.course.held.values()], axis=0)
    return found


def _open(arm: Arm) -> float:
    return float(sum(v[-1] for v in arm.course.held.values()))


def _age(arm: Arm) -> float | None:
    """Weeks an opportunity takes: the mean in process over what leaves, of the last quarter."""
    weeks, c = arm.system.grid, arm.course
    since = int(np.searchsorted(weeks, weeks[-1] - QUARTER))
    gone = float(c.left[-1] - c.left[since])
    inside = np.sum(list(c.held.values()), axis=0)[since:]
    return float(inside.mean()) * float(weeks[-1] - weeks[since]) / gone if gone > 0 else None


def _stages(arms: Sequence[Arm]) -> list[str]:
    """The stages that hold most, in their order from the last to the first."""
    order = list(dict.fromkeys(s for a in arms for s in a.course.held))
    size = {s: max(float(a.course.held[s].mean()) for a in arms if s in a.course.held)
            for s in order}  # fmt: skip
    chosen = set(sorted(order, key=lambda s: -size[s])[:STAGES])
    return [s for s in order if s in chosen][::-1]


def _rest(arms: Sequence[Arm], stages: Sequence[str]) -> bool:
    return any(s not in stages for a in arms for s in a.course.held)


def _layer(i: int) -> str:
    return LAYERS[i] if i < len(LAYERS) else style.GREY


def capability(result: Comparison, axes: Axes) -> Axes:
    """What an hour of the team that changes most brings, by week, of what it brought at first."""
    team = _worn(result)
    if team is None:
        return style.empty(axes, "Nobody's capability changes")
    arms = [a for a in [result.today, *main_arms(result, 3)] if team in a.course.capability]
    style.tidy(axes, keep=("left", "bottom"))
    tints = colours(arms)
    labels = []
    for arm in arms:
        values = arm.course.capability[team]
        colour = tints[arm.name if arm.role != "today" else ""]
        axes.plot(arm.system.grid, values, color=colour, linewidth=3.6)
        last = float(values[-1])
        labels.append((last, f"{style.lines(arm.name, 21)}\n{last:.0%}", colour))
    ends = np.concatenate([a.course.capability[team] for a in arms])
    axes.set_ylim(0.0, 1.08 * max(1.0, float(ends.max())))
    style.week_axis(axes, float(result.today.system.grid[-1]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.0%}"))
    axes.grid(axis="y", color="#E8E8E8", linewidth=1.0, zorder=0)
    axes.set_xlabel(f"week; what an hour of {spoken(team)} brings, against week 0")
    style.end_labels(axes, labels)
    return axes


def capability_title(result: Comparison) -> str:
    """What is left of a team's capability at the end."""
    team = _worn(result)
    if team is None:
        return "Nobody's capability changes"
    said = []
    for arm in main_arms(result, SIDES):
        if team not in arm.course.capability:
            continue
        values, weeks = arm.course.capability[team], arm.system.grid
        text = f"{values[-1]:.0%} under {style.short(arm.name, NAME)}"
        half = np.flatnonzero(values <= 0.5)
        if len(half):
            text += f" (half of it gone by week {weeks[half[0]]:g})"
        said.append(text)
    return f"Capability of {spoken(team)} at the end: {'; '.join(said)}"


def wears(result: Comparison) -> bool:
    """Whether a variant moves a team's capability."""
    return _worn(result) is not None


def _worn(result: Comparison) -> str | None:
    """The team whose capability differs most between variants."""
    arms = [result.today, *main_arms(result, 3)]
    apart = {}
    for team in result.today.course.capability:
        found = [a.course.capability[team] for a in arms if team in a.course.capability]
        apart[team] = float(max(v.max() for v in found) - min(v.min() for v in found))
    widest = max(apart, key=lambda t: apart[t], default=None)
    return widest if widest is not None and apart[widest] > 0.01 else None


def delivery(result: Comparison, axes: Axes) -> Axes:
    """Who sells, what is delivered, and how long it takes: one above the other, by week."""
    arms = [result.today, *main_arms(result, SIDES)]
    arms = [a for a in arms if a.course.delivery and a.course.sellers]
    if not arms:
        return style.empty(axes, "Nobody waits for a delivery that the market knows of")
    axes.set_axis_off()
    sellers = " and ".join(spoken(t) for t in arms[0].course.sellers[:2])
    rows: tuple[tuple[str, Callable[[Arm], Floats], str], ...] = (
        (f"{sentence(sellers)}, heads", _sellers, "{:.0f}"),
        ("Delivered a quarter", _rate, "{:.0f}"),
        ("Weeks that a delivery takes", _delay, "{:.0f}"),
    )
    tints = colours(arms)
    for k, (name, of, form) in enumerate(rows):
        inner = axes.inset_axes((0.0, 0.69 - 0.345 * k, 1.0, 0.26))
        style.tidy(inner, keep=("left", "bottom"))
        labels, high = [], 0.0
        for arm in arms:
            values = of(arm)
            colour = tints[arm.name if arm.role != "today" else ""]
            inner.plot(arm.system.grid, values, color=colour, linewidth=3.0)
            known = values[np.isfinite(values)]
            last = float(known[-1]) if len(known) else 0.0
            high = max(high, float(known.max(initial=0.0)))
            short = style.short(arm.name, 18)
            labels.append((last, f"{short}: {form.format(last)}", colour))
        inner.set_ylim(0.0, 1.1 * (high or 1.0))
        inner.set_xlim(0.0, float(arms[0].system.grid[-1]))
        inner.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        inner.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        inner.tick_params(labelsize=style.SMALL, labelbottom=k == 2)
        inner.grid(axis="y", color="#E8E8E8", linewidth=1.0, zorder=0)
        inner.set_title(name, loc="left", fontsize=style.BODY, weight="bold", pad=4)
        style.end_labels(inner, labels, style.SMALL)
        if k == 2:
            inner.set_xlabel("week", fontsize=style.SMALL)
    return axes


def delivery_title(result: Comparison) -> str:
    """How many more sell, and what it does to the outcome."""
    today, said = result.today, list[str]()
    for arm in main_arms(result, SIDES):
        if not (delivers(result) and arm.course.sellers) or arm.gain is None:
            continue
        more = _more(float(_sellers(arm)[-1]), float(_sellers(today)[-1]))
        who = " and ".join(spoken(t) for t in arm.course.sellers[:2])
        brings = rise(arm.gain, label(result.outcome).lower() if not said else "")
        said.append(f"{style.short(arm.name, NAME)} ({more} heads in {who}) {brings}")
    return "; ".join(said) or "Nobody waits for a delivery that the market knows of"


def delivers(result: Comparison) -> bool:
    """Whether somebody sells what waits to be delivered, and the market knows how long."""
    c = result.today.course
    return bool(c.delivery and c.sellers)


def _sellers(arm: Arm) -> Floats:
    found: Floats = np.sum([arm.course.heads[t] for t in arm.course.sellers], axis=0)
    return found


def _rate(arm: Arm) -> Floats:
    """Delivered in the 13 weeks before each week; nan before there are so many."""
    done, weeks = arm.course.delivered, arm.system.grid
    then = np.interp(weeks - QUARTER, weeks, done)
    found: Floats = np.where(weeks >= QUARTER, done - then, np.nan)
    return found


def _delay(arm: Arm) -> Floats:
    """What waits or is worked on over what is delivered a week, by Little's law."""
    held, rate = arm.course.held.get(arm.course.delivery), _rate(arm) / QUARTER
    found: Floats = np.full(len(rate), np.nan)
    if held is not None:
        np.divide(held, rate, out=found, where=rate > 0)
    return found


def _more(new: float, old: float) -> str:
    return style.percent(new / old - 1.0, digits=0) if old > 0 else f"{new:.0f}"
