"""Policies at work, compiled: what they see, what they decide, and what that moves."""

from __future__ import annotations

import math
from typing import Any, Final

from simulator import laws
from simulator.compiled import uncached as compiled
from simulator.spec.signals import (
    ARR,
    BACKLOG,
    BOOKINGS,
    CHURN,
    COMPANY,
    CUSTOMERS,
    DELAY,
    HEADS,
    LEADS,
    MOVE_HEADS,
    PRESSURE,
    QUARTER,
    QUEUE,
    RECOGNISED,
    REPUTATION,
    REVENUE,
    SPEND,
    UTILISATION,
    WAIT,
    WINS,
    WIP,
)
from simulator.weekly.policies import (
    BUDGET,
    DO,
    GROW,
    LEADS_PER_DOLLAR,
    SCALE,
    STEER,
    WINS_PER_DOLLAR,
)
from simulator.weekly.rules import Rules
from simulator.weekly.state import Shown, State

YEAR: Final = 365.25 / 7
NEAR: Final = 1e-9


@compiled
def moved(rules: Rules, state: State, code: int, which: int, value: float) -> float:
    """A number after all that policies do to it now. Of heads: those added to the plan."""
    now = state.market[0].clock
    for i in range(len(rules.policies)):
        p = rules.policies[i]
        for a in range(p.first, p.last):
            move = rules.moves[a]
            if move.code != code or move.which != which:
                continue
            if p.kind != DO:
                if now >= p.at:
                    value = state.policies[i].level
                    if code == MOVE_HEADS:
                        value -= move.stated
                continue
            times = 0
            for j in range(state.slots.shape[1]):
                if state.slots[i, j].begin <= now < state.slots[i, j].end:
                    times += 1
            if move.verb != SCALE:
                value += times * move.by
            elif code == MOVE_HEADS:
                value += move.stated * (math.pow(move.by, times) - 1.0)
            else:
                value *= math.pow(move.by, times)
    return value


@compiled
def _of_team(
    rules: Rules, k: int, state: State, shown: Shown, last: Shown, code: int, m: int
) -> float:
    """A signal of a team."""
    team = shown.teams[m]
    if code == UTILISATION:
        paid = team.paid - last.teams[m].paid
        return (team.busy - last.teams[m].busy) / paid if paid > 0.0 else math.nan
    if code == PRESSURE:
        return float(state.teams[m].pressure)
    if code == WIP:
        return float(state.teams[m].open_each)
    if code == HEADS:
        return float(team.heads)
    hours = 0.0
    for j in range(len(rules.stages)):
        if rules.stages[j].team == m:
            hours += shown.stages[j].waiting * rules.stages_by[k, j].effort
    normal = team.skilled * rules.teams_by[k, m].hours
    return hours / normal if normal > 0.0 else math.nan


@compiled
def _of_stage(shown: Shown, last: Shown, code: int, s: int, weeks: float) -> float:
    """A signal of a stage."""
    stage, before = shown.stages[s], last.stages[s]
    if code == QUEUE:
        return float(stage.waiting)
    if code == WAIT:
        begun = stage.started - before.started
        return (stage.wait - before.wait) / begun if begun > 0.0 else math.nan
    left = stage.advanced - before.advanced
    return stage.inside * weeks / left if left > 0.0 else math.nan


@compiled
def _of_whole(state: State, shown: Shown, last: Shown, code: int, weeks: float) -> float:
    """A signal of the whole."""
    whole, before, market = shown.whole[0], last.whole[0], state.market[0]
    value = math.nan
    if code == LEADS:
        value = 0.0
        for c in range(len(shown.channels)):
            value += (shown.channels[c].arrived - last.channels[c].arrived) / weeks
    elif code == SPEND:
        value = 0.0
        for c in range(len(state.channels)):
            value += state.channels[c].spend
    elif code == WINS:
        value = (whole.won - before.won) / weeks
    elif code == BOOKINGS:
        value = (whole.won_arr - before.won_arr) / weeks
    elif code == REVENUE:
        value = (whole.revenue - before.revenue) / weeks
    elif code == QUARTER:
        value = 0.0
        for i in range(len(state.quarter)):
            value += state.quarter[i]
    elif code == ARR:
        value = whole.arr
    elif code == CUSTOMERS:
        value = whole.customers
    elif code == CHURN:
        value = market.churn
    elif code == RECOGNISED:
        value = market.known
    elif code == COMPANY:
        value = market.company
    elif code == REPUTATION:
        value = market.reputation
    return float(value)


@compiled
def signal(
    rules: Rules, k: int, state: State, shown: Shown, last: Shown, weeks: float, i: int
) -> float:
    """What a policy reads this week; nan where there is nothing to read."""
    code, place = rules.policies[i].signal, rules.policies[i].place
    if code in (UTILISATION, PRESSURE, BACKLOG, WIP, HEADS):
        return _of_team(rules, k, state, shown, last, code, place)
    if code in (QUEUE, WAIT, DELAY):
        return _of_stage(shown, last, code, place, weeks)
    return _of_whole(state, shown, last, code, weeks)


@compiled
def _act(policy: Any, state: State, i: int, now: float) -> None:
    """Do once more what a policy does, if there is a place left."""
    for j in range(policy.most):
        slot = state.slots[i, j]
        if slot.begin == math.inf or slot.end <= now:
            slot.begin = now + policy.lead
            slot.end = slot.begin + policy.lasts
            state.policies[i].rested = now + policy.rest
            return


@compiled
def _remember(policy: Any, state: State, shown: Shown, last: Shown, weeks: float, i: int) -> None:
    """Keep what channels gained and cost in mind, for a budget."""
    for c in range(len(shown.channels)):
        channel, before, kpi = shown.channels[c], last.channels[c], state.kpis[i, c]
        if policy.kpi == LEADS_PER_DOLLAR:
            gain = channel.arrived - before.arrived
        elif policy.kpi == WINS_PER_DOLLAR:
            gain = channel.won - before.won
        else:
            gain = channel.kept - before.kept
        kpi.gained = laws.approach(kpi.gained, gain / weeks, weeks, policy.smooth)
        kpi.spent = laws.approach(kpi.spent, state.channels[c].spend, weeks, policy.smooth)


@compiled
def _shift(rules: Rules, k: int, state: State, i: int) -> None:
    """Move spend from the channel with the worst KPI to the one with the best."""
    policy = rules.policies[i]
    best = worst = -1
    high = low = 0.0
    for c in range(len(rules.channels)):
        kpi = state.kpis[i, c]
        if rules.channels_by[k, c].spend <= 0.0 or kpi.spent <= 0.0:
            continue
        worth = kpi.gained / kpi.spent
        if best < 0 or worth > high:
            best, high = c, worth
        if state.channels[c].share > policy.keep + NEAR and (worst < 0 or worth < low):
            worst, low = c, worth
    if best < 0 or worst < 0 or best == worst or not high > low:
        return
    giving, taking = state.channels[worst], state.channels[best]
    taken = min(policy.move * giving.share, giving.share - policy.keep)
    giving.share -= taken
    planned = rules.channels_by[k, worst].spend / rules.channels_by[k, best].spend
    taking.share += taken * planned


@compiled
def _grow(rules: Rules, state: State, i: int, weeks: float) -> None:
    """Order or let go heads at the rate of the table; what was ordered arrives."""
    policy, mine = rules.policies[i], state.policies[i]
    rate = laws.interpolate(rules.tables[policy.table], mine.signal) / YEAR
    change = mine.level * math.expm1(rate * weeks)
    length = state.orders.shape[1]
    here = int(state.market[0].edges) % length
    mine.level += state.orders[i, here]
    state.orders[i, here] = 0.0
    wait = math.ceil(policy.lead - NEAR)
    if change > 0.0 and wait > 0:
        state.orders[i, (here + wait) % length] += change
    else:
        mine.level = max(0.0, mine.level + change)


@compiled
def decide(
    rules: Rules, k: int, state: State, shown: Shown, last: Shown, now: float, weeks: float
) -> None:
    """What policies do at the end of a week."""
    for i in range(len(rules.policies)):
        p, mine = rules.policies[i], state.policies[i]
        if p.kind == BUDGET:
            _remember(p, state, shown, last, weeks, i)
        else:
            value = signal(rules, k, state, shown, last, weeks, i)
            if not math.isnan(value):
                if math.isnan(mine.signal):
                    mine.signal = value
                else:
                    mine.signal = laws.approach(mine.signal, value, weeks, p.smooth)
        if now < mine.due - NEAR or now < p.at or now >= p.until:
            continue
        if p.kind in (GROW, STEER):
            if math.isnan(mine.signal):
                continue
            if p.kind == GROW:
                _grow(rules, state, i, weeks)
            else:
                mine.level = laws.approach(mine.level, p.factor * mine.signal, weeks, p.over)
            continue
        while mine.due <= now + NEAR:
            mine.due += p.every
        if p.kind == BUDGET:
            _shift(rules, k, state, i)
        elif (
            now >= mine.rested - NEAR
            and not math.isnan(mine.signal)
            and p.side * (mine.signal - p.level) > 0.0
        ):
            _act(p, state, i, now)
