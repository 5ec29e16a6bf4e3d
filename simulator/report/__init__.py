"""Results as files and figures.

`write(result, folder)` writes everything; `FIGURES[kind][name](result)` draws one figure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.report.write import ready, write

if TYPE_CHECKING:
    from simulator.report.figures import FIGURES

__all__ = ["FIGURES", "ready", "write"]


def __getattr__(name: str) -> Any:
    if name == "FIGURES":  # matplotlib is loaded where figures are drawn
        from simulator.report.figures import FIGURES

        return FIGURES
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
