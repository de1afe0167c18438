"""`medprompt plan`: what a prompt compiles to, before anything is run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from medprompt_cli.planning.checker import Needs
    from medprompt_cli.planning.compile import Compiled

NOT_UNDERSTOOD = 65
"""Exit code of a prompt without one program. Source: BSD sysexits, EX_DATAERR."""


def plan(
    prompt: Annotated[str, typer.Argument(help="What you want, in English or Korean.")],
    model: Annotated[
        Path, typer.Option(help="Weights that read prompts, by `medprompt train prompts`.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write it there, as plan.json.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print status, program and what it asks for.")
    ] = False,
) -> None:
    """Print the program that PROMPT compiles to, and what a case must have for it.

    Exits 65 if the prompt is refused or can mean several things.
    """
    import json

    from medprompt_cli.planning.checker import check
    from medprompt_cli.planning.compile import compile_prompt
    from medprompt_cli.planning.prompt_model import load_prompt_model

    found = compile_prompt(prompt, load_prompt_model(model))
    if as_json:
        typer.echo(json.dumps(as_contract(found), indent=2, ensure_ascii=False))
    elif found.program is not None:
        typer.echo(found.text, nl=not found.text.endswith("\n"))
        typer.echo(_needs_text(check(found.program)), err=True)
    for line in _remarks(found):
        typer.echo(line, err=True)
    if found.program is None:
        raise typer.Exit(NOT_UNDERSTOOD)
    if out is not None:
        _write(out, found)
        typer.echo(f"Written to {out}.", err=True)


def as_contract(found: Compiled) -> dict[str, object]:
    """What `--json` prints; lists are empty where there is no program."""
    intent = found.intent
    return {
        "status": found.status,
        "program": found.text or None,
        "targets": list(intent.targets) if intent else [],
        "quantities": sorted(intent.quantities) if intent else [],
        "compares": intent.compares if intent else "none",
        "filters": list(intent.filters) if intent else [],
        "unused_words": list(found.unused_words),
        "suggestions": list(found.suggestions),
        "reason": found.reason or None,
        "explanation": found.explanation or None,
        "alternatives": [alternative.text for alternative in found.alternatives],
    }


def _needs_text(needs: Needs) -> str:
    images = ", ".join(needs.suffixes) or "any scan"
    visits = "1 visit" if needs.visits == 1 else f"{needs.visits} visits"
    targets = ", ".join(needs.targets) or "nothing"
    return f"Needs: {images}; {visits}. Segments: {targets}."


def _remarks(found: Compiled) -> list[str]:
    """What a person should know beside the program."""
    said = []
    if found.program is None:
        said.append(f"{found.status.capitalize()}: {found.explanation}")
    if found.unused_words:
        said.append(f"Not used: {', '.join(found.unused_words)}")
    if found.suggestions:
        said.append(f"Did you mean: {', '.join(found.suggestions)}")
    for number, alternative in enumerate(found.alternatives, start=1):
        said += [f"Alternative {number}:", alternative.text.rstrip("\n")]
    return said


def _write(out: Path, found: Compiled) -> None:
    from medprompt_cli.planning.plan_file import Plan, WeightsUsed, write_plan
    from medprompt_cli.weights.registry import DEFAULT, read_registry

    if found.program is None:
        raise ValueError(found.status)
    entry = read_registry()[DEFAULT]
    weights = WeightsUsed(entry.name, entry.version, entry.sha256)
    language = "ko" if any("\uac00" <= letter <= "\ud7a3" for letter in found.prompt) else "en"
    write_plan(out, Plan(found.prompt, found.program, weights, language))
