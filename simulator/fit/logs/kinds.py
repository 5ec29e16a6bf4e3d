"""Which kind of export a file is: recognised by its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.errors import DataError
from simulator.fit.tables import Finding, Table, key_of, names_of


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of export: what its columns are called, by role, and which it cannot lack.

    needs: groups of roles, of each group one at least. without: roles of `columns` that another
    kind has.
    """

    name: str
    needs: tuple[tuple[str, ...], ...]
    columns: Mapping[str, tuple[str, ...]]
    without: tuple[str, ...] = ()
    what: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was recognised. columns: role -> its name in the file."""

    kind: str
    table: Table
    columns: dict[str, str]
    findings: tuple[Finding, ...] = ()


EVENTS = Kind(
    "event log",
    (("case",), ("activity",), ("time", "start", "end")),
    {
        "case": (
            "case", "case_id", "caseid", "case:concept:name", "case id", "case_concept_name",
            "trace", "trace_id", "case number",
        ),
        "activity": (
            "activity", "concept:name", "activity_name", "event", "event_name", "task", "step",
        ),
        "lifecycle": (
            "lifecycle", "lifecycle:transition", "transition", "lifecycle_transition", "event_type",
        ),
        "time": ("time:timestamp", "timestamp", "time", "event_time", "datetime", "date"),
        "scheduled": (
            "scheduled", "enabled", "enabled_time", "schedule_time", "queued", "ready_time",
            "enable_time", "scheduled_time",
        ),
        "start": ("start", "start_time", "start_timestamp", "started", "begin", "start date"),
        "end": (
            "end", "end_time", "end_timestamp", "complete", "complete_time", "completed",
            "complete timestamp", "completion_time", "finish", "end date",
        ),
        "resource": (
            "resource", "org:resource", "user", "agent", "employee", "performer", "person", "who",
            "owner",
        ),
        "channel": ("channel", "case:channel", "source", "lead_source", "leadsource", "origin"),
        "amount": (
            "amount", "case:amount", "amount_req", "case:amount_req", "value", "deal_value",
        ),
    },
    what="case, activity, and a timestamp or start and end",
)  # fmt: skip
CALLS = Kind(
    "queue records",
    (("arrival",), ("outcome", "agent"), ("wait", "queue_end", "start")),
    {
        "case": ("call_id", "callid", "ticket_id", "ticket", "id", "contact_id", "call"),
        "date": ("date", "day", "call_date"),
        "arrival": (
            "vru_entry", "arrival", "arrived", "arrival_time", "call_start", "enqueue_time",
            "enqueued", "queue_entry", "offered", "call_time", "arrival_timestamp", "created",
        ),
        "menu_end": ("vru_exit", "ivr_exit", "ivr_end", "menu_end"),
        "queue_start": ("q_start", "queue_start", "queued_at"),
        "queue_end": ("q_exit", "queue_exit", "queue_end", "dequeued"),
        "wait": (
            "q_time", "wait", "wait_time", "waiting_time", "queue_time", "wait_seconds", "waited",
            "wait_sec", "wait_s", "wait_minutes", "wait_min", "time_in_queue", "waittime",
        ),
        "outcome": (
            "outcome", "disposition", "result", "abandoned", "status", "hangup", "answered",
        ),
        "start": ("ser_start", "service_start", "answered_at", "answer_time", "service_begin"),
        "end": ("ser_exit", "service_end", "call_end", "service_exit", "ended_at"),
        "service": (
            "ser_time", "service", "service_time", "handle_time", "talk_time", "aht",
            "service_seconds", "service_sec", "service_s", "service_minutes", "duration",
        ),
        "agent": ("server", "agent", "agent_id", "operator", "agent_name", "answered_by"),
        "channel": ("type", "queue", "skill", "call_type", "service_type", "channel"),
    },
    what="arrival, wait, outcome, service time and agent",
)  # fmt: skip
KINDS: tuple[Kind, ...] = (EVENTS, CALLS)


def recognise(table: Table, named: Mapping[str, str] | None = None) -> Source:
    """The kind of a file, and its columns by role. named: role -> column, where names do not tell.

    Raises DataError, saying what the nearest kind has and the file lacks.
    """
    named = dict(named or {})
    there = {key_of(str(c)): str(c) for c in table.frame.columns}
    mine = {role: there[key_of(c)] for role, c in named.items() if key_of(c) in there}
    best: tuple[float, Kind, list[str]] | None = None
    for kind in KINDS:
        columns = roles(kind, there, mine)
        if any(role in columns for role in kind.without):
            continue
        lacks = [" or ".join(group) for group in kind.needs if not set(group) & set(columns)]
        if not lacks:
            return Source(kind.name, table, columns)
        share = 1.0 - len(lacks) / len(kind.needs)
        if best is None or share > best[0]:
            best = (share, kind, lacks)
    hint = ""
    if best is not None and best[0] > 0:
        hint = (
            f"It is nearest to {best[1].name} ({best[1].what}), but no column is its "
            f"{', and none its '.join(best[2])}: name it with --column ROLE=COLUMN. "
        )
    raise DataError(
        f"{table.file}:1: not a kind of export that is known. {hint}It has {names_of(table)}"
    )


def roles(kind: Kind, there: Mapping[str, str], mine: Mapping[str, str]) -> dict[str, str]:
    """The columns that a file has of a kind, by role; each column has one role at most."""
    out = {role: column for role, column in mine.items() if role in kind.columns}
    taken = set(out.values())
    for role, candidates in kind.columns.items():
        if role in out:
            continue
        for candidate in candidates:
            column = there.get(key_of(candidate))
            if column is not None and column not in taken:
                out[role] = column
                taken.add(column)
                break
    return out
