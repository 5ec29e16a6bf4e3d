"""What became of leads, of ARR and of people: funnel, reasons, bridge and heads of each variant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from numpy.typing import NDArray

from simulator.analysis.words import sentence, spoken
from simulator.report.figures import style
from simulator.report.figures.comparison import colours
from simulator.report.figures.facts import main_arms
from simulator.report.figures.waterfall import Step, fall

if TYPE_CHECKING:
    from simulator.analysis.comparison import Arm, Comparison

Floats = NDArray[np.float64]
SIDES = 3  # variants beside today
ROWS = 18  # bars whose numbers can be read
NAME = 34
APART = 0.25  # people between those planned and those there from which both are shown
# What a decision came to, the good first.
ENDS = {
    "won": ("won", style.BLUE),
    "competitor": ("lost to a competitor", style.VERMILLION),
    "no_decision": ("no decision", style.ORANGE),
}
FALL = {
    "opening": "ARR at week 0",
    "won": "New customers",
    "expansion": "Expansion",
    "churned": "Churn",
    "closing": "ARR at the end",
}


def arms_of(result: Comparison) -> list[Arm]:
    """Today and the main variants as written."""
    return [result.today, *main_arms(result, SIDES)]


def reasons(result: Comparison, axes: Axes) -> Axes:
    """What buyers decided, in shares, by variant."""
    arms = arms_of(result)
    shares = [ends(a) for a in arms]
    shown = [k for k in ENDS if any(s.get(k, 0.0) > 0.0 for s in shares)]
    if not shown:
        return style.empty(axes, "Nothing was decided")
    style.tidy(axes, keep=())
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(len(arms) - 0.4, -1.0)
    axes.set_xticks([])
    for i, found in enumerate(shares):
        at = 0.0
        for key in shown:
            size, (_, colour) = found.get(key, 0.0), ENDS[key]
            axes.barh(i, size, left=at, height=0.62, color=colour, zorder=2)
            if size >= 0.045:
                axes.text(
                    at + size / 2, i, style.percent(size, False, 0), ha="center", va="center",
                    fontsize=style.BODY, weight="bold", color=style.on(colour),
                )  # fmt: skip
            at += size
    axes.set_yticks(range(len(arms)), [style.lines(a.name, 22) for a in arms])
    axes.tick_params(axis="y", labelsize=style.BODY)
    handles = [Patch(color=ENDS[k][1], label=ENDS[k][0]) for k in shown]
    axes.legend(handles=handles, loc="upper left", ncols=len(shown), frameon=False,
                fontsize=style.BODY, borderaxespad=0.0, handlelength=1.0)  # fmt: skip
    axes.set_xlabel("share of all deals that were decided", labelpad=10)
    return axes


def ends(arm: Arm) -> dict[str, float]:
    """Shares of ENDS of all that came to one of them."""
    counts = {k: arm.flows.ended.get(k, 0.0) for k in ENDS}
    total = sum(counts.values())
    return {k: v / total for k, v in counts.items()} if total > 0 else {}


def reasons_title(result: Comparison) -> str:
    """The largest loss today, and what variants make of it."""
    today = ends(result.today)
    lost = {k: v for k, v in today.items() if k != "won"}
    if not lost or not max(lost.values()):
        return "Nothing is lost"
    key = max(lost, key=lambda k: lost[k])
    said = [f"{sentence(ENDS[key][0])}: {style.percent(today[key], False, 0)} of decisions today"]
    for a in main_arms(result):
        share = ends(a).get(key, 0.0)
        said.append(f"{style.percent(share, False, 0)} under {style.short(a.name, NAME)}")
    return ", ".join(said)


def funnel(result: Comparison, axes: Axes) -> Axes:
    """Visits to each stage, by variant; what a handoff rejects in pale."""
    arms = arms_of(result)
    stages = _telling(arms, ROWS // len(arms))
    if not stages:
        return style.empty(axes, "No lead has come to a stage")
    style.tidy(axes, keep=())
    tints = colours(arms)
    tall = 0.8 / len(arms)
    top = max(a.flows.entered.get(s, 0.0) for a in arms for s in stages)
    for j, arm in enumerate(arms):
        colour = tints[arm.name if arm.role != "today" else ""]
        for i, stage in enumerate(stages):
            y = i + (j - 0.5 * (len(arms) - 1)) * tall
            all_, no = arm.flows.entered.get(stage, 0.0), arm.flows.rejected.get(stage, 0.0)
            label = style.plain(style.short(arm.name, 30)) if i == 0 else None
            axes.barh(y, all_ - no, height=0.9 * tall, color=colour, zorder=2, label=label)
            axes.barh(y, no, left=all_ - no, height=0.9 * tall, color=colour, alpha=0.35, zorder=2)
            text = style.number(all_, False) + (
                f" + {style.number(no, False)} rejected" if no else ""
            )
            axes.text(all_ + 0.01 * top, y, text, va="center", ha="left",
                      fontsize=style.SMALL, color=style.ink(colour))  # fmt: skip
    axes.set_xlim(0.0, 1.22 * top)
    axes.set_ylim(len(stages) - 0.45, -0.55)
    axes.set_xticks([])
    axes.set_yticks(range(len(stages)), [sentence(spoken(s)) for s in stages])
    axes.tick_params(axis="y", labelsize=style.BODY)
    axes.legend(loc="lower right", fontsize=style.SMALL, frameon=False)
    weeks = result.today.system.horizon
    axes.set_xlabel(
        f"visits in {weeks:g} weeks; pale: turned down by those who get them", labelpad=8
    )
    return axes


def _telling(arms: Sequence[Arm], most: int) -> list[str]:
    """Stages in their order: the first, the last, and those that variants change most."""
    today = arms[0].flows.entered
    there = [s for s, n in today.items() if n > 0]
    if len(there) <= most:
        return there

    def change(stage: str) -> float:
        return max(abs(a.flows.entered.get(stage, 0.0) / today[stage] - 1.0) for a in arms)

    inner = sorted(there[1:-1], key=change, reverse=True)[: max(0, most - 2)]
    return [s for s in there if s in (there[0], there[-1], *inner)]


def funnel_title(result: Comparison) -> str:
    """What the first variant brings in at the top, and what of it comes out."""
    stages = [s for s, n in result.today.flows.entered.items() if n > 0]
    if not stages:
        return "No lead comes to a stage"
    today, said = result.today.flows, []
    for a in main_arms(result):
        first = _more(a.flows.entered.get(stages[0], 0.0), today.entered[stages[0]])
        won = _more(a.flows.ended["won"], today.ended["won"])
        name = style.short(a.name, NAME)
        said.append(f"{name}: {first} into {spoken(stages[0])}, {won} won")
    return "; ".join(said) or f"{style.number(today.entered[stages[0]], False)} visits"


def bridge(result: Comparison, axes: Axes) -> Axes:
    """ARR from opening to closing, of today and the main variants."""
    arms = [a for a in arms_of(result)[:3] if np.isfinite(list(a.flows.bridge.values())).all()]
    if not arms:
        return style.empty(axes, "ARR is not known")
    currency = result.today.system.scenario.currency
    fall(axes, [_steps(a, currency) for a in arms], [a.name for a in arms])
    axes.set_xlabel(f"ARR over {result.today.system.horizon:g} weeks", labelpad=10)
    return axes


def _steps(arm: Arm, currency: str) -> list[Step]:
    found, at = [], 0.0
    for key, label in FALL.items():
        value = arm.flows.bridge[key]
        total = key in ("opening", "closing")
        if not total and value == 0.0:
            continue
        start = 0.0 if total else at
        at = value if total else at + value
        said = style.amount(value, currency, signed=not total)
        colour = style.GREY if key == "opening" else style.ORANGE if value < 0 else style.SKY
        if key == "closing":
            colour = style.ROLES.get(arm.role, style.GREEN)
        found.append(Step(label, start, at, said, colour, key == "closing"))
    return found


def bridge_title(result: Comparison) -> str:
    """How new ARR and churn differ from today's."""
    today, said = result.today.flows.bridge, []
    for a in main_arms(result):
        new = _more(a.flows.bridge["won"], today["won"])
        gone = _more(-a.flows.bridge["churned"], -today["churned"])
        said.append(f"{style.short(a.name, NAME)}: {new} ARR won, {gone} churned")
    return "; ".join(said) or "ARR from week 0 to the end"


def heads(result: Comparison, axes: Axes) -> Axes:
    """Heads that are fully productive, and those that ramp, of the team that variants change."""
    found = _changed(result)
    if found is None:
        return style.empty(axes, "No variant changes a team's heads")
    team, arms = found
    style.tidy(axes, keep=("left", "bottom"))
    tints = colours([result.today, *arms])
    labels, horizon = [], float(result.today.system.grid[-1])
    top, seen = 0.0, False
    for arm in [result.today, *arms]:
        weeks = arm.system.grid
        ramped, young = arm.flows.ramped[team], arm.flows.ramping[team]
        colour = tints[arm.name if arm.role != "today" else ""]
        axes.fill_between(weeks, ramped, ramped + young, step="post", color=colour, alpha=0.25,
                          linewidth=0)  # fmt: skip
        axes.step(weeks, ramped, where="post", color=colour, linewidth=3.4, zorder=3)
        last = float(ramped[-1] + young[-1])
        top = max(top, float((ramped + young).max()))
        there = _there(arm, team)
        if there is not None:
            axes.step(weeks, there, where="post", color=colour, linewidth=2.2,
                      linestyle=(0, (2, 1.5)), zorder=4)  # fmt: skip
            top, seen = max(top, float(there.max())), True
        labels.append((last, f"{style.lines(arm.name, 21)}\n{last:g}", colour))
    axes.set_ylim(0.0, 1.12 * (top or 1.0))
    style.week_axis(axes, horizon)
    plan = f"week; {spoken(team)} as planned: line ramped, shaded ramping"
    axes.set_xlabel(f"{plan}; dotted: those there" if seen else f"{plan} (nobody quits)")
    axes.grid(axis="y", color="#E8E8E8", linewidth=1.0, zorder=0)
    style.end_labels(axes, labels)
    return axes


def _there(arm: Arm, team: str) -> Floats | None:
    """People of a team who are there, mean over runs, where they are not those planned."""
    planned = arm.flows.ramped[team] + arm.flows.ramping[team]
    there = arm.course.heads.get(team)
    if there is None or len(there) != len(planned) or np.abs(there - planned).max() < APART:
        return None
    return there


def hires(result: Comparison) -> bool:
    """Whether any variant changes a team's heads."""
    return _changed(result) is not None


def heads_title(result: Comparison) -> str:
    """How many ramp at most, of how many."""
    found = _changed(result)
    if found is None:
        return "No variant changes a team's heads"
    team, arms = found
    said = []
    for a in arms[:2]:
        young, all_ = a.flows.ramping[team], a.flows.ramping[team] + a.flows.ramped[team]
        k = int(young.argmax())
        name = style.short(a.name, NAME)
        said.append(
            f"{name}: at week {a.system.grid[k]:g}, {young[k]:g} of {all_[k]:g} {spoken(team)} ramp"
            if young[k] > 0
            else f"{name}: {all_[-1]:g} {spoken(team)}"
        )
    return "; ".join(said)


def _changed(result: Comparison) -> tuple[str, list[Arm]] | None:
    """The team whose heads variants change most, and who changes it."""
    today = result.today.flows

    def change(arm: Arm, team: str) -> float:
        there = today.ramped[team] + today.ramping[team]
        here = arm.flows.ramped[team] + arm.flows.ramping[team]
        return float(np.abs(here - there).max(initial=0.0)) if len(here) == len(there) else 0.0

    arms = main_arms(result, SIDES)
    sizes = {t: max((change(a, t) for a in arms), default=0.0) for t in today.ramped}
    team = max(sizes, key=lambda t: sizes[t], default="")
    if not team or sizes[team] <= 0.0:
        return None
    return team, [a for a in arms if change(a, team) > 0.0]


def _more(new: float, old: float) -> str:
    if not old:
        return "any" if new else "no"
    return style.percent(new / old - 1.0, digits=0)
