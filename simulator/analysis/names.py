"""Names that analyses give to what has none of its own; light, for those that only read them."""

from __future__ import annotations

from typing import Final

NONE: Final = -1  # no team is the bottleneck
TOGETHER: Final = "all efforts together"
# What becomes of a verdict at the end of a range.
STANDS, UNTOLD, FLIPS = "stands", "untold", "flips"
