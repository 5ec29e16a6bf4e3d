"""Policies as records: P policies, and the moves of each, one a path."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from simulator.spec.calendar import Calendar
from simulator.spec.paths import operand_of, week_of
from simulator.spec.schema import Scenario
from simulator.spec.signals import MOVE_HEADS, SIGNALS, level_of, pattern_of, reach, signal_of
from simulator.weekly.records import MOVE, POLICY, Array, filled

DO, BUDGET, STEER, GROW = range(4)
SCALE, ADD = range(2)
LEADS_PER_DOLLAR, WINS_PER_DOLLAR, ARR_PER_DOLLAR = range(3)
WEEKLY: Final = ("do", "budget", "steer", "grow")
KPIS: Final = ("leads_per_dollar", "wins_per_dollar", "retained_arr_per_dollar")


def _place(path: str, s: Scenario) -> int:
    keys = path.split(".")
    names = {"channels": list(s.channels), "teams": list(s.teams)}.get(keys[0])
    return names.index(keys[1]) if names is not None else 0


def lay(s: Scenario, cal: Calendar, table: Callable[[Any], int]) -> tuple[Array, Array]:
    """All policies that act week by week, and their moves. table: keeps points, gives the row."""
    numbers = cal.table
    chosen = [p for p in s.policies if p.kind in WEEKLY]
    policies = filled(POLICY, len(chosen))
    moves: list[tuple[float, float, int, int, int]] = []
    for row, p in zip(policies, chosen, strict=True):
        part: Any = p.when or p.budget or p.steer or p.grow
        name, _, of = (signal_of(p) or "leads").partition(".")
        known = SIGNALS[name]
        names = {"team": list(s.teams), "stage": list(s.stages)}.get(known.of)
        row["kind"] = WEEKLY.index(p.kind)
        row["signal"] = known.code
        row["place"] = names.index(of) if names is not None else 0
        row["side"] = 0 if p.when is None else 1 if p.when.above is not None else -1
        row["level"] = level_of(p, s.currency) if p.when is not None else 0.0
        row["smooth"], row["every"], row["rest"] = part.smooth, p.every, p.rest
        row["lasts"] = math.inf if p.lasts is None else p.lasts
        row["at"] = week_of(p.at, s.start)
        row["until"] = math.inf if p.until is None else week_of(p.until, s.start)
        row["most"], row["over"], row["table"] = 1, 1.0, -1
        if p.do is not None:
            row["cost"], row["most"] = p.cost, p.do.at_most
        if p.budget is not None:
            row["kpi"] = KPIS.index(p.budget.by)
            row["move"], row["keep"] = p.budget.move, p.budget.keep
        if p.steer is not None:
            row["factor"], row["over"] = p.steer.factor, p.steer.over
        if p.grow is not None:
            row["table"] = table(p.grow.table)
        row["first"] = len(moves)
        pattern = pattern_of(p)
        for path, code in reach(pattern, numbers) if pattern else []:
            verb, by = ADD, 1.0
            if p.do is not None:
                verb = SCALE if p.do.scale is not None else ADD
                word = "scale" if verb == SCALE else "add"
                by = operand_of(word, p.do.by, numbers[path], s.currency)
            if code == MOVE_HEADS and p.steer is None:
                row["lead"] = s.teams[path.split(".")[1]].hiring_lead
            moves.append((by, float(cal.of(path)[0]), code, _place(path, s), verb))
        row["last"] = len(moves)
    made = filled(MOVE, len(moves))
    for i, move in enumerate(moves):
        made[i] = move
    return policies, made
