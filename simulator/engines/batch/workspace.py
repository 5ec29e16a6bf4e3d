"""The arrays that a run of the batch engine changes."""

from __future__ import annotations

import math
from itertools import chain, islice
from typing import Any, Final

import numpy as np

from simulator import draws
from simulator.engines.batch.layout import (
    BAND,
    BANDS,
    FATED,
    FIRST,
    LEAD,
    LINE,
    LIVE,
    NODE,
    TOLD,
    VISIT,
    Books,
    Demand,
    Ends,
    Floor,
    Tables,
    Ways,
)
from simulator.engines.batch.plan import Plan
from simulator.engines.batch.queue import AHEAD
from simulator.engines.ledgers import Planned
from simulator.system import System
from simulator.weekly.records import Array, filled
from simulator.weekly.state import beginning, holding, shown

STATE = "run channels stages teams people seats idle limits".split()  # that a run changes
MOVED = "segments channels_by stages_by handoffs_by".split()  # by the weekly step, where it is


LINE_OF_MEMORY: Final = 64  # bytes
LARGE_PAGE: Final = 1 << 21  # bytes


def roomy(*wanted: tuple[tuple[int, ...], Any]) -> list[Array]:
    """Arrays of shapes and types in one piece of memory, each from the start of a line on.

    A large piece begins with a large page, where the system has such: a run goes to and fro in it,
    and would look up small pages as often as it reads.
    """
    kinds = [(shape, np.dtype(kind)) for shape, kind in wanted]
    sizes = [math.prod(shape) * kind.itemsize for shape, kind in kinds]
    starts = np.cumsum([0, *(-(-size // LINE_OF_MEMORY) * LINE_OF_MEMORY for size in sizes)])
    whole = int(starts[-1])
    edge = LARGE_PAGE if whole > LARGE_PAGE else LINE_OF_MEMORY
    room = np.empty(whole + edge, np.uint8)
    first = -room.ctypes.data % edge
    return [
        room[first + start : first + start + size].view(kind).reshape(shape)
        for (shape, kind), start, size in zip(kinds, starts.tolist(), sizes, strict=False)
    ]


def together(arrays: list[Array]) -> tuple[Array, list[Array]]:
    """The same arrays side by side, and the bytes of all of them, which one copy puts back."""
    ends = np.cumsum([-(-a.nbytes // LINE_OF_MEMORY) * LINE_OF_MEMORY for a in arrays]).tolist()
    room = np.zeros(ends[-1], np.uint8)
    made = [
        room[start : start + a.nbytes].view(a.dtype).reshape(a.shape)
        for a, start in zip(arrays, [0, *ends], strict=False)
    ]
    for mine, theirs in zip(made, arrays, strict=True):
        mine[...] = theirs
    return room, made


class Workspace:
    """Room for a run of a system; used again for its next run."""

    def __init__(
        self, system: System, plan: Plan, leads: int, visits: int, *, table: bool = True
    ) -> None:
        """Room for so many leads and visits. table: and for the table of leads."""
        self.system, self.plan, self.capacity, self.table = system, plan, leads, table
        stages, teams = len(plan.stages), len(plan.teams)
        self.grid = system.grid
        self.stated = Planned(system).upto(self.grid)
        times, fates = len(self.grid), len(system.fates)
        owned = bool(system.owned.any())
        ruled = system.rules is not None
        self.shadow = leads if owned else 0
        owners = 2 * teams if owned else 0
        names, rules = [*STATE, *(MOVED if ruled else [])], plan.rules
        slow = (beginning(rules), shown(rules), shown(rules), holding(rules))
        lines = filled(LINE, plan.lines, head=-1, tail=-1)
        small = [getattr(plan, name) for name in names]
        self.changing, made = together([*small, *chain(*slow), lines, np.zeros(fates, np.int64)])
        *made, self.lines, self.fates = made
        self.own = dict(zip(names, made, strict=False))
        self.own |= {name: getattr(plan, name) for name in MOVED if not ruled}
        self.run, self.channels, self.teams = (self.own[n] for n in ("run", "channels", "teams"))
        rest = iter(made[len(names) :])
        self.slow = tuple(tuple(islice(rest, len(group))) for group in slow)
        self.bands = np.empty(BANDS * len(plan.channels), BAND)
        self.coming = np.empty(BANDS * len(plan.channels), FIRST)
        # Places are taken from the first on, so of these only as much is touched as is in use.
        events = 1 + leads + self.shadow
        (
            self.nodes, self.leads, self.tally, self.due, self.sorting, self.buckets,
            self.fated, self.lives, self.told, self.hours, self.cooling,
        ) = roomy(
            ((1 + events,), NODE), ((1 + leads,), LEAD),
            ((1 + leads, teams + stages + owners), np.float64),
            ((events,), FIRST), ((events,), FIRST), ((self._buckets(leads) + AHEAD,), FIRST),
            ((leads,), FATED), ((plan.customers + leads,), LIVE),
            ((leads if table else 0,), TOLD), ((leads if table else 0, teams), np.float64),
            ((plan.customers + leads if system.accounts > 0 else 0,), np.float64),
        )  # fmt: skip
        self.nodes[0] = (math.inf, -1, -1)
        self.nodes = self.nodes[1:]  # with a node -1, which never happens
        self.visits = np.empty(visits, VISIT)
        self.by_stage = np.empty((times, 11, stages))
        self.by_team = np.empty((times, 7, teams))
        self.by_fate = np.empty((times, fates))
        self.by_channel = np.empty((times, len(plan.channels)))
        self.by_time = np.empty((times, 10))
        self.ends = np.empty((len(plan.channels), fates))
        self.totals = np.empty((3, fates))
        run = self.run[0]
        run["shadow"], run["keep_leads"] = self.shadow, self.table
        span = system.horizon + system.warm_up
        run["per_week"] = (len(self.buckets) - AHEAD - 1) / (span * (1 + 1e-9))
        self.begun = self.changing.copy()

    def _buckets(self, leads: int) -> int:
        """Enough for about one event each, within bounds."""
        return min(max(1024, 2 * leads), 1 << 20)

    def reset(self, seed: int, replication: int, *, visits: bool) -> None:
        """Go back to the state before a run."""
        self.changing[...] = self.begun
        for c in self.channels:
            c["stream"] = draws.channel_stream(seed, replication, int(c["key"]))
        run = self.run[0]
        run["seed_base"] = draws.channel_stream(seed, replication, draws.name_key("customers"))
        run["people_stream"] = draws.channel_stream(seed, replication, draws.name_key("people"))
        run["keep_visits"] = visits
        self.buckets["node"] = -1

    def planned(self) -> dict[str, Array]:
        """Cumulative spend (T, C), lever cost (T,) and overhead (T,) as the run had them."""
        if self.system.rules is None:
            return {name: values.copy() for name, values in self.stated.items()}
        spend, lever = self.own["channels_by"]["spend"], self.own["segments"]["lever"]
        planned = Planned(self.system, np.ascontiguousarray(spend), np.ascontiguousarray(lever))
        return planned.upto(self.grid)

    def question(self) -> tuple[Any, ...]:
        """What the weekly step takes, but for when: see simulator.engines.slow."""
        return tuple(tuple(x) for x in (self.plan.rules, *self.slow))

    def arguments(self) -> tuple[Any, ...]:
        """What the loop takes, in its order: plain types, so that they name no version of ours."""
        p, o, system = self.plan, self.own, self.system
        groups = (
            Tables(
                o["segments"], o["channels_by"], o["stages_by"], o["handoffs_by"], p.teams_by,
                p.caps, p.lift,
            ),
            Floor(
                o["stages"], o["teams"], o["people"], o["seats"], system.hires, o["idle"],
                self.lines, self.leads, self.tally, self.visits, self.nodes, self.buckets, self.due,
                self.sorting,
            ),
            Ends(self.fates, self.fated, self.told, self.hours, self.lives, self.cooling),
            Demand(o["channels"], self.bands, self.coming),
            Ways(p.route, p.route_share, p.handoff, p.handoffs),
            Books(
                self.by_stage, self.by_team, self.by_fate, self.by_channel, self.by_time,
                self.ends, self.totals,
            ),
            self.slow[1],
            self.slow[3],
        )  # fmt: skip
        return (tuple(tuple(group) for group in groups), p.agenda, o["run"], o["limits"])
