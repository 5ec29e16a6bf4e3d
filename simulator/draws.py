"""Random numbers that belong to a lead, not to the order in which a run asks for them.

A draw is a pure function of (seed, replication, channel, arrival point, decision): a splitmix64
finaliser of a key and a slot (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number
generators"). Two scenarios that share a lead share every number of it, which is what makes their
difference exact (common random numbers keyed by decision: Klein et al., arXiv 2409.02086).

Keys and slots are signed 64-bit integers; distributions are drawn by inversion, Erlang laws as the
sum of their steps, and other gamma laws by a rejection that reads its own numbered sub-stream, so
a draw never depends on another.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any, Final

import numpy as np

from simulator.compiled import apart, at, compiled, inlined, seldom
from simulator.elementary import (
    PER_CELL,
    WHOLE_BITS,
    double_of,
    fma,
    log,
    log_of_whole,
    times_power,
)

# Laws of a positive random quantity; a quantity that is absent has law NONE and is always 0.
NONE: Final = 0
DETERMINISTIC: Final = 1
EXPONENTIAL: Final = 2
LOGNORMAL: Final = 3
GAMMA: Final = 4
LAW_CODES: Final = {
    "deterministic": DETERMINISTIC,
    "exponential": EXPONENTIAL,
    "lognormal": LOGNORMAL,
    "gamma": GAMMA,
    "erlang": GAMMA,
}

# What a number decides: the low bits of a slot.
ARRIVAL_GAP: Final = 0
ARRIVAL_HEIGHT: Final = 1
FIT: Final = 2
VALUE: Final = 3
CHURN: Final = 4
COOL_DOWN: Final = 5
APPLIES: Final = 8
EFFORT: Final = 9
PATIENCE: Final = 10
BUYER_TIME: Final = 11
REWORK: Final = 12
ADVANCE: Final = 13
DECISION: Final = 14
RECYCLE: Final = 15
RECYCLE_DELAY: Final = 16
ROUTE: Final = 17
HANDOFF: Final = 18
HANDOFF_DELAY: Final = 19
GATE: Final = 20

_SLOT_BITS: Final = 6  # purposes below 64
_VISIT_BITS: Final = 14  # visits of one lead to one stage

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(64 - WHOLE_BITS)
_ODD = np.uint64(1)
_UNIT = 2.0**-WHOLE_BITS


def name_key(name: str) -> int:
    """A stable 64-bit key of a channel's or stage's name, low bits free for slots."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True) & ~((1 << (_SLOT_BITS + _VISIT_BITS)) - 1)


@inlined
def _bits(key: Any, slot: Any) -> np.uint64:
    z = np.uint64(key) + np.uint64(slot) * _GOLDEN
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@inlined
def subkey(key: Any, slot: Any) -> Any:
    """The key of a sub-stream: int64 of two int64."""
    return np.int64(_bits(_bits(key, slot), 0x5851F42D4C957F2D))


@inlined
def _whole(key: int, slot: int) -> Any:
    """An odd number below 2**53, so never 0: a uniform number in units of 2**-53."""
    return np.int64((_bits(key, slot) >> _S11) | _ODD)


@inlined
def uniform(key: int, slot: int) -> float:
    """A number strictly between 0 and 1."""
    return float(_whole(key, slot)) * _UNIT


@inlined
def exponential(key: int, slot: int) -> float:
    """A quantity of the exponential law of mean 1."""
    return -log_of_whole(_whole(key, slot))


@inlined
def slot_of(stage_key: int, visit: int, purpose: int) -> Any:
    """The slot of a decision at a lead's nth visit to a stage."""
    return stage_key + (np.int64(visit) << 6) + purpose


# Coefficients of AS 241 (PPND16), highest power first: centre, shoulder, tail.
_A = (
    2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
    13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608,
)  # fmt: skip
_B = (
    5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
    5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0,
)  # fmt: skip
_C = (
    7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177,
    1.27045825245236838258, 3.64784832476320460504, 5.7694972214606914055,
    4.6303378461565452959, 1.42343711074968357734,
)  # fmt: skip
_D = (
    1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966,
    0.14810397642748007459, 0.68976733498510000455, 1.6763848301838038494,
    2.05319162663775882187, 1.0,
)  # fmt: skip
_E = (
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386,
    0.026532189526576123093, 0.29656057182850489123, 1.7848265399172913358,
    5.4637849111641143699, 6.6579046435011037772,
)  # fmt: skip
_F = (
    2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5,
    7.868691311456132591e-4, 0.0148753612908506148525, 0.13692988092273580531,
    0.59983220655588793769, 1.0,
)  # fmt: skip


def _rational(p: float, tail: float) -> float:
    """Inverse of the standard normal law; tail is sqrt(-log(p)) or of 1 - p, the smaller."""
    q = p - 0.5
    middle = abs(q) <= 0.425
    r = 0.180625 - q * q if middle else (tail - 1.6 if tail <= 5.0 else tail - 5.0)
    top, bottom = (_A, _B) if middle else ((_C, _D) if tail <= 5.0 else (_E, _F))
    x, y = 0.0, 0.0
    for i in range(8):
        x = x * r + top[i]
        y = y * r + bottom[i]
    if middle:
        return q * x / y
    return -x / y if q < 0.0 else x / y


_rational_compiled = compiled(_rational)


@compiled
def exact_normal_quantile(p: float) -> float:
    """Inverse of the standard normal law, relative error 1e-16 (Wichura 1988, AS 241)."""
    apart()
    return _rational_compiled(p, math.sqrt(-log(min(p, 1.0 - p))))


_CELL_BITS: Final = 9  # a cell of the lower half: the bits of a whole number after its first
CELLS: Final = 1 << _CELL_BITS
TAIL: Final = 16  # cells from the end that are not read from the table


def _cubics() -> Any:
    """Inverse of the normal law by cell: polynomials that agree at both ends in value and slope.

    Of the numbers at the ends 13 digits are kept: the rest depends on the machine.
    """
    step = 1.0 / (2 * CELLS)
    lower = [i * step for i in range(TAIL, CELLS + 1)]
    z = [round(_rational(p, math.sqrt(-math.log(p))), 13) for p in lower]
    slope = [round(step * math.sqrt(2.0 * math.pi) * math.exp(0.5 * x * x), 15) for x in z]
    ends = zip(z, z[1:], slope, slope[1:], strict=False)
    rows = [(a, s, 3 * (b - a) - 2 * s - t, s + t - 2 * (b - a)) for a, b, s, t in ends]
    return np.array(rows).ravel()


_CUBICS: Final = _cubics()


_REST_BITS: Final = WHOLE_BITS - 1 - _CELL_BITS
_MIRROR: Final = (1 << WHOLE_BITS) - 2  # turns an odd number below 2**53 round
_FRACTION: Final = (1 << 52) - 1
_FROM_ONE: Final = 0x3FF << 52


@inlined
def standard_normal(key: int, slot: int) -> float:
    """A quantity of the standard normal law: the quantile that `normal_quantile` gives."""
    return normal_quantile(_whole(key, slot))


@inlined
def normal_quantile(whole: int) -> float:
    """The normal quantile of an odd number / 2**53: from a table to 2e-7, exact in the tails.

    It moves the mean of a lognormal law by less than 1e-8 of itself, the variance by 1e-7.
    """
    upper = -(whole >> (WHOLE_BITS - 1))  # all ones, or none
    lower = whole ^ (upper & _MIRROR)
    cell = lower >> _REST_BITS
    if seldom(cell < TAIL):
        return exact_normal_quantile(float(whole) * _UNIT)
    # Where in the cell: the bits that are left, as those of a number from 1 to 2.
    x: float = double_of(((lower << _CELL_BITS) & _FRACTION) | _FROM_ONE) - 1.0
    row = 4 * (cell - TAIL)
    a, b, c, d = at(_CUBICS, row), at(_CUBICS, row + 1), at(_CUBICS, row + 2), at(_CUBICS, row + 3)
    z = fma(x * x, fma(d, x, c), fma(b, x, a))
    return math.copysign(z, double_of(~upper))


@compiled
def _standard_gamma(shape: float, key: int) -> float:
    """Gamma of the given shape and scale 1 (Marsaglia & Tsang 2000), from its own sub-stream."""
    apart()
    slot = 0
    boost = 1.0
    if shape < 1.0:
        boost = uniform(key, slot) ** (1.0 / shape)
        shape += 1.0
        slot = 1
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = standard_normal(key, slot + 1)
        u = uniform(key, slot + 2)
        slot += 2
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            if log(u) < 0.5 * x * x + d - d * v + d * log(v):
                return boost * d * v


MOST_STEPS: Final = 16  # of an Erlang law that is drawn as the sum that it is


@compiled
def spread_of(law: int, cv: float) -> float:
    """What a draw needs of a coefficient of variation: see `drawn`."""
    if cv == 0.0:
        return 0.0
    if law == LOGNORMAL:
        return math.sqrt(math.log(1.0 + cv * cv))
    if law == GAMMA:
        shape = 1.0 / (cv * cv)
        steps = math.floor(shape + 0.5)
        if 1.0 <= steps <= MOST_STEPS and abs(shape - steps) < 1e-9:
            return float(steps)
        return -shape
    return cv


@inlined
def drawn(law: int, mean: float, spread: float, key: int, slot: int) -> float:
    """A positive quantity of the given law and mean.

    spread: of `spread_of`; the logarithm's deviation of a lognormal law, the steps of an Erlang
    law, minus the shape of another gamma law, 0 for none.
    """
    if spread == 0.0 or law == NONE:
        return 0.0 if law == NONE else mean
    if law == EXPONENTIAL:
        return mean * exponential(key, slot)
    if law == LOGNORMAL:
        per_cell = spread * PER_CELL
        z = standard_normal(key, slot)
        return times_power(mean, fma(z, per_cell, -0.5 * spread * per_cell))
    if law == DETERMINISTIC:
        return mean
    return mean * _gamma(spread, key, slot)


@compiled
def _gamma(spread: float, key: int, slot: int) -> float:
    """Of a gamma law of mean 1."""
    apart()
    stream = subkey(key, slot)
    if spread < 0.0:
        return _standard_gamma(-spread, stream) / -spread
    product, steps = uniform(stream, 0), int(spread)
    for i in range(1, steps):
        product *= uniform(stream, i)
    return -log(product) / steps


@compiled
def drawn_apart(law: int, mean: float, spread: float, key: int, slot: int) -> float:
    """As `drawn`, where it is asked for seldom."""
    apart()
    return drawn(law, mean, spread, key, slot)


@compiled
def draw(law: int, mean: float, cv: float, key: int, slot: int) -> float:
    """A positive quantity of the given law, mean and coefficient of variation.

    It is mean times a number that depends on cv and the key alone, so a lever that changes the
    mean changes every draw in proportion.
    """
    return drawn(law, mean, spread_of(law, cv), key, slot)


@compiled
def channel_stream(seed: int, replication: int, channel_key: int) -> Any:
    """The key of one channel's arrivals in one replication."""
    return subkey(subkey(np.int64(seed), np.int64(replication)), channel_key)


@inlined
def cell_key(stream: int, band: int, week: int) -> Any:
    """The key of one cell of the arrival measure: a band of the rate axis in one week."""
    return subkey(stream, (np.int64(band) << 32) + week)


@inlined
def band_floor(band: int) -> float:
    """Lower edge of a band of the rate axis, leads a week: 0, 1, 2, 4, 8, ..."""
    return 0.0 if band == 0 else 2.0 ** (band - 1)


@inlined
def band_height(band: int) -> float:
    """Height of a band of the rate axis: 1, 1, 2, 4, 8, ..."""
    return 1.0 if band == 0 else 2.0 ** (band - 1)


@inlined
def arrival_gap(cell: int, index: int, band: int) -> float:
    """Weeks from one point of a cell to the next (or from its start to the first)."""
    return exponential(cell, 2 * index + ARRIVAL_GAP) / band_height(band)


@inlined
def arrival_height(cell: int, index: int, band: int) -> float:
    """Where on the rate axis a point lies: it arrives if the channel's rate is above."""
    u = uniform(cell, 2 * index + ARRIVAL_HEIGHT)
    return band_floor(band) + u * band_height(band)


@inlined
def lead_id(channel: int, band: int, week: int, index: int) -> Any:
    """Name of an arrival point: 8 bits channel, 6 band, 16 week, 24 index. Sorts by channel."""
    return (
        (np.int64(channel) << 46)
        | (np.int64(band) << 40)
        | (np.int64(week) << 24)
        | np.int64(index)
    )
