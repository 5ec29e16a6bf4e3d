"""How the batch engine is compiled."""

from __future__ import annotations

from typing import Any, Final

from numba import njit

from simulator.compiled import UNCOUNTED, at, seldom, soon

# Nothing is allocated in the loop, so arrays need no reference counts (tests hold it to that).
OPTIONS: Final[dict[str, Any]] = {"error_model": "numpy", **UNCOUNTED}
# Called from compiled code only: ways in from Python and C would take a quarter of the compilation.
INNER: Final[dict[str, Any]] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
compiled: Final = njit(forceinline=False, **OPTIONS, **INNER)
inlined: Final = njit(forceinline=True, **OPTIONS, **INNER)  # small, and called for every event
# Part of its one caller from the start, so it is compiled once.
merged: Final = njit(inline="always", forceinline=False, **OPTIONS, **INNER)

__all__ = ["at", "compiled", "inlined", "merged", "seldom", "soon"]
