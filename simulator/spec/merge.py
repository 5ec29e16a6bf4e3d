"""Layers of a scenario: shorthands spelled out, grades taken off, later over earlier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, get_args

from simulator.errors import Problem
from simulator.spec.book import Assumption, Grade
from simulator.spec.shape import SHORT_FOR, Path, fields, model_at
from simulator.spec.units import Quantity
from simulator.spec.yamltree import Node

GRADED: Final = frozenset({"value", "low", "high", "se", "grade", "source", "note"})
_APPENDED: Final = (("levers",), ("shocks",), ("policies",), ("patterns",))
_SPREAD: Final = ("cv", "law", "order")


def _is_graded(node: Node, path: Path) -> bool:
    if not node.is_mapping or not path or "value" not in node.value:
        return False
    if path[-1] in ("lift", "next") or (len(path) == 2 and path[0] == "channels"):
        return False
    return set(node.value) <= GRADED and node.value["value"].is_scalar


def normalise(node: Node, problems: list[Problem], path: Path = ()) -> Node:
    """The tree with shorthands spelled out and graded forms reduced to their value.

    What a graded form said is kept in the ``grade`` of the value's node.
    """
    if _is_graded(node, path):
        node = _take_grade(node, problems, path)
    model = model_at(path) if node.is_scalar and node.value is not None else None
    if model in SHORT_FOR and not isinstance(node.value, bool):
        assert model is not None
        keys = SHORT_FOR[model]
        copies = {
            key: Node(node.value, node.file, node.line, node.layer, grade=node.grade)
            for key in keys
        }
        return Node(
            dict(copies), node.file, node.line, node.layer, dict.fromkeys(copies, node.line)
        )
    if node.is_mapping:
        node.value = {k: normalise(n, problems, (*path, k)) for k, n in node.value.items()}
    elif node.is_list:
        node.value = [normalise(n, problems, (*path, i)) for i, n in enumerate(node.value)]
    return node


def _take_grade(node: Node, problems: list[Problem], path: Path) -> Node:
    parts = {key: child.value for key, child in node.value.items()}
    value: Node = node.value["value"]
    grade = parts.get("grade", "D")
    where = ".".join(map(str, path))
    if grade not in get_args(Grade):
        line = node.value["grade"].line
        message = f"the grade is one of A, B, C, D, not {grade!r}"
        problems.append(Problem(node.file, line, f"{where}.grade", message))
        grade = "D"
    for key in ("low", "high", "se"):
        part = parts.get(key)
        if isinstance(part, bool | dict | list):
            message = f"{key} must be a quantity like the value"
            problems.append(Problem(node.file, node.value[key].line, f"{where}.{key}", message))
            parts[key] = None
    value.layer = "data" if parts.get("se") is not None else node.layer
    value.grade = Assumption(
        value=value.value,
        low=parts.get("low"),
        high=parts.get("high"),
        grade=grade,
        source=str(parts.get("source") or ""),
        note=str(parts.get("note") or ""),
        se=parts.get("se"),
    )
    return value


def idle_removals(base: Node | None, top: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Keys without a value that remove nothing and that no model knows: mistakes, mostly."""
    for key, node in top.items():
        below = base.child(key) if base is not None else None
        if node.value is None and below is None and top.is_mapping:
            model = model_at(path)
            if model is None or str(key) not in fields(model):
                yield (*path, key), node
        elif not node.is_scalar:
            yield from idle_removals(below, node, (*path, key))


def overlay(base: Node, top: Node, path: Path = ()) -> Node:
    """The later layer over the earlier one.

    Mappings merge key by key, a key without a value removes, everything else replaces; levers,
    shocks, policies and patterns of the top are appended to those of the base, but that a policy
    replaces the earlier one of its name, and a pattern the earlier one of its path. Handoffs merge
    by the stages that they join.
    """
    if not (base.is_mapping and top.is_mapping):
        if path in _APPENDED and base.is_list and top.is_list:
            kept = base.value
            if path == ("policies",):
                again = {_name(item) for item in top.value} - {None}
                kept = [item for item in kept if _name(item) not in again]
            if path == ("patterns",):
                again = {_moved(item) for item in top.value} - {None}
                kept = [item for item in kept if _moved(item) not in again]
            return Node([*kept, *top.value], top.file, top.line, top.layer)
        return top
    merged: dict[str, Node] = dict(base.value)
    lines = dict(base.key_lines)
    if path and _spread_restated(top):
        for key in _conflicting(base, top):
            merged.pop(key, None)
    for key, node in top.value.items():
        if node.value is None and key in merged:
            del merged[key]
        elif node.value is not None:
            merged[key] = overlay(merged[key], node, (*path, key)) if key in merged else node
        lines[key] = top.key_lines.get(key, node.line)
    if not path:
        _responses(base, top, merged)
        _handoffs(base, top, merged)
    return Node(merged, top.file, top.line, top.layer, lines)


def _handoffs(base: Node, top: Node, merged: dict[str, Node]) -> None:
    """Handoffs by their ends: the top's say what differs; those of stages that went go, too."""
    old, own = base.child("handoffs"), top.child("handoffs")
    if old is None or own is None or not (old.is_list and own.is_list):
        return
    stages = merged.get("stages")
    known = set(stages.value) if stages is not None and stages.is_mapping else None
    said = {ends: item for item in own.value if (ends := _ends(item)) is not None}
    found, used = list[Node](), set[int]()
    for item in old.value:
        ends = _ends(item)
        mine = None if ends is None else said.get(ends)
        if mine is not None:
            used.add(id(mine))
            found.append(overlay(item, mine, ("handoffs", 0)))
        elif ends is None or known is None or set(ends) <= known:
            found.append(item)
    found += [item for item in own.value if id(item) not in used]
    merged["handoffs"] = Node(found, own.file, own.line, own.layer)


def _ends(node: Node) -> tuple[str, str] | None:
    """The stages that a handoff joins."""
    found = [node.child(key) for key in ("from", "to")]
    names = [n.value for n in found if n is not None and isinstance(n.value, str)]
    return (names[0], names[1]) if len(names) == 2 else None


def _name(node: Node) -> str | None:
    said = node.child("name")
    return said.value if said is not None and isinstance(said.value, str) else None


def _moved(node: Node) -> str | None:
    """The path that a pattern moves."""
    said = [node.child(verb) for verb in ("set", "scale")]
    return next((n.value for n in said if n is not None and isinstance(n.value, str)), None)


def _spread_restated(top: Node) -> bool:
    return any(key in top.value for key in _SPREAD)


def _conflicting(base: Node, top: Node) -> list[str]:
    """Of cv, law and order, those of the base that the top's own make meaningless."""
    if "law" in top.value:
        return [k for k in ("cv", "order") if k not in top.value]
    if "order" in top.value:
        return ["cv", "law"]
    law = base.value.get("law")
    fixed = law is not None and law.value in ("erlang", "exponential", "deterministic")
    return ["order", "law"] if fixed else ["order"]


def _currency(root: dict[str, Node]) -> str:
    node = root.get("currency")
    return node.value if node is not None and isinstance(node.value, str) else "USD"


def _channels(root: Node | None) -> dict[str, Node]:
    node = root.value.get("channels") if root is not None and root.is_mapping else None
    found = node.value if node is not None and node.is_mapping else {}
    return {name: channel for name, channel in found.items() if channel.is_mapping}


def _leads(channel: Node | None) -> Node | None:
    node = channel.value.get("leads") if channel is not None else None
    return node if node is not None and node.is_mapping else None


def _priced(channel: Node, currency: str) -> Node | None:
    """Spend of a channel that states a cost per lead; None if that cannot be told."""
    cost = channel.value.get("cost_per_lead")
    leads = _leads(channel)
    now = leads.value.get("now") if leads is not None else None
    if cost is None or now is None or not (cost.is_scalar and now.is_scalar):
        return None
    try:
        spend = Quantity("money").parse(cost.value, currency) * Quantity("rate").parse(now.value)
    except ValueError:
        return None
    text = Quantity("money_rate").format(spend, currency)
    return Node(text, cost.file, cost.line, cost.layer)


def _with(node: Node, **changes: Node | None) -> Node:
    value = dict(node.value)
    for key, item in changes.items():
        value.pop(key, None)
        if item is not None:
            value[key] = item
    lines = {k: node.key_lines.get(k, n.line) for k, n in value.items()}
    return Node(value, node.file, node.line, node.layer, lines)


def _responses(base: Node | None, top: Node, merged: dict[str, Node]) -> None:
    """Fix where on its response curve each channel stands that the top layer speaks of."""
    currency = _currency(merged)
    everything = merged.get("channels")
    if everything is None or not everything.is_mapping:
        return
    before, stated = _channels(base), _channels(top)
    channels = dict(everything.value)
    for name, said in stated.items():
        channel = channels.get(name)
        if channel is None or not channel.is_mapping:
            continue
        old = before.get(name)
        if old is not None and "spend" in said.value and "cost_per_lead" not in said.value:
            # The price was of the earlier volume; from here on spend moves along the curve.
            leads, price = _leads(channel), _priced(old, currency)
            if leads is not None and price is not None and "at" not in leads.value:
                channel = _with(channel, leads=_with(leads, at=price))
            channel = _with(channel, cost_per_lead=None)
        elif old is not None and "cost_per_lead" in said.value and "spend" not in said.value:
            leads = _leads(channel)
            kept = _with(leads, at=None) if leads is not None and _leads(said) is None else leads
            channel = _with(channel, spend=None, leads=kept)
        leads, own = _leads(channel), _leads(said)
        if leads is not None and own is not None and "now" in own.value and "at" not in own.value:
            spend = channel.value.get("spend")
            place = Node(spend.value, spend.file, spend.line, spend.layer) if spend else None
            channel = _with(channel, leads=_with(leads, at=place))
        channels[name] = channel
    merged["channels"] = Node(
        channels, everything.file, everything.line, everything.layer, everything.key_lines
    )


def first(node: Node) -> Node:
    """The earliest layer, with the responses of its channels fixed."""
    merged = dict(node.value)
    _responses(None, node, merged)
    return Node(merged, node.file, node.line, node.layer, node.key_lines)


def settle(root: Node) -> Node:
    """The merged tree with every cost per lead turned into spend."""
    channels = root.value.get("channels")
    if channels is None or not channels.is_mapping:
        return root
    currency = _currency(root.value)
    done: dict[str, Node] = dict(channels.value)
    for name, channel in _channels(root).items():
        price = _priced(channel, currency)
        if price is not None and "spend" not in channel.value:
            leads = _leads(channel)
            assert leads is not None
            at = leads.value.get("at") or Node(price.value, price.file, price.line, price.layer)
            done[name] = _with(channel, cost_per_lead=None, spend=price, leads=_with(leads, at=at))
    value = {
        **root.value,
        "channels": Node(done, channels.file, channels.line, channels.layer, channels.key_lines),
    }
    return Node(value, root.file, root.line, root.layer, root.key_lines)
