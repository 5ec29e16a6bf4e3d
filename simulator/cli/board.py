"""Commands that make decks, figures and pages of results."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli.base import PATH, deliver, main, output, print_json
from simulator.cli.light import light

RESULTS = click.Path(path_type=Path)
SIZES = ("16:9", "4:3", "half")
FORMATS = ("png", "svg", "pdf", "emf")


@main.command()
@click.argument("results", metavar="RESULT...", type=RESULTS, nargs=-1, required=True)
@click.option("--out", type=PATH, help="The new deck, a .pptx.")
@click.option("--template", type=PATH, help="A company's .pptx or .potx, whose look it gets.")
@click.option("--refresh", type=PATH, metavar="DECK", help="Bring this deck's numbers up to date.")
@click.option("--names", is_flag=True, help="Print the names that {{name}} may ask for.")
@output
def deck(
    results: tuple[Path, ...],
    out: Path | None,
    template: Path | None,
    refresh: Path | None,
    names: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make a board deck of results, or refresh one.

    RESULT is a folder that --out wrote, or the JSON that --json printed. Charts are native: they
    can be edited in PowerPoint. A refresh keeps what people did to the deck.
    """
    if sum(bool(asked) for asked in (out, refresh, names)) != 1:
        raise click.UsageError("Say one of --out, --refresh and --names.")
    if template is not None and out is None:
        raise click.UsageError("--template goes with --out.")
    with light():
        from simulator.report import deck as decks

        if names:
            found = decks.names(results)
        elif refresh is not None:
            made = decks.refresh(results, refresh)
        else:
            assert out is not None
            made = decks.make(results, out, template)
    if names:
        if as_json:
            print_json(found)
        else:
            click.echo("\n".join(f"{name}: {said}" for name, said in found.items()))
        return
    if out is not None and not quiet:
        click.echo(f"Written to {out}", err=True)
    deliver(made, as_json=as_json, quiet=quiet)


@main.command()
@click.argument("name")
@click.argument("result", type=RESULTS)
@click.option("--format", "format_", type=click.Choice(FORMATS), help="[default: --out's, or png]")
@click.option(
    "--size", type=click.Choice(SIZES), default="16:9", show_default=True, help="Of a slide."
)
@click.option("--style", type=PATH, help="Colours and fonts: YAML, .mplstyle, or a .pptx's theme.")
@click.option("--out", type=PATH, help="The file. [default: NAME in this folder]")
@output
def figure(
    name: str,
    result: Path,
    format_: str | None,
    size: str,
    style: Path | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Draw one figure of a result."""
    kind = format_ or (out.suffix.lstrip(".").lower() if out else "") or "png"
    if kind not in FORMATS:
        raise click.UsageError(f"{out}: no format {kind!r}; there are {', '.join(FORMATS)}.")
    with light():
        from simulator.report.figures.brand import brand_of
        from simulator.report.figures.export import export, find
        from simulator.report.saved import read

        brand = None if style is None else brand_of(style)
        saved = find(name, read([result]))
        path = export(name, saved, out or Path(f"{name}.{kind}"), kind, size, brand)
    warnings = [] if brand is None else brand.warnings
    if as_json:
        print_json({"kind": "figure", "figure": name, "file": str(path), "warnings": warnings})
        return
    for warning in () if quiet else warnings:
        click.echo(f"{style}: {warning}", err=True)
    click.echo(path)


@main.command()
@click.argument("results", metavar="RESULT...", type=RESULTS, nargs=-1, required=True)
@click.option("--out", type=PATH, required=True, help="The page, an .html.")
@output
def report(results: tuple[Path, ...], out: Path, as_json: bool, quiet: bool) -> None:
    """Make a page of results that needs nothing else.

    One HTML file: charts with tooltips, tables that sort, ready to print. No network.
    """
    from simulator.report.page import make

    made = make(results, out)
    if not quiet:
        click.echo(f"Written to {out}", err=True)
    deliver(made, as_json=as_json, quiet=quiet)


@main.command()
@click.option("--out", type=PATH, default=Path("gallery"), show_default=True, help="Folder.")
@click.option(
    "--replications", type=click.IntRange(2, 1000), default=8, show_default=True, help="Of each."
)
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Of draws."
)
@output
def gallery(out: Path, replications: int, seed: int, as_json: bool, quiet: bool) -> None:
    """Draw every figure of every shipped study, with a page that shows them.

    docs/gallery.md is made so: growthsim gallery --out docs
    """
    from simulator.report.gallery import make

    def advance(said: str) -> None:
        if not quiet and not as_json:
            click.echo(said, err=True)

    deliver(make(out, replications, seed, advance), as_json=as_json, quiet=quiet)
