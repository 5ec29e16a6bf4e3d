"""The growthsim command.

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
from functools import partial
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


def _answer(analysis: Callable[..., Result], options: dict[str, Any]) -> None:
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
    _deliver(result, **how)


def _deliver(
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
        _print_json(result.to_json())
    else:
        from simulator.terminal import show

        show(result)
    reason = getattr(result, "reason", "")
    if reason.startswith("interrupted"):
        raise KeyboardInterrupt(f"{reason}; they are kept")


def _print_json(value: object) -> None:
    import json

    click.echo(json.dumps(value, indent=2, allow_nan=False))


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="growthsim", message="%(prog)s %(version)s")
def main() -> None:
    """Simulate a whole revenue system: push harder, or fix the constraint?

    Begin with `growthsim demo`.
    """


@main.command()
@output
@files
@sampling
def demo(out: Path | None, **options: Any) -> None:
    """Push against fix, on a shipped study.

    Also how far pushing carries, and where the constraint is. Writes tables and figures to
    growthsim-demo/, unless --out names another folder.
    """
    from simulator.report.demo import demo
    from simulator.spec.load import shipped

    options["out"] = out or Path("growthsim-demo")
    _answer(partial(demo, shipped("the-flood")), options)


@main.command()
@click.argument("scenario", type=PATH)
@output
def check(scenario: Path, as_json: bool, quiet: bool) -> None:
    """Is the scenario right? What does it assume?

    Prints every problem with file and line, or every assumption that the file did not state.
    """
    from simulator.analysis.check import check

    _deliver(check(scenario), as_json=as_json, quiet=quiet)


@main.command()
def schema() -> None:
    """Print the JSON Schema of scenarios."""
    from simulator.spec.check import json_schema

    _print_json(json_schema())


@main.command()
@click.argument("scenario", type=PATH)
@output
@files
@simulation
def run(scenario: Path, **options: Any) -> None:
    """Simulate a scenario; print its metrics."""
    from simulator.analysis.run import run
    from simulator.spec.load import load

    _answer(partial(run, load(scenario)), options)


@main.command()
@click.argument("study", type=PATH)
@output
@files
@sampling
def compare(study: Path, **options: Any) -> None:
    """Every variant in a folder against today.yaml.

    Paired runs at equal spend: the difference, its interval, and where extra effort went.
    """
    from simulator.analysis.compare import compare_study

    _answer(partial(compare_study, study), options)


@main.command()
@click.argument("scenario", type=PATH)
@click.option(
    "--effort",
    default="channels.*.spend",
    show_default=True,
    metavar="PATH",
    help="The lever to push.",
)
@click.option(
    "--to",
    type=click.FloatRange(1, 1000, min_open=True),
    default=2.5,
    show_default=True,
    help="Push up to this many times today's.",
)
@output
@files
@sampling
def curve(scenario: Path, effort: str, to: float, **options: Any) -> None:
    """Output against effort, and its knee.

    The gap to the straight line of the first step is filled by what absorbed it.
    """
    from simulator.analysis.curve import curve
    from simulator.spec.load import load

    _answer(partial(curve, load(scenario).scenario, effort, to=to), options)


@main.command()
@click.argument("scenario", type=PATH)
@output
@files
@sampling
def constraint(scenario: Path, **options: Any) -> None:
    """Where a dollar of relief buys most.

    Also how busy each team is and how long its queue, quarter by quarter.
    """
    from simulator.analysis.constraint import constraint
    from simulator.spec.load import load

    _answer(partial(constraint, load(scenario).scenario), options)


@main.command()
@click.argument("study", type=PATH)
@click.option("--variant", metavar="NAME", help="Only this one of the study's variants.")
@click.option(
    "--method",
    type=click.Choice(["shapley", "one-at-a-time"]),
    default="shapley",
    show_default=True,
    help="How mechanisms share what they do together.",
)
@output
@files
@sampling
def explain(study: Path, **options: Any) -> None:
    """Why a study's variants differ from today.

    By mechanism, each switched off under the same luck; bookings by effort and by alignment,
    quarter by quarter; and how aligned we are, with ourselves and with the market.
    """
    from simulator.analysis.explain import explain_study

    _answer(partial(explain_study, study), options)


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
    _deliver(result, as_json=as_json, quiet=quiet)


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
        _print_json(versions)
    else:
        click.echo("\n".join(f"{name} {number}" for name, number in versions.items()))
