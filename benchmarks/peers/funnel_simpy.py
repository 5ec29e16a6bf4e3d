"""The reference funnel of reference_funnel.yaml in plain SimPy, as one would write it."""

from __future__ import annotations

import math
import random
from collections.abc import Generator
from typing import Any

import simpy

WEEKS = 104.0
SPREAD = math.sqrt(math.log(2.0))  # of a lognormal with coefficient of variation 1
Process = Generator[simpy.Event, Any, Any]


class Funnel:
    """One replication: counts of what became of the leads."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.env = simpy.Environment()
        self.teams = {
            name: simpy.Resource(self.env, heads)
            for name, heads in (("sdr", 12), ("ae", 20), ("legal", 3), ("onboarding", 4))
        }
        self.counts = dict.fromkeys(("arrived", "cold", "lost", "won", "live", "events"), 0)

    def run(self) -> dict[str, int]:
        self.env.process(self.arrivals())
        self.env.run(until=WEEKS)
        return self.counts

    def arrivals(self) -> Process:
        while True:
            yield self.env.timeout(self.random.expovariate(500.0))
            self.count("arrived")
            self.env.process(self.lead())

    def count(self, what: str) -> None:
        self.counts[what] += 1
        self.counts["events"] += 1

    def work(self, team: str, mean: float, patience: float = math.inf) -> Process:
        """Queue and be served; says whether the lead was."""
        with self.teams[team].request() as turn:
            if patience < math.inf:
                yield turn | self.env.timeout(patience)
                if not turn.triggered:
                    return False
            else:
                yield turn
            yield self.env.timeout(
                self.random.lognormvariate(math.log(mean) - SPREAD**2 / 2, SPREAD)
            )
        self.counts["events"] += 1
        return True

    def lead(self) -> Process:
        chance = self.random.random
        served = yield from self.work("sdr", 0.02, self.random.expovariate(0.5))
        if not served:
            self.count("cold")
            return
        if chance() >= 0.35:
            self.counts["lost"] += 1
            return
        yield self.env.timeout(self.random.expovariate(2.5))
        self.counts["events"] += 1
        yield from self.work("ae", 0.09)
        yield self.env.timeout(self.random.gammavariate(2.0, 1.5))
        self.counts["events"] += 1
        if chance() >= 0.55:
            self.counts["lost"] += 1
            return
        while True:
            yield from self.work("ae", 0.06)
            if chance() >= 0.6:
                self.counts["lost"] += 1
                return
            yield from self.work("legal", 0.055)
            if chance() >= 0.1:
                break
        if chance() >= 0.8:
            self.counts["lost"] += 1
            return
        self.counts["won"] += 1
        yield from self.work("onboarding", 0.08)
        self.counts["live"] += 1


def run(seed: int) -> dict[str, int]:
    """Counts of one replication."""
    return Funnel(seed).run()
