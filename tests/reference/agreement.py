"""Agreement of runs with exact answers, at a false-alarm rate that is stated once.

A check asks whether the mean over independent replications of `x - exact * n` is zero, so a ratio
such as waits over leads has no small-sample bias. It fails beyond `critical(replications)`
standard errors: Student's t, two-sided, at FAMILY / CHECKS a check (Bonferroni). FAMILY is the
chance that any check of the whole suite fails while all is right. CHECKS bounds how many there are.

Nothing widens the band. What a check could catch is its resolution, band over exact value, and
each table of checks states the worst of its own, which is asserted too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from simulator.engines import ENGINES, simulate
from simulator.record import Record
from simulator.spec.load import load_text
from simulator.system import System, build

FAMILY = 1e-4
CHECKS = 1000
HAVE = [name for name in ("events", "batch") if name in ENGINES]


@cache
def cases() -> dict[str, Any]:
    """Exact answers by the id of their case, with their source."""
    return json.loads(Path(__file__).with_name("cases.json").read_text(encoding="utf-8"))


def expected(case: str) -> dict[str, Any]:
    return cases()[case]["expected"]


def critical(replications: int) -> float:
    """Standard errors beyond which a check fails."""
    return float(stats.t.isf(0.5 * FAMILY / CHECKS, replications - 1))


@cache
def system(text: str) -> System:
    return build(load_text(text).scenario)


@dataclass(frozen=True)
class Bench:
    """An engine and how much more than the quick size it is asked to run."""

    engine: str
    times: int

    def run(
        self,
        text: str,
        replications: int,
        look: Callable[[Record], Any],
        *,
        visits: bool = False,
    ) -> dict[str, np.ndarray]:
        """What `look` sees in each replication: a dict of numbers, as columns."""
        options = {"visits": True} if visits else {}
        rows = [
            look(simulate(system(text), self.engine, replication=i, **options))
            for i in range(replications * self.times)
        ]
        return {k: np.array([row[k] for row in rows]) for k in rows[0]}


@dataclass
class Agreement:
    """A table of checks; `settle` raises with all that fail."""

    bench: Bench
    resolution: float  # of the quick run: the band of each check over its exact value
    rows: list[tuple[str, float, float, float]] = field(default_factory=list)

    def mean(
        self,
        name: str,
        x: ArrayLike,
        exact: float,
        n: ArrayLike = 1.0,
        *,
        other_se: float = 0.0,
        resolution: float | None = None,
    ) -> None:
        """The mean of x is `exact` times the mean of n; other_se: of `exact` itself.

        The resolution is of our runs alone: more of them make `exact` no sharper.
        """
        x = np.asarray(x, dtype=float)
        n = np.broadcast_to(np.asarray(n, dtype=float), x.shape)
        over = float(n.mean())
        error = x - exact * n
        se = float(error.std(ddof=1) / np.sqrt(len(x)) / over)
        band = critical(len(x)) * float(np.hypot(se, other_se))
        self.rows.append((name, float(x.mean()) / over, exact, band))
        limit = self.resolution if resolution is None else resolution
        limit *= 1.0 if self.bench.times == 1 else 1.3 * self.bench.times**-0.5
        ours = critical(len(x)) * se
        if ours > limit * abs(exact):
            self.rows.append((f"{name}: resolution", ours / abs(exact), limit, 0.0))

    def settle(self) -> None:
        wrong = [r for r in self.rows if not abs(r[1] - r[2]) <= r[3]]
        text = "\n".join(f"  {n}: {m:.5g}, exact {e:.5g} ± {b:.2g}" for n, m, e, b in wrong)
        assert not wrong, f"{self.bench.engine} disagrees:\n{text}"
