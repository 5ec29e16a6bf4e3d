"""Designs: where the points of a sweep are."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.sweep.design import Layout, lay, levels, notes
from simulator.sweep.points import Axis


def axis(name="a", low=1.0, high=3.0, values=None, base=2.0, **rest):
    return Axis(name, name, "set", (name,), (base,), values, low, high, **rest)


def test_a_grid_has_every_combination_the_last_axis_fastest():
    layout = Layout((axis(values=(1.0, 2.0)), axis("b", steps=3)))
    assert lay(layout).tolist() == [[1, 1], [1, 2], [1, 3], [2, 1], [2, 2], [2, 3]]
    assert layout.size == 6


def test_steps_have_the_ends_exactly_even_or_by_ratio():
    assert levels(axis(low=0.1, high=0.7, steps=3)) == (0.1, pytest.approx(0.4), 0.7)
    assert levels(axis(low=1.0, high=100.0, steps=3, log=True)) == (1.0, pytest.approx(10), 100.0)


def test_one_at_a_time_begins_with_the_scenario():
    layout = Layout((axis(), axis("b", values=(2.0, 5.0))), "one-at-a-time")
    assert lay(layout).tolist() == [[2, 2], [1, 2], [3, 2], [2, 5]]
    assert layout.size == 4


def test_a_latin_hypercube_has_one_point_in_each_slice():
    n = 16
    points = lay(Layout((axis(low=0, high=1), axis("b", low=10, high=20)), "latin-hypercube", n, 3))
    assert sorted((points[:, 0] * n).astype(int)) == list(range(n))
    assert sorted(((points[:, 1] - 10) / 10 * n).astype(int)) == list(range(n))


def test_a_sobol_sequence_is_extended_and_not_changed():
    axes = (axis(), axis("b"))
    few, many = (lay(Layout(axes, "sobol", n, 5)) for n in (8, 32))
    assert (few == many[:8]).all()
    assert (few != lay(Layout(axes, "sobol", 8, 6))).any()


def test_sobol_says_where_it_is_balanced():
    assert notes(Layout((axis(),), "sobol", 64)) == []
    assert "64 points rather than 60" in notes(Layout((axis(),), "sobol", 60))[0]


def test_a_list_in_a_sampled_design_takes_each_value_equally_often():
    points = lay(Layout((axis(values=(1.0, 5.0)),), "sobol", 64))
    assert (points == 1.0).sum() == (points == 5.0).sum() == 32


def test_a_log_range_is_even_in_ratios():
    points = np.log10(lay(Layout((axis(low=1, high=100, log=True),), "latin-hypercube", 64)))
    assert ((points[:, 0] < 1).sum(), points.max() < 2) == (32, True)


def test_without_axes_there_is_one_point():
    assert lay(Layout()).shape == (1, 0)
    assert Layout().size == 1


def test_a_size_is_known_without_the_points():
    axes = tuple(axis(str(i), values=tuple(map(float, range(1000)))) for i in range(4))
    assert Layout(axes).size == 10**12
    assert math.isclose(lay(Layout(axes[:1])).sum(), 499_500)
