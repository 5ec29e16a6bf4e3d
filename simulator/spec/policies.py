"""Policies: rules that managers follow week by week, from what the run itself shows."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from simulator.spec.book import default
from simulator.spec.quantities import Model, Name, Points
from simulator.spec.units import MoneyRate, Number, Share, Weeks


class When(Model):
    """A signal beyond a level; `smooth` averages it exponentially first."""

    signal: str
    above: Any = None
    below: Any = None
    smooth: Annotated[Weeks, Field(ge=0)] = default("policies.*.smooth")

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("needs exactly one of above and below, e.g. above: 90%")
        return self


class Do(Model):
    """What a policy does to a path, each time: scale or add, by so much, up to a limit."""

    scale: str | None = None
    add: str | None = None
    by: Any
    at_most: Annotated[int, Field(ge=1, le=1000)] = Field(
        1, description="how many times in all, or at once where what it does ends (`lasts`)"
    )

    @model_validator(mode="after")
    def _one_verb(self) -> Self:
        if (self.scale is None) == (self.add is None):
            raise ValueError("needs exactly one of scale and add")
        return self


class Budget(Model):
    """Move a share of the spend each time from the channel with the worst KPI to the best."""

    by: Literal["leads_per_dollar", "wins_per_dollar", "retained_arr_per_dollar"]
    move: Annotated[Share, Field(gt=0, le=1)] = default("policies.*.budget.move")
    keep: Annotated[Share, Field(ge=0, lt=1)] = default("policies.*.budget.keep")
    smooth: Annotated[Weeks, Field(ge=0)] = default("policies.*.smooth")


class Steer(Model):
    """A number that follows a signal: target = factor x signal, approached over a time."""

    set: str
    signal: str
    factor: Annotated[Number, Field(gt=0)]
    smooth: Annotated[Weeks, Field(ge=0)] = default("policies.*.smooth")
    over: Annotated[Weeks, Field(gt=0)]


class Grow(Model):
    """A headcount that grows or shrinks at a rate a year read off a table of a signal."""

    set: str
    signal: str
    table: Points
    smooth: Annotated[Weeks, Field(ge=0)] = default("policies.*.smooth")


class Limit(Model):
    """A WIP cap: no lead enters these stages while so many are in them; they wait outside."""

    stages: Annotated[list[Name], Field(min_length=1, max_length=200)]
    at_most: Annotated[int, Field(ge=1, le=1_000_000)]


class Gate(Model):
    """Whom a stage lets in: the others are rejected at its entry, before any work."""

    stage: Name
    good_fit: Share = 1.0
    poor_fit: Share


class Sla(Model):
    """An agreement on service: no delay of a handoff is longer; or overdue leads go first.

    At a stage, leads that have waited longer are served before all others of its team, the one
    that is longest overdue first.
    """

    handoff: str | None = Field(None, description="as from>to")
    stage: Name | None = None
    within: Annotated[Weeks, Field(gt=0)] | None = Field(
        None, description="default at a stage: its own sla"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.handoff is None) == (self.stage is None):
            raise ValueError("names a handoff, as from>to, or a stage: one of them")
        if self.handoff is not None and self.within is None:
            raise ValueError("a handoff needs within, e.g. 1 day")
        return self


KINDS = ("do", "budget", "steer", "grow", "limit", "gate", "sla")


class Policy(Model):
    """A rule: one of `when` with `do`, `budget`, `steer`, `grow`, `limit`, `gate` and `sla`.

    Decided every so often between `at` and `until`; after acting it rests; what it did ends after
    `lasts` (default: never). Cost runs while what it did is in force (all but `do`: always).
    """

    name: Annotated[str, Field(max_length=200)] = ""
    at: Any = "week 0"
    until: Any = None
    every: Annotated[Weeks, Field(ge=1)] = default("policies.*.every")
    rest: Annotated[Weeks, Field(ge=0)] = 0.0
    lasts: Annotated[Weeks, Field(gt=0)] | None = None
    when: When | None = None
    do: Do | None = None
    budget: Budget | None = None
    steer: Steer | None = None
    grow: Grow | None = None
    limit: Limit | None = None
    gate: Gate | None = None
    sla: Sla | None = None
    cost: Annotated[MoneyRate, Field(ge=0)] = 0.0

    @property
    def kind(self) -> str:
        """Which of KINDS it is."""
        return next(k for k in KINDS if getattr(self, k) is not None)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [k for k in KINDS if getattr(self, k) is not None]
        if len(kinds) != 1:
            given = " and ".join(kinds) if kinds else "none"
            raise ValueError(f"needs exactly one of {', '.join(KINDS)}; it has {given}")
        if (self.when is None) != (self.do is None):
            raise ValueError("`when` says when to act and `do` what: give both or neither")
        if self.lasts is not None and self.do is None:
            raise ValueError("`lasts` belongs to `do`")
        return self
