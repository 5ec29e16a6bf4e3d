"""Points of a sweep: changing a scenario by path, as if its file had said so."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from sweep_files import TINY

from simulator import people
from simulator.errors import SpecError
from simulator.spec import paths
from simulator.spec.load import load, load_text
from simulator.spec.paths import leaves
from simulator.sweep.points import Axis, apply, change, key_of
from simulator.system import build

ARCHETYPES = ["mid-market-saas", "enterprise", "smb-inside-sales"]


@pytest.mark.parametrize("name", ARCHETYPES)
def test_every_number_can_be_set_to_what_it_is(name):
    scenario = load(name).scenario
    numbers = {p: leaf.value for p, leaf in leaves(scenario).items() if p != "seed"}
    for key, stage in scenario.stages.items():
        if stage.decision:  # its odds are the buyer's
            for fit in ("good_fit", "poor_fit"):
                del numbers[f"stages.{key}.advance.{fit}"]
    assert change(scenario, numbers) == scenario


def test_a_change_is_what_the_file_would_have_said():
    scenario = load_text(TINY).scenario
    changed = change(
        scenario,
        {
            "teams.ae.headcount": 3.0,
            "stages.sell.effort.mean": 4.0,
            "stages.sell.advance.good_fit": 0.7,
            "handoffs.sell>live.accepted": 0.5,
            "customers.churn": 0.001,
            "channels.web.leads.now": 5.0,
        },
    )
    text = TINY.replace("headcount: 2", "headcount: 3").replace("effort: 5 h", "effort: 4 h")
    text = text.replace("good_fit: 60%", "good_fit: 70%").replace("accepted: 80%", "accepted: 50%")
    text = text.replace("start: 20", "start: 20, churn: 0.001/week").replace("3/week", "5/week")
    assert changed == load_text(text).scenario


def test_a_change_leaves_the_scenario_alone():
    scenario = load_text(TINY).scenario
    before = scenario.model_dump()
    changed = change(scenario, {"teams.ae.headcount": 9.0})
    assert scenario.model_dump() == before
    assert changed.stages is scenario.stages
    assert change(scenario, {}) is scenario


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ({"teams.ae.headcount": -1.0}, "teams.ae.headcount"),
        ({"stages.sell.advance.good_fit": 1.2}, "a share lies between 0 and 1"),
        ({"handoffs.sell>live.accepted": 0.95}, "add up to 1.05, more than 1"),
        ({"buyer.odds.us.good_fit": 0.9}, "competitor add up to 1.2"),
        ({"stages.sell.priority": 0.5}, "priority"),
    ],
)
def test_a_point_that_cannot_be_is_refused_with_its_path(numbers, says):
    with pytest.raises(SpecError, match=r"Tiny: ") as told:
        change(load_text(TINY).scenario, numbers)
    assert says in str(told.value)


def test_a_change_from_a_week_is_a_lever():
    loaded = load("mid-market-saas")
    paths = ("teams.se.headcount",)
    lever = (("at", "week 13.0"), ("over", "4.0 weeks"), ("cost", "10 USD/week"))
    axis = Axis(
        "add", paths[0], "add", paths, (4.0,), (0, 1), 0, 1, at=13.0, lever=lever, kind="count"
    )
    changed = apply(loaded.scenario, [axis], [1.0])
    assert len(changed.levers) == 1
    said = changed.levers[0]
    assert (said.at, said.over, said.verb, said.operand) == ("week 13.0", 4.0, "add", 1)
    assert said.cost.amount == 10.0
    assert apply(loaded.scenario, [axis], [0.0]) == loaded.scenario


def test_a_points_name_is_of_what_differs_alone():
    set_to = Axis("p", "p", "set", ("p",), (2.0,), None, 1, 3)
    scaled = Axis("p", "p", "scale", ("p",), (2.0,), None, 1, 3)
    key = key_of(b"sweep", set_to.changes(3.0))
    assert key == key_of(b"sweep", scaled.changes(1.5))
    assert key != key_of(b"other", set_to.changes(3.0))
    assert set_to.changes(2.0) == scaled.changes(1.0) == []
    assert len({key, key_of(b"sweep", []), key_of(b"sweep", [("q", 3.0)])}) == 3
    assert key_of(b"s", [("a", 1.0), ("b", 2.0)]) == key_of(b"s", [("b", 2.0), ("a", 1.0)])


def tables(item, path="", skip=("scenario", "calendar")):
    """Every array and number of a system by where it is."""
    if dataclasses.is_dataclass(item) and not isinstance(item, type):
        for field in dataclasses.fields(item):
            if field.name not in skip:
                yield from tables(getattr(item, field.name), f"{path}.{field.name}")
    elif isinstance(item, tuple | list):
        for i, part in enumerate(item):
            yield from tables(part, f"{path}.{i}")
    else:
        yield path, item.tobytes() if isinstance(item, np.ndarray) else repr(item)


def alone(scenario):
    """A system laid out with nothing kept of others."""
    paths._known.clear()
    paths._matched.cache_clear()
    people._everyone.cache_clear()
    return build(scenario)


@pytest.mark.parametrize("name", [*ARCHETYPES, "scenarios/the-flood/push-harder.yaml"])
def test_points_share_what_they_have_in_common_and_are_as_if_laid_out_alone(name):
    """Each number in turn 3% less, laid out after all others: every table to the bit."""
    root = Path(__file__).parent.parent
    found = load(root / name if "/" in name else name)
    scenario = found.scenario
    made = []
    for path, leaf in leaves(scenario).items():
        if path not in ("seed", "horizon", "warm_up") and leaf.value:
            try:
                point = change(scenario, {path: leaf.value * 0.97})
                build(point)
            except SpecError:  # what may not be 3% less is not of interest
                continue
            made.append(point)
    assert len(made) > 40
    together = [build(point) for point in made]
    for system, point in list(zip(together, made, strict=True))[::7]:
        one, two = dict(tables(system)), dict(tables(alone(point)))
        assert one == two
        assert system.calendar.table == alone(point).calendar.table
