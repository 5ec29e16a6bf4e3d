"""Several systems over the same replications, run when they are asked for.

Unlike `runs.replicate`, not every system need have as many: what is settled is run no more.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.runs import Digest, digest, one_run
from simulator.system import System

Floats = NDArray[np.float64]


def cores() -> int:
    """Processors there are."""
    return os.cpu_count() or 1


def _one(task: tuple[System, str, int, int, float | None]) -> Digest:
    system, engine, seed, replication, week = task
    return digest(one_run(system, engine, seed, replication), None, week)


class Panel:
    """Runs of systems by replication; each is made once.

    What comes out does not depend on `jobs`, the number of workers (default: one a core).
    """

    def __init__(
        self,
        systems: Sequence[System],
        engine: str,
        seed: int,
        *,
        week: float | None = None,
        jobs: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.systems = list(systems)
        self.engine, self.seed, self.week = engine, seed, week
        self.jobs = jobs or cores()
        self.progress = progress
        self.runs: list[list[Digest]] = [[] for _ in systems]

    @property
    def made(self) -> int:
        """Runs there are."""
        return sum(len(r) for r in self.runs)

    def add(self, system: System) -> int:
        """One more system; its index."""
        self.systems.append(system)
        self.runs.append([])
        return len(self.systems) - 1

    def run(self, which: Sequence[int], upto: int) -> None:
        """Have replications 0 to upto - 1 of these systems. Flow has one, whatever is asked."""
        upto = 1 if self.engine == "flow" else upto
        tasks = [(r, i) for i in which for r in range(len(self.runs[i]), upto)]
        tasks.sort()
        if not tasks:
            return
        work = [(self.systems[i], self.engine, self.seed, r, self.week) for r, i in tasks]
        workers = min(self.jobs, len(tasks))
        if workers <= 1 or (self.engine == "events" and len(tasks) < 4):
            for (r, i), task in zip(tasks, work, strict=True):
                self._keep(i, r, _one(task))
            return
        pool = (ProcessPoolExecutor if self.engine == "events" else ThreadPoolExecutor)(workers)
        try:
            for (r, i), done in zip(tasks, pool.map(_one, work), strict=True):
                self._keep(i, r, done)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _keep(self, i: int, replication: int, done: Digest) -> None:
        assert len(self.runs[i]) == replication
        self.runs[i].append(done)
        if self.progress is not None:
            self.progress(max(len(r) for r in self.runs))

    def count(self, i: int) -> int:
        """Replications of a system."""
        return len(self.runs[i])

    def values(self, metric: str, i: int, upto: int | None = None) -> Floats:
        """A metric of a system by replication."""
        return np.array([d.metrics[metric] for d in self.runs[i][:upto]])
