"""Commands that look for decisions: what must be true, what matters, in which worlds."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from simulator.cli.base import PATH, answer, files, main, output, sampling


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
@output
@files
@sampling
def seek(scenario: Path, **options: Any) -> None:
    """What must be true for a target, with the fewest levers at the least cost.

    Every lever that cannot do it alone is named with the best it can do; what must hold is said
    with today's value and the gap.
    """
    from simulator.analysis.seek import seek
    from simulator.spec.load import load

    options["target"] = list(options["target"])
    answer(partial(seek, load(scenario)), options)
