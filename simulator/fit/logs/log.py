"""What every export becomes: cases, and the visits they made to stages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pandas as pd

from simulator.fit.tables import Finding

WON, LOST, OPEN = "won", "lost", "open"


@dataclass(frozen=True)
class Log:
    """Cases and their visits, as seen from ``since`` until ``until``; what is open is censored.

    cases: indexed by case (text); columns ``created`` and ``closed`` (datetime64[ns]; NaT: open,
        or ended on a day not known), ``outcome`` ("won", "lost", another end by its own name, or
        "open"), ``channel`` and
        ``owner`` (text or NA), ``amount`` (float; NaN: not stated), and covariates by own name.
    visits: in order of case and ``entered``; columns ``case``, ``stage`` (text), ``entered``
        (scheduled or moved there), ``started`` (a person began; NaT: not known), ``left`` (done
        or moved on; NaT: still there), ``who`` (text or NA), ``worked`` (hours a person worked on
        it; NaN: not known).
    files: what was read. findings: what was dropped or mended, and why.
    drawn: cases whose day of ending nobody kept, and that were given one (`undated`). borrowed:
    stage and outcome of those that have no dated ends of their kind, so that it tells nothing.
    """

    cases: pd.DataFrame
    visits: pd.DataFrame
    since: pd.Timestamp
    until: pd.Timestamp
    files: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = field(default=())
    drawn: frozenset[str] = frozenset()
    borrowed: frozenset[tuple[str, str]] = frozenset()

    def before(self, time: pd.Timestamp) -> Log:
        """What was known at a time: later cases gone, what ended later open."""
        cases = self.cases[self.cases["created"] < time].copy()
        late = ~(cases["closed"] < time)
        cases.loc[late, "closed"] = pd.NaT
        cases.loc[late, "outcome"] = OPEN
        visits = self.visits[self.visits["entered"] < time].copy()
        visits = visits[visits["case"].isin(cases.index)]
        visits.loc[~(visits["started"] < time), "started"] = pd.NaT
        ended = visits["left"] < time
        visits.loc[~ended, "left"] = pd.NaT
        visits.loc[~ended, "worked"] = float("nan")
        return replace(self, cases=cases, visits=visits, until=min(self.until, time))
