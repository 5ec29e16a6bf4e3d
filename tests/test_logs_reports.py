"""Exports that were not seen when the readers were written, of one truth."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from simulator.errors import DataError
from simulator.fit.logs.files import read_file
from simulator.fit.logs.lacking import lacks
from simulator.fit.logs.log import OPEN, WON, Log
from simulator.fit.logs.read import read_log

END = pd.Timestamp("2025-12-31 17:00")
OWNERS = ["Ana Ruiz", "Bo Li", "Cy Ng"]


@dataclass(frozen=True)
class Deal:
    """A deal as it was."""

    id: str
    owner: str
    made: pd.Timestamp
    proposal: pd.Timestamp | None
    closed: pd.Timestamp | None
    outcome: str
    amount: float
    expected: pd.Timestamp

    @property
    def stage(self) -> str:
        return {WON: "Closed Won", "lost": "Closed Lost"}.get(self.outcome, self.last)

    @property
    def last(self) -> str:
        return "Discovery" if self.proposal is None else "Proposal"


def made(n: int = 90, seed: int = 7) -> list[Deal]:
    rng = np.random.default_rng(seed)
    out = []
    for k in range(n):
        begun = (pd.Timestamp("2025-01-02") + pd.Timedelta(days=rng.uniform(0, 360))).floor("min")
        steps = [begun + pd.Timedelta(days=d) for d in np.cumsum(rng.lognormal(2.2, 0.5, 2))]
        first, second = (t.floor("min") for t in steps)
        early = rng.random() < 0.4
        proposal = first if first <= END and not early else None
        closed = first if early else second
        over = closed <= END
        outcome = OPEN if not over else "lost" if early or rng.random() < 0.3 else WON
        guess = END + pd.Timedelta(days=int(rng.integers(1, 90)))
        out.append(
            Deal(f"{k:05d}", OWNERS[k % 3], begun, proposal, closed if over else None, outcome,
                 round(float(rng.lognormal(8.5, 0.8)), 2), closed if over else guess)
        )  # fmt: skip
    return out


DEALS = made()


def day(at: pd.Timestamp | None, form: str = "%Y-%m-%d") -> str:
    return "" if at is None else at.strftime(form)


def german(x: float) -> str:
    return f"{x:,.2f}".translate(str.maketrans(",.", ".,"))


def serial(at: pd.Timestamp | None) -> str:
    days = pd.NaT if at is None else (at - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)
    return "" if at is None else f"{days:.6f}".replace(".", ",")


def close_date(d: Deal, form: str = "%Y-%m-%d") -> str:
    return day(d.expected, form)


Row = Callable[[Deal], dict[str, Any]]
PROGRAMS: dict[str, tuple[str, str, Row]] = {
    "pipedrive, German": (";", "cp1252", lambda d: {
        "Deal - ID": d.id, "Deal - Titel": f"Müller {d.id}", "Deal - Wert": german(d.amount),
        "Deal - Status": {WON: "Gewonnen", "lost": "Verloren"}.get(d.outcome, "Offen"),
        "Deal - Phase": d.last, "Deal - Besitzer": d.owner,
        "Deal - Deal erstellt": day(d.made, "%d.%m.%Y %H:%M"),
        "Deal - Gewonnen am": day(d.closed, "%d.%m.%Y %H:%M") if d.outcome == WON else "",
        "Deal - Verloren am": day(d.closed, "%d.%m.%Y %H:%M") if d.outcome == "lost" else "",
    }),
    "close": (",", "utf-8", lambda d: {
        "id": f"oppo_{d.id}", "lead_name": "Acct", "status_label": d.stage, "user_name": d.owner,
        "status_type": "active" if d.outcome == OPEN else d.outcome,
        "date_created": d.made.isoformat() + "+01:00", "value": round(100 * d.amount),
        "date_won": day(d.closed) if d.outcome == WON else "",
        "date_lost": day(d.closed) if d.outcome == "lost" else "",
        "value_formatted": f"${d.amount:,.2f}", "value_period": "annual",
    }),
    "odoo": (",", "utf-8", lambda d: {
        "ID": d.id, "Opportunity": f"D{d.id}", "Salesperson": d.owner,
        "Stage": "Won" if d.outcome == WON else d.last, "Expected Revenue": d.amount,
        "Active": str(d.outcome != "lost"),
        "Lost Reason": "Too expensive" if d.outcome == "lost" else "",
        "Created on": day(d.made, "%Y-%m-%d %H:%M:%S"), "Closed Date": day(d.closed),
    }),
    "insightly": (",", "utf-8", lambda d: {
        "RecordId": d.id, "OpportunityName": f"D{d.id}", "OpportunityState": d.outcome.upper(),
        "PipelineCurrentStage": d.last, "OpportunityValue": d.amount, "ResponsibleUser": d.owner,
        "DateCreated": day(d.made, "%m/%d/%Y %I:%M:%S %p"),
        "ActualCloseDate": day(d.closed, "%m/%d/%Y"), "ForecastCloseDate": close_date(d),
    }),
    "sugar": (",", "utf-8", lambda d: {
        "ID": d.id, "Opportunity Name": f"D{d.id}", "Sales Stage": d.stage,
        "Date Created": day(d.made, "%d-%m-%Y %H:%M"), "Assigned User Name": d.owner,
        "Expected Close Date": close_date(d, "%d-%m-%Y"),
        "Opportunity Amount": f"${d.amount:,.2f}",
    }),
    "days as numbers with decimal commas": (";", "utf-8", lambda d: {
        "Deal ID": d.id, "Stage": d.stage, "Created Date": serial(d.made),
        "Close Date": serial(d.expected), "Amount": german(d.amount), "Owner": d.owner,
    }),
    "a date a stage": (",", "utf-8", lambda d: {
        "Deal ID": d.id, "Stage": d.stage, "Created Date": day(d.made), "Owner": d.owner,
        "Discovery Date": day(d.made), "Proposal Date": day(d.proposal), "Amount": d.amount,
        "Closed Won Date": day(d.closed) if d.outcome == WON else "",
        "Closed Lost Date": day(d.closed) if d.outcome == "lost" else "",
    }),
    "two currencies, converted": (",", "utf-8", lambda d: {
        "Opportunity ID": d.id, "Stage": d.stage, "Created Date": day(d.made),
        "Close Date": close_date(d), "Amount Currency": "USD" if int(d.id) % 2 else "EUR",
        "Amount": d.amount if int(d.id) % 2 else round(d.amount / 1.25, 2),
        "Amount (converted) Currency": "USD", "Amount (converted)": d.amount,
        "Opportunity Owner": d.owner,
    }),
}  # fmt: skip


def told(log: Log) -> str:
    return "\n".join(map(str, log.findings))


def as_it_was(log: Log, *, strip: str = "") -> None:
    """Every deal's outcome, days, amount and owner are those of the truth."""
    cases = log.cases.rename(index=lambda name: str(name).removeprefix(strip))
    assert sorted(cases.index) == [d.id for d in DEALS]
    for d in DEALS:
        row = cases.loc[d.id]
        assert row["outcome"] == d.outcome, d
        assert row["owner"] == d.owner
        assert abs(row["amount"] - d.amount) < 0.01
        assert abs((row["created"] - d.made).total_seconds()) < 86_400
        assert pd.isna(row["closed"]) == (d.closed is None)
        if d.closed is not None:
            assert abs((row["closed"] - d.closed).total_seconds()) < 86_400


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_same_deals_of_other_programs(tmp_path: Path, program: str) -> None:
    sep, encoding, row = PROGRAMS[program]
    path = tmp_path / "deals.csv"
    pd.DataFrame([row(d) for d in DEALS]).to_csv(path, index=False, sep=sep, encoding=encoding)
    log = read_log(path)
    as_it_was(log, strip="oppo_" if program == "close" else "")
    said = told(log)
    assert ("no day of closing but 'Expected Close Date'" in said) == (program == "sugar")
    assert ("with a Lost Reason, in stages that go on: taken as lost" in said) == (
        program == "odoo"
    )
    if program == "a date a stage":
        assert set(log.visits.stage) == {"Discovery", "Proposal"}
    assert "added up as if they were one" not in said


def test_a_report_in_groups_with_subtotals(tmp_path: Path) -> None:
    """Each owner named once, as reports print it; sums and counts between and below."""
    lines = ["Opportunity Owner,Opportunity ID,Stage,Created Date,Close Date,Amount,Lead Source"]
    for owner in OWNERS:
        mine = [d for d in DEALS if d.owner == owner]
        for k, d in enumerate(mine):
            lines.append(
                f"{owner if not k else ''},{d.id},{d.stage},{day(d.made, '%m/%d/%Y')},"
                f'{close_date(d, "%m/%d/%Y")},"USD {d.amount:,.2f}",Web'
            )
        lines += [
            f'Subtotal,,,,,"USD {sum(d.amount for d in mine):,.2f}",',
            f"Count,{len(mine)},,,,,",
        ]
    lines += [f"Total,{len(DEALS)},,,,1234.5,", "", '"Confidential Information"']
    path = tmp_path / "report.csv"
    path.write_text("\n".join(lines))
    log = read_log(path)
    as_it_was(log)
    assert "7 rows of totals: left out (first: line 32)" in told(log)
    assert "87 rows in which 'Opportunity Owner' is empty, and named above" in told(log)


def test_a_header_for_each_group(tmp_path: Path) -> None:
    head = "Name,Person,Stage,Deal Value,Creation Date,Close Date"
    lines = ["Sales pipeline", ""]
    for outcome in (OPEN, WON, "lost"):
        mine = [d for d in DEALS if d.outcome == outcome]
        lines += [outcome, head]
        lines += [
            f"{d.id},{d.owner},{d.stage},{d.amount},{day(d.made)},{close_date(d)}" for d in mine
        ]
        lines += [f",,,{sum(d.amount for d in mine):.2f},,", ""]
    path = tmp_path / "board.csv"
    path.write_text("\n".join(lines))
    log = read_log(path)
    as_it_was(log)
    assert "2 rows that repeat the header: left out" in told(log)
    assert "3 rows of totals: left out" in told(log)


def test_what_is_no_total_and_no_group_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "Deal Name,Stage,Created Date,Amount\n"
        "Total,Open,2024-01-02,5\nSum of parts,Open,2024-01-03,6\n"
        "Total Energies,,,\nAcme,Open,2024-01-04,7\nCount Dracula,Open,2024-01-05,8\n"
    )
    table, found = read_file(path)
    assert len(table.frame) == 5
    assert found == []
    # a column that is seldom filled, and not once a group
    path.write_text("Lead Source,Id\nWeb,1\n,2\n,3\n,4\nWeb,5\n,6\n")
    table, found = read_file(path)
    assert table.frame["Lead Source"].tolist() == ["Web", "", "", "", "Web", ""]
    assert found == []


def test_days_that_a_spreadsheet_took_for_months(tmp_path: Path) -> None:
    def swapped(at: pd.Timestamp) -> str:
        return at.strftime("%Y-%d-%m" if at.day <= 12 else "%d/%m/%Y")

    rows = [{"Deal ID": d.id, "Stage": d.stage, "Created Date": swapped(d.made),
             "Close Date": swapped(d.expected)} for d in DEALS]  # fmt: skip
    path = tmp_path / "a.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    with pytest.raises(DataError, match=r"has taken their days for months\. Export") as caught:
        read_log(path)
    assert re.search(
        r"a\.csv:\d+: column 'Created Date', value '\d\d/\d\d/2025'", str(caught.value)
    )


def test_what_may_be_wrong_is_said(tmp_path: Path) -> None:
    rows = [{"Id": d.id, "Name": "TEST 1" if k < 4 else f"Attest {k}", "StageName": d.stage,
             "CreatedDate": "2025-06-01", "CloseDate": close_date(d), "Amount": d.amount,
             "Currency": ["EUR", "USD"][k % 2]} for k, d in enumerate(DEALS)]  # fmt: skip
    path = tmp_path / "a.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    log = read_log(path)
    said = told(log)
    assert "4 deals called a test: counted; leave them out before if they are none" in said
    assert "90 amounts in EUR 45, USD 45: added up as if they were one" in said
    n = sum(d.closed is not None and d.closed < pd.Timestamp("2025-06-01") for d in DEALS)
    assert n > 20
    assert any(s.startswith(f"{n} closed cases ended before they were made") for s in lacks(log))


def changes(d: Deal) -> list[tuple[str, pd.Timestamp]]:
    """When it came to which stage."""
    steps = [("Discovery", d.made), ("Proposal", d.proposal), (d.stage, d.closed)]
    return [(stage, at) for stage, at in steps if at is not None]


def test_a_pipeline_week_by_week(tmp_path: Path) -> None:
    """A row a deal and a snapshot: outcomes are the last ones, stages those that were seen."""
    rows = []
    for week in pd.date_range("2025-01-06", "2026-01-05", freq="7D"):
        for d in DEALS:
            seen = [stage for stage, at in changes(d) if at < week]
            if not seen:
                continue
            over = seen[-1] == d.stage and d.closed is not None
            guess = d.made + pd.Timedelta(days=60)
            rows.append({
                "Snapshot Date": day(week), "Opportunity ID": d.id, "Opportunity Name": f"D{d.id}",
                "Stage": seen[-1], "Created Date": day(d.made), "Amount": d.amount,
                "Close Date": day(d.closed) if over else day(guess), "Owner": d.owner,
            })  # fmt: skip
    path = tmp_path / "snapshots.csv"
    pd.DataFrame(rows).sample(frac=1, random_state=1).to_csv(path, index=False)
    log = read_log(path)
    as_it_was(log)
    # the last are those that came and went between two snapshots
    assert set(log.visits.stage) == {"Discovery", "Proposal", "opportunity"}
    entered = log.visits[log.visits.stage.eq("Proposal")].set_index("case").entered
    late = [entered[d.id] - d.proposal for d in DEALS if d.id in entered and d.proposal is not None]
    assert len(late) > 20
    assert max(map(abs, late)) <= pd.Timedelta(days=7)  # as snapshots are apart
    assert "rows of 53 snapshots: stages as seen in them" in told(log)


def test_a_history_by_the_names_of_deals(tmp_path: Path) -> None:
    deals = [{"Record Id": d.id, "Deal Name": f"D{d.id}", "Stage": d.stage, "Amount": d.amount,
              "Created Time": day(d.made, "%Y-%m-%d %H:%M:%S"), "Closing Date": close_date(d),
              "Deal Owner": d.owner} for d in DEALS]  # fmt: skip
    history = [{"Deal Name": f"D{d.id}", "Stage": stage, "Modified By": d.owner,
                "Modified Time": day(at, "%Y-%m-%d %H:%M:%S")}
               for d in DEALS for stage, at in changes(d)]  # fmt: skip
    files = [tmp_path / "Deals.csv", tmp_path / "Stage_History.csv"]
    for path, rows in zip(files, (deals, history), strict=True):
        pd.DataFrame(rows).to_csv(path, index=False)
    log = read_log(files)
    as_it_was(log)
    entered = log.visits[log.visits.stage.eq("Proposal")].set_index("case").entered
    assert all(entered[d.id] == d.proposal for d in DEALS if d.proposal is not None)


def test_units_in_the_names_of_columns(tmp_path: Path) -> None:
    rows = [{"Deal ID": d.id, "Stage": d.stage, "Created (UTC)": day(d.made, "%Y-%m-%d %H:%M"),
             "Close Date [date]": close_date(d), "Amount (kEUR)": f"{d.amount / 1000:.5f}",
             "Deal Owner (name)": d.owner} for d in DEALS]  # fmt: skip
    path = tmp_path / "a.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    log = read_log(path)
    as_it_was(log)
    assert "90 amounts in 'Amount (kEUR)': times 1,000" in told(log)


def test_events_that_name_what_was_won(tmp_path: Path) -> None:
    end = {"Closed Won": "Deal won", "Closed Lost": "Opportunity marked lost"}
    rows = [{"_CASE_KEY": d.id, "ACTIVITY_EN": end.get(stage, stage), "EVENTTIME": day(at)}
            for d in DEALS for stage, at in changes(d)]  # fmt: skip
    path = tmp_path / "a.csv"
    pd.DataFrame(rows).rename(columns={"EVENTTIME": "timestamp"}).to_csv(path, index=False, sep=";")
    log = read_log(path)
    assert {str(k): str(v) for k, v in log.cases.outcome.items()} == {
        d.id: d.outcome for d in DEALS
    }


def test_a_file_that_is_not_known_says_what_to_type(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    frame = pd.DataFrame([[d.id, d.stage, day(d.made), d.amount] for d in DEALS])
    frame.to_csv(path, index=False, header=False)
    with pytest.raises(DataError, match="Its first line looks like data: the first line has to na"):
        read_log(path)
    frame.columns = pd.Index(["Identyfikator", "Etap", "Utworzono", "Kwota"])
    frame["Etap"] = frame["Etap"].replace({"Closed Won": "Wygrana", "Closed Lost": "Przegrana"})
    frame.to_csv(path, index=False)
    with pytest.raises(
        DataError, match="say what its columns are: --column case=ITS_ID --column s"
    ):
        read_log(path)
    named = {"case": "Identyfikator", "stage": "Etap", "created": "Utworzono", "amount": "Kwota"}
    log = read_log(path, columns=named)
    assert {str(k): str(v) for k, v in log.cases.outcome.items()} == {
        d.id: d.outcome for d in DEALS
    }


def test_days_and_times_in_columns_apart(tmp_path: Path) -> None:
    rows = [{"Case ID": d.id, "Activity": stage, "Datum": day(at, "%d.%m.%Y"),
             "Uhrzeit": day(at, "%H:%M")} for d in DEALS for stage, at in changes(d)]  # fmt: skip
    path = tmp_path / "a.csv"
    pd.DataFrame(rows).to_csv(path, index=False, sep=";")
    log = read_log(path, columns={"time": "Uhrzeit"})
    assert f"{len(rows)} times of the day in 'Uhrzeit': with the day of 'Datum'" in told(log)
    for d in DEALS:
        assert log.cases.created[d.id] == d.made
    frame = pd.DataFrame(rows).rename(columns={"Datum": "Date", "Uhrzeit": "Time"})
    frame.to_csv(path, index=False)
    pd.testing.assert_series_equal(read_log(path).cases.created, log.cases.created)


def test_a_field_history_with_rows_of_creations(tmp_path: Path) -> None:
    """A deal begins when it was made, not when it was first changed."""
    form = "%m/%d/%Y %I:%M %p"
    rows = [{"Opportunity ID": d.id, "Field / Event": "Created.", "Old Value": "", "New Value": "",
             "Edit Date": day(d.made, form)} for d in DEALS]  # fmt: skip
    for d in DEALS:
        steps = changes(d)
        rows += [
            {"Opportunity ID": d.id, "Field / Event": "Stage", "Old Value": steps[k][0],
             "New Value": stage, "Edit Date": day(at, form)}
            for k, (stage, at) in enumerate(steps[1:])
        ]  # fmt: skip
    path = tmp_path / "a.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    log = read_log(path)
    assert len(log.cases) == len(DEALS)
    for d in DEALS:
        assert log.cases.created[d.id] == d.made
        assert log.cases.outcome[d.id] == d.outcome
    pd.DataFrame(rows[len(DEALS) :]).to_csv(path, index=False)
    assert "without a date of creation: taken as made at their first change" in told(read_log(path))


def test_calls_whose_ends_are_said_in_other_words(tmp_path: Path) -> None:
    rows = [{"Contact ID": k, "Call start time": f"03.03.2025 {9 + k // 30}:{k % 30:02d}:00",
             "Queue time": "0:00:40", "Abandoned": "Ja" if k % 5 == 0 else "Nein",
             "Talk time": "" if k % 5 == 0 else "0:03:20", "Agent": "" if k % 5 == 0 else "A"}
            for k in range(120)]  # fmt: skip
    path = tmp_path / "a.csv"
    pd.DataFrame(rows).to_csv(path, index=False, sep=";")
    assert read_log(path).cases.outcome.value_counts().to_dict() == {"served": 96, "abandoned": 24}
    frame = pd.DataFrame(rows).replace({"Ja": "blau", "Nein": "rot"})
    frame.to_csv(path, index=False, sep=";")
    with pytest.raises(
        DataError, match=r"none of its values \('blau', 'rot'\) says who was served"
    ):
        read_log(path)


def test_columns_by_clocks_hours_apart(tmp_path: Path) -> None:
    """Made by the clock of California, closed by UTC: eight hours of each deal are no time."""
    ahead = pd.Timedelta(hours=8)
    rows = [{"Opportunity ID": d.id, "Stage": d.stage,
             "Created Date": day(d.made, "%Y-%m-%dT%H:%M:%S") + "-08:00",
             "Close Date": "" if d.closed is None else day(d.closed + ahead, "%Y-%m-%dT%H:%M:%SZ")}
            for d in DEALS]  # fmt: skip
    path = tmp_path / "a.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    log = read_log(path)
    for d in DEALS:
        assert log.cases.created[d.id] == d.made
        assert d.closed is None or log.cases.closed[d.id] == d.closed
    said = "rows whose 'Close Date' goes by another clock (Z) than their creation: set to that one"
    assert said in told(log)


def test_one_stage_for_all_that_is_closed(tmp_path: Path) -> None:
    """Who won is ticked, not in the stage; and stages that are numbered name their ends."""
    rows = [{"Id": d.id, "StageName": d.last if d.closed is None else "Closed", "IsClosed":
             int(d.closed is not None), "IsWon": int(d.outcome == WON), "OwnerId": d.owner,
             "CreatedDate": day(d.made), "CloseDate": close_date(d), "Amount": d.amount}
            for d in DEALS]  # fmt: skip
    path = tmp_path / "a.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    log = read_log(path)
    as_it_was(log)
    assert "`Closed` won or lost, as ticks say" in told(log)
    named = {"Closed Won": "100% - Closed/Won", "Closed Lost": "7. Closed Lost"}
    for row, d in zip(rows, DEALS, strict=True):
        row["StageName"] = named.get(d.stage, d.stage)
    frame = pd.DataFrame(rows).drop(columns=["IsClosed", "IsWon"])
    frame.to_csv(path, index=False)
    as_it_was(read_log(path))
