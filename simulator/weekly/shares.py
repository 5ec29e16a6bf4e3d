"""What buyers decide, from the laws: shares by segment, stage and fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator import laws

Floats = NDArray[np.float64]


def buyer_shares(buyer: Any) -> Floats:
    """Shares of us and the competitor: (B, K, 2, 2), by segment, buyer and fit."""
    b = buyer
    segments, buyers = b.approvers.shape
    found = np.zeros((segments, buyers, 2, 2))
    for k in range(segments):
        for j in range(buyers):
            given = laws.conditions_value(
                b.alignment[k, j], b.proof[k, j], b.risk_removed[k, j], b.friction[k, j],
                b.kappa[k, j], b.effort[k, j],
            )  # fmt: skip
            multiple = laws.approver_factor(b.approvers[k, j]) / laws.approver_factor(
                b.reference_approvers[j]
            )
            for fit in range(2):
                us = b.base_us[j, fit] + given
                them = b.base_competitor[j, fit] + b.competitor_strength[k, j]
                free = 1.0 - b.blocked[k, j]
                found[k, j, fit, 0] = laws.buyer_share_us(us, them, multiple) * free
                found[k, j, fit, 1] = laws.buyer_share_competitor(us, them, multiple)
    return found


def stage_shares(buyer: Any, stages: Any) -> Floats:
    """The same by stage, (B, S, 2, 2); 0 where nobody decides."""
    shares = buyer_shares(buyer)[:, stages.buyer]
    shares[:, ~stages.decision] = 0.0
    return shares
