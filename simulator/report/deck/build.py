"""Slides of a story, put into a deck."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.util import Emu, Inches, Pt

from simulator.report.deck import charts, grids
from simulator.report.deck.ink import Ink, dark_ground
from simulator.report.deck.record import Record, Written
from simulator.report.deck.theme import (
    Page,
    fitted,
    mapped,
    numbered,
    theme_part,
    title_letter,
    title_size,
)
from simulator.report.story.say import Fact, Line
from simulator.report.story.spec import (
    Bars,
    Fall,
    Lines,
    Picture,
    Points,
    Slide,
    Stack,
    Story,
    Table,
)

CHARTS = (Lines, Bars, Stack, Fall)
Box = tuple[int, int, int, int]


def name(slide: Slide, part: str) -> str:
    """What a shape is called: refresh finds it by this."""
    return f"growthsim:{slide.key}:{part}"


def texts(slide: Slide) -> dict[str, Line]:
    """A slide's texts by their part."""
    found = {"title": slide.title, "heading": slide.heading, "source": slide.source}
    if slide.notes:
        found["notes"] = Line(
            "\n".join(n.text for n in slide.notes), tuple(f for n in slide.notes for f in n.facts)
        )
    if isinstance(slide.show, Points):
        lines = slide.show.lines
        found["points"] = Line(
            "\n".join(x.text for x in lines), tuple(f for x in lines for f in x.facts)
        )
    return found


def alt(slide: Slide) -> str:
    """What is said to those who do not see it; the slide's title is in it."""
    said, title = slide.alt.text, slide.title.text
    return said if title in said else f"{said} {title}."


def written(said: Line) -> Written:
    """A text as the record keeps it."""
    return Written(said.text, {f.name: f.text for f in said.facts if f.name})


def add(deck: Any, story: Story, page: Page, record: Record) -> None:
    """Add every slide of a story, and remember its texts."""
    size = _title(story, page)
    for slide in story.slides:
        _add(deck, slide, page, size)
        for part, said in texts(slide).items():
            record.texts[name(slide, part)] = written(said)
        if isinstance(slide.show, Table):
            said_ = [[said.text for said in row] for row in cells(slide.show)]
            record.texts[name(slide, "table")] = grids.kept(said_)
    stamp(deck, story)


def stamp(deck: Any, story: Story) -> None:
    """Title and dates of the file; the dates are those of the result."""
    core = deck.core_properties
    day = dt.datetime.fromisoformat(story.answers[0].date)
    if not core.title or core.title == "PowerPoint Presentation":
        core.title = story.answers[0].name
    core.created = core.modified = day
    core.last_modified_by = core.author = core.author or "growthsim"


def restamp(deck: Any, story: Story) -> None:
    """The date of the last change, and by whom: all that a refresh says of the file."""
    core = deck.core_properties
    day = dt.datetime.fromisoformat(story.answers[0].date)
    core.modified = day if core.modified is None else max(day, core.modified.replace(tzinfo=None))
    core.last_modified_by = "growthsim"


def _title(story: Story, page: Page) -> float:
    """Points at which every title fits: the layout's own, or less, the same on all slides."""
    own = title_size(page)
    room = max(1, page.title[2] - int(Inches(0.2))), page.title[3]
    letter = title_letter(page)
    least = 18.0 if letter < 0.6 else 14.0
    return min(fitted(s.title.text, own, *room, least, letter) for s in story.slides)


def _add(deck: Any, slide: Slide, page: Page, points: float) -> None:
    shown = deck.slides.add_slide(page.layout)
    for shape in list(shown.placeholders):
        if shape.placeholder_format.type not in (1, 3):  # what the layout has beside its title
            shape._element.getparent().remove(shape._element)
    title = shown.shapes.title
    title.name = name(slide, "title")
    if not page.placed:
        title.left, title.top, title.width, title.height = (Emu(x) for x in page.title)
    mapped(shown, page)
    title.text_frame.text = slide.title.text
    if points < title_size(page):
        title.text_frame.paragraphs[0].runs[0].font.size = Pt(points)
    _text(shown, name(slide, "heading"), slide.heading.text, page.heading, 14, page)
    frame = _show(shown, slide, page)
    frame._element.xpath(".//p:cNvPr")[0].set("descr", alt(slide))
    _text(shown, name(slide, "source"), slide.source.text, page.source, 10, page)
    numbered(shown, page)
    notes = texts(slide).get("notes")
    if notes is not None:
        holder = shown.notes_slide.notes_placeholder
        holder.name = name(slide, "notes")
        holder.text_frame.text = notes.text


def _text(shown: Any, called: str, text: str, box: Box, size: float, page: Page) -> Any:
    shape = shown.shapes.add_textbox(*(Emu(x) for x in box))
    shape.name = called
    frame = shape.text_frame
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    frame.text = text
    font = frame.paragraphs[0].runs[0].font
    font.size = Pt(fitted(text, size, box[2], box[3] - Emu(Inches(0.02)), 9.0))
    font.color.theme_color = page.ink.quiet
    return shape


def _show(shown: Any, slide: Slide, page: Page) -> Any:
    show, box = slide.show, page.body
    if isinstance(show, CHARTS):
        frame = charts.add(shown, show, box, page.ink)
        frame.name = name(slide, "chart")
    elif isinstance(show, Table):
        frame = _table(shown, show, box, page.ink)
        frame.name = name(slide, "table")
    elif isinstance(show, Picture):
        frame = shown.shapes.add_picture(
            picture(show, shown, box[2], box[3]), *(Emu(x) for x in box)
        )
        frame.name = name(slide, "picture")
    else:
        frame = _points(shown, show, box, page)
        frame.name = name(slide, "points")
    return frame


def picture(show: Picture, slide: Any, width: int, height: int) -> Any:
    """A figure without title and source, as a PNG of a size in EMU, in its slide's theme."""
    from simulator.report.figures.panel import panel

    layout = slide.slide_layout
    theme = theme_part(layout.slide_master).blob
    wide, tall = width / Inches(1), height / Inches(1)
    return panel(
        show.kind, show.figure, show.saved, wide, tall, theme, dark_ground(layout, theme)
    )  # fmt: skip


def _points(shown: Any, show: Points, box: Box, page: Page) -> Any:
    shape = shown.shapes.add_textbox(*(Emu(x) for x in box))
    frame = shape.text_frame
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = 0
    frame.text = "\n".join(x.text for x in show.lines)
    size = 18.0
    while size > 12 and not _fit(show, size, box):
        size -= 1
    for paragraph in frame.paragraphs:
        paragraph.space_after = Pt(0.6 * size)
        for run in paragraph.runs:
            run.font.size = Pt(size)
            if page.ink.text is not None:
                run.font.color.theme_color = page.ink.text
    return shape


def _fit(show: Points, size: float, box: Box) -> bool:
    each = box[3] // max(1, len(show.lines)) - Pt(0.6 * size)
    return all(fitted(x.text, size, box[2], max(each, 1), 1.0) >= size for x in show.lines)


def cells(show: Table) -> list[list[Fact | Line]]:
    """A table's cells, its head first."""
    return [[Line(h) for h in show.head], *(list(row) for row in show.rows)]


def _table(shown: Any, show: Table, box: Box, ink: Ink) -> Any:
    rows, columns = len(show.rows) + 1, len(show.head)
    top = int(Inches(0.5))
    # A head of three lines where a font is wider than thought still ends above the source.
    room = box[3] - top - int(Inches(0.1))
    tall = min(room // max(1, rows - 1), int(Inches(0.5)))
    high = Emu(top + tall * (rows - 1))
    frame = shown.shapes.add_table(rows, columns, *(Emu(x) for x in box[:3]), high)
    table = frame.table
    first = 0.34 if columns < 4 else 0.22
    wide = show.wide or (first, *[(1 - first) / (columns - 1)] * (columns - 1))
    for column, share in zip(table.columns, wide, strict=True):
        column.width = Emu(int(share * box[2]))
    body, head = cells(show)[1:], cells(show)[:1]
    sizes = [
        _cell_size(head, wide, box[2], top, bold=True),
        *[_cell_size(body, wide, box[2], tall)] * len(body),
    ]
    for r, row in enumerate(cells(show)):
        table.rows[r].height = Emu(tall if r else top)
        size = sizes[r]
        for c, said in enumerate(row):
            colour = ink.cells if r else ink.heads
            _cell(table.cell(r, c), said, size, colour, strong=r == 0 or r - 1 in show.strong)
            if c and not show.wide:
                table.cell(r, c).text_frame.paragraphs[0].alignment = PP_ALIGN.RIGHT
    return frame


def _cell(cell: Any, said: Fact | Line, size: float, colour: Any, *, strong: bool) -> None:
    cell.text = said.text
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    cell.margin_top = cell.margin_bottom = Pt(1)
    cell.margin_left = cell.margin_right = Pt(5)
    for paragraph in cell.text_frame.paragraphs:
        paragraph.font.size = Pt(size)
        for run in paragraph.runs:
            run.font.size = Pt(size)
            if colour is not None:
                run.font.color.theme_color = colour
            if strong:
                run.font.bold = True


def _cell_size(
    rows: list[list[Fact | Line]],
    wide: tuple[float, ...],
    width: int,
    tall: int,
    *,
    bold: bool = False,
) -> float:
    """Points at which every cell fits, and no word is broken."""
    size, letter = 16.0, 0.62 if bold else 0.55
    for row in rows:
        for said, share in zip(row, wide, strict=True):
            room = int(share * width - Pt(11))
            longest = max((len(word) for word in said.text.split()), default=1)
            whole = room / Pt(1) / (longest * letter)
            size = min(
                size, max(whole, 10.0), fitted(said.text, size, room, tall - Pt(2), 10.0, letter)
            )
    return size
