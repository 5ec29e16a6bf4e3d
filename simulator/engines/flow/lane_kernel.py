"""The right-hand side of the flow engine for runs side by side, a row of numbers for each number.

The same equations as in kernel.slope, which is their oracle. What is linear in the leads is
arithmetic on rows; queues, waits and responses are worked out lane by lane.
"""

from __future__ import annotations

from typing import Final

from simulator import laws
from simulator.engines.flow.compile import compiled
from simulator.engines.flow.kernel import WEEKS_A_YEAR, lateness
from simulator.engines.flow.lane_queues import number, serve
from simulator.engines.flow.lanes import (
    ARR,
    BEGIN,
    BY_QUEUE,
    COLD,
    DONE,
    FREE,
    HELD,
    HOURS,
    LEADS,
    LOST,
    OUT,
    PROMPT,
    SERVED,
    SINCE,
    SINCE2,
    SPARE,
    TAKEN,
    TIME,
    TO_SIGN,
    WORTH,
)
from simulator.engines.flow.rows import (
    WIDTH,
    add,
    copy,
    fill_row,
    minus,
    more,
    plus,
    scale,
    take,
    times,
)

PROMPT_ONLY: Final = 1  # what an edge takes: see graph
LATE_ONLY: Final = 2
COLD_ONLY: Final = 3
GONE: Final = 3
LIVE: Final = 2


@compiled
def arrivals(B, shape, given, at):  # type: ignore[no-untyped-def]
    """Leads a week of every channel, from those live in OUT and the free share of the market."""
    channels = len(shape.response)
    for c in range(channels):
        for lane in range(WIDTH):
            felt = B[(given.response + c) * WIDTH + lane]
            if felt < 0.0:
                weeks = B[(at.lone + TIME) * WIDTH + lane] - B[(at.lone + BEGIN) * WIDTH + lane]
                felt = laws.response(
                    shape.response[c],
                    laws.adstock(
                        B[(given.carried + c) * WIDTH + lane], B[(given.spend + c) * WIDTH + lane],
                        weeks, B[(given.adstock + c) * WIDTH + lane],
                    ),
                    B[(given.at + c) * WIDTH + lane], B[(given.half + c) * WIDTH + lane],
                    B[(given.saturation + c) * WIDTH + lane],
                )  # fmt: skip
            B[(at.felt + c) * WIDTH + lane] = felt
        times(B, at.rate + c, given.now + c, at.felt + c)
    for p in range(len(shape.lift_from)):
        for lane in range(WIDTH):
            B[(at.rate + shape.lift_to[p]) * WIDTH + lane] *= laws.lift(
                B[(given.lift + p) * WIDTH + lane],
                B[(at.felt + shape.lift_from[p]) * WIDTH + lane],
            )
    for c in range(channels):
        plus(B, at.rate + c, given.per_customer + c, at.lone + OUT)
        scale(B, at.rate + c, at.lone + FREE)


@compiled
def hold(B, shape, given, at):  # type: ignore[no-untyped-def]
    """Set the flows that stay the same in a segment: those out of phases."""
    flows = BY_QUEUE * len(shape.team)
    for i in range(shape.size):
        if shape.kind[i] == 0:
            for e in range(shape.first[i], shape.first[i + 1]):
                copy(B, at.room + flows + e, given.share + e)
                copy(B, at.room + at.room_size + flows + e, given.share + e)


@compiled
def rates(B, shape, given, at, room, state, opened):  # type: ignore[no-untyped-def]
    """What share of each stock of work, and of live customers, leaves in a week."""
    queues, edges = len(shape.team), len(shape.target)
    flow = room + BY_QUEUE * queues
    for i in shape.workers:
        q = shape.queue[i]
        for e in range(shape.first[i], shape.first[i + 1]):
            takes = shape.takes[e]
            way = room + (COLD if takes == COLD_ONLY else DONE) * queues + q
            times(B, flow + e, way, given.share + e)
            if PROMPT_ONLY <= takes <= LATE_ONLY:
                times(B, at.lone + SPARE, flow + e, room + PROMPT * queues + q)
                if takes == PROMPT_ONLY:
                    copy(B, flow + e, at.lone + SPARE)
                else:
                    take(B, flow + e, at.lone + SPARE)
    parts = shape.parts
    for g in range(len(shape.goes)):
        late = flow + edges + g
        if parts <= SINCE2:
            fill_row(B, late, 1.0)
            continue
        i = state + shape.goes_from[g] * parts
        for lane in range(WIDTH):
            B[late * WIDTH + lane] = lateness(
                B[given.target * WIDTH + lane], B[given.late * WIDTH + lane],
                B[(i + LEADS) * WIDTH + lane], B[(i + SINCE) * WIDTH + lane],
                B[(i + SINCE2) * WIDTH + lane],
            )  # fmt: skip
    leaves = flow + shape.first[shape.live]
    if not opened:
        fill_row(B, leaves, 0.0)
        return
    y = state + shape.size * parts
    for lane in range(WIDTH):
        live = B[(state + shape.live * parts) * WIDTH + lane]
        churn = B[given.churn * WIDTH + lane]
        if live > 1e-12:
            churn *= max(1.0, B[(y + shape.sums.late) * WIDTH + lane] / live)
        B[leaves * WIDTH + lane] = churn


@compiled
def add_sums(  # type: ignore[no-untyped-def]
    B, shape, given, at, done, cold, flow, room, leads, step, phases, dy
):
    """Running sums that are linear in the leads, at rows leads + i x step; see kernel.add_sums.

    done, cold, flow: rows of the rates; the rest is of the room.
    """
    queues, edges, sums = len(shape.team), len(shape.target), shape.sums
    spare, out = at.lone + SPARE, at.lone + OUT
    late = room + BY_QUEUE * queues + edges
    for i in shape.workers:
        q, here = shape.queue[i], leads + i * step
        times(B, spare, done + q, here)
        add(B, dy + sums.done + q, spare)
        plus(B, dy + sums.wait + shape.stage[q], spare, room + SERVED * queues + q)
        plus(B, dy + sums.cold + q, cold + q, here)
        fill_row(B, out, 0.0)
        for e in range(shape.first[i], shape.first[i + 1]):
            if shape.takes[e] != COLD_ONLY:
                plus(B, out, flow + e, here)
        # By edges, so that hours on leads add up to hours worked.
        plus(B, dy + sums.busy + shape.team[q], out, room + HOURS * queues + q)
    for g in range(len(shape.goes)):
        e, i = shape.goes[g], shape.goes_from[g]
        if phases or shape.queue[i] >= 0:
            times(B, spare, flow + e, leads + i * step)
            plus(B, dy + sums.late, spare, late + g)
    for a in range(len(shape.adv_from)):
        i = shape.adv_from[a]
        q = shape.queue[i]
        if q < 0 and not phases:
            continue
        times(B, spare, given.adv + a, leads + i * step)
        if q >= 0:
            scale(B, spare, done + q)
            takes = shape.adv_takes[a]
            if takes == PROMPT_ONLY:
                scale(B, spare, room + PROMPT * queues + q)
            elif takes == LATE_ONLY:
                times(B, out, spare, room + PROMPT * queues + q)
                take(B, spare, out)
        add(B, dy + sums.advanced + shape.adv_stage[a], spare)


@compiled
def _base(B, shape, given, at, state, slope, opened):  # type: ignore[no-untyped-def]
    """The customers of week 0; those lost grow by them, and revenue by ARR."""
    y, dy, sums = state + shape.size * shape.parts, slope + shape.size * shape.parts, shape.sums
    plus(B, dy + sums.expansion, given.expansion, y + sums.base + 2)
    more(B, dy + sums.revenue, 1.0 / WEEKS_A_YEAR, at.lone + ARR)
    plus(B, dy + sums.base + 2, given.expansion, y + sums.base + 2)
    if opened:
        for j in (0, 2):
            minus(B, dy + sums.base + j, given.churn, y + sums.base + j)
            plus(B, dy + sums.base + j + 1, given.churn, y + sums.base + j)
        plus(B, at.lone + LOST, given.churn, y + sums.base)


@compiled
def _market(B, shape, given, at, state, slope, opened):  # type: ignore[no-untyped-def]
    """Live customers into OUT, the free share of the market, and accounts that cool down."""
    parts, sums = shape.parts, shape.sums
    y, dy = state + shape.size * parts, slope + shape.size * parts
    out, held, taken = at.lone + OUT, at.lone + HELD, at.lone + TAKEN
    phases = given.cool_enter - given.cool_rate
    fill_row(B, held, 0.0)
    for p in range(phases):
        here = y + sums.cooling + p
        add(B, held, here)
        plus(B, dy + sums.cooling + p, at.lone + LOST, given.cool_enter + p)
        minus(B, dy + sums.cooling + p, given.cool_rate + p, here)
        if shape.chained and p + 1 < phases:
            plus(B, dy + sums.cooling + p + 1, given.cool_rate + p, here)
    copy(B, out, y + sums.base)
    if opened:
        add(B, out, state + shape.live * parts)
    fill_row(B, at.lone + FREE, 1.0)
    limited = False
    for lane in range(WIDTH):
        limited = limited or B[given.accounts * WIDTH + lane] > 0.0
    if limited:
        copy(B, taken, y + sums.base)
        add(B, taken, held)
        for i in range(shape.size):
            if shape.kind[i] != GONE:
                add(B, taken, state + i * parts)
        for lane in range(WIDTH):
            B[(at.lone + FREE) * WIDTH + lane] = laws.market_share_free(
                B[given.accounts * WIDTH + lane], B[taken * WIDTH + lane]
            )


@compiled
def add_weeks(B, shape, leads, step, slope):  # type: ignore[no-untyped-def]
    """Weeks that leads take on: those on the way to the signature, and since."""
    parts = shape.parts
    for i in range(shape.size):
        if shape.kind[i] < LIVE:
            if not shape.sold[i]:
                add(B, slope + i * parts + TO_SIGN, leads + i * step)
            elif parts > SINCE2:
                add(B, slope + i * parts + SINCE, leads + i * step)


@compiled
def slope(  # type: ignore[no-untyped-def]
    B, shape, given, at, room, state, found, begin, opened, tables, there, held
):
    """Derivatives of the rows from `state` on, into those from `found` on."""
    n, parts, sums, queues = shape.size, shape.parts, shape.sums, len(shape.team)
    flow = room + BY_QUEUE * queues
    out, arr, lost = at.lone + OUT, at.lone + ARR, at.lone + LOST
    number(B, shape, at, state)
    serve(B, shape, given, at, room, begin, tables, there, held)
    rates(B, shape, given, at, room, state, opened)
    for i in range(n * parts + sums.size):
        fill_row(B, found + i, 0.0)
    y, dy = state + n * parts, found + n * parts
    copy(B, arr, y + sums.base + 2)
    for i in range(n):
        if shape.kind[i] == GONE:
            continue
        x, dx = state + i * parts, found + i * parts
        fill_row(B, out, 0.0)
        for e in range(shape.first[i], shape.first[i + 1]):
            add(B, out, flow + e)
            to = found + shape.target[e] * parts
            for c in range(parts):
                plus(B, to + c, flow + e, x + c)
        for c in range(parts):
            minus(B, dx + c, out, x + c)
        if shape.sold[i]:
            if parts > SINCE2 and shape.kind[i] < LIVE:
                more(B, dx + SINCE2, 2.0, x + SINCE)
            plus(B, dx + WORTH, given.expansion, x + WORTH)
            plus(B, dy + sums.expansion, given.expansion, x + WORTH)
            add(B, arr, x + WORTH)
    add_weeks(B, shape, state, parts, found)
    fill_row(B, lost, 0.0)
    for i in shape.gone:
        add(B, lost, found + i * parts)
    _base(B, shape, given, at, state, found, opened)
    _market(B, shape, given, at, state, found, opened)
    arrivals(B, shape, given, at)
    for c in range(len(shape.response)):
        add(B, dy + sums.arrived + c, at.rate + c)
    for s in range(len(shape.src_channel)):
        c, j = shape.src_channel[s], shape.src_node[s]
        times(B, out, at.rate + c, given.src + s)
        add(B, found + j * parts, out)
        plus(B, found + j * parts + WORTH, out, given.value + c)
        if j == shape.live:
            add(B, dy + sums.late, out)
    if opened:
        for e in range(shape.first[shape.live], shape.first[shape.live + 1]):
            minus(B, dy + sums.late, flow + e, y + sums.late)
    done, cold = room + DONE * queues, room + COLD * queues
    add_sums(B, shape, given, at, done, cold, flow, room, state, parts, True, dy)
