"""What a sweep found: for each thing we could do, the mean and the two kinds of spread.

Worlds and replications are crossed: replication r has the same luck in every world and under
every lever. The variance of an outcome Y(world, luck) is taken apart as Var E[Y | world], what we
do not know, and E Var[Y | world], chance, by the mean squares of the two-way layout (Searle,
Casella & McCulloch, Variance Components, 1992, ch. 4), which is unbiased for any Y where worlds
are drawn independently; stratified worlds (Sobol, Latin hypercube) make it an approximation. A
sweep whose worlds are listed rather than drawn has no interval for other worlds: its intervals
are of chance alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from simulator.analysis.estimate import number
from simulator.analysis.shown import CONFIDENCE
from simulator.sweep.plan import Plan
from simulator.sweep.table import Runs
from simulator.vocabulary import describe

Floats = NDArray[np.float64]
Row = dict[str, object]


@dataclass(frozen=True)
class Spread:
    """A mean over worlds and luck, half its interval, and standard deviations by cause.

    worlds: of the means of worlds; None for one world. chance: within worlds; None for one
    replication. half: None where nothing says how far off the mean may be.
    """

    mean: float
    half: float | None
    worlds: float | None
    chance: float | None
    low: float | None
    high: float | None


class Sums:
    """Sums of a crossed layout of one quantity, fed world by world; (n,) values each."""

    def __init__(self, replications: int) -> None:
        self.n = replications
        self.shift: float | None = None
        self.means: list[float] = []
        self.by_luck = np.zeros(replications)
        self.squares = 0.0
        self.positive = 0

    def add(self, values: Floats) -> None:
        """One world's values, by replication."""
        if self.shift is None:
            # Sums of squares of differences, so that large means cost no digits.
            self.shift = float(values[0])
        mean = float(values.mean())
        self.means.append(mean)
        self.positive += mean > 0
        y = values - self.shift
        self.by_luck += y
        self.squares += float(y @ y)

    def spread(self, sampled: bool, confidence: float, luck: bool = True) -> Spread:
        """The estimate; sampled: whether worlds stand for others like them.

        luck: whether there is chance. A single replication then has no interval, as its luck is
        that of all worlds.
        """
        k, n = len(self.means), self.n
        shift = self.shift or 0.0
        means = np.array(self.means)
        y = means - shift
        grand = float(y.mean())
        ss_world = n * float(((y - grand) ** 2).sum())
        ss_luck = k * float(((self.by_luck / k - grand) ** 2).sum())
        ss_all = max(0.0, self.squares - k * n * grand * grand)
        ss_rest = max(0.0, ss_all - ss_world - ss_luck)
        ms_world = ss_world / (k - 1) if k > 1 else math.nan
        ms_luck = ss_luck / (n - 1) if n > 1 else math.nan
        ms_rest = ss_rest / ((k - 1) * (n - 1)) if k > 1 and n > 1 else 0.0
        between = within = None
        if k > 1:
            between = math.sqrt(max(0.0, (ms_world - ms_rest) / n))
        if n > 1:
            # Mean over worlds of the variance within: what luck and its interplay leave.
            within = math.sqrt(max(0.0, (ss_luck + ss_rest) / (k * (n - 1))))
        half = None
        if n > 1 or not luck:
            half = _half(k, n, ms_world, ms_luck, ms_rest, sampled, confidence)
        low, high = (None, None)
        if k > 1:
            low, high = (float(q) for q in np.quantile(means, (0.05, 0.95)))
        return Spread(shift + grand, half, between, within, low, high)


def _half(
    k: int, n: int, ms_world: float, ms_luck: float, ms_rest: float, sampled: bool, level: float
) -> float | None:
    """Half the t interval of the grand mean, with Satterthwaite's degrees of freedom."""
    if k == 1 or not sampled:
        terms = [(ms_luck, n - 1)] if n > 1 else []
    elif n == 1:
        terms = [(ms_world, k - 1)]
    else:
        terms = [(ms_world, k - 1), (ms_luck, n - 1), (-ms_rest, (k - 1) * (n - 1))]
    total = sum(ms for ms, _ in terms)
    if not terms:
        return None
    if total <= 0:
        # Chance made the difference of mean squares negative: the larger one is a bound.
        total = max(ms for ms, _ in terms)
        terms = terms[:1]
    bottom = sum(ms * ms / freedom for ms, freedom in terms)
    freedom = total * total / bottom if bottom > 0 else math.inf
    freedom = max(1.0, min(freedom, 1e9))
    return float(stdtrit(freedom, 0.5 + level / 2)) * math.sqrt(max(0.0, total) / (k * n))


@dataclass(frozen=True)
class Line:
    """One lever setting, week and outcome."""

    lever: int
    week: float
    outcome: str
    worlds: int
    replications: int
    undefined: int
    level: Spread | None
    gain: Spread | None
    better: float | None


def lines(plan: Plan, counts: NDArray[np.int64], runs: Runs) -> Iterator[Line]:
    """The summary, lever by lever. counts: (U,) replications of each different point."""
    s = plan.sweep
    of_point = counts[plan.uid].reshape(len(plan.levers), len(plan.worlds))
    weeks, names = len(s.weeks), s.outcomes
    starts = np.concatenate([[0], np.cumsum(of_point.ravel())]) * weeks
    settings = len(plan.levers)
    # Each setting is held against the first: intervals hold for all of them together (Bonferroni).
    together = 1 - (1 - CONFIDENCE) / max(1, settings - 1)
    sampled, luck = s.uncertainties.sampled, s.engine != "flow"

    def values(lever: int, world: int, n: int) -> Floats:
        start = int(starts[lever * len(plan.worlds) + world])
        return runs.rows(start, start + n * weeks).reshape(n, weeks, len(names))

    for lever in range(settings):
        here = np.flatnonzero(of_point[lever] > 0)
        both = np.flatnonzero((of_point[lever] > 0) & (of_point[0] > 0)) if lever else here[:0]
        n = int(of_point[lever, here].min(initial=1 << 30)) if len(here) else 0
        m = int(min(of_point[lever, both].min(), of_point[0, both].min())) if len(both) else 0
        level = [[Sums(n) for _ in names] for _ in range(weeks)]
        gain = [[Sums(m) for _ in names] for _ in range(weeks)]
        undefined = np.zeros((weeks, len(names)), dtype=np.int64)
        for world in here.tolist():
            y = values(lever, world, int(of_point[lever, world]))
            undefined += np.isnan(y).sum(axis=0)
            _feed(level, y[:n])
            if lever and of_point[0, world] > 0:
                _feed(gain, y[:m] - values(0, world, m))
        for w, week in enumerate(s.weeks):
            for o, name in enumerate(names):
                known = len(here) > 0 and not undefined[w, o]
                found = level[w][o].spread(sampled, CONFIDENCE, luck) if known else None
                sums = gain[w][o]
                usable = bool(sums.means) and all(map(math.isfinite, sums.means))
                more = sums.spread(sampled, together, luck) if usable else None
                share = sums.positive / len(sums.means) if usable else None
                if share is not None and describe(name).better < 0:
                    share = sum(x < 0 for x in sums.means) / len(sums.means)
                yield Line(
                    lever, week, name, len(here), n, int(undefined[w, o]), found, more, share
                )


def _feed(sums: list[list[Sums]], y: Floats) -> None:
    for w, by_name in enumerate(sums):
        for o, one in enumerate(by_name):
            one.add(y[:, w, o])


def row(plan: Plan, line: Line) -> Row:
    """A line as a row of the summary table."""
    axes = zip(plan.sweep.levers.axes, plan.levers[line.lever].tolist(), strict=True)
    found: Row = {"lever": line.lever, **{axis.name: value for axis, value in axes}}
    found |= {"week": line.week, "outcome": line.outcome, "worlds": line.worlds}
    found |= {"replications": line.replications, "undefined": line.undefined}
    s, g = line.level, line.gain
    found |= {
        "mean": _of(s, "mean"), "half": _of(s, "half"),
        "sd_worlds": _of(s, "worlds"), "sd_chance": _of(s, "chance"),
        "worlds_5%": _of(s, "low"), "worlds_95%": _of(s, "high"),
        "gain": _of(g, "mean"), "gain_half": _of(g, "half"),
        "gain_sd_worlds": _of(g, "worlds"), "gain_sd_chance": _of(g, "chance"),
        "better_in": line.better,
    }  # fmt: skip
    return found


def _of(spread: Spread | None, name: str) -> float | None:
    value = None if spread is None else getattr(spread, name)
    return None if value is None else number(value)
