"""What became of leads, of ARR and of people: sums of a run, mean over replications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.estimate import number

if TYPE_CHECKING:
    from simulator.analysis.runs import Digest
    from simulator.system import System

Floats = NDArray[np.float64]
BRIDGE = ("opening", "won", "expansion", "churned", "closing")


@dataclass(frozen=True)
class Flows:
    """Of one scenario. ended: leads by what became of them, won or lost to a reason or in process;
    entered: visits by stage; rejected: of them, turned down by the team that got them;
    bridge: ARR from opening to closing by BRIDGE, churned below 0; ramped, ramping: heads as
    planned by team, (T,).
    """

    ended: dict[str, float]
    entered: dict[str, float]
    rejected: dict[str, float]
    bridge: dict[str, float]
    ramped: dict[str, Floats]
    ramping: dict[str, Floats]

    def to_json(self) -> dict[str, Any]:
        """Numbers by name."""
        heads = {"ramped": self.ramped, "ramping": self.ramping}
        return {
            "ended": self.ended,
            "entered": self.entered,
            "rejected": self.rejected,
            "arr_bridge": {k: number(v) for k, v in self.bridge.items()},
            "heads_planned": {
                kind: {team: values.tolist() for team, values in of.items()}
                for kind, of in heads.items()
            },
        }


def revived(said: dict[str, Any]) -> Flows:
    """What to_json said."""
    heads = said["heads_planned"]
    return Flows(
        {k: float(v) for k, v in said["ended"].items()},
        {k: float(v) for k, v in said["entered"].items()},
        {k: float(v) for k, v in said["rejected"].items()},
        {k: np.nan if v is None else float(v) for k, v in said["arr_bridge"].items()},
        {t: np.array(v, dtype=np.float64) for t, v in heads["ramped"].items()},
        {t: np.array(v, dtype=np.float64) for t, v in heads["ramping"].items()},
    )


def flows_of(system: System, runs: Sequence[Digest]) -> Flows:
    """The means over runs of a system."""
    from simulator.system import won_fates

    fates = np.mean([d.fates.sum(axis=0) for d in runs], axis=0)
    won = won_fates(system)
    ended, rejected = {"won": float(fates[won].sum())}, {}
    for fate, count, sold in zip(system.fates, fates.tolist(), won, strict=True):
        if sold:
            continue
        what = "in_process" if fate.kind == "in_process" else fate.reason
        ended[what] = ended.get(what, 0.0) + count
        if what == "rejected" and count:
            rejected[fate.stage] = count
    entered = np.mean([d.entered for d in runs], axis=0)
    bridge = np.mean([d.bridge for d in runs], axis=0)
    ramped, ramping = staffing(system)
    teams = system.team_names
    return Flows(
        ended,
        dict(zip(system.stage_names, entered.tolist(), strict=True)),
        rejected,
        dict(zip(BRIDGE, bridge.tolist(), strict=True)),
        {t: ramped[:, m] for m, t in enumerate(teams)},
        {t: ramping[:, m] for m, t in enumerate(teams)},
    )


def staffing(system: System) -> tuple[Floats, Floats]:
    """Heads fully productive, and still ramping, as planned, nobody quitting: (T, M) each."""
    people, t = system.people, system.grid[:, None]
    here = (t >= people.join) & (t < people.leave)
    young = here & (t < people.ramp_from + system.ramp[people.team])
    found = []
    for mask in (here & ~young, young):
        heads = np.zeros((len(system.grid), len(system.team_names)))
        for m in range(heads.shape[1]):
            mine = people.team == m
            heads[:, m] = (mask[:, mine] * people.share[mine]).sum(axis=1)
        found.append(heads)
    return found[0], found[1]
