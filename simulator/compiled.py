"""Numba's compiler with types that a type checker can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function at its first call, and keep the machine code on disk for the next."""
    return cast(Callable[P, R], njit(cache=True)(function))
