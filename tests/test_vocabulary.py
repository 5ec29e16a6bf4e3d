"""Every metric has a name, a unit and a place in the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.engines import simulate
from simulator.errors import AnalysisError, SpecError
from simulator.metrics import measure
from simulator.spec.load import load_text
from simulator.system import build
from simulator.vocabulary import BY_STAGE, METRICS, describe, unknown

ROOT = Path(__file__).parent.parent
TINY = """
horizon: 5 weeks
channels: {web: {leads: 3/week}}
teams: {rep: {headcount: 1, hours: 40 h/week}}
stages: {serve: {team: rep, effort: 1 h}}
"""


def test_the_reference_has_every_metric() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    for name, metric in METRICS.items():
        assert f"| `{name}` | {metric.unit} | {metric.text} |" in text
    for name, metric in BY_STAGE.items():
        assert f"| `{name}STAGE` | {metric.unit} | {metric.text} |" in text


def test_what_is_measured_is_described() -> None:
    measured = measure(simulate(build(load_text(TINY).scenario), "events"))
    assert set(METRICS) <= set(measured)
    for name in measured:
        assert describe(name).text


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("profit", "no metric named 'profit'. Did you mean 'net_profit'?"),
        ("wait.serv", "nothing is called 'serv'. Did you mean 'wait.serve'?"),
        ("utilisation.serve", "nothing is called 'serve'"),
    ],
)
def test_an_outcome_that_is_none(outcome: str, said: str) -> None:
    with pytest.raises(SpecError) as error:
        load_text(TINY + f"outcome: {outcome}\n", name="t.yaml")
    assert str(error.value).startswith("t.yaml:6: outcome: no metric named")
    assert said in str(error.value)
    with pytest.raises(AnalysisError):
        describe("profit")
    assert not unknown("wait.serve", ["rep"], ["serve"])


@pytest.mark.parametrize(
    ("lever", "said"),
    [
        (
            "{at: week 2, add: teams.rep.headcount, by: -2}",
            "t.yaml:6: levers.0: takes teams.rep.headcount to -1 in week 2, below 0",
        ),
        (
            "{at: week 3, until: week 2, scale: channels.web.leads, by: 2}",
            "t.yaml:6: levers.0: until is week 2, before week 3, where it begins",
        ),
    ],
)
def test_levers_out_of_bounds_are_told_with_their_line(lever: str, said: str) -> None:
    with pytest.raises(SpecError) as error:
        load_text(TINY + f"levers: [{lever}]\n", name="t.yaml")
    assert said in str(error.value)
