"""Event logs of a revenue process: reading, discovery and estimation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["backtest_folder", "fit_files_of_log"]


def fit_files_of_log(
    files: Sequence[str | Path],
    *,
    out: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    sheets: Sequence[str] = (),
    day_first: bool | None = None,
    won: Sequence[str] = (),
    lost: Sequence[str] = (),
    from_: dt.date | None = None,
    until: dt.date | None = None,
    horizon: str = "104 weeks",
    push: float = 1.5,
    currency: str = "USD",
    name: str = "Today",
    seed: int = 1,
) -> Any:
    """Fit exported files; write a scenario, its variants, fit.json and ensemble.csv into a folder.

    Raises DataError, with file, line, column and value, for what cannot be read or used.
    """
    from simulator.fit.logs.write import fit_and_write

    options = {
        "columns": dict(columns or {}),
        **({"sheets": list(sheets)} if sheets else {}),
        "day_first": day_first,
        "won": list(won),
        "lost": list(lost),
        "since": from_.isoformat() if from_ else None,
        "until": until.isoformat() if until else None,
    }
    return fit_and_write(
        files, options, out=out, horizon=horizon, push=push, currency=currency, name=name, seed=seed
    )


def backtest_folder(
    folder: str | Path,
    *,
    data: Sequence[str | Path] = (),
    origins: Sequence[dt.date] = (),
    days: int | None = None,
    draws: int | None = None,
    seed: int = 1,
) -> Any:
    """Back-test the fit in a folder: on its own data by rolling origins, or on later data.

    Raises DataError where the data are gone, have changed, or leave too little to score.
    """
    from simulator.fit.logs.later import backtest_of

    return backtest_of(folder, data=data, origins=origins, days=days, draws=draws, seed=seed)
