"""Cash: what is earned is collected later, and costs are paid at once."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.engines import simulate
from simulator.metrics import measure
from simulator.spec.load import load_text
from simulator.system import build
from simulator.vocabulary import YEAR

FIRM = """
horizon: 30 weeks
value: {mean: 20 k}
channels: {web: {leads: 3/week, spend: 2 k/week}}
teams: {rep: {headcount: 2, cost: 104 k/year, ramp: 0 weeks}}
stages: {sell: {team: rep, effort: 4 h}}
customers: {start: 100, arr: 5.2 M, churn: CHURN, expansion: 0%/year}
money: {gross_margin: 75%, cash: 300 k, collection: LATER}
"""


def record(later: str = "6 weeks", churn: str = "20%/year", engine: str = "batch"):
    text = FIRM.replace("LATER", later).replace("CHURN", churn)
    return simulate(build(load_text(text).scenario), engine)


@pytest.mark.parametrize("engine", ["batch", "flow"])
def test_what_was_earned_six_weeks_ago_is_in_the_bank(engine):
    r = record(engine=engine)
    s, found = r.series, measure(r)
    paid = (s.people_cost.sum(axis=1) + s.spend.sum(axis=1))[-1] + 0.25 * s.revenue[-1]
    collected = s.revenue[24] + 6 * s.arr[0] / YEAR
    assert found["cash"] == pytest.approx(300_000 + collected - paid)
    assert found["receivables"] == pytest.approx(s.revenue[-1] - s.revenue[24])


def test_collected_at_once_cash_is_what_was_not_burnt():
    r = record("0 weeks")
    for week in (1, 13, 30):
        found = measure(r, week)
        assert found["cash"] == pytest.approx(300_000 - found["burn"])
        assert found["receivables"] == pytest.approx(0, abs=1e-6)


def test_growth_costs_cash_before_it_brings_any():
    """The later customers pay, the deeper the trough; the least is that of all weeks so far."""
    lows = [measure(record(f"{w} weeks"))["cash_low"] for w in (0, 8, 16)]
    assert lows[0] >= lows[1] >= lows[2]
    r = record("16 weeks")
    by_week = [measure(r, float(w))["cash"] for w in range(1, 31)]
    assert measure(r)["cash_low"] == pytest.approx(min(300_000.0, np.min(by_week)))
