"""A step of the Rosenbrock method for runs side by side, written as a program of rows.

The linear algebra is that of `linear`, whose equations these are: sparse factors of shift - A, and
how the queues' rates answer to leads (Woodbury). What is zero throughout is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from simulator.engines.flow.lane_kernel import COLD_ONLY, GONE, LIVE, Kernel, Sum, Sums
from simulator.engines.flow.lanes import LEADS, SINCE
from simulator.engines.flow.solver import GAMMA, TABLEAU
from simulator.engines.flow.tape import INVERT, UNLESS, Pair, Tape

STAGES = 4


class Step:
    """Writes a step: rows of its own, beside those of the kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        k, s = kernel, kernel.shape
        take, n, queues = k.rows.take, s.size, len(s.team)
        self.z, self.point, self.seen = (take(k.size) for _ in range(3))
        self.stages = take(STAGES * k.size)
        self.step, self.per_step, self.shift, self.back, self.now = (take(1) for _ in range(5))
        self.earlier = take(STAGES * STAGES)
        self.lu = take(len(s.column))
        self.strict, self.turned = take(queues), take(queues)
        self.answers, self.mixed = take(queues * queues), take(queues * queues)
        self.spread, self.moved = take(n * queues), take(len(s.target))
        self.rho, self.queued = take(queues), take(queues)
        self.delta, self.out = take(len(s.target)), take(n)
        self.ahead, self.single = take(n), take(n)
        self.spare = [k.temporary() for _ in range(3)]
        entries = range(len(s.column))
        rows = [i for i in range(n) for _ in range(int(s.row_first[i]), int(s.row_first[i + 1]))]
        self.entry = {(rows[p], int(s.column[p])): self.lu + p for p in entries}
        self.below = [[c for c in range(i) if (i, c) in self.entry] for i in range(n)]
        self.above = [[c for c in range(i + 1, n) if (i, c) in self.entry] for i in range(n)]
        self.dead = self._dead() | self._unread()

    def rows(self, place: int) -> list[int]:
        """All rows of a place in the state."""
        stages = [self.stages + j * self.kernel.size + place for j in range(STAGES)]
        return [self.z + place, self.point + place, self.seen + place, *stages]

    def _dead(self) -> set[int]:
        """Places of the state that are zero throughout: nothing ever comes there."""
        k, base = self.kernel, self.kernel.stocks + self.kernel.shape.sums.base
        left = set(range(k.size)) - set(range(base, base + 4))
        while True:
            t = k.tape({self.z + i for i in left})
            found = k.slope(t, k.rooms[0], k.time, lambda i: self.z + i, self.spare[0], opened=True)
            fed = {
                i for i in left for pair in (*found[i].plus, *found[i].minus)
                if pair[0] not in t.zero and pair[1] not in t.zero
            }  # fmt: skip
            if not fed:
                return left
            left -= fed

    def _unread(self) -> set[int]:
        """Places that nothing is read from: ages of the live, all but leads of the lost."""
        s, parts = self.kernel.shape, self.kernel.shape.parts
        return {
            i * parts + c
            for i in range(s.size)
            if s.kind[i] >= LIVE
            for c in range(1 if s.kind[i] == GONE and not s.sold[i] else SINCE, parts)
        }

    def live(self) -> list[int]:
        """Places of the state that are worked out."""
        return [i for i in range(self.kernel.size) if i not in self.dead]

    def _tape(self) -> Tape:
        return self.kernel.tape({row for i in self.dead for row in self.rows(i)})

    def write(self, *, opened: bool) -> Tape:
        """A step's stages, from the state z at `time` by `step`."""
        k, t = self.kernel, self._tape()
        constant = k.rows.constant
        t.put(INVERT, self.per_step, self.step)
        t.times(self.shift, self.per_step, constant(1.0 / GAMMA))
        t.times(self.back, self.step, constant(GAMMA))
        for s in range(1, STAGES):
            for j in range(s):
                row = self.earlier + s * STAGES + j
                t.times(row, constant(TABLEAU[4 + s, j]), self.per_step)
        found = k.slope(t, k.rooms[0], k.time, lambda i: self.z + i, self.spare[0], opened=opened)
        self._factor(t)
        self._answer(t)
        self._solve_stage(t, 0, found)
        for s in range(1, STAGES):
            t.dot(self.now, [(constant(TABLEAU[10, s]), self.step)], base=k.time)
            there: dict[int, int] = {}

            def point(i: int, s: int = s, there: dict[int, int] = there) -> int:
                """Row of a place at the stage's point, worked out when it is first read."""
                if i not in there:
                    there[i] = t.dot(
                        self.point + i,
                        [(constant(TABLEAU[s, j]), self._at(j, i)) for j in range(s)
                         if TABLEAU[s, j]],
                        base=self.z + i,
                    )  # fmt: skip
                return there[i]

            found = k.slope(t, k.rooms[1], self.now, point, self.spare[0], opened=opened)
            for i in range(k.size):
                for j in range(s):
                    found[i].plus.append((self.earlier + s * STAGES + j, self._at(j, i)))
            self._solve_stage(t, s, found)
        return t

    def look(self) -> Tape:
        """Queues of the state `seen`, at `now`."""
        k, t = self.kernel, self._tape()
        k.serve(t, k.rooms[1], self.now, lambda i: self.seen + i)
        return t

    def _at(self, stage: int, place: int) -> int:
        return self.stages + stage * self.kernel.size + place

    def _factor(self, t: Tape) -> None:
        """Factors of shift - A, A the matrix of the flows at the step's start."""
        k, s, entry = self.kernel, self.kernel.shape, self.entry
        room, one = k.rooms[0], k.one
        into: dict[int, list[Pair]] = {}
        for e in range(len(s.target)):
            into.setdefault(self.lu + int(s.edge[e]), []).append((one, k.flow(room, e)))
        for i in range(s.size):
            for j in [*self.below[i], i, *self.above[i]]:
                row = entry[i, j]
                minus = into.get(row, [])
                minus = minus + [
                    (entry[i, c], entry[c, j]) for c in self.below[i]
                    if c < j and (c, j) in entry
                ]  # fmt: skip
                if j < i:
                    t.dot(row, minus=minus, scale=entry[j, j])
                elif j > i:
                    t.dot(row, minus=minus)
                else:
                    out = [(one, k.flow(room, e)) for e in k.edges(i)]
                    t.dot(row, out, minus, base=self.shift)
                    t.put(INVERT, row, row)

    def _forward(self, i: int, x: int, step: int) -> list[Pair]:
        """What rows before i take from row i of a right-hand side at x + i step."""
        return [(self.entry[i, c], x + c * step) for c in self.below[i]]

    def _backward(self, t: Tape, i: int, x: int, step: int, base: int) -> None:
        """Row i of the solution, at x + i step, from what is left of its right-hand side."""
        minus = [(self.entry[i, c], x + c * step) for c in self.above[i]]
        t.dot(x + i * step, minus=minus, base=base, scale=self.entry[i, i])

    def _needed(self) -> list[int]:
        """Stocks that those of work are solved by, last first."""
        need = {int(i) for i in self.kernel.shape.workers}
        for i in range(self.kernel.shape.size):
            if i in need:
                need.update(self.above[i])
        return sorted(need, reverse=True)

    def _answer(self, t: Tape) -> None:
        """Factors of I - D n(Z); see linear: D how rates answer, Z what each rate moves."""
        k, s, g = self.kernel, self.kernel.shape, self.kernel.given
        room, queues, one = k.rooms[0], len(s.team), k.one
        for q in range(queues):
            t.times(self.strict + q, g.theta + q, room.service + q)
            for other in range(queues):
                row = self.answers + q * queues + other
                if s.team[q] != s.team[other] or s.level[q] < s.level[other]:
                    t.zero.add(row)
                elif s.level[q] == s.level[other]:
                    worked = (room.service + other, room.done + other)
                    t.dot(row, minus=[worked], base=room.more + other, scale=room.press + q)
                else:
                    t.put(UNLESS, row, room.more + q, room.press + q, room.more + other)
        by: dict[tuple[int, int], Sum] = {}
        for i in s.workers:
            q = int(s.queue[i])
            for e in k.edges(i):
                away, to = (
                    by.setdefault((int(i), q), Sum()),
                    by.setdefault((int(s.target[e]), q), Sum()),
                )
                part = k.taken(room, e)
                if s.takes[e] == COLD_ONLY:
                    t.times(self.moved + e, self.strict + q, part)
                    away.plus.append((self.moved + e, self.z + i * s.parts))
                    to.minus.append((self.moved + e, self.z + i * s.parts))
                else:
                    away.minus.append((part, self.z + i * s.parts))
                    to.plus.append((part, self.z + i * s.parts))
        for q in range(queues):
            for i in range(s.size):
                terms = by.get((i, q), Sum())
                before = self._forward(i, self.spread + q, queues)
                t.dot(self.spread + i * queues + q, terms.plus, terms.minus + before)
            for i in self._needed():
                row = self.spread + i * queues + q
                self._backward(t, i, self.spread + q, queues, row)
        mixed = self.mixed
        for a in range(queues):
            for b in range(queues):
                minus = [
                    (self.answers + a * queues + int(s.queue[i]), self.spread + i * queues + b)
                    for i in s.workers
                    if s.team[s.queue[i]] == s.team[a]
                ]
                minus += [
                    (mixed + a * queues + c, mixed + c * queues + b) for c in range(min(a, b))
                ]
                row = mixed + a * queues + b
                if a > b:
                    t.dot(row, minus=minus, scale=mixed + b * queues + b)
                else:
                    t.dot(row, minus=minus, base=one if a == b else -1)
                if a == b:
                    t.put(INVERT, row, row)

    def _respond(self, t: Tape, leads: Sequence[int]) -> dict[int, Sum]:
        """What the rates' own change moves, by place; leads: rows of what is to be solved for."""
        k, s = self.kernel, self.kernel.shape
        room, queues, parts = k.rooms[0], len(s.team), s.parts
        for i in range(s.size):
            before = self._forward(i, self.ahead, 1)
            t.dot(self.ahead + i, minus=before, base=leads[i])
        for i in self._needed():
            self._backward(t, i, self.single, 1, self.ahead + i)
        for q in range(queues):
            mine = [(k.one, self.single + i) for i in s.workers if s.queue[i] == q]
            t.dot(self.queued + q, mine)
        rho, mixed = self.rho, self.mixed
        for a in range(queues):
            plus = [
                (self.answers + a * queues + c, self.queued + c)
                for c in range(queues)
                if s.team[c] == s.team[a]
            ]
            t.dot(rho + a, plus, [(mixed + a * queues + b, rho + b) for b in range(a)])
        for a in range(queues - 1, -1, -1):
            minus = [(mixed + a * queues + b, rho + b) for b in range(a + 1, queues)]
            t.dot(rho + a, minus=minus, base=rho + a, scale=mixed + a * queues + a)
        for q in range(queues):
            t.dot(self.turned + q, minus=[(self.strict + q, rho + q)])
        found: dict[int, Sum] = {}
        for i in s.workers:
            q = int(s.queue[i])
            edges = k.edges(i)
            for e in edges:
                way = self.turned if s.takes[e] == COLD_ONLY else rho
                t.times(self.delta + e, way + q, k.taken(room, e))
            t.dot(self.out + i, [(k.one, self.delta + e) for e in edges])
            for c in range(parts):
                here = self.z + i * parts + c
                found.setdefault(i * parts + c, Sum()).minus.append((self.out + i, here))
                for e in edges:
                    to = int(s.target[e]) * parts + c
                    found.setdefault(to, Sum()).plus.append((self.delta + e, here))
        return found

    def _solve_stage(self, t: Tape, stage: int, found: Sums) -> None:
        """Solve for a stage: first the leads, then what grows with them."""
        k, s, parts = self.kernel, self.kernel.shape, self.kernel.shape.parts
        room, x = k.rooms[0], self.stages + stage * k.size
        leads = [x + i * parts + LEADS for i in range(s.size)]
        for i, row in enumerate(leads):
            terms = found[i * parts + LEADS]
            t.dot(row, terms.plus, terms.minus)
        moved = self._respond(t, leads)
        for c in range(parts):
            for i in range(s.size):
                place = i * parts + c
                if place in self.dead:
                    continue
                terms, more = found[place], moved.get(place, Sum())
                plus, minus = list(more.plus), more.minus + self._forward(i, x + c, parts)
                base = x + place
                if c != LEADS:
                    plus, minus, base = terms.plus + plus, terms.minus + minus, -1
                    if k.weeks(i) == c:
                        plus.append((k.one, leads[i]))
                if c != LEADS or plus or minus:
                    t.dot(x + place, plus, minus, base=base)
            for i in range(s.size - 1, -1, -1):
                if i * parts + c not in self.dead:
                    self._backward(t, i, x + c, parts, x + i * parts + c)
        k.sums(
            t, found, room, room.done, room.cold, lambda e: k.flow(room, e), lambda i: leads[i],
            self.spare[1], phases=True,
        )  # fmt: skip
        k.sums(
            t, found, room, self.rho, self.turned, lambda e: self.delta + e,
            lambda i: self.z + i * parts, self.spare[2], phases=False,
        )  # fmt: skip
        for i in range(k.stocks, k.size):
            t.dot(x + i, found[i].plus, found[i].minus, scale=self.back)
