"""The physics, written once: what every engine calls.

Scalar functions of floats, compiled by Numba. Times in weeks, rates in events a week, work in
hours, shares between 0 and 1. Sources are named in each docstring; "domain book n" is mechanism n
of docs/mechanisms.md.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.compiled import compiled

Floats = NDArray[np.float64]

# How leads respond to spend.
CONSTANT: Final = 0
LINEAR: Final = 1
HILL: Final = 2

# How odds fall with the wait.
NO_DECAY: Final = 0
EXPONENTIAL_DECAY: Final = 1
OLDROYD: Final = 2

# How hires become productive.
LINE: Final = 0
EXPONENTIAL: Final = 1

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
def hire_skill(law: int, age: float, span: float, ramp: float, start: float) -> float:
    """Productivity of a hire: in a line, or at `start` for `span` weeks of their own. Domain 7."""
    if law == LINE:
        return skill(age, ramp, start)
    return 1.0 if age >= span else start


@compiled
def exposure(
    begin: float, end: float, since: float, ripe: float, early: float, later: float
) -> float:
    """Part of a team's hazard of quitting between two times that a person is under.

    Who came at `since` and ramps until `ripe` quits `early` and then `later` times as fast.
    """
    came = max(begin, since)
    if end <= came:
        return 0.0
    ramping = min(max(ripe - came, 0.0), end - came)
    return (ramping * early + (end - came - ramping) * later) / (end - begin)


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


# -- what work does to people, and people to work: moved once a week ---------------------------


@compiled
def interpolate(table: Floats, at: float) -> float:
    """A function given by points, (2, N): straight between, flat outside.

    Rows x and y, nan beyond the last point.
    """
    if at <= table[0, 0]:
        return float(table[1, 0])
    for i in range(1, table.shape[1]):
        if math.isnan(table[0, i]):
            return float(table[1, i - 1])
        if at <= table[0, i]:
            share = (at - table[0, i - 1]) / (table[0, i] - table[0, i - 1])
            return float(table[1, i - 1] + (table[1, i] - table[1, i - 1]) * share)
    return float(table[1, table.shape[1] - 1])


@compiled
def approach(value: float, target: float, weeks: float, tau: float) -> float:
    """A smoothed value after `weeks` at a steady target: dv/dt = (target - v) / tau."""
    if tau <= 0.0:
        return target
    return target + (value - target) * math.exp(-weeks / tau)


@compiled
def wip_pace(open_each: float, normal: float, loss: float, power: float) -> float:
    """What many open deals leave of the pace: 1 / (1 + k max(0, n/n* - 1)^p). Domain book 3."""
    over = open_each / normal - 1.0
    if over <= 0.0 or loss <= 0.0:
        return 1.0
    return 1.0 / (1.0 + loss * math.pow(over, power))


@compiled
def work_pressure(coming: float, backlog: float, target: float, normal: float) -> float:
    """Hours wanted a week over normal ones: new work, and the backlog within `target` weeks."""
    if normal <= 0.0:
        return 1.0
    return (coming + backlog / target) / normal


@compiled
def stretch(goal: float, output: float) -> float:
    """Pressure of a goal on a team that puts out so much, both over normal; 10 at the most.

    Desired over actual performance (Repenning & Sterman 2002). Nobody there, nobody is pressed.
    """
    if output <= 0.0:
        return 1.0
    return min(10.0, goal / output)


@compiled
def hours_in_week(
    wanted: float, stated: float, improving: float, usual: float, longest: float
) -> float:
    """Hours for the work of a week that has room for so many of work and improvement.

    stated: hours for the work when the share `usual` of the time improves; improving: that share
    now; longest: how much longer than usual the week can be.
    """
    time = stated / (1.0 - usual)
    return max(0.0, min(wanted, time * (longest - improving)))


@compiled
def roundtable_pace(week: float) -> float:
    """Pace after long weeks of so many hours (Business Roundtable, report C-2, 1980).

    1 / (1 + .0377 (h - 40)^.896): smoothed over 4 weeks, 50 h a week give no more than 40 h after 7
    weeks and 60 h after 9.
    """
    if week <= 40.0:
        return 1.0
    return 1.0 / (1.0 + 0.0377 * math.pow(week - 40.0, 0.896))


@compiled
def pencavel_pace(week: float) -> float:
    """Output an hour at a work week (Pencavel 2015): in proportion to 48.5 h, no more from 63 h.

    Between them output is the parabola that joins both without a kink.
    """
    if week <= 48.5:
        return 1.0
    over = min(week, 63.0) - 48.5
    return (48.5 + over - over * over / 29.0) / week


@compiled
def strain(week: float, normal_week: float, pressure: float) -> float:
    """Where burnout tends to, 0 to 1: 20 hours more a week, or load at twice what is normal."""
    return min(1.0, max(0.0, (week - normal_week) / 20.0, pressure - 1.0))


@compiled
def quit_rate(base: float, burnout: float, strength: float, threshold: float) -> float:
    """Quits a week and head: base (1 + b max(0, burnout - b0)). Domain book 6."""
    return base * (1.0 + strength * max(0.0, burnout - threshold))


@compiled
def supervision_share(
    hours: float, span: float, rookies: float, veterans: float, paid: float
) -> float:
    """Share of a team's hours that its hires take: `hours` each, `span` hires a veteran at most.

    Brooks's law. Domain book 7.
    """
    heads = rookies + veterans
    if heads <= 0.0 or hours <= 0.0:
        return 0.0
    return min(1.0, hours * min(rookies, span * veterans) / (heads * paid))


@compiled
def improvement_under(pressure: float) -> float:
    """What pressure leaves of improvement time (Repenning & Sterman 2002)."""
    if pressure <= 1.0:
        return 1.0
    if pressure <= 1.5:
        return 1.0 - 0.5 * (pressure - 1.0)
    if pressure <= 2.0:
        return 0.75 - (pressure - 1.5)
    return max(0.0, 0.25 * (1.0 - (pressure - 2.0) / 3.0))


@compiled
def agreed(accepted: float, mismatch: float, stated: float) -> float:
    """Share accepted as definitions agree: it moves with 1 - mismatch from where it is stated."""
    return min(1.0, accepted * ((1.0 - mismatch) / (1.0 - stated)))


@compiled
def acceptance(
    accepted: float, mismatch: float, stated: float, errors: float, pressure: float
) -> float:
    """Share that a handoff accepts. Domain book 9.

    It moves with the agreement of definitions, 1 - mismatch, from where it is stated; and of what
    is not accepted there is `errors` more for each unit of the sender's pressure above 1.
    """
    share = agreed(accepted, mismatch, stated)
    return max(0.0, 1.0 - (1.0 - share) * (1.0 + errors * max(0.0, pressure - 1.0)))


@compiled
def rework_under(share: float, errors: float, pressure: float) -> float:
    """Share of work that comes back: `errors` more for each unit of pressure above 1."""
    return min(0.95, share * (1.0 + errors * max(0.0, pressure - 1.0)))


@compiled
def marginal_quality(good: float, volume: float, loss: float) -> float:
    """Share of good fits at a volume over today's: good x volume^-loss. Domain book 10."""
    if loss <= 0.0 or volume <= 0.0:
        return good
    return min(1.0, good * math.pow(volume, -loss))


@compiled
def reputation_signal(churn: float, stated: float) -> float:
    """What customers say: 1 at the churn we state, 0 at twice that, at most 2. Domain book 11."""
    if stated <= 0.0:
        return 1.0
    return min(2.0, max(0.0, 2.0 - churn / stated))


@compiled
def overload_factor(demand: float, capacity: float, slope: float) -> float:
    """What overloaded customer success does to churn: 1 + g max(0, demand/hours - 1). Domain 12."""
    if capacity <= 0.0:
        return 1.0 + slope if demand > 0.0 else 1.0
    return 1.0 + slope * min(10.0, max(0.0, demand / capacity - 1.0))


@compiled
def discount_churn(level: float, above: float, slope: float) -> float:
    """Churn of those won at a discount: 1 + .8 max(0, d - .15) / .1 by default. Domain book 14."""
    return 1.0 + slope * max(0.0, level - above) / 0.1


@compiled
def attention(effort: float, pressure: float) -> float:
    """Effort on each deal when a team has more to do than hours."""
    return effort / max(1.0, pressure)


@compiled
def moved_us(us: float, by: float) -> float:
    """Our share after our V moved by so much; no decision and the competitor give in proportion."""
    if by == 0.0:
        return us
    gain = math.exp(by)
    return us * gain / (1.0 - us + us * gain)


@compiled
def moved_them(us: float, them: float, by: float) -> float:
    """The competitor's share after our V moved by so much."""
    if by == 0.0:
        return them
    return them / (1.0 - us + us * math.exp(by))


@compiled
def aging(decay: float, after: float, age: float) -> float:
    """What a deal's age takes from our V: decay for each week beyond `after`. Domain book 13."""
    return -decay * max(0.0, age - after)
