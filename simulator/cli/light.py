"""A process that loads much, draws once and ends: less of what it does not need."""

from __future__ import annotations

import atexit
import gc
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# What loads with matplotlib.projections, which does without it where it is not installed.
SOLID = "mpl_toolkits.mplot3d"


@contextmanager
def light() -> Iterator[None]:
    """Load without drawings in three dimensions and without walks of the garbage collector.

    What is loaded stays until the process ends, so that the collector finds nothing in it. A
    process that has matplotlib already keeps it as it is.
    """
    flat = SOLID not in sys.modules and "matplotlib.projections" not in sys.modules
    collects = gc.isenabled()
    atexit.register(gc.freeze)  # the interpreter's last collection has nothing to look through
    gc.disable()
    try:
        with warnings.catch_warnings():
            if flat:
                warnings.filterwarnings("ignore", message="Unable to import Axes3D")
                sys.modules[SOLID] = None  # type: ignore[assignment]
            yield
    finally:
        if flat:
            del sys.modules[SOLID]
        if collects:
            gc.enable()
