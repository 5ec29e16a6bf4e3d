"""A fitted queue as scenario files that a person can read: today, a push and a fix."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

import numpy as np

from simulator.fit.queues.agents import SLOTS
from simulator.fit.queues.calls import Calls, Floats
from simulator.fit.queues.estimate import QueueEstimates
from simulator.fit.queues.model import Queue, whole
from simulator.fit.write import MARK, g, keep_or_write
from simulator.spec.patterns import DAYS

PUSH: Final = 1.2
A_CALL: Final = 10
COST: Final = (
    "{value: 252 kUSD/year, low: 126 kUSD/year, high: 420 kUSD/year, grade: D, source: "
    "'assumed: 60 k a year for 40 h/week, times 4.2 for a seat taken around the clock'}"
)


def write_queue(
    out: str | Path, calls: Calls, e: QueueEstimates, *, name: str = "Today"
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Write today.yaml (or ``out``), push-harder.yaml and fix.yaml; the files, and notes.

    A scenario fitted before is replaced, and kept as today.yaml.before; variants already there
    are kept, and named in the notes. Raises DataError where another file is in the way.
    """
    out = Path(out)
    today = out if out.suffix in (".yaml", ".yml") else out / "today.yaml"
    text = today_text(calls, e, name)
    variants = {
        "push-harder.yaml": _push(today.name, float(e.rates.mean.sum())),
        "fix.yaml": _fix(today.name),
    }
    files, notes = keep_or_write(today, text, variants, MARK)
    return tuple(files), tuple(notes)


def _quoted(text: str) -> str:
    return "'" + " ".join(text.split()).replace("'", "''") + "'"


def _graded(value: str, se: str, source: str) -> str:
    return f"{{value: {value}, se: {se}, grade: A, source: 'data: {source}'}}"


def today_text(calls: Calls, e: QueueEstimates, name: str) -> str:
    """The scenario of two weeks after the log."""
    end = calls.origin.date() + dt.timedelta(days=calls.days)
    start = end + dt.timedelta(days=-end.weekday() % 7)  # a Monday
    u = e.unseen
    week = e.queue(start, e.rates.mean, whole(e.shifts))
    total = float(e.rates.mean.sum())
    se = float(np.sqrt((e.rates.mean.sum(axis=1) * e.rates.day_cv) ** 2).sum() / 7**0.5)
    lines = [
        f"{MARK} to {len(calls):,} calls, {calls.origin.date()} to {end - dt.timedelta(days=1)}.",
        "# Numbers whose source is `data` come from the data (se: standard error). The people's",
        "# cost and the worth of a call the data cannot say.",
        (
            f"# A call keeps a person for its talk and {g(e.agents.wrap.value, 3)} s after it (se "
            f"{g(e.agents.wrap.se, 2)}); beyond that people are"
        ),
        (
            f"# away for {100 * u.away.value:.1f}% of their time (se {100 * u.away.se:.1f}"
            f"{'' if u.away_told else '; not told by the data'}): both are in `effort`."
        ),
        *[f"# {n}" for n in e.notes],
        f"name: {_quoted(name)}",
        "role: today",
        "outcome: wins  # calls answered",
        "horizon: 2 weeks",
        f"start: {start.isoformat()}  # a Monday after the data end",
        "",
        "channels:",
        "  calls:",
        f"    leads: {{now: {_graded(g(total) + '/week', g(se, 2) + '/week', _days(calls))}}}",
        "",
        "teams:",
        "  agents:",
        "    headcount: 1  # see patterns: who is on shift",
        "    hours: 168 h/week  # of somebody on shift all week",
        f"    cost: {COST}",
        "    ramp: 0 weeks",
        "    hiring_lead: 0 weeks",
        "    function: customer",
        "",
        *_stages(week, e),
        "",
        *_patterns(week, total),
    ]
    return "\n".join(lines) + "\n"


def _days(calls: Calls) -> str:
    return f"{calls.days} days"


def _stages(queue: Queue, e: QueueEstimates) -> list[str]:
    lines = ["stages:"]
    if len(queue.work) > 1:
        shares = ", ".join(f"{w.name}: {g(w.share, 6)}" for w in queue.work[:-1])
        # the shares add up to 1 whatever was rounded
        rest = 1.0 - sum(float(g(w.share, 6)) for w in queue.work[:-1])
        lines += ["  answer:", f"    next: {{{shares}, {queue.work[-1].name}: {rest:.8f}}}"]
    for work, kind in zip(queue.work, e.kinds, strict=True):
        mean, cv = queue.handle(work)
        relative = kind.talk.se / max(kind.talk.value, 1e-9)
        value = _graded(
            f"{g(mean / 60)} min",
            f"{g(mean / 60 * relative, 2)} min",
            f"{g(kind.talk.value, 3)} s of talk, {kind.calls} calls",
        )
        lines += [
            f"  {work.name}:",
            "    team: agents",
            f"    effort: {{mean: {value}, cv: {g(cv)}, law: {work.law}}}",
        ]
        if queue.patience is not None and e.patience is not None:
            seconds, spread, law = queue.patience
            minutes = seconds / 60
            said = _graded(
                f"{g(minutes)} min",
                f"{g(minutes * float(np.hypot(e.patience.log_se, e.unseen.haste.se)), 2)} min",
                f"{e.patience.gave_up} gave up of {e.patience.waited} who waited",
            )
            shape = "" if law == "exponential" else f", cv: {g(spread)}"
            lines.append(f"    patience: {{mean: {said}, law: {law}{shape}}}")
        lines += ["    lost_to: abandoned", "    next: won"]
    return lines


def _patterns(queue: Queue, total: float) -> list[str]:
    mean = total / 168.0
    return [
        "patterns:",
        "  # calls by the hour of the week, over those of a mean hour",
        "  - scale: channels.calls.leads.now",
        *_week(queue.rates / max(mean, 1e-12), 24, "%.3f"),
        "  # people on duty, by the quarter of an hour",
        "  - set: teams.agents.headcount",
        *_week(queue.heads, SLOTS, "%d"),
    ]


def _week(values: Floats, a_line: int, form: str) -> list[str]:
    lines = []
    for day, row in zip(DAYS, values, strict=True):
        texts = [form % v for v in row]
        parts = [", ".join(texts[k : k + 24]) for k in range(0, len(texts), 24)]
        if a_line == 24:
            lines.append(f"    {day}: [{parts[0]}]")
        else:
            lines += [f"    {day}:", "      [", *(f"        {p}," for p in parts)]
            lines[-1] = lines[-1].rstrip(",")
            lines.append("      ]")
    return lines


def _push(base: str, calls: float) -> str:
    cost = calls * (PUSH - 1) * 52 * A_CALL / 1000
    return (
        "# A starting point: change what, when and by how much you would really push.\n"
        f"# The cost is assumed: {A_CALL} USD for a call brought in.\n"
        f"extends: {base}\nname: Push harder\nrole: push\n"
        "story: A fifth more calls are brought in.\n"
        f"levers:\n  - {{at: week 0, scale: channels.calls.leads.now, by: {PUSH},"
        f" cost: {g(cost, 3)} kUSD/year}}\n"
    )


def _fix(base: str) -> str:
    return (
        "# A starting point: put here what would really relieve the queue.\n"
        f"extends: {base}\nname: Fix the constraint\nrole: fix\n"
        "story: One in ten more on every shift.\n"
        "levers:\n  - {at: week 0, scale: teams.agents.headcount, by: 1.1}\n"
    )
