"""What pydantic found, in one clear line each, at the line of the file that it is about."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Final

from pydantic import ValidationError

from simulator.errors import Problem
from simulator.spec.shape import Path, fields, model_at
from simulator.spec.yamltree import Node, stop


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint with the nearest known word, or with all of them when they are few."""
    words = sorted(set(known))
    near = difflib.get_close_matches(word, words, n=1, cutoff=0.6) or [
        w for w in words if w.lower() == word.lower()
    ]
    if near:
        return f"Did you mean '{near[0]}'?"
    return f"There are: {', '.join(words)}." if 0 < len(words) <= 12 else ""


def dotted(path: Path, root: Node) -> str:
    """A path as text; a handoff goes by its ends, as in ``handoffs.qualify>demo.accepted``."""
    parts = [str(p) for p in path]
    if len(path) > 1 and path[0] == "handoffs" and isinstance(path[1], int):
        node = find(root, path[:2])
        ends = [node.child(k) if node is not None else None for k in ("from", "to")]
        if all(e is not None and isinstance(e.value, str) for e in ends):
            parts[1] = ">".join(e.value for e in ends if e is not None)
    return ".".join(parts)


def find(root: Node, path: Path) -> Node | None:
    """The node at a path, or None."""
    node: Node | None = root
    for key in path:
        node = node.child(key) if node is not None else None
    return node


def locate(root: Node, path: Path) -> tuple[str, int | None]:
    """File and line of the key at a path, or of the nearest thing above that was written."""
    node, file, line = root, root.file, None
    for key in path:
        below = node.child(key)
        if below is None:
            break
        file, line = below.file, below.line
        if isinstance(key, str) and node.is_mapping and below.is_scalar:
            key_line = node.key_lines.get(key, line)
            line = key_line if abs(key_line - line) <= 1 else line
        elif isinstance(key, str) and below.line - 1 == node.key_lines.get(key):
            line = node.key_lines[key]
        node = below
    return file, line


def problem(root: Node, path: Path, message: str, hint: str = "") -> Problem:
    """A problem at a path of the merged tree."""
    file, line = locate(root, path)
    return Problem(file, line, dotted(path, root), stop(message, hint), hint)


def explain(error: ValidationError, root: Node) -> list[Problem]:
    """One problem for each thing wrong; the arms of a union are not told apart to the user."""
    grouped: dict[Path, list[dict[str, Any]]] = {}
    for item in error.errors(include_url=False, include_context=True):
        path = _real(item["loc"], item["type"], root)
        grouped.setdefault(path, []).append(dict(item))
    found = []
    for path, items in grouped.items():
        node = find(root, path)
        # Where a mapping was wrong inside, the other arms of its union have nothing to add.
        inside = any(len(p) > len(path) and p[: len(path)] == path for p in grouped)
        if inside and node is not None and all(i["type"] in _SHAPES for i in items):
            continue
        found.append(problem(root, path, *_words(_best(items, node), items, path, node)))
    return found


_SHAPES: Final = frozenset(
    ["literal_error", "string_type", "dict_type", "model_type", "model_attributes_type"]
)


def _real(loc: tuple[str | int, ...], kind: str, root: Node) -> Path:
    """The path in the file: names of union arms and of keys' checks left out."""
    path: list[str | int] = []
    node: Node | None = root
    for i, key in enumerate(loc):
        below = node.child(key) if node is not None else None
        if below is not None:
            path.append(key)
            node = below
        elif kind == "missing" and i == len(loc) - 1:
            path.append(key)
    return tuple(path)


def _best(items: list[dict[str, Any]], node: Node | None) -> dict[str, Any]:
    """Of the complaints of a union's arms, the one about the form that was meant."""
    wrong_form = {"literal_error", "string_type"} if node is not None and node.is_mapping else {
        "dict_type", "model_type", "model_attributes_type"
    }  # fmt: skip
    fitting = [i for i in items if i["type"] not in wrong_form] or items
    own = [i for i in fitting if i["type"] == "value_error"]
    return (own or fitting)[0]


def _words(
    item: dict[str, Any], items: list[dict[str, Any]], path: Path, node: Node | None
) -> tuple[str, str]:
    """Message and hint for one complaint of pydantic."""
    kind, context = item["type"], item.get("ctx") or {}
    shown = "this mapping" if node is not None and node.is_mapping else "this list"
    if node is None or node.is_scalar:
        value = node.value if node is not None else item.get("input")
        shown = _shown(value)
    if "[key]" in item["loc"]:
        rule = "starts with a small letter and has small letters, digits and _ only"
        return f"the name '{path[-1] if path else ''}' cannot be used", f"A name {rule}."
    if kind == "extra_forbidden":
        model = model_at(path[:-1])
        return f"unknown key '{path[-1]}'", nearest(str(path[-1]), fields(model) if model else ())
    if kind == "missing":
        return "missing", _example(path)
    if kind == "value_error":
        text = str(item["msg"]).removeprefix("Value error, ")
        others = [i for i in items if i["type"] == "literal_error"]
        return text, (f"Or {others[0]['ctx']['expected']}." if others else "")
    if kind == "literal_error":
        choices = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        hint = "" if len(choices) == 1 else nearest(str(getattr(node, "value", "")), choices)
        return f"{shown} is not one of {', '.join(choices)}", hint if "mean" in hint else ""
    bounds = {
        "greater_than_equal": ("ge", "must be at least"),
        "greater_than": ("gt", "must be above"),
        "less_than_equal": ("le", "must be at most"),
        "less_than": ("lt", "must be below"),
    }
    if kind in bounds:
        key, words = bounds[kind]
        return f"{shown} {words} {_number(context[key])}", ""
    plain = {
        "dict_type": "a mapping of names is wanted, not {}",
        "model_type": "a mapping is wanted, not {}",
        "model_attributes_type": "a mapping is wanted, not {}",
        "list_type": "a list is wanted, not {}",
        "string_type": "a text is wanted, not {}; a number or true can be a text in quotes",
        "int_type": "a whole number is wanted, not {}",
        "int_parsing": "a whole number is wanted, not {}",
        "int_from_float": "a whole number is wanted, not {}",
        "bool_type": "true or false is wanted, not {}",
        "bool_parsing": "true or false is wanted, not {}",
        "date_type": "a date is wanted, like 2026-01-05, not {}",
        "date_parsing": "a date is wanted, like 2026-01-05, not {}",
        "date_from_datetime_parsing": "a date is wanted, like 2026-01-05, not {}",
        "date_from_datetime_inexact": "a date without a time of day is wanted, not {}",
        "finite_number": "{} is not a finite number",
    }
    if kind in plain:
        return plain[kind].format(shown), ""
    if kind == "string_pattern_mismatch":
        if path and path[-1] == "currency":
            return f"{shown} is not a currency code of three capitals, like USD", ""
        return f"{shown} cannot be a name", "Names have small letters, digits and _ only."
    if kind == "too_short":
        return f"must have at least {context['min_length']}", ""
    if kind in ("too_long", "string_too_long"):
        return str(item["msg"]).replace("should", "must"), ""
    return str(item["msg"]), ""


def _shown(value: object) -> str:
    text = "true" if value is True else "false" if value is False else str(value)
    text = text if len(text) <= 64 else text[:61] + "..."
    return f"'{text}'" if isinstance(value, str) else text


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _example(path: Path) -> str:
    """What to write where something is missing."""
    known = {
        "mean": "Give the mean, e.g. {mean: 3 h}.",
        "now": "Give today's volume, e.g. {now: 35/week}.",
        "headcount": "Give the number of people, e.g. headcount: 4.",
        "channels": "Give at least one channel.",
        "stages": "Give at least one stage.",
        "good_fit": "Give it for both, or one share for both, e.g. 60%.",
        "poor_fit": "Give it for both, or one share for both, e.g. 60%.",
        "accounts": "Give the number of accounts, e.g. 12000.",
        "share": "Give the share, e.g. 10%.",
    }
    return known.get(str(path[-1]), "") if path else ""
