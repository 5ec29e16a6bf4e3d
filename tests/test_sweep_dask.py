"""Sweeps on Dask: a real scheduler and workers, each a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from sweep_files import SWEEP, tables, write

from simulator.errors import EngineError
from simulator.sweep.executors import crew
from simulator.sweep.run import sweep

pytest.importorskip("distributed")

MANY = SWEEP.replace("replications: 3", "replications: 40")


def free_port():
    with socket.socket() as stream:
        stream.bind(("127.0.0.1", 0))
        return stream.getsockname()[1]


class Cluster:
    """A scheduler and workers that can be killed."""

    def __init__(self, root, folder, port=None):
        self.root, self.folder = root, folder
        self.port = port or free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.scheduler = self.begin("scheduler", "--host", "127.0.0.1", "--port", str(self.port))
        self.workers = []

    def begin(self, kind, *args):
        return subprocess.Popen(
            [sys.executable, "-m", "dask", kind, *args, "--no-dashboard"],
            env={**os.environ, "PYTHONPATH": str(self.root)}, cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def worker(self):
        args = (
            self.address,
            "--nthreads",
            "1",
            "--no-nanny",
            "--local-directory",
            str(self.folder),
        )
        self.workers.append(self.begin("worker", *args))

    def end(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@contextmanager
def cluster(root, folder, workers, port=None):
    found = Cluster(root, folder, port)
    try:
        for _ in range(workers):
            found.worker()
        yield found
    finally:
        found.end()


@pytest.fixture(scope="module")
def dask(root, tmp_path_factory):
    with cluster(root, tmp_path_factory.mktemp("dask"), 1) as found:
        yield found


def test_the_tables_do_not_depend_on_a_cluster(dask, tmp_path):
    file = write(tmp_path)
    said = []
    sweep(file, tmp_path / "dask", dask=dask.address, task_seconds=0.0, say=said.append)
    sweep(file, tmp_path / "here", executor="serial")
    assert tables(tmp_path / "dask") == tables(tmp_path / "here")


def test_an_interrupted_sweep_on_a_cluster_goes_on_here(dask, tmp_path):
    def interrupt(done, _total):
        if done > 5:
            raise KeyboardInterrupt

    file = write(tmp_path)
    with pytest.raises(KeyboardInterrupt, match=r"of 24 runs are kept\. To go on: growthsim sweep"):
        sweep(file, tmp_path / "s", dask=dask.address, task_seconds=0.0, progress=interrupt)
    sweep(file, tmp_path / "s", executor="serial")
    sweep(file, tmp_path / "t", executor="serial")
    assert tables(tmp_path / "s") == tables(tmp_path / "t")


def test_a_scheduler_that_is_not_there(tmp_path, monkeypatch):
    from simulator.sweep import executors

    monkeypatch.setattr(executors, "ANSWER", 1.0)
    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(EngineError, match=f"no Dask scheduler answers at {address}"):
        sweep(write(tmp_path), tmp_path / "s", dask=address)
    with pytest.raises(EngineError, match=r"no Dask scheduler answers at nonsense"):
        crew("dask", None, "nonsense")
    assert not (tmp_path / "s").exists()


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(EngineError, match=r"pip install 'growthsim\[dask\]'"):
        crew("dask", None, None)


@pytest.mark.slow
def test_a_cluster_on_this_machine(tmp_path):
    file = write(tmp_path)
    sweep(file, tmp_path / "dask", executor="dask", workers=2, task_seconds=0.0)
    sweep(file, tmp_path / "here", executor="serial")
    assert tables(tmp_path / "dask") == tables(tmp_path / "here")


@pytest.mark.slow
def test_a_worker_killed_in_mid_run(root, tmp_path):
    file = write(tmp_path, MANY)
    with cluster(root, tmp_path, 2) as found:

        def kill_one(done, _total):
            if done > 60 and found.workers[0].poll() is None:
                found.workers[0].kill()

        sweep(file, tmp_path / "dask", dask=found.address, task_seconds=0.05, progress=kill_one)
        assert found.workers[0].wait() == -signal.SIGKILL
    sweep(file, tmp_path / "here", executor="serial")
    assert tables(tmp_path / "dask") == tables(tmp_path / "here")


@pytest.mark.slow
def test_killed_on_a_cluster_that_loses_a_worker_it_is_the_same_to_the_byte(root, tmp_path):
    """Ours killed by SIGKILL, one of two workers too; resumed on the cluster."""
    from sweep_files import started

    file, store = write(tmp_path, MANY), tmp_path / "s"
    with cluster(root, tmp_path, 2) as found:
        process = started(file, "--out", store, "--dask", found.address, "--quiet", root=root)
        until = time.monotonic() + 120
        while len(list(store.glob("parts/*"))) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        found.workers[0].kill()
        time.sleep(0.3)
        process.kill()
        process.communicate()
        sweep(file, store, dask=found.address)
    sweep(file, tmp_path / "here", executor="serial")
    assert tables(store) == tables(tmp_path / "here")


@pytest.mark.slow
def test_a_scheduler_that_goes_away_and_returns(root, tmp_path):
    file, said, back = write(tmp_path, MANY), [], []
    with cluster(root, tmp_path, 1) as found:

        def come_back():
            time.sleep(6.0)
            again = Cluster(root, tmp_path, found.port)
            back.append(again)
            again.worker()

        def go(done, _total):
            if done > 60 and found.scheduler.poll() is None:
                found.scheduler.kill()
                found.workers[0].kill()
                threading.Thread(target=come_back).start()

        try:
            sweep(file, tmp_path / "s", dask=found.address, task_seconds=0.05, progress=go,
                  say=said.append)  # fmt: skip
        finally:
            for again in back:
                again.end()
    assert any("is away; waiting for it" in text for text in said)
    assert any("is back, with 1 worker" in text for text in said)
    sweep(file, tmp_path / "t", executor="serial")
    assert tables(tmp_path / "s") == tables(tmp_path / "t")


@pytest.mark.slow
def test_a_scheduler_that_stays_away(root, tmp_path):
    file = write(tmp_path, MANY)
    with cluster(root, tmp_path, 1) as found:

        def go(done, _total):
            if done > 60 and found.scheduler.poll() is None:
                found.scheduler.kill()

        with pytest.raises(EngineError, match=r"no Dask scheduler answers at"):
            sweep(file, tmp_path / "s", dask=found.address, task_seconds=0.05, progress=go,
                  patience=3.0)  # fmt: skip
    sweep(file, tmp_path / "s", executor="serial")
    sweep(file, tmp_path / "t", executor="serial")
    assert tables(tmp_path / "s") == tables(tmp_path / "t")
