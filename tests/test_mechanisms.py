"""Switches: off is as if the mechanism had never been written, bit for bit."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from generate import scenarios
from hypothesis import given, settings

from simulator.analysis.counterfactual import at_work, crowd, queues, restored, simulate_without
from simulator.engines import simulate
from simulator.errors import AnalysisError, SpecError
from simulator.mechanisms import SWITCHES, switched, used, without
from simulator.metrics import measure
from simulator.spec.load import load, load_text
from simulator.spec.yamltree import write_yaml
from simulator.system import build

# A little of everything; lines that a mechanism owns end in `# its name`, or several names.
EVERYTHING = """
horizon: 40 weeks
value: {mean: 10 k}
market:
  accounts: 900                                              # market
  reputation: {usual: 30%/year, odds: 0.5}                   # reputation
  delivery: {stage: onboard, leads: [[0, 1], [2, 0.8], [5, 0.1]]}  # slow_delivery
channels:
  web:
    spend: 10 k/month
    leads: {now: 12/week}                                    # -saturation
    leads: {now: 12/week, saturation: none}                  # +saturation
    adstock: 3 weeks                                         # adstock
    quality_loss: 1.0                                        # marginal_quality
  friends:
    leads: {now: 2/week, saturation: none}
    per_customer: 0.3/quarter                                # referral
teams:
  rep:
    headcount: 2
    attrition: 150%/year                                     # attrition
    wip: {normal: 3}                                         # wip
    attrition_ramping: 200%/year                             # early_quits, attrition, ramp
    hires: {good: {share: 40%}, poor: {share: 60%, productivity: 0.8}}  # quality_of_hire
    pressure:                                                # work_pressure
      target: 2 weeks                                        # work_pressure
      smooth: 1 week                                         # work_pressure
      goal: 0.6                                             # work_pressure, performance_goal
    fatigue: {}                                              # fatigue
    burnout: {strength: 9, depletion: 2 weeks}               # burnout, attrition
    supervision: {}                                          # supervision
    capability:                                              # capability
      improvement: 10%                                       # capability
      erosion: 8 weeks                                       # capability
      to_improve: {smooth: 2 weeks}    # capability, urge_to_improve, work_pressure
    ramp: 6 weeks                                            # -ramp
    ramp: 0 weeks                                            # +ramp
    hiring_lead: 4 weeks                                     # -hiring_lead
    hiring_lead: 0 weeks                                     # +hiring_lead
  onboarder: {headcount: 1, function: delivery, ramp: 0 weeks, hiring_lead: 0 weeks}
stages:
  talk:
    team: rep
    effort: 2 h
    patience: 1 week                                         # patience
    speed: {}                                                # speed_to_lead
    advance: {good_fit: 70%, poor_fit: 40%}
    recycle: {share: 20%}                                    # recycling
  try:
    team: rep
    tooling: 1.1                                             # tooling
    effort: 4 h
    rework: {share: 15%}                                     # rework
  decide: {decision: true, buyer_time: 2 weeks}
  onboard: {after_sale: true, team: onboarder, effort: 20 h, buyer_time: 4 weeks}
handoffs:                                                    # handoffs
  - from: talk                                               # handoffs
    to: try                                                  # handoffs
    mismatch: 20%                                            # handoffs, mismatch
    delay: 3 days                                            # handoffs
    accepted: 70%                                            # handoffs
    returned: 10%                                            # handoffs
buyer:
  approvers: 7                                               # -approvers
  approvers: 5                                               # +approvers
  kappa: 2.5                                                 # -buyer_effort
  kappa: 0                                                   # +buyer_effort
  blockers: {legal: {share: 20%, needs: proof, at_least: 95%}}  # blockers
  discount: {level: 20%}                                     # discount
  aging: {decay: 0.5, after: 2 weeks}                        # aging
  attention: rep                                             # attention, work_pressure
customers:
  start: 60
  churn: 60%/year
  care: {team: onboarder, hours: 1 h/week}                   # customer_care
  onboarding_target: 2 days
  late_churn: 0.6                                            # -onboarding_lateness
  late_churn: 0                                              # +onboarding_lateness
levers:
  - {at: week 5, scale: channels.web.spend, by: 1.5, over: 3 weeks}
  - {at: week 6, add: teams.rep.headcount, by: 1}
  - {at: week 7, scale: buyer.effort, by: 2, cost: 9 k/year}
  - {at: week 8, scale: stages.talk.patience, by: 2, cost: 7 k/year}           # -patience
  - {at: week 8, scale: money.overhead, by: 1, cost: 7 k/year}                 # +patience
  - {at: week 9, set: handoffs.talk>try.accepted, to: 75%, cost: 3 k/year}     # -handoffs
  - {at: week 9, scale: money.overhead, by: 1, cost: 3 k/year}                 # +handoffs
  - {at: week 9, set: handoffs.talk>try.mismatch, to: 5%}                      # handoffs, mismatch
  - {at: week 9, add: customers.late_churn, by: 0.2}                           # onboarding_lateness
  - {at: week 9, set: buyer.approvers, to: 6}                                  # approvers
policies:                                                    # policies
  - when: {signal: utilisation.rep, above: 60%}              # policies
    do: {add: teams.rep.headcount, by: 1, at_most: 2}        # policies
    lasts: 12 weeks                                          # policies
  - limit: {stages: [try], at_most: 20}                      # policies
  - gate: {stage: try, poor_fit: 60%}                        # policies
  - sla: {handoff: talk>try, within: 1 week}                 # policies, handoffs
"""


def written(off: str | None = None) -> str:
    """The file with everything, or as it would be written without a mechanism."""
    lines = []
    for line in EVERYTHING.splitlines():
        text, _, mark = line.partition("# ")
        mark = mark.strip()
        owners = mark.lstrip("+-").split(", ")
        if not mark or (off in owners) == mark.startswith("+"):
            lines.append(text)
    return "\n".join(lines) + "\n"


def same(a: object, b: object) -> None:
    """Two records agree in every bit."""
    for group in ("series", "leads"):
        one, two = getattr(a, group), getattr(b, group)
        for f in fields(one):
            left, right = getattr(one, f.name), getattr(two, f.name)
            assert np.array_equal(left, right, equal_nan=True), f"{group}.{f.name}"
    assert np.array_equal(a.fates, b.fates)


@pytest.mark.parametrize("name", SWITCHES)
def test_off_is_as_if_never_written(name):
    whole, never = load_text(written()).scenario, load_text(written(name)).scenario
    off = load_text(written() + f"mechanisms: {{{name}: off}}\n").scenario
    assert off == without(whole, [name])
    assert switched(whole, [name]) == never
    same(simulate(build(off), "batch"), simulate(build(never), "batch"))
    assert build(off).scenario is off


@pytest.mark.parametrize("name", SWITCHES)
def test_off_does_something_where_it_is_used(name):
    whole = load_text(written()).scenario
    assert name in used(whole)
    assert name not in used(without(whole, [name]))
    a = simulate(build(whole), "batch").series
    b = simulate(build(without(whole, [name])), "batch").series
    assert not np.array_equal(a.arr, b.arr)


def test_on_is_what_nobody_says():
    whole = load_text(written()).scenario
    said = load_text(written() + "mechanisms: {patience: on, market: true}\n").scenario
    assert said == whole
    assert switched(whole, []) is whole


def test_all_off_at_once():
    whole = load_text(written()).scenario
    off = without(whole, SWITCHES)
    assert used(off) == ()
    record = simulate(build(off), "batch")
    assert max(map(abs, record.imbalance().values())) < 1e-6
    cold = [f.reason in ("went_cold", "rejected") for f in record.system.fates]
    assert record.fates[:, cold].sum() == 0


@settings(max_examples=25)
@given(scenarios())
def test_what_is_not_used_changes_nothing(made):
    scenario = load_text(write_yaml(made)).scenario
    idle = [name for name in SWITCHES if name not in used(scenario)]
    same(
        simulate(build(scenario), "batch"),
        simulate(build(without(scenario, idle)), "batch"),
    )


def test_a_wildcard_lever_keeps_to_what_is_left():
    text = written().replace("scale: stages.talk.patience", "scale: stages.*.patience")
    text = text.replace("  try:\n    team: rep\n", "  try:\n    team: rep\n    patience: 2 weeks\n")
    scenario = load_text(text).scenario
    levers = switched(scenario, ["patience"]).levers
    assert [x.path for x in levers if x.cost and x.cost.amount] == [
        "buyer.effort", "money.overhead", "handoffs.talk>try.accepted"
    ]  # fmt: skip
    mixed = load_text(written().replace("add: customers.late_churn, by: 0.2",
                                        "scale: customers.*, by: 2")).scenario  # fmt: skip
    left = [x.path for x in switched(mixed, ["onboarding_lateness"]).levers]
    assert "customers.late_churn" not in left
    assert "customers.churn" in left
    assert "customers.*" not in left


def test_costs_of_levers_stay():
    scenario = load_text(written()).scenario
    for name in SWITCHES:
        a, b = build(scenario), build(without(scenario, [name]))
        whole = a.money.lever_rate @ np.diff(a.edges)
        assert b.money.lever_rate @ np.diff(b.edges) == pytest.approx(whole), name


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("{saturaton: off}", "Did you mean 'saturation'?"),
        ("{market: 0}", "mechanisms.market: is on or off (or true or false), not 0"),
        ("{queueing: off}", "queueing cannot be switched off in a run"),
    ],
)
def test_wrong_switches_are_named(said, answer):
    with pytest.raises(SpecError) as error:
        load_text(written() + f"mechanisms: {said}\n", "f.yaml")
    assert answer in str(error.value)
    assert str(error.value).startswith("f.yaml:")
    assert len(error.value.problems) == 1


def test_no_mechanism_of_that_name():
    with pytest.raises(AnalysisError, match=r"no mechanism named 'rampp'\. Did you mean 'ramp'"):
        switched(load_text(written()).scenario, ["rampp"])


def test_switches_are_kept_by_what_is_resolved():
    loaded = load_text(written() + "mechanisms: {market: off}\n")
    assert load_text(loaded.resolved_text()).scenario == loaded.scenario


def test_nobody_waits_in_a_crowd():
    scenario = load("scenarios/the-flood/today.yaml").scenario
    system = build(scenario)
    teams = range(len(system.team_names))
    plain = simulate(system, "batch")
    crowded = simulate(crowd(system, teams), "batch")
    record = restored(crowded, system, teams)
    assert record.series.wait[-1].sum() == 0
    assert plain.series.wait[-1].sum() > 0
    for name in ("heads", "paid_hours", "people_cost"):
        mine, its = getattr(record.series, name), getattr(plain.series, name)
        assert mine == pytest.approx(its, rel=1e-9), name
    assert record.series.busy_hours[-1].sum() == pytest.approx(record.fate_hours.sum())
    found = measure(record)
    # What solution engineers would have to work, were nobody lost to them.
    assert found["utilisation.se"] > 1 > measure(plain)["utilisation.se"]
    assert found["bookings_capacity"] == measure(plain)["bookings_capacity"]


def test_one_team_in_a_crowd():
    scenario = load("scenarios/the-flood/today.yaml").scenario
    assert "queueing.se" in queues(scenario)
    assert at_work(scenario)[0] == "queueing"
    off = frozenset({"queueing.se", "referral"})
    record = simulate_without(scenario, off, "batch", seed=1, replication=0)
    wait = dict(zip(record.system.stage_names, record.series.wait[-1], strict=True))
    assert wait["demo"] == wait["proof_of_concept"] == 0 < wait["security_review"]
