"""The logarithm and the powers of draws, against those of exact arithmetic."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from numba import njit

from simulator import elementary


@njit
def elementary_fma(a, b, c):  # type: ignore[no-untyped-def]
    return elementary.fma(a, b, c)


RNG = np.random.default_rng(20261122)


def _far(value: float, exact: Decimal) -> float:
    """Relative error."""
    with localcontext(prec=40):
        return float(abs(Decimal(value) / exact - 1))


def _numbers() -> list[float]:
    """Of the range of uniform numbers, up to their ends, and the borders of the cells."""
    ends = [2.0**-54, 0.5**53, 1 - 2.0**-53, 1 - 2.0**-54, 0.6875, 1 - 1 / 256, 1 - 1 / 128]
    around = [float(np.nextafter(x, y)) for x in ends for y in (0.0, 1.0)]
    near_one = (1 - 2.0 ** -RNG.uniform(1, 52, 1_000)).tolist()
    small = (2.0 ** -RNG.uniform(0, 53, 1_000)).tolist()
    return [x for x in ends + around + near_one + small if 0 < x < 1]


def test_logarithm():
    for x in _numbers():
        assert _far(elementary.log(x), Decimal(x).ln()) < 1e-15, x
    assert elementary.log(1.0) == 0.0


def test_logarithm_of_a_whole_number():
    """In units of 2**-53: the same bits as of the number itself, and never above 0."""
    wholes = [1, 3, 2**53 - 1, 2**53 - 3, 2**52 + 1, *RNG.integers(1, 2**53, 1_000).tolist()]
    for n in wholes:
        assert elementary.log_of_whole(n) == elementary.log(n * 2.0**-53) < 0.0, n


@pytest.mark.parametrize("width", [1e-3, 1.0, 40.0, 690.0])
def test_power(width):
    for x in RNG.uniform(-width, width, 500).tolist():
        y = x * elementary.PER_CELL
        with localcontext(prec=40):
            exact = 3 * Decimal(2) ** (Decimal(y) / 128)
        assert _far(elementary.times_power(3.0, y), exact) < 2e-15, x
    assert elementary.times_power(2.5, 0.0) == 2.5
    assert elementary.times_power(0.0, width) == 0.0


def test_fused():
    """Rounded once: the rest of a product, which two roundings lose."""
    third = 1.0 / 3.0
    assert elementary_fma(third, 3.0, -1.0) == -(2.0**-54)
    assert third * 3.0 - 1.0 == 0.0


def test_same_bits_everywhere():
    """Their sums and products are the same on every processor; so must the tables be."""
    tables = (elementary._LOGARITHMS, elementary._POWERS)
    with localcontext(prec=60):
        powers = [float(Decimal(2) ** (Decimal(i) / 128)) for i in range(128)]
        logs = [-float(Decimal(x).ln()) for x in tables[0][::2].tolist()]
    assert tables[1].tolist() == powers
    assert tables[0][1::2].tolist() == logs
