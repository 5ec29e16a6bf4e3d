"""Two CSV files, leads and deals, into one history of who came when and was won when."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from simulator.errors import DataError
from simulator.fit.logs.columns import DEALS, LEADS
from simulator.fit.money import as_money
from simulator.fit.tables import (
    Finding,
    Table,
    as_days,
    left_out,
    pick,
    silence,
)

# as `growthsim read` knows them, and by "id" or "date" alone, which here can be no others
LEAD_ID, LEAD_DATE, CHANNEL = (LEADS.columns[role] for role in ("case", "created", "channel"))
DEAL_LEAD_ID = (*DEALS.columns["case"], "id")
DEAL_VALUE, DEAL_DATE = DEALS.columns["amount"], (*DEALS.columns["won_on"], "date")
ROLES = {
    "sdr": ("sdr_id", "sdr", "bdr_id", "bdr"),
    "sales_rep": ("sr_id", "sales_rep", "rep_id", "ae_id", "owner_id", "ownerid", "deal owner"),
}
MIN_WINS = 5
MAX_CHANNELS = 30
_UNKNOWN = {"", "unknown", "none", "null", "na", "nan", "undefined", "not_set", "other_unknown"}


@dataclass(frozen=True, slots=True)
class History:
    """Leads and their wins, day by day.

    Days count from ``start`` (day 0). The history covers days 0 .. ``days`` - 1; leads are known
    on days 0 .. ``lead_days`` - 1. Arrays have one entry a lead: ``arrived``, ``channel`` (index
    into ``channels``), ``won`` (-1: not won by the end), ``value`` (NaN: not stated), and in
    ``people`` for each role the person's number (-1: none).
    """

    start: dt.date
    days: int
    lead_days: int
    channels: tuple[str, ...]
    arrived: np.ndarray
    channel: np.ndarray
    won: np.ndarray
    value: np.ndarray
    people: dict[str, np.ndarray]
    findings: tuple[Finding, ...] = ()

    @property
    def end(self) -> dt.date:
        """The last day covered."""
        return self.start + dt.timedelta(days=self.days - 1)

    @property
    def wins(self) -> int:
        """How many leads were won."""
        return int((self.won >= 0).sum())

    def day(self, date: dt.date) -> int:
        """The number of a date."""
        return (date - self.start).days

    def before(self, day: int) -> History:
        """What was known when ``day`` began: later leads gone, later wins still open."""
        keep = self.arrived < day
        won = np.where(self.won < day, self.won, -1)[keep]
        return replace(
            self,
            days=day,
            lead_days=min(self.lead_days, day),
            arrived=self.arrived[keep],
            channel=self.channel[keep],
            won=won,
            value=np.where(won >= 0, self.value[keep], np.nan),
            people={r: np.where(won >= 0, p[keep], -1) for r, p in self.people.items()},
        )


def read_history(
    leads: str | Path | tuple[Table, Sequence[Finding]],
    deals: str | Path | tuple[Table, Sequence[Finding]],
    *,
    lead_id: str | None = None,
    lead_date: str | None = None,
    lead_channel: str | None = None,
    deal_lead_id: str | None = None,
    deal_date: str | None = None,
    deal_value: str | None = None,
    deal_roles: Sequence[str] = (),
    until: dt.date | None = None,
    from_: dt.date | None = None,
    day_first: bool | None = None,
    today: dt.date | None = None,
) -> History:
    """Read both files, or tables of them; ``until``: the last day covered (default: the last date).

    Columns not named are recognised by name. What is left out is counted in ``findings``.
    Raises DataError, with file, line, column and value, for what cannot be read.
    """
    found: list[Finding] = []
    from simulator.fit.logs.files import read_tables  # logs import this module
    from simulator.fit.logs.sheets import with_columns

    tables = []
    ask = (
        ([lead_id] if lead_id else LEAD_ID, [lead_date] if lead_date else LEAD_DATE),
        ([deal_lead_id] if deal_lead_id else DEAL_LEAD_ID, [deal_date] if deal_date else DEAL_DATE),
    )
    for path, wanted in zip((leads, deals), ask, strict=True):
        table, broken = (
            path if isinstance(path, tuple) else with_columns(path, read_tables(path), wanted)
        )
        tables.append(table)
        found += broken
    lead_table, deal_table = tables
    frame = _leads(lead_table, lead_id, lead_date, lead_channel, day_first, found)
    deal = _deals(
        deal_table, deal_lead_id, deal_date, deal_value, tuple(deal_roles), day_first, found
    )
    today = today or dt.datetime.now(tz=dt.UTC).date() + dt.timedelta(days=1)
    frame = left_out(
        frame, frame.day > pd.Timestamp(today), lead_table, "dated in the future", found
    )
    deal = left_out(deal, deal.won > pd.Timestamp(today), deal_table, "won in the future", found)
    if from_ is not None:
        early = frame.day < pd.Timestamp(from_)
        frame = left_out(frame, early, lead_table, f"from before {from_}", found)
    if frame.empty:
        raise DataError(f"{lead_table.file}: no lead is left. Check the dates asked for")
    last_lead = frame.day.max().date()
    last_deal = deal.won.max().date() if len(deal) else last_lead
    end = until or max(last_lead, last_deal)
    frame = left_out(frame, frame.day > pd.Timestamp(end), lead_table, f"from after {end}", found)
    if frame.empty:
        raise DataError(f"{lead_table.file}: no lead up to {end}. Its first is of a later date")
    found += silence(lead_table.file, frame.day.min().date(), max(last_lead, last_deal), end)
    merged = _match(frame, deal, deal_table, end, found)
    start = merged.day.min().date()
    last_lead = min(last_lead, end)
    if (end - last_lead).days > 7:
        text = f"days at the end without a lead (last on {last_lead})"
        action = "leads a week are counted up to there"
        found.append(Finding(lead_table.file, (end - last_lead).days, text, action))
        lead_days = (last_lead - start).days + 1
    else:
        lead_days = (end - start).days + 1
    channels, codes = _channels(merged, lead_table, found)
    day0 = pd.Timestamp(start)
    won = (merged.won - day0).dt.days
    history = History(
        start=start,
        days=(end - start).days + 1,
        lead_days=lead_days,
        channels=channels,
        arrived=(merged.day - day0).dt.days.to_numpy(dtype=np.int64),
        channel=codes,
        won=won.fillna(-1).to_numpy(dtype=np.int64),
        value=merged["value"].to_numpy(dtype=float),
        people={
            str(role)[5:]: pd.factorize(merged[role].where(merged[role].ne("")))[0]
            for role in merged.columns
            if str(role).startswith("role:")
        },
        findings=(),
    )
    _enough(history, lead_table, deal_table, frame, deal)
    _silence(history, deal_table, found)
    return replace(history, findings=tuple(found))


def _leads(
    table: Table,
    id_: str | None,
    date: str | None,
    channel: str | None,
    day_first: bool | None,
    found: list[Finding],
) -> pd.DataFrame:
    id_col = pick(table, id_, LEAD_ID, "the lead's id", flag="--lead-id")
    date_col = pick(table, date, LEAD_DATE, "the date of first contact", flag="--lead-date")
    chan_col = pick(table, channel, CHANNEL, "channel", flag="--lead-channel", needed=False)
    assert id_col
    assert date_col
    _say_read(table, (id_col, date_col, chan_col), found)
    days, bad = as_days(table, date_col, "the lead's date", day_first)
    found += bad
    frame = pd.DataFrame({"id": table.frame[id_col], "day": days})
    frame["channel"] = table.frame[chan_col] if chan_col else "leads"
    unread = frame.day.isna() & table.frame[date_col].ne("")
    frame = frame[~unread]
    frame = left_out(frame, frame.id.eq(""), table, f"without {id_col}", found)
    frame = left_out(frame, frame.day.isna(), table, f"without {date_col}", found)
    frame = frame.sort_values("day", kind="stable")
    return left_out(
        frame, frame.id.duplicated(), table, f"that repeat a {id_col}", found, "the earliest kept"
    )


def _deals(
    table: Table,
    id_: str | None,
    date: str | None,
    value: str | None,
    roles: tuple[str, ...],
    day_first: bool | None,
    found: list[Finding],
) -> pd.DataFrame:
    id_col = pick(table, id_, DEAL_LEAD_ID, "the deal's lead", flag="--deal-lead-id")
    date_col = pick(table, date, DEAL_DATE, "the date it was won", flag="--deal-date")
    assert id_col
    assert date_col
    columns: dict[str, str] = {}
    if roles:
        for role in roles:
            col = pick(table, role, (), "a role", flag="--deal-role")
            assert col
            known = (name for name, cols in ROLES.items() if col.lower() in cols)
            columns[next(known, slug(re.sub(r"_id$", "", col, flags=re.IGNORECASE)))] = col
    else:
        for name, candidates in ROLES.items():
            found_col = pick(table, None, candidates, name, flag="--deal-role", needed=False)
            if found_col:
                columns[name] = found_col
    value_col = pick(
        table, value, DEAL_VALUE, "the deal's value", flag="--deal-value", needed=value is not None
    )
    _say_read(table, (id_col, date_col, value_col, *columns.values()), found)
    days, bad = as_days(table, date_col, "the date won", day_first)
    found += bad
    frame = pd.DataFrame({"id": table.frame[id_col], "won": days})
    frame["value"] = np.nan
    if value_col:
        amounts, bad = as_money(table, value_col, "the deal's value")
        found += [replace(f, action="value taken as not stated") for f in bad]
        empty = ~(amounts > 0)
        if empty.any():
            text = f"deals whose {value_col} is empty or not above 0"
            found.append(Finding(table.file, int(empty.sum()), text, "value taken as not stated"))
        frame["value"] = np.where(empty, np.nan, amounts)
    for name, col in columns.items():
        frame[f"role:{name}"] = table.frame[col]
    unread = frame.won.isna() & table.frame[date_col].ne("")
    frame = frame[~unread]
    frame = left_out(
        frame, frame.won.isna(), table, f"without {date_col}", found, "taken as not won"
    )
    frame = left_out(frame, frame.id.eq(""), table, f"without {id_col}", found)
    frame = frame.sort_values("won", kind="stable")
    return left_out(
        frame, frame.id.duplicated(), table, f"that repeat a {id_col}", found, "the earliest kept"
    )


def _match(
    frame: pd.DataFrame,
    deal: pd.DataFrame,
    deal_table: Table,
    end: dt.date,
    found: list[Finding],
) -> pd.DataFrame:
    later = deal.won > pd.Timestamp(end)
    deal = left_out(deal, later, deal_table, f"won after {end}", found, "taken as open")
    orphan = ~deal.id.isin(frame.id)
    deal = left_out(deal, orphan, deal_table, "whose lead is not among the leads read", found)
    merged = frame.merge(deal, on="id", how="left", validate="one_to_one")
    backward = merged.won < merged.day
    n = int(backward.sum())
    if n:
        row = merged[backward].iloc[0]
        example = f"lead {row.id}: first contact {row.day.date()}, won {row.won.date()}"
        text = "deals won before their lead's first contact"
        found.append(Finding(deal_table.file, n, text, "left out, with their leads", example))
    return merged[~backward].reset_index(drop=True)


def _channels(
    merged: pd.DataFrame, table: Table, found: list[Finding]
) -> tuple[tuple[str, ...], np.ndarray]:
    raw = merged.channel
    names = raw.map({text: slug(text) for text in raw.unique()})
    unknown = names.isin(_UNKNOWN)
    empty = int(raw.eq("").sum())
    if empty:
        others = int(unknown.sum()) - empty
        also = f", with {others:,} named so" if others else ""
        found.append(Finding(table.file, empty, "leads without channel", f"`unknown`{also}"))
    names = names.where(~unknown, "unknown")
    merged_names = raw[~unknown].groupby(names[~unknown]).unique()
    for name, texts in merged_names.items():
        if len(texts) > 1:
            spelled = ", ".join(repr(str(t)) for t in texts[:4])
            found.append(
                Finding(table.file, len(texts), "channel names alike", f"`{name}`", spelled)
            )
    counts = names.value_counts()
    if len(counts) > MAX_CHANNELS:
        small = counts.index[MAX_CHANNELS - 1 :]
        text = "small channels"
        found.append(Finding(table.file, len(small), text, "merged as `other_channels`"))
        names = names.where(~names.isin(small), "other_channels")
        counts = names.value_counts()
    order = tuple(sorted((str(n) for n in counts.index), key=lambda n: (-int(counts[n]), n)))
    lookup = {name: i for i, name in enumerate(order)}
    return order, names.map(lookup).to_numpy(dtype=np.int64)


def slug(text: str) -> str:
    """A name that a scenario can use: lower case letters, digits and underscores."""
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return (name if name[:1].isalpha() or not name else f"c_{name}")[:64].rstrip("_")


def _say_read(table: Table, columns: Sequence[str | None], found: list[Finding]) -> None:
    names = ", ".join(f"`{c}`" for c in columns if c)
    note = "" if table.encoding == "utf-8-sig" else f" ({table.encoding})"
    found.append(Finding(table.file, len(table.frame), f"rows read{note}", f"columns {names}"))


def _silence(history: History, table: Table, found: list[Finding]) -> None:
    """Say so where the deals seem to end before the data do: that would look like losing."""
    last = int(history.won.max())
    quiet = history.days - 1 - last
    usual = history.days / history.wins
    if quiet > max(7.0, 6 * usual):
        day = history.start + dt.timedelta(days=last)
        text = f"days at the end without a win (last on {day})"
        action = "taken as true; if the export ends there, say so with --until"
        found.append(Finding(table.file, quiet, text, action))


def _enough(
    history: History, leads: Table, deals: Table, frame: pd.DataFrame, deal: pd.DataFrame
) -> None:
    if history.wins == 0 and len(deal):
        raise DataError(
            f"{deals.file}: none of its {len(deal):,} deals is a win of one of the {len(frame):,} "
            f"leads of {leads.file} in the time covered. Ids look like {deal.id.iloc[0]!r} and "
            f"{frame.id.iloc[0]!r}: are they the same? Name them with --lead-id, --deal-lead-id"
        )
    if history.wins < MIN_WINS:
        raise DataError(
            f"{deals.file}: {history.wins} wins can be matched to leads; at least {MIN_WINS} are "
            "needed to estimate anything. Export a longer period"
        )
    if history.days < 14:
        raise DataError(f"{leads.file}: {history.days} days of leads; at least 14 are needed")
