"""Queues: what is fitted to made-up calls is what they were made of; theory; bad input."""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from queue_worlds import World, log
from scipy import stats

from simulator.engines import simulate
from simulator.errors import DataError
from simulator.fit import queues
from simulator.fit.queues import backtest_queue, calls_of, fit_queue, is_queue
from simulator.fit.queues.agents import estimate_agents, on_duty
from simulator.fit.queues.arrive import estimate_rates
from simulator.fit.queues.backtest import METHODS
from simulator.fit.queues.calibrate import calibrate
from simulator.fit.queues.calls import LEFT, OPEN, SERVED
from simulator.fit.queues.erlang import erlang_a
from simulator.fit.queues.estimate import estimate_queue
from simulator.fit.queues.laws import estimate_kinds, estimate_patience
from simulator.fit.queues.model import Queue, Work, run, whole
from simulator.fit.queues.priority import priorities
from simulator.fit.queues.write import write_queue
from simulator.report.figures.queue_days import queue_slide
from simulator.spec.load import load
from simulator.system import build

SYSTEMS = 40
ALARM = 1e-4  # of each bound below


def worlds() -> list[World]:
    rng = np.random.default_rng(20260105)
    return [
        World(
            rate=float(rng.uniform(95, 115)),
            people=int(rng.integers(5, 7)),
            talk=float(rng.uniform(160, 190)),
            wrap=float(rng.uniform(15, 40)),
            patience=float(rng.uniform(120, 300)),
            days=1,
        )
        for _ in range(SYSTEMS)
    ]


def test_ninety_percent_intervals_hold_what_the_calls_were_made_of():
    """40 systems: each of three intervals holds the truth no seldomer than 90% would (1e-4)."""
    inside = {"talk": 0, "wrap": 0, "patience": 0}
    for seed, world in enumerate(worlds()):
        calls = calls_of(log(world, seed))
        (kind,) = estimate_kinds(calls)
        patience, agents = estimate_patience(calls), estimate_agents(calls)
        assert patience is not None
        inside["talk"] += kind.talk.low <= world.talk <= kind.talk.high
        inside["wrap"] += agents.wrap.low <= world.wrap <= agents.wrap.high
        median = world.patience * math.log(2)
        inside["patience"] += patience.median.low <= median <= patience.median.high
        # the mean of those who gave up is not their patience
        assert patience.naive < world.patience
    least = stats.binom.ppf(ALARM, SYSTEMS, 0.9)
    assert {k: v for k, v in inside.items() if v < least} == {}


def test_people_on_duty_are_those_who_served():
    world = World(people=6)
    heads = on_duty(calls_of(log(world, 3)))[:, 33:79]  # without the first and last quarters
    assert heads.mean() == pytest.approx(6, rel=0.03)  # 6 busy people are hardly ever unseen


def test_calls_by_the_hour_and_how_days_vary():
    world = World(rate=100, day_cv=0.2, days=28)
    calls = calls_of(log(world, 5))
    rates = estimate_rates(calls, estimate_agents(calls).open >= 0.5)
    is_open = rates.mean > 1
    assert is_open.sum(axis=1).tolist() == [12] * 7
    # the mean of 28 days: gamma of cv 0.2 and Poisson; 4 sigma, false alarm 6e-5
    error = math.sqrt(0.2**2 / 28 + 1 / (1200 * 28))
    assert rates.mean.sum() / (7 * 1200) == pytest.approx(1, abs=4 * error)
    # a standard deviation of 28: 4 sigma is about 4 / sqrt(2 * 24)
    assert rates.day_cv == pytest.approx(0.2, rel=4 / math.sqrt(48))
    assert rates.told
    assert rates.trend is not None
    assert abs(rates.trend.value) < 4 * rates.trend.se + 0.1
    # nothing comes back by weekday, and the hours differ by chance only
    assert rates.hour_cv < 0.1


def test_erlang_a_is_what_theory_says():
    # patience like service: callers in the system are Poisson
    rate, service, people = 0.05, 100.0, 6
    n = np.arange(200)
    waiting = float((np.maximum(n - people, 0) * stats.poisson.pmf(n, rate * service)).sum())
    share, wait = erlang_a(rate, people, service, service)
    assert wait == pytest.approx(waiting / rate)
    assert share == pytest.approx(waiting / service / rate)
    # endless patience: Erlang C
    share, wait = erlang_a(0.5, 1, 1.0, 1e9)
    assert wait == pytest.approx(1.0, rel=1e-6)  # rho / (mu - lambda) of M/M/1
    assert erlang_a(0.5, 0, 1.0, 60.0) == (1.0, 60.0)
    assert erlang_a(0.0, 3, 1.0, 60.0) == (0.0, 0.0)


def test_runs_of_a_queue_are_erlang_a_where_it_is_one():
    queue = Queue(
        start=dt.date(2026, 1, 5),
        rates=np.full((7, 24), 110.0),
        heads=np.full((7, 96), 5.0),
        work=(Work("call", 1.0, 150.0, 1.0, "gamma"),),
        wrap=0.0,
        wrap_sd=0.0,
        away=0.0,
        patience=(200.0, 1.0, "exponential"),
    )
    runs = [run(queue, 1, k) for k in range(12)]
    share, wait = erlang_a(110 / 3600, 5, 150.0, 200.0)
    for found, expected in (
        ([o.left.mean() for o in runs], share),
        ([o.wait.mean() for o in runs], wait),
    ):
        error = np.std(found, ddof=1) / math.sqrt(len(runs))
        # t with 11 degrees of freedom: beyond 6 errors once in 10,000
        assert abs(np.mean(found) - expected) < 6 * error


def test_two_weeks_and_kinds_run_a_week_at_a_time():
    work = (Work("a", 0.25, 60.0, 1.0, "gamma"), Work("b", 0.75, 200.0, 1.2, "lognormal"))
    rates = np.zeros((9, 24))
    rates[:, 10] = 60.0
    queue = Queue(dt.date(2026, 1, 8), rates, np.full((9, 96), 9.0), work, 10.0, 5.0, 0.0, None)
    calls, left, _ = run(queue, 3).by_day(9)
    assert left.sum() == 0
    assert abs(calls.sum() - 540) < 4 * math.sqrt(540)  # false alarm 6e-5
    assert (calls > 20).all()  # 60 expected; less than 21 once in 10^9


def test_whole_people_keep_the_total():
    heads = np.random.default_rng(1).uniform(0, 8, (7, 96))
    for rng in (None, np.random.default_rng(2)):
        found = whole(heads, rng)
        assert np.abs(found - heads).max() < 1 + 1e-9
        assert abs(found.sum() - heads.sum()) <= 1
        assert (found == np.rint(found)).all()


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    out = tmp_path_factory.mktemp("queue")
    made = log(World(rate=95, days=10, day_cv=0.1), 11)
    return made, fit_queue(made, out=out, draws=6, forecast_days=3, runs=3), out


def test_the_fit_runs_like_the_log_and_finds_nothing_hidden(fitted):
    """Nothing is hidden in these calls: 0 lies within 4 errors of both (false alarm 1e-4)."""
    _, fit, _ = fitted
    u = fit.estimates.unseen
    for number in (u.away, u.haste):
        assert abs(number.value) < 4 * number.se
    assert abs(u.fitted[0] - u.observed[0]) < 4 * u.noise[0]
    assert abs(u.fitted[1] - u.observed[1]) < 4 * u.noise[1]
    # this queue has what the model has, so also what is not matched comes out
    assert u.fitted[2] == pytest.approx(u.observed[2], abs=0.1)


def test_what_the_fit_says(fitted):
    made, fit, _ = fitted
    said = json.loads(json.dumps(fit.to_json(), allow_nan=False))
    assert said["calls"] == len(made.visits)
    assert said["people"]["ever"] == 6
    assert said["forecast"]["days"] == 3
    assert len(said["arrivals"]["hours"]) == 168
    text = " ".join(fit.sentences)
    assert "calls that asked for a person, 2026-01-05 to 2026-01-14" in text
    assert "Half of the callers would give up within" in text
    assert fit.tables["Patience"]


def test_the_scenario_reads_and_runs_like_the_fit(fitted):
    _, fit, out = fitted
    assert sorted(p.name for p in out.iterdir()) == ["fix.yaml", "push-harder.yaml", "today.yaml"]
    scenario = load(out / "today.yaml").scenario
    assert scenario.start.weekday() == 0
    assert scenario.horizon == 2
    total = float(fit.estimates.rates.mean.sum())
    assert scenario.channels["calls"].leads.now == pytest.approx(total, rel=1e-3)
    record = simulate(build(scenario), "batch")
    assert abs(record.series.arrived[-1, 0] - 2 * total) < 5 * math.sqrt(2 * total)
    for name in ("push-harder.yaml", "fix.yaml"):
        load(out / name)


def test_a_fit_again_keeps_what_was_there(fitted, tmp_path):
    made, _, _ = fitted
    (tmp_path / "today.yaml").write_text("name: mine\n")
    calls = calls_of(made)
    with pytest.raises(DataError, match="not written by fit"):
        write_queue(tmp_path, calls, fitted[1].estimates)


@pytest.fixture(scope="module")
def scored(fitted):
    return backtest_queue(fitted[0], draws=6, runs=2)


def test_the_back_test_scores_three_states_of_knowledge_and_names_losses(fitted, scored):
    made, _, _ = fitted
    found = scored
    assert [s.known for s in found.scored] == ["nothing", "shifts", "shifts and calls"]
    for s in found.scored:
        assert s.origin == dt.date(2026, 1, 10)
        assert set(s.day) == set(METHODS)
        actual = [len(g) for _, g in made.visits.groupby(made.visits["entered"].dt.date)][5:]
        assert s.actual[0].tolist() == actual
        assert s.wape("calls", "replay") > 0
        assert s.share[1] <= s.share[0] <= s.share[2]
    assert found.scored[2].wape("calls") < found.scored[0].wape("calls")
    losses = found.losses
    for row in losses:
        assert row["theirs"] < row["model"]
    text = " ".join(found.sentences)
    assert ("is nearer in" in text) == bool(losses)
    json.dumps(found.to_json(), allow_nan=False)


def test_the_fan_shows_the_days(scored):
    (s,) = scored.of("shifts")
    for k, measure in enumerate(("calls", "gave_up", "waited")):
        axes = queue_slide(s, measure)
        unit = 3600.0 if measure == "waited" else 1.0
        model, replay, came = (line.get_ydata() * unit for line in axes.get_lines()[:3])
        assert model == pytest.approx(s.day["model"][k])
        assert replay == pytest.approx(s.day["replay"][k])
        assert came == pytest.approx(s.actual[k])
        (band,) = axes.collections
        heights = band.get_paths()[0].vertices[:, 1] * unit
        assert heights.min() == pytest.approx(s.low[k].min())
        assert heights.max() == pytest.approx(s.high[k].max())
        assert axes.get_xticklabels()[0].get_text() == "Sat\n10 Jan"
    share, wait = s.total("actual")
    for measure, said in (
        ("gave_up", f"{share:.1%} gave up. Knowing who is on duty, the model was off by"),
        ("waited", f"The mean wait was {wait:.0f} s. Knowing who is on duty"),
        ("calls", f"{s.actual[0].sum():,.0f} called."),
    ):
        title = queue_slide(s, measure).figure.texts[0].get_text()
        assert said in title.replace("\n", " ")


def test_where_nobody_has_to_wait_the_hidden_cannot_be_told():
    calls = calls_of(log(World(rate=20, people=9, days=7), 2))
    agents = estimate_agents(calls)
    rates = estimate_rates(calls, agents.open >= 0.5)
    queue = Queue(
        calls.origin.date(), rates.was, agents.heads * 3,
        (Work("call", 1.0, 60.0, 1.0, "gamma"),), 0.0, 0.0, 0.0, None,
    )  # fmt: skip
    errors = np.column_stack(
        [np.zeros(20), np.random.default_rng(1).uniform(0, 2, 20), np.zeros(20)]
    )
    found = calibrate(calls, queue, errors, runs=1)
    assert not found.away_told
    assert not found.haste_told
    assert (found.away.value, found.haste.value) == (0.0, 0.0)
    assert found.away.se > 0.05  # and what is not known stays in the sample


def test_what_is_known_at_an_origin():
    calls = calls_of(log(World(rate=95, days=3), 4))
    end = calls.joined + calls.wait
    i = int(np.flatnonzero((calls.fate == SERVED) & (calls.wait > 20))[5])
    j = int(np.flatnonzero((calls.fate == LEFT) & (calls.wait > 20))[5])
    late = replace(
        calls,
        joined=np.where(np.isin(np.arange(len(calls)), [i, j]), 2 * 86_400.0 - 5, calls.joined),
        start=np.where(np.arange(len(calls)) == i, 2 * 86_400.0 + 15, calls.start),
        wait=np.where(np.isin(np.arange(len(calls)), [i, j]), 20.0, calls.wait),
    )
    assert end[i] > 0
    known = late.known_at(2)
    assert known.days == 2
    assert known.joined.max() < 2 * 86_400
    waiting = known.fate == OPEN
    assert waiting.sum() == 2
    assert (known.wait[waiting] == 5.0).all()
    assert np.isnan(known.start[waiting]).all()


def test_priorities_are_seen_by_who_overtakes():
    made = log(World(rate=100, people=5, days=2), 6)
    assert priorities(calls_of(made)) == ()
    cases = made.cases.copy()
    cases["priority"] = np.arange(len(cases)) % 2
    found = priorities(calls_of(replace(made, cases=cases)))
    assert [p.level for p in found] == [0.0, 1.0]
    for p in found:
        assert p.overtook == 0.0  # first come, first served
        assert p.at_once > 0


def test_bad_input_is_told():
    made = log(World(days=2), 1)
    with pytest.raises(DataError, match="no record of a queue"):
        calls_of(replace(made, visits=made.visits.assign(stage="desk")))
    assert is_queue(made)
    unserved = made.visits.assign(started=pd.NaT)
    lost = made.cases.assign(outcome="abandoned")
    with pytest.raises(DataError, match="nobody in the queue was ever served"):
        calls_of(replace(made, visits=unserved, cases=lost))
    few = replace(made, visits=made.visits.head(50))
    with pytest.raises(DataError, match=r"50 calls .* at least 100 are needed"):
        estimate_queue(calls_of(few))
    nameless = made.visits.assign(who=pd.Series(pd.NA, index=made.visits.index, dtype="string"))
    with pytest.raises(DataError, match="nobody is named"):
        estimate_queue(calls_of(replace(made, visits=nameless)))
    with pytest.raises(DataError, match="2 days, too few for a back-test"):
        backtest_queue(made)
    with pytest.raises(DataError, match="back-test from day 1 of 2"):
        backtest_queue(made, [dt.date(2026, 1, 6)])
    with pytest.raises(DataError, match="at least 1 is needed"):
        backtest_queue(made, days=0)


def test_served_without_a_time_is_kept_and_said():
    made = log(World(days=2), 1)
    visits = made.visits.copy()
    first = visits.index[visits["started"].notna()][0]
    visits.loc[first, ["started", "left"]] = pd.NaT
    visits.loc[first, "worked"] = np.nan
    calls = calls_of(replace(made, visits=visits))
    assert len(calls) == len(visits)
    assert any("without a time of service" in f.what for f in calls.findings)
    assert (calls.fate != OPEN).all()
    assert np.isfinite(estimate_kinds(calls)[0].talk.value)


def test_the_example_of_the_docs_imports():
    docs = (Path(__file__).parents[1] / "docs" / "queues.md").read_text("utf-8")
    code = docs.split("```python\n")[1].split("```")[0]
    compile(code, "queues.md", "exec")
    for name in ("fit_queue", "backtest_queue"):
        assert f"{name}(log" in code
        assert callable(getattr(queues, name))
