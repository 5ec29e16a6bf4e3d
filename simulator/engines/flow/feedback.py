"""The weekly step in the flow engine: what it shows, what then holds; and the way through a run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator import laws
from simulator.compiled import announcing, keyed
from simulator.engines.flow.compile import OPTIONS, compiled
from simulator.engines.flow.crew import man, muster, turn_over
from simulator.engines.flow.kernel import count, serve
from simulator.engines.flow.layout import VALUE
from simulator.engines.flow.solver import integrate
from simulator.engines.slow import HOLD, KEEP, LOOK, STEP, turn
from simulator.weekly.rules import Rules
from simulator.weekly.state import Holds, Shown, State

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WEEK: Final = 1e-9  # how near to a whole week an edge is one
NOTHING: Final = -1  # to be done: nothing has turned


class Weeks(NamedTuple):
    """What the weekly step needs beside its own records."""

    turns: bool  # whether there is one
    ends: Floats  # (P,) of all pieces
    thinking: Ints  # (n,) stage at whose buyer a stock is, or -1
    begun: NDArray[np.bool_]  # (S,) whether a whole lead has advanced
    moved: Ints  # phases whose rate moves with the buyer's time, and their rate times the mean
    moved_rate: Floats
    hours: Floats  # (B, M) paid a week and head
    cost: Floats  # (B,) of policies
    carried: Floats  # (C,) adstock at the start
    lure_from: float
    lure: float


@compiled
def _show_queues(queues, sums, weeks, Y, moves, line, stages):  # type: ignore[no-untyped-def]
    """Waiting, visits and waits by stage."""
    for s in range(len(stages)):
        stage = stages[s]
        stage.waiting = stage.inside = stage.entered = stage.started = 0.0
        stage.wait, stage.advanced = Y[sums.wait + s], Y[sums.advanced + s]
        # Of a fluid a trace is through at once; what a delay is first read from is a whole lead.
        if stage.advanced >= 1.0:
            weeks.begun[s] = True
        elif not weeks.begun[s]:
            stage.advanced = 0.0
    for q in range(len(line.number)):
        stage = stages[queues.stage[q]]
        waits = line.number[q] * line.waiting[q]
        stage.waiting += waits
        stage.inside += line.number[q]
        stage.started += line.number[q] - waits + Y[sums.done + q]
        stage.entered += line.number[q] + Y[sums.done + q] + Y[sums.cold + q]
    for i in range(len(weeks.thinking)):
        if weeks.thinking[i] >= 0:
            stages[weeks.thinking[i]].inside += moves.leads[i]


@compiled
def _show_money(k, opened, links, demand, life, sums, X, Y, leads, shown):  # type: ignore[no-untyped-def]
    """Leads, wins and contracts by channel, and of all."""
    C = links.channels
    for c in range(C):
        channel = shown.channels[c]
        channel.arrived, channel.won, channel.kept = Y[sums.arrived + c], 0.0, 0.0
    whole = shown.whole[0]
    whole.won = 0.0
    whole.churned, gone = Y[sums.base + 1], Y[sums.base + 3]
    arr = Y[sums.base + 2]
    for i in range(len(links.kind)):
        if not links.sold[i]:
            continue
        worth = X[i, C + VALUE]
        there = links.kind[i] < 3
        likely = 0.0
        for c in range(C):
            shown.channels[c].won += X[i, c]
            whole.won += X[i, c]
            likely += X[i, c] * demand.value[k, c]
        if there:
            arr += worth
            if likely > 0.0:
                for c in range(C):
                    shown.channels[c].kept += worth * X[i, c] * demand.value[k, c] / likely
        else:
            gone += worth
            whole.churned += leads[i]
    whole.arr, whole.revenue = arr, Y[sums.revenue]
    whole.won_arr = arr + gone - Y[sums.expansion]
    whole.customers = Y[sums.base] + (leads[life.live] if opened else 0.0)


@compiled
def show(  # type: ignore[no-untyped-def]
    t, piece, opened, net, staff, crew, weeks, sums, X, Y, moves, line, shown
):
    """Everything the step may see at time t, the end of the piece before."""
    links = net.links
    before = max(0, piece - 1)
    k = staff.segment[before]
    count(links, X, moves, line)
    if piece > 0:
        serve(t, before, net.queues, staff, moves, line)
    for m in range(len(shown.teams)):
        heads, skilled, new = muster(crew, m, k, t)
        team = shown.teams[m]
        team.paid, team.busy = crew.paid[m], Y[sums.busy + m] + crew.support[m]
        team.heads, team.skilled, team.rookies = heads, skilled, new
    _show_queues(net.queues, sums, weeks, Y, moves, line, shown.stages)
    _show_money(k, opened, links, net.demand, net.life, sums, X, Y, moves.leads, shown)


@compiled
def adopt(k, net, weeks, holds):  # type: ignore[no-untyped-def]
    """Write what holds into the rows of segment k."""
    demand, life, queues, odds = net.demand, net.life, net.queues, net.odds
    for c in range(len(holds.channels)):
        row = holds.channels[c]
        demand.spend[k, c], demand.now[k, c] = row.spend, row.now
        demand.per_customer[k, c], odds.good[k, c] = row.per_customer, row.good
        felt = weeks.carried[c]
        if k > 0:
            span = demand.edges[k] - demand.edges[k - 1]
            felt = laws.adstock(
                demand.carried[k - 1, c], demand.spend[k - 1, c], span, demand.adstock[c]
            )
        demand.carried[k, c] = felt
    for i in range(len(holds.stages)):
        stage = holds.stages[i]
        odds.rework[k, i] = stage.rework
        odds.us[k, i, 0], odds.us[k, i, 1] = stage.us_good, stage.us_poor
        odds.them[k, i, 0], odds.them[k, i, 1] = stage.them_good, stage.them_poor
    for h in range(len(holds.handoffs)):
        handoff = holds.handoffs[h]
        odds.accepted[k, h, 0], odds.accepted[k, h, 1] = handoff.good, handoff.poor
        odds.returned[k, h] = handoff.returned
    for m in range(len(holds.teams)):
        team = holds.teams[m]
        weeks.hours[k, m] = team.hours
        queues.hours[k, m], queues.pace[k, m] = team.work, team.speed
    for j in range(len(weeks.moved)):
        i = weeks.moved[j]
        mean = max(holds.stages[weeks.thinking[i]].buyer_time, 1e-5)
        net.links.rate[k, i] = weeks.moved_rate[j] / mean
    whole = holds.whole[0]
    life.churn[k], life.discount[k], weeks.cost[k] = whole.churn, whole.discount, whole.cost
    life.lure[k] = laws.discount_churn(whole.discount, weeks.lure_from, weeks.lure)


@compiled
def turn_of(t, piece, fresh, opening):  # type: ignore[no-untyped-def]
    """What the step does at the start of a piece; fresh: of a segment too."""
    if opening:
        return KEEP
    if piece == 0:
        return LOOK
    if not fresh:
        return NOTHING
    return STEP if abs(t - round(t)) < WEEK else HOLD


def travel(arguments):  # type: ignore[no-untyped-def]
    """Go through a run: integrate from piece to piece, and step at the edges between; as integrate.

    Before week 0 it ends with the step at week 0. Changes what it is given.
    """
    (
        ends, keep, lo, h, space, net, staff, sums, start_room, stage_room, delta, pattern, tableau,
        opened, rtol, atol, kept, kept_w, limit, crew, weeks, slow,
    ) = arguments  # fmt: skip
    rules, state = Rules(*slow[0]), State(*slow[1])
    shown, last, holds = Shown(*slow[2]), Shown(*slow[3]), Holds(*slow[4])
    calls = steps = rejected = 0
    opening = h
    t = staff.begin[lo]
    # One place for each call of something large: compiling takes as long again for every other.
    for piece in range(lo, len(ends) + (0 if opened else 1)):
        t, k = staff.begin[piece], staff.segment[piece]
        if weeks.turns:
            ended = staff.segment[max(0, piece - 1)]
            mode = turn_of(t, piece, ended != k, opened and piece == lo)
            if mode == KEEP:
                for m in range(len(crew.paid)):
                    crew.paid[m] = crew.support[m] = 0.0
            if mode >= STEP:  # LOOK or KEEP
                show(
                    t, piece, opened, net, staff, crew, weeks, sums, space.zx, space.zy,
                    start_room.moves, start_room.line, shown,
                )  # fmt: skip
            if mode != NOTHING:
                turn(rules, state, shown, last, holds, ended, k, mode, t)
            if HOLD <= mode <= LOOK:
                adopt(k, net, weeks, holds)
                if piece > 0:
                    turn_over(crew, k, holds)
                    if crew.trouble[0] >= 0.0:
                        return calls, steps, rejected, h, t
            if mode != KEEP:
                man(crew, staff, piece, k, weeks.ends[piece])
        if piece == len(ends):
            break
        # What turns each week unsettles the queues: a week begins with such a step as the last did.
        first = min(h, opening) if weeks.turns else h
        done, more, failed, h, opening, t = integrate(
            ends, keep, piece, piece + 1, first, space, net, staff, sums, start_room, stage_room,
            delta, pattern, tableau, opened, rtol, atol, kept, kept_w, limit - calls,
        )  # fmt: skip
        calls += done
        steps += more
        rejected += failed
        if t < ends[piece]:
            break
        if weeks.turns:
            for m in range(len(crew.paid)):
                here = staff.heads[piece, m] * (ends[piece] - staff.begin[piece])
                crew.paid[m] += here * weeks.hours[k, m]
                crew.support[m] += here * (weeks.hours[k, m] - net.queues.hours[k, m])
    return calls, steps, rejected, h, t


@cache
def program(key: int) -> Callable[..., Any]:
    """Travel, from numba's cache if it is there under the key."""
    return announcing(keyed(travel, key, nogil=True, **OPTIONS), "the flow engine: a minute or two")
