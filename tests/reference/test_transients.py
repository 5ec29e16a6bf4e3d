"""From an empty start: Kolmogorov's equations for queues, and delays without queues."""

from __future__ import annotations

import numpy as np
from agreement import Agreement, Bench, expected
from systems import frame, queue

from simulator.record import Record


def watch(*times: int):
    def look(record: Record) -> dict[str, float]:
        s = record.series
        found = {}
        for t in times:
            found[f"Q{t}"] = s.waiting[t].sum()
            found[f"L{t}"] = s.waiting[t].sum() + s.working[t].sum()
            # Who arrived and is no longer here was served.
            found[f"served{t}"] = s.arrived[t].sum() - found[f"L{t}"]
        return found

    return look


def compare(a: Agreement, case: str, r, times) -> None:
    for t in times:
        e = expected(case.format(t))
        a.mean(f"L({t})", r[f"L{t}"], e["EL"])
        a.mean(f"Q({t})", r[f"Q{t}"], e["EQ"], resolution=1.5 * a.resolution)
        a.mean(f"served({t})", r[f"served{t}"], e["cum_served"])


def test_one_server_early(bench: Bench):
    """Q5: M/M/1 at rho .8 fills up."""
    times = (1, 2, 5, 10, 20)
    r = bench.run(queue(0.8, 1, 1, pace=1, weeks=20), 700, watch(*times))
    a = Agreement(bench, 0.45)
    compare(a, "Q5 transient M/M/1 rho=.8 t={}", r, times)
    a.settle()


def test_one_server_late(bench: Bench):
    times = (50, 100, 200)
    r = bench.run(queue(0.8, 1, 1, pace=1, weeks=200), 120, watch(*times))
    a = Agreement(bench, 0.75)
    compare(a, "Q5 transient M/M/1 rho=.8 t={}", r, times)
    a.settle()


def test_a_rush_and_what_it_leaves(bench: Bench):
    """Q5: M/M/5, arrivals 4 -> 6 in weeks 20 to 40 -> 4, by a lever."""
    lever = """
levers:
  - {at: week 20, until: week 40, set: channels.inbound.leads.now, to: 6/week}
"""
    times = (10, 20, 30, 40, 60, 100)
    r = bench.run(queue(4, 1, 5, pace=1, weeks=100) + lever, 60, watch(*times))
    a = Agreement(bench, 1.3)
    compare(a, "Q5 transient M/M/5 with lam 4 ->6 on [20,40) ->4, from empty, t={}", r, times)
    a.settle()


def test_delays_of_any_law_fill_up(bench: Bench):
    """Q6: M/G/inf, four laws of mean 5. Its mean is linear in the arrivals: 20 times the case's."""
    laws = {
        "exp": "law: exponential",
        "det": "law: deterministic",
        "lognormal_cv1": "law: lognormal, cv: 1",
        "erlang3": "order: 3",
    }
    text = frame(
        "\n".join(f"  c{i}: {{leads: 40/week, enters: s{i}}}" for i in range(4)),
        "",
        "\n".join(
            f"  s{i}: {{buyer_time: {{mean: 5 weeks, {law}}}, advance: 0%, next: won}}"
            for i, law in enumerate(laws.values())
        ),
        weeks=10,
    )

    def look(record: Record) -> dict[str, float]:
        return {f"{k}{t}": record.series.buyer[t, i] for i, k in enumerate(laws) for t in (5, 10)}

    r = bench.run(text, 40, look)
    a = Agreement(bench, 0.12)
    for t in (5, 10):
        for law, exact in expected(f"Q6 M/G/inf lam=2 mean S=5 t={t}.0").items():
            a.mean(f"{law} at {t}", r[f"{law}{t}"] / 20, exact)
    a.settle()


def test_delays_of_any_order(bench: Bench):
    """QD: share out by t of an Erlang delay of mean 12."""
    orders = (1, 2, 3, 10)
    text = frame(
        "\n".join(f"  c{k}: {{leads: 16/week, enters: s{k}}}" for k in orders),
        "",
        "\n".join(
            f"  s{k}: {{buyer_time: {{mean: 12 weeks, order: {k}}}, advance: 0%, next: won}}"
            for k in orders
        ),
        weeks=32,
    )

    def look(record: Record) -> dict[str, float]:
        leads = record.leads
        early = leads.arrived <= record.system.horizon - 24
        took = np.where(np.isfinite(leads.ended), leads.ended - leads.arrived, np.inf)
        found = {}
        for i, k in enumerate(orders):
            mine = early & (leads.channel == i)
            found[f"n{k}"] = mine.sum()
            for t in (12, 24):
                found[f"k{k} by {t}"] = (mine & (took <= t)).sum()
        return found

    r = bench.run(text, 30, look)
    a = Agreement(bench, 0.12)
    for t in (12, 24):
        for k in orders:
            exact = expected(f"QD delay mean=12 t={t}")[f"k{k}"]
            a.mean(f"order {k} by {t}", r[f"k{k} by {t}"], exact, r[f"n{k}"])
    a.settle()
