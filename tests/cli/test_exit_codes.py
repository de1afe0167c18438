"""Exit codes are those that the README promises, whichever command fails, and say why."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
import typer
from tests.cli.commands import COMMANDS, leaves
from typer.testing import CliRunner

import medprompt_cli
from medprompt_cli.cli.app import app
from medprompt_cli.errors import InputError, MedpromptError

PACKAGE = Path(medprompt_cli.__file__).parent


@pytest.fixture(scope="module")
def documented(repository):
    """The codes in the README's table."""
    text = (repository / "README.md").read_text(encoding="utf-8")
    section = text.partition("\n## Exit codes\n")[2].partition("\n## ")[0]
    return {int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)}


def errors_of_the_package():
    """Every kind of error of ours, wherever it is declared."""
    declaring = {"medprompt_cli.errors"}
    for module in pkgutil.walk_packages([str(PACKAGE)], "medprompt_cli."):
        path = PACKAGE.joinpath(*module.name.split(".")[1:]).with_suffix(".py")
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if re.search(r"^class \w+\(\w*Error\)", text, re.MULTILINE):
            declaring.add(module.name)
    return {
        value
        for name in declaring
        for value in vars(importlib.import_module(name)).values()
        if inspect.isclass(value) and issubclass(value, MedpromptError)
    }


def test_every_error_has_a_documented_code(documented):
    found = errors_of_the_package()

    assert len(found) >= 7
    assert {kind.exit_code for kind in found} <= documented


def test_every_code_that_a_command_leaves_with_is_documented(documented):
    """Constants of the command line whose docstring says `Exit code`, and bare numbers."""
    codes = {}
    for path in (PACKAGE / "cli").glob("*.py"):
        module = ast.parse(path.read_text(encoding="utf-8"))
        for node, after in zip(module.body, [*module.body[1:], None], strict=True):
            said = isinstance(after, ast.Expr) and ast.unparse(after).startswith("'Exit code")
            if isinstance(node, ast.Assign) and said:
                codes[path.name, ast.unparse(node.targets[0])] = ast.literal_eval(node.value)
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "typer.Exit":
                for given in node.args:
                    if isinstance(given, ast.Constant):
                        codes[path.name, node.lineno] = given.value

    assert {70, 130, 141} <= set(codes.values())
    assert set(codes.values()) <= documented


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_an_error_in_any_command_is_two_lines_and_a_code(words, capsys, monkeypatch):
    def fail():
        raise InputError("a.nii is empty: 0 bytes.", remedy="Copy it again.")

    monkeypatch.setenv("MEDPROMPT_DEBUG", "0")
    group = typer.main.get_command(app)
    leaf = leaves(group)[words]
    leaf.callback, leaf.params = fail, []
    code = group.main(list(words), prog_name="medprompt", standalone_mode=False)

    assert code == 65
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "Error: a.nii is empty: 0 bytes.\nTry: Copy it again.\n"


MISSING = {
    ("segment",): ("no", "out", "-p", "brain"),
    ("status",): ("no",),
    ("slurm",): ("no", "out", "-p", "brain"),
    ("run",): ("no", "out", "participant", "-p", "brain"),
    ("ask",): ("no", "How large is the brain?"),
    ("measure",): ("no", "out"),
    ("tables",): ("no",),
    ("longitudinal",): ("no", "out", "-p", "brain"),
    ("calibrate",): ("no", "out"),
    ("report",): ("no",),
    ("plan",): ("--plan", "no"),
    ("check",): ("no",),
    ("vocabulary",): ("no-such-region",),
    ("demo",): ("file",),
    ("bench",): ("--targets", "99"),
    ("dataset", "build"): ("no", "out"),
    ("evaluate", "masks"): ("no",),
    ("evaluate", "picture"): ("no", "no", "out.png"),
    ("evaluate", "reports"): ("no.csv",),
    ("evaluate", "instructions"): ("no",),
    ("train", "pack"): ("no", "heads.labels.xz"),
    ("train", "run"): ("no", "--bank", "no", "--out", "out"),
    ("train", "calibrate"): ("no", "--recipe", "no", "--bank", "no", "--out", "out"),
    ("train", "prompts"): ("no", "--out", "out"),
    ("weights", "export"): ("no", "out.safetensors"),
}
"""Of every command, a call whose input is not there."""


@pytest.mark.parametrize("words", MISSING, ids=" ".join)
def test_what_is_not_there_is_no_traceback(words, documented, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    shown = CliRunner().invoke(app, [*words, *MISSING[words]], env={"MEDPROMPT_DEBUG": "0"})

    assert isinstance(shown.exception, SystemExit), shown.exception
    assert shown.exit_code in documented - {0, 70}
    assert shown.stdout == ""
    assert "Traceback" not in shown.stderr
    assert re.search(r"^Error: .+\nTry: .+", shown.stderr, re.MULTILINE)


def test_every_command_with_an_input_is_tried():
    assert set(COMMANDS) - set(MISSING) == {("weights", "list")}
