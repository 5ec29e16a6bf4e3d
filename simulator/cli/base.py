"""What every command shares: options, how answers are delivered, what happens on errors.

Results go to stdout, progress and messages to stderr. With ``--json`` stdout carries one JSON
object and nothing else; a failure leaves it empty. Exit codes: 0 done; 1 the model or the data
is wrong (one line a problem on stderr); 2 the command line is wrong; 130 interrupted; 141 the
reader of our output left.

Only click and the standard library are loaded here; a command loads what it needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from simulator import __version__

if TYPE_CHECKING:
    from simulator.terminal import Result

ENGINES = ("events", "batch", "flow")

F = TypeVar("F", bound=Callable[..., Any])


class Program(click.Group):
    """The group of commands: what every command does when something goes wrong."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command meant by the first argument, or the names it is near to."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name, self.list_commands(ctx))
            hint = f" Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn whatever it raises into lines on stderr and an exit code."""
        try:
            result = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt as stop:
            click.echo(f"growthsim: {str(stop) or 'interrupted; nothing was kept'}.", err=True)
            ctx.exit(130)
        except BrokenPipeError:
            # Python flushes stdout once more at exit; let that find an open file.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(141)
        except Exception as error:  # noqa: BLE001 - the last resort: a bug is one line, too
            if os.environ.get("GROWTHSIM_DEBUG") == "1":
                import traceback

                traceback.print_exc()
            click.echo(_line(error), err=True)
            ctx.exit(1)
        else:
            return result


def _line(error: Exception) -> str:
    """What the user reads about an exception: a line a problem."""
    from simulator.errors import GrowthError

    if isinstance(error, GrowthError):
        return str(error)
    if isinstance(error, MemoryError):
        return "out of memory: shorten the horizon, or simulate fewer leads"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return (
        f"growthsim {__version__}: internal error: {what} "
        f"({Path(frame.filename).name}:{frame.lineno}). This is a bug: please report this line "
        "to those who maintain growthsim. GROWTHSIM_DEBUG=1 shows the traceback."
    )


class ShareType(click.ParamType):  # type: ignore[type-arg,unused-ignore] # generic in click 8.2
    """A share above 0, written ``1%`` or ``0.01``."""

    name = "share"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The share as a number between 0 and 1."""
        if isinstance(value, float):
            return value
        text = str(value).strip()
        try:
            share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
        except ValueError:
            self.fail(f"{value!r} is not a share such as 1% or 0.01.", param, ctx)
        if not 0 < share < 1:
            self.fail(f"{value!r} is not between 0 and 100%.", param, ctx)
        return share


# Whether it is there is the loader's question: a scenario may also be named as it was shipped.
PATH = click.Path(path_type=Path)
SEED = click.IntRange(0, 2**31 - 1)
DATE = click.DateTime(["%Y-%m-%d"])


def _options(*options: Callable[[F], F]) -> Callable[[F], F]:
    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


output = _options(
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout."),
    click.option("--quiet", is_flag=True, help="No progress and no notes."),
)
files = _options(
    click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder for scenario, tables and figures; made if absent.",
    ),
    click.option("--no-figures", is_flag=True, help="Write tables only."),
)
simulation = _options(
    click.option("--engine", type=click.Choice(ENGINES), help="How time moves. [default: batch]"),
    click.option("--seed", type=SEED, help="[default: the scenario's]"),
    click.option(
        "--replications", type=click.IntRange(1, 100_000), metavar="N", help="How many, exactly."
    ),
)
sampling = _options(
    simulation,
    click.option(
        "--precision",
        type=ShareType(),
        metavar="SHARE",
        help="Replicate until the interval is this narrow, e.g. 1%.",
    ),
    click.option(
        "--max-replications",
        "most",
        type=click.IntRange(3),
        metavar="N",
        help="Stop there at the latest.",
    ),
    click.option(
        "--jobs", type=click.IntRange(1, 256), metavar="N", help="Processes. [default: one a core]"
    ),
)


allowed = click.option(
    "--ensemble",
    type=PATH,
    help="What the data allow: a folder that `fit` wrote, or its ensemble.csv.",
)


def sets_of(place: Path | None) -> dict[str, Any]:
    """The ensemble at a place, as an analysis takes it, if one is asked for. Raises DataError."""
    if place is None:
        return {}
    from simulator.fit.logs.store import read_ensemble

    return {"ensemble": read_ensemble(place)}


def answer(analysis: Callable[..., Result], options: dict[str, Any]) -> None:
    """Ask an analysis, with the simulation options that were given; deliver what it answers."""
    from simulator.terminal import progress

    how = {key: options.pop(key) for key in ("as_json", "quiet", "out", "no_figures")}
    if options.get("replications"):
        for key, flag in (("precision", "--precision"), ("most", "--max-replications")):
            if options.get(key):
                raise click.UsageError(f"--replications excludes {flag}.")
    plan = {key: value for key, value in options.items() if value is not None}
    if how["out"] is not None:
        from simulator.report import ready

        ready(how["out"])
    with progress(
        plan.get("replications") or plan.get("most"), quiet=how["quiet"] or how["as_json"]
    ) as advance:
        result = analysis(progress=advance, **plan)
    deliver(result, **how)


def deliver(
    result: Result,
    *,
    as_json: bool,
    quiet: bool,
    out: Path | None = None,
    no_figures: bool = False,
) -> None:
    """Write the result's files, if a folder was given; print it."""
    if out is not None:
        from simulator.report import write

        write(result, out, figures=not no_figures)
        if not quiet:
            click.echo(f"Written to {out}", err=True)
    if as_json:
        print_json(result.to_json())
    else:
        from simulator.terminal import show

        show(result)
    reason = getattr(result, "reason", "")
    if reason.startswith("interrupted"):
        raise KeyboardInterrupt(f"{reason}; they are kept")


def print_json(value: object) -> None:
    """The one JSON object of a command, on stdout."""
    import json

    click.echo(json.dumps(value, indent=2, allow_nan=False))


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="growthsim", message="%(prog)s %(version)s")
def main() -> None:
    """Simulate a whole revenue system: push harder, or fix the constraint?

    Begin with `growthsim demo`.
    """


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def version(as_json: bool) -> None:
    """Print the versions that a result depends on."""
    from importlib.metadata import version as installed

    libraries = ("numpy", "scipy", "simpy", "numba")
    versions = {
        "growthsim": __version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        **{name: installed(name) for name in libraries},
    }
    if as_json:
        print_json(versions)
    else:
        click.echo("\n".join(f"{name} {number}" for name, number in versions.items()))
