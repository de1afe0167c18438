"""Rules of the house that no single module can break unseen."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires, version
from importlib.util import find_spec
from pathlib import Path

import pytest

import medprompt_cli
from medprompt_cli.cli.app import COMMANDS

PACKAGE = Path(medprompt_cli.__file__).parent
REPOSITORY = Path(__file__).resolve().parents[1]
MODULES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((REPOSITORY / "tests").rglob("*.py"))
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
SETTINGS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))

MAX_LINES = 400
TOP_LEVEL = {
    *("src", "tests", "examples", "weights.toml", "pyproject.toml"),
    *("README.md", "LICENSE", "CHANGELOG.md"),
}
PATH_IN_TEXT = re.compile(r"\b(?:[a-z_]+/)*[a-z_]+(?:\.py|\.toml|\.md)\b")


def relative(path):
    return path.relative_to(REPOSITORY).as_posix()


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def docstrings(path):
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(parsed(path)):
        if isinstance(node, documented):
            yield ast.get_docstring(node) or ""


def third_party_imports(path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            root = name.partition(".")[0]
            if root not in sys.stdlib_module_names and root != "medprompt_cli":
                yield root


def declared():
    extras = SETTINGS["project"]["optional-dependencies"]
    lines = [*SETTINGS["project"]["dependencies"], *extras["endpoint"]]
    return {canonical(re.split(r"[<>=!~\[ ]", line, maxsplit=1)[0]) for line in lines}


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_layers():
    tool = Path(sys.executable).with_name("lint-imports")
    if find_spec("importlinter") is None:
        pytest.skip("import-linter comes with the extra `dev`")
    shown = subprocess.run(
        [tool, "--no-cache"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONUTF8": "1"},
    )

    assert shown.returncode == 0, shown.stdout


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=relative)
def test_a_module_fits_on_a_few_pages(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_every_path_named_in_a_docstring_exists(path):
    places = (REPOSITORY, PACKAGE, path.parent)
    for text in docstrings(path):
        for named in PATH_IN_TEXT.findall(text):
            assert any((place / named).exists() for place in places), named


def test_only_the_command_line_prints_and_exits():
    for path in MODULES:
        if path.parent.name == "cli":
            continue
        for node in ast.walk(parsed(path)):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert called not in {"print", "sys.exit", "exit", "quit"}, relative(path)


def test_no_check_vanishes_under_optimisation():
    asserting = [
        f"{relative(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Assert)
    ]

    assert asserting == []


def test_what_is_imported_is_declared_and_what_is_declared_is_imported():
    distributions = packages_distributions()
    imported = {
        canonical(distribution)
        for path in MODULES
        for root in third_party_imports(path)
        for distribution in distributions[root]
    }

    assert imported == declared()


def test_the_version_is_the_packages():
    assert version("medprompt-cli") == medprompt_cli.__version__


def test_dependencies_have_lower_bounds_and_a_reason():
    for line in requires("medprompt-cli") or []:
        requirement = line.partition(";")[0]
        assert ">=" in requirement
    for name in declared():
        assert re.search(rf"^\| *`{name}`", README, re.MULTILINE | re.IGNORECASE), name


@pytest.mark.parametrize("name", [name for name, _, _ in COMMANDS])
def test_every_command_is_documented(name):
    assert re.search(rf"^### `medprompt {name}", README, re.MULTILINE)


def test_every_folder_of_the_package_is_on_the_folder_map():
    folders = {path.parent.name for path in MODULES if path.parent != PACKAGE}
    for folder in sorted(folders):
        assert re.search(rf"^├── {folder}/|^└── {folder}/", README, re.MULTILINE), folder


def test_every_path_named_in_the_readme_exists():
    for named in re.findall(r"`((?:src|tests|examples)/[\w./-]+)`", README):
        assert (REPOSITORY / named).exists(), named


def test_every_decision_is_cut_to_context_choice_and_cost():
    decisions = README.partition("\n## Decisions\n")[2].partition("\n## ")[0]
    records = decisions.split("\n### ")[1:]

    assert len(records) >= 4
    for record in records:
        for part in ("Context.", "Choice.", "Cost."):
            assert f"**{part}**" in record, record.partition("\n")[0]


def test_the_top_level_is_the_fixed_one():
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout")
    shown = subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    top = {line.partition("/")[0] for line in shown.stdout.splitlines()}

    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL


def test_the_public_names_are_the_ones_it_lists():
    if not (PACKAGE / "api.py").exists():
        pytest.skip("there is no api.py yet")
    api = importlib.import_module("medprompt_cli.api")
    public = {
        name
        for name, value in vars(api).items()
        if not name.startswith("_") and not inspect.ismodule(value) and name != "annotations"
    }

    assert public == set(api.__all__)


def test_readme_lists_every_problem_code(repository):
    from medprompt_cli.bids.problems import PROBLEM_KINDS

    text = (repository / "README.md").read_text(encoding="utf-8")
    table = text.split("<!-- problems:start -->\n")[1].split("<!-- problems:end -->")[0]
    rows = [f"| `{c}` | {k.severity} | {k.meaning} |" for c, k in PROBLEM_KINDS.items()]

    assert table.splitlines()[2:] == rows
