"""Durations as a mixture of lognormal laws, weighted: what a scenario can say by routing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
SHORTEST = 1 / 86400  # days: a second
MOST_PARTS = 3
LEAST = 0.005  # share below which a part is none
SPIKE = 0.06  # coefficient of variation below which ends come after a fixed time
SPIKE_DAYS = 2.0  # a fixed time shorter than this is a process at work, not a rule
STEPS = 60
MOST_CV = 20.0  # what a scenario can say
_NARROW = 0.01
MOST_ALONE = 20_000  # days; of more, all but so many at either end
ALONE = 1_000
GROUPS = 6_000  # are taken in groups: a mixture of them is the same to three digits


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a mixture, of a share: found as lognormal, kept by its moments; times in days.

    law: lognormal or gamma, whichever makes its days the more likely at this mean and cv.
    """

    share: float
    mu: float
    sigma: float
    mean: float
    cv: float
    law: str

    @property
    def fixed(self) -> bool:
        """Whether it is a fixed time, as rules and not people set them."""
        return self.cv < SPIKE and self.mean > SPIKE_DAYS


@dataclass(frozen=True)
class Bins:
    """Many days in groups of alike ones, with the longest and shortest by themselves.

    days: (k,) means of the groups; order: (n,) places of the days from short to long; first: (k,)
    where each group begins in it.
    """

    days: Array
    order: NDArray[np.int32]
    first: NDArray[np.int64]

    def weights(self, weight: Array) -> Array:
        """Of the groups."""
        return np.asarray(np.add.reduceat(weight[self.order], self.first))


def make_bins(days: Array) -> Bins | None:
    """Groups of so many days that their means tell as much; None where there are few."""
    n = len(days)
    if n <= MOST_ALONE:
        return None
    order = np.argsort(days, kind="stable").astype(np.int32)
    tail = np.arange(ALONE)
    middle = np.linspace(ALONE, n - ALONE, GROUPS, endpoint=False).astype(np.int64)
    first = np.unique(np.concatenate([tail, middle, n - ALONE + tail]))
    size = np.diff(np.append(first, n))
    return Bins(np.add.reduceat(days[order], first) / size, order, first)


def kish(weight: Array) -> float:
    """So many equal weights tell as much."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def fit_mixture(
    days: Array, weight: Array, parts: int | None = None, size: float | None = None
) -> tuple[Part, ...]:
    """Fit by expectation-maximisation; as many parts as the Bayesian information criterion wants.

    The parts are in order of time; a sample below 50 gets one. size: of the sample, where days
    are means of groups.
    """
    days = np.maximum(days, SHORTEST)
    x = np.log(days)
    w = weight / weight.sum()
    size = kish(weight) if size is None else size
    best: tuple[float, tuple[Part, ...]] | None = None
    most = MOST_PARTS if size >= 50 else 1
    for k in [parts] if parts is not None else range(1, most + 1):
        found, score = _expectation_maximisation(x, w, k)
        bic = -2 * score * size + (3 * k - 1) * np.log(max(size, 2.0))
        if best is None or bic < best[0]:
            best = (bic, found)
    assert best is not None
    kept = [p for p in best[1] if p.share >= LEAST]
    total = sum(p.share for p in kept)
    return _moments(days, w, tuple(replace(p, share=p.share / total) for p in kept))


def refit(days: Array, weight: Array, start: tuple[Part, ...]) -> tuple[Part, ...]:
    """The same parts under other weights, from where they were."""
    days = np.maximum(days, SHORTEST)
    w = weight / weight.sum()
    found, _ = _iterate(np.log(days), w, _arrays(start), 5)
    return _moments(days, w, found, tuple(p.law for p in start))


def _moments(
    days: Array, w: Array, parts: tuple[Part, ...], laws: tuple[str, ...] = ()
) -> tuple[Part, ...]:
    """The parts with mean, cv and law (unless given) from the days that belong to them."""
    belongs = np.exp(_densities(np.log(days), _arrays(parts)))
    belongs /= np.maximum(belongs.sum(axis=1, keepdims=True), 1e-300)
    out = []
    for k, part in enumerate(parts):
        mine = belongs[:, k] * w
        if mine.sum() <= 0:
            out.append(part)
            continue
        mean = float(np.average(days, weights=mine))
        sd = float(np.sqrt(np.average((days - mean) ** 2, weights=mine)))
        cv = min(max(sd / mean, 1e-3), MOST_CV)
        if laws:
            out.append(replace(part, mean=mean, cv=cv, law=laws[k]))
            continue
        sigma2 = np.log1p(cv**2)
        scores = {
            "lognormal": stats.lognorm.logpdf(
                days, np.sqrt(sigma2), scale=mean * np.exp(-sigma2 / 2)
            ),
            "gamma": stats.gamma.logpdf(days, cv**-2, scale=mean * cv**2),
        }
        law = max(scores, key=lambda name: float((mine * np.maximum(scores[name], -100)).sum()))
        out.append(replace(part, mean=mean, cv=cv, law=law))
    return tuple(out)


def _densities(x: Array, start: tuple[Array, Array, Array]) -> Array:
    share, mu, sigma = start
    return np.asarray(
        np.log(share)
        - np.log(sigma)
        - 0.5 * np.log(2 * np.pi)
        - 0.5 * ((x[:, None] - mu) / sigma) ** 2
    )


def _arrays(parts: tuple[Part, ...]) -> tuple[Array, Array, Array]:
    return (
        np.array([p.share for p in parts]),
        np.array([p.mu for p in parts]),
        np.array([p.sigma for p in parts]),
    )


def _expectation_maximisation(x: Array, w: Array, k: int) -> tuple[tuple[Part, ...], float]:
    order = np.argsort(x)
    sums = np.cumsum(w[order])
    spread = max(float(np.sqrt(np.average((x - np.average(x, weights=w)) ** 2, weights=w))), 0.05)
    starts = [np.interp((np.arange(k) + 0.5) / k, sums, x[order])]
    if k > 1:
        # a spike is narrow, and may hide in the slope of a wide part: begin one where it is densest
        edges = np.arange(x.min(), x.max() + 0.04, 0.02)
        dense = np.histogram(x, bins=edges, weights=w)[0] if len(edges) > 2 else np.zeros(1)
        mode = edges[int(dense.argmax())] + 0.01 if len(edges) > 2 else x[0]
        starts.append(np.append(starts[0][: k - 1], mode))
    best: tuple[tuple[Part, ...], float] | None = None
    for n, mu in enumerate(starts):
        sigma = np.full(k, spread / k)
        if n == 1:
            sigma[-1] = 0.02
        found = _iterate(x, w, (np.full(k, 1 / k), mu.astype(float), sigma), STEPS)
        if best is None or found[1] > best[1]:
            best = found
    assert best is not None
    return best


def _iterate(
    x: Array, w: Array, start: tuple[Array, Array, Array], steps: int
) -> tuple[tuple[Part, ...], float]:
    share, mu, sigma = start
    score = -np.inf
    for _ in range(steps):
        density = _densities(x, (share, mu, sigma))
        top = density.max(axis=1)
        part = np.exp(density - top[:, None])
        whole = part.sum(axis=1)
        total = top + np.log(whole)
        part *= (w / whole)[:, None]
        share = np.maximum(part.sum(axis=0), 1e-9)
        mu = (part * x[:, None]).sum(axis=0) / share
        sigma = np.sqrt((part * (x[:, None] - mu) ** 2).sum(axis=0) / share)
        sigma = np.maximum(sigma, _NARROW)
        share = share / share.sum()
        new = float((w * total).sum())
        if abs(new - score) < 1e-7:
            break
        score = new
    order = np.argsort(mu)
    found = tuple(
        Part(float(share[i]), float(mu[i]), float(sigma[i]), float("nan"), float("nan"), "")
        for i in order
    )
    return found, score
