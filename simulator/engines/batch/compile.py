"""How the batch engine is compiled."""

from __future__ import annotations

from typing import Any, Final

from numba import njit

# Nothing is allocated in the loop, so arrays need no reference counts (_nrt: a private option of
# numba; tests hold it to that).
OPTIONS: Final[dict[str, Any]] = {"error_model": "numpy", "_nrt": False}
compiled: Final = njit(**OPTIONS)
inlined: Final = njit(forceinline=True, **OPTIONS)  # small, and called for every event
