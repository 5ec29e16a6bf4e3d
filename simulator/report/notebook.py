"""A result in a notebook: its first charts, or its sentences where it has none."""

from __future__ import annotations

from html import escape
from typing import Any

from simulator.errors import DataError
from simulator.report.page import fragment
from simulator.report.saved import of
from simulator.report.story import tell


def as_html(result: Any) -> str:
    """A result as a piece of HTML, with its style and without any script."""
    try:
        return fragment(tell(of(result)))
    except DataError:
        said = "".join(f"<p>{escape(s)}</p>" for s in result.sentences)
        return f'<div class="growthsim">{said}</div>'
