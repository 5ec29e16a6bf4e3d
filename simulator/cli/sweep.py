"""The command that runs a scenario at many points."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import click

from simulator.cli.base import PATH, deliver, main, output


@main.command()
@click.argument("file", type=PATH, required=False)
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the store; made if absent.")
@click.option(
    "--executor",
    type=click.Choice(["serial", "processes", "dask"]),
    help="Who does the work. [default: serial where it takes seconds, else processes]",
)
@click.option("--workers", type=click.IntRange(1, 4096), metavar="N", help="[default: one a core]")
@click.option("--dask", metavar="ADDRESS", help="Of a Dask scheduler, e.g. tcp://host:8786.")
@click.option("--within", metavar="TIME", help="The longest it may take, e.g. '3 days'.")
@click.option("--audit", type=PATH, metavar="DIR", help="Instead: check the store in a folder.")
@output
def sweep(
    file: Path | None,
    out: Path | None,
    within: str | None,
    audit: Path | None,
    as_json: bool,
    quiet: bool,
    **how: Any,
) -> None:
    """A scenario at many points, many times each.

    What is finished is kept in --out: the same command goes on where it was stopped, and runs
    only what is new where the sweep file asks for more.
    """
    if (file is None) == (audit is None):
        raise click.UsageError("Give a sweep file, or --audit DIR.")
    if audit is not None:
        from simulator.sweep.audit import audit as check

        if out is not None or any(v is not None for v in how.values()) or within is not None:
            raise click.UsageError("--audit goes with no other option but --json and --quiet.")
        deliver(check(audit), as_json=as_json, quiet=quiet)
        return
    if out is None:
        raise click.UsageError("Missing option '--out': the folder in which runs are kept.")
    if how["dask"] is not None and how["executor"] not in (None, "dask"):
        raise click.UsageError(f"--dask excludes --executor {how['executor']}.")
    assert file is not None
    from simulator.sweep.run import sweep as run
    from simulator.terminal import note, tally

    # Schedulers of clusters end a job by SIGTERM.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupted)
    with tally(quiet=quiet) as progress:
        result = run(
            file,
            out,
            within=None if within is None else _weeks(within),
            progress=progress,
            say=(lambda _text: None) if quiet else note,
            **how,
        )
    deliver(result, as_json=as_json, quiet=quiet)


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def _weeks(text: str) -> float:
    from simulator.spec.units import Quantity

    try:
        weeks = Quantity("weeks").parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--within'") from None
    if weeks <= 0:
        raise click.BadParameter(f"{text!r} is not above 0.", param_hint="'--within'")
    return weeks
