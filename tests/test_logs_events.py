"""Event logs into cases and visits."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from simulator.errors import DataError
from simulator.fit.logs.log import Log
from simulator.fit.logs.read import read_log

HEAD = "case,activity,lifecycle,timestamp,resource,amount,region"
LIVES = [
    "1,A_SUBMITTED,COMPLETE,2024-03-01T09:00:00,10.0,500,north",
    "1,W_call,SCHEDULE,2024-03-01T09:00:00,,500,north",
    "1,W_call,START,2024-03-01T11:00:00,21.0,500,north",
    "1,W_call,COMPLETE,2024-03-01T11:30:00,21.0,500,north",
    "1,W_call,START,2024-03-04T10:00:00,,500,north",
    "1,W_call,COMPLETE,2024-03-04T10:06:00,22.0,500,north",
    "1,A_APPROVED,COMPLETE,2024-03-04T10:06:00,22.0,500,north",
    "2,A_SUBMITTED,COMPLETE,2024-03-02T09:00:00,10.0,700,south",
    "2,W_call,SCHEDULE,2024-03-02T09:00:00,,700,south",
    "2,A_CANCELLED,COMPLETE,2024-03-05T00:00:00,10.0,700,south",
    "3,A_SUBMITTED,COMPLETE,2024-03-06T09:00:00,10.0,900,south",
    "3,W_call,SCHEDULE,2024-03-06T09:00:00,,900,south",
    "3,W_call,START,2024-03-06T10:00:00,21.0,900,south",
]


def write(folder: Path, rows: list[str], head: str = HEAD, name: str = "log.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def read(folder: Path, rows: list[str] = LIVES, head: str = HEAD, **how: object) -> Log:
    return read_log(write(folder, rows, head), **how)  # type: ignore[arg-type]


def said(log: Log) -> str:
    return "\n".join(map(str, log.findings))


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(f"2024-03-{text}")


def test_lifecycles_become_visits(tmp_path: Path) -> None:
    log = read(tmp_path)
    calls = log.visits[log.visits.stage == "W_call"].reset_index(drop=True)
    assert calls.case.tolist() == ["1", "1", "2", "3"]
    # scheduled once; the second call is nobody's wait: it enters when it starts
    assert calls.entered.tolist() == [
        at("01 09:00"),
        at("04 10:00"),
        at("02 09:00"),
        at("06 09:00"),
    ]
    assert calls.started.tolist()[:2] == [at("01 11:00"), at("04 10:00")]
    assert pd.isna(calls.started[2])
    # never begun, in a case that ended: it left with the case; never completed: still there
    assert calls.left.tolist()[:3] == [at("01 11:30"), at("04 10:06"), at("05 00:00")]
    assert pd.isna(calls.left[3])
    assert calls.who.tolist()[:2] == ["21", "22"]
    assert calls.worked.round(9).tolist()[:2] == [0.5, 0.1]
    assert calls.worked[2:].isna().all()
    assert "1 visit still open when their case ended" in said(log)


def test_ends_are_found_by_name_and_by_being_last(tmp_path: Path) -> None:
    log = read(tmp_path)
    assert log.cases.outcome.to_dict() == {"1": "won", "2": "cancelled", "3": "open"}
    assert log.cases.closed.tolist()[:2] == [at("04 10:06"), at("05")]
    assert log.cases.amount.tolist() == [500.0, 700.0, 900.0]
    assert log.cases.region.tolist() == ["north", "south", "south"]
    assert (log.since, log.until) == (at("01 09:00"), at("06 10:00"))
    more = [*LIVES, "1,W_call,START,2024-03-20T10:00:00,21.0,500,north"]
    assert read(tmp_path, more).cases.outcome["1"] == "open"
    named = read(tmp_path, more, won=["A_APPROVED"], lost=["A_CANCELLED"])
    assert named.cases.outcome.to_dict() == {"1": "won", "2": "cancelled", "3": "open"}
    with pytest.raises(
        DataError, match=r"no activity named 'A_APROVED'. Did you mean 'A_APPROVED'"
    ):
        read(tmp_path, won=["A_APROVED"])


def test_intervals_with_the_names_of_process_mining(tmp_path: Path) -> None:
    head = "case:concept:name,concept:name,start_timestamp,time:timestamp,org:resource"
    rows = ["a,Qualify,2024-03-01 09:00,2024-03-01 09:30,Ann", "a,Won,,2024-03-02 10:00,Ann"]
    head = head.replace("time:timestamp", "end_timestamp")
    log = read(tmp_path, rows, head)
    assert log.visits.stage.tolist() == ["Qualify", "Won"]
    assert log.visits.worked.tolist() == [0.5, 0.0]
    assert log.cases.outcome.tolist() == ["won"]
    assert "1 row with an end and no start: taken to start at their end" in said(log)


def test_one_stamp_an_event(tmp_path: Path) -> None:
    rows = ["a,New,2024-03-01", "a,Demo,2024-03-05", "a,Closed Lost,2024-03-09", "b,New,2024-03-02"]
    log = read(tmp_path, rows, "case,activity,timestamp")
    assert log.visits.left.tolist()[:2] == [at("05"), at("09")]
    assert pd.isna(log.visits.left[3])
    assert log.cases.outcome.tolist() == ["lost", "open"]
    done = [f"{r},complete" for r in rows]
    log = read(tmp_path, done, "case,activity,timestamp,lifecycle")
    assert log.visits.entered.tolist()[:3] == [at("01"), at("01"), at("05")]
    assert log.visits.left.tolist()[:3] == [at("01"), at("05"), at("09")]


def test_pauses_do_not_count_as_work(tmp_path: Path) -> None:
    steps = [("schedule", 8), ("start", 9), ("suspend", 10), ("resume", 13), ("complete", 14)]
    rows = [f"a,Demo,{step},2024-03-01T{hour:02d}:00:00,Ann" for step, hour in steps]
    log = read(tmp_path, rows, "case,activity,lifecycle,timestamp,resource")
    assert len(log.visits) == 1
    assert log.visits.worked.tolist() == [2.0]
    assert log.visits.left.tolist() == [at("01 14:00")]


def test_a_night_is_not_work(tmp_path: Path) -> None:
    rows = ["a,Demo,2024-03-01T16:00,2024-03-02T09:00,Ann"]
    log = read(tmp_path, rows, "case,activity,start,end,resource")
    assert log.visits.worked.isna().all()
    assert "1 visit worked on for more than 10 hours" in said(log)


def test_nothing_is_dropped_silently(tmp_path: Path) -> None:
    strange = [
        ",W_call,START,2024-03-06T10:00:00,21.0,1,x",
        "4,,START,2024-03-06T10:00:00,21.0,1,x",
        "4,W_call,START,,21.0,1,x",
        "4,W_call,DREAM,2024-03-06T10:00:00,21.0,1,x",
        "4,W_call,START,2124-03-06T10:00:00,21.0,1,x",
        "4,W_call,START",
        LIVES[0],
    ]
    plenty = [line.replace("1,A", "1,A").replace("3,", f"{i},", 1)
              for i in range(30, 80) for line in LIVES[-3:]]  # fmt: skip
    log = read(tmp_path, [*LIVES, *plenty, *strange])
    text = said(log)
    assert "1 row without a case: left out (first: line 165)" in text
    assert "1 row without an activity" in text
    assert "1 row without a time" in text
    assert "1 row of another lifecycle: left out (first: 'DREAM')" in text
    assert "1 row dated in the future" in text
    assert "1 row without the 7 columns of the header: left out (first: line 170" in text
    assert "1 row that repeat an event: the first kept" in text
    assert len(log.cases) == 53


def test_what_was_known_before(tmp_path: Path) -> None:
    log = read(tmp_path).before(at("04"))
    assert log.cases.outcome.tolist() == ["open", "open"]
    assert log.visits.left.notna().sum() == 3
    assert read(tmp_path, until=at("04")).cases.outcome.tolist() == ["open", "open"]
    assert read(tmp_path, since=at("02")).cases.index.tolist() == ["2", "3"]


def test_a_last_day_far_beyond_the_data_is_refused(tmp_path: Path) -> None:
    """Open cases would be taken to have stayed all that time; two weeks are told of."""
    assert "nothing happened" not in said(read(tmp_path, until=at("20")))
    told = said(read(tmp_path, until=at("31")))
    assert "25 days up to 2024-03-31 in which nothing happened (last on 2024-03-06)" in told
    with pytest.raises(DataError, match=r"log.csv: --until 2026-01-01 is 666 days after the last"):
        read(tmp_path, until=pd.Timestamp("2026-01-01"))


BAD = [
    ("case,activity\na,b\n", r"log.csv:1: not a kind of export.*nearest to event log.*time or"),
    ("colour,shape\na,b\n", r"log.csv:1: not a kind of export that.*--column case=.*'colour'"),
    ("case,case,activity,timestamp\n1,2,3,4\n", r"log.csv:1: column 'case' is there twice"),
    ("case,activity,timestamp\n", r"log.csv: it has a header and no rows"),
    ("", r"log.csv:1: no header line"),
    ("case,activity,timestamp\n1,a,soon\n2,b,later\n", r"log.csv:2: column 'timestamp', value"),
    ("case,activity,timestamp\n1,a,2124-03-01\n", r"log.csv:2: 1 of 1 rows are dated.*--until"),
    ("case,activity,timestamp\n1,a,3/4/2024\n", r"log.csv:2: .*may be day-first.*--day-first"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD)
def test_bad_input(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_log(path)
    assert "\n" not in str(caught.value)


def test_zipped_and_encoded(tmp_path: Path) -> None:
    rows = [line.replace("north", "Nordé") for line in LIVES]
    text = "\n".join([HEAD, *rows])
    for encoding in ("utf-8-sig", "cp1252", "utf-16"):
        path = tmp_path / "log.csv.gz"
        path.write_bytes(gzip.compress(text.encode(encoding)))
        log = read_log(path)
        assert log.cases.region.tolist() == ["Nordé", "south", "south"]
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match="cannot be unzipped"):
        read_log(path)


def test_a_quote_that_is_never_closed_swallows_nothing(tmp_path: Path) -> None:
    rows = [*LIVES[:3], LIVES[3].replace("north", '"north'), *LIVES[4:]]
    log = read(tmp_path, rows)
    assert len(log.cases) == 3
    assert "1 row with a quote that is never closed: read without (first: line 5)" in said(log)
