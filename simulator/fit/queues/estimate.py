"""All that a queue log tells, put together: arrivals, talk, patience, people, what is not seen."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.errors import DataError
from simulator.fit.queues.agents import Agents, estimate_agents
from simulator.fit.queues.arrive import Rates, estimate_rates, gamma_about_one
from simulator.fit.queues.calibrate import RUNS, Calibration, calibrate, hastened, moments
from simulator.fit.queues.calls import Calls, Floats, Ints
from simulator.fit.queues.laws import Kind, Patience, estimate_kinds, estimate_patience
from simulator.fit.queues.model import Queue, Work, whole
from simulator.fit.queues.priority import Priority, priorities

FEWEST_CALLS: Final = 100
STAFFED: Final = 0.5  # mean heads in an hour that is open
SPREAD_RUNS: Final = 30
RECENT: Final = 28  # days that runs are held against


@dataclass(frozen=True)
class QueueEstimates:
    """What was fitted to the calls of a queue.

    shifts: (7, 96) people on duty by weekday; shift_cv: how a day's people vary about that.
    plain_patience: seconds waited in all over those who gave up, as Erlang-A takes it.
    """

    rates: Rates
    kinds: tuple[Kind, ...]
    patience: Patience | None
    agents: Agents
    shifts: Floats
    shift_cv: float
    plain_patience: float
    priorities: tuple[Priority, ...]
    unseen: Calibration
    notes: tuple[str, ...]

    def plain(self, start: dt.date, rates: Floats, heads: Floats) -> Queue:
        """A queue with the laws as they were seen, before calibration."""
        return _plain(self.kinds, self.agents, self.patience, start, rates, heads)

    def queue(self, start: dt.date, rates: Floats, heads: Floats) -> Queue:
        """A queue with everything at its best value; heads whole."""
        best = self.unseen.away.value, self.unseen.haste.value
        return hastened(self.plain(start, rates, heads), *best)


def _plain(
    kinds: tuple[Kind, ...],
    agents: Agents,
    patience: Patience | None,
    start: dt.date,
    rates: Floats,
    heads: Floats,
) -> Queue:
    return Queue(
        start=start,
        rates=rates,
        heads=heads,
        work=tuple(Work(k.name, k.share, k.talk.value, k.cv, k.law) for k in kinds),
        wrap=agents.wrap.value,
        wrap_sd=agents.wrap_sd,
        away=0.0,
        patience=None if patience is None else (patience.mean, patience.cv, patience.law),
    )


def estimate_queue(calls: Calls, *, seed: int = 1, runs: int = RUNS) -> QueueEstimates:
    """Fit calls. Raises DataError where there are too few, or nobody is named."""
    where = ", ".join(calls.files) or "the log"
    if len(calls) < FEWEST_CALLS:
        raise DataError(
            f"{where}: {len(calls):,} calls that asked for a person, and at least {FEWEST_CALLS} "
            "are needed. Export a longer time"
        )
    notes = []
    if calls.days < 7:
        notes.append(
            f"The log has {calls.days} days: the other weekdays are taken to be like those seen."
        )
    if not (calls.wait > 0).any():
        raise DataError(f"{where}: no call waited. Is the column of waits empty?")
    agents = estimate_agents(calls, seed)
    rates = estimate_rates(calls, agents.open >= STAFFED)
    kinds, patience = estimate_kinds(calls), estimate_patience(calls)
    if patience is None:
        notes.append("Too few gave up to tell how patient callers are: none is taken to give up.")
    if agents.seen < 30:
        notes.append("People were hardly ever seen between calls while callers waited: no wrap-up.")
    first = max(0, calls.days - RECENT)
    recent = calls.between(first, calls.days)
    plain = _plain(
        kinds, agents, patience, recent.origin.date(), rates.was[first:], agents.heads[first:]
    )
    rng = np.random.default_rng(seed)
    errors = np.vstack(
        [
            moments(_other(plain, kinds, agents, patience, rng), seed + 1 + i, 1)
            for i in range(SPREAD_RUNS)
        ]
    )
    unseen = calibrate(recent, plain, errors, seed=seed, runs=runs)
    return QueueEstimates(
        rates=rates,
        kinds=kinds,
        patience=patience,
        agents=agents,
        shifts=_by_weekday(agents.heads, calls.weekdays),
        shift_cv=_vary(agents.heads),
        plain_patience=float(calls.wait.sum() / max(calls.left.sum(), 0.5)),
        priorities=priorities(calls),
        unseen=unseen,
        notes=tuple(notes),
    )


def _other(
    queue: Queue,
    kinds: tuple[Kind, ...],
    agents: Agents,
    patience: Patience | None,
    rng: np.random.Generator,
) -> Queue:
    """The queue with all that was estimated drawn anew within its errors."""
    return Queue(
        queue.start,
        queue.rates,
        whole(queue.heads, rng),
        tuple(
            Work(k.name, k.share, _about(rng, k.talk.value, k.talk.se), k.cv, k.law) for k in kinds
        ),
        _about(rng, agents.wrap.value, agents.wrap.se),
        queue.wrap_sd,
        queue.away,
        None
        if patience is None
        else (
            patience.mean * float(np.exp(rng.normal(0.0, patience.log_se))),
            patience.cv,
            patience.law,
        ),
    )


def _about(rng: np.random.Generator, value: float, se: float) -> float:
    """A positive number drawn about a value."""
    if value <= 0:
        return 0.0
    return value * float(gamma_about_one(rng, se / value, (1,))[0])


def draw(
    e: QueueEstimates,
    start: dt.date,
    rates: Floats,
    heads: Floats,
    rng: np.random.Generator,
    share: float,
) -> Queue:
    """One of the queues that are consistent with the log, for given rates and people on duty.

    share: where in the posterior of `away` it stands, 0 to 1, so that draws can be spread evenly.
    Errors of talk, wrap-up and patience are in the spread of what is matched to them (`away` and
    `haste`), so they are not drawn a second time.
    """
    sample = e.unseen.sample
    away, haste = sample[np.argsort(sample[:, 0], kind="stable")[int(share * len(sample))]]
    less = np.clip(rng.normal(0.0, e.unseen.day_away, (len(heads), 1)), -0.5, 0.5)
    heads = heads * (1.0 - less)
    return hastened(e.plain(start, rates, whole(heads, rng)), float(away), float(haste))


def _by_weekday(heads: Floats, weekdays: Ints) -> Floats:
    """Mean people on duty by weekday and quarter of an hour; unseen weekdays: of all, (7, 96)."""
    out = np.tile(heads.mean(axis=0), (7, 1))
    for d in np.unique(weekdays):
        out[d] = heads[weekdays == d].mean(axis=0)
    return out


def _vary(heads: Floats) -> float:
    """Spread of a day's people about others with the same hours, as a share."""
    is_open = heads.reshape(len(heads), 24, -1).mean(axis=2) >= STAFFED
    total, square, free = heads.sum(axis=1), 0.0, 0
    done: set[int] = set()
    for i in range(len(heads)):
        both = (is_open & is_open[i]).sum(axis=1) / np.maximum(
            (is_open | is_open[i]).sum(axis=1), 1
        )
        like = [j for j in np.flatnonzero(both >= 0.8).tolist() if j not in done]
        done |= set(like)
        if len(like) > 1 and total[like].mean() > 0:
            square += float(((total[like] / total[like].mean() - 1) ** 2).sum())
            free += len(like) - 1
    return float(np.sqrt(square / free)) if free else 0.1
