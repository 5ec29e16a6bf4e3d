"""Logarithm and exponential for draws: the same bits on every machine, inlined where they are used.

A mathematical library chooses its code by the processor and the system, so its last bit differs
between machines, and with it the order of two events. These are sums and products alone. Method:
tables of 128 and a short polynomial (Tang 1989 and 1990, ACM TOMS 15(2) and 16(4)).
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from simulator.compiled import apart, at, compiled, inlined

CELLS: Final = 128
_SHIFT: Final = 52 - 7  # of the bits of a double that choose a cell
_FIRST: Final = 0x3FE6000000000000  # bits of 0.6875, where the cells begin
_EXPONENT: Final = -1 << 52
_ONE: Final = 0x3FF


def _as(kind: Any, of: Any, to: Any) -> Any:
    """An intrinsic that reads the bits of one type as another."""

    def change(_: Any, __: Any) -> Any:
        def code(___: Any, builder: Any, ____: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], to)

        return kind(of), code

    return change


_bits_of: Final[Any] = intrinsic(_as(types.int64, types.float64, ir.IntType(64)))
_double_of: Final[Any] = intrinsic(_as(types.float64, types.int64, ir.DoubleType()))


def _logarithms() -> Any:
    """By cell: 1/c and log(c) of its middle c; around 1 both are exact, so log(1 - tiny) is."""
    bits = np.int64(_FIRST) + ((2 * np.arange(CELLS, dtype=np.int64) + 1) << (_SHIFT - 1))
    inverse = 1.0 / bits.view(np.float64)
    one = (0x3FF0000000000000 - _FIRST) >> _SHIFT
    inverse[one - 1 : one + 1] = 1.0
    return np.array([(x, -float(Decimal(x).ln())) for x in inverse.tolist()]).ravel()


def _powers() -> Any:
    """Two to the power of i/128."""
    return np.array([float(Decimal(2) ** (Decimal(i) / CELLS)) for i in range(CELLS)])


_LOGARITHMS: Final = _logarithms()
_POWERS: Final = _powers()
_LN2: Final = math.log(2.0)
_PER_CELL: Final = CELLS / _LN2
# ln 2 / 128 in two parts; of the first the last bits are 0, so its product with a cell is exact.
_STEP: Final = 6.93147180369123816490e-01 / CELLS
_REST: Final = 1.90821492927058770002e-10 / CELLS


@inlined
def log(u: float) -> float:
    """Natural logarithm of a positive, normal, finite number: relative error 2e-14 at most."""
    bits = _bits_of(u)
    above = bits - _FIRST
    cell = 2 * ((above >> _SHIFT) & (CELLS - 1))
    r: float = _double_of(bits - (above & _EXPONENT)) * at(_LOGARITHMS, cell) - 1.0
    whole: float = float(above >> 52) * _LN2 + at(_LOGARITHMS, cell + 1)
    square = r * r
    tail = (r * (1.0 / 3.0) - 0.5) + square * ((r * 0.2 - 0.25) - square * (1.0 / 6.0))
    return whole + (r + square * tail)


@inlined
def exp(x: float) -> float:
    """Exponential: to 1 unit in the last place."""
    if not abs(x) < 700.0:
        return _far(x)
    n = math.floor(x * _PER_CELL + 0.5)
    cells = int(n)
    r = (x - n * _STEP) - n * _REST
    square = r * r
    small = r + square * ((0.5 + r * (1.0 / 6.0)) + square * (1.0 / 24.0 + r * (1.0 / 120.0)))
    power: float = at(_POWERS, cells & (CELLS - 1))
    scale: float = _double_of(((cells >> 7) + _ONE) << 52)
    return (power + power * small) * scale


@compiled
def _far(x: float) -> float:
    apart()
    return math.exp(x)
