"""Results as a story: which slides, in which order, with which facts. Nothing is drawn here.

A kind of result has its tellers in CHAPTERS; one that has none is told in its own sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from simulator.errors import DataError
from simulator.report.saved import Saved
from simulator.report.story import (
    books,
    comparison,
    constraint,
    curve,
    decisions,
    explanation,
    other,
)
from simulator.report.story.facts import facts_of
from simulator.report.story.spec import Chapter, Slide, Story

CHAPTERS = (
    Chapter(10, "comparison", comparison.answer),
    Chapter(20, "comparison", comparison.push_fix),
    Chapter(30, "comparison", comparison.effort),
    Chapter(32, "curve", curve.pushing),
    Chapter(33, "curves", decisions.efforts),
    Chapter(33, "isoquant", decisions.mixes),
    Chapter(34, "explanation", explanation.mechanisms),
    Chapter(40, "constraint", constraint.constraint),
    Chapter(42, "comparison", comparison.busiest),
    Chapter(43, "constraint", constraint.busy),
    Chapter(44, "constraint", decisions.path),
    Chapter(50, "seek", decisions.seek),
    Chapter(60, "robustness", decisions.robustness),
    Chapter(62, "worlds", decisions.worlds),
    Chapter(65, "sensitivity", decisions.sensitivity),
    Chapter(70, "comparison", books.economics),
    Chapter(75, "run", other.economics_of_run),
    Chapter(90, "comparison", books.ledger),
    Chapter(91, "explanation", explanation.bookings),
    Chapter(92, "constraint", constraint.queues),
    Chapter(93, "constraint", constraint.shifting),
)
REST = 80  # where a kind without a teller of its own is told


def tell(answers: Sequence[Saved]) -> Story:
    """The slides of some answers in the order of a board deck.

    Raises DataError where there is nothing to show.
    """
    known = {c.kind for c in CHAPTERS}
    told: list[tuple[int, int, Slide]] = []
    for k, saved in enumerate(answers):
        chapters = [c for c in CHAPTERS if c.kind == saved.kind]
        if saved.kind not in known:
            chapters = [Chapter(REST, saved.kind, other.sentences)]
        for chapter in chapters:
            slide = chapter.tell(saved)
            if slide is not None:
                told.append((chapter.order, k, slide))
    if not told:
        kinds = ", ".join(sorted({s.kind for s in answers}))
        raise DataError(f"{answers[0].file}: nothing to show in a result of kind {kinds}")
    compared = any(s.kind == "comparison" for s in answers)
    if compared:  # one heat map is enough
        told = [t for t in told if t[2].key != "busy"]
    told.sort(key=lambda t: (t[2].appendix, t[0], t[1]))
    kinds_asked = {s.kind for s in answers} | {"path" for s in answers if s.data.get("path")}
    not_asked = [q for q, kinds in other.QUESTIONS if not kinds_asked & set(kinds)]
    slides = [t[2] for t in told]
    slides += other.assumptions(answers)
    slides.append(other.how_made(answers, not_asked))
    return Story(_unique(slides), facts_of(answers, slides), tuple(not_asked), tuple(answers))


def _unique(slides: Sequence[Slide]) -> tuple[Slide, ...]:
    """Slides whose keys differ: two results of a kind are numbered."""
    seen: dict[str, int] = {}
    found = []
    for slide in slides:
        n = seen[slide.key] = seen.get(slide.key, 0) + 1
        found.append(slide if n == 1 else replace(slide, key=f"{slide.key}_{n}"))
    return tuple(found)


__all__ = ["CHAPTERS", "Story", "tell"]
