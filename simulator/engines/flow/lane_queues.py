"""Queues of runs side by side: who waits and who is served, lane by lane.

The same closures as in kernel.serve; what follows from the waits is arithmetic on rows.
"""

from __future__ import annotations

import math
from typing import Final

from simulator import laws
from simulator.engines.flow.closure import sojourn_wait
from simulator.engines.flow.compile import compiled
from simulator.engines.flow.kernel import close_level
from simulator.engines.flow.lanes import (
    ABLE,
    ACTIVE,
    COLD,
    DONE,
    FREE,
    GROWING,
    HEADS,
    HELD,
    HOURS,
    LEADS,
    LOST,
    LOW,
    MORE,
    OUT,
    PRESS,
    PROMPT,
    SEATS,
    SERVED,
    SERVICE,
    SKILLED,
    SPAN,
    SPARE,
    TABLE,
    TAKEN,
    TIME,
    WAITING,
)
from simulator.engines.flow.rows import (
    WIDTH,
    add,
    copy,
    fill_row,
    invert,
    most,
    over,
    pick,
    plus,
    scale,
    times,
)

NEVER: Final = 1e100  # weeks that those wait whom nobody serves


@compiled
def number(B, shape, at, state):  # type: ignore[no-untyped-def]
    """Leads in every queue."""
    queues = len(shape.team)
    for q in range(queues):
        fill_row(B, at.number + q, 0.0)
    for i in shape.workers:
        add(B, at.number + shape.queue[i], state + i * shape.parts + LEADS)
    fill_row(B, at.lone + SPARE, 0.0)
    for q in range(queues):
        most(B, at.number + q, at.lone + SPARE)


@compiled
def _close(  # type: ignore[no-untyped-def]
    B, count, room, queues, first_of, level, speed, owned, theta, cv2, floor, scale_at, lone, crew,
    tables, there, held,
):  # fmt: skip
    """Waits of every queue, lane by lane; what is a place in B is a row.

    Takes what it needs and no more: numba hands a tuple of arrays over number by number.
    """
    teams = len(first_of) - 1
    number, service, patience, spread = held[0], held[1], held[2], held[3]
    by = queues * WIDTH
    for m in range(teams):
        for lane in range(WIDTH):
            if not B[(lone + ACTIVE) * WIDTH + lane] > 0.0:
                continue
            seats = B[(crew + SEATS * teams + m) * WIDTH + lane]
            span = int(B[(crew + SPAN * teams + m) * WIDTH + lane])
            table = int(B[(crew + TABLE * teams + m) * WIDTH + lane])
            low = B[(crew + LOW * teams + m) * WIDTH + lane]
            base = room * WIDTH + lane
            for q in range(first_of[m], first_of[m + 1]):
                number[q] = B[(count + q) * WIDTH + lane]
                service[q] = B[base + SERVICE * by + q * WIDTH]
                patience[q] = B[(theta + q) * WIDTH + lane]
                spread[q] = B[(cv2 + q) * WIDTH + lane]
            left = seats if B[(room + ABLE * queues + first_of[m]) * WIDTH + lane] > 0.0 else 0.0
            first = first_of[m]
            while first < first_of[m + 1]:
                last = first + 1
                while level[last] == first:
                    last += 1
                busy, virtual, waits, grows = close_level(
                    number, service, patience, spread, first, last, left,
                    max(1.0, seats) if owned[m] else 1.0, span > 0, tables, there, False, table,
                    max(1, span), low,
                )  # fmt: skip
                stuck = virtual == math.inf or left <= 0.0
                for q in range(first, last):
                    place = base + q * WIDTH
                    w = NEVER
                    kept = 1.0
                    if not stuck:
                        if last - first == 1 and virtual > 0.0:
                            w = service[q] * (number[q] / busy - 1.0)
                        else:
                            w = sojourn_wait(patience[q], virtual)
                        if speed[q]:
                            least = B[(floor + q) * WIDTH + lane]
                            slow = B[(scale_at + q) * WIDTH + lane]
                            if span >= 0:
                                kept = laws.speed_factor_mean(
                                    speed[q], waits, virtual / max(waits, 1e-12), least, slow
                                )
                            else:
                                kept = laws.speed_factor(speed[q], virtual, least, slow)
                    B[place + WAITING * by] = w
                    B[place + SERVED * by] = 0.0 if stuck else virtual
                    B[place + MORE * by], B[place + PROMPT * by] = grows, kept
                left = max(0.0, left - busy)
                first = last


@compiled
def serve(  # type: ignore[no-untyped-def]
    B, shape, given, at, room, begin, tables, there, held
):
    """Rates of every queue at each lane's time, from the leads in it."""
    queues, teams, crew = len(shape.team), len(shape.team_first) - 1, at.crew
    when, skilled, per, one = at.lone + HELD, at.lone + SPARE, at.lone + OUT, at.lone + TAKEN
    fill_row(B, when, -begin)
    add(B, when, at.lone + TIME)
    fill_row(B, at.lone + FREE, 1e-5)
    for m in range(teams):
        copy(B, skilled, crew + SKILLED * teams + m)
        plus(B, skilled, crew + GROWING * teams + m, when)
        over(B, per, crew + HEADS * teams + m, crew + SEATS * teams + m)
        scale(B, per, given.hours + m)
        over(B, one, skilled, crew + SEATS * teams + m)
        scale(B, one, given.pace + m)
        for q in range(shape.team_first[m], shape.team_first[m + 1]):
            service, worked = room + SERVICE * queues + q, room + HOURS * queues + q
            copy(B, room + ABLE * queues + q, skilled)
            over(B, at.lone + LOST, given.effort + q, one)
            most(B, at.lone + LOST, at.lone + FREE)
            fill_row(B, service, 1.0)
            pick(B, service, skilled, at.lone + LOST)
            scale(B, at.lone + LOST, per)
            fill_row(B, worked, 0.0)
            pick(B, worked, skilled, at.lone + LOST)
    _close(
        B, at.number, room, queues, shape.team_first, shape.level, shape.speed, shape.owned,
        given.theta, given.cv2, given.floor, given.scale, at.lone, crew, tables, there, held,
    )  # fmt: skip
    fill_row(B, at.lone + FREE, 1e-12)
    first = 0
    for q in range(queues):
        wait, theta = room + WAITING * queues + q, given.theta + q
        done, press = room + DONE * queues + q, room + PRESS * queues + q
        copy(B, one, wait)
        copy(B, done, wait)
        add(B, done, room + SERVICE * queues + q)
        invert(B, done, done)
        scale(B, wait, done)
        times(B, room + COLD * queues + q, theta, wait)
        fill_row(B, press, 1.0)
        plus(B, press, theta, one)
        scale(B, press, done)
        scale(B, press, done)
        if shape.level[q] == q:
            fill_row(B, per, 0.0)
            first = q
        times(B, skilled, at.number + q, room + SERVICE * queues + q)
        plus(B, per, skilled, press)
        if shape.level[q + 1] == q + 1:
            most(B, per, at.lone + FREE)
            for other in range(first, q + 1):
                over(B, room + PRESS * queues + other, room + PRESS * queues + other, per)
