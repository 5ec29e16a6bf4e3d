"""From estimates to a scenario's numbers: what the data say, and what only the book can."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from simulator.fit.estimate import Estimates, Role
from simulator.spec.book import Assumption

BUSIEST = Assumption(0.80, 0.60, 0.92, "D", "utilisation of the busiest role; our own design value")
CLOSING = 0.25  # opportunity to won, domain book, SMB
DEALS_VALUE = Assumption(6000, 2000, 15000, "D", "SMB archetype")
CHURN = Assumption("30%/year", "7%/year", "40%/year", "D", "SMB archetype")
HOURS = Assumption("28 h/week", "20 h/week", "32 h/week", "D", "hours left for the work itself")
PATIENCE = (
    Assumption("48 h", "24 h", "168 h", "D", "inbound leads go cold"),
    Assumption("8 weeks", "4 weeks", "26 weeks", "D", "leads in nurture go cold"),
)
PERSON_HOURS = 28.0  # a week, the value of HOURS
DAYS_PER_WEEK = 7.0


@dataclass(frozen=True, slots=True)
class Work:
    """What the book says of a role: hours a lead or opportunity, cost and ramp of a person."""

    stage: str
    effort: float
    cost: Assumption
    ramp: Assumption
    effort_source: str


_BOOK = {
    "sdr": Work(
        "qualify",
        1.5,
        Assumption(80_000, 60_000, 110_000, "D", "fully loaded, 1.3 x OTE"),
        Assumption("8 weeks", "6 weeks", "13 weeks", "D", "SMB archetype"),
        "1.5 h a lead, mid-market base case",
    ),
    "sales_rep": Work(
        "close",
        5.0,
        Assumption(156_000, 110_000, 200_000, "D", "1.3 x OTE of 120 k, SMB archetype"),
        Assumption("13 weeks", "8 weeks", "26 weeks", "D", "SMB archetype"),
        "5 h an opportunity, SMB archetype",
    ),
}
_COSTS = (
    ("paid_search|adwords|sem|ppc|search_ads", Assumption(180, 80, 310, "B", "paid search")),
    ("social|display|facebook|linkedin|instagram", Assumption(250, 150, 350, "B", "paid social")),
    ("event|webinar|fair", Assumption(300, 150, 2000, "B", "events")),
    ("organic|direct|email|seo|newsletter|blog", Assumption(70, 30, 164, "B", "organic")),
    ("referral|partner", Assumption(60, 30, 150, "D", "referral and partner")),
)
_OTHER_COST = Assumption(158, 30, 310, "D", "mean over the base case's channels")


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """A channel's share of good fit, which gives it its conversion, and what a lead costs."""

    name: str
    good_fit: float
    cost: Assumption


@dataclass(frozen=True, slots=True)
class StagePlan:
    """A stage, who works on it, and its odds; ``load`` is the team's utilisation."""

    name: str
    team: str
    role: Role | None
    work: Work | None
    effort: float
    load: float
    good: float
    poor: float
    patience: Assumption = PATIENCE[0]


@dataclass(frozen=True, slots=True)
class Plan:
    """All numbers of the written scenario that are not plain estimates.

    ``good`` and ``poor``: share of good-fit and poor-fit leads won in the end; ``work_days``: what
    work and waiting take, already taken off the buyer's time; buyer's time in days.
    """

    channels: tuple[ChannelPlan, ...]
    stages: tuple[StagePlan, ...]
    good: float
    poor: float
    scale: float
    work_days: float
    buyer_mean: float
    buyer_median: float
    buyer_cv: float
    busiest: StagePlan | None

    def conversion(self, channel: str) -> float:
        """Share of the channel's leads won in the end, in closed form."""
        share = next(c.good_fit for c in self.channels if c.name == channel)
        good = math.prod(s.good for s in self.stages)
        poor = math.prod(s.poor for s in self.stages)
        return share * good + (1 - share) * poor


def cost_per_lead(name: str) -> Assumption:
    """The book's cost of a lead, by what the channel is called."""
    for pattern, cost in _COSTS:
        if re.search(pattern, name):
            return cost
    return _OTHER_COST


def make_plan(estimates: Estimates) -> Plan:
    """Work out the numbers."""
    rates = [c.conversion.value for c in estimates.channels]
    # Fit is hidden: only its product with the odds shows. Two levels around all channels will do.
    good = min(1.5 * max(rates), 0.5 + max(rates) / 2)
    poor = min(rates) / 2
    channels = tuple(
        ChannelPlan(c.name, (c.conversion.value - poor) / (good - poor), cost_per_lead(c.name))
        for c in estimates.channels
    )
    stages, scale = _stages(estimates, good, poor)
    wait = sum(_days(s) for s in stages)
    delay = estimates.delay
    # at least a third of the time stays the buyer's: work cannot be the whole delay
    wait = min(wait, 2 / 3 * delay.scenario_median)
    shrink = (delay.scenario_median - wait) / delay.scenario_median
    busy = [s for s in stages if s.role is not None]
    return Plan(
        channels=channels,
        stages=stages,
        good=good,
        poor=poor,
        scale=scale,
        work_days=wait,
        buyer_mean=delay.scenario_mean * shrink,
        buyer_median=delay.scenario_median * shrink,
        buyer_cv=delay.scenario_cv,
        busiest=max(busy, key=lambda s: s.load) if busy else None,
    )


def _stages(estimates: Estimates, good: float, poor: float) -> tuple[tuple[StagePlan, ...], float]:
    """Stages in the order sdr, sales_rep, others; effort by the book times one factor for all."""
    roles = sorted(estimates.roles, key=lambda r: [*_BOOK, r.name].index(r.name))
    if not roles:
        return (StagePlan("sell", "", None, None, 0.0, 0.0, good, poor),), 1.0
    shares = [c.conversion.value * c.per_week for c in estimates.channels]
    flow = estimates.arrivals.total
    won = sum(shares) / flow if flow > 0 else estimates.overall.value
    # the last stage wins a quarter, or what it must; those before share the rest alike
    last = max(CLOSING, won / 0.9)
    before = (won / last) ** (1 / max(len(roles) - 1, 1))
    middle = [*[before] * (len(roles) - 1), won / before ** (len(roles) - 1)]
    odds = list(zip(_split(middle, good / won), _split(middle, poor / won), strict=True))
    fit = (won - poor) / (good - poor)
    reach = (flow * fit, flow * (1 - fit))
    found = []
    for role, (of_good, of_poor) in zip(roles, odds, strict=True):
        work = _BOOK.get(role.name) or _other(role.name)
        found.append((role, work, sum(reach) * work.effort / (role.people * PERSON_HOURS)))
        reach = (reach[0] * of_good, reach[1] * of_poor)
    busiest = max(hours for *_, hours in found)
    scale = float(BUSIEST.value) / busiest if busiest > 0 else 1.0
    return tuple(
        StagePlan(
            name=work.stage,
            team=role.name,
            role=role,
            work=work,
            effort=work.effort * scale,
            load=hours * scale,
            good=odds[i][0],
            poor=odds[i][1],
            patience=PATIENCE[min(i, 1)],
        )
        for i, (role, work, hours) in enumerate(found)
    ), scale


def _split(middle: list[float], factor: float) -> list[float]:
    """Odds by stage whose product is the product of ``middle`` times ``factor``, none above 1."""
    out, left = list(middle), factor
    open_ = set(range(len(middle)))
    while open_ and abs(math.log(left)) > 1e-12:
        step = left ** (1 / len(open_))
        left = 1.0
        for i in sorted(open_):
            value = out[i] * step
            if value > 0.98:
                left *= value / 0.98
                value = 0.98
                open_.discard(i)
            out[i] = value
    return out


def _other(name: str) -> Work:
    base = _BOOK["sales_rep"]
    return Work(f"work_{name}"[:64], 2.0, base.cost, base.ramp, "2 h, our own design value")


def _days(stage: StagePlan) -> float:
    """Days that a visit takes in work and waiting: G/G/c, Sakasegawa's approximation."""
    if stage.role is None:
        return 0.0
    people, load = stage.role.people, stage.load
    te = stage.effort / PERSON_HOURS * DAYS_PER_WEEK
    # arrivals and effort as variable as exponential ones
    wait = te * load ** (math.sqrt(2 * (people + 1)) - 1) / (people * (1 - load))
    return float(te + wait)


def extra_push_cost(estimates: Estimates, plan: Plan, factor: float) -> float:
    """What pushing every channel's spend by a factor costs a year."""
    per_week = sum(
        c.per_week * float(p.cost.value)
        for c, p in zip(estimates.channels, plan.channels, strict=True)
    )
    return per_week * 365.25 / 7 * (factor - 1)
