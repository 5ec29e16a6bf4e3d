"""Slow state of a run of the events engine, and the seats that people come to and leave."""

from __future__ import annotations

import math

from simulator import draws
from simulator.engines.slow import program
from simulator.system import System
from simulator.weekly.state import beginning, holding, shown


class Slow:
    """Slow state of a run, and the people it moves."""

    def __init__(self, system: System, seed: int, replication: int) -> None:
        rules = system.rules
        assert rules is not None
        self.rules = rules
        self.state, self.holds = beginning(rules), holding(rules)
        self.shown, self.last = shown(rules), shown(rules)
        self._program = program()
        self._arrays = tuple(
            tuple(x) for x in (rules, self.state, self.shown, self.last, self.holds)
        )
        people, teams = len(system.people.team), len(system.team_names)
        self.stream = draws.channel_stream(seed, replication, draws.name_key("people"))
        self.since = [0.0] * people  # hazard of quitting when the person came
        self.extra = [0.0] * people  # hazard of the person beyond that of the team
        self.hazard = [0.0] * teams  # of quitting, when the team was last looked at
        self.times = [0] * people  # how often the seat was filled before
        self.due = [math.inf] * people  # when the seat is filled again
        self.spare: list[list[int]] = [[] for _ in range(teams)]
        for person, m in enumerate(system.people.team.tolist()):
            if system.people.join[person] == math.inf:
                self.spare[m].append(person)
        self.hired = [0] * teams  # of the spare seats

    def turn(self, ended: int, k: int, mode: int, edge: float) -> None:
        """Call the weekly step; see simulator.engines.slow."""
        self._program((*self._arrays, ended, k, mode, edge))
