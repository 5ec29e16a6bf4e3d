"""Those who are hired: when they come, how long they ramp, who of them quits, and what it costs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator import laws
from simulator.engines import simulate
from simulator.errors import SpecError
from simulator.metrics import measure
from simulator.people import joining
from simulator.spec.check import assumptions, free_lunches
from simulator.spec.load import load_text
from simulator.system import build
from simulator.weekly.hires import luck_of, span_of

Z = 4.5  # false alarms: 7 in a million a comparison
EDGES = np.array([-4.0, 0.0, 5.0, 20.0])


def text(team: str, more: str = "", weeks: int = 60) -> str:
    heads = "" if "headcount" in team else "headcount: 4, "
    return f"""
horizon: {weeks} weeks
channels: {{web: {{leads: 1/week}}}}
teams: {{rep: {{{heads}hours: 40 h/week, hiring_lead: 0 weeks, {team}}}}}
stages: {{talk: {{team: rep, effort: 1 h}}}}
{more}
"""


def series(team: str, more: str = "", weeks: int = 60, engine: str = "flow", replication: int = 0):
    system = build(load_text(text(team, more, weeks)).scenario)
    return simulate(system, engine, replication=replication).series


# -- the laws ------------------------------------------------------------------------------------


def test_a_hire_is_productive_by_the_day_or_at_once():
    assert laws.hire_skill(laws.LINE, 5.0, 10.0, 10.0, 0.3) == laws.skill(5.0, 10.0, 0.3)
    assert laws.hire_skill(laws.EXPONENTIAL, 6.9, 7.0, 10.0, 0.3) == 0.3
    assert laws.hire_skill(laws.EXPONENTIAL, 7.0, 7.0, 10.0, 0.3) == 1.0


@pytest.mark.parametrize(
    ("since", "ripe", "felt"),
    [
        (-math.inf, -math.inf, 1.0),  # ramped all the time
        (2.0, 9.0, 3.0),  # ramping all the time
        (2.0, 4.5, 2.0),  # half and half
        (4.5, 9.0, 1.5),  # came in the middle
        (4.25, 4.5, 1.25),  # came, and ramped in a quarter
        (5.0, 9.0, 0.0),  # came at the end
    ],
)
def test_what_a_person_feels_of_a_teams_hazard(since, ripe, felt):
    """From week 4 to 5, at three times the rate while ramping."""
    assert laws.exposure(4.0, 5.0, since, ripe, 3.0, 1.0) == pytest.approx(felt)


def test_spans_are_exponential():
    stream = 12345 << 20
    spans = np.array([span_of(stream, q, 0, laws.EXPONENTIAL, 8.0) for q in range(4000)])
    assert abs(spans.mean() - 8.0) < Z * 8.0 / math.sqrt(4000)
    assert abs((spans > 8.0).mean() - math.exp(-1)) < Z * 0.48 / math.sqrt(4000)
    assert span_of(stream, 3, 0, laws.LINE, 8.0) == 8.0
    luck = np.array([luck_of(stream, q, 0) for q in range(4000)])
    assert abs(luck.mean() - 0.5) < Z / math.sqrt(12 * 4000)
    assert abs(np.corrcoef(spans, luck)[0, 1]) < Z / math.sqrt(4000)


@pytest.mark.parametrize(
    ("goal", "output", "pressure"),
    [(1.2, 1.0, 1.2), (1.0, 1.25, 0.8), (2.0, 0.01, 10.0), (2.0, 0.0, 1.0)],
)
def test_a_goal_over_output(goal, output, pressure):
    assert laws.stretch(goal, output) == pytest.approx(pressure)


@pytest.mark.parametrize(
    ("wanted", "improving", "longest", "hours"),
    [
        (30.0, 0.25, 1.0, 30.0),  # as stated: 30 of 40 h, 10 of improvement
        (40.0, 0.25, 1.0, 30.0),  # no more room
        (40.0, 0.10, 1.0, 36.0),  # room that improvement leaves
        (40.0, 0.25, 1.2, 38.0),  # a longer week
        (24.0, 0.10, 1.0, 24.0),  # nobody wants more
        (30.0, 0.99, 0.9, 0.0),
    ],
)
def test_a_week_has_so_many_hours(wanted, improving, longest, hours):
    assert laws.hours_in_week(wanted, 30.0, improving, 0.25, longest) == pytest.approx(hours)


# -- who comes when ------------------------------------------------------------------------------


def test_people_come_in_the_middle_of_their_time():
    assert joining(0.5, np.full(3, 0.5), EDGES, 0.0) == pytest.approx(np.arange(1.0, 20.0, 2.0))


def test_a_change_is_felt_after_the_hiring_lead():
    """One every other week; from week 5 on, three weeks later, two a week."""
    rate = np.array([0.5, 0.5, 2.0])
    want = [1.0, 3.0, 5.0, 7.0, *np.arange(8.25, 20.0, 0.5)]
    assert joining(0.5, rate, EDGES, 3.0) == pytest.approx(want)


def test_nobody_comes_while_nobody_is_hired():
    assert joining(0.0, np.array([0.0, 0.0, 1.0]), EDGES, 0.0) == pytest.approx(
        np.arange(5.5, 20.0, 1.0)
    )


@pytest.mark.parametrize("engine", ["events", "batch", "flow"])
def test_two_a_month(engine):
    month = 365.25 / 12 / 7
    s = series("hiring: 2/month, ramp: 12 weeks, ramp_start: 50%", weeks=52, engine=engine)
    assert s.heads[:, 0] == pytest.approx(4 + np.floor(s.t * 2 / month + 0.5))
    young = np.minimum(np.floor(s.t * 2 / month + 0.5), 6)
    assert s.ramping[20:, 0] == pytest.approx(young[20:], abs=1)
    assert (s.skilled <= s.heads).all()
    assert (s.skilled >= s.heads - 0.5 * s.ramping - 1e-9).all()
    assert s.people_cost[-1, 0] > series("ramp: 12 weeks", weeks=52).people_cost[-1, 0] * 3


def test_a_lever_hires_more():
    lever = "levers: [{at: week 26, scale: teams.rep.hiring, by: 3}]"
    s = series("hiring: 0.25/week, ramp: 0 weeks", lever, weeks=52)
    assert s.heads[[26, 50], 0] == pytest.approx([4 + 6, 4 + 6 + 18], abs=1)
    loaded = load_text(text("hiring: 0.25/week, ramp: 0 weeks", lever))
    assert not free_lunches(loaded)


def test_bookings_capacity_is_of_those_who_are_there():
    team = "hiring: 1/month, quota: 520 k/year, ramp: 26 weeks, attrition: 50%/year"
    record = simulate(build(load_text(text(team)).scenario), "flow")
    capacity = measure(record, 40)["bookings_capacity"]
    assert capacity == pytest.approx(record.series.skilled[40, 0] * 520e3)
    assert record.series.skilled[40, 0] < record.series.heads[40, 0]


# -- who quits, and when -------------------------------------------------------------------------

WASH = "hiring: 1/week, ramp: 13 weeks, replaced: false, washout: 33%"


@pytest.mark.parametrize("law", ["line", "exponential"])
def test_a_third_leaves_before_they_are_productive(law):
    """And nobody after: in the long run two thirds of those who came stay."""
    s = series(f"{WASH}, ramp_law: {law}", weeks=140)
    stay = s.heads[:, 0] - s.ramping[:, 0] - 4
    assert (stay[138] - stay[100]) / 38 == pytest.approx(0.67, rel=5e-3)


@pytest.mark.parametrize("engine", ["events", "batch", "flow"])
@pytest.mark.parametrize(
    "early", ["washout: 90%", "hires: {brief: {share: 100%, tenure: 9 weeks}}"]
)
def test_who_is_there_at_the_start_stays(engine, early):
    """Nobody quits but hires: where no attrition is stated, only they have a rate of their own."""
    team = f"headcount: 4, replaced: false, ramp: 13 weeks, {early}"
    assert (series(team, weeks=80, engine=engine).heads == 4).all()
    some = series(f"hiring: 1/week, {team}", weeks=80, engine=engine)
    assert 4 < some.heads[70, 0] < 40


@pytest.mark.parametrize("law", ["line", "exponential"])
def test_whole_people_quit_as_masses_do(law):
    team = f"{WASH}, ramp_law: {law}, attrition: 50%/year, hires: {{good: {{share: 25%}}, poor: {{share: 75%, productivity: 0.5, tenure: 20 weeks}}}}"  # noqa: E501
    mean, runs = series(team, weeks=80), 40
    rows = [series(team, weeks=80, engine="batch", replication=r) for r in range(runs)]
    for name in ("heads", "ramping", "skilled"):
        x = np.array([getattr(s, name)[[20, 40, 70], 0] for s in rows])
        error = x.std(axis=0, ddof=1) / math.sqrt(runs)
        assert (np.abs(x.mean(axis=0) - getattr(mean, name)[[20, 40, 70], 0]) < Z * error).all()


def test_replacements_are_of_all_kinds_too():
    """Who quits is replaced at once: of 4, as many are poor as stay so long."""
    team = (
        "attrition: 100%/year, ramp: 0 weeks, "
        "hires: {good: {share: 50%}, poor: {share: 50%, productivity: 0.5, tenure: 13 weeks}}"
    )
    s = series(team, weeks=400)
    year = 365.25 / 7
    poor = 13.5 / (13.5 + year + 0.5)  # each stays as long as it takes, seen at the end of a week
    assert s.heads[-2, 0] == pytest.approx(4.0, rel=1e-9)
    assert s.skilled[-2, 0] == pytest.approx(4 * (1 - 0.5 * poor), rel=0.01)


# -- what it is called ---------------------------------------------------------------------------


def test_too_many_are_refused():
    with pytest.raises(SpecError, match=r"teams.rep.hiring: brings about .* at most 10,000"):
        load_text(text("hiring: 200/week"))
    more = "levers: [{at: week 1, scale: teams.rep.hiring, by: 300}]"
    with pytest.raises(SpecError, match=r"teams.rep.hiring: brings about .* at most 10,000"):
        build(load_text(text("hiring: 1/week", more)).scenario)


def test_defaults_of_hires_are_among_the_assumptions():
    rows = {row.path for row in assumptions(load_text(text("hiring: 1/month")))}
    assert {"teams.rep.ramp", "teams.rep.ramp_start"} <= rows
    more = text("pressure: {goal: 1.1}, capability: {to_improve: {}}")
    rows = {row.path for row in assumptions(load_text(more))}
    assert "teams.rep.capability.to_improve.smooth" in rows
