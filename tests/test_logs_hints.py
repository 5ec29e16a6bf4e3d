"""Stages that are numbers: other columns tell which are ends, or they are asked for by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.fit.logs.log import OPEN, WON, Log
from simulator.fit.logs.read import read_log

FIRST, SECOND, GOOD, BAD = "123456781", "123456782", "123456783", "123456784"
STAGES = [FIRST, SECOND, GOOD, BAD]
END = pd.Timestamp("2025-12-31 18:00")


def hubspot(n: int = 120, seed: int = 1) -> tuple[pd.DataFrame, dict[str, str]]:
    """Deals by internal names, with what else may tell of their ends; and how each ended."""
    rng = np.random.default_rng(seed)
    rows, truth = [], {}
    for k in range(n):
        made = pd.Timestamp("2025-01-01") + pd.Timedelta(days=rng.uniform(0, 360))
        entered = {0: made}
        at, stage = made + pd.Timedelta(days=rng.lognormal(2, 0.5)), 0
        while at < END and stage < 2:
            stage = 3 if rng.random() < 0.4 else stage + 1
            entered[stage] = at
            at += pd.Timedelta(days=rng.lognormal(2, 0.5))
        closed = stage >= 2
        truth[str(k)] = {2: WON, 3: "lost"}.get(stage, OPEN)
        rows.append({
            "Record ID": str(k), "dealstage": STAGES[stage], "createdate": made,
            "closedate": entered[stage] if closed else at + pd.Timedelta(days=40),
            **{f"hs_v2_date_entered_{s}": entered.get(j) for j, s in enumerate(STAGES)},
            "hs_is_closed_won": stage == 2, "hs_is_closed_lost": stage == 3,
            "hs_deal_stage_probability": [0.2, 0.6, 1.0, 0.0][stage],
            "closed_lost_reason": "price" if stage == 3 and k % 4 else "",
            "closed_won_reason": "fit" if stage == 2 and k % 4 else "",
            "label": ["First", "Second", "Closed Won", "Closed Lost"][stage],
        })  # fmt: skip
    return pd.DataFrame(rows), truth


BARE = ["Record ID", "dealstage", "createdate", "closedate"]
ENTERED = [f"hs_v2_date_entered_{s}" for s in STAGES]
HINTS = {
    "ticks": ["hs_is_closed_won", "hs_is_closed_lost"],
    "won only, closed on entry": ["hs_is_closed_won"],
    "how likely": ["hs_deal_stage_probability"],
    "why": ["closed_lost_reason", "closed_won_reason"],
}


def save(folder: Path, frame: pd.DataFrame) -> Path:
    path = folder / "deals.csv"
    frame.to_csv(path, index=False, date_format="%Y-%m-%d %H:%M")
    return path


def ends(log: Log) -> dict[str, str]:
    return {str(k): str(v) for k, v in log.cases.outcome.items()}


@pytest.mark.parametrize("hint", HINTS)
def test_ends_of_numbered_stages_are_told_by_other_columns(tmp_path: Path, hint: str) -> None:
    frame, truth = hubspot()
    log = read_log(save(tmp_path, frame[[*BARE, *ENTERED, *HINTS[hint]]]))
    assert ends(log) == truth
    assert not {GOOD, BAD} & set(log.visits.stage)
    if hint != "won only, closed on entry":  # the same without the dates by stage
        log = read_log(save(tmp_path, frame[[*BARE, *HINTS[hint]]]))
        assert ends(log) == truth


def test_how_likely_may_be_in_percent_and_is_nothing_where_nobody_says_it(tmp_path: Path) -> None:
    frame, truth = hubspot()
    chance = frame["hs_deal_stage_probability"]
    frame["Probability (%)"] = (100 * chance).map("{:.0f}%".format)
    assert ends(read_log(save(tmp_path, frame[[*BARE, "Probability (%)"]]))) == truth
    frame["Probability (%)"] = "0%"
    log = read_log(save(tmp_path, frame[[*BARE, "Probability (%)"]]))
    assert set(log.cases.outcome) == {OPEN}


def test_a_stage_where_deals_begin_may_be_at_0_percent(tmp_path: Path) -> None:
    frame, truth = hubspot()
    frame["label"] = frame["label"].map(
        {"First": "New", "Second": "Offer", "Closed Won": "Contract in", "Closed Lost": "Out"}
    )
    chance = {"New": "0%", "Offer": "50%", "Contract in": "100%", "Out": "0%"}
    frame["Probability (%)"] = frame["label"].map(chance)
    columns = ["Record ID", "label", "createdate", "closedate", "Probability (%)"]
    log = read_log(save(tmp_path, frame[columns].rename(columns={"label": "Stage"})))
    assert ends(log) == truth


def test_labels_beside_the_numbers_are_used(tmp_path: Path) -> None:
    frame, truth = hubspot()
    log = read_log(save(tmp_path, frame[[*BARE, "label"]].rename(columns={"label": "Deal Stage"})))
    assert ends(log) == truth
    said = [str(f) for f in log.findings]
    assert any(
        "columns of one name, 'dealstage' and 'Deal Stage': 'Deal Stage' used" in t for t in said
    )


def test_what_nothing_tells_is_asked_for_by_name(tmp_path: Path) -> None:
    frame, truth = hubspot()
    path = save(tmp_path, frame[[*BARE, *ENTERED]])
    done = CliRunner().invoke(main, ["fit", str(path)])
    assert done.exit_code == 1
    lost, won = (list(truth.values()).count(o) for o in ("lost", WON))
    assert f"`{BAD}` {lost}, `{GOOD}` {won}, " in done.stderr
    assert f"nobody left `{BAD}`, `{GOOD}`" in done.stderr
    assert f"--won {BAD} or --lost {BAD}; --won {GOOD} or --lost {GOOD}" in done.stderr
    log = read_log(path, won=[GOOD], lost=[BAD])
    assert ends(log) == truth
