"""A deck as a package: the same bytes for the same content, and what nobody changed as it was."""

from __future__ import annotations

import io
import posixpath
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from lxml import etree

from simulator.report.deck.files import put


def saved(deck: Any, path: Path, like: Path | None = None) -> None:
    """Write a deck aside, then put it in its place; DataError where that fails.

    like: the file that the deck was read from; what nobody changed stays as it is there.
    """
    held = io.BytesIO()
    deck.save(held)
    content = held.getvalue()
    put(_same(content, {} if like is None else _held(like.read_bytes())), path)


def _held(content: bytes) -> dict[object, bytes]:
    """The entries of a package, by what they say."""
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        held = {entry.filename: old.read(entry) for entry in old.infolist()}
    return {_says(name, raw): raw for name, raw in held.items()}


def _says(name: str, raw: bytes) -> tuple[str, object]:
    """What an entry says, however it is written."""
    if not name.endswith((".xml", ".rels")):
        return name, raw
    parser = etree.XMLParser(
        remove_blank_text=True, resolve_entities=False, no_network=True, huge_tree=True
    )
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError:
        return name, raw
    if name.endswith(".rels"):
        base = PurePosixPath("/", name).parent.parent
        return name, frozenset(
            (e.get("Id"), e.get("Type"), e.get("TargetMode"),
             posixpath.normpath(base / (e.get("Target") or "")))
            for e in root
        )  # fmt: skip
    if name == "[Content_Types].xml":
        return name, frozenset(tuple(sorted(e.attrib.items())) for e in root)
    # A slide's number may have changed, its text not.
    return "", etree.tostring(root, method="c14n")


def _same(content: bytes, before: dict[object, bytes]) -> bytes:
    """A package with its entries' times taken out, and what was not changed as it was."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            plain = zipfile.ZipInfo(entry.filename, (1980, 1, 1, 0, 0, 0))
            plain.compress_type = zipfile.ZIP_DEFLATED
            plain.external_attr = 0o600 << 16
            raw = old.read(entry)
            new.writestr(plain, before.get(_says(entry.filename, raw), raw) if before else raw)
    return out.getvalue()
