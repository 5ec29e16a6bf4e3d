"""Segments side by side: each with its own copy of the stages, sharing teams.

`segments: {smb: {...}, enterprise: {...}}` is shorthand. Every stage becomes one a segment, named
stage_segment, with what the segment says over it; handoffs likewise; a channel names its segment.
"""

from __future__ import annotations

import copy
from typing import Final

from simulator.errors import Problem
from simulator.spec.merge import normalise, overlay
from simulator.spec.problems import nearest
from simulator.spec.yamltree import Node, stop

KEYS: Final = ("value", "stages", "buyer", "handoffs")
_NOT_OF_STAGES: Final = ("discount", "attention")


class _Expander:
    def __init__(self, root: Node, problems: list[Problem]) -> None:
        self.root, self.problems = root, problems
        self.segments = _items(root.child("segments"))
        self.stages = _items(root.child("stages"))

    def wrong(self, node: Node, path: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(node.file, node.line, path, stop(message, hint), hint))

    def expand(self) -> Node:
        value = {k: n for k, n in self.root.value.items() if k != "segments"}
        stages: dict[str, Node] = {}
        for name, segment in self.segments.items():
            self._check(name, segment)
            stages |= self._stages(name, segment)
        value["stages"] = _like(self.root.value["stages"], stages)
        handoffs = self.root.child("handoffs")
        if handoffs is not None and handoffs.is_list:
            value["handoffs"] = _like(handoffs, self._handoffs(handoffs))
        channels = self.root.child("channels")
        if channels is not None and channels.is_mapping:
            done = {n: self._channel(n, c) for n, c in channels.value.items()}
            value["channels"] = _like(channels, done)
        first = self.root.child("opportunity")
        if first is not None and first.value in self.stages:
            names = [
                Node(f"{first.value}_{g}", first.file, first.line, first.layer)
                for g in self.segments
            ]
            value["opportunity"] = _like(first, names)
        return _like(self.root, value)

    def _check(self, name: str, segment: Node) -> None:
        path = f"segments.{name}"
        if not segment.is_mapping:
            self.wrong(segment, path, "a mapping is wanted, of value, stages, buyer and handoffs")
            return
        for key, part in segment.value.items():
            if key not in KEYS:
                self.wrong(part, f"{path}.{key}", f"unknown key '{key}'", nearest(key, KEYS))
        for stage, part in _items(segment.child("stages")).items():
            if stage not in self.stages:
                hint = nearest(stage, self.stages)
                self.wrong(part, f"{path}.stages.{stage}", f"no stage named '{stage}'", hint)
        ends = self._ends()
        for pair, part in _items(segment.child("handoffs")).items():
            if pair not in ends:
                hint = nearest(pair, ends)
                self.wrong(part, f"{path}.handoffs.{pair}", f"no handoff named '{pair}'", hint)

    def _ends(self) -> list[str]:
        handoffs = self.root.child("handoffs")
        rows = handoffs.value if handoffs is not None and handoffs.is_list else []
        return [_pair(row) for row in rows]

    def _stages(self, name: str, segment: Node) -> dict[str, Node]:
        own = _items(segment.child("stages"))
        buyer = segment.child("buyer")
        names = list(self.stages)
        found: dict[str, Node] = {}
        for i, (stage, node) in enumerate(self.stages.items()):
            made = copy.deepcopy(node)
            if stage in own and made.is_mapping:
                said = normalise(copy.deepcopy(own[stage]), self.problems, ("stages", stage))
                made = overlay(made, said, ("stages", stage))
            if made.is_mapping:
                self._rename(made, name)
                if made.child("next") is None and i == len(names) - 1:
                    made.value["next"] = Node("won", made.file, made.line, made.layer)
                decides = made.child("decision")
                if buyer is not None and decides is not None and decides.value is True:
                    made.value["buyer"] = self._buyer(buyer)
            found[f"{stage}_{name}"] = made
        return found

    def _rename(self, stage: Node, name: str) -> None:
        """Lead to stages of the same segment."""
        onward = stage.child("next")
        if onward is not None and onward.is_mapping:
            onward.value = {str(self._of(k, name)): v for k, v in onward.value.items()}
            onward.key_lines = {str(self._of(k, name)): v for k, v in onward.key_lines.items()}
        elif onward is not None:
            onward.value = self._of(onward.value, name)
        for key in ("rework", "recycle"):
            part = stage.child(key)
            goal = part.child("to") if part is not None else None
            if goal is not None:
                goal.value = self._of(goal.value, name)

    def _of(self, stage: object, name: str) -> object:
        return f"{stage}_{name}" if stage in self.stages else stage

    def _buyer(self, own: Node) -> Node:
        said = normalise(copy.deepcopy(own), self.problems, ("buyer",))
        whole = self.root.child("buyer")
        made = overlay(copy.deepcopy(whole), said, ("buyer",)) if whole is not None else said
        if made.is_mapping:
            made.value = {k: n for k, n in made.value.items() if k not in _NOT_OF_STAGES}
        return made

    def _handoffs(self, handoffs: Node) -> list[Node]:
        found = []
        for name, segment in self.segments.items():
            own = _items(segment.child("handoffs"))
            for row in handoffs.value:
                made = copy.deepcopy(row)
                said = own.get(_pair(row))
                if said is not None and made.is_mapping:
                    given = normalise(copy.deepcopy(said), self.problems, ("handoffs", 0))
                    made = overlay(made, given, ("handoffs", 0))
                for key in ("from", "to"):
                    end = made.child(key)
                    if end is not None:
                        end.value = self._of(end.value, name)
                found.append(made)
        return found

    def _channel(self, name: str, channel: Node) -> Node:
        if not channel.is_mapping:
            return channel
        said = channel.child("segment")
        if said is None or said.value not in self.segments:
            what = "names no segment" if said is None else f"there is no segment '{said.value}'"
            hint = f"There are: {', '.join(self.segments)}."
            self.wrong(said or channel, f"channels.{name}.segment", what, hint)
            return _like(channel, {k: n for k, n in channel.value.items() if k != "segment"})
        segment = str(said.value)
        value = {k: n for k, n in channel.value.items() if k != "segment"}
        enters = channel.child("enters")
        goal = enters.value if enters is not None else next(iter(self.stages), "")
        here = enters or said
        value["enters"] = Node(self._of(goal, segment), here.file, here.line, here.layer)
        own = self.segments[segment].child("value")
        if own is not None and "value" not in value:
            value["value"] = normalise(
                copy.deepcopy(own), self.problems, ("channels", name, "value")
            )
        return _like(channel, value)


def _items(node: Node | None) -> dict[str, Node]:
    return node.value if node is not None and node.is_mapping else {}


def _pair(handoff: Node) -> str:
    ends = (handoff.child("from"), handoff.child("to"))
    return ">".join(str(e.value) for e in ends if e is not None)


def _like(node: Node, value: object) -> Node:
    return Node(value, node.file, node.line, node.layer, node.key_lines)


def expand(root: Node, problems: list[Problem]) -> Node:
    """The tree with its segments spelled out; problems are added to."""
    segments = root.child("segments")
    if segments is None:
        return root
    if not segments.is_mapping or not segments.value or not _items(root.child("stages")):
        message = "a mapping of names is wanted, e.g. {smb: {}, enterprise: {}}, beside stages"
        problems.append(Problem(segments.file, segments.line, "segments", message))
        return _like(root, {k: n for k, n in root.value.items() if k != "segments"})
    return _Expander(root, problems).expand()
