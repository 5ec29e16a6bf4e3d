"""Results that show themselves in a notebook."""

from __future__ import annotations


class Shown:
    """What a result has of a notebook's way to show things."""

    def _repr_html_(self) -> str:
        # By its name at the top: what draws stands above what is drawn.
        from simulator import as_html

        found: str = as_html(self)
        return found
