"""The engines that must agree with the exact answers, quick by default and sharp when slow.

Quick is `batch`, which is `events` lead by lead (tests/test_batch.py); slow is both.
"""

from __future__ import annotations

import pytest
from agreement import HAVE, Bench

SHARPER = {"events": 10, "batch": 200}


def _benches():
    if "batch" not in HAVE:
        yield pytest.param(Bench("events", 1), id="events")
    yield pytest.param(
        Bench("events", SHARPER["events"]), id="events-sharp", marks=pytest.mark.slow
    )
    if "batch" in HAVE:
        yield pytest.param(Bench("batch", 4), id="batch")
        yield pytest.param(
            Bench("batch", SHARPER["batch"]), id="batch-sharp", marks=pytest.mark.slow
        )


@pytest.fixture(params=_benches())
def bench(request) -> Bench:
    """An engine at a size."""
    return request.param
