"""The whole fit: what the log shows, then what only the scenario's own run can tell."""

from __future__ import annotations

import numpy as np

from simulator.fit.logs.calibrate import calibrate
from simulator.fit.logs.fitted import ENSEMBLE, LogFit, fit_log, make_basis
from simulator.fit.logs.log import Log
from simulator.fit.logs.network import hours_of
from simulator.fit.logs.patience import estimate_patience, held
from simulator.fit.logs.script import full_time
from simulator.fit.logs.steady import as_it_was

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
    paced = basis.crew.paced
    queues = frozenset(w.stage for w in basis.waits if w.evident or paced[w.team])
    if not queues or not basis.crew.teams:
        return fit_log(log, draws=draws, seed=seed, basis=basis)
    patience = estimate_patience(basis.paths, basis.crew, hours_of(basis.model)[1], queues)
    queued = fit_log(log, draws=0, queues=queues, basis=basis, patience=patience)
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
    if patience:
        tried = fit_log(
            log, draws=0, queues=queues, calibrated=found, basis=basis, patience=patience
        )
        cold = held(as_it_was(tried, days), patience, stages)
        patience = {s: p for s, p in patience.items() if s in cold}
    return fit_log(
        log, draws=draws, seed=seed, queues=queues, calibrated=found, basis=basis,
        patience=patience,
    )  # fmt: skip
