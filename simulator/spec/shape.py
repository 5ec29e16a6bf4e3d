"""The shape of the schema: which model or quantity stands at a path, and what is short for what."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from simulator.spec.quantities import ByFit, Delay, Effort
from simulator.spec.schema import Leads, Scenario
from simulator.spec.units import MoneyOrRate, Quantity

Path = tuple[str | int, ...]

SHORT_FOR: Final[dict[type[BaseModel], tuple[str, ...]]] = {
    Effort: ("mean",),
    Delay: ("mean",),
    Leads: ("now",),
    ByFit: ("good_fit", "poor_fit"),
}
"""A bare value in the place of the model stands for these of its keys."""


def arms(annotation: Any) -> Iterator[Any]:
    """The arms of a union, with Annotated and aliases taken off."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from arms(typing.get_args(annotation)[0])
    elif origin in (typing.Union, types.UnionType):
        for arm in typing.get_args(annotation):
            yield from arms(arm)
    else:
        yield annotation


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the key that a file uses."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def at(path: Path) -> list[Any]:
    """The types that may stand at a path: models, containers or plain types; [] if unknown."""
    here: list[Any] = [Scenario]
    for key in path:
        there: list[Any] = []
        for arm in here:
            origin = typing.get_origin(arm)
            if isinstance(arm, type) and issubclass(arm, BaseModel):
                info = fields(arm).get(str(key))
                if info is not None:
                    there.extend(arms(info.annotation))
            elif origin is dict:
                there.extend(arms(typing.get_args(arm)[1]))
            elif origin is list:
                there.extend(arms(typing.get_args(arm)[0]))
        here = there
    return here


def model_at(path: Path) -> type[BaseModel] | None:
    """The model at a path."""
    for arm in at(path):
        if isinstance(arm, type) and issubclass(arm, BaseModel):
            return arm
    return None


def quantity_of(info: FieldInfo) -> Quantity | None:
    """The quantity of a field, wherever its annotation carries it."""
    for item in info.metadata:
        if isinstance(item, Quantity):
            return item
    return _quantity(info.annotation)


def _quantity(annotation: Any) -> Quantity | None:
    if typing.get_origin(annotation) is typing.Annotated:
        for item in typing.get_args(annotation)[1:]:
            if isinstance(item, Quantity):
                return item
    for arg in typing.get_args(annotation):
        found = _quantity(arg)
        if found is not None:
            return found
    return None


def quantity_at(path: Path) -> Quantity | None:
    """The quantity at a path, a shorthand's included; None where there is none."""
    if not path:
        return None
    model = model_at(path)
    if model is not None:
        short = SHORT_FOR.get(model)
        return quantity_of(fields(model)[short[0]]) if short else None
    for arm in at(path[:-1]):
        if isinstance(arm, type) and issubclass(arm, BaseModel):
            info = fields(arm).get(str(path[-1]))
            if info is not None:
                return quantity_of(info)
        elif typing.get_origin(arm) in (dict, list):
            return _quantity(arm)
    parent = fields(m).get(str(path[-2])) if (m := model_at(path[:-2])) and len(path) > 1 else None
    return quantity_of(parent) if parent is not None else None


def written(value: Any, currency: str) -> Any:
    """A model as plain mappings with units, which reads back as exactly the same model."""
    if isinstance(value, BaseModel):
        found: dict[str, Any] = {}
        decision = getattr(value, "decision", False)
        for key, info in fields(type(value)).items():
            item = getattr(value, "from_" if key == "from" else key)
            if item is None or (decision and key == "advance"):
                continue
            quantity = quantity_of(info)
            if isinstance(item, float) and quantity is not None:
                found[key] = quantity.format(item, currency)
            elif quantity is not None and isinstance(item, list):
                found[key] = [quantity.format(i, currency) for i in item]
            elif quantity is not None and isinstance(item, dict):
                found[key] = {k: quantity.format(v, currency) for k, v in item.items()}
            else:
                found[key] = written(item, currency)
        return found
    if isinstance(value, MoneyOrRate):
        return value.format(currency)
    if isinstance(value, dict):
        return {k: written(v, currency) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [written(v, currency) for v in value]
    return value if isinstance(value, str | int | float | bool) else str(value)
