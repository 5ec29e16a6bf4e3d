"""A program for rows of numbers: instructions as whole numbers, and the loop that plays them.

What follows from a model's structure is worked out once, when the program is written: which stock
feeds which, and what is always zero and so left out. It is not compiled code, so another structure
costs milliseconds; one instruction does sixteen runs, so reading it costs little.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator import laws
from simulator.engines.flow.compile import compiled
from simulator.engines.flow.curves import erfc, log
from simulator.engines.flow.lane_queues import serve
from simulator.engines.flow.vectors import (
    WIDTH,
    if_more,
    least,
    load,
    most,
    of,
    root,
    size,
    store,
    word,
)

Words = NDArray[np.int32]
Pair = tuple[int, int]

# Instructions, each with its rows:
DOT = 0  # d base n m (a b) x n (a b) x m: d = base + sum of a b - sum of a b
TIMES = 1  # d base scale n m ...: the same, times scale
MULTIPLY = 2  # d a b
INVERT = 3  # d a
UNLESS = 4  # d c a b: -a b where c is 0, else 0
SERVE = 5  # weeks since the break, spare, then a team's words
FELT = 6  # d given carried spend adstock at half saturation time begin kind
LIFT = 7  # d lift felt: d is lifted
FREE = 8  # d accounts taken
CHURN = 9  # d churn live late
LATE = 10  # d target slope leads age age2
SQRT2: Final = 2.0**0.5


class Tape:
    """A program being written. zero: rows known to be zero, which nothing is made of."""

    def __init__(self, one: int, nothing: int, zero: Iterable[int]) -> None:
        self.one, self.none = one, nothing
        self.zero = {nothing, *zero}
        self.dead = frozenset(self.zero)
        self.parts: list[tuple[int, list[int]]] = []

    def _put(self, code: int, *words: int) -> None:
        if self.parts and self.parts[-1][0] == code:
            self.parts[-1][1].append(len(words))
            self.parts[-1][1].extend(words)
        else:
            self.parts.append((code, [len(words), *words]))

    def dot(
        self,
        d: int,
        plus: Sequence[Pair] = (),
        minus: Sequence[Pair] = (),
        base: int = -1,
        scale: int = -1,
    ) -> int:
        """Row d becomes (base + sum of products - sum of products) x scale."""
        zero = self.zero
        more = [x for x in plus if x[0] not in zero and x[1] not in zero]
        less = [x for x in minus if x[0] not in zero and x[1] not in zero]
        if base in zero:
            base = -1
        if (base < 0 and not more and not less) or scale in zero:
            if d not in self.dead:
                self._put(DOT, d, self.none, 0, 0)
            zero.add(d)
            return d
        zero.discard(d)
        if base < 0 and scale < 0 and not less and len(more) == 1:
            self._put(MULTIPLY, d, *more[0])
            return d
        words = [len(more), len(less)]
        for pair in (*more, *less):
            words.extend(pair)
        base = self.none if base < 0 else base
        if scale < 0:
            self._put(DOT, d, base, *words)
        else:
            self._put(TIMES, d, base, scale, *words)
        return d

    def times(self, d: int, a: int, b: int) -> int:
        """Row d becomes a b."""
        return self.dot(d, [(a, b)])

    def put(self, code: int, d: int, *words: int) -> int:
        """Any other instruction that writes row d."""
        self.zero.discard(d)
        self._put(code, d, *words)
        return d

    def serve(self, since: int, spare: int, words: Sequence[int], writes: Iterable[int]) -> None:
        """Serve a team's queues; the rows that this writes are no longer zero."""
        self.zero.difference_update(writes)
        self._put(SERVE, since, spare, *words)

    def words(self) -> Words:
        """The program: of each run of like instructions the code, how many, and their words."""
        found: list[int] = []
        for code, items in self.parts:
            at, count, flat = 0, 0, []
            while at < len(items):
                length = items[at]
                flat.extend(items[at + 1 : at + 1 + length])
                at += 1 + length
                count += 1
            found += [code, count, *flat]
        return np.array(found, dtype=np.int32)


@compiled
def _late(B, d, target, slope, leads, age, age2):  # type: ignore[no-untyped-def]
    """Mean lateness factor of those that go live; see kernel.lateness."""
    nothing = of(0.0)
    due = load(B, target)
    here = load(B, leads)
    weeks = load(B, age)
    mean = weeks / here
    ratio = load(B, age2) * here / (weeks * weeks)
    spread = root(log(least(ratio, of(1e6))))
    far = log(mean / due) / spread + 0.5 * spread
    up = 0.5 * erfc((0.0 - far) / SQRT2)
    down = 0.5 * erfc((spread - far) / SQRT2)
    excess = most(mean * up - due * down, nothing)
    store(B, d, if_more(ratio, of(1.0 + 1e-9), due + excess, mean))
    for lane in range(WIDTH):
        after, steep = B[d * WIDTH + lane], B[slope * WIDTH + lane]
        found = 1.0
        if steep > 0.0 and B[leads * WIDTH + lane] > 0.0 and B[age * WIDTH + lane] > 0.0:
            found = laws.lateness_factor(after, B[target * WIDTH + lane], steep)
        B[d * WIDTH + lane] = found


@compiled
def _felt(B, W, p):  # type: ignore[no-untyped-def]
    """Response to the spend that is felt, where it is not known beforehand."""
    d, given, carried, spend = word(W, p), word(W, p + 1), word(W, p + 2), word(W, p + 3)
    adstock, at, half, saturation = (
        word(W, p + 4), word(W, p + 5), word(W, p + 6), word(W, p + 7)
    )  # fmt: skip
    time, begin, kind = word(W, p + 8), word(W, p + 9), word(W, p + 10)
    for lane in range(WIDTH):
        felt = B[given * WIDTH + lane]
        if felt < 0.0:
            weeks = B[time * WIDTH + lane] - B[begin * WIDTH + lane]
            felt = laws.response(
                kind,
                laws.adstock(
                    B[carried * WIDTH + lane], B[spend * WIDTH + lane], weeks,
                    B[adstock * WIDTH + lane],
                ),
                B[at * WIDTH + lane], B[half * WIDTH + lane], B[saturation * WIDTH + lane],
            )  # fmt: skip
        B[d * WIDTH + lane] = felt


@compiled
def play(B, W, p, end, table):  # type: ignore[no-untyped-def]
    """Play the instructions from word p up to `end`. table: see closure.psffa_busy."""
    while p < end:
        code, count = word(W, p), word(W, p + 1)
        p += 2
        if code <= TIMES:
            for _ in range(count):
                d, found = word(W, p), load(B, word(W, p + 1))
                p += 2
                scale = 0
                if code == TIMES:
                    scale = word(W, p)
                    p += 1
                more = p + 2 + 2 * word(W, p)
                less = more + 2 * word(W, p + 1)
                p += 2
                while p < more:
                    found = found + load(B, word(W, p)) * load(B, word(W, p + 1))
                    p += 2
                while p < less:
                    found = found - load(B, word(W, p)) * load(B, word(W, p + 1))
                    p += 2
                if code == TIMES:
                    found = found * load(B, scale)
                store(B, d, found)
        elif code == MULTIPLY:
            for _ in range(count):
                store(B, word(W, p), load(B, word(W, p + 1)) * load(B, word(W, p + 2)))
                p += 3
        elif code == INVERT:
            for _ in range(count):
                store(B, word(W, p), 1.0 / load(B, word(W, p + 1)))
                p += 2
        elif code == UNLESS:
            for _ in range(count):
                product = load(B, word(W, p + 2)) * load(B, word(W, p + 3))
                other = size(load(B, word(W, p + 1)))
                store(B, word(W, p), if_more(other, of(0.0), of(0.0), 0.0 - product))
                p += 4
        elif code == SERVE:
            for _ in range(count):
                p = serve(B, W, p + 2, word(W, p), word(W, p + 1), table)
        elif code == FELT:
            for _ in range(count):
                _felt(B, W, p)
                p += 11
        elif code == LIFT:
            for _ in range(count):
                d, share, felt = word(W, p), word(W, p + 1), word(W, p + 2)
                for lane in range(WIDTH):
                    B[d * WIDTH + lane] *= laws.lift(
                        B[share * WIDTH + lane], B[felt * WIDTH + lane]
                    )
                p += 3
        elif code == FREE:
            for _ in range(count):
                d, accounts, taken = word(W, p), word(W, p + 1), word(W, p + 2)
                for lane in range(WIDTH):
                    B[d * WIDTH + lane] = laws.market_share_free(
                        B[accounts * WIDTH + lane], B[taken * WIDTH + lane]
                    )
                p += 3
        elif code == CHURN:
            for _ in range(count):
                rate, live = load(B, word(W, p + 1)), load(B, word(W, p + 2))
                worse = most(load(B, word(W, p + 3)) / live, of(1.0))
                store(B, word(W, p), rate * if_more(live, of(1e-12), worse, of(1.0)))
                p += 4
        else:
            for _ in range(count):
                _late(
                    B, word(W, p), word(W, p + 1), word(W, p + 2), word(W, p + 3),
                    word(W, p + 4), word(W, p + 5),
                )  # fmt: skip
                p += 6
