"""Every study that is shipped: it reads, its fix costs no more than its push, its numbers fit."""

from __future__ import annotations

import pytest

from simulator.analysis.spend import planned_cost
from simulator.shipped import scenarios
from simulator.spec.expectations import FILE, read_expectations
from simulator.spec.load import find_study, load, shipped_studies
from simulator.system import build
from simulator.vocabulary import unknown

STUDIES = sorted(shipped_studies())


@pytest.mark.parametrize("name", STUDIES)
def test_the_fix_costs_no_more_than_the_push(name):
    folder = scenarios() / name
    today, variants = find_study(folder)
    base = planned_cost(build(load(today).scenario))
    costs: dict[str, list[float]] = {"push": [], "fix": []}
    for path in variants:
        scenario = load(path).scenario
        if any(p.do or p.steer or p.grow or p.budget for p in scenario.policies):
            # What policies spend is known from runs only: the study itself must say it.
            stated = read_expectations(folder / FILE).expect
            assert any(s.metric == "total_cost" and s.variant == path.stem for s in stated)
        elif scenario.role in costs:
            costs[scenario.role].append(planned_cost(build(scenario)) - base)
    if not (costs["push"] and costs["fix"]):
        pytest.skip("no pair of push and fix")
    assert all(c > 0 for c in costs["push"] + costs["fix"])
    assert max(costs["fix"]) <= min(costs["push"])


@pytest.mark.parametrize("name", STUDIES)
def test_expectations_speak_of_what_there_is(name):
    folder = scenarios() / name
    if not (folder / FILE).exists():
        pytest.skip("no expectations")
    today, variants = find_study(folder)
    scenario = load(today).scenario
    known = {"today", *(p.stem for p in variants)}
    stated = read_expectations(folder / FILE).expect
    # A control may have an effect too small to be told from nothing in every run: bounded instead.
    assert any(s.verdict is not None or s.metric == "arr" for s in stated)
    for s in stated:
        assert {s.variant, s.than} - {None} <= known
        if s.metric is not None:
            assert unknown(s.metric, list(scenario.teams), list(scenario.stages)) == ""
