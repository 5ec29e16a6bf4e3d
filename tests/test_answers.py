"""The answers: constraint, path, seek, sensitivity, worlds, where the truth is known."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass

import numpy as np
import planted
import pytest

from simulator.analysis.constraint import constraint
from simulator.analysis.efforts import TOGETHER, efforts, every_curve
from simulator.analysis.isoquant import isoquant
from simulator.analysis.knobs import knobs_of, pulled
from simulator.analysis.lead import leader
from simulator.analysis.parts import Range
from simulator.analysis.ranges import hypercube, ranges, world
from simulator.analysis.search import Space, sets, solve
from simulator.analysis.seek import seek
from simulator.analysis.sensitivity import sensitivity
from simulator.analysis.spend import level, planned_cost
from simulator.analysis.targets import parse_target, parse_targets
from simulator.analysis.worlds import worlds
from simulator.engines import simulate
from simulator.errors import AnalysisError
from simulator.metrics import measure
from simulator.spec.load import load, load_text
from simulator.spec.paths import leaves
from simulator.spec.values import in_the_end, with_values
from simulator.system import build

SMALL = """
horizon: 26 weeks
value: {mean: 20 kUSD, cv: 0.2}
customers: {start: 20, churn: {value: 10%/year, low: 5%/year, high: 20%/year, grade: D}}
channels:
  web:
    spend: 5 kUSD/week
    leads: {now: {value: 12/week, low: 8/week, high: 16/week, grade: D}, saturation: 0.8}
    good_fit: 100%
teams:
  desk:
    headcount: {value: 2, low: 1, high: 3, grade: D}
    hours: 30 h/week
    cost: 100 kUSD/year
    ramp: 0 weeks
    hiring_lead: 0 weeks
stages:
  talk: {team: desk, effort: {mean: 7 h, cv: 1}, patience: 2 weeks, advance: 60%}
"""


@pytest.fixture(scope="module")
def small():
    return load_text(SMALL)


@pytest.fixture(scope="module")
def found(small):
    return constraint(small.scenario, replications=12, path="300 kUSD")


def test_the_overloaded_team_is_the_constraint_three_ways(found):
    said = found.to_json()
    assert said["constraint"] == "teams.desk"
    assert said["kind_of_constraint"] == "capacity"
    readings = said["readings"]
    assert readings["relief"] == readings["active_periods"] == readings["utilisation"]
    assert readings["why"] == ""
    assert "All three methods agree." in " ".join(found.sentences)
    best = said["ranking"][0]
    assert best["gain_per_hour"] == pytest.approx(best["gain"]["mean"] / best["extra_hours"])
    # A tenth of 2 people x 30 hours x 26 weeks.
    assert best["extra_hours"] == pytest.approx(156.0)
    json.dumps(said, allow_nan=False)


@dataclass(frozen=True)
class Ranked:
    p: float
    per_dollar: float
    tied: bool


def test_what_leads_by_its_mean_alone_does_not_hide_what_is_known_to_work():
    poorly_known, known = Ranked(0.4, 3.0, True), Ranked(0.001, 2.0, True)
    assert leader([poorly_known, known]) is known
    assert leader([known, Ranked(0.001, 1.0, True)]) is known
    assert leader([Ranked(0.001, 3.0, True), known]) != known
    # What is clearly behind the first is no constraint, nor is what does harm or nothing.
    assert leader([poorly_known, Ranked(0.001, 0.1, False)]) is None
    assert leader([Ranked(0.001, -1.0, True)]) is None
    assert leader([]) is None


def test_the_path_spends_within_the_budget(found):
    path = found.path
    assert path.steps[0].name == "teams.desk"
    assert path.steps[-1].spent <= 300_000
    for a, b in itertools.pairwise(path.steps):
        assert b.spent_before == pytest.approx(a.spent)
    last = planned_cost(build(path.scenario)) - planned_cost(found.system)
    assert path.steps[-1].spent == pytest.approx(last)
    names = [n for n, _, _ in path.stretches]
    assert all(a != b for a, b in itertools.pairwise(names))


def test_a_constraint_that_is_not_the_busiest_says_why():
    text = SMALL.replace("advance: 60%", "decision: true")
    result = constraint(
        load_text(text.replace("effort: {mean: 7 h", "effort: {mean: 3 h")).scenario,
        replications=6,
    )
    if result.best is not None and result.best.relief.kind != "capacity":
        assert "Being busy is not being the constraint" in result.to_json()["readings"]["why"]
    assert result.to_json()["readings"]["utilisation"] == "teams.desk"


def test_a_market_that_is_too_small_is_a_candidate():
    text = SMALL + "market: {accounts: 60, cool_down: 26 weeks}\n"
    names = [c.relief.name for c in constraint(load_text(text).scenario, replications=3).candidates]
    assert "market.accounts" in names


def test_reliefs_begin_where_levers_lead():
    text = SMALL + "levers: [{set: teams.desk.hours, to: 40 h/week, cost: 1 kUSD/year}]\n"
    scenario = load_text(text).scenario
    assert leaves(in_the_end(scenario))["teams.desk.hours"].value == 40.0
    with pytest.raises(KeyError, match=r"teams\.none"):
        with_values(scenario, {"teams.none.hours": 1.0})


@pytest.mark.parametrize(("budget", "says"), [("0 USD", "nothing to spend"), ("3 weeks", "budget")])
def test_a_budget_that_is_none(small, budget, says):
    with pytest.raises(AnalysisError, match=says):
        constraint(small.scenario, path=budget)


TARGETS = [
    ("wins >= 100", ("wins", 1, 100.0, 26.0)),
    ("cac <= 4.5 kUSD at week 20", ("cac", -1, 4500.0, 20.0)),
    ("win_rate ≥ 55% by week 13", ("win_rate", 1, 0.55, 13.0)),
    ("nrr >= 104%", ("nrr", 1, 1.04, 26.0)),
    ("cycle_weeks < 3 weeks", ("cycle_weeks", -1, 3.0, 26.0)),
    ("net_profit >= -20 kUSD", ("net_profit", 1, -20000.0, 26.0)),
    ("utilisation.desk <= 85%", ("utilisation.desk", -1, 0.85, 26.0)),
]


@pytest.mark.parametrize(("text", "expected"), TARGETS)
def test_targets_are_read(small, text, expected):
    t = parse_target(text, small.scenario)
    assert (t.metric, t.sign, t.level, t.week) == pytest.approx(expected)


WRONG = [
    (["arrr >= 3"], "no metric named 'arrr'. Did you mean 'arr'"),
    (["utilisation.dsk >= 90%"], "Did you mean 'utilisation.desk'"),
    (["arr >= 3 hours"], "not an amount of money"),
    (["arr >= 3 MUSD at week 300"], "week 300 is outside the run"),
    (["arr >= 3 MUSD at breakfast"], "breakfast"),
    (["arr = 4"], "one side"),
    (["so much more"], "write it like"),
    (["arr >= 3 MUSD", "arr <= 2 MUSD"], "contradict each other"),
    ([], "no target"),
]


@pytest.mark.parametrize(("texts", "says"), WRONG)
def test_wrong_targets_say_why(small, texts, says):
    with pytest.raises(AnalysisError, match=says):
        parse_targets(texts, small.scenario)


def test_a_lever_pulled_half_way_costs_half(tmp_path, small):
    (tmp_path / "today.yaml").write_text(SMALL)
    levers = tmp_path / "levers.yaml"
    levers.write_text(
        "extends: today.yaml\nlevers:\n"
        "  - {add: teams.desk.headcount, by: 2}\n"
        "  - {set: stages.talk.effort, to: 5 h, cost: 40 kUSD}\n"
    )
    loaded = load(tmp_path / "today.yaml")
    heads, effort = knobs_of(loaded, levers)
    assert (heads.steps(loaded.scenario), effort.steps(loaded.scenario)) == (4, 0)
    base = planned_cost(build(loaded.scenario))
    for knob in (heads, effort):
        half, full = (
            planned_cost(build(pulled(loaded.scenario, [(knob, x)]))) - base for x in (0.5, 1.0)
        )
        assert half == pytest.approx(full / 2)
    after = leaves(in_the_end(pulled(loaded.scenario, [(effort, 0.5)])))
    assert after["stages.talk.effort.mean"].value == pytest.approx(6.0)
    levers.write_text("extends: today.yaml\nlevers: [{set: stages.talk.effort, to: 5 h}]\n")
    with pytest.raises(AnalysisError, match=r"levers\.yaml.*free lunch: state its cost"):
        knobs_of(loaded, levers)
    levers.write_text("extends: today.yaml\n")
    with pytest.raises(AnalysisError, match="no levers"):
        knobs_of(loaded, levers)


def surface(points):
    """Two targets of three knobs, with interplay; knob 2 does next to nothing."""
    p = np.array(points)
    first = 0.6 * np.sqrt(p[:, 0]) + 0.5 * p[:, 1] + 0.4 * p[:, 0] * p[:, 1] - 0.55
    second = 0.8 - 0.5 * p[:, 0] + 0.0001 * p[:, 2]
    return np.column_stack([first, second])


def price(point):
    return 10.0 * point[0] + 6.0 * point[1] ** 1.5 + 3.0 * point[2]


@pytest.mark.parametrize("need", [(0.0, 0.0), (0.2, 0.4), (0.35, 0.0)])
def test_the_search_finds_what_a_grid_finds(need):
    space = Space(3, surface, price, np.ones(2))
    space.tabulate()
    found = sets(space, np.array(need), 2)
    x = np.linspace(0, 1, 401)
    grid = np.stack(np.meshgrid(x, x, indexing="ij"), -1).reshape(-1, 2)
    full = np.column_stack([grid, np.zeros(len(grid))])
    good = (surface(full) >= np.array(need)).all(axis=1)
    best = min(price(p) for p in full[good])
    assert found[0].cost <= best * 1.02
    assert (surface([space.point(found[0].which, found[0].x)])[0] >= np.array(need) - 1e-9).all()
    assert space.runs < 60


def test_the_search_says_what_cannot_be():
    space = Space(3, surface, price, np.ones(2))
    space.tabulate()
    need = np.array([2.0, 0.0])
    assert sets(space, need, 2) == []
    nearest = solve(space, (0, 1), need)
    assert not nearest.met
    assert nearest.margins[0] == pytest.approx(0.95, abs=0.02)


def test_seek_against_a_grid_of_runs(tmp_path):
    """The least cost of one lever in flow, by a grid of 200 positions."""
    (tmp_path / "today.yaml").write_text(SMALL)
    levers = tmp_path / "levers.yaml"
    levers.write_text(
        "extends: today.yaml\nlevers:\n"
        "  - {set: stages.talk.effort, to: 4 h, cost: 80 kUSD}\n"
        "  - {scale: channels.web.spend, by: 1.5}\n"
    )
    loaded = load(tmp_path / "today.yaml")
    result = seek(
        loaded, ["wins >= 165"], levers=levers, engine="flow", max_levers=1, replications=1
    )
    assert result.answer.names == ("stages.talk.effort",)
    knob = knobs_of(loaded, levers)[0]

    def wins(x):
        return measure(simulate(build(pulled(loaded.scenario, [(knob, x)])), "flow"))["wins"]

    least = next(x for x in np.linspace(0, 1, 201) if wins(x) >= 165)
    assert result.answer.x[0] == pytest.approx(least, abs=0.01)
    assert [x.reaches for x in result.lone] == [True, False]
    assert "no volume of leads does" in " ".join(result.sentences)
    condition = result.conditions[0]
    assert (condition.name, condition.sign) == ("stages.talk.effort.mean", -1)
    assert condition.worth.gain.mean > 0
    json.dumps(result.to_json(), allow_nan=False)


def test_seek_confirms_by_runs_or_names_what_comes_nearest(small):
    result = seek(small, ["wins >= 130"], max_levers=1, replications=10)
    assert result.answer.status == "confirmed"
    assert result.answer.reached[0].low >= 130
    assert result.conditions
    beyond = seek(small, ["wins >= 1000"], max_levers=1, replications=3)
    assert beyond.answer is None
    assert beyond.nearest.status == "missed"
    assert "No set of at most 1 levers reaches" in beyond.sentences[0]


def test_a_precision_that_cannot_be_had_is_said(small):
    result = seek(small, ["wins >= 130"], max_levers=1, precision=0.0005, most=20)
    assert result.reason.startswith("maximum of 20 reached before the precision")
    assert result.answer is not None


def test_half_of_the_weight_lies_on_each_side():
    r = Range("x", 2.0, 1.0, 6.0, "D", "number")
    assert r.at(np.array([0.0, 0.25, 0.5, 0.75, 1.0])) == pytest.approx([1, 1.5, 2, 4, 6])
    points = hypercube(50, 3, 1)
    for column in points.T:
        assert sorted(np.floor(column * 50)) == list(range(50))


def test_worlds_keep_shares_within_one(small):
    over, left = ranges(small)
    assert {"channels.web.leads.now", "customers.churn", "teams.desk.headcount"} <= {
        r.path for r in over
    }
    assert left == []
    for u in (0.0, 1.0):
        build(world(small.scenario, over, [float(r.at(u)) for r in over]))
    bare = load_text(SMALL.replace("good_fit: 100%", "good_fit: 80%"))
    assert len(ranges(bare)[0]) >= len(over)


def test_sensitivity_ranks_what_moves_the_outcome(small):
    result = sensitivity(small, outcome="wins", replications=4)
    paths = [b.range.path for b in result.bars]
    assert paths[0] == "teams.desk.headcount"
    assert result.bars[0].told
    assert result.bars[paths.index("value.cv")].swing == 0.0 if "value.cv" in paths else True
    assert 0.0 < result.split.share < 1.0
    with pytest.raises(AnalysisError, match="no method named"):
        sensitivity(small, method="sobl")


def test_worlds_play_at_equal_spend_under_the_same_luck(tmp_path):
    (tmp_path / "today.yaml").write_text(SMALL)
    for name, role, lever in (
        ("push", "push", "{scale: channels.web.spend, by: 2}"),
        ("fix", "fix", "{add: teams.desk.headcount, by: 1}"),
    ):
        (tmp_path / f"{name}.yaml").write_text(
            f"extends: today.yaml\nname: {name}\nrole: {role}\nlevers: [{lever}]\n"
        )
    result = worlds(tmp_path, worlds=40, outcome="wins", replications=2)
    assert len(result.difference) == 40
    assert result.unequal == 0
    # An overloaded desk: hands win nearly everywhere.
    assert result.share.mean < 0.5
    regret = result.regret()
    assert regret["push"]["mean"] > regret["fix"]["mean"]
    mean = float(result.difference.mean())
    assert regret["push"]["mean"] - regret["fix"]["mean"] == pytest.approx(mean)
    again = worlds(tmp_path, worlds=40, outcome="wins", replications=2, jobs=1)
    assert np.array_equal(again.push, result.push)
    json.dumps(result.to_json(), allow_nan=False)


def test_worlds_make_the_sides_that_a_study_lacks(tmp_path):
    (tmp_path / "today.yaml").write_text(SMALL)
    result = worlds(tmp_path / "today.yaml", worlds=20, replications=1, outcome="wins")
    assert [s.made for s in result.sides] == [True, True]
    assert "made here, as the study has none" in result.sentences[-1]
    with pytest.raises(AnalysisError, match="too few"):
        worlds(tmp_path / "today.yaml", worlds=3)


def test_equal_spend_is_equal(small):
    scenario = small.scenario
    knob = next(k for k in knobs_of(small) if k.name == "channels.*.spend")
    pushed = pulled(scenario, [(knob, 1.0)])
    base = planned_cost(build(scenario))
    extra = planned_cost(build(pushed)) - base
    less = pulled(scenario, [(knob, 0.3)])
    spend, (scaled, least) = level(scenario, [pushed, less], planned_cost)
    assert spend == least.extra_cost == pytest.approx(0.3 * extra, rel=1e-3)
    assert scaled.extra_cost == pytest.approx(spend, rel=1e-3)
    assert planned_cost(scaled.system) - base == pytest.approx(spend, rel=1e-3)


def test_every_effort_and_all_at_once(small):
    names = [e.name for e in efforts(small.scenario)]
    assert names == ["channels.web.spend", "teams.desk.hours", TOGETHER]
    result = every_curve(small.scenario, steps=2, outcome="wins", worth=5000.0, replications=4)
    assert result.curves[0].path == "teams.desk.hours"
    assert {row["effort"] for row in result.rows()} == set(names)


def test_two_efforts_and_the_ridge_of_best_spend(small):
    result = isoquant(
        small.scenario, "channels.web.spend", "teams.desk.hours", steps=3, replications=4
    )
    costs = [p.cost for p in result.ridge]
    gains = [p.gain for p in result.ridge]
    assert costs == sorted(costs)
    assert gains == sorted(gains)
    assert all(p.cost <= p.budget + 1e-6 for p in result.ridge)
    # The first dollars go to the desk that is overloaded.
    assert result.ridge[3].second > result.ridge[3].first
    with pytest.raises(AnalysisError, match="twice"):
        isoquant(small.scenario, "channels.web.spend", "channels.web.spend")


def test_a_planted_constraint_is_named(monkeypatch):
    """One system of the hundred of the slow run, with shorter runs for its truth."""
    monkeypatch.setattr(planted, "LONG", 30)
    scenario, kind = planted.planted(129)
    assert kind == "capacity"
    result = constraint(scenario, replications=12)
    assert planted.right(result, planted.truth(scenario, longer=60))


def test_planted_systems_are_as_described():
    for seed in range(10):
        scenario, kind = planted.planted(seed)
        assert 3 <= len(scenario.stages) <= 7
        assert 2 <= len(scenario.teams) <= 6
        assert kind in planted.KINDS
        build(scenario)
        assert planted.planted(seed)[0] == scenario


@pytest.mark.slow
def test_planted_constraints_are_named():
    """100 systems: the best relief, or a tie that holds it, in 95; 20 paths, 17 in order."""
    score = planted.score(100, 1, paths=20)
    assert score["right"] >= 95, score
    assert score["paths_right"] >= 0.85 * score["paths"], score
