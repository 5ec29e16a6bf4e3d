"""The finished tables: every run in canonical order, whoever ran it, when and in which part.

Order: levers, then worlds, then replications, then weeks. A point's row says its values; runs/
holds files of at most ROWS rows, which pandas, polars and DuckDB read as one dataset.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simulator.sweep.plan import Plan
from simulator.sweep.points import KEY_BYTES
from simulator.sweep.store import PARTS, POINTS, RUNS, Index, Store, checksum

ROWS: Final = 1 << 18
GROUP: Final = 1 << 15
Floats = NDArray[np.float64]


def write_points(store: Store, plan: Plan) -> str:
    """The design, a row a point; its checksum."""
    with store.writing(POINTS) as stream:
        writer: Any = None
        for start in range(0, len(plan.uid), GROUP):
            block = _points(plan, np.arange(start, min(start + GROUP, len(plan.uid))))
            writer = writer or pq.ParquetWriter(stream, block.schema)
            writer.write_table(block)
        writer.close()
    return checksum(store.folder / POINTS)


def _points(plan: Plan, point: NDArray[np.int64]) -> Any:
    lever, world = np.divmod(point, len(plan.worlds))
    keys = pa.py_buffer(plan.keys[plan.uid[point]].tobytes())
    columns: dict[str, Any] = {
        "point": point,
        "lever": lever.astype(np.int32),
        "world": world.astype(np.int32),
        "key": pa.Array.from_buffers(pa.binary(KEY_BYTES), len(point), [None, keys]),
    }
    return pa.table(columns | _axes(plan, point))


def _axes(plan: Plan, point: NDArray[np.int64]) -> dict[str, Floats]:
    lever, world = np.divmod(point, len(plan.worlds))
    names = [axis.name for axis in plan.axes]
    values = [plan.levers[lever, i] for i in range(plan.levers.shape[1])]
    values += [plan.worlds[world, i] for i in range(plan.worlds.shape[1])]
    return dict(zip(names, values, strict=True))


def write_runs(
    store: Store, plan: Plan, index: Index, counts: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """The table of runs; its files with checksum and rows. counts: (U,) runs of each point."""
    folder = store.folder / RUNS
    folder.mkdir(exist_ok=True)
    made: list[dict[str, Any]] = []
    writer: Any = None
    rows = 0
    with _Files(store) as files:
        for block in _blocks(store, plan, index, counts):
            start = 0
            while start < block.num_rows:
                take = min(block.num_rows - start, ROWS - rows)
                writer = writer or files.begin(block.schema)
                writer.write_table(block.slice(start, take), row_group_size=GROUP)
                start, rows = start + take, rows + take
                if rows == ROWS:
                    made.append(files.end(rows))
                    writer, rows = None, 0
        if rows:
            made.append(files.end(rows))
    for stray in folder.iterdir():
        if f"{RUNS}/{stray.name}" not in {f["file"] for f in made}:
            stray.unlink()
    return made


class _Files:
    """One file of the table after another, each written aside and then named."""

    def __init__(self, store: Store) -> None:
        self.store, self.count = store, 0
        self.name = ""
        self.open: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.open is not None:
            self.open[0].__exit__(*error)
            self.open = None

    def begin(self, schema: Any) -> Any:
        """A writer of the next file."""
        self.name = f"{RUNS}/runs-{self.count:05d}.parquet"
        self.count += 1
        context = self.store.writing(self.name)
        writer = pq.ParquetWriter(context.__enter__(), schema)
        self.open = context, writer
        return writer

    def end(self, rows: int) -> dict[str, Any]:
        """Name the file; what the manifest says of it."""
        context, writer = self.open
        self.open = None
        writer.close()
        context.__exit__(None, None, None)
        return {
            "file": self.name,
            "checksum": checksum(self.store.folder / self.name),
            "rows": rows,
        }


def _blocks(store: Store, plan: Plan, index: Index, counts: NDArray[np.int64]) -> Iterator[Any]:
    """The table in blocks of about GROUP rows, each within memory."""
    weeks = len(plan.sweep.weeks)
    many = max(1, GROUP // weeks)
    runs = counts[plan.uid]
    ends = np.cumsum(runs)
    start = 0
    while start < len(runs):
        done = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + many, side="right")))
        point = np.repeat(np.arange(start, stop), runs[start:stop])
        if len(point):
            yield _block(store, plan, index, point, runs[start:stop])
        start = stop


def _block(
    store: Store, plan: Plan, index: Index, point: NDArray[np.int64], runs: NDArray[np.int64]
) -> Any:
    s = plan.sweep
    replication = np.concatenate([np.arange(n) for n in runs]).astype(np.int64)
    uid = plan.uid[point]
    part, row = index.part[uid, replication], index.row[uid, replication]
    values = np.empty((len(point), len(plan.names)))
    for p in np.unique(part):
        here = part == p
        values[here] = store.read(index.parts[int(p)])[row[here]]
    weeks = len(s.weeks)
    long = values.reshape(len(point) * weeks, len(s.outcomes))
    lever, world = np.divmod(point, len(plan.worlds))
    columns: dict[str, Any] = {
        "point": np.repeat(point, weeks),
        "lever": np.repeat(lever, weeks).astype(np.int32),
        "world": np.repeat(world, weeks).astype(np.int32),
        "replication": np.repeat(replication, weeks).astype(np.int32),
        "week": np.tile(np.array(s.weeks), len(point)),
    }
    columns |= {k: np.repeat(v, weeks) for k, v in _axes(plan, point).items()}
    columns |= {name: np.ascontiguousarray(long[:, i]) for i, name in enumerate(s.outcomes)}
    return pa.table(columns)


class Runs:
    """The finished table by row, read a row group at a time."""

    def __init__(self, folder: Path, outcomes: Sequence[str]) -> None:
        self.folder, self.outcomes = folder / RUNS, list(outcomes)
        self._group = lru_cache(maxsize=4)(self._read_group)
        self._file = lru_cache(maxsize=4)(self._open)
        self._starts: dict[int, list[int]] = {}

    def _open(self, number: int) -> Any:
        found = pq.ParquetFile(self.folder / f"runs-{number:05d}.parquet")
        meta = found.metadata
        lengths = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
        self._starts[number] = np.cumsum([0, *lengths]).tolist()
        return found

    def _read_group(self, number: int, group: int) -> Floats:
        table = self._file(number).read_row_group(group, columns=self.outcomes)
        return np.column_stack([table[name].to_numpy() for name in self.outcomes])

    def rows(self, start: int, stop: int) -> Floats:
        """Outcomes of rows start to stop, (stop - start, outcomes)."""
        found = []
        while start < stop:
            number, inside = divmod(start, ROWS)
            self._file(number)
            starts = self._starts[number]
            group = int(np.searchsorted(starts, inside, side="right")) - 1
            end = min(inside + stop - start, starts[group + 1])
            found.append(self._group(number, group)[inside - starts[group] : end - starts[group]])
            start += end - inside
        return np.concatenate(found) if found else np.zeros((0, len(self.outcomes)))


def parts_of(index: Index) -> list[dict[str, Any]]:
    """What the manifest says of the parts."""
    return [
        {"file": f"{PARTS}/{name}", "checksum": name.partition(".")[0], "rows": rows}
        for name, rows in sorted(zip(index.parts, index.rows, strict=True))
    ]
