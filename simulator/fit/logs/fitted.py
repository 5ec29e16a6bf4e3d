"""Everything estimated from a log: the numbers of its scenario, how sure they are, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from simulator.errors import DataError
from simulator.fit.logs.assumed import Contention, estimate_contention, with_work, works_unseen
from simulator.fit.logs.calibrate import Calibrated
from simulator.fit.logs.cast import Model, make_model, parted_model
from simulator.fit.logs.contention import Wait, cold_stays, estimate_waits
from simulator.fit.logs.covariates import Effect, estimate_effects
from simulator.fit.logs.crew import Crew, estimate_crew
from simulator.fit.logs.lacking import no_end, one_day
from simulator.fit.logs.log import Log
from simulator.fit.logs.network import Network, hours_of, make_frame, make_network
from simulator.fit.logs.outlook import won_of
from simulator.fit.logs.paths import Paths, make_paths
from simulator.fit.logs.patience import Patience
from simulator.fit.logs.script import Script, full_time, make_script, numbers, same_shape
from simulator.fit.logs.segments import Segments, find_segments, parted
from simulator.fit.logs.speed import Speed
from simulator.fit.logs.streams import Amounts, Stream, make_streams, value_of
from simulator.fit.logs.undated import FEWEST_ENDED, refuse_undated

Array = NDArray[np.float64]
ENSEMBLE = 100
FEWEST_CASES = 50
MOST_ODDS = 0.9999  # of who is met at once
POOLED = (
    "There are too many ways from stage to stage to have times of their own: all who leave a stage "
    "take as long, whatever comes next."
)
MOST_STAGES = 200  # of a scenario
BY_THE_BOOK = (".effort.mean", ".effort.cv", ".hours")  # where nothing says when people worked


@dataclass(frozen=True)
class LogFit:
    """What a log gives: model, network, script, numbers by path and an ensemble of them.

    point: path -> value in the scenario's internal units. ensemble: (B, len(point)) draws of the
    same numbers, each from other weights on the cases (the Bayesian bootstrap) and other levels
    of arrivals and people. queues: stages whose waits are the queues', and no part of their times.
    contention: whether people with more cases move them on more slowly, where no work is told.
    effects: of what is said of cases on where they go; after_the_end: covariates that tell it.
    patience, speed: by stage, of those whose waits are the queues'.
    segments: that these make; not_written: why others make none, a sentence each.
    """

    log: Log
    paths: Paths
    model: Model
    crew: Crew
    network: Network
    script: Script
    streams: tuple[Stream, ...]
    value: Amounts
    point: dict[str, float]
    ensemble: Array
    waits: tuple[Wait, ...] = ()
    calibrated: tuple[Calibrated, ...] = ()
    queues: frozenset[int] = frozenset()
    contention: Contention | None = None
    effects: tuple[Effect, ...] = ()
    after_the_end: tuple[str, ...] = ()
    segments: Segments | None = None
    not_written: tuple[str, ...] = ()
    patience: Mapping[int, Patience] = field(default_factory=dict)
    speed: Mapping[int, Speed] = field(default_factory=dict)

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

    def load(self, team: int) -> float:
        """Share of a team's hours that its cases take in the scenario, as many as come now."""
        nodes = self.network.nodes
        onward, come = np.eye(len(nodes)), np.zeros(len(nodes))
        for i, node in enumerate(nodes):
            for e in node.exits:
                if e.node >= 0:
                    onward[e.node, i] -= e.share
        for s in self.streams:
            come[s.node] += s.per_week
        visits = np.linalg.lstsq(onward, come, rcond=None)[0]
        work = sum(
            v * n.hours * n.worked for v, n in zip(visits, nodes, strict=True) if n.team == team
        )
        there = self.heads(team) * float(full_time(self.crew)[1][team])
        return float(work / there) if there > 0 else 0.0


@dataclass(frozen=True)
class Basis:
    """What of a log is the same whichever waits are the queues': worked out once."""

    paths: Paths
    model: Model
    crew: Crew
    waits: tuple[Wait, ...]
    contention: Contention | None
    effects: tuple[Effect, ...]
    after_the_end: tuple[str, ...]
    segments: Segments | None
    not_written: tuple[str, ...]

    @property
    def whole(self) -> Basis:
        """The same without segments, which would be too many stages."""
        told = "Segments are not in the scenario: with them it would have too many stages."
        return replace(self, segments=None, not_written=(*self.not_written, told))


def make_basis(log: Log, outcomes: tuple[str, ...] = ()) -> Basis:
    """The paths, the model, people, waits and segments. Raises DataError as `fit_log` does."""
    paths = make_paths(log, outcomes)
    _enough(log, paths)
    model = make_model(paths)
    contention = None
    if works_unseen(paths):
        contention = estimate_contention(paths)
        paths = with_work(paths, contention)
        model = replace(model, paths=paths)
    crew = estimate_crew(paths)
    # sessions made up at the end of each stay tell nothing of waits
    seen = paths.a_week is None
    begun = hours_of(model)[1]
    waits = estimate_waits(paths, crew, begun) if seen else ()
    effects, told = estimate_effects(paths, begun if seen and len(paths.session_started) else None)
    segments, why = find_segments(paths, effects)
    return Basis(
        paths, model, crew, waits, contention, effects, tuple(told), segments, tuple(why)
    )  # fmt: skip


def fit_log(
    log: Log,
    *,
    draws: int = ENSEMBLE,
    seed: int = 1,
    outcomes: tuple[str, ...] = (),
    queues: frozenset[int] = frozenset(),
    calibrated: tuple[Calibrated, ...] = (),
    basis: Basis | None = None,
    patience: Mapping[int, Patience] | None = None,
    speed: Mapping[int, Speed] | None = None,
) -> LogFit:
    """Estimate everything that the log shows; `joint` finds what only a simulation tells.

    queues: stages whose waits the scenario's queues bring, with what `calibrated` says of teams.
    basis: of this log, where it was made before. patience: by stage, where the queue's waits end
    in it: who went cold there is then no part of where a stage leads. speed: by stage, how odds
    fall with the queue's waits.
    Raises DataError where there is too little: fewer than 50 cases, or than 30 that ended.
    """
    basis = basis or make_basis(log, outcomes)
    paths, model, crew, segments = basis.paths, basis.model, basis.crew, basis.segments
    if segments is not None:
        paths = parted(paths, segments)
        model = parted_model(model, paths)
    seen = paths.a_week is None
    patience = patience or {}
    cold = None
    if patience:
        cold = np.isin(paths.stage, list(patience)) & cold_stays(paths, hours_of(model)[1])
    frame = make_frame(model, crew, full_time(crew)[1], queues, segments, cold)
    network = make_network(model, crew, frame)
    speed = speed or {}
    homes = paths.stages if segments else ()
    starts = [network.nodes[i] for i in network.starts.values()]
    if not any(node.exits for node in starts):
        where = log.files[0] if log.files else "the log"
        raise DataError(
            f"{where}: no case is seen to go from a beginning to an end. Export the history of "
            "stages, or closed cases with the days on which they were made and closed"
        )
    ends, borrowed = paths.outcomes, _borrowed(paths)
    script = make_script(network, ends, won_of(paths), crew, speed, homes, borrowed)
    if segments is not None and script.stages > MOST_STAGES:
        return fit_log(log, draws=draws, seed=seed, queues=queues, calibrated=calibrated,
                       basis=basis.whole, patience=patience, speed=speed)  # fmt: skip
    pooled = script.stages > MOST_STAGES
    if pooled:
        script = make_script(
            network, ends, won_of(paths), crew, speed, homes, borrowed, pooled=True
        )
    if script.stages > MOST_STAGES:
        where = log.files[0] if log.files else "the log"
        raise DataError(
            f"{where}: its {len(paths.stages) - 1} stages make {script.stages} of a scenario, and "
            f"{MOST_STAGES} are the most. Put some of them together before exporting"
        )
    streams = make_streams(model, network, script, segments)
    value = value_of(paths)
    shares = {c.team: c for c in calibrated if c.identified}
    point = _numbers(network, script, crew, streams, value, shares)
    waiting = patience_paths(network, script, patience)
    point |= {path: p.weeks for path, p in waiting.items()}
    point |= _slowed(network, script, speed, {s: (x.floor, x.scale) for s, x in speed.items()})
    if not seen:
        point = {path: v for path, v in point.items() if not path.endswith(BY_THE_BOOK)}
    rng = np.random.default_rng([seed, 5])
    rows = []
    for _ in range(draws):
        weight = rng.exponential(1.0, len(paths.created))
        other = make_network(model, crew, frame, weight, network)
        shape = same_shape(script, other)
        drawn = _numbers(other, shape, crew, streams, value, shares)
        _shake(drawn, model, crew, script, streams, value, rng, shares)
        by = {s: p.weeks * p.cold / rng.gamma(p.cold) for s, p in patience.items()}
        drawn |= {path: by[p.stage] for path, p in waiting.items()}
        drawn |= _slowed(other, shape, speed, {s: x.draw(rng) for s, x in speed.items()})
        rows.append([drawn[path] for path in point])
    return LogFit(
        paths.log, paths, model, crew, network, script, streams, value, point, np.array(rows),
        basis.waits, calibrated, queues, basis.contention, basis.effects, basis.after_the_end,
        segments, (*basis.not_written, *([POOLED] if pooled else [])), patience, speed,
    )  # fmt: skip


def _borrowed(paths: Paths) -> frozenset[tuple[int, int]]:
    """Stages and outcomes, by their numbers, of whose ends there no day was kept."""
    stage = {name: k for k, name in enumerate(paths.stages)}
    end = {name: k for k, name in enumerate(paths.outcomes)}
    return frozenset(
        (stage.get(place, 0), end[outcome])
        for place, outcome in paths.log.borrowed
        if outcome in end
    )


def _slowed(
    network: Network,
    script: Script,
    speed: Mapping[int, Speed],
    law: Mapping[int, tuple[float, float]],
) -> dict[str, float]:
    """Odds of who is met at once and how they fall with the wait, by path: on average, the log's.

    law: floor and scale by stage.
    """
    out = {}
    for i in script.leaves:
        stage = network.nodes[i].stage
        base, (floor, scale) = f"stages.{script.names[i]}", law[stage]
        odds = script.parts(i)[2] / speed[stage].mean(floor, scale)
        out[f"{base}.advance.good_fit"] = min(odds, MOST_ODDS)
        if len(speed[stage].covariance) > 2:
            out[f"{base}.speed.floor"] = floor
        out[f"{base}.speed.scale"] = scale
    return out


def patience_paths(
    network: Network, script: Script, patience: Mapping[int, Patience]
) -> dict[str, Patience]:
    """The path of each stage's patience in the scenario."""
    return {
        f"stages.{script.names[i]}.patience.mean": patience[node.stage]
        for i, node in enumerate(network.nodes)
        if script.branches[i] and node.team >= 0 and node.stage in patience
    }


def _enough(log: Log, paths: Paths) -> None:
    where = log.files[0] if log.files else "the log"
    n, ended = len(paths.created), int((paths.outcome >= 0).sum())
    if n < FEWEST_CASES:
        raise DataError(
            f"{where}: {n} cases are too few to fit; {FEWEST_CASES} are needed. "
            "Export a longer period"
        )
    refuse_undated(log)
    if ended < FEWEST_ENDED:
        raise DataError(
            f"{where}: {ended} of {n:,} cases have ended; {FEWEST_ENDED} are needed to say where "
            f"the open ones will go. Export a longer period, or {no_end(log)}"
        )
    told = one_day(log)
    if told is not None:
        raise DataError(f"{where}: {told}")
    if paths.end < 14:
        raise DataError(
            f"{where}: {paths.end:.0f} days are too few to fit; two weeks are needed. "
            "Export a longer period"
        )


def _numbers(
    network: Network,
    script: Script,
    crew: Crew,
    streams: tuple[Stream, ...],
    value: Amounts,
    shares: dict[int, Calibrated],
) -> dict[str, float]:
    out = {f"channels.{s.name}.leads.now": s.per_week for s in streams}
    if value[3]:
        out["value.mean"] = value[0]
    out |= {f"channels.{s.name}.value.mean": s.value[0] for s in streams if s.value}
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
    value: Amounts,
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
    own = {s.says: float(rng.standard_normal()) for s in streams if s.value}  # one a segment
    for s in streams:
        if s.value:
            at = f"channels.{s.name}.value.mean"
            drawn[at] = max(s.value[0] + s.value[1] * own[s.says], 1e-9)
