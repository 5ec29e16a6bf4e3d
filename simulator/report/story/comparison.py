"""Slides of a comparison: the answer, push against fix, where effort went, the economics."""

from __future__ import annotations

import math
from collections.abc import Iterator

from simulator.analysis.words import label
from simulator.report.saved import Saved
from simulator.report.story import say
from simulator.report.story.say import Datum, Fact, Line, datum, joined, line, named, upper
from simulator.report.story.source import CAVEAT, confidence, method, source
from simulator.report.story.spec import Bars, Fall, Lines, Picture, Series, Slide, Step

ROLES = ("push", "fix")
MOST_ROWS = 8
MOST_LINES = 4


def arms(saved: Saved) -> list[tuple[int, str]]:
    """Today and the variants as written: their place and role, the contest's first."""
    rows = saved.rows("arms")
    found = [(i, saved.text(f"arms/{i}/role")) for i in range(len(rows))
             if saved.at(f"arms/{i}/as_written")]  # fmt: skip
    contest = [saved.at("verdict/push"), saved.at("verdict/fix")]

    def rank(item: tuple[int, str]) -> int:
        name = rows[item[0]]["name"]
        return -1 if item[0] == 0 else contest.index(name) if name in contest else 2

    return sorted(found, key=rank)


def equal(saved: Saved) -> list[int]:
    """Places of the variants at equal spend, the largest gain first."""
    found = [i for i in range(1, len(saved.rows("arms"))) if saved.at(f"arms/{i}/equal_spend")]
    known = [i for i in found if math.isfinite(saved.number(f"arms/{i}/gain/mean"))]
    return sorted(known, key=lambda i: -saved.number(f"arms/{i}/gain/mean"))


def name_of(saved: Saved, i: int, most: int = say.NAME) -> Fact:
    """A variant's name."""
    return named(saved.text(f"arms/{i}/name"), most)


def colour(saved: Saved, i: int) -> str:
    """By role."""
    role = saved.text(f"arms/{i}/role")
    return role if role in ("today", *ROLES) else "other"


def currency(saved: Saved) -> str:
    """Of the result."""
    return say.plain(saved.text("currency"))


def key_of(saved: Saved, i: int) -> str:
    """A variant's name in names of facts: its role where it is the contest's, else its words."""
    role = saved.text(f"arms/{i}/role")
    name = saved.text(f"arms/{i}/name")
    if i == 0:
        return "today"
    stem = role if saved.at("verdict").get(role) == name else say.plain(name).lower()
    stem = "".join(c if c.isalnum() else "_" for c in stem).strip("_") or f"variant_{i}"
    return stem if saved.at(f"arms/{i}/as_written") else f"{stem}_equal"


def gain(saved: Saved, i: int, *, size: bool = False) -> Fact:
    """Of the outcome, as a share of today's; in its unit where today's is zero."""
    at, name = f"arms/{i}/gain", f"{key_of(saved, i)}.gain"
    if saved.at(f"{at}/relative/mean") is not None:
        return say.with_interval(saved, name, f"{at}/relative", say.percent, size=size)
    outcome, unit = saved.text("outcome"), currency(saved)
    return say.with_interval(saved, name, at, lambda v: say.level(v, outcome, unit), size=size)


def sure(saved: Saved, i: int) -> bool:
    """Whether the interval of the gain leaves zero out."""
    low, high = (saved.number(f"arms/{i}/gain/{k}") for k in ("low", "high"))
    return low > 0 or high < 0


def cost(saved: Saved, i: int) -> Line:
    """For 195 kUSD a year."""
    found = datum(saved, "value", f"arms/{i}/extra_cost_a_year")
    if abs(found.value) < 1.0:
        return line("at no cost")
    text = say.amount(abs(found.value), currency(saved))
    fact = Fact(f"{key_of(saved, i)}.cost", text, (found,))
    return line("for {} a year" if found.value > 0 else "saving {} a year", fact)


def effect(saved: Saved, i: int, to: bool = True) -> Line:
    """Fix adds 2.7% ± 0.4% to ARR for 195 kUSD a year."""
    what = label(saved.text("outcome"))
    who, price = name_of(saved, i), cost(saved, i)
    if not sure(saved, i):
        return line("{} makes no difference found ({}) {}", who, gain(saved, i), price)
    up = saved.number(f"arms/{i}/gain/mean") > 0
    verb, link = ("adds", "to") if up else ("takes", "off")
    tail = line(f" {link} {{}}", named(what)) if to else Line("")
    return line(f"{{}} {verb} {{}}{{}} {{}}", who, gain(saved, i, size=True), tail, price)


def answer(saved: Saved) -> Slide | None:
    """What each variant adds as written, week by week."""
    shown = [i for i, _ in arms(saved) if i and "gain" in saved.keys(f"arms/{i}/series")]
    shown = shown[:MOST_LINES]
    if not shown:
        return None
    best = sorted(shown, key=lambda i: -_mean(saved, i))
    title = joined([effect(saved, i, to=not k) for k, i in enumerate(best[:2])])
    weeks = saved.rows(f"arms/{shown[0]}/series/week")
    chart = Lines(
        steps=tuple(f"{w:g}" for w in weeks),
        series=tuple(_gain_line(saved, i) for i in shown),
        unit="money",
        across="week",
        every=13 if len(weeks) > 40 else 4 if len(weeks) > 12 else 1,
    )
    heading = line(
        "ARR above today's, in {}, by week; bands: {} interval of the paired difference",
        named(currency(saved)),
        confidence(saved),
    )
    return Slide(
        key="answer",
        title=upper(title),
        heading=heading,
        show=chart,
        source=source(saved),
        notes=(_verdict(saved), *method(saved), CAVEAT),
        alt=line("Lines over weeks of ARR above today's, a line a variant. {}.", title),
    )


def _mean(saved: Saved, i: int) -> float:
    value = saved.number(f"arms/{i}/gain/mean")
    return value if math.isfinite(value) else -math.inf


def _gain_line(saved: Saved, i: int) -> Series:
    at = f"arms/{i}/series/gain"
    mean, low, high = (
        tuple(
            Datum(v, (f"{at}/{k}/{n}",))
            for n, v in enumerate(_numbers(saved, f"{at}/{k}"))
        )
        for k in ("mean", "low", "high")
    )  # fmt: skip
    return Series(name_of(saved, i).text, mean, colour(saved, i), low, high)


def _numbers(saved: Saved, pointer: str) -> list[float]:
    rows = saved.rows(pointer)
    return [saved.number(f"{pointer}/{n}") for n in range(len(rows))]


def _verdict(saved: Saved) -> Line:
    sentences = saved.rows("verdict/sentences")
    said = " ".join(str(s) for s in sentences[: 1 + len(arms(saved)) - 1])
    return Line(said, (Fact("", said, ()),))


def contest(saved: Saved) -> Line:
    """Who wins at equal spend, and by how much."""
    verdict, what = saved.at("verdict"), named(label(saved.text("outcome")))
    at = Line("")
    if saved.data.get("equal_spend_a_year") is not None:
        yearly = datum(saved, "value", "equal_spend_a_year")
        spend = Fact("equal_spend", say.amount(yearly.value, currency(saved)), (yearly,))
        at = line("At equal spend, {} a year each, ", spend)
    code, apart = saved.text("verdict/code"), verdict.get("fix_minus_push")
    base = f"arms/0/metrics/{saved.text('outcome')}/mean"
    if apart is not None and verdict["push"] and verdict["fix"] and saved.number(base):
        ends = [f"verdict/fix_minus_push/{k}" for k in ("mean", "low", "high")]
        mean = datum(saved, "size_ratio", ends[0], base)
        half = datum(saved, "half_ratio", ends[1], ends[2], base)
        size = Fact("fix_minus_push", say.percent(mean.value), (mean,))
        if half.value > 0:
            both = f"{size.text}{say.HARD}±{say.HARD}{say.percent(half.value)}"
            size = Fact("fix_minus_push", both, (mean, half))
        push, fix = named(verdict["push"]), named(verdict["fix"])
        if code == "fix_wins":
            return upper(at + line("{} beats {} by {} of today's {}", fix, push, size, what))
        if code == "push_wins":
            return upper(at + line("{} beats {} by {} of today's {}", push, fix, size, what))
        none = "no difference that would pay is found between {} and {} ({} of today's {})"
        return upper(at + line(none, push, fix, size, what))
    if code == "no_difference_found":
        return upper(at + line("no variant changes {} beyond chance", what))
    if code == "loss_found":
        return upper(at + line("no variant adds to {}", what))
    return upper(at + line("{} adds the most to {}", named(verdict["best"] or "none"), what))


def push_fix(saved: Saved) -> Slide | None:
    """Gains at equal spend with their intervals."""
    places = equal(saved)[:MOST_ROWS]
    if not places:
        return None
    relative = all(saved.at(f"arms/{i}/gain/relative/mean") is not None for i in places)
    inner = "gain/relative" if relative else "gain"
    roles = list(dict.fromkeys(colour(saved, i) for i in places))
    legend = {"push": "Push harder", "fix": "Fix the constraint", "other": "Other"}

    def ends(role: str, key: str) -> tuple[Datum | None, ...]:
        return tuple(
            datum(saved, "value", f"arms/{i}/{inner}/{key}") if colour(saved, i) == role else None
            for i in places
        )

    chart = Bars(
        names=tuple(_at_share(saved, i) for i in places),
        series=tuple(
            Series(legend.get(r, r), ends(r, "mean"), r, ends(r, "low"), ends(r, "high"))
            for r in roles
        ),
        unit="share" if relative else say.unit_of(saved.text("outcome")),
    )
    week = datum(saved, "value", "week")
    return Slide(
        key="push_fix",
        title=contest(saved),
        heading=line(
            "Change of {} at week {} against today, each variant's levers scaled to the same "
            "spend; whiskers: {} interval",
            named(label(saved.text("outcome"))), Fact("week", f"{week.value:g}", (week,)),
            confidence(saved),
        ),
        show=chart,
        source=source(saved),
        notes=(
            *(line("{}.", effect(saved, i)) for i in places),
            line(
                "Equal spend: the levers of each variant are scaled until its extra cost is that "
                "of the cheapest. Adjusted for the number of variants (Holm)."
            ),
            *method(saved),
            CAVEAT,
        ),
        alt=line("Bars of gains at equal spend with their intervals. {}.", contest(saved)),
    )  # fmt: skip


def _at_share(saved: Saved, i: int) -> Line:
    name, size = name_of(saved, i, 60), gain(saved, i)
    if saved.at(f"arms/{i}/as_written"):
        return line("{}: {}", name, size)
    scaled = datum(saved, "value", f"arms/{i}/intensity")
    share = Fact(f"{key_of(saved, i)}.intensity", f"{scaled.value:.2g}", (scaled,))
    return line("{} ({}× its levers): {}", name, share, size)


def pushed(saved: Saved) -> int | None:
    """The push whose absorption is shown: the contest's; else what promises most."""
    found = [i for i, _ in arms(saved) if i and saved.at(f"arms/{i}/absorption") is not None]
    wanted = saved.at("verdict/push")
    for i in found:
        if saved.text(f"arms/{i}/name") == wanted:
            return i
    pushes = [i for i in found if saved.text(f"arms/{i}/role") == "push"] or found
    at = "arms/{}/absorption/straight_line_wins"
    return max(pushes, key=lambda i: saved.number(at.format(i)), default=None)


def effort(saved: Saved) -> Slide | None:
    """From the wins that a straight line promises to those that came."""
    i = pushed(saved)
    if i is None:
        return None
    at = f"arms/{i}/absorption"
    promised = datum(saved, "value", f"{at}/straight_line_wins")
    came = datum(saved, "value", f"{at}/actual_wins")
    if not (promised.known and came.known) or promised.value < 0.5:
        return None
    steps = [Step(counted("A straight line promises", promised), promised, True, "grey")]
    taken = dict(parts_of(saved, f"{at}/parts"))
    for name, found in grouped(saved, f"{at}/parts", abs(promised.value)):
        minus = Datum(-found.value, found.pointers, f"minus {found.how}")
        steps.append(Step(counted(absorber(name), minus), minus))
    steps.append(Step(counted("What came", came), came, True, colour(saved, i)))
    title = line(
        "{}: {} wins where a straight line promises {}",
        name_of(saved, i),
        Fact(f"{key_of(saved, i)}.wins_came", say.count(came.value, True), (came,)),
        Fact(f"{key_of(saved, i)}.wins_promised", say.count(promised.value, True), (promised,)),
    )
    lost = {k: d for k, d in taken.items() if d.value > 0}
    if lost and promised.value - came.value > 0.1 * promised.value:
        worst = max(lost, key=lambda k: lost[k].value)
        pointers = [lost[worst].pointers[0], *(d.pointers[0] for d in lost.values())]
        part = datum(saved, "share", *pointers)
        why = Fact(f"{key_of(saved, i)}.absorbed_most", say.percent(part.value, 0), (part,))
        title = title + line("; {} of what is missing went to {}", why, _where(worst))
    weeks = datum(saved, "value", "weeks")
    return Slide(
        key="effort",
        title=title,
        heading=line(
            "Extra wins in {} weeks against today: from the promise to what came",
            Fact("weeks", f"{weeks.value:g}", (weeks,)),
        ),
        show=Fall(tuple(steps), "count"),
        source=source(saved),
        notes=(
            line(
                "Straight line: what wins would be if they grew in proportion to effort. What is "
                "missing is shared out among where leads ended in more than the proportion they "
                "used to, at the odds that a lead from there used to have. The parts add up to "
                "what is missing."
            ),
            *method(saved),
            CAVEAT,
        ),
        alt=line("A waterfall from promised to actual wins. {}.", title),
    )


def counted(name: str, change: Datum) -> Line:
    """A bar's name and its number of wins."""
    return line("{}: {}", named(name, 60), Fact("", say.count(change.value, True), (change,)))


def _where(part: str) -> Fact:
    if part == "saturation":
        return named("channels that sell fewer leads for each further dollar", 80)
    return say.words(part)


def absorber(name: str) -> str:
    """A part of an absorption as a label."""
    if name == "saturation":
        return "Fewer leads for each further dollar"
    text = say.words(name).text
    return text[0].upper() + text[1:]


def parts_of(saved: Saved, pointer: str) -> Iterator[tuple[str, Datum]]:
    """The parts of a mapping of numbers, by name."""
    for key in saved.keys(pointer):
        # A key with a slash cannot be pointed at; no name of a stage or a reason has one.
        if "/" not in key:
            yield key, datum(saved, "value", f"{pointer}/{key}")


def grouped(saved: Saved, pointer: str, scale: float, most: int = 7) -> list[tuple[str, Datum]]:
    """The largest parts, the rest in one; what is below a fiftieth of the scale is in the rest."""
    known = [(k, d) for k, d in parts_of(saved, pointer) if d.known and d.value]
    known.sort(key=lambda p: -abs(p[1].value))
    least = 0.02 * max([scale, *(abs(d.value) for _, d in known)])
    seen = sum(1 for _, d in known if abs(d.value) >= least)
    keep = min(most, max(2, seen + 1))
    if len(known) <= keep:
        return known
    rest = [d.pointers[0] for _, d in known[keep - 1 :]]
    other = f"all else ({len(rest)} parts)"
    return [*known[: keep - 1], (other, datum(saved, "sum", *rest))]


def busiest(saved: Saved) -> Slide | None:
    """Capacity against demand, quarter by quarter; a picture, as no native chart is a heat map."""
    metrics = saved.keys("arms/0/metrics")
    used = {k: saved.number(f"arms/0/metrics/{k}/mean") for k in metrics
            if k.startswith("utilisation.")}  # fmt: skip
    known = {k: v for k, v in used.items() if math.isfinite(v)}
    if not known:
        return None
    key = max(known, key=lambda k: known[k])
    said = []
    for i, _ in arms(saved)[:3]:
        if key not in saved.keys(f"arms/{i}/metrics"):
            continue
        share = datum(saved, "value", f"arms/{i}/metrics/{key}/mean")
        fact = Fact(f"{key_of(saved, i)}.{key}.mean", say.percent(share.value, 0), (share,))
        where = name_of(saved, i, 34)
        said.append(
            line("{} of its hours today", fact) if not i else line("{} under {}", fact, where)
        )
    team = say.words(key.split(".", 1)[1])
    title = line("The busiest team, {}, is at {}", team, joined(said, ", "))
    return Slide(
        key="busiest",
        title=title,
        heading=line("Share of paid hours worked, by team and quarter"),
        show=Picture("comparison", "capacity_heat", saved),
        source=source(saved),
        notes=(
            line(
                "Being busy is not being the constraint: that is what relief says, where it was "
                "asked. Framed cells: more work waits, on average, than the team does in a week."
            ),
            *method(saved),
            CAVEAT,
        ),
        alt=line("A heat map of teams by quarter. {}.", title),
    )
