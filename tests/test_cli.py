"""The command line: what goes where, exit codes, and how fast it starts."""

from __future__ import annotations

import datetime as dt
import inspect
import io
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import click
import pytest
from click.testing import CliRunner, Result

from simulator import __version__
from simulator.cli import ENGINES, main
from simulator.errors import AnalysisError, Problem, SpecError
from simulator.terminal import console, table

COMMANDS = [
    "backtest",
    "check",
    "compare",
    "constraint",
    "curve",
    "deck",
    "demo",
    "explain",
    "export",
    "figure",
    "fit",
    "gallery",
    "read",
    "report",
    "run",
    "schema",
    "seek",
    "sensitivity",
    "sweep",
    "version",
    "worlds",
]
HEAVY = {"numba", "numpy", "pandas", "pint", "pydantic", "rich", "scipy", "simpy", "matplotlib"}


@dataclass
class Answer:
    """What an analysis returns."""

    reason: str = "number given"
    files: tuple[str, ...] = ("ours/today.yaml",)

    sentences: ClassVar = ("Pushing adds 0.4% ± 0.9%.",)
    tables: ClassVar = {"variants": [{"name": "push", "gain": 1234.5, "won": 31, "knee": None}]}

    def to_json(self):
        return {"gain": 1234.5}


@dataclass
class Opened:
    """What the loader returns."""

    path: Path
    scenario: str = "the scenario"


class Stage:
    """The modules behind the commands, replaced by stand-ins."""

    def __init__(self, monkeypatch, folder: Path) -> None:
        self.answer: object = Answer()
        self.asked: list[tuple[tuple, dict]] = []
        self.written: list[tuple[Path, bool]] = []
        self.folder = folder
        (folder / "today.yaml").write_text("name: Today\n")
        homes = {
            "simulator.spec.load": {"load": Opened, "shipped": Path},
            "simulator.analysis.check": {"check": self.ask},
            "simulator.analysis.run": {"run": self.ask},
            "simulator.analysis.compare": {"compare_study": self.ask},
            "simulator.analysis.curve": {"curve": self.ask},
            "simulator.analysis.constraint": {"constraint": self.ask},
            "simulator.analysis.explain": {"explain_study": self.ask},
            "simulator.analysis.efforts": {"every_curve": self.ask},
            "simulator.analysis.isoquant": {"isoquant": self.ask},
            "simulator.analysis.seek": {"seek": self.ask},
            "simulator.analysis.sensitivity": {"sensitivity": self.ask},
            "simulator.analysis.robust": {"robustness": self.ask},
            "simulator.analysis.worlds": {"worlds": self.ask},
            "simulator.fit": {"fit_files": self.ask},
            "simulator.report": {"write": self.write, "ready": Path},
            "simulator.report.demo": {"demo": self.ask},
        }
        for name, functions in homes.items():
            module = ModuleType(name)
            vars(module).update(functions)
            monkeypatch.setitem(sys.modules, name, module)

    def ask(self, *args, **kwargs):
        self.asked.append((args, kwargs))
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def write(self, result, out, figures):
        self.written.append((out, figures))

    def call(self, *args: str) -> Result:
        here = {"TODAY": str(self.folder / "today.yaml"), "STUDY": str(self.folder)}
        return CliRunner().invoke(main, [here.get(arg, arg) for arg in args])


@pytest.fixture
def stage(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return Stage(monkeypatch, tmp_path)


ASK = [
    ("run", "TODAY"),
    ("compare", "STUDY"),
    ("curve", "TODAY"),
    ("constraint", "TODAY"),
    ("explain", "STUDY"),
    ("curve", "TODAY", "--every"),
    ("curve", "TODAY", "--with", "teams.ae.hours"),
    ("seek", "TODAY", "--target", "arr >= 1 MUSD"),
    ("sensitivity", "TODAY"),
    ("sensitivity", "STUDY"),
    ("worlds", "STUDY"),
    ("demo",),
]


def test_help_names_every_command(growthsim):
    done = growthsim("--help")
    assert done.returncode == 0
    assert done.stderr == ""
    listed = done.stdout.partition("Commands:")[2].split("\n")
    assert [line.split()[0] for line in listed if line.strip()] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_has_help(command):
    done = CliRunner().invoke(main, [command, "--help"])
    assert done.exit_code == 0
    assert main.commands[command].help
    for parameter in main.commands[command].params:
        assert isinstance(parameter, click.Argument) or parameter.help, parameter.name


def test_version(growthsim):
    done = growthsim("--version")
    assert (done.returncode, done.stdout) == (0, f"growthsim {__version__}\n")
    versions = json.loads(growthsim("version", "--json").stdout)
    assert versions["growthsim"] == __version__
    assert {"python", "numpy", "scipy", "simpy", "numba"} < set(versions)


def test_schema_is_json(growthsim):
    done = growthsim("schema")
    assert done.returncode == 0, done.stderr
    assert "channels" in json.loads(done.stdout)["properties"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["comprae"], "No such command 'comprae'. Did you mean 'compare'?"),
        (["zzz"], "No such command 'zzz'."),
        (["run"], "Missing argument 'SCENARIO'"),
        (["run", "TODAY", "--engine", "event"], "events"),
        (["run", "TODAY", "--replications", "0"], "--replications"),
        (["run", "TODAY", "--jsno"], "--json"),
        (["compare", "STUDY", "--precision", "lots"], "such as 1% or 0.01"),
        (["compare", "STUDY", "--precision", "120%"], "between 0 and 100%"),
        (["compare", "STUDY", "--precision", "nan"], "between 0 and 100%"),
        (["compare", "STUDY", "--precision", "1%", "--replications", "9"], "excludes"),
        (["curve", "TODAY", "--to", "1"], "--to"),
        (["explain", "STUDY", "--method", "shapely"], "one-at-a-time"),
        (["fit"], "--leads"),
    ],
)
def test_wrong_command_line_exits_2(stage, args, says):
    done = stage.call(*args)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert says.replace("TODAY", str(stage.folder / "today.yaml")) in done.stderr


@pytest.mark.parametrize("args", ASK)
def test_answer_on_stdout(stage, args):
    done = stage.call(*args)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("Pushing adds 0.4% ± 0.9%.\n")
    assert "1,234" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("args", [*ASK, ("check", "TODAY")])
def test_json_is_one_object_and_nothing_else(stage, args):
    done = stage.call(*args, "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout) == {"gain": 1234.5}


def test_options_reach_the_analysis(stage):
    stage.call("compare", "STUDY", "--precision", "1%", "--seed", "7", "--jobs", "3")
    _, given = stage.asked[-1]
    given.pop("progress")(1)
    assert given == {"precision": 0.01, "seed": 7, "jobs": 3}
    stage.call("demo", "--max-replications", "9")
    assert stage.asked[-1][1]["most"] == 9
    stage.call("curve", "TODAY", "--effort", "teams.ae.hours", "--to", "1.5", "--engine", "flow")
    args, given = stage.asked[-1]
    assert (args[1], given["to"], given["engine"]) == ("teams.ae.hours", 1.5, "flow")


def test_out_and_figures(stage):
    done = stage.call("run", "TODAY", "--out", "runs/one", "--no-figures")
    assert stage.written == [(Path("runs/one"), False)]
    assert "runs/one" in done.stderr
    assert stage.call("run", "TODAY", "--out", "runs/one", "--quiet").stderr == ""
    stage.call("demo")
    assert stage.written[-1] == (Path("growthsim-demo"), True)


def test_the_study_that_is_compared(stage):
    stage.call("compare", "STUDY")
    stage.call("demo")
    assert [args for args, _ in stage.asked] == [(stage.folder,), (Path("the-flood"),)]


def test_compare_takes_what_the_command_line_offers():
    compare = pytest.importorskip("simulator.analysis.compare").compare
    offered = {p.name for p in main.commands["compare"].params}
    offered -= {"study", "as_json", "quiet", "out", "no_figures"}
    assert offered <= set(inspect.signature(compare).parameters)


def test_explain_takes_what_the_command_line_offers():
    module = pytest.importorskip("simulator.analysis.explain")
    offered = {p.name for p in main.commands["explain"].params}
    offered -= {"study", "variant", "as_json", "quiet", "out", "no_figures"}
    assert offered <= set(inspect.signature(module.explain).parameters)


def test_the_answers_take_what_the_command_line_offers():
    import importlib

    for command, home, function in (
        ("constraint", "constraint", "constraint"),
        ("seek", "seek", "seek"),
        ("sensitivity", "sensitivity", "sensitivity"),
        ("worlds", "worlds", "worlds"),
    ):
        module = importlib.import_module(f"simulator.analysis.{home}")
        offered = {p.name for p in main.commands[command].params}
        offered -= {"scenario", "study", "as_json", "quiet", "out", "no_figures"}
        assert offered <= set(inspect.signature(getattr(module, function)).parameters), command


def test_a_study_has_no_method_of_sensitivity(stage):
    done = stage.call("sensitivity", "STUDY", "--method", "sobol")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--method and --precision are of a scenario's file" in done.stderr
    done = stage.call("sensitivity", "STUDY", "--precision", "0.01")
    assert done.exit_code == 2


def test_seek_passes_targets_and_bounds(stage):
    stage.call("seek", "TODAY", "--target", "a >= 1", "--target", "b <= 2", "--budget", "1 kUSD")
    _, given = stage.asked[-1]
    assert given["target"] == ["a >= 1", "b <= 2"]
    assert (given["budget"], given["max_levers"]) == ("1 kUSD", 2)
    done = stage.call("seek", "TODAY")
    assert done.exit_code == 2
    assert "--target" in done.stderr
    done = stage.call("curve", "TODAY", "--every", "--with", "x")
    assert (done.exit_code, done.stdout) == (2, "")


def test_check_shows_what_is_assumed(growthsim):
    done = growthsim("check", "mid-market-saas", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["assumptions"]
    assert set(found["assumptions"][0]) >= {"path", "value", "grade", "source", "origin"}
    done = growthsim("check", "mid-market-saas")
    assert f"It assumes {len(found['assumptions'])} numbers" in done.stdout


def test_checking_simulates_nothing():
    done = "from simulator.analysis.check import check; check('mid-market-saas')"
    assert not loaded(done) & {"numba", "simpy", "matplotlib"}


def test_fit_passes_files_and_columns(stage):
    files = ("--leads", "l.csv", "--deals", "d.csv", "--out", "ours/today.yaml")
    done = stage.call("fit", *files, "--lead-channel", "source", "--until", "2026-03-31")
    assert done.exit_code == 0, done.stderr
    assert done.stderr == "Written to ours/today.yaml\n"
    args, given = stage.asked[-1]
    assert args == (Path("l.csv"), Path("d.csv"))
    assert (given["lead_channel"], given["lead_id"]) == ("source", None)
    assert given["until"] == dt.date(2026, 3, 31)


def test_fit_takes_what_the_command_line_offers():
    fit_files = pytest.importorskip("simulator.fit").fit_files
    of_files = {"files", "columns", "sheets", "won", "lost"}
    offered = {p.name for p in main.commands["fit"].params} - {"as_json", "quiet"} - of_files
    assert offered == set(inspect.signature(fit_files).parameters)


def test_a_file_that_is_not_there(growthsim, tmp_path):
    done = growthsim("run", "absent.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("absent.yaml: there is no such file")
    assert len(done.stderr.splitlines()) == 1


def test_every_problem_is_one_line_and_exit_1(stage):
    first = Problem("t.yaml", 14, "stages.demo.team", "no team named 'se'.", "Did you mean 'ae'?")
    stage.answer = SpecError([first, Problem("t.yaml", 3, "horizon", "is negative")])
    for flag in ([], ["--json"]):
        done = stage.call("run", "TODAY", *flag)
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.splitlines() == [
            "t.yaml:14: stages.demo.team: no team named 'se'. Did you mean 'ae'?",
            "t.yaml:3: horizon: is negative",
        ]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (AnalysisError("no metric named 'arrr'"), "no metric named 'arrr'"),
        (PermissionError(13, "Permission denied", "runs"), "runs: Permission denied"),
        (MemoryError(), "out of memory"),
        (KeyError("x\ny"), "This is a bug"),
        (RecursionError("deep"), "This is a bug"),
    ],
)
def test_failure_is_one_line(stage, error, says):
    stage.answer = error
    done = stage.call("compare", "STUDY", "--json")
    assert (done.exit_code, done.stdout) == (1, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_nan_never_reaches_json(stage, monkeypatch):
    monkeypatch.setattr(Answer, "to_json", lambda self: {"gain": float("nan")})
    done = stage.call("run", "TODAY", "--json")
    assert (done.exit_code, done.stdout) == (1, "")


def test_debug_shows_the_traceback(stage, monkeypatch):
    monkeypatch.setenv("GROWTHSIM_DEBUG", "1")
    stage.answer = KeyError("x")
    assert "Traceback" in stage.call("run", "TODAY").stderr


def test_interrupt_says_what_was_kept(stage):
    stage.answer = Answer(reason="interrupted after 3 replications")
    done = stage.call("run", "TODAY", "--json", "--out", "runs")
    assert done.exit_code == 130
    assert json.loads(done.stdout) == {"gain": 1234.5}
    assert stage.written
    assert done.stderr.endswith("growthsim: interrupted after 3 replications; they are kept.\n")
    stage.answer = KeyboardInterrupt()
    done = stage.call("run", "TODAY")
    assert (done.exit_code, done.stderr) == (130, "growthsim: interrupted; nothing was kept.\n")


@pytest.mark.skipif(os.name == "nt", reason="no SIGPIPE")
def test_a_reader_that_leaves_is_no_error(root):
    command = f"'{sys.executable}' -m simulator schema | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=root, check=True
    )
    assert done.stderr == ""
    assert done.stdout.strip() in {"0", "141"}


def test_no_colour_and_no_progress_without_a_terminal(growthsim):
    done = growthsim("version", env={"FORCE_COLOR": "", "TERM": "xterm-256color"})
    assert "\x1b" not in done.stdout + done.stderr


def test_table_has_the_columns_of_all_rows():
    rows = [{"arm": "today"}, {"arm": "push", "gain": -1234567.0, "wins": 12}]
    stream = io.StringIO()
    console(stream).print(table("arms", rows))
    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert lines == [
        ["arms"],
        ["arm", "gain", "wins"],
        ["today", "-", "-"],
        ["push", "-1,234,567", "12"],
    ]


def loaded(statement: str) -> set[str]:
    """Top-level modules outside the standard library that a statement loads."""
    script = (
        "import sys; before = set(sys.modules); "
        f"{statement}; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(*sorted(new - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_command_line_loads_only_click():
    assert loaded("import simulator.cli") <= {"click", "simulator", "colorama"}
    assert (
        not loaded(
            "from click.testing import CliRunner; import simulator.cli; "
            "CliRunner().invoke(simulator.cli.main, ['--help'])"
        )
        & HEAVY
    )


def test_reading_scenarios_loads_nothing_heavy():
    heavy = {"numba", "pandas", "scipy", "simpy", "matplotlib", "rich", "pyarrow"}
    assert not loaded("import simulator.spec.schema") & heavy


def test_help_starts_at_most_twice_as_slowly_as_click(root):
    def seconds(*command: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, *command], cwd=root, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began

    # What the installed script does; the best of several, as the machine may be busy.
    script = "import sys; sys.argv = ['growthsim', '--help']; import simulator.cli as c; c.main()"
    pairs = [(seconds("-c", "import click"), seconds("-c", script)) for _ in range(7)]
    assert min(ours for _, ours in pairs) <= 2 * min(click for click, _ in pairs)


def test_engines_are_those_there_are():
    engines = pytest.importorskip("simulator.engines")
    assert set(ENGINES) == set(getattr(engines, "ENGINES", ENGINES))
