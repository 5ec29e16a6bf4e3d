"""A number and how well it is known. Light, so that words and tables need nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Estimate:
    """A mean and the half-width of its 95% t interval."""

    mean: float
    half: float

    @property
    def low(self) -> float:
        """Lower end."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """Upper end."""
        return self.mean + self.half

    def to_json(self) -> dict[str, Any]:
        """mean, low, high; null where undefined."""
        return {
            k: number(v) for k, v in (("mean", self.mean), ("low", self.low), ("high", self.high))
        }


def number(value: float) -> float | None:
    """A float for JSON: null instead of nan and infinities."""
    return float(value) if math.isfinite(value) else None
