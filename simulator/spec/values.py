"""A scenario with other numbers in some places."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from simulator.spec.calendar import changes_of
from simulator.spec.paths import leaves
from simulator.spec.schema import Handoff, Scenario

Tree = dict[str, Any]


def with_values(scenario: Scenario, values: Mapping[str, float]) -> Scenario:
    """The scenario with numbers at dotted paths replaced. Values are in internal units.

    Nothing is checked here but that the paths are there. Raises KeyError for one that is not.
    """
    tree: Tree = {}
    for path, value in values.items():
        place = tree
        *keys, last = path.split(".")
        for key in keys:
            place = place.setdefault(key, {})
        place[last] = value
    changed = _put(scenario, tree, "")
    assert isinstance(changed, Scenario)
    return changed


def _put(item: Any, tree: Tree, path: str) -> Any:
    if isinstance(item, BaseModel):
        update: dict[str, Any] = {}
        for key, below in tree.items():
            if key not in type(item).model_fields:
                raise KeyError(f"{path}{key}")
            old = getattr(item, key)
            update[key] = _put(old, below, f"{path}{key}.") if isinstance(below, dict) else below
        return item.model_copy(update=update)
    if isinstance(item, dict):
        for key in tree:
            if key not in item:
                raise KeyError(f"{path}{key}")
        return {k: _put(v, tree[k], f"{path}{k}.") if k in tree else v for k, v in item.items()}
    if isinstance(item, list):
        keys = [f"{h.from_}>{h.to}" if isinstance(h, Handoff) else "" for h in item]
        for key in tree:
            if key not in keys:
                raise KeyError(f"{path}{key}")
        return [
            _put(h, tree[k], f"{path}{k}.") if k in tree else h
            for k, h in zip(keys, item, strict=True)
        ]
    raise KeyError(path.rstrip("."))


def in_the_end(scenario: Scenario) -> Scenario:
    """The scenario as its levers leave it at the horizon; the levers themselves stay."""
    table = leaves(scenario)
    when = math.nextafter(scenario.horizon, 0.0)
    found: dict[str, float] = {}
    for change in changes_of(scenario, table):
        found[change.path] = change.apply(found.get(change.path, table[change.path].value), when)
    return with_values(scenario, found)
