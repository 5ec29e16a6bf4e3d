"""A funnel with marketing, teams that hire, and customers, for PySD: 35 stocks, 156 weeks.

Written out as Vensim text from one table of equations, so that its size is plain to see. It is the
peer of `bench_flow`: a model of like size in the tool that most system dynamics runs in.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

CHANNELS = range(10)
TEAMS = {"sdr": (14, 12), "ae": (24, 20), "legal": (4, 3), "onboarding": (5, 4)}  # target, start
WEEKS, STEP = 156, 1 / 16
STOCKS = 35


def constants() -> Iterator[tuple[str, float]]:
    """Names and values."""
    for k in CHANNELS:
        yield f"spend {k}", 1 + 0.3 * k
        yield f"memory {k}", 1 + 0.5 * k
        yield f"most {k}", 60 + 5 * k
        yield f"half {k}", 2 + 0.7 * k
    yield from {
        "work qualify": 0.02, "work discovery": 0.09, "work proposal": 0.06, "work contract": 0.055,
        "work golive": 0.08, "pass qualify": 0.35, "pass discovery": 0.55, "pass proposal": 0.6,
        "pass contract": 0.8, "again": 0.1, "handoff": 0.4, "buying": 3, "patience": 2,
        "least": 0.25, "leaving": 0.004, "price": 1, "wage": 0.8, "hiring": 6, "ramp": 10,
        "adjust": 4, "quit": 0.006, "rookie": 0.4,
    }.items()  # fmt: skip
    for team, (target, _) in TEAMS.items():
        yield f"target {team}", target


def auxiliaries() -> Iterator[tuple[str, str]]:
    """Names and expressions."""
    for k in CHANNELS:
        yield f"leads {k}", f"most {k}*felt {k}/(felt {k}+half {k})"
    yield "leads", "+".join(f"leads {k}" for k in CHANNELS)
    for team in TEAMS:
        yield f"able {team}", f"pros {team}+rookie*rookies {team}"
        heads = f"coming {team}+rookies {team}+pros {team}"
        yield f"hired {team}", f"MAX(0,target {team}-({heads}))/adjust"
    yield "qualified", "MIN(able sdr/work qualify,to qualify/least)"
    yield "gone cold", "MAX(0,to qualify-able sdr/work qualify*least)/patience"
    yield "handed over", "on the way/handoff"
    yield "load", "(to discover*work discovery+to propose*work proposal)/least"
    yield "served", "MIN(1,able ae/(load+0.000001))"
    yield "discovered", "to discover/least*served"
    yield "proposed", "to propose/least*served"
    yield "thought", "buyer one*2/buying"
    yield "decided", "buyer two*2/buying"
    yield "contracted", "MIN(able legal/work contract,to contract/least)"
    yield "went live", "MIN(able onboarding/work golive,to go live/least)"
    yield "signed", "contracted*(1-again)*pass contract"


def stocks() -> Iterator[tuple[str, str, float]]:
    """Names, net flows and initial values."""
    for k in CHANNELS:
        yield f"felt {k}", f"spend {k}-felt {k}/memory {k}", 0
    yield "to qualify", "leads-qualified-gone cold", 10
    yield "on the way", "qualified*pass qualify-handed over", 70
    yield "to discover", "handed over-discovered", 20
    yield "buyer one", "discovered*pass discovery-thought", 100
    yield "buyer two", "thought-decided", 100
    yield "to propose", "decided+contracted*again-proposed", 20
    yield "to contract", "proposed*pass proposal-contracted", 10
    yield "to go live", "signed-went live", 10
    yield "won", "went live", 0
    yield (
        "lost",
        "qualified-qualified*pass qualify+discovered*(1-pass discovery)"  # noqa: ISC004
        "+proposed*(1-pass proposal)+contracted*(1-again)*(1-pass contract)",
        0,
    )
    yield "cold", "gone cold", 0
    yield "customers", "went live-customers*leaving", 100
    yield "cash", "customers*price-wage*(" + "+".join(f"able {t}" for t in TEAMS) + ")", 0
    for team, (_, start) in TEAMS.items():
        yield f"coming {team}", f"hired {team}-coming {team}/hiring", 0
        yield f"rookies {team}", f"coming {team}/hiring-rookies {team}/ramp", 0
        yield f"pros {team}", f"rookies {team}/ramp-quit*pros {team}", start


def write(folder: Path) -> Path:
    """The model as a Vensim file."""
    lines = ["{UTF-8}"]
    lines += [f"{name} = {value!r}\n\t~\t\n\t~\t\t|\n" for name, value in constants()]
    lines += [f"{name} = {text}\n\t~\t\n\t~\t\t|\n" for name, text in auxiliaries()]
    found = list(stocks())
    if len(found) != STOCKS:
        raise ValueError(f"{len(found)} stocks, not {STOCKS}")
    lines += [f"{n} = INTEG ( {flow}, {at!r})\n\t~\t\n\t~\t\t|\n" for n, flow, at in found]
    lines.append("*" * 56 + "\n\t.Control\n" + "*" * 56 + "~\n\t\tSimulation Control\n\t|\n")
    control = {"FINAL TIME": WEEKS, "INITIAL TIME": 0, "SAVEPER": 1, "TIME STEP": STEP}
    lines += [f"{name} = {value}\n\t~\tWeek\n\t~\t\t|\n" for name, value in control.items()]
    lines.append("\\\\\\---/// Sketch information - do not modify anything except names")
    lines.append("V300  Do not put anything below this section - it will be ignored")
    lines.append("*View 1")
    lines.append(
        "$192-192-192,0,Times New Roman|12||0-0-0|0-0-0|0-0-255|-1--1--1|-1--1--1|96,96,100,0"
    )
    lines.append("///---\\\\\\")
    path = folder / "funnel.mdl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
