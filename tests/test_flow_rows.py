"""Numbers side by side, and programs of rows, against numpy and the C library."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from simulator.engines.flow import curves, tape, vectors
from simulator.engines.flow.tape import INVERT, UNLESS, Tape
from simulator.engines.flow.vectors import WIDTH, load, store


@njit(error_model="numpy")
def arithmetic(b):  # type: ignore[no-untyped-def]
    x = load(b, 0)
    y = load(b, 1)
    store(b, 2, x + y * 2.0 - 1.0 / x)
    store(b, 3, vectors.most(x, y) * vectors.least(x, y))
    store(b, 4, vectors.root(vectors.size(x)) + vectors.floor(y))
    store(b, 5, vectors.if_more(x, y, 3.0 - x, vectors.of(7.0)))
    store(b, 6, vectors.gather(b, vectors.floor(vectors.size(y))))
    return vectors.some(x), vectors.some(x - 1e9)


def test_arithmetic_is_that_of_numpy_in_every_lane() -> None:
    b = np.random.default_rng(0).normal(size=(7, WIDTH)) * 3
    x, y = b[0].copy(), b[1].copy()
    assert arithmetic(b.reshape(-1)) == (True, False)
    want = [
        x + y * 2 - 1 / x, np.maximum(x, y) * np.minimum(x, y), np.sqrt(np.abs(x)) + np.floor(y),
        np.where(x > y, 3 - x, 7.0), b.reshape(-1)[np.floor(np.abs(y)).astype(int)],
    ]  # fmt: skip
    for row, numbers in zip(b[2:], want, strict=True):
        np.testing.assert_array_equal(row, numbers)


@njit(error_model="numpy")
def functions(b):  # type: ignore[no-untyped-def]
    x = load(b, 0)
    store(b, 1, curves.exp(x))
    store(b, 2, curves.expm1(x))
    store(b, 3, curves.erfc(x))
    store(b, 4, curves.log(load(b, 6)))
    store(b, 5, curves.log1p(load(b, 6)))


def test_curves_are_those_of_the_c_library() -> None:
    """Four units in the last place; the normal distribution 1e-12 of its value."""
    rng = np.random.default_rng(1)
    b = np.zeros((7, WIDTH))
    for turn in range(400):
        b[0] = rng.normal(size=WIDTH) * 10.0 ** rng.uniform(-8, 1.4)
        b[0, 0] = (-20.0, -1.0, 0.0, 5.0, 25.9)[turn % 5]
        b[6] = 10.0 ** rng.uniform(-12, 12, size=WIDTH)
        functions(b.reshape(-1))
        near = 4 * np.finfo(float).eps
        np.testing.assert_allclose(b[1], np.exp(b[0]), rtol=near)
        np.testing.assert_allclose(b[2], np.expm1(b[0]), rtol=near)
        inside = np.abs(b[0]) < 26
        np.testing.assert_allclose(b[3, inside], [math.erfc(x) for x in b[0, inside]], rtol=1e-12)
        np.testing.assert_allclose(b[4], np.log(b[6]), rtol=near, atol=near)
        np.testing.assert_allclose(b[5], np.log1p(b[6]), rtol=near)


@njit(error_model="numpy")
def played(b, words, table):  # type: ignore[no-untyped-def]
    tape.play(b, words, 0, len(words), table)


def test_a_program_of_rows_does_what_it_says_and_leaves_out_what_is_zero() -> None:
    b = np.random.default_rng(2).normal(size=(14, WIDTH))
    b[0], b[1], b[5] = 1.0, 0.0, 0.0
    x, y, z = b[2].copy(), b[3].copy(), b[4].copy()
    t = Tape(0, 1, [5])
    t.dot(6, [(2, 3), (4, 4), (2, 5)], [(3, 3)], base=2)
    t.dot(7, [(2, 3)], scale=4)
    t.times(8, 2, 3)
    t.times(9, 2, 5)
    t.dot(10, [(9, 2)], base=3)
    t.put(INVERT, 11, 2)
    t.put(UNLESS, 12, 5, 2, 3)
    t.put(UNLESS, 13, 4, 2, 3)
    assert {9, 5, 1} <= t.zero
    played(b.reshape(-1), t.words(), np.zeros(0))
    want = [x + x * y + z * z - y * y, x * y * z, x * y, 0 * x, y, 1 / x, -x * y, 0 * x]
    for row, numbers in zip(b[6:], want, strict=True):
        np.testing.assert_allclose(row, numbers, rtol=1e-15, atol=1e-300)
