"""Estimation from logs: competing risks, demand, people, and a scenario that behaves as fitted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from log_worlds import ACCEPTED, INTAKE_HOURS, RULE, START, WON, csv_of, made
from scipy import stats

from simulator.errors import DataError
from simulator.fit.level import fit_level
from simulator.fit.logs import fit_files_of_log
from simulator.fit.logs.calibrate import _waits, calibrate
from simulator.fit.logs.cast import make_model
from simulator.fit.logs.clock import make_clock, ruled
from simulator.fit.logs.contention import Wait, estimate_waits
from simulator.fit.logs.crew import estimate_crew
from simulator.fit.logs.cutday import without_cut_day
from simulator.fit.logs.demand import BURST_CHANCE, _echoes, _unlikely, estimate_demand, year_end
from simulator.fit.logs.fitted import LogFit, fit_log
from simulator.fit.logs.log import Log
from simulator.fit.logs.measure import make_window
from simulator.fit.logs.mixture import fit_mixture
from simulator.fit.logs.network import _spread, hours_of
from simulator.fit.logs.outlook import people_ahead
from simulator.fit.logs.paths import CENSORED, make_paths
from simulator.fit.logs.risks import Laws, Sampler, masses
from simulator.fit.logs.steady import as_it_was, cases_of_record, scenario_of
from simulator.fit.logs.store import read_ensemble, read_provenance, with_numbers
from simulator.spec.load import load, load_text
from simulator.system import build


@pytest.fixture(scope="module")
def log() -> Log:
    return made()


@pytest.fixture(scope="module")
def fit(log: Log) -> LogFit:
    return fit_log(log, draws=40)


@pytest.mark.parametrize("hour", [1, 10, 16])
def test_a_day_that_was_cut_is_left_out(log: Log, hour: int) -> None:
    """An export of the morning says of a week what one of the midnight before says."""
    midnight = START + pd.Timedelta(days=100)
    cut = without_cut_day(log.before(midnight + pd.Timedelta(hours=hour)))
    assert cut.until == midnight
    pd.testing.assert_frame_equal(cut.cases, log.before(midnight).cases)
    said = str(cut.findings[-1])
    assert f"on 2024-04-10, which was cut at {hour:02d}:00: that day left out" in said
    assert "Export up to a midnight" in said


def test_a_day_that_is_nearly_whole_is_kept(log: Log) -> None:
    midnight = START + pd.Timedelta(days=100)
    for late in (log, log.before(midnight), log.before(midnight - pd.Timedelta(hours=1))):
        assert without_cut_day(late) is late
    # nor can a few days, or a few cases, tell
    noon = pd.Timedelta(hours=12)
    for few in (log.before(START + pd.Timedelta(days=20) + noon),
                made(90, 1.0).before(START + pd.Timedelta(days=80) + noon)):  # fmt: skip
        assert without_cut_day(few) is few


def test_a_fit_leaves_out_a_day_that_was_cut(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = log.before(START + pd.Timedelta(days=100, hours=10))
    seen: list[Log] = []

    def fitted(found: Log, **_: object) -> None:
        seen.append(found)

    monkeypatch.setattr("simulator.fit.logs.write.fit_jointly", fitted)
    monkeypatch.setattr("simulator.fit.logs.write.LogResult", lambda *_, **__: None)
    fit_files_of_log([csv_of(cut, tmp_path / "events.csv")])
    assert seen[0].until == START + pd.Timedelta(days=100)
    assert "which was cut at 09:" in str(seen[0].findings[-1])


def test_jumps_are_those_of_kaplan_meier() -> None:
    """One risk: scipy's Kaplan-Meier is the oracle; ties, ends before censorings."""
    rng = np.random.default_rng(1)
    time, censor = rng.integers(1, 15, 200), rng.integers(1, 20, 200)
    ended = time <= censor
    stayed = np.minimum(time, censor).astype(float)
    order = np.lexsort((~ended, stayed))
    sums = np.cumsum(masses(np.ones(200), ended[order]))
    data = stats.CensoredData(uncensored=stayed[ended], right=stayed[~ended])
    oracle = stats.ecdf(data).cdf
    last = np.flatnonzero(np.append(np.diff(stayed[order]) > 0, True))
    np.testing.assert_allclose(sums[last], oracle.evaluate(stayed[order][last]), atol=1e-12)


def test_a_draw_given_so_far_is_the_law_beyond_it(log: Log) -> None:
    """Of offers that have lasted 10 days, nearly all run out; z-bound 4 (false alarm 6e-5)."""
    paths = make_paths(log)
    model = make_model(paths)
    offers = np.flatnonzero((paths.stage == paths.stages.index("offer")) & paths.ended)
    long = offers[paths.stayed[offers] > 10]
    share = np.mean(paths.after[long] == len(paths.stages) + paths.outcomes.index("expired"))
    entry = model.laws.entry[np.full(4000, offers[0])]
    u = np.full(4000, 10.0)
    pool = model.laws.lasting(entry, u)
    sampler = Sampler(model.laws, np.ones(len(paths.created)))
    time, donor = sampler.draw(pool, u, np.random.default_rng(1))
    assert time.min() > 10
    drawn = np.mean(paths.after[donor] == len(paths.stages) + paths.outcomes.index("expired"))
    se = np.sqrt(share * (1 - share) * (1 / 4000 + 1 / len(long)))
    assert abs(drawn - share) < 4 * se


def test_what_a_new_channel_has_not_seen_goes_on_as_in_the_others(log: Log) -> None:
    """A channel of the last fifteen days has seen no offer run out: of those that last beyond what
    it has seen, as many do as in the others; z-bound 4 (false alarm 6e-5)."""
    paths = make_paths(log)
    kind = np.where(paths.created >= paths.end - 15, 2, 0)
    laws = Laws(paths, kind, make_clock(paths))
    offer, expired = (
        paths.stages.index("offer"),
        len(paths.stages) + paths.outcomes.index("expired"),
    )
    offers = np.flatnonzero(paths.stage == offer)
    new = offers[kind[paths.case[offers]] == 2]
    assert len(new) > 50
    assert not (paths.after[new] == expired).any()
    last = paths.stayed[new].max()
    late = offers[(paths.stayed[offers] > last) & paths.ended[offers]]
    pool = laws.lasting(laws.entry[np.full(4000, new[0])], np.zeros(4000))
    assert set(laws.pools[pool[0]]) == set(new)
    sampler = Sampler(laws, np.ones(len(paths.created)))
    time, donor = sampler.draw(pool, np.zeros(4000), np.random.default_rng(1))
    beyond = time > last
    assert beyond.sum() > 500
    share = np.mean(paths.after[late] == expired)
    drawn = np.mean(paths.after[donor[beyond]] == expired)
    se = np.sqrt(share * (1 - share) * (1 / beyond.sum() + 1 / len(late)))
    assert abs(drawn - share) < 4 * se
    assert time[paths.after[donor] == expired] == pytest.approx(RULE, abs=0.1)


def test_paths_are_those_of_the_log(log: Log) -> None:
    paths = make_paths(log)
    assert paths.stages == ("new", "intake", "offer")
    assert paths.outcomes == ("won", "declined", "expired")
    assert paths.end == 120
    assert (paths.outcome < 0).sum() == (log.cases["outcome"] == "open").sum()
    assert (paths.after == CENSORED).sum() == (paths.outcome < 0).sum()
    # a case's stays follow on one another from its creation to its end
    inner = paths.case[1:] == paths.case[:-1]
    np.testing.assert_array_equal(paths.left[:-1][inner], paths.entered[1:][inner])
    np.testing.assert_array_equal(paths.entered[paths.first], paths.created)


def test_numbers_of_the_truth_are_found(fit: LogFit) -> None:
    """Odds, hours and the rule, within 4 standard errors (six checks: false alarm 4e-4)."""
    by = {n.name: n for n in fit.network.nodes}
    names = [n.name for n in fit.network.nodes]

    def share(stage: str, to: str) -> float:
        outcomes = fit.paths.outcomes
        return sum(
            e.share
            for e in by[stage].exits
            if to == (names[e.node] if e.node >= 0 else outcomes[e.outcome])
        )

    cut = stats.norm.cdf(np.log(RULE / 6.0) / 0.5) / 2
    for stage, to, truth in (
        ("intake", "offer", ACCEPTED),
        ("offer", "won", WON * cut),
        ("offer", "expired", 1 - cut),
    ):
        n = by[stage].entered - by[stage].censored
        assert abs(share(stage, to) - truth) < 4 * np.sqrt(truth * (1 - truth) / n), (stage, to)
    hours = fit.point["stages.intake.effort.mean"]
    assert abs(hours - INTAKE_HOURS) < 4 * fit.se["stages.intake.effort.mean"]
    rate = "channels.all.leads.now"
    assert abs(fit.point[rate] - 140) < 4 * fit.se[rate]
    rule = [b for bs in fit.script.branches for b in bs if b.fixed]
    assert [(b.to, round(b.days)) for b in rule] == [("ends_expired", round(RULE))]


def test_open_cases_count(log: Log) -> None:
    """Half of the time: who is still open is no loser, and the share of the closed is wrong."""
    early = log.before(START + pd.Timedelta(days=40))
    paths = make_paths(early)
    fit = fit_log(early, draws=2)
    offer = next(n for n in fit.network.nodes if n.name == "offer")
    expired = sum(e.share for e in offer.exits if e.outcome == paths.outcomes.index("expired"))
    ended = (paths.stage == paths.stages.index("offer")) & paths.ended
    naive = np.mean(paths.after[ended] - len(paths.stages) == paths.outcomes.index("expired"))
    truth = 1 - stats.norm.cdf(np.log(RULE / 6.0) / 0.5) / 2
    assert naive < truth - 0.08
    assert abs(expired - truth) < 4 * np.sqrt(0.25 / offer.entered)


def test_the_scenario_does_what_was_fitted(fit: LogFit) -> None:
    """Shares of outcomes and the mean time to a win, over 5 years; z-bound 4.5 (2e-5)."""
    from simulator.engines import simulate

    scenario = scenario_of(fit, 5 * 365.0)
    record = simulate(build(scenario), "batch", replication=0)
    cases = cases_of_record(record, fit, 0.0)
    ended = cases.outcome >= 0
    assert ended.sum() > 20_000
    nodes = {n.name: n for n in fit.network.nodes}
    offer = next(e.share for e in nodes["intake"].exits if e.node >= 0)
    won = offer * next(e.share for e in nodes["offer"].exits if e.outcome == 0)
    share = np.mean(cases.outcome[ended] == 0)
    assert abs(share - won) < 4.5 * np.sqrt(won * (1 - won) / ended.sum())
    mine = cases.outcome == 0
    taken = (cases.closed - cases.created)[mine]
    real = (fit.paths.closed - fit.paths.created)[fit.paths.outcome == 0]
    se = np.hypot(taken.std() / np.sqrt(len(taken)), real.std() / np.sqrt(len(real)))
    # open cases at the end of the log are the slow ones: the closed lie a little short
    assert abs(taken.mean() - real.mean()) < 4.5 * se + 0.15


def test_people_teams_and_hours(fit: LogFit) -> None:
    crew = fit.crew
    assert crew.teams == 1
    assert crew.heads[0] == pytest.approx(5.0)
    assert fit.script.teams == ("intake_team",)
    # 140 cases a week of half an hour; hours of unknown sessions at the mean
    assert crew.heads[0] * crew.busy[0] == pytest.approx(70, rel=0.1)
    assert 0 < fit.utilisation(0) < 1
    assert set(np.flatnonzero(crew.hours > 0)) <= set(range(9, 17))


def test_without_people_there_is_no_team() -> None:
    fit = fit_log(made(people=False), draws=2)
    assert fit.script.teams == ()
    assert scenario_of(fit, 364.0).teams == {}


def test_a_program_is_no_person() -> None:
    log = made()
    visits = log.visits.copy()
    night = pd.DatetimeIndex(visits["entered"]).normalize() + pd.Timedelta(hours=3)
    robot = visits.assign(stage="check", started=night, left=night, who="7", worked=0.0)
    paths = make_paths(replace(log, visits=pd.concat([visits, robot], ignore_index=True)))
    assert "7" not in paths.people
    assert len(paths.people) == 5


def test_days_of_campaigns_are_set_apart() -> None:
    """Two days with thrice the cases: they leave the level alone."""
    log = made()
    extra = []
    for day in (50, 80):
        lead = log.cases[(log.cases["created"] - START).dt.days == day]
        extra += [lead.set_axis([f"{i}x{k}" for i in lead.index], axis=0) for k in range(2)]
    demand = estimate_demand(make_paths(replace(log, cases=pd.concat([log.cases, *extra]))))
    assert np.flatnonzero(demand.burst).tolist() == [50, 80]
    assert demand.per_week == pytest.approx(140, rel=0.1)
    assert demand.burst_ratios.mean() == pytest.approx(3, rel=0.35)


def test_what_was_there_on_the_first_day_is_no_campaign() -> None:
    """Moved from another program: 400 cases on the first day tell nothing of those that come."""
    rng = np.random.default_rng(3)
    each = rng.poisson(20.0, 100)
    each[0] = 400
    created = np.repeat(np.arange(100.0), each) + 0.5
    paths = SimpleNamespace(created=created, start=START, end=100.0)
    demand = estimate_demand(paths)  # type: ignore[arg-type]
    assert demand.moved == 1
    assert not demand.burst.any()
    assert not demand.campaigns
    assert demand.per_week == pytest.approx(140, rel=0.1)  # chance: 2.7% at most
    assert demand.quiet < 1  # it was New Year's Day
    assert not demand.draw(rng, 100, 28)[1].any()


def test_campaigns_come_whole_and_seldom() -> None:
    """One campaign in ten weeks, mailed twice: none in the next four in 10 / 14 of the draws (a
    gamma law's rate), else on its two weekdays; z-bound 4 (false alarm 6e-5)."""
    rng = np.random.default_rng(12)
    rate = np.full(70, 50.0)
    rate[[45, 52]] *= 3.0
    created = np.sort(np.repeat(np.arange(70.0), rng.poisson(rate)) + 0.5)
    paths = SimpleNamespace(created=created, start=START, end=70.0)
    demand = estimate_demand(paths)  # type: ignore[arg-type]
    ((first, ratio),) = demand.campaigns
    assert (first, np.flatnonzero(ratio).tolist()) == (45, [0, 7])
    drawn = [demand.draw(rng, 70, 28)[1] for _ in range(2000)]
    days = [np.flatnonzero(d) for d in drawn]
    se = np.sqrt(10 / 14 * 4 / 14 / 2000)
    assert abs(np.mean([len(d) == 0 for d in days]) - 10 / 14) < 4 * se + 0.02
    assert {int((70 + k) % 7) for d in days for k in d} == {45 % 7}
    one = [np.diff(d) for d in days if len(d) == 2]
    assert np.mean([d[0] == 7 for d in one]) > 0.9


def test_a_campaign_lasts_into_the_days_after_it() -> None:
    """A hundred cases a day, three times as many on one and a third more on the two after it: all
    three are the campaign's, and the level stays what it was (its error is some 2%)."""
    rng = np.random.default_rng(10)
    rate = np.full(56, 100.0)
    rate[49:52] *= [3.0, 1.35, 1.35]
    created = np.sort(np.repeat(np.arange(56.0), rng.poisson(rate)) + 0.5)
    paths = SimpleNamespace(created=created, start=START, end=56.0)
    demand = estimate_demand(paths)  # type: ignore[arg-type]
    assert np.flatnonzero(demand.burst).tolist() == [49, 50, 51]
    assert demand.per_week == pytest.approx(700, rel=0.06)
    # a high day before a campaign is not of it
    high = np.array([True, True, True, True, False, True])
    burst = np.array([False, True, False, False, False, False])
    assert _echoes(burst, high).tolist() == [False, True, True, True, False, False]


def test_the_year_ends_quietly() -> None:
    days = pd.date_range("2023-12-15", "2024-01-05")
    quiet = days[year_end(days)]
    assert (quiet.min(), quiet.max()) == (pd.Timestamp("2023-12-18"), pd.Timestamp("2024-01-01"))


def test_who_is_on_leave_is_back_in_january() -> None:
    """Twenty people a week, fourteen of them in the last two of the year: the level is that of
    usual weeks, and the book's nine tenths are corrected by what was seen."""
    start = pd.Timestamp("2023-10-02")
    there = [20] * 11 + [14] * 2
    who = np.concatenate([np.arange(n) for n in there])
    at = np.repeat(7.0 * np.arange(13) + 1.5, there)
    base = make_paths(made(days=91))
    names = tuple(f"p{k}" for k in range(20))
    whole = replace(base, start=start, people=names, acts=(at, who))
    early = replace(whole, end=70.0, acts=(at[at < 70], who[at < 70]))
    crew = estimate_crew(whole)
    assert crew.away[0] == pytest.approx((0.9 + 2 * 0.7) / 3)
    assert crew.active is not None
    rng = np.random.default_rng(8)
    ahead = people_ahead(crew, whole, make_window(start, 91.0, 119.0), 4000, rng)
    assert ahead is not None
    np.testing.assert_allclose(ahead.mean(axis=0), 19.2, atol=1.2)
    before = estimate_crew(early)
    assert before.away[0] == pytest.approx(0.9)
    ahead = people_ahead(before, early, make_window(start, 70.0, 91.0), 4000, rng)
    assert ahead is not None
    np.testing.assert_allclose(ahead.mean(axis=0), [20.0, 18.0, 18.0], rtol=0.02)


def test_work_by_day_is_no_rule() -> None:
    """A desk that gets to a case after so many mornings leaves heaps a day apart; ten days to the
    hour, after which many are closed, stand alone."""
    rng = np.random.default_rng(9)
    mornings = rng.choice([1, 2, 3, 4, 5], p=[0.1, 0.15, 0.2, 0.45, 0.1], size=500)
    by_hand = mornings + 0.06 * rng.standard_normal(500)
    by_rule = 10 + 0.02 * rng.standard_normal(150)
    stayed = np.concatenate([by_hand, by_rule])
    one = np.zeros(len(stayed), dtype=np.int64)
    paths = SimpleNamespace(
        case=one, stage=one, after=one + 1, stayed=stayed, stages=("desk",), outcomes=("closed",)
    )
    np.testing.assert_array_equal(ruled(paths), stayed > 9)  # type: ignore[arg-type]


def test_a_level_that_moves_is_followed() -> None:
    rng = np.random.default_rng(3)
    counts = rng.poisson(np.concatenate([np.full(20, 100.0), np.full(20, 200.0)])).astype(float)
    level = fit_level(counts)
    assert level.value == pytest.approx(200, rel=0.1)
    drawn = level.draw(rng, 20_000, 4)
    # what may return to its mean does so in part: the draws' mean is that of the cells'
    for k in range(4):
        cells = np.exp(level.mean + level.persistence ** (k + 1) * level.off)
        assert drawn[:, k].mean() == pytest.approx(level.weight @ cells, rel=0.02)
    steady = fit_level(np.full(20, 5.0), chance=False)
    assert steady.value == pytest.approx(5.0, rel=0.01)


def test_a_mixture_finds_the_rule_behind_the_people() -> None:
    rng = np.random.default_rng(4)
    days = np.concatenate([rng.lognormal(1, 0.8, 300), rng.normal(30, 0.1, 200)])
    parts = fit_mixture(days, np.ones(500))
    fixed = [p for p in parts if p.fixed]
    assert len(fixed) == 1
    assert fixed[0].mean == pytest.approx(30, abs=0.1)
    assert fixed[0].share == pytest.approx(0.4, abs=0.05)
    # few observations: one part, with their mean and spread
    (one,) = fit_mixture(np.array([1.0, 2.0, 3.0, 6.0]), np.ones(4))
    assert one.mean == pytest.approx(3.0)


def test_written_files_load_and_hold_the_numbers(tmp_path: Path, log: Log) -> None:
    out = tmp_path / "ours"
    file = csv_of(log, tmp_path / "events.csv")
    result = fit_files_of_log([file], out=out, currency="EUR", horizon="26 weeks")
    names = {Path(f).name for f in result.files}
    assert names == {"today.yaml", "push-harder.yaml", "fix.yaml", "fit.json", "ensemble.csv"}
    loaded = load(out / "today.yaml")
    se = result.fit.se
    for path, value in result.fit.point.items():
        if ".next." in path:
            _, stage, _, goal = path.split(".")
            assert loaded.scenario.stages[stage].next[goal] == pytest.approx(value, abs=1e-6)
    graded = loaded.graded["channels.all.leads.now"]
    assert graded.source.startswith("data: ")
    assert se["channels.all.leads.now"] > 0
    for variant in ("push-harder.yaml", "fix.yaml"):
        build(load(out / variant).scenario)
    assert "at par as EUR" in result.notes[-1]
    assert read_provenance(out).paths() == [file.resolve()]
    ensemble = read_ensemble(out)
    assert len(ensemble) == 100
    assert set(ensemble.paths) == set(result.fit.point)
    for row in (0, 99):
        drawn = ensemble.scenario(loaded.scenario, row)
        build(drawn)
        assert drawn.stages["offer"].next != loaded.scenario.stages["offer"].next
    again = fit_files_of_log([file], out=out, horizon="27 weeks")
    assert "kept in today.yaml.before" in again.notes[0]


def test_numbers_that_are_not_there_are_said(fit: LogFit) -> None:
    scenario = scenario_of(fit, 364.0)
    with pytest.raises(DataError, match=r"the scenario has no teams\.nobody: was it fitted anew"):
        with_numbers(scenario, {"teams.nobody.headcount": 1.0})
    with pytest.raises(DataError, match=r"has no stages\.offer\.next as fitted"):
        with_numbers(scenario, {"stages.offer.next.nowhere": 1.0})


@pytest.mark.parametrize(
    ("days", "a_day", "message"),
    [
        (4, 5.0, r"cases are too few to fit; 50 are needed"),
        (3, 100.0, r"days are too few to fit|have ended; 30 are needed"),
    ],
)
def test_too_little_is_said(days: int, a_day: float, message: str) -> None:
    with pytest.raises(DataError, match=message):
        fit_log(made(days=days, a_day=a_day))


def test_all_open_is_said() -> None:
    log = made(days=30)
    cases = log.cases.assign(closed=pd.NaT, outcome="open")
    with pytest.raises(DataError, match=r"0 of \d+ cases have ended.*--won and --lost"):
        fit_log(replace(log, cases=cases))


def test_waits_tell_how_much_time_people_have() -> None:
    """A desk with 4 of 5 heads' time, told by its waits alone; same random numbers."""
    text = """
horizon: 104 weeks
warm_up: 4 weeks
channels: {all: {leads: 100/week}}
teams: {desk: {headcount: 4, hours: 40 h/week, ramp: 0 weeks}}
stages: {work: {team: desk, effort: {mean: 1.4 h, cv: 1}}}
"""
    scenario = load_text(text).scenario
    (truth,) = _waits(scenario, [["work"]], 2).mean(axis=0)
    wait = Wait(0, 0, 1000, float(truth) * 40, float(truth), 0.1 * float(truth), 0.8, 6.0)
    heads, load = np.array([5.0]), np.array([140 / 200])
    (found,) = calibrate(scenario, ("desk",), {0: ["work"]}, (wait,), heads, load)
    assert found.identified
    assert found.share == pytest.approx(0.8, abs=0.005)
    assert 0 < found.se < 0.1
    assert found.simulated == pytest.approx(float(truth), rel=0.1)
    # what cannot be told stays as it was seen, and says why
    for other, why in (
        (replace(wait, z=1.0), "no wait grows with the queue"),
        (
            replace(wait, mean_weeks=1e-6, se_weeks=1e-7),
            "cases wait less than the hours seen would have it",
        ),
        (replace(wait, mean_weeks=9.0), "no load of the hours seen explains waits so long"),
    ):
        (none,) = calibrate(scenario, ("desk",), {0: ["work"]}, (other,), heads, load)
        assert (none.identified, none.share, none.why) == (False, 1.0, why)
    # waits as those hours bring them are a queue of all of them; also where none is seen to grow
    same = replace(wait, mean_weeks=float(_waits(scenario, [["work"]], 4).mean()), z=1.0)
    paced = np.array([True])
    (all_,) = calibrate(scenario, ("desk",), {0: ["work"]}, (same,), heads - 1, load, paced)
    assert (all_.identified, all_.share, all_.se) == (True, 1.0, 0.0)


def test_a_queue_is_told_from_a_choice() -> None:
    """Waits behind one another grow with the queue; waits until tomorrow do not."""
    rng = np.random.default_rng(5)
    log = made()
    work = log.visits[log.visits["stage"] == "intake"].sort_values("entered")
    work = work[work["left"].notna()]
    # one desk, open at all hours, in the order of coming; busy nine tenths of the time
    entered = ((work["entered"] - START) / pd.Timedelta(hours=1)).to_numpy()
    hours = rng.exponential(0.9 * 120 * 24 / len(work), len(work))
    free, begun = 0.0, []
    for at, h in zip(entered, hours, strict=True):
        begun.append(max(at, free))
        free = begun[-1] + h
    started = (START + pd.to_timedelta(begun, unit="h")).astype("datetime64[ns]")
    left = (started + pd.to_timedelta(hours, unit="h")).astype("datetime64[ns]")
    queue = work.assign(started=started, left=left, worked=hours, who="p0")
    visits = pd.concat([queue, log.visits[log.visits["stage"] == "offer"]], ignore_index=True)
    for case, evident in ((replace(log, visits=visits), True), (log, False)):
        paths = make_paths(case)
        waits = estimate_waits(paths, estimate_crew(paths), hours_of(make_model(paths))[1])
        (intake,) = [w for w in waits if paths.stages[w.stage] == "intake"]
        assert intake.evident == evident, intake


def test_channels_that_differ_have_odds_of_their_own() -> None:
    """Half of the cases from a channel whose offers are refused more; one that is as all are."""
    rng = np.random.default_rng(6)
    log = made()
    cases = log.cases.copy()
    won = (cases["outcome"] == "won").to_numpy()
    ads = np.where(won, rng.random(len(cases)) < 0.25, rng.random(len(cases)) < 0.55)
    cases["channel"] = pd.Series(np.where(ads, "ads", "web"), index=cases.index, dtype="string")
    fit = fit_log(replace(log, cases=cases), draws=2)
    names = [n.name for n in fit.network.nodes]
    assert {"offer ads", "offer web"} <= set(names)
    assert "offer" not in names
    share = {
        n.name: next(e.share for e in n.exits if e.outcome == 0)
        for n in fit.network.nodes
        if n.name.startswith("offer")
    }
    assert share["offer web"] > 2 * share["offer ads"]
    assert {s.name for s in fit.streams} == {"ads", "web"}
    build(scenario_of(fit, 364.0))
    # channels by chance: one node for all
    same = rng.random(len(cases)) < 0.5
    cases["channel"] = pd.Series(np.where(same, "ads", "web"), index=cases.index, dtype="string")
    assert "offer" in [n.name for n in fit_log(replace(log, cases=cases), draws=2).network.nodes]


def test_patience_is_of_those_who_waited_in_vain() -> None:
    """Exponential patience of a day against the wait until the morning: within 4 se."""
    rng = np.random.default_rng(7)
    log = made()
    work = log.visits["stage"] == "intake"
    gone = pd.Series(
        log.visits["entered"] + pd.to_timedelta(rng.exponential(1.0, len(log.visits)), unit="D"),
        index=log.visits.index,
    )
    cold = work & (gone < log.visits["started"])
    visits = log.visits.copy()
    visits.loc[cold, "left"] = gone[cold].astype("datetime64[ns]")
    visits.loc[cold, ["started", "who", "worked"]] = [pd.NaT, pd.NA, np.nan]
    lost = visits.loc[cold].set_index("case")["left"]
    cases = log.cases.copy()
    cases.loc[lost.index, "closed"] = lost
    cases.loc[lost.index, "outcome"] = "went_cold"
    visits = visits[~((visits["stage"] == "offer") & visits["case"].isin(lost.index))]
    paths = make_paths(replace(log, cases=cases, visits=visits))
    (wait,) = estimate_waits(paths, estimate_crew(paths), hours_of(make_model(paths))[1])
    assert wait.cold == cold.sum() > 500
    assert abs(wait.patience_days - 1.0) < 4 * wait.patience_se


@pytest.mark.parametrize("rate", [3.0, 10.0])
def test_the_level_of_few_cases_is_not_too_high(rate: float) -> None:
    """Poisson weeks at a level that lasts: no bias; z-bound 4.5 on the mean (7e-6 each)."""
    rng = np.random.default_rng(11)
    off = np.array([fit_level(rng.poisson(rate, 78).astype(float)).log for _ in range(60)])
    assert abs(off.mean() - np.log(rate)) < 4.5 * off.std(ddof=1) / np.sqrt(len(off))


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_a_day_that_chance_brings_is_no_campaign(noise: float) -> None:
    """The exact chance that any of 500 days is called one is at most that which is stated."""
    days, usual = 500, 3.6
    counts = np.arange(60.0)
    law = stats.nbinom(1 / noise, 1 / (1 + noise * usual)) if noise else stats.poisson(usual)
    called = _unlikely(np.concatenate([counts, np.zeros(days - 60)]), np.full(days, usual), noise)
    least = int(counts[called[:60]].min())
    assert 1 - (1 - law.sf(least - 1)) ** days <= BURST_CHANCE
    assert 1 - (1 - law.sf(least - 2)) ** days > BURST_CHANCE  # no stricter than that


def test_sessions_over_nights_tell_the_week() -> None:
    """32 h of 168 in every session of stated hours; two at once by one person count once."""
    log = made(60)
    visits = log.visits.copy()
    work = visits["stage"].eq("intake") & visits["left"].notna()
    hours = visits.loc[work, "worked"]
    visits.loc[work, "left"] = visits.loc[work, "started"] + pd.to_timedelta(
        hours * 168 / 32, unit="h"
    )
    visits["who"] = visits["who"].mask(work, visits["case"])  # a person each: none overlap
    alone = estimate_crew(make_paths(replace(log, visits=visits)))
    assert alone.paced.tolist() == [True]
    assert alone.presence[0] == pytest.approx(32, rel=1e-6)
    twice = pd.concat([visits, visits[work].assign(worked=0.0)], ignore_index=True)
    both = estimate_crew(make_paths(replace(log, visits=twice)))
    assert both.presence[0] == pytest.approx(32, rel=1e-6)
    assert not estimate_crew(make_paths(log)).paced.any()  # sessions within a day


def test_waits_are_held_against_the_arrivals_there_were(fit: LogFit) -> None:
    """Arrivals of the scenario, block by block, are those of the log."""
    scenario = as_it_was(fit, fit.paths.end)
    factor = 1.0
    level = [sum(c.leads.now for c in scenario.channels.values() if c.leads)]
    for shock in scenario.shocks:
        factor *= float(shock.by)
        level.append(level[0] * factor)
    counts = fit.model.demand.counts
    rest = len(counts) % 28
    regular = 1 - float(fit.model.demand.burst.mean())
    blocks = [7 * counts[rest + 28 * k : rest + 28 * (k + 1)].mean() for k in range(len(level))]
    assert len(level) == 4
    np.testing.assert_allclose(level, np.array(blocks) * regular, rtol=0.02)


def test_dates_without_a_time_are_no_rule() -> None:
    """Whole days lie anywhere within the day; times of day are left as they are."""
    stayed = np.repeat(np.arange(1.0, 21.0), 30)
    ended = np.ones(len(stayed), dtype=bool)
    spread = _spread(stayed, ended)
    assert len(np.unique(spread)) == len(spread)
    assert np.abs(spread - stayed).max() <= 0.5
    np.testing.assert_array_equal(_spread(stayed + 0.3, ended), stayed + 0.3)
