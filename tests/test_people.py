"""Who works when: headcount and its levers as people, and what they are paid for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.engines import simulate
from simulator.people import People, heads_at
from simulator.spec.load import load_text
from simulator.system import System, build


def team(
    levers: str = "", headcount: float = 3, lead: str = "4 weeks", more: str = "", leads: int = 1
) -> System:
    text = f"""
horizon: 40 weeks
channels: {{a: {{leads: {leads}/week}}}}
teams:
  t: {{headcount: {headcount}, hours: 30 h/week, ramp: 10 weeks, hiring_lead: {lead}{more}}}
stages: {{s: {{team: t, effort: 5 h}}}}
levers: [{levers}]
"""
    return build(load_text(text).scenario)


def rows(people: People) -> list[tuple[float, float, float, float]]:
    return list(zip(people.share, people.join, people.leave, people.ramp_from, strict=True))


ALWAYS = (-math.inf, math.inf, -math.inf)


def test_whole_people_are_here_from_the_start():
    assert rows(team().people) == [(1.0, *ALWAYS)] * 3


def test_half_a_head_is_spread_over_all():
    """2.5 heads are three people with five sixths of a week each."""
    people = team(headcount=2.5).people
    np.testing.assert_allclose(people.share, 2.5 / 3)


def test_nobody():
    assert len(team(headcount=0).people.team) == 0


def test_a_hire_joins_after_the_lead_time_and_ramps():
    people = team("{at: week 10, add: teams.t.headcount, by: 2}").people
    assert rows(people)[3:] == [(1.0, 14.0, math.inf, 14.0)] * 2


def test_the_latest_leave_first():
    levers = "{at: week 10, add: teams.t.headcount, by: 1}"
    levers += ", {at: week 20, add: teams.t.headcount, by: -2}"
    people = team(levers).people
    assert people.leave.tolist() == [math.inf, math.inf, 20.0, 20.0]


def test_who_has_not_joined_yet_never_does():
    people = team("{at: week 10, until: week 12, add: teams.t.headcount, by: 2}").people
    assert rows(people) == [(1.0, *ALWAYS)] * 3


def test_part_of_a_head_leaves():
    system = team("{at: week 10, add: teams.t.headcount, by: -0.5}")
    heads = heads_at(system.people, 1, np.array([0.0, 9.9, 10.0, 39.0]))[:, 0]
    np.testing.assert_allclose(heads, [3, 3, 2.5, 2.5])


def test_a_slow_rise_hires_whole_people():
    """Two heads over eight weeks: one when the first is reached, the other at the end."""
    lever = "{at: week 4, over: 8 weeks, add: teams.t.headcount, by: 2}"
    system = team(lever, lead="0 weeks")
    heads = heads_at(system.people, 1, np.arange(0.0, 20.0))[:, 0]
    assert (np.diff(heads) >= 0).all()
    assert set(heads) == {3.0, 4.0, 5.0}
    assert heads[4] == 3.0
    assert heads[12] == 5.0


@pytest.mark.parametrize("by", [0.3, 1, 2.6, 7])
@pytest.mark.parametrize("over", [0, 1.5, 6])
def test_heads_end_at_what_was_asked_for(by, over):
    system = team(f"{{at: week 5, over: {over} weeks, add: teams.t.headcount, by: {by}}}")
    heads = heads_at(system.people, 1, np.array([0.0, 5.0, 8.9, 30.0]))[:, 0]
    np.testing.assert_allclose(heads, [3, 3, 3, 3 + by])


def test_what_is_added_and_taken_back_leaves_the_team_as_it_was():
    levers = "{at: week 5, until: week 20, scale: teams.t.headcount, by: 2}"
    heads = heads_at(team(levers).people, 1, np.array([4.0, 8.9, 9.0, 19.9, 20.0]))[:, 0]
    np.testing.assert_allclose(heads, [3, 3, 6, 6, 3])


def test_everyone_is_paid_while_here():
    """Without work nobody is kept: paid hours are heads times hours, cost is heads times pay."""
    levers = "{at: week 10, add: teams.t.headcount, by: 2}, "
    levers += "{at: week 20, scale: teams.t.hours, by: 1.5}, "
    levers += "{at: week 30, add: teams.t.headcount, by: -3}"
    s = simulate(team(levers)).series
    paid = 30 * (3 * 14 + 5 * 6) + 45 * 5 * 10
    assert s.paid_hours[30, 0] == pytest.approx(paid)
    assert s.heads[40, 0] == 2
    late = s.paid_hours[40, 0] - s.paid_hours[30, 0]
    # Someone who leaves finishes the work in hand first, if any; late is a difference of sums.
    assert 45 * 2 * 10 - 1e-9 <= late < 45 * 2 * 10 + 3 * 30


def test_cost_follows_the_heads():
    s = simulate(team("{at: week 10, set: teams.t.cost, to: 52.1785714286 k/year}")).series
    before = s.people_cost[10, 0]
    assert before == pytest.approx(3 * 10 * 150e3 / (365.25 / 7))
    assert s.people_cost[40, 0] - before == pytest.approx(3 * 30 * 1000, rel=1e-9)


def test_a_new_hire_is_slow():
    """Hired in week 1, here from week 3 at 30%: the first work takes 1 / .3 as long."""
    text = """
horizon: 30 weeks
channels: {a: {leads: 100/week}}
teams: {t: {headcount: 0, hours: 10 h/week, ramp: 10 weeks, ramp_start: 30%, hiring_lead: 2 weeks}}
stages: {s: {team: t, effort: {mean: 5 h, cv: 0}}}
levers: [{at: week 1, set: teams.t.headcount, to: 1}]
"""
    v = simulate(build(load_text(text).scenario), visits=True).visits
    done = np.isfinite(v.ended)
    took = (v.ended - v.started)[done]
    skill = np.minimum(1.0, 0.3 + 0.7 * (v.started[done] - 3.0) / 10)
    np.testing.assert_allclose(took, 0.5 / skill, rtol=1e-12)
    assert v.started[done][0] == 3.0


def test_who_leaves_finishes_the_work_in_hand():
    text = """
horizon: 20 weeks
channels: {a: {leads: 100/week}}
teams: {t: {headcount: 2, hours: 10 h/week}}
stages: {s: {team: t, effort: {mean: 30 h, cv: 0}}}
levers: [{at: week 10, set: teams.t.headcount, to: 0}]
"""
    r = simulate(build(load_text(text).scenario), visits=True)
    v = r.visits
    started = v.started[np.isfinite(v.started)]
    assert (started < 10).all()
    assert np.nanmax(v.ended) > 10
    assert np.isfinite(v.ended[np.isfinite(v.started)]).all()
    assert r.series.heads[-1, 0] == 0
    assert r.series.paid_hours[-1, 0] > 2 * 10 * 10


@pytest.mark.parametrize("warm_up", [0, 6])
def test_a_hire_asked_for_in_week_0_takes_as_long_as_any(warm_up):
    """A lever says what we do from then on, so it cannot have been done before the run."""
    text = f"""
horizon: 30 weeks
warm_up: {warm_up} weeks
channels: {{a: {{leads: 1/week}}}}
teams: {{t: {{headcount: 3, ramp: 10 weeks, hiring_lead: 4 weeks}}}}
stages: {{s: {{team: t, effort: 5 h}}}}
levers: [{{at: week 0, add: teams.t.headcount, by: 1}}]
"""
    people = build(load_text(text).scenario).people
    assert rows(people) == [(1.0, *ALWAYS)] * 3 + [(1.0, 4.0, math.inf, 4.0)]
