"""The weekly step in the events engine: what it shows, and what then holds; who quits or comes."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from simulator import draws, laws
from simulator.draws import exponential
from simulator.engines.events.state import State
from simulator.engines.ledgers import Team
from simulator.engines.slow import HOLD, KEEP, LOOK, STEP
from simulator.errors import EngineError
from simulator.weekly.hires import luck_of, span_of

WEEK: Final = 1e-9  # how near to a whole week an edge is one


class Weekly(State):
    """The part of a run that turns week by week."""

    def show(self) -> None:
        """Everything the step may see, now."""
        slow, books = self.slow, self.contracts
        assert slow is not None
        to, now = slow.shown, self.env.now
        books.settle(now)
        for m, team in enumerate(self.teams):
            team.touch(now)
            skilled, rookies = self.crew(team)
            worked = team.busy_hours + team.support_hours
            to.teams[m] = (team.paid_hours, worked, team.present, skilled, rookies)
        stock, flow = self.stock, self.flow
        for s in range(len(self.wait)):
            waiting = stock["waiting"][s]
            inside = waiting + stock["working"][s] + stock["buyer"][s]
            came, begun, left = flow["entered"][s], flow["started"][s], flow["advanced"][s]
            to.stages[s] = (waiting, inside, came, begun, self.wait[s], left)
        growth = math.exp(books.growth(now))
        for c, came in enumerate(self.arrived):
            to.channels[c] = (came, self.won_by[c], self.kept_by[c] * growth)
        to.whole[0] = (
            books.won, books.won_arr, books.revenue, books.churned, books.customers_live, books.arr
        )  # fmt: skip

    def worth(self, team: Team, person: int) -> float:
        """Productivity of a person now."""
        since = self.seat_ramp_from[person]
        if since == -math.inf:
            return 1.0
        return team.skill(self.env.now - since, self.seat_span[person]) * self.seat_gift[person]

    def crew(self, team: Team) -> tuple[float, float]:
        """Heads by their worth, and those who ramp, of a team now."""
        skilled = rookies = 0.0
        for person in team.seats:
            if not self.there[person]:
                continue
            share, since = self.seat_share[person], self.seat_ramp_from[person]
            skilled += share * self.worth(team, person)
            if since != -math.inf and self.env.now - since < self.seat_span[person]:
                rookies += share
        return skilled, rookies

    def week(self, edge: float, ended: int) -> None:
        """Take a step at an edge of the calendar; then what holds from here on.

        ended: the segment that is over; -1 at the start of a run.
        """
        slow = self.slow
        if slow is None:
            return
        mode = LOOK if ended < 0 else STEP if abs(edge - round(edge)) < WEEK else HOLD
        if mode != HOLD:
            self.show()
        slow.turn(ended, self.segment, mode, edge)
        self.adopt()

    def rebase(self) -> None:
        """Week 0: sums begin anew."""
        if self.slow is not None:
            self.show()
            self.slow.turn(self.segment, self.segment, KEEP, self.env.now)

    def adopt(self) -> None:
        """Go on with what holds."""
        slow, p, k = self.slow, self.p, self.segment
        assert slow is not None
        holds = slow.holds
        for c, row in enumerate(holds.channels.tolist()):
            p.spend[k][c], p.now[k][c], p.per_customer[k][c], p.good_fit[k][c] = row
        for i, row in enumerate(holds.stages.tolist()):
            p.rework[k][i], p.buyer_time[k][i] = row[:2]
            p.shares[k][i] = [row[2:4], row[4:6]]
        for h, (good, poor, returned) in enumerate(holds.handoffs.tolist()):
            p.accepted[k][h], p.returned[k][h] = [good, poor], returned
        for team, (hours, work, speed, _, _) in zip(self.teams, holds.teams.tolist(), strict=True):
            team.paced(hours, work, speed)
        churn, self.discount, cost = holds.whole.tolist()[0]
        self.contracts.churn = churn
        p.lever_rate[k] = float(self.system.money.lever_rate[k]) + cost

    def people(self) -> None:
        """Who quits, whose seat is filled again, whom policies hire or let go; team by team."""
        slow = self.slow
        if slow is None:
            return
        t, now = slow.rules.teams, self.env.now
        for m, team in enumerate(self.teams):
            hazard = float(slow.holds.teams[m]["hazard"])
            if team.watched:
                self.strain(m, hazard)
            if t[m]["quit"] > 0.0:
                for person in team.seats:
                    if not self.there[person] or person in self.leaving:
                        continue
                    key = draws.subkey(slow.stream, person)
                    patience = exponential(key, slow.times[person])
                    if hazard - slow.since[person] + slow.extra[person] >= patience:
                        self.leave(person)
                        if t[m]["replaced"]:
                            slow.due[person] = now + float(t[m]["lead"])
                for person in team.seats:
                    if slow.due[person] <= now + WEEK and not self.there[person]:
                        slow.due[person] = math.inf
                        self.arrive_at(person, hazard)
            wanted = math.floor(float(slow.holds.teams[m]["heads"]) + 0.5)
            self._fit(m, wanted, hazard)

    def _fit(self, m: int, wanted: int, hazard: float) -> None:
        """As many of the spare seats filled as policies want; planned people go after them."""
        slow = self.slow
        assert slow is not None
        if wanted > len(slow.spare[m]):
            raise EngineError(
                f"{self.system.name}: policies want {wanted} more people in "
                f"{self.system.team_names[m]} than planned; at most {len(slow.spare[m])} fit"
            )
        while slow.hired[m] < wanted:
            person = slow.spare[m][slow.hired[m]]
            if person in self.leaving:
                self.leaving.discard(person)  # who was to go after the work in hand stays
            else:
                self.arrive_at(person, hazard)
            slow.hired[m] += 1
        while slow.hired[m] > max(0, wanted):
            slow.hired[m] -= 1
            person = slow.spare[m][slow.hired[m]]
            slow.due[person] = math.inf
            if self.there[person] and person not in self.leaving:
                self.leave(person)

    def arrive_at(self, person: int, hazard: float) -> None:
        """A new person in a seat."""
        slow = self.slow
        assert slow is not None
        self.seat_ramp_from[person] = self.env.now
        slow.since[person] = hazard
        slow.times[person] += 1
        self.join(person)

    def strain(self, m: int, hazard: float) -> None:
        """What the time since the last look did to each beyond what it did to the team."""
        slow, team, now = self.slow, self.teams[m], self.env.now
        assert slow is not None
        more = hazard - slow.hazard[m]
        if not more > 0.0:
            return
        for person in team.seats:
            if self.there[person]:
                since = self.seat_ramp_from[person]
                early, later = self.seat_quits[person]
                felt = laws.exposure(
                    team.looked, now, since, since + self.seat_span[person], early, later
                )
                slow.extra[person] += more * (felt - 1.0)
        team.looked, slow.hazard[m] = now, hazard

    def enter(self, person: int) -> None:
        """Draw which kind a new person is, and how long they ramp."""
        slow, system = self.slow, self.system
        assert slow is not None
        slow.extra[person] = 0.0
        if self.seat_ramp_from[person] == -math.inf:
            return
        m, times = int(system.people.team[person]), slow.times[person]
        team, hires = self.teams[m], system.hires[m]
        self.seat_span[person] = float(span_of(slow.stream, person, times, team.law, team.ramp))
        kind = 0
        if hires["upto"][0] <= 0.0:
            kind = int(np.argmax(luck_of(slow.stream, person, times) < hires["upto"]))
        self.seat_gift[person] = float(hires["gift"][kind])
        self.seat_quits[person] = (float(hires["early"][kind]), float(hires["later"][kind]))

    def join(self, person: int) -> None:
        """Someone starts."""
        raise NotImplementedError

    def leave(self, person: int) -> None:
        """Someone leaves, when the work in hand is done."""
        raise NotImplementedError
