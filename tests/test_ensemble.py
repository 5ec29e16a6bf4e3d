"""Verdicts that carry the uncertainty of a fit."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from test_robust import study

from simulator.analysis.compare import compare, compare_study
from simulator.analysis.ensemble import drawn_worlds
from simulator.analysis.seek import seek
from simulator.analysis.worlds import worlds
from simulator.cli import main
from simulator.errors import AnalysisError, DataError
from simulator.fit.logs.store import Ensemble, read_ensemble
from simulator.spec.load import load, load_text
from simulator.spec.paths import leaves

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


def test_worlds_take_the_sets_and_the_rest_from_the_ranges(folder):
    sets = made(10)
    found = worlds(folder, worlds=40, replications=1, ensemble=sets)
    paths = [r.path for r in found.over]
    assert paths[-2:] == [EFFORT, ODDS]
    assert [r.grade for r in found.over[-2:]] == ["data", "data"]
    assert not {EFFORT, ODDS} & set(paths[:-2])
    # Jointly, each set as often as any other.
    pairs = [tuple(v) for v in found.values[:, -2:]]
    assert set(pairs) == {tuple(v) for v in sets.values}
    assert {pairs.count(p) for p in set(pairs)} == {4}
    assert found.to_json()["drawn_from"] == "what the data allow"
    assert "drawn from what the data allow" in found.sentences[0]
    # Where the sets are all the numbers as written, the worlds are those of the scenario.
    today = load_text((folder / "today.yaml").read_text()).scenario
    known = leaves(today)
    same = Ensemble((EFFORT,), np.full((3, 1), known[EFFORT].value))
    again = worlds(folder, worlds=20, replications=1, ensemble=same)
    assert EFFORT not in [r.path for r in again.over]


def test_sets_alone_are_worlds_enough(tmp_path, folder):
    today = load_text((folder / "today.yaml").read_text())
    bare = replace(today, graded={})
    over, _, (points, values, rows) = drawn_worlds(bare, made(5), 20, 1)
    assert [r.path for r in over][-2:] == [EFFORT, ODDS]
    assert points.shape == values.shape == (20, len(over))
    assert sorted(set(rows.tolist())) == [0, 1, 2, 3, 4]
    # Its place in the unit interval is the share of the sets below it.
    order = np.argsort(made(5).values[:, 0])
    assert points[rows == order[0], -2] == pytest.approx(0.1)
    assert points[rows == order[-1], -2] == pytest.approx(0.9)


def test_what_must_be_true_holds_in_the_sets_that_the_data_allow(folder):
    today = load(folder / "today.yaml")
    plain = seek(today, ["wins >= 60"], replications=12)
    sure = seek(today, ["wins >= 60"], replications=12, ensemble=made())
    assert sure.today[0].half > 1.5 * plain.today[0].half
    assert any("12 sets of numbers that the data allow" in n for n in sure.notes)
    with pytest.raises(AnalysisError, match="flow has one run, an ensemble many"):
        seek(today, ["wins >= 60"], engine="flow", ensemble=made())


@pytest.mark.parametrize("command", ["worlds", "seek"])
def test_answers_on_the_command_line(folder, tmp_path, command):
    rows = [f"{EFFORT},{ODDS}", *(f"{float(a)!r},{float(b)!r}" for a, b in made(4).values)]
    (tmp_path / "ensemble.csv").write_text("\n".join(rows) + "\n")
    asked = {
        "worlds": ["worlds", str(folder), "--worlds", "20"],
        "seek": ["seek", str(folder / "today.yaml"), "--target", "wins >= 60", "--replications",
                 "4"],
    }[command]  # fmt: skip
    done = CliRunner().invoke(main, [*asked, "--ensemble", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.stderr
    assert "that the data allow" in done.stdout or "what the data allow" in done.stdout
    done = CliRunner().invoke(main, [*asked, "--ensemble", str(tmp_path / "none")])
    assert done.exit_code == 1
    assert "no such file" in done.stderr


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
