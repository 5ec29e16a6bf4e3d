"""What a deck remembers of what was written into it: so that refresh knows a hand's changes.

It is a custom XML part, which PowerPoint keeps and never shows.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI

NAMESPACE: Final = "urn:growthsim:deck"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/customXml"


@dataclass
class Written:
    """A text as we wrote it, and its facts by name."""

    text: str
    facts: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As kept."""
        return {"text": self.text, "facts": self.facts}


@dataclass
class Record:
    """Texts by the name of their shape, or by slide, shape, cell and paragraph where a user's.

    of: the names of the studies or scenarios that the deck is of, by kind of answer.
    """

    texts: dict[str, Written] = field(default_factory=dict)
    filled: dict[str, Written] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As kept."""
        return {
            kind: {k: w.to_json() for k, w in sorted(getattr(self, kind).items())}
            for kind in ("texts", "filled")
        } | {"of": self.of}

    def put_at(self, at: str, now: str, beside: Collection[str]) -> Written | None:
        """What was put into a paragraph of a user's; now: its text; beside: of its frame's others.

        at: holder:shape:cell:paragraph. A text that is still as it was put is known wherever its
        paragraph went: further down, or with a copy of its slide.
        """
        holder, *place, _ = at.rsplit(":", 3)
        near: list[tuple[bool, str]] = []
        for key, was in self.filled.items():
            if was.text != now:
                continue
            held, *there, _ = key.rsplit(":", 3)
            if there == place:
                near.append((held != holder, key))
        if near:
            return self.filled[min(near)[1]]
        found = self.filled.get(at)
        return None if found is not None and found.text in beside else found


def read(deck: Any) -> Record | None:
    """What a deck remembers; None where there is nothing, or nothing that can be understood."""
    part = _part(deck)
    if part is None:
        return None
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        held = json.loads(etree.fromstring(part.blob, parser).text or "")
        of = held.get("of") or {}
        return Record(
            **{kind: _texts(held[kind]) for kind in ("texts", "filled")},
            of={str(k): str(v) for k, v in of.items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, etree.XMLSyntaxError):
        return None


def _texts(held: dict[str, Any]) -> dict[str, Written]:
    return {
        str(k): Written(str(w["text"]), {str(a): str(b) for a, b in w["facts"].items()})
        for k, w in held.items()
    }


def write(deck: Any, record: Record) -> None:
    """Keep a record in a deck, in place of the old one."""
    root = etree.Element(f"{{{NAMESPACE}}}deck", nsmap={None: NAMESPACE})
    root.text = json.dumps(record.to_json(), ensure_ascii=True)
    blob = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    part = _part(deck)
    if part is not None:
        part._blob = blob
        return
    package = deck.part.package
    taken = {str(p.partname) for p in package.iter_parts()}
    n = next(k for k in range(1, 10_000) if f"/customXml/item{k}.xml" not in taken)
    new = Part(PackURI(f"/customXml/item{n}.xml"), "application/xml", package, blob)
    deck.part.relate_to(new, _RELATION)


def _part(deck: Any) -> Any:
    for relation in deck.part.rels.values():
        if relation.reltype == _RELATION and not relation.is_external:
            part = relation.target_part
            if NAMESPACE.encode() in part.blob[:400]:
                return part
    return None
