"""The gallery: every figure of every shipped study on one page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.analysis.compare import compare_study
from simulator.analysis.constraint import constraint
from simulator.analysis.curve import curve
from simulator.analysis.robust import robustness
from simulator.report.deck.files import put
from simulator.report.demo import EFFORT
from simulator.shipped import scenarios
from simulator.spec.load import find_study, load
from simulator.spec.paths import leaves, match
from simulator.spec.schema import Scenario
from simulator.vocabulary import describe

DOTS = 60  # an inch: eight hundred wide
HEAD = """# Gallery

Every figure of every shipped study, of {replications} replications from seed {seed} (whether a
verdict stands over what nobody knows: of 4, and of 16 where it is in doubt). Made by:

```
growthsim gallery --out docs
```

Each is a figure of a result that `--out` wrote; draw it alone with `growthsim figure NAME RESULT`.
"""


@dataclass(frozen=True)
class Gallery:
    """A gallery that was made."""

    page: Path
    pictures: tuple[Path, ...]

    @property
    def sentences(self) -> list[str]:
        """What was made."""
        return [f"{self.page}: {len(self.pictures)} figures."]

    @property
    def tables(self) -> dict[str, list[dict[str, object]]]:
        """None."""
        return {}

    def to_json(self) -> dict[str, object]:
        """Everything, in types that JSON has."""
        return {
            "kind": "gallery",
            "page": str(self.page),
            "pictures": [str(p) for p in self.pictures],
        }


def studies() -> list[Path]:
    """The shipped studies, by name."""
    return sorted(p.parent for p in scenarios().glob("*/today.yaml"))


def effort_of(scenario: Scenario) -> str:
    """What is pushed: spend, or else the hours of who brings leads, or leads themselves."""
    table = leaves(scenario)
    return next(
        (e for e in (EFFORT, "channels.*.outbound.hours") if match(e, table)),
        "channels.*.leads.now",
    )


def worth_of(scenario: Scenario) -> float | None:
    """What a unit of the outcome is worth, where it is counted and not money: a contract."""
    return scenario.value.mean if describe(scenario.outcome).unit == "count" else None


def make(
    out: Path, replications: int, seed: int, advance: Callable[[str], None] | None = None
) -> Gallery:
    """Ask every study, draw every figure into out/gallery, and write out/gallery.md."""
    said, pictures = [HEAD.format(replications=replications, seed=seed)], []
    plan: dict[str, Any] = {"replications": replications, "seed": seed}
    for study in studies():
        if advance is not None:
            advance(f"{study.name} ...")
        today = load(find_study(study)[0]).scenario
        answers = {
            "comparison": compare_study(study, **plan),
            "curve": curve(today, effort_of(today), steps=6, worth=worth_of(today), **plan),
            "constraint": constraint(today, **plan),
            "robustness": robustness(study, seed=seed),
        }
        said.append(f"\n## {study.name.replace('-', ' ').capitalize()}\n")
        for kind, result in answers.items():
            for name, title, picture in drawn(result, kind):
                path = out / "gallery" / f"{study.name}-{kind}-{name}.png"
                put(picture, path)
                pictures.append(path)
                said.append(f"\n**{title}** (`{kind}.{name}`)\n\n![{title}](gallery/{path.name})\n")
    page = out / "gallery.md"
    put("".join(said).encode("utf-8"), page)
    return Gallery(page, tuple(pictures))


def drawn(result: Any, kind: str) -> list[tuple[str, str, bytes]]:
    """Every figure of a result: its name, message and PNG."""
    from simulator.report.figures import FIGURES
    from simulator.report.figures.panel import png

    return [
        (name, _markdown(plot.title(result)), png(plot(result), DOTS))
        for name, plot in FIGURES[kind].items()
        if plot.when(result)
    ]


def _markdown(text: str) -> str:
    """Text that Markdown takes as it is."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>" else c for c in " ".join(text.split()))
