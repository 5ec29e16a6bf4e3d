"""What process a log shows: stages in order, ways between them, teams, ends, channels, segments."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import CensoredData, ecdf

from simulator.fit.logs.calls import SERVED
from simulator.fit.logs.files import within
from simulator.fit.logs.log import OPEN, WON, Log
from simulator.fit.logs.teams import Team, programs, teams_of

BEGIN = "(begin)"
SAMPLE = 20_000  # cases by which stages are put in order
GOOD = (WON, SERVED)
SEGMENT = 12  # values: a covariate with more is no segment


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: days and waiting_hours are Kaplan-Meier medians (None: half are not done yet).

    mark: visits take no time. back: visits that came from a later stage. again: visits that are
    not a case's first. skipped: cases that reached a later stage without it.
    """

    name: str
    cases: int
    visits: int
    open: int
    days: float | None
    waiting_hours: float | None
    worked_hours: float | None
    people: int
    again: int
    back: int
    skipped: int
    mark: bool


@dataclass(frozen=True, slots=True)
class Transition:
    """From a stage to the next, or to an end. share: of those who left ``source`` (or began)."""

    source: str
    target: str
    count: int
    share: float
    back: bool


@dataclass(frozen=True, slots=True)
class Handoff:
    """Cases that pass from a team to another, or to another person of the same team."""

    source: str
    target: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Group:
    """Cases alike: of an outcome, a channel or a segment. won: share of those that ended."""

    kind: str
    name: str
    cases: int
    share: float
    won: float | None
    open: int


@dataclass(frozen=True, slots=True)
class Process:
    """What a log shows. Stages are in order; marks (they take no time) come with them."""

    cases: int
    visits: int
    since: str
    until: str
    stages: tuple[Stage, ...]
    transitions: tuple[Transition, ...]
    loops: tuple[Transition, ...]
    teams: tuple[Team, ...]
    programs: tuple[str, ...]
    handoffs: tuple[Handoff, ...]
    outcomes: tuple[Group, ...]
    channels: tuple[Group, ...]
    segments: tuple[Group, ...]

    def to_json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)


def discover(log: Log) -> Process:
    """The process that a log shows, with counts and shares."""
    visits = log.visits.sort_values(["case", "entered"], kind="stable", ignore_index=True)
    lasting = visits.left.isna() | (visits.left > visits.entered)
    real = lasting.groupby(visits.stage).any()
    marks = {str(s) for s in real.index[~real.to_numpy(dtype=bool)]}
    if len(marks) == len(real):
        marks = set()
    no_people = programs(visits)
    order = _order(visits)
    place = {stage: i for i, stage in enumerate(order)}
    steps = visits[~visits.stage.isin(marks)] if marks else visits
    ways, back = _transitions(log, steps, place)
    people = steps[~steps.who.isin(no_people)]
    teams = teams_of(people)
    return Process(
        cases=len(log.cases),
        visits=len(visits),
        since=str(log.since),
        until=str(log.until),
        stages=_stages(log, visits, order, marks, back, no_people),
        transitions=ways,
        loops=tuple(t for t in ways if t.back),
        teams=teams,
        programs=no_people,
        handoffs=_handoffs(people, teams),
        outcomes=_groups(log, "outcome", log.cases.outcome) + _reasons(log),
        channels=_groups(log, "channel", log.cases.channel),
        segments=_segments(log),
    )


def _order(visits: pd.DataFrame) -> list[str]:
    """Stages by who comes first: by how many others each mostly precedes (Copeland)."""
    names = [str(s) for s in visits.stage.unique()]
    codes, cases = pd.factorize(visits.case)
    if len(cases) > SAMPLE:
        visits = visits[(codes % (len(cases) // SAMPLE)) == 0]
    row, stage = pd.factorize(visits.case)[0], pd.Categorical(visits.stage, names).codes
    at = np.full((int(row.max()) + 1 if len(row) else 0, len(names)), np.inf)
    np.minimum.at(at, (row, stage), np.arange(len(visits), dtype=float))
    seen = np.isfinite(at)
    score = np.zeros(len(names))
    for a in range(len(names)):
        both = seen & seen[:, [a]]
        first = (both & (at[:, [a]] < at)).sum(axis=0)
        ahead = first / np.maximum(both.sum(axis=0), 1)
        score[a] = np.where(both.sum(axis=0) > 0, np.sign(ahead - 0.5), 0.0).sum() - 0.0
    mean = np.array([np.nanmean(np.where(seen[:, a], _rank(at)[:, a], np.nan)) if seen[:, a].any()
                     else np.inf for a in range(len(names))])  # fmt: skip
    return [names[i] for i in sorted(range(len(names)), key=lambda i: (-score[i], mean[i]))]


def _rank(at: np.ndarray) -> np.ndarray:
    ranks: np.ndarray = at.argsort(axis=1, kind="stable").argsort(axis=1).astype(float)
    return ranks


def median(length: pd.Series, done: pd.Series) -> float | None:
    """Kaplan-Meier's median of lengths, of which those not done are censored; None: not reached."""
    keep = length.notna() & (length >= 0)
    length, done = length[keep], done[keep]
    if not done.any():
        return None
    data = CensoredData(uncensored=length[done].to_numpy(), right=length[~done].to_numpy())
    sf = ecdf(data).sf
    below = np.flatnonzero(sf.probabilities <= 0.5)
    return float(sf.quantiles[below[0]]) if len(below) else None


def _stages(
    log: Log,
    visits: pd.DataFrame,
    order: list[str],
    marks: set[str],
    back: dict[str, int],
    no_people: tuple[str, ...],
) -> tuple[Stage, ...]:
    place = {stage: i for i, stage in enumerate(order)}
    lasting = visits[~visits.stage.isin(marks)]
    furthest = lasting.stage.map(place).groupby(lasting.case).max().to_numpy()
    first = ~visits.duplicated(["case", "stage"])
    # a visit that nothing scheduled, after another, has no wait that anybody saw
    seen = first | visits.started.isna() | (visits.started > visits.entered)
    out = []
    by_stage = dict(tuple(visits.groupby("stage")))
    for name in order:
        mine = by_stage[name]
        done = mine.left.notna()
        length = (mine.left.where(done, log.until) - mine.entered).dt.total_seconds()
        begun = mine.started.notna()
        wait = mine.started.where(begun, mine.left.where(done, log.until)) - mine.entered
        wait = wait[seen[mine.index]]
        worked = mine.worked.dropna()
        visited = mine.case.nunique()
        here = place[name]
        mark = name in marks
        reached = 0 if mark else int((furthest >= here).sum())
        out.append(
            Stage(
                name=name,
                cases=visited,
                visits=len(mine),
                open=int((~done).sum()),
                days=None if mark else _scaled(median(length, done), 86400.0),
                waiting_hours=_scaled(median(wait.dt.total_seconds(), begun[wait.index]), 3600.0)
                if begun.any() else None,
                worked_hours=float(worked.mean()) if len(worked) else None,
                people=int(mine.who[~mine.who.isin(no_people)].nunique()),
                again=int((~first[mine.index]).sum()),
                back=back.get(name, 0),
                skipped=max(0, reached - visited),
                mark=mark,
            )
        )  # fmt: skip
    return tuple(out)


def _scaled(seconds: float | None, unit: float) -> float | None:
    return None if seconds is None else seconds / unit


def _transitions(
    log: Log, steps: pd.DataFrame, place: dict[str, int]
) -> tuple[tuple[Transition, ...], dict[str, int]]:
    if steps.empty:
        return (), {}
    # an end stands where it came: before what a customer visits afterwards
    ended = log.cases[log.cases.outcome.ne(OPEN)]
    ends = pd.DataFrame({"case": ended.index, "stage": ended.outcome.to_numpy()})
    ends["time"] = ended.closed.fillna(pd.Timestamp.max).to_numpy()
    ends["rank"] = np.where(ends.stage.isin(GOOD), 0, 2)
    every = steps[["case", "stage"]].assign(time=steps.entered, rank=1)
    every = pd.concat([every, ends[within(ends.case, steps.case)]])
    every = every.sort_values(["case", "time", "rank"], kind="stable")
    case, stage = pd.factorize(every.case)[0], every.stage.to_numpy(dtype=object)
    first = np.r_[True, case[1:] != case[:-1]]
    inner = np.r_[case[1:] == case[:-1], False]
    pairs = [pd.DataFrame({"source": BEGIN, "target": stage[first]})]
    pairs.append(pd.DataFrame({"source": stage[inner], "target": stage[1:][inner[:-1]]}))
    counts = pd.concat(pairs).value_counts(["source", "target"])
    out, back = [], dict.fromkeys(place, 0)
    over = set(ends.stage)
    left = counts.groupby(level=0).sum()
    for pair, n in counts.items():
        source, target = _pair(pair)
        again = source in place and target in place and place[target] <= place[source]
        again = again and source not in over
        out.append(Transition(source, target, int(n), float(n / left[source]), again))
        if again and target != source:
            back[target] += int(n)
    rank = {BEGIN: -1, **place}
    out.sort(key=lambda t: (rank.get(t.source, 0), -t.count, t.target))
    return tuple(out), back


def _handoffs(steps: pd.DataFrame, teams: tuple[Team, ...]) -> tuple[Handoff, ...]:
    known = steps[steps.who.notna()]
    team = known.who.map({p: t.name for t in teams for p in t.people}).to_numpy(dtype=object)
    case, who = pd.factorize(known.case)[0], pd.factorize(known.who)[0]
    if len(case) < 2:
        return ()
    same = case[1:] == case[:-1]
    moved = same & (who[1:] != who[:-1])
    pairs = pd.DataFrame({"source": team[:-1][moved], "target": team[1:][moved]})
    counts = pairs.value_counts(["source", "target"])
    whole = max(1, int(same.sum()))
    return tuple(Handoff(*_pair(pair), int(n), float(n / whole)) for pair, n in counts.items())


def _pair(index: object) -> tuple[str, str]:
    assert isinstance(index, tuple)
    return str(index[0]), str(index[1])


def _groups(log: Log, kind: str, values: pd.Series) -> tuple[Group, ...]:
    outcome = log.cases.outcome
    out = []
    named = values.astype(object).where(values.notna(), "(none)")
    if kind != "outcome" and values.isna().all():
        return ()
    for name, mine in outcome.groupby(named):
        ended = int(mine.ne(OPEN).sum())
        won = float(mine.isin(GOOD).sum() / ended) if ended and kind != "outcome" else None
        share = len(mine) / len(outcome)
        out.append(Group(kind, str(name), len(mine), share, won, len(mine) - ended))
    return tuple(sorted(out, key=lambda g: (-g.cases, g.name)))


def _reasons(log: Log) -> tuple[Group, ...]:
    """Why cases ended, where the files say."""
    if "reason" not in log.cases:
        return ()
    told = _groups(log, "reason", log.cases.reason)
    return tuple(replace(g, won=None) for g in told if g.name != "(none)")


def _segments(log: Log) -> tuple[Group, ...]:
    lead = {"created", "closed", "outcome", "channel", "owner", "amount", "reason"}
    out: list[Group] = []
    for name in log.cases.columns:
        if name in lead:
            continue
        values = log.cases[name]
        n = int(values.nunique())
        if 2 <= n <= SEGMENT and n < len(values):
            out += _groups(log, str(name), values)
    return tuple(out)
