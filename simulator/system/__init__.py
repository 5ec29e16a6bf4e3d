"""Scenario -> System: integer-indexed arrays that every engine reads.

A System says everything about one run but its random numbers. Structure (who follows whom) is
fixed; parameters are tables by segment of the calendar, first axis B; people are a list with
times of joining and leaving. Axes: C channels, S stages, H handoffs, M teams, F fates,
2 fits (good, poor), N people.
"""

from __future__ import annotations

from simulator.system.assemble import build
from simulator.system.codes import (
    CHURNED,
    COMPETITOR,
    END,
    FITS,
    IN_PROCESS,
    NO_DECISION,
    NO_TEAM,
    NOT_ADVANCED,
    REASONS,
    REJECTED,
    RETAINED,
    WENT_COLD,
    Fate,
    fates_of,
    lost,
)
from simulator.system.handoffs import handoff_path
from simulator.system.parts import Buyer, Spread, System, won_fates

__all__ = [
    "CHURNED", "COMPETITOR", "END", "FITS", "IN_PROCESS", "NOT_ADVANCED", "NO_DECISION", "NO_TEAM",
    "REASONS", "REJECTED", "RETAINED", "WENT_COLD", "Buyer", "Fate", "Spread", "System", "build",
    "fates_of", "handoff_path", "lost", "won_fates",
]  # fmt: skip
