"""Slides of decisions: native charts and tables whose numbers are those of the results."""

from __future__ import annotations

import re

import pytest
from made_results import curves, isoquants, many_worlds, sought, standing, tornado, watched
from pptx import Presentation
from test_deck import facts_of, halves, number, recomputed

from simulator.report import deck, page, write
from simulator.report.deck.data import grid
from simulator.report.saved import read
from simulator.report.story import say, tell
from simulator.report.story.say import Fact
from simulator.report.story.spec import Bars, Picture, Stack, Table
from simulator.vocabulary import YEAR

MADE = {
    "constraint": watched,
    "seek": sought,
    "robustness": standing,
    "worlds": many_worlds,
    "sensitivity": tornado,
    "curves": curves,
    "isoquant": isoquants,
}
SHOWS = {"path": Table, "seek": Table, "robustness": Table, "worlds": Stack, "sensitivity": Bars}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("decisions")
    for name, make in MADE.items():
        write(make(), root / name, figures=False)
    return [root / name for name in MADE]


@pytest.fixture(scope="module")
def slides(folders):
    story = tell(read(folders))
    assert not {q for q in story.not_asked if "move next" in q or "verdict stand" in q}
    return {s.key.partition("_")[0]: s for s in story.slides}


@pytest.mark.parametrize("kind", SHOWS)
def test_a_decision_has_a_chart_or_a_table(slides, kind):
    assert isinstance(slides[kind].show, SHOWS[kind])


@pytest.mark.parametrize("kind", SHOWS)
def test_numbers_of_decisions_are_the_results(slides, folders, kind):
    wanted = "constraint" if kind == "path" else kind
    saved = next(s for s in read(folders) if s.kind == wanted)
    checked = 0
    for fact in facts_of(slides[kind]):
        for k, datum in enumerate(fact.data):
            assert recomputed(saved, datum) == pytest.approx(datum.value, rel=1e-12)
            text = halves(fact.text)[k] if "±" in fact.text else fact.text
            found, half = number(text)
            value = datum.value * (YEAR if "year" in text else 1.0)
            near = 0.0051 * abs(value) if re.search("[kMB]?USD", text) else 0.0
            assert abs(abs(found) - abs(value)) <= max(half, near), (fact, datum)
            checked += 1
    assert checked > 3


def test_what_no_native_chart_can_show_is_a_picture(folders, slides, tmp_path):
    for key in ("curves", "isoquant", "shifting"):
        assert isinstance(slides[key].show, Picture)
    made = deck.make(folders[-2:], tmp_path / "b.pptx").path
    pictures = [s for p in Presentation(str(made)).slides for s in p.shapes
                if s.name.endswith(":picture")]  # fmt: skip
    assert [p.image.content_type for p in pictures] == ["image/png"] * 2
    assert deck.refresh(folders[-2:], made).changed == ()


def test_a_target_is_told_as_people_say_it(slides, folders):
    said = slides["seek"].title.text
    assert said.startswith("ARR ≥ 22 MUSD takes desk0 headcount from 2 to 3, for ")


@pytest.mark.parametrize(
    ("mean", "half", "metric", "said"),
    [
        (32.84e6, 2.57e5, "arr", "32.84 ± 0.26 MUSD"),
        (3e5, 2354.0, "arr_per_head", "300.0 ± 2.4 kUSD"),
        (0.0, 598e3, "arr", "0 ± 598 kUSD"),
        (-2.6e6, 598e3, "arr", "−2.60 ± 0.60 MUSD"),
        (13200.0, 420.0, "sales_velocity", "13.20 ± 0.42 kUSD/day"),
        (17.7, 0.35, "cac_payback_months", "17.70 ± 0.35 months"),
        (0.222, 0.004, "win_rate", "22.2% ± 0.4%"),
    ],
)
def test_an_interval_has_one_unit(mean, half, metric, said):
    found = say.plus_minus(mean, half, lambda v: say.level(v, metric, "USD"))
    assert found.replace(say.HARD, " ") == said


def test_the_histogram_has_every_world_once(slides):
    show, result = slides["worlds"].show, many_worlds()
    sums = [sum(d.value for d in s.values if d is not None) for s in show.series]
    push = int((result.difference < 0).sum())
    assert sums == [push, len(result.difference) - push]


def test_a_tornado_has_both_ends_against_what_is_stated(slides):
    show, result = slides["sensitivity"].show, tornado()
    low, high = ([d.value for d in s.values] for s in show.series)
    assert low == [b.low.gain.mean for b in result.bars]
    assert high == [b.high.gain.mean for b in result.bars]


def test_a_verdict_that_flips_is_told_in_bold(slides):
    show = slides["robustness"].show
    assert slides["robustness"].title.text.startswith("Fix beats Push harder, but not with desk0")
    cells = [[c.text for c in row] for row in show.rows]
    assert cells[show.strong[0]][1].endswith("(flips)")
    assert any(cell.endswith("(not told)") for row in cells for cell in row)


def test_the_deck_and_the_page_hold_them(folders, slides, tmp_path):
    made = deck.make(folders, tmp_path / "board.pptx")
    shown = {s.name: s for p in Presentation(str(made.path)).slides for s in p.shapes}
    for slide in slides.values():
        if isinstance(slide.show, Bars | Stack):
            series = [
                s for p in shown[f"growthsim:{slide.key}:chart"].chart.plots for s in p.series
            ]
            for drawn, column in zip(series, grid(slide.show).columns, strict=True):
                assert tuple(drawn.values) == column.values
    html = page.make(folders, tmp_path / "page.html").path.read_text(encoding="utf-8")
    assert "Fix is better" in html
    assert "(flips)" in html


def test_an_old_result_is_told_in_sentences(folders, tmp_path):
    import json

    data = json.loads((folders[3] / "result.json").read_text())
    del data["histogram"]
    (tmp_path / "old.json").write_text(json.dumps(data))
    story = tell(read([tmp_path / "old.json"]))
    assert not isinstance(story.slides[0].show, Stack)
    assert isinstance(facts_of(story.slides[0])[0], Fact)
