"""Simulate, export, read: what comes back is what happened."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import recovered
from click.testing import CliRunner

from simulator.cli import main
from simulator.engines import simulate
from simulator.errors import EngineError
from simulator.fit.logs.export import ARRIVE, Exported, export, salesforce_id
from simulator.fit.logs.joint import fit_jointly
from simulator.fit.logs.journal import Journal
from simulator.fit.logs.log import Log
from simulator.fit.logs.read import read_log

SCENARIO = """\
extends: mid-market-saas
name: A quarter
horizon: 12 weeks
warm_up: 10 weeks
start: 2024-01-01
stages:
  qualify:
    patience: {mean: 3 days}
  first_meeting:
    recycle: {share: 30%, delay: {mean: 2 weeks}, to: qualify}
  demo:
    patience: {mean: 2 weeks}
"""
UNTIL = pd.Timestamp("2024-03-24").date()  # the last day before week 12


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenario") / "today.yaml"
    path.write_text(SCENARIO)
    return path


@pytest.fixture(scope="module")
def events(scenario: Path) -> Exported:
    return export(scenario, scenario.parent / "log", form="log")


@pytest.fixture(scope="module")
def salesforce(scenario: Path) -> Exported:
    return export(scenario, scenario.parent / "crm", form="salesforce")


@pytest.fixture(scope="module")
def log(events: Exported) -> Log:
    return read_log(events.files, until=UNTIL)


@pytest.fixture(scope="module")
def crm(salesforce: Exported) -> Log:
    return read_log(salesforce.files, until=UNTIL)


def truth(kept: Journal) -> pd.DataFrame:
    """Visits of a run as a log should have them, in order of case and entry."""
    stage = np.array(kept.system.stage_names, dtype=object)[kept.visits.stage]
    return pd.DataFrame(
        {
            "case": kept.visits.lead.astype(str),
            "stage": stage,
            **{new: kept.times(kept.visits[old].to_numpy()) for new, old in
               (("entered", "entered"), ("started", "started"), ("left", "ended"))},
            "who": kept.visits.who,
            "hours": kept.visits.hours,
        }
    )  # fmt: skip


def same_times(a: pd.Series, b: pd.Series) -> bool:
    """Equal to the nanosecond, nothing being equal to nothing."""
    x, y = (s.to_numpy(dtype="datetime64[ns]") for s in (a, b))
    return bool(((x == y) | (np.isnat(x) & np.isnat(y))).all())


def test_the_run_is_the_engine_s_own(events: Exported) -> None:
    """Watching changes nothing: the record is that of the engine, visit by visit."""
    kept = events.journal
    plain = simulate(kept.system, "events", visits=True)
    assert plain.leads is not None
    assert plain.visits is not None
    assert kept.record.leads is not None
    for name in ("id", "channel", "fate", "arrived", "ended", "won", "value"):
        np.testing.assert_array_equal(getattr(plain.leads, name), getattr(kept.record.leads, name))
    team = kept.system.stages.team[kept.visits.stage] >= 0
    mine = kept.visits[team & (kept.visits.entered >= 0)].reset_index(drop=True)
    theirs = pd.DataFrame({n: getattr(plain.visits, n) for n in ("lead", "stage", "entered")})
    keep = theirs.lead.isin(plain.leads.id)
    theirs = theirs[keep].reset_index(drop=True)
    pd.testing.assert_frame_equal(mine[["lead", "stage", "entered"]], theirs)


def test_an_event_log_comes_back_exactly(events: Exported, log: Log) -> None:
    kept = events.journal
    leads = kept.record.leads
    assert leads is not None
    order = leads.id.astype(str)
    assert sorted(log.cases.index) == sorted(order)
    cases = log.cases.loc[order]
    assert same_times(cases.created, kept.times(leads.arrived))
    assert cases.channel.tolist() == [kept.system.channel_names[c] for c in leads.channel]
    won = np.isfinite(leads.won)
    fates = [kept.system.fates[f] for f in leads.fate]
    lost = np.array([f.kind == "lost" for f in fates]) & ~won
    assert cases.outcome.tolist() == np.select([won, lost], ["won", "lost"], "open").tolist()
    assert same_times(
        cases.closed, kept.times(np.where(won, leads.won, np.where(lost, leads.ended, np.nan)))
    )
    assert cases.reason[lost].tolist() == [f.reason for f, k in zip(fates, lost, strict=True) if k]
    expected = truth(kept).sort_values(["case", "entered"], kind="stable", ignore_index=True)
    got = log.visits[~log.visits.stage.isin([ARRIVE, "won", "lost"])]
    got = got.sort_values(["case", "entered"], kind="stable", ignore_index=True)
    assert got.case.tolist() == expected.case.tolist()
    assert got.stage.tolist() == expected.stage.tolist()
    for column in ("entered", "started", "left"):
        assert same_times(got[column], expected[column]), column
    team = expected.started.notna()
    assert got.who[team].tolist() == expected.who[team].tolist()
    np.testing.assert_allclose(got.worked[team], expected.hours[team], atol=1e-6)
    assert log.cases.outcome.eq("won").sum() > 5
    assert (expected.started.isna() & expected.left.notna()).any()  # some went cold


SMALL = """\
name: Two teams
horizon: 40 weeks
value: {mean: 20 kUSD, cv: 0.5}
channels:
  web: {leads: 25/week, spend: 4000 USD/week}
teams:
  desk: {headcount: 2, hours: 30 h/week, cost: 90 kUSD/year}
  sales: {headcount: 3, hours: 28 h/week, cost: 150 kUSD/year}
stages:
  talk: {team: desk, effort: {mean: 1.2 h, cv: 0.8}, advance: 0.5}
  offer: {team: sales, effort: {mean: 5 h, cv: 1}, decision: true}
"""


def test_a_fit_of_a_run_finds_its_people_and_hours(tmp_path: Path) -> None:
    """People of a simulation work at all hours, and are people; hours of work are as stated."""
    (tmp_path / "today.yaml").write_text(SMALL)
    files = export(tmp_path / "today.yaml", tmp_path / "log", form="log").files
    events = pd.read_csv(files[0])
    until = pd.to_datetime(events.timestamp).max().date()
    fit = fit_jointly(read_log(files, until=until), draws=0)
    numbers = fit.point
    done = events[(events.lifecycle == "complete") & events.hours.notna()]
    for stage in ("talk", "offer"):
        team = next(t for t in fit.script.teams if t.startswith(stage))
        assert {f"teams.{team}.headcount", f"stages.{stage}.effort.mean"} <= set(numbers)
        mine = done.hours[done.activity == stage]
        assert numbers[f"stages.{stage}.effort.mean"] == pytest.approx(mine.mean(), rel=0.01)
    assert sorted(fit.crew.heads.round()) == [2, 3]


def test_a_log_that_names_nobody_has_no_teams(tmp_path: Path) -> None:
    """No team of no heads, in which nothing would ever be done."""
    (tmp_path / "today.yaml").write_text(SMALL)
    files = export(tmp_path / "today.yaml", tmp_path / "log", form="log").files
    events = pd.read_csv(files[0]).drop(columns="resource")
    events.to_csv(files[0], index=False)
    until = pd.to_datetime(events.timestamp).max().date()
    fit = fit_jointly(read_log(files, until=until), draws=0)
    assert fit.script.teams == ()
    assert not [path for path in fit.point if path.startswith("teams.") or "effort" in path]
    # What stages take holds the work, then.
    talk = next(n for n in fit.network.nodes if n.name == "talk")
    assert all(p.mean > 0.01 for e in talk.exits for p in e.parts)


def test_salesforce_s_objects_come_back(salesforce: Exported, crm: Log) -> None:
    """Leads, ends, and when stages were entered; visits to one stage in a row are one."""
    kept = salesforce.journal
    leads = kept.record.leads
    assert leads is not None
    names = [salesforce_id("00Q", i + 1)[:15] for i in range(len(leads.id))]
    assert sorted(crm.cases.index) == sorted(names)
    cases = crm.cases.loc[names]

    def ms(times: pd.Series) -> pd.Series:
        return times.dt.floor("ms")

    assert same_times(cases.created, ms(kept.times(leads.arrived)))
    won = np.isfinite(leads.won)
    fates = [kept.system.fates[f] for f in leads.fate]
    lost = np.array([f.kind == "lost" for f in fates]) & ~won
    assert (cases.outcome == "won").tolist() == won.tolist()
    assert (cases.outcome == "open").tolist() == (~won & ~lost).tolist()
    no_decision = [k and f.reason == "no_decision" for f, k in zip(fates, lost, strict=True)]
    assert (cases.outcome == "no_decision").tolist() == no_decision
    ended = kept.times(np.where(won, leads.won, np.where(lost, leads.ended, np.nan)))
    assert same_times(cases.closed, ms(ended))
    expected = truth(kept)
    expected["case"] = kept.visits.lead.map(dict(zip(leads.id, names, strict=True)))
    after = kept.system.stages.after_sale[kept.visits.stage.to_numpy()]
    expected = expected[~after].sort_values(["case", "entered"], kind="stable")
    again = expected.case.eq(expected.case.shift()) & expected.stage.eq(expected.stage.shift())
    expected = expected[~again].reset_index(drop=True)
    got = crm.visits
    assert got.case.tolist() == expected.case.tolist()
    assert got.stage.tolist() == expected.stage.tolist()
    assert same_times(got.entered, ms(expected.entered))
    assert any("saves that changed no stage" in f.what for f in crm.findings)


def test_batch_gives_the_same_visits_without_names(scenario: Path, events: Exported) -> None:
    quick = export(scenario, scenario.parent / "batch", form="log", engine="batch")
    kept, slow = quick.journal, events.journal
    team = slow.system.stages.team[slow.visits.stage] >= 0
    mine = slow.visits[team & (slow.visits.entered >= 0)]
    columns = ["lead", "stage", "entered", "started", "ended"]
    order = ["lead", "entered"]
    a = kept.visits[kept.visits.lead.isin(mine.lead)][columns].sort_values(order)
    pd.testing.assert_frame_equal(
        a.reset_index(drop=True), mine[columns].sort_values(order).reset_index(drop=True)
    )
    assert kept.visits.who.isna().all()
    crm = export(scenario, scenario.parent / "batch-crm", engine="batch")
    read = read_log(crm.files, until=UNTIL)
    leads = kept.record.leads
    assert leads is not None
    assert int(read.cases.outcome.eq("won").sum()) == int(np.isfinite(leads.won).sum())


def test_salesforce_ids_check_themselves() -> None:
    # a published pair: 15 letters and their 18
    assert salesforce_id("001", 0)[:15] == "001000000000000"
    assert salesforce_id("001", 61 + 62)[12:15] == "01z"
    short = "00Q000000000AbC"
    number = 10 * 62 * 62 + 37 * 62 + 12
    assert salesforce_id("00Q", number)[:15] == short
    # of each five letters, bit i is set where letter i is a capital: Q is bit 2; A and C, 2 and 4
    assert salesforce_id("00Q", number)[15:] == "EAU"


def test_the_command_writes_what_it_says(scenario: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        main, ["export", str(scenario), "--out", str(tmp_path / "a"), "--as", "log", "--json",
               "--start", "2023-01-02", "--replication", "1"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert answer["start"].startswith("2023-01-02")
    assert answer["replication"] == 1
    (file,) = answer["files"]
    text = Path(file["file"]).read_text().splitlines()
    assert len(text) == file["rows"] + 1
    assert text[0].startswith("case,activity,lifecycle,timestamp,resource")
    done = CliRunner().invoke(main, ["export", str(scenario), "--out", str(tmp_path / "b")])
    assert done.exit_code == 0
    names = {p.name for p in (tmp_path / "b").iterdir()}
    assert names == {"Lead.csv", "LeadHistory.csv", "Opportunity.csv", "OpportunityHistory.csv"}
    line = next(s for s in done.output.splitlines() if s.startswith("Read it again with"))
    command = line.partition("growthsim ")[2].split()
    done = CliRunner().invoke(main, [*command, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["cases"] > 1000


def test_what_cannot_be_exported_is_said(scenario: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"flow engine has no leads to export. Take events"):
        export(scenario, tmp_path, engine="flow")
    with pytest.raises(EngineError, match=r"no form of export named 'sap'. There are: log"):
        export(scenario, tmp_path, form="sap")


@pytest.mark.slow
def test_intervals_of_a_fit_hold_the_truth_as_often_as_they_say() -> None:
    """100 systems simulated, exported and fitted: 90% intervals hold 85% to 95% of the truths."""
    found = recovered.score(100, 1)
    assert 0.85 <= found["coverage"] <= 0.95, found
    assert found["exact"]["right"] > 0.95, found
