"""The `medprompt` command: its subcommands, and what becomes of an error.

    0 done   1 a case failed   2 usage   65 no valid input   69 weights or device
    70 internal   75 preempted, run again   130 interrupted   141 reader went away

Set `MEDPROMPT_DEBUG=1` to see the traceback of any error.
"""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from medprompt_cli.cli.options import print_version
from medprompt_cli.errors import MedpromptError, one_line

INTERNAL_ERROR = 70
"""Exit code of a bug. Source: BSD sysexits, EX_SOFTWARE."""

BROKEN_PIPE = 141
"""Exit code when the reader of stdout has gone, as in `| head`: 128 + SIGPIPE."""

COMPLETION = ("install_completion", "show_completion")
"""Typer's own options; a line of `--help` names the first."""

COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("segment", "medprompt_cli.cli.segment", "segment"),
    ("status", "medprompt_cli.cli.status", "status"),
    ("slurm", "medprompt_cli.cli.slurm", "slurm"),
    ("run", "medprompt_cli.cli.run", "run"),
    ("ask", "medprompt_cli.cli.ask", "ask"),
    ("measure", "medprompt_cli.cli.measure", "measure"),
    ("tables", "medprompt_cli.cli.tables", "tables"),
    ("longitudinal", "medprompt_cli.cli.longitudinal", "longitudinal"),
    ("calibrate", "medprompt_cli.cli.calibrate", "calibrate"),
    ("report", "medprompt_cli.cli.report", "report"),
    ("plan", "medprompt_cli.cli.plan", "plan"),
    ("check", "medprompt_cli.cli.check", "check"),
    ("vocabulary", "medprompt_cli.cli.vocabulary", "vocabulary"),
    ("demo", "medprompt_cli.cli.demo", "demo"),
    ("bench", "medprompt_cli.cli.bench", "bench"),
    ("dataset", "medprompt_cli.cli.dataset", "group"),
    ("evaluate", "medprompt_cli.cli.evaluate", "group"),
    ("train", "medprompt_cli.cli.train", "group"),
    ("weights", "medprompt_cli.cli.weights", "group"),
)
"""Name, module and function (or group of functions) of every command, in the order of
`--help`. Each module is read to print its help, so none imports torch, numpy or nibabel
before its function runs."""


class ReportingGroup(TyperGroup):
    """The group of all commands; says in one place what went wrong."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - typer keeps the type to itself
        """All parameters; those that install completion are not shown by `--help`."""
        params: list[Any] = super().get_params(ctx)
        for param in params:
            if param.name in COMPLETION:
                param.hidden = True
        return params

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer keeps the type to itself
        """Run the chosen command; turn our errors into a message and an exit code."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except MedpromptError as error:
            _show_traceback_if_asked()
            said = f"Error: {error}\nTry: {error.remedy}"
            typer.echo("\n".join(map(one_line, said.splitlines())), err=True)
            raise typer.Exit(error.exit_code) from error
        except BrokenPipeError as error:
            _silence_stdout()
            raise typer.Exit(BROKEN_PIPE) from error
        return result


app = typer.Typer(
    name="medprompt",
    cls=ReportingGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def medprompt(
    version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print it."),
    ] = False,
) -> None:
    """Say what you want, get it measured, for every scan of a cohort.

    --install-completion lets your shell complete what you type.

    For research only: not a medical device.
    """


def _register(group: typer.Typer) -> None:
    for name, module, function in COMMANDS:
        loaded = import_module(module)
        command = getattr(loaded, function)
        if isinstance(command, typer.Typer):
            group.add_typer(command, name=name)
        else:
            group.command(name, cls=getattr(loaded, "Command", None))(command)


_register(app)


def main() -> None:
    """Run the command and leave with its exit code."""
    try:
        typer.main.get_command(app)(prog_name="medprompt")
    except Exception as error:  # noqa: BLE001 - the last place that can name a bug
        _show_traceback_if_asked()
        typer.echo(
            f"Error: internal error, {type(error).__name__}: {error}\n"
            "Try: run it again with MEDPROMPT_DEBUG=1 and report what it prints.",
            err=True,
        )
        sys.exit(INTERNAL_ERROR)


def _show_traceback_if_asked() -> None:
    if os.environ.get("MEDPROMPT_DEBUG", "0") not in {"", "0"}:
        typer.echo(traceback.format_exc(), err=True)


def _silence_stdout() -> None:
    """Point stdout at nothing, or Python complains again when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
