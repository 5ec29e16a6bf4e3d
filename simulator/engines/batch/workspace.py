"""The arrays that a run of the batch engine changes."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator import draws
from simulator.engines.batch.layout import BAND, BANDS, LEAD, LINE, LIVE, OWNERS, VISIT
from simulator.engines.batch.plan import Plan
from simulator.system import System
from simulator.weekly.records import Array
from simulator.weekly.state import beginning, holding, shown

STATE = "run channels stages teams people seats idle limits".split()  # that a run changes
MOVED = "segments channels_by stages_by handoffs_by".split()  # by the weekly step, where it is


def aligned(n: int, type_: np.dtype[np.void]) -> Array:
    """Room for n records from a boundary of a line of memory on."""
    raw = np.empty(n * type_.itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + n * type_.itemsize].view(type_)


class Workspace:
    """Room for a run of a system; used again for its next run."""

    def __init__(self, system: System, plan: Plan, leads: int, rows: int) -> None:
        self.system, self.plan, self.capacity = system, plan, leads
        stages, teams = len(plan.stages), len(plan.teams)
        self.first = first = 1 + BANDS * len(plan.channels)
        times, fates = len(system.grid), len(system.fates)
        owned = bool(system.owned.any())
        ruled = system.rules is not None
        self.shadow = leads if owned else 0
        extras = OWNERS + 2 * teams if owned or ruled else 0
        self.own = {name: getattr(plan, name).copy() for name in STATE}
        self.own |= {n: getattr(plan, n).copy() if ruled else getattr(plan, n) for n in MOVED}
        self.run, self.channels, self.teams = (self.own[n] for n in ("run", "channels", "teams"))
        rules = plan.rules
        self.slow = (beginning(rules), shown(rules), shown(rules), holding(rules))
        self.fresh = beginning(rules)
        self.lines = np.empty(plan.lines, LINE)
        self.bands = np.empty(BANDS * len(plan.channels), BAND)
        self.leads = aligned(first + leads + self.shadow, LEAD)
        self.tally = np.empty((first + leads, teams + stages + extras))
        self.lives = np.empty(plan.customers + leads, LIVE)
        self.cooling = np.empty(plan.customers + leads if system.accounts > 0 else 0)
        self.buckets = np.empty(self._buckets(leads), np.int32)
        self.due = np.empty((2, first + leads + self.shadow), np.int32)
        self.fates = np.zeros(fates, np.int64)
        self.rows = np.empty(rows, VISIT)
        self.by_stage = np.empty((times, 9, stages))
        self.by_team = np.empty((times, 5, teams))
        self.by_fate = np.empty((times, fates))
        self.by_channel = np.empty((times, len(plan.channels)))
        self.by_time = np.empty((times, 10))
        self.ends = np.empty((len(plan.channels), fates))
        self.totals = np.empty((3, fates))

    def _buckets(self, leads: int) -> int:
        """Enough for about one event each, within bounds."""
        return min(max(1024, 2 * leads), 1 << 20)

    def reset(self, seed: int, replication: int, *, visits: bool) -> None:
        """Go back to the state before a run."""
        plan, system = self.plan, self.system
        moved = MOVED if system.rules is not None else []
        for name in (*STATE, *moved):
            self.own[name][...] = getattr(plan, name)
        for now, start in zip(self.slow[0], self.fresh, strict=True):
            now[...] = start
        for array in (*self.slow[1], *self.slow[2], *self.slow[3]):
            array.fill(0)
        for c in self.channels:
            c["stream"] = draws.channel_stream(seed, replication, int(c["key"]))
        run = self.run[0]
        run["seed_base"] = draws.channel_stream(seed, replication, draws.name_key("customers"))
        run["people_stream"] = draws.channel_stream(seed, replication, draws.name_key("people"))
        run["shadow"] = self.shadow
        run["keep_visits"] = visits
        run["buckets"] = len(self.buckets)
        span = system.horizon + system.warm_up
        run["per_week"] = (len(self.buckets) - 1) / (span * (1 + 1e-9))
        self.lines["head"] = self.lines["tail"] = -1
        self.buckets.fill(-1)
        self.fates.fill(0)

    def moved(self) -> tuple[Any, Any]:
        """Spend (B, C) and lever cost (B,) as the run had them; None where none moved."""
        if self.system.rules is None:
            return None, None
        spend, lever = self.own["channels_by"]["spend"], self.own["segments"]["lever"]
        return np.ascontiguousarray(spend), np.ascontiguousarray(lever)

    def question(self) -> tuple[Any, ...]:
        """What the weekly step takes, but for when: see simulator.engines.slow."""
        return tuple(tuple(x) for x in (self.plan.rules, *self.slow))

    def arguments(self) -> tuple[Any, ...]:
        """What the loop takes, in its order: plain types, so that they name no version of ours."""
        p, o = self.plan, self.own
        tables = (
            o["segments"], o["channels_by"], o["stages_by"], o["handoffs_by"], p.teams_by, p.caps,
            p.lift,
        )  # fmt: skip
        floor = (
            o["stages"], o["teams"], o["people"], o["seats"], o["idle"], self.lines, self.leads,
            self.tally, self.rows, self.buckets, self.due,
        )  # fmt: skip
        return (
            tables, floor, tuple(self.slow[1]), tuple(self.slow[3]),
            p.route, p.route_share, p.handoff, p.handoffs, p.agenda,
            o["run"], o["channels"], o["limits"], self.bands, self.lives, self.cooling, self.fates,
            self.by_stage, self.by_team, self.by_fate, self.by_channel, self.by_time,
            self.ends, self.totals,
        )  # fmt: skip
