"""Slides of an explanation: what each mechanism adds, and effort against alignment."""

from __future__ import annotations

from simulator.analysis.words import label
from simulator.report.saved import Saved
from simulator.report.story import say
from simulator.report.story.say import Datum, Fact, Line, datum, line, named
from simulator.report.story.source import CAVEAT, method, source
from simulator.report.story.spec import Fall, Series, Slide, Stack, Step


def slug(saved: Saved) -> str:
    """A variant's name in keys of slides."""
    return "".join(c if c.isalnum() else "_" for c in say.plain(saved.text("variant")).lower())


def unit_of(saved: Saved) -> str:
    """The currency, where the result says it."""
    return say.plain(str(saved.data.get("currency") or ""))


def size(saved: Saved, name: str, pointer: str) -> Fact:
    """A part with its interval, in the outcome's unit."""
    outcome, unit = saved.text("outcome"), unit_of(saved)
    return say.with_interval(saved, name, pointer, lambda v: say.level(v, outcome, unit).strip())


def mechanisms(saved: Saved) -> Slide | None:
    """From the difference without any mechanism to the one there is."""
    base = datum(saved, "value", "mechanisms/baseline/mean")
    total = datum(saved, "value", "difference/mean")
    parts = [k for k in saved.keys("mechanisms/parts") if "/" not in k]
    if not (base.known and total.known) or not parts:
        return None
    steps = [Step(_sized(saved, "Without any mechanism", base), base, True, "grey")]
    for name, found in _changes(saved, parts, max(abs(base.value), abs(total.value))):
        steps.append(Step(_sized(saved, name, found), found))
    if saved.at("mechanisms/interaction") is not None:
        both = datum(saved, "value", "mechanisms/interaction/mean")
        steps.append(Step(_sized(saved, "Together", both), both))
    steps.append(Step(_sized(saved, "As simulated", total), total, True, "fix"))
    what, key = label(saved.text("outcome")), slug(saved)
    most = max(parts, key=lambda k: abs(saved.number(f"mechanisms/parts/{k}/mean")))
    title = line(
        "{}: {} changes {} most, by {}; the whole difference is {}",
        named(saved.text("variant")),
        say.words(most),
        named(what),
        size(saved, f"{key}.mechanism.{most}", f"mechanisms/parts/{most}"),
        size(saved, f"{key}.difference", "difference"),
    )
    money = say.unit_of(saved.text("outcome")).startswith("money")
    return Slide(
        key=f"mechanisms_{key}",
        title=title,
        heading=line("Difference of {} against today, by the mechanism that makes it", named(what)),
        show=Fall(tuple(steps), "money" if money else say.unit_of(saved.text("outcome"))),
        source=source(saved),
        notes=(
            line(
                "Each mechanism of the model is switched off under the same luck; what they do "
                "together is shared out by the method {}.",
                named(saved.text("mechanisms/method")),
            ),
            *method(saved),
            CAVEAT,
        ),
        alt=line("A waterfall by mechanism. {}.", title),
    )


def _sized(saved: Saved, name: str, found: Datum) -> Line:
    text = say.level(found.value, saved.text("outcome"), unit_of(saved)).strip()
    return line("{}: {}", named(name, 60), Fact("", text, (found,)))


def _changes(saved: Saved, parts: list[str], scale: float) -> list[tuple[str, Datum]]:
    """Mechanisms by size; the small ones in one."""
    known = [(k, datum(saved, "value", f"mechanisms/parts/{k}/mean")) for k in parts]
    known = sorted((p for p in known if p[1].known), key=lambda p: -abs(p[1].value))
    large = [p for p in known if abs(p[1].value) >= 0.02 * scale][:7]
    rest = [d.pointers[0] for k, d in known if k not in dict(large)]
    found = [(_label(k), d) for k, d in large]
    if len(rest) == 1:
        return [(_label(k), d) for k, d in known]
    if rest:
        found.append((f"All else ({len(rest)} mechanisms)", datum(saved, "sum", *rest)))
    return found


def _label(name: str) -> str:
    text = say.words(name).text
    return text[0].upper() + text[1:]


def bookings(saved: Saved) -> Slide | None:
    """Growth of bookings by quarter: led by effort, or by alignment."""
    rows = saved.data.get("bookings", {}).get("quarters")
    if not isinstance(rows, list) or not rows:
        return None
    sides = (("effort_led", "Effort-led", "push"), ("alignment_led", "Alignment-led", "fix"))
    key = slug(saved)
    whole = [
        Fact("", size(saved, f"{key}.bookings.{k}", f"bookings/{k}").text,
             size(saved, f"{key}.bookings.{k}", f"bookings/{k}").data)
        for k in ("growth", "effort_led", "alignment_led")
    ]  # fmt: skip
    return Slide(
        key=f"bookings_{key}",
        title=line("{}: bookings change by {}, of which {} is effort-led and {} alignment-led",
                   named(saved.text("variant"), 30), *whole),
        heading=line("Growth of bookings against today, by quarter"),
        show=Stack(
            tuple(f"Q{q + 1}" for q in range(len(rows))),
            tuple(
                Series(name, tuple(datum(saved, "value", f"bookings/quarters/{q}/{k}")
                                   for q in range(len(rows))), colour)
                for k, name, colour in sides
            ),
            "money",
        ),
        source=source(saved),
        notes=(
            line(
                "Effort-led: volume and capacity. Alignment-led: handoffs, odds, decision, cycle "
                "and price."
            ),
            *method(saved),
        ),
        alt=line("Stacked bars of growth of bookings by quarter."),
        appendix=True,
    )  # fmt: skip
