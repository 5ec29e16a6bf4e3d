"""The least cost at which knobs reach targets, with few runs of the system.

What the knobs do is taken apart into what each does alone and what each pair does together (a
second-order high-dimensional model representation, Rabitz & Alis 1999), tabulated by runs and
interpolated. The least cost is found on the tables; the system is then run there, the tables are
corrected by what came out, and so on until both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Point = tuple[float, ...]
Many = Callable[[Sequence[Point]], Floats]
"""Positions of all knobs -> margins (n, T), each at least 0 where its target is met."""

NODES = (0.0, 0.25, 0.5, 0.75, 1.0)
CROSS = (0.5, 1.0)
LATTICE = {1: 401, 2: 61, 3: 21, 4: 11}
ROUNDS = 6
CLOSE = 2e-3  # of a target's level: near enough for the search


@dataclass
class Space:
    """The knobs, what runs say of them, and what they cost.

    margins: (n, T) of positions; cost: extra cost of a position, exact and cheap; scales: (T,)
    sizes by which margins are compared; steps: by knob, how many it has (people are whole or
    half), 0 for one that moves freely.
    """

    knobs: int
    margins: Many
    cost: Callable[[Point], float]
    scales: Floats
    steps: tuple[int, ...] = ()
    runs: int = 0
    known: dict[Point, Floats] = field(default_factory=dict)
    alone: Floats = field(default_factory=lambda: np.zeros(0))  # (K, nodes, T)
    price: Floats = field(default_factory=lambda: np.zeros(0))  # (K, nodes)
    together: dict[tuple[int, int], Floats] = field(default_factory=dict)  # (3, 3, T)

    def at(self, points: Sequence[Point]) -> Floats:
        """Margins over scales, of positions, each run once."""
        new = [p for p in dict.fromkeys(points) if p not in self.known]
        if new:
            found = self.margins(new) / self.scales
            self.runs += len(new)
            self.known |= dict(zip(new, found, strict=True))
        return np.array([self.known[p] for p in points])

    def point(self, which: Sequence[int], x: Sequence[float]) -> Point:
        """A position with these knobs at x and the others not pulled."""
        full = [0.0] * self.knobs
        for i, value in zip(which, x, strict=True):
            full[i] = round(float(value), 6)
        return tuple(full)

    def tabulate(self) -> None:
        """Run every knob alone."""
        points = [self.point([k], [x]) for k in range(self.knobs) for x in NODES]
        values = self.at(points)
        self.alone = values.reshape(self.knobs, len(NODES), -1)
        self.price = np.array([self.cost(p) for p in points]).reshape(self.knobs, len(NODES))

    @property
    def base(self) -> Floats:
        """Margins with nothing pulled."""
        found: Floats = self.alone[0, 0]
        return found

    def pairs(self, among: Sequence[int]) -> None:
        """Run every two of these knobs together."""
        wanted = [p for p in combinations(sorted(among), 2) if p not in self.together]
        points = [self.point(p, x) for p in wanted for x in product(CROSS, CROSS)]
        if not points:
            return
        values = self.at(points).reshape(len(wanted), len(CROSS), len(CROSS), -1)
        rows = [NODES.index(x) for x in CROSS]
        for (i, j), value in zip(wanted, values, strict=True):
            extra = np.zeros((3, 3, value.shape[-1]))
            a, b = self.alone[i][rows], self.alone[j][rows]
            extra[1:, 1:] = value - a[:, None] - b[None, :] + self.base
            self.together[i, j] = extra

    def guess(self, which: Sequence[int], x: Floats) -> Floats:
        """Margins of positions (n, m) by the tables, (n, T)."""
        found = np.tile(self.base, (len(x), 1))
        for column, k in enumerate(which):
            found += _along(self.alone[k] - self.base, x[:, column])
        for (a, i), (b, j) in combinations(enumerate(which), 2):
            key, first, second = ((i, j), a, b) if i < j else ((j, i), b, a)
            if key in self.together:
                found += _across(self.together[key], x[:, first], x[:, second])
        return found

    def guess_cost(self, which: Sequence[int], x: Floats) -> Floats:
        """Extra cost of positions by the tables, (n,)."""
        total = np.zeros(len(x))
        for column, k in enumerate(which):
            total += np.interp(x[:, column], NODES, self.price[k])
        return total


def _along(table: Floats, x: Floats) -> Floats:
    from scipy.interpolate import PchipInterpolator

    return np.asarray(PchipInterpolator(NODES, table, axis=0)(x))


def _across(table: Floats, x: Floats, y: Floats) -> Floats:
    """Bilinear, on (0, .5, 1) squared."""
    i, j = np.minimum((2 * x).astype(int), 1), np.minimum((2 * y).astype(int), 1)
    u, v = (2 * x - i)[:, None], (2 * y - j)[:, None]
    found: Floats = (
        table[i, j] * (1 - u) * (1 - v)
        + table[i + 1, j] * u * (1 - v)
        + table[i, j + 1] * (1 - u) * v
        + table[i + 1, j + 1] * u * v
    )
    return found


@dataclass(frozen=True)
class Found:
    """A set of knobs at positions. margins over scales: (T,); met: all at least 0 or so."""

    which: tuple[int, ...]
    x: tuple[float, ...]
    margins: Floats
    cost: float
    met: bool


def lattice(
    m: int,
    center: Floats | None = None,
    reach: float = 1.0,
    steps: Sequence[int] | None = None,
) -> Floats:
    """Positions (n, m): a grid over all, or around a centre. steps: by axis, 0 for free ones."""
    n = LATTICE.get(m, 7)
    axes = []
    for k in range(m):
        own = steps[k] if steps else 0
        if own:
            axes.append(np.linspace(0.0, 1.0, own + 1))
        elif center is None:
            axes.append(np.linspace(0.0, 1.0, n))
        else:
            near = np.linspace(center[k] - reach, center[k] + reach, min(n, 41))
            axes.append(np.unique(np.clip(near, 0.0, 1.0)))
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, m)


def cheapest(
    space: Space, which: tuple[int, ...], need: Floats, shift: Floats, most: float = np.inf
) -> tuple[Floats, bool]:
    """The cheapest position that meets the needs by the tables; else the one nearest to it.

    need: margins asked for; shift: corrections of the tables. most: a budget.
    """
    steps = [space.steps[k] for k in which] if space.steps else None
    x = lattice(len(which), steps=steps)
    best, met = _pick(space, which, x, need, shift, most)
    step = 1.0 / (LATTICE.get(len(which), 7) - 1)
    for _ in range(2):
        x = lattice(len(which), best, step, steps)
        finer, met_finer = _pick(space, which, x, need, shift, most)
        if met_finer or not met:
            best, met = finer, met_finer
        step /= 8
    return best, met


def _pick(
    space: Space, which: tuple[int, ...], x: Floats, need: Floats, shift: Floats, most: float
) -> tuple[Floats, bool]:
    margin = (space.guess(which, x) + shift - need).min(axis=1)
    margin = np.where(np.isfinite(margin), margin, -np.inf)
    cost = space.guess_cost(which, x)
    good = (margin >= 0) & (cost <= most)
    if good.any():
        order = np.where(good, cost, np.inf)
        return x[int(np.argmin(order))], True
    near = np.where(cost <= most, margin, -np.inf)
    return x[int(np.argmax(near))], False


def solve(space: Space, which: tuple[int, ...], need: Floats, most: float = np.inf) -> Found:
    """The least cost at which these knobs meet the needs, checked and corrected by runs."""
    shift = np.zeros_like(space.base)
    best: Found | None = None
    nearest: Found | None = None
    aim = need.copy()
    for _ in range(ROUNDS):
        x, met = cheapest(space, which, aim, shift, most)
        point = space.point(which, x.tolist())
        true = space.at([point])[0]
        cost = space.cost(point)
        margin = float((true - need).min()) if np.isfinite(true).all() else -np.inf
        good = margin >= -1e-9 and cost <= most * (1 + 1e-9)
        now = Found(which, tuple(point[k] for k in which), true, cost, good)
        if good and (best is None or cost < best.cost):
            best = now
        if nearest is None or margin > float((nearest.margins - need).min()):
            nearest = now
        if not np.isfinite(true).all():
            break
        guessed = space.guess(which, np.array([[point[k] for k in which]]))[0]
        shift = true - guessed
        if met and good and margin <= CLOSE:
            break
        # A little more than is needed, so that the last step lands on the right side.
        aim = need + 0.25 * CLOSE
        if not met and not good and float(np.abs(shift).max()) < CLOSE:
            break
    assert nearest is not None
    return best or nearest


def sets(space: Space, need: Floats, k: int, *, most: float = np.inf, keep: int = 4) -> list[Found]:
    """The cheapest sets of at most k knobs, cheapest first: those that meet the needs.

    keep: how many of each size are looked at by runs.
    """
    useful = [i for i in range(space.knobs) if _useful(space, i, need)]
    found: list[Found] = []
    for m in range(1, min(k, len(useful)) + 1):
        if m == 2:
            space.pairs(useful)
        ranked = []
        for which in combinations(useful, m):
            x, met = cheapest(space, which, need, np.zeros_like(space.base), most)
            guess = float(space.guess_cost(which, x[None, :])[0])
            margin = float((space.guess(which, x[None, :])[0] - need).min())
            ranked.append((not met, guess if met else -margin, which))
        ranked.sort()
        # What the tables say just misses may, by a run, just not.
        for _, _, which in ranked[:keep]:
            here = solve(space, which, need, most)
            if here.met:
                found.append(lean(space, here, need))
    unique: dict[tuple[int, ...], Found] = {}
    for here in sorted(found, key=lambda f: (f.cost, len(f.which))):
        unique.setdefault(here.which, here)
    return list(unique.values())


def _useful(space: Space, i: int, need: Floats) -> bool:
    """Whether a knob alone moves some margin towards what is needed, by a hundredth of the gap."""
    gap = np.maximum(need - space.base, 1e-3)
    gain = np.nan_to_num(space.alone[i] - space.base, nan=0.0).max(axis=0)
    saves = space.price[i].min() < 0
    return bool((gain > 0.01 * gap).any()) or bool(saves)


def lean(space: Space, found: Found, need: Floats) -> Found:
    """The set without the knobs that are hardly pulled, if the needs are met without them."""
    for i, x in zip(found.which, found.x, strict=True):
        if len(found.which) > 1 and x < 0.02:
            rest = [(k, y) for k, y in zip(found.which, found.x, strict=True) if k != i]
            which, y = tuple(k for k, _ in rest), tuple(v for _, v in rest)
            point = space.point(which, y)
            margins = space.at([point])[0]
            if float((margins - need).min()) >= -1e-9:
                cost = space.cost(point)
                return lean(space, Found(which, y, margins, cost, True), need)
    return found
