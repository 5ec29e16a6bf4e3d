"""From a company's own leads and deals to a scenario, with a back-test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from simulator.fit.arrivals import Arrivals
from simulator.fit.backtest import BackTest, backtest
from simulator.fit.estimate import Estimates, estimate
from simulator.fit.forecast import Forecast, forecast
from simulator.fit.read import History, read_history
from simulator.fit.result import FitResult
from simulator.fit.tables import Finding, Table
from simulator.fit.write import write_scenario

__all__ = [
    "Arrivals",
    "BackTest",
    "Estimates",
    "FitResult",
    "Forecast",
    "History",
    "backtest",
    "estimate",
    "fit_files",
    "forecast",
    "read_history",
    "write_scenario",
]


def fit_files(
    leads: str | Path | tuple[Table, Sequence[Finding]],
    deals: str | Path | tuple[Table, Sequence[Finding]],
    *,
    out: str | Path | None = None,
    lead_id: str | None = None,
    lead_date: str | None = None,
    lead_channel: str | None = None,
    deal_lead_id: str | None = None,
    deal_date: str | None = None,
    deal_value: str | None = None,
    deal_roles: Sequence[str] = (),
    until: dt.date | None = None,
    from_: dt.date | None = None,
    day_first: bool | None = None,
    horizon: str = "104 weeks",
    push: float = 1.5,
    currency: str = "USD",
    name: str = "Today",
    forecast_days: int = 28,
    back_test: bool | Sequence[dt.date] = False,
    seed: int = 1,
) -> FitResult:
    """Fit two CSV files, forecast from their end, and write a scenario with a push and a fix.

    ``leads``, ``deals``: paths, or tables that were read with what was found in them.

    ``out``: a folder, or the .yaml file to write; None writes nothing. ``until``: the last day the
    data cover. ``back_test``: dates of the origins (each scored to the end of the data), or True
    for rolling origins with four weeks ahead each.
    Raises DataError, with file, line, column and value, for what cannot be read or used.
    """
    history = read_history(
        leads,
        deals,
        lead_id=lead_id,
        lead_date=lead_date,
        lead_channel=lead_channel,
        deal_lead_id=deal_lead_id,
        deal_date=deal_date,
        deal_value=deal_value,
        deal_roles=deal_roles,
        until=until,
        from_=from_,
        day_first=day_first,
    )
    estimates = estimate(history, seed)
    cast = forecast(
        history, estimates.counts, estimates.ensemble, estimates.arrivals, forecast_days, seed=seed
    )
    scored = None
    if back_test is not False:
        scored = backtest(history, None if back_test is True else back_test, seed=seed)
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    if out is not None:
        files, notes = write_scenario(
            out, history, estimates, horizon=horizon, push=push, currency=currency, name=name
        )
    return FitResult(history, estimates, cast, scored, tuple(map(str, files)), notes)
