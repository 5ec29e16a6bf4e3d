"""Which kind of export a file is: recognised by its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from simulator.errors import DataError
from simulator.fit.logs.columns import HUBSPOT, KINDS, OPPORTUNITIES, STAGE_HISTORY, Kind
from simulator.fit.logs.labels import FOREIGN
from simulator.fit.tables import Finding, Table, key_of, names_of

LOOKUP = "lookup"  # names that other files use, with what is said of them
ENTERED = re.compile(
    r'(?i)date\s+entered\s+"?(.+?)"?\s*$|hs_v2_date_entered_(.+)$|hs_date_entered_(.+)$'
    r"|became\s+an?\s+(.+?)\s+date$|hs_lifecyclestage_(.+)_date$"
)
EXITED = re.compile(
    r'(?i)date\s+exited\s+"?(.+?)"?\s*$|hs_v2_date_exited_(.+)$|hs_date_exited_(.+)$'
)
_OF_STAGE = (
    re.compile(r"(?i)date\s+(?:of\s+|of\s+entering\s+)?(.+)$"),
    re.compile(r"(?i)(?:entered|reached)\s+(.+)$"),
    re.compile(r"(?i)(.+?)[\s_-]+(?:date|at|on|(?:entered|reached|started?)(?:[\s_-]+\w+)?)$"),
)
_A_VALUE = re.compile(r"^[\d.,:/-]+$|^\d{4}-\d\d-\d\d|^$")
_A_DATE = r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}|^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d.*[A-Za-z]{3}.*\d{4}"
_UNIT = re.compile(
    r"\s*[(\[](?:in\s+)?(?:k|m|mn|t)?(?:[A-Z]{3}|[€$£]|(?:UTC|GMT)[+-]?[\d:]*|name|id|days?|"
    r"date|local time|hours?)[)\]]$"
)
_HEAD = re.compile(r"(\w+(?: - | ?: |\.))\S")  # Deal : , Deal - , Opportunity.
SHARED = 0.7  # of the columns
_DATED = re.compile(r"(?i)date|time|created|closed|start|end|_(?:at|on|ts)$")


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was recognised. columns: role -> its name in the file."""

    kind: str
    table: Table
    columns: dict[str, str]
    findings: tuple[Finding, ...] = ()


def recognise(
    table: Table, named: Mapping[str, str] | None = None, *, others: bool = False
) -> Source:
    """The kind of a file, and its columns by role. named: role -> column, where names do not tell.

    others: there are other files, so that this one may only explain names. Raises DataError,
    saying what the nearest kind has and the file lacks.
    """
    found: list[Finding] = []
    there = _by_key(table, found)
    mine = {r: there[key_of(c)] for r, c in (named or {}).items() if key_of(c) in there}
    best: tuple[tuple[float, int], Kind, list[str]] | None = None
    for kind in sorted(KINDS, key=lambda k: -len(set(mine) & set(k.columns))):  # the named first
        columns = roles(kind, there, mine)
        if kind is HUBSPOT and (first := entered_columns(table, columns)):
            columns["entered"] = next(iter(first.values()))
        if any(key in there for key in kind.without):
            continue
        lacks = [" or ".join(group) for group in kind.needs if not set(group) & set(columns)]
        if kind is STAGE_HISTORY and not lacks and _no_history(table, columns, there):
            continue
        if not lacks:
            return Source(kind.name, table, columns, tuple(found))
        if kind is HUBSPOT and not first:
            continue  # else nothing tells it from other deals
        share = (1.0 - len(lacks) / len(kind.needs), len(columns))
        if best is None or share > best[0]:
            best = (share, kind, lacks)
    if others and not any(_DATED.search(str(c)) for c in table.frame.columns):
        return Source(LOOKUP, table, {})
    hint = ""
    if best is not None and best[0][0] > 0:
        hint = (
            f"It is nearest to {best[1].name} ({best[1].what}), but no column is its "
            f"{', and none its '.join(best[2])}: name it with --column ROLE=COLUMN. "
        )
    names = [str(c) for c in table.frame.columns]
    if 2 * sum(bool(_A_VALUE.search(name)) for name in names) >= len(names):
        hint += "Its first line looks like data: the first line has to name the columns. "
    elif not hint:
        hint = (
            "If it is one, say what its columns are: --column case=ITS_ID --column stage=ITS_STAGE "
            "--column created=ITS_DATE, and close, owner, amount likewise. "
        )
    raise DataError(
        f"{table.file}:1: not a kind of export that is known. {hint}It has {names_of(table)}"
    )


def _by_key(table: Table, found: list[Finding]) -> dict[str, str]:
    """Columns by what names are compared by; where all begin alike (Deal : ), without that, too.

    Of two that are alike the one that says more is taken: words rather than numbers.
    """
    names = [str(c) for c in table.frame.columns]
    out: dict[str, str] = {}
    for name in names:
        other = out.setdefault(key_of(name), name)
        if other == name:
            continue
        first, second = (_says(table.frame[c]) for c in (other, name))
        out[key_of(name)] = name if second > first else other
        what, action = f"columns of one name, {other!r} and {name!r}", f"{out[key_of(name)]!r} used"
        found.append(Finding(table.file, 2, what, action))
    for name in names:  # Amount (kEUR), Created (UTC)
        out.setdefault(key_of(_UNIT.sub("", name)), name)
    heads = [m.group(1) if (m := _HEAD.match(name)) else None for name in names]
    most = max(set(heads), key=heads.count, default=None)
    if most is not None and heads.count(most) > SHARED * len(names):
        for name, head in zip(names, heads, strict=True):
            if head == most:
                out.setdefault(key_of(name[len(head) :]), name)
    return out


def _says(text: pd.Series) -> tuple[bool, bool, int]:
    """How much a column says: anything, in words, in so many rows."""
    some = text[text.ne("")]
    words = (
        bool(some.str.contains("[A-Za-z]{2}", regex=True).mean() > SHARED) if len(some) else False
    )
    return bool(len(some)), words, len(some)


def _no_history(table: Table, columns: dict[str, str], there: Mapping[str, str]) -> bool:
    """Whether a file by OpportunityId, or the like, is of deals and not of their changes."""
    deals = roles(OPPORTUNITIES, there, {})
    if "snapshot" in deals and "created" in deals:
        return True  # they are read as deals that were seen week by week
    if "case" not in columns and {"created", "close"} & set(deals):
        return True
    history = {"createdbyid", "systemmodstamp", "expectedrevenue"} & set(there)
    case = columns.get("case", columns.get("name", ""))
    return not history and bool(table.frame[case].is_unique)


def stage_columns(table: Table, pattern: re.Pattern[str]) -> dict[str, str]:
    """HubSpot's columns of dates by stage: the stage's name or id -> the column."""
    out: dict[str, str] = {}
    for column in table.frame.columns:
        found = pattern.match(str(column).replace('""', '"'))
        if found:
            out[next(g for g in found.groups() if g)] = str(column)
    return out


def entered_columns(table: Table, columns: Mapping[str, str]) -> dict[str, str]:
    """Columns of dates by stage: HubSpot's; or, called so, of two or more of the stages there.

    columns: those that have a role. With columns of stages go those beside them that are called
    alike and have dates: a stage that no deal is in now is in no other column.
    """
    out = stage_columns(table, ENTERED)
    if out or "stage" not in columns:
        return out
    known = {key_of(s): str(s) for s in table.frame[columns["stage"]].unique() if s}
    used = {column for role, column in columns.items() if role != "entered"}
    names = [str(c) for c in table.frame.columns]
    for pattern in _OF_STAGE:
        called = {k: m.group(1) for k, n in enumerate(names) if (m := pattern.match(n))}
        mine = {k for k, stage in called.items() if key_of(stage) in known}
        if len(mine) < 2:
            continue
        for step in (1, -1):
            for k in sorted(mine):
                at = k + step
                while at in called and at not in mine and names[at] not in used:
                    if not _dates(table.frame[names[at]]):
                        break
                    mine.add(at)
                    at += step
        return {known.get(key_of(called[k]), called[k]): names[k] for k in sorted(mine)}
    return {}


def _dates(text: pd.Series) -> bool:
    """Whether a column has dates, whatever their form."""
    some = text[text.ne("")]
    return bool(len(some)) and bool(some.str.contains(_A_DATE, regex=True).mean() > SHARED)


def roles(kind: Kind, there: Mapping[str, str], mine: Mapping[str, str]) -> dict[str, str]:
    """The columns that a file has of a kind, by role; each column has one role at most."""
    out = {role: column for role, column in mine.items() if role in kind.columns}
    taken = set(out.values())
    for role, candidates in kind.columns.items():
        if role in out:
            continue
        english = [key_of(candidate) for candidate in candidates]
        for key in (*english, *(other for k in english for other in FOREIGN.get(k, ()))):
            column = there.get(key)
            if column is not None and column not in taken:
                out[role] = column
                taken.add(column)
                break
    return out
