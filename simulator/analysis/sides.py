"""Push and fix of a study, or made here where it has none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from simulator.analysis.ranking import rank
from simulator.errors import AnalysisError, SpecError
from simulator.spec.load import Loaded, find_study, load
from simulator.spec.schema import Lever, Scenario

PUSH = 1.5  # spend of the push that is made where the study has none


@dataclass(frozen=True)
class Side:
    """One of the two choices. made: whether it is ours, as the study has none."""

    scenario: Scenario
    made: bool

    @property
    def name(self) -> str:
        """What it is called."""
        return self.scenario.name


def sides_of(
    place: str | Path, loaded: Loaded | None, outcome: str, seed: int | None
) -> tuple[Loaded, Side, Side]:
    """Today and its push and fix: those of the study, else made here. Raises AnalysisError."""
    path = Path(place)
    variants: list[Scenario] = []
    if loaded is None:
        file = path
        if path.suffix not in (".yaml", ".yml"):
            try:
                file, others = find_study(path)
                variants = [load(p).scenario for p in others]
            except SpecError:
                if path.is_dir():
                    raise
        loaded = load(file)
        if not variants and loaded.files and loaded.files[0].name == "today.yaml":
            _, others = find_study(loaded.files[0].parent)
            variants = [load(p).scenario for p in others]
    today = loaded.scenario
    push = next((v for v in variants if v.role == "push"), None)
    fix = next((v for v in variants if v.role == "fix"), None)
    a = Side(push, False) if push is not None else Side(_a_push(today), True)
    b = Side(fix, False) if fix is not None else Side(_a_fix(today, outcome, seed), True)
    return loaded, a, b


def _a_push(today: Scenario) -> Scenario:
    if not any((c.spend or 0) > 0 and c.leads is not None for c in today.channels.values()):
        raise AnalysisError(
            f"{today.name}: no channel has spend to push; write a variant with role: push"
        )
    lever = Lever(scale="channels.*.spend", by=PUSH)
    levers = [*today.levers, lever]
    return today.model_copy(update={"levers": levers, "name": "Half more spend", "role": "push"})


def _a_fix(today: Scenario, outcome: str, seed: int | None) -> Scenario:
    """The best small relief that is not more demand, to be pulled as far as the push costs."""
    from simulator.analysis.words_constraint import thing

    found = rank(today, outcome, engine="batch", seed=today.seed if seed is None else seed, most=20)
    for c in found.candidates:
        if c.relief.kind != "market" and c.extra_cost > 0 and math.isfinite(c.per_dollar):
            fixed = c.relief.on(today)
            name = f"Relief of {thing(c.relief.name)}"
            return fixed.model_copy(update={"name": name, "role": "fix"})
    raise AnalysisError(f"{today.name}: nothing to fix; write a variant with role: fix")
