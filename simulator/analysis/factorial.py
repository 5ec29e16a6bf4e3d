"""Two changes and both of them: does each bring as much with the other as without?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

from simulator.analysis.estimate import Estimate

if TYPE_CHECKING:
    from simulator.spec.schema import Scenario


@dataclass(frozen=True)
class Crossed:
    """Names of the variants that are one change, the other, and both; what both together bring
    beyond the sum of each alone.
    """

    first: str
    second: str
    both: str
    beyond: Estimate

    def to_json(self) -> dict[str, Any]:
        """By name."""
        return {
            "first": self.first,
            "second": self.second,
            "both": self.both,
            "beyond_their_sum": self.beyond.to_json(),
        }


def crossing(today: Scenario, variants: Sequence[Scenario]) -> tuple[int, int, int] | None:
    """The places of a variant, another, and the one that has the levers of both; None if none.

    But for their levers all four say the same. A push comes first.
    """
    told = {"extends", "levers", "name", "story", "role"}
    same = today.model_dump(exclude=told)
    base = Counter(lever.model_dump_json() for lever in today.levers)
    own = {
        i: Counter(lever.model_dump_json() for lever in v.levers) - base
        for i, v in enumerate(variants)
        if v.model_dump(exclude=told) == same
    }
    for a, b, c in permutations(own, 3):
        if own[a] and own[b] and not own[a] & own[b] and own[a] + own[b] == own[c]:
            return (b, a, c) if variants[b].role == "push" != variants[a].role else (a, b, c)
    return None
