"""Exports as strangers have them: other languages, lines above the header, columns twice, pages."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from simulator.errors import DataError
from simulator.fit.logs.files import TEXT, read_file
from simulator.fit.logs.lacking import lacks
from simulator.fit.logs.read import read_log, sources
from simulator.fit.logs.times import as_times
from simulator.fit.logs.write import leads_and_deals_of
from simulator.fit.read import read_history
from simulator.fit.tables import Table, as_days

PLAIN = "Id;Stage;Created Date\n1;A;2024-01-02\n2;B;2024-01-03\n"
TITLE = "Opportunity Report\nAs of 2026-02-03 10:15\nFiltered By\n\n"


@pytest.mark.parametrize(
    ("text", "above", "line"),
    [
        (PLAIN, 0, 2),
        ("sep=;\r\n" + PLAIN.replace("\n", "\r\n"), 1, 3),
        (TITLE + PLAIN, 4, 6),
        ("Report;;\n;;\n" + PLAIN, 2, 4),  # as Excel pads them
        (PLAIN.replace("\n", "\r"), 0, 2),
    ],
)
def test_where_a_table_begins(tmp_path: Path, text: str, above: int, line: int) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(text.encode())
    table, found = read_file(path)
    assert table.frame.columns.tolist() == ["Id", "Stage", "Created Date"]
    assert table.frame["Stage"].tolist() == ["A", "B"]
    assert [table.line(0), table.line(1)] == [line, line + 1]
    assert [f.count for f in found] == ([above] if above else [])


def test_broken_rows_below_a_title_are_on_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text(TITLE + PLAIN + "3;C\n4;D;2024-01-05\nCopyright (c) 2026\n")
    table, found = read_file(path)
    assert table.frame["Stage"].tolist() == ["A", "B", "D"]
    assert table.line(2) == 9
    assert found[-1].count == 2
    assert found[-1].example.startswith("line 8,")


@pytest.mark.parametrize(
    ("rows", "stages", "what"),
    [
        ("1,A,A\n2,B,B\n", ["A", "B"], "taken once"),
        ("1,A,\n2,B,\n", ["A", "B"], "the one that is not empty taken"),
        ("1,,A\n2,,B\n", ["A", "B"], "the one that is not empty taken"),
        ("1,A,B\n2,B,B\n", None, r"r.csv:1: column 'Stage' is there twice, and they differ"),
    ],
)
def test_a_column_that_is_there_twice(
    tmp_path: Path, rows: str, stages: list[str] | None, what: str
) -> None:
    path = tmp_path / "r.csv"
    path.write_text("Id,Stage,Stage\n" + rows)
    if stages is None:
        with pytest.raises(DataError, match=what):
            read_file(path)
        return
    table, found = read_file(path)
    assert table.frame.columns.tolist() == ["Id", "Stage"]
    assert table.frame["Stage"].tolist() == stages
    assert [f.action for f in found] == [what]


def test_what_is_no_csv_says_so(tmp_path: Path) -> None:
    path = tmp_path / "report.xls"
    path.write_text("<html><table><tr><td>1</td></tr></table></html>")
    with pytest.raises(DataError, match=r"a web page or XML, whatever its name says"):
        read_file(path)
    path.write_text('{"a": [1, 2, 3]}\n{"b": 2}\n')
    with pytest.raises(DataError, match="JSON, not a table"):
        read_file(path)


REPORTS = {
    "de": (
        (
            "Opportunity-ID;Opportunity-Name;Phase;Betrag;Erstelldatum;Schlusstermin;"
            "Opportunity-Inhaber;Lead-Quelle"
        ),
        ("Geschlossen und gewonnen", "Geschlossen und verloren", "Angebot"),
        "€ 1.234,50",
        "cp1252",
        ("25.01.2024", "03.02.2024"),
    ),
    "fr": (
        (
            "ID de l'opportunité\tNom de l'opportunité\tÉtape\tMontant\tDate de création\t"
            "Date de clôture\tPropriétaire de l'opportunité\tOrigine de la piste"
        ),
        ("Fermée gagnée", "Fermée perdue", "Proposition"),
        "1 234,50 €",
        "utf-16",
        ("25/01/2024", "03/02/2024"),
    ),
    "es": (
        (
            "Id. de la oportunidad,Nombre de la oportunidad,Etapa,Importe,Fecha de creación,"
            "Fecha de cierre,Propietario de oportunidad,Origen del candidato"
        ),
        ("Cerrada ganada", "Cerrada perdida", "Propuesta"),
        '"EUR 1.234,50"',
        "utf-8-sig",
        ("25 de enero de 2024", "3 de febrero de 2024"),
    ),
}


@pytest.mark.parametrize("language", REPORTS)
def test_reports_in_other_languages(tmp_path: Path, language: str) -> None:
    header, stages, amount, encoding, (created, closed) = REPORTS[language]
    sep = next(s for s in ";\t," if s in header)
    lines = [
        sep.join([f"006{k}", f"Müller {k}", stage, amount, created, closed, "Eva", "Web"])
        for k, stage in enumerate(stages)
    ]
    path = tmp_path / "report.csv"
    path.write_bytes("\n".join([header, *lines]).encode(encoding))
    log = read_log(path)
    assert log.cases.outcome.tolist() == ["won", "lost", "open"]
    assert log.cases.amount.tolist() == [1234.5] * 3
    assert log.cases.created.dt.date.astype(str).tolist() == ["2024-01-25"] * 3
    assert str(log.cases.closed.iloc[0].date()) == "2024-02-03"
    assert log.cases.owner.tolist() == ["Eva"] * 3
    assert log.cases.channel.tolist() == ["Web"] * 3
    # all on one day: said, as nothing tells how many come
    assert not any("the same day" in s for s in lacks(log))  # of three cases nothing is said
    more = pd.concat([log.cases] * 3)
    more.index = pd.Index([f"c{k}" for k in range(9)], name="case")
    assert any("All cases begin on the same day" in s for s in lacks(
        type(log)(more, log.visits, log.since, log.until)))  # fmt: skip


def test_ends_by_a_column_of_states(tmp_path: Path) -> None:
    """As Pipedrive has them: the stage stays what it was when a deal is lost."""
    path = tmp_path / "deals.csv"
    path.write_text(
        "Deal - ID,Deal - Stage,Deal - Status,Deal - Deal created,Deal - Won time,"
        "Deal - Lost time,Deal - Owner\n"
        "1,Offer,Won,2024-01-02 10:00:00,2024-02-03 11:00:00,,Eva\n"
        "2,Contact,Lost,2024-01-02 10:00:00,,2024-01-09 12:00:00,Eva\n"
        "3,Offer,Open,2024-01-04 10:00:00,,,Tom\n"
        "4,Contact,Open,2024-01-04 10:00:00,,,Tom\n"
        "5,Contact,Lost,2024-01-04 10:00:00,,2024-01-11 12:00:00,Tom\n"
    )
    log = read_log(path)
    # though most of a stage may be lost, it is no end
    assert log.cases.outcome.tolist() == ["won", "lost", "open", "open", "lost"]
    assert log.cases.closed.dt.strftime("%m-%d").tolist()[:2] == ["02-03", "01-09"]
    # another status says something else of a deal
    path.write_text(
        "Id,Stage,Status,Created Date,Close Date\n1,Closed Won,new,2024-01-02,2024-01-05\n"
        "2,Closed Lost,old,2024-01-02,2024-01-05\n3,Open,new,2024-01-02,2024-03-05\n"
        "4,Open,new,2024-01-02,2024-03-05\n"
    )
    other = read_log(path, until=pd.Timestamp("2024-02-01").date())
    assert other.cases.outcome.tolist() == ["won", "lost", "open", "open"]
    assert other.cases["Status"].tolist() == ["new", "old", "new", "new"]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("01-Oct-2025", "2025-10-01"), ("3. März 2025", "2025-03-03"),
        ("3 août 2025", "2025-08-03"), ("3 de enero de 2025", "2025-01-03"),
        ("1 févr. 2025", "2025-02-01"),
        ("12 mrt 2025", "2025-03-12"), ("7 giugno 2025", "2025-06-07"),
        ("5 Dec 2025 10:15:00 +02:00", "2025-12-05"), ("Tue, 5 Nov 2024 10:00 GMT", "2024-11-05"),
        ("June 3, 2025", "2025-06-03"),
    ],
)  # fmt: skip
def test_months_by_name(text: str, day: str) -> None:
    table = Table("x.csv", pd.DataFrame({"when": pd.Series([text], dtype=TEXT)}), "utf-8")
    times, _ = as_times(table, "when", "the date")
    days, _ = as_days(table, "when", "the date")
    assert str(times[0].date()) == str(days[0].date()) == day


def test_days_as_excel_counts_them() -> None:
    text = pd.Series(["46011.5", "45000", "", "46012"], dtype=TEXT)
    table = Table("x.csv", pd.DataFrame({"when": text}), "utf-8")
    times, found = as_times(table, "when", "the date")
    days, _ = as_days(table, "when", "the date")
    assert str(times[0]) == "2025-12-20 12:00:00"
    assert days.dt.strftime("%Y-%m-%d").tolist()[:2] == ["2025-12-20", "2023-03-15"]
    assert found[0].count == 3
    assert times.isna().tolist() == [False, False, True, False]


def test_another_column_tells_days_from_months() -> None:
    frame = pd.DataFrame(
        {"a": ["01/02/2024", "03/04/2024"], "b": ["25/02/2024", "03/04/2024"], "c": ["x", ""]},
        dtype=TEXT,
    )
    times, _ = as_times(Table("x.csv", frame, "utf-8"), "a", "the date")
    assert times.dt.strftime("%m-%d").tolist() == ["02-01", "04-03"]
    with pytest.raises(DataError, match="no row tells"):
        as_times(Table("x.csv", frame[["a", "c"]], "utf-8"), "a", "the date")


def test_leads_of_several_years_are_one_file(tmp_path: Path) -> None:
    """A row in two of them counts once; a column that one lacks is empty there, and it is said."""
    first = [f"L{k},2024-12-{k + 1:02d},Web" for k in range(20)]
    second = [first[-1], *(f"L{k + 20},2025-01-{k + 1:02d},Event" for k in range(20))]
    for name, rows in (("leads-2024", first), ("leads-2025", second)):
        lines = ["lead_id,created_at,channel", *rows]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "deals-2024.csv").write_text(
        "lead_id,won_date,amount\n" + "".join(f"L{k},2024-12-{k + 5:02d},100\n" for k in range(6))
    )
    (tmp_path / "deals-2025.csv").write_text(
        "lead_id,won_date,amount,note\n"
        + "".join(f"L{k},2025-01-{k + 5:02d},100,x\n" for k in range(5, 12))
    )
    names = ("deals-2025", "leads-2024", "deals-2024", "leads-2025")
    read = sources([tmp_path / f"{n}.csv" for n in names])
    pair = leads_and_deals_of(read)
    assert pair is not None
    history = read_history(*pair)
    assert len(history.arrived) == 40
    assert history.wins == 12
    said = [str(f) for f in (*pair[0][1], *pair[1][1], *history.findings)]
    assert any("1 row that an earlier of these files has too: taken once" in s for s in said)
    assert any("of which not all have `note`" in s for s in said)
    assert any("that repeat a lead_id" in s for s in said)  # L5 was won in both
    assert len(read_log([tmp_path / f"{n}.csv" for n in names]).cases) == 40
