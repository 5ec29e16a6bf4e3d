"""The parameter book: every default, with its range, grade and source.

Grades: A read in a primary source; B read second-hand; C recalled, not checked; D our own
design value. Keys are the paths of a scenario, with ``*`` for a name. Values are texts with
their unit, so that they read here as they would in a scenario file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import Field

Grade = Literal["A", "B", "C", "D"]


@dataclass(frozen=True, slots=True)
class Assumption:
    """A value, the range it may lie in, and how well it is known."""

    value: str | float
    low: str | float | None
    high: str | float | None
    grade: Grade
    source: str
    note: str = ""
    se: str | float | None = None


_OURS: Final = "our own design value"
_CEB = "CEB, purchase likelihood by buying-group size; Gartner: 6-10 deciders"
_LOGIT = "scale of the buyer's logit; our own design value"
_CV = "coefficient of variation; our own design value"

BOOK: Final[dict[str, Assumption]] = {
    "value.cv": Assumption(0.6, 0.3, 1.2, "D", _CV),
    "channels.*.leads.saturation": Assumption(
        1.0, 0.5, 2.0, "D", "Hill exponent; the form from Google Meridian's documentation",
        "with half = today's spend, half as much again buys a fifth more leads",
    ),
    "channels.*.adstock": Assumption(
        "0 weeks", "0 weeks", "8 weeks", "D", _OURS, "0: spend acts in the week it is spent"
    ),
    "channels.*.good_fit": Assumption("60%", "30%", "80%", "D", _OURS),
    "channels.*.quality_loss": Assumption(
        0, 0, 0.6, "D", _OURS,
        "that marginal leads are worse: domain book 10, which gives no number; 0: off",
    ),
    "teams.*.hours": Assumption(
        "28 h/week", "20 h/week", "32 h/week", "D",
        "hours left for the work itself; selling share of time 22-46% (A) is for field sellers",
    ),
    "teams.*.cost": Assumption(
        "150 k/year", "90 k/year", "390 k/year", "D", "fully loaded cost of 1.3 x OTE"
    ),
    "teams.*.ramp": Assumption(
        "13 weeks", "8 weeks", "40 weeks", "A",
        "Insight Partners: BDR 2 months, inside rep 3, field rep 6",
    ),
    "teams.*.ramp_start": Assumption("30%", "5%", "60%", "D", _OURS),
    "reliefs.handoffs": Assumption(
        "60 k/year", "20 k/year", "150 k/year", "D", "our own design value: part of a person",
        "what one step of a better handoff costs, where `constraint` ranks reliefs",
    ),
    "reliefs.buyer": Assumption(
        "120 k/year", "40 k/year", "300 k/year", "D", "our own design value: a person's programme",
        "what .05 of a buyer's condition, or one approver fewer, costs",
    ),
    "teams.*.takeover": Assumption(
        "2 weeks", "0 weeks", "4 weeks", "D", _OURS, "that owned deals of a leaver wait"
    ),
    "teams.*.takeover_loss": Assumption(
        "25%", "0%", "50%", "D", _OURS, "of the odds of owned deals of a leaver"
    ),
    "teams.*.week": Assumption("40 h/week", "35 h/week", "48 h/week", "D", "a contract's week"),
    "teams.*.wip.normal": Assumption(
        13, 8, 40, "D", "active opportunities of a rep where efficiency starts to fall: 8-9 "
        "enterprise, 13-15 mid-market, 30-40 SMB",
    ),
    "teams.*.wip.loss": Assumption(
        0.35, 0.15, 0.6, "D", _OURS, "Weinberg: 20% a further project (B), too harsh for deals"
    ),
    "teams.*.wip.power": Assumption(1.5, 1.0, 2.0, "D", _OURS),
    "teams.*.pressure.target": Assumption("2 weeks", "1 week", "6 weeks", "D", _OURS),
    "teams.*.pressure.smooth": Assumption(
        "2 weeks", "1 week", "4 weeks", "D", _OURS, "the table it feeds is an overtime table (A)"
    ),
    "teams.*.pressure.errors": Assumption(0.3, 0.0, 1.0, "D", _OURS, "domain book 9"),
    "teams.*.fatigue.smooth": Assumption(
        "4 weeks", "2 weeks", "8 weeks", "D", _OURS,
        "with it, 50 h a week break even at 7 weeks: Business Roundtable C-2 (A)",
    ),
    "teams.*.burnout.strength": Assumption(
        1.875, 0.5, 4.0, "D", _OURS, "full burnout gives 2.5 times the quits"
    ),
    "teams.*.burnout.threshold": Assumption("20%", "0%", "50%", "D", _OURS),
    "teams.*.burnout.depletion": Assumption("8 weeks", "4 weeks", "16 weeks", "D", _OURS),
    "teams.*.burnout.recovery": Assumption("20 weeks", "10 weeks", "52 weeks", "D", _OURS),
    "teams.*.supervision.hours": Assumption(
        "4 h/week", "2 h/week", "20 h/week", "D", _OURS, "20 h in PySD-Cookbook's rookie/pro (A)"
    ),
    "teams.*.supervision.span": Assumption(2, 1, 4, "D", _OURS),
    "teams.*.capability.improvement": Assumption(
        "25%", "10%", "30%", "A", "Repenning & Sterman: 10 of 40 hours"
    ),
    "teams.*.capability.erosion": Assumption(
        "20 weeks", "10 weeks", "52 weeks", "A", "Repenning & Sterman"
    ),
    "teams.*.capability.to_improve.smooth": Assumption(
        "9 weeks", "3 weeks", "26 weeks", "A", "Repenning & Sterman, as in PySD-Cookbook",
        "the pressure to work, 3 weeks there, is felt three times as soon",
    ),
    "market.reputation.smooth": Assumption("26 weeks", "13 weeks", "52 weeks", "D", _OURS),
    "market.reputation.odds": Assumption(0.3, 0.0, 0.8, "D", _LOGIT),
    "market.delivery.company": Assumption(
        "17 weeks", "4 weeks", "26 weeks", "A", "Forrester 1968: TDDRC, 4 months"
    ),
    "market.delivery.market": Assumption(
        "26 weeks", "4 weeks", "52 weeks", "A", "Forrester 1968: TDDRM, 6 months"
    ),
    "market.delivery.throughput": Assumption(
        "4 weeks", "0 weeks", "13 weeks", "A", "Forrester 1968: DRAT, 1 month"
    ),
    "customers.care.overload": Assumption(0.3, 0.1, 0.6, "D", _OURS),
    "buyer.discount.lift": Assumption(
        0.8, 0.3, 1.5, "D", _LOGIT,
        "a fifth off: 22% to 25%; 25% would break even (A, winningbydesign.com)"
    ),
    "buyer.discount.pull_forward": Assumption(
        1.0, 0.0, 2.0, "D", _OURS, "a quarter off: decisions take a quarter less"
    ),
    "buyer.discount.reference": Assumption("52 weeks", "26 weeks", "104 weeks", "D", _OURS),
    "buyer.discount.churn": Assumption(0.8, 0.2, 1.5, "D", _OURS),
    "buyer.discount.churn_from": Assumption("15%", "10%", "20%", "D", _OURS),
    "buyer.aging.decay": Assumption(0.03, 0.01, 0.08, "D", _LOGIT, "a week"),
    "buyer.aging.after": Assumption("13 weeks", "8 weeks", "26 weeks", "D", _OURS),
    "policies.*.every": Assumption("1 week", "1 week", "13 weeks", "D", _OURS),
    "policies.*.smooth": Assumption("4 weeks", "1 week", "13 weeks", "D", _OURS),
    "policies.*.budget.move": Assumption("10%", "5%", "25%", "D", _OURS),
    "policies.*.budget.keep": Assumption("20%", "0%", "50%", "D", _OURS),
    "reliefs.market": Assumption(
        "200 k/year", "60 k/year", "600 k/year", "D", "our own design value: entering a segment",
        "what a tenth more accounts to sell to costs, where `constraint` ranks reliefs",
    ),
    "teams.*.attainment": Assumption(
        "100%", "60%", "100%", "D", _OURS, "share of quota that a ramped person brings in"
    ),
    "teams.*.hiring_lead": Assumption(
        "10 weeks", "6 weeks", "26 weeks", "B", "DePaul: 6.2 months to replace a rep, at the most"
    ),
    "stages.*.speed.floor": Assumption(
        0.32, 0.1, 0.6, "D", "conservative reading of Oldroyd, HBR 2011"
    ),
    "stages.*.speed.scale": Assumption(
        "4 h", "1 h", "24 h", "D", "conservative reading of Oldroyd, HBR 2011"
    ),
    "stages.*.recycle.delay": Assumption("8 weeks", "4 weeks", "26 weeks", "D", _OURS),
    "handoffs.*.rework": Assumption(
        "20 min", "15 min", "30 min", "B", "a rejected lead costs 15-30 minutes"
    ),
    "buyer.approvers": Assumption(5, 4, 7, "A", _CEB),
    "buyer.alignment": Assumption(0.5, 0.3, 0.8, "D", _LOGIT),
    "buyer.proof": Assumption(0.55, 0.3, 0.8, "D", _LOGIT),
    "buyer.risk_removed": Assumption(0.4, 0.2, 0.7, "D", _LOGIT),
    "buyer.friction": Assumption(0.3, 0.1, 0.6, "D", _LOGIT),
    "buyer.kappa": Assumption(
        0.6, 0.3, 1.2, "D", _LOGIT, "most that any effort on the buyer can add to our V"
    ),
    "buyer.odds.us": Assumption(
        "22%", "18%", "30%", "B", "lotoftools.org: opportunity to won, median 22% sales-led"
    ),
    "buyer.odds.competitor": Assumption(
        "30%", "20%", "35%", "D", "JOLT study: 40-60% of deals end in no decision; the rest"
    ),
    "customers.churn": Assumption(
        "12%/year", "7%/year", "30%/year", "A", "KBCM 2019: gross churn about 13%"
    ),
    "customers.expansion": Assumption(
        "12%/year", "5%/year", "20%/year", "D", "set for an NRR of 100-102%; Benchmarkit 2025: 101%"
    ),
    "customers.onboarding_target": Assumption(
        "8 weeks", "2 weeks", "20 weeks", "D", "nominal weeks of onboarding by archetype"
    ),
    "customers.late_churn": Assumption(
        0.6, 0.3, 1.2, "D", "go-live over 90 days late: renewal -14 points (B)"
    ),
    "market.cool_down": Assumption("26 weeks", "13 weeks", "52 weeks", "D", _OURS),
    "money.gross_margin": Assumption("78%", "70%", "85%", "D", "75-78% by archetype"),
    "effort.cv": Assumption(1.0, 0.5, 1.5, "D", _CV, "law lognormal"),
    "buyer_time.cv": Assumption(0.7, 0.4, 1.0, "D", _CV, "law gamma"),
    "patience.cv": Assumption(1.0, 0.5, 1.5, "D", _CV, "law exponential, as in Erlang-A"),
    "handoff_delay.cv": Assumption(1.0, 0.0, 1.5, "D", _CV, "law exponential"),
    "recycle_delay.cv": Assumption(1.0, 0.0, 1.5, "D", _CV, "law exponential"),
    "cool_down.cv": Assumption(1.0, 0.0, 1.5, "D", _CV, "law exponential"),
}  # fmt: skip

SPREADS: Final[dict[str, tuple[str, float]]] = {
    "effort": ("lognormal", 1.0),
    "buyer_time": ("gamma", 0.7),
    "patience": ("exponential", 1.0),
    "handoff_delay": ("exponential", 1.0),
    "recycle_delay": ("exponential", 1.0),
    "cool_down": ("exponential", 1.0),
}


def default(pattern: str) -> Any:
    """A pydantic Field with the book's value, read and checked like what a user writes."""
    assumption = BOOK[pattern]
    return Field(
        default=assumption.value,
        validate_default=True,
        description=f"default {assumption.value} (grade {assumption.grade}: {assumption.source})",
    )


def spread(
    use: str, law: str | None = None, cv: float | None = None, order: int | None = None
) -> tuple[str, float]:
    """Law and coefficient of variation in force, where a scenario gives some, all or none.

    ``use`` is a key of SPREADS. An erlang law comes with its order.
    """
    usual_law, usual_cv = SPREADS[use]
    if order is not None:
        return "erlang", order**-0.5
    if law is None and cv is None:
        return usual_law, usual_cv
    if law == "exponential":
        return "exponential", 1.0
    if cv == 0 or law == "deterministic":
        return "deterministic", 0.0
    if cv is None:
        assert law is not None
        return law, usual_cv
    if law is None:
        return ("gamma" if usual_law == "exponential" and cv != 1 else usual_law), cv
    return law, cv
