"""What a log shows: order, loops, teams, ends, and what is missing."""

from __future__ import annotations

import csv
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.fit.logs.discover import discover, median
from simulator.fit.logs.log import Log
from simulator.fit.logs.read import read_log
from simulator.fit.logs.reading import read_files
from simulator.fit.logs.teams import teams_of

HEAD = ["case", "activity", "start", "end", "resource", "channel", "size"]
TEAM = {"qualify": "sdr", "demo": "ae", "contract": "ae", "legal": "legal"}
NEXT = {"qualify": "demo", "demo": "legal", "legal": "contract", "contract": "Won"}


def events(n: int = 200, seed: int = 3) -> list[list[str]]:
    """Cases through four stages: demo may go back to qualify, legal is skipped by half."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        at, stage = pd.Timestamp("2024-01-01") + pd.Timedelta(hours=float(6 * i)), "qualify"
        while stage in TEAM:
            at += pd.Timedelta(hours=float(rng.exponential(20.0)))
            begin, at = at, at + pd.Timedelta(hours=1)
            who = f"{TEAM[stage]}-{rng.integers(3)}"
            rows.append([str(i), stage, str(begin), str(at), who, "web" if i % 3 else "event",
                         "big" if i % 2 else "small"])  # fmt: skip
            if rng.random() < 0.2 and stage != "demo":
                stage = "Lost"
            elif rng.random() < 0.3 and stage == "demo":
                stage = "qualify"
            else:
                stage = NEXT[stage]
                if stage == "legal" and i % 2:
                    stage = "contract"
        rows.append([str(i), stage, str(at), str(at), "", rows[-1][5], rows[-1][6]])
    return rows


def write(path: Path, rows: list[list[str]], head: list[str] = HEAD) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return read_log(write(tmp_path_factory.mktemp("logs") / "log.csv", events()))


def test_stages_are_in_order_with_their_counts(log: Log) -> None:
    p = discover(log)
    assert [s.name for s in p.stages if not s.mark] == ["qualify", "demo", "legal", "contract"]
    rows = [r for r in events() if r[1] in TEAM]
    for stage in p.stages:
        if not stage.mark:
            assert stage.visits == sum(r[1] == stage.name for r in rows)
            assert stage.worked_hours == pytest.approx(1.0)
    paths = [[r[1] for r in rows if r[0] == str(i)] for i in range(200)]
    by = {s.name: s for s in p.stages}
    assert by["legal"].skipped == sum("contract" in w and "legal" not in w for w in paths)
    back = sum(a == "demo" and b == "qualify" for w in paths for a, b in pairwise(w))
    assert by["qualify"].back == back
    assert [(t.source, t.target, t.count) for t in p.loops] == [("demo", "qualify", back)]


def test_transitions_add_up(log: Log) -> None:
    p = discover(log)
    out: dict[str, int] = {}
    into: dict[str, int] = {}
    for t in p.transitions:
        out[t.source] = out.get(t.source, 0) + t.count
        into[t.target] = into.get(t.target, 0) + t.count
    assert out["(begin)"] == 200
    assert into["won"] + into["lost"] == 200
    for stage in TEAM:
        assert into[stage] == out[stage]
        assert sum(t.share for t in p.transitions if t.source == stage) == pytest.approx(1)


def test_people_become_teams_by_what_they_do(log: Log) -> None:
    p = discover(log)
    teams = {frozenset(x.rpartition("-")[0] for x in t.people): len(t.people) for t in p.teams}
    assert teams == {frozenset({"sdr"}): 3, frozenset({"ae"}): 3, frozenset({"legal"}): 3}
    assert sum(t.visits for t in p.teams) == sum(s.visits for s in p.stages if not s.mark)
    between = {(h.source, h.target) for h in p.handoffs}
    assert ("qualify", "demo") in between or ("qualify", "contract") in between


def test_chance_makes_no_teams() -> None:
    rng = np.random.default_rng(5)
    n = 3000
    visits = pd.DataFrame(
        {
            "who": rng.choice([f"p{i}" for i in range(20)], n),
            "stage": rng.choice(["a", "b", "c"], n),
            "worked": 1.0,
        }
    )
    (team,) = teams_of(visits)
    assert len(team.people) == 20
    assert team.hours == n


def test_ends_channels_and_segments(log: Log) -> None:
    p = discover(log)
    assert {g.name: g.cases for g in p.outcomes} == log.cases.outcome.value_counts().to_dict()
    assert {g.name: g.cases for g in p.channels} == {"web": 133, "event": 67}
    assert {g.name for g in p.segments} == {"big", "small"}
    won = log.cases.outcome.eq("won")
    big = log.cases["size"].eq("big")
    assert {g.name: g.won for g in p.segments}["big"] == pytest.approx(won[big].mean())


def test_medians_see_what_is_still_open() -> None:
    length = pd.Series([1.0, 2.0, 3.0, 10.0, 10.0])
    done = pd.Series([True, True, True, False, False])
    assert median(length, done) == 3.0  # not 2, the median of the closed
    assert median(length, pd.Series([False] * 5)) is None
    assert median(length, pd.Series([True, False, False, False, False])) is None


def test_who_acts_day_and_night_is_a_program(tmp_path: Path) -> None:
    rows = events()
    rows += [[str(i % 200), "import", str(pd.Timestamp("2024-01-01") + pd.Timedelta(hours=i)), "",
              "robot", "web" if (i % 200) % 3 else "event", "big" if i % 2 else "small"]
             for i in range(400)]  # fmt: skip
    lives = [[r[0], r[1], "start" if r[3] else "complete", r[2], *r[4:]] for r in rows]
    lives += [[r[0], r[1], "complete", r[3], *r[4:]] for r in rows if r[3] and r[1] in TEAM]
    head = ["case", "activity", "lifecycle", "timestamp", "resource", "channel", "size"]
    p = discover(read_log(write(tmp_path / "log.csv", lives, head)))
    assert p.programs == ("robot",)
    assert not any("robot" in t.people for t in p.teams)


def stages(
    rows: list[str], head: str = "opportunity_id,stage,owner,created_date,close_date"
) -> str:
    return "\n".join([head, *rows])


MISSING = [
    ([f"{i},Open,Ann,2024-01-0{i},2024-09-01" for i in range(1, 9)], "All cases are open"),
    ([f"{i},Closed Lost,Ann,2024-01-0{i},2024-02-01" for i in range(1, 9)], "No case is won"),
    ([f"{i},Closed Won,Ann,2024-01-0{i},2024-02-01" for i in range(1, 4)], "Only 3 won"),
    ([f"{i},Closed Won,Ann,2024-01-0{i},2024-02-01" for i in range(1, 9)], "No case is lost"),
    (
        [f"{i},Closed Lost,Ann,2024-01-0{i}," for i in range(1, 9)],
        "8 cases ended on a day nobody kept",
    ),
    ([f"{i},Closed Won,Ann,2024-01-0{i},2024-02-01" for i in range(1, 9)], "No history of stages"),
    ([f"{i},Closed Won,Ann,2024-01-0{i},2024-02-01" for i in range(1, 9)], "One person (Ann)"),
    ([f"{i},Closed Won,,2024-01-0{i},2024-02-01" for i in range(1, 9)], "Nobody is named"),
    ([f"{i},Closed Won,,2024-01-0{i},2024-02-01" for i in range(1, 9)], "Nothing says when work"),
]


@pytest.mark.parametrize(("rows", "says"), MISSING)
def test_what_is_missing_is_said_with_what_to_export(
    tmp_path: Path, rows: list[str], says: str
) -> None:
    path = tmp_path / "deals.csv"
    path.write_text(stages(rows))
    said = [s for s in read_files([path]).missing if s.startswith(says)]
    assert len(said) == 1
    assert "xport" in said[0] or "event log" in said[0]


def test_the_command_says_it_all(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", events())
    done = CliRunner().invoke(main, ["read", str(path)])
    assert done.exit_code == 0
    assert "200 cases and" in done.output
    assert "qualify (200) → demo" in done.output
    assert "event log" in done.output
    done = CliRunner().invoke(main, ["read", str(path), "--json"])
    answer = json.loads(done.output)
    assert answer["cases"] == 200
    assert answer["route"] == "log"
    assert answer["files"][0]["columns"]["activity"] == "activity"
    assert {"stages", "transitions", "teams", "findings", "missing"} <= set(answer)


def test_columns_can_be_named(tmp_path: Path) -> None:
    head = ["Fall", "Schritt", "start", "end", "resource", "channel", "size"]
    path = write(tmp_path / "log.csv", events(20), head)
    done = CliRunner().invoke(main, ["read", str(path)])
    assert done.exit_code == 1
    assert "--column ROLE=COLUMN" in done.output + done.stderr
    named = ["--column", "case=Fall", "--column", "activity=Schritt"]
    done = CliRunner().invoke(main, ["read", str(path), *named, "--json"])
    assert json.loads(done.output)["cases"] == 20
    done = CliRunner().invoke(main, ["read", str(path), "--column", "case"])
    assert done.exit_code == 2
