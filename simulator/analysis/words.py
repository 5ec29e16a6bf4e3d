"""Answers in sentences, made from the numbers, as a board reads them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulator.analysis.estimate import Estimate
from simulator.vocabulary import YEAR

if TYPE_CHECKING:
    from simulator.analysis.comparison import Arm, Comparison
    from simulator.analysis.curve import Curve
    from simulator.analysis.paired import Difference
    from simulator.spec.units import Quantity


def money(amount: float, currency: str) -> str:
    """310 kUSD, 2.4 MUSD."""
    size = abs(amount)
    if size >= 999_500_000:
        return f"{amount / 1e9:.3g} B{currency}"
    if size >= 999_500:
        return f"{amount / 1e6:.3g} M{currency}"
    if size >= 999.5:
        return f"{amount / 1e3:.3g} k{currency}"
    return f"{amount:.3g} {currency}"


def said(value: float, kind: Quantity | None, currency: str) -> str:
    """A number of a scenario as people write it."""
    short = float(f"{value:.3g}")
    if kind is None:
        return f"{short:g}"
    if kind.kind == "share":
        return f"{100 * short:g}%"
    if kind.kind in ("money", "money_rate"):
        yearly = kind.kind == "money_rate"
        return money(value * (YEAR if yearly else 1.0), currency) + (" a year" if yearly else "")
    if kind.kind == "rate" and 0 < value < 0.05:
        return f"{value * YEAR:.3g}/year"
    return str(kind.format(short, currency))


def share(x: float, signed: bool = False) -> str:
    """12.3% with a digit after the point below 100%."""
    return f"{100 * x:+.1f}%" if signed else f"{100 * x:.1f}%"


def plus_minus(relative: Estimate) -> str:
    """0.4% ± 0.9%."""
    return f"{100 * relative.mean:.1f}% ± {100 * relative.half:.1f}%"


def count(x: float, thing: str) -> str:
    """1,240 leads; 1 win."""
    n = f"{x:,.0f}" if abs(x) >= 10 or x == round(x) else f"{x:.1f}"
    return f"{n} {thing}" if n == "1" else f"{n} {thing}{'' if thing.endswith('s') else 's'}"


def label(metric: str) -> str:
    """A metric in a sentence."""
    names = {"arr": "ARR", "new_arr": "new ARR", "arr_per_head": "ARR per head", "nrr": "NRR"}
    names |= {name: name.upper() for name in ("grr", "cac", "ltv", "arpa")}
    return names.get(metric, metric.replace("_", " ").replace(".", " of "))


def spoken(name: str) -> str:
    """stage: reason or team, as words."""
    return name.replace("_", " ")


def change(gain: Difference, metric: str, currency: str) -> str:
    """Adds 11.8% ± 1.1% to ARR; when it cannot be told from nothing, says so."""
    from simulator.vocabulary import describe

    size = plus_minus(absolute(gain.relative))
    if not math.isfinite(gain.base) or gain.base == 0:
        unit = describe(metric).unit
        value = (
            money(gain.gain.mean, currency) if unit.startswith("money") else f"{gain.gain.mean:.3g}"
        )
        return f"changes {label(metric)} by {value}"
    if gain.gain.half > 0 and abs(gain.relative.mean) + gain.relative.half < 0.0005:
        return f"changes {label(metric)} by less than 0.1%"
    if gain.gain.low <= 0 <= gain.gain.high:
        return (
            f"changes {label(metric)} by {plus_minus(gain.relative)}, which is no difference found"
        )
    verb = "adds" if gain.gain.mean > 0 else "takes"
    link = "to" if gain.gain.mean > 0 else "off"
    return f"{verb} {size} {link} {label(metric)}"


def absolute(e: Estimate) -> Estimate:
    """An estimate without its sign, for a sentence that says the direction."""
    return Estimate(abs(e.mean), e.half)


def cost_clause(arm: Arm, currency: str) -> str:
    """Costs 310 kUSD a year more."""
    if abs(arm.extra_cost) < 1.0:
        return "costs nothing more"
    word = "more" if arm.extra_cost > 0 else "less"
    return f"costs {money(abs(arm.cost_a_year), currency)} a year {word}"


def ledger_clause(arm: Arm) -> str:
    """1,240 more leads, 31 of them won, 26 wins displaced."""
    assert arm.ledger is not None
    leads, wins = arm.ledger["leads"].total, arm.ledger["wins"].parts
    if "net" in wins:
        return f"{count(leads, 'lead')} and {count(wins['net'], 'win')} more"
    clauses = []
    if abs(leads) >= 0.5:
        more = "more" if leads > 0 else "fewer"
        clauses.append(
            f"{abs(leads):,.0f} {more} leads, {wins.get('extra_leads', 0):,.0f} of them won"
        )
    gained, displaced = wins.get("gained_wins", 0.0), -wins.get("displaced_wins", 0.0)
    if gained >= 0.5:
        clauses.append(f"{gained:,.0f} wins gained among the leads there were")
    if displaced >= 0.5:
        clauses.append(f"{displaced:,.0f} wins displaced")
    return ", ".join(clauses)


def absorbed_clause(arm: Arm) -> str:
    """71% of what was absorbed ended in a queue at technical proof."""
    if arm.absorption is None or arm.gain is None:
        return ""
    a = arm.absorption
    gap = a.straight_line - a.actual
    if a.straight_line <= 0 or gap <= 0.1 * a.straight_line:
        return ""
    worst = a.worst()
    if worst is None:
        return ""
    of_line = 100 * gap / a.straight_line
    whys = [f"{100 * part:.0f}% of it to {absorber(name)}" for name, part in a.largest(2)]
    return (
        f"{min(of_line, 999):.0f}% of the wins that a straight line promises are missing, "
        f"{' and '.join(whys)}"
    )


def absorber(name: str) -> str:
    """A part of an absorption, as words."""
    if name == "saturation":
        return "channels that sell fewer leads for each further dollar"
    stage, _, reason = name.partition(": ")
    return f"{spoken(stage)} ({spoken(reason)})"


def arm_sentence(arm: Arm, metric: str, currency: str) -> str:
    """One variant against today."""
    assert arm.gain is not None
    text = f"{arm.name} {cost_clause(arm, currency)} and {change(arm.gain, metric, currency)}"
    ledger = ledger_clause(arm)
    text += f": {ledger}" if ledger else ""
    absorbed = absorbed_clause(arm)
    return f"{text}; {absorbed}." if absorbed and arm.role == "push" else f"{text}."


def comparison_sentences(result: Comparison) -> list[str]:
    """The variants as written, then the contest at equal spend, then how sure this is."""
    currency = result.today.system.scenario.currency
    found = [arm_sentence(a, result.outcome, currency) for a in result.written()]
    found.append(_contest(result, currency))
    busiest = _busiest(result)
    if busiest:
        found.append(busiest)
    found.append(how_known(result.replications, result.engine, result.seed, result.reason))
    return found


def _contest(result: Comparison, currency: str) -> str:
    v = result.verdict
    at = ""
    if result.spend is not None:
        yearly = result.spend / result.today.system.horizon * (365.25 / 7)
        at = f"At equal spend, {money(yearly, currency)} a year each, "
    what = label(result.outcome)
    equal = {a.name: a for a in result.equal()}
    if v.push is not None and v.fix is not None and v.contrast is not None:
        gap = v.contrast.gain
        base = abs(result.today.metrics[result.outcome].mean)
        if base == 0:
            return sentence(
                f"{at}nothing can be said of {v.push} against {v.fix}: today's {what} is 0, and "
                "there is nothing to compare with."
            )
        relative = plus_minus(Estimate(abs(gap.mean) / base, gap.half / base))
        if v.code == "fix_wins":
            text = f"{v.fix} beats {v.push} by {relative} of today's {what}: fix the constraint."
        elif v.code == "push_wins":
            text = f"{v.push} beats {v.fix} by {relative} of today's {what}: pushing is right here."
        else:
            text = (
                f"no difference found between {v.push} and {v.fix} that would pay "
                f"({relative} of today's {what})."
            )
        return sentence(at + text)
    if v.code == "no_difference_found":
        arm = max(equal.values(), key=lambda a: a.gain.gain.mean if a.gain else 0.0)
        assert arm.gain is not None
        return (
            f"No difference found: {arm.name} changes {what} by {plus_minus(arm.gain.relative)}. "
            "`growthsim constraint` says what would."
        )
    if v.code == "loss_found":
        return f"No variant adds to {what}; the least bad loses."
    if v.code == "push_wins":
        return sentence(f"{at}{v.best} adds to {what}: pushing is right here.")
    return sentence(f"{at}{v.best} adds the most to {what}.")


def sentence(text: str) -> str:
    """A text with a capital."""
    return text[0].upper() + text[1:]


def _busiest(result: Comparison) -> str:
    used = {k: v.mean for k, v in result.today.metrics.items() if k.startswith("utilisation.")}
    if not used:
        return ""
    name = max(used, key=lambda k: used[k])
    team = spoken(name.split(".", 1)[1])
    parts = [f"{100 * used[name]:.0f}% today"]
    parts += [f"{100 * a.metrics[name].mean:.0f}% under {a.name}" for a in result.written()]
    return f"The busiest team today is {team}: {', '.join(parts)} of its paid hours."


def curve_sentences(result: Curve) -> list[str]:
    """What more effort brings, where it stops paying, and what takes the rest."""
    from simulator.analysis.constraint import yearly

    last, k = result.points[-1], result.knee
    what, effort = label(result.outcome), spoken(result.path.replace("*", "all"))
    assert last.gain is not None
    cost = money(yearly(last.extra_cost, result.weeks), result.currency)
    found = [
        (
            f"At {last.effort:.3g} times today's {effort}, which costs {cost} a year more, {what} "
            f"changes by {plus_minus(last.gain.relative)}."
        )
    ]
    gap, promised = last.straight - last.output.mean, last.straight - result.points[0].output.mean
    first = result.points[1].gain
    if promised > 0 and gap > 0.02 * promised and first is not None and first.gain.low > 0:
        found.append(
            "The first step's yield, kept up, would have brought "
            f"{share(promised / abs(last.gain.base))}: "
            f"{100 * gap / promised:.0f}% of that is missing."
        )
    if k.where == "inside":
        found.append(
            f"One more dollar stops paying at {k.effort:.2f} times today's effort "
            f"({k.low:.2f} to {k.high:.2f})."
        )
    elif k.where == "before":
        found.append(
            "No further dollar pays: the marginal return is below its cost from the start."
        )
    elif k.where == "beyond":
        found.append(f"Pushing still pays at {last.effort:.3g} times today's effort.")
    if last.absorption is not None and (parts := last.absorption.largest(2)):
        whys = [f"{100 * part:.0f}% went to {absorber(name)}" for name, part in parts]
        found.append(
            "Of the wins that all that effort would have brought at today's average yield, and did "
            f"not, {' and '.join(whys)}."
        )
    found.append(how_known(result.replications, result.engine, result.seed, result.reason))
    return found


def how_known(n: int, engine: str, seed: int, reason: str) -> str:
    """By how many runs of what an answer is known."""
    how = f"95% intervals over {n} paired replications" if n > 1 else "one deterministic run each"
    return f"({how}; engine {engine}, seed {seed}; {reason}.)"
