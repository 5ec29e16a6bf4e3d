"""Market growth as influenced by capital investment (Forrester 1968): our spec against his listing.

The reference is the listing itself, Euler with steps of half a month, checked against the values
of the runs that were handed down (case G-Forrester).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from simulator.engines import simulate
from simulator.shipped import scenarios
from simulator.spec.load import load_text
from simulator.system import build

MONTH = 365.25 / 12 / 7
UNITS = 1500.0  # of his in one of our orders
TPCF = (np.arange(0, 5.5, 0.5), (0, 0.25, 0.5, 0.67, 0.8, 0.87, 0.93, 0.95, 0.97, 0.98, 1))
TSEDM = (np.arange(11.0), (1, 0.97, 0.87, 0.73, 0.53, 0.38, 0.25, 0.15, 0.08, 0.03, 0.02))


def listing(
    budget: float = 12.0, capacity: float = 12000.0, market: bool = True,
    hiring: float = 20.0, company: float = 4.0,
) -> dict:  # fmt: skip
    """Salespeople, orders and deliveries by month. hiring: SAT; company: TDDRC, months."""
    dt, sales, backlog = 0.5, 10.0, 8000.0
    rate = capacity * np.interp(backlog / capacity, *TPCF)
    average, known = rate, backlog / rate
    recognised = known
    rows = []
    for k in range(201):
        rate = capacity * np.interp(backlog / capacity, *TPCF)
        effect = np.interp(recognised, *TSEDM) if market else 1.0
        orders = sales * 400.0 * effect
        if k % 2 == 0:
            rows.append((sales, orders, rate))
        delay = backlog / average
        change = (budget * average / 2000.0 - sales) / hiring
        sales, backlog = sales + dt * change, backlog + dt * (orders - rate)
        average, known, recognised = (
            average + dt * (rate - average),
            known + dt * (delay - known) / company,
            recognised + dt * (known - recognised) / 6.0,
        )
    return dict(zip(("S", "OB", "DR"), np.array(rows).T, strict=True))


def ours(
    budget: float = 12.0, capacity: float = 12000.0, market: bool = True,
    hiring: float = 20.0, company: float = 4.0,
) -> dict:  # fmt: skip
    """The same of the shipped study, in the flow engine, by month."""
    text = (scenarios() / "forresters-lesson" / "today.yaml").read_text("utf-8")
    if not market:
        text = text[: text.index("market:")] + text[text.index("policies:") :]
    lines = capacity / UNITS * 2.0
    text = text.replace("{value: 16, ", f"{{value: {lines:.3f}, ")
    text = text.replace("factor: 39.134", f"factor: {budget * UNITS / 2000.0 * MONTH:.5f}")
    text = text.replace("over: 20 months", f"over: {hiring:g} months")
    text = text.replace("company: {value: 4 months", f"company: {{value: {company:g} months")
    s = simulate(build(load_text(text).scenario), "flow").series
    months = np.arange(101.0) * MONTH

    def monthly(sums):
        """Of a sum, what came in the month around each."""
        at = np.interp(np.arange(-0.5, 101.0) * MONTH, s.t, sums)
        found = np.diff(at) * UNITS
        found[0], found[-1] = 2 * found[0], 2 * found[-1]
        return found

    return {
        "S": np.interp(months, s.t, s.heads[:, 0]),
        "OB": monthly(s.arrived[:, 0]),
        "DR": monthly(s.won),
    }


def test_the_listing_is_the_one_handed_down():
    """Values of the reference runs D and E, months 40 and 80."""
    d, e = listing(), listing(13.6)
    assert d["S"][[40, 80]] == pytest.approx([46.887815, 67.457576], rel=2e-3)
    assert d["OB"][[40, 60]] == pytest.approx([13931, 10824], rel=5e-3)
    assert e["S"][[40, 80]] == pytest.approx([58.075572, 77.892293], rel=2e-3)


def test_growth_without_the_markets_memory():
    """Run A: capacity for 100,000 a month, and a market that does not mind."""
    theirs, mine = (run(capacity=100000.0, market=False) for run in (listing, ours))
    rates = [np.log(x["S"][50] / x["S"][10]) / 40 for x in (theirs, mine)]
    assert rates[1] == pytest.approx(rates[0], rel=0.03)


def first_peak(orders: np.ndarray) -> int:
    """The month of the first peak of orders."""
    return next(k for k, (a, b) in enumerate(pairwise(orders[5:]), 5) if b < a)


@pytest.fixture(scope="module")
def stagnating():
    return listing(), ours()


def test_stagnation(stagnating):
    """Run D: the level at which it stops, and the month at which orders peak."""
    theirs, mine = stagnating
    for name in ("S", "DR"):
        assert mine[name][70:99].mean() == pytest.approx(theirs[name][70:99].mean(), rel=0.04)
    assert abs(first_peak(mine["OB"]) - first_peak(theirs["OB"])) <= 2.5


def test_the_push(stagnating):
    """Run E: 13% more for sales; what it brings in reps and in deliveries."""
    theirs, mine = listing(13.6), ours(13.6)
    for name in ("S", "DR"):
        wanted = theirs[name][70:99].mean() / stagnating[0][name][70:99].mean()
        found = mine[name][70:99].mean() / stagnating[1][name][70:99].mean()
        assert abs(found - wanted) < 0.02, name
    assert abs(first_peak(mine["OB"]) - first_peak(theirs["OB"])) <= 2.5


@pytest.mark.parametrize("budget", [10.0, 16.0])
def test_other_budgets(budget):
    """Runs that the study does not have."""
    theirs, mine = listing(budget), ours(budget)
    assert mine["S"][90:99].mean() == pytest.approx(theirs["S"][90:99].mean(), rel=0.06)


@pytest.mark.parametrize("other", [{"hiring": 10.0}, {"company": 2.0}], ids=lambda o: next(iter(o)))
def test_other_delays(other):
    """A firm that hires twice as fast, and one that sees its delay twice as fast, pushed or not."""
    theirs, mine = listing(**other), ours(**other)
    pushed = listing(13.6, **other), ours(13.6, **other)
    for name in ("S", "DR"):
        level = [x[name][70:99].mean() for x in (theirs, mine)]
        assert level[1] == pytest.approx(level[0], rel=0.04)
        push = [x[name][70:99].mean() / y for x, y in zip(pushed, level, strict=True)]
        assert abs(push[1] - push[0]) < 0.02, name
    assert abs(first_peak(mine["OB"]) - first_peak(theirs["OB"])) <= 2.5
