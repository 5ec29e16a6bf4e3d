"""What files say, in words and tables: what was read, what it shows, what more would show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from simulator.fit.logs.columns import DEALS, LEADS
from simulator.fit.logs.discover import Process, discover
from simulator.fit.logs.kinds import Source
from simulator.fit.logs.lacking import lacks, some
from simulator.fit.logs.log import Log
from simulator.fit.logs.read import log_of, moment, sources

Row = dict[str, object]


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
                f"{some(p.cases, 'case')} and {some(p.visits, 'visit')} "
                f"from {log.since:%Y-%m-%d} to {log.until:%Y-%m-%d}: {ends}."
            ),
        ]
        if len(lasting) > 1:
            shown = lasting[:12]
            more = f" and {len(lasting) - 12} more" if len(lasting) > 12 else ""
            names = " → ".join(f"{s.name} ({s.cases:,})" for s in shown)
            out.append(f"Stages in order, with the cases that were there: {names}{more}.")
        if p.teams:
            teams = "; ".join(f"{t.name}: {some(len(t.people), 'person')}" for t in p.teams)
            out.append(f"Teams by the stages they serve: {teams}.")
        if p.programs:
            out.append(f"At work day and night, so taken as programs: {', '.join(p.programs)}.")
        loops = sorted((t for t in p.loops if t.source != t.target), key=lambda t: -t.count)
        if loops:
            t = loops[0]
            out.append(
                f"The way back most often taken: {t.source} → {t.target}, {some(t.count, 'time')} "
                f"({t.share:.1%} of those who left {t.source})."
            )
        return out + self.missing

    @property
    def missing(self) -> list[str]:
        """What cannot be known from these files, and what to export to know it."""
        return lacks(self.log)

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
    read = sources(paths, how.pop("columns", None), how.pop("sheets", ()))
    for name, end in (("until", True), ("since", False), ("today", True)):
        how[name] = moment(how.get(name), end=end)
    log = log_of(read, **how)
    return Reading(read, log, discover(log))


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
