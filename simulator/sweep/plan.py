"""A sweep laid out: its points, what each is called by, and what the whole will take."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.errors import DataError, EngineError
from simulator.sweep.design import lay
from simulator.sweep.points import KEY_BYTES, Axis, key_of
from simulator.sweep.read import Sweep
from simulator.sweep.store import Index, Keys
from simulator.sweep.work import Case, Job, Until, laws

Floats = NDArray[np.float64]
_LABELS: Final = ("name", "story", "role", "outcome", "seed")
WEEK: Final = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Plan:
    """Points in canonical order: levers (J, axes) by worlds (K, axes), the worlds innermost.

    keys: (U,) names of the different points, sorted; uid: (J x K,) each point's place among them.
    """

    sweep: Sweep
    identity: dict[str, Any]
    levers: Floats
    worlds: Floats
    keys: Keys
    uid: NDArray[np.int64]
    first: NDArray[np.int64]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Axes of levers, then of worlds."""
        return (*self.sweep.levers.axes, *self.sweep.uncertainties.axes)

    @property
    def names(self) -> list[str]:
        """Columns of a part's outcomes, week by week."""
        return [f"{name}@{week:g}" for week in self.sweep.weeks for name in self.sweep.outcomes]

    @property
    def judged(self) -> int | None:
        """Place of the outcome that a precision rule looks at: at the last week."""
        rule = self.sweep.rule
        if rule is None:
            return None
        return (len(self.sweep.weeks) - 1) * len(self.sweep.outcomes) + rule.outcome

    @property
    def job(self) -> Job:
        """What all tasks share."""
        s = self.sweep
        return Job(
            s.scenario, self.axes, s.engine, s.seed, s.outcomes, s.weeks, s.rule,
            str(self.identity["laws"]),
        )  # fmt: skip

    def values(self, point: int) -> tuple[float, ...]:
        """Values of all axes at a point."""
        lever, world = divmod(point, len(self.worlds))
        return (*self.levers[lever].tolist(), *self.worlds[world].tolist())

    def pending(self, index: Index, failed: set[int]) -> Iterator[Case]:
        """What is still to be run, in canonical order, a case a point."""
        rule = self.sweep.rule
        for uid, point in self._order():
            if uid in failed:
                continue
            missing = np.flatnonzero(index.part[uid] < 0)
            if len(missing) == 0:
                continue
            known: tuple[tuple[int, float], ...] = ()
            if rule is not None and index.judged is not None:
                here = np.flatnonzero(index.part[uid] >= 0)
                known = tuple((int(r), float(index.judged[uid, r])) for r in here)
                if enough(index, uid, rule.precision) is not None:
                    continue
            yield Case(uid, self.values(point), tuple(missing.tolist()), known)

    def _order(self) -> Iterator[tuple[int, int]]:
        for point in np.sort(self.first).tolist():
            yield int(self.uid[point]), point

    def counts(self, index: Index, failed: set[int]) -> NDArray[np.int64]:
        """How many replications of each different point the tables have, (U,)."""
        rule = self.sweep.rule
        if rule is None:
            found = np.where((index.part >= 0).all(axis=1), index.part.shape[1], 0)
        else:
            stops = [enough(index, uid, rule.precision) for uid in range(len(self.keys))]
            found = np.array([rule.most if n is None else n for n in stops])
        found[list(failed)] = 0
        return found.astype(np.int64)


def enough(index: Index, uid: int, precision: float) -> int | None:
    """After how many of the replications there are the rule stops; None if not yet."""
    assert index.judged is not None
    until = Until(precision)
    for n, part in enumerate(index.part[uid], 1):
        if part < 0:
            return None
        if until.reached(float(index.judged[uid, n - 1])):
            return n
    return None


def plan(sweep: Sweep) -> Plan:
    """Lay a sweep out."""
    identity = identity_of(sweep)
    name = hashlib.blake2b(json.dumps(identity, sort_keys=True).encode()).digest()
    levers, worlds = lay(sweep.levers), lay(sweep.uncertainties)
    by_lever = [_changes(sweep.levers.axes, row) for row in levers]
    by_world = [_changes(sweep.uncertainties.axes, row) for row in worlds]
    digests = b"".join(key_of(name, (*a, *b)) for a in by_lever for b in by_world)
    keys = np.frombuffer(digests, dtype=f"S{KEY_BYTES}")
    different, first, uid = np.unique(keys, return_index=True, return_inverse=True)
    return Plan(
        sweep, identity, levers, worlds, different, uid.ravel().astype(np.int64),
        first.astype(np.int64),
    )  # fmt: skip


def _changes(axes: tuple[Axis, ...], row: Floats) -> list[tuple[str, float]]:
    return [c for axis, v in zip(axes, row.tolist(), strict=True) for c in axis.changes(v)]


def identity_of(sweep: Sweep) -> dict[str, Any]:
    """What the runs of a sweep have in common; a store holds runs of one identity."""
    resolved = {k: v for k, v in sweep.loaded.resolved().items() if k not in _LABELS}
    text = json.dumps(resolved)
    return {
        "scenario": hashlib.blake2b(text.encode(), digest_size=8).hexdigest(),
        "engine": sweep.engine,
        "seed": sweep.seed,
        "laws": laws(sweep.engine),
        "outcomes": list(sweep.outcomes),
        "weeks": list(sweep.weeks),
    }


@dataclass(frozen=True)
class Estimate:
    """What the rest of a sweep takes: runs, seconds, bytes of disk."""

    runs: int
    seconds: float
    bytes: int


def estimate(plan: Plan, runs: int, seconds_a_run: float, workers: int) -> Estimate:
    """What so many runs take; bytes are those of parts, tables and points, uncompressed."""
    s = plan.sweep
    kept = len(s.weeks) * len(s.outcomes)
    part = KEY_BYTES + 4 + 8 * kept
    table = len(s.weeks) * (28 + 8 * (len(plan.axes) + len(s.outcomes)))
    points = len(plan.uid) * (24 + KEY_BYTES + 8 * len(plan.axes))
    size = runs * part + s.most_runs * table + points + (1 << 16)
    return Estimate(runs, runs * seconds_a_run / workers, size)


def refuse(plan: Plan, expected: Estimate, folder: Path, workers: int, within: float) -> None:
    """Raise where the time or the disk is too little."""
    s = plan.sweep
    if expected.seconds > within * WEEK:
        raise EngineError(
            f"{s.file}: {expected.runs:,} runs on {workers} worker{'s' * (workers != 1)} take "
            f"about {duration(expected.seconds)}, more than the {duration(within * WEEK)} allowed. "
            "Take fewer points or replications, more workers, or allow it, e.g. --within "
            f"'{allowance(expected.seconds)}'"
        )
    there = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    free = shutil.disk_usage(there).free
    if expected.bytes > free:
        raise DataError(
            f"{folder}: the sweep needs up to {size(expected.bytes)} of disk, and {size(free)} are "
            "free. Take fewer points, outcomes or weeks, or another disk with --out"
        )


def allowance(seconds: float) -> str:
    """A time that is surely enough, as --within reads it."""
    days = int(seconds * 1.5 // 86_400) + 1
    return f"{days} days"


def duration(seconds: float) -> str:
    """A time as people say it."""
    for unit, length in (("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.0f} seconds" if seconds >= 10 else f"{seconds:.1f} seconds"


def size(count: float) -> str:
    """Bytes as people say them."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError
