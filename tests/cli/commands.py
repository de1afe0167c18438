"""Every command there is."""

from __future__ import annotations

import typer

from medprompt_cli.cli.app import app


def leaves(command, *words):
    """Commands of a group that do something, by the words that call them."""
    if not hasattr(command, "commands"):
        return {words: command}
    return {
        found: leaf
        for name, child in command.commands.items()
        for found, leaf in leaves(child, *words, name).items()
    }


COMMANDS = leaves(typer.main.get_command(app))
"""Those of medprompt."""
