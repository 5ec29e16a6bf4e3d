"""The right-hand side of the flow engine, compiled.

State: X (stocks, lanes) and Y (running sums). A lead carries what it has cost and is worth: lanes
are leads by channel, then hours, cost, value (ARR once signed), weeks from arrival to the signature
so far, weeks since the signature and their squares. Whatever leaves a stock takes the same share of
every lane, so what holds for leads holds for their hours and dollars, and nothing is lost on the
way.
"""

from __future__ import annotations

import math
from typing import Final

from simulator import laws
from simulator.engines.flow.closure import fill, psffa_busy, sojourn_wait, virtual_wait
from simulator.engines.flow.compile import compiled
from simulator.engines.flow.layout import AGE, AGE2, COST, CYCLE, HOURS, LURE, VALUE

PASSES: Final = 2  # over the mix of a team's starts
WEEKS_A_YEAR: Final = 365.25 / 7


@compiled
def close_level(  # type: ignore[no-untyped-def]
    number,
    service,
    theta,
    cv2,
    first,
    last,
    seats,
    apart,
    psffa,
    rows,
    there,
    shelved,
    row,
    span,
    low,
):
    """Serve classes first..last - 1 with `seats`: busy, wait of those served, P(wait), d busy.

    apart: queues, each with its part of the leads and of the seats.
    """
    total = 0.0
    for q in range(first, last):
        total += number[q]
    busy = min(total, seats)
    waits = 1.0
    more = 1.0 if total < seats else 0.0
    if not psffa or seats <= 0.0 or total <= 0.0:
        virtual = virtual_wait(number, service, theta, first, last, busy, 0.0)
        return busy, virtual, waits, more
    if last - first == 1:  # of one kind the mix is known
        spread = 0.5 * (1.0 + cv2[first])
        if abs(spread - 1.0) < 1e-12:
            spread = 1.0
        eta = theta[first] * service[first]
        if shelved:
            fill(rows, there, row, span, low, eta, int(seats / apart))
        busy, waits, more = psffa_busy(
            total / apart, int(seats / apart), spread, eta, rows, row, span, low
        )
        busy *= apart
        virtual = virtual_wait(number, service, theta, first, last, busy, 0.0)
        return busy, virtual, waits, more
    virtual = virtual_wait(number, service, theta, first, last, busy, 0.0)
    for _ in range(PASSES):
        starts = mean = square = lost = waiting = 0.0
        for q in range(first, last):
            w = sojourn_wait(theta[q], virtual)
            phi = number[q] / (w + service[q])
            w = max(w, 1e-9)
            starts += phi
            mean += phi * service[q]
            square += phi * service[q] * service[q] * (1.0 + cv2[q])
            lost += phi * w * theta[q]
            waiting += phi * w
        mean /= starts
        spread = 0.5 * square / (starts * mean * mean)
        if abs(spread - 1.0) < 1e-12:
            spread = 1.0
        eta = lost / waiting * mean
        if shelved:
            fill(rows, there, row, span, low, eta, int(seats / apart))
        busy, waits, more = psffa_busy(
            total / apart, int(seats / apart), spread, eta, rows, row, span, low
        )
        busy *= apart
        virtual = virtual_wait(number, service, theta, first, last, busy, virtual)
    return busy, virtual, waits, more


@compiled
def in_time(sla, virtual, waits, psffa):  # type: ignore[no-untyped-def]
    """Of those begun, who waited no longer; of those who wait, the wait is exponential.

    Of a fluid all wait the same: none is late, and then all, over a fiftieth of the time.
    """
    if sla == math.inf or virtual <= 0.0:
        return 1.0
    if psffa:
        return 1.0 - waits * math.exp(-sla * waits / virtual)
    return min(1.0, max(0.0, (1.01 * sla - virtual) / (0.02 * sla)))


@compiled
def serve(t, piece, queues, staff, moves, line):  # type: ignore[no-untyped-def]
    """Rates of every queue now, from the leads in it."""
    k = staff.segment[piece]
    for m in range(len(queues.first) - 1):
        seats = float(staff.seats[piece, m])
        skilled = staff.skilled[piece, m]
        skilled += staff.skilled_rate[piece, m] * (t - staff.begin[piece])
        heads = staff.heads[piece, m]
        for q in range(queues.first[m], queues.first[m + 1]):
            effort = queues.effort[k, q]
            if skilled > 0.0:
                line.service[q] = max(
                    laws.service_weeks(effort, queues.pace[k, m], skilled / seats, 1.0), 1e-5
                )
                moves.hours[q] = line.service[q] * heads / seats * queues.hours[k, m]
                moves.cost[q] = line.service[q] * heads / seats * queues.pay[k, m]
            else:
                line.service[q], moves.hours[q], moves.cost[q] = 1.0, 0.0, 0.0
            line.theta[q] = queues.theta[k, q]
        left = seats if skilled > 0.0 else 0.0
        first = queues.first[m]
        while first < queues.first[m + 1]:
            last = first + 1
            while last < queues.first[m + 1] and queues.priority[last] == queues.priority[first]:
                last += 1
            busy, virtual, waits, more = close_level(
                line.number, line.service, line.theta, queues.cv2, first, last, left,
                max(1.0, seats) if queues.owned[m] else 1.0,
                staff.psffa[m] and staff.row_count[piece, m] > 0,
                staff.rows, staff.there, staff.shelved,
                staff.row_first[piece, m], staff.row_count[piece, m], staff.row_low[piece, m],
            )  # fmt: skip
            pull = 0.0
            for q in range(first, last):
                moves.prompt[q] = 1.0
                line.more[q] = more
                line.level[q] = first
                if virtual == math.inf or left <= 0.0:
                    moves.done[q], line.waiting[q], moves.cold[q] = 0.0, 1.0, line.theta[q]
                    moves.served_wait[q] = line.press[q] = moves.met[q] = 0.0
                    continue
                w = sojourn_wait(line.theta[q], virtual)
                moves.done[q] = 1.0 / (w + line.service[q])
                line.waiting[q] = w * moves.done[q]
                moves.cold[q] = line.theta[q] * line.waiting[q]
                moves.served_wait[q] = virtual
                moves.met[q] = in_time(
                    queues.sla[k, queues.stage[q]], virtual, waits, staff.psffa[m]
                )
                line.press[q] = moves.done[q] * moves.done[q] * (1.0 + line.theta[q] * w)
                pull += line.number[q] * line.service[q] * line.press[q]
                if queues.speed[q]:
                    floor, scale = (
                        queues.floor[k, queues.stage[q]],
                        queues.scale[k, queues.stage[q]],
                    )
                    if staff.psffa[m]:
                        moves.prompt[q] = laws.speed_factor_mean(
                            queues.speed[q], waits, virtual / max(waits, 1e-12), floor, scale
                        )
                    else:
                        moves.prompt[q] = laws.speed_factor(queues.speed[q], virtual, floor, scale)
            for q in range(first, last):
                line.press[q] /= max(pull, 1e-12)
            left = max(0.0, left - busy)
            first = last


@compiled
def arrivals(t, k, channels, demand, customers, free, found):  # type: ignore[no-untyped-def]
    """Leads a week of every channel."""
    weeks = t - demand.edges[k]
    for c in range(channels):
        felt = laws.adstock(demand.carried[k, c], demand.spend[k, c], weeks, demand.adstock[c])
        found[c] = laws.response(
            demand.response[c], felt, demand.at[c], demand.half[c], demand.saturation[c]
        )
    for c in range(channels):
        lifted = 1.0
        for other in range(channels):
            if demand.lift[other, c] > 0.0:
                lifted *= laws.lift(demand.lift[other, c], found[other])
        found[channels + c] = laws.lead_rate(
            demand.now[k, c], found[c], demand.season[k, c], lifted, demand.per_customer[k, c],
            customers, free,
        )  # fmt: skip


@compiled
def lateness(target, slope, leads, age, age2):  # type: ignore[no-untyped-def]
    """Mean lateness factor of those that go live, their time since signature taken as lognormal."""
    if slope <= 0.0 or leads <= 0.0 or age <= 0.0:
        return 1.0
    mean = age / leads
    ratio = age2 * leads / (age * age)
    if ratio <= 1.0 + 1e-9:
        return laws.lateness_factor(mean, target, slope)
    # The excess over the target, as the price of an option (Black & Scholes 1973).
    sd = math.sqrt(math.log(min(ratio, 1e6)))
    d = math.log(mean / target) / sd + 0.5 * sd
    up = 0.5 * math.erfc(-d / math.sqrt(2.0))
    down = 0.5 * math.erfc(-(d - sd) / math.sqrt(2.0))
    excess = max(0.0, mean * up - target * down)
    return laws.lateness_factor(target + excess, target, slope)


@compiled
def count(links, X, moves, line):  # type: ignore[no-untyped-def]
    """Leads in every stock and queue."""
    for q in range(len(line.number)):
        line.number[q] = 0.0
    for i in range(len(links.kind)):
        n = 0.0
        for c in range(links.channels):
            n += X[i, c]
        moves.leads[i] = n
        if links.queue[i] >= 0:
            line.number[links.queue[i]] += n
    for q in range(len(line.number)):
        line.number[q] = max(line.number[q], 0.0)


@compiled
def rates(  # type: ignore[no-untyped-def]
    t, piece, X, Y, links, queues, life, staff, sums, moves, line, opened
):  # fmt: skip
    """What share of each stock leaves along each edge in a week."""
    k = staff.segment[piece]
    count(links, X, moves, line)
    serve(t, piece, queues, staff, moves, line)
    for i in links.workers:
        q = links.queue[i]
        for e in range(links.first[i], links.first[i + 1]):
            takes = links.takes[e]
            rate = moves.cold[q] if takes == 3 else moves.done[q]
            if takes == 1:
                rate *= moves.prompt[q]
            elif takes == 2:
                rate *= 1.0 - moves.prompt[q]
            moves.flow[e] = rate * links.share[k, e]
    for g in range(len(links.goes)):
        i = links.goes_from[g]
        moves.late[links.goes[g]] = lateness(
            life.target_weeks[k], life.late[k], moves.leads[i],
            X[i, links.channels + AGE], X[i, links.channels + AGE2],
        )  # fmt: skip
        if links.age[links.goes[g]] == 3:
            moves.late[links.goes[g]] *= life.lure[k]
        elif links.lanes > links.channels + LURE and moves.leads[i] > 1e-12:
            lured = X[i, links.channels + LURE] / moves.leads[i]
            moves.late[links.goes[g]] *= 1.0 + max(0.0, lured)
    churn = life.churn[k] if opened else 0.0
    if moves.leads[life.live] > 1e-12:
        churn *= max(1.0, Y[sums.late] / moves.leads[life.live])
    moves.flow[links.first[life.live]] = churn


@compiled
def hold(k, links, moves):  # type: ignore[no-untyped-def]
    """Set the flows that stay the same in a segment: those out of phases."""
    for i in range(len(links.kind)):
        if links.kind[i] == 0:
            for e in range(links.first[i], links.first[i + 1]):
                moves.flow[e] = links.rate[k, i] * links.share[k, e]


@compiled
def add_sums(k, links, queues, sums, moves, leads, phases, dY):  # type: ignore[no-untyped-def]
    """Running sums that are linear in the leads, at the rates of the moment, for any `leads`.

    phases: whether to count advances out of phases too, whose rates never change.
    """
    for i in links.workers:
        q = links.queue[i]
        dY[sums.done + q] += moves.done[q] * leads[i]
        dY[sums.cold + q] += moves.cold[q] * leads[i]
        if sums.due > sums.met and queues.sla[k, queues.stage[q]] < math.inf:
            begun = moves.done[q] * leads[i]
            dY[sums.met + queues.stage[q]] += begun * moves.met[q]
            dY[sums.due + queues.stage[q]] += begun + moves.cold[q] * leads[i]
        dY[sums.wait + queues.stage[q]] += moves.done[q] * leads[i] * moves.served_wait[q]
        for e in range(links.first[i], links.first[i + 1]):
            if links.takes[e] < 3:
                # By edges, so that hours on leads add up to hours worked.
                dY[sums.busy + queues.team[q]] += moves.flow[e] * leads[i] * moves.hours[q]
    for g in range(len(links.goes)):
        e, i = links.goes[g], links.goes_from[g]
        if phases or links.queue[i] >= 0:
            dY[sums.late] += moves.flow[e] * leads[i] * moves.late[e]
    for a in range(len(links.adv_from)):
        i = links.adv_from[a]
        q = links.queue[i]
        if q < 0 and not phases:
            continue
        rate = links.rate[k, i] if q < 0 else moves.done[q]
        if links.adv_takes[a] == 1:
            rate *= moves.prompt[q]
        elif links.adv_takes[a] == 2:
            rate *= 1.0 - moves.prompt[q]
        dY[sums.advanced + links.adv_stage[a]] += rate * links.adv_share[k, a] * leads[i]


@compiled
def slope(  # type: ignore[no-untyped-def]
    t, piece, X, Y, links, queues, demand, life, staff, sums, moves, line, opened, dX, dY
):  # fmt: skip
    """Derivatives of X and Y; leaves the rates of the moment in room."""
    k = staff.segment[piece]
    n, C = len(links.kind), links.channels
    lanes = links.lanes
    rates(t, piece, X, Y, links, queues, life, staff, sums, moves, line, opened)
    for i in range(n):
        for c in range(lanes):
            dX[i, c] = 0.0
    for i in range(len(dY)):
        dY[i] = 0.0
    arr = Y[sums.base + 2]
    for i in range(n):
        if links.kind[i] == 3:
            continue
        out = 0.0
        for e in range(links.first[i], links.first[i + 1]):
            flow = moves.flow[e]
            if flow != 0.0:
                out += flow
                j = links.target[e]
                for c in range(lanes):
                    dX[j, c] += flow * X[i, c]
        for c in range(lanes):
            dX[i, c] -= out * X[i, c]
        if links.kind[i] < 2 and links.sold[i]:
            dX[i, C + AGE2] += 2.0 * X[i, C + AGE]
        if links.sold[i]:
            dX[i, C + VALUE] += life.expansion[k] * X[i, C + VALUE]
            dY[sums.expansion] += life.expansion[k] * X[i, C + VALUE]
            arr += X[i, C + VALUE]
    if lanes > C + LURE:
        for w in range(len(links.wins)):
            i, j = links.wins_from[w], links.target[links.wins[w]]
            flow = moves.flow[links.wins[w]]
            dX[j, C + VALUE] -= life.discount[k] * flow * X[i, C + VALUE]
            dX[j, C + LURE] += (life.lure[k] - 1.0) * flow * moves.leads[i]
    add_burden(links, moves, moves.leads, dX)
    dY[sums.expansion] += life.expansion[k] * Y[sums.base + 2]
    dY[sums.revenue] = arr / WEEKS_A_YEAR
    lost = 0.0
    for i in range(n):
        if links.kind[i] == 3:
            for c in range(C):
                lost += dX[i, c]
    churn = life.churn[k] if opened else 0.0
    here, worth = Y[sums.base], Y[sums.base + 2]
    dY[sums.base] = -churn * here
    dY[sums.base + 1] = churn * here
    dY[sums.base + 2] = (life.expansion[k] - churn) * worth
    dY[sums.base + 3] = churn * worth
    lost += churn * here
    cooling = cool(life.cool_enter, life.cool_rate, life.cool_chained, k, sums.cooling, Y, lost, dY)
    customers = here + (moves.leads[life.live] if opened else 0.0)
    taken = 0.0
    if life.accounts > 0.0:
        taken = here + cooling
        for i in range(n):
            if links.kind[i] < 3:
                taken += moves.leads[i]
    free = laws.market_share_free(life.accounts, taken)
    arrivals(t, k, C, demand, customers, free, line.arriving)
    for c in range(C):
        rate = line.arriving[C + c]
        dY[sums.arrived + c] = rate
        for s in range(len(demand.src_channel)):
            if demand.src_channel[s] == c:
                j = demand.src_node[s]
                coming = rate * demand.src_share[k, s]
                dX[j, c] += coming
                dX[j, C + VALUE] += coming * demand.value[k, c]
                if links.sold[j] and lanes > C + LURE:
                    dX[j, C + VALUE] -= life.discount[k] * coming * demand.value[k, c]
                    dX[j, C + LURE] += (life.lure[k] - 1.0) * coming
                if j == life.live:
                    dY[sums.late] += coming * life.lure[k]
    if opened:
        for e in range(links.first[life.live], links.first[life.live + 1]):
            dY[sums.late] -= moves.flow[e] * Y[sums.late]
    add_sums(k, links, queues, sums, moves, moves.leads, True, dY)


@compiled
def add_burden(links, moves, leads, dX):  # type: ignore[no-untyped-def]
    """Hours, their cost and weeks that leads take on, at the rates of the moment."""
    for i in range(len(links.kind)):
        if links.kind[i] < 2:
            dX[i, links.channels + (AGE if links.sold[i] else CYCLE)] += leads[i]
    add_work(links, moves, leads, dX)


@compiled
def add_work(links, moves, leads, dX):  # type: ignore[no-untyped-def]
    """Hours that finished work puts on leads, and their cost."""
    hours, cost = links.channels + HOURS, links.channels + COST
    for i in links.workers:
        q = links.queue[i]
        for e in range(links.first[i], links.first[i + 1]):
            if links.takes[e] < 3:
                worked = moves.flow[e] * leads[i]
                dX[links.target[e], hours] += worked * moves.hours[q]
                dX[links.target[e], cost] += worked * moves.cost[q]


@compiled
def cool(enter, rate, chained, k, begin, Y, lost, dY):  # type: ignore[no-untyped-def]
    """Accounts that cannot become leads yet; returns their number."""
    held = 0.0
    phases = len(enter)
    for p in range(phases):
        here = Y[begin + p]
        held += here
        dY[begin + p] += lost * enter[p] - rate[k, p] * here
        if chained and p + 1 < phases:
            dY[begin + p + 1] += rate[k, p] * here
    return held
