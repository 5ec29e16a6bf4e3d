"""A deck on disk: never half-written, the same bytes for the same content, a backup kept."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

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


def saved(deck: Any, path: Path) -> None:
    """Write a deck aside, then put it in its place; DataError where that fails."""
    held = io.BytesIO()
    deck.save(held)
    put(_same(held.getvalue()), path)


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


def _same(content: bytes) -> bytes:
    """A package with its entries' times taken out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            plain = zipfile.ZipInfo(entry.filename, (1980, 1, 1, 0, 0, 0))
            plain.compress_type = zipfile.ZIP_DEFLATED
            plain.external_attr = 0o600 << 16
            new.writestr(plain, old.read(entry))
    return out.getvalue()
