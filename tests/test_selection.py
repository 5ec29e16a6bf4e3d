"""KN, the active period method, PRIM, Sobol and EVPPI against their references."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, qmc

from simulator.analysis.active import active_periods, bottleneck, by_name, merge, shifts
from simulator.analysis.information import everything, worths
from simulator.analysis.prim import discover, scores, trajectory
from simulator.analysis.selection import constants, select
from simulator.analysis.sobol import morris, sobol, split
from simulator.engines import simulate
from simulator.spec.load import load_text
from simulator.system import build

CASES = {
    "R-APM 1": {
        "periods": {
            "M1": [(0, 10), (12, 30), (33, 36)],
            "M2": [(2, 8), (25, 45), (50, 58)],
            "M3": [(0, 5), (7, 9), (40, 61)],
        },
        "weeks": 61,
        # Definition of Roser 2002; the package active_period_method 0.9.0 agrees.
        "expected": {"M1": (23, 5), "M2": (10, 10), "M3": (16, 5)},
        "none": 2,
    }
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_shifting_bottleneck_reference(case):
    found = by_name(case["periods"], case["weeks"])
    assert {k: (v["sole"], v["shifting"]) for k, v in found.items()} == case["expected"]
    assert shifts(list(case["periods"].values()), 0, case["weeks"]).none == case["none"]


def test_spans_cover_the_run_and_add_up():
    rng = np.random.default_rng(3)
    for _ in range(50):
        periods = [
            merge([(a, a + b) for a, b in rng.uniform(0, [90, 20], (6, 2))]) for _ in range(4)
        ]
        found = shifts(periods, 0.0, 100.0)
        assert found.spans[0].start == 0.0
        assert found.spans[-1].end == 100.0
        for a, b in zip(found.spans[:-1], found.spans[1:], strict=True):
            assert a.end == b.start
        shifting = sum(s.end - s.start for s in found.spans if s.shifting)
        assert found.sole.sum() + shifting + found.none == pytest.approx(100.0)
        # At each moment the owner's period is the longest of those that cover it.
        for s in found.spans:
            middle = 0.5 * (s.start + s.end)
            lengths = [
                max([b - a for a, b in own if a <= middle < b], default=0.0) for own in periods
            ]
            assert s.owner == -1 if max(lengths) == 0 else lengths[s.owner] == max(lengths)


LINE = """
horizon: 60 weeks
warm_up: 10 weeks
channels: {{web: {{leads: 6/week, spend: 1 kUSD/week}}}}
teams:
  fast: {{headcount: 3, hours: 30/week, ramp: 0 weeks}}
  slow: {{headcount: {slow}, hours: 30/week, ramp: 0 weeks}}
stages:
  talk: {{team: fast, effort: 3 h, advance: 100%}}
  prove: {{team: slow, effort: 9 h, advance: 100%, patience: 4 weeks}}
customers: {{churn: 0/week, expansion: 0/week}}
"""


def test_a_full_team_is_active_all_the_time_and_an_idle_one_never():
    system = build(load_text(LINE.format(slow=1)).scenario)
    found = bottleneck(system, "batch", 1, 3)
    assert found.worst == "slow"
    # M/M/1+M at 6 a week against 30/9, patience 4 weeks: idle .36% of the time, by theory.
    assert found.share[1] > 0.95
    assert "slow" in found.cut
    wide = build(load_text(LINE.format(slow=40)).scenario)
    record = simulate(wide, "batch", seed=1, visits=True)
    assert active_periods(record)[1] == []
    assert bottleneck(system, "flow", 1, 1) is None


def test_active_means_nobody_idle():
    """Against a count of busy people at moments of the run, from the visits."""
    system = build(load_text(LINE.format(slow=2)).scenario)
    record = simulate(system, "batch", seed=4, visits=True)
    v = record.visits
    for m, periods in enumerate(active_periods(record)):
        people = int((system.people.team == m).sum())
        mine = system.stages.team[v.stage] == m
        # After the leads of week 0, whose visits have no row.
        for t in np.linspace(15.013, 59.9, 300):
            ended = np.where(np.isnan(v.ended[mine]), np.inf, v.ended[mine])
            busy = int(((v.started[mine] <= t) & (ended > t)).sum())
            assert any(a <= t < b for a, b in periods) == (busy >= people)


def test_kn_constants():
    eta, h2 = constants(4, 10, 0.05)
    assert eta == pytest.approx(0.564680, abs=1e-6)
    assert h2 == pytest.approx(10.164243, abs=1e-6)


@pytest.mark.parametrize("shared", [0.0, 1.0], ids=["independent", "common random numbers"])
def test_kn_finds_the_best_as_often_as_it_says(shared):
    """500 repetitions in the least favourable case: the others lie the zone behind.

    False alarm below 1e-4: the count may fall to that quantile of a binomial with .95.
    """
    right = 0
    for seed in range(500):
        rng = np.random.default_rng([11, seed])
        rows: dict[int, np.ndarray] = {}

        def draw(r, left, rng=rng, rows=rows):
            if r not in rows:
                rows[r] = np.array([0, 0, 0, 0.5]) + rng.normal(size=4) + shared * rng.normal()
            return rows[r][list(left)]

        found = select(draw, 4, 0.5, first=10)
        assert found.sure
        right += found.best == 3
    assert right >= binom.ppf(1e-4, 500, 0.95)


def test_kn_stops_where_it_must():
    def draw(r, left):
        return np.random.default_rng([r, 5]).normal(size=3)[list(left)]

    found = select(draw, 3, 1e-3, most=12)
    assert (found.sure, found.replications) == (False, 12)
    assert select(lambda r, left: np.array([2.0]), 1, 1.0).sure
    alike = select(lambda r, left: np.ones(len(left)), 2, 0.1, most=30)
    assert alike.best in (0, 1)


def box_points() -> tuple[np.ndarray, np.ndarray]:
    """2048 Sobol points in five dimensions; cases where a > .7 and b < .3."""
    x = qmc.Sobol(5, scramble=False).random(2048)
    return x, (x[:, 0] > 0.7) & (x[:, 1] < 0.3)


def test_prim_reference():
    """The EMA workbench's PRIM: coverage .9405, density 1, a > .7109, b < .2937."""
    x, y = box_points()
    assert int(y.sum()) == 185
    box = discover(x, y)[0]
    limits = {one.index: one for one in box.limits}
    assert set(limits) == {0, 1}
    assert limits[0].low == pytest.approx(0.7109, abs=0.03)
    assert limits[1].high == pytest.approx(0.2937, abs=0.03)
    assert limits[0].high is None
    assert limits[1].low is None
    assert box.density >= 0.95
    assert box.coverage >= 0.9
    assert all(one.again == 1.0 and one.p < 1e-6 for one in box.limits)
    assert min(box.tested) > 0.9
    densities = [scores(x, y, s)[1] for s in trajectory(x, y)]
    assert densities == sorted(densities)


def test_prim_finds_no_rule_in_noise():
    rng = np.random.default_rng(8)
    x, y = rng.random((600, 12)), rng.random(600) < 0.3
    for box in discover(x, y):
        # Whatever is said of the sample, the halves it was not made from say otherwise.
        assert box.tested[1] < 0.42


ISHIGAMI = {"mean": 3.5, "S1": (0.31391, 0.44241, 0.0), "ST": (0.55759, 0.44241, 0.24368)}


def ishigami(points, luck):
    x = np.pi * (2 * points - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def test_sobol_reference():
    found = sobol("abc", ishigami, 4096)
    assert found.mean == pytest.approx(ISHIGAMI["mean"], abs=0.03)
    assert found.variance == pytest.approx(13.8446, rel=0.03)
    assert found.first == pytest.approx(ISHIGAMI["S1"], abs=0.03)
    assert found.total == pytest.approx(ISHIGAMI["ST"], abs=0.03)
    assert morris("abc", ishigami, 20).runs == 80


def test_luck_is_no_assumption():
    """With noise of variance 9 the indices are shares of 13.84 + 9, and no larger for it."""

    def noisy(points, luck):
        return ishigami(points, luck) + 3 * np.array(
            [np.random.default_rng([2, r]).normal() for r in luck]
        )

    found = sobol("abc", noisy, 4096)
    share = 13.8446 / (13.8446 + 9)
    assert found.first == pytest.approx(np.array(ISHIGAMI["S1"]) * share, abs=0.04)
    assert found.total == pytest.approx(np.array(ISHIGAMI["ST"]) * share, abs=0.04)


def test_chance_is_told_from_ignorance():
    rng = np.random.default_rng(1)
    world = rng.normal(0, 2, 4000)[:, None]
    found = split(world + rng.normal(0, 1, (4000, 2)))
    assert found.share == pytest.approx(0.2, abs=0.03)
    assert found.low < 0.2 < found.high
    assert split(np.ones((30, 2))).share == 0.0


def test_value_of_information_in_closed_form():
    """D = x - .3 with x uniform: knowing x is worth .7 ** 2 / 2 - .2 = .045, all else nothing."""
    rng = np.random.default_rng(5)
    x = rng.random((8000, 3))
    d = x[:, 1] - 0.3 + rng.normal(0, 0.5, 8000)
    found = worths(["a", "b", "c"], x, d)
    assert found[0].path == "b"
    assert found[0].low < 0.045 < found[0].high
    assert found[0].flips == pytest.approx(0.3, abs=0.05)
    assert [w.value for w in found[1:]] == [0.0, 0.0]
    both = (x[:, 1] - 0.3)[:, None] + rng.normal(0, 0.3, (8000, 2))
    assert 0 < everything(both) <= 0.046


def test_nothing_to_learn_where_one_choice_always_wins():
    x = np.random.default_rng(2).random((500, 2))
    assert all(w.value == 0.0 for w in worths(["a", "b"], x, 5.0 + x[:, 0]))
