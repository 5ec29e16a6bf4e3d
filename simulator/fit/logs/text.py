"""A fitted log as the text of scenarios: today, a push and a fix."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd

from simulator.fit.logs.assumed import BUSY, BUSY_RANGE, HOURS
from simulator.fit.logs.crew import RECENT_WEEKS
from simulator.fit.logs.fitted import LogFit
from simulator.fit.logs.network import Node
from simulator.fit.logs.script import (
    FULL_TIME,
    WEEK,
    Branch,
    effort_cv,
    full_time,
    next_shares,
    overrun,
)
from simulator.fit.logs.streams import Stream
from simulator.fit.plan import CHURN, DEALS_VALUE, cost_per_lead
from simulator.fit.read import slug
from simulator.fit.write import MARK, g
from simulator.spec.book import Assumption

COST = Assumption(156_000, 80_000, 200_000, "D", "1.3 x OTE of 120 k, SMB archetype")
RAMP = Assumption("13 weeks", "6 weeks", "26 weeks", "D", "SMB archetype")


def graded(value: str, se: str, source: str) -> str:
    """A number of the data's, as the file says it."""
    text = " ".join(source.split()).replace("'", "''")
    return f"{{value: {value}, se: {se}, grade: A, source: 'data: {text}'}}"


def from_book(a: Assumption, form: str = "{}") -> str:
    """A number that the data cannot say."""
    text = f"book: {a.source}".replace("'", "''")
    return (
        f"{{value: {form.format(a.value)}, low: {form.format(a.low)}, "
        f"high: {form.format(a.high)}, grade: {a.grade}, source: '{text}'}}"
    )


def quoted(text: str) -> str:
    """A text as YAML takes it."""
    return "'" + " ".join(text.split()).replace("'", "''") + "'"


def today_text(fit: LogFit, *, horizon: str, currency: str, name: str) -> str:
    """The scenario as it is today."""
    p, se = fit.paths, fit.se
    start = (p.start + pd.Timedelta(days=p.end)).date()
    ended = int((p.outcome >= 0).sum())
    taken = (p.closed - p.created)[p.outcome >= 0]
    warm = max(4, min(52, math.ceil(1.5 * float(np.quantile(taken, 0.99)) / WEEK)))
    d = fit.model.demand
    lines = [
        (
            f"{MARK} to {len(p.created):,} cases, {ended:,} of them ended,"
            f" {p.start.date()} to {(p.start + pd.Timedelta(days=p.end - 1)).date()}."
        ),
        "# Numbers whose source is `data` come from the data (se: standard error, of a Bayesian",
        "# bootstrap over cases). Those from the `book` the data cannot say. Look at these first.",
        "# Where a stage leads, and after how long, are competing risks (Aalen-Johansen): cases",
        "# still open count for the time they have stayed. A stage named `.. then ..` holds the",
        "# time from entering to leaving that way, less the work: people's nights and queues as",
        "# they were, and the buyer's. Waiting beyond that is what the teams' load brings.",
        (
            f"# Cases a week: trend {100 * d.trend:+.1f}% a week (se {100 * d.trend_se:.1f}), not"
            f" carried on; {int(d.burst.sum())} days of campaigns."
        ),
        *_segments(fit),
        *(f"# Read: {' '.join(_short(str(f)).split())}" for f in fit.log.findings[:12]),
        f"name: {quoted(name)}",
        "role: today",
        f"horizon: {horizon}",
        f"warm_up: {warm} weeks  # longer than nearly all cases take: the pipeline is full",
        f"start: {start.isoformat()}  # the day after the data end",
        f"currency: {currency}",
        *_value(fit, currency),
        "",
        "channels:",
    ]
    for s in fit.streams:
        path = f"channels.{s.name}.leads.now"
        now = graded(
            f"{g(s.per_week, 5)}/week",
            f"{g(se[path], 2)}/week",
            f"{s.cases:,} cases; the level now, of a level that wanders",
        )
        lines += [
            f"  {s.name}:" + (f"  # {' '.join(s.says.split())}" if s.says else ""),
            f"    leads: {{now: {now}}}",
            f"    cost_per_lead: {from_book(cost_per_lead(slug(s.channel)), '{} ' + currency)}",
            *_own_value(fit, s, currency),
            "    good_fit: 100%  # what cases differ in shows in where they go",
            f"    enters: {fit.script.names[s.node]}",
        ]
    lines += ["", *_teams(fit, se, currency), "", "stages:"]
    for i in range(len(fit.network.nodes)):
        if fit.script.branches[i]:
            lines += _node(fit, i, se)
    for stage in fit.script.ends.values():
        reason = stage.removeprefix("ends_")
        lines += [f"  {stage}: {{advance: 0%, lost_to: {reason}}}"]
    lines += [
        "",
        "customers:",
        "  start: 0  # the data hold no customers from before: ARR counts those won from here",
        f"  churn: {from_book(CHURN)}",
    ]
    return "\n".join(lines) + "\n"


def _own_value(fit: LogFit, s: Stream, currency: str) -> list[str]:
    """What the cases of a segment are worth, where that differs."""
    if s.value is None:
        return []
    mean, _, cv, n = s.value
    se = fit.se[f"channels.{s.name}.value.mean"]
    stated = graded(f"{g(mean)} {currency}", f"{g(se, 2)} {currency}", f"{n:,} amounts of {s.says}")
    return [f"    value: {{mean: {stated}, cv: {g(min(cv, 20), 3)}}}"]


def _segments(fit: LogFit) -> list[str]:
    """Which cases have stages of their own, and why."""
    if fit.segments is None:
        return []
    effects = "; ".join(
        f"{e.covariate} ({e.per}) at {e.stage}: {g(e.factor, 3)} times the odds, "
        f"{g(e.low, 3)} to {g(e.high, 3)}, p {e.adjusted:.1g} by Holm's method"
        for e in fit.segments.by
    )
    return [
        "# Segments, as cases differ in where they go: each has arrivals, stages and, where they",
        f"# differ, values of its own: {', '.join(fit.segments.names)}.",
        f"# {' '.join(effects.split())}.",
    ]


def _short(finding: str) -> str:
    path, sep, rest = finding.partition(": ")
    return f"{Path(path).name}{sep}{rest}"


def _value(fit: LogFit, currency: str) -> list[str]:
    mean, se, cv, n = fit.value
    if not n:
        return [f"value: {{mean: {from_book(DEALS_VALUE, '{} ' + currency)}}}"]
    stated = graded(f"{g(mean)} {currency}", f"{g(se, 2)} {currency}", f"{n:,} amounts")
    return ["value:", f"  mean: {stated}", f"  cv: {g(min(cv, 20), 3)}  # data"]


def _teams(fit: LogFit, se: dict[str, float], currency: str) -> list[str]:
    if not fit.script.teams:
        return [
            "# The data name nobody, so no team and no limit is modelled: pushing looks better",
            "# than it is. Export who did what to fit teams.",
            "teams: {}",
        ]
    crew = fit.crew
    hours, over = full_time(crew)[1], overrun(crew)
    if fit.paths.a_week is not None:
        return _book_teams(fit, se, currency)
    lines = [
        "# People with work in a week, times the hours between the first and the last moment of",
        f"# their days, as full-time heads of {FULL_TIME:g} h. Other work they may have had in",
        "# those hours is not in the log: they may have less time for this than it says.",
        "teams:",
    ]
    for k, team in enumerate(fit.script.teams):
        source = (
            f"{g(crew.heads[k], 3)} people active a week, there {g(crew.presence[k], 3)} h each "
            f"(se {g(crew.presence_se[k], 2)}), as full-time heads"
        )
        if over[k]:
            source += ", or more where their work takes more"
        told = next((c for c in fit.calibrated if c.team == k), None)
        if told is not None and told.identified:
            source += (
                f", times {g(told.share, 3)} (se {g(told.se, 2)}): what they have for these cases,"
                " by how long these wait, found by simulation"
            )
        value = graded(g(fit.heads(k), 5), g(se[f"teams.{team}.headcount"], 2), source)
        lines += [
            f"  {team}:  # works on cases in {100 * fit.utilisation(k):.0f}% of these hours",
            f"    headcount: {value}",
            f"    hours: {g(hours[k])} h/week",
            f"    cost: {from_book(COST, '{} ' + currency + '/year')}",
            f"    ramp: {from_book(RAMP)}",
        ]
    return lines


def _book_teams(fit: LogFit, se: dict[str, float], currency: str) -> list[str]:
    """Teams whose people are known, and not their hours."""
    lines = [
        "# Who moved cases on is known, and not when or how long they worked on them: the hours of",
        "# a week, and how much of them people are busy, are the book's. So the data do not say",
        "# how near the limit a team is: look at these first. An event log with start and",
        "# complete would show it.",
    ]
    if fit.contention is not None and fit.contention.limits is False:
        lines += [
            f"# Up to {fit.contention.heavy:.2f} times their usual cases people kept up: the data",
            "# show no limit of their time, and the one that is here is an assumption.",
        ]
    lines.append("teams:")
    for k, team in enumerate(fit.script.teams):
        source = f"people who moved cases on in the last {RECENT_WEEKS} weeks"
        value = graded(g(fit.heads(k), 5), g(se[f"teams.{team}.headcount"], 2), source)
        load, late = 100 * fit.load(k), 100 * fit.utilisation(k)
        lines += [
            f"  {team}:  # assumed: cases now take {load:.0f}% of its hours, late ones {late:.0f}%",
            f"    headcount: {value}",
            f"    hours: {from_book(HOURS, '{} h/week')}",
            f"    cost: {from_book(COST, '{} ' + currency + '/year')}",
            f"    ramp: {from_book(RAMP)}",
        ]
    return lines


def _effort(fit: LogFit, node: Node, base: str, se: dict[str, float]) -> str:
    """Hours of work in a stay, as the file says them."""
    mean = node.hours * node.worked
    if fit.paths.a_week is None:
        return graded(f"{g(mean)} h", f"{g(se[f'{base}.effort.mean'], 2)} h",
                      "hours of sessions in a stay")  # fmt: skip
    low, usual, high = BUSY_RANGE
    busy = fit.paths.busy or usual
    what = f"people are busy {100 * busy:.0f}% of their hours with these cases; {BUSY.source}"
    if busy < usual and fit.contention is not None:
        low, high = low * busy / usual, busy
        what += f"; less here, for they kept up with {fit.contention.heavy:.2f} times as many"
    own = Assumption(f"{g(mean)} h", f"{g(mean * low / busy)} h", f"{g(mean * high / busy)} h", "D",
                     what)  # fmt: skip
    return from_book(own)


def _node(fit: LogFit, i: int, se: dict[str, float]) -> list[str]:
    node, own = fit.network.nodes[i], fit.script.names[i]
    base = f"stages.{own}"
    about = f"{node.entered:,} stays, {node.censored:,} still there"
    if node.wait_seen and fit.paths.a_week is None:
        about += f"; a person began after {g(node.wait, 3)} days on average"
    lines = [f"  {own}:  # {about}"]
    if node.team >= 0:
        value = _effort(fit, node, base, se)
        seen = fit.paths.a_week is None  # else the book has how it varies, too
        told = f", cv: {g(effort_cv(node))}, law: lognormal" if seen else ""
        lines += [
            f"    team: {fit.script.teams[node.team]}",
            f"    effort: {{mean: {value}{told}}}",
        ]
        lines += _patience(fit, node, base, se)
    if i in fit.script.times:
        lines.append(_buyer_time(fit.script.times[i], f"{base}.buyer_time.mean", se))
    shares, left = next_shares(fit.script.branches[i]), fit.script.leaves.get(i)
    if left is not None:
        lines += _speed(fit, i, se)
        shares, off, _ = fit.script.parts(i)
    lines += ["    next:", *_next(fit, i, base, shares, se)]
    if left is not None:
        lines += [f"  {left}:  # lost here, after the times below", "    next:"]
        lines += _next(fit, i, f"stages.{left}", off, se)
    for b in fit.script.branches[i]:
        if b.name:
            lines += _branch(b, se)
    return lines


def _next(
    fit: LogFit, i: int, base: str, shares: dict[str, float], se: dict[str, float]
) -> list[str]:
    """Shares of what comes next, as the file says them."""
    return [
        f"      {target}: "
        + graded(share, g(max(se[f"{base}.next.{target}"], 1e-6), 2), _of(fit, i, target))
        for target, share in _adding_up(shares).items()
    ]


def _speed(fit: LogFit, i: int, se: dict[str, float]) -> list[str]:
    """Odds of who is met at once, how they fall with the wait, and where the lost go on to."""
    law, base = fit.speed[fit.network.nodes[i].stage], f"stages.{fit.script.names[i]}"
    at = fit.point[f"{base}.advance.good_fit"]
    odds = graded(g(at, 5), g(se[f"{base}.advance.good_fit"], 2), "odds of who is met at once")
    how = f"{law.stays:,} stays, p {law.p:.1g} against odds that no wait changes"
    scale = graded(f"{g(law.scale * WEEK)} days", f"{g(law.se[1] * WEEK, 2)} days", how)
    floor = graded(g(law.floor), g(law.se[0], 2), how) if len(law.covariance) > 2 else "0"
    return [
        f"    advance: {{good_fit: {odds}, poor_fit: {g(at, 5)}}}",
        f"    speed: {{floor: {floor}, scale: {scale}}}",
        f"    recycle: {{share: 100%, to: {fit.script.leaves[i]}, delay: 0 days, at_most: 100}}",
    ]


def _patience(fit: LogFit, node: Node, base: str, se: dict[str, float]) -> list[str]:
    """How long cases wait here, where the queue's waits end in it."""
    p = fit.patience.get(node.stage)
    if p is None:
        return []
    path = f"{base}.patience.mean"
    what = f"{p.cold:,} went cold of {p.cold + p.begun:,}, the other waits censored"
    mean = graded(f"{g(p.weeks * WEEK)} days", f"{g(se[path] * WEEK, 2)} days", what)
    more = "" if p.law == "exponential" else f", cv: {g(p.cv)}"
    return [f"    patience: {{mean: {mean}{more}, law: {p.law}}}"]


def _of(fit: LogFit, i: int, target: str) -> str:
    seen = sum(b.seen for b in fit.script.branches[i] if target in (b.name, b.name or b.to))
    return f"{seen:,} seen, open ones counted as competing risks"


def _adding_up(shares: dict[str, float]) -> dict[str, str]:
    """Shares as decimals that add up to 1 exactly."""
    places = 10
    units = {k: round(v * 10**places) for k, v in shares.items()}
    largest = max(units, key=lambda k: units[k])
    units[largest] += 10**places - sum(units.values())
    return {k: f"{v / 10**places:.{places}f}" for k, v in units.items()}


def _branch(b: Branch, se: dict[str, float]) -> list[str]:
    time = _buyer_time(b, f"stages.{b.name}.buyer_time.mean", se)
    return [f"  {b.name}:", time, f"    next: {b.to}"]


OTHERS = (1 / 3, 3.0)  # times other stays: how long ends may take of which no day is known


def _buyer_time(b: Branch, path: str, se: dict[str, float]) -> str:
    if not b.known:
        low, high = (g(b.days * times) for times in OTHERS)
        what = (
            f"no end of this kind has a day ({b.seen:,} seen): taken to be as long as other stays"
        )
        own = Assumption(f"{g(b.days)} days", f"{low} days", f"{high} days", "D", what)
        mean = from_book(own)
        return f"    buyer_time: {{mean: {mean}, cv: {g(max(b.cv, 0.001))}, law: {b.law}}}"
    source = f"{b.seen:,} stays" + (
        f"; a fixed time of {g(b.days, 3)} days, as rules set it" if b.fixed else ""
    )
    mean = graded(f"{g(b.days)} days", f"{g(max(se[path], 1e-9) * WEEK, 2)} days", source)
    return f"    buyer_time: {{mean: {mean}, cv: {g(max(b.cv, 0.001))}, law: {b.law}}}"


def push_text(base: str, factor: float) -> str:
    """The variant that buys more cases."""
    return (
        "# A starting point: change what, when and by how much you would really push.\n"
        "# Leads grow by less than spend: saturation, from the book, as their cost is.\n"
        f"extends: {base}\nname: Push harder\nrole: push\n"
        f"story: Spend on every channel up by {g(100 * (factor - 1), 3)}%.\n"
        "levers:\n"
        f"  - {{at: week 4, scale: channels.*.spend, by: {g(factor)}, over: 4 weeks}}\n"
    )


def fix_text(base: str, fit: LogFit, currency: str) -> str:
    """The variant that relieves the busiest team; or shortens the longest wait, without teams."""
    head = "# A starting point: put here what would really relieve the constraint.\n"
    if fit.script.teams:
        seen = fit.paths.a_week is None
        k = max(range(len(fit.script.teams)), key=fit.utilisation if seen else fit.load)
        team, busy = fit.script.teams[k], fit.utilisation(k) if seen else fit.load(k)
        whose = "" if seen else ", by the book and with the cases that come now"
        return (
            head + f"# {team} is the busiest: {100 * busy:.0f}% of its hours{whose}.\n"
            f"extends: {base}\nname: Fix the constraint\nrole: fix\n"
            f"story: One person more in {team}, the busiest team.\n"
            f"levers:\n  - {{at: week 4, add: teams.{team}.headcount, by: 1}}\n"
        )
    waits = [b for bs in fit.script.branches for b in bs if b.name and not b.fixed]
    longest = max(waits, key=lambda b: b.share * b.days, default=None)
    if longest is None:
        return (
            head + f"extends: {base}\nname: Fix\nrole: fix\nstory: Nothing to relieve is known.\n"
        )
    return (
        head
        + "# No people are known. This asks what a fifth off the longest wait would be worth.\n"
        f"extends: {base}\nname: Fix the wait\nrole: fix\n"
        f"story: A fifth off the time in {longest.name}.\n"
        "levers:\n"
        f"  - {{at: week 4, scale: stages.{longest.name}.buyer_time, by: 0.8,"
        f" cost: {g(float(COST.value))} {currency}/year}}\n"
    )
