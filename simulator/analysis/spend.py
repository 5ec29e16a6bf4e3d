"""Equal spend: what levers cost, and how far to pull them so that they cost the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from simulator.engines import simulate
from simulator.engines.ledgers import Planned
from simulator.errors import SpecError
from simulator.metrics import measure
from simulator.spec.schema import Scenario
from simulator.system import System, build


def planned_cost(system: System) -> float:
    """Spend, pay, levers and overhead over the horizon: all that is decided beforehand."""
    grid = np.array([system.horizon])
    plan = Planned(system).upto(grid)
    fixed = float(plan["spend"][0].sum() + plan["lever_cost"][0] + plan["overhead"][0])
    left, right = np.maximum(system.edges[:-1], 0.0), np.maximum(system.edges[1:], 0.0)
    people = system.people
    pay = 0.0
    for m, share, join, leave in zip(
        people.team, people.share, people.join, people.leave, strict=True
    ):
        here = np.clip(np.minimum(right, leave) - np.maximum(left, join), 0.0, None)
        pay += float(share * (here @ system.team_cost[:, m]))
    return fixed + pay


@dataclass(frozen=True)
class Scaled:
    """A variant at a stated extra cost: the intensity of its levers, or why it cannot be."""

    system: System
    intensity: float
    extra_cost: float
    note: str = ""


MOST = 20.0  # as far as levers are ever pulled, in multiples of what is written


PILOTS = 4  # replications by which the cost of what policies do is known
Cost = Callable[[System], float]


def cost_of(scenarios: Sequence[Scenario], engine: str) -> Cost:
    """How the cost of systems is told: by plan; where policies spend, by pilot runs."""
    spends = any(p.do or p.steer or p.grow or p.budget for s in scenarios for p in s.policies)
    if not spends:
        return planned_cost
    known: dict[int, tuple[System, float]] = {}

    def piloted(system: System) -> float:
        if id(system) not in known:
            pilots = 1 if engine == "flow" else PILOTS
            runs = (simulate(system, engine, replication=r) for r in range(pilots))
            found = [measure(run)["total_cost"] for run in runs]
            known[id(system)] = system, sum(found) / len(found)
        return known[id(system)][1]

    return piloted


def least_extra(extra: Sequence[float], base: float) -> float | None:
    """The least of the extra costs that are more than rounding of the base's; None if none is."""
    positive = [x for x in extra if x > 1e-6 * max(1.0, base)]
    return min(positive) if positive else None


def equal_spend(
    base: System,
    variants: Sequence[Scenario],
    written: Sequence[System],
    cost: Cost,
    spend: float | None = None,
) -> tuple[float | None, list[Scaled | None]]:
    """The common extra cost, by default the least of any, and the variants at it.

    None where none costs more than the base. written: the variants as they are.
    """
    base_cost = cost(base)
    target = spend
    if target is None:
        target = least_extra([cost(s) - base_cost for s in written], base_cost)
    if target is None:
        return None, [None] * len(variants)
    return target, [at_cost(v, base_cost, target, cost) for v in variants]


NEAR = 1e-3  # of the spend: close enough where there are many worlds


def level(
    today: Scenario, pair: Sequence[Scenario], cost: Cost
) -> tuple[float | None, list[Scaled]]:
    """Variants at the least extra cost of any, within a thousandth; None where none costs more."""
    base = cost(build(today))
    written = [build(s) for s in pair]
    extra = [cost(s) - base for s in written]
    spend = least_extra(extra, base)
    if spend is None:
        return None, [Scaled(b, 1.0, x) for b, x in zip(written, extra, strict=True)]
    return spend, [
        Scaled(b, 1.0, x) if x == spend else _near(s, base, x, spend, cost)
        for s, b, x in zip(pair, written, extra, strict=True)
    ]


def _near(scenario: Scenario, base: float, extra: float, spend: float, cost: Cost) -> Scaled:
    """A scenario with its levers scaled to a spend: a few secant steps.

    What levers cost is nearly a straight line; where it is not, `at_cost` searches.
    """
    if extra > 0:
        (x0, y0), x = (0.0, 0.0), spend / extra
        for _ in range(5):
            try:
                system = build(scenario, x)
            except SpecError:
                break
            y = cost(system) - base
            if abs(y - spend) <= NEAR * spend:
                return Scaled(system, x, y)
            if y == y0:
                break
            x0, y0, x = x, y, x + (spend - y) * (x - x0) / (y - y0)
            if not 0.0 < x < MOST:
                break
    return at_cost(scenario, base, spend, cost)


def at_cost(
    scenario: Scenario, base_cost: float, target: float, cost: Cost = planned_cost
) -> Scaled:
    """A variant with its levers scaled so that its extra cost is the target."""
    written = build(scenario)
    extra = cost(written) - base_cost
    if abs(extra - target) <= 1e-6 * max(1.0, abs(target)):
        return Scaled(written, 1.0, extra)
    if extra <= 0:
        why = "costs nothing more than today" if extra == 0 else "costs less than today"
        return Scaled(written, 1.0, extra, f"{scenario.name} {why}, so it cannot be scaled")

    if not scenario.levers:
        note = f"{scenario.name} has policies and no levers, so it is compared as written"
        return Scaled(written, 1.0, extra, note)

    def gap(intensity: float) -> float:
        return cost(build(scenario, intensity)) - base_cost - target

    top = 1.0
    while top < MOST:
        try:
            if gap(top) >= 0:
                break
        except SpecError as error:
            limit = _limit(scenario, top)
            system = build(scenario, limit)
            note = (
                f"{scenario.name} cannot spend as much: {error.problems[0].message}; "
                f"compared at {limit:.2f} times its levers"
            )
            return Scaled(system, limit, cost(system) - base_cost, note)
        top *= 1.5
    else:
        system = build(scenario, MOST)
        note = f"{scenario.name} cannot spend as much even at {MOST:g} times its levers"
        return Scaled(system, MOST, cost(system) - base_cost, note)
    # Heads that join after the horizon make cost a function with flat parts, but monotone.
    intensity = float(brentq(gap, 0.0, top, xtol=1e-9))
    system = build(scenario, intensity)
    return Scaled(system, intensity, cost(system) - base_cost)


def _limit(scenario: Scenario, top: float) -> float:
    """The largest intensity below `top` that keeps all numbers within bounds."""
    low, high = 1.0, top
    for _ in range(40):
        middle = 0.5 * (low + high)
        try:
            build(scenario, middle)
            low = middle
        except SpecError:
            high = middle
    return low
