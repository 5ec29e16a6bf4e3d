"""The other side: the buyer who decides, the customers we have, the market that talks."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from simulator.spec.book import default
from simulator.spec.quantities import DelayLike, Model, Name, Points, ShareByFit, monotone
from simulator.spec.units import Count, HoursPerWeek, Money, Number, Rate, Share, Weeks


class Odds(Model):
    """What the buyer decides at the reference conditions; no decision takes the rest."""

    us: ShareByFit = default("buyer.odds.us")
    competitor: Share = default("buyer.odds.competitor")

    @model_validator(mode="after")
    def _room(self) -> Self:
        for fit, us in (("good_fit", self.us.good_fit), ("poor_fit", self.us.poor_fit)):
            if not 0 < us < 1:
                raise ValueError(f"us.{fit} is {us:g}; it must lie strictly between 0 and 1")
            if us + self.competitor >= 1:
                raise ValueError(f"us.{fit} and competitor add up to {us + self.competitor:g}")
        if self.competitor <= 0:
            raise ValueError("competitor must be above 0 (a tiny share will do)")
        return self


class Conditions(Model):
    """The buyer's conditions that `odds` belong to."""

    approvers: Annotated[Number, Field(ge=1, le=50)] = default("buyer.approvers")
    alignment: Share = default("buyer.alignment")
    proof: Share = default("buyer.proof")
    risk_removed: Share = default("buyer.risk_removed")
    friction: Share = default("buyer.friction")
    effort: Annotated[Number, Field(ge=0, le=100)] = 1.0


class Blocker(Model):
    """An approver who says no while something is missing: at their share of deals we cannot win."""

    share: Share
    needs: Literal["alignment", "proof", "risk_removed", "less_friction"]
    at_least: Share = Field(description="of the condition; for less_friction, of 1 - friction")


class Discount(Model):
    """Price given away (mechanism 14).

    ARR x (1 - level); our V moves by lift x (level - reference), where the reference price erodes
    towards what is given; decisions come sooner by pull_forward x level; who was won at more than
    churn_from churns by `churn` more for each 10 points.
    """

    level: Annotated[Share, Field(lt=1)] = 0.0
    lift: Annotated[Number, Field(ge=0, le=10)] = default("buyer.discount.lift")
    pull_forward: Annotated[Number, Field(ge=0, le=3)] = default("buyer.discount.pull_forward")
    reference: Annotated[Weeks, Field(gt=0)] = default("buyer.discount.reference")
    churn: Annotated[Number, Field(ge=0, le=10)] = default("buyer.discount.churn")
    churn_from: Share = default("buyer.discount.churn_from")


class Aging(Model):
    """Deals lose heart: our V falls by `decay` for each week of a lead's age beyond `after`."""

    decay: Annotated[Number, Field(ge=0, le=10)] = default("buyer.aging.decay")
    after: Annotated[Weeks, Field(ge=0)] = default("buyer.aging.after")


class Buyer(Conditions):
    """The buyer's decision: competing risks of us, a competitor and no decision (mechanism 13).

    share_i = exp(V_i) / sum exp(V); no decision has V = 0; our V moves from the reference by
    alignment + proof + risk removed - friction + kappa (1 - exp(-effort)); approvers multiply.
    """

    odds: Odds = Field(default_factory=lambda: Odds())
    reference: Conditions = Field(default_factory=lambda: Conditions())
    competitor_strength: Annotated[Number, Field(ge=-10, le=10)] = Field(
        0.0, description="added to the competitor's V: what the market does to us"
    )
    kappa: Annotated[Number, Field(ge=0, le=10)] = default("buyer.kappa")
    blockers: Annotated[dict[Name, Blocker], Field(max_length=50)] = Field(default_factory=dict)
    discount: Discount | None = None
    aging: Aging | None = None
    attention: Name | None = Field(
        None, description="the team whose effort on the buyer it is: shared as its pressure rises"
    )


class Care(Model):
    """Customer success: an overloaded team raises churn by 1 + overload x (demand / hours - 1)."""

    team: Name
    hours: Annotated[HoursPerWeek, Field(gt=0)] = Field(description="that a live customer takes")
    overload: Annotated[Number, Field(ge=0, le=10)] = default("customers.care.overload")


class Customers(Model):
    """The customers we have and win: going live, churn, expansion."""

    start: Annotated[Count, Field(ge=0, le=10_000_000)] = 0.0
    arr: Annotated[Money, Field(ge=0)] | None = Field(
        None, description="ARR of the customers at the start; default: start * value.mean"
    )
    churn: Annotated[Rate, Field(ge=0)] = default("customers.churn")
    expansion: Rate = default("customers.expansion")
    onboarding_target: Annotated[Weeks, Field(gt=0)] = default("customers.onboarding_target")
    late_churn: Annotated[Number, Field(ge=0, le=100)] = default("customers.late_churn")
    care: Care | None = None

    @model_validator(mode="after")
    def _someone_pays(self) -> Self:
        if self.arr and round(self.start) == 0:
            raise ValueError("arr needs customers who pay it: give start")
        return self


class Reputation(Model):
    """What is said of us: 2 - churn / usual churn, between 0 and 2, smoothed; 1 is as ever.

    Referrals go with it; our V moves by odds x (reputation - 1).
    """

    smooth: Annotated[Weeks, Field(gt=0)] = default("market.reputation.smooth")
    odds: Annotated[Number, Field(ge=0, le=10)] = default("market.reputation.odds")
    usual: Annotated[Rate, Field(gt=0)] | None = Field(
        None, description="churn that customers think normal; default: customers.churn"
    )


class Delivery(Model):
    """What slow delivery does to demand (Forrester 1968): leads x table(weeks recognised).

    The delay is the number at a stage over what leaves it a week; the company recognises it with
    one smoothing, the market with another after that.
    """

    stage: Name
    company: Annotated[Weeks, Field(ge=0)] = default("market.delivery.company")
    market: Annotated[Weeks, Field(ge=0)] = default("market.delivery.market")
    throughput: Annotated[Weeks, Field(ge=0)] = default("market.delivery.throughput")
    leads: Points = Field(description="pairs of weeks of delay and factor on leads")

    @model_validator(mode="after")
    def _falls(self) -> Self:
        monotone(self.leads, rising=False)
        if min(y for _, y in self.leads) < 0:
            raise ValueError("leads cannot be below 0: keep the table at 0 or above")
        return self


class Market(Model):
    """The accounts there are, and what they come to think of us; absent means no limit."""

    accounts: Annotated[Count, Field(gt=0)] | None = None
    cool_down: DelayLike = default("market.cool_down")
    reputation: Reputation | None = None
    delivery: Delivery | None = None
