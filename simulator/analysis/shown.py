"""What all results have: how they were found, and that they show themselves in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

CONFIDENCE: Final = 0.95  # of every interval
ALPHA: Final = 1.0 - CONFIDENCE  # of every test


@dataclass(frozen=True)
class Asked:
    """An answer of runs: of what, and how it was found. reason: why there are no more runs."""

    name: str
    engine: str
    seed: int
    replications: int
    reason: str

    def found_by(self) -> dict[str, Any]:
        """How it was found, as its JSON says it."""
        return {
            "engine": self.engine,
            "seed": self.seed,
            "replications": self.replications,
            "stopped": self.reason,
            "confidence": CONFIDENCE,
        }


@dataclass(frozen=True)
class Judged(Asked):
    """An answer that is judged by one outcome."""

    outcome: str


class Shown:
    """What a result has of a notebook's way to show things."""

    def _repr_html_(self) -> str:
        # By its name at the top: what draws stands above what is drawn.
        from simulator import as_html

        found: str = as_html(self)
        return found
