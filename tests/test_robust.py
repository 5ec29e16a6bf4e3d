"""Does a verdict stand? Where the truth is planted."""

from __future__ import annotations

import json

import pytest

from simulator.analysis.robust import FLIPS, STANDS, robustness
from simulator.errors import AnalysisError

# With short talks the desk has slack and pushing wins; with long ones only hands help.
TODAY = """
horizon: 26 weeks
outcome: wins
value: {mean: 20 kUSD, cv: 0.2}
channels:
  web:
    spend: 5 kUSD/week
    leads: {now: 12/week, saturation: 0.8}
    good_fit: 100%
teams:
  desk:
    headcount: 2
    hours: 30 h/week
    cost: {value: 100 kUSD/year, low: 60 kUSD/year, high: 140 kUSD/year, grade: D}
    ramp: 0 weeks
    hiring_lead: 0 weeks
stages:
  talk:
    team: desk
    effort: {mean: {value: EFFORT, low: 2 h, high: 9 h, grade: D}, cv: 1}
    patience: 2 weeks
    advance: {value: 60%, low: 55%, high: 65%, grade: D}
"""
PUSH = "extends: today.yaml\nname: Push\nrole: push\nlevers: [{scale: channels.web.spend, by: 2}]\n"
FIX = "extends: today.yaml\nname: Fix\nrole: fix\nlevers: [{add: teams.desk.headcount, by: 1}]\n"


def study(folder, effort="7 h", **files):
    folder.mkdir(exist_ok=True)
    (folder / "today.yaml").write_text(TODAY.replace("EFFORT", effort))
    for name, text in (files or {"push": PUSH, "fix": FIX}).items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    return robustness(study(tmp_path_factory.mktemp("long")), most=12)


def test_a_verdict_that_flips_inside_a_range_says_so(long):
    assert long.verdict == "Fix"
    bars = {b.range.path: b for b in long.bars}
    effort = bars["stages.talk.effort.mean"]
    assert effort.said == (FLIPS, STANDS)
    # The desk is full at 2 x 30 h / 12 leads = 5 h a lead: about there it turns.
    assert 3.0 < effort.turns < 6.5
    assert bars["stages.talk.advance.good_fit"].worst == STANDS
    assert "flips inside the range of 1 of" in long.sentences[1]
    assert "talk effort below about" in long.sentences[1]


def test_spend_is_equal_at_every_end(long):
    """What a head costs changes no win, but what the other side may spend, and so the gain."""
    cost = next(b for b in long.bars if b.range.path == "teams.desk.cost")
    assert cost.swing > 0.0
    assert cost.worst == STANDS


def test_the_other_verdict_from_the_other_end(tmp_path):
    found = robustness(study(tmp_path / "short", "3 h"), most=12)
    assert found.verdict == "Push"
    effort = next(b for b in found.bars if b.range.path == "stages.talk.effort.mean")
    assert effort.said == (STANDS, FLIPS)


def test_json_holds_the_bars_and_their_verdicts(long):
    said = json.loads(json.dumps(long.to_json(), allow_nan=False))
    assert said["kind"] == "robustness"
    assert said["sides"] == ["Push", "Fix"]
    assert said["counts"]["flips"] == 1
    assert sum(said["counts"].values()) == len(said["tornado"])
    top = said["tornado"][0]
    assert (top["path"], top["at_low"]["verdict"]) == ("stages.talk.effort.mean", "flips")
    assert top["turns_at"] == long.bars[0].turns


def test_what_is_not_in_use_is_not_run_again(long):
    """Nobody tires here: a normal week of other hours has the runs as stated."""
    idle = next(b for b in long.bars if b.range.path == "teams.desk.week")
    assert idle.low == idle.high == long.base
    assert (idle.worst, idle.swing) == (STANDS, 0.0)


def test_the_same_with_any_number_of_workers(long, tmp_path):
    again = robustness(study(tmp_path / "again"), most=12, jobs=1)
    assert [b.low for b in again.bars] == [b.low for b in long.bars]


def test_a_lone_variant_is_held_against_today(tmp_path):
    found = robustness(study(tmp_path / "lone", fix=FIX), replications=4)
    assert found.sides[1] == "Fix"
    assert found.roles == ("today", "fix")
    assert found.spend is None
    assert found.verdict == "Fix"


def test_what_cannot_be_asked(tmp_path):
    a, b = PUSH.replace("role: push", "role: other"), FIX.replace("role: fix", "role: other")
    two = study(tmp_path / "two", a=a, b=b)
    with pytest.raises(AnalysisError, match="write role: push in one variant and role: fix"):
        robustness(two)
    with pytest.raises(AnalysisError, match="one replication has no interval"):
        robustness(study(tmp_path / "one"), replications=1)
