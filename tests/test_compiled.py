"""Programs that are compiled first say so."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from simulator import compiled


class Slow:
    """A program that takes a while to compile."""

    def __init__(self, folder: Path) -> None:
        self.stats = SimpleNamespace(cache_path=str(folder / "cache"))
        self.overloads: list[Any] = []

    def compile(self, kinds: tuple[Any, ...]) -> None:
        time.sleep(0.2)
        self.overloads.append(kinds)

    def __call__(self, arguments: tuple[Any, ...]) -> int:
        return len(arguments)


def test_a_compilation_is_announced_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(compiled, "SLOW", 0.01)
    program = Slow(tmp_path)
    run = compiled.announcing(program, "the tide engine: a moment")
    with caplog.at_level(logging.WARNING):
        assert run((1.0, 2)) == 2
        assert run((1.0, 2)) == 2
    assert [r.message for r in caplog.records] == [
        "compiling the tide engine: a moment, once for this version"
    ]
    assert len(program.overloads) == 1


AT_ONCE = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from simulator import compiled

folder, seen = Path(sys.argv[1]), Path(sys.argv[1]) / "seen"
stats = SimpleNamespace(cache_path=str(folder))
with compiled.alone(SimpleNamespace(stats=stats, __module__="tide")):
    there = seen.exists()
    time.sleep(0.2)
    seen.touch()
print("read" if there else "compiled")
"""


def test_one_of_several_processes_compiles(tmp_path: Path, root: Path) -> None:
    """The others wait, and find what it made."""
    command = [sys.executable, "-c", AT_ONCE, str(tmp_path)]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) for _ in range(2)
    ]
    assert sorted(p.communicate()[0].strip() for p in both) == ["compiled", "read"]


def test_a_folder_without_locks_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    run = compiled.announcing(Slow(tmp_path), "the tide engine: a moment")
    assert run((1.0, 2)) == 2
