"""A million rows with rubbish in one of a hundred: how soon they are read, and in what memory.

Usage: python -m benchmarks.bench_readers [rows]. Each file is read in a process of its own, first
by `pandas.read_csv` alone (the peer: text columns and nothing made of them), then by `read_log`,
then with discovery on top, then by the whole of `growthsim fit` (reading, estimating, a hundred
draws, a scenario written).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parent.parent
RUBBISH = 0.01
STAGES = ["qualify", "demo", "proof", "legal", "decision"]
READ = """
import json, resource, sys, tempfile, time
how, paths = sys.argv[1], sys.argv[2:]
import pandas as pd
if how != "pandas":
    from simulator.fit.logs.discover import discover
    from simulator.fit.logs import fit_files_of_log
    from simulator.fit.logs.read import read_log
start = time.perf_counter()
if how == "pandas":
    try:
        made = [pd.read_csv(p, dtype=str, on_bad_lines="skip") for p in paths]
        said = f"{sum(map(len, made)):,} rows"
    except pd.errors.ParserError as error:
        made = [pd.read_csv(p, dtype=str, on_bad_lines="skip", quoting=3) for p in paths]
        said = f"{sum(map(len, made)):,} rows, without quotes, for with them: {str(error).strip()}"
elif how == "fit":
    with tempfile.TemporaryDirectory() as out:
        fit_files_of_log(paths, out=out)
    said = "and written as a scenario"
else:
    log = read_log(paths)
    said = f"{len(log.cases):,} cases, {len(log.visits):,} visits, {len(log.findings)} findings"
    if how == "discover":
        discover(log)
took = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"seconds": took, "cpu": used.ru_utime + used.ru_stime,
                  "GiB": used.ru_maxrss / 2**20, "said": said}))
"""


def times(start: np.ndarray, form: str = "%Y-%m-%dT%H:%M:%S.000Z") -> pd.Series:
    """Seconds after 2021 as text."""
    moments = pd.Timestamp("2021-01-01") + pd.to_timedelta(start, unit="s")
    return pd.Series(moments.strftime(form))


def spoil(lines: list[str], rng: np.random.Generator) -> list[str]:
    """One line in a hundred made useless, each in one of five ways."""
    for i in np.flatnonzero(rng.random(len(lines)) < RUBBISH):
        if i == 0:
            continue
        cells = lines[i].split(",")
        way = int(rng.integers(5))
        if way == 0:
            cells = cells[:2]
        elif way == 1:
            cells[0] = ""
        elif way == 2:
            cells = ["?" if c[:2] == "20" else c for c in cells]
        elif way == 3:
            cells[1] = '"' + cells[1]
        else:
            cells = [c.replace("202", "212", 1) if c[:3] == "202" else c for c in cells]
        lines[i] = ",".join(cells)
    return lines


def write(path: Path, frame: pd.DataFrame, rng: np.random.Generator) -> Path:
    lines = frame.to_csv(index=False).splitlines()
    path.write_text("\n".join(spoil(lines, rng)) + "\n")
    return path


def log_file(folder: Path, rows: int, rng: np.random.Generator) -> list[Path]:
    """An event log: ten rows a case, schedule, start and complete."""
    visits = rows // 3
    case = np.repeat(np.arange(visits // 3 + 1), 3)[:visits]
    at = (
        np.sort(rng.uniform(0, 1e8, visits // 3 + 1))[case]
        + 2e5 * np.tile(np.arange(3), visits // 3 + 1)[:visits]
        + rng.uniform(0, 1e5, visits)
    )
    stage = np.array(STAGES)[np.tile(np.arange(3), visits // 3 + 1)[:visits]]
    who = np.char.add("person ", rng.integers(0, 60, visits).astype(str))
    parts = [
        pd.DataFrame({"case": case, "activity": stage, "lifecycle": step,
                      "timestamp": times(at + d), "resource": who, "amount": case % 977})
        for step, d in (("SCHEDULE", 0.0), ("START", 3e4), ("COMPLETE", 3.2e4))
    ]  # fmt: skip
    last = np.flatnonzero(np.arange(visits) % 3 == 2)
    end = np.where(rng.random(len(last)) < 0.3, "won", "lost")
    parts.append(
        pd.DataFrame({"case": case[last], "activity": end, "lifecycle": "COMPLETE",
                      "timestamp": times(at[last] + 3.3e4), "resource": who[last],
                      "amount": case[last] % 977})
    )  # fmt: skip
    frame = pd.concat(parts).sort_values("timestamp", kind="stable")
    return [write(folder / "events.csv", frame, rng)]


def crm_files(folder: Path, rows: int, rng: np.random.Generator) -> list[Path]:
    """Opportunities and their history: six saves a deal."""
    deals = rows // 6
    key = pd.Series([f"006{i:012d}" for i in range(deals)])
    made = np.sort(rng.uniform(0, 1e8, deals))
    end = np.where(rng.random(deals) < 0.25, "Closed Won", "Closed Lost")
    opportunity = pd.DataFrame(
        {
            "Id": key + "AAA", "StageName": end, "Amount": "$1,200.00",
            "CreatedDate": times(made), "CloseDate": times(made + 6e6, "%Y-%m-%d"),
            "IsClosed": "true", "IsWon": np.where(end == "Closed Won", "true", "false"),
            "LeadSource": rng.choice(["Web", "Event", "Partner"], deals),
            "OwnerId": rng.choice([f"005{i:012d}" for i in range(40)], deals),
        }
    )  # fmt: skip
    step = np.arange(deals * 6) % 6
    number = np.arange(deals * 6) // 6
    stage = np.where(step < 5, np.array(["New", "New", "Demo", "Proof", "Proof", ""])[step],
                     end[number])  # fmt: skip
    history = pd.DataFrame(
        {
            "Id": [f"008{i:012d}" for i in range(deals * 6)],
            "OpportunityId": key.to_numpy()[number], "StageName": stage, "Amount": "1200",
            "CreatedById": rng.choice([f"005{i:012d}" for i in range(40)], deals * 6),
            "CreatedDate": times(made[number] + 1e6 * step), "Probability": 50,
        }
    )  # fmt: skip
    return [
        write(folder / "Opportunity.csv", opportunity, rng),
        write(folder / "OpportunityHistory.csv", history, rng),
    ]


def call_file(folder: Path, rows: int, rng: np.random.Generator) -> list[Path]:
    """Records of a queue."""
    at = np.sort(rng.uniform(0, 1e8, rows))
    gone = rng.random(rows) < 0.2
    frame = pd.DataFrame(
        {
            "call_id": np.arange(rows), "arrival": times(at, "%Y-%m-%d %H:%M:%S"),
            "wait": rng.exponential(60, rows).round(), "outcome": np.where(gone, "HANG", "AGENT"),
            "service_time": rng.exponential(180, rows).round(),
            "agent": np.where(gone, "", np.char.add("a", rng.integers(0, 30, rows).astype(str))),
        }
    )  # fmt: skip
    return [write(folder / "calls.csv", frame, rng)]


def hubspot_file(folder: Path, rows: int, rng: np.random.Generator) -> list[Path]:
    """HubSpot's deals: a date a stage."""
    made = np.sort(rng.uniform(0, 1e8, rows))
    won = rng.random(rows) < 0.25
    columns = {
        "Record ID": np.arange(rows) + 10**9, "Deal Name": "x",
        "Deal Stage": np.where(won, "Closed won (Sales)", "Closed lost (Sales)"),
        "Pipeline": "Sales", "Amount": "1,200.00".replace(",", ""),
        "Create Date": times(made, "%Y-%m-%d %H:%M"),
        "Close Date": times(made + 6e6, "%Y-%m-%d %H:%M"),
        "Deal owner": np.char.add("rep ", rng.integers(0, 40, rows).astype(str)),
        "Is Closed Won": np.where(won, "true", "false"),
    }  # fmt: skip
    for k, stage in enumerate(("New", "Demo", "Proof")):
        columns[f"Date entered {stage} (Sales)"] = times(made + 1e6 * k, "%Y-%m-%d %H:%M")
    columns["Date entered Closed won (Sales)"] = times(made + 6e6, "%Y-%m-%d %H:%M").where(won, "")
    return [write(folder / "deals.csv", pd.DataFrame(columns), rng)]


def lead_files(folder: Path, rows: int, rng: np.random.Generator) -> list[Path]:
    """Plain leads, and the deals won of a tenth of them."""
    made = np.sort(rng.uniform(0, 1e8, rows))
    key = pd.Series(np.char.add("L", np.arange(rows).astype(str)))
    leads = pd.DataFrame(
        {"lead_id": key, "created_at": times(made), "channel": rng.choice(["Web", "Event"], rows)}
    )
    won = rng.random(rows) < 0.1
    deals = pd.DataFrame(
        {"lead_id": key[won], "won_date": times(made + 4e6)[won], "amount": "$1200"}
    )
    return [write(folder / "leads.csv", leads, rng), write(folder / "deals.csv", deals, rng)]


def measure(how: str, paths: list[Path]) -> dict[str, object]:
    """One reading, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", READ, how, *map(str, paths)],
        check=True, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main(rows: int = 1_000_000) -> None:
    """Print seconds, rows a second and peak memory of each."""
    rng = np.random.default_rng(1)
    makers = {"event log": log_file, "CRM with history": crm_files, "queue records": call_file,
              "HubSpot deals": hubspot_file, "leads and deals": lead_files}  # fmt: skip
    for name, make in makers.items():
        with tempfile.TemporaryDirectory() as folder:
            paths = make(Path(folder), rows, rng)
            size = sum(p.stat().st_size for p in paths) / 2**20
            print(f"{name}: {rows:,} rows, {size:,.0f} MiB, rubbish in {RUBBISH:.0%}", flush=True)
            for how in ("pandas", "read", "discover", "fit"):
                if how == "fit" and name == "queue records":
                    continue  # waits and patience of a queue are fitted by hours, not by rows
                got = measure(how, paths)
                took, cpu, peak = (float(str(got[k])) for k in ("seconds", "cpu", "GiB"))
                print(
                    f"  {how:9s} {took:6.1f} s ({cpu:.1f} s of one core) "
                    f"{rows / took:10,.0f} rows/s {peak:5.2f} GiB  {got['said']}",
                    flush=True,
                )


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:2]))
