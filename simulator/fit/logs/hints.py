"""Which stages are ends where neither their names nor ticks tell, as where stages are numbers.

Deals say it in other columns: how likely they are (1 or 0, alike in all of a stage), why they were
won or lost, that they are lost.
"""

from __future__ import annotations

import re

import pandas as pd

from simulator.fit.logs.deals import end_of
from simulator.fit.logs.log import WON
from simulator.fit.tables import MAX_BAD, Finding, Table

NUMBERED = re.compile(r"[\d\W_]+|[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")
ALIKE = 0.95  # share of a stage's deals that say the same of how likely they are
PAST = 0.8  # share of a stage's deals whose close date is past, where they are lost
SOME = 0.3  # share of a stage's deals that say why they ended so,
OTHERS = 0.05  # and the most of those that did not
FEWEST_SAID = 5  # deals that say why they were lost
FEWEST = 3  # deals of a stage, to tell what it is


def lost_by_reason(frame: pd.DataFrame, columns: dict[str, str]) -> bool:
    """Whether only a reason says of a deal that it was lost, in whatever stage it then was.

    So in programs that archive what is lost. Those that are won have none.
    """
    if (
        "reason" not in columns
        or "stage" not in columns
        or {"state", "closed", "lost"} & set(columns)
    ):
        return False
    stage, says = frame[columns["stage"]], frame[columns["reason"]].ne("")
    ends = {s: end_of(str(s)) for s in stage.unique()}
    if set(ends.values()) != {None, WON} or "won" in columns:
        return False
    won = stage.map(ends).eq(WON)
    if says[won].mean() > OTHERS or not FEWEST_SAID <= says.sum() < (~won).sum():
        return False
    by = says[~won].groupby(stage[~won]).mean()
    return bool((by > OTHERS).sum() > 1)  # of one stage only it is that stage's end


def tick_by_reason(
    cases: pd.DataFrame, table: Table, columns: dict[str, str], found: list[Finding]
) -> None:
    """Fill closed_ and won_ by who has a reason, and by the stages that are won."""
    ends = {s: end_of(str(s)) for s in cases["stage"].dropna().unique()}
    won = cases["stage"].map(ends).eq(WON)
    lost = table.frame[columns["reason"]].ne("") & ~won
    cases["closed_"], cases["won_"] = (won | lost).astype(float), won.astype(float)
    what, action = f"deals with a {columns['reason']}, in stages that go on", "taken as lost"
    found.append(Finding(table.file, int(lost.sum()), what, action))


def ends_by_hints(
    cases: pd.DataFrame, table: Table, columns: dict[str, str], found: list[Finding]
) -> None:
    """Fill closed_ and won_ of the deals in stages that neither names nor ticks say to be ends.

    cases: rows as those of the table, with the stage, closed_ and won_. Where some stages have
    names that tell, only those that are numbers are asked about.
    """
    stages = [str(s) for s in cases["stage"].dropna().unique()]
    named = any(end_of(stage) for stage in stages)
    asked = [s for s in stages if end_of(s) is None and (not named or NUMBERED.fullmatch(s))]
    ticked = cases["closed_"].notna().groupby(cases["stage"]).any()
    asked = [s for s in asked if not ticked.get(s, False)]
    if not asked:
        return
    told: dict[str, tuple[str, str]] = {}
    won = cases["won_"].groupby(cases["stage"]).mean()
    for stage in asked:
        if won.get(stage, 0.0) > 0.5:
            told[stage] = (WON, "")  # its ticks say so
    _by_chance(told, cases, table, columns, asked)
    _by_reason(told, cases, table, columns, asked)
    for stage, (end, by) in told.items():
        mine = cases["stage"].eq(stage)
        cases.loc[mine, "closed_"] = 1.0
        cases.loc[mine, "won_"] = float(end == WON)
        if by:
            what = f"deals in stage `{stage}`"
            found.append(Finding(table.file, int(mine.sum()), what, f"taken as {end}: {by}"))


def _by_chance(
    told: dict[str, tuple[str, str]],
    cases: pd.DataFrame,
    table: Table,
    columns: dict[str, str],
    asked: list[str],
) -> None:
    """Stages whose deals are all as likely as can be, or not at all."""
    if "probability" not in columns:
        return
    column = columns["probability"]
    text = table.frame[column]
    plain = text.str.replace("%", "", regex=False).str.replace(",", ".", regex=False).str.strip()
    chance = pd.to_numeric(plain, errors="coerce").astype(float)
    whole = 100.0 if chance.max() > 1.0 or text.str.contains("%", regex=False).any() else 1.0
    chance /= whole
    if not chance.gt(0.0).any() or chance.notna().mean() < 1.0 - MAX_BAD:
        return  # nobody fills it in
    by = chance.groupby(cases["stage"])
    # of a stage where deals begin, which may be at 0%, the close date is a guess, and to come
    past = (cases["close"] <= cases["created"].max()).groupby(cases["stage"]).mean()
    dated = bool(cases["close"].notna().any())
    for end, value in ((WON, 1.0), ("lost", 0.0)):
        share = chance.eq(value).groupby(cases["stage"]).mean()
        for stage in asked:
            guess = end != WON and dated and past[stage] < PAST
            enough = share[stage] >= ALIKE and by.size()[stage] >= FEWEST
            if stage not in told and enough and not guess:
                told[stage] = (end, f"their {column} is {value:.0%}")


def _by_reason(
    told: dict[str, tuple[str, str]],
    cases: pd.DataFrame,
    table: Table,
    columns: dict[str, str],
    asked: list[str],
) -> None:
    """Stages whose deals say why they were won, or lost, as no others do."""
    for end, role in ((WON, "won_reason"), ("lost", "reason")):
        if role not in columns:
            continue
        column = columns[role]
        says = table.frame[column].ne("")
        share = says.groupby(cases["stage"]).mean()
        many = says.groupby(cases["stage"]).size()
        mine = [s for s in asked if share[s] >= SOME and many[s] >= FEWEST and s not in told]
        if mine and says[~cases["stage"].isin([*mine, *told])].mean() <= OTHERS:
            for stage in mine:
                told[stage] = (end, f"{share[stage]:.0%} have a {column}, of others hardly any")
