"""Policies, shocks, segments and mechanisms: what is wrong is told in one line, with its line."""

from __future__ import annotations

import pytest

from simulator.errors import SpecError
from simulator.spec.load import load_text

BASE = """
channels:
  web: {leads: 20/week, spend: 10 k/month}
teams:
  rep: {headcount: 2}
stages:
  talk: {team: rep, effort: 2 h, advance: 60%}
  decide: {decision: true, buyer_time: 2 weeks}
handoffs: [{from: talk, to: decide, accepted: 80%}]
customers: {start: 50}
"""


def faults(text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_text(BASE + text, "x.yaml")
    return [str(p) for p in caught.value.problems]


WEB = "web: {leads: 20/week, spend: 10 k/month}"
HIRE = "\n    do: {add: teams.rep.headcount, by: 1}"
BUSY = "policies:\n  - when: {signal: utilisation.rep, above: 90%}\n    do: "
LOOP = """
policies:
  - steer: {set: channels.*.spend, signal: revenue, factor: 0.1, over: 4 weeks}
  - steer: {set: teams.rep.hours, signal: heads.rep, factor: 9, smooth: 0, over: 4 weeks}
  - grow: {set: teams.rep.headcount, signal: heads.rep, smooth: 0, table: [[0, 0.1], [9, 0]]}
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "policies:\n  - when: {signal: utilization.rep, above: 90%}" + HIRE,
            "there is no signal 'utilization.rep'. Did you mean 'utilisation'?",
        ),
        (
            "policies:\n  - when: {signal: utilisation, above: 90%}" + HIRE,
            "'utilisation' names no team",
        ),
        (
            "policies:\n  - when: {signal: utilisation.reps, above: 90%}" + HIRE,
            "'utilisation.reps' names no team. Did you mean 'rep'?",
        ),
        (
            "policies:\n  - when: {signal: leads.web, above: 9/week}" + HIRE,
            "'leads' is one number for the whole: write it without '.web'",
        ),
        (
            "policies:\n  - when: {signal: utilisation.rep, above: 90 weeks}" + HIRE,
            "policies.0.when.above: '90 weeks'",
        ),
        (
            "policies:\n  - when: {signal: utilisation.rep}" + HIRE,
            "needs exactly one of above and below",
        ),
        (
            "policies:\n  - when: {signal: utilisation.rep, above: 90%}\n",
            "needs exactly one of do, budget, steer, grow, limit, gate, sla; it has none",
        ),
        (
            BUSY + "{add: stages.talk.effort, by: 1 h}",
            "the path 'stages.talk.effort' matches nothing that a policy can move",
        ),
        (
            BUSY + "{add: teams.rep.headcount, by: 2 weeks}",
            "for teams.rep.headcount: '2 weeks'",
        ),
        (
            "policies:\n  - when: {signal: known_delay, above: 9 weeks}" + HIRE,
            "'known_delay' needs market.delivery",
        ),
        (
            "policies:\n  - when: {signal: pressure.rep, above: 1.2}" + HIRE,
            "'pressure.rep' needs teams.rep.pressure: {}",
        ),
        (
            "policies:\n  - {limit: {stages: [tolk], at_most: 4}}",
            "no stage named 'tolk'. Did you mean 'talk'?",
        ),
        (
            "policies:\n  - {gate: {stage: tolk, poor_fit: 50%}}",
            "no stage named 'tolk'. Did you mean 'talk'?",
        ),
        (
            "policies:\n  - {sla: {handoff: talk>decid, within: 1 day}}",
            "no handoff named 'talk>decid'. Did you mean 'talk>decide'?",
        ),
        (
            "policies:\n  - {at: week 20, until: week 10, gate: {stage: talk, poor_fit: 50%}}",
            "until is week 10, before week 20",
        ),
        (
            "policies:\n  - {at: week 900, gate: {stage: talk, poor_fit: 50%}}",
            "at is week 900, outside the run",
        ),
        (
            LOOP,
            "read what they set, with no delay. Give one of them a smooth",
        ),
        (
            "teams2: {}",
            "unknown key 'teams2'",
        ),
    ],
)
def test_a_wrong_policy_is_told_in_one_line(text, told):
    found = faults(text + "\n")
    assert any(told in line for line in found), found
    assert all(line.startswith("x.yaml:") for line in found)
    assert all("\n" not in line for line in found)


def with_team(text: str) -> str:
    heads = "" if "headcount" in text else "headcount: 2, "
    return BASE.replace("rep: {headcount: 2}", f"rep: {{{heads}{text}}}")


@pytest.mark.parametrize(
    ("team", "told"),
    [
        ("burnout: {}", "burnout raises attrition, and none is given"),
        ("burnout: {}, attrition: 20%/year", "nothing strains the team: give it pressure"),
        ("supervision: {hours: 40 h/week}", "supervision of one hire takes all"),
        ("wip: {table: [[1, 1], [2, 1.2]]}", "the table must not rise"),
        ("wip: {table: [[1, 1], [1, 0.9]]}", "the first numbers of a table must rise"),
        ("wip: {table: [[1, 1], [2, 0]]}", "a pace of 0 would never end"),
        ("wip: {table: weinburg}", "a list is wanted, not 'weinburg'"),
        ("pressure: {output: [[0, 1], [1, 0.9]]}", "the table must not fall"),
        ("capability: {improvement: 0%}", "strictly between 0 and 1"),
        ("hires: {good: {share: 20%}}", "the shares of hires add up to 0.2, not 1"),
        ("hires: {good: {share: 100%, tenure: 0 weeks}}", "tenure"),
        ("ramp: 0 weeks, washout: 30%", "washout is of those who ramp, and ramp is 0"),
        ("ramp: 0 weeks, attrition_ramping: 9%/year", "attrition_ramping is of those who ramp"),
        ("washout: 100%", "washout"),
        ("washout: 30%, attrition_ramping: 30%/year", "as attrition_ramping does"),
        ("ramp_law: curve", "'curve' is not one of line, exponential"),
        ("hiring: 2", "hiring"),
        ("hiring: 900/week", "brings about 93,600 people in the run, at most 10,000"),
        ("pressure: {goal: 0}", "goal"),
        ("headcount: 0, pressure: {goal: 1}", "is over what the team puts out normally"),
        ("capability: {to_improve: {}}", "moves with the pressure on the team, which has none"),
        ("capability: {to_improve: {table: [[0, 1], [1, 0]]}}", "the table must not fall"),
        ("capability: {under_pressure: [[1, 1], [2, 1.5]]}", "the table must not rise"),
        ("capability: {under_pressure: [[1, 1], [2, -1]]}", "improvement time cannot be negative"),
        ("fatigue: {law: pencil}", "'pencil' is not one of roundtable, pencavel"),
    ],
)
def test_a_mechanism_without_what_it_needs(team, told):
    with pytest.raises(SpecError) as caught:
        load_text(with_team(team), "x.yaml")
    lines = [str(p) for p in caught.value.problems]
    assert any(told in line for line in lines), lines


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("buyer: {attention: rep}", "rises, which has no pressure. Give teams.rep.pressure: {}"),
        ("buyer: {attention: reps}", "no team named 'reps'. Did you mean 'rep'?"),
        ("market: {}", "says nothing: give accounts, reputation or delivery"),
        ("market: {delivery: {stage: tal, leads: [[0, 1], [9, 0]]}}", "no stage named 'tal'"),
        ("market: {delivery: {stage: talk, leads: [[0, 1], [9, 2]]}}", "the table must not rise"),
        ("shocks: [{at: week 5, add: buyer.competitor, by: 1}]", "shocks.0"),
        ("shocks: [{at: week 5, add: buyer.alignment, by: 0.1, cost: 5 k}]", "unknown key 'cost'"),
        ("shocks: [{at: week 5, add: buyer.alignment, by: 0.9}]", "shocks.0: takes buyer.align"),
        ("segments: {}", "a mapping of names is wanted, e.g. {smb: {}, enterprise: {}}"),
        ("segments: {smb: {}}", "channels.web.segment: names no segment. There are: smb."),
    ],
)
def test_the_market_and_the_buyer(text, told):
    found = faults(text + "\n")
    assert any(told in line for line in found), found


def test_care_and_outbound_name_teams():
    text = BASE.replace("{start: 50}", "{start: 50, care: {team: rap, hours: 1 h/week}}")
    text = text.replace(WEB, "web: {leads: 20/week, outbound: {team: rop, hours: 50 h/week}}")
    with pytest.raises(SpecError) as caught:
        load_text(text, "x.yaml")
    lines = " ".join(str(p) for p in caught.value.problems)
    assert "no team named 'rap'. Did you mean 'rep'?" in lines
    assert "no team named 'rop'. Did you mean 'rep'?" in lines


def test_outbound_takes_no_more_than_the_team_has():
    text = BASE.replace(WEB, "web: {leads: 20/week, outbound: {team: rep, hours: 50 h/week}}")
    with pytest.raises(SpecError, match="takes 50 of the 28 hours a week of rep"):
        load_text(text, "x.yaml")


def test_policies_are_appended_and_replaced_by_name(tmp_path):
    (tmp_path / "today.yaml").write_text(
        BASE + "policies:\n  - {name: a, gate: {stage: talk, poor_fit: 50%}}\n"
        "  - {name: b, gate: {stage: decide, poor_fit: 50%}}\n"
    )
    (tmp_path / "more.yaml").write_text(
        "extends: today.yaml\npolicies:\n  - {name: a, gate: {stage: talk, poor_fit: 10%}}\n"
        "  - {name: c, gate: {stage: talk, poor_fit: 90%}}\n"
    )
    from simulator.spec.load import load

    found = load(tmp_path / "more.yaml").scenario.policies
    assert [(p.name, p.gate.poor_fit) for p in found if p.gate] == [
        ("b", 0.5), ("a", 0.1), ("c", 0.9)
    ]  # fmt: skip
