"""Results as one HTML page that needs nothing else: no network, no other file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from simulator.errors import DataError
from simulator.report.page.look import SCRIPT, STYLE
from simulator.report.page.svg import chart
from simulator.report.saved import Saved, read
from simulator.report.story import Story, tell
from simulator.report.story.other import grouped
from simulator.report.story.say import Fact, Line
from simulator.report.story.spec import Picture, Points, Slide, Table


@dataclass(frozen=True)
class Page:
    """A page that was made."""

    path: Path
    story: Story

    @property
    def sentences(self) -> list[str]:
        """What it holds, and what it does not."""
        found = [f"{self.path}: {len(self.story.slides)} sections."]
        if self.story.not_asked:
            found.append(f"Not asked, and the page says so: {' '.join(self.story.not_asked)}")
        return found

    @property
    def tables(self) -> dict[str, list[dict[str, object]]]:
        """The sections."""
        return {"sections": [{"section": s.key, "title": s.title.text} for s in self.story.slides]}

    def to_json(self) -> dict[str, object]:
        """Everything, in types that JSON has."""
        return {
            "kind": "report",
            "page": str(self.path),
            "sections": [{"section": s.key, "title": s.title.text} for s in self.story.slides],
            "not_asked": list(self.story.not_asked),
        }


def make(results: Sequence[str | Path], out: str | Path) -> Page:
    """Write a page of results. Raises DataError."""
    from simulator.report.deck.files import put

    path = Path(out)
    if path.suffix.lower() not in (".html", ".htm"):
        raise DataError(f"{path}: a page's name ends in .html")
    answers = read(results)
    story = tell(answers)
    put(html(story).encode("utf-8"), path)
    return Page(path, story)


def html(story: Story) -> str:
    """The whole page."""
    first = story.slides[0]
    body = "\n".join(section(s, headed=s is not first) for s in story.slides)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">"
        f"<title>{escape(story.answers[0].name)}: {escape(first.title.text)}</title>"
        f'<style>{STYLE}</style><link rel="icon" href="data:,"></head><body>\n'
        '<a class="skip" href="#all">To the answer</a>\n'
        f"<header><h1>{escape(first.title.text)}</h1>{_not_asked(story)}</header>\n"
        f'<main id="all">\n{body}\n{_assumptions(story.answers)}</main>\n'
        f"<footer><p>{escape(first.source.text)}</p></footer>\n<script>{SCRIPT}</script>\n"
        "</body></html>\n"
    )


def fragment(story: Story, most: int = 3) -> str:
    """The first sections, for a notebook: no script, its style within."""
    body = "".join(section(s) for s in story.slides[:most])
    return f'<div class="growthsim"><style>{_scoped()}</style>{body}</div>'


def _scoped() -> str:
    """The page's style, of charts and tables only, kept within a notebook's cell."""
    kept = (".fill", ".grid", ".line", ".band", ".whisker", "svg", ".heading", ".source")
    rows = [r for r in STYLE.splitlines() if r.startswith(kept)]
    rules = [f"{rule}}}" for row in rows for rule in row.split("}") if rule.strip()]
    return "".join(f".growthsim {rule}" for rule in rules)


def _not_asked(story: Story) -> str:
    if not story.not_asked:
        return ""
    return (
        f"<p class=heading>Not asked, so not answered here: {escape(' '.join(story.not_asked))}</p>"
    )


def section(slide: Slide, headed: bool = True) -> str:
    """One slide as a section; the first's message is the page's head."""
    show = slide.show
    if isinstance(show, Table):
        inner, kind = _table(show), ' class="full"'
    elif isinstance(show, Points):
        inner = "<ul>" + "".join(f"<li>{escape(x.text)}</li>" for x in show.lines) + "</ul>"
        kind = ""
    elif isinstance(show, Picture):
        inner, kind = _picture(show, slide.alt.text), ' class="full"'
    else:
        drawn = chart(show, slide.alt.text)
        inner = (
            f'<div class="scroll wide" tabindex="0" role="group" aria-label="Chart">{drawn}</div>'
        )
        kind = ""
    notes = "".join(f"<p>{escape(n.text)}</p>" for n in slide.notes)
    more = f"<details><summary>Method and caveats</summary>{notes}</details>" if notes else ""
    return (
        f'<section id="{escape(slide.key)}"{kind}>'
        + (f"<h2>{escape(slide.title.text)}</h2>" if headed else "")
        + f'<p class="heading">{escape(slide.heading.text)}</p>{inner}'
        f'<p class="source">{escape(slide.source.text)}</p>{more}</section>'
    )


def _picture(show: Picture, alt: str) -> str:
    from simulator.report.figures.panel import panel

    drawn = panel(show.kind, show.figure, show.saved, 12.3, 5.1).getvalue()
    held = base64.b64encode(drawn).decode("ascii")
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{held}">'


def _table(show: Table, long: bool = False) -> str:
    numbers = [bool(c) and not show.wide for c in range(len(show.head))]
    head = "".join(_head(h, n) for h, n in zip(show.head, numbers, strict=True))
    body = "".join(
        "<tr>" + "".join(_cell(c, n) for c, n in zip(row, numbers, strict=True)) + "</tr>"
        for row in show.rows
    )
    label = "All assumptions" if long else "Table"
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{label}"><table class="sorts">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _head(words: str, number: bool) -> str:
    kind = " class=n" if number else ""
    return f'<th scope="col"{kind}><button type="button">{escape(words) or "What"}</button></th>'


def _cell(said: Fact | Line, number: bool) -> str:
    value = ""
    if isinstance(said, Fact) and said.data:
        value = f' data-value="{said.data[0].value!r}"'
    return f"<td{' class=n' if number else ''}{value}>{escape(said.text)}</td>"


def _assumptions(answers: Sequence[Saved]) -> str:
    """All of them, on the screen only: print has those of the story."""
    holder = next((s for s in answers if s.data.get("assumptions")), None)
    if holder is None:
        return ""
    rows: list[dict[str, Any]] = [r for r in holder.rows("assumptions") if isinstance(r, dict)]
    table = Table(
        ("Assumption", "Value", "From", "To", "Grade", "Source"),
        tuple(tuple(Line(c) for c in group) for group in grouped(rows)),
        (0.3, 0.1, 0.1, 0.1, 0.1, 0.3),
    )
    return (
        '<section id="all_assumptions" class="long"><h2>Every assumption that nobody stated</h2>'
        f"{_table(table, long=True)}</section>\n"
    )
