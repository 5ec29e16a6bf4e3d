"""How the flow engine is compiled: one program, kept on disk, keyed by its sources."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

from numba import njit

# Nothing is allocated inside, so arrays need no reference counts (_nrt: a private option of numba,
# which refuses to compile what would allocate).
OPTIONS: Final[dict[str, Any]] = {"error_model": "numpy", "_nrt": False}
compiled: Final = njit(**OPTIONS)


def stamp(modules: tuple[str, ...]) -> int:
    """A number that changes with the sources.

    Numba's cache looks at the file of the cached function alone.
    """
    content = hashlib.blake2b(digest_size=7)
    for file in [*map(Path, modules), *sorted(Path(__file__).parent.glob("*.py"))]:
        content.update(file.read_bytes())
    return int.from_bytes(content.digest(), "little")
