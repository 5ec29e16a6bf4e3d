"""Random systems with a planted constraint, the truth by brute force, and the score.

A system has 3-7 stages, 2-6 teams, rework, patience and a buyer. One thing in it is made scarce:
a team, a handoff, the buyer's conditions or demand. What the constraint is, is then not taken from
the plan but found by long runs of every small relief: the truth is the relief with the largest
gain per dollar, with those that long runs cannot tell from it.

    cd tests; python -m planted --systems 100 --seed 1       # the score, some minutes a core
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.constraint import Constraint, constraint
from simulator.analysis.panel import Panel
from simulator.analysis.ranking import tried
from simulator.analysis.spend import planned_cost
from simulator.spec.load import load_text
from simulator.spec.schema import Scenario
from simulator.system import build

KINDS = ("capacity", "handoff", "buyer", "market")
LONG = 60  # replications of every relief
LONGER = 600  # of those that may be the best
Z = 3.0  # standard errors that part two reliefs in the truth
PATH_STEPS = 4.5  # a path may spend so many times what the first step costs


def planted(seed: int) -> tuple[Scenario, str]:
    """A random system, and the kind of the constraint that was planted in it."""
    rng = np.random.default_rng([20260105, seed])
    stages, teams = int(rng.integers(3, 8)), int(rng.integers(2, 7))
    teams = min(teams, stages)
    kind = str(rng.choice(KINDS))
    leads = float(rng.uniform(15, 40))
    sold = bool(rng.random() < 0.5) and stages > 3
    before = stages - sold
    owner = [*range(teams), *(int(x) for x in rng.integers(0, teams, stages - teams))]
    rng.shuffle(owner)
    people = {f"t{m}": {"ramp": "0 weeks"} for m in range(teams)}
    hours = {m: float(rng.uniform(22, 34)) for m in range(teams)}
    body: dict[str, Any] = {}
    work = dict.fromkeys(range(teams), 0.0)
    flow = leads
    passes = []
    for i in range(stages):
        name = f"s{i}"
        effort = float(rng.uniform(1, 8)) if i < before else float(rng.uniform(8, 30))
        stage: dict[str, Any] = {
            "team": f"t{owner[i]}",
            "effort": {"mean": f"{effort:.3f} h", "cv": float(rng.choice([0.5, 1.0]))},
        }
        visits = flow
        if rng.random() < 0.35:
            share = float(rng.uniform(0.1, 0.3))
            stage["rework"] = {"share": round(share, 3)}
            visits = flow / (1 - share)
        if rng.random() < 0.6 or i == 0:
            stage["patience"] = f"{rng.uniform(1, 6):.2f} weeks"
        if rng.random() < 0.5:
            stage["buyer_time"] = f"{rng.uniform(0.5, 2):.2f} weeks"
        work[owner[i]] += visits * effort
        if i >= before:
            stage["after_sale"] = True
        elif i == before - 1:
            stage["decision"] = True
            flow *= 0.25
        else:
            advance = float(rng.uniform(0.55, 0.95))
            stage["advance"] = {"good_fit": round(advance, 3), "poor_fit": round(0.6 * advance, 3)}
            passes.append(0.84 * advance)
            flow *= 0.84 * advance
        body[name] = stage
    scarce = int(rng.integers(0, teams)) if kind == "capacity" else -1
    for m in range(teams):
        used = rng.uniform(1.1, 1.6) if m == scarce else rng.uniform(0.45, 0.75)
        people[f"t{m}"] |= {
            "headcount": max(0.2, round(work[m] / hours[m] / used, 2)),
            "hours": f"{hours[m]:.2f} h/week",
            "cost": f"{rng.uniform(80, 200):.1f} kUSD/year",
        }
    price = float(rng.uniform(40, 120) if kind == "market" else rng.uniform(500, 1200))
    share = float(rng.uniform(0.3, 0.7))
    channels = {}
    for name, part in (("near", share), ("far", 1 - share)):
        now = leads * part
        channels[name] = {
            "leads": {"now": f"{now:.3f}/week", "saturation": round(float(rng.uniform(0.6, 1)), 2)},
            "spend": f"{price * rng.uniform(0.8, 1.2) * now:.1f} USD/week",
        }
    between = int(rng.integers(0, max(1, before - 1)))
    accepted = rng.uniform(0.3, 0.45) if kind == "handoff" else rng.uniform(0.9, 0.97)
    handoff = {
        "from": f"s{between}",
        "to": f"s{between + 1}",
        "accepted": round(float(accepted), 3),
        "delay": f"{rng.uniform(0.2, 1.5):.2f} weeks",
    }
    low = kind == "buyer"
    conditions = {
        "approvers": int(rng.integers(6, 9)) if low else int(rng.integers(1, 3)),
        "alignment": round(float(rng.uniform(0.05, 0.3) if low else rng.uniform(0.8, 0.94)), 2),
        "proof": round(float(rng.uniform(0.05, 0.3) if low else rng.uniform(0.8, 0.94)), 2),
    }
    scenario = {
        "name": f"planted {seed}",
        "horizon": "78 weeks",
        "warm_up": "26 weeks",
        "currency": "USD",
        "seed": seed % 1000,
        "value": {"mean": f"{rng.uniform(20, 60):.1f} kUSD", "cv": 0.5},
        "customers": {"start": 50, "churn": "8%/year", "expansion": "0%/year"},
        "channels": channels,
        "teams": people,
        "stages": body,
        "handoffs": [handoff] if before > 1 else [],
        "buyer": conditions,
    }
    return load_text(json.dumps(scenario)).scenario, kind


@dataclass(frozen=True)
class Truth:
    """What long runs say. best: reliefs that cannot be told from the best; per_dollar: means."""

    best: tuple[str, ...]
    per_dollar: dict[str, float]
    error: dict[str, float]
    runs: int


def truth(scenario: Scenario, seed: int = 77_000, longer: int = LONGER) -> Truth:
    """Every relief by long runs, on random numbers that the program has not seen."""
    base = build(scenario)
    made, _ = tried(scenario)
    panel = Panel([base, *(s for _, s in made)], "batch", seed)
    today = planned_cost(base)
    costs = [planned_cost(s) - today for _, s in made]
    panel.run(range(len(panel.systems)), LONG)

    def per_dollar(i: int, n: int) -> np.ndarray:
        a, b = panel.values("arr", 0, n), panel.values("arr", i + 1, n)
        return (b - a) / costs[i]

    def behind(i: int, top: int, n: int) -> float:
        d = per_dollar(top, n) - per_dollar(i, n)
        se = float(d.std(ddof=1)) / math.sqrt(n)
        return float(d.mean()) / se if se > 0 else (math.inf if d.mean() > 0 else 0.0)

    means = [float(per_dollar(i, LONG).mean()) for i in range(len(made))]
    top = int(np.argmax(means))
    near = [i for i in range(len(made)) if behind(i, top, LONG) < 4.0]
    # What is alike in every run need not be run for long.
    alike = [i for i in near if np.allclose(per_dollar(i, LONG), per_dollar(top, LONG))]
    todo = [i for i in near if i not in alike or i == top]
    counts = dict.fromkeys(range(len(made)), LONG)
    if len(todo) > 1:
        panel.run([0, *(i + 1 for i in todo)], longer)
        counts |= dict.fromkeys(todo, longer)
    means = [float(per_dollar(i, counts[i]).mean()) for i in range(len(made))]
    top = max(todo, key=lambda i: means[i])
    best = [i for i in todo if i == top or behind(i, top, counts[i]) < Z]
    if set(alike) & set(best):
        best = sorted({*best, *alike})
    names = [r.name for r, _ in made]
    error = {
        names[i]: float(per_dollar(i, counts[i]).std(ddof=1)) / math.sqrt(counts[i])
        for i in range(len(made))
    }
    return Truth(
        tuple(names[i] for i in best), dict(zip(names, means, strict=True)), error, panel.made
    )


def named(result: Constraint) -> list[str]:
    """What the program says is the constraint, or is tied with it."""
    return [] if result.best is None else [c.relief.name for c in result.candidates if c.tied]


def right(result: Constraint, found: Truth) -> bool:
    """Whether the best relief, or one that long runs cannot tell from it, was named."""
    if result.best is None:
        # Then long runs must not find much either.
        return max(found.per_dollar[n] - Z * found.error[n] for n in found.best) <= 0
    return bool(set(named(result)) & set(found.best))


def path_right(result: Constraint, longer: int = LONGER) -> tuple[bool, list[str]]:
    """Whether each step of the path was the best at its time, by long runs from where it stood."""
    assert result.path is not None
    scenario = result.system.scenario
    notes = []
    for k, step in enumerate(result.path.steps):
        found = truth(scenario, seed=88_000 + k, longer=longer)
        wanted = {step.name, *step.tied}
        notes.append(f"{step.name} ({', '.join(found.best)})")
        if not wanted & set(found.best):
            return False, notes
        scenario = step.candidate.relief.on(scenario)
    return True, notes


def score(
    systems: int, first: int, *, paths: int | None = None, say: bool = True
) -> dict[str, Any]:
    """How often the program names the planted constraint, and gets the path's order right."""
    hits, ties, path_hits, path_count, wrong = 0, 0, 0, 0, []
    paths = systems if paths is None else paths
    for k in range(systems):
        began = time.perf_counter()
        scenario, kind = planted(first + k)
        result = constraint(scenario)
        budget = None
        if k < paths and result.best is not None:
            budget = PATH_STEPS * result.best.extra_cost
            result = constraint(scenario, path=budget)
        found = truth(scenario)
        good = right(result, found)
        hits += good
        ties += len(named(result)) > 1
        note = ""
        if budget is not None:
            path_good, steps = path_right(result)
            path_hits += path_good
            path_count += 1
            note = f"; path {'right' if path_good else 'WRONG'}: {' > '.join(steps)}"
        if not good:
            wrong.append(first + k)
        if say:
            seconds = time.perf_counter() - began
            print(
                f"{first + k:5d} {kind:9s} {'right' if good else 'WRONG'} "
                f"named {', '.join(named(result)) or 'none'}; truth {', '.join(found.best)}{note} "
                f"({seconds:.0f} s)",
                flush=True,
            )
    return {
        "systems": systems,
        "right": hits,
        "of_which_ties": ties,
        "wrong": wrong,
        "paths": path_count,
        "paths_right": path_hits,
    }


def main(arguments: list[str] | None = None) -> int:
    """Print the score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", type=int, default=100)
    parser.add_argument("--paths", type=int, default=None, help="of them, with their paths")
    parser.add_argument("--seed", type=int, default=1, help="of the first system")
    given = parser.parse_args(arguments)
    print(json.dumps(score(given.systems, given.seed, paths=given.paths)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
