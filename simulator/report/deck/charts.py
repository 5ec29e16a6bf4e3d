"""Native charts: editable in PowerPoint, their data within."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from lxml import etree
from pptx.chart.chart import Chart
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION, XL_TICK_LABEL_POSITION, XL_TICK_MARK
from pptx.enum.dml import MSO_LINE_DASH_STYLE, MSO_THEME_COLOR
from pptx.oxml.ns import qn
from pptx.util import Emu, Pt

from simulator.report.deck.data import Chartable, Column, Grid, bounds, grid, number_format
from simulator.report.deck.ink import PLAIN, Ink
from simulator.report.story.spec import Bars, Fall, Lines, Stack

# What colours mean, as colours of the theme: a template's own come through.
THEME: Final = {
    "fix": MSO_THEME_COLOR.ACCENT_1,
    "push": MSO_THEME_COLOR.ACCENT_2,
    "other": MSO_THEME_COLOR.ACCENT_3,
    "more": MSO_THEME_COLOR.ACCENT_4,
    "up": MSO_THEME_COLOR.ACCENT_5,
    "down": MSO_THEME_COLOR.ACCENT_6,
}
TEXT: Final = Pt(14)
PERIODS: Final = 12  # of standing bars that can each have a label
BAND: Final = 24000  # thousandths of a percent of opacity
KIND: Final = {
    Lines: XL_CHART_TYPE.LINE,
    Bars: XL_CHART_TYPE.BAR_CLUSTERED,
    Fall: XL_CHART_TYPE.BAR_STACKED,
    Stack: XL_CHART_TYPE.COLUMN_STACKED,
}


def add(slide: Any, show: Chartable, box: tuple[int, int, int, int], ink: Ink = PLAIN) -> Any:
    """Add a chart to a slide; its graphic frame."""
    data = grid(show).chart_data(number_format(show))
    frame = slide.shapes.add_chart(KIND[type(show)], *(Emu(x) for x in box), data)
    _dress(frame.chart, show, ink)
    return frame


def is_ours(chart: Chart, show: Chartable) -> bool:
    """Whether a chart is still of the type that it was made with."""
    tags = [c.tag for c in chart._chartSpace.plotArea.iter_xCharts()]
    if isinstance(show, Lines):
        banded = any(s.low for s in show.series)
        return tags == [qn("c:areaChart")] * banded + [qn("c:lineChart")]
    return tags == [qn("c:barChart")]


def refill(chart: Chart, show: Chartable, ink: Ink = PLAIN) -> None:
    """New numbers in a chart that is ours: everything about its look stays."""
    found = grid(show)
    chart.replace_data(found.chart_data(number_format(show)))
    for ser, column in zip(_sers(chart), found.columns, strict=True):
        if column.plus:
            _error_bars(ser, column, ink)
    if isinstance(show, Lines | Bars) and not _holds(chart.value_axis, show):
        _scale(chart, show)


def _holds(axis: Any, show: Lines | Bars) -> bool:
    """Whether an axis, as somebody may have set it, shows every interval at a fair size."""
    low, high = axis.minimum_scale, axis.maximum_scale
    if low is None and high is None:
        return True
    if low is None or high is None:
        return False
    least, most, _ = bounds(show)
    return bool(low <= least and most <= high and most - least >= 0.5 * (high - low))


def columns_of(chart: Chart) -> int:
    """How many series a chart has."""
    return len(_sers(chart))


def _sers(chart: Chart) -> list[Any]:
    return list(chart._chartSpace.plotArea.sers)


def _dress(chart: Chart, show: Chartable, ink: Ink) -> None:
    columns = grid(show).columns
    chart.font.size = TEXT
    if ink.text is not None:
        chart.font.color.theme_color = ink.text
    chart.has_title = False
    if isinstance(show, Lines):
        _split_bands(chart, columns)
    sers = _sers(chart)
    for ser, column in zip(sers, columns, strict=True):
        _paint(ser, column, ink)
        if column.plus:
            _error_bars(ser, column, ink)
    _legend(chart, show, columns)
    _axes(chart, show, ink)
    if not isinstance(show, Lines):
        plot = chart.plots[0]
        plot.gap_width = 45
        plot.overlap = 100


def _split_bands(chart: Chart, columns: tuple[Column, ...]) -> None:
    """Move the bands' series into an area chart behind the lines, on the same axes."""
    line = chart._chartSpace.plotArea.find(qn("c:lineChart"))
    bands = [s for s, c in zip(_sers(chart), columns, strict=True) if c.kind in ("hidden", "band")]
    if not bands:
        return
    area = etree.SubElement(line.getparent(), qn("c:areaChart"))
    line.addprevious(area)
    etree.SubElement(area, qn("c:grouping")).set("val", "stacked")
    etree.SubElement(area, qn("c:varyColors")).set("val", "0")
    for ser in bands:
        for tag in ("c:marker", "c:smooth"):
            for element in ser.findall(qn(tag)):
                ser.remove(element)
        area.append(ser)
    for axis in line.findall(qn("c:axId")):
        area.append(deepcopy(axis))


def _paint(ser: Any, column: Column, ink: Ink) -> None:
    theme = THEME | {"today": ink.bars, "grey": ink.bars}
    from pptx.chart.series import AreaSeries, BarSeries, LineSeries

    if column.kind == "line":
        series = LineSeries(ser)
        series.smooth = False
        series.marker.style = None
        _no_marker(ser)
        series.format.line.width = Pt(2.25 if column.dashed else 3)
        series.format.line.color.theme_color = theme[column.colour]
        if column.dashed:
            series.format.line.dash_style = MSO_LINE_DASH_STYLE.DASH
        return
    shape = (AreaSeries if column.kind == "band" else BarSeries)(ser)
    if column.kind == "hidden":
        shape.format.fill.background()
        shape.format.line.fill.background()
        return
    if column.kind == "bar":
        shape.invert_if_negative = False
    shape.format.fill.solid()
    shape.format.fill.fore_color.theme_color = theme[column.colour]
    shape.format.line.fill.background()
    if column.kind == "band":
        colour = ser.find(f".//{qn('a:solidFill')}/{qn('a:schemeClr')}")
        etree.SubElement(colour, qn("a:alpha")).set("val", str(BAND))


def _no_marker(ser: Any) -> None:
    marker = ser.get_or_add_marker()
    for child in list(marker):
        marker.remove(child)
    etree.SubElement(marker, qn("c:symbol")).set("val", "none")


def _error_bars(ser: Any, column: Column, ink: Ink) -> None:
    """Whiskers from the numbers given; a look that somebody gave them stays."""
    old = ser.find(qn("c:errBars"))
    look = None if old is None else old.find(qn("c:spPr"))
    bars = etree.Element(qn("c:errBars"))
    for tag, said in (("errBarType", "both"), ("errValType", "cust"), ("noEndCap", "0")):
        etree.SubElement(bars, qn(f"c:{tag}")).set("val", said)
    for tag, values in (("plus", column.plus), ("minus", column.minus)):
        literal = etree.SubElement(etree.SubElement(bars, qn(f"c:{tag}")), qn("c:numLit"))
        etree.SubElement(literal, qn("c:formatCode")).text = "General"
        etree.SubElement(literal, qn("c:ptCount")).set("val", str(len(values)))
        for k, value in enumerate(values):
            if value is not None:
                point = etree.SubElement(literal, qn("c:pt"))
                point.set("idx", str(k))
                etree.SubElement(point, qn("c:v")).text = repr(value)
    bars.append(deepcopy(look) if look is not None else _whisker(ink))
    if old is not None:
        ser.replace(old, bars)
        return
    ser.find(qn("c:cat")).addprevious(bars)


def _whisker(ink: Ink) -> Any:
    look = etree.Element(qn("c:spPr"))
    line = etree.SubElement(look, qn("a:ln"))
    line.set("w", str(Pt(1.75)))
    fill = etree.SubElement(line, qn("a:solidFill"))
    colour = MSO_THEME_COLOR.TEXT_1 if ink.text is None else ink.text
    etree.SubElement(fill, qn("a:schemeClr")).set("val", MSO_THEME_COLOR.to_xml(colour))
    return look


def _legend(chart: Chart, show: Chartable, columns: tuple[Column, ...]) -> None:
    """Above the chart, without what only carries; none where one series needs none."""
    shown = [c for c in columns if c.kind in ("line", "bar")]
    chart.has_legend = len(shown) > 1 and not isinstance(show, Fall)
    if not chart.has_legend:
        return
    chart.legend.position = XL_LEGEND_POSITION.TOP
    chart.legend.include_in_layout = False
    chart.legend.font.size = TEXT
    legend = chart.legend._element
    after = legend.find(qn("c:legendPos"))
    for k, column in reversed(list(enumerate(columns))):
        if column.kind in ("hidden", "band"):
            entry = etree.Element(qn("c:legendEntry"))
            etree.SubElement(entry, qn("c:idx")).set("val", str(k))
            etree.SubElement(entry, qn("c:delete")).set("val", "1")
            after.addnext(entry)


def _axes(chart: Chart, show: Chartable, ink: Ink) -> None:
    across, up = chart.category_axis, chart.value_axis
    for axis in (across, up):
        axis.major_tick_mark = XL_TICK_MARK.NONE
        axis.minor_tick_mark = XL_TICK_MARK.NONE
        axis.tick_labels.font.size = TEXT
        axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
        axis.format.line.color.theme_color = ink.quiet
    across.has_major_gridlines = False
    up.has_major_gridlines = not isinstance(show, Fall)
    up.tick_labels.number_format = number_format(show)
    up.tick_labels.number_format_is_linked = False
    if up.has_major_gridlines:
        grey = up.major_gridlines.format.line
        grey.color.rgb = RGBColor(*([0x59] * 3 if ink.dark else [0xE3] * 3))
        grey.width = Pt(0.75)
    up.format.line.fill.background()
    if isinstance(show, Fall):
        up.visible = False
    if isinstance(show, Lines | Bars):
        _scale(chart, show)
    if isinstance(show, Stack) and len(show.periods) > PERIODS:
        _steps(across._element, -(-len(show.periods) // PERIODS) + 1)
    if isinstance(show, Lines):
        _steps(across._element, show.every)
        _from_the_edge(up._element)
        across.has_title = True
        across.axis_title.text_frame.text = show.across
        run = across.axis_title.text_frame.paragraphs[0].runs[0]
        run.font.size, run.font.bold = TEXT, False


def _from_the_edge(axis: Any) -> None:
    """Areas begin on the axis, not half a step beside it."""
    between = axis.find(qn("c:crossBetween"))
    if between is None:
        between = etree.Element(qn("c:crossBetween"))
        after = axis.find(qn("c:crosses"))
        (axis.find(qn("c:crossAx")) if after is None else after).addnext(between)
    between.set("val", "midCat")


def _steps(axis: Any, every: int) -> None:
    if every < 2:
        return
    place = axis.find(qn("c:noMultiLvlLbl"))
    for tag in ("c:tickLblSkip", "c:tickMarkSkip"):
        skip = etree.Element(qn(tag))
        skip.set("val", str(every))
        if place is not None:
            place.addprevious(skip)
        else:
            axis.append(skip)


def _scale(chart: Chart, show: Lines | Bars) -> None:
    """Ends of the value axis: it holds every interval."""
    axis = chart.value_axis
    axis.minimum_scale, axis.maximum_scale, axis.major_unit = bounds(show)


def rebuild(chart: Chart, show: Chartable, ink: Ink = PLAIN) -> None:
    """Numbers with another set of series: the chart's plots are made again in our look."""
    found = grid(show)
    area = chart._chartSpace.plotArea
    for bands in area.findall(qn("c:areaChart")):
        lines = area.find(qn("c:lineChart"))
        if lines is None:
            break
        for ser in bands.findall(qn("c:ser")):
            lines.append(ser)
        area.remove(bands)
    chart.replace_data(found.chart_data(number_format(show)))
    _order(area)
    for ser in _sers(chart):
        for tag in ("c:spPr", "c:errBars"):
            for element in ser.findall(qn(tag)):
                ser.remove(element)
    if isinstance(show, Lines):
        _split_bands(chart, found.columns)
        _scale(chart, show)
    for ser, column in zip(_sers(chart), found.columns, strict=True):
        _paint(ser, column, ink)
        if column.plus:
            _error_bars(ser, column, ink)
    _legend(chart, show, found.columns)


def _order(area: Any) -> None:
    """Series first, then what a plot holds besides, as the schema has it."""
    for plot in area.iter_xCharts():
        head = [c for c in plot if c.tag in (qn("c:barDir"), qn("c:grouping"), qn("c:varyColors"))]
        for ser in reversed(plot.findall(qn("c:ser"))):
            plot.remove(ser)
            head[-1].addnext(ser)


def plain_fill(chart: Chart, show: Chartable) -> None:
    """A user's chart gets the numbers that are seen, without what only carries bands or bars."""
    found = grid(show)
    kept = found.columns if isinstance(show, Fall) else tuple(
        c for c in found.columns if c.kind in ("line", "bar")
    )  # fmt: skip
    chart.replace_data(Grid(found.categories, kept).chart_data(number_format(show)))
