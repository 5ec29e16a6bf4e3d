"""The arrays that a run of the batch engine changes."""

from __future__ import annotations

import numpy as np

from simulator import draws
from simulator.engines.batch.layout import BAND, BANDS, LEAD, LINE, LIVE, VISIT, Plan
from simulator.system import System
from simulator.weekly.records import Array


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
        self.run = plan.run.copy()
        self.channels, self.stages = plan.channels.copy(), plan.stages.copy()
        self.teams, self.people, self.idle = plan.teams.copy(), plan.people.copy(), plan.idle.copy()
        self.lines = np.empty(plan.lines, LINE)
        self.bands = np.empty(BANDS * len(plan.channels), BAND)
        self.leads = aligned(first + leads, LEAD)
        self.tally = np.empty((first + leads, teams + stages))
        self.lives = np.empty(plan.customers + leads, LIVE)
        self.cooling = np.empty(plan.customers + leads if system.accounts > 0 else 0)
        self.buckets = np.empty(self._buckets(leads), np.int32)
        self.due = np.empty((2, first + leads), np.int32)
        self.fates = np.zeros(fates, np.int64)
        self.rows = np.empty(rows, VISIT)
        self.by_stage = np.empty((times, 9, stages))
        self.by_team = np.empty((times, 4, teams))
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
        for name in ("run", "channels", "stages", "teams", "people", "idle"):
            getattr(self, name)[...] = getattr(plan, name)
        for c in self.channels:
            c["stream"] = draws.channel_stream(seed, replication, int(c["key"]))
        run = self.run[0]
        run["seed_base"] = draws.channel_stream(seed, replication, draws.name_key("customers"))
        run["keep_visits"] = visits
        run["buckets"] = len(self.buckets)
        span = system.horizon + system.warm_up
        run["per_week"] = (len(self.buckets) - 1) / (span * (1 + 1e-9))
        self.lines["head"] = self.lines["tail"] = -1
        self.buckets.fill(-1)
        self.fates.fill(0)

    def arguments(self) -> tuple[Array, ...]:
        """What the loop takes, in its order."""
        p = self.plan
        return (
            p.segments, p.channels_by, p.lift, p.stages_by, p.route, p.route_share, p.handoff,
            p.handoffs, p.handoffs_by, p.teams_by, p.agenda,
            self.run, self.channels, self.bands, self.stages, self.teams, self.people, self.idle,
            self.lines, self.leads, self.tally, self.lives, self.cooling,
            self.buckets, self.due, self.fates, self.rows,
            self.by_stage, self.by_team, self.by_fate, self.by_channel, self.by_time,
            self.ends, self.totals,
        )  # fmt: skip
