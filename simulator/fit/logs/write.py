"""Files of any kind to a fitted scenario in a folder, with what the fit knows beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.fit import fit_files
from simulator.fit.draws import scenario_draws
from simulator.fit.logs.columns import DEALS, LEADS
from simulator.fit.logs.cutday import without_cut_day
from simulator.fit.logs.fitted import LogFit
from simulator.fit.logs.joint import fit_jointly
from simulator.fit.logs.kinds import Source
from simulator.fit.logs.lacking import lacks
from simulator.fit.logs.log import Log
from simulator.fit.logs.read import log_of, moment, sources
from simulator.fit.logs.say import LogResult, facts
from simulator.fit.logs.store import save
from simulator.fit.logs.text import fix_text, push_text, today_text
from simulator.fit.logs.undated import dated
from simulator.fit.plan import make_plan
from simulator.fit.queues import fit_queue, is_queue
from simulator.fit.tables import Finding, Table
from simulator.fit.write import MARK, check_options, keep_or_write

PROCESS, QUEUES, CURE = "process log", "queue records", "leads and deals"


def read_sources(files: Sequence[str | Path], options: Mapping[str, Any]) -> tuple[Source, ...]:
    """The files, each recognised, by the options that a fit keeps."""
    return sources(list(files), options.get("columns") or None, options.get("sheets") or ())


def read_log_of(read: Sequence[Source], options: Mapping[str, Any]) -> Log:
    """The log of files that were read."""
    since, until = (date_of(options, key) for key in ("since", "until"))
    return log_of(
        read,
        day_first=options.get("day_first"),
        won=options.get("won") or (),
        lost=options.get("lost") or (),
        since=moment(since),
        until=moment(until, end=True),
    )


def date_of(options: Mapping[str, Any], key: str) -> Any:
    """A date of the options, or None."""
    return pd.Timestamp(options[key]).date() if options.get(key) else None


Read = tuple[Table, tuple[Finding, ...]]


def leads_and_deals_of(read: Sequence[Source]) -> tuple[Read, Read] | None:
    """The tables of leads and of deals, where that is what they are, with what was found."""
    by = {s.kind: (s.table, s.findings) for s in read}
    if len(read) == 2 and set(by) == {LEADS.name, DEALS.name}:
        return by[LEADS.name], by[DEALS.name]
    return None


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
) -> Any:
    """Read, fit by kind, and write where ``out`` is given: a folder, or the .yaml file of today."""
    check_options(horizon, push, currency)
    read = read_sources(files, options)
    pair = leads_and_deals_of(read)
    if pair is not None:
        won = fit_files(
            *pair,
            out=out,
            day_first=options.get("day_first"),
            from_=date_of(options, "since"),
            until=date_of(options, "until"),
            horizon=horizon,
            push=push,
            currency=currency,
            name=name,
            seed=seed,
        )
        if out is not None:
            point, se, drawn = scenario_draws(won.estimates, make_plan(won.estimates), seed=seed)
            save(
                _folder(out), CURE, files, options, won.history.end.isoformat(),
                point=point, se=se, ensemble=drawn,
            )  # fmt: skip
        return won
    log = read_log_of(read, options)
    if is_queue(log):
        calls = fit_queue(log, out=out, name=name, seed=seed)
        if out is not None:
            save(_folder(out), QUEUES, files, options, log.until.ceil("D").isoformat())
        return calls
    lacking = tuple(lacks(log))
    whole = [without_cut_day(dated(log))]
    del log  # of millions of visits, which are let go once they are paths
    fit = fit_jointly(whole.pop(), seed=seed)
    if out is None:
        return LogResult(fit, notes=lacking)
    written, notes = write_fit(
        Path(out), fit, files, options, horizon=horizon, push=push, currency=currency, name=name
    )
    return LogResult(fit, tuple(map(str, written)), (*lacking, *notes))


def _folder(out: str | Path) -> Path:
    path = Path(out)
    return path.parent if path.suffix in (".yaml", ".yml") else path


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
    text = today_text(fit, horizon=horizon, currency=currency, name=name)
    variants = {
        "push-harder.yaml": push_text(today.name, push),
        "fix.yaml": fix_text(today.name, fit, currency),
    }
    written, notes = keep_or_write(today, text, variants, MARK)
    until = str(fit.paths.start + pd.Timedelta(days=fit.paths.end))
    written += save(
        today.parent,
        PROCESS,
        files,
        options,
        until,
        facts=facts(fit),
        point=fit.point,
        se=fit.se,
        ensemble=fit.ensemble,
    )
    if currency != "USD":
        notes.append(
            f"Costs from the book are US dollars, taken at par as {currency}: replace them."
        )
    return written, notes
