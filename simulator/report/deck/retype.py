"""New numbers in charts that somebody may have restyled, retyped, emptied or linked elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from pptx.oxml.ns import qn

from simulator.report.deck import charts
from simulator.report.deck.build import CHARTS
from simulator.report.deck.changes import Changes
from simulator.report.deck.data import grid
from simulator.report.deck.ink import Ink, ink_of
from simulator.report.deck.theme import theme_part
from simulator.report.story.spec import Fall, Lines, Slide


def ours(where: str, shape: Any, slide: Slide, changes: Changes) -> None:
    """A chart of ours, with what somebody made of it."""
    what = f"chart {slide.key}"
    if not shape.has_chart or not isinstance(slide.show, CHARTS):
        changes.problems.append(f"{where}: {what}: is no longer a chart that can be filled")
        return
    chart = shape.chart
    if _without_categories(chart):
        changes.problems.append(
            f"{where}: {what}: its type, {_type(chart)}, cannot hold these numbers (a chart with "
            "categories can); left as it is"
        )
        return
    if (link := _linked(chart)) is not None:
        changes.problems.append(
            f"{where}: {what}: takes its numbers from another file ({link}); left as it is: break "
            "the link to have it filled"
        )
        return
    before, had = _numbers(chart), charts.columns_of(chart)
    wanted = len(grid(slide.show).columns)
    if not had:
        changes.problems.append(f"{where}: {what}: has no series left; make it anew with --out")
        return
    show, ink, kept = slide.show, _ink(shape), charts.is_ours(chart, slide.show)

    def fill() -> None:
        if not kept:
            charts.plain_fill(chart, show)
        elif isinstance(show, Fall | Lines) and had != wanted:
            charts.rebuild(chart, show, ink)
        else:
            charts.refill(chart, show, ink)

    if not _tried(where, what, chart, fill, changes):
        return
    if not kept:
        changes.problems.append(
            f"{where}: {what}: its type is {_type(chart)} now: it has the numbers, no intervals"
        )
    elif had != wanted:
        changes.problems.append(
            f"{where}: {what}: had {had} series and now has {wanted}; look at its colours"
        )
    changes.add(where, what, _numbers(chart) != before)


def _linked(chart: Any) -> str | None:
    """The file outside of the deck that a chart takes its numbers from."""
    held = chart._chartSpace.find(qn("c:externalData"))
    rel = None if held is None else chart.part.rels.get(held.get(qn("r:id")))
    return rel.target_ref if rel is not None and rel.is_external else None


def _ink(shape: Any) -> Ink:
    """What can be read where a shape is."""
    layout = shape.part.slide.slide_layout
    return ink_of(layout, theme_part(layout.slide_master).blob)


def _tried(
    where: str, what: str, chart: Any, act: Callable[[], None], changes: Changes
) -> bool:  # fmt: skip
    """Change a chart, or leave it as it was and say why: a stranger's may hold anything."""
    space = chart._chartSpace
    held = deepcopy(space)
    try:
        act()
    except Exception as error:  # noqa: BLE001 - whatever a strange chart makes the writer say
        for child in list(space):
            space.remove(child)
        for child in list(held):
            space.append(child)
        said = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        changes.problems.append(f"{where}: {what}: cannot be filled ({said}); left as it is")
        return False
    return True


def _without_categories(chart: Any) -> bool:
    tags = {child.tag.rpartition("}")[2] for child in chart._chartSpace.plotArea}
    return bool(tags & {"scatterChart", "bubbleChart", "stockChart", "surfaceChart", "ofPieChart"})


def _type(chart: Any) -> str:
    tags = [c.tag.rpartition("}")[2] for c in chart._chartSpace.plotArea]
    return next((t.removesuffix("Chart") for t in tags if t.endswith("Chart")), "unknown")


def _numbers(chart: Any) -> list[Any]:
    return [
        (s.name, tuple(s.values), tuple(p.categories))
        for p in chart.plots
        for s in p.series
    ]  # fmt: skip


def theirs(where: str, shape: Any, key: str, slides: dict[str, Slide], changes: Changes) -> None:
    """A user's own chart whose name asks for the numbers of a slide of ours."""
    what = f"chart {{{{{key}}}}}"
    slide = slides.get(key)
    if slide is None or not isinstance(slide.show, CHARTS):
        known = ", ".join(k for k, s in slides.items() if isinstance(s.show, CHARTS))
        changes.problems.append(f"{where}: {what}: no chart is called that (there are: {known})")
        return
    if _without_categories(shape.chart):
        changes.problems.append(
            f"{where}: {what}: a {_type(shape.chart)} chart cannot hold these numbers; use lines, "
            "bars or areas"
        )
        return
    if (link := _linked(shape.chart)) is not None:
        changes.problems.append(f"{where}: {what}: takes its numbers from another file ({link})")
        return
    before, show = _numbers(shape.chart), slide.show
    if not charts.columns_of(shape.chart):
        changes.problems.append(f"{where}: {what}: has no series to fill; give it one")
        return
    if _tried(where, what, shape.chart, lambda: charts.plain_fill(shape.chart, show), changes):
        changes.add(where, what, _numbers(shape.chart) != before)
