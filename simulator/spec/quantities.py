"""The parts that a scenario's concepts are made of: random quantities, shares by fit, tables."""

from __future__ import annotations

import itertools
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from simulator.spec.book import default
from simulator.spec.units import Hours, Money, Number, Share, Weeks

NAME = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME, max_length=64)]
Law = Literal["lognormal", "gamma", "exponential", "erlang", "deterministic"]


class Model(BaseModel):
    """Base: unknown keys are errors, values are fixed once read, no infinities."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _mean(value: Any) -> Any:
    """A bare quantity stands for the mean."""
    return value if isinstance(value, dict | BaseModel) or value is None else {"mean": value}


class _Spread(Model):
    """A positive random quantity, by its mean, coefficient of variation and law."""

    cv: Annotated[Number, Field(ge=0, le=20)] | None = Field(
        None, description="standard deviation over mean; default by use, see the parameter book"
    )
    law: Law | None = Field(None, description="distribution; default by use")
    order: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None, description="number of phases of an erlang law; sets cv = order ** -0.5"
    )

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.order is not None and self.law not in (None, "erlang"):
            raise ValueError(f"order belongs to law erlang, not {self.law}")
        if self.law == "erlang" and self.order is None:
            raise ValueError("law erlang needs its order, e.g. {law: erlang, order: 3}")
        if self.order is not None and self.cv is not None:
            raise ValueError("give order or cv, not both")
        if self.law == "exponential" and self.cv not in (None, 1.0):
            raise ValueError(f"an exponential law has cv 1, not {self.cv:g}")
        if self.law == "deterministic" and self.cv not in (None, 0.0):
            raise ValueError(f"a deterministic law has cv 0, not {self.cv:g}")
        return self


class Effort(_Spread):
    """Hours of one person's work; ``effort: 3 h`` is short for ``effort: {mean: 3 h}``."""

    mean: Annotated[Hours, Field(ge=0)]


class Delay(_Spread):
    """Calendar time; ``delay: 2 days`` is short for ``delay: {mean: 2 days}``."""

    mean: Annotated[Weeks, Field(ge=0)]


EffortLike = Annotated[Effort, BeforeValidator(_mean)]
DelayLike = Annotated[Delay, BeforeValidator(_mean)]


class ByFit(Model):
    """A share for each hidden fit; ``advance: 60%`` is short for the same share for both."""

    good_fit: Share
    poor_fit: Share


def both(value: Any) -> Any:
    """A bare share stands for both fits."""
    if isinstance(value, dict | BaseModel) or value is None:
        return value
    return {"good_fit": value, "poor_fit": value}


ShareByFit = Annotated[ByFit, BeforeValidator(both)]


class Value(Model):
    """Annual contract value of a lead, should it be won."""

    mean: Annotated[Money, Field(gt=0)]
    cv: Annotated[Number, Field(ge=0, le=20)] = default("value.cv")


MOST_POINTS = 16


def _rising(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    for (a, _), (b, _) in itertools.pairwise(points):
        if not b > a:
            raise ValueError(f"the first numbers of a table must rise: {b:g} follows {a:g}")
    return points


Points = Annotated[
    list[tuple[float, float]],
    Field(min_length=2, max_length=MOST_POINTS),
    AfterValidator(_rising),
]
"""A function as pairs (x, y): straight between them, flat outside."""


def monotone(points: list[tuple[float, float]], *, rising: bool) -> list[tuple[float, float]]:
    """The points, if y goes one way; ValueError says where it does not."""
    for (a, y), (b, z) in itertools.pairwise(points):
        if (z < y) if rising else (z > y):
            way = "rise" if rising else "fall"
            raise ValueError(
                f"the table must not {'fall' if rising else 'rise'}: it has to {way}, "
                f"but goes from {y:g} at {a:g} to {z:g} at {b:g}"
            )
    return points
