"""Event logs as cases and visits: schedule, start and complete, intervals, or single stamps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from simulator.errors import DataError
from simulator.fit.logs.apart import put_together
from simulator.fit.logs.files import TEXT
from simulator.fit.logs.log import OPEN, WON, Log
from simulator.fit.logs.pairing import COMPLETE, STEPS, intervals, paired
from simulator.fit.logs.spelling import one_spelling, respelled
from simulator.fit.logs.times import NS, as_ids, as_times
from simulator.fit.money import as_money
from simulator.fit.read import slug
from simulator.fit.tables import Finding, Table, bad_rows, left_out, refuse_future

WINS = r"(?:closed_?)?won|win|activated|registered|approved|purchased|signed|paid|converted|granted"
ENDS = (
    r"(?:closed_?)?lost|declined|rejected|denied|refused|cancell?ed|withdrawn|abandoned|expired|"
    r"no_decision|closed_no_decision|disqualified|unqualified|lapsed|churned|went_cold|"
    r"not_advanced|competitor"
)
SUBJECT = r"^(?:deal|opportunity|opp|lead|order|contract)_(?:is_|was_|marked_|set_to_)?"
FINAL = 0.9  # of the cases with an end, this share does nothing a day after it


def event_log(
    table: Table,
    columns: dict[str, str],
    *,
    day_first: bool | None = None,
    won: Sequence[str] = (),
    lost: Sequence[str] = (),
    today: pd.Timestamp,
    until: pd.Timestamp | None = None,
    since: pd.Timestamp | None = None,
) -> Log:
    """A Log of one table of events. columns: roles case, activity and time, or start and end.

    won, lost: activities that end a case; where none are given they are found by name and by
    being last. Raises DataError for what cannot be read.
    """
    found: list[Finding] = []
    table = put_together(table, columns, ("time", "start", "end", "scheduled"), found)
    frame = _events(table, columns, day_first, found)
    frame = _within(frame, table, today, until, since, found)
    single = "time" in columns
    frame = frame.sort_values(["case", "time", "row"], kind="stable", ignore_index=True)
    same = [c for c in ("case", "activity", "step", "time", "end", "who") if c in frame]
    twice = frame.duplicated(same) & frame.time.notna()
    frame = left_out(frame, twice, table, "that repeat an event", found, "the first kept")
    visits = (paired if single else intervals)(frame, table, found)
    ends, finals = _ends(frame, won, lost, table)
    moments = frame.time if "end" not in frame else frame[["time", "end"]].max(axis=1)
    cases = pd.DataFrame({"created": frame.time.groupby(frame.case).min()})
    cases["closed"] = ends.time.reindex(cases.index).astype(NS)
    cases["outcome"] = ends.outcome.astype(TEXT).reindex(cases.index).fillna(OPEN)
    if not finals:
        found.append(
            Finding(
                table.file, len(cases), "cases without a known end", "taken as open",
                "no activity looks like won or lost; name them with --won and --lost",
            )
        )  # fmt: skip
    else:
        told = ", ".join(f"`{a}` {o}" for a, o in finals.items())
        found.append(Finding(table.file, len(ends), "cases ended", f"by {told}"))
    _attributes(cases, frame, table, columns, found)
    visits = _shut(visits, cases, table, found)
    first = since if since is not None else frame.time.min()
    final = until if until is not None else moments.max()
    return Log(cases, visits, first, final, (table.file,), tuple(found))


def _events(
    table: Table, columns: dict[str, str], day_first: bool | None, found: list[Finding]
) -> pd.DataFrame:
    data = table.frame
    frame = pd.DataFrame({"case": data[columns["case"]], "activity": data[columns["activity"]]})
    frame["row"] = data.index
    used = [columns["case"], columns["activity"]]
    for role, name in (("time", "time"), ("start", "time"), ("end", "end"), ("scheduled", "sched")):
        if role in columns and not (role in {"start", "end", "scheduled"} and "time" in columns):
            times, bad = as_times(table, columns[role], f"the event's {role}", day_first)
            found += bad
            frame[name] = times
            used.append(columns[role])
    used += [columns[role] for role in ("lifecycle", "resource") if role in columns]
    if "lifecycle" in columns:
        text = data[columns["lifecycle"]]
        keys = {t: STEPS.get(re.sub(r"[^a-z]", "", t.lower())) for t in text.unique()}
        strange = [t for t, step in keys.items() if step is None and t]
        steps = text.map({t: s if s is not None else -1 for t, s in keys.items()})
        frame["step"] = steps.astype("int64").to_numpy()
        n = int((frame.step < 0).sum())
        if n:
            names = ", ".join(repr(t) for t in strange[:4]) or "empty"
            found.append(
                Finding(table.file, n, "rows of another lifecycle", "left out", f"{names}")
            )
            frame = frame[frame.step >= 0]
    if "worked" in columns:
        text = data[columns["worked"]]
        frame["hours"] = pd.to_numeric(text.reindex(frame.index), errors="coerce")
        used.append(columns["worked"])
        wrong = frame.hours.isna() & text.reindex(frame.index).ne("")
        found += bad_rows(
            table, columns["worked"], "the hours worked", "a number",
            wrong.reindex(data.index, fill_value=False), int(text.ne("").sum()),
        )  # fmt: skip
    frame["who"] = as_ids(data[columns["resource"]]) if "resource" in columns else pd.NA
    frame["who"] = frame["who"].astype(TEXT)
    frame.attrs["used"] = used
    note = "" if table.encoding == "utf-8-sig" else f" ({table.encoding})"
    names = ", ".join(f"`{c}`" for c in used)
    found.append(Finding(table.file, len(data), f"rows read{note}", f"an event log: {names}"))
    frame = left_out(frame, frame.case.eq(""), table, "without a case", found)
    frame = left_out(frame, frame.activity.eq(""), table, "without an activity", found)
    counts = {str(name): int(n) for name, n in frame.activity.value_counts().items()}
    one = one_spelling(counts, "activity", table.file, found)
    frame = frame.assign(activity=respelled(frame.activity, one))
    if "end" in frame:
        only = frame.time.isna() & frame.end.notna()
        if only.any():
            what = "rows with an end and no start"
            found.append(Finding(table.file, int(only.sum()), what, "taken to start at their end"))
            frame.loc[only, "time"] = frame.end[only]
        back = frame.end < frame.time
        frame = left_out(frame, back, table, "that end before they start", found)
    return left_out(frame, frame.time.isna(), table, "without a time", found)


def _within(
    frame: pd.DataFrame,
    table: Table,
    today: pd.Timestamp,
    until: pd.Timestamp | None,
    since: pd.Timestamp | None,
    found: list[Finding],
) -> pd.DataFrame:
    limit = until if until is not None and until > today else today
    frame = _future(frame, frame.time > limit, table, limit, found)
    if until is not None:
        frame = left_out(frame, frame.time > until, table, f"after {until}", found)
        if "end" in frame:
            frame.loc[frame.end > until, "end"] = pd.NaT
    if since is not None:
        first = frame.time.groupby(frame.case).transform("min")
        frame = left_out(frame, first < since, table, f"of cases begun before {since}", found)
    if frame.empty:
        raise DataError(f"{table.file}: no event is left. Check the dates asked for")
    return frame


def _future(
    frame: pd.DataFrame,
    rows: pd.Series,
    table: Table,
    limit: pd.Timestamp,
    found: list[Finding],
) -> pd.DataFrame:
    n = int(rows.sum())
    if n:
        place = f"{table.file}:{int(frame.row[rows].iloc[0]) + 2}"
        refuse_future(n, len(frame), "rows", limit, place)
    return left_out(frame, rows, table, "dated in the future", found)


def short(activity: str) -> str:
    """An end's own name: without a prefix such as ``A_``, as a scenario can use it."""
    return re.sub(r"^[a-z]_", "", slug(activity))


def _ends(
    frame: pd.DataFrame, won: Sequence[str], lost: Sequence[str], table: Table
) -> tuple[pd.DataFrame, dict[str, str]]:
    """When and how cases ended: by case time and outcome; and which activities are ends."""
    there = {str(a) for a in frame.activity.unique()}
    named = {**dict.fromkeys(won, WON), **{a: short(a) for a in lost}}
    for activity in named:
        if activity not in there:
            import difflib

            near = difflib.get_close_matches(activity, there, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" There are {_some(there)}"
            raise DataError(f"{table.file}: no activity named {activity!r}.{hint}")
    if not named:
        named = _finals(frame, there)
    ends = frame[frame.activity.isin(list(named))]
    if "step" in ends:
        ends = ends[ends.step == COMPLETE]
    at = ends.end.where(ends.end.notna(), ends.time) if "end" in ends else ends.time
    ends = pd.DataFrame({"case": ends.case, "time": at, "outcome": ends.activity.map(named)})
    # a case that was won is won, whatever was cancelled on the way
    ends["rank"] = ends.outcome.ne(WON)
    ends = ends.sort_values(["case", "rank", "time"], kind="stable")
    return ends.drop_duplicates("case").set_index("case")[["time", "outcome"]], named


def _finals(frame: pd.DataFrame, there: set[str]) -> dict[str, str]:
    """Activities that end cases: by their names, and nothing comes a day after them."""
    bare = {a: re.sub(SUBJECT, "", short(a)) for a in there}
    maybe = {a: WON for a in there if re.fullmatch(WINS, bare[a])}
    maybe |= {a: bare[a] for a in there if re.fullmatch(ENDS, bare[a])}
    maybe = {a: re.sub(r"^closed_(?=lost|no_dec)", "", o) for a, o in maybe.items()}
    last = frame.time.groupby(frame.case).max()
    out: dict[str, str] = {}
    for activity, outcome in sorted(maybe.items()):
        rows = frame[frame.activity == activity]
        if re.fullmatch(r"(?:closed_?)?(?:won|lost)", slug(activity)):
            out[activity] = outcome  # it says so itself, whatever a customer does afterwards
            continue
        first = rows.time.groupby(rows.case).min()
        quiet = last.reindex(first.index) - first < pd.Timedelta(days=1)
        if float(quiet.mean()) >= FINAL:
            out[activity] = outcome
    return out


def _some(names: set[str]) -> str:
    listed = [repr(n) for n in sorted(names)]
    return ", ".join(listed[:8]) + (f" and {len(listed) - 8} more" if len(listed) > 8 else "")


def _attributes(
    cases: pd.DataFrame,
    frame: pd.DataFrame,
    table: Table,
    columns: dict[str, str],
    found: list[Finding],
) -> None:
    """What else is said of a case: channel, owner, amount, and columns that do not vary in it."""
    where = frame.row.to_numpy()
    places = pd.Series(np.arange(len(table.frame)), index=table.frame.index).reindex(where)
    data = table.frame.iloc[places.to_numpy()]
    case, names = pd.factorize(frame.case)
    first = np.zeros(len(names), dtype=np.int64)
    first[case[::-1]] = np.arange(len(case))[::-1]
    taken = set(columns.values())
    cases["channel"] = pd.Series(pd.NA, index=cases.index, dtype=TEXT)
    cases["owner"] = cases["channel"]
    cases["amount"] = np.nan
    for role in ("channel", "owner"):
        if role in columns:
            text = as_ids(data[columns[role]].iloc[first])
            cases[role] = pd.Series(text.to_numpy(), index=names, dtype=TEXT).reindex(cases.index)
    if "amount" in columns:
        once = replace(table, frame=data.iloc[first])
        amount, bad = as_money(once, columns["amount"], "the amount")
        found += bad
        cases["amount"] = pd.Series(amount, index=names).reindex(cases.index)
    if "created" in columns:
        once = replace(table, frame=data.iloc[first])
        made, bad = as_times(once, columns["created"], "the case's creation")
        found += bad
        stated = pd.Series(made.to_numpy(), index=names).reindex(cases.index).astype(NS)
        cases["created"] = stated.where(stated < cases.created, cases.created)
    varying = []
    for column in table.frame.columns:
        if column in taken or column in frame.attrs.get("used", ()):
            continue
        code = pd.factorize(data[column])[0]
        if (code != code[first][case]).any():
            varying.append(str(column))
            continue
        said = data[column].iloc[first]
        text = said.mask(said.eq(""))
        number = pd.to_numeric(text, errors="coerce")
        value = number if number.notna().sum() == text.notna().sum() else text
        name = re.sub(r"^case:", "", str(column))
        name = name if name not in cases else f"{name} (stated)"
        cases[name] = pd.Series(value.to_numpy(), index=names).reindex(cases.index)
    if varying:
        names_of = ", ".join(f"`{c}`" for c in varying)
        what = "columns that vary within a case"
        found.append(Finding(table.file, len(varying), what, "not used", names_of))


def _shut(
    visits: pd.DataFrame,
    cases: pd.DataFrame,
    table: Table,
    found: list[Finding],
) -> pd.DataFrame:
    """Visits that never ended in cases that did: they left with the case."""
    over = visits.case.map(cases.closed)
    won = visits.case.map(cases.outcome).eq(WON)  # a customer goes on
    stuck = visits.left.isna() & ((over > visits.entered) | (~won & (over == visits.entered)))
    if stuck.any():
        visits.loc[stuck, "left"] = over[stuck].astype(NS)
        visits.loc[stuck, "worked"] = np.nan
        text = "visits still open when their case ended"
        found.append(Finding(table.file, int(stuck.sum()), text, "left with the case"))
    return visits
