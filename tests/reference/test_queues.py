"""One stage against queueing theory: Erlang C and A, Pollaczek-Khinchine, and its sample paths."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
import pytest
from agreement import Agreement, Bench, expected, system
from systems import frame, queue

from simulator.engines import simulate
from simulator.record import Record
from simulator.system import WENT_COLD, lost

COLD = lost(0, WENT_COLD)


def stock(record: Record, name: str) -> float:
    """Mean over the save grid: sampling a stationary stock once a week is unbiased."""
    return float(getattr(record.series, name)[1:].sum(axis=1).mean())


def look(record: Record, *bounds: float) -> dict[str, float]:
    """Sums of one replication. Flows over [0, horizon] of a stationary queue have no edge effects.

    For tails of the wait, leads that entered up to the bound before the horizon: all are decided.
    """
    s = record.series
    found = {
        "arrived": s.arrived[-1].sum(),
        "started": s.started[-1, 0],
        "wait": s.wait[-1, 0],
        "cold": s.fates[-1, COLD],
        "waiting": stock(record, "waiting"),
        "working": stock(record, "working"),
        "busy": s.busy_hours[-1, 0],
        "paid": s.paid_hours[-1, 0],
    }
    v = record.visits
    if v is None:
        return found
    end = record.system.horizon
    until = np.where(
        np.isfinite(v.started), v.started, np.where(np.isfinite(v.ended), v.ended, end)
    )
    wait = until - v.entered
    for i, bound in enumerate(bounds):
        decided = v.entered <= end - bound
        found[f"decided{i}"] = decided.sum()
        found[f"over{i}"] = (decided & (wait > bound)).sum()
        found[f"wait{i}"] = wait[decided].sum()
        found[f"square{i}"] = (wait[decided] ** 2).sum()
    return found


# Relaxation takes 1 / (sqrt(c mu) - sqrt(lam))^2 units of time (Morse 1955): 90 for the first
# case, 380 for the second. The warm-up is 6 of these: what is left of starting empty is < 0.2%.
ERLANG_C = {
    # case: lam, c, warm-up and horizon in weeks of `pace` units, replications, resolution
    "Q1 mmc lam=0.8 mu=1 c=1": (0.8, 1, 11, 25, 30, 0.5),
    "Q1 mmc lam=0.9 mu=1 c=1": (0.9, 1, 46, 50, 20, 0.7),
    "Q1 mmc lam=1.8 mu=1 c=2": (1.8, 2, 23, 24, 16, 1.4),
    "Q1 mmc lam=4.5 mu=1 c=5": (4.5, 5, 9, 10, 16, 1.7),
    "Q1 mmc lam=9 mu=1 c=10": (9.0, 10, 5, 6, 16, 1.7),
}
PACE = 50.0


@pytest.mark.parametrize("case", ERLANG_C)
def test_erlang_c(case: str, bench: Bench):
    lam, c, warm_up, weeks, replications, resolution = ERLANG_C[case]
    e = expected(case)
    text = queue(lam, 1, c, pace=PACE, weeks=weeks, warm_up=warm_up)
    bounds = [x / PACE for x in (0.0, 1.0, e["q90_Wq"], e["q95_Wq"])]
    r = bench.run(text, replications, lambda rec: look(rec, *bounds), visits=True)
    a = Agreement(bench, resolution)
    a.mean("arrivals", r["arrived"], lam * PACE * weeks)
    a.mean("Wq", r["wait"] * PACE, e["Wq"], r["started"])
    a.mean("Lq", r["waiting"], e["Lq"])
    a.mean("L", r["waiting"] + r["working"], e["L"])
    a.mean("rho", r["busy"], e["rho"], r["paid"])
    a.mean("P(wait)", r["over0"], e["Pwait"], r["decided0"])
    a.mean("P(wait > 1)", r["over1"], e["P_Wq_gt_1"], r["decided1"])
    a.mean("P(wait > q90)", r["over2"], 0.10, r["decided2"], resolution=2.5 * resolution)
    a.mean("P(wait > q95)", r["over3"], 0.05, r["decided3"], resolution=4 * resolution)
    second = e["sdWq"] ** 2 + e["Wq"] ** 2
    x = r["square3"] * PACE**2
    # Leads of the last q95 are left out whatever their wait; those before that still wait are cut
    # at the horizon, after at least q95: too few, too long ago, to see here.
    a.mean("E[W^2]", x, second, r["decided3"], resolution=4 * resolution)
    a.settle()


POLLACZEK = {
    "Q2 mg1 lognormal lam=0.8 mean=1 cv=0 (=M/D/1)": ("law: deterministic", 6, 0.5),
    "Q2 mg1 lognormal lam=0.8 mean=1 cv=0.5": ("law: lognormal, cv: 0.5", 7, 0.6),
    "Q2 mg1 lognormal lam=0.8 mean=1 cv=1": ("law: lognormal, cv: 1", 11, 1.1),
}


@pytest.mark.parametrize("case", POLLACZEK)
def test_pollaczek_khinchine(case: str, bench: Bench):
    service, warm_up, resolution = POLLACZEK[case]
    e = expected(case)
    text = queue(0.8, 1, 1, pace=PACE, weeks=20, warm_up=warm_up, service=service)
    r = bench.run(text, 30, look)
    a = Agreement(bench, resolution)
    a.mean("Wq", r["wait"] * PACE, e["Wq"], r["started"])
    a.mean("Lq", r["waiting"], e["Lq"])
    a.mean("L", r["waiting"] + r["working"], e["L"])
    a.settle()


# Abandonment forgets at a rate of at least min(mu, theta): 12 units leave e^-6 of the empty start.
ERLANG_A = {
    "Q3 erlA lam=48 mu=1 c=50 theta=0.5": (48, 50, 0.5, 1.2, 2, 24, 1.0),
    "Q3 erlA lam=10 mu=1 c=10 theta=1": (10, 10, 1.0, 1.2, 6, 40, 0.25),
    "Q3 erlA lam=12 mu=1 c=10 theta=0.5": (12, 10, 0.5, 1.2, 6, 40, 0.22),
}


@pytest.mark.parametrize("case", ERLANG_A)
def test_erlang_a(case: str, bench: Bench):
    lam, c, theta, warm_up, weeks, replications, resolution = ERLANG_A[case]
    pace = 10.0
    e = expected(case)
    text = queue(lam, 1, c, pace=pace, weeks=weeks, warm_up=warm_up, theta=theta)
    # Hardly any wait is longer than 8 units, the last arrivals looked at.
    r = bench.run(text, replications, lambda rec: look(rec, 0.0, 8 / pace), visits=True)
    a = Agreement(bench, resolution)
    a.mean("Pab", r["cold"], e["Pab"], r["arrived"])
    a.mean("throughput", r["started"], e["thru"] * pace * weeks)
    # Once a week is seldom.
    a.mean("Lq", r["waiting"], e["Lq"], resolution=3 * resolution)
    a.mean("L", r["waiting"] + r["working"], e["L"])
    a.mean("utilisation", r["busy"], e["util"], r["paid"])
    a.mean("P(wait)", r["over0"], e["Pwait"], r["decided0"])
    a.mean("Pab | wait", r["cold"], e["Pab_given_wait"], r["over0"])
    a.mean("wait of all", r["wait1"] * pace, e["EW_all"], r["decided1"], resolution=2 * resolution)
    a.settle()


def test_a_queue_with_abandonment_agrees_with_an_independent_program(bench: Bench):
    """C-C0: Ciw 3.2.7, with its own standard error."""
    e = expected("C-C0 M/M/10+M lam12 th.5")
    pace, weeks = 10.0, 4.0
    text = queue(12, 1, 10, pace=pace, weeks=weeks, warm_up=1.2, theta=0.5)
    r = bench.run(text, 50, look)
    a = Agreement(bench, 0.25)

    def agree(name, key, x, n):
        a.mean(name, x, e[key]["mean"], n, other_se=e[key]["ci95"] / 1.96)

    agree("arrivals", "n1_arr_rate", r["arrived"], pace * weeks)
    agree("Pab", "n1_Pab", r["cold"], r["arrived"])
    agree("wait of those served", "n1_Wq_served", r["wait"] * pace, r["started"])
    agree("utilisation", "n1_util", r["busy"], r["paid"])
    a.settle()


def test_pooling_two_teams(bench: Bench):
    """F5: two queues of rho .8 against one team of two for both."""
    e = expected("F5 pooling lam total 1.6 mu=1")
    stages = "  {0}: {{team: {1}, effort: {{mean: 1 h, law: exponential}}, advance: 0%, next: won}}"
    sides = "  a: {leads: 40/week, enters: a}\n  b: {leads: 40/week, enters: b}"
    split = frame(
        sides,
        "  x: {headcount: 1, hours: 50 h/week}\n  y: {headcount: 1, hours: 50 h/week}",
        "\n".join(stages.format(s, t) for s, t in (("a", "x"), ("b", "y"))),
        weeks=14,
        warm_up=11,
    )
    pooled = frame(
        sides,
        "  x: {headcount: 2, hours: 50 h/week}",
        "\n".join(stages.format(s, "x") for s in "ab"),
        weeks=14,
        warm_up=11,
    )
    a = Agreement(bench, 0.7)
    for name, text in (("W_split", split), ("W_pooled", pooled)):
        r = bench.run(text, 20, sojourn)
        a.mean(name, r["sojourn"] * 50, e[name], r["ended"])
    a.settle()


def sojourn(record: Record) -> dict[str, float]:
    """Time in the system of those who left it in [0, horizon], opening pipeline and all."""
    leads = record.leads
    out = np.isfinite(leads.ended)
    return {"sojourn": (leads.ended - leads.arrived)[out].sum(), "ended": out.sum()}


@pytest.mark.parametrize("engine", ["events"])
def test_a_deterministic_line_is_exact(engine: str):
    """F5: one job a unit of time through stations of .8, 1.2, .5.

    No channel has deterministic arrivals: a gate does, a team of one with more leads than it can
    serve, which passes one on exactly once a week.
    """
    text = frame(
        "  inbound: {leads: 64/week}",
        "\n".join(f"  {t}: {{headcount: 1, hours: 1 h/week}}" for t in ("g", "x", "y", "z")),
        """
  gate: {team: g, effort: {mean: 1 h, cv: 0}}
  one: {team: x, effort: {mean: 0.8 h, cv: 0}}
  two: {team: y, effort: {mean: 1.2 h, cv: 0}}
  three: {team: z, effort: {mean: 0.5 h, cv: 0}}
""",
        weeks=110,
    )
    e = expected("F5 det tandem")
    v = simulate(system(text), engine, visits=True).visits
    out = {s: np.sort(v.ended[(v.stage == s) & np.isfinite(v.ended)]) for s in range(4)}
    zero = out[0][0]
    np.testing.assert_allclose(np.diff(out[0]), 1.0, rtol=0, atol=1e-12 * 110)
    job = np.arange(1, len(out[3]) + 1)
    np.testing.assert_allclose(out[3] - zero, 0.8 + 1.2 * job + 0.5, rtol=0, atol=1e-10)
    assert out[3][9] - zero == pytest.approx(e["dep_10"], abs=1e-10)
    second = v.stage == 2
    order = np.argsort(v.entered[second])
    waits = (v.started - v.entered)[second][order]
    waits = waits[np.isfinite(waits)]
    np.testing.assert_allclose(waits, 0.2 * np.arange(len(waits)), rtol=0, atol=1e-10)
    inside = (out[0] <= zero + 100).sum() - (out[3] <= zero + 100).sum()
    assert inside == e["in_system_at_t100"]


def served(entered, effort, patience, priority, servers):
    """Starts of service by an independent program: (n,), nan where patience ran out first.

    A list of servers' free times and two heaps, moved from one arrival or freed server to the
    next; all arrays in order of entering.
    """
    started = np.full(len(entered), np.nan)
    free = [0.0] * servers
    queue: list[tuple[int, int]] = []
    upcoming = 0
    while upcoming < len(entered) or queue:
        at = heappop(free)
        if not queue:
            at = max(at, entered[upcoming])
        while upcoming < len(entered) and entered[upcoming] <= at:
            heappush(queue, (priority[upcoming], upcoming))
            upcoming += 1
        _, i = heappop(queue)
        if entered[i] + patience[i] < at:
            heappush(free, at)
            continue
        started[i] = at
        heappush(free, at + effort[i])
    return started


@pytest.mark.parametrize("engine", ["events"])
@pytest.mark.parametrize(("lam", "c", "theta"), [(0.9, 1, 0), (4.5, 5, 0), (12, 10, 0.5)])
def test_every_wait_is_that_of_an_independent_program(engine: str, lam, c, theta):
    """Given arrivals and work, each start of service is exact, so no resolution is lost to noise.

    With the laws of test_draws this is a sharper proof than any mean: it catches a single lead
    served out of turn.
    """
    text = frame(
        f"  a: {{leads: {lam * 25}/week, enters: a}}\n  b: {{leads: {lam * 25}/week, enters: b}}",
        f"  team: {{headcount: {c}, hours: 50 h/week}}",
        "\n".join(
            f"  {n}: {{team: team, effort: {{mean: 1 h, law: exponential}}, priority: {p}, "
            + (f"patience: {1 / theta / 50} weeks, " if theta else "")
            + "advance: 0%, next: won}"
            for n, p in (("a", 1), ("b", 0))
        ),
        weeks=2500 / lam / 50,
    )
    v = simulate(system(text), engine, visits=True).visits
    done = np.isfinite(v.ended)
    cold = done & ~np.isfinite(v.started)
    assert done.sum() > 2000
    assert (cold.sum() > 100) == bool(theta)
    # Work of those not served yet, and patience of those who were, do not matter: none, for ever.
    effort = np.where(np.isfinite(v.ended - v.started), v.ended - v.started, 1e9)
    patience = np.where(cold, v.ended - v.entered, np.inf)
    priority = 1 - v.stage
    mine = served(v.entered, effort, patience, priority, c)
    known = done | np.isfinite(v.started)
    np.testing.assert_allclose(mine[known], v.started[known], rtol=0, atol=1e-9)
