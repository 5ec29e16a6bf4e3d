"""WIP caps of the batch engine, compiled: who is in, who waits outside."""

from __future__ import annotations

from simulator.engines.batch.compile import compiled
from simulator.engines.batch.layout import ADMITTED, OUTSIDE
from simulator.engines.batch.leads import line_up, step_out
from simulator.engines.batch.queue import push
from simulator.system import END


@compiled
def admit(run, limits, caps, stage, leads, i):  # type: ignore[no-untyped-def]
    """Come into a WIP cap, or wait outside until there is room; says whether it is in."""
    lead = leads[i]
    if stage.limit < 0 or lead.limit == stage.limit:
        return True
    lead.limit = stage.limit
    limit = limits[stage.limit]
    if limit.count < caps[run.segment, stage.limit]:
        limit.count += 1
        return True
    line_up(limit, leads, i)
    lead.doing = OUTSIDE
    stage.transit += 1
    return False


@compiled
def let_in(run, limits, caps, floor, which, now):  # type: ignore[no-untyped-def]
    """Fill a WIP cap from outside."""
    limit = limits[which]
    while limit.head >= 0 and limit.count < caps[run.segment, which]:
        limit.count += 1
        i = limit.head
        step_out(limit, floor.leads, i)
        floor.leads[i].doing = ADMITTED
        push(run, floor, i, now)


@compiled
def release(run, limits, caps, floor, i, after, now):  # type: ignore[no-untyped-def]
    """Leave a WIP cap, unless the next stage is in it too; who waits longest may come in."""
    leads = floor.leads
    which = int(leads[i].limit)
    if which < 0 or (after != END and floor.stages[after].limit == which):
        return
    leads[i].limit = -1
    limits[which].count -= 1
    let_in(run, limits, caps, floor, which, now)
