"""What a finished sweep says: its files, its summary, and the answer in sentences."""

from __future__ import annotations

import csv
import io
import itertools
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from simulator.analysis.words import label, money, share
from simulator.errors import EngineError
from simulator.spec.units import Quantity
from simulator.spec.yamltree import write_yaml
from simulator.sweep.design import Layout
from simulator.sweep.plan import Plan
from simulator.sweep.points import Axis
from simulator.sweep.read import SIDES
from simulator.sweep.store import Index, Store
from simulator.sweep.summary import Line, Row, lines, row
from simulator.sweep.table import Runs, parts_of, write_points, write_runs
from simulator.vocabulary import describe

SHOWN: Final = 1000  # rows of the summary in the answer; all are in the file
BLOCK: Final = 4096
LIBRARIES: Final = ("numba", "numpy", "pyarrow", "scipy")


@dataclass(frozen=True)
class SweepResult:
    """A finished sweep. rows: the first of the summary's; best: by the first outcome, at the end.

    runs: of the design, each different point's counted once.
    """

    folder: Path
    plan: Plan
    runs: int
    rows: tuple[Row, ...]
    count: int
    first: Line | None
    best: Line | None
    short: int
    kind: str = "sweep"

    @property
    def sentences(self) -> list[str]:
        """What was run, what is best, and how much of the spread is ignorance."""
        s = self.plan.sweep
        shape = [f"{len(self.plan.levers):,} settings of the levers"]
        if s.uncertainties.axes:
            shape.append(f"{len(self.plan.worlds):,} worlds")
        what = f"{self.runs:,} runs ({' x '.join(shape)}), engine {s.engine}, seed {s.seed}"
        said = [f"{s.name}: {what}. Tables are in {self.folder}."]
        if self.best is not None and self.first is not None:
            said += self._verdict(self.best, self.first)
        if s.rule is not None and self.short:
            said.append(
                f"{self.short:,} of {len(self.plan.keys):,} points reached the maximum of "
                f"{s.rule.most} replications before the precision."
            )
        return said

    def _verdict(self, best: Line, first: Line) -> list[str]:
        name, level = best.outcome, best.level
        assert level is not None
        found = self._number(name, level.mean, level.half)
        what = f"{label(name)} at week {best.week:g}"
        if len(self.plan.levers) == 1:
            said = [f"Mean {what}: {found}."]
        else:
            goal = "Lowest" if describe(name).better < 0 else "Highest"
            said = [f"{goal} mean {what}: {found}, with {self._setting(best.lever)}."]
            said.append(self._against(best, first))
        if level.worlds is not None and level.chance is not None:
            both = level.worlds**2 + level.chance**2
            part = f"{level.worlds**2 / both:.0%}" if both > 0 else "none"
            worlds = f"{self._number(name, level.worlds)} (standard deviation)"
            said.append(
                f"What we do not know of the world moves that by {worlds}, chance by "
                f"{self._number(name, level.chance)}: {part} of the variance would go with knowing "
                "the world."
            )
        return said

    def _against(self, best: Line, first: Line) -> str:
        gain = best.gain
        base = f"Against the first setting ({self._setting(first.lever)})"
        if best.lever == first.lever:
            return "No setting has a better mean than that, which is the first."
        if gain is None or gain.half is None:
            return f"{base} there is no interval: too few runs."
        change = self._number(best.outcome, gain.mean, gain.half, signed=True)
        if abs(gain.mean) <= gain.half:
            return f"{base}: {change}, so no difference was found."
        worlds = ""
        if best.better is not None and best.worlds > 1:
            worlds = f", better in {best.better:.0%} of the worlds"
        return f"{base}: {change}{worlds}."

    def _number(
        self, name: str, value: float, half: float | None = None, *, signed: bool = False
    ) -> str:
        """A value of an outcome, with half its interval, in the outcome's unit."""
        unit = describe(name).unit
        sign = "+" if signed and value > 0 else ""
        if unit == "share":
            texts = [share(x) for x in (value, half) if x is not None]
        elif unit.startswith("money"):
            texts = [money(x, self._currency) for x in (value, half) if x is not None]
        else:
            texts = [f"{x:,.4g}" for x in (value, half) if x is not None]
        return sign + " ± ".join(texts)

    def _setting(self, lever: int) -> str:
        axes = self.plan.sweep.levers.axes
        values = zip(axes, self.plan.levers[lever].tolist(), strict=True)
        return ", ".join(phrase(axis, value, self._currency) for axis, value in values)

    @property
    def _currency(self) -> str:
        return self.plan.sweep.scenario.currency

    @property
    def tables(self) -> dict[str, list[dict[str, object]]]:
        """The summary of the first outcome at the last week."""
        s = self.plan.sweep
        axes = {axis.name: axis for axis in s.levers.axes}
        kept = []
        for found in self.rows:
            if found["outcome"] != s.outcomes[0] or found["week"] != s.weeks[-1]:
                continue
            line: Row = {}
            for name, value in found.items():
                if name in axes and isinstance(value, float):
                    line[name] = shown(axes[name], value, self._currency)
                elif name in _TERMINAL:
                    line[_TERMINAL[name]] = value
            kept.append(line)
        return {f"{s.outcomes[0]} at week {s.weeks[-1]:g}": kept[:SCREEN]}

    def to_json(self) -> dict[str, object]:
        """Everything but the runs, in types that JSON has."""
        s = self.plan.sweep
        return {
            "kind": "sweep",
            "name": s.name,
            "scenario": s.scenario.name,
            "engine": s.engine,
            "seed": s.seed,
            "confidence": 0.95,
            "settings": len(self.plan.levers),
            "worlds": len(self.plan.worlds),
            "different_points": len(self.plan.keys),
            "replications": s.replications,
            "runs": self.runs,
            "folder": str(self.folder),
            "outcomes": list(s.outcomes),
            "weeks": list(s.weeks),
            "sentences": self.sentences,
            "summary_rows": self.count,
            "summary": list(self.rows),
            "before_precision": self.short,
        }


SCREEN: Final = 40
_TERMINAL: Final = {
    "mean": "mean", "half": "±", "sd_worlds": "sd_of_worlds", "sd_chance": "sd_of_chance",
    "gain": "against_the_first", "gain_half": "± ", "better_in": "better_in",
}  # fmt: skip


def phrase(axis: Axis, value: float, currency: str) -> str:
    """An axis at a value, in a sentence."""
    text = shown(axis, value, currency)
    if axis.verb == "scale":
        return f"{axis.pattern} x {text}"
    if axis.verb == "add":
        return f"{axis.pattern} {'' if value < 0 else '+'}{text}"
    return f"{axis.pattern} {text}"


def shown(axis: Axis, value: float, currency: str) -> str:
    """A value of an axis as people write it."""
    number = float(f"{value:.6g}")
    if axis.verb == "scale" or axis.kind is None:
        return f"{number:g}"
    return str(Quantity(axis.kind).format(number, currency))


def finish(store: Store, plan: Plan, index: Index, failures: dict[int, str]) -> SweepResult:
    """Write the tables of a store that has all runs, and sum them up.

    Raises EngineError, once the tables of the others are written, where points could not be run.
    """
    s = plan.sweep
    counts = plan.counts(index, set(failures))
    _inputs(store, plan)
    files = [{"file": "points.parquet", "checksum": write_points(store, plan)}]
    files += write_runs(store, plan, index, counts)
    store.note(parts=parts_of(index))
    if not counts.any():
        raise EngineError(_failed(plan, failures, store.folder))
    rows, first, best, count = _summary(store, plan, counts)
    short = 0
    if s.rule is not None:
        short = int((counts == s.rule.most).sum())
    runs = int(counts.sum())
    store.note(
        state="finished" if not failures else "finished without the points that failed",
        runs=runs,
        design={
            "settings": len(plan.levers), "worlds": len(plan.worlds),
            "points": len(plan.uid), "different_points": len(plan.keys),
            "replications": s.replications,
        },
        libraries={name: version(name) for name in LIBRARIES},
        tables=files,
    )  # fmt: skip
    if failures:
        raise EngineError(_failed(plan, failures, store.folder))
    return SweepResult(store.folder, plan, runs, tuple(rows), count, first, best, short)


def _failed(plan: Plan, failures: dict[int, str], folder: Path) -> str:
    """A line for each of the first points that could not be run."""
    first = dict(zip(plan.uid[plan.first].tolist(), plan.first.tolist(), strict=True))
    found = []
    for uid, why in sorted(failures.items(), key=lambda item: first[item[0]])[:5]:
        values = zip(plan.axes, plan.values(first[uid]), strict=True)
        at = ", ".join(f"{axis.name} {value:g}" for axis, value in values)
        found.append(f"{plan.sweep.file}: the point {at} cannot be run: {why}")
    rest = len(plan.keys) - len(failures)
    more = f"{len(failures):,} of {len(plan.keys):,} points cannot be run"
    return "\n".join([*found, f"{plan.sweep.file}: {more}; the other {rest:,} are in {folder}"])


def _summary(
    store: Store, plan: Plan, counts: Any
) -> tuple[list[Row], Line | None, Line | None, int]:
    """Write the summary; its first rows, the first and the best setting, and how many rows."""
    s = plan.sweep
    kept: list[Row] = []
    first: Line | None = None
    best: Line | None = None
    count = 0
    sign = -1.0 if describe(s.outcomes[0]).better < 0 else 1.0
    source = lines(plan, counts, Runs(store.folder, s.outcomes))
    with store.writing("summary.parquet") as table, store.writing("summary.csv") as plain:
        writer: Any = None
        text = io.TextIOWrapper(plain, encoding="utf-8", newline="")
        sheet: Any = None
        while block := list(itertools.islice(source, BLOCK)):
            rows = []
            for line in block:
                found = row(plan, line)
                rows.append(found)
                if line.outcome == s.outcomes[0] and line.week == s.weeks[-1]:
                    first = line if line.lever == 0 else first
                    level = line.level
                    if level is not None and (
                        best is None
                        or best.level is None
                        or sign * level.mean > sign * best.level.mean
                    ):
                        best = line
            kept += rows[: SHOWN - len(kept)] if len(kept) < SHOWN else []
            count += len(rows)
            if writer is None:
                schema = _schema(rows[0])
                writer = pq.ParquetWriter(table, schema)
                sheet = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
                sheet.writeheader()
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            sheet.writerows(rows)
        if writer is not None:
            writer.close()
        text.flush()
        text.detach()
    return kept, first, best, count


_WHOLE: Final = {"lever", "worlds", "replications", "undefined"}


def _schema(found: Row) -> Any:
    """Types of the summary's columns: known, so that an empty column has one too."""
    kinds = {name: pa.float64() for name in found}
    kinds |= dict.fromkeys(_WHOLE, pa.int64())
    return pa.schema([(name, kinds[name]) for name in found if name != "outcome"]).insert(
        list(found).index("outcome"), pa.field("outcome", pa.string())
    )


def _inputs(store: Store, plan: Plan) -> None:
    """The scenario and the sweep, so that the folder can be understood and run again by itself."""
    s = plan.sweep
    store.write("scenario.yaml", s.loaded.resolved_text().encode())
    said = s.root.plain()
    said["scenario"] = "scenario.yaml"
    for side, layout in zip(SIDES, (s.levers, s.uncertainties), strict=True):
        if side in said:
            said[side] = _side(said[side], layout, s.scenario.currency)
            if layout.design == "csv":
                said[side]["file"] = f"{side}.csv"
                store.write(f"{side}.csv", _rows(layout, s.scenario.currency))
    store.write("sweep.yaml", write_yaml(said).encode())


def _side(said: dict[str, Any], layout: Layout, currency: str) -> dict[str, Any]:
    axes = dict(said.get("axes", {}))
    for axis in layout.axes:
        given = axes.get(axis.pattern)
        graded = given == "graded" or (isinstance(given, dict) and given.get("set") == "graded")
        if graded:
            kept = {k: v for k, v in given.items() if k != "set"} if isinstance(given, dict) else {}
            ends = {"from": _text(axis, axis.low, currency), "to": _text(axis, axis.high, currency)}
            axes[axis.pattern] = {"set": ends, **kept}
    return {**said, "axes": axes} if axes else dict(said)


def _text(axis: Axis, value: float, currency: str) -> str | float:
    if axis.verb == "scale" or axis.kind is None:
        return value
    return Quantity(axis.kind).format(value, currency)


def _rows(layout: Layout, currency: str) -> bytes:
    stream = io.StringIO()
    sheet = csv.writer(stream, lineterminator="\n")
    sheet.writerow([axis.name for axis in layout.axes])
    for values in layout.rows:
        sheet.writerow([_text(a, v, currency) for a, v in zip(layout.axes, values, strict=True)])
    return stream.getvalue().encode()
