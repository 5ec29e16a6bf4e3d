"""The fit on real leads and deals, where the data folder is at hand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from simulator.fit import History, backtest, estimate, read_history

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "olist"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="needs the olist data in ../shared/data, which are not shipped"
)


@pytest.fixture(scope="module")
def history() -> History:
    return read_history(FOLDER / "marketing_qualified_leads.csv", FOLDER / "closed_deals.csv")


def test_read(history: History) -> None:
    assert (history.start, history.end) == (dt.date(2018, 1, 1), dt.date(2018, 3, 31))
    assert (len(history.arrived), history.wins) == (3342, 317)
    assert set(history.people) == {"sdr", "sales_rep"}
    text = "\n".join(map(str, history.findings))
    assert "1 deal won before their lead's first contact: left out, with their leads" in text
    assert "21 leads without channel: `unknown`, with 493 named so" in text


def test_march_lies_in_its_interval(history: History) -> None:
    o = backtest(history, [dt.date(2018, 3, 1)]).origins[0]
    assert o.actual_total == 145
    assert o.inside
    assert o.wape() <= o.wape("kaplan_meier")
    assert o.total_high < 1.7 * o.total["model"]  # an interval that says something


def test_rolling_origins(history: History) -> None:
    """February and March: no worse than Kaplan-Meier by week, coverage 80-97%."""
    origins = [dt.date(2018, 2, 1) + dt.timedelta(days=14 * k) for k in range(4)]
    test = backtest(history, origins, days=28)
    assert test.wape() <= test.wape("kaplan_meier")
    assert 0.8 <= test.coverage <= 0.97


def test_origins_of_the_command(history: History) -> None:
    """Where `backtest` begins by itself: the end of the data, which wins had never been so many."""
    test = backtest(history)
    assert test.wape() <= test.wape("kaplan_meier")
    assert not test.beaten_by
    assert 0.8 <= test.coverage <= 0.97
    assert all(o.inside for o in test.origins)


def test_estimates(history: History) -> None:
    e = estimate(history)
    by_name = {c.name: c for c in e.channels}
    assert by_name["unknown"].conversion.low > by_name["social"].conversion.high
    assert all(c.conversion.value > c.closed_share * 0.9 for c in e.channels if c.wins > 10)
    assert e.delay.p90.value > 30  # 90% of the closed came within 33 days
    assert e.counts.pace[5:].max() < 0.1 * e.counts.pace[:5].min()  # hardly a win at weekends
    assert [(r.name, r.people) for r in e.roles] == [("sdr", 10), ("sales_rep", 11)]
