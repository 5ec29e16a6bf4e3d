"""A fit beside its scenario: where the data came from, the estimates, and the ensemble.

    fit.json       files with checksums, options, the period, estimates with standard errors
    ensemble.csv   a column a path, a row a draw, in the scenario's internal units

Both are data: read with json and csv, checked, and never run.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import DataError
from simulator.spec.paths import leaves
from simulator.spec.schema import Scenario
from simulator.spec.values import with_values

Array = NDArray[np.float64]
FORMAT = 1
FIT, ENSEMBLE = "fit.json", "ensemble.csv"


@dataclass(frozen=True)
class Source:
    """A file that was fitted: its path, and the SHA-256 of what was in it."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Provenance:
    """What a fit was made from: files, the options of reading them, and the last moment."""

    folder: Path
    kind: str
    files: tuple[Source, ...]
    options: Mapping[str, Any]
    until: str

    def paths(self) -> list[Path]:
        """The files, where they still are what was fitted.

        Raises DataError naming the file that is gone or has changed.
        """
        found = []
        for source in self.files:
            path = Path(source.path)
            path = path if path.is_absolute() else self.folder / path
            if not path.is_file():
                raise DataError(
                    f"{path}: the file that {self.folder} was fitted to is gone. "
                    "Put it back, or name the data with --data"
                )
            if checksum(path) != source.sha256:
                raise DataError(
                    f"{path}: has changed since {self.folder} was fitted to it. "
                    "Fit anew, or name the data with --data"
                )
            found.append(path.resolve())
        return found


@dataclass(frozen=True)
class Ensemble:
    """Sets of numbers consistent with the data: values (B, n) of n paths, internal units."""

    paths: tuple[str, ...]
    values: Array

    def __len__(self) -> int:
        """How many sets."""
        return len(self.values)

    def number(self, row: int, path: str) -> float:
        """A number of one set."""
        return float(self.values[row, self.paths.index(path)])

    def scenario(self, base: Scenario, row: int) -> Scenario:
        """The scenario with the numbers of one set.

        Raises DataError naming a path that the scenario does not have.
        """
        return with_numbers(base, dict(zip(self.paths, map(float, self.values[row]), strict=True)))

    def shared(self, variant: Scenario, today: Scenario) -> Ensemble:
        """The same sets with only the numbers that a variant has of today."""
        ours, theirs = leaves(variant), leaves(today)

        def same(path: str) -> bool:
            keys = path.split(".")
            if len(keys) == 4 and keys[0] == "stages" and keys[2] == "next":
                a, b = (s.stages.get(keys[1]) for s in (variant, today))
                return a is not None and b is not None and bool(a.next == b.next)
            if path not in ours or path not in theirs:
                return path not in theirs  # with_numbers says what is wrong with it
            return bool(ours[path].value == theirs[path].value)

        kept = [k for k, path in enumerate(self.paths) if same(path)]
        return Ensemble(tuple(self.paths[k] for k in kept), self.values[:, kept])


def with_numbers(base: Scenario, values: Mapping[str, float]) -> Scenario:
    """The scenario with numbers at paths replaced, shares of a stage's `next` among them."""
    plain: dict[str, float] = {}
    routes: dict[str, dict[str, float]] = {}
    for path, value in values.items():
        keys = path.split(".")
        if len(keys) == 4 and keys[0] == "stages" and keys[2] == "next":
            routes.setdefault(keys[1], {})[keys[3]] = max(value, 0.0)
        else:
            plain[path] = value
    try:
        scenario = with_values(base, plain)
    except KeyError as error:
        raise DataError(f"the scenario has no {error.args[0]}: was it fitted anew?") from None
    stages = dict(scenario.stages)
    for name, shares in routes.items():
        stage = stages.get(name)
        if stage is None or not isinstance(stage.next, dict) or set(shares) - set(stage.next):
            raise DataError(f"the scenario has no stages.{name}.next as fitted: was it changed?")
        total = math.fsum(shares.values())
        if total > 0:
            share = {goal: shares.get(goal, 0.0) / total for goal in stage.next}
            stages[name] = stage.model_copy(update={"next": share})
    return scenario.model_copy(update={"stages": stages})


def checksum(path: str | Path) -> str:
    """SHA-256 of a file."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def save(
    folder: Path,
    kind: str,
    files: Sequence[str | Path],
    options: Mapping[str, Any],
    until: str,
    *,
    facts: Mapping[str, Any] | None = None,
    point: Mapping[str, float] | None = None,
    se: Mapping[str, float] | None = None,
    ensemble: Array | None = None,
) -> list[Path]:
    """Write fit.json, and the ensemble where there is one, into the scenario's folder; the files.

    Raises DataError where they cannot be written.
    """
    from simulator import __version__

    content: dict[str, Any] = {
        "growthsim": __version__,
        "format": FORMAT,
        "kind": kind,
        "files": [{"path": _shown(f, folder), "sha256": checksum(f)} for f in files],
        "options": dict(options),
        "until": until,
        **(facts or {}),
    }
    if point is not None and se is not None:
        content["numbers"] = [
            {"path": path, "value": value, "se": se[path]} for path, value in point.items()
        ]
    out = [folder / FIT]
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        out[0].write_text(text + "\n", encoding="utf-8", newline="\n")
        if point is not None and ensemble is not None:
            out.append(folder / ENSEMBLE)
            with out[1].open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerow(point)
                writer.writerows([f"{x:.8g}" for x in row] for row in ensemble)
    except OSError as err:
        raise DataError(f"{err.filename}: cannot be written: {err.strerror}") from None
    return out


def _shown(file: str | Path, folder: Path) -> str:
    """A path from the folder where both lie together, else in full."""
    path, home = Path(file).resolve(), folder.resolve()
    if path.is_relative_to(home.parent):
        return Path(os.path.relpath(path, home)).as_posix()
    return str(path)


def read_provenance(folder: str | Path) -> Provenance:
    """What the fit in a folder was made from.

    Raises DataError where there is none, or it is not readable.
    """
    home = Path(folder)
    home = home.parent if home.suffix in (".yaml", ".yml") else home
    path = home / FIT
    if not home.is_dir():
        raise DataError(f"{home}: no such folder")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"{home}: holds no {FIT}, so nothing says what it was fitted to. "
            f"Make it with `growthsim fit FILES... --out {home}`"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {error}. Fit anew") from None
    try:
        if content["format"] != FORMAT:
            raise DataError(
                f"{path}: written in format {content['format']}, not {FORMAT}. Fit anew"
            )
        files = tuple(Source(str(f["path"]), str(f["sha256"])) for f in content["files"])
        options = content["options"]
        if not isinstance(options, dict):
            raise TypeError("options")
        return Provenance(home, str(content["kind"]), files, options, str(content["until"]))
    except (KeyError, TypeError) as error:
        raise DataError(f"{path}: not as fit writes it ({error}). Fit anew") from None


def read_ensemble(path: str | Path) -> Ensemble:
    """The ensemble of a file, or of a fitted scenario's folder.

    Raises DataError, with the line, for what is not a number.
    """
    file = Path(path)
    file = file / ENSEMBLE if file.is_dir() else file
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream))
    except FileNotFoundError:
        raise DataError(f"{file}: no such file. `growthsim fit FILES... --out` writes it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read: {error}") from None
    if len(rows) < 2 or not rows[0]:
        raise DataError(f"{file}: holds no draws. Fit anew")
    paths, values = tuple(rows[0]), []
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(paths):
            raise DataError(f"{file}:{line}: {len(row)} values, not {len(paths)}")
        for path_, text in zip(paths, row, strict=True):
            try:
                number = float(text)
            except ValueError:
                number = math.nan
            if not math.isfinite(number):
                raise DataError(f"{file}:{line}: column {path_!r}, value {text!r}: not a number")
        values.append([float(text) for text in row])
    return Ensemble(paths, np.array(values))
