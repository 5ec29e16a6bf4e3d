"""Records of a queue as cases and visits: who arrived, waited, was served or gave up."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from simulator.errors import DataError
from simulator.fit.logs.files import TEXT
from simulator.fit.logs.log import Log
from simulator.fit.logs.times import NS, as_ids, as_seconds, as_times
from simulator.fit.tables import NO, YES, Finding, Table, key_of

SERVED, ABANDONED, NO_SERVICE = "served", "abandoned", "no_service"
QUEUE, MENU = "queue", "menu"
_LEFT = r"(?i)hang|hung|abandon|aband|left|drop|renege|missed|no.?answer"
_SERVED = r"(?i)agent|answer|serv|handled|complete|connected|resolved"
NOBODY = re.compile(r"(?i:no_?server|none|nobody|n/?a|unassigned|-)")


def call_log(
    table: Table,
    columns: dict[str, str],
    *,
    day_first: bool | None = None,
    today: pd.Timestamp,
    until: pd.Timestamp | None = None,
    since: pd.Timestamp | None = None,
) -> Log:
    """A Log of a queue's records: a case a row; outcomes served, abandoned or no_service.

    Visits are to ``menu`` (self-service before the queue, where the file has it) and to
    ``queue``: entered, started (service began; NaT: never), left, who and worked. Who gave up
    before queueing has no visit to ``queue``. Who was served at once entered as it started.
    Raises DataError for what cannot be read.
    """
    found: list[Finding] = []
    data = table.frame
    clock = _Clock(table, columns, day_first, found)
    arrived = clock.at("arrival")
    menu_end, queue_in = clock.at("menu_end"), clock.at("queue_start")
    queue_out, begun, ended = clock.at("queue_end"), clock.at("start"), clock.at("end")
    odd = menu_end < arrived
    if odd.any():
        what = "rows whose menu ends before it begins"
        found.append(Finding(table.file, int(odd.sum()), what, "arrived when it ends"))
        arrived = arrived.mask(odd, menu_end)
    wait, service = clock.lasting("wait"), clock.lasting("service")
    names = ", ".join(f"`{c}`" for c in columns.values())
    found.append(Finding(table.file, len(data), "rows read", f"a queue's records: {names}"))

    who = as_ids(data[columns["agent"]]) if "agent" in columns else _nothing(data)
    who = who.mask(who.fillna("-").str.fullmatch(NOBODY.pattern))
    outcome = _outcomes(data, columns, who, begun, table)

    queued = wait.gt(0) if wait.notna().any() else pd.Series(True, index=data.index)
    if queue_in.notna().any():
        queued &= queue_in.notna()
    entered = queue_in.where(queued & queue_in.notna(), menu_end)
    entered = entered.where(entered.notna(), arrived)
    if begun.isna().all():
        begun = (entered + pd.to_timedelta(wait.fillna(0), unit="s")).where(outcome == SERVED)
    begun = begun.where(outcome == SERVED)
    begun = begun.mask(begun < arrived, arrived)
    early = begun < entered
    if early.any():
        what = "rows served before they entered the queue"
        slip = float((entered - begun)[early].dt.total_seconds().max())
        action = f"entered when service began (by up to {slip:,.0f} seconds)"
        found.append(Finding(table.file, int(early.sum()), what, action))
        entered = entered.mask(early, begun)
    if ended.isna().all():
        ended = begun + pd.to_timedelta(service, unit="s")
    gone = queue_out.where(queue_out.notna(), entered + pd.to_timedelta(wait.fillna(0), unit="s"))
    left = ended.where(outcome == SERVED, gone)
    untimed = (outcome == SERVED) & begun.isna()
    if untimed.any():
        what = "rows served without a time of service"
        action = "begun when the queue was left; how long it took is not known"
        found.append(Finding(table.file, int(untimed.sum()), what, action))
        begun, left = begun.mask(untimed, gone), left.mask(untimed, gone)
        service = service.mask(untimed)
    endless = (outcome == SERVED) & left.isna() & begun.notna()
    if endless.any():
        what, action = "rows served without an end", "left as begun; how long it took is not known"
        found.append(Finding(table.file, int(endless.sum()), what, action))
        left = left.mask(endless, begun)
    back = left < entered
    if back.any():
        what = "rows that leave before they enter"
        found.append(Finding(table.file, int(back.sum()), what, "left when they entered"))
        left = left.mask(back, entered)
    spent = (ended - begun).dt.total_seconds()
    worked = service.where(service.notna() | untimed, spent).mask(untimed | endless) / 3600.0

    keep = clock.keep(arrived, today, until, since)
    case = _case_ids(data, columns, table, found)
    cases = pd.DataFrame(
        {
            "created": arrived,
            "closed": left.where(left.notna(), menu_end),
            "outcome": outcome,
            "channel": data[columns["channel"]] if "channel" in columns else pd.NA,
            "owner": pd.NA,
            "amount": np.nan,
        }
    )
    cases["channel"] = as_ids(cases["channel"].fillna("").astype(TEXT))
    cases["owner"] = cases["owner"].astype(TEXT)
    used = set(columns.values())
    for column in data.columns:
        if column not in used:
            text = data[column].mask(data[column].eq(""))
            number = pd.to_numeric(text, errors="coerce")
            whole = number.notna().sum() == text.notna().sum()
            cases[str(column)] = number if whole else text
    waited_before = (outcome == ABANDONED) & ~queued
    if waited_before.any():
        what = "rows given up before the queue"
        found.append(Finding(table.file, int(waited_before.sum()), what, "no visit to `queue`"))
    empty = outcome == NO_SERVICE
    if empty.any():
        what = "rows without service, and not given up"
        action = f"outcome `{NO_SERVICE}`, no visit to `queue`"
        found.append(Finding(table.file, int(empty.sum()), what, action))
    at_once = (outcome == SERVED) & ~queued
    if at_once.any():
        what = "rows served without queueing"
        found.append(Finding(table.file, int(at_once.sum()), what, "waited 0"))
        entered = entered.mask(at_once & begun.notna(), begun)

    there = keep & ((outcome == SERVED) | ((outcome == ABANDONED) & queued))
    visits = [_rows(case, QUEUE, entered, begun, left, who, worked, there)]
    if menu_end.notna().any():
        menu = keep & menu_end.notna()
        none = _nothing(data)
        start = pd.Series(pd.NaT, index=data.index, dtype=NS)
        empty_hours = pd.Series(np.nan, index=data.index)
        visits.append(_rows(case, MENU, arrived, start, menu_end, none, empty_hours, menu))
    every = pd.concat(visits, ignore_index=True)
    every["place"] = every.stage.eq(QUEUE)
    every = every.sort_values(["case", "entered", "place"], kind="stable", ignore_index=True)
    cases.index = pd.Index(case, name="case")
    cases = cases[keep.to_numpy()]
    last = cases[["created", "closed"]].max(axis=1).max()
    return Log(
        cases,
        every.drop(columns="place"),
        since if since is not None else cases.created.min(),
        until if until is not None else last,
        (table.file,),
        tuple(found),
    )


class _Clock:
    """Columns of one file as moments: with their own day, or on the day of another column."""

    def __init__(
        self,
        table: Table,
        columns: dict[str, str],
        day_first: bool | None,
        found: list[Finding],
    ) -> None:
        self.table, self.columns, self.found, self.day_first = table, columns, found, day_first
        self.date: pd.Series | None = None
        self.arrival: pd.Series | None = None
        if "date" in columns:
            self.date, bad = as_times(table, columns["date"], "the day", day_first)
            found += bad

    def at(self, role: str) -> pd.Series:
        index = self.table.frame.index
        if role not in self.columns:
            return pd.Series(pd.NaT, index=index, dtype=NS)
        column = self.columns[role]
        text = self.table.frame[column]
        if bool(text.str.fullmatch(r"(\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?").all()):
            if self.date is None:
                raise DataError(
                    f"{self.table.file}:1: column {column!r} has times of the day and no column "
                    "is the day. Add one named date"
                )
            seconds, bad = as_seconds(self.table, column, f"the {role}")
            self.found += bad
            short = text.str.fullmatch(r"\d{1,2}:\d{2}")  # h:mm, not m:ss
            seconds = seconds.mask(short, seconds * 60.0)
            out = self.date + pd.to_timedelta(seconds, unit="s")
            if role != "arrival":
                out = out.mask(text.isin(["0:00:00", "00:00:00", "", "0:00", "00:00"]))
                if self.arrival is not None:  # past midnight
                    over = out < self.arrival - pd.Timedelta(hours=12)
                    out = out.mask(over, out + pd.Timedelta(days=1))
        else:
            out, bad = as_times(self.table, column, f"the {role}", self.day_first)
            self.found += bad
        if role == "arrival":
            self.arrival = out
        return out.astype(NS)

    def lasting(self, role: str) -> pd.Series:
        if role not in self.columns:
            return pd.Series(np.nan, index=self.table.frame.index)
        column = self.columns[role]
        name = key_of(column)
        unit = 60.0 if re.search(r"min(ute)?s?$", name) else 1.0
        unit = 0.001 if re.search(r"(ms|millis(econds)?)$", name) else unit
        seconds, bad = as_seconds(self.table, column, f"the {role}", unit)
        self.found += bad
        return seconds

    def keep(
        self,
        arrived: pd.Series,
        today: pd.Timestamp,
        until: pd.Timestamp | None,
        since: pd.Timestamp | None,
    ) -> pd.Series:
        limit = until if until is not None and until > today else today
        rules = [(arrived.isna(), "without an arrival"), (arrived > limit, "dated in the future")]
        if until is not None:
            rules.append((arrived > until, f"after {until}"))
        if since is not None:
            rules.append((arrived < since, f"before {since}"))
        keep = pd.Series(True, index=arrived.index)
        for rows, what in rules:
            gone = rows & keep
            n = int(gone.sum())
            if n:
                line = f"line {self.table.line(int(gone.to_numpy().argmax()))}"
                self.found.append(Finding(self.table.file, n, f"rows {what}", "left out", line))
            keep &= ~gone
        if not keep.any():
            raise DataError(f"{self.table.file}: no record is left. Check the dates asked for")
        return keep


def _outcomes(
    data: pd.DataFrame, columns: dict[str, str], who: pd.Series, begun: pd.Series, table: Table
) -> pd.Series:
    if "outcome" not in columns:
        served = who.notna() if "agent" in columns else begun.notna()
        if not served.any():
            raise DataError(
                f"{table.file}:1: nothing says who was served: no column is an outcome or an agent"
            )
        return pd.Series(np.where(served, SERVED, ABANDONED), index=data.index).astype(TEXT)
    text = data[columns["outcome"]]
    name = key_of(columns["outcome"])
    yes = text.str.fullmatch(YES)
    if bool((yes | text.str.fullmatch(NO) | text.eq("")).all()):
        left = yes if "aband" in name or "hang" in name else ~yes
        return pd.Series(np.where(left, ABANDONED, SERVED), index=data.index).astype(TEXT)
    left = text.str.contains(_LEFT, regex=True)
    served = ~left & text.str.contains(_SERVED, regex=True)
    if "agent" in columns:
        served &= who.notna()
    if not (left | served).any():
        seen = ", ".join(map(repr, text.unique()[:6]))
        raise DataError(
            f"{table.file}:2: column {columns['outcome']!r}: none of its values ({seen}) says who "
            "was served or who gave up. Call them answered and abandoned, or yes and no"
        )
    out = np.select([left, served], [ABANDONED, SERVED], NO_SERVICE)
    return pd.Series(out, index=data.index).astype(TEXT)


def _case_ids(
    data: pd.DataFrame, columns: dict[str, str], table: Table, found: list[Finding]
) -> pd.Series:
    rows: pd.Series = pd.Series([f"row {i + 2}" for i in data.index], index=data.index, dtype=TEXT)
    if "case" not in columns:
        return rows
    ids = as_ids(data[columns["case"]])
    ids = ids.where(ids.notna(), rows)
    twice = ids.duplicated(keep=False)
    if twice.any():
        what = f"rows whose {columns['case']} is not theirs alone"
        found.append(Finding(table.file, int(twice.sum()), what, "named by their row as well"))
        ids = ids.where(~twice, ids + " " + rows)
    named: pd.Series = ids.astype(TEXT)
    return named


def _rows(
    case: pd.Series,
    stage: str,
    entered: pd.Series,
    started: pd.Series,
    left: pd.Series,
    who: pd.Series,
    worked: pd.Series,
    keep: pd.Series,
) -> pd.DataFrame:
    out = pd.DataFrame(
        {
            "case": case,
            "stage": pd.Series(stage, index=case.index, dtype=TEXT),
            "entered": entered.astype(NS),
            "started": started.astype(NS),
            "left": left.astype(NS),
            "who": who.where(started.notna()).astype(TEXT),
            "worked": worked.where(started.notna()),
        }
    )
    return out[keep]


def _nothing(data: pd.DataFrame) -> pd.Series:
    nothing: pd.Series = pd.Series(pd.NA, index=data.index, dtype=TEXT)
    return nothing
