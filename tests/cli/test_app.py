"""The command as a person meets it: help, version, errors and exit codes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from medprompt_cli import __version__, errors
from medprompt_cli.cli import app as app_module
from medprompt_cli.cli.app import ReportingGroup, app

HEAVY = ("torch", "numpy", "pandas", "nibabel", "scipy", "SimpleITK", "pyarrow", "rich")
"""What no command may load before it runs."""


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "medprompt_cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def app_that_raises(error):
    failing = typer.Typer(cls=ReportingGroup, rich_markup_mode=None)

    @failing.command()
    def fail():
        raise error

    @failing.command()
    def other():
        """A second command, so that both are named on the command line."""

    return failing


def test_version():
    shown = run("--version")

    assert (shown.returncode, shown.stdout, shown.stderr) == (
        0,
        f"medprompt {__version__}\n",
        "",
    )


def test_help_does_not_load_torch():
    code = (
        "import sys\n"
        "import medprompt_cli.cli.app\n"
        f"loaded = [name for name in {HEAVY} if name in sys.modules]\n"
        "print(','.join(loaded))\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert shown.stdout == "\n"


def test_help_names_every_command_in_order():
    shown = CliRunner().invoke(app, ["--help"]).stdout
    listed = shown.partition("Commands:\n")[2].splitlines()

    assert [line.split()[0] for line in listed if line.startswith("  ") and line[2] != " "] == [
        name for name, _, _ in app_module.COMMANDS
    ]


@pytest.mark.parametrize("name", [name for name, _, _ in app_module.COMMANDS])
def test_every_command_answers_help_with_a_sentence(name):
    shown = CliRunner().invoke(app, [name, "--help"])

    assert shown.exit_code == 0
    assert shown.stdout.startswith(f"Usage: medprompt {name} ")
    assert ".\n" in shown.stdout


def test_no_arguments_show_the_help():
    bare, asked = run(), run("--help")

    assert asked.returncode == 0
    assert asked.stdout == bare.stdout + bare.stderr
    assert asked.stdout.startswith("Usage: medprompt [OPTIONS] COMMAND [ARGS]...")


def test_an_unknown_command_is_a_usage_error():
    shown = run("segmnet")

    assert shown.returncode == 2
    assert shown.stdout == ""
    assert "No such command 'segmnet'." in shown.stderr


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.MedpromptError, 1),
        (errors.UsageError, 2),
        (errors.InputError, 65),
        (errors.WeightsError, 69),
        (errors.DeviceError, 69),
        (errors.OutputError, 1),
        (errors.PreemptedError, 75),
    ],
)
def test_an_error_becomes_a_message_a_remedy_and_its_exit_code(kind, code):
    failing = app_that_raises(kind("a.nii is empty: 0 bytes.", remedy="Copy it again."))
    shown = CliRunner().invoke(failing, ["fail"], env={"MEDPROMPT_DEBUG": None})

    assert shown.exit_code == code
    assert shown.stdout == ""
    assert shown.stderr == "Error: a.nii is empty: 0 bytes.\nTry: Copy it again.\n"


def test_debug_shows_where_an_error_came_from():
    failing = app_that_raises(errors.InputError("a.nii is empty.", remedy="Copy it again."))
    shown = CliRunner().invoke(failing, ["fail"], env={"MEDPROMPT_DEBUG": "1"})

    assert shown.stderr.startswith("Traceback (most recent call last):\n")
    assert shown.stderr.endswith("Error: a.nii is empty.\nTry: Copy it again.\n")


def program(body):
    """Run `main`, with one more command `fail` whose body is given."""
    code = (
        "import sys, os\n"
        "from medprompt_cli.cli.app import app, main\n"
        "@app.command()\n"
        f"def fail():\n    {body}\n"
        "sys.argv = ['medprompt', 'fail']\n"
        "main()\n"
    )
    return [sys.executable, "-c", code]


def run_main_with(body, **environment):
    return subprocess.run(
        program(body),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_a_bug_is_said_in_two_lines_and_exits_70():
    shown = run_main_with("{}['key']", MEDPROMPT_DEBUG="0")

    assert shown.returncode == 70
    assert shown.stdout == ""
    assert shown.stderr == (
        "Error: internal error, KeyError: 'key'\n"
        "Try: run it again with MEDPROMPT_DEBUG=1 and report what it prints.\n"
    )


def test_debug_shows_the_traceback_of_a_bug():
    shown = run_main_with("{}['key']", MEDPROMPT_DEBUG="1")

    assert shown.returncode == 70
    assert "Traceback (most recent call last):" in shown.stderr


def test_an_interrupt_exits_130_without_a_traceback():
    shown = run_main_with("raise KeyboardInterrupt")

    assert (shown.returncode, shown.stdout, shown.stderr) == (130, "", "")


@pytest.mark.skipif(os.name != "posix", reason="pipes of a POSIX shell")
@pytest.mark.parametrize("lines", [1, 100_000], ids=["buffered", "streamed"])
def test_a_reader_that_goes_away_is_no_error(lines):
    body = f"os.write(2, b'.'); sys.stdin.read(); print('line\\n' * {lines})"
    with subprocess.Popen(
        program(body),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stderr.read(1)
        process.stdout.close()
        process.stdin.close()
        assert process.wait(timeout=30) == 141
        assert process.stderr.read() == b""
