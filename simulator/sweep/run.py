"""Runs a sweep: plans it, says what it takes, keeps every finished run, and makes the tables."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import queue
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from simulator.errors import EngineError
from simulator.sweep.executors import PATIENCE, Crew, Serial, crew
from simulator.sweep.plan import Estimate, Plan, duration, estimate, plan, refuse, size
from simulator.sweep.read import Sweep, load_sweep
from simulator.sweep.result import SweepResult, finish
from simulator.sweep.store import Index, Store
from simulator.sweep.work import Case, Done, work
from simulator.system import build

TASK: Final = 1.0  # seconds that a task takes at least, where there is enough to do
TASK_A_WORKER: Final = 0.05  # seconds more for each worker: 20 tasks a second at most in all
MOST_IN_TASK: Final = 4096  # runs
SMALL: Final = 5.0  # seconds; below, processes are not worth their start
FLUSH: Final = (2.0, 30.0)  # seconds between parts: 1% of what has passed, within these
TRIES: Final = 5
BESIDE: Final = 64  # points of the flow engine that are tried at once: it runs them together
AHEAD: Final = 16  # tasks that wait at the workers, so that short ones need not wait for us
Say = Callable[[str], None]
Progress = Callable[[int, int], None]


@dataclass
class State:
    """Where a sweep has come to."""

    plan: Plan
    store: Store
    index: Index
    total: int
    done: int = 0
    failures: dict[int, str] = field(default_factory=dict)
    fresh: list[Done] = field(default_factory=list)
    flushed: float = field(default_factory=time.monotonic)
    began: float = field(default_factory=time.monotonic)
    seconds_a_run: float = 0.0

    def take(self, done: Done) -> None:
        """Take in what a task gave."""
        self.failures.update(done.failures)
        if len(done.uid):
            self.fresh.append(done)
            self.done += len(done.uid)
            each = done.seconds / len(done.uid)
            self.seconds_a_run = each if not self.seconds_a_run else (
                0.8 * self.seconds_a_run + 0.2 * each
            )  # fmt: skip

    def flush(self, *, now: bool = False) -> None:
        """Put finished runs on the disk, if it is time to."""
        passed = time.monotonic()
        wait = min(max(FLUSH[0], 0.01 * (passed - self.began)), FLUSH[1])
        if not self.fresh or not (now or passed - self.flushed > wait):
            return
        uid = np.concatenate([d.uid for d in self.fresh])
        replication = np.concatenate([d.replication for d in self.fresh])
        values = np.concatenate([d.values for d in self.fresh])
        self.store.append(self.index, uid, replication, values, self.plan.names, self.plan.judged)
        self.fresh, self.flushed = [], time.monotonic()


def sweep(
    given: Sweep | str | Path,
    out: str | Path,
    *,
    executor: str | None = None,
    workers: int | None = None,
    dask: str | None = None,
    within: float | None = None,
    task_seconds: float | None = None,
    progress: Progress | None = None,
    say: Say | None = None,
    patience: float = PATIENCE,
) -> SweepResult:
    """Run what is not yet in the store at `out`, and make its tables.

    executor: serial, processes or dask; default: dask with an address, else serial for what takes
    seconds, else processes. within: weeks that it may take. task_seconds: that a task should take;
    default: a second, more on many workers.
    Raises SpecError, EngineError, DataError before the start where it cannot be done;
    KeyboardInterrupt, with how to go on, where it is interrupted. What is finished is kept.
    """
    spec = given if isinstance(given, Sweep) else load_sweep(given)
    tell = say or (lambda _text: None)
    for note in spec.notes:
        tell(note)
    laid = plan(spec)
    folder = Path(out)
    store = Store.open(folder, laid.identity)
    try:
        judged = laid.judged
        index = store.scan(
            laid.keys, spec.replications, None if judged is None else laid.names[judged]
        )
        for name in index.damaged:
            tell(f"{folder / 'parts' / name}: damaged (wrong checksum); its runs are run again")
        left = sum(len(case.replications) for case in laid.pending(index, set()))
        here = laid.keys.size * spec.replications - left
        state = State(laid, store, index, laid.keys.size * spec.replications, here)
        if left:
            try:
                _all(
                    state, left, executor, workers, dask, spec.within if within is None else within,
                    task_seconds, progress, tell, patience,
                )  # fmt: skip
            except KeyboardInterrupt:
                raise KeyboardInterrupt(_stopped(state, spec, folder)) from None
            except BaseException:
                if not index.parts:
                    store.discard()
                raise
        return finish(store, laid, index, state.failures)
    except KeyboardInterrupt as stop:
        how = f"To go on: growthsim sweep {spec.file} --out {folder}"
        raise KeyboardInterrupt(str(stop) or f"interrupted; all runs are kept. {how}") from None
    finally:
        store.close()


def _stopped(state: State, spec: Sweep, folder: Path) -> str:
    kept = f"{state.done:,} of {state.total:,} runs"
    return f"interrupted; {kept} are kept. To go on: growthsim sweep {spec.file} --out {folder}"


def _all(
    state: State, left: int, executor: str | None, workers: int | None, dask: str | None,
    within: float, task_seconds: float | None, progress: Progress | None, say: Say, patience: float,
) -> None:  # fmt: skip
    """Everything that is still to be run."""
    laid, spec = state.plan, state.plan.sweep
    team: Crew | None = None
    try:
        if dask is not None or executor == "dask":
            team = crew("dask", workers, dask, patience=patience)
        many = team.workers if team else workers or _cores()
        there = state.done
        if why := _one_by_one(spec):
            say(f"{spec.name}: the flow engine solves its points one by one: {why}")
        serially = _calibrate(state)
        left -= state.done - there
        if executor == "serial" or (not team and not executor and left * serially < SMALL):
            many = 1
        expected = estimate(laid, left, serially, many)
        refuse(laid, expected, state.store.folder, many, within)
        say(_announced(spec, there, left, expected, many))
        if not left:
            return
        team = team or (Serial() if many == 1 else crew("processes", many, None))
        state.began = state.flushed = time.monotonic()
        length = task_length(team.workers) if task_seconds is None else task_seconds
        _Loop(state, team, length, progress, say).run(left)
    finally:
        if team is not None:
            team.shutdown(wait=False, cancel_futures=True)


def _one_by_one(spec: Sweep) -> str:
    """Why the points of a sweep with the flow engine are not solved side by side, if they are not.

    As its scenario has it: what a point switches on, that point pays for.
    """
    if spec.engine != "flow":
        return ""
    from simulator.engines.flow.many import alone

    return alone(build(spec.scenario))


def task_length(workers: int) -> float:
    """Seconds that a task should take, so that whoever hands them out is busy a tenth of the time.

    A task costs a Dask scheduler about 5 ms (docs/scale.md).
    """
    return max(TASK, TASK_A_WORKER * workers)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _announced(spec: Sweep, there: int, left: int, expected: Estimate, many: int) -> str:
    most = "at most " if spec.rule is not None else ""
    crossed = f"{spec.levers.size:,} settings x {spec.uncertainties.size:,} worlds"
    here = f"; {there:,} runs are there already" if there else ""
    on = f"{many} workers" if many > 1 else "1 worker"
    return (
        f"{spec.name}: {crossed} x {most}{spec.replications:,} replications{here}; {left:,} runs "
        f"to do, about {duration(expected.seconds)} on {on}, {size(expected.bytes)} of disk"
    )


def _calibrate(state: State) -> float:
    """Seconds a run, by runs that count: one, which may have to compile the engine, and one more,
    or as many as the engine runs together.
    """
    laid = state.plan
    parcel = dataclasses.replace(laid.job, rule=None).parcel()
    took = 0.0
    tried = 0
    group: list[Case] = []

    def run() -> float:
        done = work(parcel, tuple(group))
        group.clear()
        state.take(done)
        return done.seconds / len(done.uid) if len(done.uid) else took

    for case in laid.pending(state.index, set()):
        for replication in case.replications[: 2 - tried]:
            group.append(dataclasses.replace(case, replications=(replication,), known=()))
            if tried and laid.sweep.engine == "flow" and len(group) < BESIDE:
                continue
            took = run()
            tried += 1
        if tried >= 2:
            break
    if group:
        took = run()
    state.seconds_a_run = took
    # Kept at once: the loop asks the index what is missing.
    state.flush(now=True)
    return took


class _Loop:
    """Keeps every worker busy, takes in what they finish, and does again what was lost."""

    def __init__(
        self, state: State, team: Crew, task_seconds: float, progress: Progress | None, say: Say
    ) -> None:
        self.state, self.team, self.task_seconds = state, team, task_seconds
        self.progress, self.say = progress, say
        self.parcel = state.plan.job.parcel()
        self.finished: queue.SimpleQueue[Future[Done]] = queue.SimpleQueue()
        self.running: dict[Future[Done], tuple[tuple[Case, ...], int, int]] = {}
        self.again: deque[tuple[tuple[Case, ...], int]] = deque()
        self.era = 0
        self.left = 0
        self.said_idle = False

    def run(self, left: int) -> None:
        """All of it; an interrupt keeps what is finished, and what is running where it is short."""
        self.left = left
        todo = self._tasks()
        try:
            while True:
                self._fill(todo)
                if not self.running:
                    break
                self._wait()
                self.state.flush()
                if self.progress is not None:
                    self.progress(self.state.done, self.state.total)
        except KeyboardInterrupt:
            self._harvest()
            self.state.flush(now=True)
            raise
        except BaseException:
            self._save()
            raise
        self.state.flush(now=True)

    def _save(self) -> None:
        """Keep what can be kept, whatever went wrong."""
        with contextlib.suppress(Exception):  # the first error is the one to tell
            self.state.flush(now=True)

    def _tasks(self) -> Iterator[tuple[Case, ...]]:
        """Cases in groups that take about as long as a task should."""
        group: list[Case] = []
        held = 0
        for whole in self.state.plan.pending(self.state.index, set(self.state.failures)):
            rest = whole
            while True:
                limit = self._limit()
                if self.state.plan.sweep.rule is not None:
                    piece, rest_of = rest, None
                else:
                    piece, rest_of = _split(rest, max(1, limit - held))
                group.append(piece)
                held += len(piece.replications)
                if held >= limit:
                    yield tuple(group)
                    group, held = [], 0
                if rest_of is None:
                    break
                rest = rest_of
        if group:
            yield tuple(group)

    def _limit(self) -> int:
        """Runs in the next task: no less than a second's, but so that all have work to the end."""
        each = max(self.state.seconds_a_run, 1e-6)
        wanted = max(1, round(self.task_seconds / each))
        fair = max(1, self.left // (2 * self.team.workers))
        return min(wanted, fair if self.team.workers > 1 else wanted, MOST_IN_TASK)

    def _fill(self, todo: Iterator[tuple[Case, ...]]) -> None:
        ahead = 1 if isinstance(self.team, Serial) else 2 * self.team.workers + AHEAD
        while len(self.running) < ahead:
            if self.again:
                cases, tries = self.again.popleft()
            else:
                cases, tries = next(todo, ()), 0
            if not cases:
                return
            try:
                future = self.team.submit(work, self.parcel, cases)
            except Exception as error:  # noqa: BLE001 - judged by the crew
                self._lost(cases, tries, self.era, error)
                continue
            self.running[future] = cases, tries, self.era
            future.add_done_callback(self.finished.put)

    def _wait(self) -> None:
        try:
            future = self.finished.get(timeout=10.0)
        except queue.Empty:
            why = self.team.idle()
            if why and not self.said_idle:
                self.say(f"{why}; waiting")
            self.said_idle = bool(why)
            return
        self._take(future)
        while not self.finished.empty():
            self._take(self.finished.get())

    def _take(self, future: Future[Done]) -> None:
        known = self.running.pop(future, None)
        if known is None:
            return
        cases, tries, era = known
        try:
            done = future.result()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - judged by the crew; else raised again
            self._lost(cases, tries, era, error)
            return
        self.left -= sum(len(c.replications) for c in cases)
        self.state.take(done)

    def _lost(self, cases: tuple[Case, ...], tries: int, era: int, error: BaseException) -> None:
        if isinstance(error, ImportError):
            raise EngineError(
                f"the workers lack what this process has ({error}): install the same growthsim "
                "and its libraries where they run"
            ) from None
        if not self.team.lost(error):
            raise error
        if tries + 1 >= TRIES:
            points = ", ".join(str(c.values) for c in cases[:3])
            raise EngineError(
                f"{self.state.plan.sweep.file}: workers died {TRIES} times in the same runs "
                f"(values {points}): too little memory? Take fewer workers; what was finished "
                "is kept"
            ) from None
        self.again.append((cases, tries + 1))
        if era == self.era:
            self.era += 1
            self.team.renew(self.say)

    def _harvest(self) -> None:
        """Keep what running tasks still give; those that have not begun are dropped."""
        for future in list(self.running):
            future.cancel()
        until = time.monotonic() + 5 * max(1.0, self.task_seconds)
        try:
            while self.running and time.monotonic() < until:
                future = self.finished.get(timeout=max(0.1, until - time.monotonic()))
                ours = self.running.pop(future, None) is not None
                if ours and not future.cancelled() and future.exception() is None:
                    self.state.take(future.result())
        except (KeyboardInterrupt, queue.Empty):
            pass


def _split(case: Case, most: int) -> tuple[Case, Case | None]:
    """A case's first so many replications, and the rest."""
    if len(case.replications) <= most:
        return case, None
    head, tail = case.replications[:most], case.replications[most:]
    return (
        dataclasses.replace(case, replications=head),
        dataclasses.replace(case, replications=tail),
    )


__all__ = ["State", "sweep"]
