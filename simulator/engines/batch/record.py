"""A finished workspace of the batch engine as a Record."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simulator.engines.batch.workspace import Workspace
from simulator.record import LeadTable, Record, Series, Visits

BY_STAGE = (
    "waiting working buyer transit nurture entered started advanced wait sla_met sla_due".split()
)
BY_TEAM = "heads skilled ramping paid_hours busy_hours support_hours people_cost".split()
BY_TIME = "customers arr won won_arr live churned churned_arr expansion_arr cycle revenue".split()


def record_of(work: Workspace, seed: int, replication: int, *, leads: bool, visits: bool) -> Record:
    """What happened, in arrays of its own."""
    run, system = work.run[0], work.system
    kept = 0.0
    for _ in range(int(run["base_count"] - run["base_gone"])):  # added up one by one, as in events
        kept += float(run["base_weight"])
    return Record(
        system=system,
        engine="batch",
        seed=seed,
        replication=replication,
        events=int(run["events"]),
        series=_series(work),
        opening=work.channels["opening"].astype(np.float64),
        fates=work.ends.copy(),
        fate_hours=work.totals[0].copy(),
        fate_cost=work.totals[1].copy(),
        fate_arr=work.totals[2].copy(),
        opening_customers=(
            int(run["base_count"] - run["base_gone"]),
            int(run["base_gone"]),
            kept * math.exp(growth_at_end(work)),
        ),
        leads=_lead_table(work) if leads else None,
        visits=_visits(work) if visits else None,
    )


def growth_at_end(work: Workspace) -> float:
    """Integrated expansion at the horizon."""
    run = work.run[0]
    return float(run["edge_growth"] + run["expansion"] * (work.system.horizon - run["edge"]))


def _series(work: Workspace) -> Series:
    columns: dict[str, Any] = {n: work.by_stage[:, i].copy() for i, n in enumerate(BY_STAGE)}
    columns |= {n: work.by_team[:, i].copy() for i, n in enumerate(BY_TEAM)}
    columns |= {n: work.by_time[:, i].copy() for i, n in enumerate(BY_TIME)}
    return Series(
        t=work.grid,
        **columns,
        fates=work.by_fate.copy(),
        arrived=work.by_channel.copy(),
        **work.planned(),
    )


def _lead_table(work: Workspace) -> LeadTable:
    n = int(work.run[0]["leads"])
    told, fated = work.told[:n], work.fated[:n]
    order = np.argsort(told["id"])
    whole: dict[str, Any] = {name: told[name][order] for name in ("id", "fit")}
    whole |= {name: fated[name][order].astype(np.int64) for name in ("channel", "fate")}
    real: dict[str, Any] = {
        name: told[name][order] for name in "value arrived ended won live".split()
    }
    return LeadTable(
        **whole,
        **real,
        cost=fated["cost"][order],
        arr=fated["weight"][order] * math.exp(growth_at_end(work)),
        hours=work.hours[order],
    )


def _visits(work: Workspace) -> Visits:
    rows = work.visits[: int(work.run[0]["visits"])]
    names = ("lead", "stage", "entered", "started", "ended")
    return Visits(**{name: rows[name].copy() for name in names})
