"""Slides of a constraint's search: the ranking of reliefs, and who is busy."""

from __future__ import annotations

import math

from simulator.analysis.words import label, spoken
from simulator.report.saved import Saved
from simulator.report.story import say
from simulator.report.story.say import Datum, Fact, Line, datum, line, named
from simulator.report.story.source import CAVEAT, confidence, method, source
from simulator.report.story.spec import Bars, Picture, Series, Slide, Table

ROWS = 8
KINDS = {
    "capacity": ("A team's hours", "fix"),
    "handoff": ("A handoff", "other"),
    "buyer": ("The buyer's conditions", "more"),
    "market": ("More leads", "push"),
}


def relief_name(saved: Saved, i: int) -> str:
    """A relief's path in words, without what it begins with."""
    name = saved.text(f"ranking/{i}/name")
    first, _, rest = name.partition(".")
    said = rest if first in ("teams", "channels", "buyer", "handoffs") and rest else name
    said = said.replace("->", " to ").replace(">", " to ")
    if first == "handoffs":
        said = said.removesuffix(".accepted").removesuffix(".delay")
    return " ".join(spoken(said).replace(".", " ").split())


def relief_label(saved: Saved, i: int) -> str:
    """Whose relief, and what; of the buyer's conditions what says it all."""
    what = say.plain(saved.text(f"ranking/{i}/relief"))
    if saved.text(f"ranking/{i}/kind") == "buyer":
        return what[0].upper() + what[1:]
    return f"{named(relief_name(saved, i)).text}: {what}"


def worth(saved: Saved, i: int, name: str = "") -> Fact:
    """Gain per unit of money, with its interval."""
    at = f"ranking/{i}/gain_per_dollar"
    mean, half = datum(saved, "value", at), datum(saved, "half", f"{at}_low", f"{at}_high")
    known = half.known and half.value > 0
    text = say.true_minus(f"{mean.value:.2f}") + (
        f"{say.HARD}±{say.HARD}{half.value:.2f}" if known else ""
    )
    return Fact(name, text, (mean, half) if known else (mean,))


def _labelled(saved: Saved, i: int) -> Line:
    return line("{}: {}", Fact("", relief_label(saved, i)), worth(saved, i))


def whose(saved: Saved, i: int) -> Fact:
    """Whose relief it is: a team, a handoff, a channel, or the buyer."""
    name = named(relief_name(saved, i)).text
    kinds = {"buyer": "the buyer", "market": f"leads from {name}", "handoff": f"handoff {name}"}
    return Fact("", kinds.get(saved.text(f"ranking/{i}/kind"), name))


def best(saved: Saved) -> int | None:
    """The place of the constraint; None if none was found."""
    wanted = saved.at("constraint")
    names = [saved.text(f"ranking/{i}/name") for i in range(len(saved.rows("ranking")))]
    return names.index(wanted) if wanted in names else None


def found(saved: Saved) -> Line:
    """The constraint, and who cannot be told from it."""
    i, unit = best(saved), named(saved.text("currency"))
    what = named(label(saved.text("outcome")))
    if i is None:
        return line("No small relief adds to {} beyond chance: no constraint is found", what)
    size = worth(saved, i, "constraint.per_dollar")
    relief = named(saved.text(f"ranking/{i}/relief"))
    title = line(
        "The constraint is {}: {} brings {} {} of {} per {} spent",
        Fact("constraint.name", whose(saved, i).text), relief, size, unit, what, unit,
    )  # fmt: skip
    tied = [
        k
        for k in range(len(saved.rows("ranking")))
        if k != i and saved.at(f"ranking/{k}/tied_with_best")
        and saved.number(f"ranking/{k}/gain_per_dollar") > 0
    ]  # fmt: skip
    if len(tied) == 1:
        return title + line("; no telling it from {}", whose(saved, tied[0]))
    if tied:
        each = tuple(f"ranking/{k}/gain_per_dollar" for k in tied)
        many = Fact("constraint.ties", str(len(tied)), (Datum(float(len(tied)), each, "count"),))
        return title + line("; no telling it from {} others", many)
    return title


def constraint(saved: Saved) -> Slide | None:
    """What a small relief of each thing brings per unit of money."""
    places = [
        i
        for i in range(len(saved.rows("ranking")))
        if math.isfinite(saved.number(f"ranking/{i}/gain_per_dollar"))
    ][:ROWS]
    if not places:
        return None
    kinds = list(dict.fromkeys(saved.text(f"ranking/{i}/kind") for i in places))

    def ends(kind: str, key: str) -> tuple[Datum | None, ...]:
        return tuple(
            datum(saved, "value", f"ranking/{i}/gain_per_dollar{key}")
            if saved.text(f"ranking/{i}/kind") == kind
            else None
            for i in places
        )

    series = tuple(
        Series(
            KINDS.get(k, (spoken(k), "grey"))[0], ends(k, ""), KINDS.get(k, ("", "grey"))[1],
            ends(k, "_low"), ends(k, "_high"),
        )
        for k in kinds
    )  # fmt: skip
    unit, i = named(saved.text("currency")), best(saved)
    ours = i is not None and saved.at(f"ranking/{i}/cost_is") == "book"
    title = found(saved)
    return Slide(
        key="constraint",
        title=title,
        heading=line(
            "{} of {} gained per {} spent on a small relief; whiskers: {} interval{}",
            unit, named(label(saved.text("outcome"))), unit, confidence(saved),
            Fact("", "; what relief of the buyer costs is our estimate" if ours else ""),
        ),
        show=Bars(tuple(_labelled(saved, i) for i in places), series, "ratio"),
        source=source(saved),
        notes=(
            *(Line(str(s), (Fact("", str(s)),)) for s in saved.rows("sentences")[:-1]),
            *method(saved),
            CAVEAT,
        ),
        alt=line("Bars of gain per unit of money, by relief. {}.", title),
    )  # fmt: skip


def busy(saved: Saved) -> Slide | None:
    """Who is busiest, and whether that is the constraint."""
    teams = saved.rows("teams")
    if not teams:
        return None
    m = max(range(len(teams)), key=lambda k: saved.number(f"teams/{k}/utilisation"))
    share = datum(saved, "value", f"teams/{m}/utilisation")
    used = Fact("busiest.utilisation", say.percent(share.value, 0), (share,))
    name, i = saved.text(f"teams/{m}/team"), best(saved)
    title = line("The busiest team is {}, at {} of its paid hours", say.words(name), used)
    if i is None:
        title = title + line("; more of it adds nothing beyond chance")
    elif saved.text(f"ranking/{i}/name") == f"teams.{name}":
        title = title + line(", and it is the constraint")
    else:
        title = title + line(", but the constraint is {}", whose(saved, i))
    return Slide(
        key="busy",
        title=title,
        heading=line("Share of paid hours worked, by team and quarter"),
        show=Picture("constraint", "capacity_heat", saved),
        source=source(saved),
        notes=(line("Being busy is not being the constraint: relief says which is."),
               *method(saved), CAVEAT),
        alt=line("A heat map of teams by quarter. {}.", title),
    )  # fmt: skip


def shifting(saved: Saved) -> Slide | None:
    """Who was the bottleneck when, for the appendix."""
    if not isinstance(saved.data.get("active_periods"), dict):
        return None
    name = saved.at("active_periods/bottleneck")
    if name is None:
        return None
    parts = [f"active_periods/teams/{name}/{k}/mean" for k in ("sole", "shifting")]
    share = datum(saved, "sum", *parts)
    title = line("{} is the bottleneck {} of the time", say.words(name),
                 Fact("bottleneck.share", say.percent(share.value, 0), (share,)))  # fmt: skip
    i = best(saved)
    if i is not None and saved.text(f"ranking/{i}/name") == f"teams.{name}":
        title = title + line(", and its relief brings the most per {}",
                             named(saved.text("currency")))  # fmt: skip
    elif i is not None:
        title = title + line(", but relief of {} brings more per {}", whose(saved, i),
                             named(saved.text("currency")))  # fmt: skip
    return Slide(
        key="shifting",
        title=say.upper(title),
        heading=line("The team that has gone longest without anyone idle, week by week"),
        show=Picture("constraint", "shifting_bottleneck", saved),
        source=source(saved),
        notes=(line("Active periods after Roser, Nakano and Tanaka. Relief says what it is worth "
                    "to do something about it."), *method(saved), CAVEAT),
        alt=line("A strip of time by team. {}.", title),
        appendix=True,
    )  # fmt: skip


def queues(saved: Saved) -> Slide | None:
    """Each team's load and queue, for the appendix."""
    order = sorted(
        range(len(saved.rows("teams"))), key=lambda m: -saved.number(f"teams/{m}/utilisation")
    )[:12]
    if not order:
        return None

    def fact(m: int, key: str) -> Fact:
        value = datum(saved, "value", f"teams/{m}/{key}")
        text = say.percent(value.value, 0) if key == "utilisation" else say.count(value.value)
        return Fact(f"{saved.text(f'teams/{m}/team')}.{key}", text, (value,))

    def row(m: int) -> tuple[Fact | Line, ...]:
        slope = datum(saved, "value", f"teams/{m}/queue_growth_a_week")
        text = f"{slope.value:+.2f}".replace("-0.00", "+0.00").replace("+0.00", "0.00")
        grows = Fact("", say.true_minus(text), (slope,))
        return (say.words(saved.text(f"teams/{m}/team")), fact(m, "utilisation"),
                fact(m, "queue"), grows)  # fmt: skip

    worst = max(order, key=lambda m: saved.number(f"teams/{m}/queue"))
    return Slide(
        key="queues",
        title=line(
            "Most leads wait for {}: {} on average",
            say.words(saved.text(f"teams/{worst}/team")), fact(worst, "queue"),
        ),
        heading=line("Teams by how busy they are, and the leads that wait for them"),
        show=Table(
            ("Team", "Busy, of paid hours", "Leads waiting, mean", "Growth a week"),
            tuple(row(m) for m in order),
        ),
        source=source(saved),
        notes=(*method(saved),),
        alt=line("A table of teams, how busy they are and their queues."),
        appendix=True,
    )  # fmt: skip
