"""New numbers in a table that somebody may have worked on: rows and columns by what they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from simulator.report.deck import text
from simulator.report.deck.changes import Changes
from simulator.report.deck.record import Written

Texts = list[list[str]]


def kept(rows: Texts) -> Written:
    """A table's texts as the record keeps them: a line a row, tabs between cells."""
    return Written("\n".join("\t".join(" ".join(t.split("\t")) for t in row) for row in rows))


def refill(
    where: str, what: str, table: Any, wanted: Texts, before: Written | None, changes: Changes
) -> None:
    """Put a result's texts into a table; cells, rows and columns of a user's own stay.

    before: what was written there the last time; without it the table must be of our size.
    """
    now = [[cell.text_frame.text for cell in row.cells] for row in table.rows]
    was = [line.split("\t") for line in before.text.split("\n")] if before is not None else []
    if not was or len({len(row) for row in was}) > 1:
        if (len(now), len(now[0])) != (len(wanted), len(wanted[0])):
            changes.problems.append(
                f"{where}: {what}: is {len(now)} × {len(now[0])} and the result's is "
                f"{len(wanted)} × {len(wanted[0])}; left as it is: delete it and make a new deck"
            )
            return
        was = now
    rows = _places([r[0] for r in now], [r[0] for r in was], [r[0] for r in wanted], now, was)
    turned = [list(column) for column in zip(*now, strict=True)]
    columns = _places(now[0], was[0], wanted[0], turned, [list(c) for c in zip(*was, strict=True)])
    stale = [r[0] for r, (then, new) in zip(now, rows, strict=True) if _gone(then, new)]
    stale += [head for head, (then, new) in zip(now[0], columns, strict=True) if _gone(then, new)]
    if stale:
        gone = ", ".join(f"'{' '.join(head.split())}'" for head in stale)
        changes.problems.append(
            f"{where}: {what}: holds {gone}, which this result does not have; left as it is: "
            "delete that, or the table and make a new deck"
        )
        return
    changed, edited = 0, []
    for r, (old_row, new_row) in enumerate(rows):
        for c, (old_column, new_column) in enumerate(columns):
            if None in (old_row, new_row, old_column, new_column) or table.cell(r, c).is_spanned:
                continue
            said = wanted[new_row][new_column]  # type: ignore[index]
            if now[r][c] == said:
                continue
            if now[r][c] != was[old_row][old_column]:  # type: ignore[index]
                edited.append(f"'{' '.join(now[r][c].split())}' (the result says: {said})")
                continue
            text.put(table.cell(r, c).text_frame, said)
            changed += 1
    changes.add(where, f"{what}: {changed} cells", bool(changed))
    if edited:
        changes.problems.append(
            f"{where}: {what}: edited by hand, left as it is: {', '.join(edited)}"
        )
    for kind, places, heads in (
        ("row", rows, [r[0] for r in wanted]), ("column", columns, wanted[0])
    ):  # fmt: skip
        _missing(where, what, kind, places, heads, changes)


def _gone(then: int | None, new: int | None) -> bool:
    """Whether something of ours is no longer in the result."""
    return then is not None and new is None


def _missing(
    where: str, what: str, kind: str, places: Sequence[tuple[int | None, int | None]],
    heads: Sequence[str], changes: Changes,
) -> None:  # fmt: skip
    there = {new for _, new in places}
    lacking = [f"'{head}'" for k, head in enumerate(heads) if k not in there]
    if lacking:
        changes.problems.append(
            f"{where}: {what}: has no {kind} {', '.join(lacking)}: deleted, or new"
        )


def _places(
    now: Sequence[str], was: Sequence[str], wanted: Sequence[str], held: Texts, wrote: Texts
) -> list[tuple[int | None, int | None]]:
    """Of each row (or column) of a table: which it was, and which the result has for it.

    now, was, wanted: their heads; held, wrote: their texts now and then. None for a user's own.
    """
    own = _numbered(now)
    first, last = _numbered(was), _numbered(wanted)
    old: list[int | None] = [first.index(head) if head in first else None for head in own]
    for k, place in enumerate(old):
        if place is None:
            old[k] = _renamed(held[k][1:], {j: r[1:] for j, r in enumerate(wrote) if j not in old})
    if old == list(range(len(was))) and len(wanted) == len(was):
        return [(k, k) for k in range(len(was))]
    return [(k, last.index(first[k]) if k is not None and first[k] in last else None) for k in old]


def _renamed(held: list[str], free: dict[int, list[str]]) -> int | None:
    """Which it was, if most of the numbers under another head are its own."""
    shared = {j: sum((Counter(held) & Counter(wrote)).values()) for j, wrote in free.items()}
    best = max(shared, key=lambda j: shared[j], default=None)
    return best if best is not None and shared[best] > 0.5 * len(free[best]) else None


def _numbered(heads: Sequence[str]) -> list[tuple[str, int]]:
    """Heads with how often each came before."""
    seen: Counter[str] = Counter()
    found = []
    for head in heads:
        found.append((head, seen[head]))
        seen[head] += 1
    return found
