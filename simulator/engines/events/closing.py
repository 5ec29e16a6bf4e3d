"""From a finished run to its record."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simulator.engines.events.floor import Floor
from simulator.engines.events.state import State, total
from simulator.record import LeadTable, Record, Visits
from simulator.system import IN_PROCESS, lost


def close(run: Floor) -> Record:
    """Close the books at the horizon."""
    s, books = run.system, run.contracts
    growth = math.exp(books.growth(s.horizon))
    for work in run.in_work:
        run.book(run.teams[run.p.team[work.stage]], work)
    fates = np.zeros((len(s.channel_names), len(s.fates)))
    by_fate = np.zeros((3, len(s.fates)))
    for lead in run.leads:
        if lead.fate < 0:
            lead.fate = lost(lead.stage, IN_PROCESS)
        lead.arr = lead.weight * growth
        fates[lead.channel, lead.fate] += 1
        by_fate[:, lead.fate] += (total(lead.hours.values()), lead.cost, lead.arr)
    kept = [weight for weight, here in run.base if here]
    return Record(
        system=s,
        engine="events",
        seed=run.seed,
        replication=run.replication,
        events=run.events,
        series=run.snapshots.series(run.p.spend, run.p.lever_rate),
        opening=np.array(run.opening, dtype=np.float64),
        fates=fates,
        fate_hours=by_fate[0],
        fate_cost=by_fate[1],
        fate_arr=by_fate[2],
        opening_customers=(len(kept), len(run.base) - len(kept), total(kept) * growth),
        leads=lead_table(run),
        visits=None if run.visits is None else visit_table(run.visits[run.visits_from :]),
    )


def lead_table(run: State) -> LeadTable:
    """All leads, sorted by id."""
    leads = sorted(run.leads, key=lambda lead: lead.id)
    hours = np.zeros((len(leads), len(run.teams)))
    for i, lead in enumerate(leads):
        for m, spent in lead.hours.items():
            hours[i, m] = spent

    def column(name: str, kind: type = np.float64) -> Any:
        return np.array([getattr(lead, name) for lead in leads], dtype=kind)

    return LeadTable(
        **{n: column(n, np.int64) for n in ("id", "channel", "fit", "fate")},
        **{n: column(n) for n in ("value", "arrived", "ended", "won", "live", "cost", "arr")},
        hours=hours,
    )


def visit_table(rows: list[list[float]]) -> Visits:
    """Visits as columns. Lead ids pass through floats only where they fit: kept as integers."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    return Visits(
        lead=np.array(columns[0], dtype=np.int64),
        stage=np.array(columns[1], dtype=np.int64),
        entered=np.array(columns[2], dtype=np.float64),
        started=np.array(columns[3], dtype=np.float64),
        ended=np.array(columns[4], dtype=np.float64),
    )
