"""`medprompt evaluate`: judge masks against a truth, and by eye; reports; instructions."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medprompt_cli.cli.documents import print_json
from medprompt_cli.cli.evaluate_instructions import instructions
from medprompt_cli.cli.evaluate_reports import reports

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from medprompt_cli.domain.volume import Volume
    from medprompt_cli.evaluation.cases import Judged
    from medprompt_cli.evaluation.judging import Found
    from medprompt_cli.evaluation.scores import Score

group = typer.Typer(
    no_args_is_help=True, help="Judge masks, reports and answers to instructions."
)


class By(StrEnum):
    """What a column of the table is."""

    group = "group"
    scan = "scan"


class Grid(StrEnum):
    """By what the voxels of two files are the same."""

    world = "world"
    voxels = "voxels"


@group.command("masks")
def masks(  # noqa: PLR0913, PLR0917 - one for each option
    first: Annotated[
        Path,
        typer.Argument(
            metavar="MANIFEST | PREDICTION",
            help="Table of scans, or with TRUTH a label map with FreeSurfer's ids, or a mask.",
        ),
    ],
    truth: Annotated[Path | None, typer.Argument(help="Label map to judge by.")] = None,
    scheme: Annotated[
        str, typer.Option(help="What the ids of TRUTH mean: a name, or a .tsv file.")
    ] = "freesurfer",
    targets: Annotated[
        str | None, typer.Option(help="Only these lesions or parcels, between semicolons.")
    ] = None,
    grid: Annotated[
        Grid, typer.Option(help="How voxels of PREDICTION and TRUTH are the same: by place.")
    ] = Grid.world,
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
    """Print the Dice of every structure, and how every lesion was found.

    MANIFEST is a tab-separated table with the columns name, group, image, truth, scheme,
    and, where wanted, prediction, brain, targets, absent and grid. Without a prediction the
    images, separated by semicolons, are segmented together.
    """
    from medprompt_cli.evaluation.cases import distinct, read_cases
    from medprompt_cli.evaluation.judging import judge
    from medprompt_cli.evaluation.pooled import pool

    if truth is None:
        _refuse_options(targets, grid)
        cases = read_cases(first, root)
    else:
        cases = [_two_files(first, truth, scheme, targets, grid)]
    started = cases if truth is not None else _announced(cases)
    found: list[list[Score]] = list(judge(started, _Predictor(device, weights), far=hd95))
    pooled = pool(found, distinct(cases))
    if parquet is not None:
        from medprompt_cli.evaluation.report import write_parquet

        write_parquet([*(one for scores in found for one in scores), *pooled], parquet)
    if as_json:
        print_json(_as_json(found, pooled))
    else:
        typer.echo(_as_markdown(found, pooled, cases, by, hd95=hd95))


@group.command("picture")
def picture(
    image: Annotated[Path, typer.Argument(help="A scan.")],
    labels: Annotated[Path, typer.Argument(help="A label map or mask on its grid.")],
    out: Annotated[Path, typer.Argument(help="PNG file to write.")],
    slices: Annotated[int, typer.Option(min=1, help="Slices in each row.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print the path as JSON.")] = False,
) -> None:
    """Draw the outlines of LABELS on slices of IMAGE: axial, coronal, sagittal.

    The patient's left is on the left side of the picture, as L and R say. CT is shown in a
    brain window, 0 to 80 HU.
    """
    from medprompt_cli.bids.images import read_image
    from medprompt_cli.bids.nifti import read_labels
    from medprompt_cli.evaluation.pictures import mosaic, write_png

    write_png(mosaic(read_image(image), read_labels(labels), slices), out)
    if as_json:
        print_json({"file": out})
    else:
        typer.echo(out)


group.command("reports")(reports)
group.command("instructions")(instructions)


def _refuse_options(targets: str | None, grid: Grid) -> None:
    from medprompt_cli.errors import UsageError

    if targets is not None or grid is not Grid.world:
        raise UsageError(
            "--targets and --grid are about two files, and a manifest was given.",
            remedy="Write them into its columns targets and grid.",
        )


def _two_files(
    prediction: Path, truth: Path, scheme: str, targets: str | None, grid: Grid
) -> Judged:
    from medprompt_cli.evaluation.cases import Judged, choose_targets
    from medprompt_cli.evaluation.schemes import find_scheme

    name, means = prediction.name.partition(".")[0], find_scheme(scheme)
    return Judged(
        name,
        name,
        means,
        truth=truth,
        prediction=prediction,
        targets=choose_targets(targets, means),
        same_voxels=grid is Grid.voxels,
    )


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

    def __call__(self, volumes: Sequence[Volume], names: Sequence[str]) -> Found:
        from medprompt_cli.planning.vocabulary import resolve
        from medprompt_cli.segmentation.segmenter import Segmenter

        if self.segmenter is None:
            self.segmenter = Segmenter(device=self.device, weights=self.weights)
        visible = [target for target in resolve(names) if target.visible]
        return self.segmenter.segment(volumes, visible)


def _as_json(found: Sequence[Sequence[Score]], pooled: Sequence[Score]) -> dict[str, object]:
    from medprompt_cli.evaluation.masks import by_kind
    from medprompt_cli.evaluation.report import rows

    dice = {scores[0].scan: by_kind(scores) for scores in found if scores}
    scores = rows([*(one for scores in found for one in scores), *pooled])
    return {"dice": dice, "scores": scores}


def _as_markdown(
    found: Sequence[Sequence[Score]],
    pooled: Sequence[Score],
    cases: Sequence[Judged],
    by: By,
    *,
    hd95: bool,
) -> str:
    from medprompt_cli.evaluation.region_report import class_table, lesion_table, parcel_table
    from medprompt_cli.evaluation.report import markdown

    schemes = {case.name: case.scheme for case in cases}
    shown = [markdown(found, schemes, by=by.value)]
    if hd95:
        shown.append(markdown(found, schemes, quantity="hd95_mm", by=by.value))
    shown += [lesion_table(found, by.value), class_table(pooled), parcel_table(found)]
    return "\n".join(filter(None, shown)).rstrip()
