"""Every command there is."""

from __future__ import annotations

import typer

from medprompt_cli.cli.app import app


def _leaves(command, *words):
    if not hasattr(command, "commands"):
        return {words: command}
    return {
        found: leaf
        for name, child in command.commands.items()
        for found, leaf in _leaves(child, *words, name).items()
    }


COMMANDS = _leaves(typer.main.get_command(app))
"""Those that do something, by the words that call them."""
