"""A figure as a file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from simulator.report.figures.style import DPI, look

COMPRESSION: Final = 3  # of PNG: a quarter larger than the usual 6, in two thirds of the time


def png(figure: Figure, dots: float) -> bytes:
    """A figure as PNG of so many dots an inch; the same figure gives the same bytes.

    As Figure.savefig, which draws everything once more to lay it out.
    """
    held, canvas = io.BytesIO(), FigureCanvasAgg(figure)
    engine, dpi = figure.get_layout_engine(), figure.dpi
    figure.dpi = dots
    try:
        if engine is not None:
            engine.execute(figure)
        figure.set_layout_engine("none")
        canvas.print_png(  # type: ignore[no-untyped-call,unused-ignore]
            held, metadata={"Software": None}, pil_kwargs={"compress_level": COMPRESSION}
        )
    finally:
        figure.dpi = dpi
        figure.set_layout_engine(engine)
    return held.getvalue()


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write a figure as PNG and SVG; the same figure gives the same bytes."""
    found = [stem.with_name(stem.name + ".png"), stem.with_name(stem.name + ".svg")]
    with look():
        found[0].write_bytes(png(figure, DPI))
        figure.savefig(found[1], metadata={"Date": None, "Creator": None})
    return found
