"""How many runs of one structure lie side by side: what they share, and a row for all that varies.

Leads of all channels are one lane of a stock here, as they leave at the same rates; hours and
dollars by lead are left out, which nothing that a sweep keeps is read from. So a stock has the
leads, their value, their weeks to the signature, and, where going live late has a price, the weeks
since it and their squares.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator import laws
from simulator.engines.flow.layout import Demand, Net, Staff, Sums, sums_of
from simulator.engines.flow.linear import Pattern
from simulator.engines.flow.vectors import WIDTH

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Parts of a stock.
LEADS, WORTH, TO_SIGN, SINCE, SINCE2 = range(5)
# Absolute tolerances: of leads, hours, value, squares of weeks.
OF_LEADS, OF_HOURS, OF_VALUE, OF_SQUARES = range(4)
# Rows of who works, by team.
SEATS, HEADS, SKILLED, GROWING, TABLE, SPAN, LOW, PER_TEAM = range(8)


class Shape(NamedTuple):
    """What all runs of a batch have in common."""

    size: int  # stocks
    parts: int
    kind: Ints
    queue: Ints
    sold: Flags
    first: Ints
    target: Ints
    takes: Ints
    workers: Ints
    goes: Ints
    goes_from: Ints
    adv_from: Ints
    adv_stage: Ints
    adv_takes: Ints
    gone: Ints
    live: int
    team_first: Ints
    team: Ints  # (Q,)
    stage: Ints
    level: Ints  # (Q + 1,) first queue of each one's level; at the end, the number of queues
    speed: Ints
    owned: Flags
    response: Ints
    lift_from: Ints
    lift_to: Ints
    src_channel: Ints
    src_node: Ints
    chained: bool
    sums: Sums
    scale: Ints  # (rows of the state,) which tolerance
    diagonal: Ints
    row_first: Ints
    column: Ints
    edge: Ints


class Given(NamedTuple):
    """Where each parameter's rows begin."""

    share: int  # by edge; of phases, times their rate
    adv: int
    effort: int
    theta: int
    cv2: int
    floor: int
    scale: int
    pace: int
    hours: int
    at: int
    half: int
    saturation: int
    adstock: int
    carried: int
    spend: int
    now: int  # leads a week today, times the season
    response: int  # where spend and what is felt of it stay the same; else below 0
    per_customer: int
    value: int
    lift: int
    src: int
    cool_rate: int
    cool_enter: int
    accounts: int
    churn: int
    expansion: int
    target: int
    late: int
    customers: int
    arr: int
    atol: int
    end: int


def _places(group: type[Any], sizes: dict[str, int]) -> Any:
    """Rows one after the other, in the order of the group's fields."""
    at, found = 0, {}
    for name in group._fields:
        found[name] = at
        at += sizes.get(name, 0)
    return group(**found)


def shape_of(
    net: Net, pattern: Pattern, lift: Floats, stages: int, teams: int
) -> tuple[Shape, Given]:
    """The common structure, from one of the runs. lift: (C, C) of channels."""
    links, queues, demand, life = net.links, net.queues, net.demand, net.life
    parts = 5 if (life.late > 0.0).any() else 3
    n, q, channels = len(links.kind), len(queues.stage), links.channels
    edges = len(links.target)
    sums = sums_of(q, stages, teams, channels, len(life.cool_enter))
    level = np.zeros(q + 1, dtype=np.int64)
    for i in range(q):
        same = i > 0 and queues.team[i] == queues.team[i - 1]
        same = same and queues.priority[i] == queues.priority[i - 1]
        level[i] = level[i - 1] if same else i
    level[q] = q
    scale = np.full(n * parts + sums.size, OF_LEADS, dtype=np.int64)
    scale[: n * parts].reshape(n, parts)[:, WORTH] = OF_VALUE
    if parts > SINCE2:
        scale[: n * parts].reshape(n, parts)[:, SINCE2] = OF_SQUARES
    y = scale[n * parts :]
    y[sums.busy : sums.arrived] = OF_HOURS
    y[sums.expansion : sums.late] = OF_VALUE
    y[sums.base + 2 : sums.base + 4] = OF_VALUE
    lift_from, lift_to = np.nonzero(lift > 0.0)
    shape = Shape(
        size=n, parts=parts, kind=links.kind, queue=links.queue, sold=links.sold,
        first=links.first, target=links.target, takes=links.takes, workers=links.workers,
        goes=links.goes, goes_from=links.goes_from, adv_from=links.adv_from,
        adv_stage=links.adv_stage, adv_takes=links.adv_takes,
        gone=np.flatnonzero(links.kind == 3), live=life.live, team_first=queues.first,
        team=queues.team, stage=queues.stage, level=level, speed=queues.speed, owned=queues.owned,
        response=demand.response, lift_from=lift_from.astype(np.int64),
        lift_to=lift_to.astype(np.int64), src_channel=demand.src_channel,
        src_node=demand.src_node, chained=life.cool_chained, sums=sums, scale=scale,
        diagonal=pattern.diagonal, row_first=pattern.first, column=pattern.column,
        edge=pattern.edge,
    )  # fmt: skip
    phases, sources = len(life.cool_enter), len(demand.src_channel)
    by = dict.fromkeys(("effort", "theta", "cv2", "floor", "scale"), q)
    by |= dict.fromkeys(("pace", "hours"), teams)
    by |= dict.fromkeys(
        ("at", "half", "saturation", "adstock", "carried", "spend", "now", "response",
         "per_customer", "value"), channels,
    )  # fmt: skip
    by |= dict.fromkeys(("accounts", "churn", "expansion", "target", "late", "customers", "arr"), 1)
    by |= {"share": edges, "adv": len(links.adv_from), "lift": len(lift_from), "src": sources}
    by |= {"cool_rate": phases, "cool_enter": phases, "atol": 4}
    given: Given = _places(Given, by)
    return shape, given


def parameters_of(net: Net, customers: Floats, arr: Floats, atol: float) -> Floats:
    """Parameters by point, (N, B, rows), in the order of Given.

    net: of N points, their segments one below the other; customers, arr: (N,) at the start.
    """
    links, queues, demand, life = net.links, net.queues, net.demand, net.life
    points = len(customers)
    total = len(links.share)
    segments = total // points
    source = np.repeat(np.arange(len(links.kind)), np.diff(links.first))
    delayed = links.kind[source] == 0
    rate = np.where(delayed[None, :], links.rate[:, source], 1.0)
    counted = links.queue[links.adv_from] < 0
    tapped = np.where(counted[None, :], links.rate[:, links.adv_from], 1.0)
    still = (demand.adstock <= 0.0) | (demand.carried == demand.spend)

    def flat(values: Any) -> Floats:
        return np.broadcast_to(np.atleast_1d(values), (total, np.size(values)))

    def widest(values: Floats) -> Floats:
        """The largest of each point, in each of its segments."""
        most = values.reshape(points, -1).max(axis=1, initial=0.0)
        found: Floats = np.repeat(most, segments)
        return found

    ones = np.ones(total)
    hours = np.maximum(1.0, widest(queues.effort.sum(axis=1)))
    tolerances = atol * np.column_stack([ones, hours, widest(demand.value), 10.0 * ones])
    parts = [
        links.share * rate, links.adv_share * tapped, queues.effort, queues.theta, queues.cv2,
        queues.floor[:, queues.stage], queues.scale[:, queues.stage], queues.pace, queues.hours,
        demand.at, demand.half, demand.saturation, demand.adstock, demand.carried, demand.spend,
        demand.now * demand.season, np.where(still, responses(demand), -1.0), demand.per_customer,
        demand.value, demand.lift, demand.src_share, life.cool_rate, flat(life.cool_enter),
        np.broadcast_to(life.accounts, (total,))[:, None], life.churn[:, None],
        life.expansion[:, None], life.target_weeks[:, None], life.late[:, None],
        np.repeat(customers, segments)[:, None], np.repeat(arr, segments)[:, None],
        tolerances,
    ]  # fmt: skip
    return np.concatenate(parts, axis=1).reshape(points, segments, -1)


def responses(demand: Demand) -> Floats:
    """Response to spend where all of it is felt, (B, C)."""
    found = np.vectorize(laws.response, otypes=[np.float64])(
        demand.response[None, :], demand.spend, demand.at, demand.half, demand.saturation
    )
    return np.asarray(found)


def staff_rows(staff: Staff) -> Floats:
    """Who works by piece, (P, PER_TEAM x M)."""
    span = np.where(staff.psffa[None, :], staff.row_count, -1)
    parts = (
        staff.seats, staff.heads, staff.skilled, staff.skilled_rate, staff.row_first, span,
        staff.row_low,
    )  # fmt: skip
    found: Floats = np.concatenate([np.asarray(x, dtype=np.float64) for x in parts], axis=1)
    return found


def side_by_side(runs: Floats) -> Floats:
    """Runs (N, ., .) as blocks of lanes, (., ., ., WIDTH), the last filled up with its first."""
    short = -len(runs) % WIDTH
    last = runs[len(runs) - 1 - (len(runs) - 1) % WIDTH]
    stacked = np.concatenate([runs, np.repeat(last[None], short, axis=0)])
    blocks = stacked.reshape(len(stacked) // WIDTH, WIDTH, *stacked.shape[1:])
    return np.ascontiguousarray(np.moveaxis(blocks, 1, -1))
