"""The deck that slides are put into: ours, or a company's template."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lxml import etree
from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.oxml.ns import qn
from pptx.util import Inches, Pt

from simulator.errors import DataError
from simulator.report.deck.ink import Ink, ink_of

MOST_BYTES: Final = 500_000_000  # of a deck, unpacked
WIDTH, HEIGHT = Inches(13.333), Inches(7.5)
# Okabe and Ito, in the order in which charts ask for them: fix, push, other, more, up, down.
COLOURS: Final = {
    "dk2": "595959", "lt2": "F2F2F2", "accent1": "0072B2", "accent2": "D55E00", "accent3": "009E73",
    "accent4": "AA4A86", "accent5": "56B4E9", "accent6": "E69F00", "hlink": "0072B2",
    "folHlink": "595959",
}  # fmt: skip
FONT: Final = "Arial"
_TITLES = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE)
_FOOT = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)
_OPEN, _OLD = (
    b"application/vnd.openxmlformats-officedocument.presentationml.",
    b"application/vnd.ms-powerpoint.",
)
_DECK: Final = _OPEN + b"presentation.main+xml"
# Templates, shows, and those with macros: as decks they are decks.
_OTHERS: Final = tuple(
    [_OPEN + kind + b".main+xml" for kind in (b"template", b"slideshow")]
    + [_OLD + kind + b".macroEnabled.main+xml"
       for kind in (b"presentation", b"template", b"slideshow")]
)  # fmt: skip
_COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # encrypted files, and those before 2007


@dataclass(frozen=True)
class Page:
    """Where things go on a slide, in EMU: left, top, width, height.

    placed: whether the title is where its layout has it; else it is moved to `title`.
    """

    layout: Any
    ink: Ink
    title: tuple[int, int, int, int]
    placed: bool
    heading: tuple[int, int, int, int]
    body: tuple[int, int, int, int]
    source: tuple[int, int, int, int]


def opened(path: str | Path) -> Any:
    """The deck in a file (.pptx, .potx, .ppsx, .pptm, .potm); DataError where it is none.

    Its macros are left behind.
    """
    file = Path(path)
    try:
        raw = file.read_bytes()
        if raw.startswith(_COMPOUND):
            raise DataError(
                f"{file}: has a password, or is of PowerPoint before its version of 2007. Save it "
                "as .pptx, without a password"
            )
        with zipfile.ZipFile(io.BytesIO(raw)) as package:
            if sum(entry.file_size for entry in package.infolist()) > MOST_BYTES:
                raise DataError(f"{file}: is too large for a deck")
            types = package.read("[Content_Types].xml")
        if any(kind in types for kind in _OTHERS):
            raw = _as_deck(raw)
        deck = Presentation(io.BytesIO(raw))
        listed = {entry.rId for entry in deck.slides._sldIdLst}
        for rid, rel in list(deck.part.rels.items()):
            # A .pptx may not hold macros; a slide that was taken off the list, but is still in
            # the file, would share its name with a new one.
            lost = rel.reltype.endswith("/slide") and rid not in listed
            if lost or rel.reltype.endswith("/vbaProject"):
                deck.part.rels.pop(rid)
        return deck
    except OSError as error:
        raise DataError(
            f"{file}: cannot be read ({(error.strerror or str(error)).lower()})"
        ) from None
    except DataError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a broken package makes the reader say
        said = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise DataError(
            f"{file}: is not a PowerPoint file that can be read ({said}). "
            "Save it as .pptx, without a password"
        ) from None


def _as_deck(raw: bytes) -> bytes:
    """A template or a show as a deck: only what it says of its type differs."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "[Content_Types].xml":
                for kind in _OTHERS:
                    content = content.replace(kind, _DECK)
            new.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def ours() -> Any:
    """An empty deck, 16:9, in a plain look: one master, a layout with a title alone."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = WIDTH, HEIGHT
    master = deck.slide_master
    for layout in list(master.slide_layouts):
        if layout.name != "Title Only":
            master.slide_layouts.remove(layout)
    _recolour(master)
    for place in (master, master.slide_layouts[0]):
        for shape in place.placeholders:
            _put(shape)
    _title_style(master)
    return deck


def _put(shape: Any) -> None:
    kind = shape.placeholder_format.type
    places = {
        PP_PLACEHOLDER.TITLE: (0.5, 0.32, 12.33, 1.0),
        PP_PLACEHOLDER.BODY: (0.5, 1.75, 12.33, 4.95),
        PP_PLACEHOLDER.DATE: (0.5, 6.98, 2.0, 0.3),
        PP_PLACEHOLDER.FOOTER: (4.5, 6.98, 4.33, 0.3),
        PP_PLACEHOLDER.SLIDE_NUMBER: (11.83, 6.98, 1.0, 0.3),
    }
    if kind in places:
        shape.left, shape.top, shape.width, shape.height = (Inches(x) for x in places[kind])


def theme_part(master: Any) -> Any:
    """The part that holds a master's theme."""
    return next(r.target_part for r in master.part.rels.values() if r.reltype.endswith("/theme"))


def _recolour(master: Any) -> None:
    """Our colours and font in the theme's XML."""
    part = theme_part(master)
    root = etree.fromstring(part.blob)
    for name, value in COLOURS.items():
        element = root.find(f".//{qn('a:clrScheme')}/{qn(f'a:{name}')}")
        if element is not None:
            for child in list(element):
                element.remove(child)
            etree.SubElement(element, qn("a:srgbClr")).set("val", value)
    for font in root.iterfind(f".//{qn('a:fontScheme')}/*/{qn('a:latin')}"):
        font.set("typeface", FONT)
    part._blob = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _title_style(master: Any) -> None:
    style = master._element.find(f"{qn('p:txStyles')}/{qn('p:titleStyle')}/{qn('a:lvl1pPr')}")
    style.set("algn", "l")
    run = style.find(qn("a:defRPr"))
    run.set("sz", "2400")
    run.set("b", "1")
    for place in (master, master.slide_layouts[0]):
        for shape in place.placeholders:
            if shape.placeholder_format.type == PP_PLACEHOLDER.TITLE:
                body = shape._element.find(f"{qn('p:txBody')}/{qn('a:bodyPr')}")
                body.set("anchor", "t")
                for side in ("lIns", "rIns"):
                    body.set(side, "0")
                for child in list(body):
                    body.remove(child)


def page(deck: Any, named: str = "") -> Page:
    """The layout with a title and least else, and the room that it leaves.

    Raises DataError where the template has no such layout, or no room.
    """
    found = [(rank, layout) for layout in _layouts(deck) if (rank := _rank(layout)) is not None]
    where = named or "the template"
    if not found:
        names = ", ".join(repr(layout.name) for layout in _layouts(deck)) or "none"
        raise DataError(
            f"{where}: no layout has a title placeholder and room below it (its layouts: {names}). "
            "Add one such as PowerPoint's 'Title Only'"
        )
    layout = min(found, key=lambda item: item[0])[1]
    return _room(deck, layout)


def _layouts(deck: Any) -> Iterator[Any]:
    for master in deck.slide_masters:
        yield from master.slide_layouts


def _rank(layout: Any) -> tuple[int, int] | None:
    """How well a layout serves; None where it does not: no title, or one in mid-slide."""
    kinds = [p.placeholder_format.type for p in layout.placeholders]
    if PP_PLACEHOLDER.TITLE not in kinds:
        return None
    rest = [k for k in kinds if k not in (*_TITLES, *_FOOT)]
    said = layout._element.get("type") == "titleOnly" or layout.name.lower() == "title only"
    return (0 if said else 1, len(rest))


def title_of(layout: Any) -> Any:
    """The title's placeholder of a layout."""
    return next(p for p in layout.placeholders if p.placeholder_format.type == PP_PLACEHOLDER.TITLE)


def _room(deck: Any, layout: Any) -> Page:
    width, height = int(deck.slide_width), int(deck.slide_height)
    own = title_of(layout)
    box = [int(x) for x in (own.left, own.top, own.width, own.height) if x is not None]
    placed = _serves(box, width, height)
    if not placed:  # missing, in mid-slide, narrow, or off the slide: ours goes to the top
        box = [int(x) for x in (0.045 * width, 0.04 * height, 0.91 * width, 0.14 * height)]
    left, high, wide, tall = box
    feet = [
        int(p.top)
        for p in layout.placeholders
        if p.placeholder_format.type in _FOOT and p.top is not None and p.top > height // 2
    ]
    above, below = _bands(layout, width, height)
    top = max(high + tall, above)
    bottom = min([*feet, below, height - int(Inches(0.45))])
    heading, foot = int(Inches(0.38)), int(Inches(0.3))
    body = (left, top + heading, wide, bottom - foot - top - heading)
    return Page(
        layout=layout,
        ink=ink_of(layout, theme_part(layout.slide_master).blob),
        title=(left, high, wide, tall),
        placed=placed,
        heading=(left, top, wide, heading),
        body=body,
        source=(left, bottom - foot + int(Inches(0.06)), wide, foot),
    )


def _bands(layout: Any, width: int, height: int) -> tuple[int, int]:
    """Where the bands and rules end that a layout draws across its top, and begin at its foot."""
    above, below = 0, height
    shown = layout._element.get("showMasterSp", "1") not in ("0", "false")
    for place in (layout, layout.slide_master) if shown else (layout,):
        for shape in place.shapes:
            if shape.is_placeholder or not shape.width or shape.width < 0.5 * width:
                continue
            high, low = int(shape.top), int(shape.top + shape.height)
            if low <= 0.35 * height:
                above = max(above, low)
            elif high >= 0.75 * height:
                below = min(below, high - int(Inches(0.06)))
    return above, below


def _serves(box: Sequence[int], width: int, height: int) -> bool:
    """Whether a layout's title leaves room below it, and is wide enough for a sentence."""
    if len(box) < 4:
        return False
    left, top, wide, tall = box
    inside = left >= 0 and top >= 0 and left + wide <= 1.001 * width
    return inside and top + tall <= 0.4 * height and wide >= 0.55 * width and tall > 0


def title_size(page_: Page) -> float:
    """Points of the title as the layout, or its master, has them; 44 where neither says."""
    said = next((run.get("sz") for run in _title_runs(page_) if run.get("sz")), "4400")
    return int(said) / 100


def title_letter(page_: Page) -> float:
    """The mean width of a title's letter in points a point: capitals are wider."""
    said = next((run.get("cap") for run in _title_runs(page_) if run.get("cap")), "none")
    return 0.57 if said == "none" else 0.7


def _title_runs(page_: Page) -> Iterator[Any]:
    """What is said of a title's letters, the nearest first: its layout, its master."""
    master = page_.layout.slide_master
    titles = [title_of(page_.layout), *(p for p in master.placeholders if _is_title(p))]
    styles = [t._element.find(f"{qn('p:txBody')}/{qn('a:lstStyle')}") for t in titles]
    styles.append(master._element.find(f"{qn('p:txStyles')}/{qn('p:titleStyle')}"))
    for style in styles:
        run = None if style is None else style.find(f"{qn('a:lvl1pPr')}/{qn('a:defRPr')}")
        if run is not None:
            yield run


def _is_title(placeholder: Any) -> bool:
    return bool(placeholder.placeholder_format.type == PP_PLACEHOLDER.TITLE)


def fitted(
    text: str, size: float, wide: int, tall: int, least: float = 16.0, letter: float = 0.52
) -> float:
    """Points at which a text fits a box; least at the least.

    letter: mean width of a letter in points a point; bold ones are wider.
    """
    while size > least:
        a_line = max(1.0, wide / Pt(1) / (letter * size))
        rows = _rows(text, a_line)
        if rows * 1.2 * size <= tall / Pt(1):
            break
        size -= 1.0
    return size


def _rows(text: str, a_line: float) -> int:
    rows, used = 1, 0.0
    for word in text.split(" "):
        if used and used + 1 + len(word) > a_line:
            rows, used = rows + 1, 0.0
        used += len(word) + (1 if used else 0)
    return rows


def mapped(slide: Any, page_: Page) -> None:
    """The layout's own map of colours, where it has one: a slide does not inherit it."""
    from copy import deepcopy

    own, held = (e.find(qn("p:clrMapOvr")) for e in (page_.layout._element, slide._element))
    if own is None or own.find(qn("a:overrideClrMapping")) is None or held is None:
        return
    held.getparent().replace(held, deepcopy(own))


def numbered(slide: Any, page_: Page) -> None:
    """The slide's number, where the layout has a place for it."""
    for shape in page_.layout.placeholders:
        if shape.placeholder_format.type == PP_PLACEHOLDER.SLIDE_NUMBER:
            slide.shapes._spTree.append(_copy(shape, slide))
            return


def _copy(shape: Any, slide: Any) -> Any:
    from copy import deepcopy

    element = deepcopy(shape._element)
    element.nvSpPr.cNvPr.set("id", str(max(s.shape_id for s in slide.shapes) + 1))
    return element
