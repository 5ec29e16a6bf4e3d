"""Many runs of the flow engine at once, against the same engine one run at a time."""

from __future__ import annotations

import copy
import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest
from generate import scenarios, system_of
from hypothesis import given, settings
from test_batch import FEATURES
from test_batch import system_of as feature
from test_flow import FULL

from simulator.engines.flow import many, run
from simulator.engines.flow import stack as stacks
from simulator.engines.flow.graph import Graph
from simulator.engines.flow.many import Point, alone, run_many
from simulator.engines.flow.setup import net_of
from simulator.engines.flow.vectors import WIDTH
from simulator.errors import EngineError
from simulator.record import Series
from simulator.spec.paths import leaves
from simulator.sweep.points import change
from simulator.system import System, build


def far(one: Series, two: Series) -> dict[str, float]:
    """How far series are from each other, over the largest of each, or 1."""
    found = {}
    for field in dataclasses.fields(Series):
        x, y = getattr(one, field.name), getattr(two, field.name)
        assert x.shape == y.shape, field.name
        if x.size:
            found[field.name] = float(np.abs(x - y).max() / max(1.0, float(np.abs(y).max())))
    return found


def series(found: Any) -> Series:
    assert isinstance(found, Point), found
    return found.series


def bits(found: Any) -> bytes:
    s = series(found)
    return b"".join(getattr(s, f.name).tobytes() for f in dataclasses.fields(s))


@cache
def points() -> tuple[System, ...]:
    """Forty points of the whole model of test_flow, each with other numbers; two structures."""
    base = system_of(FULL).scenario
    rng = np.random.default_rng(5)
    found = []
    for i in range(40):
        numbers = {
            "channels.paid.leads.now": 30 * rng.uniform(0.7, 1.4),
            "stages.discovery.effort.mean": 4 * rng.uniform(0.8, 1.3),
            "stages.decision.buyer_time.mean": 3 * rng.uniform(0.8, 1.3),
            "customers.churn": 0.006 * rng.uniform(0.5, 1.5),
            "teams.ae.headcount": float(rng.integers(4, 8)),
            "stages.proof.rework.share": 0.0 if i % 8 == 3 else 0.15 * rng.uniform(0.5, 1.5),
        }
        found.append(build(change(base, numbers)))
    return tuple(found)


# -- the same answer as one run at a time ------------------------------------------------------


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_is_as_by_itself(name: str) -> None:
    """Within 1e-3 of the largest of each series at the usual tolerance, 1e-4.

    An error per step of r and steps of number r ** (-1/3) leave r ** (2/3): 5e-5 at 1e-6, and twice
    that between two that both err.
    """
    made = feature(FEATURES[name])
    assert not alone(made)
    want = run(made, rtol=1e-6, atol=1e-6).series
    (tight,) = run_many([made], rtol=1e-6, atol=1e-6)
    (usual,) = run_many([made])
    assert max(far(series(tight), want).values()) < 1e-4, far(series(tight), want)
    assert max(far(series(usual), want).values()) < 1e-3, far(series(usual), want)


@settings(max_examples=15)
@given(mapping=scenarios())
def test_any_scenario_is_as_by_itself(mapping: Any) -> None:
    made = system_of(mapping)
    (found,) = run_many([made], rtol=1e-6, atol=1e-6)
    want = run(made, rtol=1e-6, atol=1e-6).series
    assert max(far(series(found), want).values()) < 1e-4, far(series(found), want)


@pytest.mark.parametrize("closure", ["fluid", "psffa"])
def test_any_closure_is_as_by_itself(closure: str) -> None:
    made = points()[:3]
    for system, found in zip(
        made, run_many(made, closure=closure, rtol=1e-6, atol=1e-6), strict=True
    ):
        want = run(system, closure=closure, rtol=1e-6, atol=1e-6).series
        assert max(far(series(found), want).values()) < 1e-4


def test_the_books_balance() -> None:
    """Leads that came are where they are; what was won, grew and left is the ARR there is."""
    for found in run_many(points()[:5]):
        s = series(found)
        here = s.fates.sum(axis=1) - s.arrived.sum(axis=1)
        np.testing.assert_allclose(here, here[0], atol=1e-8 * s.fates.max())
        grown = s.won_arr + s.expansion_arr - s.churned_arr
        np.testing.assert_allclose(s.arr[0] + grown, s.arr, rtol=1e-9)
        assert (s.busy_hours <= s.paid_hours * (1 + 1e-6) + 1e-6).all()


def test_halving_the_tolerance_is_nearer() -> None:
    made = points()[:2]
    best = run_many(made, rtol=1e-8, atol=1e-8)
    off = [
        max(max(far(series(a), series(b)).values()) for a, b in zip(found, best, strict=True))
        for found in (run_many(made, rtol=r, atol=r) for r in (1e-3, 1e-5))
    ]
    assert off[1] < off[0] / 10


def test_without_a_team_there_is_nothing_to_serve() -> None:
    made = system_of(
        {
            "horizon": "6 weeks",
            "channels": {"a": {"leads": "3/week"}},
            "stages": {"s": {"buyer_time": "1 week", "advance": "50%"}},
        }
    )
    found = run_many([made] * 3)
    want = run(made, rtol=1e-6, atol=1e-6).series
    assert all(max(far(series(x), want).values()) < 1e-3 for x in found)


# -- what a point's bits depend on -------------------------------------------------------------


def test_a_points_bits_do_not_depend_on_what_it_is_run_with() -> None:
    made = points()
    want = [bits(x) for x in run_many(made)]
    assert len(set(want)) == len(want)
    backwards = [bits(x) for x in run_many(made[::-1])][::-1]
    assert backwards == want
    for part in (1, 3, WIDTH, WIDTH + 1):
        found = [bits(x) for i in range(0, 20, part) for x in run_many(made[i : i + part])]
        assert found[:20] == want[:20], part
    assert [bits(x) for x in run_many(made, threads=2)] == want


def test_points_laid_out_together_are_as_if_built_alone() -> None:
    """The oracle of the set-up: every table of every point, to the bit."""
    for laid in stacks.lay_out(points(), range(40)):
        for i, system in enumerate(laid.systems):
            net, pattern, _ = net_of(Graph(system))
            mine = slice(i * laid.segments, (i + 1) * laid.segments)
            for group in ("links", "queues", "demand", "life"):
                one, all_ = getattr(net, group), getattr(laid.net, group)
                for name in one._fields:
                    x, y = np.asarray(getattr(one, name)), np.asarray(getattr(all_, name))
                    if (group, name) == ("demand", "lift"):
                        x = x[system.channels.lift > 0]
                    if (group, name) != ("demand", "edges") and y.shape != x.shape:
                        x, y = np.broadcast_to(x, y[mine].shape), y[mine]
                    np.testing.assert_array_equal(y, x, err_msg=f"{group}.{name}")
            for x, y in zip(pattern, laid.pattern, strict=True):
                np.testing.assert_array_equal(x, y)


def test_every_number_of_a_scenario_may_differ() -> None:
    """Each leaf changed in turn, all points laid out together, against each by itself."""
    base = system_of(FULL).scenario
    made = []
    for path, leaf in leaves(base).items():
        if path in ("seed", "horizon", "warm_up") or not leaf.value:
            continue
        try:
            made.append(build(change(base, {path: leaf.value * 0.97})))
        except Exception:  # noqa: BLE001 - what may not be 3% less is not of interest
            continue
    assert len(made) > 40
    together = run_many(made)
    for i in range(0, len(made), 5):
        (single,) = run_many([made[i]])
        assert bits(single) == bits(together[i])


# -- what is run by itself, and what fails -----------------------------------------------------


def test_what_moves_week_by_week_is_run_by_itself() -> None:
    aged = copy.deepcopy(FULL) | {"buyer": {"aging": {"decay": 0.1, "after": "2 weeks"}}}
    made = system_of(aged)
    assert alone(made) == "its odds age"
    found = run_many([points()[0], made, points()[1]])
    want = run(made, rtol=1e-4, atol=1e-4).series
    assert bits(found[1]) == bits(Point(made, want))
    assert bits(found[0]) == bits(run_many([points()[0]])[0])


def test_a_point_that_cannot_be_solved_is_tried_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    made = points()[0]
    monkeypatch.setattr(many, "MOST_STEPS", 5)
    (found,) = run_many([made])
    assert bits(found) == bits(Point(made, run(made, rtol=1e-4, atol=1e-4).series))

    def refuse(*_: Any, **__: Any) -> None:
        raise EngineError("Full: cannot get past week 3")

    monkeypatch.setattr(many, "run", refuse)
    (found,) = run_many([made])
    assert isinstance(found, EngineError)


@pytest.mark.parametrize("options", [{"closure": "fuild"}, {"rtol": 0.0}, {"atol": -1.0}])
def test_what_cannot_be_is_said(options: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match="a closure is one of auto, psffa, fluid"):
        run_many(points()[:1], **options)
