"""A fitted scenario as files that a person can read: today, a push and a fix."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from simulator.errors import DataError
from simulator.fit.estimate import Estimates
from simulator.fit.plan import (
    BUSIEST,
    CHURN,
    DEALS_VALUE,
    HOURS,
    ChannelPlan,
    Plan,
    StagePlan,
    extra_push_cost,
    make_plan,
)
from simulator.fit.read import History
from simulator.fit.tables import Finding
from simulator.spec.book import Assumption
from simulator.spec.units import Quantity

MARK = "# Fitted by growthsim fit"


def write_scenario(
    out: str | Path,
    history: History,
    estimates: Estimates,
    *,
    horizon: str,
    push: float = 1.5,
    currency: str = "USD",
    name: str = "Today",
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Write today.yaml (or ``out``), push-harder.yaml and fix.yaml; the files, and notes.

    A scenario fitted before is replaced, and kept as today.yaml.before; variants already there
    are kept, and named in the notes.
    Raises DataError where another file is in the way.
    """
    check_options(horizon, push, currency)
    out = Path(out)
    today = out if out.suffix in (".yaml", ".yml") else out / "today.yaml"
    plan = make_plan(estimates)
    text = today_text(history, estimates, plan, horizon=horizon, currency=currency, name=name)
    variants = {
        "push-harder.yaml": push_text(today.name, estimates, plan, push, currency),
        "fix.yaml": fix_text(today.name, estimates, plan, push, currency),
    }
    files, notes = keep_or_write(today, text, variants, MARK)
    if currency != "USD":
        notes.append(
            f"Costs from the book are US dollars, taken at par as {currency}: replace them."
        )
    return tuple(files), tuple(notes)


def keep_or_write(
    today: Path, text: str, variants: Mapping[str, str], mark: str
) -> tuple[list[Path], list[str]]:
    """Write today's scenario and the variants that are not there yet; the files, and notes.

    Raises DataError where a file that fit did not write is in the way, or nothing can be written.
    """
    notes: list[str] = []
    try:
        before = today.read_text(encoding="utf-8") if today.exists() else text
        if not before.startswith(mark):
            raise DataError(f"{today}: is there already and was not written by fit. Move it away")
        if before != text:
            kept = today.with_name(today.name + ".before")
            kept.write_text(before, encoding="utf-8")
            notes.append(f"{today} was there already; what it said is kept in {kept.name}.")
        today.parent.mkdir(parents=True, exist_ok=True)
        today.write_text(text, encoding="utf-8")
        files = [today]
        for file, content in variants.items():
            path = today.parent / file
            if path.exists():
                notes.append(f"{path} was there already and is kept as it is.")
                continue
            path.write_text(content, encoding="utf-8")
            files.append(path)
    except OSError as err:
        raise DataError(f"{err.filename}: cannot be written: {err.strerror}") from None
    return files, notes


def check_options(horizon: str, push: float, currency: str) -> None:
    """Raise DataError where an option of the scenario to write makes no sense."""
    try:
        weeks = Quantity("weeks").parse(horizon)
    except ValueError as err:
        raise DataError(f"horizon: {err}") from None
    if not weeks > 0:
        raise DataError(f"horizon: {horizon!r} is not above 0. Write e.g. '104 weeks'")
    if not 1 < push <= 100:
        raise DataError(f"push: {push} does not push. Give a factor above 1, e.g. 1.5")
    if not re.fullmatch("[A-Z]{3}", currency):
        raise DataError(f"currency: {currency!r} is not a code of three capitals, e.g. USD")


def g(x: float, digits: int = 4) -> str:
    """A number with so many significant digits, never in powers of ten."""
    if x == 0 or not math.isfinite(x):
        return "0"
    places = max(digits - 1 - math.floor(math.log10(abs(x))), 0)
    text = f"{x:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _pct(x: float, digits: int = 4) -> str:
    return g(100 * x, digits) + "%"


def _data(value: str, se: str, source: str, low: str = "", high: str = "") -> str:
    bounds = f"low: {low}, high: {high}, " if low else ""
    return f"{{value: {value}, se: {se}, {bounds}grade: A, source: 'data: {source}'}}"


def _book(a: Assumption, form: str = "{}", source: str = "") -> str:
    low, high = form.format(a.low), form.format(a.high)
    text = f"book: {source or a.source}".replace("'", "''")
    return (
        f"{{value: {form.format(a.value)}, low: {low}, high: {high}, "
        f"grade: {a.grade}, source: '{text}'}}"
    )


def today_text(
    history: History,
    estimates: Estimates,
    plan: Plan,
    *,
    horizon: str,
    currency: str,
    name: str,
) -> str:
    """The scenario as it is today."""
    d = estimates.delay
    start = history.end + dt.timedelta(days=1)
    warm = max(4, min(26, math.ceil(3 * d.scenario_mean / 7)))
    lines = [
        (
            f"{MARK} to {len(history.arrived):,} leads and {history.wins:,} wins,"
            f" {history.start} to {history.end}."
        ),
        "# Numbers whose source is `data` come from the data (se: standard error). Those from the",
        "# `book` the data cannot say: spend, costs, hours, patience, churn. Look at these first.",
        *_comments(history, estimates),
        f"name: {_quoted(name)}",
        "role: today",
        f"horizon: {horizon}",
        f"warm_up: {warm} weeks  # three times the mean delay, so that the pipeline is full",
        f"start: {start.isoformat()}  # the day after the data end",
        f"currency: {currency}",
        *_value(estimates, currency),
        "",
        *_channels(estimates, plan, currency),
        "",
        *_teams(plan, currency),
        *_stages(estimates, plan),
        "",
        "customers:",
        "  start: 0  # the data hold no customers from before: ARR counts those won from here",
        f"  churn: {_book(CHURN)}",
    ]
    return "\n".join(lines) + "\n"


def _comments(history: History, e: Estimates) -> list[str]:
    d = e.delay
    lines = [
        (
            f"# Days to won: {d.law} law by likelihood, with cure: {_pct(e.overall.value, 3)} of"
            f" leads ever won (so far {_pct(history.wins / len(history.arrived), 3)})."
        ),
        (
            f"# Median {g(d.median.value, 3)} days (se {g(d.median.se, 2)}); the mean of the"
            f" closed, {g(d.closed_mean, 3)} days, is not used."
        ),
        (
            f"# Weekly leads vary {g(e.arrivals.dispersion, 2)} times as much as chance;"
            f" trend {100 * e.arrivals.trend:+.1f}% a week (se {100 * e.arrivals.trend_se:.1f}),"
            " not carried on."
        ),
    ]
    models = ", ".join(f"{law}/{drift} {w:.0%}" for law, drift, w in d.weights[:4])
    lines.append(f"# Models (law/drift, weight): {models}. Today's pace and odds are held.")
    lines += [f"# Read: {' '.join(str(_short(f)).split())}" for f in history.findings]
    return lines


def _short(f: Finding) -> Finding:
    return replace(f, file=Path(f.file).name)


def _quoted(text: str) -> str:
    return "'" + " ".join(text.split()).replace("'", "''") + "'"


def _value(e: Estimates, currency: str) -> list[str]:
    if e.value is None:
        return [f"value: {{mean: {_book(DEALS_VALUE, '{} ' + currency)}}}"]
    unit = f" {currency}"
    mean = _data(g(e.value.value) + unit, g(e.value.se, 2) + unit, f"{e.value_n} deals")
    return ["value:", f"  mean: {mean}", f"  cv: {g(min(e.value_cv, 20), 3)}  # data"]


def _channels(e: Estimates, plan: Plan, currency: str) -> list[str]:
    lines = [
        (
            "# Conversion by channel is `good_fit`: hidden fit with two levels,"
            f" {_pct(plan.good, 3)} of good-fit and {_pct(plan.poor, 3)} of"
        ),
        "# poor-fit leads won in the end. The levels are a convention; the product is the data's.",
        "channels:",
    ]
    for c, p in zip(e.channels, plan.channels, strict=True):
        if c.per_week == 0:
            lines.append(f"  # {c.name}: left out, no lead in the last {e.arrivals.weeks} weeks")
            continue
        lines += [f"  {c.name}:", *_channel(c.per_week, c.per_week_se, p, e, currency)]
        n = c.conversion
        at = [(x - plan.poor) / (plan.good - plan.poor) for x in (n.low, n.high)]
        low, high = (_pct(min(max(x, 0.0), 1.0), 3) for x in at)
        fit = _data(
            _pct(p.good_fit, 5),
            _pct(n.se / (plan.good - plan.poor), 2),
            f"{c.wins} won so far of {c.leads} leads, {_pct(n.value, 3)} in the end"
            f" (se {_pct(n.se, 2)})",
            low,
            high,
        )
        lines.append(f"    good_fit: {fit}")
    return lines


def _channel(rate: float, se: float, plan: ChannelPlan, e: Estimates, currency: str) -> list[str]:
    now = _data(f"{g(rate)}/week", f"{g(se, 2)}/week", f"last {e.arrivals.weeks} weeks")
    return [
        f"    leads: {{now: {now}}}",
        f"    cost_per_lead: {_book(plan.cost, '{} ' + currency)}",
    ]


def _teams(plan: Plan, currency: str) -> list[str]:
    staffed = [s for s in plan.stages if s.role is not None and s.work is not None]
    if not staffed:
        return [
            "# The deals name nobody, so no team and no limit is modelled: pushing looks better",
            "# than it is. Name the columns of people to fit teams.",
            "teams: {}",
            "",
        ]
    lines = [
        "# Heads: people with a win in the last four weeks. Hours of work are not in the data, and",
        "# the leads may be a sample of all their work. So efforts are the book's, all times one",
        (
            f"# factor ({g(plan.scale, 3)}), such that the busiest team is at"
            f" {_pct(float(BUSIEST.value))} (grade D, {_pct(float(BUSIEST.low or 0))} to"
            f" {_pct(float(BUSIEST.high or 0))})."
        ),
        "# This is the assumption that matters most here: measure it.",
        "teams:",
    ]
    for s in staffed:
        role, work = s.role, s.work
        assert role is not None
        assert work is not None
        source = (
            f"{role.ever} people in all; {g(role.load, 3)} wins a person a week"
            f" (se {g(role.load_se, 2)}); {g(role.per_week, 3)} active in a week"
        )
        lines += [
            f"  {s.team}:  # busy {_pct(s.load, 2)} of the hours, as assumed",
            f"    headcount: {{value: {role.people}, grade: A, source: 'data: {source}'}}",
            f"    hours: {_book(HOURS)}",
            f"    cost: {_book(work.cost, '{} ' + currency + '/year')}",
            f"    ramp: {_book(work.ramp)}",
        ]
    return [*lines, ""]


def _stages(e: Estimates, plan: Plan) -> list[str]:
    d = e.delay
    lines = [
        "# The data see a lead arrive and be won, not the stages between: the odds of all stages",
        "# multiply to the data's; the split is the book's (a quarter of opportunities won).",
        "stages:",
    ]
    for s in plan.stages:
        lines += [f"  {s.name}:", *_stage(s)]
    lines += [
        (
            f"    # data: median {g(d.scenario_median, 3)} days from lead to won, less"
            f" {g(plan.work_days, 2)} for work and waiting"
        ),
        (
            f"    buyer_time: {{mean: {_data(g(plan.buyer_mean) + ' days', _se(e, plan), d.law)},"
            f" cv: {g(plan.buyer_cv)}, law: {d.scenario.name}}}"
        ),
    ]
    return lines


def _stage(s: StagePlan) -> list[str]:
    odds = f"    advance: {{good_fit: {_pct(s.good, 6)}, poor_fit: {_pct(s.poor, 6)}}}"
    if s.role is None or s.work is None:
        return [odds]
    a = Assumption(g(s.effort, 3), g(s.effort / 2, 3), g(s.effort * 2, 3), "D", "")
    source = f"{s.work.effort_source}, times the factor of teams"
    return [
        f"    team: {s.team}",
        f"    effort: {{mean: {_book(a, '{} h', source)}}}",
        f"    patience: {{mean: {_book(s.patience)}}}",
        odds,
    ]


def _se(e: Estimates, plan: Plan) -> str:
    relative = e.delay.median.se / e.delay.median.value
    return g(plan.buyer_mean * relative, 2) + " days"


def push_text(base: str, e: Estimates, plan: Plan, factor: float, currency: str) -> str:
    """The variant that buys more leads."""
    cost = extra_push_cost(e, plan, factor)
    more = factor - 1
    return (
        "# A starting point: change what, when and by how much you would really push.\n"
        f"# Costs about {g(cost / 1000, 3)} k{currency} a year more, at the book's costs of a lead."
        " Leads grow by less\n# than spend: saturation, from the book too.\n"
        f"extends: {base}\nname: Push harder\nrole: push\n"
        f"story: Spend on every channel up by {_pct(more, 3)}.\n"
        "levers:\n"
        f"  - {{at: week 4, scale: channels.*.spend, by: {g(factor)}, over: 4 weeks}}\n"
    )


def fix_text(base: str, e: Estimates, plan: Plan, factor: float, currency: str) -> str:
    """The variant that relieves the busiest role, or the odds where no people are known."""
    push = extra_push_cost(e, plan, factor)
    head = "# A starting point: put here what would really relieve the constraint.\n"
    busiest = plan.busiest
    if busiest is None or busiest.work is None:
        cost = g(push, 3)
        stage = plan.stages[-1].name
        return (
            head
            + "# No people are known. This asks what a tenth more wins from the same leads would\n"
            "# be worth at the push's cost; whether that buys them is yours to say (grade D).\n"
            f"extends: {base}\nname: Fix the odds\nrole: fix\n"
            "story: A tenth more of the leads won, for what the push costs.\n"
            "levers:\n"
            f"  - {{at: week 4, scale: stages.{stage}.advance.*, by: 1.1,"
            f" cost: {cost} {currency}/year}}\n"
        )
    person = float(busiest.work.cost.value)
    note = (
        f"# One person costs {g(person / 1000, 3)} k{currency} a year, the push about"
        f" {g(push / 1000, 3)}.\n"
    )
    if person > push:
        note += "# That is more than the push: `compare` puts both at equal spend.\n"
    return (
        head
        + f"# {busiest.team} is the busiest role: {_pct(busiest.load, 2)}, by the data's heads and"
        " the book's hours.\n" + note + f"extends: {base}\nname: Fix the constraint\nrole: fix\n"
        f"story: One person more in {busiest.team}, the busiest role.\n"
        "levers:\n"
        f"  - {{at: week 4, add: teams.{busiest.team}.headcount, by: 1}}\n"
    )
