"""Arrivals of the batch engine, compiled: rates of channels and the points below them.

The arithmetic is that of the events engine. `channel` is a CHANNEL record, `by` its parameters now.
"""

from __future__ import annotations

import math

from simulator import draws, laws
from simulator.engines.batch.compile import compiled, inlined
from simulator.engines.batch.layout import ALARM, BANDS
from simulator.engines.batch.queue import push


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
def _bought(  # type: ignore[no-untyped-def]
    run, segments, channels, channels_by, lift, c, now, ceiling
):
    """Relative response of a channel to its spend, and what other channels lift it by."""
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
def rate(  # type: ignore[no-untyped-def]
    run, segments, channels, channels_by, lift, c, now, ceiling
):
    """Leads a week of a channel now; or a bound on it until something changes."""
    if channels[c].steady and not ceiling:
        response, lifted = channels[c].response, channels[c].lift
    else:
        response, lifted = _bought(run, segments, channels, channels_by, lift, c, now, ceiling)
    free = 1.0
    if run.accounts > 0.0 and not ceiling:
        free = laws.market_share_free(run.accounts, float(run.taken))
    by = channels_by[run.segment, c]
    return laws.lead_rate(
        by.now, response, by.season, lifted, by.per_customer, float(run.customers_live), free
    )


@compiled
def renew(run, segments, channels, channels_by, lift, now):  # type: ignore[no-untyped-def]
    """Work out what stays the same for a segment, of channels without memory."""
    for c in range(len(channels)):
        if channels[c].steady:
            response, lifted = _bought(run, segments, channels, channels_by, lift, c, now, False)
            channels[c].response = response
            channels[c].lift = lifted


@compiled
def wake(  # type: ignore[no-untyped-def]
    run, segments, channels, channels_by, lift, bands, leads, buckets, due, c, now
):
    """Start the bands of the rate axis that the channel's rate now reaches."""
    ceiling = rate(run, segments, channels, channels_by, lift, c, now, True)
    channel = channels[c]
    while channel.bands < BANDS and draws.band_floor(channel.bands) < ceiling:
        b = c * BANDS + channel.bands
        band = bands[b]
        band.channel, band.band = c, channel.bands
        band.week = math.floor(now)
        band.index = -1
        band.now = now
        band.cell = draws.cell_key(channel.stream, band.band, band.week)
        band.point = float(band.week)
        next_point(run, channel, band, leads, buckets, due, b)
        channel.bands += 1


@inlined
def next_point(run, channel, band, leads, buckets, due, b):  # type: ignore[no-untyped-def]
    """Go on to a band's next point after its last, with the clock's own rounding."""
    band.index += 1
    while band.now <= run.finish:
        band.point += draws.arrival_gap(band.cell, band.index, band.band)
        if band.point >= band.week + 1:
            band.week += 1
            band.now += band.week - band.now
            band.cell = draws.cell_key(channel.stream, band.band, band.week)
            band.point = float(band.week)
            band.index = 0
        elif band.point > band.now:
            band.now += band.point - band.now
            push(run, leads, buckets, due, ALARM + 1 + b, band.now)
            return
        else:
            band.index += 1
