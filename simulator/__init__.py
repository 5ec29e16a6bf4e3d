"""growthsim: a whole revenue system, simulated: push harder, or fix the constraint?

>>> from simulator import load, build, simulate, measure
>>> scenario = load("scenarios/the-flood/today.yaml").scenario
>>> metrics = measure(simulate(build(scenario), "events", replication=0))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.analysis.compare import compare_study as compare
    from simulator.engines import simulate
    from simulator.metrics import measure
    from simulator.report.notebook import as_html
    from simulator.spec.load import load
    from simulator.system import build

__version__ = "0.1.0"

__all__ = ["__version__", "as_html", "build", "compare", "load", "measure", "simulate"]

# The straight line, loaded on first use so that `growthsim --help` stays quick.
_HOMES = {
    "load": ("simulator.spec.load", "load"),
    "build": ("simulator.system", "build"),
    "simulate": ("simulator.engines", "simulate"),
    "measure": ("simulator.metrics", "measure"),
    "as_html": ("simulator.report.notebook", "as_html"),
    "compare": ("simulator.analysis.compare", "compare_study"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
