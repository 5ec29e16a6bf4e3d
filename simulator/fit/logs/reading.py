"""What files say, in words and tables: what was read, what it shows, what more would show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from simulator.fit.logs.columns import DEALS, LEADS
from simulator.fit.logs.deals import WHOLE
from simulator.fit.logs.discover import GOOD, Process, discover
from simulator.fit.logs.kinds import Source
from simulator.fit.logs.log import OPEN, Log
from simulator.fit.logs.read import log_of, moment, sources
from simulator.fit.logs.salesforce import CONVERTED, LEAD_STAGE

Row = dict[str, object]
FEW = 5  # ends of a kind: with fewer nothing can be estimated of it


@dataclass(frozen=True)
class Reading:
    """Files, as a log, and the process it shows."""

    sources: tuple[Source, ...]
    log: Log
    process: Process

    @property
    def sentences(self) -> list[str]:
        """What there is, and what is missing."""
        log, p = self.log, self.process
        kinds = ", ".join(f"{Path(s.table.file).name} ({s.kind})" for s in self.sources)
        lasting = [s for s in p.stages if not s.mark]
        ends = ", ".join(f"{g.name} {g.share:.1%}" for g in p.outcomes if g.kind == "outcome")
        out = [
            f"Read {kinds}.",
            (
                f"{_some(p.cases, 'case')} and {_some(p.visits, 'visit')} "
                f"from {log.since:%Y-%m-%d} to {log.until:%Y-%m-%d}: {ends}."
            ),
        ]
        if len(lasting) > 1:
            shown = lasting[:12]
            more = f" and {len(lasting) - 12} more" if len(lasting) > 12 else ""
            names = " → ".join(f"{s.name} ({s.cases:,})" for s in shown)
            out.append(f"Stages in order, with the cases that were there: {names}{more}.")
        if p.teams:
            teams = "; ".join(f"{t.name}: {_some(len(t.people), 'person')}" for t in p.teams)
            out.append(f"Teams by the stages they serve: {teams}.")
        if p.programs:
            out.append(f"At work day and night, so taken as programs: {', '.join(p.programs)}.")
        loops = sorted((t for t in p.loops if t.source != t.target), key=lambda t: -t.count)
        if loops:
            t = loops[0]
            out.append(
                f"The way back most often taken: {t.source} → {t.target}, {_some(t.count, 'time')} "
                f"({t.share:.1%} of those who left {t.source})."
            )
        return out + self.missing

    @property
    def missing(self) -> list[str]:
        """What cannot be known from these files, and what to export to know it."""
        log = self.log
        outcome, who = log.cases.outcome, log.visits.who
        ended = outcome.ne(OPEN)
        wins = int(outcome.isin(GOOD).sum())
        losses = int((ended & ~outcome.isin(GOOD)).sum())
        out = []
        if not ended.any():
            out.append(
                "All cases are open: nothing can be said of odds or of how long a case takes. "
                "Export the closed ones too."
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
            out.append(
                "No case is lost: those not won may be lost or open, so odds lean on how wins are "
                "spread over time. Export lost cases with the day they were lost."
            )
        undated = int((ended & log.cases.closed.isna()).sum())
        if undated:
            out.append(
                f"{_some(undated, 'case')} ended on a day nobody kept: counted in odds, not in "
                "times. Export the history of stages or of lead statuses."
            )
        stages = set(log.visits.stage.unique())
        if stages <= {WHOLE, LEAD_STAGE}:
            out.append(
                "No history of stages: only the time from beginning to end can be estimated. "
                "Export OpportunityHistory, or HubSpot's 'Date entered' properties."
            )
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
                "Nothing says when work on a case began: waiting and work are told apart by who "
                "is busy, not seen. An event log with start and complete shows them."
            )
        return out

    @property
    def tables(self) -> dict[str, list[Row]]:
        """Files, stages, transitions, teams, handoffs, ends, channels, segments, findings."""
        p = self.process
        files: list[Row] = [
            {
                "file": s.table.file,
                "kind": s.kind,
                "rows": len(s.table.frame),
                "columns": ", ".join(s.columns.values()),
            }
            for s in self.sources
        ]
        stages: list[Row] = [
            {
                "stage": s.name,
                "cases": s.cases,
                "visits": s.visits,
                "open": s.open,
                "median_days": s.days,
                "median_wait_hours": s.waiting_hours,
                "mean_worked_hours": s.worked_hours,
                "people": s.people,
                "again": s.again,
                "came_back": s.back,
                "skipped_it": s.skipped,
                "takes_time": not s.mark,
            }
            for s in p.stages
        ]
        teams: list[Row] = [
            {
                "team": t.name,
                "people": len(t.people),
                "visits": t.visits,
                "hours": t.hours if t.hours == t.hours else None,
                "stages": ", ".join(f"{n} {v:.0%}" for n, v in list(t.stages.items())[:6]),
            }
            for t in p.teams
        ]
        found: list[Row] = [
            {"file": f.file, "rows": f.count, "what": f.what, "then": f.action, "first": f.example}
            for f in self.log.findings
        ]
        tables = {
            "Files": files,
            "Stages": stages,
            "Transitions": _rows(p.transitions),
            "Teams": teams,
            "Handoffs": _rows(p.handoffs),
            "Ends": _rows(p.outcomes, "won", "open"),
            "Channels": _rows(p.channels, "kind"),
            "Segments": _rows(p.segments),
            "Read": found,
        }
        return {title: rows for title, rows in tables.items() if rows}

    def to_json(self) -> dict[str, object]:
        """Everything, in types that JSON has."""
        files = [
            {"file": s.table.file, "kind": s.kind, "rows": len(s.table.frame), "columns": s.columns}
            for s in self.sources
        ]
        findings = [asdict(f) for f in self.log.findings]
        process = {name: _plain(value) for name, value in self.process.to_json().items()}
        return {
            "files": files,
            "route": route(self.sources),
            **process,
            "findings": findings,
            "missing": self.missing,
            "sentences": self.sentences,
        }


def route(read: Sequence[Source]) -> str:
    """Which way of fitting suits the files: "leads and deals", or "log"."""
    return "leads and deals" if {s.kind for s in read} == {LEADS.name, DEALS.name} else "log"


def read_files(paths: Sequence[str | Path], **how: Any) -> Reading:
    """Read files and find what they show. Options are those of `read_log`."""
    read = sources(paths, how.pop("columns", None))
    for name, end in (("until", True), ("since", False), ("today", True)):
        how[name] = moment(how.get(name), end=end)
    log = log_of(read, **how)
    return Reading(read, log, discover(log))


def _some(n: int, what: str) -> str:
    many = {"person": "people"}.get(what, what + "s")
    return f"{n:,} {what if n == 1 else many}"


def _rows(items: Sequence[Any], *less: str) -> list[Row]:
    return [{k: v for k, v in asdict(item).items() if k not in less} for item in items]


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value
