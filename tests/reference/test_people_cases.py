"""Hiring, and the capability trap, in our own spec against the cases handed down.

A month of the cases is four weeks here, so that a month ends with a week.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from agreement import Agreement, Bench, expected
from systems import frame

from simulator.engines import simulate
from simulator.spec.load import load_text
from simulator.system import build

MONTH = 4  # weeks
WORK = "  talk: {team: rep, effort: 1 h}"


def team(heads: float, more: str, months: int) -> str:
    people = f"headcount: {heads}, hours: 40 h/week, hiring_lead: 0 weeks, replaced: false, {more}"
    # A month more, as who quits in the last week is seen at its end.
    return frame("  web: {leads: 1/week}", f"  rep: {{{people}}}", WORK, weeks=MONTH * (months + 1))


CHAIN = (
    "hiring: 0.5/week, ramp: 24 weeks, ramp_law: exponential, ramp_start: 50%, "
    "attrition: 0.005/week, attrition_ramping: 0.0075/week"
)
FIT = (
    "hiring: 0.25/week, ramp: 0 weeks, hires: {good: {share: 20%, tenure: 192 weeks}, "
    "poor: {share: 80%, tenure: 24 weeks, productivity: 0.5}}"
)
CHAIN_AT, FIT_AT, SOON = (3, 6, 12, 24, 60), (6, 12, 24, 60, 120), 3  # those that runs look at


def chain(month: int) -> dict[str, float]:
    return expected(f"Q12 chain h=2 tau=6 qr=.03 qp=.02 R0=0 P0=10 t={month}")


def at(*months: int):
    def look(record) -> dict[str, float]:
        s = record.series
        rows = {}
        for t in months:
            k = MONTH * t
            rows[f"ramping {t}"], rows[f"heads {t}"] = s.ramping[k, 0], s.heads[k, 0]
            rows[f"skilled {t}"] = s.skilled[k, 0]
        return rows

    return look


def flow(text: str, *months: int) -> dict[str, float]:
    return at(*months)(simulate(build(load_text(text).scenario), "flow"))


def test_rookies_and_pros_in_the_flow_engine():
    """Q12 within 1e-3: hires come one by one, each half a month, which is 4e-4 of it."""
    found = flow(team(10, CHAIN, 60), *CHAIN_AT)
    for t in CHAIN_AT:
        e = chain(t)
        assert found[f"ramping {t}"] == pytest.approx(e["R"], rel=1e-3)
        assert found[f"heads {t}"] - found[f"ramping {t}"] == pytest.approx(e["Pro"], rel=1e-3)
        assert found[f"skilled {t}"] == pytest.approx(e["eff_cap_50pct"], rel=1e-3)


def test_rookies_and_pros(bench: Bench):
    """Q12 where people are whole: the mean over runs is that of the chain."""
    when = CHAIN_AT[:SOON]
    r = bench.run(team(10, CHAIN, when[-1]), 30, at(*when))
    a = Agreement(bench, 0.4)
    for t in when:
        e = chain(t)
        a.mean(f"rookies at {t}", r[f"ramping {t}"], e["R"])
        a.mean(f"pros at {t}", r[f"heads {t}"] - r[f"ramping {t}"], e["Pro"])
        a.mean(f"worth at {t}", r[f"skilled {t}"], e["eff_cap_50pct"])
    a.settle()


def test_good_and_poor_fits_in_the_flow_engine():
    """A-fit: exactly what whole people, one a month, make of it.

    Its own steps are up to .3% from the closed form, and one poor fit a month, each in the middle
    of theirs, (1/6)^2 / 24 = .12%.
    """
    found = flow(team(0, FIT, 120), *FIT_AT)
    for t in FIT_AT:
        came = t - np.arange(0.5, t)
        good, poor = 0.2 * np.exp(-came / 48).sum(), 0.8 * np.exp(-came / 6).sum()
        assert found[f"heads {t}"] == pytest.approx(good + poor, rel=1e-9)
        assert found[f"skilled {t}"] == pytest.approx(good + 0.5 * poor, rel=1e-9)
        e = expected("A-fit")[f"{t}.0"]
        heads, worth = found[f"heads {t}"], found[f"skilled {t}"]
        assert 2 * worth - heads == pytest.approx(e["Sales Agents with Good Fit"], rel=4.2e-3)
        assert 2 * (heads - worth) == pytest.approx(e["Sales Agents with Poor Fit"], rel=4.2e-3)
        assert worth == pytest.approx(e["Total Productivity"], rel=4.2e-3)
        assert worth == pytest.approx(
            9.6 * -math.expm1(-t / 48) + 2.4 * -math.expm1(-t / 6), rel=1.2e-3
        )


def test_good_and_poor_fits(bench: Bench):
    when = FIT_AT[:SOON]
    r = bench.run(team(0, FIT, when[-1]), 30, at(*when))
    a = Agreement(bench, 0.6)
    for t in when:
        a.mean(
            f"worth at {t}", r[f"skilled {t}"], expected("A-fit")[f"{t}.0"]["Total Productivity"]
        )
    a.settle()


TRAP = """
horizon: 101 weeks
warm_up: 4 weeks
channels: {in: {leads: 400/week}}
teams:
  crew:
    headcount: 10
    hours: 30 h/week
    pressure:
      goal: 1
      smooth: 3 weeks
      errors: 0
      longest: 40 h/week
      output: [[0, 0.75], [0.75, 0.75], [1, 1], [1.25, 1.25], [2, 1.5], [10, 1.5]]
    capability: {improvement: 25%, erosion: 20 weeks, to_improve: {}}
stages: {serve: {team: crew, effort: {mean: 10 h, law: deterministic}}}
"""
PUSH = f"shocks: [{{at: week 10, scale: teams.crew.pressure.goal, by: {3500 / 3000}}}]\n"


def performance(text: str) -> np.ndarray:
    """What a crew puts out that is never idle, in the units of the case."""
    s = simulate(build(load_text(text).scenario), "flow").series
    return np.diff(s.won) * 100.0


@pytest.mark.parametrize(("case", "more"), [("base", ""), ("push500", PUSH)])
def test_the_capability_trap(case, more):
    """K-captrap: 3000 asked, and 500 more from week 10. Better before worse."""
    found, wanted = performance(TRAP + more), expected(f"K-captrap_{case}")
    for t, row in wanted.items():
        assert found[int(float(t))] == pytest.approx(row["Actual Performance"], rel=1e-3), t
