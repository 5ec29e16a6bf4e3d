"""Each law against the numbers of its source."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator import laws
from simulator.engines.tables import Tables
from simulator.spec.load import load_text
from simulator.system import build
from simulator.weekly.shares import buyer_shares

SALE = "horizon: 4 weeks\nchannels: {a: {leads: 1/week}}\nstages: {sell: {decision: true}}\n"


def shares(buyer: str) -> tuple[float, float]:
    """Of us and of the competitor, for a good fit in the first week."""
    found = buyer_shares(build(load_text(f"{SALE}buyer: {buyer}").scenario).buyer)
    return tuple(found[0, 0, 0])


def test_hill_response_goes_through_todays_point():
    """Mechanism 10: +50% spend at half saturation gives +20% leads."""
    assert laws.response(laws.HILL, 1.5, 1.0, 1.0, 1.0) == pytest.approx(1.2, rel=1e-12)
    assert laws.response(laws.HILL, 1.0, 1.0, 0.4, 2.0) == pytest.approx(1.0, rel=1e-12)
    assert laws.hill(3.0, 3.0, 1.7) == pytest.approx(0.5, rel=1e-12)
    assert laws.hill(0.0, 1.0, 1.0) == 0.0
    assert laws.hill(1e12, 1.0, 1.0) == pytest.approx(1.0, abs=1e-9)
    assert laws.response(laws.LINEAR, 3.0, 2.0, 1.0, 1.0) == 1.5
    assert laws.response(laws.CONSTANT, 3.0, 2.0, 1.0, 1.0) == 1.0
    # Concave for s <= 1, S-shaped above.
    x = np.linspace(0.01, 0.5, 50)
    bend = {s: np.diff([laws.hill(v, 1.0, s) for v in x], 2) for s in (1.0, 2.0)}
    assert (bend[1.0] < 0).all()
    assert (bend[2.0][:20] > 0).all()


def test_half_as_much_spend_again_through_a_scenario():
    text = "horizon: 4 weeks\nstages: {s: {advance: 50%}}\n"
    text += "channels: {a: {leads: 35/week, spend: 27.3 k/month}}\n"
    p = Tables(build(load_text(text).scenario))
    got = laws.response(p.kind[0], 1.5 * p.spend[0][0], p.at[0], p.half[0], p.saturation[0])
    assert got == pytest.approx(1.2, rel=1e-12)


def test_adstock_solves_its_equation():
    """dA/dt = (spend - A) / tau: a step response, and steps that add up."""
    assert laws.adstock(0.0, 1.0, 4.0, 4.0) == pytest.approx(1 - math.exp(-1), rel=1e-12)
    assert laws.adstock(2.0, 1.0, 4.0, 4.0) == pytest.approx(1 + math.exp(-1), rel=1e-12)
    assert laws.adstock(5.0, 1.0, 3.0, 0.0) == 1.0
    half = laws.adstock(laws.adstock(3.0, 1.0, 1.5, 2.0), 1.0, 1.5, 2.0)
    assert half == pytest.approx(laws.adstock(3.0, 1.0, 3.0, 2.0), rel=1e-12)


def test_lift_is_one_at_todays_spend():
    assert laws.lift(0.3, 1.0) == 1.0
    assert laws.lift(0.3, 0.0) == pytest.approx(1 / 1.3)
    assert laws.lift(0.3, 2.0) == pytest.approx(1.6 / 1.3)
    assert laws.lift(0.0, 7.0) == 1.0


def test_a_market_empties():
    """Bass: (M - N) / M of the accounts are free; no limit means 1."""
    assert laws.market_share_free(200.0, 50.0) == 0.75
    assert laws.market_share_free(200.0, 250.0) == 0.0
    assert laws.market_share_free(0.0, 250.0) == 1.0
    bass = laws.lead_rate(200 * 0.03, 1.0, 1.0, 1.0, 0.38, 50.0, 0.75)
    assert bass == pytest.approx((200 - 50) * (0.03 + 0.38 * 50 / 200), rel=1e-12)


def test_conservative_speed_to_lead():
    """q(t) = .32 + .68 exp(-t / 4 h)."""
    for hours, q in ((0, 1.0), (4, 0.32 + 0.68 / math.e), (1e4, 0.32)):
        got = laws.speed_factor(1, hours * laws.HOUR, 0.32, 4 * laws.HOUR)
        assert got == pytest.approx(q, rel=1e-12)


@pytest.mark.parametrize(
    ("hours", "share"),
    [
        (0.0, 1.0),
        (0.99, 1.0),
        (1.01, 1 / 7),
        (1.99, 1 / 7),
        (math.sqrt(48), (1 / 7 / 60) ** 0.5),  # half way from 2 to 24 hours, in logarithms
        (24.01, 1 / 60),
        (1000.0, 1 / 60),
    ],
)
def test_oldroyds_preset(hours, share):
    """Within the hour 7 times as likely as an hour later, 60 times as after a day."""
    assert laws.speed_factor(laws.OLDROYD, hours * laws.HOUR, 0.5, 1.0) == pytest.approx(share)


def test_oldroyds_preset_only_falls():
    waits = np.geomspace(0.01, 100, 2000) * laws.HOUR
    factor = np.array([laws.speed_factor(laws.OLDROYD, w, 0.0, 1.0) for w in waits])
    assert (np.diff(factor) <= 0).all()


def test_skill_ramps_in_a_line():
    assert laws.skill(0.0, 13.0, 0.3) == pytest.approx(0.3)
    assert laws.skill(6.5, 13.0, 0.3) == pytest.approx(0.65)
    assert laws.skill(13.0, 13.0, 0.3) == 1.0
    assert laws.skill(40.0, 13.0, 0.3) == 1.0
    assert laws.skill(0.0, 0.0, 0.3) == 1.0


def test_work_takes_effort_over_hours():
    assert laws.service_weeks(14.0, 28.0, 1.0, 1.0) == 0.5
    assert laws.service_weeks(14.0, 28.0, 0.5, 0.5) == 2.0


@pytest.mark.parametrize(
    ("people", "likelihood"),
    [(1, 0.81), (2, 0.55), (3, 0.60), (4, 0.50), (5, 0.40), (6, 0.31), (1.5, 0.68), (5.5, 0.355)],
)
def test_ceb_table_of_buying_groups(people, likelihood):
    assert laws.approver_factor(float(people)) == pytest.approx(likelihood, rel=1e-12)


def test_large_buying_groups_follow_the_power_fit():
    """CEB's table ends at six: n ** -0.445 from there, without a jump."""
    assert laws.approver_factor(12.0) == pytest.approx(0.31 * 2**-0.445, rel=1e-12)
    assert laws.approver_factor(6.0 - 1e-9) == pytest.approx(laws.approver_factor(6.0), abs=1e-9)


def test_base_odds_of_the_buyer():
    """.22 / .30 / .48 give V of us -.78 and of the competitor -.47."""
    assert math.log(0.22 / 0.48) == pytest.approx(-0.78, abs=0.005)
    assert math.log(0.30 / 0.48) == pytest.approx(-0.47, abs=0.005)
    assert shares("{}") == pytest.approx((0.22, 0.30), rel=1e-12)


def test_half_a_point_of_alignment():
    """Mechanism 13: 22% becomes 31.7%."""
    us, them = shares("{alignment: 1.0}")
    assert us == pytest.approx(0.317, abs=5e-4)
    odds = 0.22 / 0.48 * math.exp(0.5)
    assert us == pytest.approx(odds / (odds + 0.3 / 0.48 + 1), rel=1e-12)
    assert them / (1 - us - them) == pytest.approx(0.30 / 0.48, rel=1e-12)


def test_a_stronger_competitor():
    """Mechanism 13: +.7 takes us from 22% to 16.9%."""
    us, them = shares("{competitor_strength: 0.7}")
    assert us == pytest.approx(0.169, abs=5e-4)
    assert us / (1 - us - them) == pytest.approx(0.22 / 0.48, rel=1e-12)


def test_effort_on_the_buyer_saturates():
    """No effort can add more than kappa, and the first hour adds the most."""
    gain = [laws.conditions_value(0, 0, 0, 0, 0.6, e) for e in (0.0, 1.0, 2.0, 50.0)]
    assert gain[0] == 0.0
    assert gain[-1] == pytest.approx(0.6)
    assert gain[2] - gain[1] < gain[1] - gain[0] < 0.6
    value = laws.conditions_value(0.5, 0.55, 0.4, 0.3, 0.6, 1.0)
    assert value == pytest.approx(0.5 + 0.55 + 0.4 - 0.3 + 0.6 * (1 - math.exp(-1)), rel=1e-12)


def test_approvers_multiply_our_odds():
    """One at five people; six lower our odds by .31 / .40."""
    us, them = shares("{approvers: 6}")
    assert us / (1 - us - them) == pytest.approx(0.22 / 0.48 * 0.31 / 0.40, rel=1e-12)


def test_going_live_late_raises_churn():
    """Mechanism 12: 1 + .6 max(0, time / target - 1)."""
    assert laws.lateness_factor(12.0, 8.0, 0.6) == pytest.approx(1.3)
    assert laws.lateness_factor(8.0, 8.0, 0.6) == 1.0
    assert laws.lateness_factor(2.0, 8.0, 0.6) == 1.0


@pytest.mark.parametrize(("t", "wait"), [(0.0, 0.0), (0.5, 1.5), (2.0, 0.0), (-0.5, 0.5)])
def test_meetings_are_held_every_so_often(t, wait):
    assert laws.until_meeting(t, 2.0) == pytest.approx(wait)


def test_a_meeting_is_never_in_the_past():
    for t in np.random.default_rng(1).uniform(0, 100, 2000):
        for every in (1.0, 1 / 7, 0.3):
            assert -1e-12 <= laws.until_meeting(t, every) <= every
    for k in range(1, 2000):  # at a meeting, but for rounding
        wait = laws.until_meeting(k * 0.1, 0.1)
        assert wait >= 0 or k * 0.1 + wait == pytest.approx(k * 0.1, abs=1e-12)
