"""Everything estimated from a log: the numbers of its scenario, how sure they are, and in words."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from simulator.errors import DataError
from simulator.fit.logs.assumed import Contention, estimate_contention, with_work, works_unseen
from simulator.fit.logs.calibrate import Calibrated
from simulator.fit.logs.cast import Model, make_model
from simulator.fit.logs.contention import Wait, estimate_waits
from simulator.fit.logs.covariates import Effect, estimate_effects
from simulator.fit.logs.crew import Crew, estimate_crew
from simulator.fit.logs.demand import RECENT_DAYS
from simulator.fit.logs.log import Log
from simulator.fit.logs.network import Network, hours_of, make_frame, make_network
from simulator.fit.logs.outlook import won_of
from simulator.fit.logs.paths import Paths, make_paths
from simulator.fit.logs.script import Script, full_time, make_script, numbers, same_shape
from simulator.fit.read import slug

Array = NDArray[np.float64]
ENSEMBLE = 100
FEWEST_CASES = 50
FEWEST_ENDED = 30
BY_THE_BOOK = (".effort.mean", ".effort.cv", ".hours")  # where nothing says when people worked
SHARES_MOVED = 0.05  # p-value of a test that channels bring the same shares of late as before


@dataclass(frozen=True)
class Stream:
    """A channel of the scenario: which cases it brings, where they begin, and how many.

    kind: of the cases; node: index of the first node; per_week: cases a week now; counted: cases
    that its share of the arrivals is of, or campaigns, which bring many at a time.
    """

    name: str
    kind: int
    node: int
    per_week: float
    cases: int
    counted: int


@dataclass(frozen=True)
class LogFit:
    """What a log gives: model, network, script, numbers by path and an ensemble of them.

    point: path -> value in the scenario's internal units. ensemble: (B, len(point)) draws of the
    same numbers, each from other weights on the cases (the Bayesian bootstrap) and other levels
    of arrivals and people. queues: stages whose waits are the queues', and no part of their times.
    contention: whether people with more cases move them on more slowly, where no work is told.
    effects: of what is said of cases on where they go; after_the_end: covariates that tell it.
    """

    log: Log
    paths: Paths
    model: Model
    crew: Crew
    network: Network
    script: Script
    streams: tuple[Stream, ...]
    value: tuple[float, float, float, int]
    point: dict[str, float]
    ensemble: Array
    waits: tuple[Wait, ...] = ()
    calibrated: tuple[Calibrated, ...] = ()
    queues: frozenset[int] = frozenset()
    contention: Contention | None = None
    effects: tuple[Effect, ...] = ()
    after_the_end: tuple[str, ...] = ()

    @property
    def se(self) -> dict[str, float]:
        """Standard errors by path: the spread of the ensemble."""
        if len(self.ensemble) < 2:
            return dict.fromkeys(self.point, 0.0)
        spread = self.ensemble.std(axis=0, ddof=1)
        return dict(zip(self.point, map(float, spread), strict=True))

    def heads(self, team: int) -> float:
        """Full-time heads of a team, as the scenario has them."""
        return float(full_time(self.crew)[0][team]) * self.share(team)

    def share(self, team: int) -> float:
        """Share of their hours that a team's people have for the cases, by how long these wait."""
        return next((c.share for c in self.calibrated if c.team == team), 1.0)

    def utilisation(self, team: int) -> float:
        """Share of their hours that the people of a team work on cases."""
        heads, hours = full_time(self.crew)
        there = heads[team] * hours[team] * self.share(team)
        return float(self.crew.heads[team] * self.crew.busy[team] / there) if there > 0 else 0.0


def fit_log(
    log: Log,
    *,
    draws: int = ENSEMBLE,
    seed: int = 1,
    outcomes: tuple[str, ...] = (),
    queues: frozenset[int] = frozenset(),
    calibrated: tuple[Calibrated, ...] = (),
) -> LogFit:
    """Estimate everything that the log shows; `joint` finds what only a simulation tells.

    queues: stages whose waits the scenario's queues bring, with what `calibrated` says of teams.
    Raises DataError where there is too little: fewer than 50 cases, or than 30 that ended.
    """
    paths = make_paths(log, outcomes)
    _enough(log, paths)
    model = make_model(paths)
    contention = None
    if works_unseen(paths):
        contention = estimate_contention(paths)
        paths = with_work(paths)
        model = replace(model, paths=paths)
    crew = estimate_crew(paths)
    # sessions made up at the end of each stay tell nothing of waits
    seen = paths.a_week is None
    waits = estimate_waits(paths, crew, hours_of(model)[1]) if seen else ()
    frame = make_frame(model, crew, full_time(crew)[1], queues)
    network = make_network(model, crew, frame)
    script = make_script(network, paths.outcomes, won_of(paths), crew)
    streams = _streams(model, network, script)
    value = _value(paths)
    shares = {c.team: c for c in calibrated if c.identified}
    point = _numbers(network, script, crew, streams, value, shares)
    if not seen:
        point = {path: v for path, v in point.items() if not path.endswith(BY_THE_BOOK)}
    rng = np.random.default_rng([seed, 5])
    rows = []
    for _ in range(draws):
        weight = rng.exponential(1.0, len(paths.created))
        other = make_network(model, crew, frame, weight, network)
        drawn = _numbers(other, same_shape(script, other), crew, streams, value, shares)
        _shake(drawn, model, crew, script, streams, value, rng, shares)
        rows.append([drawn[path] for path in point])
    return LogFit(
        log, paths, model, crew, network, script, streams, value, point, np.array(rows), waits,
        calibrated, queues, contention, *_effects(paths, model, seen=seen, draws=draws),
    )  # fmt: skip


def _effects(
    paths: Paths, model: Model, *, seen: bool, draws: int
) -> tuple[tuple[Effect, ...], tuple[str, ...]]:
    """Effects of covariates, and those that were left out; nothing for a fit without draws."""
    if not draws:
        return (), ()
    begun = hours_of(model)[1] if seen and len(paths.session_started) else None
    effects, told = estimate_effects(paths, begun)
    return effects, tuple(told)


def _enough(log: Log, paths: Paths) -> None:
    where = log.files[0] if log.files else "the log"
    n, ended = len(paths.created), int((paths.outcome >= 0).sum())
    if n < FEWEST_CASES:
        raise DataError(
            f"{where}: {n} cases are too few to fit; {FEWEST_CASES} are needed. "
            "Export a longer period"
        )
    if ended < FEWEST_ENDED:
        raise DataError(
            f"{where}: {ended} of {n:,} cases have ended; {FEWEST_ENDED} are needed to say where "
            "the open ones will go. Export a longer period, or name the activities or stages that "
            "end a case with --won and --lost"
        )
    if paths.end < 14:
        raise DataError(
            f"{where}: {paths.end:.0f} days are too few to fit; two weeks are needed. "
            "Export a longer period"
        )


def _streams(model: Model, network: Network, script: Script) -> tuple[Stream, ...]:
    """Channels by their share of the cases; days of campaigns by themselves."""
    p, demand = model.paths, model.demand
    plain = _alike(p.created >= p.end - RECENT_DAYS, model.kind) & (model.kind % 2 == 0)
    regular = demand.per_week * (1 - float(demand.burst.mean()))
    taken: set[str] = set(script.names)
    out = []
    main = max(network.starts, key=lambda k: int((model.kind == k).sum()))
    for kind in sorted(network.starts):
        mine = model.kind == kind
        if kind % 2:
            days = demand.burst_rate
            per_week = days * float(demand.burst_ratios.mean()) * demand.per_week / 7
            per_week *= float(mine.sum() / max((model.kind % 2 == 1).sum(), 1))
        else:
            per_week = regular * float((mine & plain).sum() / max(plain.sum(), 1))
        if per_week <= 0:
            continue
        channel = kind // 2 - 1
        name = p.channels[channel] if channel >= 0 and p.channels else "all"
        if kind % 2:
            name = "campaigns" if name == "all" else f"{name} campaigns"
        base = slug(name) or "all"
        base = base if base not in taken else f"from_{base}"[:64]
        taken.add(base)
        node = network.starts.get(kind, network.starts[main])
        counted = int((mine & plain).sum()) if kind % 2 == 0 else len(demand.campaigns)
        out.append(Stream(base, kind, node, per_week, int(mine.sum()), counted))
    return tuple(out)


def _alike(recent: NDArray[np.bool_], kind: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The cases that tell how arrivals are shared now: all; the last weeks', if these differ."""
    plain = kind % 2 == 0
    table = np.array([np.bincount(kind[plain & w], minlength=kind.max() + 1)
                      for w in (recent, ~recent)])  # fmt: skip
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():
        return np.ones(len(recent), dtype=bool)
    differ = stats.chi2_contingency(table).pvalue < SHARES_MOVED
    return recent if differ else np.ones(len(recent), dtype=bool)


def _value(paths: Paths) -> tuple[float, float, float, int]:
    """Mean amount of the cases won (else of all), its standard error, cv, and how many."""
    won = paths.outcome == won_of(paths) if won_of(paths) >= 0 else np.zeros(0, dtype=bool)
    for use in (won, np.ones(len(paths.amount), dtype=bool)):
        stated = paths.amount[use] if len(use) else np.zeros(0)
        stated = stated[np.isfinite(stated) & (stated > 0)]
        if len(stated) >= 5:
            mean, sd = float(stated.mean()), float(stated.std(ddof=1))
            return mean, sd / float(np.sqrt(len(stated))), sd / mean, len(stated)
    return float("nan"), float("nan"), float("nan"), 0


def _numbers(
    network: Network,
    script: Script,
    crew: Crew,
    streams: tuple[Stream, ...],
    value: tuple[float, float, float, int],
    shares: dict[int, Calibrated],
) -> dict[str, float]:
    out = {f"channels.{s.name}.leads.now": s.per_week for s in streams}
    if value[3]:
        out["value.mean"] = value[0]
    out |= numbers(network, script, crew)
    for k, found in shares.items():
        out[f"teams.{script.teams[k]}.headcount"] *= found.share
    return out


def _shake(
    drawn: dict[str, float],
    model: Model,
    crew: Crew,
    script: Script,
    streams: tuple[Stream, ...],
    value: tuple[float, float, float, int],
    rng: np.random.Generator,
    shares: dict[int, Calibrated],
) -> None:
    """Draw what the weights of the cases do not move: levels of arrivals, people and amounts."""
    level = float(np.exp(np.sqrt(model.demand.level.variance) * rng.standard_normal()))
    # days of campaigns are no part of the level that is shared
    usual = np.array([max(s.counted, 1) for s in streams], dtype=float)
    share = rng.gamma(usual)
    plain = np.array([s.kind % 2 == 0 for s in streams])
    mix = share / usual
    if plain.any():
        mix[plain] /= share[plain].sum() / usual[plain].sum()
    for s, m in zip(streams, mix, strict=True):
        drawn[f"channels.{s.name}.leads.now"] *= level * float(m)
    weeks = max(min(len(crew.weekly), 8), 1)
    spread = float(crew.weekly[-weeks:].std() / max(crew.weekly[-weeks:].mean(), 1e-9))
    for k, team in enumerate(script.teams):
        shift = 1 + spread / np.sqrt(weeks) * rng.standard_normal()
        there = crew.presence_se[k] / max(crew.presence[k], 1e-9) * rng.standard_normal()
        more = shift * (1 + there)
        if k in shares and shares[k].se > 0:
            # told by the waits, not by the hours: only their error counts
            more = 1 + shares[k].se / shares[k].share * rng.standard_normal()
        drawn[f"teams.{team}.headcount"] *= float(max(more, 0.2))
    if value[3]:
        drawn["value.mean"] = max(value[0] + value[1] * float(rng.standard_normal()), 1e-9)
