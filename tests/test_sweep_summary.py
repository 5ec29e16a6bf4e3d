"""The two kinds of spread: taken apart without bias, and intervals that hold as often as they say.

Each test has fixed seeds; its bound is z standard errors of its own estimate, so that a right
program fails with the stated chance.
"""

from __future__ import annotations

import numpy as np
import pytest

from simulator.sweep.summary import Sums

Z = 4.0  # false alarm 6e-5 a test


def layout(random, k, n, world=2.0, luck=1.0, rest=0.5):
    """Y(world, luck) = 10 + W + L + R with known standard deviations, (k, n)."""
    return (
        10.0
        + world * random.standard_normal((k, 1))
        + luck * random.standard_normal((1, n))
        + rest * random.standard_normal((k, n))
    )


def spread(y, sampled=True, luck=True):
    sums = Sums(y.shape[1])
    for row in y:
        sums.add(row)
    return sums.spread(sampled, 0.95, luck)


def test_the_parts_are_those_of_the_two_way_layout():
    y = layout(np.random.default_rng(1), 5, 4)
    found = spread(y)
    cells = y - y.mean(axis=1, keepdims=True) - y.mean(axis=0) + y.mean()
    ms_rest = (cells**2).sum() / 12
    ms_world = 4 * y.mean(axis=1).var(ddof=1)
    assert found.mean == pytest.approx(y.mean())
    assert found.worlds**2 == pytest.approx((ms_world - ms_rest) / 4)
    assert found.chance**2 == pytest.approx(y.var(axis=1, ddof=1).mean())


def test_large_numbers_cost_no_digits():
    y = layout(np.random.default_rng(1), 5, 4)
    near, far = spread(y), spread(y + 1e9)
    assert far.worlds == pytest.approx(near.worlds, rel=1e-5)
    assert far.chance == pytest.approx(near.chance, rel=1e-5)


def test_both_variances_are_unbiased():
    random = np.random.default_rng(2)
    # A world variance of 1 keeps the estimate above 0, where it is cut.
    found = [spread(layout(random, 20, 5)) for _ in range(600)]
    for values, truth in (
        ([s.worlds**2 for s in found], 4.0),
        ([s.chance**2 for s in found], 1.25),
    ):
        error = np.std(values, ddof=1) / len(values) ** 0.5
        assert abs(np.mean(values) - truth) < Z * error


def test_chance_that_differs_between_worlds_is_its_mean():
    random = np.random.default_rng(3)
    found = []
    for _ in range(600):
        scale = random.choice([0.5, 2.0], size=(20, 1))
        found.append(spread(10 + scale * random.standard_normal((20, 5))).chance ** 2)
    error = np.std(found, ddof=1) / len(found) ** 0.5
    assert abs(np.mean(found) - (0.25 + 4.0) / 2) < Z * error


@pytest.mark.parametrize(("k", "n"), [(20, 5), (8, 8), (1, 6), (12, 1)])
def test_the_interval_covers_as_often_as_it_says(k, n):
    random = np.random.default_rng(k * 100 + n)
    trials = 600
    world = 2.0 if k > 1 else 0.0
    hits = 0
    for _ in range(trials):
        # One replication says nothing of luck, so it has an interval only where there is none.
        chance = {"luck": 0.0, "rest": 0.0} if n == 1 else {}
        s = spread(layout(random, k, n, world=world, **chance), luck=n > 1)
        hits += abs(s.mean - 10.0) <= s.half
    error = (0.95 * 0.05 / trials) ** 0.5
    # Satterthwaite's approximation: within a percent and a half, and never far below.
    assert 0.95 - 0.015 - Z * error < hits / trials < 0.95 + 0.02 + Z * error


def test_listed_worlds_have_an_interval_of_chance_alone():
    random = np.random.default_rng(5)
    worlds = 3.0 * random.standard_normal((6, 1))
    hits = 0
    for _ in range(1000):
        y = 10 + worlds + random.standard_normal((1, 5)) + 0.5 * random.standard_normal((6, 5))
        s = spread(y, sampled=False)
        hits += abs(s.mean - 10 - worlds.mean()) <= s.half
    assert abs(hits / 1000 - 0.95) < Z * (0.95 * 0.05 / 1000) ** 0.5


def test_what_cannot_be_known_is_left_out():
    alone = spread(np.array([[3.0]]))
    assert (alone.mean, alone.half, alone.worlds, alone.chance) == (3.0, None, None, None)
    one_world = spread(np.array([[1.0, 2.0, 3.0]]))
    assert one_world.worlds is None
    assert one_world.chance == pytest.approx(1.0)
    no_chance = spread(np.array([[1.0], [2.0], [3.0]]))
    assert (no_chance.worlds, no_chance.chance, no_chance.half) == (pytest.approx(1.0), None, None)
    assert spread(np.array([[1.0], [2.0], [3.0]]), luck=False).half > 0
    same = spread(np.full((3, 4), 7.0))
    assert (same.mean, same.half, same.worlds, same.chance) == (7.0, 0.0, 0.0, 0.0)
