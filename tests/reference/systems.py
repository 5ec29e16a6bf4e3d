"""Systems of queueing theory as scenario texts.

`pace` is how many of theory's time units pass in a week: people work `pace` hours a week on work
measured in hours, so that an hour of work is one unit.
"""

from __future__ import annotations


def frame(channels: str, teams: str, stages: str, *, weeks: float, warm_up: float = 0.0) -> str:
    """A scenario around channels, teams and stages; customers neither leave nor grow."""
    people = f"teams:\n{teams}" if teams else ""
    return f"""
horizon: {weeks} weeks
warm_up: {warm_up} weeks
customers: {{churn: 0/week, expansion: 0/week}}
channels:
{channels}
{people}
stages:
{stages}
"""


def queue(
    lam: float,
    mu: float,
    c: float,
    *,
    pace: float,
    weeks: float,
    warm_up: float = 0.0,
    service: str = "law: exponential",
    theta: float = 0.0,
    more: str = "advance: 0%",
) -> str:
    """One stage: Poisson arrivals, a team of c, first come first served, exponential patience."""
    patience = f"patience: {1 / theta / pace!r} weeks, " if theta else ""
    return frame(
        f"  inbound: {{leads: {lam * pace!r}/week}}",
        f"  team: {{headcount: {c}, hours: {pace} h/week, cost: 0 k/year}}",
        f"  work: {{team: team, effort: {{mean: {1 / mu!r} h, {service}}}, {patience}{more}}}",
        weeks=weeks,
        warm_up=warm_up,
    )
