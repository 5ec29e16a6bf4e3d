"""Push harder or fix the constraint, where theory knows the answer. And the fluid limit.

Differences are between runs of the same leads, replication by replication.
"""

from __future__ import annotations

import numpy as np
import pytest
from agreement import Agreement, Bench, expected
from systems import frame, queue
from test_networks import PACE, tandem
from test_queues import COLD, sojourn

from simulator.record import Record
from simulator.system import WENT_COLD, lost


def throughput(record: Record) -> dict[str, float]:
    s = record.series
    return {
        "served": s.started[-1, 0],
        "arrived": s.arrived[-1].sum(),
        "cold": s.fates[-1, COLD],
        "waiting": s.waiting[1:, 0].mean(),
    }


@pytest.mark.parametrize(("lam", "resolution"), [(8, 0.08), (12, 0.06)])
def test_more_demand_or_one_more_person(lam, resolution, bench: Bench):
    """E1: M/M/10+M. With slack pushing wins (+7.5% against +1.9%), without it does not."""
    e = expected(f"E1 pushfix lam={lam} mu=1 c=10 th=0.5")
    pace, weeks = 20.0, 5.0
    units = pace * weeks

    def run(**change):
        given = {"lam": lam, "mu": 1.0, "c": 10, "theta": 0.5} | change
        text = queue(**given, pace=pace, weeks=weeks, warm_up=0.6)
        return bench.run(text, 20, throughput)

    base = run()
    push, fix_c = run(lam=lam * 1.1), run(c=11)
    fix_mu, patience = run(mu=1.1), run(theta=0.5 / 1.1)
    a = Agreement(bench, resolution)
    for name, r in (
        ("base", base),
        ("push10", push),
        ("fix_c_plus1", fix_c),
        ("fix_mu10", fix_mu),
        ("patience10", patience),
    ):
        a.mean(name, r["served"], e[name] * units, resolution=0.15)
    a.mean("Pab_base", base["cold"], e["Pab_base"], base["arrived"], resolution=0.8)
    a.mean("Pab_push", push["cold"], e["Pab_push"], push["arrived"], resolution=0.8)
    for name, r in (("gain_push", push), ("gain_fix_c", fix_c), ("gain_fix_mu", fix_mu)):
        # A gain is a small difference: its resolution is of the throughput, not of the gain.
        limit = resolution / e[name]
        a.mean(name, r["served"] - base["served"], e[name], e["base"] * units, resolution=limit)
    a.settle()
    pushed, fixed = push["served"].sum(), fix_c["served"].sum()
    assert (pushed > fixed) == (e["gain_push"] > e["gain_fix_c"])


def two_stages(lam: float, weeks: float) -> str:
    """E2: 3 people, then 1, with patience at both; 60% go on."""
    pace = 50.0
    return frame(
        f"  inbound: {{leads: {lam * pace}/week}}",
        f"  one: {{headcount: 3, hours: {pace} h/week}}\n"
        f"  two: {{headcount: 1, hours: {pace} h/week}}",
        "\n".join(
            f"  {n}: {{team: {t}, effort: {{mean: 1 h, law: exponential}}, "
            f"patience: {10 / pace} weeks, advance: {p}%}}"
            for n, t, p in (("a", "one", 60), ("b", "two", 100))
        ),
        weeks=weeks,
        warm_up=1.5,
    )


def test_pushing_against_a_constraint_downstream(bench: Bench):
    """E2: a fifth more leads, 7% more wins: the rest is abandoned before the second stage."""
    weeks, pace = 10.0, 50.0
    cases = {
        lam: expected(
            f"E2 tandemAb {name} {{'lam': {lam}, 'c1': 3, 'm1': 1.0, 't1': 0.1, 'p': 0.6, "
            "'c2': 1, 'm2': 1.0, 't2': 0.1}"
        )
        for lam, name in ((2.0, "base"), (2.4, "push lam+20%"))
    }

    def look(record: Record) -> dict[str, float]:
        s = record.series
        found = {"won": s.won[-1]}
        for i in range(2):
            found[f"entered{i}"] = s.entered[-1, i]
            found[f"cold{i}"] = s.fates[-1, lost(i, WENT_COLD)]
            found[f"busy{i}"] = s.busy_hours[-1, i]
            found[f"paid{i}"] = s.paid_hours[-1, i]
            found[f"waiting{i}"] = s.waiting[1:, i].mean()
        return found

    a = Agreement(bench, 0.1)
    won = {}
    for lam, e in cases.items():
        r = bench.run(two_stages(lam, weeks), 30, look)
        won[lam] = r["won"]
        a.mean(f"wins at {lam}", r["won"], e["win"] * pace * weeks)
        a.mean(f"flow 2 at {lam}", r["entered1"], e["lam2"] * pace * weeks)
        for i in (0, 1):
            a.mean(f"utilisation {i}", r[f"busy{i}"], e[f"util{i + 1}"], r[f"paid{i}"])
            a.mean(f"Pab {i}", r[f"cold{i}"], e[f"Pab{i + 1}"], r[f"entered{i}"], resolution=0.6)
            a.mean(f"Lq {i}", r[f"waiting{i}"], e[f"Lq{i + 1}"], resolution=1.0)
    gain = cases[2.4]["win"] - cases[2.0]["win"]
    a.mean("gain", won[2.4] - won[2.0], gain, pace * weeks, resolution=0.6)
    a.settle()


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "mu"), [(0, 1.0), (1, 1.25)])
def test_what_speeding_up_a_stage_is_worth(stage, mu, bench: Bench):
    """E6: mean sojourn of a tandem when one stage gets 10% faster.

    The exact answer is W = sum of 1 / (mu - lam), whose derivative at mu is the case's number; a
    finite step has an exact answer too, so no step has to be small.
    """
    exact = 1 / (1.1 * mu - 0.8) - 1 / (mu - 0.8)
    tiny = 1e-6
    slope = (1 / (mu + tiny - 0.8) - 1 / (mu - tiny - 0.8)) / (2 * tiny)
    assert slope == pytest.approx(expected(f"E6 dW/dmu at mu={mu}")["d"], rel=1e-4)
    mus = [1.0, 1.25, 1.0]
    mus[stage] *= 1.1
    base = bench.run(tandem(), 30, sojourn)
    fast = bench.run(tandem(tuple(mus)), 30, sojourn)
    a = Agreement(bench, 1.0)
    # Little's law per unit of time: leads' time in the system, by arrivals that both runs share.
    difference = (fast["sojourn"] - base["sojourn"]) * PACE
    a.mean("dW", difference, exact, 0.8 * PACE * 25)
    a.settle()


@pytest.mark.parametrize(
    ("case", "lam", "c", "warm_up", "weeks"),
    [
        ("F1 conv lam=0.8 mu=1 c=1 k=0.5 p0=.3", 0.8, 1, 11, 25),
        ("F1 conv lam=4.5 mu=1 c=5 k=0.5 p0=.3", 4.5, 5, 9, 6),
    ],
)
def test_odds_that_fall_with_the_wait(case, lam, c, warm_up, weeks, bench: Bench):
    """F1: odds .3 exp(-wait / 2) after an M/M/c wait."""
    e = expected(case)
    speed = f"speed: {{floor: 0%, scale: {2 / PACE!r} weeks}}, advance: 30%"
    text = queue(lam, 1, c, pace=PACE, weeks=weeks, warm_up=warm_up, more=speed)

    def look(record: Record) -> dict[str, float]:
        return {"won": record.series.won[-1], "started": record.series.started[-1, 0]}

    r = bench.run(text, 24, look)
    a = Agreement(bench, 0.5)
    a.mean("conversion", r["won"], e["conversion"], r["started"])
    a.mean("wins", r["won"], e["wins_rate"] * PACE * weeks)
    a.settle()


@pytest.mark.parametrize(
    ("c", "replications", "resolution"),
    [
        (5, 30, 0.25),
        (10, 24, 0.25),
        (50, 16, 0.5),
        pytest.param(100, 30, 0.08, marks=pytest.mark.slow),
        pytest.param(500, 20, 0.05, marks=pytest.mark.slow),
        pytest.param(1000, 20, 0.05, marks=pytest.mark.slow),
    ],
)
def test_the_fluid_limit(c, replications, resolution, bench: Bench):
    """F3: M/M/c+M at rho 1.2 tends to its fluid as it grows."""
    e = expected(f"F3 scale rho=1.2 c={c}")
    weeks, pace = (10.0, 10.0) if c <= 10 else (2.0, 10.0)
    text = queue(1.2 * c, 1, c, pace=pace, weeks=weeks, warm_up=1.4, theta=0.5)
    r = bench.run(text, replications, throughput)
    a = Agreement(bench, resolution)
    a.mean("Pab", r["cold"], e["Pab"], r["arrived"])
    a.mean("served", r["served"], e["thru_over_c"] * c * pace * weeks)
    a.mean("Lq", r["waiting"], e["Lq_over_c"] * c, resolution=4 * resolution)
    a.settle()
    if c >= 500:
        fluid = e["fluid_Pab"]
        assert np.isclose(e["Pab"], fluid, rtol=1e-9)
