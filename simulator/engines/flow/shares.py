"""Shares of leads that move in a run: numbers by segment times variables."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator import laws
from simulator.engines.flow.compile import compiled
from simulator.engines.flow.layout import CYCLE, Odds

Floats = NDArray[np.float64]

# What a variable is: a good fit or not; work that comes back or goes on; of a decision, us, the
# competitor, nobody, and not the competitor; of a handoff, taken on, declined, and of the declined
# those given back and those dropped.
GOOD, POOR, AGAIN, ONWARD, US, THEM, NEITHER, NOT_THEM, TAKEN, DECLINED, BACK, DROPPED = range(12)
TO_EDGE, TO_COUNT, TO_SOURCE = range(3)
NOTHING: Final = 1e-12  # what is left of a share by rounding


class Variable(NamedTuple):
    """A part of a branching. node: the stock whose age counts, if it does."""

    kind: int
    place: int
    fit: int = 0
    node: int = -1


class Share:
    """A sum of numbers (B,) times products of variables, by the variables' places in order."""

    __array_ufunc__ = None  # an array times a share is a share

    def __init__(self, terms: dict[tuple[int, ...], Any]) -> None:
        self.terms = terms

    def __mul__(self, other: Any) -> Share:
        if not isinstance(other, Share):
            return Share({key: value * other for key, value in self.terms.items()})
        found: dict[tuple[int, ...], Any] = {}
        for key, value in self.terms.items():
            for more, by in other.terms.items():
                place = tuple(sorted(key + more))
                found[place] = found.get(place, 0.0) + value * by
        return Share(found)

    def __add__(self, other: Any) -> Share:
        terms = other.terms if isinstance(other, Share) else {(): other}
        found = dict(self.terms)
        for key, value in terms.items():
            found[key] = found.get(key, 0.0) + value
        return Share(found)

    __rmul__ = __mul__
    __radd__ = __add__


def some(share: Any) -> bool:
    """Whether a share may ever be above 0."""
    return isinstance(share, Share) or bool((np.asarray(share) > 0).any())


def columns(shares: list[Any], segments: int) -> Floats:
    """Shares side by side, (B, .); 0 where they move."""
    if not shares:
        return np.zeros((segments, 0))
    still = [np.zeros(segments) if isinstance(x, Share) else x for x in shares]
    return np.ascontiguousarray(np.column_stack(still))


Terms = list[tuple[int, int, tuple[int, ...], Any]]  # into what, where, variables, number


def terms_of(where: int, shares: list[Any]) -> Terms:
    """What the shares that move are made of."""
    return [
        (where, i, key, value)
        for i, share in enumerate(shares)
        if isinstance(share, Share)
        for key, value in share.terms.items()
    ]


@compiled
def value_of(k, kind, i, fit, shift, odds):  # type: ignore[no-untyped-def]
    """A variable in segment k; shift: of our V."""
    if kind == GOOD:
        return odds.good[k, i]
    if kind == POOR:
        return 1.0 - odds.good[k, i]
    if kind == AGAIN:
        return odds.rework[k, i]
    if kind == ONWARD:
        return 1.0 - odds.rework[k, i]
    if kind <= NOT_THEM:
        us, them = odds.us[k, i, fit], odds.them[k, i, fit]
        us, them = laws.moved_us(us, shift), laws.moved_them(us, them, shift)
        if kind == US:
            return us
        if kind == THEM:
            return them
        return 1.0 - them if kind == NOT_THEM else max(0.0, 1.0 - us - them)
    returned = odds.returned[k, i]
    dropped = max(0.0, 1.0 - odds.accepted[k, i, fit] - returned)
    if dropped < NOTHING:
        dropped = 0.0
    declined = returned + dropped
    if kind == TAKEN:
        return 1.0 - declined
    if kind == DECLINED:
        return declined
    back = returned / declined if declined > 0.0 else 0.0
    return back if kind == BACK else 1.0 - back


@compiled
def branch(k, links, sources, odds, X):  # type: ignore[no-untyped-def]
    """Write the shares that move into segment k's rows, from the leads in X."""
    C = links.channels
    for v in range(len(odds.code)):
        shift, node = 0.0, odds.node[v]
        if node >= 0:
            leads = 0.0
            for c in range(C):
                leads += X[node, c]
            age = X[node, C + CYCLE] / leads if leads > 1e-9 else 0.0
            shift = laws.aging(odds.decay[odds.place[v]], odds.after[odds.place[v]], age)
        odds.value[v] = value_of(k, odds.code[v], odds.place[v], odds.fit[v], shift, odds)
    for i in range(len(odds.into)):
        share = odds.number[k, i]
        for j in range(odds.of.shape[1]):
            if odds.of[i, j] >= 0:
                share *= odds.value[odds.of[i, j]]
        at = odds.at[i]
        if odds.into[i] == TO_EDGE:
            links.share[k, at] = share if odds.begins[i] else links.share[k, at] + share
        elif odds.into[i] == TO_COUNT:
            links.adv_share[k, at] = share if odds.begins[i] else links.adv_share[k, at] + share
        else:
            sources[k, at] = share if odds.begins[i] else sources[k, at] + share


def odds_of(system: Any, variables: list[Variable], place: Any, terms: Terms, us: Floats) -> Odds:
    """Arrays of variables and terms. place: of stocks in their order; us: (B, S, 2, 2) shares."""
    segments = len(us)
    width = max([len(key) for _, _, key, _ in terms], default=1)
    of = np.full((len(terms), max(1, width)), -1, dtype=np.int64)
    number = np.zeros((segments, len(terms)))
    for i, (_, _, key, value) in enumerate(terms):
        of[i, : len(key)] = key
        number[:, i] = value
    where = [(into, at) for into, at, _, _ in terms]
    s = system

    def ints(values: Any) -> Any:
        return np.array(list(values), dtype=np.int64)

    decides = s.stages.buyer
    return Odds(
        code=ints(v.kind for v in variables),
        place=ints(v.place for v in variables),
        fit=ints(v.fit for v in variables),
        node=ints(place[v.node] if v.node >= 0 else -1 for v in variables),
        value=np.zeros(len(variables)),
        good=s.channels.good_fit.copy(),
        rework=s.stages.rework.copy(),
        us=np.ascontiguousarray(us[:, :, :, 0]),
        them=np.ascontiguousarray(us[:, :, :, 1]),
        accepted=s.handoffs.accepted.copy(),
        returned=s.handoffs.returned.copy(),
        decay=s.buyer.decay[decides],
        after=s.buyer.after[decides],
        into=ints(into for into, _ in where),
        at=ints(at for _, at in where),
        begins=np.array([i == 0 or where[i - 1] != w for i, w in enumerate(where)], dtype=np.bool_),
        number=number,
        of=of,
    )
