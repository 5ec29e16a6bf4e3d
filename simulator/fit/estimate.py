"""From a history to numbers with their standard errors: channels, delay, people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simulator.fit.arrivals import Arrivals, estimate_arrivals
from simulator.fit.cure import Counts, Ensemble, count, fit_cure
from simulator.fit.delay import DelayLaw
from simulator.fit.read import History

Array = NDArray[np.float64]
DRAWS = 8000


@dataclass(frozen=True, slots=True)
class Number:
    """An estimate with its standard error and 90% interval."""

    value: float
    se: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Plain values."""
        return {"value": self.value, "se": self.se, "low": self.low, "high": self.high}


def number(draws: Array) -> Number:
    """Mean, standard deviation and 5% and 95% quantiles of posterior draws."""
    low, high = np.quantile(draws, [0.05, 0.95])
    return Number(float(draws.mean()), float(draws.std()), float(low), float(high))


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel: leads a week now, share ever won, and the counts behind them."""

    name: str
    leads: int
    wins: int
    per_week: float
    per_week_se: float
    conversion: Number

    @property
    def closed_share(self) -> float:
        """Wins so far over leads: too low while leads are still open."""
        return self.wins / self.leads if self.leads else 0.0


@dataclass(frozen=True, slots=True)
class Delay:
    """Days from lead to win of those ever won, at today's pace.

    ``law`` is the one that the data prefer; ``scenario`` is the nearest that a scenario can say
    (lognormal or gamma), with its median, mean and coefficient of variation. ``closed_mean`` is the
    mean of the deals closed so far, which is too short.
    """

    law: str
    scenario: DelayLaw
    median: Number
    p90: Number
    scenario_median: float
    scenario_mean: float
    scenario_cv: float
    closed_mean: float
    weights: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True, slots=True)
class Role:
    """The people of a role, from who won when.

    ``people``: with a win in the last four weeks; ``ever``: in the whole history; ``per_week``:
    with a win in a week, on average over those four weeks; ``load``: wins a person a week.
    """

    name: str
    people: int
    ever: int
    per_week: float
    load: float
    load_se: float
    unnamed: int


@dataclass(frozen=True, slots=True)
class Estimates:
    """Everything estimated from one history."""

    counts: Counts
    ensemble: Ensemble
    arrivals: Arrivals
    channels: tuple[Channel, ...]
    overall: Number
    delay: Delay
    roles: tuple[Role, ...]
    drift_pace: Number
    drift_odds: Number
    value: Number | None
    value_cv: float
    value_n: int


def estimate(history: History, seed: int = 1) -> Estimates:
    """Estimate all numbers; those of the cure models are averages over the ensemble."""
    counts = count(history)
    ensemble = fit_cure(counts)
    arrivals = estimate_arrivals(history)
    parts = ensemble.draw(DRAWS, np.random.default_rng(seed))
    shares, medians, p90s, pace, odds = [], [], [], [], []
    for fit, x in parts:
        logits, theta, drift = fit.split(x)
        shares.append(special.expit(logits))
        medians.append(fit.law.quantile(0.5, theta))
        p90s.append(fit.law.quantile(0.9, theta))
        pace.append(drift if fit.drift == "pace" else 0 * drift)
        odds.append(drift if fit.drift == "odds" else 0 * drift)
    share = np.concatenate(shares)
    weight = arrivals.rate if arrivals.rate.sum() > 0 else np.ones(len(history.channels))
    value, cv, n = _value(history)
    return Estimates(
        counts=counts,
        ensemble=ensemble,
        arrivals=arrivals,
        channels=tuple(
            Channel(
                name=name,
                leads=int((history.channel == i).sum()),
                wins=int(((history.channel == i) & (history.won >= 0)).sum()),
                per_week=float(arrivals.rate[i]),
                per_week_se=float(arrivals.se[i]),
                conversion=number(share[:, i]),
            )
            for i, name in enumerate(history.channels)
        ),
        overall=number(share @ weight / weight.sum()),
        delay=_delay(history, ensemble, np.concatenate(medians), np.concatenate(p90s)),
        roles=tuple(_role(history, name) for name in history.people),
        drift_pace=number(np.concatenate(pace)),
        drift_odds=number(np.concatenate(odds)),
        value=value,
        value_cv=cv,
        value_n=n,
    )


def _delay(history: History, ensemble: Ensemble, medians: Array, p90s: Array) -> Delay:
    won = history.won >= 0
    median, p90 = number(medians), number(p90s)
    names = [f.law.name for f in ensemble.fits]
    totals = {
        n: sum(w for m, w in zip(names, ensemble.weights, strict=True) if m == n) for n in names
    }
    scenario = DelayLaw(
        "lognormal" if totals.get("lognormal", 0) >= totals.get("gamma", 0) else "gamma"
    )
    # shape from the modes of that family, level from the averaged median
    own = [
        (f, w)
        for f, w in zip(ensemble.fits, ensemble.weights, strict=True)
        if f.law.name == scenario.name
    ]
    shape = float(sum(w * f.split(f.mode)[1][0] for f, w in own) / sum(w for _, w in own))
    theta = np.array([shape, 0.0])
    theta[1] = np.log(median.value / float(scenario.quantile(0.5, theta)))
    mean, cv = scenario.mean_cv(theta)
    return Delay(
        law=str(ensemble.best.law),
        scenario=scenario,
        median=median,
        p90=p90,
        scenario_median=median.value,
        scenario_mean=float(mean),
        scenario_cv=float(cv),
        closed_mean=float((history.won[won] - history.arrived[won]).mean()),
        weights=tuple(
            (str(f.law), f.drift, float(w))
            for f, w in zip(ensemble.fits, ensemble.weights, strict=True)
        ),
    )


def _role(history: History, name: str) -> Role:
    who = history.people[name]
    weeks = min(4, history.days // 7)
    since = history.days - 7 * weeks
    named = (who >= 0) & (history.won >= 0)
    recent = named & (history.won >= since)
    people = len(np.unique(who[recent]))
    per_week = float(
        np.mean(
            [len(np.unique(who[named & ((history.won - since) // 7 == k)])) for k in range(weeks)]
        )
    )
    wins = int(recent.sum())
    # a person at least, were the last four weeks without a named win
    heads = max(people, 1)
    return Role(
        name=name,
        people=heads,
        ever=len(np.unique(who[named])),
        per_week=per_week,
        load=wins / weeks / heads,
        load_se=float(np.sqrt(max(wins, 1))) / weeks / heads,
        unnamed=int(((who < 0) & (history.won >= 0)).sum()),
    )


def _value(history: History) -> tuple[Number | None, float, int]:
    stated = history.value[np.isfinite(history.value) & (history.won >= 0)]
    n = len(stated)
    if n < 5:
        return None, float("nan"), n
    mean, sd = float(stated.mean()), float(stated.std(ddof=1))
    se = sd / float(np.sqrt(n))
    return Number(mean, se, mean - 1.645 * se, mean + 1.645 * se), sd / mean, n
