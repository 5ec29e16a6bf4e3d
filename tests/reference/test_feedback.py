"""Customers that bring customers, against birth-death processes."""

from __future__ import annotations

from agreement import Agreement, Bench, expected
from systems import frame

from simulator.record import Record

AT_ONCE = "  sign: {advance: 100%}"


def at(*times: int):
    def look(record: Record) -> dict[str, float]:
        return {f"n{t}": record.series.customers[t] for t in times}

    return look


def test_referral_against_churn(bench: Bench):
    """Q13: 5 a month from outside, each refers .02 and leaves at .05 a month, 20 at the start.

    The case's month is a week here.
    """
    times = (6, 12, 24, 60)
    text = frame(
        "  outside: {leads: 5/week}\n  referral: {per_customer: 0.02/week}", "", AT_ONCE, weeks=60
    ).replace("{churn: 0/week,", "{start: 20, churn: 0.05/week,")
    r = bench.run(text, 120, at(*times))
    a = Agreement(bench, 0.09)
    for t in times:
        e = expected(f"Q13 referral a=5.0 b=0.02 d=0.05 N0=20 t={t}.0")
        a.mean(f"mean at {t}", r[f"n{t}"], e["mean"])
        a.mean(f"variance at {t}", (r[f"n{t}"] - e["mean"]) ** 2, e["var"], resolution=1.3)
    a.settle()


def test_bass_diffusion(bench: Bench):
    """Q14: M 200, p .03, q .38: the share of the market that is free slows both kinds of leads."""
    times = (1, 3, 5, 8, 12, 20)
    text = frame("  both: {leads: 6/week, per_customer: 0.38/week}", "", AT_ONCE, weeks=20)
    r = bench.run(text + "\nmarket: {accounts: 200}\n", 150, at(*times))
    a = Agreement(bench, 0.25)
    for t in times:
        e = expected(f"Q14 bass M=200 p=0.03 q=0.38 t={t}")
        mean, sd = e["exact_mean"], e["exact_sd"]
        a.mean(f"mean at {t}", r[f"n{t}"], mean)
        # Near saturation the law is far from normal, and its variance that much harder to see.
        a.mean(f"variance at {t}", (r[f"n{t}"] - mean) ** 2, sd**2, resolution=1.6)
    a.settle()
