"""The flow engine's state over time as a Record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.engines.flow.feedback import Weeks
from simulator.engines.flow.graph import GONE, LIVE, Graph, Node, in_process
from simulator.engines.flow.layout import COST, CYCLE, HOURS, VALUE, Net, Staff, Sums
from simulator.engines.ledgers import Planned
from simulator.people import crew_at, heads_at
from simulator.record import Record, Series
from simulator.system import NO_TEAM, System

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Kept:
    """State on the save grid: stocks (T, n, lanes), sums (T, .), share of each queue that waits."""

    x: Floats
    y: Floats
    w: Floats


class Whole(NamedTuple):
    """On the save grid: leads, their value and weeks to the signature (T, n), sums, and waiting."""

    leads: Floats
    value: Floats
    cycle: Floats
    y: Floats
    w: Floats


def _by(labels: Ints, values: Floats, size: int) -> Floats:
    """Sums of the columns of (T, n) values by label: (T, size)."""
    found = np.zeros((size, len(values)))
    np.add.at(found, labels, values.T)
    return found.T


def _accrued(system: System, times: Floats, staff: Staff, rate: Floats) -> Floats:
    """What heads add up to at a rate by segment (B, M), up to each time of the grid: (T, M)."""
    width = np.diff(times)[:, None]
    begin = times[:-1] >= 0.0
    amount = staff.heads * rate[staff.segment] * width * begin[:, None]
    run = np.concatenate([np.zeros((1, amount.shape[1])), np.cumsum(amount, axis=0)])
    found = np.empty((len(system.grid), run.shape[1]))
    for m in range(run.shape[1]):
        found[:, m] = np.interp(system.grid, times, run[:, m])
    return found


def _heads(system: System, times: Floats, staff: Staff, weeks: Weeks | None) -> Floats:
    """Heads on the grid, (T, M)."""
    if weeks is None or not weeks.turns:
        return heads_at(system.people, len(system.team_names), system.grid)
    at = np.searchsorted(times, system.grid)
    found: Floats = staff.heads[np.minimum(at, len(staff.heads) - 1)]
    return found


def _crew(
    system: System, times: Floats, staff: Staff, weeks: Weeks | None, fresh: Floats | None
) -> tuple[Floats, Floats]:
    """Heads by their productivity, and those who ramp, on the grid: (T, M) each."""
    if weeks is None or not weeks.turns or fresh is None:
        return crew_at(system.people, system.ramp, system.ramp_start, system.grid)
    end = staff.skilled[-1] + staff.skilled_rate[-1] * (times[-1] - times[-2])
    at = np.searchsorted(times, system.grid)
    return np.concatenate([staff.skilled, end[None]])[at], fresh[at]


def record_of(
    system: System,
    graph: Graph,
    net: Net,
    order: Ints,
    sums: Sums,
    times: Floats,
    staff: Staff,
    weeks: Weeks,
    kept: Kept,
    calls: int,
    notes: list[str],
    seed: int,
    replication: int,
    fresh: Floats,
) -> Record:
    """All books, from the stocks and sums on the save grid.

    fresh: (P + 1, M) who ramps between pieces, where a weekly step moves people.
    """
    nodes = [graph.nodes[i] for i in order]
    channels = len(system.channel_names)
    x = kept.x
    whole = Whole(
        x[:, :, :channels].sum(axis=2), x[:, :, channels + VALUE], x[:, :, channels + CYCLE],
        kept.y, kept.w,
    )  # fmt: skip
    series = series_of(system, nodes, net, sums, times, staff, weeks, whole, fresh)
    fate = np.array([in_process(n) for n in nodes], dtype=np.int64)
    y, sold, alive = kept.y, net.links.sold, net.links.kind < GONE
    fates = np.zeros((len(system.fates), channels))
    np.add.at(fates, fate, x[-1, :, :channels])
    totals = np.zeros((len(system.fates), 3))
    worth = np.where(sold & alive, whole.value[-1], 0.0)
    last = x[-1, :, channels:]
    np.add.at(totals, fate, np.column_stack([last[:, HOURS], last[:, COST], worth]))
    base, gone, base_arr = (y[-1, sums.base + i] for i in range(3))
    return Record(
        system=system,
        engine="flow",
        seed=seed,
        replication=replication,
        events=calls,
        series=series,
        opening=x[0, net.links.kind < LIVE, :channels].sum(axis=0),
        fates=fates.T,
        fate_hours=totals[:, 0],
        fate_cost=totals[:, 1],
        fate_arr=totals[:, 2],
        opening_customers=(float(base), float(gone), float(base_arr)),
        notes=tuple(notes),
    )


def series_of(
    system: System,
    nodes: list[Node],
    net: Net,
    sums: Sums,
    times: Floats,
    staff: Staff,
    weeks: Weeks | None,
    whole: Whole,
    fresh: Floats | None = None,
) -> Series:
    """Time series, from what is kept of all channels. weeks: of the weekly step, if there is one.

    nodes: the stocks in their order; fresh: as of record_of.
    """
    stages = len(system.stage_names)
    leads, value, y = whole.leads, whole.value, whole.y
    fate = np.array([in_process(n) for n in nodes], dtype=np.int64)
    stock = np.array([n.stock for n in nodes], dtype=np.int64)
    stage = np.array([n.stage for n in nodes], dtype=np.int64)
    alive = net.links.kind < GONE
    sold = net.links.sold

    def here(which: int) -> Floats:
        mine = stock == which
        return _by(stage[mine], leads[:, mine], stages)

    # Work, by queue and then by stage. What is started or entered follows from what is finished.
    worked = net.links.queue >= 0
    queues = len(net.queues.stage)
    number = _by(net.links.queue[worked], leads[:, worked], queues)
    waiting = number * whole.w
    done = y[:, sums.done : sums.cold]
    cold = y[:, sums.cold : sums.advanced]
    working = number - waiting
    entered = number - number[0] + done + cold
    started = working - working[0] + done

    thinking = here(1)
    alone = y[:, sums.advanced + stages : sums.wait]
    alone = alone + (thinking - thinking[0]) * (system.stages.team == NO_TEAM)

    def staged(values: Floats) -> Floats:
        return _by(net.queues.stage, values, stages)

    base, gone, base_arr, gone_arr = (y[:, sums.base + i] for i in range(4))
    arr = base_arr + value[:, sold & alive].sum(axis=1)
    ended = sold & (net.links.kind == GONE)
    churned_arr = gone_arr + value[:, ended].sum(axis=1)
    expansion = y[:, sums.expansion]
    ever_sold = leads[:, sold].sum(axis=1)
    live = leads[:, net.life.live]
    left = np.array([n.kind == GONE and str(system.fates[n.fate]) == "churned" for n in nodes])
    cycle = whole.cycle[:, sold].sum(axis=1)
    hours = system.hours if weeks is None else weeks.hours
    paid = _accrued(system, times, staff, hours)
    support = _accrued(system, times, staff, hours - net.queues.hours)
    pay = _accrued(system, times, staff, system.team_cost)
    lever = system.money.lever_rate + (0.0 if weeks is None else weeks.cost)
    planned = Planned(system, net.demand.spend, lever).upto(system.grid)
    skilled, ramping = _crew(system, times, staff, weeks, fresh)
    return Series(
        t=system.grid,
        waiting=staged(waiting),
        working=staged(working),
        buyer=thinking,
        transit=here(2),
        nurture=here(3),
        heads=_heads(system, times, staff, weeks),
        skilled=skilled,
        ramping=ramping,
        customers=base + leads[:, sold & alive].sum(axis=1),
        arr=arr,
        fates=_by(fate, leads, len(system.fates)),
        arrived=y[:, sums.arrived : sums.expansion],
        entered=staged(entered) + alone,
        started=staged(started),
        advanced=y[:, sums.advanced : sums.advanced + stages],
        wait=y[:, sums.wait : sums.busy],
        sla_met=y[:, sums.met : sums.met + stages] if sums.due > sums.met else 0.0 * alone,
        sla_due=y[:, sums.due : sums.due + stages] if sums.due > sums.met else 0.0 * alone,
        won=ever_sold - ever_sold[0],
        won_arr=arr - arr[0] + churned_arr - expansion,
        live=live - live[0] + leads[:, left].sum(axis=1),
        churned=gone + leads[:, ended].sum(axis=1),
        churned_arr=churned_arr,
        expansion_arr=expansion,
        cycle=cycle - cycle[0],
        paid_hours=paid,
        busy_hours=y[:, sums.busy : sums.arrived],
        support_hours=support,
        people_cost=pay,
        revenue=y[:, sums.revenue],
        **planned,
    )
