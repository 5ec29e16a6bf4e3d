"""Is a scenario right, and what does it assume? In words and tables, without simulating."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from simulator.spec.check import FreeLunch, Row, assumptions, free_lunches
from simulator.spec.load import Loaded, load


@dataclass(frozen=True)
class Checked:
    """A scenario that loads, what it rests on, and its levers that cost nothing."""

    loaded: Loaded
    assumptions: list[Row]
    free_lunches: list[FreeLunch]

    @property
    def sentences(self) -> list[str]:
        """What was found, faults first."""
        scenario = self.loaded.scenario
        parts = ", ".join(
            f"{len(things)} {name}"
            for name, things in (
                ("channels", scenario.channels),
                ("stages", scenario.stages),
                ("teams", scenario.teams),
            )
        )
        lunches = [f"levers.{f.index} ({f.path}): {f.message}" for f in self.free_lunches]
        grades = sorted(Counter(row.grade for row in self.assumptions).items())
        by_grade = ", ".join(f"{count} of grade {grade}" for grade, count in grades)
        rests = f"It assumes {len(self.assumptions)} numbers that you did not state"
        return [
            *lunches,
            f"{scenario.name}: the file is right ({parts}).",
            f"{rests}: {by_grade}." if by_grade else f"{rests}.",
        ]

    @property
    def tables(self) -> dict[str, list[dict[str, object]]]:
        """One table: a row an assumption."""
        return {"assumptions": [asdict(row) for row in self.assumptions]}

    def to_json(self) -> dict[str, object]:
        """Everything, in types that JSON has."""
        return {
            "scenario": self.loaded.scenario.name,
            "files": [str(file) for file in self.loaded.files],
            "assumptions": [asdict(row) for row in self.assumptions],
            "free_lunches": [asdict(lunch) for lunch in self.free_lunches],
        }


def check(path: Path) -> Checked:
    """Load a scenario and say what it rests on; raises SpecError with every problem found."""
    loaded = load(path)
    return Checked(loaded, assumptions(loaded), free_lunches(loaded))
