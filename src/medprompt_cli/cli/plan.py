"""`medprompt plan`: what a prompt compiles to, before anything is run."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medprompt_cli.cli.documents import print_json
from medprompt_cli.cli.options import AgentModel, PromptModelFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medprompt_cli.execution.fitness import Misfit
    from medprompt_cli.planning.checker import Needs
    from medprompt_cli.planning.compile import Compiled
    from medprompt_cli.planning.tree import Program

CANNOT = 1
"""Exit code of a check that found a case which cannot satisfy the plan."""

NOT_UNDERSTOOD = 65
"""Exit code of a prompt without one program. Source: BSD sysexits, EX_DATAERR."""


def plan(  # noqa: PLR0913, PLR0917 - one argument for each option
    prompt: Annotated[
        str | None, typer.Argument(help="What you want, in English or Korean.")
    ] = None,
    saved: Annotated[
        Path | None, typer.Option("--plan", help="A plan.json, in place of a prompt.")
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option("--check", metavar="BIDS", help="Say which cases cannot satisfy it."),
    ] = None,
    model: PromptModelFile = None,
    agent_endpoint: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Let a language model behind this address write it."),
    ] = None,
    agent_model: AgentModel = "default",
    alternative: Annotated[
        int | None, typer.Option(min=1, help="Take this reading of an ambiguous prompt.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write it there, as plan.json.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print status, program and what it asks for.")
    ] = False,
) -> None:
    """Print the program that PROMPT compiles to, and what a case must have for it.

    Exits 65 if the prompt is refused or can mean several things, and 1 if --check finds a
    case that cannot satisfy it.
    """
    found = _found(prompt, saved, model, (agent_endpoint, agent_model))
    if alternative is not None:
        found = _chosen(found, alternative)
    fit = None if check is None or found.program is None else _Fit(check, found.program)
    if as_json:
        print_json(as_contract(found) | ({"check": fit.as_json()} if fit else {}))
    _show(found, as_json=as_json)
    if found.program is None:
        raise typer.Exit(NOT_UNDERSTOOD)
    if out is not None:
        _write(out, found)
        typer.echo(f"Written to {out}.", err=True)
    if fit is not None:
        fit.tell()
        if fit.misfits:
            raise typer.Exit(CANNOT)


def _found(
    prompt: str | None, saved: Path | None, model: Path | None, endpoint: tuple[str | None, str]
) -> Compiled:
    from medprompt_cli.errors import UsageError

    if saved is not None and prompt is None:
        return _of_plan(saved)
    if saved is not None or prompt is None:
        raise UsageError(
            "Give a prompt, or a saved plan with --plan; one of the two.",
            remedy='For example: medprompt plan "left hippocampus volume"',
        )
    if endpoint[0] is not None:
        return _by_endpoint(prompt, endpoint[0], endpoint[1])
    return _compiled(prompt, model)


def _show(found: Compiled, *, as_json: bool) -> None:
    from medprompt_cli.planning.checker import check

    if not as_json and found.program is not None:
        typer.echo(found.text, nl=not found.text.endswith("\n"))
        typer.echo(_needs_text(check(found.program)), err=True)
    for line in _remarks(found):
        typer.echo(line, err=True)


def _chosen(found: Compiled, number: int) -> Compiled:
    """One of the readings of an ambiguous prompt."""
    from dataclasses import replace

    from medprompt_cli.errors import UsageError
    from medprompt_cli.planning.parser import parse

    if not 1 <= number <= len(found.alternatives):
        raise UsageError(
            f"There is no reading {number} of {found.prompt!r}: it has"
            f" {len(found.alternatives)}.",
            remedy="See them without --alternative.",
        )
    one = found.alternatives[number - 1]
    return replace(
        found,
        status="ok",
        program=parse(one.text),
        text=one.text,
        intent=one.intent,
        reason="",
        explanation="",
        alternatives=(),
    )


def _compiled(prompt: str, model: Path | None) -> Compiled:
    from medprompt_cli.planning.compile import compile_prompt
    from medprompt_cli.planning.prompt_model import load_prompt_model

    return compile_prompt(prompt, load_prompt_model(model))


def _of_plan(path: Path) -> Compiled:
    from medprompt_cli.planning.compile import Compiled
    from medprompt_cli.planning.plan_file import read_plan
    from medprompt_cli.planning.summary import summarise

    found = read_plan(path)
    return Compiled("ok", found.prompt, found.program, found.text, summarise(found.program))


def _by_endpoint(prompt: str, url: str, name: str) -> Compiled:
    from medprompt_cli.language.chat import Endpoint
    from medprompt_cli.planning.compile import Compiled
    from medprompt_cli.planning.endpoint import write_program
    from medprompt_cli.planning.printer import print_program
    from medprompt_cli.planning.summary import summarise

    program = write_program(prompt, Endpoint(url, name))
    return Compiled("ok", prompt, program, print_program(program), summarise(program))


class _Fit:
    """Which cases of a dataset can satisfy a program; the dataset is read when asked."""

    def __init__(self, source: Path, program: Program) -> None:
        self.source, self.program = source, program

    @cached_property
    def _found(self) -> tuple[int, Sequence[Misfit]]:
        from medprompt_cli.api import find_misfits

        return find_misfits(self.source, self.program)

    @property
    def misfits(self) -> Sequence[Misfit]:
        """What cases lack."""
        return self._found[1]

    @property
    def _able(self) -> int:
        return self._found[0] - len({one.case.partition(" ")[0] for one in self.misfits})

    def tell(self) -> None:
        """Print what cases lack."""
        for misfit in self.misfits:
            typer.echo(f"{misfit.case}: {misfit.reason}", err=True)
        count = self._found[0]
        subjects = "1 subject" if count == 1 else f"{count} subjects"
        typer.echo(f"{self._able} of {subjects} can satisfy this plan.", err=True)

    def as_json(self) -> dict[str, object]:
        """How many subjects there are and can, and what the others lack."""
        misfits = [{"case": one.case, "reason": one.reason} for one in self.misfits]
        return {"subjects": self._found[0], "can": self._able, "misfits": misfits}


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
    from medprompt_cli.planning.vocabulary import resolve

    images = ", ".join(needs.suffixes) or "any scan"
    visits = "1 visit" if needs.visits == 1 else f"{needs.visits} visits"
    targets = ", ".join(needs.targets) or "nothing"
    unseen = ", ".join(
        target.name for target in resolve(list(needs.targets)) if not target.visible
    )
    blind = f"\nNot visible to the bundled weights: {unseen}." if unseen else ""
    return f"Needs: {images}; {visits}. Segments: {targets}.{blind}"


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
    from medprompt_cli.planning.plan_file import Plan, WeightsUsed, language_of, write_plan
    from medprompt_cli.weights.registry import DEFAULT, read_registry

    if found.program is None:
        raise ValueError(found.status)
    entry = read_registry()[DEFAULT]
    weights = WeightsUsed(entry.name, entry.version, entry.sha256)
    write_plan(out, Plan(found.prompt, found.program, weights, language_of(found.prompt)))
