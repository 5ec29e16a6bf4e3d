"""Sets of numbers that the data allow, in place of one set: what answers ask of them."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.parts import Range
from simulator.analysis.ranges import hypercube, ranges
from simulator.errors import AnalysisError
from simulator.spec.load import Loaded
from simulator.spec.paths import leaves
from simulator.spec.schema import Scenario

Floats = NDArray[np.float64]
OF_DATA = "data"  # the grade of a number that the sets of an ensemble hold


class Ensemble(Protocol):
    """Sets of numbers that today's data allow."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Which numbers."""
        ...

    def __len__(self) -> int: ...

    def number(self, row: int, path: str) -> float:
        """A number of one set, in internal units."""
        ...

    def scenario(self, base: Scenario, row: int) -> Scenario:
        """A scenario with the numbers of one set."""
        ...

    def shared(self, variant: Scenario, today: Scenario) -> Ensemble:
        """The same sets with only the numbers that a variant has of today."""
        ...


def told(engine: str, n: int) -> str:
    """What is said of replications that take the sets in turn. Raises AnalysisError for flow."""
    if engine == "flow":
        raise AnalysisError("flow has one run, an ensemble many: take --engine batch")
    return (
        f"each replication takes one of {n} sets of numbers that the data allow: intervals are of "
        "chance and of the fit"
    )


Sample = tuple[Floats, Floats, NDArray[np.int64]]


def drawn_worlds(
    found: Loaded, ensemble: Ensemble | None, n: int, seed: int
) -> tuple[list[Range], list[str], Sample]:
    """What worlds differ in, what was left out, and n worlds.

    These are points in the unit cube and values, (n, d), and which set of the ensemble each takes.
    Numbers of the ensemble come last, graded OF_DATA: jointly from its sets, not from ranges.
    """
    if ensemble is None:
        over, left = ranges(found)
        points = hypercube(n, len(over), seed)
        values = np.column_stack([r.at(points[:, k]) for k, r in enumerate(over)])
        return over, left, (points, values, np.zeros(n, dtype=np.int64))
    try:
        over, left = ranges(found)
    except AnalysisError:
        over, left = [], []  # the sets are enough
    over = [r for r in over if r.path not in ensemble.paths]
    points = hypercube(n, len(over) + 1, seed)
    rows = np.minimum((points[:, -1] * len(ensemble)).astype(np.int64), len(ensemble) - 1)
    columns = [r.at(points[:, k]) for k, r in enumerate(over)]
    places = [points[:, k] for k in range(len(over))]
    table = leaves(found.scenario)
    for path in ensemble.paths:
        drawn = np.array([ensemble.number(row, path) for row in range(len(ensemble))])
        if float(np.ptp(drawn)) <= 0:
            continue
        leaf = table.get(path)
        unit = "share" if leaf is None or leaf.quantity is None else leaf.quantity.kind
        value = float(np.median(drawn)) if leaf is None else leaf.value
        over.append(Range(path, value, float(drawn.min()), float(drawn.max()), OF_DATA, unit))
        columns.append(drawn[rows])
        # Its place among the sets, so that worlds fill the unit interval evenly.
        among = np.sort(drawn)
        below, upto = (np.searchsorted(among, drawn, side=s) for s in ("left", "right"))
        places.append((below + upto)[rows] / (2.0 * len(drawn)))
    if not over:
        raise AnalysisError(f"{found.scenario.name}: the sets of numbers are all the same")
    return over, left, (np.column_stack(places), np.column_stack(columns), rows)
