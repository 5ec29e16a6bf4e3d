"""Logarithm and power for draws: the same bits on every machine, inlined where they are used.

A mathematical library chooses its code by the processor and the system, so its last bit differs
between machines, and with it the order of two events. These are sums, products and fused products
alone, which IEEE 754 settles to the bit. Method: tables of 128 and a short polynomial (Tang 1989
and 1990, ACM TOMS 15(2) and 16(4)), in as few steps after each other as it can be.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from simulator.compiled import at, inlined

CELLS: Final = 128
_SHIFT: Final = 52 - 7  # of the bits of a double that choose a cell
_FIRST: Final = 0x3FE6000000000000  # bits of 0.6875, where the cells begin
_FRACTION: Final = (1 << 52) - 1
_ONE: Final = 0x3FF
WHOLE_BITS: Final = 53  # of a whole number that stands for one between 0 and 1


def _as(kind: Any, of: Any, to: Any) -> Any:
    """An intrinsic that reads the bits of one type as another."""

    def change(_: Any, __: Any) -> Any:
        def code(___: Any, builder: Any, ____: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], to)

        return kind(of), code

    return change


bits_of: Final[Any] = intrinsic(_as(types.int64, types.float64, ir.IntType(64)))
double_of: Final[Any] = intrinsic(_as(types.float64, types.int64, ir.DoubleType()))


def _fused(_: Any, __: Any, ___: Any, ____: Any) -> Any:
    """An intrinsic: a b + c, rounded once."""

    def code(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    number = types.float64
    return number(number, number, number), code


fma: Final[Any] = intrinsic(_fused)


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
_STEP: Final = _LN2 / CELLS
PER_CELL: Final = CELLS / _LN2
# Of 2**(x/128) - 1 in powers of x.
_P1, _P2, _P3, _P4 = _STEP, _STEP**2 / 2, _STEP**3 / 6, _STEP**4 / 24
_ROUND: Final = 1.5 * 2.0**52  # what is added to it is rounded to a whole number, in its last bits
_ROUND_BITS: Final = int(np.float64(_ROUND).view(np.int64))


@inlined
def _log(bits: int, unit: int) -> float:
    """Of the double with these bits, in units of 2 to the power of `unit`."""
    above = bits - (_FIRST + (unit << 52))
    cell = 2 * ((above >> _SHIFT) & (CELLS - 1))
    r: float = fma(double_of(_FIRST + (above & _FRACTION)), at(_LOGARITHMS, cell), -1.0)
    whole: float = fma(float(above >> 52), _LN2, at(_LOGARITHMS, cell + 1))
    square = r * r
    low: float = fma(r, 1.0 / 3.0, -0.5)
    high: float = fma(square, -1.0 / 6.0, fma(r, 0.2, -0.25))
    return whole + float(fma(square, fma(square, high, low), r))


@inlined
def log(u: float) -> float:
    """Natural logarithm of a positive, normal, finite number: relative error 1e-15 at most."""
    return _log(bits_of(u), 0)


@inlined
def log_of_whole(whole: int) -> float:
    """As `log`, of whole / 2**53: a whole number from 1 to 2**53."""
    return _log(bits_of(float(whole)), WHOLE_BITS)


@inlined
def times_power(of: float, y: float) -> float:
    """`of` times 2 to the power of y/128: of exp(x), y = x * PER_CELL, |x| below 700.

    Relative error 2e-15 beside what y has.
    """
    rounded = y + _ROUND
    x = y - (rounded - _ROUND)
    cells = bits_of(rounded) - _ROUND_BITS
    square = x * x
    small = fma(square, fma(square, _P4, fma(x, _P3, _P2)), x * _P1)
    at_cell: float = at(_POWERS, cells & (CELLS - 1))
    scale: float = double_of(((cells >> 7) + _ONE) << 52)
    return float(fma(at_cell, small, at_cell)) * (scale * of)
