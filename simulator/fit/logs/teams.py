"""Who works with whom: people put into teams by the stages they serve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import jensenshannon, pdist, squareform

Floats = NDArray[np.float64]

SURE = 10  # visits: who has fewer is put to the team nearest, and forms none
MOST = 8  # teams
APART = 0.25  # mean silhouette below which people are one team
UNLIKE = 0.25  # Jensen-Shannon distance below which two teams are one: chance makes as much
HOURS = 23  # of the day: who acts in so many and begins nothing is a program
ACTS = 200


@dataclass(frozen=True, slots=True)
class Team:
    """People who serve the same stages. stages: their share of the team's visits, largest first.

    name: of its main stage. hours: worked, where the log has it (NaN where not).
    """

    name: str
    people: tuple[str, ...]
    stages: dict[str, float]
    visits: int
    hours: float


def programs(visits: pd.DataFrame) -> tuple[str, ...]:
    """Names that are no people: they act at all hours of the day, and begin no work."""
    known = visits[visits.who.notna()]
    if known.empty:
        return ()
    hour = known.entered.dt.hour
    timed = known.entered.ne(known.entered.dt.normalize())
    acts = pd.DataFrame({"who": known.who, "hour": hour, "begun": known.started.notna()})[timed]
    by = acts.groupby("who").agg(
        n=("hour", "size"), hours=("hour", "nunique"), begun=("begun", "mean")
    )
    lived = bool(visits.started.notna().any())
    found = by[(by.n >= ACTS) & (by.hours >= HOURS) & ((by.begun < 0.05) | (not lived))]
    if not lived and len(found) > len(by) / 2:  # people of all time zones
        return ()
    return tuple(str(name) for name in found.index)


def teams_of(visits: pd.DataFrame) -> tuple[Team, ...]:
    """Teams, the largest first; visits without a person are left aside.

    Average linkage over Jensen-Shannon distances of the shares of their visits by stage; as many
    teams as part people best, by mean silhouette (Rousseeuw 1987).
    """
    known = visits[visits.who.notna()]
    if known.empty:
        return ()
    counts = pd.crosstab(known.who, known.stage)
    shares = counts.div(counts.sum(axis=1), axis=0).to_numpy(dtype=float)
    total = counts.sum(axis=1).to_numpy()
    sure = total >= min(SURE, int(total.max()))
    label = np.zeros(len(counts), dtype=np.int64)
    if sure.sum() > 1:
        label[sure] = _cluster(shares[sure])
        centres = [shares[sure & (label == k)].mean(axis=0) for k in np.unique(label[sure])]
        for i in np.flatnonzero(~sure):
            label[i] = int(np.argmin([jensenshannon(shares[i], c) for c in centres]))
    who_team = dict(zip(counts.index, label, strict=True))
    team = known.who.map(who_team)
    hours = known.worked.groupby(team).sum(min_count=1)
    out = []
    for k in np.unique(label):
        mine = counts[label == k].sum(axis=0)
        mine = (mine / mine.sum()).sort_values(ascending=False, kind="stable")
        out.append(
            Team(
                name=str(mine.index[0]),
                people=tuple(str(p) for p in counts.index[label == k]),
                stages={str(s): float(v) for s, v in mine.items() if v > 0},
                visits=int(counts[label == k].to_numpy().sum()),
                hours=float(hours.get(k, np.nan)),
            )
        )
    return tuple(sorted(_named(out), key=lambda t: (-t.visits, t.name)))


def _cluster(shares: Floats) -> NDArray[np.int64]:
    distance = pdist(shares, jensenshannon)
    if distance.max() < 1e-9:
        return np.zeros(len(shares), dtype=np.int64)
    tree = linkage(distance, "average")
    square = squareform(distance)
    best, label = APART, np.zeros(len(shares), dtype=np.int64)
    for k in range(2, min(MOST, len(shares)) + 1):
        tried = np.asarray(fcluster(tree, k, "maxclust"), dtype=np.int64) - 1
        if len(np.unique(tried)) < k:
            continue
        centres = np.stack([shares[tried == g].mean(axis=0) for g in range(k)])
        if pdist(centres, jensenshannon).min() < UNLIKE:
            continue
        score = _silhouette(square, tried)
        if score > best + 1e-9:
            best, label = score, tried
    return label


def _silhouette(distance: Floats, label: NDArray[np.int64]) -> float:
    """Mean of (b - a) / max(a, b): 0 for who is alone."""
    groups = np.unique(label)
    sums = np.stack([distance[:, label == g].sum(axis=1) for g in groups], axis=1)
    sizes = np.array([(label == g).sum() for g in groups])
    own = np.searchsorted(groups, label)
    row = np.arange(len(label))
    inside = sums[row, own] / np.maximum(sizes[own] - 1, 1)
    mean = sums / sizes
    mean[row, own] = np.inf
    outside = mean.min(axis=1)
    top = np.maximum(np.maximum(inside, outside), 1e-12)
    score = np.where(sizes[own] > 1, (outside - inside) / top, 0.0)
    return float(score.mean())


def _named(teams: list[Team]) -> list[Team]:
    """Names that differ: by two stages, where two teams have the same main one."""
    names = [t.name for t in teams]
    out = []
    for team in teams:
        name = team.name
        if names.count(name) > 1 and len(team.stages) > 1:
            name = " + ".join(list(team.stages)[:2])
        out.append(Team(name, team.people, team.stages, team.visits, team.hours))
    return out
