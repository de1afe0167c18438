"""The command line: parse and delegate. The only place that prints and exits."""

from medprompt_cli.cli.app import main

__all__ = ["main"]
