"""A figure without its title and source, to be put on somebody's slide."""

from __future__ import annotations

import io

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from simulator.report.figures import FIGURES, figure_of, picture, style
from simulator.report.figures.brand import Brand, darken, recolour, theme_brand
from simulator.report.revive import revive
from simulator.report.saved import Saved

ROOM = (
    1.12  # drawn that much larger than it is shown: letters are smaller than on a slide of its own
)
DPI = 180


def panel(
    kind: str, name: str, saved: Saved, width: float, height: float, theme: bytes = b"",
    ground: str = "",
) -> io.BytesIO:  # fmt: skip
    """A figure of a saved answer as PNG; width, height: inches; theme: XML of a deck's.

    ground: the background that it stands on, '#rrggbb', where that is dark.
    """
    brand = theme_brand(theme) if theme else Brand()
    with style.look(fonts=brand.fonts):
        figure = Figure(figsize=(ROOM * width, ROOM * height), layout="constrained")
        FigureCanvasAgg(figure)
        FIGURES[kind][name](revive(saved), figure.add_subplot())
        recolour(figure, brand)
        if ground:
            darken(figure, ground)
        return io.BytesIO(picture.png(figure, DPI / ROOM))


def png(axes: Axes, dots: float) -> bytes:
    """The whole figure that axes are on, as PNG of so many dots an inch."""
    with style.look():
        return picture.png(figure_of(axes), dots)
