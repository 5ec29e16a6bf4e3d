"""Results on disk: complete, the same every time, safe to open, never over other people's files."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from made_results import arm, comparison, constraint, curve

from simulator.analysis import summary as module
from simulator.analysis.compare import compare
from simulator.analysis.run import run
from simulator.engines import simulate
from simulator.errors import DataError
from simulator.metrics import measure
from simulator.report import FIGURES, ready, write
from simulator.report import demo as demo_module
from simulator.report.demo import Demo, demo
from simulator.report.tables import cell, columns, write_csv, write_parquet
from simulator.report.write import slug
from simulator.spec.load import load, load_text

DESK = """
name: One desk
horizon: 26 weeks
outcome: wins
channels: {web: {leads: {now: 10/week, saturation: 1.0}, spend: 1 kUSD/week}}
teams: {desk: {headcount: 2, hours: 15/week, ramp: 0 weeks, cost: 52 kUSD/year}}
stages: {talk: {team: desk, effort: 2 h, patience: 2 weeks, advance: 50%}}
"""


@pytest.fixture(scope="module")
def desk():
    return load_text(DESK)


@pytest.fixture(scope="module")
def record(desk):
    return simulate(system_of(desk))


def system_of(loaded):
    from simulator.system import build

    return build(loaded.scenario)


def digests(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_everything_of_a_comparison(tmp_path):
    out = tmp_path / "deep" / "run"
    files = write(comparison(), out)
    assert {f.relative_to(out).as_posix() for f in files} == set(digests(out))
    assert {p.name for p in (out / "scenarios").iterdir()} == {
        "today.yaml", "push-harder.yaml", "fix.yaml",
    }  # fmt: skip
    plots = [n for n, plot in FIGURES["comparison"].items() if plot.when(comparison())]
    figures = {f"{name}{end}" for name in plots for end in (".png", ".svg")}
    assert {p.name for p in (out / "figures").iterdir()} == figures
    assert {p.name for p in (out / "tables").glob("*.csv")} == {
        "arms.csv", "metrics.csv", "ledger.csv", "series.csv",
    }  # fmt: skip
    assert json.loads((out / "result.json").read_text()) == comparison().to_json()
    said = json.loads((out / "run.json").read_text())
    assert said["kind"] == "comparison"
    assert (said["engine"], said["seed"], said["replications"]) == ("events", 7, 5)
    assert {"growthsim", "python", "libraries", "command", "files"} <= set(said)
    assert set(said["files"]) == set(digests(out)) - {"run.json"}
    assert load(out / "scenarios" / "today.yaml").scenario == comparison().today.system.scenario


def test_same_result_same_bytes(tmp_path):
    for name in "ab":
        write(comparison(), tmp_path / name, figures=False)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


@pytest.mark.parametrize(("kind", "result"), [("curve", curve()), ("constraint", constraint())])
def test_everything_of_the_others(kind, result, tmp_path):
    write(result, tmp_path)
    assert {p.stem for p in (tmp_path / "figures").iterdir()} == {
        name for name, plot in FIGURES[kind].items() if plot.when(result)
    }
    assert {p.stem for p in (tmp_path / "tables").iterdir()} == set(result.tables)
    assert (tmp_path / "scenarios" / "today.yaml").is_file()


def test_without_figures(tmp_path):
    write(curve(), tmp_path, figures=True)
    write(curve(), tmp_path, figures=False)
    assert not list(tmp_path.rglob("*.png"))


def test_tables_read_back(tmp_path):
    write(comparison(), tmp_path, figures=False)
    rows = comparison().tables["series"]
    plain = pd.read_csv(tmp_path / "tables" / "series.csv")
    parquet = pd.read_parquet(tmp_path / "tables" / "series.parquet")
    for table in (plain, parquet):
        assert table["arr"].tolist() == [row["arr"] for row in rows]
        assert table["as_written"].tolist() == [row["as_written"] for row in rows]
        assert list(table.columns) == list(rows[0])


def test_a_record(record, tmp_path):
    write(record, tmp_path)
    said = json.loads((tmp_path / "result.json").read_text())
    assert said["kind"] == "run"
    metrics = {r["metric"]: r["value"] for r in read(tmp_path / "tables" / "metrics.csv")}
    assert float(metrics["wins"]) == measure(record)["wins"] == said["metrics"]["wins"]
    fates = read(tmp_path / "tables" / "fates.csv")
    leads = read(tmp_path / "tables" / "leads.csv")
    series = read(tmp_path / "tables" / "series.csv")
    assert sum(float(f["leads"]) for f in fates) == len(leads)
    assert len(series) == 27
    assert float(series[-1]["arrived.web"]) == len(leads) - record.opening.sum()
    lost = sum(r["fate"] == "lost:talk:went_cold" for r in leads)
    assert lost == float(next(f["leads"] for f in fates if f["fate"] == "lost:talk:went_cold"))
    assert load(tmp_path / "scenarios" / "today.yaml").scenario == record.system.scenario


def test_a_run(desk, record, tmp_path):
    write(run(desk, replications=2), tmp_path)
    said = json.loads((tmp_path / "run.json").read_text())
    assert (said["kind"], said["name"], said["replications"]) == ("run", "One desk", 2)
    assert len(read(tmp_path / "tables" / "series.csv")) == 27
    assert {"metric", "mean"} <= set(read(tmp_path / "tables" / "metrics.csv")[0])
    assert load(tmp_path / "scenarios" / "today.yaml").scenario == desk.scenario


class Fitted:
    """What a fit gives: words, tables, plain values."""

    tables = {"Days to won": [{"law": "gamma", "weight": 0.5}], "Nothing": []}  # noqa: RUF012

    def to_json(self):
        return {"leads": 3}


def test_a_result_of_tables_only(tmp_path):
    files = write(Fitted(), tmp_path)
    assert {f.relative_to(tmp_path).as_posix() for f in files} == {
        "result.json", "run.json", "tables/days-to-won.csv", "tables/days-to-won.parquet",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", " =1+1"])
def test_a_cell_is_never_a_formula(text, tmp_path):
    safe = "'" + text.replace("\r", "\n")
    assert cell(text) == safe
    assert (cell("a=b"), cell(-1.5), cell(None), cell(True)) == ("a=b", -1.5, "", "true")
    write_csv(columns([{text: text}]), tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as stream:
        assert list(csv.reader(stream)) == [[safe], [safe]]


def test_names_of_variants_are_made_safe(tmp_path):
    arms = [arm(), arm("=HYPERLINK(1)", "push"), arm("../../up", "fix"), arm("../..up", "other")]
    write(comparison(arms), tmp_path / "out", figures=False)
    assert {p.name for p in (tmp_path / "out" / "scenarios").iterdir()} == {
        "today.yaml", "hyperlink-1.yaml", "up.yaml", "up-2.yaml",
    }  # fmt: skip
    names = {row["arm"] for row in read(tmp_path / "out" / "tables" / "arms.csv")}
    assert "'=HYPERLINK(1)" in names
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]
    assert slug("Ещё маркетинг!") == "ещё-маркетинг"
    assert slug("///") == "unnamed"


def test_mixed_and_missing_values(tmp_path):
    rows = [{"a": 1, "b": None, "c": "x"}, {"a": 2.5, "c": 3, "d": float("inf")}, {"e": [1, 2]}]
    table = columns(rows)
    assert table["d"] == [None, None, None]
    write_parquet(table, tmp_path / "t.parquet")
    found = pd.read_parquet(tmp_path / "t.parquet")
    assert found["a"].tolist()[:2] == [1.0, 2.5]
    assert found["c"].tolist()[:2] == ["x", "3"]
    assert found["e"].tolist()[2] == "[1, 2]"


def test_only_its_own_files_are_replaced(tmp_path):
    write(comparison(), tmp_path, figures=False)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "mine.png").write_text("mine")
    smaller = comparison([arm(), arm("Fix", "fix")])
    write(smaller, tmp_path, figures=False)
    assert not (tmp_path / "scenarios" / "push-harder.yaml").exists()
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "figures" / "mine.png").read_text() == "mine"
    assert not list(tmp_path.glob(".part-*"))


def test_a_manifest_cannot_reach_out_of_its_folder(tmp_path):
    out = tmp_path / "out"
    write(curve(), out, figures=False)
    (tmp_path / "precious.csv").write_text("mine")
    (out / "tables" / "precious").mkdir()
    said = json.loads((out / "run.json").read_text())
    said["files"] += [
        "../precious.csv",
        str(tmp_path / "precious.csv"),
        "tables/../../precious.csv",
        3,
    ]
    (out / "run.json").write_text(json.dumps(said))
    write(curve(), out, figures=False)
    assert (tmp_path / "precious.csv").read_text() == "mine"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"thesis.doc": "mine"}, "holds files that are not a result"),
        ({"run.json": "{}"}, "holds files that are not a result"),
        ({"run.json": "not json"}, "holds files that are not a result"),
        ({"run.json": '{"growthsim": "0", "kind": "comparison"}'}, "another kind"),
    ],
)
def test_a_folder_of_something_else_is_refused(content, says, tmp_path):
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    before = digests(tmp_path)
    if "another kind" not in says:
        with pytest.raises(DataError, match=says):
            ready(tmp_path)
    with pytest.raises(DataError, match=says) as error:
        write(curve(), tmp_path)
    assert str(error.value).startswith(f"{tmp_path}: ")
    assert "\n" not in str(error.value)
    assert digests(tmp_path) == before


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(DataError, match="is a file"):
        write(curve(), tmp_path / "out")
    for attempt in (ready, partial(write, curve())):
        with pytest.raises(DataError, match="cannot be written"):
            attempt(tmp_path / "out" / "below")
    ready(tmp_path / "new" / "deep")
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_locked(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DataError, match="cannot be written"):
        write(curve(), tmp_path / "out")


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    def full(*_args, **_named):
        raise OSError(28, "No space left on device", "x.csv")

    monkeypatch.setattr("simulator.report.tables.write_csv", full)
    with pytest.raises(DataError, match="no space left on device"):
        write(curve(), tmp_path / "out")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def parts():
    return {"compare": comparison(), "curve": curve(), "constraint": constraint()}


def test_a_demo_is_three_results(parts, tmp_path):
    write(Demo(parts), tmp_path, figures=False)
    assert {p.name for p in tmp_path.iterdir()} == {
        "compare", "curve", "constraint", "result.json", "run.json",
    }  # fmt: skip
    for name, part in parts.items():
        assert json.loads((tmp_path / name / "result.json").read_text()) == part.to_json()
    assert json.loads((tmp_path / "result.json").read_text())["curve"] == parts["curve"].to_json()
    write(Demo({"compare": parts["compare"]}), tmp_path, figures=False)
    assert not (tmp_path / "curve" / "result.json").exists()


def test_a_demo_asks_all_three(parts, monkeypatch):
    asked = {}

    def answers(name):
        def ask(*_args, progress, **options):
            asked[name] = options
            progress(1)
            return parts[name]

        return ask

    for home, name in (("compare_study", "compare"), ("curve", "curve"), ("constraint",) * 2):
        monkeypatch.setattr(demo_module, home, answers(name))
    told = []
    found = demo("the-flood", progress=told.append)
    assert list(found.parts) == ["compare", "curve", "constraint"]
    assert told == [1, 2, 3]
    assert all("most" in options for options in asked.values())
    assert found.sentences[0] == "Push, or fix?"
    demo("the-flood", replications=2, seed=3)
    assert asked["constraint"] == {"replications": 2, "seed": 3}

    def stopped(*_args, **_named):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo_module, "curve", stopped)
    kept = demo("the-flood")
    assert list(kept.parts) == ["compare"]
    assert kept.reason.startswith("interrupted")


def test_summaries_are_small(parts):
    tables = module.summary(Demo(parts))
    assert list(tables) == ["variants", "effort", "reliefs", "teams"]
    names = [row["variant"] for row in tables["variants"]]
    assert names == ["Today", "Push harder", "Fix", "Push harder, at equal spend (0.4x)"]
    push = tables["variants"][1]
    assert push["gain_of_ARR"] == "2.5% ± 1.0%"
    assert push["CAC"] == "30 kUSD"
    assert push["busiest_team"] == "desk0 90%"
    assert module.summary(Fitted()) is Fitted.tables


def test_a_real_comparison(desk, tmp_path):
    today = desk.scenario
    push = load_text(DESK + "levers: [{scale: channels.web.spend, by: 2}]\nrole: push").scenario
    fix = load_text(DESK + "levers: [{add: teams.desk.headcount, by: 1}]\nrole: fix").scenario
    variants = [s.model_copy(update={"name": n}) for s, n in ((push, "Push $1"), (fix, "Fix"))]
    result = compare(today, variants, engine="events", replications=2, jobs=1)
    write(result, tmp_path)
    book = [r for r in read(tmp_path / "tables" / "ledger.csv") if r["section"] == "wins"]
    for a in result.arms[1:]:
        key = (a.name, str(a.equal).lower(), str(a.written).lower())
        mine = [r for r in book if (r["arm"], r["equal_spend"], r["as_written"]) == key]
        total = sum(float(r["value"]) for r in mine)
        assert total == pytest.approx(a.metrics["wins"].mean - result.today.metrics["wins"].mean)
    assert len(list((tmp_path / "figures").iterdir())) == 2 * sum(
        plot.when(result) for plot in FIGURES["comparison"].values()
    )
