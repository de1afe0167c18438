"""`medprompt evaluate`: judge masks against a truth, and by eye."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from medprompt_cli.domain.volume import LabelMap, Volume
    from medprompt_cli.evaluation.cases import Judged
    from medprompt_cli.evaluation.masks import Score

group = typer.Typer(no_args_is_help=True, help="Judge masks against a truth, or by eye.")


class By(StrEnum):
    """What a column of the table is."""

    group = "group"
    scan = "scan"


@group.command("masks")
def masks(  # noqa: PLR0913, PLR0917 - one for each option
    first: Annotated[
        Path,
        typer.Argument(
            metavar="MANIFEST | PREDICTION",
            help="Table of scans, or with TRUTH a label map with FreeSurfer's ids.",
        ),
    ],
    truth: Annotated[Path | None, typer.Argument(help="Label map to judge by.")] = None,
    scheme: Annotated[
        str, typer.Option(help="What the ids of TRUTH mean: a name, or a .tsv file.")
    ] = "freesurfer",
    root: Annotated[
        Path | None, typer.Option(help="Where the paths of MANIFEST start; else its folder.")
    ] = None,
    by: Annotated[By, typer.Option(help="What a column of the table is.")] = By.group,
    hd95: Annotated[bool, typer.Option("--hd95", help="Surface distances too.")] = False,
    parquet: Annotated[
        Path | None, typer.Option(help="File for the long table of all scores.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    weights: Annotated[
        str | None, typer.Option(help="Name in weights.toml, or a safetensors file.")
    ] = None,
) -> None:
    """Print the Dice of every structure.

    MANIFEST is a tab-separated table with the columns name, group, image, truth, scheme,
    and, where wanted, prediction and brain. Without a prediction the image is segmented.
    """
    from medprompt_cli.evaluation.cases import judge

    cases = _cases(first, truth, scheme, root)
    started = cases if truth is not None else _announced(cases)
    found: list[list[Score]] = list(judge(started, _Predictor(device, weights), far=hd95))
    if parquet is not None:
        from medprompt_cli.evaluation.report import write_parquet

        write_parquet([one for scores in found for one in scores], parquet)
    typer.echo(_as_json(found) if as_json else _as_markdown(found, cases, by, hd95=hd95))


@group.command("picture")
def picture(
    image: Annotated[Path, typer.Argument(help="A scan.")],
    labels: Annotated[Path, typer.Argument(help="A label map or mask on its grid.")],
    out: Annotated[Path, typer.Argument(help="PNG file to write.")],
    slices: Annotated[int, typer.Option(min=1, help="Slices in each row.")] = 5,
) -> None:
    """Draw the outlines of LABELS on slices of IMAGE: axial, coronal, sagittal.

    The patient's left is on the left side of the picture, as L and R say. CT is shown in a
    brain window, 0 to 80 HU.
    """
    from medprompt_cli.bids.images import read_image
    from medprompt_cli.bids.nifti import read_labels
    from medprompt_cli.evaluation.pictures import mosaic, write_png

    write_png(mosaic(read_image(image), read_labels(labels), slices), out)
    typer.echo(out)


def _cases(first: Path, truth: Path | None, scheme: str, root: Path | None) -> list[Judged]:
    from medprompt_cli.evaluation.cases import Judged, read_cases
    from medprompt_cli.evaluation.schemes import find_scheme

    if truth is None:
        return read_cases(first, root)
    name = first.name.partition(".")[0]
    return [Judged(name, name, None, truth, find_scheme(scheme), prediction=first)]


def _announced(cases: Sequence[Judged]) -> Iterator[Judged]:
    """Say which scan comes, as to segment one takes a while."""
    for number, case in enumerate(cases, start=1):
        typer.echo(f"{number}/{len(cases)} {case.name}", err=True)
        yield case


class _Predictor:
    """Segments images; loads the weights when the first one comes."""

    def __init__(self, device: str, weights: str | None) -> None:
        self.device, self.weights = device, weights
        self.segmenter = None

    def __call__(self, volume: Volume) -> LabelMap:
        from medprompt_cli.planning.vocabulary import resolve
        from medprompt_cli.segmentation.segmenter import Segmenter

        if self.segmenter is None:
            self.segmenter = Segmenter(device=self.device, weights=self.weights)
        return self.segmenter.segment(volume, resolve(["all"])).labels


def _as_json(found: Sequence[Sequence[Score]]) -> str:
    import json

    from medprompt_cli.evaluation.masks import by_kind
    from medprompt_cli.evaluation.report import rows

    dice = {scores[0].scan: by_kind(scores) for scores in found}
    scores = rows([one for scores in found for one in scores])
    return json.dumps({"dice": dice, "scores": scores}, indent=1)


def _as_markdown(
    found: Sequence[Sequence[Score]], cases: Sequence[Judged], by: By, *, hd95: bool
) -> str:
    from medprompt_cli.evaluation.report import markdown

    schemes = {case.name: case.scheme for case in cases}
    shown = [markdown(found, schemes, by=by.value)]
    if hd95:
        shown.append(markdown(found, schemes, quantity="hd95_mm", by=by.value))
    return "\n".join(shown).rstrip()
