"""What the compiled right-hand side of the flow engine reads and writes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Lanes after those of the channels.
HOURS, COST, VALUE, CYCLE, AGE, AGE2 = range(6)
EXTRA, LURE = 6, 6  # one more where there are discounts: what they add to churn


class Links(NamedTuple):
    """Stocks in order of elimination, and the edges between them, by source."""

    channels: int
    lanes: int
    kind: Ints  # (n,)
    queue: Ints  # (n,)
    sold: NDArray[np.bool_]  # (n,)
    first: Ints  # (n + 1,) edges by source
    target: Ints  # (E,)
    takes: Ints
    age: Ints
    share: Floats  # (B, E)
    rate: Floats  # (B, n)
    workers: Ints  # stocks of work
    goes: Ints  # edges of those that go live, and the stocks they leave
    goes_from: Ints
    wins: Ints  # edges of those that sign, and the stocks they leave
    wins_from: Ints
    adv_from: Ints  # (A,) what is counted: from which stock, by what, into which sum
    adv_stage: Ints
    adv_takes: Ints
    adv_share: Floats  # (B, A)


class Queues(NamedTuple):
    """Work that waits, by team and then priority."""

    first: Ints  # (M + 1,)
    team: Ints  # (Q,)
    stage: Ints
    priority: Ints
    effort: Floats  # (B, Q)
    cv2: Floats
    theta: Floats  # (B, Q)
    speed: Ints
    floor: Floats  # (B, S)
    scale: Floats
    hours: Floats  # (B, M) a week, of those paid for leads
    pace: Floats  # hours that those are worth
    pay: Floats
    sla: Floats  # (B, S) how soon work is to begin
    owned: NDArray[np.bool_]  # (M,) each person has a queue


class Demand(NamedTuple):
    """Arrivals, (C,) or (B, C)."""

    response: Ints
    at: Floats
    half: Floats
    saturation: Floats
    adstock: Floats
    carried: Floats  # at the segment's start
    lift: Floats  # (C, C)
    spend: Floats
    now: Floats
    season: Floats
    per_customer: Floats
    value: Floats
    edges: Floats  # (B + 1,)
    src_channel: Ints
    src_node: Ints
    src_share: Floats  # (B, .)


class Life(NamedTuple):
    """Customers and the market."""

    live: int
    accounts: float
    cool_rate: Floats  # (B, P)
    cool_enter: Floats  # (P,)
    cool_chained: bool
    churn: Floats  # (B,)
    expansion: Floats
    target_weeks: Floats
    late: Floats
    discount: Floats
    lure: Floats  # churn of those won at the discount over that of others


class Odds(NamedTuple):
    """Shares that move in a run: V variables, and T terms that are numbers times variables."""

    code: Ints  # (V,)
    place: Ints
    fit: Ints
    node: Ints  # stock whose age counts, or -1
    value: Floats
    good: Floats  # (B, C)
    rework: Floats  # (B, S)
    us: Floats  # (B, S, 2)
    them: Floats
    accepted: Floats  # (B, H, 2)
    returned: Floats  # (B, H)
    decay: Floats  # (S,)
    after: Floats
    into: Ints  # (T,)
    at: Ints
    begins: NDArray[np.bool_]  # the first term of its share
    number: Floats  # (B, T)
    of: Ints  # (T, most) variables, -1 for none


class Net(NamedTuple):
    """Structure and parameters by segment."""

    links: Links
    queues: Queues
    demand: Demand
    life: Life
    odds: Odds


class Staff(NamedTuple):
    """Who works between two breaks, (P, M), and how their team is closed."""

    segment: Ints  # (P,)
    begin: Floats  # (P,)
    seats: Ints
    heads: Floats
    skilled: Floats  # full weeks of productive people at the piece's start
    skilled_rate: Floats  # and their growth a week
    psffa: NDArray[np.bool_]  # (M,)
    rows: Floats  # (R, 2, NODES)
    there: NDArray[np.bool_]  # (R,) which of the rows are filled
    shelved: bool  # whether some are not
    row_first: Ints
    row_count: Ints
    row_low: Floats


class Moves(NamedTuple):
    """Leads, and the rates of the moment."""

    leads: Floats  # (n,)
    done: Floats  # (Q,) a lead's rate of being finished
    cold: Floats  # (Q,)
    hours: Floats  # (Q,) of one piece of work
    cost: Floats
    prompt: Floats  # (Q,) odds left by the wait
    served_wait: Floats
    met: Floats  # of those begun, who waited no longer than they were to
    flow: Floats  # (E,) share of a stock a week
    late: Floats  # (E,) lateness factor of those that go live


class Line(NamedTuple):
    """Queues at the moment, (Q,)."""

    waiting: Floats  # share of the leads
    number: Floats
    service: Floats  # weeks
    theta: Floats
    more: Floats  # busy of the queue's level by leads in it
    press: Floats  # fall of its rate with the level's work that is not busy
    level: Ints  # first queue of its level
    arriving: Floats  # (2 C,) response of the channels, then their leads a week


class Room(NamedTuple):
    """Working memory of the right-hand side."""

    moves: Moves
    line: Line


class Sums(NamedTuple):
    """Where each running sum begins in Y."""

    done: int
    cold: int
    advanced: int  # by stage, then visits without a team
    wait: int
    busy: int
    arrived: int
    expansion: int
    revenue: int
    late: int  # sum of the lateness factors of live customers
    base: int  # customers of week 0: here, gone, ARR, ARR gone
    met: int  # by stage, where something was promised: begun in time, and all
    due: int
    cooling: int
    size: int


def sums_of(
    queues: int, stages: int, teams: int, channels: int, cooling: int, promised: bool = False
) -> Sums:
    """The layout of Y; promised: whether there are SLAs at stages."""
    told = stages if promised else 0
    places = [0]
    ones = (1, 1, 1, 4)
    for width in (queues, queues, 2 * stages, stages, teams, channels, *ones, told, told, cooling):
        places.append(places[-1] + width)
    return Sums(*places)
