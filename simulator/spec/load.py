"""From a scenario file to a Scenario: layers merged, everything checked, nothing hidden."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Final

from pydantic import ValidationError

from simulator.errors import Problem, SpecError
from simulator.shipped import scenarios as shipped_folder
from simulator.spec.book import Assumption
from simulator.spec.crosscheck import findings, references
from simulator.spec.merge import first, idle_removals, normalise, overlay, settle
from simulator.spec.problems import dotted, explain, nearest, problem
from simulator.spec.schema import Scenario
from simulator.spec.segments import expand
from simulator.spec.shape import Path, quantity_at, written
from simulator.spec.yamltree import MAX_BYTES, Node, read_tree, stop, write_yaml

MAX_CHAIN: Final = 16
_NOT_INHERITED: Final = ("name", "story", "role")
_ARCHETYPE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a number was stated; layer is user, data or archetype:<name>."""

    file: str
    line: int
    layer: str


@dataclass(frozen=True)
class Loaded:
    """A scenario with where each of its numbers comes from."""

    scenario: Scenario
    files: tuple[FilePath, ...] = ()
    stated: dict[str, Origin] = field(default_factory=dict)
    graded: dict[str, Assumption] = field(default_factory=dict)

    def resolved(self) -> dict[str, Any]:
        """The whole scenario as plain mappings with units; loads again to the same scenario."""
        plain = written(self.scenario, self.scenario.currency)
        assert isinstance(plain, dict)
        plain.pop("extends", None)
        return plain

    def resolved_text(self) -> str:
        """The resolved scenario as the text of a file."""
        return write_yaml(self.resolved())


def load(path: str | FilePath) -> Loaded:
    """The scenario of a file, of a shipped study's file, or of a shipped archetype's name.

    Raises SpecError with every problem found.
    """
    file = _existing(FilePath(path))
    layers, files = _chain(_read(file), file, file.parent.resolve())
    return _finish(layers, tuple(files))


def load_text(text: str, name: str = "<text>", folder: str | FilePath | None = None) -> Loaded:
    """The scenario of a text; `extends` of a file needs the folder it may lie in."""
    root = FilePath(folder).resolve() if folder is not None else None
    layers, files = _chain(read_tree(text, name), None, root)
    return _finish(layers, tuple(files))


def archetypes() -> list[str]:
    """Names of the shipped archetypes."""
    return sorted(p.stem for p in (shipped_folder() / "archetypes").glob("*.yaml"))


def shipped_studies() -> list[str]:
    """Names of the shipped studies."""
    return sorted(p.parent.name for p in shipped_folder().glob("*/today.yaml"))


def shipped(name: str) -> FilePath:
    """The file of a shipped archetype or the folder of a shipped study; raises SpecError."""
    if name in archetypes():
        return shipped_folder() / "archetypes" / f"{name}.yaml"
    if name in shipped_studies():
        return shipped_folder() / name
    known = [*archetypes(), *shipped_studies()]
    message = "no archetype or study of this name comes with the program"
    hint = nearest(name, known)
    raise SpecError([Problem(name, None, "", stop(message, hint), hint)])


def find_study(folder: str | FilePath) -> tuple[FilePath, list[FilePath]]:
    """The today.yaml of a study's folder, and its variants by name; raises SpecError."""
    place = FilePath(folder)
    if not place.exists():
        place = _packaged(place) or place
    if not place.is_dir():
        message = "is a file, not a study's folder" if place.exists() else "there is no such folder"
        hint = nearest(place.name, shipped_studies())
        raise SpecError([Problem(str(folder), None, "", stop(message, hint), hint)])
    today = place / "today.yaml"
    if not today.is_file():
        message = "not a study: it has no today.yaml"
        raise SpecError([Problem(str(folder), None, "", message)])
    variants = [
        p
        for p in sorted(place.iterdir())
        if p.suffix in (".yaml", ".yml")
        and p.is_file()
        and p.name not in ("today.yaml", "sweep.yaml", "expect.yaml")
        and not p.name.startswith(("_", "."))
    ]
    return today, variants


def _packaged(path: FilePath) -> FilePath | None:
    """The shipped copy of `NAME`, `scenarios/NAME` or `scenarios/NAME/FILE`."""
    parts = path.parts
    if path.is_absolute() or ".." in parts or not parts:
        return None
    inside = parts[1:] if parts[0] == "scenarios" else parts
    candidate = shipped_folder().joinpath(*inside)
    return candidate if inside and candidate.exists() else None


def _existing(path: FilePath) -> FilePath:
    if not path.exists():
        if str(path) in archetypes():
            return shipped(str(path))
        packaged = _packaged(path)
        if packaged is None:
            near = [str(p) for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
            hint = nearest(str(path), near)
            message = stop("there is no such file", hint)
            raise SpecError([Problem(str(path), None, "", message, hint)])
        path = packaged
    if path.is_dir():
        hint = f"Name a file in it, e.g. {path / 'today.yaml'}."
        raise SpecError([Problem(str(path), None, "", "is a folder, not a scenario file.", hint)])
    return path


def _read(path: FilePath, layer: str = "user") -> Node:
    """The tree of a file."""
    shown = str(path)
    try:
        if not path.is_file():
            raise SpecError([Problem(shown, None, "", "is not a file")])
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        why = (error.strerror or "cannot be read").lower()
        raise SpecError([Problem(shown, None, "", f"cannot be read: {why}")]) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(raw) <= MAX_BYTES:
            line = raw[: error.start].count(b"\n") + 1
            message = "is not UTF-8 text"
            raise SpecError([Problem(shown, line, "", message)]) from None
        text = raw.decode("utf-8-sig", "replace")
    if len(raw) > MAX_BYTES:
        raise SpecError([Problem(shown, None, "", f"larger than {MAX_BYTES:,} bytes")])
    return read_tree(text, shown, layer)


def _chain(
    top: Node, file: FilePath | None, root: FilePath | None
) -> tuple[list[Node], list[FilePath]]:
    """The layers from the earliest to the top, and the files they are in."""
    layers, files = [top], [file] if file is not None else []
    names = [top.file]
    seen = {file.resolve()} if file is not None else set()
    node = top
    while (said := node.child("extends")) is not None and said.value is not None:
        if not isinstance(said.value, str) or not said.value.strip():
            raise _extends(said, "is the name of an archetype or of a file, e.g. mid-market-saas")
        if len(layers) >= MAX_CHAIN:
            raise _extends(said, f"more than {MAX_CHAIN} scenarios extend one another")
        target, layer, root = _target(said, file, root, node.layer)
        resolved = target.resolve()
        names.append(said.value)
        if resolved in seen:
            raise _extends(said, f"goes in a circle: {' -> '.join(names)}")
        seen.add(resolved)
        file, node = target, _read(target, layer)
        layers.append(node)
        files.append(target)
    return layers[::-1], files


def _extends(node: Node, message: str, hint: str = "") -> SpecError:
    return SpecError([Problem(node.file, node.line, "extends", stop(message, hint), hint)])


def _target(
    said: Node, file: FilePath | None, root: FilePath | None, layer: str
) -> tuple[FilePath, str, FilePath | None]:
    """The file that `extends` names, the layer it makes, and the folder it may not leave."""
    name = str(said.value)
    known = archetypes()
    if name in known:
        target = shipped(name)
        return target, f"archetype:{name}", target.parent.resolve()
    if _ARCHETYPE.fullmatch(name):
        hint = nearest(name, known) + " A file's name ends in .yaml."
        raise _extends(said, f"no archetype named '{name}'", hint.strip())
    if root is None:
        raise _extends(said, f"'{name}': a text without a folder can extend archetypes only")
    path = FilePath(name)
    if path.is_absolute() or "\\" in name or "\0" in name or len(name) > 500:
        raise _extends(said, f"'{name}' must be a path within the scenario's own folder")
    target = (file.parent if file is not None else root) / path
    if not target.resolve().is_relative_to(root):
        raise _extends(said, f"'{name}' lies outside the scenario's own folder")
    if not target.is_file():
        near = [p.name for p in target.parent.glob("*.y*ml")] if target.parent.is_dir() else []
        raise _extends(said, f"there is no file '{name}'", nearest(path.name, [*near, *known]))
    return target, layer, root


def _finish(layers: list[Node], files: tuple[FilePath, ...]) -> Loaded:
    problems: list[Problem] = []
    merged: Node | None = None
    for layer in layers:
        node = normalise(layer, problems)
        last = layer is layers[-1]
        hidden = {"extends"} if last else {"extends", *_inherit_not(node)}
        kept = {k: n for k, n in node.value.items() if k not in hidden}
        node = Node(kept, node.file, node.line, node.layer, node.key_lines)
        for path, idle in idle_removals(merged, node):
            message = "has no value, and there is nothing to remove."
            hint = f"Write `{path[-1]}: {{}}` to take all defaults."
            where = ".".join(map(str, path))
            problems.append(Problem(idle.file, idle.line, where, message, hint))
        merged = first(node) if merged is None else overlay(merged, node)
    assert merged is not None
    root = expand(settle(merged), problems)
    problems += _stray_truths(root)
    currency = root.child("currency")
    code = currency.value if currency is not None else "USD"
    try:
        scenario = Scenario.model_validate(
            root.plain(), context={"currency": code if isinstance(code, str) else "USD"}
        )
    except ValidationError as error:
        problems += explain(error, root)
        problems += [problem(root, *finding) for finding in references(root.plain())]
        raise SpecError(_in_order(problems)) from None
    problems += [problem(root, *finding) for finding in findings(scenario)]
    stated, graded = _provenance(root, scenario.currency, problems)
    if problems:
        raise SpecError(_in_order(problems))
    said = layers[-1].child("extends")
    if said is not None and isinstance(said.value, str):
        scenario = scenario.model_copy(update={"extends": said.value})
    return Loaded(scenario, files, stated, graded)


def _inherit_not(node: Node) -> tuple[str, ...]:
    return _NOT_INHERITED if node.layer.startswith("archetype") else ()


def _in_order(problems: list[Problem]) -> list[Problem]:
    """Each problem once, by file and line."""
    unique = list(dict.fromkeys(problems))
    return sorted(unique, key=lambda p: (p.file, p.line or 0))


def _stray_truths(root: Node, path: Path = ()) -> list[Problem]:
    """Booleans where a whole number stands: pydantic would read them as 1 and 0."""
    found: list[Problem] = []
    for key, node in root.items():
        if isinstance(node.value, bool) and key in ("seed", "priority", "order", "at_most"):
            message = f"a whole number is wanted, not {str(node.value).lower()}"
            where = ".".join(str(p) for p in (*path, key))
            found.append(Problem(node.file, node.line, where, message))
        found += _stray_truths(node, (*path, key))
    return found


def _provenance(
    root: Node, currency: str, problems: list[Problem]
) -> tuple[dict[str, Origin], dict[str, Assumption]]:
    """Where each value was stated, and the grades; complains of ranges that cannot be."""
    stated: dict[str, Origin] = {}
    graded: dict[str, Assumption] = {}

    def visit(node: Node, path: Path) -> None:
        for key, below in node.items():
            visit(below, (*path, key))
        if node.value is None or not node.is_scalar:
            return
        name = dotted(path, root)
        stated[name] = Origin(node.file, node.line, node.layer)
        if node.grade is not None:
            graded[name] = node.grade
            message = _bad_range(node.grade, path, currency)
            if message:
                problems.append(Problem(node.file, node.line, name, message))

    visit(root, ())
    return stated, graded


def _bad_range(grade: Assumption, path: Path, currency: str) -> str:
    quantity = quantity_at(path)
    if quantity is None:
        return ""
    numbers: dict[str, float] = {}
    for key in ("low", "value", "high", "se"):
        given = getattr(grade, key)
        if given is None:
            continue
        try:
            numbers[key] = quantity.parse(given, currency)
        except ValueError as error:
            return f"{key}: {error}"
    low, value = numbers.get("low"), numbers.get("value")
    high = numbers.get("high")
    if value is not None and low is not None and low > value:
        return f"low ({grade.low}) is above the value ({grade.value})"
    if value is not None and high is not None and high < value:
        return f"high ({grade.high}) is below the value ({grade.value})"
    return ""
