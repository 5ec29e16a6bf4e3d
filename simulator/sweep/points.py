"""A point of a sweep: the scenario with some of its numbers changed, and what it is called by.

`change` is a pure function from a scenario to a scenario. Whatever is not changed stays the very
same object; the models on the way to a change are validated again, with all their rules.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from simulator.errors import Problem, SpecError
from simulator.spec.measures import Kind
from simulator.spec.schema import Handoff, Lever, Scenario
from simulator.spec.shape import fields, quantity_of
from simulator.spec.units import Quantity

KEY_BYTES: Final = 16


@dataclass(frozen=True)
class Axis:
    """One axis of a sweep in the model's own units.

    paths: the numbers that it reaches, base: what they are in the scenario. levels: the values
    there are, or None for all between low and high. at: week from which, None: the whole run.
    lever: the lever's other keys (at, over, cost) as written. kind: the quantity that it is.
    """

    name: str
    pattern: str
    verb: str
    paths: tuple[str, ...]
    base: tuple[float, ...]
    levels: tuple[float, ...] | None
    low: float
    high: float
    log: bool = False
    steps: int | None = None
    at: float | None = None
    lever: tuple[tuple[str, Any], ...] = ()
    kind: Kind | None = None

    def targets(self, value: float) -> list[tuple[str, float]]:
        """What each path becomes at a value."""
        if self.verb == "set":
            return [(path, value) for path in self.paths]
        if self.verb == "scale":
            return [(p, b * value) for p, b in zip(self.paths, self.base, strict=True)]
        return [(p, b + value) for p, b in zip(self.paths, self.base, strict=True)]

    def neutral(self) -> float:
        """The value at which nothing changes."""
        return {"set": self.base[0], "scale": 1.0, "add": 0.0}[self.verb]

    def changes(self, value: float) -> list[tuple[str, float]]:
        """What a point's name is made of: (what, value) of all that differs from the base."""
        if self.at is None:
            pairs = zip(self.targets(value), self.base, strict=True)
            return [(path, v) for (path, v), base in pairs if v != base]
        if all(v == b for (_, v), b in zip(self.targets(value), self.base, strict=True)):
            return []
        rest = ", ".join(f"{k} {v}" for k, v in self.lever)
        return [(f"{self.verb} {self.pattern}, {rest}", value)]


def apply(scenario: Scenario, axes: Sequence[Axis], values: Sequence[float]) -> Scenario:
    """The scenario at a point; raises SpecError where it cannot be."""
    numbers: dict[str, float] = {}
    levers: list[Lever] = []
    for axis, value in zip(axes, values, strict=True):
        if axis.at is None:
            numbers.update(axis.targets(value))
        elif axis.changes(value):
            levers.append(_lever(axis, value, scenario))
    changed = change(scenario, numbers)
    if levers:
        changed = changed.model_copy(update={"levers": [*changed.levers, *levers]})
    return changed


def _lever(axis: Axis, value: float, scenario: Scenario) -> Lever:
    operand: Any = float(value)
    if axis.verb != "scale" and axis.kind is not None:
        operand = _written(Quantity(axis.kind), value, scenario.currency)
    given = {axis.verb: axis.pattern, ("to" if axis.verb == "set" else "by"): operand}
    try:
        return Lever.model_validate(
            {**given, **dict(axis.lever)}, context={"currency": scenario.currency}
        )
    except ValidationError as error:
        raise SpecError([Problem(scenario.name, None, axis.pattern, _why(error))]) from None


def change(scenario: Scenario, numbers: Mapping[str, float]) -> Scenario:
    """The scenario with numbers set, by path, in the model's own units; raises SpecError."""
    tree: dict[str, Any] = {}
    for path, value in numbers.items():
        *above, last = path.split(".")
        here = tree
        for key in above:
            here = here.setdefault(key, {})
        here[last] = float(value)
    if not tree:
        return scenario
    update = {k: _below(getattr(scenario, k), v, k, scenario) for k, v in tree.items()}
    return scenario.model_copy(update=update)


def _below(value: Any, tree: Any, path: str, scenario: Scenario) -> Any:
    if isinstance(value, BaseModel):
        return _model(value, tree, path, scenario)
    if isinstance(value, dict):
        found = dict(value)
        for key, sub in tree.items():
            found[key] = _below(value[key], sub, f"{path}.{key}", scenario)
        return found
    if isinstance(value, list):
        return [_handoff(item, tree, path, scenario) for item in value]
    return tree


def _handoff(item: Handoff, tree: dict[str, Any], path: str, scenario: Scenario) -> Handoff:
    name = f"{item.from_}>{item.to}"
    if name not in tree:
        return item
    return _model(item, tree[name], f"{path}.{name}", scenario)  # type: ignore[no-any-return]


def _model(model: Any, tree: dict[str, Any], path: str, scenario: Scenario) -> Any:
    """A model with changes below it, validated by its own rules."""
    said: dict[str, Any] = {}
    for key, info in fields(type(model)).items():
        name = "from_" if key == "from" else key
        value = getattr(model, name)
        if key in tree:
            value = _below(value, tree[key], f"{path}.{key}", scenario)
        elif name not in model.model_fields_set:
            continue
        quantity = quantity_of(info)
        if quantity is not None and isinstance(value, float):
            value = _written(quantity, value, scenario.currency)
        elif quantity is not None and isinstance(value, dict):
            value = {k: quantity.format(v, scenario.currency) for k, v in value.items()}
        said[key] = value
    try:
        return type(model).model_validate(said, context={"currency": scenario.currency})
    except ValidationError as error:
        where = ".".join(str(k) for k in error.errors()[0]["loc"])
        full = f"{path}.{where}" if where else path
        raise SpecError([Problem(scenario.name, None, full, _why(error))]) from None


def _written(quantity: Any, value: float, currency: str) -> Any:
    text = quantity.format(abs(value), currency)
    if value >= 0:
        return text
    return f"-{text}" if isinstance(text, str) else -text


def _why(error: ValidationError) -> str:
    first = error.errors()[0]
    text = str(first["msg"]).removeprefix("Value error, ").replace("Input should", "must")
    given = first["input"]
    shown = f"{given} " if isinstance(given, str | int | float) and text[:4] == "must" else ""
    return shown + text


def key_of(identity: bytes, changes: Iterable[tuple[str, float]]) -> bytes:
    """What a point is called by: 16 bytes of a hash of the sweep's identity and what differs."""
    content = hashlib.blake2b(identity, digest_size=KEY_BYTES)
    for path, value in sorted(changes):
        content.update(path.encode())
        content.update(b"\0")
        content.update(struct.pack("<d", value + 0.0))
    return content.digest()
