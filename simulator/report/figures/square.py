"""Two changes, without and with each: a two by two."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.patches import FancyBboxPatch

from simulator.analysis.words import label, money
from simulator.report.figures import style
from simulator.vocabulary import describe

if TYPE_CHECKING:
    from simulator.analysis.comparison import Arm, Comparison

NAME = 30
SHADES = LinearSegmentedColormap.from_list(
    "gain", [(0.0, style.VERMILLION), (0.5, "#F4F4F4"), (1.0, style.BLUE)]
)


def two_by_two(result: Comparison, axes: Axes) -> Axes:
    """The outcome's change against today: across without and with one change, down the other."""
    found = result.crossed
    if found is None:
        return style.empty(axes, "No variant has the levers of two others")
    axes.set_axis_off()
    axes.set_xlim(-0.52, 2.0)
    axes.set_ylim(2.02, -0.42)
    first, second, both = (_arm(result, n) for n in (found.first, found.second, found.both))
    better = describe(result.outcome).better or 1
    size = max((abs(_share(a)) for a in (first, second, both)), default=0.0) or 1.0
    for x, y, arm in ((0, 0, result.today), (1, 0, first), (0, 1, second), (1, 1, both)):
        gain = _share(arm) if arm is not result.today else 0.0
        shade = 0.5 + 0.42 * better * gain / size
        colour = SHADES(min(max(shade, 0.0), 1.0))
        axes.add_patch(FancyBboxPatch(
            (x + 0.03, y + 0.03), 0.94, 0.94, boxstyle="round,pad=0,rounding_size=0.03",
            facecolor=colour, linewidth=0,
        ))  # fmt: skip
        ink = style.on(to_hex(colour))
        said, below = _told(result, arm)
        axes.text(x + 0.5, y + 0.42, said, ha="center", va="center", color=ink, weight="bold",
                  fontsize=30)  # fmt: skip
        axes.text(x + 0.5, y + 0.68, below, ha="center", va="center", color=ink,
                  fontsize=style.SMALL)  # fmt: skip
    for x, text in ((0, f"without\n{style.short(found.first, NAME)}"),
                    (1, f"with\n{style.short(found.first, NAME)}")):  # fmt: skip
        axes.text(x + 0.5, -0.05, style.plain(text), ha="center", va="bottom",
                  fontsize=style.BODY, weight="bold")  # fmt: skip
    for y, word in ((0, "without"), (1, "with")):
        axes.text(-0.04, y + 0.5, f"{word}\n{style.lines(found.second, 14)}", ha="right",
                  va="center", fontsize=style.BODY, weight="bold")  # fmt: skip
    return axes


def _arm(result: Comparison, name: str) -> Arm:
    return next(a for a in result.written() if a.name == name)


def _share(arm: Arm) -> float:
    """The change as a share of today's; as it is where there is none of today's."""
    if arm.gain is None:
        return 0.0
    share = arm.gain.relative.mean
    return share if math.isfinite(share) else arm.gain.gain.mean


def _told(result: Comparison, arm: Arm) -> tuple[str, str]:
    currency = result.today.system.scenario.currency
    unit = describe(result.outcome).unit
    if arm.gain is None:
        base = arm.metrics.get(result.outcome)
        level = "" if base is None else _level(base.mean, unit, currency)
        return "today", f"{label(result.outcome)} {level}".strip()
    gain = arm.gain.relative
    cost = f"{money(arm.cost_a_year, currency)} a year" if abs(arm.extra_cost) >= 1 else "no cost"
    if not math.isfinite(gain.mean):
        return f"{arm.gain.gain.mean:+.3g}".replace("-", "−"), f"± {arm.gain.gain.half:.2g}, {cost}"
    return style.percent(gain.mean), f"± {100 * gain.half:.1f}%, for {cost}"


def _level(value: float, unit: str, currency: str) -> str:
    if unit.startswith("money"):
        return money(value, currency)
    return style.percent(value, False) if unit == "share" else f"{value:,.4g}"


def two_by_two_title(result: Comparison) -> str:
    """What each brings alone, and whether the first brings more with the second."""
    found = result.crossed
    if found is None:
        return "No variant has the levers of two others"
    first, second, both = (_arm(result, n) for n in (found.first, found.second, found.both))
    names = [style.short(n, NAME) for n in (found.first, found.second)]
    alone, other = (style.percent(_share(a)) for a in (first, second))
    after = style.percent(_share(both) - _share(second))
    text = f"{names[0]} alone {alone} of {label(result.outcome)}, after {names[1]} another {after}"
    e = found.beyond
    if e.low <= 0.0 <= e.high:
        told = "no telling the two apart"
    else:
        told = "more than without" if (e.mean > 0) == (_share(first) >= 0) else "less than without"
    return f"{text}: {told}; {names[1]} alone {other}"


def has_two(result: Comparison) -> bool:
    """Whether a variant has the levers of two others."""
    return result.crossed is not None
