"""The stages of a log as a network: where each leads, after how long, and who works how much.

A node is a stage on the first visit or on a later one, where these differ. Its exits are the
competing risks of leaving it, each with its share (Aalen-Johansen) and its times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from simulator.fit.logs.cast import Model
from simulator.fit.logs.crew import Crew
from simulator.fit.logs.mixture import (
    SHORTEST,
    Bins,
    Part,
    fit_mixture,
    kish,
    make_bins,
    refit,
)
from simulator.fit.logs.paths import CENSORED, Paths
from simulator.fit.logs.risks import masses
from simulator.fit.logs.segments import Segments

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
ENOUGH_AGAIN = 100  # stays that a node of their own needs
APART = 1e-3  # p-value of a test of kinds alike, below which they have nodes of their own
ALL = -1  # every kind
FEWEST_EXITS = 3
WHOLE_DAY = 1e-6  # how far off whole days may be
ALL_WHOLE = 0.95  # share of stays of whole days from which only dates are known
CLOCK = 168.0  # hours a week by the clock


@dataclass(frozen=True)
class Exit:
    """A way out of a node: to a node (index), or to an outcome.

    share: of those who enter, in the end; parts: days from entering to leaving, less the work.
    """

    node: int
    outcome: int
    share: float
    parts: tuple[Part, ...]
    seen: int


@dataclass(frozen=True)
class Node:
    """A stage, on the first visit (again: later ones), of one kind of case (-1: all, or -1 - g:
    all of segment g).

    entered: stays seen; censored: of these still there. hours, hours_cv: of people's work in a
    stay; wait: days until somebody began, of stays that somebody began. worked: share of stays
    with work.
    """

    name: str
    stage: int
    again: bool
    kind: int
    entered: int
    censored: int
    exits: tuple[Exit, ...]
    team: int
    worked: float
    hours: float
    hours_cv: float
    wait: float
    wait_seen: int


@dataclass(frozen=True)
class Network:
    """Nodes in order of the typical path; ``starts``: kind of case -> index of its first node."""

    nodes: tuple[Node, ...]
    starts: dict[int, int]
    clock: Array

    @property
    def reached(self) -> frozenset[int]:
        """Nodes that some case comes to; the others were only ever gone through too seldom."""
        found: set[int] = set()
        todo = list(self.starts.values())
        while todo:
            i = todo.pop()
            if i not in found:
                found.add(i)
                todo += [e.node for e in self.nodes[i].exits if e.node >= 0]
        return frozenset(found)


@dataclass(frozen=True)
class Frame:
    """What stays the same under other weights: which stays belong to which node, and its times."""

    nodes: tuple[tuple[str, int, bool, int], ...]
    of: Ints
    into: Ints
    net: Array
    hours: Array
    wait: Array
    clock: Array
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Place:
    """The stays of a node, from short to long, and what weights do not change.

    exits: where they go (as `into` of the frame) -> which of them, with their times in groups
    where they are many. busy, begun: which have work, or a known beginning of it.
    """

    stays: NDArray[np.int32]
    case: NDArray[np.int32]
    ended: NDArray[np.bool_]
    exits: dict[int, tuple[NDArray[np.int32], Bins | None]]
    busy: Ints
    hours: Array
    begun: Ints
    wait: Array


def _place(paths: Paths, stays: Ints, into: Ints, net: Array, hours: Array, wait: Array) -> Place:
    few = stays.astype(np.int32)  # there may be millions, of which much is kept
    goes = into[stays]
    exits = {}
    for t in np.unique(goes[goes >= 0]):
        mine = np.flatnonzero(goes == t).astype(np.int32)
        exits[int(t)] = (mine, make_bins(net[stays[mine]]))
    busy, begun = np.flatnonzero(hours[stays] > 0), np.flatnonzero(np.isfinite(wait[stays]))
    return Place(
        few, paths.case[stays].astype(np.int32), paths.ended[stays], exits, busy,
        hours[stays[busy]], begun, np.maximum(wait[stays[begun]], 0.0),
    )  # fmt: skip


def make_frame(
    model: Model,
    crew: Crew,
    hours_a_week: Array,
    queues: frozenset[int] = frozenset(),
    segments: Segments | None = None,
    left_waiting: NDArray[np.bool_] | None = None,
) -> Frame:
    """Assign every stay to a node. hours_a_week: of a person of each team, on the scenario.

    queues: stages whose waits the scenario's queues bring: they are taken off the times.
    segments: of the cases; each has nodes of its own. left_waiting: stays that patience ended,
    which say nothing of where the others go.
    """
    p, e = model.paths, model.laws.entry
    visit = np.minimum(e.visit, 2)
    again = np.bincount(p.stage[visit == 2], minlength=len(p.stages)) >= ENOUGH_AGAIN
    visit = np.where(again[p.stage], visit, 1)
    keys: list[tuple[int, int, int]] = []  # stage, visit, kind
    group = segments.of[p.case] if segments else np.zeros(len(p.case), dtype=np.int64)
    kind = _kinds_apart(p.stage, visit, e.kind, p.after, group)
    low = int(kind.min(initial=0))
    span = int(kind.max(initial=0)) - low + 1
    code, of = np.unique((p.stage * 3 + visit) * span + kind - low, return_inverse=True)
    of = of.reshape(-1)
    unique = np.column_stack([code // span // 3, code // span % 3, code % span + low])
    # in the order in which cases come there
    place = np.arange(len(p.case)) - p.first[p.case]
    rank = np.array([place[of == i].mean() for i in range(len(unique))])
    by = np.argsort(rank, kind="stable")
    back = np.empty(len(by), dtype=np.int64)
    back[by] = np.arange(len(by))
    of = back[of]
    keys = [(int(a), int(b), int(c)) for a, b, c in unique[by]]
    stays = len(p.case)
    into = np.full(stays, -1, dtype=np.int64)
    inner = (p.after >= 0) & (p.after < len(p.stages))
    into[inner] = of[np.flatnonzero(inner) + 1]
    final = p.after >= len(p.stages)
    into[final] = len(keys) + p.after[final] - len(p.stages)
    hours, begun = hours_of(model)
    clock = np.where(hours_a_week > 0, CLOCK / np.maximum(hours_a_week, 1e-9), 1.0)
    team = crew.team[p.stage]
    factor = np.where(team >= 0, clock[np.maximum(team, 0)] if len(clock) else 1.0, 0.0)
    waited = np.nan_to_num(np.clip(begun - p.entered, 0.0, p.stayed))
    queued = np.isin(p.stage, sorted(queues))
    stayed = _spread(p.stayed, p.ended)
    net = np.maximum(stayed - hours * factor / 24 - np.where(queued, waited, 0.0), SHORTEST)
    wait = begun - p.entered
    order = np.lexsort((~p.ended, p.stayed))
    if left_waiting is not None:
        order = order[~left_waiting[order]]
    by = order[np.argsort(of[order], kind="stable")]
    groups = np.split(by, np.cumsum(np.bincount(of[by], minlength=len(keys)))[:-1])
    return Frame(
        tuple((_node_name(p.stages[s], v, k, model, segments), s, v == 2, k) for s, v, k in keys),
        of,
        into,
        net,
        hours,
        wait,
        clock,
        tuple(_place(p, stays, into, net, hours, wait) for stays in groups),
    )


def _spread(stayed: Array, ended: NDArray[np.bool_]) -> Array:
    """Days of stays; where nearly all are whole, as dates tell them, anywhere within the day.

    Else many of the same length would look like a rule.
    """
    whole = np.abs(stayed - np.round(stayed)) < WHOLE_DAY
    long = ended & (stayed > WHOLE_DAY)
    if not long.any() or whole[long].mean() < ALL_WHOLE:
        return stayed
    rng = np.random.default_rng(1)
    within = rng.uniform(-0.5, 0.5, len(stayed))
    return np.asarray(np.where(whole & (stayed > 0.5), stayed + within, stayed))


def _kinds_apart(stage: Ints, visit: Ints, kind: Ints, after: Ints, group: Ints) -> Ints:
    """By stay, the kind of case whose ways out of the stage are its own.

    -1 - g where they are those of all of group g. Kinds with fewer than 100 stays are with the
    others; a stage is parted where Pearson's test of kinds against ways out says so (p < 0.001).
    """
    out = ALL - group
    place = (stage * 4 + visit) * (int(group.max(initial=0)) + 1) + group
    for here in np.unique(place):
        mine = np.flatnonzero((place == here) & (after != CENSORED))
        kinds, size = np.unique(kind[mine], return_counts=True)
        many = kinds[size >= ENOUGH_AGAIN]
        mine = mine[np.isin(kind[mine], many)]
        if len(many) < 2:
            continue
        table = pd.crosstab(kind[mine], after[mine]).to_numpy()
        table = table[:, table.sum(axis=0) >= 5 * len(many)]
        if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():
            continue
        if stats.chi2_contingency(table).pvalue < APART:
            whole = np.flatnonzero(place == here)
            out[whole] = np.where(np.isin(kind[whole], many), kind[whole], out[whole])
    return out


def _node_name(stage: str, visit: int, kind: int, model: Model, segments: Segments | None) -> str:
    name = stage + (" again" if visit == 2 else "")
    if kind < 0:
        return f"{name} {segments.names[ALL - kind]}" if segments else name
    channel = kind // 2 - 1
    parts = [model.paths.channels[channel]] if channel >= 0 and model.paths.channels else []
    return " ".join([name, *parts, *(["campaign"] if kind % 2 else [])])


def hours_of(model: Model) -> tuple[Array, Array]:
    """Hours of people's work in each stay (unknown sessions at the mean), and when it began."""
    p = model.paths
    known = np.isfinite(p.session_hours)
    mean = float(p.session_hours[known].mean()) if known.any() else 0.0
    length = np.where(known, p.session_hours, mean)
    hours = np.bincount(p.session_stay, weights=length, minlength=len(p.case))
    begun = np.full(len(p.case), np.nan)
    some = np.flatnonzero(np.diff(p.session_first) > 0)
    begun[some] = p.session_started[p.session_first[some]]
    return np.asarray(hours, dtype=float), np.asarray(begun, dtype=float)


def make_network(
    model: Model, crew: Crew, frame: Frame, weight: Array | None = None, like: Network | None = None
) -> Network:
    """The network under weights of the cases (default: all 1); ``like``: with its parts."""
    p = model.paths
    count = len(frame.nodes)
    nodes = []
    for i, (name, stage, again, kind) in enumerate(frame.nodes):
        at = frame.places[i]
        w = np.ones(len(at.case)) if weight is None else weight[at.case]
        mass = masses(w, at.ended)
        old = like.nodes[i] if like is not None else None
        exits = _exits(frame, at, mass, count, old)
        # Of those still there the work may be to come.
        mine = w * at.ended if at.ended.any() else w
        busy = mine[at.busy]
        worked = float(busy.sum() / mine.sum())
        mean, cv = 0.0, 0.0
        if len(at.busy):
            mean = float(np.average(at.hours, weights=busy))
            square = float(np.average((at.hours - mean) ** 2, weights=busy))
            cv = np.sqrt(square) / mean if mean > 0 else 0.0
        nodes.append(
            Node(
                name=name,
                stage=stage,
                again=again,
                kind=kind,
                entered=len(at.stays),
                censored=int((~at.ended).sum()),
                exits=exits,
                team=int(crew.team[stage]) if len(at.busy) else -1,
                worked=worked,
                hours=mean,
                hours_cv=float(cv),
                wait=float(np.average(at.wait, weights=w[at.begun])) if len(at.begun) else 0.0,
                wait_seen=len(at.begun),
            )
        )
    if like is None:
        nodes = _without_dead_ends(nodes)
    first = frame.of[p.first]
    starts = {int(k): int(first[np.flatnonzero(model.kind == k)[0]]) for k in set(model.kind)}
    return Network(tuple(nodes), starts, frame.clock)


def _without_dead_ends(nodes: list[Node]) -> list[Node]:
    """No exits to nodes that nobody was seen to leave: cases there count as in the one before."""
    while True:
        dead = {i for i, node in enumerate(nodes) if not node.exits}
        if not any(e.node in dead for node in nodes for e in node.exits):
            return nodes
        kept = []
        for node in nodes:
            exits = tuple(e for e in node.exits if e.node not in dead)
            total = sum(e.share for e in exits)
            kept.append(
                replace(node, exits=tuple(replace(e, share=e.share / total) for e in exits))
            )
        nodes = kept


def _exits(frame: Frame, at: Place, mass: Array, count: int, old: Node | None) -> tuple[Exit, ...]:
    """Shares and times of the ways out; what is beyond the last end goes as the rest did."""
    found = []
    if old is None:
        many = [t for t, (mine, _) in at.exits.items() if len(mine) >= FEWEST_EXITS]
        for t in many or list(at.exits):
            mine, bins = at.exits[t]
            own = mass[mine]
            if bins is None:
                mine, own = mine[own > 0], own[own > 0]
                parts = fit_mixture(frame.net[at.stays[mine]], own)
            else:
                parts = fit_mixture(bins.days, bins.weights(own), size=kish(own))
            found.append(
                Exit(
                    node=t if t < count else -1,
                    outcome=t - count if t >= count else -1,
                    share=float(own.sum()),
                    parts=parts,
                    seen=len(mine),
                )
            )
    else:
        for e in old.exits:
            t = e.node if e.node >= 0 else count + e.outcome
            mine, bins = at.exits[t]
            own = mass[mine]
            if not own.any():
                found.append(replace(e, share=0.0))
                continue
            if bins is None:
                mine, own = mine[own > 0], own[own > 0]
                parts = refit(frame.net[at.stays[mine]], own, e.parts)
            else:
                parts = refit(bins.days, bins.weights(own), e.parts)
            found.append(replace(e, share=float(own.sum()), parts=parts))
    total = sum(e.share for e in found)
    return tuple(replace(e, share=e.share / total if total > 0 else 0.0) for e in found)
