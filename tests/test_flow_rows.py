"""Instructions on rows, against numpy."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulator.engines.flow import rows
from simulator.engines.flow.rows import WIDTH


@njit(error_model="numpy")
def program(b):  # type: ignore[no-untyped-def]
    rows.copy(b, 3, 0)
    rows.add(b, 3, 1)
    rows.take(b, 3, 2)
    rows.times(b, 4, 0, 1)
    rows.plus(b, 4, 0, 0)
    rows.minus(b, 4, 1, 1)
    rows.scale(b, 4, 2)
    rows.invert(b, 5, 1)
    rows.over(b, 6, 0, 1)
    rows.most(b, 7, 1)
    rows.fill_row(b, 8, 2.5)
    rows.more(b, 8, 2.0, 1)
    rows.pick(b, 9, 10, 1)
    rows.fill_row(b, 11, 0.5)
    rows.weigh(b, 11, 0, 1, 2, 8)


def test_instructions_do_to_every_lane_what_numpy_does() -> None:
    was = np.random.default_rng(0).normal(size=(12, WIDTH))
    now = was.copy()
    program(now.reshape(-1))
    a, b, c = was[:3]
    want = {
        0: a, 1: b, 2: c, 3: a + b - c, 4: (a * b + a * a - b * b) * c, 5: 1.0 / b, 6: a / b,
        7: np.maximum(was[7], b), 8: 2.5 + 2.0 * b, 9: np.where(was[10] > 0, b, was[9]),
        10: was[10],
    }  # fmt: skip
    for row, value in want.items():
        np.testing.assert_array_equal(now[row], value, err_msg=str(row))
    part = a / (now[8] + np.maximum(np.abs(b), np.abs(c)))
    np.testing.assert_array_equal(now[11], 0.5 + part * part)
