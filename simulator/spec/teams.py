"""People: teams, and what work does to them (domain book, mechanisms 3 to 8)."""

from __future__ import annotations

import math
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from simulator.spec.book import default
from simulator.spec.quantities import Model, Name, Points, monotone
from simulator.spec.units import (
    Count,
    HoursPerWeek,
    MoneyRate,
    Number,
    Rate,
    Share,
    Weeks,
)

MOST_HIRED: Final = 10_000
"""People who join one team in a run."""


def _not_negative(points: Points) -> None:
    for x, y in points:
        if y < 0:
            raise ValueError(f"improvement time cannot be negative: {y:g} at {x:g}")


class Wip(Model):
    """What open deals cost in attention: pace = 1 / (1 + loss max(0, n / normal - 1) ** power).

    n: open leads at the team's stages for each head. With a table, pace is read off it; the
    table weinberg is 1, .8, .6, .4, .25 at 1 to 5 at a time.
    """

    normal: Annotated[Number, Field(gt=0)] = default("teams.*.wip.normal")
    loss: Annotated[Number, Field(ge=0, le=10)] = default("teams.*.wip.loss")
    power: Annotated[Number, Field(gt=0, le=10)] = default("teams.*.wip.power")
    table: Points | Literal["weinberg"] | None = None

    @model_validator(mode="after")
    def _falls(self) -> Self:
        if isinstance(self.table, list):
            monotone(self.table, rising=False)
            if min(y for _, y in self.table) <= 0:
                raise ValueError("a pace of 0 would never end: keep the table above 0")
        return self


class Pressure(Model):
    """What people do under load: hours wanted over normal hours, smoothed, move hours and errors.

    Wanted: the week's new work, and the backlog worked off within `target`. Output over normal is
    read off a table (default: the overtime table of the domain book); above 1 it is longer hours,
    below 1 a slower pace. Errors: share more of rework and of handoffs not accepted, for each unit
    of pressure above 1.

    With a goal, pressure is the goal over what the team puts out, both over its normal output
    (headcount x hours, all ramped, capability 1), whatever waits. `longest` is the longest week
    that people work, improvement included: hours are those stated times what pressure makes of
    them, as far as the week has room.
    """

    target: Annotated[Weeks, Field(gt=0)] = default("teams.*.pressure.target")
    smooth: Annotated[Weeks, Field(ge=0)] = default("teams.*.pressure.smooth")
    errors: Annotated[Number, Field(ge=0, le=10)] = default("teams.*.pressure.errors")
    output: Points | None = None
    goal: Annotated[Number, Field(gt=0, le=10)] | None = Field(
        None,
        description="output asked for, over the normal one, e.g. 1.15; default: none, load presses",
    )
    longest: Annotated[HoursPerWeek, Field(gt=0, le=168)] | None = Field(
        None, description="longest week of work and improvement, of which `week` is the usual one"
    )

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.output is not None:
            monotone(self.output, rising=True)
            if self.output[0][1] <= 0:
                raise ValueError("an output of 0 would never end: keep the table above 0")
        return self


class Fatigue(Model):
    """What long weeks do to the pace, with the work week smoothed.

    roundtable: 1 / (1 + .0377 x^.896) at x hours above 40, which makes 50 h a week break even
    after 7 weeks and 60 h after 9; pencavel: output in proportion to hours up to 48.5, and none
    more from 63.
    """

    law: Literal["roundtable", "pencavel"] = "roundtable"
    smooth: Annotated[Weeks, Field(ge=0)] = default("teams.*.fatigue.smooth")


class Burnout(Model):
    """Quits under strain: attrition (1 + strength max(0, burnout - threshold))."""

    strength: Annotated[Number, Field(ge=0, le=20)] = default("teams.*.burnout.strength")
    threshold: Annotated[Share, Field(lt=1)] = default("teams.*.burnout.threshold")
    depletion: Annotated[Weeks, Field(gt=0)] = default("teams.*.burnout.depletion")
    recovery: Annotated[Weeks, Field(gt=0)] = default("teams.*.burnout.recovery")


class Supervision(Model):
    """Hours a week that each ramping hire takes of the veterans, up to `span` hires for each."""

    hours: Annotated[HoursPerWeek, Field(ge=0, le=168)] = default("teams.*.supervision.hours")
    span: Annotated[Number, Field(gt=0)] = default("teams.*.supervision.span")


class ToImprove(Model):
    """The pressure to improve: a load or goal not met, felt over `smooth`, moves improvement.

    Improvement time is multiplied by what the table gives of it (default: 0 up to 1/2, 1 at 1,
    1.5 from 2; Repenning & Sterman).
    """

    smooth: Annotated[Weeks, Field(ge=0)] = default("teams.*.capability.to_improve.smooth")
    table: Points | None = None

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.table is not None:
            monotone(self.table, rising=True)
            _not_negative(self.table)
        return self


class Capability(Model):
    """What a team can do in an hour, kept up by improvement time and eroding without it.

    dc/dt = (improvement / reference - c) / erosion; hours for the work are those of the team at
    the reference, more or fewer as improvement takes less or more. With `pressure` on the team,
    pressure cuts improvement, by `under_pressure` (default: 1 up to 1, .75 at 1.5, .25 at 2, 0 from
    5); with `to_improve`, not being good enough makes for more of it, later.
    """

    improvement: Share = default("teams.*.capability.improvement")
    reference: Annotated[Share, Field(gt=0, lt=1)] | None = Field(
        None, description="share of time that keeps capability at 1; default: `improvement`"
    )
    erosion: Annotated[Weeks, Field(gt=0)] = default("teams.*.capability.erosion")
    under_pressure: Points | None = None
    to_improve: ToImprove | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.under_pressure is not None:
            monotone(self.under_pressure, rising=False)
            _not_negative(self.under_pressure)
        if self.reference is None and not 0 < self.improvement < 1:
            raise ValueError("improvement must lie strictly between 0 and 1, or give a reference")
        return self


class Hire(Model):
    """One kind of those who are hired: how many of them are, what they bring, how long they stay.

    Nobody can tell before. Those of the team at the start are none of these.
    """

    share: Share = Field(description="of all hires")
    productivity: Annotated[Number, Field(ge=0.05, le=10)] = Field(
        1.0, description="once ramped, over that of the team's people at the start"
    )
    tenure: Annotated[Weeks, Field(gt=0)] | None = Field(
        None, description="mean stay once ramped; default: by the team's attrition"
    )


class Team(Model):
    """People who do the work of one or more stages."""

    headcount: Annotated[Count, Field(ge=0, le=100_000)]
    hours: Annotated[HoursPerWeek, Field(gt=0, le=168)] = default("teams.*.hours")
    cost: Annotated[MoneyRate, Field(ge=0)] = default("teams.*.cost")
    function: Literal["sales", "marketing", "delivery", "customer", "other"] = "sales"
    ramp: Annotated[Weeks, Field(ge=0)] = default("teams.*.ramp")
    ramp_start: Annotated[Share, Field(ge=0.05)] = default("teams.*.ramp_start")
    ramp_law: Literal["line", "exponential"] = Field(
        "line",
        description="line: everybody takes `ramp`, more productive by the day; exponential: each "
        "hire stays at `ramp_start` for a time of their own, `ramp` on average, then is ramped",
    )
    hiring: Annotated[Rate, Field(ge=0, le=1000)] | None = Field(
        None,
        description="people who join from week 0 on beside the headcount, e.g. 2/month; a change "
        "is felt after the hiring lead",
    )
    hiring_lead: Annotated[Weeks, Field(ge=0)] = default("teams.*.hiring_lead")
    quota: Annotated[MoneyRate, Field(ge=0)] | None = Field(
        None, description="new ARR that a fully ramped person is to bring, for bookings capacity"
    )
    attainment: Share = default("teams.*.attainment")
    owned: bool = Field(
        False, description="a lead stays with one person through the team's stages; else pooled"
    )
    takeover: Annotated[Weeks, Field(ge=0)] = default("teams.*.takeover")
    takeover_loss: Share = default("teams.*.takeover_loss")
    week: Annotated[HoursPerWeek, Field(gt=0, le=168)] = default("teams.*.week")
    attrition: Annotated[Rate, Field(ge=0)] | None = Field(
        None, description="share of people who quit, e.g. 28%/year; default: nobody does"
    )
    attrition_ramping: Annotated[Rate, Field(ge=0)] | None = Field(
        None, description="of those who still ramp; default: as attrition"
    )
    washout: Annotated[Share, Field(lt=1)] | None = Field(
        None, description="instead: share of hires who quit before they are ramped, e.g. 33%"
    )
    replaced: bool = Field(True, description="who quits is replaced after the hiring lead")
    hires: dict[Name, Hire] = Field(
        default_factory=dict,
        max_length=8,
        description="kinds of hires, e.g. {good: {share: 20%}, poor: {share: 80%, tenure: 1 year}}",
    )
    wip: Wip | None = None
    pressure: Pressure | None = None
    fatigue: Fatigue | None = None
    burnout: Burnout | None = None
    supervision: Supervision | None = None
    capability: Capability | None = None

    @property
    def quits(self) -> tuple[float, float]:
        """Share of people who quit a week without strain: of the ramped, and of those who ramp."""
        ramped = self.attrition or 0.0
        if self.washout is not None:
            lost = self.washout
            if self.ramps_by_chance:
                return ramped, lost / (1.0 - lost) / self.ramp
            return ramped, -math.log1p(-lost) / self.ramp
        return ramped, ramped if self.attrition_ramping is None else self.attrition_ramping

    @property
    def ramps_by_chance(self) -> bool:
        """Ramps of an exponential time: nobody knows who is ramped when."""
        return self.ramp_law == "exponential" and self.ramp > 0

    @property
    def quitting(self) -> bool:
        """Whether anybody ever quits."""
        return max(self.quits) > 0 or any(hire.tenure for hire in self.hires.values())

    @model_validator(mode="after")
    def _hired(self) -> Self:
        total = sum(hire.share for hire in self.hires.values())
        if self.hires and abs(total - 1) > 1e-9:
            raise ValueError(f"the shares of hires add up to {total:.6g}, not 1")
        if self.washout is not None and self.attrition_ramping is not None:
            raise ValueError(
                "washout says how many quit while they ramp, as attrition_ramping does"
            )
        early = "washout" if self.washout is not None else "attrition_ramping"
        if self.ramp <= 0 and getattr(self, early) is not None:
            raise ValueError(f"{early} is of those who ramp, and ramp is 0")
        return self

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.burnout is not None and self.attrition is None:
            raise ValueError("burnout raises attrition, and none is given: attrition: 28%/year")
        if self.supervision is not None and self.supervision.hours >= self.hours:
            raise ValueError("supervision of one hire takes all of a veteran's hours")
        return self


class Outbound(Model):
    """A channel worked by a team: leads respond to its hours (heads x hours x tooling).

    The team's hours for its stages are `hours` fewer a head.
    """

    team: str
    hours: Annotated[HoursPerWeek, Field(gt=0, le=168)]
    tooling: Annotated[Number, Field(gt=0, le=1000)] = 1.0
