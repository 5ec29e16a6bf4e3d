"""The batch engine does what the events engine does, lead by lead and to the bit."""

from __future__ import annotations

import copy
import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from simulator import compiled
from simulator.engines import batch, events, slow
from simulator.engines.batch.plan import plan
from simulator.record import Record
from simulator.spec.load import load_text
from simulator.system import System, build

BASE: dict[str, Any] = {
    "horizon": "30 weeks",
    "value": {"mean": "20 kUSD", "cv": 0.8},
    "channels": {
        "paid": {"leads": "9/week", "spend": "5 kUSD/week", "good_fit": "60%"},
        "events": {"leads": "4/week", "spend": "2 kUSD/week", "good_fit": "30%"},
    },
    "teams": {
        "sdr": {"headcount": 2, "hours": "30 h/week", "cost": "100 kUSD/year"},
        "ae": {"headcount": 3, "hours": "25 h/week", "cost": "200 kUSD/year"},
        "csm": {"headcount": 1, "hours": "30 h/week", "cost": "120 kUSD/year"},
    },
    "stages": {
        "qualify": {
            "team": "sdr",
            "effort": {"mean": "4 h"},
            "advance": {"good_fit": "60%", "poor_fit": "40%"},
        },
        "discover": {
            "team": "ae",
            "effort": {"mean": "6 h"},
            "buyer_time": {"mean": "2 weeks"},
            "advance": "70%",
        },
        "propose": {"team": "ae", "effort": {"mean": "8 h", "cv": 0.5}, "advance": "60%"},
        "onboard": {"team": "csm", "effort": {"mean": "9 h"}, "after_sale": True},
    },
    "customers": {"start": 20, "churn": "40%/year", "expansion": "12%/year"},
}


def within(into: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy of a scenario with dotted paths set."""
    made = copy.deepcopy(into)
    for path, value in changes.items():
        *parents, last = path.split(".")
        at = made
        for name in parents:
            at = at.setdefault(name, {})
        at[last] = copy.deepcopy(value)
    return made


def system_of(changes: dict[str, Any]) -> System:
    return build(load_text(json.dumps(within(BASE, changes)), "test").scenario)


RAMPS = [
    {"at": "week 3", "scale": "channels.paid.spend", "by": 1.8, "over": "5 weeks"},
    {"at": "week 4", "add": "teams.ae.headcount", "by": 2},
    {"at": "week 6", "set": "teams.sdr.headcount", "to": 1},
    {"at": "week 9.5", "set": "stages.propose.advance.good_fit", "to": "80%", "until": "week 20"},
    {"at": "week 12", "scale": "teams.*.hours", "by": 1.2, "over": "3 weeks"},
    {"at": "week 15", "set": "teams.ae.headcount", "to": 1.5},
]
HANDOFFS = [
    {"from": "qualify", "to": "discover", "delay": {"mean": "3 days"}, "accepted": "60%",
     "returned": "25%", "rework": "30 min"},
    {"from": "propose", "to": "onboard", "delay": "1 week", "every": "2 weeks"},
]  # fmt: skip
# ruff: noqa: E501, PERF401
FEATURES: dict[str, dict[str, Any]] = {
    "plain": {},
    "overloaded": {"stages.qualify.effort": {"mean": "9 h"}, "stages.propose.effort": {"mean": "20 h"}},
    "no customers": {"customers.start": 0, "customers.churn": "0/year", "customers.expansion": "0/year"},
    "no team": {"stages.discover": {"buyer_time": {"mean": "1 week"}, "advance": "50%"}},
    "instant": {"stages.discover": {"advance": "50%"}},
    "patience": {"stages.qualify.patience": {"mean": "3 days"}, "stages.qualify.effort": {"mean": "8 h"},
                 "stages.propose.patience": {"mean": "1 week", "law": "gamma", "cv": 0.6}},
    "patience of equal length": {"stages.qualify.patience": {"mean": "1 week", "law": "deterministic"},
                                 "stages.qualify.effort": {"mean": "8 h"}},
    "impatient customers": {"stages.onboard.patience": {"mean": "4 days"}, "stages.onboard.effort": "30 h"},
    "priorities": {"stages.discover.priority": 5, "stages.propose.priority": -1,
                   "stages.discover.effort": {"mean": "12 h"}},
    "priorities and patience": {"stages.discover.priority": 1, "stages.discover.patience": "1 week",
                                "stages.propose.patience": "1 week", "teams.ae.headcount": 2},
    "rework": {"stages.discover.rework": {"share": "30%"},
               "stages.propose.rework": {"share": "20%", "to": "discover"}},
    "recycling": {"stages.qualify.recycle": {"share": "50%", "delay": {"mean": "3 weeks"}, "at_most": 3},
                  "stages.propose.recycle": {"share": "60%", "to": "qualify", "delay": "2 weeks"},
                  "stages.qualify.patience": {"mean": "3 days"}},
    "handoffs": {"handoffs": HANDOFFS},
    "handoffs at equal times": {"handoffs": HANDOFFS, "stages.onboard.effort": {"mean": "30 h", "cv": 0},
                                "stages.onboard.patience": {"mean": "1 week", "cv": 0}},
    "meetings for many": {"channels.paid.leads": "120/week", "teams.sdr.headcount": 40,
                          "handoffs": [{"from": "qualify", "to": "discover", "every": "1 week"}],
                          "stages.discover.patience": {"mean": "2 weeks", "cv": 0}},
    "decision": {"stages.propose": {"team": "ae", "effort": {"mean": "8 h"}, "decision": True},
                 "buyer": {"approvers": 6, "proof": "70%", "friction": "20%"}},
    "decision and speed": {"stages.propose": {"team": "ae", "effort": "14 h", "decision": True,
                                              "speed": {"floor": "20%", "scale": "2 days"}}},
    "speed to lead": {"stages.qualify.speed": {"floor": "30%", "scale": "8 h"}, "stages.qualify.effort": "7 h"},
    "oldroyd": {"stages.qualify.speed": "oldroyd", "stages.qualify.effort": "6 h"},
    "churn": {"customers.churn": "300%/year", "customers.start": 200, "customers.late_churn": 2.0,
              "customers.onboarding_target": "1 week"},
    "referral": {"channels.friends": {"per_customer": "0.4/week", "good_fit": "80%"},
                 "customers.churn": "200%/year"},
    "referral from none": {"channels.friends": {"per_customer": "1/week"}, "customers.start": 0},
    "market": {"market": {"accounts": 260, "cool_down": {"mean": "4 weeks"}},
               "customers.churn": "200%/year"},
    "market and patience": {"market": {"accounts": 300, "cool_down": {"mean": "3 weeks", "cv": 0}},
                            "stages.qualify.patience": "2 days", "stages.qualify.effort": "9 h"},
    "levers": {"levers": RAMPS, "teams.ae.ramp": "8 weeks", "teams.ae.hiring_lead": "1 week"},
    "buyer's conditions move": {
        "stages.propose": {"team": "ae", "effort": "8 h", "decision": True},
        "levers": [{"at": "week 5", "add": "buyer.proof", "by": 0.2, "over": "6 weeks"},
                   {"at": "week 8", "add": "buyer.competitor_strength", "by": 0.5}],
    },
    "hiring": {"levers": [{"at": "week 2.25", "add": "teams.*.headcount", "by": 2, "over": "7 weeks"}],
               "teams.ae.ramp_start": "10%", "stages.propose.effort": "30 h"},
    "leaving": {"levers": [{"at": "week 7", "scale": "teams.*.headcount", "by": 0.4, "over": "6 weeks"}],
                "teams.sdr.headcount": 5, "teams.ae.headcount": 8},
    "everyone leaves and returns": {
        "levers": [{"at": "week 7", "set": "teams.ae.headcount", "to": 0, "until": "week 14"}],
        "teams.ae.hiring_lead": "0 weeks"},
    "part time": {"teams.ae.headcount": 2.5, "teams.csm.headcount": 0.4, "stages.propose.effort": "16 h"},
    "warm-up": {"warm_up": "12 weeks", "customers.start": 60},
    "warm-up of much": {"warm_up": "9.5 weeks", "levers": RAMPS, "handoffs": HANDOFFS,
                        "market": {"accounts": 800}, "teams.ae.hiring_lead": "2 weeks",
                        "channels.friends": {"per_customer": "0.1/week"},
                        "stages.qualify.patience": "1 week", "customers.start": 5},
    "seasons": {"channels.paid.seasonality": [0.4, 1.0, 1.2, 1.4], "horizon": "40 weeks"},
    "seasons in warm-up": {"channels.paid.seasonality": [0.5, 1.5] * 6, "warm_up": "6 weeks"},
    "adstock": {"channels.paid.adstock": "4 weeks",
                "levers": [{"at": "week 5", "scale": "channels.*.spend", "by": 2.5, "over": "4 weeks"},
                           {"at": "week 15", "set": "channels.paid.spend", "to": "0 USD/week"}]},
    "lifts": {"channels.brand": {"role": "accelerate", "spend": "1 kUSD/week", "adstock": "3 weeks",
                                 "lift": {"paid": 0.5, "events": 0.2}},
              "channels.paid.lift": {"events": 0.3}, "channels.paid.role": "accelerate",
              "levers": [{"at": "week 6", "scale": "channels.brand.spend", "by": 3, "over": "3 weeks"}]},
    "linear response": {"channels.paid.leads": {"now": "9/week", "saturation": "none"},
                        "levers": [{"at": "week 5", "scale": "channels.paid.spend", "by": 2.5}]},
    "routes": {"stages.qualify.next": {"discover": "50%", "propose": "30%", "onboard": "20%"}},
    "applies to some": {"stages.discover.applies_to": "50%", "stages.onboard.applies_to": "70%"},
    "enters late": {"channels.events.enters": "propose", "channels.events.value": {"mean": "90 kUSD"}},
    "erlang and gamma": {"stages.discover.buyer_time": {"mean": "2 weeks", "law": "erlang", "order": 3},
                         "stages.propose.effort": {"mean": "8 h", "law": "gamma", "cv": 1.7}},
    "deterministic": {f"stages.{s}.effort": {"mean": "7 h", "cv": 0}
                      for s in ("qualify", "discover", "propose", "onboard")},
    "no effort": {"stages.discover.effort": {"mean": "0 h"}, "stages.discover.buyer_time": "0 weeks"},
    "a horizon within a week": {"horizon": "17.3 weeks", "customers.churn": "100%/year"},
}  # fmt: skip


def differences(one: Record, two: Record) -> list[str]:
    """The parts of two records that are not equal to the bit."""
    found = []
    for part in ("leads", "series", "visits"):
        a, b = getattr(one, part), getattr(two, part)
        assert (a is None) == (b is None)
        for field in fields(a) if a is not None else ():
            x, y = getattr(a, field.name), getattr(b, field.name)
            if x.dtype != y.dtype or x.shape != y.shape:
                found.append(f"{part}.{field.name}: {x.shape} {x.dtype}, {y.shape} {y.dtype}")
            elif not np.array_equal(x, y, equal_nan=x.dtype.kind == "f"):
                where = tuple(np.argwhere(~((x == y) | (np.isnan(x) & np.isnan(y))))[0])
                found.append(f"{part}.{field.name}{where}: {x[where]!r}, {y[where]!r}")
    for name in ("opening", "fates", "fate_cost", "fate_arr"):
        if not np.array_equal(getattr(one, name), getattr(two, name)):
            found.append(f"{name}: {getattr(one, name)}, {getattr(two, name)}")
    # A lead's hours are added up over teams in another order.
    if not np.allclose(one.fate_hours, two.fate_hours, rtol=1e-12, atol=0):
        found.append(f"fate_hours: {one.fate_hours}, {two.fate_hours}")
    for name in ("events", "opening_customers", "seed", "replication"):
        if getattr(one, name) != getattr(two, name):
            found.append(f"{name}: {getattr(one, name)}, {getattr(two, name)}")
    return found


def parity(system: System, seed: int, replication: int, *, visits: bool) -> Record:
    slow = events.run(system, seed, replication, visits=visits)
    quick = batch.run(system, seed, replication, visits=visits)
    assert differences(slow, quick) == []
    return quick


@pytest.mark.parametrize("name", FEATURES)
def test_identical_feature_by_feature(name: str) -> None:
    system = system_of(FEATURES[name])
    visits = system.warm_up == 0
    for replication in range(2):
        record = parity(system, 7, replication, visits=visits)
        worst = max(abs(v) for k, v in record.imbalance().items() if "leads" in k)
        assert worst == 0


@pytest.mark.parametrize("draw", range(12))
def test_identical_where_features_meet(draw: int) -> None:
    """Features drawn together: what one writes over, the other has."""
    random_features = random.Random(draw)
    changes: dict[str, Any] = {}
    levers: list[Any] = []
    for name in random_features.sample(sorted(FEATURES), 6):
        given = FEATURES[name]
        for path, value in given.items():
            if path == "levers":
                levers += [lever for lever in value if lever not in levers]
            elif not any(path.startswith(p + ".") or p.startswith(path + ".") for p in changes):
                changes[path] = value
    if changes.get("customers.start") == 0:
        changes["customers.start"] = 3
    # Levers drawn together may take a share out of bounds; those of heads and hours cannot.
    changes["levers"] = [
        lever
        for lever in levers
        if any(word in str(lever) for word in ("hours", "spend")) and "brand" not in str(lever)
    ]
    parity(system_of(changes), draw, draw, visits=False)


def test_threads_change_nothing() -> None:
    system = system_of(FEATURES["levers"])
    alone = batch.run_many(system, 3, range(5))
    together = batch.run_many(system, 3, range(5), threads=3)
    backwards = batch.run_many(system, 3, [4, 3, 2, 1, 0], threads=2)[::-1]
    for a, b, c in zip(alone, together, backwards, strict=True):
        assert differences(a, b) == []
        assert differences(a, c) == []
        assert differences(a, batch.run(system, 3, a.replication)) == []


def test_without_the_table_of_leads() -> None:
    system = system_of(FEATURES["handoffs"])
    (whole,), (light,) = (batch.run_many(system, 3, [1], leads=kept) for kept in (True, False))
    assert light.leads is None
    assert whole.leads is not None
    assert np.array_equal(whole.fates, light.fates)
    assert np.array_equal(whole.fate_cost, light.fate_cost)


def test_more_leads_and_visits_than_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace too small is doubled until the run fits; nothing is cut off."""
    system = system_of(FEATURES["rework"])
    before = batch.run(system, 1, 0, visits=True)
    sizes = []
    real = batch.Workspace

    def small(system: System, laid: Any, leads: int, rows: int, **more: Any) -> Any:
        sizes.append((leads, rows))
        few = (20, 7) if len(sizes) == 1 else (leads, rows)
        return real(system, laid, *few, **more)

    monkeypatch.setattr(batch, "Workspace", small)
    assert differences(before, batch.run(system, 1, 0, visits=True)) == []
    assert len(sizes) > 4


def test_more_referrals_than_the_rates_foretell() -> None:
    system = system_of(
        {"channels.friends": {"per_customer": "6/week"}, "customers.start": 0, "horizon": "40 weeks",
         "teams.sdr.headcount": 400, "teams.ae.headcount": 900, "teams.csm.headcount": 400,
         "market": {"accounts": 3000}}
    )  # fmt: skip
    record = parity(system, 2, 0, visits=False)
    assert record.fates.sum() > 3 * plan(system).leads


def test_nothing_of_one_run_stays_for_the_next() -> None:
    """The same workspace serves run after run."""
    system = system_of(FEATURES["warm-up of much"])
    often = batch.run_many(system, 5, [0, 1, 0, 2, 0])
    assert differences(often[0], often[2]) == differences(often[0], often[4]) == []


@pytest.mark.parametrize("name", ["warm-up of much", "owned, planned", "hiring and letting go"])
def test_the_loop_allocates_nothing(name: str) -> None:
    """Reference counts are off (a private option), so an allocation would never be freed."""
    from numba.core.runtime import _nrt_python, rtsys
    from test_weekly_batch import WEEKLY

    _nrt_python.memsys_enable_stats()
    system = system_of({**FEATURES, **WEEKLY}[name])
    batch.run_many(system, 5, [0], leads=False)
    before = rtsys.get_allocation_stats()
    batch.run_many(system, 5, range(3), leads=False)
    after = rtsys.get_allocation_stats()
    assert after.alloc - before.alloc == after.free - before.free
    if system.rules is None:  # the weekly step, a program of its own, counts the arrays it is given
        assert after.alloc == before.alloc


def test_the_cache_sees_every_source() -> None:
    """Numba looks at one file; the stamp at all that the loop is made of."""
    assert batch.stamp() == batch.stamp() > 0


def test_too_many_leads_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MOST_LEADS", 100)
    system = system_of({})
    with pytest.raises(batch.EngineError, match="leads in one replication"):
        batch.run(system, 1, 0)


def test_two_queues_of_equal_priority_share_a_line() -> None:
    laid = plan(system_of({}))
    assert laid.lines == 3
    assert plan(system_of(FEATURES["priorities"])).lines == 4


def test_a_place_is_free_for_another_lead_when_one_has_its_fate() -> None:
    """What a run touches grows with the leads that are at work, not with all that come."""
    system = system_of({"horizon": "150 weeks"})
    work = batch._workspace(system, plan(system), visits=False, table=False)
    batch._replicate(work, 1, 0, visits=False)
    run = work.run[0]
    at_work = int((work.fated["place"][: run["leads"]] > 0).sum())
    assert at_work <= run["places"] < run["leads"] / 4


def test_every_compiled_function_says_whether_it_is_forced_into_its_callers() -> None:
    """Numba lets what an inlined function calls take that over, unless it says otherwise."""
    from numba.core.registry import CPUDispatcher

    from simulator import draws, laws
    from simulator.engines.batch import (
        arrivals,
        books,
        journey,
        leads,
        limits,
        owned,
        planned,
        queue,
        weekly,
    )

    modules = (draws, laws, arrivals, books, journey, leads, limits, owned, planned, queue, weekly)
    found = {
        name: function.targetoptions
        for module in modules
        for name, function in vars(module).items()
        if isinstance(function, CPUDispatcher)
    }
    assert len(found) > 60
    assert [name for name, options in found.items() if "forceinline" not in options] == []


def test_a_long_compilation_says_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    said = threading.Event()
    monkeypatch.setattr(compiled.log, "warning", lambda *_: said.set())
    with compiled.announced("it"):
        pass
    assert not said.is_set()
    monkeypatch.setattr(compiled, "SLOW", 0.0)
    with compiled.announced("it"):
        assert said.wait(60)


@pytest.mark.parametrize("name", ["batch", "weekly step"])
def test_first_compilations_are_announced(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a program is not ready yet; later calls say nothing."""
    from test_weekly_batch import WEEKLY

    heard: list[str] = []

    @contextmanager
    def listen(what: str) -> Iterator[None]:
        heard.append(what)
        yield

    monkeypatch.setattr(compiled, "announced", listen)
    if name == "batch":
        batch.program.cache_clear()
        system = system_of({})
    else:
        slow.program.cache_clear()
        system = system_of(WEEKLY["attrition"])
        batch.run(system_of({}), 1, 0)
    for _ in range(2):
        batch.run(system, 1, 0)
    assert [what.split(":")[0] for what in heard] == [f"the {name}" + " engine" * (name == "batch")]
