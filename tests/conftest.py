"""What every test has: a headless matplotlib, repeatable hypothesis runs, and the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ["MPLBACKEND"] = "Agg"

# Generated cases are the same in every run, so that a red build is a change of ours.
settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
# HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

ROOT = Path(__file__).resolve().parent.parent

Shell = Callable[..., "subprocess.CompletedProcess[str]"]


AHEAD = """
from simulator.engines import flow
from simulator.engines.flow.many import run_many
from simulator.spec.load import load, shipped
from simulator.system import build

system = build(load(shipped("the-flood") / "today.yaml").scenario)
flow.run(system)
run_many([system])
"""


def pytest_configure(config: pytest.Config) -> None:
    """Where all tests run, compile what takes longest from the start, beside them, and once."""
    if config.args == config.getini("testpaths") and not hasattr(config, "workerinput"):
        ahead = subprocess.Popen(
            [sys.executable, "-c", AHEAD], cwd=ROOT, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

        def stop() -> None:
            ahead.kill()
            ahead.wait()

        config.add_cleanup(stop)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for the flow engine comes last: by then it has been compiled beside the others."""
    items.sort(key=lambda item: "flow" in item.path.name or item.path.parent.name == "reference")


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def growthsim() -> Shell:
    """Run the command as a user does, in a process of its own, without a terminal."""

    def call(*args: str, env: dict[str, str] | None = None, cwd: Path | None = None):
        return subprocess.run(
            [sys.executable, "-m", "simulator", *args],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
            stdin=subprocess.DEVNULL,
            check=False,
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **(env or {})},
        )

    return call
