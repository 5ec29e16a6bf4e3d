"""The slide of a curve: where pushing stops paying."""

from __future__ import annotations

from simulator.analysis.words import label, spoken
from simulator.report.saved import Saved
from simulator.report.story import say
from simulator.report.story.say import Datum, Fact, Line, datum, line, named
from simulator.report.story.source import CAVEAT, confidence, method, source
from simulator.report.story.spec import Lines, Series, Slide


def effort_name(path: str) -> str:
    """A lever's path as effort in words."""
    parts = path.split(".")
    if parts[0] == "channels" and parts[-1] == "spend" and len(parts) > 1:
        return f"spend on {'all channels' if parts[1] == '*' else spoken(parts[1])}"
    return spoken(path.replace("*", "all")).replace(".", " ")


def pushing(saved: Saved) -> Slide | None:
    """Output against effort, with the straight line of the first step's yield."""
    n = len(saved.rows("points"))
    if n < 2:
        return None
    last, unit, outcome = n - 1, say.plain(saved.text("currency")), saved.text("outcome")
    what, effort = named(label(outcome)), named(effort_name(saved.text("effort")))
    top = datum(saved, "value", f"points/{last}/effort")
    times = Fact("push.times", f"{top.value:.3g}", (top,))
    title = line("{} times the {} {}", times, effort, _brings(saved, last, what, unit))
    title = title + _stops(saved)

    def numbers(*keys: str) -> tuple[Datum, ...]:
        return tuple(datum(saved, "value", "/".join(("points", str(i), *keys))) for i in range(n))

    mean = numbers("output", "mean")
    # Paired: how sure the change against today is, not how far runs lie apart.
    halves = [None] + [
        datum(saved, "half", f"points/{i}/gain/low", f"points/{i}/gain/high") for i in range(1, n)
    ]
    low, high = (
        tuple(
            m
            if h is None or not h.known
            else Datum(m.value + side * h.value, (*m.pointers, *h.pointers), f"band {side:+d}")
            for m, h in zip(mean, halves, strict=True)
        )
        for side in (-1, 1)
    )
    money = say.unit_of(outcome).startswith("money")
    chart = Lines(
        steps=tuple(f"{saved.number(f'points/{i}/effort'):.3g}×" for i in range(n)),
        series=(
            Series(
                "The first step's yield, kept up", numbers("straight_line"), "grey", dashed=True
            ),
            Series(f"{what.text} simulated", mean, "push", low, high),
        ),
        unit="money" if money else say.unit_of(outcome),
        across=effort.text,
    )
    return Slide(
        key="pushing",
        title=title,
        heading=line(
            "{}{} against multiples of today's {}; band: {} interval of the change",
            what, Fact("", f" in {unit}" if money else ""), effort, confidence(saved),
        ),
        show=chart,
        source=source(saved),
        notes=(*_sentences(saved), *method(saved), CAVEAT),
        alt=line("Lines of output against effort. {}.", title),
    )  # fmt: skip


def _sentences(saved: Saved) -> tuple[Line, ...]:
    said = [str(s) for s in saved.rows("sentences")]
    return tuple(Line(s, (Fact("", s),)) for s in said if not s.startswith("("))


def _brings(saved: Saved, last: int, what: Fact, unit: str) -> Line:
    at, outcome = f"points/{last}/gain", saved.text("outcome")
    low, high = (saved.number(f"{at}/{k}") for k in ("low", "high"))
    if saved.at(f"{at}/relative/mean") is None:
        size = say.with_interval(saved, "push.change", at, lambda v: say.level(v, outcome, unit))
        return line("changes {} by {}", what, size)
    relative = f"{at}/relative"
    if low <= 0 <= high:
        size = say.with_interval(saved, "push.change", relative, say.percent)
        return line("makes no difference found to {} ({})", what, size)
    size = say.with_interval(saved, "push.change", relative, say.percent, size=True)
    return line("adds {} to {}" if low > 0 else "takes {} off {}", size, what)


def _stops(saved: Saved) -> Line:
    where = saved.text("knee/where")
    if where == "inside":
        knee = datum(saved, "value", "knee/effort")
        fact = Fact("push.stops_paying_at", f"{knee.value:.2g}", (knee,))
        return line("; one more dollar stops paying at {} times", fact)
    ends = {
        "before": "; not even the first dollar more pays",
        "beyond": ", and pushing still pays there",
    }
    return line(ends.get(where, ", at no extra cost"))
