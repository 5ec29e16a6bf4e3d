"""A file on disk: never half-written, a backup kept."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from simulator.errors import DataError


def free(path: str | Path) -> Path:
    """A path for a new deck; DataError where something is there, or it cannot be written."""
    out = Path(path)
    if out.suffix.lower() != ".pptx":
        raise DataError(f"{out}: a deck's name ends in .pptx")
    if out.exists():
        raise DataError(
            f"{out}: is there already. Update it with --refresh {out}, or name another with --out"
        )
    return out


def writable(path: Path) -> None:
    """Raise DataError for a file that is write-protected, or open in an office program."""
    try:
        locked = not path.stat().st_mode & 0o222 or not os.access(path, os.W_OK)
    except OSError:
        return  # that it is not there is told by who reads it
    if locked:
        raise DataError(f"{path}: is write-protected. Allow writing, or refresh a copy of it")
    for lock in (f"~${path.name}", f"~${path.name[2:]}", f".~lock.{path.name}#"):
        if path.with_name(lock).exists():
            raise DataError(
                f"{path}: is open in another program ({lock} is beside it). Close it there first"
            )


def put(content: bytes, path: Path) -> None:
    """Write bytes aside, then put them in the file's place."""
    aside = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(prefix=".part-", suffix=path.suffix, dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(aside).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~mask)
        Path(aside).replace(path)
    except OSError as error:
        Path(aside).unlink(missing_ok=True) if aside else None
        why = (error.strerror or str(error)).lower()
        raise DataError(
            f"{path}: cannot be written ({why}). Close it elsewhere, or name another"
        ) from None


def backed_up(path: Path) -> Path:
    """A copy of a file beside it, under a name that is free; DataError where that fails."""
    for n in range(1, 10_000):
        copy = path.with_name(f"{path.stem}.backup{'' if n == 1 else f'-{n}'}{path.suffix}")
        if not copy.exists():
            break
    try:
        shutil.copy2(path, copy)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise DataError(f"{copy}: the backup cannot be written ({why}); nothing changed") from None
    return copy
