"""The promises of the packaging: one home a library, one set-up command, versions that agree."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from sys import stdlib_module_names

import pytest

import simulator
from simulator.shipped import scenarios

# Where each heavy library may be imported; patterns of module names below `simulator`.
HOMES = {
    "click": ["cli*"],
    "dask": ["sweep.executors"],
    "distributed": ["sweep.executors"],
    "llvmlite": ["compiled", "elementary", "engines.flow.vectors"],
    "matplotlib": ["report.figures*"],
    "numba": ["compiled", "elementary", "engines.batch*", "engines.flow*", "engines.slow"],
    "pandas": ["fit*", "report*"],
    "pptx": ["report.deck*"],
    "pyarrow": ["fit*", "report*", "sweep*"],
    "python_calamine": ["fit.logs.workbook"],
    "rich": ["terminal"],
    "SALib": ["analysis.sobol"],
    "simpy": ["engines.events*"],
}


def sources(root: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted((root / "simulator").rglob("*.py")):
        yield ".".join(path.relative_to(root / "simulator").with_suffix("").parts), path


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def readme_commands(root: Path) -> list[str]:
    """The README's set-up commands: those that make a virtual environment."""
    lines = (root / "README.md").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip().startswith("python3 -m venv")]


def test_every_heavy_library_has_one_home(root):
    strays = [
        f"{module} imports {library}"
        for module, path in sources(root)
        for library in set(imports(path)) & set(HOMES)
        if not any(fnmatch(module, home) for home in HOMES[library])
    ]
    assert not strays


def test_every_import_is_a_dependency(root):
    declared = {
        re.split(r"[^a-zA-Z0-9._-]", line)[0].lower() for line in project(root)["dependencies"]
    }
    extras = project(root)["optional-dependencies"]
    optional = {
        re.split(r"[^a-zA-Z0-9._-]", line)[0]
        for e in ("deck", "dask", "excel")
        for line in extras[e]
    }
    names = {
        "ruamel.yaml": "ruamel",
        "python-pptx": "pptx",
        "python-calamine": "python_calamine",
        "salib": "SALib",
    }
    # pydantic_core is a part of pydantic, pinned by it.
    known = {names.get(n, n) for n in declared | optional} | {"simulator", "pydantic_core"}
    used = {name for _, path in sources(root) for name in imports(path)} - stdlib_module_names
    assert used <= known, f"not declared in pyproject.toml: {sorted(used - known)}"


def test_lowest_versions_are_those_of_the_constraints(root):
    lowest = (root / "tests" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.replace("==", ">=") for line in lowest if line and not line.startswith("#")}
    assert set(project(root)["dependencies"]) <= pinned


def test_readme_has_two_commands(root):
    job, tests = readme_commands(root)
    assert job.endswith("growthsim demo")
    assert tests.endswith("pytest")


def test_ci_runs_the_command_of_the_readme(root):
    script = (root / ".ci" / "run").read_text(encoding="utf-8")
    parts = dict(
        re.findall(r"^(setup|tests)=\$\(cat <<'END'\n(.*)\nEND\n\)$", script, re.MULTILINE)
    )
    _, tests = readme_commands(root)
    assert f"{parts['setup']} && {parts['tests']}" == tests
    assert 'eval "$setup"' in script
    assert 'eval "$tests"' in script


def test_readme_examples_are_real_commands(root):
    from simulator.cli import main

    text = (root / "README.md").read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    examples = re.findall(r"^growthsim (\w+)(.*)$", blocks, re.MULTILINE)
    assert {command for command, _ in examples} == set(main.commands)
    for command, line in examples:
        options = {o for p in main.commands[command].params for o in p.opts}
        assert set(re.findall(r"--[\w-]+", line.partition("#")[0])) <= options, line


def test_changelog_names_this_version(root):
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {simulator.__version__}" in text


def test_shipped_scenarios_are_found():
    assert scenarios().is_dir()


@pytest.mark.parametrize("name", sorted(set(simulator.__all__) - {"__version__"}))
def test_the_straight_line_is_at_the_top(name):
    module, _ = simulator._HOMES[name]
    pytest.importorskip(module)
    assert callable(getattr(simulator, name))


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        _ = simulator.lod
