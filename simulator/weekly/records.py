"""Record types: one record is one thing of the model, so compiled functions take few arrays.

No type depends on the size of a system, so all is compiled once.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def layout(text: str) -> np.dtype[np.void]:
    """An aligned record type from text such as ``"f8 value cost; i4 stage"``."""
    fields = [(name, part.split()[0]) for part in text.split(";") for name in part.split()[1:]]
    return np.dtype(fields, align=True)


def filled(type_: np.dtype[np.void], shape: int | tuple[int, ...], /, **columns: Any) -> Array:
    """Records of a kind with the given columns, the others zero."""
    made = np.zeros(shape, dtype=type_)
    for name, values in columns.items():
        made[name] = values
    return made


# Rules: what a scenario says. *_table: a row of Rules.tables, -1 for none.
TEAM: Final = layout(
    "f8 stated week lead wip_normal wip_loss wip_power target press_smooth errors tired_smooth;"
    "f8 quit strength threshold depletion recovery sup_hours span improve_stated erosion;"
    "f8 normal urge_smooth longest; i8 aimed urge_table cut_table;"
    "i8 replaced pressed tired wip_table output_table"
)
# A kind of hires: the share of all up to it, its worth, and how fast it quits, over the team's
# rate, while it ramps and after. The first kind is those of the start.
HIRE: Final = layout("f8 upto gift early later")
TEAM_BY: Final = layout("f8 hours improve goal")
CHANNEL: Final = layout(
    "f8 first at half saturation adstock carried loss out_at out_saturation; i8 kind team"
)
CHANNEL_BY: Final = layout("f8 spend now per_customer good out_hours tooling")
STAGE: Final = layout("i8 team decision")
STAGE_BY: Final = layout("f8 effort rework buyer_time us_good them_good us_poor them_poor")
HANDOFF: Final = layout("i8 sender")
HANDOFF_BY: Final = layout("f8 good poor returned")
MARKET: Final = layout(
    "f8 start usual reputation reputation_odds throughput company market care_hours overload;"
    "f8 lift pull reference; i8 late_stage leads_table care_team attention"
)
MARKET_BY: Final = layout("f8 churn discount kappa effort")
POLICY: Final = layout(
    "f8 level smooth every rest lasts at until cost lead move keep factor over;"
    "i8 kind signal place side most kpi table first last"
)
MOVE: Final = layout("f8 by stated; i8 code which verb")

# What a run shows at an edge: sums since week 0 (or the start), and levels now.
TEAM_SHOWN: Final = layout("f8 paid busy heads skilled rookies")
STAGE_SHOWN: Final = layout("f8 waiting inside entered started wait advanced")
CHANNEL_SHOWN: Final = layout("f8 arrived won kept")
WHOLE_SHOWN: Final = layout("f8 won won_arr revenue churned customers arr")

# What a run keeps.
TEAM_STATE: Final = layout(
    "f8 pressure urge short long burnout capability hazard rookies veterans skilled open_each"
)
CHANNEL_STATE: Final = layout("f8 carried share spend")
MARKET_STATE: Final = layout(
    "f8 clock edges reputation heard throughput company known price churn customers"
)
POLICY_STATE: Final = layout("f8 signal due rested level")
SLOT: Final = layout("f8 begin end")
KPI: Final = layout("f8 gained spent")

# What holds until the next edge. Team: hours paid a week and head; of them, for leads; what those
# are worth; people by policies beyond the plan; the hazard of quitting so far.
TEAM_HOLDS: Final = layout("f8 hours work speed heads hazard")
CHANNEL_HOLDS: Final = layout("f8 spend now per_customer good")
STAGE_HOLDS: Final = layout("f8 rework buyer_time us_good them_good us_poor them_poor")
HANDOFF_HOLDS: Final = layout("f8 good poor returned")
WHOLE_HOLDS: Final = layout("f8 churn discount cost")
