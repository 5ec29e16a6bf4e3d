"""Queues of runs side by side: who waits and who is served.

The same closures as in kernel.serve, of all lanes at once: where one run takes one of two ways,
both are taken here and the right one is kept; what is repeated until it is near enough is repeated
until it is so in every lane, and a lane that is there stays as it is.
"""

from __future__ import annotations

from typing import Final

from simulator import laws
from simulator.engines.flow.closure import LOG_STEP, NODES
from simulator.engines.flow.compile import compiled
from simulator.engines.flow.curves import expm1, log, log1p
from simulator.engines.flow.kernel import PASSES
from simulator.engines.flow.vectors import (
    WIDTH,
    floor,
    gather,
    if_more,
    least,
    load,
    most,
    of,
    root,
    size,
    some,
    store,
    word,
)

NEVER: Final = 1e100  # weeks that those wait whom nobody serves
ENDLESS: Final = 1e300
LAST: Final = NODES - 1.0
# Words of a team, then of each of its queues: rows, and from SPEED and OWNED on numbers.
SEATS, HEADS, SKILLED, GROWING, TABLE, SPAN, LOW, HOURS, PACE, OWNED, QUEUES, OF_TEAM = range(12)
NUMBER, EFFORT, THETA, CV2, FLOOR, SCALE, SERVICE, WORKED, WAITING, SERVED, MORE, PROMPT, DONE, \
    COLD, PRESS, SPEED, ENDS, PATIENT, OF_QUEUE = range(19)  # fmt: skip


@compiled
def _node(table, base, stride, w0, w1, w2, w3, several, which, node):  # type: ignore[no-untyped-def]
    """A table's entry at a node, between rows."""
    place = (base * 2.0 + which) * NODES + node
    first = gather(table, place)
    if not several:
        return first
    by = stride * (2.0 * NODES)
    return (
        w0 * first + w1 * gather(table, place + by) + w2 * gather(table, place + by * 2.0)
        + w3 * gather(table, place + by * 3.0)
    )  # fmt: skip


@compiled
def _cubic(table, base, stride, w0, w1, w2, w3, several, which, cell):  # type: ignore[no-untyped-def]
    """A table between nodes, as a cubic in u with the slopes of the nodes on either side."""
    y1 = _node(table, base, stride, w0, w1, w2, w3, several, which, cell)
    y2 = _node(table, base, stride, w0, w1, w2, w3, several, which, cell + 1.0)
    y0 = _node(table, base, stride, w0, w1, w2, w3, several, which, most(cell - 1.0, of(0.0)))
    y3 = _node(table, base, stride, w0, w1, w2, w3, several, which, least(cell + 2.0, of(LAST)))
    y0 = if_more(cell, of(0.5), y0, 2.0 * y1 - y2)
    y3 = if_more(cell + 1.5, of(LAST), 2.0 * y2 - y1, y3)
    d1 = 0.5 * (y2 - y0)
    d2 = 0.5 * (y3 - y1)
    return y1, d1, 3.0 * (y2 - y1) - 2.0 * d1 - d2, 2.0 * (y1 - y2) + d1 + d2


@compiled
def psffa_busy(number, servers, spread, eta, table, first, count, low):  # type: ignore[no-untyped-def]
    """Busy of a team with a number of leads in it, P(wait), and how busy grows with the number.

    See closure.psffa_busy; first, count: of the team's tables.
    """
    one = of(1.0)
    several = some(count - 1.0)
    stride = if_more(count, one, one, of(0.0))
    base = first
    w0 = one
    w1 = of(0.0)
    w2 = of(0.0)
    w3 = of(0.0)
    if several:
        place = (log(eta) - low) / LOG_STEP
        place = least(most(place, one), count - 2.000001)
        cell = floor(place)
        u = place - cell
        base = if_more(count, one, first + cell - 1.0, first)
        square = u * u
        cube = square * u
        w0 = -0.5 * u + square - 0.5 * cube
        w1 = 1.0 - 2.5 * square + 1.5 * cube
        w2 = 0.5 * u + 2.0 * square - 1.5 * cube
        w3 = 1.0 - w0 - w1 - w2
        w0 = if_more(count, one, w0, one)
        w1 = if_more(count, one, w1, of(0.0))
        w2 = if_more(count, one, w2, of(0.0))
        w3 = if_more(count, one, w3, of(0.0))
    x = number / servers
    x0 = most((x - (1.0 - spread) * least(x, one)) / spread, of(0.0))
    x0 = if_more(size(spread - 1.0), of(0.0), x0, x)
    turn = one
    cell = one
    u = one
    b0 = one
    b1 = one
    b2 = one
    b3 = one
    more = one
    rise = one
    step = one
    for _ in range(60):
        turn = 1.0 / (1.0 + x0)
        at = x0 * turn * LAST
        cell = least(floor(at), of(LAST - 1.0))
        u = at - cell
        b0, b1, b2, b3 = _cubic(table, base, stride, w0, w1, w2, w3, several, 0.0, cell)
        more = (b1 + u * (2.0 * b2 + u * 3.0 * b3)) * LAST * turn * turn
        more = least(most(more, of(0.0)), one)
        rise = spread + (1.0 - spread) * more
        busy = b0 + u * (b1 + u * (b2 + u * b3))
        step = (x - spread * x0 - (1.0 - spread) * busy) / rise
        far = size(step) - 1e-6 * (1.0 + x0)
        if not some(far):
            break  # what is left is a matter of squares
        x0 = if_more(far, of(0.0), most(x0 + step, of(0.0)), x0)
    u = u + step * turn * turn * LAST
    busy = servers * (b0 + u * (b1 + u * (b2 + u * b3)))
    p0, p1, p2, p3 = _cubic(table, base, stride, w0, w1, w2, w3, several, 1.0, cell)
    waits = p0 + u * (p1 + u * (p2 + u * p3))
    return (
        least(least(busy, number), servers), least(most(waits, of(0.0)), one),
        least(most(more / rise, of(0.0)), one),
    )  # fmt: skip


@compiled
def _sojourn_wait(theta, virtual, patient):  # type: ignore[no-untyped-def]
    """Waiting leads per start; see closure."""
    if not patient:
        return virtual
    return if_more(theta, of(0.0), expm1(theta * virtual) / theta, virtual)


@compiled
def _virtual_wait(B, W, p, count, patient, total, busy, guess):  # type: ignore[no-untyped-def]
    """The wait V at which `busy` people serve the queues from word p on; see closure."""
    nothing = of(0.0)
    waits = if_more(total, busy * (1.0 + 1e-15), of(1.0), nothing)
    if not some(waits):
        return nothing
    found = nothing
    service = load(B, word(W, p + SERVICE))
    if count == 1:
        found = service * (total / busy - 1.0)
        if patient:
            theta = load(B, word(W, p + THETA))
            found = if_more(theta, nothing, log1p(theta * found) / theta, found)
    elif count == 2 and not patient:
        other = load(B, word(W, p + OF_QUEUE + SERVICE))
        idle = (total - busy) * service * other
        slope = busy * (service + other) - load(B, word(W, p + NUMBER)) * service
        slope = slope - load(B, word(W, p + OF_QUEUE + NUMBER)) * other
        square = root(slope * slope + 4.0 * busy * idle)
        found = if_more(
            slope, nothing, 2.0 * idle / (slope + square), 0.5 * (square - slope) / busy
        )
    else:
        strict = nothing
        mean = nothing
        for q in range(count):
            here = p + q * OF_QUEUE
            strict = most(strict, load(B, word(W, here + THETA)))
            mean = mean + load(B, word(W, here + NUMBER)) * load(B, word(W, here + SERVICE)) / total
        v = guess
        u = _sojourn_wait(strict, v, patient)
        going = if_more(busy, nothing, waits, nothing)
        for _ in range(100):
            served = nothing
            slope = nothing
            for q in range(count):
                here = p + q * OF_QUEUE
                theta = load(B, word(W, here + THETA))
                service = load(B, word(W, here + SERVICE))
                wait = _sojourn_wait(theta, v, patient)
                part = load(B, word(W, here + NUMBER)) * service / (wait + service)
                served = served + part
                slope = slope + part / (wait + service) * (1.0 + theta * wait)
            step = (served / busy - 1.0) * served * (1.0 + strict * u) / slope
            u = if_more(going, nothing, most(u + step, nothing), u)
            now = u
            if patient:
                now = if_more(strict, nothing, log1p(strict * u) / strict, u)
            v = if_more(going, nothing, now, v)
            going = if_more(size(step), 1e-13 * (u + mean), going, nothing)
            if not some(going):
                break
        found = v
    found = if_more(busy, nothing, found, of(2.0 * ENDLESS))
    return if_more(waits, nothing, found, nothing)


@compiled
def _close_level(  # type: ignore[no-untyped-def]
    B, W, p, count, patient, left, apart, table, first, span, low
):
    """Serve the queues from word p on: busy, wait of those served, P(wait), d busy; see kernel."""
    nothing = of(0.0)
    one = of(1.0)
    total = nothing
    for q in range(count):
        total = total + load(B, word(W, p + q * OF_QUEUE + NUMBER))
    busy = least(total, left)
    waits = one
    more = if_more(left, total, one, nothing)
    tabled = if_more(left, nothing, if_more(total, nothing, span, nothing), nothing)
    virtual = nothing
    if not some(tabled) or count > 1:
        virtual = _virtual_wait(B, W, p, count, patient, total, busy, nothing)
    if not some(tabled):
        return busy, virtual, waits, more
    servers = if_more(tabled, nothing, floor(left / apart), one)
    number = if_more(tabled, nothing, total / apart, nothing)
    tables = if_more(tabled, nothing, first, nothing)
    spans = if_more(tabled, nothing, span, one)
    if count == 1:
        spread = 0.5 * (1.0 + load(B, word(W, p + CV2)))
        spread = if_more(of(1e-12), size(spread - 1.0), one, spread)
        eta = load(B, word(W, p + THETA)) * load(B, word(W, p + SERVICE))
        now, then, rise = psffa_busy(number, servers, spread, eta, table, tables, spans, low)
        busy = if_more(tabled, nothing, now * apart, busy)
        waits = if_more(tabled, nothing, then, waits)
        more = if_more(tabled, nothing, rise, more)
        return busy, _virtual_wait(B, W, p, 1, patient, total, busy, nothing), waits, more
    for _ in range(PASSES):
        starts = nothing
        mean = nothing
        square = nothing
        lost = nothing
        waiting = nothing
        for q in range(count):
            here = p + q * OF_QUEUE
            theta = load(B, word(W, here + THETA))
            service = load(B, word(W, here + SERVICE))
            w = _sojourn_wait(theta, virtual, patient)
            phi = load(B, word(W, here + NUMBER)) / (w + service)
            w = most(w, of(1e-9))
            starts = starts + phi
            mean = mean + phi * service
            square = square + phi * service * service * (1.0 + load(B, word(W, here + CV2)))
            lost = lost + phi * w * theta
            waiting = waiting + phi * w
        mean = mean / starts
        spread = 0.5 * square / (starts * mean * mean)
        spread = if_more(of(1e-12), size(spread - 1.0), one, spread)
        spread = if_more(tabled, nothing, spread, one)
        eta = lost / waiting * mean
        now, then, rise = psffa_busy(number, servers, spread, eta, table, tables, spans, low)
        busy = if_more(tabled, nothing, now * apart, busy)
        waits = if_more(tabled, nothing, then, waits)
        more = if_more(tabled, nothing, rise, more)
        turned = _virtual_wait(B, W, p, count, patient, total, busy, virtual)
        virtual = if_more(tabled, nothing, turned, virtual)
    return busy, virtual, waits, more


@compiled
def _left_by_wait(B, W, q, stuck, span, waits):  # type: ignore[no-untyped-def]
    """Odds that are left by the wait, lane by lane."""
    speed, prompt, served = word(W, q + SPEED), word(W, q + PROMPT), word(W, q + SERVED)
    store(B, prompt, waits)
    floors, scales = word(W, q + FLOOR), word(W, q + SCALE)
    for lane in range(WIDTH):
        kept = 1.0
        if not B[stuck * WIDTH + lane] > 0.0:
            virtual, share = B[served * WIDTH + lane], B[prompt * WIDTH + lane]
            low, slow = B[floors * WIDTH + lane], B[scales * WIDTH + lane]
            if B[span * WIDTH + lane] >= 0.0:
                kept = laws.speed_factor_mean(speed, share, virtual / max(share, 1e-12), low, slow)
            else:
                kept = laws.speed_factor(speed, virtual, low, slow)
        B[prompt * WIDTH + lane] = kept


@compiled
def serve(B, W, p, when, spare, table):  # type: ignore[no-untyped-def]
    """Rates of a team's queues, from the leads in them; says where its words end.

    when: row of the weeks since the break; spare: a row to write in.
    """
    nothing = of(0.0)
    one = of(1.0)
    seats = load(B, word(W, p + SEATS))
    skilled = load(B, word(W, p + SKILLED)) + load(B, word(W, p + GROWING)) * load(B, when)
    per = load(B, word(W, p + HEADS)) / seats * load(B, word(W, p + HOURS))
    pace = skilled / seats * load(B, word(W, p + PACE))
    span = load(B, word(W, p + SPAN))
    first = load(B, word(W, p + TABLE))
    low = load(B, word(W, p + LOW))
    left = if_more(skilled, nothing, seats, nothing)
    apart = one
    if word(W, p + OWNED):
        apart = most(seats, one)
    spans = word(W, p + SPAN)
    queues = word(W, p + QUEUES)
    q = p + OF_TEAM
    end = q + queues * OF_QUEUE
    for _ in range(queues):
        weeks = most(load(B, word(W, q + EFFORT)) / pace, of(1e-5))
        store(B, word(W, q + SERVICE), if_more(skilled, nothing, weeks, one))
        store(B, word(W, q + WORKED), if_more(skilled, nothing, weeks * per, nothing))
        number = word(W, q + NUMBER)
        store(B, number, most(load(B, number), nothing))
        q += OF_QUEUE
    p += OF_TEAM
    while p < end:
        count = 1
        patient = word(W, p + PATIENT)
        while not word(W, p + (count - 1) * OF_QUEUE + ENDS):
            patient += word(W, p + count * OF_QUEUE + PATIENT)
            count += 1
        busy, virtual, waits, more = _close_level(
            B, W, p, count, patient, left, apart, table, first, span, low
        )
        stuck = if_more(virtual, of(ENDLESS), one, if_more(left, nothing, nothing, one))
        store(B, spare, stuck)
        pull = nothing
        for i in range(count):
            q = p + i * OF_QUEUE
            theta = load(B, word(W, q + THETA))
            service = load(B, word(W, q + SERVICE))
            number = load(B, word(W, q + NUMBER))
            if count == 1:
                w = if_more(virtual, nothing, service * (number / busy - 1.0), nothing)
            else:
                w = _sojourn_wait(theta, virtual, patient)
            w = if_more(stuck, nothing, of(NEVER), w)
            store(B, word(W, q + SERVED), if_more(stuck, nothing, nothing, virtual))
            store(B, word(W, q + MORE), more)
            if word(W, q + SPEED):
                _left_by_wait(B, W, q, spare, spans, waits)
            done = 1.0 / (w + service)
            share = w * done
            store(B, word(W, q + DONE), done)
            store(B, word(W, q + WAITING), share)
            store(B, word(W, q + COLD), theta * share)
            press = (1.0 + theta * w) * done * done
            store(B, word(W, q + PRESS), press)
            pull = pull + number * service * press
        pull = most(pull, of(1e-12))
        for i in range(count):
            press_at = word(W, p + i * OF_QUEUE + PRESS)
            store(B, press_at, load(B, press_at) / pull)
        left = most(left - busy, nothing)
        p += count * OF_QUEUE
    return end
