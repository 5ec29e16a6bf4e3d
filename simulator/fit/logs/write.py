"""Files to a fitted scenario in a folder, with what the fit knows beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.errors import DataError
from simulator.fit.logs.fitted import LogFit, fit_log
from simulator.fit.logs.log import Log
from simulator.fit.logs.read import read_log
from simulator.fit.logs.say import LogResult, facts
from simulator.fit.logs.store import save
from simulator.fit.logs.text import fix_text, push_text, today_text
from simulator.fit.write import MARK, check_options, keep_or_write

KIND = "process log"


def read(files: Sequence[str | Path], options: Mapping[str, Any]) -> Log:
    """The log of the files, by the options that a fit keeps."""
    moment = {k: pd.Timestamp(options[k]).date() if options.get(k) else None for k in _TIMES}
    return read_log(
        list(files),
        columns=options.get("columns") or None,
        day_first=options.get("day_first"),
        won=options.get("won") or (),
        lost=options.get("lost") or (),
        until=moment["until"],
        since=moment["since"],
    )


_TIMES = ("since", "until")


def fit_and_write(
    files: Sequence[str | Path],
    options: Mapping[str, Any],
    *,
    out: str | Path | None,
    horizon: str,
    push: float,
    currency: str,
    name: str,
    seed: int,
) -> LogResult:
    """Read, fit, and write where ``out`` is given: a folder, or the .yaml file of today."""
    check_options(horizon, push, currency)
    fit = fit_log(read(files, options), seed=seed)
    if out is None:
        return LogResult(fit)
    written, notes = write_fit(
        Path(out), fit, files, options, horizon=horizon, push=push, currency=currency, name=name
    )
    return LogResult(fit, tuple(map(str, written)), tuple(notes))


def write_fit(
    out: Path,
    fit: LogFit,
    files: Sequence[str | Path],
    options: Mapping[str, Any],
    *,
    horizon: str,
    push: float,
    currency: str,
    name: str,
) -> tuple[list[Path], list[str]]:
    """Write today.yaml, push-harder.yaml, fix.yaml, fit.json and ensemble.csv; files and notes.

    A scenario fitted before is replaced, and kept as today.yaml.before; variants already there are
    kept. Raises DataError where another file is in the way.
    """
    today = out if out.suffix in (".yaml", ".yml") else out / "today.yaml"
    folder = today.parent
    text = today_text(fit, horizon=horizon, currency=currency, name=name)
    variants = {
        "push-harder.yaml": push_text(today.name, push),
        "fix.yaml": fix_text(today.name, fit),
    }
    try:
        written, notes = keep_or_write(today, text, variants, MARK)
        written += save(
            folder,
            kind=KIND,
            files=[str(f) for f in files],
            options=options,
            until=str(fit.paths.start + pd.Timedelta(days=fit.paths.end)),
            facts=facts(fit),
            point=fit.point,
            se=fit.se,
            ensemble=fit.ensemble,
        )
    except OSError as err:
        raise DataError(f"{err.filename}: cannot be written: {err.strerror}") from None
    if currency != "USD":
        notes.append(
            f"Costs from the book are US dollars, taken at par as {currency}: replace them."
        )
    return written, notes
