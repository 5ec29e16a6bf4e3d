"""How the flow engine is compiled: one program, kept on disk, keyed by its sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from numba import njit

from simulator.compiled import UNCOUNTED
from simulator.compiled import stamp as stamp_of

# Nothing is allocated inside, so arrays need no reference counts; numba refuses to compile what
# would allocate.
OPTIONS: Final[dict[str, Any]] = {"error_model": "numpy", **UNCOUNTED}
# Ways in from Python and C unpack every array of every argument: much to compile.
INNER: Final[dict[str, Any]] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
compiled: Final = njit(**OPTIONS, **INNER)  # called from compiled code only
entered: Final = njit(**OPTIONS)


def stamp(modules: tuple[str, ...]) -> int:
    """A number that changes with the sources: of these modules and of the engine."""
    return stamp_of(*modules, *map(str, sorted(Path(__file__).parent.glob("*.py"))))
