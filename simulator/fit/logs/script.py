"""From a network to a scenario's numbers by path, with their standard errors, and to its text."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from simulator.fit.logs.crew import Crew
from simulator.fit.logs.network import CLOCK, Exit, Network, Node
from simulator.fit.read import slug

Array = NDArray[np.float64]
WEEK = 7.0
INSTANT = 2 / 1440  # days: what takes less leads on at once
FULL_TIME = 40.0  # hours a week of one full-time head
BUSIEST = 0.92  # a team busier than this would never be without a queue
MOST_NAME = 64
HALF = 0.5  # of those who leave: of so many days have to be known
FEWEST_FIXED = 20  # ends after the same time that make it a rule


@dataclass(frozen=True)
class Branch:
    """Where a share of those who leave a node go: at once, or by way of a stage of waiting.

    name: of the stage of waiting, empty where there is none; to: the stage or `won` after it.
    known: whether the data say how long it takes; else it is as long as other stays there.
    """

    name: str
    to: str
    share: float
    days: float
    cv: float
    law: str
    fixed: bool
    seen: int
    known: bool = True


@dataclass(frozen=True)
class Script:
    """The stages of the scenario: the network's nodes with their branches, and ends by outcome.

    names: of the nodes' stages; ends: outcome -> stage in which it is lost. leaves: node whose
    odds fall with the wait -> the stage from which those go who are lost there. times: of nodes
    that all leave after the same law of times, whatever comes next: of more stages there would be
    too many.
    """

    names: tuple[str, ...]
    branches: tuple[tuple[Branch, ...], ...]
    ends: dict[int, str]
    teams: tuple[str, ...]
    leaves: dict[int, str] = field(default_factory=dict)
    times: dict[int, Branch] = field(default_factory=dict)

    def parts(self, node: int) -> tuple[dict[str, float], dict[str, float], float]:
        """Shares of those who move on from a node, of those who are lost, and how many move on."""
        lost = set(self.ends.values())
        on = tuple(b for b in self.branches[node] if b.to not in lost)
        off = tuple(b for b in self.branches[node] if b.to in lost)
        share = math.fsum(b.share for b in on)
        return next_shares(on), next_shares(off), share

    @property
    def stages(self) -> int:
        """How many stages the scenario has."""
        named = sum(bool(b.name) for bs in self.branches for b in bs)
        return sum(map(bool, self.branches)) + named + len(self.ends) + len(self.leaves)


def full_time(crew: Crew) -> tuple[Array, Array]:
    """Heads as full-time people of each team, and the hours a week that one of them is there."""
    # whose sessions tell their week has that week, and no other
    hours = np.where(crew.paced, crew.presence, np.maximum(crew.presence, FULL_TIME))
    heads = crew.heads * crew.presence / hours
    # people busier than they were seen to be there were there longer
    busiest = np.where(crew.paced, 1.0, BUSIEST)
    least = crew.heads * crew.busy / busiest / hours
    return np.maximum(heads, least), hours


def overrun(crew: Crew) -> Array:
    """By team, whether the work seen takes more hours than people were seen to be there."""
    heads, hours = full_time(crew)
    return np.asarray(heads * hours > 1.001 * crew.heads * crew.presence)


def make_script(
    network: Network,
    outcomes: tuple[str, ...],
    won: int,
    crew: Crew,
    slowed: Collection[int] = (),
    homes: Sequence[str] = (),
    borrowed: Collection[tuple[int, int]] = (),
    *,
    pooled: bool = False,
) -> Script:
    """Names and branches. slowed: stages of the log whose odds fall with the wait.

    homes: names of the log's stages, where teams are of all segments of a stage. borrowed: stages
    and the outcomes of which no days are known there. pooled: no stage
    of waiting for each way out, but one law of times for all of a node.
    """
    taken: set[str] = {"won"}
    names = tuple(_unique(node.name, taken) for node in network.nodes)
    reached = network.reached
    lost = sorted(
        {e.outcome for i in reached for e in network.nodes[i].exits if e.outcome >= 0} - {won}
    )
    ends = {o: _unique(f"ends {outcomes[o]}", taken) for o in lost}
    branches = tuple(
        tuple(
            branch
            for e in node.exits
            for branch in _branches(
                e,
                names[i],
                names,
                ends,
                outcomes,
                won,
                taken,
                pooled=pooled,
                known=(node.stage, e.outcome) not in borrowed,
            )
        )
        if i in reached
        else ()
        for i, node in enumerate(network.nodes)
    )
    teams = []
    for k in range(crew.teams):
        mine = [network.nodes[i] for i in sorted(reached) if network.nodes[i].team == k]
        main = max(mine, key=lambda n: n.entered, default=None)
        named = (homes[main.stage] if homes else main.name) if main else "team"
        teams.append(_unique(f"{named} team", taken))
    script = Script(names, branches, ends, tuple(teams))
    leaves = {
        i: _unique(f"{names[i]} left", taken)
        for i, node in enumerate(network.nodes)
        if branches[i] and node.team >= 0 and node.stage in slowed and 0 < script.parts(i)[2] < 1
    }
    times = _times(network, branches, borrowed) if pooled else {}
    return replace(script, leaves=leaves, times=times)


def _times(
    network: Network,
    branches: tuple[tuple[Branch, ...], ...],
    borrowed: Collection[tuple[int, int]] = (),
) -> dict[int, Branch]:
    """One law of the times of all who leave a node, by its first two moments."""
    out = {}
    for i, node in enumerate(network.nodes):
        parts = [(e.share * p.share, p.mean, p.cv) for e in node.exits for p in e.parts]
        mean = math.fsum(w * m for w, m, _ in parts)
        if branches[i] and mean >= INSTANT:
            square = math.fsum(w * m**2 * (1 + cv**2) for w, m, cv in parts)
            cv = min(math.sqrt(max(square / mean**2 - 1, 1e-6)), 20.0)
            seen = sum(e.seen for e in node.exits)
            told = math.fsum(e.share for e in node.exits if (node.stage, e.outcome) not in borrowed)
            out[i] = Branch(
                "", "", 1.0, mean, cv, "lognormal", fixed=False, seen=seen, known=told > HALF
            )
    return out


def _unique(name: str, taken: set[str]) -> str:
    base = slug(name)[:MOST_NAME]
    base = base if base[:1].isalpha() else ("s_" + base)[:MOST_NAME]
    found, n = base, 2
    while found in taken:
        found = f"{base[: MOST_NAME - 1 - len(str(n))]}_{n}"
        n += 1
    taken.add(found)
    return found


def _branches(
    e: Exit,
    own: str,
    names: tuple[str, ...],
    ends: dict[int, str],
    outcomes: tuple[str, ...],
    won: int,
    taken: set[str],
    *,
    pooled: bool,
    known: bool,
) -> list[Branch]:
    to = names[e.node] if e.node >= 0 else "won" if e.outcome == won else ends[e.outcome]
    said = names[e.node] if e.node >= 0 else slug(outcomes[e.outcome])
    if pooled:
        return [Branch("", to, e.share, 0.0, 0.0, "lognormal", fixed=False, seen=e.seen)]
    out = []
    for k, part in enumerate(e.parts):
        at_once = part.mean < INSTANT
        label = f"{own[:28]} then {said[:24]}" + (f" {'abc'[k]}" if len(e.parts) > 1 else "")
        out.append(
            Branch(
                name="" if at_once else _unique(label, taken),
                to=to,
                share=e.share * part.share,
                days=part.mean,
                cv=part.cv,
                law=part.law,
                fixed=part.fixed and e.seen * part.share >= FEWEST_FIXED,
                seen=max(round(e.seen * part.share), 1),
                known=known,
            )
        )
    return out


def numbers(network: Network, script: Script, crew: Crew) -> dict[str, float]:
    """Every number that the network gives, by its path, in the scenario's internal units.

    Of the shares of a stage's `next` the last is left out: it is what the others leave.
    """
    heads, hours = full_time(crew)
    out: dict[str, float] = {}
    for i, node in enumerate(network.nodes):
        if not script.branches[i]:
            continue
        base = f"stages.{script.names[i]}"
        if node.team >= 0:
            out[f"{base}.effort.mean"] = node.hours * node.worked
            out[f"{base}.effort.cv"] = effort_cv(node)
        on = next_shares(script.branches[i])
        if i in script.leaves:
            on, off, _ = script.parts(i)
            out |= {f"stages.{script.leaves[i]}.next.{t}": share for t, share in off.items()}
        out |= {f"{base}.next.{target}": share for target, share in on.items()}
        if i in script.times and script.times[i].known:
            out[f"{base}.buyer_time.mean"] = script.times[i].days / WEEK
            out[f"{base}.buyer_time.cv"] = script.times[i].cv
        for b in script.branches[i]:
            if b.name and b.known:
                out[f"stages.{b.name}.buyer_time.mean"] = b.days / WEEK
                out[f"stages.{b.name}.buyer_time.cv"] = b.cv
    for k, team in enumerate(script.teams):
        out[f"teams.{team}.headcount"] = float(heads[k])
        out[f"teams.{team}.hours"] = float(hours[k])
    return out


def next_shares(branches: tuple[Branch, ...]) -> dict[str, float]:
    """Shares by the stage (or `won`) that comes next; they add up to 1."""
    out: dict[str, float] = {}
    for b in branches:
        out[b.name or b.to] = out.get(b.name or b.to, 0.0) + b.share
    total = math.fsum(out.values())
    return {k: v / total for k, v in out.items()} if total > 0 else {"won": 1.0}


def effort_cv(node: Node) -> float:
    """Of the hours of a stay, those without work included."""
    if node.worked <= 0:
        return 0.0
    return min(math.sqrt(max((1 + node.hours_cv**2) / node.worked - 1, 0.0)), 20.0)


def same_shape(script: Script, network: Network) -> Script:
    """The script with the numbers of a network of the same nodes and parts."""
    branches: list[tuple[Branch, ...]] = []
    pooled = bool(script.times)
    for node, old in zip(network.nodes, script.branches, strict=True):
        if not old:
            branches.append(())
            continue
        if pooled:
            branches.append(
                tuple(replace(b, share=e.share) for b, e in zip(old, node.exits, strict=True))
            )
            continue
        parts = [(e, p) for e in node.exits for p in e.parts]
        branches.append(
            tuple(
                Branch(
                    b.name,
                    b.to,
                    e.share * p.share,
                    p.mean,
                    p.cv,
                    b.law,
                    b.fixed,
                    b.seen,
                    b.known,
                )
                for b, (e, p) in zip(old, parts, strict=True)
            )
        )
    made = tuple(branches)
    times = _times(network, made) if pooled else {}
    return replace(
        script, branches=made, times={i: times.get(i, t) for i, t in script.times.items()}
    )


def clock_days(node: Node, hours: Mapping[int, float]) -> float:
    """Days by the clock that the work of a stay takes."""
    if node.team < 0:
        return 0.0
    return node.hours * node.worked * CLOCK / hours[node.team] / 24
