"""A WIP cap makes a funnel a closed loop: the Penny Fab, exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from agreement import expected
from systems import frame

from simulator.engines import simulate
from simulator.spec.load import load_text
from simulator.system import build

HOURS, WEEKS, WARM_UP = 40.0, 60, 12
REPLICATIONS = 30
Z = 4.0  # false alarms: 1 in 16,000 a comparison


def penny_fab(jobs: int, law: str, weeks: float = WEEKS) -> str:
    """Four stations of two hours in a row, orders without end, at most so many jobs inside."""
    names = ("a", "b", "c", "d")
    teams = "\n".join(f"  {n}: {{headcount: 1, hours: {HOURS} h/week, cost: 0 k/year}}"
                      for n in names)  # fmt: skip
    stages = "\n".join(f"  s{n}: {{team: {n}, effort: {{mean: 2 h, {law}}}}}" for n in names)
    text = frame("  orders: {leads: 60/week}", teams, stages, weeks=weeks, warm_up=WARM_UP)
    inside = ", ".join(f"s{n}" for n in names)
    return (
        text
        + f"policies: [{{at: week -{WARM_UP}, limit: {{stages: [{inside}], at_most: {jobs}}}}}]\n"
    )


def throughput(text: str, engine: str, replication: int = 0) -> tuple[float, float]:
    """Jobs an hour, and the mean number inside."""
    record = simulate(build(load_text(text).scenario), engine, replication=replication)
    s = record.series
    inside = (s.waiting + s.working).sum(axis=1)
    assert np.ptp(inside) == 0

    return float(s.won[-1]) / (s.t[-1] * HOURS), float(inside.mean())


@pytest.mark.parametrize("engine", ["events"])
@pytest.mark.parametrize("jobs", [1, 2, 3, 4, 5, 8, 20])
def test_best_case(jobs, engine):
    e = expected(f"Q10 pennyfab rb=0.5 T0=8.0 w={jobs}")
    rate, inside = throughput(penny_fab(jobs, "law: deterministic"), engine)
    # Whole jobs in a span that no cycle divides: one job more or less.
    one = 1.0 / (WEEKS * HOURS)
    assert rate == pytest.approx(e["THbest"], abs=one)
    assert inside == jobs
    assert inside / rate == pytest.approx(e["CTbest"], rel=2 * one / e["THbest"])


@pytest.mark.parametrize("engine", ["batch"])
@pytest.mark.parametrize("jobs", [1, 4, 10])
def test_exponential_times_as_mean_value_analysis_says(jobs, engine):
    e = expected(f"Q10 MVA closed PennyFab1 exp w={jobs}")
    text = penny_fab(jobs, "law: exponential", 120)
    rates = np.array([throughput(text, engine, r)[0] for r in range(REPLICATIONS)])
    error = rates.std(ddof=1) / math.sqrt(REPLICATIONS)
    # With thirty runs the spread itself is uncertain: the t quantile of the same false alarm rate.
    assert abs(rates.mean() - e["TH"]) < 4.7 * error
    assert rates.mean() == pytest.approx(e["TH"], rel=0.04)
