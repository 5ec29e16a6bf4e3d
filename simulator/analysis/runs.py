"""Replications: paired runs of several systems, as many as a stated precision needs.

Replication r of every system uses the same random numbers, so differences are taken within a
replication. The number is found by the sequential rule of Hoad, Robinson & Davies (2010) with
look-ahead; which runs are used depends on neither the number of workers nor their order.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from simulator.analysis.course import deals, delivered
from simulator.analysis.ledger import Ledger, ledger
from simulator.analysis.shown import CONFIDENCE
from simulator.engines import engine as engine_of
from simulator.engines import lacking, simulate
from simulator.errors import AnalysisError
from simulator.metrics import measure
from simulator.record import Record
from simulator.system import System

Floats = NDArray[np.float64]
FIRST, LOOK_AHEAD = 3, 5
DEFAULT_ENGINE = "batch"


@dataclass(frozen=True)
class Digest:
    """What is kept of one run: metrics, weekly series, fates, and the ledger against the first.

    arr, leads, wins: (T,); used, paid: (T, M) hours so far; waiting: (T, S); fates: (C, F);
    spend: (C,); entered: (S,) visits; bridge: (5,) ARR from opening to closing, see flows.BRIDGE;
    heads: (T, M); held: (T, S), left, delivered: (T,), see course.
    """

    metrics: dict[str, float]
    arr: Floats
    leads: Floats
    wins: Floats
    used: Floats
    paid: Floats
    waiting: Floats
    fates: Floats
    spend: Floats
    entered: Floats
    bridge: Floats
    heads: Floats
    held: Floats
    left: Floats
    delivered: Floats
    events: int
    ledger: Ledger | None


def digest(record: Record, first: Record | None, week: float | None) -> Digest:
    """Keep of a run what questions are asked of."""
    s = record.series
    held, left = deals(record)
    return Digest(
        metrics=measure(record, week),
        arr=s.arr,
        leads=s.arrived.sum(axis=1),
        wins=s.won,
        used=s.busy_hours + s.support_hours,
        paid=s.paid_hours,
        waiting=s.waiting,
        fates=record.fates,
        spend=s.spend[-1],
        entered=s.entered[-1],
        bridge=np.array(
            [s.arr[0], s.won_arr[-1], s.expansion_arr[-1], -s.churned_arr[-1], s.arr[-1]]
        ),
        heads=s.heads,
        held=held,
        left=left,
        delivered=delivered(record),
        events=record.events,
        ledger=None if first is None else ledger(first, record),
    )


def one_run(
    system: System, engine: str, seed: int, replication: int, *, leads: bool = False
) -> Record:
    """One run; without the table of its leads, where they are not asked for, it is cheaper."""
    module = engine_of(engine)
    if engine == "batch" and not leads and not lacking(system, engine):
        lean: list[Record] = module.run_many(system, seed, [replication], leads=False)
        return lean[0]
    return simulate(system, engine, seed=seed, replication=replication)


@dataclass(frozen=True)
class Job:
    """Systems to run side by side: the first is what the others are held against.

    worlds: the same systems as other sets of numbers have them, one set a replication in turn.
    """

    systems: tuple[System, ...]
    engine: str
    seed: int
    week: float | None = None
    ledgers: bool = True
    worlds: tuple[tuple[System, ...], ...] = ()

    def __call__(self, replication: int) -> list[Digest]:
        """All systems in one replication."""
        found: list[Digest] = []
        first: Record | None = None
        worlds = self.worlds or (self.systems,)
        for system in worlds[replication % len(worlds)]:
            record = one_run(system, self.engine, self.seed, replication, leads=self.ledgers)
            found.append(digest(record, first if self.ledgers else None, self.week))
            first = first or record
        return found


_job: Job | None = None


def _adopt(job: Job) -> None:
    global _job  # noqa: PLW0603 - a worker process runs one job
    _job = job


def _work(replication: int) -> list[Digest]:
    assert _job is not None
    return _job(replication)


def interval(values: Sequence[float] | Floats, confidence: float = CONFIDENCE) -> float:
    """Half-width of the t interval of a mean; inf for a single value."""
    x = np.asarray(values, dtype=np.float64)
    n = len(x)
    if n < 2:
        return math.inf
    t = float(stdtrit(n - 1, 0.5 + confidence / 2))
    return t * float(x.std(ddof=1)) / math.sqrt(n)


Settled = Callable[[list[list[Digest]]], bool]


def narrow(metric: str, precision: float, *, systems: slice = slice(1, None)) -> Settled:
    """Whether the differences of a metric to the first system are known to the precision.

    precision: half-width of each difference's interval, as a share of the first system's mean.
    """

    def settled(runs: list[list[Digest]]) -> bool:
        values = np.array([[d.metrics[metric] for d in run] for run in runs])
        wanted = precision * abs(float(values[:, 0].mean()))
        return all(interval(column - values[:, 0]) <= wanted for column in values.T[systems])

    return settled


@dataclass(frozen=True)
class Replications:
    """Runs made: [replication][system], and why there are no more."""

    runs: list[list[Digest]]
    reason: str

    def metric(self, name: str, system: int) -> Floats:
        """Values of a metric of one system, by replication."""
        return np.array([run[system].metrics[name] for run in self.runs])


def replicate(
    job: Job,
    settled: Settled | None,
    *,
    fixed: int | None = None,
    most: int = 40,
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Replications:
    """Run replications until `settled` says so of all and of each of the next five, or `most`.

    fixed: exactly so many instead. jobs: worker processes, default one a core for the events
    engine. Interrupted after the third, it returns what is finished.
    """
    if fixed == 1 and job.engine != "flow":
        raise AnalysisError("one replication has no interval: take 2 replications or more")
    if most < FIRST and fixed is None:
        raise AnalysisError(f"a maximum of {most} replications is below the least, {FIRST}")
    wanted = fixed if fixed is not None else most
    runs: list[list[Digest]] = []
    good = 0
    try:
        for run in _stream(job, wanted, jobs):
            runs.append(run)
            if progress is not None:
                progress(len(runs))
            if fixed is not None or settled is None or len(runs) < FIRST:
                continue
            good = good + 1 if settled(runs) else 0
            ahead = LOOK_AHEAD if len(runs) <= 100 else 5 * len(runs) // 100
            if good > ahead:
                return Replications(runs, "precision reached")
    except KeyboardInterrupt:
        if len(runs) < FIRST:
            raise
        return Replications(runs, f"interrupted after {len(runs)} replications")
    if fixed is not None or settled is None:
        return Replications(runs, "number given")
    return Replications(runs, f"maximum of {most} reached before the precision")


def _stream(job: Job, wanted: int, jobs: int | None) -> Iterator[list[Digest]]:
    """Replications 0, 1, ... in order, worked on in parallel a few ahead."""
    workers = (
        min(jobs, wanted)
        if jobs is not None
        else (1 if job.engine != "events" else os.cpu_count() or 1)
    )
    if workers <= 1:
        for r in range(wanted):
            yield job(r)
        return
    pool = ProcessPoolExecutor(workers, initializer=_adopt, initargs=(job,))
    try:
        waiting: list[Future[list[Digest]]] = []
        asked = 0
        while asked < wanted or waiting:
            while asked < wanted and len(waiting) < 2 * workers:
                waiting.append(pool.submit(_work, asked))
                asked += 1
            yield waiting.pop(0).result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
