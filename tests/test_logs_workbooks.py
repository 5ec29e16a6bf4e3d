"""Workbooks of Excel and its like: the same as a CSV of what is in them, and what is wrong said."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import gzip
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xlsxwriter
from click.testing import CliRunner

from simulator.cli import main
from simulator.errors import DataError
from simulator.fit.logs import workbook
from simulator.fit.logs.files import read_file, read_tables
from simulator.fit.logs.read import read_log, sources
from simulator.fit.read import read_history

Rows = list[list[Any]]
HEAD = ["Deal ID", "Deal Name", "Stage", "Created Date", "Close Date", "Amount", "Owner", "Source"]


# Three deals in the format of Excel 97, gzipped.
OLD = (
    "ABzY8000000t4+>O-NKx6#njeGdeT=jXFju$wSD>1d%oo==d|HEk?{1Rs=OVj|goh#%WQDvdmpU(5k3~V2doQHvL"
    "eG+C&S%sD%(jTF|CdP|!ksoqOJ$$uR>5OfcT}xaXdG&b{9~@BY1?H`B$lV-G9lunbMmv1oabv&1GSc~b>H$ZuIvP"
    "30a+mV*riuZJcw$BkzNQ@L^u<$TXU!voh#lE5cQM{o*V@tA3>BU(9zh>$Tfk`%Z}mO_+sR3$9?S(dWA&o!U3Y-Y<"
    "9mW@<*RvgB3u&Z{rTEz#oYW5XE@;>G^@7dCTGQ5_n`21C2*L9;MaUwFf!5mete2jx8w8M;<30W@1ZMt8C>cjPi2u"
    "5e;o^W^;0h;h}{ICq*dunIDFdX~(+6Bn|Gt-{?7rTcha=HDQ<^qOc9pjBMiUKsaq{oer85ta!N4s1LROIu!$Lx<M"
    "qQ<_E59~J%BqPVoJfJOMMv|rxB0<MM%gOlZSd!|r4aSGesL>mb`6K}!82*d{qkuP3KFKJGSTE-7<fmxo?|ge3?&}"
    "U7Wy>%>B<x4YRv9%cT#zlOaUpwLX<5rHcCx(4td*=+unf@cP+rqrrj)%ST;~#dYp9=HjCa9pOZ4rekAB_%q-ykYa"
    "0ls=9dl;`lQY3FRMXHzslB{LP$%ldjq4ImgQ;AoW9I|Q@;{CskLFjgTk3gPga!CmEoNz#<miZWNmFBGmvk!Wic2i"
    "x(rJW*;_`HTe1%roMlhcoFWawCly@g4CN6LJ(tJ*ne#x14%jVQp;M5eSKh3FSaB6AJdx}$I&Klk3)K}ot73bzOr="
    "G#7r#Yt-r_P*}GXhOo2_DIy=pg?M9~?Mv;J|?c2M!#p0R+E-LcPS<-w5)RK3DzMS)jD&{3iKt(StZ$N&28{M~w0W"
    "&SbTIHo+}YTw;}NQvVAjda3sW2GGZG3}n52>61(>y`NP#^sn6(%C`T-Y~uXK{r>`1Ib<XN761S"
)


def moment(*parts: int) -> dt.datetime:
    """By the clock on the wall, as a workbook has it."""
    return pd.Timestamp(*parts).to_pydatetime()


def deals(n: int = 300, seed: int = 1) -> Rows:
    """Deals of a year: real moments, days, numbers and ids that are numbers."""
    rng = np.random.default_rng(seed)
    out = []
    for k in range(n):
        made = moment(2024, 1, 1) + dt.timedelta(seconds=int(rng.integers(0, 365 * 86_400)))
        done = made.date() + dt.timedelta(days=int(rng.lognormal(3, 0.5)) + 1)
        over = done < dt.date(2024, 12, 31)
        end = ("Closed Won" if rng.random() < 0.4 else "Closed Lost") if over else "Proposal"
        amount = round(float(rng.lognormal(8, 1)), 2)
        out.append(
            [9_000_000_000 + k, f"D{k}", end, made, done if over else None, amount,
             ["Ana", "Bo", "Cy"][k % 3], ["web", "event"][k % 2]]
        )  # fmt: skip
    return out


def save(path: Path, sheets: dict[str, Rows], *, hidden: tuple[str, ...] = ()) -> Path:
    """A workbook, with days and moments as Excel has them."""
    book = xlsxwriter.Workbook(str(path))
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    moment = book.add_format({"num_format": "dd/mm/yyyy hh:mm:ss"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        if name in hidden:
            sheet.hide()
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if isinstance(cell, dt.datetime):
                    sheet.write_datetime(i, j, cell, moment)
                elif isinstance(cell, dt.date):
                    sheet.write_datetime(i, j, cell, day)
                elif isinstance(cell, str):
                    sheet.write_string(i, j, cell)
                elif cell is not None:
                    sheet.write(i, j, cell)
    book.close()
    return path


def as_csv(path: Path, rows: Rows) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return path


def run(*args: str | Path) -> dict[str, Any]:
    done = CliRunner().invoke(main, [*map(str, args), "--json"])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def plain(result: object, *names: str) -> str:
    """A result without the names of files in it."""
    text = json.dumps(result, sort_keys=True)
    for name in names:
        text = text.replace(name, "FILE")
    return text.replace(" (sheet 'Export')", "")


def test_a_workbook_is_fitted_and_tested_as_the_csv_of_it(tmp_path: Path) -> None:
    rows = [HEAD, *deals()]
    save(tmp_path / "deals.xlsx", {"Export": rows})
    as_csv(tmp_path / "deals.csv", rows)
    fits, tests = [], []
    for name in ("deals.xlsx", "deals.csv"):
        out = tmp_path / name.replace(".", "_")
        fitted = run("fit", tmp_path / name, "--out", out)
        scored = run("backtest", out, "--draws", "20", "--days", "30", "--origin", "2024-11-01")
        names = (str(tmp_path / name), str(out), out.name, name)
        fits.append(plain(fitted, *names))
        tests.append(plain(scored, *names))
        today = (out / "today.yaml").read_text()
        fits.append(plain(today, *names))
        fits.append((out / "ensemble.csv").read_text())
    assert fits[:3] == fits[3:]
    assert tests[0] == tests[1]


def test_cells_as_a_csv_has_them(tmp_path: Path) -> None:
    rows: Rows = [
        ["id", "when", "day", "clock", "ok", "n", "text", "big"],
        [7, moment(2024, 2, 29, 9, 5, 7), dt.date(2024, 3, 1), "0:05", True, 12.345, " x ",
         123456789012345678],
    ]  # fmt: skip
    table, found = read_file(save(tmp_path / "a.xlsx", {"S": rows}))
    assert table.frame.iloc[0].tolist() == [
        "7", "2024-02-29 09:05:07", "2024-03-01", "0:05", "TRUE", "12.3450", "x",
        "1.23456789012346e+17",
    ]  # fmt: skip
    assert table.line(0) == 2
    assert found == []


def test_a_header_below_a_title_and_merged_cells(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("Report")
    sheet.write_row(1, 1, ["Deals by owner"])
    sheet.write_row(2, 1, ["As of", "2025-01-01"])
    sheet.write_row(5, 1, ["Owner", "Opportunity Name", "Stage", "Created Date", "Amount"])
    for k in range(6):
        sheet.write_row(6 + k, 1, ["", f"D{k}", "Closed Won", "2024-01-05", 5.0])
    sheet.merge_range(6, 1, 8, 1, "Ana")
    sheet.merge_range(9, 1, 11, 1, "Bo")
    book.close()
    table, found = read_file(path)
    assert table.frame.columns.tolist()[0] == "Owner"  # the empty margin is no column
    assert table.frame["Owner"].tolist() == ["Ana"] * 3 + ["Bo"] * 3
    assert table.line(0) == 7
    assert [(f.count, f.what) for f in found] == [
        (5, "rows above the header"),
        (4, "cells merged with the one above"),
    ]


def test_sheets_are_chosen_as_files_are(tmp_path: Path) -> None:
    rows = deals(60)
    half = [HEAD, *rows[:30]], [HEAD, *rows[30:]]
    owners: Rows = [["Owner", "Deals"], ["Ana", 20], ["Bo", 20], ["Cy", 20]]
    path = save(
        tmp_path / "book.xlsx",
        {"Cover": [["Our deals"]], "2024 H1": half[0], "Summary": owners, "2024 H2": half[1],
         "Draft": [HEAD, *rows[:2]], "Empty": []},
        hidden=("Draft",),
    )  # fmt: skip
    log = read_log(path)
    assert len(log.cases) == 60
    said = {f.what: f.action for f in log.findings}
    for sheet in ("Cover", "Empty"):
        assert said[f"sheet {sheet!r}"] == "left out: no table in it"
    assert said["sheet 'Draft'"] == "left out: hidden; to read it, --sheet 'Draft'"
    assert said["rows of sheet 'Summary'"].startswith("left out: no dates")
    assert len(read_log(path, sheets=["2024 H1"]).cases) == 30
    assert len(read_log(path, sheets=["Draft"]).cases) == 2
    joined = read_log(path, sheets=["2024 H1", "2024 H2", "Summary"])
    assert joined.cases["Deals"].tolist() == [20] * 60
    with pytest.raises(DataError, match=r"no sheet named '2024 H3'. Did you mean '2024 H"):
        sources([path], sheets=["2024 H3"])
    with pytest.raises(DataError, match=r"no sheet named 'Empty'.*with a table in it"):
        sources([path], sheets=["2024 H1", "Empty"])
    plain_ = as_csv(tmp_path / "a.csv", [HEAD, *rows])
    with pytest.raises(DataError, match="no file is a workbook"):
        sources([plain_], sheets=["S"])
    result = CliRunner().invoke(main, ["read", str(path), "--sheet", "2024 H1", "--json"])
    assert json.loads(result.stdout)["cases"] == 30


def test_sheets_of_one_kind_that_nothing_joins(tmp_path: Path) -> None:
    rows = deals(10)
    other = [["Opportunity ID", "Stage", "Created On"], *([r[0], r[2], r[3]] for r in rows)]
    path = save(tmp_path / "b.xlsx", {"A": [HEAD, *rows], "B": other})
    with pytest.raises(DataError, match=r"b.xlsx!B: both are opportunities.*--sheet NAME"):
        read_log(path)
    path = save(tmp_path / "c.xlsx", {"A": [["x", "y"], [1, 2]], "B": [["x", "z"], [1, 2]]})
    with pytest.raises(DataError, match="no sheet has a column of dates"):
        read_log(path)
    with pytest.raises(DataError, match=r"2 sheets hold a table: 'A', 'B'"):
        read_file(path)


def test_leads_and_deals_are_sheets(tmp_path: Path) -> None:
    start = dt.date(2024, 1, 1)
    leads: Rows = [["lead_id", "first_contact_date", "origin"]]
    leads += [[f"L{k}", start + dt.timedelta(days=k // 3), "web"] for k in range(180)]
    won: Rows = [["lead_id", "won_date", "deal_value"]]
    won += [[f"L{k}", start + dt.timedelta(days=k // 3 + 5), 100.0] for k in range(0, 150, 5)]
    path = save(tmp_path / "both.xlsx", {"Leads": leads, "Won": won})
    history = read_history(path, path)
    assert (len(history.arrived), history.wins) == (180, 30)
    assert {s.kind for s in sources([path])} == {"leads", "deals"}
    more = save(tmp_path / "more.xlsx", {"A": won, "B": won})
    with pytest.raises(DataError, match=r"2 sheets could be meant \('A', 'B'\)"):
        read_history(path, more)


def test_an_old_workbook(tmp_path: Path) -> None:
    path = tmp_path / "old.xls"
    path.write_bytes(gzip.decompress(base64.b85decode(OLD)))
    frame = read_file(path)[0].frame
    assert frame["Record ID"].tolist() == ["9007000001", "9007000002", "9007000003"]
    assert frame["Create Date"].tolist() == [f"2024-01-0{k} 09:30:00" for k in (1, 2, 3)]
    assert frame["Amount"].tolist() == ["100.5", "201", "301.5"]


def test_an_open_document(tmp_path: Path) -> None:
    head = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body>'
        '<office:spreadsheet><table:table table:name="S">'
    )
    word = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    date = '<table:table-cell office:value-type="date" office:date-value="2024-01-0{}"/>'
    lines = [[word.format(w) for w in ("Id", "Stage", "CreatedDate")]]
    lines += [[word.format(f"a{k}"), word.format("Open"), date.format(k)] for k in range(1, 4)]
    rows = "".join(f"<table:table-row>{''.join(line)}</table:table-row>" for line in lines)
    # as LibreOffice ends a sheet
    rest = (
        '<table:table-row table:number-rows-repeated="1048572"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row>'
    )
    tail = "</table:table></office:spreadsheet></office:body></office:document-content>"

    def ods(rows: str) -> Path:
        path = tmp_path / "a.ods"
        with zipfile.ZipFile(path, "w") as zipped:
            zipped.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            zipped.writestr("META-INF/manifest.xml", "<manifest/>")
            zipped.writestr("content.xml", head + rows + tail)
        return path

    table, _ = read_file(ods(rows + rest))
    assert table.frame["CreatedDate"].tolist() == ["2024-01-01", "2024-01-02", "2024-01-03"]
    far = word.replace(
        "<table:table-cell", '<table:table-cell table:number-columns-repeated="9999"'
    )
    wide = f'<table:table-row table:number-rows-repeated="99999">{far}</table:table-row>'
    with pytest.raises(DataError, match=r"reaches over .* cells, more than the 20,000,000"):
        read_file(ods(rows + wide))


def rezipped(path: Path, name: str, text: bytes) -> Path:
    """The workbook with one of its parts replaced."""
    parts = {}
    with zipfile.ZipFile(path) as zipped:
        for info in zipped.infolist():
            parts[info.filename] = zipped.read(info)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for part, was in parts.items():
            zipped.writestr(part, text if part == name else was)
    return path


def test_what_is_no_workbook_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = save(tmp_path / "a.xlsx", {"S": [HEAD, *deals(5)]})
    raw = good.read_bytes()
    path = tmp_path / "b.xlsx"
    for bad, what in (
        (raw[: len(raw) // 2], r"b.xlsx: a broken zip or workbook. Is it whole\?"),
        (raw[:600] + b"\x00" * 400 + raw[1000:], r"b.xlsx: not a workbook that can be read \("),
        (workbook.OLE + b"\x00" * 600, r"b.xlsx: not a workbook that can be read \("),
        (workbook.OLE + b"\x00" * 504 + "EncryptedPackage".encode("utf-16-le"),
         "b.xlsx: has a password. Save it without one, or as CSV"),
    ):  # fmt: skip
        path.write_bytes(bad)
        with pytest.raises(DataError, match=what):
            read_tables(path)
    empty = save(tmp_path / "c.xlsx", {"S": [], "T": [HEAD]})
    with pytest.raises(DataError, match=r"no sheet holds a table.*It has 'S', 'T'"):
        read_file(empty)
    sheet = "xl/worksheets/sheet1.xml"
    for cells in ('<c r="A1"/><c r="XFD1048576"><v>1</v></c>', '<c r="ZZ9"/><c r="A1048576"/>'):
        text = f'<worksheet><sheetData><row r="1">{cells}</row></sheetData></worksheet>'
        with pytest.raises(DataError, match=r"sheet1.xml\) reaches over [\d,]+ cells, more than"):
            read_file(rezipped(save(path, {"S": [HEAD]}), sheet, text.encode()))
    monkeypatch.setattr(workbook, "MOST_BYTES", 1 << 20)
    with pytest.raises(DataError, match="unpacks to 5 MiB, more than the 1 that a workbook may"):
        read_file(rezipped(good, sheet, b" " * (5 << 20)))
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(DataError, match=r"an Excel workbook; .*pip install 'growthsim\[excel\]'"):
        read_file(empty)


def test_how_far_a_binary_sheet_reaches() -> None:
    """Rows and cells as records of [MS-XLSB] 2.1.4: a kind, a size, and the row or column first."""

    def record(kind: int, place: int, more: int) -> bytes:
        size = 4 + more
        head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
        long = [size & 0x7F | 0x80, size >> 7] if size > 0x7F else [size]
        return head + bytes(long) + place.to_bytes(4, "little") + b"\x00" * more

    sheet = record(145, 999_999, 0)  # the data begin
    sheet += record(0, 0, 13) + record(2, 3, 4) + record(6, 5, 300) + record(0, 99, 13)
    assert workbook.reach_of_xlsb(sheet + record(5, 7, 12)) == 8 * 100
    with pytest.raises(IndexError):
        workbook.reach_of_xlsb(b"\x02")


def test_a_bomb_that_lies_about_its_size_is_found(tmp_path: Path) -> None:
    path = save(tmp_path / "a.xlsx", {"S": [HEAD, *deals(5)]})
    rezipped(path, "xl/worksheets/sheet1.xml", b"<x/>" * (1 << 20))
    raw = bytearray(path.read_bytes())
    size = (4 << 20).to_bytes(4, "little")
    while (at := raw.find(size)) >= 0:
        raw[at : at + 4] = (1000).to_bytes(4, "little")
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"not a workbook that can be read \(Bad CRC-32"):
        read_file(path)


def test_text_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from simulator.fit.logs import files

    monkeypatch.setattr(files, "MOST_UNPACKED", 1 << 20)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" * (1 << 19)))
    with pytest.raises(DataError, match="unpacks to more than 1 MiB"):
        read_file(path)
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("a.csv", b"a,b\n" * (1 << 19))
    with pytest.raises(DataError, match="unpacks to more than 1 MiB"):
        read_file(path)


def test_ids_that_excel_cut_stop_the_reading(tmp_path: Path) -> None:
    rows = [[123456789012345670 + k, *row[1:]] for k, row in enumerate(deals(6))]
    with pytest.raises(DataError, match="a spreadsheet has cut this id"):
        read_log(save(tmp_path / "a.xlsx", {"S": [HEAD, *rows]}))
    ids = pd.Series([row[0] for row in deals(6)]).astype(str)
    log = read_log(save(tmp_path / "a.xlsx", {"S": [HEAD, *deals(6)]}))
    assert sorted(log.cases.index) == sorted(ids)


def test_a_page_that_is_called_xls(tmp_path: Path) -> None:
    """As Salesforce exports the details of a report; and a workbook of Excel 2003's XML."""
    rows = [HEAD, *deals(40)]
    csv_ = read_log(as_csv(tmp_path / "a.csv", rows))

    def cells(row: list[Any], tag: str) -> str:
        text = ("" if cell is None else str(cell).replace("&", "&amp;") for cell in row)
        return "".join(f"<{tag}>{cell}</{tag}>" for cell in text)

    body = "".join(f"<tr>{cells(row, 'td')}</tr>\n" for row in rows[1:])
    path = tmp_path / "report.xls"
    path.write_text(
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8">'
        "<style>td {color: red}</style></head><body><table><tr><td>menu</td></tr></table>"
        f"<table border=1><tr>{cells(HEAD, 'th')}</tr>\n{body}</table></body></html>"
    )
    log = read_log(path)
    pd.testing.assert_frame_equal(log.cases, csv_.cases)
    data = "".join(f"<Row>{cells(row, 'Cell')}</Row>" for row in rows)
    data = data.replace("<Cell>", "<Cell><Data>").replace("</Cell>", "</Data></Cell>")
    path.write_text(
        '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">'
        f'<Worksheet ss:Name="S"><Table>{data}</Table></Worksheet></Workbook>'
    )
    pd.testing.assert_frame_equal(read_log(path).cases, csv_.cases)
