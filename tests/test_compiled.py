"""Programs that are compiled first say so."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest

from simulator import compiled


class Slow:
    """A program that takes a while to compile."""

    def __init__(self) -> None:
        self.overloads: list[Any] = []

    def compile(self, kinds: tuple[Any, ...]) -> None:
        time.sleep(0.2)
        self.overloads.append(kinds)

    def __call__(self, arguments: tuple[Any, ...]) -> int:
        return len(arguments)


def test_a_compilation_is_announced_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compiled, "SLOW", 0.01)
    program = Slow()
    run = compiled.announcing(program, "the tide engine: a moment")
    with caplog.at_level(logging.WARNING):
        assert run((1.0, 2)) == 2
        assert run((1.0, 2)) == 2
    assert [r.message for r in caplog.records] == [
        "compiling the tide engine: a moment, once for this version"
    ]
    assert len(program.overloads) == 1
