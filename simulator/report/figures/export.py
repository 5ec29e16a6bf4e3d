"""One figure of a saved result as a file: for Google Slides, Keynote, Word."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from simulator.errors import DataError
from simulator.report.deck.files import put
from simulator.report.figures import FIGURES, figure_of, style
from simulator.report.figures.brand import Brand, recolour
from simulator.report.figures.picture import png
from simulator.report.revive import revive
from simulator.report.saved import Saved

FORMATS: Final = ("png", "svg", "pdf", "emf")
SIZES: Final = {"16:9": (13.33, 7.5), "4:3": (12.0, 9.0), "half": (11.0, 9.5)}  # inches
PIXELS: Final = 200  # an inch


def find(name: str, answers: Sequence[Saved]) -> Saved:
    """The answer that a figure is of; `kind.name` where two kinds have one of that name.

    Raises DataError with the names there are.
    """
    kind, _, last = name.rpartition(".")
    for saved in answers:
        if last in FIGURES.get(saved.kind, {}) and kind in ("", saved.kind):
            return saved
    there = [f"{s.kind}.{n}" for s in answers for n in FIGURES.get(s.kind, {})]
    said = f"there are {', '.join(dict.fromkeys(there))}" if there else "it has no figures"
    raise DataError(f"{answers[0].file}: no figure is called '{name}'; {said}")


def export(
    name: str, saved: Saved, out: Path, format_: str, size: str, brand: Brand | None = None
) -> Path:
    """Draw a figure into a file. Raises DataError."""
    brand = brand or Brand()
    with style.look(SIZES[size], brand.fonts, brand.settings):
        plot, result = FIGURES[saved.kind][name.rpartition(".")[2]], revive(saved)
        if not plot.when(result):
            raise DataError(f"{saved.file}: has nothing for '{name}': {plot.lacks}")
        axes = plot(result)
        figure = figure_of(axes)
        recolour(figure, brand)
        content = png(figure, PIXELS) if format_ == "png" else _vectors(figure, format_)
    put(_emf(content) if format_ == "emf" else content, out)
    return out


def _vectors(figure: Figure, format_: str) -> bytes:
    """A figure as SVG (also for EMF, which is made of it) or PDF, without dates."""
    held = io.BytesIO()
    if format_ == "pdf":
        unsaid = ("CreationDate", "Creator", "Producer")
        figure.savefig(held, format="pdf", metadata=dict.fromkeys(unsaid))
    else:
        figure.savefig(held, format="svg", metadata=dict.fromkeys(("Date", "Creator")))
    return held.getvalue()


def _emf(svg: bytes) -> bytes:
    """An SVG as EMF, by a program that can; DataError where there is none."""
    inkscape, office = shutil.which("inkscape"), shutil.which("soffice")
    if inkscape is None and office is None:
        raise DataError(
            "emf needs Inkscape or LibreOffice on the PATH. PowerPoint and Word also take svg"
        )
    with tempfile.TemporaryDirectory() as folder:
        drawn, made = Path(folder) / "figure.svg", Path(folder) / "figure.emf"
        drawn.write_bytes(svg)
        command = (
            [inkscape, str(drawn), "--export-type=emf", f"--export-filename={made}"]
            if inkscape is not None
            else [str(office), f"-env:UserInstallation=file://{folder}/profile", "--headless",
                  "--convert-to", "emf", "--outdir", folder, str(drawn)]
        )  # fmt: skip
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=120)
            return made.read_bytes()
        except (OSError, subprocess.SubprocessError) as error:
            raise DataError(f"{command[0]}: did not make an emf ({error})") from None
