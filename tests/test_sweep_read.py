"""Sweep files: what they say, and what is wrong with them, each with file and line."""

from __future__ import annotations

import re

import pytest
from sweep_files import SWEEP, TINY, write

from simulator.errors import SpecError
from simulator.shipped import scenarios
from simulator.spec.shape import fields
from simulator.sweep.read import load_sweep
from simulator.sweep.schema import Axis, Range, Side, SweepFile, Until


def test_a_sweep_in_the_models_own_units(tmp_path):
    sweep = load_sweep(write(tmp_path))
    assert (sweep.engine, sweep.replications, sweep.seed) == ("events", 3, 1)
    assert (sweep.outcomes, sweep.weeks) == (("arr", "wins"), (3.0, 6.0))
    assert sweep.points == 8
    leads, advance = sweep.uncertainties.axes
    assert (leads.low, leads.high, leads.paths) == (2.0, 6.0, ("channels.web.leads.now",))
    assert (advance.verb, advance.low, advance.high) == ("scale", 0.5, 1.2)
    assert advance.base == (0.6, 0.2)


def test_the_shipped_sweep_is_found_by_its_shipped_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("scenarios/the-flood/sweep.yaml", "the-flood/sweep.yaml"):
        assert load_sweep(name).most_runs == 576
    assert scenarios().is_dir()


def test_what_a_file_leaves_out_is_said(tmp_path):
    text = SWEEP.replace("replications: 3\n", "").replace("points: 4", "points: 5")
    sweep = load_sweep(write(tmp_path, text))
    assert sweep.replications == 10
    assert sweep.notes == (
        "a Sobol design is balanced at powers of two: 4 points rather than 5",
        "replications: 10 a point, as the file gives none",
    )
    text = text.replace("outcomes: [arr, wins]\n", "").replace("weeks: [week 3, week 6]\n", "")
    sweep = load_sweep(write(tmp_path, text))
    assert (sweep.outcomes, sweep.weeks) == (("arr",), (6.0,))


def test_graded_is_the_range_that_is_stated(tmp_path):
    text = SWEEP.replace("{from: 2/week, to: 6/week}", "graded")
    scenario = TINY.replace(
        "leads: 3/week", "leads: {now: {value: 3/week, low: 2/week, high: 4/week}}"
    )
    axis = load_sweep(write(tmp_path, text, scenario)).uncertainties.axes[0]
    assert (axis.low, axis.high) == (2.0, 4.0)
    # What the scenario does not state has the range of the parameter book.
    text = SWEEP.replace(
        "channels.web.leads.now: {from: 2/week, to: 6/week}", "customers.churn: graded"
    )
    axis = load_sweep(write(tmp_path, text)).uncertainties.axes[0]
    assert 0 < axis.low < axis.high


def test_points_from_a_csv(tmp_path):
    text = SWEEP.replace("  axes:\n    teams.ae.headcount: [1, 2]", "  design: csv\n  file: p.csv")
    file = write(tmp_path, text)
    (tmp_path / "p.csv").write_text("teams.ae.headcount,scale stages.sell.effort\n1,80%\n\n3,1.2\n")
    sweep = load_sweep(file)
    assert [a.name for a in sweep.levers.axes] == ["teams.ae.headcount", "scale stages.sell.effort"]
    assert sweep.levers.rows == ((1.0, 0.8), (3.0, 1.2))


AXES = "  axes:\n    teams.ae.headcount: [1, 2]"
LEVER = "    teams.ae.headcount: [1, 2]"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        (LEVER, "    teams.ea.headcount: [1, 2]", 9,
         "matches no number of the scenario. Did you mean 'teams.ae.headcount'?"),
        (LEVER, "    teams.ae.headcount: {from: 4, to: 2, steps: 3}", 9,
         "the range is the wrong way round: from 4 to 2. Write {from: 2, to: 4}."),
        (LEVER, "    teams.ae.headcount: {from: 2, to: 2, steps: 3}", 9, "Its ends are the same."),
        (LEVER, "    teams.ae.headcount: {from: 0, to: 2, steps: 3, spacing: log}", 9,
         "spacing log needs a range above 0, not from 0"),
        (LEVER, "    teams.ae.headcount: {from: 1, to: 2}", 9, "give steps, e.g. steps: 5"),
        (LEVER, "    teams.ae.headcount: [1, 1]", 9, "a value stands there twice"),
        (LEVER, "    teams.ae.headcount: [1, many]", 9, "for teams.ae.headcount: "),
        (LEVER, "    teams.ae.headcount: [1, -2]", 9, "at -2: teams.ae.headcount: "),
        (LEVER, "    teams.ae.headcount: [1, 2 weeks]", 9, "2 weeks"),
        (LEVER, "    teams.ae.headcount: []", 9, "must have at least 1"),
        (LEVER, "    teams.ae.headcount: {sett: [1]}", 9, "key 'sett'. Did you mean 'set'?"),
        (LEVER, "    teams.ae.headcount: {set: [1], add: [1]}", 9,
         "needs exactly one of set, scale, add; it has set and add"),
        (LEVER, "    teams.ae.headcount: {set: [1], over: 2 weeks}", 9, "give `at`"),
        (LEVER, "    teams.ae.headcount: {set: [1], at: week 60}", 9,
         "at is week 60, outside the run (weeks 0 to 6)"),
        (LEVER, "    teams.ae.headcount: {set: [1], at: soon}", 9, "at: "),
        (LEVER, "    teams.ae.ramp: {scale: [0.5, 1], at: week 2}", 9,
         "teams.ae.ramp cannot change in the course of a run. Leave out `at`"),
        (LEVER, "    teams.ae.headcount: [true, 2]", 9, "true has no meaning here"),
        (LEVER, "    seed: [1, 2]", 9, "seed cannot be an axis. Luck varies by replication"),
        (LEVER, "    horizon: [4 weeks, 5 weeks]", 9, "horizon cannot be an axis. Look at several"),
        (LEVER, "    teams.ae.hours: graded\n    stages.*.priority: graded", 10,
         "reaches 2 numbers, which have a range each. Name one, e.g. stages.sell.priority."),
        (LEVER, "    teams.ae.headcount: graded", 9, "no range is stated for it"),
        (LEVER, "    channels.*.leads.now: {scale: [1, 2]}", 14,
         "channels.web.leads.now, which the axis 'scale channels.*.leads.now' reaches too"),
        (LEVER, "    handoffs.sell>live.accepted: [80%, 95%]", 9,
         "at 0.95: handoffs.sell>live: accepted and returned add up to 1.05"),
        (AXES, "  design: griddy\n" + AXES, 8, "not one of grid, one-at-a-time"),
        (AXES, "  design: sobol\n" + AXES, 7, "design sobol needs points, e.g. points: 64"),
        (AXES, "  points: 3\n" + AXES, 7, "belong to latin-hypercube and sobol, not to grid"),
        (AXES, "  file: p.csv\n" + AXES, 7, "file belongs to design csv, not to grid"),
        (AXES, "  design: grid", 7, "varies nothing: give axes"),
        (AXES, "  design: csv", 7, "design csv needs its file, e.g. file: points.csv"),
        (AXES, "  design: csv\n  file: p.csv\n" + AXES, 7, "are the columns of its file"),
        (AXES, "  design: csv\n  file: absent.csv", 9, "absent.csv: no such file or directory"),
        (AXES, "  design: csv\n  file: ../p.csv", 9, "a file within the sweep's own folder"),
        (AXES, "  axis:\n    teams.ae.headcount: [1, 2]", 8, "Did you mean 'axes'?"),
        ("points: 4", "points: 0", 12, "must be at least 1"),
        ("engine: events", "engine: event", 3, "not one of batch, events, flow"),
        ("engine: events", "engine: flow", 4, "the flow engine has no chance in it"),
        ("replications: 3", "replications: 0", 4, "must be at least 1"),
        ("replications: 3", "replications: {precision: 1%, of: arrr}", 4,
         "'arrr' is not among the outcomes that are kept. Did you mean 'arr'?"),
        ("replications: 3", "replications: {precisely: 1%}", 4, "Did you mean 'precision'?"),
        ("outcomes: [arr, wins]", "outcomes: [arr, winz]", 5, "Did you mean 'wins'?"),
        ("outcomes: [arr, wins]", "outcomes: [arr, utilisation.se]", 5, "nothing is called 'se'"),
        ("outcomes: [arr, wins]", "outcomes: [arr, arr]", 5, "'arr' stands here a second time"),
        ("weeks: [week 3, week 6]", "weeks: [week 3, week 9]", 6,
         "week 9 is outside the run (0 to 6 weeks)"),
        ("weeks: [week 3, week 6]", "weeks: [week 3, 21 days]", 6, "week 3 stands here a second"),
        ("weeks: [week 3, week 6]", "weeks: [never]", 6, "never"),
        ("scenario: today.yaml", "scenario: tody.yaml", 1,
         "there is no file 'tody.yaml'. Did you mean 'today.yaml'?"),
        ("scenario: today.yaml", "scenario: ../today.yaml", 1, "within the sweep's own folder"),
        ("scenario: today.yaml", "scenari: today.yaml", 1, "Did you mean 'scenario'?"),
        ("scenario: today.yaml\n", "", None, "scenario: missing"),
        ("name: Tiny sweep", "name: Tiny sweep\nwithin: 3", 3, "needs a unit"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path, old, new, line, says):
    assert old in SWEEP
    file = write(tmp_path, SWEEP.replace(old, new))
    with pytest.raises(SpecError) as told:
        load_sweep(file)
    assert says in str(told.value), told.value
    if line is not None:
        assert f"{file}:{line}: " in str(told.value), told.value


def test_every_problem_is_told_at_once(tmp_path):
    text = SWEEP.replace("arr, wins", "arrr, wins").replace("week 6]", "week 60]")
    text = text.replace("teams.ae.headcount", "teams.ea.headcount")
    with pytest.raises(SpecError) as told:
        load_sweep(write(tmp_path, text))
    assert [p.line for p in told.value.problems] == [5, 6, 9]


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ("teams.ae.headcount\n", "p.csv: has no points: a row of paths, then a row a point"),
        ("teams.ae.headcount\n1\nx\n", "p.csv:3: for teams.ae.headcount: "),
        ("teams.ae.headcont\n1\n", "p.csv:1: the path 'teams.ae.headcont' matches no number"),
        ("teams.ae.headcount\n1,2\n", "p.csv:2: 2 values under 1 columns"),
        ("double teams.ae.headcount\n1\n", "p.csv:1: 'double teams.ae.headcount' is not a path"),
        ("teams.ae.headcount,teams.ae.headcount\n1,2\n", "p.csv:1: a column stands there twice"),
        ("teams.ae.headcount\n-3\n", "at -3: teams.ae.headcount: "),
        ("teams.ae.headcount\nnan\n", "p.csv:2: "),
    ],
)
def test_what_is_wrong_in_a_csv_is_told_with_its_row(tmp_path, cells, says):
    file = write(tmp_path, SWEEP.replace(AXES, "  design: csv\n  file: p.csv"))
    (tmp_path / "p.csv").write_text(cells)
    with pytest.raises(SpecError) as told:
        load_sweep(file)
    assert f"{file}:9: levers.file: " in str(told.value)
    assert says in str(told.value), told.value


def test_points_that_cannot_be_together_are_found_before_the_start(tmp_path):
    axes = "    handoffs.sell>live.accepted: [50%, 85%]\n    handoffs.sell>live.returned: [5%, 20%]"
    with pytest.raises(SpecError, match=r"add up to 1.05"):
        load_sweep(write(tmp_path, SWEEP.replace(LEVER, axes)))


def test_a_design_that_is_too_large_is_refused_without_making_it(tmp_path):
    many = "{from: 1, to: 2, steps: 10000}"
    axes = f"    teams.ae.headcount: {many}\n    teams.ae.cost: {{scale: {many}}}"
    with pytest.raises(SpecError) as told:
        load_sweep(write(tmp_path, SWEEP.replace(LEVER, axes)))
    assert "make 400,000,000 points, more than the 10,000,000" in str(told.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty; a sweep has at least a scenario"),
        (b"# nothing\n", "empty; a sweep has at least a scenario"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"scenario: today.yaml\n", "varies nothing: give levers or uncertainties"),
        (b"scenario: [a\n", "not valid YAML"),
        (b"scenario: today.yaml\nlevers: 3\n", "a mapping is wanted, not 3"),
    ],
)
def test_files_that_are_no_sweep(tmp_path, content, says):
    file = write(tmp_path)
    file.write_bytes(content)
    with pytest.raises(SpecError) as told:
        load_sweep(file)
    assert says in str(told.value)
    assert str(file) in str(told.value)


def test_files_that_are_not_there(tmp_path):
    write(tmp_path)
    with pytest.raises(SpecError, match=r"there is no such file\. Did you mean"):
        load_sweep(tmp_path / "swep.yaml")
    with pytest.raises(SpecError, match=r"is a folder, not a sweep file"):
        load_sweep(tmp_path)


def test_a_wrong_scenario_is_told_as_always(tmp_path):
    file = write(tmp_path, scenario=TINY.replace("team: ae", "team: ea"))
    with pytest.raises(SpecError, match=r"today.yaml:10: stages.sell.team: no team named 'ea'"):
        load_sweep(file)


def test_the_example_of_the_docs_is_a_sweep(tmp_path, root):
    text = (root / "docs" / "sweeps.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    flood = root / "scenarios" / "the-flood" / "today.yaml"
    sweep = load_sweep(write(tmp_path, example, flood.read_text(encoding="utf-8")))
    assert sweep.points == 9 * 16


def test_the_docs_have_every_key(root):
    text = (root / "docs" / "sweeps.md").read_text(encoding="utf-8")
    for model in (SweepFile, Side, Axis, Range, Until):
        for key in fields(model):
            assert re.search(rf"\b{key}\b", text), key
