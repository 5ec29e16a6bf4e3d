"""Every shipped study shows what it says, and what cannot be checked is told in one line."""

from __future__ import annotations

import shutil

import pytest

from simulator.analysis.expect import expect
from simulator.errors import AnalysisError, SpecError
from simulator.spec.expectations import bound
from simulator.spec.load import shipped, shipped_studies

LONG = {"forresters-lesson", "automated-confusion"}  # many replications


@pytest.mark.parametrize(
    "study",
    [pytest.param(s, marks=pytest.mark.slow) if s in LONG else s for s in shipped_studies()],
)
def test_a_study_shows_what_it_says(study):
    """False alarms: the bounds leave room around what many seeds give; seeds are fixed."""
    found = expect([shipped(study)])
    assert found.holds, found.sentences


def test_bounds():
    assert bound("5%") == (0.05, True)
    assert bound("-2%") == (-0.02, True)
    assert bound(0.3) == (0.3, False)
    assert bound("1.2 M") == (1.2e6, False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("expect: []", "expect"),
        ("expect:\n  - {says: x, verdict: fix_win}", "expect.yaml:2"),
        ("expect:\n  - {says: x, variant: push-harder, metric: leads}", "needs above, below"),
        ("expect:\n  - {says: x, variant: push-hard, metric: leads, above: 1}", "push-hard"),
        ("expect:\n  - {says: x, variant: push-harder, metric: lead, above: 1}", "lead"),
        (
            "expect:\n  - {says: x, variant: push-harder, metric: win_rate, since: 5, above: 1}",
            "win_rate is no sum over time, so `since` says nothing",
        ),
        (
            "expect:\n  - {says: x, variant: push-harder, metric: leads, week: 500, above: 1}",
            "week 500 is after the run's end",
        ),
    ],
)
def test_a_wrong_expectation_is_told(tmp_path, text, told):
    folder = tmp_path / "study"
    shutil.copytree(shipped("the-flood"), folder)
    (folder / "expect.yaml").write_text(text + "\n")
    with pytest.raises(SpecError) as caught:
        expect([folder], replications=2)
    lines = [str(p) for p in caught.value.problems]
    assert any(told in line for line in lines), lines


def test_a_study_without_expectations(tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(shipped("the-flood"), folder)
    (folder / "expect.yaml").unlink()
    with pytest.raises(SpecError, match=r"there is no expect\.yaml"):
        expect([folder])


def test_an_engine_without_chance_is_refused():
    with pytest.raises(AnalysisError, match="use batch or events"):
        expect([shipped("the-flood")], engine="flow")


SMALL = """
horizon: 20 weeks
channels: {web: {leads: 20/week, good_fit: 100%}}
teams: {rep: {headcount: 3}}
stages: {talk: {team: rep, effort: 2 h, sla: 1 week}}
"""
FEWER = "extends: today.yaml\nlevers: [{at: week 10, set: channels.web.leads.now, to: 2/week}]\n"


def test_a_stretch_of_weeks_of_a_stage(tmp_path):
    """Visits a week from week 10 on are those of the lever, whatever came before."""
    for name, text in (("today", SMALL), ("fewer", FEWER)):
        (tmp_path / f"{name}.yaml").write_text(text)
    says = "says: x, variant: fewer, metric: rate.talk"
    (tmp_path / "expect.yaml").write_text(
        f"replications: 8\nexpect:\n  - {{{says}, since: 10, above: 1, below: 3}}\n"
        f"  - {{{says}, above: 9}}\n  - {{{says}, week: 10, since: 2, above: 15}}\n"
        "  - {says: x, variant: fewer, metric: sla_met.talk, since: 10, above: 99%}\n"
    )
    found = expect([tmp_path])
    assert found.holds, found.sentences
