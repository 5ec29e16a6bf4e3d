"""The store: what it refuses, what it finds damaged, and what a disk may do to it."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
from pathlib import Path

import pytest
from sweep_files import SWEEP, TINY, command, tables, write

from simulator.errors import DataError, EngineError
from simulator.sweep import plan as plan_module
from simulator.sweep import store as store_module
from simulator.sweep.audit import audit
from simulator.sweep.run import sweep

pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    sweep(write(folder), folder / "store", executor="serial", task_seconds=0.0)
    return folder


@pytest.fixture
def store(made, tmp_path):
    """A copy of a finished store, and its sweep file."""
    shutil.copytree(made / "store", tmp_path / "store")
    return tmp_path / "store"


def again(made, store, **how):
    said = []
    sweep(made / "sweep.yaml", store, executor="serial", say=said.append, **how)
    return said


@pytest.mark.parametrize(
    ("sweep_says", "scenario_says", "says"),
    [
        (("name:", "seed: 7\nname:"), None, "the seed there is 1, here 7."),
        (("engine: events", "engine: batch"), None, "the engine there is events, here batch."),
        (("arr, wins", "arr"), None, "the outcomes there is arr, wins, here arr."),
        (("week 3, ", ""), None, "the weeks there is 3.0, 6.0, here 6.0."),
        (None, ("leads: 3/week", "leads: 4/week"), "holds runs of another sweep: the scenario "),
    ],
)
def test_a_store_of_another_sweep_is_refused(store, tmp_path, sweep_says, scenario_says, says):
    file = write(
        tmp_path,
        SWEEP.replace(*sweep_says) if sweep_says else SWEEP,
        TINY.replace(*scenario_says) if scenario_says else TINY,
    )
    before = {p: p.read_bytes() for p in store.rglob("*.*")}
    with pytest.raises(DataError) as told:
        sweep(file, store)
    assert says in str(told.value)
    assert str(told.value).endswith("Name another folder with --out")
    assert {p: p.read_bytes() for p in store.rglob("*.*")} == before


def test_a_store_of_another_version_of_the_laws_is_refused(made, store, monkeypatch):
    monkeypatch.setattr(plan_module, "laws", lambda engine: "f" * 16)
    with pytest.raises(DataError) as told:
        sweep(made / "sweep.yaml", store)
    assert "the version of the laws there is " in str(told.value)
    assert "(growthsim 0." in str(told.value)
    with pytest.raises(DataError, match=r"this growthsim would not give the same runs"):
        audit(store)


def test_the_laws_change_with_what_results_depend_on(tmp_path, root, monkeypatch):
    import simulator
    from simulator.sweep.work import laws

    copy = tmp_path / "simulator"
    ignore = shutil.ignore_patterns("__pycache__", "fit", "report", "analysis", "cli")
    shutil.copytree(root / "simulator", copy, ignore=ignore)
    before = laws("events")
    monkeypatch.setattr(simulator, "__file__", str(copy / "__init__.py"))
    assert laws("events") == before
    assert laws("flow") != before
    with (copy / "laws.py").open("a") as stream:
        stream.write("# changed\n")
    assert laws("events") != before


def test_names_and_stories_are_no_part_of_what_runs_are(made, store, tmp_path):
    file = write(tmp_path, SWEEP.replace("Tiny sweep", "Other"), TINY.replace("Tiny", "Else"))
    sweep(file, store, executor="serial")
    assert (store / "runs" / "runs-00000.parquet").read_bytes() == (
        made / "store" / "runs" / "runs-00000.parquet"
    ).read_bytes()


def test_a_folder_of_other_things_is_refused(tmp_path):
    file = write(tmp_path / "a")
    other = tmp_path / "photos"
    other.mkdir()
    (other / "cat.jpg").write_text("")
    with pytest.raises(DataError, match=r"holds files that are not a sweep's \(cat.jpg\)"):
        sweep(file, other)
    assert [p.name for p in other.iterdir()] == ["cat.jpg"]
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"is a file, not a folder for a sweep"):
        sweep(file, tmp_path / "file")


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ("{", "damaged. Remove it and start the sweep again"),
        ('{"kind": "comparison"}', "holds another kind of result"),
        ('{"kind": "sweep", "format": 99, "identity": {}}', "a store of format 99"),
    ],
)
def test_a_manifest_that_cannot_be_used(made, store, manifest, says):
    (store / "manifest.json").write_text(manifest)
    with pytest.raises(DataError, match=says):
        sweep(made / "sweep.yaml", store)


def test_runs_are_found_without_the_manifest(made, store, monkeypatch):
    (store / "manifest.json").unlink()
    monkeypatch.setattr("simulator.sweep.run.work", None)
    again(made, store)
    assert tables(store) == tables(made / "store")


def test_a_read_only_folder(tmp_path):
    file = write(tmp_path)
    with pytest.raises(DataError, match=r"cannot be written \(.*\)\. Name another folder"):
        sweep(file, Path("/proc/sweep"))


def spoil(part: Path, how: str) -> None:
    data = part.read_bytes()
    if how == "a bit":
        part.write_bytes(data[:40] + bytes([data[40] ^ 1]) + data[41:])
    elif how == "half":
        part.write_bytes(data[: len(data) // 2])
    elif how == "empty":
        part.write_bytes(b"")
    else:
        part.unlink()


@pytest.mark.parametrize("how", ["a bit", "half", "empty", "gone"])
def test_a_damaged_part_is_found_and_its_runs_run_again(made, store, how):
    part = sorted((store / "parts").glob("*.parquet"))[1]
    spoil(part, how)
    with pytest.raises(DataError) as told:
        audit(store)
    assert str(part) in str(told.value)
    assert f"growthsim sweep {store / 'sweep.yaml'} --out {store} runs what is lost again." in str(
        told.value
    )
    said = again(made, store)
    if how != "gone":
        assert f"{part}: damaged (wrong checksum); its runs are run again" in said
        assert part.with_suffix(".damaged").exists()
    assert tables(store) == tables(made / "store")
    assert audit(store).state == "finished"


def test_a_damaged_table_is_found_and_made_again(made, store):
    table = store / "runs" / "runs-00000.parquet"
    spoil(table, "a bit")
    with pytest.raises(DataError, match=r"runs-00000.parquet: damaged"):
        audit(store)
    again(made, store)
    assert tables(store) == tables(made / "store")


def test_an_audit_does_some_runs_again(store):
    found = audit(store)
    assert (found.kept, found.repeated, found.checked) == (24, 3, 2)
    assert (
        "24 runs and 2 tables are whole; 3 runs done again gave the same bits."
        in found.sentences[0]
    )


def test_an_audit_finds_runs_that_are_not_what_they_should_be(store):
    for part in (store / "parts").glob("*.parquet"):
        table = pq.read_table(part)
        column = table.schema.get_field_index("arr@6")
        wrong = table.set_column(column, "arr@6", [[1.0] * len(table)])
        pq.write_table(wrong, store / "forged")
        data = (store / "forged").read_bytes()
        part.unlink()
        (store / "parts" / f"{store_module.digest(data)}.parquet").write_bytes(data)
    (store / "forged").unlink()
    manifest = json.loads((store / "manifest.json").read_text())
    (store / "manifest.json").write_text(json.dumps({**manifest, "parts": []}))
    with pytest.raises(DataError, match=r"done again, does not give what is stored"):
        audit(store)


def test_an_audit_of_no_store(tmp_path):
    with pytest.raises(DataError, match=r"no sweep is stored here: it has no manifest.json"):
        audit(tmp_path)


def test_what_a_kill_leaves_behind_is_cleared_away(made, store):
    (store / ".aside-x1").write_text("half")
    (store / "parts" / "stray.txt").write_text("")
    again(made, store)
    assert not (store / ".aside-x1").exists()


def full_after(monkeypatch, files):
    """A disk that is full after so many files."""
    fsync, count = os.fsync, []

    def full(handle):
        count.append(handle)
        if len(count) > files:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    monkeypatch.setattr(store_module.os, "fsync", full)


def test_a_full_disk_keeps_what_is_finished(made, tmp_path, monkeypatch):
    monkeypatch.setattr("simulator.sweep.run.FLUSH", (0.0, 0.0))
    store = tmp_path / "s"
    with monkeypatch.context() as patch:
        full_after(patch, 14)
        with pytest.raises(DataError) as told:
            again(made, store, task_seconds=0.0)
    assert (
        "the disk is full (no space left on device). What was finished is kept: make room"
        in str(told.value)
    )
    assert not list(store.glob(".aside-*"))
    assert 0 < len(list((store / "parts").iterdir())) < 24
    again(made, store)
    assert tables(store) == tables(made / "store")


@pytest.mark.slow
def test_a_limit_on_the_size_of_files_is_told_as_a_full_disk(made, tmp_path, root):
    import subprocess

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))

    done = subprocess.run(
        command(made / "sweep.yaml", "--out", tmp_path / "s", "--executor", "serial", "--quiet"),
        preexec_fn=limited, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "the disk is full (file too large)" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_too_little_disk_is_said_before_the_start(made, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(plan_module.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DataError) as told:
        again(made, tmp_path / "s")
    assert "KiB of disk, and 1000 bytes are free. Take fewer points, outcomes or weeks" in str(
        told.value
    )


def test_too_little_time_is_said_before_the_start(made, tmp_path):
    with pytest.raises(EngineError) as told:
        again(made, tmp_path / "s", within=1e-9)
    assert "22 runs on 1 worker take about " in str(told.value)
    assert "or allow it, e.g. --within '1 days'" in str(told.value)


def test_times_and_sizes_as_people_say_them():
    assert [plan_module.duration(s) for s in (0.26, 42, 150, 9000, 400_000)] == [
        "0.3 seconds", "42 seconds", "2.5 minutes", "2.5 hours", "4.63 days",
    ]  # fmt: skip
    assert [plan_module.size(s) for s in (12, 2048, 3 << 20, 5 << 40)] == [
        "12 bytes", "2.0 KiB", "3.0 MiB", "5120.0 GiB",
    ]  # fmt: skip
