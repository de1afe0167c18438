"""`medprompt evaluate instructions`: how a model answers an instruction set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medprompt_cli.cli.documents import print_json
from medprompt_cli.cli.options import Device, PromptWeights, Weights

if TYPE_CHECKING:
    from medprompt_cli.cohort.instruction_run import Evaluated
    from medprompt_cli.execution.segment import Segments
    from medprompt_cli.planning.prompt_model import PromptModel

FAILED = 1
"""Exit code of an evaluation in which an image could not be looked at."""


def instructions(
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="What medprompt dataset build wrote.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for answers and tables; run again to go on."),
    ] = None,
    device: Device = "auto",
    weights: Weights = None,
    prompt_weights: PromptWeights = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Print gIoU, cIoU and N-Acc of the answers to DATASET, by what was asked.

    Every instruction is understood once, from its words alone; an image is looked at once.
    What is refused, ambiguous or not visible is wrong, and listed.
    """
    from medprompt_cli.cohort.instruction_run import Models, evaluate_instructions

    def segmenter() -> Segments:
        from medprompt_cli.segmentation.segmenter import Segmenter

        return Segmenter(device=device, weights=weights)

    def reader() -> PromptModel:
        from medprompt_cli.planning.prompt_model import load_prompt_model

        return load_prompt_model(prompt_weights)

    def report(case: str, became: str) -> None:
        typer.echo(f"{case} {became}", err=True)

    found = evaluate_instructions(dataset, Models(segmenter, reader), out, report)
    if as_json:
        print_json(_as_json(found))
    else:
        typer.echo(found.page.rstrip("\n"))
    for case, failure in found.failures.items():
        typer.echo(f"failed [{failure.code}] {case}: {failure.problem}", err=True)
        typer.echo(f"    Try: {failure.remedy}", err=True)
    if found.failures:
        raise typer.Exit(FAILED)


def _as_json(found: Evaluated) -> dict[str, object]:
    from medprompt_cli.evaluation.instructions.tables import rows

    failures = {case: failure.as_json() for case, failure in found.failures.items()}
    return {"scores": rows(found.scores), "failures": failures}
