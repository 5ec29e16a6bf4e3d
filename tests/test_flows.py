"""What became of leads, of ARR and of people: held against the record they come from."""

from __future__ import annotations

import json

import numpy as np
import pytest

from simulator.analysis.flows import flows_of, revived, staffing
from simulator.analysis.runs import digest, one_run
from simulator.spec.load import find_study, load, shipped
from simulator.system import build


@pytest.fixture(scope="module")
def hiring():
    _, variants = find_study(shipped("hire-to-the-number"))
    system = build(load(variants[-1]).scenario)
    record = one_run(system, "batch", 1, 0)
    return system, record, flows_of(system, [digest(record, None, None)])


def test_leads_that_ended_are_all_leads(hiring):
    _, record, flows = hiring
    assert sum(flows.ended.values()) == pytest.approx(record.fates.sum())
    assert flows.ended["won"] >= record.series.won[-1] > 0


def test_arr_lands_on_its_closing(hiring):
    _, record, flows = hiring
    book = dict(flows.bridge)
    closing = book.pop("closing")
    assert sum(book.values()) == pytest.approx(closing, rel=1e-9)
    assert closing == record.series.arr[-1]


def test_heads_are_those_of_the_record(hiring):
    system, record, _ = hiring
    ramped, ramping = staffing(system)
    ae = system.team_names.index("ae")
    others = [m for m in range(len(system.team_names)) if m != ae]
    assert np.allclose((ramped + ramping)[:, others], record.series.heads[:, others])
    # As planned: executives also quit, and whoever follows them has yet to be hired.
    assert (record.series.heads[:, ae] <= (ramped + ramping)[:, ae]).all()
    # Whoever is new ramps for so long, and nobody does before anybody was hired.
    assert ramping[:, ae].max() > 0
    assert ramping[0, ae] == 0
    weeks = (ramping[:, ae] > 0).sum() * float(np.diff(system.grid)[0])
    assert weeks >= system.ramp[ae] - 1.0


def test_json_and_back(hiring):
    flows = hiring[2]
    again = revived(json.loads(json.dumps(flows.to_json(), allow_nan=False)))
    assert again.ended == flows.ended
    assert again.bridge == flows.bridge
    assert all(np.array_equal(again.ramped[t], flows.ramped[t]) for t in flows.ramped)
