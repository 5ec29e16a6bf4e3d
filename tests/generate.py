"""Random scenarios: small systems of every feature, as mappings that read as scenario files.

`scenarios()` draws a mapping; `system_of` builds it. All that is drawn is valid: what cannot be
(a decision after the sale, say) is never drawn, so no example is thrown away.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

from simulator.spec.load import load_text
from simulator.system import System, build

Mapping = dict[str, Any]

SHARES = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.8, 1.0])
SOME = st.sampled_from([0.1, 0.3, 0.5, 0.8])


def system_of(mapping: Mapping) -> System:
    """The system of a mapping, read as a file would be: JSON is YAML."""
    return build(load_text(json.dumps(mapping)).scenario)


def with_levers(mapping: Mapping, *levers: Mapping) -> Mapping:
    """The same scenario with more levers."""
    changed = copy.deepcopy(mapping)
    changed.setdefault("levers", []).extend(levers)
    return changed


def sometimes(draw: Any, mapping: Mapping, key: str, value: st.SearchStrategy[Any]) -> None:
    """Give a mapping a key in half of the cases."""
    if draw(st.booleans()):
        mapping[key] = draw(value)


@st.composite
def spreads(draw: Any, means: list[str], cv: bool = True) -> Mapping:
    """A quantity with its law."""
    found: Mapping = {"mean": draw(st.sampled_from(means))}
    kind = draw(st.integers(0, 3 if cv else 1))
    if kind == 1:
        found["law"] = draw(st.sampled_from(["exponential", "deterministic"]))
    elif kind == 2:
        found["cv"] = draw(st.sampled_from([0, 0.5, 1, 2]))
        found["law"] = draw(st.sampled_from(["lognormal", "gamma"])) if found["cv"] else "gamma"
        if found["cv"] == 0:
            del found["law"]
    elif kind == 3:
        found["order"] = draw(st.integers(1, 4))
    return found


@st.composite
def channels(draw: Any, count: int, stages: list[str]) -> Mapping:
    found: Mapping = {}
    for i in range(count):
        channel: Mapping = {"leads": {"now": f"{draw(st.sampled_from([0.3, 1, 3, 7.5]))}/week"}}
        if draw(st.booleans()):
            channel["spend"] = "10 k/month"
            channel["leads"]["saturation"] = draw(st.sampled_from(["none", 0.7, 1, 2]))
            sometimes(draw, channel, "adstock", st.sampled_from(["1 week", "4 weeks"]))
        sometimes(draw, channel, "good_fit", SHARES)
        sometimes(draw, channel, "value", st.just({"mean": "20 k", "cv": 0.5}))
        if draw(st.integers(0, 3)) == 0:
            channel["seasonality"] = [0.5, 1.5, 0.8, 1.2]
        if draw(st.integers(0, 3)) == 0:
            channel["enters"] = draw(st.sampled_from(stages))
        found[f"c{i}"] = channel
    if count > 1 and "spend" in found["c0"] and draw(st.booleans()):
        found["c0"] |= {"role": "accelerate", "lift": {"c1": 0.3}}
    return found


@st.composite
def stages(draw: Any, before: int, after: int, teams: list[str]) -> Mapping:
    """Stages before and after the sale; the last before it may be the buyer's decision."""
    found: Mapping = {}
    names = [f"s{i}" for i in range(before)] + [f"z{i}" for i in range(after)]
    for i, name in enumerate(names):
        sold = i >= before
        stage: Mapping = {"after_sale": True} if sold else {}
        if teams and draw(st.booleans()):
            stage["team"] = draw(st.sampled_from(teams))
            stage["effort"] = draw(spreads(["20 min", "2 h", "9 h"]))
            sometimes(draw, stage, "patience", spreads(["2 days", "3 weeks"]))
            sometimes(draw, stage, "priority", st.integers(-1, 1))
            if draw(st.integers(0, 2)) == 0:
                stage["speed"] = draw(
                    st.sampled_from(["oldroyd", {"floor": 0.3, "scale": "1 week"}])
                )
        sometimes(draw, stage, "buyer_time", spreads(["3 days", "2 weeks"]))
        if i == before - 1 and draw(st.booleans()):
            stage["decision"] = True
        else:
            stage["advance"] = draw(
                st.one_of(SHARES, st.fixed_dictionaries({"good_fit": SHARES, "poor_fit": SHARES}))
            )
        # The first stage a lead meets applies to it, and so does some stage before the sale.
        if 0 < i < before - 1 or sold:
            sometimes(draw, stage, "applies_to", SHARES)
        back = names[before : i + 1] if sold else names[: i + 1]
        if draw(st.integers(0, 2)) == 0:
            stage["rework"] = {"share": draw(SOME), "to": draw(st.sampled_from(back))}
        if draw(st.integers(0, 2)) == 0:
            stage["recycle"] = {
                "share": draw(SOME),
                "to": draw(st.sampled_from(back)),
                "delay": draw(spreads(["1 week", "3 weeks"])),
                "at_most": draw(st.integers(1, 3)),
            }
        further = [n for n in names[i + 1 :] if n.startswith("s")]
        if not sold and len(further) > 1 and draw(st.booleans()):
            stage["next"] = {further[0]: 0.6, further[-1]: 0.4}
        found[name] = stage
    return found


@st.composite
def handoffs(draw: Any, found: Mapping) -> list[Mapping]:
    """Some of the handoffs there can be; what is sold is not returned to before the sale."""
    names = list(found)
    result = []
    for i, name in enumerate(names[:-1]):
        goals = list(found[name].get("next", {names[i + 1]: 1}))
        for goal in goals:
            if draw(st.booleans()):
                continue
            handoff: Mapping = {"from": name, "to": goal}
            sometimes(draw, handoff, "delay", spreads(["1 day", "1 week"]))
            sometimes(draw, handoff, "every", st.sampled_from(["1 week", "2 weeks"]))
            if "after_sale" not in found[goal] and draw(st.booleans()):
                handoff |= {"accepted": 0.6, "returned": draw(st.sampled_from([0.0, 0.2, 0.4]))}
            result.append(handoff)
    return result


@st.composite
def levers(draw: Any, scenario: Mapping, horizon: int) -> list[Mapping]:
    """Levers on what the scenario has."""
    options: list[Mapping] = [
        {"scale": "channels.*.leads.now", "by": 1.5},
        {"set": "channels.*.leads.now", "to": "2/week"},
        {"set": "customers.churn", "to": "2/year"},
        {"set": "buyer.proof", "to": 0.9},
        {"add": "buyer.competitor_strength", "by": 0.7},
        {"scale": "customers.expansion", "by": 2},
    ]
    if any("spend" in c for c in scenario["channels"].values()):
        options.append({"scale": "channels.*.spend", "by": 2})
    for name in scenario["teams"]:
        options += [
            {"add": f"teams.{name}.headcount", "by": draw(st.sampled_from([1, 2.5]))},
            {"set": f"teams.{name}.headcount", "to": draw(st.sampled_from([0, 1, 1.5]))},
            {"scale": f"teams.{name}.hours", "by": 1.4},
        ]
    if any("effort" in s for s in scenario["stages"].values()):
        options.append({"scale": "stages.*.effort", "by": 0.5})
    found = []
    for lever in draw(st.lists(st.sampled_from(options), max_size=4)):
        at = draw(st.integers(0, horizon - 1))
        lever = {**lever, "at": f"week {at}"}
        if draw(st.booleans()):
            lever["over"] = f"{draw(st.sampled_from([1.5, 4]))} weeks"
        if draw(st.booleans()):
            lever["until"] = f"week {draw(st.integers(at, horizon))}"
        sometimes(draw, lever, "cost", st.sampled_from(["5 k", "10 k/month"]))
        found.append(lever)
    return found


@st.composite
def scenarios(draw: Any, *, market: bool = True, referral: bool = True) -> Mapping:
    """A whole scenario. Without market and referral, no lead's arrival depends on another's."""
    horizon = draw(st.sampled_from([4, 9, 15]))
    team_names = [f"t{i}" for i in range(draw(st.integers(0, 2)))]
    before, after = draw(st.integers(1, 4)), draw(st.integers(0, 2))
    found: Mapping = {
        "name": "generated",
        "horizon": f"{horizon} weeks",
        "seed": draw(st.integers(0, 1000)),
        "value": {"mean": "10 k", "cv": draw(st.sampled_from([0, 1]))},
    }
    sometimes(draw, found, "warm_up", st.sampled_from(["2 weeks", "3.5 weeks"]))
    found["stages"] = draw(stages(before, after, team_names))
    entries = ["s0", *(f"s{i}" for i in range(before - 1, before))]
    found["channels"] = draw(channels(draw(st.integers(1, 3)), entries))
    found["teams"] = {
        name: {
            "headcount": draw(st.sampled_from([0, 0.5, 1, 2.5, 4])),
            "hours": "30 h/week",
            "ramp": draw(st.sampled_from(["0 weeks", "3 weeks"])),
            "ramp_start": 0.3,
            "hiring_lead": draw(st.sampled_from(["0 weeks", "2 weeks"])),
        }
        for name in team_names
    }
    # Only stages that some lead may reach may stand in a file.
    reached = {c.get("enters", "s0") for c in found["channels"].values()}
    names = list(found["stages"])
    for i, name in enumerate(names):
        stage = found["stages"][name]
        if name not in reached:
            del found["stages"][name]
            continue
        if "next" not in stage and i + 1 < len(names):
            reached.add(names[i + 1])
        reached.update(stage.get("next", ()))
    for name, stage in found["stages"].items():
        for key in ("rework", "recycle"):
            if key in stage and stage[key]["to"] not in found["stages"]:
                stage[key]["to"] = name
    found["handoffs"] = draw(handoffs(found["stages"]))
    found["customers"] = {"churn": draw(st.sampled_from(["0/year", "1/year"]))}
    sometimes(draw, found["customers"], "start", st.sampled_from([3, 40]))
    if referral and draw(st.booleans()):
        found["channels"]["ref"] = {"per_customer": "0.1/week"}
        if "s0" not in found["stages"]:
            found["channels"]["ref"]["enters"] = next(iter(found["stages"]))
    if market and draw(st.integers(0, 2)) == 0:
        found["market"] = {"accounts": draw(st.sampled_from([30, 500])), "cool_down": "2 weeks"}
    found["levers"] = draw(levers(found, horizon))
    return found
