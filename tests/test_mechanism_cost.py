"""What all mechanisms cost over the base case without them, in counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.engines import simulate
from simulator.engines.flow.graph import Graph
from simulator.mechanisms import SWITCHES, used
from simulator.spec.load import load
from simulator.system import System, build

ROOT = Path(__file__).parent.parent
BASE = ROOT / "scenarios" / "archetypes" / "mid-market-saas.yaml"
ALL = ROOT / "benchmarks" / "everything.yaml"


@pytest.fixture(scope="module")
def systems() -> tuple[System, System]:
    return build(load(str(BASE)).scenario), build(load(str(ALL)).scenario)


def test_the_benchmark_has_every_mechanism(systems: tuple[System, System]) -> None:
    assert set(SWITCHES) - set(used(systems[1].scenario)) == {"approvers"}  # a number, no law more


def test_mechanisms_add_no_events(systems: tuple[System, System]) -> None:
    """Slow mechanisms act at weeks that are there anyway: the volumes are much the same."""
    base, full = (simulate(s, "batch").events for s in systems)
    assert full <= 1.1 * base


def test_mechanisms_take_few_more_right_hand_sides(systems: tuple[System, System]) -> None:
    base, full = (simulate(s, "flow").events for s in systems)
    assert full <= 1.05 * base


def test_mechanisms_add_few_stocks(systems: tuple[System, System]) -> None:
    """Who was recycled is told apart only where it can happen again."""
    base, full = (len(Graph(s).nodes) for s in systems)
    assert full <= 1.5 * base
