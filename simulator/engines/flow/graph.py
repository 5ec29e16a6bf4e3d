"""A System as stocks and the shares in which what leaves one goes to others.

A lead is in one stock: the work of a stage (waiting or in hand), a phase of a buyer's time, of a
handoff's delay or of nurture, the review of a lead that a handoff did not accept, or its fate.
Stocks are kept apart by what decides a lead's future: fit, times recycled, signed or not. Delays
are chains of exponential phases (the linear chain trick, Hurtado & Kirosingh 2019).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator import draws
from simulator.engines.flow.moving import Branchings
from simulator.engines.flow.routes import Phases, capped, landings, phases, retried
from simulator.engines.flow.shares import some
from simulator.system import (
    CHURNED,
    COMPETITOR,
    IN_PROCESS,
    NO_DECISION,
    NO_TEAM,
    NOT_ADVANCED,
    REJECTED,
    RETAINED,
    WENT_COLD,
    Spread,
    System,
    lost,
)

Floats = NDArray[np.float64]

MOMENT: Final = 1e-5  # weeks, 6 seconds: what takes no time takes this long
MOST_RECYCLED: Final = 3  # more often than this is not told apart

# What a stock is.
PHASE, WORK, LIVE, GONE = range(4)
# Which of its leads an edge takes: all that are done, those whose odds the wait left whole, those
# whose odds it took, those out of patience.
DONE, PROMPT, LATE, COLD, LEAVING = range(5)
# What an edge does to a lead's age.
KEEP, WIN, GO_LIVE, WIN_AND_LIVE = range(4)

STOCKS: Final = ("work", "buyer", "transit", "nurture")


class Kind(NamedTuple):
    """What decides a lead's future, beside where it is."""

    fit: int
    recycled: int
    sold: bool


@dataclass(frozen=True)
class Node:
    """A stock. rate: (B,) of a phase; queue: index into Graph.queues of work.

    moved: where the buyer's time moves, the phase's rate times the mean.
    """

    kind: int
    stock: int
    stage: int
    sold: bool
    rate: Floats | None = None
    queue: int = -1
    fate: int = -1
    moved: float = 0.0


@dataclass(frozen=True)
class Queue:
    """Leads that wait for a team for the same kind of work. Tables (B,)."""

    team: int
    stage: int
    effort: Floats
    cv: float
    patience: Floats | None
    review: bool


Out = list[tuple[int, Any, int]]  # stock, share (B,) or one that moves, what becomes of the age


@dataclass
class Graph:
    """Stocks, edges and sums.

    edges: (from, to, takes, age), counted: (from, sum, takes) and sources: (channel, to, age), each
    -> share: (B,), or a Share of the variables.
    """

    system: System
    nodes: list[Node] = field(default_factory=list)
    queues: list[Queue] = field(default_factory=list)
    edges: dict[tuple[int, int, int, int], Any] = field(default_factory=dict)
    counted: dict[tuple[int, int, int], Any] = field(default_factory=dict)
    sources: dict[tuple[int, int, int], Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    shares: Floats | None = None  # of decisions, if they are known: see Branchings

    def __post_init__(self) -> None:
        self._index: dict[object, int] = {}
        self._queue_index: dict[object, int] = {}
        self._todo: list[Callable[[], None]] = []
        self._phases: dict[object, Phases] = {}
        self._one = np.ones(len(self.system.edges) - 1)
        self.branchings = Branchings(self.system, self.shares)
        self._next, self._first = landings(self.system)
        self._retried = retried(self.system, self._next)
        self.live = self._node("live", Node(LIVE, -1, -1, True, fate=RETAINED))
        self.churned = self._node("churned", Node(GONE, -1, -1, True, fate=CHURNED))
        self.edges[self.live, self.churned, LEAVING, KEEP] = self._one
        for c, entry in enumerate(self.system.channels.entry):
            for fit in range(2):
                share = self.branchings.fit(c, fit)
                for target in range(len(self.system.stage_names) + 1):
                    landing = self._first[:, entry, target]
                    if not (landing > 0).any() or not some(share):
                        continue
                    kind = Kind(fit, 0, False)
                    for node, part, age in self._arrive(target, kind, landing * share):
                        key = (c, node, age)
                        self.sources[key] = self.sources.get(key, 0.0) + part
        while self._todo:
            self._todo.pop()()

    # -- stocks ---------------------------------------------------------------------------------

    def _node(self, key: object, node: Node, build: Callable[[int], None] | None = None) -> int:
        if key not in self._index:
            index = self._index[key] = len(self.nodes)
            self.nodes.append(node)
            if build is not None:
                self._todo.append(lambda: build(index))
        return self._index[key]

    def _edge(self, source: int, takes: int, out: Out) -> None:
        for target, share, age in out:
            key = (source, target, takes, age)
            self.edges[key] = self.edges.get(key, 0.0) + share

    def _chain(
        self,
        key: tuple[object, ...],
        what: str,
        shape: Phases,
        mean: Floats,
        node: tuple[int, int, bool],
        then: Callable[[int], Out],
        moved: bool = False,
    ) -> Out:
        """A delay: the stocks it begins with. node: stock, stage, sold."""
        if not shape.exact:
            note = f"{what}: matched by {len(shape.rate)} exponential phases"
            if note not in self.notes:
                self.notes.append(note)
        stock, stage, sold = node
        first: Out = []
        for i, (rate, enter) in enumerate(zip(shape.rate, shape.enter, strict=True)):

            def build(index: int, i: int = i) -> None:
                if shape.chained and i + 1 < len(shape.rate):
                    onward = self._index[*key, i + 1]
                    self._edge(index, DONE, [(onward, self._one, KEEP)])
                else:
                    self._finish(index, DONE, then(index))

            made = Node(
                PHASE, stock, stage, sold, rate / np.maximum(mean, MOMENT),
                moved=rate if moved else 0.0,
            )  # fmt: skip
            index = self._node((*key, i), made, build)
            if enter > 0.0:
                first.append((index, enter * self._one, KEEP))
        return first

    def _finish(self, source: int, takes: int, out: Out) -> None:
        """Edges out of a stock; what stands in `out` to be counted, is."""
        self._edge(source, takes, [item for item in out if item[0] >= 0])
        for target, share, _ in out:
            if target < 0:
                key = (source, -1 - target, takes)
                self.counted[key] = self.counted.get(key, 0.0) + share

    def _queue(self, key: object, queue: Queue) -> int:
        if key not in self._queue_index:
            self._queue_index[key] = len(self.queues)
            self.queues.append(queue)
        return self._queue_index[key]

    # -- a lead's way ---------------------------------------------------------------------------

    def _enter(self, stage: int, kind: Kind) -> Out:
        """Past a gate, if there is one, to a visit. Who cannot be recycled again is as others."""
        if not self._retried[stage]:
            kind = kind._replace(recycled=0)
        let_in = self.system.stages.gate[:, stage, kind.fit]
        if (let_in >= 1.0).all():
            return self._visit(stage, kind)
        out = _times(self._lose(stage, REJECTED, kind), 1.0 - let_in)
        return out + _times(self._visit(stage, kind), let_in) if (let_in > 0).any() else out

    def _visit(self, stage: int, kind: Kind) -> Out:
        """A visit to a stage."""
        st = self.system.stages
        if st.team[stage] == NO_TEAM:
            return self._wait_for_buyer(stage, kind, True, -1)
        patient = st.patience.law[stage] != draws.NONE
        queue = self._queue(
            ("visit", stage),
            Queue(
                int(st.team[stage]), stage, st.effort.mean[:, stage], float(st.effort.cv[stage]),
                st.patience.mean[:, stage] if patient else None, False,
            ),
        )  # fmt: skip

        def build(index: int) -> None:
            if patient:
                self._edge(index, COLD, self._lose(stage, WENT_COLD, kind))
            if st.speed_kind[stage]:
                self._finish(index, PROMPT, self._wait_for_buyer(stage, kind, True, index))
                self._finish(index, LATE, self._wait_for_buyer(stage, kind, False, index))
            else:
                self._finish(index, DONE, self._wait_for_buyer(stage, kind, True, index))

        node = Node(WORK, 0, stage, kind.sold, queue=queue)
        return [(self._node(("visit", stage, kind), node, build), self._one, KEEP)]

    def _wait_for_buyer(self, stage: int, kind: Kind, whole: bool, node: int) -> Out:
        """The buyer's time, if any, with the odds whole or gone; then the outcome. node: before."""
        st = self.system.stages
        mean = st.buyer_time.mean[:, stage]
        none = st.buyer_time.law[stage] == draws.NONE or not (mean > 0).any()
        if none and st.team[stage] != NO_TEAM:
            return self._outcome(stage, kind, whole, node)
        shape = (
            self._shape(st.buyer_time, stage) if not none else Phases((1.0,), (1.0,), True, True)
        )
        return self._chain(
            ("buyer", stage, kind, whole),
            f"buyer_time of {self.system.stage_names[stage]}",
            shape,
            mean,
            (1, stage, kind.sold),
            lambda index: self._outcome(stage, kind, whole, index),
            moved=bool(self.branchings.moving.buyers and st.decision[stage] and not none),
        )

    def _shape(self, spread: Spread, i: int) -> Phases:
        key = (int(spread.law[i]), float(spread.cv[i]))
        if key not in self._phases:
            self._phases[key] = phases(*key)
        return self._phases[key]

    def _outcome(self, stage: int, kind: Kind, whole: bool, node: int) -> Out:
        """What comes of finished work, or of a buyer's time in a stock.

        What is counted stands in the list too, as stock -1 - i: advances under i = stage, and
        visits without a team under i = stages + stage.
        """
        st, stages = self.system.stages, len(self.system.stage_names)
        out: Out = []
        if st.team[stage] == NO_TEAM:
            out.append((-1 - stages - stage, self._one, KEEP))
        again, onward = self.branchings.again(stage)
        if some(again):
            out += _times(self._enter(int(st.rework_to[stage]), kind), again)
        if st.decision[stage]:
            us, them, nobody = self.branchings.decided(stage, kind.fit, whole, node)
            ends = [(COMPETITOR, them), (NO_DECISION, nobody)]
        else:
            us = st.advance[:, stage, kind.fit] * (1.0 if whole else 0.0)
            ends = [(NOT_ADVANCED, 1.0 - us)]
        for reason, share in ends:
            if some(share):
                out += _times(self._lose(stage, reason, kind), onward * share)
        us = onward * us
        if some(us):
            out.append((-1 - stage, us, KEEP))
            for target in range(len(self.system.stage_names) + 1):
                share = self._next[:, stage, target]
                if (share > 0).any():
                    out += self._pass_on(stage, target, kind, us * share)
        return out

    def _pass_on(self, stage: int, target: int, kind: Kind, share: Any) -> Out:
        """From a stage that a lead has left to the next, over the handoff between them."""
        s = self.system
        ends = target == len(s.stage_names)
        wins = not kind.sold and (ends or bool(s.stages.after_sale[target]))
        if ends:
            return [(self.live, share, WIN_AND_LIVE if wins else GO_LIVE)]
        kind = kind._replace(sold=kind.sold or wins)
        h = int(s.handoffs.index[stage, target])
        out = self._enter(target, kind) if h < 0 else self._hand_over(h, kind)
        return [(node, share * part, WIN if wins else age) for node, part, age in out]

    def _arrive(self, target: int, kind: Kind, share: Any) -> Out:
        """A new lead, at the first stage that applies to it; after the sale, it is won at once."""
        if target == len(self.system.stage_names):
            return [(self.live, share, WIN_AND_LIVE)]
        sold = bool(self.system.stages.after_sale[target])
        return _times(self._enter(target, kind._replace(sold=sold)), share)

    def _hand_over(self, h: int, kind: Kind) -> Out:
        s = self.system
        delay, every = s.handoffs.delay, s.handoffs.every[:, h]
        source, target = int(s.handoffs.source[h]), int(s.handoffs.target[h])
        if not (self._retried[source] or self._retried[target]):
            kind = kind._replace(recycled=0)
        mean = delay.mean[:, h] if delay.law[h] != draws.NONE else 0.0 * every
        total = mean + 0.5 * every
        if not (total > 0).any():
            return self._received(h, kind)
        if (every > 0).any():
            k = int(np.argmax(every))
            spread = math.hypot(delay.cv[h] * mean[k], every[k] / math.sqrt(12.0))
            shape = phases(draws.LOGNORMAL, spread / float(total[k]))
        else:
            shape = self._shape(delay, h)
        within = s.handoffs.within[:, h]
        if (within < math.inf).any():
            total = capped(int(delay.law[h]), float(delay.cv[h]), mean, every, within)
            note = f"delay of {s.handoff_names[h]}: cut by its SLA in the mean, not in its spread"
            if note not in self.notes:
                self.notes.append(note)
        return self._chain(
            ("transit", h, kind),
            f"delay of {s.handoff_names[h]}",
            shape,
            total,
            (2, target, kind.sold),
            lambda _: self._received(h, kind),
        )

    def _received(self, h: int, kind: Kind) -> Out:
        """What a handoff brings, once there: accepted, or to be looked at and not accepted."""
        s = self.system
        target = int(s.handoffs.target[h])
        taken, declined, back, dropped = self.branchings.handed(h, kind.fit)
        out = _times(self._enter(target, kind), taken)
        if not some(declined):
            return out

        def ends() -> Out:
            found: Out = []
            if some(back):
                found += _times(self._enter(int(s.handoffs.source[h]), kind), back)
            return found + _times(self._lose(target, REJECTED, kind), dropped)

        hours = s.handoffs.rework[:, h]
        if s.stages.team[target] == NO_TEAM or not (hours > 0).any():
            return out + _times(ends(), declined)
        team = int(s.stages.team[target])
        queue = self._queue(("review", h), Queue(team, target, hours, 0.0, None, True))
        node = self._node(
            ("review", h, kind),
            Node(WORK, 0, target, kind.sold, queue=queue),
            lambda index: self._edge(index, DONE, ends()),
        )
        return [*out, (node, declined, KEEP)]

    def _lose(self, stage: int, reason: int, kind: Kind) -> Out:
        """A loss, or nurture and another try."""
        s, st = self.system, self.system.stages
        fate = lost(stage, reason)
        gone = self._node((fate, kind.sold), Node(GONE, -1, stage, kind.sold, fate=fate))
        share = st.recycle[:, stage]
        if kind.recycled >= st.recycle_limit[stage] or not (share > 0).any():
            return [(gone, self._one, KEEP)]
        to = int(st.recycle_to[stage])
        if kind.recycled == MOST_RECYCLED:
            note = f"leads recycled more than {MOST_RECYCLED} times are not told apart"
            if note not in self.notes:
                self.notes.append(note)
        again = kind._replace(recycled=min(kind.recycled + 1, MOST_RECYCLED))
        out = self._chain(
            ("nurture", stage, again),
            f"recycle delay of {s.stage_names[stage]}",
            self._shape(st.recycle_delay, stage),
            st.recycle_delay.mean[:, stage],
            (3, to, kind.sold),
            lambda _: self._enter(to, again),
        )
        return [(gone, 1.0 - share, KEEP), *_times(out, share)]


def _times(out: Out, share: Any) -> Out:
    return [(node, part * share, age) for node, part, age in out]


def in_process(node: Node) -> int:
    """The fate of a lead that is in a stock at the horizon."""
    return node.fate if node.fate >= 0 else lost(node.stage, IN_PROCESS)
