"""Cases that differ in where they go: parted by what goes with their odds, for the scenario.

What was known of a case when it came (a column of names, its amount, its channel) and evidently
goes with the odds of moving on makes segments. Each has arrivals, stages and, where they differ,
values of its own, from its first stage on: a lead does not change what it is on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from simulator.fit.logs.covariates import NOT_STATED, Effect, covariates_of
from simulator.fit.logs.paths import Paths

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
SURE = 0.01  # chance, by Holm's method over all effects, of a segment where nothing differs
MOST = 4  # segments
FEWEST = 150  # cases of a segment, and
LEAST = 0.05  # this share of all
MOST_NAMED = 3  # names of a column that are a segment each; more are put together in two
STATED = 0.98  # share of the cases that have to state a number
FEWEST_VALUES = 20  # amounts that a value of its own needs
VALUES_APART = 0.01  # p-value of a test of amounts alike


@dataclass(frozen=True)
class Segments:
    """Segments of the cases, in order of the paths' cases.

    names, says: of each segment, as the scenario calls it and what is in it. of: (n,) by case.
    by: the surest effect of each column that parts them. channels: what each channel of the parted
    paths was called before, and the segment of its cases.
    """

    names: tuple[str, ...]
    says: tuple[str, ...]
    of: Ints
    by: tuple[Effect, ...]
    channels: tuple[tuple[str, int], ...]

    def value(
        self, group: int, amount: Array, won: NDArray[np.bool_]
    ) -> tuple[float, float, float, int] | None:
        """Mean, standard error, cv and number of a segment's amounts; None where they are few."""
        mine = (self.of == group) & np.isfinite(amount) & (amount > 0)
        stated = amount[mine & won] if (mine & won).sum() >= FEWEST_VALUES else amount[mine]
        if len(stated) < FEWEST_VALUES:
            return None
        mean, sd = float(stated.mean()), float(stated.std(ddof=1))
        return mean, sd / float(np.sqrt(len(stated))), sd / mean, len(stated)


@dataclass(frozen=True)
class _Cut:
    """A covariate as groups: of each case, with names and what is in them."""

    of: Ints
    names: tuple[str, ...]
    says: tuple[str, ...]


def find_segments(paths: Paths, effects: Sequence[Effect]) -> tuple[Segments | None, list[str]]:
    """Segments, if any evidently differ; and why what matters makes none, a sentence each."""
    stated = [e for e in effects if e.per != NOT_STATED]
    surest = {e.covariate: e for e in sorted(stated, key=lambda e: (-e.adjusted, e.stage))}
    wanted = sorted(
        (e for e in surest.values() if e.adjusted <= SURE and e.covariate != "wait"),
        key=lambda e: (e.adjusted, e.p, e.covariate),
    )
    known = dict(covariates_of(paths))
    cut: _Cut | None = None
    used: list[Effect] = []
    told: list[str] = []
    least = max(FEWEST, LEAST * len(paths.created))
    for effect in wanted:
        more = _cut(effect, known[effect.covariate], effects, least)
        if isinstance(more, str):
            told.append(more)
            continue
        both = more if cut is None else _cross(cut, more)
        size = np.bincount(both.of, minlength=len(both.names))
        if len(both.names) > MOST or size.min() < least:
            few = f"with {used[0].covariate} there would be " if used else "there would be "
            told.append(
                f"Odds by {effect.covariate} are not in the scenario: {few}"
                + (
                    f"{len(both.names)} segments, and {MOST} are the most."
                    if len(both.names) > MOST
                    else f"a segment of {int(size.min())} cases."
                )
            )
            continue
        cut = both
        used.append(effect)
    if cut is None:
        return None, told
    pairs, of = np.unique(np.column_stack([paths.channel, cut.of]), axis=0, return_inverse=True)
    del of
    channels = tuple(
        (paths.channels[c] if c >= 0 and paths.channels else "", int(g)) for c, g in pairs
    )
    return Segments(cut.names, cut.says, cut.of, tuple(used), channels), told


def parted(paths: Paths, segments: Segments) -> Paths:
    """The paths with a channel for each channel and segment, named by both."""
    code = paths.channel * len(segments.names) + segments.of  # none: -1
    low = code.min(initial=0)
    seen, channel = np.unique(code - low, return_inverse=True)
    del seen
    names = tuple(
        " ".join(filter(None, [c if c != segments.names[g] else "", segments.names[g]]))
        for c, g in segments.channels
    )
    return replace(paths, channel=np.asarray(channel.reshape(-1), dtype=np.int64), channels=names)


def values_differ(segments: Segments, amount: Array, won: NDArray[np.bool_]) -> bool:
    """Whether amounts differ between segments (analysis of variance of their logarithms)."""
    stated = np.isfinite(amount) & (amount > 0)
    use = stated & won if (stated & won).sum() >= 2 * FEWEST_VALUES else stated
    parts = [np.log(amount[use & (segments.of == g)]) for g in range(len(segments.names))]
    if min(map(len, parts)) < FEWEST_VALUES or np.ptp(np.concatenate(parts)) < 1e-9:
        return False
    return bool(stats.f_oneway(*parts).pvalue < VALUES_APART)


def _cut(effect: Effect, values: pd.Series, effects: Sequence[Effect], least: float) -> _Cut | str:
    name = effect.covariate
    if pd.api.types.is_numeric_dtype(values) and effect.per.startswith(("twice", "a deviation")):
        return _bands(name, values.to_numpy(dtype=float))
    text = values.astype(object).where(values.notna(), "(none)").astype(str)
    names, of = np.unique(text.to_numpy(), return_inverse=True)
    of = of.reshape(-1)
    size = np.bincount(of, minlength=len(names))
    if len(names) <= MOST_NAMED and size.min() >= least:
        said = tuple(f"{name} {n}" for n in names)
        return _Cut(of, tuple(str(n) for n in names), said)
    # many names: those with better odds than the usual one, where they were told, and the rest
    odds = dict.fromkeys(map(str, names), 0.0)
    for e in effects:
        if e.covariate == name and e.stage == effect.stage:
            odds[e.per.rsplit(", not ", 1)[0]] = float(np.log(e.factor))
    level = np.array([odds[str(n)] for n in names])
    middle = float((level * size).sum() / size.sum())
    better = level > middle
    if not better.any() or better.all():
        return f"Odds by {name} are not in the scenario: its names do not fall in two."
    said = tuple(
        f"{name} {', '.join(map(str, names[b][:6]))}{' and more' if b.sum() > 6 else ''}"
        for b in (~better, better)
    )
    own = tuple(
        str(names[b][0]) if b.sum() == 1 else f"{name} {k}"
        for b, k in ((~better, "others"), (better, "better"))
    )
    return _Cut(better[of].astype(np.int64), own, said)


def _bands(name: str, number: Array) -> _Cut | str:
    known = np.isfinite(number)
    if known.mean() < STATED:
        return (
            f"Odds by {name} are not in the scenario: {1 - known.mean():.0%} of the cases do not "
            "state it."
        )
    middle = float(np.median(number[known]))
    of = (np.where(known, number, middle) > middle).astype(np.int64)
    if not 0 < of.mean() < 1:
        return f"Odds by {name} are not in the scenario: most cases have the same."
    return _Cut(
        of,
        (f"low {name}", f"high {name}"),
        (f"{name} up to {middle:,.6g}", f"{name} above {middle:,.6g}"),
    )


def _cross(a: _Cut, b: _Cut) -> _Cut:
    pairs = [(i, j) for i in range(len(a.names)) for j in range(len(b.names))]
    return _Cut(
        a.of * len(b.names) + b.of,
        tuple(f"{a.names[i]} {b.names[j]}" for i, j in pairs),
        tuple(f"{a.says[i]}, {b.says[j]}" for i, j in pairs),
    )
