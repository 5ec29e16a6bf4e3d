"""Exponentials, logarithms and the normal distribution of numbers side by side.

By polynomials, within 4 units in the last place (erfc: 1e-13 of its value); lane by lane by the C
library they took a third of a run.
"""

from __future__ import annotations

import math
from typing import Final

from simulator.engines.flow.compile import compiled
from simulator.engines.flow.vectors import (
    floor,
    fraction,
    if_more,
    least,
    most,
    of,
    power,
    size,
    two_to,
)

LN2_HIGH: Final = 6.93147180369123816490e-01
LN2_LOW: Final = 1.90821492927058770002e-10
PER_LN2: Final = 1.0 / math.log(2.0)
HALVES: Final = tuple(1.0 / math.factorial(i) for i in range(2, 15))
ODD: Final = tuple(1.0 / (2 * i + 1) for i in range(11))
ERFC: Final = (
    -0.6513268598908547,
    0.64196979235649,
    0.019476473204185905,
    -0.009561514786808844,
    -0.0009465953444818888,
    0.0003668394978527009,
    4.252332480691809e-05,
    -2.0278578112702463e-05,
    -1.6242900045094522e-06,
    1.3036558354769372e-06,
    1.5626441935721302e-08,
    -8.523809615731669e-08,
    6.529054952256775e-09,
    5.059342934963379e-09,
    -9.91363695764432e-10,
    -2.273657154910902e-10,
    9.646824114991256e-11,
    2.3935036822890036e-12,
    -6.885703407918016e-12,
    8.938815544238625e-13,
    3.1382541241612807e-13,
    -1.1379618312471845e-13,
)


@compiled
def _reduced(x):  # type: ignore[no-untyped-def]
    """Whole k and exp(r) - 1 with x = k ln 2 + r, |r| <= ln 2 / 2."""
    x = least(most(x, of(-700.0)), of(700.0))
    k = floor(x * PER_LN2 + 0.5)
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    p = of(HALVES[12])
    for i in range(11, -1, -1):
        p = p * r + HALVES[i]
    return k, r + r * r * p


@compiled
def exp(x):  # type: ignore[no-untyped-def]
    """E to the power of numbers, which are cut off at -700 and 700."""
    k, p = _reduced(x)
    return two_to(k) * (p + 1.0)


@compiled
def expm1(x):  # type: ignore[no-untyped-def]
    """exp(x) - 1."""
    k, p = _reduced(x)
    two = two_to(k)
    return two * p + (two - 1.0)


@compiled
def log(x):  # type: ignore[no-untyped-def]
    """Natural logarithm of numbers from 1e-300 up, which smaller ones are taken as."""
    x = most(x, of(1e-300))
    k, m = power(x), fraction(x)
    large = if_more(m, of(1.4142135623730951), of(1.0), of(0.0))
    m = if_more(large, of(0.0), m * 0.5, m)
    k = k + large
    f = m - 1.0
    s = f / (m + 1.0)
    z = s * s
    p = of(ODD[10])
    for i in range(9, 0, -1):
        p = p * z + ODD[i]
    # 2 atanh(s) = 2 s + ..., where 2 s = f - s f is said with what f has of digits.
    return k * LN2_HIGH + (f - (s * (f - 2.0 * z * p) - k * LN2_LOW))


@compiled
def log1p(x):  # type: ignore[no-untyped-def]
    """log(1 + x) of numbers above -1."""
    u = x + 1.0
    return log(u) + (x - (u - 1.0)) / u


@compiled
def erfc(x):  # type: ignore[no-untyped-def]
    """The complementary error function: t exp(p(t) - x^2), t = 2 / (2 + |x|).

    p is a Chebyshev interpolation of log(erfcx(x) / t), by scipy's erfcx.
    """
    z = least(size(x), of(26.0))
    t = 2.0 / (z + 2.0)
    y = t * 4.0 - 2.0
    d = of(0.0)
    dd = of(0.0)
    for i in range(len(ERFC) - 1, 0, -1):
        was = d
        d = y * d - dd + ERFC[i]
        dd = was
    found = t * exp(y * d * 0.5 - dd + ERFC[0] - z * z)
    return if_more(of(0.0), x, 2.0 - found, found)
