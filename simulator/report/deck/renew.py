"""New numbers in a deck that people have worked on: what they did stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from pptx.oxml.ns import qn
from pptx.util import Inches

from simulator.report.deck import grids, reach, retype, text
from simulator.report.deck.build import CHARTS, alt, cells, name, picture, texts, written
from simulator.report.deck.changes import Changes
from simulator.report.deck.record import Record, Written
from simulator.report.story.say import Line
from simulator.report.story.spec import Picture, Slide, Story, Table

OURS = re.compile(
    r"growthsim:(?P<key>.+):(?P<part>title|heading|source|notes|points|chart|table|picture)"
)
SMALLEST: Final = int(Inches(0.5))  # of a picture's sides
MAIN = ("chart", "table", "picture", "points")
SOURCE = re.compile(r".+ · run [0-9a-f]{8} · engine \w+ · .* · growthsim [\w.]+")
PLACE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


def renew(
    deck: Any, story: Story, old: Record | None, *, missing: bool = True
) -> tuple[Record, Changes]:
    """Update a deck in place; the record for the next time, and what was done.

    missing: say which of the story's charts the deck does not hold.
    """
    record, changes = Record(of={s.kind: s.name for s in story.answers}), Changes()
    for kind, was in (old.of if old is not None else {}).items():
        now = record.of.setdefault(kind, was)
        if now != was:
            changes.notes.append(f"the deck's {kind} was of '{was}', this one is of '{now}'")
    slides = {s.key: s for s in story.slides}
    seen: set[str] = set()
    others: dict[str, str] = {}
    told = _untold(deck, old)
    for where, holder, shape in _everything(deck):
        found = OURS.fullmatch(shape.name or "")
        if found is not None:
            key, part = found["key"], found["part"]
            if key not in slides:
                others.setdefault(key, where)
                if old is not None and shape.name in old.texts:
                    record.texts[shape.name] = old.texts[shape.name]
                continue
            seen.add(shape.name)
            _ours(where, shape, slides[key], part, told, record, changes)
        elif shape.has_chart and (named := PLACE.fullmatch(shape.name or "")):
            retype.theirs(where, shape, named[1], slides, changes)
        _fill(where, holder, shape, story, old, record, changes)
    changes.problems += reach.missed(deck)
    changes.problems += [
        f"{where}: {key}: this result has no such slide; left as it is"
        for key, where in others.items()
    ]
    if missing and seen:  # a deck that never had ours lacks nothing
        for slide in story.slides:
            for part in _parts(slide):
                if name(slide, part) not in seen:
                    changes.problems.append(
                        f"{name(slide, part)}: could not be found: deleted, renamed, or new"
                    )
    return record, changes


def _untold(deck: Any, old: Record | None) -> Record:
    """What was written, also where the record is lost: alt texts end with their slide's title.

    Titles whose name another program dropped get it back.
    """
    texts_ = dict(old.texts) if old is not None else {}
    for slide in deck.slides:
        ours = {m["key"]: s for s in slide.shapes
                if (m := OURS.fullmatch(s.name or "")) and m["part"] in MAIN}  # fmt: skip
        title = slide.shapes.title
        if len(ours) != 1 or title is None:
            continue
        ((key, main),) = ours.items()
        named, words = f"growthsim:{key}:title", title.text_frame.text
        if not any(s.name == named for s in slide.shapes):
            title.name = named
        said = main._element.xpath(".//p:cNvPr")[0].get("descr") or ""
        if named not in texts_ and words and words in said:
            texts_[named] = Written(words)
        for shape in slide.shapes:
            if shape.name == f"growthsim:{key}:source" and shape.name not in texts_:
                line = shape.text_frame.text
                if SOURCE.fullmatch(line):
                    texts_[shape.name] = Written(line)
    return Record(texts_, old.filled if old is not None else {})


def _everything(deck: Any) -> Iterator[tuple[str, str, Any]]:
    """Where, in words and by a name that stays when slides are moved; and the shape."""
    for number, slide in enumerate(deck.slides, 1):
        for shape in text.shapes(slide.shapes):
            yield f"slide {number}", str(slide.slide_id), shape
        if slide.has_notes_slide:
            for shape in text.shapes(slide.notes_slide.shapes):
                yield f"slide {number}, notes", f"{slide.slide_id}n", shape
    for n, master in enumerate(deck.slide_masters, 1):
        for place, said in (
            (master, f"slide master {n}"),
            *((x, f"layout '{x.name}'") for x in master.slide_layouts),
        ):
            for shape in text.shapes(place.shapes):
                yield said, str(place.part.partname), shape


def _parts(slide: Slide) -> list[str]:
    show = slide.show
    if isinstance(show, CHARTS):
        return ["title", "chart"]
    kinds = {Table: "table", Picture: "picture"}
    return ["title", kinds.get(type(show), "points")]


def _ours(
    where: str, shape: Any, slide: Slide, part: str, old: Record | None, record: Record,
    changes: Changes,
) -> None:  # fmt: skip
    if part == "chart":
        retype.ours(where, shape, slide, changes)
    elif part == "table":
        _table(where, shape, slide, old, record, changes)
    elif part == "picture":
        _picture(where, shape, slide, changes)
    else:
        said = texts(slide).get(part)
        if said is not None and shape.has_text_frame:
            before = old.texts.get(shape.name) if old is not None else None
            _said(f"{where}, {slide.key} {part}", shape, said, before, changes)
            record.texts[shape.name] = written(said)
    if part in ("chart", "table", "picture", "points"):
        described = shape._element.xpath(".//p:cNvPr")[0]
        if (described.get("descr") or "").startswith(slide.alt.text.split(".")[0]):
            described.set("descr", alt(slide))


def _table(
    where: str, shape: Any, slide: Slide, old: Record | None, record: Record, changes: Changes
) -> None:
    what = f"table {slide.key}"
    if not getattr(shape, "has_table", False) or not isinstance(slide.show, Table):
        changes.problems.append(f"{where}: {what}: is no longer a table")
        return
    before = None if old is None else old.texts.get(shape.name)
    wanted = [[said.text for said in row] for row in cells(slide.show)]
    grids.refill(where, what, shape.table, wanted, before, changes)
    record.texts[shape.name] = grids.kept(wanted)


def _picture(where: str, shape: Any, slide: Slide, changes: Changes) -> None:
    what = f"picture {slide.key}"
    blip = shape._element.find(f".//{qn('a:blip')}")
    if blip is None or not isinstance(slide.show, Picture):
        changes.problems.append(f"{where}: {what}: is no longer a picture")
        return
    if min(int(shape.width), int(shape.height)) < SMALLEST:
        changes.problems.append(f"{where}: {what}: is too small to draw anything in it")
        return
    new = picture(slide.show, shape.part.slide, int(shape.width), int(shape.height))
    part, rel = shape.part.get_or_add_image_part(new)
    changed = blip.get(qn("r:embed")) != rel
    blip.set(qn("r:embed"), rel)
    blip.attrib.pop(qn("r:link"), None)
    changes.add(where, what, changed and part is not None)


def _said(where: str, shape: Any, said: Line, before: Written | None, changes: Changes) -> None:
    """A text of ours: whole where nobody changed it, else only the numbers in it."""
    frame = shape.text_frame
    now = "\n".join(text.said(p) for p in frame.paragraphs)
    if now == said.text or not now.strip():  # what somebody emptied stays so
        changes.add(where, "text", False)
        return
    if before is None or now == before.text:
        if before is None and frame.text.strip():
            changes.problems.append(
                f"{where}: the deck does not remember what was written here (was it saved by "
                f"another program?); left as it is. The result says: {said.text.splitlines()[0]}"
            )
            return
        pairs, _ = _pairs(before, written(said)) if before is not None else ({}, None)
        styled = any(len(p.runs) > 1 for p in frame.paragraphs)
        if styled and text.swapped(now, pairs) == said.text:  # somebody made a number red
            for paragraph in frame.paragraphs:
                text.swap(paragraph, pairs)
        else:
            text.put(frame, said.text)
        changes.add(where, "text", True)
        return
    _numbers_only(where, list(frame.paragraphs), before, written(said), changes)
    if before.text != said.text:
        changes.problems.append(
            f"{where}: was edited by hand: only its numbers were brought up to date. "
            f"The result says: {said.text.splitlines()[0]}"
        )


def _pairs(before: Written, new: Written) -> tuple[dict[str, str], set[str]]:
    """Old numbers and the new ones in their place; and those that could mean several."""
    pairs: dict[str, str] = {}
    torn: set[str] = set()
    for fact, old in before.facts.items():
        now = new.facts.get(fact)
        if now is None:
            continue
        if pairs.get(old, now) != now:
            torn.add(old)
        pairs[old] = now
    return {a: b for a, b in pairs.items() if a not in torn}, torn


def _numbers_only(
    where: str, paragraphs: list[Any], before: Written, new: Written, changes: Changes
) -> None:
    pairs, torn = _pairs(before, new)
    found: set[str] = set()
    for paragraph in paragraphs:
        found |= text.swap(paragraph, pairs)
    changed = {a for a in found if pairs[a] != a}
    changes.add(where, f"numbers {', '.join(sorted(changed))}", bool(changed))
    for old in sorted(torn):
        changes.problems.append(f"{where}: '{old}' could mean several numbers; left as it is")
    lost = [a for a, b in pairs.items() if a != b and a not in found]
    if lost:
        changes.problems.append(f"{where}: could not be found in it: {', '.join(sorted(lost))}")


def _fill(
    where: str, holder: str, shape: Any, story: Story, old: Record | None, record: Record,
    changes: Changes,
) -> None:  # fmt: skip
    """`{{name}}` in a user's own text, and what was put there the last time."""

    def value(asked: str) -> str | None:
        fact = story.facts.get(asked)
        return None if fact is None else fact.text

    for cell, frame in text.frames(shape):
        now = [text.said(p) for p in frame.paragraphs]
        for k, paragraph in enumerate(frame.paragraphs):
            at = f"{holder}:{shape.shape_id}:{cell}:{k}"
            before = None if old is None else old.put_at(at, now[k], {*now[:k], *now[k + 1 :]})
            asked: list[str] = []
            if before is not None:
                asked = [f for f in before.facts if f in story.facts]
                new = Written("", {f: story.facts[f].text for f in asked})
                _numbers_only(where, [paragraph], before, new, changes)
            template = text.said(paragraph)
            if text.NAME.search(template):
                for missing in text.fill(paragraph, value):
                    changes.problems.append(f"{where}: {{{{{missing}}}}}: nothing is called that")
                filled = [m for m in text.NAME.findall(template) if m in story.facts]
                if filled:
                    changes.add(where, f"filled {', '.join(filled)}", True)
                asked += filled
            if asked:
                facts = {f: story.facts[f].text for f in asked}
                record.filled[at] = Written(text.said(paragraph), facts)
