"""How soon work is to begin: the share that did, by theory; and overdue leads that go first."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from generate import system_of
from scipy import stats

from simulator.engines import events, simulate
from simulator.errors import EngineError, SpecError
from simulator.metrics import measure
from simulator.spec.load import load_text
from simulator.system import System

CASES = json.loads((Path(__file__).parent / "reference" / "cases.json").read_text("utf-8"))
RUNS = 12
FALSE_ALARM = 1e-5  # a test of a mean over runs


def line(lam: float, people: int, **stage: Any) -> System:
    """One stage of a team that takes a week a lead; 40 hours a week."""
    work = {"team": "rep", "effort": {"mean": "40 h", "law": "exponential"}, **stage}
    return system_of(
        {
            "horizon": "400 weeks", "warm_up": "100 weeks",
            "channels": {"in": {"leads": f"{lam}/week"}},
            "teams": {"rep": {"headcount": people, "hours": "40 h/week", "ramp": "0 weeks"}},
            "stages": {"serve": work},
        }
    )  # fmt: skip


def shares(system: System) -> np.ndarray:
    """Share of SLAs met by run."""
    runs = (simulate(system, "batch", replication=i) for i in range(RUNS))
    return np.array([measure(r)["sla_met.serve"] for r in runs])


def agrees(found: np.ndarray, exact: float) -> bool:
    bound = stats.t.ppf(1 - FALSE_ALARM / 2, len(found) - 1)
    return bool(abs(found.mean() - exact) <= bound * found.std(ddof=1) / math.sqrt(len(found)))


def test_share_met_is_that_of_erlang_c() -> None:
    system = line(4.5, 5, sla="1 week")
    exact = 1 - CASES["Q1 mmc lam=4.5 mu=1 c=5"]["expected"]["P_Wq_gt_1"]
    assert agrees(shares(system), exact)
    assert measure(simulate(system, "flow"))["sla_met.serve"] == pytest.approx(exact, abs=2e-3)


def test_who_gives_up_was_not_begun_in_time() -> None:
    """M/M/c+M: nobody waits longer than an SLA that never ends, and some are never begun."""
    case = CASES["Q3 erlA lam=12 mu=1 c=10 theta=0.5"]["expected"]
    system = line(12, 10, sla="1000 weeks", patience={"mean": "2 weeks", "law": "exponential"})
    assert agrees(shares(system), 1 - case["Pab"])
    flow = measure(simulate(system, "flow"))["sla_met.serve"]
    assert flow == pytest.approx(1 - case["Pab"], abs=2e-3)


RANKED = """
horizon: 40 weeks
channels: {web: {leads: 12/week}, friends: {leads: 6/week, enters: last}}
teams: {rep: {headcount: 2, hours: 40 h/week}}
stages:
  first: {team: rep, effort: {mean: 3 h, cv: 1}}
  last: {team: rep, effort: {mean: 2 h, cv: 1}, priority: 5}
"""
RULE = "policies: [{name: touch, sla: {stage: last, within: 1 day}}]\n"


def test_nobody_is_served_while_another_is_overdue() -> None:
    system = _built(RANKED + RULE)
    visits = events.run(system, 1, 0, visits=True).visits
    assert visits is not None
    due = visits.entered + system.stages.overdue[0][visits.stage]
    gone = np.where(np.isnan(visits.started), np.inf, visits.started)
    began = np.flatnonzero(~np.isnan(visits.started) & (visits.started > visits.entered))
    hastened = 0
    for i in began:
        now = visits.started[i]
        waits = (visits.entered < now) & (gone > now) & (due < now)
        waits[i] = False
        assert not (waits & (due < due[i])).any()
        hastened += bool(due[i] < now)
    assert hastened > 20


def test_the_rule_moves_waits_and_its_end_is_as_if_it_never_was() -> None:
    plain, ruled = (simulate(_built(text), "batch") for text in (RANKED, RANKED + RULE))
    longest = [measure(r)["wait.last"] for r in (plain, ruled)]
    assert longest[1] < 0.7 * longest[0]
    off = simulate(_built(RANKED + RULE + "mechanisms: {policies: off}\n"), "batch")
    assert (off.series.wait == plain.series.wait).all()


def _built(text: str) -> System:
    from simulator.system import build

    return build(load_text(text).scenario)


def test_flow_says_that_it_cannot_let_the_overdue_go_first() -> None:
    with pytest.raises(EngineError, match="cannot do overdue leads that go first"):
        simulate(_built(RANKED + RULE), "flow")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("{stage: lasst, within: 1 day}", "no stage named 'lasst'. Did you mean 'last'?"),
        ("{stage: last}", "last has no sla of its own. Give within"),
        ("{stage: last, handoff: first>last, within: 1 day}", "names a handoff, as from>to, or"),
        ("{handoff: first>last}", "a handoff needs within"),
        ("{stage: rest, within: 1 day}", "nobody works at rest"),
    ],
)
def test_rules_that_make_no_sense(change: str, says: str) -> None:
    text = RANKED + "  rest: {buyer_time: 1 week}\n" + f"policies: [{{sla: {change}}}]\n"
    with pytest.raises(SpecError) as error:
        load_text(text)
    assert says in str(error.value)


def test_owned_leads_wait_for_their_owner() -> None:
    text = (RANKED + RULE).replace("hours: 40 h/week", "hours: 40 h/week, owned: true")
    with pytest.raises(SpecError, match="leads of team rep are owned"):
        load_text(text)


def test_an_sla_is_of_a_team() -> None:
    with pytest.raises(SpecError, match="sla is of the wait for a team"):
        load_text("channels: {a: {leads: 1/week}}\nstages: {s: {buyer_time: 1 week, sla: 4 h}}\n")


def test_the_table_of_series_has_them() -> None:
    from simulator.report.runs import record_tables

    series = record_tables(simulate(_built(RANKED + RULE), "batch"))["series"]
    assert series["sla_due.last"][-1] >= series["sla_met.last"][-1] > 0
    assert series["sla_due.first"][-1] == 0
