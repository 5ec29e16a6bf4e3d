"""What the written scenario itself shows when it is run: the calibrated system, held to account."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simulator.engines import simulate
from simulator.fit.logs.fitted import LogFit
from simulator.fit.logs.measure import Cases, Measures, Window, measure
from simulator.fit.logs.outlook import Outlook, won_of
from simulator.fit.logs.script import WEEK
from simulator.fit.logs.text import today_text
from simulator.record import Record
from simulator.spec.load import load_text
from simulator.spec.schema import Scenario
from simulator.system import REASONS, WENT_COLD, build

Ints = NDArray[np.int64]
REPLICATIONS = 5
COLD = REASONS[WENT_COLD]
BLOCK = 28  # days in which arrivals are taken to be level
LEAST_LEVEL = 0.02  # of arrivals, of what they are now


def scenario_of(fit: LogFit, days: float, shocks: str = "") -> Scenario:
    """The scenario that a fit writes, over so many days. shocks: as a file has them."""
    text = today_text(fit, horizon=f"{days / WEEK:.6f} weeks", currency="USD", name="Today")
    return load_text(text + shocks, "today.yaml").scenario


def as_it_was(fit: LogFit, days: float) -> Scenario:
    """The scenario over so many days with the arrivals that the log had, four weeks by four weeks.

    What waits there were depends on them. A shorter log goes on as it ended.
    """
    demand = fit.model.demand
    counts = demand.counts[-int(days) :]
    blocks = max(len(counts) // BLOCK, 1)
    rest = len(counts) - blocks * BLOCK if len(counts) >= BLOCK else 0
    level = np.array([7 * b.mean() for b in np.array_split(counts[rest:], blocks)])
    level = np.maximum(level / demand.per_week, LEAST_LEVEL)
    first = tuple(replace(s, per_week=s.per_week * float(level[0])) for s in fit.streams)
    at, by = BLOCK // 7 * np.arange(1, blocks), level[1:] / level[:-1]
    shocks = "".join(
        f"  - {{at: week {k}, scale: channels.*.leads.now, by: {m:.6f}}}\n"
        for k, m in zip(at, by, strict=True)
        if WEEK * k < days
    )
    return scenario_of(replace(fit, streams=first), days, "shocks:\n" + shocks if shocks else "")


def steady(fit: LogFit, window: Window, replications: int = REPLICATIONS) -> Outlook:
    """The scenario's outlook: it begins with a pipeline in balance, not with the cases there are.

    So it says what today's numbers come to if they last, and nothing of who is open now.
    """
    system = build(scenario_of(fit, window.end - window.start))
    found: list[Measures] = []
    for r in range(replications):
        record = simulate(system, "batch", replication=r)
        found.append(
            measure(
                cases_of_record(record, fit, window.start),
                window,
                len(fit.paths.outcomes),
                won_of(fit.paths),
            )
        )
    return Outlook(tuple(found), None)


def cases_of_record(record: Record, fit: LogFit, start: float) -> Cases:
    """A run's leads as cases, its week 0 at ``start`` days, with the log's outcomes."""
    leads = record.leads
    assert leads is not None
    by_stage = {stage: outcome for outcome, stage in fit.script.ends.items()}
    cold = {
        fit.script.names[i]: fit.patience[node.stage].outcome
        for i, node in enumerate(fit.network.nodes)
        if node.stage in fit.patience
    }
    by_fate = np.array(
        [
            (cold if f.reason == COLD else by_stage).get(f.stage, -1) if f.kind == "lost" else -1
            for f in record.system.fates
        ],
        dtype=np.int64,
    )
    sold = np.isfinite(leads.won)
    closed = np.where(sold, leads.won, leads.ended)
    outcome = np.where(sold, won_of(fit.paths), by_fate[leads.fate])
    closed = np.where(outcome < 0, np.nan, closed)
    return Cases(
        created=start + WEEK * leads.arrived,
        closed=start + WEEK * closed,
        outcome=np.where(np.isnan(closed), -1, outcome),
        amount=leads.value,
    )
