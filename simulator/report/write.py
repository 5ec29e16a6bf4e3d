"""A result as a folder: scenarios, the answer, tables, figures, and how it was made.

    run.json      version, engine, seed, replications, libraries, command, and the files
    result.json   the whole answer
    scenarios/    every scenario, resolved: it loads again to the same one
    tables/       each table as CSV and Parquet
    figures/      each figure as PNG and SVG

The files are made aside and then moved, run.json last. The same result gives the same bytes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
import unicodedata
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from simulator.errors import DataError

MANIFEST = "run.json"


def write(
    result: Any, out_dir: str | Path, figures: bool = True, *, command: list[str] | None = None
) -> list[Path]:
    """Write a result, or a Record, into a folder; the files, in order.

    A folder that holds a result of the same kind gets the new one, and keeps files that are not
    of the old. Raises DataError where the folder holds anything else or cannot be written.
    """
    result, out = _reported(result), Path(out_dir)
    kind = kind_of(result)
    parts = getattr(result, "parts", None)
    try:
        old = _room(out, kind)
        aside = _aside(out)
        try:
            made: list[str] = []
            for name, part in (parts or {"": result}).items():
                made += _content(part, aside / name if name else aside, figures, name)
            if parts:
                made += _answer(result, aside)
            _manifest(result, kind, aside, sorted(made), command)
            return _move(aside, out, [*sorted(made), MANIFEST], old)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        where = out if error.filename is None else error.filename
        why = (error.strerror or str(error)).lower()
        raise DataError(
            f"{out}: the result cannot be written ({where}: {why}). Name another folder with --out"
        ) from None


def ready(out_dir: str | Path) -> None:
    """Raise DataError where a result could not be written, before it is waited for."""
    out = Path(out_dir)
    _room(out, None)
    there = next(p for p in (out, *out.absolute().parents) if p.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise DataError(f"{out}: cannot be written. Name another folder with --out")


def kind_of(result: Any) -> str:
    """comparison, curve, constraint, run, fit or demo."""
    stated = getattr(result, "kind", None)
    if isinstance(stated, str):
        return stated
    said = result.to_json().get("kind")
    if isinstance(said, str):
        return said
    return str(type(result).__name__.removesuffix("Result").lower())


def _reported(result: Any) -> Any:
    from simulator.record import Record
    from simulator.report.runs import RunReport

    return RunReport(result) if isinstance(result, Record) else result


def _room(out: Path, kind: str | None) -> dict[str, Any]:
    """What the folder's old result said of itself; {} for none. Raises DataError."""
    if not out.exists() and not out.is_symlink():
        return {}
    if not out.is_dir():
        raise DataError(f"{out}: is a file, not a folder for results. Name another with --out")
    if not any(out.iterdir()):
        return {}
    try:
        old = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        old = None
    if not isinstance(old, dict) or "growthsim" not in old:
        raise DataError(
            f"{out}: holds files that are not a result of growthsim. Name another folder with --out"
        )
    if kind is not None and old.get("kind") != kind:
        raise DataError(
            f"{out}: holds a result of another kind ({old.get('kind')}, not {kind}). "
            "Name another folder with --out"
        )
    return old


def _aside(out: Path) -> Path:
    """An empty folder on the same disk: within what is there, else beside what is not."""
    if out.is_dir():
        return Path(tempfile.mkdtemp(prefix=".part-", dir=out))
    out.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=".part-", dir=out.parent))


def _move(aside: Path, out: Path, made: list[str], old: dict[str, Any]) -> list[Path]:
    if not out.exists():
        # mkdtemp's folders are for their owner alone; this one is for whom the others are.
        mask = os.umask(0)
        os.umask(mask)
        aside.chmod(0o777 & ~mask)
        aside.rename(out)
        return [out / name for name in made]
    for name in _stale(old, made):
        (out / name).unlink(missing_ok=True)
    for name in made:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (aside / name).replace(out / name)
    return [out / name for name in made]


def _stale(old: dict[str, Any], made: list[str]) -> list[str]:
    """Files of the old result that the new one does not have; only such as lie in the folder."""
    files = old.get("files")
    named = [f for f in files if isinstance(f, str)] if isinstance(files, list) else []
    inside = [
        f
        for f in named
        if f and not PurePosixPath(f).is_absolute() and ".." not in PurePosixPath(f).parts
        and re.fullmatch(r"(\w+/)?((scenarios|tables|figures)/[^/\\:]+|result\.json)", f)
    ]  # fmt: skip
    return sorted(set(inside) - set(made))


def _content(result: Any, folder: Path, figures: bool, prefix: str) -> list[str]:
    """Write one result's files; their names below the whole folder."""
    folder.mkdir(parents=True, exist_ok=True)
    made = _answer(result, folder)
    made += _scenarios(result, folder)
    made += _tables(_all_tables(result), folder)
    if figures:
        kind = kind_of(result)
        from simulator.report.figures import FIGURES, save_all

        if kind in FIGURES:
            (folder / "figures").mkdir()
            paths = save_all(result, kind, folder / "figures")
            made += [f"figures/{p.name}" for p in paths]
    return [f"{prefix}/{name}" if prefix else name for name in made]


def _all_tables(result: Any) -> Mapping[str, Any]:
    """A result's tables, and those of the one record that it keeps."""
    from simulator.record import Record
    from simulator.report.runs import RunReport, record_tables

    record = getattr(result, "record", None)
    if isinstance(record, Record) and not isinstance(result, RunReport):
        return {**result.tables, **record_tables(record)}
    tables: Mapping[str, Any] = result.tables
    return tables


def _answer(result: Any, folder: Path) -> list[str]:
    _json(result.to_json(), folder / "result.json")
    return ["result.json"]


def _json(value: Any, path: Path) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _scenarios(result: Any, folder: Path) -> list[str]:
    from simulator.spec.load import Loaded

    texts = {name: Loaded(s).resolved_text() for name, s in scenarios_of(result).items()}
    if texts:
        (folder / "scenarios").mkdir()
    for name, text in texts.items():
        (folder / "scenarios" / name).write_text(text, encoding="utf-8", newline="\n")
    return [f"scenarios/{name}" for name in texts]


def scenarios_of(result: Any) -> dict[str, Any]:
    """The scenarios of a result by file name; today's is today.yaml."""
    arms = getattr(result, "arms", None)
    if arms is not None:
        named = [("today" if i == 0 else a.name, a.system.scenario) for i, a in enumerate(arms)
                 if a.written]  # fmt: skip
    else:
        holder = getattr(result, "record", None) or result
        found = getattr(getattr(holder, "system", None), "scenario", None)
        found = found or getattr(getattr(result, "loaded", None), "scenario", None)
        found = found or getattr(result, "scenario", None)
        named = [] if found is None else [("today", found)]
    files: dict[str, Any] = {}
    for name, scenario in named:
        files[_free(slug(name), files, ".yaml")] = scenario
    return files


def _tables(tables: Mapping[str, Any], folder: Path) -> list[str]:
    from simulator.report.tables import columns, write_csv, write_parquet

    made: list[str] = []
    for title, table in tables.items():
        content = columns(table)
        if not content:
            continue
        (folder / "tables").mkdir(exist_ok=True)
        taken = {name.removeprefix("tables/"): None for name in made}
        name = _free(slug(title), taken, ".csv")
        path = folder / "tables" / name
        write_csv(content, path)
        write_parquet(content, path.with_suffix(".parquet"))
        made += [f"tables/{name}", f"tables/{path.with_suffix('.parquet').name}"]
    return made


def slug(name: str) -> str:
    """A file's name from anybody's words: letters, digits and dashes, 60 at the most."""
    plain = unicodedata.normalize("NFKC", name).lower()
    found = re.sub(r"[^\w]+", "-", plain).strip("-_")[:60].strip("-_")
    return found or "unnamed"


def _free(stem: str, taken: Mapping[str, Any], suffix: str) -> str:
    """A file name that is not taken."""
    name, n = f"{stem}{suffix}", 2
    while name in taken:
        name, n = f"{stem}-{n}{suffix}", n + 1
    return name


def _manifest(
    result: Any, kind: str, folder: Path, files: list[str], command: list[str] | None
) -> None:
    from importlib.metadata import version

    from simulator import __version__

    said = result.to_json()
    name = next((said[k] for k in ("study", "scenario", "name") if said.get(k)), None)
    runs = said.get("replications")
    libraries = ("numpy", "scipy", "simpy", "numba", "pandas", "pyarrow", "matplotlib")
    _json(
        {
            "growthsim": __version__,
            "kind": kind,
            "name": name,
            "engine": said.get("engine"),
            "seed": said.get("seed"),
            "replications": len(runs) if isinstance(runs, list) else runs,
            "python": ".".join(map(str, sys.version_info[:3])),
            "libraries": {library: version(library) for library in libraries},
            "command": _command() if command is None else command,
            "files": files,
        },
        folder / MANIFEST,
    )


def _command() -> list[str] | None:
    """What was typed, where growthsim was typed."""
    program = Path(sys.argv[0]) if sys.argv and sys.argv[0] else Path()
    ours = program.stem == "growthsim" or (
        program.name == "__main__.py" and program.parent.name == "simulator"
    )
    return ["growthsim", *sys.argv[1:]] if ours else None
