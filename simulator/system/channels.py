"""Where leads come from, as tables."""

from __future__ import annotations

import math

import numpy as np

from simulator import draws
from simulator.spec.schema import Channel, Scenario
from simulator.system.parts import Channels, Floats
from simulator.system.read import Reader


def channels_of(s: Scenario, r: Reader, stage_index: dict[str, int]) -> Channels:
    """All channels. stage_index: stages by name."""
    names = list(s.channels)
    items = list(s.channels.values())
    first = [c.enters if c.enters is not None else next(iter(s.stages)) for c in items]
    spend0: list[float] = []
    at, half, sat, kind = [], [], [], []
    for c in items:
        today = c.spend
        if today is None and c.cost_per_lead is not None and c.leads is not None:
            today = c.cost_per_lead * c.leads.now
        spend0.append(today or 0.0)
        reference = (c.leads.at if c.leads is not None else None) or today or 0.0
        if c.leads is None or reference <= 0.0 or c.outbound is not None:
            kind.append(0)
        else:
            kind.append(1 if c.leads.saturation == "none" else 2)
        at.append(reference if reference > 0 else 1.0)
        half.append((c.leads.half if c.leads is not None else None) or at[-1])
        hill = c.leads.saturation if c.leads is not None else "none"
        sat.append(1.0 if hill == "none" else float(hill))
    lift = np.zeros((len(names), len(names)))
    for i, c in enumerate(items):
        for target, share in c.lift.items():
            lift[i, names.index(target)] = share
    spend = r.columns([f"channels.{n}.spend" for n in names], absent=spend0)
    own = [c.value is not None for c in items]
    value = r.columns(
        [
            f"channels.{n}.value.mean" if mine else "value.mean"
            for n, mine in zip(names, own, strict=True)
        ]
    )
    return Channels(
        key=np.array([draws.name_key("channel:" + n) for n in names], dtype=np.int64),
        entry=np.array([stage_index[f] for f in first], dtype=np.int64),
        kind=np.array(kind, dtype=np.int64),
        at=np.array(at),
        half=np.array(half),
        saturation=np.array(sat),
        adstock=np.array([c.adstock for c in items]),
        lift=lift,
        value_cv=np.array([(c.value or s.value).cv for c in items]),
        carried=np.array(spend0),
        spend=spend,
        now=r.columns([f"channels.{n}.leads.now" for n in names]),
        season=np.column_stack([_season(s, r.cal.edges, c) for c in items]),
        per_customer=r.columns([f"channels.{n}.per_customer" for n in names]),
        good_fit=r.columns([f"channels.{n}.good_fit" for n in names]),
        value=value,
    )


def _season(scenario: Scenario, cal_edges: Floats, channel: Channel) -> Floats:
    middle = 0.5 * (cal_edges[:-1] + cal_edges[1:])
    if channel.seasonality is None:
        return np.ones(len(middle))
    n = len(channel.seasonality)
    offset = scenario.start.timetuple().tm_yday - 1
    share = ((offset + middle * 7.0) / 365.25) % 1.0
    factors = np.array(channel.seasonality, dtype=np.float64)
    chosen: Floats = factors[np.minimum((share * n).astype(int), n - 1)]
    return chosen


def seasonal_breaks(scenario: Scenario) -> list[float]:
    """Weeks in which a season changes."""
    counts = {len(c.seasonality) for c in scenario.channels.values() if c.seasonality is not None}
    offset = scenario.start.timetuple().tm_yday - 1
    found: set[float] = set()
    for n in counts:
        step = 365.25 / n
        k = math.floor((offset - scenario.warm_up * 7) / step)
        while (week := (k * step - offset) / 7.0) <= scenario.horizon:
            found.add(week)
            k += 1
    return sorted(found)
