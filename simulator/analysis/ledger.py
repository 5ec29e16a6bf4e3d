"""Where extra effort went: two runs of the same world, taken apart lead by lead.

Both runs draw the same numbers for the same lead (draws.py), so which leads are extra, and which
wins of the first were displaced in the second, is counted and not estimated. Every section's parts
add up to its total.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.parts import Section
from simulator.record import LeadTable, Record

Floats = NDArray[np.float64]


Ledger = dict[str, Section]
"""Sections arr, wins, leads, hours and dollars of a comparison (second run minus first)."""


def _by_fate(record: Record, fate: NDArray[np.int64], weight: Floats) -> dict[str, float]:
    sums = np.bincount(fate, weights=weight, minlength=len(record.system.fates))
    return {str(f): float(v) for f, v in zip(record.system.fates, sums, strict=True) if v != 0.0}


def _match(a: LeadTable, b: LeadTable) -> tuple[Any, Any, Any, Any]:
    """Rows of a and b that they share, then rows only in b, then rows only in a."""
    _, in_a, in_b = np.intersect1d(a.id, b.id, assume_unique=True, return_indices=True)
    only_b = np.setdiff1d(np.arange(len(b.id)), in_b, assume_unique=True)
    only_a = np.setdiff1d(np.arange(len(a.id)), in_a, assume_unique=True)
    return in_a, in_b, only_b, only_a


def ledger(a: Record, b: Record) -> Ledger:
    """The ledger of b against a. Without individual leads (flow): net, by fate."""
    if a.leads is None or b.leads is None:
        return _net(a, b)
    x, y = a.leads, b.leads
    in_a, in_b, extra, missing = _match(x, y)
    won_a, won_b = ~np.isnan(x.won[in_a]), ~np.isnan(y.won[in_b])
    change = y.arr[in_b] - x.arr[in_a]
    arr = {
        "extra_leads": float(y.arr[extra].sum()),
        "displaced_wins": float(change[won_a & ~won_b].sum()),
        "gained_wins": float(change[~won_a & won_b].sum()),
        "same_wins": float(change[won_a & won_b].sum()),
        "missing_leads": -float(x.arr[missing].sum()),
        "opening_customers": b.opening_customers[2] - a.opening_customers[2],
    }
    wins = {
        "extra_leads": float((~np.isnan(y.won[extra])).sum()),
        "displaced_wins": -float((won_a & ~won_b).sum()),
        "gained_wins": float((~won_a & won_b).sum()),
        "missing_leads": -float((~np.isnan(x.won[missing])).sum()),
    }
    leads = _by_fate(b, y.fate[extra], np.ones(len(extra)))
    for name, lost in _by_fate(a, x.fate[missing], np.ones(len(missing))).items():
        leads[f"missing:{name}"] = -lost
    hours = {
        f"extra:{k}": v for k, v in _by_fate(b, y.fate[extra], y.hours[extra].sum(axis=1)).items()
    }
    hours["other_leads"] = float(y.hours[in_b].sum() - x.hours[in_a].sum() - x.hours[missing].sum())
    hours["idle"] = _idle_hours(b) - _idle_hours(a)
    dollars = {f"extra:{k}": v for k, v in _by_fate(b, y.fate[extra], y.cost[extra]).items()}
    dollars["other_leads"] = float(y.cost[in_b].sum() - x.cost[in_a].sum() - x.cost[missing].sum())
    return {
        "arr": Section(_last(b, "arr") - _last(a, "arr"), arr),
        "wins": Section(_won(y) - _won(x), wins),
        "leads": Section(float(len(y.id) - len(x.id)), leads),
        "hours": Section(_last(b, "paid_hours") - _last(a, "paid_hours"), hours),
        "dollars": _dollars(a, b, dollars),
    }


def _net(a: Record, b: Record) -> Ledger:
    """The ledger where there are no individual leads: differences by fate."""

    def change(name: str) -> dict[str, float]:
        diff = getattr(b, name) - getattr(a, name)
        diff = diff.sum(axis=0) if diff.ndim == 2 else diff
        return {str(f): float(v) for f, v in zip(a.system.fates, diff, strict=True) if v != 0.0}

    arr = change("fate_arr")
    arr["opening_customers"] = b.opening_customers[2] - a.opening_customers[2]
    hours = change("fate_hours") | {"idle": _idle_hours(b) - _idle_hours(a)}
    leads = change("fates")
    return {
        "arr": Section(_last(b, "arr") - _last(a, "arr"), arr),
        "wins": Section(
            _last(b, "won") - _last(a, "won"), {"net": _last(b, "won") - _last(a, "won")}
        ),
        "leads": Section(_last(b, "arrived") - _last(a, "arrived"), leads),
        "hours": Section(_last(b, "paid_hours") - _last(a, "paid_hours"), hours),
        "dollars": _dollars(a, b, change("fate_cost")),
    }


def _dollars(a: Record, b: Record, people: dict[str, float]) -> Section:
    pay = _last(b, "people_cost") - _last(a, "people_cost")
    parts = {f"people:{k}": v for k, v in people.items()}
    parts["people:idle"] = pay - sum(people.values())
    for name in ("spend", "lever_cost", "overhead"):
        parts[name] = _last(b, name) - _last(a, name)
    total = sum(
        _last(b, n) - _last(a, n) for n in ("people_cost", "spend", "lever_cost", "overhead")
    )
    return Section(total, parts)


def _last(record: Record, name: str) -> float:
    return float(np.sum(getattr(record.series, name)[-1]))


def _won(leads: LeadTable) -> float:
    return float((~np.isnan(leads.won)).sum())


def _idle_hours(record: Record) -> float:
    return _last(record, "paid_hours") - _last(record, "busy_hours")


def mean_ledger(ledgers: list[Ledger]) -> Ledger:
    """The mean over replications; parts still add up."""
    n = len(ledgers)
    found: Ledger = {}
    for name in ledgers[0]:
        keys = dict.fromkeys(k for one in ledgers for k in one[name].parts)
        parts = {k: sum(one[name].parts.get(k, 0.0) for one in ledgers) / n for k in keys}
        found[name] = Section(sum(one[name].total for one in ledgers) / n, parts)
    return found
