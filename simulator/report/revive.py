"""A saved answer as what figures are drawn of."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from simulator.errors import DataError
from simulator.report.saved import Saved

# The module that reads each kind, loaded where it is drawn: its function has the kind's name.
KINDS: Final = {
    "backtest": "redecided",
    "comparison": "reread",
    "constraint": "reread",
    "curve": "reread",
    "curves": "redecided",
    "isoquant": "redecided",
    "robustness": "redecided",
    "seek": "redecided",
    "sensitivity": "redecided",
    "worlds": "redecided",
}


def revive(saved: Saved) -> Any:
    """What figures are drawn of, of a saved answer: with the names that the result itself has.

    Raises DataError for a kind that has no figures, or where something is missing.
    """
    if saved.kind not in KINDS:
        raise DataError(
            f"{saved.file}: a {saved.kind} has no figures; those that have are of "
            f"{', '.join(KINDS)}"
        )
    module = import_module(f"simulator.report.{KINDS[saved.kind]}")
    try:
        return getattr(module, saved.kind)(saved)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{saved.file}: the {saved.kind} is not whole ({type(error).__name__}: {error}). "
            f"{saved.again()}"
        ) from None
