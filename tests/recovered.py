"""Random systems, simulated, exported and fitted: how often an interval holds the truth.

A system has 2-4 stages, 1-3 teams and 1-2 channels. It is run for a year and a half, what the run
would have left in an event log is exported and fitted, and the 90% intervals of the fit's ensemble
are held against the numbers that the system was made with.

    cd tests; python -m recovered --systems 100 --seed 1       # the score, some minutes a core
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from simulator.engines import simulate
from simulator.fit.logs.export import export
from simulator.fit.logs.fitted import LogFit
from simulator.fit.logs.joint import fit_jointly
from simulator.fit.logs.read import read_log
from simulator.spec.load import load
from simulator.system import build

WEEKS = 78
LEVEL = 0.9
WANDER, STEP = 0.08, 4  # of the log of leads, by so many weeks
ROUNDED = 1e-4  # a number that the log states but for its rounding is held by no width at all


@dataclass
class Planted:
    """A system as a scenario file says it, and its numbers by what they are of."""

    body: dict[str, Any]
    leads: dict[str, float] = field(default_factory=dict)
    odds: dict[str, float] = field(default_factory=dict)
    work: dict[str, float] = field(default_factory=dict)
    buyer: dict[str, float] = field(default_factory=dict)
    hours: dict[str, float] = field(default_factory=dict)
    waits: dict[str, float] = field(default_factory=dict)
    value: float = 0.0


def planted(seed: int) -> Planted:
    """A random system without what a log cannot tell apart: one fit, no rework, no returns.

    In half of them the leads wander, with a step every four weeks.
    """
    rng = np.random.default_rng([20260401, seed])
    stages, teams = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    teams = min(teams, stages)
    owner = sorted([*range(teams), *(int(x) for x in rng.integers(0, teams, stages - teams))])
    leads = float(rng.uniform(20, 45))
    channels = int(rng.integers(1, 3))
    part = float(rng.uniform(0.3, 0.7)) if channels == 2 else 1.0
    found = Planted({})
    body: dict[str, Any] = {
        "name": f"recovered {seed}",
        "horizon": f"{WEEKS} weeks",
        "warm_up": "0 weeks",
        "start": "2024-01-01",
        "seed": seed % 1000,
        "channels": {},
        "teams": {},
        "stages": {},
        "customers": {"start": 0},
    }
    found.value = float(rng.uniform(10, 50)) * 1000
    body["value"] = {"mean": f"{found.value:.2f} USD", "cv": round(float(rng.uniform(0.3, 0.8)), 2)}
    for k in range(channels):
        rate = leads * (part if k == 0 else 1 - part)
        found.leads[f"c{k}"] = rate
        body["channels"][f"c{k}"] = {
            "leads": f"{rate:.6f}/week", "spend": "1000 USD/week", "good_fit": "100%",
        }  # fmt: skip
    now, most = 1.0, 1.0
    if rng.random() < 0.5:
        steps = np.exp(rng.normal(0, WANDER, (WEEKS - 1) // STEP)).round(6)
        body["shocks"] = [
            {"at": f"week {STEP * (k + 1)}", "scale": "channels.*.leads.now", "by": float(step)}
            for k, step in enumerate(steps)
        ]
        path = np.cumprod(steps)
        now, most = float(path[-1]), max(1.0, float(path.max()))
    found.leads = {name: rate * now for name, rate in found.leads.items()}
    flow, load = leads * most, np.zeros(teams)  # people enough for the best of months
    for i in range(stages):
        name, last = f"s{i}", i == stages - 1
        effort = float(rng.uniform(0.8, 4))
        stage: dict[str, Any] = {
            "team": f"t{owner[i]}",
            "effort": {"mean": f"{effort:.6f} h", "cv": float(rng.choice([0.5, 1.0]))},
        }
        found.work[name] = effort
        load[owner[i]] += flow * effort
        odds = float(rng.uniform(0.4, 0.8))
        found.odds[name] = odds
        stage["advance"] = round(odds, 9)
        if last:
            stage["advance"] = round(odds, 9)
        else:
            wait = float(rng.uniform(0.3, 1.5))
            found.buyer[name] = wait
            stage["buyer_time"] = {"mean": f"{wait:.6f} weeks", "cv": 0.7}
        body["stages"][name] = stage
        flow *= odds
    for m in range(teams):
        wanted = float(load[m]) / float(rng.uniform(0.5, 0.85))
        heads = max(1, round(wanted / 32))
        hours = wanted / heads
        found.hours[f"t{m}"] = heads * hours
        body["teams"][f"t{m}"] = {
            "headcount": heads, "hours": f"{hours:.6f} h/week", "cost": "100 kUSD/year",
            "ramp": "0 weeks",
        }  # fmt: skip
    found.body = body
    return found


def fitted(system: Planted, folder: Path) -> LogFit:
    """The fit of what a run of it would have left."""
    (folder / "today.yaml").write_text(yaml.safe_dump(system.body, sort_keys=False))
    files = export(folder / "today.yaml", folder / "log", form="log").files
    until = pd.Timestamp(system.body["start"]) + pd.Timedelta(weeks=WEEKS, days=-1)
    return fit_jointly(read_log(files, until=until.date()))


def quantities(system: Planted, fit: LogFit) -> dict[str, tuple[float, np.ndarray]]:
    """Truth and the ensemble's draws of everything that both name."""
    paths = list(fit.point)
    draws = dict(zip(paths, fit.ensemble.T, strict=True))
    found: dict[str, tuple[float, np.ndarray]] = {"value": (system.value, draws["value.mean"])}
    for name, rate in system.leads.items():
        if f"channels.{name}.leads.now" in draws:  # else in segments, as below
            found[f"leads.{name}"] = (rate, draws[f"channels.{name}.leads.now"])
    for name, hours in system.work.items():
        if f"stages.{name}.effort.mean" in draws:
            found[f"work.{name}"] = (hours, draws[f"stages.{name}.effort.mean"])
    for name, odds in system.odds.items():
        if name not in fit.script.names:
            continue  # in segments, as something goes with odds by chance
        i = fit.script.names.index(name)
        lost = np.zeros(len(fit.ensemble))
        on = np.zeros(len(fit.ensemble))
        for b in fit.script.branches[i]:
            share = draws.get(f"stages.{name}.next.{b.name or b.to}")
            if share is None:
                continue
            if b.to.startswith("ends"):
                lost = lost + share
            else:
                on = on + share
        found[f"odds.{name}"] = (odds, on / (on + lost))
        if name in system.buyer:
            truth = system.buyer[name]
            if fit.paths.stages.index(name) not in fit.queues:
                truth += waited(system)[name]  # waits are part of the time that the fit has
            found[f"time.{name}"] = (truth, _time(fit, draws, i))
    for team, hours in system.hours.items():
        mine = [n for n in system.work if system.body["stages"][n]["team"] == team]
        teams = {int(fit.crew.team[fit.paths.stages.index(n)]) for n in mine}
        if len(teams) == 1 and -1 not in teams:
            path = f"teams.{fit.script.teams[teams.pop()]}"
            found[f"people.{team}"] = (hours, draws[f"{path}.headcount"] * draws[f"{path}.hours"])
    return found


def _time(fit: LogFit, draws: dict[str, np.ndarray], i: int) -> np.ndarray:
    """Weeks from the work's end to the next stage, of those who go on."""
    total, weight = np.zeros(len(fit.ensemble)), np.zeros(len(fit.ensemble))
    for b in fit.script.branches[i]:
        share = draws.get(f"stages.{fit.script.names[i]}.next.{b.name or b.to}")
        if share is not None and not b.to.startswith("ends"):
            weight = weight + share
            if b.name:
                total = total + share * draws[f"stages.{b.name}.buyer_time.mean"]
    return total / weight


def waited(system: Planted) -> dict[str, float]:
    """Weeks that leads wait for a person at each stage, by long runs of the truth."""
    if not system.waits:
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "today.yaml"
            path.write_text(yaml.safe_dump(system.body, sort_keys=False))
            truth = build(load(path).scenario)
        runs = [simulate(truth, "batch", replication=100 + r).series for r in range(20)]
        wait = sum(s.wait[-1] for s in runs) / np.maximum(sum(s.started[-1] for s in runs), 1)
        system.waits.update(zip(truth.stage_names, map(float, wait), strict=True))
    return system.waits


def held(truth: float, draws: np.ndarray) -> bool:
    """Whether the interval holds the truth."""
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    near = ROUNDED * abs(truth)
    return bool(low - near <= truth <= high + near)


def exact(truth: float, draws: np.ndarray) -> bool:
    """Whether the draws are all alike: the log states the number, and its interval has no width."""
    return bool(np.ptp(draws) <= ROUNDED * abs(truth))


def score(systems: int, first: int, *, say: bool = True) -> dict[str, Any]:
    """Coverage by kind of quantity, and of all; numbers that are told exactly are apart."""
    hits: dict[str, list[bool]] = {}
    told: list[bool] = []
    scores: dict[str, list[float]] = {}
    for k in range(systems):
        began = time.perf_counter()
        system = planted(first + k)
        with tempfile.TemporaryDirectory() as place:
            fit = fitted(system, Path(place))
        missed = []
        for name, (truth, draws) in quantities(system, fit).items():
            kind = name.split(".")[0]
            if exact(truth, draws):
                told.append(held(truth, draws))
                continue
            hits.setdefault(kind, []).append(held(truth, draws))
            sd = float(draws.std(ddof=1))
            scores.setdefault(kind, []).append((float(draws.mean()) - truth) / sd if sd else 0.0)
            if not hits[kind][-1]:
                missed.append(f"{name} {truth:.4g} not {draws.mean():.4g} ± {1.645 * sd:.2g}")
        if say:
            print(f"{first + k:5d} ({time.perf_counter() - began:.0f} s) {'; '.join(missed)}",
                  flush=True)  # fmt: skip
    every = [h for kind in hits.values() for h in kind]
    return {
        "systems": systems,
        "numbers": len(every),
        "coverage": sum(every) / len(every),
        "exact": {"n": len(told), "right": sum(told) / max(len(told), 1)},
        "by_kind": {k: {"n": len(v), "coverage": sum(v) / len(v),
                        "bias_sd": float(np.mean(scores[k])), "spread": float(np.std(scores[k]))}
                    for k, v in hits.items()},
    }  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Print the score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="of the first system")
    given = parser.parse_args(arguments)
    print(json.dumps(score(given.systems, given.seed)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
