"""Arrivals of the batch engine, compiled: rates of channels and the points below them.

The arithmetic is that of the events engine. `channel` is a CHANNEL record, `by` its parameters now.
The bands that are awake stand in `coming` by the time of their next point: the first of them comes
next, and after it goes back a few places.
"""

from __future__ import annotations

import math

from simulator import draws, laws
from simulator.compiled import apart
from simulator.draws import uniform
from simulator.engines.batch.compile import at, compiled, inlined, seldom
from simulator.engines.batch.layout import BANDS


@compiled
def spend_at_work(run, segments, channel, by, now):  # type: ignore[no-untyped-def]
    """Spend of a channel as the market still feels it."""
    if channel.adstock <= 0.0:
        return by.spend
    weeks = now - segments[run.segment].edge
    return laws.adstock(channel.carried, by.spend, weeks, channel.adstock)


@compiled
def _response(channel, spend):  # type: ignore[no-untyped-def]
    return laws.response(channel.kind, spend, channel.at, channel.half, channel.saturation)


@compiled
def _bought(run, channels, tables, c, now, ceiling):  # type: ignore[no-untyped-def]
    """Relative response of a channel to its spend, and what other channels lift it by."""
    apart()
    segments, channels_by, lift = tables.segments, tables.channels_by, tables.lift
    k = run.segment
    spend = spend_at_work(run, segments, channels[c], channels_by[k, c], now)
    lifted = 1.0
    if channels[c].lifted:
        for other in range(len(channels)):
            if lift[other, c] > 0:
                theirs = channels_by[k, other]
                carried = spend_at_work(run, segments, channels[other], theirs, now)
                if ceiling:
                    carried = max(carried, theirs.spend)
                lifted *= laws.lift(lift[other, c], _response(channels[other], carried))
    if ceiling:
        spend = max(spend, channels_by[k, c].spend)
    return _response(channels[c], spend), lifted


@inlined
def rate(run, channels, tables, c, now, ceiling):  # type: ignore[no-untyped-def]
    """Leads a week of a channel now; or a bound on it until something changes."""
    channel = at(channels, c)
    if not seldom(not channel.steady or ceiling):
        response, lifted = channel.response, channel.lift
    else:
        response, lifted = _bought(run, channels, tables, c, now, ceiling)
    free = 1.0
    if seldom(run.accounts > 0.0) and not ceiling:
        free = laws.market_share_free(run.accounts, float(run.taken))
    by = tables.channels_by[run.segment, c]
    return laws.lead_rate(
        by.now, response, by.season, lifted, by.per_customer, float(run.customers_live), free
    )


@compiled
def renew(run, channels, tables, now):  # type: ignore[no-untyped-def]
    """Work out what stays the same for a segment, of channels without memory."""
    for c in range(len(channels)):
        if channels[c].steady:
            response, lifted = _bought(run, channels, tables, c, now, False)
            channels[c].response = response
            channels[c].lift = lifted


@compiled
def wake(run, demand, tables, c, now):  # type: ignore[no-untyped-def]
    """Start the bands of the rate axis that the channel's rate now reaches."""
    channels, bands, coming = demand.channels, demand.bands, demand.coming
    ceiling = rate(run, channels, tables, c, now, True)
    channel = at(channels, c)
    while channel.bands < BANDS and draws.band_floor(channel.bands) < ceiling:
        b = c * BANDS + channel.bands
        band = at(bands, b)
        band.channel, band.band = c, channel.bands
        band.floor, band.height = draws.band_floor(band.band), draws.band_height(band.band)
        band.mean = 1.0 / band.height
        band.week = math.floor(now)
        band.now = now
        begin_week(channel, band)
        band.index = -1
        _next_point(run, channel, band)
        i = run.awake
        while i > 0 and at(bands, at(coming, i - 1).node).now > band.now:
            at(coming, i).node = at(coming, i - 1).node
            i -= 1
        at(coming, i).node = b
        run.awake += 1
        channel.bands += 1
    run.arrival = at(bands, at(coming, 0).node).now if run.awake > 0 else math.inf


@inlined
def go_back(run, demand):  # type: ignore[no-untyped-def]
    """Let the first band go on to its next point, and stand where that is its turn."""
    bands, coming = demand.bands, demand.coming
    b = at(coming, 0).node
    band = at(bands, b)
    _next_point(run, at(demand.channels, band.channel), band)
    i, first = 0, b
    while i + 1 < run.awake:
        other = at(coming, i + 1).node
        if not at(bands, other).now <= band.now:
            break
        if i == 0:
            first = other
        at(coming, i).node = other
        i += 1
    at(coming, i).node = b
    run.arrival = at(bands, first).now


@inlined
def below(band, rate):  # type: ignore[no-untyped-def]
    """Whether a band's point lies below a rate."""
    # Heights are powers of two, so this is arrival_height to the bit.
    u = uniform(band.cell, 2 * band.index + draws.ARRIVAL_HEIGHT)
    return band.floor + u * band.height < rate


@inlined
def _next_point(run, channel, band):  # type: ignore[no-untyped-def]
    """Go on to a band's next point after its last, with the clock's own rounding.

    The gap after it is worked out a point before it is asked for: the loop would wait for it.
    """
    band.index += 1
    while band.now <= run.finish:
        band.point += band.gap
        if seldom(band.point >= band.week + 1):
            band.week += 1
            band.now += band.week - band.now
            begin_week(channel, band)
            continue
        index = band.index
        band.gap = _gap(band, index + 1)
        if band.point > band.now:
            band.now += band.point - band.now
            return
        band.index = index + 1


@inlined
def _gap(band, index):  # type: ignore[no-untyped-def]
    """Arrival_gap, as the height is a power of two."""
    return draws.exponential(band.cell, 2 * index + draws.ARRIVAL_GAP) * band.mean


@compiled
def begin_week(channel, band):  # type: ignore[no-untyped-def]
    """Stand before the first point of a cell."""
    apart()
    band.cell = draws.cell_key(channel.stream, band.band, band.week)
    band.point = float(band.week)
    band.index = 0
    band.gap = _gap(band, 0)
