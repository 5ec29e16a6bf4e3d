"""The physics, written once: what every engine calls.

Scalar functions of floats, compiled by Numba. Times in weeks, rates in events a week, work in
hours, shares between 0 and 1. Sources are named in each docstring; "domain book n" is mechanism n
of docs/mechanisms.md.
"""

from __future__ import annotations

import math
from typing import Final

from simulator.compiled import compiled

# How leads respond to spend.
CONSTANT: Final = 0
LINEAR: Final = 1
HILL: Final = 2

# How odds fall with the wait.
NO_DECAY: Final = 0
EXPONENTIAL_DECAY: Final = 1
OLDROYD: Final = 2

HOUR: Final = 1.0 / 168.0


@compiled
def hill(spend: float, half: float, saturation: float) -> float:
    """Share of saturation that a spend reaches: 1 / (1 + (spend/half) ** -s). Domain book 10."""
    if spend <= 0.0:
        return 0.0
    return 1.0 / (1.0 + math.pow(spend / half, -saturation))


@compiled
def response(kind: int, spend: float, at: float, half: float, saturation: float) -> float:
    """Leads at a spend over leads at spend `at`: 1 there, by construction."""
    if kind == CONSTANT:
        return 1.0
    if kind == LINEAR:
        return spend / at
    return hill(spend, half, saturation) / hill(at, half, saturation)


@compiled
def adstock(carried: float, spend: float, weeks: float, tau: float) -> float:
    """Spend that is still at work after `weeks` at a steady `spend`: dA/dt = (spend - A)/tau."""
    if tau <= 0.0:
        return spend
    return spend + (carried - spend) * math.exp(-weeks / tau)


@compiled
def lift(share: float, relative_response: float) -> float:
    """What an accelerating channel does to another: 1 at today's spend."""
    return (1.0 + share * relative_response) / (1.0 + share)


@compiled
def market_share_free(accounts: float, taken: float) -> float:
    """Share of the market's accounts that can still become leads. Domain book 11."""
    if accounts <= 0.0:
        return 1.0
    return max(0.0, 1.0 - taken / accounts)


@compiled
def lead_rate(
    now: float,
    relative_response: float,
    season: float,
    lifted: float,
    per_customer: float,
    customers: float,
    free: float,
) -> float:
    """Leads a week of a channel: bought, plus those that live customers bring."""
    return (now * relative_response * season * lifted + per_customer * customers) * free


@compiled
def speed_factor(kind: int, wait: float, floor: float, scale: float) -> float:
    """What a wait leaves of the odds of advancing.

    EXPONENTIAL_DECAY: floor + (1 - floor) exp(-wait/scale). OLDROYD: 1 up to an hour, 1/7 from
    there to two hours, log-interpolated to 1/60 at 24 hours and later (Oldroyd, HBR 2011;
    observational, partly selection).
    """
    if kind == NO_DECAY:
        return 1.0
    if kind == EXPONENTIAL_DECAY:
        return floor + (1.0 - floor) * math.exp(-wait / scale)
    hours = wait / HOUR
    if hours <= 1.0:
        return 1.0
    if hours <= 2.0:
        return 1.0 / 7.0
    if hours >= 24.0:
        return 1.0 / 60.0
    share = math.log(hours / 2.0) / math.log(12.0)
    return math.exp(math.log(1.0 / 7.0) + share * math.log(7.0 / 60.0))


@compiled
def skill(age: float, ramp: float, start: float) -> float:
    """Productivity of a hire `age` weeks after joining: from `start` to 1 in a line. Domain 7."""
    if age >= ramp:
        return 1.0
    return start + (1.0 - start) * age / ramp


@compiled
def service_weeks(effort: float, hours: float, share: float, skilled: float) -> float:
    """Weeks that one person takes for `effort` hours of work."""
    return effort / (hours * share * skilled)


@compiled
def approver_factor(approvers: float) -> float:
    """Likelihood of a purchase by size of the buying group (CEB), interpolated.

    1: 81%, 2: 55%, 3: 60%, 4: 50%, 5: 40%, 6: 31%; beyond six people it falls as n ** -0.445.
    """
    if approvers >= 6.0:
        return 0.31 * math.pow(approvers / 6.0, -0.445)
    if approvers < 2.0:
        return 0.81 + (approvers - 1.0) * (0.55 - 0.81)
    if approvers < 3.0:
        return 0.55 + (approvers - 2.0) * (0.60 - 0.55)
    if approvers < 5.0:
        return 0.60 + (approvers - 3.0) * (0.40 - 0.60) / 2.0
    return 0.40 + (approvers - 5.0) * (0.31 - 0.40)


@compiled
def conditions_value(
    alignment: float,
    proof: float,
    risk_removed: float,
    friction: float,
    kappa: float,
    effort: float,
) -> float:
    """What the buyer's conditions and our effort add to V of us. Effort saturates. Domain 13."""
    return alignment + proof + risk_removed - friction + kappa * (1.0 - math.exp(-effort))


@compiled
def buyer_share_us(v_us: float, v_competitor: float, approver_multiple: float) -> float:
    """Probability that the buyer decides for us; no decision has V = 0."""
    us = approver_multiple * math.exp(v_us)
    return us / (us + math.exp(v_competitor) + 1.0)


@compiled
def buyer_share_competitor(v_us: float, v_competitor: float, approver_multiple: float) -> float:
    """Probability that the buyer decides for the competitor."""
    them = math.exp(v_competitor)
    return them / (approver_multiple * math.exp(v_us) + them + 1.0)


@compiled
def lateness_factor(time_to_live: float, target: float, slope: float) -> float:
    """What going live late does to churn: 1 + a max(0, time/target - 1). Domain book 12."""
    return 1.0 + slope * max(0.0, time_to_live / target - 1.0)


@compiled
def until_meeting(t: float, every: float) -> float:
    """Weeks from t to the next meeting of a series that is held every so often."""
    return math.ceil(t / every) * every - t


@compiled
def speed_factor_mean(
    kind: int, p_wait: float, mean_wait: float, floor: float, scale: float
) -> float:
    """Mean of speed_factor where a share p_wait waits, exponentially with mean_wait.

    p_wait 1 and mean_wait 0 is no wait at all. Gauss-Legendre between the law's own breaks.
    """
    if kind == NO_DECAY:
        return 1.0
    if p_wait <= 0.0 or mean_wait <= 0.0:
        return speed_factor(kind, 0.0, floor, scale)
    if kind == EXPONENTIAL_DECAY:
        return 1.0 - p_wait + p_wait * (floor + (1.0 - floor) / (1.0 + mean_wait / scale))
    node = (0.1488743389816312, 0.4333953941292472, 0.6794095682990244, 0.8650633666889845,
            0.9739065285171717)  # fmt: skip
    weight = (0.2955242247147529, 0.2692667193099963, 0.2190863625159820, 0.1494513491505806,
              0.0666713443086881)  # fmt: skip
    total = 1.0 - math.exp(-HOUR / mean_wait)
    total += (math.exp(-HOUR / mean_wait) - math.exp(-2.0 * HOUR / mean_wait)) / 7.0
    total += math.exp(-24.0 * HOUR / mean_wait) / 60.0
    # Between 2 and 24 hours, over the logarithm of the wait.
    half = 0.5 * math.log(12.0)
    for i in range(5):
        for side in (-1.0, 1.0):
            wait = 2.0 * HOUR * math.exp(half * (1.0 + side * node[i]))
            density = math.exp(-wait / mean_wait) * wait / mean_wait
            total += weight[i] * half * density * speed_factor(kind, wait, floor, scale)
    return 1.0 - p_wait + p_wait * total
