"""Figures of results, by kind of result: FIGURES[kind][name](result) or (result, axes).

Without axes, a figure is a whole slide: its message above, its source below. With axes it draws on
them and leaves the rest to the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from simulator.report.figures import (
    course,
    decisions,
    flows,
    forecasts,
    mixes,
    moves,
    pace,
    square,
    stands,
    titles,
)
from simulator.report.figures.comparison import arr, equal_spend
from simulator.report.figures.constraints import queues, relief
from simulator.report.figures.curves import absorption_curve
from simulator.report.figures.heatmap import capacity_heat, constraint_heat
from simulator.report.figures.picture import save
from simulator.report.figures.style import look, slide
from simulator.report.figures.waterfall import absorption_waterfall, ledger


@dataclass(frozen=True)
class Plot:
    """A figure: what draws it, and the message that it is drawn for.

    when: whether a result has what is drawn; lacks: why one has not.
    """

    draw: Callable[[Any, Axes], Axes]
    title: Callable[[Any], str]
    when: Callable[[Any], bool] = lambda _: True
    lacks: str = ""

    def __call__(self, result: Any, axes: Axes | None = None) -> Axes:
        """Draw on the axes given, or on those of a new slide; returns them."""
        with look():
            if axes is None:
                _, axes = slide(self.title(result), titles.source(result))
                drawn = self.draw(result, axes)
                settle(figure_of(axes))
                return drawn
            return self.draw(result, axes)


def settle(figure: Figure) -> None:
    """Give axes their places; labels that meet the ticks of the new places move once more when
    the figure is drawn. Nothing is drawn: a slide is drawn once, into its file.
    """
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)


def figure_of(axes: Axes) -> Figure:
    """The whole figure that axes are on."""
    figure: object = axes.figure
    while isinstance(figure, SubFigure):
        figure = figure.figure
    assert isinstance(figure, Figure)
    return figure


FIGURES: Final[dict[str, dict[str, Plot]]] = {
    "backtest": {
        "fan": Plot(forecasts.fan, forecasts.fan_title),
        "open_cases": Plot(forecasts.open_cases, forecasts.open_title),
    },
    "comparison": {
        "absorption_waterfall": Plot(absorption_waterfall, titles.absorption_title),
        "arr": Plot(arr, titles.arr_title),
        "better_before_worse": Plot(pace.better_before_worse, pace.pace_title),
        "funnel": Plot(flows.funnel, flows.funnel_title),
        "reasons": Plot(flows.reasons, flows.reasons_title),
        "arr_bridge": Plot(flows.bridge, flows.bridge_title),
        "heads": Plot(flows.heads, flows.heads_title, flows.hires, "no variant hires anybody"),
        "cumulative_flow": Plot(
            course.cumulative_flow,
            course.flow_title,
            course.flows_known,
            "it does not say what was in process by week (is it of an older version?)",
        ),
        "capability": Plot(
            course.capability,
            course.capability_title,
            course.wears,
            "no variant moves a team's capability by its time to improve alone",
        ),
        "delivery": Plot(
            course.delivery,
            course.delivery_title,
            course.delivers,
            "nobody sells what waits for a delivery that the market knows of",
        ),
        "two_by_two": Plot(
            square.two_by_two,
            square.two_by_two_title,
            square.has_two,
            "no variant has the levers of two others",
        ),
        "capacity_heat": Plot(capacity_heat, titles.heat_title),
        "ledger": Plot(ledger, titles.ledger_title),
        "equal_spend": Plot(equal_spend, titles.equal_title),
    },
    "curve": {"absorption_curve": Plot(absorption_curve, titles.curve_title)},
    "constraint": {
        "relief": Plot(relief, titles.relief_title),
        "capacity_heat": Plot(constraint_heat, titles.constraint_heat_title),
        "queues": Plot(queues, titles.queues_title),
        "shifting_bottleneck": Plot(
            moves.strip,
            moves.strip_title,
            lambda r: r.bottleneck is not None,
            "nobody was watched: the flow engine has no single leads",
        ),
        "migration": Plot(
            moves.migration,
            moves.migration_title,
            lambda r: r.path is not None,
            "no budget was spent: ask for the constraint with --path BUDGET",
        ),
    },
    "curves": {"every_effort": Plot(mixes.every_effort, mixes.every_title)},
    "isoquant": {"isoquant": Plot(mixes.isoquant_map, mixes.isoquant_title)},
    "seek": {
        "reach": Plot(decisions.reach, decisions.reach_title),
        "conditions": Plot(decisions.must_hold, decisions.hold_title),
    },
    "sensitivity": {"tornado": Plot(decisions.tornado, decisions.tornado_title)},
    "robustness": {"verdict_tornado": Plot(stands.tornado, stands.title)},
    "worlds": {
        "contest": Plot(decisions.contest, decisions.contest_title),
        "information": Plot(
            decisions.information,
            decisions.information_title,
            decisions.informs,
            "no single number, if it were known, would turn the decision",
        ),
    },
}


def save_all(result: Any, kind: str, folder: Path) -> list[Path]:
    """Draw every figure of a kind of result into a folder, as PNG and SVG."""
    found: list[Path] = []
    for name, plot in FIGURES.get(kind, {}).items():
        if not plot.when(result):
            continue
        axes = plot(result)
        found += save(figure_of(axes), folder / name)
    return found
