"""Quantities as people write them ("3 days", "27.3 kUSD/month", "30%"), as pydantic types.

Inside, the model has one unit for each: calendar time in weeks, work in hours, rates per week,
money in the scenario's currency, shares between 0 and 1.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from simulator.spec.measures import MAX_TEXT, WANTED, Kind, convert, fail, read, show

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema


@dataclass(frozen=True, slots=True)
class Quantity:
    """A kind of quantity: reads text to the model's own unit, and writes it back."""

    kind: Kind

    def parse(self, value: object, currency: str = "USD") -> float:
        """Value in the model's own unit.

        Raises ValueError, saying what was given, what is wanted, and an example.
        """
        kind = self.kind
        wanted, example = WANTED[kind]
        if isinstance(value, bool):
            raise ValueError(f"{str(value).lower()} is not {wanted}, which is like {example}")
        if value is None or not isinstance(value, int | float | str):
            what = "nothing given" if value is None else f"a {_container(value)}"
            raise ValueError(f"{what}, where {wanted} is wanted, e.g. {example}")
        if isinstance(value, str):
            number = convert(read(value, kind), value, kind, currency)
        else:
            try:
                number = float(value)
            except OverflowError:
                raise fail("a very large number", kind, "too large") from None
            if not math.isfinite(number):
                raise fail(value, kind, "not a finite number")
            if kind not in ("share", "number", "count", "money") and number != 0:
                hint = " and a time" if kind == "money_rate" else ""
                raise ValueError(f"{value}: {wanted} needs a unit{hint}, e.g. {example}")
        if not math.isfinite(number):
            raise fail(value, kind, "too large")
        if kind == "share" and not 0 <= number <= 1:
            raise ValueError(_bad_share(value, number))
        return number

    def format(self, value: float, currency: str = "USD") -> str | float:
        """The text (or plain number) that reads back as exactly this value."""
        suffix = {
            "weeks": " weeks",
            "hours": " h",
            "hours_per_week": " h/week",
            "rate": "/week",
            "money": f" {currency}",
            "money_rate": f" {currency}/week",
        }.get(self.kind)
        if suffix is None:
            return int(value) if value == int(value) and abs(value) < 1e15 else value
        return f"{_plain(value)}{suffix}"

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        from pydantic_core import core_schema

        def validate(value: Any, info: core_schema.ValidationInfo) -> float:
            return self.parse(value, _context_currency(info))

        return core_schema.with_info_before_validator_function(validate, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        wanted, example = WANTED[self.kind]
        text: JsonSchemaValue = {
            "type": "string",
            "maxLength": MAX_TEXT,
            "description": f"{wanted}, e.g. {example}",
        }
        if self.kind == "share":
            return {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, text]}
        if self.kind in ("number", "count", "money"):
            return {"anyOf": [{"type": "number"}, text]}
        return {"anyOf": [text, {"const": 0}]}


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _container(value: object) -> str:
    return {dict: "mapping", list: "list", dt.date: "date"}.get(type(value), type(value).__name__)


def _bad_share(value: object, number: float) -> str:
    if number < 0:
        return f"{show(value)}: a share lies between 0 and 1 (0% and 100%), it is negative"
    plain = isinstance(value, int | float) or "%" not in str(value)
    hint = f". Did you mean '{number:g}%'?" if plain and number <= 100 else ", e.g. '30%' or 0.3"
    return f"{show(value)}: a share lies between 0 and 1 (0% and 100%){hint}"


def _context_currency(info: core_schema.ValidationInfo) -> str:
    context = info.context
    code = context.get("currency") if isinstance(context, dict) else None
    return code if isinstance(code, str) else "USD"


@dataclass(frozen=True, slots=True)
class MoneyOrRate:
    """A cost: once, or running; ``amount`` is then currency per week."""

    amount: float
    per_week: bool

    @classmethod
    def parse(cls, value: object, currency: str = "USD") -> MoneyOrRate:
        """Read "40 kUSD" or "60 kUSD/year"; raises ValueError."""
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            rate = bool(read(value, "money").units)
            kind: Kind = "money_rate" if rate else "money"
            return cls(Quantity(kind).parse(value, currency), rate)
        return cls(Quantity("money").parse(value, currency), False)

    def format(self, currency: str = "USD") -> str:
        """The text that reads back as exactly this value."""
        return str(
            Quantity("money_rate" if self.per_week else "money").format(self.amount, currency)
        )

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        from pydantic_core import core_schema

        def validate(value: Any, info: core_schema.ValidationInfo) -> MoneyOrRate:
            return cls.parse(value, _context_currency(info))

        return core_schema.with_info_plain_validator_function(
            validate, serialization=core_schema.plain_serializer_function_ser_schema(cls.format)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        text = "money once, e.g. '40 kUSD', or running, e.g. '60 kUSD/year'"
        return {
            "anyOf": [
                {"type": "string", "maxLength": MAX_TEXT, "description": text},
                {"type": "number"},
            ]
        }


Weeks = Annotated[float, Quantity("weeks")]
Hours = Annotated[float, Quantity("hours")]
HoursPerWeek = Annotated[float, Quantity("hours_per_week")]
Rate = Annotated[float, Quantity("rate")]
Money = Annotated[float, Quantity("money")]
MoneyRate = Annotated[float, Quantity("money_rate")]
Share = Annotated[float, Quantity("share")]
Number = Annotated[float, Quantity("number")]
Count = Annotated[float, Quantity("count")]
