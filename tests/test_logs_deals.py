"""Salesforce's and HubSpot's exports, and plain ones, into cases and visits."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from simulator.errors import DataError
from simulator.fit.logs.deals import end_of
from simulator.fit.logs.log import Log
from simulator.fit.logs.read import read_log, sources

Row = dict[str, str]

OPPORTUNITIES: list[Row] = [
    # 15 letters in one file, 18 in the other
    {"Id": "006A00000000001", "StageName": "Closed Won", "Amount": "$12,000.50", "IsClosed": "true",
     "IsWon": "true", "CreatedDate": "2024-01-02T09:00:00.000Z", "CloseDate": "2024-02-01",
     "OwnerId": "005AE1", "LeadSource": "Web", "IsDeleted": "false", "Type": "New"},
    {"Id": "006A00000000002", "StageName": "Closed Lost", "Amount": "8000", "IsClosed": "true",
     "IsWon": "false", "CreatedDate": "2024-01-03T09:00:00.000Z", "CloseDate": "2024-02-20",
     "OwnerId": "005AE2", "LeadSource": "Web", "IsDeleted": "false", "Type": "New",
     "Loss_Reason__c": "No decision"},
    {"Id": "006A00000000003", "StageName": "Proof", "Amount": "", "IsClosed": "false",
     "IsWon": "false", "CreatedDate": "2024-01-04T09:00:00.000Z", "CloseDate": "2031-03-01",
     "OwnerId": "005AE1", "LeadSource": "", "IsDeleted": "false", "Type": "Renewal"},
    {"Id": "006A00000000004", "StageName": "Proof", "Amount": "1", "IsClosed": "false",
     "IsWon": "false", "CreatedDate": "2024-01-05T09:00:00.000Z", "CloseDate": "2024-03-01",
     "OwnerId": "005AE1", "LeadSource": "Web", "IsDeleted": "true", "Type": "New"},
]  # fmt: skip


def change(deal: int, stage: str, when: str, who: str = "005AE1") -> Row:
    return {
        "OpportunityId": f"006A0000000000{deal}AAA", "StageName": stage, "CreatedById": who,
        "CreatedDate": f"2024-{when}:00.000Z", "Probability": "50", "CloseDate": "2024-03-01",
    }  # fmt: skip


HISTORY = [
    change(1, "Discovery", "01-02T09:00", "005SDR"),
    change(1, "Discovery", "01-03T09:00", "005SDR"),  # a save that moves nothing
    change(1, "Proof", "01-10T10:00", "005SDR"),
    change(1, "Proof", "01-11T10:00"),
    change(1, "Discovery", "01-15T10:00"),  # back
    change(1, "Contract", "01-20T10:00"),
    change(1, "Closed Won", "02-01T15:00"),
    change(1, "Closed Won", "02-05T15:00"),
    change(2, "Discovery", "01-03T09:00"),
    change(2, "Closed Lost", "01-20T09:00"),
    change(2, "Contract", "01-25T09:00"),  # reopened
    change(2, "Closed Lost", "02-20T09:00"),
    change(3, "Discovery", "01-04T09:00"),
    change(3, "Proof", "02-06T09:00"),
    change(9, "Proof", "02-06T09:00"),
]


def write(folder: Path, name: str, rows: list[Row], encoding: str = "utf-8") -> Path:
    path = folder / name
    keys = list(dict.fromkeys(k for row in rows for k in row))
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, keys)
        writer.writeheader()
        writer.writerows(rows)
    return path


def said(log: Log) -> str:
    return "\n".join(map(str, log.findings))


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(f"2024-{text}")


def both(folder: Path, **how: object) -> Log:
    paths = [
        write(folder, "Opportunity.csv", OPPORTUNITIES),
        write(folder, "OpportunityHistory.csv", HISTORY),
    ]
    return read_log(paths, **how)  # type: ignore[arg-type]


def path_of(log: Log, case: str) -> list[tuple[str, pd.Timestamp]]:
    mine = log.visits[log.visits.case == case]
    return list(zip(mine.stage, mine.entered, strict=True))


ONE, TWO, THREE = (f"006A0000000000{i}" for i in (1, 2, 3))


def test_opportunities_with_their_history(tmp_path: Path) -> None:
    log = both(tmp_path)
    assert log.cases.outcome.to_dict() == {ONE: "won", TWO: "no_decision", THREE: "open"}
    # when history says it ended, not what CloseDate says; the last of two ends
    assert log.cases.closed[ONE] == at("02-01 15:00")
    assert log.cases.closed[TWO] == at("02-20 09:00")
    assert pd.isna(log.cases.closed[THREE])
    assert path_of(log, ONE) == [
        ("Discovery", at("01-02 09:00")), ("Proof", at("01-10 10:00")),
        ("Discovery", at("01-15 10:00")), ("Contract", at("01-20 10:00")),
    ]  # fmt: skip
    visits = log.visits[log.visits.case == ONE]
    assert visits.left.tolist()[-1] == at("02-01 15:00")
    # who moved it on worked on it
    assert visits.who.tolist()[0] == "005SDR"
    assert visits.who.tolist()[1] == "005AE1"
    two = log.visits[log.visits.case == TWO]
    assert list(zip(two.stage, two.left, strict=True)) == [
        ("Discovery", at("01-20 09:00")), ("Contract", at("02-20 09:00")),
    ]  # fmt: skip
    assert pd.isna(log.visits[log.visits.case == THREE].left.iloc[-1])
    assert log.cases.amount[ONE] == 12000.50
    assert log.cases.channel[ONE] == "Web"
    assert log.cases["Type"].tolist() == ["New", "New", "Renewal"]
    assert log.cases.owner[TWO] == "005AE2"
    text = said(log)
    assert "1 row that are deleted: left out" in text
    assert "3 saves that changed no stage: taken as one with the save before" in text
    assert "1 deal reopened after an end: their last end counts" in text
    assert "1 changes of deals that are not among those read: left out" in text
    assert "2 stages that end a deal: `Closed Lost` lost, `Closed Won` won" in text
    assert "15 rows read: stage history: `OpportunityId`" in text


def test_a_history_newest_first_is_the_same(tmp_path: Path) -> None:
    paths = [
        write(tmp_path, "Opportunity.csv", OPPORTUNITIES),
        write(tmp_path, "h.csv", HISTORY[::-1]),
    ]
    pd.testing.assert_frame_equal(read_log(paths).visits, both(tmp_path).visits)
    alone = read_log(paths[1])
    assert alone.cases.outcome[ONE] == "won"


def test_a_field_history_begins_with_the_old_value(tmp_path: Path) -> None:
    def field(deal: int, old: str, new: str, when: str, name: str = "StageName") -> Row:
        row = change(deal, new, when)
        return {"OpportunityId": row["OpportunityId"], "Field": name, "OldValue": old,
                "NewValue": new, "CreatedById": "005AE1",
                "CreatedDate": row["CreatedDate"]}  # fmt: skip

    rows = [
        field(1, "", "", "01-02T09:00", "created"),
        field(1, "Discovery", "Proof", "01-10T10:00"),
        field(1, "005X", "005Y", "01-10T10:00", "Owner"),
        field(1, "Proof", "Closed Won", "02-01T15:00"),
        field(2, "Discovery", "Closed Lost", "02-20T09:00"),
    ]
    paths = [
        write(tmp_path, "Opportunity.csv", OPPORTUNITIES),
        write(tmp_path, "OpportunityFieldHistory.csv", rows),
    ]
    log = read_log(paths)
    assert path_of(log, ONE) == [("Discovery", at("01-02 09:00")), ("Proof", at("01-10 10:00"))]
    # no change is known: in its stage since it was made
    assert path_of(log, THREE) == [("Proof", at("01-04 09:00"))]
    assert "1 row of other fields than stagename: not used" in said(log)
    write(tmp_path, "OpportunityFieldHistory.csv", rows[2:3])
    with pytest.raises(DataError, match=r"FieldHistory.csv: no row is of the field 'stagename'"):
        read_log(paths)


def test_leads_go_on_as_opportunities(tmp_path: Path) -> None:
    lead = {"CreatedDate": "2023-12-20T08:00:00.000Z", "LeadSource": "Event", "OwnerId": "005SDR"}
    leads = [
        {"Id": "00Q000000000001AAA", **lead, "IsConverted": "true", "ConvertedDate": "2024-01-02",
         "ConvertedOpportunityId": "006A00000000001AAA", "Status": "Qualified"},
        {"Id": "00Q000000000002AAA", **lead, "IsConverted": "false", "ConvertedDate": "",
         "ConvertedOpportunityId": "", "Status": "Working"},
        {"Id": "00Q000000000003AAA", **lead, "IsConverted": "false", "ConvertedDate": "",
         "ConvertedOpportunityId": "", "Status": "Unqualified"},
        {"Id": "00Q000000000004AAA", **lead, "IsConverted": "true", "ConvertedDate": "2024-01-09",
         "ConvertedOpportunityId": "", "Status": "Qualified"},
    ]  # fmt: skip
    paths = [
        write(tmp_path, "Lead.csv", leads),
        write(tmp_path, "Opportunity.csv", OPPORTUNITIES),
        write(tmp_path, "OpportunityHistory.csv", HISTORY),
    ]
    log = read_log(paths)
    first = "00Q000000000001"
    assert path_of(log, first)[0] == ("lead", pd.Timestamp("2023-12-20 08:00"))
    assert [s for s, _ in path_of(log, first)[1:]] == [
        "Discovery",
        "Proof",
        "Discovery",
        "Contract",
    ]
    # converted on the day its opportunity was made: at the same time
    assert log.visits[log.visits.case == first].left.iloc[0] == at("01-02 09:00")
    assert log.cases.outcome[first] == "won"
    assert log.cases.channel[first] == "Event"
    assert log.cases.owner[first] == "005AE1"
    assert log.cases.outcome["00Q000000000002"] == "open"
    assert log.cases.outcome["00Q000000000003"] == "lost"
    assert pd.isna(log.cases.closed["00Q000000000003"])
    assert log.cases.outcome["00Q000000000004"] == "converted"
    assert log.cases.closed["00Q000000000004"] == at("01-09")
    assert log.cases.outcome[TWO] == "no_decision"  # nobody's lead
    text = said(log)
    assert "2 opportunities without a lead among those read: cases of their own" in text
    assert "1 lead whose end has no date: export LeadHistory" in text


def test_leads_and_opportunities_with_the_same_numbers(tmp_path: Path) -> None:
    leads = [{"Id": str(i), "CreatedDate": "2024-01-01", "IsConverted": "true", "Status": "x",
              "ConvertedDate": "2024-01-05", "ConvertedOpportunityId": "2" if i == 1 else ""}
             for i in (1, 2, 3)]  # fmt: skip
    deals = [{"Id": str(i), "StageName": "Demo", "CreatedDate": f"2024-01-0{i}", "IsWon": "false"}
             for i in (1, 2)]  # fmt: skip
    log = read_log([write(tmp_path, "l.csv", leads), write(tmp_path, "o.csv", deals)])
    assert sorted(log.cases.index) == ["1", "1 (opportunity)", "2", "3"]
    assert set(log.visits.case) == set(log.cases.index)
    assert log.cases.outcome.to_dict() == {
        "1": "open", "2": "converted", "3": "converted", "1 (opportunity)": "open",
    }  # fmt: skip


def test_reports_by_their_labels(tmp_path: Path) -> None:
    rows = [
        {"Opportunity Name": n, "Account Name": "Acme", "Opportunity Owner": "Ann Lee",
         "Stage": s, "Created Date": c, "Close Date": d, "Amount": "€1.200,00",
         "Probability (%)": "50%", "Lead Source": "Web"}
        for n, s, c, d in [
            ("Big", "Closed Won", "13/01/2024", "25/02/2024"),
            ("Small", "Negotiation", "02/02/2024", "01/12/2024"),
        ]
    ]  # fmt: skip
    path = write(tmp_path, "report.csv", rows, "cp1252")
    path.write_bytes(path.read_bytes() + b'\r\n"Copyright (c) 2024 salesforce.com"\r\n')
    log = read_log(path)
    assert log.cases.outcome.tolist() == ["won", "open"]
    assert log.cases.created.tolist() == [at("01-13"), at("02-02")]
    assert log.cases.amount.tolist() == [1200.0, 1200.0]
    assert log.visits.stage.tolist() == ["opportunity", "opportunity"]
    text = said(log)
    assert "2 rows known by name, not by id" in text
    assert "2 deals without a history of stages: one stage, `opportunity`" in text
    assert "export OpportunityHistory" in text
    assert "1 row without the 9 columns of the header" in text


def test_a_report_of_stage_changes(tmp_path: Path) -> None:
    rows = [
        {"Opportunity Name": "Big", "From Stage": a, "To Stage": b, "Edit Date": d,
         "Edited By": "Ann", "Created Date": "1/13/2024", "Close Date": "2/25/2024"}
        for a, b, d in [
            ("Discovery", "Proof", "1/20/2024 3:05 PM"),
            ("Proof", "Closed Won", "2/25/2024 9:00 AM")
        ]
    ]  # fmt: skip
    log = read_log(write(tmp_path, "report.csv", rows))
    assert path_of(log, "Big") == [("Discovery", at("01-13")), ("Proof", at("01-20 15:05"))]
    assert log.cases.closed.tolist() == [at("02-25 09:00")]


def test_hubspot_by_labels_and_by_internal_names(tmp_path: Path) -> None:
    labels = [
        {"Record ID": str(i), "Deal Name": "x", "Deal Stage": now, "Pipeline": "Sales",
         "Amount": "5", "Create Date": "2024-01-02 09:00", "Close Date": close, "Deal owner": "Ann",
         'Date entered "Demo (Sales)"': "2024-01-02 09:00",
         'Date exited "Demo (Sales)"': "2024-01-09 09:00",
         'Date entered "Offer (Sales)"': offer, 'Date entered "Closed won (Sales)"': won,
         'Date entered "Closed lost (Sales)"': ""}
        for i, now, close, offer, won in [
            (1, "Closed won (Sales)", "2024-02-02 09:00", "2024-01-09 09:00", "2024-02-02 09:00"),
            (2, "Offer", "2024-09-02 09:00", "2024-01-12 09:00", ""),
            (3, "Closed lost", "2024-03-02 09:00", "", ""),
        ]
    ]  # fmt: skip
    log = read_log(write(tmp_path, "deals.csv", labels))
    assert log.cases.outcome.tolist() == ["won", "open", "lost"]
    assert path_of(log, "1") == [
        ("Demo", at("01-02 09:00")), ("Offer", at("01-09 09:00"))
    ]  # fmt: skip
    assert log.cases.closed["3"] == at("03-02 09:00")  # no date entered: the close date
    assert "seen there only once" in said(log)
    internal = [
        {"hs_object_id": "1", "dealname": "x", "dealstage": "77", "pipeline": "default",
         "createdate": "1704186000000", "closedate": "2024-02-02T09:00:00Z",
         "hubspot_owner_id": "42", "hs_is_closed_won": "true", "hs_is_closed": "true",
         "hs_v2_date_entered_11": "2024-01-02T09:00:00.123Z",
         "hs_v2_date_entered_77": "2024-02-02T09:00:00Z"},
    ]  # fmt: skip
    log = read_log(write(tmp_path, "internal.csv", internal))
    assert log.cases.outcome.tolist() == ["won"]
    assert log.cases.created.tolist() == [at("01-02 09:00")]
    assert log.visits.stage.tolist() == ["11"]


def test_plain_opportunities_and_tables_that_explain_names(tmp_path: Path) -> None:
    deals = [
        {"opportunity_id": f"d{i}", "sales_agent": "Ann", "product": p, "deal_stage": s,
         "engage_date": e, "close_date": c, "close_value": "10"}
        for i, (p, s, e, c) in enumerate([
            ("GTXPro", "Won", "2024-01-02", "2024-02-01"),
            ("GTX Pro", "Lost", "2024-01-02", "2024-01-20"),
            ("MG", "Engaging", "2024-01-09", ""), ("MG", "Prospecting", "", ""),
        ])
    ]  # fmt: skip
    paths = [
        write(tmp_path, "pipeline.csv", deals),
        write(tmp_path, "products.csv", [{"product": "GTX Pro", "sales_price": "4821"},
                                         {"product": "MG", "sales_price": "55"}]),
        write(tmp_path, "teams.csv", [{"sales_agent": "Ann", "manager": "Bea"}]),
    ]  # fmt: skip
    log = read_log(paths)
    assert log.cases.outcome.tolist() == ["won", "lost", "open"]
    assert log.cases["product"].tolist() == ["GTX Pro", "GTX Pro", "MG"]
    assert log.cases.sales_price.tolist() == [4821, 4821, 55]
    assert log.cases.manager.tolist() == ["Bea"] * 3
    assert log.until == pd.Timestamp("2024-02-02") - pd.Timedelta(1, "ns")
    text = said(log)
    assert "1 deal without a date of creation: left out (first: d3)" in text
    assert "1 case whose product is spelled in another way" in text


def test_leads_and_deals_are_told_for_the_other_way_of_fitting(tmp_path: Path) -> None:
    leads = [{"mql_id": f"L{i}", "first_contact_date": f"2024-01-{i + 1:02d}", "origin": "web"}
             for i in range(9)]  # fmt: skip
    deals = [{"mql_id": "L1", "won_date": "2024-01-20", "sr_id": "r1"},
             {"mql_id": "L8", "won_date": "2024-01-02", "sr_id": "r1"},
             {"mql_id": "ghost", "won_date": "2024-01-20", "sr_id": "r1"}]  # fmt: skip
    paths = [write(tmp_path, "leads.csv", leads), write(tmp_path, "deals.csv", deals)]
    assert [s.kind for s in sources(paths[::-1])] == ["deals", "leads"]
    log = read_log(paths[::-1])
    assert len(log.cases) == 8
    assert log.cases.outcome.value_counts().to_dict() == {"open": 7, "won": 1}
    text = said(log)
    assert "1 deal won before their lead's first contact: left out, with their leads" in text
    assert "1 row whose lead is not among the leads read" in text
    assert "no date says when a lead was lost" in text


def test_until_is_what_was_known_then(tmp_path: Path) -> None:
    log = both(tmp_path, until=at("01-22"))
    assert log.cases.outcome.tolist() == ["open", "open", "open"]
    assert [s for s, _ in path_of(log, TWO)] == ["Discovery"]
    assert log.until == at("01-22")
    assert len(both(tmp_path, since=at("01-03")).cases) == 2


def test_stages_can_be_named_as_ends(tmp_path: Path) -> None:
    log = both(tmp_path, won=["Contract"])
    assert log.cases.outcome[ONE] == "won"
    assert log.cases.closed[ONE] == at("01-20 10:00")
    with pytest.raises(DataError, match=r"no stage named 'Contact'. Did you mean 'Contract'"):
        both(tmp_path, won=["Contact"])


def less(*gone: str) -> list[Row]:
    return [{k: v for k, v in row.items() if k not in gone} for row in OPPORTUNITIES]


BAD = [
    (
        [("o.csv", OPPORTUNITIES), ("p.csv", less("Amount"))],
        r"both are opportunities. Put them",
    ),
    ([("o.csv", less("StageName"))], r"o.csv:1: not a kind .*nearest to opportunities.*its stage:"),
    (
        [("o.csv", [{**OPPORTUNITIES[0], "CreatedDate": "2124-01-01"}])],
        r"1 of 1 deals are dated.*--until",
    ),
    ([("o.csv", [{**OPPORTUNITIES[0], "CreatedDate": "", "CloseDate": ""}])],
     r"none of its 1 deals has a date of creation.*Export CreatedDate, or OpportunityHistory"),
    ([("o.csv", [{**OPPORTUNITIES[0], "Id": ""}])], r"no deal is left"),
    ([("o.csv", [{**OPPORTUNITIES[0], "Amount": "lots"}])], r"o.csv:2: column 'Amount', value"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "message"), BAD)
def test_bad_input(tmp_path: Path, files: list[tuple[str, list[Row]]], message: str) -> None:
    paths = [write(tmp_path, name, rows) for name, rows in files]
    with pytest.raises(DataError, match=message) as caught:
        read_log(paths)
    assert "\n" not in str(caught.value)


def test_stage_duration_tells_when_a_deal_moved_last(tmp_path: Path) -> None:
    """The day of the report is the one that closed deals agree on."""

    def deal(i: int, stage: str, close: str, lasted: int) -> Row:
        return {
            "Opportunity ID": f"006A{i:011d}", "Opportunity Name": f"d{i}", "Stage": stage,
            "Created Date": f"2024-01-{i:02d}", "Close Date": close, "Stage Duration": str(lasted),
            "Closed": str(int("Closed" in stage)), "Won": str(int("Won" in stage)),
        }  # fmt: skip

    rows = [
        deal(1, "Closed Won", "2024-02-01", 60),
        deal(2, "Closed Lost", "2024-03-01", 31),
        deal(3, "Proof", "2024-06-01", 40),
    ]
    log = read_log(write(tmp_path, "report.csv", rows))
    assert path_of(log, "006A00000000003") == [
        ("opportunity", at("01-03 00:00")), ("Proof", at("02-21 00:00"))
    ]  # fmt: skip
    assert "3 rows with a Stage Duration: days in the stage up to 2024-04-01" in said(log)
    rows[0]["Stage Duration"], rows[1]["Stage Duration"] = "1", "2"
    log = read_log(write(tmp_path, "other.csv", [*rows, deal(4, "Closed Won", "2024-02-09", 9)]))
    assert "not used: no day of the report makes it agree" in said(log)


def test_hubspot_contacts_by_lifecycle_stage(tmp_path: Path) -> None:
    empty = {"Became an Opportunity Date": "", "Became a Customer Date": "", "Lead Status": "New",
             "Became an Evangelist Date": ""}  # fmt: skip
    lead = {"Create Date": "2024-01-02 09:00", "Became a Lead Date": "2024-01-02 09:00", **empty,
            "Original Source": "Web", "Contact owner": "Ann"}  # fmt: skip
    rows: list[Row] = [
        {**lead, "Record ID": "1", "Lifecycle Stage": "Customer",
         "Became an Opportunity Date": "2024-01-09 09:00",
         "Became a Customer Date": "2024-02-09 09:00",
         "Became an Evangelist Date": "2024-05-09 09:00"},
        {**lead, "Record ID": "2", "Lifecycle Stage": "Lead", "Lead Status": "Unqualified"},
        {**lead, "Record ID": "3", "Lifecycle Stage": "Opportunity",
         "Became an Opportunity Date": "2024-01-12 09:00"},
    ]  # fmt: skip
    log = read_log(write(tmp_path, "contacts.csv", rows))
    assert log.cases.outcome.tolist() == ["won", "lost", "open"]
    assert log.cases.closed.notna().tolist() == [True, False, False]
    assert path_of(log, "1") == [("Lead", at("01-02 09:00")), ("Opportunity", at("01-09 09:00"))]
    assert "not used: it comes after a customer is won" in said(log)
    names = {"Record ID": "hs_object_id", "Lifecycle Stage": "lifecyclestage",
             "Create Date": "createdate", "Became a Lead Date": "hs_lifecyclestage_lead_date",
             "Became an Opportunity Date": "hs_lifecyclestage_opportunity_date",
             "Became a Customer Date": "hs_lifecyclestage_customer_date",
             "Lead Status": "hs_lead_status"}  # fmt: skip
    bare = [{names[k]: v for k, v in r.items() if k in names} for r in rows]
    again = read_log(write(tmp_path, "api.csv", bare))
    assert again.cases.outcome.tolist() == ["won", "lost", "open"]


@pytest.mark.parametrize(
    ("stage", "end"),
    [("Gewonnen", "won"), ("Verloren", "lost"), ("Cerrada ganada", "won"), ("Perdida", "lost"),
     ("Fermé gagné", "won"), ("Perdu", "lost"), ("Chiusa vinta", "won"), ("Personal visit", None),
     ("Wygrana", "won"), ("Przegrana", "lost"), ("Vunnen", "won"), ("Förlorad", "lost"),
     ("受注", "won"), ("失注", "lost")],
)  # fmt: skip
def test_ends_by_their_names_in_other_languages(stage: str, end: str | None) -> None:
    found = end_of(stage)
    assert found == end or (end == "lost" and found not in {None, "won"})


def test_pages_of_one_export_are_read_as_one(tmp_path: Path) -> None:
    rows = [{"Loss_Reason__c": "", **row} for row in OPPORTUNITIES]
    whole = write(tmp_path, "all.csv", rows)
    first = write(tmp_path, "page1.csv", rows[:3])
    second = write(tmp_path, "page2.csv", rows[2:])
    once, pages = read_log(whole), read_log([first, second])
    pd.testing.assert_frame_equal(once.cases, pages.cases)
    pd.testing.assert_frame_equal(once.visits, pages.visits)
    assert "page1.csv and page2.csv: 2 files of opportunities with the same columns" in said(pages)
    assert "1 row that an earlier of these files has too: taken once" in said(pages)
