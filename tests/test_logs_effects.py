"""Effects in the scenario: planted, simulated, exported, fitted, and found as they were planted."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import log_worlds
import numpy as np
import pandas as pd
import pytest
import yaml

from simulator.engines import simulate
from simulator.errors import DataError
from simulator.fit.logs import fitted, joint
from simulator.fit.logs.export import export
from simulator.fit.logs.fitted import LogFit, fit_log
from simulator.fit.logs.joint import fit_jointly
from simulator.fit.logs.log import Log
from simulator.fit.logs.mixture import ALONE, GROUPS, fit_mixture, kish, make_bins
from simulator.fit.logs.read import read_log
from simulator.fit.logs.say import LogResult
from simulator.fit.logs.segments import find_segments
from simulator.fit.logs.steady import scenario_of
from simulator.system import build

WEEKS = 78
TEAM = {"headcount": 2, "hours": "34 h/week", "cost": "100 kUSD/year", "ramp": "0 weeks"}
PLAIN: dict[str, Any] = {
    "name": "planted",
    "horizon": f"{WEEKS} weeks",
    "warm_up": "0 weeks",
    "start": "2024-01-01",
    "channels": {
        "web": {"leads": "24/week", "spend": "1000 USD/week", "good_fit": "100%"},
        "partner": {"leads": "16/week", "spend": "1000 USD/week", "good_fit": "100%"},
    },
    "teams": {"sdr": TEAM, "ae": {**TEAM, "headcount": 3}},
    "stages": {
        "qualify": {"team": "sdr", "effort": {"mean": "1.5 h", "cv": 1.0}, "advance": "80%",
                    "buyer_time": {"mean": "1 week", "cv": 0.7}},
        "demo": {"team": "ae", "effort": {"mean": "2.5 h", "cv": 1.0}, "advance": "80%"},
    },
    "value": {"mean": "20000 USD", "cv": 0.5},
    "customers": {"start": 0},
}  # fmt: skip
PATIENCE, FLOOR, SCALE = 3.0, 0.2, 0.15  # days


@cache
def log_of(world: str) -> Log:
    """What a run of the world would have left."""
    body = copy.deepcopy(PLAIN)
    if world == "waits":
        body["stages"]["qualify"]["patience"] = f"{PATIENCE} days"
        body["stages"]["demo"]["speed"] = {"floor": FLOOR, "scale": f"{SCALE} days"}
    if world == "segments":
        body["segments"] = {
            "smb": {"value": {"mean": "10000 USD", "cv": 0.5}},
            "big": {"value": {"mean": "50000 USD", "cv": 0.5},
                    "stages": {"demo": {"advance": "45%"}}},
        }  # fmt: skip
        body["channels"]["web"]["segment"] = "smb"
        body["channels"]["partner"]["segment"] = "big"
    with TemporaryDirectory() as place:
        path = Path(place) / "today.yaml"
        path.write_text(yaml.safe_dump(body, sort_keys=False))
        files = export(path, Path(place) / "log", form="log").files
        for file in files:  # a log names stages, not whom they are for
            file.write_text(file.read_text().replace("_smb,", ",").replace("_big,", ","))
        until = pd.Timestamp(body["start"]) + pd.Timedelta(weeks=WEEKS, days=-1)
        return read_log(files, until=until.date())


@cache
def fit_of(world: str) -> LogFit:
    return fit_jointly(log_of(world), draws=40)


def near(fit: LogFit, path: str, truth: float) -> None:
    """Within 4 standard errors (6e-5 each)."""
    assert abs(fit.point[path] - truth) < 4 * fit.se[path], (path, fit.point[path], fit.se[path])


def wins_of(fit: LogFit) -> float:
    """Wins over arrivals, in runs of the scenario that the fit writes."""
    system = build(scenario_of(fit, 7.0 * WEEKS))
    runs = [simulate(system, "batch", replication=r).series for r in range(6)]
    return sum(x.won[-1] for x in runs) / sum(x.arrived[-1].sum() for x in runs)


def test_patience_and_speed_are_found_as_planted() -> None:
    fit = fit_of("waits")
    near(fit, "stages.qualify.patience.mean", PATIENCE / 7)
    near(fit, "stages.demo.speed.scale", SCALE / 7)
    near(fit, "stages.demo.speed.floor", FLOOR)
    near(fit, "stages.demo.advance.good_fit", 0.8)
    scenario = scenario_of(fit, 364.0)
    demo, qualify = scenario.stages["demo"], scenario.stages["qualify"]
    assert qualify.patience is not None
    assert demo.speed is not None
    assert scenario.stages["demo_left"].next is not None
    said = " ".join(LogResult(fit).sentences)
    assert "went cold before anybody began" in said
    assert "in the scenario, as `speed`" in said


def test_the_scenario_wins_as_many_as_the_log() -> None:
    """Wins over arrivals within 4 standard errors of chance and a tenth (waits are not exact)."""
    for world in ("waits", "segments"):
        won = log_of(world).cases["outcome"].eq("won")
        share = float(won.mean())
        chance = np.sqrt(share * (1 - share) / len(won))
        assert abs(wins_of(fit_of(world)) - share) < 4 * chance + 0.1 * share, world


def test_segments_are_found_as_planted() -> None:
    """Of channels that differ at one stage, which then have stages of their own from the first."""
    fit = fit_of("segments")
    assert fit.segments is not None
    assert {e.covariate for e in fit.segments.by} == {"channel"}
    by = {s.name: s for s in fit.streams}
    assert set(by) == {"web", "partner"}
    for name, odds, value in (("web", 0.8, 10_000.0), ("partner", 0.45, 50_000.0)):
        i = fit.script.names.index(f"demo_{name}")
        on = sum(b.share for b in fit.script.branches[i] if b.to == "won")
        node = fit.network.nodes[i]
        assert abs(on - odds) < 4 * np.sqrt(odds * (1 - odds) / node.entered)
        near(fit, f"channels.{name}.value.mean", value)
        # who comes by it stays what it is
        enters = fit.script.names[by[name].node]
        assert enters.endswith(name)
    assert scenario_of(fit, 364.0).channels["partner"].value is not None
    assert "The scenario has segments by channel" in " ".join(LogResult(fit).sentences)


def test_where_nothing_was_planted_nothing_is_found() -> None:
    """No patience (nobody goes cold); speed and segments with a chance of 1% (Holm's method)."""
    fit = fit_of("plain")
    assert fit.segments is None
    assert not fit.patience
    assert not fit.speed
    assert not [p for p in fit.point if p.split(".")[-2] in {"patience", "speed", "advance"}]


def test_a_column_makes_segments_and_their_odds_come_to_those_of_all() -> None:
    """Of the cases, by region: overall odds are those of the fit without (within a percent)."""
    rng = np.random.default_rng(8)
    log = log_worlds.made()
    won = (log.cases["outcome"] == "won").to_numpy()
    north = np.where(won, rng.random(len(won)) < 0.3, rng.random(len(won)) < 0.5)
    region = pd.Series(np.where(north, "north", "south"), index=log.cases.index, dtype="string")
    fit = fit_log(replace(log, cases=log.cases.assign(region=region)), draws=2)
    assert fit.segments is not None
    assert set(fit.segments.names) == {"north", "south"}
    pooled = fit_log(log, draws=2)
    share = np.bincount(fit.segments.of) / len(won)

    def odds(of: LogFit, stage: str) -> float:
        """Of a case that comes, to be won."""
        nodes = {n.name: n for n in of.network.nodes}
        found = 1.0
        for part in ("intake", "offer"):
            ends = {e.outcome if e.node < 0 else -1: e.share for e in nodes[part + stage].exits}
            found *= ends[-1] if part == "intake" else ends[0]
        return found

    parts = [odds(fit, f" {name}") for name in fit.segments.names]
    assert parts[0] < 0.8 * parts[1]
    assert share @ np.array(parts) == pytest.approx(odds(pooled, ""), rel=0.01)
    # columns by chance
    chance = pd.Series(rng.permutation(region.to_numpy()), index=region.index, dtype="string")
    same = fit_log(replace(log, cases=log.cases.assign(region=chance)), draws=2)
    assert same.segments is None


def test_amounts_that_matter_part_at_their_median() -> None:
    log = log_worlds.made()
    rng = np.random.default_rng(9)
    won = (log.cases["outcome"] == "won").to_numpy()
    amount = rng.lognormal(np.where(won, 8.0, 8.6), 1.0)
    fit = fit_log(replace(log, cases=log.cases.assign(amount=amount)), draws=2)
    assert fit.segments is not None
    assert fit.segments.names == ("low amount", "high amount")
    middle = np.median(amount)
    assert np.bincount(fit.segments.of).tolist() == [(amount <= middle).sum(),
                                                     (amount > middle).sum()]  # fmt: skip
    means = [s.value[0] for s in fit.streams if s.value is not None]
    assert min(means) < middle < max(means)
    # stated by few, it parts nothing, and that is said
    few = pd.Series(np.where(rng.random(len(won)) < 0.8, amount, np.nan), index=log.cases.index)
    other = fit_log(replace(log, cases=log.cases.assign(amount=few)), draws=2)
    assert other.segments is None
    assert "of the cases do not state it" in " ".join(LogResult(other).sentences)


def test_many_names_fall_in_two() -> None:
    log = log_worlds.made()
    rng = np.random.default_rng(10)
    won = (log.cases["outcome"] == "won").to_numpy()
    good = np.where(won, rng.random(len(won)) < 0.6, rng.random(len(won)) < 0.3)
    code = np.where(good, rng.integers(0, 3, len(won)), rng.integers(3, 7, len(won)))
    trade = pd.Series([f"t{c}" for c in code], index=log.cases.index, dtype="string")
    paths = fitted.make_basis(replace(log, cases=log.cases.assign(trade=trade)))
    assert paths.segments is not None
    better = paths.segments.of == 1
    named = trade.loc[log.cases.sort_values("created", kind="stable").index].to_numpy()
    assert set(named[better]) == {"t0", "t1", "t2"}
    assert find_segments(paths.paths, ()) == (None, [])


def test_too_many_stages_share_their_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Odds stay what they are; all who leave a stage take the mean of the ways out."""
    whole = fit_log(log_worlds.made(), draws=2)
    assert whole.script.stages > 6
    monkeypatch.setattr(fitted, "MOST_STAGES", 6)
    fit = fit_log(log_worlds.made(), draws=2)
    assert fit.script.stages <= 6
    assert "There are too many ways" in " ".join(LogResult(fit).sentences)
    scenario = scenario_of(fit, 364.0)
    build(scenario)
    for i, name in enumerate(fit.script.names):
        node = whole.network.nodes[i]
        mean = sum(e.share * p.share * p.mean for e in node.exits for p in e.parts)
        time = scenario.stages[name].buyer_time
        assert (time.mean * 7 if time else 0.0) == pytest.approx(mean, rel=1e-3, abs=2e-3)
        for exit_, share in zip(node.exits, fit.network.nodes[i].exits, strict=True):
            assert exit_.share == pytest.approx(share.share)
    monkeypatch.setattr(fitted, "MOST_STAGES", 3)
    with pytest.raises(DataError, match=r"its 2 stages make .* of a scenario, and 3 are the most"):
        fit_log(log_worlds.made(), draws=2)


def test_nobody_goes_where_nobody_was_seen_to_leave() -> None:
    """A stage that only open cases are in: they count as in the stage before."""
    log = log_worlds.made()
    open_ = log.cases.index[log.cases["outcome"].eq("open")]
    late = log.visits["case"].isin(open_) & log.visits["stage"].eq("offer")
    visits = log.visits.copy()
    visits["stage"] = visits["stage"].astype(object).mask(late, "limbo").astype("string")
    fit = fit_log(replace(log, visits=visits), draws=2)
    build(scenario_of(fit, 364.0))
    assert not [s for s in scenario_of(fit, 364.0).stages if s.startswith("limbo")]


def test_groups_of_times_say_what_the_times_say() -> None:
    """Two laws among 24,000 times: means and shares within 2 in a thousand."""
    rng = np.random.default_rng(3)
    days = np.concatenate([rng.lognormal(0, 1, 12_000), rng.lognormal(4, 0.4, 12_000)])
    bins = make_bins(days)
    assert bins is not None
    assert len(bins.days) <= GROUPS + 2 * ALONE
    weight = rng.exponential(1.0, len(days))
    whole = fit_mixture(days, weight)
    grouped = fit_mixture(bins.days, bins.weights(weight), size=kish(weight))
    assert len(whole) == len(grouped)
    for a, b in zip(whole, grouped, strict=True):
        assert (a.share, a.mean, a.cv) == pytest.approx((b.share, b.mean, b.cv), rel=2e-3)
        assert a.law == b.law
    assert make_bins(days[:1000]) is None


def test_paths_and_model_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the network is: they take most of the time of a million rows."""
    made: list[str] = []
    for name in ("make_paths", "make_model", "estimate_crew", "estimate_effects"):
        real = getattr(fitted, name)

        def counted(*args: Any, real: Any = real, name: str = name) -> Any:
            made.append(name)
            return real(*args)

        monkeypatch.setattr(fitted, name, counted)
    fit = joint.fit_jointly(log_worlds.made(), draws=2)
    assert sorted(made) == ["estimate_crew", "estimate_effects", "make_model", "make_paths"]
    assert len(fit.log.visits) == 0
