"""Cases that ended on a day nobody kept: given a day on which such cases mostly end.

Left open they would never be lost, and odds would be those of wins alone. Their outcome is known,
and so is that it came between their last known move and the end of the data: the day is drawn from
the times that cases with the same end took in the same stage, or from all stays in it, within that
span.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from simulator.errors import DataError
from simulator.fit.logs.log import OPEN, Log
from simulator.fit.logs.times import NS
from simulator.fit.tables import Finding

SHORTEST = 1 / 1440  # days
FEWEST = 20  # dated ends of a kind that tell how long it takes
FEWEST_ENDED = 30  # of a log


def dated(log: Log) -> Log:
    """The log with a day for every end; itself where all ends have one. The draws are fixed.

    Raises DataError where hardly any end has a day.
    """
    cases = log.cases
    unknown = cases["outcome"].ne(OPEN) & cases["closed"].isna()
    if not unknown.any():
        return log
    refuse_undated(log)
    last = log.visits.drop_duplicates("case", keep="last").set_index("case")
    stage = last["stage"].reindex(cases.index)
    since = last["entered"].reindex(cases.index).fillna(cases["created"])
    taken = _days(cases["closed"] - since)
    ended = cases["outcome"].ne(OPEN) & taken.notna()
    stayed = _days(log.visits["left"] - log.visits["entered"])
    rng = np.random.default_rng(1)
    closed = cases["closed"].copy()
    borrowed = 0
    kinds_borrowed = set()
    kinds = pd.DataFrame({"outcome": cases["outcome"], "stage": stage.fillna("")})[unknown]
    for place, outcome in kinds.drop_duplicates()[["stage", "outcome"]].itertuples(index=False):
        mine = kinds[kinds["stage"].eq(place) & kinds["outcome"].eq(outcome)]
        own = taken[ended & stage.eq(place) & cases["outcome"].eq(outcome)]
        here = stayed[log.visits["stage"].eq(place)].dropna()
        days = np.sort((own if len(own) >= FEWEST else here).to_numpy())
        if len(own) < FEWEST:
            borrowed += len(mine)
            kinds_borrowed.add((str(place), str(outcome)))
        begun = since[mine.index]
        room = _days(log.until - begun).to_numpy().clip(min=0.0)
        drawn = rng.random(len(mine)) * room
        if len(days) >= FEWEST:
            short = np.searchsorted(days, room, side="right")
            pick = (rng.random(len(mine)) * short).astype(np.int64)
            # drawn again and again they would look like a rule: smoothed, by Silverman's width
            logs = np.log(np.maximum(days, SHORTEST))
            width = 0.9 * float(logs.std()) * len(days) ** -0.2
            near = days[np.minimum(pick, len(days) - 1)] * np.exp(
                width * rng.standard_normal(len(mine))
            )
            drawn = np.where((short > 0) & (near < room), near, drawn)
        closed[mine.index] = (begun + pd.to_timedelta(drawn, unit="D")).astype(NS)
    cases = cases.assign(closed=closed.astype(NS))
    visits = log.visits.copy()
    ends = ~visits["case"].duplicated(keep="last") & visits["case"].isin(cases.index[unknown])
    ends &= visits["left"].isna()
    visits.loc[ends, "left"] = visits.loc[ends, "case"].map(closed).astype(NS)
    where = log.files[0] if log.files else "the log"
    action = "given days as dated ones of their stage have them: odds count them, times do not"
    if borrowed:
        action = (
            f"odds count them; {borrowed:,} have no dated ends of their kind, so days are those of "
            "others, and say nothing of how long these take"
        )
    found = Finding(where, int(unknown.sum()), "cases that ended on a day not known", action)
    return replace(
        log,
        cases=cases,
        visits=visits,
        findings=(*log.findings, found),
        drawn=frozenset(map(str, cases.index[unknown])),
        borrowed=frozenset(kinds_borrowed),
    )


def refuse_undated(log: Log) -> None:
    """Raise DataError where many cases ended and of hardly any the day is known."""
    over = log.cases["outcome"].ne(OPEN)
    known = int((over & log.cases["closed"].notna()).sum())
    if known < FEWEST_ENDED <= int(over.sum()):
        where = log.files[0] if log.files else "the log"
        raise DataError(
            f"{where}: of {known:,} of the {int(over.sum()):,} cases that ended the day is known; "
            f"{FEWEST_ENDED} are needed to say how long a case takes. Export the day each was "
            "closed, or the history of stages"
        )


def _days(length: pd.Series) -> pd.Series:
    out: pd.Series = length.dt.total_seconds() / 86_400
    return out
