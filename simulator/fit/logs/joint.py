"""The whole fit: what the log shows, then what only the scenario's own run can tell."""

from __future__ import annotations

from functools import partial

import numpy as np

from simulator.fit.logs.calibrate import calibrate
from simulator.fit.logs.files import let_go
from simulator.fit.logs.fitted import ENSEMBLE, MOST_ODDS, LogFit, fit_log, make_basis
from simulator.fit.logs.log import Log
from simulator.fit.logs.network import hours_of
from simulator.fit.logs.patience import NEAR, RUNS, estimate_patience, held, runs_of
from simulator.fit.logs.script import full_time
from simulator.fit.logs.speed import estimate_speed
from simulator.fit.logs.steady import as_it_was
from simulator.spec.schema import Scenario

NEARLY = 0.1  # share of their odds that those who move on may be off the log's
LEAST_DAYS, MOST_DAYS = 182.0, 1092.0  # of the runs that waits are compared in; as the log's


def fit_jointly(
    log: Log, *, draws: int = ENSEMBLE, seed: int = 1, outcomes: tuple[str, ...] = ()
) -> LogFit:
    """Estimate; where waits grow with their queue, find by simulation the time that people have.

    A team's time that its waits do not tell stays as it was seen, and its waits stay in the
    times of its stages. Where sessions tell people's week, the queue that it makes is held against
    all waits, whether these are seen to grow with it or not.
    Raises DataError as `fit_log` does.
    """
    basis = make_basis(log, outcomes)
    log = basis.paths.log  # nothing holds on to the visits
    let_go()
    paced = basis.crew.paced
    queues = frozenset(w.stage for w in basis.waits if w.evident or paced[w.team])
    if not queues or not basis.crew.teams:
        return fit_log(log, draws=draws, seed=seed, basis=basis)
    begun = hours_of(basis.model)[1]
    patience = estimate_patience(basis.paths, basis.crew, begun, queues)
    speed = estimate_speed(basis.paths, basis.crew, begun, queues, basis.effects)
    queued = fit_log(log, draws=0, queues=queues, basis=basis, patience=patience, speed=speed)
    speed = {s: x for s, x in speed.items() if s not in _impossible(queued)}
    stages: dict[int, list[str]] = {}
    for i, node in enumerate(queued.network.nodes):
        if queued.script.branches[i] and node.team >= 0:
            stages.setdefault(node.stage, []).append(queued.script.names[i])
    crew = queued.crew
    heads, hours = full_time(crew)
    load = crew.heads * crew.busy / (heads * hours)
    days = float(np.clip(basis.paths.end, LEAST_DAYS, MOST_DAYS))
    found = calibrate(
        as_it_was(queued, days), queued.script.teams, stages, queued.waits, heads, load, paced
    )
    kept = {c.team for c in found if c.identified}
    queues = frozenset(s for s in queues if int(crew.team[s]) in kept)
    patience = {s: p for s, p in patience.items() if s in queues}
    speed = {s: x for s, x in speed.items() if s in queues}
    fit = partial(fit_log, log, queues=queues, calibrated=found, basis=basis)
    if patience:
        tried = fit(draws=0, patience=patience, speed=speed)
        cold = held(as_it_was(tried, days), patience, stages)
        patience = {s: p for s, p in patience.items() if s in cold}
    if speed:
        tried = fit(draws=0, patience=patience, speed=speed)
        kept = moved_on(tried, as_it_was(tried, days))
        speed = {s: x for s, x in speed.items() if s in kept}
    return fit(draws=draws, seed=seed, patience=patience, speed=speed)


def moved_on(fit: LogFit, scenario: Scenario) -> set[int]:
    """Stages whose odds fall with the wait where as many move on in the scenario as in the log."""
    index, runs = runs_of(scenario)
    out = set()
    for stage in fit.speed:
        nodes = [i for i in fit.script.leaves if fit.network.nodes[i].stage == stage]
        at = [index[fit.script.names[i]] for i in nodes]
        entered = np.array([fit.network.nodes[i].entered for i in nodes], dtype=float)
        share = np.array([fit.script.parts(i)[2] for i in nodes])
        odds = float((share * entered).sum() / entered.sum())
        seen = np.array([x.advanced[-1, at].sum() / max(x.started[-1, at].sum(), 1) for x in runs])
        chance = np.sqrt(seen.var(ddof=1) * (1 + 1 / RUNS) + odds * (1 - odds) / entered.sum())
        if abs(seen.mean() - odds) <= max(NEAR * chance, NEARLY * odds):
            out.add(stage)
    return out


def _impossible(fit: LogFit) -> set[int]:
    """Stages where those met at once would have to move on more than always."""
    return {
        fit.network.nodes[i].stage
        for i in fit.script.leaves
        if fit.point[f"stages.{fit.script.names[i]}.advance.good_fit"] >= MOST_ODDS
    }
