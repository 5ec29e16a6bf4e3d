"""Is a store whole, and do its runs come out the same today?"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simulator.errors import DataError
from simulator.sweep.plan import Plan, plan
from simulator.sweep.read import load_sweep
from simulator.sweep.store import PARTS, Index, Store, checksum, read_manifest
from simulator.sweep.work import Case, work

AGAIN = 3


@dataclass(frozen=True)
class Audit:
    """What an audit found; raised as DataError where it is not well."""

    folder: Path
    state: str
    parts: int
    kept: int
    checked: int
    repeated: int
    kind: str = "audit"

    @property
    def sentences(self) -> list[str]:
        """What is whole."""
        whole = f"{self.parts:,} parts with {self.kept:,} runs and {self.checked:,} tables"
        again = f"{self.repeated} runs done again gave the same bits"
        return [f"{self.folder}: {self.state}; {whole} are whole; {again}."]

    @property
    def tables(self) -> dict[str, list[dict[str, object]]]:
        """No tables."""
        return {}

    def to_json(self) -> dict[str, object]:
        """Everything."""
        return {**dataclasses.asdict(self), "folder": str(self.folder)}


def audit(folder: str | Path) -> Audit:
    """Check every checksum of a store, and do some runs again; raises DataError with what is wrong.

    Changes nothing.
    """
    place = Path(folder)
    manifest = read_manifest(place)
    wrong: list[str] = []
    paths = sorted((place / PARTS).glob("*"))
    kept: dict[str, int] = {}
    for path in paths:
        if path.suffix == ".damaged":
            continue
        if path.suffix != ".parquet" or checksum(path) != path.stem:
            wrong.append(f"{path}: damaged (wrong checksum)")
        else:
            kept[f"{PARTS}/{path.name}"] = _rows(path)
    wrong += [
        f"{place / said['file']}: missing, with {said['rows']:,} runs"
        for said in manifest.get("parts", [])
        if not (place / said["file"]).exists()
    ]
    tables = manifest.get("tables", [])
    for said in tables:
        path = place / said["file"]
        if not path.exists():
            wrong.append(f"{path}: missing")
        elif checksum(path) != said["checksum"]:
            wrong.append(f"{path}: damaged (wrong checksum)")
    hint = f"growthsim sweep {place / 'sweep.yaml'} --out {place} runs what is lost again."
    if wrong:
        raise DataError("\n".join([*wrong, hint]))
    repeated = _again(place, manifest)
    return Audit(
        place, str(manifest.get("state")), len(kept), sum(kept.values()), len(tables), repeated
    )


def _rows(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def _again(place: Path, manifest: dict[str, object]) -> int:
    """Do some runs again and compare bit by bit; raises DataError where they differ."""
    if not (place / "sweep.yaml").exists():
        return 0
    laid = plan(load_sweep(place / "sweep.yaml"))
    if laid.identity != manifest["identity"]:
        raise DataError(
            f"{place}: its files are whole, but this growthsim would not give the same runs: "
            f"laws {laid.identity['laws']}, not {manifest['identity']['laws']}"  # type: ignore[index]
        )
    store = Store(place, None, manifest)  # type: ignore[arg-type]
    index = store.scan(laid.keys, laid.sweep.replications, None)
    found = np.argwhere(index.part >= 0)
    chosen = (
        found[np.unique(np.linspace(0, len(found) - 1, AGAIN).astype(int))] if len(found) else []
    )
    for uid, replication in np.asarray(chosen).reshape(-1, 2).tolist():
        _same(place, laid, store, index, int(uid), int(replication))
    return len(chosen)


def _same(place: Path, laid: Plan, store: Store, index: Index, uid: int, r: int) -> None:
    point = int(laid.first[uid])
    parcel = dataclasses.replace(laid.job, rule=None).parcel()
    done = work(parcel, (Case(uid, laid.values(point), (r,)),))
    there = store.read(index.parts[index.part[uid, r]])[index.row[uid, r]]
    if len(done.values) != 1 or done.values[0].tobytes() != there.tobytes():
        why = done.failures[0][1] if done.failures else "it differs in some bits"
        raise DataError(
            f"{place}: replication {r} of point {point}, done again, does not give what is stored: "
            f"{why}. Another machine or other versions of numpy or numba?"
        )


__all__ = ["Audit", "audit"]
