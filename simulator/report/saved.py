"""Results read back: a folder that `--out` wrote, or the JSON that `--json` printed."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulator import __version__
from simulator.errors import DataError

MOST_BYTES = 200_000_000
# What a kind must hold to be shown; older versions kept less.
NEEDED = {
    "comparison": ("arms", "verdict", "outcome", "currency", "weeks"),
    "curve": ("points", "knee", "outcome", "currency", "weeks"),
    "constraint": ("ranking", "teams", "outcome", "currency", "weeks", "hours", "queues"),
    "explanation": ("difference", "mechanisms", "bookings", "outcome"),
}
PARTS = ("compare", "curve", "constraint", "explanations")


@dataclass(frozen=True)
class Saved:
    """One answer as it was written: its kind and its JSON, and where both come from.

    run_id: the first letters of the file's SHA-256; date: when the file was written.
    """

    kind: str
    data: dict[str, Any]
    file: str
    run_id: str
    date: str
    version: str

    @property
    def name(self) -> str:
        """The study's or scenario's name."""
        return str(self.data.get("study") or self.data.get("scenario") or self.kind)

    def at(self, pointer: str) -> Any:
        """The value at a path of keys and indices, `arms/1/gain/mean`; DataError if none."""
        value: Any = self.data
        for key in pointer.split("/"):
            try:
                value = value[int(key)] if isinstance(value, list) else value[key]
            except (KeyError, IndexError, TypeError, ValueError):
                raise DataError(f"{self.file}: {pointer}: is missing. {self.again()}") from None
        return value

    def number(self, pointer: str) -> float:
        """The number there; nan for null. DataError for anything else."""
        value = self.at(pointer)
        if value is None:
            return math.nan
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise DataError(f"{self.file}: {pointer}: {value!r} is not a number")
        return float(value)

    def text(self, pointer: str) -> str:
        """The text there; DataError for anything else."""
        value = self.at(pointer)
        if not isinstance(value, str):
            raise DataError(f"{self.file}: {pointer}: {value!r} is not text")
        return value

    def rows(self, pointer: str) -> list[Any]:
        """The list there; DataError for anything else."""
        value = self.at(pointer)
        if not isinstance(value, list):
            raise DataError(f"{self.file}: {pointer}: is not a list")
        return value

    def keys(self, pointer: str) -> list[str]:
        """The keys of the mapping there; DataError for anything else."""
        value = self.at(pointer)
        if not isinstance(value, dict):
            raise DataError(f"{self.file}: {pointer}: is not a mapping")
        return list(value)

    def again(self) -> str:
        """What to do where something is missing."""
        wrote = f"growthsim {self.version} wrote it" if self.version else "who wrote it is unknown"
        return f"({wrote}, this is {__version__}: run the question again)"


def read(paths: Sequence[str | Path]) -> list[Saved]:
    """The answers in folders and JSON files, in their order; those of a demo one by one.

    Raises DataError where one cannot be read, is no result, or lacks what is shown.
    """
    found = [saved for path in paths for saved in _read(Path(path))]
    if not found:
        raise DataError("no result was given: name a folder that --out wrote, or a result's JSON")
    return found


def of(result: Any) -> list[Saved]:
    """The answers of a result that is not on disk, as they would be read back."""
    from simulator.report.write import kind_of

    data = {"kind": kind_of(result), **result.to_json()}
    raw = json.dumps(data, ensure_ascii=False).encode("utf-8")
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    run_id = hashlib.sha256(raw).hexdigest()[:8]
    return list(_parts(Saved(data["kind"], data, "the result", run_id, today, __version__)))


def _read(path: Path) -> Iterator[Saved]:
    file = path / "result.json" if path.is_dir() else path
    if path.is_dir() and not file.is_file():
        raise DataError(f"{path}: holds no result.json. Name a folder that --out wrote")
    try:
        if file.stat().st_size > MOST_BYTES:
            raise DataError(f"{file}: is too large for a result ({MOST_BYTES:,} bytes at most)")
        raw = file.read_bytes()
        data = json.loads(raw.decode("utf-8"), parse_constant=_refuse)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise DataError(f"{file}: cannot be read ({why}). Name a folder that --out wrote") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file}: is not the JSON of a result ({error})") from None
    if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
        raise DataError(f"{file}: is not a result of growthsim: it does not say its kind")
    stamp = datetime.fromtimestamp(file.stat().st_mtime, UTC).strftime("%Y-%m-%d")
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch.isdigit():
        stamp = datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%d")
    whole = Saved(
        kind=data["kind"],
        data=data,
        file=str(file),
        run_id=hashlib.sha256(raw).hexdigest()[:8],
        date=stamp,
        version=_version(file.parent),
    )
    yield from _parts(whole)


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number of JSON")


def _version(folder: Path) -> str:
    """The version in the folder's run.json; empty if there is none."""
    try:
        said = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    found = said.get("growthsim") if isinstance(said, dict) else None
    return found if isinstance(found, str) else ""


def _parts(whole: Saved) -> Iterator[Saved]:
    held = [p for name in PARTS for p in _held(whole.data.get(name))]
    if whole.kind in NEEDED or not held:
        missing = [k for k in NEEDED.get(whole.kind, ()) if k not in whole.data]
        if missing:
            raise DataError(
                f"{whole.file}: a {whole.kind} without {', '.join(missing)} cannot be shown. "
                f"{whole.again()}"
            )
        yield whole
        return
    for part in held:
        yield from _parts(
            Saved(part["kind"], part, whole.file, whole.run_id, whole.date, whole.version)
        )


def _held(value: Any) -> list[dict[str, Any]]:
    """The results in a part: the part itself, or those it names."""
    if not isinstance(value, dict):
        return []
    if isinstance(value.get("kind"), str):
        return [value]
    return [v for v in value.values() if isinstance(v, dict) and isinstance(v.get("kind"), str)]
