"""Levers on a clock."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.errors import SpecError
from simulator.spec.calendar import Change
from simulator.spec.load import load_text
from simulator.system import System, build


def system(levers: str, more: str = "") -> System:
    text = f"""
horizon: 52 weeks
start: 2026-01-05
channels:
  a: {{leads: {{now: 10/week, at: 4 k/week}}, spend: 4 k/week{more}}}
  b: {{leads: 20/week, spend: 8 k/week}}
teams: {{t: {{headcount: 3, hours: 30 h/week}}}}
stages: {{s: {{team: t, effort: 5 h, advance: {{good_fit: 80%, poor_fit: 40%}}}}}}
levers: [{levers}]
"""
    return build(load_text(text).scenario)


def at(found: System, path: str, *weeks: float) -> list[float]:
    column = found.calendar.of(path)
    return [float(column[found.segment(w)]) for w in weeks]


NOW = "channels.a.leads.now"


@pytest.mark.parametrize(
    ("lever", "value"),
    [
        ("set: channels.a.leads.now, to: 7/week", 7.0),
        ("scale: channels.a.leads.now, by: 1.5", 15.0),
        ("scale: channels.a.leads.now, by: 150%", 15.0),
        ("add: channels.a.leads.now, by: 2/week", 12.0),
    ],
)
def test_verbs(lever, value):
    found = system(f"{{at: week 13, until: week 20, {lever}}}")
    got = at(found, NOW, 0, 12.999, 13, 19.999, 20, 51)
    assert got == pytest.approx([10, 10, value, value, 10, 10])


def test_edges_are_where_something_changes():
    found = system(f"{{at: week 13, until: week 20.5, scale: {NOW}, by: 2}}")
    assert found.edges.tolist() == [0, 13, 20.5, 52]


def test_a_ramp_is_a_staircase_through_the_middle_of_each_week():
    found = system(f"{{at: week 10, over: 4 weeks, scale: {NOW}, by: 2}}")
    got = at(found, NOW, 9.9, 10, 11, 12, 13, 14, 50)
    assert got == pytest.approx([10, 11.25, 13.75, 16.25, 18.75, 20, 20])
    assert found.edges.tolist() == [0, 10, 11, 12, 13, 14, 52]


def test_a_ramp_has_the_area_of_its_line():
    """Also where its length is no whole number of weeks."""
    for over in (0.5, 2.5, 7.25):
        found = system(f"{{at: week 10, over: {over} weeks, add: {NOW}, by: 4/week}}")
        area = float(found.calendar.of(NOW) @ np.diff(found.edges))
        assert area == pytest.approx(520 + 4 * (42 - over / 2))


def test_levers_act_in_the_order_of_the_file():
    one = f"{{at: week 5, set: {NOW}, to: 8/week}}"
    two = f"{{at: week 3, scale: {NOW}, by: 2}}"
    assert at(system(f"{one}, {two}"), NOW, 4, 6) == [20.0, 16.0]
    assert at(system(f"{two}, {one}"), NOW, 4, 6) == [20.0, 8.0]


def test_wildcards_reach_all():
    found = system("{at: week 1, scale: channels.*.spend, by: 1.5}")
    assert at(found, "channels.a.spend", 0, 2) == pytest.approx([4e3, 6e3])
    assert at(found, "channels.b.spend", 0, 2) == pytest.approx([8e3, 12e3])


def test_a_path_may_stop_at_a_quantity():
    found = system("{at: week 1, scale: stages.s.effort, by: 0.5}")
    assert at(found, "stages.s.effort.mean", 0, 2) == [5.0, 2.5]
    found = system("{at: week 1, add: stages.s.advance, by: 10%}")
    assert at(found, "stages.s.advance.good_fit", 2) == pytest.approx([0.9])
    assert at(found, "stages.s.advance.poor_fit", 2) == pytest.approx([0.5])


def test_dates():
    found = system(f"{{at: 2026-04-06, scale: {NOW}, by: 2}}")
    assert found.edges.tolist() == [0, 13, 52]


@pytest.mark.parametrize(
    ("lever", "says"),
    [
        ("{at: week 13, add: stages.s.advance, by: 30%}", "above 1"),
        ("{at: week 13, over: 9 weeks, add: teams.t.headcount, by: -4}", "below 0"),
        ("{at: week 13, scale: teams.t.hours, by: 6}", "above 168"),
    ],
)
def test_out_of_bounds_is_an_error(lever, says):
    with pytest.raises(SpecError, match=says):
        system(lever)


def test_it_is_only_out_of_bounds_if_it_gets_there():
    system(
        "{at: week 13, set: stages.s.advance, to: 30%}, "
        "{at: week 13, add: stages.s.advance, by: 30%}"
    )


@pytest.mark.parametrize("factors", [[0.6, 1.0, 1.1, 1.3], [1.0] * 11 + [1.0], [1.2, 0.8] * 26])
def test_seasons_follow_the_date(factors):
    found = system("", f", seasonality: {factors}")
    season = found.channels.season[:, 0]
    for week in np.arange(0.05, 52, 0.31):
        day = (4 + 7 * week) % 365.25
        want = factors[min(int(day / 365.25 * len(factors)), len(factors) - 1)]
        assert season[found.segment(week)] == want
    assert (found.channels.season[:, 1] == 1).all()


def test_progress():
    change = Change(0, "x", "add", 4.0, at=10.0, over=4.0, until=20.0)
    assert [change.progress(t) for t in (9.9, 10, 12, 14, 19, 20)] == [0, 0, 0.5, 1, 1, 0]


def test_lever_costs_run_and_happen_once():
    levers = f"{{at: week 10, until: week 20, scale: {NOW}, by: 1, cost: 1 k/week}}"
    levers += f", {{at: week 30, scale: {NOW}, by: 1, cost: 40 k}}"
    from simulator.engines import simulate

    cost = simulate(system(levers)).series.lever_cost
    assert cost[[9, 10, 15, 20, 29, 30, 52]] == pytest.approx([0, 0, 5e3, 1e4, 1e4, 5e4, 5e4])


def test_spend_is_the_integral_of_the_levers():
    from simulator.engines import simulate

    s = simulate(system("{at: week 10, over: 4 weeks, scale: channels.a.spend, by: 2}")).series
    assert s.spend[52, 0] == pytest.approx(4e3 * (52 + 42 - 2))
    assert s.spend[52, 1] == pytest.approx(8e3 * 52)
