"""Patterns of the week: laid out on the clock, the same in every engine, told where wrong."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from simulator.engines import simulate
from simulator.errors import SpecError
from simulator.spec.load import load, load_text
from simulator.system import System, build

CALLS = """
horizon: 2 weeks
start: {start}
channels: {{calls: {{leads: 1680/week}}}}
teams: {{agents: {{headcount: 3, hours: 168 h/week, ramp: 0 weeks, hiring_lead: 0 weeks{team}}}}}
stages:
  call:
    team: agents
    effort: {{mean: 6 min, law: exponential}}
    patience: {{mean: 5 min, law: exponential}}
patterns: [{patterns}]
{more}
"""
OPEN = "{scale: channels.calls.leads.now, weekdays: [0, 2, 2, 0], weekend: [0]}"
SHIFT = "{set: teams.agents.headcount, weekdays: [0, 4, 2, 0], saturday: [1]}"
HOUR = 1 / 168


def text(
    patterns: str = f"{OPEN}, {SHIFT}", start: str = "2026-01-05", team: str = "", more: str = ""
) -> str:
    return CALLS.format(patterns=patterns, start=start, team=team, more=more)


def system(*args: str, **kwargs: str) -> System:
    return build(load_text(text(*args, **kwargs)).scenario)


def at(found: System, path: str, hours: list[float]) -> list[float]:
    column = found.calendar.of(path)
    return [float(column[found.segment(h * HOUR)]) for h in hours]


def test_a_day_is_split_evenly_and_the_week_comes_round():
    found = system()
    hours = [5.9, 6.1, 17.9, 18.1, 24 * 5 + 12, 24 * 6 + 12, 168 + 7, 168 + 19]
    assert at(found, "channels.calls.leads.now", hours) == [0, 3360, 3360, 0, 0, 0, 3360, 0]
    assert at(found, "teams.agents.headcount", hours) == [0, 4, 2, 0, 1, 3, 4, 0]


def test_the_week_begins_on_the_weekday_of_the_start():
    found = system(start="2026-01-09")  # a Friday
    assert at(found, "teams.agents.headcount", [7, 24 + 7, 48 + 7, 72 + 7]) == [4, 1, 3, 4]


def test_levers_act_on_top():
    found = system(more="levers: [{at: week 1, scale: channels.calls.leads.now, by: 1.5}]")
    assert at(found, "channels.calls.leads.now", [7, 168 + 7]) == [3360, 5040]


def test_a_variant_replaces_the_pattern_of_the_same_path_only(tmp_path):
    (tmp_path / "today.yaml").write_text(text())
    (tmp_path / "more.yaml").write_text(
        "extends: today.yaml\n"
        "patterns: [{set: teams.agents.headcount, weekdays: [9], weekend: [9]}]\n"
    )
    found = build(load(tmp_path / "more.yaml").scenario)
    assert at(found, "teams.agents.headcount", [1, 7]) == [9, 9]
    assert at(found, "channels.calls.leads.now", [1, 7]) == [0, 3360]


def test_arrivals_come_when_the_pattern_says_and_events_and_batch_agree():
    found = system()
    events = simulate(found, "events", visits=True)
    batch = simulate(found, "batch", visits=True)
    assert events.visits is not None
    assert batch.visits is not None
    for name in ("entered", "started", "ended"):
        np.testing.assert_array_equal(getattr(events.visits, name), getattr(batch.visits, name))
    assert batch.leads is not None
    hour = batch.leads.arrived * 168 % 168
    open_hours = (hour < 120) & (hour % 24 >= 6) & (hour % 24 < 18)
    assert open_hours.all()
    # 2 weeks x 5 days x 12 h x 20 calls an hour; 4 sigma, false alarm 6e-5
    assert abs(len(hour) - 2400) < 4 * np.sqrt(2400)
    assert max(map(abs, batch.imbalance().values())) < 1e-9


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        ("{weekdays: [1]}", "patterns.0: needs exactly one of set and scale; it has none"),
        ("{set: teams.agents.headcount}", "patterns.0: names no day"),
        (
            "{scale: channels.cals.leads.now, monday: [1]}",
            "Did you mean 'channels.calls.leads.now'?",
        ),
        ("{scale: channels.calls.leads.now, monday: [-1]}", "in week 0, below 0"),
        (
            "{scale: channels.calls.leads.now, monday: [much]}",
            "monday, for channels.calls.leads.now",
        ),
        (
            f"{SHIFT}, {SHIFT}",
            "patterns.1: teams.agents.headcount has a pattern already, patterns.0",
        ),
        ("{scale: channels.calls.leads.now, monday: []}", "patterns.0.monday"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(patterns, message):
    with pytest.raises(SpecError) as caught:
        load_text(text(patterns))
    assert message in str(caught.value)


def test_people_on_shift_are_not_hired():
    with pytest.raises(SpecError, match="hiring_lead and ramp must be 0"):
        load_text(text().replace("hiring_lead: 0 weeks", "hiring_lead: 4 weeks"))
    with pytest.raises(SpecError, match="agents has attrition"):
        load_text(text(team=", attrition: 20%/year"))


def test_more_steps_than_a_run_may_have_are_refused():
    many = "{set: teams.agents.headcount, weekdays: [" + ", ".join(["1"] * 288) + "], weekend: [1]}"
    with pytest.raises(SpecError, match="steps of patterns"):
        load_text(text(many).replace("horizon: 2 weeks", "horizon: 1000 weeks"))


def test_the_example_of_the_docs_reads():
    docs = Path(__file__).parents[1] / "docs" / "scenario-files.md"
    found = re.search(
        r"## Patterns of the week.*?```yaml\n(.*?)```", docs.read_text("utf-8"), re.DOTALL
    )
    assert found is not None
    scenario = text("").replace("patterns: []", found.group(1))
    build(load_text(scenario.replace("calls:", "web:").replace("agents", "desk")).scenario)
