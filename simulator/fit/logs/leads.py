"""Leads in front of their opportunities; and plain files of leads and deals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from simulator.errors import DataError
from simulator.fit.logs.deal_rows import case_rows, covariates, say_read, short_ids, yes
from simulator.fit.logs.deals import Parts, end_of, whole_day
from simulator.fit.logs.files import TEXT, within
from simulator.fit.logs.kinds import Source
from simulator.fit.logs.log import OPEN, WON, Log
from simulator.fit.logs.salesforce import CONVERTED, DEAD_STATUS, LEAD_STAGE
from simulator.fit.logs.times import NS, as_ids, as_times
from simulator.fit.money import as_money
from simulator.fit.tables import Finding, Table

CLICK = pd.Timedelta(seconds=5)  # what is saved together is stamped so far apart at most
DEAD = "lost"  # the stage of leads that were given up


def with_leads(
    source: Source,
    deals: pd.DataFrame | None,
    moves: pd.DataFrame,
    lead_moves: list[pd.DataFrame],
    lead_starts: list[pd.DataFrame],
    ends: dict[str, str],
    histories: bool,
    found: list[Finding],
    day_first: bool | None,
) -> Parts:
    """Cases that begin as leads and go on as the opportunities they were converted to."""
    table, columns = source.table, source.columns
    plain = {**columns}
    for role in ("converted", "converted_on", "opportunity", "status", "closed_on", "name"):
        plain.pop(role, None)
    cases, key = case_rows(Source(source.kind, table, plain), found, day_first)
    first = ~key.duplicated()
    rows = replace(table, frame=table.frame.loc[key.index[first]])
    for role in ("converted", "converted_on", "opportunity", "status", "closed_on", "name"):
        if role in columns and columns[role] in cases:
            cases = cases.drop(columns=columns[role])
    at = _dates(rows, columns.get("converted_on"), "the converted date", found, day_first)
    link = short_ids(rows.frame[columns["opportunity"]]) if "opportunity" in columns else None
    ticked = yes(rows.frame[columns["converted"]]) if "converted" in columns else None
    done = at.notna() | (ticked.eq(1.0) if ticked is not None else False)
    done |= link.ne("") if link is not None else False
    done.index = at.index = cases.index
    opp = pd.Series(pd.NA, index=cases.index, dtype=TEXT)
    if link is not None:
        opp = pd.Series(as_ids(link).to_numpy(), index=cases.index, dtype=TEXT)
    status = pd.Series("", index=cases.index, dtype=TEXT)
    if "status" in columns:
        status = pd.Series(rows.frame[columns["status"]].to_numpy(), cases.index, dtype=TEXT)
    ended = _dates(rows, columns.get("closed_on"), "the end", found, day_first)
    ended = ended.set_axis(cases.index)
    if lead_moves:
        made = pd.concat(lead_moves, ignore_index=True)
        died = made[made.stage.str.contains(DEAD_STATUS.pattern)].sort_values("time", kind="stable")
        died = died.drop_duplicates("case", keep="last").set_index("case")
        ended = died.time.reindex(cases.index).astype(NS).fillna(ended)
        by = died.who.reindex(cases.index)
    else:
        by = pd.Series(pd.NA, index=cases.index, dtype=TEXT)
    return _joined(
        table.file, cases, opp, at, done, status, deals, moves, lead_moves, lead_starts, ends,
        histories, found, ended, by,
    )  # fmt: skip


def _joined(
    file: str,
    cases: pd.DataFrame,
    opp: pd.Series,
    at: pd.Series,
    done: pd.Series,
    status: pd.Series,
    deals: pd.DataFrame | None,
    moves: pd.DataFrame,
    lead_moves: list[pd.DataFrame],
    lead_starts: list[pd.DataFrame],
    ends: dict[str, str],
    histories: bool,
    found: list[Finding],
    ended: pd.Series,
    by: pd.Series,
) -> Parts:
    lead_of = opp.dropna().drop_duplicates()
    shared = int(opp.notna().sum()) - len(lead_of)
    if shared:
        what = "leads converted to an opportunity that another lead has"
        found.append(Finding(file, shared, what, f"ended as `{CONVERTED}`"))
    to_lead = dict(zip(lead_of, lead_of.index, strict=True))
    known = pd.Series(within(lead_of, deals.index) if deals is not None else False, lead_of.index)
    if deals is not None and (~known).any():
        what = "leads whose opportunity is not among those read"
        found.append(Finding(file, int((~known).sum()), what, f"ended as `{CONVERTED}`"))
    mine = lead_of[known]
    if deals is not None and len(deals) and done.any() and mine.empty:
        raise DataError(
            f"{file}: {int(done.sum()):,} leads are converted, and none says to which of the "
            f"{len(deals):,} opportunities, so each would count twice. Export ConvertedOpportunity"
            "Id with the leads, or give leads and opportunities one at a time"
        )
    # the day it was converted, to the minute its opportunity was made on that day
    made = mine.map(deals.created) if deals is not None else pd.Series(dtype=NS)
    made = made.astype(NS)
    day = at.reindex(made.index)
    exact = day.isna() | (made.dt.normalize() == day.dt.normalize())
    at = at.copy()
    at.loc[made.index[exact]] = made[exact]
    at = at.mask(at < cases.created, cases.created)
    at = _by_last_move(at, done, lead_moves)
    stages = [_stage_of_leads(cases, lead_moves, lead_starts, at.where(done), status)]
    convert = done & ~within(cases.index, mine.index)
    over = _ending(cases[convert].index, at[convert], CONVERTED)
    dead = ~done & status.str.contains(DEAD_STATUS.pattern)
    lost = _ending(cases[dead].index, ended[dead], DEAD).assign(who=by[dead].to_numpy())
    lost["who"] = lost.who.astype(TEXT)
    stages += [over[over.time.notna()], lost[lost.time.notna()]]
    unknown = int((over.time.isna()).sum()) + int(lost.time.isna().sum())
    cases["closed_"] = np.where(convert | dead, 1.0, 0.0)
    cases["close"] = at.where(convert, ended.where(dead))
    cases["stage"] = pd.Series(pd.NA, index=cases.index, dtype=TEXT)
    cases.loc[convert, "stage"] = CONVERTED
    cases.loc[dead, "stage"] = DEAD
    if unknown:
        lines = f"{int(lost.time.isna().sum()):,} lost, {int(over.time.isna().sum()):,} converted"
        what = "leads whose end has no date"
        found.append(Finding(file, unknown, what, "export LeadHistory", lines))
    ends = {**ends, CONVERTED: CONVERTED, DEAD: "lost"}
    if deals is not None:
        cases = _take_over(cases, deals, mine)
        whose = moves.case.map(to_lead).astype(TEXT)
        moved = moves.assign(case=whose.where(whose.notna(), moves.case), lead=whose.notna())
        if not histories:
            start = pd.DataFrame({"case": mine.index.astype(TEXT), "time": made.to_numpy()})
            start["stage"] = pd.Series("opportunity", index=start.index, dtype=TEXT)
            start["who"] = pd.Series(pd.NA, index=start.index, dtype=TEXT)
            start["lead"] = True
            moved = pd.concat([moved, start], ignore_index=True)
        rest = deals[~within(deals.index, lead_of)]
        if len(rest):
            what = "opportunities without a lead among those read"
            found.append(Finding(file, len(rest), what, "cases of their own"))
        rest, moved = _apart(cases, rest, moved)
        cases = pd.concat([cases, rest])
        if not histories:
            stages.append(_ending(rest.index, rest.created, "opportunity"))
        stages.append(moved.drop(columns="lead"))
    every = pd.concat([s for s in stages if len(s)], ignore_index=True)
    return Parts(file, cases, every, ends, histories=True)


def _by_last_move(at: pd.Series, done: pd.Series, moves: list[pd.DataFrame]) -> pd.Series:
    """When leads were converted: of a date without a time, at the last change on that day."""
    bare = done & at.notna() & at.eq(at.dt.normalize())
    if not moves or not bare.any():
        return at
    made = pd.concat(moves, ignore_index=True)
    day = made.case.map(at.where(bare))
    made = made[made.time.dt.normalize().eq(day)]
    last = made.groupby("case").time.max().reindex(at.index).astype(NS)
    return at.where(last.isna(), last)


def _apart(
    cases: pd.DataFrame, rest: pd.DataFrame, moved: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Opportunities and their moves under names that no lead has, if ids are mere numbers."""
    taken = within(rest.index, cases.index)
    if not taken.any():
        return rest, moved
    own = {i: f"{i} (opportunity)" for i in rest.index[taken]}
    of_rest = ~moved.lead.astype(bool)
    named = moved.case.map(own).astype(TEXT)
    moved = moved.assign(case=named.where(of_rest & named.notna(), moved.case))
    return rest.rename(index=own), moved


def _dates(
    rows: Table, column: str | None, what: str, found: list[Finding], day_first: bool | None
) -> pd.Series:
    if column is None:
        return pd.Series(pd.NaT, index=rows.frame.index, dtype=NS)
    times, bad = as_times(rows, column, what, day_first)
    found += bad
    return times


def _ending(index: pd.Index, time: pd.Series, stage: str) -> pd.DataFrame:
    frame = pd.DataFrame({"case": index.astype(TEXT), "time": time.to_numpy().astype(NS)})
    frame["stage"] = pd.Series(stage, index=frame.index, dtype=TEXT)
    frame["who"] = pd.Series(pd.NA, index=frame.index, dtype=TEXT)
    return frame


def _stage_of_leads(
    cases: pd.DataFrame,
    moves: list[pd.DataFrame],
    starts: list[pd.DataFrame],
    at: pd.Series,
    status: pd.Series,
) -> pd.DataFrame:
    """The statuses that leads went through; `lead`, where nobody kept them."""
    if not moves:
        return _ending(cases.index, cases.created, LEAD_STAGE)
    made = pd.concat(moves, ignore_index=True)
    made = made[within(made.case, cases.index)]
    # a status that says converted or dead is the end, which has its own date
    made = made[~made.stage.map({s: bool(_over(s)) for s in made.stage.unique()}).astype(bool)]
    # so is one that came with the conversion, whatever it is called
    bare = at == at.dt.normalize()
    cut = at.mask(bare, at + pd.Timedelta(days=1)) - CLICK
    made = made[~(made.time >= made.case.map(cut))]
    first = _ending(cases.index, cases.created, LEAD_STAGE)
    if starts:
        before = pd.concat(starts).sort_values("time", kind="stable").drop_duplicates("case")
        known = pd.Series(before.stage.to_numpy(), index=before.case.to_numpy())
        # whose status never changed has had the one of now
        now = status.mask(status.map({t: _over(t) or not t for t in status.unique()}).astype(bool))
        named = first.case.map(known)
        named = named.where(named.notna(), first.case.map(now))
        first["stage"] = named.where(named.notna() & named.ne(""), first.stage).astype(TEXT)
    return pd.concat([first, made], ignore_index=True)


def _over(status: str) -> bool:
    return bool(DEAD_STATUS.search(status)) or "convert" in status.lower() or end_of(status) == WON


def _take_over(cases: pd.DataFrame, deals: pd.DataFrame, mine: pd.Series) -> pd.DataFrame:
    """What the opportunity knows better than its lead."""
    deal = deals.reindex(mine.to_numpy()).set_axis(mine.index)
    for name in ("close", "changed", "closed_", "won_", "amount", "stage", "reason"):
        cases.loc[mine.index, name] = deal[name]
    owner = deal.owner.where(deal.owner.notna(), cases.owner.reindex(mine.index))
    cases.loc[mine.index, "owner"] = owner
    source = cases.channel.reindex(mine.index)
    cases.loc[mine.index, "channel"] = source.where(source.notna(), deal.channel)
    for name in deals.columns:
        if name not in cases:
            cases[name] = deal[name].reindex(cases.index)
    cases["opportunity"] = pd.Series(mine, dtype=TEXT).reindex(cases.index)
    return cases


def leads_and_deals(
    read: tuple[Source, Source | None],
    found: list[Finding],
    *,
    day_first: bool | None,
    today: pd.Timestamp,
    until: pd.Timestamp | None,
    since: pd.Timestamp | None,
) -> Log:
    """Plain leads and the deals won of them: one stage, `lead`; nobody says who was lost."""
    source, won = read
    say_read(source, found)
    plain = {
        k: v for k, v in source.columns.items() if k in {"case", "created", "channel", "owner"}
    }
    cases, _ = case_rows(Source(source.kind, source.table, plain), found, day_first)
    cases["closed"] = pd.Series(pd.NaT, index=cases.index, dtype=NS)
    cases["outcome"] = pd.Series(OPEN, index=cases.index, dtype=TEXT)
    file = source.table.file
    if won is not None:
        say_read(won, found)
        cases = _won(cases, won, found, day_first)
    none = cases.created.isna()
    late = cases.created > (until if until is not None and until > today else today)
    early = cases.created < since if since is not None else none & False
    for rows, what in ((none, "without a date"), (late, "dated in the future"),
                       (early, f"from before {since}")):  # fmt: skip
        n = int(rows.sum())
        if n:
            found.append(Finding(file, n, f"leads {what}", "left out", str(cases.index[rows][0])))
    cases = cases[~(none | late | early)]
    if cases.empty:
        raise DataError(f"{file}: no lead is left. Check the dates asked for")
    extra = [c for c in ("close", "changed", "closed_", "won_", "stage", "reason") if c in cases]
    cases = cases.drop(columns=extra)
    found.append(
        Finding(file, int((cases.outcome == OPEN).sum()), "leads without an end", "taken as open",
                "no date says when a lead was lost; export the deals lost, or LeadHistory")
    )  # fmt: skip
    visits = _ending(cases.index, cases.created, LEAD_STAGE)
    visits = visits.rename(columns={"time": "entered"}).drop(columns="who")
    visits["started"] = pd.Series(pd.NaT, index=visits.index, dtype=NS)
    visits["left"] = cases.closed.to_numpy()
    visits["who"] = cases.owner.to_numpy()
    visits["who"] = visits.who.astype(TEXT)
    visits["worked"] = np.nan
    lead = ["created", "closed", "outcome", "channel", "owner", "amount"]
    cases = cases[[*lead, *(c for c in cases if c not in lead)]]
    last = whole_day(max(t for t in (cases.created.max(), cases.closed.max()) if not pd.isna(t)))
    files = tuple(s.table.file for s in read if s is not None)
    log = Log(cases, visits, since if since is not None else cases.created.min(), last, files)
    if until is None:
        return log
    cut = log.before(until + pd.Timedelta(1, "ns"))
    return Log(cut.cases, cut.visits, cut.since, until, files)


def _won(
    cases: pd.DataFrame, won: Source, found: list[Finding], day_first: bool | None
) -> pd.DataFrame:
    table, columns = won.table, won.columns
    key = as_ids(short_ids(table.frame[columns["case"]]))
    at, bad = as_times(table, columns["won_on"], "the date won", day_first)
    found += bad
    deal = pd.DataFrame({"at": at, "amount": np.nan})
    if "amount" in columns:
        deal["amount"], bad = as_money(table, columns["amount"], "the deal's value")
        found += bad
    deal["owner"] = as_ids(table.frame[columns["owner"]]) if "owner" in columns else pd.NA
    rest = {k: v for k, v in columns.items() if k != "account"}
    covariates(deal, table.frame, rest)
    deal.index = pd.Index(key.to_numpy())
    gone = key.isna().to_numpy() | deal["at"].isna().to_numpy() | deal.index.duplicated()
    orphan = ~gone & ~deal.index.isin(cases.index)
    before = ~gone & ~orphan
    before &= (deal["at"] < cases.created.reindex(deal.index)).to_numpy()
    for rows, what in (
        (gone, "rows without a lead or a date, or that repeat a lead"),
        (orphan, "rows whose lead is not among the leads read"),
        (before, "deals won before their lead's first contact"),
    ):
        if rows.any():
            where = f"line {table.line(int(rows.argmax()))}"
            action = "left out, with their leads" if rows is before else "left out"
            found.append(Finding(table.file, int(rows.sum()), what, action, where))
    if orphan.any() and not (~gone & ~orphan).any():
        raise DataError(
            f"{table.file}: none of its {len(deal):,} deals is of a lead among those read, such as "
            f"{deal.index[orphan][0]!r} where those are such as {cases.index[0]!r}. Export both "
            "with the same id"
        )
    cases = cases.drop(index=deal.index[before])
    deal = deal[~(gone | orphan | before)]
    cases["closed"] = deal["at"].reindex(cases.index).astype(NS)
    cases.loc[deal.index, "outcome"] = WON
    cases["amount"] = deal["amount"].reindex(cases.index)
    owner = deal["owner"].reindex(cases.index)
    cases["owner"] = owner.where(owner.notna(), cases.owner).astype(TEXT)
    for name in deal.columns:
        if name not in {"at", "amount", "owner"} and name not in cases:
            cases[name] = deal[name].reindex(cases.index)
    return cases
