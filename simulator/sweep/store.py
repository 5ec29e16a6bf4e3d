"""The store of a sweep: a folder in which nothing finished is ever lost.

    manifest.json   what the runs are of, the design, every file with its checksum
    scenario.yaml   the scenario, resolved
    sweep.yaml      the sweep file, of that scenario
    points.parquet  the design: a row a point
    parts/          runs as they were finished; a part's name is the hash of its bytes
    runs/           all runs of the design in order, once the sweep is finished: one dataset
    summary.parquet, summary.csv

Files are written aside, flushed to the disk and then renamed, so that whatever has its name is
whole. A run is called by (key of its point, replication); the key is a hash of the resolved
scenario, engine, seed, laws, outcomes and what the point changes, so runs of an earlier design
are found again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simulator.errors import DataError
from simulator.sweep.points import KEY_BYTES

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
PARTS: Final = "parts"
RUNS: Final = "runs"
POINTS: Final = "points.parquet"
_ASIDE: Final = ".aside-"
_LOCK: Final = ".lock"
_OURS: Final = {
    MANIFEST, PARTS, RUNS, _LOCK, "scenario.yaml", "sweep.yaml", POINTS,
    "summary.parquet", "summary.csv", "levers.csv", "uncertainties.csv",
}  # fmt: skip
_PART = re.compile(r"([0-9a-f]{32})\.parquet")
_LABELS: Final = {
    "scenario": "the scenario", "engine": "the engine", "seed": "the seed",
    "laws": "the version of the laws", "outcomes": "the outcomes", "weeks": "the weeks",
}  # fmt: skip
Keys = NDArray[np.bytes_]


def digest(data: bytes) -> str:
    """The checksum of a file's bytes."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def checksum(path: Path) -> str:
    """The checksum of a file on the disk."""
    with path.open("rb") as stream:
        content = hashlib.blake2b(digest_size=16)
        while block := stream.read(1 << 20):
            content.update(block)
    return content.hexdigest()


@dataclass
class Index:
    """Where the runs of the points are: part and row, -1 where there is none yet; (U, R).

    keys: (U,) sorted names of the points; judged: (U, R) the outcome of a precision rule.
    """

    keys: Keys
    part: NDArray[np.int32]
    row: NDArray[np.int32]
    judged: NDArray[np.float64] | None
    parts: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    @staticmethod
    def of(keys: Keys, replications: int, judged: bool) -> Index:
        """An empty index."""
        shape = (len(keys), replications)
        return Index(
            keys,
            np.full(shape, -1, dtype=np.int32),
            np.full(shape, -1, dtype=np.int32),
            np.full(shape, np.nan) if judged else None,
        )

    def add(
        self,
        name: str,
        uid: NDArray[np.int64],
        replication: NDArray[np.int32],
        judged: NDArray[np.float64] | None,
    ) -> None:
        """Note the rows of a part; uid -1 is a point of another design."""
        rows = np.arange(len(uid), dtype=np.int32)
        mine = (uid >= 0) & (replication < self.part.shape[1])
        mine[mine] = self.part[uid[mine], replication[mine]] < 0
        at = uid[mine], replication[mine]
        self.part[at], self.row[at] = len(self.parts), rows[mine]
        if self.judged is not None and judged is not None:
            self.judged[at] = judged[mine]
        self.parts.append(name)
        self.rows.append(len(uid))


class Store:
    """An open store; one process writes into it at a time."""

    def __init__(self, folder: Path, lock: IO[str], manifest: dict[str, Any]) -> None:
        self.folder, self._lock, self.manifest = folder, lock, manifest
        self.read = lru_cache(maxsize=16)(self._read)

    @staticmethod
    def open(folder: Path, identity: dict[str, Any]) -> Store:
        """The store in a folder, made if absent; raises DataError where it is of another sweep."""
        try:
            _room(folder)
            (folder / PARTS).mkdir(parents=True, exist_ok=True)
            lock = _locked(folder)
            try:
                manifest = read_manifest(folder) if (folder / MANIFEST).exists() else {}
                if manifest:
                    _same(folder, manifest, identity)
                for stray in folder.glob(f"{_ASIDE}*"):
                    stray.unlink(missing_ok=True)
                store = Store(folder, lock, {**manifest, "identity": identity})
                store.note(state="running")
            except BaseException:
                lock.close()
                raise
        except OSError as error:
            raise cannot(folder, error) from None
        return store

    def close(self) -> None:
        """Let others write."""
        self._lock.close()

    def discard(self) -> None:
        """Take away a store in which nothing is kept."""
        for name in (MANIFEST, _LOCK):
            (self.folder / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # whatever else is there stays
            (self.folder / PARTS).rmdir()
            self.folder.rmdir()

    def note(self, **changes: Any) -> None:
        """Change the manifest."""
        self.manifest = {"growthsim": _version(), "kind": "sweep", "format": FORMAT} | {
            **self.manifest, **changes
        }  # fmt: skip
        self.write(MANIFEST, (json.dumps(self.manifest, indent=1) + "\n").encode())

    def write(self, name: str, data: bytes) -> str:
        """Write a file whole or not at all; its checksum. Raises DataError."""
        with self.writing(name) as stream:
            stream.write(data)
        return digest(data)

    @contextlib.contextmanager
    def writing(self, name: str) -> Any:
        """A stream to a file that gets its name when all of it is on the disk."""
        target = self.folder / name
        aside = None
        try:
            handle, aside = tempfile.mkstemp(prefix=_ASIDE, dir=self.folder)
            with os.fdopen(handle, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            Path(aside).chmod(0o666 & ~_mask())
            Path(aside).replace(target)
            _settle(target.parent)
        except OSError as error:
            raise cannot(self.folder, error) from None
        finally:
            if aside is not None:
                Path(aside).unlink(missing_ok=True)

    def append(
        self,
        index: Index,
        uid: NDArray[np.int64],
        replication: NDArray[np.int32],
        values: NDArray[np.float64],
        names: Sequence[str],
        judged: int | None,
    ) -> None:
        """Keep finished runs as a part."""
        keys = pa.py_buffer(index.keys[uid].tobytes())
        length = len(uid)
        columns: dict[str, Any] = {
            "key": pa.Array.from_buffers(pa.binary(KEY_BYTES), length, [None, keys]),
            "replication": pa.array(replication),
        }
        for i, name in enumerate(names):
            columns[name] = pa.array(np.ascontiguousarray(values[:, i]))
        stream = io.BytesIO()
        pq.write_table(pa.table(columns), stream)
        data = stream.getvalue()
        name = f"{digest(data)}.parquet"
        self.write(f"{PARTS}/{name}", data)
        index.add(name, uid, replication, None if judged is None else values[:, judged])

    def scan(self, keys: Keys, replications: int, judged: str | None) -> Index:
        """Which runs are here; parts whose checksum is wrong are put aside and not counted."""
        index = Index.of(keys, replications, judged is not None)
        for path in sorted((self.folder / PARTS).glob("*.parquet")):
            try:
                data = path.read_bytes()
                if not _whole(path, data):
                    index.damaged.append(path.name)
                    path.replace(path.with_suffix(".damaged"))
                    continue
            except OSError as error:
                raise cannot(self.folder, error) from None
            columns = ["key", "replication", *([judged] if judged else [])]
            table = pq.read_table(io.BytesIO(data), columns=columns)
            found = keys_of(table)
            place = np.searchsorted(keys, found)
            place[place == len(keys)] = 0
            uid = np.where(keys[place] == found, place, -1).astype(np.int64)
            value = table[judged].to_numpy() if judged else None
            index.add(path.name, uid, table["replication"].to_numpy(), value)
        return index

    def _read(self, name: str) -> NDArray[np.float64]:
        """Outcomes of a part, (rows, weeks x outcomes)."""
        table = pq.read_table(self.folder / PARTS / name)
        columns = [c.to_numpy() for c in table.columns[2:]]
        return np.column_stack(columns)


def keys_of(table: Any) -> Keys:
    """The keys of a part's rows."""
    column = table["key"].combine_chunks()
    buffer = column.buffers()[1]
    raw = b"" if buffer is None else buffer.to_pybytes()
    start = column.offset * KEY_BYTES
    return np.frombuffer(raw[start : start + len(column) * KEY_BYTES], dtype=f"S{KEY_BYTES}")


def _whole(path: Path, data: bytes) -> bool:
    named = _PART.fullmatch(path.name)
    return named is not None and named.group(1) == digest(data)


def _version() -> str:
    from simulator import __version__

    return __version__


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _settle(folder: Path) -> None:
    """Flush a folder's entries to the disk, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _locked(folder: Path) -> IO[str]:
    stream = (folder / _LOCK).open("a", encoding="utf-8")
    try:
        import fcntl
    except ImportError:  # no such locks here: two writers are the user's care
        return stream
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stream.close()
        raise DataError(
            f"{folder}: another sweep is writing here. Wait for it, or name another folder "
            "with --out"
        ) from None
    return stream


def _room(folder: Path) -> None:
    """Raise DataError where something else than a sweep is there."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise DataError(f"{folder}: is a file, not a folder for a sweep. Name another with --out")
    names = {p.name for p in folder.iterdir() if not p.name.startswith(_ASIDE)}
    if MANIFEST not in names and names - _OURS:
        raise DataError(
            f"{folder}: holds files that are not a sweep's ({min(names - _OURS)}). "
            "Name another folder with --out"
        )


def read_manifest(folder: Path) -> dict[str, Any]:
    """What a store says of itself; raises DataError."""
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{folder}: no sweep is stored here: it has no {MANIFEST}") from None
    except (OSError, ValueError):
        raise DataError(
            f"{path}: damaged. Remove it and start the sweep again: the finished runs in "
            f"{PARTS}/ are found by their keys"
        ) from None
    if not isinstance(found, dict) or found.get("kind") != "sweep":
        raise DataError(f"{folder}: holds another kind of result. Name another folder with --out")
    if found.get("format") != FORMAT or not isinstance(found.get("identity"), dict):
        raise DataError(
            f"{folder}: a store of format {found.get('format')}, and this growthsim reads format "
            f"{FORMAT}. Name another folder with --out"
        )
    return found


def _same(folder: Path, manifest: dict[str, Any], identity: dict[str, Any]) -> None:
    there = manifest["identity"]
    for key, label in _LABELS.items():
        if there.get(key) != identity[key]:
            shown = _shown(there.get(key)), _shown(identity[key])
            version = f" (growthsim {manifest.get('growthsim')})" if key == "laws" else ""
            raise DataError(
                f"{folder}: holds runs of another sweep: {label} there is {shown[0]}{version}, "
                f"here {shown[1]}. Name another folder with --out"
            )


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def cannot(folder: Path, error: OSError) -> DataError:
    """What a user reads where the store cannot be written."""
    why = (error.strerror or str(error)).lower()
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DataError(
            f"{folder}: the disk is full ({why}). What was finished is kept: make room and start "
            "the same command again"
        )
    return DataError(f"{folder}: cannot be written ({why}). Name another folder with --out")
