"""What policies can see, and what they can move."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from simulator.spec.measures import Kind
from simulator.spec.paths import Leaf, matches
from simulator.spec.policies import Policy
from simulator.spec.units import Quantity

# Signals.
(
    UTILISATION, PRESSURE, BACKLOG, WIP, HEADS, QUEUE, WAIT, DELAY, LEADS, WINS, BOOKINGS, QUARTER,
    REVENUE, ARR, CUSTOMERS, CHURN, RECOGNISED, SPEND, REPUTATION, COMPANY,
) = range(20)  # fmt: skip


class Signal(NamedTuple):
    """A number that the run shows every week."""

    code: int
    of: str  # "team", "stage" or "" for the whole
    kind: Kind
    says: str


SIGNALS: Final[dict[str, Signal]] = {
    "utilisation": Signal(UTILISATION, "team", "share", "hours worked over hours paid"),
    "pressure": Signal(
        PRESSURE, "team", "number", "hours wanted over normal hours, or goal over output"
    ),
    "backlog": Signal(BACKLOG, "team", "weeks", "work that waits, in weeks of the whole team"),
    "wip": Signal(WIP, "team", "count", "open leads a head"),
    "heads": Signal(HEADS, "team", "count", "people there"),
    "queue": Signal(QUEUE, "stage", "count", "leads that wait"),
    "wait": Signal(WAIT, "stage", "weeks", "mean wait of those whose work began"),
    "delay": Signal(DELAY, "stage", "weeks", "leads there over those that leave a week"),
    "leads": Signal(LEADS, "", "rate", "leads a week"),
    "wins": Signal(WINS, "", "rate", "wins a week"),
    "bookings": Signal(BOOKINGS, "", "money_rate", "ARR won a week"),
    "quarter": Signal(QUARTER, "", "money", "ARR won in the last 13 weeks"),
    "revenue": Signal(REVENUE, "", "money_rate", "revenue a week"),
    "arr": Signal(ARR, "", "money", "ARR"),
    "customers": Signal(CUSTOMERS, "", "count", "live customers"),
    "churn": Signal(CHURN, "", "rate", "share of customers that leave"),
    "recognised_delay": Signal(RECOGNISED, "", "weeks", "delivery delay that the market knows"),
    "known_delay": Signal(COMPANY, "", "weeks", "delivery delay that the company knows"),
    "spend": Signal(SPEND, "", "money_rate", "spend of all channels"),
    "reputation": Signal(REPUTATION, "", "number", "what is said of us; 1 is as ever"),
}

# What can be moved.
(
    MOVE_SPEND, MOVE_LEADS, MOVE_HEADS, MOVE_HOURS, MOVE_IMPROVE, MOVE_DISCOUNT, MOVE_EFFORT,
    MOVE_OUT, MOVE_GOAL,
) = range(9)  # fmt: skip

MOVES: Final[dict[str, int]] = {
    "channels.*.spend": MOVE_SPEND,
    "channels.*.leads.now": MOVE_LEADS,
    "channels.*.outbound.hours": MOVE_OUT,
    "teams.*.headcount": MOVE_HEADS,
    "teams.*.hours": MOVE_HOURS,
    "teams.*.capability.improvement": MOVE_IMPROVE,
    "teams.*.pressure.goal": MOVE_GOAL,
    "buyer.discount.level": MOVE_DISCOUNT,
    "buyer.effort": MOVE_EFFORT,
}
"""Paths that a policy can move."""

SETS: Final[dict[int, tuple[str, ...]]] = {
    HEADS: ("teams.*.headcount",),
    SPEND: ("channels.*.spend",),
}
"""Signals that a policy's own move shows in the same week."""


def reach(pattern: str, table: dict[str, Leaf]) -> list[tuple[str, int]]:
    """The paths that a policy's pattern reaches, with what moving each is; [] for none."""
    found = []
    for path in table:
        if matches(path, pattern):
            code = next((c for p, c in MOVES.items() if matches(path, p)), None)
            if code is not None:
                found.append((path, code))
    return found


def pattern_of(policy: Policy) -> str | None:
    """The path that a policy moves; None for a budget, which moves spend, and for limits."""
    if policy.do is not None:
        return policy.do.scale or policy.do.add
    chosen = policy.steer or policy.grow
    return chosen.set if chosen is not None else None


def signal_of(policy: Policy) -> str | None:
    """The signal that a policy reads, as written."""
    chosen: Any = policy.when or policy.steer or policy.grow
    return None if chosen is None else str(chosen.signal)


def level_of(policy: Policy, currency: str) -> float:
    """The level of `when`, in the signal's own units; ValueError if it is no such quantity."""
    assert policy.when is not None
    given = policy.when.above if policy.when.above is not None else policy.when.below
    kind = SIGNALS[policy.when.signal.partition(".")[0]].kind
    return float(Quantity(kind).parse(given, currency))
