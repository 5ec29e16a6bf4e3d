"""The weekly step as one compiled program, for the engines that call it from Python."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit

from simulator import laws
from simulator import weekly as folder
from simulator.compiled import UNCOUNTED, announcing, keyed, stamp
from simulator.spec import signals
from simulator.weekly.rules import Rules
from simulator.weekly.state import Holds, Shown, State
from simulator.weekly.step import advance, hold, keep, look

HOLD, STEP, LOOK, KEEP = range(4)
"""At an edge: go on as we are, take a weekly step, look around at the start, begin sums anew."""


# Part of the program that calls it from the start, so it is compiled once.
@njit(inline="always", **UNCOUNTED)
def turn(rules, state, shown, last, holds, ended, k, mode, edge):  # type: ignore[no-untyped-def]
    """Move the state, where a week is over; write what holds in segment k."""
    if mode == KEEP:
        keep(shown, last)
        return
    if mode == STEP:
        advance(rules, ended, state, shown, last, edge)
    elif mode == LOOK:
        look(rules, state, shown)
    hold(rules, k, state, holds)


# The cache on disk names the types of the arguments: plain ones survive a new version.
def step(arguments):  # type: ignore[no-untyped-def]
    """`turn`, of one tuple."""
    rules, state, shown, last, holds, ended, k, mode, edge = arguments
    turn(
        Rules(*rules), State(*state), Shown(*shown), Shown(*last), Holds(*holds),
        ended, k, mode, edge,
    )  # fmt: skip


@cache
def program() -> Callable[[tuple[Any, ...]], None]:
    """`step`, of plain tuples of arrays, kept on disk by the content of its sources."""
    place = sorted(Path(str(folder.__file__)).parent.glob("*.py"))
    key = stamp(str(laws.__file__), str(signals.__file__), __file__, *map(str, place))

    return announcing(keyed(step, key, **UNCOUNTED), "the weekly step: half a minute")
