"""The names of metrics, with unit and meaning. Light, so that reading a scenario can check them."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Final

from simulator.errors import AnalysisError

YEAR: Final = 365.25 / 7  # weeks
QUARTER: Final = 13  # weeks


@dataclass(frozen=True)
class Metric:
    """What a metric is: its unit ("money", "share", "count", "weeks", "ratio", ...) and meaning."""

    unit: str
    text: str
    better: int = 1  # +1: more is better, -1: less is, 0: neither


METRICS: Final[dict[str, Metric]] = {
    "arr": Metric("money", "annual recurring revenue under contract"),
    "new_arr": Metric("money", "ARR signed since week 0"),
    "revenue": Metric("money", "revenue recognised since week 0"),
    "customers": Metric("count", "customers under contract"),
    "leads": Metric("count", "leads arrived since week 0", 0),
    "wins": Metric("count", "deals signed since week 0"),
    "win_rate": Metric("share", "won / (won + lost at the decision, no decision counted as lost)"),
    "win_rate_decided": Metric("share", "won / (won + lost to a competitor): no decision left out"),
    "lead_to_win": Metric("share", "won / leads arrived"),
    "no_decision": Metric("share", "no decision / decided", -1),
    "cycle_weeks": Metric("weeks", "mean weeks from arrival to signature, of those won", -1),
    "deal_size": Metric("money", "mean contract value of those won"),
    "opportunities": Metric("count", "open opportunities", 0),
    "pipeline": Metric("money", "open opportunities at mean deal size", 0),
    "pipeline_coverage": Metric("ratio", "open pipeline / ARR signed in the last 13 weeks", 0),
    "pipeline_coverage_required": Metric("ratio", "1 / win rate", 0),
    "sales_velocity": Metric(
        "money/day", "open opportunities x win rate x deal size / cycle in days"
    ),
    "spend": Metric("money", "spend on channels since week 0", -1),
    "people_cost": Metric("money", "pay of all teams since week 0", -1),
    "total_cost": Metric("money", "spend + pay + levers + overhead since week 0", -1),
    "sales_marketing_cost": Metric(
        "money", "spend, levers, and pay of teams with function sales or marketing", -1
    ),
    "cac": Metric("money", "sales and marketing cost / new customers", -1),
    "new_cac_ratio": Metric("ratio", "sales and marketing cost / new-customer ARR", -1),
    "blended_cac_ratio": Metric("ratio", "sales and marketing cost / (new + expansion ARR)", -1),
    "cac_payback_months": Metric("months", "CAC / (monthly ARPA x gross margin)", -1),
    "arpa": Metric("money", "ARR / customers"),
    "ltv": Metric("money", "ARPA x gross margin / yearly revenue churn"),
    "ltv_cac": Metric("ratio", "LTV / CAC; the usual hurdle is 3"),
    "magic_number": Metric(
        "ratio", "(quarter's revenue - prior quarter's) x 4 / prior quarter's sales and marketing"
    ),
    "nrr": Metric("share", "net revenue retention, trailing 52 weeks"),
    "grr": Metric("share", "gross revenue retention, trailing 52 weeks"),
    "logo_churn": Metric("share", "customers lost a year / mean customers", -1),
    "quick_ratio": Metric("ratio", "(new + expansion ARR) / churned ARR"),
    "burn": Metric("money", "cost + cost of revenue - revenue since week 0", -1),
    "burn_multiple": Metric("ratio", "net burn / net new ARR; 0 where nothing is burned", -1),
    "cash": Metric("money", "cash at week 0 + revenue collected - cost - cost of revenue"),
    "cash_low": Metric("money", "the least cash at the end of any week so far"),
    "receivables": Metric("money", "revenue earned and not collected yet", 0),
    "contribution_margin": Metric(
        "share", "(revenue - cost of revenue - delivery and customer teams) / revenue"
    ),
    "contribution_margin_strict": Metric(
        "share", "the same, less variable sales and marketing (channel spend)"
    ),
    "heads": Metric("count", "people at the time, in teams and elsewhere", -1),
    "arr_per_head": Metric("money", "ARR / people"),
    "bookings_capacity": Metric("money", "yearly quota of all people by ramp x attainment"),
    "flow_efficiency": Metric("share", "time being worked on / time in process before the sale"),
    "throughput": Metric("money", "revenue less truly variable cost (cost of revenue)"),
    "net_profit": Metric("money", "throughput less operating expense"),
    "throughput_per_constraint_hour": Metric(
        "money", "throughput / paid hours of the most utilised team"
    ),
}
BY_TEAM: Final = "utilisation."
BY_STAGE: Final = {
    "conversion.": Metric("share", "visits that advanced / visits begun, since week 0"),
    "wait.": Metric("weeks", "mean wait for the team, of those whose work began", -1),
    "sla_met.": Metric("share", "visits begun within the stage's sla / visits begun or gone cold"),
    "cold.": Metric("share", "visits that ended cold / visits begun", -1),
    "queue.": Metric("count", "leads waiting for the team, mean over time", -1),
    "wip.": Metric("count", "leads at the stage: waiting, worked on, with the buyer; mean", 0),
    "rate.": Metric("rate", "visits begun (served, cold or returned), a week", 0),
}


def describe(name: str) -> Metric:
    """What a metric is; AnalysisError with the nearest name if there is none such."""
    if name in METRICS:
        return METRICS[name]
    if name.startswith(BY_TEAM):
        return Metric(
            "share",
            "hours worked (on leads, a channel of its own, new colleagues) / hours paid",
            0,
        )
    for prefix, metric in BY_STAGE.items():
        if name.startswith(prefix):
            return metric
    near = difflib.get_close_matches(name, METRICS, n=1, cutoff=0.4)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise AnalysisError(f"no metric named '{name}'.{hint}")


def unknown(name: str, teams: list[str], stages: list[str]) -> str:
    """Why a scenario with these teams and stages has no such metric; empty if it has."""
    try:
        describe(name)
    except AnalysisError as error:
        return str(error)
    kind, dot, of = name.partition(".")
    there = teams if f"{kind}." == BY_TEAM else stages
    if dot and of not in there:
        near = difflib.get_close_matches(of, there, n=1)
        hint = f" Did you mean '{kind}.{near[0]}'?" if near else ""
        return f"no metric named '{name}': nothing is called '{of}'.{hint}"
    return ""
