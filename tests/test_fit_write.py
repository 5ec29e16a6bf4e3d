"""What fit writes: files that load, say where numbers come from, and behave as fitted."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fit_worlds import world, write_files

from simulator.errors import DataError
from simulator.fit import FitResult, estimate, fit_files
from simulator.fit.draws import scenario_draws
from simulator.fit.logs.store import with_numbers
from simulator.fit.plan import make_plan
from simulator.fit.write import MARK, g, today_text


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> FitResult:
    folder = tmp_path_factory.mktemp("fit")
    leads, deals = write_files(folder, world(0).history(100))
    return fit_files(
        leads,
        deals,
        out=folder / "ours" / "today.yaml",
        deal_value="amount",
        horizon="52 weeks",
        back_test=[dt.date(2024, 3, 15)],
    )


def test_closed_form_agrees_with_the_fit(fit: FitResult) -> None:
    plan = make_plan(fit.estimates)
    for c in fit.estimates.channels:
        assert plan.conversion(c.name) == pytest.approx(c.conversion.value, rel=1e-9)
    assert all(0 < s.good <= 1 and 0 < s.poor <= 1 for s in plan.stages)
    assert max(s.load for s in plan.stages) == pytest.approx(0.8)
    assert plan.work_days + plan.buyer_median == pytest.approx(fit.estimates.delay.median.value)


def test_result_in_words_and_json(fit: FitResult) -> None:
    text = json.dumps(fit.to_json(), allow_nan=False)
    assert '"mean_of_closed"' in text
    assert any("Back-test" in s for s in fit.sentences)
    assert {"Channels", "People", "Models", "Forecast", "Read", "Back-test"} <= set(fit.tables)
    for rows in fit.tables.values():
        assert all(row.keys() == rows[0].keys() for row in rows)
    assert "nan" not in " ".join(fit.sentences).lower()


def test_files_load_with_their_grades(fit: FitResult) -> None:
    load = pytest.importorskip("simulator.spec.load").load
    loaded = load(fit.files[0])
    scenario = loaded.scenario
    assert scenario.role == "today"
    assert scenario.start == dt.date(2024, 4, 10)
    for c in fit.estimates.channels:
        assert scenario.channels[c.name].leads.now == pytest.approx(c.per_week, rel=1e-3)
    assert scenario.value.mean == pytest.approx(fit.estimates.value.value, rel=1e-3)
    grades = {path: a for path, a in loaded.graded.items() if path.endswith("good_fit")}
    assert all(a.grade == "A" and a.se and a.source.startswith("data: ") for a in grades.values())
    book = [a for a in loaded.graded.values() if a.source.startswith("book: ")]
    assert len(book) > 5
    assert all(a.low is not None and a.high is not None and a.grade in "BD" for a in book)
    assert [Path(f).name for f in fit.files] == ["today.yaml", "push-harder.yaml", "fix.yaml"]
    assert [load(f).scenario.role for f in fit.files] == ["today", "push", "fix"]


def test_simulated_as_fitted(fit: FitResult) -> None:
    """The scenario, run, gives the fit's conversion by channel and its median days to won.

    Conversion within 3.9 standard errors of a share plus 4% of it (patience loses a little);
    median within 15% and 3.9 standard errors. False alarm: one in 2,000.
    """
    pytest.importorskip("simulator.engines.events")
    from simulator.engines import simulate
    from simulator.spec.load import load
    from simulator.system import build

    leads = simulate(build(load(fit.files[0]).scenario), "events").leads
    names = [c.name for c in fit.estimates.channels]
    early = leads.arrived < 30
    won = np.isfinite(leads.won)
    for c in fit.estimates.channels:
        mine = early & (leads.channel == names.index(c.name))
        p, n = c.conversion.value, int(mine.sum())
        assert (won & mine).sum() / n == pytest.approx(p, abs=3.9 * np.sqrt(p / n) + 0.04 * p)
    days = 7 * (leads.won - leads.arrived)[early & won]
    se = 1.25 * np.std(np.log(days)) / np.sqrt(len(days))
    median = fit.estimates.delay.median.value
    assert np.log(np.median(days) / median) == pytest.approx(0, abs=0.15 + 3.9 * se)


def test_without_people_and_values(tmp_path: Path) -> None:
    load = pytest.importorskip("simulator.spec.load").load
    history = replace(world(1).history(80), people={})
    leads, deals = write_files(tmp_path, replace(history, people={"sdr": history.won}))
    lines = [",".join(row.split(",")[:2]) for row in deals.read_text().splitlines()]
    deals.write_text("\n".join(lines))
    result = fit_files(leads, deals, out=tmp_path / "ours")
    today, push, fix = (load(f).scenario for f in result.files)
    assert not today.teams
    assert list(today.stages) == ["sell"]
    assert today.value.mean == 6000
    assert fix.levers[0].cost is not None
    assert push.levers[0].path == "channels.*.spend"


def test_other_roles_and_quiet_channels(tmp_path: Path) -> None:
    load = pytest.importorskip("simulator.spec.load").load
    leads, deals = write_files(tmp_path, world(1).history(100))
    rows = leads.read_text().splitlines()
    leads.write_text("\n".join([*rows, *(f"old{i},2024-01-0{1 + i},Old Fair" for i in range(6))]))
    result = fit_files(
        leads, deals, out=tmp_path / "x.yaml", deal_roles=("sr_id", "amount", "sdr_id")
    )
    scenario = load(result.files[0]).scenario
    assert list(scenario.stages) == ["qualify", "close", "work_amount"]
    assert "old_fair" not in scenario.channels
    assert "# old_fair: left out" in Path(result.files[0]).read_text()


def test_own_files_are_kept(tmp_path: Path) -> None:
    leads, deals = write_files(tmp_path, world(2, days=60).history(60))
    out = tmp_path / "ours"
    fit_files(leads, deals, out=out)
    (out / "fix.yaml").write_text("mine")
    again = fit_files(leads, deals, out=out)
    assert (out / "fix.yaml").read_text() == "mine"
    assert len(again.files) == 1
    assert any("fix.yaml was there already" in n for n in again.notes)
    with (out / "today.yaml").open("a") as file:
        file.write("# my own line\n")
    told = fit_files(leads, deals, out=out)
    assert (out / "today.yaml.before").read_text().endswith("# my own line\n")
    assert any("is kept in today.yaml.before" in n for n in told.notes)
    (out / "today.yaml").write_text("name: mine")
    with pytest.raises(DataError, match="was not written by fit"):
        fit_files(leads, deals, out=out)


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"horizon": "2 bananas"}, "horizon"),
        ({"push": 0.5}, "push"),
        ({"currency": "$"}, "currency"),
    ],
)
def test_bad_options(tmp_path: Path, how: dict[str, object], text: str) -> None:
    leads, deals = write_files(tmp_path, world(2, days=60).history(60))
    with pytest.raises(DataError, match=f"^{text}: "):
        fit_files(leads, deals, out=tmp_path / "ours", **how)  # type: ignore[arg-type]
    assert not (tmp_path / "ours").exists()


def test_quotes_in_names_are_safe() -> None:
    history = world(2, days=60).history(60)
    e = estimate(history)
    text = today_text(
        history, e, make_plan(e), horizon="52 weeks", currency="USD", name="Bob's: #1\n{x}"
    )
    assert text.startswith(MARK)
    assert "name: 'Bob''s: #1 {x}'" in text


def test_numbers_read_well() -> None:
    assert [g(x) for x in (0, 61.5, 1234567, 0.00012345, 100, 0.1 + 0.2)] == [
        "0", "61.5", "1234567", "0.0001234", "100", "0.3",
    ]  # fmt: skip


def test_sets_of_numbers_for_comparisons(fit: FitResult) -> None:
    """Draws of the scenario's own paths, around its numbers; z-bound 4.5 on each mean (7e-6)."""
    from simulator.spec.load import load

    point, errors, drawn = scenario_draws(fit.estimates, make_plan(fit.estimates), sets=400)
    scenario = load(fit.files[0]).scenario
    assert drawn.shape == (400, len(point))
    assert {"value.mean"} < set(point)
    for k, (path, value) in enumerate(point.items()):
        changed = with_numbers(scenario, {path: float(drawn[0, k])})
        assert changed != scenario
        if not path.endswith("good_fit"):  # shares are means of the same posterior, not its mode
            assert (
                abs(drawn[:, k].mean() - value) < 4.5 * errors[path] / np.sqrt(400) + 0.01 * value
            )
    for c in fit.estimates.channels:
        path = f"channels.{c.name}.good_fit"
        if path in point:
            plan = make_plan(fit.estimates)
            assert errors[path] == pytest.approx(c.conversion.se / (plan.good - plan.poor), rel=0.3)
