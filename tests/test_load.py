"""Loading: layers, origins, every error with its line, and the base case's steady state."""

from __future__ import annotations

import json
import os
import re
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.errors import SpecError
from simulator.spec import load as loading
from simulator.spec import yamltree
from simulator.spec.load import find_study, load, load_text
from simulator.spec.schema import Scenario

BASE = """\
name: Base
horizon: 52 weeks
value: 10 kUSD_
channels:
  web: {spend: 5 k/week, leads: 30/week}
  ads: {cost_per_lead: 100 USD, leads: 20/week}
teams:
  rep: {headcount: 2, hours: 40 h/week}
stages:
  talk: {team: rep, effort: 1 h, advance: 50%}
  decide: {decision: true, buyer_time: 2 weeks}
  start: {after_sale: true, team: rep, effort: {mean: 2 h, cv: 0.5}}
handoffs:
  - {from: talk, to: decide, accepted: 80%, returned: 10%, delay: 1 day}
customers: {start: 10}
""".replace("value: 10 kUSD_", "value: {mean: 10 kUSD}")


def write(folder: Path, /, **files: str) -> Path:
    for name, text in files.items():
        path = folder / f"{name}.yaml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def problems(text: str, **kwargs) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_text(text, "s.yaml", **kwargs)
    lines = [str(p) for p in caught.value.problems]
    assert all("\n" not in line for line in lines)
    return lines


def change(old: str, new: str) -> str:
    assert old in BASE
    return BASE.replace(old, new, 1)


def test_base_loads():
    loaded = load_text(BASE)
    s = loaded.scenario
    assert (s.channels["ads"].spend, s.channels["ads"].leads.at) == (2000, 2000)
    assert s.channels["ads"].cost_per_lead is None
    assert s.channels["web"].leads.at == 5000
    assert loaded.stated["teams.rep.headcount"].line == 8
    assert loaded.stated["handoffs.talk>decide.accepted"].layer == "user"
    assert list(s.stages) == ["talk", "decide", "start"]


# What is wrong, and the whole line that says so.
CASES = [
    (change("52 weeks", "52"), "s.yaml:2: horizon: 52: a duration needs a unit"),
    (change("52 weeks", "52 wekes"), "s.yaml:2: horizon: '52 wekes': unknown unit"),
    (change("52 weeks", "-3 weeks"), "s.yaml:2: horizon: '-3 weeks' must be above 0"),
    (change("52 weeks", ".nan"), "s.yaml:2: horizon: nan: not a finite number"),
    (change("52 weeks", "200 years"), "weeks are more than the 5,200"),
    (change("name:", "nmae:"), "s.yaml:1: nmae: unknown key 'nmae'. Did you mean 'name'?"),
    (change("headcount: 2", "headcont: 2"), "s.yaml:8: teams.rep.headcont: unknown key"),
    (change("headcount: 2", "headcont: 2"), "s.yaml:8: teams.rep.headcount: missing."),
    (change("headcount: 2", "headcount: -2"), "teams.rep.headcount: -2 must be at least 0"),
    (change("headcount: 2", "headcount: two"), "teams.rep.headcount: 'two': cannot be read"),
    (change("headcount: 2", "headcount: true"), "teams.rep.headcount: true is not a count"),
    (change("headcount: 2", "headcount: [2]"), "teams.rep.headcount: a list, where a count"),
    (change("effort: 1 h", "effort: -3 h"), "s.yaml:10: stages.talk.effort.mean: '-3 h' must be"),
    (change("effort: 1 h", "effort: 3 weeks"), "work is counted in hours"),
    (change("effort: 1 h", "effort: {cv: 1}"), "stages.talk.effort.mean: missing."),
    (change("effort: 1 h, ", ""), "stages.talk: has a team but no effort"),
    (change("effort: 1 h", "effort: {mean: 1 h, law: normal}"), "'normal' is not one of"),
    (change("effort: 1 h", "effort: {mean: 1 h, law: erlang}"), "law erlang needs its order"),
    (change("team: rep", "team: repp"), "stages.talk.team: no team named 'repp'. Did you mean"),
    (change("advance: 50%", "advance: 65"), "a share lies between 0 and 1"),
    (change("advance: 50%", "advance: {good_fit: 50%}"), "stages.talk.advance.poor_fit: missing."),
    (change("advance: 50%", "speed: fast"), "stages.talk.speed: 'fast' is not one of oldroyd"),
    (change("advance: 50%", "speed: {flor: 3%}"), "unknown key 'flor'. Did you mean 'floor'?"),
    (change("advance: 50%", "next: tlk"), "no stage named 'tlk'"),
    (change("advance: 50%", "next: talk"), "names the stage itself. Work that is done again is"),
    (change("advance: 50%", "next: {decide: 20%, start: 30%}"), "add up to 0.5, not 1"),
    (change("advance: 50%", "next: {decide: 20%, dcide: 80%}"), "stages.talk.next.dcide: no stage"),
    (change("advance: 50%", "rework: {share: 10%, to: tak}"), "rework.to: no stage named 'tak'"),
    (change("advance: 50%", "rework: {share: 100%}"), "rework.share: '100%' must be below 1"),
    (change("advance: 50%", "priority: 1.5"), "a whole number is wanted, not 1.5"),
    (change("advance: 50%", "priority: true"), "a whole number is wanted, not true"),
    (change("decision: true", "decision: maybe"), "true or false is wanted, not 'maybe'"),
    (change("decision: true", "decision: true, advance: 5%"), "come from `buyer`"),
    (change("returned: 10%", "returned: 30%"), "handoffs.talk>decide: accepted and returned add"),
    (change("to: decide", "to: decid"), "handoffs.talk>decid.to: no stage named 'decid'."),
    (change("to: decide", "to: start"), "talk does not lead to start. It leads to decide."),
    (change("  - {from", "  - {from: talk, to: decide}\n  - {from"), "a second handoff from"),
    (change("leads: 30/week", "leads: 30 kUSD/week"), "money per time is not a rate"),
    (change("leads: 30/week", "leads: {now: 30/week, saturation: much}"), "Or 'none'."),
    (change("leads: 30/week", "leads: {now: 30/week, at: 0}"), "say nothing about more spend"),
    (change("spend: 5 k/week", "spend: 5 kEUR/week"), "the scenario's currency is USD"),
    (change("spend: 5 k/week", "role: creat"), "'creat' is not one of capture, create, accelerate"),
    (change("spend: 5 k/week", "lift: {ads: 5%}"), "lift belongs to role accelerate"),
    (
        change("spend: 5 k/week", "role: accelerate, spend: 1 k/week, lift: {adds: 5%}"),
        "channels.web.lift.adds: no channel named 'adds'. Did you mean 'ads'?",
    ),
    (change("leads: 30/week", "leads: 30/week, enters: strt"), "web.enters: no stage named 'strt'"),
    (change("leads: 30/week", "leads: 1e9/week"), "leads in 52 weeks are more than 20,000,000"),
    (
        change("customers: {start: 10}", "levers: [{scale: channels.*.leads.now, by: 1e6}]"),
        "leads in 52 weeks are more than 20,000,000",
    ),
    (
        change("leads: 30/week", "leads: {now: 30/week, saturation: none, at: 1 USD/year}"),
        "are more than 20,000,000",
    ),
    (
        change("leads: 30/week", "leads: 3.8e5/week"),
        "GiB of the 4 allowed",
    ),
    (
        change("  decide: {decision: true, buyer_time: 2 weeks}", "  decide:"),
        "s.yaml:11: stages.decide: has no value, and there is nothing to remove. Write `decide:",
    ),
    (change("  rep: {headcount", "  rap: ~\n  rep: {headcount"), "teams.rap: has no value"),
    (change("name: Base", "nam: ~"), "nam: has no value"),
    (change("leads: 30/week", "leads: 30/week, seasonality: [1, 1]"), "must have at least 4"),
    (change("leads: 30/week", "leads: 30/week, seasonality: [1, 1, 1, 2]"), "averages 1.25, not 1"),
    (change("  web:", "  Web:"), "the name 'Web' cannot be used."),
    (change("customers: {start: 10}", "customers: 10"), "customers: a mapping is wanted, not 10"),
    (change("customers: {start: 10}", "levers: 3"), "levers: a list is wanted, not 3"),
    (change("customers: {start: 10}", "opportunity: tlk"), "opportunity: no stage named 'tlk'"),
    (change("customers: {start: 10}", "seed: true"), "seed: a whole number is wanted, not true"),
    (change("customers: {start: 10}", "currency: dollars"), "currency code of three capitals"),
    (change("customers: {start: 10}", "start: soon"), "start: a date is wanted"),
    (change("customers: {start: 10}", "story: 3"), "story: a text is wanted, not 3"),
    (
        change("customers: {start: 10}", "levers: [{scale: chanels.*.spend, by: 2}]"),
        "s.yaml:15: levers.0: the path 'chanels.*.spend' matches nothing",
    ),
    (
        change("customers: {start: 10}", "levers: [{scale: channels.*.spend, to: 2}]"),
        "levers.0: scale needs `by`",
    ),
    (
        change("customers: {start: 10}", "levers: [{at: week 99, scale: channels.*.spend, by: 2}]"),
        "outside the run",
    ),
    (change("name: Base", "name: [unclosed"), "s.yaml:"),
    (change("name: Base", "\tname: Base"), "Indent with spaces, not tabs."),
    (change("name: Base", "name: Base\nname: Twice"), "s.yaml:2: name: the key 'name' stands here"),
    (change("name: Base", "name: &a Base"), "anchors (&) and aliases (*) are not read"),
    (change("name: Base", "name: *a"), "anchors (&) and aliases (*)"),
    (change("name: Base", "name: !!str Base"), "tags (!) are not read"),
    (change("name: Base", "name: !x Base"), "tags (!) are not read"),
    (change("name: Base", "<<: {name: x}"), "merge keys (<<) are not read"),
    (change("name: Base", "? [a, b]\n: 3"), "a key must be a plain text"),
    ("%YAML 1.1\n---\n" + BASE, "s.yaml:1: directives (%) are not read"),
    (BASE + "---\nname: x\n", "a second document"),
    ("", "empty"),
    ("# nothing\n", "empty"),
    ("- a\n- b\n", "not a scenario"),
    ("just text", "not a scenario"),
    ("name: x\x00y", "not valid YAML"),
    ("name: x\n", "channels: missing. Give at least one channel."),
    (change("web: {spend: 5 k/week, leads: 30/week}", "web: {}"), "brings nothing"),
    ("a: " + "[" * 40 + "]" * 40, "nested deeper than 32 levels"),
    ("#" * (1 << 20) + "\n", "larger than 1,048,576 bytes"),
    (change("headcount: 2", "headcount: {value: 2, low: 3}"), "low (3) is above the value (2)"),
    (change("headcount: 2", "headcount: {value: 2, high: 1}"), "high (1) is below the value (2)"),
    (change("headcount: 2", "headcount: {value: 2, low: 1 week}"), "low: '1 week': a duration is"),
    (change("headcount: 2", "headcount: {value: 2, grade: E}"), "the grade is one of A, B, C, D"),
    (change("headcount: 2", "headcount: {value: 2, low: [1]}"), "low must be a quantity"),
    ("extends: mid-market-sass\n", "no archetype named 'mid-market-sass'. Did you mean"),
    ("extends: [a]\n", "extends: is the name of an archetype or of a file"),
    ("extends: other.yaml\n", "a text without a folder can extend archetypes only"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_one_clear_line(text, expected):
    lines = problems(text)
    assert any(expected in line for line in lines), lines
    assert all(line.startswith("s.yaml") for line in lines)
    assert all(len(line) < 400 for line in lines)


GRAPHS = [
    ("b: {next: won}\n  c: {}", "stages.c: no lead ever reaches this stage"),
    ("b: {next: c}\n  c: {next: b}", "no way out: from here no lead is ever won or lost"),
    ("b: {after_sale: true}\n  c: {}", "comes after the sale but leads to c"),
    ("b: {decision: true}\n  c: {decision: true}", "the buyer decides here, though already at b"),
    ("won: {}", "no stage can be called 'won'"),
]


@pytest.mark.parametrize(("stages", "expected"), GRAPHS)
def test_stage_graph(stages, expected):
    text = f"channels:\n  web: {{leads: 1/week}}\nstages:\n  {stages}\n"
    assert any(expected in line for line in problems(text))


def test_a_loop_that_loses_has_a_way_out():
    text = "channels: {w: {leads: 1/week}}\nstages:\n  b: {next: c}\n  c: {next: b, advance: 90%}\n"
    assert load_text(text).scenario.stages["c"].next == "b"


def test_handoff_past_a_stage_that_is_skipped():
    text = (
        "channels: {w: {leads: 1/week}}\nstages:\n  b: {}\n  c: {applies_to: 50%}\n  d: {}\n"
        "handoffs: [{from: b, to: d}]\n"
    )
    assert load_text(text).scenario.handoffs[0].to == "d"


def test_no_source():
    text = "channels: {r: {per_customer: 1/year}}\nstages: {a: {}}\n"
    assert "no lead ever arrives" in problems(text)[0]
    assert load_text(text + "customers: {start: 3}\n").scenario.customers.start == 3


def test_all_problems_at_once():
    text = change("52 weeks", "52").replace("team: rep,", "team: repp,", 1)
    text = text.replace("headcount: 2", "headcount: -2")
    assert [line.split(" ")[0] for line in problems(text)] == [
        "s.yaml:2:",
        "s.yaml:8:",
        "s.yaml:10:",
    ]


def test_yaml_is_1_2():
    loaded = load_text(change("name: Base", "name: no").replace("headcount: 2", "headcount: 1e1"))
    assert loaded.scenario.name == "no"
    assert loaded.scenario.teams["rep"].headcount == 10


def test_too_many_values(monkeypatch):
    monkeypatch.setattr(yamltree, "MAX_NODES", 1000)
    assert "more than 1,000 values" in problems("a: [" + "1," * 1001 + "]")[0]


def test_layers(tmp_path):
    write(
        tmp_path,
        today=BASE + "levers:\n  - {scale: channels.*.spend, by: 2}\n",
        more="""
            extends: today.yaml
            name: More
            channels:
              web: {spend: 10 k/week}
              ads: {spend: 3 k/week}
            stages:
              start: {effort: 3 h}
              talk: {patience: 2 weeks}
            levers:
              - {scale: channels.web.spend, by: 2}
            """,
        less="""
            extends: more.yaml
            channels:
              ads: null
              web: {leads: 50/week}
            stages:
              talk: {patience: ~}
            """,
    )
    more = load(tmp_path / "more.yaml").scenario
    assert (more.channels["web"].spend, more.channels["web"].leads.at) == (10e3, 5e3)
    assert (more.channels["ads"].spend, more.channels["ads"].leads.at) == (3e3, 2e3)
    assert (more.stages["start"].effort.mean, more.stages["start"].effort.cv) == (3.0, 0.5)
    assert [lever.path for lever in more.levers] == ["channels.*.spend", "channels.web.spend"]
    less = load(tmp_path / "less.yaml")
    assert less.scenario.name == "More"
    assert list(less.scenario.channels) == ["web"]
    assert less.scenario.channels["web"].leads.at == 10e3
    assert less.scenario.stages["talk"].patience is None
    assert [p.name for p in less.files] == ["less.yaml", "more.yaml", "today.yaml"]
    assert less.stated["channels.web.spend"].file.endswith("more.yaml")


def test_cost_per_lead_in_a_later_layer(tmp_path):
    write(
        tmp_path,
        today=BASE,
        dearer="extends: today.yaml\nchannels: {ads: {cost_per_lead: 150 USD}}\n",
        bigger="extends: today.yaml\nchannels: {ads: {leads: 40/week}}\n",
        web="extends: today.yaml\nchannels: {web: {cost_per_lead: 10 USD}}\n",
    )
    for name, channel, spend in (
        ("dearer", "ads", 3e3),
        ("bigger", "ads", 4e3),
        ("web", "web", 300),
    ):
        found = load(tmp_path / f"{name}.yaml").scenario.channels[channel]
        assert (found.spend, found.leads.at) == (spend, spend)


def test_a_law_restated_forgets_the_order(tmp_path):
    erlang = change("{mean: 2 h, cv: 0.5}", "{mean: 2 h, law: erlang, order: 3}")
    write(tmp_path, today=erlang, v="extends: today.yaml\nstages: {start: {effort: {cv: 2}}}\n")
    effort = load(tmp_path / "v.yaml").scenario.stages["start"].effort
    assert (effort.mean, effort.cv, effort.law, effort.order) == (2.0, 2.0, None, None)


def test_archetype_layer(tmp_path):
    write(tmp_path, today="extends: mid-market-saas\nteams: {se: {headcount: 5}}\n")
    loaded = load(tmp_path / "today.yaml")
    assert loaded.scenario.name == "unnamed"
    assert loaded.scenario.story == ""
    assert loaded.scenario.teams["se"].headcount == 5
    assert loaded.stated["teams.se.headcount"].layer == "user"
    assert loaded.stated["teams.ae.headcount"].layer == "archetype:mid-market-saas"
    assert loaded.graded["teams.ae.headcount"].high == 18
    assert "teams.se.headcount" not in loaded.graded


def test_graded_form():
    text = change("headcount: 2", "headcount: {value: 2, low: 1, high: 3, grade: B, source: HR}")
    text = text.replace("leads: 20/week", "leads: {value: 20/week, se: 2/week, grade: A}")
    text = text.replace("advance: 50%", "advance: {value: 50%, low: 40%}")
    loaded = load_text(text)
    assert loaded.scenario.teams["rep"].headcount == 2
    assert loaded.graded["teams.rep.headcount"].source == "HR"
    assert loaded.stated["channels.ads.leads.now"].layer == "data"
    assert loaded.graded["stages.talk.advance.poor_fit"].low == "40%"
    assert load_text(BASE + "\n").scenario.value.mean == 10e3


def test_value_of_a_channel_is_not_a_graded_form():
    text = change("leads: 20/week", "leads: 20/week, value: {mean: 3 k}")
    assert load_text(text).scenario.channels["ads"].value.mean == 3e3


def _error(path: Path) -> str:
    with pytest.raises(SpecError) as caught:
        load(path)
    return str(caught.value)


def test_extends_stays_in_its_folder(tmp_path):
    inner = tmp_path / "inner"
    (inner / "deep").mkdir(parents=True)
    write(tmp_path, out=BASE)
    write(inner, base=BASE, up="extends: ../out.yaml\n", gone="extends: bas.yaml\n")
    write(inner, absolute=f"extends: {tmp_path / 'out.yaml'}\n", folder="extends: ./deep\n")
    (inner / "link.yaml").symlink_to(tmp_path / "out.yaml")
    write(inner, linked="extends: link.yaml\n", back="extends: deep/a.yaml\n")
    write(inner / "deep", a="extends: ../base.yaml\nname: A\n")
    assert "lies outside the scenario's own folder" in _error(inner / "up.yaml")
    assert "lies outside the scenario's own folder" in _error(inner / "linked.yaml")
    assert "must be a path within" in _error(inner / "absolute.yaml")
    assert "there is no file 'bas.yaml'. Did you mean 'base.yaml'?" in _error(inner / "gone.yaml")
    assert "there is no file './deep'" in _error(inner / "folder.yaml")
    assert load(inner / "back.yaml").scenario.name == "A"
    assert "lies outside" in _error(inner / "deep" / "a.yaml")


def test_circles_and_chains(tmp_path):
    write(tmp_path, a="extends: b.yaml\n", b="extends: a.yaml\n", c="extends: c.yaml\n")
    assert "goes in a circle: " in _error(tmp_path / "a.yaml")
    assert "a.yaml -> b.yaml -> a.yaml" in _error(tmp_path / "a.yaml")
    assert "goes in a circle" in _error(tmp_path / "c.yaml")
    for i in range(20):
        write(tmp_path, **{f"n{i}": f"extends: n{i + 1}.yaml\n"})
    assert "more than 16 scenarios extend one another" in _error(tmp_path / "n0.yaml")


def test_files_that_cannot_be_read(tmp_path):
    assert "there is no such file" in _error(tmp_path / "none.yaml")
    assert "is a folder, not a scenario file. Name a file in it" in _error(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"name: x\nstory: caf\xe9\n")
    assert "latin.yaml:2: is not UTF-8 text" in _error(tmp_path / "latin.yaml")
    (tmp_path / "big.yaml").write_bytes(b"#" * (1 << 21))
    assert "larger than 1,048,576 bytes" in _error(tmp_path / "big.yaml")
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "is not a file" in _error(tmp_path / "pipe.yaml")
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + BASE.encode())
    assert load(tmp_path / "bom.yaml").scenario.name == "Base"


def test_study_folders(tmp_path, monkeypatch):
    write(tmp_path, today=BASE, b=BASE, a=BASE, sweep="x: 1", _part="x: 1")
    (tmp_path / "sub").mkdir()
    today, variants = find_study(tmp_path)
    assert today.name == "today.yaml"
    assert [v.name for v in variants] == ["a.yaml", "b.yaml"]
    with pytest.raises(SpecError, match="it has no today"):
        find_study(tmp_path / "sub")
    with pytest.raises(SpecError, match="there is no such folder"):
        find_study(tmp_path / "nothing")
    with pytest.raises(SpecError, match="is a file"):
        find_study(tmp_path / "a.yaml")
    shipped = tmp_path / "shipped"
    (shipped / "the-flood").mkdir(parents=True)
    (shipped / "archetypes").mkdir()
    write(shipped / "the-flood", today=BASE)
    write(shipped / "archetypes", plain=BASE)
    monkeypatch.setattr(loading, "shipped_folder", lambda: shipped)
    monkeypatch.chdir(tmp_path / "sub")
    assert loading.shipped_studies() == ["the-flood"]
    assert loading.archetypes() == ["plain"]
    for name in ("the-flood", "scenarios/the-flood"):
        assert find_study(name)[0] == shipped / "the-flood" / "today.yaml"
    assert load("scenarios/the-flood/today.yaml").scenario.name == "Base"
    assert load("plain").scenario.name == "Base"
    assert loading.shipped("the-flood") == shipped / "the-flood"
    with pytest.raises(SpecError, match="Did you mean 'the-flood'"):
        loading.shipped("the-floood")


def _same(one: Scenario, two: Scenario) -> bool:
    drop = {"extends"}
    return one.model_dump(exclude=drop) == two.model_dump(exclude=drop)


@pytest.mark.parametrize("name", loading.archetypes())
def test_resolved_reads_back(name):
    one = load(name)
    two = load_text(one.resolved_text())
    assert _same(one.scenario, two.scenario)
    assert "extends" not in one.resolved()


LEVERS = """\
levers:
  - {at: week 13, scale: channels.*.spend, by: 1.5, over: 8 weeks, cost: 40 kUSD}
  - {at: 2026-03-30, set: stages.talk.effort, to: 30 min, cost: 60 kUSD/year, until: 40 weeks}
"""


def test_resolved_reads_back_with_levers():
    one = load_text(BASE.replace("cv: 0.5", "law: erlang, order: 4") + LEVERS)
    assert _same(one.scenario, load_text(one.resolved_text()).scenario)


@settings(max_examples=40, deadline=None)
@given(
    heads=st.floats(0, 1e4),
    hours=st.floats(0.1, 168),
    effort=st.floats(0, 1e4),
    rate=st.floats(0, 1e3),
    spend=st.floats(1, 1e7),
    share=st.floats(0, 1),
)
def test_resolved_reads_back_any_number(heads, hours, effort, rate, spend, share):
    text = (
        f"channels: {{w: {{spend: {spend!r} USD/year, leads: {rate!r}/month}}}}\n"
        f"teams: {{t: {{headcount: {heads!r}, hours: {hours!r}/week}}}}\n"
        f"stages: {{a: {{team: t, effort: {effort!r} min, advance: {share!r}}}}}\n"
    )
    one = load_text(text)
    assert _same(one.scenario, load_text(one.resolved_text()).scenario)


def test_texts_that_look_like_something_else():
    for name in (
        "no",
        "true",
        "null",
        "1e3",
        "012",
        "~",
        "a: b",
        "# x",
        "caf\u00e9 \u2028",
        ' "q" ',
        "-",
        "",
    ):
        one = load_text(BASE.replace("name: Base", f"name: {json.dumps(name)}"))
        assert one.scenario.name == name
        assert load_text(one.resolved_text()).scenario.name == name


@settings(max_examples=80, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_any_text_gives_a_spec_error(text):
    with pytest.raises(SpecError):
        load_text(text)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, len(BASE) - 1), st.sampled_from(list("{}[]:,&*!|>'\"%@`#-? \n\t\x00é9")))
def test_a_broken_file_gives_a_scenario_or_a_spec_error(at, sign):
    try:
        load_text(BASE[:at] + sign + BASE[at + 1 :])
    except SpecError as error:
        lines = [str(p) for p in error.problems]
    else:
        lines = []
    assert not any("\n" in line for line in lines)


def test_examples_of_the_reference_load(tmp_path):
    """Every YAML block of the references that has channels is a whole scenario."""
    docs = Path(__file__).parent.parent / "docs"
    text = "".join((docs / f).read_text("utf-8") for f in ("scenario-files.md", "feedback.md"))
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    whole = [b for b in blocks if "channels:\n" in b and "extends" not in b]
    assert len(whole) >= 10
    for block in whole:
        load_text(block)


def test_mid_market_steady_state():
    """Flows and utilisations by linear balance of both fits: domain book, section 1."""
    s = load("mid-market-saas").scenario
    names = list(s.stages)
    following = {
        n: s.stages[n].next or nxt for n, nxt in zip(names, [*names[1:], "won"], strict=True)
    }
    handoffs = {(h.from_, h.to): h for h in s.handoffs}
    arrive = {n: [0.0, 0.0] for n in [*names, "won"]}
    hours = dict.fromkeys(s.teams, 0.0)
    for channel in s.channels.values():
        rate = channel.leads.now + (channel.per_customer or 0.0) * s.customers.start
        entry = arrive[channel.enters or names[0]]
        entry[0] += rate * channel.good_fit
        entry[1] += rate * (1 - channel.good_fit)
    visits: dict[str, float] = {}
    accepted_by_sales = 0.0
    odds = s.buyer.odds.us
    for name in names:
        stage = s.stages[name]
        handoff = handoffs.get((name, following[name]))
        advance = odds if stage.decision else stage.advance
        applies, back = stage.applies_to, handoff.returned if handoff else 0.0
        for fit, share in enumerate((advance.good_fit, advance.poor_fit)):
            # What comes back from the next team goes through this stage again.
            through = arrive[name][fit] * applies / (1 - back * share)
            visits[name] = visits.get(name, 0.0) + through
            passed = through * share * (handoff.accepted if handoff else 1.0)
            arrive[following[name]][fit] += passed + arrive[name][fit] * (1 - applies)
            if handoff:
                accepted_by_sales += passed
                reviewer = s.stages[following[name]].team
                hours[reviewer] += through * share * (1 - handoff.accepted) * handoff.rework
        if stage.team:
            hours[stage.team] += visits[name] * stage.effort.mean
    total = {n: sum(a) for n, a in arrive.items()}
    scoped = sum(a * x for a, x in zip(arrive["scoping"], (0.8, 0.454), strict=True))
    flows = {
        "leads": (sum(total_in(s)), 147 + 8.45),
        "mql": (total["qualify"], 43.8),
        "sal": (accepted_by_sales, 28.5),
        "sql": (total["scoping"], 16.5),
        "inbound opportunities": (scoped, 12.4),
        "outbound opportunities": (total["discovery"] - scoped, 3.8),
        "opportunities": (total["discovery"], 16.2),
        "wins": (total["onboarding"], 3.57),
    }
    for name, (got, wanted) in flows.items():
        assert got == pytest.approx(wanted, rel=0.03), name
    wanted = {"sdr": 0.74, "ae": 0.81, "se": 0.91, "desk": 0.86, "onboarding": 0.85}
    for name, u in wanted.items():
        team = s.teams[name]
        assert hours[name] / (team.headcount * team.hours) == pytest.approx(u, abs=0.03), name
    by_fit = {c: s.channels[c].good_fit for c in s.channels}
    for channel, share in {"organic": 0.30, "paid_search": 0.30, "paid_social": 0.22,
                           "webinar": 0.28, "referral": 0.60}.items():  # fmt: skip
        good, poor = s.stages["marketing"].advance.good_fit, s.stages["marketing"].advance.poor_fit
        assert by_fit[channel] * good + (1 - by_fit[channel]) * poor == pytest.approx(
            share, rel=0.02
        )


def total_in(s: Scenario) -> list[float]:
    return [c.leads.now + (c.per_customer or 0.0) * s.customers.start for c in s.channels.values()]


# ---------------------------------------------------------------- handoffs over handoffs

LINE = """
horizon: 26 weeks
channels: {web: {leads: 6/week}}
stages: {call: {buyer_time: 1 week}, show: {buyer_time: 1 week}, sign: {buyer_time: 1 week}}
handoffs:
  - {from: call, to: show, accepted: 60%, delay: 2 days, returned: 10%}
"""


def handoffs_of(tmp_path, text):
    (tmp_path / "base.yaml").write_text(LINE)
    (tmp_path / "own.yaml").write_text(f"extends: base.yaml\n{text}")
    return load(tmp_path / "own.yaml").scenario.handoffs


def test_handoffs_say_what_differs_by_the_stages_that_they_join(tmp_path):
    more = "{from: show, to: sign, accepted: 80%}"
    first, second = handoffs_of(
        tmp_path, f"handoffs: [{more}, {{from: call, to: show, accepted: 70%, delay: null}}]"
    )
    assert (first.from_, first.accepted, first.returned, first.delay) == ("call", 0.7, 0.1, None)
    assert (second.from_, second.accepted) == ("show", 0.8)
    assert len(handoffs_of(tmp_path, "name: As it was")) == 1


def test_handoffs_of_a_stage_that_was_removed_go_with_it(tmp_path):
    text = (
        "stages: {show: null, call: {next: sign}}\n"
        "handoffs: [{from: call, to: sign, accepted: 50%}]"
    )
    (only,) = handoffs_of(tmp_path, text)
    assert (only.from_, only.to, only.accepted) == ("call", "sign", 0.5)


def test_a_handoff_said_twice_in_one_file_is_still_wrong(tmp_path):
    twice = "{from: call, to: show, accepted: 70%}"
    with pytest.raises(SpecError, match="handoffs"):
        handoffs_of(tmp_path, f"handoffs: [{twice}, {twice}]")
