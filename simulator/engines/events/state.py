"""What the events engine knows: leads, work, and the state of a run."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Any

import simpy
from simpy.events import EventPriority

from simulator import draws
from simulator.engines.events.slow import Slow
from simulator.engines.ledgers import Contracts, Snapshots, Team
from simulator.engines.tables import Tables
from simulator.system import END, IN_PROCESS, System, lost

URGENT, NORMAL, LATE, LAST = map(EventPriority, range(4))  # order within one instant
Process = Generator[simpy.Event, Any, None]


class Lead:
    """One lead on its way."""

    __slots__ = (
        "arr", "arrived", "channel", "cost", "ended", "fate", "fit", "handoff", "hours", "id",
        "key", "limit", "live", "lure", "odds", "owners", "recycled", "stage", "value", "visits",
        "weight", "won",
    )  # fmt: skip

    def __init__(
        self, name: int, key: int, channel: int, fit: int, value: float, now: float
    ) -> None:
        self.id, self.key, self.channel, self.fit, self.value = name, key, channel, fit, value
        self.arrived = now
        self.stage = -1
        self.fate = -1
        self.handoff = -1  # that brought it here
        self.recycled = 0
        self.visits: dict[int, int] = {}
        self.hours: dict[int, float] = {}
        self.cost = 0.0
        self.weight = 0.0  # of its contract
        self.arr = 0.0
        self.lure = 1.0  # factor on churn of a discount
        self.odds = 1.0  # left by a change of owner
        self.limit = -1  # the WIP cap that it counts in
        self.owners: dict[int, tuple[int, int]] = {}  # by team: person, how manieth
        self.won = self.live = self.ended = math.nan


class Work(simpy.Event):
    """A lead's wait for a team and the work on it: happens when the work is done, or it is cold."""

    __slots__ = (
        "clock", "effort", "entered", "lead", "passing", "pay", "person", "stage", "started",
        "trace",
    )  # fmt: skip

    def __init__(self, env: simpy.Environment, lead: Lead, stage: int, effort: float) -> None:
        super().__init__(env)
        self.lead, self.stage, self.effort = lead, stage, effort
        self.entered = env.now
        self.started = math.nan
        self.person = -1
        self.passing = False  # from an owner who left to the next
        self.clock = self.pay = 0.0
        self.trace = -1


class State:
    """One replication in progress: what there is, and the clock."""

    def __init__(self, system: System, seed: int, replication: int, keep_visits: bool) -> None:
        self.system, self.seed, self.replication = system, seed, replication
        self.env = simpy.Environment(initial_time=-system.warm_up)
        self.p = Tables(system)
        self.segment = 0
        stages, channels = len(system.stage_names), len(system.channel_names)
        self.teams = [Team(system, m) for m in range(len(system.team_names))]
        self.contracts = Contracts(system)
        self.snapshots = Snapshots(system)
        self.leads: list[Lead] = []
        self.in_work: set[Work] = set()
        self.tickets = 0
        self.events = 0
        self.fates = [0] * len(system.fates)
        self.stock = {
            k: [0] * stages for k in ("waiting", "working", "buyer", "transit", "nurture")
        }
        self.flow = {k: [0] * stages for k in ("entered", "started", "advanced")}
        self.wait = [0.0] * stages
        self.sla_met, self.sla_due = [0] * stages, [0] * stages
        self.cycle = 0.0
        self.arrived = [0] * channels
        self.opening = [0] * channels
        self.seat_share = system.people.share.tolist()
        self.seat_ramp_from = system.people.ramp_from.tolist()
        # Of a person: weeks to ramp, worth, and how fast they quit while they ramp and after.
        self.seat_span = system.ramp[system.people.team].tolist()
        self.seat_gift = [1.0] * len(self.seat_share)
        here = system.hires[system.people.team, 0]
        self.seat_quits = list(zip(here["early"].tolist(), here["later"].tolist(), strict=True))
        self.there = [False] * len(self.seat_share)
        self.leaving: set[int] = set()
        self.taken = round(system.customers.start)  # accounts that cannot become leads now
        self.cooling = 0
        self.base: list[tuple[float, bool]] = []  # customers of week 0: weight, still here
        self.live: list[tuple[float, int, Lead | None]] = []  # heap by the hazard that ends them
        self.churn_alarm = 0  # only the latest alarm counts
        self.opened = False  # whether week 0 has come
        self.bands = [0] * channels  # bands of the rate axis that are awake
        self.carried = system.channels.carried.tolist()
        self.streams = [
            draws.channel_stream(seed, replication, int(k)) for k in system.channels.key
        ]
        self.base_stream = draws.channel_stream(seed, replication, draws.name_key("customers"))
        self.visits: list[list[float]] | None = [] if keep_visits else None
        self.visits_from = 0  # the first that counts: of week 0
        self.slow = Slow(system, seed, replication) if system.rules is not None else None
        self.discount = 0.0
        self.won_by = [0] * channels
        self.kept_by = [0.0] * channels  # weights of contracts in force
        self.counts = [0] * len(system.limits.inside)  # leads in each WIP cap
        self.outside: list[deque[simpy.Event]] = [deque() for _ in self.counts]
        # Of teams whose people own their leads: what waits for each, and how many each owns.
        self.desks: list[list[tuple[int, int, Work]]] = [[] for _ in self.seat_share]
        self.owned = [0] * len(self.seat_share)
        self.manieth = [0] * len(self.seat_share)  # person in a seat

    def at(self, time: float, action: Callable[[], None], priority: EventPriority = NORMAL) -> None:
        """Do something at a time."""
        event = self.env.event()
        event.callbacks.append(lambda _: action())
        event._ok, event._value = True, None
        self.env.schedule(event, priority, time - self.env.now)

    def place(self, lead: Lead, stage: int) -> None:
        """Count a lead in process at a stage."""
        if stage in {lead.stage, END}:
            return
        if lead.stage >= 0:
            self.fates[lost(lead.stage, IN_PROCESS)] -= 1
        self.fates[lost(stage, IN_PROCESS)] += 1
        lead.stage = stage

    def settle(self, lead: Lead, fate: int) -> None:
        """Give a lead its fate."""
        if lead.fate >= 0:
            self.fates[lead.fate] -= 1
        elif lead.stage >= 0:
            self.fates[lost(lead.stage, IN_PROCESS)] -= 1
        self.fates[fate] += 1
        lead.fate, lead.ended = fate, self.env.now


def total(values: Iterable[float]) -> float:
    """A sum in order: `sum` compensates from Python 3.12 on, and compiled code does not."""
    found = 0.0
    for value in values:
        found += value
    return found
