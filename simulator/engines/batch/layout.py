"""What the batch engine holds: record types, and the groups in which the loop passes them on.

One record is one thing of the model, so a lead's numbers lie side by side in memory and a compiled
function takes few arguments. No type depends on the size of a system: it is compiled once.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from simulator.weekly.records import layout

BANDS: Final = 64  # of the rate axis, as many as a lead's id has room for
# What has a pending event, a node: first the next customer to leave, then the leads.
ALARM: Final = 0
# What a lead waits for.
(
    NOTHING, IN_QUEUE, PATIENCE, GONE_COLD, WORK, BUYER, TRANSIT, NURTURE, OUTSIDE, ADMITTED,
    PASSING,
) = range(11)  # fmt: skip
# What the calendar has planned.
TURN, JOIN, LEAVE, OPEN, SNAPSHOT, FINISH = range(6)
# How a run ended.
COMPLETE, TOO_MANY_LEADS, TOO_MANY_VISITS, TOO_MANY_PEOPLE, WEEKLY = range(5)
# Where a run goes on that asked for the weekly step.
START, LOOKED, TURNED, OPENED = range(4)
NODE: Final = layout("f8 time; i4 later sooner")
FIRST: Final = layout("i4 node")  # of a bucket; and a place in a row of them
# Three lines of memory: what an event reads, what a step reads, what is read seldom. A lead's
# place is free for another when it has its fate, so those at work lie close together.
LEAD: Final = layout(
    "i8 key slot; f8 clock pay cost spent; i4 person; i2 stage channel crew;"
    "i1 doing review fit recycled kept;"
    "f8 entered effort waited won weight; i8 seen; i4 next before row; i2 fate handoff;"
    "i8 id; f8 value arrived live odds lure; i8 trace limit"
)
# What remains of leads, in the order of their arrival: what the close counts, what a table tells.
FATED: Final = layout("f8 cost weight hours; i4 place; i2 channel fate")
TOLD: Final = layout("i8 id fit; f8 value arrived ended won live")
TEAM: Final = layout(
    "f8 touched hours work cost edge edge_hours edge_all edge_pay last_hours last_all last_pay;"
    "f8 present busy paid_hours busy_hours support_hours people_cost speed ramp ramp_start looked;"
    "i8 idle waiting alike owned apart first_person first_line last_line;"
    "i8 last_person spare hired replaced law watched hastens;"
    "f8 takeover takeover_odds quit lead hazard"
)
TEAM_BY: Final = layout("f8 hours cost")
# Of a person: gift is worth once ramped, span how many weeks that takes.
PERSON: Final = layout("f8 share ramp_from span gift; i8 team leaving")
# Of a person's seat: since is the hazard of quitting when the person came, times how often it was
# filled before, due when it is filled again; extra hazard of this person beyond the team's, and how
# fast they quit, over the team, while they ramp and after; manieth person, free to work, leads
# owned, their line.
SEAT: Final = layout("f8 since due extra early later; i8 times there manieth free owned line")
LINE: Final = layout("i8 head tail")
STAGE: Final = layout(
    "i8 key team line decision after_sale always one_route speed_kind effort_law patience_law;"
    "i8 buyer_law rework_to recycle_to recycle_limit recycle_delay_law gated limit;"
    "f8 effort_spread patience_spread buyer_spread recycle_delay_spread decay after;"
    "i8 waiting working buyer transit nurture entered started advanced sla_met sla_due;"
    "f8 wait sla overdue"
)
STAGE_BY: Final = layout(
    "f8 effort patience buyer_time speed_floor speed_scale applies advance_good advance_poor;"
    "f8 rework recycle recycle_delay us_good us_poor them_good them_poor gate_good gate_poor;"
    "f8 sla overdue"
)
HANDOFF: Final = layout("i8 source law; f8 spread")
HANDOFF_BY: Final = layout("f8 accepted_good accepted_poor returned rework delay every within")
CHANNEL: Final = layout(
    "i8 key entry kind value_law lifted referring steady stream bands arrived opening won;"
    "f8 at half saturation adstock value_spread carried response lift kept"
)
CHANNEL_BY: Final = layout("f8 spend now season per_customer good_fit value")
BAND: Final = layout("i8 channel band week index cell; f8 point now gap floor height mean")
SEGMENT: Final = layout("f8 edge churn expansion target late_churn cool_down lever")
LIMIT: Final = layout("i8 count head tail")
PLANNED: Final = layout("f8 time; i8 kind who late")
LIVE: Final = layout("f8 number; i8 name lead key")
RUN: Final = layout(
    "f8 horizon finish accounts start_customers start_arr cool_spread;"
    "i8 origin cool_law seed_base keep_visits keep_leads referral ruled limited shadow owners;"
    "f8 discount lure_from lure_slope wanted week; i8 people_stream failed;"
    "i8 resume planned ended mode;"
    "i8 segment leads places free awake events taken cooling lives opened visits row;"
    "f8 churn expansion edge edge_growth edge_hazard base last arr expanded revenue;"
    "f8 won_arr churned_arr cycle base_weight;"
    "i8 won live churned customers customers_live base_count base_gone;"
    "f8 origin_time per_week arrival; i8 cursor due_at due_end"
)
VISIT: Final = layout("i8 lead stage; f8 entered started ended")


class Floor(NamedTuple):
    """Where work is done: leads, people, and the events that are pending."""

    stages: Any
    teams: Any
    people: Any
    seats: Any
    hires: Any
    idle: Any
    lines: Any
    leads: Any
    tally: Any
    visits: Any
    nodes: Any
    buckets: Any
    due: Any
    sorting: Any


class Ends(NamedTuple):
    """What becomes of leads, and who is a customer or cools down."""

    fates: Any
    fated: Any
    told: Any
    hours: Any
    lives: Any
    cooling: Any


class Demand(NamedTuple):
    """Channels, and the points of their bands that come next."""

    channels: Any
    bands: Any
    coming: Any


class Tables(NamedTuple):
    """Parameters by segment; with rules, a run writes into the rows as it goes."""

    segments: Any
    channels_by: Any
    stages_by: Any
    handoffs_by: Any
    teams_by: Any
    caps: Any
    lift: Any


class Ways(NamedTuple):
    """Where leads go from a stage."""

    route: Any
    route_share: Any
    handoff: Any
    handoffs: Any


class Books(NamedTuple):
    """What is recorded: on the save grid, and at the end."""

    by_stage: Any
    by_team: Any
    by_fate: Any
    by_channel: Any
    by_time: Any
    ends: Any
    totals: Any
