"""One replication's record as tables and plain values."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from simulator.metrics import measure
from simulator.record import LeadTable, Record, Series
from simulator.system import FITS, Fate, System
from simulator.vocabulary import METRICS


@dataclass(frozen=True)
class RunReport:
    """What a record says, as an analysis says it."""

    record: Record

    @property
    def sentences(self) -> list[str]:
        """What was run."""
        r = self.record
        how = f"engine {r.engine}, seed {r.seed}, replication {r.replication}"
        return [f"{r.system.name}: {r.system.horizon:g} weeks, {how}."]

    @property
    def tables(self) -> dict[str, Any]:
        """metrics, series by week, fates, and leads where the engine has them."""
        return record_tables(self.record) | {"metrics": metric_columns(measure(self.record))}

    def to_json(self) -> dict[str, Any]:
        """Metrics and how they were made; null where undefined."""
        r = self.record
        return {
            "kind": "run",
            "scenario": r.system.name,
            "engine": r.engine,
            "seed": r.seed,
            "replication": r.replication,
            "events": r.events,
            "metrics": {k: v if math.isfinite(v) else None for k, v in measure(r).items()},
            "notes": list(r.notes),
        }


def metric_columns(metrics: dict[str, float]) -> dict[str, list[Any]]:
    """Metrics with their unit and meaning."""
    known = [METRICS.get(name) for name in metrics]
    return {
        "metric": list(metrics),
        "value": list(metrics.values()),
        "unit": [None if m is None else m.unit for m in known],
        "meaning": [None if m is None else m.text for m in known],
    }


def record_tables(record: Record) -> dict[str, dict[str, Any]]:
    """Series (a row a week, flows cumulative), fates, leads: columns by name."""
    tables = {"series": _series(record), "fates": _fates(record)}
    if record.leads is not None:
        tables["leads"] = _leads(record.leads, record.system)
    return tables


def _axes(system: System) -> dict[str, tuple[str, ...]]:
    """What the columns of each series are named after."""
    stages, teams, channels = system.stage_names, system.team_names, system.channel_names
    by_stage = ["waiting", "working", "buyer", "transit", "nurture"]
    by_stage += ["entered", "started", "advanced", "wait", "sla_met", "sla_due"]
    by_team = (
        "heads",
        "skilled",
        "ramping",
        "paid_hours",
        "busy_hours",
        "support_hours",
        "people_cost",
    )
    return {
        **dict.fromkeys(by_stage, stages),
        **dict.fromkeys(by_team, teams),
        **dict.fromkeys(("arrived", "spend"), channels),
        "fates": tuple(map(str, system.fates)),
    }


def _series(record: Record) -> dict[str, Any]:
    named, found = _axes(record.system), {"week": record.series.t.tolist()}
    for field in fields(Series):
        values = getattr(record.series, field.name)
        if field.name == "t":
            continue
        if values.ndim == 1:
            found[field.name] = values.tolist()
            continue
        for k, name in enumerate(named[field.name]):
            found[f"{field.name}.{name}"] = values[:, k].tolist()
    return found


def _fates(record: Record) -> dict[str, Any]:
    fates: tuple[Fate, ...] = record.system.fates
    by_channel = {
        f"leads.{name}": record.fates[c].tolist()
        for c, name in enumerate(record.system.channel_names)
    }
    return {
        "fate": [str(f) for f in fates],
        "kind": [f.kind for f in fates],
        "stage": [f.stage for f in fates],
        "reason": [f.reason for f in fates],
        "leads": record.fates.sum(axis=0).tolist(),
        **by_channel,
        "hours": record.fate_hours.tolist(),
        "cost": record.fate_cost.tolist(),
        "arr": record.fate_arr.tolist(),
    }


def _leads(leads: LeadTable, system: System) -> dict[str, Any]:
    fates = np.array([str(f) for f in system.fates], dtype=object)
    channels = np.array(system.channel_names, dtype=object)
    hours = {f"hours.{t}": leads.hours[:, m].tolist() for m, t in enumerate(system.team_names)}
    return {
        "lead": leads.id.tolist(),
        "channel": channels[leads.channel].tolist(),
        "fit": np.array(FITS, dtype=object)[leads.fit].tolist(),
        "value": leads.value.tolist(),
        "arrived": leads.arrived.tolist(),
        "fate": fates[leads.fate].tolist(),
        "ended": leads.ended.tolist(),
        "won": leads.won.tolist(),
        "live": leads.live.tolist(),
        **hours,
        "cost": leads.cost.tolist(),
        "arr": leads.arr.tolist(),
    }
