"""Which relief of a ranking is the constraint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from simulator.analysis.shown import ALPHA


class Ranked(Protocol):
    """A relief in a ranking. p: adjusted for the number of reliefs; tied: with the first."""

    @property
    def p(self) -> float:
        """That its gain is chance."""
        ...

    @property
    def per_dollar(self) -> float:
        """What it brings for what it costs."""
        ...

    @property
    def tied(self) -> bool:
        """Whether it cannot be told from the first."""
        ...


R = TypeVar("R", bound=Ranked)


def leader(candidates: Sequence[R]) -> R | None:
    """Of those that cannot be told from the first, the first that brings something beyond chance.

    A relief whose gain is known poorly may lead by its mean alone: it stays tied, and does not
    hide one that is known to work.
    """
    sure = (c for c in candidates if c.tied and c.p < ALPHA and c.per_dollar > 0)
    return next(sure, None)
