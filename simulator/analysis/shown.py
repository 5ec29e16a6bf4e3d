"""What all results have: how they were found, and that they show themselves in a notebook."""

from __future__ import annotations

from typing import Any, Final, Protocol

CONFIDENCE: Final = 0.95  # of every interval
ALPHA: Final = 1.0 - CONFIDENCE  # of every test


class Asked(Protocol):
    """A result of runs."""

    @property
    def engine(self) -> str:
        """What ran."""
        ...

    @property
    def seed(self) -> int:
        """Of the draws."""
        ...

    @property
    def replications(self) -> int:
        """How many."""
        ...

    @property
    def reason(self) -> str:
        """Why there are no more."""
        ...


def found_by(result: Asked) -> dict[str, Any]:
    """How a result was found, as its JSON says it."""
    return {
        "engine": result.engine,
        "seed": result.seed,
        "replications": result.replications,
        "stopped": result.reason,
        "confidence": CONFIDENCE,
    }


class Shown:
    """What a result has of a notebook's way to show things."""

    def _repr_html_(self) -> str:
        # By its name at the top: what draws stands above what is drawn.
        from simulator import as_html

        found: str = as_html(self)
        return found
