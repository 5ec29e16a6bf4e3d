"""Where the scenarios that come with the program are."""

from __future__ import annotations

from pathlib import Path


def scenarios() -> Path:
    """Folder of the shipped archetypes and studies.

    A wheel carries it as ``simulator/_scenarios``; in a checkout it lies beside the package.
    """
    package = Path(__file__).resolve().parent
    inside = package / "_scenarios"
    return inside if inside.is_dir() else package.parent / "scenarios"
