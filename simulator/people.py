"""Who works when: headcount and its levers as a list of people.

A headcount of 2.5 is three people with 5/6 of a week each. Whom a lever adds joins after the
hiring lead time and ramps; whom it takes away leaves at once, the latest first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Problem, SpecError
from simulator.spec.calendar import Calendar
from simulator.spec.paths import Leaf, matches, operand_of
from simulator.spec.schema import Scenario
from simulator.spec.signals import pattern_of
from simulator.spec.teams import MOST_HIRED

MOST_SPARE: Final = 10_000


@dataclass(frozen=True)
class People:
    """Everyone who is ever in a team; times in weeks. All arrays (N,), in order of joining.

    share: part of a full week; join: first day (-inf: from the start; inf: a seat for whom a policy
    may hire); leave: last day (inf: stays); ramp_from: when the ramp began (-inf: fully
    productive).
    """

    team: NDArray[np.int64]
    share: NDArray[np.float64]
    join: NDArray[np.float64]
    leave: NDArray[np.float64]
    ramp_from: NDArray[np.float64]


@dataclass
class _Person:
    share: float
    join: float
    leave: float
    ramp_from: float


def _split(heads: float) -> list[float]:
    n = math.ceil(heads - 1e-9)
    return [heads / n] * n if n else []


def _team(
    base: float,
    requested: NDArray[np.float64],
    edges: NDArray[np.float64],
    ramping: NDArray[np.bool_],
    lead: float,
) -> list[_Person]:
    people = [_Person(s, -math.inf, math.inf, -math.inf) for s in _split(base)]
    level = base
    for k, wanted in enumerate(requested.tolist()):
        t, change = float(edges[k]), wanted - level
        if change > 1e-12:
            # A ramp of heads hires whole people as it passes them; what is left comes at its end.
            if ramping[k]:
                change = math.floor(change + 1e-9)
            people += [_Person(s, t + lead, math.inf, t + lead) for s in _split(change)]
            level += change
        elif change < -1e-12:
            _leave(people, -change, t)
            level = wanted
    return [p for p in people if p.leave > p.join]


def _leave(people: list[_Person], heads: float, t: float) -> None:
    for person in [p for p in reversed(people) if p.leave > t]:
        if heads <= 1e-12:
            return
        gone = max(t, person.join) if person.join > t else t
        if person.share <= heads + 1e-12:
            heads -= person.share
            person.leave = gone
        else:
            rest = _Person(person.share - heads, gone, math.inf, person.ramp_from)
            person.leave = gone
            people.append(rest)
            heads = 0.0


def spare(scenario: Scenario, headcount: Leaf) -> int:
    """Seats for those whom policies may hire into the team of a headcount, at most."""
    heads, found = headcount.value, 0.0
    for policy in scenario.policies:
        pattern = pattern_of(policy)
        if pattern is None or not matches(headcount.path, pattern):
            continue
        do = policy.do
        if do is None:
            found += 100.0 * heads + 200.0
            continue
        verb = "scale" if do.scale is not None else "add"
        by = operand_of(verb, do.by, headcount, scenario.currency)
        more = heads * (max(1.0, by) ** do.at_most - 1.0) if verb == "scale" else by * do.at_most
        found += max(0.0, more)
    return math.ceil(min(found, MOST_SPARE))


def roster(scenario: Scenario, calendar: Calendar) -> People:
    """Everyone in every team over the run."""
    edges = calendar.edges
    middle = 0.5 * (edges[:-1] + edges[1:])
    plans: list[_Plan] = []
    for name, team in scenario.teams.items():
        path = f"teams.{name}.headcount"
        ramping = np.zeros(len(middle), dtype=bool)
        for c in calendar.changes:
            if c.path == path:
                ramping |= (middle >= c.at) & (middle < min(c.at + c.over, c.until))
        plans.append(
            (
                float(team.headcount), float(team.hiring_lead), calendar.of(path).tobytes(),
                ramping.tobytes(), spare(scenario, calendar.table[path]),
                tuple(_hired(scenario, calendar, name)),
            )
        )  # fmt: skip
    return _everyone(tuple(plans), edges.tobytes())


# Headcount, hiring lead, heads wanted and whether they ramp by segment, spare seats, and when
# those whom the team hires steadily join.
_Plan = tuple[float, float, bytes, bytes, int, tuple[float, ...]]


@lru_cache(maxsize=64)
def _everyone(plans: tuple[_Plan, ...], edges: bytes) -> People:
    """People of teams: kept, as points of a sweep that differ in other things share them."""
    times = np.frombuffer(edges)
    rows: list[tuple[int, _Person]] = []
    for m, (heads, lead, wanted, ramping, seats, hired) in enumerate(plans):
        people = _team(
            heads, np.frombuffer(wanted), times, np.frombuffer(ramping, dtype=np.bool_), lead
        )
        people += [_Person(1.0, t, math.inf, t) for t in hired]
        rows += [(m, p) for p in people]
        rows += [(m, _Person(1.0, math.inf, math.inf, math.inf))] * seats
    return People(
        team=np.array([m for m, _ in rows], dtype=np.int64),
        share=np.array([p.share for _, p in rows], dtype=np.float64),
        join=np.array([p.join for _, p in rows], dtype=np.float64),
        leave=np.array([p.leave for _, p in rows], dtype=np.float64),
        ramp_from=np.array([p.ramp_from for _, p in rows], dtype=np.float64),
    )


def joining(
    stated: float, rate: NDArray[np.float64], edges: NDArray[np.float64], lead: float
) -> list[float]:
    """When those join who come at a rate (B,) of people a week, from week 0 to the last edge.

    Each comes in the middle of the time that the rate takes for one. What is stated holds until
    the first change that the lead lets through.
    """
    first = np.maximum(edges[:-1], 0.0) + lead
    last = np.minimum(np.maximum(edges[1:], 0.0) + lead, edges[-1])
    spans = [(0.0, min(lead, float(edges[-1])), stated)]
    spans += [
        (a, b, r) for a, b, r in zip(first.tolist(), last.tolist(), rate.tolist(), strict=True)
    ]
    found, came = [], 0.0
    for begin, end, each in spans:
        if end <= begin or each <= 0.0:
            continue
        more = came + each * (end - begin)
        whole = range(math.ceil(came - 0.5 - 1e-9), math.ceil(more - 0.5 - 1e-9))
        found += [begin + (k + 0.5 - came) / each for k in whole]
        came = more
    return found


def _hired(scenario: Scenario, calendar: Calendar, name: str) -> list[float]:
    """When those whom a team hires steadily join."""
    team, path = scenario.teams[name], f"teams.{name}.hiring"
    if team.hiring is None:
        return []
    rate = calendar.of(path)
    many = float(rate.max(initial=team.hiring)) * scenario.horizon
    if many > MOST_HIRED:
        message = f"brings about {many:,.0f} people in the run, at most {MOST_HIRED:,}"
        raise SpecError([Problem(scenario.name, None, path, message, "Shorten the horizon.")])
    return list(joining(team.hiring, rate, calendar.edges, team.hiring_lead))


def crew_at(
    people: People, ramp: NDArray[np.float64], start: NDArray[np.float64], t: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Heads by their productivity, and those who ramp, of each team at times t: (len(t), M) each.

    As planned, in lines; ramp and start: (M,).
    """
    present = (people.join[None, :] <= t[:, None]) & (t[:, None] < people.leave[None, :])
    age = t[:, None] - people.ramp_from[None, :]
    each, low = ramp[people.team], start[people.team]
    young = present & (age < each[None, :])
    risen = np.divide(age, each, out=np.ones(age.shape), where=young)
    worth = np.where(young, low + (1.0 - low) * risen, 1.0)
    skilled, ramping = np.zeros((2, len(t), len(ramp)))
    for m in range(len(ramp)):
        mine = people.team == m
        skilled[:, m] = np.where(present, worth, 0.0)[:, mine] @ people.share[mine]
        ramping[:, m] = young[:, mine] @ people.share[mine]
    return skilled, ramping


def heads_at(people: People, teams: int, t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Heads of each team at times t: (len(t), teams)."""
    present = (people.join[None, :] <= t[:, None]) & (t[:, None] < people.leave[None, :])
    heads = np.zeros((len(t), teams))
    for m in range(teams):
        mine = people.team == m
        heads[:, m] = present[:, mine] @ people.share[mine]
    return heads
