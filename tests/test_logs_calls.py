"""Records of a queue into cases and visits."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from simulator.errors import DataError
from simulator.fit.logs.log import Log
from simulator.fit.logs.read import read_log

BANK = (
    "call_id\tpriority\ttype\tdate\tvru_entry\tvru_exit\tq_start\tq_exit\tq_time\toutcome\t"
    "ser_start\tser_exit\tser_time\tserver"
)
CALLS = [
    "7 0 PS 990201 7:02:47 7:02:56 0:00:00 0:00:00 0 AGENT 7:02:55 7:05:41 166 DORIT",
    "8 2 PS 990201 8:09:16 8:09:22 8:09:22 8:09:27 5 HANG 0:00:00 0:00:00 0 NO_SERVER",
    "9 2 NW 990201 8:19:42 8:19:47 8:19:47 8:20:21 34 AGENT 8:20:20 8:22:04 104 TOVA",
    "9 0 NW 990201 8:30:00 8:30:09 0:00:00 0:00:00 0 HANG 0:00:00 0:00:00 0 NO_SERVER",
    "5 0 NW 990201 9:00:00 9:00:09 0:00:00 0:00:00 0 PHANTOM 0:00:00 0:00:00 0 NO_SERVER",
    "4 0 NW 990201 23:59:50 23:59:58 23:59:58 0:00:20 22 AGENT 0:00:20 0:02:20 120 TOVA",
]


def read(folder: Path, rows: list[str] = CALLS, head: str = BANK, **how: object) -> Log:
    path = folder / "calls.tsv"
    path.write_text("\n".join([head, *(r.replace(" ", "\t") for r in rows)]), encoding="utf-8")
    return read_log(path, **how)  # type: ignore[arg-type]


def said(log: Log) -> str:
    return "\n".join(map(str, log.findings))


def test_calls_become_visits_to_a_queue(tmp_path: Path) -> None:
    log = read(tmp_path)
    ends = ["served", "abandoned", "served", "abandoned", "no_service", "served"]
    assert log.cases.outcome.tolist() == ends
    assert log.cases.index.tolist() == ["7", "8", "9 row 4", "9 row 5", "5", "4"]
    assert log.cases.priority.tolist() == [0, 2, 2, 0, 0, 0]
    assert log.cases.channel.tolist()[:3] == ["PS", "PS", "NW"]
    queue = log.visits[log.visits.stage == "queue"].set_index("case")
    # not those who gave up before, nor records without service
    assert set(queue.index) == {"7", "8", "9 row 4", "4"}
    waits = (queue.started - queue.entered).dt.total_seconds()
    assert waits["7"] == 0
    assert waits["9 row 4"] == 33
    assert pd.isna(waits["8"])
    assert (queue.left - queue.entered).dt.total_seconds()["8"] == 5
    assert queue.who.dropna().to_dict() == {"7": "DORIT", "9 row 4": "TOVA", "4": "TOVA"}
    assert queue.worked["7"] == pytest.approx(166 / 3600)
    assert queue.started["4"] == pd.Timestamp("1999-02-02 00:00:20")  # past midnight
    menu = log.visits[log.visits.stage == "menu"]
    assert len(menu) == 6
    text = said(log)
    assert "1 row given up before the queue: no visit to `queue`" in text
    assert "1 row without service, and not given up" in text
    assert "1 row served before they entered the queue: entered when service began" in text
    assert "2 rows whose call_id is not theirs alone" in text


def test_a_plain_queue(tmp_path: Path) -> None:
    rows = [
        "2024-03-01T09:00:00,120,no,300,Ann",
        "2024-03-01T09:01:00,60,yes,,",
        "2024-03-01T09:02:00,0:30,no,2:00,Bob",
    ]
    log = read(tmp_path, rows, "arrival,wait,abandoned,service_time,agent")
    assert log.cases.outcome.tolist() == ["served", "abandoned", "served"]
    assert log.visits.started.tolist()[0] == pd.Timestamp("2024-03-01 09:02")
    assert log.visits.left.tolist() == [
        pd.Timestamp(f"2024-03-01 09:{m}") for m in ("07", "02", "04:30")
    ]
    assert log.visits.worked.round(6).tolist()[::2] == [0.083333, 0.033333]
    minutes = read(tmp_path, rows[:1], "arrival,wait_minutes,abandoned,service_minutes,agent")
    assert minutes.visits.started.tolist() == [pd.Timestamp("2024-03-01 11:00")]


def test_days_and_bounds(tmp_path: Path) -> None:
    log = read(
        tmp_path, since=pd.Timestamp("1999-02-01 08:00"), until=pd.Timestamp("1999-02-01 9:00")
    )
    assert len(log.cases) == 4
    assert "1 row before 1999-02-01 08:00:00" in said(log)
    with pytest.raises(DataError, match="times of the day and no column is the day"):
        read(tmp_path, ["9:00:00 5 AGENT"], "arrival\twait\toutcome")
    with pytest.raises(DataError, match="no record is left"):
        read(tmp_path, since=pd.Timestamp("2001-01-01"))
    with pytest.raises(
        DataError, match=r"column 'q_time', value 'long': the wait is not a duration"
    ):
        read(tmp_path, [r.replace(" 34 ", " long ") for r in CALLS])
