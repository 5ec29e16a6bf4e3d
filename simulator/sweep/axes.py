"""Reads the axes of a sweep file: which numbers they reach, and their values."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path as FilePath
from typing import Any, Final

from simulator.errors import Problem
from simulator.spec.check import assumptions
from simulator.spec.load import Loaded
from simulator.spec.measures import Kind
from simulator.spec.paths import Leaf, leaves, operand, timed, week_of
from simulator.spec.problems import problem
from simulator.spec.schema import Lever
from simulator.spec.yamltree import Node
from simulator.sweep import schema
from simulator.sweep.points import Axis

_SHORT: Final = ("mean", "good_fit", "poor_fit", "now")
_OWN: Final = {
    "seed": "Luck varies by replication: say how many `replications`.",
    "horizon": "Look at several times of one run: `weeks: [week 52, week 104]`.",
}
MOST_ROWS: Final = 1_000_000
MOST_FILE: Final = 1 << 28


class _WrongError(Exception):
    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def reached(pattern: str, table: dict[str, Leaf]) -> list[str]:
    """The paths that a pattern reaches, in file order; it may stop at a mean or a share by fit."""
    wanted = pattern.split(".")

    def fits(path: str) -> bool:
        keys = path.split(".")
        return len(keys) == len(wanted) and all(map(fnmatchcase, keys, wanted))

    exact = [p for p in table if fits(p)]
    if exact:
        return exact
    short = [p for p in table if p.rsplit(".", 1)[-1] in _SHORT]
    return [p for p in short if fits(p.rsplit(".", 1)[0])]


class Reader:
    """Reads the axes of one side of a sweep file; problems go to `out`."""

    def __init__(self, side: str, loaded: Loaded, root: Node, out: list[Problem]) -> None:
        self.side, self.loaded, self.root, self.out = side, loaded, root, out
        self.scenario = loaded.scenario
        stages = self.scenario.stages
        decided = tuple(f"stages.{n}.advance." for n, stage in stages.items() if stage.decision)
        # The odds of a decision are the buyer's: `advance` says nothing there.
        self.table = {
            p: leaf for p, leaf in leaves(self.scenario).items() if not p.startswith(decided)
        }

    def axis(self, pattern: str, spec: schema.Axis, design: str) -> Axis | None:
        """One axis in the model's own units; None where it is wrong, which is then told."""
        try:
            return self._axis(pattern, spec, design)
        except _WrongError as wrong:
            where = (self.side, "axes", pattern)
            self.out.append(problem(self.root, where, wrong.message, wrong.hint))
            return None

    def _axis(self, pattern: str, spec: schema.Axis, design: str) -> Axis:
        paths = self.paths(pattern)
        at, lever = self._when(pattern, paths, spec)
        verb, values = spec.verb, spec.values
        levels: tuple[float, ...] | None = None
        steps, log = None, False
        if values == "graded":
            texts: list[Any] = list(self._graded(pattern, paths))
        elif isinstance(values, schema.Range):
            texts, steps, log = [values.from_, values.to], values.steps, values.spacing == "log"
        else:
            texts = list(values)
        numbers = tuple(self.number(verb, pattern, paths, text) for text in texts)
        low, high = min(numbers), max(numbers)
        if isinstance(values, list):
            levels = numbers
            if len(set(numbers)) < len(numbers):
                raise _WrongError("a value stands there twice")
        else:
            if not numbers[0] < numbers[1]:
                raise _WrongError(
                    f"the range is the wrong way round: from {texts[0]} to {texts[1]}",
                    f"Write {{from: {texts[1]}, to: {texts[0]}}}."
                    if numbers[0] > numbers[1]
                    else "Its ends are the same.",
                )
            if log and low <= 0:
                raise _WrongError(f"spacing log needs a range above 0, not from {texts[0]}")
            if design == "grid" and steps is None:
                raise _WrongError("a grid needs to know how many values: give steps, e.g. steps: 5")
            if design not in ("grid", "one-at-a-time") and steps is not None:
                raise _WrongError(f"steps belong to a grid, not to {design}")
        base = tuple(self.table[p].value for p in paths)
        if design == "one-at-a-time" and verb == "set" and len(set(base)) > 1:
            raise _WrongError(
                "reaches numbers that differ today, so they cannot stay as they are while another "
                "axis moves",
                "Scale them instead, e.g. {scale: [80%, 120%]}.",
            )
        return Axis(
            name(verb, pattern), pattern, verb, tuple(paths), base, levels, low, high, log, steps,
            at, lever, self.kind(paths),
        )  # fmt: skip

    def paths(self, pattern: str) -> list[str]:
        """The numbers that a pattern reaches."""
        paths = reached(pattern, self.table)
        own = next((p for p in paths if p in _OWN), None)
        if own is not None:
            raise _WrongError(f"{own} cannot be an axis", _OWN[own])
        if paths:
            return paths
        known = list(self.table)
        known += sorted({re.sub(r"^(\w+)\.[^.]+\.", r"\1.*.", p) for p in known})
        known += sorted({p.rsplit(".", 1)[0] for p in self.table if p.endswith(_SHORT)})
        near = difflib.get_close_matches(pattern, known, n=1, cutoff=0.5)
        hint = f"Did you mean '{near[0]}'?" if near else ""
        raise _WrongError(f"the path '{pattern}' matches no number of the scenario", hint)

    def kind(self, paths: Sequence[str]) -> Kind | None:
        """The quantity that an axis is."""
        quantity = self.table[paths[0]].quantity
        return None if quantity is None else quantity.kind

    def number(self, verb: str, pattern: str, paths: Sequence[str], text: Any) -> float:
        """A value of an axis in the model's own units, the same for all that it reaches."""
        key = "to" if verb == "set" else "by"
        lever = Lever.model_validate({verb: pattern, key: text})
        found = set()
        for path in paths:
            try:
                found.add(operand(lever, self.table[path], self.scenario.currency))
            except ValueError as error:
                raise _WrongError(f"for {path}: {error}") from None
        if len(found) > 1:
            raise _WrongError(f"'{text}' means different things for {paths[0]} and {paths[-1]}")
        return found.pop()

    def _when(
        self, pattern: str, paths: Sequence[str], spec: schema.Axis
    ) -> tuple[float | None, tuple[tuple[str, Any], ...]]:
        if spec.at is None:
            return None, ()
        fixed = [p for p in paths if not timed(p)]
        if fixed:
            message = f"{fixed[0]} cannot change in the course of a run"
            raise _WrongError(message, "Leave out `at`: the axis is then of the whole run.")
        try:
            week = week_of(spec.at, self.scenario.start)
        except ValueError as error:
            raise _WrongError(f"at: {error}") from None
        if not 0 <= week <= self.scenario.horizon:
            end = self.scenario.horizon
            raise _WrongError(f"at is week {week:g}, outside the run (weeks 0 to {end:g})")
        lever: list[tuple[str, Any]] = [("at", f"week {week!r}")]
        if spec.over:
            lever.append(("over", f"{spec.over!r} weeks"))
        if spec.cost is not None:
            lever.append(("cost", spec.cost.format(self.scenario.currency)))
        del pattern
        return week, tuple(lever)

    def _graded(self, pattern: str, paths: Sequence[str]) -> tuple[str, str]:
        """The range that the scenario or the parameter book states for a number."""
        if len(paths) > 1:
            raise _WrongError(
                f"reaches {len(paths)} numbers, which have a range each",
                f"Name one, e.g. {paths[0]}.",
            )
        path = paths[0]
        grade = self.loaded.graded.get(path)
        low, high = (None, None) if grade is None else (grade.low, grade.high)
        if low is None or high is None:
            row = next((r for r in assumptions(self.loaded) if r.path in (path, pattern)), None)
            low, high = (row.low, row.high) if row is not None else (None, None)
        if not low or not high:
            raise _WrongError(
                "no range is stated for it, in the scenario or in the parameter book",
                "Give one, e.g. {from: 10%, to: 20%}.",
            )
        return str(low), str(high)

    def csv(
        self, beside: FilePath, given: str
    ) -> tuple[tuple[Axis, ...], tuple[tuple[float, ...], ...]]:
        """Axes and points of a file: a column an axis, a row a point."""
        try:
            return self._csv(beside, given)
        except _WrongError as wrong:
            where = (self.side, "file")
            self.out.append(problem(self.root, where, wrong.message, wrong.hint))
        return (), ()

    def _csv(
        self, beside: FilePath, given: str
    ) -> tuple[tuple[Axis, ...], tuple[tuple[float, ...], ...]]:
        folder, target = beside.parent.resolve(), beside.parent / given
        if "\0" in given or FilePath(given).is_absolute():
            raise _WrongError(f"'{given}' must be a file within the sweep's own folder")
        if not target.resolve().is_relative_to(folder):
            raise _WrongError(f"'{given}' must be a file within the sweep's own folder")
        try:
            if target.stat().st_size > MOST_FILE:
                raise _WrongError(f"{given}: larger than {MOST_FILE >> 20} MiB")
            with target.open(encoding="utf-8-sig", newline="") as stream:
                rows = [
                    (i, r) for i, r in enumerate(csv.reader(stream), 1) if any(map(str.strip, r))
                ]
        except OSError as error:
            raise _WrongError(f"{given}: {(error.strerror or 'cannot be read').lower()}") from None
        except (UnicodeDecodeError, csv.Error) as error:
            raise _WrongError(f"{given}: not a CSV of UTF-8 text ({error})") from None
        if len(rows) < 2:
            raise _WrongError(f"{given}: has no points: a row of paths, then a row a point")
        if len(rows) > MOST_ROWS:
            raise _WrongError(f"{given}: more than {MOST_ROWS:,} rows")
        return self._columns(given, rows)

    def _columns(
        self, given: str, rows: list[tuple[int, list[str]]]
    ) -> tuple[tuple[Axis, ...], tuple[tuple[float, ...], ...]]:
        first, heads = rows[0]
        if len({h.strip() for h in heads}) < len(heads):
            raise _WrongError(f"{given}:{first}: a column stands there twice")
        columns: list[list[float]] = []
        axes: list[Axis] = []
        for row, cells in rows[1:]:
            if len(cells) != len(heads):
                message = f"{given}:{row}: {len(cells)} values under {len(heads)} columns"
                raise _WrongError(message)
        for place, head in enumerate(heads):
            before, _, after = head.strip().rpartition(" ")
            verb, pattern = (before or "set"), after
            if verb not in ("set", "scale", "add"):
                raise _WrongError(f"{given}:{first}: '{head}' is not a path, nor scale or add one")
            try:
                paths = self.paths(pattern)
            except _WrongError as wrong:
                raise _WrongError(f"{given}:{first}: {wrong.message}", wrong.hint) from None
            values = []
            for row, cells in rows[1:]:
                try:
                    values.append(self.number(verb, pattern, paths, _scalar(cells[place])))
                except _WrongError as wrong:
                    raise _WrongError(f"{given}:{row}: {wrong.message}", wrong.hint) from None
            base = tuple(self.table[p].value for p in paths)
            columns.append(values)
            low, high = min(values), max(values)
            label, kind = name(verb, pattern), self.kind(paths)
            axes.append(Axis(label, pattern, verb, tuple(paths), base, None, low, high, kind=kind))
        return tuple(axes), tuple(zip(*columns, strict=True))


def name(verb: str, pattern: str) -> str:
    """What an axis is called in tables."""
    return pattern if verb == "set" else f"{verb} {pattern}"


def _scalar(text: str) -> str | float:
    """A cell: a plain number as a number, which some quantities allow."""
    try:
        return text.strip() if "_" in text else float(text)
    except ValueError:
        return text.strip()
