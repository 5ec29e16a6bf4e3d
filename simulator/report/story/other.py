"""Slides of answers that have no chart of their own: their sentences; and the appendix."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from simulator.report.saved import Saved
from simulator.report.story import say
from simulator.report.story.say import Datum, Fact, Line, joined, line, named
from simulator.report.story.source import method, source
from simulator.report.story.spec import Points, Slide, Table

# What may be asked, in the order of a deck, and the kinds of results that answer it.
QUESTIONS = (
    ("Does fixing the constraint beat pushing harder?", ("comparison",)),
    ("How far does pushing carry?", ("curve",)),
    ("Which mechanisms make the difference?", ("explanation",)),
    ("Where is the constraint?", ("constraint",)),
    ("Where does the constraint move next?", ("path",)),
    ("What must be true to reach a target?", ("seek",)),
    ("Does the verdict stand over what nobody knows?", ("robustness",)),
    ("In which worlds does the answer flip?", ("worlds",)),
    ("Which assumptions matter most?", ("sensitivity",)),
)
# Of those that are not listed where nobody asked.
ALSO = (
    ("Which effort's next dollar brings the most?", ("curves",)),
    ("Which mix of two efforts is best?", ("isoquant",)),
)
ROWS = 10  # of assumptions on a slide
PAGES = 1  # of assumptions; the rest is in the notes, and in the page
GRADES = "A: read in a primary source; B: read second-hand; C: recalled; D: our own design value"


def sentences(saved: Saved) -> Slide | None:
    """An answer in its own sentences, the first as the title."""
    said = saved.data.get("sentences")
    if not isinstance(said, list):
        verdict = saved.data.get("verdict")
        said = verdict.get("sentences") if isinstance(verdict, dict) else None
    found = [say.plain(s) for s in said or () if isinstance(s, str) and s.strip()]
    if not found:
        return None
    lines = [Line(s, (Fact("", s),)) for s in found if not s.startswith("(")]
    title = lines[0].text.rstrip(".")
    cut = title if len(title) <= 160 else f"{title[:159].rsplit(' ', 1)[0]}…"
    rest = lines if cut != title else lines[1:]
    known = (*QUESTIONS, *ALSO)
    question = next((q for q, kinds in known if saved.kind in kinds), "What was found")
    return Slide(
        key=f"{saved.kind}_{say.plain(saved.name).lower()}",
        title=Line(cut, (Fact("", cut),)),
        heading=Line(question),
        show=Points(tuple(rest[:7]) or (lines[0],)),
        source=source(saved),
        notes=(*lines, *method(saved)),
        alt=Line(title, (Fact("", title),)),
    )


def economics_of_run(saved: Saved) -> Slide | None:
    """A run's metrics."""
    metrics = saved.data.get("metrics")
    if not isinstance(metrics, dict) or not metrics:
        return None
    unit, rows = say.plain(str(saved.data.get("currency") or "")), []
    for name in list(metrics)[:200]:
        if "/" in name or "." in name:
            continue
        pointer = f"metrics/{name}/mean" if isinstance(metrics[name], dict) else f"metrics/{name}"
        found = Datum(saved.number(pointer), (pointer,))
        if found.known:
            text = say.level(found.value, name, unit).strip()
            rows.append((say.words(name), Fact(f"today.{name}", text, (found,))))
    if not rows:
        return None
    return Slide(
        key="run",
        title=line("{}: {} is {}", named(saved.name), rows[0][0], rows[0][1]),
        heading=line("Metrics over the run, mean"),
        show=Table(("Metric", "Mean"), tuple(rows[:12])),
        source=source(saved),
        notes=(),
        alt=line("A table of metrics."),
    )


def assumptions(answers: Sequence[Saved]) -> list[Slide]:
    """What the answers rest on that nobody stated: value, range, grade and source."""
    holder = next((s for s in answers if s.data.get("assumptions")), None)
    if holder is None:
        return []
    rows = [r for r in holder.rows("assumptions") if isinstance(r, dict)]
    grades = sorted({str(r.get("grade", "")) for r in rows})
    counted = joined(
        [line("{} of grade {}", _count(rows, g, f"assumptions.{g}"), named(g)) for g in grades],
        ", ",
    )
    title = line(
        "The answer rests on {} numbers that nobody stated: {}",
        _count(rows, None, "assumptions"), counted,
    )  # fmt: skip
    groups = grouped(rows)
    pages = [groups[i : i + ROWS] for i in range(0, len(groups), ROWS)][:PAGES]
    left = len(groups) - sum(map(len, pages))
    rest = Fact("", f"; {left} more kinds are in the speaker notes" if left > 0 else "")
    notes = tuple(Line(t, (Fact("", t),)) for t in map(_told, groups))
    return [
        Slide(
            key=f"assumptions_{k + 1}",
            title=title,
            heading=line("Grades: {}{}", Fact("", GRADES), rest),
            show=Table(
                ("Assumption", "Value", "From", "To", "Grade", "Source"),
                tuple(
                    tuple(named(c, 52 if j in (0, 5) else 40) for j, c in enumerate(g))
                    for g in page
                ),
                (0.28, 0.11, 0.10, 0.10, 0.085, 0.325),
            ),
            source=source(holder),
            notes=(
                Line("State your own numbers in the scenario and they leave this list."),
                *notes,
            ),
            alt=line("A table of assumptions with their ranges and grades."),
            appendix=True,
        )
        for k, page in enumerate(pages)
    ]


def _count(rows: Sequence[dict[str, Any]], grade: str | None, name: str) -> Fact:
    """How many assumptions there are of a grade, or of any."""
    listed = tuple(
        f"assumptions/{i}" for i, r in enumerate(rows) if grade in (None, str(r.get("grade", "")))
    )
    return Fact(name, str(len(listed)), (Datum(float(len(listed)), listed, "count"),))


def grouped(rows: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Assumptions that differ in a name only, as one; those with a range first.

    Each is what, value, low, high, grade, source.
    """
    keys = ("value", "low", "high", "grade", "source")
    found: dict[tuple[str, ...], list[str]] = {}
    for r in rows:
        parts = str(r.get("path", "")).split(".")
        parts = parts[:-1] if len(parts) > 2 and parts[-1] in ("mean", "now") else parts
        kind = ".".join([parts[0], *parts[2:]]) if len(parts) > 2 else ".".join(parts)
        said = tuple(str(r.get(k) or "–") for k in keys)
        found.setdefault((kind, *said), []).append(parts[1] if len(parts) > 2 else "")
    listed: list[tuple[str, ...]] = []
    for (kind, *rest), names in found.items():
        place, _, below = kind.partition(".")
        many = names[0].replace(">", " to ") if len(names) == 1 else f"{len(names)} {place}"
        what = say.words((below if names[0] and below else kind).replace(".", " ")).text
        listed.append((f"{what} ({say.words(many).text})" if many else what, *rest))
    return sorted(listed, key=lambda g: -_width(g[2], g[3]))


def _width(low: str, high: str) -> float:
    """How many times the low end the high end is; of those without ends, none."""
    ends = [re.match(r"[\d.]+", text) for text in (low, high)]
    if not all(ends):
        return 0.0
    a, b = (float(e.group().rstrip(".") or 0) for e in ends if e is not None)
    return b / a if a > 0 else float(b > 0)


def _told(group: tuple[str, ...]) -> str:
    what, value, low, high, grade, where = group
    return say.plain(f"{what}: {value} (from {low} to {high}; grade {grade}; {where})")


def how_made(answers: Sequence[Saved], not_asked: Sequence[str]) -> Slide:
    """The runs behind the deck, and what it does not answer."""
    made = {(_question(s), s.run_id, s.kind): s for s in answers}
    lines = [line("{} {}", named(asked, 80), source(s)) for (asked, _, _), s in made.items()]
    if not_asked:
        asked = Fact("not_asked", " ".join(not_asked))
        lines.append(line("Not asked, so not answered here: {}", asked))
    else:
        lines.append(line("Every question that there is was asked."))
    lines.append(
        line("Intervals are of chance only. The assumptions behind them are on the pages before.")
    )
    return Slide(
        key="how_made",
        title=line(
            "How this was made{}",
            Fact("", f", and {len(not_asked)} questions that were not asked" if not_asked else ""),
        ),
        heading=line("The runs behind these pages"),
        show=Points(tuple(lines)),
        source=source(answers[0]),
        notes=(line("Charts hold their data: choose Edit Data in PowerPoint."),),
        alt=line("A list of the runs behind this deck and of what was not asked."),
        appendix=True,
    )


def _question(saved: Saved) -> str:
    known = (*QUESTIONS, *ALSO)
    return next((q for q, kinds in known if saved.kind in kinds), say.words(saved.kind).text)
