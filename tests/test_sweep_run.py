"""Sweeps as they are run: the same tables whoever does the work, and nothing finished is lost."""

from __future__ import annotations

import dataclasses
import json
import math
import multiprocessing
import random
import signal
import time

import numpy as np
import pytest
from click.testing import CliRunner
from sweep_files import SWEEP, TINY, started, tables, write

from simulator import build, measure, simulate
from simulator.cli import main
from simulator.errors import DataError, EngineError
from simulator.sweep import run as run_module
from simulator.sweep.audit import audit
from simulator.sweep.executors import Crew, Serial, crew
from simulator.sweep.points import apply
from simulator.sweep.read import load_sweep
from simulator.sweep.run import sweep
from simulator.sweep.store import MANIFEST
from simulator.sweep.work import Until

pq = pytest.importorskip("pyarrow.parquet")
RUNS = 2 * 4 * 3


def read(store):
    return pq.read_table(store / "runs").to_pandas()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A sweep run in one go."""
    folder = tmp_path_factory.mktemp("whole")
    file = write(folder)
    sweep(file, folder / "store", executor="serial")
    return folder


def shell(*args):
    """The command line, in this process."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        return CliRunner().invoke(main, list(map(str, args)))
    finally:
        signal.signal(signal.SIGTERM, before)


def interrupting(after):
    """A progress that interrupts after so many runs."""

    def told(done, _total):
        if done >= after:
            raise KeyboardInterrupt

    return told


def test_every_row_is_what_a_run_of_the_changed_scenario_gives(whole):
    spec = load_sweep(whole / "sweep.yaml")
    found = read(whole / "store")
    assert len(found) == RUNS * 2
    axes = (*spec.levers.axes, *spec.uncertainties.axes)
    for _, row in found.iloc[[0, 7, 22, 47]].iterrows():
        system = build(apply(spec.scenario, axes, [row[axis.name] for axis in axes]))
        record = simulate(system, "events", seed=spec.seed, replication=int(row["replication"]))
        metrics = measure(record, row["week"])
        assert (row["arr"], row["wins"]) == (metrics["arr"], metrics["wins"])


def test_rows_are_in_order_with_the_levers_first(whole):
    found = read(whole / "store")
    order = ["lever", "world", "replication", "week"]
    assert found[order].values.tolist() == sorted(found[order].values.tolist())
    assert (found["point"] == found["lever"] * 4 + found["world"]).all()
    assert found.groupby("lever")["teams.ae.headcount"].unique().tolist() == [[1.0], [2.0]]


def test_the_same_luck_in_every_world_and_under_every_lever(tmp_path):
    # A lever that does nothing to the funnel: each replication repeats itself under it.
    text = SWEEP.replace("teams.ae.headcount: [1, 2]", "teams.ae.cost: {scale: [1, 2]}")
    sweep(write(tmp_path, text), tmp_path / "s", executor="serial")
    found = read(tmp_path / "s")
    one, two = (found[found["lever"] == i]["arr"].to_numpy() for i in (0, 1))
    assert (one == two).all()
    assert len(set(one)) > 3


@pytest.mark.parametrize("how", [{"executor": "processes", "workers": 2}, {"task_seconds": 0.0}])
def test_the_tables_do_not_depend_on_who_works(whole, tmp_path, how):
    sweep(whole / "sweep.yaml", tmp_path / "s", **{"executor": "serial", **how})
    assert tables(tmp_path / "s") == tables(whole / "store")


class Shuffled(Serial):
    """Gives tasks back in another order, and loses some at first."""

    workers = 3

    def __init__(self):
        self.random = random.Random(5)
        self.held = []
        self.renewed = 0

    def submit(self, fn, /, *args):
        if self.random.random() < 0.2:
            raise ConnectionError("gone")
        future = super().submit(fn, *args)
        answer, waiting = future.result(), type(future)()
        self.held.append((waiting, answer))
        if len(self.held) > 2:
            self.give()
        return waiting

    def give(self):
        waiting, answer = self.held.pop(self.random.randrange(len(self.held)))
        if not waiting.cancelled():
            waiting.set_result(answer)

    def lost(self, error):
        return isinstance(error, ConnectionError)

    def renew(self, say):
        self.renewed += 1


def test_the_tables_do_not_depend_on_order_or_losses(whole, tmp_path, monkeypatch):
    # The loop waits for the last ones, which this crew holds back: let it give them.
    made = Shuffled()
    monkeypatch.setattr(run_module, "crew", lambda *a, **k: made)
    monkeypatch.setattr(run_module, "SMALL", 0.0)
    waits = run_module._Loop._wait

    def give_and_wait(loop):
        if made.held:
            made.give()
        waits(loop)

    monkeypatch.setattr(run_module._Loop, "_wait", give_and_wait)
    sweep(whole / "sweep.yaml", tmp_path / "s", workers=3, task_seconds=0.0)
    assert made.renewed > 0
    assert tables(tmp_path / "s") == tables(whole / "store")


def test_an_interrupted_sweep_goes_on(whole, tmp_path):
    file, store = whole / "sweep.yaml", tmp_path / "s"
    with pytest.raises(KeyboardInterrupt) as told:
        sweep(file, store, executor="serial", task_seconds=0.0, progress=interrupting(9))
    assert str(told.value) == (
        f"interrupted; 9 of 24 runs are kept. To go on: growthsim sweep {file} --out {store}"
    )
    said = []
    sweep(file, store, executor="serial", say=said.append)
    assert (
        "9 runs are there already; 13 runs to do" in said[-1]
    )  # 2 were done to see how long it takes
    assert tables(store) == tables(whole / "store")


def test_a_finished_sweep_runs_nothing_again(whole, tmp_path, monkeypatch):
    store = tmp_path / "s"
    sweep(whole / "sweep.yaml", store, executor="serial")
    monkeypatch.setattr(run_module, "work", None)
    result = sweep(whole / "sweep.yaml", store)
    assert result.runs == RUNS
    # The folder has all it takes to run it again.
    sweep(store / "sweep.yaml", store)
    assert tables(store) == tables(whole / "store")


@pytest.mark.parametrize(
    ("old", "new", "fresh"),
    [
        ("replications: 3", "replications: 5", 16),
        ("[1, 2]", "[1, 2, 3]", 12),
        ("points: 4", "points: 8", 24),
        ("replications: 3", "replications: 2", 0),
        ("[1, 2]", "[2, 1]", 0),
    ],
)
def test_a_larger_design_runs_only_what_is_new(tmp_path, monkeypatch, old, new, fresh):
    file, store = write(tmp_path / "a"), tmp_path / "s"
    sweep(file, store, executor="serial")
    ran = []
    work = run_module.work

    def counted(parcel, cases):
        done = work(parcel, cases)
        ran.extend(done.uid.tolist())
        return done

    monkeypatch.setattr(run_module, "work", counted)
    larger = write(tmp_path / "b", SWEEP.replace(old, new))
    sweep(larger, store, executor="serial")
    assert len(ran) == fresh
    sweep(larger, tmp_path / "t", executor="serial")
    assert tables(store) == tables(tmp_path / "t")


def test_a_point_that_stands_twice_is_run_once(tmp_path):
    text = SWEEP.replace("  axes:\n    teams.ae.headcount: [1, 2]", "  design: csv\n  file: p.csv")
    file = write(tmp_path, text)
    (tmp_path / "p.csv").write_text("teams.ae.headcount\n1\n2\n1\n")
    result = sweep(file, tmp_path / "s", executor="serial")
    assert result.runs == RUNS
    found = read(tmp_path / "s")
    assert len(found) == 3 * 4 * 3 * 2
    one, again = (found[found["lever"] == i]["arr"].to_numpy() for i in (0, 2))
    assert (one == again).all()


RULE = SWEEP.replace("replications: 3", "replications: {precision: 8%, of: arr, most: 30}")


def test_until_a_precision_each_point_has_as_many_as_it_needs(tmp_path):
    file = write(tmp_path, RULE)
    result = sweep(file, tmp_path / "s", executor="serial")
    found = read(tmp_path / "s")
    last = found[found["week"] == 6]
    counts = last.groupby("point").size()
    assert counts.nunique() > 1
    for _, values in last.groupby("point")["arr"]:
        until = Until(0.08)
        reached = [until.reached(v) for v in values]
        assert not any(reached[:-1])
        assert reached[-1] or len(values) == 30
    assert result.runs == counts.sum()
    # In several goes, and from runs of a fixed number, it is the same.
    store = tmp_path / "t"
    sweep(write(tmp_path / "fixed"), store, executor="serial")
    with pytest.raises(KeyboardInterrupt):
        sweep(file, store, executor="serial", task_seconds=0.0, progress=interrupting(40))
    sweep(file, store, executor="serial")
    assert tables(store) == tables(tmp_path / "s")


def test_the_rule_is_that_of_a_comparison():
    from simulator.analysis.runs import FIRST, LOOK_AHEAD, interval

    values = np.random.default_rng(4).normal(10.0, 2.0, 200).tolist()
    good = 0
    for n in range(1, 200):
        settled = n >= FIRST and interval(values[:n]) <= 0.08 * abs(np.mean(values[:n]))
        good = good + 1 if settled else 0
        if good > LOOK_AHEAD:
            break
    until = Until(0.08)
    assert next(i for i, v in enumerate(values, 1) if until.reached(v)) == n


def test_an_undefined_outcome_never_settles():
    until = Until(0.5)
    assert not any(until.reached(v) for v in [1.0, math.nan, *[1.0] * 50])


def test_the_flow_engine_runs_each_point_once(tmp_path):
    text = SWEEP.replace("engine: events\nreplications: 3", "engine: flow").replace("sobol", "grid")
    text = text.replace("  points: 4\n", "").replace("to: 6/week", "to: 6/week, steps: 2")
    text = text.replace("to: 120%", "to: 120%, steps: 2")
    result = sweep(write(tmp_path, text), tmp_path / "s", executor="serial")
    assert result.runs == 8


def test_flow_tables_do_not_depend_on_how_points_are_grouped(tmp_path):
    text = SWEEP.replace("engine: events\nreplications: 3", "engine: flow")
    text = text.replace("points: 4", "points: 32")
    file = write(tmp_path, text)
    said: list[str] = []
    whole = sweep(file, tmp_path / "a", executor="serial", say=said.append)
    assert whole.runs == 64
    assert not any("one by one" in line for line in said)
    sweep(file, tmp_path / "b", executor="serial", task_seconds=1e-9)
    assert tables(tmp_path / "a") == tables(tmp_path / "b")
    sweep(file, tmp_path / "d", executor="processes", workers=2)
    assert tables(tmp_path / "a") == tables(tmp_path / "d")
    # Grown from another design: the same points beside others.
    write(tmp_path, text.replace("points: 32", "points: 8"))
    sweep(file, tmp_path / "c", executor="serial")
    write(tmp_path, text)
    sweep(file, tmp_path / "c", executor="serial")
    assert tables(tmp_path / "a") == tables(tmp_path / "c")


def test_a_flow_sweep_says_when_its_points_are_solved_one_by_one(tmp_path):
    text = SWEEP.replace("engine: events\nreplications: 3", "engine: flow")
    scenario = TINY.replace("cost: 100 kUSD/year}", "cost: 100 kUSD/year, attrition: 20%/year}")
    assert scenario != TINY
    said: list[str] = []
    file = write(tmp_path, text.replace("points: 4", "points: 2"), scenario)
    result = sweep(file, tmp_path / "s", executor="serial", say=said.append)
    assert result.runs == 4
    told = "the flow engine solves its points one by one: something moves it week by week"
    assert f"Tiny sweep: {told}" in said


def test_batch_gives_what_events_gives(whole, tmp_path):
    file = write(tmp_path, SWEEP.replace("engine: events", "engine: batch"))
    sweep(file, tmp_path / "s", executor="serial")
    assert read(tmp_path / "s").equals(read(whole / "store"))


def test_points_that_cannot_be_run_are_told_and_the_others_kept(whole, tmp_path, monkeypatch):
    # Refused by an engine in mid-run, where no look at the file could have told.
    import simulator.sweep.work as work_module

    build = work_module.build

    def refuse(scenario):
        if scenario.teams["ae"].headcount == 2 and scenario.channels["web"].leads.now > 4:
            raise EngineError("Tiny: too many leads")
        return build(scenario)

    monkeypatch.setattr(work_module, "build", refuse)
    with pytest.raises(EngineError) as told:
        sweep(whole / "sweep.yaml", tmp_path / "s", executor="serial")
    first, *_, last = str(told.value).splitlines()
    assert "the point teams.ae.headcount 2, channels.web.leads.now " in first
    assert first.endswith("cannot be run: Tiny: too many leads")
    assert "2 of 8 points cannot be run; the other 6 are in " in last
    assert len(read(tmp_path / "s")) == 6 * 3 * 2
    assert len(pq.read_table(tmp_path / "s" / "summary.parquet")) == 8
    monkeypatch.undo()
    sweep(whole / "sweep.yaml", tmp_path / "s", executor="serial")
    assert tables(tmp_path / "s") == tables(whole / "store")


def test_a_task_that_kills_its_workers_is_given_up_with_a_reason(tmp_path, monkeypatch):
    class Deadly(Crew):
        workers = 2

        def submit(self, fn, /, *args):
            raise ConnectionError("worker died")

        def lost(self, error):
            return isinstance(error, ConnectionError)

    monkeypatch.setattr(run_module, "crew", lambda *a, **k: Deadly())
    monkeypatch.setattr(run_module, "SMALL", 0.0)
    with pytest.raises(
        EngineError, match=r"workers died 5 times in the same runs \(values \(1.0, "
    ):
        sweep(write(tmp_path), tmp_path / "s", workers=2)
    assert json.loads((tmp_path / "s" / MANIFEST).read_text())["state"] == "running"


def test_a_bug_in_a_task_is_raised_and_what_is_finished_kept(tmp_path, monkeypatch):
    file = write(tmp_path)
    work, calls = run_module.work, []

    def breaks(parcel, cases):
        calls.append(cases)
        if len(calls) > 6:
            raise ZeroDivisionError
        return work(parcel, cases)

    monkeypatch.setattr(run_module, "work", breaks)
    with pytest.raises(ZeroDivisionError):
        sweep(file, tmp_path / "s", executor="serial", task_seconds=0.0)
    assert audit(tmp_path / "s").kept == 6


def test_a_worker_of_another_version_is_refused(tmp_path):
    from simulator.errors import EngineError
    from simulator.sweep.plan import plan
    from simulator.sweep.work import Case, work

    laid = plan(load_sweep(write(tmp_path)))
    parcel = dataclasses.replace(laid.job, laws="0" * 16).parcel()
    with pytest.raises(EngineError, match=r"a worker has another version of growthsim"):
        work(parcel, (Case(0, laid.values(0), (0,)),))


def test_workers_without_growthsim_are_told(tmp_path, monkeypatch):
    class Bare(Crew):
        workers = 2

        def submit(self, fn, /, *args):
            raise ModuleNotFoundError("No module named 'simulator'")

    monkeypatch.setattr(run_module, "crew", lambda *a, **k: Bare())
    monkeypatch.setattr(run_module, "SMALL", 0.0)
    with pytest.raises(EngineError, match=r"lack what this process has \(No module named 'simul"):
        sweep(write(tmp_path), tmp_path / "s", workers=2)


def test_an_interrupt_while_tables_are_made_says_how_to_go_on(whole, tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "finish", stopped)
        with pytest.raises(
            KeyboardInterrupt, match=r"all runs are kept\. To go on: growthsim sweep"
        ):
            sweep(whole / "sweep.yaml", tmp_path / "s", executor="serial")
    sweep(whole / "sweep.yaml", tmp_path / "s")
    assert tables(tmp_path / "s") == tables(whole / "store")


def test_tasks_are_longer_on_many_workers():
    assert [run_module.task_length(n) for n in (1, 20, 100)] == [1.0, 1.0, 5.0]


def test_executors_there_are():
    with pytest.raises(EngineError, match=r"no executor named 'ray'. There are: serial, processes"):
        crew("ray", None, None)
    assert isinstance(crew("processes", 1, None), Serial)


# From the command line, in processes of their own.

MANY = SWEEP.replace("replications: 3", "replications: 20")


def stamp(store):
    """When a sweep last opened or finished a store."""
    manifest = store / "manifest.json"
    return manifest.stat().st_mtime_ns if manifest.exists() else 0


def kills(file, store, root, times, *how):
    """Kill a sweep so many times, most a random moment after its start; how many were at work."""
    psutil = pytest.importorskip("psutil")
    moments = random.Random(11)
    working, orphans = 0, []
    for number in range(times):
        before = stamp(store)
        process = started(file, "--out", store, "--quiet", *how, root=root)
        until = time.monotonic() + (1.0 if number % 5 == 4 else 60.0)
        while stamp(store) == before and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(moments.uniform(0.0, 1.5))
        working += process.poll() is None and stamp(store) != before
        orphans += psutil.Process(process.pid).children() if process.poll() is None else []
        process.kill()
        process.communicate()
    _, left = psutil.wait_procs(orphans, timeout=60)
    assert not left
    return working


def check_resumed(folder, file, store, runs):
    result = sweep(file, store, executor="serial")
    assert result.runs == runs
    sweep(file, folder / "once", executor="serial")
    assert tables(store) == tables(folder / "once")
    assert audit(store).kept >= runs


def test_killed_and_resumed_it_is_the_same_to_the_byte(root, tmp_path):
    file, store = write(tmp_path, MANY), tmp_path / "s"
    process = started(file, "--out", store, "--executor", "serial", root=root)
    until = time.monotonic() + 60
    while len(list(store.glob("parts/*"))) < 1 and time.monotonic() < until:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    check_resumed(tmp_path, file, store, 160)


@pytest.mark.slow
def test_killed_twenty_times_it_is_the_same_to_the_byte(root, tmp_path):
    file = write(tmp_path, SWEEP.replace("replications: 3", "replications: 250"))
    store = tmp_path / "killed"
    working = kills(file, store, root, 20, "--workers", 2, "--executor", "processes")
    assert working > 5
    check_resumed(tmp_path, file, store, 2000)


@pytest.mark.parametrize(
    "sign", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_signal_leaves_a_store_that_goes_on_and_says_how(root, tmp_path, sign):
    file = write(tmp_path, SWEEP.replace("replications: 3", "replications: 500"))
    store = tmp_path / "s"
    process = started(file, "--out", store, "--executor", "serial", root=root)
    until = time.monotonic() + 60
    while not list(store.glob("parts/*")) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(sign)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert f"To go on: growthsim sweep {file} --out {store}." in err.splitlines()[-1]
    assert " of 4,000 runs are kept" in err.splitlines()[-1]
    assert "Traceback" not in err


def test_a_pool_whose_worker_dies_goes_on(whole, tmp_path):
    file, store = whole / "sweep.yaml", tmp_path / "s"
    said = []

    def kill_one(*_):
        children = multiprocessing.active_children()
        if children and not said:
            children[0].kill()
            said.append("killed")

    told = []
    sweep(file, store, executor="processes", workers=2, progress=kill_one, say=told.append,
          task_seconds=0.0)  # fmt: skip
    assert said
    assert "a worker process died; its tasks are done again" in told
    assert tables(store) == tables(whole / "store")


def test_two_at_once_are_refused(root, tmp_path, whole):
    file, store = whole / "sweep.yaml", tmp_path / "s"
    refused = []

    def other(*_):
        if not refused:
            with pytest.raises(DataError) as told:
                sweep(file, store)
            refused.append(str(told.value))

    sweep(file, store, executor="serial", progress=other)
    assert "another sweep is writing here" in refused[0]


def test_the_answer_on_stdout(whole, tmp_path):
    done = shell("sweep", whole / "sweep.yaml", "--out", tmp_path / "s")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Tiny sweep: 24 runs (2 settings of the levers x 4 worlds), ")
    assert lines[1].startswith("Highest mean ARR at week 6: ")
    assert "with teams.ae.headcount " in lines[1]
    assert "2 settings x 4 worlds x 3 replications; 22 runs to do, about " in done.stderr
    done = shell("sweep", whole / "sweep.yaml", "--out", tmp_path / "s", "--json")
    found = json.loads(done.stdout)
    assert (found["runs"], found["settings"], found["worlds"]) == (24, 2, 4)
    assert len(found["summary"]) == found["summary_rows"] == 2 * 2 * 2
    assert shell("sweep", whole / "sweep.yaml", "--out", tmp_path / "s", "--quiet").stderr == ""


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "Give a sweep file, or --audit DIR."),
        (["s.yaml"], "Missing option '--out'"),
        (["s.yaml", "--audit", "d"], "Give a sweep file, or --audit DIR."),
        (["--audit", "d", "--workers", "2"], "--audit goes with no other option"),
        (["s.yaml", "--out", "d", "--executor", "ray"], "'ray' is not one of"),
        (["s.yaml", "--out", "d", "--within", "soon"], "--within"),
        (["s.yaml", "--out", "d", "--within", "0 days"], "is not above 0"),
        (
            ["s.yaml", "--out", "d", "--dask", "tcp://x:1", "--executor", "serial"],
            "--dask excludes",
        ),
    ],
)
def test_a_wrong_command_line_exits_2(args, says):
    done = shell("sweep", *args)
    assert (done.exit_code, done.stdout) == (2, "")
    assert says in done.stderr


def test_a_wrong_file_exits_1_with_a_line_a_problem(tmp_path):
    file = write(tmp_path, SWEEP.replace("[1, 2]", "[1, x]").replace("arr, wins", "arr, winz"))
    done = shell("sweep", file, "--out", tmp_path / "s", "--json")
    assert (done.exit_code, done.stdout) == (1, "")
    assert [line.split(":")[1] for line in done.stderr.splitlines()] == ["5", "9"]
    assert not (tmp_path / "s").exists()


def test_progress_says_rate_and_time_left(capsys, monkeypatch):
    from simulator import terminal

    monkeypatch.setattr(terminal._Pace, "EVERY", 0.0)
    with terminal.tally() as tell:
        tell(10, 100)
        time.sleep(0.02)
        tell(20, 100)
    err = capsys.readouterr().err.splitlines()
    assert err[-1].startswith("20 of 100 runs, ")
    assert " a second, 0:00:" in err[-1]
    assert err[-1].endswith(" left")


def test_the_tables_are_one_dataset_for_pandas_polars_and_duckdb(whole):
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    duckdb = pytest.importorskip("duckdb")
    runs = whole / "store" / "runs"
    mean = pandas.read_parquet(runs)["arr"].mean()
    assert polars.read_parquet(runs / "*.parquet")["arr"].mean() == pytest.approx(mean)
    found = duckdb.sql(f"select avg(arr) from read_parquet('{runs}/*.parquet')").fetchall()
    assert found[0][0] == pytest.approx(mean)


def test_a_table_of_several_files_is_one_dataset(whole, tmp_path, monkeypatch):
    from simulator.sweep import table

    monkeypatch.setattr(table, "ROWS", 20)
    monkeypatch.setattr(table, "GROUP", 8)
    sweep(whole / "sweep.yaml", tmp_path / "s", executor="serial")
    files = sorted((tmp_path / "s" / "runs").iterdir())
    assert [pq.read_metadata(f).num_rows for f in files] == [20, 20, 8]
    assert read(tmp_path / "s").equals(read(whole / "store"))
    summaries = [(d / "summary.csv").read_text() for d in (tmp_path / "s", whole / "store")]
    assert summaries[0] == summaries[1]
    # A smaller design leaves no file of the larger one.
    file = write(tmp_path / "less", SWEEP.replace("replications: 3", "replications: 1"))
    sweep(file, tmp_path / "s", executor="serial")
    assert len(list((tmp_path / "s" / "runs").iterdir())) == 1
