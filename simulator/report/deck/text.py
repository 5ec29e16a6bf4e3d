"""Text on slides: written whole, or changed where a number stands, its look kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from pptx.oxml.ns import qn
from pptx.text.text import TextFrame

NAME = re.compile(r"\{\{\s*([\w.:]+)\s*\}\}")


def shapes(holder: Any) -> Iterator[Any]:
    """All shapes of a slide, those in groups too."""
    for shape in holder:
        yield shape
        if shape._element.tag == qn("p:grpSp"):  # not by its type: some shapes have none
            yield from shapes(shape.shapes)


def frames(shape: Any) -> Iterator[tuple[str, Any]]:
    """The text frames of a shape, and where in it they are: "", row,column, or a chart's title."""
    if shape.has_text_frame:
        yield "", shape.text_frame
    if getattr(shape, "has_table", False):
        for r, row in enumerate(shape.table.rows):
            for c, cell in enumerate(row.cells):
                yield f"{r},{c}", cell.text_frame
    if getattr(shape, "has_chart", False):
        for n, rich in enumerate(shape.chart._chartSpace.iter(qn("c:rich"))):
            yield f"title {n}", TextFrame(rich, shape.chart)


def said(paragraph: Any) -> str:
    """A paragraph's text, of its runs alone."""
    return "".join(run.text for run in paragraph.runs)


def put(frame: Any, text: str) -> None:
    """A text in a frame, a paragraph a line, in the look of what was there."""
    wanted = text.split("\n")
    paragraphs = list(frame.paragraphs)
    for extra in paragraphs[len(wanted) :]:
        extra._p.getparent().remove(extra._p)
    for k, words in enumerate(wanted):
        if k < len(paragraphs):
            paragraph = paragraphs[k]
        else:
            model = frame.paragraphs[-1]
            model._p.addnext(deepcopy(model._p))
            paragraph = frame.paragraphs[-1]
        whole(paragraph, words)


def whole(paragraph: Any, text: str) -> None:
    """A paragraph's text, in the look of its first run."""
    runs = paragraph.runs
    if not runs:
        paragraph.add_run().text = text
        return
    runs[0].text = text
    for run in runs[1:]:
        run._r.getparent().remove(run._r)
    for stray in paragraph._p.findall(qn("a:br")):
        paragraph._p.remove(stray)


def change(paragraph: Any, spans: list[tuple[int, int, str]]) -> None:
    """Put texts in place of spans of a paragraph's text, each in the look of its first letter."""
    for start, end, text in sorted(spans, reverse=True):
        at, first = 0, True
        for run in paragraph.runs:
            old = run.text
            a, b = max(start - at, 0), min(end - at, len(old))
            at += len(old)
            if a >= len(old) or b <= a:
                continue
            run.text = old[:a] + (text if first else "") + old[b:]
            first = False


def fill(paragraph: Any, value: Callable[[str], str | None]) -> list[str]:
    """Put values in place of `{{name}}`; the names that have none stay as they are."""
    spans, missing = [], []
    for match in NAME.finditer(said(paragraph)):
        found = value(match.group(1))
        if found is None:
            missing.append(match.group(1))
        else:
            spans.append((*match.span(), found))
    change(paragraph, spans)
    return missing


def swap(paragraph: Any, pairs: dict[str, str]) -> set[str]:
    """Old texts to new ones, the longest first, whole words only; which were found."""
    spans = list(_found(said(paragraph), pairs))
    change(paragraph, [(a, b, pairs[old]) for a, b, old in spans if pairs[old] != old])
    return {old for _, _, old in spans}


def swapped(words: str, pairs: dict[str, str]) -> str:
    """A text as swap would leave it."""
    for start, end, old in reversed(list(_found(words, pairs))):
        words = words[:start] + pairs[old] + words[end:]
    return words


def _found(words: str, pairs: dict[str, str]) -> Iterator[tuple[int, int, str]]:
    """Where old texts stand, and which."""
    if not pairs:
        return
    longest = sorted(pairs, key=len, reverse=True)
    # A space that was typed again is no hard one any more.
    pattern = "|".join(re.escape(old).replace("\u00a0", "[ \u00a0]") for old in longest)
    hard = {old.replace("\u00a0", " "): old for old in pairs}
    for match in re.finditer(rf"(?<![\w.,−+-])(?:{pattern})(?![\w%])", words):
        yield *match.span(), hard[match.group().replace("\u00a0", " ")]
