"""The weekly step, compiled: what every engine calls at an edge of its calendar.

`advance` moves the state by the week that has passed, by what the run shows; `hold` writes what
holds in the segment that begins. The laws are those of `laws`.
"""

from __future__ import annotations

import math
from typing import Final

from simulator import laws
from simulator.compiled import apart
from simulator.compiled import uncached as compiled
from simulator.spec.signals import (
    MOVE_DISCOUNT,
    MOVE_EFFORT,
    MOVE_GOAL,
    MOVE_HEADS,
    MOVE_HOURS,
    MOVE_IMPROVE,
    MOVE_LEADS,
    MOVE_OUT,
    MOVE_SPEND,
)
from simulator.weekly.policing import decide, moved
from simulator.weekly.rules import PENCAVEL, ROUNDTABLE, Rules
from simulator.weekly.state import QUARTER, Holds, Shown, State

QUITS_FEEL: Final = 12.0  # weeks over which the work week is felt in quits (domain book 5)
LEAST: Final = 0.05  # of buyer's time that pulling forward leaves
SLOWEST: Final = 1e-6
PARTS: Final = 16  # of a week, in which a goal and what it does to a team are followed


@compiled
def output_of(rules: Rules, state: State, m: int) -> float:
    """What load makes of a team's output: above 1 by longer hours, below by a slower pace."""
    apart()
    table = rules.teams[m].output_table
    if table < 0:
        return 1.0
    return float(laws.interpolate(rules.tables[table], state.teams[m].pressure))


@compiled
def improvement(rules: Rules, k: int, state: State, m: int) -> float:
    """Share of a team's time that goes into improvement."""
    apart()
    share = moved(rules, state, MOVE_IMPROVE, m, rules.teams_by[k, m].improve)
    if rules.teams[m].pressed:
        cut = rules.teams[m].cut_table
        if cut >= 0:
            share *= laws.interpolate(rules.tables[cut], state.teams[m].pressure)
        else:
            share *= laws.improvement_under(state.teams[m].pressure)
        if rules.teams[m].urge_table >= 0:
            table = rules.tables[rules.teams[m].urge_table]
            share *= laws.interpolate(table, state.teams[m].urge)
    return float(min(0.99, max(0.0, share)))


@compiled
def worth(rules: Rules, k: int, state: State, m: int) -> tuple[float, float]:
    """Hours a week and head that a team works, and what an hour of them is worth."""
    apart()
    t, mine = rules.teams[m], state.teams[m]
    factor = output_of(rules, state, m)
    hours = moved(rules, state, MOVE_HOURS, m, rules.teams_by[k, m].hours) * max(1.0, factor)
    usual = t.improve_stated
    if t.longest > 0.0:
        share = improvement(rules, k, state, m) if usual > 0.0 else 0.0
        hours = laws.hours_in_week(hours, t.stated, share, usual, t.longest / t.week)
    elif usual > 0.0:
        hours *= (1.0 - improvement(rules, k, state, m)) / (1.0 - usual)
    pace = min(1.0, factor) * mine.capability
    if t.wip_table >= 0:
        pace *= laws.interpolate(rules.tables[t.wip_table], mine.open_each)
    else:
        pace *= laws.wip_pace(mine.open_each, t.wip_normal, t.wip_loss, t.wip_power)
    if t.tired == ROUNDTABLE:
        pace *= laws.roundtable_pace(mine.short)
    elif t.tired == PENCAVEL:
        pace *= laws.pencavel_pace(mine.short)
    return max(SLOWEST, hours), pace


@compiled
def _aim(rules: Rules, k: int, state: State, shown: Shown, weeks: float, m: int) -> None:
    """Pressure on a team that is asked for an output, and its capability, which moves that back.

    What it puts out follows from its own state, so the loop is closed within the week, in parts.
    """
    apart()
    t, mine = rules.teams[m], state.teams[m]
    goal = moved(rules, state, MOVE_GOAL, m, rules.teams_by[k, m].goal)
    part = weeks / PARTS
    for _ in range(PARTS):
        hours, pace = worth(rules, k, state, m)
        wanted = laws.stretch(goal, shown.teams[m].skilled * hours * pace / t.normal)
        if t.improve_stated > 0.0:
            level = improvement(rules, k, state, m) / t.improve_stated
            mine.capability = laws.approach(mine.capability, level, part, t.erosion)
        mine.pressure = laws.approach(mine.pressure, wanted, part, t.press_smooth)
        mine.urge = laws.approach(mine.urge, wanted, part, t.urge_smooth)


@compiled
def out_hours(rules: Rules, k: int, state: State, c: int) -> float:
    """Hours a week and head on a channel of a team's own: a longer week is longer for it, too."""
    m = rules.channels[c].team
    each = moved(rules, state, MOVE_OUT, c, rules.channels_by[k, c].out_hours)
    return float(each * rules.teams_by[k, m].hours / rules.teams[m].stated)


@compiled
def outbound(rules: Rules, k: int, state: State, m: int) -> float:
    """Share of a team's hours that it spends on channels of its own."""
    hours = 0.0
    for c in range(len(rules.channels)):
        if rules.channels[c].team == m:
            hours += out_hours(rules, k, state, c)
    paid = rules.teams_by[k, m].hours
    return float(min(1.0, hours / paid)) if paid > 0.0 else 0.0


@compiled
def discount(rules: Rules, k: int, state: State) -> float:
    """The discount given now."""
    level = moved(rules, state, MOVE_DISCOUNT, 0, rules.market_by[k].discount)
    return float(min(0.99, max(0.0, level)))


@compiled
def look(rules: Rules, state: State, shown: Shown) -> None:
    """Take in who is here, and how much is open."""
    for m in range(len(rules.teams)):
        inside = 0.0
        for i in range(len(rules.stages)):
            if rules.stages[i].team == m:
                inside += shown.stages[i].inside
        team, mine = shown.teams[m], state.teams[m]
        mine.rookies = team.rookies
        mine.veterans = team.heads - team.rookies
        mine.skilled = team.skilled
        mine.open_each = inside / team.heads if team.heads > 0.0 else 0.0


@compiled
def _team(
    rules: Rules, k: int, state: State, shown: Shown, last: Shown, weeks: float, m: int
) -> None:
    """Pressure, work week, burnout, quits and capability of a team after another week."""
    t, mine, hours = rules.teams[m], state.teams[m], rules.teams_by[k, m].hours
    if t.aimed:
        _aim(rules, k, state, shown, weeks, m)
    elif t.pressed:
        coming = backlog = 0.0
        for i in range(len(rules.stages)):
            if rules.stages[i].team == m:
                effort = rules.stages_by[k, i].effort
                coming += (shown.stages[i].entered - last.stages[i].entered) * effort
                backlog += shown.stages[i].waiting * effort
        free = hours * (1.0 - outbound(rules, k, state, m))
        normal = shown.teams[m].skilled * free * mine.capability
        wanted = laws.work_pressure(coming / weeks, backlog, t.target, normal)
        mine.pressure = laws.approach(mine.pressure, wanted, weeks, t.press_smooth)
        mine.urge = laws.approach(mine.urge, wanted, weeks, t.urge_smooth)
    pulled = moved(rules, state, MOVE_HOURS, m, hours) * max(1.0, output_of(rules, state, m))
    week = t.week * pulled / t.stated
    if t.longest > 0.0:
        week = min(week, t.longest)
    mine.short = laws.approach(mine.short, week, weeks, t.tired_smooth)
    mine.long = laws.approach(mine.long, week, weeks, QUITS_FEEL)
    if t.strength > 0.0:
        target = laws.strain(mine.long, t.week, mine.pressure)
        tau = t.depletion if target > mine.burnout else t.recovery
        mine.burnout = laws.approach(mine.burnout, target, weeks, tau)
    mine.hazard += weeks * laws.quit_rate(t.quit, mine.burnout, t.strength, t.threshold)
    if t.improve_stated > 0.0 and not t.aimed:
        level = improvement(rules, k, state, m) / t.improve_stated
        mine.capability = laws.approach(mine.capability, level, weeks, t.erosion)


@compiled
def _market(rules: Rules, k: int, state: State, shown: Shown, last: Shown, weeks: float) -> None:
    """What customers and the market know after another week."""
    rule, mine = rules.market[0], state.market[0]
    gone = shown.whole[0].churned - last.whole[0].churned
    before = shown.whole[0].customers + gone
    mine.customers = shown.whole[0].customers
    mine.churn = gone / before / weeks if before > 0.0 else rule.usual
    # Customers of the time before week 0 neither come nor go.
    if rule.reputation > 0.0 and before > 0.0 and mine.clock >= 0.0:
        # Churn is smoothed, not what is made of it: that stops at 0, and single weeks are chance.
        mine.heard = laws.approach(mine.heard, mine.churn, weeks, rule.reputation)
        mine.reputation = laws.reputation_signal(mine.heard, rule.usual)
    if rule.late_stage >= 0:
        stage = shown.stages[rule.late_stage]
        left = (stage.advanced - last.stages[rule.late_stage].advanced) / weeks
        if not math.isnan(mine.throughput):
            mine.throughput = laws.approach(mine.throughput, left, weeks, rule.throughput)
        elif left > 0.0:
            mine.throughput = left
        if mine.throughput > 0.0:
            delay = stage.inside / mine.throughput
            if math.isnan(mine.company):
                mine.company = mine.known = delay
            known = mine.company
            mine.company = laws.approach(known, delay, weeks, rule.company)
            # The market smooths what the company knew in the middle of the week.
            middle = 0.5 * (known + mine.company)
            mine.known = laws.approach(mine.known, middle, weeks, rule.market)
    mine.price = laws.approach(mine.price, discount(rules, k, state), weeks, rule.reference)


@compiled
def keep(shown: Shown, last: Shown) -> None:
    """Remember what was shown, so that the next step sees what came since."""
    for m in range(len(shown.teams)):
        last.teams[m].paid, last.teams[m].busy = shown.teams[m].paid, shown.teams[m].busy
    for i in range(len(shown.stages)):
        now, then = shown.stages[i], last.stages[i]
        then.entered, then.started = now.entered, now.started
        then.wait, then.advanced = now.wait, now.advanced
    for c in range(len(shown.channels)):
        came, before = shown.channels[c], last.channels[c]
        before.arrived, before.won, before.kept = came.arrived, came.won, came.kept
    whole, past = shown.whole[0], last.whole[0]
    past.won, past.won_arr = whole.won, whole.won_arr
    past.revenue, past.churned = whole.revenue, whole.churned


@compiled
def advance(rules: Rules, k: int, state: State, shown: Shown, last: Shown, now: float) -> None:
    """Move the state by what has passed since the last edge. k: the segment that has ended."""
    mine = state.market[0]
    weeks = now - mine.clock
    if weeks <= 0.0:
        return
    for c in range(len(rules.channels)):
        channel = state.channels[c]
        tau = rules.channels[c].adstock
        channel.carried = laws.adstock(channel.carried, channel.spend, weeks, tau)
    look(rules, state, shown)
    for m in range(len(rules.teams)):
        _team(rules, k, state, shown, last, weeks, m)
    _market(rules, k, state, shown, last, weeks)
    place = int(mine.edges) % QUARTER
    state.quarter[place] = shown.whole[0].won_arr - last.whole[0].won_arr
    mine.clock = now
    mine.edges += 1.0
    decide(rules, k, state, shown, last, now, weeks)
    keep(shown, last)


@compiled
def _hold_team(rules: Rules, k: int, state: State, out: Holds, m: int) -> None:
    """Hours of a team, and what they are worth."""
    t, mine, holds = rules.teams[m], state.teams[m], out.teams[m]
    hours, pace = worth(rules, k, state, m)
    away = outbound(rules, k, state, m)
    if t.sup_hours > 0.0:
        away += laws.supervision_share(t.sup_hours, t.span, mine.rookies, mine.veterans, hours)
    holds.hours = hours
    holds.work = hours * max(SLOWEST, 1.0 - away)
    holds.speed = holds.work * max(SLOWEST, pace)
    holds.heads = moved(rules, state, MOVE_HEADS, m, 0.0)
    holds.hazard = mine.hazard


@compiled
def _hold_channel(rules: Rules, k: int, state: State, out: Holds, slow: float, c: int) -> None:
    """Spend, leads and quality of a channel."""
    ch, by, mine, holds = (
        rules.channels[c],
        rules.channels_by[k, c],
        state.channels[c],
        out.channels[c],
    )
    spend = moved(rules, state, MOVE_SPEND, c, by.spend) * mine.share
    felt = laws.adstock(mine.carried, spend, 1.0, ch.adstock)
    answer = laws.response(ch.kind, felt, ch.at, ch.half, ch.saturation)
    now = moved(rules, state, MOVE_LEADS, c, by.now)
    if ch.team >= 0:
        each = out_hours(rules, k, state, c)
        team = out.teams[ch.team]
        # The same people, in hours as long and as brisk as those for leads.
        paid = rules.teams_by[k, ch.team].hours
        brisk = team.speed / team.work * team.hours / paid if team.work > 0.0 < paid else 0.0
        done = state.teams[ch.team].skilled * each * by.tooling * brisk
        bend = ch.out_saturation
        kind = laws.HILL if bend > 0.0 else laws.LINEAR
        answer = laws.response(kind, done, ch.out_at, ch.out_at, bend)
        now *= answer
    volume = by.now * answer / ch.first if ch.first > 0.0 else 1.0
    mine.spend = holds.spend = spend
    holds.now = now * slow
    holds.per_customer = by.per_customer * slow * state.market[0].reputation
    holds.good = laws.marginal_quality(by.good, volume, ch.loss)


@compiled
def _hold_stage(rules: Rules, k: int, state: State, out: Holds, shift: float, i: int) -> None:
    """Rework, and at a decision the odds and the buyer's time."""
    by, holds, m = rules.stages_by[k, i], out.stages[i], rules.stages[i].team
    holds.rework, holds.buyer_time = by.rework, by.buyer_time
    if m >= 0:
        holds.rework = laws.rework_under(by.rework, rules.teams[m].errors, state.teams[m].pressure)
    if rules.stages[i].decision:
        pulled = rules.market[0].pull * out.whole[0].discount
        holds.buyer_time *= max(LEAST, 1.0 - pulled)
    holds.us_good = laws.moved_us(by.us_good, shift)
    holds.us_poor = laws.moved_us(by.us_poor, shift)
    holds.them_good = laws.moved_them(by.us_good, by.them_good, shift)
    holds.them_poor = laws.moved_them(by.us_poor, by.them_poor, shift)


@compiled
def _hold_handoff(rules: Rules, k: int, state: State, out: Holds, j: int) -> None:
    """What a handoff accepts and returns."""
    by, holds, m = rules.handoffs_by[k, j], out.handoffs[j], rules.handoffs[j].sender
    errors, pressure = 0.0, 1.0
    if m >= 0:
        errors, pressure = rules.teams[m].errors, state.teams[m].pressure
    holds.good = laws.acceptance(by.good, 0.0, 0.0, errors, pressure)
    holds.poor = laws.acceptance(by.poor, 0.0, 0.0, errors, pressure)
    holds.returned = by.returned
    if by.good < 1.0:
        # What is not accepted is returned in the same proportion.
        more = (1.0 - holds.good) / (1.0 - by.good)
        holds.returned = min(by.returned * more, 1.0 - max(holds.good, holds.poor))


@compiled
def _shift(rules: Rules, k: int, state: State, out: Holds) -> float:
    """How far our V has moved from what the segment says."""
    rule, by, mine = rules.market[0], rules.market_by[k], state.market[0]
    shift = rule.reputation_odds * (mine.reputation - 1.0)
    shift += rule.lift * (out.whole[0].discount - mine.price)
    effort = max(0.0, moved(rules, state, MOVE_EFFORT, 0, by.effort))
    if rule.attention >= 0:
        effort = laws.attention(effort, state.teams[rule.attention].pressure)
    if effort != by.effort:
        shift += by.kappa * (math.exp(-by.effort) - math.exp(-effort))
    return float(shift)


@compiled
def hold(rules: Rules, k: int, state: State, out: Holds) -> None:
    """Write what holds in segment k, from now on."""
    rule, mine, whole = rules.market[0], state.market[0], out.whole[0]
    whole.discount = discount(rules, k, state)
    for m in range(len(rules.teams)):
        _hold_team(rules, k, state, out, m)
    slow = 1.0
    if rule.leads_table >= 0 and not math.isnan(mine.known):
        slow = laws.interpolate(rules.tables[rule.leads_table], mine.known)
    for c in range(len(rules.channels)):
        _hold_channel(rules, k, state, out, slow, c)
    shift = _shift(rules, k, state, out)
    for i in range(len(rules.stages)):
        _hold_stage(rules, k, state, out, shift, i)
    for j in range(len(rules.handoffs)):
        _hold_handoff(rules, k, state, out, j)
    whole.churn = rules.market_by[k].churn
    if rule.care_team >= 0:
        team = state.teams[rule.care_team]
        capacity = (team.rookies + team.veterans) * out.teams[rule.care_team].speed
        demand = mine.customers * rule.care_hours
        whole.churn *= laws.overload_factor(demand, capacity, rule.overload)
    whole.cost = 0.0
    for i in range(len(rules.policies)):
        for j in range(state.slots.shape[1]):
            slot = state.slots[i, j]
            if slot.begin <= mine.clock < slot.end:
                whole.cost += rules.policies[i].cost


__all__ = ["advance", "hold", "keep", "look"]
