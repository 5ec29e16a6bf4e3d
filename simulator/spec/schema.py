"""What a scenario may say: one pydantic model a concept, in the field's words.

Every quantity is written with its unit ("3 days", "27.3 kUSD/month", "30%") and held in the
model's own units: weeks, hours of work, currency, events a week, shares between 0 and 1.
A rate such as ``12%/year`` is a continuous rate (a hazard), so a cohort loses
``1 - exp(-0.12)`` = 11.3% of itself in a year.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from simulator.spec.book import default
from simulator.spec.market import Buyer, Customers, Market
from simulator.spec.patterns import Pattern
from simulator.spec.policies import Policy
from simulator.spec.quantities import ByFit, DelayLike, EffortLike, Model, Name, ShareByFit, Value
from simulator.spec.teams import Outbound, Team
from simulator.spec.units import (
    Count,
    Hours,
    Money,
    MoneyOrRate,
    MoneyRate,
    Number,
    Rate,
    Share,
    Weeks,
)


class Leads(Model):
    """How many leads spend buys: Hill response through (``at``, ``now``).

    leads(x) = now * h(x) / h(at), h(x) = 1 / (1 + (x / half) ** -saturation), with ``half``
    (default: ``at``) the spend that buys half of what can be had (domain book, mechanism 10).
    ``saturation: none`` makes leads proportional to spend.
    """

    now: Annotated[Rate, Field(ge=0)]
    at: Annotated[MoneyRate, Field(ge=0)] | None = Field(
        None, description="spend that `now` belongs to; default: the spend where `now` is stated"
    )
    saturation: Annotated[Number, Field(gt=0, le=10)] | Literal["none"] = default(
        "channels.*.leads.saturation"
    )
    half: Annotated[MoneyRate, Field(gt=0)] | None = Field(
        None, description="spend at half of saturation; default: `at`"
    )


def _now(value: Any) -> Any:
    return value if isinstance(value, dict | BaseModel) or value is None else {"now": value}


class Channel(Model):
    """An arrival process of leads."""

    role: Literal["capture", "create", "accelerate"] = "capture"
    spend: Annotated[MoneyRate, Field(ge=0)] | None = None
    cost_per_lead: Annotated[Money, Field(ge=0)] | None = Field(
        None, description="instead of spend: spend = cost_per_lead * leads.now, at today's volume"
    )
    leads: Annotated[Leads, BeforeValidator(_now)] | None = None
    per_customer: Annotated[Rate, Field(ge=0)] | None = Field(
        None, description="referral: leads that each live customer brings"
    )
    adstock: Annotated[Weeks, Field(ge=0)] = default("channels.*.adstock")
    lift: dict[Name, Annotated[Number, Field(ge=0, le=10)]] = Field(
        default_factory=dict,
        description="role accelerate: extra share of another channel's leads at today's spend here",
    )
    seasonality: Annotated[list[Annotated[Number, Field(ge=0)]], Field(min_length=4)] | None = (
        Field(None, description="4 (quarters), 12 (months) or 52 (weeks) factors, averaging 1")
    )
    good_fit: Share = default("channels.*.good_fit")
    quality_loss: Annotated[Number, Field(ge=0, le=5)] | None = Field(
        None,
        description="good fit falls as volume over today's to this power; default: it does not",
    )
    outbound: Outbound | None = Field(
        None, description="a team brings these leads: they respond to its hours, not to spend"
    )
    value: Value | None = Field(None, description="contract value; default: the scenario's value")
    enters: Name | None = Field(None, description="first stage of its leads; default: the first")

    @model_validator(mode="after")
    def _some_source(self) -> Self:
        if self.leads is None and self.per_customer is None and self.role != "accelerate":
            raise ValueError("brings nothing: give leads (e.g. 35/week) or per_customer")
        if self.spend is not None and self.cost_per_lead is not None:
            raise ValueError("give spend or cost_per_lead, not both")
        if self.cost_per_lead is not None and self.leads is None:
            raise ValueError("cost_per_lead needs leads")
        if self.outbound is not None:
            if self.leads is None:
                raise ValueError("outbound needs leads: what the team's hours bring today")
            if self.spend is not None or self.cost_per_lead is not None:
                raise ValueError("leads of outbound respond to hours: give no spend")
        if self.seasonality is not None:
            if len(self.seasonality) not in (4, 12, 52):
                raise ValueError(f"seasonality has {len(self.seasonality)} factors, not 4, 12, 52")
            mean = sum(self.seasonality) / len(self.seasonality)
            if abs(mean - 1) > 0.01:
                raise ValueError(f"seasonality averages {mean:.3g}, not 1")
        return self


class SpeedToLead(Model):
    """Odds of advancing after a wait t: multiplied by floor + (1 - floor) exp(-t / scale)."""

    floor: Share = default("stages.*.speed.floor")
    scale: Annotated[Weeks, Field(gt=0)] = default("stages.*.speed.scale")


class Rework(Model):
    """A share of finished work goes back to a stage."""

    share: Annotated[Share, Field(lt=1)]
    to: Name | None = Field(None, description="default: the same stage")


class Recycle(Model):
    """A share of what is lost or goes cold is nurtured and comes back."""

    share: Share
    to: Name | None = Field(None, description="default: the same stage")
    delay: DelayLike = default("stages.*.recycle.delay")
    at_most: Annotated[int, Field(ge=1, le=100)] = 1


class Stage(Model):
    """A queue and the work behind it; then buyer's time; then an outcome.

    Order of a visit: skipped by leads it does not apply to; waits for its team (patience may run
    out); is worked on; takes the buyer's time; then goes back for rework, or advances, or is lost
    (and may be recycled).
    """

    team: Name | None = None
    effort: EffortLike | None = None
    priority: int = Field(0, ge=-1000, le=1000, description="lower is served first in its team")
    patience: DelayLike | None = Field(None, description="how long a lead waits before it is cold")
    sla: Annotated[Weeks, Field(gt=0)] | None = Field(
        None, description="how soon work is to begin, e.g. 4 h: the share that was is sla_met.STAGE"
    )
    buyer_time: DelayLike | None = Field(None, description="time that uses nobody's capacity")
    speed: SpeedToLead | Literal["oldroyd"] | None = Field(
        None, description="how the odds fall with the wait for this stage"
    )
    tooling: Annotated[Number, Field(gt=0, le=1000)] = Field(
        1.0, description="multiplies the touch rate: work takes effort / tooling"
    )
    applies_to: Share = Field(1.0, description="share of leads that need this stage")
    advance: ShareByFit = Field(ByFit(good_fit=1.0, poor_fit=1.0), validate_default=False)
    rework: Rework | None = None
    recycle: Recycle | None = None
    lost_to: Name = Field("not_advanced", description="the reason given to what does not advance")
    decision: bool = Field(False, description="the buyer decides here; odds come from `buyer`")
    buyer: Buyer | None = Field(
        None, description="the buyer who decides here; default: the scenario's"
    )
    after_sale: bool = Field(False, description="after the signature: onboarding and the like")
    next: Name | dict[Name, Share] | None = Field(
        None, description="stage, or shares by stage, or `won`; default: the next in the file"
    )

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.effort is not None and self.effort.mean > 0 and self.team is None:
            raise ValueError("has effort but no team to spend it")
        if self.team is not None and self.effort is None:
            raise ValueError("has a team but no effort, e.g. effort: {mean: 3 h}")
        if self.patience is not None and self.team is None:
            raise ValueError("patience is time in a team's queue, and no team is named")
        if self.sla is not None and self.team is None:
            raise ValueError("sla is of the wait for a team, and no team is named")
        if self.decision and self.after_sale:
            raise ValueError("the buyer cannot decide after the sale")
        if self.buyer is not None and not self.decision:
            raise ValueError("has a buyer, but no decision: true")
        if self.buyer is not None and (self.buyer.discount or self.buyer.attention):
            raise ValueError("discount and attention are the scenario's: give them at `buyer`")
        if self.decision and "advance" in self.model_fields_set:
            raise ValueError("the odds of a decision stage come from `buyer`, not from advance")
        if isinstance(self.next, dict) and abs(sum(self.next.values()) - 1) > 1e-9:
            raise ValueError(f"the shares of next add up to {sum(self.next.values()):.6g}, not 1")
        return self


class Handoff(Model):
    """What happens to leads between two stages: accepted, returned for rework, or lost."""

    model_config = ConfigDict(populate_by_name=True)

    from_: Name = Field(alias="from")
    to: Name
    delay: DelayLike | None = None
    every: Annotated[Weeks, Field(gt=0)] | None = Field(
        None, description="passed on only at a meeting held every so often"
    )
    accepted: Share = 1.0
    accepted_poor_fit: Share | None = Field(
        None, description="of poor fits, where the receiver can tell them; default: as `accepted`"
    )
    mismatch: Annotated[Share, Field(lt=1)] = Field(
        0.0,
        description="how far the two sides' definitions differ; what is accepted moves with "
        "1 - mismatch, from where it is stated",
    )
    returned: Annotated[Share, Field(lt=1)] = 0.0
    rework: Annotated[Hours, Field(ge=0)] = default("handoffs.*.rework")

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        total = max(self.accepted, self.accepted_poor_fit or 0.0) + self.returned
        if total > 1 + 1e-9:
            raise ValueError(f"accepted and returned add up to {total:.6g}, more than 1")
        return self


class MoneyModel(Model):
    """What turns customers and people into money."""

    gross_margin: Share = default("money.gross_margin")
    overhead: Annotated[MoneyRate, Field(ge=0)] = 0.0
    cash: Annotated[Money, Field(ge=0)] = Field(0.0, description="in the bank at week 0")
    collection: Annotated[Weeks, Field(ge=0)] = Field(
        0.0, description="how long after it is earned revenue is paid, e.g. 6 weeks"
    )
    other_heads: Annotated[Count, Field(ge=0)] = Field(
        0.0, description="people not in any team, for ARR per head"
    )


def _switch(value: Any) -> Any:
    """On and off are texts in YAML 1.2."""
    if isinstance(value, bool):
        return value
    if value in ("on", "off"):
        return value == "on"
    raise ValueError(f"is on or off (or true or false), not {value!r}")


Switch = Annotated[
    bool,
    BeforeValidator(_switch),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"enum": ["on", "off"]}]}),
]


class Mechanisms(Model):
    """Which laws are at work; off is as if the scenario did not have them (`mechanisms.py`)."""

    patience: Switch = Field(True, description="leads that wait too long go cold")
    speed_to_lead: Switch = Field(True, description="odds fall with the wait")
    ramp: Switch = Field(True, description="hires are less productive at first")
    hiring_lead: Switch = Field(True, description="hires come some time after they are wanted")
    handoffs: Switch = Field(True, description="leads are refused, returned and delayed")
    rework: Switch = Field(True, description="finished work goes back")
    recycling: Switch = Field(True, description="what is lost comes back")
    saturation: Switch = Field(True, description="each further dollar buys fewer leads")
    adstock: Switch = Field(True, description="spend works with a delay")
    market: Switch = Field(True, description="there are only so many accounts")
    referral: Switch = Field(True, description="customers bring leads")
    onboarding_lateness: Switch = Field(True, description="who goes live late churns more")
    buyer_effort: Switch = Field(True, description="our effort sways the buyer, up to a point")
    approvers: Switch = Field(True, description="the more must agree, the fewer buy")
    wip: Switch = Field(True, description="many open deals slow people down")
    work_pressure: Switch = Field(True, description="load moves hours, pace and errors")
    performance_goal: Switch = Field(True, description="a goal presses, not what waits")
    fatigue: Switch = Field(True, description="long weeks tire")
    burnout: Switch = Field(True, description="strain makes people quit")
    attrition: Switch = Field(True, description="people quit and are replaced")
    early_quits: Switch = Field(True, description="who still ramps quits at a rate of its own")
    quality_of_hire: Switch = Field(True, description="hires differ in worth and in tenure")
    supervision: Switch = Field(True, description="new hires take veterans' hours")
    capability: Switch = Field(True, description="without improvement time skill erodes")
    urge_to_improve: Switch = Field(True, description="not being good enough makes for improvement")
    mismatch: Switch = Field(True, description="definitions that differ cost acceptance")
    marginal_quality: Switch = Field(True, description="more leads are worse leads")
    reputation: Switch = Field(True, description="churn is talked about")
    slow_delivery: Switch = Field(True, description="late delivery keeps orders away")
    customer_care: Switch = Field(True, description="overloaded success teams lose customers")
    blockers: Switch = Field(True, description="a missing proof blocks an approver")
    discount: Switch = Field(True, description="price cuts lift, pull forward and spoil")
    aging: Switch = Field(True, description="old deals lose heart")
    attention: Switch = Field(True, description="effort on the buyer is shared under pressure")
    tooling: Switch = Field(True, description="tools multiply the touch rate")
    policies: Switch = Field(True, description="managers follow their rules")

    @model_validator(mode="before")
    @classmethod
    def _not_queueing(cls, value: Any) -> Any:
        if isinstance(value, dict) and "queueing" in value:
            raise ValueError(
                "queueing cannot be switched off in a run, as hours would not add up; "
                "`growthsim explain` shows what it does"
            )
        return value


class Move(Model):
    """A change of one thing, or of many by wildcard, at a time.

    Exactly one of set (with to), scale (with by) and add (with by).
    """

    at: Any = Field("week 0", description='"week 13", "13 weeks", or a date')
    over: Annotated[Weeks, Field(ge=0)] = 0.0
    until: Any = Field(None, description="when the change is taken back; default: never")
    set: str | None = None
    scale: str | None = None
    add: str | None = None
    to: Any = None
    by: Any = None
    note: str = ""

    @model_validator(mode="after")
    def _one_verb(self) -> Self:
        verbs = [v for v in ("set", "scale", "add") if getattr(self, v) is not None]
        if len(verbs) != 1:
            given = " and ".join(verbs) if verbs else "none"
            raise ValueError(f"needs exactly one of set, scale, add; it has {given}")
        operand = "to" if verbs[0] == "set" else "by"
        other = "by" if operand == "to" else "to"
        if getattr(self, operand) is None:
            raise ValueError(f"{verbs[0]} needs `{operand}`")
        if getattr(self, other) is not None:
            raise ValueError(f"{verbs[0]} takes `{operand}`, not `{other}`")
        return self

    @property
    def verb(self) -> Literal["set", "scale", "add"]:
        """Which of set, scale and add it is."""
        return "set" if self.set is not None else "scale" if self.scale is not None else "add"

    @property
    def path(self) -> str:
        """The dotted path, wildcards and all."""
        path = self.set or self.scale or self.add
        assert path is not None
        return path

    @property
    def operand(self) -> Any:
        """The value of to or by."""
        return self.to if self.set is not None else self.by


class Shock(Move):
    """What the market does to us: like a lever, but not ours, without cost, in every variant."""


class Lever(Move):
    """What we do, and what it costs."""

    cost: MoneyOrRate | None = Field(
        None, description='once ("40 kUSD") or running ("60 kUSD/year"), beside what is implied'
    )


class Scenario(Model):
    """One whole revenue system and what is done to it."""

    extends: str | None = None
    name: Annotated[str, Field(max_length=200)] = "unnamed"
    story: Annotated[str, Field(max_length=5000)] = ""
    role: Literal["today", "push", "fix", "other"] = "other"
    outcome: str = Field("arr", description="the metric by which variants are judged")
    opportunity: Name | list[Name] | None = Field(
        None,
        description="the stage (of each segment) from which a lead counts as an opportunity; "
        "default: the decision",
    )
    horizon: Annotated[Weeks, Field(gt=0)] = 104.0
    warm_up: Annotated[Weeks, Field(ge=0)] = Field(
        0.0, description="weeks simulated before week 0 to fill the pipeline; not recorded"
    )
    start: dt.date = dt.date(2026, 1, 5)
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    value: Value = Field(default_factory=lambda: Value(mean=1.0, cv=0.0))
    market: Market | None = None
    channels: Annotated[dict[Name, Channel], Field(min_length=1, max_length=200)]
    teams: Annotated[dict[Name, Team], Field(max_length=200)] = Field(default_factory=dict)
    stages: Annotated[dict[Name, Stage], Field(min_length=1, max_length=200)]
    handoffs: Annotated[list[Handoff], Field(max_length=1000)] = Field(default_factory=list)
    buyer: Buyer = Field(default_factory=lambda: Buyer())
    customers: Customers = Field(default_factory=lambda: Customers())
    money: MoneyModel = Field(default_factory=lambda: MoneyModel())
    mechanisms: Mechanisms = Field(default_factory=lambda: Mechanisms())
    policies: Annotated[list[Policy], Field(max_length=100)] = Field(default_factory=list)
    patterns: Annotated[list[Pattern], Field(max_length=100)] = Field(default_factory=list)
    shocks: Annotated[list[Shock], Field(max_length=1000)] = Field(default_factory=list)
    levers: Annotated[list[Lever], Field(max_length=1000)] = Field(default_factory=list)
