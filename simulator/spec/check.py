"""What a scenario rests on: assumptions nobody stated, levers that cost nothing, JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from simulator.spec.book import BOOK, SPREADS, Assumption
from simulator.spec.load import Loaded
from simulator.spec.measures import MAX_TEXT
from simulator.spec.paths import Leaf, leaves, match
from simulator.spec.schema import Lever, Scenario
from simulator.spec.shape import SHORT_FOR, arms, fields, quantity_of
from simulator.spec.units import MoneyOrRate

BOOK_ORIGIN: Final = "parameter book"
_IMPLIED: Final = ("spend", "headcount", "hiring", "cost", "cost_per_lead", "overhead")


@dataclass(frozen=True, slots=True)
class Row:
    """A number in force that the user did not state, as text in the units of its source."""

    path: str
    value: str
    low: str
    high: str
    grade: str
    source: str
    origin: str


@dataclass(frozen=True, slots=True)
class FreeLunch:
    """A lever with neither an implied nor a stated cost."""

    index: int
    path: str
    message: str


def assumptions(loaded: Loaded) -> list[Row]:
    """Every number in force that the user did not state, in the order of the scenario.

    Defaults of the book that matter to this scenario, and what an archetype states. Numbers
    that the user graded are the user's, and not here.
    """
    table = leaves(loaded.scenario)
    rows = [*_from_book(loaded, table), *_switched_off(loaded), *_spreads(loaded)]
    for path, origin in loaded.stated.items():
        if not origin.layer.startswith("archetype") or not _is_number(path, table):
            continue
        grade = loaded.graded.get(path)
        if grade is None:
            grade = Assumption(
                _written(loaded, table[path]), None, None, "D", "stated by the archetype"
            )
        rows.append(_row(path, grade, origin.layer))
    order = {name: i for i, name in enumerate(Scenario.model_fields)}
    return sorted(rows, key=lambda row: order.get(row.path.split(".")[0], len(order)))


def _is_number(path: str, table: dict[str, Leaf]) -> bool:
    return path in table and not path.startswith(("levers.", "horizon", "warm_up", "seed"))


def _written(loaded: Loaded, leaf: Leaf) -> str:
    value = float(f"{leaf.value:.6g}")
    if leaf.quantity is None:
        return f"{value:g}"
    return str(leaf.quantity.format(value, loaded.scenario.currency))


def _row(path: str, item: Assumption, origin: str) -> Row:
    value, low, high = ("" if v is None else str(v) for v in (item.value, item.low, item.high))
    source = f"{item.source}; {item.note}" if item.source and item.note else item.source
    return Row(path, value, low, high, item.grade, source or item.note, origin)


def _from_book(loaded: Loaded, table: dict[str, Leaf]) -> Iterator[Row]:
    """Defaults of the book that stand where nobody stated anything and that have an effect."""
    for path in table:
        key = _book_key(path)
        if key is None or path in loaded.stated or not _matters(loaded.scenario, path, table):
            continue
        yield _row(path, BOOK[key], BOOK_ORIGIN)


def _switched_off(loaded: Loaded) -> Iterator[Row]:
    """What the book has for what is off because nobody stated it."""
    if not _fit_matters(loaded.scenario):
        return
    for name, channel in loaded.scenario.channels.items():
        if channel.quality_loss is None and channel.leads is not None:
            key = "channels.*.quality_loss"
            yield _row(key.replace("*", name), BOOK[key], BOOK_ORIGIN)


def _book_key(path: str) -> str | None:
    """The key of the book for a path, where it has one."""
    if path.startswith("buyer.reference."):
        return None  # follows the book's conditions; what is stated there is the user's
    keys = path.split(".")
    for pattern in BOOK:
        wanted = pattern.split(".")
        rest = keys[len(wanted) :]
        head = keys[: len(wanted)]
        if len(head) == len(wanted) and rest in ([], ["mean"], ["good_fit"], ["poor_fit"]):  # noqa: SIM102
            if all(w in ("*", k) for w, k in zip(wanted, head, strict=True)):
                return pattern
    return None


def _matters(scenario: Scenario, path: str, table: dict[str, Leaf]) -> bool:
    """Whether a default can have an effect in this scenario."""
    keys = path.split(".")
    if keys[0] == "buyer":
        return any(stage.decision for stage in scenario.stages.values())
    if keys[0] == "value":
        return scenario.value.mean > 0 and any(c.value is None for c in scenario.channels.values())
    if keys[0] == "customers" and keys[1] in ("onboarding_target", "late_churn"):
        return any(stage.after_sale for stage in scenario.stages.values())
    if keys[0] == "channels":
        channel = scenario.channels[keys[1]]
        if keys[-1] in ("saturation", "adstock"):
            return bool(channel.spend) and channel.leads is not None
        if keys[-1] == "good_fit":
            return _fit_matters(scenario)
    if keys[0] == "teams" and keys[-1] in ("ramp", "ramp_start", "hiring_lead"):
        if scenario.teams[keys[1]].hiring is not None:
            return True
        heads = f"teams.{keys[1]}.headcount"
        return any(heads in match(lever.path, table) for lever in scenario.levers)
    if keys[0] == "teams" and keys[-1] == "attainment":
        return scenario.teams[keys[1]].quota is not None
    if keys[0] == "handoffs":
        index = [f"{h.from_}>{h.to}" for h in scenario.handoffs].index(keys[1])
        return scenario.handoffs[index].accepted < 1
    return True


def _fit_matters(scenario: Scenario) -> bool:
    shares = [s.advance for s in scenario.stages.values()] + [scenario.buyer.odds.us]
    return any(s.good_fit != s.poor_fit for s in shares)


def _spreads(loaded: Loaded) -> Iterator[Row]:
    """Laws and coefficients of variation that nobody stated."""
    scenario = loaded.scenario
    places: list[tuple[str, str, Any]] = []
    for name, stage in scenario.stages.items():
        base = f"stages.{name}"
        places += [
            (f"{base}.effort", "effort", stage.effort),
            (f"{base}.buyer_time", "buyer_time", stage.buyer_time),
            (f"{base}.patience", "patience", stage.patience),
            (
                f"{base}.recycle.delay",
                "recycle_delay",
                stage.recycle.delay if stage.recycle else None,
            ),
        ]
    for handoff in scenario.handoffs:
        places.append(
            (f"handoffs.{handoff.from_}>{handoff.to}.delay", "handoff_delay", handoff.delay)
        )
    if scenario.market is not None:
        places.append(("market.cool_down", "cool_down", scenario.market.cool_down))
    for path, use, item in places:
        if item is None or item.mean == 0 or item.cv is not None or item.order is not None:
            continue
        if item.law in ("exponential", "deterministic"):
            continue
        law = item.law or SPREADS[use][0]
        found = _row(f"{path}.cv", BOOK[f"{use}.cv"], BOOK_ORIGIN)
        yield Row(
            found.path,
            f"{found.value}, {law}",
            found.low,
            found.high,
            found.grade,
            found.source,
            found.origin,
        )


def free_lunches(loaded: Loaded) -> list[FreeLunch]:
    """Levers that neither touch what costs money nor state a cost."""
    table = leaves(loaded.scenario)
    found = []
    for index, lever in enumerate(loaded.scenario.levers):
        targets = match(lever.path, table)
        if lever.cost is not None or not targets or all(_implies_cost(t) for t in targets):
            continue
        if _no_change(lever):
            continue
        message = "this lever would be a free lunch: state its cost, e.g. cost: 60 kUSD/year"
        found.append(FreeLunch(index, lever.path, message))
    return found


def _implies_cost(path: str) -> bool:
    return path.rsplit(".", 1)[-1] in _IMPLIED


def _no_change(lever: Lever) -> bool:
    return lever.verb == "scale" and lever.operand in (1, 1.0, "100%", "1")


_GRADES: Final = {"type": "string", "enum": ["A", "B", "C", "D"]}


def json_schema() -> dict[str, Any]:
    """JSON Schema of a scenario file, for editors: texts with units, shorthands, graded forms.

    A file may state only what differs from what it extends, so nothing is required.
    """
    schema = Scenario.model_json_schema(by_alias=True, mode="validation")
    models = {model.__name__: model for model in _models(Scenario)}
    for name, definition in schema.get("$defs", {}).items():
        if name in models:
            _open(definition, models[name])
    _open(schema, Scenario)
    # What the loader spells out before the rest is read.
    parts = {"value": {}, "stages": {"type": "object"}, "buyer": {"type": "object"},
             "handoffs": {"type": "object"}}  # fmt: skip
    segment = {"type": ["object", "null"], "properties": parts, "additionalProperties": False}
    schema["properties"]["segments"] = {
        "type": ["object", "null"],
        "description": "kinds of business side by side: each has its own copy of the stages",
        "additionalProperties": segment,
    }
    schema["$defs"]["Channel"]["properties"]["segment"] = {"type": "string"}
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "growthsim scenario"
    schema["$defs"]["Graded"] = {
        "type": "object",
        "description": "a value with its range, grade and source",
        "properties": {
            "value": {"type": ["string", "number"]},
            **{key: {"type": ["string", "number"]} for key in ("low", "high", "se")},
            "grade": _GRADES,
            "source": {"type": "string"},
            "note": {"type": "string"},
        },
        "required": ["value"],
        "additionalProperties": False,
    }
    return schema


def _models(model: type[BaseModel], seen: set[type[BaseModel]] | None = None) -> set[type]:
    """All models that a model is made of."""
    seen = seen if seen is not None else set()
    if model in seen:
        return set(seen)
    seen.add(model)
    todo = [info.annotation for info in model.model_fields.values()]
    while todo:
        for arm in arms(todo.pop()):
            if isinstance(arm, type) and issubclass(arm, BaseModel):
                _models(arm, seen)
            else:
                todo.extend(getattr(arm, "__args__", ()))
    return set(seen)


def _open(definition: dict[str, Any], model: type[BaseModel]) -> None:
    """Let the fields of a model be written in all the ways that a file may."""
    definition.pop("required", None)
    known = fields(model)
    for key, field_schema in definition.get("properties", {}).items():
        info = known.get(key)
        if info is None:
            continue
        forms: list[dict[str, Any]] = []
        short = _short(field_schema)
        if short is not None:
            forms = [{"type": "string", "maxLength": MAX_TEXT}, {"type": "number"}]
        amount = quantity_of(info) is not None or MoneyOrRate in arms(info.annotation)
        if short is not None or (amount and not _is_container(field_schema)):
            forms.append({"$ref": "#/$defs/Graded"})
        forms.append({"type": "null"})
        description = field_schema.pop("description", None)
        default = field_schema.pop("default", None)
        title = field_schema.pop("title", None)
        wrapped = {"anyOf": [*_alternatives(field_schema), *forms]}
        field_schema.clear()
        field_schema.update(wrapped)
        for name, value in (("title", title), ("description", description), ("default", default)):
            if value is not None:
                field_schema[name] = value


def _alternatives(schema: dict[str, Any]) -> list[dict[str, Any]]:
    if set(schema) == {"anyOf"}:
        return [s for s in schema["anyOf"] if s != {"type": "null"}]
    return [dict(schema)]


def _is_container(schema: dict[str, Any]) -> bool:
    return any(s.get("type") in ("object", "array") for s in _alternatives(schema))


def _short(schema: dict[str, Any]) -> str | None:
    """The model that a bare value may stand for here."""
    names = {model.__name__ for model in SHORT_FOR}
    for form in _alternatives({k: v for k, v in schema.items() if k in ("anyOf", "$ref")}):
        name = str(form.get("$ref", "")).rsplit("/", 1)[-1]
        if name in names:
            return name
    return None
