"""The fit of a queue on real calls, where the data folder and the reader are at hand."""

from __future__ import annotations

import datetime as dt
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from simulator.fit.queues import backtest_queue, calls_of
from simulator.fit.queues.agents import estimate_agents
from simulator.fit.queues.arrive import estimate_rates
from simulator.fit.queues.calls import Calls
from simulator.fit.queues.laws import estimate_kinds, estimate_patience

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "callcentre"
pytestmark = [
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason="needs the calls in ../shared/data, which are not shipped"
    ),
    pytest.mark.skipif(
        importlib.util.find_spec("simulator.fit.logs.read") is None,
        reason="needs the reader of queue records",
    ),
]


@pytest.fixture(scope="module")
def calls() -> Calls:
    read = importlib.import_module("simulator.fit.logs.read")
    return calls_of(read.read_log(min(FOLDER.glob("*.tsv.gz"))))


def test_what_is_in_the_file(calls: Calls) -> None:
    """Against counts made of the raw file, column by column."""
    assert calls.days == 14
    assert calls.origin.date() == dt.date(1999, 2, 1)
    assert len(calls) == pytest.approx(16_020, rel=0.005)  # an agent, or hung up after queueing
    assert len(calls.before) == pytest.approx(1_030, rel=0.02)  # hung up before queueing
    first, second = calls.between(0, 7), calls.between(7, 14)
    assert first.left.mean() == pytest.approx(0.105, abs=0.003)
    assert second.left.mean() == pytest.approx(0.131, abs=0.003)
    # the queue's own clock starts the service a second before it ends the wait
    assert first.wait.mean() == pytest.approx(34.8, abs=1.0)
    assert second.wait.mean() == pytest.approx(40.7, abs=1.0)


def test_estimates_of_two_weeks_agree(calls: Calls) -> None:
    """Two weeks of one queue: within 4 errors of each other (false alarm 6e-5 each)."""
    weeks = [calls.between(0, 7), calls.between(7, 14)]
    wraps = [estimate_agents(w).wrap for w in weeks]
    assert abs(wraps[0].value - wraps[1].value) < 4 * np.hypot(wraps[0].se, wraps[1].se)
    patience = [estimate_patience(w) for w in weeks]
    logs = [np.log(p.median.value) for p in patience if p is not None]
    errors = [p.log_se for p in patience if p is not None]
    assert abs(logs[0] - logs[1]) < 4 * np.hypot(*errors)
    kinds = [{k.name: k for k in estimate_kinds(w)} for w in weeks]
    assert set(kinds[0]) == {"ps", "nw", "ne", "other"}
    for name, kind in kinds[0].items():
        other = kinds[1][name]
        gap = abs(kind.talk.value - other.talk.value)
        assert gap < 4 * np.hypot(kind.talk.se, other.talk.se)


def test_hours_that_nobody_works_are_shut(calls: Calls) -> None:
    agents = estimate_agents(calls)
    rates = estimate_rates(calls, agents.open >= 0.5)
    assert (rates.mean[:, 1:6] < 0.5).all()  # nights
    assert (rates.mean[4, 15:] < 0.5).all()  # Friday afternoon
    assert (rates.mean[5, :18] < 0.5).all()  # Saturday until the evening
    assert (rates.mean[[0, 1, 2, 3, 6], 9:22] > 40).all()
    assert rates.told
    assert 5 < agents.open[0, 12] < 11


@pytest.mark.slow
def test_week_two_from_week_one(calls: Calls) -> None:
    """With the shifts known: abandonment within 1.5 points and the mean wait within 15%."""
    found = backtest_queue(calls)
    assert len(found.scored) == 3
    for s in found.of("shifts") + found.of("shifts and calls"):
        assert s.within() == (True, True)
        assert s.totals_inside == (True, True)
        # half the days at the least in their intervals: 3 of 7 or fewer once in 360 at 90%
        assert min(s.inside(m) for m in ("calls", "gave_up", "waited")) > 0.5
    s = found.of("shifts")[0]
    for method in ("replay", "run_rate", "erlang_a"):
        assert abs(s.points_off()) < abs(s.points_off(method))
        assert abs(s.wait_off()) < abs(s.wait_off(method))
