"""What stands for what by its index: fits, routes, teams, and where leads end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simulator.spec.schema import Stage

FITS: Final = ("good", "poor")
END: Final = -1  # route: out of the funnel, as a live customer
NO_TEAM: Final = -1


@dataclass(frozen=True)
class Fate:
    """Where a lead ends: kind is retained, churned, lost or in_process; stage and reason if any."""

    kind: str
    stage: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return ":".join(part for part in (self.kind, self.stage, self.reason) if part)


def lost(stage: int, reason: int) -> int:
    """Index of a fate: lost at a stage to reason 0 (its own), 1 cold, 2 rejected, 3, 4 (buyer)."""
    return 2 + stage * len(REASONS) + reason


REASONS: Final = (
    "not_advanced",
    "went_cold",
    "rejected",
    "competitor",
    "no_decision",
    "in_process",
)
RETAINED: Final = 0
CHURNED: Final = 1
NOT_ADVANCED, WENT_COLD, REJECTED, COMPETITOR, NO_DECISION, IN_PROCESS = range(6)


def fates_of(stages: dict[str, Stage]) -> tuple[Fate, ...]:
    """All fates: retained, churned, then by stage the reasons of REASONS, in that order."""
    found = [Fate("retained"), Fate("churned")]
    for name, stage in stages.items():
        for reason in REASONS:
            if reason == "in_process":
                found.append(Fate("in_process", name))
            else:
                own = stage.lost_to if reason == "not_advanced" else reason
                found.append(Fate("lost", name, own))
    return tuple(found)
