"""Calls by the hour of the week: what is to be expected, how sure that is, how days vary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.fit.estimate import Number
from simulator.fit.queues.calls import Calls, Floats, Ints

ALIKE: Final = 0.8  # days that share this much of their open hours are compared with each other
TREND_WEEKS: Final = 3
LEAST_CV: Final = 0.02
_ROUNDS: Final = 50


@dataclass(frozen=True)
class Rates:
    """Expected calls by hour of the week and how a week to come varies about it.

    mean: (7, 24) calls an hour, 0 for Monday; a weekday never seen is like most. se: of the mean.
    day_cv, hour_cv: how far a day's level and an hour's share in it will come to lie from what is
    expected, beyond chance, as a share; what is not known of the expectation included. freedom:
    days behind day_cv, less the levels fitted. dispersion: variance over mean of an hour's calls
    about the expectation. weekday: share of the difference between like days that is held to come
    back; hours: the same of an hour's difference; weeks: times that each weekday was seen (7,).
    told: whether weeks repeat, so that these shares are measured. was: (days, 24) the rate at
    which calls came in the hours seen, chance taken out.
    """

    mean: Floats
    se: Floats
    day_cv: float
    hour_cv: float
    freedom: int
    dispersion: float
    weekday: float
    hours: float
    weeks: Ints
    told: bool
    trend: Number | None
    was: Floats

    def draw(self, rng: np.random.Generator, weekdays: Ints) -> Floats:
        """A week that may come: calls an hour on days with these weekdays, (days, 24)."""
        # a spread seen on few days may be larger: Student's t instead of the normal law
        cv = spread_drawn(rng, self.day_cv, self.freedom)
        days = gamma_about_one(rng, cv, (len(weekdays), 1))
        hours = gamma_about_one(rng, self.hour_cv, (len(weekdays), 24))
        return self.mean[weekdays] * days * hours


def gamma_about_one(
    rng: np.random.Generator, cv: float, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Gamma numbers of mean 1."""
    if cv <= 0:
        return np.ones(shape)
    return rng.gamma(1.0 / cv**2, cv**2, shape)


def spread_drawn(rng: np.random.Generator, cv: float, freedom: int) -> float:
    """A spread that days may really have, given one estimated from few of them; 1 at most."""
    if freedom < 1:
        return cv
    return min(1.0, cv * float(np.sqrt(freedom / rng.chisquare(freedom))))


def hourly(calls: Calls) -> Floats:
    """Calls that joined by day and hour, (days, 24)."""
    at = np.floor(calls.joined / 3600.0).astype(np.int64)
    at = at[(at >= 0) & (at < calls.days * 24)]
    return np.bincount(at, minlength=calls.days * 24).reshape(calls.days, 24).astype(float)


def estimate_rates(calls: Calls, staffed: NDArray[np.bool_]) -> Rates:
    """Calls by hour of the week. staffed: (days, 24) hours with somebody on duty.

    A day's calls are its level times the profile of the day (over the hours it is open). Levels of
    like days and what is left in the hours are shrunk by what comes back in further weeks; with one
    week that cannot be told, and half is taken to come back.
    """
    counts, weekdays = hourly(calls), calls.weekdays
    weeks = np.bincount(weekdays, minlength=7)
    usual = np.array([staffed[weekdays == d].mean(axis=0) >= 0.5 if weeks[d] else np.zeros(24)
                      for d in range(7)], dtype=bool)  # fmt: skip
    is_open = usual[weekdays]
    levels, profile = _product(counts, is_open)
    expected, weekday, day_cv, free = _levels(levels, counts, is_open, weekdays, usual)
    base = expected[:, None] * np.where(usual, profile[None, :], 0.0)
    ratio_mean, hours, hour_cv, dispersion = _hours(counts, is_open, levels, profile, weekdays)
    mean = base * ratio_mean
    for d in np.flatnonzero(weeks):
        shut = ~usual[d]
        mean[d, shut] = counts[weekdays == d][:, shut].mean(axis=0)
    kinds = _alike(usual)[weeks > 0]
    usual_kind = np.bincount(kinds).argmax()
    like = (weeks > 0) & (_alike(usual) == usual_kind)
    mean[weeks == 0] = mean[like].mean(axis=0)
    seen = np.maximum(weeks, 1)[:, None]
    # of the expectation alone: chance in what was seen, and days that came out high or low
    se = np.sqrt(mean / seen + (mean * day_cv) ** 2 / (seen + 1))
    told = bool((weeks >= 2).sum() >= 2)
    return Rates(
        mean, se, day_cv, hour_cv, free, dispersion, weekday, hours, weeks, told,
        _trend(counts, calls.days),
        _rate_then(counts, levels[:, None] * profile * is_open, dispersion),
    )  # fmt: skip


def _product(counts: Floats, is_open: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Levels of days and the profile of a day, by iterated proportional fitting."""
    inside = np.where(is_open, counts, 0.0)
    levels, profile = np.maximum(inside.sum(axis=1), 0.5), np.ones(24)
    for _ in range(_ROUNDS):
        weight = (levels[:, None] * is_open).sum(axis=0)
        profile = np.divide(inside.sum(axis=0), weight, out=np.zeros(24), where=weight > 0)
        profile /= max(profile.sum(), 1e-12)
        share = (profile[None, :] * is_open).sum(axis=1)
        total = np.maximum(inside.sum(axis=1), 0.5)  # a day without a call is half a call
        levels = np.divide(total, share, out=np.zeros(len(counts)), where=share > 0)
    return levels, profile


def _alike(usual: NDArray[np.bool_]) -> Ints:
    """Kinds of weekdays by their open hours: (7,)."""
    kind = np.full(7, -1)
    for d in range(7):
        for e in range(d):
            either = (usual[d] | usual[e]).sum()
            if either and (usual[d] & usual[e]).sum() / either >= ALIKE:
                kind[d] = kind[e]
                break
        if kind[d] < 0:
            kind[d] = d
    return kind


def _levels(
    levels: Floats,
    counts: Floats,
    is_open: NDArray[np.bool_],
    weekdays: Ints,
    usual: NDArray[np.bool_],
) -> tuple[Floats, float, float, int]:
    """Expected level of each weekday, share of a difference that comes back, day_cv, freedom."""
    kind = _alike(usual)[weekdays]
    total = np.maximum((counts * is_open).sum(axis=1), 0.5)
    expected = np.zeros(7)
    spread, chance, free = 0.0, 0.0, 0
    within, pairs, repeats = 0.0, 0, [0]
    relative = np.zeros(len(levels))
    for k in np.unique(kind):
        mine = np.flatnonzero((kind == k) & is_open.any(axis=1))
        if not len(mine):
            continue
        centre = levels[mine].mean()
        relative[mine] = levels[mine] / centre - 1
        chance += float((1 / total[mine]).sum()) * (1 - 1 / len(mine))
        spread += float((relative[mine] ** 2).sum())
        free += len(mine) - 1
        for d in np.unique(weekdays[mine]):
            own = mine[weekdays[mine] == d]
            repeats.append(len(own))
            if len(own) > 1:
                within += float(((relative[own] - relative[own].mean()) ** 2).sum())
                pairs += len(own) - 1
    between = max(spread - chance, 0.0) / free if free else 0.0
    if pairs >= 2:  # variance about the same weekday's mean: what does not come back
        typical = float((1 / total).mean())
        noise = min(max(within / pairs - typical, 0.0), between)
    else:
        noise = between / 2
    lasting = between - noise
    seen = max(repeats)
    share = (
        lasting / (lasting + (noise + float((1 / total).mean())) / max(seen, 1))
        if (lasting > 0)
        else 0.0
    )
    for d in range(7):
        own = np.flatnonzero((weekdays == d) & is_open.any(axis=1))
        if len(own):
            like = np.flatnonzero((kind == kind[own[0]]) & is_open.any(axis=1))
            alone = len(np.unique(weekdays[like])) == 1
            shift = relative[own].mean() * (1.0 if alone else share)
            expected[d] = levels[like].mean() * (1 + shift)
    # of a day to come: its own noise, what is left unknown of its weekday, and chance in the mean
    # (with one week, nothing may come back at all, and then the expectation is off by its shift)
    open_end = lasting * (1 - share) if pairs >= 2 else lasting
    cv = np.sqrt(noise + open_end + noise / max(free + 1, 1))
    return expected, float(share), float(max(cv, LEAST_CV)), free


def _hours(
    counts: Floats, is_open: NDArray[np.bool_], levels: Floats, profile: Floats, weekdays: Ints
) -> tuple[Floats, float, float, float]:
    """What an hour of the week has more or less than its day and profile say: (7, 24) factors.

    And the share of a difference that comes back, the spread of an hour to come, and dispersion.
    """
    mu = levels[:, None] * profile[None, :] * is_open
    used = mu >= 1.0
    factor = np.ones((7, 24))
    if not used.any():
        return factor, 0.0, 0.0, 1.0
    total = float((mu[used] ** 2).sum())
    # a level and a profile are fitted to each row and column: so many fewer free cells
    cells = used.sum() / max(used.sum() - len(counts) - 23, 1)
    extra = max((float(((counts - mu)[used] ** 2).sum()) * cells - mu[used].sum()) / total, 0.0)
    ratio = np.where(used, counts / np.where(used, mu, 1.0) - 1, 0.0)
    together, weight = 0.0, 0.0
    for d in range(7):
        own = np.flatnonzero(weekdays == d)
        for i in range(len(own)):
            for j in range(i):
                both = used[own[i]] & used[own[j]]
                w = np.minimum(mu[own[i]], mu[own[j]])[both]
                together += float((w * ratio[own[i]][both] * ratio[own[j]][both]).sum())
                weight += float(w.sum())
    lasting = min(max(together / weight, 0.0), extra) if weight else extra / 2
    noise = extra - lasting
    back = 0.0
    for d in range(7):
        own = np.flatnonzero(weekdays == d)
        if not len(own):
            continue
        some = used[own].any(axis=0)
        size = mu[own].sum(axis=0)
        share = np.zeros(24)
        if lasting > 0:
            share[some] = lasting / (lasting + noise / len(own) + 1 / size[some])
        back = max(back, float(share.max()))
        gone = counts[own].sum(axis=0)[some] / size[some] - 1
        factor[d, some] = 1 + share[some] * gone
    spread = float(np.sqrt(noise + lasting * (1 - back)))
    dispersion = 1 + extra * total / float(mu[used].sum())
    return factor, back, spread, dispersion


def _rate_then(counts: Floats, mu: Floats, dispersion: float) -> Floats:
    """What came in an hour, less the part of its difference that is chance."""
    if dispersion <= 1:
        return np.where(mu > 0, mu, counts)
    share = 1 - 1 / dispersion  # extra * mu / (extra * mu + 1) at the typical hour
    return np.where(mu > 0, mu + share * (counts - mu), counts)


def _trend(counts: Floats, days: int) -> Number | None:
    """Growth a week of the log of calls, over whole weeks; None where they are too few."""
    weeks = days // 7
    if weeks < TREND_WEEKS:
        return None
    totals = counts[: weeks * 7].reshape(weeks, -1).sum(axis=1)
    y, x = np.log(np.maximum(totals, 0.5)), np.arange(weeks) - (weeks - 1) / 2
    slope = float((x * y).sum() / (x**2).sum())
    rest = y - y.mean() - slope * x
    variance = max(float((rest**2).sum()) / max(weeks - 2, 1), float((1 / totals).mean()))
    se = float(np.sqrt(variance / (x**2).sum()))
    return Number(slope, se, slope - 1.645 * se, slope + 1.645 * se)
