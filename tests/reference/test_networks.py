"""Stages in a row, with rework, with priorities, against Jackson, Erlang and a program in Ciw."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import Agreement, Bench, expected
from systems import frame, queue
from test_queues import sojourn

from simulator.record import Record
from simulator.system import WENT_COLD, lost

PACE = 50.0


def nodes(record: Record) -> dict[str, float]:
    s = record.series
    found = sojourn(record)
    for i in range(s.started.shape[1]):
        found[f"entered{i}"] = s.entered[-1, i]
        found[f"started{i}"] = s.started[-1, i]
        found[f"wait{i}"] = s.wait[-1, i]
        found[f"L{i}"] = (s.waiting + s.working)[1:, i].mean()
    return found


def test_rework_at_one_server(bench: Bench):
    """Jackson J1: a quarter of finished work goes to the back of the queue."""
    e = expected("Q4 jackson J1: single M/M/1 with rework p=.25, gamma=.6, mu=1")
    text = queue(
        0.6, 1, 1, pace=PACE, weeks=25, warm_up=11, more="rework: {share: 25%}, advance: 0%"
    )
    r = bench.run(text, 30, nodes)
    a = Agreement(bench, 0.45)
    a.mean("visits", r["entered0"], e["lam_s"] * PACE * 25)
    a.mean("wait a visit", r["wait0"] * PACE, e["Wq_s"], r["started0"])
    a.mean("L", r["L0"], e["L_s"])
    a.mean("W", r["sojourn"] * PACE, e["W_system"], r["ended"])
    a.settle()


def tandem(mu: tuple[float, float, float] = (1.0, 1.25, 1.0), weeks: float = 25) -> str:
    """Three M/M/1 in a row, arrivals .8."""
    return frame(
        f"  inbound: {{leads: {0.8 * PACE}/week}}",
        "\n".join(f"  t{i}: {{headcount: 1, hours: {PACE} h/week}}" for i in range(3)),
        "\n".join(
            f"  {name}: {{team: t{i}, effort: {{mean: {1 / mu[i]!r} h, law: exponential}}, "
            f"advance: {advance}}}"
            for i, (name, advance) in enumerate((("a", "100%"), ("b", "100%"), ("c", "0%")))
        ),
        weeks=weeks,
        warm_up=12,
    )


def test_a_tandem_is_a_product_of_queues(bench: Bench):
    """Jackson J3."""
    e = expected("Q4 jackson J3: tandem 3 M/M/1 lam=.8 mu=1,1.25,1")
    r = bench.run(tandem(), 20, nodes)
    a = Agreement(bench, 0.6)
    for i, name in enumerate("abc"):
        a.mean(f"flow {name}", r[f"entered{i}"], e[f"lam_{name}"] * PACE * 25)
        a.mean(f"Wq {name}", r[f"wait{i}"] * PACE, e[f"Wq_{name}"], r[f"started{i}"])
        a.mean(f"L {name}", r[f"L{i}"], e[f"L_{name}"])
    a.mean("W", r["sojourn"] * PACE, e["W_system"], r["ended"])
    a.mean("L", r["L0"] + r["L1"] + r["L2"], e["L_total"])
    a.settle()


def test_a_funnel_without_queues(bench: Bench):
    """Q8: exponential delays of 1, 2, 4 weeks, passing 50%, 40%, 25%; counts at two times."""
    text = frame(
        "  inbound: {leads: 10/week}",
        "",
        "\n".join(
            f"  s{i}: {{buyer_time: {{mean: {m} weeks, law: exponential}}, advance: {p}%}}"
            for i, (m, p) in enumerate(((1, 50), (2, 40), (4, 25)))
        ),
        weeks=52,
    )

    def look(record: Record) -> dict[str, float]:
        s = record.series
        return {
            f"{name}{t}": value
            for t in (12, 52)
            for name, value in (
                ("one", s.advanced[t, 0]),
                ("two", s.advanced[t, 1]),
                ("won", s.won[t]),
                ("wip", s.buyer[t, 0]),
            )
        }

    r = bench.run(text, 40, look)
    a = Agreement(bench, 0.15)
    for t in (12, 52):
        e = expected(f"Q8 funnel3 t={t}.0")
        a.mean(f"past stage 1 by {t}", r[f"one{t}"], e["cum_stage1_out"])
        a.mean(f"past stage 2 by {t}", r[f"two{t}"], e["cum_stage2_out"], resolution=0.3)
        a.mean(f"won by {t}", r[f"won{t}"], e["cum_wins"], resolution=0.4 if t == 52 else 0.8)
        a.mean(f"at stage 1 at {t}", r[f"wip{t}"], e["wip1"], resolution=0.4)
    a.settle()


DAYS = 20.0  # a "week" of the runs below is 20 of the oracle's days


def two_teams(push: float, weeks: float) -> str:
    """C-C1: inbound is served before outbound by SDRs and AEs alike."""
    in_days = lambda d: f"{d / DAYS!r} weeks"  # noqa: E731
    ae = f"""team: ae, effort: {{mean: 1 h, cv: 0.8}}, patience: {in_days(5)},
    rework: {{share: 10%}}, advance: {0.25 / 0.9!r}, next: won"""
    return frame(
        f"""
  inbound: {{leads: {8 * DAYS * push}/week, enters: sdr_in}}
  outbound: {{leads: {4 * DAYS * push}/week, enters: sdr_out}}""",
        f"""
  sdr: {{headcount: 3, hours: {DAYS} h/week}}
  ae: {{headcount: 4, hours: {DAYS} h/week}}""",
        f"""
  sdr_in: {{team: sdr, effort: {{mean: 0.2 h, cv: 1}}, patience: {in_days(1)}, advance: 40%,
    next: ae_in}}
  sdr_out: {{team: sdr, effort: {{mean: 0.2 h, cv: 1}}, priority: 1, advance: 15%, next: ae_out}}
  ae_in: {{{ae}}}
  ae_out: {{{ae}, priority: 1}}""",
        weeks=weeks,
        warm_up=2.5,
    )


@pytest.mark.parametrize(("case", "push"), [("base", 1.0), ("push x1.2", 1.2)])
def test_a_funnel_of_two_teams_agrees_with_an_independent_program(case, push, bench: Bench):
    """C-C1, means with 95% intervals of Ciw 3.2.7: the band is of both programs together."""
    e = expected(f"C-C1 funnel {case}")
    weeks = 6.0

    def look(record: Record) -> dict[str, float]:
        s = record.series
        found = {"sdr": s.busy_hours[-1, 0], "sdr_paid": s.paid_hours[-1, 0]}
        found |= {"ae": s.busy_hours[-1, 1], "ae_paid": s.paid_hours[-1, 1], "won": s.won[-1]}
        for i in range(4):
            found[f"cold{i}"] = s.fates[-1, lost(i, WENT_COLD)]
            for name in ("entered", "started", "wait"):
                found[f"{name}{i}"] = getattr(s, name)[-1, i]
        return found

    r = bench.run(two_teams(push, weeks), 30, look)
    a = Agreement(bench, 0.5)

    def agree(key, x, n, resolution=None):
        other = e[key]["ci95"] / 1.96
        a.mean(key, x, e[key]["mean"], n, other_se=other, resolution=resolution)

    days = DAYS * weeks
    agree("n1_arr_rate", r["entered0"] + r["entered1"], days)
    agree("n1_util", r["sdr"], r["sdr_paid"])
    agree("n1_In_Wq_served", r["wait0"] * DAYS, r["started0"])
    agree("n1_In_Pab", r["cold0"], r["entered0"])
    agree("n1_Out_Wq_served", r["wait1"] * DAYS, r["started1"], 1.0)
    agree("n2_arr_rate", r["entered2"] + r["entered3"], days)
    agree("n2_util", r["ae"], r["ae_paid"])
    agree("n2_In_Wq_served", r["wait2"] * DAYS, r["started2"])
    agree("n2_In_Pab", r["cold2"], r["entered2"], 0.8)
    agree("n2_Out_Wq_served", r["wait3"] * DAYS, r["started3"], 1.0)
    agree("n2_Out_Pab", r["cold3"], r["entered3"], 0.8)
    agree("wins_rate(.25*AE services)", r["won"], days)
    for total, parts in (("n1", (0, 1)), ("n2", (2, 3))):
        both = {k: sum(r[f"{k}{i}"] for i in parts) for k in ("wait", "started", "cold", "entered")}
        agree(f"{total}_Wq_served", both["wait"] * DAYS, both["started"], 0.8)
        agree(f"{total}_Pab", both["cold"], both["entered"], 0.8)
    assert np.all(r["cold1"] == 0)
    a.settle()
