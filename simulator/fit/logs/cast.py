"""The log carried on: open cases and new ones, walked through the laws of their stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.fit.logs.clock import make_clock
from simulator.fit.logs.crew import quiet_share
from simulator.fit.logs.demand import RECENT_DAYS, Demand, estimate_demand
from simulator.fit.logs.paths import Paths
from simulator.fit.logs.risks import Entry, Laws, Pace, Sampler
from simulator.fit.logs.sway import Sways, fit_sways

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
SWAYING = 26  # weeks ahead that differ from each other; later ones are as the last of them
ORDERED = 10  # draws of arrivals for each that is used, taken evenly in order of their cases
MOST_STAYS = 500  # of one case; what still runs then stays open


@dataclass(frozen=True)
class Future:
    """One way that it may go on; cases open at the origin come first.

    created, closed (nan: open at the end), outcome (-1: open), channel, amount, origin (index of
    the case in the paths, -1: new): by case, (n,). Events: case, stage and time of what happens
    after the origin, for the cases of the log as for new ones.
    """

    created: Array
    closed: Array
    outcome: Ints
    channel: Ints
    amount: Array
    origin: Ints
    event_case: Ints
    event_stage: Ints
    event_time: Array


@dataclass(frozen=True)
class Model:
    """What a log says about its future: demand, laws and how they sway, and what each case is."""

    paths: Paths
    demand: Demand
    laws: Laws
    kind: Ints
    sways: Sways

    def given(self, full: Paths, until: float) -> Arrivals:
        """The arrivals that came: those of the full paths from the end of these on."""
        came = (full.created >= self.paths.end) & (full.created < until)
        demand = estimate_demand(full)
        day = np.clip(np.floor(full.created[came]).astype(int), 0, len(demand.burst) - 1)
        names = {name: i for i, name in enumerate(self.paths.channels)}
        number = np.array([*(names.get(c, -1) for c in full.channels), -1], dtype=np.int64)
        channel = number[full.channel[came]]
        kind = kinds(channel, demand.burst[day])
        return Arrivals(full.created[came], kind, channel, full.amount[came])

    def futures(
        self, until: float, draws: int, seed: int, arrivals: Arrivals | None = None
    ) -> Iterator[Future]:
        """Draws of what happens up to ``until`` (days since the log's start).

        Each has weights of its own on weeks and cases (the Bayesian bootstrap, Rubin 1981),
        arrivals of its own unless they are given, and chance. How many arrive, on which most
        depends, is sampled systematically (McKay, Beckman & Conover 1979).
        """
        counts = even_counts(self, until, draws, seed) if arrivals is None else []
        for k, child in enumerate(np.random.SeedSequence(seed).spawn(draws)):
            rng = np.random.default_rng(child)
            yield self.future(until, rng, arrivals or draw_arrivals(self, until, rng, counts[k]))

    def future(
        self,
        until: float,
        rng: np.random.Generator,
        arrivals: Arrivals | None = None,
        *,
        weighted: bool = True,
    ) -> Future:
        """One draw; not weighted: from the laws as estimated."""
        p = self.paths
        weight = np.ones(len(p.created))
        if weighted:
            # weeks differ by more than chance: cases of one week are weighted together, too
            week = (p.created // 7).astype(np.int64)
            by_week = rng.exponential(1.0, int(week.max(initial=0)) + 1)
            weight = rng.exponential(1.0, len(p.created)) * by_week[week]
        # the weeks ahead differ by more than chance as those before did
        edges = np.arange(p.end + 7.0, min(until, p.end + 7.0 * SWAYING), 7.0)
        speed = np.ones((len(p.stages), len(edges) + 1))
        odds = None
        if weighted:
            speed, odds = self.sways.draw(rng, len(edges) + 1)
            speed = speed * self._quiet(rng, edges, until)
        sampler = Sampler(self.laws, weight, odds)
        new = arrivals or draw_arrivals(self, until, rng)
        open_ = np.flatnonzero(p.outcome < 0)
        last = p.last()[open_]
        n = len(open_) + len(new.created)
        old = len(open_)
        created = np.concatenate([p.created[open_], new.created])
        kind = np.concatenate([self.kind[open_], new.kind])
        closed, outcome = np.full(n, np.nan), np.full(n, -1, dtype=np.int64)
        visits = np.zeros((n, len(p.stages)), dtype=np.int64)
        where = np.full(len(p.created), -1)
        where[open_] = np.arange(old)
        mine = where[p.case] >= 0
        np.add.at(visits, (where[p.case[mine]], p.stage[mine]), 1)
        visits[old:, 0] = 1
        e = self.laws.entry
        now = Entry(
            kind,
            np.concatenate([p.stage[last], np.zeros(n - old, dtype=np.int64)]),
            np.concatenate([e.before[last], np.full(n - old, -1)]),
            visits[np.arange(n), np.concatenate([p.stage[last], np.zeros(n - old, np.int64)])],
            np.concatenate([p.entered[last], new.created]),
        )
        clock = self.laws.clock
        marks = clock.read(edges)
        lasted = clock.read(np.full(old, p.end)) - clock.read(p.entered[last])
        u = np.concatenate([lasted, np.zeros(n - old)])
        pool = np.empty(n, dtype=np.int64)
        pool[:old] = self.laws.lasting(now[np.arange(old)], u[:old])
        pool[old:] = self.laws.fresh(now[np.arange(old, n)])
        case = np.arange(n)
        events: list[tuple[Ints, Ints, Array]] = []
        for _ in range(MOST_STAYS):
            pace = Pace(marks - clock.read(now.at)[:, None], speed[now.stage])
            time, donor = sampler.draw(pool, u, rng, pace)
            leaves = np.maximum(self.laws.leave(now.at, time, donor), p.end)
            events.append(self._events(case, now, u, donor, until))
            after = np.where(donor >= 0, p.after[np.maximum(donor, 0)], -1)
            on = (leaves < until) & (donor >= 0)
            done = on & (after >= len(p.stages))
            closed[case[done]] = leaves[done]
            outcome[case[done]] = after[done] - len(p.stages)
            on &= ~done
            case = case[on]
            if not len(case):
                break
            stage = after[on]
            visits[case, stage] += 1
            now = Entry(kind[case], stage, now.stage[on], visits[case, stage], leaves[on])
            u = np.zeros(len(case))
            pool = self.laws.fresh(now)
            events.append((case, stage, leaves[on]))
        return Future(
            created=created,
            closed=closed,
            outcome=outcome,
            channel=np.concatenate([p.channel[open_], new.channel]),
            amount=np.concatenate([p.amount[open_], new.amount]),
            origin=np.concatenate([open_, np.full(n - old, -1)]),
            event_case=np.concatenate([x[0] for x in events]),
            event_stage=np.concatenate([x[1] for x in events]),
            event_time=np.concatenate([x[2] for x in events]),
        )

    def _quiet(self, rng: np.random.Generator, edges: Array, until: float) -> Array:
        """How much faster or slower than expected work goes on up to New Year, by week ahead."""
        share = quiet_share(self.paths.start, [self.paths.end, *edges])
        if len(edges) and edges[-1] + 7.0 < until:
            share[-1] = 0.0  # it is all weeks from there on
        if not share.any():
            return np.ones(len(share))
        return np.asarray(np.exp(share * self.laws.clock.pace_sd * rng.standard_normal()))

    def _events(
        self, case: Ints, now: Entry, u: Array, donor: Ints, until: float
    ) -> tuple[Ints, Ints, Array]:
        """Beginnings and ends of the donors' sessions, after ``u`` and before ``until``."""
        p = self.paths
        have = np.flatnonzero(donor >= 0)
        first = p.session_first[donor[have]]
        count = p.session_first[donor[have] + 1] - first
        which = np.repeat(have, count)
        step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        session = np.repeat(first, count) + step
        entered = p.entered[donor[which]]
        offset = np.concatenate([p.session_started[session], p.session_left[session]])
        which2 = np.concatenate([which, which])
        offset = offset - np.concatenate([entered, entered])
        at = now.at[which2] + offset
        keep = (offset > u[which2]) & (at < until)
        return case[which2][keep], now.stage[which2][keep], at[keep]


@dataclass(frozen=True)
class Arrivals:
    """Cases to come: when, of what kind, through which channel, worth what."""

    created: Array
    kind: Ints
    channel: Ints
    amount: Array


def make_model(paths: Paths, pace: float | None = None) -> Model:
    """Estimate what the future is drawn from; ``pace``: of work at the year's end, if given."""
    demand = estimate_demand(paths)
    day = np.clip(np.floor(paths.created).astype(int), 0, len(demand.burst) - 1)
    kind = kinds(paths.channel, demand.burst[day])
    laws = Laws(paths, kind, make_clock(paths, pace))
    return Model(paths, demand, laws, kind, fit_sways(laws))


def parted_model(model: Model, paths: Paths) -> Model:
    """The model of the same cases under other channels."""
    day = np.clip(np.floor(paths.created).astype(int), 0, len(model.demand.burst) - 1)
    kind = kinds(paths.channel, model.demand.burst[day])
    return Model(paths, model.demand, Laws(paths, kind, model.laws.clock), kind, model.sways)


def kinds(channel: Ints, burst: Bools) -> Ints:
    """One number for channel and day of a campaign."""
    return np.asarray((channel + 1) * 2 + burst)


def even_counts(model: Model, until: float, draws: int, seed: int) -> list[tuple[Ints, Bools]]:
    """Cases of each day ahead, and which are of campaigns: draws evenly over their totals."""
    rng = np.random.default_rng([seed, 6])
    many = [_counts(model, until, rng) for _ in range(draws * ORDERED)]
    order = np.argsort([count.sum() for count, _ in many], kind="stable")
    return [many[k] for k in rng.permutation(order[ORDERED // 2 :: ORDERED])]


def _counts(model: Model, until: float, rng: np.random.Generator) -> tuple[Ints, Bools]:
    first = int(np.floor(model.paths.end))
    return model.demand.draw(rng, first, max(int(np.ceil(until)) - first, 0))


def draw_arrivals(
    model: Model,
    until: float,
    rng: np.random.Generator,
    counts: tuple[Ints, Bools] | None = None,
) -> Arrivals:
    """Cases of whole days from the end of the paths; hour, channel and amount are of like ones.

    counts: cases of each day, and which days are of campaigns; default, a draw of them.
    """
    p, demand = model.paths, model.demand
    first = int(np.floor(p.end))
    count, burst = _counts(model, until, rng) if counts is None else counts
    day = np.repeat(first + np.arange(len(count)), count)
    of_burst = burst[day - first]
    recent = p.created >= p.end - RECENT_DAYS
    its_day = np.floor(p.created).astype(int)
    its_burst = demand.burst[np.clip(its_day, 0, len(demand.burst) - 1)]
    dow, its_dow = (x + demand.start.day_of_week for x in (day, its_day))
    donor = np.zeros(len(day), dtype=np.int64)
    for flag in (False, True):
        for k in range(7):
            here = (of_burst == flag) & (dow % 7 == k)
            if not here.any():
                continue
            like = its_burst == flag
            pool = next(
                found
                for found in (
                    np.flatnonzero(recent & like & (its_dow % 7 == k)),
                    np.flatnonzero(recent & like),
                    np.flatnonzero(like),
                    np.arange(len(p.created)),
                )
                if len(found) >= 20 or len(found) == len(p.created)
            )
            donor[here] = rng.choice(pool, here.sum())
    created = day + p.created[donor] % 1.0
    order = np.argsort(created, kind="stable")
    donor = donor[order]
    created = created[order]
    keep = (created >= p.end) & (created < until)
    donor, created, of_burst = donor[keep], created[keep], of_burst[order][keep]
    channel = p.channel[donor]
    return Arrivals(
        created, kinds(channel, np.asarray(of_burst, dtype=bool)), channel, p.amount[donor]
    )
