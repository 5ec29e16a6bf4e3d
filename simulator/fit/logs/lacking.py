"""What cannot be known from files, and what to export to know it."""

from __future__ import annotations

import pandas as pd

from simulator.fit.logs.deals import BEFORE_MADE, NO_END, WHOLE
from simulator.fit.logs.discover import GOOD
from simulator.fit.logs.log import OPEN, Log
from simulator.fit.logs.paths import never_left
from simulator.fit.logs.salesforce import CONVERTED, LEAD_STAGE

ON_ONE_DAY = 0.9  # of the cases: no more is known of when they come
EARLY = 0.05  # of those that ended: so many before they were made are told
FEW = 5  # ends of a kind: with fewer nothing can be estimated of it


def one_day(log: Log) -> str | None:
    """What to say where (nearly) all cases begin on one day; nothing where they do not."""
    days = log.cases.created.dt.normalize()
    most = days.mode().iloc[0]
    n = int(days.eq(most).sum())
    if n < ON_ONE_DAY * len(days):
        return None
    whose = "All" if n == len(days) else f"{n:,} of {len(days):,}"
    if log.until - log.since < pd.Timedelta(days=2):
        return (
            f"The cases are those of one day, {most:%Y-%m-%d}: how many come in a week cannot be "
            "told. Export a longer period."
        )
    return (
        f"{whose} cases begin on the same day, {most:%Y-%m-%d}, as after a move from another "
        "program: how many come in a week cannot be told. Export the day on which each was really "
        "created."
    )


def lacks(log: Log) -> list[str]:
    """What the files leave unsaid, a sentence each, with what to export."""
    outcome, who = log.cases.outcome, log.visits.who
    ended = outcome.ne(OPEN)
    wins = int(outcome.isin(GOOD).sum())
    losses = int((ended & ~outcome.isin(GOOD)).sum())
    stages = set(log.visits.stage.unique())
    out = []
    if not ended.any():
        out.append(
            "All cases are open: nothing can be said of odds or of how long a case takes. "
            f"Export the closed ones too, or {no_end(log)}."
        )
    elif wins == 0 and outcome.eq(CONVERTED).any():
        out.append(
            "Leads only: how many are converted can be estimated, not what becomes of them. "
            "Export opportunities and their history."
        )
    elif wins == 0:
        out.append(
            "No case is won: what a win takes cannot be estimated. Export won cases too, or "
            "say what is won with --won."
        )
    elif wins < FEW:
        out.append(f"Only {wins} won: too few to estimate from. Export a longer period.")
    if wins and losses == 0:
        told = "those not won may be lost or open, so odds lean on how wins are spread over time"
        if not stages <= {LEAD_STAGE}:
            told = "lost ones are not in the files, or are taken as open, so odds come out too high"
        out.append(f"No case is lost: {told}. Export lost cases with the day they were lost.")
    if len(log.cases) > FEW and (when := one_day(log)) is not None:
        out.append(when)
    before = sum(f.count for f in log.findings if f.what == BEFORE_MADE)
    if before > FEW and before > EARLY * max(int(ended.sum()), 1):
        out.append(
            f"{before:,} closed cases ended before they were made, and are left out: they came "
            "from another program with the days of closing only, or days and months are mixed up. "
            "Export when each was really made."
        )
    undated = int((ended & log.cases.closed.isna()).sum())
    if undated:
        out.append(
            f"{some(undated, 'case')} ended on a day nobody kept: counted in odds, not in "
            "times. Export the history of stages or of lead statuses."
        )
    if stages <= {WHOLE, LEAD_STAGE}:
        out.append(
            "No history of stages: only the time from beginning to end can be estimated. "
            "Export OpportunityHistory, or HubSpot's 'Date entered' properties."
        )
    stuck = _never_left(log)
    if stuck:
        out.append(stuck)
    if who.notna().sum() == 0:
        out.append(
            "Nobody is named: teams and their load cannot be estimated. Export owners, or who "
            "did what."
        )
    elif len(who.dropna().unique()) == 1:
        out.append(
            f"One person ({who.dropna().iloc[0]}) does it all: a team's size cannot be told "
            "from one person's pace. Export the records of all."
        )
    if log.visits.started.notna().sum() == 0:
        out.append(
            "Nothing says when work on a case began: how much of a stay is waiting, and how much "
            "work, cannot be told. An event log with start and complete shows it."
        )
    return out


def no_end(log: Log) -> str:
    """What to do where no stage is known to be an end."""
    told = next((f.action for f in log.findings if f.what == NO_END), "")
    how = "name the activities or stages that end a case with --won and --lost"
    return f"{how} ({told})" if told else how


def _never_left(log: Log) -> str:
    """What to say of stages that nobody was seen to leave; nothing where that is no wonder."""
    ended = log.cases.outcome.ne(OPEN)
    if not (ended & log.cases.closed.notna()).any():
        return ""  # then it is so of all of them
    stuck = never_left(log.visits, log.cases)
    first = never_left(log.visits, log.cases, itself=True)
    if not stuck:
        return ""
    only = [s for s in stuck if s not in first]
    more = f" Nor, then, where {_few(only)} lead{'s' if len(only) == 1 else ''}." if only else ""
    it = "it" if len(first) == 1 else "they"
    return (
        f"Nobody was seen to leave {_few(first)}: where {it} lead{'s' if it == 'it' else ''} "
        f"cannot be told, and cases there count as still in the stage before.{more} Export the "
        "history of stages; or, where that is how a case ends, say so with --won or --lost."
    )


def _few(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def some(n: int, what: str) -> str:
    """So many of a thing, in words."""
    many = {"person": "people"}.get(what, what + "s")
    return f"{n:,} {what if n == 1 else many}"
