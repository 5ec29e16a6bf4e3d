"""Differences taken apart exactly: a product's growth by factor, a game's worth by player."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Player = TypeVar("Player", bound=Hashable)
Worth = Callable[[frozenset[Player]], float]


def log_mean(a: float, b: float) -> float:
    """(a - b) / ln(a / b), the logarithmic mean of two positive numbers; a where they agree."""
    ratio = math.log(a) - math.log(b)
    # The series of x/expm1(x) avoids dividing two tiny numbers.
    return b * math.expm1(ratio) / ratio if abs(ratio) > 1e-9 else b * (1.0 + 0.5 * ratio)


def lmdi(before: Floats, after: Floats) -> Floats:
    """What each factor adds to the growth of their product: logarithmic-mean Divisia index.

    before, after: (n,) factors, none negative. The parts add up to prod(after) - prod(before),
    and those of several factors to the part of their product (consistent in aggregation). Where a
    product is 0, the factors that are make the whole difference, in equal parts: the limit of
    small numbers in their place (Ang & Liu 2007). Raises ValueError for a negative factor.
    """
    if (before < 0).any() or (after < 0).any():
        raise ValueError("a factor below 0 has no logarithm")
    parts = np.zeros(len(before))
    for one, sign in ((before, 1.0), (after, -1.0)):
        gone = one == 0
        if gone.any():
            other = after if sign > 0 else before
            whole = float(np.prod(other))
            if whole > 0:
                parts[gone] = sign * whole / int(gone.sum())
            return parts
    weight = log_mean(float(np.prod(after)), float(np.prod(before)))
    shares: Floats = weight * (np.log(after) - np.log(before))
    return shares


def one_at_a_time(
    players: Sequence[Player], worth: Worth[Player]
) -> tuple[dict[Player, float], float]:
    """What is missed when each player alone is away, and the rest of the whole worth.

    worth of everyone = worth of nobody + sum of parts + rest.
    """
    everyone = frozenset(players)
    full = worth(everyone)
    parts = {p: full - worth(everyone - {p}) for p in players}
    return parts, full - worth(frozenset()) - math.fsum(parts.values())


def shapley(players: Sequence[Player], worth: Worth[Player]) -> dict[Player, float]:
    """Each player's mean marginal worth over all orders of coming, from all 2^n groups.

    worth of everyone = worth of nobody + sum of parts (Shapley 1953).
    """
    n = len(players)
    weight = [1.0 / (n * math.comb(n - 1, k)) for k in range(n)]
    parts = dict.fromkeys(players, 0.0)
    for k in range(n):
        for group in itertools.combinations(players, k):
            here = frozenset(group)
            base = worth(here)
            for p in players:
                if p not in here:
                    parts[p] += weight[k] * (worth(here | {p}) - base)
    return parts


def orders(players: Sequence[Player], seed: int, draw: int) -> list[list[Player]]:
    """A random order of coming and its reverse: a draw for `shapley_of`."""
    rng = np.random.default_rng((seed, draw))
    order = [players[i] for i in rng.permutation(len(players))]
    return [order, order[::-1]]


def shapley_of(ways: Sequence[Sequence[Player]], worth: Worth[Player]) -> dict[Player, float]:
    """Mean marginal worth over some orders of coming: unbiased, and adds up in every draw."""
    parts: dict[Player, float] = dict.fromkeys(ways[0], 0.0)
    for order in ways:
        here: frozenset[Player] = frozenset()
        before = worth(here)
        for p in order:
            here |= {p}
            now = worth(here)
            parts[p] += (now - before) / len(ways)
            before = now
    return parts


def groups_of(ways: Sequence[Sequence[Player]]) -> list[frozenset[Player]]:
    """The groups whose worth `shapley_of` asks for, each once."""
    found: Mapping[frozenset[Player], None] = dict.fromkeys(
        frozenset(order[:k]) for order in ways for k in range(len(order) + 1)
    )
    return list(found)


def all_groups(players: Sequence[Player]) -> list[frozenset[Player]]:
    """All groups of players."""
    return [
        frozenset(g) for k in range(len(players) + 1) for g in itertools.combinations(players, k)
    ]
