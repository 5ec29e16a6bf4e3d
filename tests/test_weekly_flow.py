"""The weekly step in the flow engine: against theory where it is exact, and against events.

Comparisons with events are made where flow is right: with no queue, or with one that is long.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
from generate import system_of
from scipy import stats
from test_flow import check_books

from simulator import draws, laws
from simulator.engines import simulate
from simulator.engines.flow import run
from simulator.engines.flow.routes import capped
from simulator.errors import EngineError
from simulator.record import Record
from simulator.system import System, lost
from simulator.weekly.shares import stage_shares

Mapping = dict[str, Any]

BASE: Mapping = {
    "horizon": "26 weeks",
    "value": {"mean": "10 k", "cv": 0},
    "customers": {"start": 400, "churn": "60%/year", "expansion": "0%/year"},
    "channels": {
        "web": {
            "leads": {"now": "30/week", "saturation": "none"},
            "spend": "3 k/week",
            "good_fit": "40%",
        },
        "fair": {
            "leads": {"now": "10/week", "saturation": "none"},
            "spend": "3 k/week",
            "good_fit": "60%",
        },
    },
    "teams": {
        "rep": {"headcount": 40, "hours": "30 h/week", "hiring_lead": "4 weeks", "ramp": "8 weeks"},
        "onb": {"headcount": 20, "hours": "30 h/week"},
    },
    "stages": {
        "talk": {
            "team": "rep",
            "effort": {"mean": "3 h", "law": "exponential"},
            "advance": {"good_fit": "80%", "poor_fit": "40%"},
            "rework": {"share": "10%"},
        },
        "try": {
            "team": "rep",
            "effort": {"mean": "6 h", "law": "exponential"},
            "advance": {"good_fit": "80%", "poor_fit": "40%"},
        },
        "decide": {"decision": True, "buyer_time": {"mean": "2 weeks", "order": 2}},
        "onboard": {
            "team": "onb",
            "effort": {"mean": "10 h", "law": "exponential"},
            "buyer_time": {"mean": "1 week", "order": 2},
            "after_sale": True,
        },
    },
    "handoffs": [{"from": "talk", "to": "try", "accepted": "80%", "returned": "10%"}],
}


def laid(under: Any, over: Any) -> Any:
    """One mapping over another."""
    if not (isinstance(under, dict) and isinstance(over, dict)):
        return copy.deepcopy(over)
    return {**under, **{k: laid(under.get(k), v) for k, v in over.items()}}


def spec(*changes: Mapping) -> Mapping:
    """The base scenario with changes laid over it."""
    found = copy.deepcopy(BASE)
    for change in changes:
        found = laid(found, change)
    return found


def busy(change: Mapping) -> Mapping:
    """A change, with 16% more work for the reps than they have hours."""
    return laid({"teams": {"rep": {"headcount": 7}}}, change)


def made(*changes: Mapping) -> System:
    return system_of(spec(*changes))


# -- people: the mean is exact ------------------------------------------------------------------

QUITS = {"teams": {"rep": {"attrition": "100%/year"}}}
YEAR = 365.25 / 7


def test_those_who_quit_and_are_not_replaced() -> None:
    r = run(made(QUITS, {"teams": {"rep": {"replaced": False}}}))
    rate = float(r.system.rules.teams["quit"][0])  # type: ignore[union-attr]
    # At the horizon nobody turns a page any more.
    want = 40 * np.exp(-rate * np.minimum(r.series.t, 25))
    np.testing.assert_allclose(r.series.heads[:, 0], want, rtol=1e-9)


def test_those_who_quit_and_are_replaced() -> None:
    """After the lead of four weeks: as many come as then left; skill of those by their age."""
    r = run(made(QUITS))
    rate = float(r.system.rules.teams["quit"][0])  # type: ignore[union-attr]
    heads, left = [40.0], []
    for week in range(1, 27):
        left.append(heads[-1] * -math.expm1(-rate))
        heads.append(heads[-1] - left[-1] + (left[week - 5] if week >= 5 else 0.0))
    np.testing.assert_allclose(r.series.heads[:-1, 0], heads[:-1], rtol=1e-9)
    paid = np.concatenate([[0.0], np.cumsum(heads[:-1])]) * 30
    np.testing.assert_allclose(r.series.paid_hours[:, 0], paid, rtol=1e-9)


def test_the_hazard_of_a_planned_hire_begins_when_they_come() -> None:
    """Against the mean of 60 runs of events: |z| below 4.5, 21 numbers: false alarm 1e-4."""
    levers = [{"at": "week 10", "add": "teams.rep.headcount", "by": 20}]
    small = {
        "horizon": "20 weeks",
        "channels": {
            c: {"leads": {"now": "0.01/week", "saturation": "none"}} for c in BASE["channels"]
        },
        "customers": {"start": 0},
    }
    system = made(QUITS, small, {"levers": levers})
    flow = run(system).series.heads[:, 0]
    runs = np.array(
        [simulate(system, "events", replication=i).series.heads[:, 0] for i in range(60)]
    )
    spread = np.sqrt(np.maximum(runs.var(axis=0, ddof=1), 0.1) / len(runs))
    assert (np.abs(runs.mean(axis=0) - flow) < 4.5 * spread).all()


def test_new_colleagues_take_hours_of_the_old() -> None:
    """The law, with the quits and hires of the same weeks."""
    r = run(made(QUITS, {"teams": {"rep": {"supervision": {"hours": "10 h/week"}}}}))
    support = np.diff(r.series.support_hours[:, 0])
    assert support[:4] == pytest.approx(0.0, abs=1e-9)
    rate = float(r.system.rules.teams["quit"][0])  # type: ignore[union-attr]
    new = 40 * -math.expm1(-rate)
    heads = r.series.heads[5, 0]
    # The step of week 6 sees those who came in week 5.
    share = laws.supervision_share(10.0, 4.0, new, heads - new, 30.0)
    assert support[6] > 0
    assert support[6] == pytest.approx(share * 30 * r.series.heads[6, 0], rel=0.05)


def test_policies_that_want_too_many_are_refused() -> None:
    grow = {
        "grow": {"set": "teams.rep.headcount", "signal": "leads", "table": [[0, 90], [100, 90]]}
    }
    with pytest.raises(EngineError, match=r"policies want \d+ more people in rep than planned"):
        run(made({"policies": [grow]}))


# -- branchings: exact --------------------------------------------------------------------------


def fate(r: Record, stage: str, reason: int) -> float:
    return float(r.series.fates[-1, lost(r.system.stage_names.index(stage), reason)])


def test_a_gate_turns_away_its_share() -> None:
    gate = {"policies": [{"gate": {"stage": "talk", "good_fit": 0.9, "poor_fit": 0.5}}]}
    still = {"stages": {"talk": {"rework": {"share": "0%"}}}, "handoffs": []}
    r = run(made(gate, still))
    web, fair = r.series.arrived[-1]
    good, poor = 0.4 * web + 0.6 * fair, 0.6 * web + 0.4 * fair
    assert fate(r, "talk", 2) == pytest.approx(0.1 * good + 0.5 * poor, rel=1e-6)
    check_books(r)


def test_acceptance_by_fit() -> None:
    """At once and without a look: rejected of those handed over, by fit."""
    told = [{"from": "talk", "to": "try", "accepted": "90%", "accepted_poor_fit": "30%"}]
    told[0]["rework"] = "0 min"
    r = run(made({"handoffs": told}))
    web, fair = r.series.arrived[-1]
    # Of those finished talking; the same share of the good and of the poor is still there.
    good, poor = (0.4 * web + 0.6 * fair) * 0.8, (0.6 * web + 0.4 * fair) * 0.4
    advanced = r.series.advanced[-1, 0]
    want = advanced * (good * 0.1 + poor * 0.7) / (good + poor)
    assert fate(r, "try", 2) == pytest.approx(want, rel=1e-5)


def test_a_buyer_of_a_stage() -> None:
    """The second decision has odds of its own; shares from the law."""
    other = {"odds": {"us": {"good_fit": "50%", "poor_fit": "20%"}, "competitor": "10%"}}
    legal = {"decision": True, "buyer": other, "buyer_time": {"mean": "2 weeks", "order": 2}}
    plain = spec()
    stages = plain["stages"]
    plain["stages"] = {
        "talk": stages["talk"],
        "try": stages["try"] | {"next": {"decide": 0.5, "legal": 0.5}},
        "decide": stages["decide"] | {"next": "onboard"},
        "legal": legal | {"next": "onboard"},
        "onboard": stages["onboard"],
    }
    r = run(system_of(plain))
    us, them = np.moveaxis(stage_shares(r.system.buyer, r.system.stages)[0], 2, 0)
    assert not np.allclose(us[2], us[3])
    # The same leads come to both: equations for how many of them are good.
    won = r.series.advanced[-1, [2, 3]]
    theirs = np.array([fate(r, "decide", 3), fate(r, "legal", 3)])
    mix = np.linalg.solve(us[[2, 3]], won)
    np.testing.assert_allclose(them[[2, 3]] @ mix, theirs, rtol=1e-5)


def test_an_sla_cuts_the_mean_of_a_delay() -> None:
    """Little's law: on the way = a week's leads x the mean delay."""
    slow = [{"from": "talk", "to": "try", "delay": {"mean": "2 weeks", "cv": 1}}]
    sla = {"policies": [{"sla": {"handoff": "talk>try", "within": "1 week"}}]}
    r = run(made({"handoffs": slow}, sla))
    rate = (r.series.advanced[-1, 0] - r.series.advanced[-6, 0]) / 5
    law = int(r.system.handoffs.delay.law[0])
    want = capped(law, 1.0, np.array([2.0]), np.zeros(1), np.ones(1))[0]
    assert r.series.transit[-1].sum() / rate == pytest.approx(want, rel=1e-3)
    assert any("cut by its SLA" in note for note in r.notes)


@pytest.mark.parametrize("every", [0.0, 0.5, 3.0])
@pytest.mark.parametrize(
    ("law", "cv"),
    [
        (draws.LOGNORMAL, 0.8),
        (draws.GAMMA, 0.5),
        (draws.EXPONENTIAL, 1.0),
        (draws.DETERMINISTIC, 0.0),
        (draws.NONE, 0.0),
    ],
)
def test_a_delay_that_is_cut(law: int, cv: float, every: float) -> None:
    """By its definition, the mean of min(D + U, w), as a sum over D and U."""
    mean = 0.0 if law == draws.NONE else 0.7
    s = math.sqrt(math.log1p(cv * cv))
    known: Any = {
        draws.LOGNORMAL: stats.lognorm(s, scale=mean * math.exp(-s * s / 2)) if mean else None,
        draws.GAMMA: stats.gamma(1 / max(cv, 0.1) ** 2, scale=mean * max(cv, 0.1) ** 2)
        if mean
        else None,
        draws.EXPONENTIAL: stats.expon(scale=max(mean, 1)) if not mean else stats.expon(scale=mean),
    }.get(law)
    for within in (0.3, 1.0, 5.0):
        x = (np.arange(4000) + 0.5) / 4000 * within
        u = (np.arange(200) + 0.5) / 200 * every if every else np.zeros(1)
        y = x[:, None] - u
        alive = known.sf(y) if known is not None else y < mean
        want = np.where(y < 0, 1.0, alive).mean() * within
        got = capped(law, cv, np.array([mean]), np.array([every]), np.array([within]))[0]
        assert got == pytest.approx(want, rel=2e-3)


def test_owned_leads_wait_each_for_their_own() -> None:
    """Four queues M/M/1 at 70%: each rho / (1 - rho) in it."""
    stage = {"team": "t", "effort": {"mean": "1 h", "law": "exponential"}, "advance": "100%"}
    system = system_of(
        {
            "horizon": "400 weeks",
            "customers": {"churn": "0/week", "expansion": "0/week"},
            "channels": {"a": {"leads": "2.8/week"}},
            "teams": {"t": {"headcount": 4, "hours": "1 h/week", "owned": True}},
            "stages": {"s": stage},
        }
    )
    r = run(system)
    there = (r.series.waiting + r.series.working)[-1].sum()
    assert there == pytest.approx(4 * 0.7 / 0.3, rel=1e-3)
    assert any("as many queues as people" in note for note in r.notes)


def test_a_discount_is_given_at_the_signature() -> None:
    r = run(made({"buyer": {"discount": {"level": "20%"}}}))
    assert r.series.won_arr[-1] / r.series.won[-1] == pytest.approx(8000, rel=1e-4)
    check_books(r)


def test_aging_by_the_mean_age() -> None:
    """A deal takes ten weeks; give or take, by 32 phases."""
    aging = {
        "buyer": {"aging": {"decay": 0.1, "after": "4 weeks"}},
        "stages": {"decide": {"buyer_time": {"mean": "10 weeks", "order": 32}}},
    }
    plain, old = run(made({"stages": aging["stages"]})), run(made(aging))
    us = stage_shares(plain.system.buyer, plain.system.stages)[0, 2, :, 0]
    by = laws.aging(0.1, 4.0, 10.0 + 9.0 / 30)
    want = np.array([laws.moved_us(u, by) for u in us]) / us
    ratio = old.series.advanced[-1, 2] / plain.series.advanced[-1, 2]
    assert want.min() * 0.97 < ratio < want.max() * 1.05
    assert any("aging at decide" in note for note in old.notes)


# -- each mechanism against events --------------------------------------------------------------

SPEND = [{"at": "week 4", "scale": "channels.web.spend", "by": 2}]
CALLS = {
    "channels": {"calls": {"leads": "10/week", "outbound": {"team": "rep", "hours": "4 h/week"}}}
}
MECHANISMS: dict[str, Mapping] = {
    "marginal_quality": {"channels": {"web": {"quality_loss": 0.4}}, "levers": SPEND},
    "outbound": CALLS,
    "attrition": {**QUITS, **CALLS},
    "kinds of hires": busy(
        {
            "teams": {
                "rep": {
                    "hiring": "2/month",
                    "ramp_law": "exponential",
                    "attrition": "60%/year",
                    "washout": "40%",
                    "hires": {
                        "good": {"share": "30%"},
                        "poor": {"share": "70%", "productivity": 0.5, "tenure": "15 weeks"},
                    },
                }
            }
        }
    ),
    "goal": busy(
        {
            "teams": {
                "rep": {
                    "pressure": {"goal": 1.2, "longest": "44 h/week"},
                    "capability": {"improvement": "10%", "to_improve": {}},
                }
            }
        }
    ),
    "pressure": busy({"teams": {"rep": {"pressure": {"errors": 0.5}}}}),
    "fatigue": busy(
        {"teams": {"rep": {"pressure": {}, "fatigue": {}, "attrition": "30%/year", "burnout": {}}}}
    ),
    "wip": busy({"teams": {"rep": {"wip": {"normal": 1, "loss": 0.3}}}}),
    "capability": busy(
        {
            "teams": {
                "rep": {"pressure": {}, "capability": {"improvement": "10%", "erosion": "20 weeks"}}
            }
        }
    ),
    "reputation": {
        "market": {"reputation": {"usual": "30%/year", "smooth": "8 weeks"}},
        "channels": {"fair": {"per_customer": "0.02/week"}},
    },
    "delivery": {
        "market": {
            "delivery": {
                "stage": "onboard",
                "company": "2 weeks",
                "market": "2 weeks",
                "leads": [[0, 1], [1, 1], [4, 0.3]],
            }
        },
        "teams": {"onb": {"headcount": 1.5}},
    },
    "care": {
        "teams": {"csm": {"headcount": 4, "hours": "30 h/week", "function": "customer"}},
        "customers": {"care": {"team": "csm", "hours": "0.5 h/week"}},
    },
    "discount": {
        "buyer": {"discount": {"level": "25%", "lift": 3, "pull_forward": 1}},
        "levers": [{"at": "week 8", "set": "buyer.discount.level", "to": "0%"}],
    },
    "attention": busy({"buyer": {"attention": "rep"}, "teams": {"rep": {"pressure": {}}}}),
    "hiring": busy(
        {
            "policies": [
                {
                    "when": {"signal": "utilisation.rep", "above": "80%"},
                    "do": {"add": "teams.rep.headcount", "by": 5, "at_most": 3},
                    "rest": "6 weeks",
                }
            ]
        }
    ),
    "steering": {
        "policies": [
            {
                "steer": {
                    "set": "teams.rep.headcount",
                    "signal": "leads",
                    "factor": 2,
                    "over": "10 weeks",
                }
            }
        ]
    },
    "budget": {"policies": [{"budget": {"by": "wins_per_dollar"}, "every": "4 weeks"}]},
}
SEEN = "arrived won won_arr churned customers arr busy_hours paid_hours support_hours spend".split()
RUNS = 8


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_mechanism_does_in_flow_what_it_does_in_events(name: str) -> None:
    """Means of 8 runs: 6.5 standard errors (t of 7 degrees: 3e-4 for each of some 15 numbers, .07
    over all mechanisms; seeds are fixed) beside 1% for what chance does to laws that bend."""
    system = made(MECHANISMS[name])
    r = simulate(system, "flow")
    check_books(r, falls=("started",))
    runs = [simulate(system, "events", replication=i).series for i in range(RUNS)]
    assert any("policies with a level" in note for note in r.notes) == (name == "hiring")
    for field in SEEN:
        x = np.array([np.atleast_1d(getattr(s, field)[-1]) for s in runs])
        error, mean = x.std(axis=0, ddof=1) / math.sqrt(RUNS), x.mean(axis=0)
        off = np.abs(np.atleast_1d(getattr(r.series, field)[-1]) - mean)
        assert (off <= 6.5 * error + 0.01 * np.abs(mean) + 1e-6).all(), (field, off, error, mean)


# -- switches and refusals ----------------------------------------------------------------------

SWITCHED = {
    "wip": {"teams": {"rep": {"wip": {}}}},
    "attrition": QUITS,
    "supervision": {"teams": {"rep": {"supervision": {}}}},
    "quality_of_hire": {"teams": {"rep": {"hires": {"good": {"share": 1}}}}},
    "early_quits": {"teams": {"rep": {"washout": "40%"}}},
    "marginal_quality": {"channels": {"web": {"quality_loss": 0.4}}},
    "fatigue": {"teams": {"rep": {"fatigue": {}}}},
    "capability": {"teams": {"rep": {"capability": {"improvement": "10%"}}}},
    "discount": {"buyer": {"discount": {"level": "20%"}}},
}


@pytest.mark.parametrize("name", SWITCHED)
def test_off_is_as_if_never_written(name: str) -> None:
    never = run(made()).series
    off = run(made(SWITCHED[name], {"mechanisms": {name: False}})).series
    for field in (*SEEN, "heads", "fates", "waiting"):
        assert np.array_equal(getattr(never, field), getattr(off, field)), field


def test_what_the_flow_engine_cannot_do() -> None:
    cap = {"policies": [{"limit": {"stages": ["talk", "try"], "at_most": 10}}]}
    with pytest.raises(EngineError, match="the flow engine cannot do WIP caps"):
        simulate(made(cap), "flow")
    with pytest.raises(EngineError, match="solver Radau cannot do the weekly step"):
        run(made(QUITS), solver="Radau")


def test_a_tighter_tolerance_changes_little() -> None:
    """The books of the whole at 1e-4 and 1e-7: within 1e-4."""
    everything: Mapping = {}
    for name in ("marginal_quality", "pressure", "care", "discount", "hiring", "reputation"):
        everything = laid(everything, MECHANISMS[name])
    system = made(everything)
    usual, fine = run(system), run(system, rtol=1e-7, atol=1e-7)
    check_books(usual, falls=("started",))
    for field in ("arrived", "won", "arr", "busy_hours", "paid_hours"):
        x, y = getattr(usual.series, field)[-1], getattr(fine.series, field)[-1]
        np.testing.assert_allclose(x, y, rtol=1e-4, err_msg=field)
