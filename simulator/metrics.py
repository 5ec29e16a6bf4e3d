"""Record -> named numbers, as the field defines them. Pure functions, the same for every engine.

`vocabulary.METRICS` says what each is. Rates over the run are from week 0 to the week asked for;
"trailing" ones look at the last 13 or 52 weeks before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.errors import AnalysisError
from simulator.record import Record, Series
from simulator.system import (
    COMPETITOR,
    IN_PROCESS,
    NO_DECISION,
    NO_TEAM,
    WENT_COLD,
    System,
    lost,
)
from simulator.vocabulary import QUARTER, YEAR, describe

Floats = NDArray[np.float64]


class Shown(Protocol):
    """What metrics are read from: a Record, or as much of one."""

    @property
    def system(self) -> System:
        """What was run."""
        ...

    @property
    def series(self) -> Series:
        """What it did over time."""
        ...


def _ratio(a: float, b: float) -> float:
    return a / b if b else math.nan


class _Window:
    """A record's cumulative series between two grid points."""

    def __init__(self, record: Shown, upto: int, since: int = 0) -> None:
        self.series, self.upto, self.since = record.series, upto, since

    def __call__(self, name: str) -> float:
        column = getattr(self.series, name)
        change = column[self.upto] - column[self.since]
        return float(change.sum())


def _retention(record: Shown, k: int) -> tuple[float, float]:
    """(net, gross) over the 52 weeks to k, chained week by week; nan with no customers."""
    s = record.series
    first = max(0, k - 52)
    open_arr = s.arr[first:k]
    if len(open_arr) == 0 or (open_arr <= 0).any():
        return math.nan, math.nan
    grown = np.diff(s.expansion_arr[first : k + 1])
    gone = np.diff(s.churned_arr[first : k + 1])
    weeks = s.t[k] - s.t[first]
    scale = 52.0 / weeks
    net = float(np.sum(np.log1p((grown - gone) / open_arr))) * scale
    gross = float(np.sum(np.log1p(-np.minimum(gone / open_arr, 1 - 1e-12)))) * scale
    return math.exp(net), math.exp(gross)


def opportunity_stages(record: Shown) -> list[int]:
    """Stages before the sale at which a lead is an open opportunity."""
    system = record.system
    names, after_sale = system.stage_names, system.stages.after_sale
    chosen = system.scenario.opportunity
    if chosen is not None:
        first = [names.index(n) for n in ([chosen] if isinstance(chosen, str) else chosen)]
    elif system.stages.decision.any():
        first = np.flatnonzero(system.stages.decision).tolist()
    else:
        first = np.flatnonzero(~after_sale)[-1:].tolist()
    reached, todo = set(), first
    while todo:
        stage = todo.pop()
        if stage < 0 or stage in reached or after_sale[stage]:
            continue
        reached.add(stage)
        todo += system.stages.route[stage].tolist()
    return sorted(reached)


def _team_cost(record: Shown, k: int, functions: set[str]) -> float:
    teams = record.system.scenario.teams
    cost = record.series.people_cost[k]
    return float(
        sum(c for c, t in zip(cost, teams.values(), strict=True) if t.function in functions)
    )


def _bookings_capacity(record: Shown, k: int) -> float:
    """Of the people planned; of those there where a team hires steadily or hires differ."""
    from simulator import laws

    system, t = record.system, float(record.series.t[k])
    people, total = system.people, 0.0
    for m, team in enumerate(system.scenario.teams.values()):
        if team.quota is None:
            continue
        if system.watched[m]:
            total += float(record.series.skilled[k, m]) * team.quota * team.attainment * YEAR
            continue
        here = (people.team == m) & (people.join <= t) & (t < people.leave)
        for share, since in zip(people.share[here], people.ramp_from[here], strict=True):
            skilled = laws.skill(t - since, system.ramp[m], system.ramp_start[m])
            total += share * skilled * team.quota * team.attainment * YEAR
    return float(total)


def measure(record: Shown, week: float | None = None) -> dict[str, float]:
    """All metrics of a record at a week (default: the horizon). nan where undefined.

    Raises AnalysisError for a week that the run does not have.
    """
    s, system = record.series, record.system
    week = system.horizon if week is None else week
    if not 0 < week <= system.horizon:
        raise AnalysisError(f"week {week:g} is outside the run (0 to {system.horizon:g} weeks)")
    k = _row(record, week)
    weeks = float(s.t[k])
    run, quarter = _Window(record, k), _Window(record, k, max(0, k - QUARTER))
    prior = _Window(record, max(0, k - QUARTER), max(0, k - 2 * QUARTER))
    segment = system.segment(np.nextafter(weeks, 0.0))
    margin = float(system.money.gross_margin[segment])

    won, leads, arr = run("won"), run("arrived"), float(s.arr[k])
    new_arr, expansion, churned_arr = run("won_arr"), run("expansion_arr"), run("churned_arr")
    fates = s.fates[k] - s.fates[0]
    decisions = np.flatnonzero(system.stages.decision)
    no_decision = float(sum(fates[lost(int(d), NO_DECISION)] for d in decisions))
    competitor = float(sum(fates[lost(int(d), COMPETITOR)] for d in decisions))
    before = [i for i in range(len(system.stage_names)) if not system.stages.after_sale[i]]
    if len(decisions):
        others = no_decision + competitor
    else:
        others = float(sum(fates[lost(i, r)] for i in before for r in range(IN_PROCESS)))
    win_rate = _ratio(won, won + others)
    cycle = _ratio(run("cycle"), won)
    deal = _ratio(new_arr, won)
    stock = s.waiting[k] + s.working[k] + s.buyer[k] + s.transit[k]
    opportunities = float(sum(stock[i] for i in opportunity_stages(record)))
    pipeline = opportunities * deal
    spend = run("spend")
    people = float(s.people_cost[k].sum())
    lever, overhead = run("lever_cost"), run("overhead")
    total = spend + people + lever + overhead
    sales = spend + lever + _team_cost(record, k, {"sales", "marketing"})
    revenue = run("revenue")
    cac = _ratio(sales, won)
    arpa = _ratio(arr, float(s.customers[k]))
    mean_arr = float(s.arr[: k + 1].mean())
    yearly_churn = _ratio(churned_arr, mean_arr) * YEAR / weeks
    ltv = _ratio(arpa * margin, yearly_churn)
    net, gross = _retention(record, k)
    heads = float(s.heads[k].sum()) + system.money.other_heads
    cost_of_revenue = revenue * (1 - margin)
    burn = total + cost_of_revenue - revenue
    variable = cost_of_revenue + _team_cost(record, k, {"delivery", "customer"})
    in_process = (s.waiting + s.working + s.buyer + s.transit + s.nurture)[: k + 1, before].sum()
    touched = s.working[: k + 1, before].sum()
    paid, busy = s.paid_hours[k], s.busy_hours[k] + s.support_hours[k]
    used = np.divide(busy, paid, out=np.zeros_like(busy), where=paid > 0)
    sales_quarter = _quarter_sales(record, max(0, k - QUARTER), max(0, k - 2 * QUARTER))
    found = {
        "arr": arr,
        "new_arr": new_arr,
        "revenue": revenue,
        "customers": float(s.customers[k]),
        "leads": leads,
        "wins": won,
        "win_rate": win_rate,
        "win_rate_decided": _ratio(won, won + competitor) if len(decisions) else math.nan,
        "lead_to_win": _ratio(won, leads),
        "no_decision": _ratio(no_decision, won + others) if len(decisions) else math.nan,
        "cycle_weeks": cycle,
        "deal_size": deal,
        "opportunities": opportunities,
        "pipeline": pipeline,
        "pipeline_coverage": _ratio(pipeline, quarter("won_arr")),
        "pipeline_coverage_required": _ratio(1.0, win_rate),
        "sales_velocity": _ratio(opportunities * win_rate * deal, cycle * 7.0),
        "spend": spend,
        "people_cost": people,
        "total_cost": total,
        "sales_marketing_cost": sales,
        "cac": cac,
        "new_cac_ratio": _ratio(sales, new_arr),
        "blended_cac_ratio": _ratio(sales, new_arr + expansion),
        "cac_payback_months": _ratio(cac, deal / 12.0 * margin),
        "arpa": arpa,
        "ltv": ltv,
        "ltv_cac": _ratio(ltv, cac),
        "magic_number": _ratio((quarter("revenue") - prior("revenue")) * 4.0, sales_quarter)
        if k >= 2 * QUARTER
        else math.nan,
        "nrr": net,
        "grr": gross,
        "logo_churn": _ratio(run("churned"), float(s.customers[: k + 1].mean())) * YEAR / weeks,
        "quick_ratio": _ratio(new_arr + expansion, churned_arr),
        "burn": burn,
        "burn_multiple": max(0.0, _ratio(burn, arr - float(s.arr[0]))),
        "contribution_margin": _ratio(revenue - variable, revenue),
        "contribution_margin_strict": _ratio(revenue - variable - spend, revenue),
        "heads": heads,
        "arr_per_head": _ratio(arr, heads),
        "bookings_capacity": _bookings_capacity(record, k),
        "flow_efficiency": _ratio(float(touched), float(in_process)),
        "throughput": revenue - cost_of_revenue,
        "net_profit": revenue - cost_of_revenue - total,
        "throughput_per_constraint_hour": _ratio(
            revenue - cost_of_revenue, float(paid[int(np.argmax(used))]) if len(paid) else 0.0
        ),
    }
    for m, team in enumerate(system.team_names):
        found[f"utilisation.{team}"] = _ratio(float(busy[m]), float(paid[m]))
    found |= _cash(record, k)
    found |= _by_stage(record, k)
    return found


def _cash(record: Shown, k: int) -> dict[str, float]:
    """Cash: what is earned comes in later, what it costs is paid at once.

    Before week 0 revenue was that of the opening ARR.
    """
    s, system = record.series, record.system
    money, t = system.scenario.money, s.t[: k + 1]
    earned = s.revenue[: k + 1]
    before = float(s.arr[0]) / YEAR * np.minimum(t - money.collection, 0.0)
    collected = np.interp(t - money.collection, t, earned) + before - before[0]
    share = 1.0 - system.money.gross_margin[system.segments(np.nextafter(t[1:], 0.0))]
    served = np.concatenate([[0.0], np.cumsum(np.diff(earned) * share)])
    paid = s.people_cost.sum(axis=1) + s.spend.sum(axis=1) + s.lever_cost + s.overhead
    cash = money.cash + collected - (paid - paid[0])[: k + 1] - served
    return {
        "cash": float(cash[-1]),
        "cash_low": float(cash.min()),
        "receivables": float(earned[-1] - collected[-1] - before[0]),
    }


def _by_stage(record: Shown, k: int, since: int = 0) -> dict[str, float]:
    """Each stage's flow, conversion and numbers between grid points; waits where a team serves."""
    s, system = record.series, record.system
    found: dict[str, float] = {}
    cold = s.fates[k] - s.fates[since]

    def over(values: Floats) -> Floats:
        change: Floats = values[k] - values[since]
        return change

    entered, advanced, wait, started = (
        over(values) for values in (s.entered, s.advanced, s.wait, s.started)
    )
    met, due = over(s.sla_met), over(s.sla_due)
    span = slice(since, k + 1)
    for i, stage in enumerate(system.stage_names):
        came = float(entered[i])
        found[f"rate.{stage}"] = _ratio(came, float(s.t[k] - s.t[since]))
        found[f"conversion.{stage}"] = _ratio(float(advanced[i]), came)
        here = s.waiting[span, i] + s.working[span, i] + s.buyer[span, i]
        found[f"wip.{stage}"] = float(here.mean())
        if system.stages.team[i] != NO_TEAM:
            found[f"wait.{stage}"] = _ratio(float(wait[i]), float(started[i]))
            found[f"queue.{stage}"] = float(s.waiting[span, i].mean())
            found[f"cold.{stage}"] = _ratio(float(cold[lost(i, WENT_COLD)]), came)
            if (system.stages.sla[:, i] < math.inf).any():
                found[f"sla_met.{stage}"] = _ratio(float(met[i]), float(due[i]))
    return found


def stages_between(record: Shown, since: float, week: float) -> dict[str, float]:
    """The metrics of stages (vocabulary.BY_STAGE) over a stretch of weeks, not since week 0."""
    return _by_stage(record, _row(record, week), _row(record, since))


def _row(record: Shown, week: float) -> int:
    """The last row of the series up to a week."""
    return int(np.searchsorted(record.series.t, week, side="right") - 1)


def _quarter_sales(record: Shown, k: int, since: int) -> float:
    sellers = {"sales", "marketing"}
    pay = _team_cost(record, k, sellers) - _team_cost(record, since, sellers)
    window = _Window(record, k, since)
    return pay + window("spend") + window("lever_cost")


Measure = Callable[[Record], float]


def outcome(name: str, week: float | None = None) -> Measure:
    """A metric as a function of a record; AnalysisError names the nearest if there is none."""
    describe(name)

    def of(record: Shown) -> float:
        values = measure(record, week)
        if name not in values:
            raise AnalysisError(f"no metric named '{name}' in {record.system.name}")
        return values[name]

    return of
