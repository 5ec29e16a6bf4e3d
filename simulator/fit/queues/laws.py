"""How long calls last, by kind; and how long callers wait before they give up."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats
from scipy.stats import CensoredData, ecdf

from simulator.fit.estimate import Number
from simulator.fit.queues.calls import LEFT, NOBODY, Calls, Floats

SHORT: Final = 10.0  # seconds: a call ended before anything was said
OWN: Final = 0.05  # a kind with this share of the calls has its own length
FEWEST: Final = 20  # gave up: below it patience is not told
WIDE: Final = 1.645
Name = Literal["exponential", "gamma", "lognormal"]


@dataclass(frozen=True)
class Kind:
    """Calls of one kind: their share, seconds of talk, its coefficient of variation.

    short: share that lasted less than SHORT seconds; law: the likelier of lognormal and gamma,
    with the Kolmogorov-Smirnov distance from it.
    """

    name: str
    calls: int
    share: float
    talk: Number
    cv: float
    short: float
    law: Name
    distance: float


def estimate_kinds(calls: Calls) -> tuple[Kind, ...]:
    """Talk time by kind of call; rare kinds together as `other`."""
    done = (calls.who != NOBODY) & (calls.talk >= 0)
    code = calls.kind.copy()
    counts = np.bincount(code[code >= 0], minlength=len(calls.kinds))
    own = [k for k in range(len(calls.kinds)) if counts[k] >= OWN * len(calls)]
    if len(own) < 2:
        own = []
    found = []
    rest = ~np.isin(code, own)
    groups = [(calls.kinds[k], code == k) for k in own]
    if (done & rest).sum() >= FEWEST:
        groups.append(("other" if own else "call", rest))
    elif own:  # a handful that fit no kind are counted with the commonest
        most = max(own, key=lambda k: counts[k])
        groups = [(n, m | rest if n == calls.kinds[most] else m) for n, m in groups]
    total = sum(int(m.sum()) for _, m in groups)
    for name, mine in groups:
        found.append(_kind(name, calls, done & mine, int(mine.sum()), int(mine.sum()) / total))
    return tuple(found)


def _kind(name: str, calls: Calls, mine: NDArray[np.bool_], n: int, share: float) -> Kind:
    talk, who = calls.talk[mine], calls.who[mine]
    mean = float(talk.mean())
    # calls of one agent are alike: the error counts agents, not calls, where that is the larger
    sums = np.bincount(who, weights=talk - mean)
    agents = len(np.unique(who))
    se = float(np.sqrt((sums**2).sum() * agents / max(agents - 1, 1))) / len(talk)
    se = max(se, float(talk.std() / np.sqrt(len(talk))))
    wide = float(stats.t.ppf(0.95, max(agents - 1, 1))) * se
    cv = float(talk.std() / mean) if mean > 0 else 0.0
    y = np.maximum(talk, 0.5)
    logs = np.log(y)
    sigma = max(float(logs.std()), 1e-6)
    shape = _gamma_shape(float(np.log(y.mean()) - logs.mean()))
    laws: dict[Name, tuple[float, float]] = {
        "lognormal": (
            float(stats.norm.logpdf(logs, logs.mean(), sigma).sum() - logs.sum()),
            float(stats.kstest(logs, "norm", (logs.mean(), sigma)).statistic),
        ),
        "gamma": (
            float(stats.gamma.logpdf(y, shape, scale=y.mean() / shape).sum()),
            float(stats.kstest(y, "gamma", (shape, 0, y.mean() / shape)).statistic),
        ),
    }
    law = max(laws, key=lambda k: laws[k][0])
    number = Number(mean, se, max(mean - wide, 0.0), mean + wide)
    return Kind(_name(name), n, share, number, cv, float((talk < SHORT).mean()), law, laws[law][1])


def _name(text: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return name if re.match("[a-z]", name) and name != "won" else f"kind_{name}"


def _gamma_shape(s: float) -> float:
    """Maximum likelihood shape of a gamma law; s: log of the mean less mean of the logs."""
    if s <= 1e-9:
        return 1e6
    found: float = optimize.brentq(lambda k: np.log(k) - special.digamma(k) - s, 1e-3, 1e6)
    return found


@dataclass(frozen=True)
class Patience:
    """How long callers wait before they give up, those served in time counted as censored.

    median: seconds, by the likeliest law; log_se: error of its logarithm. mean, cv: of the law, as
    a scenario says it (its far tail is extrapolated: few are seen to wait that long). naive: the
    mean of those who gave up, which is too short. weights: of the laws, by Akaike; times,
    survival, low, high: Kaplan-Meier with its 90% band. gave_up: how many.
    """

    median: Number
    mean: float
    cv: float
    law: Name
    naive: float
    log_se: float
    gave_up: int
    waited: int
    weights: tuple[tuple[Name, float], ...]
    times: Floats
    survival: Floats
    low: Floats
    high: Floats

    @property
    def seen_median(self) -> float:
        """Kaplan-Meier median; nan where more than half would still wait."""
        below = np.flatnonzero(self.survival <= 0.5)
        return float(self.times[below[0]]) if len(below) else float("nan")


def estimate_patience(calls: Calls) -> Patience | None:
    """Patience of those who waited; None where fewer than FEWEST gave up."""
    mine = calls.wait > 0
    wait, gone = calls.wait[mine], (calls.fate == LEFT)[mine]
    if gone.sum() < FEWEST:
        return None
    data = CensoredData(uncensored=wait[gone], right=wait[~gone])
    km = ecdf(data).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no band where all have gone: nan
        band: Any = km.confidence_interval(confidence_level=0.90, method="log-log")
    fits = {name: _fit(name, wait, gone) for name in _LAWS}
    aic = {name: 2 * len(f[1]) - 2 * f[0] for name, f in fits.items()}
    least = min(aic.values())
    raw = {name: float(np.exp(-(a - least) / 2)) for name, a in aic.items()}
    total = sum(raw.values())
    law = min(aic, key=lambda k: aic[k])
    _, theta, log_se = fits[law]
    mean, cv = _moments(law, theta)
    median = _median(law, theta)
    off = float(np.exp(WIDE * log_se))
    return Patience(
        median=Number(median, median * log_se, median / off, median * off),
        mean=mean,
        cv=cv,
        law=law,
        naive=float(wait[gone].mean()),
        log_se=log_se,
        gave_up=int(gone.sum()),
        waited=len(wait),
        weights=tuple((n, w / total) for n, w in sorted(raw.items(), key=lambda x: -x[1])),
        times=km.quantiles,
        survival=km.probabilities,
        low=np.nan_to_num(band.low.probabilities, nan=0.0),
        high=np.nan_to_num(band.high.probabilities, nan=1.0),
    )


_LAWS: Final[tuple[Name, ...]] = ("exponential", "gamma", "lognormal")


def _moments(law: Name, theta: Floats) -> tuple[float, float]:
    """Mean and coefficient of variation."""
    if law == "exponential":
        return float(np.exp(theta[0])), 1.0
    if law == "gamma":
        return float(np.exp(theta[0])), float(np.exp(-theta[1] / 2))
    square = float(np.exp(2 * theta[1]))
    return float(np.exp(theta[0] + square / 2)), float(np.sqrt(np.expm1(square)))


def _median(law: Name, theta: Floats) -> float:
    scale = float(np.exp(theta[0]))
    if law == "exponential":
        return scale * float(np.log(2))
    if law == "gamma":
        shape = float(np.exp(theta[1]))
        return float(stats.gamma(shape, scale=scale / shape).median())
    return scale


def _loglik(law: Name, theta: Floats, wait: Floats, gone: NDArray[np.bool_]) -> float:
    """theta: log of the mean (lognormal: median), log of a gamma's shape or a lognormal's sigma."""
    mean = np.exp(theta[0])
    if law == "exponential":
        return float(gone.sum() * -theta[0] - wait.sum() / mean)
    if law == "gamma":
        shape = float(np.exp(theta[1]))
        x = wait * (shape / mean)
        seen = (shape * np.log(x[gone]) - x[gone] - np.log(wait[gone])).sum()
        seen -= gone.sum() * special.gammaln(shape)
        beyond = np.log(np.maximum(special.gammaincc(shape, x[~gone]), 1e-300)).sum()
        return float(seen + beyond)
    sigma = float(np.exp(theta[1]))
    z = (np.log(wait) - theta[0]) / sigma
    seen = (-0.5 * z[gone] ** 2 - np.log(wait[gone])).sum()
    seen -= gone.sum() * np.log(sigma * np.sqrt(2 * np.pi))
    return float(seen + special.log_ndtr(-z[~gone]).sum())


def _fit(law: Name, wait: Floats, gone: NDArray[np.bool_]) -> tuple[float, Floats, float]:
    """(log likelihood, theta, error of its first)."""
    start = float(np.log(wait.sum() / gone.sum()))
    if law == "exponential":
        theta = np.array([start])
        return _loglik(law, theta, wait, gone), theta, float(gone.sum() ** -0.5)
    bounds = [(start - 4, start + 4), (-2.0, 3.0) if law == "gamma" else (-2.0, 0.8)]  # cv below 20

    def minus(theta: Floats) -> float:
        return -_loglik(law, theta, wait, gone)

    best = optimize.minimize(minus, np.array([start, 0.0]), bounds=bounds, method="L-BFGS-B")
    step, hessian = 1e-3, np.zeros((2, 2))
    for i in range(2):
        for j in range(2):
            total = 0.0
            for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                at = best.x.copy()
                at[i] += a * step
                at[j] += b * step
                total += a * b * minus(at)
            hessian[i, j] = total / (4 * step**2)
    try:
        variance = float(np.linalg.inv(hessian)[0, 0])
    except np.linalg.LinAlgError:
        variance = 1.0
    return -float(best.fun), best.x, float(np.sqrt(variance)) if variance > 0 else 1.0
