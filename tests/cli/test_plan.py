"""`medprompt plan` shows a program, or why there is none."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from medprompt_cli.cli.app import app
from medprompt_cli.planning import compile as compiling
from medprompt_cli.planning import prompt_model
from medprompt_cli.planning.compile import Alternative, Compiled
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.plan_file import read_plan
from medprompt_cli.planning.printer import print_program

INTENT = Intent(("left-hippocampus",), ("volume",))
PROGRAM = compose(INTENT)
TEXT = print_program(PROGRAM)
UNDERSTOOD = Compiled("ok", "left HC vol foo", PROGRAM, TEXT, INTENT, unused_words=("foo",))


@pytest.fixture
def plan(monkeypatch):
    def run(compiled, *options):
        monkeypatch.setattr(prompt_model, "load_prompt_model", lambda path: path)
        monkeypatch.setattr(compiling, "compile_prompt", lambda text, model: compiled)
        words = ["plan", compiled.prompt, "--model", "m", *map(str, options)]
        found = CliRunner().invoke(app, words)
        return found.exit_code, found.stdout, found.stderr

    return run


def test_a_program_is_printed_with_its_needs_and_what_was_not_used(plan):
    code, stdout, stderr = plan(UNDERSTOOD)

    assert (code, stdout.strip()) == (0, TEXT.strip())
    assert stderr == ("Needs: any scan; 1 visit. Segments: left-hippocampus.\nNot used: foo\n")


def test_json_is_the_whole_contract(plan):
    code, stdout, _ = plan(UNDERSTOOD, "--json")

    assert code == 0
    assert json.loads(stdout) == {
        "status": "ok",
        "program": TEXT,
        "targets": ["left-hippocampus"],
        "quantities": ["volume"],
        "compares": "none",
        "filters": [],
        "unused_words": ["foo"],
        "suggestions": [],
        "reason": None,
        "explanation": None,
        "alternatives": [],
    }


def test_a_plan_is_written_and_read_again(plan, tmp_path):
    path = tmp_path / "plan.json"

    code, _, stderr = plan(UNDERSTOOD, "--out", path)

    assert code == 0
    assert stderr.endswith(f"Written to {path}.\n")
    assert (read_plan(path).program, read_plan(path).language) == (PROGRAM, "en")


def test_a_refusal_says_why_and_what_was_near(plan, tmp_path):
    refused = Compiled(
        "refused",
        "volume of the hipocampal commissure",
        reason="unknown-target",
        explanation="Unknown target 'hipocampal commissure'.",
        suggestions=("hippocampus",),
    )

    code, stdout, stderr = plan(refused, "--out", tmp_path / "plan.json")

    assert (code, stdout) == (65, "")
    assert stderr == (
        "Refused: Unknown target 'hipocampal commissure'.\nDid you mean: hippocampus\n"
    )
    assert not (tmp_path / "plan.json").exists()


def test_what_can_mean_several_things_is_shown_with_them(plan):
    unclear = Compiled(
        "ambiguous",
        "stroke",
        reason="ambiguous",
        explanation="'stroke' can mean 'infarct' or 'hemorrhage'.",
        alternatives=(Alternative(INTENT, TEXT),),
    )

    code, _, stderr = plan(unclear)

    assert code == 65
    assert stderr.startswith(
        "Ambiguous: 'stroke' can mean 'infarct' or 'hemorrhage'.\nAlternative 1:\n"
    )
    assert TEXT.rstrip("\n") in stderr
    code, stdout, _ = plan(unclear, "--json")
    assert (code, json.loads(stdout)["alternatives"]) == (65, [TEXT])
