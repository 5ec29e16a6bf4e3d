"""The commands of docs/data.md do what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_logs_deals import HISTORY, OPPORTUNITIES, write
from test_logs_discover import HEAD, events
from test_logs_discover import write as write_rows
from test_logs_export import SCENARIO
from test_logs_workbooks import HEAD as WORKBOOK
from test_logs_workbooks import deals, save

from simulator.cli import main
from simulator.fit.logs.columns import KINDS


def commands(root: Path) -> list[str]:
    text = (root / "docs" / "data.md").read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    return [line for line in blocks.splitlines() if line.startswith("growthsim ")]


def test_every_command_of_the_page_works(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder with the files that the page names; the study is a short one."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "Opportunity.csv", OPPORTUNITIES)
    write(tmp_path, "OpportunityHistory.csv", HISTORY)
    lead = {"Id": "00Q1", "CreatedDate": "2024-01-01", "IsConverted": "false", "Status": "Open"}
    write(tmp_path, "Lead.csv", [lead])
    rows = [[c if c not in {"Won", "Lost"} else {"Won": "signed", "Lost": "declined"}[c]
             for c in row] for row in events(60)]  # fmt: skip
    write_rows(tmp_path / "events.csv", rows)
    write_rows(tmp_path / "tickets.csv", rows, ["Ticket", "Step", *HEAD[2:]])
    flood = tmp_path / "scenarios" / "the-flood"
    flood.mkdir(parents=True)
    short = SCENARIO.replace("12 weeks", "6 weeks").replace("2024-01-01", "2027-11-22")
    (flood / "today.yaml").write_text(short)
    found = commands(root)
    sheets = {str(year): [WORKBOOK, *deals(12, seed=year)] for year in (2024, 2025)}
    save(tmp_path / "deals.xlsx", sheets)
    assert len(found) == 10
    for line in found:
        done = CliRunner().invoke(main, line.split()[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"


def test_every_kind_stands_on_the_page(root: Path) -> None:
    text = (root / "docs" / "data.md").read_text(encoding="utf-8").lower()
    for kind in KINDS:
        words = kind.name.lower()
        assert words in text or words.split()[-1] in text, kind.name
