"""People of the flow engine where they quit, are replaced and hired by what a run shows.

Heads are masses: those of a plan by when they come, go and ramp, and in their seats, and in those
that policies add, people by kind and by the segment in which they were hired. Of everyone a team
has, the same share quits in a week, but where it matters who came when (watched teams). Where each
ramps an exponential time of their own, hires are alike whenever they came: their first row is all
of them.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator import laws
from simulator.compiled import apart
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
    first: Floats  # (G, K) those of the plan who are still there, by kind
    settled: Floats  # (G, K) hired since, and no longer new
    hired: Floats  # (G, K, B) by the segment of hiring
    coming: Floats  # (G, B + 1) by that of coming
    lost: Floats  # seats that stay empty
    edges: Floats  # (B + 1,)
    ramp: Floats  # (M,)
    start: Floats
    lead: Ints  # (B, M) segment in which those come who are sought from this one on
    replaced: NDArray[np.bool_]
    spare: Floats  # seats that policies may fill
    added: Floats  # of them, those filled
    kinds: Ints  # (M,) kinds of people; those of the start are the first
    weight: Floats  # (M, K) share of hires, worth, and how fast they quit, new and later
    gift: Floats
    early: Floats
    later: Floats
    law: Ints  # (M,) how they ramp
    watched: NDArray[np.bool_]
    turned: Floats  # (M,) when those who ramp an exponential time were last counted
    looked: Floats  # (M,) when it was last seen who quits
    fresh: Floats  # (P + 1, M) who are new, at the times between pieces
    oldest: Ints  # first segment whose hires are new
    hazard: Floats  # of quitting, so far
    owned: NDArray[np.bool_]  # each has a queue
    tables: Ints  # rows of the shelf for each number of people, 0: closed as a fluid
    most: int  # people that the shelf knows
    paid: Floats  # hours since the start, or week 0
    support: Floats  # of them, not for leads: for new colleagues, or a channel of the team's own
    trouble: Floats  # (2,) team for which policies want too many, and how many


def crew_of(
    system: System, patient: NDArray[np.bool_], psffa: NDArray[np.bool_], most: int, pieces: int
) -> Crew:
    """Everyone at the start. patient, psffa: (M,) whether leads give up, and a team's closure."""
    hires = system.hires
    several = hires["upto"][:, 0] <= 0.0
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
    lead, most_kinds = rules.teams["lead"], hires.shape[1]
    first = np.zeros((groups, most_kinds))
    first[: len(share), 0] = np.where(rows[:, 1] == -math.inf, share, 0.0)
    return Crew(
        team=np.concatenate([rows[:, 0].astype(np.int64), np.arange(teams)]),
        share=np.concatenate([share, np.zeros(teams)]),
        join=join,
        leave=np.concatenate([rows[:, 2], forever]),
        ramp_from=np.concatenate([rows[:, 3], -forever]),
        state=(join == -math.inf).astype(np.int64),
        first=first,
        settled=np.zeros((groups, most_kinds)),
        hired=np.zeros((groups, most_kinds, segments)),
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
        kinds=np.where(several, most_kinds, 1).astype(np.int64),
        weight=np.diff(hires["upto"], axis=1, prepend=0.0),
        gift=np.ascontiguousarray(hires["gift"]),
        early=np.ascontiguousarray(hires["early"]),
        later=np.ascontiguousarray(hires["later"]),
        law=system.ramp_law,
        watched=system.watched,
        turned=np.full(teams, system.edges[0]),
        looked=np.full(teams, system.edges[0]),
        fresh=np.zeros((pieces + 1, teams)),
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
        team=ints, share=none, join=none, leave=none, ramp_from=none, state=ints, first=table,
        settled=table, hired=np.zeros((0, 0, 0)), kinds=ints, weight=table, gift=table,
        early=table, later=table, law=ints, watched=flags, turned=none, looked=none, fresh=table,
        coming=table, lost=none, edges=none, ramp=none, start=none,
        lead=np.zeros((0, 0), dtype=np.int64), replaced=flags, spare=none, added=none, oldest=ints,
        hazard=none, owned=flags, tables=ints, most=0, paid=none, support=none,
        trouble=none,
    )  # fmt: skip


@compiled
def muster(crew, m, k, t):  # type: ignore[no-untyped-def]
    """Heads, productive heads and those who are new, of a team in segment k at time t."""
    apart()
    heads = skilled = new = 0.0
    ramp, start = crew.ramp[m], crew.start[m]
    for g in range(len(crew.team)):
        if crew.team[g] != m or crew.state[g] != 1:
            continue
        for kind in range(crew.kinds[m]):
            here, gift = crew.first[g, kind], crew.gift[m, kind]
            heads += here + crew.settled[g, kind]
            skilled += crew.settled[g, kind] * gift
            if crew.law[m] != laws.LINE:
                left = math.exp(-(t - max(crew.turned[m], crew.join[g])) / ramp)
                if crew.ramp_from[g] == -math.inf:
                    skilled += here * gift
                    here = 0.0
                new += here * left
                skilled += here * gift * (1.0 - (1.0 - start) * left)
                here = crew.hired[g, kind, 0]
                left = math.exp(-(t - crew.turned[m]) / ramp)
                heads += here
                new += here * left
                skilled += here * gift * (1.0 - (1.0 - start) * left)
                continue
            if crew.ramp_from[g] > -math.inf:
                age = t - crew.ramp_from[g]
                skilled += here * laws.skill(age, ramp, start) * gift
                if age < ramp:
                    new += here
            else:
                skilled += here * gift
            for j in range(crew.oldest[m], k + 1):
                here = crew.hired[g, kind, j]
                if here > 0.0:
                    age = t - crew.edges[j]
                    heads += here
                    skilled += here * laws.skill(age, ramp, start) * gift
                    if age < ramp:
                        new += here
    return heads, skilled, new


@compiled
def _settle(crew, m, k):  # type: ignore[no-untyped-def]
    """Those who were hired a ramp ago are new no longer."""
    apart()
    t = crew.edges[k]
    while crew.oldest[m] < k and t - crew.edges[crew.oldest[m]] >= crew.ramp[m]:
        for g in range(len(crew.team)):
            if crew.team[g] == m:
                for kind in range(crew.kinds[m]):
                    crew.settled[g, kind] += crew.hired[g, kind, crew.oldest[m]]
                    crew.hired[g, kind, crew.oldest[m]] = 0.0
        crew.oldest[m] += 1


@compiled
def _quit_alike(crew, g, m, k, stay):  # type: ignore[no-untyped-def]
    """The same share of all quits; says how many."""
    apart()
    before = crew.first[g, 0] + crew.settled[g, 0]
    crew.first[g, 0] *= stay
    crew.settled[g, 0] *= stay
    for j in range(crew.oldest[m], k):
        before += crew.hired[g, 0, j]
        crew.hired[g, 0, j] *= stay
    return (1.0 - stay) * before


@compiled
def _gone(crew, m, kind, since, t, more):  # type: ignore[no-untyped-def]
    """Share of those who came at a time that a hazard of the team takes."""
    apart()
    early, later = crew.early[m, kind], crew.later[m, kind]
    ripe = since + crew.ramp[m]
    return -math.expm1(-more * laws.exposure(crew.looked[m], t, since, ripe, early, later))


@compiled
def _quit_in_line(crew, g, m, k, more):  # type: ignore[no-untyped-def]
    """Some quit, where ramps are lines; says how many."""
    apart()
    t, gone = crew.edges[k], 0.0
    for kind in range(crew.kinds[m]):
        out = crew.first[g, kind] * _gone(crew, m, kind, crew.ramp_from[g], t, more)
        crew.first[g, kind] -= out
        gone += out
        out = crew.settled[g, kind] * _gone(crew, m, kind, -math.inf, t, more)
        crew.settled[g, kind] -= out
        gone += out
        for j in range(crew.oldest[m], k):
            if crew.hired[g, kind, j] > 0.0:
                out = crew.hired[g, kind, j] * _gone(crew, m, kind, crew.edges[j], t, more)
                crew.hired[g, kind, j] -= out
                gone += out
    return gone


@compiled
def _ripen(new, weeks, ramp, early, later):  # type: ignore[no-untyped-def]
    """Of those who are new: how many still are, and how many are ramped and there.

    early, later: hazards of quitting in these weeks, of those who ramp and of the ramped.
    """
    apart()
    out, gone = weeks / ramp + early, later
    still = new * math.exp(-out)
    if abs(gone - out) < 1e-9:
        return still, new * weeks / ramp * math.exp(-gone)
    return still, new * weeks / ramp * (math.exp(-out) - math.exp(-gone)) / (gone - out)


@compiled
def _quit_by_chance(crew, g, m, k, more):  # type: ignore[no-untyped-def]
    """Some ripen or quit, where each ramps an exponential time of their own; how many quit."""
    apart()
    t, ramp, looked, gone = crew.edges[k], crew.ramp[m], crew.looked[m], 0.0
    came = max(crew.turned[m], crew.join[g])
    part = 1.0
    if crew.ramp_from[g] > -math.inf and t > looked:
        part = (t - max(looked, crew.join[g])) / (t - looked)
    for kind in range(crew.kinds[m]):
        early, later = more * crew.early[m, kind], more * crew.later[m, kind]
        gone += crew.first[g, kind] + crew.settled[g, kind] + crew.hired[g, kind, 0]
        ripe = crew.settled[g, kind] * math.exp(-later)
        if crew.ramp_from[g] == -math.inf:
            crew.first[g, kind] *= math.exp(-later)
        else:
            crew.first[g, kind], grown = _ripen(
                crew.first[g, kind], t - came, ramp, early * part, later * part
            )
            ripe += grown
        crew.hired[g, kind, 0], grown = _ripen(
            crew.hired[g, kind, 0], t - crew.turned[m], ramp, early, later
        )
        crew.settled[g, kind] = ripe + grown
        gone -= crew.first[g, kind] + crew.settled[g, kind] + crew.hired[g, kind, 0]
    return gone if more > 0.0 else 0.0


@compiled
def _quit(crew, m, k, hazard):  # type: ignore[no-untyped-def]
    """Some quit, and are sought again; those who were sought come."""
    more = hazard - crew.hazard[m]
    crew.hazard[m] = hazard
    stay = math.exp(-more) if more > 0.0 else 1.0
    in_line, watched = crew.law[m] == laws.LINE, crew.watched[m]
    if not watched:
        _settle(crew, m, k)
    for g in range(len(crew.team)):
        if crew.team[g] != m or crew.state[g] != 1:
            continue
        gone = 0.0
        if not in_line:
            gone = _quit_by_chance(crew, g, m, k, max(0.0, more))
        elif more > 0.0:
            gone = (
                _quit_in_line(crew, g, m, k, more)
                if watched
                else (_quit_alike(crew, g, m, k, stay))
            )
        if more > 0.0:
            if crew.replaced[m]:
                crew.coming[g, crew.lead[k, m]] += gone
            else:
                crew.lost[g] += gone
        _hire(crew, g, m, k, crew.coming[g, k])
        crew.coming[g, k] = 0.0
    if in_line and watched:
        _settle(crew, m, k)
    crew.turned[m] = crew.edges[k]
    if more > 0.0:
        crew.looked[m] = crew.edges[k]


@compiled
def _hire(crew, g, m, k, many):  # type: ignore[no-untyped-def]
    """Some come, of all kinds."""
    apart()
    row = k if crew.law[m] == laws.LINE else 0
    for kind in range(crew.kinds[m]):
        crew.hired[g, kind, row] += many * crew.weight[m, kind]


@compiled
def _dismiss(crew, g, m, k, go):  # type: ignore[no-untyped-def]
    """So many of those whom policies hired go, the latest first."""
    apart()
    first = k if crew.law[m] == laws.LINE else 0
    for j in range(first, crew.oldest[m] - 1, -1):
        there = 0.0
        for kind in range(crew.kinds[m]):
            there += crew.hired[g, kind, j]
        if there > 0.0:
            off = min(max(go, 0.0), there)
            for kind in range(crew.kinds[m]):
                crew.hired[g, kind, j] -= off * (crew.hired[g, kind, j] / there)
            go -= off
    there = 0.0
    for kind in range(crew.kinds[m]):
        there += crew.settled[g, kind]
    if there > 0.0:
        off = min(max(go, 0.0), there)
        for kind in range(crew.kinds[m]):
            crew.settled[g, kind] -= off * (crew.settled[g, kind] / there)


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
        _hire(crew, g, m, k, change)
    elif change < 0.0:
        # Of the seats that are empty the same part goes as of all.
        left = wanted / crew.added[m]
        go = -change
        go -= (1.0 - left) * crew.lost[g]
        crew.lost[g] *= left
        for j in range(k + 1, crew.coming.shape[1]):
            go -= (1.0 - left) * crew.coming[g, j]
            crew.coming[g, j] *= left
        _dismiss(crew, g, m, k, go)
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
            crew.state[g] = 1
            m = crew.team[g]
            for kind in range(crew.kinds[m]):
                weight = (
                    crew.weight[m, kind] if crew.ramp_from[g] > -math.inf else 1.0 - min(1, kind)
                )
                crew.first[g, kind] = crew.share[g] * weight
        if crew.state[g] == 1 and crew.leave[g] <= t:
            crew.state[g] = 2
    for m in range(len(crew.ramp)):
        heads, skilled, crew.fresh[piece, m] = muster(crew, m, k, t)
        _, later, crew.fresh[piece + 1, m] = muster(crew, m, k, end)
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
