"""Stage changes of deals as cases and visits, whatever program they come from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from simulator.errors import DataError
from simulator.fit.logs.files import TEXT, places, taken, within
from simulator.fit.logs.log import OPEN, WON, Log
from simulator.fit.logs.spelling import one_spelling, respelled
from simulator.fit.logs.times import NS
from simulator.fit.read import slug
from simulator.fit.tables import Finding, refuse_future

_WON = re.compile(
    r"(?:^|_)won(?:_|$)|^closedwon$|^(?:deal_)?signed$|^customer$|"
    r"(?:^|_)(?:gewonnen|ganad[oa]|gagn(?:_|_?ee?|$)|vint[oa](?:_|$))|"  # de, nl, es, fr, it
    r"(?:^|_)(?:wygran[aeoy]|vunn(?:en|et|a)|vundet)(?:_|$)"  # pl, sv, no, da
)
_WON_HAN, _LOST_HAN = re.compile("受注|成約|赢单|赢得|成交"), re.compile("失注|输单|丢单|流失")
_ELSEWHERE = re.compile(
    r"(?:^|_)(?:verloren|perdid[oa]|perdue?s?(?:_|$)|pers[oa](?:_|$)|"
    r"przegran[aeoy](?:_|$)|forlorad|tapt(?:_|$)|tabt(?:_|$))"
)
_LOST = re.compile(
    r"(?:^|_)lost(?:_|$)|^closedlost$|dis_?qualified|un_?qualified|no_decision|^dead$|abandoned|"
    r"cancell?ed|rejected|declined|not_converted|^junk$|" + _ELSEWHERE.pattern
)
_STALLED = re.compile(
    r"(?i)no.?decision|status.?quo|did not (?:decide|proceed)|inaction|indecision"
)
BEFORE_MADE = "deals that ended before they were made"
BOTH = "won or lost, as ticks say"
NO_END = "stages, of which none is known to end a deal"
WHOLE = "opportunity"  # the one stage of deals whose stages nobody kept


@dataclass(frozen=True, slots=True)
class Parts:
    """What files say of deals, before it is put together.

    cases: by case; created, close (when it says it ended), changed (its last move), stage (now),
    closed and won (1, 0 or NaN), owner, channel, amount, reason, and covariates.
    moves: case, time, stage, who, in the order they were made where times are alike.
    ends: stage -> outcome, where the files tell. histories: whether moves are all of them. spelled:
    a stage's other spellings -> its own.
    """

    file: str
    cases: pd.DataFrame
    moves: pd.DataFrame
    ends: Mapping[str, str]
    histories: bool
    spelled: Mapping[str, str] = field(default_factory=dict)


def whole_day(last: pd.Timestamp) -> pd.Timestamp:
    """The last moment that is covered: of a date without a time, the end of its day."""
    bare = last == last.normalize()
    return last + pd.Timedelta(days=1) - pd.Timedelta(1, "ns") if bare else last


def no_moves() -> pd.DataFrame:
    """Moves, none."""
    text, time = pd.Series([], dtype=TEXT), pd.Series([], dtype=NS)
    return pd.DataFrame({"case": text, "time": time, "stage": text, "who": text})


def end_of(stage: str) -> str | None:
    """What a stage's name says it ends in: won, lost, another end, or nothing."""
    if _LOST_HAN.search(stage):
        return "lost"
    if _WON_HAN.search(stage):
        return WON
    name = slug(re.sub(r"\s*\([^()]*\)$", "", stage))  # without HubSpot's pipeline
    name = re.sub(r"^(?:c_)?(?:\d+_)+(?=[a-z])", "", name)  # 7 - Closed Lost
    if _LOST.search(name):
        if _ELSEWHERE.search(name):
            return "lost"
        own = re.sub(r"^closed_?", "", name)
        return "no_decision" if "no_decision" in own else own
    return WON if _WON.search(name) else None


def ends_of(
    parts: Parts, won: Sequence[str], lost: Sequence[str], found: list[Finding]
) -> dict[str, str]:
    """The stages that end a deal, and in what."""
    stages = {str(s) for s in parts.moves.stage.unique()}
    stages |= {str(s) for s in parts.cases.stage.dropna().unique()}
    for name in (*won, *lost):
        if name not in stages:
            import difflib

            near = difflib.get_close_matches(name, stages, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" There are {sorted(stages)}"
            raise DataError(f"{parts.file}: no stage named {name!r}.{hint}")
    out: dict[str, str] = {}
    for stage in sorted(stages):
        told = parts.ends.get(stage)
        named = end_of(stage)
        if told == "lost" and named not in {None, WON}:
            told = named
        end = WON if stage in won else (end_of(stage) or "lost") if stage in lost else told
        end = end if end is not None else (named if stage not in parts.ends else None)
        if end is not None and told != OPEN:
            out[stage] = end
    if out:
        text = ", ".join(f"`{s}` {o}" for s, o in out.items())
        found.append(Finding(parts.file, len(out), "stages that end a deal", text))
    elif stages and not (parts.cases.closed_.eq(1.0) | parts.cases.won_.eq(1.0)).any():
        found.append(Finding(parts.file, len(stages), NO_END, _which_end(parts)))
    return out


def _which_end(parts: Parts) -> str:
    """What to say where no stage is known to be an end: how many are in each, and what to type."""
    counts = parts.cases.stage.dropna().value_counts()
    moves = parts.moves.sort_values(["case", "time"], kind="stable")
    on = moves.case.eq(moves.case.shift(-1)) & moves.stage.ne(moves.stage.shift(-1))
    left = set(moves.stage[on])
    shown = [f"`{s}` {int(n):,}" for s, n in counts.items()]
    more = f" and {len(shown) - 12} more" if len(shown) > 12 else ""
    stuck = [str(s) for s in counts.index if s not in left] if len(moves) else []
    told = f"deals now in {', '.join(shown[:12])}{more}"
    if stuck and left:
        told += f"; nobody left {', '.join(f'`{s}`' for s in stuck[:12])}"
    asked = [_typed(name) for name in (stuck or [str(s) for s in counts.index])[:4]]
    each = "; ".join(f"--won {name} or --lost {name}" for name in asked)
    return f"{told}. Of those that are ends, say which: {each}" if asked else told


def _typed(name: str) -> str:
    """A name as a command line takes it."""
    return name if re.fullmatch(r"[\w.-]+", name) else f'"{name}"'


def assemble(
    parts: Parts,
    files: tuple[str, ...],
    *,
    won: Sequence[str] = (),
    lost: Sequence[str] = (),
    today: pd.Timestamp,
    until: pd.Timestamp | None = None,
    since: pd.Timestamp | None = None,
    found: list[Finding],
) -> Log:
    """One Log of deals. Raises DataError where nothing is left of them."""
    parts = _spelled(parts, found)
    won, lost = ([parts.spelled.get(name, name) for name in names] for names in (won, lost))
    ends = ends_of(parts, won, lost, found)
    cases, moves = parts.cases, parts.moves
    parts = replace(parts, cases=cases.iloc[:0], moves=moves.iloc[:0])  # there are millions of them
    limit = until if until is not None and until > today else today
    moves = _future(moves, moves.time > limit, "changes", parts.file, limit, found)
    cases = cases.copy()
    first = moves.groupby("case").time.min()
    unmade = int((cases.created.isna() & first.reindex(cases.index).notna()).sum())
    if unmade:
        what, action = "deals without a date of creation", "taken as made at their first change"
        found.append(Finding(parts.file, unmade, what, f"{action}; export the day of each"))
    cases["created"] = cases.created.where(
        cases.created.notna(), first.reindex(cases.index).astype(NS)
    )
    late = cases.created > limit
    cases = _future(cases, late, "deals", parts.file, limit, found)
    if len(cases) and cases.created.isna().all():
        raise DataError(
            f"{parts.file}: none of its {len(cases):,} deals has a date of creation, and no "
            "history tells when they began. Export CreatedDate, or OpportunityHistory"
        )
    cases = _out(cases, cases.created.isna(), "deals without a date of creation", parts.file, found)
    if since is not None:
        cases = _out(cases, cases.created < since, f"deals from before {since}", parts.file, found)
    if cases.empty:
        raise DataError(f"{parts.file}: no deal is left. Check the dates asked for")
    moves = moves[within(moves.case, cases.index)]
    moves = _collapse(_with_now(moves, cases, ends, parts), found, parts.file)
    cases, moves = _closed(cases, moves, ends, parts, limit, found)
    visits = _visits(cases, moves, ends)
    if cases.reason.isna().all():
        cases = cases.drop(columns="reason")
    cases = cases.drop(columns=["close", "changed", "closed_", "won_", "stage"])
    leading = ["created", "closed", "outcome", "channel", "owner", "amount"]
    cases = cases[[*leading, *(c for c in cases if c not in leading)]]
    cases.index.name = "case"
    seen = [cases.created.max(), cases.closed.max(), moves.time.max()]
    last = whole_day(max(t for t in seen if not pd.isna(t)))
    start = since if since is not None else cases.created.min()
    log = Log(cases, visits, start, until if until is not None else last, files, ())
    if until is not None:
        later = int((cases.created > until).sum() + (cases.closed > until).sum())
        if later:
            what = f"deals created or closed after {until}"
            found.append(Finding(parts.file, later, what, "taken as not seen yet"))
        log = log.before(until + pd.Timedelta(1, "ns"))
        log = Log(log.cases, log.visits, start, until, files, ())
        if log.cases.empty:
            raise DataError(f"{parts.file}: no deal up to {until}. Check the dates asked for")
    return log


def _spelled(parts: Parts, found: list[Finding]) -> Parts:
    """The same with one spelling of each stage."""
    counts = parts.moves.stage.value_counts().add(parts.cases.stage.value_counts(), fill_value=0)
    named = {str(name): int(n) for name, n in counts.items()}
    one = one_spelling(named, "stage", parts.file, found)
    if not one:
        return parts
    cases = parts.cases.assign(stage=respelled(parts.cases.stage, one))
    moves = parts.moves.assign(stage=respelled(parts.moves.stage, one))
    mine = sorted(parts.ends, key=lambda stage: stage not in one)  # its own spelling tells
    ends = {one.get(stage, stage): parts.ends[stage] for stage in mine}
    return replace(parts, cases=cases, moves=moves, ends=ends, spelled=one)


def _future(
    frame: pd.DataFrame,
    rows: pd.Series,
    what: str,
    file: str,
    limit: pd.Timestamp,
    found: list[Finding],
) -> pd.DataFrame:
    if rows.any():
        one = frame[rows].iloc[0]
        name, at = one.get("case", one.name), one.get("time", one.get("created"))
        place = f"{file}: deal {name}, {at:%Y-%m-%d}"
        refuse_future(int(rows.sum()), len(frame), what, limit, place)
    return _out(frame, rows, f"{what} dated in the future", file, found)


def _out(
    frame: pd.DataFrame, rows: pd.Series, what: str, file: str, found: list[Finding]
) -> pd.DataFrame:
    n = int(rows.sum())
    if not n:
        return frame
    one = frame[rows].iloc[0]
    example = f"{one['case'] if 'case' in frame else one.name}"
    found.append(Finding(file, n, what, "left out", example))
    return frame[~rows]


def _with_now(
    moves: pd.DataFrame, cases: pd.DataFrame, ends: Mapping[str, str], parts: Parts
) -> pd.DataFrame:
    """Moves, and what else is known of where deals were and are."""
    seen = within(cases.index, moves.case)
    none = cases[~seen]
    extra = []
    if parts.histories:
        # never moved since it was made
        still = none[none.stage.notna() & ~none.stage.isin(list(ends))]
        extra.append(_made(still, still.created, still.stage))
        gone = none[none.stage.isna() | none.stage.isin(list(ends))]
        extra.append(_made(gone, gone.created, WHOLE))
    else:
        extra.append(_made(none, none.created, WHOLE))
        moved = none[none.changed.gt(none.created) & ~none.stage.isin(list(ends))]
        extra.append(_made(moved, moved.changed, moved.stage))
    got = [moves, *(e for e in extra if len(e))]
    return pd.concat(got, ignore_index=True) if len(got) > 1 else moves


def _made(cases: pd.DataFrame, time: pd.Series, stage: object) -> pd.DataFrame:
    frame = pd.DataFrame({"case": cases.index.astype(TEXT), "time": time.to_numpy()})
    values = stage.to_numpy() if isinstance(stage, pd.Series) else stage
    frame["stage"] = pd.Series(values, index=frame.index, dtype=TEXT)
    frame["who"] = pd.Series(pd.NA, index=frame.index, dtype=TEXT)
    return frame


def _collapse(moves: pd.DataFrame, found: list[Finding], file: str) -> pd.DataFrame:
    """Moves in order, without saves that moved nothing."""
    moves = moves.sort_values(["case", "time"], kind="stable", ignore_index=True)
    case, stage = pd.factorize(moves.case)[0], pd.factorize(moves.stage)[0]
    same = np.zeros(len(moves), dtype=bool)
    same[1:] = (case[1:] == case[:-1]) & (stage[1:] == stage[:-1])
    if same.any():
        what = "saves that changed no stage"
        found.append(Finding(file, int(same.sum()), what, "taken as one with the save before"))
    kept: pd.DataFrame = moves[~same].reset_index(drop=True)
    return kept


def _closed(
    cases: pd.DataFrame,
    moves: pd.DataFrame,
    ends: Mapping[str, str],
    parts: Parts,
    limit: pd.Timestamp,
    found: list[Finding],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """When and in what each deal ended."""
    case = pd.factorize(moves.case)[0]
    ended = moves.stage.isin(list(ends)).to_numpy()
    last = np.r_[case[1:] != case[:-1], True] if len(case) else np.array([], dtype=bool)
    # the run of ends that a deal's moves close with: it ended when the run began
    group = np.r_[0, np.cumsum((case[1:] != case[:-1]) | (ended[1:] != ended[:-1]))]
    runs = pd.DataFrame({"time": moves.time, "run": group[: len(case)], "last": last})
    begun = runs.groupby("run").time.transform("first")
    final = moves[last & ended].set_index("case").stage
    when = pd.Series(begun.to_numpy()[last & ended], index=final.index)
    reopened = moves.case[ended & ~last][~runs["run"].isin(runs["run"][last & ended])]
    n = int(reopened.nunique())
    if n:
        what = "deals reopened after an end"
        found.append(Finding(parts.file, n, what, "their last end counts", reopened.iloc[0]))
    stage = final.reindex(cases.index)
    now = cases.stage.where(cases.stage.isin(list(ends)))
    closed_now = cases.closed_.eq(1.0) | now.notna()
    said = cases.changed.where(cases.changed.notna(), cases.close)
    only_now = stage.isna() & closed_now
    time = when.reindex(cases.index).astype(NS)
    time = time.where(~only_now, said.astype(NS))
    outcome = stage.where(stage.notna(), now).astype(object).map(dict(ends)).astype(TEXT)
    told = pd.Series(np.where(cases.won_.eq(1.0), WON, "lost"), index=cases.index, dtype=TEXT)
    outcome = outcome.where(outcome.notna() | ~closed_now, told)
    outcome = outcome.mask(outcome.eq(BOTH), told)
    early = time < cases.created
    same_day = early & (time.dt.normalize() >= cases.created.dt.normalize())
    time = time.mask(same_day, cases.created)  # a date is the day's midnight
    before = early & ~same_day
    if before.any():
        example = f"{cases.index[before.to_numpy()][0]}"
        what = BEFORE_MADE
        found.append(Finding(parts.file, int(before.sum()), what, "left out", example))
    future = time > limit
    if future.any():
        row = cases[future.to_numpy()].iloc[0]
        place = f"{parts.file}: deal {row.name}, closed on {time[future].iloc[0]:%Y-%m-%d}"
        refuse_future(int(future.sum()), int(time.notna().sum()), "closed deals", limit, place)
        what = "closed deals with a close date in the future"
        found.append(Finding(parts.file, int(future.sum()), what, "ended on a day not known"))
        time = time.mask(future)
    unknown = outcome.notna() & time.isna()
    if unknown.any():
        what = "deals that ended on a day not known"
        action = "outcome kept, without a time; export the history of stages or statuses"
        found.append(Finding(parts.file, int(unknown.sum()), what, action))
    cases["closed"] = time.astype(NS)
    if "reason" in cases:
        stalled = cases.reason.fillna("").str.contains(_STALLED.pattern) & outcome.eq("lost")
        outcome = outcome.mask(stalled, "no_decision")
    cases["outcome"] = outcome.fillna(OPEN).astype(TEXT)
    gone = cases.index[before.to_numpy()]
    return cases[~before], moves[~within(moves.case, gone)]


def _visits(cases: pd.DataFrame, moves: pd.DataFrame, ends: Mapping[str, str]) -> pd.DataFrame:
    case = pd.factorize(moves.case)[0]
    after = np.r_[case[1:] == case[:-1], False] if len(case) else np.array([], dtype=bool)
    time = moves.time.to_numpy().astype(NS)
    left = np.where(after, np.r_[time[1:], time[:1]], np.datetime64("NaT"))
    who, movers = pd.factorize(moves.who)
    mover = np.full(len(who), -1, dtype=np.int64)
    mover[:-1][after[:-1]] = who[1:][after[:-1]]  # who moved it on has worked on it
    at = places(moves.case, cases.index)
    over = cases.closed.to_numpy().astype(NS)[at]
    left = np.where(after | np.isnat(over), left, np.maximum(over, time))
    own, owners = pd.factorize(cases.owner)
    owner = np.where(own[at] >= 0, own[at] + len(movers), -1)
    names = [*map(str, movers), *map(str, owners)]
    kept = ~moves.stage.isin(list(ends)).to_numpy()
    who_it_was = np.where(mover >= 0, mover, owner)[kept]
    n = int(kept.sum())
    return pd.DataFrame(
        {
            "case": moves.case[kept].astype(TEXT).array,
            "stage": moves.stage[kept].astype(TEXT).array,
            "entered": time[kept],
            "started": np.full(n, np.datetime64("NaT"), dtype=NS),
            "left": left[kept].astype(NS),
            "who": taken(names, who_it_was).array,
            "worked": np.full(n, np.nan),
        }
    )
