"""Assumptions nobody stated, free lunches, and the JSON Schema of scenario files."""

from __future__ import annotations

import json

import pytest

from simulator.spec.book import BOOK, SPREADS, spread
from simulator.spec.check import assumptions, free_lunches, json_schema
from simulator.spec.load import archetypes, load, load_text
from simulator.spec.units import Quantity

QUEUE = """\
channels: {web: {leads: 30/week}}
teams: {rep: {headcount: 1}}
stages: {serve: {team: rep, effort: 0.5 h}}
"""


def paths(text: str) -> dict[str, str]:
    return {row.path: row.value for row in assumptions(load_text(text))}


def test_book_is_whole():
    for key, item in BOOK.items():
        assert item.grade in "ABCD", key
        assert item.source, key
        assert item.low is not None, key
        assert item.high is not None, key
    for use, (_, cv) in SPREADS.items():
        assert BOOK[f"{use}.cv"].value == cv


KINDS = {
    "h/week": "hours_per_week",
    "weeks": "weeks",
    " week": "weeks",
    " h": "weeks",
    "min": "hours",
    "k/year": "money_rate",
    "%/year": "rate",
    "%": "number",
}


@pytest.mark.parametrize("key", BOOK)
def test_book_ranges_hold_the_value(key):
    item = BOOK[key]
    text = str(item.value)
    kind = next((k for suffix, k in KINDS.items() if text.endswith(suffix)), "number")
    low, value, high = (Quantity(kind).parse(v) for v in (item.low, item.value, item.high))
    assert low <= value <= high


@pytest.mark.parametrize(
    ("use", "given_", "expected"),
    [
        ("effort", {}, ("lognormal", 1.0)),
        ("buyer_time", {}, ("gamma", 0.7)),
        ("patience", {"cv": 1.0}, ("exponential", 1.0)),
        ("patience", {"cv": 0.5}, ("gamma", 0.5)),
        ("effort", {"cv": 0.5}, ("lognormal", 0.5)),
        ("effort", {"cv": 0.0}, ("deterministic", 0.0)),
        ("effort", {"law": "deterministic"}, ("deterministic", 0.0)),
        ("effort", {"law": "exponential"}, ("exponential", 1.0)),
        ("buyer_time", {"law": "lognormal"}, ("lognormal", 0.7)),
        ("patience", {"law": "gamma", "cv": 2.0}, ("gamma", 2.0)),
        ("effort", {"law": "erlang", "order": 4}, ("erlang", 0.5)),
    ],
)
def test_spread(use, given_, expected):
    assert spread(use, **given_) == expected


def test_only_what_matters():
    found = paths(QUEUE)
    assert found["teams.rep.hours"] == "28 h/week"
    assert found["stages.serve.effort.cv"] == "1.0, lognormal"
    for absent in ("buyer.kappa", "teams.rep.ramp", "channels.web.leads.saturation"):
        assert absent not in found
    assert "channels.web.good_fit" not in found
    assert "customers.late_churn" not in found


def test_more_matters_where_it_has_an_effect():
    text = QUEUE.replace("leads: 30/week", "leads: 30/week, spend: 3 k/week").replace(
        "effort: 0.5 h", "effort: {mean: 0.5 h, law: exponential}, patience: 3 days"
    )
    text += "levers: [{add: teams.rep.headcount, by: 1}]\n"
    found = paths(text)
    for present in (
        "teams.rep.ramp",
        "teams.rep.hiring_lead",
        "channels.web.leads.saturation",
        "stages.serve.patience.cv",
    ):
        assert present in found
    assert "stages.serve.effort.cv" not in found
    decided = QUEUE + "  \n"
    decided = decided.replace("0.5 h}}", "0.5 h}, ask: {decision: true}}")
    assert {"buyer.odds.us.good_fit", "buyer.odds.competitor", "buyer.kappa"} <= set(paths(decided))


def test_stated_numbers_are_not_assumptions():
    assert "teams.rep.hours" not in paths(
        QUEUE.replace("headcount: 1", "headcount: 1, hours: 40/week")
    )


@pytest.mark.parametrize("name", archetypes())
def test_archetype_rows(name, tmp_path):
    file = tmp_path / "today.yaml"
    file.write_text(f"extends: {name}\nteams: {{ae: {{headcount: 3}}}}\n")
    rows = {row.path: row for row in assumptions(load(file))}
    assert "teams.ae.headcount" not in rows
    churn = rows["customers.churn"]
    assert churn.origin == f"archetype:{name}"
    assert churn.low
    assert churn.high
    assert all(row.grade in "ABCD" and row.value for row in rows.values())
    assert all(row.source for row in rows.values() if not row.origin.startswith("archetype"))


def test_free_lunches():
    levers = """\
levers:
  - {scale: channels.*.spend, by: 1.5}
  - {add: teams.rep.headcount, by: 1}
  - {scale: teams.rep.hours, by: 1.2}
  - {scale: teams.rep.hours, by: 1.2, cost: 5 k/year}
  - {scale: teams.rep.hours, by: 1}
  - {set: stages.serve.effort, to: 20 min}
"""
    text = QUEUE.replace("leads: 30/week", "leads: 30/week, spend: 3 k/week") + levers
    found = free_lunches(load_text(text))
    assert [(f.index, f.path) for f in found] == [
        (2, "teams.rep.hours"),
        (5, "stages.serve.effort"),
    ]
    assert "free lunch" in found[0].message


def test_json_schema_takes_what_the_loader_takes():
    schema = json_schema()
    properties = schema["properties"]
    assert {"channels", "stages", "teams", "buyer", "levers"} <= set(properties)
    assert "required" not in schema
    defs = schema["$defs"]
    assert "required" not in defs["Team"]
    head = defs["Team"]["properties"]["headcount"]["anyOf"]
    assert {"$ref": "#/$defs/Graded"} in head
    assert any(form.get("type") == "number" for form in head)
    effort = defs["Stage"]["properties"]["effort"]["anyOf"]
    assert any(form.get("type") == "string" for form in effort)
    assert any(str(form.get("$ref", "")).endswith("/Effort") for form in effort)
    advance = defs["Stage"]["properties"]["advance"]
    assert any(form.get("type") == "string" for form in advance["anyOf"])
    assert "from" in defs["Handoff"]["properties"]


def test_json_schema_against_the_archetypes():
    jsonschema = pytest.importorskip("jsonschema")
    from simulator.shipped import scenarios
    from simulator.spec.yamltree import read_tree

    validator = jsonschema.Draft202012Validator(json_schema())
    for file in sorted(scenarios().glob("*/*.yaml")):
        if file.name in ("sweep.yaml", "expect.yaml"):
            continue
        plain = read_tree(file.read_text(encoding="utf-8"), file.name).plain()
        errors = [
            f"{file}: {list(e.path)}: {e.message[:200]}" for e in validator.iter_errors(plain)
        ]
        assert errors == []
    for wrong in ({"teems": {}}, {"teams": {"a": {"headcont": 3}}}, {"horizon": [3]}):
        assert list(validator.iter_errors(wrong))


def test_json_schema_takes_a_graded_cost_as_the_loader_does():
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json_schema())
    cost = {"value": "300 kUSD/year", "low": "100 kUSD/year", "high": "500 kUSD/year", "grade": "D"}
    lever = {"at": "week 4", "set": "value.mean", "to": "50 kUSD", "cost": cost}
    assert list(validator.iter_errors({"levers": [lever]})) == []
    text = f"""
horizon: 26 weeks
channels: {{web: {{leads: 6/week}}}}
stages: {{call: {{buyer_time: 1 week}}}}
value: {{mean: 20 kUSD}}
levers: [{json.dumps(lever)}]
"""
    (taken,) = load_text(text).scenario.levers
    assert taken.cost is not None
    assert list(validator.iter_errors({"levers": [lever | {"cost": {"valeu": "3 USD"}}]}))


def test_what_is_off_unless_stated_shows_its_range_and_why_it_is_not_varied():
    from simulator.analysis.ranges import ranges

    text = """
horizon: 26 weeks
channels: {web: {leads: 6/week}, ads: {leads: 3/week, quality_loss: 0.3}}
stages: {call: {buyer_time: 1 week, advance: {good_fit: 60%, poor_fit: 20%}}}
value: {mean: {value: 20 kUSD, low: 10 kUSD, high: 30 kUSD, grade: D}}
"""
    rows = {r.path: r for r in assumptions(load_text(text))}
    row = rows["channels.web.quality_loss"]
    assert (row.value, row.low, row.high, row.grade) == ("0", "0", "0.6", "D")
    assert "channels.ads.quality_loss" not in rows
    _, left = ranges(load_text(text))
    assert any(x.startswith("channels.web.quality_loss: is off, as nobody stated it") for x in left)
    # Where fits do not differ it cannot matter.
    same = text.replace("poor_fit: 20%", "poor_fit: 60%")
    assert "channels.web.quality_loss" not in paths(same)
