"""What the answer rests on, and in which worlds which choice wins, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.analysis.words import label, said, share
from simulator.analysis.words_seek import name, value
from simulator.spec.units import Quantity

if TYPE_CHECKING:
    from simulator.analysis.parts import Range
    from simulator.analysis.prim import Box
    from simulator.analysis.sensitivity import Sensitivity
    from simulator.analysis.worlds import Worlds

GRADES = {
    "A": "read in a primary source",
    "B": "read second-hand",
    "C": "recalled",
    "D": "our own estimate",
}


def ranged(one: Range, currency: str) -> str:
    """30% to 80%."""
    kind = Quantity(one.unit)  # type: ignore[arg-type]
    return f"{said(one.low, kind, currency)} to {said(one.high, kind, currency)}"


def assumption(path: str) -> str:
    """An assumption's path in words."""
    words = "contract value" if path == "value.mean" else name(path)
    for end in (" mean", " now"):
        words = words.removesuffix(end)
    return words.replace(" cv", " (its spread)")


def sensitivity_sentences(result: Sensitivity) -> list[str]:
    """The widest bars, chance against ignorance, what does not matter, how it is known."""
    what, currency = label(result.outcome), result.currency
    told = [b for b in result.bars if b.told]
    base = value(result.base.mean, result.outcome, currency)
    if not told:
        found = [f"No assumption moves {what} beyond chance over its range ({base} as stated)."]
    else:
        first = told[0]
        ends = sorted(result.base.mean + d.gain.mean for d in (first.low, first.high))
        text = (
            f"{what} ({base} as stated) rests most on {assumption(first.range.path)}: over its "
            f"range of {ranged(first.range, currency)} "
            f"({GRADES.get(first.range.grade, first.range.grade)}) "
            f"it goes from {value(ends[0], result.outcome, currency)} to "
            f"{value(ends[1], result.outcome, currency)}."
        )
        found = [text]
        if len(told) > 1:
            more = [
                f"{assumption(b.range.path)} ({value(b.swing, result.outcome, currency)})"
                for b in told[1:4]
            ]
            found.append(f"Next come {', '.join(more)}.")
        small = sum(1 for b in result.bars if b.swing < 0.1 * first.swing)
        found.append(
            f"Of {len(result.bars)} assumptions {small} move it by less than a tenth of that."
        )
    if result.split is not None:
        s = result.split
        found.append(
            f"Of all its variance {share(1 - s.share)} is from not knowing these numbers and "
            f"{share(s.share)} ({share(s.low)} to {share(s.high)}) is mere chance, which no "
            "measuring removes."
        )
    if result.sobol is not None and len(result.sobol.names):
        i = int(result.sobol.total.argmax())
        found.append(
            f"By Sobol's total index, of the {len(result.sobol.names)} widest, "
            f"{assumption(result.sobol.names[i])} has {share(float(result.sobol.total[i]))} of "
            f"the variance ± {share(float(result.sobol.total_half[i]))}."
        )
    found.append(f"({result.runs:,} runs in {result.engine}, seed {result.seed}; {result.reason}.)")
    return found


def box_words(box: Box, over: Sequence[Range], currency: str) -> str:
    """A box as a rule: win rate above 28% and legal turnaround below 3 days."""
    parts = []
    for one in box.limits:
        r = over[one.index]
        kind = Quantity(r.unit)  # type: ignore[arg-type]
        what = assumption(r.path)
        if one.low is not None and one.high is not None:
            parts.append(
                f"{what} between {said(one.low, kind, currency)} and "
                f"{said(one.high, kind, currency)}"
            )
        elif one.low is not None:
            parts.append(f"{what} above {said(one.low, kind, currency)}")
        elif one.high is not None:
            parts.append(f"{what} below {said(one.high, kind, currency)}")
    return " and ".join(parts)


def worlds_sentences(result: Worlds) -> list[str]:
    """Who wins how often, the regret of each, where, what to measure first, how it is known."""
    what, currency = label(result.outcome), result.currency
    push, fix = (s.name for s in result.sides)
    p, n = result.share, len(result.difference)
    regret = result.regret()

    def lost(side: str, key: str = "mean") -> str:
        return value(float(regret[side][key] or 0.0), result.outcome, currency)

    worst = "worst_in_20"
    often = f"{share(p.mean)} ± {share(p.half)} of {n:,} worlds drawn from {result.drawn}"
    if p.mean in (0.0, 1.0):
        often = (
            f"{'each' if p.mean else 'none'} of {n:,} worlds drawn from {result.drawn} "
            f"({share(p.mean)} ± {share(p.half)})"
        )
    first = f"At equal spend, {push} beats {fix} in {often}."
    second = (
        f"Choosing {push} gives up {lost('push')} of {what} on average ({lost('push', worst)} in "
        f"the worst world of 20), choosing {fix} {lost('fix')} ({lost('fix', worst)})."
    )
    found = [first, second]
    winner = push if result.of == "push" else fix
    good = [b for b in result.boxes if result.holds_up(b)]
    if good:
        b = good[0]
        found.append(
            f"{winner} wins where {box_words(b, result.over, currency)}: that holds "
            f"{share(b.coverage)} of the worlds in which it wins, and there it wins in "
            f"{share(b.density)} ({share(b.tested[1])} on halves of the sample not used to "
            "find it)."
        )
    elif 0 < p.mean < 1:
        found.append(f"No rule that holds up tells the worlds in which {winner} wins.")
    info = [w for w in result.information if w.value > 0]
    if info:
        w = info[0]
        found.append(
            f"Measure {assumption(w.path)} first: to know it is worth "
            f"{value(w.value, result.outcome, currency)} of {what} "
            f"({value(w.low, result.outcome, currency)} to "
            f"{value(w.high, result.outcome, currency)}), and would turn the decision in "
            f"{share(w.flips)} of the worlds."
        )
    else:
        found.append("No single number, if it were known, would turn the decision.")
    found.append(_how(result))
    return found


def _how(result: Worlds) -> str:
    text = f"({2 * result.push.size:,} runs in {result.engine}, seed {result.seed}"
    if result.split is not None:
        text += f"; {share(result.split.share)} of the difference's variance is chance"
    if result.unequal:
        text += f"; in {result.unequal} worlds one side could not spend as much"
    if result.skipped:
        text += f"; {result.skipped} worlds could not be simulated"
    made = [s.name for s in result.sides if s.made]
    if made:
        text += f"; {' and '.join(made)} made here, as the study has none"
    return f"{text}; {result.reason}.)"
