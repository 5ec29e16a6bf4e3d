"""YAML 1.2 as a tree that knows its lines, for text that strangers wrote.

Keys are texts; a key twice, an anchor, an alias or a tag is an error; size, depth and number of
nodes are limited. Plain scalars are read by the core schema of YAML 1.2: ``no`` is a text and
``1e3`` is a number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from simulator.errors import Problem, SpecError
from simulator.spec.book import Assumption

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 32
MAX_NODES: Final = 50_000

Scalar = str | int | float | bool | None

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(slots=True)
class Node:
    """A value with the file, line and layer that stated it; a mapping's keys have lines too."""

    value: Any  # Scalar, dict[str, Node] or list[Node]
    file: str
    line: int
    layer: str = "user"
    key_lines: dict[str, int] = field(default_factory=dict)
    grade: Assumption | None = None

    @property
    def is_mapping(self) -> bool:
        """Whether it is a mapping."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.value, list)

    @property
    def is_scalar(self) -> bool:
        """Whether it is neither a mapping nor a list."""
        return not isinstance(self.value, dict | list)

    def child(self, key: str | int) -> Node | None:
        """The value under a key or index, if there is one."""
        if isinstance(self.value, dict):
            return self.value.get(str(key))
        if isinstance(self.value, list) and isinstance(key, int) and 0 <= key < len(self.value):
            item = self.value[key]
            assert isinstance(item, Node)
            return item
        return None

    def items(self) -> list[tuple[str | int, Node]]:
        """The keys or indices, and what stands there; nothing for a scalar."""
        if isinstance(self.value, dict):
            return list(self.value.items())
        return list(enumerate(self.value)) if isinstance(self.value, list) else []

    def plain(self) -> Any:
        """The value as mappings, lists and scalars; keys without a value are left out."""
        if isinstance(self.value, dict):
            return {k: n.plain() for k, n in self.value.items() if n.value is not None}
        if isinstance(self.value, list):
            return [n.plain() for n in self.value]
        return self.value


class _WrongError(Exception):
    """One problem, found while reading."""

    def __init__(self, line: int | None, message: str, hint: str = "", path: str = "") -> None:
        super().__init__(message)
        self.line, self.message, self.hint, self.path = line, message, hint, path


def stop(message: str, hint: str) -> str:
    """The message, ended with a full stop where a hint follows."""
    return f"{message}." if hint and message[-1:] not in ".?!" else message


def read_tree(text: str, file: str, layer: str = "user") -> Node:
    """The tree of one YAML document whose top is a mapping; raises SpecError."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise SpecError([Problem(file, None, "", f"larger than {MAX_BYTES:,} bytes")])
    reader = _Reader(file, layer)
    try:
        root = reader.document(_events(text))
    except _WrongError as wrong:
        message = stop(wrong.message, wrong.hint)
        problem = Problem(file, wrong.line, wrong.path, message, wrong.hint)
        raise SpecError([*reader.problems, problem]) from None
    if reader.problems:
        raise SpecError(reader.problems)
    return root


def _events(text: str) -> Iterator[Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    # Directives could switch to YAML 1.1; no scenario needs one.
    if re.search(r"^%", text, re.MULTILINE):
        line = text[: re.search(r"^%", text, re.MULTILINE).start()].count("\n") + 1  # type: ignore[union-attr]
        raise _WrongError(line, "directives (%) are not read")
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = " ".join(str(error.problem or error.context or "cannot be read").split())
        hint = "Indent with spaces, not tabs." if "\\t" in message else ""
        raise _WrongError(
            mark.line + 1 if mark else None, f"not valid YAML: {message}", hint
        ) from None
    except ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise _WrongError(
            line, "not valid YAML: a character that may not stand in a text"
        ) from None
    except (YAMLError, ValueError, AssertionError, IndexError, AttributeError) as error:
        raise _WrongError(None, f"not valid YAML: {' '.join(str(error).split())[:100]}") from None


class _Reader:
    def __init__(self, file: str, layer: str) -> None:
        self.file = file
        self.layer = layer
        self.nodes = 0
        self.problems: list[Problem] = []

    def document(self, events: Iterator[Any]) -> Node:
        root: Node | None = None
        for event in events:
            kind = type(event).__name__
            if kind in ("StreamStartEvent", "StreamEndEvent", "DocumentEndEvent", "CommentEvent"):
                continue
            if kind == "DocumentStartEvent":
                if root is not None:
                    raise _WrongError(_line(event), "a second document; a file holds one scenario")
                continue
            root = self._node(event, events, 1, "")
        if root is None or root.value is None:
            raise _WrongError(None, "empty; a scenario has at least channels and stages")
        if not root.is_mapping:
            raise _WrongError(
                root.line, "not a scenario: its top must be a mapping, like `name: ...`"
            )
        return root

    def _node(self, event: Any, events: Iterator[Any], depth: int, path: str) -> Node:
        kind = type(event).__name__
        line = _line(event)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _WrongError(line, f"more than {MAX_NODES:,} values")
        if depth > MAX_DEPTH:
            raise _WrongError(line, f"nested deeper than {MAX_DEPTH} levels")
        if kind == "AliasEvent" or getattr(event, "anchor", None) is not None:
            raise _WrongError(line, "anchors (&) and aliases (*) are not read", _QUOTE, path)
        tag = getattr(event, "tag", None) or getattr(event, "ctag", None)
        if tag is not None and str(tag) not in ("None", ""):
            raise _WrongError(line, f"tags (!) are not read: {str(tag)[:40]}", "", path)
        if kind == "ScalarEvent":
            value = event.value
            if event.style in (None, ""):
                value = _scalar(value)
            return Node(value, self.file, line, self.layer)
        if kind == "SequenceStartEvent":
            items: list[Node] = []
            for item in events:
                if type(item).__name__ == "SequenceEndEvent":
                    break
                items.append(self._node(item, events, depth + 1, f"{path}.{len(items)}".strip(".")))
            return Node(items, self.file, line, self.layer)
        return self._mapping(line, events, depth, path)

    def _mapping(self, line: int, events: Iterator[Any], depth: int, path: str) -> Node:
        found: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for item in events:
            if type(item).__name__ == "MappingEndEvent":
                break
            at = _line(item)
            if type(item).__name__ != "ScalarEvent":
                self._node(item, events, depth + 1, path)
                raise _WrongError(at, "a key must be a plain text", _QUOTE, path)
            key = self._node(item, events, depth + 1, path)
            name = item.value
            below = f"{path}.{name}" if path else name
            value = self._node(next(events), events, depth + 1, below)
            if value.value is None:
                value.line = at  # an empty value is marked where the next thing begins
            if name == "<<":
                raise _WrongError(at, "merge keys (<<) are not read", "Use `extends`.", path)
            if name in found:
                message = f"the key '{name}' stands here a second time."
                hint = f"The first is in line {lines[name]}."
                self.problems.append(Problem(self.file, key.line, below, message, hint))
                continue
            found[name] = value
            lines[name] = at
        return Node(found, self.file, line, self.layer, lines)


_QUOTE: Final = "Put texts with such signs in quotes."


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _scalar(text: str) -> Scalar:
    """A plain scalar by the core schema of YAML 1.2."""
    if text in _SPECIAL:
        return _SPECIAL[text]
    if len(text) <= 64:
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        if _NOT_FINITE.fullmatch(text):
            return float(text.replace(".", "", 1))
    return text


_PLAIN = re.compile(r"\w(?:[\w /%.+>-]*[\w%])?", re.ASCII)


def write_yaml(value: Any, indent: str = "") -> str:
    """Plain mappings, lists and scalars as YAML text that reads back as the same values.

    Keys keep their order; texts that could be taken for something else are quoted.
    """
    items = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    lines = []
    for key, item in items:
        head = "-" if key is None else f"{_text(key)}:"
        if isinstance(item, dict | list) and item:
            lines.append(f"{indent}{head}\n{write_yaml(item, indent + '  ')}")
        else:
            lines.append(f"{indent}{head} {_text(item)}\n")
    return "".join(lines)


def _text(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and isinstance(_scalar(value), str):
        return value
    return json.dumps(value, ensure_ascii=True)
