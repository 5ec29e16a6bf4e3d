"""What logs do not tell: hours of work, days of ends, what odds go with; and what is made of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import stats

from simulator.cli import main
from simulator.fit.logs.assumed import (
    BUSY_RANGE,
    FLOW_WEEKS,
    HOURS,
    estimate_contention,
    usually_busy,
    with_work,
    works_unseen,
)
from simulator.fit.logs.cast import make_model
from simulator.fit.logs.covariates import estimate_effects
from simulator.fit.logs.crew import estimate_crew
from simulator.fit.logs.fitted import fit_log
from simulator.fit.logs.lacking import lacks
from simulator.fit.logs.log import OPEN, Log
from simulator.fit.logs.network import hours_of
from simulator.fit.logs.paths import make_paths
from simulator.fit.logs.script import full_time
from simulator.fit.logs.undated import dated
from simulator.spec.load import load

START = pd.Timestamp("2024-01-01")
DAYS = 200
PEOPLE = 5
ODDS = 0.6  # first to second; of the second, won


def at(days: np.ndarray) -> pd.Series:
    return pd.Series(START + pd.to_timedelta(days, unit="D")).astype("datetime64[ns]")


def crm(n: int = 1200, *, limited: bool = False, seed: int = 3) -> Log:
    """Deals of two stages moved on by their owners, who if limited have too many for their time."""
    rng = np.random.default_rng(seed)
    created = np.sort(rng.uniform(0, DAYS, n))
    owner = rng.integers(0, PEOPLE, n)
    cases, visits = [], []
    free = np.zeros(PEOPLE)
    for i in range(n):
        t, outcome, closed, who = created[i], OPEN, np.nan, f"p{owner[i]}"
        for stage in ("first", "second"):
            entered = t
            if limited:
                t = max(t, free[owner[i]]) + rng.exponential(1.1 * PEOPLE * DAYS / n / (1 + ODDS))
                free[owner[i]] = t
            else:
                t += rng.lognormal(np.log(8), 0.5)
            if t >= DAYS:
                visits.append((f"c{i}", stage, entered, np.nan, who))
                break
            visits.append((f"c{i}", stage, entered, t, who))
            if rng.random() > ODDS:
                outcome, closed = "lost", t
                break
        else:
            outcome, closed = "won", t
        cases.append((f"c{i}", created[i], closed, outcome, 100.0 * rng.lognormal(0, 1)))
    frame = pd.DataFrame(cases, columns=["case", "created", "closed", "outcome", "amount"])
    table = pd.DataFrame(visits, columns=["case", "stage", "entered", "left", "who"])
    for column in ("created", "closed"):
        frame[column] = at(frame[column].to_numpy())
    for column in ("entered", "left"):
        table[column] = at(table[column].to_numpy())
    table["started"] = pd.Series(pd.NaT, index=table.index, dtype="datetime64[ns]")
    table["worked"] = np.nan
    frame = frame.set_index("case").assign(channel="web", owner="x")
    columns = ["case", "stage", "entered", "started", "left", "who", "worked"]
    return Log(frame, table[columns], START, START + pd.Timedelta(days=DAYS))


def test_people_whose_work_is_not_told_are_as_busy_as_in_the_book() -> None:
    paths = make_paths(crm())
    assert works_unseen(paths)
    worked = with_work(paths)
    counted = worked.session_left >= paths.end - 7 * FLOW_WEEKS
    hours = float(worked.session_hours[counted].sum())
    assert hours == pytest.approx(PEOPLE * float(HOURS.value) * BUSY_RANGE[1] * FLOW_WEEKS)
    # work is the end of a stay, and never longer than it
    assert (worked.session_started >= paths.entered[worked.session_stay]).all()
    np.testing.assert_allclose(worked.session_left, paths.left[worked.session_stay])
    heads, week = full_time(estimate_crew(worked))
    assert heads.tolist() == [PEOPLE]
    assert week.tolist() == [HOURS.value]


def test_whether_people_are_the_limit_shows_in_their_moves() -> None:
    """Twice the cases, twice the moves, without a limit; none more, with one (z-bound 4: 6e-5)."""
    free = estimate_contention(make_paths(crm()))
    limit = estimate_contention(make_paths(crm(limited=True)))
    assert free is not None
    assert limit is not None
    assert free.elasticity == pytest.approx(1, abs=4 * free.se)
    assert free.se < 0.15
    assert limit.elasticity < 0.5 < free.elasticity


def test_people_are_no_busier_than_the_data_show() -> None:
    """Who keeps up with so many times the usual cases has the time for them."""
    paths = make_paths(crm())
    free, limit = (estimate_contention(p) for p in (paths, make_paths(crm(limited=True))))
    assert free is not None
    assert limit is not None
    assert free.limits is False
    assert limit.limits is True
    assert usually_busy(limit) == usually_busy(None) == BUSY_RANGE[1]
    assert 1 / BUSY_RANGE[1] < free.heavy < 1.6
    worked = with_work(paths, free)
    assert worked.busy == usually_busy(free) == 1 / free.heavy
    counted = worked.session_left >= paths.end - 7 * FLOW_WEEKS
    hours = float(worked.session_hours[counted].sum())
    assert hours == pytest.approx(PEOPLE * float(HOURS.value) / free.heavy * FLOW_WEEKS)


def test_a_crm_gives_teams_and_says_that_their_hours_are_the_books(tmp_path: Path) -> None:
    log = crm()
    cases = log.cases.reset_index()
    deals = pd.DataFrame(
        {
            "Id": cases.case, "StageName": np.where(cases.outcome == OPEN, "first",
                                                    "Closed " + cases.outcome.str.title()),
            "CreatedDate": cases.created.astype(str), "CloseDate": cases.closed.astype(str),
            "IsClosed": (cases.outcome != OPEN).astype(str).str.lower(),
            "IsWon": (cases.outcome == "won").astype(str).str.lower(), "Amount": cases.amount,
            "OwnerId": log.visits.drop_duplicates("case").who.to_numpy(),
        }
    )  # fmt: skip
    deals["CloseDate"] = deals.CloseDate.where(cases.outcome != OPEN, "2024-08-01")
    deals.to_csv(tmp_path / "Opportunity.csv", index=False)
    out = tmp_path / "ours"
    done = CliRunner().invoke(main, ["fit", str(tmp_path / "Opportunity.csv"), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "5.0 people moved cases on of late. Nothing says how long they worked" in done.stdout
    assert "With twice the cases a person moves" in done.stdout
    assert "No history of stages: only the time from beginning to end" in done.stdout
    scenario = load(out / "today.yaml").scenario
    (team,) = scenario.teams.values()
    assert team.headcount == PEOPLE
    text = (out / "today.yaml").read_text()
    busy = float(re.search(r"people are busy (\d+)% of their hours", text).group(1))  # type: ignore[union-attr]
    assert busy < 80
    assert "less here, for they kept up with" in text
    assert "no limit of people's time is seen in these data" in done.stdout
    assert "The limit of people's time in the scenario is the book's, not the data's" in done.stdout
    assert "show no limit of their time, and the one that is here is an assumption" in text
    assert "effort" not in (out / "ensemble.csv").read_text().splitlines()[0]
    checked = CliRunner().invoke(main, ["check", str(out / "today.yaml")])
    assert checked.exit_code == 0, checked.output
    # the load that is told is the scenario's (z-bound 4: 6e-5; hours of a case have a cv of 1)
    told = float(re.search(r"and (\d+)% in the scenario", done.stdout).group(1)) / 100  # type: ignore[union-attr]
    ran = CliRunner().invoke(main, ["run", str(out / "today.yaml"), "--json"])
    used = json.loads(ran.stdout)["metrics"]["utilisation.opportunity_team"]["mean"]
    weeks = scenario.horizon
    leads = float(re.search(r"(\d+) ± \d+ cases a week now", done.stdout).group(1))  # type: ignore[union-attr]
    assert used == pytest.approx(told, abs=0.005 + 4 * told * (2 / (leads * weeks)) ** 0.5)


def test_ends_without_a_day_count_in_odds() -> None:
    """As many are won as with days (z-bound 4 on the share: 6e-5); without, all ends were wins."""
    log = crm()
    lost = log.cases["outcome"].eq("lost")
    cases = log.cases.assign(closed=log.cases["closed"].mask(lost))
    gone = log.visits["case"].isin(cases.index[lost]) & ~log.visits["case"].duplicated(keep="last")
    visits = log.visits.assign(left=log.visits["left"].mask(gone))
    bare = Log(cases, visits, log.since, log.until, ("deals.csv",))
    filled = dated(bare)
    assert dated(log) is log
    assert filled.cases["closed"].notna().sum() == log.cases["closed"].notna().sum()
    assert (filled.cases["closed"].dropna() <= log.until).all()
    assert (filled.cases["closed"] >= filled.cases["created"])[lost].all()
    assert filled.cases["closed"][lost].is_unique
    assert "odds count them" in filled.findings[-1].action
    pd.testing.assert_frame_equal(dated(bare).cases, filled.cases)
    truth = fit_log(log, draws=0)
    for case, same in ((filled, True), (bare, False)):
        fit = fit_log(case, draws=0)
        stage = next(n for n in fit.network.nodes if n.name == "second")
        won = next(e.share for e in stage.exits if e.outcome == 0)
        known = next(n for n in truth.network.nodes if n.name == "second")
        share = next(e.share for e in known.exits if e.outcome == 0)
        near = abs(won - share) < 4 * np.sqrt(ODDS * (1 - ODDS) / known.entered)
        assert near == same


def test_ends_of_which_no_day_was_kept_are_no_data(tmp_path: Path) -> None:
    """Neither the times of such ends, nor what people did on days that were drawn."""
    log = crm(600)
    cases = log.cases.reset_index()
    over = cases.outcome != OPEN
    deals = pd.DataFrame({
        "Id": cases.case, "StageName": np.where(over, "Closed " + cases.outcome.str.title(), "x"),
        "CreatedDate": cases.created.astype(str), "OwnerId": "p",
        "CloseDate": cases.closed.astype(str).where(cases.outcome.eq("won"), ""),
    })  # fmt: skip
    deals.to_csv(tmp_path / "a.csv", index=False)
    out = tmp_path / "ours"
    done = CliRunner().invoke(main, ["fit", str(tmp_path / "a.csv"), "--out", str(out), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    leads = {
        row["leads_to"]: row["days"] for row in told["stages"] if row["stage"] == "opportunity"
    }
    assert leads["won"] > 5
    assert leads["lost"] is None
    assert any("until they are lost (from opportunity) is not in the data" in s
               for s in told["sentences"])  # fmt: skip
    assert not any("With twice the cases" in s for s in told["sentences"])
    unknown = [p for p in told["not_in_the_data"] if p.endswith(".buyer_time")]
    assert unknown
    assert all("_then_lost" in path for path in unknown)
    assert not any("then_lost" in row["path"] and "buyer" in row["path"] for row in told["numbers"])
    lines = (out / "today.yaml").read_text().splitlines()
    times = {lines[k - 1].strip(): line for k, line in enumerate(lines) if "buyer_time:" in line}
    for stage, line in times.items():
        assert ("grade: D, source: 'book: no end of this kind has a day" in line) == (
            "_then_lost" in stage
        )
    deals.assign(CloseDate="").to_csv(tmp_path / "b.csv", index=False)
    done = CliRunner().invoke(main, ["fit", str(tmp_path / "b.csv")])
    assert done.exit_code == 1
    assert "b.csv: of 0 of the " in done.stderr


def test_a_stage_that_nobody_left_leads_nowhere() -> None:
    log = crm()
    stuck = pd.DataFrame({"case": log.cases.index[log.cases["outcome"] == OPEN]})
    stuck = stuck.assign(stage="snapshot", entered=log.until, who="p0", worked=np.nan)
    for column in ("started", "left"):
        stuck[column] = pd.Series(pd.NaT, index=stuck.index, dtype="datetime64[ns]")
    stuck["entered"] = log.until - pd.Timedelta(1, "s")
    visits = pd.concat([log.visits, stuck[log.visits.columns]], ignore_index=True)
    more = Log(log.cases, visits, log.since, log.until)
    assert make_paths(more).stages == make_paths(log).stages
    said = [s for s in lacks(more) if "snapshot" in s]
    assert len(said) == 1
    assert "xport the history" in said[0]


def test_what_goes_with_odds_is_found_and_what_tells_the_end_is_not_used() -> None:
    """Planted effects within z-bound 4.5 (7e-6 each); noise is not called evident (Holm, 5%)."""
    rng = np.random.default_rng(2)
    n = 3000
    created = np.sort(rng.uniform(0, 300, n))
    amount, wait = rng.lognormal(10, 1, n), rng.exponential(1, n)
    trade = rng.choice(["shop", "bank", "farm"], n, p=[0.5, 0.3, 0.2])
    odds = -0.3 * np.log2(amount / np.exp(10)) - 0.4 * np.log2(wait + 1 / 24)
    won = rng.random(n) < 1 / (1 + np.exp(-odds - 0.2 - 0.8 * (trade == "bank")))
    closed = created + wait + rng.lognormal(2, 0.5, n)
    seen = closed < 330
    cases = pd.DataFrame(
        {
            "created": at(created), "closed": at(np.where(seen, closed, np.nan)),
            "outcome": np.where(~seen, OPEN, np.where(won, "won", "lost")), "channel": "web",
            "owner": "x", "amount": amount, "trade": trade, "noise": rng.normal(0, 1, n),
            "paid": np.where(won, 100.0, 0.0) + rng.normal(0, 1, n),
        }
    )  # fmt: skip
    cases.index = pd.Index([f"c{i}" for i in range(n)], name="case")
    visits = pd.DataFrame(
        {"case": cases.index, "stage": "talk", "entered": cases["created"].to_numpy(),
         "started": at(created + wait).to_numpy(), "left": cases["closed"].to_numpy(), "who": "p",
         "worked": 1.0}
    )  # fmt: skip
    paths = make_paths(Log(cases, visits, START, START + pd.Timedelta(days=330)))
    effects, told = estimate_effects(paths, hours_of(make_model(paths))[1])
    assert told == ["paid"]
    by = {(e.covariate, e.per): e for e in effects}
    for key, truth in (
        (("amount", "twice as much"), -0.3),
        (("wait", "twice as long"), -0.4),
        (("trade", "bank, not shop"), 0.8),
    ):
        e = by[key]
        se = np.log(e.high / e.low) / (2 * stats.norm.ppf(0.95))
        assert abs(np.log(e.factor) - truth) < 4.5 * se
        assert e.evident
    assert not by["noise", "a deviation more"].evident


def test_where_nothing_is_won_a_contest_has_nothing_to_say(tmp_path: Path) -> None:
    """Exports without a win: a scenario without a win, and push against fix in no share of it."""
    (tmp_path / "today.yaml").write_text(
        "horizon: 8 weeks\nwarm_up: 0 weeks\nrole: today\nname: Today\n"
        "channels: {all: {leads: 20/week, spend: 100 USD/week}}\n"
        "teams: {desk: {headcount: 2, ramp: 0 weeks, cost: 50 kUSD/year}}\n"
        "stages: {work: {team: desk, effort: 1 h, advance: 0%}}\ncustomers: {start: 0}\n"
    )
    for role, lever in (
        ("push", "{scale: channels.*.spend, by: 1.5}"),
        ("fix", "{add: teams.desk.headcount, by: 1}"),
    ):
        text = f"extends: today.yaml\nname: {role}\nrole: {role}\nlevers: [{lever}]\n"
        (tmp_path / f"{role}.yaml").write_text(text)
    done = CliRunner().invoke(main, ["compare", str(tmp_path), "--replications", "8"])
    assert done.exit_code == 0, done.output
    assert "nothing can be said of push against fix: today's ARR is 0" in done.stdout
