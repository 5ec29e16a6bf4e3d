"""What buyers decide by, as tables."""

from __future__ import annotations

from typing import Final

import numpy as np

from simulator.spec.paths import CONDITIONS
from simulator.spec.schema import Scenario
from simulator.system.parts import Buyer
from simulator.system.read import Reader

_LEVELS: Final = {
    "alignment": lambda level: level,
    "proof": lambda level: level,
    "risk_removed": lambda level: level,
    "less_friction": lambda level: 1.0 - level,
}


def buyer_of(s: Scenario, r: Reader) -> Buyer:
    """The buyer of the scenario, then those of stages that have their own."""
    from simulator import laws

    buyers = [("buyer", s.buyer)]
    buyers += [(f"stages.{n}.buyer", x.buyer) for n, x in s.stages.items() if x.buyer is not None]
    base_us, base_them, blocked = [], [], []
    for path, buyer in buyers:
        ref = buyer.reference
        given = laws.conditions_value(
            ref.alignment, ref.proof, ref.risk_removed, ref.friction, buyer.kappa, ref.effort
        )
        us = np.array([buyer.odds.us.good_fit, buyer.odds.us.poor_fit])
        nothing = 1.0 - us - buyer.odds.competitor
        base_us.append(np.log(us / nothing) - given)
        base_them.append(np.log(buyer.odds.competitor / nothing))
        free = np.ones(r.cal.segments)
        for blocker in buyer.blockers.values():
            key = "friction" if blocker.needs == "less_friction" else blocker.needs
            level = _LEVELS[blocker.needs](r.column(f"{path}.{key}"))
            free = free * np.where(level < blocker.at_least - 1e-12, 1.0 - blocker.share, 1.0)
        blocked.append(1.0 - free)
    aging = [b.aging for _, b in buyers]
    return Buyer(
        base_us=np.array(base_us),
        base_competitor=np.array(base_them),
        reference_approvers=np.array([float(b.reference.approvers) for _, b in buyers]),
        blocked=np.column_stack(blocked),
        decay=np.array([a.decay if a else 0.0 for a in aging]),
        after=np.array([a.after if a else 0.0 for a in aging]),
        **{
            key: np.column_stack([r.column(f"{path}.{key}") for path, _ in buyers])
            for key in CONDITIONS
        },
    )
