"""The right-hand side of the flow engine for runs side by side, written as a program of rows.

The same equations as in kernel.slope, which is their oracle. What is made is not rows of slopes but
what they are sums of, so that what a method adds to them is added on the way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from simulator.engines.flow import lane_queues as words
from simulator.engines.flow import lanes
from simulator.engines.flow.kernel import WEEKS_A_YEAR
from simulator.engines.flow.lanes import (
    LEADS,
    PER_TEAM,
    SINCE,
    SINCE2,
    TO_SIGN,
    WORTH,
    Given,
    Shape,
)
from simulator.engines.flow.tape import CHURN, FELT, FREE, LATE, LIFT, Pair, Tape

PROMPT_ONLY: Final = 1  # what an edge takes: see graph
LATE_ONLY: Final = 2
COLD_ONLY: Final = 3
PHASE, WORK, LIVE, GONE = range(4)
Reader = Callable[[int], int]  # of a place in the state, its row


class Sum:
    """What a row of slopes is made of: products to add, and to take off."""

    def __init__(self) -> None:
        self.plus: list[Pair] = []
        self.minus: list[Pair] = []


Sums = defaultdict[int, Sum]


class Room(NamedTuple):
    """Where rows of the rates of a moment begin: by queue, edge, who goes live, what is counted."""

    service: int
    worked: int
    waiting: int
    served: int
    more: int
    prompt: int
    done: int
    cold: int
    press: int
    flow: int
    taken: int  # share of an edge, less what the wait left
    late: int
    counted: int


class Rows:
    """Rows of the buffer, given out one after the other; constants are rows too."""

    def __init__(self) -> None:
        self.top = 0
        self.constants: dict[float, int] = {}

    def take(self, count: int) -> int:
        """The first of `count` rows."""
        self.top += count
        return self.top - count

    def constant(self, number: float) -> int:
        """A row that holds a number."""
        if number not in self.constants:
            self.constants[number] = self.take(1)
        return self.constants[number]


class Kernel:
    """Writes the right-hand side of a shape. zero: rows of what is given that are zero throughout.

    still: nobody feels spend of the past.
    """

    def __init__(self, shape: Shape, given: Given, zero: set[int], *, still: bool) -> None:
        self.shape, self.still = shape, still
        self.rows = rows = Rows()
        self.one, self.none = rows.constant(1.0), rows.constant(0.0)
        self.stocks = shape.size * shape.parts
        self.size = self.stocks + shape.sums.size
        first = rows.take(given.end)
        self.given = Given._make([*(x + first for x in given[:-1]), given.end])
        self.crew = rows.take(PER_TEAM * (len(shape.team_first) - 1))
        self.time, self.piece, self.begin, self.since, self.spare, self.scratch = (
            rows.take(1) for _ in range(6)
        )
        self.zero = {x + first for x in zero}
        self.source = np.repeat(np.arange(shape.size), np.diff(shape.first))
        queues, edges = len(shape.team), len(shape.target)
        self.number = rows.take(queues)
        self.channels = len(shape.response)
        self.felt, self.rate = rows.take(self.channels), rows.take(self.channels)
        self.coming = rows.take(len(shape.src_node))
        self.lost, self.free, self.customers, self.market = (rows.take(1) for _ in range(4))
        self.rooms = [
            Room._make(
                rows.take(count)
                for count in (*(queues,) * 9, edges, edges, len(shape.goes), len(shape.adv_from))
            )
            for _ in range(2)
        ]

    def temporary(self) -> tuple[int, int, int]:
        """Rows for the running sums: by stock, by stock, by who goes live."""
        take, n = self.rows.take, self.shape.size
        return take(n), take(n), take(len(self.shape.goes))

    def tape(self, dead: set[int]) -> Tape:
        """An empty program. dead: rows that are zero throughout."""
        return Tape(self.one, self.none, self.zero | dead)

    def flow(self, room: Room, e: int) -> int:
        """Row of an edge's rate."""
        i = int(self.source[e])
        if self.shape.kind[i] == PHASE:
            return self.given.share + e
        if self.shape.kind[i] == LIVE and e > self.shape.first[i]:
            return self.none
        return room.flow + e

    def edges(self, i: int) -> range:
        """Edges out of a stock."""
        return range(self.shape.first[i], self.shape.first[i + 1])

    def serve(self, t: Tape, room: Room, time: int, state: Reader) -> None:
        """Rates of every queue."""
        s, g = self.shape, self.given
        t.dot(self.since, minus=[(self.one, self.piece)], base=time)
        teams = len(s.team_first) - 1
        for q in range(len(s.team)):
            mine = [i for i in s.workers if s.queue[i] == q]
            t.dot(self.number + q, [(self.one, state(i * s.parts)) for i in mine])
        for m in range(teams):
            first, end = int(s.team_first[m]), int(s.team_first[m + 1])
            if first == end:
                continue
            crew = [self.crew + part * teams + m for part in range(PER_TEAM)]
            found = [
                *(crew[part] for part in (lanes.SEATS, lanes.HEADS, lanes.SKILLED, lanes.GROWING,
                                          lanes.TABLE, lanes.SPAN, lanes.LOW)),
                g.hours + m, g.pace + m, int(s.owned[m]), end - first,
            ]  # fmt: skip
            writes: list[int] = []
            for q in range(first, end):
                patient = g.theta + q not in self.zero
                made = [
                    getattr(room, name) + q
                    for name in ("service", "worked", "waiting", "served", "more", "prompt", "done",
                                 "cold", "press")
                ]  # fmt: skip
                writes += [x for x in made if x != room.cold + q or patient]
                found += [
                    self.number + q, g.effort + q, g.theta + q, g.cv2 + q, g.floor + q,
                    g.scale + q, *made, int(s.speed[q]), int(s.level[q + 1] == q + 1), int(patient),
                ]  # fmt: skip
                if not patient:
                    t.zero.add(room.cold + q)
            assert len(found) == words.OF_TEAM + (end - first) * words.OF_QUEUE
            t.serve(self.since, self.spare, found, writes)

    def rates(self, t: Tape, room: Room, time: int, state: Reader, *, opened: bool) -> None:
        """What share of each stock of work, and of live customers, leaves in a week."""
        s, g = self.shape, self.given
        self.serve(t, room, time, state)
        for i in s.workers:
            q = int(s.queue[i])
            for e in self.edges(i):
                part = self._prompted(t, room, q, int(s.takes[e]), g.share + e, room.taken + e)
                way = room.cold if s.takes[e] == COLD_ONLY else room.done
                t.times(room.flow + e, way + q, part)
        for a, i in enumerate(s.adv_from):
            if s.queue[i] >= 0:
                self._prompted(
                    t, room, int(s.queue[i]), int(s.adv_takes[a]), g.adv + a, room.counted + a
                )
        for k, i in enumerate(s.goes_from):
            place = i * s.parts
            if s.parts > SINCE2 and state(place + SINCE) not in t.zero:
                t.put(LATE, room.late + k, g.target, g.late, state(place + LEADS),
                      state(place + SINCE), state(place + SINCE2))  # fmt: skip
        leaves = room.flow + int(s.first[s.live])
        if opened and g.churn not in t.zero:
            late = state(self.stocks + s.sums.late)
            t.put(CHURN, leaves, g.churn, state(s.live * s.parts), late)
        else:
            t.dot(leaves)

    def prompted(self, q: int, takes: int, share: int, into: int) -> int:
        """Row of a share, less what the wait left."""
        if takes not in (PROMPT_ONLY, LATE_ONLY):
            return share
        if self.shape.speed[q]:
            return into
        return share if takes == PROMPT_ONLY else self.none

    def _prompted(self, t: Tape, room: Room, q: int, takes: int, share: int, into: int) -> int:
        found = self.prompted(q, takes, share, into)
        if found == into and takes == PROMPT_ONLY:
            t.times(into, share, room.prompt + q)
        elif found == into:
            t.dot(into, minus=[(share, room.prompt + q)], base=share)
        return found

    def taken(self, room: Room, e: int) -> int:
        """Row of an edge's share of what its queue's rate takes."""
        s = self.shape
        q = int(s.queue[self.source[e]])
        return self.prompted(q, int(s.takes[e]), self.given.share + e, room.taken + e)

    def sums(
        self, t: Tape, found: Sums, room: Room, done: int, cold: int, flow: Reader, leads: Reader,
        spare: tuple[int, int, int], *, phases: bool,
    ) -> None:  # fmt: skip
        """Running sums that are linear in the leads; see kernel.add_sums. leads: of a stock."""
        s, sums, base = self.shape, self.shape.sums, self.stocks
        through, out, live = spare
        for i in s.workers:
            q = int(s.queue[i])
            t.times(through + i, done + q, leads(i))
            found[base + sums.done + q].plus.append((self.one, through + i))
            found[base + sums.wait + int(s.stage[q])].plus.append((through + i, room.served + q))
            found[base + sums.cold + q].plus.append((cold + q, leads(i)))
            # By edges, so that hours on leads add up to hours worked.
            t.dot(out + i, [(flow(e), leads(i)) for e in self.edges(i) if s.takes[e] != COLD_ONLY])
            found[base + sums.busy + int(s.team[q])].plus.append((out + i, room.worked + q))
        for k, e in enumerate(s.goes):
            i = int(s.goes_from[k])
            if not phases and s.queue[i] < 0:
                continue
            pair = (flow(int(e)), leads(i))
            if s.parts > SINCE2 and room.late + k not in t.zero:
                t.dot(live + k, [pair])
                pair = (live + k, room.late + k)
            found[base + sums.late].plus.append(pair)
        for a, i in enumerate(s.adv_from):
            q, row = int(s.queue[i]), base + sums.advanced + int(s.adv_stage[a])
            share = self.given.adv + a
            if q >= 0:
                share = self.prompted(q, int(s.adv_takes[a]), share, room.counted + a)
                found[row].plus.append((through + i, share))
            elif phases:
                found[row].plus.append((share, leads(i)))

    def weeks(self, i: int) -> int:
        """Which part of a stock takes on a week a lead and week; -1 for none."""
        s = self.shape
        if s.kind[i] >= LIVE or (s.sold[i] and s.parts <= SINCE2):
            return -1
        return SINCE if s.sold[i] else TO_SIGN

    def slope(
        self, t: Tape, room: Room, time: int, state: Reader, spare: tuple[int, int, int], *,
        opened: bool,
    ) -> Sums:  # fmt: skip
        """Derivatives of the state, as sums by place."""
        s, g, parts, sums = self.shape, self.given, self.shape.parts, self.shape.sums
        one, y = self.one, self.stocks
        found: Sums = defaultdict(Sum)
        self.rates(t, room, time, state, opened=opened)
        arr = [(one, state(y + sums.base + 2))]
        for i in range(s.size):
            if s.kind[i] == GONE:
                continue
            rates = [self.flow(room, e) for e in self.edges(i)]
            for c in range(parts):
                here = state(i * parts + c)
                for e, rate in zip(self.edges(i), rates, strict=True):
                    found[int(s.target[e]) * parts + c].plus.append((rate, here))
                    found[i * parts + c].minus.append((rate, here))
            if s.sold[i]:
                if parts > SINCE2 and s.kind[i] < LIVE:
                    two = self.rows.constant(2.0)
                    found[i * parts + SINCE2].plus.append((two, state(i * parts + SINCE)))
                worth = state(i * parts + WORTH)
                found[i * parts + WORTH].plus.append((g.expansion, worth))
                found[y + sums.expansion].plus.append((g.expansion, worth))
                arr.append((one, worth))
            weeks = self.weeks(i)
            if weeks >= 0:
                found[i * parts + weeks].plus.append((one, state(i * parts)))
        worth = state(y + sums.base + 2)
        found[y + sums.expansion].plus.append((g.expansion, worth))
        found[y + sums.base + 2].plus.append((g.expansion, worth))
        t.dot(self.scratch, arr)
        found[y + sums.revenue].plus.append((self.rows.constant(1.0 / WEEKS_A_YEAR), self.scratch))
        gone = set(s.gone.tolist())
        lost = [
            (self.flow(room, e), state(int(self.source[e]) * parts))
            for e in range(len(s.target))
            if int(s.target[e]) in gone
        ]
        if opened:
            for j in (0, 2):
                pair = (g.churn, state(y + sums.base + j))
                found[y + sums.base + j].minus.append(pair)
                found[y + sums.base + j + 1].plus.append(pair)
            lost.append((g.churn, state(y + sums.base)))
        t.dot(self.lost, lost)
        self._market(t, found, state, opened=opened)
        self._arrivals(t, found, time)
        if opened:
            for e in self.edges(s.live):
                found[y + sums.late].minus.append((self.flow(room, e), state(y + sums.late)))
        self.sums(
            t, found, room, room.done, room.cold, lambda e: self.flow(room, e),
            lambda i: state(i * parts), spare, phases=True,
        )  # fmt: skip
        return found

    def _market(self, t: Tape, found: Sums, state: Reader, *, opened: bool) -> None:
        """Customers, the free share of the market, and accounts that cool down."""
        s, g, one, y = self.shape, self.given, self.one, self.stocks
        phases, cooling = g.cool_enter - g.cool_rate, self.shape.sums.cooling
        for p in range(phases):
            here = (g.cool_rate + p, state(y + cooling + p))
            found[y + cooling + p].plus.append((self.lost, g.cool_enter + p))
            found[y + cooling + p].minus.append(here)
            if s.chained and p + 1 < phases:
                found[y + cooling + p + 1].plus.append(here)
        base = [(one, state(y + s.sums.base))]
        live = [(one, state(s.live * s.parts))] if opened else []
        t.dot(self.customers, base + live)
        if g.accounts in t.zero:
            return
        taken = base + [(one, state(y + cooling + p)) for p in range(phases)]
        taken += [(one, state(i * s.parts)) for i in range(s.size) if s.kind[i] != GONE]
        t.dot(self.market, taken)
        t.put(FREE, self.free, g.accounts, self.market)

    def _arrivals(self, t: Tape, found: Sums, time: int) -> None:
        """Leads of every channel, and where they go."""
        s, g, y, parts = self.shape, self.given, self.stocks, self.shape.parts
        free = -1 if g.accounts in t.zero else self.free
        lifted = set(s.lift_to.tolist())
        for c in range(self.channels):
            felt = g.response + c
            if not self.still:
                felt = t.put(
                    FELT, self.felt + c, felt, g.carried + c, g.spend + c, g.adstock + c, g.at + c,
                    g.half + c, g.saturation + c, time, self.begin, int(s.response[c]),
                )  # fmt: skip
            if c not in lifted:
                pairs = [(g.now + c, felt), (g.per_customer + c, self.customers)]
                t.dot(self.rate + c, pairs, scale=free)
            else:
                t.times(self.rate + c, g.now + c, felt)
        for p, c in enumerate(s.lift_to.tolist()):
            if self.rate + c not in t.zero:
                felt = (g.response if self.still else self.felt) + int(s.lift_from[p])
                t.put(LIFT, self.rate + c, g.lift + p, felt)
        for c in sorted(lifted):
            t.dot(
                self.rate + c, [(g.per_customer + c, self.customers)], base=self.rate + c,
                scale=free,
            )  # fmt: skip
        for c in range(self.channels):
            found[y + s.sums.arrived + c].plus.append((self.one, self.rate + c))
        for k, c in enumerate(s.src_channel.tolist()):
            j, row = int(s.src_node[k]), self.coming + k
            t.times(row, self.rate + c, g.src + k)
            found[j * parts].plus.append((self.one, row))
            found[j * parts + WORTH].plus.append((row, g.value + c))
            if j == s.live:
                found[y + s.sums.late].plus.append((self.one, row))
