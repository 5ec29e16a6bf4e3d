"""Commands that hold a fitted scenario against what happened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from simulator.cli.base import DATE, PATH, deliver, files, main, output


@main.command()
@click.argument("study", type=PATH)
@click.argument("more", type=PATH, nargs=-1, metavar="[DATA]...")
@click.option("--data", type=PATH, multiple=True, help="Later data, to score the whole fit on.")
@click.option("--origin", "origins", type=DATE, multiple=True, help="Day to forecast from.")
@click.option("--days", type=click.IntRange(1, 3650), help="To score after each origin.")
@click.option("--draws", type=click.IntRange(20, 10_000), help="Of each forecast. [default: 100]")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Of draws."
)
@files
@output
def backtest(
    study: Path,
    more: tuple[Path, ...],
    data: tuple[Path, ...],
    origins: tuple[Any, ...],
    as_json: bool,
    quiet: bool,
    out: Path | None,
    no_figures: bool,
    **options: Any,
) -> None:
    """Score forecasts of a fitted STUDY on data it has not seen, against the spreadsheet's.

    By rolling origins inside the data that it was fitted to, or with --data from their end on.
    """
    from simulator.fit.logs import backtest_folder

    if out is not None:
        from simulator.report import ready

        ready(out)
    dates = [o.date() for o in origins]
    result = backtest_folder(study, data=(*data, *more), origins=dates, **options)
    deliver(result, as_json=as_json, quiet=quiet, out=out, no_figures=no_figures)
