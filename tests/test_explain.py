"""Explanations: parts that add up exactly, and the right ones."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.analysis.counterfactual import ALONE, EXACT, SHAPLEY
from simulator.analysis.decomposition import (
    all_groups,
    groups_of,
    lmdi,
    log_mean,
    one_at_a_time,
    orders,
    shapley,
    shapley_of,
)
from simulator.analysis.explain import explain, explain_study
from simulator.analysis.growth import (
    ALIGNMENT_LED,
    EFFORT_LED,
    factors_of,
    flows,
    grown,
    selling_stages,
    yardstick,
)
from simulator.analysis.summary import summary
from simulator.engines import simulate
from simulator.errors import AnalysisError
from simulator.spec.load import load, load_text
from simulator.system import build

positive = st.floats(1e-6, 1e6)
factor = st.one_of(st.just(0.0), positive)
pairs = st.integers(1, 12).flatmap(
    lambda n: st.tuples(*(st.lists(factor, min_size=n, max_size=n) for _ in range(2)))
)

# Decomposition


@given(positive, positive)
def test_log_mean_lies_between(a, b):
    mean = log_mean(a, b)
    assert min(a, b) * (1 - 1e-12) <= mean <= max(a, b) * (1 + 1e-12)
    assert mean == pytest.approx(log_mean(b, a), rel=1e-9)
    if abs(a / b - 1) > 1e-3:
        assert mean == pytest.approx((a - b) / math.log(a / b), rel=1e-9)


@given(pairs)
def test_lmdi_adds_up_exactly(factors):
    a, b = map(np.array, factors)
    whole = float(np.prod(b) - np.prod(a))
    parts = lmdi(a, b)
    scale = max(float(np.prod(a)), float(np.prod(b)), 1e-300)
    assert abs(parts.sum() - whole) <= 1e-9 * scale * max(1, np.abs(parts).max() / scale)
    assert parts[a == b] == pytest.approx(0)


@given(st.lists(positive, min_size=4, max_size=4), st.lists(positive, min_size=4, max_size=4))
def test_lmdi_of_a_product_is_the_sum_of_its_factors(before, after):
    a, b = np.array(before), np.array(after)
    parts = lmdi(a, b)
    joined = lmdi(np.array([a[0], a[1:].prod()]), np.array([b[0], b[1:].prod()]))
    size = np.abs(parts).max() + 1e-300
    assert abs(joined[1] - parts[1:].sum()) <= 1e-9 * size


def test_lmdi_of_known_numbers():
    # From 2 x 3 to 4 x 3: the first did it all. From 2 x 2 to 4 x 4: half each.
    assert lmdi(np.array([2.0, 3.0]), np.array([4.0, 3.0])) == pytest.approx([6, 0])
    assert lmdi(np.array([2.0, 2.0]), np.array([4.0, 4.0])) == pytest.approx([6, 6])


def test_lmdi_where_something_is_zero():
    assert lmdi(np.array([0.0, 3.0]), np.array([4.0, 5.0])) == pytest.approx([20, 0])
    assert lmdi(np.array([4.0, 5.0]), np.array([0.0, 0.0])) == pytest.approx([-10, -10])
    assert lmdi(np.array([0.0, 3.0]), np.array([4.0, 0.0])).tolist() == [0, 0]
    # It is the limit of small numbers.
    near = lmdi(np.array([1e-300, 3.0]), np.array([4.0, 5.0]))
    assert near == pytest.approx([20, 0], abs=0.05)
    with pytest.raises(ValueError, match="below 0"):
        lmdi(np.array([-1.0]), np.array([1.0]))


def test_two_mechanisms_with_known_parts():
    # Worth 5 with nobody, a adds 2, b takes 1, both together 4 more.
    def worth(on):
        return 5 + 2 * ("a" in on) - ("b" in on) + 4 * (len(on) == 2)

    parts, rest = one_at_a_time(["a", "b"], worth)
    assert parts == {"a": 6, "b": 3}
    assert rest == -4  # what both claim
    assert shapley(["a", "b"], worth) == {"a": 4, "b": 1}
    assert shapley_of([["a", "b"], ["b", "a"]], worth) == {"a": 4, "b": 1}


@given(st.integers(1, 5), st.integers(0, 1000))
def test_shares_add_up_and_drawing_agrees_on_average(n, seed):
    players = [f"m{i}" for i in range(n)]
    rng = np.random.default_rng(seed)
    table = {g: float(rng.normal()) for g in all_groups(players)}
    whole = table[frozenset(players)] - table[frozenset()]
    exact = shapley(players, table.__getitem__)
    assert sum(exact.values()) == pytest.approx(whole, abs=1e-9)
    ways = orders(players, seed, 0)
    assert set(groups_of(ways)) <= set(table)
    drawn = shapley_of(ways, table.__getitem__)
    assert sum(drawn.values()) == pytest.approx(whole, abs=1e-9)
    every = [list(order) for order in itertools.permutations(players)]
    assert shapley_of(every, table.__getitem__) == pytest.approx(exact, abs=1e-9)
    parts, rest = one_at_a_time(players, table.__getitem__)
    assert sum(parts.values()) + rest == pytest.approx(whole, abs=1e-9)


# Bookings

TODAY = """
name: Today
horizon: 60 weeks
value: {mean: 10 k}
channels:
  web: {spend: 20 k/month, leads: {now: 20/week, saturation: 1}}
teams:
  rep: {headcount: 2, hours: 20 h/week}
stages:
  talk: {team: rep, effort: 1.5 h, patience: 2 weeks, advance: 60%, next: {try: 50%, decide: 50%}}
  try: {buyer_time: 1 week, advance: 80%}
  decide: {decision: true, buyer_time: 1 week}
handoffs:
  - {from: talk, to: decide, accepted: 80%}
"""
PUSH = "levers:\n  - {at: week 0, scale: channels.web.spend, by: 2}\n"


def pair(extra: str, **changes: str):
    text = TODAY
    for old, new in changes.items():
        text = text.replace(old, new)
    return load_text(text).scenario, load_text(text.replace("Today", "Push") + extra).scenario


def test_stages_come_after_those_that_lead_to_them():
    system = build(load("mid-market-saas").scenario)
    order = [system.stage_names[i] for i in selling_stages(system)]
    assert order.index("prospecting") < order.index("discovery")
    assert order[-1] == "decision"
    assert "onboarding" not in order


@pytest.mark.parametrize("study", ["the-flood", "sold-not-live"])
def test_the_factors_make_bookings(study):
    system = build(load(f"scenarios/{study}/today.yaml").scenario)
    record = simulate(system, "batch")
    seen = flows(record, yardstick(record))
    assert seen.factors.shape == (math.ceil(system.horizon / 13), len(factors_of(system)))
    assert seen.factors.prod(axis=1) == pytest.approx(seen.bookings, rel=1e-9)
    assert seen.bookings.sum() == pytest.approx(record.series.won_arr[-1])
    assert seen.wins.sum() == pytest.approx(record.series.won[-1])
    assert seen.leads.sum() == pytest.approx(record.series.arrived[-1].sum())
    for gauge in (seen.internal, seen.market):
        assert ((gauge >= 0) & (gauge <= 100)).all()


def test_a_quarter_without_wins_is_no_trouble():
    a = np.array([10.0, 1.0, 1.0, 0.5, 0.0, math.nan])
    b = np.array([10.0, 1.0, 1.0, 0.5, 0.2, 300.0])
    assert grown(a, b) == pytest.approx([0, 0, 0, 0, 300, 0])
    assert grown(b, a) == pytest.approx([0, 0, 0, 0, -300, 0])
    assert grown(a, a) == pytest.approx(0)


def test_gauges_of_known_conditions():
    text = TODAY.replace("headcount: 2", "headcount: 50")
    record = simulate(build(load_text(text).scenario), "batch")
    seen = flows(record, yardstick(record))
    # Half of what advances goes to `decide` at once, where four of five are accepted; nobody waits.
    assert seen.internal.mean() == pytest.approx(100 * (1 - 0.2), abs=8)
    full = "buyer: {proof: 1, alignment: 1, risk_removed: 1, friction: 0}\n"
    record = simulate(build(load_text(text + full).scenario), "batch")
    assert flows(record, yardstick(record)).market == pytest.approx(100)


# Explanations


def test_saturation_takes_what_a_straight_line_promises():
    # People without end: twice the spend would bring twice the leads, but for saturation.
    today, push = pair(PUSH, **{"headcount: 2": "headcount: 50"})
    result = explain(today, push, outcome="leads", method=SHAPLEY, replications=4)
    parts = {p.name: p.adds.mean for p in result.mechanisms}
    assert set(parts) == {"queueing", "patience", "handoffs", "saturation"}
    base = result.difference.base
    assert result.baseline.mean == pytest.approx(base, rel=0.1)
    assert parts.pop("saturation") == pytest.approx(-2 / 3 * base, rel=0.1)
    assert not any(parts.values())
    assert abs(result.gap()) < 1e-9 * base


def test_without_a_limit_the_team_is_no_matter():
    today, push = pair(PUSH)
    result = explain(today, push, outcome="wins", method=ALONE, replications=6)
    parts = {p.name: p.adds for p in result.mechanisms}
    assert parts["queueing"].high < 0
    assert parts["saturation"].high < 0 or result.together is not None
    assert [q.name for q in result.queues] == ["queueing.rep"]
    assert result.queues[0].adds == parts["queueing"]
    assert result.growth.of(("volume",)).low > 0 > result.growth.of(("capacity",)).high


@pytest.mark.parametrize("method", [ALONE, SHAPLEY])
def test_every_part_adds_up(method):
    today = load("scenarios/the-flood/today.yaml").scenario
    push = load("scenarios/the-flood/push-harder.yaml").scenario
    result = explain(today, push, method=method, replications=2)
    assert len(result.mechanisms) > EXACT
    said = result.to_json()
    json.dumps(said, allow_nan=False)
    whole = said["difference"]["mean"]
    m = said["mechanisms"]
    rest = m["interaction"]["mean"] if m["interaction"] else 0.0
    made = m["baseline"]["mean"] + sum(p["mean"] for p in m["parts"].values()) + rest
    assert made == pytest.approx(whole, rel=1e-9)
    for growth in (said["bookings"], *said["trends"].values()):
        assert growth["gap"] < 1e-9
        total = growth["growth"]["mean"]
        size = sum(q["before"] for q in growth["quarters"])
        assert sum(g["mean"] for g in growth["groups"].values()) == pytest.approx(
            total, abs=1e-9 * size
        )
        assert sum(f["mean"] for f in growth["factors"]) == pytest.approx(total, abs=1e-9 * size)
        for q in growth["quarters"]:
            made = sum(q[g] for g in (*EFFORT_LED, *ALIGNMENT_LED))
            assert made == pytest.approx(q["growth"], abs=1e-9 * q["before"])
            assert q["effort_led"] + q["alignment_led"] == pytest.approx(made, abs=1e-6)
    assert set(result.tables) == {
        "mechanisms", "queues", "bookings", "factors", "trends", "gauges"
    }  # fmt: skip


def test_the_flood():
    result = explain_study("scenarios/the-flood", variant="push-harder", replications=4)
    (push,) = result.parts.values()
    parts = {p.name: p.adds for p in push.mechanisms}
    assert parts["saturation"].high < 0
    assert parts["queueing"].high < 0
    queues = {q.name: q.adds for q in push.queues}
    assert min(queues, key=lambda k: queues[k].mean) == "queueing.se"
    assert queues["queueing.se"].high < 0
    assert push.growth.of(EFFORT_LED).low > 0
    lost = [f for f, e in push.growth.by_factor() if f.group == "capacity" and e.high < 0]
    assert {"demo", "proof_of_concept"} <= {f.stage for f in lost}
    internal = [g.mean("internal").mean for g in push.gauges]
    assert internal[1] < internal[0]
    text = " ".join(result.sentences)
    for word in ("Push harder", "queueing", "saturation", "team se", "effort-led", "alignment"):
        assert word in text
    assert len(summary(result)) == 3
    json.dumps(result.to_json(), allow_nan=False)


def test_nothing_differs():
    today, _ = pair("")
    result = explain(today, today.model_copy(update={"name": "Twin"}), replications=3)
    assert not any(p.adds.mean for p in result.mechanisms)
    assert result.growth.total.mean == 0
    assert result.sentences


@pytest.mark.parametrize("engine", ["events", "flow"])
def test_other_engines(engine):
    pytest.importorskip(f"simulator.engines.{engine}")
    today, push = pair(PUSH)
    result = explain(today, push, engine=engine, replications=2, method=ALONE, jobs=1)
    assert abs(result.gap()) < 1e-6
    assert result.growth.gap() < 1e-9
    if engine == "flow":
        assert result.replications == 1
    json.dumps(result.to_json(), allow_nan=False)


def test_a_team_of_nobody_is_told():
    today, push = pair(PUSH, **{"headcount: 2": "headcount: 0.02"})
    result = explain(today, push, outcome="leads", replications=2)
    assert any("still wait" in note for note in result.notes)


def test_wrong_questions():
    today, push = pair(PUSH)
    with pytest.raises(AnalysisError, match="no method named 'x'"):
        explain(today, push, method="x")
    with pytest.raises(AnalysisError, match="Did you mean 'leads'"):
        explain(today, push, outcome="lead")
    with pytest.raises(AnalysisError, match="has no value in replication 0"):
        explain(today, push, outcome="magic_number", week=13)
    with pytest.raises(AnalysisError, match="Did you mean 'push-harder'"):
        explain_study("scenarios/the-flood", variant="push-hard")
    with pytest.raises(AnalysisError, match="horizon"):
        explain(today, push.model_copy(update={"horizon": 9.0}))
