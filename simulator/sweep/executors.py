"""Who does the work: this process, a pool of processes, or a Dask cluster.

Each is a concurrent.futures executor with two duties more: `lost` says whether a task failed
because whoever worked on it went away, and `renew` brings back someone to work.
"""

from __future__ import annotations

import concurrent.futures as cf
import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from simulator.errors import EngineError

EXECUTORS: Final = ("serial", "processes", "dask")
ANSWER: Final = 20.0  # seconds in which a scheduler must answer at first
PATIENCE: Final = 600.0  # seconds that a cluster may be away
Say = Callable[[str], None]


class Crew(cf.Executor):
    """Base: what every executor here offers. workers: how many tasks run at a time."""

    workers: int = 1

    def lost(self, error: BaseException) -> bool:
        """Whether a task failed only because its worker or the way to it is gone."""
        return isinstance(error, cf.BrokenExecutor | cf.CancelledError)

    def renew(self, say: Say) -> None:
        """Find workers again after a loss; raises EngineError where there are none to be had."""

    def idle(self) -> str:
        """Why nothing happens, if it is known."""
        return ""


class Serial(Crew):
    """Does each task at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> cf.Future[Any]:
        """The finished task."""
        future: cf.Future[Any] = cf.Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - the future carries it
            future.set_exception(error)
        return future


def _begin() -> None:
    """In a worker: leave Ctrl-C to the parent, which keeps what is finished; end when it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    # Killed, the parent tells nobody, and a worker would wait for its next task for ever.
    parent.join()
    os._exit(1)


class Processes(Crew):
    """A pool of processes, begun anew when one of them dies."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool = self._new()

    def _new(self) -> cf.ProcessPoolExecutor:
        # Spawned: a fork would copy the locks of the threads that compiled code may have.
        context = multiprocessing.get_context("spawn")
        return cf.ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> cf.Future[Any]:
        """The task, in the pool."""
        return self._pool.submit(fn, *args, **kwargs)

    def renew(self, say: Say) -> None:
        """A new pool."""
        say("a worker process died; its tasks are done again")
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._new()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes."""
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)


class Dask(Crew):
    """The workers of a Dask scheduler at an address, or of a cluster on this machine."""

    def __init__(self, address: str | None, workers: int | None, *, patience: float) -> None:
        try:
            import distributed
        except ImportError:
            raise EngineError(
                "Dask is not installed. Install it with: pip install 'growthsim[dask]'"
            ) from None
        self._dask: Any = distributed
        self._log = logging.getLogger("distributed")
        self._level = self._log.level
        self._log.setLevel(logging.CRITICAL)  # losses are told by us, in one line
        self._address, self._patience = address, patience
        self._cluster: Any = None
        if address is None:
            self._cluster = distributed.LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=workers or os.cpu_count() or 1,
                threads_per_worker=1,
                dashboard_address=":0",
            )
        self._client = self._connect(ANSWER)
        self._executor = self._client.get_executor(pure=False)
        self.workers = self._count()

    def _connect(self, timeout: float) -> Any:
        try:
            return self._dask.Client(
                self._cluster or self._address, timeout=timeout, set_as_default=False
            )
        except (OSError, ValueError) as error:
            why = " ".join(str(error).split())[:200]
            raise EngineError(f"no Dask scheduler answers at {self._address}: {why}") from None

    def _count(self) -> int:
        return max(1, sum(int(n) for n in self._client.nthreads().values()))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> cf.Future[Any]:
        """The task, at the scheduler."""
        future: cf.Future[Any] = self._executor.submit(fn, *args, **kwargs)
        return future

    def lost(self, error: BaseException) -> bool:
        """Workers that died too often under a task, and connections that are gone."""
        gone = self._dask.scheduler.KilledWorker, self._dask.comm.core.CommClosedError
        return super().lost(error) or isinstance(error, (*gone, TimeoutError, ConnectionError))

    def renew(self, say: Say) -> None:
        """Wait for the scheduler to come back, with a worker."""
        if self._client.status == "running" and self._answers():
            return
        say(f"the Dask scheduler at {self._address or 'this machine'} is away; waiting for it")
        self._close_client()
        until = time.monotonic() + self._patience
        while True:
            try:
                self._client = self._connect(5.0)
                break
            except EngineError:
                if time.monotonic() > until:
                    raise
                time.sleep(1.0)
        try:
            self._client.wait_for_workers(1, timeout=max(1.0, until - time.monotonic()))
        except TimeoutError:
            raise EngineError(f"the Dask scheduler at {self._address} has no workers") from None
        self._executor = self._client.get_executor(pure=False)
        self.workers = self._count()
        say(f"the Dask scheduler is back, with {self.workers} worker{'s' * (self.workers > 1)}")

    def _answers(self) -> bool:
        try:
            self._client.nthreads()
        except (OSError, TimeoutError, self._dask.comm.core.CommClosedError):
            return False
        return True

    def idle(self) -> str:
        """No workers, if so."""
        if self._client.status == "running" and self._answers():
            return "" if self._client.nthreads() else "the Dask scheduler has no workers"
        return ""

    def _close_client(self) -> None:
        with contextlib.suppress(Exception):  # it is gone in any case
            self._client.close(timeout=2)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; end it if it is ours."""
        if cancel_futures or not wait:
            with contextlib.suppress(Exception):  # there may be no one to tell
                self._executor.shutdown(wait=False)
        self._close_client()
        if self._cluster is not None:
            self._cluster.close()
        self._log.setLevel(self._level)


def crew(
    executor: str, workers: int | None, dask: str | None, *, patience: float = PATIENCE
) -> Crew:
    """The executor of that name; EngineError names the ones there are."""
    if dask is not None or executor == "dask":
        return Dask(dask, workers, patience=patience)
    if executor == "serial" or (executor == "processes" and workers == 1):
        return Serial()
    if executor == "processes":
        return Processes(workers or os.cpu_count() or 1)
    raise EngineError(f"no executor named '{executor}'. There are: {', '.join(EXECUTORS)}")
