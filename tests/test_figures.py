"""Figures: what is on the axes is what the result says, and it can be read."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from made_results import (
    arm,
    backtested,
    candidate,
    comparison,
    constraint,
    curve,
    curves,
    gain,
    isoquants,
    many_worlds,
    sought,
    squared,
    standing,
    system,
    tornado,
    watched,
)
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from simulator.analysis.comparison import Verdict
from simulator.analysis.estimate import Estimate
from simulator.analysis.hours import paid_hours
from simulator.analysis.parts import Absorption, Knee
from simulator.report.figures import FIGURES, figure_of, heatmap, save_all, style
from simulator.report.figures.curves import gap_areas
from simulator.report.figures.facts import few, heats, largest

ALL = [(kind, name) for kind, plots in FIGURES.items() for name in plots]
MADE = {
    "backtest": backtested,
    "comparison": comparison,
    "curve": curve,
    "curves": curves,
    "constraint": watched,
    "isoquant": isoquants,
    "seek": sought,
    "sensitivity": tornado,
    "worlds": many_worlds,
    "robustness": standing,
}
LONG = "A name that someone was so kind as to write out in full, with all its ifs and buts, " * 2
STRANGE = [
    "$x^2$ and $\\frac",
    "a_b{c}\n\tnew line",
    "Ärger & <Größe> %s {0}",
    "Ещё маркетинг",
    "推广更多",
]


def texts(figure: Figure) -> list[Text]:
    """Texts that are seen."""
    found = list(figure.texts)
    for axes in [a for outer in figure.axes for a in (outer, *outer.child_axes)]:
        found += [*axes.texts, axes.title]
        if not axes.axison:
            continue
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            slack = 1e-9 * (high - low)
            found.append(axis.label)
            # Without labels where a neighbour has them.
            labels = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=False)
            found += [t for at, t in labels if low - slack <= at <= high + slack]
            assert not axis.get_offset_text().get_text()
    return [t for t in found if t.get_visible() and t.get_text().strip()]


def legible(figure: Figure) -> None:
    """Every text is large enough, within the figure, and touches no other."""
    frame = figure.bbox
    seen = [(t, t.get_window_extent()) for t in texts(figure)]
    for text, box in seen:
        said = text.get_text()
        assert text.get_fontsize() >= 14.0, said
        assert frame.x0 - 1 <= box.x0 <= box.x1 <= frame.x1 + 1, said
        assert frame.y0 - 1 <= box.y0 <= box.y1 <= frame.y1 + 1, said
    for (a, box), (b, other) in combinations(seen, 2):
        wide = min(box.x1, other.x1) - max(box.x0, other.x0)
        tall = min(box.y1, other.y1) - max(box.y0, other.y0)
        assert wide <= 1.0 or tall <= 3.0, f"{a.get_text()!r} lies on {b.get_text()!r}"


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_a_slide_can_be_read(kind, name):
    with style.look():
        figure = figure_of(FIGURES[kind][name](MADE[kind]()))
        assert figure.get_size_inches() == pytest.approx((13.33, 7.5))
        legible(figure)
        title, source = figure.texts[:2]
        assert title.get_fontsize() >= 20.0
        assert title.get_text().count("\n") <= 1
        if kind == "backtest":
            assert "ours · events.csv · 100 draws, 90% intervals" in source.get_text()
        else:
            assert "seed 7" in source.get_text()
            assert "5 paired replications, 95% intervals" in source.get_text()
        assert "growthsim" in source.get_text()


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_draws_on_the_axes_it_is_given(kind, name):
    figure = Figure(figsize=style.SIZE)
    axes = figure.add_subplot(1, 2, 1)
    before = dict(mpl.rcParams)
    assert FIGURES[kind][name](MADE[kind](), axes) is axes
    assert not figure.texts
    assert dict(mpl.rcParams) == before


def test_waterfall_adds_up():
    result = comparison()
    axes = FIGURES["comparison"]["absorption_waterfall"](result)
    bars = [(p.get_x(), p.get_x() + p.get_width()) for p in axes.patches]
    a = result.arms[1].absorption
    assert bars[0] == (0.0, a.straight_line)
    assert bars[-1] == (0.0, a.actual)
    level = a.straight_line
    for (start, end), part in zip(bars[1:-1], sorted(a.parts.values(), reverse=True), strict=True):
        assert start == pytest.approx(level)
        assert end == pytest.approx(level - part)
        level = end
    assert level == pytest.approx(a.actual)


def test_small_parts_are_shown_together():
    parts = {f"talk{i}: went_cold": float(i) for i in range(1, 20)}
    shown = largest(parts, 7)
    assert len(shown) == 7
    assert sum(v for _, v in shown) == pytest.approx(sum(parts.values()))
    assert shown[-1][0] == "all else (13 parts)"


def test_ledger_adds_up():
    axes = FIGURES["comparison"]["ledger"](comparison())
    bars = [(p.get_x(), p.get_x() + p.get_width()) for p in axes.patches]
    totals = [i for i, label in enumerate(axes.get_yticklabels()) if label.get_text() == "In all"]
    assert len(totals) == 2
    for total, expected in zip(totals, (5e5, 8e5), strict=True):
        assert bars[total - 1][1] == pytest.approx(expected)
        assert bars[total] == (0.0, pytest.approx(expected))


def test_arr_bands_hold_the_mean():
    result = comparison()
    axes = FIGURES["comparison"]["arr"](result)
    lines = {
        (line.get_color(), line.is_dashed()): np.asarray(line.get_ydata())
        for line in axes.lines
        if line.get_gid() != "leader"
    }
    assert lines[style.GREY, False] == pytest.approx(result.today.bands[:, 0])
    assert lines[style.VERMILLION, False] == pytest.approx(result.arms[1].bands[:, 0])
    assert lines[style.BLUE, False] == pytest.approx(result.arms[2].bands[:, 0])
    assert lines[style.VERMILLION, True] == pytest.approx(result.arms[3].bands[:, 0])
    assert len(axes.collections) == 3  # the dashed one has no band
    for band, drawn_arm in zip(axes.collections, result.arms, strict=False):
        heights = band.get_paths()[0].vertices[:, 1]
        mean = drawn_arm.bands[:, 0]
        assert heights.min() < mean.min()
        assert heights.max() > mean.max()


def test_heat_is_utilisation():
    result = comparison()
    axes = FIGURES["comparison"]["capacity_heat"](result)
    numbers = [t.get_text() for t in axes.texts if t.get_text().isdigit()]
    # Two teams, four quarters, three systems.
    assert numbers == ["50"] * 8 + ["90"] * 8 + ["40"] * 8
    frames = [p for p in axes.patches if isinstance(p, Rectangle) and not p.get_fill()]
    assert not frames


def test_heat_marks_more_work_than_a_week_holds():
    # 31 leads of 2 h wait for 60 hours a week in the last quarter.
    crowded = arm()
    waiting = crowded.waiting.copy()
    waiting[40:, 0] = 31.0
    crowded = replace(crowded, waiting=waiting)
    panel = heats(comparison([crowded, arm("Fix", "fix")]))[0]
    assert panel.over.tolist() == [[False, False, False, True], [False] * 4]


def test_the_note_of_a_heat_map_is_not_cut():
    figure = Figure(figsize=(7.0, 5.0), layout="constrained")
    panel = heatmap.constraint_panel(constraint())
    waiting = replace(panel, over=np.ones_like(panel.over, dtype=bool))
    axes = heatmap.draw([waiting], figure.subplots())
    assert heatmap.MARK in axes.get_xlabel().replace("\n", " ")
    figure.draw_without_rendering()
    box = axes.xaxis.label.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width


def test_paid_hours_are_those_of_a_run(tiny_record):
    record = tiny_record
    assert paid_hours(record.system, record.series.t) == pytest.approx(record.series.paid_hours)


@pytest.fixture(scope="module")
def tiny_record():
    from simulator.engines import simulate
    from simulator.system import build

    hire = "{at: week 6.5, add: teams.desk0.headcount, by: 1.5}"
    leave = "{at: week 10, scale: teams.desk1.headcount, by: 0.25}"
    found = system(horizon=20.5, levers=f"{hire}, {leave}")
    return simulate(build(found.scenario), "events")


def test_dots_lie_at_the_gains():
    result = comparison()
    axes = FIGURES["comparison"]["equal_spend"](result)
    whiskers = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 2][1:]
    # The fix, then the push scaled down, as shares of 20 million.
    assert np.asarray(whiskers) == pytest.approx(np.array([[0.035, 0.045], [-0.005, 0.015]]))
    labels = [t.get_text() for t in axes.get_yticklabels()]
    assert labels == ["Fix", "Push harder (0.4× its levers)"]


def test_straight_line_goes_through_the_first_two_points():
    result = curve()
    axes = FIGURES["curve"]["absorption_curve"](result)
    straight = next(line for line in axes.lines if line.is_dashed())
    mean = next(line for line in axes.lines if line.get_marker() == "o")
    assert straight.get_ydata()[:2] == pytest.approx(mean.get_ydata()[:2])
    assert mean.get_ydata() == pytest.approx([p.output.mean for p in result.points])
    knee = [line for line in axes.lines if set(np.asarray(line.get_xdata())) == {1.6}]
    assert len(knee) == 1
    span = next(p for p in axes.patches if isinstance(p, Rectangle))
    assert (span.get_x(), span.get_x() + span.get_width()) == pytest.approx((1.45, 1.8))


def test_the_gap_is_filled_by_what_absorbed_it():
    result = curve()
    areas = gap_areas(result)
    gap = [p.straight - p.output.mean for p in result.points]
    assert np.sum([height for _, height in areas], axis=0) == pytest.approx(gap)
    saturation = dict(areas)["fewer leads for each further dollar"]
    assert saturation == pytest.approx(0.75 * np.array(gap))


def test_relief_shows_gain_per_dollar_and_ties():
    axes = FIGURES["constraint"]["relief"](constraint())
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [float(d.get_xdata()[0]) for d in dots] == [4.0, 3.8, 1.0, -0.5]
    assert [d.get_color() == "white" for d in dots] == [False, False, True, True]
    assert [d.get_markeredgecolor() for d in dots] == [
        style.BLUE, style.PURPLE, style.VERMILLION, style.GREEN,
    ]  # fmt: skip
    said = [t.get_text() for t in axes.texts]
    assert "3.80 ± 0.50 tie" in said
    assert "4.00 ± 0.50" in said


TITLES = {
    "absorption_waterfall": (
        "Push harder: +10 wins where a straight line promises +100; 67% of what is missing went "
        "to channels that sell fewer leads for each further dollar"
    ),
    "arr": (
        "Fix adds 4.0% ± 0.5% to ARR for 301 kUSD a year; "
        "Push harder adds 2.5% ± 1.0% for 301 kUSD a year"
    ),
    "capacity_heat": (
        "The busiest team, desk0, is at 50% of its hours today, 90% under Push harder and "
        "40% under Fix"
    ),
    "ledger": (
        "Push harder: displaced wins take back 56% of what extra leads bring; "
        "Fix: +800 kUSD, from leads there were"
    ),
    "equal_spend": (
        "At equal spend, 301 kUSD a year each, Fix beats Push harder by 3.5% ± 1.5% of today's ARR"
    ),
}


@pytest.mark.parametrize("name", TITLES)
def test_titles_are_made_from_the_numbers(name):
    assert FIGURES["comparison"][name].title(comparison()) == TITLES[name]


def test_titles_of_other_answers():
    none = Verdict("no_difference_found", None, gain(-1e5, 3e5), "Push harder", "Fix")
    title = FIGURES["comparison"]["equal_spend"].title(comparison(verdict=none))
    assert "no difference that would pay is found between Push harder and Fix" in title
    won = Verdict("push_wins", "Push harder", gain(-7e5, 3e5), "Push harder", "Fix")
    title = FIGURES["comparison"]["equal_spend"].title(comparison(verdict=won))
    assert "Push harder beats Fix by 3.5% ± 1.5%" in title
    lone = comparison([arm(), arm("Fix", "fix", mean=1e4, half=1e5)])
    assert "Fix makes no difference found to ARR (+0.1% ± 0.5%)" in (
        FIGURES["comparison"]["arr"].title(lone)
    )
    title = FIGURES["curve"]["absorption_curve"].title
    assert title(curve()) == (
        "2 times the spend on all channels adds 10.0% ± 2.0% to ARR; one more dollar stops paying "
        "at 1.6 times"
    )
    beyond = Knee("beyond", 2.0, 2.0, 2.0, 0.9)
    assert title(curve(knee=beyond)).endswith("and pushing still pays there")
    title = FIGURES["constraint"]["relief"].title
    assert title(constraint()) == (
        "The constraint is desk0: 10% more hours brings 4.00 ± 0.50 USD of ARR per USD spent; "
        "no telling it from proof"
    )
    assert "No small relief" in title(constraint([candidate("teams.desk0", "capacity", -1.0)]))


NAN = math.nan


def nothing():
    """An arm of which nothing is known."""
    found = arm("Push harder", "push", absorption=Absorption(NAN, NAN, {"saturation": NAN}))
    return replace(
        found,
        gain=gain(NAN, NAN, NAN),
        metrics={k: Estimate(NAN, NAN) for k in found.metrics},
        bands=np.full_like(found.bands, NAN),
        used=np.full_like(found.used, NAN),
    )


def flat(role: str):
    """An arm that changes nothing at all."""
    none = Absorption(0.0, 0.0, {})
    return arm(f"{role} nothing", role, mean=0.0, half=0.0, absorption=none, parts={})


EXTREMES = {
    "no gain": lambda: comparison([arm(), flat("push"), flat("fix")]),
    "nothing known": lambda: comparison([arm(), nothing()]),
    "one variant": lambda: comparison([arm(), arm("Fix", "fix", mean=-4e5)]),
    "thirty teams": lambda: comparison(
        [arm(of=system(30)), arm("Push", "push", of=system(30)), arm("Fix", "fix", of=system(30))]
    ),
    "no team": lambda: comparison([arm(of=system(0)), arm("Fix", "fix", of=system(0))]),
    "long names": lambda: comparison(
        [arm(), arm(LONG, "push"), arm(LONG.replace(" ", ""), "fix")], name=LONG
    ),
    "strange names": lambda: comparison([arm(), *(arm(n, "other", mean=1e5) for n in STRANGE)]),
    "many variants": lambda: comparison(
        [arm(), *(arm(f"Variant number {i}", "other", mean=1e5 * i) for i in range(25))]
    ),
    "one run": lambda: comparison(replications=1, engine="flow"),
    "losses": lambda: comparison(
        [arm(), arm("Push", "push", mean=-9e5, parts={"missing_leads": -9e5},
                    absorption=Absorption(50.0, -20.0, {"saturation": 70.0}))]
    ),
    "more than a straight line": lambda: comparison(
        [arm(), arm("Push", "push", absorption=Absorption(50.0, 80.0, {"talk0: went_cold": -30.0}))]
    ),
    "ten years": lambda: comparison(
        [arm(of=system(horizon=520)), arm("Fix", "fix", of=system(horizon=520))]
    ),
    "three weeks and a half": lambda: comparison(
        [arm(of=system(horizon=3.5)), arm("Fix", "fix", of=system(horizon=3.5))]
    ),
    "no money": lambda: comparison(
        [replace(a, bands=a.bands * 0.0) for a in (arm(), arm("Fix", "fix"))], outcome="wins"
    ),
}  # fmt: skip


QUICK = {"long names", "thirty teams", "losses", "no money"}  # the first to go wrong, so far


@pytest.mark.parametrize(
    "extreme",
    [e if e in QUICK else pytest.param(e, marks=pytest.mark.slow) for e in EXTREMES],
)
def test_comparisons_at_the_extremes(extreme):
    result = EXTREMES[extreme]()
    with style.look():
        for plot in FIGURES["comparison"].values():
            legible(figure_of(plot(result)))


@pytest.mark.parametrize(
    "result",
    [
        curve((2e7, 2e7, 2e7)),
        curve((2e7, NAN, 2e7)),
        curve((2e7, 1.9e7, 2.4e7, 2.5e7), knee=Knee("before", 1.0, 1.0, 1.0, 0.9)),
        curve(path=f"stages.{'x' * 90}.advance.good_fit", name=LONG),
        curve(tuple(2e7 + 1e5 * math.sqrt(i) for i in range(25)), knee=Knee("inside", 6, 5, 7, 1)),
        curve(replications=1, knee=Knee("free", NAN, NAN, NAN, 0.9)),
        curve((0.0, 0.0)),
        curve((2.00001e7, 2.00002e7, 2.000025e7)),
    ],
)
def test_curves_at_the_extremes(result):
    with style.look():
        legible(figure_of(FIGURES["curve"]["absorption_curve"](result)))


@pytest.mark.parametrize(
    "result",
    [
        constraint([]),
        constraint([candidate("teams.desk0", "capacity", -math.inf)]),
        constraint([candidate(f"teams.{'y' * 80}", "capacity", 1.0, what=LONG)]),
        constraint([candidate(f"channels.c{i}", "market", 9.0 - i, 40.0) for i in range(30)]),
        constraint(of=system(30)),
        constraint(of=system(0)),
        constraint(waiting=np.zeros((53, 2))),
        constraint(of=system(30, horizon=3.5)),
    ],
)
def test_constraints_at_the_extremes(result):
    with style.look():
        for plot in FIGURES["constraint"].values():
            legible(figure_of(plot(result)))


def test_files_are_the_same_every_time(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    names = ["absorption_curve.png", "absorption_curve.svg"]
    for folder in (first, second):
        folder.mkdir()
        assert [f.name for f in save_all(curve(), "curve", folder)] == names
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()
    svg = ET.parse(first / "absorption_curve.svg").getroot()
    assert svg.tag.endswith("svg")
    assert b"date" not in (first / "absorption_curve.svg").read_bytes()


@pytest.mark.parametrize("name", STRANGE)
def test_names_are_drawn_as_they_are(name):
    text = Figure().text(0, 0, style.plain(name))
    visible, math_text = text._preprocess_math(text.get_text())
    assert math_text is False
    assert visible == " ".join(name.split())


def test_labels_move_apart_and_keep_their_order():
    places = style.spread([5.0, 5.1, 5.05, 0.0], 1.0, 0.0, 10.0)
    assert sorted(range(4), key=lambda i: places[i]) == [3, 0, 2, 1]
    assert min(np.diff(sorted(places))) >= 1.0 - 1e-9
    assert places[3] == 0.0
    assert np.mean(places[:3]) == pytest.approx(5.05)


def test_words():
    assert few(["a"]) == "a"
    assert few(["a", "b", "c"]) == "a, b and c"
    assert style.short("one two three four", 12) == "one two…"
    assert style.lines("onelongword" * 9, 10) == "onelongwor\ndonelongw…"
    assert style.lines("one two three", 9, 1) == "one two…"
    assert style.percent(-0.0004) == "0.0%"
    assert style.amount(-2.5e6, "USD") == "−2.5 MUSD"
    assert style.number(-0.01) == "0"


def test_answers_say_their_message():
    said = {
        "migration": (watched(), "As a budget is spent the constraint moves: desk0, then"),
        "shifting_bottleneck": (watched(), "Desk0 is the bottleneck 58% of the time, and its"),
    }
    for name, (result, begins) in said.items():
        assert FIGURES["constraint"][name].title(result).startswith(begins)
    assert FIGURES["worlds"]["contest"].title(many_worlds()).startswith("Fix beats Push harder in")
    assert "stops paying" not in FIGURES["isoquant"]["isoquant"].title(isoquants(best=None))
    title = FIGURES["seek"]["reach"].title
    assert title(sought()).startswith("ARR ≥ 22 MUSD takes desk0 headcount")
    assert "cannot reach" in title(sought(chosen=None))
    assert (
        FIGURES["sensitivity"]["tornado"]
        .title(tornado())
        .endswith("10.0% of all variance is mere chance")
    )


def test_bars_of_a_tornado_are_its_numbers():
    axes = FIGURES["sensitivity"]["tornado"](tornado())
    widths = sorted(round(p.get_width()) for p in axes.patches if isinstance(p, Rectangle))
    assert widths == sorted([-3_000_000, 2_400_000, -1_000_000, 800_000, -50_000, 40_000])


def test_the_contest_counts_every_world():
    result = many_worlds()
    axes = FIGURES["worlds"]["contest"](result)
    bars = [p for p in axes.patches if isinstance(p, Rectangle)]
    pushed = sum(p.get_height() for p in bars if p.get_x() + p.get_width() / 2 < 0)
    assert pushed == (result.difference < 0).sum()
    assert sum(p.get_height() for p in bars) == len(result.difference)


def test_the_strip_shows_who_when():
    axes = FIGURES["constraint"]["shifting_bottleneck"](watched())
    lengths = [p.get_extents().width for c in axes.collections for p in c.get_paths()]
    # Alone 30, shifting 4 on both rows, alone 18.
    assert sorted(lengths) == pytest.approx([4.0, 4.0, 18.0, 30.0])


def test_a_figure_without_its_data_is_not_drawn(tmp_path):
    assert not FIGURES["constraint"]["migration"].when(constraint())
    drawn = {p.stem for p in save_all(constraint(), "constraint", tmp_path)}
    assert drawn == {"relief", "capacity_heat", "queues"}
    for plot in FIGURES["constraint"].values():
        plot(constraint())


@pytest.mark.parametrize(
    "kind", ["curves", "isoquant", "seek", "sensitivity", "worlds", "robustness"]
)
def test_answers_have_sentences_and_plain_json(kind):
    import json

    result = MADE[kind]()
    assert 3 <= len(result.sentences) <= 6
    assert all(s[-1] in ".)" for s in result.sentences)
    json.dumps(result.to_json(), allow_nan=False)
    assert all(isinstance(rows, list) for rows in result.tables.values())


def test_better_before_worse_shows_wins_a_quarter_against_todays():
    result = comparison()
    axes = FIGURES["comparison"]["better_before_worse"](result)
    push = result.written()[0]
    line = next(x for x in axes.lines if len(x.get_xdata()) == len(push.system.grid))
    shown = np.asarray(line.get_ydata())
    assert shown == pytest.approx(push.pace[:, 0] / 13.0, nan_ok=True)
    assert np.isnan(shown[push.system.grid < 13.0]).all()
    title = FIGURES["comparison"]["better_before_worse"].title(result)
    assert title.startswith("Push harder, better before worse: +23% wins in the quarter to week 26")


def test_a_quarter_counts_only_beyond_chance():
    weeks = arm().system.grid
    wide = replace(arm("Push harder", "push", mean=5e5), pace=_level(weeks, 1.0, 1.2))
    title = FIGURES["comparison"]["better_before_worse"].title(comparison([arm(), wide]))
    assert title == "Push harder: no quarter's wins differ from today's beyond chance"
    worse = replace(wide, pace=_level(weeks, -4.0, 1.0))
    title = FIGURES["comparison"]["better_before_worse"].title(comparison([arm(), worse]))
    assert title.startswith("Push harder: −31% wins a quarter at worst (week ")
    better = replace(wide, pace=_level(weeks, 4.0, 1.0))
    title = FIGURES["comparison"]["better_before_worse"].title(comparison([arm(), better]))
    assert title.startswith("Push harder: +31% wins a quarter at best (week ")


def _level(weeks, mean, half):
    level = np.where(weeks >= 13.0, mean, np.nan)
    return level[:, None] + np.array([0.0, -half, half])


def test_a_tornado_of_a_verdict_crosses_zero_where_it_flips():
    result = standing()
    axes = FIGURES["robustness"]["verdict_tornado"](result)
    ends = {round(p.get_x() + p.get_width()) for p in axes.patches if isinstance(p, Rectangle)}
    assert ends >= {-900_000, 2_000_000, 1_000_000, 100_000}
    marks = [t.get_text() for t in axes.texts]
    assert marks.count("flips") == 1
    assert marks.count("not told") == 1
    assert {"← Push harder is better", "Fix is better →"} <= set(marks)
    title = FIGURES["robustness"]["verdict_tornado"].title
    assert title(result).startswith("Fix beats Push harder, but not with desk0")
    still = result.bars[2]
    assert title(standing(bars=(still,))).endswith("over the whole range of each of 1 assumptions")
    assert "1 leave it open" in title(standing(bars=(result.bars[1], still)))
    tie = replace(result.base, p=0.4)
    assert title(standing(base=tie, bars=(still,))).startswith("No difference is found between")


def test_reasons_are_shares_of_decisions():
    axes = FIGURES["comparison"]["reasons"](comparison())
    widths = [p.get_width() for p in axes.patches if isinstance(p, Rectangle)]
    assert widths[:3] == pytest.approx([0.2, 0.3, 0.5])
    assert widths[3:6] == pytest.approx([0.25, 0.3, 0.45])
    title = FIGURES["comparison"]["reasons"].title(comparison())
    assert title == ("No decision: 50% of decisions today, 45% under Push harder, 45% under Fix")


def test_the_funnel_has_visits_and_rejects():
    result = comparison()
    axes = FIGURES["comparison"]["funnel"](result)
    widths = [p.get_width() for p in axes.patches if isinstance(p, Rectangle)]
    today = result.today.flows
    assert widths[0] == today.entered["talk0"]
    assert 7.0 in widths
    assert today.entered["talk1"] - 7.0 in widths
    title = FIGURES["comparison"]["funnel"].title(result)
    assert title == "Push harder: +50% into talk0, +25% won; Fix: +50% into talk0, +25% won"


def test_the_bridge_of_arr_lands_on_its_closing():
    result = comparison()
    for one in (result.today, *result.written()):
        book = one.flows.bridge
        parts = book["opening"] + book["won"] + book["expansion"] + book["churned"]
        assert parts == pytest.approx(book["closing"])
    axes = FIGURES["comparison"]["arr_bridge"](result)
    ends = [p.get_x() + p.get_width() for p in axes.patches if isinstance(p, Rectangle)]
    assert any(e == pytest.approx(result.today.flows.bridge["closing"]) for e in ends)
    title = FIGURES["comparison"]["arr_bridge"].title(result)
    assert title.startswith("Push harder: +17% ARR won, 0% churned; ")


def test_heads_that_ramp_are_told_from_those_that_do_not():
    result = comparison()
    plot = FIGURES["comparison"]["heads"]
    assert plot.when(result)
    axes = plot(result)
    line = next(x for x in axes.lines if len(x.get_xdata()) == len(result.today.system.grid))
    assert set(line.get_ydata()) == {4.0}
    assert plot.title(result).startswith("Push harder: at week 8, 2 of 6 desk0 ramp")
    assert not plot.when(comparison([arm(), arm()]))


def test_people_who_are_there_are_shown_beside_those_planned():
    result = comparison()
    today = result.today
    gone = np.linspace(4.0, 3.0, len(today.system.grid))
    heads = {**today.course.heads, "desk0": gone}
    course = replace(today.course, heads=heads)
    result = replace(result, arms=(replace(today, course=course), *result.arms[1:]))
    axes = FIGURES["comparison"]["heads"](result)
    dotted = [list(x.get_ydata()) for x in axes.lines if x.get_linestyle() == "--"]
    assert list(gone) in dotted
    assert axes.get_xlabel().endswith("dotted: those there")


def test_the_fan_holds_what_came_and_what_was_foretold():
    result = backtested()
    origin = result.trial.origins[0]
    axes = FIGURES["backtest"]["fan"](result)
    by = {tuple(line.get_ydata()): line for line in axes.lines}
    # the last week has three days: it is none to compare with
    for values in (origin.weekly[0].actual, *origin.weekly[0].forecast.values()):
        assert tuple(values[:4]) in by
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert {*origin.weekly[0].low[:4], *origin.weekly[0].high[:4]} <= set(band)
    assert axes.get_ylim()[0] == 0
    assert FIGURES["backtest"]["fan"].title(result) == (
        "The forecast beats Kaplan-Meier: off by 15% a week against 33%, "
        "3 of 4 weeks inside its band"
    )
    axes = FIGURES["backtest"]["open_cases"](result)
    assert origin.open_["actual"] in {tuple(line.get_ydata()) for line in axes.lines}
    assert FIGURES["backtest"]["open_cases"].title(result) == (
        "64 cases were open at the end; 62 were foretold (-3%), between 50 and 74"
    )


def test_a_two_by_two_has_the_gains_and_says_whether_they_add_up():
    axes = FIGURES["comparison"]["two_by_two"](squared())
    said = [t.get_text() for t in axes.texts]
    assert said[:8:2] == ["today", "+2.5%", "+4.0%", "+7.0%"]
    assert said[3] == "± 1.0%, for 301 kUSD a year"
    with style.look():
        legible(axes.figure)
    title = FIGURES["comparison"]["two_by_two"].title
    assert title(squared()) == (
        "Push harder alone +2.5% of ARR, after Fix another +3.0%: more than without; "
        "Fix alone +4.0%"
    )
    assert "less than without" in title(squared(-1e5))
    assert "no telling the two apart" in title(squared(1e4))


def test_cumulative_flow_is_stacked_on_what_has_ended():
    result = comparison()
    axes = FIGURES["comparison"]["cumulative_flow"](result)
    assert len(axes.child_axes) == 3
    for inner, arm_ in zip(axes.child_axes, [result.today, *result.written()], strict=True):
        course = arm_.course
        top, bottom = inner.lines[1].get_ydata(), inner.lines[0].get_ydata()
        np.testing.assert_allclose(bottom, course.left[26:] - course.left[26])
        np.testing.assert_allclose(top - bottom, sum(v[26:] for v in course.held.values()))
        # Little: 45 and what a variant adds, of whom 4 a week leave.
        weeks = sum(v[-1] for v in course.held.values()) / 4.0
        assert f"{weeks:.1f} weeks each" in inner.texts[0].get_text()


def test_capability_is_drawn_where_a_variant_moves_it():
    plot = FIGURES["comparison"]["capability"]
    assert plot.when(comparison())
    assert not plot.when(comparison([arm(), arm("Fix", "fix")]))
    lines = plot(comparison()).lines
    assert lines[0].get_ydata()[-1] == 1.0
    assert lines[1].get_ydata()[-1] == 0.5
    assert plot.title(comparison()).startswith(
        "Capability of desk0 at the end: 50% under Push harder (half of it gone by week 52)"
    )


def test_deliveries_under_the_reps_that_sell_them():
    result = comparison()
    heads, out, wait = FIGURES["comparison"]["delivery"](result).child_axes
    assert heads.lines[0].get_ydata()[-1] == 2.0
    assert np.isnan(out.lines[0].get_ydata()[12])
    assert out.lines[0].get_ydata()[13] == pytest.approx(39.0)
    # 25 in the last stage, 3 a week delivered.
    assert wait.lines[0].get_ydata()[-1] == pytest.approx(25.0 / 3.0)
    title = FIGURES["comparison"]["delivery"].title(result)
    assert title.startswith("Push harder (+25% heads in desk0) adds 2.5% ± 1.0% to arr; Fix (+40%")
