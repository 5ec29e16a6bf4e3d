"""The pending events of the batch engine: a calendar of buckets, opened and sorted one at a time.

Each thing has at most one pending event, so events are nodes with fixed places and nothing is
allocated. A bucket is a chain, latest first. The bucket at the cursor is opened: its nodes stand
sorted in `due`, with all that is pushed to its time or earlier. Events of equal time happen in
the order in which they were pushed.

Shapes: leads (n,) of LEAD, in the order of layout.py; buckets (b,), due (2, n): sorted
nodes, and room to sort. A node is a place in leads.
"""

from __future__ import annotations

from typing import Final

from simulator.engines.batch.compile import compiled, inlined

FEW: Final = 12  # that insertion sorts faster than merging


@inlined
def push(run, leads, buckets, due, node, time):  # type: ignore[no-untyped-def]
    """Let a node's event happen at a time; never, if that is after the end."""
    leads[node].time = time
    if not time <= run.finish:
        return
    bucket = int((time - run.origin_time) * run.per_week)
    if bucket <= run.cursor:
        _insert(run, leads, due, node, time)
        return
    head = buckets[bucket]
    leads[node].later = head
    leads[node].sooner = -1
    if head >= 0:
        leads[head].sooner = node
    buckets[bucket] = node


@compiled
def _insert(run, leads, due, node, time):  # type: ignore[no-untyped-def]
    if run.due_end == due.shape[1]:
        for i in range(run.due_at, run.due_end):
            due[0, i - run.due_at] = due[0, i]
        run.due_end -= run.due_at
        run.due_at = 0
    i = run.due_end
    while i > run.due_at and leads[due[0, i - 1]].time > time:
        due[0, i] = due[0, i - 1]
        i -= 1
    due[0, i] = node
    run.due_end += 1


@compiled
def cancel(run, leads, buckets, due, node):  # type: ignore[no-untyped-def]
    """Take a pending event away."""
    time = leads[node].time
    if not time <= run.finish:
        return
    bucket = int((time - run.origin_time) * run.per_week)
    if bucket > run.cursor:
        before, after = leads[node].sooner, leads[node].later
        if before >= 0:
            leads[before].later = after
        else:
            buckets[bucket] = after
        if after >= 0:
            leads[after].sooner = before
        return
    i = run.due_at
    while due[0, i] != node:
        i += 1
    while i > run.due_at:
        due[0, i] = due[0, i - 1]
        i -= 1
    run.due_at += 1


@inlined
def peek(run, leads, buckets, due):  # type: ignore[no-untyped-def]
    """The node whose event is next, or -1."""
    if run.due_at < run.due_end:
        return int(due[0, run.due_at])
    cursor = run.cursor + 1
    while cursor < run.buckets and buckets[cursor] < 0:
        cursor += 1
    if cursor >= run.buckets:
        run.cursor = run.buckets - 1
        return -1
    run.cursor = cursor
    node = int(buckets[cursor])
    buckets[cursor] = -1
    if leads[node].later < 0:
        due[0, 0] = node
        run.due_at, run.due_end = 0, 1
        return node
    _open(run, leads, due, node)
    return int(due[0, 0])


@compiled
def _open(run, leads, due, node):  # type: ignore[no-untyped-def]
    """Sort a chain by time; what was pushed first stays first."""
    n = 0
    while node >= 0:
        due[1, n] = node
        n += 1
        node = leads[node].later
    run.due_at, run.due_end = 0, n
    for k in range(n):
        due[0, k] = due[1, n - 1 - k]
    for low in range(0, n, FEW):
        high = min(low + FEW, n)
        for k in range(low + 1, high):
            moved = due[0, k]
            time = leads[moved].time
            i = k
            while i > low and leads[due[0, i - 1]].time > time:
                due[0, i] = due[0, i - 1]
                i -= 1
            due[0, i] = moved
    width = FEW
    while width < n:
        for low in range(0, n - width, 2 * width):
            _merge(leads, due, low, low + width, min(low + 2 * width, n))
        width *= 2


@compiled
def _merge(leads, due, low, middle, high):  # type: ignore[no-untyped-def]
    for k in range(low, middle):
        due[1, k] = due[0, k]
    i, j, k = low, middle, low
    while i < middle:
        if j < high and leads[due[0, j]].time < leads[due[1, i]].time:
            due[0, k] = due[0, j]
            j += 1
        else:
            due[0, k] = due[1, i]
            i += 1
        k += 1


@inlined
def pop(run):  # type: ignore[no-untyped-def]
    """Take the event that `peek` found."""
    run.due_at += 1
    if run.due_at == run.due_end:
        run.due_at = run.due_end = 0
