"""Whether a verdict stands over what nobody knows, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.analysis.names import FLIPS, UNTOLD
from simulator.analysis.words import label, money, said, share
from simulator.analysis.words_seek import value
from simulator.analysis.words_worlds import GRADES, assumption, ranged
from simulator.spec.units import Quantity
from simulator.vocabulary import YEAR, describe

if TYPE_CHECKING:
    from simulator.analysis.robust import Robustness, Stand

NAMED = 4


def verdict(result: Robustness) -> str:
    """A beats B; no difference is found between A and B."""
    a, b = result.sides
    if not result.verdict:
        return f"no difference is found between {a} and {b}"
    other = b if result.verdict == a else a
    return f"{result.verdict} beats {other}"


def turning(result: Robustness, bar: Stand) -> str:
    """Rookie hours above about 6 hours; or only the name."""
    what = assumption(bar.range.path)
    if bar.turns is None:
        end = bar.range.low if bar.said[0] == FLIPS else bar.range.high
        return f"{what} at {said(end, Quantity(bar.range.unit), result.currency)}"  # type: ignore[arg-type]
    side = "below" if bar.turns < bar.range.value else "above"
    at = said(bar.turns, Quantity(bar.range.unit), result.currency)  # type: ignore[arg-type]
    return f"{what} {side} about {at}"


def headline(result: Robustness) -> str:
    """The verdict, and whether any assumption turns it inside its range."""
    stated = verdict(result)
    stated = stated[0].upper() + stated[1:]
    n, flips, untold = len(result.bars), result.of(FLIPS), result.of(UNTOLD)
    if not flips and not untold:
        return f"{stated}, over the whole range of each of {n} assumptions"
    if not flips:
        return f"{stated}; no range of {n} assumptions turns that, {len(untold)} leave it open"
    part = share(len(flips) / n)
    if len(flips) <= 2:
        return f"{stated}, but not with {' or '.join(turning(result, b) for b in flips)}"
    first = turning(result, flips[0])
    return f"{stated}, but not in the whole range of {len(flips)} assumptions ({part}), as {first}"


def sentences(result: Robustness) -> list[str]:
    """The verdict; whether it stands; what moves it most; how it is known."""
    d, what = result.base.gain, label(result.outcome)
    counted = describe(result.outcome).unit == "count"

    def amount(x: float) -> str:
        return f"{x:,.3g}" if counted else value(x, result.outcome, result.currency)

    of = f" {what.lower()}" if counted else f" of {what}"
    how = ""
    if result.spend is not None:
        yearly = money(result.spend / result.weeks * YEAR, result.currency)
        how = f" at equal spend of {yearly} a year"
    stated = verdict(result)
    first = f"As stated, {stated}{how}: {amount(abs(d.mean))} ± {amount(d.half)}{of}."
    flips, untold, n = result.of(FLIPS), result.of(UNTOLD), len(result.bars)
    found = [first]
    if not flips and not untold:
        found.append(f"That stands over the whole range of each of {n} assumptions.")
    elif not flips:
        found.append(
            f"No range of {n} assumptions turns it around, but at an end of {len(untold)} no "
            f"difference is told any more: {_list(untold)}."
        )
    else:
        turned = [turning(result, b) for b in flips[:NAMED]]
        more = f" and {len(flips) - NAMED} more" if len(flips) > NAMED else ""
        text = (
            f"It flips inside the range of {len(flips)} of {n} assumptions: "
            f"{'; '.join(turned)}{more}."
        )
        if untold:
            text += f" At an end of {len(untold)} more no difference is told."
        found.append(text)
    if result.bars and result.bars[0].swing > 0:
        b = result.bars[0]
        low, high = sorted((b.low.gain.mean, b.high.gain.mean))
        found.append(
            f"It rests most on {assumption(b.range.path)} (range "
            f"{ranged(b.range, result.currency)}, {GRADES.get(b.range.grade, b.range.grade)}): "
            f"the difference goes from {amount(low)} to {amount(high)}."
        )
    still = sum(1 for b in result.bars if b.swing < 0.05 * abs(d.mean))
    if still:
        found.append(f"{still} of the assumptions move it by less than a twentieth of it.")
    found.append(f"({result.runs:,} runs in {result.engine}, seed {result.seed}; {result.reason}.)")
    return found


def _list(bars: list[Stand]) -> str:
    names = [assumption(b.range.path) for b in bars[:NAMED]]
    more = [f"{len(bars) - NAMED} more"] if len(bars) > NAMED else []
    return ", ".join([*names, *more])
