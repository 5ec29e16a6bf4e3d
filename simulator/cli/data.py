"""Commands that read a company's own data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from simulator.cli.base import DATE, PATH, deliver, main, output
from simulator.cli.logs import named


@main.command()
@click.argument("files", type=PATH, nargs=-1)
@click.option("--leads", type=PATH, help="CSV, a row a lead; with --deals, instead of FILES.")
@click.option("--deals", type=PATH, help="CSV, a row a won deal.")
@click.option("--out", type=PATH, help="Folder, or .yaml file, for the scenarios; default: none.")
@click.option("--lead-id", metavar="COLUMN", help="In leads.")
@click.option("--lead-date", metavar="COLUMN", help="In leads.")
@click.option("--lead-channel", metavar="COLUMN", help="In leads.")
@click.option("--deal-lead-id", metavar="COLUMN", help="In deals: the lead it came from.")
@click.option("--deal-date", metavar="COLUMN", help="In deals: the day it was won.")
@click.option("--deal-value", metavar="COLUMN", help="In deals: its value a year.")
@click.option("--deal-role", "deal_roles", metavar="COLUMN", multiple=True, help="In deals: who.")
@click.option("--column", "columns", metavar="ROLE=COLUMN", multiple=True, help="In FILES.")
@click.option("--sheet", "sheets", metavar="NAME", multiple=True, help="Of workbooks in FILES.")
@click.option("--won", metavar="NAME", multiple=True, help="Activity or stage that is a win.")
@click.option(
    "--lost", metavar="NAME", multiple=True, help="Activity or stage that ends otherwise."
)
@click.option("--from", "from_", type=DATE, help="First day to use.")
@click.option("--until", type=DATE, help="Last day that the files cover.")
@click.option("--day-first/--month-first", default=None, help="What 3/4/2026 means.")
@click.option("--horizon", default="104 weeks", show_default=True, help="Of the scenario.")
@click.option("--push", default=1.5, show_default=True, help="Spend of the variant that pushes.")
@click.option("--currency", default="USD", show_default=True, help="Of the values.")
@click.option("--name", default="Today", show_default=True, help="Of the scenario.")
@click.option(
    "--forecast-days",
    type=click.IntRange(1, 3650),
    default=28,
    show_default=True,
    help="How far to forecast wins.",
)
@click.option("--back-test", is_flag=True, help="Score forecasts made earlier on what came.")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Of draws."
)
@output
def fit(
    files: tuple[Path, ...],
    leads: Path | None,
    deals: Path | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Write scenarios from your exports: FILES of an event log or CRM, or leads and deals.

    Columns are found by their usual names; name those that are not.
    """
    for key in ("from_", "until"):
        if options[key] is not None:
            options[key] = options[key].date()
    result: Any
    if files:
        if leads is not None or deals is not None:
            raise click.UsageError("Give FILES, or --leads and --deals, not both.")
        result = _fit_log(files, options)
    else:
        if leads is None or deals is None:
            raise click.UsageError("Missing FILES, or both --leads and --deals.")
        from simulator.fit import fit_files

        for key in ("columns", "sheets", "won", "lost"):
            if options.pop(key):
                raise click.UsageError(f"--{key.removesuffix('s')} is for FILES.")
        result = fit_files(leads, deals, **options)
    if not quiet:
        for file in result.files:
            click.echo(f"Written to {file}", err=True)
    deliver(result, as_json=as_json, quiet=quiet)


def _fit_log(files: tuple[Path, ...], options: dict[str, Any]) -> Any:
    from simulator.fit.logs import fit_files_of_log

    only = (
        "out",
        "day_first",
        "sheets",
        "won",
        "lost",
        "from_",
        "until",
        "horizon",
        "push",
        "currency",
    )
    given = {key: options[key] for key in (*only, "name", "seed")}
    for key, value in options.items():
        if key not in given and key not in ("columns", "forecast_days") and value:
            raise click.UsageError(f"--{key.replace('_', '-').removesuffix('s')} is for --leads.")
    return fit_files_of_log(files, columns=named(options["columns"]), **given)
