"""Many systems laid out at once: their tables one below the other, as if of one long calendar.

What the graph of stocks decides, it decides by the signs of tables; points where these are the same
have the same graph, which is then made once, with shares for all of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.engines.flow.graph import Graph, Node
from simulator.engines.flow.layout import Net
from simulator.engines.flow.linear import Pattern
from simulator.engines.flow.setup import breaks, carried, net_of
from simulator.system import System
from simulator.weekly.shares import stage_shares

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST: Final = 256  # systems at once
# Tables by segment that the graph is made of.
TABLES: Final = {
    "channels": ("spend", "now", "season", "per_customer", "good_fit", "value"),
    "stages": ("gate", "speed_floor", "speed_scale", "applies", "advance", "rework", "recycle"),
    "handoffs": ("accepted", "returned", "rework", "every", "within"),
    "customers": ("churn", "expansion", "target", "late_churn"),
}
SPREADS: Final = {
    "stages": ("effort", "patience", "buyer_time", "recycle_delay"),
    "handoffs": ("delay",),
}
# What may differ from point to point beside; all else must be the same.
FREE: Final = {
    "channels": {"at", "half", "saturation", "adstock", "lift", "value_cv", "carried"},
    "stages": {"effort"},
    "handoffs": set[str](),
    "customers": {"start", "arr"},
}


class Laid(NamedTuple):
    """Systems of one structure: where they stood, their common graph, N x B segments of tables."""

    places: list[int]
    systems: list[System]
    nodes: list[Node]
    net: Net
    pattern: Pattern
    times: Floats
    segments: int  # B

    def of(self, i: int) -> Net:
        """The parts of a system's own net that people and time series are read from."""
        mine = slice(i * self.segments, (i + 1) * self.segments)
        queues, demand = self.net.queues, self.net.demand
        return self.net._replace(
            queues=queues._replace(
                effort=queues.effort[mine], theta=queues.theta[mine], hours=queues.hours[mine]
            ),
            demand=demand._replace(spend=demand.spend[mine]),
        )


def _signs(table: Floats) -> bytes:
    return (table > 0.0).tobytes() + (table < 1.0).tobytes()


def _likeness(system: System, times: Floats) -> tuple[Any, ...]:
    """What must be the same for two systems to have the same graph."""
    found: list[Any] = [
        system.horizon, system.channel_names, system.stage_names, system.team_names,
        system.handoff_names, system.edges.tobytes(), times.tobytes(), system.accounts > 0.0,
        (system.stages.effort.cv > 0.0).tobytes(),
        system.owned.tobytes(), system.cool_down.law.tobytes(), system.cool_down.cv.tobytes(),
        (system.channels.lift > 0.0).tobytes(), (system.customers.late_churn > 0.0).any(),
        _signs(stage_shares(system.buyer, system.stages)),
    ]  # fmt: skip
    for group, tables in TABLES.items():
        part = getattr(system, group)
        found += [_signs(getattr(part, name)) for name in tables]
        if group == "handoffs" and (part.every > 0.0).any():
            # How many phases stand for a meeting hangs on the numbers themselves.
            found += [part.every.tobytes(), part.delay.mean.tobytes()]
        for name in SPREADS.get(group, ()):
            spread = getattr(part, name)
            found += [spread.law.tobytes(), _signs(spread.mean)]
            if name not in ("effort", "patience"):
                found.append(spread.cv.tobytes())
        skip = {*tables, *SPREADS.get(group, ()), *FREE[group]}
        for field in dataclasses.fields(part):
            if field.name not in skip:
                found.append(np.asarray(getattr(part, field.name)).tobytes())
    return tuple(found)


def _stacked(systems: Sequence[System]) -> System:
    """The tables of systems one below the other; the rest is the first one's."""
    first = systems[0]
    changed: dict[str, Any] = {}
    for group, tables in TABLES.items():
        parts = [getattr(s, group) for s in systems]
        more: dict[str, Any] = {
            name: np.concatenate([getattr(p, name) for p in parts]) for name in tables
        }
        for name in SPREADS.get(group, ()):
            spreads = [getattr(p, name) for p in parts]
            more[name] = dataclasses.replace(
                spreads[0], mean=np.concatenate([x.mean for x in spreads])
            )
        changed[group] = dataclasses.replace(parts[0], **more)
    segments = len(first.edges) - 1
    return dataclasses.replace(
        first,
        **changed,
        edges=np.arange(len(systems) * segments + 1, dtype=np.float64),
        hours=np.concatenate([s.hours for s in systems]),
        team_cost=np.concatenate([s.team_cost for s in systems]),
        cool_down=dataclasses.replace(
            first.cool_down, mean=np.concatenate([s.cool_down.mean for s in systems])
        ),
    )


def _spread_out(net: Net, systems: Sequence[System], segments: int) -> Net:
    """Put in what is one number a point, once for each of its segments."""

    def each(values: list[Any]) -> Floats:
        return np.repeat(np.array(values, dtype=np.float64), segments, axis=0)

    pairs = np.nonzero(systems[0].channels.lift > 0.0)
    worked = net.queues.cv2 > 0.0
    stage = net.queues.stage
    demand = net.demand._replace(
        at=each([s.channels.at for s in systems]),
        half=each([s.channels.half for s in systems]),
        saturation=each([s.channels.saturation for s in systems]),
        adstock=each([s.channels.adstock for s in systems]),
        lift=each([s.channels.lift[pairs] for s in systems]),
        carried=np.concatenate([carried(s) for s in systems]),
        edges=systems[0].edges,
    )
    queues = net.queues._replace(
        cv2=each([np.where(worked, s.stages.effort.cv[stage] ** 2, 0.0) for s in systems])
    )
    accounts: Any = each([s.accounts for s in systems])
    return net._replace(demand=demand, queues=queues, life=net.life._replace(accounts=accounts))


def _alive(net: Net, points: int) -> list[bytes]:
    """Of each point, which shares are ever above 0."""
    tables = (net.links.share, net.links.adv_share, net.demand.src_share)
    found = [np.any(t.reshape(points, -1, t.shape[1]) > 0.0, axis=1) for t in tables]
    return [np.concatenate([np.asarray(x)[i] for x in found]).tobytes() for i in range(points)]


def lay_out(systems: Sequence[System], places: Sequence[int]) -> Iterator[Laid]:
    """Systems by structure, at most MOST at a time. places: what to call them."""
    groups: dict[tuple[Any, ...], list[tuple[int, System]]] = {}
    clocks: dict[bytes, Floats] = {}
    for place, system in zip(places, systems, strict=True):
        times = breaks(system, grid=False)
        times = clocks.setdefault(times.tobytes(), times)
        groups.setdefault(_likeness(system, times), []).append((place, system))
    for group in groups.values():
        for i in range(0, len(group), MOST):
            yield from _together(group[i : i + MOST])


def _together(group: list[tuple[int, System]]) -> Iterator[Laid]:
    systems = [s for _, s in group]
    segments = len(systems[0].edges) - 1
    shares = np.concatenate([stage_shares(s.buyer, s.stages) for s in systems])
    graph = Graph(_stacked(systems), shares=shares)
    net, pattern, order = net_of(graph)
    alive = _alive(net, len(systems))
    if len(set(alive)) > 1:
        for key in sorted(set(alive)):
            yield from _together([x for x, mine in zip(group, alive, strict=True) if mine == key])
        return
    nodes = [graph.nodes[i] for i in order]
    yield Laid(
        [place for place, _ in group], systems, nodes, _spread_out(net, systems, segments), pattern,
        breaks(systems[0], grid=False), segments,
    )  # fmt: skip
