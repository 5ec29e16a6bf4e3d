"""What a worker does: runs of some points, and the outcomes that are kept of them."""

from __future__ import annotations

import hashlib
import math
import pickle
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

import simulator
from simulator.analysis.runs import FIRST, LOOK_AHEAD
from simulator.analysis.shown import CONFIDENCE
from simulator.engines import able, simulate
from simulator.errors import EngineError, GrowthError
from simulator.metrics import Shown, measure
from simulator.record import Record
from simulator.spec.schema import Scenario
from simulator.sweep.points import Axis, apply
from simulator.sweep.read import Rule
from simulator.system import System, build

Floats = NDArray[np.float64]
TOGETHER: Final = 16  # records held at a time
_NOT_LAWS: Final = {"__init__", "__main__", "errors", "shipped", "terminal", "vocabulary"}


@dataclass(frozen=True)
class Job:
    """What all tasks of a sweep share."""

    scenario: Scenario
    axes: tuple[Axis, ...]
    engine: str
    seed: int
    outcomes: tuple[str, ...]
    weeks: tuple[float, ...]
    rule: Rule | None
    laws: str

    def parcel(self) -> bytes:
        """The job as bytes, small enough to travel with every task."""
        return zlib.compress(pickle.dumps(self))


@dataclass(frozen=True)
class Case:
    """A point to run: its place among the points, its values, and which replications.

    known: outcomes of the rule that are there already, by replication; only with a rule, where
    `replications` are those that may be run.
    """

    uid: int
    values: tuple[float, ...]
    replications: tuple[int, ...]
    known: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Done:
    """What came of a task, a row a run: uid (n,), replication (n,), outcomes (n, weeks x outcomes).

    failures: points that cannot be run, with why; seconds: what it took.
    """

    uid: NDArray[np.int64]
    replication: NDArray[np.int32]
    values: Floats
    failures: tuple[tuple[int, str], ...]
    seconds: float


def laws(engine_name: str) -> str:
    """A text that changes with the sources that results depend on."""
    root = Path(simulator.__file__).parent
    files = [p for p in root.glob("*.py") if p.stem not in _NOT_LAWS]
    for part in ("system", "weekly", "engines"):
        files += (root / part).glob("*.py")
    files += (root / "engines" / engine_name).rglob("*.py")
    files += [root / "spec" / name for name in ("calendar.py", "paths.py", "signals.py")]
    files += [root / "sweep" / name for name in ("points.py", "work.py")]
    content = hashlib.blake2b(digest_size=8)
    for file in sorted(files):
        content.update(file.relative_to(root).as_posix().encode())
        content.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return content.hexdigest()


class Until:
    """The sequential rule of Hoad, Robinson & Davies (2010) with look-ahead, fed value by value."""

    def __init__(self, precision: float) -> None:
        self.precision = precision
        self.n, self.good, self.mean, self.squares = 0, 0, 0.0, 0.0

    def reached(self, value: float) -> bool:
        """Whether, with this value, there are enough."""
        self.n += 1
        step = value - self.mean
        self.mean += step / self.n
        self.squares += step * (value - self.mean)
        if self.n < FIRST:
            return False
        deviation = (
            math.sqrt(max(0.0, self.squares) / (self.n - 1)) if self.squares >= 0 else math.nan
        )
        t = _quantile(self.n - 1)
        settled = t * deviation / math.sqrt(self.n) <= self.precision * abs(self.mean)
        self.good = self.good + 1 if settled else 0
        return self.good > (LOOK_AHEAD if self.n <= 100 else 5 * self.n // 100)


@lru_cache(maxsize=100_000)
def _quantile(freedom: int) -> float:
    return float(stdtrit(freedom, 0.5 + CONFIDENCE / 2))


def work(parcel: bytes, cases: Sequence[Case]) -> Done:
    """Run the cases. A point that cannot be run is told in `failures`; the others go on."""
    began = time.perf_counter()
    job = _job(parcel)
    width = len(job.weeks) * len(job.outcomes)
    uids: list[int] = []
    replications: list[int] = []
    rows: list[list[float]] = []
    failures: list[tuple[int, str]] = []
    todo = _flow(job, cases) if job.engine == "flow" else ((c, _built(job, c)) for c in cases)
    for case, found in todo:
        try:
            for replication, row in found:
                uids.append(case.uid)
                replications.append(replication)
                rows.append(row)
        except GrowthError as error:
            failures.append((case.uid, " ".join(str(error).split())))
    return Done(
        np.array(uids, dtype=np.int64),
        np.array(replications, dtype=np.int32),
        np.array(rows, dtype=np.float64).reshape(-1, width),
        tuple(failures),
        time.perf_counter() - began,
    )


@lru_cache(maxsize=4)
def _job(parcel: bytes) -> Job:
    job: Job = pickle.loads(zlib.decompress(parcel))
    here = laws(job.engine)
    if here != job.laws:
        raise EngineError(
            f"a worker has another version of growthsim (laws {here}, not {job.laws}). "
            "Install the same on all machines, and start the workers again"
        )
    return job


Rows = Iterator[tuple[int, list[float]]]


def _built(job: Job, case: Case) -> Rows:
    """Each replication of a case with its row of outcomes, by a System of its own."""
    yield from _runs(job, build(apply(job.scenario, job.axes, case.values)), case)


def _flow(job: Job, cases: Sequence[Case]) -> Iterator[tuple[Case, Rows]]:
    """Cases by the flow engine, many at once: what a point's bits are does not depend on which."""
    from simulator.engines.flow.many import MOST, run_many

    def rows(case: Case, found: Any) -> Rows:
        if isinstance(found, GrowthError):
            raise found
        for replication in case.replications:
            yield replication, _row(found, job)

    for i in range(0, len(cases), MOST):
        chunk = cases[i : i + MOST]
        made: list[System | GrowthError] = []
        for case in chunk:
            try:
                system = build(apply(job.scenario, job.axes, case.values))
                able(system, "flow")
                made.append(system)
            except GrowthError as error:
                made.append(error)
        solved = iter(run_many([x for x in made if isinstance(x, System)]))
        for case, x in zip(chunk, made, strict=True):
            yield case, rows(case, next(solved) if isinstance(x, System) else x)


def _runs(job: Job, system: System, case: Case) -> Iterator[tuple[int, list[float]]]:
    """Each replication of a case with its row of outcomes."""
    if job.rule is None:
        for record in _records(system, job, case.replications):
            yield record.replication, _row(record, job)
        return
    rule, known = job.rule, dict(case.known)
    until = Until(rule.precision)
    place = (len(job.weeks) - 1) * len(job.outcomes) + rule.outcome
    for replication in range(rule.most):
        value = known.get(replication)
        if value is None:
            record = next(iter(_records(system, job, (replication,))))
            row = _row(record, job)
            yield replication, row
            value = row[place]
        if until.reached(value):
            return


def _records(system: System, job: Job, replications: Sequence[int]) -> Iterator[Record]:
    if job.engine != "batch":
        for replication in replications:
            yield simulate(system, job.engine, seed=job.seed, replication=replication)
        return
    module = able(system, job.engine)
    for i in range(0, len(replications), TOGETHER):
        yield from module.run_many(system, job.seed, replications[i : i + TOGETHER], leads=False)


def _row(record: Shown, job: Job) -> list[float]:
    """Outcomes at each week, week by week."""
    found = []
    for week in job.weeks:
        metrics = measure(record, week)
        found += [float(metrics[name]) for name in job.outcomes]
    return found
