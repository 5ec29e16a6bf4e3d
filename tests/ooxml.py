"""What would make PowerPoint offer to repair a deck: of packages, slides, tables and charts."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
# The order of children that the schema demands (ECMA-376, dml-chart.xsd), of what is written.
SER = (
    "idx order tx spPr invertIfNegative pictureOptions marker dPt dLbls trendline errBars cat "
    "val xVal yVal smooth shape extLst"
)
ORDER = {
    "chartSpace": "date1904 lang roundedCorners AlternateContent style clrMapOvr pivotFmts "
    "protection chart spPr txPr externalData printSettings userShapes extLst",
    "chart": "title autoTitleDeleted pivotFmts view3D floor sideWall backWall plotArea legend "
    "plotVisOnly dispBlanksAs showDLblsOverMax extLst",
    "legend": "legendPos legendEntry layout overlay spPr txPr",
    "areaChart": "grouping varyColors ser dLbls dropLines axId",
    "lineChart": "grouping varyColors ser dLbls dropLines hiLowLines upDownBars marker smooth axId",
    "barChart": "barDir grouping varyColors ser dLbls gapWidth overlap serLines axId",
    "ser": SER,
    "errBars": "errDir errBarType errValType noEndCap plus minus val spPr",
    "catAx": "axId scaling delete axPos majorGridlines minorGridlines title numFmt majorTickMark "
    "minorTickMark tickLblPos spPr txPr crossAx crosses crossesAt auto lblAlgn lblOffset "
    "tickLblSkip tickMarkSkip noMultiLvlLbl",
    "valAx": "axId scaling delete axPos majorGridlines minorGridlines title numFmt majorTickMark "
    "minorTickMark tickLblPos spPr txPr crossAx crosses crossesAt crossBetween majorUnit minorUnit",
    "scaling": "logBase orientation max min",
    "plotArea": "layout areaChart lineChart radarChart pieChart barChart scatterChart catAx valAx "
    "dTable spPr",
}


def disorder(path: Path) -> list[str]:
    """What would make PowerPoint offer a repair: order, lost relations, doubled ids and parts."""
    wrong = []
    with zipfile.ZipFile(path) as package:
        names = package.namelist()
        wrong += [f"{n} twice" for n in names if names.count(n) > 1]
        types = etree.fromstring(package.read("[Content_Types].xml"))
        told = {e.get("PartName", "").lstrip("/") for e in types}
        endings = {e.get("Extension") for e in types}
        for name in names:
            if name.endswith("/") or name == "[Content_Types].xml":
                continue
            if name not in told and name.rpartition(".")[2] not in endings:
                wrong.append(f"{name}: no content type")
            if name.endswith(".rels"):
                base = Path(name).parent.parent
                for rel in etree.fromstring(package.read(name)):
                    target = rel.get("Target")
                    there = target.lstrip("/") if target.startswith("/") else _joined(base, target)
                    if rel.get("TargetMode") != "External" and there not in names:
                        wrong.append(f"{name}: {target} is not there")
            if not name.endswith(".xml"):
                continue
            root = etree.fromstring(package.read(name))
            if name.startswith("ppt/slides/slide"):
                ids = [e.get("id") for e in root.iter("{*}cNvPr")]
                wrong += [f"{name}: id {i} twice" for i in ids if ids.count(i) > 1]
            if not name.startswith("ppt/charts/"):
                continue
            for tag, order in ORDER.items():
                for element in root.iter(f"{C}{tag}"):
                    places = [order.split().index(etree.QName(c).localname) for c in element]
                    if places != sorted(places):
                        wrong.append(
                            f"{name}: {tag}: {[etree.QName(c).localname for c in element]}"
                        )
        wrong += _faults(package)
    return wrong


def _joined(base: Path, target: str) -> str:
    parts: list[str] = []
    for part in (base / target).as_posix().split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


# Of texts, shapes and tables (dml-main.xsd, pml.xsd).
_FILLS = "noFill solidFill gradFill blipFill pattFill grpFill"
_SHAPE = f"xfrm custGeom prstGeom {_FILLS} ln effectLst effectDag scene3d sp3d extLst"
_TEXT = "bodyPr lstStyle p"
PARTS = {
    f"{A}r": "rPr t",
    f"{A}fld": "rPr pPr t",
    f"{A}rPr": f"ln {_FILLS} effectLst effectDag highlight uLnTx uLn uFillTx uFill latin ea cs sym "
    "hlinkClick hlinkMouseOver rtl extLst",
    f"{A}pPr": "lnSpc spcBef spcAft buClrTx buClr buSzTx buSzPct buSzPts buFontTx buFont buNone "
    "buAutoNum buChar buBlip tabLst defRPr extLst",
    f"{A}ln": "noFill solidFill gradFill pattFill prstDash custDash round bevel miter headEnd "
    "tailEnd extLst",
    f"{A}tcPr": f"lnL lnR lnT lnB lnTlToBr lnBlToTr cell3D {_FILLS} headers extLst",
    f"{A}tbl": "tblPr tblGrid tr",
    f"{A}tr": "tc extLst",
    f"{A}tc": "txBody tcPr extLst",
    f"{A}txBody": _TEXT,
    f"{P}txBody": _TEXT,
    f"{C}txPr": _TEXT,
    f"{C}rich": _TEXT,
    f"{P}spPr": _SHAPE,
    f"{C}spPr": _SHAPE,
    f"{P}sp": "nvSpPr spPr style txBody extLst",
    f"{P}pic": "nvPicPr blipFill spPr style extLst",
    f"{P}graphicFrame": "nvGraphicFramePr xfrm graphic extLst",
    f"{P}sld": "cSld clrMapOvr transition timing extLst",
    f"{P}cSld": "bg spTree custDataLst controls extLst",
    f"{P}presentation": "sldMasterIdLst notesMasterIdLst handoutMasterIdLst sldIdLst sldSz notesSz "
    "smartTags embeddedFontLst custShowLst photoAlbum custDataLst kinsoku defaultTextStyle "
    "modifyVerifier extLst",
    f"{C}marker": "symbol size spPr extLst",
    f"{C}tx": "strRef rich",
    f"{C}cat": "multiLvlStrRef numRef numLit strRef strLit",
    f"{C}val": "numRef numLit",
    f"{C}numCache": "formatCode ptCount pt extLst",
    f"{C}strCache": "ptCount pt extLst",
    f"{C}numLit": "formatCode ptCount pt extLst",
    f"{C}title": "tx layout overlay spPr txPr extLst",
    f"{C}legendEntry": "idx delete txPr extLst",
}
MANY = {"p", "r", "tc", "tr", "pt", "ser", "dPt", "trendline", "errBars"}


def _said(element: etree._Element) -> list[str]:
    return [etree.QName(c).localname for c in element if isinstance(c.tag, str)]


def _faults(package: zipfile.ZipFile) -> Iterator[str]:
    for name in package.namelist():
        if not (name.startswith("ppt/") and name.endswith(".xml")):
            continue
        root = etree.fromstring(package.read(name))
        there = package.namelist()
        rels = posixpath.join(posixpath.dirname(name), "_rels", posixpath.basename(name) + ".rels")
        related = {r.get("Id"): r for r in etree.fromstring(package.read(rels))} if rels in there \
            else {}  # fmt: skip
        for element in root.iter(etree.Element):
            yield from (f"{name}: {what}" for what in _of_element(element, related))
        if name.startswith("ppt/charts/chart"):
            yield from (f"{name}: {what}" for what in _of_chart(root, name, related, package))
    deck = etree.fromstring(package.read("ppt/presentation.xml"))
    slides = [int(e.get("id", "0")) for e in deck.iter(f"{P}sldId")]
    if len(slides) != len(set(slides)) or not all(256 <= i < 2**31 for i in slides):
        yield f"slides of ids {slides}"


def _of_element(element: etree._Element, related: dict) -> Iterator[str]:
    tag, said = etree.QName(element).localname, _said(element)
    if element.tag in PARTS:
        order = PARTS[element.tag].split()
        if strange := [x for x in said if x not in order and x != "AlternateContent"]:
            yield f"{tag} holds {strange}"
        places = [order.index(x) for x in said if x in order]
        once = [x for x in said if x not in MANY]
        if places != sorted(places) or len(once) != len(set(once)):
            yield f"{tag}: {said}"
    if element.tag == f"{A}p" and ("pPr" in said[1:] or "endParaRPr" in said[:-1]):
        yield f"p: {said}"
    if element.tag in (f"{A}txBody", f"{P}txBody") and "p" not in said:
        yield f"{tag} without a paragraph"
    if element.tag == f"{A}tbl":
        wide = len(element.find(f"{A}tblGrid"))
        for row in element.iter(f"{A}tr"):
            if (cells := len(row.findall(f"{A}tc"))) != wide:
                yield f"a row of {cells} cells in a table of {wide} columns"
    if element.tag == f"{A}rPr" and not 100 <= int(element.get("sz", "100")) <= 400_000:
        yield f"letters of {element.get('sz')}"
    if element.tag == f"{A}ext" and min(int(element.get(k, "0")) for k in ("cx", "cy")) < 0:
        yield "a size below nothing"
    for key in ("embed", "id", "link", "pict"):
        if (rel := element.get(f"{R}{key}")) and rel not in related:
            yield f"{rel} is related to nothing"


def _of_chart(
    root: etree._Element, name: str, related: dict, package: zipfile.ZipFile
) -> Iterator[str]:
    def values(tag: str) -> list[str]:
        return [e.get("val", "") for e in root.iter(f"{C}{tag}")]

    axes = [e.find(f"{C}axId").get("val")
            for e in root.iter(*(f"{C}{t}Ax" for t in ("cat", "val", "date", "ser")))]  # fmt: skip
    if len(axes) != len(set(axes)) or not {*values("crossAx"), *values("axId")} <= set(axes):
        yield f"axes {axes}, of which {values('axId')} are used"
    for key in ("idx", "order"):
        found = [e.find(f"{C}{key}").get("val") for e in root.iter(f"{C}ser")]
        if len(found) != len(set(found)):
            yield f"series of {key} {found}"
    for cache in root.iter(f"{C}numCache", f"{C}strCache", f"{C}numLit"):
        points = [int(p.get("idx")) for p in cache.findall(f"{C}pt")]
        count = int(cache.find(f"{C}ptCount").get("val"))
        if points != sorted(set(points)) or any(k >= count for k in points):
            yield f"points {points} of {count}"
    held = root.find(f"{C}externalData")
    rel = None if held is None else related.get(held.get(f"{R}id"))
    if rel is not None and rel.get("TargetMode") != "External":
        part = posixpath.normpath(posixpath.join(posixpath.dirname(name), rel.get("Target")))
        yield from _of_book(root, _cells(package.read(part)))


def _cells(content: bytes) -> dict[str, str]:
    """What the cells of a chart's workbook hold."""
    book = zipfile.ZipFile(io.BytesIO(content))
    words: list[str] = []
    if "xl/sharedStrings.xml" in book.namelist():
        strings = etree.fromstring(book.read("xl/sharedStrings.xml"))
        words = ["".join(t.itertext()) for t in strings.iter(f"{S}si")]
    sheet = etree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    said = {c.get("r"): (c.get("t"), c.findtext(f"{S}v")) for c in sheet.iter(f"{S}c")}
    return {k: words[int(v)] if t == "s" else v for k, (t, v) in said.items() if v is not None}


def _of_book(root: etree._Element, cells: dict[str, str]) -> Iterator[str]:
    """A chart shows what its workbook says: else Edit Data changes the picture."""
    for formula in root.iter(f"{C}f"):
        match = re.fullmatch(r"'?Sheet1'?!\$([A-Z]+)\$(\d+)(?::\$\1\$(\d+))?", formula.text or "")
        cache = formula.getnext()
        if match is None or cache is None:
            yield f"{formula.text} is not understood"
            continue
        column, first, last = match[1], int(match[2]), int(match[3] or match[2])
        if last - first + 1 != int(cache.find(f"{C}ptCount").get("val")):
            yield f"{formula.text} is of another length"
        for point in cache.findall(f"{C}pt"):
            shown, kept = (
                point.findtext(f"{C}v"),
                cells.get(f"{column}{first + int(point.get('idx'))}"),
            )
            if kept != shown and (cache.tag == f"{C}strCache" or not _near(kept, shown)):
                yield f"{formula.text}: {shown} is shown, and {kept} in the workbook"


def _near(kept: str | None, shown: str) -> bool:
    return kept is not None and abs(float(kept) - float(shown)) <= 1e-9 * abs(float(shown))
