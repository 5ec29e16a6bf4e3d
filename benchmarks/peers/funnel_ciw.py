"""The reference funnel of reference_funnel.yaml in Ciw.

Nodes: 1 SDRs, 2 the handoff, 3 account executives, 4 the buyer's time, 5 legal, 6 onboarding.
A lead is of class `discovery` until the buyer's time is over, then of class `proposal`.
"""

from __future__ import annotations

import math

import ciw

WEEKS = 104.0
SPREAD = math.sqrt(math.log(2.0))


def network() -> ciw.network.Network:
    """The funnel as Ciw sees it."""

    def work(mean: float) -> ciw.dists.Lognormal:
        return ciw.dists.Lognormal(math.log(mean) - SPREAD**2 / 2, SPREAD)

    def services(of_executive: float) -> list[ciw.dists.Distribution]:
        return [
            work(0.02), ciw.dists.Exponential(2.5), work(of_executive),
            ciw.dists.Gamma(2.0, 1.5), work(0.055), work(0.08),
        ]  # fmt: skip

    def routes(from_executive: list[float], from_buyer: float) -> list[list[float]]:
        return [
            [0.0, 0.35, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
            from_executive,
            [0.0, 0.0, from_buyer, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.1, 0.0, 0.0, 0.9 * 0.8],
            [0.0] * 6,
        ]

    as_is = {
        a: {b: float(a == b) for b in ("discovery", "proposal")} for a in ("discovery", "proposal")
    }
    sold = {a: {"discovery": 0.0, "proposal": 1.0} for a in ("discovery", "proposal")}
    patience = [ciw.dists.Exponential(0.5), *[None] * 5]
    return ciw.create_network(
        arrival_distributions={
            "discovery": [ciw.dists.Exponential(500.0), *[None] * 5],
            "proposal": [None] * 6,
        },
        service_distributions={"discovery": services(0.09), "proposal": services(0.06)},
        number_of_servers=[12, math.inf, 20, math.inf, 3, 4],
        routing={
            "discovery": routes([0.0, 0.0, 0.0, 1.0, 0.0, 0.0], 0.55),
            "proposal": routes([0.0, 0.0, 0.0, 0.0, 0.6, 0.0], 0.55),
        },
        class_change_matrices=[as_is, as_is, as_is, sold, as_is, as_is],
        reneging_time_distributions={"discovery": patience, "proposal": patience},
    )


def run(seed: int) -> dict[str, int]:
    """Counts of one replication."""
    ciw.seed(seed)
    simulation = ciw.Simulation(network())
    simulation.simulate_until_max_time(WEEKS)
    records = simulation.get_all_records()
    cold = sum(r.record_type == "renege" for r in records)
    return {
        "arrived": simulation.nodes[0].number_of_individuals,
        "cold": cold,
        "live": sum(r.node == 6 and r.record_type == "service" for r in records),
        "events": simulation.nodes[0].number_of_individuals + len(records),
    }
