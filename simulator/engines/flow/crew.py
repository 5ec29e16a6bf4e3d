"""People of the flow engine where they quit, are replaced and hired by what a run shows.

Heads are masses: those of a plan by when they come, go and ramp, and in their seats, and in those
that policies add, people by the segment in which they were hired. Of everyone a team has, the same
share quits in a week.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator import laws
from simulator.engines.flow.closure import LOWEST, SHELF
from simulator.engines.flow.compile import compiled
from simulator.system import System

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEAR: Final = 1e-9
NOBODY: Final = 1e-6  # heads that are none


class Crew(NamedTuple):
    """Seats in G groups, the last M for those that policies hire; B segments."""

    team: Ints  # (G,)
    share: Floats  # seats
    join: Floats
    leave: Floats
    ramp_from: Floats
    state: Ints  # 0 not yet, 1 here, 2 gone
    first: Floats  # those of the plan who are still there
    settled: Floats  # hired since, and no longer new
    hired: Floats  # (G, B) by the segment of hiring
    coming: Floats  # (G, B + 1) by that of coming
    lost: Floats  # seats that stay empty
    edges: Floats  # (B + 1,)
    ramp: Floats  # (M,)
    start: Floats
    lead: Ints  # (B, M) segment in which those come who are sought from this one on
    replaced: NDArray[np.bool_]
    spare: Floats  # seats that policies may fill
    added: Floats  # of them, those filled
    oldest: Ints  # first segment whose hires are new
    hazard: Floats  # of quitting, so far
    owned: NDArray[np.bool_]  # each has a queue
    tables: Ints  # rows of the shelf for each number of people, 0: closed as a fluid
    most: int  # people that the shelf knows
    paid: Floats  # hours since the start, or week 0
    support: Floats  # of them, not for leads: for new colleagues, or a channel of the team's own
    trouble: Floats  # (2,) team for which policies want too many, and how many


def crew_of(
    system: System, patient: NDArray[np.bool_], psffa: NDArray[np.bool_], most: int
) -> Crew:
    """Everyone at the start. patient, psffa: (M,) whether leads give up, and a team's closure."""
    p, rules = system.people, system.rules
    assert rules is not None
    teams, segments = len(system.team_names), len(system.edges) - 1
    plan = np.isfinite(p.join) | (p.join == -math.inf)
    kinds = np.column_stack([p.team, p.join, p.leave, p.ramp_from])[plan]
    rows, of = np.unique(kinds, axis=0, return_inverse=True)
    share = np.bincount(of.ravel(), weights=p.share[plan], minlength=len(rows))
    forever = np.full(teams, math.inf)
    groups = len(rows) + teams
    join = np.concatenate([rows[:, 1], -forever])
    lead = rules.teams["lead"]
    return Crew(
        team=np.concatenate([rows[:, 0].astype(np.int64), np.arange(teams)]),
        share=np.concatenate([share, np.zeros(teams)]),
        join=join,
        leave=np.concatenate([rows[:, 2], forever]),
        ramp_from=np.concatenate([rows[:, 3], -forever]),
        state=(join == -math.inf).astype(np.int64),
        first=np.where(join == -math.inf, np.concatenate([share, np.zeros(teams)]), 0.0),
        settled=np.zeros(groups),
        hired=np.zeros((groups, segments)),
        coming=np.zeros((groups, segments + 1)),
        lost=np.zeros(groups),
        edges=system.edges,
        ramp=system.ramp,
        start=system.ramp_start,
        lead=np.searchsorted(
            system.edges[:-1], system.edges[:-1, None] + lead[None, :] - NEAR
        ).astype(np.int64),
        replaced=rules.teams["replaced"].astype(np.bool_),
        spare=np.array([((p.team == m) & ~plan).sum() for m in range(teams)], dtype=np.float64),
        added=np.zeros(teams),
        oldest=np.zeros(teams, dtype=np.int64),
        hazard=np.zeros(teams),
        owned=system.owned,
        tables=np.where(psffa, np.where(patient, SHELF - 1, 1), 0),
        most=most,
        paid=np.zeros(teams),
        support=np.zeros(teams),
        trouble=np.array([-1.0, 0.0]),
    )


def no_crew() -> Crew:
    """Nobody: what a system without a weekly step gives the program."""
    none, ints = np.zeros(0), np.zeros(0, dtype=np.int64)
    flags, table = np.zeros(0, dtype=np.bool_), np.zeros((0, 0))
    return Crew(
        team=ints, share=none, join=none, leave=none, ramp_from=none, state=ints, first=none,
        settled=none, hired=table, coming=table, lost=none, edges=none, ramp=none, start=none,
        lead=np.zeros((0, 0), dtype=np.int64), replaced=flags, spare=none, added=none, oldest=ints,
        hazard=none, owned=flags, tables=ints, most=0, paid=none, support=none,
        trouble=none,
    )  # fmt: skip


@compiled
def muster(crew, m, k, t):  # type: ignore[no-untyped-def]
    """Heads, productive heads and those who are new, of a team in segment k at time t."""
    heads = skilled = new = 0.0
    ramp, start = crew.ramp[m], crew.start[m]
    for g in range(len(crew.team)):
        if crew.team[g] != m or crew.state[g] != 1:
            continue
        here = crew.first[g]
        heads += here + crew.settled[g]
        skilled += crew.settled[g]
        if crew.ramp_from[g] > -math.inf:
            age = t - crew.ramp_from[g]
            skilled += here * laws.skill(age, ramp, start)
            if age < ramp:
                new += here
        else:
            skilled += here
        for j in range(crew.oldest[m], k + 1):
            here = crew.hired[g, j]
            if here > 0.0:
                age = t - crew.edges[j]
                heads += here
                skilled += here * laws.skill(age, ramp, start)
                if age < ramp:
                    new += here
    return heads, skilled, new


@compiled
def _quit(crew, m, k, hazard):  # type: ignore[no-untyped-def]
    """Some quit, and are sought again; those who were sought come."""
    more = hazard - crew.hazard[m]
    crew.hazard[m] = hazard
    stay = math.exp(-more) if more > 0.0 else 1.0
    t = crew.edges[k]
    while crew.oldest[m] < k and t - crew.edges[crew.oldest[m]] >= crew.ramp[m]:
        for g in range(len(crew.team)):
            if crew.team[g] == m:
                crew.settled[g] += crew.hired[g, crew.oldest[m]]
                crew.hired[g, crew.oldest[m]] = 0.0
        crew.oldest[m] += 1
    for g in range(len(crew.team)):
        if crew.team[g] != m or crew.state[g] != 1:
            continue
        if more > 0.0:
            before = crew.first[g] + crew.settled[g]
            crew.first[g] *= stay
            crew.settled[g] *= stay
            for j in range(crew.oldest[m], k):
                before += crew.hired[g, j]
                crew.hired[g, j] *= stay
            if crew.replaced[m]:
                crew.coming[g, crew.lead[k, m]] += (1.0 - stay) * before
            else:
                crew.lost[g] += (1.0 - stay) * before
        crew.hired[g, k] += crew.coming[g, k]
        crew.coming[g, k] = 0.0


@compiled
def _fit(crew, m, k, wanted):  # type: ignore[no-untyped-def]
    """As many seats beyond the plan as policies want; the latest hired go first."""
    wanted = max(0.0, wanted)
    if math.floor(wanted + NEAR) > crew.spare[m]:
        crew.trouble[0], crew.trouble[1] = m, math.floor(wanted + NEAR)
        return
    g = len(crew.team) - len(crew.ramp) + m
    change = wanted - crew.added[m]
    if change > 0.0:
        crew.hired[g, k] += change
    elif change < 0.0:
        # Of the seats that are empty the same part goes as of all.
        left = wanted / crew.added[m]
        go = -change
        go -= (1.0 - left) * crew.lost[g]
        crew.lost[g] *= left
        for j in range(k + 1, crew.coming.shape[1]):
            go -= (1.0 - left) * crew.coming[g, j]
            crew.coming[g, j] *= left
        for j in range(k, crew.oldest[m] - 1, -1):
            off = min(max(go, 0.0), crew.hired[g, j])
            crew.hired[g, j] -= off
            go -= off
        crew.settled[g] = max(0.0, crew.settled[g] - max(go, 0.0))
    crew.added[m] = wanted


@compiled
def turn_over(crew, k, holds):  # type: ignore[no-untyped-def]
    """Who quits, comes back and is hired at the start of segment k."""
    for m in range(len(crew.ramp)):
        _quit(crew, m, k, holds.teams[m].hazard)
        _fit(crew, m, k, holds.teams[m].heads)


@compiled
def man(crew, staff, piece, k, end):  # type: ignore[no-untyped-def]
    """Those of the plan who come or go now; and who works in a piece that ends at `end`."""
    t = staff.begin[piece]
    for g in range(len(crew.team)):
        if crew.state[g] == 0 and crew.join[g] <= t:
            crew.state[g], crew.first[g] = 1, crew.share[g]
        if crew.state[g] == 1 and crew.leave[g] <= t:
            crew.state[g] = 2
    for m in range(len(crew.ramp)):
        heads, skilled, _ = muster(crew, m, k, t)
        _, later, _ = muster(crew, m, k, end)
        if heads < NOBODY:
            heads = skilled = later = 0.0
        staff.heads[piece, m], staff.skilled[piece, m] = heads, skilled
        staff.skilled_rate[piece, m] = (later - skilled) / (end - t)
        seats = math.ceil(heads - NEAR)
        staff.seats[piece, m] = seats
        count = crew.tables[m] if seats <= crew.most else 0
        staff.row_count[piece, m], staff.row_low[piece, m] = count, LOWEST
        served = seats if count == 0 or not crew.owned[m] else 1
        staff.row_first[piece, m] = max(0, served - 1) * SHELF + (1 if count > 1 else 0)
