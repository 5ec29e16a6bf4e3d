"""Files with anything in them: every row is read, or counted with its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulator.errors import DataError
from simulator.fit.logs.files import read_file, within
from simulator.fit.logs.read import read_log
from simulator.fit.logs.times import as_seconds, as_times
from simulator.fit.tables import Finding, Table


def table(values: list[str]) -> Table:
    return Table("t.csv", pd.DataFrame({"v": values}), "utf-8-sig")


TIMES = {
    "2024-01-05": "2024-01-05",
    "2024-1-5 9:05": "2024-01-05 09:05",
    "2024/01/05 09:05:06": "2024-01-05 09:05:06",
    "2024-01-05T09:05:06.123Z": "2024-01-05 09:05:06.123",
    "2024-01-05T09:05:06.123+02:00": "2024-01-05 09:05:06.123",
    "2024-01-05T09:05:06.000+0000": "2024-01-05 09:05:06",
    "2024-01-05 09:05:06-05": "2024-01-05 09:05:06",
    "2024-01-05 09:05 UTC": "2024-01-05 09:05",
    "25/01/2024 14:05": "2024-01-25 14:05",
    "05.01.2024 14:05:06": "2024-01-05 14:05:06",
    "5/1/24, 2:05 PM": "2024-01-05 14:05",
    "5/1/24 12:05 AM": "2024-01-05 00:05",
    "Jan 5, 2024 2:05 PM": "2024-01-05 14:05",
    "5 January 2024": "2024-01-05",
    "1704445506": "2024-01-05 09:05:06",
    "1704445506123": "2024-01-05 09:05:06.123",
    "20240105": "2024-01-05",
    "20240105090506": "2024-01-05 09:05:06",
    "240105": "2024-01-05",
    "9999-12-31": "2261-01-01",
    "31/12/9999": "2261-12-31",
    "": "NaT",
}


@pytest.mark.parametrize("text", TIMES)
def test_times_as_people_write_them(text: str) -> None:
    got, found = as_times(table([text, "2024-06-01"]), "v", "it", day_first=True)
    want = pd.Timestamp(TIMES[text])
    assert (pd.isna(want) and pd.isna(got[0])) or got[0] == want
    assert got.dtype == "datetime64[ns]"
    assert not found


def test_all_times_at_once_are_the_same() -> None:
    one_clock = {k: v for k, v in TIMES.items() if not k.endswith(("+02:00", "-05"))}
    got, _ = as_times(table(list(one_clock)), "v", "it", day_first=True)
    texts = pd.Series(list(one_clock.values()))
    want = pd.to_datetime(texts, format="mixed").astype("datetime64[ns]")
    assert got.equals(want)


def test_clocks_hours_apart_are_set_to_one() -> None:
    """Summer and winter of one wall stay as they read; what another wall's clock says is moved."""
    wall = ["2024-01-05T09:00:00+01:00", "2024-07-05T09:00:00+02:00", "2024-07-05T09:00:00"]
    got, found = as_times(table(wall), "v", "it")
    assert (got.dt.hour == 9).all()
    assert not found
    walls = [*wall[:1], "2024-01-05 09:00:00.5+0100", "2024-01-05T08:30:00Z"]
    walls += ["2024-01-05 03:00:00-05", "2024-01-05 13:30:00 +05:30", "2024-01-05 09:00", ""]
    got, found = as_times(table(walls), "v", "it")
    assert got.iloc[2:5].dt.strftime("%H:%M").tolist() == ["09:30", "09:00", "09:00"]
    assert (got.iloc[[0, 5]].dt.hour == 9).all()
    assert pd.isna(got.iloc[6])
    (one,) = map(str, found)
    assert one == (
        "t.csv: 3 rows of 'v' by another clock than +01:00: set to that one "
        "(first: line 4, column 'v', value '2024-01-05T08:30:00Z')"
    )


def test_dates_that_stand_for_nothing_are_empty() -> None:
    values = ["1900-01-01", "0001-01-01 00:00:00", "1899-12-30"] + ["2024-01-01"] * 60
    got, found = as_times(table(values), "v", "it")
    assert got.isna().sum() == 3
    assert sum(f.count for f in found) == 3
    assert any("before 1980" in f.what for f in found)


def test_month_first_and_day_first_are_told_apart() -> None:
    first, _ = as_times(table(["1/13/2024 10:00", "2/3/2024 11:00"]), "v", "it")
    assert first.tolist() == [pd.Timestamp("2024-01-13 10:00"), pd.Timestamp("2024-02-03 11:00")]
    with pytest.raises(DataError, match=r"day-first in 1 rows and month-first in 1"):
        as_times(table(["13/1/2024", "1/13/2024"]), "v", "it")


def test_durations() -> None:
    got, found = as_seconds(table(["90", "1:30", "0:01:30", "1,5", ""] + ["1"] * 20), "v", "it")
    assert got[:4].tolist() == [90.0, 90.0, 90.0, 1.5]
    assert pd.isna(got[4])
    assert not found
    got, found = as_seconds(table(["-5"] + ["1"] * 99), "v", "it")
    assert pd.isna(got[0])
    assert found[0].count == 1


def test_text_with_line_breaks_and_separators_in_quotes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('case,note\n1,"two\nlines, and ""quotes"""\n2, plain \n')
    got, found = read_file(path)
    assert got.frame.note.tolist() == ['two\nlines, and "quotes"', "plain"]
    assert not found


def test_open_quotes_among_proper_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = ["case,note,x", '1,"two', 'lines, here",a', '2,"open,b', "3,plain,c", '4,"open,d']
    path.write_text("\n".join([*lines, '5,"a, ""b""",e', '6,5" tape,f']) + "\n")
    got, found = read_file(path)
    assert got.frame.note.tolist() == [
        "two\nlines, here",
        "open",
        "plain",
        "open",
        'a, "b"',
        '5" tape',
    ]
    assert [(f.count, f.example) for f in found] == [(2, "line 4")]


@pytest.mark.parametrize("sep", [",", ";", "\t", "|"])
def test_separators(tmp_path: Path, sep: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"case{sep}when\n1{sep}2\n")
    assert read_file(path)[0].frame.when.tolist() == ["2"]


def test_a_few_strange_letters_do_not_change_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    good = "\n".join(f"{i},Zoë" for i in range(50)).encode()
    path.write_bytes(b"case,who\n" + good + b"\n99,Zo\xeb\n")
    got, found = read_file(path)
    assert got.frame.who.iloc[0] == "Zoë"
    assert found[0].what == "letters that are not UTF-8"
    assert found[0].count == 1


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{i},x" for i in range(100)]
    rows[10] = "broken"
    path.write_text("\n".join(["case,v", *rows]))
    got, found = read_file(path)
    assert [f.example for f in found] == ["line 12, 'broken'"]
    assert got.line(9) == 11
    assert got.line(10) == 13


def test_within() -> None:
    text = pd.Series(["a", "b", None])
    assert within(text, pd.Index(["b", "c"])).tolist() == [False, True, False]


def rubbish(rows: list[list[str]], share: float) -> tuple[list[str], dict[str, int]]:
    """Rows as lines, a share of them spoiled in turn; how many in which way."""
    rng = np.random.default_rng(7)
    ways = ["short", "no case", "no time", "strange date", "future", "open quote"]
    done = dict.fromkeys(ways, 0)
    lines = []
    for i, row in enumerate(rows):
        row = list(row)
        if rng.random() < share:
            way = ways[i % len(ways)]
            done[way] += 1
            if way == "short":
                row = row[:2]
            elif way == "no case":
                row[0] = ""
            elif way == "no time":
                row[2] = ""
            elif way == "strange date":
                row[2] = "yesterday"
            elif way == "future":
                row[2] = "2199" + row[2][4:]
            else:
                row[3] = '"' + row[3]
        lines.append(",".join(row))
    return lines, done


def made(n: int = 4000) -> list[list[str]]:
    start = pd.Timestamp("2024-01-01")
    return [
        [str(i // 4), ["New", "Demo", "Offer", "Won"][i % 4],
         str(start + pd.Timedelta(hours=i)), f"p{i % 5}"]
        for i in range(n)
    ]  # fmt: skip


def count(found: tuple[Finding, ...], text: str) -> int:
    return sum(f.count for f in found if text in f.what)


def test_rubbish_in_some_rows_is_counted_out_exactly(tmp_path: Path) -> None:
    rows = made()
    lines, done = rubbish(rows, 0.03)
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["case,activity,timestamp,resource", *lines]) + "\n")
    log = read_log(path)
    assert min(done.values()) > 5
    assert count(log.findings, "never closed") == done["open quote"]
    assert count(log.findings, "columns of the header") == done["short"]
    assert count(log.findings, "without a case") == done["no case"]
    assert count(log.findings, "is not a date") == done["strange date"]
    assert count(log.findings, "without a time") == done["no time"] + done["strange date"]
    assert count(log.findings, "in the future") == done["future"]
    # what is left is there, to the last row
    lost = sum(done.values()) - done["open quote"]
    assert len(log.visits) == len(rows) - lost


def test_too_much_rubbish_stops_the_reading(tmp_path: Path) -> None:
    lines, _ = rubbish(made(), 0.6)
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["case,activity,timestamp,resource", *lines]) + "\n")
    with pytest.raises(DataError, match=r"log.csv:\d+: .* rows do not have the header's 4 columns"):
        read_log(path)


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_log(tmp_path / "nothing.csv")
    with pytest.raises(DataError, match="cannot be read"):
        read_log(tmp_path)
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK\x03\x04\x00\x00\x00")
    with pytest.raises(DataError, match=r"a broken zip or workbook\. Is it whole"):
        read_log(path)
    with pytest.raises(DataError, match="no file given"):
        read_log([])
