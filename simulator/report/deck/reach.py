"""Names in a deck that cannot be reached."""

from __future__ import annotations

from typing import Any, Final

from lxml import etree
from pptx.oxml.ns import qn

from simulator.report.deck import text

NEWER: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"


def missed(deck: Any) -> list[str]:
    """Names in what cannot be filled: diagrams, and shapes of newer versions."""
    found: list[str] = []
    for number, slide in enumerate(deck.slides, 1):
        newer = slide._element.iter(NEWER)
        words = ["".join(t.text or "" for t in e.iter(qn("a:t"))) for e in newer]
        for rel in slide.part.rels.values():
            if not rel.is_external and rel.reltype.endswith("/diagramData"):
                diagram = etree.fromstring(rel.target_part.blob, etree.XMLParser(
                    resolve_entities=False, no_network=True))  # fmt: skip
                words += ["".join(t.text or "" for t in p.iter(qn("a:t")))
                          for p in diagram.iter(qn("a:p"))]  # fmt: skip
        asked = dict.fromkeys(n for w in words for n in text.NAME.findall(w))
        found += [
            f"slide {number}: {{{{{name}}}}}: stands in SmartArt or such, which cannot be "
            "filled; use a text box"
            for name in asked
        ]
    return found
