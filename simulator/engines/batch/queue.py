"""The pending events of the batch engine: a calendar of buckets, opened and sorted one at a time.

Each thing has at most one pending event, so events are nodes with fixed places and nothing is
allocated. A bucket is a chain, latest first. Where the bucket at the cursor holds any it is
opened: its nodes stand sorted in `due`, with all that is pushed to its time or earlier while any
is left. Events of equal time happen in the order in which they were pushed.

Shapes: nodes (n,) of NODE, in the order of layout.py, with one before the first; buckets (b,),
due (n,) and sorting (n,) of FIRST: sorted nodes, and room to sort.
"""

from __future__ import annotations

from typing import Final

from simulator.compiled import apart
from simulator.engines.batch.compile import at, compiled, inlined, seldom, soon

AHEAD: Final = 3  # buckets, of which the events are fetched before they happen
FEW: Final = 12  # that insertion sorts faster than merging


@inlined
def push(run, floor, node, time):  # type: ignore[no-untyped-def]
    """Let a node's event happen at a time; never, if that is after the end."""
    nodes = floor.nodes
    mine = at(nodes, node)
    mine.time = time
    if not time <= run.finish:
        return
    bucket = int((time - run.origin_time) * run.per_week)
    if bucket <= run.cursor:
        if run.due_at < run.due_end:
            _insert(run, nodes, floor.due, node, time)
            return
        run.cursor = bucket
    first = at(floor.buckets, bucket)
    head = first.node
    mine.later = head
    mine.sooner = -1
    at(nodes, head).sooner = node  # of node -1, where it is the first
    first.node = node


@compiled
def _insert(run, nodes, due, node, time):  # type: ignore[no-untyped-def]
    apart()
    if run.due_end == len(due):
        for i in range(run.due_at, run.due_end):
            at(due, i - run.due_at).node = at(due, i).node
        run.due_end -= run.due_at
        run.due_at = 0
    i = run.due_end
    while i > run.due_at and at(nodes, at(due, i - 1).node).time > time:
        at(due, i).node = at(due, i - 1).node
        i -= 1
    at(due, i).node = node
    run.due_end += 1


@inlined
def cancel(run, floor, node):  # type: ignore[no-untyped-def]
    """Take a pending event away."""
    _take_away(run, floor.nodes, floor.buckets, floor.due, node)


@compiled
def _take_away(run, nodes, buckets, due, node):  # type: ignore[no-untyped-def]
    apart()
    mine = at(nodes, node)
    if not mine.time <= run.finish:
        return
    bucket = int((mine.time - run.origin_time) * run.per_week)
    if bucket > run.cursor or run.due_at == run.due_end:
        before, after = mine.sooner, mine.later
        if before >= 0:
            at(nodes, before).later = after
        else:
            at(buckets, bucket).node = after
        if after >= 0:
            at(nodes, after).sooner = before
        return
    i = run.due_at
    while at(due, i).node != node:
        i += 1
    while i > run.due_at:
        at(due, i).node = at(due, i - 1).node
        i -= 1
    run.due_at += 1


@inlined
def peek(run, floor, until):  # type: ignore[no-untyped-def]
    """The node whose event is next, or -1 where none is until then."""
    nodes, due = floor.nodes, floor.due
    if run.due_at < run.due_end:
        return int(at(due, run.due_at).node)
    cursor, last = run.cursor, int((until - run.origin_time) * run.per_week)
    node = int(at(floor.buckets, cursor).node)
    while node < 0 and cursor < last:
        cursor += 1
        node = int(at(floor.buckets, cursor).node)
    run.cursor = cursor
    ahead = int(at(floor.buckets, cursor + AHEAD).node)
    soon(nodes, ahead)
    soon(floor.leads, ahead)
    if node < 0:
        return -1
    # Most buckets hold one event or two, which nothing foretells: both go the same way. Of two,
    # the one pushed first is `later`; of one it is node -1, which never happens.
    later = int(at(nodes, node).later)
    at(floor.buckets, cursor).node = -1
    if seldom(at(nodes, later).later >= 0):
        _open(run, nodes, due, floor.sorting, node)
        return int(at(due, 0).node)
    turned = at(nodes, later).time <= at(nodes, node).time
    first = later if turned else node
    second = node if turned else later
    at(due, 0).node = first
    at(due, 1).node = second
    run.due_at, run.due_end = 0, 1 + (later >= 0)
    soon(floor.leads, second)
    return first


@compiled
def _open(run, nodes, due, sorting, node):  # type: ignore[no-untyped-def]
    """Sort a chain by time; what was pushed first stays first."""
    apart()
    n = 0
    while node >= 0:
        at(sorting, n).node = node
        n += 1
        node = int(at(nodes, node).later)
    run.due_at, run.due_end = 0, n
    for k in range(n):
        at(due, k).node = at(sorting, n - 1 - k).node
    for low in range(0, n, FEW):
        high = min(low + FEW, n)
        for k in range(low + 1, high):
            moved = at(due, k).node
            time = at(nodes, moved).time
            i = k
            while i > low and at(nodes, at(due, i - 1).node).time > time:
                at(due, i).node = at(due, i - 1).node
                i -= 1
            at(due, i).node = moved
    width = FEW
    while width < n:
        for low in range(0, n - width, 2 * width):
            _merge(nodes, due, sorting, low, low + width, min(low + 2 * width, n))
        width *= 2


@compiled
def _merge(nodes, due, sorting, low, middle, high):  # type: ignore[no-untyped-def]
    for k in range(low, middle):
        at(sorting, k).node = at(due, k).node
    i, j, k = low, middle, low
    while i < middle:
        one = at(sorting, i).node
        if j < high and at(nodes, at(due, j).node).time < at(nodes, one).time:
            at(due, k).node = at(due, j).node
            j += 1
        else:
            at(due, k).node = one
            i += 1
        k += 1


@inlined
def pop(run):  # type: ignore[no-untyped-def]
    """Take the event that `peek` found."""
    run.due_at += 1
