"""Slow mechanisms, policies and rules in the batch engine: as in events, to the bit."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from test_batch import FEATURES, differences, parity, system_of

from simulator.engines import batch, events, features
from simulator.errors import EngineError

PRESS = {"teams.sdr.pressure": {}, "teams.ae.pressure": {"errors": 0.5}}
LATE = {"propose": {"team": "ae", "effort": "8 h", "decision": True, "buyer_time": "2 weeks"}}
DECIDE = {"stages.propose": LATE["propose"]}
CAP = {"limit": {"stages": ["discover", "propose"], "at_most": 7}, "name": "cap"}
HANDOFFS = [
    {"from": "qualify", "to": "discover", "delay": {"mean": "3 days"}, "accepted": "60%",
     "accepted_poor_fit": "30%", "returned": "25%", "rework": "30 min"},
]  # fmt: skip


def hire(**more: Any) -> dict[str, Any]:
    rule = {
        "name": "hire",
        "when": {"signal": "utilisation.ae", "above": "50%"},
        "do": {"add": "teams.ae.headcount", "by": 1, "at_most": 4},
        "every": "2 weeks",
    }
    return rule | more


# ruff: noqa: E501
WEEKLY: dict[str, dict[str, Any]] = {
    "attrition": {"teams.ae.attrition": "200%/year", "teams.sdr.attrition": "300%/year",
                  "teams.sdr.hiring_lead": "2 weeks", "teams.ae.hiring_lead": "0 weeks"},
    "attrition, not replaced": {"teams.ae.attrition": "150%/year", "teams.ae.replaced": False,
                                "teams.ae.headcount": 6},
    "attrition and plan": {"teams.ae.attrition": "250%/year", "teams.ae.hiring_lead": "1 week", "levers": [
        {"at": "week 4", "add": "teams.ae.headcount", "by": 2},
        {"at": "week 12", "set": "teams.ae.headcount", "to": 1.5}]},
    "hiring": {"teams.ae.hiring": "3/month", "teams.ae.attrition": "150%/year", "teams.ae.replaced": False,
               "teams.ae.hiring_lead": "0 weeks", "warm_up": "0 weeks",
               "levers": [{"at": "week 5.5", "scale": "teams.ae.hiring", "by": 2}]},
    "ramps by chance": {"teams.ae.hiring": "2/month", "teams.ae.ramp_law": "exponential", "teams.ae.ramp": "4 weeks",
                        "teams.ae.attrition": "150%/year", "teams.ae.washout": "40%", "teams.ae.hiring_lead": "1 week"},
    "kinds of hires": {"teams.ae.attrition": "100%/year", "teams.ae.attrition_ramping": "300%/year",
                       "teams.ae.hiring_lead": "1 week", "teams.ae.ramp": "4 weeks", "policies": [hire()],
                       "teams.ae.hires": {"good": {"share": "30%", "productivity": 1.2},
                                          "poor": {"share": "70%", "productivity": 0.5, "tenure": "9 weeks"}}},
    "a goal": {"teams.ae.pressure": {"goal": 1.3, "longest": "44 h/week"}, "teams.ae.fatigue": {},
               "teams.ae.capability": {"improvement": "15%", "erosion": "6 weeks", "to_improve": {"smooth": "2 weeks"},
                                       "under_pressure": [[1, 1], [2, 0.1]]},
               "levers": [{"at": "week 6", "scale": "teams.ae.pressure.goal", "by": 1.2}]},
    "burnout": {**PRESS, "teams.ae.attrition": "90%/year", "teams.ae.burnout": {"strength": 6},
                "teams.ae.headcount": 1, "stages.propose.effort": "20 h"},
    "wip": {"teams.ae.wip": {"normal": 1.5, "loss": 1.0}, "teams.sdr.wip": {"table": "weinberg"},
            "stages.propose.effort": "16 h"},
    "pressure": {**PRESS, "stages.qualify.effort": "8 h", "stages.discover.rework": {"share": "20%"},
                 "handoffs": HANDOFFS},
    "pressure in an idle week": {**PRESS, "channels.paid.leads": "0.5/week", "channels.events.leads": "0.3/week"},
    "fatigue": {**PRESS, "teams.sdr.fatigue": {}, "teams.ae.fatigue": {"law": "pencavel"},
                "stages.qualify.effort": "9 h", "stages.propose.effort": "16 h"},
    "supervision": {"teams.ae.supervision": {"hours": "8 h/week"}, "teams.ae.ramp": "6 weeks",
                    "teams.ae.attrition": "100%/year", "teams.ae.hiring_lead": "1 week",
                    "levers": [{"at": "week 5", "add": "teams.ae.headcount", "by": 2}]},
    "capability": {**PRESS, "teams.ae.capability": {"improvement": "10%", "erosion": "6 weeks"},
                   "stages.propose.effort": "20 h"},
    "marginal quality": {"channels.paid.quality_loss": 0.4, "channels.paid.leads": {"now": "9/week", "saturation": 1},
                         "levers": [{"at": "week 5", "scale": "channels.paid.spend", "by": 2.5, "over": "4 weeks"}]},
    "adstock and quality": {"channels.paid.quality_loss": 0.4, "channels.paid.adstock": "3 weeks",
                            "levers": [{"at": "week 5", "scale": "channels.paid.spend", "by": 2.5}]},
    "outbound": {"channels.calls": {"leads": "4/week", "outbound": {"team": "sdr", "hours": "8 h/week", "tooling": 1.3}},
                 **PRESS},
    "reputation": {"market.reputation": {"usual": "20%/year", "odds": 1.0}, "customers.churn": "150%/year",
                   "channels.friends": {"per_customer": "0.2/week"}, **DECIDE},
    "slow delivery": {"market.delivery": {"stage": "onboard", "leads": [[0, 1], [3, 0.9], [10, 0.2]]},
                      "stages.onboard.effort": "30 h"},
    "care": {"customers.care": {"team": "csm", "hours": "3 h/week"}, "customers.churn": "100%/year"},
    "discount": {**DECIDE, "buyer.discount": {"level": "25%"}, "customers.churn": "200%/year", "horizon": "50 weeks",
                 "channels.paid.leads": "20/week"},
    "aging": {**DECIDE, "buyer.aging": {"decay": 0.2, "after": "1 week"}, "stages.propose.effort": "14 h"},
    "attention": {**DECIDE, **PRESS, "buyer.attention": "ae", "buyer.kappa": 2.0, "stages.discover.effort": "14 h"},
    "several buyers": {**DECIDE, "stages.qualify.next": {"discover": "50%", "propose": "50%"},
                       "stages.discover": {"team": "ae", "effort": "4 h", "decision": True, "next": "onboard",
                                           "buyer": {"approvers": 2, "proof": "80%", "aging": {"decay": 0.1}}}},
    "tooling": {"stages.qualify.tooling": 1.5},
    "mismatch": {"handoffs": [{**HANDOFFS[0], "mismatch": "20%"}],
                 "levers": [{"at": "week 5", "set": "handoffs.qualify>discover.mismatch", "to": "5%"}]},
    "acceptance by fit": {"handoffs": HANDOFFS},
    "shock": {**DECIDE, "shocks": [{"at": "week 9", "add": "buyer.competitor_strength", "by": 0.9}]},
    "gate": {"policies": [{"gate": {"stage": "discover", "good_fit": "90%", "poor_fit": "20%"}, "at": "week 4"}],
             "stages.discover.recycle": {"share": "50%", "to": "qualify", "delay": "2 weeks"}},
    "cap": {"policies": [CAP], "stages.propose.rework": {"share": "30%"}, "stages.onboard.recycle": {"share": "20%"}},
    "caps that come and go": {"policies": [{**CAP, "at": "week 3", "until": "week 15"},
                                           {"limit": {"stages": ["onboard"], "at_most": 1}}],
                              "stages.propose.patience": "1 week", "handoffs": HANDOFFS},
    "cap on much": {"policies": [{"limit": {"stages": ["qualify"], "at_most": 1}}], "market.accounts": 400,
                    "stages.qualify.patience": {"mean": "1 week", "cv": 0}, "teams.sdr.headcount": 5,
                    "stages.qualify.effort": {"mean": "30 h", "cv": 0}},
    "service level": {"handoffs": [{"from": "qualify", "to": "discover", "delay": "2 weeks", "every": "1 week"}],
                      "policies": [{"sla": {"handoff": "qualify>discover", "within": "2 days"}, "at": "week 8"}]},
    "work that is to begin in time": {"stages.qualify.sla": "1 day", "stages.qualify.patience": "3 days",
                                      "stages.propose.sla": "2 days", "teams.ae.owned": True, "stages.propose.patience": "1 week",
                                      "levers": [{"at": "week 5", "set": "stages.qualify.sla", "to": "4 h"}]},
    "overdue leads go first": {"stages.propose.priority": 2, "stages.propose.effort": "12 h", "stages.discover.sla": "1 day",
                               "stages.discover.patience": "2 weeks", "policies": [
        {"sla": {"stage": "propose", "within": "2 days"}, "at": "week 4", "cost": "1 k/month"},
        {"sla": {"stage": "discover", "within": "3 days"}, "at": "week 8", "until": "week 16"}]},
    "hiring at a level": {"policies": [hire()], "teams.ae.hiring_lead": "1 week"},
    "hiring and letting go": {"policies": [hire(lasts="3 weeks", rest="2 weeks")], "teams.ae.hiring_lead": "0 weeks",
                              "teams.ae.ramp": "4 weeks", "stages.propose.effort": {"mean": "60 h", "cv": 0}},
    "let go, quit and hired again": {"policies": [hire(lasts="2 weeks")], "teams.ae.hiring_lead": "0 weeks",
                                     "teams.ae.attrition": "300%/year", "stages.propose.effort": "30 h"},
    "steering heads": {"policies": [{"steer": {"set": "teams.ae.headcount", "signal": "leads", "factor": 0.4, "over": "6 weeks"}}]},
    "growing heads": {"policies": [{"grow": {"set": "teams.sdr.headcount", "signal": "backlog.sdr", "table": [[0, -0.5], [1, 3]]}}],
                      "teams.sdr.hiring_lead": "3 weeks", "stages.qualify.effort": "8 h"},
    "a budget that moves": {"policies": [{"budget": {"by": "leads_per_dollar"}, "every": "2 weeks"},
                                         {"budget": {"by": "retained_arr_per_dollar", "smooth": "3 weeks"}, "cost": "1 k/month"}]},
    "push when it is quiet": {"policies": [{"when": {"signal": "quarter", "below": "900 k"}, "lasts": "5 weeks", "cost": "4 k/week",
                                            "do": {"scale": "channels.*.spend", "by": 1.5, "at_most": 2}},
                                           {"when": {"signal": "wait.qualify", "above": "1 day"},
                                            "do": {"scale": "teams.sdr.hours", "by": 1.2}}]},
    "warm-up with people": {"warm_up": "9.5 weeks", "teams.ae.attrition": "200%/year", **PRESS, "policies": [hire(at="week -6")],
                            "market": {"accounts": 900, "reputation": {}}},
    "owned": {"teams.ae.owned": True, "stages.propose.effort": "16 h"},
    "owned, who leave": {"teams.ae.owned": True, "teams.ae.attrition": "300%/year", "teams.ae.hiring_lead": "2 weeks",
                         "stages.propose.effort": "20 h", **DECIDE},
    "owned and impatient": {"teams.ae.owned": True, "teams.ae.attrition": "400%/year", "teams.ae.takeover": "1 week",
                            "stages.discover.patience": {"mean": "1 week", "cv": 0}, "stages.propose.patience": "2 weeks",
                            "stages.discover.effort": "20 h", "stages.qualify.patience": "2 days"},
    "owned by one": {"teams.ae.owned": True, "teams.ae.headcount": 1, "teams.ae.attrition": "500%/year",
                     "teams.ae.hiring_lead": "3 weeks", "policies": [hire()], "stages.discover.patience": "4 weeks"},
    "owned by nobody at first": {"teams.ae.owned": True, "teams.ae.headcount": 0, "stages.propose.priority": -1,
                                 "levers": [{"at": "week 6", "add": "teams.ae.headcount", "by": 3}],
                                 "teams.ae.hiring_lead": "0 weeks"},
    "owned, planned": {"teams.ae.owned": True, "teams.csm.owned": True, "levers": FEATURES["leaving"]["levers"],
                       "teams.ae.headcount": 6, "stages.discover.priority": 3, "handoffs": HANDOFFS,
                       "stages.onboard.recycle": {"share": "20%"}, "warm_up": "5 weeks"},
}  # fmt: skip


@pytest.mark.parametrize("name", WEEKLY)
def test_identical_mechanism_by_mechanism(name: str) -> None:
    system = system_of(WEEKLY[name])
    for replication in range(2):
        record = parity(system, 7, replication, visits=replication == 0)
        worst = max(abs(v) for k, v in record.imbalance().items() if "leads" in k)
        assert worst == 0


def mixture(draw: int) -> dict[str, Any]:
    """Mechanisms and features drawn together, as far as a file may have them."""
    chance = random.Random(draw)
    changes: dict[str, Any] = dict(DECIDE) if draw % 2 else {}
    policies: list[Any] = []
    chosen = chance.sample(sorted(set(WEEKLY) - {"several buyers"}), 7)
    chosen += chance.sample(sorted(FEATURES), 3)
    for given in [{**FEATURES, **WEEKLY}[name] for name in chosen]:
        for path, value in given.items():
            if path == "policies":
                policies += value
            elif path == "levers":
                changes.setdefault(path, [x for x in value if "headcount" in str(x)])
            elif not any(path.startswith(p + ".") or p.startswith(path + ".") for p in changes):
                changes.setdefault(path, value)
    if "'decision': True" not in str(changes):
        changes = {path: value for path, value in changes.items() if "buyer." not in path}
    handoffs, owned = str(changes.get("handoffs")), "owned" in str(changes)
    inside: set[str] = set()
    changes["policies"] = []
    for policy in policies:
        stages = set(policy.get("limit", {}).get("stages", ()))
        sla = policy.get("sla", {})
        fits = "qualify" in handoffs if "handoff" in sla else not (sla and owned)
        if (not sla or fits) and not stages & inside:
            changes["policies"].append(policy)
            inside |= stages
    if changes.get("customers.start") == 0:
        changes["customers.start"] = 3
    return changes


@pytest.mark.parametrize("draw", range(16))
def test_identical_where_mechanisms_meet(draw: int) -> None:
    parity(system_of(mixture(draw)), draw, draw, visits=draw % 2 == 0)


def test_every_feature_is_met() -> None:
    """The engines do the same things, and the scenarios here use every one of them."""
    assert batch.SUPPORTS == events.SUPPORTS
    used = [features(system_of(given)) for given in (*WEEKLY.values(), *FEATURES.values())]
    assert set().union(*used) == batch.SUPPORTS


def test_people_who_quit_are_replaced_after_the_hiring_lead() -> None:
    system = system_of(
        {
            "teams.ae.attrition": "200%/year",
            "teams.ae.headcount": 40,
            "teams.ae.hiring_lead": "5 weeks",
        }
    )
    heads = batch.run(system, 1, 0).series.heads[:, 1]
    assert heads.min() < 40
    gone = batch.run(
        system_of({"teams.ae.attrition": "200%/year", "teams.ae.headcount": 40, "teams.ae.replaced": False}),
        1, 0,
    ).series.heads[:, 1]  # fmt: skip
    assert (np.diff(gone) <= 0).all()
    assert gone[-1] < heads[-1]


def test_more_people_than_seats_is_an_error() -> None:
    system = system_of(
        {"policies": [{"grow": {"set": "teams.ae.headcount", "signal": "leads", "table": [[0, 60], [1, 60]]}}],
         "teams.ae.hiring_lead": "0 weeks"}
    )  # fmt: skip
    said = []
    for engine in (events, batch):
        with pytest.raises(EngineError, match=r"policies want \d+ more people in ae") as error:
            engine.run(system, 1, 0)
        said.append(str(error.value))
    assert said[0] == said[1]


def test_a_run_leaves_nothing_behind() -> None:
    """What the weekly step writes over is put back, on every thread."""
    system = system_of(mixture(3))
    often = batch.run_many(system, 5, [0, 1, 0, 2, 0])
    assert differences(often[0], often[2]) == differences(often[0], often[4]) == []
    threads = batch.run_many(system, 5, [0, 1, 0, 2, 0], threads=3)
    assert all(differences(a, b) == [] for a, b in zip(often, threads, strict=True))


def test_owned_leads_wait_for_whoever_comes() -> None:
    """Leads that nobody is here for are not given to seats that nobody fills."""
    system = system_of(
        WEEKLY["owned by nobody at first"]
        | {"policies": [hire(when={"signal": "leads", "above": "9000/week"})]}
    )
    record = parity(system, 1, 0, visits=True)
    assert record.visits is not None
    mine = (record.visits.stage == 1) & (record.visits.entered < 5)
    assert mine.sum() > 10
    assert np.isfinite(record.visits.started[mine]).all()


def test_who_was_let_go_and_is_wanted_again_is_one_person() -> None:
    """A policy lets someone go who works on, and hires again before they are done."""
    record = parity(system_of(WEEKLY["hiring and letting go"]), 1, 0, visits=False)
    s = record.series
    idle = s.paid_hours - s.busy_hours - s.support_hours
    assert np.diff(idle, axis=0).min() > -1e-9
    assert (s.heads[:, 1] <= 7).all()
