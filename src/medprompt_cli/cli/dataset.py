"""`medprompt dataset`: instruction sets out of images with masks."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from medprompt_cli.cohort.instruction_job import Built

group = typer.Typer(no_args_is_help=True, help="Build instruction sets out of masks.")


@group.callback()
def dataset() -> None:
    """Build instruction sets out of masks."""


class Languages(StrEnum):
    """What instructions are written in."""

    en = "en"
    ko = "ko"
    both = "both"


@group.command("build")
def build(  # noqa: PLR0913, PLR0917 - one for each option
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="BIDS dataset with masks, as of medprompt demo; what segment wrote; or a bank "
            "of label maps, as of medprompt train pack.",
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new or empty folder.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same instructions.")] = 0,
    language: Annotated[
        Languages, typer.Option(help="Put every question in English, Korean or both.")
    ] = Languages.both,
    least_ml: Annotated[
        float, typer.Option(min=0, help="Volume of a target, at least, in mL.")
    ] = 0.0141,
    least_voxels: Annotated[
        int, typer.Option(min=1, help="Voxels of a target, at least.")
    ] = 10,
    certain: Annotated[
        float, typer.Option(min=0, max=1, help="Probability of a finding, at least.")
    ] = 0.9,
    heads: Annotated[
        int, typer.Option(min=1, help="How many heads to paint from a bank.")
    ] = 40,
    unbalanced: Annotated[
        bool, typer.Option("--unbalanced", help="Keep all, also if most of it is absent.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Turn the masks and findings of SOURCE into instructions with their answers.

    Types are basic (a lesion and a place), global, lesion_inference (the kind is to be
    named) and absence. OUT gets instructions.jsonl, masks, a card, and what was left out.
    """
    from medprompt_cli.bids.instruction_set import SUMMARY
    from medprompt_cli.cohort.instruction_build import build_instructions
    from medprompt_cli.cohort.instruction_job import BuildJob
    from medprompt_cli.domain.instruction import LANGUAGES, Language
    from medprompt_cli.synthesis.instructions.questions import Least

    wanted: list[Language] = [o for o in LANGUAGES if language.value in {o, "both"}]
    least = Least(least_ml, least_voxels)
    job = BuildJob(
        source, out, seed, wanted, least, certain, balanced=not unbalanced, heads=heads
    )
    built = build_instructions(job, lambda name: typer.echo(name, err=True))
    if as_json:
        typer.echo((out / SUMMARY).read_text(encoding="utf-8"), nl=False)
    else:
        typer.echo(_said(built, out))


def _said(built: Built, out: Path) -> str:
    from medprompt_cli.domain.instruction import TYPES
    from medprompt_cli.synthesis.instructions.known import GATES

    counts, gates = built.by_type, built.by_gate
    types = ", ".join(f"{counts[kind]} {kind}" for kind in TYPES)
    lines = [f"{out}: {len(built.pairs)} pairs about {built.images} images: {types}"]
    if gates:
        left_out = ", ".join(f"{gate} {gates[gate]}" for gate in GATES if gates[gate])
        lines.append(f"Left out: {left_out}")
    return "\n".join([*lines, f"Next: medprompt evaluate instructions {out} -o SCORES"])
