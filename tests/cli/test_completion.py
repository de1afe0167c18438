"""Completion: what a shell gets, and that it gets it without torch."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from medprompt_cli.cli import completion
from medprompt_cli.cli.app import app

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")

FUNCTION = "_medprompt_completion"


def bash(script, home):
    """Run a script in a bash whose `medprompt` is this environment's."""
    here = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "PATH": here, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_installed_completion_completes_in_a_new_bash(tmp_path):
    # The last word keeps bash from replacing itself: who asks has to be a shell.
    done = bash("medprompt --install-completion; true", tmp_path)
    assert "bash completion installed in" in done.stdout, done.stderr

    shown = bash(
        'source "$HOME/.bashrc"\n'
        "COMP_WORDS=(medprompt segment IN OUT -p left-hipp) COMP_CWORD=5\n"
        f'{FUNCTION} medprompt; echo "${{COMPREPLY[@]}}"\n'
        "COMP_WORDS=(medprompt longi) COMP_CWORD=1\n"
        f'{FUNCTION} medprompt; echo "${{COMPREPLY[@]}}"\n',
        tmp_path,
    )
    assert shown.stdout.splitlines() == ["left-hippocampus", "longitudinal"]


def complete(*words):
    """What bash is offered for the last word."""
    said = " ".join(("medprompt", *words))
    env = {
        "_MEDPROMPT_COMPLETE": "complete_bash",
        "COMP_WORDS": said,
        "COMP_CWORD": str(len(words)),
    }
    return CliRunner().invoke(app, [], env=env, prog_name="medprompt").stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("calib",), ["calibrate"]),
        (("segment", "IN", "OUT", "--part"), ["--participant-label"]),
        (("longitudinal", "IN", "OUT", "--prompt", "ventri"), ["ventricles"]),
        (
            ("run", "BIDS", "OUT", "participant", "--participant_label", "01", "-p", "insu"),
            ["insula"],
        ),
        (("report", "OUT", "--region", "right-amy"), ["right-amygdala"]),
        (("vocabulary", "--kind", "l"), ["lesion", "lobe"]),
        (("segment", "--weights", "anatomy"), ["anatomy-small"]),
        (("tables", "OUT", "--table", "led"), ["ledger"]),
        (("run", "BIDS", "OUT", "gr"), ["group"]),
        (("--install",), []),
    ],
)
def test_what_is_offered(words, offered):
    assert complete(*words) == offered


def test_regions_are_those_that_prompts_can_name():
    from medprompt_cli.planning.vocabulary import resolve

    begun = completion.regions("left")
    bare = {name for name, _ in completion.regions("")}

    assert ("left-caudate", "structure") in begun
    assert not any(name.startswith("left-") for name in bare)
    assert {"all", "hippocampus", "ventricles", "tumor"} <= bare
    assert resolve([name for name, _ in begun])
    assert completion.regions("nothing-like-it") == []


def test_completing_loads_nothing_heavy():
    code = (
        "import sys\n"
        "from medprompt_cli.cli import completion\n"
        "assert completion.regions('hipp') and completion.weights('')\n"
        "heavy = ('torch', 'numpy', 'pandas', 'nibabel', 'scipy', 'pyarrow')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert shown.stdout == "[]\n"


def test_help_keeps_one_line_about_it():
    shown = CliRunner().invoke(app, ["--help"]).stdout

    assert shown.count("completion") == 1
