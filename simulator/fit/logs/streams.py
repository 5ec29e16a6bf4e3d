"""Channels of a fitted scenario: which cases each brings, how many a week, and their worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from simulator.fit.logs.cast import Model
from simulator.fit.logs.demand import RECENT_DAYS
from simulator.fit.logs.network import Network
from simulator.fit.logs.outlook import won_of
from simulator.fit.logs.paths import Paths
from simulator.fit.logs.script import Script
from simulator.fit.logs.segments import Segments, values_differ
from simulator.fit.read import slug

Amounts = tuple[float, float, float, int]  # mean, its standard error, cv, and of how many
SHARES_MOVED = 0.05  # p-value of a test that channels bring the same shares of late as before


@dataclass(frozen=True)
class Stream:
    """A channel of the scenario: which cases it brings, where they begin, and how many.

    kind: of the cases; node: index of the first node; per_week: cases a week now; counted: cases
    that its share of the arrivals is of, or campaigns, which bring many at a time. channel: what
    the log calls it; says: which of its cases, where there are segments; value: of their amounts,
    where these differ.
    """

    name: str
    kind: int
    node: int
    per_week: float
    cases: int
    counted: int
    channel: str = ""
    says: str = ""
    value: Amounts | None = None


def make_streams(
    model: Model, network: Network, script: Script, segments: Segments | None
) -> tuple[Stream, ...]:
    """Channels by their share of the cases; days of campaigns by themselves."""
    p, demand = model.paths, model.demand
    won = p.outcome == won_of(p) if won_of(p) >= 0 else np.zeros(len(p.outcome), dtype=bool)
    apart = segments is not None and values_differ(segments, p.amount, won)
    plain = _alike(p.created >= p.end - RECENT_DAYS, model.kind) & (model.kind % 2 == 0)
    regular = demand.per_week * (1 - float(demand.burst.mean()))
    taken: set[str] = set(script.names)
    out = []
    main = max(network.starts, key=lambda k: int((model.kind == k).sum()))
    for kind in sorted(network.starts):
        mine = model.kind == kind
        if kind % 2:
            days = demand.burst_rate
            per_week = days * float(demand.burst_ratios.mean()) * demand.per_week / 7
            per_week *= float(mine.sum() / max((model.kind % 2 == 1).sum(), 1))
        else:
            per_week = regular * float((mine & plain).sum() / max(plain.sum(), 1))
        if per_week <= 0:
            continue
        channel = kind // 2 - 1
        name = p.channels[channel] if channel >= 0 and p.channels else "all"
        if kind % 2:
            name = "campaigns" if name == "all" else f"{name} campaigns"
        base = slug(name) or "all"
        base = base if base not in taken else f"from_{base}"[:64]
        taken.add(base)
        node = network.starts.get(kind, network.starts[main])
        counted = int((mine & plain).sum()) if kind % 2 == 0 else len(demand.campaigns)
        source, says, own = name, "", None
        if segments is not None:
            source, group = segments.channels[channel]
            says = segments.says[group]
            own = segments.value(group, p.amount, won) if apart else None
        out.append(Stream(base, kind, node, per_week, int(mine.sum()), counted, source, says, own))
    return tuple(out)


def _alike(recent: NDArray[np.bool_], kind: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The cases that tell how arrivals are shared now: all; the last weeks', if these differ."""
    plain = kind % 2 == 0
    table = np.array([np.bincount(kind[plain & w], minlength=kind.max() + 1)
                      for w in (recent, ~recent)])  # fmt: skip
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():
        return np.ones(len(recent), dtype=bool)
    differ = stats.chi2_contingency(table).pvalue < SHARES_MOVED
    return recent if differ else np.ones(len(recent), dtype=bool)


def value_of(paths: Paths) -> tuple[float, float, float, int]:
    """Mean amount of the cases won (else of all), its standard error, cv, and how many."""
    won = paths.outcome == won_of(paths) if won_of(paths) >= 0 else np.zeros(0, dtype=bool)
    for use in (won, np.ones(len(paths.amount), dtype=bool)):
        stated = paths.amount[use] if len(use) else np.zeros(0)
        stated = stated[np.isfinite(stated) & (stated > 0)]
        if len(stated) >= 5:
            mean, sd = float(stated.mean()), float(stated.std(ddof=1))
            return mean, sd / float(np.sqrt(len(stated))), sd / mean, len(stated)
    return float("nan"), float("nan"), float("nan"), 0
