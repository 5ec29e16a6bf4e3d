"""How a scenario went, week by week, and two changes with both of them, of real runs."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from simulator.analysis.compare import compare
from simulator.analysis.course import capability, course_of, deals, reread
from simulator.analysis.factorial import crossing
from simulator.analysis.runs import digest
from simulator.engines import simulate
from simulator.spec.load import load_text
from simulator.system import build

DESK = """
horizon: 26 weeks
warm_up: 4 weeks
name: Today
role: today
channels: {web: {leads: 6/week, spend: 1 kUSD/week}}
teams:
  rep: {headcount: 2, hours: 30/week, ramp: 0 weeks, cost: 52 kUSD/year%s}
stages:
  call: {team: rep, effort: 2 h, advance: 50%%, next: offer}
  offer: {team: rep, effort: 4 h, buyer_time: 2 weeks, advance: 40%%}
opportunity: call
%s
"""


def desk(team: str = "", more: str = ""):
    return load_text(DESK % (team, more)).scenario


def test_opportunities_in_process_and_ended_are_all_there_are():
    """Every lead is an opportunity here: at all times they add up to opening and arrivals."""
    record = simulate(build(desk()), "batch", seed=3)
    held, left = deals(record)
    came = record.opening.sum() + record.series.arrived.sum(axis=1)
    np.testing.assert_allclose(held.sum(axis=1) + left, came, atol=1e-9)
    s = record.series
    stock = s.waiting + s.working + s.buyer + s.transit
    np.testing.assert_allclose(held, stock, atol=1e-9)


def test_a_course_is_the_mean_of_its_runs_and_reads_back():
    system = build(desk())
    runs = [digest(simulate(system, "batch", seed=3, replication=r), None, None) for r in (0, 1)]
    course = course_of(system, runs)
    np.testing.assert_allclose(
        course.held["offer"], np.mean([d.held[:, 1] for d in runs], axis=0), atol=5e-4
    )
    again = reread(json.loads(json.dumps(course.to_json(), allow_nan=False)))
    assert again.held.keys() == course.held.keys()
    np.testing.assert_array_equal(again.left, course.left)
    assert reread(None).held == {}


def test_capability_goes_as_its_law_does():
    """dC/dt = (improvement / stated - C) / erosion: a fifth of the time, for 20 weeks."""
    trap = ", capability: {improvement: 25%, erosion: 20 weeks}"
    lever = "levers: [{at: week 6, set: teams.rep.capability.improvement, to: 5%}]"
    found = capability(build(desk(trap, lever)))["rep"]
    weeks = np.arange(27.0)
    wanted = np.where(weeks <= 6, 1.0, 0.2 + 0.8 * np.exp(-(weeks - 6.0) / 20.0))
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert capability(build(desk(trap)))["rep"] == pytest.approx(np.ones(27))
    # Under pressure it depends on the run: nothing is said of it.
    assert capability(build(desk(trap + ", pressure: {}", lever))) == {}
    assert capability(build(desk())) == {}


def variant(name: str, role: str, *levers: str):
    return desk(more=f"levers: [{', '.join(levers)}]").model_copy(
        update={"name": name, "role": role}
    )


SPEND = "{at: week 4, scale: channels.*.spend, by: 1.5}"
ODDS = "{at: week 4, set: stages.offer.advance.good_fit, to: 60%, cost: 10 kUSD/year}"


def test_a_variant_with_the_levers_of_two_others_crosses_them():
    fix, push = variant("Fix", "fix", ODDS), variant("Push", "push", SPEND)
    both = variant("Both", "other", ODDS, SPEND)
    assert crossing(desk(), [fix, push, both]) == (1, 0, 2)
    assert crossing(desk(), [push, fix]) is None
    assert crossing(desk(), [fix, push, variant("Other", "other", SPEND)]) is None
    other = both.model_copy(update={"horizon": 27.0})
    assert crossing(desk(), [fix, push, other]) is None


def test_what_both_bring_beyond_their_sum_is_of_paired_runs():
    variants = [variant("Push", "push", SPEND), variant("Fix", "fix", ODDS),
                variant("Both", "other", SPEND, ODDS)]  # fmt: skip
    found = compare(desk(), variants, outcome="wins", replications=6, engine="batch", seed=2)
    crossed = found.crossed
    assert crossed is not None
    assert (crossed.first, crossed.second, crossed.both) == ("Push", "Fix", "Both")
    gains = {a.name: a.gain.gain.mean for a in found.written()}
    assert crossed.beyond.mean == pytest.approx(gains["Both"] - gains["Push"] - gains["Fix"])
    assert math.isfinite(crossed.beyond.half)
    said = found.to_json()["two_by_two"]
    assert said["beyond_their_sum"]["mean"] == pytest.approx(crossed.beyond.mean)
