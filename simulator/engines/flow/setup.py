"""A System's graph as the arrays of the compiled right-hand side, and who works when."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from simulator import laws
from simulator.engines.flow import closure as closures
from simulator.engines.flow.graph import GO_LIVE, MOMENT, WIN, WIN_AND_LIVE, Graph
from simulator.engines.flow.layout import (
    EXTRA,
    Demand,
    Life,
    Line,
    Links,
    Moves,
    Net,
    Queues,
    Room,
    Staff,
)
from simulator.engines.flow.linear import Pattern, elimination_order, pattern_of
from simulator.engines.flow.routes import phases
from simulator.engines.flow.shares import (
    TO_COUNT,
    TO_EDGE,
    TO_SOURCE,
    Terms,
    columns,
    odds_of,
    terms_of,
)
from simulator.system import System

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

G = TypeVar("G")
LARGE: Final = 1000  # people beyond which a team is closed as a fluid


def _ints(values: object) -> Ints:
    return np.array(values, dtype=np.int64)


def _columns(tables: list[Floats], segments: int) -> Floats:
    if not tables:
        return np.zeros((segments, 0))
    return np.ascontiguousarray(np.column_stack(tables))


def _own(group: G) -> G:
    """The arrays of a tuple, contiguous."""
    parts: Any = group
    return group._make(np.ascontiguousarray(x) if isinstance(x, np.ndarray) else x for x in parts)  # type: ignore[attr-defined, no-any-return]


def carried(system: System) -> Floats:
    """Spend that is still at work at the start of every segment, (B, C)."""
    c = system.channels
    found = np.array(c.spend)
    width = np.diff(system.edges)
    for i in np.flatnonzero(c.adstock > 0):
        felt = c.carried[i]
        for k in range(len(found)):
            found[k, i] = felt
            felt = laws.adstock(felt, c.spend[k, i], width[k], c.adstock[i])
    return found


def _terms(graph: Graph, by_source: Ints) -> Terms:
    """What moves among the shares of edges, counts and sources, by their places."""
    shares = list(graph.edges.values())
    return [
        *terms_of(TO_EDGE, [shares[i] for i in by_source]),
        *terms_of(TO_COUNT, list(graph.counted.values())),
        *terms_of(TO_SOURCE, list(graph.sources.values())),
    ]


def net_of(graph: Graph) -> tuple[Net, Pattern, Ints]:
    """Arrays of a graph; also the stocks in their new order."""
    s = graph.system
    st, ch = s.stages, s.channels
    segments = len(s.edges) - 1
    size = len(graph.nodes)
    keys = _ints(list(graph.edges)).reshape(-1, 4)
    order = elimination_order(size, keys[:, 0], keys[:, 1])
    place = np.empty(size, dtype=np.int64)
    place[order] = np.arange(size)
    nodes = [graph.nodes[i] for i in order]
    source, target = place[keys[:, 0]], place[keys[:, 1]]
    by_source = np.argsort(source, kind="stable")
    source, target = source[by_source], target[by_source]
    share = columns(list(graph.edges.values()), segments)[:, by_source]
    queue_order = sorted(
        range(len(graph.queues)),
        key=lambda q: (graph.queues[q].team, st.priority[graph.queues[q].stage], q),
    )
    new_queue = {q: i for i, q in enumerate(queue_order)}
    queues = [graph.queues[q] for q in queue_order]
    ones = np.ones(segments)
    theta = [
        0.0 * ones if q.patience is None else 1.0 / np.maximum(q.patience, MOMENT) for q in queues
    ]
    taps = _ints(list(graph.counted)).reshape(-1, 3)
    sources = _ints(list(graph.sources)).reshape(-1, 3)
    cool = (
        phases(int(s.cool_down.law[0]), float(s.cool_down.cv[0])) if len(s.cool_down.law) else None
    )
    if cool is not None:
        mean = np.maximum(s.cool_down.mean[:, 0], MOMENT)
        cool_rate = np.array(cool.rate)[None, :] / mean[:, None]
        cool_enter = np.array(cool.enter)
    else:
        cool_rate, cool_enter = np.zeros((segments, 0)), np.zeros(0)
    signing = np.isin(keys[by_source, 3], (WIN, WIN_AND_LIVE))
    discounts = s.rules is not None and bool(np.isfinite(s.rules.market[0]["reference"]))
    links = Links(
        channels=len(s.channel_names),
        lanes=len(s.channel_names) + EXTRA + discounts,
        kind=_ints([n.kind for n in nodes]),
        queue=_ints([new_queue[n.queue] if n.queue >= 0 else -1 for n in nodes]),
        sold=np.array([n.sold for n in nodes]),
        first=np.searchsorted(source, np.arange(size + 1)).astype(np.int64),
        target=target,
        takes=np.ascontiguousarray(keys[by_source, 2]),
        age=np.ascontiguousarray(keys[by_source, 3]),
        share=np.ascontiguousarray(share),
        rate=_columns([0.0 * ones if n.rate is None else n.rate for n in nodes], segments),
        workers=np.flatnonzero([n.queue >= 0 for n in nodes]),
        goes=np.flatnonzero(keys[by_source, 3] >= GO_LIVE),
        goes_from=source[keys[by_source, 3] >= GO_LIVE],
        wins=np.flatnonzero(signing),
        wins_from=source[signing],
        adv_from=place[taps[:, 0]],
        adv_stage=np.ascontiguousarray(taps[:, 1]),
        adv_takes=np.ascontiguousarray(taps[:, 2]),
        adv_share=columns(list(graph.counted.values()), segments),
    )
    line = Queues(
        first=np.searchsorted(
            _ints([q.team for q in queues]), np.arange(len(s.team_names) + 1)
        ).astype(np.int64),
        team=_ints([q.team for q in queues]),
        stage=_ints([q.stage for q in queues]),
        priority=_ints([st.priority[q.stage] for q in queues]),
        effort=_columns([q.effort for q in queues], segments),
        cv2=np.array([q.cv**2 for q in queues]),
        theta=_columns(theta, segments),
        speed=_ints([0 if q.review else st.speed_kind[q.stage] for q in queues]),
        floor=st.speed_floor,
        scale=st.speed_scale,
        hours=s.hours.copy(),
        pace=s.hours.copy(),
        pay=s.team_cost,
        sla=st.sla,
        owned=s.owned,
    )
    demand = Demand(
        response=ch.kind,
        at=ch.at,
        half=ch.half,
        saturation=ch.saturation,
        adstock=ch.adstock,
        carried=carried(s),
        lift=ch.lift,
        spend=ch.spend.copy(),
        now=ch.now.copy(),
        season=ch.season,
        per_customer=ch.per_customer.copy(),
        value=ch.value,
        edges=s.edges,
        src_channel=np.ascontiguousarray(sources[:, 0]),
        src_node=place[sources[:, 1]],
        src_share=columns(list(graph.sources.values()), segments),
    )
    life = Life(
        live=int(place[graph.live]),
        accounts=s.accounts,
        cool_rate=cool_rate,
        cool_enter=cool_enter,
        cool_chained=cool is not None and cool.chained,
        churn=s.customers.churn.copy(),
        expansion=s.customers.expansion,
        target_weeks=s.customers.target,
        late=s.customers.late_churn,
        discount=np.zeros(segments),
        lure=np.ones(segments),
    )
    odds = odds_of(
        s, graph.branchings.variables, place, _terms(graph, by_source), graph.branchings.shares
    )
    net = Net(_own(links), _own(line), _own(demand), _own(life), _own(odds))
    return net, pattern_of(size, source, target), order


def room_of(net: Net) -> Room:
    """Working memory of the right size."""
    queues, edges = len(net.queues.stage), len(net.links.target)
    moves = Moves(
        np.zeros(len(net.links.kind)), *np.zeros((7, queues)), np.zeros(edges), np.ones(edges)
    )  # type: ignore[call-arg]
    line = Line(
        *np.zeros((6, queues)), np.zeros(queues, dtype=np.int64), np.zeros(2 * net.links.channels)
    )  # type: ignore[call-arg]
    return Room(moves, line)


def breaks(system: System, grid: bool = True) -> Floats:
    """Times between which nothing changes by plan: segments, people, ramps, the save grid.

    grid: whether what is to be saved needs a break.
    """
    p = system.people
    ramp = system.ramp[p.team]
    saved = system.grid if grid else np.array([0.0])
    times = np.concatenate([system.edges, saved, p.join, p.leave, p.ramp_from + ramp])
    start, end = system.edges[0], system.horizon
    if (system.buyer.decay > 0).any():
        # The mean age of a stock is read once a week.
        times = np.append(times, np.arange(start, 0.0))
    return np.unique(times[(times >= start) & (times <= end)])


def people_in(system: System, times: Floats) -> tuple[Ints, Floats, Floats, Floats]:
    """By piece between times, (P, M): seats, heads, skilled heads at its start and end."""
    p = system.people
    begin, end = times[:-1], times[1:]
    here = (p.join[None, :] <= begin[:, None]) & (begin[:, None] < p.leave[None, :])
    skill = np.ones((2, *here.shape))
    for i in np.flatnonzero(p.ramp_from > -math.inf):
        ramp, low = float(system.ramp[p.team[i]]), float(system.ramp_start[p.team[i]])
        for j in np.flatnonzero(here[:, i]):
            for side, t in enumerate((begin[j], end[j])):
                skill[side, j, i] = laws.skill(t - p.ramp_from[i], ramp, low)
    shape = (len(begin), len(system.team_names))
    seats, heads = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    skilled = np.zeros((2, *shape))
    for m in range(shape[1]):
        mine = p.team == m
        seats[:, m] = here[:, mine].sum(axis=1)
        heads[:, m] = here[:, mine] @ p.share[mine]
        for side in range(2):
            skilled[side, :, m] = (here[:, mine] * skill[side][:, mine]) @ p.share[mine]
    return seats, heads, skilled[0], skilled[1]


@dataclass
class Tables:
    """Steady states of queues that staffs read, which may be those of many runs."""

    rows: list[Floats] = field(default_factory=lambda: [np.zeros((2, closures.NODES))])
    places: dict[tuple[int, float, int], int] = field(default_factory=dict)


def staff_of(
    system: System,
    net: Net,
    times: Floats,
    closure: str,
    tables: Tables | None = None,
    everyone: tuple[Ints, Floats, Floats, Floats] | None = None,
) -> tuple[Staff, list[str]]:
    """Who works in each piece, and the tables their teams are closed with; notes.

    tables: to add to, and to leave out of the result. everyone: of people_in, if it is known.
    """
    shared, tables = tables is not None, tables or Tables()
    rows, places = tables.rows, tables.places
    seats, heads, skilled, later = everyone or people_in(system, times)
    width = np.diff(times)
    middle = 0.5 * (times[:-1] + times[1:])
    segment = np.searchsorted(system.edges, middle, side="right") - 1
    teams = len(system.team_names)
    psffa = np.zeros(teams, dtype=np.bool_)
    first = np.zeros(seats.shape, dtype=np.int64)
    count = np.ones(seats.shape, dtype=np.int64)
    low = np.zeros(seats.shape)
    notes = []
    for m, name in enumerate(system.team_names):
        mine = slice(net.queues.first[m], net.queues.first[m + 1])
        if mine.start == mine.stop:
            continue
        ranked = len(set(net.queues.priority[mine].tolist())) > 1
        if closure == "auto" and (ranked or seats[:, m].max() > LARGE):
            why = "priorities" if ranked else f"more than {LARGE} people"
            notes.append(f"team {name}: closed as a fluid, for its {why}")
            continue
        if closure == "fluid":
            continue
        psffa[m] = True
        low[:, m], span = _patience(net, m, mine, segment, seats, skilled, later)
        served = np.minimum(seats[:, m], 1) if system.owned[m] else seats[:, m]
        for c in np.unique(served):
            if c == 0:
                continue
            there = served == c
            eta = float(low[0, m])
            key = (int(c), eta, span)
            if key not in places:
                places[key] = len(rows)
                if span == 0:
                    rows.append(closures.row(int(c), eta))
                else:
                    steps = np.round(eta / closures.LOG_STEP) + np.arange(span)
                    rows += [closures.row(int(c), math.exp(i * closures.LOG_STEP)) for i in steps]
            first[there, m] = places[key]
            count[there, m] = max(1, span)
    staff = Staff(
        segment=segment.astype(np.int64),
        begin=np.ascontiguousarray(times[:-1]),
        seats=seats,
        heads=heads,
        skilled=skilled,
        skilled_rate=(later - skilled) / width[:, None],
        psffa=psffa,
        rows=np.array(rows[:1] if shared else rows),
        there=np.ones(len(rows), dtype=np.bool_),
        shelved=False,
        row_first=first,
        row_count=count,
        row_low=low,
    )
    return staff, notes


def _patience(
    net: Net, m: int, mine: slice, segment: Ints, seats: Ints, skilled: Floats, later: Floats
) -> tuple[float, int]:
    """Where a team's tables begin: eta itself (span 0), or ln eta of the first of `span` rows."""
    theta = net.queues.theta[:, mine]
    if not (theta > 0).any():
        return 0.0, 0
    able = (seats[:, m] > 0) & (later[:, m] > 0)
    if not able.any():
        return 0.0, 0
    # Weeks that an hour of work takes one seat, at its slowest and fastest.
    worst = (seats[able, m] / np.maximum(np.minimum(skilled, later)[able, m], 1e-9)).max()
    best = (seats[able, m] / np.maximum(skilled, later)[able, m]).min()
    used = np.unique(segment)
    hour = 1.0 / net.queues.hours[used, m]
    effort = np.maximum(net.queues.effort[used][:, mine] * hour[:, None], MOMENT)
    impatient = theta[used][theta[used] > 0]
    top = float(impatient.max() * effort.max() * worst)
    bottom = float(impatient.min() * effort.min() * best)
    if top <= bottom * (1.0 + 1e-9) and (theta[used] > 0).all():
        return top, 0
    if not (theta[used] > 0).all():
        bottom *= 0.02
    step = closures.LOG_STEP
    begin = math.floor(math.log(bottom) / step) - 1
    return begin * step, max(4, math.ceil(math.log(top) / step) + 2 - begin)
