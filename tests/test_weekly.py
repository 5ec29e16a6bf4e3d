"""Slow mechanisms and policies at work in runs: what the laws say is what happens."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.engines import simulate
from simulator.metrics import measure
from simulator.spec.load import load_text
from simulator.system import build

Z = 4.5  # false alarms: 7 in a million a comparison


def run(text: str, replication: int = 0, engine: str = "batch"):
    record = simulate(build(load_text(text).scenario), engine, replication=replication)
    assert max(map(abs, record.imbalance().values())) < 1e-5
    return record


def works(
    leads: str = "40/week", team: str = "headcount: 4", weeks: int = 60, more: str = ""
) -> str:
    """A team that is never idle where leads are many: 2 h each, then a sale."""
    return f"""
horizon: {weeks} weeks
customers: {{churn: 0/week, expansion: 0/week}}
value: {{mean: 1000, cv: 0}}
channels: {{web: {{leads: {leads}, good_fit: 100%}}}}
teams: {{rep: {{{team}, hours: 20 h/week, cost: 52.18 k/year}}}}
stages: {{work: {{team: rep, effort: {{mean: 2 h, cv: 0.2}}}}}}
{more}
"""


def weekly(record, name: str):
    return np.diff(np.asarray(getattr(record.series, name)), axis=0)


def test_people_quit_at_the_rate_that_is_written():
    text = works("1/week", "headcount: 40, attrition: 50%/year, replaced: false", weeks=52)
    left = np.array([run(text, r).series.heads[-1, 0] for r in range(12)])
    p = math.exp(-0.5 * 52 / (365.25 / 7))
    error = math.sqrt(40 * p * (1 - p) / 12)
    assert abs(left.mean() - 40 * p) < Z * error


def test_who_quits_is_replaced_after_the_hiring_lead():
    team = "headcount: 40, attrition: 100%/year, hiring_lead: 13 weeks, ramp: 0 weeks"
    heads = np.mean([run(works("1/week", team, weeks=104), r).series.heads[:, 0]
                     for r in range(8)], axis=0)  # fmt: skip
    # A renewal process: present 1/rate, away the lead rounded up to a week's edge.
    year = 365.25 / 7
    share = year / (year + 13.5)
    assert heads[60:].mean() == pytest.approx(40 * share, rel=0.04)


def test_burnout_raises_quits_under_strain():
    team = "headcount: 40, attrition: 20%/year, replaced: false, fatigue: {}, burnout: {}"
    calm = works("1/week", team, weeks=78)
    strained = calm + "levers: [{at: week 0, scale: teams.rep.hours, by: 1.5}]\n"
    a = np.mean([run(calm, r).series.heads[-1, 0] for r in range(6)])
    b = np.mean([run(strained, r).series.heads[-1, 0] for r in range(6)])
    assert b < a - 3


def test_hires_take_veterans_hours():
    team = "headcount: 4, ramp: 10 weeks, hiring_lead: 0 weeks, supervision: {hours: 4 h/week}"
    lever = "levers: [{at: week 10, add: teams.rep.headcount, by: 2}]"
    support = weekly(run(works(team=team, weeks=40, more=lever)), "support_hours")[:, 0]
    assert (support[:10] == 0).all()
    # Two hires under way, from the week after they came to the end of their ramp.
    assert support[12:19] == pytest.approx(8.0)
    assert (support[22:] == 0).all()


def test_long_weeks_lift_output_and_then_drain_it():
    """Better before worse: 50-hour weeks against 40, at a team that is never idle."""
    calm = works("200/week", "headcount: 4, fatigue: {}", weeks=40)
    pushed = calm + "levers: [{at: week 0, scale: teams.rep.hours, by: 1.25}]\n"
    a, b = (np.mean([weekly(run(t, r), "won") for r in range(3)], axis=0) for t in (calm, pushed))
    assert b[:4].sum() > 1.05 * a[:4].sum()
    assert b[15:].sum() < 0.98 * a[15:].sum()


def test_the_capability_trap_is_better_before_worse():
    team = "headcount: 4, capability: {improvement: 25%}"
    calm = works("200/week", team, weeks=60)
    lever = "levers: [{at: week 0, set: teams.rep.capability.improvement, to: 5%}]\n"
    a, b = (np.mean([weekly(run(t, r), "won") for r in range(3)], axis=0)
            for t in (calm, calm + lever))  # fmt: skip
    assert b[:4].sum() > 1.1 * a[:4].sum()
    assert b[40:].sum() < 0.6 * a[40:].sum()
    # By the law: hours x .95/.75, capability to .2 with 20 weeks.
    c = 0.2 + 0.8 * math.exp(-50 / 20)
    assert b[45:55].sum() / a[45:55].sum() == pytest.approx(0.95 / 0.75 * c, rel=0.05)


def test_open_deals_slow_a_team_down():
    fine = works("30/week", "headcount: 4", weeks=40)
    torn = works("30/week", "headcount: 4, wip: {table: [[1, 1], [2, 0.5]]}", weeks=40)
    a, b = run(fine).series, run(torn).series
    assert a.waiting[-1].sum() < 20
    assert b.waiting[-1].sum() > 300  # 20 a week are done at half the pace


def test_pressure_lengthens_hours_and_raises_errors():
    text = works("60/week", "headcount: 4, pressure: {errors: 0.5}", weeks=30).replace(
        "cv: 0.2}}}", "cv: 0.2}, rework: {share: 20%}}}"
    )
    record = run(text)
    hours = weekly(record, "paid_hours")[:, 0]
    assert hours[-1] == pytest.approx(4 * 20 * 1.4, rel=1e-6)
    again = 1 - weekly(record, "advanced")[-10:].sum() / weekly(record, "started")[-10:].sum()
    assert again > 0.25


def test_chance_in_single_weeks_is_no_reputation():
    """A hundred customers of whom one leaves a week, as ever: nothing is said of it.

    Two weeks' leavers in one would count as two at most if weeks were cut before they are smoothed;
    what is left is that wins bend with V, some 2% (sd .3 of V), and chance (z 4.5).
    """
    text = works("30/week", "headcount: 9", weeks=104).replace(
        "{churn: 0/week, expansion: 0/week}", "{start: 100, arr: 1 M, churn: 52%/year}"
    ).replace("cv: 0.2}}}", "cv: 0.2}, decision: true, lost_to: no}}")  # fmt: skip
    text += "buyer: {odds: {us: 3%}}\n"
    said = text + "market: {reputation: {odds: 2}}\n"
    gains = [run(said, r).series.won[-1] / run(text, r).series.won[-1] - 1 for r in range(60)]
    assert np.mean(gains) < 0.04 + Z * np.std(gains, ddof=1) / math.sqrt(len(gains))


def test_outbound_leads_go_with_heads_and_hours():
    more = """
levers:
  - {at: week 20, set: channels.web.outbound.hours, to: 8 h/week}
  - {at: week 40, set: channels.web.outbound.tooling, to: 2}
"""
    text = works("40/week", "headcount: 4", more=more).replace(
        "good_fit: 100%", "good_fit: 100%, outbound: {team: rep, hours: 4 h/week}"
    ).replace("leads: 40/week", "leads: {now: 40/week, saturation: none}")  # fmt: skip
    record = run(text)
    came = weekly(record, "arrived")[:, 0]
    for part, rate in ((slice(0, 20), 40), (slice(20, 40), 80), (slice(40, 60), 160)):
        assert abs(came[part].sum() - 20 * rate) < Z * math.sqrt(20 * rate)
    support = weekly(record, "support_hours")[:, 0]
    assert support[:20] == pytest.approx(16.0)
    assert support[20:] == pytest.approx(32.0)


OUT = "good_fit: 100%, outbound: {team: rep, hours: 4 h/week}"


@pytest.mark.parametrize("engine", ["events", "batch", "flow"])
def test_a_longer_week_is_longer_for_outbound_too(engine):
    """A fifth of 20 h goes to outbound; of 25 h, a fifth, too."""
    more = "levers: [{at: week 10, scale: teams.rep.hours, by: 1.25}]"
    text = works("40/week", "headcount: 4", weeks=20, more=more)
    text = text.replace("good_fit: 100%", OUT).replace(
        "leads: 40/week", "leads: {now: 40/week, saturation: none}"
    )
    record = run(text, engine=engine)
    support = weekly(record, "support_hours")[:, 0]
    assert support[:10] == pytest.approx(16.0)
    assert support[10:] == pytest.approx(20.0)
    came = weekly(record, "arrived")[:, 0]
    for part, rate in ((slice(0, 10), 40), (slice(10, 20), 50)):
        assert abs(came[part].sum() - 10 * rate) < Z * math.sqrt(10 * rate)


@pytest.mark.parametrize("engine", ["events", "batch", "flow"])
def test_utilisation_is_of_all_hours_worked(engine):
    """Half of the week goes to outbound, whose leads need a tenth of the rest."""
    text = works("4/week", "headcount: 4", weeks=30).replace(
        "good_fit: 100%", OUT.replace("4 h/week", "10 h/week")
    )
    record = run(text, engine=engine)
    used = measure(record)["utilisation.rep"]
    s = record.series
    idle = 1.0 - (s.busy_hours[-1] + s.support_hours[-1]).sum() / s.paid_hours[-1].sum()
    assert used == pytest.approx(1.0 - idle)
    # 4 leads a week of 2 h (cv .2) of 80 h paid, of which 40 h on outbound.
    spread = Z * math.sqrt(4 * 30 * 1.04) * 2.0 / (80 * 30)
    assert abs(used - 0.6) < spread + 0.01 * (engine == "flow")


@pytest.mark.parametrize("engine", ["events", "batch", "flow"])
def test_a_policy_sees_all_hours_worked(engine):
    """At 50% on outbound and 10% on leads, a rule for more than 55% hires."""
    policy = """
policies:
  - name: hire
    when: {signal: utilisation.rep, above: 53%, smooth: 8 weeks}
    do: {add: teams.rep.headcount, by: 1, at_most: 1}
"""
    team = "headcount: 4, hiring_lead: 2 weeks, ramp: 0 weeks"
    text = works("4/week", team, weeks=30, more=policy).replace(
        "good_fit: 100%", OUT.replace("4 h/week", "10 h/week")
    )
    assert run(text, engine=engine).series.heads[-1, 0] == pytest.approx(5.0)


def test_more_leads_are_worse_leads():
    text = """
horizon: 40 weeks
channels: {web: {leads: {now: 200/week, saturation: none}, spend: 10 k/month, good_fit: 60%,
                 quality_loss: 0.3}}
stages: {score: {advance: {good_fit: 100%, poor_fit: 0%}}}
levers: [{at: week 20, scale: channels.web.spend, by: 2}]
"""
    s = run(text).series
    first = s.won[20] / s.arrived[20, 0]
    later = (s.won[-1] - s.won[20]) / (s.arrived[-1, 0] - s.arrived[20, 0])
    assert abs(first - 0.6) < Z * math.sqrt(0.24 / s.arrived[20, 0])
    good = 0.6 * 2**-0.3
    assert abs(later - good) < Z * math.sqrt(good * (1 - good) / (s.arrived[-1, 0] / 1.5))


SALE = """
horizon: 60 weeks
value: {mean: 1000, cv: 0}
customers: {churn: 0/week, expansion: 0/week, start: 0}
channels: {web: {leads: 300/week, good_fit: 100%}}
stages: {decide: {decision: true, buyer_time: 1 week}}
"""


def shares(text: str, start: int, end: int) -> tuple[float, float]:
    """Our share of decisions in some weeks, and its standard error."""
    s = run(text).series
    won = s.won[end] - s.won[start]
    fates = s.fates[end] - s.fates[start]
    system = build(load_text(text).scenario)
    lost = [i for i, f in enumerate(system.fates) if f.kind == "lost"]
    n = won + fates[lost].sum()
    p = won / n
    return float(p), math.sqrt(p * (1 - p) / n)


def test_a_stronger_competitor_is_a_shock():
    """Domain book 13: competitor +.7 on .22/.30/.48 gives 16.9% wins."""
    text = SALE + "shocks: [{at: week 20, add: buyer.competitor_strength, by: 0.7}]\n"
    text = text + "buyer: {odds: {us: 22%, competitor: 30%}}\n"
    before, error = shares(text, 2, 20)
    assert abs(before - 0.22) < Z * error
    after, error = shares(text, 24, 60)
    assert abs(after - 0.169) < Z * error + 5e-4


def test_a_discount_costs_price_and_wears_off():
    text = (
        SALE
        + "buyer: {odds: {us: 22%, competitor: 30%}, discount: {lift: 2, reference: 8 weeks}}\n"
    )
    text += "levers: [{at: week 10, set: buyer.discount.level, to: 20%}]\n"
    record = run(text)
    s = record.series
    price = np.diff(s.won_arr) / np.diff(s.won)
    assert price[:10] == pytest.approx(1000.0)
    assert price[11:] == pytest.approx(800.0)
    early, e1 = shares(text, 12, 18)
    late, e2 = shares(text, 45, 60)
    assert early > 0.22 + Z * e1
    assert abs(late - 0.22) < Z * e2 + 0.005


def test_who_is_won_at_a_discount_churns_more():
    base = SALE.replace("churn: 0/week", "churn: 50%/year").replace("60 weeks", "104 weeks")
    plain = run(base).series
    cut = run(base + "buyer: {discount: {level: 25%, lift: 0}}\n").series
    ratio = (cut.churned[-1] / cut.won[-1]) / (plain.churned[-1] / plain.won[-1])
    assert 1.3 < ratio < 1.8  # a factor of 1.8 on the rate, less what has left already


def test_a_missing_proof_blocks_its_approver():
    text = (
        SALE
        + """
buyer:
  odds: {us: 40%, competitor: 30%}
  blockers: {security: {share: 50%, needs: proof, at_least: 70%}}
levers: [{at: week 30, set: buyer.proof, to: 80%}]
"""
    )
    blocked, e1 = shares(text, 2, 30)
    assert abs(blocked - 0.2) < Z * e1
    system = build(load_text(text).scenario)
    from simulator.weekly.shares import buyer_shares

    free, e2 = shares(text, 34, 60)
    assert abs(free - buyer_shares(system.buyer)[-1, 0, 0, 0]) < Z * e2


def test_gates_and_acceptance_by_fit():
    text = """
horizon: 60 weeks
channels: {web: {leads: 300/week, good_fit: 50%}}
stages: {first: {}, second: {}}
handoffs: [{from: first, to: second, accepted: 90%, accepted_poor_fit: 40%}]
policies: [{name: gate, at: week 30, gate: {stage: first, good_fit: 80%, poor_fit: 10%}}]
"""
    s = run(text).series
    for start, end, good, poor in ((0, 30, 0.9, 0.4), (30, 60, 0.72, 0.04)):
        n = s.arrived[end, 0] - s.arrived[start, 0]
        p = 0.5 * (good + poor)
        assert abs((s.won[end] - s.won[start]) / n - p) < Z * math.sqrt(p * (1 - p) / n)


def test_an_sla_cuts_the_longest_delays():
    text = """
horizon: 60 weeks
channels: {web: {leads: 50/week}}
stages: {first: {}, second: {}}
handoffs: [{from: first, to: second, delay: 1 week}]
policies: [{name: sla, at: week 30, sla: {handoff: first>second, within: 2 days}, cost: 1 k/week}]
"""
    record = run(text)
    s = record.series
    late = record.leads.arrived > 30
    took = (record.leads.won - record.leads.arrived)[late]
    assert np.nanmax(took) == pytest.approx(2 / 7)
    assert s.transit[32:, 1].mean() < 0.35 * s.transit[5:30, 1].mean()
    assert s.lever_cost[-1] == pytest.approx(30e3)


def test_reputation_follows_churn_and_moves_referrals():
    text = SALE.replace("churn: 0/week", "churn: 40%/year").replace("start: 0", "start: 2000")
    text = text.replace("leads: 300/week", "leads: 1/week, per_customer: 0.2/week")
    text = text.replace("60 weeks", "52 weeks")
    talk = "market: {reputation: {usual: 20%/year, smooth: 13 weeks, odds: 0}}\n"
    a, b = run(text).series, run(text + talk).series
    # Churn at twice what is usual: reputation goes to 0, and with it referrals.
    came_a, came_b = np.diff(a.arrived[:, 0]), np.diff(b.arrived[:, 0])
    assert came_b[:2].sum() == pytest.approx(came_a[:2].sum(), rel=0.15)
    assert came_b[45:].sum() < 0.15 * came_a[45:].sum()


def test_overloaded_customer_success_loses_customers():
    text = SALE.replace("churn: 0/week", "churn: 20%/year").replace("start: 0", "start: 4000")
    text = (
        text.replace("leads: 300/week", "leads: 1/week")
        + "teams: {csm: {headcount: 5, hours: 20 h/week}}\n"
    )
    care = text.replace(
        "start: 4000", "start: 4000, care: {team: csm, hours: 0.05 h/week, overload: 0.5}"
    )
    a, b = run(text).series, run(care).series
    # Demand twice the hours: churn x 1.5, falling a little as customers leave.
    assert b.churned[20] / a.churned[20] == pytest.approx(1.45, abs=4.5 / math.sqrt(a.churned[20]))


def test_a_policy_hires_when_utilisation_stays_high():
    policy = """
policies:
  - name: hire
    when: {signal: utilisation.rep, above: 90%, smooth: 4 weeks}
    do: {add: teams.rep.headcount, by: 1, at_most: 3}
    rest: 8 weeks
    every: 4 weeks
"""
    team = "headcount: 2, hiring_lead: 6 weeks, ramp: 0 weeks"
    heads = run(works("45/week", team, more=policy)).series.heads[:, 0]
    assert heads[:6] == pytest.approx(2.0)
    assert heads.max() in (4.0, 5.0)
    steps = np.flatnonzero(np.diff(heads))
    assert (np.diff(steps) >= 8).all()
    calm = run(works("10/week", team, more=policy)).series.heads[:, 0]
    assert (calm == 2.0).all()


def test_the_reflex_pushes_when_the_quarter_is_missed_and_stops():
    policy = """
policies:
  - name: reflex
    when: {signal: quarter, below: 200 k, smooth: 0}
    do: {scale: channels.web.spend, by: 1.5}
    every: 13 weeks
    at: week 13
    lasts: 13 weeks
    cost: 1 k/week
"""
    text = works("10/week", "headcount: 4", more=policy).replace(
        "leads: 10/week", "leads: 10/week, spend: 1 k/week"
    )
    s = run(text).series
    spend = np.diff(s.spend[:, 0])
    assert spend[:13] == pytest.approx(1000.0)
    assert spend[14:] == pytest.approx(1500.0)  # 130 a quarter never are 200
    assert np.diff(s.lever_cost)[20] == pytest.approx(1000.0)


def test_a_budget_follows_its_kpi_even_if_it_is_the_wrong_one():
    text = """
horizon: 80 weeks
channels:
  cheap: {leads: 60/week, spend: 1 k/week, good_fit: 0%}
  dear: {leads: 20/week, spend: 1 k/week, good_fit: 100%}
stages: {score: {advance: {good_fit: 50%, poor_fit: 1%}}}
policies: [{name: budget, every: 4 weeks, budget: {by: KPI, move: 20%, keep: 10%}}]
"""
    chased = run(text.replace("KPI", "leads_per_dollar")).series
    right = run(text.replace("KPI", "wins_per_dollar")).series
    for s in (chased, right):
        assert np.diff(s.spend.sum(axis=1)) == pytest.approx(2000.0)
    assert np.diff(chased.spend, axis=0)[-1, 0] > 1500
    assert np.diff(right.spend, axis=0)[-1, 1] > 1500
    assert right.won[-1] > 1.3 * chased.won[-1]


def period(over: float, factor: float, weeks: int = 160) -> tuple[float, np.ndarray]:
    """Heads steered by a queue that grows where they are few; the period that theory says."""
    policy = f"""
policies:
  - steer: {{set: teams.rep.headcount, signal: queue.work, factor: {factor}, smooth: 0,
            over: {over} weeks}}
"""
    team = "headcount: 16, ramp: 0 weeks"
    text = works("200/week", team, weeks=weeks, more=policy)
    heads = np.mean([run(text, r).series.heads[:, 0] for r in range(2)], axis=0)
    mu = 10.0  # leads a week and head
    # H'' + H' / over + factor mu / over H = const, from Q' = lambda - mu H, H' = (f Q - H) / over.
    square = factor * mu / over - 1 / (4 * over * over)
    return (2 * math.pi / math.sqrt(square) if square > 0 else math.inf), heads


def test_a_delayed_loop_swings_with_the_period_that_theory_says():
    theory, heads = period(over=10.0, factor=0.0609)
    assert theory == pytest.approx(26.0, abs=0.3)
    above = heads - 20.0
    crossings = np.flatnonzero((above[:-1] < 0) & (above[1:] >= 0))
    assert len(crossings) >= 3
    swing = float(np.mean(np.diff(crossings[:3])))
    # Managers act once a week on the week before: half a week and more of further delay.
    assert swing == pytest.approx(theory, rel=0.12)


def test_a_slow_enough_loop_does_not_swing():
    theory, heads = period(over=4.0, factor=0.005, weeks=300)
    assert theory == math.inf
    settled = heads[200:]
    assert settled.mean() == pytest.approx(20.0, abs=0.5)
    assert np.ptp(settled) <= 2.5


def test_owned_leads_wait_for_their_owner():
    text = works("36/week", "headcount: 4", weeks=80)
    pooled = run(text).series
    owned = run(text.replace("headcount: 4", "headcount: 4, owned: true")).series
    assert (
        owned.wait[-1].sum() / owned.started[-1].sum()
        > pooled.wait[-1].sum() / pooled.started[-1].sum()
    )


def test_slow_delivery_keeps_orders_away():
    more = """
market:
  delivery: {stage: work, company: 4 weeks, market: 4 weeks, leads: [[0, 1], [2, 1], [10, 0]]}
"""
    text = works("60/week", "headcount: 4", weeks=150, more=more)
    s = run(text).series
    came = np.diff(s.arrived[:, 0])
    # Orders settle where they meet what is delivered, 40 a week: a delay of 2 + 8/3 weeks.
    assert came[100:].mean() == pytest.approx(40.0, rel=0.06)
    assert (s.waiting + s.working)[110:].mean() == pytest.approx(40 * (2 + 8 / 3), rel=0.25)
