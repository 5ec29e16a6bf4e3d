"""Commands that read a company's own data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from simulator.cli.base import DATE, PATH, deliver, main, output


@main.command()
@click.option("--leads", type=PATH, required=True, help="CSV, a row a lead.")
@click.option("--deals", type=PATH, required=True, help="CSV, a row a won deal.")
@click.option("--out", type=PATH, help="Folder, or .yaml file, for the scenarios; default: none.")
@click.option("--lead-id", metavar="COLUMN", help="In leads.")
@click.option("--lead-date", metavar="COLUMN", help="In leads.")
@click.option("--lead-channel", metavar="COLUMN", help="In leads.")
@click.option("--deal-lead-id", metavar="COLUMN", help="In deals: the lead it came from.")
@click.option("--deal-date", metavar="COLUMN", help="In deals: the day it was won.")
@click.option("--deal-value", metavar="COLUMN", help="In deals: its value a year.")
@click.option("--deal-role", "deal_roles", metavar="COLUMN", multiple=True, help="In deals: who.")
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
def fit(leads: Path, deals: Path, as_json: bool, quiet: bool, **options: Any) -> None:
    """Write scenarios from your leads and deals.

    Columns are found by their usual names; name those that are not.
    """
    from simulator.fit import fit_files

    for key in ("from_", "until"):
        if options[key] is not None:
            options[key] = options[key].date()
    result = fit_files(leads, deals, **options)
    if not quiet:
        for file in result.files:
            click.echo(f"Written to {file}", err=True)
    deliver(result, as_json=as_json, quiet=quiet)
