"""What holds for every scenario, checked on generated ones."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from generate import scenarios, system_of, with_levers
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.engines import ENGINES, simulate
from simulator.errors import SpecError
from simulator.record import LeadTable, Record, Series
from simulator.system import CHURNED, RETAINED

HAVE = [name for name in ("events", "batch") if name in ENGINES]
pytestmark = pytest.mark.parametrize("engine", HAVE)

CUMULATIVE = """arrived entered started advanced wait won won_arr live churned churned_arr cycle
paid_hours busy_hours people_cost spend lever_cost overhead revenue""".split()
STOCKS = "waiting working buyer transit nurture heads customers fates".split()


def columns(table: object) -> dict[str, np.ndarray]:
    return {f.name: getattr(table, f.name) for f in dataclasses.fields(table)}  # type: ignore[arg-type]


def check_books(r: Record) -> None:
    """Leads, customers and fates to the last one; hours and money to rounding."""
    s, leads = r.series, r.leads
    off = r.imbalance()
    assert off["leads"] == off["leads_over_time"] == 0
    hours = max(1.0, float(s.busy_hours[-1].sum()))
    money = max(1.0, float(s.arr.max()), float(s.won_arr[-1]), float(s.churned_arr[-1]))
    assert abs(off["hours"]) < 1e-9 * hours
    assert off["idle"] >= -1e-9 * hours
    assert abs(off["arr"]) < 1e-9 * money
    assert abs(off["arr_by_fate"]) < 1e-9 * money
    assert s.customers[0] + s.won[-1] - s.churned[-1] == s.customers[-1]
    count = np.bincount(leads.fate, minlength=r.fates.shape[1])
    np.testing.assert_array_equal(count, r.fates.sum(axis=0))
    np.testing.assert_array_equal(s.fates[-1], r.fates.sum(axis=0))
    assert (leads.won >= 0).sum() == s.won[-1]
    assert (leads.live >= 0).sum() == s.live[-1]
    np.testing.assert_allclose(leads.hours.sum(axis=0), s.busy_hours[-1], rtol=1e-9, atol=1e-9)
    if not s.overhead[-1]:
        np.testing.assert_allclose(leads.arr.sum(), r.fate_arr.sum(), rtol=1e-9, atol=1e-6)


def check_sense(r: Record) -> None:
    """No NaN, nothing below 0, no flow backwards, nobody works more than they are paid for."""
    s = r.series
    for name, x in columns(s).items():
        assert np.isfinite(x).all(), name
    for name in CUMULATIVE:
        x = getattr(s, name)
        assert (np.diff(x, axis=0) >= -1e-9 * max(1.0, np.abs(x).max(initial=0))).all(), name
        assert (np.abs(x[0]) < 1e-6).all() or name == "lever_cost", name
    for name in STOCKS:
        assert (getattr(s, name) >= -1e-9).all(), name
    idle = np.diff(s.paid_hours, axis=0) - np.diff(s.busy_hours, axis=0)
    assert (idle >= -1e-9).all()
    leads = r.leads
    assert (np.diff(leads.id) > 0).all()
    ended = np.isfinite(leads.ended)
    assert (leads.arrived[ended] <= leads.ended[ended]).all()
    sold = np.isfinite(leads.won)
    assert (leads.arrived[sold] <= leads.won[sold]).all()
    live = np.isfinite(leads.live)
    assert sold[live].all(), "who is live has signed"
    np.testing.assert_array_equal(live, np.isin(leads.fate, [RETAINED, CHURNED]))


@settings(max_examples=80)
@given(scenarios())
def test_the_books_balance(engine, mapping):
    r = simulate(system_of(mapping), engine)
    check_books(r)
    check_sense(r)


@settings(max_examples=40)
@given(scenarios(market=False, referral=False), st.sampled_from([1.1, 3.0]), st.booleans())
def test_a_push_only_adds_leads(engine, mapping, by, spend):
    spends = any("spend" in c for c in mapping["channels"].values())
    path = "channels.*.spend" if spend and spends else "channels.*.leads.now"
    push = {"scale": path, "by": by, "at": "week 1", "over": "2 weeks"}
    base = simulate(system_of(mapping), engine).leads
    pushed = simulate(system_of(with_levers(mapping, push)), engine).leads
    # A lead of the warm-up may have left before week 0 in either run.
    arrived = base.arrived >= 0
    at = np.searchsorted(pushed.id, base.id[arrived])
    assert (at < len(pushed.id)).all()
    for name in ("id", "channel", "arrived", "fit", "value"):
        mine, theirs = getattr(base, name)[arrived], getattr(pushed, name)[at]
        np.testing.assert_array_equal(mine, theirs, err_msg=name)


def same(one: Series | LeadTable, two: Series | LeadTable) -> None:
    for (name, x), y in zip(columns(one).items(), columns(two).values(), strict=True):
        assert x.dtype == y.dtype
        assert x.tobytes() == y.tobytes(), name


@settings(max_examples=25)
@given(scenarios())
def test_the_same_seed_gives_the_same_bytes(engine, mapping):
    one, two = (simulate(system_of(mapping), engine, replication=3) for _ in range(2))
    same(one.series, two.series)
    same(one.leads, two.leads)


@settings(max_examples=25)
@given(scenarios())
def test_another_replication_has_other_leads(engine, mapping):
    system = system_of(mapping)
    one, two = (simulate(system, engine, replication=i).leads.arrived for i in (0, 1))
    three = simulate(system, engine, seed=system.seed + 1).leads.arrived
    assert not np.intersect1d(one, two).size
    assert not np.intersect1d(one, three).size


@settings(max_examples=25)
@given(scenarios())
def test_the_future_does_not_change_the_past(engine, mapping):
    # Before the horizon: a lever in that very week acts in the longer run alone.
    weeks = int(mapping["horizon"].split()[0])
    longer = {**mapping, "horizon": f"{weeks + 5} weeks"}
    short, long = (simulate(system_of(m), engine).series for m in (mapping, longer))
    for name, x in columns(short).items():
        np.testing.assert_allclose(
            getattr(long, name)[:weeks], x[:weeks], rtol=1e-12, atol=1e-9, err_msg=name
        )


@settings(max_examples=40)
@given(scenarios())
def test_a_team_serves_in_turn(engine, mapping):
    """Of two leads with the same priority in a team, who entered first starts first."""
    system = system_of(mapping)
    r = simulate(system, engine, visits=True)
    v = r.visits
    teams, priority = system.stages.team[v.stage], system.stages.priority[v.stage]
    assert (np.diff(v.entered) >= 0).all()
    started = np.isfinite(v.started)
    for m in range(len(system.team_names)):
        for p in np.unique(priority):
            mine = started & (teams == m) & (priority == p)
            assert (np.diff(v.started[mine]) >= 0).all()
    assert (v.started[started] >= v.entered[started]).all()
    done = np.isfinite(v.ended) & started
    assert (v.ended[done] >= v.started[done]).all()


# What a generated scenario does not have, each either right or refused.

AWKWARD = {
    "a lead returned from onboarding is signed twice": """
channels: {a: {leads: 10/week}}
teams: {t: {headcount: 5}}
stages:
  sell: {buyer_time: 1 week, advance: 50%}
  onboard: {team: t, effort: 2 h, after_sale: true}
handoffs: [{from: sell, to: onboard, accepted: 50%, returned: 30%}]
""",
    "the only stage does not apply": """
channels: {a: {leads: 10/week}}
stages: {sell: {buyer_time: 1 week, applies_to: 50%}}
customers: {churn: 100%/year}
""",
    "all stages before the sale are skipped": """
channels: {a: {leads: 10/week}}
stages:
  sell: {buyer_time: 1 week, applies_to: 50%}
  onboard: {buyer_time: 1 week, after_sale: true}
""",
    "a channel enters after the sale": """
channels: {a: {leads: 10/week, enters: onboard}, b: {leads: 5/week}}
stages:
  sell: {buyer_time: 1 week}
  onboard: {buyer_time: 1 week, after_sale: true}
""",
    "a new hire can do nothing on the first day": """
channels: {a: {leads: 50/week}}
teams: {t: {headcount: 1, ramp_start: 0%, hiring_lead: 0 weeks}}
stages: {sell: {team: t, effort: 5 h}}
levers: [{at: week 5, add: teams.t.headcount, by: 1}]
""",
    "leads wait for a team at week 0 and visits are kept": """
warm_up: 5 weeks
channels: {a: {leads: 50/week}}
teams: {t: {headcount: 1}}
stages: {sell: {team: t, effort: 5 h, patience: 3 weeks}}
""",
}


@pytest.mark.parametrize("case", AWKWARD)
def test_awkward_scenarios_are_right_or_refused(engine, case):
    from simulator.spec.load import load_text
    from simulator.system import build

    try:
        system = build(load_text("horizon: 30 weeks\n" + AWKWARD[case]).scenario)
    except SpecError:
        return
    r = simulate(system, engine, visits=True)
    check_books(r)
    check_sense(r)
    assert np.isin(r.visits.lead, r.leads.id).all()


def test_arr_at_the_start_is_what_was_said_or_refused(engine):
    """ARR that no customer holds may not vanish without a word."""
    from simulator.spec.load import load_text
    from simulator.system import build

    text = """
horizon: 4 weeks
channels: {a: {leads: 5/week}}
stages: {sell: {buyer_time: 1 week}}
customers: {start: 0, arr: 100 k}
"""
    try:
        system = build(load_text(text).scenario)
    except SpecError:
        return
    assert simulate(system, engine).series.arr[0] == pytest.approx(100e3)
