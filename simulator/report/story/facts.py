"""Every fact by its name: what `{{name}}` in somebody's own slide stands for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simulator.report.saved import Saved
from simulator.report.story import books, comparison, say
from simulator.report.story.say import Fact, datum
from simulator.report.story.spec import Slide, Table


def facts_of(answers: Sequence[Saved], slides: Sequence[Slide]) -> dict[str, Fact]:
    """Facts by name; where two share a name the first stands."""
    found: dict[str, Fact] = {}
    for saved in answers:
        if saved.kind == "comparison":
            for fact in _compared(saved):
                found.setdefault(fact.name, fact)
    for slide in slides:
        for fact in _shown(slide):
            if fact.name:
                found.setdefault(fact.name, fact)
    return found


def _shown(slide: Slide) -> Iterator[Fact]:
    for said in (slide.title, slide.heading, slide.source):
        yield from said.facts
    if isinstance(slide.show, Table):
        for row in slide.show.rows:
            for cell in row:
                yield from (cell,) if isinstance(cell, Fact) else cell.facts


def _compared(saved: Saved) -> Iterator[Fact]:
    """The verdict, every variant's gain and cost, and every metric of every arm."""
    unit, outcome = comparison.currency(saved), saved.text("outcome")
    yield Fact("study", say.plain(saved.name))
    yield Fact("verdict", comparison.contest(saved).text)
    for fact in comparison.contest(saved).facts:
        if fact.name:
            yield fact
    best = saved.at("verdict/best")
    for i in range(len(saved.rows("arms"))):
        key = comparison.key_of(saved, i)
        yield Fact(f"{key}.name", comparison.name_of(saved, i).text)
        if i:
            gain = comparison.gain(saved, i)
            yield gain
            if saved.text(f"arms/{i}/name") == best and saved.at(f"arms/{i}/as_written"):
                yield Fact(f"{outcome}_gain", gain.text, gain.data)
            cost = datum(saved, "value", f"arms/{i}/extra_cost_a_year")
            yield Fact(f"{key}.cost", say.amount(cost.value, unit), (cost,))
        for metric in saved.keys(f"arms/{i}/metrics"):
            if "/" not in metric:
                yield books.level_of(saved, i, metric, unit)
