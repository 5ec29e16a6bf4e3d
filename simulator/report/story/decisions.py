"""Slides of decisions: what must be true, what the answer rests on, where it flips, what next."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

from simulator.analysis.names import FLIPS, UNTOLD
from simulator.analysis.words import label, said
from simulator.analysis.words_seek import doing, price
from simulator.analysis.words_seek import name as lever
from simulator.analysis.words_worlds import assumption
from simulator.errors import DataError
from simulator.report.revive import revive
from simulator.report.saved import Saved
from simulator.report.story import say
from simulator.report.story.other import sentences
from simulator.report.story.say import Datum, Fact, Line, datum, line, named
from simulator.report.story.spec import Bars, Picture, Series, Slide, Stack, Table
from simulator.spec.units import Quantity

ROWS = 9


def seek(saved: Saved) -> Slide | None:
    """What must hold: today, what is needed, and what it is worth."""
    rows = _listed(saved, "conditions")
    places = [
        i for i, c in enumerate(rows)
        if c.get("needed") is not None and c.get("today") != c.get("needed")
    ][:ROWS]  # fmt: skip
    if not places:
        return sentences(saved)
    unit = currency(saved)
    metric = saved.text("targets/0/metric")

    def amount(i: int, key: str) -> Fact:
        found = datum(saved, "value", f"conditions/{i}/{key}")
        sign = ""
        if key == "needed":
            sign = "≥ " if rows[i].get("sign") == ">=" else "≤ "
        return Fact("", sign + quantity(found.value, saved.text(f"conditions/{i}/unit"), unit),
                    (found,))  # fmt: skip

    def worth(i: int) -> Fact | Line:
        if rows[i].get("worth") is None:
            return line("")
        return say.with_interval(
            saved, "", f"conditions/{i}/worth", lambda v: say.level(v, metric, unit), size=True
        )

    def holds(i: int) -> Fact:
        found = datum(saved, "value", f"conditions/{i}/confidence")
        return Fact("", say.percent(found.value, 0), (found,))

    table = Table(
        ("What must be true", "Today", "Needed", f"Worth of {label(metric)}", "Met with it"),
        tuple(
            (named(lever(saved.text(f"conditions/{i}/condition"))), amount(i, "today"),
             amount(i, "needed"), worth(i), holds(i))
            for i in places
        ),
        (0.34, 0.15, 0.17, 0.22, 0.12),
        tuple(k for k, i in enumerate(places) if rows[i].get("kind") == "lever"),
    )  # fmt: skip
    found = _with(
        saved, table,
        line("In bold what we set; the rest follows. Met with it: share of runs with it in which "
             "every target is met"),
    )  # fmt: skip
    told = _reached(saved)
    return found if found is None or told is None else replace(found, title=told)


def _reached(saved: Saved) -> Line | None:
    """The targets, the levers that reach them and what they cost; None where none do."""
    if saved.data.get("answer") is None:
        return None
    try:
        unit, answer = currency(saved), revive(saved)
    except DataError:  # of an older version: its own sentences say it
        return None
    wanted = " and ".join(
        f"{label(t.metric)} {'≥' if t.sign > 0 else '≤'} {say.level(t.level, t.metric, unit)}"
        for t in answer.targets
    )
    text = say.plain(f"{wanted} takes {doing(answer.answer)}, {price(answer.answer, answer)}")
    return Line(text, (Fact("", text),))


def worlds(saved: Saved) -> Slide | None:
    """How many worlds there are in which which side wins, and by how much."""
    if saved.data.get("histogram") is None:
        return sentences(saved)
    edges = [float(x) for x in saved.rows("histogram/edges")]
    counts, unit = saved.rows("histogram/worlds"), currency(saved)
    outcome = saved.text("outcome")
    push, fix = (named(saved.text(f"{side}/name"), 34).text for side in ("push", "fix"))

    def bar(i: int, ours: bool) -> Datum | None:
        return datum(saved, "value", f"histogram/worlds/{i}") if ours else None

    lower = [edges[i + 1] <= 0.0 for i in range(len(counts))]
    stack = Stack(
        tuple(say.level(0.5 * (a + b), outcome, unit) for a, b in pairwise(edges)),
        (
            Series(f"{push} is better", tuple(bar(i, x) for i, x in enumerate(lower)), "push"),
            Series(f"{fix} is better", tuple(bar(i, not x) for i, x in enumerate(lower)), "fix"),
        ),
        "count",
    )
    total = datum(saved, "value", "worlds")
    return _with(
        saved, stack,
        line("Worlds, of {}, by {} of the fix less that of the push, at equal spend",
             Fact("worlds.count", say.count(total.value), (total,)), named(label(outcome))),
    )  # fmt: skip


def sensitivity(saved: Saved) -> Slide | None:
    """What the outcome gains or loses at both ends of each range."""
    n = min(len(_listed(saved, "tornado")), ROWS)
    places = [i for i in range(n) if saved.number(f"tornado/{i}/swing") > 0]
    if not places:
        return sentences(saved)

    def ends(key: str, what: str) -> tuple[Datum | None, ...]:
        return tuple(datum(saved, "value", f"tornado/{i}/at_{key}/{what}") for i in places)

    outcome, unit = saved.text("outcome"), currency(saved)
    money = say.unit_of(outcome).startswith("money")
    bars = Bars(
        tuple(_ranged(saved, i, unit) for i in places),
        (
            Series("At the low end", ends("low", "mean"), "push", ends("low", "low"),
                   ends("low", "high")),
            Series("At the high end", ends("high", "mean"), "fix", ends("high", "low"),
                   ends("high", "high")),
        ),
        "money" if money else say.unit_of(outcome),
    )  # fmt: skip
    return _with(
        saved, bars,
        line("Change of {}{} with each assumption at the ends of its range; whiskers: intervals",
             named(label(outcome)), Fact("", f" in {unit}" if money else "")),
    )  # fmt: skip


def robustness(saved: Saved) -> Slide | None:
    """The difference between the sides at both ends of each range, and the verdict there."""
    rows = _listed(saved, "tornado")
    turned = [i for i, r in enumerate(rows) if FLIPS in _verdicts(r)]
    others = [i for i, r in enumerate(rows) if i not in turned and r.get("swing")]
    places = sorted([*turned[:ROWS], *others[: max(0, ROWS - len(turned))]])
    if not places:
        return sentences(saved)
    outcome, unit = saved.text("outcome"), currency(saved)
    first, second = (named(saved.text(f"sides/{k}"), 30).text for k in (0, 1))
    marks = {FLIPS: "flips", UNTOLD: "not told"}

    def end(i: int, key: str) -> Line:
        size = say.with_interval(
            saved, "", f"tornado/{i}/at_{key}", lambda v: say.level(v, outcome, unit)
        )
        mark = marks.get(saved.text(f"tornado/{i}/at_{key}/verdict"))
        return line("{}{}", size, Fact("", f" ({mark})" if mark else ""))

    def turns(i: int) -> Fact | Line:
        if saved.at(f"tornado/{i}/turns_at") is None:
            return line("")
        found = datum(saved, "value", f"tornado/{i}/turns_at")
        return Fact("", quantity(found.value, saved.text(f"tornado/{i}/unit"), unit), (found,))

    table = Table(
        ("Assumption, and its range", "At the low end", "At the high end", "Turns at about"),
        tuple((_ranged(saved, i, unit), end(i, "low"), end(i, "high"), turns(i)) for i in places),
        (0.36, 0.25, 0.25, 0.14),
        tuple(k for k, i in enumerate(places) if i in turned),
    )
    found = _with(
        saved, table,
        line("{} of {} less that of {}, the widest; in bold what turns the verdict",
             named(label(outcome)), Fact("", second), Fact("", first)),
    )  # fmt: skip
    told = say.plain(str(saved.data.get("headline") or ""))
    return (
        found if found is None or not told else replace(found, title=Line(told, (Fact("", told),)))
    )


def efforts(saved: Saved) -> Slide | None:
    """Every effort's gain against what it costs; its lines have no steps in common."""
    return _with(
        saved, Picture("curves", "every_effort", saved),
        line("Change of {} against what is spent more a year, a line an effort",
             named(label(saved.text("outcome")))),
    )  # fmt: skip


def mixes(saved: Saved) -> Slide | None:
    """What every mix of two efforts brings."""
    if "surface" not in saved.data:
        return sentences(saved)
    return _with(
        saved, Picture("isoquant", "isoquant", saved),
        line("Change of {} by multiples of today's efforts", named(label(saved.text("outcome")))),
    )  # fmt: skip


def path(saved: Saved) -> Slide | None:
    """Step by step: the constraint, the relief that is best, and the next."""
    steps = saved.data.get("path")
    if not isinstance(steps, dict) or not steps.get("steps"):
        return None
    n = min(len(steps["steps"]), ROWS)
    outcome, unit = saved.text("outcome"), currency(saved)

    def money(i: int, key: str) -> Fact:
        found = datum(saved, "value", f"path/steps/{i}/{key}")
        return Fact("", say.amount(found.value, unit), (found,))

    def gain(i: int) -> Fact:
        mean = datum(saved, "value", f"path/steps/{i}/gain_so_far")
        half = datum(saved, "half", *(f"path/steps/{i}/gain_so_far_{k}" for k in ("low", "high")))
        if half.known and half.value > 0:
            both = say.plus_minus(mean.value, half.value, lambda v: say.level(v, outcome, unit))
            return Fact("", both, (mean, half))
        return Fact("", say.level(mean.value, outcome, unit), (mean,))

    first, last = (lever(saved.text(f"path/steps/{i}/constraint")) for i in (0, n - 1))
    total = money(n - 1, "spent")
    title = line("The constraint is {}", named(first))
    if last != first:
        title = title + line("; relieved step by step it moves to {}", named(last))
    title = title + line(": {} spent add {} of {}", total, gain(n - 1), named(label(outcome)))
    table = Table(
        ("Constraint", "Relief", "From a budget of", "Spent", f"{label(outcome)} so far"),
        tuple(
            (
                named(lever(saved.text(f"path/steps/{i}/constraint"))),
                named(saved.text(f"path/steps/{i}/relief")),
                money(i, "budget_at_which_it_takes_over"),
                money(i, "spent"),
                gain(i),
            )
            for i in range(n)
        ),
        (0.25, 0.27, 0.15, 0.13, 0.20),
    )
    found = _with(saved, table, line("Each step is the relief that brings most per unit of money"))
    return None if found is None else replace(found, key="path", title=title)


def _listed(saved: Saved, key: str) -> list[Any]:
    """The list there; none where the result has no such part."""
    return saved.rows(key) if key in saved.data else []


def currency(saved: Saved) -> str:
    """The result's currency; empty where it does not say."""
    return say.plain(str(saved.data.get("currency") or ""))


def quantity(value: float, unit: str, money: str) -> str:
    """A number of a scenario with its unit, as people write it."""
    kind = _kind(unit)
    return said(value, kind, money).replace("-", "−")


@cache
def _kind(unit: str) -> Quantity | None:
    return None if unit in ("", "number") else Quantity(unit)  # type: ignore[arg-type]


def _ranged(saved: Saved, i: int, money: str) -> Line:
    """An assumption's name and its range."""
    unit, at = saved.text(f"tornado/{i}/unit"), f"tornado/{i}"
    low, high = (datum(saved, "value", f"{at}/{k}") for k in ("low", "high"))
    return line(
        "{}: {} to {}", named(assumption(saved.text(f"{at}/path"))),
        Fact("", quantity(low.value, unit, money), (low,)),
        Fact("", quantity(high.value, unit, money), (high,)),
    )  # fmt: skip


def _verdicts(row: dict[str, Any]) -> tuple[str, str]:
    return tuple(str(row.get(f"at_{k}", {}).get("verdict")) for k in ("low", "high"))  # type: ignore[return-value]


def _with(saved: Saved, show: Bars | Stack | Table | Picture, heading: Line) -> Slide | None:
    """The slide of an answer's sentences, with a chart or a table instead of them."""
    told = sentences(saved)
    return None if told is None else replace(told, show=show, heading=heading)
