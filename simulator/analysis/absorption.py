"""Where effort fails to turn into output: the gap to a straight line, shared out exactly.

If output grew in proportion to effort, a channel's spend up by a share e would bring its wins up
by e. What is missing is first what the market does not sell (its leads grew by less than its
spend), then what the system does not absorb: leads that end somewhere in more than the proportion
they used to. Each such excess counts at the odds that a lead from there used to have, scaled so
that the parts add up to the gap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.system import System, won_fates

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Absorption:
    """Wins: what a straight line promises, what came, and what took the difference.

    parts: by "saturation" or "stage: reason", in wins; straight_line = actual + sum of parts.
    """

    straight_line: float
    actual: float
    parts: dict[str, float]

    def worst(self) -> tuple[str, float] | None:
        """The largest part and its share of all that was absorbed; None if nothing was."""
        total = sum(v for v in self.parts.values() if v > 0)
        if total <= 0:
            return None
        name = max(self.parts, key=lambda k: self.parts[k])
        return name, self.parts[name] / total


@dataclass(frozen=True)
class Side:
    """One of the two systems: fates (C, F) of leads, spend (C,), visits entered (S,)."""

    fates: Floats
    spend: Floats
    entered: Floats


def absorb(system: System, before: Side, after: Side) -> Absorption:
    """Share out the gap between two systems' runs."""
    won = won_fates(system)
    leads_a, leads_b = before.fates.sum(axis=1), after.fates.sum(axis=1)
    grown = np.divide(leads_b, leads_a, out=np.ones_like(leads_a), where=leads_a > 0)
    pushed = (before.spend > 0) & (after.spend > before.spend * (1 + 1e-12))
    effort = np.where(pushed, after.spend / np.where(pushed, before.spend, 1.0), grown)
    wins = before.fates[:, won].sum(axis=1)
    straight, bought = float(wins @ (effort - 1)), float(wins @ (grown - 1))
    actual = float(after.fates[:, won].sum() - wins.sum())
    parts: dict[str, float] = {}
    if abs(straight - bought) > 1e-9 * max(1.0, float(wins.sum())):
        parts["saturation"] = straight - bought
    gap = bought - actual
    excess = after.fates.sum(axis=0) - grown @ before.fates
    weights: dict[str, float] = {}
    for i, fate in enumerate(system.fates):
        # A gap is taken by what there is more of; a surplus comes from what there is less of.
        if not won[i] and excess[i] * gap > 0:
            reached = float(before.entered[system.stage_names.index(fate.stage)])
            odds = float(wins.sum()) / max(reached, float(wins.sum()), 1.0)
            label = f"{fate.stage}: {fate.reason or 'still in process'}"
            weights[label] = abs(float(excess[i])) * odds
    total = sum(weights.values())
    for label, weight in sorted(weights.items(), key=lambda item: -item[1]):
        parts[label] = gap * weight / total
    if not total and abs(gap) > 0:
        parts["elsewhere"] = gap
    return Absorption(straight, actual, parts)
