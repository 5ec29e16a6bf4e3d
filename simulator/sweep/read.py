"""From a sweep file to a Sweep: paths found, values in the model's own units, all problems told."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, Final

from pydantic import ValidationError

from simulator.errors import Problem, SpecError
from simulator.shipped import scenarios as shipped_folder
from simulator.spec.crosscheck import findings
from simulator.spec.load import Loaded, archetypes, load
from simulator.spec.paths import week_of
from simulator.spec.problems import explain, nearest, problem
from simulator.spec.schema import Scenario
from simulator.spec.shape import Path, fields
from simulator.spec.yamltree import MAX_BYTES, Node, read_tree
from simulator.sweep import axes as axes_module
from simulator.sweep.design import Layout, lay, levels, notes
from simulator.sweep.points import apply
from simulator.sweep.schema import MOST_POINTS, Axis, Range, Side, SweepFile, Until
from simulator.vocabulary import unknown

SIDES: Final = ("levers", "uncertainties")
REPLICATIONS: Final = 10
WITHIN: Final = 1.0 / 7.0  # weeks: a day
PROBES: Final = 64


@dataclass(frozen=True)
class Rule:
    """Replicate until the mean of an outcome (its place in the list) is known to a precision."""

    outcome: int
    precision: float
    most: int


@dataclass(frozen=True)
class Sweep:
    """A sweep that can be run. weeks: at which outcomes are kept; within: weeks of waiting."""

    file: str
    root: Node
    loaded: Loaded
    name: str
    engine: str
    seed: int
    replications: int
    rule: Rule | None
    outcomes: tuple[str, ...]
    weeks: tuple[float, ...]
    levers: Layout
    uncertainties: Layout
    within: float
    notes: tuple[str, ...] = ()

    @property
    def scenario(self) -> Scenario:
        """The scenario that is swept."""
        return self.loaded.scenario

    @property
    def points(self) -> int:
        """How many points there are."""
        return self.levers.size * self.uncertainties.size

    @property
    def most_runs(self) -> int:
        """How many runs there are at most."""
        return self.points * self.replications


def load_sweep(path: str | FilePath) -> Sweep:
    """The sweep of a file, or of a shipped study's; raises SpecError with every problem found."""
    file = _existing(FilePath(path))
    root = read_tree(_text(file), str(file))
    strange = [*_unknown(root), *_truths(root)]
    if strange:
        raise SpecError(strange)
    said = root.child("scenario")
    loaded = None
    problems: list[Problem] = []
    if said is not None and isinstance(said.value, str):
        loaded = load(_scenario(said, root, file))
    try:
        spec = SweepFile.model_validate(
            root.plain(), context={"currency": loaded.scenario.currency if loaded else "USD"}
        )
    except ValidationError as error:
        raise SpecError(explain(error, root)) from None
    assert loaded is not None
    scenario = loaded.scenario
    layouts = {
        side: _layout(side, getattr(spec, side), loaded, root, file, problems) for side in SIDES
    }
    problems += _overlaps(root, layouts)
    outcomes = tuple(spec.outcomes or [scenario.outcome])
    problems += _outcomes(root, outcomes, scenario)
    weeks = _weeks(root, spec.weeks, scenario, problems)
    replications, rule = _replications(root, spec, outcomes, problems)
    if not problems:
        problems += _size(root, layouts) or _probe(root, scenario, layouts)
    if problems:
        raise SpecError(sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line or 0)))
    said_notes = [note for layout in layouts.values() for note in notes(layout)]
    if spec.replications is None and spec.engine != "flow":
        said_notes.append(f"replications: {REPLICATIONS} a point, as the file gives none")
    return Sweep(
        str(file), root, loaded, spec.name, spec.engine,
        scenario.seed if spec.seed is None else spec.seed, replications, rule, outcomes, weeks,
        layouts["levers"], layouts["uncertainties"], spec.within or WITHIN, tuple(said_notes),
    )  # fmt: skip


def _existing(path: FilePath) -> FilePath:
    """The file itself, or the shipped copy of `scenarios/STUDY/sweep.yaml`."""
    if not path.exists() and not path.is_absolute() and ".." not in path.parts:
        parts = path.parts[1:] if path.parts[:1] == ("scenarios",) else path.parts
        packaged = shipped_folder().joinpath(*parts)
        path = packaged if parts and packaged.is_file() else path
    if path.is_dir():
        hint = f"Name a file in it, e.g. {path / 'sweep.yaml'}."
        raise SpecError([Problem(str(path), None, "", "is a folder, not a sweep file.", hint)])
    if not path.is_file():
        near = [str(p) for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        hint = nearest(str(path), near)
        message = "there is no such file" + ("." if hint else "")
        raise SpecError([Problem(str(path), None, "", message, hint)])
    return path


def _text(file: FilePath) -> str:
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        why = (error.strerror or "cannot be read").lower()
        raise SpecError([Problem(str(file), None, "", f"cannot be read: {why}")]) from None
    except UnicodeDecodeError:
        raise SpecError([Problem(str(file), None, "", "is not UTF-8 text")]) from None
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        message = "empty; a sweep has at least a scenario, and levers or uncertainties"
        raise SpecError([Problem(str(file), None, "", message)])
    return text


_TOP = tuple(fields(SweepFile))
_SIDE, _AXIS, _RANGE, _UNTIL = (tuple(fields(m)) for m in (Side, Axis, Range, Until))


def _unknown(root: Node) -> list[Problem]:
    """Keys that have no meaning where they stand."""
    found = _strange(root, root, (), _TOP)
    found += _strange(root, root.child("replications"), ("replications",), _UNTIL)
    for side in SIDES:
        node = root.child(side)
        found += _strange(root, node, (side,), _SIDE)
        axes = node.child("axes") if node is not None else None
        for key, axis in axes.items() if axes is not None else []:
            path: Path = (side, "axes", key)
            found += _strange(root, axis, path, (*_AXIS, *_RANGE))
            for verb in ("set", "scale", "add"):
                found += _strange(root, axis.child(verb), (*path, verb), _RANGE)
    return found


def _strange(root: Node, node: Node | None, path: Path, known: tuple[str, ...]) -> list[Problem]:
    if node is None or not node.is_mapping:
        return []
    return [
        problem(root, (*path, key), f"unknown key '{key}'", nearest(str(key), known))
        for key, _ in node.items()
        if key not in known
    ]


def _truths(root: Node, path: Path = ()) -> list[Problem]:
    """True and false, which have no place in a sweep file and which pydantic reads as 1 and 0."""
    found: list[Problem] = []
    for key, node in root.items():
        if isinstance(node.value, bool):
            where = ".".join(map(str, (*path, key)))
            message = f"{str(node.value).lower()} has no meaning here"
            found.append(Problem(node.file, node.line, where, message))
        found += _truths(node, (*path, key))
    return found


def _scenario(said: Node, root: Node, file: FilePath) -> str | FilePath:
    name = str(said.value)
    if name in archetypes():
        return name
    folder = file.parent.resolve()
    target = file.parent / name
    if "\0" in name or FilePath(name).is_absolute() or not target.resolve().is_relative_to(folder):
        message = f"'{name}' must be an archetype or a file within the sweep's own folder"
        raise SpecError([problem(root, ("scenario",), message)])
    if not target.is_file():
        near = [p.name for p in file.parent.glob("*.y*ml") if p != file]
        hint = nearest(name, [*near, *archetypes()])
        raise SpecError([problem(root, ("scenario",), f"there is no file '{name}'", hint)])
    return target


def _layout(
    side: str, spec: Side | None, loaded: Loaded, root: Node, file: FilePath, out: list[Problem]
) -> Layout:
    if spec is None:
        return Layout()
    reader = axes_module.Reader(side, loaded, root, out)
    if spec.design == "csv":
        found = reader.csv(file, str(spec.file))
        return Layout(*found[:1], "csv", 0, spec.seed, found[1])
    axes = [reader.axis(pattern, axis, spec.design) for pattern, axis in spec.axes.items()]
    known = tuple(axis for axis in axes if axis is not None)
    return Layout(known, spec.design, spec.points or 0, spec.seed)


def _overlaps(root: Node, layouts: dict[str, Layout]) -> list[Problem]:
    """Two axes that reach the same number: the result would hang on their order."""
    seen: dict[str, str] = {}
    found = []
    for side, layout in layouts.items():
        for axis in layout.axes:
            both = next((p for p in axis.paths if p in seen), None)
            if both is not None:
                message = f"reaches {both}, which the axis '{seen[both]}' reaches too"
                found.append(problem(root, (side, "axes", axis.pattern), message))
            seen.update(dict.fromkeys(axis.paths, axis.name))
    return found


def _outcomes(root: Node, outcomes: tuple[str, ...], scenario: Scenario) -> list[Problem]:
    found = []
    for i, name in enumerate(outcomes):
        strange = unknown(name, list(scenario.teams), list(scenario.stages))
        if strange:
            found.append(problem(root, ("outcomes", i), strange))
        elif name in outcomes[:i]:
            found.append(problem(root, ("outcomes", i), f"'{name}' stands here a second time"))
    return found


def _weeks(
    root: Node, given: list[Any] | None, scenario: Scenario, out: list[Problem]
) -> tuple[float, ...]:
    if given is None:
        return (scenario.horizon,)
    weeks: list[float] = []
    for i, item in enumerate(given):
        try:
            week = week_of(item, scenario.start)
        except ValueError as error:
            out.append(problem(root, ("weeks", i), str(error)))
            continue
        if not 0 < week <= scenario.horizon:
            message = f"week {week:g} is outside the run (0 to {scenario.horizon:g} weeks)"
            out.append(problem(root, ("weeks", i), message))
        elif week in weeks:
            out.append(problem(root, ("weeks", i), f"week {week:g} stands here a second time"))
        weeks.append(week)
    return tuple(sorted(weeks))


def _replications(
    root: Node, spec: SweepFile, outcomes: tuple[str, ...], out: list[Problem]
) -> tuple[int, Rule | None]:
    given = spec.replications
    if spec.engine == "flow":
        if given not in (None, 1):
            message = "the flow engine has no chance in it: all replications are the same"
            out.append(problem(root, ("replications",), message, "Leave them out."))
        return 1, None
    if not isinstance(given, Until):
        return (REPLICATIONS if given is None else given), None
    name = given.of or outcomes[0]
    if name not in outcomes:
        message = f"'{name}' is not among the outcomes that are kept"
        hint = nearest(name, outcomes)
        out.append(problem(root, ("replications", "of"), message, hint))
        return given.most, None
    return given.most, Rule(outcomes.index(name), given.precision, given.most)


def _size(root: Node, layouts: dict[str, Layout]) -> list[Problem]:
    points = 1
    for layout in layouts.values():
        points *= layout.size
    if points <= MOST_POINTS:
        return []
    sizes = " x ".join(f"{layout.size:,} {side}" for side, layout in layouts.items())
    message = f"{sizes} make {points:,} points, more than the {MOST_POINTS:,} that a sweep may have"
    return [problem(root, (), message, "Take fewer values, or a sampled design such as sobol.")]


def _probe(root: Node, scenario: Scenario, layouts: dict[str, Layout]) -> list[Problem]:
    """What is wrong at each value of each axis alone, and at some points of the design."""
    found: list[Problem] = []
    for side, layout in layouts.items():
        for i, axis in enumerate(layout.axes):
            tried = levels(axis) if layout.design != "csv" else tuple(r[i] for r in layout.rows)
            for value in itertools.islice(dict.fromkeys(tried), PROBES):
                why = _trial(scenario, [axis], [value])
                if why:
                    text = f"at {value:g}: {why}"
                    found.append(problem(root, _place(side, layout, axis.pattern), text))
                    break
    if found:
        return found
    for side, layout in layouts.items():
        points = lay(layout)
        for row in points[:: max(1, len(points) // PROBES)]:
            why = _trial(scenario, list(layout.axes), row.tolist())
            if why:
                named = zip(layout.axes, row.tolist(), strict=True)
                at = ", ".join(f"{a.name} {v:g}" for a, v in named)
                return [problem(root, _place(side, layout, None), f"at {at}: {why}")]
    return []


def _place(side: str, layout: Layout, pattern: str | None) -> Path:
    if layout.design == "csv" or pattern is None:
        return (side, "file") if layout.design == "csv" else (side,)
    return (side, "axes", pattern)


def _trial(scenario: Scenario, axes: list[Any], values: list[float]) -> str:
    """What is wrong with the scenario at a point; empty if nothing is."""
    try:
        changed = apply(scenario, axes, values)
    except SpecError as error:
        p = error.problems[0]
        return f"{p.path}: {p.message}"
    for path, message, hint in findings(changed):
        where = ".".join(map(str, path))
        return f"{where}: {message}" + (f". {hint}" if hint else "")
    return ""
