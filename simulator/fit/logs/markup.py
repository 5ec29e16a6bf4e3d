"""Tables of web pages and of XML workbooks, which programs export and call ``.xls``."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_ROW, _CELL, _SKIP = {"tr", "row"}, {"td", "th", "cell"}, {"script", "style"}
_SPREADSHEET = re.compile(
    rb"(?i)<(?:html|table|body|div|meta|workbook|worksheet|style|head|\?xml|!)"
)
MOST_WIDE = 16_384  # columns


def is_markup(raw: bytes) -> bool:
    """Whether bytes are a page or an XML workbook with a table in it."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raw = raw[: 1 << 20].decode("utf-16", "replace").encode()
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    begins = bool(_SPREADSHEET.match(raw[:512].lstrip()))
    return begins and bool(re.search(rb"(?i)<table[\s>]", raw))


def tables_of(text: str) -> list[list[list[str]]]:
    """The tables of a page: rows of cells, as text. Those that only lay others out are left out."""
    parser = _Tables()
    parser.feed(text)
    parser.close()
    return [t for t in parser.done if len(t) > 1 and max(map(len, t)) > 1]


class _Tables(HTMLParser):
    """Collects the cells of tables, one within another or after it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.done: list[list[list[str]]] = []
        self.open: list[list[list[str]]] = []
        self.cell: list[str] | None = None
        self.span = 1
        self.mute = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, a row or a cell."""
        tag = tag.rpartition(":")[2]
        if tag in _SKIP:
            self.mute += 1
        elif tag == "table":
            self._end_cell()
            self.open.append([])
        elif tag in _ROW and self.open:
            self._end_cell()
            self.open[-1].append([])
        elif tag in _CELL and self.open and self.open[-1]:
            self._end_cell()
            told = {name.rpartition(":")[2]: value or "" for name, value in attrs}
            at, self.span = told.get("index", ""), 1
            row = self.open[-1][-1]
            if at.isdigit() and len(row) < int(at) <= MOST_WIDE:
                row += [""] * (int(at) - 1 - len(row))
            if told.get("colspan", "").isdigit():
                self.span = min(int(told["colspan"]), MOST_WIDE)
            self.cell = []
        elif tag == "br" and self.cell is not None:
            self.cell.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An empty one."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """End what was begun."""
        tag = tag.rpartition(":")[2]
        if tag in _SKIP:
            self.mute = max(self.mute - 1, 0)
        elif tag in _CELL or tag in _ROW:
            self._end_cell()
        elif tag == "table" and self.open:
            self._end_cell()
            self.done.append(self.open.pop())

    def handle_data(self, data: str) -> None:
        """What stands in a cell."""
        if self.cell is not None and not self.mute:
            self.cell.append(data)

    def close(self) -> None:
        """The end, though tables may not be closed."""
        super().close()
        self._end_cell()
        while self.open:
            self.done.append(self.open.pop())

    def _end_cell(self) -> None:
        if self.cell is not None and self.open and self.open[-1]:
            text = " ".join("".join(self.cell).split())
            self.open[-1][-1] += [text] + [""] * (self.span - 1)
        self.cell = None
