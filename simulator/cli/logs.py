"""Commands that read a company's exports, and that write what a run would have exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from simulator.cli.base import DATE, PATH, deliver, main, output


def named(pairs: tuple[str, ...]) -> dict[str, str]:
    """ROLE=COLUMN pairs as a dictionary."""
    out = {}
    for pair in pairs:
        role, equals, column = pair.partition("=")
        if not equals or not role.strip() or not column.strip():
            raise click.UsageError(
                f"--column wants ROLE=COLUMN, such as case=Ticket; got {pair!r}."
            )
        out[role.strip()] = column.strip()
    return out


@main.command()
@click.argument("files", type=PATH, nargs=-1, required=True)
@click.option("--column", "pairs", metavar="ROLE=COLUMN", multiple=True, help="Not found by name.")
@click.option("--won", metavar="NAME", multiple=True, help="An activity or stage that is a win.")
@click.option("--lost", metavar="NAME", multiple=True, help="One that ends a case otherwise.")
@click.option("--since", type=DATE, help="First day to use.")
@click.option("--until", type=DATE, help="Last day that the files cover.")
@click.option("--day-first/--month-first", default=None, help="What 3/4/2026 means.")
@output
def read(files: tuple[Path, ...], as_json: bool, quiet: bool, **options: Any) -> None:
    """What your exports are, and the process they show.

    Salesforce, HubSpot, event logs, queue records, leads and deals: each file is recognised by its
    columns. Says what was left out and why, and what to export to learn more.
    """
    from simulator.fit.logs.reading import read_files

    options["columns"] = named(options.pop("pairs"))
    for key in ("since", "until"):
        if options[key] is not None:
            options[key] = options[key].date()
    deliver(read_files(files, **options), as_json=as_json, quiet=quiet)
