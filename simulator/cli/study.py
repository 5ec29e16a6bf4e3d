"""Commands that ask questions of scenarios and studies."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from simulator.cli.base import (
    PATH,
    allowed,
    answer,
    deliver,
    files,
    main,
    output,
    print_json,
    sampling,
    sets_of,
    simulation,
)


@main.command()
@output
@files
@sampling
@click.option("--deck", is_flag=True, help="Also a board deck, board.pptx, in that folder.")
def demo(out: Path | None, deck: bool, **options: Any) -> None:
    """Push against fix, on a shipped study.

    Also how far pushing carries, and where the constraint is. Writes tables and figures to
    growthsim-demo/, unless --out names another folder.
    """
    from simulator.report.demo import demo
    from simulator.spec.load import shipped

    options["out"] = folder = out or Path("growthsim-demo")
    quiet = options["quiet"] or options["as_json"]
    if deck:
        from simulator.report.deck import there

        there()
    answer(partial(demo, shipped("the-flood")), options)
    if deck:
        from simulator.report.deck import board

        made = board(folder)
        if not quiet:
            click.echo(f"Written to {made.path}", err=True)


@main.command()
@click.argument("paths", type=PATH, nargs=-1)
@click.option("--expect", "expected", is_flag=True, help="Do studies show what they expect?")
@click.option(
    "--replications", type=click.IntRange(2, 10_000), metavar="N", help="With --expect: how many."
)
@output
@click.pass_context
def check(
    ctx: click.Context,
    paths: tuple[Path, ...],
    expected: bool,
    replications: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Is the scenario right? What does it assume?

    Prints every problem with file and line, or every assumption that the file did not state.
    With --expect the paths are studies (default: all that are shipped), and what each says in
    its expect.yaml is held against runs.
    """
    if expected:
        from simulator.analysis.expect import expect

        result = expect(paths, replications=replications)
        deliver(result, as_json=as_json, quiet=quiet)
        if not result.holds:
            ctx.exit(1)
        return
    if replications is not None:
        raise click.UsageError("--replications belongs to --expect.")
    if len(paths) != 1:
        raise click.UsageError("Name one scenario file." if paths else "Missing argument 'PATH'.")
    from simulator.analysis.check import check

    deliver(check(paths[0]), as_json=as_json, quiet=quiet)


@main.command()
def schema() -> None:
    """Print the JSON Schema of scenarios."""
    from simulator.spec.check import json_schema

    print_json(json_schema())


@main.command()
@click.argument("scenario", type=PATH)
@output
@files
@simulation
def run(scenario: Path, **options: Any) -> None:
    """Simulate a scenario; print its metrics."""
    from simulator.analysis.run import run
    from simulator.spec.load import load

    answer(partial(run, load(scenario)), options)


@main.command()
@click.argument("study", type=PATH)
@allowed
@output
@files
@sampling
def compare(study: Path, ensemble: Path | None, **options: Any) -> None:
    """Every variant in a folder against today.yaml.

    Paired runs at equal spend: the difference, its interval, and where extra effort went.
    """
    from simulator.analysis.compare import compare_study

    answer(partial(compare_study, study, **sets_of(ensemble)), options)


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
@click.option("--every", is_flag=True, help="Every effort, and all of them at once.")
@click.option("--with", "second", metavar="PATH", help="A second lever: every mix of the two.")
@output
@files
@sampling
def curve(
    scenario: Path, effort: str, to: float, every: bool, second: str | None, **options: Any
) -> None:
    """Output against effort, and its knee.

    The gap to the straight line of the first step is filled by what absorbed it. With two levers:
    which mixes bring the same, and the best mix for each budget.
    """
    from simulator.spec.load import load

    if every and second is not None:
        raise click.UsageError("--every excludes --with.")
    if every:
        from simulator.analysis.efforts import every_curve

        answer(partial(every_curve, load(scenario).scenario, to=to), options)
    elif second is not None:
        from simulator.analysis.isoquant import isoquant

        answer(partial(isoquant, load(scenario).scenario, effort, second, to=to), options)
    else:
        from simulator.analysis.curve import curve

        answer(partial(curve, load(scenario).scenario, effort, to=to), options)


@main.command()
@click.argument("scenario", type=PATH)
@click.option("--outcome", metavar="METRIC", help="To judge by. [default: the scenario's]")
@click.option(
    "--path",
    metavar="BUDGET",
    help="Where it moves as a budget is spent, e.g. '600 kUSD' or '300 kUSD/year'.",
)
@output
@files
@sampling
def constraint(scenario: Path, **options: Any) -> None:
    """Where a dollar of relief buys most, and where the constraint moves.

    Three readings, reconciled: by relief, by active periods, and by how busy each team is and
    how long its queue, quarter by quarter.
    """
    from simulator.analysis.constraint import constraint
    from simulator.spec.load import load

    answer(partial(constraint, load(scenario).scenario), options)


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

    answer(partial(explain_study, study), options)
