"""Verdicts that carry the uncertainty of a fit."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from test_robust import study

from simulator.analysis.compare import compare, compare_study
from simulator.cli import main
from simulator.errors import AnalysisError, DataError
from simulator.fit.logs.store import Ensemble, read_ensemble
from simulator.spec.load import load_text

EFFORT, ODDS = "stages.talk.effort.mean", "stages.talk.advance.good_fit"


def made(n: int = 12) -> Ensemble:
    """Effort and odds of a talk are known to a third or so."""
    rng = np.random.default_rng(3)
    values = np.column_stack([rng.uniform(5.0, 9.0, n), rng.uniform(0.2, 1.0, n)])
    return Ensemble((EFFORT, ODDS), values)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def both(folder):
    plain = compare_study(folder, replications=12)
    return plain, compare_study(folder, replications=12, ensemble=made())


def half(result):
    fix = next(a for a in result.equal() if a.role == "fix")
    return fix.gain.gain.half


def test_intervals_hold_the_fit_too(both):
    plain, sure = both
    assert half(sure) > 1.5 * half(plain)
    assert any("12 sets of numbers that the data allow" in n for n in sure.notes)


def test_every_system_of_a_replication_has_the_same_numbers(folder):
    """A set in which work takes no time is one in which nobody waits, for all."""
    quick = Ensemble((EFFORT,), np.full((2, 1), 0.5))
    found = compare_study(folder, replications=4, ensemble=quick)
    for one in (found.today, *found.equal()):
        assert one.metrics["utilisation.desk"].mean < 0.3


def test_a_variant_keeps_what_it_states_itself(folder):
    own = (folder / "today.yaml").read_text().replace("mean: {value: 7 h", "mean: {value: 3 h")
    today = load_text((folder / "today.yaml").read_text()).scenario
    other = load_text(own).scenario
    assert made().shared(other, today).scenario(other, 0).stages["talk"].effort.mean == 3.0
    assert (
        made().shared(today, today).scenario(today, 0).stages["talk"].effort.mean
        == made().values[0, 0]
    )


def test_flow_has_no_ensemble(folder):
    with pytest.raises(AnalysisError, match="flow has one run, an ensemble many"):
        compare_study(folder, engine="flow", ensemble=made())


def test_a_path_that_the_scenario_does_not_have(folder):
    today = load_text((folder / "today.yaml").read_text()).scenario
    strange = Ensemble(("stages.walk.effort.mean",), np.ones((3, 1)))
    with pytest.raises(DataError, match=r"no stages\.walk"):
        compare(today, [today.model_copy(update={"name": "Same"})], ensemble=strange)


def test_the_command_line(folder, tmp_path):
    rows = [f"{EFFORT},{ODDS}", *(f"{float(a)!r},{float(b)!r}" for a, b in made(4).values)]
    (tmp_path / "ensemble.csv").write_text("\n".join(rows) + "\n")
    assert len(read_ensemble(tmp_path)) == 4
    args = ["compare", str(folder), "--ensemble", str(tmp_path), "--replications", "4", "--json"]
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 0, done.stderr
    assert "4 sets of numbers" in json.dumps(json.loads(done.stdout)["notes"])
    done = CliRunner().invoke(main, [*args[:3], str(tmp_path / "none"), *args[4:]])
    assert done.exit_code == 1
    assert "no such file" in done.stderr
