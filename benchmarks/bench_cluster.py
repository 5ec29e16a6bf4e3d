"""What a task costs on a Dask cluster: the constants of docs/scale.md.

Usage: python -m benchmarks.bench_cluster [tasks] [workers]. A scheduler and workers, each a
process of its own; tasks of one tiny run each (10 points, the rest replications), by the sweep's
own loop. Prints bytes that travel, and processor time a task of scheduler, workers and ours; then
compares the tables with those of one process, byte for byte.
"""

from __future__ import annotations

import logging
import pickle
import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.bench_sweep import TINY, files
from simulator.sweep.plan import plan
from simulator.sweep.read import load_sweep
from simulator.sweep.run import sweep
from simulator.sweep.work import Case, work

POINTS = 10


def begin(kind: str, *args: str) -> subprocess.Popen[bytes]:
    """A process of the cluster."""
    return subprocess.Popen(
        [sys.executable, "-m", "dask", kind, *args, "--no-dashboard"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _times(crew: list[subprocess.Popen[bytes]]) -> np.ndarray:
    """Processor seconds of each process so far."""
    import psutil

    return np.array([sum(psutil.Process(p.pid).cpu_times()[:2]) for p in crew])


def main(tasks: int = 2_000, workers: int = 2) -> int:
    """Print the constants; 1 if the tables differ."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        folder = Path(name)
        spec = load_sweep(files(folder, TINY, "stages.sell.effort", POINTS, tasks // POINTS))
        laid = plan(spec)
        case = Case(0, laid.values(0), (0,))
        parcel = laid.job.parcel()
        work(parcel, (case,))
        many = work(parcel, (Case(0, laid.values(0), tuple(range(100))),))
        print(f"a task: {len(parcel):,} bytes of job, {len(pickle.dumps((case,))):,} of a case")
        print(f"a result: {len(pickle.dumps(many)) / 100:,.0f} bytes a run")
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
        free.close()
        address = f"tcp://127.0.0.1:{port}"
        crew = [begin("scheduler", "--host", "127.0.0.1", "--port", port)]
        crew += [begin("worker", address, "--nthreads", "1", "--no-nanny") for _ in range(workers)]
        try:
            time.sleep(5.0)
            before = _times(crew)
            began, ours = time.perf_counter(), time.process_time()
            sweep(spec, folder / "dask", dask=address, task_seconds=0.0)
            wall, ours = time.perf_counter() - began, time.process_time() - ours
            times = _times(crew) - before
        finally:
            for process in crew:
                process.kill()
                process.wait()
        print(f"{tasks:,} tasks on {workers} workers: {wall:.1f} s, {tasks / wall:,.0f} a second")
        each = np.array([times[0], times[1:].sum(), ours]) / tasks * 1e3
        print(
            "processor time a task: scheduler {:.2f}, workers {:.2f}, ours {:.2f} ms".format(*each)
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"peak memory of ours: {peak:.2f} GiB")
        began = time.perf_counter()
        sweep(spec, folder / "here", executor="serial")
        print(f"in one process, grouped: {time.perf_counter() - began:.1f} s")
        names = ["points.parquet", "summary.parquet", "summary.csv", "runs/runs-00000.parquet"]
        same = all(
            (folder / "dask" / f).read_bytes() == (folder / "here" / f).read_bytes() for f in names
        )
        print("the tables are the same, byte for byte" if same else "THE TABLES DIFFER")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(*(int(a) for a in sys.argv[1:3])))
