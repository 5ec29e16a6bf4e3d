"""Commands that read a company's exports, and that write what a run would have exported."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import click

from simulator.cli.base import DATE, PATH, SEED, deliver, main, output


def named(pairs: tuple[str, ...]) -> dict[str, str]:
    """ROLE=COLUMN pairs as a dictionary."""
    from simulator.fit.logs.columns import ROLES

    out: dict[str, str] = {}
    for pair in pairs:
        role, equals, column = pair.partition("=")
        if not equals or not role.strip() or not column.strip():
            raise click.UsageError(
                f"--column wants ROLE=COLUMN, such as case=Ticket; got {pair!r}."
            )
        if role.strip() not in ROLES:
            near = difflib.get_close_matches(role.strip(), ROLES, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(ROLES)}."
            raise click.UsageError(f"--column: no role is named {role.strip()!r}. {hint}")
        out[role.strip()] = column.strip()
    return out


@main.command()
@click.argument("files", type=PATH, nargs=-1, required=True)
@click.option("--column", "pairs", metavar="ROLE=COLUMN", multiple=True, help="Not found by name.")
@click.option("--sheet", "sheets", metavar="NAME", multiple=True, help="Of workbooks: which.")
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


@main.command()
@click.argument("scenario", type=PATH)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for the files; made if absent.",
)
@click.option(
    "--as",
    "form",
    type=click.Choice(["salesforce", "log"]),
    default="salesforce",
    show_default=True,
    help="Salesforce's objects, or an event log.",
)
@click.option(
    "--engine",
    type=click.Choice(["events", "batch"]),
    default="events",
    show_default=True,
    help="By events, who did what is known too.",
)
@click.option("--seed", type=SEED, help="[default: the scenario's]")
@click.option(
    "--replication", type=click.IntRange(0), default=0, show_default=True, help="Which one."
)
@click.option("--start", type=DATE, help="The day of week 0. [default: the scenario's]")
@output
def export(scenario: Path, out: Path, as_json: bool, quiet: bool, **options: Any) -> None:
    """What a run would have left in your systems.

    Writes CSV files of leads, opportunities and their history, or of events, as if a company had
    lived the scenario; `growthsim read` and `growthsim fit` read them again.
    """
    from simulator.fit.logs.export import export as write

    if options["start"] is not None:
        options["start"] = options["start"].date()
    result = write(scenario, out, **options)
    deliver(result, as_json=as_json, quiet=quiet)
