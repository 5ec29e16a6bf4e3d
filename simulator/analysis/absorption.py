"""Where effort fails to turn into output: the gap to a straight line, shared out exactly.

If output grew in proportion to effort, a channel's spend up by a share e would bring its wins up
by e. What is missing is first what the market does not sell (by its response curve, leads grow by
less than spend), then what the system does not absorb: leads that end somewhere in more than the
proportion they used to. Each such excess counts at the odds that a lead from there used to have,
scaled so that the parts add up to the gap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator import laws
from simulator.analysis.parts import Absorption
from simulator.system import System, won_fates

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Side:
    """One of the two systems: fates (C, F) of leads, spend (C,), visits entered (S,)."""

    fates: Floats
    spend: Floats
    entered: Floats


def bought(system: System) -> Floats:
    """Leads that spend is to buy over the run, by channel (C,): the response curve, no chance."""
    c = system.channels
    weeks = np.diff(np.maximum(system.edges, 0.0))
    total = np.zeros(len(c.key))
    for i in range(len(c.key)):
        answer = [laws.response(c.kind[i], x, c.at[i], c.half[i], c.saturation[i])
                  for x in c.spend[:, i]]  # fmt: skip
        total[i] = float(weeks @ (c.now[:, i] * np.array(answer) * c.season[:, i]))
    return total


def absorb(system: System, variant: System, before: Side, after: Side) -> Absorption:
    """Share out the gap between two systems' runs."""
    won = won_fates(system)
    leads_a = before.fates.sum(axis=1)
    buys_a, buys_b = bought(system), bought(variant)
    share = np.divide(buys_a, leads_a, out=np.zeros_like(leads_a), where=leads_a > 0)
    growth = np.divide(buys_b, buys_a, out=np.ones_like(buys_a), where=buys_a > 0)
    grown = 1.0 + np.minimum(share, 1.0) * (growth - 1.0)
    pushed = (before.spend > 0) & (after.spend > before.spend * (1 + 1e-12))
    effort = np.where(pushed, after.spend / np.where(pushed, before.spend, 1.0), grown)
    wins = before.fates[:, won].sum(axis=1)
    straight, sold = float(wins @ (effort - 1)), float(wins @ (grown - 1))
    actual = float(after.fates[:, won].sum() - wins.sum())
    parts: dict[str, float] = {}
    if abs(straight - sold) > 1e-9 * max(1.0, float(wins.sum())):
        parts["saturation"] = straight - sold
    gap = sold - actual
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
