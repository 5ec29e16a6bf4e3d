"""Decks: every number is the result's, hands' changes stay, and no file is left half-way."""

from __future__ import annotations

import io
import json
import math
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("pptx")
from lxml import etree
from made_results import arm, comparison, constraint, curve, gain
from ooxml import disorder
from pptx import Presentation
from pptx.chart.data import CategoryChartData, XyChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches, Pt

from simulator.analysis.comparison import Verdict
from simulator.errors import DataError
from simulator.report import deck, write
from simulator.report.deck.build import alt
from simulator.report.deck.data import grid
from simulator.report.deck.theme import fitted
from simulator.report.saved import read
from simulator.report.story import CHAPTERS, tell
from simulator.report.story.say import HOWS, Fact, Line, line
from simulator.report.story.spec import Bars, Fall, Lines, Picture, Points, Stack, Table

CHARTS = (Bars, Fall, Lines, Stack)
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


def folders(root: Path, **changes: object) -> list[Path]:
    """A comparison, a curve and a constraint, as --out writes them."""
    results = {
        "compare": comparison(**changes),  # type: ignore[arg-type]
        "curve": curve(),
        "constraint": constraint(),
    }
    rests = tuple(
        {"path": f"teams.desk{k}.hours", "value": "30 h/week", "low": "20", "high": "40",
         "grade": "D", "source": "our own design value", "origin": "book"}
        for k in range(3)
    )  # fmt: skip
    results["compare"] = replace(results["compare"], assumptions=rests)  # type: ignore[type-var]
    for name, result in results.items():
        write(result, root / name, figures=False)
    return [root / name for name in results]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return folders(tmp_path_factory.mktemp("results"))


def next_quarter(root: Path) -> list[Path]:
    """The same study a quarter later: other numbers, and the push wins nothing any more."""
    arms = [
        arm(),
        arm("Push harder", "push", equal=False, mean=6e5, half=3e5, busy=0.95),
        arm("Fix", "fix", mean=1.6e6, parts={"gained_wins": 1.6e6}, busy=0.3),
        arm("Push harder", "push", written=False, mean=2e5, half=1e5),
    ]
    verdict = Verdict("fix_wins", "Fix", gain(1.4e6, 2e5), "Push harder", "Fix")
    return folders(root, arms=arms, verdict=verdict)


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    return next_quarter(tmp_path_factory.mktemp("later"))


@pytest.fixture(scope="module")
def story(results):
    return tell(read(results))


@pytest.fixture(scope="module")
def board(results, tmp_path_factory):
    path = tmp_path_factory.mktemp("deck") / "board.pptx"
    return deck.make(results, path)


def lines_of(slide):
    yield from (slide.title, slide.heading, slide.source, slide.alt, *slide.notes)
    show = slide.show
    if isinstance(show, Bars):
        yield from show.names
    if isinstance(show, Fall):
        yield from (s.name for s in show.steps)
    if isinstance(show, Points):
        yield from show.lines
    if isinstance(show, Table):
        for row in show.rows:
            yield from (Line(c.text, (c,)) if isinstance(c, Fact) else c for c in row)


def facts_of(slide):
    return [f for said in lines_of(slide) for f in said.facts]


def recomputed(saved, datum):
    """A datum's value from the JSON alone."""
    values = [saved.data for _ in datum.pointers]
    for k, pointer in enumerate(datum.pointers):
        for key in pointer.split("/"):
            values[k] = values[k][int(key)] if isinstance(values[k], list) else values[k][key]
    if datum.how == "count":
        return float(len(datum.pointers))
    if datum.how.startswith("minus "):
        return -HOWS[datum.how.removeprefix("minus ")](values)
    if datum.how.startswith("band "):
        return values[0] + math.copysign(0.5 * (values[2] - values[1]), float(datum.how[5:]))
    return HOWS[datum.how](values)


def number(text):
    """The first number of a text, its scale, and half of its last digit."""
    match = re.search(r"([−-]?)([\d,]+)(\.\d+)?(%|\s?[kMB](?=[A-Z])|)", text)
    sign, whole, part, unit = match.groups()
    scale = {"%": 0.01, "k": 1e3, "M": 1e6, "B": 1e9}.get(unit.strip(), 1.0)
    value = float(whole.replace(",", "") + (part or "")) * (-1 if sign else 1)
    digits = len(part) - 1 if part else 0
    # money has three digits: 1,240 k is never written, 1.24 M is
    return value * scale, 0.5000001 * 10.0**-digits * scale


def halves(text):
    """Mean and half-width; a unit that is said once is that of both."""
    mean, half = text.split("±")
    unit = re.search(r"[\xa0 ]([kMB]?[A-Z]{3}(/day)?|months|weeks)", half)
    return [
        mean.rstrip() + (unit.group() if unit and not re.search("[A-Za-z%]", mean) else ""),
        half,
    ]


def test_every_number_of_a_text_is_the_results(results, story):
    by_file = {(s.file, s.kind): s for s in story.answers}
    checked = 0
    for slide in story.slides:
        saved_of = [s for s in by_file.values() if slide.source.text.find(s.run_id) >= 0]
        for fact in facts_of(slide):
            for k, datum in enumerate(fact.data):
                found = [
                    s for s in (saved_of or by_file.values())
                    if all(_there(s, p) for p in datum.pointers)
                ]  # fmt: skip
                if slide.key == "how_made" and not found:
                    continue
                assert found, (slide.key, fact)
                values = [recomputed(s, datum) for s in by_file.values()
                          if all(_there(s, p) for p in datum.pointers)]  # fmt: skip
                assert any(v == pytest.approx(datum.value, rel=1e-12) for v in values)
                text = halves(fact.text)[k] if "±" in fact.text else fact.text
                if "not known" in text or datum.how == "count":
                    continue
                said, half = number(text)
                three = 0.0051 * abs(datum.value) if re.search("[kMB]?USD", text) else 0.0
                assert abs(abs(said) - abs(datum.value)) <= max(half, three), (fact, datum)
                checked += 1
    assert checked > 100


def _there(saved, pointer):
    value = saved.data
    for key in pointer.split("/"):
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, ValueError, TypeError):
            return False
    return True


def test_no_number_is_anybody_elses(board, story):
    """What is on the slides in digits stands in a fact."""
    by_title = {s.title.text: s for s in story.slides}
    for shown in Presentation(str(board.path)).slides:
        slide = by_title[shown.shapes.title.text_frame.text]
        known = sorted({f.text for f in facts_of(slide)}, key=len, reverse=True)
        for shape in shown.shapes:
            if shape.is_placeholder and shape.placeholder_format.type == 13:
                continue  # the slide's own number
            texts = [shape.text_frame.text] if shape.has_text_frame else []
            if getattr(shape, "has_table", False):
                texts = [c.text for row in list(shape.table.rows)[1:] for c in row.cells]
            for text in texts:
                for fact in known:
                    text = text.replace(fact, "")
                assert not re.search(r"\d", text), (slide.key, text)


def test_a_template_sentence_has_no_digits():
    with pytest.raises(AssertionError):
        line("adds 3 to {}", Fact("", "ARR"))


def test_charts_hold_the_results_numbers(board, story):
    shown = {s.name: s for slide in Presentation(str(board.path)).slides for s in slide.shapes}
    seen = 0
    for slide in story.slides:
        if not isinstance(slide.show, CHARTS):
            continue
        chart = shown[f"growthsim:{slide.key}:chart"].chart
        wanted = grid(slide.show)
        drawn = [s for p in chart.plots for s in p.series]
        assert [s.name for s in drawn] == [c.name for c in wanted.columns]
        for series, column in zip(drawn, wanted.columns, strict=True):
            assert tuple(series.values) == column.values
            seen += len(column.values)
        assert tuple(chart.plots[0].categories) == wanted.categories
        book = zipfile.ZipFile(io.BytesIO(chart.part.chart_workbook.xlsx_part.blob))
        sheet = etree.fromstring(book.read("xl/worksheets/sheet1.xml"))
        held = [
            float(v.text) for c in sheet.iter("{*}c") if c.get("t") != "s" for v in c.iter("{*}v")
        ]
        assert sorted(held) == pytest.approx(
            sorted(v for c in wanted.columns for v in c.values if v is not None)
        )
    assert seen > 300


def test_data_of_charts_are_the_results(story):
    """What a chart is made of comes from the JSON: series from pointers, bars from changes."""
    by_kind = {s.kind: s for s in story.answers}
    for slide in story.slides:
        saved = {"pushing": "curve", "constraint": "constraint"}.get(slide.key, "comparison")
        show = slide.show
        data = []
        if isinstance(show, Bars | Lines | Stack):
            data = [d for s in show.series for d in (*s.values, *s.low, *s.high) if d is not None]
        elif isinstance(show, Fall):
            data = [s.change for s in show.steps]
        for datum in data:
            assert recomputed(by_kind[saved], datum) == pytest.approx(datum.value, rel=1e-12)


def test_bands_carry_each_other(story):
    """Stacked areas from the bottom up lie where the intervals lie."""
    show = next(s.show for s in story.slides if s.key == "answer")
    columns = [c for c in grid(show).columns if c.kind in ("hidden", "band")]
    level = [0.0] * len(show.steps)
    ends = []
    for column in columns:
        level = [a + b for a, b in zip(level, column.values, strict=True)]
        ends.append(level)
    wanted = [end for s in show.series for end in (s.low, s.high)]
    for found, end in zip(ends, wanted, strict=True):
        assert found == pytest.approx([d.value for d in end], abs=1e-6)


def test_a_waterfall_lands_where_the_result_does(story):
    show = next(s.show for s in story.slides if s.key == "effort")
    spans = show.spans()
    assert spans[-2][1] == pytest.approx(spans[-1][1])
    columns = {c.name: c.values[::-1] for c in grid(show).columns}
    low = [min(span) for span in spans]
    assert [v for v in columns["Carries"] if v is not None] == pytest.approx(low)


def test_a_waterfall_across_zero():
    from simulator.report.story.say import Datum
    from simulator.report.story.spec import Step

    def step(change, total=False):
        return Step(Line("x"), Datum(change, ("p",)), total)

    show = Fall((step(2.0, True), step(-5.0), step(1.0), step(-2.0, True)), "count")
    assert show.spans() == [(0.0, 2.0), (2.0, -3.0), (-3.0, -2.0), (0.0, -2.0)]
    columns = [c.values[::-1] for c in grid(show).columns if c.kind == "bar"]
    whole = [[v for c in columns if (v := c[k])] for k in range(4)]
    bars = [(sum(v for v in vs if v > 0), sum(v for v in vs if v < 0)) for vs in whole]
    assert bars == [(2.0, 0), (2.0, -3.0), (0, -1.0), (0, -2.0)]


def test_the_package_is_in_order(board):
    assert disorder(board.path) == []


@pytest.mark.parametrize(
    ("part", "old", "new", "says"),
    [
        ("ppt/slides/slide1.xml", b"</a:p>", b"<a:pPr/></a:p>", "slide1.xml: p: ['r', 'pPr']"),
        ("ppt/slides/slide1.xml", b'r:id="', b'r:id="no', "is related to nothing"),
        ("ppt/charts/chart1.xml", b'<c:order val="1"/>', b'<c:order val="0"/>', "series of order"),
        ("ppt/charts/chart1.xml", b"$A$2:$A$", b"$A$3:$A$", "is of another length"),
        ("ppt/charts/chart1.xml", b"<c:v>", b"<c:v>1", "is shown, and "),
        ("ppt/charts/chart1.xml", b"</c:spPr>", b"<a:noFill/></c:spPr>", "spPr: "),
    ],
)
def test_what_is_not_in_order_is_found(part, old, new, says, board, tmp_path):
    """The check of packages finds each kind of fault."""
    with zipfile.ZipFile(board.path) as was, zipfile.ZipFile(tmp_path / "b.pptx", "w") as now:
        for entry in was.infolist():
            content = was.read(entry)
            if entry.filename == part:
                assert old in content
                content = content.replace(old, new, 1 if b"<c:v>" not in old else -1)
            now.writestr(entry, content)
    assert says in " ".join(disorder(tmp_path / "b.pptx"))


def test_slides_are_whole(board, story):
    shown = list(Presentation(str(board.path)).slides)
    assert 8 <= len(shown) <= 12
    for slide, said in zip(shown, story.slides, strict=True):
        assert slide.shapes.title.text_frame.text == said.title.text
        assert slide.has_notes_slide
        by_name = {s.name: s for s in slide.shapes}
        main = next(s for n, s in by_name.items()
                    if re.search(r":(chart|table|picture|points)$", n))  # fmt: skip
        assert main._element.xpath(".//p:cNvPr")[0].get("descr") == alt(said)
        source = by_name[f"growthsim:{said.key}:source"].text_frame.text
        for part in ("run ", "engine ", "seed ", "replications", "growthsim "):
            assert part in source
        for shape in slide.shapes:
            assert shape.left >= 0
            assert shape.top + shape.height <= 7.5 * 914400 + 1
            assert shape.left + shape.width <= 13.34 * 914400


def test_order_of_the_story(story):
    keys = [s.key for s in story.slides]
    assert keys == ["answer", "push_fix", "effort", "pushing", "constraint", "busiest", "economics",
                    "ledger", "queues", "assumptions_1", "how_made"]  # fmt: skip
    assert isinstance(next(s.show for s in story.slides if s.key == "busiest"), Picture)
    said = " ".join(x.text for x in story.slides[-1].show.lines)
    assert "What must be true to reach a target?" in said
    assert "Where is the constraint?" not in said.partition("Not asked")[2]


def test_an_answer_of_a_kind_that_nobody_knows(tmp_path, results):
    seek = {"kind": "seek", "scenario": "Today", "engine": "batch", "seed": 1, "replications": 3,
            "confidence": 0.95, "stopped": "number given",
            "sentences": ["Two levers reach 210 kUSD per head.", "One does not."]}  # fmt: skip
    other = {"kind": "something_new", "scenario": "Today", "sentences": ["It is new."]}
    for name, said in (("seek", seek), ("new", other)):
        (tmp_path / f"{name}.json").write_text(json.dumps(said))
    told = tell(read([*results, tmp_path / "seek.json", tmp_path / "new.json"]))
    keys = [s.key for s in told.slides]
    assert keys.index("constraint") < keys.index("seek_today") < keys.index("economics")
    assert "something_new_today" in keys
    assert "What must be true to reach a target?" not in told.not_asked


def test_kinds_have_tellers():
    assert {c.kind for c in CHAPTERS} >= {
        "comparison",
        "curve",
        "constraint",
        "explanation",
        "seek",
    }


def test_twice_the_same_bytes(results, board, tmp_path):
    again = deck.make(results, tmp_path / "again.pptx")
    assert again.path.read_bytes() == board.path.read_bytes()


def test_every_name_that_may_be_asked(results, story):
    names = deck.names(results)
    assert names["fix.gain"] == "4.0%\u00a0±\u00a00.5%"
    assert names["arr_gain"] == names["fix.gain"]
    assert names["push.cost"] == story.facts["push.cost"].text
    assert {"today.cac", "push_equal.arr", "fix.name", "verdict", "equal_spend"} <= set(names)


# ---------------------------------------------------------------- refresh


def worked_on(board, path: Path) -> None:
    """A deck after somebody had it: moved, restyled, reworded, annotated."""
    shown = Presentation(str(board.path))
    answer, fix = shown.slides[0], shown.slides[1]
    chart = next(s for s in answer.shapes if s.has_chart)
    chart.left, chart.width = Inches(2), Inches(8)
    chart.chart.plots[1].series[0].format.line.color.rgb = RGBColor(1, 2, 3)
    run = answer.shapes.title.text_frame.paragraphs[0].runs[0]
    run.font.size, run.font.italic = Pt(19), True
    note = answer.shapes.add_textbox(0, 0, Inches(2), Inches(1))
    note.text_frame.text = "Ask Kim about 4.0% ± 0.5%"
    fix.shapes.title.text_frame.text = (
        "Board: we say 3.5% ± 1.5% more ARR, for 300 kUSD a year each"
    )
    own = shown.slides.add_slide(shown.slide_layouts[0])
    own.shapes.title.text_frame.text = "Our own slide, 17 people"
    shown.save(str(path))


def test_a_refresh_keeps_what_hands_did(board, later, tmp_path):
    path = tmp_path / "board.pptx"
    worked_on(board, path)
    before = path.read_bytes()
    made = deck.refresh(later, path)
    assert made.backup is not None
    assert made.backup.read_bytes() == before
    assert disorder(path) == []
    shown = Presentation(str(path))
    answer, fix, own = shown.slides[0], shown.slides[1], shown.slides[-1]
    chart = next(s for s in answer.shapes if s.has_chart)
    assert (chart.left, chart.width) == (Inches(2), Inches(8))
    told = {s.key: s for s in tell(read(later)).slides}
    line_series = chart.chart.plots[1].series[0]
    assert line_series.format.line.color.rgb == RGBColor(1, 2, 3)
    wanted = next(c for c in grid(told["answer"].show).columns if c.kind == "line")
    assert tuple(line_series.values) == wanted.values
    title = answer.shapes.title.text_frame
    assert title.text == told["answer"].title.text
    assert title.paragraphs[0].runs[0].font.italic
    assert title.paragraphs[0].runs[0].font.size == Pt(19)
    # A title in other words keeps them: only its numbers move, and it is said.
    assert fix.shapes.title.text_frame.text == (
        "Board: we say 7.0%\u00a0±\u00a01.0% more ARR, for 300 kUSD a year each"
    )
    problems = " ".join(made.problems)
    assert "push_fix title: was edited by hand" in problems
    assert own.shapes.title.text_frame.text == "Our own slide, 17 people"
    notes = [s.text_frame.text for s in answer.shapes if s.has_text_frame]
    assert "Ask Kim about 4.0% ± 0.5%" in notes
    assert any("chart answer" in c for c in made.changed)


def test_numbers_move_in_a_title_of_other_words(board, later, story, tmp_path):
    path = tmp_path / "b.pptx"
    shown = Presentation(str(board.path))
    frame = shown.slides[0].shapes.title.text_frame
    old, new = story.facts["fix.gain"].text, tell(read(later)).facts["fix.gain"].text
    assert old != new
    run = frame.paragraphs[0].runs[0]
    run.text = "The board should know: "
    bold = frame.paragraphs[0].add_run()
    bold.text, bold.font.bold = old.replace("\u00a0", " "), True
    frame.paragraphs[0].add_run().text = " from the fix"
    shown.save(str(path))
    deck.refresh(later, path)
    frame = Presentation(str(path)).slides[0].shapes.title.text_frame
    assert frame.text == f"The board should know: {new} from the fix"
    assert frame.paragraphs[0].runs[1].font.bold


def test_a_refresh_with_the_same_result_changes_nothing(board, results, tmp_path):
    path = tmp_path / "b.pptx"
    shutil.copy(board.path, path)
    made = deck.refresh(results, path)
    assert made.changed == ()
    assert made.problems == ()
    assert made.backup is None
    assert path.read_bytes() == board.path.read_bytes()


def test_a_refresh_says_what_it_could_not_find(board, later, tmp_path):
    path = tmp_path / "b.pptx"
    shown = Presentation(str(board.path))
    chart = next(s for s in shown.slides[0].shapes if s.has_chart)
    chart._element.getparent().remove(chart._element)
    heading = next(s for s in shown.slides[1].shapes if s.name.endswith(":heading"))
    heading.name = "Text 1"
    chart = next(s for s in shown.slides[1].shapes if s.has_chart)
    chart.name = "Chart 1"
    table = next(s for s in shown.slides[6].shapes if getattr(s, "has_table", False))
    table._element.graphic.graphicData.tbl.remove(table._element.graphic.graphicData.tbl.tr_lst[-1])
    shown.save(str(path))
    problems = " ".join(deck.refresh(later, path).problems)
    assert "growthsim:answer:chart: could not be found" in problems
    assert "growthsim:push_fix:chart: could not be found" in problems
    assert "table economics: has no row 'CAC': deleted, or new" in problems


def test_a_refresh_with_fewer_variants(board, tmp_path):
    arms = [arm(), arm("Fix", "fix", mean=9e5)]
    fewer = folders(tmp_path, arms=arms)
    path = tmp_path / "b.pptx"
    shutil.copy(board.path, path)
    made = deck.refresh(fewer, path)
    problems = " ".join(made.problems)
    assert "series and now has" in problems
    assert "table economics: holds 'Push harder', which this result does not have" in problems
    assert disorder(path) == []
    chart = next(s for s in Presentation(str(path)).slides[0].shapes if s.has_chart).chart
    told = {s.key: s for s in tell(read(fewer)).slides}
    assert [s.name for p in chart.plots for s in p.series] == [
        c.name for c in grid(told["answer"].show).columns
    ]


def test_a_deck_that_forgot_what_was_written(board, later, tmp_path):
    """Another program dropped the record: charts are filled, other texts are left and told."""
    path = tmp_path / "b.pptx"
    shown = Presentation(str(board.path))
    for key, rel in list(shown.part.rels.items()):
        if rel.reltype.endswith("/customXml"):
            shown.part.drop_rel(key)
            shown.part.rels.pop(key) if key in shown.part.rels else None
    shown.save(str(path))
    made = deck.refresh(later, path)
    problems = " ".join(made.problems)
    assert "answer notes: the deck does not remember what was written here" in problems
    assert "answer title" not in problems
    # A title over its new chart is never the old one: the alt text knows what it was.
    told = {s.key: s for s in tell(read(later)).slides}
    first = Presentation(str(path)).slides[0]
    assert first.shapes.title.text_frame.text == told["answer"].title.text
    source = next(s for s in first.shapes if s.name.endswith("source")).text_frame.text
    assert read(later)[0].run_id in source
    assert any("chart answer" in c for c in made.changed)


def test_names_in_somebodys_own_slides(results, later, tmp_path):
    own = Presentation()
    slide = own.slides.add_slide(own.slide_layouts[5])
    paragraph = slide.shapes.title.text_frame.paragraphs[0]
    for part, bold in (
        ("We gain {{fix", False),
        (".gain}} of ", True),
        ("{{nobody.knows}}", False),
    ):
        run = paragraph.add_run()
        run.text, run.font.bold = part, bold
    table = slide.shapes.add_table(1, 1, 0, 0, Inches(2), Inches(1)).table
    table.cell(0, 0).text = "{{ today.cac }}"
    data = CategoryChartData()
    data.categories = ["a"]
    data.add_series("s", [1])
    box = (Inches(1), Inches(2), Inches(6), Inches(4))
    chart = slide.shapes.add_chart(XL_CHART_TYPE.LINE, *box, data)
    chart.name = "{{pushing}}"
    dots = XyChartData()
    dots.add_series("s").add_data_point(1, 2)
    slide.shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, *box, dots).name = "{{effort}}"
    path = tmp_path / "own.pptx"
    own.save(str(path))

    made = deck.refresh(results, path)
    names = deck.names(results)
    shown = Presentation(str(path)).slides[0]
    assert (
        shown.shapes.title.text_frame.text == f"We gain {names['fix.gain']} of {{{{nobody.knows}}}}"
    )
    assert (
        next(s for s in shown.shapes if getattr(s, "has_table", False)).table.cell(0, 0).text
        == (names["today.cac"])
    )
    filled = next(s for s in shown.shapes if s.name == "{{pushing}}").chart
    assert [s.name for s in filled.plots[0].series] == [
        "The first step's yield, kept up", "ARR simulated",
    ]  # fmt: skip
    problems = " ".join(made.problems)
    assert "{{nobody.knows}}: nothing is called that" in problems
    assert "a scatter chart cannot hold these numbers" in problems

    deck.refresh(later, path)  # the names are gone, and still known
    again = Presentation(str(path)).slides[0].shapes.title.text_frame.text
    assert again == f"We gain {deck.names(later)['fix.gain']} of {{{{nobody.knows}}}}"
    assert len(list(tmp_path.glob("own.backup*.pptx"))) == 2


# ---------------------------------------------------------------- templates


def as_template(path: Path, **layout: object) -> Path:
    """A company's template, .potx: 4:3, its own colours, one slide that asks for a number."""
    own = Presentation()
    slide = own.slides.add_slide(own.slide_layouts[5])
    slide.shapes.title.text_frame.text = "Fix: {{fix.gain}}"
    own.save(str(path))
    if path.suffix == ".potx":
        raw, out = path.read_bytes(), io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w") as new:
            for entry in old.infolist():
                content = old.read(entry).replace(
                    b"presentationml.presentation.main", b"presentationml.template.main"
                )
                new.writestr(entry, content)
        path.write_bytes(out.getvalue())
    return path


@pytest.mark.parametrize("ending", [".pptx", ".potx"])
def test_a_companys_template(results, ending, tmp_path):
    template = as_template(tmp_path / f"corporate{ending}")
    held = template.read_bytes()
    made = deck.make(results, tmp_path / "board.pptx", template)
    assert template.read_bytes() == held
    assert disorder(made.path) == []
    shown = Presentation(str(made.path))
    assert shown.slide_width == Inches(10)
    first, *ours = shown.slides
    assert first.shapes.title.text_frame.text == f"Fix: {deck.names(results)['fix.gain']}"
    assert len(ours) == len(made.story.slides)
    for slide in ours:
        assert slide.slide_layout.name == "Title Only"
        for shape in slide.shapes:
            assert shape.top + shape.height <= shown.slide_height
    # The theme's own colours, not ours.
    chart = next(s for s in ours[0].shapes if s.has_chart).chart
    colours = {e.get("val") for e in chart._chartSpace.iter(f"{A}schemeClr")}
    assert {"accent1", "accent2"} <= colours


def test_a_template_without_a_layout_with_a_title(results, tmp_path):
    own = Presentation()
    for layout in list(own.slide_layouts):
        if layout.name != "Blank":
            own.slide_layouts.remove(layout)
    own.save(str(tmp_path / "bare.pptx"))
    with pytest.raises(DataError, match=r"bare\.pptx: no layout has a title .*'Blank'.*Title Only"):
        deck.make(results, tmp_path / "b.pptx", tmp_path / "bare.pptx")
    assert not (tmp_path / "b.pptx").exists()


# ---------------------------------------------------------------- bad input


def test_formulas_in_names_are_text(tmp_path):
    evil = "=cmd|' /C calc'!A0"
    arms = [arm(), arm(evil, "push", mean=5e5), arm("@fix", "fix", mean=8e5)]
    made = deck.make(folders(tmp_path, arms=arms), tmp_path / "b.pptx")
    for slide in Presentation(str(made.path)).slides:
        for shape in slide.shapes:
            if not shape.has_chart:
                continue
            book = zipfile.ZipFile(io.BytesIO(shape.chart.part.chart_workbook.xlsx_part.blob))
            sheet = etree.fromstring(book.read("xl/worksheets/sheet1.xml"))
            assert not list(sheet.iter("{*}f"))
            words = etree.fromstring(book.read("xl/sharedStrings.xml"))
            texts = ["".join(t.itertext()) for t in words.iter("{*}si")]
            assert not [t for t in texts if t.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: p.write_bytes(b"no deck"), "is not a PowerPoint file that can be read"),
        (lambda p: zipfile.ZipFile(p, "w").writestr("a", "b"), "is not a PowerPoint file"),
        (lambda p: Presentation().save(str(p)), "holds nothing to refresh"),
        (lambda p: None, "cannot be read \\(no such file"),
    ],
)
def test_what_is_no_deck_of_ours(make, says, results, tmp_path):
    path = tmp_path / "x.pptx"
    make(path)
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(DataError, match=f"x\\.pptx: {says}"):
        deck.refresh(results, path)
    assert (path.read_bytes() if path.exists() else None) == before
    assert [p.name for p in tmp_path.iterdir()] in ([], ["x.pptx"])


def test_a_deck_that_is_there_is_not_overwritten(results, tmp_path):
    path = tmp_path / "b.pptx"
    path.write_bytes(b"mine")
    with pytest.raises(DataError, match=r"is there already\. Update it with --refresh"):
        deck.make(results, path)
    with pytest.raises(DataError, match=r"ends in \.pptx"):
        deck.make(results, tmp_path / "b.ppt")
    assert path.read_bytes() == b"mine"


def test_a_failure_leaves_the_old_deck(board, later, tmp_path, monkeypatch):
    path = tmp_path / "b.pptx"
    shutil.copy(board.path, path)
    monkeypatch.setattr(
        Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    with pytest.raises(DataError, match="cannot be written \\(no space left\\)"):
        deck.refresh(later, path)
    assert path.read_bytes() == board.path.read_bytes()
    assert not list(tmp_path.glob(".part-*"))


def test_a_demo_is_several_answers(results, tmp_path):
    parts = {k: json.loads((f / "result.json").read_text())
             for k, f in zip(("compare", "curve", "constraint"), results, strict=True)}  # fmt: skip
    file = tmp_path / "demo.json"
    file.write_text(json.dumps({"kind": "demo", "study": "a-study", **parts}))
    assert [s.kind for s in read([file])] == ["comparison", "curve", "constraint"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is not the JSON of a result"),
        ("[]", "does not say its kind"),
        (
            '{"kind": "comparison", "arms": []}',
            "without verdict, .* cannot be shown.*run the question",
        ),
        ('{"kind": "comparison", "a": NaN}', "is not the JSON of a result"),
        ('{"kind": "fit"}', "nothing to show in a result of kind fit"),
    ],
)
def test_results_that_cannot_be_shown(content, says, tmp_path):
    file = tmp_path / "r.json"
    file.write_text(content)
    with pytest.raises(DataError, match=rf"r\.json: .*{says}"):
        tell(read([file]))
    with pytest.raises(DataError, match=r"holds no result\.json"):
        read([tmp_path])


@pytest.mark.parametrize(
    "damage", ["arms/1/gain/relative", "arms/0/metrics/arr/mean", "verdict/code"]
)
def test_a_result_with_a_hole(damage, results, tmp_path):
    data = json.loads((results[0] / "result.json").read_text())
    *way, last = damage.split("/")
    at = data
    for key in way:
        at = at[int(key)] if isinstance(at, list) else at[key]
    at[last] = ["not", "this"] if last != "relative" else at.pop(last) and {}
    (tmp_path / "r.json").write_text(json.dumps(data))
    with pytest.raises(DataError, match=r"r\.json"):
        tell(read([tmp_path / "r.json"]))


def test_letters_fit():
    assert fitted("short", 24, Inches(12), Inches(1)) == 24
    long = fitted("word " * 60, 24, Inches(12), Inches(1))
    assert 16 <= long < 24


# ---------------------------------------------------------------- other programs


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed here")
def test_libreoffice_opens_it_and_gives_it_back(board, later, tmp_path):
    def convert(path: Path, to: str, into: Path) -> Path:
        home = f"-env:UserInstallation=file://{tmp_path}/home"
        command = [
            "soffice",
            home,
            "--headless",
            "--convert-to",
            to,
            "--outdir",
            str(into),
            str(path),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=180)
        return into / f"{path.stem}.{to}"

    pdf = convert(board.path, "pdf", tmp_path / "pdf")
    pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf.read_bytes()))
    assert pages == len(board.story.slides)
    # What another program saved can be refreshed: charts by their names.
    back = convert(board.path, "pptx", tmp_path / "back")
    made = deck.refresh(later, back)
    assert any("chart push_fix" in c for c in made.changed)
    convert(back, "pdf", tmp_path / "again")
