"""Real exports, where they are at hand: what is read is what is in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.fit.logs.discover import discover
from simulator.fit.logs.kinds import LOOKUP
from simulator.fit.logs.read import read_log, sources
from simulator.fit.logs.reading import route

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="needs the data in ../shared/data, which are not shipped"
)


def test_a_loan_process() -> None:
    log = read_log(DATA / "bpic12" / "loan_applications_2011Q4.csv.gz")
    ends = {"declined": 4334, "cancelled": 1346, "won": 1130, "open": 645}
    assert log.cases.outcome.value_counts().to_dict() == ends
    # every schedule, start and complete of the file is in a visit
    calls = log.visits[log.visits.stage == "W_Nabellen offertes"]
    assert calls.started.notna().sum() >= 12055
    process = discover(log)
    assert process.programs == ("112",)
    assert {t.name: len(t.people) for t in process.teams} == {
        "W_Completeren aanvraag": 39, "W_Valideren aanvraag": 9, "W_Beoordelen fraude": 2,
    }  # fmt: skip


def test_a_call_centre() -> None:
    log = read_log(DATA / "callcentre" / "calls_1999_02_01_to_14.tsv.gz")
    assert len(log.cases) == 17456
    queue = log.visits[log.visits.stage == "queue"]
    assert log.cases.outcome.eq("abandoned").sum() == 2908
    assert queue.left.notna().all()
    assert (queue.started >= queue.entered)[queue.started.notna()].all()
    assert len(queue.who.dropna().unique()) == 24


def test_a_crm_with_tables_that_explain_its_names() -> None:
    files = sorted((DATA / "maven_crm").glob("*.csv"))
    assert [s.kind for s in sources(files)] == [LOOKUP, "opportunities", LOOKUP]
    log = read_log(files)
    assert log.cases.outcome.value_counts().to_dict() == {"won": 4238, "lost": 2473, "open": 1589}
    assert "GTXPro" not in set(log.cases["product"])
    assert log.cases.manager.notna().all()


def test_leads_and_their_deals() -> None:
    files = sorted((DATA / "olist").glob("*.csv"))
    assert route(sources(files)) == "leads and deals"
    log = read_log(files)
    assert log.cases.outcome.eq("won").sum() == 317  # one was won before its first contact
    assert len(log.cases) == 3342
