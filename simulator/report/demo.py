"""The demo: the shipped study of the flood, asked the three questions that there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from simulator.analysis.compare import compare_study
from simulator.analysis.constraint import constraint
from simulator.analysis.curve import curve
from simulator.analysis.runs import DEFAULT_ENGINE
from simulator.analysis.shown import Shown
from simulator.spec.load import find_study, load

EFFORT = "channels.*.spend"
QUESTIONS = {
    "compare": "Push, or fix?",
    "curve": "How far does pushing carry?",
    "constraint": "Where is the constraint?",
}
# The table of each answer that people read; all are in the files.
SHOWN = {"compare": "arms", "curve": "curve", "constraint": "ranking"}
# Replications at the most, so that nobody waits for long; the events engine takes its time.
MOST = {"events": (4, 3, 3)}
MOST_ELSE = (40, 20, 20)


@dataclass(frozen=True)
class Demo(Shown):
    """The answers by the command that gives each: compare, curve and constraint."""

    parts: dict[str, Any]
    stopped: str = ""
    kind: str = "demo"

    @property
    def sentences(self) -> list[str]:
        """All answers in words, each under its question."""
        return [s for name, part in self.parts.items() for s in (QUESTIONS[name], *part.sentences)]

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """One table an answer."""
        return {SHOWN[name]: part.tables[SHOWN[name]] for name, part in self.parts.items()}

    @property
    def reason(self) -> str:
        """Why it ended."""
        reasons = [part.reason for part in self.parts.values()]
        return self.stopped or next((r for r in reasons if r.startswith("interrupted")), reasons[0])

    def to_json(self) -> dict[str, Any]:
        """The answers whole."""
        first = self.parts["compare"]
        return {
            "kind": self.kind,
            "study": first.name,
            "engine": first.engine,
            "seed": first.seed,
            "replications": first.replications,
            "stopped": self.reason,
            **{name: part.to_json() for name, part in self.parts.items()},
        }


def demo(
    study: str | Path, *, progress: Callable[[int], None] | None = None, **options: Any
) -> Demo:
    """Compare a study's variants, push its today, and look for its constraint.

    options: of all three; where none says how many replications, few are made. Interrupted, it
    keeps the answers that are whole.
    """
    today = load(find_study(study)[0]).scenario
    asks: dict[str, Callable[..., Any]] = {
        "compare": partial(compare_study, study),
        "curve": partial(curve, today, EFFORT, steps=6),
        "constraint": partial(constraint, today),
    }
    limits = MOST.get(options.get("engine") or DEFAULT_ENGINE, MOST_ELSE)
    done = 0

    def advance(_of_this_one: int) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done)

    parts: dict[str, Any] = {}
    for (name, ask), limit in zip(asks.items(), limits, strict=True):
        size = {} if "replications" in options else {"most": limit}
        try:
            parts[name] = ask(progress=advance, **{**size, **options})
        except KeyboardInterrupt:
            if not parts:
                raise
            return Demo(parts, f"interrupted in {name}, with the answers before it whole")
        if parts[name].reason.startswith("interrupted"):
            break
    return Demo(parts)
