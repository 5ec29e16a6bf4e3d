"""Decks in other hands: odd templates, retyped and linked charts, names in odd places, locks."""

from __future__ import annotations

import io
import zipfile
from copy import deepcopy
from pathlib import Path

import pytest

pytest.importorskip("pptx")
from lxml import etree
from made_results import comparison
from ooxml import disorder
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE
from pptx.enum.dml import MSO_THEME_COLOR
from pptx.oxml.ns import qn
from pptx.util import Inches
from test_deck import folders, next_quarter

from simulator.errors import DataError
from simulator.report import deck, write
from simulator.report.deck import grids
from simulator.report.deck.build import _cell_size
from simulator.report.deck.changes import Changes
from simulator.report.deck.theme import page, theme_part, title_letter, title_size
from simulator.report.story.say import Line

OLE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/oleObject"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return folders(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    return next_quarter(tmp_path_factory.mktemp("later"))


@pytest.fixture(scope="module")
def board(results, tmp_path_factory):
    """Of a curve: one slide with a chart."""
    return deck.make(results[1:2], tmp_path_factory.mktemp("deck") / "board.pptx").path


@pytest.fixture(scope="module")
def whole(results, tmp_path_factory):
    """Of a comparison: charts, tables and a picture."""
    return deck.make(results[:1], tmp_path_factory.mktemp("deck") / "board.pptx").path


def changed(board: Path, path: Path, change) -> Path:
    """A deck after a hand's change."""
    shown = Presentation(str(board))
    change(shown)
    shown.save(str(path))
    return path


def charts_of(shown):
    return [(p, s) for p in shown.slides for s in p.shapes if s.has_chart]


# ---------------------------------------------------------------- templates


def title_only(shown):
    for layout in list(shown.slide_layouts):
        if layout.name != "Title Only":
            shown.slide_layouts.remove(layout)
    return shown.slide_layouts[0]


def at(left, top, wide, tall):
    def change(shown):
        title = title_only(shown).placeholders[0]
        title.left, title.top = Inches(left), Inches(top)
        title.width, title.height = Inches(wide), Inches(tall)

    return change


def nowhere(shown):
    layout = title_only(shown)
    for place in (shown.slide_master, layout):
        for shape in place.placeholders:
            held = shape._element.spPr.find(qn("a:xfrm"))
            if held is not None:
                shape._element.spPr.remove(held)


def picture_alone(shown):
    for layout in list(shown.slide_layouts):
        if layout.name != "Picture with Caption":
            shown.slide_layouts.remove(layout)
    shown.slide_layouts[0]._element.cSld.set("name", "Überschrift – снимок")


def upright(shown):
    shown.slide_width, shown.slide_height = Inches(7.5), Inches(13.33)


@pytest.mark.parametrize(
    "change",
    [at(0.5, 6, 9, 1), at(0.5, 0.2, 2, 6.9), at(6, 0.2, 3, 1), nowhere, picture_alone, upright],
    ids=["bottom", "column", "narrow", "nowhere", "picture", "upright"],
)
def test_a_title_in_an_odd_place_is_put_on_top(change, results, tmp_path):
    """Nothing of ours lies on the title, nothing beside the slide."""
    own = Presentation()
    change(own)
    own.save(str(tmp_path / "t.pptx"))
    made = deck.make(results[1:2], tmp_path / "b.pptx", tmp_path / "t.pptx")
    assert disorder(made.path) == []
    shown = Presentation(str(made.path))
    for slide in shown.slides:
        title = slide.shapes.title
        assert title.width >= 0.5 * shown.slide_width
        for shape in slide.shapes:
            if shape.is_placeholder and shape is not title and not shape.name.startswith("growth"):
                continue  # the slide's number
            assert shape.left >= 0
            assert shape.left + shape.width <= 1.001 * shown.slide_width
            assert shape.top + shape.height <= shown.slide_height
            if shape.shape_id != title.shape_id:
                assert shape.top >= title.top + title.height


def ground(colour: RGBColor | None, mapped: bool = False):
    def change(shown):
        master = shown.slide_master
        if colour is not None:
            held = master._element.cSld.find(qn("p:bg"))
            master._element.cSld.remove(held)
            master.background.fill.solid()
            master.background.fill.fore_color.rgb = colour
        if mapped:
            colours = master._element.find(qn("p:clrMap"))
            for name, real in (("bg1", "dk1"), ("tx1", "lt1"), ("bg2", "dk2"), ("tx2", "lt2")):
                colours.set(name, real)

    return change


@pytest.mark.parametrize(
    ("change", "text", "quiet"),
    [
        (ground(None), None, MSO_THEME_COLOR.TEXT_2),
        (ground(RGBColor(0x10, 0x18, 0x30)), MSO_THEME_COLOR.BACKGROUND_1,
         MSO_THEME_COLOR.BACKGROUND_1),
        (ground(None, mapped=True), None, MSO_THEME_COLOR.TEXT_2),
    ],
    ids=["light", "dark, but the theme is light", "dark by its map"],
)  # fmt: skip
def test_what_is_written_can_be_read_on_a_templates_ground(change, text, quiet, results, tmp_path):
    own = Presentation()
    change(own)
    own.save(str(tmp_path / "t.pptx"))
    made = deck.make(results[1:2], tmp_path / "b.pptx", tmp_path / "t.pptx")
    slide = Presentation(str(made.path)).slides[0]
    chart = next(s for s in slide.shapes if s.has_chart).chart
    assert (chart.font.color.theme_color if text else chart.font.color.type) == text
    source = next(s for s in slide.shapes if s.name.endswith(":source"))
    assert source.text_frame.paragraphs[0].runs[0].font.color.theme_color == quiet


def themed(**colours):
    """A theme of other colours; names as in its XML."""

    def change(shown):
        part = theme_part(shown.slide_master)
        root = etree.fromstring(part.blob)
        for name, value in colours.items():
            element = root.find(f".//{qn('a:clrScheme')}/{qn(f'a:{name}')}")
            for child in list(element):
                element.remove(child)
            etree.SubElement(element, qn("a:srgbClr")).set("val", value)
        part._blob = etree.tostring(root)

    return change


@pytest.mark.parametrize(
    ("colours", "cells", "heads", "says"),
    [
        ({}, None, None, ()),
        ({"dk1": "FFFFFF", "lt1": "14213D", "accent1": "FCA311"}, MSO_THEME_COLOR.LIGHT_1, None,
         ()),
        (dict.fromkeys(("accent1", "accent2"), "F4F8FF"), None, MSO_THEME_COLOR.DARK_1,
         ("on the template's background accent 1 (fix) and accent 2 (push) can hardly be seen",)),
        (dict.fromkeys(("accent1", "accent2"), "336699"), None, None,
         ("the template's accent 1 (fix) and accent 2 (push) are about the same colour",)),
    ],
    ids=["usual", "dark by its text", "pale", "one colour"],
)  # fmt: skip
def test_colours_of_tables_and_what_cannot_be_seen(colours, cells, heads, says):
    own = Presentation()
    themed(**colours)(own)
    ink = page(own).ink
    assert (ink.cells, ink.heads, ink.notes) == (cells, heads, says)


def test_tables_can_be_read_on_an_odd_theme(results, tmp_path):
    """Light letters by the theme, on the light bands of tables; and what cannot be seen is told."""
    own = Presentation()
    themed(dk1="FFFFFF", lt1="14213D", accent1="FCA311", accent2="FCA311")(own)
    own.save(str(tmp_path / "t.pptx"))
    made = deck.make(results[:1], tmp_path / "b.pptx", tmp_path / "t.pptx")
    assert made.notes == page(own).ink.notes != ()
    shapes = [s for p in Presentation(str(made.path)).slides for s in p.shapes]
    table = next(s.table for s in shapes if s.has_table)
    runs = [r for c in table.rows[1].cells for r in c.text_frame.paragraphs[0].runs]
    assert {r.font.color.theme_color for r in runs} == {MSO_THEME_COLOR.LIGHT_1}
    assert disorder(made.path) == []


def test_bands_of_a_layout_are_left_free(results, tmp_path):
    """A band under the title and a rule above the foot, of the layout; a logo does not count.

    The slide that they were drawn on is off the list, and its part still in the file.
    """
    own = Presentation()
    made_of = own.slides.add_slide(own.slide_layouts[6]).shapes
    wide, high = own.slide_width, own.slide_height
    boxes = ((0, 0, wide, Inches(2)), (0, Inches(6.2), wide, Inches(0.05)),
             (0, Inches(2), Inches(1), Inches(0.4)))  # fmt: skip
    for box in boxes:
        shape = made_of.add_shape(1, *box)
        own.slide_layouts[5]._element.cSld.spTree.append(shape._element)
    own.slides._sldIdLst.remove(own.slides._sldIdLst[0])
    own.save(str(tmp_path / "t.pptx"))
    made = deck.make(results[1:2], tmp_path / "b.pptx", tmp_path / "t.pptx")
    assert high == Inches(7.5)
    assert disorder(made.path) == []
    for slide in Presentation(str(made.path)).slides:
        for shape in slide.shapes:
            if not shape.is_placeholder:
                assert shape.top >= Inches(2)
                assert shape.top + shape.height <= Inches(6.2)


def test_capitals_are_wider(results, tmp_path):
    def size(change):
        own = Presentation()
        style = own.slide_master._element.find(f"{qn('p:txStyles')}/{qn('p:titleStyle')}")
        change(style.find(f"{qn('a:lvl1pPr')}/{qn('a:defRPr')}"))
        found = page(own)
        return title_letter(found), title_size(found)

    assert size(lambda run: run.set("cap", "all")) == (0.7, 44.0)
    assert size(lambda run: run.set("sz", "2000")) == (0.57, 20.0)


def test_no_word_of_a_table_is_broken():
    rows = [[Line("qualification"), Line("a b c d")]]
    wide = int(Inches(1.2))
    size = _cell_size(rows, (0.7, 0.3), wide, int(Inches(1)))
    assert len("qualification") * 0.55 * size <= 0.7 * wide / 12700 - 11 or size == 10.0


# ---------------------------------------------------------------- charts


def retyped(kind):
    def change(shown):
        for slide, shape in charts_of(shown):
            data = CategoryChartData()
            data.categories = ["a", "b"]
            data.add_series("x", [1, 2])
            new = slide.shapes.add_chart(kind, 0, 0, Inches(4), Inches(4), data)
            new.name = shape.name
            shape._element.getparent().remove(shape._element)

    return change


@pytest.mark.parametrize("kind", ["PIE", "COLUMN_CLUSTERED", "AREA", "RADAR", "LINE"])
def test_charts_of_another_type_get_the_numbers(kind, board, results, tmp_path):
    path = changed(board, tmp_path / "b.pptx", retyped(getattr(XL_CHART_TYPE, kind)))
    made = deck.refresh(results[1:2], path)
    assert f"its type is {'bar' if 'COL' in kind else kind.lower()} now" in " ".join(made.problems)
    assert disorder(path) == []
    wanted, got = (
        {s.name: tuple(s.values) for p in charts_of(Presentation(str(f)))[0][1].chart.plots
         for s in p.series} for f in (board, path)
    )  # fmt: skip
    assert got == {name: v for name, v in wanted.items() if ": " not in name}


def linked(shown):
    for _, shape in charts_of(shown):
        part = shape.chart.part
        held = part._element.find(qn("c:externalData"))
        held.set(qn("r:id"), part.relate_to("file:///C:/x.xlsx", OLE, is_external=True))


def without_series(shown):
    for _, shape in charts_of(shown):
        for ser in list(shape.chart._chartSpace.plotArea.sers):
            ser.getparent().remove(ser)


def without_a_book(shown):
    for _, shape in charts_of(shown):
        held = shape.chart.part._element.find(qn("c:externalData"))
        held.getparent().remove(held)


def no_size(shown):
    for slide in shown.slides:
        for shape in slide.shapes:
            if shape.name.endswith(":picture"):
                shape.width = shape.height = 0


def no_shape(shown):
    box = shown.slides[0].shapes.add_textbox(0, 0, Inches(1), Inches(1))
    box.text_frame.text = "x"
    del box._element.nvSpPr.find(qn("p:cNvSpPr")).attrib["txBox"]
    box._element.spPr.remove(box._element.spPr.find(qn("a:prstGeom")))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (linked, "takes its numbers from another file (file:///C:/x.xlsx); left as it is: break"),
        (without_series, "has no series left; make it anew"),
        (without_a_book, ""),
        (no_size, "is too small to draw anything in it"),
        (no_shape, ""),
    ],
)
def test_charts_and_shapes_that_are_odd(change, says, whole, later, tmp_path):
    path = changed(whole, tmp_path / "b.pptx", change)
    made = deck.refresh(later[:1], path)
    assert says in " ".join(made.problems)
    assert bool(says) == bool(made.problems)
    assert disorder(path) == []


def test_a_chart_that_cannot_be_filled_stays_as_it_was(whole, later, tmp_path, monkeypatch):
    from simulator.report.deck import charts

    path = changed(whole, tmp_path / "b.pptx", lambda _: None)
    before = [etree.tostring(s.chart._chartSpace) for _, s in charts_of(Presentation(str(path)))]

    def fails(chart, *_):
        chart._chartSpace.remove(chart._chartSpace.find(qn("c:chart")))
        raise ValueError("odd")

    monkeypatch.setattr(charts, "refill", fails)
    made = deck.refresh(later[:1], path)
    assert "chart answer: cannot be filled (ValueError: odd); left as it is" in str(made.problems)
    after = [etree.tostring(s.chart._chartSpace) for _, s in charts_of(Presentation(str(path)))]
    assert after == before


def test_an_axis_that_somebody_set_stays_while_it_holds_the_numbers(whole, later, tmp_path):
    def wider(shown):
        axis = charts_of(shown)[0][1].chart.value_axis
        axis.minimum_scale, axis.maximum_scale = -1e5, 2.5e6

    path = changed(whole, tmp_path / "b.pptx", wider)
    deck.refresh(later[:1], path)
    axis = charts_of(Presentation(str(path)))[0][1].chart.value_axis
    assert (axis.minimum_scale, axis.maximum_scale) == (-1e5, 2.5e6)


# ---------------------------------------------------------------- tables and titles


def table_of(shown, key):
    return next(
        s.table for p in shown.slides for s in p.shapes if s.name == f"growthsim:{key}:table"
    )


def said_in(table):
    return [[c.text for c in row.cells] for row in table.rows]


def made_table(texts):
    own = Presentation()
    shown = own.slides.add_slide(own.slide_layouts[6]).shapes
    table = shown.add_table(len(texts), len(texts[0]), 0, 0, Inches(9), Inches(4)).table
    for row, words in zip(table.rows, texts, strict=True):
        for cell, word in zip(row.cells, words, strict=True):
            cell.text = word
    return table


WAS = [["", "Today", "Push", "Fix"], ["ARR", "1", "2", "3"], ["CAC", "4", "5", "6"],
       ["NRR", "7", "8", "9"], ["Burn", "10", "11", "12"]]  # fmt: skip
NEW = [WAS[0], *[[row[0], *(f"{n}0" for n in row[1:])] for row in WAS[1:]]]


def refilled(hand, new=NEW, was=WAS):
    """A table as somebody has it, after a refresh; and what was said."""
    changes = Changes()
    table = made_table(hand)
    before = None if was is None else grids.kept(was)
    grids.refill("slide 1", "table t", table, new, before, changes)
    return said_in(table), " ".join(changes.problems)


def test_rows_columns_and_cells_of_a_users_own_stay():
    """A row deleted, one moved up, one and a column of their own; a cell and a head reworded."""
    hand = [["", "Today", "The push", "Fix", "Who"], ["NRR", "7", "8", "9", "Kim"],
            ["ARR", "1", "about 2", "3", "Lee"], ["Money burnt", "10", "11", "12", ""],
            ["Our own", "1", "2", "3", "x"]]  # fmt: skip
    found, said = refilled(hand)
    assert found == [
        hand[0], ["NRR", "70", "80", "90", "Kim"], ["ARR", "10", "about 2", "30", "Lee"],
        ["Money burnt", "100", "110", "120", ""], hand[4],
    ]  # fmt: skip
    assert "edited by hand, left as it is: 'The push' (the result says: Push)" in said
    assert "'about 2' (the result says: 20)" in said
    assert "'Money burnt' (the result says: Burn)" in said
    assert "has no row 'CAC': deleted, or new" in said
    # And once more, as the next quarter finds it.
    again, said = refilled(found, was=NEW)
    assert again == found
    assert "has no row 'CAC'" in said


def test_a_table_whose_rows_are_others_now():
    """Of the same size: all of them; else what is no longer in the result is told, and stays."""
    others = [WAS[0], *[[f"new {row[0]}", *row[1:]] for row in NEW[1:]]]
    assert refilled(WAS, others) == (others, "")
    found, said = refilled(WAS, [row[:3] for row in NEW])
    assert found == WAS
    assert "holds 'Fix', which this result does not have; left as it is" in said
    found, said = refilled(WAS, [*NEW, ["LTV", "1", "1", "1"]])
    assert found == NEW
    assert "has no row 'LTV': deleted, or new" in said
    assert refilled(WAS, was=None) == (NEW, "")
    found, said = refilled(WAS[:-1], was=None)
    assert found == WAS[:-1]
    assert "is 4 × 4 and the result's is 5 × 4; left as it is" in said


def test_merged_cells_stay_merged(whole, later, tmp_path):
    def work(shown):
        table = table_of(shown, "economics")
        table.cell(1, 0).merge(table.cell(2, 0))

    path = changed(whole, tmp_path / "b.pptx", work)
    before = table_of(Presentation(str(path)), "economics").cell(1, 0).text
    deck.refresh(later[:1], path)
    table = table_of(Presentation(str(path)), "economics")
    assert (table.cell(1, 0).text, table.cell(2, 0).is_spanned) == (before, True)


def test_a_number_that_somebody_made_red_stays_red(whole, later, tmp_path):
    def work(shown):
        paragraph = shown.slides[0].shapes.title.text_frame.paragraphs[0]
        run = paragraph.runs[0]
        start = run.text.index("%") - 3
        parts = run.text[:start], run.text[start : start + 4], run.text[start + 4 :]
        for part in parts:
            copy = deepcopy(run._r)
            copy.find(qn("a:t")).text = part
            run._r.addprevious(copy)
        run._r.getparent().remove(run._r)
        paragraph.runs[1].font.color.rgb = RGBColor(255, 0, 0)

    path = changed(whole, tmp_path / "b.pptx", work)
    was = Presentation(str(path)).slides[0].shapes.title.text_frame.text
    deck.refresh(later[:1], path)
    title = Presentation(str(path)).slides[0].shapes.title.text_frame
    fresh = deck.make(later[:1], tmp_path / "fresh.pptx").path
    assert title.text == Presentation(str(fresh)).slides[0].shapes.title.text_frame.text != was
    red = [r for r in title.paragraphs[0].runs if r.font.color.type is not None]
    assert [r.font.color.rgb for r in red] == [RGBColor(255, 0, 0)]
    assert any(c.isdigit() for c in red[0].text)


# ---------------------------------------------------------------- names


def test_names_in_odd_places(results, later, tmp_path):
    """In groups, in notes, in charts' titles, in masters and layouts; told where out of reach."""
    own = Presentation()
    layout = own.slide_layouts[5]
    layout.placeholders[0].text_frame.text = "On a layout: {{study}}"
    own.slide_master.shapes[0].text_frame.text = "On a master: {{study}}"
    slide = own.slides.add_slide(layout)
    inner = slide.shapes.add_group_shape().shapes.add_group_shape().shapes.add_textbox(0, 0, 9, 9)
    inner.text_frame.text = "deep: {{fix.gain}}"
    slide.notes_slide.notes_text_frame.text = "say {{fix.gain}}"
    data = CategoryChartData()
    data.categories = ["a"]
    data.add_series("s", [1])
    chart = slide.shapes.add_chart(XL_CHART_TYPE.LINE, 0, 0, Inches(3), Inches(3), data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Gain {{fix.gain}}"
    box = slide.shapes.add_textbox(0, 0, 9, 9)
    box.text_frame.text = "{{today.cac}}"
    newer = etree.SubElement(
        slide.shapes._spTree,
        "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent",
    )
    newer.append(deepcopy(box._element))
    newer[0].nvSpPr.cNvPr.set("id", "99")
    path = tmp_path / "own.pptx"
    own.save(str(path))
    made = deck.refresh(results, path)
    (problem,) = made.problems
    assert problem.startswith("slide 1: {{today.cac}}: stands in SmartArt or such, which cannot")

    def said(file):
        shown = Presentation(str(file))
        slide = shown.slides[0]
        group = next(s for s in slide.shapes if s.shape_type == 6)
        chart = next(s for s in slide.shapes if s.has_chart).chart
        return [
            shown.slide_master.shapes[0].text_frame.text,
            slide.slide_layout.placeholders[0].text_frame.text,
            group.shapes[0].shapes[0].text_frame.text,
            slide.notes_slide.notes_text_frame.text,
            chart.chart_title.text_frame.text,
        ]

    for folder in (results, later):
        if folder is later:
            deck.refresh(later, path)
        gain_ = deck.names(folder)["fix.gain"]
        assert said(path) == [
            "On a master: a-study", "On a layout: a-study", f"deep: {gain_}", f"say {gain_}",
            f"Gain {gain_}",
        ]  # fmt: skip
    assert disorder(path) == []


def test_what_was_filled_is_known_wherever_it_went(results, later, tmp_path):
    """Slides moved and copied, paragraphs put before: the next refresh still knows them."""
    own = Presentation()
    for text in ("first, {{fix.gain}} up", "second, CAC {{today.cac}}"):
        slide = own.slides.add_slide(own.slide_layouts[6])
        slide.shapes.add_textbox(0, 0, Inches(5), Inches(1)).text_frame.text = text
    path = tmp_path / "own.pptx"
    own.save(str(path))
    deck.refresh(results, path)
    shown = Presentation(str(path))
    ids = shown.slides._sldIdLst
    ids.append(ids[0])  # PowerPoint numbers the parts anew
    copy = shown.slides.add_slide(shown.slide_layouts[6])
    first = shown.slides[1].shapes[0]
    assert first.text_frame.text.startswith("first")
    copy.shapes._spTree.append(deepcopy(first._element))
    paragraph = first.text_frame.paragraphs[0]._p
    paragraph.addprevious(deepcopy(paragraph))
    first.text_frame.paragraphs[0].runs[0].text = "Since the last time"
    shown.save(str(path))
    made = deck.refresh(later, path)
    assert made.problems == ()
    gain_ = deck.names(later)["fix.gain"]
    slides = Presentation(str(path)).slides
    assert slides[1].shapes[0].text_frame.text == f"Since the last time\nfirst, {gain_} up"
    assert slides[2].shapes[0].text_frame.text == f"first, {gain_} up"


# ---------------------------------------------------------------- what is not ours


def entries(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {n: package.read(n) for n in package.namelist()}


def test_what_nobody_changed_is_the_same_to_the_byte(results, tmp_path):
    """A deck as PowerPoint writes it: other quotes, line ends and blanks than our writer's."""
    own = Presentation()
    for text in ("kept", "gain {{fix.gain}}"):
        own.slides.add_slide(own.slide_layouts[5]).shapes.title.text_frame.text = text
    own.core_properties.author = "Kim"
    held = io.BytesIO()
    own.save(held)
    path = tmp_path / "own.pptx"
    with zipfile.ZipFile(held) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.infolist():
            raw = old.read(entry)
            if entry.filename.endswith((".xml", ".rels")):
                raw = raw.replace(
                    b"<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n",
                    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n',
                )
            new.writestr(entry, raw)
    before = entries(path)
    deck.refresh(results, path)
    after = entries(path)
    assert set(before) <= set(after)
    moved = {n for n in before if after[n] != before[n]}
    assert moved == {
        "docProps/core.xml", "ppt/_rels/presentation.xml.rels", "ppt/slides/slide2.xml",
    }  # fmt: skip
    core = Presentation(str(path)).core_properties
    assert core.author == "Kim"
    assert core.last_modified_by == "growthsim"


def test_a_deck_of_another_study_is_told(whole, tmp_path):
    path = changed(whole, tmp_path / "b.pptx", lambda _: None)
    write(comparison(name="another-study"), tmp_path / "r", figures=False)
    made = deck.refresh([tmp_path / "r"], path)
    assert made.notes == ("the deck's comparison was of 'a-study', this one is of 'another-study'",)
    assert any(s.startswith("Note: the deck's comparison was") for s in made.sentences)


@pytest.mark.parametrize("lock", ["~$board.pptx", "~$ard.pptx", ".~lock.board.pptx#"])
def test_a_deck_that_is_open_elsewhere(lock, board, later, tmp_path):
    path = changed(board, tmp_path / "board.pptx", lambda _: None)
    (tmp_path / lock).write_text("")
    before = path.read_bytes()
    with pytest.raises(DataError, match="is open in another program"):
        deck.refresh(later, path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_a_deck_that_is_write_protected(board, later, tmp_path):
    path = changed(board, tmp_path / "b.pptx", lambda _: None)
    path.chmod(0o444)
    with pytest.raises(DataError, match="is write-protected"):
        deck.refresh(later, path)
    assert list(tmp_path.iterdir()) == [path]


def test_files_with_a_password_shows_and_macros(results, later, tmp_path):
    secret = tmp_path / "secret.pptx"
    secret.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    for call in (lambda: deck.refresh(later, secret),
                 lambda: deck.make(later, tmp_path / "b.pptx", secret)):  # fmt: skip
        with pytest.raises(DataError, match="has a password, or is of PowerPoint before"):
            call()
    old = b"openxmlformats-officedocument.presentationml.presentation.main"
    for ending, kind in (
        ("potx", b"openxmlformats-officedocument.presentationml.template.main"),
        ("ppsx", b"openxmlformats-officedocument.presentationml.slideshow.main"),
        ("potm", b"ms-powerpoint.template.macroEnabled.main"),
    ):
        own = Presentation()
        part = own.part
        from pptx.opc.package import Part
        from pptx.opc.packuri import PackURI

        macro = Part(PackURI("/ppt/vbaProject.bin"), "application/vnd.ms-office.vbaProject",
                     part.package, b"macro")  # fmt: skip
        if ending == "potm":
            part.relate_to(
                macro, "http://schemas.microsoft.com/office/2006/relationships/vbaProject"
            )
        held = io.BytesIO()
        own.save(held)
        template = tmp_path / f"t.{ending}"
        with zipfile.ZipFile(held) as was, zipfile.ZipFile(template, "w") as new:
            for entry in was.infolist():
                new.writestr(entry, was.read(entry).replace(old, kind))
        made = deck.make(results[1:2], tmp_path / f"{ending}.pptx", template)
        types = entries(made.path)["[Content_Types].xml"]
        assert old in types
        assert kind not in types
        assert "ppt/vbaProject.bin" not in entries(made.path)
        assert disorder(made.path) == []
        if ending != "potm":
            with pytest.raises(DataError, match=r"holds nothing to refresh|only a \.pptx"):
                deck.refresh(later, template)
