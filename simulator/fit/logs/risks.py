"""Competing risks of leaving a stage: where to and when, with open stays censored.

The law of a stay is the Aalen-Johansen estimate (Aalen & Johansen 1978) kept as its jumps: each
stay whose end was seen has a mass, and is a donor of its time, of what came next and of its
sessions. A draw given that a stay has lasted u picks among the donors beyond u.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.fit.logs.clock import Clock, ruled
from simulator.fit.logs.paths import Paths

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
ENOUGH = 30  # stays that a pool needs before a coarser one is taken
BEYOND = 15  # ends seen beyond u that a pool needs, likewise
MOST_VISITS = 3  # the third visit to a stage and later ones are alike
# day of the week and hour of entering, for what depends on when people work
_FINE, _COARSE = 96, 48
# levels of pools that hold those of each level and do not go by the time of entering
_COARSER = (
    ((7, 8, 9, 10),) * 2 + ((8, 9, 10),) * 2 + ((9, 10), (10,), (), (8, 9, 10), (9, 10), (10,), ())
)


@dataclass(frozen=True)
class Entry:
    """How a stay began, as arrays: everything that its law may depend on.

    kind: what the case is (channel, campaign); before: the stage before, -1 for none; visit:
    1, 2, .. how often the case has been in the stage; at: time in days since the log's start.
    """

    kind: Ints
    stage: Ints
    before: Ints
    visit: Ints
    at: Array

    def __getitem__(self, which: Ints | Bools) -> Entry:
        """The entries at these positions."""
        return Entry(
            self.kind[which],
            self.stage[which],
            self.before[which],
            self.visit[which],
            self.at[which],
        )


def entries(paths: Paths, kind: Ints) -> Entry:
    """How each stay of the paths began; ``kind`` by case."""
    m = len(paths.case)
    before = np.full(m, -1, dtype=np.int64)
    same = paths.case[1:] == paths.case[:-1]
    before[1:][same] = paths.stage[:-1][same]
    frame = pd.DataFrame({"case": paths.case, "stage": paths.stage})
    visit: Ints = np.asarray(frame.groupby(["case", "stage"]).cumcount(), dtype=np.int64) + 1
    return Entry(kind[paths.case], paths.stage, before, visit, paths.entered)


class Laws:
    """Laws of all stays: pools of stays that are alike, from fine to coarse."""

    def __init__(self, paths: Paths, kind: Ints, clock: Clock) -> None:
        self.paths = paths
        self.entry = entries(paths, kind)
        self.start = paths.start
        self.clock, self.ruled, self.ended = clock, ruled(paths), paths.ended
        # stays are kept and drawn in working time; what a rule ended goes by the calendar
        self.stayed = clock.read(paths.left) - clock.read(paths.entered)
        self.kinds = int(kind.max(initial=0)) + 1
        self._coarser: dict[int, tuple[tuple[int, Array], ...]] = {}

    @cached_property
    def pools(self) -> list[Ints]:
        """Stays that are alike, in order of how long they lasted."""
        return self._pooled[0]

    @cached_property
    def _pooled(self) -> tuple[list[Ints], list[tuple[Ints, Ints]], list[int]]:
        """Pools, by level the codes with enough stays and their pool, and each pool's level."""
        pools: list[Ints] = []
        levels: list[tuple[Ints, Ints]] = []
        level_of: list[int] = []
        order = np.lexsort((~self.ended, self.stayed))
        for level, codes in enumerate(self._codes(self.entry)):
            sorted_codes = codes[order]
            by = np.argsort(sorted_codes, kind="stable")
            found, first = np.unique(sorted_codes[by], return_index=True)
            size = np.diff(np.append(first, len(by)))
            keep = size >= (ENOUGH if level not in self._last else 1)
            begin = len(pools)
            for f, n in zip(first[keep], size[keep], strict=True):
                pools.append(order[by[f : f + n]])
                level_of.append(level)
            levels.append((found[keep], begin + np.arange(keep.sum())))
        return pools, levels, level_of

    _last = (6, 10)

    def _codes(self, e: Entry) -> list[Ints]:
        """A number for each stay at each level: 7 with the time of entering, 4 without."""
        fine, coarse = self._phase(e.at)
        stages = len(self.paths.stages)
        visit = np.minimum(e.visit, MOST_VISITS)
        path = (e.stage * (stages + 1) + e.before + 1) * (MOST_VISITS + 1) + visit
        nth = e.stage * (MOST_VISITS + 1) + visit
        mine = path * self.kinds + e.kind
        return [
            mine * _FINE + fine,
            mine * _COARSE + coarse,
            path * _FINE + fine,
            path * _COARSE + coarse,
            nth * _COARSE + coarse,
            e.stage * _COARSE + coarse,
            e.stage,
            mine,
            path,
            nth,
            e.stage,
        ]

    def _phase(self, at: Array) -> tuple[Ints, Ints]:
        first = self.start.day_of_week
        hour = np.floor((at % 1.0) * 24).astype(np.int64)
        dow = (np.floor(at).astype(np.int64) + first) % 7
        kind = np.where(dow < 4, 0, dow - 3)
        return kind * 24 + hour, (dow >= 5) * 24 + hour

    def fresh(self, e: Entry) -> Ints:
        """The pool of each stay that begins now; -1 where nothing was ever like it."""
        codes = self._codes(e)
        return self._find(codes, range(7))

    def lasting(self, e: Entry, u: Array) -> Ints:
        """The pool of each stay that has lasted ``u`` days."""
        codes = self._codes(e)
        out = np.full(len(u), -1, dtype=np.int64)
        for level in range(7, 11):
            pool = self._find(codes, [level])
            for p in np.unique(pool[(out < 0) & (pool >= 0)]):
                here = (out < 0) & (pool == p)
                ends = self._ends(p)
                left = len(ends) - np.searchsorted(ends, u[here], side="right")
                enough = (left >= BEYOND) | (level == 10)
                out[np.flatnonzero(here)[enough]] = p
        return out

    def beyond(self, pool: int, u: Array) -> Ints:
        """The pool by which stays of this one go on beyond ``u``, all that it has seen; or -1."""
        if pool not in self._coarser:
            codes = self._codes(self.entry[self.pools[pool][:1]])
            found = [int(self._find(codes, [k])[0]) for k in _COARSER[self._pooled[2][pool]]]
            self._coarser[pool] = tuple((p, self._ends(p)) for p in found if p >= 0)
        out = np.full(len(u), -1, dtype=np.int64)
        for p, ends in self._coarser[pool]:
            left = len(ends) - np.searchsorted(ends, u, side="right")
            out[(out < 0) & (left >= BEYOND)] = p
        return out

    def _ends(self, pool: int) -> Array:
        stays = self.pools[pool]
        return np.asarray(self.stayed[stays[self.ended[stays]]])

    def leave(self, entered: Array, stayed: Array, donor: Ints) -> Array:
        """The day on which stays that last so much working time end."""
        known = np.isfinite(stayed)
        out = np.full(len(entered), np.inf)
        out[known] = self.clock.day(self.clock.read(entered[known]) + stayed[known])
        rule = known & (donor >= 0) & self.ruled[np.maximum(donor, 0)]
        out[rule] = entered[rule] + self.paths.stayed[donor[rule]]
        return out

    def _find(self, codes: list[Ints], levels: range | list[int]) -> Ints:
        out = np.full(len(codes[0]), -1, dtype=np.int64)
        for level in levels:
            known, pool = self._pooled[1][level]
            todo = out < 0
            if not todo.any() or not len(known):
                continue
            at = np.minimum(np.searchsorted(known, codes[level]), len(known) - 1)
            hit = todo & (known[at] == codes[level])
            out[hit] = pool[at[hit]]
        return out


class Sampler:
    """Draws from the laws under one set of weights of the cases.

    odds: (stages, exits) factors of the hazards of leaving a stage that way.
    """

    def __init__(self, laws: Laws, weight: Array, odds: Array | None = None) -> None:
        self.laws = laws
        p = laws.paths
        self.weight = weight[p.case]
        self.factor = None if odds is None else odds[p.stage, np.maximum(p.after, 0)]
        self._made: dict[int, tuple[Array, Array]] = {}

    def _masses(self, pool: int) -> tuple[Array, Array]:
        if pool not in self._made:
            stays = self.laws.pools[pool]
            factor = None if self.factor is None else self.factor[stays]
            mass = masses(self.weight[stays], self.laws.ended[stays], factor)
            self._made[pool] = self.laws.stayed[stays], np.cumsum(mass)
        return self._made[pool]

    def draw(
        self, pool: Ints, u: Array, rng: np.random.Generator, pace: Pace | None = None
    ) -> tuple[Array, Ints]:
        """How long each stay lasts in all, given ``u`` so far, and its donor (-1: never ends)."""
        pace = pace or Pace(np.zeros((len(pool), 0)), np.ones((len(pool), 1)))
        time = np.full(len(pool), np.inf)
        donor = np.full(len(pool), -1, dtype=np.int64)
        by = np.argsort(pool, kind="stable")
        found, first = np.unique(pool[by], return_index=True)
        for p, here in zip(found, np.split(by, first[1:]), strict=True):
            if p < 0:
                continue
            time[here], donor[here] = self._of(int(p), here, u[here], rng, pace)
        return time, donor

    def _of(
        self, p: int, here: Ints, u: Array, rng: np.random.Generator, pace: Pace
    ) -> tuple[Array, Ints]:
        """Draws from one pool; what it has not seen the end of goes on as in a coarser one."""
        stays = self.laws.pools[p]
        stayed, sums = self._masses(p)
        pick, speed = pace.pick(here, u, stayed, sums, rng)
        at = np.searchsorted(sums, pick, side="right")
        inside = at < len(stays)
        at = np.minimum(at, len(stays) - 1)
        time, donor = stayed[at], stays[at]
        late = np.flatnonzero(~inside)
        if not len(late):
            return time, donor
        last = np.maximum(u[late], stayed[-1])
        follow = self.laws.beyond(p, last)
        for q in np.unique(follow):
            mine = follow == q
            row = late[mine]
            if q < 0:
                time[row], donor[row] = self._tail(p, u[row], speed[row], rng)
            else:
                time[row], donor[row] = self._of(int(q), here[row], last[mine], rng, pace)
        return time, donor

    def _tail(
        self, pool: int, u: Array, speed: Array, rng: np.random.Generator
    ) -> tuple[Array, Ints]:
        """Beyond the last end seen: the hazard of the longest fifth goes on."""
        stays = self.laws.pools[pool]
        stayed = self.laws.stayed
        ends = stays[self.laws.ended[stays]]
        if not len(ends):
            return np.full(len(u), np.inf), np.full(len(u), -1, dtype=np.int64)
        long = ends[-max(len(ends) // 5, 1) :]
        since = stayed[long[0]]
        exposed = np.maximum(stayed[stays] - since, 0.0).sum()
        mean = max(exposed / len(long), 1e-6)
        last = np.maximum(u, stayed[stays[-1]])
        return last + rng.exponential(mean, len(u)) / speed, rng.choice(long, len(u))


@dataclass(frozen=True)
class Pace:
    """How fast stays go by, in each week ahead: factors of all their hazards.

    marks: (n, W) working time since each stay began at the ends of weeks; speed: (n, W + 1), the
    last from the last mark on.
    """

    marks: Array
    speed: Array

    def pick(
        self, here: Ints, u: Array, stayed: Array, sums: Array, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Points drawn of a law with these jumps, given ``u`` so far, and the speed there.

        An exponential draw is used up by the cumulative hazard, week by week at its own speed.
        """
        at = np.concatenate([u[:, None], np.maximum(self.marks[here], u[:, None])], axis=1)
        past = np.searchsorted(stayed, at, side="right")
        below = np.where(past > 0, sums[np.maximum(past - 1, 0)], 0.0)
        hazard = -np.log(np.maximum(1.0 - below, 1e-300))
        speed = self.speed[here]
        used = np.cumsum(speed[:, :-1] * np.diff(hazard, axis=1), axis=1)
        used = np.concatenate([np.zeros((len(u), 1)), used], axis=1)
        budget = rng.exponential(1.0, len(u))
        k = (used[:, 1:] <= budget[:, None]).sum(axis=1)
        row = np.arange(len(u))
        total = hazard[row, k] + (budget - used[row, k]) / speed[row, k]
        return -np.expm1(-total), speed[row, k]


def masses(weight: Array, ended: Bools, factor: Array | None = None) -> Array:
    """Jumps of the Aalen-Johansen estimate; in order of time, ends before censorings.

    factor: of the hazard of each stay's own end, proportional in continuous time.
    """
    risk = np.cumsum(weight[::-1])[::-1]
    hazard = np.where(ended, np.minimum(weight / np.maximum(risk, 1e-300), 1.0), 0.0)
    if factor is not None:
        with np.errstate(divide="ignore"):
            hazard = -np.expm1(factor * np.log1p(-hazard))
    stay = np.concatenate([[1.0], np.cumprod(1.0 - hazard)[:-1]])
    return np.asarray(stay * hazard)
