"""What a sweep file may say: one pydantic model a concept.

Values of axes are kept as they are written; `read` turns them into the model's own units once
the scenario is known.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from simulator.spec.quantities import Model
from simulator.spec.units import MoneyOrRate, Share, Weeks

MOST_VALUES = 10_000
MOST_POINTS = 10_000_000
Design = Literal["grid", "one-at-a-time", "latin-hypercube", "sobol", "csv"]
Engine = Literal["batch", "events", "flow"]
Written = str | int | float


class Range(Model):
    """From one value to another: a grid takes `steps` of them, a sampled design any between."""

    from_: Written = Field(alias="from")
    to: Written
    steps: Annotated[int, Field(ge=2, le=MOST_VALUES)] | None = None
    spacing: Literal["even", "log"] = "even"


Values = Annotated[list[Written], Field(min_length=1, max_length=MOST_VALUES)] | Range


class Axis(Model):
    """One thing that varies: the values it is set to, scaled by, or that are added to it.

    Of the whole run, unless `at` says from when. A list or {from, to} alone is what it is set to;
    `graded` is the range that the scenario or the parameter book states.
    """

    set: Values | Literal["graded"] | None = None
    scale: Values | None = None
    add: Values | None = None
    at: Any = Field(None, description='from when, as of a lever: "week 13" or a date')
    over: Annotated[Weeks, Field(ge=0)] = 0.0
    cost: MoneyOrRate | None = Field(None, description="as of a lever; needs `at`")

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        verbs = [v for v in ("set", "scale", "add") if getattr(self, v) is not None]
        if len(verbs) != 1:
            given = " and ".join(verbs) if verbs else "none"
            raise ValueError(f"needs exactly one of set, scale, add; it has {given}")
        if self.at is None and (self.over or self.cost is not None):
            raise ValueError("over and cost belong to a change in the course of the run: give `at`")
        return self

    @property
    def verb(self) -> Literal["set", "scale", "add"]:
        """Which of set, scale and add it is."""
        return "set" if self.set is not None else "scale" if self.scale is not None else "add"

    @property
    def values(self) -> list[Written] | Range | Literal["graded"]:
        """What it is set to, scaled by, or what is added."""
        found = getattr(self, self.verb)
        assert found is not None
        return found  # type: ignore[no-any-return]


def _axis(value: Any) -> Any:
    if isinstance(value, list) or value == "graded":
        return {"set": value}
    if isinstance(value, dict) and ("from" in value or "to" in value):
        timing = {k: v for k, v in value.items() if k in ("at", "over", "cost")}
        return {"set": {k: v for k, v in value.items() if k not in timing}, **timing}
    return value


class Side(Model):
    """One kind of axes and how points are laid over them."""

    design: Design = "grid"
    points: Annotated[int, Field(ge=1, le=MOST_POINTS)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    file: str | None = Field(None, description="design csv: a file beside this one")
    axes: Annotated[
        dict[str, Annotated[Axis, BeforeValidator(_axis)]], Field(min_length=1, max_length=200)
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        sampled = self.design in ("latin-hypercube", "sobol")
        if sampled and self.points is None:
            raise ValueError(f"design {self.design} needs points, e.g. points: 64")
        if not sampled and self.points is not None:
            raise ValueError(f"points belong to latin-hypercube and sobol, not to {self.design}")
        if self.design == "csv":
            if self.file is None:
                raise ValueError("design csv needs its file, e.g. file: points.csv")
            if self.axes:
                raise ValueError("the axes of design csv are the columns of its file")
        elif self.file is not None:
            raise ValueError(f"file belongs to design csv, not to {self.design}")
        elif not self.axes:
            raise ValueError("varies nothing: give axes")
        return self


class Until(Model):
    """Replicate each point until an outcome's mean is known to a share of itself."""

    precision: Annotated[Share, Field(gt=0, lt=1)]
    of: str | None = Field(None, description="outcome; default: the first of the sweep's")
    most: Annotated[int, Field(ge=3, le=100_000)] = 40


class SweepFile(Model):
    """One sweep: a scenario, what varies, how often each point is run, and what is kept."""

    scenario: Annotated[str, Field(min_length=1, max_length=500)]
    name: Annotated[str, Field(max_length=200)] = "unnamed"
    story: Annotated[str, Field(max_length=5000)] = ""
    engine: Engine = "batch"
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    replications: Annotated[int, Field(ge=1, le=100_000)] | Until | None = None
    outcomes: Annotated[list[str], Field(min_length=1, max_length=200)] | None = None
    weeks: Annotated[list[Any], Field(min_length=1, max_length=200)] | None = None
    levers: Side | None = Field(None, description="what we do")
    uncertainties: Side | None = Field(None, description="what the world does")
    within: Annotated[Weeks, Field(gt=0)] | None = Field(
        None, description="the longest that the sweep may be expected to take; default: 24 hours"
    )

    @model_validator(mode="after")
    def _something_varies(self) -> Self:
        if self.levers is None and self.uncertainties is None:
            raise ValueError("varies nothing: give levers or uncertainties")
        return self


__all__ = ["Axis", "Design", "Range", "Side", "SweepFile", "Until", "Values"]
