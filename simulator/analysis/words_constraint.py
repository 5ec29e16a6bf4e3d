"""The constraint in sentences: what it is and is worth, who else it may be, where it moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.analysis.shown import ALPHA
from simulator.analysis.words import absolute, how_known, label, money, plus_minus, share, spoken

if TYPE_CHECKING:
    from simulator.analysis.constraint import Constraint

KINDS = {
    "capacity": "a team's capacity",
    "handoff": "a policy or handoff",
    "buyer": "the buyer",
    "market": "the market",
}


def thing(name: str) -> str:
    """A relief's name in a sentence: the team se, the handoff qualify to first meeting."""
    first, _, rest = name.partition(".")
    said = spoken(rest.replace(">", " to ")).replace(".", " ")
    if first == "teams":
        return f"the team {said}"
    if first == "channels":
        return f"leads from {said}"
    if first == "handoffs":
        for end, what in ((" accepted", "acceptance"), (" delay", "delay")):
            if said.endswith(end):
                return f"the {what} at the handoff {said.removesuffix(end)}"
    if first == "buyer":
        return f"the buyer's {said}"
    return f"the market's {said}" if first == "market" else spoken(name)


def constraint_sentences(result: Constraint) -> list[str]:
    """The constraint, its worth, who is tied with it, whether the methods agree, where it moves."""
    found = [_constraint(result)]
    rivals = _rivals(result)
    if rivals:
        found.append(rivals)
    found.append(_agreement(result))
    if result.path is not None:
        found.append(path_sentence(result))
    found.append(how_known(result.replications, result.engine, result.seed, result.reason))
    return [s for s in found if s]


def _constraint(result: Constraint) -> str:
    from simulator.analysis.constraint import yearly

    what, best = label(result.outcome), result.best
    if best is None:
        return f"No small relief adds to {what} beyond chance, so none is the constraint."
    cost = money(yearly(best.extra_cost, result.weeks), result.currency)
    text = (
        f"The constraint is {spoken(best.relief.name)} ({KINDS[best.relief.kind]}): "
        f"{best.relief.what}, at {cost} a year, "
        f"adds {plus_minus(absolute(best.gain.relative))} to {what}, "
        f"{best.per_dollar:.2f} for each {result.currency} that it costs over the run"
    )
    if best.extra_hours > 0:
        text += f" and {best.per_hour:,.0f} for each hour"
    text += "."
    if best.relief.stated:
        text += " What that relief costs is our own estimate (grade D): state yours."
    return text


def _rivals(result: Constraint) -> str:
    if result.best is None:
        return ""
    tied = [spoken(c.relief.name) for c in result.tied]
    if tied:
        return f"It cannot be told from {', '.join(tied)}: an honest tie."
    others = [c for c in result.candidates if not c.tied and c.p < ALPHA and c.per_dollar > 0]
    if others:
        c = others[0]
        return f"Next comes {spoken(c.relief.name)}, at {c.per_dollar:.2f}."
    return "No other small relief was found to bring anything."


def _agreement(result: Constraint) -> str:
    """Who is busy, who is the bottleneck by active periods, and why that need not be the same."""
    busy, b = result.busiest, result.bottleneck
    if busy is None:
        return ""
    name = str(busy["team"])
    text = f"The busiest team is {spoken(name)}, {100 * busy['utilisation']:.0f}% of its paid hours"
    if b is not None and b.worst is not None:
        i = b.teams.index(b.worst)
        who = "it" if b.worst == name else spoken(b.worst)
        text += (
            f"; by active periods {who} is the bottleneck {share(float(b.share[i]))} of the time "
            f"({share(b.sole[i].mean)} alone)"
        )
    why = disagreement(result)
    return f"{text}. {why}" if why else f"{text}. All three methods agree."


def disagreement(result: Constraint) -> str:
    """Why the three methods do not point at the same thing; empty where they do."""
    best, busy, b = result.best, result.busiest, result.bottleneck
    if busy is None:
        return "Nobody works in this system, so nothing can be busy."
    name = str(busy["team"])
    worst = name if b is None or b.worst is None else b.worst
    said = []
    if best is None:
        said.append(
            f"Being busy is not being the constraint: no small relief, of {spoken(name)} either, "
            "was found to bring anything."
        )
    elif best.relief.kind != "capacity":
        said.append(
            "Being busy is not being the constraint: each "
            f"{result.currency} spent on {thing(best.relief.name)} brings more than one spent on "
            f"hours of {spoken(worst)}{_worth(result, worst)}."
        )
    elif best.relief.name != f"teams.{worst}":
        said.append(
            f"More of {spoken(worst)} would bring less than relief of the constraint"
            f"{_worth(result, worst)}: it is busy with what is lost later, or waits for nobody."
        )
    if worst != name:
        said.append(
            f"{spoken(worst).capitalize()} has the longest spells without anyone idle, "
            f"{spoken(name)} the most hours in use on average."
        )
    return " ".join(said)


def _worth(result: Constraint, team: str) -> str:
    own = next((c for c in result.candidates if c.relief.name == f"teams.{team}"), None)
    best = result.best
    if own is None or best is None:
        return ""
    if own.p >= 0.05:
        return " (which was not found to bring anything)"
    return f" ({own.per_dollar:.2f} against {best.per_dollar:.2f})"


def path_sentence(result: Constraint) -> str:
    """The constraint's way through a budget."""
    path, what = result.path, label(result.outcome)
    assert path is not None
    if not path.steps:
        return f"The budget moves nothing: {path.stopped}."
    legs = []
    for name, begins, _ in path.stretches:
        at = "" if begins <= 0 else f" from {money(begins, result.currency)} on"
        legs.append(f"{spoken(name)}{at}")
    last = path.steps[-1]
    text = (
        f"Relieved step by step, the constraint goes {', then '.join(legs)}"
        if len(legs) > 1
        else f"Relieved step by step, the constraint stays at {legs[0]}"
    )
    text += (
        f"; {money(last.spent, result.currency)} over the run adds "
        f"{plus_minus(absolute(last.total.relative))} to {what}"
    )
    if path.then is not None and path.then.relief.name != last.name:
        text += f", and the next would be {spoken(path.then.relief.name)}"
    return f"{text} ({path.stopped})."
