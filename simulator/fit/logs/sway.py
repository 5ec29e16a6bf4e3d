"""How the laws of stays sway by the calendar: weeks in which more, or fewer, leave than usual.

The hazard of leaving a stage in a week is that of its law times a factor, whose logarithm is a
stationary autoregression of order one seen through Poisson counts (West & Harrison, Bayesian
Forecasting and Dynamic Models, 1997, section 9). Persistence and size have a prior, and are drawn
from their posterior with the rest: a few weeks tell little of either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.fit.logs.crew import quiet_share
from simulator.fit.logs.risks import Laws

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
FEWEST = 30  # ends seen that a factor of its own needs
FEWEST_WEEKS = 4
MOSTLY = 0.5  # share of its days in the two weeks up to New Year, from which a week is one of them
TIE = 3  # decimals of a day, a minute and a half, that a tie is
PERSISTENCE = np.array([0.0, 0.4, 0.7, 0.85, 0.95])  # from week to week, alike likely before
SIZE = np.array([0.02, 0.04, 0.07, 0.11, 0.17, 0.26, 0.4, 0.6, 0.9])  # sd of the log factor
USUAL_SIZE = 0.11  # the book's, give or take a factor of SIZE_WIDTH
SIZE_WIDTH = 2.5


@dataclass(frozen=True)
class Sway:
    """The log factor after the last week: its laws, by persistence and size, with their weights.

    persistence, size, weight, mean, variance: (C,).
    """

    persistence: Array
    size: Array
    weight: Array
    mean: Array
    variance: Array

    @property
    def now(self) -> float:
        """The factor in the last week, its median."""
        return float(np.exp(self.weight @ self.mean))

    def draw(self, rng: np.random.Generator, weeks: int) -> Array:
        """Factors of the weeks to come, (weeks,)."""
        c = int(rng.choice(len(self.weight), p=self.weight))
        at = self.mean[c] + np.sqrt(self.variance[c]) * rng.standard_normal()
        step = self.size[c] * np.sqrt(1 - self.persistence[c] ** 2)
        out = np.empty(weeks)
        for k, z in enumerate(rng.standard_normal(weeks)):
            at = self.persistence[c] * at + step * z
            out[k] = at
        return np.exp(out)


def fit_sway(seen: Array, expected: Array) -> Sway:
    """The sway of weekly counts around what was expected, oldest first."""
    persistence, size = (x.ravel() for x in np.meshgrid(PERSISTENCE, SIZE, indexing="ij"))
    prior = -0.5 * (np.log(size / USUAL_SIZE) / np.log(SIZE_WIDTH)) ** 2
    y = np.log((seen + 0.5) / (expected + 0.5))
    noise = 1 / (expected + 0.5)
    mean, variance = np.zeros(len(size)), size**2
    score = prior.copy()
    for k in range(len(y)):
        if k:
            mean = persistence * mean
            variance = persistence**2 * variance + size**2 * (1 - persistence**2)
        total = variance + noise[k]
        error = y[k] - mean
        score -= 0.5 * (np.log(total) + error**2 / total)
        gain = variance / total
        mean, variance = mean + gain * error, variance * (1 - gain)
    weight = np.exp(score - score.max())
    return Sway(persistence, size, weight / weight.sum(), mean, variance)


@dataclass(frozen=True)
class Sways:
    """By stage the pace at which it is left, and the odds among its exits.

    pace: by stage. common: by exit, what all stages share. odds: by stage its exits, with their
    shares of the ends seen and what is their own. stages, exits: how many of each.
    """

    pace: dict[int, Sway]
    common: dict[int, Sway]
    odds: dict[int, tuple[tuple[int, float, Sway | None], ...]]
    stages: int
    exits: int

    def draw(self, rng: np.random.Generator, weeks: int) -> tuple[Array, Array]:
        """Factors of the pace, (stages, weeks), and of the odds, (stages, exits).

        Odds last as long as the draw: they are averages of its weeks.
        """
        pace = np.ones((self.stages, weeks))
        for stage, sway in self.pace.items():
            pace[stage] = sway.draw(rng, weeks)
        common = np.ones((self.exits, weeks))
        for exit_, sway in self.common.items():
            common[exit_] = sway.draw(rng, weeks)
        odds = np.ones((self.stages, self.exits))
        for stage, exits in self.odds.items():
            own = [1.0 if sway is None else sway.draw(rng, weeks) for _, _, sway in exits]
            which = np.array([e for e, _, _ in exits])
            factor = (common[which] * np.array([o * np.ones(weeks) for o in own])).mean(axis=1)
            # the pace is that of all exits together
            odds[stage, which] = factor / (np.array([s for _, s, _ in exits]) @ factor)
        return pace, odds


def fit_sways(laws: Laws) -> Sways:
    """Estimate from what left each stage in each week before the end, and what was expected to."""
    p = laws.paths
    weeks = int(p.end // 7)
    exits = len(p.stages) + len(p.outcomes)
    pace: dict[int, Sway] = {}
    found: list[tuple[int, Array, Array, Ints]] = []
    if weeks < FEWEST_WEEKS:
        return Sways(pace, {}, {}, len(p.stages), exits)
    edges: Array = p.end - 7.0 * np.arange(weeks, -1, -1, dtype=np.float64)
    usual = quiet_share(p.start, [float(x) for x in edges[:-1]]) <= MOSTLY
    sums = np.zeros((2, exits, weeks))
    for stage in range(len(p.stages)):
        stays = np.flatnonzero(p.stage == stage)
        if laws.ended[stays].sum() < FEWEST:
            continue
        seen, expected, which = weekly_ends(laws, stays, edges)
        # weeks up to New Year say little of those after them: desks are cleared, people are away
        seen, expected = seen * usual, expected * usual
        if seen.sum() < FEWEST:
            continue
        pace[stage] = fit_sway(seen.sum(axis=0), expected.sum(axis=0))
        if len(which) < 2:
            continue
        # given how many left in the week
        expected = expected * seen.sum(axis=0) / np.maximum(expected.sum(axis=0), 1e-9)
        found.append((stage, seen, expected, which))
        sums[0, which] += seen
        sums[1, which] += expected
    common = {
        e: fit_sway(sums[0, e], sums[1, e]) for e in range(exits) if sums[0, e].sum() >= FEWEST
    }
    ratio = (sums[0] + 0.5) / (sums[1] + 0.5)
    odds = {}
    for stage, seen, expected, which in found:
        of = [sum(e in others[3] for others in found) for e in which]
        odds[stage] = tuple(
            (
                int(e),
                float(seen[k].sum() / seen.sum()),
                fit_sway(seen[k], expected[k] * ratio[e])
                if of[k] > 1 and seen[k].sum() >= FEWEST
                else None,
            )
            for k, e in enumerate(which)
        )
    return Sways(pace, common, odds, len(p.stages), exits)


def weekly_ends(laws: Laws, stays: Ints, edges: Array) -> tuple[Array, Array, Ints]:
    """Ends seen and expected by exit and week, (E, W), and the exits.

    Expected: what the cumulative hazard of all these stays (Nelson-Aalen) gives each of them for
    the time that it spent in the week.
    """
    p, ended = laws.paths, laws.ended
    # many may leave after the same time, by a rule or at once: these are ties but for rounding
    stayed = np.round(laws.stayed[stays], TIE)
    order = np.argsort(stayed, kind="stable")
    stays, stayed = stays[order], stayed[order]
    after = p.after[stays]
    time, first = np.unique(stayed, return_index=True)
    risk = len(stays) - first
    which = np.unique(after[ended[stays]])
    entered = laws.clock.read(p.entered[stays])
    whole = np.searchsorted(time, stayed, side="right")
    hits = [after == exit_ for exit_ in which]
    hazard = np.zeros((len(which), len(time) + 1))
    for e, hit in enumerate(hits):
        hazard[e, 1:] = np.cumsum(np.add.reduceat(hit, first) / risk)
    # how many of the times had passed by an edge; none before it began, all once it was over
    tie, marks = 0.1**TIE, laws.clock.read(edges)
    begins = np.searchsorted(marks, entered - tie, side="right")
    over = np.searchsorted(marks, entered + stayed + 2 * tie, side="right")
    count = len(edges)
    by_edge = np.array(
        [np.cumsum(np.bincount(over, h[whole], minlength=count + 1))[:count] for h in hazard]
    ).reshape(len(which), count)
    here = np.flatnonzero(begins < over)
    while len(here):
        k = begins[here]
        spent = np.minimum(np.round(marks[k] - entered[here], TIE), stayed[here])
        passed = np.where(spent >= 0, np.searchsorted(time, spent, side="right"), 0)
        for e, h in enumerate(hazard):
            by_edge[e] += np.bincount(k, h[passed], minlength=count)
        begins[here] += 1
        here = here[begins[here] < over[here]]
    week = np.clip(np.searchsorted(edges, p.left[stays], side="right") - 1, 0, len(edges) - 2)
    inside = (p.left[stays] >= edges[0]) & (p.left[stays] <= edges[-1])
    seen = np.zeros((len(which), len(edges) - 1))
    for e, hit in enumerate(hits):
        seen[e] = np.bincount(week[hit & inside], minlength=len(edges) - 1)
    return seen, np.diff(by_edge, axis=1), which
