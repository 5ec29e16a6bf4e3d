"""What a run would have left in a company's systems: Salesforce's objects, or an event log."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase, digits

import numpy as np
import pandas as pd

from simulator.errors import EngineError
from simulator.fit.logs.journal import Journal, journal
from simulator.spec.load import load
from simulator.system import build, won_fates

Row = dict[str, object]
FORMS = ("log", "salesforce")
ALPHABET = digits + ascii_uppercase + ascii_uppercase.lower()
ARRIVE = "arrive"
WON, LOST = "Closed Won", "Closed Lost"
NEW, DEAD, CONVERTED = "Open", "Unqualified", "Qualified"
FORECAST = 30  # days after the end, at which what is open is said to close


@dataclass(frozen=True)
class Exported:
    """Files that were written."""

    journal: Journal
    files: tuple[Path, ...]
    rows: dict[str, int]

    @property
    def sentences(self) -> list[str]:
        """What was written, and how to read it again."""
        j = self.journal
        assert j.record.leads is not None
        last = (j.end - pd.Timedelta(1, "ns")).date()
        names = " ".join(str(f) for f in self.files)
        return [
            (
                f"{j.system.name}: {len(j.record.leads.id):,} leads and {len(j.visits):,} visits "
                f"from {j.start.date()} to {last}, seed {j.record.seed}, replication "
                f"{j.record.replication}."
            ),
            f"Read it again with: growthsim read {names} --until {last}",
        ]

    @property
    def tables(self) -> dict[str, list[Row]]:
        """Files and their rows."""
        return {"Files": [{"file": str(f), "rows": self.rows[f.name]} for f in self.files]}

    def to_json(self) -> dict[str, object]:
        """Plain values."""
        j = self.journal
        return {
            "scenario": j.system.name,
            "engine": j.record.engine,
            "seed": j.record.seed,
            "replication": j.record.replication,
            "start": j.start.isoformat(),
            "end": j.end.isoformat(),
            "files": [{"file": str(f), "rows": self.rows[f.name]} for f in self.files],
        }


def export(
    scenario: str | Path,
    out: str | Path,
    *,
    form: str = "salesforce",
    engine: str = "events",
    seed: int | None = None,
    replication: int = 0,
    start: dt.date | None = None,
) -> Exported:
    """Run a scenario once and write what it would have left behind, as CSV, to a folder.

    form: "salesforce" (Lead, LeadHistory, Opportunity, OpportunityHistory) or "log" (events).
    Raises SpecError and EngineError.
    """
    if form not in FORMS:
        raise EngineError(f"no form of export named {form!r}. There are: {', '.join(FORMS)}")
    kept = journal(
        build(load(scenario).scenario), engine, seed=seed, replication=replication, start=start
    )
    frames = event_rows(kept) if form == "log" else salesforce_rows(kept)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, frame in frames.items():
        path = folder / name
        frame.to_csv(path, index=False, lineterminator="\n")
        files.append(path)
    return Exported(kept, tuple(files), {name: len(frame) for name, frame in frames.items()})


def _stamp(times: pd.Series, unit: str = "us") -> pd.Series:
    """Times as text; empty where there is none."""
    known = times.notna()
    moments = times.fillna(pd.Timestamp(0)).to_numpy(dtype="datetime64[us]")
    text = np.datetime_as_string(moments.astype(f"datetime64[{unit}]"))
    return pd.Series(text, index=times.index).where(known, "")


def _cases(kept: Journal) -> pd.DataFrame:
    """Leads: id, channel, value, created, won, ended (as times), and how they ended."""
    system, leads = kept.system, kept.record.leads
    assert leads is not None
    fates = system.fates
    kind = np.array([f.kind for f in fates])[leads.fate]
    lost = (kind == "lost") & ~won_fates(system)[leads.fate]
    reason = np.array([f.reason for f in fates], dtype=object)[leads.fate]
    return pd.DataFrame(
        {
            "lead": leads.id,
            "channel": np.array(system.channel_names, dtype=object)[leads.channel],
            "value": np.round(leads.value, 2),
            "created": kept.times(leads.arrived),
            "won": kept.times(leads.won),
            "ended": kept.times(np.where(lost, leads.ended, np.nan)),
            "reason": np.where(lost, reason, ""),
            "at": np.array([f.stage for f in fates], dtype=object)[leads.fate],
        }
    )


def event_rows(kept: Journal) -> dict[str, pd.DataFrame]:
    """One event log: schedule, start and complete (or withdraw) of every visit, and the ends."""
    visits, system = kept.visits, kept.system
    stage = np.array(system.stage_names, dtype=object)[visits.stage.to_numpy()]
    team = system.stages.team[visits.stage.to_numpy()] >= 0
    cold = team & visits.started.isna().to_numpy() & visits.ended.notna().to_numpy()
    base = pd.DataFrame({"case": visits.lead, "activity": stage, "resource": visits.who})
    entered, started, ended = (kept.times(visits[c].to_numpy()) for c in
                               ("entered", "started", "ended"))  # fmt: skip
    base["visit"] = np.arange(len(base))
    parts = [
        base.assign(lifecycle="schedule", time=entered, step=0, resource=None),
        base.assign(lifecycle="start", time=started, step=1)[started.notna()],
        base.assign(
            lifecycle=np.where(cold, "withdraw", "complete"), time=ended, step=2,
            hours=visits.hours.round(6),
        )[ended.notna()],
    ]  # fmt: skip
    cases = _cases(kept)
    for activity, column, place in ((ARRIVE, "created", -1), ("won", "won", len(base)),
                                    ("lost", "ended", len(base))):  # fmt: skip
        end = cases[cases[column].notna()]
        parts.append(
            pd.DataFrame(
                {
                    "case": end.lead, "activity": activity, "lifecycle": "complete",
                    "time": end[column], "visit": place, "step": 2,
                }
            )
        )  # fmt: skip
    events = pd.concat(parts, ignore_index=True)
    events = events.merge(
        cases[["lead", "channel", "value", "reason"]], left_on="case", right_on="lead"
    )
    events = events.sort_values(["time", "case", "visit", "step"], kind="stable")
    out = pd.DataFrame(
        {
            "case": events.case,
            "activity": events.activity,
            "lifecycle": events.lifecycle,
            "timestamp": _stamp(events.time),
            "resource": events.resource,
            "hours": events.hours,
            "channel": events.channel,
            "amount": events.value,
            "reason": events.reason,
        }
    )
    return {"events.csv": out}


def salesforce_id(prefix: str, number: int) -> str:
    """An id of 18 letters: three say which object, twelve number it, three check it."""
    text = ""
    while number:
        number, rest = divmod(number, 62)
        text = ALPHABET[rest] + text
    short = prefix + text.rjust(12, "0")
    check = ""
    for part in (short[0:5], short[5:10], short[10:15]):
        bits = sum(1 << i for i, letter in enumerate(part) if letter in ascii_uppercase)
        check += (ascii_uppercase + "012345")[bits]
    return short + check


def salesforce_rows(kept: Journal) -> dict[str, pd.DataFrame]:
    """Lead, LeadHistory, Opportunity and OpportunityHistory, by Salesforce's own names.

    A lead is converted when it first enters the scenario's ``opportunity`` stage or one that
    follows it; what it visits from then until it is won are stages of the opportunity.
    """
    system = kept.system
    names = list(system.stage_names)
    cases = _cases(kept)
    cases["Id"] = [salesforce_id("00Q", i + 1) for i in range(len(cases))]
    cases["opp"] = [salesforce_id("006", i + 1) for i in range(len(cases))]
    visits = kept.visits.assign(time=kept.times(kept.visits.entered.to_numpy()))
    visits["begun"] = kept.times(visits.started.to_numpy())
    visits = visits.merge(cases, on="lead", how="inner", suffixes=("", "_"))
    after_sale = system.stages.after_sale[visits.stage.to_numpy()]
    visits = visits[~after_sale].sort_values(["lead", "entered"], kind="stable")
    stated = system.scenario.opportunity or names[0]
    begins = [stated] if isinstance(stated, str) else list(stated)
    deal = np.isin(visits.stage, [names.index(s) for s in _from(kept, begins)])
    visits["deal"] = pd.Series(deal, index=visits.index).groupby(visits.lead).cummax()
    first = visits[visits.deal].drop_duplicates("lead").set_index("lead")
    cases["converted"] = cases.lead.map(first.time)
    # won without a visit that is known: converted as it was won
    cases["converted"] = cases.converted.fillna(cases.won)
    made = cases.converted.notna()
    who = visits[visits.deal & visits.who.notna()].drop_duplicates("lead").set_index("lead").who
    cases["owner"] = cases.lead.map(who)
    worked = visits[~visits.deal & visits.who.notna()].drop_duplicates("lead").set_index("lead").who
    cases["sdr"] = cases.lead.map(worked)
    visits["stage"] = np.array(names, dtype=object)[visits.stage.to_numpy()]
    visits["mover"] = visits.who.groupby(visits.lead).shift()
    ended = cases.ended.where(cases.won.isna())
    status = cases.lead.map(
        visits[~visits.deal].drop_duplicates("lead", keep="last").set_index("lead").stage
    ).fillna(NEW)
    lead = pd.DataFrame(
        {
            "Id": cases.Id,
            "Company": [f"Company {i + 1}" for i in range(len(cases))],
            "Status": np.select([made, ended.notna()], [CONVERTED, DEAD], status),
            "LeadSource": cases.channel,
            "OwnerId": cases.sdr.map(_users(kept)),
            "IsConverted": made.map({True: "true", False: "false"}),
            "ConvertedDate": _stamp(cases.converted, "D"),
            "ConvertedOpportunityId": cases.opp.where(made, ""),
            "CreatedDate": _utc(cases.created),
            "Loss_Reason__c": cases.reason.where(~made, ""),
            "IsDeleted": "false",
        }
    )
    is_open = made & cases.won.isna() & ended.isna()
    now = visits[visits.deal].drop_duplicates("lead", keep="last").set_index("lead").stage
    close = cases.won.fillna(ended).fillna(kept.end + pd.Timedelta(days=FORECAST))
    stage = np.select([cases.won.notna(), ~is_open], [WON, LOST], "")
    opportunity = pd.DataFrame(
        {
            "Id": cases.opp,
            "Name": [f"Company {i + 1}" for i in range(len(cases))],
            "StageName": np.where(is_open, cases.lead.map(now).fillna(begins[0]), stage),
            "Amount": cases.value,
            "Probability": np.select([cases.won.notna(), ~is_open], [100, 0], 50),
            "CloseDate": _stamp(close, "D"),
            "LeadSource": cases.channel,
            "IsClosed": np.where(is_open, "false", "true"),
            "IsWon": np.where(cases.won.notna(), "true", "false"),
            "ForecastCategory": np.select(
                [cases.won.notna(), ~is_open], ["Closed", "Omitted"], "Pipeline"
            ),
            "OwnerId": cases.owner.map(_users(kept)),
            "CreatedDate": _utc(cases.converted),
            "Loss_Reason__c": cases.reason,
            "IsDeleted": "false",
        }
    )[made.to_numpy()]
    return {
        "Lead.csv": lead,
        "LeadHistory.csv": _lead_history(kept, cases, visits),
        "Opportunity.csv": opportunity,
        "OpportunityHistory.csv": _history(kept, cases, visits, made, ended),
    }


def _from(kept: Journal, begins: list[str]) -> set[str]:
    """The stages where opportunities begin, and those that follow them."""
    system = kept.system
    names = list(system.stage_names)
    found: set[str] = set()
    todo = [names.index(name) for name in begins]
    while todo:
        s = todo.pop()
        if s < 0 or names[s] in found:
            continue
        found.add(names[s])
        todo += [int(t) for t in system.stages.route[s]]
    return found


def _utc(times: pd.Series) -> pd.Series:
    text = _stamp(times, "ms")
    return text.where(text.eq(""), text + "Z")


def _users(kept: Journal) -> dict[str, str]:
    """Ids of people by name."""
    names = sorted({str(w) for w in kept.visits.who.dropna()})
    return {name: salesforce_id("005", i + 1) for i, name in enumerate(names)}


def _lead_history(kept: Journal, cases: pd.DataFrame, visits: pd.DataFrame) -> pd.DataFrame:
    """Changes of a lead's status: each stage before it was converted, and its end."""
    before = visits[~visits.deal]
    moves = [before[["lead", "stage", "time", "mover"]].assign(order=0)]
    at_once = set(before.lead[before.time.eq(before.created)])
    new = cases[~cases.lead.isin(at_once)]
    moves.append(
        pd.DataFrame({"lead": new.lead, "stage": NEW, "time": new.created, "mover": None,
                      "order": -1})
    )  # fmt: skip
    over = cases[cases.converted.isna() & cases.ended.notna()]
    last = before.drop_duplicates("lead", keep="last").set_index("lead").who
    moves.append(
        pd.DataFrame({"lead": over.lead, "stage": DEAD, "time": over.ended,
                      "mover": over.lead.map(last), "order": 1})
    )  # fmt: skip
    turned = cases[cases.converted.notna()]
    moves.append(
        pd.DataFrame({"lead": turned.lead, "stage": CONVERTED, "time": turned.converted,
                      "mover": turned.lead.map(last), "order": 1})
    )  # fmt: skip
    rows = pd.concat(moves, ignore_index=True)
    rows = rows.sort_values(["lead", "time", "order"], kind="stable", ignore_index=True)
    old = rows.stage.groupby(rows.lead).shift()
    changed = old.notna() & old.ne(rows.stage)
    rows = rows.assign(old=old)[changed].sort_values("time", kind="stable")
    ids = cases.set_index("lead").Id
    return pd.DataFrame(
        {
            "Id": [salesforce_id("017", i + 1) for i in range(len(rows))],
            "LeadId": rows.lead.map(ids),
            "Field": "Status",
            "OldValue": rows.old,
            "NewValue": rows.stage,
            "CreatedById": rows.mover.map(_users(kept)),
            "CreatedDate": _utc(rows.time),
        }
    )


def _history(
    kept: Journal, cases: pd.DataFrame, visits: pd.DataFrame, made: pd.Series, ended: pd.Series
) -> pd.DataFrame:
    """A row a save: when a stage is entered, when someone begins on it, and at the end."""
    deal = visits[visits.deal & ~(visits.time > visits.won)]
    columns = ["lead", "stage", "time", "mover"]
    moves = [deal[columns].assign(order=1)]
    saves = deal[deal.begun.notna()].assign(time=deal.begun, mover=deal.who)
    moves.append(saves[columns].assign(order=2))
    last = deal.drop_duplicates("lead", keep="last").set_index("lead").who
    for stage, when in ((WON, cases.won), (LOST, ended)):
        over = made & when.notna()
        moves.append(
            pd.DataFrame({"lead": cases.lead[over], "stage": stage, "time": when[over],
                          "mover": cases.lead[over].map(last), "order": 3})
        )  # fmt: skip
    rows = pd.concat(moves, ignore_index=True)
    rows = rows.sort_values(["time", "lead", "order"], kind="stable")
    case = cases.set_index("lead")
    chance = np.select([rows.stage.eq(WON), rows.stage.eq(LOST)], [100, 0], 50)
    amount = rows.lead.map(case.value)
    return pd.DataFrame(
        {
            "Id": [salesforce_id("008", i + 1) for i in range(len(rows))],
            "OpportunityId": rows.lead.map(case.opp),
            "CreatedById": rows.mover.map(_users(kept)),
            "CreatedDate": _utc(rows.time),
            "StageName": rows.stage,
            "Amount": amount,
            "ExpectedRevenue": (amount * chance / 100.0).round(2),
            "CloseDate": _stamp(rows.time + pd.Timedelta(days=FORECAST), "D"),
            "Probability": chance,
            "ForecastCategory": np.select(
                [rows.stage.eq(WON), rows.stage.eq(LOST)], ["Closed", "Omitted"], "Pipeline"
            ),
        }
    )
