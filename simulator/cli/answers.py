"""Commands that look for decisions: what must be true, what matters, in which worlds."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from simulator.cli.base import (
    PATH,
    allowed,
    answer,
    files,
    main,
    output,
    sampling,
    sets_of,
    simulation,
)


@main.command()
@click.argument("scenario", type=PATH)
@click.option(
    "--target",
    multiple=True,
    required=True,
    metavar="TARGET",
    help="Like 'arr_per_head >= 210 kUSD at week 104'; give it again for several.",
)
@click.option(
    "--max-levers",
    type=click.IntRange(1, 8),
    default=2,
    show_default=True,
    help="The most to pull at once.",
)
@click.option("--budget", metavar="MONEY", help="The most to spend, e.g. '300 kUSD/year'.")
@click.option(
    "--levers",
    type=PATH,
    help="Scenario whose levers, as written, are the most to pull. [default: the study's]",
)
@click.option("--search", type=click.Choice(["flow", "batch"]), help="To search with.")
@allowed
@output
@files
@sampling
def seek(scenario: Path, ensemble: Path | None, **options: Any) -> None:
    """What must be true for a target, with the fewest levers at the least cost.

    Every lever that cannot do it alone is named with the best it can do; what must hold is said
    with today's value and the gap.
    """
    from simulator.analysis.seek import seek
    from simulator.spec.load import load

    options["target"] = list(options["target"])
    answer(partial(seek, load(scenario), **sets_of(ensemble)), options)


@main.command()
@click.argument("scenario", type=PATH)
@click.option(
    "--method",
    type=click.Choice(["tornado", "morris", "sobol", "all"]),
    default="tornado",
    show_default=True,
    help="Beside the tornado, which is always drawn.",
)
@click.option("--outcome", metavar="METRIC", help="To judge by. [default: the scenario's]")
@output
@files
@sampling
def sensitivity(scenario: Path, **options: Any) -> None:
    """Which assumptions the answer rests on, each over its range, one at a time.

    Of a scenario's file: what moves its outcome, and how much of the variance is from what nobody
    knows, how much from mere chance. Of a study's folder: whether its verdict, push against fix at
    equal spend, stands over every range, and where it flips.
    """
    from simulator.analysis.robust import robustness
    from simulator.analysis.sensitivity import sensitivity
    from simulator.spec.load import load

    if scenario.suffix not in (".yaml", ".yml"):
        if options.pop("method") != "tornado" or options.pop("precision", None) is not None:
            raise click.UsageError("--method and --precision are of a scenario's file.")
        answer(partial(robustness, scenario), options)
        return
    answer(partial(sensitivity, load(scenario)), options)


@main.command()
@click.argument("study", type=PATH)
@click.option(
    "--worlds",
    type=click.IntRange(20, 1_000_000),
    default=1000,
    show_default=True,
    metavar="N",
    help="How many to draw.",
)
@click.option("--outcome", metavar="METRIC", help="To judge by. [default: the scenario's]")
@click.option(
    "--jobs", type=click.IntRange(1, 256), metavar="N", help="Threads. [default: one a core]"
)
@allowed
@output
@files
@simulation
def worlds(study: Path, ensemble: Path | None, **options: Any) -> None:
    """In which worlds pushing beats fixing, at equal spend.

    Worlds are drawn from the ranges of today's assumptions, and from what the data allow. Also
    what each choice gives up where the other is better, and which number to measure first.
    """
    from simulator.analysis.worlds import worlds

    answer(partial(worlds, study, **sets_of(ensemble)), options)
