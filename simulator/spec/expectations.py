"""What a study expects to be seen: statements in expect.yaml, beside its scenarios."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from simulator.errors import Problem, SpecError
from simulator.spec.measures import MAX_TEXT
from simulator.spec.problems import find, locate
from simulator.spec.quantities import Model
from simulator.spec.units import Quantity
from simulator.spec.yamltree import read_tree

FILE: Final = "expect.yaml"
VERDICTS = Literal[
    "push_wins", "fix_wins", "no_difference_found", "gain_found", "loss_found"
]  # fmt: skip


class Statement(Model):
    """One statement: a verdict, or a metric of a variant between bounds.

    With `than`, the bounds are on the difference, per cent of the other's mean; else on the level.
    The whole 95% interval must lie within them.
    """

    says: Annotated[str, Field(max_length=300)]
    verdict: VERDICTS | None = None
    variant: str | None = None
    than: str | None = None
    spend: Literal["written", "equal"] = "written"
    metric: str | None = None
    week: Annotated[float, Field(gt=0)] | None = None
    since: Annotated[float, Field(ge=0)] | None = None
    above: str | float | None = None
    below: str | float | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.verdict is not None:
            if self.metric is not None or self.variant is not None:
                raise ValueError("a verdict needs no metric and no variant")
            return self
        if self.metric is None or self.variant is None:
            raise ValueError("needs a verdict, or a variant and a metric")
        if self.above is None and self.below is None:
            raise ValueError("needs above, below or both")
        for key in ("above", "below"):
            value = getattr(self, key)
            if value is not None:
                bound(value)
        if self.since is not None and self.week is not None and not self.since < self.week:
            raise ValueError(f"since is week {self.since:g}, not before week {self.week:g}")
        return self


class Expectations(Model):
    """All statements of a study, and in how many replications they are looked at."""

    replications: Annotated[int, Field(ge=2, le=10_000)] = 20
    expect: Annotated[list[Statement], Field(min_length=1, max_length=200)]


def bound(value: str | float) -> tuple[float, bool]:
    """A bound and whether it is a share of the other's mean: "5%", "-2%", 0.3, "1.2 M"."""
    text = str(value).strip()
    sign = -1.0 if text.startswith("-") else 1.0
    text = text.lstrip("+-").strip()
    if len(text) > MAX_TEXT:
        raise ValueError("a bound is a number such as 0.3 or a share such as 5%")
    if text.endswith("%"):
        return sign * Quantity("number").parse(text[:-1].strip()) / 100.0, True
    return sign * Quantity("money").parse(text if not _bare(text) else float(text)), False


def _bare(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_expectations(file: FilePath) -> Expectations:
    """The expectations of a file; raises SpecError with every problem found."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        message = f"there is no {FILE}, which says what the study expects."
        hint = "See docs/scenario-files.md, Expectations."
        raise SpecError([Problem(str(file), None, "", message, hint)]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError([Problem(str(file), None, "", f"cannot be read: {error}")]) from None
    root = read_tree(text, str(file))
    try:
        return Expectations.model_validate(root.plain())
    except ValidationError as error:
        problems = []
        for item in error.errors(include_url=False):
            path = tuple(k for k in item["loc"] if not str(k).startswith(("function", "literal")))
            where = path
            while where and find(root, where) is None:
                where = where[:-1]
            shown, line = locate(root, where)
            message = _plain(dict(item))
            problems.append(Problem(shown, line, ".".join(map(str, path)), message))
        raise SpecError(problems) from None


def _plain(item: dict[str, Any]) -> str:
    if item["type"] == "extra_forbidden":
        return f"unknown key '{item['loc'][-1]}'. There are: {', '.join(Statement.model_fields)}"
    if item["type"] == "missing":
        return "missing"
    return str(item["msg"]).removeprefix("Value error, ")
