"""One scenario run some times: estimates, words, and what an interrupt leaves."""

from __future__ import annotations

import json
import math

import pytest

from simulator.analysis import run as module
from simulator.analysis.run import estimate, run
from simulator.spec.load import load_text

DESK = """
name: One desk
horizon: 26 weeks
outcome: wins
channels: {web: {leads: 10/week}}
teams: {desk: {headcount: 2, hours: 30/week, ramp: 0 weeks}}
stages: {talk: {team: desk, effort: 2 h, advance: 50%}}
"""


@pytest.fixture(scope="module")
def desk():
    return load_text(DESK)


def test_estimate_is_the_t_interval():
    # t(.975, 4) = 2.776445; the values have mean 3 and standard deviation sqrt(2.5).
    e = estimate([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (e.mean, e.n) == (3.0, 5)
    assert e.half == pytest.approx(2.776445 * math.sqrt(2.5 / 5), rel=1e-6)


def test_undefined_values_do_not_count():
    assert estimate([math.nan, 2.0, math.inf]) == module.Estimate(2.0, None, 1)
    assert estimate([math.nan]) == module.Estimate(None, None, 0)


def test_run_has_finite_json_and_words(desk):
    result = run(desk, replications=3, seed=5)
    plain = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert (plain["seed"], plain["engine"]) == (5, "batch")
    assert plain["metrics"]["wins"]["n"] == 3
    assert result.sentences[0] == "One desk: 26 weeks, 3 replications, engine batch, seed 5."
    assert result.sentences[1].startswith("wins: ")
    assert {row["metric"] for row in result.tables["metrics"]} == set(plain["metrics"])


def test_same_seed_same_answer_and_replications_differ(desk):
    first, again = (run(desk, replications=2).to_json() for _ in range(2))
    assert first == again
    one, two = first["replications"]
    assert one != two
    assert run(desk).to_json()["replications"] == [one]


def test_an_interrupt_keeps_what_finished(desk, monkeypatch):
    def stop_after_two(done):
        if done == 2:
            raise KeyboardInterrupt

    result = run(desk, replications=5, progress=stop_after_two)
    assert len(result.replications) == 2
    assert result.reason == "interrupted after 2 replications"

    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "simulate", stop)
    with pytest.raises(KeyboardInterrupt):
        run(desk)
