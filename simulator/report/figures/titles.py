"""The message of each figure, made from its numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.words import label, money, plus_minus, share, spoken
from simulator.report.figures.facts import few, main_arms, part_name, pushed_arm
from simulator.report.figures.style import amount, number, percent, short

if TYPE_CHECKING:
    from simulator.analysis.comparison import Arm, Comparison
    from simulator.analysis.constraint import Candidate, Constraint
    from simulator.analysis.curve import Curve
    from simulator.analysis.paired import Difference

NAME = 38  # letters of a name in a title


def rise(gain: Difference, what: str = "") -> str:
    """Adds 1.8% ± 0.8% to ARR; takes 2.0% ± 0.3% off; no difference found (0.4% ± 0.9%)."""
    relative = gain.relative
    if not math.isfinite(relative.mean):
        mean = gain.gain.mean
        return f"changes it by {mean:.3g}" if math.isfinite(mean) else "has no known effect"
    if not math.isfinite(relative.half):
        return f"changes it by {percent(relative.mean)} in a single run"
    if gain.gain.low <= 0 <= gain.gain.high:
        to = f" to {what}" if what else ""
        size = f"{percent(relative.mean)} ± {share(relative.half)}"
        return f"makes no difference found{to} ({size})"
    verb, link = ("adds", "to") if relative.mean > 0 else ("takes", "off")
    to = f" {link} {what}" if what else ""
    return f"{verb} {share(abs(relative.mean))} ± {share(relative.half)}{to}"


def _price(arm: Arm, currency: str) -> str:
    if abs(arm.extra_cost) < 1.0:
        return "at no cost"
    if arm.extra_cost < 0:
        return f"and saves {money(-arm.cost_a_year, currency)} a year"
    return f"for {money(arm.cost_a_year, currency)} a year"


def _currency(result: Comparison) -> str:
    return result.today.system.scenario.currency


def absorption_title(result: Comparison) -> str:
    """How many wins a straight line promised, how many came, and what took most of the gap."""
    arm = pushed_arm(result)
    if arm is None or arm.absorption is None:
        return "No variant pushes"
    a, name = arm.absorption, short(arm.name, NAME)
    gap, worst = a.straight_line - a.actual, a.worst()
    if not math.isfinite(gap):
        return f"{name}: its effect on wins is not known"
    if a.straight_line < 0.5:
        return f"{name} changes wins by {number(a.actual)}; it does not push any channel"
    came = (
        f"{name}: {number(a.actual)} wins where a straight line promises {number(a.straight_line)}"
    )
    if gap <= 0.1 * a.straight_line or worst is None:
        return f"{came}: nothing much is lost on the way"
    where, part = worst
    if where == "saturation":
        why = "to channels that sell fewer leads for each further dollar"
    else:
        stage, _, reason = where.partition(": ")
        why = f"at {spoken(stage)} ({spoken(reason)})" if reason else f"to {part_name(where)}"
    return f"{came}; {100 * part:.0f}% of what is missing went {why}"


def arr_title(result: Comparison) -> str:
    """What each of the main variants adds, and for how much."""
    currency = _currency(result)
    arms = main_arms(result)
    if not arms:
        return f"ARR today: {amount(float(result.today.bands[-1, 0]), currency)}"
    what = label(result.outcome)
    if result.outcome == "arr":
        best = sorted(arms, key=lambda a: -(a.gain.gain.mean if a.gain else 0.0))
        said = [
            f"{short(a.name, NAME)} {rise(a.gain, '' if i else what)} {_price(a, currency)}"
            for i, a in enumerate(best)
            if a.gain is not None
        ]
        return "; ".join(said)
    ends = [f"{amount(float(a.bands[-1, 0]), currency)} under {short(a.name, NAME)}" for a in arms]
    today = amount(float(result.today.bands[-1, 0]), currency)
    return f"ARR by week {result.today.system.horizon:g}: {today} today, {', '.join(ends)}"


def heat_title(result: Comparison) -> str:
    """Who is busiest today, and what becomes of them."""
    teams = result.today.system.team_names
    used = {t: _busy(result.today, m) for m, t in enumerate(teams)}
    known = [t for t in teams if math.isfinite(used[t])]
    if not known:
        return "No team works in this system"
    team = max(known, key=lambda t: used[t])
    row = teams.index(team)
    said = [f"{percent(used[team], False, 0)} of its hours today"]
    said += [
        f"{percent(_busy(a, row), False, 0)} under {short(a.name, NAME)}"
        for a in main_arms(result)
        if math.isfinite(_busy(a, row))
    ]
    return f"The busiest team, {short(spoken(team), NAME)}, is at {few(said)}"


def _busy(arm: Arm, team: int) -> float:
    """Hours worked over hours paid in the whole run."""
    name = arm.system.team_names[team]
    found = arm.metrics.get(f"utilisation.{name}")
    return math.nan if found is None else found.mean


def ledger_title(result: Comparison) -> str:
    """What the push brought and what it displaced; what the fix gained."""
    currency = _currency(result)
    said = []
    for arm in main_arms(result):
        if arm.ledger is None or "arr" not in arm.ledger:
            continue
        book = arm.ledger["arr"]
        name, total = short(arm.name, NAME), amount(book.total, currency, signed=True)
        extra = book.parts.get("extra_leads", 0.0)
        taken = book.parts.get("displaced_wins", 0.0)
        gained = book.parts.get("gained_wins", 0.0)
        most = max([0.0, *map(abs, book.parts.values())])
        if extra >= 0.1 * most > 0 and -taken > 0.1 * extra:
            said.append(
                f"{name}: displaced wins take back {-taken / extra:.0%} of what extra leads bring"
            )
        elif extra > abs(gained):
            said.append(f"{name}: {total} of ARR, from extra leads")
        elif gained > 0:
            said.append(f"{name}: {total}, from leads there were")
        else:
            said.append(f"{name}: {total} of ARR")
    return "; ".join(said) or "No ledger"


def equal_title(result: Comparison) -> str:
    """Who wins at equal spend."""
    v, currency, what = result.verdict, _currency(result), label(result.outcome)
    at = ""
    if result.spend is not None:
        a_year = result.today.system.horizon / (365.25 / 7)
        at = f"At equal spend, {money(result.spend / a_year, currency)} a year each, "
    base = result.today.metrics.get(result.outcome)
    if v.push and v.fix and v.contrast is not None and base is not None and base.mean:
        gap = v.contrast.gain
        push, fix = short(v.push, NAME), short(v.fix, NAME)
        size = f"{share(abs(gap.mean / base.mean))} ± {share(abs(gap.half / base.mean))}"
        if v.code == "fix_wins":
            text = f"{fix} beats {push} by {size} of today's {what}"
        elif v.code == "push_wins":
            text = f"{push} beats {fix} by {size} of today's {what}"
        else:
            text = (
                f"no difference that would pay is found between {push} and {fix} ({size} of {what})"
            )
    elif v.code == "no_difference_found":
        text = f"no variant changes {what} beyond chance"
    elif v.code == "loss_found":
        text = f"no variant adds to {what}"
    else:
        text = f"{short(v.best or 'one variant', NAME)} adds the most to {what}"
    text = at + text
    return text[0].upper() + text[1:]


def effort_name(path: str) -> str:
    """A lever's path as effort in words."""
    words = path.split(".")
    if words[0] == "channels" and words[-1] == "spend":
        who = "all channels" if words[1] == "*" else spoken(words[1])
        return f"spend on {who}"
    return spoken(".".join(words).replace("*", "all")).replace(".", " ")


def curve_title(result: Curve) -> str:
    """Where pushing stops paying, and what it brings at the end."""
    last, k = result.points[-1], result.knee
    what, effort = label(result.outcome), short(effort_name(result.path), NAME)
    promised = last.straight - result.points[0].output.mean
    came = last.output.mean - result.points[0].output.mean
    if not (math.isfinite(came) and math.isfinite(promised)):
        return f"What more {effort} brings is not known"
    brings = "brings no difference found"
    if last.gain is not None:
        gain = last.gain.relative
        if not math.isfinite(gain.mean):
            brings = f"changes {what} by {came:.3g}"
        elif not last.gain.gain.low <= 0 <= last.gain.gain.high:
            brings = f"{'adds' if came > 0 else 'takes'} {plus_minus_abs(last.gain)}"
            brings += f" {'to' if came > 0 else 'off'} {what}"
        else:
            brings = f"makes no difference found to {what} ({plus_minus(gain)})"
    at_most = f"{last.effort:.3g} times the {effort} {brings}"
    if k.where == "inside":
        return f"{at_most}; one more dollar stops paying at {k.effort:.2g} times"
    if k.where == "before":
        return f"{at_most}; not even the first dollar more pays"
    if k.where == "beyond":
        return f"{at_most}, and pushing still pays there"
    return f"{at_most}, at no extra cost"


def plus_minus_abs(gain: Difference) -> str:
    """11.8% ± 1.1%, without its sign."""
    return f"{share(abs(gain.relative.mean))} ± {share(gain.relative.half)}"


def relief_name(name: str) -> str:
    """A relief's path in words, without what it begins with."""
    first, _, rest = name.partition(".")
    known = ("teams", "channels", "buyer", "handoffs")
    said = rest if first in known and rest else name
    said = said.replace("->", " to ").replace(">", " to ")
    if first == "handoffs":
        said = said.removesuffix(".accepted").removesuffix(".delay")
    return " ".join(spoken(said).replace(".", " ").split())


def relief_label(name: str, kind: str, what: str) -> str:
    """A relief on one line: whose, and what; of the buyer's conditions what says it all."""
    return what if kind == "buyer" else f"{relief_name(name)}: {what}"


def constraint_name(best: Candidate) -> str:
    """Whose relief it is: a team, a handoff, a channel, or the buyer."""
    name = short(relief_name(best.relief.name), NAME)
    kinds = {"buyer": "the buyer", "market": f"leads from {name}", "handoff": f"handoff {name}"}
    return kinds.get(best.relief.kind, name)


def relief_title(result: Constraint) -> str:
    """The constraint, and who cannot be told from it."""
    best, what = result.best, label(result.outcome)
    if best is None:
        return f"No small relief adds to {what} beyond chance: no constraint is found"
    r = best.relief
    half = best.high - best.per_dollar
    size = f"{best.per_dollar:.2f}"
    if math.isfinite(half) and half > 0:
        size += f" ± {half:.2f}"
    name = f"{constraint_name(best)}: {short(r.what, NAME)}"
    per = f"brings {size} {result.currency} of {what} per {result.currency} spent"
    tied = [c for c in result.candidates if c is not best and c.tied and c.per_dollar > 0]
    if not tied:
        return f"The constraint is {name} {per}"
    also = (
        short(relief_name(tied[0].relief.name), NAME) if len(tied) == 1 else f"{len(tied)} others"
    )
    return f"The constraint is {name} {per}; no telling it from {also}"


def constraint_heat_title(result: Constraint) -> str:
    """Who is busiest, and whether that is the constraint."""
    teams = sorted(result.teams(), key=lambda t: -t["utilisation"])
    if not teams:
        return "No team limits this system"
    name, best = str(teams[0]["team"]), result.best
    used = f"{teams[0]['utilisation']:.0%} of its paid hours"
    said = f"The busiest team is {short(spoken(name), NAME)}, at {used}"
    if best is None:
        return f"{said}; more of it adds nothing beyond chance"
    if best.relief.name == f"teams.{name}":
        return f"{said}, and it is the constraint"
    return f"{said}, but the constraint is {constraint_name(best)}"


def queues_title(result: Constraint) -> str:
    """Where most leads wait, and whether ever more do."""
    mean = result.waiting.mean(axis=0)
    if not len(mean) or not np.isfinite(mean).all() or mean.max() <= 0:
        return "Nothing waits: no queue forms in this system"
    i = int(np.argmax(mean))
    queue, stage = result.waiting[:, i], short(spoken(result.system.stage_names[i]), NAME)
    weeks = result.system.grid
    slope = float(np.polyfit(weeks, queue, 1)[0]) * 13 if len(weeks) > 2 else 0.0
    said = f"The longest queue, at {stage}, holds {number(float(mean[i]), False)} leads on average"
    if slope * len(weeks) / 13 > 0.5 * float(mean[i]):
        return f"{said} and grows by {number(slope, False)} each quarter"
    if slope * len(weeks) / 13 < -0.5 * float(mean[i]):
        return f"{said} and is shrinking"
    return f"{said} and is not growing"


def source(result: Comparison | Curve | Constraint) -> str:
    """Where the numbers come from: study, engine, seed, replications, intervals, version."""
    from simulator import __version__

    stated = getattr(result, "source", None)  # of what is not a run of a scenario
    if isinstance(stated, str):
        return f"{stated} · growthsim {__version__}"
    n = result.replications
    how = f"{n} paired replications, 95% intervals" if n > 1 else "one run each, no intervals"
    return (
        f"{short(result.name, 30)} · engine {result.engine}, seed {result.seed} · {how} · "
        f"growthsim {__version__}"
    )
