"""What can be wrong with policies, and with mechanisms that lack what they need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simulator.spec.paths import leaves, operand_of, week_of
from simulator.spec.policies import Policy, Sla
from simulator.spec.problems import nearest
from simulator.spec.schema import Scenario
from simulator.spec.shape import Path
from simulator.spec.signals import MOVES, SETS, SIGNALS, level_of, pattern_of, reach, signal_of
from simulator.spec.teams import MOST_HIRED

Finding = tuple[Path, str, str]


def rules(scenario: Scenario) -> Iterator[Finding]:
    """Path, message and hint of everything that does not fit together."""
    yield from _names(scenario)
    yield from _needs(scenario)
    found = list(_policies(scenario))
    yield from found
    if not found:
        yield from _loops(scenario)


def _near(word: str, known: Mapping[str, Any] | list[str]) -> str:
    return nearest(word, list(known)) or "Define it, or name one that is."


def _names(s: Scenario) -> Iterator[Finding]:
    for name, channel in s.channels.items():
        if channel.outbound is not None and channel.outbound.team not in s.teams:
            team = channel.outbound.team
            path: Path = ("channels", name, "outbound", "team")
            yield path, f"no team named '{team}'", _near(team, s.teams)
    if s.customers.care is not None and s.customers.care.team not in s.teams:
        team = s.customers.care.team
        yield ("customers", "care", "team"), f"no team named '{team}'", _near(team, s.teams)
    if s.buyer.attention is not None and s.buyer.attention not in s.teams:
        team = s.buyer.attention
        yield ("buyer", "attention"), f"no team named '{team}'", _near(team, s.teams)
    delivery = s.market.delivery if s.market else None
    if delivery is not None and delivery.stage not in s.stages:
        path = ("market", "delivery", "stage")
        yield path, f"no stage named '{delivery.stage}'", _near(delivery.stage, s.stages)


def _needs(s: Scenario) -> Iterator[Finding]:
    """Mechanisms without what they work on."""
    for name, channel in s.channels.items():
        out = channel.outbound
        here: Path = ("channels", name)
        if out is not None and out.team in s.teams:
            team = s.teams[out.team]
            taken = sum(
                c.outbound.hours
                for c in s.channels.values()
                if c.outbound is not None and c.outbound.team == out.team
            )
            if taken > team.hours + 1e-9:
                message = f"takes {taken:g} of the {team.hours:g} hours a week of {out.team}"
                yield (*here, "outbound", "hours"), message, "Give the team more hours."
            if team.headcount <= 0:
                message = f"nobody is in {out.team} whose hours could bring the leads stated"
                yield (*here, "outbound", "team"), message, ""
        if channel.quality_loss and channel.leads is None:
            yield (*here, "quality_loss"), "belongs to leads, and the channel has none", ""
    decides = any(stage.decision for stage in s.stages.values())
    for key in ("discount", "aging", "attention"):
        if getattr(s.buyer, key) is not None and not decides:
            message = "works on the buyer's decision, and no stage has decision: true"
            yield ("buyer", key), message, ""
    if s.buyer.blockers and not decides:
        yield ("buyer", "blockers"), "no stage has decision: true, where they could block", ""
    if s.buyer.attention is not None and s.buyer.attention in s.teams:  # noqa: SIM102
        if s.teams[s.buyer.attention].pressure is None:
            message = f"falls as pressure on {s.buyer.attention} rises, which has no pressure"
            hint = f"Give teams.{s.buyer.attention}.pressure: {{}}."
            yield ("buyer", "attention"), message, hint
    for name, team in s.teams.items():
        worked = [x for x in s.stages.values() if x.team == name]
        many = (team.hiring or 0.0) * s.horizon
        if many > MOST_HIRED:
            message = f"brings about {many:,.0f} people in the run, at most {MOST_HIRED:,}"
            yield ("teams", name, "hiring"), message, "Shorten the horizon."
        aimed = team.pressure is not None and team.pressure.goal is not None
        if aimed and team.headcount <= 0:
            message = "is over what the team puts out normally, and it has no people"
            yield ("teams", name, "pressure", "goal"), message, "Give it a headcount."
        if team.capability is not None and team.capability.to_improve and team.pressure is None:
            message = "moves with the pressure on the team, which has none"
            hint = f"Give teams.{name}.pressure: {{}}, or a goal in it."
            yield ("teams", name, "capability", "to_improve"), message, hint
        for key in ("wip", "pressure"):
            if getattr(team, key) is not None and not worked and not (aimed and key == "pressure"):
                message = "is about open work, and the team has no stage"
                yield ("teams", name, key), message, ""
        if team.burnout is not None and team.fatigue is None and team.pressure is None:
            message = "nothing strains the team: give it pressure, or fatigue"
            yield ("teams", name, "burnout"), message, ""
    market = s.market
    if market is not None and not (market.accounts or market.reputation or market.delivery):
        yield ("market",), "says nothing: give accounts, reputation or delivery", ""
    reputation = market.reputation if market else None
    if reputation is not None and s.customers.churn <= 0 and reputation.usual is None:
        message = "what customers say goes by their churn, and churn is 0"
        yield ("market", "reputation"), message, ""


def _overdue(s: Scenario, sla: Sla, here: Path) -> Iterator[Finding]:
    """Overdue leads that go first need a team, a time, and to be anybody's."""
    stage, where = s.stages.get(str(sla.stage)), (*here, "sla", "stage")
    if stage is None:
        yield where, f"no stage named '{sla.stage}'", _near(str(sla.stage), s.stages)
    elif stage.team is None:
        yield where, f"nobody works at {sla.stage}, so nothing waits there", ""
    elif stage.team in s.teams and s.teams[stage.team].owned:
        message = f"leads of team {stage.team} are owned: each waits for its owner alone"
        yield where, message, "Pool the team, or drop the rule."
    elif sla.within is None and stage.sla is None:
        message = f"{sla.stage} has no sla of its own"
        yield where, message, "Give within, e.g. within: 4 h."


def _policies(s: Scenario) -> Iterator[Finding]:
    table = leaves(s)
    for i, policy in enumerate(s.policies):
        here: Path = ("policies", i)
        yield from _times(s, policy, here)
        yield from _signal(s, policy, here)
        limited = policy.limit.stages if policy.limit is not None else []
        for stage in [*limited, *([policy.gate.stage] if policy.gate is not None else [])]:
            if stage not in s.stages:
                yield (*here, policy.kind), f"no stage named '{stage}'", _near(stage, s.stages)
        if policy.sla is not None and policy.sla.stage is not None:
            yield from _overdue(s, policy.sla, here)
        elif policy.sla is not None:
            known = [f"{h.from_}>{h.to}" for h in s.handoffs]
            if policy.sla.handoff not in known:
                message = f"no handoff named '{policy.sla.handoff}'"
                near = _near(str(policy.sla.handoff), known)
                yield (*here, "sla", "handoff"), message, near
        pattern = pattern_of(policy)
        if pattern is None:
            continue
        reached = reach(pattern, table)
        where: Path = (*here, policy.kind)
        if not reached:
            message = f"the path '{pattern}' matches nothing that a policy can move"
            can = ", ".join(MOVES)
            yield where, message, nearest(pattern, [*MOVES, *table]) or f"It can move {can}."
        if policy.kind in ("steer", "grow") and len(reached) > 1:
            yield where, f"'{pattern}' reaches {len(reached)} numbers; it can be one", ""
        if policy.grow is not None and not all(p.endswith(".headcount") for p, _ in reached):
            yield where, f"grows a headcount, not {pattern}", ""
        if policy.do is not None:
            verb = "scale" if policy.do.scale is not None else "add"
            for path, _ in reached:
                try:
                    operand_of(verb, policy.do.by, table[path], s.currency)
                except ValueError as error:
                    yield (*where, "by"), f"for {path}: {error}", ""
                    break


def _times(s: Scenario, policy: Policy, here: Path) -> Iterator[Finding]:
    weeks: list[float] = []
    for key in ("at", "until"):
        given = getattr(policy, key)
        if given is None:
            continue
        try:
            week = week_of(given, s.start)
        except ValueError as error:
            yield (*here, key), str(error), ""
            continue
        weeks.append(week)
        if week > s.horizon:
            message = f"{key} is week {week:g}, outside the run (weeks 0 to {s.horizon:g})"
            yield (*here, key), message, ""
    if len(weeks) == 2 and weeks[1] < weeks[0]:
        message = f"until is week {weeks[1]:g}, before week {weeks[0]:g}, where it begins"
        yield (*here, "until"), message, ""


def _signal(s: Scenario, policy: Policy, here: Path) -> Iterator[Finding]:
    signal = signal_of(policy)
    if signal is None:
        return
    part = "when" if policy.when is not None else policy.kind
    where: Path = (*here, part, "signal")
    name, dot, of = signal.partition(".")
    known = SIGNALS.get(name)
    if known is None:
        message = f"there is no signal '{signal}'"
        yield where, message, nearest(name, list(SIGNALS)) or f"There are {', '.join(SIGNALS)}."
        return
    if not known.of:
        if dot:
            yield where, f"'{name}' is one number for the whole: write it without '.{of}'", ""
            return
    else:
        names: Mapping[str, Any] = s.teams if known.of == "team" else s.stages
        if of not in names:
            message = f"'{signal}' names no {known.of}"
            hint = _near(of, names) if of else f"Write {name}.NAME of a {known.of}."
            yield where, message, hint
            return
    yield from _shows(s, where, name, of)
    if policy.when is not None:
        try:
            level_of(policy, s.currency)
        except ValueError as error:
            key = "above" if policy.when.above is not None else "below"
            yield (*here, "when", key), str(error), ""


def _shows(s: Scenario, where: Path, name: str, of: str) -> Iterator[Finding]:
    """Signals of mechanisms that are not there."""
    market = s.market
    if name in ("recognised_delay", "known_delay") and not (market and market.delivery):
        yield where, f"'{name}' needs market.delivery, which says whose delay", ""
    if name == "reputation" and not (market and market.reputation):
        yield where, "'reputation' needs market.reputation: {}", ""
    if name == "pressure" and s.teams[of].pressure is None:
        yield where, f"'pressure.{of}' needs teams.{of}.pressure: {{}}", ""


def _loops(s: Scenario) -> Iterator[Finding]:
    """Policies that read what another sets in the same week, round and round."""
    table = leaves(s)
    reads: dict[int, set[str]] = {}
    for i, policy in enumerate(s.policies):
        part: Any = policy.when or policy.steer or policy.grow
        signal = signal_of(policy)
        if signal is None or part.smooth > 0:
            continue
        name, _, of = signal.partition(".")
        patterns = SETS.get(SIGNALS[name].code, ())
        reads[i] = {p.replace("*", of) if of else p for p in patterns}
    sets = {
        i: {path for path, _ in reach(pattern, table)}
        for i, policy in enumerate(s.policies)
        if (pattern := pattern_of(policy))
    }

    def sees(i: int, j: int) -> bool:
        """Whether policy i reads what policy j sets, with nothing in between."""
        return any(p == r or ("*" in r and p.startswith(r.partition("*")[0]))
                   for r in reads.get(i, ()) for p in sets.get(j, ()))  # fmt: skip

    for i in sorted(reads):
        chain, at = [i], i
        while True:
            following = next((j for j in sorted(sets) if sees(at, j)), None)
            if following is None:
                break
            if following in chain:
                names = [s.policies[j].name or f"policies.{j}" for j in chain]
                message = f"{' and '.join(names)} read what they set, with no delay"
                yield ("policies", i), message, "Give one of them a smooth, e.g. smooth: 4 weeks."
                return
            chain.append(following)
            at = following
