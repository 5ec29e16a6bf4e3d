"""The same deals as many programs export them; columns that say something else than their name."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.errors import DataError
from simulator.fit.logs.files import TEXT, read_file
from simulator.fit.logs.fitted import fit_log
from simulator.fit.logs.log import Log
from simulator.fit.logs.read import read_log
from simulator.fit.logs.reading import read_files
from simulator.fit.logs.times import as_times
from simulator.fit.tables import Table

N = 24
MADE = [pd.Timestamp("2024-01-02 09:00") + pd.Timedelta(days=2 * k) for k in range(N)]
DONE = [at + pd.Timedelta(days=15) for at in MADE]
END = ["won" if k % 3 == 0 else "lost" if k % 3 == 1 else "open" for k in range(N)]
BY_HAND = {"won": "Closed Won", "lost": "Closed Lost", "open": "Proposal"}
Rows = list[dict[str, str]]


def rows(of: Callable[[int], dict[str, str]]) -> Rows:
    return [of(k) for k in range(N)]


def day(at: pd.Timestamp, form: str = "%Y-%m-%d") -> str:
    return at.strftime(form)


def done(k: int, form: str = "%Y-%m-%d") -> str:
    return day(DONE[k], form) if END[k] != "open" else ""


def write(folder: Path, name: str, table: Rows) -> Path:
    path = folder / name
    pd.DataFrame(table).to_csv(path, index=False)
    return path


def said(log: Log) -> str:
    return "\n".join(map(str, log.findings))


PROGRAMS = {
    "zoho": rows(lambda k: {
        "Record Id": f"zcrm_{k}", "Deal Owner": "Ana", "Deal Name": f"D{k}", "Amount": "€ 1,200.00",
        "Closing Date": day(DONE[k]), "Stage": BY_HAND[END[k]], "Reason For Loss": "",
        "Created Time": day(MADE[k], "%Y-%m-%d %H:%M:%S"), "Lead Source": "Web",
    }),
    "dynamics": rows(lambda k: {
        "(Do Not Modify) Opportunity": f"a-{k}", "Topic": f"D{k}", "Owner": "Ana",
        "Status": END[k].title(), "Status Reason": "Out-Sold", "Pipeline Phase": "Propose",
        "Created On": day(MADE[k], "%m/%d/%Y %I:%M %p"), "Est. Revenue": "$1,200.00",
        "Est. Close Date": "12/31/2024", "Actual Close Date": done(k, "%m/%d/%Y"),
    }),
    "dynamics, by its interface": rows(lambda k: {
        "opportunityid": f"a-{k}", "name": f"D{k}", "statecode": str(["won", "lost", "open"].index(
            END[k]) + 1 if END[k] != "open" else 0), "stepname": "2-Propose",
        "estimatedvalue": "1200", "actualclosedate": done(k), "estimatedclosedate": "2024-12-31",
        "ownerid": "Ana", "createdon": day(MADE[k], "%Y-%m-%dT%H:%M:%SZ"),
    }),
    "pipedrive, by its interface": rows(lambda k: {
        "id": str(k), "title": f"D{k}", "value": "1200", "owner_name": "Ana", "status": END[k],
        "stage_id": "4", "add_time": day(MADE[k], "%Y-%m-%d %H:%M:%S"), "close_time": "",
        "won_time": done(k) if END[k] == "won" else "", "lost_reason": "",
        "lost_time": done(k) if END[k] == "lost" else "", "expected_close_date": "2024-12-31",
    }),
    "a table of one's own": rows(lambda k: {
        "Deal": f"D{k}", "Stage": BY_HAND[END[k]].upper() if k % 2 else BY_HAND[END[k]],
        "Value": "1.200 €", "Created": day(MADE[k]), "Closed": done(k), "Rep": "Ana",
    }),
    "states for stages": rows(lambda k: {
        "Deal": f"D{k}", "Status": BY_HAND[END[k]], "Value": "1200", "Created": day(MADE[k]),
        "Date Closed": done(k), "Rep": "Ana",
    }),
    "a tick for closed, none for won": rows(lambda k: {
        "Opportunity ID": f"006x{k}", "Stage": BY_HAND[END[k]], "Closed": str(int(
            END[k] != "open")), "Created Date": day(MADE[k]), "Close Date": day(DONE[k]),
        "Amount": "1200", "Opportunity Owner": "Ana",
    }),
    "the day it was won": rows(lambda k: {
        "Opportunity ID": f"006x{k}", "Stage": BY_HAND[END[k]], "Created Date": day(MADE[k]),
        "Won": done(k) if END[k] == "won" else "", "Amount": "1200", "Rep": "Ana",
        "Close Date": done(k) if END[k] == "lost" else "N/A",
    }),
    "won, lost in words": rows(lambda k: {
        "Opportunity ID": f"006x{k}", "Stage": "Proposal", "Created Date": day(MADE[k]),
        "Won": END[k].title(), "Amount": "1200", "Rep": "Ana", "Close Date": done(k) or "-",
    }),
}  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_same_deals_in_every_program(tmp_path: Path, program: str) -> None:
    log = read_log(write(tmp_path, "deals.csv", PROGRAMS[program]))
    cases = log.cases
    assert list(cases.outcome) == END
    assert [t.normalize() for t in cases.created] == [t.normalize() for t in MADE]
    ended = [t if e != "open" else pd.NaT for t, e in zip(DONE, END, strict=True)]
    assert [t.normalize() for t in cases.closed.dropna()] == [
        t.normalize() for t in ended if not pd.isna(t)
    ]
    assert (cases.amount == 1200).all()
    assert set(cases.owner) == {"Ana"}
    if "own" in program:
        assert "read as thousands: all have three digits after it" in said(log)
        assert "8 rows with a point: taken as not stated" not in said(log)


def moved(name: str, who: str, when: str, form: str, old: str, new: str, field: str) -> Rows:
    """Every case: to do, under way after a day, done after ten; and rows of another field."""
    out = []
    for k in range(N):
        case = {name: f"T-{k}", "Created": day(MADE[k], form)}
        for days, before, after in ((1, "To do", "Under way"), (10, "Under way", "Finished")):
            at = {when: day(MADE[k] + pd.Timedelta(days=days), form), who: "Ana"}
            out.append({**case, **at, field: "status", old: before, new: after})
            out.append({**case, **at, field: "assignee", old: "", new: "Ben"})
    return out


@pytest.mark.parametrize(
    ("name", "who", "when", "form", "old", "new", "field"),
    [
        ("Issue Key", "Author", "Change Date", "%d/%b/%y %I:%M %p", "From", "To", "Field"),
        ("Ticket ID", "Updater name", "Update - Timestamp", "%Y-%m-%dT%H:%M:%SZ",
         "Previous value", "New value", "Field name"),
    ],
)  # fmt: skip
def test_changes_of_any_field(
    tmp_path: Path, name: str, who: str, when: str, form: str, old: str, new: str, field: str
) -> None:
    path = write(tmp_path, "changes.csv", moved(name, who, when, form, old, new, field))
    log = read_log(path, won=["Finished"])
    assert (log.cases.outcome == "won").all()
    assert ((log.cases.closed - log.cases.created) == pd.Timedelta(days=10)).all()
    assert log.visits.stage.value_counts().to_dict() == {"To do": N, "Under way": N}
    assert set(log.visits.who) == {"Ana"}
    assert f"{2 * N} rows of other fields than stagename: not used" in said(log)


def test_a_report_of_fields_by_the_name_of_the_deal(tmp_path: Path) -> None:
    deals = [{"Opportunity ID": f"006x{k}", "Opportunity Name": f"D{k}", "Account Name": f"A{k}",
              "Stage": BY_HAND[END[k]], "Created Date": day(MADE[k]),
              "Close Date": day(DONE[k])} for k in range(N)]  # fmt: skip
    changes = [{"Opportunity Name": f"D{k}", "Field / Event": "Stage", "Old Value": "Discovery",
                "New Value": BY_HAND[END[k]], "Edit Date": day(DONE[k], "%Y-%m-%d %H:%M"),
                "Created Date": day(MADE[k]), "Edited By": "Ana"} for k in range(N)]  # fmt: skip
    one = write(tmp_path, "deals.csv", deals)
    log = read_log([one, write(tmp_path, "history.csv", changes)])
    assert list(log.cases.outcome) == END
    assert (log.visits.stage == "Discovery").sum() == N
    assert list(log.cases.closed.dropna()) == [t for t, e in zip(DONE, END, strict=True)
                                                if e != "open"]  # fmt: skip
    others = [{**row, "Opportunity Name": "X" + row["Opportunity Name"]} for row in changes]
    with pytest.raises(DataError, match=r"none of the 24 changes is of a deal among those read, "):
        read_log([one, write(tmp_path, "history.csv", others)])


def test_events_and_calls_by_other_names(tmp_path: Path) -> None:
    events = [{"_CASE_KEY": f"c{k}", "ACTIVITY_EN": a, "EVENTTIME": day(MADE[k]),
               "USER_NAME": "Ana"}
              for k in range(N) for a in ("Ask", "ASK ", "Won")]  # fmt: skip
    log = read_log(write(tmp_path, "celonis.csv", events))
    assert (log.cases.outcome == "won").all()
    assert set(log.visits.stage) == {"Ask", "Won"}
    assert f"{N} rows whose activity 'Ask' is spelled 'ASK': taken as one" in said(log)
    calls = [{"Call Id": str(k), "Date": day(MADE[k]), "Time": "09:00:00", "Answered (Y/N)": "YN"[
              k % 2], "Speed of answer in seconds": "30", "AvgTalkDuration": "0:02:00",
              "Agent": "" if k % 2 else "Ana"} for k in range(N)]  # fmt: skip
    log = read_log(write(tmp_path, "calls.csv", calls))
    assert log.cases.outcome.value_counts().to_dict() == {"served": N // 2, "abandoned": N // 2}
    served = log.visits[log.visits.who.eq("Ana")]
    assert ((served.started - served.entered).dt.total_seconds() == 30).all()
    assert ((served.left - served.started).dt.total_seconds() == 120).all()


PLAIN = rows(lambda k: {
    "Opportunity ID": f"006x{k}", "Stage": BY_HAND[END[k]], "Created Date": day(MADE[k]),
    "Close Date": day(DONE[k]), "Closed": str(END[k] != "open"),
})  # fmt: skip


def test_what_is_not_what_its_column_says(tmp_path: Path) -> None:
    def read(**change: Callable[[int], str]) -> Log:
        table = [
            {c: change[c](k) if c in change else v for c, v in row.items()}
            for k, row in enumerate(PLAIN)
        ]
        return read_log(write(tmp_path, "deals.csv", table))

    with pytest.raises(DataError, match=r"csv:2: column 'Closed', value 'maybe': neither yes nor"):
        read(Closed=lambda k: "maybe")
    log = read(Closed=lambda k: "??" if k == 2 else str(END[k] != "open"))
    assert "1 row where Closed is neither yes nor no: taken as not stated (first: line 4" in said(
        log
    )
    with pytest.raises(DataError, match=r"value '5.6E\+09': a spreadsheet has cut this id, here a"):
        read_log(write(tmp_path, "x.csv", [{**r, "Opportunity ID": "5.6E+09"} for r in PLAIN]))
    with pytest.raises(DataError, match=r"closed on 2\d{3}-.*16 of 16 closed deals are dated afte"):
        read(**{"Close Date": lambda k: "2199-01-05"})


def test_files_as_programs_leave_them(tmp_path: Path) -> None:
    """Zipped, with a separator more in each row than in the header, with words for nothing."""
    text = "id,owner,note\n" + "".join(f"{k},NULL,n/a,\n" for k in range(5))
    (tmp_path / "a.csv").write_text(text)
    table, found = read_file(tmp_path / "a.csv")
    assert list(table.frame.id) == list("01234")
    assert table.frame.owner.eq("").all()
    assert str(found[0]).endswith("10 values that stand for nothing: 'NULL', 'n/a': taken as empty")

    def zipped(**members: str) -> Path:
        raw = io.BytesIO()
        with zipfile.ZipFile(raw, "w") as out:
            for name, member in members.items():
                out.writestr(name.replace("_csv", ".csv"), member)
        (tmp_path / "a.zip").write_bytes(raw.getvalue())
        return tmp_path / "a.zip"

    assert list(read_file(zipped(a_csv=text))[0].frame.id) == list("01234")
    with pytest.raises(DataError, match=r"a\.zip: a zip of 2 files \(a\.csv, b\.csv\)\. Unzip it"):
        read_file(zipped(a_csv=text, b_csv=text))
    with pytest.raises(DataError, match=r"a\.zip: not a workbook that can be read"):
        read_file(zipped(**{"[Content_Types].xml": ""}))
    (tmp_path / "a.json").write_text('[{"id": 1}]\n')
    with pytest.raises(DataError, match=r"a\.json: JSON, not a table"):
        read_file(tmp_path / "a.json")


@pytest.mark.parametrize(
    "text",
    ["1703049673000.0", "2023-12-20 05:21:13 AM EST", "2023-12-20 05:21:13 am",
     "12/20/2023 5:21:13 AM",
     "Wed Dec 20 2023 05:21:13 GMT-0500 (Eastern Standard Time)", "Dec 20, 2023, 05:21:13 AM CET"],
)  # fmt: skip
def test_moments_as_programs_write_them(text: str) -> None:
    frame = pd.DataFrame({"at": pd.Series([text], dtype=TEXT)})
    at, found = as_times(Table("x.csv", frame, "utf-8"), "at", "the date")
    assert at.iloc[0] == pd.Timestamp("2023-12-20 05:21:13")
    assert not found


def test_clocks_with_names_are_set_to_one() -> None:
    frame = pd.DataFrame({"at": pd.Series(["2024-01-05 08:00 PST", *["2024-01-05 08:00 EST"] * 2],
                                          dtype=TEXT)})  # fmt: skip
    at, found = as_times(Table("x.csv", frame, "utf-8"), "at", "the date")
    assert list(at.dt.hour) == [11, 8, 8]
    assert "1 row of 'at' by another clock than EST: set to that one" in str(found[0])


@pytest.mark.parametrize(
    ("pair", "code", "says"),
    [
        ("case=Nope", 1, "deals.csv:1: no column named 'Nope' for case. It has 'Opportunity ID'"),
        ("case=Opportunity I", 1, "Did you mean 'Opportunity ID'?"),
        ("wait=Stage", 1, "column 'Stage' was named as wait, which opportunities have not; they h"),
        ("cse=Stage", 2, "--column: no role is named 'cse'. Did you mean 'case'?"),
    ],
)
def test_columns_that_are_named_are_used(tmp_path: Path, pair: str, code: int, says: str) -> None:
    path = write(tmp_path, "deals.csv", PLAIN)
    result = CliRunner().invoke(main, ["read", str(path), "--column", pair])
    assert result.exit_code == code
    assert says in " ".join(result.stderr.split())


def test_cases_of_one_day_give_no_scenario(tmp_path: Path) -> None:
    table = [{"Opportunity ID": f"{k}", "Stage": ("Closed Won", "Closed Lost")[k % 2],
              "Created Date": "2024-01-02" if k else "2024-02-01",
              "Close Date": day(MADE[0] + pd.Timedelta(days=40 + k))}
             for k in range(80)]  # fmt: skip
    path = write(tmp_path, "deals.csv", table)
    says = "79 of 80 cases begin on the same day, 2024-01-02, as after a move from another program"
    assert says in " ".join(read_files([path]).missing)
    with pytest.raises(DataError, match=r"deals.csv: 79 of 80 cases begin on the same day"):
        fit_log(read_log(path))


def test_a_stage_that_nobody_left_is_asked_about(tmp_path: Path) -> None:
    """Of HubSpot's stages with a number for a name nothing tells an end: --won and --lost do."""
    stages = {"won": "203", "lost": "204", "open": "202"}
    table = [{"hs_object_id": str(k), "dealstage": "closedwon" if k == 0 else stages[END[k]],
              "createdate": day(MADE[k]), "hs_v2_date_entered_201": day(MADE[k]),
              **{f"hs_v2_date_entered_{s}": day(DONE[k]) if s == stages[END[k]] and k else ""
                 for s in stages.values()},
              "hs_v2_date_entered_closedwon": "" if k else day(DONE[k])}
             for k in range(N)]  # fmt: skip
    path = write(tmp_path, "deals.csv", table)
    missing = " ".join(read_files([path]).missing)
    assert "Nobody was seen to leave 202, 203, 204: where they lead cannot be told" in missing
    assert "or, where that is how a case ends, say so with --won or --lost" in missing
    log = read_log(path, won=["203"], lost=["204"])
    assert list(log.cases.outcome) == END


def test_leads_and_what_became_of_them(tmp_path: Path) -> None:
    """By other names and ids of other lengths; what nothing joins would count twice."""
    leads = [{"lead_id": f"00Q{k:012d}AA{'AB'[k % 2]}", "signup_ts": day(MADE[k])}
             for k in range(N)]  # fmt: skip
    won = [{"lead_id": row["lead_id"], "contract_signed_on": day(DONE[k]), "mrr": "1"}
           for k, row in enumerate(leads) if END[k] == "won"]  # fmt: skip
    one = write(tmp_path, "leads.csv", leads)
    log = read_log([one, write(tmp_path, "deals.csv", won)])
    assert (log.cases.outcome == "won").sum() == len(won)
    others = [{**row, "lead_id": "X" + row["lead_id"]} for row in won]
    with pytest.raises(DataError, match=r"deals.csv: none of its 8 deals is of a lead among those"):
        read_log([one, write(tmp_path, "deals.csv", others)])
    report = [{"Lead ID": f"00Q{k}", "Create Date": day(MADE[k]), "Converted": "1"}
              for k in range(N)]  # fmt: skip
    files = [write(tmp_path, "leads.csv", report), write(tmp_path, "opportunities.csv", PLAIN)]
    with pytest.raises(DataError, match=r"leads.csv: 24 leads are converted, and none says to whi"):
        read_log(files)


def test_files_that_nothing_joins(tmp_path: Path) -> None:
    contacts = [{"Record ID": "1", "Lifecycle Stage": "Lead", "Create Date": day(MADE[0]),
                 "Became a Lead Date": day(MADE[0])}]  # fmt: skip
    deals = [{"Record ID": "1", "Deal Stage": "Demo", "Create Date": day(MADE[0]),
              'Date entered "Demo (Sales)"': day(MADE[0])}]  # fmt: skip
    files = [write(tmp_path, "contacts.csv", contacts), write(tmp_path, "deals.csv", deals)]
    with pytest.raises(DataError, match=r"contacts.csv and deals.csv are both HubSpot deals, with"):
        read_log(files)
    names = [write(tmp_path, f"{n}.csv", [{"product": "A", "series": n}]) for n in "ab"]
    with pytest.raises(DataError, match=r"a\.csv:1: not a kind of export that is known"):
        read_log(names)


def test_amounts_in_several_currencies_and_below_0(tmp_path: Path) -> None:
    table = [{**row, "Amount": "(5)" if k == 1 else f"{'€' if k % 2 else 'USD '}10"}
             for k, row in enumerate(PLAIN)]  # fmt: skip
    found = said(read_log(write(tmp_path, "deals.csv", table)))
    assert "23 amounts in USD 12, EUR 11: added up as if they were one; convert them" in found
    assert "1 amount below 0: taken as they are (first: line 3, column 'Amount', value" in found
    coded = [{**row, "Amount": "10", "CurrencyIsoCode": "EUR" if k % 2 else "USD"}
             for k, row in enumerate(PLAIN)]  # fmt: skip
    found = said(read_log(write(tmp_path, "deals.csv", coded)))
    assert "24 amounts in" in found
    assert "(first: column 'CurrencyIsoCode')" in found


def test_columns_that_all_begin_alike(tmp_path: Path) -> None:
    """Deal : Id of one program, Opportunity.Id of another."""
    for head in ("Deal : ", "Deal - ", "Opportunity."):
        table = [{head + name: v for name, v in row.items()} for row in PLAIN]
        log = read_log(write(tmp_path, "deals.csv", table))
        assert list(log.cases.outcome) == END


def test_a_lead_is_converted_when_its_status_changed_on_that_day(tmp_path: Path) -> None:
    leads = [{"Id": f"00Q{k}", "CreatedDate": day(MADE[k]), "IsConverted": "true",
              "ConvertedDate": day(DONE[k]), "Status": "Closed - Converted"}
             for k in range(N)]  # fmt: skip
    history = [{"LeadId": f"00Q{k}", "Field": "Status", "OldValue": "Open", "NewValue": "Good",
                "CreatedDate": day(DONE[k], "%Y-%m-%dT%H:%M:%S.000Z")}
               for k in range(N)]  # fmt: skip
    log = read_log([write(tmp_path, "Lead.csv", leads), write(tmp_path, "History.csv", history)])
    assert list(log.cases.closed) == DONE
    assert set(log.visits.stage) == {"Open"}
    assert "reopened" not in said(log)


def test_ends_of_which_no_day_is_known_give_no_scenario(tmp_path: Path) -> None:
    table = [{"Opportunity ID": f"{k}", "Stage": ("Closed Won", "Closed Lost")[k % 2],
              "Created Date": day(MADE[0] + pd.Timedelta(days=k))} for k in range(80)]  # fmt: skip
    log = read_log(write(tmp_path, "deals.csv", table))
    with pytest.raises(DataError, match=r"of 0 of the 80 cases that ended the day is known; 30 ar"):
        fit_log(log)
