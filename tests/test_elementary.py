"""The logarithm and the exponential of draws, against those of exact arithmetic."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from simulator import elementary

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
        assert _far(elementary.log(x), Decimal(x).ln()) < 2e-14, x
    assert elementary.log(1.0) == 0.0


@pytest.mark.parametrize("width", [1e-3, 1.0, 40.0, 690.0])
def test_exponential(width):
    for x in RNG.uniform(-width, width, 500).tolist():
        assert _far(elementary.exp(x), Decimal(x).exp()) < 3e-16, x


def test_exponential_at_its_ends():
    assert elementary.exp(0.0) == 1.0
    assert elementary.exp(math.inf) == math.inf
    assert elementary.exp(-800.0) == 0.0
    assert elementary.exp(705.0) == pytest.approx(math.exp(705.0))
    assert math.isnan(elementary.exp(math.nan))


def test_a_uniform_number_of_one_has_a_logarithm():
    """The largest uniform number is 1 - 2**-54, which rounds to 1: a draw of 0, never below."""
    assert elementary.log((float(2**53 - 1) + 0.5) * 2.0**-53) <= 0.0


def test_same_bits_everywhere():
    """Their sums and products are the same on every processor; so must the tables be."""
    tables = (elementary._LOGARITHMS, elementary._POWERS)
    with localcontext(prec=60):
        powers = [float(Decimal(2) ** (Decimal(i) / 128)) for i in range(128)]
        logs = [-float(Decimal(x).ln()) for x in tables[0][::2].tolist()]
    assert tables[1].tolist() == powers
    assert tables[0][1::2].tolist() == logs
