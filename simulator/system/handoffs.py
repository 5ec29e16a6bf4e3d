"""Handoffs as tables."""

from __future__ import annotations

import math

import numpy as np

from simulator.errors import Problem, SpecError
from simulator.spec.schema import Handoff, Scenario
from simulator.system.parts import Handoffs
from simulator.system.read import Reader, in_segments


def handoff_path(handoff: Handoff) -> str:
    """The key of a handoff in lever paths: from>to."""
    return f"{handoff.from_}>{handoff.to}"


def handoffs_of(s: Scenario, r: Reader, index: dict[str, int]) -> Handoffs:
    """All handoffs. Raises SpecError where levers take shares above 1. index: stages by name."""
    from simulator import laws

    table = np.full((len(index), len(index)), -1, dtype=np.int64)
    base = [f"handoffs.{handoff_path(h)}" for h in s.handoffs]
    for i, h in enumerate(s.handoffs):
        table[index[h.from_], index[h.to]] = i
    stated = np.array([h.mismatch for h in s.handoffs])
    mismatch = r.columns([f"{b}.mismatch" for b in base])
    good = r.columns([f"{b}.accepted" for b in base])
    told = [h.accepted_poor_fit is not None for h in s.handoffs]
    poor = np.where(told, r.columns([f"{b}.accepted_poor_fit" for b in base]), good)
    agreed = np.vectorize(laws.agreed, otypes=[np.float64])
    accepted = agreed(np.stack([good, poor], axis=2), mismatch[:, :, None], stated[None, :, None])
    returned = r.columns([f"{b}.returned" for b in base])
    # Better agreement leaves less to return.
    least = np.minimum(returned, 1.0 - accepted.max(axis=2))
    returned = np.where(mismatch < stated, least, returned)
    over = np.argwhere(accepted.max(axis=2) + returned > 1 + 1e-9)
    if len(over):
        k, i = over[0]
        total = accepted[k, i].max() + returned[k, i]
        message = f"levers take accepted plus returned to {total:.4g}, above 1"
        raise SpecError([Problem(s.name, None, base[i], message)])
    within = np.full(returned.shape, math.inf)
    for policy in s.policies:
        if policy.sla is not None and policy.sla.handoff is not None:
            column = base.index(f"handoffs.{policy.sla.handoff}")
            here = in_segments(s, r, policy)
            within[here, column] = np.minimum(within[here, column], policy.sla.within or math.inf)
    return Handoffs(
        index=table,
        source=np.array([index[h.from_] for h in s.handoffs], dtype=np.int64),
        target=np.array([index[h.to] for h in s.handoffs], dtype=np.int64),
        accepted=accepted,
        returned=returned,
        rework=r.columns([f"{b}.rework" for b in base]),
        delay=r.spread(
            [h.delay for h in s.handoffs], [f"{b}.delay" for b in base], "handoff_delay"
        ),
        every=r.columns([f"{b}.every" for b in base]),
        within=within,
    )
