"""Numba's compiler with types that a type checker can read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function at its first call, and keep the machine code on disk for the next."""
    return cast(Callable[P, R], njit(cache=True)(function))


def uncached(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that is called from compiled code only, or from a keyed program."""
    return cast(Callable[P, R], njit(function))


@cache
def stamp(*files: str) -> int:
    """A number that changes with the content of files.

    Numba's cache looks at the file of the cached function alone, not at what it calls.
    """
    content = hashlib.blake2b(digest_size=7)
    for file in files:
        content.update(Path(file).read_bytes())
    return int.from_bytes(content.digest(), "little")
